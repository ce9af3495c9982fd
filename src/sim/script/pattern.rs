//! Texts that hold the number of a row: `{n}`, padded as `{n:03}`, divided as `{n/10}`, wrapped as `{n%10}`.

/// A text that is written out for each number, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Number { divisor: usize, modulus: Option<usize>, width: usize },
}

impl Pattern {
    /// Reads one; the error is what cannot be understood of it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let Some((inside, behind)) = after.split_once('}') else {
                return Err(format!("{{{after} has no end"));
            };
            pieces.push(number(inside).ok_or_else(|| {
                format!(
                    "{{{inside}}} is no number of a row; there are {{n}}, {{n:03}}, {{n/10}} and {{n%10}}"
                )
            })?);
            rest = behind;
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// A text without numbers.
    pub(crate) fn plain(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }

    /// The text for a number.
    pub(crate) fn text(&self, n: usize) -> String {
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Number { divisor, modulus, width } => {
                    let figure = n / divisor;
                    let figure = modulus.map_or(figure, |modulus| figure % modulus);
                    out.push_str(&format!("{figure:0width$}"));
                }
            }
        }
        out
    }

    /// Tells whether every number has a text of its own, as `{n}` makes it.
    pub(crate) fn tells_apart(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Number { divisor: 1, modulus: None, .. }))
    }
}

fn number(inside: &str) -> Option<Piece> {
    let inside = inside.trim().strip_prefix('n')?;
    let (inside, width) = match inside.split_once(':') {
        Some((before, width)) => (before, width.parse().ok().filter(|width| *width <= 12)?),
        None => (inside, 0),
    };
    let above_none = |digits: &str| digits.parse().ok().filter(|number| *number > 0);
    match inside.split_at_checked(1) {
        Some(("/", by)) => Some(Piece::Number { divisor: above_none(by)?, modulus: None, width }),
        Some(("%", by)) => Some(Piece::Number { divisor: 1, modulus: Some(above_none(by)?), width }),
        Some(_) => None,
        None => Some(Piece::Number { divisor: 1, modulus: None, width }),
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn numbers_are_written_into_their_places() {
        for (pattern, n, text) in [
            ("plain", 3, "plain"),
            ("host-{n}", 7, "host-7"),
            ("{n:04}-of-{n/10:02}", 42, "0042-of-04"),
            ("x{n%5}", 12, "x2"),
            ("", 1, ""),
        ] {
            assert_eq!(Pattern::read(pattern).unwrap().text(n), text, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_number_is_said() {
        for bad in ["{m}", "{n", "{n/0}", "{n%}", "{n:x}", "{n+1}", "{}"] {
            assert!(Pattern::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_whole_numbers_tell_rows_apart() {
        assert!(Pattern::read("a{n:03}").unwrap().tells_apart());
        assert!(!Pattern::read("a{n/10}").unwrap().tells_apart());
        assert!(!Pattern::read("a{n%10}").unwrap().tells_apart());
    }
}
