//! What a screen sees of operations and what it asks for, as values: the register comes down, orders go up, and
//! answers come back. Whoever stands behind the counter holds the journal and the clients; who stands before it
//! holds neither.

use super::event::{Event, Verb};
use super::intent::Intent;
use super::plan::Plan;
use super::rollback::{Taken, taken, taken_back};
use super::state::OpState;
use crate::error::Error;
use crate::logs::{Gaze, Line, Said, Sought};
use crate::model::Text;
use futures::future::BoxFuture;
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Both ends that a screen holds.
#[derive(Debug)]
pub struct Counter {
    /// The journal's operations after every change.
    pub register: watch::Receiver<Arc<Register>>,
    /// What is asked for.
    pub orders: mpsc::Sender<Order>,
    /// What comes of it.
    pub answers: mpsc::Receiver<Answer>,
}

/// The operations of the journal, newest first.
#[derive(Clone, Debug, Default)]
pub struct Register {
    /// Those that are not over, and the latest of the others.
    pub ops: Vec<Arc<Listed>>,
    /// Why the journal cannot be read, and what to do.
    pub trouble: Option<String>,
    /// It was read once, or could not be.
    pub is_read: bool,
}

/// An operation of the register.
#[derive(Clone, Debug)]
pub struct Listed {
    /// How it stands.
    pub op: OpState,
    /// Whether a runner has it now.
    pub lives: bool,
    /// Everything that was recorded of it, in order.
    pub log: Vec<Logged>,
}

/// One record as a person reads it.
#[derive(Clone, Debug)]
pub struct Logged {
    /// When.
    pub at: Timestamp,
    /// What happened; none where the record cannot be understood.
    pub event: Option<Event>,
    /// The same in a line.
    pub text: String,
}

impl Register {
    /// The operation of that id.
    pub fn find(&self, id: &str) -> Option<&Arc<Listed>> {
        self.ops.iter().find(|listed| listed.op.record.id == id)
    }

    /// All of them by their states alone.
    pub fn states(&self) -> Vec<&OpState> {
        self.ops.iter().map(|listed| &listed.op).collect()
    }

    /// Why an operation that is over is not taken back once more; none where it may be.
    pub fn taken(&self, id: &str) -> Option<Taken> {
        let states = self.states();
        let by = taken_back(id, &states)?;
        let lives = self.find(&by.by).is_some_and(|listed| listed.lives);
        taken(id, &by, lives, &states)
    }

    /// What can be asked of an operation as it stands among the others.
    pub fn offers(&self, listed: &Listed) -> Vec<Verb> {
        let mut offers = listed.op.offers(listed.lives);
        if listed.op.ended.is_some() && self.taken(&listed.op.record.id).is_some() {
            offers.retain(|verb| *verb != Verb::Rollback);
        }
        offers
    }

    /// Those that are not over.
    pub fn open(&self) -> impl Iterator<Item = &Arc<Listed>> {
        self.ops.iter().filter(|listed| listed.op.ended.is_none())
    }
}

/// What a screen asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Make a plan. One that is still being made is given up for it.
    Plan {
        /// By which the answer is known.
        ticket: u64,
        /// What is wanted.
        intent: Intent,
    },
    /// Make a plan that takes back what an operation changed.
    TakeBack {
        /// By which the answer is known.
        ticket: u64,
        /// The operation.
        op: String,
    },
    /// Enter a plan into the journal and start its runner, if it still holds.
    Begin {
        /// By which the answer is known.
        ticket: u64,
        /// The plan that was shown and confirmed.
        plan: Arc<Plan>,
        /// Why.
        reason: Option<String>,
    },
    /// Ask something of an operation.
    Ask {
        /// The operation.
        op: String,
        /// What.
        verb: Verb,
        /// Why.
        reason: Option<String>,
    },
    /// Nobody waits for a plan any more.
    Forget,
    /// Read what these log. What was read before is given up for it.
    ReadLog {
        /// By which the answers are known.
        ticket: u64,
        /// What, and where.
        of: Sought,
    },
    /// How closely is looked at the log that is read, from now on and until another is said.
    Gaze(Gaze),
    /// Nobody looks at a log any more.
    LeaveLog,
}

