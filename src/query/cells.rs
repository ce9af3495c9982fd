//! The cells that decide an order, taken once, and the numbers that stand for them.

use super::columns::{Column, Ctx};
use super::few;
use super::kin;
use super::kind::{Kind, Reach};
use super::natural;
use super::ranks::ranks_by;
use super::share::{in_shares, one_by_one, try_one_by_one};
use super::sort::Direction;
use super::value::{Unit, Value};
use crate::fleet::{self, Fleet};
use crate::model::Health;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::Ipv4Addr;

/// The cells of one column, one for each place.
pub(super) enum Cells<'a> {
    /// Small numbers in the order of the cells, all below the one beside them.
    Places(Parts<u32>, u32),
    /// Numbers in the order of the cells.
    Numbers(Parts<u64>),
    /// Texts, the number of bytes at their beginning that all share, and which end comes first.
    Texts(Parts<Taken<'a>>, usize, Direction),
}

/// Things that were made in shares: all shares but the last are of one length.
pub(super) struct Parts<T> {
    share: u32,
    parts: Vec<Vec<T>>,
}

impl<T> Parts<T> {
    pub(super) fn new(parts: Vec<Vec<T>>) -> Self {
        let share = parts.first().and_then(|first| u32::try_from(first.len()).ok()).unwrap_or(1).max(1);
        Self { share, parts }
    }

    pub(super) fn get(&self, at: u32) -> Option<&T> {
        self.parts.get((at / self.share) as usize)?.get((at % self.share) as usize)
    }
}

/// A cell of text: what is absent or unknown stands behind all others.
pub(super) struct Taken<'a> {
    pub(super) rank: Rank,
    pub(super) text: Cow<'a, str>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Known,
    Absent,
    Unknown,
}

/// One thing after the other that an order looks at.
#[derive(Clone, Copy)]
pub(super) struct Level<'c, 'a> {
    cells: &'c Cells<'a>,
    step: Step,
}

#[derive(Clone, Copy)]
enum Step {
    /// The number itself, or that of the first fifteen bytes of a text.
    First,
    /// The number of the next sixteen bytes.
    Second,
    /// The whole text.
    Whole,
}

impl<'a> Cells<'a> {
    /// Texts that are all known, the least first.
    pub(super) fn of_texts(texts: Vec<Cow<'a, str>>) -> Self {
        let shared = natural::shared(texts.iter().map(AsRef::as_ref));
        let taken = texts.into_iter().map(|text| Taken { rank: Rank::Known, text }).collect();
        Self::Texts(Parts::new(vec![taken]), shared, Direction::Up)
    }

    /// What is to be looked at, one after the other.
    pub(super) fn levels(&self) -> impl Iterator<Item = Level<'_, 'a>> {
        let steps: &[Step] = match self {
            Self::Places(..) | Self::Numbers(_) => &[Step::First],
            Self::Texts(..) => &[Step::First, Step::Second, Step::Whole],
        };
        steps.iter().map(|step| Level { cells: self, step: *step })
    }
}

impl Level<'_, '_> {
    /// It is the first of a column.
    pub(super) const fn is_first(&self) -> bool {
        matches!(self.step, Step::First)
    }

    /// It is the last of a column of texts.
    pub(super) const fn is_whole(&self) -> bool {
        matches!(self.step, Step::Whole)
    }

    /// Compares two places; numbers that only stand for the beginning of a text are left to the text.
    pub(super) fn compare(&self, a: u32, b: u32) -> Ordering {
        match (self.cells, self.step) {
            (Cells::Places(places, _), _) => places.get(a).cmp(&places.get(b)),
            (Cells::Numbers(numbers), _) => numbers.get(a).cmp(&numbers.get(b)),
            (Cells::Texts(texts, _, direction), Step::Whole) => {
                let (Some(a), Some(b)) = (texts.get(a), texts.get(b)) else { return Ordering::Equal };
                a.rank.cmp(&b.rank).then_with(|| match direction {
                    _ if a.text == b.text => Ordering::Equal,
                    Direction::Up => natural::order(&a.text, &b.text),
                    Direction::Down => natural::order(&b.text, &a.text),
                })
            }
            (Cells::Texts(..), Step::First | Step::Second) => Ordering::Equal,
        }
    }

