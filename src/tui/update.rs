//! From what happened to what the screen is next, and what is asked of others. Pure.

mod beside;
mod changing;
mod command;
mod copying;
mod history;
mod keys;
mod logging;
mod marking;
mod menus;
mod mouse;
mod moves;
mod palette;
mod rereading;
mod sorting;
mod steering;
mod time;
mod together;
mod typing;
mod views;

use super::action::{Action, Layer};
use super::card::{Card, Link};
use super::copy::Part;
use super::drill::Drill;
use super::page;
use super::page::overview::Item;
use super::page::running::Of;
use super::rowname;
use super::seat::Lean;
use super::state::{Effect, Input, Page, Pick, Place, Purpose, RowKey, Ui};
use crate::gateway::Source;
use crate::model::text::harmless;
use crate::query::Kind;
use crate::world::Wish;
use history::{back, forward, toggle};
use sorting::{accept_pick, begin_pick, reverse, sort_by};
use std::sync::Arc;

pub(super) use changing::{fits_row, nobody};
#[cfg(test)]
pub(super) use command::is_offered;
pub(super) use command::{is_command, means_anything};

/// Takes in what happened. The returned effects are for the loop to carry out, in order.
pub fn update(ui: &mut Ui, input: Input) -> Vec<Effect> {
    let mut effects = match input {
        Input::Key(chord) => keys::press(ui, chord),
        Input::Paste(_) if ui.entering.is_some() => Vec::new(),
        Input::Paste(text) => typing::paste(ui, &text),
        Input::Resize(width, height) => {
            (ui.width, ui.height) = (width, height);
            ui.settle();
            Vec::new()
        }
        Input::World(world) => {
            ui.world = world;
            time::arrived(ui);
            ui.marks.look(&ui.world.fleet);
            for place in ui.behind.iter_mut().chain(&mut ui.ahead) {
                if let Page::List(list) = &mut place.page {
                    list.view.forget_all_but(&ui.world.fleet);
                }
            }
            ui.refresh_view();
            Vec::new()
        }
        Input::Tick(now) => {
            ui.real = now;
            // The past does not age.
            if !ui.is_past() {
                ui.now = now;
            }
            Vec::new()
        }
        Input::Sifted(answered) => {
            ui.take_rows(*answered);
            Vec::new()
        }
        Input::Hunted(hunted) => {
            if ui.take_things(*hunted) {
                typing::offer(ui);
            }
            Vec::new()
        }
        Input::Mouse(mouse) => mouse::heard(ui, mouse),
        Input::Focus(has_focus) => {
            ui.seat.has_focus = has_focus;
            logging::looks(has_focus)
        }
        Input::Slow(by) => {
            if !ui.seat.lean.is_on() {
                ui.seat.lean = Lean::Slow(by);
                ui.settle();
            }
            Vec::new()
        }
        Input::Keymap(keymap) => {
            ui.keymap = keymap;
            ui.pending.clear();
            ui.settle();
            Vec::new()
        }
        Input::Views(views) => {
            ui.seat.views = views;
            Vec::new()
        }
        Input::Register(register) => steering::arrived(ui, register),
        Input::Answer(answer) => changing::answered(ui, answer),
        Input::Shell(ended) => {
            logging::left(ui, ended);
            Vec::new()
        }
        Input::Said(said) => {
            match said {
                Ok(text) => ui.say(harmless(&text)),
                Err(text) => ui.complain(harmless(&text)),
            }
            Vec::new()
        }
    };
    // Not while a filter is typed: what is half typed is not asked for money.
    if ui.prompt.is_none()
        && !ui.is_past()
        && let Some(list) = ui.list_mut()
    {
        list.probe.look(list.kind, &list.filter, &list.view);
    }
    effects.extend(logging::keep_up(ui));
    let interest = page::interest(ui);
    if ui.told.as_ref() != Some(&interest) {
        ui.told = Some(interest.clone());
        effects.push(Effect::Wish(Wish::Look(interest)));
    }
    effects.extend(ui.next_job());
    effects.extend(ui.next_hunt());
    effects
}

