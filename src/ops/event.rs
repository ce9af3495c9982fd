//! What is recorded of an operation: one event a record, in the order in which things happened.

use super::aspect::Value;
use super::plan::Aftermath;
use crate::gateway::change::{Change, Token};
use crate::store::journal::Who;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A step of a lane, by their numbers in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct At {
    /// Which lane.
    pub lane: usize,
    /// Which of its steps.
    pub step: usize,
}

/// Which way a step is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// It is done.
    There,
    /// It is undone.
    Back,
    /// What AWS goes on with is held.
    Hold,
    /// It is let go on.
    Release,
    /// It is stopped.
    Stop,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A runner took the operation on.
    Claimed {
        /// Who started it.
        who: Who,
        /// Its process.
        pid: u32,
        /// What it lives in: `systemd`, `session`, `here`.
        home: String,
    },
    /// Targets got their turn.
    Opened {
        /// Their lanes.
        lanes: Vec<usize>,
    },
    /// A target was not touched, because it is no longer what the plan says, or may not be.
    Barred {
        /// Its lane.
        lane: usize,
        /// Why, a sentence each.
        why: Vec<String>,
    },
    /// A call is about to be made. Nothing is called before this is on the disk.
    Intended {
        /// The number of the call in this operation, from 1.
        call: u64,
        /// The steps that it serves.
        steps: Vec<At>,
        /// Which way they go.
        way: Way,
        /// What is called.
        change: Box<Change>,
        /// The client token, the same for every attempt at the same.
        token: Token,
    },
    /// AWS took it.
    Answered {
        /// Which call.
        call: u64,
        /// AWS's id of the request.
        request_id: Option<String>,
        /// The command that does the same.
        command: String,
        /// Steps that AWS left out, with its reason.
        missed: Vec<(At, String)>,
    },
    /// AWS did not take it, or nobody knows.
    Failed {
        /// Which call.
        call: u64,
        /// What is known.
        how: Failure,
        /// AWS's code.
        code: Option<String>,
        /// AWS's id of the request.
        request_id: Option<String>,
        /// What went wrong, in a sentence.
        why: String,
        /// What to do about it.
        hint: Option<String>,
        /// When the same is made again at the soonest, where its answer was lost and it may be made again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again_at: Option<Timestamp>,
    },
    /// A call whose answer was lost was found to have happened.
    Adopted {
        /// Which call.
        call: u64,
        /// For which steps.
        steps: Vec<At>,
    },
    /// A call whose answer was lost was found not to have happened, after AWS had time to show it.
    Missing {
        /// Which call.
        call: u64,
        /// For which steps.
        steps: Vec<At>,
    },
    /// A step that only waits began to.
    Waiting {
        /// Which.
        at: At,
        /// Which way.
        way: Way,
        /// What is under way already is taken for the step's own.
        #[serde(default, skip_serializing_if = "is_not")]
        is_adopted: bool,
    },
    /// How far what AWS does is now.
    Told {
        /// Of which step.
        at: At,
        /// In words.
        what: String,
    },
    /// What a step is judged by is now.
    Judged {
        /// Which step.
        at: At,
        /// What was seen, by the names of the facts.
        seen: Vec<(String, Value)>,
    },
    /// It is known which instance a step launched: the later steps of its lane act on that one.
    Named {
        /// Which step.
        at: At,
        /// The instance's id.
        is: String,
    },
    /// A step is done.
    Settled {
        /// Which.
        at: At,
        /// Which way.
        way: Way,
        /// How.
        how: How,
        /// What showed it.
        seen: Vec<(String, Value)>,
    },
    /// A step will not be done.
    GaveUp {
        /// Which.
        at: At,
        /// Which way.
        way: Way,
        /// Its time was up.
        is_late: bool,
        /// Why, in a sentence.
        why: String,
        /// What was last seen.
        seen: Vec<(String, Value)>,
        /// What follows.
        #[serde(default, skip_serializing_if = "Aftermath::is_usual")]
        then: Aftermath,
    },
    /// What was done to a target will be undone.
    Turned {
        /// Its lane.
        lane: usize,
    },
    /// What was done to a target stays, although everything is taken back: another one that serves beside it is stuck.
    Kept {
        /// Its lane.
        lane: usize,
        /// Why.
        why: String,
    },
    /// Nothing more happens to a target.
    Closed {
        /// Its lane.
        lane: usize,
        /// How it ended.
        end: End,
    },
    /// Somebody asked for something.
    Asked {
        /// The number of the request.
        seq: i64,
        /// What.
        verb: Verb,
        /// Who.
        who: Who,
        /// Why.
        reason: Option<String>,
    },
    /// Looking failed; it is tried again.
    Blind {
        /// What went wrong, in a sentence.
        why: String,
        /// What to do about it.
        hint: Option<String>,
        /// When it is tried again.
        again_at: Timestamp,
    },
    /// The runner went away before the end.
    Left {
        /// Why.
        why: String,
    },
    /// It is over.
    Ended {
        /// How.
        end: Outcome,
    },
}

