//! What a history holds: how large it is, how far back it goes, and of which lists.

use super::frames::moment;
use super::prune::{cut_all, size};
use super::tables::{self, Closed};
use super::{Limits, prune};
use crate::error::Error;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};

/// What a history holds, of all views.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryFacts {
    /// The file.
    pub file: PathBuf,
    /// The bytes that it takes.
    pub bytes: u64,
    /// The first moment of anything.
    pub since: Option<Timestamp>,
    /// The last moment of anything.
    pub until: Option<Timestamp>,
    /// The lists of the view that was asked for.
    pub lists: Vec<ListFacts>,
    /// How many figures of that view have a course.
    pub courses: u64,
    /// How many of them there are of each measure, and from when to when they go.
    pub measures: Vec<MeasureFacts>,
    /// How many other views are kept: other fleets, logins or endpoints.
    pub other_views: u64,
}

/// What is kept of one measure.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureFacts {
    /// The measure's word.
    pub measure: String,
    /// How many figures there are of it.
    pub courses: u64,
    /// How many spans of time in which one held a value.
    pub spans: u64,
    /// When the first was read.
    pub since: Timestamp,
    /// When the last was read.
    pub until: Timestamp,
}

/// What is kept of one list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListFacts {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// What it lists.
    pub source: String,
    /// How often it changed, its first reading included.
    pub frames: u64,
    /// The bytes of all that.
    pub bytes: u64,
    /// Its rows at last.
    pub rows: u64,
    /// When it was first read.
    pub since: Timestamp,
    /// When it was last read.
    pub until: Timestamp,
}

/// How long after the first list others may come that belong to the same first reading.
pub(super) const ROUND: SignedDuration = SignedDuration::from_mins(2);

/// The first moment that a view can show: when what was read first was there, and not one list of it alone, before
/// which nearly everything is unknown.
pub(super) fn since(db: &Connection, view: &str) -> rusqlite::Result<Option<Timestamp>> {
    let query =
        "with begun as (select min(at_us) as first from frame join section on section.id = frame.section
                     where view = ?1 group by section.id)
                 select max(first) from begun where first <= (select min(first) from begun) + ?2";
    let round = i64::try_from(ROUND.as_micros()).unwrap_or(i64::MAX);
    let found: Option<Option<i64>> =
        db.query_row(query, params![view, round], |row| row.get(0)).optional()?;
    Ok(found.flatten().map(moment))
}

/// Opens what is there.
pub(super) fn existing(file: &Path) -> Result<Option<Connection>, Error> {
    tables::existing(file).map_err(|why| {
        let error = Error::failed(format!("the history {} cannot be opened: {why}", file.display()));
        match why {
            Closed::Newer => error.hint("look with that version"),
            Closed::Database(why) if tables::is_damage(&why) => {
                error.hint("the next run of the screen sets it aside and begins a new one")
            }
            _ => error.hint("another run may be busy with it: try again"),
        }
    })
}

/// The error for a look back where nothing is kept.
pub(super) fn none_kept(file: &Path) -> Error {
    Error::failed(format!("nothing is kept yet: there is no {}", file.display()))
        .hint("the screen, and `coredeck get … --watch`, keep what they read; `[history]` says how much")
}

pub(super) fn unreadable(file: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::failed(format!("the history {} cannot be read: {why}", file.display()))
}

/// Tells what a history holds; none where there is none.
///
/// # Errors
///
/// The file cannot be read.
pub fn history_facts(file: &Path, view: &str) -> Result<Option<HistoryFacts>, Error> {
    let Some(db) = existing(file)? else { return Ok(None) };
    facts(&db, file, view).map(Some).map_err(|why| unreadable(file, &why))
}

fn facts(db: &Connection, file: &Path, view: &str) -> rusqlite::Result<HistoryFacts> {
    let mut query = db.prepare(
        "select account, region, source, count(*), sum(length(body)), min(at_us), max(until_us),
            (select rows from frame as newest where newest.section = section.id order by at_us desc limit 1)
         from frame join section on section.id = frame.section where view = ?1
         group by section.id order by account, region, source",
    )?;
    let lists = query.query_map([view], |row| {
        Ok(ListFacts {
            account: row.get(0)?,
            region: row.get(1)?,
            source: row.get(2)?,
            frames: row.get::<_, i64>(3)?.unsigned_abs(),
            bytes: row.get::<_, i64>(4)?.unsigned_abs(),
            since: moment(row.get(5)?),
            until: moment(row.get(6)?),
            rows: row.get::<_, i64>(7)?.unsigned_abs(),
        })
    })?;
    let lists = lists.collect::<rusqlite::Result<_>>()?;
    let mut query = db.prepare(
        "select measure, count(distinct course.id), count(*), min(from_us), max(until_us)
         from held join course on course.id = held.course where view = ?1 group by measure order by measure",
    )?;
    let measures = query.query_map([view], |row| {
        Ok(MeasureFacts {
            measure: row.get(0)?,
            courses: row.get::<_, i64>(1)?.unsigned_abs(),
            spans: row.get::<_, i64>(2)?.unsigned_abs(),
            since: moment(row.get(3)?),
            until: moment(row.get(4)?),
        })
    })?;
    let measures = measures.collect::<rusqlite::Result<_>>()?;
    let span = "select min(at), max(until) from (
                    select min(at_us) as at, max(until_us) as until from frame
                    union all select min(from_us), max(until_us) from held)";
    let (since, until): (Option<i64>, Option<i64>) =
        db.query_row(span, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let count = |query: &str| db.query_row(query, [view], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    let courses = count("select count(*) from course where view = ?1")?;
    let others =
        "select count(*) from (select view from section union select view from course) where view <> ?1";
    Ok(HistoryFacts {
        file: file.to_owned(),
        bytes: size(db)?,
        since: since.map(moment),
        until: until.map(moment),
        lists,
        courses,
        measures,
        other_views: count(others)?,
    })
}

/// Removes everything before a moment, of all views; returns the bytes before and after. None where there is
/// no history.
///
/// # Errors
///
/// The file cannot be written.
pub fn cut_history(file: &Path, before: Timestamp) -> Result<Option<(u64, u64)>, Error> {
    let Some(mut db) = existing(file)? else { return Ok(None) };
    let failed = |why: &dyn std::fmt::Display| unreadable(file, why);
    let had = size(&db).map_err(|why| failed(&why))?;
    cut_all(&mut db, before).map_err(|why| failed(&why))?;
    let all = Limits { keep: std::time::Duration::MAX, bytes: u64::MAX };
    prune::prune(&mut db, all, before).map_err(|why| failed(&why))?;
    let has = size(&db).map_err(|why| failed(&why))?;
    Ok(Some((had, has)))
}
