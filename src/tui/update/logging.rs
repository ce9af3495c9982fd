//! The page of a log: opened from a row, followed, held still, filtered; read only while it is looked at.

use super::under_cursor;
use crate::ops::counter::{LogPart, Order};
use crate::query::Kind;
use crate::tui::action::Action;
use crate::tui::log::{Log, Standing};
use crate::tui::page;
use crate::tui::state::{Acting, Effect, Page, Place, PromptError, Ui};

/// Opens the log of the row under the cursor, or of the one that is described.
pub(super) fn open(ui: &mut Ui) {
    match named(ui) {
        Ok(name) => {
            let mut place = Place::new(Page::Log(vec![name]));
            place.path = page::path(ui);
            ui.open(place);
        }
        Err(why) => ui.say(why),
    }
}

/// Opens a shell in the row under the cursor, or in the one that is described.
pub(super) fn shell(ui: &mut Ui) -> Vec<Effect> {
    let name = match &ui.here.page {
        // Whoever reads a log may want in where it comes from.
        Page::Log(names) => names.first().cloned().ok_or("this log has no source"),
        _ => named(ui),
    };
    let name = name.and_then(|name| match name.split_once('/') {
        Some(("core" | "instance" | "task", _)) => Ok(name),
        _ => Err("shells are in cores, instances and tasks: choose one of them"),
    });
    match name {
        Ok(_) if ui.about.acting == Acting::ReadOnly => {
            ui.complain("coredeck is in read-only mode, and whoever is inside can change things");
            Vec::new()
        }
        Ok(name) => vec![Effect::Shell(name)],
        Err(why) => {
            ui.say(why);
            Vec::new()
        }
    }
}

/// What the row under the cursor is called where its log or its shell is asked for.
fn named(ui: &Ui) -> Result<String, &'static str> {
    let row = match &ui.here.page {
        Page::Describe(card) => card.at.map(|at| (card.kind, at)),
        _ => under_cursor(ui),
    };
    let (kind, at) = row.ok_or("there is no row here")?;
    let id = kind.id(page::ctx(&ui.world.fleet, ui), at);
    Ok(match kind {
        Kind::Cores => format!("core/{id}"),
        Kind::Tenants => format!("tenant/{id}"),
        Kind::Services => format!("service/{id}"),
        Kind::Instances => format!("instance/{id}"),
        Kind::Tasks => format!("task/{id}"),
        Kind::Hosts => {
            let instance = ui.world.fleet.hosts.get(at).and_then(|row| row.it.instance_id.as_ref());
            format!("instance/{}", instance.ok_or("it is not known which instance this is")?)
        }
        _ => return Err("cores, tenants, services, instances and tasks have logs, and some of them shells"),
    })
}

/// What must be asked for, or not any more, now that this page shows.
pub(super) fn keep_up(ui: &mut Ui) -> Vec<Effect> {
    let wanted = match page::beneath(ui) {
        Page::Log(names) if !ui.is_past() => Some(names.clone()),
        _ => None,
    };
    let have = ui.log.as_ref().map(|log| &log.names);
    if have == wanted.as_ref() {
        return Vec::new();
    }
    match wanted {
        None => {
            ui.log = None;
            vec![Effect::Order(Order::LeaveLog)]
        }
        Some(names) => {
            ui.tickets += 1;
            let mut log = Log::new(names.clone(), ui.tickets);
            log.widen(usize::from(ui.width));
            ui.log = Some(Box::new(log));
            vec![Effect::Order(Order::ReadLog { ticket: ui.tickets, names })]
        }
    }
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
        LogPart::Said(text) => {
            let went = log.say(text.clone());
            let is_beside = log.sticks || page::log::is_at_end(ui);
            if matches!(ui.here.page, Page::Log(_)) && !is_beside {
                ui.here.top = ui.here.top.saturating_sub(went);
                // It stands below what is looked at, and says so.
                ui.complain(crate::model::text::harmless(&text));
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
    let says = if log.wraps { "long lines are wrapped" } else { "long lines are cut" };
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
