//! The lists of a section over time, in frames: written when something changed, put together again for a moment.

use super::delta::{Delta, apply, write_all};
use super::row::{Again, Row, Rows, Typed, hash, is_ordered, typed};
use crate::gateway::{Reading, Source};
use crate::model::Scope;
use crate::store::body::is_same;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::any::Any;
use std::collections::HashMap;
use std::sync::Weak;

/// Readings of the same list that are no further apart than this make one span: what is read is swept every
/// few minutes, and every quarter of an hour at the least.
const GOES_ON: SignedDuration = SignedDuration::from_mins(20);
/// A list is shown for so long after it was last read, with its age; later it is not known any more.
pub(super) const HOLDS: SignedDuration = SignedDuration::from_hours(1);
/// A chain of changes is no longer than this, so that putting a list together stays quick.
const LONGEST_CHAIN: i64 = 200;
/// When more than half of so many rows changed at once, the list is one whose rows change by themselves:
const NOISY: usize = 16;
/// it is kept at most this often.
const NOISY_PAUSE: SignedDuration = SignedDuration::from_mins(15);
/// That the same was found again is written at most this often.
const CONFIRM_PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// What went wrong with the frames.
#[derive(Debug)]
pub(super) enum Wrong {
    /// SQLite says so.
    Database(rusqlite::Error),
    /// A frame's bytes make no sense.
    Bytes(std::io::Error),
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(why) => write!(f, "{why}"),
            Self::Bytes(why) => write!(f, "a part of it is damaged: {why}"),
        }
    }
}

impl From<rusqlite::Error> for Wrong {
    fn from(why: rusqlite::Error) -> Self {
        Self::Database(why)
    }
}

impl From<std::io::Error> for Wrong {
    fn from(why: std::io::Error) -> Self {
        Self::Bytes(why)
    }
}

/// A frame without its rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) id: i64,
    pub(super) at: Timestamp,
    pub(super) until: Timestamp,
    /// How many frames lie between it and the whole one before it; none for a whole one.
    pub(super) chain: i64,
}

pub(super) fn moment(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The last frame of a section at a moment, or of all.
pub(super) fn last(db: &Connection, section: i64, at: Timestamp) -> rusqlite::Result<Option<Frame>> {
    let query = "select id, at_us, until_us, chain from frame where section = ?1 and at_us <= ?2
                 order by at_us desc limit 1";
    let mut query = db.prepare_cached(query)?;
    let frame = |row: &rusqlite::Row<'_>| {
        Ok(Frame { id: row.get(0)?, at: moment(row.get(1)?), until: moment(row.get(2)?), chain: row.get(3)? })
    };
    query.query_row(params![section, at.as_microsecond()], frame).optional()
}

/// The rows that a section had at a frame; none in the place of one that cannot be read.
pub(super) fn rows<T: Row>(db: &Connection, section: i64, frame: Frame) -> Result<Vec<Option<T>>, Wrong> {
    list(db, section, frame, |line| serde_json::from_slice(line).ok())
}

/// The list that a section was at a frame, of whatever `read` makes of a row's JSON.
fn list<R: Default>(
    db: &Connection,
    section: i64,
    frame: Frame,
    mut read: impl FnMut(&[u8]) -> R,
) -> Result<Vec<R>, Wrong> {
    let mut query = db.prepare_cached(
        "select body from frame where section = ?1 and at_us <= ?2 and at_us >= (
            select max(at_us) from frame where section = ?1 and at_us <= ?2 and chain = 0
         ) order by at_us",
    )?;
    let mut bodies = query.query(params![section, frame.at.as_microsecond()])?;
    let mut rows = Vec::new();
    while let Some(row) = bodies.next()? {
        let body = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        rows = apply(body, rows, &mut read)?;
    }
    Ok(rows)
}

/// A section's list at a moment, as far as it is known.
pub(super) struct Then {
    pub(super) reading: Reading,
    pub(super) as_of: Timestamp,
    /// Rows that this version cannot read.
    pub(super) lost: usize,
}

/// Puts a section's list together as it was; none where nobody had read it lately enough.
pub(super) fn at(
    db: &Connection,
    section: i64,
    source: Source,
    at: Timestamp,
) -> Result<Option<Then>, Wrong> {
    struct Restore<'a>(&'a Connection, i64, Frame, bool);
    impl Typed for Restore<'_> {
        type Out = Result<Option<Again>, Wrong>;
        fn of<T: Row>(self, reading: fn(Vec<T>) -> Option<Reading>) -> Self::Out {
            let Self(db, section, frame, is_ordered) = self;
            let rows = rows::<T>(db, section, frame)?;
            let all = rows.len();
            let mut rows: Vec<T> = rows.into_iter().flatten().collect();
            let lost = all - rows.len();
            if !is_ordered {
                rows.sort_by(|a, b| a.id().cmp(b.id()));
            }
            Ok(reading(rows).map(|reading| Again { reading, lost }))
        }
    }
    let Some(frame) = last(db, section, at)? else { return Ok(None) };
    let as_of = frame.until.min(at);
    if at.duration_since(as_of) > HOLDS {
        return Ok(None);
    }
    let found = typed(source, Restore(db, section, frame, is_ordered(source))).transpose()?.flatten();
    Ok(found.map(|Again { reading, lost }| Then { reading, as_of, lost }))
}

