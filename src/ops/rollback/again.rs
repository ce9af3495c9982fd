//! Taking back what another operation has taken back, or is taking back: once is enough.

use super::{SoFar, TakenBack, VERB, is_possible, taken_back};
use crate::error::{Error, ErrorKind, Result};
use crate::ops::state::OpState;
use crate::store::journal::Ledger;

/// Why an operation is not taken back once more, and what to type instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// In a sentence.
    pub why: String,
    /// The commands, each with what it does.
    pub next: Vec<String>,
}

/// Whether an operation may be taken back as far as the journal tells, with what of that could not be read.
///
/// # Errors
///
/// Another operation took it back, or is at it; or the journal cannot be read.
pub fn allowed(ledger: &dyn Ledger, op: &OpState) -> Result<Vec<String>> {
    let mut later = Vec::new();
    let mut unread = Vec::new();
    // Whatever took it back was begun after it.
    for record in ledger.ops(usize::MAX)? {
        if record.kind != VERB || record.at < op.record.at {
            continue;
        }
        match crate::ops::read(ledger, &record.id) {
            Ok(op) => later.push(op),
            Err(error) => unread.push(format!(
                "operation {} cannot be read, and may have taken {} back already: {error}",
                record.id, op.record.id
            )),
        }
    }
    let states: Vec<&OpState> = later.iter().collect();
    let Some(by) = taken_back(&op.record.id, &states) else { return Ok(unread) };
    let lives = ledger.runner(&by.by)?.is_some_and(|(_, lives)| lives);
    match taken(&op.record.id, &by, lives, &states) {
        None => Ok(unread),
        Some(Taken { why, next }) => {
            let error = Error::new(ErrorKind::Refused, format!("{why}; nothing was changed"));
            Err(next.into_iter().fold(error, Error::hint))
        }
    }
}

/// Why an operation is not taken back once more; none where it may be. One that stopped part way left something to do,
/// and the same command does it: what is as it was before needs no more calls.
pub fn taken(id: &str, by: &TakenBack, lives: bool, ops: &[&OpState]) -> Option<Taken> {
    let TakenBack { by, so_far } = by;
    let (why, next) = match (so_far, lives) {
        (SoFar::PartWay, _) => return None,
        (SoFar::UnderWay, true) => (
            format!("operation {by} is rolling {id} back"),
            vec![format!("coredeck op watch {by} follows it to its end")],
        ),
        (SoFar::UnderWay, false) => (
            format!("operation {by} was to roll {id} back, and no runner has it now"),
            vec![format!("coredeck op resume {by} goes on with it")],
        ),
        (SoFar::Done, _) => {
            let mut next = vec![format!("coredeck op show {by} tells what became of it")];
            let by_state = ops.iter().find(|op| op.record.id == *by);
            if by_state.is_some_and(|op| is_possible(op)) {
                next.push(format!("coredeck op rollback {by} does once more what {id} did"));
            }
            (format!("operation {by} has rolled {id} back already"), next)
        }
    };
    Some(Taken { why, next })
}
