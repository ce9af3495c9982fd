//! `coredeck calls`: what earlier runs asked of AWS, each with the command that asks it again, or in sums.

use super::Outside;
use super::args::{Format, GetArgs, Global};
use super::cell;
use super::json;
use super::output::{Colour, Output};
use super::plan::Plan;
use super::rows::{Answer, Paper, answer};
use super::table::{self, Cell, Heading};
use crate::config::{Surroundings, load, parse_span};
use crate::error::{Error, Result};
use crate::fleet::{Fleet, join};
use crate::gateway::{CallRecord, Spending};
use crate::model::text::harmless;
use crate::model::{Scope, Text};
use crate::query::{Ctx, Kind, Unit, Value};
use crate::snapshot::Snapshot;
use crate::store::{CallSum, call_sums, kept_calls};
use crate::world::World;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// `coredeck calls`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Calls of earlier runs are kept for 30 days, the last 20,000 of them; sums by the hour for as long.
Calls to another endpoint than AWS are kept apart: name it with --endpoint-url. A demo's are not kept.
Try: coredeck calls 'result!=ok' --since 1h, or coredeck calls --summary, or coredeck describe call ID")]
pub(super) struct CallsArgs {
    /// Which of them; several words are joined by spaces
    #[arg(value_name = "QUERY")]
    query: Vec<String>,
    /// How to write them
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(super) output: Format,
    /// Only those of the last so long: 15m, 1h, 7d
    #[arg(long, value_name = "DURATION")]
    since: Option<String>,
    /// Write sums by account, region and token bucket instead; without a query they begin with a full hour
    #[arg(long, conflicts_with_all = ["columns", "sort", "limit"])]
    summary: bool,
    /// Which columns, by name
    #[arg(long, value_delimiter = ',', value_name = "COLUMN,…")]
    columns: Vec<String>,
    /// Sort by these columns; `:desc` turns one around. The newest come first otherwise
    #[arg(long, value_delimiter = ',', value_name = "COLUMN[:desc],…")]
    sort: Vec<String>,
    /// Write at most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Leave the headings away
    #[arg(long)]
    no_headers: bool,
}

impl From<&GetArgs> for CallsArgs {
    fn from(args: &GetArgs) -> Self {
        let GetArgs { query, output, columns, sort, limit, no_headers, .. } = args.clone();
        Self { query, output, since: None, summary: false, columns, sort, limit, no_headers }
    }
}

/// What a sum is called in JSON.
const SUM_FIELDS: [&str; 9] =
    ["account", "region", "bucket", "calls", "requests", "throttles", "failures", "mean_duration", "dollars"];

/// The file that keeps the calls of runs: none without a folder for what can be lost.
pub(super) fn file(cache_folder: Option<&Path>) -> Option<PathBuf> {
    Some(cache_folder?.join("coredeck").join("calls.db"))
}

/// Where calls are looked for.
struct Archive {
    file: Option<PathBuf>,
    endpoint: Option<String>,
    now: Timestamp,
}

impl Archive {
    fn open(global: &Global, outside: &Outside, out: &mut Output) -> Result<Self> {
        if global.demo {
            out.say(
                "the calls of a demo are not kept; they show on the screen: `coredeck --demo`, then type `:calls`",
            );
            return Ok(Self { file: None, endpoint: None, now: outside.clock.now() });
        }
        let loaded = load(&global.flags(), &outside.around)?;
        loaded.warnings.iter().for_each(|warning| out.warn(&warning.to_string()));
        Ok(Self {
            file: file(outside.around.cache_folder.as_deref()),
            endpoint: endpoint(loaded.config.endpoint_url, &outside.around),
            now: outside.clock.now(),
        })
    }

    fn calls(&self, since: Timestamp) -> Result<Vec<Arc<CallRecord>>> {
        self.file.as_deref().map_or(Ok(Vec::new()), |file| kept_calls(file, self.endpoint.as_deref(), since))
    }

    /// A world that holds nothing but calls.
    fn world(&self, since: Timestamp) -> Result<World> {
        let snapshot = Snapshot { seq: 0, taken_at: self.now, parts: Vec::new(), troubles: Vec::new() };
        let fleet = Fleet { calls: Arc::from(self.calls(since)?), ..join(&snapshot, &[]) };
        Ok(World {
            snapshot: Arc::new(snapshot),
            fleet: Arc::new(fleet),
            spending: Spending::default(),
            buckets: Arc::default(),
            retries: Arc::default(),
            timeline: Default::default(),
        })
    }
}

/// Where AWS is, when it is not AWS: what the configuration names, or else the environment.
pub(super) fn endpoint(configured: Option<String>, around: &Surroundings) -> Option<String> {
    configured.or_else(|| around.var("AWS_ENDPOINT_URL").map(str::to_owned))
}

