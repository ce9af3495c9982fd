//! What to read, when: the only owner of reads. Snapshots come out, wishes go in.
//!
//! `start` keeps a fleet read for as long as somebody looks; `once` reads what a script needs and ends.
//! Decisions are pure (`due`, `ask`); `run` is the thin edge that spawns reads and publishes worlds.

mod ask;
mod board;
pub mod due;
#[cfg(test)]
mod fake;
mod run;

pub use run::{Collector, Patience, once, start};

#[cfg(test)]
mod tests;
