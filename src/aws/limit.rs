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
    bucket: Bucket,
    sleepers: BTreeMap<Ticket, Arc<Notify>>,
}

/// The line is as long as it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Lane {
    /// Half of what AWS publishes: the other half belongs to everybody else in the account.
    fn new(family: Family) -> Self {
        let bucket = Bucket::new(f64::from(family.burst) / 2.0, f64::from(family.refill) / 2.0, monotonic());
        Self { bucket, sleepers: BTreeMap::new() }
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
            let ticket = lane.bucket.arrive(urgency).ok_or(Full)?;
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

    fn with<T>(&self, family: Family, act: impl FnOnce(&mut Lane) -> T) -> T {
        let mut buckets: MutexGuard<'_, _> = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        act(buckets.entry(family.name).or_insert_with(|| Lane::new(family)))
    }
}
