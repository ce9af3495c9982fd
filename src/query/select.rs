//! The rows that answer a query.

use super::columns::Ctx;
use super::kind::Kind;
use super::parse::Query;
use super::share::{in_shares, one_by_one};
use super::truth::Truth;

/// What a query selects, and what it cannot say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The rows that answer for certain, in their order.
    pub rows: Vec<u32>,
    /// How many rows could not be decided, because a value that the query asks for is not known.
    pub undecided: usize,
}

/// Looks at every row once. Rows of which too little is known to say are not selected, but counted.
/// A query for another kind selects nothing.
pub fn weigh(query: &Query, ctx: Ctx<'_>, kind: Kind) -> Selection {
    if query.kind() != kind {
        return Selection::default();
    }
    let all: Vec<u32> = (0..count(kind, ctx)).collect();
    if query.is_every() {
        return Selection { rows: all, undecided: 0 };
    }
    let parts = in_shares(&all, |share| {
        let (mut found, searcher) = (Selection::default(), query.searcher(ctx));
        one_by_one((kind, searcher.reach), ctx.fleet, share, |at| match searcher.truth(at as usize) {
            Truth::True => found.rows.push(at),
            Truth::Unknown => found.undecided += 1,
            Truth::False => {}
        });
        found
    });
    let undecided = parts.iter().map(|part| part.undecided).sum();
    Selection { rows: parts.into_iter().flat_map(|part| part.rows).collect(), undecided }
}

/// Returns the rows that answer for certain, in their order. Rows of which too little is known to say
/// are not among them; `weigh` counts those in the same pass.
pub fn select(query: &Query, ctx: Ctx<'_>, kind: Kind) -> Vec<u32> {
    weigh(query, ctx, kind).rows
}

/// Returns how many rows could not be decided, because a value that the query asks for is not known.
pub fn undecided(query: &Query, ctx: Ctx<'_>) -> usize {
    weigh(query, ctx, query.kind()).undecided
}

fn count(kind: Kind, ctx: Ctx<'_>) -> u32 {
    u32::try_from(kind.len(ctx.fleet)).unwrap_or(u32::MAX)
}
