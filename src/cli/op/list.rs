//! Operations listed, shown and read back record by record.

use super::{ListArgs, OneArgs, Place, Reading, standing_json};
use crate::cli::Outside;
use crate::cli::begin::Form;
use crate::cli::output::{Colour, Output};
use crate::cli::table::{self, Cell, Heading};
use crate::config::span;
use crate::error::Result;
use crate::model::text::harmless;
use crate::ops::event::Event;
use crate::ops::progress::{Progress, line};
use crate::ops::{OpState, rollback};
use crate::query::Unit;
use jiff::Timestamp;
use std::time::Duration;

/// `coredeck op list`
pub(super) fn list(args: &ListArgs, place: &Place, outside: &Outside, out: &mut Output) -> Result<()> {
    let reading = Reading::open(place, out)?;
    let now = outside.clock.now();
    let mut read = Vec::new();
    for record in reading.ops(args.limit)? {
        match reading.state(&record.id) {
            Ok(state) => read.push(state),
            Err(error) => out.warn(&format!("operation {}: {error}", record.id)),
        }
    }
    let ops: Vec<&OpState> = read.iter().map(|(op, _)| op).collect();
    let mut all: Vec<Progress> =
        read.iter().map(|(op, lives)| Progress::among(op, *lives, now, &ops)).collect();
    if args.open {
        all.retain(|progress| !progress.standing.is_over());
    }
    if args.output == Form::Json {
        return all.iter().try_for_each(|progress| out.data(&(standing_json(progress) + "\n")));
    }
    if all.is_empty() {
        out.say("no operations");
        return Ok(());
    }
    let heading = |title: &str, unit| Heading { title: title.to_owned(), unit, is_id: title == "ID" };
    let headings = [
        heading("ID", Unit::Text),
        heading("STATE", Unit::Text),
        heading("STEPS", Unit::Text),
        heading("AGE", Unit::Text),
        heading("WHO", Unit::Text),
        heading("WHAT", Unit::Text),
    ];
    let cell = |text: String| Cell { text, health: None };
    let rows: Vec<Vec<Cell>> = all
        .iter()
        .map(|progress| {
            let (done, of) = progress.tally();
            vec![
                cell(progress.id.clone()),
                cell(progress.standing.word().to_owned()),
                cell(format!("{done}/{of}")),
                cell(ago(progress.at, now)),
                cell(harmless(&progress.who).into_owned()),
                cell(harmless(&progress.title).into_owned()),
            ]
        })
        .collect();
    out.data(&table::draw(&headings, &rows, true, out.width, Colour::No))
}

/// `coredeck op show`
pub(super) fn show(args: &OneArgs, place: &Place, outside: &Outside, out: &mut Output) -> Result<()> {
    let reading = Reading::open(place, out)?;
    let (op, lives) = reading.state(&args.id)?;
    op.faults.iter().for_each(|fault| out.warn(fault));
    // Whatever took it back was begun after it.
    let records = reading.ops(usize::MAX)?.into_iter();
    let later = records.filter(|record| record.kind == rollback::VERB && record.at >= op.record.at);
    let mut taken: Vec<OpState> = Vec::new();
    for record in later {
        match reading.state(&record.id) {
            Ok((op, _)) => taken.push(op),
            // It may be the one that took this back.
            Err(error) => out.warn(&format!("operation {}: {error}", record.id)),
        }
    }
    let later: Vec<&OpState> = taken.iter().collect();
    let progress = Progress::among(&op, lives, outside.clock.now(), &later);
    if args.output == Form::Json {
        return out.data(&(standing_json(&progress) + "\n"));
    }
    out.data(&text(&progress, op.home.as_deref(), outside.clock.now()))
}

/// How an operation stands, for people.
pub(super) fn text(progress: &Progress, home: Option<&str>, now: Timestamp) -> String {
    let mut text = format!("{}  {}\n", progress.id, harmless(&progress.title));
    let mut row = |name: &str, value: String| text.push_str(&format!("  {name:<9} {}\n", harmless(&value)));
    row("state", format!("{}, {}", progress.standing.word(), progress.said()));
    row("who", progress.who.clone());
    if let Some(reason) = &progress.reason {
        row("why", reason.clone());
    }
    row("begun", format!("{:.0}, {} ago", progress.at, ago(progress.at, now)));
    if let Some(left) = progress.left_s {
        row("left", format!("about {}", span(Duration::from_secs(left.max(1)))));
    }
    if let Some(at) = progress.ended_at {
        row("ended", format!("{at:.0}, after {}", ago(progress.at, at)));
    }
    if let Some(home) = home {
        row("runner", home.to_owned());
    }
    if let Some(note) = &progress.note {
        row("note", note.clone());
    }
    if let Some(hint) = &progress.hint {
        row("next", hint.clone());
    }
    for commit in &progress.commit {
        row("commit", commit.said());
    }
    for lane in &progress.lanes {
        let now = if lane.now.is_empty() { String::new() } else { format!(": {}", lane.now) };
        let line = format!("{} {} ({}/{}){now}", lane.name, lane.state, lane.done, lane.total);
        text.push_str(&format!("  - {}\n", harmless(&line)));
    }
    text
}

/// `coredeck op log`
pub(super) fn log(args: &OneArgs, place: &Place, out: &mut Output) -> Result<()> {
    let reading = Reading::open(place, out)?;
    let (op, _) = reading.state(&args.id)?;
    for entry in reading.entries(&op.record.id)? {
        let event = serde_json::from_str::<Event>(&entry.body).ok();
        if args.output == Form::Json {
            out.data(&(super::export::record(&entry) + "\n"))?;
            continue;
        }
        let told = event.map_or_else(|| entry.kind.clone(), |event| line(&op, &event));
        out.data(&format!("{:.3}  {}\n", entry.at, harmless(&told)))?;
    }
    Ok(())
}

fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs();
    span(Duration::from_secs(u64::try_from(seconds).unwrap_or(0).max(1)))
}
