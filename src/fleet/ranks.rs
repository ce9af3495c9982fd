//! Where each instance stands among all: a sort of a hundred thousand by that is one of numbers, and their names need not be
//! looked for in tags all over memory.

use std::sync::Arc;

/// What is absent stands behind all.
pub const ABSENT: u32 = u32::MAX;

/// The places of instances, in the order of the rows. Equal texts have equal places.
#[derive(Debug, PartialEq, Eq)]
pub struct Ranks {
    /// By name.
    pub by_name: Arc<[u32]>,
    /// By id.
    pub by_id: Arc<[u32]>,
}
