//! The desk of one scope: what was read of it, and how each of its sources stands.

use super::ask::{Next, Only, names_more, next};
use super::due::{Rhythm, Slot};
use super::words::Words;
use crate::config::Config;
use crate::gateway::{Ask, Reading, Source, Urgency};
use crate::model::{Gauges, InstanceId, Metrics, TargetGroupArn};
use crate::snapshot::Part;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Metrics of rows that have scrolled away are kept this long, so that scrolling back costs nothing.
const METRICS_KEPT: Duration = Duration::from_secs(600);
/// When a list names something new, what is read by name follows at most this often.
const FOLLOW_PAUSE: Duration = Duration::from_secs(15);

/// One scope: what was read of it, and how each of its sources stands.
pub(super) struct Desk {
    pub(super) part: Arc<Part>,
    /// In the order of first reads, so that what is needed begins before what needs it.
    pub(super) slots: Vec<(Source, Slot)>,
    /// The last ask of each source.
    pub(super) asked: BTreeMap<Source, Ask>,
    /// Sources whose names may have changed since they were last asked for.
    pub(super) renamed: BTreeSet<Source>,
    /// Instances whose metrics are wanted here.
    pub(super) metrics_of: Vec<InstanceId>,
    /// Which of their metrics.
    pub(super) gauges: Gauges,
    /// The only target groups whose targets are read here; none for all.
    pub(super) targets_of: Option<Vec<TargetGroupArn>>,
    /// When metrics of an instance were last read, and which.
    pub(super) metrics_read: HashMap<InstanceId, (Instant, Gauges)>,
    /// Which cores are to be asked, and which were.
    pub(super) words: Words,
}

impl Desk {
    pub(super) fn is_tried(&self) -> bool {
        self.slots.iter().all(|(_, slot)| slot.is_tried() && !slot.is_running)
    }

    pub(super) fn slot(&mut self, source: Source) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|(of, _)| *of == source).map(|(_, slot)| slot)
    }

    /// Wanted instances whose metrics are older than this, or were never read.
    pub(super) fn metrics_missing(&self, now: Instant, every: Duration) -> Vec<InstanceId> {
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
    pub(super) fn has_read(&self, id: &InstanceId) -> bool {
        self.metrics_read.get(id).is_some_and(|(_, gauges)| gauges.hold_all(self.gauges))
    }

    /// A read succeeded: what is read by the names in it may have more to ask, or was waiting for it. One that says what it
    /// said before names nothing new: to gather the names of a large fleet costs something.
    pub(super) fn succeeded(&mut self, source: Source, urgency: Urgency, before: &Part) {
        let is_news = !self.part.says_the_same_of(source, before);
        for (of, slot) in self.slots.iter_mut().filter(|(of, _)| of.needs().contains(&source)) {
            if is_news {
                self.renamed.insert(*of);
            }
            if slot.is_blocked {
                slot.want(urgency);
            }
        }
    }

    /// As of when a reading is shown: words of cores that are heard a few at a time are as old as the oldest of them.
    pub(super) fn as_of(&self, reading: &Reading, now: Instant, at: Timestamp) -> Timestamp {
        match reading.source() {
            Source::Admin => self.words.as_of(now).unwrap_or(at),
            _ => at,
        }
    }

    pub(super) fn has_spoken(&self) -> bool {
        // Also of what was read before this collection began.
        Source::ALL.iter().any(|source| {
            let standing = self.part.standing(*source);
            standing.as_of.is_some() || standing.trouble.is_some()
        })
    }
}

/// What to do about a source that is not due, when what it is read by may have changed.
pub(super) enum Follow {
    /// Ask this: it names something new.
    Now(Ask),
    /// It may name something new, but was read a moment ago.
    At(Instant),
    /// Nothing new.
    No,
}

impl Desk {
    pub(super) fn next(
        &mut self,
        source: Source,
        config: &Config,
        rhythm: &Rhythm,
        now: Instant,
        at: Timestamp,
    ) -> Next {
        let metrics_of = match source {
            Source::Metrics => self.metrics_missing(now, rhythm.every(source)),
            _ => Vec::new(),
        };
        let cores_of = match source {
            Source::Admin => self.words.due(&self.part, rhythm.every(source), now),
            _ => None,
        };
        let only = Only { cores: cores_of.as_deref(), targets: self.targets_of.as_deref() };
        next(source, &self.part, config, (&metrics_of, self.gauges), only, at)
    }

    pub(super) fn follow(
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

impl Desk {
    /// Adds metrics that were read before and not long ago to those just read.
    pub(super) fn keep_metrics(&mut self, reading: Reading, now: Instant) -> Reading {
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
