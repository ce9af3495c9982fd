//! The journal in SQLite: tables that only grow, each transaction on the disk before it returns.

use super::{
    Bell, Chain, Claim, Entry, Grip, Holder, Ledger, LedgerError, OpRecord, Request, Result, Runner, Who,
    bell, chain, held, lives::Lives,
};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The first record of every operation.
pub(super) const ENTERED: &str = "entered";
/// The shape of the tables.
const SHAPE: i64 = 1;
/// How long another process may hold the file.
const BUSY: Duration = Duration::from_secs(5);

/// Tables, and the triggers that make them append-only.
const TABLES: &str = "
    create table if not exists op (id text primary key, at_us integer not null, record text not null);
    create table if not exists event (
        seq integer primary key, op text not null references op (id), epoch integer not null,
        at_us integer not null, kind text not null, body text not null, prev text not null, hash text not null
    );
    create index if not exists event_op on event (op, seq);
    create table if not exists request (
        seq integer primary key, op text not null references op (id), at_us integer not null,
        verb text not null, who text not null, reason text
    );
    create table if not exists runner (
        op text primary key references op (id), epoch integer not null, who text not null, pid integer not null,
        beat_us integer not null, is_over integer not null
    );
    create table if not exists hold (
        target text not null, op text not null references op (id), grip text not null, at_us integer not null,
        primary key (target, op)
    );
    create table if not exists slot (
        pool text not null, target text not null, op text not null references op (id), free_us integer,
        primary key (pool, target, op)
    );
    create trigger if not exists op_stays before update on op
        begin select raise(abort, 'operations are never changed'); end;
    create trigger if not exists op_keeps before delete on op
        begin select raise(abort, 'operations are never removed'); end;
    create trigger if not exists event_stays before update on event
        begin select raise(abort, 'records are never changed'); end;
    create trigger if not exists event_keeps before delete on event
        begin select raise(abort, 'records are never removed'); end;
    create trigger if not exists request_stays before update on request
        begin select raise(abort, 'requests are never changed'); end;
    create trigger if not exists request_keeps before delete on request
        begin select raise(abort, 'requests are never removed'); end;
";

/// The journal of this machine.
#[derive(Debug)]
pub struct Journal {
    file: PathBuf,
    folder: PathBuf,
    db: Mutex<Connection>,
    lives: Lives,
    bells: AtomicU64,
}

impl Journal {
    /// Opens the journal in a file, and makes it where there is none.
    ///
    /// # Errors
    ///
    /// It is locked, damaged, newer than this version, or its disk is full: see [`super::Salvage`] for what
    /// can then still be read.
    pub fn open(file: &Path) -> Result<Self> {
        let folder = file.parent().unwrap_or(Path::new(".")).to_path_buf();
        let other = |error: std::io::Error| LedgerError::Other(format!("{}: {error}", folder.display()));
        crate::store::private_folder(&folder).map_err(other)?;
        let db = prepared(file).map_err(|error| wrong(file, &error))?;
        let shape: i64 = db
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(|error| wrong(file, &error))?;
        if shape > SHAPE {
            return Err(LedgerError::Newer(file.to_path_buf(), shape));
        }
        // Nothing is written to a journal that is there: it can be opened, and read, on a disk that is full.
        if shape < SHAPE {
            db.execute_batch(TABLES)
                .and_then(|()| db.pragma_update(None, "user_version", SHAPE))
                .map_err(|error| wrong(file, &error))?;
        }
        crate::store::own(file);
        Ok(Self {
            file: file.to_path_buf(),
            folder,
            db: Mutex::new(db),
            lives: Lives::beside(file),
            bells: AtomicU64::new(0),
        })
    }

    /// Where it is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A bell that rings after each record that anybody adds. Must be called inside a tokio runtime.
    pub fn watch(&self) -> Bell {
        let number = self.bells.fetch_add(1, Ordering::Relaxed);
        Bell::hang(&self.folder.join("bells"), &format!("watch.{number}"))
    }

    /// A bell that rings when something is asked of an operation. Must be called inside a tokio runtime.
    pub fn listen(&self, op: &str) -> Bell {
        Bell::hang(&self.folder.join("bells"), op)
    }

