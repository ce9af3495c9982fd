//! AWS filters: names with values, any of which may match, with `*` and `?`.

use super::input::Input;

/// One filter of a request.
#[derive(Clone, Debug)]
pub(crate) struct Filter<'a> {
    /// AWS's name of it.
    pub(crate) name: &'a str,
    /// Values, any of which may match.
    pub(crate) values: Vec<&'a str>,
}

impl Filter<'_> {
    /// Tells whether one of the values matches this text.
    pub(crate) fn admits(&self, text: &str) -> bool {
        self.values.iter().any(|value| glob(value, text))
    }

    /// Tells whether one of the values matches one of these texts.
    pub(crate) fn admits_any<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> bool {
        texts.into_iter().any(|text| self.admits(text))
    }
}

/// Reads the filters of a request from the member `list`, whose values are in `values`.
pub(crate) fn filters<'a>(input: Input<'a>, list: &str, values: &str) -> Vec<Filter<'a>> {
    input
        .list(list)
        .into_iter()
        .map(|filter| Filter { name: filter.text("Name").unwrap_or_default(), values: filter.texts(values) })
        .collect()
}

/// Matches text against a pattern of `*`, `?` and `\` before a character that is meant as itself.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    fn step(pattern: &[char], text: &[char]) -> bool {
        let Some((&first, rest)) = pattern.split_first() else { return text.is_empty() };
        match first {
            '*' => (0..=text.len()).any(|skip| text.get(skip..).is_some_and(|left| step(rest, left))),
            '?' => text.split_first().is_some_and(|(_, left)| step(rest, left)),
            '\\' if !rest.is_empty() => {
                let literal = rest.split_first();
                literal.is_some_and(|(&wanted, rest)| {
                    text.split_first().is_some_and(|(&found, left)| found == wanted && step(rest, left))
                })
            }
            _ => text.split_first().is_some_and(|(&found, left)| found == first && step(rest, left)),
        }
    }
    if !pattern.contains(['*', '?', '\\']) {
        return pattern == text;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    step(&pattern, &text)
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn globs_match_as_aws_says() {
        for (pattern, text, expected) in [
            ("m5.*", "m5.large", true),
            ("m5.*", "m5a.large", false),
            ("?5.large", "m5.large", true),
            ("*", "", true),
            ("a*b*c", "aXXbYYc", true),
            (r"\*", "*", true),
            (r"\*", "x", false),
            ("dev-é*", "dev-éa", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
