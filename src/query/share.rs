//! Work on many rows, shared among the processors: a table of 100,000 is sorted and sifted within a frame.

use super::kind::Kind;
use crate::fleet::Fleet;
use std::num::NonZero;
use std::thread;

/// Rows that one thread looks at; fewer are not worth starting another.
const SHARE: usize = 16_384;

/// Threads that one table may take, however many processors there are.
const MOST: usize = 8;

/// How many things one share of so many holds.
fn share_of(count: usize) -> usize {
    let threads = (count / SHARE).min(thread::available_parallelism().map_or(1, NonZero::get)).clamp(1, MOST);
    count.div_ceil(threads).max(1)
}

/// Does the same with every share of the things, and returns what came of each share, in their order.
pub fn in_shares<R: Sync, T: Send>(things: &[R], part: impl Fn(&[R]) -> T + Sync) -> Vec<T> {
    let mut shares = things.chunks(share_of(things.len()));
    let Some(own) = shares.next() else { return Vec::new() };
    let part = &part;
    thread::scope(|scope| {
        let others: Vec<_> = shares
            .map(|share| (share, thread::Builder::new().spawn_scoped(scope, move || part(share))))
            .collect();
        let mut parts = vec![part(own)];
        for (share, other) in others {
            // Where no thread could be started, or one died, this one does the work.
            parts.push(other.ok().and_then(|other| other.join().ok()).unwrap_or_else(|| part(share)));
        }
        parts
    })
}

/// Rows whose memory is asked for together.
const TOGETHER: usize = 16;

/// Does something with each row, in their order, and has memory for several under way at once.
pub fn one_by_one(kind: Kind, fleet: &Fleet, rows: &[u32], mut each: impl FnMut(u32)) {
    for some in rows.chunks(TOGETHER) {
        kind.fetch(fleet, some);
        some.iter().for_each(|at| each(*at));
    }
}

/// Sorts things of which no two are equal.
pub fn sort_in_shares<T: Ord + Send>(things: &mut [T]) {
    let share = share_of(things.len());
    if share >= things.len() {
        things.sort_unstable();
        return;
    }
    thread::scope(|scope| {
        let (own, others) = things.split_at_mut(share);
        for other in others.chunks_mut(share) {
            // Where no thread can be started its share is sorted with the rest, below.
            drop(thread::Builder::new().spawn_scoped(scope, move || other.sort_unstable()));
        }
        own.sort_unstable();
    });
    // A merge: this sort finds the runs that are in order.
    things.sort();
}

#[cfg(test)]
mod tests {
    use super::{SHARE, in_shares, sort_in_shares};

    /// Numbers that are all different and in no order.
    fn scattered(count: usize) -> Vec<u64> {
        (0..count as u64).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect()
    }

    #[test]
    fn shares_keep_the_order_and_leave_nothing_out() {
        for count in [0, 1, SHARE, 2 * SHARE + 1, 100_000] {
            let things = scattered(count);
            assert_eq!(in_shares(&things, <[u64]>::to_vec).concat(), things);
        }
    }

    #[test]
    fn shares_are_sorted_as_the_whole_is() {
        for count in [0, 1, SHARE, 2 * SHARE + 1, 100_000] {
            let (mut things, mut plain) = (scattered(count), scattered(count));
            sort_in_shares(&mut things);
            plain.sort_unstable();
            assert_eq!(things, plain);
        }
    }
}
