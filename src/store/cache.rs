//! The last good reading of every section, by place. Losing it costs a second at the next start, nothing else:
//! it is written without waiting for the disk, and a file that cannot be understood is begun anew.

use super::body::{Alike, Body, decode, encoder, extend, fingerprint, is_same};
use super::{own, private_folder};
use crate::clock::{Clock, monotonic};
use crate::error::Error;
use crate::gateway::{Reading, Source};
use crate::model::Scope;
use crate::snapshot::Part;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, ErrorCode, OpenFlags, params};
use std::any::Any;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Sections waiting to be written. When the disk is slower than AWS, newer readings are passed over:
/// the next one of the same section will do.
const WAITING: usize = 64;
/// A section is written at most this often,
const LEAST_PAUSE: Duration = Duration::from_secs(60);
/// and writing takes at most this share of the time.
const WRITE_SHARE: u32 = 20;
/// A section that is older than this is forgotten: nobody would take it for the fleet any more.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long a start waits for another run that writes,
const OPEN_WITHIN: Duration = Duration::from_millis(250);
/// and how long the writer does.
const WRITE_WITHIN: Duration = Duration::from_secs(2);

/// A reading of an earlier run.
#[derive(Debug, PartialEq)]
pub struct Kept {
    /// Where it was read.
    pub scope: Scope,
    /// What.
    pub reading: Reading,
    /// When.
    pub as_of: Timestamp,
    /// Whether it is the whole list, or its beginning.
    pub is_whole: bool,
}

/// The readings of which only the beginnings were taken so far.
#[derive(Debug)]
pub struct Rest {
    file: PathBuf,
    view: String,
    lists: Vec<List>,
}

impl Rest {
    /// Reads them whole. That takes a while: half a second for a hundred thousand instances.
    #[must_use]
    pub fn load(self) -> Vec<Kept> {
        let Self { file, view, lists } = self;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let read = Connection::open_with_flags(&file, flags).and_then(|db| {
            db.busy_timeout(WRITE_WITHIN)?;
            load(&db, &view, &lists, Extent::Whole)
        });
        read.unwrap_or_else(|error| {
            tracing::warn!(%error, file = %file.display(), "the rest of the cache could not be read");
            Vec::new()
        })
    }
}

/// A cache on disk, with a thread of its own that writes it. Dropping it writes what still waits.
#[derive(Debug)]
pub struct Cache {
    jobs: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
    kept: Vec<Kept>,
    rest: Option<Rest>,
}

/// A section's value on its way to the disk, without the rest of the snapshot that it came from: what
/// waits here may wait for a minute.
struct Job {
    scope: Arc<Scope>,
    source: Source,
    as_of: Timestamp,
    body: Body,
}

impl Cache {
    /// Opens the cache in `file`, for one view of the world: `view` names everything that decides what is
    /// seen (fleet, endpoint, logins), so that a demo's rows never appear as production's.
    ///
    /// # Errors
    ///
    /// The folder cannot be made; or the database is locked, cannot be written, or its disk is full. Only
    /// one that is damaged is begun anew: in every other case what it holds is still good.
    pub fn open(file: &Path, view: &str) -> Result<Self, Error> {
        Self::open_at(file, view, Clock::Real.now())
    }

    fn open_at(file: &Path, view: &str, now: Timestamp) -> Result<Self, Error> {
        let folder = file.parent().unwrap_or(Path::new("."));
        let failed = |error: &dyn std::fmt::Display| {
            Error::failed(format!("this run works without the cache {}: {error}", file.display()))
                .hint("nothing but a slower start is lost; XDG_CACHE_HOME names another folder")
        };
        private_folder(folder).map_err(|error| failed(&error))?;
        let opened = match opened(file, view, now) {
            Err(error) if is_damage(&error) => {
                tracing::warn!(%error, file = %file.display(), "the cache is damaged and begun anew");
                remove(file).map_err(|error| failed(&error))?;
                self::opened(file, view, now)
            }
            other => other,
        };
        let (db, kept, long) = opened.map_err(|error| failed(&error))?;
        let (jobs, inbox) = sync_channel(WAITING);
        let (view, whose) = (view.to_owned(), view.to_owned());
        let writer = std::thread::Builder::new()
            .name("cache".to_owned())
            .spawn(move || write_all(&db, &view, &inbox))
            .map_err(|error| failed(&error))?;
        let rest = Rest { file: file.to_owned(), view: whose, lists: long };
        let rest = Some(rest).filter(|rest| !rest.lists.is_empty());
        Ok(Self { jobs: Some(jobs), writer: Some(writer), kept, rest })
    }

