//! What can be asked of an operation as it stands: nothing is offered that would not be heard.

use super::{Mode, OpState, Phase};
use crate::ops::event::{End, Verb};
use crate::ops::rollback::is_possible;

impl OpState {
    /// What can be asked of it now, the likeliest first. `lives` says whether a runner has it.
    pub fn offers(&self, lives: bool) -> Vec<Verb> {
        if self.ended.is_some() {
            return if is_possible(self) { vec![Verb::Rollback] } else { Vec::new() };
        }
        let (is_still, is_back) = (self.mode == Mode::Paused || !lives, self.is_going_back());
        let ends = (!is_back && self.mode != Mode::Cancelling).then_some(Verb::Cancel);
        let back = self.has_more_to_take_back().then_some(Verb::Rollback);
        let all = if is_still {
            [Some(Verb::Resume), back, ends, Some(Verb::Takeover)]
        } else {
            let holds = ends.map(|_| Verb::Pause);
            [holds, ends, back, Some(Verb::Takeover)]
        };
        all.into_iter().flatten().collect()
    }

    /// Why it does not hear something while it is under way; none where it does. What it is told to undo it undoes.
    pub fn deaf_to(&self, verb: Verb) -> Option<&'static str> {
        match (self.mode, verb) {
            (Mode::RollingBack, Verb::Pause | Verb::Cancel) => Some("it is rolling back what it did"),
            (Mode::Cancelling, Verb::Pause) => Some("it begins nothing more and ends what it began"),
            _ => None,
        }
    }

    /// Whether it did, or may still do, anything that is not on its way back already.
    fn has_more_to_take_back(&self) -> bool {
        let is_more =
            |phase| matches!(phase, Phase::Waiting | Phase::There | Phase::Over(End::Done | End::Left));
        !self.takes_all_back() && self.lanes.iter().any(|lane| is_more(lane.phase))
    }
}
