//! `coredeck describe`: everything that is known of one thing, what is wrong with it, and what belongs to it.

mod word;

use super::args::{DescribeArgs, DescribeFormat};
use super::cell;
use super::json;
use super::output::{Colour, Output, paint};
use super::partial::{Extent, Warning, as_of, texts, verdict, warnings, with_needs};
use super::past;
use super::plan::free;
use super::reach::Reach;
use super::rows::object;
use crate::config::Figures;
use crate::error::{Error, Result};
use crate::gateway::Source;
use crate::model::text::harmless;
use crate::query::asked::cores_asked;
use crate::query::related::{gone, related, sources};
use crate::query::{Column, Ctx, Kind, Value};
use crate::world::{Interest, World};
use serde_json::{Map, Value as Json, json};
use unicode_width::UnicodeWidthStr;

/// So many related things of a kind are named; the rest is counted.
const NAMED: usize = 20;

/// Runs the command.
pub(super) async fn run(args: &DescribeArgs, reach: &Reach, out: &mut Output) -> Result<()> {
    let kind = Kind::parse(&args.kind)?;
    let rests_on = rests_on(kind);
    let limit = super::get::limit(args.timeout.as_deref())?;
    let world = match reach.asks_by_ways(&rests_on) {
        Some(first) => {
            let world = reach.once(&first, Interest::default(), limit, out).await;
            let ctx = Ctx { fleet: &world.fleet, now: world.fleet.at };
            let cores = cores_asked(kind, ctx.fleet, kind.find(ctx, &args.id));
            reach.ask_cores(&world, cores, limit, out).await?
        }
        None => reach.once(&rests_on, Interest::default(), limit, out).await,
    };
    answer(args, kind, &world, Some(&reach.config.capacity), out)
}

/// Everything that a description of this kind rests on.
pub(super) fn rests_on(kind: Kind) -> Vec<Source> {
    let columns = free(kind).into_iter().flat_map(|column| column.needs).copied();
    with_needs(kind.sources().iter().copied().chain(columns).chain(sources(kind)))
}

/// Describes what the id names, in all accounts and regions.
pub(super) fn answer(
    args: &DescribeArgs,
    kind: Kind,
    world: &World,
    figures: Option<&Figures>,
    out: &mut Output,
) -> Result<()> {
    let ctx = Ctx { fleet: &world.fleet, now: world.fleet.at };
    let rests_on = rests_on(kind);
    let mut warnings = warnings(&world.snapshot, &rests_on);
    past::explain(&mut warnings, world);
    let rows = kind.find(ctx, &args.id);
    if rows.is_empty() {
        texts(&warnings).iter().for_each(|text| out.warn(text));
        return Err(unknown(ctx, kind, &args.id, &warnings));
    }
    let text = match args.output {
        DescribeFormat::Text => {
            let texts = rows.iter().map(|at| {
                let mut text = text(ctx, kind, *at, out.colour);
                word::text(ctx.fleet, kind, *at, figures, out.colour, &mut text);
                text
            });
            texts.collect::<Vec<_>>().join("\n")
        }
        DescribeFormat::Json | DescribeFormat::Yaml => {
            let data: Json = rows
                .iter()
                .map(|at| {
                    let mut object = document(ctx, kind, *at);
                    word::document(ctx.fleet, kind, *at, figures, &mut object);
                    Json::Object(object)
                })
                .collect();
            let as_of = as_of(&world.snapshot, &rests_on).map(|at| at.to_string());
            let mut document = json!({
                "schema": "coredeck.describe.v1",
                "kind": kind.word(),
                "as_of": as_of,
                "data": data,
                "warnings": warnings,
            });
            past::mark(&mut document, world);
            if args.output == DescribeFormat::Json {
                json::document(&document)
            } else {
                json::yaml(&document)
            }
        }
    };
    out.data(&text)?;
    if rows.len() > 1 {
        let (count, id) = (rows.len(), harmless(&args.id));
        out.say(&format!(
            "{count} {kind} are called '{id}': each is described; an id, --profile or --region picks one"
        ));
    }
    texts(&warnings).iter().for_each(|text| out.warn(text));
    verdict(&warnings, args.allow_partial, Extent::Something)
}

