//! What a `get` will read, choose and show: decided before anything is asked of AWS.

use super::args::{Format, GetArgs};
use super::choose::Choice;
use super::grouped;
use super::partial::{Warning, with_needs};
use crate::error::Result;
use crate::fleet::Fleet;
use crate::gateway::Source;
use crate::model::{CoreId, Gauges, Scope};
use crate::query::asked::cores_asked;
use crate::query::{Column, Ctx, Kind, Shown, Width};

/// A `get`, understood.
pub(super) struct Plan {
    pub(super) kind: Kind,
    choice: Choice,
    /// The columns that were named; none means those that the format usually has.
    named: Option<Vec<&'static Column>>,
    limit: Option<usize>,
    /// The column that rows are put together by.
    pub(super) group_by: Option<&'static Column>,
    /// Nobody named an order: groups stand by their names.
    pub(super) is_by_name: bool,
    pub(super) format: Format,
    pub(super) has_headings: bool,
    /// Everything to read, except metrics.
    pub(super) sources: Vec<Source>,
    /// Whose metrics are to be read.
    pub(super) metrics: MetricsOf,
    /// Which metrics: each is paid for.
    pub(super) gauges: Gauges,
    /// Sources that only refine how well something is: the answer is whole without them, and says so.
    beside: Vec<Source>,
}

/// Whose metrics a plan needs. They cost money, so only columns that were named ask for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetricsOf {
    /// Nobody's.
    Nobody,
    /// Those of the rows that are shown.
    Shown,
    /// Those of the rows about which they decide: whether they are shown, or in which order.
    Undecided,
}

impl Plan {
    /// Understands what was typed, or says what is wrong with it.
    pub(super) fn new(args: &GetArgs) -> Result<Self> {
        let kind = Kind::parse(&args.kind)?;
        let choice = Choice::parse(kind, &args.query.join(" "), &args.sort)?;
        let named = columns(kind, &args.columns)?;
        let usual: Vec<&Column> = match (&named, args.output) {
            (Some(named), _) => named.clone(),
            (None, Format::Name) => Vec::new(),
            (None, Format::Table) => quick(kind),
            (None, Format::Wide | Format::Json | Format::Yaml | Format::Csv) => free(kind),
        };
        let group_by = args.group_by.as_deref().map(|name| grouped::by(kind, name)).transpose()?;
        let mut deciding = choice.columns().to_vec();
        deciding.extend(group_by);
        let is_paid = |columns: &[&Column]| columns.iter().any(|c| c.needs.contains(&Source::Metrics));
        let metrics = match (is_paid(&deciding), is_paid(&usual)) {
            (true, _) => MetricsOf::Undecided,
            (false, true) => MetricsOf::Shown,
            (false, false) => MetricsOf::Nobody,
        };
        let gauges = usual.iter().chain(&deciding).filter_map(|column| column.gauge()).collect();
        let needs = usual.iter().chain(&deciding).flat_map(|column| column.needs).copied();
        let has_usual_columns = matches!(args.output, Format::Table | Format::Wide) && named.is_none();
        let base = if has_usual_columns { kind.sources() } else { rows_of(kind) };
        let mut sources = with_needs(base.iter().copied().chain(needs));
        sources.retain(|source| *source != Source::Metrics);
        let beside: Vec<Source> = beside(kind, usual.iter().chain(&deciding), &sources);
        sources.extend(&beside);
        Ok(Self {
            kind,
            choice,
            named,
            limit: args.limit,
            group_by,
            is_by_name: args.sort.is_empty(),
            format: args.output,
            has_headings: !args.no_headers,
            sources,
            metrics,
            gauges,
            beside,
        })
    }

    /// The rows to show, in order.
    pub(super) fn rows(&self, ctx: Ctx<'_>) -> Vec<usize> {
        let mut rows = self.choice.rows(ctx);
        // Of groups it is those that are limited, not what they are made of.
        if self.group_by.is_none() {
            rows.truncate(self.most());
        }
        rows
    }

    /// The most lines to show.
    pub(super) fn most(&self) -> usize {
        self.limit.unwrap_or(usize::MAX)
    }

    /// The rows whose metrics are to be read.
    pub(super) fn metered(&self, ctx: Ctx<'_>) -> Vec<usize> {
        match self.metrics {
            MetricsOf::Nobody => Vec::new(),
            MetricsOf::Shown => self.rows(ctx),
            MetricsOf::Undecided => self.choice.open(Source::Metrics, ctx),
        }
    }

