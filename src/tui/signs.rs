//! The few signs that the screen is drawn with, and what stands for them where only ASCII may be written.

use crate::model::Health;

/// One set of signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signs {
    /// For terminals whose locale is UTF-8.
    Unicode,
    /// For all others.
    Ascii,
}

impl Signs {
    fn pick<'a>(self, unicode: &'a str, ascii: &'a str) -> &'a str {
        match self {
            Self::Unicode => unicode,
            Self::Ascii => ascii,
        }
    }

    /// The sign of a health, one column wide. The word always stands beside it or on the describe page.
    pub fn health(self, health: Health) -> &'static str {
        match health {
            Health::Ok => self.pick("●", "+"),
            Health::Busy => self.pick("…", "~"),
            Health::Unknown => "?",
            Health::Warn => self.pick("▲", "!"),
            Health::Bad => self.pick("✖", "x"),
        }
    }

    /// The mark of the cursor row.
    pub fn cursor(self) -> &'static str {
        self.pick("▌", ">")
    }

    /// The mark of a row that was marked.
    pub fn marked(self) -> &'static str {
        self.pick("◆", "*")
    }

    /// Before the head of a group: whether its rows are folded away.
    pub fn fold(self, is_folded: bool) -> &'static str {
        if is_folded { self.pick("▸", "+") } else { self.pick("▾", "-") }
    }

    /// A line between what stands side by side.
    pub fn side(self) -> &'static str {
        self.pick("│", "|")
    }

    /// What ends text that was cut.
    pub fn cut(self) -> &'static str {
        self.pick("…", "~")
    }

    /// Between the parts of a path.
    pub fn part(self) -> &'static str {
        self.pick("›", ">")
    }

    /// Where something lies off to the left.
    pub fn back(self) -> &'static str {
        self.pick("‹", "<")
    }

    /// Between things of one line.
    pub fn dot(self) -> &'static str {
        self.pick("·", "|")
    }

    /// Times.
    pub fn times(self) -> &'static str {
        self.pick("×", "x")
    }

    /// A column that goes up.
    pub fn ascending(self) -> &'static str {
        self.pick("↑", "^")
    }

    /// A column that goes down.
    pub fn descending(self) -> &'static str {
        self.pick("↓", "v")
    }

    /// Before a count that is the least there can be.
    pub fn at_least(self) -> &'static str {
        self.pick("≥", ">=")
    }

    /// Before a next step to take.
    pub fn next(self) -> &'static str {
        self.pick("→", "->")
    }

    /// Points at the character above.
    pub fn point(self) -> &'static str {
        "^"
    }

    /// A horizontal line.
    pub fn rule(self) -> &'static str {
        self.pick("─", "-")
    }

    /// Where one is on a line.
    pub fn knob(self) -> &'static str {
        self.pick("●", "o")
    }

    /// What a bar is filled with as far as something is done.
    pub fn full(self) -> &'static str {
        self.pick("█", "#")
    }

    /// The rest of a bar.
    pub fn void(self) -> &'static str {
        self.pick("░", ".")
    }

    /// Before a row that an operation holds.
    pub fn held(self) -> &'static str {
        self.pick("»", "=")
    }

    /// The set for a locale, `C` or `en_GB.UTF-8`; the first of the variables that is set decides.
    pub fn of_locale(lc_all: Option<&str>, lc_ctype: Option<&str>, lang: Option<&str>) -> Self {
        let set = [lc_all, lc_ctype, lang].into_iter().flatten().find(|value| !value.is_empty());
        let utf8 = set.is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        });
        if utf8 { Self::Unicode } else { Self::Ascii }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        assert_eq!(Signs::of_locale(Some(""), None, Some("en_GB.UTF-8")), Signs::Unicode);
        assert_eq!(Signs::of_locale(Some("C"), None, Some("en_GB.UTF-8")), Signs::Ascii);
        assert_eq!(Signs::of_locale(None, Some("C.utf8"), None), Signs::Unicode);
        assert_eq!(Signs::of_locale(None, None, None), Signs::Ascii);
    }

    #[test]
    fn every_health_has_its_own_sign_of_one_column() {
        use Health::{Bad, Busy, Ok, Unknown, Warn};
        for signs in [Signs::Unicode, Signs::Ascii] {
            let all: Vec<_> = [Ok, Busy, Unknown, Warn, Bad].map(|health| signs.health(health)).to_vec();
            assert!(all.iter().all(|sign| sign.width() == 1), "{all:?}");
            assert!(all.iter().enumerate().all(|(at, sign)| !all[..at].contains(sign)), "{all:?}");
        }
    }
}
