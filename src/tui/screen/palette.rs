//! The box over the page in which the palette offers what may be meant: its name, what it is, its key, and why.

use super::Canvas;
use crate::model::text::harmless;
use crate::tui::cell;
use crate::tui::page::Layout;
use crate::tui::state::{Purpose, Ui};
use crate::tui::theme::Role;
use unicode_width::UnicodeWidthStr;

/// The most candidates that show at once.
const MOST: usize = 12;
/// The widest that a name may be.
const WIDEST: usize = 44;

pub(super) fn draw(ui: &Ui, canvas: &mut Canvas<'_>, layout: Layout) {
    let Some(prompt) = ui.prompt.as_ref().filter(|prompt| prompt.purpose == Purpose::Command) else { return };
    let height = usize::from(layout.body_height);
    let count = prompt.candidates.len();
    let deep = count.min(MOST).min(height.saturating_sub(1));
    if deep == 0 {
        return;
    }
    let picked = prompt.picked.or(prompt.takes_first.then_some(0));
    let top = picked.map_or(0, |picked| (picked + 1).saturating_sub(deep)).min(count - deep);
    let shown = prompt.candidates.get(top..top + deep).unwrap_or_default();
    let widest = |of: fn(&crate::tui::state::Candidate) -> &str| {
        shown.iter().map(|candidate| harmless(of(candidate)).width()).max().unwrap_or(0)
    };
    let width = usize::from(ui.width);
    let name = widest(|candidate| &candidate.text).min(WIDEST).min(width / 2);
    let what = widest(|candidate| candidate.what);
    let key = widest(|candidate| &candidate.key);
    let signs = ui.signs();
    let from = layout.body + u16::try_from(height - deep - 1).unwrap_or(0);
    let more = match (ui.is_hunting(), count > deep) {
        (true, _) => format!(" searching{} ", signs.cut()),
        (false, true) => format!(" {deep} of {count} "),
        (false, false) => String::new(),
    };
    let rule = signs.rule().repeat(width.saturating_sub(more.width() + 2));
    canvas.line(
        0,
        from,
        &vec![(Role::Box, rule), (Role::BoxTitle, more), (Role::Box, signs.rule().repeat(2))],
    );
    let blank = " ".repeat(width);
    for (nth, candidate) in shown.iter().enumerate() {
        let y = from + 1 + u16::try_from(nth).unwrap_or(0);
        let is_picked = picked == Some(top + nth);
        canvas.put(0, y, &blank, canvas.theme.style(Role::Text), ui.width);
        if is_picked {
            super::gutter(ui, canvas, y);
        }
        let role = if is_picked { Role::PromptPicked } else { Role::Text };
        let mut x = 2;
        let cells = [
            (role, &*candidate.text, name),
            (Role::Dim, candidate.what, what),
            (Role::HintKey, &*candidate.key, key),
        ];
        for (role, text, wide) in cells {
            if wide == 0 {
                continue;
            }
            let text = cell::cut(text, wide, signs.cut());
            let room = u16::try_from(wide).unwrap_or(u16::MAX);
            canvas.put(x, y, &text, canvas.theme.style(role), room);
            x = x.saturating_add(room + 2);
        }
        let room = width.saturating_sub(usize::from(x));
        let doc = cell::cut(&candidate.doc, room, signs.cut());
        canvas.put(x, y, &doc, canvas.theme.style(Role::Dim), ui.width.saturating_sub(x));
    }
}
