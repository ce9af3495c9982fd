//! `coredeck history`: what is kept of the past, how large it is, and removing some of it.

use super::Outside;
use super::args::{Global, ShowFormat};
use super::json;
use super::output::{Colour, Output};
use super::past::Archive;
use super::table::{self, Cell, Heading};
use crate::config::{parse_span, size};
use crate::error::{Error, Result};
use crate::query::Unit;
use crate::store::{HistoryFacts, cut_history};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::json;

/// `coredeck history`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
The screen and `coredeck get … --watch` keep what they read. `coredeck get instances --at -1h` shows the fleet as it
was, `<` on the screen goes back in time. `[history]` in the configuration says how much is kept: 7d and 64MiB.")]
pub(super) struct HistoryArgs {
    #[command(subcommand)]
    command: Option<HistoryCommand>,
    /// How to write it
    #[arg(short, long, value_enum, default_value_t = ShowFormat::Table)]
    pub(super) output: ShowFormat,
}

/// What to do to it.
#[derive(Clone, Debug, Subcommand)]
enum HistoryCommand {
    /// Remove what is older than a span, of every fleet and login
    Prune {
        /// How old: 1h, 3d; what held at that moment stays
        #[arg(long, value_name = "DURATION", required_unless_present = "all")]
        older_than: Option<String>,
        /// Remove everything
        #[arg(long, conflicts_with = "older_than")]
        all: bool,
    },
}

/// Runs the command.
pub(super) fn run(args: &HistoryArgs, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    let archive = Archive::open(global, outside, out)?;
    match &args.command {
        Some(HistoryCommand::Prune { older_than, all }) => {
            let before = match older_than {
                Some(typed) if !all => {
                    let ago = parse_span(typed)
                        .map_err(|why| Error::usage(format!("--older-than {typed}: {why}")))?;
                    archive.now.checked_sub(ago).unwrap_or(Timestamp::MIN)
                }
                _ => Timestamp::MAX,
            };
            match cut_history(&archive.file, before)? {
                Some((had, has)) => {
                    out.say(&format!("{} before, {} now", bytes(had), bytes(has)));
                }
                None => out.say("nothing is kept yet"),
            }
            Ok(())
        }
        None => show(args, &archive, out),
    }
}

fn show(args: &HistoryArgs, archive: &Archive, out: &mut Output) -> Result<()> {
    let facts = archive.facts()?;
    let keep = archive.config.history;
    let document = || {
        let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
        json!({
            "schema": "coredeck.history.v1",
            "file": archive.file.display().to_string(),
            "keep_seconds": keep.span.as_secs(),
            "most_bytes": keep.bytes,
            "bytes": facts.as_ref().map_or(0, |facts| facts.bytes),
            "since": facts.as_ref().and_then(|facts| moment(facts.since)),
            "until": facts.as_ref().and_then(|facts| moment(facts.until)),
            "courses": facts.as_ref().map_or(0, |facts| facts.courses),
            "figures": facts.iter().flat_map(|facts| &facts.measures).map(|it| json!({
                "measure": it.measure,
                "courses": it.courses,
                "spans": it.spans,
                "since": it.since.to_string(),
                "until": it.until.to_string(),
            })).collect::<Vec<_>>(),
            "other_views": facts.as_ref().map_or(0, |facts| facts.other_views),
            "data": facts.iter().flat_map(|facts| &facts.lists).map(|list| json!({
                "account": list.account,
                "region": list.region,
                "list": list.source,
                "rows": list.rows,
                "changes": list.frames,
                "bytes": list.bytes,
                "since": list.since.to_string(),
                "until": list.until.to_string(),
            })).collect::<Vec<_>>(),
        })
    };
    match args.output {
        ShowFormat::Json => out.data(&json::document(&document())),
        ShowFormat::Yaml => out.data(&json::yaml(&document())),
        ShowFormat::Table => match &facts {
            Some(facts) => {
                let text = text(facts, archive, out.width);
                out.data(&text)
            }
            None => {
                out.say(&format!("nothing is kept yet: there is no {}", archive.file.display()));
                Ok(())
            }
        },
    }
}

fn text(facts: &HistoryFacts, archive: &Archive, width: Option<usize>) -> String {
    let keep = archive.config.history;
    let span = match facts.since.zip(facts.until) {
        Some((since, until)) => format!("{since} to {until}"),
        None => "empty".to_owned(),
    };
    let kept = if keep.span.is_zero() {
        "nothing new is kept: `history.keep` is off".to_owned()
    } else {
        format!("{} and {} are kept", crate::config::span(keep.span), size(keep.bytes))
    };
    let mut text = format!("{}\n{}, {span}; {kept}\n", facts.file.display(), bytes(facts.bytes));
    text.push_str(&format!("{} figures have a course\n", facts.courses));
    if facts.other_views > 0 {
        text.push_str(&format!(
            "{} other fleets, logins or endpoints are kept beside this\n",
            facts.other_views
        ));
    }
    let moment = |at: Timestamp| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let lists = facts.lists.iter().map(|list| {
        [
            list.source.clone(),
            list.account.clone(),
            list.region.clone(),
            list.rows.to_string(),
            list.frames.to_string(),
            bytes(list.bytes),
            moment(list.since),
            moment(list.until),
        ]
    });
    let titles = ["LIST", "ACCOUNT", "REGION", "ROWS", "CHANGES", "SIZE", "SINCE", "LAST READ"];
    text.push_str(&drawn(titles, lists.collect(), width));
    if !facts.measures.is_empty() {
        let figures = facts.measures.iter().map(|it| {
            let counts = [it.courses, it.spans].map(|count| count.to_string());
            let [courses, spans] = counts;
            [it.measure.clone(), courses, spans, moment(it.since), moment(it.until)]
        });
        text.push('\n');
        let titles = ["FIGURE", "COURSES", "SPANS", "SINCE", "LAST READ"];
        text.push_str(&drawn(titles, figures.collect(), width));
    }
    text
}

/// A table of texts; what is counted stands at the right.
fn drawn<const N: usize>(titles: [&str; N], rows: Vec<[String; N]>, width: Option<usize>) -> String {
    let is_count = |title: &str| matches!(title, "ROWS" | "CHANGES" | "COURSES" | "SPANS");
    let heading = |(at, title): (usize, &&str)| Heading {
        title: (*title).to_owned(),
        unit: if is_count(title) { Unit::Count } else { Unit::Text },
        is_id: at == 0,
    };
    let headings: Vec<Heading> = titles.iter().enumerate().map(heading).collect();
    let row = |row: [String; N]| row.map(|text| Cell { text, health: None }).to_vec();
    let rows: Vec<Vec<Cell>> = rows.into_iter().map(row).collect();
    table::draw(&headings, &rows, !rows.is_empty(), width, Colour::No)
}

/// Bytes as people say them.
#[allow(clippy::cast_precision_loss)] // a rounded figure either way
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
