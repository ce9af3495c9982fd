//! Dated figures that come with the program: on-demand list prices of one region, and how often spot instances were
//! interrupted. What they do not hold is not known, and no figure of them is told without its date.

use crate::model::Usd;

const ON_DEMAND: &str = include_str!("../../../../data/ondemand-us-east-1.csv");
const ADVISOR: &str = include_str!("../../../../data/spot-advisor.csv");

/// The only region and product that the list prices are of.
const REGION: &str = "us-east-1";
/// The only product of both lists.
pub(in super::super) const PRODUCT: &str = "Linux/UNIX";
/// When AWS listed the prices.
pub(in super::super) const LISTED: &str = "2026-07-20";
/// When AWS's advisor said how often instances are interrupted.
pub(super) const ADVISED: &str = "2025-07";

/// The list price of an hour, where it is known.
pub(in super::super) fn on_demand(region: &str, product: &str, kind: &str) -> Option<Usd> {
    let mut rows = rows(ON_DEMAND).filter(|_| region == REGION && product == PRODUCT);
    rows.find_map(|row| row.strip_prefix(kind)?.strip_prefix(',').and_then(usd))
}

/// How many of a hundred spot instances were interrupted in a month, in words, where it is known.
pub(super) fn interrupted(region: &str, product: &str, kind: &str) -> Option<&'static str> {
    let mut rows = rows(ADVISOR).filter(|_| product == PRODUCT);
    rows.find_map(|row| {
        let rest = row.strip_prefix(region)?.strip_prefix(',')?.strip_prefix(kind)?.strip_prefix(',')?;
        match rest.rsplit(',').next()? {
            "0" => Some("below 5 %"),
            "1" => Some("5 to 10 %"),
            "2" => Some("10 to 15 %"),
            "3" => Some("15 to 20 %"),
            "4" => Some("above 20 %"),
            _ => None,
        }
    })
}

fn rows(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#')).skip(1)
}

/// Dollars with up to six decimals, exactly.
fn usd(text: &str) -> Option<Usd> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 6 {
        return None;
    }
    let micros = format!("{whole}{rest:0<6}").parse().ok()?;
    Some(Usd::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_lists_hold_is_told_and_nothing_else() {
        let price = |region, kind| on_demand(region, PRODUCT, kind).map(|usd| usd.to_string());
        assert_eq!(price(REGION, "c3.2xlarge").as_deref(), Some("$0.42"));
        assert_eq!(price(REGION, "t3.small").as_deref(), Some("$0.0208"));
        assert_eq!(price("eu-west-1", "t3.small"), None, "another region's price is not ours");
        assert_eq!(price(REGION, "t3.smal"), None);
        assert_eq!(on_demand(REGION, "Windows", "t3.small"), None);
        assert_eq!(interrupted(REGION, PRODUCT, "c3.2xlarge"), Some("below 5 %"));
        assert_eq!(interrupted("mars-1", PRODUCT, "c3.2xlarge"), None);
        assert_eq!(interrupted(REGION, "Windows", "c3.2xlarge"), None);
        // The dates that are told are those of the lists.
        assert!(ON_DEMAND.starts_with('#') && ON_DEMAND.lines().next().unwrap().contains(LISTED));
        assert!(ADVISOR.lines().next().unwrap().contains(ADVISED));
        for row in rows(ON_DEMAND) {
            assert!(row.split_once(',').and_then(|(_, price)| usd(price)).is_some(), "{row}");
        }
    }
}
