//! The buttons of an operation that AWS goes on with by itself: keys that can be clicked, too.

use super::Sheet;
use crate::ops::Verb;
use crate::tui::action::{Action, Layer};
use crate::tui::theme::Role;
use std::ops::Range;
use unicode_width::UnicodeWidthStr;

/// A button on the page.
pub(super) struct Button {
    pub(super) line: usize,
    pub(super) columns: Range<usize>,
    pub(super) action: Action,
}

impl Sheet<'_> {
    /// What can be asked of it as it stands.
    pub(super) fn buttons(&mut self) {
        let offers = self.ui.register.offers(self.listed);
        // Another runner is not a matter of where the work is.
        let mut all = offers.into_iter().filter(|verb| *verb != Verb::Takeover).peekable();
        if all.peek().is_none() {
            return;
        }
        let lead = format!("{:<8}", "do");
        let (mut line, mut used) = (vec![(Role::Dim, lead.clone())], lead.width());
        for verb in all {
            let (action, what) = (Action::asking(verb), word(verb));
            let Some(key) = self.ui.keymap.keys_of(Layer::Text, action).into_iter().next() else { continue };
            let wide = key.width() + what.width() + 3;
            if used + wide > self.width && used > lead.width() {
                self.lines.push(std::mem::take(&mut line));
                line.push((Role::Dim, " ".repeat(lead.width())));
                used = lead.width();
            }
            self.buttons.push(Button { line: self.lines.len(), columns: used..used + wide, action });
            line.push((Role::HintKey, format!("[{key}")));
            line.push((Role::Hint, format!(" {what}]")));
            line.push((Role::Text, "  ".to_owned()));
            used += wide + 2;
        }
        self.lines.push(line);
    }
}

/// What a button says.
fn word(verb: Verb) -> &'static str {
    match verb {
        Verb::Pause => "hold",
        Verb::Resume => "go on",
        Verb::Cancel => "stop here",
        Verb::Rollback | Verb::Takeover => verb.said(),
    }
}
