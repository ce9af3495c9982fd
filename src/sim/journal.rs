//! What was asked: a log of calls that tests can ask, kept in memory and, if wanted, in a file.

use super::time::Moment;
use super::world::held;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Calls that only looked, kept at most; calls that changed something are kept for ever.
const LOOKS: usize = 20_000;

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) at: Moment,
    /// Real time since the start: what token buckets of callers run by.
    pub(crate) elapsed: Duration,
    pub(crate) account: Arc<str>,
    pub(crate) region: &'static str,
    pub(crate) service: &'static str,
    pub(crate) operation: String,
    pub(crate) changes: bool,
    pub(crate) input: serde_json::Value,
    /// The error code, if it was refused.
    pub(crate) code: Option<String>,
    /// What was done to it on purpose.
    pub(crate) mischief: Option<&'static str>,
    pub(crate) request_id: String,
}

/// The log.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    looks: Mutex<VecDeque<Entry>>,
    changes: Mutex<Vec<Entry>>,
    file: Option<Mutex<File>>,
}

impl Journal {
    /// A log that is written to this file too, one JSON object a line.
    pub(crate) fn new(file: Option<File>) -> Self {
        Self { file: file.map(Mutex::new), ..Self::default() }
    }

    /// Adds a call.
    pub(crate) fn write(&self, entry: Entry) {
        if let Some(file) = &self.file {
            let line = entry.json().to_string();
            if let Err(error) = writeln!(held(file), "{line}") {
                tracing::error!(%error, "the record of calls could not be written");
            }
        }
        if entry.changes {
            held(&self.changes).push(entry);
            return;
        }
        let mut looks = held(&self.looks);
        if looks.len() == LOOKS {
            looks.pop_front();
        }
        looks.push_back(entry);
    }

    /// All calls that are kept, in the order of their time.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let mut all: Vec<Entry> = held(&self.changes).clone();
        all.extend(held(&self.looks).iter().cloned());
        all.sort_by_key(|entry| entry.at);
        all
    }
}

impl Entry {
    /// The call as a line of the record.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "at": self.at.rfc3339(), "elapsed_ms": u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            "account": self.account.as_ref(), "region": self.region,
            "service": self.service, "operation": self.operation, "changes": self.changes,
            "input": self.input, "error": self.code, "fault": self.mischief, "request_id": self.request_id,
        })
    }
}
