//! Errors as a person meets them: what, why, and the next command; and the one table of exit codes.

use std::error::Error as StdError;
use std::fmt;

/// The sort of an error, which decides the exit code and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Something failed: AWS, the network, a file.
    Failed,
    /// The answer is incomplete and the caller did not allow that.
    Partial,
    /// A guard or a stale plan refused; nothing was changed.
    Refused,
    /// What was typed is wrong: flags, queries, columns, ids, configuration.
    Usage,
    /// A plan was shown and not run, and there is something to change.
    Pending,
    /// Another operation holds a target; the message names it.
    Held,
    /// An operation stopped part way; the message says how to go on.
    PartWay,
    /// An operation failed, and what it had changed was set back.
    RolledBack,
    /// An operation still runs; nobody waits for it here any more.
    Running,
    /// Interrupted from the keyboard.
    Interrupted,
    /// The reader of our output went away; not worth a word.
    BrokenPipe,
    /// A program that had the terminal ended with this code, and has said why itself.
    Passed(u8),
}

impl ErrorKind {
    /// The exit code of the process: the only table of them.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::BrokenPipe => 0,
            Self::Failed | Self::Partial | Self::Refused => 1,
            Self::Usage => 2,
            Self::Pending => 3,
            Self::Held => 4,
            Self::PartWay => 5,
            Self::RolledBack => 6,
            Self::Running => 7,
            Self::Interrupted => 130,
            Self::Passed(code) => code,
        }
    }

    /// The word used in JSON errors.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Partial => "partial",
            Self::Refused => "refused",
            Self::Usage => "usage",
            Self::Pending => "pending",
            Self::Held => "held",
            Self::PartWay => "part_way",
            Self::RolledBack => "rolled_back",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::BrokenPipe => "broken_pipe",
            Self::Passed(_) => "passed",
        }
    }
}

/// An error on its way to a person: one sentence, what caused it, and what to do next.
#[derive(Debug)]
pub struct Error {
    /// Its sort.
    pub kind: ErrorKind,
    /// One sentence, no final period.
    pub message: String,
    /// What lies beneath.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
    /// What to do or type next, one per line.
    pub hints: Vec<String>,
}

/// The result of everything that may fail in front of a person.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A new error without hints.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, hints: Vec::new() }
    }

    /// Something failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// What was typed is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Adds what lies beneath.
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<std::io::Error> for Error {
    fn from(source: std::io::Error) -> Self {
        let kind = match source.kind() {
            std::io::ErrorKind::BrokenPipe => ErrorKind::BrokenPipe,
            std::io::ErrorKind::Interrupted => ErrorKind::Interrupted,
            _ => ErrorKind::Failed,
        };
        Self::new(kind, source.to_string())
    }
}

/// Returns the candidate most like `typed`, if one is near enough to be meant.
pub fn did_you_mean<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&typed, &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score >= 0.78)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
