//! A target while what AWS does for it is held, and when it is let go again.

use super::{LaneState, Phase, StepState};
use jiff::Timestamp;

impl LaneState {
    /// What was held goes on: the time that it stood still does not count as waiting.
    pub(super) fn released(&mut self, at: Timestamp) {
        if let Some((step, held_at)) = self.held.take()
            && let Some(StepState::Waiting { since, .. }) = self.there.get_mut(step)
        {
            *since = since.saturating_add(at.duration_since(held_at)).unwrap_or(at);
        }
        (self.hold, self.release) = (StepState::Fresh, StepState::Fresh);
    }

    pub(super) fn forgive(&mut self) {
        if self.hold == StepState::GivenUp(false) {
            self.hold = StepState::Fresh;
        }
        if matches!(self.release, StepState::GivenUp(_)) {
            self.release = StepState::Fresh;
        }
    }

    /// Whether what AWS does for it stands still, or may.
    pub fn is_held(&self) -> bool {
        !matches!(self.hold, StepState::Fresh | StepState::GivenUp(false))
    }

    /// Whether AWS is at the step that it is at, or may be: by a call of the step, or of one before it that it only
    /// waits for.
    pub fn is_going(&self) -> bool {
        let was_begun = || self.there.iter().take(self.at).any(StepState::is_touched);
        self.phase == Phase::There
            && match self.there.get(self.at) {
                Some(
                    StepState::Open { .. }
                    | StepState::Doubtful { .. }
                    | StepState::Waiting { call: Some(_), .. },
                ) => true,
                Some(StepState::Fresh | StepState::Waiting { call: None, .. }) => was_begun(),
                _ => false,
            }
    }
}
