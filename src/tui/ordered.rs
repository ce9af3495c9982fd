//! All rows of a list in their order, kept so that a filter has nothing left to sort.

use super::ask::AT_ONCE;
use super::drill::Drill;
use super::state::SortBy;
use super::view::Question;
use crate::fleet::Fleet;
use crate::query::Kind;
use std::sync::Arc;

/// All rows of a list in their order, and what decided that order.
#[derive(Clone, Debug)]
pub(super) struct Ordered {
    kind: Kind,
    drill: Option<Drill>,
    sort: Option<SortBy>,
    fleet: Arc<Fleet>,
    /// Numbers of rows of that fleet.
    pub(super) rows: Arc<[u32]>,
}

impl Ordered {
    /// The fleet whose rows they are.
    pub(super) fn fleet(&self) -> &Arc<Fleet> {
        &self.fleet
    }

    /// Keeps the rows of a large table; a small one is sorted again sooner than it is thought about.
    pub(super) fn worth_keeping(question: &Question, fleet: &Arc<Fleet>, rows: &[u32]) -> Option<Self> {
        (rows.len() > AT_ONCE).then(|| Self {
            kind: question.kind,
            drill: question.drill.clone(),
            sort: question.sort,
            fleet: Arc::clone(fleet),
            rows: rows.into(),
        })
    }

    /// Tells whether the rows that a question is about, filter aside, would come in just this order. Calls and
    /// events are in no fleet's rows and come as they please.
    pub(super) fn is_of(&self, question: &Question, fleet: &Arc<Fleet>) -> bool {
        !matches!(question.kind, Kind::Calls | Kind::Events)
            && self.kind == question.kind
            && self.drill == question.drill
            && self.sort == question.sort
            && (Arc::ptr_eq(&self.fleet, fleet) || fleet.shares_rows_with(&self.fleet))
    }

    /// The same rows, of a fleet that shares them with the one before.
    pub(super) fn go_on_with(&mut self, fleet: &Arc<Fleet>) {
        self.fleet = Arc::clone(fleet);
    }
}
