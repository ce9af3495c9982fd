//! Which rows a list shows, in which order, and how wide its columns are.
//!
//! Made when the world, the filter, the columns or the order changes, never while drawing; of a large table
//! not even on the drawing task (`ask`).

use super::cell;
use super::drill::Drill;
use super::ordered::{Before, Ordered};
use super::probe::Probe;
use super::rowname::{is_called, key};
use super::sift::{Sifted, in_order, sift, sift_in_order};
use super::state::{List, Pick, RowKey, SortBy};
use crate::fleet::Fleet;
use crate::gateway::Source;
use crate::model::{Health, Scope};
use crate::query::group::{Group, group};
use crate::query::{Column, Ctx, Direction, Kind, Query, Sort, Unit, Width, sort};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;
use unicode_width::UnicodeWidthStr;

/// How many rows decide how wide a column is.
const MEASURED: usize = 400;

/// The widest that a column may be in a table; the describe page shows all of a value.
const WIDEST: usize = 36;

/// What a list of calls shows.
const CALLS: [&str; 6] = ["called_at", "result", "code", "duration", "cost", "command"];

/// What decides which lines a list shows, in which order and with which columns.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    pub(super) kind: Kind,
    pub(super) drill: Option<Drill>,
    filter: String,
    pub(super) sort: Option<SortBy>,
    group_by: Option<&'static str>,
    folded: BTreeSet<String>,
    chosen: Option<Vec<&'static str>>,
    is_wide: bool,
    has_metrics: bool,
}

/// The rows of a list, as numbers into the fleet that it was made for.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// What was asked; none before any answer.
    pub(super) question: Option<Question>,
    pub(super) fleet: Option<Arc<Fleet>>,
    pub(super) rows: Vec<u32>,
    /// How many there were before the filter.
    pub(super) of: usize,
    /// Rows of the list that the filter could not decide, because what it asks is not known of them.
    pub(super) undecided: Vec<u32>,
    /// Columns that the filter asks and that cost money to read.
    pub(super) paid: Vec<&'static str>,
    pub(super) columns: Vec<Shape>,
    /// All rows of the list, where they were put in order, so that the next filter need not sort.
    pub(super) ordered: Option<Ordered>,
    /// Groups of rows, where rows are put together, and the lines that show then.
    pub(super) groups: Vec<Group>,
    pub(super) lines: Vec<Line>,
}

/// A line of a list whose rows are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The head of a group, by its number.
    Head(usize),
    /// A row.
    Row(u32),
}

impl View {
    /// Its rows are put together in groups.
    fn is_grouped(&self) -> bool {
        self.question.as_ref().is_some_and(|question| question.group_by.is_some())
    }

    /// How many lines there are: rows, or the heads of groups and the rows that are not folded away.
    fn count(&self) -> usize {
        if self.is_grouped() { self.lines.len() } else { self.rows.len() }
    }

    /// The row of the fleet that a line shows; none where it is the head of a group.
    fn row(&self, line: usize) -> Option<usize> {
        let row = if self.is_grouped() {
            match self.lines.get(line) {
                Some(Line::Row(row)) => Some(row),
                _ => None,
            }
        } else {
            self.rows.get(line)
        };
        row.and_then(|at| usize::try_from(*at).ok())
    }

    /// Goes on with the rows it has for a fleet whose rows are the very same; tells whether it could.
    pub(super) fn takes_over(&mut self, question: &Question, fleet: &Arc<Fleet>) -> bool {
        let is_same = question.is_of_rows()
            && self.question.as_ref() == Some(question)
            && self.fleet.as_ref().is_some_and(|before| fleet.shares_rows_with(before));
        if is_same {
            self.go_on_with(fleet);
        }
        is_same
    }

    /// Shows the same rows of a fleet that shares them, and lets go of the one before.
    fn go_on_with(&mut self, fleet: &Arc<Fleet>) {
        self.fleet = Some(Arc::clone(fleet));
        if let Some(ordered) = &mut self.ordered {
            ordered.go_on_with(fleet);
        }
    }

    /// Lets go of a fleet that is no longer the present one, which pages behind the open one would hold as long as they
    /// are remembered. Their rows are made again when somebody comes back to them.
    pub(super) fn forget_all_but(&mut self, fleet: &Arc<Fleet>) {
        let Some(question) = &self.question else { return };
        let question = question.clone();
        if !self.takes_over(&question, fleet) {
            *self = Self::default();
        }
    }

    /// The line that a row is on.
    pub(super) fn position_of(&self, wanted: &RowKey) -> Option<usize> {
        let (fleet, kind) = (self.fleet.as_deref()?, self.question.as_ref()?.kind);
        let ctx = Ctx { fleet, now: fleet.at };
        (0..self.count()).find(|line| self.row(*line).is_some_and(|at| is_called(kind, ctx, at, wanted)))
    }
}

