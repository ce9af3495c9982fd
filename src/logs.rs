//! What cores log: where it is, its lines taken apart, filtered, put together by time, and rid of secrets.
//!
//! ```text
//! names ─resolve─→ Origins ─read─→ events ─fold─→ Lines ─filter─→ merged by time ─→ screen, scripts
//! ```
//!
//! Lines come from CloudWatch Logs, or from docker on the host through Systems Manager. Every channel between has a
//! bound: a reader that is slow slows the reading, and nothing is dropped but what is counted and said.

#[cfg(test)]
pub(crate) mod fake;
mod filter;
mod fold;
pub mod hostlog;
mod latency;
mod line;
mod mask;
mod merge;
mod origin;
mod read;
mod said;
mod sieve;

pub use filter::{Filter, Left};
pub use fold::Fold;
pub use latency::{Latency, Slow};
pub use line::{Head, Level, Line, Whom};
pub use mask::Mask;
pub use merge::Merge;
pub use origin::{Named, Origin, PLACES, Place, SOURCES, Sought, called, resolve};
pub use read::{Feed, Fresh, Gaze, Reading, start};
pub use said::{Flow, Said};
pub use sieve::Sieve;
