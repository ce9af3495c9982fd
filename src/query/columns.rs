//! Columns: what can be shown, asked and sorted by, for each kind of row.
//!
//! The tables below `columns/` are data: a name, a type, the sources that the value comes from, and how
//! it is taken from a row. Nothing else in the program knows which fields a row has.

use super::value::{Unit, Value};
use crate::fleet::Fleet;
use crate::gateway::Source;
use crate::model::Gauge;
use jiff::Timestamp;
use std::fmt;

/// Writes a table of columns. One line is: when it shows, its name, its heading, its unit, the sources
/// that it needs beyond its kind's own, the value, and a line of help.
macro_rules! columns {
    ($rows:ident, |$row:ident, $ctx:ident| {$(
        $shown:ident $name:ident $title:literal $unit:ident [$($need:ident),*] $doc:literal => $get:expr;
    )+}) => {
        /// The table.
        pub(in crate::query) const COLUMNS: &[crate::query::columns::Column] = &[$(
            crate::query::columns::Column {
                name: stringify!($name),
                title: $title,
                doc: $doc,
                unit: crate::query::value::Unit::$unit,
                shown: crate::query::columns::Shown::$shown,
                needs: &[$(crate::gateway::Source::$need),*],
                get: |$ctx, at| match $ctx.fleet.$rows.get(at) {
                    Some($row) => $get,
                    None => crate::query::value::Value::Absent,
                },
            }
        ),+];
    };
}

pub(super) mod alarms;
pub(super) mod calls;
pub(super) mod clusters;
pub(super) mod cores;
pub(super) mod drift;
pub(super) mod events;
pub(super) mod groups;
pub(super) mod hosts;
pub(super) mod images;
pub(super) mod instances;
pub(super) mod rules;
pub(super) mod services;
pub(super) mod target_groups;
pub(super) mod targets;
pub(super) mod tasks;
pub(super) mod templates;
pub(super) mod tenants;

/// What a cell is taken from.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    /// All rows.
    pub fleet: &'a Fleet,
    /// The moment ages are counted to.
    pub now: Timestamp,
}

/// One column of a kind.
pub struct Column {
    /// Its name in queries, JSON and `--columns`: snake_case. A moment's name ends in `_at`.
    pub name: &'static str,
    /// Its heading. A moment's heading says age, because its age is what tables show.
    pub title: &'static str,
    /// One line for help.
    pub doc: &'static str,
    /// Its type.
    pub unit: Unit,
    /// Whether it shows by default, in wide tables, or only when named.
    pub shown: Shown,
    /// The sources it needs beyond those of its kind.
    pub needs: &'static [Source],
    /// Takes the value of row `at` of its kind; absent when there is no such row.
    pub get: for<'a> fn(Ctx<'a>, usize) -> Value<'a>,
}

impl Column {
    /// What CloudWatch must be paid for to fill it; none where it costs nothing.
    pub fn gauge(&self) -> Option<Gauge> {
        self.needs.contains(&Source::Metrics).then(|| Gauge::named(self.name)).flatten()
    }
}

impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.doc == other.doc
    }
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Column({})", self.name)
    }
}

/// When a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// In every table.
    Always,
    /// In wide tables and in JSON, YAML and CSV.
    Wide,
    /// Only when it is named: because reading it costs money (it then needs `Source::Metrics`), or
    /// because it says in another unit what another column says already (`age`).
    Named,
}
