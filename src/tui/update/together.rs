//! Putting the rows of a list together by a column, and folding the groups.

use crate::query::group::is_groupable;
use crate::tui::state::Ui;

/// Puts rows together by a column; by the same one again takes them apart.
pub(super) fn put(ui: &mut Ui, name: &'static str) {
    let Some(list) = ui.list_mut() else {
        ui.say("this page has no table");
        return;
    };
    let column = list.kind.columns().iter().find(|column| column.name == name);
    if column.is_some_and(|column| !is_groupable(column)) {
        ui.say(format!("{name} says something else of every row: nothing can be put together by it"));
        return;
    }
    list.group_by = (list.group_by != Some(name)).then_some(name);
    list.folded.clear();
    list.is_chosen = true;
    ui.refresh_view();
}

/// Takes groups apart.
pub(super) fn apart(ui: &mut Ui) {
    if let Some(list) = ui.list_mut() {
        list.group_by = None;
        list.folded.clear();
    }
    ui.refresh_view();
}

/// Folds the group that the cursor is in, or unfolds it; all at once where all is asked for.
pub(super) fn fold(ui: &mut Ui, all: bool) {
    let cursor = ui.here.cursor;
    let Some(list) = ui.list_mut() else {
        ui.say("this page has no groups to fold");
        return;
    };
    let Some((head, name)) = list.group_of(cursor).map(|(line, group)| (line, group.name.clone())) else {
        ui.say("rows are not put together: choose a column first");
        return;
    };
    if all {
        let names: Vec<String> = list.view.groups.iter().map(|group| group.name.clone()).collect();
        let is_open = names.iter().any(|name| !list.folded.contains(name));
        list.folded = if is_open { names.into_iter().collect() } else { Default::default() };
    } else if !list.folded.remove(&name) {
        list.folded.insert(name.clone());
    }
    list.anchor = None;
    ui.refresh_view();
    // The cursor goes to the head of the group that it was in, wherever that stands now.
    let to = ui.list().and_then(|list| {
        (0..list.count()).find(|line| list.head(*line).is_some_and(|group| group.name == name))
    });
    ui.here.cursor = to.unwrap_or(head);
    ui.settle();
}
