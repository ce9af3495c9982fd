//! The only place that reads time, so that tests can hold it still.

use jiff::Timestamp;
use std::time::Instant;

/// Tells the time: the real one, or one that a test holds still.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    Real,
    /// Always this moment.
    Fixed(Timestamp),
}

impl Clock {
    /// The moment it is.
    pub fn now(self) -> Timestamp {
        match self {
            Self::Real => Timestamp::now(),
            Self::Fixed(at) => at,
        }
    }
}

/// A monotonic reading, for spans that must not jump when the wall clock is set.
pub fn monotonic() -> Instant {
    Instant::now()
}
