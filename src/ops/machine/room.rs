//! A launch for which AWS has no room in one subnet is tried in the next: each try with a token of its own, and none while
//! an earlier one may have happened.

use super::super::event::{Failure, Way};
use super::super::plan::Act;
use super::super::state::Known;
use super::{DOUBT_EVERY_S, Need, One};
use crate::gateway::change::Change;

impl One<'_> {
    /// The tries of this step that AWS had no room for, with what it said.
    fn full(&self) -> Vec<(&Change, &str)> {
        let mine =
            self.op.calls.values().filter(|call| call.way == self.way && call.steps.contains(&self.at));
        mine.filter_map(|call| match &call.result {
            Known::Failed(Failure::Full, why) => Some((&*call.change, why.as_str())),
            _ => None,
        })
        .collect()
    }

    /// The first change that AWS did not say it has no room for.
    pub(super) fn untried(&self) -> Option<Change> {
        let Act::FirstWithRoom { changes } = &self.leg.act else { return None };
        let full = self.full();
        changes.iter().find(|change| !full.iter().any(|(tried, _)| tried == change)).cloned()
    }

    /// What follows when AWS had no room for the try that was made last; none when it said something else.
    pub(super) fn elsewhere(&self, seen_at: jiff::Timestamp) -> Option<Need> {
        let Act::FirstWithRoom { changes } = &self.leg.act else { return None };
        let mut mine = self.op.calls.values().rev();
        let last = mine.find(|call| call.way == self.way && call.steps.contains(&self.at))?;
        let Known::Failed(Failure::Full, why) = &last.result else { return None };
        // An earlier call whose answer was lost may have launched one that EC2 does not show yet.
        let doubted = self.lane().doubted_since(self.at.step).filter(|_| self.way == Way::There);
        if let Some(shown) = doubted.map(|since| super::after(since, super::SHOWN_WITHIN_S))
            && seen_at < shown
        {
            return Some(if shown <= self.now {
                self.look()
            } else {
                self.look_every(DOUBT_EVERY_S, seen_at)
            });
        }
        if let Some(change) = self.untried() {
            return Some(self.act(change, None));
        }
        let places: Vec<String> = changes.iter().map(place).collect();
        Some(self.give_up(
            false,
            format!(
                "AWS has no room for it in any place that was tried, in this order: {}. It said last: {why}. Try again \
                 later, or make a new plan with --subnet of another zone, or --template of another instance type",
                places.join(", ")
            ),
        ))
    }
}

/// Where a change would be made, in words.
fn place(change: &Change) -> String {
    match change {
        Change::RunInstance { subnet: Some(subnet), .. } => subnet.to_string(),
        Change::RunInstance { .. } => "the template's own subnet".to_owned(),
        other => other.targets().join(" "),
    }
}
