//! How a group treats its members, as facts.

use super::Value;
use crate::model::Group;
use serde::{Deserialize, Serialize};

/// A setting of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupSetting {
    /// Which members are ended first, in order.
    Terminations,
    /// Seconds from in service to counted.
    Warmup,
    /// Whether spot instances at risk are replaced before they are taken.
    Rebalancing,
    /// Percent of the desired capacity while members are replaced: `90-110`.
    Maintenance,
}

impl GroupSetting {
    /// What a person calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Terminations => "termination policies",
            Self::Warmup => "default warm-up",
            Self::Rebalancing => "capacity rebalancing",
            Self::Maintenance => "maintenance policy",
        }
    }

    /// What it is now.
    pub fn of(self, group: &Group) -> Value {
        match self {
            Self::Terminations => {
                Value::Words(group.termination_policies.iter().map(ToString::to_string).collect())
            }
            Self::Warmup => group.warmup_s.map_or(Value::Absent, Self::span),
            Self::Rebalancing => Value::Flag(group.rebalances.unwrap_or(false)),
            Self::Maintenance => group.maintenance.map_or(Value::Absent, Self::bounds),
        }
    }

    /// A warm-up of so many seconds as a value, with its unit.
    pub fn span(seconds: u32) -> Value {
        Value::Word(crate::config::span(std::time::Duration::from_secs(seconds.into())))
    }

    /// A maintenance policy as a value.
    pub fn bounds((min, max): (u32, u32)) -> Value {
        Value::Word(format!("{min}-{max} %"))
    }
}
