//! The journal of operations: what was intended, by whom and why, what was asked of AWS, and what came of it.
//!
//! Records are only ever added, and each is chained to the one before by its hash. Whoever runs an operation
//! holds an epoch of it; every record that a runner adds carries that epoch, so that a runner whose operation
//! was taken over adds nothing more. `Ledger` is what the engine needs of it; `Journal` keeps it in SQLite on
//! this machine, and a table that several machines share could stand in its place.

mod bell;
mod chain;
mod db;
mod held;
mod lives;
mod salvage;

pub use bell::Bell;
pub use chain::Chain;
pub use db::Journal;
pub use salvage::Salvage;

use crate::error::{Error, ErrorKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// Who did something, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The user of this machine.
    pub user: String,
    /// This machine.
    pub host: String,
    /// The terminal, where there was one.
    pub terminal: Option<String>,
    /// Where the SSH session came from.
    pub from: Option<String>,
    /// The caller's ARN as AWS knows it.
    pub principal: Option<String>,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.user, self.host)?;
        self.from.as_ref().map_or(Ok(()), |from| write!(f, " from {from}"))
    }
}

/// An operation as it is entered, once and for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpRecord {
    /// Its id.
    pub id: String,
    /// The fleet's name.
    pub fleet: String,
    /// The word for what it does: `drain`.
    pub kind: String,
    /// What it does, in a line.
    pub title: String,
    /// The plan's hash.
    pub plan_id: String,
    /// The plan, as its canonical JSON.
    pub plan: String,
    /// How the fleet is reached: flags that a runner is started with again.
    pub reach: Vec<String>,
    /// Who began it.
    pub who: Who,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// One record of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, which counts up through all operations.
    pub seq: i64,
    /// Which operation.
    pub op: String,
    /// The runner's epoch; 0 for what no runner wrote.
    pub epoch: i64,
    /// When.
    pub at: Timestamp,
    /// The word for what it records.
    pub kind: String,
    /// What it records, as JSON.
    pub body: String,
    /// The hash of the record before.
    pub prev: String,
    /// The hash of this one.
    pub hash: String,
}

/// What somebody asks of a running operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Its number.
    pub seq: i64,
    /// Which operation.
    pub op: String,
    /// `pause`, `resume`, `cancel`, `rollback`, `takeover`
    pub verb: String,
    /// Who asks.
    pub who: Who,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Who runs an operation now, or ran it last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runner {
    /// Counts up with each runner.
    pub epoch: i64,
    /// Who started it.
    pub who: Who,
    /// Its process.
    pub pid: u32,
    /// When it last said that it lives.
    pub beat_at: Timestamp,
    /// It ended in order.
    pub is_over: bool,
}

/// How a target is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grip {
    /// Others may hold it so too.
    Shared,
    /// By one operation alone.
    Alone,
}

impl Grip {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Alone => "alone",
        }
    }
}

/// Why a target cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// What is held.
    pub target: String,
    /// By which operation.
    pub op: String,
    /// What that does.
    pub title: String,
    /// Who began it.
    pub who: Who,
    /// Since when.
    pub since: Timestamp,
}

/// A share of a tier's budget that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim<'a> {
    /// Whose budget: a tier in the fleet.
    pub pool: &'a str,
    /// Targets that would become unavailable, each of which counts once.
    pub wanted: &'a [String],
    /// Targets that are unavailable already, as last seen in AWS.
    pub down: &'a [String],
    /// How many may be unavailable at once.
    pub most: usize,
    /// When `down` was read: what was given back since still counts.
    pub seen_at: Timestamp,
}

/// What went wrong with the journal.
#[derive(Debug)]
pub enum LedgerError {
    /// A target is held by another operation.
    Held(Box<Holder>),
    /// Another runner has the operation.
    Running(Box<Runner>),
    /// A newer runner took the operation over: nothing may be written for the old one.
    Fenced {
        /// The epoch that was written with.
        mine: i64,
        /// The epoch that holds.
        now: i64,
    },
    /// There is no such operation.
    NoSuch(String),
    /// Somebody else has the file locked.
    Locked(PathBuf),
    /// The disk is full.
    Full(PathBuf),
    /// The file cannot be written: a quota, a limit, a disk that fails or may only be read.
    Unwritable(PathBuf, String),
    /// The file is damaged.
    Corrupt(PathBuf, String),
    /// The file was written by a newer version.
    Newer(PathBuf, i64),
    /// Something else.
    Other(String),
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(holder) => write!(
                f,
                "{} is held by operation {} ({}) of {} since {}",
                holder.target, holder.op, holder.title, holder.who, holder.since
            ),
            Self::Running(runner) => {
                write!(f, "it is being run by {} (process {})", runner.who, runner.pid)
            }
            Self::Fenced { mine, now } => {
                write!(f, "another runner took over (epoch {now}, this one had {mine})")
            }
            Self::NoSuch(id) => write!(f, "there is no operation {id}"),
            Self::Locked(file) => write!(f, "the journal {} is locked by another process", file.display()),
            Self::Full(file) => write!(f, "the disk of the journal {} is full", file.display()),
            Self::Unwritable(file, why) => {
                write!(f, "the journal {} cannot be written: {why}", file.display())
            }
            Self::Corrupt(file, why) => write!(f, "the journal {} is damaged: {why}", file.display()),
            Self::Newer(file, shape) => {
                write!(f, "the journal {} was written by a newer version (shape {shape})", file.display())
            }
            Self::Other(why) => write!(f, "the journal failed: {why}"),
        }
    }
}

