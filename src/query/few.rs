//! Columns of few different texts, such as zones and groups: each is looked at once and given a number, so that rows are
//! sorted by small numbers.

use super::cells::{Cells, Parts, Rank, placed, text};
use super::kind::{Kind, Reach};
use super::natural;
use super::share::{in_shares, try_one_by_one};
use super::sort::Direction;
use super::value::Value;
use crate::fleet::Fleet;
use std::borrow::Cow;
use std::collections::HashMap;

/// More texts than so many in one share are not few.
const MOST: usize = 1_024;

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

/// Takes the cells of rows; none where they have many different texts.
pub(super) fn take<'a>(
    direction: Direction,
    place: ((Kind, Reach), &Fleet),
    rows: &[u32],
    cell: &(impl Fn(u32) -> Value<'a> + Sync),
) -> Option<Cells<'a>> {
    let shares: Vec<Share<'a>> =
        in_shares(rows, |rows| number(place, rows, cell)).into_iter().collect::<Option<Vec<_>>>()?;
    let mut all: Vec<&str> = shares.iter().flat_map(|share| &share.texts).map(AsRef::as_ref).collect();
    all.sort_unstable_by(|a, b| natural::order(a, b));
    all.dedup();
    let count = u32::try_from(all.len()).ok()?;
    let place_of = |text: &Cow<'_, str>| {
        let at = all.partition_point(|other| natural::order(other, text).is_lt());
        placed(u32::try_from(at).unwrap_or_default(), count, direction)
    };
    let parts = shares.iter().map(|share| {
        let places: Vec<u32> = share.texts.iter().map(place_of).collect();
        let places = share.numbers.iter().map(|number| match number {
            Number::Known(at) => places.get(*at as usize).copied().unwrap_or_default(),
            Number::Absent => count,
            Number::Unknown => count + 1,
        });
        places.collect()
    });
    Some(Cells::Places(Parts::new(parts.collect()), count + 2))
}

fn number<'a>(
    (reach, fleet): ((Kind, Reach), &Fleet),
    rows: &[u32],
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
                    let at = u32::try_from(texts.len()).ok().filter(|_| texts.len() < MOST)?;
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
    use super::MOST;
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
            many(3_000, MOST, None),
            many(3_000, MOST + 1, Some(1_234)),
            many(40_000, 40, Some(39_999)),
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
