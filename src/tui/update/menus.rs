//! Menus: opening them, choosing in them, and what comes of it.

use super::{drill, under_cursor};
use crate::query::Kind;
use crate::tui::action::Action;
use crate::tui::menu::{Columns, Jump, Menu};
use crate::tui::page;
use crate::tui::page::overview::Item;
use crate::tui::state::{Page, Ui};
use std::sync::Arc;

/// Opens the menu of everything that belongs to the row.
pub(super) fn jump(ui: &mut Ui) {
    let fleet = Arc::clone(ui.fleet_here());
    let ctx = page::ctx(&fleet, ui);
    let item = match &ui.here.page {
        Page::Overview => page::overview::item(ui, ui.here.cursor),
        _ => None,
    };
    let row = match &ui.here.page {
        Page::Describe(card) => card.at.map(|at| (card.kind, at)),
        _ => under_cursor(ui),
    };
    let menu = match (item, row) {
        (Some(Item::Tier(at)), _) => fleet.tiers.get(at).map(|row| Jump::from_tier(row.name.clone(), ctx)),
        (_, Some((kind, at))) => Jump::from(kind, ctx, at),
        _ => None,
    };
    match menu {
        Some(menu) => ui.menu = Some(Menu::Jump(menu)),
        None => ui.say("there is no row to go from"),
    }
}

/// Opens the menu of the list's columns.
pub(super) fn columns(ui: &mut Ui) {
    match Columns::of(ui) {
        Some(menu) => ui.menu = Some(Menu::Columns(menu)),
        None => ui.say("this page has no table"),
    }
}

/// Lets the open menu have an action; tells whether it was one for it.
pub(super) fn takes(ui: &mut Ui, action: Action) -> bool {
    let height = page::height(ui).max(1);
    let Some(menu) = &mut ui.menu else { return false };
    let at = menu.at();
    match action {
        Action::Down if at + 1 >= menu.len() => menu.go(0),
        Action::Down => menu.go(at + 1),
        Action::Up => menu.go(at.checked_sub(1).unwrap_or(usize::MAX)),
        Action::PageDown => menu.go(at + height),
        Action::PageUp => menu.go(at.saturating_sub(height)),
        Action::Top => menu.go(0),
        Action::Bottom => menu.go(usize::MAX),
        Action::Cancel | Action::Back => ui.menu = None,
        Action::Mark | Action::MoveDown | Action::MoveUp => {
            if let Menu::Columns(columns) = menu {
                match action {
                    Action::Mark => columns.toggle(),
                    _ => columns.shift(action == Action::MoveDown),
                }
            } else {
                ui.say("this menu leads somewhere: nothing in it is marked or moved");
            }
        }
        Action::Accept | Action::Open => accept(ui),
        Action::Go(kind) => go(ui, kind),
        _ => return false,
    }
    true
}

fn accept(ui: &mut Ui) {
    match ui.menu.take() {
        Some(Menu::Jump(jump)) => {
            if let Some(way) = jump.ways.get(jump.at) {
                leave(ui, way.to, &jump);
            }
        }
        Some(Menu::Columns(columns)) => {
            ui.chosen.insert(columns.kind, columns.names());
            ui.refresh_view();
        }
        None => {}
    }
}

/// A letter leads to its kind at once, where there is a way.
fn go(ui: &mut Ui, kind: Kind) {
    let Some(Menu::Jump(jump)) = &ui.menu else {
        ui.say("this menu is of columns: it leads nowhere");
        return;
    };
    if !jump.ways.iter().any(|way| way.to == kind) {
        let text = format!("no {} belong to {}", kind.word(), jump.from);
        ui.say(text);
        return;
    }
    if let Some(Menu::Jump(jump)) = ui.menu.take() {
        leave(ui, kind, &jump);
    }
}

fn leave(ui: &mut Ui, to: Kind, jump: &Jump) {
    super::choose(ui);
    drill(ui, to, jump.of.clone());
}
