//! Sorting rows by columns: natural order, stable, and what is not known last in either direction.
//!
//! Keys are taken once: for each row and column one or two numbers whose order is that of the cells.
//! Rows are sorted by the first number; rows that are equal there by the next one, and so on down to the
//! texts themselves, which hardly ever have to be looked at again.

use super::columns::{Column, Ctx};
use super::fault::Fault;
use super::kind::Kind;
use super::natural;
use super::parse::unknown_column;
use super::share::{in_shares, one_by_one, sort_in_shares};
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

/// Sorts rows of a kind. Rows whose cells are equal keep the order in which they came. The columns must belong
/// to that kind.
pub fn sort(sort: &Sort, ctx: Ctx<'_>, kind: Kind, rows: &mut [u32]) {
    let mut levels = Vec::new();
    for (column, direction) in &sort.by {
        take(column, *direction, (kind, ctx), rows, &mut levels);
    }
    let mut order: Vec<u32> = (0..).take(rows.len()).collect();
    refine(&levels, &mut order);
    let before = rows.to_vec();
    for (row, from) in rows.iter_mut().zip(order) {
        *row = before.get(from as usize).copied().unwrap_or(*row);
    }
}

/// One level of keys, a key for each place.
enum Level<'a> {
    Numbers(Vec<u128>),
    Texts(Vec<Taken<'a>>, Direction),
}

/// A cell of text: what is absent or unknown stands behind all others.
struct Taken<'a> {
    rank: Rank,
    text: Cow<'a, str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rank {
    Known,
    Absent,
    Unknown,
}

impl Level<'_> {
    fn compare(&self, a: u32, b: u32) -> Ordering {
        let (a, b) = (a as usize, b as usize);
        match self {
            Self::Numbers(numbers) => numbers.get(a).cmp(&numbers.get(b)),
            Self::Texts(texts, direction) => match (texts.get(a), texts.get(b), direction) {
                (Some(a), Some(b), _) if a.text == b.text => Ordering::Equal,
                (Some(a), Some(b), Direction::Up) => natural::order(&a.text, &b.text),
                (Some(a), Some(b), Direction::Down) => natural::order(&b.text, &a.text),
                _ => Ordering::Equal,
            },
        }
    }
}

/// Fewer places than this are sorted by comparing all levels: nothing has to be set aside for them.
const FEW: usize = 64;

/// Sorts places, which come in their first order, by the first level, and each run of equals by the rest.
fn refine(levels: &[Level<'_>], places: &mut [u32]) {
    let Some((level, deeper)) = levels.split_first() else { return };
    if places.len() < FEW {
        // A stable sort, so that equals stay in their first order.
        places.sort_by(|a, b| {
            levels
                .iter()
                .map(|level| level.compare(*a, *b))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        return;
    }
    match level {
        Level::Numbers(numbers) => {
            let mut keyed: Vec<(u128, u32)> = places
                .iter()
                .map(|at| (numbers.get(*at as usize).copied().unwrap_or(u128::MAX), *at))
                .collect();
            // The place is part of the key, so that equals stay in their first order.
            sort_in_shares(&mut keyed);
            for (place, (_, at)) in places.iter_mut().zip(keyed) {
                *place = at;
            }
        }
        Level::Texts(..) => {
            let is_one =
                places.windows(2).all(|pair| matches!(pair, [a, b] if level.compare(*a, *b).is_eq()));
            if !is_one {
                places.sort_by(|a, b| level.compare(*a, *b));
            }
        }
    }
    for run in places.chunk_by_mut(|a, b| level.compare(*a, *b).is_eq()) {
        if run.len() > 1 {
            refine(deeper, run);
        }
    }
}

/// The rank of what is absent and of what is unknown stands above every value, in the highest byte.
const ABSENT: u128 = 1 << 120;
const UNKNOWN: u128 = 2 << 120;
const VALUE: u128 = ABSENT - 1;

/// Takes the keys of one column.
fn take<'a>(
    column: &Column,
    direction: Direction,
    (kind, ctx): (Kind, Ctx<'a>),
    rows: &[u32],
    levels: &mut Vec<Level<'a>>,
) {
    let cell = |row: u32| (column.get)(ctx, row as usize);
    let directed = |value: u128| match direction {
        Direction::Up => value,
        Direction::Down => !value,
    };
    if !matches!(column.unit, Unit::Text | Unit::List) {
        let key = |cell: Value<'_>| match number(&cell) {
            Some(number) => directed(u128::from(number)) & VALUE,
            None if cell == Value::Absent => ABSENT,
            None => UNKNOWN,
        };
        let keys = in_shares(rows, |rows| {
            let mut keys = Vec::with_capacity(rows.len());
            one_by_one(kind, ctx.fleet, rows, |row| keys.push(key(cell(row))));
            keys
        });
        levels.push(Level::Numbers(keys.concat()));
        return;
    }
    let taken = in_shares(rows, |rows| {
        let mut taken = Vec::with_capacity(rows.len());
        one_by_one(kind, ctx.fleet, rows, |row| taken.push(text(cell(row))));
        taken
    });
    let taken: Vec<Taken<'_>> = taken.into_iter().flatten().collect();
    let shared = shared(&taken);
    let keys = in_shares(&taken, |taken| {
        let key = |taken: &Taken<'_>| {
            let prefix = match taken.rank {
                Rank::Absent => return (ABSENT, 0),
                Rank::Unknown => return (UNKNOWN, 0),
                Rank::Known => taken.text.as_bytes().get(shared..).unwrap_or_default(),
            };
            let (high, low) = halves(natural::prefix(prefix));
            (directed(high) & VALUE, directed(low))
        };
        taken.iter().map(key).unzip::<_, _, Vec<_>, Vec<_>>()
    });
    let (first, second): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    levels.extend([
        Level::Numbers(first.concat()),
        Level::Numbers(second.concat()),
        Level::Texts(taken, direction),
    ]);
}

/// How long the beginning is that all these texts share.
fn shared(taken: &[Taken<'_>]) -> usize {
    let known = |taken: &Taken<'_>| taken.rank == Rank::Known;
    let Some(first) = taken.iter().find(|it| known(it)) else { return 0 };
    let shares = in_shares(taken, |taken| {
        let own = taken.iter().filter(|it| known(it));
        natural::shared(std::iter::once(first).chain(own).map(|it| it.text.as_ref()))
    });
    shares.into_iter().min().unwrap_or(0)
}

/// A prefix as two numbers: fifteen bytes, below the rank, and sixteen.
fn halves(prefix: [u8; natural::PREFIX]) -> (u128, u128) {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum: u128, byte| (sum << 8) | u128::from(*byte));
    let (high, low) = prefix.split_at(15);
    (number(high), number(low))
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

fn text(cell: Value<'_>) -> Taken<'_> {
    let (rank, text) = match cell {
        Value::Text(text) => (Rank::Known, text),
        Value::List(words) if words.is_empty() => (Rank::Absent, Cow::Borrowed("")),
        Value::List(words) => (Rank::Known, Cow::Owned(words.join(","))),
        Value::Absent => (Rank::Absent, Cow::Borrowed("")),
        _ => (Rank::Unknown, Cow::Borrowed("")),
    };
    Taken { rank, text }
}
