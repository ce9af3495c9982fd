//! The chain of hashes that ties each record to the one before.

use super::{Entry, OpRecord};
use sha2::{Digest, Sha256};

/// The hash that the first record is tied to.
pub(super) const ROOT: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The hash of a text, in hexadecimal.
pub(super) fn hash(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        // Lengths first: two records never hash alike because a border between their parts moved.
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash that a record must have.
pub(super) fn hash_of(entry: &Entry) -> String {
    let numbers = format!("{} {} {}", entry.seq, entry.epoch, entry.at.as_microsecond());
    hash(&[
        entry.prev.as_bytes(),
        numbers.as_bytes(),
        entry.op.as_bytes(),
        entry.kind.as_bytes(),
        entry.body.as_bytes(),
    ])
}

/// The hash of an operation as it was entered: its first record carries it.
pub(super) fn hash_of_op(record: &OpRecord) -> String {
    hash(&[serde_json::to_string(record).unwrap_or_default().as_bytes()])
}

/// Follows the chain record by record, and says where it is broken.
#[derive(Debug, Default)]
pub struct Chain {
    last: Option<(i64, String)>,
    /// Records that were followed.
    pub length: usize,
    /// What is wrong, a sentence each.
    pub faults: Vec<String>,
}

impl Chain {
    /// Follows one record more.
    pub fn follow(&mut self, entry: &Entry) {
        let (number, hash) = self.last.take().unwrap_or((0, ROOT.to_owned()));
        if entry.seq != number + 1 {
            self.faults.push(format!("between records {number} and {} some are missing", entry.seq));
        } else if entry.prev != hash {
            self.faults.push(format!("record {} does not follow the one before it", entry.seq));
        }
        if hash_of(entry) != entry.hash {
            self.faults.push(format!("record {} of operation {} was changed", entry.seq, entry.op));
        }
        self.length += 1;
        self.last = Some((entry.seq, entry.hash.clone()));
    }

    /// Compares an operation with the hash that its first record carries.
    pub fn compare(&mut self, record: &OpRecord, first: Option<&Entry>) {
        let is_right = first.is_some_and(|first| {
            first.kind == super::db::ENTERED && first.body.contains(&format!("\"{}\"", hash_of_op(record)))
        });
        if !is_right {
            self.faults.push(format!("operation {} is not as it was entered", record.id));
        }
    }
}
