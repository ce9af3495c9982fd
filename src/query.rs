//! The query language, typed columns and sorting: one vocabulary for the screen and for scripts.
//!
//! `Kind` names what can be listed; its `columns()` say what can be shown, asked and sorted by; a
//! `Query` is parsed against them, so that an unknown column is an error with a place and a suggestion.

pub mod asked;
pub mod assist;
mod cells;
pub mod columns;
mod expr;
pub mod fault;
mod few;
mod gist;
pub mod group;
mod kin;
pub mod kind;
#[cfg(test)]
mod laws;
mod lex;
mod literal;
#[cfg(test)]
mod made;
mod narrow;
pub mod natural;
pub mod parse;
mod pattern;
mod ranks;
pub mod related;
pub mod select;
pub mod share;
pub mod show;
pub mod sort;
pub mod truth;
pub mod value;
pub mod word;
mod words;

pub use assist::{Candidate, Completion, Hue, Offer, Piece, complete, paint};
pub use columns::{Column, Ctx, Shown};
pub use fault::Fault;
pub use gist::{gather, is_to_be_gathered};
pub use kind::{Kind, Width};
pub use parse::Query;
pub use ranks::rank;
pub use select::{Selection, select, undecided, weigh};
pub use sort::{Direction, Sort, sort};
pub use truth::Truth;
pub use value::{Unit, Value};
pub use words::Searcher;
