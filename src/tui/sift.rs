//! One pass over the rows of a list: which of them answer a query, and of which too little is known to say.

use crate::query::{Ctx, Query, Truth};
use std::thread;

/// Rows that one thread looks at; fewer are not worth starting another.
const SHARE: u32 = 16_384;

/// What a pass found, in the order of the rows.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sifted {
    /// Rows that answer for certain.
    pub(super) rows: Vec<u32>,
    /// Rows that could not be decided.
    pub(super) undecided: Vec<u32>,
}

/// Sifts the first `all` rows of the query's kind, but for those that do not belong to the list.
pub(super) fn sift(query: &Query, ctx: Ctx<'_>, all: u32, belongs: impl Fn(&u32) -> bool + Sync) -> Sifted {
    let part = |from: u32, to: u32| {
        let mut sifted = Sifted::default();
        for at in (from..to).filter(|at| belongs(at)) {
            match query.truth(ctx, at as usize) {
                Truth::True => sifted.rows.push(at),
                Truth::Unknown => sifted.undecided.push(at),
                Truth::False => {}
            }
        }
        sifted
    };
    let most = thread::available_parallelism().map_or(1, Into::into).min(8);
    let threads = (all / SHARE).min(u32::try_from(most).unwrap_or(1));
    if threads < 2 {
        return part(0, all);
    }
    let share = all.div_ceil(threads);
    let part = &part;
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|nth| (nth.saturating_mul(share).min(all), (nth + 1).saturating_mul(share).min(all)))
            .map(|(from, to)| (from, to, thread::Builder::new().spawn_scoped(scope, move || part(from, to))))
            .collect();
        let mut sifted = part(0, share);
        for (from, to, other) in others {
            // Where no thread could be started, or one died, this one does the work.
            let found = other.ok().and_then(|other| other.join().ok()).unwrap_or_else(|| part(from, to));
            sifted.rows.extend(found.rows);
            sifted.undecided.extend(found.undecided);
        }
        sifted
    })
}
