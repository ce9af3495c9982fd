//! What was read in the last days: lists as frames that say only what changed, figures as courses.
//!
//! A thread of its own writes while the run goes on, and answers what the fleet was at a moment. Losing the
//! file loses a look back, nothing else; but whatever goes wrong with it is told, and a damaged one is set aside.

mod courses;
mod delta;
mod facts;
mod frames;
mod prune;
mod row;
mod tables;
#[cfg(test)]
mod tests;

pub use facts::{HistoryFacts, ListFacts, MeasureFacts, cut_history, history_facts};

use crate::error::Error;
use crate::gateway::Source;
use crate::model::{Scope, Trouble, TroubleKind};
use crate::snapshot::{Part, Sample, Trends};
use courses::Courses;
use frames::{Frames, Wrong};
use jiff::{SignedDuration, Timestamp};
use row::Rows;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Readings waiting to be written. When the disk is slower than AWS, newer ones are passed over: they are
/// missing from the look back, and the next one of the same list is not.
const WAITING: usize = 64;
/// Frames after which the limits are looked at again,
const PRUNE_AFTER: usize = 64;
/// and the longest that they are not.
const PRUNE_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// Courses that are held in memory, of so many hours.
pub const COURSES: usize = 5_000;
/// How far back courses are held in memory.
pub const TREND_SPAN: SignedDuration = SignedDuration::from_hours(24);

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What is older goes.
    pub keep: Duration,
    /// The most bytes that the file may take.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { keep: Duration::from_secs(7 * 24 * 3600), bytes: 64 << 20 }
    }
}

/// The history of one view of the world, being written. Dropping it writes what still waits.
#[derive(Debug)]
pub struct History {
    jobs: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
    told: Arc<Mutex<Told>>,
}

/// What the writer tells.
#[derive(Debug, Default)]
struct Told {
    trends: Option<Trends>,
    since: Option<Timestamp>,
    trouble: Option<Arc<str>>,
}

/// The parts of a fleet as they were; one of which nobody knew anything is left out.
pub type Then = Result<Vec<Part>, Arc<str>>;

enum Job {
    Keep { scope: Arc<Scope>, source: Source, as_of: Timestamp, rows: Rows },
    Note(Vec<Sample>),
    At(Timestamp, SyncSender<Then>),
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

impl History {
    /// Begins to keep the history in `file`, or in memory for as long as the run lasts. `view` names
    /// everything that decides what is seen, so that a demo's rows never appear as production's. What is
    /// wrong with the file is told by `trouble`, not here: the fleet shows before it has been looked at.
    ///
    /// # Errors
    ///
    /// The thread cannot be started.
    pub fn open(file: Option<PathBuf>, view: &str, limits: Limits, now: Timestamp) -> Result<Self, Error> {
        let (jobs, inbox) = sync_channel(WAITING);
        let told = Arc::new(Mutex::new(Told::default()));
        let (view, heard) = (view.to_owned(), Arc::clone(&told));
        let writer = std::thread::Builder::new()
            .name("history".to_owned())
            .spawn(move || work(file.as_deref(), view, limits, now, &inbox, &heard))
            .map_err(|why| Error::failed("the history cannot be kept").because(why))?;
        Ok(Self { jobs: Some(jobs), writer: Some(writer), told })
    }

    /// Keeps the list that a section has now. Never waits.
    pub fn keep(&self, part: &Arc<Part>, source: Source) {
        let Some(as_of) = part.standing(source).as_of else { return };
        if let Some(rows) = row::rows(part, source) {
            self.send(Job::Keep { scope: Arc::clone(&part.scope), source, as_of, rows });
        }
    }

    /// Keeps the list that a section has now, however long what waits before it takes: for whoever has nothing
    /// else to do.
    pub fn keep_patiently(&self, part: &Arc<Part>, source: Source) {
        let Some(as_of) = part.standing(source).as_of else { return };
        if let (Some(rows), Some(jobs)) = (row::rows(part, source), &self.jobs) {
            // Ended: `close` says why.
            drop(jobs.send(Job::Keep { scope: Arc::clone(&part.scope), source, as_of, rows }));
        }
    }

    /// Writes what still waits. Returns what is wrong with the history, in one sentence.
    pub fn close(mut self) -> Option<Arc<str>> {
        self.end();
        self.trouble()
    }

    fn end(&mut self) {
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::warn!("the history's writer ended abnormally");
        }
    }

    /// Keeps figures. Never waits.
    pub fn note(&self, samples: Vec<Sample>) {
        if !samples.is_empty() {
            self.send(Job::Note(samples));
        }
    }

    fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // Full: the reading is missing from the look back. Ended: `trouble` says why.
            drop(jobs.try_send(job));
        }
    }

    /// Asks for the fleet as it was. The answer comes when what waits before it has been written; none when
    /// nothing is kept any more.
    pub fn at(&self, at: Timestamp) -> Option<Receiver<Then>> {
        let (reply, answer) = sync_channel(1);
        self.jobs.as_ref()?.send(Job::At(at, reply)).ok()?;
        Some(answer)
    }

    /// The courses that earlier runs left, as soon as they have been read; each call after that finds nothing.
    pub fn take_trends(&self) -> Option<Trends> {
        lock(&self.told).trends.take()
    }

    /// The first moment that can be shown again; none while nothing is kept.
    pub fn since(&self) -> Option<Timestamp> {
        lock(&self.told).since
    }

    /// What is wrong with the history, in one sentence.
    pub fn trouble(&self) -> Option<Arc<str>> {
        lock(&self.told).trouble.clone()
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.end();
    }
}

fn work(
    file: Option<&Path>,
    view: String,
    limits: Limits,
    now: Timestamp,
    inbox: &Receiver<Job>,
    told: &Mutex<Told>,
) {
    let opened = match tables::open(file, now) {
        Ok(opened) => opened,
        Err(why) => {
            let where_ = file.map(|file| format!(" {}", file.display())).unwrap_or_default();
            tell(
                told,
                format!("nothing of this run is kept for later: the history{where_} cannot be used: {why}"),
            );
            // Whoever asks for the past is told so.
            while let Ok(job) = inbox.recv() {
                if let Job::At(_, reply) = job {
                    let trouble = lock(told).trouble.clone().unwrap_or_default();
                    // Nobody waits any more.
                    let _ = reply.send(Err(trouble));
                }
            }
            return;
        }
    };
    let mut pen = Pen {
        db: opened.db,
        view,
        limits,
        frames: Frames::default(),
        courses: Courses::default(),
        told,
        now,
        pruned_at: Timestamp::MIN,
        added: 0,
        too_large: Vec::new(),
        is_failing: false,
    };
    if let Some(aside) = opened.aside {
        tell(told, format!("the history was damaged and is begun anew; the old one is {}", aside.display()));
    }
    pen.begin();
    while let Ok(job) = inbox.recv() {
        pen.take(job);
    }
    pen.end();
}

fn tell(told: &Mutex<Told>, sentence: String) {
    tracing::warn!("{sentence}");
    lock(told).trouble = Some(sentence.into());
}

/// What the writer's thread holds.
struct Pen<'a> {
    db: Connection,
    view: String,
    limits: Limits,
    frames: Frames,
    courses: Courses,
    told: &'a Mutex<Told>,
    /// The latest moment that was read of.
    now: Timestamp,
    pruned_at: Timestamp,
    /// Frames since the limits were looked at.
    added: usize,
    /// Lists of which one picture alone takes too much.
    too_large: Vec<String>,
    /// The last write failed.
    is_failing: bool,
}

