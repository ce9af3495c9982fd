//! Beside the title: why the row under the cursor is not well, so that nobody must open it to know.

use crate::model::Health;
use crate::model::text::harmless;
use crate::query::{Ctx, Kind, Value};
use crate::tui::cell;
use crate::tui::page::{self, TextLine};
use crate::tui::state::{Page, Ui};
use crate::tui::theme::Role;

/// Fewer columns say nothing.
const LEAST: usize = 18;

/// What is wrong with the row under the cursor, in so many columns. Nothing where it is well, shows in full beside the
/// list, or as little as can be is sent.
pub(super) fn why(ui: &Ui, room: usize) -> TextLine {
    let Page::List(list) = &ui.here.page else { return TextLine::new() };
    let fleet = list.view.fleet.as_deref();
    let (Some(fleet), Some(at)) = (fleet, list.row(ui.here.cursor)) else { return TextLine::new() };
    let ctx = page::ctx(fleet, ui);
    let troubles = list.kind.troubles(ctx, at);
    let is_told = ui.is_split || ui.lean().is_on() || list.head(ui.here.cursor).is_some();
    let first = troubles.first().cloned().or_else(|| in_its_own_column(ui, list.kind, ctx, at));
    let (Some(first), false) = (first, is_told || room < LEAST) else { return TextLine::new() };
    let more = match troubles.len() {
        0 | 1 => String::new(),
        n => format!(" (+{} more)", n - 1),
    };
    let lead = "  why: ";
    let first = harmless(&first);
    let first = cell::cut(&first, room.saturating_sub(lead.len() + more.len()), ui.signs().cut());
    vec![(Role::TitlePart, lead.to_owned()), (Role::Trouble, format!("{first}{more}"))]
}

/// Alarms, targets and events keep no troubles, and say in a column of theirs what is wrong; it may be far to the right.
fn in_its_own_column(ui: &Ui, kind: Kind, ctx: Ctx<'_>, at: usize) -> Option<String> {
    kind.health(ctx, at).filter(|health| *health > Health::Unknown)?;
    let columns = || kind.columns().iter();
    let column = columns().find(|column| matches!(column.name, "reason" | "why"))?;
    match (column.get)(ctx, at) {
        Value::Absent | Value::Unknown(_) => None,
        value => Some(cell::show(value, column, ui.now).into_owned()),
    }
}