    /// The cores whose own word the answer needs, as far as the rest of the fleet tells.
    pub(super) fn asked(&self, ctx: Ctx<'_>) -> Vec<(Scope, CoreId)> {
        if !self.sources.contains(&Source::Admin) {
            return Vec::new();
        }
        let mut rows = self.choice.open(Source::Admin, ctx);
        if !self.choice.columns().iter().any(|column| column.needs.contains(&Source::Admin)) {
            rows = self.rows(ctx);
        }
        // What a core says of itself may be all that is wrong with it: where that decides, any may belong to the answer.
        if self.choice.columns().iter().any(|column| matches!(column.name, "health" | "troubles")) {
            rows = (0..self.kind.len(ctx.fleet)).collect();
        }
        cores_asked(self.kind, ctx.fleet, rows)
    }

    /// How many rows may or may not belong to the answer.
    pub(super) fn undecided(&self, ctx: Ctx<'_>) -> usize {
        self.choice.undecided(ctx)
    }

    /// The warnings without which the answer would be whole.
    pub(super) fn grave(&self, warnings: &[Warning]) -> Vec<Warning> {
        let is_beside = |warning: &&Warning| self.beside.iter().any(|it| Some(it.word()) == warning.source);
        warnings.iter().filter(|warning| !is_beside(warning)).cloned().collect()
    }

    /// The columns to show.
    pub(super) fn columns(&self, fleet: &Fleet) -> Vec<&'static Column> {
        match (&self.named, self.format) {
            (Some(named), _) => named.clone(),
            (None, Format::Table) => {
                let own = Source::with_needs(self.kind.sources());
                let mut columns = self.kind.visible(fleet, Width::Narrow);
                columns.retain(|column| rests_on(column, &own));
                columns
            }
            (None, Format::Wide) => self.kind.visible(fleet, Width::Wide),
            (None, Format::Json | Format::Yaml | Format::Csv) => free(self.kind),
            (None, Format::Name) => Vec::new(),
        }
    }

    /// Everything that an answer about these rows rests on: metrics that no row needs leave no gap.
    pub(super) fn answer_rests_on(&self, ctx: Ctx<'_>) -> Vec<Source> {
        if self.metered(ctx).is_empty() { self.sources.clone() } else { self.rests_on() }
    }

    /// Everything that may have to be read.
    pub(super) fn rests_on(&self) -> Vec<Source> {
        let metrics = (self.metrics != MetricsOf::Nobody).then_some(Source::Metrics);
        self.sources.iter().copied().chain(metrics).collect()
    }
}

/// What is read along where the columns tell how well an instance is, or what stands on one: an alarm that rings is a
/// reason, and for a core that its host cannot be told anything. Who may not list those sees all else, and is told.
fn beside<'a>(
    kind: Kind,
    mut columns: impl Iterator<Item = &'a &'static Column>,
    read: &[Source],
) -> Vec<Source> {
    let of_kind: &[Source] = match kind {
        Kind::Cores => &[Source::Alarms, Source::Agents],
        Kind::Instances | Kind::Tenants => &[Source::Alarms],
        _ => &[],
    };
    if !columns.any(|column| matches!(column.name, "health" | "troubles")) {
        return Vec::new();
    }
    of_kind.iter().copied().filter(|source| !read.contains(source)).collect()
}

/// The sources without which a kind has no rows. The columns of instances name all that they need
/// besides; those of other kinds rest on all of their kind's sources.
fn rows_of(kind: Kind) -> &'static [Source] {
    match kind {
        Kind::Instances => &[Source::Instances],
        kind => kind.sources(),
    }
}

/// Every column that costs nothing and says something of its own.
pub(super) fn free(kind: Kind) -> Vec<&'static Column> {
    kind.columns().iter().filter(|column| column.shown <= Shown::Wide).collect()
}

/// The columns of a plain table: those that the kind's own sources answer. A column that rests on more,
/// like the health of instances, is read whole or not shown at all: name it, or ask for `-o wide`.
fn quick(kind: Kind) -> Vec<&'static Column> {
    let own = Source::with_needs(kind.sources());
    let always = kind.columns().iter().filter(|column| column.shown == Shown::Always);
    always.filter(|column| rests_on(column, &own)).collect()
}

/// Tells whether a column needs nothing but these sources.
fn rests_on(column: &Column, sources: &[Source]) -> bool {
    column.needs.iter().all(|source| sources.contains(source))
}

/// Columns by name, each once.
fn columns(kind: Kind, names: &[String]) -> Result<Option<Vec<&'static Column>>> {
    let mut columns: Vec<&'static Column> = Vec::new();
    for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        let column = kind.column(name)?;
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    Ok((!columns.is_empty()).then_some(columns))
}
