//! A call whose answer was lost, or that AWS refused because an earlier one of ours went through: what is seen
//! tells whether it happened.

use super::super::event::Event;
use super::super::merge::part_of;
use super::super::plan::Act;
use super::super::state::{Call, Known, StepState};
use super::{DOUBT_EVERY_S, FRESH_FOR_S, Need, One, SHOWN_WITHIN_S, after};
use crate::gateway::change::{Again, Change};
use jiff::Timestamp;

impl One<'_> {
    /// AWS may have acted, and did not say so.
    pub(super) fn doubt(&self, call: u64, since: Timestamp, seen_at: Timestamp) -> Need {
        let steps = vec![self.at];
        let Some(made) = self.op.calls.get(&call) else {
            return self.give_up(false, "its call is lost".to_owned());
        };
        if self.shows(&made.change) == Some(true) {
            return Need::Note(Event::Adopted { call, steps });
        }
        match made.change.again() {
            Again::Harmless | Again::Token if self.op.is_hopeless(self.at, self.way, call) => {
                self.hopeless(call, made)
            }
            Again::Harmless | Again::Token if made.again_at.is_some_and(|at| seen_at < at) => {
                self.until_again(made, seen_at)
            }
            Again::Harmless => self.act(part_of(&made.change, self.leg), None),
            Again::Token => self.act((*made.change).clone(), Some(call)),
            Again::Mark | Again::Observe => {
                // What may only be asked now and then is not asked more often for a doubt.
                let every = DOUBT_EVERY_S.max(self.leg.every_s.min(FRESH_FOR_S));
                if after(since, SHOWN_WITHIN_S) > self.now {
                    return self.look_every(every, seen_at);
                }
                if after(seen_at, every) <= self.now {
                    return self.look();
                }
                if self.op.is_hopeless(self.at, self.way, call) {
                    return self.hopeless(call, made);
                }
                if self.shows(&made.change).is_some() {
                    return Need::Note(Event::Missing { call, steps });
                }
                let why = "the answer was lost, and AWS shows no trace by which to tell whether it happened";
                self.give_up(false, why.to_owned())
            }
        }
    }

    /// Looks now and then until the call may be made again, and once more before it is.
    fn until_again(&self, made: &Call, seen_at: Timestamp) -> Need {
        let Some(at) = made.again_at.filter(|at| *at > self.now) else { return self.look() };
        match self.look_every(DOUBT_EVERY_S, seen_at) {
            Need::Until(next) => Need::Until(next.min(at)),
            other => other,
        }
    }

    /// So many calls in a row got no answer that no more is made.
    fn hopeless(&self, call: u64, made: &Call) -> Need {
        let why = match &made.result {
            Known::Failed(_, why) => why.as_str(),
            Known::Open | Known::Taken => "it was under way when its runner died",
        };
        let many = self.op.lost(self.at, self.way, call);
        self.give_up(
            true,
            format!("{many} calls in a row got no answer that tells whether they happened; the last: {why}"),
        )
    }

    /// Whether what shows that AWS took a change is seen; none where nothing could show it.
    pub(super) fn shows(&self, change: &Change) -> Option<bool> {
        let arm = match &self.leg.act {
            Act::AsSeen { arms } => arms.iter().find(|arm| arm.change.as_deref() == Some(change)),
            _ => None,
        };
        let taken = arm.map(|arm| &arm.taken).or(self.leg.taken.as_ref())?;
        Some(self.holds(taken))
    }

    /// A call that AWS refused because what it asks for is under way already, and by its mark is what an
    /// earlier call of ours began.
    pub(super) fn refused_as_ours(&self) -> Option<u64> {
        if !matches!(self.state(), StepState::Refused { .. }) {
            return None;
        }
        let mut mine = self.op.calls.iter().rev();
        let (number, call) = mine.find(|(_, call)| call.way == self.way && call.steps.contains(&self.at))?;
        (call.change.again() == Again::Mark && self.shows(&call.change) == Some(true)).then_some(*number)
    }
}
