//! The page of a log: a line of where it is, then the lines themselves; only those that show are built.

use super::TextLine;
use crate::logs::Level;
use crate::model::text::harmless;
use crate::tui::cell;
use crate::tui::log::{Laid, Log, Shown, Standing};
use crate::tui::state::Ui;
use crate::tui::theme::Role;

/// The rows of the page's body from this one on.
pub(crate) fn lines(ui: &Ui, top: usize, height: usize) -> Vec<TextLine> {
    let Some(log) = &ui.log else { return Vec::new() };
    let head = head(log, usize::from(ui.width));
    let from = top.saturating_sub(head.len());
    // Rows of one line follow each other, and it is laid once for all of them.
    let mut last: Option<(u64, Laid)> = None;
    let rows = (from..from.saturating_add(height)).map_while(|row| line(log, row, &mut last));
    head.into_iter().skip(top).chain(rows).take(height).collect()
}

/// How many rows there are.
pub(crate) fn count(ui: &Ui) -> usize {
    ui.log.as_ref().map_or(0, |log| head(log, usize::from(ui.width)).len() + log.count())
}

/// Whether the last row is on the screen.
pub(crate) fn is_at_end(ui: &Ui) -> bool {
    ui.here.top + super::height(ui) >= count(ui)
}

/// What stands where no line shows: how far the reading is, or why nothing can be read and what can be done, whole.
fn head(log: &Log, width: usize) -> Vec<TextLine> {
    let wrapped = |role: Role, text: &str| {
        let rows = cell::wrap(text, width.saturating_sub(1));
        rows.into_iter().map(move |row| vec![(role, row)]).collect::<Vec<_>>()
    };
    match &log.standing {
        Standing::Declined(declined) => {
            let says = std::iter::once(&declined.what).chain(&declined.why).chain(&declined.hints);
            says.flat_map(|text| wrapped(Role::Text, text)).collect()
        }
        _ if log.shown > 0 => Vec::new(),
        _ => wrapped(Role::Dim, &empty(log)),
    }
}

fn empty(log: &Log) -> String {
    let (coming, of) = log.coming();
    match log.standing {
        Standing::Waiting => "looking for where the lines are".to_owned(),
        _ if log.kept() > 0 => format!("none of {} lines is like that", log.kept()),
        _ if of > 0 && coming == 0 => format!("nothing was read of {}", log.sources.join(", ")),
        Standing::Catching => "reading the last ten minutes".to_owned(),
        _ if coming < of => {
            format!("no line in the last ten minutes of the {coming} of {of} that could be read")
        }
        Standing::Following => "no line in the last ten minutes; new ones show as they come".to_owned(),
        _ => "no line in the last ten minutes".to_owned(),
    }
}

fn line(log: &Log, row: usize, last: &mut Option<(u64, Laid)>) -> Option<TextLine> {
    let (number, line, part) = match log.at(row)? {
        Shown::Day(day) => return Some(vec![(Role::Strong, day.to_string())]),
        Shown::Said(said) => return Some(vec![(Role::HealthWarn, said)]),
        Shown::Part(number, line, part) => (number, line, part),
    };
    if last.as_ref().is_none_or(|(known, _)| *known != number) {
        *last = Some((number, log.laid(line)));
    }
    let laid = last.as_ref().map(|(_, laid)| laid)?;
    let text = laid.parts.get(part)?;
    let role = match line.level() {
        Some(Level::Error) => Role::HealthBad,
        Some(Level::Warn) => Role::HealthWarn,
        _ => Role::Text,
    };
    if part == 0 {
        return Some(vec![(Role::Dim, laid.lead.clone()), (role, format!(" {text}"))]);
    }
    // What belongs to a line stands below it, and what is only too long for it below its beginning.
    Some(vec![(role, format!("{}{text}", " ".repeat(laid.indent(part))))])
}

/// What the title says after the name.
pub(crate) fn facts(log: &Log) -> TextLine {
    let (coming, of) = log.coming();
    let is_all = coming == of;
    let mut facts = vec![match log.standing {
        Standing::Waiting => (Role::Dim, "  reading".to_owned()),
        Standing::Catching if is_all => (Role::Dim, "  reading".to_owned()),
        Standing::Catching => (Role::HealthWarn, format!("  reading {coming} of {of}")),
        Standing::Following if coming == 0 && of > 0 => {
            (Role::HealthBad, format!("  none of {of} comes now"))
        }
        Standing::Following if log.sticks && is_all => (Role::Dim, "  following".to_owned()),
        Standing::Following if log.sticks => (Role::HealthWarn, format!("  following {coming} of {of}")),
        Standing::Following if is_all => (Role::Dim, "  paused here; new lines come below".to_owned()),
        Standing::Following => (Role::HealthWarn, format!("  paused here; {coming} of {of} come below")),
        Standing::Over => (Role::HealthWarn, "  over: nothing more comes".to_owned()),
        Standing::Declined(_) => return vec![(Role::HealthBad, "  not read".to_owned())],
    }];
    let kept = log.kept();
    let mut says = match (log.shown < kept as u64, log.forgotten) {
        (true, _) => format!(" · {} of {kept} lines", log.shown),
        (false, 0) => format!(" · {kept} lines"),
        // Short, for it must fit behind a long name.
        (false, forgotten) => format!(" · last {kept} of {}", kept as u64 + forgotten),
    };
    let left = log.left;
    for (count, what) in [(left.without_whom, "name nobody"), (left.without_level, "have no level")] {
        if count > 0 {
            says.push_str(&format!(" · {count} {what}"));
        }
    }
    if !log.filter.is_empty() {
        says.push_str(&format!(" · {}", harmless(&log.filter)));
    }
    if log.forgotten > 0 && log.shown < kept as u64 {
        says.push_str(&format!(" · {} older ones forgotten", log.forgotten));
    }
    match log.remarks {
        0 => {}
        1 => says.push_str(" · 1 remark"),
        many => says.push_str(&format!(" · {many} remarks")),
    }
    facts.push((Role::Dim, says));
    facts
}
