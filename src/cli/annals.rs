//! What coredeck itself did, for scripts that ask what happened: the journal's operations among the events of a fleet.

use super::Outside;
use super::args::Global;
use super::op::Place;
use crate::clock::Clock;
use crate::collect::Chronicle;
use crate::error::Result;
use crate::fleet::{Deed, Fleet};
use crate::model::{Trouble, TroubleKind};
use crate::ops::{self, OpState, told};
use crate::query::Kind;
use crate::snapshot::Snapshot;
use crate::store::journal::{Journal, Ledger};
use crate::world::World;
use jiff::Timestamp;
use std::sync::Arc;

/// So many of the latest operations are told.
const LATEST: usize = 200;

/// Where what was done is found.
#[derive(Debug)]
pub(super) struct Annals {
    place: Option<Place>,
    clock: Clock,
}

impl Annals {
    /// The journal of this run. Where nobody knows where it would be, nothing was ever done.
    pub(super) fn of(global: &Global, outside: &Outside) -> Self {
        // A demo begins with nothing done.
        let place = if global.demo { None } else { Place::find(global, outside).ok() };
        Self { place, clock: outside.clock }
    }

    /// The journal that a screen writes into; that of a demo is its own and ends with it.
    pub(super) fn of_screen(global: &Global, outside: &Outside) -> Self {
        Self { place: Place::find(global, outside).ok(), clock: outside.clock }
    }

    /// No journal.
    #[cfg(test)]
    pub(super) fn none() -> Self {
        Self { place: None, clock: Clock::default() }
    }

    /// The world with our own operations among its events, where events are asked for. What cannot be read of them is a
    /// trouble like any other: the answer is then not the whole.
    pub(super) fn tell(&self, kind: Kind, world: Arc<World>) -> Arc<World> {
        if kind != Kind::Events {
            return world;
        }
        let (deeds, faults) = self.known(world.timeline.past);
        if deeds.is_empty() && faults.is_empty() {
            return world;
        }
        let mut fleet = Fleet::clone(&world.fleet);
        fleet.tell(&Arc::from(deeds));
        let mut snapshot = Snapshot::clone(&world.snapshot);
        snapshot.troubles.extend(faults);
        Arc::new(World { fleet: Arc::new(fleet), snapshot: Arc::new(snapshot), ..World::clone(&world) })
    }

    /// What is known of operations, and what is wrong with the rest.
    fn known(&self, past: Option<Timestamp>) -> (Vec<Deed>, Vec<(String, Trouble)>) {
        let Some(place) = self.place.as_ref().filter(|place| place.file.exists()) else {
            return (Vec::new(), Vec::new());
        };
        let (deeds, faults) = match self.read(place, past) {
            Ok(read) => read,
            Err(error) => (Vec::new(), vec![error.to_string()]),
        };
        let trouble = |why: String| Trouble {
            kind: TroubleKind::Other,
            call: "journal".into(),
            code: None,
            message: why,
            hint: Some("coredeck op verify".to_owned()),
            request_id: None,
            at: self.clock.now(),
        };
        let faults = faults.into_iter().map(|why| ("operations of coredeck".to_owned(), trouble(why)));
        (deeds, faults.collect())
    }

    /// The operations, and what could not be read of them; as they stood at a moment of the past where one is looked at.
    fn read(&self, place: &Place, past: Option<Timestamp>) -> Result<(Vec<Deed>, Vec<String>)> {
        let journal = Journal::open(&place.file)?;
        let now = past.unwrap_or(self.clock.now());
        let mut faults = Vec::new();
        let records = journal.ops(if past.is_some() { usize::MAX } else { LATEST })?;
        let mut all = Vec::new();
        for record in records.into_iter().filter(|record| record.at <= now).take(LATEST) {
            // That is asked first: a runner that comes to its end writes so, and then lives no more.
            let lives = journal.runner(&record.id)?.is_some_and(|(_, lives)| lives);
            let read = match past {
                None => ops::read(&journal, &record.id).map(|op| (op, lives)),
                // Something was recorded later, so it lived then.
                Some(at) => {
                    ops::read_at(&journal, &record.id, at).map(|(op, goes_on)| (op, lives || goes_on))
                }
            };
            match read {
                Ok(read) => all.push(read),
                Err(error) => faults.push(format!("{}: {error}", record.id)),
            }
        }
        let ops: Vec<&OpState> = all.iter().map(|(op, _)| op).collect();
        let deeds = all.iter().filter_map(|(op, lives)| told::deed(op, *lives, now, &ops)).collect();
        Ok((deeds, faults))
    }
}

impl Chronicle for Annals {
    fn at(&self, at: Timestamp) -> (Vec<Deed>, Vec<(String, Trouble)>) {
        self.known(Some(at))
    }
}
