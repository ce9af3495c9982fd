//! Waves: lanes begin when all of the waves before are done, and what one lane's failure means for the others.

use super::super::event::End;
use super::super::rollback::VERB;
use super::super::state::{LaneState, Mode, OpState, Phase};

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
}

/// Whether a lane may begin its way back: those of the last wave first, so that what went one after the other comes back
/// one after the other.
pub(super) fn may_turn(op: &OpState, lane: usize) -> bool {
    let is_due = |lane: &usize| {
        op.lanes.get(*lane).is_some_and(|lane| {
            matches!(lane.phase, Phase::There | Phase::Back | Phase::Over(End::Done | End::Left))
        })
    };
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
    // What is set back is set back wherever it can be, also where one of them is somebody else's by now.
    let is_return = op.plan.intent.verb == VERB;
    let was_barred = |lane: &LaneState| lane.opened_at.is_none();
    let has_failed = op.lanes.iter().any(|lane| match lane.phase {
        Phase::Back | Phase::Over(End::Undone | End::Left | End::Stuck | End::Skipped) => true,
        Phase::Over(End::Untouched) => !(is_return && was_barred(lane)),
        Phase::Waiting | Phase::There | Phase::Over(End::Done) => false,
    });
    match (has_failed, op.plan.is_one_piece) {
        (false, _) => (Mode::Going, false),
        (true, true) => (Mode::RollingBack, true),
        (true, false) => (Mode::Going, true),
    }
}
