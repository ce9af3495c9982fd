//! The row under the cursor in full beside its list: opened, closed and scrolled.

use crate::tui::page;
use crate::tui::state::Ui;

/// Shows the row beside its list or below it, or the list alone again.
pub(super) fn split(ui: &mut Ui) {
    if ui.list().is_none() {
        ui.say("this page has no list to show a row beside");
        return;
    }
    ui.is_split = !ui.is_split;
    if let Some(why) = page::no_room(ui) {
        ui.is_split = false;
        ui.complain(why);
    }
    ui.settle();
}

/// Scrolls what shows beside the list by half of its height.
pub(super) fn pane(ui: &mut Ui, is_down: bool) {
    let Some(area) = page::layout(ui).aside else {
        ui.say("nothing shows beside the list");
        return;
    };
    let Some(card) = &ui.aside else { return };
    let lines = page::describe::lines(ui, card, usize::from(area.width)).len();
    let height = usize::from(area.height);
    let half = (height / 2).max(1);
    let last = lines.saturating_sub(height);
    if let Some(card) = &mut ui.aside {
        let top = card.top.min(last);
        card.top = if is_down { (top + half).min(last) } else { top.saturating_sub(half) };
    }
}