/// A column that shows, and how wide it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) column: &'static Column,
    pub(super) width: u16,
    /// How wide it would be if nothing were cut.
    pub(super) full: u16,
}

impl Shape {
    /// Numbers stand at the right.
    pub(super) fn is_number(&self) -> bool {
        self.column.is_number() || matches!(self.column.unit, Unit::Moment | Unit::Span)
    }
}

impl List {
    pub(super) fn new(kind: Kind, drill: Option<Drill>) -> Self {
        Self {
            kind,
            drill,
            filter: String::new(),
            sort: None,
            group_by: None,
            folded: BTreeSet::new(),
            chosen: None,
            is_wide: false,
            has_metrics: false,
            left: 0,
            picking: None,
            picks: Pick::default(),
            anchor: None,
            is_chosen: false,
            view: View::default(),
            is_behind: false,
            probe: Probe::default(),
        }
    }

    /// What its lines are to answer.
    pub(super) fn question(&self) -> Question {
        Question {
            kind: self.kind,
            drill: self.drill.clone(),
            filter: self.filter.clone(),
            sort: self.sort,
            group_by: self.group_by,
            folded: self.folded.clone(),
            chosen: self.chosen.clone(),
            is_wide: self.is_wide,
            has_metrics: self.has_metrics,
        }
    }

    /// What is said before there is any answer.
    pub(super) fn first_answer(&self, fleet: &Fleet) -> Option<String> {
        let all = || format!("sorting {} {}", self.question().size(fleet), self.kind.word());
        self.view.question.is_none().then(all)
    }

    /// Tells whether the lines answer another question than the one that is asked now.
    pub(super) fn is_sorting(&self) -> bool {
        self.is_behind && self.view.question.as_ref() != Some(&self.question())
    }

    /// How many lines the list has: its rows, or the heads of groups and the rows that are not folded away.
    pub(super) fn count(&self) -> usize {
        self.view.count()
    }

    /// The row of the fleet that a line of the list shows; none where it is the head of a group.
    pub(super) fn row(&self, line: usize) -> Option<usize> {
        self.view.row(line)
    }

    /// The group whose head a line is.
    pub(super) fn head(&self, line: usize) -> Option<&Group> {
        match self.view.lines.get(line).filter(|_| self.view.is_grouped()) {
            Some(Line::Head(nth)) => self.view.groups.get(*nth),
            _ => None,
        }
    }

    /// The group that a line belongs to, and the line of its head.
    pub(super) fn group_of(&self, line: usize) -> Option<(usize, &Group)> {
        (0..=line).rev().find_map(|line| Some((line, self.head(line)?)))
    }

    /// What every row is called, in order, folded away or not.
    pub(super) fn keys(&self) -> impl Iterator<Item = RowKey> {
        let fleet = self.view.fleet.as_deref();
        self.view.rows.iter().filter_map(move |row| key(self.kind, fleet?, *row as usize))
    }

    /// What the row of a line is called.
    pub(super) fn key_of(&self, line: usize) -> Option<RowKey> {
        key(self.kind, self.view.fleet.as_deref()?, self.row(line)?)
    }

    /// The line that a row is on.
    pub(super) fn position_of(&self, wanted: &RowKey) -> Option<usize> {
        self.view.position_of(wanted)
    }

    pub(super) fn clamp_left(&mut self) {
        self.left = self.left.min(self.view.columns.len().saturating_sub(2));
    }
}

impl Question {
    /// How many rows must be looked at to answer it.
    pub(super) fn size(&self, fleet: &Fleet) -> usize {
        self.kind.len(fleet)
    }

    /// What decides which rows there are, as it was typed.
    pub(super) fn filter(&self) -> &str {
        &self.filter
    }

    /// Asks for rows of a fleet. Calls and events are in no fleet's rows and come as they please.
    pub(super) fn is_of_rows(&self) -> bool {
        !matches!(self.kind, Kind::Calls | Kind::Events)
    }

    /// Asks for rows of the same list in the same order, filter aside.
    pub(super) fn has_the_order_of(&self, other: &Self) -> bool {
        self.is_of_rows() && self.kind == other.kind && self.drill == other.drill && self.sort == other.sort
    }