/// For fields that records leave out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_not(flag: &bool) -> bool {
    !flag
}

/// What is known of a call that AWS did not confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// AWS said no, or no request left; the same will not succeed.
    Refused,
    /// Nothing happened, and the same may succeed in a while.
    Passing,
    /// It may have happened.
    Unknown,
    /// Permission is missing.
    Denied,
    /// AWS said no because it has no room where it was asked for; it may have some elsewhere.
    Full,
}

/// How a step came to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It was so already; nothing was done.
    Already,
    /// It was done.
    Done,
    /// It was not waited for any longer.
    Forced,
    /// It cannot be undone.
    Kept,
}

/// How a target ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// All steps are done.
    Done,
    /// Nothing was changed, because it was barred or could not begin.
    Untouched,
    /// It was not begun.
    Skipped,
    /// What had been done was undone.
    Undone,
    /// It was left half done, as was asked for.
    Left,
    /// It could not be undone, or not wholly.
    Stuck,
}

impl End {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Untouched => "untouched",
            Self::Skipped => "skipped",
            Self::Undone => "undone",
            Self::Left => "left half done",
            Self::Stuck => "stuck",
        }
    }
}

/// What can be asked of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Make no more calls until told otherwise.
    Pause,
    /// Go on.
    Resume,
    /// Begin no more targets, and leave those begun as they are.
    Cancel,
    /// Undo everything that was done.
    Rollback,
    /// Let another runner have it.
    Takeover,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 5] = [Self::Pause, Self::Resume, Self::Cancel, Self::Rollback, Self::Takeover];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Rollback => "rollback",
            Self::Takeover => "takeover",
        }
    }

    /// What is asked, as a person says it after "to".
    pub fn said(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
            Self::Rollback => "roll back",
            Self::Takeover => "take over",
        }
    }

    /// The verb of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.word() == word)
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every target is done.
    Done,
    /// It failed, and nothing was changed.
    Failed,
    /// Some targets are done or half done, others are not.
    PartWay,
    /// What had been done to the targets that failed was undone.
    RolledBack,
}

impl Outcome {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::PartWay => "stopped part way",
            Self::RolledBack => "failed and rolled back",
        }
    }
}

impl Event {
    /// The word that its record is kept under.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Claimed { .. } => "claimed",
            Self::Opened { .. } => "opened",
            Self::Barred { .. } => "barred",
            Self::Intended { .. } => "intended",
            Self::Answered { .. } => "answered",
            Self::Failed { .. } => "failed",
            Self::Adopted { .. } => "adopted",
            Self::Missing { .. } => "missing",
            Self::Waiting { .. } => "waiting",
            Self::Told { .. } => "told",
            Self::Judged { .. } => "judged",
            Self::Named { .. } => "named",
            Self::Settled { .. } => "settled",
            Self::GaveUp { .. } => "gave_up",
            Self::Turned { .. } => "turned",
            Self::Kept { .. } => "kept",
            Self::Closed { .. } => "closed",
            Self::Asked { .. } => "asked",
            Self::Blind { .. } => "blind",
            Self::Left { .. } => "left",
            Self::Ended { .. } => "ended",
        }
    }
}
