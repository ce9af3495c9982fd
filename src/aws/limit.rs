//! The waiting that `rate` decides about: one bucket per API family, and callers asleep until their turn.
//!
//! Nobody polls. The first in line sleeps until its token is there; the others sleep until they are first.

use super::api::Family;
use super::rate::{Bucket, Ticket, Turn};
use crate::clock::{Pace, Steady};
use crate::gateway::Urgency;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// The buckets that one configured account drinks from in one region: its own, until it joins those of the
/// AWS account behind it.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    lanes: Mutex<Arc<Lanes>>,
}

/// One bucket per family, each with its line.
#[derive(Debug)]
pub(super) struct Lanes {
    by_name: Mutex<BTreeMap<&'static str, Lane>>,
    pace: Arc<dyn Pace>,
}

impl Default for Lanes {
    fn default() -> Self {
        Self::new(Arc::new(Steady))
    }
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
    fn new(family: Family, now: Instant) -> Self {
        let bucket = Bucket::new(f64::from(family.burst) / 2.0, f64::from(family.refill) / 2.0, now);
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
struct Place {
    lanes: Arc<Lanes>,
    family: Family,
    ticket: Ticket,
    alarm: Arc<Notify>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lanes.with(self.family, |lane| lane.leave(self.ticket));
    }
}

impl Lanes {
    /// Empty ones, whose time passes so.
    pub(super) fn new(pace: Arc<dyn Pace>) -> Self {
        Self { by_name: Mutex::default(), pace }
    }

    fn now(&self) -> Instant {
        self.pace.now()
    }

    fn with<T>(&self, family: Family, act: impl FnOnce(&mut Lane) -> T) -> T {
        let mut lanes: MutexGuard<'_, _> = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        act(lanes.entry(family.name).or_insert_with(|| Lane::new(family, self.pace.now())))
    }

    fn all<T>(&self, see: impl FnMut(&mut Lane) -> T) -> Vec<T> {
        let mut lanes = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.values_mut().map(see).collect()
    }
}

impl Limiter {
    /// One of its own, whose time passes so.
    pub(super) fn new(pace: Arc<dyn Pace>) -> Self {
        Self { lanes: Mutex::new(Arc::new(Lanes::new(pace))) }
    }

    /// Waits until a request of this family may leave.
    pub(super) async fn turn(&self, family: Family, urgency: Urgency) -> Result<(), Full> {
        let mut place = self.place(family, urgency)?;
        loop {
            if !Arc::ptr_eq(&place.lanes, &self.lanes()) {
                place = self.place(family, urgency)?;
            }
            match place.lanes.with(family, |lane| lane.bucket.poll(place.ticket, place.lanes.now())) {
                Turn::Go => {
                    place.lanes.pace.begun();
                    return Ok(());
                }
                // Whoever comes to stand before us sends first; we are told when we are first again.
                Turn::Behind => place.alarm.notified().await,
                Turn::Wait(until) => place.lanes.pace.until(until).await,
            }
        }
    }

    /// The request whose turn it was has its answer, or will have none.
    pub(super) fn answered(&self) {
        self.lanes().pace.ended();
    }

    fn place(&self, family: Family, urgency: Urgency) -> Result<Place, Full> {
        let (lanes, alarm) = (self.lanes(), Arc::new(Notify::new()));
        let ticket = lanes.with(family, |lane| {
            let ticket = lane.bucket.arrive(urgency, lanes.now()).ok_or(Full)?;
            lane.sleepers.insert(ticket, Arc::clone(&alarm));
            Ok(ticket)
        })?;
        Ok(Place { lanes, family, ticket, alarm })
    }

    /// Drinks from these buckets from now on, which take over what was spent here. Who waits here goes to
    /// stand there.
    pub(super) fn join(&self, shared: &Arc<Lanes>) {
        let left = {
            let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            if Arc::ptr_eq(&lanes, shared) {
                return;
            }
            std::mem::replace(&mut *lanes, Arc::clone(shared))
        };
        let now = left.now();
        let spent = left.all(|lane| {
            lane.sleepers.values().for_each(|sleeper| sleeper.notify_one());
            let (tokens, capacity, _) = lane.bucket.level(now);
            (lane.family, capacity - tokens)
        });
        for (family, tokens) in spent {
            shared.with(family, |lane| lane.bucket.spend(tokens, now));
        }
    }

    fn lanes(&self) -> Arc<Lanes> {
        Arc::clone(&self.lanes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a token for a request that has already left: a retry.
    pub(super) fn owe(&self, family: Family) {
        let lanes = self.lanes();
        lanes.with(family, |lane| lane.bucket.owe(lanes.now()));
    }

    /// Notes that AWS throttled this family.
    pub(super) fn empty(&self, family: Family) {
        let lanes = self.lanes();
        lanes.with(family, |lane| lane.bucket.empty(lanes.now()));
    }

    /// How full the buckets are that were used, by name.
    pub(super) fn levels(&self) -> Vec<Level> {
        let lanes = self.lanes();
        let now = lanes.now();
        lanes.all(|lane| {
            let (tokens, capacity, per_second) = lane.bucket.level(now);
            Level { family: lane.family, tokens, capacity, per_second, waiting: lane.bucket.waiting() }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::Family;
    use super::{Lanes, Limiter};
    use crate::gateway::Urgency;
    use futures::FutureExt;
    use std::sync::{Arc, Mutex};

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
    async fn two_that_join_share_one_bucket_and_what_both_spent() {
        let big = Family { name: "big", refill: 1, burst: 8 };
        let (first, second, shared) = (Limiter::default(), Limiter::default(), Arc::<Lanes>::default());
        for limiter in [&first, &second] {
            limiter.turn(big, Urgency::User).await.unwrap();
            limiter.join(&shared);
        }
        first.join(&shared);
        for limiter in [&first, &second] {
            assert_eq!(limiter.turn(big, Urgency::User).now_or_never(), Some(Ok(())));
        }
        assert!(first.turn(big, Urgency::User).now_or_never().is_none(), "four tokens, for both together");
        let level = first.levels()[0];
        assert!((level.capacity - 4.0).abs() < 1e-9 && level.tokens < 1.0, "{level:?}");
    }

    #[tokio::test]
    async fn who_waits_when_its_account_is_known_waits_on_in_the_shared_line() {
        let slow = Family { name: "slow", refill: 0, burst: 2 };
        let (limiter, shared) = (Limiter::default(), Arc::<Lanes>::default());
        limiter.turn(slow, Urgency::User).await.unwrap();
        let mut waits = Box::pin(limiter.turn(slow, Urgency::User));
        let mut behind = Box::pin(limiter.turn(slow, Urgency::User));
        assert!(waits.as_mut().now_or_never().is_none() && behind.as_mut().now_or_never().is_none());
        limiter.join(&shared);
        assert!(behind.as_mut().now_or_never().is_none());
        assert_eq!(limiter.levels()[0].waiting, 1, "it stands in the shared line now");
    }

    #[tokio::test]
    async fn families_do_not_wait_for_each_other() {
        let limiter = Limiter::default();
        limiter.turn(SMALL, Urgency::User).await.unwrap();
        let other = Family { name: "other", ..SMALL };
        assert_eq!(limiter.turn(other, Urgency::Sweep).now_or_never(), Some(Ok(())));
    }
}
