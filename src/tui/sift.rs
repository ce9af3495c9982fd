//! One pass over the rows of a list: which of them answer a query, and of which too little is known to say.

use crate::query::share::{in_pieces, one_by_one};
use crate::query::{Ctx, Query, Truth};

/// What a pass found, in the order of the rows.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sifted {
    /// Rows that answer for certain.
    pub(super) rows: Vec<u32>,
    /// Rows that could not be decided.
    pub(super) undecided: Vec<u32>,
}

/// Rows that are taken at a time, and after which it is asked whether anybody still wants to know: a fifth of a
/// millisecond of work.
const AT_A_TIME: usize = 1_024;

/// Sifts rows that are in an order of their own: they are looked at in that of the fleet, in which they lie in memory,
/// and what is found is put in theirs.
pub(super) fn sift_in_order(
    query: &Query,
    ctx: Ctx<'_>,
    order: &[u32],
    is_in_vain: impl Fn() -> bool + Sync,
) -> Sifted {
    let Sifted { rows, undecided } = sift(query, ctx, &ascending(order), is_in_vain);
    Sifted { rows: in_order(order, &rows), undecided: in_order(order, &undecided) }
}

/// The same rows from the first to the last. It takes no comparing.
fn ascending(rows: &[u32]) -> Vec<u32> {
    let is_there = marks(rows);
    (0..).zip(is_there).filter_map(|(at, is_there)| is_there.then_some(at)).collect()
}

/// Marks rows in a list that is as long as the greatest of them asks for.
fn marks(rows: &[u32]) -> Vec<bool> {
    let most = rows.iter().max().map_or(0, |most| *most as usize + 1);
    let mut is_there = vec![false; most];
    for at in rows {
        if let Some(is_there) = is_there.get_mut(*at as usize) {
            *is_there = true;
        }
    }
    is_there
}

/// Rows that were found, in an order of all.
pub(super) fn in_order(order: &[u32], found: &[u32]) -> Vec<u32> {
    if found.is_empty() {
        return Vec::new();
    }
    let is_found = marks(found);
    order.iter().copied().filter(|at| is_found.get(*at as usize) == Some(&true)).collect()
}

/// Sifts rows of the query's kind; what is found keeps their order. As soon as it `is_in_vain` it ends with what
/// it has.
pub(super) fn sift(
    query: &Query,
    ctx: Ctx<'_>,
    rows: &[u32],
    is_in_vain: impl Fn() -> bool + Sync,
) -> Sifted {
    let parts = in_pieces(
        rows,
        AT_A_TIME,
        || query.searcher(ctx),
        |searcher, some| {
            let mut sifted = Sifted::default();
            if is_in_vain() {
                return sifted;
            }
            one_by_one((query.kind(), searcher.reach), ctx.fleet, some, |at| {
                match searcher.truth(at as usize) {
                    Truth::True => sifted.rows.push(at),
                    Truth::Unknown => sifted.undecided.push(at),
                    Truth::False => {}
                }
            });
            sifted
        },
    );
    let mut sifted = Sifted::default();
    for part in parts {
        sifted.rows.extend(part.rows);
        sifted.undecided.extend(part.undecided);
    }
    sifted
}

#[cfg(test)]
mod tests {
    use super::{ascending, in_order};

    #[test]
    fn what_is_found_stands_in_the_order_of_all() {
        assert_eq!(in_order(&[3, 0, 2, 1], &[0, 1, 3]), [3, 0, 1]);
        assert_eq!(in_order(&[7, 5], &[5, 6, 9]), [5]);
        assert!(in_order(&[], &[1]).is_empty() && in_order(&[1, 0], &[]).is_empty());
        assert_eq!(ascending(&[7, 5, 0]), [0, 5, 7]);
        assert!(ascending(&[]).is_empty());
    }
}
