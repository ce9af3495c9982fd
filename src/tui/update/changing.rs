//! Changing the fleet: which rows are meant, the dialog that is opened for them, its keys, and what comes back
//! from behind the counter. Nothing here does anything: it asks.

use super::{keys, under_cursor};
use crate::fleet::Fleet;
use crate::model::Home;
use crate::ops::counter::{Answer, Declined, LogPart, Order};
use crate::ops::{Confirm, Intent, Takes, kind};
use crate::query::Kind;
use crate::tui::action::Action;
use crate::tui::dialog::{Content, Dialog, Field, Name, Stage, What};
use crate::tui::drill::called;
use crate::tui::held::target;
use crate::tui::line::Line;
use crate::tui::page;
use crate::tui::state::{Acting, Effect, Page, Place, Ui};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The word by which the engine and the scripts know an action; none where it is no change.
pub(super) fn verb(action: Action) -> Option<&'static str> {
    Some(match action {
        Action::Drain => "drain",
        Action::Undrain => "undrain",
        Action::Protect => "protect",
        Action::Unprotect => "unprotect",
        Action::Standby => "standby",
        Action::Return => "return",
        Action::Stop => "stop",
        Action::Start => "start",
        Action::Reboot => "reboot",
        Action::Terminate => "terminate",
        Action::Scale => "scale",
        Action::RefreshGroup => "refresh",
        Action::RollOut => "rollout",
        Action::SpotShare => "spot-share",
        Action::TuneGroup => "tune",
        Action::CleanTemplate => "clean",
        Action::Redeploy => "redeploy",
        Action::MoveCore => "core move",
        Action::CreateCore => "core create",
        Action::SetSetting => "core config set",
        Action::RotateKey => "core keys rotate",
        Action::RetireKey => "core keys retire",
        Action::SuspendProcesses => "suspend",
        Action::ResumeProcesses => "resume",
        _ => return None,
    })
}