    /// Answers it from the rows of a fleet, with what is known from before.
    pub(super) fn answer(
        self,
        fleet: &Arc<Fleet>,
        now: Timestamp,
        before: &Before,
        is_in_vain: &(dyn Fn() -> bool + Sync),
    ) -> View {
        let ctx = Ctx { fleet, now };
        let kind = self.kind;
        // A filter is only ever kept when it could be read.
        let query = Query::parse(&self.filter, kind).ok().filter(|query| !query.is_every());
        let enough = query.as_ref().and_then(|query| before.enough_for(&self, query, fleet));
        let mut ordered = before.ordered.clone().filter(|before| before.is_of(&self, fleet));
        if let Some(ordered) = &mut ordered {
            ordered.go_on_with(fleet);
        }
        let all = match &ordered {
            Some(ordered) => Arc::clone(&ordered.rows),
            None => match &self.drill {
                Some(drill) => drill.rows(kind, ctx).into(),
                None => (0..u32::try_from(kind.len(fleet)).unwrap_or(u32::MAX)).collect(),
            },
        };
        let of = all.len();
        let put_in_order = |rows: &[u32]| {
            let mut rows = rows.to_vec();
            self.order(ctx, &mut rows);
            rows
        };
        let Sifted { rows, undecided } = match (&query, &ordered) {
            (Some(query), _) if enough.is_some() => {
                sift_in_order(query, ctx, enough.unwrap_or_default(), is_in_vain)
            }
            (Some(query), Some(_)) => sift_in_order(query, ctx, &all, is_in_vain),
            (Some(query), None) => {
                let Sifted { rows, undecided } = sift(query, ctx, &all, is_in_vain);
                // Where most rows are found all are put in order: the next letter of the filter is then cheap.
                if rows.len() * 2 > all.len() {
                    let all = put_in_order(&all);
                    ordered = Ordered::worth_keeping(&self, fleet, &all);
                    Sifted { rows: in_order(&all, &rows), undecided }
                } else {
                    Sifted { rows: put_in_order(&rows), undecided }
                }
            }
            (None, Some(_)) => Sifted { rows: all.to_vec(), undecided: Vec::new() },
            (None, None) => {
                let rows = put_in_order(&all);
                ordered = Ordered::worth_keeping(&self, fleet, &rows);
                Sifted { rows, undecided: Vec::new() }
            }
        };
        let asked = query.as_ref().map(Query::columns_used).unwrap_or_default();
        let paid = asked.iter().filter(|column| column.needs.contains(&Source::Metrics));
        let paid = paid.map(|column| column.name).collect();
        let columns = self.columns(fleet, query.as_ref());
        let shapes = columns.into_iter().map(|column| {
            let step = rows.len().div_ceil(MEASURED).max(1);
            let shown = rows.iter().step_by(step).map(|at| {
                let value = (column.get)(ctx, usize::try_from(*at).unwrap_or(usize::MAX));
                let sign = if column.unit == Unit::Health { 2 } else { 0 };
                cell::show(value, column, now).width() + sign
            });
            // One more than the title, where the arrow of the order goes.
            let full = shown.max().unwrap_or(0).max(column.title.width() + 1);
            let width = full.min(WIDEST.max(column.title.width() + 1));
            let cells = |width: usize| u16::try_from(width).unwrap_or(u16::MAX);
            Shape { column, width: cells(width), full: cells(full) }
        });
        let columns = shapes.collect();
        let (groups, lines) = self.put_together(ctx, &rows);
        let fleet = Some(Arc::clone(fleet));
        View { question: Some(self), fleet, rows, of, undecided, paid, columns, ordered, groups, lines }
    }

    /// Groups, in the order of their first rows, and the lines that show of them.
    fn put_together(&self, ctx: Ctx<'_>, rows: &[u32]) -> (Vec<Group>, Vec<Line>) {
        let by = self.group_by.and_then(|by| self.kind.columns().iter().find(|column| column.name == by));
        let Some(by) = by else { return (Vec::new(), Vec::new()) };
        let groups = group(ctx, self.kind, by, rows);
        let mut lines = Vec::with_capacity(rows.len() + groups.len());
        for (nth, group) in groups.iter().enumerate() {
            lines.push(Line::Head(nth));
            if !self.folded.contains(&group.name) {
                lines.extend(group.rows.iter().map(|row| Line::Row(*row)));
            }
        }
        (groups, lines)
    }

    /// Sorts by the column that was chosen; where none was, what is worst comes first, then by place and name.
    fn order(&self, ctx: Ctx<'_>, rows: &mut [u32]) {
        match self.sort {
            Some(SortBy { column, is_descending }) => {
                let column = self.kind.columns().iter().find(|it| it.name == column);
                if let Some(column) = column {
                    let direction = if is_descending { Direction::Down } else { Direction::Up };
                    sort(&Sort::by(column, direction), ctx, self.kind, rows);
                }
            }
            // Calls and events have one order that anybody wants: as they come, the newest first.
            None if matches!(self.kind, Kind::Calls | Kind::Events) => {}
            None => {
                let by = ["name", "id"];
                let by = by.iter().filter_map(|name| self.kind.columns().iter().find(|it| it.name == *name));
                let by = by.map(|column| (column, Direction::Up)).collect();
                sort(&Sort { by }, ctx, self.kind, rows);
                self.put_worst_first(ctx, rows);
            }
        }
    }

