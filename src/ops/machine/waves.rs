//! Waves: lanes begin when all of the waves before are done, and what one lane's failure means for the others.

use super::super::event::End;
use super::super::state::{Mode, OpState, Phase};

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

/// What the operation does, and whether it begins nothing more: where lanes go in waves the first that fails stops
/// those that wait, and takes back all others where they are one piece.
pub(super) fn fate(op: &OpState) -> (Mode, bool) {
    if op.mode != Mode::Going || op.plan.waves.is_empty() {
        return (op.mode, false);
    }
    let has_failed = op.lanes.iter().any(|lane| {
        matches!(
            lane.phase,
            Phase::Back | Phase::Over(End::Untouched | End::Undone | End::Left | End::Stuck | End::Skipped)
        )
    });
    match (has_failed, op.plan.is_one_piece) {
        (false, _) => (Mode::Going, false),
        (true, true) => (Mode::RollingBack, true),
        (true, false) => (Mode::Going, true),
    }
}
