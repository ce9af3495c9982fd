//! The calls of earlier runs: records for a look back, and sums by the hour that last longer.
//!
//! A thread of its own writes them while the run goes on. It may lose some, when the disk is slow or locked:
//! a run never waits for it by more than a moment, and never fails for it.

use crate::error::Error;
use crate::gateway::{CallRecord, NoteCall, Outcome, Spending};
use crate::model::{Scope, Text, TroubleKind, Usd};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OpenFlags, Row, params};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Records waiting to be written; more than these are passed over.
const WAITING: usize = 4_096;
/// How soon after the first of them the others come.
const SOON: Duration = Duration::from_millis(250);
/// Records that are kept,
const KEPT: i64 = 20_000;
/// the bytes that their commands may take all together: a question about hundreds of metrics is long,
const KEPT_BYTES: i64 = 32 << 20;
/// and for how long they and the sums are.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Records, of however many runs, after which the oldest are removed: looking for them reads the whole file, 32 MiB of it
/// where it is full,
const PRUNE_AFTER: i64 = 2_000;
/// and bytes of commands that one run writes, after which they are too.
const PRUNE_AFTER_BYTES: usize = 4 << 20;
/// How long the end of a run waits for what is not written yet: a disk that others keep busy took more than a second.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long another run may hold the file.
const BUSY: Duration = Duration::from_millis(500);
/// The shape of the tables. Another shape is begun anew.
const SHAPE: i64 = 1;
/// Microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// Writes the calls of this run to disk.
#[derive(Debug)]
pub struct CallBook(Mutex<Option<Pen>>);

#[derive(Debug)]
struct Pen {
    jobs: SyncSender<Arc<CallRecord>>,
    /// Says that nothing more comes, by being dropped.
    end: SyncSender<Infallible>,
    done: Receiver<()>,
}

/// What went through one token bucket in some time.
#[derive(Clone, Debug, PartialEq)]
pub struct CallSum {
    /// The account and region.
    pub scope: Scope,
    /// The bucket.
    pub family: Text,
    /// Calls, each with its retries counted once.
    pub calls: u64,
    /// Requests and dollars.
    pub spending: Spending,
    /// The time that the calls took, all together.
    pub took: Duration,
}

/// Waits for what comes soon after a first call: a list is read by many, and a transaction for each would write the same pages
/// of the file again and again. Nobody reads them from there within that time. None of them wakes this thread, but the `end`
/// of the run does.
fn gather(
    first: Arc<CallRecord>,
    inbox: &Receiver<Arc<CallRecord>>,
    end: &Receiver<Infallible>,
) -> Vec<Arc<CallRecord>> {
    // Nothing is ever sent there: the time is over, or the run is.
    let _ = end.recv_timeout(SOON);
    std::iter::once(first).chain(inbox.try_iter()).take(WAITING).collect()
}

impl CallBook {
    /// Begins to write into `file`, which is made when there is something to write. `endpoint` says where
    /// AWS is when it is not AWS: what a stand-in was asked is kept apart.
    ///
    /// # Errors
    ///
    /// The thread cannot be started.
    pub fn open(file: PathBuf, endpoint: Option<&str>) -> Result<Self, Error> {
        let (jobs, inbox) = sync_channel(WAITING);
        let (is_done, done) = sync_channel(1);
        let (end, ended) = sync_channel(0);
        let endpoint = endpoint.unwrap_or_default().to_owned();
        std::thread::Builder::new()
            .name("calls".to_owned())
            .spawn(move || {
                write_all(&file, &endpoint, &inbox, &ended);
                // Nobody listens when the run did not wait.
                let _ = is_done.send(());
            })
            .map_err(|why| Error::failed("the record of calls cannot be kept").because(why))?;
        Ok(Self(Mutex::new(Some(Pen { jobs, end, done }))))
    }

    /// Writes what still waits, and waits for that a moment at most. Later calls are not kept.
    pub fn close(&self) {
        let pen = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Pen { jobs, end, done }) = pen else { return };
        drop((jobs, end));
        if done.recv_timeout(FAREWELL).is_err() {
            tracing::warn!("the last calls could not be written in time");
        }
    }
}

