//! The only place that reads time, so that tests can hold it still.

use futures::future::BoxFuture;
use jiff::Timestamp;
use std::sync::Arc;
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

/// The time in which requests wait for their turn. A pretended AWS whose time is pretended too brings its own.
pub trait Pacer: std::fmt::Debug + Send + Sync {
    /// A reading that never goes back.
    fn now(&self) -> Instant;

    /// Waits until a reading.
    fn until(&self, at: Instant) -> BoxFuture<'_, ()>;
}

/// Who tells when a request may leave.
#[derive(Clone, Debug, Default)]
pub enum Pace {
    /// The machine.
    #[default]
    Real,
    /// Somebody else.
    Told(Arc<dyn Pacer>),
}

impl Pace {
    /// A reading that never goes back.
    pub fn now(&self) -> Instant {
        match self {
            Self::Real => monotonic(),
            Self::Told(pacer) => pacer.now(),
        }
    }

    /// Waits until a reading.
    pub async fn until(&self, at: Instant) {
        match self {
            Self::Real => tokio::time::sleep_until(at.into()).await,
            Self::Told(pacer) => pacer.until(at).await,
        }
    }
}
