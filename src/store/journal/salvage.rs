//! Reading a journal that cannot be opened: locked, damaged, on a full disk, or newer.
//!
//! Nothing is written, no lock is waited for, and what cannot be understood is counted instead of ending
//! the look.

use super::db::{ENTRY, entry, ops, record, verify};
use super::{Chain, Entry, LedgerError, OpRecord, Result, db};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// What can be read of a journal.
#[derive(Debug, Default)]
pub struct Salvage {
    /// The operations, newest first.
    pub ops: Vec<OpRecord>,
    /// All records, in order.
    pub entries: Vec<Entry>,
    /// What could not be read, a sentence each.
    pub faults: Vec<String>,
}

impl Salvage {
    /// Reads what can be read.
    ///
    /// # Errors
    ///
    /// Not even one operation or record can be read, although the file is there.
    pub fn read(file: &Path) -> Result<Self> {
        if !file.exists() {
            return Ok(Self::default());
        }
        let plain = Self::through(&file.to_string_lossy(), OpenFlags::SQLITE_OPEN_READ_ONLY);
        match plain {
            Ok(found) if found.faults.is_empty() => return Ok(found),
            Ok(found) if !found.ops.is_empty() => return Ok(found),
            _ => {}
        }
        // Without locks, and without what still stands in the log beside the file.
        let uri =
            format!("file:{}?immutable=1", file.to_string_lossy().replace('?', "%3f").replace('#', "%23"));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let mut found = Self::through(&uri, flags).map_err(|error| db::wrong(file, &error))?;
        if found.ops.is_empty() && found.entries.is_empty() && !found.faults.is_empty() {
            return Err(LedgerError::Corrupt(file.to_path_buf(), found.faults.join("; ")));
        }
        found.faults.push("the latest records may be missing: the file was read without its log".to_owned());
        Ok(found)
    }

    fn through(path: &str, flags: OpenFlags) -> rusqlite::Result<Self> {
        let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        let mut found = Self::default();
        found.rows(&db, "select record from op order by at_us desc, id desc", record, |found, row| {
            found.ops.push(row);
        });
        found.rows(&db, &format!("{ENTRY} order by seq"), entry, |found, row| found.entries.push(row));
        Ok(found)
    }

    /// Reads rows until one cannot be reached; those that cannot be understood are passed over.
    fn rows<T>(
        &mut self,
        db: &Connection,
        sql: &str,
        read: fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
        keep: impl Fn(&mut Self, T),
    ) {
        let mut query = match db.prepare(sql) {
            Ok(query) => query,
            Err(error) => return self.faults.push(error.to_string()),
        };
        let mut rows = match query.query([]) {
            Ok(rows) => rows,
            Err(error) => return self.faults.push(error.to_string()),
        };
        loop {
            match rows.next() {
                Ok(Some(row)) => match read(row) {
                    Ok(value) => keep(self, value),
                    Err(error) => self.faults.push(error.to_string()),
                },
                Ok(None) => return,
                Err(error) => return self.faults.push(error.to_string()),
            }
        }
    }

    /// Follows the chain of what was read.
    pub fn verify(file: &Path) -> Result<Chain> {
        let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(|error| db::wrong(file, &error))?;
        ops(&db, 1).and_then(|_| verify(&db)).map_err(|error| db::wrong(file, &error))
    }

    /// One operation, by its id or the beginning of it.
    ///
    /// # Errors
    ///
    /// There is none, or more than one begins so.
    pub fn op(&self, id: &str) -> Result<OpRecord> {
        one(self.ops.clone(), id)
    }
}

/// The operation with this id, or the only one that begins with it.
pub(super) fn one(ops: Vec<OpRecord>, id: &str) -> Result<OpRecord> {
    let mut meant: Vec<OpRecord> = ops.into_iter().filter(|op| op.id.starts_with(id)).collect();
    if let Some(at) = meant.iter().position(|op| op.id == id) {
        return Ok(meant.swap_remove(at));
    }
    match (meant.pop(), meant.len(), id.is_empty()) {
        (Some(op), 0, false) => Ok(op),
        (Some(_), more, false) => {
            Err(LedgerError::NoSuch(format!("`{id}`: {} operations begin so", more + 1)))
        }
        _ => Err(LedgerError::NoSuch(format!("`{id}`"))),
    }
}
