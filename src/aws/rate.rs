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

use crate::gateway::Urgency;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The longest line that may stand before one bucket.
pub(super) const LONGEST_LINE: usize = 1_024;

/// A place in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    urgency: Reverse<Urgency>,
    number: u64,
}

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
            line: BTreeSet::new(),
            next_number: 0,
        }
    }

    /// Takes a place in the line, unless the line is as long as it may be.
    pub(super) fn arrive(&mut self, urgency: Urgency) -> Option<Ticket> {
        if self.line.len() >= LONGEST_LINE {
            return None;
        }
        let ticket = Ticket { urgency: Reverse(urgency), number: self.next_number };
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
        self.refill(now);
        self.tokens = (self.tokens - 1.0).max(-self.capacity);
    }

    /// Takes everything that is left: AWS says that the bucket is empty, and AWS knows.
    pub(super) fn empty(&mut self, now: Instant) {
        self.refill(now);
        self.tokens = self.tokens.min(0.0);
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.counted_at);
        self.tokens = (self.tokens + passed.as_secs_f64() * self.per_second).min(self.capacity);
        self.counted_at = self.counted_at.max(now);
    }
}
