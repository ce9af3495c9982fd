//! How a figure grew as far as it was kept, and when it reaches its limit if it goes on like that.

use crate::snapshot::Trend;
use jiff::{SignedDuration, Timestamp};

/// A shorter past says nothing about growth: the day and the night differ.
const LEAST: SignedDuration = SignedDuration::from_hours(20);
/// A past that ended longer ago says nothing about today.
const LATEST: SignedDuration = SignedDuration::from_hours(6);
/// Nobody plans for later.
const FARTHEST_DAYS: f64 = 3650.0;

/// How it grows.
#[derive(Clone, Debug, PartialEq)]
pub enum Growth {
    /// It is not known, and why.
    Unknown(String),
    /// It is what it was so long ago.
    Steady {
        /// How long that was watched.
        over: SignedDuration,
    },
    /// It grew or shrank.
    Moves {
        /// By so many a day; negative where it shrank.
        per_day: f64,
        /// How long that was watched.
        over: SignedDuration,
        /// When there is no more room at that pace; none where it shrinks, nothing limits it, or it is ten years off.
        full_at: Option<Timestamp>,
    },
}

/// How a course goes on, with so much room left.
pub fn growth(course: Option<&Trend>, left: Option<i64>, now: Timestamp) -> Growth {
    let Some(course) = course else {
        return Growth::Unknown("no history of it is kept".to_owned());
    };
    let (Some(first), Some((until, last))) = (course.spans().first(), course.last()) else {
        return Growth::Unknown("no history of it is kept".to_owned());
    };
    let over = until.duration_since(first.from);
    if over < LEAST {
        let (hours, least) = (over.as_hours(), LEAST.as_hours());
        return Growth::Unknown(format!("only {hours} h of history, {least} are needed"));
    }
    if now.duration_since(until) > LATEST {
        return Growth::Unknown(format!("its history ends {} h ago", now.duration_since(until).as_hours()));
    }
    let per_day = (last - first.value) / (over.as_secs_f64() / 86_400.0);
    if per_day == 0.0 {
        return Growth::Steady { over };
    }
    let days = left.filter(|_| per_day > 0.0).map(|left| left.max(0) as f64 / per_day);
    let full_at = days.filter(|days| *days <= FARTHEST_DAYS).and_then(|days| {
        let span = SignedDuration::try_from_secs_f64(days * 86_400.0).ok()?;
        now.checked_add(span).ok()
    });
    Growth::Moves { per_day, over, full_at }
}
