//! What a core says of what is done to its tables: a migration that goes on, users who wait to be imported.

use super::text::Text;

/// Where a database stands between its old tables and its new ones. Cores from version 12 on have such a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// `LEGACY`, `DUAL_WRITE_READ_OLD`, `DUAL_WRITE_READ_NEW` or `MIGRATED`, from which there is no way back.
    pub mode: Text,
    /// Users whose rows were not copied yet; none where the core does not count them.
    pub pending: Option<u64>,
}

/// Users of an app who were handed over to be imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imports {
    /// All who are not imported, those who failed among them.
    pub waiting: u64,
    /// Those who failed: nobody tries again by itself.
    pub failed: u64,
}
