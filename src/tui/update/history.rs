//! From page to page: opened, gone back from, and gone forward to again.

use super::{Place, clear_filter};
use crate::query::Kind;
use crate::tui::action::Action;
use crate::tui::state::{Page, Ui};

/// Closes what is open, or goes to the page before.
pub(super) fn back(ui: &mut Ui) {
    if let Some(list) = ui.list_mut()
        && list.picking.take().is_some()
    {
        return;
    }
    if let Some(place) = ui.behind.pop() {
        let left = std::mem::replace(&mut ui.here, place);
        ui.ahead.push(left);
        ui.refresh_view();
    } else if ui.list().is_some_and(|list| !list.filter.is_empty()) {
        clear_filter(ui);
    } else {
        let key = ui.keymap.keys_of(ui.layer(), Action::Quit).into_iter().next();
        let more = key.map_or_else(String::new, |key| format!("; {key} leaves coredeck"));
        ui.say(format!("there is nothing to go back to{more}"));
    }
}

/// Goes forward again.
pub(super) fn forward(ui: &mut Ui) {
    if let Some(place) = ui.ahead.pop() {
        let left = std::mem::replace(&mut ui.here, place);
        ui.behind.push(left);
        ui.refresh_view();
    } else {
        ui.say("there is nothing to go forward to");
    }
}

/// Opens a page, or leaves it where it is open.
pub(super) fn toggle(ui: &mut Ui, page: Page, is_it: fn(&Page) -> bool) {
    if is_it(&ui.here.page) {
        back(ui);
    } else {
        ui.open(Place::new(page));
    }
}

/// Opens a page that there is one of, unless it is what shows.
pub(super) fn go(ui: &mut Ui, page: Page, is_it: fn(&Page) -> bool) {
    if is_it(&ui.here.page) {
        ui.say("this is that page already");
    } else {
        ui.open(Place::new(page));
    }
}

/// Opens the list of a kind, all rows in their usual order, unless it is what shows.
pub(super) fn list(ui: &mut Ui, kind: Kind) {
    let is_here = ui.list().is_some_and(|list| {
        let is_whole = list.drill.is_none() && list.filter.is_empty();
        list.kind == kind && is_whole && list.sort.is_none() && list.group_by.is_none()
    });
    if is_here {
        ui.say(format!("these are all {} already", kind.word()));
    } else {
        ui.open(Place::list(kind, None));
    }
}
