//! What to read now, and when to look again: pure, from what was read, how it went and who looks.
//!
//! ```text
//!            ask()                     done(ok)
//!   idle ───────────→ running ───────────────────→ idle, due again after its cadence
//!    ↑                  │  ↑ asked once more          (ten times that when nobody looks)
//!    │     done(failed) │  └─ `again`: runs once more, however often it was asked
//!    └──────────────────┘
//!      due again after a back-off that doubles
//! ```
//!
//! A list of many thousand rows is read less often than a short one, though somebody looks (`config::at_ease`): to read
//! it takes seconds of a processor, whether anything in it is new or not. Not so where the configuration names its
//! cadence, nor while an operation is under way; and whoever asks by hand is answered at once.

use crate::config::at_ease;
use crate::gateway::{Source, Urgency};
use crate::model::TroubleKind;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// A source that nobody looks at is read this many times less often.
const SWEEP_FACTOR: u32 = 10;
/// And never more often than this.
const SWEEP_FLOOR: Duration = Duration::from_secs(300);
/// The longest back-off after failures.
const BACK_OFF_CEILING: Duration = Duration::from_secs(600);
/// How soon to try again when only a login is missing: looking costs nothing until it is renewed.
const LOGIN_RETRY: Duration = Duration::from_secs(15);

/// How one source of one scope stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Slot {
    /// A read is under way.
    pub is_running: bool,
    /// It was asked for again meanwhile, so urgently.
    pub again: Option<Urgency>,
    /// Somebody asked by hand, and it has not begun yet.
    pub wanted: Option<Urgency>,
    /// When the last read ended.
    pub ended_at: Option<Instant>,
    /// Failures since the last success.
    pub failures: u32,
    /// What the last failure was.
    pub failed_by: Option<TroubleKind>,
    /// It failed only because something that it needs could not be read.
    pub is_blocked: bool,
}

impl Slot {
    /// Tells whether it has been read or tried at least once.
    pub fn is_tried(&self) -> bool {
        self.ended_at.is_some()
    }

    /// Notes that a read begins.
    pub fn begin(&mut self) {
        self.is_running = true;
        self.wanted = None;
        self.again = None;
        self.is_blocked = false;
    }

    /// Notes how a read ended; a failure is told by its kind.
    pub fn end(&mut self, at: Instant, failure: Option<TroubleKind>) {
        self.is_running = false;
        self.ended_at = Some(at);
        self.failed_by = failure;
        self.failures = if failure.is_some() { self.failures.saturating_add(1) } else { 0 };
        self.wanted = self.again.take();
    }

    /// Asks for a read now; while one runs, exactly one more will follow it.
    pub fn want(&mut self, urgency: Urgency) {
        let asked = if self.is_running { &mut self.again } else { &mut self.wanted };
        *asked = Some(asked.map_or(urgency, |before| before.max(urgency)));
    }
}

/// Everything that decides when a source is due.
#[derive(Clone, Debug)]
pub struct Rhythm {
    cadence: BTreeMap<Source, Duration>,
    /// Sources that are read at their cadence however long they are.
    insisted: BTreeSet<Source>,
    /// How many rows each list had when it was last read, in all places.
    rows: BTreeMap<Source, usize>,
    /// Sources on the screen.
    pub looked_at: Vec<Source>,
    /// Something is being done to the fleet: nobody waits a minute to see what comes of it.
    pub is_acting: bool,
    /// Nobody looks at all: nothing is read unasked.
    pub is_idle: bool,
}

impl Rhythm {
    /// A rhythm from the configured cadences; a source without one is read as rarely as a sweep.
    pub fn new(cadence: &[(Source, Duration)], insisted: &BTreeSet<Source>) -> Self {
        Self {
            cadence: cadence.iter().copied().collect(),
            insisted: insisted.clone(),
            rows: BTreeMap::new(),
            looked_at: Vec::new(),
            is_acting: false,
            is_idle: false,
        }
    }

    /// Notes how many rows a list has, in all places.
    pub fn measured(&mut self, source: Source, rows: usize) {
        self.rows.insert(source, rows);
    }

    /// How often a source is read as things are.
    pub fn every(&self, source: Source) -> Duration {
        let cadence = self.cadence.get(&source).copied().unwrap_or(SWEEP_FLOOR);
        let cadence = if self.is_acting || self.insisted.contains(&source) {
            cadence
        } else {
            at_ease(source, cadence, self.rows.get(&source).copied().unwrap_or_default())
        };
        // Nobody looks at prices as such, and their course would have holes.
        if self.looked_at.contains(&source) || source == Source::Prices {
            cadence
        } else {
            self.sweep(source)
        }
    }

    /// How often a source is read that nobody looks at.
    fn sweep(&self, source: Source) -> Duration {
        let cadence = self.cadence.get(&source).copied().unwrap_or(SWEEP_FLOOR);
        cadence.saturating_mul(SWEEP_FACTOR).max(SWEEP_FLOOR)
    }

    /// The pause before the next read of a slot that has ended.
    fn pause(&self, source: Source, slot: &Slot) -> Duration {
        match slot.failed_by {
            None => self.every(source),
            Some(TroubleKind::Expired | TroubleKind::NoCredentials) => LOGIN_RETRY,
            Some(_) => {
                let doubled = self
                    .cadence
                    .get(&source)
                    .copied()
                    .unwrap_or(SWEEP_FLOOR)
                    .saturating_mul(2_u32.saturating_pow(slot.failures.min(16)));
                doubled.min(BACK_OFF_CEILING).max(self.every(source).min(BACK_OFF_CEILING))
            }
        }
    }

