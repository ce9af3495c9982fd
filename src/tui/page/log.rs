//! The page of a log: a line of where it is, then the lines themselves; only those that show are built.

use super::TextLine;
use crate::logs::Level;
use crate::model::text::harmless;
use crate::ops::counter::Declined;
use crate::tui::cell;
use crate::tui::log::{Entry, Log, Standing};
use crate::tui::state::Ui;
use crate::tui::theme::Role;

/// The rows of the page's body from this one on.
pub(crate) fn lines(ui: &Ui, top: usize, height: usize) -> Vec<TextLine> {
    let Some(log) = &ui.log else { return Vec::new() };
    if let Standing::Declined(declined) = &log.standing {
        return refused(declined, usize::from(ui.width)).into_iter().skip(top).take(height).collect();
    }
    let head = head(log);
    let from = top.saturating_sub(head.len());
    let rows = (from..from + height).map_while(|row| line(log, row));
    head.into_iter().skip(top).chain(rows).take(height).collect()
}

/// How many rows there are.
pub(crate) fn count(ui: &Ui) -> usize {
    ui.log.as_ref().map_or(0, |log| match &log.standing {
        Standing::Declined(declined) => refused(declined, usize::from(ui.width)).len(),
        _ => head(log).len() + log.count(),
    })
}

/// Whether the last row is on the screen.
pub(crate) fn is_at_end(ui: &Ui) -> bool {
    ui.here.top + super::height(ui) >= count(ui)
}

/// Why nothing can be read, and what can be done, whole.
fn refused(declined: &Declined, width: usize) -> Vec<TextLine> {
    let says = std::iter::once(&declined.what).chain(&declined.why).chain(&declined.hints);
    let rows = says.flat_map(|text| cell::wrap(text, width.saturating_sub(1)));
    rows.map(|text| vec![(Role::Text, text)]).collect()
}

/// What stands where no line shows.
fn head(log: &Log) -> Vec<TextLine> {
    if log.shown > 0 { Vec::new() } else { vec![vec![(Role::Dim, empty(log))]] }
}

fn empty(log: &Log) -> String {
    match log.standing {
        Standing::Waiting => "looking for where the lines are".to_owned(),
        Standing::Catching => "reading the last ten minutes".to_owned(),
        _ if log.kept() > 0 => format!("none of {} lines is like that", log.kept()),
        Standing::Following => "no line in the last ten minutes; new ones show as they come".to_owned(),
        _ => "no line in the last ten minutes".to_owned(),
    }
}

fn line(log: &Log, row: usize) -> Option<TextLine> {
    let (line, part) = match log.at(row)? {
        (Entry::Line(line), part) => (line, part),
        (Entry::Said(text), part) => {
            return Some(vec![(Role::HealthWarn, log.sentence(text).into_iter().nth(part)?)]);
        }
    };
    let text = log.parts(line).into_iter().nth(part)?;
    let role = match line.level() {
        Some(Level::Error) => Role::HealthBad,
        Some(Level::Warn) => Role::HealthWarn,
        _ => Role::Text,
    };
    if part == 0 {
        return Some(vec![(Role::Dim, log.lead(line)), (role, format!(" {text}"))]);
    }
    // What belongs to a line stands below it, and what is only too long for it below its beginning.
    let indent = if part < log.own(line) { log.lead(line).chars().count() + 1 } else { 4 };
    Some(vec![(role, format!("{}{text}", " ".repeat(indent)))])
}

/// What the title says after the name.
pub(crate) fn facts(log: &Log) -> String {
    let mut facts = match log.standing {
        Standing::Waiting | Standing::Catching => "reading".to_owned(),
        Standing::Following if log.sticks => "following".to_owned(),
        Standing::Following => "paused here; new lines come below".to_owned(),
        Standing::Over => "over".to_owned(),
        Standing::Declined(_) => return "not read".to_owned(),
    };
    let kept = log.kept();
    if log.filter.is_empty() {
        facts.push_str(&format!(" · {kept} lines"));
    } else {
        facts.push_str(&format!(" · {} of {kept} lines · {}", log.shown, harmless(&log.filter)));
    }
    if log.forgotten > 0 {
        facts.push_str(&format!(" · {} older ones forgotten", log.forgotten));
    }
    match log.remarks {
        0 => {}
        1 => facts.push_str(" · 1 remark"),
        many => facts.push_str(&format!(" · {many} remarks")),
    }
    facts
}