    /// Follows the whole chain and says what is wrong with it.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn verify(&self) -> Result<Chain> {
        let db = self.db();
        verify(&db).map_err(|error| wrong(&self.file, &error))
    }

    /// Whether every page of the file can be reached.
    ///
    /// # Errors
    ///
    /// It is damaged, or cannot be read.
    pub fn sound(&self) -> Result<()> {
        let check = "pragma quick_check(1)";
        let said: String =
            self.db().query_row(check, [], |row| row.get(0)).map_err(|error| wrong(&self.file, &error))?;
        if said == "ok" { Ok(()) } else { Err(LedgerError::Corrupt(self.file.clone(), said)) }
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn within<T>(&self, work: impl FnOnce(&Transaction<'_>) -> std::result::Result<T, Stop>) -> Result<T> {
        let mut db = self.db();
        let whole = db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Stop::from)
            .and_then(|transaction| {
                let done = work(&transaction)?;
                transaction.commit()?;
                Ok(done)
            });
        whole.map_err(|stop| match stop {
            Stop::Told(told) => told,
            Stop::Sql(error) => wrong(&self.file, &error),
        })
    }
}

/// Why a transaction is given up.
pub(super) enum Stop {
    Sql(rusqlite::Error),
    Told(LedgerError),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

fn prepared(file: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(file)?;
    db.busy_timeout(BUSY)?;
    crate::store::thrifty(&db)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    // What was intended must be on the disk before it is done.
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", "ON")?;
    Ok(db)
}

/// An error of SQLite in the journal's own words.
pub(super) fn wrong(file: &Path, error: &rusqlite::Error) -> LedgerError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LedgerError::Locked(file.to_path_buf()),
        Some(ErrorCode::DiskFull) => LedgerError::Full(file.to_path_buf()),
        // A quota or a limit on files is no full disk to SQLite, and comes to the same.
        Some(
            ErrorCode::SystemIoFailure
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied,
        ) => LedgerError::Unwritable(file.to_path_buf(), error.to_string()),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            LedgerError::Corrupt(file.to_path_buf(), error.to_string())
        }
        _ => LedgerError::Other(error.to_string()),
    }
}

fn time(us: i64) -> Timestamp {
    Timestamp::from_microsecond(us).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn unreadable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}

fn json<T: serde::Serialize>(value: &T) -> std::result::Result<String, Stop> {
    serde_json::to_string(value).map_err(|error| Stop::Sql(unreadable(error)))
}

pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<OpRecord> {
    serde_json::from_str(&row.get::<_, String>(0)?).map_err(unreadable)
}

pub(super) const ENTRY: &str = "select seq, op, epoch, at_us, kind, body, prev, hash from event";

pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        seq: row.get(0)?,
        op: row.get(1)?,
        epoch: row.get(2)?,
        at: time(row.get(3)?),
        kind: row.get(4)?,
        body: row.get(5)?,
        prev: row.get(6)?,
        hash: row.get(7)?,
    })
}

fn runner(row: &Row<'_>) -> rusqlite::Result<Runner> {
    Ok(Runner {
        epoch: row.get(0)?,
        who: serde_json::from_str(&row.get::<_, String>(1)?).map_err(unreadable)?,
        pid: row.get(2)?,
        beat_at: time(row.get(3)?),
        is_over: row.get(4)?,
    })
}

fn runner_of(db: &Connection, op: &str) -> rusqlite::Result<Option<Runner>> {
    let sql = "select epoch, who, pid, beat_us, is_over from runner where op = ?1";
    db.query_row(sql, [op], runner).optional()
}

pub(super) fn verify(db: &Connection) -> rusqlite::Result<Chain> {
    let mut chain = Chain::default();
    let mut query = db.prepare(&format!("{ENTRY} order by seq"))?;
    for row in query.query_map([], entry)? {
        chain.follow(&row?);
    }
    let mut ops = db.prepare("select record from op order by at_us, id")?;
    for row in ops.query_map([], record)? {
        let record = row?;
        let sql = format!("{ENTRY} where op = ?1 order by seq limit 1");
        let first = db.query_row(&sql, [&record.id], entry).optional()?;
        chain.compare(&record, first.as_ref());
    }
    let said: String = db.query_row("pragma integrity_check", [], |row| row.get(0))?;
    if said != "ok" {
        chain.faults.push(format!("SQLite finds: {said}"));
    }
    Ok(chain)
}

