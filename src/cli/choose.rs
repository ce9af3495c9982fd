//! Which rows are shown, in which order: the query and the sort of the command line.

use crate::error::{Error, Result};
use crate::gateway::Source;
use crate::query::{
    Column, Ctx, Direction, Fault, Kind, Query, Shown, Sort, Truth, Unit, select, sort, undecided,
};
use std::fmt;

/// A query and a sort, understood.
pub(super) struct Choice {
    query: Query,
    order: Sort,
    /// The columns that decide, which must be read.
    columns: Vec<&'static Column>,
}

impl Choice {
    /// Understands a query and the columns to sort by, or says all that is wrong with both.
    pub(super) fn parse(kind: Kind, query: &str, order: &[String]) -> Result<Self> {
        let order = order.join(",");
        let (found, sorted) = (Query::parse(query, kind), Sort::parse(&order, kind));
        match (found, sorted) {
            (Ok(query), Ok(named)) => {
                let mut columns = query.columns_used();
                columns.extend(named.by.iter().map(|(column, _)| *column));
                let order = if named.by.is_empty() { usual(kind) } else { named };
                Ok(Self { query, order, columns })
            }
            (found, sorted) => {
                let of = |flag, text: &str, faults: Option<Vec<Fault>>| {
                    let text = text.to_owned();
                    faults.map(|faults| Typed { what: flag, text, faults })
                };
                let wrong: Vec<Typed> =
                    [of("the query", query, found.err()), of("--sort", &order, sorted.err())]
                        .into_iter()
                        .flatten()
                        .collect();
                let what = wrong.iter().map(|typed| typed.what).collect::<Vec<_>>().join(" and ");
                Err(Error::usage(format!("{what} cannot be understood")).because(Mistyped(wrong)))
            }
        }
    }

    /// The columns that were named to decide which rows are shown, and in which order.
    pub(super) fn columns(&self) -> &[&'static Column] {
        &self.columns
    }

    /// The rows, in order.
    pub(super) fn rows(&self, ctx: Ctx<'_>) -> Vec<usize> {
        let mut rows = select(&self.query, ctx, self.query.kind());
        sort(&self.order, ctx, self.query.kind(), &mut rows);
        rows.into_iter().map(|at| at as usize).collect()
    }

    /// The rows about which a source has yet to be asked: those that other terms of the query have not
    /// excluded, or, where only the order needs the source, those that are selected.
    pub(super) fn open(&self, source: Source, ctx: Ctx<'_>) -> Vec<usize> {
        let decides = self.query.columns_used().iter().any(|column| column.needs.contains(&source));
        let is_open = |at: &usize| match self.query.truth_without(source, ctx, *at) {
            Truth::True => true,
            Truth::Unknown => decides,
            Truth::False => false,
        };
        (0..self.query.kind().len(ctx.fleet)).filter(is_open).collect()
    }

    /// How many rows may or may not belong to the answer, because too little is known of them.
    pub(super) fn undecided(&self, ctx: Ctx<'_>) -> usize {
        if self.query.is_every() { 0 } else { undecided(&self.query, ctx) }
    }
}

/// The order when nobody names one: by the first column, then by what makes a row unique. AWS promises
/// no order, and two runs must not differ by chance. A timeline begins with the newest.
fn usual(kind: Kind) -> Sort {
    let first = kind.columns().iter().find(|column| column.shown == Shown::Always);
    let unique = ["id", "account", "region"];
    let unique = kind.columns().iter().filter(|column| unique.contains(&column.name));
    let direction = |column: &Column| match column.unit {
        Unit::Moment => Direction::Down,
        _ => Direction::Up,
    };
    Sort { by: first.into_iter().chain(unique).map(|column| (column, direction(column))).collect() }
}

/// Something that was typed and is wrong.
#[derive(Debug)]
struct Typed {
    what: &'static str,
    text: String,
    faults: Vec<Fault>,
}

/// Everything that was typed and is wrong.
#[derive(Debug)]
pub(super) struct Mistyped(Vec<Typed>);

impl Mistyped {
    /// The faults for a program: in what, at which character, what, and what was probably meant.
    pub(super) fn json(&self) -> Vec<serde_json::Value> {
        let of = |typed: &Typed, fault: &Fault| {
            serde_json::json!({
                "in": typed.what,
                "text": typed.text,
                "column": fault.column(&typed.text),
                "message": fault.message,
                "hint": fault.hint,
            })
        };
        self.0.iter().flat_map(|typed| typed.faults.iter().map(move |fault| of(typed, fault))).collect()
    }
}

impl fmt::Display for Mistyped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults =
            self.0.iter().flat_map(|typed| typed.faults.iter().map(|fault| fault.render(&typed.text)));
        f.write_str(&faults.collect::<Vec<_>>().join("\n"))
    }
}

impl std::error::Error for Mistyped {}
