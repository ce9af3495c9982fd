//! The page of a log: opened from a row, followed, held still, filtered; read only while it is looked at.

use super::under_cursor;
use crate::logs::{Gaze, Sought};
use crate::model::text::harmless;
use crate::ops::counter::{LogPart, Order};
use crate::query::Kind;
use crate::tui::action::Action;
use crate::tui::chord::{Chord, Key, Named};
use crate::tui::keymap::Match;
use crate::tui::log::{Log, Sheet, Standing};
use crate::tui::page;
use crate::tui::state::{Acting, Effect, Page, Place, PromptError, Ui};

/// Opens the log of the row under the cursor, or of the one that is described.
pub(super) fn open(ui: &mut Ui) {
    match named(ui) {
        Ok(of) => {
            let mut place = Place::new(Page::Log(of));
            place.path = page::path(ui);
            ui.open(place);
        }
        Err(why) => ui.say(why),
    }
}

/// Opens a shell in the row under the cursor, or in the one that is described.
pub(super) fn shell(ui: &mut Ui) -> Vec<Effect> {
    let of = match &ui.here.page {
        // Whoever reads a log may want in where it comes from.
        Page::Log(of) => Ok(of.clone()),
        _ => named(ui),
    };
    let of = of.and_then(|of| match of.name.split_once('/') {
        Some(("core" | "instance" | "task", _)) => Ok(of),
        _ => Err("shells are in cores, instances and tasks: choose one of them"),
    });
    match of {
        Ok(_) if ui.about.acting == Acting::ReadOnly => {
            ui.complain("coredeck is in read-only mode, and whoever is inside can change things");
            Vec::new()
        }
        Ok(of) => {
            ui.entering = Some(harmless(&of.name).into_owned());
            vec![Effect::Shell(of)]
        }
        Err(why) => {
            ui.say(why);
            Vec::new()
        }
    }
}

/// A key while a shell is being opened: what leads back gives it up, and everything else would be typed too early.
pub(super) fn give_up(ui: &mut Ui, chord: Chord) -> Vec<Effect> {
    let means = ui.keymap.lookup(ui.layer(), &[chord]);
    let leads_back = matches!(means, Match::Run(Action::Back | Action::Quit | Action::Cancel));
    if !leads_back && chord != Chord::plain(Key::Named(Named::Esc)) {
        return Vec::new();
    }
    ui.entering = None;
    ui.say("given up: no shell was entered");
    vec![Effect::LeaveShell]
}

/// A shell has ended, or there is none.
pub(super) fn left(ui: &mut Ui, ended: Result<u8, String>) {
    let Some(name) = ui.entering.take() else { return };
    match ended {
        Ok(0) => ui.say(format!("the shell in {name} has ended")),
        Ok(code) => ui.say(format!("the shell in {name} ended with {code}")),
        Err(why) => ui.complain(harmless(&why)),
    }
}

/// What the row under the cursor is called where its log or its shell is asked for, and where it is.
fn named(ui: &Ui) -> Result<Sought, &'static str> {
    let row = match &ui.here.page {
        Page::Describe(card) => card.at.map(|at| (card.kind, at)),
        _ => under_cursor(ui),
    };
    let (kind, at) = row.ok_or("there is no row here")?;
    let fleet = &ui.world.fleet;
    let ctx = page::ctx(fleet, ui);
    let id = kind.id(ctx, at);
    let name = match kind {
        Kind::Cores => format!("core/{id}"),
        Kind::Tenants => format!("tenant/{id}"),
        // Two clusters may have services of one name.
        Kind::Services => {
            let row = fleet.services.get(at).ok_or("there is no row here")?;
            format!("service/{}/{}", row.cluster, row.it.name)
        }
        Kind::Instances => format!("instance/{id}"),
        Kind::Tasks => format!("task/{id}"),
        Kind::Hosts => {
            let instance = fleet.hosts.get(at).and_then(|row| row.it.instance_id.as_ref());
            format!("instance/{}", instance.ok_or("it is not known which instance this is")?)
        }
        _ => return Err("cores, tenants, services, instances and tasks have logs, and some of them shells"),
    };
    Ok(Sought { name, scope: kind.scope(ctx, at).cloned() })
}

/// What must be asked for, or not any more, now that this page shows.
pub(super) fn keep_up(ui: &mut Ui) -> Vec<Effect> {
    let wanted = match page::beneath(ui) {
        Page::Log(of) if !ui.is_past() => Some(of.clone()),
        _ => None,
    };
    let have = ui.log.as_ref().map(|log| &log.of);
    if have == wanted.as_ref() {
        return Vec::new();
    }
    let Some(of) = wanted else {
        ui.log = None;
        return vec![Effect::Order(Order::LeaveLog)];
    };
    let sheet = Sheet {
        width: usize::from(ui.width),
        cut: ui.signs().cut(),
        zone: ui.about.zone.clone(),
        wraps: true,
        left: 0,
    };
    ui.tickets += 1;
    read(ui, Log::new(of, ui.tickets, sheet, ui.real))
}

