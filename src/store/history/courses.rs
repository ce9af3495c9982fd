//! The figures over time: spans in which each held a value.

use super::frames::moment;
use crate::gateway::Reading;
use crate::model::{Gauge, Gauges, InstanceId, Metrics, Point, Scope};
use crate::snapshot::{Held, Measure, Sample, Subject, Trend, Trends};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, HashMap};

/// That a figure is still the same is written at most this often; less than what a figure is taken to hold for,
/// so that nothing is missing after a run that was killed.
const CONFIRM_PAUSE: SignedDuration = SignedDuration::from_mins(5);
/// How far back metrics are shown at a moment of the past, like those that are read.
const WINDOW: SignedDuration = SignedDuration::from_hours(3);

struct Known {
    course: i64,
    held: Held,
    /// As far as it is written.
    written: Timestamp,
}

/// Writes the figures of one view.
#[derive(Default)]
pub(super) struct Courses {
    known: HashMap<(Subject, Measure), Known>,
}

impl Courses {
    /// Keeps figures. One that is not newer than the last of its course is passed over.
    pub(super) fn note(
        &mut self,
        db: &mut Connection,
        view: &str,
        samples: &[Sample],
    ) -> rusqlite::Result<()> {
        let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let noted = samples.iter().try_for_each(|sample| self.one(&change, view, sample));
        match noted {
            Ok(()) => change.commit(),
            Err(wrong) => {
                self.known.clear();
                Err(wrong)
            }
        }
    }

    fn one(&mut self, db: &Connection, view: &str, sample: &Sample) -> rusqlite::Result<()> {
        let key = (sample.subject.clone(), sample.measure);
        let known = match self.known.get_mut(&key) {
            Some(known) => known,
            None => {
                let found = find(db, view, sample)?;
                self.known.entry(key).or_insert(found)
            }
        };
        // SQLite has no number that is none.
        if sample.at <= known.held.until || !sample.value.is_finite() {
            return Ok(());
        }
        if known.held.goes_on(sample.at, sample.value) {
            if sample.at.duration_since(known.written) >= CONFIRM_PAUSE {
                write(db, known)?;
            }
            return Ok(());
        }
        if known.held.until > known.written {
            write(db, known)?;
        }
        known.held = Held { from: sample.at, until: sample.at, value: sample.value };
        write(db, known)
    }

    /// Writes how long each figure has held its value.
    pub(super) fn close(&mut self, db: &Connection) -> rusqlite::Result<()> {
        for known in self.known.values_mut().filter(|known| known.held.until > known.written) {
            write(db, known)?;
        }
        self.known.clear();
        Ok(())
    }