impl Drop for CallBook {
    fn drop(&mut self) {
        self.close();
    }
}

impl NoteCall for CallBook {
    fn note(&self, call: &Arc<CallRecord>) {
        if let Some(pen) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // Full, or the writer gave up: this call is not kept, and the run goes on.
            drop(pen.jobs.try_send(Arc::clone(call)));
        }
    }
}

fn write_all(file: &Path, endpoint: &str, inbox: &Receiver<Arc<CallRecord>>, end: &Receiver<Infallible>) {
    let Ok(first) = inbox.recv() else { return };
    let failed = |error: &dyn std::fmt::Display| {
        tracing::warn!(%error, file = %file.display(), "calls could not be kept");
    };
    let mut db = match connect(file) {
        Ok(db) => db,
        Err(error) => return failed(&error),
    };
    let mut next = Some(first);
    let mut last_at = Timestamp::MIN;
    let mut bytes = 0;
    while let Some(first) = next.take().or_else(|| inbox.recv().ok()) {
        let batch = gather(first, inbox, end);
        last_at = batch.iter().map(|call| call.at).fold(last_at, Timestamp::max);
        let written = write(&mut db, endpoint, &batch).and_then(|()| {
            let last = db.last_insert_rowid();
            let before = last.saturating_sub(whole(batch.len()));
            bytes += batch.iter().map(|call| call.command.len()).sum::<usize>();
            if before / PRUNE_AFTER == last / PRUNE_AFTER && bytes < PRUNE_AFTER_BYTES {
                return Ok(());
            }
            bytes = 0;
            prune(&db, last_at)
        });
        written.unwrap_or_else(|error| failed(&error));
    }
}

fn connect(file: &Path) -> Result<Connection, Error> {
    let wrong = |why: rusqlite::Error| Error::failed("the record of calls cannot be opened").because(why);
    super::private_folder(file.parent().unwrap_or(Path::new(".")))
        .map_err(|why| Error::failed("its folder cannot be made").because(why))?;
    let db = match prepared(file) {
        Err(rusqlite::Error::SqliteFailure(why, _))
            if matches!(
                why.code,
                rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt
            ) =>
        {
            tracing::warn!(file = %file.display(), "the record of calls is damaged and begun anew");
            std::fs::remove_file(file).map_err(|why| Error::failed("it cannot be removed").because(why))?;
            prepared(file).map_err(wrong)?
        }
        other => other.map_err(wrong)?,
    };
    super::own(file);
    Ok(db)
}

fn prepared(file: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(file)?;
    db.busy_timeout(BUSY)?;
    super::thrifty(&db)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "OFF")?;
    let shape: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if shape != SHAPE {
        db.execute_batch("drop table if exists call; drop table if exists sum;")?;
        db.pragma_update(None, "user_version", SHAPE)?;
    }
    db.execute_batch(
        "create table if not exists call (
            number integer primary key, id text not null, at_us integer not null, endpoint text not null,
            account text not null, region text not null, call text not null, family text not null,
            took_us integer not null, attempts integer not null, throttles integer not null,
            result text not null, code text, request_id text, cost_micros integer not null,
            login text not null, command text not null
        );
        create index if not exists call_at on call (endpoint, at_us);
        create table if not exists sum (
            endpoint text not null, hour integer not null, account text not null, region text not null,
            family text not null, calls integer not null, requests integer not null,
            throttles integer not null, failures integer not null, cost_micros integer not null,
            took_us integer not null, primary key (endpoint, hour, account, region, family)
        ) without rowid;",
    )?;
    Ok(db)
}

fn whole<T: TryInto<i64>>(n: T) -> i64 {
    n.try_into().unwrap_or(i64::MAX)
}

