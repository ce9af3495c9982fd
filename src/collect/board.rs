//! The state of a collection: one part per scope, one slot per source, and the picture being put together.

use super::ask::{Next, names_more, next};
use super::due::{Due, Rhythm, Slot, due};
use crate::config::Config;
use crate::gateway::{Ask, GatewayError, Reading, Source, Urgency};
use crate::model::{Gauges, InstanceId, Metrics, Region, Scope, Trouble, TroubleKind};
use crate::snapshot::{Part, Snapshot};
use crate::store::Kept;
use crate::world::Interest;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Metrics of rows that have scrolled away are kept this long, so that scrolling back costs nothing.
const METRICS_KEPT: Duration = Duration::from_secs(600);
/// When a list names something new, what is read by name follows at most this often.
const FOLLOW_PAUSE: Duration = Duration::from_secs(15);

/// One read to begin.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) scope: Arc<Scope>,
    pub(super) ask: Ask,
    pub(super) urgency: Urgency,
    /// Whether part-way readings are worth showing: not over a list that is whole.
    pub(super) pages: bool,
}

/// Where a scope stands among the others: account, then the order in which its regions were named, then
/// the region's own name for those that were found out.
type Place = (usize, usize, Region);

struct Desk {
    part: Arc<Part>,
    /// In the order of first reads, so that what is needed begins before what needs it.
    slots: Vec<(Source, Slot)>,
    /// The last ask of each source.
    asked: BTreeMap<Source, Ask>,
    /// Sources whose names may have changed since they were last asked for.
    renamed: BTreeSet<Source>,
    /// Instances whose metrics are wanted here.
    metrics_of: Vec<InstanceId>,
    /// Which of their metrics.
    gauges: Gauges,
    /// When metrics of an instance were last read, and which.
    metrics_read: HashMap<InstanceId, (Instant, Gauges)>,
}

impl Desk {
    fn is_tried(&self) -> bool {
        self.slots.iter().all(|(_, slot)| slot.is_tried() && !slot.is_running)
    }

    fn slot(&mut self, source: Source) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|(of, _)| *of == source).map(|(_, slot)| slot)
    }

    /// Wanted instances whose metrics are older than this, or were never read.
    fn metrics_missing(&self, now: Instant, every: Duration) -> Vec<InstanceId> {
        let is_old = |id: &&InstanceId| {
            !self.has_read(id)
                || self
                    .metrics_read
                    .get(*id)
                    .is_none_or(|(at, _)| now.saturating_duration_since(*at) >= every)
        };
        self.metrics_of.iter().filter(is_old).cloned().collect()
    }

    /// Tells whether all metrics that are wanted of an instance were read, however long ago.
    fn has_read(&self, id: &InstanceId) -> bool {
        self.metrics_read.get(id).is_some_and(|(_, gauges)| gauges.hold_all(self.gauges))
    }

    /// A read succeeded: what is read by the names in it may have more to ask, or was waiting for it.
    fn succeeded(&mut self, source: Source, urgency: Urgency) {
        for (of, slot) in self.slots.iter_mut().filter(|(of, _)| of.needs().contains(&source)) {
            self.renamed.insert(*of);
            if slot.is_blocked {
                slot.want(urgency);
            }
        }
    }

    fn has_spoken(&self) -> bool {
        self.slots.iter().any(|(source, _)| {
            let standing = self.part.standing(*source);
            standing.as_of.is_some() || standing.trouble.is_some()
        })
    }
}

/// What to do about a source that is not due, when what it is read by may have changed.
enum Follow {
    /// Ask this: it names something new.
    Now(Ask),
    /// It may name something new, but was read a moment ago.
    At(Instant),
    /// Nothing new.
    No,
}

impl Desk {
    fn next(&self, source: Source, config: &Config, rhythm: &Rhythm, now: Instant, at: Timestamp) -> Next {
        let metrics_of = match source {
            Source::Metrics => self.metrics_missing(now, rhythm.every(source)),
            _ => Vec::new(),
        };
        next(source, &self.part, config, (&metrics_of, self.gauges), at)
    }

