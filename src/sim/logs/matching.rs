//! Filter patterns: terms that must all stand in a line, `?` for any of several, `-` for none, quotes for phrases.

use super::invalid;
use crate::sim::fault::Fault;
use regex::Regex;

/// A pattern that was read.
#[derive(Debug, Default)]
pub(super) struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
    expression: Option<Regex>,
}

/// What a regular expression between `%` may hold besides letters and digits; nothing else is taken.
const SIGNS: &str = "_#=@/;,-^$?[]{}|\\*+.";

impl Pattern {
    /// Reads a pattern. Those for JSON and for columns are not understood here, and that is said.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let mut pattern = Self::default();
        let mut rest = text.trim();
        if let Some(inner) = rest.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')) {
            let is_taken = |c: char| c.is_ascii_alphanumeric() || SIGNS.contains(c);
            let expression =
                Regex::new(inner).ok().filter(|_| !inner.is_empty() && inner.chars().all(is_taken));
            let refused = || invalid(format!("Invalid filter pattern: {text}"));
            return Ok(Self { expression: Some(expression.ok_or_else(refused)?), ..Self::default() });
        }
        if rest.starts_with(['{', '[', '%']) {
            return Err(invalid(format!("Invalid filter pattern: {text} is not understood here")));
        }
        while !rest.is_empty() {
            let (list, after) = match rest.chars().next() {
                Some('?') => (&mut pattern.any, &rest[1..]),
                Some('-') => (&mut pattern.none, &rest[1..]),
                _ => (&mut pattern.all, rest),
            };
            let (term, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or_else(|| invalid("Invalid filter pattern"))?,
                None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            list.push(term.to_owned());
            rest = after.trim_start();
        }
        Ok(pattern)
    }

    /// Whether a line has it.
    pub(super) fn admits(&self, line: &str) -> bool {
        self.all.iter().all(|term| line.contains(term.as_str()))
            && (self.any.is_empty() || self.any.iter().any(|term| line.contains(term.as_str())))
            && self.expression.as_ref().is_none_or(|expression| expression.is_match(line))
            && !self.none.iter().any(|term| line.contains(term.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn terms_phrases_choices_and_exclusions() {
        let read = |text: &str| Pattern::read(text).unwrap();
        assert!(read("").admits("anything"));
        assert!(read("ERROR timed").admits("ERROR: it timed out") && !read("ERROR timed").admits("ERROR"));
        assert!(read("\"timed out\"").admits("it timed out") && !read("\"timed out\"").admits("out timed"));
        assert!(read("?WARN ?ERROR").admits("WARN x") && !read("?WARN ?ERROR").admits("INFO x"));
        assert!(!read("API -called").admits("API called") && read("API -called").admits("API ended"));
        assert!(read("%[eE]rror|[fF]atal\\s\\d%").admits("an error") && !read("%a\\.b%").admits("aXb"));
        assert!(
            ["%(a)%", "%a b%", "%a:b%", "%ü%", "%%", "%[%"].iter().all(|text| Pattern::read(text).is_err())
        );
        assert!(Pattern::read("{ $.level = \"ERROR\" }").is_err());
    }
}
