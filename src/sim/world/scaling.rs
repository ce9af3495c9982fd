//! Auto Scaling: groups, their members, refreshes and activities.

use super::machine::Tag;
use crate::sim::time::Moment;
use compact_str::CompactString;

/// A launch template with the version that was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
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

/// The processes that a group runs by itself, and that can be suspended.
pub(crate) const PROCESSES: [&str; 9] = [
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
];

/// Where a member of a group is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    #[default]
    Pending,
    PendingWait,
    PendingProceed,
    InService,
    EnteringStandby,
    Standby,
    Detaching,
    Terminating,
    TerminatingWait,
    TerminatingProceed,
}

impl Stage {
    /// AWS's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::PendingWait => "Pending:Wait",
            Self::PendingProceed => "Pending:Proceed",
            Self::InService => "InService",
            Self::EnteringStandby => "EnteringStandby",
            Self::Standby => "Standby",
            Self::Detaching => "Detaching",
            Self::Terminating => "Terminating",
            Self::TerminatingWait => "Terminating:Wait",
            Self::TerminatingProceed => "Terminating:Proceed",
        }
    }

    /// On its way to service.
    pub(crate) fn is_coming(self) -> bool {
        matches!(self, Self::Pending | Self::PendingWait | Self::PendingProceed)
    }

    /// On its way out.
    pub(crate) fn is_going(self) -> bool {
        matches!(self, Self::Detaching | Self::Terminating | Self::TerminatingWait | Self::TerminatingProceed)
    }
}

/// A member of a group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    pub(crate) instance: CompactString,
    pub(crate) stage: Stage,
    pub(crate) is_healthy: bool,
    pub(crate) is_protected: bool,
    /// The template version it was launched from.
    pub(crate) version: u32,
    pub(crate) since: Moment,
    /// Lifecycle actions that hold it.
    pub(crate) holds: Vec<Hold>,
}

/// A lifecycle hook of a group.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hook {
    pub(crate) name: CompactString,
    /// It holds launches; otherwise terminations.
    pub(crate) is_launch: bool,
    /// Seconds without a heartbeat after which the default result counts.
    pub(crate) heartbeat: u32,
    /// A default result of CONTINUE; otherwise ABANDON.
    pub(crate) goes_on: bool,
    pub(crate) target: Option<CompactString>,
    pub(crate) role: Option<CompactString>,
    pub(crate) metadata: Option<CompactString>,
}

/// A lifecycle action under way: an instance is held by a hook.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hold {
    pub(crate) hook: CompactString,
    pub(crate) token: CompactString,
    /// When the default result counts.
    pub(crate) until: Moment,
    /// Beyond which no heartbeat holds it.
    pub(crate) end: Moment,
    pub(crate) goes_on: bool,
    /// It ends by itself when the ECS host has been drained.
    pub(crate) is_draining: bool,
}

/// An Auto Scaling group.
#[derive(Clone, Debug, Default)]
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
    pub(crate) hooks: Vec<Hook>,
    /// It goes when its last member has gone.
    pub(crate) is_deleting: bool,
}

/// An instance refresh.
#[derive(Clone, Debug, Default)]
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
    /// The mix that the group takes on with the template.
    pub(crate) mix: Option<Mix>,
    /// Members that were there at the start.
    pub(crate) before: Vec<CompactString>,
    /// The highest checkpoint that was reached, and until when it holds.
    pub(crate) checkpoint: Option<(u32, Moment)>,
    pub(crate) rollback: Option<Rollback>,
    /// A cancellation waits for launches and terminations under way.
    pub(crate) ends_quietly: bool,
}

/// How a refresh stood when its rollback began.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rollback {
    pub(crate) reason: CompactString,
    pub(crate) since: Moment,
    pub(crate) percent: u32,
    pub(crate) remaining: u32,
}

/// How a refresh behaves.
#[derive(Clone, Debug, Default, PartialEq)]
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