/// Carries out an action.
fn act(ui: &mut Ui, action: Action) -> Vec<Effect> {
    if ui.is_past() && time::is_refused(action) {
        let key = ui.keymap.keys_of(ui.layer_below(), Action::Now).into_iter().next();
        let key = key.map_or_else(String::new, |key| format!("; {key} returns to now"));
        ui.complain(format!("this is the past: nothing is read or done from here{key}"));
        return Vec::new();
    }
    if ui.menu.is_some() && menus::takes(ui, action) {
        return Vec::new();
    }
    if ui.dialog.is_some() && ui.prompt.is_none() && !matches!(action, Action::Suspend | Action::Redraw) {
        return changing::act(ui, action);
    }
    if let Some(verb) = changing::verb(action) {
        return changing::begin(ui, verb);
    }
    if let Some(verb) = steering::verb(action) {
        return steering::begin(ui, verb);
    }
    match action {
        Action::Quit => return vec![Effect::Quit],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::Refresh => return rereading::refresh(ui),
        Action::Earlier | Action::Later | Action::HourEarlier | Action::HourLater | Action::Now => {
            return time::act(ui, action);
        }
        Action::Back => back(ui),
        Action::Forward => forward(ui),
        Action::Help => {
            let kind = ui.list().map(|list| list.kind);
            toggle(ui, Page::Help(kind), |page| matches!(page, Page::Help(_)));
        }
        Action::Troubles => toggle(ui, Page::Troubles, |page| matches!(page, Page::Troubles)),
        Action::Overview => history::go(ui, Page::Overview, |page| matches!(page, Page::Overview)),
        Action::Go(kind) => history::list(ui, kind),
        Action::Operations => history::go(ui, Page::Operations, |page| matches!(page, Page::Operations)),
        Action::Capacity => history::go(ui, Page::Capacity, |page| matches!(page, Page::Capacity)),
        Action::Open => open(ui),
        Action::Describe => describe(ui),
        Action::Jump => menus::jump(ui),
        Action::Logs => logging::open(ui),
        Action::Shell => return logging::shell(ui),
        Action::Follow => logging::follow(ui),
        Action::Wrap => logging::wrap(ui),
        Action::CopyId | Action::CopyRow if matches!(ui.here.page, Page::Log(_)) => return logging::copy(ui),
        Action::Columns => menus::columns(ui),
        Action::Split => beside::split(ui),
        Action::PaneDown | Action::PaneUp => beside::pane(ui, action == Action::PaneDown),
        Action::NextLink | Action::PreviousLink => pick_link(ui, action == Action::NextLink),
        Action::Mark | Action::MarkRange | Action::MarkInvert | Action::MarkNone => marking::act(ui, action),
        Action::GroupBy => begin_pick(ui, Pick::Group),
        Action::Fold | Action::FoldAll => together::fold(ui, action == Action::FoldAll),
        // Only menus have these, and they take them before.
        Action::MoveDown | Action::MoveUp => {}
        Action::Filter => typing::begin(ui, Purpose::Filter),
        Action::Command => typing::begin(ui, Purpose::Command),
        Action::ClearFilter => clear_filter(ui),
        Action::Sort if matches!(ui.here.page, Page::Operations) => steering::sort_on(ui),
        Action::Sort => begin_pick(ui, Pick::Sort),
        Action::Reverse => reverse(ui),
        Action::Wide => wide(ui),
        Action::Metrics => metrics(ui),
        Action::CopyId => return copying::copy(ui, Part::Id),
        Action::CopyRow => return copying::copy(ui, Part::Row),
        Action::CopyCommand => return copying::copy(ui, Part::Command),
        Action::CopyJson => return copying::copy(ui, Part::Json),
        Action::Mouse => {
            ui.seat.has_mouse = !ui.seat.has_mouse;
            let says = if ui.seat.has_mouse {
                "the mouse is coredeck's"
            } else {
                "the mouse is the terminal's: select text"
            };
            ui.say(says);
            return vec![Effect::Mouse(ui.seat.has_mouse)];
        }
        Action::Lean => {
            ui.seat.lean = if ui.seat.lean.is_on() { Lean::Off } else { Lean::Asked };
            ui.say(if ui.seat.lean.is_on() { "lean: as little as can be is sent" } else { "no longer lean" });
            ui.settle();
        }
        Action::Down
        | Action::Up
        | Action::PageDown
        | Action::PageUp
        | Action::HalfDown
        | Action::HalfUp
        | Action::Top
        | Action::Bottom
        | Action::Left
        | Action::Right => {
            logging::moves(ui, action);
            moves::act(ui, action);
        }
        Action::Accept if ui.prompt.is_none() => accept_pick(ui),
        Action::Cancel if ui.prompt.is_none() => {
            if let Some(list) = ui.list_mut() {
                list.picking = None;
            }
        }
        Action::Accept
        | Action::Cancel
        | Action::Complete
        | Action::CompleteBack
        | Action::Erase
        | Action::EraseForward
        | Action::EraseWord
        | Action::EraseLine
        | Action::EraseRest
        | Action::CursorLeft
        | Action::CursorRight
        | Action::CursorStart
        | Action::CursorEnd
        | Action::Older
        | Action::Newer => return typing::act(ui, action),
        // Changes, steering and the fields of a dialog were dealt with above.
        _ => {}
    }
    Vec::new()
}

