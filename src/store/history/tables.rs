//! The tables of the history: made, brought from older shapes to this one, and set aside when damaged.

use crate::store::{own, private_folder};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long another run may hold the file.
const BUSY: Duration = Duration::from_secs(2);

/// What each shape adds to the one before; the number of steps that a file has had is its `user_version`.
/// A step is never changed once it has been released: what is there is only ever added to.
const STEPS: [&str; 2] = [
    // The lists: what was found in a place, in frames. The first of a chain is whole, each other one says what
    // became of the one before. `until_us` is when the same was last found.
    "create table section (
        id integer primary key, view text not null, account text not null, region text not null,
        source text not null, unique (view, account, region, source)
     );
     create table frame (
        id integer primary key, section integer not null references section (id),
        at_us integer not null, until_us integer not null, chain integer not null,
        rows integer not null, body blob not null, unique (section, at_us)
     );",
    // The figures: spans in which each held a value.
    "create table course (
        id integer primary key, view text not null, subject text not null, measure text not null,
        unique (view, subject, measure)
     );
     create table held (
        course integer not null references course (id), from_us integer not null,
        until_us integer not null, value real not null, primary key (course, from_us)
     ) without rowid;",
];

/// Why a history cannot be opened.
#[derive(Debug)]
pub(super) enum Closed {
    /// SQLite says so.
    Database(rusqlite::Error),
    /// The folder or the file cannot be made or moved.
    Disk(std::io::Error),
    /// A newer version of the program wrote it.
    Newer,
}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(why) => write!(f, "{why}"),
            Self::Disk(why) => write!(f, "{why}"),
            Self::Newer => f.write_str("a newer version of coredeck wrote it"),
        }
    }
}

impl From<rusqlite::Error> for Closed {
    fn from(why: rusqlite::Error) -> Self {
        Self::Database(why)
    }
}

impl From<std::io::Error> for Closed {
    fn from(why: std::io::Error) -> Self {
        Self::Disk(why)
    }
}

/// A database that is ready, and where the damaged one that stood in its place is now.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) db: Connection,
    pub(super) aside: Option<PathBuf>,
}

/// Opens the history of a file, or one in memory, and makes what is missing. A damaged file is set aside, never
/// removed.
pub(super) fn open(file: Option<&Path>, now: Timestamp) -> Result<Opened, Closed> {
    let Some(file) = file else {
        let mut db = Connection::open_in_memory()?;
        db.pragma_update(None, "foreign_keys", "ON")?;
        step(&mut db)?;
        return Ok(Opened { db, aside: None });
    };
    private_folder(file.parent().unwrap_or(Path::new(".")))?;
    match prepared(file) {
        Err(Closed::Database(why)) if is_damage(&why) => {
            let aside = set_aside(file, now)?;
            Ok(Opened { db: prepared(file)?, aside: Some(aside) })
        }
        other => Ok(Opened { db: other?, aside: None }),
    }
}

/// Opens what is there to be read, without making anything; none where there is nothing.
pub(super) fn existing(file: &Path) -> Result<Option<Connection>, Closed> {
    if !file.exists() {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(file, flags)?;
    db.busy_timeout(BUSY)?;
    db.pragma_update(None, "foreign_keys", "ON")?;
    step(&mut db)?;
    Ok(Some(db))
}

/// Tells whether nothing can be got out of a database any more.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

fn prepared(file: &Path) -> Result<Connection, Closed> {
    let mut db = Connection::open(file)?;
    own(file);
    db.busy_timeout(BUSY)?;
    crate::store::thrifty(&db)?;
    // Holds only for a file that is made now; pages that are free can then be given back to the disk.
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    // What another run has cut away is then missed by this one, and begun again.
    db.pragma_update(None, "foreign_keys", "ON")?;
    // What was cut off or overwritten in the middle shows only when it is looked at.
    let told: String = db.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    if told != "ok" {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        return Err(rusqlite::Error::SqliteFailure(code, Some(told)).into());
    }
    step(&mut db)?;
    Ok(db)
}

/// Brings the tables to this version's shape, step by step.
fn step(db: &mut Connection) -> Result<(), Closed> {
    let done = |db: &Connection| {
        let done = db.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
        done.map(|done| usize::try_from(done).unwrap_or(usize::MAX))
    };
    if done(db)? == STEPS.len() {
        return Ok(());
    }
    let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Another run may have been faster.
    let had = done(&change)?;
    if had > STEPS.len() {
        return Err(Closed::Newer);
    }
    for step in STEPS.iter().skip(had) {
        change.execute_batch(step)?;
    }
    change.pragma_update(None, "user_version", i64::try_from(STEPS.len()).unwrap_or_default())?;
    change.commit()?;
    Ok(())
}

/// Moves a damaged file out of the way, with what SQLite keeps beside it.
fn set_aside(file: &Path, now: Timestamp) -> std::io::Result<PathBuf> {
    let with = |end: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let aside = with(&format!(".damaged-{}", now.as_second()));
    std::fs::rename(file, &aside)?;
    for beside in ["-wal", "-shm"] {
        match std::fs::remove_file(with(beside)) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-01T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_file_of_the_first_shape_is_brought_to_this_one_with_all_that_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        let old = Connection::open(&file).unwrap();
        old.execute_batch(STEPS[0]).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        old.execute_batch(
            "insert into section values (1, 'v', 'a', 'r', 'alarms');
             insert into frame values (1, 1, 5, 6, 0, 1, x'00');",
        )
        .unwrap();
        drop(old);
        let opened = open(Some(&file), now()).unwrap();
        let count = |table: &str| -> i64 {
            opened.db.query_row(&format!("select count(*) from {table}"), [], |row| row.get(0)).unwrap()
        };
        assert_eq!((count("frame"), count("held")), (1, 0));
        assert_eq!(opened.aside, None);
    }

    #[test]
    fn what_a_newer_version_wrote_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        drop(open(Some(&file), now()).unwrap());
        Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(open(Some(&file), now()), Err(Closed::Newer)));
        assert!(matches!(existing(&file), Err(Closed::Newer)));
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        let noise = "this is no database, and long enough to be looked at as one".repeat(40);
        std::fs::write(&file, &noise).unwrap();
        let aside = open(Some(&file), now()).unwrap().aside.unwrap();
        assert_eq!(std::fs::read_to_string(aside).unwrap(), noise);
        assert!(open(Some(&file), now()).unwrap().aside.is_none());
    }

    #[test]
    fn damage_in_the_middle_is_found_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        drop(open(Some(&file), now()).unwrap());
        let mut bytes = std::fs::read(&file).unwrap();
        bytes.iter_mut().skip(4096).for_each(|byte| *byte = 0xa5);
        std::fs::write(&file, &bytes).unwrap();
        assert!(open(Some(&file), now()).unwrap().aside.is_some());
    }

    #[test]
    fn a_file_that_another_holds_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("history.db");
        drop(open(Some(&file), now()).unwrap());
        let other = Connection::open(&file).unwrap();
        other.execute_batch("pragma locking_mode = exclusive; begin exclusive; create table t (x);").unwrap();
        assert!(matches!(open(Some(&file), now()), Err(Closed::Database(_))));
        drop(other);
        assert!(open(Some(&file), now()).unwrap().aside.is_none());
    }
}
