//! Sorting rows by columns: natural order, stable, and what is not known last in either direction.
//!
//! Keys are taken once: a number for each row and column whose order is that of the cells, and the text
//! itself where two numbers are equal. Nothing is looked up in a row while comparing.

use super::columns::{Column, Ctx};
use super::fault::Fault;
use super::kind::Kind;
use super::natural;
use super::parse::unknown_column;
use super::value::{Unit, Value};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// Which end comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// The least first.
    #[default]
    Up,
    /// The greatest first.
    Down,
}

/// Columns to sort by, the most important first. Written with `Display`, it parses to the same again.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort {
    /// The columns.
    pub by: Vec<(&'static Column, Direction)>,
}

impl Sort {
    /// Sorts by one column.
    pub fn by(column: &'static Column, direction: Direction) -> Self {
        Self { by: vec![(column, direction)] }
    }

    /// Reads `cpu:desc,name`; `-cpu` is the same as `cpu:desc`. Blank text keeps rows as they are.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, Vec<Fault>> {
        let (mut by, mut faults, mut at) = (Vec::new(), Vec::new(), 0);
        for part in text.split(',') {
            let start = at + part.len() - part.trim_start().len();
            let word = part.trim();
            at += part.len() + 1;
            if word.is_empty() {
                if !text.trim().is_empty() {
                    faults.push(Fault::new(start..start, "a column is missing here"));
                }
                continue;
            }
            let (name, direction) = match word.split_once(':') {
                Some((name, direction)) => (name, Some((direction, start + name.len() + 1))),
                None => (word, None),
            };
            let stripped = name.strip_prefix('-');
            let direction = match direction.map(|(word, at)| (word.to_ascii_lowercase(), word, at)) {
                None if stripped.is_some() => Direction::Down,
                None => Direction::Up,
                Some((word, ..)) if matches!(word.as_str(), "asc" | "up") => Direction::Up,
                Some((word, ..)) if matches!(word.as_str(), "desc" | "down") => Direction::Down,
                Some((_, word, at)) => {
                    faults.push(
                        Fault::new(at..at + word.len(), format!("unknown direction '{word}'"))
                            .hint("write asc or desc"),
                    );
                    Direction::Up
                }
            };
            let start = start + usize::from(stripped.is_some());
            let name = stripped.unwrap_or(name);
            let span = start..start + name.len();
            match kind.column(name) {
                Ok(column) if matches!(column.unit, Unit::Tags | Unit::Nested) => faults
                    .push(Fault::new(span, format!("{} has several values, and so no order", column.name))),
                Ok(column) => by.push((column, direction)),
                Err(_) => faults.push(unknown_column(kind, name, span)),
            }
        }
        if faults.is_empty() { Ok(Self { by }) } else { Err(faults) }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (column, direction)) in self.by.iter().enumerate() {
            let between = if at > 0 { "," } else { "" };
            let behind = if *direction == Direction::Down { ":desc" } else { "" };
            write!(f, "{between}{}{behind}", column.name)?;
        }
        Ok(())
    }
}

/// Sorts rows. Rows whose cells are equal keep the order in which they came. The columns must belong
/// to the kind of the rows.
pub fn sort(sort: &Sort, ctx: Ctx<'_>, rows: &mut [u32]) {
    let Some(((column, direction), others)) = sort.by.split_first() else { return };
    let first = Keys::take(column, *direction, ctx, rows);
    let others: Vec<Keys<'_>> =
        others.iter().map(|(column, direction)| Keys::take(column, *direction, ctx, rows)).collect();
    let mut order: Vec<(u128, u32)> = first.numbers.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|(a, i), (b, j)| {
        a.cmp(b)
            .then_with(|| first.by_text(*i as usize, *j as usize))
            .then_with(|| {
                others
                    .iter()
                    .map(|keys| keys.order(*i as usize, *j as usize))
                    .find(|o| o.is_ne())
                    .unwrap_or(Ordering::Equal)
            })
            .then(i.cmp(j))
    });
    let before = rows.to_vec();
    for (row, (_, from)) in rows.iter_mut().zip(order) {
        *row = before.get(from as usize).copied().unwrap_or(*row);
    }
}

