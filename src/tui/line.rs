//! A line being typed: text, cursor, and what was typed before.

use unicode_segmentation::UnicodeSegmentation;

/// How many lines are remembered.
const KEPT: usize = 50;

/// A line with a cursor in it, counted in bytes at a character border.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) cursor: usize,
}

impl Line {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.len(), text }
    }

    pub(crate) fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    pub(crate) fn after(&self) -> &str {
        self.text.get(self.cursor..).unwrap_or_default()
    }

    pub(crate) fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor.min(self.text.len()), text);
        self.cursor += text.len();
    }

    pub(crate) fn left(&mut self) {
        self.cursor -= self.before().graphemes(true).next_back().map_or(0, str::len);
    }

    pub(crate) fn right(&mut self) {
        self.cursor += self.after().graphemes(true).next().map_or(0, str::len);
    }

    pub(crate) fn erase(&mut self) {
        let to = self.cursor;
        self.left();
        self.text.replace_range(self.cursor..to, "");
    }

    pub(crate) fn erase_forward(&mut self) {
        let length = self.after().graphemes(true).next().map_or(0, str::len);
        self.text.replace_range(self.cursor..self.cursor + length, "");
    }

    pub(crate) fn erase_word(&mut self) {
        let kept = self.before().trim_end();
        let from = kept.rfind(char::is_whitespace).map_or(0, |at| {
            at + kept.get(at..).and_then(|tail| tail.chars().next()).map_or(1, char::len_utf8)
        });
        self.text.replace_range(from..self.cursor, "");
        self.cursor = from;
    }

    pub(crate) fn erase_rest(&mut self) {
        self.text.truncate(self.cursor);
    }

    pub(crate) fn erase_line(&mut self) {
        self.text.replace_range(..self.cursor, "");
        self.cursor = 0;
    }
}

/// Lines typed before, oldest first, and the one that is looked at again.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Typed {
    lines: Vec<String>,
    at: Option<usize>,
    draft: String,
}

impl Typed {
    pub(crate) fn remember(&mut self, line: &str) {
        self.at = None;
        if line.is_empty() {
            return;
        }
        self.lines.retain(|kept| kept != line);
        self.lines.push(line.to_string());
        if self.lines.len() > KEPT {
            self.lines.remove(0);
        }
    }

    pub(crate) fn leave(&mut self) {
        self.at = None;
    }

    pub(crate) fn older(&mut self, now: &str) -> Option<&str> {
        if self.at.is_none() {
            self.draft = now.to_string();
        }
        let at = self.at.unwrap_or(self.lines.len()).checked_sub(1)?;
        self.at = Some(at);
        self.lines.get(at).map(String::as_str)
    }

    pub(crate) fn newer(&mut self) -> Option<&str> {
        let at = self.at? + 1;
        self.at = (at < self.lines.len()).then_some(at);
        Some(self.lines.get(at).map_or(self.draft.as_str(), String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editing_moves_by_whole_characters() {
        let mut line = Line::new("abc 日本e\u{301}");
        line.erase();
        assert_eq!(line.text, "abc 日本");
        line.left();
        line.erase_forward();
        assert_eq!((line.text.as_str(), line.cursor), ("abc 日", 7));
        line.insert("xy");
        line.erase_word();
        assert_eq!(line.text, "abc ");
        line.erase_word();
        line.erase();
        line.left();
        assert_eq!(line, Line::default());
    }

    #[test]
    fn lines_come_back_in_order_and_the_draft_last() {
        let mut typed = Typed::default();
        typed.remember("one");
        typed.remember("two");
        typed.remember("one");
        assert_eq!(typed.older("dra"), Some("one"));
        assert_eq!(typed.older(""), Some("two"));
        assert_eq!(typed.older(""), None);
        assert_eq!(typed.newer(), Some("one"));
        assert_eq!(typed.newer(), Some("dra"));
        assert_eq!(typed.newer(), None);
    }
}
