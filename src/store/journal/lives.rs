//! Which runners live: each keeps a file locked, and the kernel lets go of it however the process ends.
//!
//! There is one file for each epoch of an operation. A runner that was taken over may live on for a while and hold
//! its own; were it the same file, its end would make its living successor look dead.

use super::{LedgerError, Result};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A file that is locked for as long as this lives.
///
/// It is unlocked before it is closed: a program that is being started just then holds what is open here for a moment, and
/// the lock with it.
#[derive(Debug)]
pub(super) struct Life(File);

impl Drop for Life {
    fn drop(&mut self) {
        // What cannot be unlocked is unlocked by being closed.
        let _ = self.0.unlock();
    }
}

/// The locks of runners beside a journal.
#[derive(Debug)]
pub(super) struct Lives {
    folder: PathBuf,
    /// Those that run in this process.
    mine: Mutex<HashMap<String, (i64, Life)>>,
}

impl Lives {
    /// Beside the journal in this file.
    pub(super) fn beside(journal: &Path) -> Self {
        let folder = journal.parent().unwrap_or(Path::new(".")).join("runners");
        Self { folder, mine: Mutex::default() }
    }

    fn path(&self, op: &str, epoch: i64) -> PathBuf {
        self.folder.join(format!("{op}.{epoch}.lock"))
    }

    fn mine(&self) -> MutexGuard<'_, HashMap<String, (i64, Life)>> {
        self.mine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the file of an epoch that nobody has had.
    ///
    /// # Errors
    ///
    /// It cannot be made or locked.
    pub(super) fn lock(&self, op: &str, epoch: i64) -> Result<Life> {
        let path = self.path(op, epoch);
        let failed =
            |error: std::io::Error| LedgerError::Other(format!("{} cannot be made: {error}", path.display()));
        crate::store::private_folder(&self.folder).map_err(failed)?;
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(failed)?;
        file.try_lock().map_err(|error| failed(error.into()))?;
        Ok(Life(file))
    }

    /// Keeps a lock for as long as this process lives, or until its runner ends.
    pub(super) fn keep(&self, op: &str, epoch: i64, life: Life) {
        self.mine().insert(op.to_owned(), (epoch, life));
    }

    /// Ends a runner of this process.
    pub(super) fn end(&self, op: &str, epoch: i64) {
        let mut mine = self.mine();
        if mine.get(op).is_some_and(|(kept, _)| *kept == epoch) {
            mine.remove(op);
        }
        drop(mine);
        self.forget(op, epoch);
    }

    /// Takes the file of a runner away that nobody will ask for any more.
    pub(super) fn forget(&self, op: &str, epoch: i64) {
        // What cannot be removed is an empty file that means nothing.
        let _ = std::fs::remove_file(self.path(op, epoch));
    }

    /// Whether the runner of an epoch lives.
    pub(super) fn has(&self, op: &str, epoch: i64) -> bool {
        if self.mine().get(op).is_some_and(|(kept, _)| *kept == epoch) {
            return true;
        }
        // Where there is no file nobody holds it. Looking takes a shared lock, so that two who look at once do not
        // take each other for a runner.
        File::open(self.path(op, epoch)).is_ok_and(|file| file.try_lock_shared().is_err())
    }
}
