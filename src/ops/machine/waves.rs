//! Waves: lanes begin when all of the waves before are done, and what one lane's failure means for the others.
//!
//! On the way back what can come back safely does: a group that is stuck is no reason to leave others on what is to be
//! taken back. Only what serves beside a stuck one stays, as long as its way back leads out of traffic.

use super::super::event::End;
use super::super::plan::{Lane, Leg};
use super::super::rollback::VERB;
use super::super::state::{Mode, OpState, Phase};
use crate::gateway::change::Change;
use crate::model::TargetGroupArn;

/// The lanes among these whose wave has come: of the first wave that is not over.
pub(super) fn in_turn(op: &OpState, waiting: Vec<usize>) -> Vec<usize> {
    let is_open =
        |lane: &usize| op.lanes.get(*lane).is_some_and(|lane| !matches!(lane.phase, Phase::Over(_)));
    match op.plan.waves.iter().find(|wave| wave.iter().any(is_open)) {
        Some(wave) => waiting.into_iter().filter(|lane| wave.contains(lane)).collect(),
        None => waiting,
    }
}

impl OpState {
    /// Whether all lanes of the wave that a lane belongs to are over.
    pub fn ends_wave(&self, lane: usize) -> bool {
        let is_over =
            |lane: &usize| self.lanes.get(*lane).is_some_and(|lane| matches!(lane.phase, Phase::Over(_)));
        self.plan.waves.iter().any(|wave| wave.contains(&lane) && wave.iter().all(is_over))
    }

    /// Whether all that it did is taken back: it was told to, or one of its waves failed and it is one piece.
    pub fn takes_all_back(&self) -> bool {
        fate(self).0 == Mode::RollingBack
    }

    /// Whether it only goes back: all that it did, or the last of its lanes that is not over.
    pub fn is_going_back(&self) -> bool {
        let any = |is_it: fn(Phase) -> bool| self.lanes.iter().any(|lane| is_it(lane.phase));
        self.ended.is_none()
            && (self.takes_all_back()
                || any(|phase| phase == Phase::Back)
                    && !any(|phase| matches!(phase, Phase::There | Phase::Waiting)))
    }
}

/// Whether a lane may begin its way back: those of the last wave first, so that what went one after the other comes back
/// one after the other.
pub(super) fn may_turn(op: &OpState, lane: usize) -> bool {
    let is_due = |lane: &usize| {
        op.lanes.get(*lane).is_some_and(|lane| {
            !lane.stays
                && matches!(lane.phase, Phase::There | Phase::Back | Phase::Over(End::Done | End::Left))
        })
    };
    if op.lanes.get(lane).is_some_and(|lane| lane.stays) {
        return false;
    }
    match op.plan.waves.iter().rev().find(|wave| wave.iter().any(is_due)) {
        Some(wave) => wave.contains(&lane),
        None => true,
    }
}

/// What the operation does, and whether it begins nothing more: where lanes go in waves the first that fails stops
/// those that wait, and takes back all others where they are one piece.
pub(super) fn fate(op: &OpState) -> (Mode, bool) {
    if op.mode != Mode::Going || op.plan.waves.is_empty() {
        return (op.mode, false);
    }
    // What is set back is set back wherever it can be, also where another one is stuck or somebody else's by now.
    if op.plan.intent.verb == VERB {
        return (Mode::Going, false);
    }
    let has_failed = op.lanes.iter().any(|lane| match lane.phase {
        Phase::Back | Phase::Over(End::Undone | End::Left | End::Stuck | End::Skipped | End::Untouched) => {
            true
        }
        Phase::Waiting | Phase::There | Phase::Over(End::Done) => false,
    });
    match (has_failed, op.plan.is_one_piece) {
        (false, _) => (Mode::Going, false),
        (true, true) => (Mode::RollingBack, true),
        (true, false) => (Mode::Going, true),
    }
}

/// Why a target that serves must not be taken back now: its way back leads out of traffic, and one that serves the same
/// target group is stuck on its own.
pub(super) fn needed(op: &OpState, number: usize) -> Option<String> {
    let is_return = op.plan.intent.verb == VERB;
    let serves = match op.lanes.get(number)?.phase {
        Phase::Over(End::Done) => !is_return,
        Phase::Waiting => is_return,
        _ => false,
    };
    if !serves {
        return None;
    }
    let mine = op.plan.lanes.get(number)?;
    let is_stuck = |other: &usize| match op.lanes.get(*other).map(|lane| (lane.phase, lane.stays)) {
        Some((Phase::Over(End::Stuck), _)) => true,
        Some((Phase::Over(End::Left), stays)) => is_return && !stays,
        _ => false,
    };
    let shares = |other: &usize| {
        let theirs = op.plan.lanes.get(*other);
        *other != number
            && theirs.is_some_and(|theirs| doors(theirs).any(|one| doors(mine).any(|own| own == one)))
    };
    let stuck = (0..op.lanes.len()).filter(is_stuck).find(shares)?;
    let name = op.plan.lanes.get(stuck).map_or("another one", |lane| lane.name.as_str());
    Some(format!(
        "{name} serves the same target group and is stuck on its way back: this one goes on serving until that is mended"
    ))
}

/// The target groups that a lane's steps take something out of, one way or the other.
fn doors(lane: &Lane) -> impl Iterator<Item = &TargetGroupArn> {
    let legs = lane.steps.iter().flat_map(|step| step.undo.leg().into_iter().chain([&step.go]));
    legs.filter_map(|leg: &Leg| match leg.act.change() {
        Some(Change::Deregister { target_group, .. }) => Some(target_group),
        _ => None,
    })
}