    /// What earlier runs left, of a large fleet the beginning of each list; each call after the first finds
    /// nothing.
    pub fn take(&mut self) -> Vec<Kept> {
        std::mem::take(&mut self.kept)
    }

    /// What is left to read of lists that `take` gave the beginnings of; none when it gave all.
    pub fn rest(&mut self) -> Option<Rest> {
        self.rest.take()
    }

    /// Keeps the value that a section has now. Never waits.
    pub fn keep(&self, part: &Arc<Part>, source: Source) {
        let Some(jobs) = &self.jobs else { return };
        let Some(as_of) = part.standing(source).as_of else { return };
        let Some(body) = encoder(part, source) else { return };
        // Full, or the writer has ended: either way the section is only a little older next time.
        drop(jobs.try_send(Job { scope: Arc::clone(&part.scope), source, as_of, body }));
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::warn!("the cache's writer ended abnormally");
        }
    }
}

/// Tells whether nothing can be got out of a database any more.
fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// Removes a database with what SQLite keeps beside it.
fn remove(file: &Path) -> std::io::Result<()> {
    for beside in ["-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(beside);
        match fs::remove_file(name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::remove_file(file)
}

/// A cache that was opened: what it left, and the lists that it left for later.
type Opened = (Connection, Vec<Kept>, Vec<List>);

fn opened(file: &Path, view: &str, now: Timestamp) -> rusqlite::Result<Opened> {
    let db = connect(file, now)?;
    let lists = lists(&db, view)?;
    let pieces: i64 = lists.iter().map(|list| list.pieces).sum();
    let extent = if pieces <= AT_ONCE { Extent::Whole } else { Extent::Beginning };
    let kept = load(&db, view, &lists, extent)?;
    let long = match extent {
        Extent::Whole => Vec::new(),
        Extent::Beginning => lists.into_iter().filter(|list| list.pieces > 1).collect(),
    };
    db.busy_timeout(WRITE_WITHIN)?;
    Ok((db, kept, long))
}

/// So many pieces are read before the first frame; of more only the first of each list is.
const AT_ONCE: i64 = 26;

/// How much is read of each list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Beginning,
    Whole,
}

/// A list in the cache.
#[derive(Debug)]
struct List {
    scope: Scope,
    source: Source,
    pieces: i64,
}

fn lists(db: &Connection, view: &str) -> rusqlite::Result<Vec<List>> {
    let mut query = db.prepare(
        "select account, region, source, count(*) from piece where view = ?1 group by account, region, source",
    )?;
    let mut rows = query.query([view])?;
    let mut lists = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |at: usize| row.get::<_, String>(at);
        let (account, region, source, pieces) = (text(0)?, text(1)?, text(2)?, row.get(3)?);
        let Some(source) = Source::ALL.into_iter().find(|known| known.word() == source) else { continue };
        lists.push(List { scope: Scope { account: account.into(), region: region.into() }, source, pieces });
    }
    Ok(lists)
}

fn connect(file: &Path, now: Timestamp) -> rusqlite::Result<Connection> {
    let db = Connection::open(file)?;
    own(file);
    db.busy_timeout(OPEN_WITHIN)?;
    super::thrifty(&db)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "OFF")?;
    db.execute_batch(
        "drop table if exists section;
        create table if not exists piece (
            shape text not null, view text not null, account text not null, region text not null,
            source text not null, piece integer not null, as_of text not null, body blob not null,
            primary key (view, account, region, source, piece)
        );",
    )?;
    let oldest = now.saturating_sub(KEPT_FOR).unwrap_or(Timestamp::MIN).to_string();
    db.execute("delete from piece where shape <> ?1 or as_of < ?2", [fingerprint(), oldest])?;
    Ok(db)
}

