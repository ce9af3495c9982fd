//! How a figure went, out of what was kept: a small chart, and the same in words.

use super::chart::chart;
use crate::snapshot::{Measure, Subject, Trend};
use crate::tui::cell;
use crate::tui::state::Ui;
use jiff::{SignedDuration, Timestamp};

/// What was read for less than this has no course yet.
const LEAST: SignedDuration = SignedDuration::from_mins(5);
/// The spans that are drawn: the shortest that holds all that is known, or else the longest.
const SPANS: [SignedDuration; 3] =
    [SignedDuration::from_hours(1), SignedDuration::from_hours(6), SignedDuration::from_hours(24)];

/// A course, drawn.
pub(crate) struct Course {
    /// The chart, the highest line first.
    pub(crate) lines: Vec<String>,
    /// The latest figure, and between which it was.
    pub(crate) says: String,
    /// How long ago the chart begins.
    pub(crate) span: String,
    /// Whether it was ever another.
    pub(crate) has_changed: bool,
}

/// How a chart is drawn.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) columns: usize,
    pub(crate) lines: usize,
    /// The highest that the figure can be; else the highest that it was.
    pub(crate) most: Option<f64>,
}

/// The course of a figure up to the moment that shows; none where it was not read for long enough. `show` writes
/// a figure.
pub(crate) fn course(
    ui: &Ui,
    subject: &Subject,
    measure: Measure,
    frame: Frame,
    show: impl Fn(f64) -> String,
) -> Option<Course> {
    let trend = ui.world.timeline.trends.get(subject, measure)?;
    let span = span(trend, ui.now)?;
    let columns = frame.columns.max(1);
    let steps = steps(trend, ui.now, span, columns);
    let known = || steps.iter().copied().flatten();
    let (least, highest) = (known().reduce(f64::min)?, known().reduce(f64::max)?);
    let last = trend.at(ui.now);
    let values: Vec<f64> = steps.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    let lines = chart(&values, frame.most.unwrap_or(highest), columns, frame.lines, ui.signs());
    // What was not read lately is not known, however it went before.
    let now = last.map_or_else(|| "?".to_owned(), &show);
    let has_changed = least.to_bits() != highest.to_bits();
    let says = match has_changed {
        true => format!("now {now}, {} to {}", show(least), show(highest)),
        false => format!("now {now}, the same all along"),
    };
    let since = ui.now.checked_sub(span).unwrap_or(ui.now);
    Some(Course { lines, says, span: cell::age(since, ui.now), has_changed })
}

/// A price for an hour, as AWS writes spot prices.
pub(crate) fn dollars(amount: f64) -> String {
    format!("${amount:.4}")
}

/// The span to draw.
fn span(trend: &Trend, now: Timestamp) -> Option<SignedDuration> {
    let first = trend.spans().first()?.from;
    let until = trend.spans().iter().rev().find(|held| held.from <= now)?.until.min(now);
    if until.duration_since(first) < LEAST {
        return None;
    }
    let known = now.duration_since(first);
    SPANS.into_iter().find(|span| *span >= known).or_else(|| SPANS.last().copied())
}

/// The figure step by step. The steps stand on whole multiples of their length, so that a chart moves by a column
/// at a time and not with every second.
fn steps(trend: &Trend, now: Timestamp, span: SignedDuration, columns: usize) -> Vec<Option<f64>> {
    let columns = i64::try_from(columns).unwrap_or(i64::MAX);
    let each = (span.as_secs() / columns).max(1);
    let end = (now.as_second().div_euclid(each) + 1).saturating_mul(each);
    let at = |second| Timestamp::from_second(second).unwrap_or(now);
    let begin = end.saturating_sub(each.saturating_mul(columns));
    trend.steps(at(begin), at(end), usize::try_from(columns).unwrap_or(1))
}
