//! Sorting rows by columns: natural order, stable, and what is not known last in either direction.
//!
//! Cells are taken once (`cells`). Of each comes a number whose order is that of the cells. Rows are sorted by that;
//! only rows that are equal there by what comes behind, and so on down to the texts themselves, which hardly ever
//! have to be looked at again.

use super::cells::{Cells, Level, take};
use super::columns::{Column, Ctx};
use super::fault::Fault;
use super::kind::Kind;
use super::parse::unknown_column;
use super::share::{each_in_shares, sort_in_shares};
use super::value::Unit;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;

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
    let cells: Vec<Cells<'_>> =
        sort.by.iter().map(|(column, direction)| take(column, *direction, (kind, ctx), rows)).collect();
    let levels: Vec<Level<'_, '_>> = cells.iter().flat_map(Cells::levels).collect();
    let mut order: Vec<u32> = (0..).take(rows.len()).collect();
    refine(&levels, &mut order);
    // The numbers of places become those of rows.
    for place in &mut order {
        *place = rows.get(*place as usize).copied().unwrap_or(*place);
    }
    rows.copy_from_slice(&order);
}

/// Fewer places than this are sorted by comparing all levels: nothing has to be set aside for them.
const FEW: usize = 64;

/// Sorts places, which come in their first order, by the first level, and each run of equals by the rest.
pub(super) fn refine(levels: &[Level<'_, '_>], places: &mut [u32]) {
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
    // Texts that begin alike are mostly the same text, such as a zone's: then there is nothing to put in order.
    let whole = levels.iter().position(Level::is_whole).filter(|_| !level.is_first());
    if let Some(whole) = whole.filter(|whole| levels.get(*whole).is_some_and(|level| is_one(level, places))) {
        return refine(levels.get(whole + 1..).unwrap_or_default(), places);
    }
    let runs = put_in_order(level, places);
    if deeper.is_empty() {
        return;
    }
    each_in_shares(places, runs, |run| refine(deeper, run));
}

/// Tells whether a level tells none of the places apart.
fn is_one(level: &Level<'_, '_>, places: &[u32]) -> bool {
    places.windows(2).all(|pair| matches!(pair, [a, b] if level.compare(*a, *b).is_eq()))
}

/// Sorts places by one level, equals in their first order, and returns the runs of equals.
fn put_in_order(level: &Level<'_, '_>, places: &mut [u32]) -> Vec<Range<usize>> {
    if let Some((number, below)) = level.small().filter(|(_, below)| *below as usize <= places.len() * 4) {
        return count_in_order(number, below, places);
    }
    if let Some(number) = level.number() {
        return by_keys(places, |place| (number(place), place), |made| made.0, |made| made.1);
    }
    let Some(key) = level.key() else {
        places.sort_by(|a, b| level.compare(*a, *b));
        let mut from = 0;
        let runs = places.chunk_by(|a, b| level.compare(*a, *b).is_eq()).map(|run| {
            from += run.len();
            from - run.len()..from
        });
        return runs.filter(|run| run.len() > 1).collect();
    };
    by_keys(places, |place| Keyed::new(key(place), place), Keyed::key, |keyed| keyed.place)
}

/// Sorts places by what is made of each, in which the place is what comes last, so that equals stay in their first order.
/// Returns the runs of equal keys.
fn by_keys<T: Ord + Send, K: PartialEq>(
    places: &mut [u32],
    make: impl Fn(u32) -> T + Sync,
    key: impl Fn(&T) -> K,
    place_of: impl Fn(&T) -> u32,
) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    let mut last = None;
    let mut next = 0;
    sort_in_shares(places, make, |made, place| {
        let key = key(made);
        if last.as_ref() != Some(&key) {
            if next > start + 1 {
                runs.push(start..next);
            }
            (start, last) = (next, Some(key));
        }
        *place = place_of(made);
        next += 1;
    });
    if next > start + 1 {
        runs.push(start..next);
    }
    runs
}

/// Sorts places by small numbers: how many there are of each tells where they go. Equals stay in their first order.
fn count_in_order(number: impl Fn(u32) -> u32, below: u32, places: &mut [u32]) -> Vec<Range<usize>> {
    let mut ends = vec![0_usize; below as usize + 1];
    // Each end is kept one behind: there the first of the next begins.
    for place in places.iter() {
        if let Some(count) = ends.get_mut(number(*place) as usize + 1) {
            *count += 1;
        }
    }
    let mut before = 0;
    for end in &mut ends {
        before += *end;
        *end = before;
    }
    let runs = ends.windows(2).filter_map(|pair| match pair {
        [from, to] if *to > from + 1 => Some(*from..*to),
        _ => None,
    });
    let runs: Vec<_> = runs.collect();
    let first = places.to_vec();
    for place in first {
        if let Some(next) = ends.get_mut(number(place) as usize) {
            if let Some(own) = places.get_mut(*next) {
                *own = place;
            }
            *next += 1;
        }
    }
    runs
}

/// A place and its key, in two parts: a third less memory than a number of sixteen bytes beside one of four.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Keyed {
    high: u64,
    low: u64,
    place: u32,
}

impl Keyed {
    #[allow(clippy::cast_possible_truncation)] // the halves of the key
    const fn new(key: u128, place: u32) -> Self {
        Self { high: (key >> 64) as u64, low: key as u64, place }
    }

    fn key(&self) -> u128 {
        (u128::from(self.high) << 64) | u128::from(self.low)
    }
}

impl Ord for Keyed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key()).then_with(|| self.place.cmp(&other.place))
    }
}

impl PartialOrd for Keyed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