    /// Forgets what is remembered: the courses were changed by others.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}

fn write(db: &Connection, known: &mut Known) -> rusqlite::Result<()> {
    let Known { course, held, written } = known;
    db.prepare_cached(
        "insert or replace into held (course, from_us, until_us, value) values (?1, ?2, ?3, ?4)",
    )?
    .execute(params![*course, held.from.as_microsecond(), held.until.as_microsecond(), held.value])?;
    *written = held.until;
    Ok(())
}

/// A figure's course as it is written; begun when there is none.
fn find(db: &Connection, view: &str, sample: &Sample) -> rusqlite::Result<Known> {
    let subject = serde_json::to_string(&sample.subject).unwrap_or_default();
    let names = params![view, subject, sample.measure.word()];
    db.prepare_cached("insert or ignore into course (view, subject, measure) values (?1, ?2, ?3)")?
        .execute(names)?;
    let course: i64 = db
        .prepare_cached("select id from course where view = ?1 and subject = ?2 and measure = ?3")?
        .query_row(names, |row| row.get(0))?;
    let last = db
        .prepare_cached(
            "select from_us, until_us, value from held where course = ?1 order by from_us desc limit 1",
        )?
        .query_row([course], held)
        .optional()?;
    // A course of which nothing is written yet: whatever comes is newer.
    let held = last.unwrap_or(Held { from: Timestamp::MIN, until: Timestamp::MIN, value: f64::NAN });
    Ok(Known { course, held, written: held.until })
}

fn held(row: &rusqlite::Row<'_>) -> rusqlite::Result<Held> {
    Ok(Held { from: moment(row.get(0)?), until: moment(row.get(1)?), value: row.get(2)? })
}

/// Every course of a view from a moment to another, the most recently read first; at most so many.
pub(super) fn trends(
    db: &Connection,
    view: &str,
    (from, to): (Timestamp, Timestamp),
    most: usize,
) -> rusqlite::Result<Trends> {
    let mut query = db.prepare(
        "select course.subject, course.measure, held.from_us, held.until_us, held.value
         from held join course on course.id = held.course
         where course.view = ?1 and held.until_us >= ?2 and held.from_us <= ?3
         order by course.id, held.from_us",
    )?;
    let span = params![view, from.as_microsecond(), to.as_microsecond()];
    let rows = query.query_map(span, |row| {
        let names: (String, String) = (row.get(0)?, row.get(1)?);
        Ok((names, Held { from: moment(row.get(2)?), until: moment(row.get(3)?), value: row.get(4)? }))
    })?;
    let mut spans: BTreeMap<(String, String), Vec<Held>> = BTreeMap::new();
    for row in rows {
        let (names, held) = row?;
        spans.entry(names).or_default().push(Held { until: held.until.min(to), ..held });
    }
    let mut courses: Vec<_> = spans.into_iter().collect();
    courses.sort_by_key(|(_, spans)| std::cmp::Reverse(spans.last().map(|held| held.until)));
    let mut trends = Trends::default();
    for ((subject, measure), spans) in courses.into_iter().take(most) {
        let measure = serde_json::from_value(serde_json::Value::String(measure)).ok();
        // What a newer version measures means nothing to this one.
        if let (Ok(subject), Some(measure)) = (serde_json::from_str::<Subject>(&subject), measure) {
            trends.put(subject, measure, Trend::of(spans));
        }
    }
    Ok(trends)
}

/// The metrics of every instance of which some were read lately at that moment, by place.
pub(super) fn metrics(
    db: &Connection,
    view: &str,
    at: Timestamp,
) -> rusqlite::Result<BTreeMap<Scope, (Reading, Timestamp)>> {
    let from = at.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
    let trends = trends(db, view, (from, at), usize::MAX)?;
    let mut found: BTreeMap<Scope, BTreeMap<&InstanceId, Metrics>> = BTreeMap::new();
    let mut newest: BTreeMap<Scope, Timestamp> = BTreeMap::new();
    for (subject, measure, trend) in trends.iter() {
        let Subject::Instance(scope, id) = subject else { continue };
        let empty = || Metrics { id: id.clone(), asked: Gauges::NONE, ..Metrics::default() };
        let metrics = found.entry(scope.clone()).or_default().entry(id).or_insert_with(empty);
        let Some(gauge) = Gauge::named(measure.word()) else { continue };
        metrics.asked = metrics.asked.each().chain([gauge]).collect();
        let series = metrics.series_mut(gauge);
        for held in trend.spans().iter().filter(|held| held.from >= from) {
            series.push(Point { at: held.from, value: held.value });
            if held.until > held.from {
                series.push(Point { at: held.until, value: held.value });
            }
            let newest = newest.entry(scope.clone()).or_insert(held.until);
            *newest = held.until.max(*newest);
        }
    }
    let reading = |scope: Scope, metrics: BTreeMap<&InstanceId, Metrics>| {
        let as_of = newest.get(&scope).copied()?;
        Some((scope, (Reading::Metrics(metrics.into_values().collect()), as_of)))
    };
    Ok(found.into_iter().filter_map(|(scope, metrics)| reading(scope, metrics)).collect())
}