impl Pen<'_> {
    fn begin(&mut self) {
        let from = self.now.saturating_sub(TREND_SPAN).unwrap_or(Timestamp::MIN);
        match courses::trends(&self.db, &self.view, (from, Timestamp::MAX), COURSES) {
            Ok(trends) => lock(self.told).trends = Some(trends),
            Err(why) => self.failed(&why),
        }
        self.prune();
    }

    fn failed(&mut self, why: &dyn std::fmt::Display) {
        self.is_failing = true;
        tell(
            self.told,
            format!("what is read now is not kept for later: the history cannot be written: {why}"),
        );
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Keep { scope, source, as_of, rows } => {
                if self.too_large.contains(&name(&scope, source)) {
                    return;
                }
                self.now = self.now.max(as_of);
                let place = (scope.as_ref(), source);
                let mut kept = self.frames.keep(&mut self.db, &self.view, place, as_of, &rows);
                if kept.is_err() {
                    // Another run may have cut away what this one remembers.
                    self.frames.forget();
                    kept = self.frames.keep(&mut self.db, &self.view, place, as_of, &rows);
                }
                self.written(kept.map(usize::from));
            }
            Job::Note(samples) => {
                let mut noted = self.courses.note(&mut self.db, &self.view, &samples);
                if noted.is_err() {
                    self.courses.forget();
                    noted = self.courses.note(&mut self.db, &self.view, &samples);
                }
                self.written(noted.map(|()| 0).map_err(Wrong::from));
            }
            Job::At(at, reply) => {
                let then = self.frames.close(&self.db).and_then(|()| self.courses.close(&self.db));
                let then = then.map_err(Wrong::from).and_then(|()| parts(&self.db, &self.view, at));
                // Nobody waits any more.
                let _ = reply.send(then.map_err(|why| format!("the history cannot be read: {why}").into()));
            }
        }
    }

    fn written(&mut self, outcome: Result<usize, Wrong>) {
        match outcome {
            Ok(added) => {
                if self.is_failing {
                    self.is_failing = false;
                    lock(self.told).trouble = None;
                }
                self.added += added;
                let is_late = self.now.duration_since(self.pruned_at) >= PRUNE_EVERY;
                if is_late || self.added >= PRUNE_AFTER || (added > 0 && self.is_too_much()) {
                    self.prune();
                } else if self.is_beginning() {
                    self.tell_since();
                }
            }
            Err(why) => self.failed(&why),
        }
    }

    /// Tells whether lists of the first reading may still come.
    fn is_beginning(&self) -> bool {
        let since = lock(self.told).since;
        since.is_none_or(|since| self.now.duration_since(since) <= facts::ROUND)
    }

    fn is_too_much(&self) -> bool {
        prune::size(&self.db).is_ok_and(|size| size > self.limits.bytes)
    }

    fn prune(&mut self) {
        // What it holds must be written before it is cut, and is not what it was afterwards.
        let closed = self.frames.close(&self.db).and_then(|()| self.courses.close(&self.db));
        let cut =
            closed.map_err(Wrong::from).and_then(|()| prune::prune(&mut self.db, self.limits, self.now));
        self.frames.forget();
        self.courses.forget();
        (self.pruned_at, self.added) = (self.now, 0);
        match cut {
            Ok(cut) if cut.too_large.is_empty() => {}
            Ok(cut) => {
                let (lists, most) = (cut.too_large.join(", "), self.limits.bytes >> 20);
                self.too_large.extend(cut.too_large);
                tell(
                    self.told,
                    format!(
                        "{lists}: not kept for later; one picture alone takes more than the {most} MiB of `history.size`"
                    ),
                );
            }
            Err(why) => self.failed(&why),
        }
        self.tell_since();
    }

    fn tell_since(&self) {
        match facts::since(&self.db, &self.view) {
            Ok(since) => lock(self.told).since = since,
            Err(error) => tracing::warn!(%error, "the history's span could not be read"),
        }
    }

    fn end(&mut self) {
        if let Err(error) = self.frames.close(&self.db).and_then(|()| self.courses.close(&self.db)) {
            tracing::warn!(%error, "the end of the history could not be written");
        }
    }
}

/// What a list is called.
fn name(scope: &Scope, source: Source) -> String {
    format!("{} of {}/{}", source.word(), scope.account, scope.region)
}

/// The fleet as it was: a part for every place of which something is known.
fn parts(db: &Connection, view: &str, at: Timestamp) -> Result<Vec<Part>, Wrong> {
    let mut parts: BTreeMap<Scope, Part> = BTreeMap::new();
    let mut query =
        db.prepare("select id, account, region, source from section where view = ?1 order by id")?;
    let sections = query.query_map([view], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, String>(3)?,
        ))
    })?;
    for section in sections {
        let (id, account, region, source) = section?;
        let Some(source) = Source::ALL.into_iter().find(|known| known.word() == source) else { continue };
        let scope = Scope { account: account.into(), region: region.into() };
        let Some(then) = frames::at(db, id, source, at)? else { continue };
        let part = parts.entry(scope.clone()).or_insert_with(|| Part::new(Arc::new(scope)));
        part.settle(then.reading, then.as_of, then.lost == 0);
        if then.lost > 0 {
            part.failed(source, unreadable(source, then.lost, then.as_of));
        }
    }
    for (scope, (reading, as_of)) in courses::metrics(db, view, at)? {
        let part = parts.entry(scope.clone()).or_insert_with(|| Part::new(Arc::new(scope)));
        part.settle(reading, as_of, true);
    }
    Ok(parts.into_values().collect())
}

fn unreadable(source: Source, lost: usize, at: Timestamp) -> Trouble {
    Trouble {
        kind: TroubleKind::Garbled,
        call: "history".into(),
        code: None,
        message: format!("{lost} of the {} kept then cannot be read by this version", source.word()),
        hint: Some("another version of coredeck kept them: look with that one".to_owned()),
        request_id: None,
        at,
    }
}

/// The fleet of a view as it was, from a file that a run may be writing meanwhile.
///
/// # Errors
///
/// There is no history yet, or it cannot be read.
pub fn kept_at(file: &Path, view: &str, at: Timestamp) -> Result<Vec<Part>, Error> {
    let db = facts::existing(file)?.ok_or_else(|| facts::none_kept(file))?;
    parts(&db, view, at).map_err(|why| facts::unreadable(file, &why))
}

/// How the figures of a view went from a moment on, from a file that a run may be writing meanwhile; nothing where
/// there is no history yet.
///
/// # Errors
///
/// It cannot be read.
pub fn kept_trends(file: &Path, view: &str, from: Timestamp) -> Result<Trends, Error> {
    let Some(db) = facts::existing(file)? else { return Ok(Trends::default()) };
    let found = courses::trends(&db, view, (from, Timestamp::MAX), COURSES);
    found.map_err(|why| facts::unreadable(file, &why))
}