    fn follow(
        &mut self,
        source: Source,
        slot: Slot,
        config: &Config,
        rhythm: &Rhythm,
        now: Instant,
        at: Timestamp,
    ) -> Follow {
        if !self.renamed.contains(&source) || slot.failed_by.is_some() {
            return Follow::No;
        }
        let soonest = slot.ended_at.map_or(now, |ended| ended + FOLLOW_PAUSE);
        if soonest > now {
            return Follow::At(soonest);
        }
        let next = self.next(source, config, rhythm, now, at);
        if next == Next::Wait {
            return Follow::No;
        }
        self.renamed.remove(&source);
        match (next, self.asked.get(&source)) {
            (Next::Ask(ask), None) => Follow::Now(ask),
            (Next::Ask(ask), Some(before)) if names_more(&ask, before) => Follow::Now(ask),
            _ => Follow::No,
        }
    }
}

/// What `begin` began.
#[derive(Debug, Default)]
pub(super) struct Begun {
    /// Reads to send, the most urgent first.
    pub(super) jobs: Vec<Job>,
    /// When to look again.
    pub(super) wake: Option<Instant>,
    /// Some section says something else now.
    pub(super) has_changed: bool,
    /// Lists that are known to be empty without a question.
    pub(super) emptied: Vec<(Arc<Scope>, Source)>,
}

impl Begun {
    fn wake_by(&mut self, at: Instant) {
        self.wake = Some(self.wake.map_or(at, |before| before.min(at)));
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
        let desk = Desk {
            part,
            slots,
            asked: BTreeMap::new(),
            renamed: BTreeSet::new(),
            metrics_of: Vec::new(),
            gauges: Gauges::ALL,
            metrics_read: HashMap::new(),
        };
        self.desks.insert(place, desk);
        self.spread_interest();
    }