/// What the cursor is on: a kind and the row's number in the fleet that is shown here.
fn under_cursor(ui: &Ui) -> Option<(Kind, usize)> {
    match &ui.here.page {
        Page::List(list) => Some((list.kind, list.row(ui.here.cursor)?)),
        Page::Overview => match page::overview::item(ui, ui.here.cursor)? {
            Item::Alarm(at) => Some((Kind::Alarms, at)),
            Item::Running(Of::Row(kind, at), _) => Some((kind, at)),
            Item::Running(Of::Operation(_), _) | Item::Tier(_) => None,
        },
        _ => None,
    }
}

fn open(ui: &mut Ui) {
    if matches!(ui.here.page, Page::Operations) {
        steering::show(ui);
        return;
    }
    if let Page::Overview = ui.here.page
        && let Some(Item::Tier(at)) = page::overview::item(ui, ui.here.cursor)
    {
        let Some(tier) = ui.world.fleet.tiers.get(at) else { return };
        let (kind, tier) = (Drill::kind_of(tier), tier.name.clone());
        drill(ui, kind, Drill::Tier(tier));
        return;
    }
    if steering::show_running(ui) {
        return;
    }
    if let Page::Describe(card) = &ui.here.page {
        match card.link() {
            Some(link) => follow(ui, link),
            None => ui.say("nothing that was read belongs to it"),
        }
        return;
    }
    if ui.list().is_some_and(|list| list.head(ui.here.cursor).is_some()) {
        together::fold(ui, false);
        return;
    }
    let Some((kind, at)) = under_cursor(ui) else {
        ui.say("there is nothing to open here");
        return;
    };
    choose(ui);
    let fleet = Arc::clone(ui.fleet_here());
    match Drill::into(kind, page::ctx(&fleet, ui), at) {
        Some((kind, into)) => drill(ui, kind, into),
        None => describe(ui),
    }
}

fn drill(ui: &mut Ui, kind: Kind, into: Drill) {
    let mut path = page::path(ui);
    path.push(into.label());
    let mut place = Place::list(kind, Some(into));
    place.path = path;
    ui.open(place);
}

/// Whoever opens a row means that row, wherever it moves meanwhile.
fn choose(ui: &mut Ui) {
    if let Some(list) = ui.list_mut() {
        list.is_chosen = true;
    }
}

fn describe(ui: &mut Ui) {
    if steering::show_running(ui) {
        return;
    }
    let Some((kind, at)) = under_cursor(ui) else {
        let is_tier = matches!(ui.here.page, Page::Overview)
            && matches!(page::overview::item(ui, ui.here.cursor), Some(Item::Tier(_)));
        match is_tier {
            true => ui.say("a tier is described by its rows: open it, or jump to what belongs to it"),
            false => ui.say("there is no row to describe"),
        }
        return;
    };
    let Some(key) = rowname::key(kind, ui.fleet_here(), at) else { return };
    choose(ui);
    show_card(ui, kind, key);
}

fn show_card(ui: &mut Ui, kind: Kind, key: RowKey) {
    let card = Card::new(kind, key, &ui.world);
    let mut place = Place::new(Page::Describe(Box::new(card)));
    place.path = page::path(ui);
    ui.open(place);
}

