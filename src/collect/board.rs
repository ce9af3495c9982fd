//! The state of a collection: one part per scope, one slot per source, and the picture being put together.

use super::ask::{Next, next};
use super::due::{Due, Rhythm, Slot, due};
use crate::config::Config;
use crate::gateway::{Ask, GatewayError, Reading, Source, Urgency};
use crate::model::{InstanceId, Metrics, Region, Scope, Trouble, TroubleKind};
use crate::snapshot::{Part, Snapshot};
use crate::world::Interest;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// Metrics of rows that have scrolled away are kept this long, so that scrolling back costs nothing.
const METRICS_KEPT: SignedDuration = SignedDuration::from_mins(10);

/// One read to begin.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) scope: Arc<Scope>,
    pub(super) ask: Ask,
    pub(super) urgency: Urgency,
}

/// Where a scope stands among the others: account, then the order in which its regions were named, then
/// the region's own name for those that were found out.
type Place = (usize, usize, Region);

struct Desk {
    part: Arc<Part>,
    slots: BTreeMap<Source, Slot>,
    /// Instances whose metrics are wanted here.
    metrics_of: Vec<InstanceId>,
}

impl Desk {
    fn is_tried(&self) -> bool {
        self.slots.values().all(|slot| slot.is_tried() && !slot.is_running)
    }

    fn has_spoken(&self) -> bool {
        self.slots.keys().any(|source| {
            let standing = self.part.standing(*source);
            standing.as_of.is_some() || standing.trouble.is_some()
        })
    }
}

/// Everything that is known and under way.
pub(super) struct Board {
    desks: BTreeMap<Place, Desk>,
    places: BTreeMap<Scope, Place>,
    sources: Vec<Source>,
    rhythm: Rhythm,
    interest: Interest,
    troubles: Vec<(String, Trouble)>,
    seq: u64,
    /// Reads that a person waits for carry this urgency, whatever the rhythm says.
    floor: Option<Urgency>,
}

impl Board {
    /// An empty board that will read these sources in every scope.
    pub(super) fn new(config: &Config, sources: &[Source], floor: Option<Urgency>) -> Self {
        Self {
            desks: BTreeMap::new(),
            places: BTreeMap::new(),
            sources: sources.to_vec(),
            rhythm: Rhythm::new(&config.cadence),
            interest: Interest::default(),
            troubles: Vec::new(),
            seq: 0,
            floor,
        }
    }

    /// Adds a scope at its place in the configuration's order.
    pub(super) fn add(&mut self, (account, order): (usize, usize), scope: Scope) {
        if self.places.contains_key(&scope) {
            return;
        }
        let place = (account, order, scope.region.clone());
        self.places.insert(scope.clone(), place.clone());
        let slots = self.sources.iter().map(|source| (*source, Slot::default())).collect();
        let part = Arc::new(Part::new(Arc::new(scope)));
        self.desks.insert(place, Desk { part, slots, metrics_of: Vec::new() });
        self.spread_interest();
    }

    /// Notes a trouble that belongs to a whole account.
    pub(super) fn note(&mut self, who: String, trouble: Trouble) {
        self.forget(&who);
        self.troubles.push((who, trouble));
    }

    /// Forgets the troubles of an account that has since answered.
    pub(super) fn forget(&mut self, who: &str) {
        self.troubles.retain(|(name, _)| name != who);
    }

    /// Takes in what somebody looks at.
    pub(super) fn look(&mut self, interest: Interest) {
        self.rhythm.looked_at.clone_from(&interest.sources);
        self.rhythm.is_idle = interest.is_idle;
        self.interest = interest;
        self.spread_interest();
    }

