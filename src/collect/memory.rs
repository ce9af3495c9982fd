//! What a collection remembers: how figures went, and the fleet as it was at a moment of the past.

use crate::clock::monotonic;
use crate::fleet::{Deed, Fleet, join, metric_samples, samples};
use crate::gateway::Source;
use crate::model::{Scope, Tier, Trouble};
use crate::snapshot::{Part, Sample, Snapshot, Trends};
use crate::store::{COURSES, History, TREND_SPAN, Then};
use crate::world::Timeline;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Figures are noted at most this often: lists are hardly read more often than that.
const SAMPLE_PAUSE: Duration = Duration::from_secs(10);

/// The rows of a moment of the past.
type Shown = (Timestamp, Arc<Snapshot>, Arc<Fleet>);

/// Who knows what coredeck itself had done by a moment of the past. It may wait for files.
pub trait Chronicle: std::fmt::Debug + Send + Sync {
    /// The operations as they stood then, and what could not be read of them: of what, and why.
    fn at(&self, at: Timestamp) -> (Vec<Deed>, Vec<(String, Trouble)>);
}

/// Puts the parts of a moment into the order of `scopes`. A place of which nothing was kept is there all the
/// same, with nothing known: that nobody looked does not mean that it was empty.
pub fn then(parts: Vec<Part>, scopes: &[Scope], tiers: &[Tier], at: Timestamp) -> (Snapshot, Fleet) {
    let mut parts = parts;
    for scope in scopes {
        if !parts.iter().any(|part| *part.scope == *scope) {
            parts.push(Part::new(Arc::new(scope.clone())));
        }
    }
    parts.sort_by_key(|part| scopes.iter().position(|scope| *scope == *part.scope).unwrap_or(usize::MAX));
    let parts = parts.into_iter().map(Arc::new).collect();
    let snapshot = Snapshot { seq: 0, taken_at: at, parts, troubles: Vec::new() };
    let fleet = join(&snapshot, tiers);
    (snapshot, fleet)
}

/// A moment of the past that was put together, or why it could not be.
pub(super) struct Past {
    at: Timestamp,
    found: Result<(Arc<Snapshot>, Arc<Fleet>), Arc<str>>,
}

/// The work of putting a moment together, for a thread that may wait.
pub(super) struct LookBack {
    history: Arc<History>,
    chronicle: Option<Arc<dyn Chronicle>>,
    at: Timestamp,
    scopes: Vec<Scope>,
    tiers: Vec<Tier>,
}

impl LookBack {
    pub(super) fn run(self) -> Past {
        let Self { history, chronicle, at, scopes, tiers } = self;
        let answer: Option<Then> = history.at(at).and_then(|answer| answer.recv().ok());
        let found = answer.unwrap_or_else(|| Err("nothing is kept any more".into())).map(|parts| {
            let (mut snapshot, mut fleet) = then(parts, &scopes, &tiers, at);
            if let Some(chronicle) = chronicle {
                let (deeds, faults) = chronicle.at(at);
                fleet.tell(&Arc::from(deeds));
                snapshot.troubles.extend(faults);
            }
            (Arc::new(snapshot), Arc::new(fleet))
        });
        Past { at, found }
    }
}

/// What is remembered.
#[derive(Default)]
pub(super) struct Memory {
    history: Option<Arc<History>>,
    chronicle: Option<Arc<dyn Chronicle>>,
    trends: Arc<Trends>,
    sampled_at: Option<Instant>,
    /// The moment that somebody wants to see.
    wanted: Option<Timestamp>,
    /// The moment that is shown.
    shown: Option<Shown>,
    /// A moment is being put together.
    is_busy: bool,
    /// Why the moment that is wanted cannot be shown.
    trouble: Option<Arc<str>>,
}

impl Memory {
    pub(super) fn new(history: Option<History>, chronicle: Option<Arc<dyn Chronicle>>) -> Self {
        Self { history: history.map(Arc::new), chronicle, ..Self::default() }
    }

