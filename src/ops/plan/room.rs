//! The room that a lane keeps for an instance that one of its steps launches: nobody knows its id before.

use super::super::aspect::{Value, hash_of};
use super::{Lane, Plan};
use crate::gateway::change::Change;
use crate::inventory::sealed_again;

/// Where the id of an instance will stand that a step launches.
pub const ROOM_FOR_HOST: &str = "{new instance}";

impl Plan {
    /// The plan with the id of the instance that a lane launched in all places that the lane keeps free for it; none
    /// where that is no id of an instance.
    pub fn housed(&self, lane: usize, host: &str) -> Option<Self> {
        // It is put between the quotes of others.
        if host.is_empty() || !host.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return None;
        }
        let mut plan = self.clone();
        let mine = plan.lanes.get_mut(lane)?;
        *mine = filled(mine, host)?;
        Some(plan)
    }
}

fn filled(lane: &Lane, host: &str) -> Option<Lane> {
    let mut json = serde_json::to_string(lane).ok()?;
    let legs = lane.steps.iter().flat_map(|step| step.undo.leg().into_iter().chain([&step.go]));
    for change in legs.filter_map(|leg| leg.act.change()) {
        let Change::PutParameter { value, .. } = change else { continue };
        if !value.contains(ROOM_FOR_HOST) {
            continue;
        }
        // An entry of the registry is sealed, and what is waited for is its hash.
        let whole = sealed_again(&value.replace(ROOM_FOR_HOST, host))?;
        let quoted = |text: &str| serde_json::to_string(text).ok();
        json = json.replace(&quoted(value)?, &quoted(&whole)?);
        if let (Value::Word(before), Value::Word(now)) = (hash_of(value), hash_of(&whole)) {
            json = json.replace(&before, &now);
        }
    }
    serde_json::from_str(&json.replace(ROOM_FOR_HOST, host)).ok()
}
