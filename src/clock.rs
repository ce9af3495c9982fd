//! The only place that reads time, so that tests can hold it still.

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

/// Tells the time: the real one, or one that a test holds still.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    Real,
    /// Always this moment.
    Fixed(Timestamp),
    /// The moment that a test has led it to, in milliseconds of Unix time.
    Led(&'static AtomicI64),
}

impl Clock {
    /// The moment it is.
    pub fn now(self) -> Timestamp {
        match self {
            Self::Real => Timestamp::now(),
            Self::Fixed(at) => at,
            Self::Led(at) => Timestamp::from_millisecond(at.load(Ordering::SeqCst)).unwrap_or(Timestamp::MAX),
        }
    }
}

/// A monotonic reading, for spans that must not jump when the wall clock is set.
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Time that is waited for: the machine's own, or one that a test moves along.
pub trait Pace: Send + Sync + fmt::Debug {
    /// A reading that never goes back.
    fn now(&self) -> Instant;

    /// Waits until then.
    fn until(&self, at: Instant) -> BoxFuture<'_, ()>;

    /// Something is under way that takes time of the machine's own.
    fn begun(&self) {}

    /// It is over.
    fn ended(&self) {}
}

/// The machine's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steady;

impl Pace for Steady {
    fn now(&self) -> Instant {
        monotonic()
    }

    fn until(&self, at: Instant) -> BoxFuture<'_, ()> {
        tokio::time::sleep_until(at.into()).boxed()
    }
}
