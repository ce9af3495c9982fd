//! Choosing a column in the headings, and the order of rows.

use super::{change_list, moves, steering, together};
use crate::tui::state::{Page, Pick, SortBy, Ui};

/// Begins to choose a column in the headings.
pub(super) fn begin_pick(ui: &mut Ui, picks: Pick) {
    let Some(list) = ui.list_mut() else {
        ui.say("this page has no table");
        return;
    };
    let before = match picks {
        Pick::Sort => list.sort.map(|sort| sort.column),
        Pick::Group => list.group_by,
    };
    let at = before.and_then(|name| list.view.columns.iter().position(|shape| shape.column.name == name));
    list.picking = Some(at.unwrap_or(0));
    list.picks = picks;
    moves::show_picked(ui);
}

/// Sorts by the column under the pick, which turns round when it is picked again; or puts rows together by it.
pub(super) fn accept_pick(ui: &mut Ui) {
    let Some(list) = ui.list_mut() else { return };
    let picked = list.picking.take().and_then(|at| list.view.columns.get(at)).map(|shape| shape.column.name);
    let Some(column) = picked else { return };
    if list.picks == Pick::Group {
        together::put(ui, column);
        return;
    }
    let is_descending = match list.sort {
        Some(sort) if sort.column == column => !sort.is_descending,
        _ => false,
    };
    sort_by(ui, Some(SortBy { column, is_descending }));
}

pub(super) fn sort_by(ui: &mut Ui, sort: Option<SortBy>) {
    change_list(ui, |list| list.sort = sort);
}

pub(super) fn reverse(ui: &mut Ui) {
    if matches!(ui.here.page, Page::Operations) {
        match ui.oplist.order {
            Some((by, is_turned)) => {
                steering::rearrange(ui, |list| list.order = Some((by, !is_turned)));
            }
            None => ui.say("operations are in no order of yours yet"),
        }
        return;
    }
    match ui.list().map(|list| list.sort) {
        Some(Some(sort)) => sort_by(ui, Some(SortBy { is_descending: !sort.is_descending, ..sort })),
        Some(None) => ui.say("no column is sorted by yet"),
        None => ui.say("this page has no table"),
    }
}
