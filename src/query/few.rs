//! Columns of few different texts, such as zones and groups: each is looked at once and given a number, so that rows are
//! sorted by small numbers.

use super::cells::{Cells, Level, Parts, Rank, placed, text};
use super::kind::{Kind, Reach};
use super::share::{in_shares, try_one_by_one};
use super::sort::{Direction, refine};
use super::value::Value;
use crate::fleet::Fleet;
use std::borrow::Cow;
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// More texts than so many in one share are not few: to find that out is to hash as many in vain, a millisecond of work,
pub(super) const MOST: usize = 16_384;
/// nor is more than one for so many rows,
const EACH: usize = 4;
/// where there are more than so many.
const AT_LEAST: usize = 1_024;

/// The numbers of a share, and the texts that they stand for.
struct Share<'a> {
    numbers: Vec<Number>,
    texts: Vec<Cow<'a, str>>,
}

/// What stands for a cell.
#[derive(Clone, Copy)]
enum Number {
    Known(u32),
    Absent,
    Unknown,
}

/// How many different texts are few among so many rows.
pub(super) fn most(rows: &[u32]) -> usize {
    (rows.len() / EACH).clamp(AT_LEAST, MOST)
}

/// Takes the cells of rows; none where they have more than so many different texts in a share of them.
pub(super) fn take<'a>(
    direction: Direction,
    place: ((Kind, Reach), &Fleet),
    (rows, most): (&[u32], usize),
    cell: &(impl Fn(u32) -> Value<'a> + Sync),
) -> Option<Cells<'a>> {
    let shares: Vec<Share<'a>> =
        in_shares(rows, |rows| number(place, (rows, most), cell)).into_iter().collect::<Option<Vec<_>>>()?;
    let (numbers, texts): (Vec<_>, Vec<_>) =
        shares.into_iter().map(|share| (share.numbers, share.texts)).unzip();
    let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
    let (places, count) = places_of(texts.into_iter().flatten().collect())?;
    let mut from = 0;
    let parts = numbers.iter().zip(lengths).map(|(numbers, length)| {
        let own = places.get(from..from + length).unwrap_or_default();
        from += length;
        let place = |number: &Number| match number {
            Number::Known(at) => placed(own.get(*at as usize).copied().unwrap_or_default(), count, direction),
            Number::Absent => count,
            Number::Unknown => count + 1,
        };
        numbers.iter().map(place).collect()
    });
    Some(Cells::Places(Parts::new(parts.collect()), count + 2))
}

/// The place of each text in the order of all, the same for equal ones, and how many places there are.
fn places_of(texts: Vec<Cow<'_, str>>) -> Option<(Vec<u32>, u32)> {
    let (mut places, mut count) = (vec![0; texts.len()], 0);
    let mut order: Vec<u32> = (0..u32::try_from(texts.len()).ok()?).collect();
    let cells = Cells::of_texts(texts);
    let levels: Vec<Level<'_, '_>> = cells.levels().collect();
    refine(&levels, &mut order);
    let whole = levels.iter().find(|level| level.is_whole())?;
    for same in order.chunk_by(|a, b| whole.compare(*a, *b).is_eq()) {
        for at in same {
            *places.get_mut(*at as usize)? = count;
        }
        count += 1;
    }
    Some((places, count))
}

fn number<'a>(
    (reach, fleet): ((Kind, Reach), &Fleet),
    (rows, most): (&[u32], usize),
    cell: &impl Fn(u32) -> Value<'a>,
) -> Option<Share<'a>> {
    let mut known: HashMap<Cow<'a, str>, u32> = HashMap::new();
    let (mut numbers, mut texts) = (Vec::with_capacity(rows.len()), Vec::<Cow<'a, str>>::new());
    try_one_by_one(reach, fleet, rows, |row| {
        let taken = text(cell(row));
        numbers.push(match taken.rank {
            Rank::Absent => Number::Absent,
            Rank::Unknown => Number::Unknown,
            Rank::Known => Number::Known(match known.get(taken.text.as_ref()) {
                Some(at) => *at,
                None => {
                    let at = u32::try_from(texts.len()).ok().filter(|_| texts.len() < most)?;
                    // Addresses are numbers already.
                    if texts.is_empty() && taken.text.parse::<Ipv4Addr>().is_ok() {
                        return None;
                    }
                    texts.push(taken.text.clone());
                    known.insert(taken.text, at);
                    at
                }
            }),
        });
        Some(())
    })?;
    Some(Share { numbers, texts })
}

#[cfg(test)]
mod tests {
    use super::{AT_LEAST, EACH};
    use crate::fleet::{Fleet, InstanceRow};
    use crate::model::Text;
    use crate::query::made::{fleet, row, with};
    use crate::query::{Ctx, Kind, Sort, Value, natural, sort};
    use std::cmp::Ordering;

    /// Instances in so many zones, with addresses and some without; one of `odd` has what is none.
    fn many(count: usize, zones: usize, odd: Option<usize>) -> Fleet {
        let one = |at: usize| -> InstanceRow {
            with(row(&format!("i-{at:05x}"), &[]), |it| {
                it.zone = format!("zone-{}", at * 7_919 % zones).as_str().into();
                let address = format!("10.{}.{}.{}", at * 31 % 256, at * 17 % 256, at % 256);
                it.private_ip = (at % 7 != 3).then(|| Text::new(address));
                if odd == Some(at) {
                    it.private_ip = Some(Text::new("10.0.0.300"));
                }
            })
        };
        fleet((0..count).map(one).collect())
    }

    /// Rows in the order of comparing each with each.
    fn plainly(fleet: &Fleet, name: &str, is_down: bool, rows: &mut [u32]) {
        let (column, ctx) = (Kind::Instances.column(name).unwrap(), Ctx { fleet, now: fleet.at });
        rows.sort_by(|a, b| match ((column.get)(ctx, *a as usize), (column.get)(ctx, *b as usize)) {
            (Value::Text(a), Value::Text(b)) if is_down => natural::order(&b, &a),
            (Value::Text(a), Value::Text(b)) => natural::order(&a, &b),
            (Value::Text(_), Value::Absent) => Ordering::Less,
            (Value::Absent, Value::Text(_)) => Ordering::Greater,
            _ => Ordering::Equal,
        });
    }

    #[test]
    fn few_texts_many_texts_and_addresses_are_sorted_as_if_they_were_compared() {
        let fleets = [
            many(300, 5, None),
            many(3_000, 5, None),
            many(3_000, AT_LEAST, None),
            many(3_000, AT_LEAST + 1, Some(1_234)),
            many(40_000, 40, Some(39_999)),
            many(40_000, 40_000 / EACH / 2, None),
            many(40_000, 39_999, Some(0)),
        ];
        for fleet in &fleets {
            for (name, is_down) in
                [("zone", false), ("zone", true), ("private_ip", false), ("private_ip", true)]
            {
                let first: Vec<u32> = (0..u32::try_from(fleet.instances.len()).unwrap()).rev().collect();
                let (mut sorted, mut expected) = (first.clone(), first);
                let by =
                    Sort::parse(&format!("{name}:{}", if is_down { "desc" } else { "asc" }), Kind::Instances);
                sort(&by.unwrap(), Ctx { fleet, now: fleet.at }, Kind::Instances, &mut sorted);
                plainly(fleet, name, is_down, &mut expected);
                assert_eq!(sorted, expected, "{name} of {}", fleet.instances.len());
            }
        }
    }
}
