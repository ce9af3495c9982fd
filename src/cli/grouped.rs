//! Rows put together: one line for each group, with how many rows it has, how well they are, and sums.
//!
//! The groups and the sums are those of the screen (`query::group`). Health is counted where the answer has
//! it: what was not read is not called unknown.

use super::args::Format;
use super::partial::{Warning, as_of};
use super::plan::Plan;
use super::rows::{Answer, Paper};
use super::table::{self, Cell, Heading};
use super::{cell, json, past};
use crate::error::{Error, Result};
use crate::model::Health;
use crate::query::group::{Group, Subtotal, group, is_groupable, subtotal};
use crate::query::{Column, Ctx, Kind, Unit, Value, natural};
use crate::world::World;
use serde_json::{Map, Value as Json, json};

/// What the JSON document is called: its data has another shape than that of rows.
const SCHEMA: &str = "coredeck.get.groups.v1";

/// How well rows may be, from worst to best.
const WORST_FIRST: [Health; 5] = [Health::Bad, Health::Warn, Health::Unknown, Health::Busy, Health::Ok];

/// The column of that name, if rows can be put together by it.
pub(super) fn by(kind: Kind, name: &str) -> Result<&'static Column> {
    let column = kind.column(name)?;
    if is_groupable(column) {
        return Ok(column);
    }
    let names: Vec<&str> =
        kind.columns().iter().filter(|column| is_groupable(column)).map(|column| column.name).collect();
    Err(Error::usage(format!("--group-by {}: it says something else of every row", column.name))
        .hint(format!("{kind} can be put together by {}", names.join(", "))))
}

/// Groups with what is told of each.
struct Sums<'a> {
    by: &'static Column,
    groups: Vec<Group>,
    /// Columns of which a sum means something.
    columns: Vec<&'static Column>,
    has_health: bool,
    ctx: Ctx<'a>,
}

impl<'a> Sums<'a> {
    fn of(plan: &Plan, by: &'static Column, world: &'a World) -> Self {
        let ctx = Ctx { fleet: &world.fleet, now: world.fleet.at };
        let rows: Vec<u32> = plan.rows(ctx).into_iter().filter_map(|at| u32::try_from(at).ok()).collect();
        let mut groups = group(ctx, plan.kind, by, &rows);
        if plan.is_by_name {
            groups.sort_by(|a, b| natural::order(&a.name, &b.name));
        }
        groups.truncate(plan.most());
        let shown = plan.columns(&world.fleet);
        let has_health = shown.iter().any(|column| column.unit == Unit::Health);
        let mut columns = shown;
        columns.retain(|column| {
            *column != by && groups.iter().any(|group| subtotal(ctx, column, &group.rows).is_some())
        });
        Self { by, groups, columns, has_health, ctx }
    }

    fn sums(&self, group: &Group) -> Vec<Option<Subtotal>> {
        self.columns.iter().map(|column| subtotal(self.ctx, column, &group.rows)).collect()
    }

    fn data(&self) -> Json {
        self.groups.iter().map(|group| Json::Object(self.object(group))).collect()
    }

    fn object(&self, group: &Group) -> Map<String, Json> {
        let mut object = Map::new();
        let said = group.rows.first().map(|row| (self.by.get)(self.ctx, *row as usize));
        let name = match &said {
            Some(Value::Absent | Value::Unknown(_)) | None => Json::Null,
            Some(_) => json!(group.name),
        };
        object.insert(self.by.name.to_owned(), name);
        object.insert("is_known".to_owned(), json!(!matches!(said, Some(Value::Unknown(_)))));
        object.insert("count".to_owned(), json!(group.rows.len()));
        if self.has_health {
            let counts = WORST_FIRST.map(|health| (health.word().to_owned(), json!(count(group, health))));
            object.insert("health".to_owned(), Json::Object(counts.into_iter().collect()));
        }
        let (mut sums, mut at_least) = (Map::new(), Vec::new());
        for (column, sum) in self.columns.iter().zip(self.sums(group)) {
            if sum.as_ref().is_some_and(|sum| !sum.is_whole) {
                at_least.push(column.name);
            }
            sums.insert(column.name.to_owned(), sum.map_or(Json::Null, |sum| sum.value.json()));
        }
        object.insert("sums".to_owned(), Json::Object(sums));
        object.insert("at_least".to_owned(), json!(at_least));
        object
    }