fn write(db: &mut Connection, endpoint: &str, batch: &[Arc<CallRecord>]) -> rusqlite::Result<()> {
    let transaction = db.transaction()?;
    {
        let mut call = transaction.prepare_cached(
            "insert into call (id, at_us, endpoint, account, region, call, family, took_us, attempts,
                throttles, result, code, request_id, cost_micros, login, command)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?;
        let mut sum = transaction.prepare_cached(
            "insert into sum values (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?9, ?10)
             on conflict do update set calls = calls + 1, requests = requests + excluded.requests,
                throttles = throttles + excluded.throttles, failures = failures + excluded.failures,
                cost_micros = cost_micros + excluded.cost_micros, took_us = took_us + excluded.took_us",
        )?;
        for it in batch {
            let (account, region) = (it.scope.account.as_str(), it.scope.region.as_str());
            let (at, took) = (it.at.as_microsecond(), whole(it.took.as_micros()));
            let (family, cost) = (it.family.as_str(), it.cost.micros());
            call.execute(params![
                it.id.as_str(),
                at,
                endpoint,
                account,
                region,
                it.call.as_str(),
                family,
                took,
                it.attempts,
                it.throttles,
                it.outcome.word(),
                it.outcome.code().map(Text::as_str),
                it.request_id.as_ref().map(Text::as_str),
                cost,
                it.login.as_str(),
                &*it.command,
            ])?;
            let hour = at.div_euclid(HOUR);
            let failures = u32::from(it.outcome.is_failure());
            sum.execute(params![
                endpoint,
                hour,
                account,
                region,
                family,
                it.attempts,
                it.throttles,
                failures,
                cost,
                took
            ])?;
        }
    }
    transaction.commit()
}

fn prune(db: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let oldest = now.as_microsecond().saturating_sub(whole(KEPT_FOR.as_micros()));
    db.execute("delete from call where at_us < ?1", [oldest])?;
    db.execute("delete from call where number <= (select max(number) from call) - ?1", [KEPT])?;
    db.execute(
        "delete from call where number <= (
            select max(number) from (
                select number, sum(length(command)) over (order by number desc) as bytes from call
            ) where bytes > ?1
        )",
        [KEPT_BYTES],
    )?;
    db.execute("delete from sum where hour < ?1", [oldest.div_euclid(HOUR)])?;
    Ok(())
}

/// The calls since a moment, newest first, as `CallBook` wrote them; none where there is no file.
///
/// # Errors
///
/// The file is there and cannot be read.
pub fn kept_calls(
    file: &Path,
    endpoint: Option<&str>,
    since: Timestamp,
) -> Result<Vec<Arc<CallRecord>>, Error> {
    let Some(db) = reading(file)? else { return Ok(Vec::new()) };
    let read = || {
        let mut query = db.prepare(
            "select id, at_us, account, region, call, family, took_us, attempts, throttles, result, code,
                request_id, cost_micros, login, command
             from call where endpoint = ?1 and at_us >= ?2 order by at_us desc, number desc
             limit ?3",
        )?;
        let mut scopes: Vec<Arc<Scope>> = Vec::new();
        let rows = query
            .query_map(params![endpoint.unwrap_or_default(), since.as_microsecond(), KEPT], |row| {
                record(row, &mut scopes)
            })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|why| unreadable(file, why))
}