/// Adds a record to the chain.
fn add(
    db: &Connection,
    op: &str,
    epoch: i64,
    at: Timestamp,
    kind: &str,
    body: &str,
) -> rusqlite::Result<Entry> {
    let last: Option<(i64, String)> = db
        .query_row("select seq, hash from event order by seq desc limit 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let (number, prev) = last.unwrap_or((0, chain::ROOT.to_owned()));
    let mut entry = Entry {
        seq: number + 1,
        op: op.to_owned(),
        epoch,
        at: time(at.as_microsecond()),
        kind: kind.to_owned(),
        body: body.to_owned(),
        prev,
        hash: String::new(),
    };
    entry.hash = chain::hash_of(&entry);
    let Entry { seq, prev, hash, .. } = &entry;
    db.execute(
        "insert into event values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![seq, op, epoch, at.as_microsecond(), kind, body, prev, hash],
    )?;
    Ok(entry)
}

/// Holds the writer to its epoch.
pub(super) fn fence(db: &Connection, op: &str, mine: i64) -> std::result::Result<(), Stop> {
    let now = runner_of(db, op)?.map_or(0, |runner| runner.epoch);
    if now == mine { Ok(()) } else { Err(Stop::Told(LedgerError::Fenced { mine, now })) }
}

impl Ledger for Journal {
    fn begin(&self, record: &OpRecord, holds: &[(String, Grip)]) -> Result<()> {
        let done = self.within(|db| {
            db.execute(
                "insert into op values (?1, ?2, ?3)",
                params![record.id, record.at.as_microsecond(), json(record)?],
            )?;
            held::take(db, &record.id, holds, record.at)?;
            let body = json(&serde_json::json!({ "record": chain::hash_of_op(record) }))?;
            add(db, &record.id, 0, record.at, ENTERED, &body)?;
            Ok(())
        });
        self.ring("watch");
        done
    }

    fn claim(&self, op: &str, who: &Who, at: Timestamp, force: bool) -> Result<i64> {
        let (before, epoch, life) = self.within(|db| {
            let before = runner_of(db, op)?;
            if let Some(runner) = &before
                && !force
                && !runner.is_over
                && self.lives.has(op, runner.epoch)
            {
                return Err(Stop::Told(LedgerError::Running(Box::new(runner.clone()))));
            }
            let epoch = before.as_ref().map_or(0, |runner| runner.epoch) + 1;
            // Before anybody can read the epoch: whoever does finds its runner alive.
            let life = self.lives.lock(op, epoch).map_err(Stop::Told)?;
            db.execute(
                "insert into runner values (?1, ?2, ?3, ?4, ?5, 0) on conflict do update set
                    epoch = excluded.epoch, who = excluded.who, pid = excluded.pid,
                    beat_us = excluded.beat_us, is_over = 0",
                params![op, epoch, json(who)?, std::process::id(), at.as_microsecond()],
            )?;
            Ok((before, epoch, life))
        })?;
        self.lives.keep(op, epoch, life);
        before.iter().for_each(|runner| self.lives.forget(op, runner.epoch));
        Ok(epoch)
    }

    fn beat(&self, op: &str, epoch: i64, at: Timestamp) -> Result<()> {
        self.within(|db| {
            fence(db, op, epoch)?;
            db.execute("update runner set beat_us = ?2 where op = ?1", params![op, at.as_microsecond()])?;
            Ok(())
        })
    }

    fn release(&self, op: &str, epoch: i64, at: Timestamp, done: bool) -> Result<()> {
        self.within(|db| {
            fence(db, op, epoch)?;
            let sql = "update runner set beat_us = ?2, is_over = 1 where op = ?1";
            db.execute(sql, params![op, at.as_microsecond()])?;
            if done {
                db.execute("delete from hold where op = ?1", [op])?;
                let sql = "update slot set free_us = ?2 where op = ?1 and free_us is null";
                db.execute(sql, params![op, at.as_microsecond()])?;
            }
            Ok(())
        })?;
        self.lives.end(op, epoch);
        self.ring("watch");
        Ok(())
    }

    fn hold(&self, op: &str, holds: &[(String, Grip)], at: Timestamp) -> Result<()> {
        self.within(|db| held::take(db, op, holds, at))
    }

    fn append(&self, op: &str, epoch: i64, at: Timestamp, kind: &str, body: &str) -> Result<Entry> {
        let entry = self.within(|db| {
            fence(db, op, epoch)?;
            Ok(add(db, op, epoch, at, kind, body)?)
        })?;
        self.ring("watch");
        Ok(entry)
    }

    fn reserve(&self, op: &str, epoch: i64, claim: &Claim<'_>) -> Result<Vec<String>> {
        self.within(|db| {
            fence(db, op, epoch)?;
            Ok(held::reserve(db, op, claim)?)
        })
    }

    fn give_back(&self, op: &str, pool: &str, target: &str, at: Timestamp) -> Result<()> {
        self.within(|db| {
            let sql = "update slot set free_us = ?4
                where op = ?1 and pool = ?2 and target = ?3 and free_us is null";
            db.execute(sql, params![op, pool, target, at.as_microsecond()])?;
            Ok(())
        })
    }

    fn ask(&self, op: &str, verb: &str, who: &Who, reason: Option<&str>, at: Timestamp) -> Result<Request> {
        let request = self.within(|db| {
            db.execute(
                "insert into request (op, at_us, verb, who, reason) values (?1, ?2, ?3, ?4, ?5)",
                params![op, at.as_microsecond(), verb, json(who)?, reason],
            )?;
            Ok(Request {
                seq: db.last_insert_rowid(),
                op: op.to_owned(),
                verb: verb.to_owned(),
                who: who.clone(),
                reason: reason.map(str::to_owned),
                at,
            })
        })?;
        self.ring(op);
        self.ring("watch");
        Ok(request)
    }

    fn requests(&self, op: &str, after: i64) -> Result<Vec<Request>> {
        let db = self.db();
        let read = || {
            let sql = "select seq, op, at_us, verb, who, reason from request
                where op = ?1 and seq > ?2 order by seq";
            let mut query = db.prepare_cached(sql)?;
            let rows = query.query_map(params![op, after], |row| {
                Ok(Request {
                    seq: row.get(0)?,
                    op: row.get(1)?,
                    at: time(row.get(2)?),
                    verb: row.get(3)?,
                    who: serde_json::from_str(&row.get::<_, String>(4)?).map_err(unreadable)?,
                    reason: row.get(5)?,
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| wrong(&self.file, &error))
    }

    fn ops(&self, most: usize) -> Result<Vec<OpRecord>> {
        ops(&self.db(), most).map_err(|error| wrong(&self.file, &error))
    }

    fn op(&self, id: &str) -> Result<OpRecord> {
        let found = self.ops(usize::MAX)?;
        super::salvage::one(found, id)
    }

    fn entries(&self, op: &str, after: i64) -> Result<Vec<Entry>> {
        let db = self.db();
        entries(&db, op, after).map_err(|error| wrong(&self.file, &error))
    }

    fn runner(&self, op: &str) -> Result<Option<(Runner, bool)>> {
        let found = runner_of(&self.db(), op).map_err(|error| wrong(&self.file, &error))?;
        Ok(found.map(|runner| {
            let lives = !runner.is_over && self.lives.has(op, runner.epoch);
            (runner, lives)
        }))
    }
}

impl Journal {
    fn ring(&self, name: &str) {
        bell::ring(&self.folder.join("bells"), name);
    }
}

pub(super) fn ops(db: &Connection, most: usize) -> rusqlite::Result<Vec<OpRecord>> {
    let mut query = db.prepare("select record from op order by at_us desc, id desc limit ?1")?;
    let rows = query.query_map([i64::try_from(most).unwrap_or(i64::MAX)], record)?;
    rows.collect()
}

pub(super) fn entries(db: &Connection, op: &str, after: i64) -> rusqlite::Result<Vec<Entry>> {
    let mut query = db.prepare_cached(&format!("{ENTRY} where op = ?1 and seq > ?2 order by seq"))?;
    let rows = query.query_map(params![op, after], entry)?;
    rows.collect()
}

/// Who holds a target.
pub(super) fn holder(db: &Connection, target: &str, op: &str, at_us: i64) -> rusqlite::Result<Holder> {
    let sql = "select record from op where id = ?1";
    let record = db.query_row(sql, [op], record)?;
    Ok(Holder {
        target: target.to_owned(),
        op: op.to_owned(),
        title: record.title,
        who: record.who,
        since: time(at_us),
    })
}