    /// Forgets the places of an account that are not among these regions.
    pub(super) fn retain(&mut self, account: usize, regions: &[Region]) {
        self.desks.retain(|(of, _, region), _| *of != account || regions.contains(region));
        self.places.retain(|_, (of, _, region)| *of != account || regions.contains(region));
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
            desk.gauges = self.interest.gauges;
            let is_new = wanted.iter().any(|id| !desk.has_read(id));
            desk.metrics_of = wanted;
            if is_new && let Some(slot) = desk.slot(Source::Metrics) {
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
                if *source == Source::Metrics {
                    desk.metrics_read.clear();
                }
                if let Some(slot) = desk.slot(*source) {
                    slot.want(Urgency::User);
                }
            }
        }
    }

    /// The sources that this board reads.
    pub(super) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Begins everything that is due.
    pub(super) fn begin(&mut self, config: &Config, now: Instant, at: Timestamp) -> Begun {
        let mut begun = Begun::default();
        let Self { desks, rhythm, floor, .. } = self;
        for desk in desks.values_mut() {
            for place in 0..desk.slots.len() {
                let (source, slot) = desk.slots[place];
                let found = match due(source, &slot, rhythm, now) {
                    Due::Now(urgency) => Some((urgency, desk.next(source, config, rhythm, now, at))),
                    Due::At(then) => match desk.follow(source, slot, config, rhythm, now, at) {
                        Follow::Now(ask) => Some((rhythm.urgency(source), Next::Ask(ask))),
                        Follow::At(sooner) => {
                            begun.wake_by(then.min(sooner));
                            None
                        }
                        Follow::No => {
                            begun.wake_by(then);
                            None
                        }
                    },
                    Due::Never => None,
                };
                let Some((urgency, next)) = found else { continue };
                if next == Next::Wait {
                    continue;
                }
                // The picture that was published last still holds this part: it is copied only to be changed.
                let part = Arc::make_mut(&mut desk.part);
                let slot = &mut desk.slots[place].1;
                let standing = part.standing(source);
                // That what is known and well is read again at its pace is no news.
                let is_routine = standing.as_of.is_some()
                    && standing.trouble.is_none()
                    && urgency < Urgency::User
                    && matches!(next, Next::Ask(_));
                begun.has_changed |= !is_routine;
                match next {
                    Next::Ask(ask) => {
                        slot.begin();
                        part.asked(source);
                        desk.renamed.remove(&source);
                        desk.asked.insert(source, ask.clone());
                        let urgency = floor.map_or(urgency, |floor| urgency.max(floor));
                        let pages = !part.standing(source).is_whole;
                        begun.jobs.push(Job { scope: Arc::clone(&part.scope), ask, urgency, pages });
                    }
                    Next::Empty(reading) => {
                        slot.begin();
                        slot.end(now, None);
                        // Metrics that nobody asks for are not known to be none.
                        if source != Source::Metrics {
                            part.settle(reading, at, true);
                            begun.emptied.push((Arc::clone(&part.scope), source));
                            desk.succeeded(source, urgency);
                        }
                    }
                    Next::Blocked(trouble) => {
                        slot.begin();
                        slot.end(now, Some(trouble.kind));
                        slot.is_blocked = true;
                        part.failed(source, trouble);
                    }
                    Next::Wait => {}
                }
            }
        }
        begun.jobs.sort_by_key(|job| std::cmp::Reverse(job.urgency));
        begun
    }

    /// Takes in what an earlier run read, all or the beginning of it. It shows with its age, and is read again
    /// at once. What this run has read already stays.
    pub(super) fn recall(&mut self, Kept { scope, reading, as_of, is_whole }: Kept) {
        let Some(desk) = self.places.get(&scope).and_then(|place| self.desks.get_mut(place)) else { return };
        let is_older = desk.part.standing(reading.source()).as_of.is_none_or(|now| now <= as_of);
        if is_older {
            Arc::make_mut(&mut desk.part).settle(reading, as_of, is_whole);
        }
    }

    /// Every scope that is looked at, in the configuration's order.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.desks.values().map(|desk| desk.part.scope.as_ref())
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
        let Some(slot) = desk.slot(source) else { return };
        match answer {
            Ok(reading) => {
                slot.end(now, None);
                let reading = desk.keep_metrics(reading, now);
                Arc::make_mut(&mut desk.part).settle(reading, at, true);
                let urgency = self.floor.unwrap_or_else(|| self.rhythm.urgency(source));
                desk.succeeded(source, urgency);
            }
            Err(failure) => {
                slot.end(now, Some(failure.trouble.kind));
                let part = Arc::make_mut(&mut desk.part);
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

    /// The places that have not answered anything.
    pub(super) fn silent(&self) -> Vec<Scope> {
        let silent = self.desks.values().filter(|desk| !desk.has_spoken());
        silent.map(|desk| desk.part.scope.as_ref().clone()).collect()
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

impl Desk {
    /// Adds metrics that were read before and not long ago to those just read.
    fn keep_metrics(&mut self, reading: Reading, now: Instant) -> Reading {
        let Reading::Metrics(mut fresh) = reading else { return reading };
        self.metrics_read.retain(|_, (at, _)| now.saturating_duration_since(*at) < METRICS_KEPT);
        if let Some(Ask::Metrics { of, gauges, .. }) = self.asked.get(&Source::Metrics) {
            for id in of {
                self.metrics_read.insert(id.clone(), (now, *gauges));
            }
        }
        let is_kept = |metrics: &&Metrics| {
            self.metrics_read.contains_key(&metrics.id) && !fresh.iter().any(|new| new.id == metrics.id)
        };
        let kept: Vec<Metrics> =
            self.part.metrics.value.iter().flat_map(|list| list.iter()).filter(is_kept).cloned().collect();
        fresh.extend(kept);
        Reading::Metrics(fresh)
    }
}
