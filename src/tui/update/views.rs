//! Views that are kept under a name: a list as it stands, and the way back to it.

use crate::tui::saved::SavedView;
use crate::tui::state::{Page, Place, SortBy, Ui};

/// Opens a view that was kept.
pub(super) fn open(ui: &mut Ui, view: &SavedView) {
    if !view.columns.is_empty() {
        ui.chosen.insert(view.kind, view.columns.clone());
    }
    let mut place = Place::list(view.kind, None);
    if let Page::List(list) = &mut place.page {
        list.filter.clone_from(&view.query);
        list.sort = view.sort.map(|(column, is_descending)| SortBy { column, is_descending });
        list.is_wide = view.is_wide;
    }
    ui.open(place);
}

/// The list that is open, as a view to keep.
pub(super) fn of(ui: &Ui) -> Option<SavedView> {
    let list = ui.list()?;
    Some(SavedView {
        kind: list.kind,
        query: list.filter.trim().to_owned(),
        sort: list.sort.map(|sort| (sort.column, sort.is_descending)),
        columns: list.chosen.clone().unwrap_or_default(),
        is_wide: list.is_wide,
    })
}