/// What went through each token bucket since the beginning of the hour of a moment.
///
/// # Errors
///
/// The file is there and cannot be read.
pub fn call_sums(file: &Path, endpoint: Option<&str>, since: Timestamp) -> Result<Vec<CallSum>, Error> {
    let Some(db) = reading(file)? else { return Ok(Vec::new()) };
    let read = || {
        let mut query = db.prepare(
            "select account, region, family, sum(calls), sum(requests), sum(throttles), sum(failures),
                sum(cost_micros), sum(took_us)
             from sum where endpoint = ?1 and hour >= ?2 group by 1, 2, 3 order by 1, 2, 3",
        )?;
        let hour = since.as_microsecond().div_euclid(HOUR);
        let rows = query.query_map(params![endpoint.unwrap_or_default(), hour], |row| {
            Ok(CallSum {
                scope: Scope {
                    account: row.get::<_, String>(0)?.into(),
                    region: row.get::<_, String>(1)?.into(),
                },
                family: row.get::<_, String>(2)?.into(),
                calls: count(row, 3)?,
                spending: Spending {
                    calls: count(row, 4)?,
                    throttles: count(row, 5)?,
                    failures: count(row, 6)?,
                    dollars: Usd::from_micros(row.get(7)?),
                },
                took: Duration::from_micros(count(row, 8)?),
            })
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|why| unreadable(file, why))
}

fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
}

fn record(row: &Row<'_>, scopes: &mut Vec<Arc<Scope>>) -> rusqlite::Result<Arc<CallRecord>> {
    let text = |at: usize| row.get::<_, String>(at).map(Text::from);
    let maybe = |at: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<String>>(at)?.map(Text::from));
    let scope = Scope { account: row.get::<_, String>(2)?.into(), region: row.get::<_, String>(3)?.into() };
    let scope = match scopes.iter().find(|known| ***known == scope) {
        Some(known) => Arc::clone(known),
        None => {
            let scope = Arc::new(scope);
            scopes.push(Arc::clone(&scope));
            scope
        }
    };
    let code = maybe(10)?;
    let outcome = match text(9)?.as_str() {
        "ok" if code.is_none() => Outcome::Answered,
        "dropped" => Outcome::Dropped,
        // Records of older versions call the yes to a dry run a refusal.
        word => Outcome::of(TroubleKind::named(word).unwrap_or(TroubleKind::Other), code),
    };
    Ok(Arc::new(CallRecord {
        id: text(0)?,
        at: Timestamp::from_microsecond(row.get(1)?).unwrap_or_default(),
        scope,
        call: text(4)?,
        family: text(5)?,
        took: Duration::from_micros(count(row, 6)?),
        attempts: u32::try_from(count(row, 7)?).unwrap_or(u32::MAX),
        throttles: u32::try_from(count(row, 8)?).unwrap_or(u32::MAX),
        outcome,
        request_id: maybe(11)?,
        cost: Usd::from_micros(row.get(12)?),
        login: text(13)?,
        command: Arc::from(row.get::<_, String>(14)?),
    }))
}

/// The file, if it is there and of our shape.
fn reading(file: &Path) -> Result<Option<Connection>, Error> {
    if !file.exists() {
        return Ok(None);
    }
    let open = || {
        let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        db.busy_timeout(BUSY)?;
        let shape: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok((shape == SHAPE).then_some(db))
    };
    open().map_err(|why| unreadable(file, why))
}

