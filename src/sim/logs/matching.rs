//! Filter patterns: terms that must all stand in a line, `?` for any of several, `-` for none, quotes for phrases.

use super::invalid;
use crate::sim::fault::Fault;

/// A pattern that was read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

impl Pattern {
    /// Reads a pattern. Those for JSON and for columns are not understood here, and that is said.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let mut pattern = Self::default();
        let mut rest = text.trim();
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
        assert!(Pattern::read("{ $.level = \"ERROR\" }").is_err());
    }
}
