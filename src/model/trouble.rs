//! What went wrong with a read, and how much that leaves unknown.

use super::text::Text;
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;

/// The sort of trouble, which decides the mend that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// There were no credentials at all, or the profile is unknown.
    NoCredentials,
    /// Credentials were there and are past their end.
    Expired,
    /// IAM says no; the message names the permission.
    Denied,
    /// AWS asked us to slow down, and retries did not help.
    Throttled,
    /// No answer within the deadline.
    Timeout,
    /// The endpoint could not be reached.
    Unreachable,
    /// The answer could not be understood: HTML, garbage, a cut body, an endless list.
    Garbled,
    /// What was asked for does not exist.
    NotFound,
    /// AWS refused the request as wrong.
    Refused,
    /// The service failed on its side.
    Server,
    /// Something else; the message says what.
    Other,
}

impl TroubleKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::NoCredentials,
        Self::Expired,
        Self::Denied,
        Self::Throttled,
        Self::Timeout,
        Self::Unreachable,
        Self::Garbled,
        Self::NotFound,
        Self::Refused,
        Self::Server,
        Self::Other,
    ];

    /// The kind of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The word used in JSON and in queries.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Garbled => "garbled",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Server => "server",
            Self::Other => "other",
        }
    }
}

/// Why a section could not be read, or is incomplete: what, why, and the next command to type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// The sort of trouble.
    pub kind: TroubleKind,
    /// The AWS call, `ec2:DescribeInstances`, in IAM's spelling so that it can be put into a policy.
    pub call: Text,
    /// AWS's own error code, when there was one.
    pub code: Option<Text>,
    /// One sentence that a person understands. May hold text from AWS: neutralise before drawing.
    pub message: String,
    /// What to do or type next.
    pub hint: Option<String>,
    /// AWS's request id, for a support case.
    pub request_id: Option<Text>,
    /// When it happened.
    pub at: Timestamp,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.message)
    }
}

/// Why a value is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyUnknown {
    /// Nobody asked for it in this run.
    NotAsked,
    /// It is being read for the first time.
    Pending,
    /// It was asked for and could not be read.
    Trouble,
}

/// A value, or why there is none. Absent-but-known is `Known::Yes(None)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// Read and known.
    Yes(T),
    /// Not known.
    No(WhyUnknown),
}

impl<T> Known<T> {
    /// Borrows the value inside.
    pub fn as_ref(&self) -> Known<&T> {
        match self {
            Self::Yes(value) => Known::Yes(value),
            Self::No(why) => Known::No(*why),
        }
    }

    /// Changes the value inside.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Yes(value) => Known::Yes(change(value)),
            Self::No(why) => Known::No(why),
        }
    }

    /// The value, when it is known.
    pub fn yes(self) -> Option<T> {
        match self {
            Self::Yes(value) => Some(value),
            Self::No(_) => None,
        }
    }
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self::No(WhyUnknown::NotAsked)
    }
}

/// How well something is, from best to worst; shown by a sign and a word, never by colour alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// All that was read is well.
    Ok,
    /// Changing: starting, deploying, draining.
    Busy,
    /// Not enough was read to say.
    #[default]
    Unknown,
    /// Worth a look.
    Warn,
    /// Broken.
    Bad,
}

impl Health {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Busy => "busy",
            Self::Unknown => "unknown",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}
