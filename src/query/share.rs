//! Work on many rows, shared among the processors: a table of 100,000 is sorted and sifted within a frame.

use super::kind::{Kind, Reach};
use crate::fleet::Fleet;
use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Rows that one thread looks at; fewer are not worth starting another.
const SHARE: usize = 16_384;

/// Threads that one table may take, however many processors there are.
const MOST: usize = 8;

/// How many threads work on so many things.
fn threads_for(count: usize) -> usize {
    (count / SHARE).min(thread::available_parallelism().map_or(1, NonZero::get)).clamp(1, MOST)
}

/// How many things one share of so many holds.
fn share_of(count: usize) -> usize {
    count.div_ceil(threads_for(count)).max(1)
}

/// Does the same with every piece of so many things, and returns what came of each, in their order. Whichever thread is
/// free takes the next piece: one that has a processor for itself does more than one that shares it. Each has what it
/// `begin`s with for itself.
pub fn in_pieces<R: Sync, S, T: Send>(
    things: &[R],
    size: usize,
    begin: impl Fn() -> S + Sync,
    part: impl Fn(&mut S, &[R]) -> T + Sync,
) -> Vec<T> {
    let pieces: Vec<&[R]> = things.chunks(size.max(1)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut own, mut made) = (begin(), Vec::new());
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = pieces.get(at) else { return made };
            made.push((at, part(&mut own, piece)));
        }
    };
    let mut parts: Vec<Option<T>> = pieces.iter().map(|_| None).collect();
    let mut put = |made: Vec<(usize, T)>| {
        for (at, made) in made {
            if let Some(part) = parts.get_mut(at) {
                *part = Some(made);
            }
        }
    };
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = (1..threads_for(things.len()))
            .map(|_| thread::Builder::new().spawn_scoped(scope, work))
            .collect();
        put(work());
        for other in others {
            // What one that died would have made is made below.
            other.ok().and_then(|other| other.join().ok()).into_iter().for_each(&mut put);
        }
    });
    let mut own = None;
    let made = parts.into_iter().zip(&pieces);
    made.map(|(made, piece)| made.unwrap_or_else(|| part(own.get_or_insert_with(&begin), piece))).collect()
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
pub fn one_by_one(place: (Kind, Reach), fleet: &Fleet, rows: &[u32], mut each: impl FnMut(u32)) {
    // It never ends early.
    let _ = try_one_by_one(place, fleet, rows, |row| {
        each(row);
        Some(())
    });
}

/// The same, until there is nothing to be had of a row.
pub(super) fn try_one_by_one(
    (kind, reach): (Kind, Reach),
    fleet: &Fleet,
    rows: &[u32],
    mut each: impl FnMut(u32) -> Option<()>,
) -> Option<()> {
    for some in rows.chunks(TOGETHER) {
        kind.fetch(fleet, some, reach);
        some.iter().try_for_each(|at| each(*at))?;
    }
    Some(())
}

/// Sorts things by what is made of them, no two of which are equal: `put` gets those in their order, and the things
/// from the first to the last.
pub fn sort_in_shares<R: Copy + Sync, T: Ord + Send>(
    things: &mut [R],
    make: impl Fn(R) -> T + Sync,
    mut put: impl FnMut(&T, &mut R),
) {
    let shares = in_shares(things, |share| {
        let mut made: Vec<T> = share.iter().map(|thing| make(*thing)).collect();
        made.sort_unstable();
        made
    });
    let mut things = things.iter_mut();
    merge(&shares, |made| {
        if let Some(thing) = things.next() {
            put(made, thing);
        }
    });
}

/// Does something with runs of things, which come one after the other and do not overlap.
pub fn each_in_shares<R: Send>(
    things: &mut [R],
    runs: impl IntoIterator<Item = Range<usize>>,
    each: impl Fn(&mut [R]) + Sync,
) {
    let (mut rest, mut at, mut count) = (things, 0, 0);
    let mut parts: Vec<&mut [R]> = Vec::new();
    for run in runs {
        let Some((_, behind)) = rest.split_at_mut_checked(run.start - at) else { break };
        let Some((part, behind)) = behind.split_at_mut_checked(run.len()) else { break };
        (rest, at, count) = (behind, run.end, count + part.len());
        parts.push(part);
    }
    // Shares of about as many things each, not of as many runs.
    let share = share_of(count);
    let mut shares: Vec<Vec<&mut [R]>> = vec![Vec::new()];
    let mut filled = 0;
    for part in parts {
        if filled >= share {
            shares.push(Vec::new());
            filled = 0;
        }
        filled += part.len();
        if let Some(last) = shares.last_mut() {
            last.push(part);
        }
    }
    let each = &each;
    let work = |share: &mut [&mut [R]]| share.iter_mut().for_each(|part| each(part));
    let left = thread::scope(|scope| {
        let mut shares = shares.iter_mut();
        let own = shares.next();
        let others: Vec<_> =
            shares.map(|share| thread::Builder::new().spawn_scoped(scope, move || work(share))).collect();
        own.into_iter().for_each(|share| work(share));
        let is_done = others.into_iter().map(|other| other.is_ok_and(|other| other.join().is_ok()));
        is_done.collect::<Vec<_>>()
    });
    // Where no thread could be started this one does the work.
    let others = shares.iter_mut().skip(1).zip(left);
    others.filter(|(_, is_done)| !is_done).for_each(|(share, _)| work(share));
}