/// Makes a frame a whole one, so that those before it can go.
pub(super) fn make_whole(db: &Connection, section: i64, source: Source, frame: Frame) -> Result<(), Wrong> {
    struct Whole<'a>(&'a Connection, i64, Frame);
    impl Typed for Whole<'_> {
        type Out = Result<(), Wrong>;
        fn of<T: Row>(self, _: fn(Vec<T>) -> Option<Reading>) -> Self::Out {
            let Self(db, section, frame) = self;
            let body = write_all(&rows::<T>(db, section, frame)?)?;
            db.execute("update frame set body = ?2, chain = 0 where id = ?1", params![frame.id, body])?;
            Ok(())
        }
    }
    if frame.chain == 0 { Ok(()) } else { typed(source, Whole(db, section, frame)).unwrap_or(Ok(())) }
}

/// What is remembered of a section between writes.
struct Known {
    frame: Frame,
    /// The list that was found last.
    value: Weak<dyn Any + Send + Sync>,
    /// The numbers of the rows of that frame.
    hashes: Vec<u64>,
    /// When the same was last found, though it may not be written yet.
    seen: Timestamp,
    /// Until then nothing of it is kept.
    quiet_until: Timestamp,
}

/// Writes the lists of one view.
#[derive(Default)]
pub(super) struct Frames {
    sections: HashMap<(Scope, Source), i64>,
    known: HashMap<i64, Known>,
}

impl Frames {
    /// Keeps a list that was read whole. Returns whether a frame was added.
    pub(super) fn keep(
        &mut self,
        db: &mut Connection,
        view: &str,
        (scope, source): (&Scope, Source),
        as_of: Timestamp,
        list: &Rows,
    ) -> Result<bool, Wrong> {
        if self.need_not_be_written((scope, source), as_of, list) {
            return Ok(false);
        }
        let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let section = self.section(&change, view, scope, source)?;
        let added = self.put(&change, section, source, as_of, list);
        match added {
            Ok(added) => {
                change.commit()?;
                Ok(added)
            }
            Err(wrong) => {
                self.known.remove(&section);
                Err(wrong)
            }
        }
    }

    /// Notes that the very same list was found again, so soon that this need not be written. What another run may have
    /// written meanwhile is looked at when it must be.
    fn need_not_be_written(&mut self, place: (&Scope, Source), as_of: Timestamp, list: &Rows) -> bool {
        let key = (place.0.clone(), place.1);
        let Some(known) = self.sections.get(&key).and_then(|section| self.known.get_mut(section)) else {
            return false;
        };
        let goes_on = as_of > known.seen && as_of.duration_since(known.seen) <= GOES_ON;
        let is_soon = as_of.duration_since(known.frame.until) < CONFIRM_PAUSE && as_of >= known.quiet_until;
        let needs_nothing = goes_on && is_soon && is_same(&known.value, &list.value);
        if needs_nothing {
            known.seen = as_of;
        }
        needs_nothing
    }

    fn section(
        &mut self,
        db: &Connection,
        view: &str,
        scope: &Scope,
        source: Source,
    ) -> rusqlite::Result<i64> {
        let key = (scope.clone(), source);
        if let Some(section) = self.sections.get(&key) {
            return Ok(*section);
        }
        let names = params![view, scope.account.as_str(), scope.region.as_str(), source.word()];
        db.execute(
            "insert or ignore into section (view, account, region, source) values (?1, ?2, ?3, ?4)",
            names,
        )?;
        let section = db.query_row(
            "select id from section where view = ?1 and account = ?2 and region = ?3 and source = ?4",
            names,
            |row| row.get(0),
        )?;
        self.sections.insert(key, section);
        Ok(section)
    }