    /// Those healths that some row has: a table has no room for columns of nothing.
    fn healths(&self) -> Vec<Health> {
        let is_there = |health: &Health| self.groups.iter().any(|group| count(group, *health) > 0);
        WORST_FIRST.into_iter().filter(|health| self.has_health && is_there(health)).collect()
    }

    fn table(&self, plan: &Plan, paper: Paper) -> String {
        let heading = |title: &str, unit| Heading { title: title.to_owned(), unit, is_id: false };
        let mut headings = vec![
            Heading { is_id: true, ..heading(self.by.title, Unit::Text) },
            heading("COUNT", Unit::Count),
        ];
        let healths = self.healths();
        headings.extend(healths.iter().map(|health| heading(&health.word().to_uppercase(), Unit::Count)));
        headings.extend(self.columns.iter().map(|column| heading(column.title, Unit::Count)));
        let rows: Vec<Vec<Cell>> = self.groups.iter().map(|group| self.cells(group, &healths)).collect();
        let has_headings = plan.has_headings && !rows.is_empty();
        table::draw(&headings, &rows, has_headings, paper.width, paper.colour)
    }

    fn cells(&self, group: &Group, healths: &[Health]) -> Vec<Cell> {
        let plain = |text: String| Cell { text, health: None };
        let mut cells = vec![plain(group.name.clone()), plain(group.rows.len().to_string())];
        cells.extend(healths.iter().map(|health| match count(group, *health) {
            0 => plain("-".to_owned()),
            n => Cell { text: n.to_string(), health: Some(*health) },
        }));
        cells.extend(self.columns.iter().zip(self.sums(group)).map(|(column, sum)| {
            plain(sum.map_or_else(
                || "?".to_owned(),
                |sum| {
                    let at_least = if sum.is_whole { "" } else { "≥" };
                    format!("{at_least}{}", cell::text(sum.value, column.unit, self.ctx.now))
                },
            ))
        }));
        cells
    }

    fn csv(&self, plan: &Plan) -> Result<String> {
        let wrong = |why: csv::Error| Error::failed("cannot write CSV").because(why);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut names = vec![self.by.name, "count"];
        let healths = if self.has_health { WORST_FIRST.to_vec() } else { Vec::new() };
        names.extend(healths.iter().map(|health| health.word()));
        names.extend(self.columns.iter().map(|column| column.name));
        if plan.has_headings {
            writer.write_record(names).map_err(wrong)?;
        }
        for group in &self.groups {
            let mut cells = vec![cell::csv(json!(group.name)), group.rows.len().to_string()];
            cells.extend(healths.iter().map(|health| count(group, *health).to_string()));
            let sums = self.sums(group).into_iter();
            cells.extend(sums.map(|sum| sum.map_or_else(String::new, |sum| cell::csv(sum.value.json()))));
            writer.write_record(cells).map_err(wrong)?;
        }
        let bytes =
            writer.into_inner().map_err(|why| Error::failed("cannot write CSV").because(why.to_string()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn count(group: &Group, health: Health) -> u32 {
    group.by_health.iter().find(|(of, _)| *of == health).map_or(0, |(_, count)| *count)
}

/// Answers a plan whose rows are put together. The warnings are those of its rows.
pub(super) fn answer(
    plan: &Plan,
    by: &'static Column,
    world: &World,
    paper: Paper,
    warnings: Vec<Warning>,
) -> Result<Answer> {
    let sums = Sums::of(plan, by, world);
    let data = sums.data();
    let text = match plan.format {
        Format::Table | Format::Wide => sums.table(plan, paper),
        Format::Csv => sums.csv(plan)?,
        Format::Name => sums.groups.iter().map(|group| format!("{}\n", group.name)).collect(),
        Format::Json | Format::Yaml => {
            let rests_on = plan.answer_rests_on(sums.ctx);
            let mut document = json!({
                "schema": SCHEMA,
                "kind": plan.kind.word(),
                "group_by": by.name,
                "as_of": as_of(&world.snapshot, &rests_on).map(|at| at.to_string()),
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
    let told = warnings.iter().map(|w| (&w.scope, w.source, w.kind)).collect::<Vec<_>>();
    let essence = json!([data, told]);
    Ok(Answer { text, warnings, essence })
}
