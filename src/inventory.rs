//! The inventory: what hosts, ECS, load balancers and cores say there is, beside what the registry says.
//!
//! ```text
//! hosts' answers ─┐
//! fleet rows ─────┼─gather─→ Observed ─┐
//! cores' lists ───┘                    ├─compare─→ Diff ─→ Writes ─→ an operation
//! parameters ──────read──→ Entries ────┘
//! ```
//!
//! Nothing here touches anything. What could not be asked is never taken for gone, and what a person wrote is
//! not overwritten unless somebody says so.

mod answer;
mod compare;
mod document;
mod entry;
mod gather;
mod tenants;

pub use answer::{Container, HostAnswer, parse};
pub use compare::{Diff, Difference, Policy, Sort, Unjudged, Write, compare};
pub use document::{CONTENT, NAME, hash};
pub use entry::{Entry, Part, Seal, entries, sealed_again, value};
pub use gather::{CoreSeen, Found, HostSeen, Observed, Told, candidates, gather};
pub use tenants::TenantSeen;
