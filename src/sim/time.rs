//! The pretend world's time: moments, and a clock that runs, races or stands still.

use crate::clock::{Clock, monotonic};
use jiff::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// A moment of the pretend world, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Moment(pub(crate) i64);

impl Moment {
    /// So many seconds later.
    pub(crate) fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// So many seconds earlier.
    pub(crate) fn minus(self, seconds: i64) -> Self {
        self.plus(-seconds)
    }

    /// Seconds from `earlier` to here; negative when it is later.
    pub(crate) fn since(self, earlier: Self) -> i64 {
        (self.0 - earlier.0).div_euclid(1000)
    }

    /// Seconds since 1970, with milliseconds behind the point.
    pub(crate) fn epoch(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// `2026-11-21T20:41:07.123Z`, as AWS writes times in XML.
    pub(crate) fn rfc3339(self) -> String {
        let at = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        format!("{at:.3}")
    }

    /// `2026-11-21 20:41:07 GMT`, as EC2 writes times into sentences.
    pub(crate) fn gmt(self) -> String {
        let at = Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        at.strftime("%Y-%m-%d %H:%M:%S GMT").to_string()
    }

    /// Reads RFC 3339 text or a number of seconds.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(Self(at.as_millisecond()));
        }
        text.parse::<f64>().ok().map(|seconds| Self((seconds * 1000.0) as i64))
    }
}

/// Tells the pretend world's time: the real one at the start, then as fast as it was told to run.
#[derive(Debug)]
pub(crate) struct WorldClock {
    start: Moment,
    begun: Instant,
    speed: f64,
    stepped: AtomicI64,
}

impl WorldClock {
    /// A clock that starts at `clock`'s time and runs `speed` seconds a second; 0 stands still
    /// until it is stepped.
    pub(crate) fn new(clock: Clock, speed: f64) -> Self {
        let start = Moment(clock.now().as_millisecond());
        Self { start, begun: monotonic(), speed, stepped: AtomicI64::new(0) }
    }

    /// Pretended seconds that pass in a second.
    pub(crate) fn speed(&self) -> f64 {
        self.speed
    }

    /// The moment it started.
    pub(crate) fn start(&self) -> Moment {
        self.start
    }

    /// The real time since it started.
    pub(crate) fn ran(&self) -> Duration {
        monotonic().duration_since(self.begun)
    }

    /// The moment it is.
    pub(crate) fn now(&self) -> Moment {
        let ran = self.ran().as_secs_f64() * self.speed;
        let stepped = self.stepped.load(Ordering::Relaxed);
        Moment(self.start.0 + (ran * 1000.0) as i64 + stepped)
    }

    /// Moves it forward.
    pub(crate) fn step(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4);
        self.stepped.fetch_add(by, Ordering::Relaxed);
    }
}
