//! Who may send the next request, and when: a token bucket and the line in front of it. Pure: time is an
//! argument.
//!
//! ```text
//!            arrive(urgency)                 poll(ticket, now)
//!   caller ────────────────→ line ─────────────────────────────→ Go        (a token was taken)
//!                             │ highest urgency first,           Wait(at)  (first in line: ask again then)
//!                             │ then first come first served     Behind    (somebody is before you)
//!                             └─ leave(ticket): gave up
//! ```
//!
//! Who has waited half a minute longer than another counts one urgency higher against it, so that no
//! stream of urgent requests keeps a sweep waiting for ever.

use crate::gateway::Urgency;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The longest line that may stand before one bucket.
pub(super) const LONGEST_LINE: usize = 1_024;

/// How much longer somebody must have waited to count as one urgency higher.
pub(super) const HEAD_START: Duration = Duration::from_secs(30);

/// A place in the line. It stands where it would stand by time alone, had it come earlier by one head start
/// for each step of its urgency; so nobody's place changes while he waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    /// When it came, seen from three head starts before the bucket was made, less its head starts.
    came: Duration,
    number: u64,
}

/// The head starts of an urgency.
fn steps(urgency: Urgency) -> u32 {
    match urgency {
        Urgency::Sweep => 0,
        Urgency::Screen => 1,
        Urgency::User => 2,
        Urgency::Operation => MOST_STEPS,
    }
}

/// The head starts of the highest urgency.
const MOST_STEPS: u32 = 3;

/// What a place in the line means right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Send. The token is taken and the place given up.
    Go,
    /// First in line, and the bucket has a token at this moment.
    Wait(Instant),
    /// Somebody else is first.
    Behind,
}

/// A token bucket with its line.
#[derive(Debug)]
pub(super) struct Bucket {
    capacity: f64,
    per_second: f64,
    tokens: f64,
    counted_at: Instant,
    made_at: Instant,
    line: BTreeSet<Ticket>,
    next_number: u64,
}

impl Bucket {
    /// A full bucket. It gives `per_second` tokens in the long run and at most `capacity` at once; both
    /// are held to at least something, so that no line stands for ever.
    pub(super) fn new(capacity: f64, per_second: f64, now: Instant) -> Self {
        let capacity = capacity.max(1.0);
        Self {
            capacity,
            per_second: per_second.max(0.01),
            tokens: capacity,
            counted_at: now,
            made_at: now,
            line: BTreeSet::new(),
            next_number: 0,
        }
    }

    /// Takes a place in the line, unless the line is as long as it may be.
    pub(super) fn arrive(&mut self, urgency: Urgency, now: Instant) -> Option<Ticket> {
        if self.line.len() >= LONGEST_LINE {
            return None;
        }
        let came = now.saturating_duration_since(self.made_at)
            + HEAD_START * MOST_STEPS.saturating_sub(steps(urgency));
        let ticket = Ticket { came, number: self.next_number };
        self.next_number = self.next_number.wrapping_add(1);
        self.line.insert(ticket);
        Some(ticket)
    }

