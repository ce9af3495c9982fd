//! Rows put together by what a column says of them, with subtotals where a sum means something.

use super::columns::{Column, Ctx};
use super::kind::Kind;
use super::value::{Unit, Value};
use crate::model::Health;
use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

/// Rows of which a column says the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What the column says, as a cell shows it: `?` where that is not known, `-` where it is nothing.
    pub name: String,
    /// The rows, in their order.
    pub rows: Vec<u32>,
    /// How many are how well, from best to worst.
    pub by_health: [(Health, u32); 5],
}

/// A sum over rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Subtotal {
    /// The sum of what is known.
    pub value: Value<'static>,
    /// Whether every cell was known; where not, the sum is the least that it can be.
    pub is_whole: bool,
}

/// Counts that name something or rank it: their sum says nothing.
const NO_SUMS: &[&str] = &[
    "port",
    "group_port",
    "default_version",
    "latest_version",
    "versions_behind",
    "behind",
    "newer",
    "weight",
    "min_percent",
    "max_percent",
];

/// Tells whether rows can be put together by a column: moments go by their day, but spans, tags and what has
/// parts say something else of every row.
pub fn is_groupable(column: &Column) -> bool {
    !matches!(column.unit, Unit::Span | Unit::Tags | Unit::Nested | Unit::Dollars | Unit::Number)
}

/// Puts rows together by a column, in the order in which they come.
pub fn group(ctx: Ctx<'_>, kind: Kind, by: &Column, rows: &[u32]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<Cow<'_, str>, usize> = HashMap::new();
    for row in rows {
        let at = *row as usize;
        let name = name(by, ctx, at);
        let place = match places.get(name.as_ref()) {
            Some(place) => *place,
            None => {
                let by_health = [Health::Ok, Health::Busy, Health::Unknown, Health::Warn, Health::Bad];
                let by_health = by_health.map(|health| (health, 0));
                groups.push(Group { name: name.to_string(), rows: Vec::new(), by_health });
                places.insert(name, groups.len() - 1);
                groups.len() - 1
            }
        };
        let Some(group) = groups.get_mut(place) else { continue };
        group.rows.push(*row);
        if let Some(health) = kind.health(ctx, at)
            && let Some((_, count)) = group.by_health.iter_mut().find(|(of, _)| *of == health)
        {
            *count += 1;
        }
    }
    groups
}

fn name<'a>(by: &Column, ctx: Ctx<'a>, at: usize) -> Cow<'a, str> {
    match (by.get)(ctx, at) {
        Value::Moment(at) => Cow::Owned(at.strftime("%Y-%m-%d").to_string()),
        value => value.show(by.unit, ctx.now),
    }
}

/// The sum of a column over rows; none where a sum means nothing, or nothing is known.
pub fn subtotal(ctx: Ctx<'_>, column: &Column, rows: &[u32]) -> Option<Subtotal> {
    let has_sum = matches!(column.unit, Unit::Count | Unit::Mebibytes | Unit::BytesPerSecond | Unit::Dollars)
        || column.name == "duration";
    if !has_sum || NO_SUMS.contains(&column.name) {
        return None;
    }
    let (mut sum, mut is_whole) = (None, true);
    for row in rows {
        sum = match (sum, (column.get)(ctx, *row as usize)) {
            (sum, Value::Absent) => sum,
            (sum, Value::Unknown(_)) => {
                is_whole = false;
                sum
            }
            (None, Value::Count(n)) => Some(Value::Count(n)),
            (None, Value::Number(n)) => Some(Value::Number(n)),
            (None, Value::Dollars(n)) => Some(Value::Dollars(n)),
            (None, Value::Span(n)) => Some(Value::Span(n)),
            (Some(Value::Count(sum)), Value::Count(n)) => Some(Value::Count(sum.saturating_add(n))),
            (Some(Value::Number(sum)), Value::Number(n)) => Some(Value::Number(sum + n)),
            (Some(Value::Dollars(sum)), Value::Dollars(n)) => Some(Value::Dollars(sum + n)),
            (Some(Value::Span(sum)), Value::Span(n)) => {
                Some(Value::Span(sum.checked_add(n).unwrap_or(Duration::MAX)))
            }
            (sum, _) => {
                is_whole = false;
                sum
            }
        };
    }
    sum.map(|value| Subtotal { value, is_whole })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Known, WhyUnknown};
    use crate::query::made::{NOW, fleet, row, with};

    #[test]
    fn rows_stand_together_by_what_is_said_of_them_and_sums_tell_what_they_lack() {
        let mut rows = vec![
            with(row("i-1", &[]), |it| it.zone = "b".into()),
            with(row("i-2", &[]), |it| it.zone = "a".into()),
            with(row("i-3", &[]), |it| it.zone = "b".into()),
        ];
        rows[0].cores = Known::Yes(2);
        rows[2].cores = Known::No(WhyUnknown::Pending);
        rows[2].health = Health::Bad;
        let fleet = fleet(rows);
        let ctx = Ctx { fleet: &fleet, now: NOW };
        let column = |name| Kind::Instances.column(name).unwrap();
        let groups = group(ctx, Kind::Instances, column("zone"), &[0, 1, 2]);
        let told: Vec<_> = groups.iter().map(|group| (group.name.as_str(), group.rows.clone())).collect();
        assert_eq!(told, [("b", vec![0, 2]), ("a", vec![1])]);
        assert_eq!(groups[0].by_health[0], (Health::Ok, 1));
        assert_eq!(groups[0].by_health[4], (Health::Bad, 1));
        let sum = subtotal(ctx, column("cores"), &[0, 2]).unwrap();
        assert_eq!((sum.value, sum.is_whole), (Value::Count(2), false));
        assert_eq!(subtotal(ctx, column("zone"), &[0, 1]), None);
        assert_eq!(subtotal(ctx, column("cores"), &[1]), None, "nothing is known");
        let days = group(ctx, Kind::Instances, column("launched_at"), &[0, 1, 2]);
        assert_eq!(days.len(), 1, "moments go by their day");
        assert!(!is_groupable(column("tags")) && is_groupable(column("health")));
    }
}