    /// What gives the small number of a place, and the number that all of them are below, where such numbers decide.
    pub(super) fn small(&self) -> Option<(impl Fn(u32) -> u32, u32)> {
        match self.cells {
            Cells::Places(places, below) => {
                Some((move |place| places.get(place).copied().unwrap_or(*below - 1), *below))
            }
            Cells::Numbers(_) | Cells::Texts(..) => None,
        }
    }

    /// What gives the number of a place, where the cells are numbers.
    pub(super) fn number(&self) -> Option<impl Fn(u32) -> u64 + Sync> {
        match self.cells {
            Cells::Numbers(numbers) => {
                Some(move |place| numbers.get(place).copied().unwrap_or(NUMBER_UNKNOWN))
            }
            Cells::Places(..) | Cells::Texts(..) => None,
        }
    }

    /// What gives the number of a place, where numbers decide.
    pub(super) fn key(&self) -> Option<impl Fn(u32) -> u128 + Sync> {
        let Self { cells, step } = *self;
        let is_second = matches!(step, Step::Second);
        let key = move |place: u32| match cells {
            Cells::Places(places, _) => places.get(place).map_or(u128::MAX, |place| u128::from(*place)),
            Cells::Numbers(numbers) => numbers.get(place).map_or(u128::MAX, |number| u128::from(*number)),
            Cells::Texts(texts, shared, direction) => texts.get(place).map_or(u128::MAX, |taken| {
                let text = match taken.rank {
                    Rank::Absent if is_second => return 0,
                    Rank::Absent => return ABSENT,
                    Rank::Unknown if is_second => return 0,
                    Rank::Unknown => return UNKNOWN,
                    Rank::Known => taken.text.as_bytes().get(*shared..).unwrap_or_default(),
                };
                let (first, second) = halves(natural::prefix(text));
                if is_second { directed(second, *direction) } else { directed(first, *direction) & VALUE }
            }),
        };
        (!matches!(step, Step::Whole)).then_some(key)
    }
}

/// The rank of what is absent and of what is unknown stands above every value, in the highest byte.
const ABSENT: u128 = 1 << 120;
const UNKNOWN: u128 = 2 << 120;
const VALUE: u128 = ABSENT - 1;

/// What is absent and what is unknown among numbers. No instant or amount comes near them.
const NUMBER_UNKNOWN: u64 = u64::MAX;
const NUMBER_ABSENT: u64 = NUMBER_UNKNOWN - 1;

/// A number by which end comes first, below what is absent.
fn numbered(value: u64, direction: Direction) -> u64 {
    match direction {
        Direction::Up => value,
        Direction::Down => !value,
    }
    .min(NUMBER_ABSENT - 1)
}

fn directed(value: u128, direction: Direction) -> u128 {
    match direction {
        Direction::Up => value,
        Direction::Down => !value,
    }
}

/// Takes the cells of one column.
pub(super) fn take<'a>(
    column: &Column,
    direction: Direction,
    (kind, ctx): (Kind, Ctx<'a>),
    rows: &[u32],
) -> Cells<'a> {
    if let Some(ranks) = ranks_by(column, kind, ctx.fleet) {
        let count = u32::try_from(ranks.len()).unwrap_or(fleet::ABSENT);
        let place = |row: &u32| match ranks.get(*row as usize) {
            Some(&rank) if rank != fleet::ABSENT => placed(rank, count, direction),
            _ => count,
        };
        let parts = in_shares(rows, |rows| rows.iter().map(place).collect());
        return Cells::Places(Parts::new(parts), count + 1);
    }
    let gist = ctx.fleet.instances.gist().filter(|_| kind == Kind::Instances && kin::is_alike(column));
    let of_kin = gist.and_then(|gist| {
        kin::take(gist, rows, |firsts| take_each(column, direction, (kind, ctx), firsts, few::MOST))
    });
    of_kin.unwrap_or_else(|| take_each(column, direction, (kind, ctx), rows, few::most(rows)))
}

