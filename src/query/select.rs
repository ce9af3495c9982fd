//! The rows that answer a query.

use super::columns::Ctx;
use super::kind::Kind;
use super::parse::Query;
use super::truth::Truth;
use std::thread;

/// Rows that one thread looks at; fewer are not worth starting another.
const SHARE: usize = 16_384;

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
    let rows = count(kind, ctx);
    if query.is_every() {
        return Selection { rows: (0..rows).collect(), undecided: 0 };
    }
    let part = |from: u32, to: u32| {
        let mut found = Selection::default();
        for at in from..to {
            match query.truth(ctx, at as usize) {
                Truth::True => found.rows.push(at),
                Truth::Unknown => found.undecided += 1,
                Truth::False => {}
            }
        }
        found
    };
    let threads = (rows as usize / SHARE).min(thread::available_parallelism().map_or(1, Into::into)).min(8);
    if threads < 2 {
        return part(0, rows);
    }
    let share = rows.div_ceil(u32::try_from(threads).unwrap_or(1));
    let part = &part;
    thread::scope(|scope| {
        let others: Vec<_> = (1..)
            .map(|nth| (nth * share, (nth + 1).saturating_mul(share).min(rows)))
            .take(threads - 1)
            .map(|(from, to)| (from, to, thread::Builder::new().spawn_scoped(scope, move || part(from, to))))
            .collect();
        let mut found = part(0, share);
        for (from, to, other) in others {
            // Where no thread could be started, or one died, this one does the work.
            let more = other.ok().and_then(|other| other.join().ok()).unwrap_or_else(|| part(from, to));
            found.rows.extend(more.rows);
            found.undecided += more.undecided;
        }
        found
    })
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
