//! The journal's operations kept up to date: what was read before is not read again.

use crate::error::Error;
use crate::ops::OpState;
use crate::ops::counter::{Declined, Listed, Logged, Register};
use crate::ops::event::Event;
use crate::ops::progress::line;
use crate::store::journal::{Journal, Ledger, OpRecord};
use std::sync::Arc;

/// Operations that are listed; those that are not over besides, as far back as is looked.
const LISTED: usize = 50;
/// How far back operations are looked for that are not over.
const LOOKED_AT: usize = 200;

/// What was read so far.
#[derive(Default)]
pub(super) struct Book {
    ops: Vec<Arc<Listed>>,
    trouble: Option<String>,
    is_read: bool,
}

impl Book {
    /// Whether a runner has any of them now.
    pub(super) fn lives(&self) -> bool {
        self.ops.iter().any(|listed| listed.lives)
    }

    /// Reads what is new; none where nothing is.
    pub(super) fn read(&mut self, journal: &Journal) -> Option<Register> {
        let (ops, trouble) = match self.again(journal) {
            Ok(ops) => (ops, None),
            // What was read before stays, with what is wrong.
            Err(error) => (self.ops.clone(), Some(Declined::from(error).line())),
        };
        let is_same = self.is_read
            && self.trouble == trouble
            && self.ops.len() == ops.len()
            && self.ops.iter().zip(&ops).all(|(was, is)| Arc::ptr_eq(was, is));
        if is_same {
            return None;
        }
        (self.ops, self.trouble, self.is_read) = (ops.clone(), trouble.clone(), true);
        Some(Register { ops, trouble, is_read: true })
    }

    fn again(&self, journal: &Journal) -> Result<Vec<Arc<Listed>>, Error> {
        let mut ops = Vec::new();
        for (nth, record) in journal.ops(LOOKED_AT)?.into_iter().enumerate() {
            let known = self.ops.iter().find(|listed| listed.op.record.id == record.id);
            if nth >= LISTED && known.is_none() && self.is_read {
                continue;
            }
            let listed = match known {
                Some(known) if known.op.ended.is_some() && !known.lives => Arc::clone(known),
                known => read(journal, record, known)?,
            };
            if nth < LISTED || listed.op.ended.is_none() {
                ops.push(listed);
            }
        }
        Ok(ops)
    }
}

/// An operation with what was recorded of it since it was read last.
fn read(journal: &Journal, record: OpRecord, known: Option<&Arc<Listed>>) -> Result<Arc<Listed>, Error> {
    let id = record.id.clone();
    let lives = journal.runner(&id)?.is_some_and(|(_, lives)| lives);
    let since = known.map_or(0, |known| known.op.last_seq);
    let news = journal.entries(&id, since)?;
    if let Some(known) = known
        && news.is_empty()
        && known.lives == lives
    {
        return Ok(Arc::clone(known));
    }
    let mut listed = match known {
        Some(known) => Listed::clone(known),
        None => Listed { op: OpState::new(record)?, lives, log: Vec::new() },
    };
    listed.lives = lives;
    for entry in &news {
        listed.op.take(entry);
        let event = serde_json::from_str::<Event>(&entry.body).ok();
        let text = event.as_ref().map_or_else(|| entry.kind.clone(), |event| line(&listed.op, event));
        listed.log.push(Logged { at: entry.at, event, text });
    }
    Ok(Arc::new(listed))
}
