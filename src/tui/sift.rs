//! One pass over the rows of a list: which of them answer a query, and of which too little is known to say.

use crate::query::share::in_shares;
use crate::query::{Ctx, Query, Truth};

/// What a pass found, in the order of the rows.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sifted {
    /// Rows that answer for certain.
    pub(super) rows: Vec<u32>,
    /// Rows that could not be decided.
    pub(super) undecided: Vec<u32>,
}

/// Sifts rows of the query's kind; what is found keeps their order.
pub(super) fn sift(query: &Query, ctx: Ctx<'_>, rows: &[u32]) -> Sifted {
    let parts = in_shares(rows, |share| {
        let mut sifted = Sifted::default();
        for at in share {
            match query.truth(ctx, *at as usize) {
                Truth::True => sifted.rows.push(*at),
                Truth::Unknown => sifted.undecided.push(*at),
                Truth::False => {}
            }
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
