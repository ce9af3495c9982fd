//! Sums of scripts: whole numbers and variables, `+ - * / %`, without brackets.

use super::Bad;

/// The value of a sum; `value` knows variables.
pub(super) fn sum(text: &str, value: impl Fn(&str) -> Option<i64>) -> Result<i64, Bad> {
    let bad = || format!("{text}: arithmetic expression");
    let spaced: String =
        text.chars().flat_map(|c| if "+-*/%".contains(c) { vec![' ', c, ' '] } else { vec![c] }).collect();
    let mut words = spaced.split_whitespace();
    let number = |words: &mut dyn Iterator<Item = &str>| {
        let word = words.next().ok_or_else(bad)?;
        let name = word.trim_start_matches('$');
        name.parse().ok().or_else(|| value(name)).ok_or_else(bad)
    };
    // What has been added up, and the product that goes on.
    let (mut total, mut product) = (0_i64, number(&mut words)?);
    while let Some(sign) = words.next() {
        let next = number(&mut words)?;
        match sign {
            "*" => product = product.checked_mul(next).ok_or_else(bad)?,
            "/" => product = product.checked_div(next).ok_or_else(bad)?,
            "%" => product = product.checked_rem(next).ok_or_else(bad)?,
            "+" | "-" => {
                total = total.checked_add(product).ok_or_else(bad)?;
                product = if sign == "-" { next.checked_neg().ok_or_else(bad)? } else { next };
            }
            _ => return Err(bad()),
        }
    }
    total.checked_add(product).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn products_come_first() {
        let value = |name: &str| (name == "n").then_some(7);
        assert_eq!(sum("1 + n * 2 - 10 / 5", value), Ok(13));
        assert_eq!(sum("$n%4", value), Ok(3));
        assert!(sum("1 / 0", value).is_err() && sum("x + 1", value).is_err() && sum("1 2", value).is_err());
    }
}
