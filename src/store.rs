//! What is kept on disk between runs, in an embedded SQLite database.
//!
//! `cache` keeps the last good reading of every section, so that the next start shows the fleet at once,
//! with its age. `history` keeps what was read in the last days, for a look back. `calls` keeps what runs asked of
//! AWS. `drift` keeps what the last inventory found. `journal` keeps what operations intended and did: the only one that must never lose anything.

mod body;
mod cache;
mod calls;
mod drift;
mod history;
pub mod journal;

pub use cache::{Cache, Kept};
pub use calls::{CallBook, CallSum, call_sums, kept_calls};
pub use drift::{Drift, Drifted, keep_drift, kept_drift};
pub use history::{
    COURSES, History, HistoryFacts, Limits, ListFacts, MeasureFacts, TREND_SPAN, Then, cut_history,
    history_facts, kept_at, kept_trends,
};
pub use journal::{Journal, Ledger, LedgerError};

use std::path::Path;

/// A folder that only its owner may look into: tags and addresses of a fleet are nobody else's business.
fn private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Lets a database that is mostly written, and read seldom and from end to end, hold a quarter of a megabyte of its pages.
/// SQLite would keep two megabytes of each for as long as the run lasts.
fn thrifty(db: &rusqlite::Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "cache_size", -256)
}

/// Makes a file its owner's alone.
fn own(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if let Err(error) = std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)) {
        tracing::warn!(%error, file = %file.display(), "the file's permissions could not be narrowed");
    }
}
