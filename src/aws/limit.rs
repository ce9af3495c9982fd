//! The waiting that `rate` decides about: one bucket per API family, and callers asleep until their turn.
//!
//! Nobody polls. The first in line sleeps until its token is there; the others sleep until they are first.

use super::api::Family;
use super::rate::{Bucket, Ticket, Turn};
use crate::clock::monotonic;
use crate::gateway::Urgency;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The buckets of one account in one region.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    buckets: Mutex<BTreeMap<&'static str, Lane>>,
}

#[derive(Debug)]
struct Lane {
    family: Family,
    bucket: Bucket,
    sleepers: BTreeMap<Ticket, Arc<Notify>>,
}

/// How full a bucket is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Level {
    /// Which bucket.
    pub(super) family: Family,
    /// Tokens in it.
    pub(super) tokens: f64,
    /// Tokens that it holds.
    pub(super) capacity: f64,
    /// Tokens that flow back in a second.
    pub(super) per_second: f64,
    /// Callers that wait.
    pub(super) waiting: usize,
}

/// The line is as long as it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Lane {
    /// Half of what AWS publishes: the other half belongs to everybody else in the account.
    fn new(family: Family) -> Self {
        let bucket = Bucket::new(f64::from(family.burst) / 2.0, f64::from(family.refill) / 2.0, monotonic());
        Self { family, bucket, sleepers: BTreeMap::new() }
    }

    fn wake_first(&self) {
        if let Some(sleeper) = self.bucket.first().and_then(|ticket| self.sleepers.get(&ticket)) {
            sleeper.notify_one();
        }
    }

    fn leave(&mut self, ticket: Ticket) {
        self.bucket.leave(ticket);
        self.sleepers.remove(&ticket);
        self.wake_first();
    }
}

/// A place in the line that is given up when its owner is dropped.
struct Place<'a> {
    limiter: &'a Limiter,
    family: Family,
    ticket: Ticket,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.limiter.with(self.family, |lane| lane.leave(self.ticket));
    }
}

impl Limiter {
    /// Waits until a request of this family may leave.
    pub(super) async fn turn(&self, family: Family, urgency: Urgency) -> Result<(), Full> {
        let alarm = Arc::new(Notify::new());
        let ticket = self.with(family, |lane| {
            let ticket = lane.bucket.arrive(urgency, monotonic()).ok_or(Full)?;
            lane.sleepers.insert(ticket, Arc::clone(&alarm));
            Ok(ticket)
        })?;
        let place = Place { limiter: self, family, ticket };
        loop {
            match self.with(family, |lane| lane.bucket.poll(place.ticket, monotonic())) {
                Turn::Go => return Ok(()),
                // Whoever comes to stand before us sends first; we are told when we are first again.
                Turn::Behind => alarm.notified().await,
                Turn::Wait(until) => {
                    tokio::time::sleep_until(until.into()).await;
                }
            }
        }
    }

    /// Takes a token for a request that has already left: a retry.
    pub(super) fn owe(&self, family: Family) {
        self.with(family, |lane| lane.bucket.owe(monotonic()));
    }

    /// Notes that AWS throttled this family.
    pub(super) fn empty(&self, family: Family) {
        self.with(family, |lane| lane.bucket.empty(monotonic()));
    }

    /// How full the buckets are that were used, by name.
    pub(super) fn levels(&self) -> Vec<Level> {
        let now = monotonic();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let level = |lane: &mut Lane| {
            let (tokens, capacity, per_second) = lane.bucket.level(now);
            Level { family: lane.family, tokens, capacity, per_second, waiting: lane.bucket.waiting() }
        };
        buckets.values_mut().map(level).collect()
    }

    fn with<T>(&self, family: Family, act: impl FnOnce(&mut Lane) -> T) -> T {
        let mut buckets: MutexGuard<'_, _> = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        act(buckets.entry(family.name).or_insert_with(|| Lane::new(family)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::Family;
    use super::Limiter;
    use crate::gateway::Urgency;
    use futures::FutureExt;
    use std::sync::Mutex;

    /// Half of it: one token, and fifty a second.
    const SMALL: Family = Family { name: "small", refill: 100, burst: 2 };

    #[tokio::test]
    async fn those_who_wait_go_by_urgency() {
        let limiter = Limiter::default();
        limiter.turn(SMALL, Urgency::Sweep).await.unwrap();
        let order = Mutex::new(Vec::new());
        let wait = async |urgency| {
            limiter.turn(SMALL, urgency).await.unwrap();
            order.lock().unwrap().push(urgency);
        };
        // Each takes its place when it is first polled, which `join!` does from left to right.
        tokio::join!(biased;
            wait(Urgency::Sweep), wait(Urgency::Screen), wait(Urgency::Operation), wait(Urgency::User));
        let order = order.into_inner().unwrap();
        assert_eq!(order, [Urgency::Operation, Urgency::User, Urgency::Screen, Urgency::Sweep]);
    }

    #[tokio::test]
    async fn one_who_gives_up_lets_the_next_go() {
        let limiter = Limiter::default();
        limiter.turn(SMALL, Urgency::User).await.unwrap();
        let mut first = Box::pin(limiter.turn(SMALL, Urgency::User));
        let mut second = Box::pin(limiter.turn(SMALL, Urgency::User));
        assert!(first.as_mut().now_or_never().is_none());
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        second.await.unwrap();
    }

    #[tokio::test]
    async fn a_bucket_tells_how_full_it_is_and_how_many_wait() {
        let limiter = Limiter::default();
        limiter.turn(SMALL, Urgency::User).await.unwrap();
        let mut waits = Box::pin(limiter.turn(SMALL, Urgency::User));
        assert!(waits.as_mut().now_or_never().is_none());
        let levels = limiter.levels();
        assert_eq!(levels.len(), 1);
        assert!(levels[0].tokens < 1.0 && levels[0].waiting == 1, "{levels:?}");
        assert_eq!((levels[0].capacity, levels[0].per_second), (1.0, 50.0));
    }

    #[tokio::test]
    async fn families_do_not_wait_for_each_other() {
        let limiter = Limiter::default();
        limiter.turn(SMALL, Urgency::User).await.unwrap();
        let other = Family { name: "other", ..SMALL };
        assert_eq!(limiter.turn(other, Urgency::Sweep).now_or_never(), Some(Ok(())));
    }
}