/// What an action means for cores: they stop and start like instances, by their own kinds of operation.
fn of_cores(verb: &'static str) -> &'static str {
    match verb {
        "stop" => "core stop",
        "start" => "core start",
        "reboot" => "core restart",
        "rollout" => "core upgrade",
        other => other,
    }
}

/// Whether somebody may act here; where not, that is said.
pub(super) fn may_act(ui: &mut Ui) -> bool {
    match ui.about.acting {
        Acting::Yes => true,
        Acting::ReadOnly => {
            ui.complain(
                "coredeck is in read-only mode: leave --read-only away, or set read_only = false, to act",
            );
            false
        }
    }
}

/// Opens the dialog of a change for the marked rows, or for the one under the cursor.
pub(super) fn begin(ui: &mut Ui, verb: &'static str) -> Vec<Effect> {
    if !may_act(ui) {
        return Vec::new();
    }
    if verb == "core create" {
        return create(ui);
    }
    let fleet = Arc::clone(ui.fleet_here());
    let Some((of, rows)) = meant(ui, &fleet) else {
        ui.say(format!("{verb}: there is no row here; open a list and choose one, or mark some"));
        return Vec::new();
    };
    let verb = if of == Kind::Cores { of_cores(verb) } else { verb };
    let Ok(takes) = kind(verb).map(|kind| kind.takes) else { return Vec::new() };
    if !fits(takes, of) {
        let words = words(takes);
        ui.complain(format!("{verb} is for {words}, not for {}; `o` leads to what belongs to it", of.word()));
        return Vec::new();
    }
    if takes == Takes::CoreOrTenant && rows.len() > 1 {
        ui.complain(format!("{verb} is for one at a time, and {} are marked", rows.len()));
        return Vec::new();
    }
    let found: Vec<Option<String>> = rows.iter().map(|at| target(of, &fleet, *at)).collect();
    let lost = found.iter().filter(|target| target.is_none()).count();
    let targets: Vec<String> = found.into_iter().flatten().collect::<BTreeSet<_>>().into_iter().collect();
    let ctx = page::ctx(&fleet, ui);
    let title = match (rows.as_slice(), targets.as_slice()) {
        (_, []) => {
            let what = if of == Kind::Tenants { "entry of the registry" } else { "instance" };
            ui.complain(format!("{verb}: no {what} is known for this {}", of.singular()));
            return Vec::new();
        }
        ([_], [only]) if of == Kind::Hosts => format!("{verb} host {only}"),
        ([row], _) if of == Kind::Cores => format!("{verb} {}", called(of, ctx, *row)),
        (_, targets) if of == Kind::Cores => format!("{verb}: {} cores", targets.len()),
        ([row], _) => format!("{verb} {} {}", of.singular(), called(of, ctx, *row)),
        (_, targets) => format!("{verb} {} {}", targets.len(), of.word()),
    };
    let only = if let [row] = rows.as_slice() { Some(*row) } else { None };
    let desired = only.and_then(|at| size(of, &fleet, at));
    let processes = match (verb, only.and_then(|at| fleet.groups.get(at))) {
        ("resume", Some(row)) if of == Kind::Groups => row.it.suspended.join(" "),
        _ => String::new(),
    };
    let intent = Intent { verb: verb.to_owned(), targets, ..Intent::default() };
    let mut dialog = Dialog::new(What::Change(intent), title, Field::of_verb(verb, desired, processes));
    let gone = ui.marks.gone(of);
    if rows.len() > 1 && gone + lost > 0 {
        dialog.note = Some(format!("{} of the marked are not there any more and are left out", gone + lost));
    }
    open(ui, dialog)
}

/// Opens the dialog of new cores: of the tier that the row is of, and where a service of ECS keeps it, like it.
fn create(ui: &mut Ui) -> Vec<Effect> {
    let fleet = Arc::clone(ui.fleet_here());
    let row = meant(ui, &fleet).and_then(|(of, rows)| Some((of, rows.first().copied()?)));
    let core = row.filter(|(of, _)| *of == Kind::Cores).and_then(|(_, at)| fleet.cores.get(at));
    let tier = match row {
        Some((Kind::Cores, _)) => core.and_then(|core| core.tier.clone()),
        Some((Kind::Instances, at)) => fleet.instances.get(at).and_then(|row| row.tier.clone()),
        Some((Kind::Groups, at)) => fleet.groups.get(at).and_then(|row| row.tier.clone()),
        Some((Kind::Tenants, at)) => fleet.tenants.get(at).and_then(|tenant| tenant.tier.clone()),
        _ => None,
    };
    let like = core.filter(|core| matches!(core.home, Home::Task { .. })).map(|core| core.id.to_string());
    let intent = Intent { verb: "core create".to_owned(), ..Intent::default() };
    let mut fields = Field::of_verb("core create", None, String::new());
    for field in &mut fields {
        let text = match field.name {
            Name::Tier if like.is_none() => tier.as_ref().map(ToString::to_string),
            Name::Like => like.clone(),
            _ => None,
        };
        if let Some(text) = text {
            *field = Field::line(field.name, text);
        }
    }
    open(ui, Dialog::new(What::Change(intent), "core create".to_owned(), fields))
}

/// Opens a dialog, and asks for its plan.
pub(super) fn open(ui: &mut Ui, dialog: Dialog) -> Vec<Effect> {
    // What must be given first is given first: nothing is planned of what only stands there.
    let waits = !dialog.is_confirming();
    ui.dialog = Some(Box::new(dialog));
    if waits {
        changed(ui);
        return Vec::new();
    }
    plan(ui)
}

/// The rows that are meant, all of one kind: those that are marked in the list, else the one under the cursor.
fn meant(ui: &Ui, fleet: &Fleet) -> Option<(Kind, Vec<usize>)> {
    if let Page::Describe(card) = &ui.here.page {
        return card.at.map(|at| (card.kind, vec![at]));
    }
    if let Some(list) = ui.list().filter(|list| ui.marks.count(list.kind) > 0) {
        return Some((list.kind, ui.marks.rows(list.kind, fleet)));
    }
    under_cursor(ui).map(|(kind, at)| (kind, vec![at]))
}

fn fits(takes: Takes, of: Kind) -> bool {
    match of {
        Kind::Instances | Kind::Hosts => matches!(takes, Takes::Instances | Takes::InstancesOrTasks),
        Kind::Tasks => takes == Takes::InstancesOrTasks,
        Kind::Groups => matches!(takes, Takes::Groups | Takes::GroupsOrServices),
        Kind::Templates => takes == Takes::Templates,
        Kind::Services => matches!(takes, Takes::Services | Takes::GroupsOrServices),
        Kind::Cores => matches!(takes, Takes::Cores | Takes::CoreOrTenant),
        Kind::Tenants => takes == Takes::CoreOrTenant,
        _ => false,
    }
}

/// Whether an action is for rows such as the one under the cursor, or the marked ones; what is no change always is,
/// and where there is no row everything is.
pub(in crate::tui) fn fits_row(ui: &Ui, action: Action) -> bool {
    let Some(verb) = verb(action) else { return true };
    let Some((of, _)) = meant(ui, ui.fleet_here()) else { return true };
    if verb == "core create" {
        return matches!(of, Kind::Cores | Kind::Instances | Kind::Groups | Kind::Tenants);
    }
    let verb = if of == Kind::Cores { of_cores(verb) } else { verb };
    kind(verb).is_ok_and(|kind| fits(kind.takes, of))
}

fn words(takes: Takes) -> &'static str {
    match takes {
        Takes::Instances => "instances and hosts",
        Takes::InstancesOrTasks => "instances, hosts and tasks",
        Takes::Groups => "groups",
        Takes::Templates => "launch templates",
        Takes::Services => "services",
        Takes::GroupsOrServices => "groups and services",
        Takes::Registry => "the registry",
        Takes::CoreOrTenant => "cores and tenants",
        Takes::Cores => "cores",
    }
}

