//! Where each of many instances stands by name and by id, found out once for each list of them.

use super::columns::{Column, Ctx};
use super::kind::Kind;
use super::sort::{Direction, Sort, sort};
use super::value::Value;
use crate::fleet::{ABSENT, Fleet, Ranks};
use std::sync::Arc;

/// Lists of at most so many are sorted by their texts within milliseconds.
pub(super) const FEW: usize = 5_000;

/// Sees to it that a large fleet's instances are known by their places: from `before`, where they are the same ones, or by
/// sorting them. That takes tens of milliseconds, so it is nothing for a thread that draws.
pub fn rank(fleet: &Fleet, before: Option<&Fleet>) {
    if fleet.instances.len() <= FEW || fleet.instances.ranks().is_some() {
        return;
    }
    let known =
        before.filter(|before| has_the_same(fleet, before)).and_then(|before| before.instances.ranks());
    fleet.instances.keep(known.map_or_else(|| Arc::new(ranks(fleet)), Arc::clone));
}

/// The places of instances by this column, where they were found out.
pub(super) fn ranks_by<'f>(column: &Column, kind: Kind, fleet: &'f Fleet) -> Option<&'f [u32]> {
    let ranks = (kind == Kind::Instances).then(|| fleet.instances.ranks()).flatten()?;
    match column.name {
        "name" => Some(&ranks.by_name),
        "id" => Some(&ranks.by_id),
        _ => None,
    }
}

fn has_the_same(fleet: &Fleet, before: &Fleet) -> bool {
    let (own, others) = (&fleet.instances, &before.instances);
    own.len() == others.len() && own.iter().zip(others).all(|(own, other)| Arc::ptr_eq(&own.it, &other.it))
}

fn ranks(fleet: &Fleet) -> Ranks {
    Ranks { by_name: places(fleet, "name"), by_id: places(fleet, "id") }
}

fn places(fleet: &Fleet, name: &str) -> Arc<[u32]> {
    let (kind, ctx) = (Kind::Instances, Ctx { fleet, now: fleet.at });
    let mut places = vec![ABSENT; fleet.instances.len()];
    let Some(column) = kind.columns().iter().find(|column| column.name == name) else { return places.into() };
    let mut order: Vec<u32> = (0..ABSENT).take(places.len()).collect();
    sort(&Sort::by(column, Direction::Up), ctx, kind, &mut order);
    let mut last: Option<(Value<'_>, u32)> = None;
    for (row, at) in order.into_iter().zip(0..ABSENT) {
        let cell = (column.get)(ctx, row as usize);
        let place = match last {
            Some((same, place)) if same == cell => place,
            _ => at,
        };
        if let (Some(own), true) = (places.get_mut(row as usize), cell != Value::Absent) {
            *own = place;
        }
        last = Some((cell, place));
    }
    places.into()
}

#[cfg(test)]
mod tests {
    use super::{FEW, rank};
    use crate::fleet::{Fleet, InstanceRow};
    use crate::query::made::{fleet, row};
    use crate::query::{Ctx, Kind, Sort, sort};
    use std::sync::Arc;

    /// More instances than a few: names in no order, some twice and some none at all.
    fn many() -> Vec<InstanceRow> {
        let one = |at: usize| {
            let name = format!("core-{}", at * 7_919 % 3_000);
            let tags: &[_] = if at.is_multiple_of(11) { &[] } else { &[("Name", name.as_str())] };
            row(&format!("i-{:05x}", at * 6_007 % 8_191), tags)
        };
        (0..FEW + 10).map(one).collect()
    }

    fn sorted(fleet: &Fleet, by: &str) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..u32::try_from(fleet.instances.len()).unwrap()).rev().collect();
        let by = Sort::parse(by, Kind::Instances).unwrap();
        sort(&by, Ctx { fleet, now: fleet.at }, Kind::Instances, &mut rows);
        rows
    }

    #[test]
    fn rows_stand_in_the_same_order_by_their_places_as_by_their_texts() {
        let (plain, ranked) = (fleet(many()), fleet(many()));
        rank(&ranked, None);
        assert!(plain.instances.ranks().is_none() && ranked.instances.ranks().is_some());
        for by in ["name", "id", "name:desc", "id:desc", "name,id", "zone,name", "name,launched_at:desc"] {
            assert_eq!(sorted(&ranked, by), sorted(&plain, by), "{by}");
        }
    }

    #[test]
    fn the_same_instances_keep_their_places_and_others_get_new_ones() {
        let first = fleet(many());
        rank(&first, None);
        let ranks = first.instances.ranks().unwrap();
        // Other rows of the same instances.
        let mut second = Fleet { instances: first.instances.to_vec().into(), ..first.clone() };
        assert!(second.instances.ranks().is_none());
        rank(&second, Some(&first));
        assert!(Arc::ptr_eq(second.instances.ranks().unwrap(), ranks));
        second.instances[3].it = Arc::new(row("i-other", &[("Name", "a")]).it.as_ref().clone());
        assert!(second.instances.ranks().is_none(), "rows that were changed are known no more");
        rank(&second, Some(&first));
        assert_eq!(second.instances.ranks().unwrap().by_name[3], 0);
    }

    #[test]
    fn a_few_are_left_as_they_are() {
        let some = fleet(many().into_iter().take(FEW).collect());
        rank(&some, None);
        assert!(some.instances.ranks().is_none());
    }
}
