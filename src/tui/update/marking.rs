//! Marking rows: one, a range, all others, those of a query.

use crate::query::{Ctx, Query, weigh};
use crate::tui::action::Action;
use crate::tui::state::{List, RowKey, Ui};
use std::collections::HashSet;

pub(super) fn act(ui: &mut Ui, action: Action) {
    let cursor = ui.here.cursor;
    let Some(list) = ui.list() else {
        ui.say("this page has no rows to mark");
        return;
    };
    let kind = list.kind;
    match action {
        Action::Mark => {
            // The head of a group stands for its rows.
            if let Some(keys) = of_group(list, cursor) {
                let added = ui.marks.add(kind, keys.iter().cloned());
                if added == 0 {
                    ui.marks.invert(kind, keys);
                }
            } else if let Some(key) = list.key_of(cursor) {
                ui.marks.toggle(kind, key);
                super::moves::act(ui, Action::Down);
            }
        }
        Action::MarkRange => {
            let Some(from) = ui.marks.last(kind).and_then(|key| list.position_of(key)) else {
                ui.say("mark the row where the range begins first");
                return;
            };
            let lines = from.min(cursor)..=from.max(cursor);
            let keys: Vec<RowKey> = lines.filter_map(|line| list.key_of(line)).collect();
            ui.marks.add(kind, keys);
        }
        Action::MarkInvert => {
            let keys: Vec<RowKey> = list.keys().collect();
            ui.marks.invert(kind, keys);
        }
        Action::MarkNone => {
            let text = match ui.marks.clear(kind) {
                0 => "nothing was marked".to_owned(),
                n => format!("{n} {} unmarked", if n == 1 { kind.singular() } else { kind.word() }),
            };
            ui.say(text);
        }
        _ => {}
    }
}

/// Marks the rows of the list that a query is certain of.
pub(super) fn by_query(ui: &mut Ui, query: &Query) {
    let fleet = std::sync::Arc::clone(ui.fleet_here());
    let Some(list) = ui.list() else { return };
    let kind = list.kind;
    let found = weigh(query, Ctx { fleet: &fleet, now: ui.now }, kind);
    let here: HashSet<&u32> = list.view.rows.iter().collect();
    let keys = found.rows.iter().filter(|row| here.contains(row));
    let keys = keys.filter_map(|row| crate::tui::rowname::key(kind, &fleet, *row as usize));
    let keys: Vec<RowKey> = keys.collect();
    let all = keys.len();
    let added = ui.marks.add(kind, keys);
    let more = if added < all { format!(", {} were marked already", all - added) } else { String::new() };
    let lack = match found.undecided {
        0 => String::new(),
        n => format!("; too little is known of {n} to say"),
    };
    ui.say(format!("{added} marked{more}{lack}"));
}

fn of_group(list: &List, line: usize) -> Option<Vec<RowKey>> {
    let group = list.head(line)?;
    let fleet = list.view.fleet.as_deref()?;
    Some(
        group
            .rows
            .iter()
            .filter_map(|row| crate::tui::rowname::key(list.kind, fleet, *row as usize))
            .collect(),
    )
}