/// Runs the command.
pub(super) fn run(args: &CallsArgs, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    let mut get = GetArgs {
        kind: Kind::Calls.word().to_owned(),
        query: args.query.clone(),
        output: args.output,
        columns: args.columns.clone(),
        sort: args.sort.clone(),
        group_by: None,
        limit: args.limit,
        watch: None,
        at: None,
        timeout: None,
        allow_partial: true,
        no_headers: args.no_headers,
    };
    if get.sort.is_empty() {
        get.sort.push("called_at:desc".to_owned());
    }
    let plan = Plan::new(&get)?;
    if args.summary && args.output == Format::Name {
        return Err(Error::usage("sums have no names").hint("write them with -o table, json, yaml or csv"));
    }
    let ago = args
        .since
        .as_deref()
        .map(|typed| parse_span(typed).map_err(|why| Error::usage(format!("--since {typed}: {why}"))));
    let archive = Archive::open(global, outside, out)?;
    let since = match ago.transpose()? {
        Some(ago) => archive.now.checked_sub(ago).unwrap_or(Timestamp::MIN),
        None => Timestamp::MIN,
    };
    if !args.summary {
        let world = archive.world(since)?;
        let paper = Paper { width: out.width, colour: out.colour, is_stream: false };
        let Answer { text, .. } = answer(&plan, &world, paper)?;
        out.data(&text)?;
        if text.is_empty() {
            out.say("no calls found");
        }
        return Ok(());
    }
    let sums = if args.query.is_empty() {
        let file = archive.file.as_deref();
        file.map_or(Ok(Vec::new()), |file| call_sums(file, archive.endpoint.as_deref(), since))?
    } else {
        let world = archive.world(since)?;
        let rows = plan.rows(Ctx { fleet: &world.fleet, now: archive.now });
        sums(rows.into_iter().filter_map(|at| world.fleet.calls.get(at)))
    };
    let text = summary(&sums, args, &archive, out)?;
    out.data(&text)?;
    if sums.is_empty() && matches!(args.output, Format::Table | Format::Wide) {
        out.say("no calls found");
    }
    Ok(())
}

/// `coredeck describe call`
pub(super) fn describe(
    args: &super::args::DescribeArgs,
    global: &Global,
    outside: &Outside,
    out: &mut Output,
) -> Result<()> {
    let world = Archive::open(global, outside, out)?.world(Timestamp::MIN)?;
    super::describe::answer(args, Kind::Calls, &world, None, out)
}

/// Sums of these calls by bucket.
fn sums<'a>(calls: impl Iterator<Item = &'a Arc<CallRecord>>) -> Vec<CallSum> {
    let mut sums: BTreeMap<(&Scope, &Text), CallSum> = BTreeMap::new();
    for call in calls {
        let sum = sums.entry((call.scope.as_ref(), &call.family)).or_insert_with(|| CallSum {
            scope: Scope::clone(&call.scope),
            family: call.family.clone(),
            calls: 0,
            spending: Spending::default(),
            took: Duration::ZERO,
        });
        sum.calls += 1;
        sum.spending.calls += u64::from(call.attempts);
        sum.spending.throttles += u64::from(call.throttles);
        sum.spending.failures += u64::from(call.outcome.is_failure());
        sum.spending.dollars += call.cost;
        sum.took = sum.took.saturating_add(call.took);
    }
    sums.into_values().collect()
}

/// The values of a sum, with the units of their columns.
fn values(sum: &CallSum) -> [(Value<'_>, Unit); 9] {
    let mean = sum.took.checked_div(u32::try_from(sum.calls).unwrap_or(u32::MAX)).unwrap_or_default();
    [
        (Value::text(&sum.scope.account), Unit::Text),
        (Value::text(&sum.scope.region), Unit::Text),
        (Value::text(&sum.family), Unit::Text),
        (Value::count(sum.calls), Unit::Count),
        (Value::count(sum.spending.calls), Unit::Count),
        (Value::count(sum.spending.throttles), Unit::Count),
        (Value::count(sum.spending.failures), Unit::Count),
        (Value::Span(mean), Unit::Span),
        (Value::Dollars(sum.spending.dollars), Unit::Dollars),
    ]
}

fn summary(sums: &[CallSum], args: &CallsArgs, archive: &Archive, out: &Output) -> Result<String> {
    let object = |sum: &CallSum| -> Json {
        let fields = SUM_FIELDS.iter().zip(values(sum));
        Json::Object(fields.map(|(name, (value, _))| ((*name).to_owned(), value.json())).collect())
    };
    let document = || {
        json!({
            "schema": "coredeck.calls.v1",
            "as_of": archive.now.to_string(),
            "data": sums.iter().map(object).collect::<Json>(),
        })
    };
    Ok(match args.output {
        Format::Json => json::document(&document()),
        Format::Yaml => json::yaml(&document()),
        Format::Csv => csv(sums, !args.no_headers)?,
        Format::Table | Format::Wide | Format::Name => {
            let units =
                [Unit::Text, Unit::Text, Unit::Text, Unit::Count, Unit::Count, Unit::Count, Unit::Count];
            let units = units.into_iter().chain([Unit::Span, Unit::Dollars]);
            let headings: Vec<Heading> = SUM_FIELDS
                .iter()
                .zip(units)
                .map(|(name, unit)| Heading {
                    title: name.replace('_', " ").to_uppercase(),
                    unit,
                    is_id: *name == "bucket",
                })
                .collect();
            let row = |sum: &CallSum| -> Vec<Cell> {
                let cells = values(sum).into_iter();
                cells
                    .map(|(value, unit)| Cell { text: cell::text(value, unit, archive.now), health: None })
                    .collect()
            };
            let rows: Vec<Vec<Cell>> = sums.iter().map(row).collect();
            let has_headings = !args.no_headers && !rows.is_empty();
            table::draw(&headings, &rows, has_headings, out.width, Colour::No)
        }
    })
}

fn csv(sums: &[CallSum], has_headings: bool) -> Result<String> {
    let wrong = |why: csv::Error| Error::failed("cannot write CSV").because(why);
    let mut writer = csv::Writer::from_writer(Vec::new());
    if has_headings {
        writer.write_record(SUM_FIELDS).map_err(wrong)?;
    }
    for sum in sums {
        let cells = values(sum).map(|(value, _)| harmless(&cell::csv(value.json())).into_owned());
        writer.write_record(cells).map_err(wrong)?;
    }
    let bytes =
        writer.into_inner().map_err(|why| Error::failed("cannot write CSV").because(why.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
