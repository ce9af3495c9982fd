//! What to read, when: the only owner of reads. Snapshots come out, wishes go in.
//!
//! `start` keeps a fleet read for as long as somebody looks; `once` reads what a script needs and ends.
//! `memory` keeps what is read, and shows the fleet as it was instead of as it is when somebody wants that.
//! Decisions are pure (`due`, `ask`); `run` is the thin edge that spawns reads and publishes worlds.

mod ask;
mod board;
mod desk;
pub mod due;
#[cfg(test)]
mod fake;
mod memory;
mod run;
mod words;

pub use memory::{Chronicle, then};
pub use run::{Collector, Keeping, Patience, further, once, start};

#[cfg(test)]
mod tests;
