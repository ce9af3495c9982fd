//! The rows that answer a query.

use super::columns::Ctx;
use super::kind::Kind;
use super::parse::Query;
use std::thread;

/// Rows that one thread looks at; fewer are not worth starting another.
const SHARE: usize = 16_384;

/// Returns the rows that answer for certain, in their order. Rows of which too little is known to say
/// are not among them; `undecided` counts those. A query for another kind selects nothing.
pub fn select(query: &Query, ctx: Ctx<'_>, kind: Kind) -> Vec<u32> {
    if query.kind() != kind {
        return Vec::new();
    }
    let rows = count(kind, ctx);
    if query.is_every() {
        return (0..rows).collect();
    }
    let part = |from: u32, to: u32| -> Vec<u32> {
        (from..to).filter(|at| query.truth(ctx, *at as usize).is_true()).collect()
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
            found.extend(other.ok().and_then(|other| other.join().ok()).unwrap_or_else(|| part(from, to)));
        }
        found
    })
}

/// Returns how many rows could not be decided, because a value that the query asks for is not known.
pub fn undecided(query: &Query, ctx: Ctx<'_>) -> usize {
    (0..query.kind().len(ctx.fleet))
        .filter(|at| query.truth(ctx, *at) == super::truth::Truth::Unknown)
        .count()
}

fn count(kind: Kind, ctx: Ctx<'_>) -> u32 {
    u32::try_from(kind.len(ctx.fleet)).unwrap_or(u32::MAX)
}