/// Reads the log again from its beginning.
pub(super) fn again(ui: &mut Ui) -> Vec<Effect> {
    ui.tickets += 1;
    let Some(log) = ui.log.as_ref().map(|log| log.again(ui.tickets, ui.real)) else { return Vec::new() };
    ui.say("reading again");
    read(ui, log)
}

fn read(ui: &mut Ui, log: Log) -> Vec<Effect> {
    let order = Order::ReadLog { ticket: log.ticket, of: log.of.clone() };
    ui.log = Some(Box::new(log));
    ui.settle();
    vec![Effect::Order(order)]
}

/// The window of the terminal has the focus, or lost it: a log that nobody sees is followed more slowly.
pub(super) fn looks(has_focus: bool) -> Vec<Effect> {
    vec![Effect::Order(Order::Gaze(if has_focus { Gaze::Here } else { Gaze::Away }))]
}

/// Something of a log came.
pub(super) fn arrived(ui: &mut Ui, ticket: u64, part: LogPart) {
    let Some(log) = ui.log.as_mut().filter(|log| log.ticket == ticket) else { return };
    match part {
        LogPart::Begun { sources, only } => log.begun(sources, only),
        LogPart::Lines(lines) => {
            let went = log.take(lines);
            if matches!(ui.here.page, Page::Log(_)) && !log.sticks {
                ui.here.top = ui.here.top.saturating_sub(went);
            }
        }
        LogPart::Joined { source, only } => log.joined(source, only),
        LogPart::CaughtUp => log.standing = Standing::Following,
        LogPart::Over => log.standing = Standing::Over,
        LogPart::Late(lines) => {
            let top = log.insert(lines, ui.here.top);
            if matches!(ui.here.page, Page::Log(_)) && !log.sticks {
                ui.here.top = top;
            }
        }
        LogPart::Said(said) => {
            let text = harmless(&said.text).into_owned();
            let went = log.say(said);
            let is_beside = log.sticks || page::log::is_at_end(ui);
            if matches!(ui.here.page, Page::Log(_)) && !is_beside {
                ui.here.top = ui.here.top.saturating_sub(went);
                // It stands below what is looked at, and says so.
                if !text.is_empty() {
                    ui.complain(text);
                }
            }
        }
        LogPart::Declined(declined) => log.standing = Standing::Declined(declined),
    }
    ui.settle();
}

/// Follows again, or stands still.
pub(super) fn follow(ui: &mut Ui) {
    let Some(log) = &mut ui.log else { return ui.say("only a log can be followed") };
    log.sticks = !log.sticks;
    let says = if log.sticks { "following: the newest line stays in sight" } else { "paused here" };
    ui.say(says);
    ui.settle();
}

/// Wraps long lines, or cuts them.
pub(super) fn wrap(ui: &mut Ui) {
    let Some(log) = &mut ui.log else { return ui.say("only a log can be wrapped") };
    log.wrap();
    let says = if log.wraps() {
        "long lines are wrapped"
    } else {
        "long lines are cut: left and right look along them"
    };
    ui.say(says);
    ui.settle();
}

/// Whoever moves up wants to read, and whoever goes to the end wants what comes.
pub(super) fn moves(ui: &mut Ui, action: Action) {
    if let (Page::Log(_), Some(log)) = (&ui.here.page, &mut ui.log) {
        log.sticks = match action {
            Action::Bottom => true,
            Action::Up | Action::PageUp | Action::HalfUp | Action::Top => false,
            _ => log.sticks,
        };
    }
}

/// Copies the lines that show.
pub(super) fn copy(ui: &mut Ui) -> Vec<Effect> {
    let height = page::height(ui);
    let lines = page::log::lines(ui, ui.here.top, height);
    let text: Vec<String> = lines
        .into_iter()
        .map(|line| line.into_iter().map(|(_, text)| text).collect::<String>().trim_end().to_owned())
        .collect();
    ui.say(format!("sent to the clipboard: {} rows", text.len()));
    vec![Effect::Copy(text.join("\n"))]
}

/// Another filter, as it is typed; what is wrong with it.
pub(super) fn narrow(ui: &mut Ui, typed: &str) -> Option<PromptError> {
    let log = ui.log.as_mut()?;
    let error = log.narrow(typed).err();
    ui.settle();
    error.map(|(at, message)| PromptError { at, message })
}