    fn spread_interest(&mut self) {
        for desk in self.desks.values_mut() {
            let scope = &desk.part.scope;
            let wanted: Vec<InstanceId> = self
                .interest
                .metrics_of
                .iter()
                .filter(|(of, _)| of == scope.as_ref())
                .map(|(_, id)| id.clone())
                .collect();
            let held = desk.part.metrics.value.as_ref();
            let is_new = wanted
                .iter()
                .any(|id| !held.is_some_and(|list| list.iter().any(|metrics| metrics.id == *id)));
            desk.metrics_of = wanted;
            if is_new && let Some(slot) = desk.slots.get_mut(&Source::Metrics) {
                slot.want(Urgency::Screen);
            }
        }
    }

    /// Asks for sources again, in one scope or in all.
    pub(super) fn want(&mut self, scope: Option<&Scope>, sources: &[Source]) {
        for desk in self.desks.values_mut() {
            if scope.is_some_and(|scope| *scope != *desk.part.scope) {
                continue;
            }
            for source in sources {
                if let Some(slot) = desk.slots.get_mut(source) {
                    slot.want(Urgency::User);
                }
            }
        }
    }

    /// The sources that this board reads.
    pub(super) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Begins everything that is due, and tells when to look again.
    pub(super) fn begin(
        &mut self,
        config: &Config,
        now: Instant,
        at: Timestamp,
    ) -> (Vec<Job>, Option<Instant>) {
        let mut jobs = Vec::new();
        let mut wake: Option<Instant> = None;
        for desk in self.desks.values_mut() {
            for (source, slot) in &mut desk.slots {
                let urgency = match due(*source, slot, &self.rhythm, now) {
                    Due::Now(urgency) => urgency,
                    Due::At(at) => {
                        wake = Some(wake.map_or(at, |before| before.min(at)));
                        continue;
                    }
                    Due::Never => continue,
                };
                // The picture that was published last still holds this part: it is copied only to be changed.
                let next = next(*source, &desk.part, config, &desk.metrics_of, at);
                if next == Next::Wait {
                    continue;
                }
                let part = Arc::make_mut(&mut desk.part);
                match next {
                    Next::Ask(ask) => {
                        slot.begin();
                        part.asked(*source);
                        let urgency = self.floor.map_or(urgency, |floor| urgency.max(floor));
                        jobs.push(Job { scope: Arc::clone(&part.scope), ask, urgency });
                    }
                    Next::Empty(reading) => {
                        slot.begin();
                        slot.end(now, None);
                        // Metrics that nobody asks for are not known to be none.
                        if *source != Source::Metrics {
                            part.settle(reading, at, true);
                        }
                    }
                    Next::Blocked(trouble) => {
                        slot.begin();
                        slot.end(now, Some(trouble.kind));
                        part.failed(*source, trouble);
                    }
                    Next::Wait => {}
                }
            }
        }
        jobs.sort_by_key(|job| std::cmp::Reverse(job.urgency));
        (jobs, wake)
    }

    /// Takes in what an earlier run read. It shows with its age, and is read again at once.
    pub(super) fn recall(&mut self, scope: &Scope, reading: Reading, as_of: Timestamp) {
        if let Some(desk) = self.places.get(scope).and_then(|place| self.desks.get_mut(place)) {
            Arc::make_mut(&mut desk.part).settle(reading, as_of, true);
        }
    }

    /// The part of a scope as it stands.
    pub(super) fn part(&self, scope: &Scope) -> Option<&Arc<Part>> {
        Some(&self.desks.get(self.places.get(scope)?)?.part)
    }

    /// Takes in what has been read of a list so far.
    pub(super) fn page(&mut self, scope: &Scope, reading: Reading, at: Timestamp) {
        if let Some(desk) = self.places.get(scope).and_then(|place| self.desks.get_mut(place)) {
            Arc::make_mut(&mut desk.part).settle(reading, at, false);
        }
    }

