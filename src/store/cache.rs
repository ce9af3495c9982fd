//! The last good reading of every section, by place. Losing it costs a second at the next start, nothing else:
//! it is written without waiting for the disk, and a file that cannot be understood is begun anew.

use super::body::{decode, encode, fingerprint};
use super::{own, private_folder};
use crate::clock::monotonic;
use crate::error::Error;
use crate::gateway::{Reading, Source};
use crate::model::Scope;
use crate::snapshot::Part;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Sections waiting to be written. When the disk is slower than AWS, newer readings are passed over:
/// the next one of the same section will do.
const WAITING: usize = 64;
/// A section is written at most this often,
const LEAST_PAUSE: Duration = Duration::from_secs(60);
/// and writing takes at most this share of the time.
const WRITE_SHARE: u32 = 20;

/// A reading of an earlier run.
#[derive(Debug, PartialEq)]
pub struct Kept {
    /// Where it was read.
    pub scope: Scope,
    /// What.
    pub reading: Reading,
    /// When.
    pub as_of: Timestamp,
}

/// A cache on disk, with a thread of its own that writes it. Dropping it writes what still waits.
#[derive(Debug)]
pub struct Cache {
    jobs: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
    kept: Vec<Kept>,
}

struct Job {
    part: Arc<Part>,
    source: Source,
}

impl Cache {
    /// Opens the cache in `file`, for one view of the world: `view` names everything that decides what is
    /// seen (fleet, endpoint, logins), so that a demo's rows never appear as production's.
    ///
    /// # Errors
    ///
    /// The folder cannot be made, or the database can be neither opened nor begun anew.
    pub fn open(file: &Path, view: &str) -> Result<Self, Error> {
        let folder = file.parent().unwrap_or(Path::new("."));
        let failed = |error: &dyn std::fmt::Display| {
            Error::failed(format!("cannot open the cache {}: {error}", file.display()))
                .hint("nothing but a slower start is lost; make the folder writable, or set XDG_CACHE_HOME")
        };
        private_folder(folder).map_err(|error| failed(&error))?;
        let db = match connect(file) {
            Ok(db) => db,
            Err(error) => {
                tracing::warn!(%error, file = %file.display(), "the cache is damaged and begun anew");
                fs::remove_file(file).map_err(|error| failed(&error))?;
                connect(file).map_err(|error| failed(&error))?
            }
        };
        let kept = load(&db, view).map_err(|error| failed(&error))?;
        let (jobs, inbox) = sync_channel(WAITING);
        let view = view.to_owned();
        let writer = std::thread::Builder::new()
            .name("cache".to_owned())
            .spawn(move || write_all(&db, &view, &inbox))
            .map_err(|error| failed(&error))?;
        Ok(Self { jobs: Some(jobs), writer: Some(writer), kept })
    }

    /// What earlier runs left; each call after the first finds nothing.
    pub fn take(&mut self) -> Vec<Kept> {
        std::mem::take(&mut self.kept)
    }

    /// Keeps the value that a section has now. Never waits.
    pub fn keep(&self, part: &Arc<Part>, source: Source) {
        if let Some(jobs) = &self.jobs {
            // Full, or the writer has ended: either way the section is only a little older next time.
            drop(jobs.try_send(Job { part: Arc::clone(part), source }));
        }
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

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(file)?;
    own(file);
    db.busy_timeout(Duration::from_secs(2))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "OFF")?;
    db.execute_batch(
        "create table if not exists section (
            shape text not null, view text not null, account text not null, region text not null,
            source text not null, as_of text not null, body blob not null,
            primary key (view, account, region, source)
        ) without rowid;",
    )?;
    db.execute("delete from section where shape <> ?1", [fingerprint()])?;
    Ok(db)
}

fn load(db: &Connection, view: &str) -> rusqlite::Result<Vec<Kept>> {
    let mut query = db.prepare("select account, region, source, as_of, body from section where view = ?1")?;
    let rows = query.query_map([view], |row| {
        let text = |at: usize| row.get::<_, String>(at);
        Ok((text(0)?, text(1)?, text(2)?, text(3)?, row.get::<_, Vec<u8>>(4)?))
    })?;
    let mut kept = Vec::new();
    for row in rows {
        let (account, region, source, as_of, body) = row?;
        let source = Source::ALL.into_iter().find(|known| known.word() == source);
        let as_of: Option<Timestamp> = as_of.parse().ok();
        let (Some(source), Some(as_of)) = (source, as_of) else { continue };
        let Some(reading) = decode(source, &body) else {
            tracing::warn!(source = source.word(), "a cached section could not be read and is left out");
            continue;
        };
        kept.push(Kept { scope: Scope { account: account.into(), region: region.into() }, reading, as_of });
    }
    Ok(kept)
}

fn write_all(db: &Connection, view: &str, inbox: &Receiver<Job>) {
    let mut next: HashMap<(Scope, Source), Instant> = HashMap::new();
    let mut late: HashMap<(Scope, Source), Job> = HashMap::new();
    while let Ok(job) = inbox.recv() {
        let key = (job.part.scope.as_ref().clone(), job.source);
        if next.get(&key).is_some_and(|at| monotonic() < *at) {
            late.insert(key, job);
            continue;
        }
        late.remove(&key);
        let began = monotonic();
        write(db, view, &job);
        let ended = monotonic();
        next.insert(key, ended + LEAST_PAUSE.max((ended - began) * WRITE_SHARE));
    }
    // The run ends: what was passed over for its pace is written now.
    for job in late.values() {
        write(db, view, job);
    }
}

fn write(db: &Connection, view: &str, job: &Job) {
    let Some(body) = encode(&job.part, job.source) else { return };
    let Some(as_of) = job.part.standing(job.source).as_of else { return };
    let scope = &job.part.scope;
    let written = db.execute(
        "insert or replace into section (shape, view, account, region, source, as_of, body)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            fingerprint(),
            view,
            scope.account.as_str(),
            scope.region.as_str(),
            job.source.word(),
            as_of.to_string(),
            body
        ],
    );
    if let Err(error) = written {
        tracing::warn!(%error, source = job.source.word(), "a section could not be cached");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AlarmState, CoreRecord, Tags};

    fn part() -> Arc<Part> {
        let mut part = Part::new(Arc::new(Scope { account: "a".into(), region: "r".into() }));
        let at = "2026-11-01T10:00:00Z".parse().unwrap();
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
        Cache::open(file, view).unwrap().take()
    }

    #[test]
    fn what_was_kept_is_there_at_the_next_start_and_only_in_its_own_view() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/er/cache.db");
        let part = part();
        let cache = Cache::open(&file, "prod").unwrap();
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
    fn a_damaged_file_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache.db");
        fs::write(&file, "this is no database, and long enough to be looked at as one").unwrap();
        assert_eq!(kept(&file, "prod"), []);
        let cache = Cache::open(&file, "prod").unwrap();
        cache.keep(&part(), Source::Alarms);
        drop(cache);
        assert_eq!(kept(&file, "prod").len(), 1);
    }

    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("coredeck/cache.db");
        drop(Cache::open(&file, "prod").unwrap());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
