//! Rows in every format: from a world to the text that goes to stdout.

use super::args::Format;
use super::cell;
use super::grouped;
use super::json;
use super::output::{Colour, Output};
use super::partial::{Warning, as_of, undecided, warnings};
use super::past;
use super::plan::Plan;
use super::table::{self, Cell, Heading};
use crate::error::{Error, Result};
use crate::model::text::harmless;
use crate::query::{Column, Ctx, Value};
use crate::world::World;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

/// An answer: what goes to stdout, and what is not known.
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) warnings: Vec<Warning>,
    /// What changes when the answer does: ages and moments of reading left out.
    pub(super) essence: Json,
}

/// What an answer is written for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paper {
    pub(super) width: Option<usize>,
    pub(super) colour: Colour,
    /// Each document on one line.
    pub(super) is_stream: bool,
}

/// Answers a plan from a world.
pub(super) fn answer(plan: &Plan, world: &World, paper: Paper) -> Result<Answer> {
    let ctx = Ctx { fleet: &world.fleet, now: world.fleet.at };
    let rows = plan.rows(ctx);
    let columns = plan.columns(&world.fleet);
    let rests_on = plan.answer_rests_on(ctx);
    let mut warnings = warnings(&world.snapshot, &rests_on);
    past::explain(&mut warnings, world);
    warnings.extend(undecided(plan.undecided(ctx)));
    if let Some(by) = plan.group_by {
        return grouped::answer(plan, by, world, paper, warnings);
    }
    let needs_json = paper.is_stream || matches!(plan.format, Format::Json | Format::Yaml);
    let data = if needs_json { data(&columns, ctx, &rows) } else { Json::Null };
    let text = match plan.format {
        Format::Table | Format::Wide => {
            let headings = headings(&columns);
            let cells = cells(&columns, ctx, &rows);
            // Headings above nothing say nothing; that there is nothing is said on stderr.
            let has_headings = plan.has_headings && !rows.is_empty();
            table::draw(&headings, &cells, has_headings, paper.width, paper.colour)
        }
        Format::Csv => csv(plan, &columns, ctx, &rows)?,
        Format::Name => {
            let ids = rows.iter().map(|at| plan.kind.id(ctx, *at));
            ids.map(|id| format!("{}\n", harmless(&id))).collect()
        }
        Format::Json | Format::Yaml => {
            let as_of = as_of(&world.snapshot, &rests_on).map(|at| at.to_string());
            let mut document = json!({
                "schema": SCHEMA,
                "kind": plan.kind.word(),
                "as_of": as_of,
                "data": data,
                "warnings": warnings,
            });
            past::mark(&mut document, world);
            match (plan.format, paper.is_stream) {
                (Format::Json, true) => json::line(&document) + "\n",
                (Format::Json, false) => json::document(&document),
                (_, true) => format!("---\n{}", json::yaml(&document)),
                (_, false) => json::yaml(&document),
            }
        }
    };
    let essence = if paper.is_stream {
        json!([data, warnings.iter().map(|w| (&w.scope, w.source, w.kind)).collect::<Vec<_>>()])
    } else {
        Json::Null
    };
    Ok(Answer { text, warnings, essence })
}

/// Writes an answer as one JSON document, row by row, and returns what is not known.
pub(super) fn stream(plan: &Plan, world: &World, out: &mut Output) -> Result<Vec<Warning>> {
    let ctx = Ctx { fleet: &world.fleet, now: world.fleet.at };
    let rows = plan.rows(ctx);
    let mut columns = plan.columns(&world.fleet);
    columns.sort_by_key(|column| column.name);
    let rests_on = plan.answer_rests_on(ctx);
    let mut warnings = warnings(&world.snapshot, &rests_on);
    past::explain(&mut warnings, world);
    warnings.extend(undecided(plan.undecided(ctx)));
    let document = Document {
        as_of: as_of(&world.snapshot, &rests_on).map(|at| at.to_string()),
        at: world.timeline.past.map(|at| at.to_string()),
        data: Rows { columns: &columns, ctx, rows: &rows },
        kind: plan.kind.word(),
        schema: SCHEMA,
        warnings: &warnings,
    };
    out.stream(|writer| json::write_document(&document, writer))?;
    Ok(warnings)
}

/// What the JSON document is called.
const SCHEMA: &str = "coredeck.get.v1";

/// The document, its keys in their order.
#[derive(Serialize)]
struct Document<'a> {
    as_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    data: Rows<'a>,
    kind: &'static str,
    schema: &'static str,
    warnings: &'a [Warning],
}

/// Rows that are made one after the other while they are written. Columns stand in the order of their names.
struct Rows<'a> {
    columns: &'a [&'a Column],
    ctx: Ctx<'a>,
    rows: &'a [usize],
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|at| Row { of: self, at: *at }))
    }
}

struct Row<'a> {
    of: &'a Rows<'a>,
    at: usize,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let columns = self.of.columns.iter();
        serializer.collect_map(columns.map(|column| (column.name, column.json(self.of.ctx, self.at))))
    }
}

/// Rows as objects with a value for every column.
pub(super) fn data(columns: &[&Column], ctx: Ctx<'_>, rows: &[usize]) -> Json {
    rows.iter().map(|at| Json::Object(object(columns, ctx, *at))).collect()
}

/// One row as an object.
pub(super) fn object(columns: &[&Column], ctx: Ctx<'_>, at: usize) -> Map<String, Json> {
    columns.iter().map(|column| (column.name.to_owned(), column.json(ctx, at))).collect()
}

fn headings(columns: &[&Column]) -> Vec<Heading> {
    columns
        .iter()
        .map(|column| Heading {
            title: column.title.to_owned(),
            unit: column.unit,
            is_id: column.name == "id",
        })
        .collect()
}

fn cells(columns: &[&Column], ctx: Ctx<'_>, rows: &[usize]) -> Vec<Vec<Cell>> {
    let row = |at: &usize| {
        let cell = |column: &&Column| {
            let value = (column.get)(ctx, *at);
            let health = if let Value::Health(health) = value { Some(health) } else { None };
            Cell { text: cell::text(value, column.unit, ctx.now), health }
        };
        columns.iter().map(cell).collect()
    };
    rows.iter().map(row).collect()
}

fn csv(plan: &Plan, columns: &[&Column], ctx: Ctx<'_>, rows: &[usize]) -> Result<String> {
    let wrong = |why: csv::Error| Error::failed("cannot write CSV").because(why);
    let mut writer = csv::Writer::from_writer(Vec::new());
    if plan.has_headings {
        writer.write_record(columns.iter().map(|column| column.name)).map_err(wrong)?;
    }
    for at in rows {
        let cells = columns.iter().map(|column| cell::csv(column.json(ctx, *at)));
        writer.write_record(cells).map_err(wrong)?;
    }
    let bytes =
        writer.into_inner().map_err(|why| Error::failed("cannot write CSV").because(why.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
