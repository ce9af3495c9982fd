//! Moving: the cursor in lists, the text on pages of text, the pick among headings.

use crate::tui::action::{Action, Layer};
use crate::tui::page;
use crate::tui::state::{Page, Ui};

pub(super) fn act(ui: &mut Ui, action: Action) {
    if ui.layer() == Layer::Sort {
        pick(ui, action);
        return;
    }
    let (height, count) = (page::height(ui).max(1), page::count(ui));
    let is_text = ui.layer_below() == Layer::Text;
    let here = &mut ui.here;
    let last = if is_text { count.saturating_sub(height) } else { count.saturating_sub(1) };
    let at = if is_text { here.top } else { here.cursor };
    let half = (height / 2).max(1);
    let to = match action {
        Action::Down => at.saturating_add(1),
        Action::Up => at.saturating_sub(1),
        Action::PageDown => at.saturating_add(height),
        Action::PageUp => at.saturating_sub(height),
        Action::HalfDown => at.saturating_add(half),
        Action::HalfUp => at.saturating_sub(half),
        Action::Top => 0,
        Action::Bottom => last,
        Action::Left | Action::Right => {
            sideways(ui, action);
            return;
        }
        _ => at,
    }
    .min(last);
    if is_text {
        here.top = to;
    } else {
        // A jump by a page takes the page along, so that the cursor keeps its place on the screen.
        let jumps = matches!(action, Action::PageDown | Action::PageUp | Action::HalfDown | Action::HalfUp);
        if jumps && to > at {
            here.top = here.top.saturating_add(to - at);
        } else if jumps {
            here.top = here.top.saturating_sub(at - to);
        }
        here.cursor = to;
        if let Some(list) = ui.list_mut() {
            list.anchor = None;
            list.is_chosen = true;
        }
    }
    ui.settle();
}

fn sideways(ui: &mut Ui, action: Action) {
    if let (Page::Log(_), Some(log)) = (&ui.here.page, &mut ui.log) {
        if log.wraps() {
            ui.say("long lines are wrapped: nothing lies beyond");
        } else {
            log.slide(action == Action::Right);
        }
        return;
    }
    let width = page::layout(ui).body_width;
    let Some(list) = ui.list_mut() else { return };
    if page::table::fits(list, width) {
        // Everything shows: nothing lies beyond, whatever was scrolled to when less did.
        list.left = 0;
        return;
    }
    match action {
        Action::Left => list.left = list.left.saturating_sub(1),
        _ => list.left += 1,
    }
    list.clamp_left();
}

fn pick(ui: &mut Ui, action: Action) {
    let Some(list) = ui.list_mut() else { return };
    let last = list.view.columns.len().saturating_sub(1);
    list.picking = list.picking.map(|at| match action {
        Action::Left => at.saturating_sub(1),
        Action::Right => (at + 1).min(last),
        Action::Top => 0,
        Action::Bottom => last,
        _ => at,
    });
    show_picked(ui);
}

/// Scrolls sideways until the picked heading shows.
pub(super) fn show_picked(ui: &mut Ui) {
    let width = page::layout(ui).body_width;
    let Some(list) = ui.list_mut() else { return };
    let Some(picked) = list.picking else { return };
    if picked > 0 && picked <= list.left {
        list.left = picked - 1;
    }
    while page::table::last_column(list, width) < picked && list.left + 1 < picked {
        list.left += 1;
    }
}