    /// Asks whether it is this place's turn, and takes the token if it is.
    pub(super) fn poll(&mut self, ticket: Ticket, now: Instant) -> Turn {
        self.refill(now);
        if self.line.first() != Some(&ticket) {
            return Turn::Behind;
        }
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            self.line.remove(&ticket);
            return Turn::Go;
        }
        let lacking = (1.0 - self.tokens) / self.per_second;
        // A hair more than needed, so that rounding never lets us ask just too early.
        Turn::Wait(now + Duration::from_secs_f64(lacking) + Duration::from_micros(10))
    }

    /// Gives a place up.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.line.remove(&ticket);
    }

    /// Whose turn comes next.
    pub(super) fn first(&self) -> Option<Ticket> {
        self.line.first().copied()
    }

    /// Takes a token for a request that has already left. The debt is bounded by one bucket.
    pub(super) fn owe(&mut self, now: Instant) {
        self.spend(1.0, now);
    }

    /// Takes what another bucket gave away in this one's name, with the same bound.
    pub(super) fn spend(&mut self, tokens: f64, now: Instant) {
        self.refill(now);
        self.tokens = (self.tokens - tokens).max(-self.capacity);
    }

    /// Takes everything that is left: AWS says that the bucket is empty, and AWS knows.
    pub(super) fn empty(&mut self, now: Instant) {
        self.refill(now);
        self.tokens = self.tokens.min(0.0);
    }

    /// Tokens in it, tokens that it holds, and tokens that flow back in a second.
    pub(super) fn level(&mut self, now: Instant) -> (f64, f64, f64) {
        self.refill(now);
        (self.tokens, self.capacity, self.per_second)
    }

    /// How many stand in line.
    pub(super) fn waiting(&self) -> usize {
        self.line.len()
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.counted_at);
        self.tokens = (self.tokens + passed.as_secs_f64() * self.per_second).min(self.capacity);
        self.counted_at = self.counted_at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, HEAD_START, LONGEST_LINE, MOST_STEPS, Ticket, Turn, steps};
    use crate::clock::monotonic;
    use crate::gateway::Urgency;
    use proptest::prelude::*;
    use std::time::Duration;

    const URGENCIES: [Urgency; 4] = [Urgency::Sweep, Urgency::Screen, Urgency::User, Urgency::Operation];

    #[test]
    fn a_full_bucket_gives_its_burst_and_then_one_at_a_time() {
        let start = monotonic();
        let mut bucket = Bucket::new(2.0, 1.0, start);
        for _ in 0..2 {
            let ticket = bucket.arrive(Urgency::Sweep, start).unwrap();
            assert_eq!(bucket.poll(ticket, start), Turn::Go);
        }
        let third = bucket.arrive(Urgency::Sweep, start).unwrap();
        let Turn::Wait(at) = bucket.poll(third, start) else { panic!("the bucket is empty") };
        assert!(at > start + Duration::from_millis(999) && at < start + Duration::from_millis(1_001));
        assert_eq!(bucket.poll(third, at), Turn::Go);
    }

    #[test]
    fn the_more_urgent_goes_first_and_equals_in_order() {
        let start = monotonic();
        let mut bucket = Bucket::new(1.0, 1.0, start);
        let sweep = bucket.arrive(Urgency::Sweep, start).unwrap();
        let user = bucket.arrive(Urgency::User, start).unwrap();
        let second_user = bucket.arrive(Urgency::User, start).unwrap();
        let operation = bucket.arrive(Urgency::Operation, start).unwrap();
        let mut now = start;
        for ticket in [operation, user, second_user, sweep] {
            assert_eq!(bucket.first(), Some(ticket));
            assert_eq!(bucket.poll(ticket, now), Turn::Go);
            now += Duration::from_millis(1_100);
        }
    }

    #[test]
    fn one_who_gives_up_stands_in_nobodys_way() {
        let start = monotonic();
        let mut bucket = Bucket::new(1.0, 1.0, start);
        let first = bucket.arrive(Urgency::User, start).unwrap();
        let second = bucket.arrive(Urgency::User, start).unwrap();
        assert_eq!(bucket.poll(second, start), Turn::Behind);
        bucket.leave(first);
        assert_eq!(bucket.poll(second, start), Turn::Go);
    }

    #[test]
    fn the_line_has_an_end() {
        let mut bucket = Bucket::new(1.0, 1.0, monotonic());
        for _ in 0..LONGEST_LINE {
            assert!(bucket.arrive(Urgency::Sweep, monotonic()).is_some());
        }
        assert!(bucket.arrive(Urgency::Operation, monotonic()).is_none());
    }

    #[test]
    fn a_throttle_empties_the_bucket_and_retries_run_into_a_bounded_debt() {
        let start = monotonic();
        let mut bucket = Bucket::new(4.0, 1.0, start);
        bucket.empty(start);
        let ticket = bucket.arrive(Urgency::User, start).unwrap();
        assert!(matches!(bucket.poll(ticket, start), Turn::Wait(_)));
        for _ in 0..1_000 {
            bucket.owe(start);
        }
        let Turn::Wait(at) = bucket.poll(ticket, start) else { panic!("the bucket owes") };
        assert!(at <= start + Duration::from_millis(5_100), "no more than one bucket of debt");
    }

    #[test]
    fn half_a_minute_of_waiting_counts_as_one_urgency() {
        let start = monotonic();
        let mut bucket = Bucket::new(1.0, 1.0, start);
        let sweep = bucket.arrive(Urgency::Sweep, start).unwrap();
        let just_before = start + HEAD_START - Duration::from_millis(1);
        let screen = bucket.arrive(Urgency::Screen, just_before).unwrap();
        let late = bucket.arrive(Urgency::Screen, start + HEAD_START).unwrap();
        assert!(screen < sweep && sweep < late);
    }

    proptest! {
        /// However many urgent ones come, each as fast as the bucket serves them: nobody waits for longer
        /// than his head starts behind and the line that he found.
        #[test]
        fn nobody_waits_for_ever(
            flood in prop::collection::vec(0usize..4, 1..40),
            before in prop::collection::vec(0usize..4, 0..60),
            urgency in 0usize..4,
            per_second in 1u32..10,
        ) {
            let start = monotonic();
            let mut bucket = Bucket::new(1.0, f64::from(per_second), start);
            let mut line: Vec<Ticket> =
                before.iter().map(|urgency| bucket.arrive(URGENCIES[*urgency], start).unwrap()).collect();
            let ours = bucket.arrive(URGENCIES[urgency], start).unwrap();
            line.push(ours);
            let behind = MOST_STEPS - steps(URGENCIES[urgency]);
            let pause = Duration::from_secs_f64(1.0 / f64::from(per_second)) + Duration::from_micros(10);
            // In each pause one comes and one goes.
            let most = u32::try_from(before.len()).unwrap() + 2 + behind * 30 * per_second;
            let mut served = false;
            for round in 0..=most {
                let now = start + pause * round;
                if round > 0 {
                    let next = URGENCIES[flood[round as usize % flood.len()]];
                    line.push(bucket.arrive(next, now).unwrap());
                }
                let first = bucket.first().unwrap();
                prop_assert_eq!(bucket.poll(first, now), Turn::Go);
                line.retain(|ticket| *ticket != first);
                if first == ours {
                    served = true;
                    break;
                }
            }
            prop_assert!(served, "still waiting after {most} others");
        }

        /// Whatever comes when: never more than the burst and the refill allow, always the first of the line
        /// first, and whoever waits as told is served.
        #[test]
        fn holds_its_rate_and_its_order(
            capacity in 1u32..20,
            per_second in 1u32..40,
            steps in prop::collection::vec((0u64..400, 0usize..4, any::<bool>()), 1..200),
        ) {
            let start = monotonic();
            let mut bucket = Bucket::new(f64::from(capacity), f64::from(per_second), start);
            let mut now = start;
            let mut waiting = Vec::new();
            let mut gone = 0u32;
            for (pause, urgency, gives_up) in steps {
                now += Duration::from_millis(pause);
                waiting.push(bucket.arrive(URGENCIES[urgency], now).unwrap());
                if gives_up && waiting.len() > 1 {
                    let ticket = waiting.remove(0);
                    bucket.leave(ticket);
                }
                waiting.sort();
                let mut served = Vec::new();
                for ticket in &waiting {
                    match bucket.poll(*ticket, now) {
                        Turn::Go => served.push(*ticket),
                        Turn::Wait(at) => prop_assert!(at > now),
                        Turn::Behind => {}
                    }
                }
                prop_assert_eq!(&waiting[..served.len()], &served[..], "the first in line are served first");
                waiting.retain(|ticket| !served.contains(ticket));
                gone += u32::try_from(served.len()).unwrap();
                let passed = now.duration_since(start).as_secs_f64();
                prop_assert!(f64::from(gone) <= f64::from(capacity) + passed * f64::from(per_second) + 1e-6);
            }
            while let Some(first) = waiting.first().copied() {
                match bucket.poll(first, now) {
                    Turn::Go => { waiting.remove(0); }
                    Turn::Wait(at) => now = at,
                    Turn::Behind => prop_assert!(false, "the first in line is behind nobody"),
                }
            }
        }
    }
}
