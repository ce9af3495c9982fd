//! Keeping the history small: what is too old goes, and the oldest goes when it takes too much of the disk.

use super::Limits;
use super::frames::{Frame, HOLDS, Wrong, last, make_whole, moment};
use crate::gateway::Source;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

/// A cut for size takes this share of what there is, again and again until it fits.
const SHARE: i64 = 4;
/// So often at most.
const CUTS: usize = 24;

/// What a cut came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cut {
    /// Lists of which even one picture takes more than everything may: nothing of them is kept.
    pub(super) too_large: Vec<String>,
}

/// Removes what is older than the limits say, and then the oldest until the rest fits.
pub(super) fn prune(db: &mut Connection, limits: Limits, now: Timestamp) -> Result<Cut, Wrong> {
    let keep = SignedDuration::try_from(limits.keep).unwrap_or(SignedDuration::MAX);
    let mut cutoff = now.saturating_sub(keep).unwrap_or(Timestamp::MIN);
    cut_all(db, cutoff)?;
    for _ in 0..CUTS {
        if size(db)? <= limits.bytes {
            break;
        }
        // Of a part of a second there is nothing left to share.
        let oldest = oldest(db)?.unwrap_or(now).max(cutoff);
        let span = now.as_microsecond().saturating_sub(oldest.as_microsecond());
        if span <= 1_000_000 {
            cutoff = now;
            cut_all(db, cutoff)?;
            break;
        }
        cutoff = moment(oldest.as_microsecond().saturating_add(span / SHARE));
        cut_all(db, cutoff)?;
    }
    let mut cut = Cut::default();
    while size(db)? > limits.bytes {
        let Some((section, name)) = largest(db)? else { break };
        let change = db.transaction()?;
        change.execute("delete from frame where section = ?1", [section])?;
        change.commit()?;
        cut.too_large.push(name);
    }
    shrink(db)?;
    Ok(cut)
}

/// Removes everything before a moment. What holds at the moment stays.
pub(super) fn cut_all(db: &mut Connection, cutoff: Timestamp) -> Result<(), Wrong> {
    let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let sections: Vec<(i64, String)> = {
        let mut query = change.prepare("select id, source from section")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for (section, source) in sections {
        cut(&change, section, Source::ALL.into_iter().find(|known| known.word() == source), cutoff)?;
    }
    change.execute("delete from held where until_us < ?1", [cutoff.as_microsecond()])?;
    change.execute("delete from course where id not in (select course from held)", [])?;
    change.execute("delete from section where id not in (select section from frame)", [])?;
    change.commit()?;
    Ok(())
}

fn cut(db: &Connection, section: i64, source: Option<Source>, cutoff: Timestamp) -> Result<(), Wrong> {
    let Some(base) = last(db, section, cutoff)? else { return Ok(()) };
    let has_next: bool = db.query_row(
        "select exists (select 1 from frame where section = ?1 and at_us > ?2)",
        params![section, base.at.as_microsecond()],
        |row| row.get(0),
    )?;
    let is_over = cutoff.duration_since(base.until) > HOLDS;
    let Some(source) = source.filter(|_| has_next || !is_over) else {
        // Nobody would be shown it any more, and nothing is built on it. Or no version knows what it is.
        db.execute("delete from frame where section = ?1", [section])?;
        return Ok(());
    };
    if has_before(db, section, base)? {
        make_whole(db, section, source, base)?;
        db.execute(
            "delete from frame where section = ?1 and at_us < ?2",
            params![section, base.at.as_microsecond()],
        )?;
    }
    Ok(())
}

fn has_before(db: &Connection, section: i64, frame: Frame) -> rusqlite::Result<bool> {
    db.query_row(
        "select exists (select 1 from frame where section = ?1 and at_us < ?2)",
        params![section, frame.at.as_microsecond()],
        |row| row.get(0),
    )
}

/// The bytes that the database takes, without those that are free in it.
pub(super) fn size(db: &Connection) -> rusqlite::Result<u64> {
    let number =
        |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    Ok((number("page_count")?.saturating_sub(number("freelist_count")?)) * number("page_size")?)
}

/// Gives free pages back to the disk.
fn shrink(db: &Connection) -> rusqlite::Result<()> {
    let mut vacuum = db.prepare("pragma incremental_vacuum")?;
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

/// The first moment of anything.
pub(super) fn oldest(db: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let query = "select min(at) from (select min(at_us) as at from frame
                 union all select min(from_us) as at from held)";
    let found: Option<Option<i64>> = db.query_row(query, [], |row| row.get(0)).optional()?;
    Ok(found.flatten().map(moment))
}

/// The section that takes most, with what a person calls it.
fn largest(db: &Connection) -> rusqlite::Result<Option<(i64, String)>> {
    let query = "select section.id, source || ' of ' || account || '/' || region
                 from frame join section on section.id = frame.section
                 group by section.id order by sum(length(body)) desc limit 1";
    db.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}