/// How many a group or a service should have now.
fn size(of: Kind, fleet: &Fleet, at: usize) -> Option<u32> {
    match of {
        Kind::Groups => fleet.groups.get(at).map(|row| row.it.desired),
        Kind::Services => fleet.services.get(at).map(|row| row.it.desired),
        _ => None,
    }
}

/// Asks for the plan of what the dialog says now.
fn plan(ui: &mut Ui) -> Vec<Effect> {
    ui.tickets += 1;
    let ticket = ui.tickets;
    let Some(dialog) = &mut ui.dialog else { return Vec::new() };
    dialog.ticket = ticket;
    dialog.top = 0;
    dialog.typed = Line::default();
    let order = match (&dialog.what, dialog.intent()) {
        (What::Ask(..), _) => {
            dialog.stage = Stage::Ready;
            return Vec::new();
        }
        (What::TakeBack(op), _) => Order::TakeBack { ticket, op: op.clone() },
        (What::Change(_), Ok(Some(intent))) => Order::Plan { ticket, intent },
        (What::Change(_), Ok(None)) => return Vec::new(),
        (What::Change(_), Err(lacking)) => {
            dialog.stage = Stage::Lacking(lacking);
            return vec![Effect::Order(Order::Forget)];
        }
    };
    dialog.stage = Stage::Planning(None);
    vec![Effect::Order(order)]
}

/// Lets the open dialog have an action.
pub(super) fn act(ui: &mut Ui, action: Action) -> Vec<Effect> {
    let (height, count) = page::dialog::extent(ui);
    let last = count.saturating_sub(height);
    let Some(dialog) = &mut ui.dialog else { return Vec::new() };
    match action {
        Action::Cancel => return leave(ui),
        Action::Accept => return accept(ui),
        Action::NextField | Action::PreviousField => {
            let count = dialog.fields.len() + 1;
            let step = if action == Action::NextField { 1 } else { count - 1 };
            let to = (dialog.focus + step) % count;
            return focus(ui, to);
        }
        Action::Down => dialog.top = (dialog.top + 1).min(last),
        Action::Up => dialog.top = dialog.top.min(last).saturating_sub(1),
        Action::PageDown => dialog.top = (dialog.top + height.max(1)).min(last),
        Action::PageUp => dialog.top = dialog.top.min(last).saturating_sub(height.max(1)),
        Action::CursorLeft | Action::CursorRight if choose(dialog, action == Action::CursorRight) => {
            return plan(ui);
        }
        _ => edit(ui, action),
    }
    Vec::new()
}

/// Takes the next or the last word of a choice; tells whether the keys are at one.
fn choose(dialog: &mut Dialog, is_forward: bool) -> bool {
    if matches!(dialog.stage, Stage::Beginning(_)) {
        return false;
    }
    let Some(Field { content: Content::Choice(all, at), .. }) = dialog.fields.get_mut(dialog.focus) else {
        return false;
    };
    *at = if is_forward { (*at + 1) % all.len() } else { (*at + all.len() - 1) % all.len() };
    true
}