    /// How urgent a read is that nobody asked for by hand.
    pub fn urgency(&self, source: Source) -> Urgency {
        if self.looked_at.contains(&source) { Urgency::Screen } else { Urgency::Sweep }
    }
}

/// What `due` says of one slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Due {
    /// Read it now.
    Now(Urgency),
    /// Look again then.
    At(Instant),
    /// Nothing will make it due but an event.
    Never,
}

/// Decides about one source. Whether its needs have been met is the caller's question.
pub fn due(source: Source, slot: &Slot, rhythm: &Rhythm, now: Instant) -> Due {
    if slot.is_running {
        return Due::Never;
    }
    if let Some(urgency) = slot.wanted {
        return Due::Now(urgency);
    }
    let Some(ended_at) = slot.ended_at else { return Due::Now(rhythm.urgency(source)) };
    if rhythm.is_idle {
        return Due::Never;
    }
    let at = ended_at + rhythm.pause(source, slot);
    if at <= now { Due::Now(rhythm.urgency(source)) } else { Due::At(at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rhythm() -> Rhythm {
        let mut rhythm = Rhythm::new(&[(Source::Instances, Duration::from_secs(15))], &BTreeSet::new());
        rhythm.looked_at = vec![Source::Instances];
        rhythm
    }

    #[test]
    fn what_is_looked_at_is_read_at_its_cadence_and_the_rest_rarely() {
        let start = crate::clock::monotonic();
        let mut slot = Slot::default();
        let mut rhythm = rhythm();
        assert_eq!(due(Source::Instances, &slot, &rhythm, start), Due::Now(Urgency::Screen));
        slot.begin();
        assert_eq!(due(Source::Instances, &slot, &rhythm, start), Due::Never);
        slot.end(start, None);
        assert_eq!(due(Source::Instances, &slot, &rhythm, start), Due::At(start + Duration::from_secs(15)));
        rhythm.looked_at.clear();
        assert_eq!(due(Source::Instances, &slot, &rhythm, start), Due::At(start + SWEEP_FLOOR));
        rhythm.is_idle = true;
        assert_eq!(due(Source::Instances, &slot, &rhythm, start), Due::Never);
    }

    #[test]
    fn a_long_list_is_read_less_often_unless_somebody_waits_for_it() {
        let start = crate::clock::monotonic();
        let mut slot = Slot::default();
        slot.end(start, None);
        let mut rhythm = rhythm();
        let at = |rhythm: &Rhythm, slot: &Slot| match due(Source::Instances, slot, rhythm, start) {
            Due::At(at) => (at - start).as_secs(),
            Due::Now(Urgency::User) => 0,
            other => panic!("{other:?}"),
        };
        rhythm.measured(Source::Instances, 1_040);
        assert_eq!(at(&rhythm, &slot), 15);
        rhythm.measured(Source::Instances, 100_000);
        assert_eq!(at(&rhythm, &slot), 60);
        rhythm.is_acting = true;
        assert_eq!(at(&rhythm, &slot), 15, "an operation is under way");
        rhythm.is_acting = false;
        rhythm.looked_at.clear();
        assert_eq!(at(&rhythm, &slot), SWEEP_FLOOR.as_secs(), "nobody looks, as before");
        slot.want(Urgency::User);
        assert_eq!(at(&rhythm, &slot), 0, "somebody asks");
        let cadence = [(Source::Instances, Duration::from_secs(20))];
        let mut rhythm = Rhythm::new(&cadence, &[Source::Instances].into());
        rhythm.looked_at = vec![Source::Instances];
        rhythm.measured(Source::Instances, 100_000);
        slot.wanted = None;
        assert_eq!(at(&rhythm, &slot), 20, "the configuration names it");
    }

    #[test]
    fn failures_back_off_and_a_missing_login_is_looked_for_soon() {
        let start = crate::clock::monotonic();
        let mut slot = Slot::default();
        for _ in 0..40 {
            slot.end(start, Some(TroubleKind::Server));
        }
        assert_eq!(due(Source::Instances, &slot, &rhythm(), start), Due::At(start + BACK_OFF_CEILING));
        slot.end(start, Some(TroubleKind::Expired));
        assert_eq!(due(Source::Instances, &slot, &rhythm(), start), Due::At(start + LOGIN_RETRY));
        slot.want(Urgency::User);
        assert_eq!(due(Source::Instances, &slot, &rhythm(), start), Due::Now(Urgency::User));
    }

    #[test]
    fn asking_while_it_runs_gives_exactly_one_more_read() {
        let start = crate::clock::monotonic();
        let mut slot = Slot::default();
        slot.begin();
        slot.want(Urgency::User);
        slot.want(Urgency::User);
        slot.end(start, None);
        assert_eq!(due(Source::Instances, &slot, &rhythm(), start), Due::Now(Urgency::User));
        slot.begin();
        slot.end(start, None);
        assert!(matches!(due(Source::Instances, &slot, &rhythm(), start), Due::At(_)));
    }
}