fn load(db: &Connection, view: &str, lists: &[List], extent: Extent) -> rusqlite::Result<Vec<Kept>> {
    let mut query = db.prepare(
        "select as_of, body from piece where view = ?1 and account = ?2 and region = ?3 and source = ?4
         order by piece limit ?5",
    )?;
    let limit = match extent {
        Extent::Beginning => 1,
        Extent::Whole => -1,
    };
    let mut alike = Alike::default();
    let mut kept = Vec::with_capacity(lists.len());
    for List { scope, source, pieces } in lists {
        let (account, region) = (scope.account.as_str(), scope.region.as_str());
        let mut rows = query.query(params![view, account, region, source.word(), limit])?;
        let mut found: Option<(Reading, Timestamp)> = None;
        let mut is_read = true;
        while let Some(row) = rows.next()? {
            let as_of = row.get::<_, String>(0)?.parse().ok();
            let piece = decode(*source, row.get_ref(1)?.as_blob()?);
            let (Some(as_of), Some(mut piece)) = (as_of, piece) else {
                is_read = false;
                break;
            };
            alike.share(&mut piece);
            is_read = match &mut found {
                None => {
                    found = Some((piece, as_of));
                    true
                }
                Some((all, _)) => extend(all, piece),
            };
            if !is_read {
                break;
            }
        }
        match found.filter(|_| is_read) {
            Some((reading, as_of)) => {
                let is_whole = extent == Extent::Whole || *pieces == 1;
                kept.push(Kept { scope: scope.clone(), reading, as_of, is_whole });
            }
            None => {
                tracing::warn!(source = source.word(), "a cached section could not be read and is left out");
            }
        }
    }
    Ok(kept)
}

fn write_all(db: &Connection, view: &str, inbox: &Receiver<Job>) {
    let shape = fingerprint();
    let mut next: HashMap<(Scope, Source), Instant> = HashMap::new();
    let mut late: HashMap<(Scope, Source), Job> = HashMap::new();
    let mut written = HashMap::new();
    while let Ok(job) = inbox.recv() {
        let key = (job.scope.as_ref().clone(), job.source);
        if next.get(&key).is_some_and(|at| monotonic() < *at) {
            late.insert(key, job);
            continue;
        }
        late.remove(&key);
        let began = monotonic();
        write(db, view, &shape, job, &mut written);
        let ended = monotonic();
        next.insert(key, ended + LEAST_PAUSE.max((ended - began) * WRITE_SHARE));
    }
    // The run ends: what was passed over for its pace is written now.
    for job in late.into_values() {
        write(db, view, &shape, job, &mut written);
    }
}

/// The values that stand in the cache as they are.
type Written = HashMap<(Scope, Source), Weak<dyn Any + Send + Sync>>;

fn write(db: &Connection, view: &str, shape: &str, job: Job, written: &mut Written) {
    let (key, value) = ((job.scope.as_ref().clone(), job.source), job.body.value.clone());
    let source = job.source;
    let is_there = written.get(&key).is_some_and(|before| is_same(before, &value));
    let done = if is_there { date(db, view, &job) } else { put(db, view, shape, job) };
    match done {
        Ok(true) => {
            written.insert(key, value);
        }
        Ok(false) => {
            written.remove(&key);
        }
        Err(error) => {
            written.remove(&key);
            tracing::warn!(%error, source = source.word(), "a section could not be cached");
        }
    }
}

/// Notes that what is there was found again. Not where another run has written since: this one then writes its own
/// the next time.
fn date(db: &Connection, view: &str, job: &Job) -> rusqlite::Result<bool> {
    let Job { scope, source, as_of, .. } = job;
    let (account, region) = (scope.account.as_str(), scope.region.as_str());
    let dated = db.execute(
        "update piece set as_of = ?5 where view = ?1 and account = ?2 and region = ?3 and source = ?4
         and as_of <= ?5",
        params![view, account, region, source.word(), as_of.to_string()],
    )?;
    Ok(dated > 0)
}

