//! The query language, typed columns and sorting: one vocabulary for the screen and for scripts.
//!
//! `Kind` names what can be listed; its `columns()` say what can be shown, asked and sorted by; a
//! `Query` is parsed against them, so that an unknown column is an error with a place and a suggestion.

pub mod columns;
pub mod kind;
// mod eval;
// mod parse;
// mod select;
pub mod value;

pub use columns::{Column, Ctx, Shown};
pub use kind::{Kind, Width};
// pub use parse::{Fault, Query};
// pub use select::{Order, Sort, select, sort};
pub use value::{Unit, Value};
