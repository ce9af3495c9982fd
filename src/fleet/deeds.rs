//! Operations of coredeck as the timeline tells them: whoever has a journal puts them among what happened.

use super::Fleet;
use super::events::EventRow;
use crate::model::{Health, Scope};
use jiff::Timestamp;
use std::cmp::Reverse;
use std::sync::Arc;

/// An operation that ran, or runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// Its id.
    pub id: String,
    /// What it does, in a line.
    pub title: String,
    /// Who began it.
    pub who: String,
    /// Why.
    pub reason: Option<String>,
    /// The word for how it stands.
    pub state: String,
    /// How well.
    pub health: Health,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended, or else when it began.
    pub at: Timestamp,
    /// Where its first target is.
    pub scope: Arc<Scope>,
    /// What it acts on, by the ids that AWS knows.
    pub targets: Vec<String>,
}

impl Fleet {
    /// Puts operations among what happened, each at its moment.
    pub fn tell(&mut self, deeds: &Arc<[Deed]>) {
        if deeds.is_empty() {
            return;
        }
        self.events.extend((0..deeds.len()).filter_map(|at| EventRow::of_deed(deeds, at)));
        self.events.sort_by_key(|event| Reverse(event.at));
    }
}