    /// Takes in how a read ended.
    pub(super) fn done(
        &mut self,
        scope: &Scope,
        source: Source,
        answer: Result<Reading, GatewayError>,
        now: Instant,
        at: Timestamp,
    ) {
        let Some(desk) = self.places.get(scope).and_then(|place| self.desks.get_mut(place)) else { return };
        let slot = desk.slots.entry(source).or_default();
        let part = Arc::make_mut(&mut desk.part);
        match answer {
            Ok(reading) => {
                slot.end(now, None);
                let reading = keep_metrics(reading, part, at);
                part.settle(reading, at, true);
            }
            Err(failure) => {
                slot.end(now, Some(failure.trouble.kind));
                if let Some(reading) = failure.partial {
                    part.settle(*reading, at, false);
                }
                part.failed(source, failure.trouble);
            }
        }
    }

    /// Tells whether every source of every scope has been tried.
    pub(super) fn is_tried(&self) -> bool {
        self.desks.values().all(Desk::is_tried)
    }

    /// Gives up on what still runs: says so in each section.
    pub(super) fn give_up(&mut self, waited: std::time::Duration, at: Timestamp, now: Instant) {
        for desk in self.desks.values_mut() {
            let part = Arc::make_mut(&mut desk.part);
            for (source, slot) in
                desk.slots.iter_mut().filter(|(_, slot)| slot.is_running || !slot.is_tried())
            {
                slot.end(now, Some(TroubleKind::Timeout));
                part.failed(*source, silence(source.call(), waited, at));
            }
        }
    }

    /// Tells whether any place has answered anything.
    pub(super) fn has_answers(&self) -> bool {
        self.desks.values().any(Desk::has_spoken)
    }

    /// Tells whether all that is still being read is in places that have not said a word.
    pub(super) fn is_answered_but_for_the_silent(&self) -> bool {
        self.desks.values().filter(|desk| desk.has_spoken()).all(Desk::is_tried)
    }

    /// When what failed is tried again; what runs already, or waits for somebody to look, is left out.
    pub(super) fn retries(&self, now: Instant, at: Timestamp) -> BTreeMap<(Scope, Source), Timestamp> {
        let mut retries = BTreeMap::new();
        for desk in self.desks.values() {
            for (source, slot) in desk.slots.iter().filter(|(_, slot)| slot.failed_by.is_some()) {
                let Due::At(then) = due(*source, slot, &self.rhythm, now) else { continue };
                if let Ok(moment) = at.checked_add(then.saturating_duration_since(now)) {
                    retries.insert((desk.part.scope.as_ref().clone(), *source), moment);
                }
            }
        }
        retries
    }

    /// The picture as it stands.
    pub(super) fn picture(&mut self, at: Timestamp) -> Snapshot {
        self.seq += 1;
        Snapshot {
            seq: self.seq,
            taken_at: at,
            parts: self.desks.values().map(|desk| Arc::clone(&desk.part)).collect(),
            troubles: self.troubles.clone(),
        }
    }
}

/// The trouble of a place that does not answer.
pub(super) fn silence(call: &str, waited: std::time::Duration, at: Timestamp) -> Trouble {
    Trouble {
        kind: TroubleKind::Timeout,
        call: call.into(),
        code: None,
        message: format!("no answer within {} s", waited.as_secs()),
        hint: Some(
            "all else is shown; try again, or leave this account or region out with --profile and --region"
                .into(),
        ),
        request_id: None,
        at,
    }
}

/// Adds metrics that were read before and are still young to those just read.
fn keep_metrics(reading: Reading, part: &Part, at: Timestamp) -> Reading {
    let Reading::Metrics(mut fresh) = reading else { return reading };
    let is_young = |metrics: &&Metrics| {
        metrics.cpu.last().is_some_and(|point| at.duration_since(point.at) < METRICS_KEPT)
            && !fresh.iter().any(|new| new.id == metrics.id)
    };
    let kept: Vec<Metrics> =
        part.metrics.value.iter().flat_map(|list| list.iter()).filter(is_young).cloned().collect();
    fresh.extend(kept);
    Reading::Metrics(fresh)
}