/// The keys of one column.
struct Keys<'a> {
    /// Rank in the two highest bits (known, absent, unknown), then the value.
    numbers: Vec<u128>,
    /// The texts, where numbers only hold their beginnings; empty for other types.
    texts: Vec<Cow<'a, str>>,
    direction: Direction,
}

const RANK: u32 = 126;
const ABSENT: u128 = 1 << RANK;
const UNKNOWN: u128 = 2 << RANK;

impl<'a> Keys<'a> {
    fn take(column: &Column, direction: Direction, ctx: Ctx<'a>, rows: &[u32]) -> Self {
        let cells = rows.iter().map(|row| (column.get)(ctx, *row as usize));
        let directed = |known: u128| match direction {
            Direction::Up => known,
            Direction::Down => !known & !(3 << RANK),
        };
        if !matches!(column.unit, Unit::Text | Unit::List) {
            let numbers = cells
                .map(|cell| match number(&cell) {
                    Some(number) => directed(u128::from(number)),
                    None if cell == Value::Absent => ABSENT,
                    None => UNKNOWN,
                })
                .collect();
            return Self { numbers, texts: Vec::new(), direction };
        }
        let mut ranks = Vec::with_capacity(rows.len());
        let texts: Vec<Cow<'a, str>> = cells
            .map(|cell| {
                let (rank, text) = text(cell);
                ranks.push(rank);
                text
            })
            .collect();
        let known = || ranks.iter().zip(&texts).filter(|(rank, _)| **rank == 0);
        let shared = natural::shared(known().map(|(_, text)| text.as_ref()));
        let numbers = ranks
            .iter()
            .zip(&texts)
            .map(|(rank, text)| match rank {
                0 => directed(natural::prefix(text.as_bytes().get(shared..).unwrap_or_default()) >> 2),
                rank => *rank,
            })
            .collect();
        Self { numbers, texts, direction }
    }

    fn order(&self, i: usize, j: usize) -> Ordering {
        self.numbers.get(i).cmp(&self.numbers.get(j)).then_with(|| self.by_text(i, j))
    }

    fn by_text(&self, i: usize, j: usize) -> Ordering {
        match (self.texts.get(i), self.texts.get(j)) {
            (Some(a), Some(b)) => match self.direction {
                Direction::Up => natural::order(a, b),
                Direction::Down => natural::order(b, a),
            },
            _ => Ordering::Equal,
        }
    }
}

/// A number in the order of the cells of one column; none for what is absent, unknown, or no number.
fn number(cell: &Value<'_>) -> Option<u64> {
    let signed = |n: i64| n.cast_unsigned() ^ (1 << 63);
    Some(match cell {
        #[allow(clippy::cast_precision_loss)] // counts stay far below 2^53
        Value::Count(n) => fraction(*n as f64)?,
        Value::Number(n) => fraction(*n)?,
        Value::Span(span) => fraction(span.as_secs_f64())?,
        Value::Moment(at) => {
            signed(at.as_nanosecond().clamp(i64::MIN.into(), i64::MAX.into()).try_into().ok()?)
        }
        Value::Dollars(usd) => signed(usd.micros()),
        Value::Flag(flag) => u64::from(*flag),
        Value::Health(health) => *health as u64,
        _ => return None,
    })
}

/// The bits of a number, so that they sort as the number does.
fn fraction(n: f64) -> Option<u64> {
    if n.is_nan() {
        return None;
    }
    // Adding nothing makes the two zeros one.
    let bits = (n + 0.0).to_bits();
    Some(if bits >> 63 == 0 { bits | (1 << 63) } else { !bits })
}

fn text(cell: Value<'_>) -> (u128, Cow<'_, str>) {
    match cell {
        Value::Text(text) => (0, text),
        Value::List(words) if words.is_empty() => (ABSENT, Cow::Borrowed("")),
        Value::List(words) => (0, Cow::Owned(words.join(","))),
        Value::Absent => (ABSENT, Cow::Borrowed("")),
        _ => (UNKNOWN, Cow::Borrowed("")),
    }
}
