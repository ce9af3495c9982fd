//! What a person must type before a plan is run: the more it destroys, the more. The same on the screen and in
//! scripts.

use super::kinds::{Danger, kind};
use super::losses::Loss;
use super::plan::{Plan, Undo};
use super::rollback;
use crate::model::ids::short_arn;

/// How a plan is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// By a yes.
    Yes,
    /// By these words, exactly: a name, or a verb and a number.
    Words(String),
}

impl Confirm {
    /// What a plan asks for: a yes where everything can be set back; the name of the only target where
    /// something is gone for good or production may be served worse; the verb and the number for several.
    pub fn of(plan: &Plan) -> Self {
        let undos = || plan.lanes.iter().flat_map(|lane| &lane.steps).map(|step| &step.undo);
        let is_gone = undos().any(|undo| matches!(undo, Undo::Impossible { .. }));
        let verb = &plan.intent.verb;
        let danger = match (is_gone, kind(verb)) {
            (true, _) => Danger::Destroys,
            (false, Ok(kind)) => kind.danger,
            // It sets back what was, as far as it was recorded.
            (false, Err(_)) if verb == rollback::VERB => Danger::Harmless,
            (false, Err(_)) => Danger::Destroys,
        };
        let is_production = plan.lanes.iter().filter_map(|lane| lane.tier.as_deref()).any(is_production)
            || plan.losses.iter().any(Loss::is_production);
        let Some(lane) = plan.lanes.first() else { return Self::Yes };
        let name = short_arn(&lane.target).to_owned();
        match (danger, plan.lanes.len()) {
            (Danger::Harmless, _) => Self::Yes,
            (Danger::Disturbs, 1) if !is_production => Self::Yes,
            (_, 1) => Self::Words(name),
            (_, count) => Self::Words(format!("{verb} {count}")),
        }
    }
}

/// Whether customers' production rests on a tier, by its name: `production`, `eu-prod`, and `shared`, whose cores
/// serve tenants in production too.
pub fn is_production(tier: &str) -> bool {
    let tier = tier.to_ascii_lowercase();
    tier.contains("prod") || tier.contains("shared")
}
