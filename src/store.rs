//! What is kept on disk between runs, in an embedded SQLite database.
//!
//! `cache` keeps the last good reading of every section, so that the next start shows the fleet at once,
//! with its age. The journal of operations will live beside it.

mod body;
mod cache;

pub use cache::{Cache, Kept};