/// The error for an id that names nothing, with ids and names that are near to it.
fn unknown(ctx: Ctx<'_>, kind: Kind, id: &str, warnings: &[Warning]) -> Error {
    let mut names: Vec<String> = Vec::new();
    for name in ["id", "name"] {
        let Some(column) = kind.columns().iter().find(|column| column.name == name) else { continue };
        names.extend((0..kind.len(ctx.fleet)).filter_map(|at| match (column.get)(ctx, at) {
            Value::Text(text) if !text.is_empty() => Some(text.into_owned()),
            _ => None,
        }));
    }
    let typed = id.to_lowercase();
    let mut near: Vec<(f64, &str)> = names
        .iter()
        .map(|name| {
            let lower = name.to_lowercase();
            let holds = !typed.is_empty() && lower.contains(&typed);
            (if holds { 1.0 } else { strsim::jaro_winkler(&typed, &lower) }, name.as_str())
        })
        .filter(|(score, _)| *score >= 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.dedup_by(|a, b| a.1 == b.1);
    let mut error = Error::failed(format!("no {} is called '{}'", kind.singular(), harmless(id)));
    let near: Vec<String> = near.iter().take(3).map(|(_, name)| format!("'{}'", harmless(name))).collect();
    if !near.is_empty() {
        error = error.hint(format!("did you mean {}?", near.join(", ")));
    }
    if !warnings.is_empty() {
        error = error.hint("not everything could be read: it may stand where the warnings above say");
    }
    error.hint(format!("`coredeck get {kind} -o name` lists what there is"))
}

fn document(ctx: Ctx<'_>, kind: Kind, at: usize) -> Map<String, Json> {
    let mut object = object(&free(kind), ctx, at);
    object.insert("troubles".to_owned(), json!(kind.troubles(ctx, at)));
    let related: Map<String, Json> = related(ctx, kind, at)
        .into_iter()
        .map(|(kind, rows)| {
            let ids: Json = rows.iter().map(|at| json!(kind.id(ctx, *at as usize))).collect();
            (kind.word().to_owned(), ids)
        })
        .collect();
    object.insert("related".to_owned(), Json::Object(related));
    object
}

fn text(ctx: Ctx<'_>, kind: Kind, at: usize, colour: Colour) -> String {
    let scope =
        kind.scope(ctx, at).map(|scope| harmless(&scope.to_string()).into_owned()).unwrap_or_default();
    let title = format!("{} {}", kind.singular(), harmless(&kind.id(ctx, at)));
    let mut text = format!("{}  {scope}\n", paint(&title, "1", colour));
    let troubles = kind.troubles(ctx, at);
    let columns: Vec<&Column> = free(kind).into_iter().filter(|column| column.name != "troubles").collect();
    let widest = columns.iter().map(|column| column.name.width()).max().unwrap_or(0);
    for column in columns {
        let value = (column.get)(ctx, at);
        let lines = lines(&value, column, ctx);
        for (nth, line) in lines.iter().enumerate() {
            let name = if nth == 0 { column.name } else { "" };
            let line = match &value {
                Value::Health(health) => paint(line, cell::style(*health), colour),
                _ => line.clone(),
            };
            text.push_str(format!("  {name:widest$}  {line}").trim_end());
            text.push('\n');
        }
    }
    if !troubles.is_empty() {
        text.push_str(&format!("{}\n", paint("troubles", "1", colour)));
        for trouble in troubles {
            text.push_str(&format!("  - {}\n", harmless(trouble)));
        }
    }
    let related = related(ctx, kind, at);
    if !related.is_empty() {
        text.push_str(&format!("{}\n", paint("related", "1", colour)));
    }
    let widest = related.iter().map(|(kind, _)| kind.word().len()).max().unwrap_or(0);
    for (kind, rows) in related {
        for (nth, row) in rows.iter().take(NAMED).enumerate() {
            let word = if nth == 0 { kind.word() } else { "" };
            let health = kind.health(ctx, *row as usize).map(|health| {
                paint(&format!("{} {}", cell::sign(health), health.word()), cell::style(health), colour)
            });
            let id = harmless(&kind.id(ctx, *row as usize)).into_owned();
            let gone = if gone(ctx, kind, &[*row]) > 0 { "  gone" } else { "" };
            text.push_str(format!("  {word:widest$}  {id}  {}{gone}", health.unwrap_or_default()).trim_end());
            text.push('\n');
        }
        if rows.len() > NAMED {
            let gone = match gone(ctx, kind, &rows) {
                0 => String::new(),
                gone => format!("; {gone} of all {} gone", rows.len()),
            };
            text.push_str(&format!("  {:widest$}  and {} more{gone}\n", "", rows.len() - NAMED));
        }
    }
    text
}

/// A value on lines of its own: tags and lists take one each, moments say the moment and its age.
fn lines(value: &Value<'_>, column: &Column, ctx: Ctx<'_>) -> Vec<String> {
    let one = || vec![cell::text(value.clone(), column.unit, ctx.now)];
    let lines = match value {
        Value::Moment(at) => vec![format!("{at} ({})", cell::text(value.clone(), column.unit, ctx.now))],
        Value::Tags(tags) => cell::pairs(tags),
        Value::List(items) => items.iter().map(|item| harmless(item).into_owned()).collect(),
        Value::Nested(Json::Array(items)) => {
            items.iter().map(|item| cell::text(Value::Nested(item.clone()), column.unit, ctx.now)).collect()
        }
        _ => one(),
    };
    if lines.is_empty() { one() } else { lines }
}