/// Writes a section piece by piece, and all of them or none.
fn put(db: &Connection, view: &str, shape: &str, job: Job) -> rusqlite::Result<bool> {
    let Job { scope, source, as_of, mut body } = job;
    let (account, region) = (scope.account.as_str(), scope.region.as_str());
    let change = db.unchecked_transaction()?;
    change.execute(
        "delete from piece where view = ?1 and account = ?2 and region = ?3 and source = ?4",
        params![view, account, region, source.word()],
    )?;
    for piece in 0_usize.. {
        match (body.encode)(piece) {
            Ok(Some(bytes)) => {
                change
                    .prepare_cached(
                        "insert into piece (shape, view, account, region, source, piece, as_of, body)
                         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )?
                    .execute(params![
                        shape,
                        view,
                        account,
                        region,
                        source.word(),
                        i64::try_from(piece).unwrap_or(i64::MAX),
                        as_of.to_string(),
                        bytes
                    ])?;
            }
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(%error, source = source.word(), "a section has no bytes and is not cached");
                return Ok(false);
            }
        }
    }
    change.commit()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AlarmState, CoreRecord, Tags};

    fn at() -> Timestamp {
        "2026-11-01T10:00:00Z".parse().unwrap()
    }

    fn part() -> Arc<Part> {
        let mut part = Part::new(Arc::new(Scope { account: "a".into(), region: "r".into() }));
        let at = at();
        part.settle(
            Reading::Alarms(vec![crate::model::Alarm {
                name: "cpu \u{1b}[2J".into(),
                arn: "arn".into(),
                state: AlarmState::Alarm,
                reason: None,
                changed_at: Some(at),
                namespace: None,
                metric: None,
                dimensions: vec![("InstanceId".into(), "i-1".into())],
                description: None,
                actions_enabled: true,
            }]),
            at,
            true,
        );
        let core = CoreRecord { id: "c1".into(), port: Some(3567), ..CoreRecord::default() };
        part.settle(Reading::Registry { cores: vec![core], tenants: vec![], faults: vec![] }, at, true);
        part.settle(
            Reading::Templates(vec![crate::model::Template {
                id: "lt-1".into(),
                name: "n".into(),
                default_version: 1,
                latest_version: 2,
                created_at: Some(at),
                created_by: None,
                tags: [("b", "2"), ("a", "1")].into_iter().collect::<Tags>(),
                versions: vec![],
            }]),
            at,
            true,
        );
        Arc::new(part)
    }

    fn kept(file: &Path, view: &str) -> Vec<Kept> {
        let mut cache = Cache::open_at(file, view, at()).unwrap();
        assert!(cache.rest().is_none());
        cache.take()
    }

    #[test]
    fn what_was_kept_is_there_at_the_next_start_and_only_in_its_own_view() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/er/cache.db");
        let part = part();
        let cache = Cache::open_at(&file, "prod", at()).unwrap();
        for source in [Source::Alarms, Source::Registry, Source::Templates, Source::Instances] {
            cache.keep(&part, source);
        }
        drop(cache);
        let found = kept(&file, "prod");
        assert_eq!(found.len(), 3, "{found:?}");
        for one in &found {
            assert_eq!(one.scope, *part.scope);
            let mut again = Part::new(Arc::clone(&part.scope));
            again.settle(one.reading.clone(), one.as_of, true);
            match &one.reading {
                Reading::Alarms(_) => assert_eq!(again.alarms.value, part.alarms.value),
                Reading::Registry { .. } => assert_eq!(again.registry.value, part.registry.value),
                Reading::Templates(_) => assert_eq!(again.templates.value, part.templates.value),
                other => panic!("{other:?} was never kept"),
            }
        }
        assert_eq!(kept(&file, "demo"), []);
    }

    #[test]
    fn a_long_list_comes_back_whole_and_in_order_and_is_written_again_only_when_it_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache.db");
        let mut part = Part::new(Arc::new(Scope { account: "a".into(), region: "r".into() }));
        let agent = |n: usize| crate::model::Agent {
            id: format!("i-{n}").as_str().into(),
            ping: "Online".into(),
            last_ping_at: None,
            version: None,
            platform: None,
        };
        let later = at() + SignedDuration::from_secs(90);
        for (count, at) in [(2_500, at()), (2_500, later), (2_000, later)] {
            part.settle(Reading::Agents((0..count).map(agent).collect()), at, true);
            let cache = Cache::open_at(&file, "prod", at).unwrap();
            cache.keep(&Arc::new(part.clone()), Source::Agents);
            drop(cache);
            let found = kept(&file, "prod");
            let [Kept { reading: Reading::Agents(found), as_of, .. }] = found.as_slice() else {
                panic!("{found:?}")
            };
            assert_eq!((found.len(), *as_of), (count, at));
            assert!(found.iter().enumerate().all(|(n, one)| *one == agent(n)));
        }
        let db = Connection::open(&file).unwrap();
        let mut written = Written::new();
        let job = |part: &Part, as_of| Job {
            scope: Arc::clone(&part.scope),
            source: Source::Agents,
            as_of,
            body: encoder(part, Source::Agents).unwrap(),
        };
        write(&db, "prod", "shape", job(&part, at()), &mut written);
        let bodies = || -> (i64, String) {
            db.query_row("select count(*), max(as_of) from piece where shape = 'shape'", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap()
        };
        assert_eq!(bodies(), (2, at().to_string()));
        part.settle(Reading::Agents((0..2_000).map(agent).collect()), later, true);
        // Written anew it would have this other shape.
        write(&db, "prod", "other", job(&part, later), &mut written);
        assert_eq!(bodies(), (2, later.to_string()), "the same value is only dated");
    }

    #[test]
    fn of_a_large_fleet_the_beginnings_come_first_and_the_rest_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache.db");
        let mut part = Part::clone(&part());
        let many = usize::try_from(AT_ONCE).unwrap() * 1_000;
        let host = |n: usize| {
            let mut it =
                crate::model::Instance { id: format!("i-{n}").as_str().into(), ..Default::default() };
            it.zone = ["a", "b"][n % 2].into();
            Arc::new(it)
        };
        part.settle(Reading::Instances((0..many).map(host).collect()), at(), true);
        let cache = Cache::open_at(&file, "prod", at()).unwrap();
        let part = Arc::new(part);
        [Source::Instances, Source::Alarms].into_iter().for_each(|source| cache.keep(&part, source));
        drop(cache);
        let mut cache = Cache::open_at(&file, "prod", at()).unwrap();
        let first = cache.take();
        let of = |kept: &Kept| match &kept.reading {
            Reading::Instances(rows) => (rows.len(), kept.is_whole),
            Reading::Alarms(rows) => (rows.len() + 10, kept.is_whole),
            other => panic!("{other:?}"),
        };
        assert_eq!(first.iter().map(of).collect::<Vec<_>>(), [(11, true), (1_000, false)]);
        let rest = cache.rest().unwrap().load();
        let [Kept { reading: Reading::Instances(all), is_whole: true, .. }] = rest.as_slice() else {
            panic!("{}", rest.len())
        };
        assert_eq!(Some(all), part.instances.value.as_deref());
        assert!(Arc::ptr_eq(&all[0].make, &all[many - 2].make), "one make for all of a zone");
        assert!(cache.rest().is_none());
    }

    #[test]
    fn a_damaged_file_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache.db");
        fs::write(&file, "this is no database, and long enough to be looked at as one").unwrap();
        assert_eq!(kept(&file, "prod"), []);
        let cache = Cache::open_at(&file, "prod", at()).unwrap();
        cache.keep(&part(), Source::Alarms);
        drop(cache);
        assert_eq!(kept(&file, "prod").len(), 1);
    }

    fn fill(file: &Path) {
        let cache = Cache::open_at(file, "prod", at()).unwrap();
        cache.keep(&part(), Source::Alarms);
    }

    #[test]
    fn damage_that_only_reading_finds_is_begun_anew_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache.db");
        fill(&file);
        // The header stays as it is; every page behind it is not.
        let mut bytes = fs::read(&file).unwrap();
        bytes.iter_mut().skip(100).for_each(|byte| *byte = 0xa5);
        fs::write(&file, &bytes).unwrap();
        fs::write(folder.path().join("cache.db-wal"), "left behind").unwrap();
        assert_eq!(kept(&file, "prod"), []);
        fill(&file);
        assert_eq!(kept(&file, "prod").len(), 1);
    }

    #[test]
    fn a_cache_that_another_holds_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache.db");
        fill(&file);
        let other = Connection::open(&file).unwrap();
        other.execute_batch("begin immediate").unwrap();
        let error = Cache::open_at(&file, "prod", at()).unwrap_err();
        assert!(error.message.contains("without the cache"), "{error}");
        other.execute_batch("rollback").unwrap();
        assert_eq!(kept(&file, "prod").len(), 1, "what it held is still there");
    }

    #[test]
    fn what_is_older_than_a_week_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache.db");
        let later = |hours| at() + SignedDuration::from_hours(hours);
        fill(&file);
        assert_eq!(Cache::open_at(&file, "prod", later(6 * 24)).unwrap().take().len(), 1);
        assert_eq!(Cache::open_at(&file, "prod", later(8 * 24)).unwrap().take(), []);
        assert_eq!(kept(&file, "prod"), []);
    }

    #[test]
    fn a_section_that_waits_holds_nothing_else_of_its_part() {
        let part = part();
        let registry = Arc::downgrade(part.registry.value.as_ref().unwrap());
        let mut body = encoder(&part, Source::Alarms).unwrap();
        drop(part);
        assert_eq!(registry.strong_count(), 0);
        assert!((body.encode)(0).unwrap().is_some() && (body.encode)(1).unwrap().is_none());
    }

    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("coredeck/cache.db");
        drop(Cache::open_at(&file, "prod", at()).unwrap());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