/// Takes the cell of each of these rows. More than so many texts in one share are not few.
fn take_each<'a>(
    column: &Column,
    direction: Direction,
    (kind, ctx): (Kind, Ctx<'a>),
    rows: &[u32],
    most: usize,
) -> Cells<'a> {
    let reach = (kind, Reach::of(column));
    let cell = |row: u32| (column.get)(ctx, row as usize);
    if let Some(count) = few_of(column.unit) {
        let place = |cell: Value<'_>| match number(&cell).and_then(|number| u32::try_from(number).ok()) {
            Some(number) if number < count => placed(number, count, direction),
            None if cell == Value::Absent => count,
            _ => count + 1,
        };
        let parts = in_shares(rows, |rows| {
            let mut places = Vec::with_capacity(rows.len());
            one_by_one(reach, ctx.fleet, rows, |row| places.push(place(cell(row))));
            places
        });
        return Cells::Places(Parts::new(parts), count + 2);
    }
    if !matches!(column.unit, Unit::Text | Unit::List) {
        let key = |cell: Value<'_>| match number(&cell) {
            Some(number) => numbered(number, direction),
            None if cell == Value::Absent => NUMBER_ABSENT,
            None => NUMBER_UNKNOWN,
        };
        return Cells::Numbers(Parts::new(in_shares(rows, |rows| {
            let mut keys = Vec::with_capacity(rows.len());
            one_by_one(reach, ctx.fleet, rows, |row| keys.push(key(cell(row))));
            keys
        })));
    }
    let place = (reach, ctx.fleet);
    let few = few::take(direction, place, (rows, most), &cell);
    if let Some(cells) = few.or_else(|| addresses(direction, place, rows, &cell)) {
        return cells;
    }
    let parts = in_shares(rows, |rows| {
        let mut taken = Vec::with_capacity(rows.len());
        one_by_one(reach, ctx.fleet, rows, |row| taken.push(text(cell(row))));
        let shared = natural::shared(known(&taken));
        (taken, shared)
    });
    let among_firsts = natural::shared(parts.iter().filter_map(|(taken, _)| known(taken).next()));
    let with_any = parts.iter().filter(|(taken, _)| known(taken).next().is_some());
    let shared = with_any.map(|(_, shared)| *shared).fold(among_firsts, usize::min);
    Cells::Texts(Parts::new(parts.into_iter().map(|(taken, _)| taken).collect()), shared, direction)
}

/// How many different values a unit has, where these are a handful.
const fn few_of(unit: Unit) -> Option<u32> {
    match unit {
        Unit::Flag => Some(2),
        Unit::Health => Some(Health::Bad as u32 + 1),
        _ => None,
    }
}

/// The place of one of so many, by which end comes first.
pub(super) const fn placed(place: u32, count: u32, direction: Direction) -> u32 {
    match direction {
        Direction::Up => place,
        Direction::Down => count - 1 - place,
    }
}

/// Texts that are all addresses, as the numbers that these are: their natural order is the same.
fn addresses<'a>(
    direction: Direction,
    (reach, fleet): ((Kind, Reach), &Fleet),
    rows: &[u32],
    cell: &(impl Fn(u32) -> Value<'a> + Sync),
) -> Option<Cells<'a>> {
    let key = |row: u32| match cell(row) {
        Value::Text(text) => Some(numbered(text.parse::<Ipv4Addr>().ok()?.to_bits().into(), direction)),
        Value::Absent => Some(NUMBER_ABSENT),
        Value::Unknown(_) => Some(NUMBER_UNKNOWN),
        _ => None,
    };
    let parts = in_shares(rows, |rows| {
        let mut keys = Vec::with_capacity(rows.len());
        let is_done = try_one_by_one(reach, fleet, rows, |row| {
            keys.push(key(row)?);
            Some(())
        });
        is_done.map(|()| keys)
    });
    Some(Cells::Numbers(Parts::new(parts.into_iter().collect::<Option<Vec<_>>>()?)))
}

fn known<'t>(taken: &'t [Taken<'_>]) -> impl Iterator<Item = &'t str> {
    taken.iter().filter(|it| it.rank == Rank::Known).map(|it| it.text.as_ref())
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

pub(super) fn text(cell: Value<'_>) -> Taken<'_> {
    let (rank, text) = match cell {
        Value::Text(text) => (Rank::Known, text),
        Value::List(words) if words.is_empty() => (Rank::Absent, Cow::Borrowed("")),
        Value::List(words) => (Rank::Known, Cow::Owned(words.join(","))),
        Value::Absent => (Rank::Absent, Cow::Borrowed("")),
        _ => (Rank::Unknown, Cow::Borrowed("")),
    };
    Taken { rank, text }
}
