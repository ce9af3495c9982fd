//! The state of a collection: one part per scope, one slot per source, and the picture being put together.

use super::ask::Next;
use super::desk::{Desk, Follow};
use super::due::{Due, Rhythm, Slot, due};
use super::words::Words;
use crate::config::{Config, CoreReach};
use crate::gateway::{Ask, GatewayError, Reading, Source, Urgency};
use crate::model::{Gauges, InstanceId, Region, Scope, Trouble, TroubleKind};
use crate::snapshot::{Part, Snapshot};
use crate::store::Kept;
use crate::world::Interest;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

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
    /// Each core is asked by a way of its own.
    takes_ways: bool,
}

impl Board {
    /// An empty board that will read these sources in every scope.
    pub(super) fn new(config: &Config, sources: &[Source], floor: Option<Urgency>) -> Self {
        Self {
            desks: BTreeMap::new(),
            places: BTreeMap::new(),
            sources: sources.to_vec(),
            rhythm: Rhythm::new(&config.cadence, &config.insisted),
            // Before anybody says at what he looks, no core is asked by a way of its own.
            interest: Interest { cores_of: Some(Vec::new()), ..Interest::default() },
            troubles: Vec::new(),
            seq: 0,
            floor,
            takes_ways: config.cores.reach == CoreReach::Ssm,
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
            targets_of: None,
            metrics_read: HashMap::new(),
            words: Words::new(self.floor.is_some(), self.takes_ways),
        };
        self.desks.insert(place, desk);
        self.spread_interest();
    }

    /// Goes on from what was read of a scope before.
    pub(super) fn adopt(&mut self, order: usize, part: &Arc<Part>) {
        self.add((order, 0), Scope::clone(&part.scope));
        if let Some(desk) = self.places.get(&part.scope).and_then(|place| self.desks.get_mut(place)) {
            desk.part = Arc::clone(part);
        }
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
        self.rhythm.is_acting = interest.is_acting;
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
            let scope = &desk.part.scope;
            desk.targets_of = self.interest.targets_of.as_ref().map(|groups| {
                let here = groups.iter().filter(|(of, _)| of == scope.as_ref());
                here.map(|(_, group)| group.clone()).collect()
            });
            let cores = self.interest.cores_of.as_ref().map(|cores| {
                let here = cores.iter().filter(|(of, _)| of == scope.as_ref());
                here.map(|(_, core)| core.clone()).collect()
            });
            let is_new = desk.words.look(cores);
            if is_new && let Some(slot) = desk.slot(Source::Admin) {
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
                if *source == Source::Admin {
                    desk.words.renew();
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
                        // Words of cores that were not asked before go between those that were.
                        let pages = !part.standing(source).is_whole || source == Source::Admin;
                        begun.jobs.push(Job { scope: Arc::clone(&part.scope), ask, urgency, pages });
                    }
                    Next::Empty(reading) => {
                        slot.begin();
                        slot.end(now, None);
                        let reading = desk.words.put(reading, part, None, (now, at));
                        // Metrics that nobody asks for are not known to be none.
                        // And cores that need not be asked now have said nothing new: those that were not there
                        // before are not known to be silent.
                        let is_rest = source == Source::Admin && part.standing(source).is_whole;
                        if is_rest && config.cores.reach == CoreReach::Ssm {
                            // Nor is what went wrong when they were asked mended by that.
                            let (before, trouble) = (part.admin.as_of, part.admin.trouble.clone());
                            let as_of = desk.words.as_of(now).or(before).unwrap_or(at);
                            part.settle(reading, as_of, true);
                            part.admin.trouble = trouble;
                        } else if source != Source::Metrics {
                            let before = part.clone();
                            part.settle(reading, at, true);
                            begun.emptied.push((Arc::clone(&part.scope), source));
                            desk.succeeded(source, urgency, &before);
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
    pub(super) fn page(&mut self, scope: &Scope, reading: Reading, now: Instant, at: Timestamp) {
        if let Some(desk) = self.places.get(scope).and_then(|place| self.desks.get_mut(place)) {
            let is_whole = reading.source() == Source::Admin && desk.part.admin.is_whole;
            let asked = desk.asked.get(&Source::Admin);
            let reading = desk.words.put(reading, &desk.part, asked, (now, at));
            let as_of = desk.as_of(&reading, now, at);
            Arc::make_mut(&mut desk.part).settle(reading, as_of, is_whole);
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
        self.take(scope, source, answer, now, at);
        let rows = self.desks.values().map(|desk| desk.part.rows(source)).sum();
        self.rhythm.measured(source, rows);
    }

    fn take(
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
                let reading = desk.words.put(reading, &desk.part, None, (now, at));
                let as_of = desk.as_of(&reading, now, at);
                let before = Arc::clone(&desk.part);
                Arc::make_mut(&mut desk.part).settle(reading, as_of, true);
                if source == Source::Admin
                    && desk.words.has_more()
                    && let Some(slot) = desk.slot(source)
                {
                    slot.want(Urgency::Screen);
                }
                let urgency = self.floor.unwrap_or_else(|| self.rhythm.urgency(source));
                desk.succeeded(source, urgency, &before);
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

    /// Tells whether nothing is new since then but that lists which were coming in have grown.
    pub(super) fn has_only_grown_from(&self, then: &Snapshot) -> bool {
        let parts = || self.desks.values().map(|desk| &desk.part).zip(&then.parts);
        self.desks.len() == then.parts.len()
            && self.troubles == then.troubles
            && parts().all(|(now, then)| now.has_grown_from(then))
            && parts().any(|(now, then)| !now.says_the_same(then))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::monotonic;
    use crate::model::{Cluster, ClusterArn, Tags};

    #[test]
    fn only_a_list_that_says_something_else_may_name_something_new() {
        let at = Timestamp::UNIX_EPOCH;
        let scope = Scope { account: "a".into(), region: "r".into() };
        let cluster = |name: &str| Cluster {
            arn: ClusterArn::new(name),
            name: name.into(),
            status: "ACTIVE".into(),
            host_count: 0,
            running_tasks: 0,
            pending_tasks: 0,
            service_count: 0,
            providers: Vec::new(),
            managed_draining: false,
            tags: Tags::default(),
        };
        let mut board = Board::new(&Config::default(), &[Source::Clusters, Source::Hosts], None);
        board.add((0, 0), scope.clone());
        let mut read = |names: &[&str]| {
            let clusters = names.iter().map(|name| cluster(name)).collect();
            board.done(&scope, Source::Clusters, Ok(Reading::Clusters(clusters)), monotonic(), at);
            let desk = board.desks.values_mut().next().unwrap();
            std::mem::take(&mut desk.renamed).contains(&Source::Hosts)
        };
        assert!(read(&["one"]), "the first");
        assert!(!read(&["one"]), "the same again");
        assert!(read(&["one", "two"]));
        assert!(read(&["two"]));
    }
}
