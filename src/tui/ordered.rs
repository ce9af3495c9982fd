//! What is known of a large list already, so that the next letter of its filter has little left to do: all rows in
//! their order, and those that the letters so far have found.

use super::ask::AT_ONCE;
use super::drill::Drill;
use super::state::SortBy;
use super::view::{Question, View};
use crate::fleet::Fleet;
use crate::query::{Kind, Query};
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
        question.is_of_rows()
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

/// What is known of a list before a question about it is answered.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    /// The fleet that was looked at.
    fleet: Option<Arc<Fleet>>,
    /// All rows in their order.
    pub(super) ordered: Option<Ordered>,
    found: Option<Found>,
}

/// What the last filter found.
#[derive(Clone, Debug)]
struct Found {
    question: Question,
    fleet: Arc<Fleet>,
    rows: Vec<u32>,
}

impl Before {
    /// What an answer tells of the next one.
    pub(super) fn of(view: &View) -> Self {
        // What could not be decided is no row of the list, and would have to be looked at in its place.
        let is_worth_it = view.of > AT_ONCE && view.undecided.is_empty() && view.rows.len() < view.of;
        let found = view.question.as_ref().zip(view.fleet.as_ref()).filter(|_| is_worth_it).map(
            |(question, fleet)| Found {
                question: question.clone(),
                fleet: Arc::clone(fleet),
                rows: view.rows.clone(),
            },
        );
        Self { fleet: view.fleet.clone(), ordered: view.ordered.clone(), found }
    }

    /// The fleet that was looked at.
    pub(super) fn fleet(&self) -> Option<&Arc<Fleet>> {
        self.fleet.as_ref()
    }

    /// The rows, in the order that a question asks for, beside which no others can answer it.
    pub(super) fn enough_for(
        &self,
        question: &Question,
        query: &Query,
        fleet: &Arc<Fleet>,
    ) -> Option<&[u32]> {
        let Found { question: before, fleet: of, rows } = self.found.as_ref()?;
        let is_there =
            question.has_the_order_of(before) && (Arc::ptr_eq(of, fleet) || fleet.shares_rows_with(of));
        let is_narrower = || {
            let before = Query::parse(before.filter(), before.kind).ok();
            before.is_some_and(|before| query.narrows(&before))
        };
        (is_there && is_narrower()).then_some(rows.as_slice())
    }
}
