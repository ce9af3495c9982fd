//! Columns in which all kin of a gist have the same cell: it is looked at in one row of each, and not in every row.

use super::cells::{Cells, Parts};
use super::columns::Column;
use super::expr::{On, Term};
use super::truth::Truth;
use crate::fleet::ABSENT;
use crate::fleet::gist::Gist;
use std::cell::RefCell;

/// What a `Kin` holds, and what its `Make` does.
const COLUMNS: [&str; 18] = [
    "type",
    "state",
    "health",
    "tier",
    "group",
    "zone",
    "lifecycle",
    "image_id",
    "architecture",
    "owner_id",
    "vpc_id",
    "subnet_id",
    "key_name",
    "profile_arn",
    "platform",
    "security_groups",
    "root_device",
    "detailed_monitoring",
];

/// Tells whether kin have the same cell in a column of instances.
pub(super) fn is_alike(column: &Column) -> bool {
    COLUMNS.contains(&column.name)
}

/// A term that is answered once for all kin.
pub(super) struct Alike<'q> {
    term: &'q Term,
    gist: &'q Gist,
    known: RefCell<Vec<Option<Truth>>>,
}

impl<'q> Alike<'q> {
    /// None for a term about another column.
    pub(super) fn of(term: &'q Term, gist: &'q Gist) -> Option<Self> {
        let is_alike = matches!(&term.on, On::Column(column) if is_alike(column));
        is_alike.then(|| Self { term, gist, known: RefCell::new(vec![None; gist.kins().len()]) })
    }

    /// Tells whether it answers this term.
    pub(super) fn is_for(&self, term: &Term) -> bool {
        std::ptr::eq(self.term, term)
    }

    /// The answer for row `at`: that of its kin, if one of them was asked already.
    pub(super) fn truth(&self, at: usize, ask: impl FnOnce() -> Truth) -> Truth {
        let mut known = self.known.borrow_mut();
        match self.gist.kin(at).and_then(|kin| known.get_mut(kin as usize)) {
            Some(known) => *known.get_or_insert_with(ask),
            None => ask(),
        }
    }
}

/// Takes the cells of rows: `take` takes those of the first row of each kin. None where they are not numbers then.
pub(super) fn take<'a>(
    gist: &Gist,
    rows: &[u32],
    take: impl FnOnce(&[u32]) -> Cells<'a>,
) -> Option<Cells<'a>> {
    let mut places = vec![ABSENT; gist.kins().len()];
    let (mut firsts, mut own) = (Vec::new(), Vec::with_capacity(rows.len()));
    for row in rows {
        let place = places.get_mut(gist.kin(*row as usize)? as usize)?;
        if *place == ABSENT {
            *place = u32::try_from(firsts.len()).ok()?;
            firsts.push(*row);
        }
        own.push(*place);
    }
    Some(match take(&firsts) {
        Cells::Places(cells, below) => Cells::Places(spread(&cells, &own)?, below),
        Cells::Numbers(cells) => Cells::Numbers(spread(&cells, &own)?),
        Cells::Texts(..) => return None,
    })
}

/// The cell of its kin for each row.
fn spread<T: Copy>(cells: &Parts<T>, own: &[u32]) -> Option<Parts<T>> {
    let all = own.iter().map(|place| cells.get(*place).copied()).collect::<Option<Vec<_>>>()?;
    Some(Parts::new(vec![all]))
}

#[cfg(test)]
mod tests {
    use super::COLUMNS;
    use crate::query::gist::made::many;
    use crate::query::made::fleet;
    use crate::query::{Ctx, Kind, Sort, gather, sort};
    use std::collections::{HashMap, HashSet};

    /// Columns that say something else of instances which are kin.
    const OTHERS: [&str; 7] = ["id", "name", "private_ip", "tier_by", "account", "region", "tags"];

    #[test]
    fn kin_have_the_same_cells_in_these_columns_and_not_in_others() {
        let fleet = fleet(many());
        gather(&fleet, None);
        let (gist, ctx) = (fleet.instances.gist().unwrap(), Ctx { fleet: &fleet, now: fleet.at });
        for column in Kind::Instances.columns() {
            let mut cells = HashMap::new();
            let is_same = (0..fleet.instances.len()).all(|at| {
                let cell = format!("{:?}", (column.get)(ctx, at));
                *cells.entry(gist.kin(at).unwrap()).or_insert_with(|| cell.clone()) == cell
            });
            assert!(is_same || !COLUMNS.contains(&column.name), "{}", column.name);
            // Of a column in which all rows are the same this would tell nothing.
            let is_varied = cells.values().collect::<HashSet<_>>().len() > 1;
            assert!(is_varied || !COLUMNS.contains(&column.name), "{}", column.name);
            assert!(!is_same || !OTHERS.contains(&column.name), "{}", column.name);
        }
        assert!(COLUMNS.iter().all(|name| Kind::Instances.column(name).is_ok()));
    }

    #[test]
    fn rows_are_in_the_same_order_by_the_cells_of_their_kin_as_by_their_own() {
        let (plain, gathered) = (fleet(many()), fleet(many()));
        gather(&gathered, None);
        for name in COLUMNS {
            for by in [name.to_owned(), format!("{name}:desc"), format!("{name},launched_at:desc")] {
                let by = Sort::parse(&by, Kind::Instances).unwrap();
                let sorted = |fleet: &crate::fleet::Fleet| {
                    let mut rows: Vec<u32> =
                        (0..u32::try_from(fleet.instances.len()).unwrap()).rev().collect();
                    sort(&by, Ctx { fleet, now: fleet.at }, Kind::Instances, &mut rows);
                    rows
                };
                assert_eq!(sorted(&gathered), sorted(&plain), "{by}");
            }
        }
    }
}
