//! Filtering and sorting a large table off the drawing task: one job runs, and none waits.
//!
//! The rows that were there stay until the new ones are. A job whose question nobody asks any more is told so and
//! ends soon, and the next one begins at once: who types a word waits for its last letter only. One that is behind
//! nothing but a newer fleet goes on, so that fleets which come faster than they are sorted starve nobody.

use super::ordered::{Before, Ordered};
use super::state::{Effect, Page, RowKey, Ui};
use super::view::{Question, View};
use crate::fleet::Fleet;
use crate::query::{Kind, gather, is_to_be_gathered, rank};
use jiff::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tables of at most so many rows are filtered and sorted at once, so that nothing flickers. The
/// number is a judgement: what that many take was not measured on a quiet machine.
pub(super) const AT_ONCE: usize = 5_000;

/// What is being asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Asking {
    /// Counts the jobs.
    generation: u64,
    /// The job that runs.
    running: Option<Running>,
}

/// A job that runs.
#[derive(Clone, Debug)]
struct Running {
    generation: u64,
    question: Question,
    /// Tells it that what it does is in vain.
    is_in_vain: Arc<AtomicBool>,
}

/// A large table to be filtered and sorted, with all that it needs.
#[derive(Clone, Debug)]
pub struct Job {
    generation: u64,
    question: Question,
    fleet: Arc<Fleet>,
    now: Timestamp,
    /// What is known from before.
    before: Before,
    /// The row that the cursor is on.
    anchor: Option<RowKey>,
    /// Nobody asks this any more.
    is_in_vain: Arc<AtomicBool>,
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.generation == other.generation && self.question == other.question
    }
}

/// What a job found.
#[derive(Clone, Debug)]
pub struct Answered {
    generation: u64,
    view: View,
    /// The line of the row that the cursor was on.
    anchor: Option<(RowKey, usize)>,
}

impl Job {
    /// Tells whether nobody waits for it any more: then it may end with whatever it has.
    pub fn is_in_vain(&self) -> bool {
        self.is_in_vain.load(Ordering::Relaxed)
    }

    /// What the next filter of these rows will be glad of, where it is not there yet: tens of milliseconds of work that nobody
    /// waits for.
    pub fn ahead(&self) -> Option<impl FnOnce() + Send + 'static> {
        if self.question.kind != Kind::Instances || !is_to_be_gathered(&self.fleet) {
            return None;
        }
        let (fleet, before) = (Arc::clone(&self.fleet), self.before.fleet().cloned());
        Some(move || gather(&fleet, before.as_deref()))
    }

    /// Does the work: milliseconds of a processor.
    pub fn run(self) -> Answered {
        let Self { generation, question, fleet, now, before, anchor, is_in_vain } = self;
        rank(&fleet, before.fleet().map(AsRef::as_ref));
        let view = question.answer(&fleet, now, &before, &|| is_in_vain.load(Ordering::Relaxed));
        let anchor = anchor.and_then(|anchor| view.position_of(&anchor).map(|at| (anchor, at)));
        Answered { generation, view, anchor }
    }
}

impl Question {
    /// Answers it from the rows of a small fleet.
    pub(super) fn answer_at_once(self, fleet: &Arc<Fleet>, now: Timestamp) -> View {
        self.answer(fleet, now, &Before::default(), &|| false)
    }
}

impl Ui {
    /// The job that is to run now: none while one runs that answers what is asked, or when the rows are what they
    /// should be. It takes the place of one that answers something else.
    pub(super) fn next_job(&mut self) -> Option<Effect> {
        let Page::List(list) = &self.here.page else { return None };
        if !list.is_behind {
            return None;
        }
        let question = list.question();
        if let Some(running) = &self.asking.running {
            if running.question == question {
                return None;
            }
            running.is_in_vain.store(true, Ordering::Relaxed);
        }
        let generation = self.asking.generation + 1;
        let is_in_vain = Arc::new(AtomicBool::new(false));
        let running = Running { generation, question: question.clone(), is_in_vain: Arc::clone(&is_in_vain) };
        self.asking = Asking { generation, running: Some(running) };
        Some(Effect::Sift(Box::new(Job {
            generation,
            question,
            fleet: Arc::clone(&self.world.fleet),
            now: self.now,
            before: Before::of(&list.view),
            anchor: list.anchor.clone().filter(|_| list.is_chosen),
            is_in_vain,
        })))
    }

    /// Takes in what a job found. Rows that answer another question than the one asked now are dropped; rows
    /// of an older world are better than those of a still older one.
    pub(super) fn take_rows(&mut self, answered: Answered) {
        let Answered { generation, view, anchor } = answered;
        if self.asking.running.as_ref().is_none_or(|running| running.generation != generation) {
            return;
        }
        self.asking.running = None;
        let Page::List(list) = &mut self.here.page else { return };
        if !list.is_behind || view.question.as_ref() != Some(&list.question()) {
            return;
        }
        list.is_behind = view.fleet.as_ref().is_none_or(|fleet| !Arc::ptr_eq(fleet, &self.world.fleet));
        list.view = view;
        let found = anchor.filter(|(key, _)| list.anchor.as_ref() == Some(key)).map(|(_, at)| at);
        self.follow_anchor(found);
        self.settle();
    }

    /// Puts the cursor on the row that was chosen, wherever that is now. `found` is its line, where that is known.
    pub(super) fn follow_anchor(&mut self, found: Option<usize>) {
        let Page::List(list) = &self.here.page else { return };
        let anchor = list.anchor.as_ref().filter(|_| list.is_chosen);
        if let Some(at) = anchor.and_then(|anchor| found.or_else(|| list.position_of(anchor))) {
            self.here.cursor = at;
        }
    }

    /// The fleets that are shown now, where they are large: whoever lets go of the last hold on one has much to do.
    pub(super) fn large_fleets(&self) -> Vec<Arc<Fleet>> {
        let world = &self.world.fleet;
        let view = self.list().map(|list| &list.view);
        let held = view.into_iter().flat_map(|view| {
            view.fleet
                .iter()
                .chain(view.ordered.iter().map(Ordered::fleet))
                .filter(|it| !Arc::ptr_eq(it, world))
        });
        let all = std::iter::once(world).chain(held);
        all.filter(|fleet| fleet.instances.len() > AT_ONCE).cloned().collect()
    }

    /// The rows that the open list shows are of this fleet; everything else is of the world's.
    pub(super) fn fleet_here(&self) -> &Arc<Fleet> {
        self.list().and_then(|list| list.view.fleet.as_ref()).unwrap_or(&self.world.fleet)
    }
}
