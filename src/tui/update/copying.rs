//! Copying: which row is meant, and what is said of it.

use super::under_cursor;
use crate::query::Ctx;
use crate::tui::copy::{MOST, Part, text};
use crate::tui::state::{Effect, Page, Ui};

/// Copies a part of the row under the cursor, or of the one that is described.
pub(super) fn copy(ui: &mut Ui, part: Part) -> Vec<Effect> {
    let row = match &ui.here.page {
        Page::Describe(card) => card.at.map(|at| (card.kind, at)),
        _ => under_cursor(ui),
    };
    let Some((kind, at)) = row else {
        ui.say("there is no row to copy from");
        return Vec::new();
    };
    let shown: Vec<&str> = match ui.list() {
        Some(list) => list.view.columns.iter().map(|shape| shape.column.name).collect(),
        None => kind.columns().iter().map(|column| column.name).collect(),
    };
    let ctx = Ctx { fleet: &ui.world.fleet, now: ui.now };
    match text(part, kind, ctx, at, &shown) {
        Ok(text) if text.len() > MOST => {
            ui.complain(format!("{} bytes are more than a terminal's clipboard takes", text.len()));
            Vec::new()
        }
        Ok(text) => {
            // No terminal tells whether it took it.
            let first = text.lines().next().unwrap_or_default();
            let cut = if text.lines().nth(1).is_some() { ui.signs().cut() } else { "" };
            ui.say(format!("sent to the clipboard: {first}{cut}"));
            vec![Effect::Copy(text)]
        }
        Err(why) => {
            ui.complain(why);
            Vec::new()
        }
    }
}
