//! One pass over the rows of a list: which of them answer a query, and of which too little is known to say.

use crate::query::share::{in_shares, one_by_one};
use crate::query::{Ctx, Query, Truth};

/// What a pass found, in the order of the rows.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sifted {
    /// Rows that answer for certain.
    pub(super) rows: Vec<u32>,
    /// Rows that could not be decided.
    pub(super) undecided: Vec<u32>,
}

/// Rows after which it is asked whether anybody still wants to know: a fifth of a millisecond of work.
const AT_A_TIME: usize = 1_024;

/// Sifts rows of the query's kind; what is found keeps their order. As soon as it `is_in_vain` it ends with what
/// it has.
pub(super) fn sift(
    query: &Query,
    ctx: Ctx<'_>,
    rows: &[u32],
    is_in_vain: impl Fn() -> bool + Sync,
) -> Sifted {
    let parts = in_shares(rows, |share| {
        let (mut sifted, searcher) = (Sifted::default(), query.searcher(ctx));
        for some in share.chunks(AT_A_TIME) {
            if is_in_vain() {
                break;
            }
            one_by_one(query.kind(), ctx.fleet, some, |at| match searcher.truth(at as usize) {
                Truth::True => sifted.rows.push(at),
                Truth::Unknown => sifted.undecided.push(at),
                Truth::False => {}
            });
        }
        sifted
    });
    let mut sifted = Sifted::default();
    for part in parts {
        sifted.rows.extend(part.rows);
        sifted.undecided.extend(part.undecided);
    }
    sifted
}
