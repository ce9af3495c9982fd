//! What operations hold: targets, so that no two touch the same, and shares of a tier's budget.

use super::db::{Stop, holder};
use super::{Claim, Grip, LedgerError};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeSet;

/// Takes hold of targets, in order of their names, or of none. An operation that is over holds nothing, also where
/// its runner died before it could let go.
pub(super) fn take(db: &Connection, op: &str, holds: &[(String, Grip)], at: Timestamp) -> Result<(), Stop> {
    let mut sorted: Vec<&(String, Grip)> = holds.iter().collect();
    sorted.sort();
    for (target, grip) in sorted {
        let sql =
            "select op, at_us from hold where target = ?1 and op <> ?2 and (grip = 'alone' or ?3 = 'alone')
            and not exists (select 1 from event where event.op = hold.op and event.kind = 'ended')
            order by at_us limit 1";
        let other: Option<(String, i64)> = db
            .query_row(sql, params![target, op, grip.word()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((other, since)) = other {
            let found = holder(db, target, &other, since)?;
            return Err(Stop::Told(LedgerError::Held(Box::new(found))));
        }
        let sql = "insert into hold values (?1, ?2, ?3, ?4) on conflict do nothing";
        db.execute(sql, params![target, op, grip.word(), at.as_microsecond()])?;
    }
    Ok(())
}

/// Takes what the budget has room for. What is down already, and what other operations have taken or have
/// given back only after that was looked at, counts once each.
pub(super) fn reserve(db: &Connection, op: &str, claim: &Claim<'_>) -> rusqlite::Result<Vec<String>> {
    let sql = "select target, op, free_us from (
            select target, op, pool, coalesce(free_us, (
                select at_us from event where event.op = slot.op and event.kind = 'ended'
            )) as free_us from slot
        ) where pool = ?1 and (free_us is null or free_us >= ?2)";
    let mut query = db.prepare(sql)?;
    let rows = query.query_map(params![claim.pool, claim.seen_at.as_microsecond()], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<i64>>(2)?))
    })?;
    let mut used: BTreeSet<String> = claim.down.iter().cloned().collect();
    let mut mine = BTreeSet::new();
    for row in rows {
        let (target, holder, free) = row?;
        if holder == op && free.is_none() {
            mine.insert(target.clone());
        }
        used.insert(target);
    }
    let mut given = Vec::new();
    for target in claim.wanted {
        // What is down already costs nothing more: a drain of it makes nothing worse.
        let is_free = mine.contains(target) || used.contains(target);
        if !is_free && used.len() >= claim.most {
            continue;
        }
        used.insert(target.clone());
        let sql = "insert into slot values (?1, ?2, ?3, null)
            on conflict do update set free_us = null";
        db.execute(sql, params![claim.pool, target, op])?;
        given.push(target.clone());
    }
    Ok(given)
}