/// Goes through things that are in order in each of some lists in the order of all.
fn merge<T: Ord>(lists: &[Vec<T>], mut each: impl FnMut(&T)) {
    if let [one, other] = lists {
        // By far the most common, and worth a loop of its own.
        let (mut one, mut other) = (one.as_slice(), other.as_slice());
        while let (Some(a), Some(b)) = (one.first(), other.first()) {
            let is_one = a <= b;
            each(if is_one { a } else { b });
            one = one.get(usize::from(is_one)..).unwrap_or_default();
            other = other.get(usize::from(!is_one)..).unwrap_or_default();
        }
        one.iter().chain(other).for_each(each);
        return;
    }
    let mut rests: Vec<&[T]> = lists.iter().map(Vec::as_slice).collect();
    loop {
        let begun = rests.iter_mut().filter(|rest| !rest.is_empty());
        let Some(rest) = begun.min_by(|one, other| one.first().cmp(&other.first())) else { return };
        let own: &[T] = rest;
        if let Some((first, behind)) = own.split_first() {
            each(first);
            *rest = behind;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        SHARE, TOGETHER, each_in_shares, in_pieces, in_shares, merge, one_by_one, sort_in_shares,
        try_one_by_one,
    };
    use crate::query::kind::{Kind, Reach};
    use crate::query::made::{fleet, row};
    use std::sync::atomic::{AtomicUsize, Ordering};

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
    fn pieces_keep_the_order_whoever_takes_them_and_one_that_fails_is_made_again() {
        for count in [0, 1, 1_000, SHARE, 2 * SHARE + 1, 100_000] {
            let things = scattered(count);
            assert_eq!(in_pieces(&things, 1_024, || (), |(), piece| piece.to_vec()).concat(), things);
            // What a thread begins with is its own: its pieces are counted one after the other.
            let begun = AtomicUsize::new(0);
            let mut made = in_pieces(
                &things,
                100,
                || (begun.fetch_add(1, Ordering::Relaxed), 0),
                |(thread, nth), piece| {
                    *nth += 1;
                    (*thread, *nth, piece.len())
                },
            );
            assert_eq!(made.iter().map(|(_, _, length)| length).sum::<usize>(), count);
            made.sort_unstable();
            for own in made.chunk_by(|a, b| a.0 == b.0) {
                assert!(own.iter().map(|(_, nth, _)| *nth).eq(1..=own.len()), "{own:?}");
            }
            let here = std::thread::current().id();
            let made = in_pieces(
                &things,
                1_024,
                || (),
                |(), piece| {
                    assert!(std::thread::current().id() == here, "another thread");
                    piece.to_vec()
                },
            );
            assert_eq!(made.concat(), things);
        }
    }

    #[test]
    fn each_row_is_looked_at_once_and_in_its_place() {
        let fleet = fleet((0..20).map(|at| row(&format!("i-{at}"), &[])).collect());
        for count in [0, 1, TOGETHER - 1, TOGETHER, TOGETHER + 1, 5 * TOGETHER] {
            // Some of them are in no fleet.
            let rows: Vec<u32> = (0..u32::try_from(count).unwrap()).rev().collect();
            for (kind, reach) in [
                (Kind::Instances, Reach::Row),
                (Kind::Instances, Reach::Resource),
                (Kind::Instances, Reach::Tags),
                (Kind::Groups, Reach::Tags),
            ] {
                let (mut seen, mut left) = (Vec::new(), 7);
                one_by_one((kind, reach), &fleet, &rows, |row| seen.push(row));
                assert_eq!(seen, rows);
                let all = try_one_by_one((kind, reach), &fleet, &rows, |_| {
                    left -= 1;
                    (left > 0).then_some(())
                });
                assert_eq!((all.is_some(), left), (count < 7, 7_usize.saturating_sub(count)));
            }
        }
    }

    #[test]
    fn each_run_is_worked_on_once_and_nothing_between_them() {
        for count in [0_usize, 10, 5 * SHARE] {
            let mut things = vec![0_u8; count];
            // Runs of four with one thing between them.
            let runs = || (0..count / 5).map(|at| at * 5..at * 5 + 4);
            each_in_shares(&mut things, runs(), |run| run.iter_mut().for_each(|thing| *thing += 1));
            let expected: Vec<u8> = (0..count).map(|at| u8::from(at % 5 < 4)).collect();
            assert_eq!(things, expected);
        }
    }

    #[test]
    fn lists_are_merged_however_many_there_are() {
        for count in 0..5 {
            let mut lists: Vec<Vec<u64>> = (1..=count).map(|at| scattered(7 * at)).collect();
            lists.iter_mut().for_each(|list| list.sort_unstable());
            let (mut merged, mut plain) = (Vec::new(), lists.concat());
            merge(&lists, |made| merged.push(*made));
            plain.sort_unstable();
            assert_eq!(merged, plain);
        }
    }

    #[test]
    fn shares_are_sorted_as_the_whole_is() {
        for count in [0, 1, SHARE, 2 * SHARE + 1, 100_000] {
            let (mut things, mut plain) = (scattered(count), scattered(count));
            sort_in_shares(&mut things, std::convert::identity, |made, thing| *thing = *made);
            plain.sort_unstable();
            assert_eq!(things, plain);
        }
    }
}
