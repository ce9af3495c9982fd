//! The page of a log: a line of where it is, then the lines themselves; only those that show are built.

use super::TextLine;
use crate::logs::Level;
use crate::model::text::harmless;
use crate::tui::log::{Log, Standing};
use crate::tui::state::Ui;
use crate::tui::theme::Role;

/// The rows of the page's body from this one on.
pub(crate) fn lines(ui: &Ui, top: usize, height: usize) -> Vec<TextLine> {
    let Some(log) = &ui.log else { return Vec::new() };
    if let Standing::Declined(declined) = &log.standing {
        let says = std::iter::once(&declined.what).chain(&declined.why).chain(&declined.hints);
        return says.map(|text| vec![(Role::Text, harmless(text).into_owned())]).collect();
    }
    if log.count() == 0 {
        let mut lines = vec![vec![(Role::Dim, empty(log))]];
        lines.extend(log.said.iter().map(|said| vec![(Role::HealthWarn, harmless(said).into_owned())]));
        return lines;
    }
    (top..top + height).map_while(|row| line(log, row)).collect()
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
    let (line, part) = log.at(row)?;
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
    facts
}