    fn put(
        &mut self,
        db: &Transaction<'_>,
        section: i64,
        source: Source,
        as_of: Timestamp,
        list: &Rows,
    ) -> Result<bool, Wrong> {
        let Some(tail) = last(db, section, Timestamp::MAX)? else {
            let Some(hashes) = list.hashes() else { return Ok(false) };
            self.add(db, section, None, as_of, list, Delta::full(hashes))?;
            return Ok(true);
        };
        let before = match self.known.remove(&section) {
            // Another run may have written since.
            Some(known) if known.frame.id == tail.id && known.frame.at == tail.at => known,
            _ => {
                let hashes = typed(source, Numbers(db, section, tail)).unwrap_or(Ok(Vec::new()))?;
                let value: Weak<dyn Any + Send + Sync> = Weak::<()>::new();
                Known { frame: tail, value, hashes, seen: tail.until, quiet_until: Timestamp::MIN }
            }
        };
        let (seen, quiet_until) = (before.seen.max(tail.until), before.quiet_until);
        if as_of <= seen || as_of < quiet_until {
            self.known.insert(section, Known { seen, ..before });
            return Ok(false);
        }
        let goes_on = as_of.duration_since(seen) <= GOES_ON;
        // The very same list needs no look at its rows.
        let delta = if goes_on && is_same(&before.value, &list.value) {
            None
        } else {
            let Some(hashes) = list.hashes() else { return Ok(false) };
            let delta = Delta::between(&before.hashes, &hashes, list.is_ordered);
            (!goes_on || !delta.is_none(before.hashes.len())).then_some(delta)
        };
        let Some(delta) = delta else {
            let before = Known { value: list.value.clone(), ..before };
            if as_of.duration_since(tail.until) >= CONFIRM_PAUSE {
                confirm(db, tail.id, as_of)?;
                let frame = Frame { until: as_of, ..tail };
                self.known.insert(section, Known { frame, seen: as_of, ..before });
            } else {
                self.known.insert(section, Known { seen: as_of, ..before });
            }
            return Ok(false);
        };
        if seen > tail.until {
            confirm(db, tail.id, seen)?;
        }
        self.add(db, section, Some(&before), as_of, list, delta)?;
        Ok(true)
    }

    fn add(
        &mut self,
        db: &Connection,
        section: i64,
        before: Option<&Known>,
        as_of: Timestamp,
        list: &Rows,
        delta: Delta,
    ) -> Result<(), Wrong> {
        let mut delta = delta;
        let mut chain = before.map_or(0, |before| before.frame.chain + 1);
        let mut body = delta.write(list)?;
        if chain > 0 && (chain > LONGEST_CHAIN || self.outgrows(db, section, body.len())?) {
            chain = 0;
            // A whole list has no places to keep: its rows stand as they were read.
            delta = Delta { new: delta.new, ..Delta::full(list.hashes().unwrap_or_default()) };
            body = delta.write(list)?;
        }
        let (at, rows) = (as_of.as_microsecond(), i64::try_from(list.len).unwrap_or(i64::MAX));
        db.prepare_cached(
            "insert into frame (section, at_us, until_us, chain, rows, body) values (?1, ?2, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![section, at, chain, rows, body])?;
        let frame = Frame { id: db.last_insert_rowid(), at: as_of, until: as_of, chain };
        let is_noisy = before.is_some() && list.len >= NOISY && delta.new * 2 > list.len;
        let pause = if is_noisy { NOISY_PAUSE } else { SignedDuration::ZERO };
        let quiet_until = as_of.saturating_add(pause).unwrap_or(Timestamp::MAX);
        let value = list.value.clone();
        self.known.insert(section, Known { frame, value, hashes: delta.hashes, seen: as_of, quiet_until });
        Ok(())
    }

    /// Tells whether the changes since the last whole frame have become as large as that is.
    fn outgrows(&self, db: &Connection, section: i64, more: usize) -> rusqlite::Result<bool> {
        let mut query = db.prepare_cached(
            "select chain = 0, sum(length(body)) from frame where section = ?1 and at_us >= (
                select max(at_us) from frame where section = ?1 and chain = 0
             ) group by chain = 0",
        )?;
        let (mut whole, mut since) = (0_i64, i64::try_from(more).unwrap_or(i64::MAX));
        let mut sums = query.query([section])?;
        while let Some(row) = sums.next()? {
            let bytes: i64 = row.get(1)?;
            if row.get(0)? { whole = bytes } else { since = since.saturating_add(bytes) }
        }
        Ok(since > whole)
    }

    /// Writes when each list was last found to be the same.
    pub(super) fn close(&mut self, db: &Connection) -> rusqlite::Result<()> {
        for known in self.known.values().filter(|known| known.seen > known.frame.until) {
            confirm(db, known.frame.id, known.seen)?;
        }
        self.known.clear();
        Ok(())
    }

    /// Forgets what is remembered: the frames were changed by others.
    pub(super) fn forget(&mut self) {
        self.sections.clear();
        self.known.clear();
    }
}

/// The numbers of the rows of a frame.
struct Numbers<'a>(&'a Connection, i64, Frame);

impl Typed for Numbers<'_> {
    type Out = Result<Vec<u64>, Wrong>;
    fn of<T: Row>(self, _: fn(Vec<T>) -> Option<Reading>) -> Self::Out {
        let Self(db, section, frame) = self;
        let mut buffer = Vec::new();
        // A row that cannot be read is like no row that will come. Each is let go before the next is read: all
        // of them together are as much as the fleet itself.
        list(db, section, frame, |line| {
            serde_json::from_slice::<T>(line).ok().and_then(|row| hash(&row, &mut buffer)).unwrap_or(0)
        })
    }
}

fn confirm(db: &Connection, frame: i64, until: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached("update frame set until_us = max(until_us, ?2) where id = ?1")?
        .execute(params![frame, until.as_microsecond()])?;
    Ok(())
}