/// Goes where a line of a card leads.
fn follow(ui: &mut Ui, link: Link) {
    let Page::Describe(card) = &ui.here.page else { return };
    let (kind, at) = (card.kind, card.at);
    let fleet = Arc::clone(&ui.world.fleet);
    match link {
        Link::Row(to, row) => {
            if let Some(key) = rowname::key(to, &fleet, row as usize) {
                show_card(ui, to, key);
            }
        }
        Link::All(to) => {
            if let Some(of) = at.and_then(|at| Drill::of(kind, page::ctx(&fleet, ui), at)) {
                drill(ui, to, of);
            }
        }
    }
}

/// Picks the next line of a card that leads on, and scrolls to it.
fn pick_link(ui: &mut Ui, is_forward: bool) {
    let (width, height) = (usize::from(ui.width), page::height(ui));
    let Page::Describe(card) = &mut ui.here.page else {
        ui.say("nothing on this page leads on");
        return;
    };
    card.pick(is_forward);
    let Page::Describe(card) = &ui.here.page else { return };
    let lines = page::describe::lines(ui, card, width);
    match page::describe::picked_line(&lines, card) {
        Some(at) => ui.here.top = ui.here.top.min(at).max((at + 1).saturating_sub(height)),
        None => ui.say("nothing that was read belongs to it"),
    }
    ui.settle();
}

fn clear_filter(ui: &mut Ui) {
    let typed = match &ui.here.page {
        Page::Operations => Some(ui.oplist.filter.is_empty()),
        Page::Log(_) => ui.log.as_ref().map(|log| log.filter.is_empty()),
        _ => ui.list().map(|list| list.filter.is_empty()),
    };
    if typed == Some(true) {
        ui.say("no filter is in force");
        return;
    }
    if matches!(ui.here.page, Page::Operations) {
        steering::rearrange(ui, |list| list.filter.clear());
        return;
    }
    if matches!(ui.here.page, Page::Log(_)) {
        // No filter at all is never wrong.
        let _ = logging::narrow(ui, "");
        return;
    }
    change_list(ui, |list| list.filter.clear());
}

/// Changes the open list and makes its view again.
fn change_list(ui: &mut Ui, change: impl FnOnce(&mut super::state::List)) {
    if let Some(list) = ui.list_mut() {
        change(list);
        ui.refresh_view();
    } else {
        ui.say("this page has no table");
    }
}

/// Shows more columns, or the usual ones. Not all of them may have room, so it says where they are.
fn wide(ui: &mut Ui) {
    change_list(ui, |list| {
        list.is_wide = !list.is_wide;
        // Where the usual columns begin is where they were before.
        list.left = if list.is_wide { list.left } else { 0 };
    });
    let Some(list) = ui.list() else { return };
    let count = list.view.columns.len();
    let right = ui.keymap.keys_of(Layer::List, Action::Right).into_iter().next();
    let says = match (list.chosen.is_some(), list.is_wide, right) {
        (true, ..) => "the columns are those that were chosen for this page".to_owned(),
        (false, true, Some(key)) => format!("{count} columns; {key} goes to those on the right"),
        (false, true, None) => format!("{count} columns"),
        (false, false, _) => format!("the usual {count} columns"),
    };
    ui.say(says);
}

fn metrics(ui: &mut Ui) {
    let has = |list: &super::state::List| {
        list.kind.columns().iter().any(|column| column.needs.contains(&Source::Metrics))
    };
    match ui.list().map(|list| (has(list), list.kind.word())) {
        Some((true, _)) => change_list(ui, |list| list.has_metrics = !list.has_metrics),
        Some((false, word)) => ui.say(format!("{word} have no columns that cost money")),
        None => ui.say("this page has no table"),
    }
}

/// Opens a list with a filter, from the command line.
fn open_filtered(ui: &mut Ui, kind: Kind, filter: &str) {
    let mut place = Place::list(kind, None);
    if let Page::List(list) = &mut place.page {
        list.filter = filter.to_string();
    }
    ui.open(place);
}

impl Ui {
    /// The world that is shown.
    pub fn world(&self) -> &Arc<crate::world::World> {
        &self.world
    }
}
