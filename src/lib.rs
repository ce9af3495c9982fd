//! coredeck: the fleet of auth cores, seen whole and changed safely.
//!
//! # The map
//!
//! State comes down as snapshots, wishes go up as values:
//!
//! ```text
//! what is:       aws ─→ gateway types ─→ collect ─→ snapshot ─→ fleet ─┬─→ tui draws
//!                                                                      └─→ cli prints
//! what we want:  key or argv ─→ Action / Query ─→ pure update ─→ Effect ─→ collect
//! ```
//!
//! | module | what it is for |
//! |---|---|
//! | `model` | the domain in plain data |
//! | `error` | errors as a person meets them, and the exit codes |
//! | `clock` | the only place that reads time |
//! | `gateway` | what is asked of a cloud: sources, asks, readings |
//! | `snapshot` | one immutable picture; every section with age and trouble |
//! | `store` | what is kept on disk between runs |
//! | `config` | defaults → file → environment → flags |
//! | `fleet` | a snapshot joined into rows: tiers, cores, tenants, health |
//! | `world` | what comes down to a screen, and the wishes that go up |
//! | `query` | the filter language, typed columns, sorting |
//! | `capacity` | how much more fits, and when a tier is full, pure |
//! | `inventory` | what was seen beside what the registry says: differences, pure |
//! | `ops` | operations: plan, journal, run, undo |
//! | `logs` | what cores log: found, taken apart, filtered, merged, rid of secrets |
//! | `collect` | what to read when |
//! | `aws` | the AWS SDK behind `gateway`; `aws/call.rs` is the only road to the network |
//! | `supertokens` | the cores' own admin API behind `gateway` |
//! | `sim` | a pretend AWS on loopback, sharing no code with `aws` |
//! | `tui` | the screen |
//! | `cli` | the command line |
//!
//! # The import rule
//!
//! A module names only modules above it in that list; `tests/it/architecture.rs` holds the exact table.
//! Nothing on screen holds a client, and nothing that holds a client draws.
//!
//! Fuzzers build this crate without what names the SDK or a server (`cfg(fuzzing)`, see `fuzz/README.md`): nothing
//! that they feed lies there, and the SDK takes minutes to compile.
//!
//! # Words
//!
//! Scope (an account in a region), Source (a list that can be read), Section (a source's last value with
//! age and trouble), Snapshot, Fleet (rows), Kind (what can be listed), Action (a wish), Effect (what
//! `update` asks for). Each is used for one thing only.

#[cfg(not(fuzzing))]
pub mod aws;
pub mod capacity;
#[cfg(not(fuzzing))]
pub mod cli;
pub mod clock;
pub mod collect;
pub mod config;
pub mod error;
pub mod fleet;
pub mod gateway;
pub mod inventory;
pub mod logs;
pub mod model;
pub mod ops;
pub mod query;
#[cfg(not(fuzzing))]
pub mod sim;
pub mod snapshot;
pub mod store;
#[cfg(not(fuzzing))]
pub mod supertokens;
pub mod tui;
pub mod world;
