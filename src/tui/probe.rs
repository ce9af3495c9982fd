//! Looking into rows that a filter could not decide, because what it asks for costs money to read and is only
//! read of rows that somebody looks at: some rows at a time, until all are decided or enough was spent.

use super::view::View;
use crate::fleet::Fleet;
use crate::model::{InstanceId, Scope};
use crate::query::Kind;
use std::collections::HashSet;
use std::sync::Arc;

/// Rows that are read together.
const ROUND: usize = 50;
/// Rows that are read before the person is asked whether to go on.
pub(super) const BOUND: usize = 200;

/// An instance, wherever its row stands.
type Which = (Scope, InstanceId);

/// How far the rows of one filter have been looked into.
#[derive(Clone, Debug, Default)]
pub(super) struct Probe {
    /// The filter that this is about.
    filter: String,
    /// The fleet that was looked at last.
    seen: Option<Arc<Fleet>>,
    tried: HashSet<Which>,
    /// How many rows may be tried.
    allowed: usize,
    /// The rows being read, and how many of them are still not decided.
    round: Vec<Which>,
    waits: HashSet<Which>,
    /// Undecided rows that were not tried.
    left: usize,
}

impl Probe {
    /// The rows that are to be read beside those on the screen.
    pub(super) fn round(&self) -> &[Which] {
        &self.round
    }

    /// Tells whether rows are being read.
    pub(super) fn is_reading(&self) -> bool {
        !self.waits.is_empty()
    }

    /// How many undecided rows were not tried, because enough was read.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Reads as many rows again as at first; where all were tried, those that are still not decided.
    pub(super) fn go_on(&mut self) {
        if self.left == 0 {
            self.tried.clear();
        }
        self.allowed = self.tried.len() + BOUND;
        self.round.clear();
        self.waits.clear();
        self.seen = None;
    }

    /// Takes in a view. When the rows of a round are decided, the next round begins.
    pub(super) fn look(&mut self, kind: Kind, filter: &str, view: &View) {
        let Some(fleet) = view.fleet.as_ref().filter(|_| kind == Kind::Instances && !view.paid.is_empty())
        else {
            *self = Self::default();
            return;
        };
        if self.filter != filter {
            *self = Self { filter: filter.to_string(), allowed: BOUND, ..Self::default() };
        }
        if self.seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, fleet)) {
            return;
        }
        self.seen = Some(Arc::clone(fleet));
        let undecided: Vec<Which> = view
            .undecided
            .iter()
            .filter_map(|at| fleet.instances.get(usize::try_from(*at).ok()?))
            .map(|row| (row.scope.as_ref().clone(), row.it.id.clone()))
            .collect();
        let waits = undecided.iter().filter(|which| self.waits.contains(*which)).cloned().collect();
        self.waits = waits;
        let mut new: Vec<Which> = undecided.into_iter().filter(|which| !self.tried.contains(which)).collect();
        if self.waits.is_empty() {
            let rest = self.allowed.saturating_sub(self.tried.len());
            let later = new.split_off(new.len().min(ROUND).min(rest));
            self.round = new;
            self.waits = self.round.iter().cloned().collect();
            self.tried.extend(self.round.iter().cloned());
            new = later;
        }
        self.left = new.len();
    }
}
