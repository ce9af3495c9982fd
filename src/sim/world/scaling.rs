//! Auto Scaling: groups, their members, refreshes and activities.

use super::machine::Tag;
use crate::sim::time::Moment;
use compact_str::CompactString;

/// A launch template with the version that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TemplateChoice {
    pub(crate) id: CompactString,
    pub(crate) name: CompactString,
    pub(crate) version: CompactString,
}

/// Which types a mixed group takes, and how many of them on demand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mix {
    /// Types with weights, in the order of preference.
    pub(crate) overrides: Vec<(CompactString, Option<u32>)>,
    pub(crate) on_demand_base: u32,
    /// Percent of what is above the base.
    pub(crate) on_demand_percent: u32,
    pub(crate) spot_strategy: &'static str,
}

/// Where a member of a group is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Pending,
    InService,
    Standby,
    Terminating,
    TerminatingWait,
}

impl Stage {
    /// AWS's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InService => "InService",
            Self::Standby => "Standby",
            Self::Terminating => "Terminating",
            Self::TerminatingWait => "Terminating:Wait",
        }
    }
}

/// A member of a group.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) instance: CompactString,
    pub(crate) stage: Stage,
    pub(crate) is_healthy: bool,
    pub(crate) is_protected: bool,
    /// The template version it was launched from.
    pub(crate) version: u32,
    pub(crate) since: Moment,
}

/// An Auto Scaling group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) name: CompactString,
    pub(crate) uuid: CompactString,
    pub(crate) template: TemplateChoice,
    pub(crate) mix: Option<Mix>,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) desired: u32,
    pub(crate) created: Moment,
    /// Indices of the place's zones.
    pub(crate) zones: Vec<usize>,
    pub(crate) target_groups: Vec<CompactString>,
    pub(crate) checks_balancer: bool,
    pub(crate) grace: u32,
    pub(crate) warmup: Option<u32>,
    pub(crate) protects_new: bool,
    pub(crate) rebalances_capacity: bool,
    pub(crate) policies: Vec<&'static str>,
    /// Suspended processes with their reasons.
    pub(crate) suspended: Vec<(CompactString, CompactString)>,
    pub(crate) tags: Vec<(Tag, bool)>,
    pub(crate) members: Vec<Member>,
    /// Newest last.
    pub(crate) refreshes: Vec<Refresh>,
    /// Newest last.
    pub(crate) activities: Vec<Activity>,
}

/// An instance refresh.
#[derive(Clone, Debug)]
pub(crate) struct Refresh {
    pub(crate) id: CompactString,
    pub(crate) status: &'static str,
    pub(crate) reason: Option<CompactString>,
    pub(crate) started: Option<Moment>,
    pub(crate) ended: Option<Moment>,
    pub(crate) percent: u32,
    pub(crate) remaining: u32,
    pub(crate) preferences: Preferences,
    pub(crate) desired: Option<TemplateChoice>,
    /// Since when nothing that is left may be touched.
    pub(crate) stalled: Option<Moment>,
    /// The end of its bake time.
    pub(crate) held_until: Option<Moment>,
}

/// How a refresh behaves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Preferences {
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
    pub(crate) warmup: Option<u32>,
    pub(crate) checkpoints: Vec<u32>,
    pub(crate) checkpoint_delay: Option<u32>,
    pub(crate) skips_matching: bool,
    pub(crate) rolls_back: bool,
    pub(crate) protected: &'static str,
    pub(crate) standby: &'static str,
    pub(crate) alarms: Vec<CompactString>,
    pub(crate) bake: u32,
}

/// A scaling activity.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    pub(crate) id: CompactString,
    pub(crate) description: CompactString,
    pub(crate) cause: String,
    pub(crate) started: Moment,
    pub(crate) ended: Option<Moment>,
    pub(crate) status: &'static str,
    pub(crate) message: Option<CompactString>,
    pub(crate) progress: u32,
    pub(crate) details: String,
}
