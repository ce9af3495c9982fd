//! A line being typed, and what it may become.

use super::line::Line;
use super::state::RowKey;
use crate::query::Kind;

/// What a line being typed is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Filter,
    Command,
}

/// A line being typed.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    pub(super) purpose: Purpose,
    pub(super) line: Line,
    /// The filter that holds again when this one is given up.
    pub(super) before: String,
    pub(super) error: Option<PromptError>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) picked: Option<usize>,
    /// The line itself is no command: what is taken is the first candidate.
    pub(super) takes_first: bool,
    /// Where in the line the word begins that a candidate replaces.
    pub(super) word_from: usize,
}

/// What the word being typed may become, or what the whole line may mean.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Candidate {
    /// What is written when it is taken.
    pub(super) text: String,
    /// What it is: a page, an action, an instance.
    pub(super) what: &'static str,
    /// More about it.
    pub(super) doc: String,
    /// The key that does the same.
    pub(super) key: String,
    pub(super) target: Target,
}

/// What happens when a candidate is taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    /// The line that it is written into is carried out.
    Line,
    /// The thing is shown.
    Object(Kind, RowKey),
    /// The operation of that id is shown.
    Operation(String),
}

/// What is wrong with the line, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PromptError {
    /// The byte of the line that it points at.
    pub(super) at: usize,
    pub(super) message: String,
}
