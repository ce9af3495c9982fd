//! What is wrong with a query: where, what, and what would be right.

use crate::model::text::harmless;
use serde::Serialize;
use std::fmt::Write;
use std::ops::Range;
use unicode_width::UnicodeWidthStr;

/// One fault of a query, at a place in its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The bytes it is about; on character borders, and empty where something is missing.
    pub span: Range<usize>,
    /// What is wrong, no final period.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault without a hint.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None }
    }

    /// Adds what would be right.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The character, counted from 1, at which it begins.
    pub fn column(&self, source: &str) -> usize {
        source.get(..self.span.start).unwrap_or(source).chars().count() + 1
    }

    /// The message, the query with carets under the fault, and the hint, on lines of their own and
    /// harmless to a terminal:
    ///
    /// ```text
    /// instances have no column 'stat'
    ///   stat:running
    ///   ^^^^
    ///   did you mean 'state'?
    /// ```
    pub fn render(&self, source: &str) -> String {
        let before = harmless(source.get(..self.span.start).unwrap_or(source));
        let within = harmless(source.get(self.span.clone()).unwrap_or(""));
        let carets = within.width().max(1);
        let mut shown = format!("{}\n  {}\n", harmless(&self.message), harmless(source));
        // Writing to a String cannot fail.
        let _ = write!(shown, "  {:indent$}{:^<carets$}", "", "^", indent = before.width());
        if let Some(hint) = &self.hint {
            // As above.
            let _ = write!(shown, "\n  {}", harmless(hint));
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn points_below_wide_and_dangerous_characters() {
        let source = "名\u{1b}[2J stat:x";
        let at = source.find("stat").unwrap();
        let fault = Fault::new(at..at + 4, "no column 'stat'").hint("did you mean 'state'?");
        assert_eq!(fault.column(source), 7);
        assert_eq!(
            fault.render(source),
            "no column 'stat'\n  名␛[2J stat:x\n         ^^^^\n  did you mean 'state'?"
        );
    }

    #[test]
    fn an_empty_place_still_gets_a_caret() {
        assert_eq!(Fault::new(3..3, "missing").render("a (").lines().nth(2), Some("     ^"));
    }
}
