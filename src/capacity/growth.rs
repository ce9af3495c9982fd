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
        /// The earliest and the latest of it, as far as its pace varied from part to part of what was watched: two
        /// standard errors each way. The latest is none where it may never be full; both are where too little varied.
        range: Option<(Timestamp, Option<Timestamp>)>,
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
    let on = |pace: f64| {
        let days = left.filter(|_| pace > 0.0).map(|left| left.max(0) as f64 / pace);
        days.filter(|days| *days <= FARTHEST_DAYS).and_then(|days| {
            let span = SignedDuration::try_from_secs_f64(days * 86_400.0).ok()?;
            now.checked_add(span).ok()
        })
    };
    let full_at = on(per_day);
    let range = full_at.and_then(|_| {
        let error = error(course, first.from, until)?;
        Some((on(per_day + 2.0 * error)?, on(per_day - 2.0 * error)))
    });
    Growth::Moves { per_day, over, full_at, range }
}

/// Parts that what was watched is cut into, to see how its pace varies.
const PARTS: u32 = 6;

/// The standard error of the pace, in units a day; none where the figure is not known at the ends of most parts.
fn error(course: &Trend, from: Timestamp, until: Timestamp) -> Option<f64> {
    let at = |moment: Timestamp| {
        let before = course.spans().iter().rev().find(|span| span.from <= moment);
        before.map(|span| span.value)
    };
    let part = until.duration_since(from) / i32::try_from(PARTS).ok()?;
    let days = part.as_secs_f64() / 86_400.0;
    let paces: Vec<f64> = (0..PARTS)
        .filter_map(|nth| {
            let start = from.checked_add(part * i32::try_from(nth).ok()?).ok()?;
            Some((at(start.checked_add(part).ok()?)? - at(start)?) / days)
        })
        .collect();
    let count = paces.len() as f64;
    if paces.len() < 3 {
        return None;
    }
    let mean = paces.iter().sum::<f64>() / count;
    let variance = paces.iter().map(|pace| (pace - mean).powi(2)).sum::<f64>() / (count - 1.0);
    Some((variance / count).sqrt())
}