/// Changes the line that has the keys.
fn edit(ui: &mut Ui, action: Action) {
    let Some(dialog) = &mut ui.dialog else { return };
    let is_field = dialog.focus < dialog.fields.len();
    let line = match dialog.fields.get_mut(dialog.focus) {
        Some(Field { content: Content::Text(line), .. }) => line,
        Some(_) => return,
        None => &mut dialog.typed,
    };
    match action {
        Action::CursorLeft => line.left(),
        Action::CursorRight => line.right(),
        Action::CursorStart => line.cursor = 0,
        Action::CursorEnd => line.cursor = line.text.len(),
        Action::Erase => line.erase(),
        Action::EraseForward => line.erase_forward(),
        Action::EraseWord => line.erase_word(),
        Action::EraseLine => line.erase_line(),
        Action::EraseRest => line.erase_rest(),
        _ => return,
    }
    if is_field {
        changed(ui);
    }
}

/// A character was typed.
pub(super) fn insert(ui: &mut Ui, text: &str) -> Vec<Effect> {
    let Some(dialog) = &mut ui.dialog else { return Vec::new() };
    if matches!(dialog.stage, Stage::Beginning(_)) {
        return Vec::new();
    }
    match dialog.fields.get_mut(dialog.focus) {
        Some(field @ Field { content: Content::Text(_), .. }) => {
            let withheld = field.insert(text);
            changed(ui);
            if let Some(why) = withheld {
                ui.complain(why);
            }
            Vec::new()
        }
        Some(_) if text == " " => act(ui, Action::CursorRight),
        Some(_) => keys::not_typed(ui),
        None => match dialog.confirm() {
            Some(Confirm::Yes) if matches!(text, "y" | "Y") => confirmed(ui),
            // Any other key is no yes; it is not kept either, so that nothing adds up to one.
            Some(Confirm::Yes) => {
                ui.say("the answer is no until y is pressed; esc leaves");
                Vec::new()
            }
            None => keys::not_typed(ui),
            Some(Confirm::Words(_)) => {
                dialog.typed.insert(text);
                Vec::new()
            }
        },
    }
}

/// A line that the plan rests on is another one: what was planned is not what is wanted any more.
fn changed(ui: &mut Ui) {
    let Some(dialog) = &mut ui.dialog else { return };
    if dialog.field().is_some_and(Field::is_planned) {
        dialog.ticket = 0;
        dialog.stage = match dialog.intent() {
            Err(lacking) => Stage::Lacking(lacking),
            Ok(_) => Stage::Lacking("nothing is planned yet: enter plans what stands there".to_owned()),
        };
    }
}

/// Goes to a field. What was typed in the one that is left is planned.
fn focus(ui: &mut Ui, to: usize) -> Vec<Effect> {
    let Some(dialog) = &mut ui.dialog else { return Vec::new() };
    dialog.focus = to;
    let is_due = matches!(dialog.stage, Stage::Lacking(_)) && dialog.intent().is_ok();
    if is_due { plan(ui) } else { Vec::new() }
}

fn accept(ui: &mut Ui) -> Vec<Effect> {
    let Some(dialog) = &mut ui.dialog else { return Vec::new() };
    if !dialog.is_confirming() {
        // A size that cannot be is mended where it stands.
        let to = if dialog.intent().is_err() { dialog.focus } else { dialog.fields.len() };
        return focus(ui, to);
    }
    match (&dialog.stage, dialog.confirm()) {
        (Stage::Declined(_) | Stage::Lacking(_), _) => plan(ui),
        (_, Some(Confirm::Words(words))) if dialog.typed.text.trim() == words => confirmed(ui),
        (_, Some(Confirm::Words(words))) => {
            let says = if dialog.typed.text.trim().is_empty() {
                format!("the answer is no until `{words}` is typed; esc leaves")
            } else {
                format!("that is not `{words}`; nothing was changed")
            };
            dialog.typed = Line::default();
            ui.complain(says);
            Vec::new()
        }
        (_, Some(Confirm::Yes)) => {
            ui.say("the answer is no until y is pressed; esc leaves");
            Vec::new()
        }
        (stage, None) => {
            let is_begun = matches!(stage, Stage::Beginning(_));
            ui.say(if is_begun { "it is being begun" } else { "the plan is being made; esc leaves" });
            Vec::new()
        }
    }
}

