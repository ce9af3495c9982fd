//! What may have happened without anybody knowing, and what AWS said no to.

use super::super::event::{At, Failure, Way};
use super::{Known, LaneState, OpState, StepState};
use jiff::Timestamp;

impl LaneState {
    /// Whether a step on the way there changed anything, or may have.
    pub fn is_touched(&self, step: usize) -> bool {
        self.there.get(step).is_some_and(StepState::is_touched) || self.doubts.contains_key(&step)
    }

    /// When the last call of a step on the way there was made that may have happened and was never seen to.
    pub fn doubted_since(&self, step: usize) -> Option<Timestamp> {
        match self.there.get(step) {
            Some(StepState::Open { since, .. } | StepState::Doubtful { since, .. }) => Some(*since),
            _ => self.doubts.get(&step).copied(),
        }
    }
}

impl OpState {
    /// Why a target is not begun: AWS would say no to it as it did to another one in the same account and region.
    pub fn denied(&self, lane: usize) -> Option<String> {
        let scope = |lane: usize| self.plan.lanes.get(lane).map(|lane| &lane.scope);
        self.calls.values().rev().find_map(|call| match &call.result {
            Known::Failed(Failure::Denied, why)
                if call.way == Way::There && call.steps.iter().any(|at| scope(at.lane) == scope(lane)) =>
            {
                Some(format!("not begun: {why}"))
            }
            _ => None,
        })
    }

    /// Whether a step in one direction changed anything, or may have.
    pub(super) fn is_touched(&self, at: At, way: Way) -> bool {
        let Some(lane) = self.lanes.get(at.lane) else { return false };
        match way {
            Way::There => lane.is_touched(at.step),
            Way::Back => lane.back.get(at.step).is_some_and(StepState::is_touched),
            Way::Hold => lane.hold.is_touched(),
            Way::Release => lane.release.is_touched(),
            Way::Stop => lane.stop.is_touched(),
        }
    }

    /// Remembers a call that may have happened when the step goes on to another one without having seen it.
    pub(super) fn keep_doubt(&mut self, at: At, way: Way, next: &StepState) {
        if way != Way::There {
            return;
        }
        let Some(lane) = self.lanes.get_mut(at.lane) else { return };
        match next {
            StepState::Open { .. } => {
                if let Some(since) = lane.doubted_since(at.step) {
                    lane.doubts.insert(at.step, since);
                }
            }
            // It was seen to have happened.
            StepState::Waiting { .. } | StepState::Done(_) => {
                lane.doubts.remove(&at.step);
            }
            _ => {}
        }
    }

    /// When the first of the calls for the same steps was made that came to nothing one after the other, up to this one.
    pub(super) fn first_try(&self, call: u64, steps: &[At], way: Way) -> Option<Timestamp> {
        let mut same = self
            .calls
            .range(..=call)
            .rev()
            .map(|(_, one)| one)
            .filter(|one| one.way == way && one.steps.iter().any(|step| steps.contains(step)));
        let mut first = None;
        // The call itself, and those before it that came to nothing.
        if let Some(one) = same.next() {
            first = Some(one.at);
        }
        for one in same.take_while(|one| matches!(one.result, Known::Failed(Failure::Passing, _))) {
            first = Some(one.at);
        }
        first
    }
}