/// What came of an order.
#[derive(Clone, Debug)]
pub enum Answer {
    /// How far a plan is that is being made.
    Planning {
        /// By which it is known.
        ticket: u64,
        /// In a sentence.
        said: String,
    },
    /// A plan, or why there is none.
    Planned {
        /// Of the order.
        ticket: u64,
        /// The plan to be looked at.
        offer: Result<Arc<Offer>, Declined>,
    },
    /// The id of the operation, or why there is none.
    Begun {
        /// Of the order.
        ticket: u64,
        /// It is in the journal; what its runner lives in, in a sentence.
        op: Result<(String, String), Declined>,
    },
    /// What was asked stands in the journal; or does not, and why.
    Asked(Result<String, Declined>),
    /// A part of a log.
    Log {
        /// Of the order.
        ticket: u64,
        /// What came.
        part: LogPart,
    },
}

/// Who opens shells beside the screen, which lives on meanwhile.
pub trait Aside: Send + Sync {
    /// Opens a session in this; nothing of it touches the terminal.
    ///
    /// # Errors
    ///
    /// Why there is none.
    fn open(&self, of: Sought) -> BoxFuture<'static, Result<Box<dyn Inside>, Declined>>;
}

/// A session that is open and waits for a terminal.
pub trait Inside: Send {
    /// Gives it the terminal until it ends, and takes the terminal back. Its exit code.
    ///
    /// # Errors
    ///
    /// Why it could not be carried on; it is ended then.
    fn carry_on(self: Box<Self>) -> BoxFuture<'static, Result<u8, Declined>>;

    /// Ends it: nobody wants it any more.
    fn give_up(self: Box<Self>) -> BoxFuture<'static, ()>;
}

/// What comes of reading a log.
#[derive(Clone, Debug, PartialEq)]
pub enum LogPart {
    /// It is known where lines come from.
    Begun {
        /// What each source is called; lines name them by their place here.
        sources: Vec<String>,
        /// By source: domains that its lines must be about; empty for all.
        only: Vec<Vec<Text>>,
    },
    /// Lines, in the order of time.
    Lines(Vec<Line>),
    /// Lines of a past that came later than that of others, in the order of time: they belong between what shows.
    Late(Vec<Line>),
    /// A source that began later; it stands behind the others.
    Joined {
        /// What it is called.
        source: String,
        /// Domains that its lines must be about; empty for all.
        only: Vec<Text>,
    },
    /// The last minutes are read; what comes from now on is new.
    CaughtUp,
    /// Something to know about what shows, or does not.
    Said(Said),
    /// Nothing more comes.
    Over,
    /// Nothing can be read, and why.
    Declined(Declined),
}

/// A plan with what a person wants to see besides.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The `aws …` command of each step, lane by lane; none where it makes no call, or none that is known before.
    pub commands: Vec<Vec<Option<String>>>,
}

/// Why something will not be done: the error in words, so that it can be shown again and again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declined {
    /// What.
    pub what: String,
    /// Why, a line each.
    pub why: Vec<String>,
    /// What to do.
    pub hints: Vec<String>,
}

impl From<Error> for Declined {
    fn from(error: Error) -> Self {
        let mut why = Vec::new();
        let mut beneath = std::error::Error::source(&error);
        while let Some(source) = beneath {
            why.extend(source.to_string().lines().map(str::to_owned));
            beneath = source.source();
        }
        Self { what: error.message, why, hints: error.hints }
    }
}

impl Declined {
    /// Everything in one line.
    pub fn line(&self) -> String {
        let all = std::iter::once(&self.what).chain(&self.why).chain(&self.hints);
        all.map(String::as_str).collect::<Vec<_>>().join("; ")
    }
}