/// It was confirmed.
fn confirmed(ui: &mut Ui) -> Vec<Effect> {
    let hidden = ui.dialog.as_ref().and_then(|dialog| page::dialog::too_small(ui, dialog));
    let Some(dialog) = &mut ui.dialog else { return Vec::new() };
    if let Some((columns, rows)) = hidden {
        dialog.typed = Line::default();
        ui.complain(format!("nothing was done: what it is does not show on less than {columns}x{rows}"));
        return Vec::new();
    }
    let reason = dialog.reason();
    match (&dialog.what, &dialog.stage) {
        (What::Ask(op, verb), Stage::Ready) => {
            let order = Order::Ask { op: op.clone(), verb: *verb, reason };
            ui.dialog = None;
            vec![Effect::Order(order)]
        }
        (_, Stage::Planned(offer)) => {
            let offer = Arc::clone(offer);
            let order = Order::Begin { ticket: dialog.ticket, plan: Arc::clone(&offer.plan), reason };
            dialog.stage = Stage::Beginning(offer);
            vec![Effect::Order(order)]
        }
        _ => Vec::new(),
    }
}

/// Nothing is done. What is being begun already cannot be held back from here.
fn leave(ui: &mut Ui) -> Vec<Effect> {
    match ui.dialog.take() {
        Some(dialog) if matches!(dialog.stage, Stage::Beginning(_)) => {
            ui.say("it is being begun: the operations page shows it");
            Vec::new()
        }
        Some(dialog) => {
            ui.say(format!("{}: nothing was changed", dialog.title));
            vec![Effect::Order(Order::Forget)]
        }
        None => Vec::new(),
    }
}

/// Takes in what came back from behind the counter. What nobody waits for any more is dropped, but never that
/// something was begun or could not be.
pub(super) fn answered(ui: &mut Ui, answer: Answer) -> Vec<Effect> {
    match answer {
        Answer::Planned { ticket, offer } => {
            if let Some(dialog) = ui.dialog.as_mut().filter(|dialog| dialog.ticket == ticket) {
                (dialog.top, ui.note) = (0, None);
                dialog.stage = match offer {
                    Ok(offer) => Stage::Planned(offer),
                    Err(declined) => Stage::Declined(declined),
                };
            }
        }
        Answer::Planning { ticket, said } => {
            ui.dialog.iter_mut().for_each(|dialog| dialog.hear(ticket, &said));
        }
        Answer::Begun { ticket, op } => {
            let dialog = ui.dialog.take_if(|dialog| dialog.ticket == ticket);
            match (op, dialog) {
                (Ok((id, says)), dialog) => {
                    if dialog.is_none() {
                        ui.say(format!("operation {id}: {says}"));
                    } else {
                        let mut place = Place::new(Page::Operation(id));
                        place.path = page::path(ui);
                        ui.open(place);
                        ui.say(says);
                    }
                }
                (Err(declined), Some(mut dialog)) => {
                    dialog.stage = Stage::Declined(declined);
                    ui.dialog = Some(dialog);
                }
                (Err(declined), None) => ui.complain(declined.line()),
            }
        }
        Answer::Log { ticket, part } => super::logging::arrived(ui, ticket, part),
        Answer::Asked(Ok(says)) => ui.say(says),
        Answer::Asked(Err(declined)) => ui.complain(declined.line()),
    }
    Vec::new()
}

/// What is answered where nobody stands behind the counter.
pub(in crate::tui) fn nobody(order: Order) -> Option<Answer> {
    let declined =
        Declined { what: "this screen has nobody who could act".to_owned(), ..Declined::default() };
    match order {
        Order::Plan { ticket, .. } | Order::TakeBack { ticket, .. } => {
            Some(Answer::Planned { ticket, offer: Err(declined) })
        }
        Order::Begin { ticket, .. } => Some(Answer::Begun { ticket, op: Err(declined) }),
        Order::Ask { .. } => Some(Answer::Asked(Err(declined))),
        Order::Forget | Order::Gaze(_) | Order::LeaveLog => None,
        Order::ReadLog { ticket, .. } => Some(Answer::Log { ticket, part: LogPart::Declined(declined) }),
    }
}
