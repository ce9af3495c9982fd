//! Steering operations: which one is meant, what may be asked of it, and what is asked first.

use super::changing::{may_act, open};
use crate::gateway::Source;
use crate::ops::counter::{Listed, Order, Register};
use crate::ops::{Verb, kind};
use crate::tui::action::Action;
use crate::tui::dialog::{Dialog, Field, Name, What};
use crate::tui::held::{deeds, held};
use crate::tui::oplist::{self, By, OpList};
use crate::tui::page::overview::{self, Item};
use crate::tui::page::running::Of;
use crate::tui::state::{Effect, Page, Place, Ui};
use crate::world::Wish;
use std::sync::Arc;

/// What an action asks of an operation; none where it asks nothing.
pub(super) fn verb(action: Action) -> Option<Verb> {
    Verb::ALL.into_iter().find(|verb| Action::asking(*verb) == action)
}

/// Asks something of the operation that is meant. What is put back by its opposite is asked at once.
pub(super) fn begin(ui: &mut Ui, verb: Verb) -> Vec<Effect> {
    if !may_act(ui) {
        return Vec::new();
    }
    let Some(listed) = meant(ui) else {
        ui.say("which operation? choose one on the operations page (:operations)");
        return Vec::new();
    };
    let id = listed.op.record.id.clone();
    match (verb, listed.op.ended) {
        (Verb::Rollback, Some(_)) => {
            if let Some(taken) = ui.register.taken(&id) {
                ui.complain(taken.why);
                return Vec::new();
            }
            let title = format!("roll back {id}: {}", listed.op.record.title);
            open(ui, Dialog::new(What::TakeBack(id), title, reason()))
        }
        (_, Some((outcome, _))) => {
            ui.complain(format!("{id} is over ({}): there is nothing to {}", outcome.word(), verb.said()));
            Vec::new()
        }
        (verb, None) if listed.op.deaf_to(verb).is_some() => {
            let why = listed.op.deaf_to(verb).unwrap_or_default();
            ui.complain(format!("{id} cannot {} now: {why}", verb.said()));
            Vec::new()
        }
        (Verb::Pause | Verb::Resume, None) => {
            ui.say(format!("{}: asked of {id}", verb.said()));
            vec![Effect::Order(Order::Ask { op: id, verb, reason: None })]
        }
        (Verb::Cancel | Verb::Rollback | Verb::Takeover, None) => {
            let title = format!("{} {id}: {}", verb.said(), listed.op.record.title);
            open(ui, Dialog::new(What::Ask(id, verb), title, reason()))
        }
    }
}

/// The only field of dialogs that steer an operation.
fn reason() -> Vec<Field> {
    vec![Field::line(Name::Reason, String::new())]
}

/// The operation under the cursor, the one that is shown, or the only one that is not over.
fn meant(ui: &Ui) -> Option<Arc<Listed>> {
    match &ui.here.page {
        Page::Operations => chosen(ui),
        Page::Operation(id) => ui.register.find(id).cloned(),
        _ => {
            let mut open = ui.register.open();
            let first = open.next().cloned();
            first.filter(|_| open.next().is_none())
        }
    }
}

/// The operation under the cursor.
fn chosen(ui: &Ui) -> Option<Arc<Listed>> {
    oplist::shown(ui).into_iter().nth(ui.here.cursor)
}

/// Changes what the page of operations shows; the cursor stays on its operation as far as it still shows.
pub(super) fn rearrange(ui: &mut Ui, change: impl FnOnce(&mut OpList)) {
    let before = chosen(ui);
    change(&mut ui.oplist);
    stay(ui, before);
}

/// Puts the cursor on an operation again, wherever it is now.
fn stay(ui: &mut Ui, before: Option<Arc<Listed>>) {
    let id = before.map(|listed| listed.op.record.id.clone());
    let at = id.and_then(|id| oplist::shown(ui).iter().position(|listed| listed.op.record.id == id));
    if let Some(at) = at {
        ui.here.cursor = at;
    }
    ui.settle();
}

/// Sorts by the next thing, or by none again.
pub(super) fn sort_on(ui: &mut Ui) {
    let next = match ui.oplist.order {
        None => By::ALL.first().copied(),
        Some((by, _)) => By::ALL.iter().position(|it| *it == by).and_then(|at| By::ALL.get(at + 1)).copied(),
    };
    rearrange(ui, |list| list.order = next.map(|by| (by, false)));
    ui.say(match next {
        Some(by) => {
            format!("by {}; once more for the next, `:sort {} desc` turns it round", by.word(), by.word())
        }
        None => "in the order of the journal: the latest first".to_owned(),
    });
}

/// Opens the operation under the cursor.
pub(super) fn show(ui: &mut Ui) {
    let Some(id) = chosen(ui).map(|listed| listed.op.record.id.clone()) else { return };
    show_one(ui, id);
}

/// Opens the operation under the overview's cursor. Returns whether there is one.
pub(super) fn show_running(ui: &mut Ui) -> bool {
    if !matches!(ui.here.page, Page::Overview) {
        return false;
    }
    let Some(Item::Running(Of::Operation(at), _)) = overview::item(ui, ui.here.cursor) else { return false };
    let Some(id) = ui.register.ops.get(at).map(|listed| listed.op.record.id.clone()) else { return false };
    show_one(ui, id);
    true
}

/// Opens an operation.
pub(super) fn show_one(ui: &mut Ui, id: String) {
    let mut place = Place::new(Page::Operation(id));
    place.path = crate::tui::page::path(ui);
    ui.open(place);
}

/// Takes in what the journal says now. What an operation that has just ended rests on is read again, so that
/// rows do not lag behind it.
pub(super) fn arrived(ui: &mut Ui, register: Arc<Register>) -> Vec<Effect> {
    let before = match &ui.here.page {
        Page::Operations => chosen(ui),
        _ => None,
    };
    let mut sources: Vec<Source> = Vec::new();
    for listed in register.ops.iter().filter(|listed| listed.op.ended.is_some()) {
        let before = ui.register.find(&listed.op.record.id);
        if before.is_some_and(|before| before.op.ended.is_none()) {
            let read = kind(&listed.op.record.kind).map_or(&[Source::Instances][..], |kind| kind.sources);
            sources.extend(read);
        }
    }
    sources.sort();
    sources.dedup();
    ui.held = held(&register);
    let deeds = deeds(&register, ui.real);
    ui.register = register;
    // The cursor stays on its operation when another one is put before it.
    stay(ui, before);
    let mut effects = Vec::new();
    if ui.deeds != deeds {
        ui.deeds = Arc::clone(&deeds);
        effects.push(Effect::Wish(Wish::Deeds(deeds)));
    }
    if !sources.is_empty() && !ui.is_past() {
        effects.push(Effect::Wish(Wish::Refresh(sources)));
    }
    effects
}
