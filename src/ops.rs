//! Operations: what should be true becomes a plan, the plan is shown, run, recorded and can be undone.
//!
//! ```text
//! Intent ─kinds─→ Plan ─preview─→ yes ─→ journal ←─────────────┐
//!                                          │ fold              │ append
//!                                          ↓                   │
//!                                       OpState ─machine─→ Move ─run─→ AWS
//! ```
//!
//! AWS is the truth and the journal holds intent. `machine` decides and touches nothing; `run` touches and
//! decides nothing. Who only watches folds the same records into the same state.
//!
//! Words: Lane (a target with its steps), Step (one observable change), Leg (a step there or back), Fact (a
//! named value that a plan rests on), Deed (a call that is due), Pool (a tier's budget).

pub mod aspect;
pub mod begin;
pub mod census;
pub mod commit;
pub mod condition;
pub mod confirm;
pub mod counter;
pub mod desk;
pub mod event;
pub mod guard;
pub mod hosts;
pub mod image;
pub mod intent;
pub mod judgement;
pub mod kept;
pub mod kinds;
pub mod launching;
pub mod losses;
pub mod machine;
mod merge;
pub mod placement;
pub mod plan;
pub mod preview;
pub mod progress;
mod proving;
pub mod ran;
pub mod refreshing;
pub mod rollback;
pub mod run;
pub mod state;
pub mod telling;
pub mod told;

pub use aspect::{Aspect, Value};
pub use condition::{Condition, Eye};
pub use confirm::Confirm;
pub use desk::Desk;
pub use event::{At, End, Event, Outcome, Verb, Way};
pub use intent::{Intent, OnTimeout, Options, Then};
pub use kinds::{Danger, KINDS, Kind, Takes, kind};
pub use plan::{Lane, Plan, Step, Undo};
pub use run::{Edge, Start, Timer, read, read_at, run};
pub use state::{Mode, OpState, Phase};