impl std::error::Error for LedgerError {}

impl From<LedgerError> for Error {
    fn from(error: LedgerError) -> Self {
        let said = error.to_string();
        match error {
            LedgerError::Held(holder) => Self::new(ErrorKind::Held, said)
                .hint(format!("`coredeck op show {}` says how far it is", holder.op))
                .hint(format!("`coredeck op watch {}` waits for its end", holder.op)),
            LedgerError::Running(_) => Self::new(ErrorKind::Held, said)
                .hint("`coredeck op watch` follows it; `coredeck op takeover` takes it over"),
            LedgerError::Fenced { .. } => Self::new(ErrorKind::Held, said)
                .hint("nothing more was done here; `coredeck op show` says who runs it now"),
            LedgerError::NoSuch(_) => Self::usage(said).hint("`coredeck op list` lists them"),
            LedgerError::Locked(_) => Self::failed(said).hint(
                "`coredeck op list` and `coredeck op export` still read it; end what holds it, and try again",
            ),
            LedgerError::Full(_) => Self::failed(said).hint(
                "nothing is done without a record; free some space, then `coredeck op resume OPERATION`",
            ),
            LedgerError::Unwritable(..) => Self::failed(said)
                .hint("nothing is done without a record; look for a quota, a limit on files or a failing disk")
                .hint(
                    "`coredeck op list` and `coredeck op export` still read it; then `coredeck op resume OPERATION`",
                ),
            LedgerError::Corrupt(..) => Self::failed(said)
                .hint("`coredeck op list` and `coredeck op export` read what can be read")
                .hint("after an export move the file aside: a new one is begun"),
            LedgerError::Newer(..) => Self::failed(said).hint("use that version, or newer"),
            LedgerError::Other(_) => Self::failed(said),
        }
    }
}

/// The result of everything that asks the journal.
pub type Result<T> = std::result::Result<T, LedgerError>;

/// What the engine needs of a journal. Every method is one transaction: it happens whole or not at all, and
/// what it wrote is on the disk when it returns.
pub trait Ledger: Send + Sync {
    /// Enters an operation and takes hold of all its targets, or of none.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Held`] names the first target, in order, that another operation holds.
    fn begin(&self, record: &OpRecord, holds: &[(String, Grip)]) -> Result<()>;

    /// Becomes the runner of an operation, and returns the new epoch. `force` takes it from one that lives.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Running`] while another runner lives.
    fn claim(&self, op: &str, who: &Who, at: Timestamp, force: bool) -> Result<i64>;

    /// Says that the runner lives.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Fenced`] when it is the runner no more.
    fn beat(&self, op: &str, epoch: i64, at: Timestamp) -> Result<()>;

    /// Ends the runner. `done` gives back what the operation holds: it is over for good.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Fenced`] when it is the runner no more.
    fn release(&self, op: &str, epoch: i64, at: Timestamp, done: bool) -> Result<()>;

    /// Takes hold of the targets of an operation that gave them back.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Held`], as for [`Ledger::begin`].
    fn hold(&self, op: &str, holds: &[(String, Grip)], at: Timestamp) -> Result<()>;

    /// Adds a record under an epoch.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Fenced`] when another runner took over.
    fn append(&self, op: &str, epoch: i64, at: Timestamp, kind: &str, body: &str) -> Result<Entry>;

    /// Takes as many of the wanted targets as the budget has room for, in order, and returns them. What the
    /// operation has taken already is returned again and counts once.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Fenced`] when another runner took over.
    fn reserve(&self, op: &str, epoch: i64, claim: &Claim<'_>) -> Result<Vec<String>>;

    /// Gives a target's share of a budget back.
    ///
    /// # Errors
    ///
    /// The journal's own.
    fn give_back(&self, op: &str, pool: &str, target: &str, at: Timestamp) -> Result<()>;

    /// Asks something of an operation's runner, and wakes it.
    ///
    /// # Errors
    ///
    /// The journal's own.
    fn ask(&self, op: &str, verb: &str, who: &Who, reason: Option<&str>, at: Timestamp) -> Result<Request>;

    /// What was asked of an operation after this number, in order.
    ///
    /// # Errors
    ///
    /// The journal's own.
    fn requests(&self, op: &str, after: i64) -> Result<Vec<Request>>;

    /// The operations, newest first.
    ///
    /// # Errors
    ///
    /// The journal's own.
    fn ops(&self, most: usize) -> Result<Vec<OpRecord>>;

    /// One operation, by its id or the beginning of it.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NoSuch`] when there is none, or more than one begins so.
    fn op(&self, id: &str) -> Result<OpRecord>;

    /// The records of an operation after this number, in order.
    ///
    /// # Errors
    ///
    /// The journal's own.
    fn entries(&self, op: &str, after: i64) -> Result<Vec<Entry>>;

    /// Who runs an operation, or ran it last, and whether that runner lives.
    ///
    /// # Errors
    ///
    /// The journal's own.
    fn runner(&self, op: &str) -> Result<Option<(Runner, bool)>>;
}