    /// Puts what is worst first and what is of one place together; rows that are alike keep their order. There
    /// are few places and many rows, so that these are put on shelves, not compared.
    fn put_worst_first(&self, ctx: Ctx<'_>, rows: &mut [u32]) {
        let mut shelves: Vec<Shelf<'_>> = Vec::new();
        let mut last = 0;
        for row in rows.iter() {
            let at = usize::try_from(*row).unwrap_or(usize::MAX);
            let (health, scope) = (self.kind.health(ctx, at), self.kind.scope(ctx, at).map(AsRef::as_ref));
            let is_here = |shelf: &Shelf<'_>| {
                let is_same = |(a, b): (&Scope, &Scope)| std::ptr::eq(a, b) || a == b;
                shelf.health == health
                    && (shelf.scope.zip(scope).is_some_and(is_same) || (shelf.scope, scope) == (None, None))
            };
            if !shelves.get(last).is_some_and(is_here) {
                last = shelves.iter().position(is_here).unwrap_or(shelves.len());
            }
            match shelves.get_mut(last) {
                Some(shelf) => shelf.rows.push(*row),
                None => shelves.push(Shelf { health, scope, rows: vec![*row] }),
            }
        }
        shelves.sort_by_key(|shelf| (Reverse(shelf.health), shelf.scope));
        let sorted = shelves.into_iter().flat_map(|shelf| shelf.rows);
        rows.iter_mut().zip(sorted).for_each(|(row, sorted)| *row = sorted);
    }

    /// The columns that show: those of the kind, those that cost money when asked for, and those that
    /// the filter or the order names.
    fn columns(&self, fleet: &Fleet, query: Option<&Query>) -> Vec<&'static Column> {
        let width = if self.is_wide { Width::Wide } else { Width::Narrow };
        let mut columns = match &self.chosen {
            Some(names) => self::named(self.kind, names),
            // What was asked of AWS is best told by the command that asks the same again.
            None if self.kind == Kind::Calls && !self.is_wide => self::named(self.kind, &CALLS),
            None => self.kind.visible(fleet, width),
        };
        let named: Vec<&str> = query
            .map(|query| query.columns_used().iter().map(|column| column.name).collect())
            .unwrap_or_default();
        for column in self.kind.columns() {
            let costs = self.has_metrics && column.needs.contains(&Source::Metrics);
            let sorted = self.sort.is_some_and(|sort| sort.column == column.name);
            // What says in another unit what a column says already would stand there twice.
            let is_told = cell::is_age(column) && columns.iter().any(|it| it.title == column.title);
            let asked = named.contains(&column.name) && !is_told;
            if (costs || sorted || asked) && !columns.iter().any(|it| it.name == column.name) {
                columns.push(column);
            }
        }
        if self.chosen.is_some() {
            return columns;
        }
        // What it is, how well it is and what it does come first: a narrow screen shows at least those.
        columns.sort_by_key(|column| {
            let is_paid = named.contains(&column.name) && column.needs.contains(&Source::Metrics);
            let decides = self.sort.is_some_and(|sort| sort.column == column.name);
            match rank(self.kind, column) {
                // What was paid for and what decides the order is worth more than the name.
                4.. if is_paid || decides => 3,
                rank => rank,
            }
        });
        columns
    }
}

/// Rows of one health and one place, in order.
struct Shelf<'a> {
    health: Option<Health>,
    scope: Option<&'a Scope>,
    rows: Vec<u32>,
}

/// The columns of these names, in their order.
pub(super) fn named(kind: Kind, names: &[&'static str]) -> Vec<&'static Column> {
    names.iter().filter_map(|name| kind.columns().iter().find(|column| column.name == *name)).collect()
}

/// Columns in the order of tables: what it is, how well it is and what it does come first.
pub(super) fn in_usual_order(kind: Kind, mut columns: Vec<&'static Column>) -> Vec<&'static Column> {
    columns.sort_by_key(|column| rank(kind, column));
    columns
}

fn rank(kind: Kind, column: &Column) -> u8 {
    let key = kind.columns().first().map_or("", |column| column.name);
    match column.name {
        name if name == key => 0,
        "health" => 1,
        "state" | "status" | "last_status" => 2,
        "name" => 4,
        // What happened is worth more than where.
        "account" | "region" if kind == Kind::Events => 8,
        "account" => 5,
        "region" => 6,
        _ => 7,
    }
}