    /// Keeps a list that was just read whole.
    pub(super) fn keep(&mut self, part: Option<&Arc<Part>>, source: Source) {
        let Some(part) = part else { return };
        if source == Source::Metrics {
            self.note(metric_samples(part));
        } else if let Some(history) = &self.history {
            history.keep(part, source);
        }
    }

    /// Notes the figures of a fleet as it is.
    pub(super) fn sample(&mut self, snapshot: &Snapshot, fleet: &Fleet) {
        if let Some(before) = self.history.as_ref().and_then(|history| history.take_trends()) {
            let later = std::mem::replace(&mut self.trends, Arc::new(before));
            Arc::make_mut(&mut self.trends).extend(&later, COURSES);
        }
        let now = monotonic();
        if self.sampled_at.is_some_and(|at| now.saturating_duration_since(at) < SAMPLE_PAUSE) {
            return;
        }
        let samples = samples(snapshot, fleet);
        // While the first lists arrive there is nothing to note yet, and no reason to wait for the next time.
        if !samples.is_empty() {
            self.sampled_at = Some(now);
        }
        self.note(samples);
        let oldest = snapshot.taken_at.saturating_sub(TREND_SPAN).unwrap_or(Timestamp::MIN);
        if self.trends.iter().any(|(.., trend)| trend.spans().first().is_some_and(|held| held.until < oldest))
        {
            Arc::make_mut(&mut self.trends).forget_before(oldest);
        }
    }

    fn note(&mut self, samples: Vec<Sample>) {
        if samples.is_empty() {
            return;
        }
        let trends = Arc::make_mut(&mut self.trends);
        samples.iter().for_each(|sample| trends.note(sample, COURSES));
        if let Some(history) = &self.history {
            history.note(samples);
        }
    }

    /// Takes in which moment somebody wants to see; none is now.
    pub(super) fn show(&mut self, at: Option<Timestamp>) {
        self.wanted = at;
        self.trouble = None;
        if at.is_none() {
            self.shown = None;
        } else if self.history.is_none() {
            self.trouble = Some("nothing is kept of the past: `history.keep` is off".into());
            self.wanted = None;
        }
    }

    /// The moment that is to be put together next, if one is and none is being.
    pub(super) fn next(&mut self, scopes: Vec<Scope>, tiers: &[Tier]) -> Option<LookBack> {
        let at = self.wanted.filter(|at| self.shown.as_ref().is_none_or(|(shown, ..)| shown != at))?;
        if self.is_busy {
            return None;
        }
        let history = Arc::clone(self.history.as_ref()?);
        self.is_busy = true;
        Some(LookBack { history, chronicle: self.chronicle.clone(), at, scopes, tiers: tiers.to_vec() })
    }

    /// Takes in a moment that was put together. One that nobody wants any more still shows where the way goes,
    /// unless that is back to now.
    pub(super) fn arrived(&mut self, past: Past) {
        self.is_busy = false;
        if self.wanted.is_none() {
            return;
        }
        match past.found {
            Ok((snapshot, fleet)) => self.shown = Some((past.at, snapshot, fleet)),
            Err(why) => {
                self.trouble = Some(why);
                self.wanted = self.shown.as_ref().map(|(at, ..)| *at);
            }
        }
    }

    /// What is shown instead of what is.
    pub(super) fn shown(&self) -> Option<(Arc<Snapshot>, Arc<Fleet>)> {
        self.shown.as_ref().map(|(_, snapshot, fleet)| (Arc::clone(snapshot), Arc::clone(fleet)))
    }

    pub(super) fn timeline(&self) -> Timeline {
        let history = self.history.as_ref();
        Timeline {
            trends: Arc::clone(&self.trends),
            since: history.and_then(|history| history.since()),
            past: self.shown.as_ref().map(|(at, ..)| *at),
            trouble: self.trouble.clone().or_else(|| history.and_then(|history| history.trouble())),
        }
    }
}
