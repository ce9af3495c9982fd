//! The mouse: a click chooses, two clicks open, the wheel scrolls, and a heading sorts.

use super::{accept_pick, act, logging, moves};
use crate::tui::action::Action;
use crate::tui::decode::{Button, Mouse};
use crate::tui::page::{self, table};
use crate::tui::screen;
use crate::tui::state::{Effect, Page, Pick, Ui};

/// Two clicks within so many milliseconds are one double click.
const DOUBLE: i64 = 400;
/// Lines that one step of the wheel moves.
const STEP: usize = 3;

pub(super) fn heard(ui: &mut Ui, mouse: Mouse) -> Vec<Effect> {
    if ui.prompt.is_some() || ui.menu.is_some() || ui.entering.is_some() {
        return Vec::new();
    }
    if ui.dialog.is_some() {
        // The wheel scrolls the plan; a click confirms nothing.
        let action = match mouse.what {
            Button::WheelUp => Action::Up,
            Button::WheelDown => Action::Down,
            _ => return Vec::new(),
        };
        return (0..STEP).flat_map(|_| super::changing::act(ui, action)).collect();
    }
    ui.note = None;
    ui.pending.clear();
    match mouse.what {
        Button::WheelUp | Button::WheelDown => {
            let action = if mouse.what == Button::WheelUp { Action::Up } else { Action::Down };
            // A log that follows stands still for whoever looks back.
            logging::moves(ui, action);
            for _ in 0..STEP {
                moves::act(ui, action);
            }
            Vec::new()
        }
        Button::Left => click(ui, mouse),
        Button::Middle | Button::Right => Vec::new(),
    }
}

fn click(ui: &mut Ui, mouse: Mouse) -> Vec<Effect> {
    let before = ui.seat.clicked.replace((ui.now, mouse.x, mouse.y));
    let layout = page::layout(ui);
    if layout.columns == Some(mouse.y) {
        sort(ui, mouse.x);
        return Vec::new();
    }
    if layout.trouble == Some(mouse.y) {
        return act(ui, Action::Troubles);
    }
    let body = layout.body..layout.body + layout.body_height;
    if !body.contains(&mouse.y) || mouse.x >= layout.body_width {
        return Vec::new();
    }
    if let Page::Operation(id) = &ui.here.page {
        let at = (ui.here.top + usize::from(mouse.y - layout.body), usize::from(mouse.x));
        let action = page::operation::button(ui, id, at);
        return action.map(|action| act(ui, action)).unwrap_or_default();
    }
    let line = match &ui.here.page {
        Page::List(list) => {
            let line = ui.here.top + usize::from(mouse.y - layout.body);
            Some(line).filter(|line| *line < list.count())
        }
        Page::Overview => screen::overview_item_at(ui, mouse.y),
        Page::Operations => {
            let line = ui.here.top + usize::from(mouse.y - layout.body) / page::operations::DEEP;
            Some(line).filter(|line| *line < page::count(ui))
        }
        _ => None,
    };
    let Some(line) = line else { return Vec::new() };
    ui.here.cursor = line;
    if let Some(list) = ui.list_mut() {
        list.anchor = None;
        list.is_chosen = true;
        list.picking = None;
    }
    ui.settle();
    let is_double = before.is_some_and(|(at, _, y)| {
        y == mouse.y && (ui.now.as_millisecond() - at.as_millisecond()).abs() <= DOUBLE
    });
    if is_double {
        // A third click begins anew.
        ui.seat.clicked = None;
        return act(ui, Action::Open);
    }
    Vec::new()
}

/// Sorts by the column under a place of the headings; clicked again, it turns round.
fn sort(ui: &mut Ui, x: u16) {
    let width = page::layout(ui).body_width;
    let Some(list) = ui.list_mut() else { return };
    let placed = table::placed(list, width);
    let hit = placed.iter().rev().find(|place| x >= place.x).map(|place| place.at);
    if hit.is_some() {
        list.picking = hit;
        list.picks = Pick::Sort;
        accept_pick(ui);
    }
}
