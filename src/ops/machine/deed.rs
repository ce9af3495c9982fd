//! Which call comes next, and for how many lanes at once.

use super::super::event::{At, Way};
use super::super::merge::with;
use super::super::state::OpState;
use super::{Deed, Need};
use crate::gateway::change::Change;

/// The call for the lane that is least far, together with all others that the same call can serve.
pub(super) fn deed(op: &OpState, needs: &[(usize, Need)]) -> Option<Deed> {
    let mut acts: Vec<(&At, &Way, &Change, Option<u64>)> = needs
        .iter()
        .filter_map(|(_, need)| match need {
            Need::Act { at, way, change, same_as } => Some((at, way, change, *same_as)),
            _ => None,
        })
        .collect();
    // All targets take their first step before any takes its second: all are cordoned before one is waited for.
    acts.sort_by_key(|(at, way, _, _)| (**way == Way::There, at.step, at.lane));
    let (at, way, change, same_as) = *acts.first()?;
    let scope = op.plan.lanes.get(at.lane)?.scope.clone();
    let mut deed = Deed { steps: vec![*at], way: *way, scope, change: change.clone(), same_as };
    if same_as.is_some() {
        return Some(deed);
    }
    for (other, other_way, more, _) in acts.into_iter().skip(1).filter(|(_, _, _, same_as)| same_as.is_none())
    {
        let is_near =
            *other_way == *way && op.plan.lanes.get(other.lane).is_some_and(|lane| lane.scope == deed.scope);
        if is_near && let Some(both) = with(&deed.change, more) {
            deed.change = both;
            deed.steps.push(*other);
        }
    }
    Some(deed)
}
