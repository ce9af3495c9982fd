//! Operations: the list of them, two lines each, and what the header says of those that are not over.

use super::TextLine;
use crate::config::span;
use crate::model::Health;
use crate::model::text::harmless;
use crate::ops::counter::Listed;
use crate::ops::progress::Progress;
pub(crate) use crate::ops::told::health;
use crate::tui::cell;
use crate::tui::page::overview::health_role;
use crate::tui::signs::Signs;
use crate::tui::state::Ui;
use crate::tui::theme::Role;
use std::time::Duration;
use unicode_width::UnicodeWidthStr;

/// Lines that an operation takes in the list.
pub(crate) const DEEP: usize = 2;
/// The width of a bar.
const BAR: usize = 10;

/// How far an operation is at the moment that is shown.
pub(crate) fn progress(ui: &Ui, listed: &Listed) -> Progress {
    Progress::among(&listed.op, listed.lives, ui.real, &ui.register.states())
}

/// A bar of so many columns.
pub(crate) fn bar(signs: Signs, done: usize, total: usize, width: usize) -> String {
    let full = (done * width).checked_div(total).unwrap_or(0).min(width);
    format!("{}{}", signs.full().repeat(full), signs.void().repeat(width - full))
}

/// What an operation is at, or waits for, in a line.
pub(crate) fn at(ui: &Ui, progress: &Progress) -> String {
    if let Some(note) = &progress.note {
        let hint = progress.hint.iter().map(|hint| format!("; {hint}")).collect::<String>();
        return format!("{note}{hint}");
    }
    let busy = progress.lanes.iter().find(|lane| matches!(lane.state, "running" | "undoing"));
    let waits = || progress.lanes.iter().find(|lane| lane.state == "waiting");
    let bad = || progress.lanes.iter().find(|lane| !matches!(lane.state, "done") && !lane.now.is_empty());
    let lane = busy.or_else(waits).or_else(bad);
    let dot = ui.signs().dot();
    let told = lane.map(|lane| format!("{} {dot} {}", lane.now, lane.name)).unwrap_or_default();
    match (&progress.hint, progress.standing.is_over()) {
        (Some(hint), _) if told.is_empty() => hint.clone(),
        (Some(hint), false) => format!("{told}; {hint}"),
        _ => told,
    }
}

/// How long it is still expected to take, or took.
pub(crate) fn time(progress: &Progress) -> String {
    let of = |seconds: u64| span(Duration::from_secs(seconds.max(1)));
    match (progress.left_s, progress.ended_at) {
        (Some(left), _) => format!("~{} left", of(left)),
        (None, Some(ended)) => {
            let took = ended.duration_since(progress.at).as_secs();
            format!("took {}", of(u64::try_from(took).unwrap_or(0)))
        }
        (None, None) => String::new(),
    }
}

/// The two lines of an operation.
pub(crate) fn rows(ui: &Ui, listed: &Listed, width: usize) -> [TextLine; DEEP] {
    let progress = progress(ui, listed);
    let health = health(progress.standing);
    let signs = ui.signs();
    let state = format!("{} {:<18} ", signs.health(health), progress.standing.word());
    let (done, of) = progress.tally();
    let steps = format!("{done}/{of}");
    let right = format!(" {} {steps:>5} {:>11}", bar(signs, done, of, BAR), time(&progress));
    let room = width.saturating_sub(2 + state.width() + right.width());
    let title = cell::cut(&harmless(&progress.title), room, signs.cut()).into_owned();
    let blank = " ".repeat(room.saturating_sub(title.width()));
    let first =
        vec![(health_role(health), state), (Role::RowKey, title), (Role::Text, blank), (Role::Text, right)];
    let age = cell::age(progress.at, ui.real);
    let who = harmless(&progress.who).into_owned();
    let lead = format!("  {}  {who}  {age} ago  ", progress.id);
    let room = width.saturating_sub(2 + lead.width());
    let at = at(ui, &progress);
    let at = cell::cut(&harmless(&at), room, signs.cut()).into_owned();
    [first, vec![(Role::Dim, lead), (Role::Text, at)]]
}

/// What stands there when there is none.
pub(crate) fn none(ui: &Ui) -> (Role, String) {
    match (&ui.register.trouble, ui.register.is_read) {
        (Some(trouble), _) => (Role::Trouble, format!("the journal cannot be read: {trouble}")),
        (None, false) => (Role::Note, format!("reading the journal{}", ui.signs().cut())),
        (None, true) if !ui.register.ops.is_empty() => {
            (Role::Dim, format!("none of {} operations is like that", ui.register.ops.len()))
        }
        (None, true) => (
            Role::Dim,
            "no operation yet. Mark rows in a list and press x, or see `coredeck drain --help`".to_owned(),
        ),
    }
}

/// What the header says: the one operation that is not over with its steps, or how many there are.
pub(crate) fn in_header(ui: &Ui) -> Option<(Role, String)> {
    let open: Vec<_> = ui.register.open().collect();
    let standings = || open.iter().map(|listed| progress(ui, listed));
    let worst = standings().map(|progress| health(progress.standing)).max()?;
    let role = if worst > Health::Busy { Role::HeaderStale } else { Role::HeaderMark };
    let sign = ui.signs().health(worst);
    let text = match open.as_slice() {
        [only] => {
            let progress = progress(ui, only);
            let (done, of) = progress.tally();
            let back = progress.back.map(|_| " back").unwrap_or_default();
            format!("{sign} {} {done}/{of}{back}", progress.kind)
        }
        many => format!("{sign} {} operations", many.len()),
    };
    Some((role, text))
}