fn unreadable(file: &Path, why: rusqlite::Error) -> Error {
    Error::failed(format!("the record of calls in {} cannot be read", file.display()))
        .because(why)
        .hint("it holds nothing that is needed: remove it, and it is begun anew")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{CallBook, call_sums, kept_calls};

    const NOW: Timestamp = Timestamp::constant(1_780_315_200, 0);

    fn call(nth: u32, at: Timestamp) -> Arc<CallRecord> {
        Arc::new(CallRecord {
            id: format!("c-{nth}").into(),
            at,
            scope: Arc::new(Scope { account: "prod".into(), region: "us-east-1".into() }),
            call: "ec2:DescribeInstances".into(),
            family: "DescribeInstances".into(),
            took: Duration::from_millis(250),
            attempts: 2,
            throttles: 1,
            outcome: Outcome::Answered,
            request_id: Some("r-1".into()),
            cost: Usd::from_micros(10),
            login: "profile prod".into(),
            command: "aws ec2 describe-instances --next-token 'it'\\''s \u{1b}[2J'".into(),
        })
    }

    fn write(file: &Path, endpoint: Option<&str>, calls: &[Arc<CallRecord>]) {
        let book = CallBook::open(file.to_owned(), endpoint).unwrap();
        calls.iter().for_each(|call| book.note(call));
        book.close();
        book.note(&call(0, NOW));
    }

    #[test]
    fn calls_are_there_for_the_next_run_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/calls.db");
        assert_eq!(kept_calls(&file, None, Timestamp::MIN).unwrap(), []);
        assert!(!file.exists(), "looking makes no file");
        let first = call(1, NOW - Duration::from_secs(60));
        let kind = Outcome::Failed(TroubleKind::Throttled, Some("RequestLimitExceeded".into()));
        let second = Arc::new(CallRecord { outcome: kind, request_id: None, ..(*call(2, NOW)).clone() });
        let third = Arc::new(CallRecord { outcome: Outcome::Dropped, ..(*call(3, NOW)).clone() });
        write(&file, None, &[Arc::clone(&first), Arc::clone(&second)]);
        let fourth = Arc::new(CallRecord { outcome: Outcome::WouldDo, ..(*call(4, NOW)).clone() });
        write(&file, None, &[Arc::clone(&third), Arc::clone(&fourth)]);
        let kept = kept_calls(&file, None, Timestamp::MIN).unwrap();
        assert_eq!(kept, [Arc::clone(&fourth), Arc::clone(&third), Arc::clone(&second), first]);
        assert_eq!(kept_calls(&file, None, NOW).unwrap(), [fourth, third, second]);
    }

    #[test]
    fn a_stand_in_is_kept_apart_from_aws() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("calls.db");
        write(&file, Some("http://127.0.0.1:1"), &[call(1, NOW)]);
        assert_eq!(kept_calls(&file, None, Timestamp::MIN).unwrap(), []);
        assert_eq!(call_sums(&file, None, Timestamp::MIN).unwrap(), []);
        assert_eq!(kept_calls(&file, Some("http://127.0.0.1:1"), Timestamp::MIN).unwrap().len(), 1);
    }

    #[test]
    fn sums_outlive_the_records() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("calls.db");
        let old = NOW - KEPT_FOR - SignedDuration::from_hours(2);
        write(&file, None, &[call(1, old)]);
        let many: Vec<_> = (0..300).map(|nth| call(nth, NOW)).collect();
        for _ in 0..67 {
            write(&file, None, &many);
        }
        let kept = kept_calls(&file, None, Timestamp::MIN).unwrap();
        assert_eq!(i64::try_from(kept.len()).unwrap(), KEPT);
        let sums = call_sums(&file, None, Timestamp::MIN).unwrap();
        assert_eq!(sums.len(), 1);
        let spending = &sums[0].spending;
        assert_eq!((sums[0].calls, spending.calls, spending.throttles), (20_100, 40_200, 20_100));
        assert_eq!((spending.failures, spending.dollars), (0, Usd::from_micros(201_000)));
        assert_eq!(sums[0].took, Duration::from_millis(250) * 20_100);
    }

    #[test]
    fn long_commands_push_old_calls_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("calls.db");
        let long: Arc<str> = Arc::from("m".repeat(1 << 18));
        let many: Vec<_> = (1..=200)
            .map(|nth| Arc::new(CallRecord { command: Arc::clone(&long), ..(*call(nth, NOW)).clone() }))
            .collect();
        write(&file, None, &many);
        let kept = kept_calls(&file, None, Timestamp::MIN).unwrap();
        assert_eq!(kept.len(), 128, "32 MiB of 256 KiB each");
        assert_eq!(kept.first().map(|call| call.id.as_str()), Some("c-200"));
    }

    #[test]
    fn a_damaged_file_is_begun_anew_by_a_run_and_said_to_a_reader() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("calls.db");
        std::fs::write(&file, "this is no database, whatever its name may promise to a reader").unwrap();
        let error = kept_calls(&file, None, Timestamp::MIN).unwrap_err();
        assert!(error.hints[0].contains("remove it"), "{error:?}");
        write(&file, None, &[call(1, NOW)]);
        assert_eq!(kept_calls(&file, None, Timestamp::MIN).unwrap().len(), 1);
    }

    #[test]
    fn what_cannot_be_written_fails_no_run() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        write(&folder.path().join("file/calls.db"), None, &[call(1, NOW)]);
    }

    #[test]
    fn only_their_owner_may_read_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("calls.db");
        write(&file, None, &[call(1, NOW)]);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn every_kind_of_trouble_is_read_back() {
        for kind in TroubleKind::ALL {
            assert_eq!(TroubleKind::named(kind.word()), Some(kind));
        }
    }
}
