//! Auto Scaling: groups, their members, refreshes and activities.

mod refresh;

pub(crate) use self::refresh::{Preferences, Refresh, Rollback, Strategy};

use super::machine::{Kind, Tag};
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
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mix {
    /// What it may launch, in the order of preference.
    pub(crate) overrides: Vec<Override>,
    pub(crate) on_demand_base: u32,
    /// Percent of what is above the base.
    pub(crate) on_demand_percent: u32,
    pub(crate) spot_strategy: &'static str,
    /// None for what AWS takes when nothing is said.
    pub(crate) on_demand_strategy: Option<&'static str>,
    /// From how many of the cheapest pools, where that is the strategy.
    pub(crate) spot_pools: Option<u32>,
    /// USD an hour; none for the on-demand price.
    pub(crate) spot_max_price: Option<CompactString>,
}

/// What a mixed group may launch: a type, or whatever has what is needed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Override {
    /// The type; empty where needs say it.
    pub(crate) kind: CompactString,
    pub(crate) weight: Option<u32>,
    /// A template of its own.
    pub(crate) template: Option<TemplateChoice>,
    /// An AMI of its own.
    pub(crate) image: Option<CompactString>,
    pub(crate) needs: Option<Needs>,
}

/// What a type must have: least and most virtual processors and MiB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Needs {
    pub(crate) cpus: (u32, Option<u32>),
    pub(crate) memory: (u32, Option<u32>),
}

impl Needs {
    /// Tells whether a type has it.
    pub(crate) fn are_met(&self, kind: &Kind) -> bool {
        let within = |(least, most): (u32, Option<u32>), found: u32| {
            found >= least && most.is_none_or(|most| found <= most)
        };
        within(self.cpus, kind.vcpus()) && within(self.memory, kind.memory)
    }
}

impl Override {
    /// A type and nothing else.
    pub(crate) fn of(kind: &str) -> Self {
        Self { kind: kind.into(), ..Self::default() }
    }

    /// Tells whether a type is what it means.
    pub(crate) fn fits(&self, kind: &str) -> bool {
        match &self.needs {
            None => self.kind == kind,
            Some(needs) => Kind::named(kind).is_some_and(|found| needs.are_met(found)),
        }
    }
}

impl Mix {
    /// The override that a type is launched by.
    pub(crate) fn of(&self, kind: &str) -> Option<&Override> {
        self.overrides.iter().find(|one| one.fits(kind))
    }
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
    /// Its root volume is being replaced under it.
    ReplacingRoot,
    /// It has another one, and starts.
    RootReplaced,
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
            Self::ReplacingRoot => "ReplacingRootVolume",
            Self::RootReplaced => "RootVolumeReplaced",
        }
    }

    /// On its way to service.
    pub(crate) fn is_coming(self) -> bool {
        matches!(
            self,
            Self::Pending
                | Self::PendingWait
                | Self::PendingProceed
                | Self::ReplacingRoot
                | Self::RootReplaced
        )
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
    /// The template and the version it was launched from.
    pub(crate) template: CompactString,
    pub(crate) version: u32,
    pub(crate) kind: &'static str,
    pub(crate) image: CompactString,
    /// What it counts for; 0 is 1.
    pub(crate) weight: u32,
    pub(crate) since: Moment,
    /// Lifecycle actions that hold it.
    pub(crate) holds: Vec<Hold>,
}

impl Member {
    /// How much of the group's capacity it is.
    pub(crate) fn units(&self) -> usize {
        usize::try_from(self.weight).unwrap_or(1).max(1)
    }
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
    /// Least and most percent of the desired capacity while instances are replaced.
    pub(crate) maintenance: Option<(u32, u32)>,
    pub(crate) protects_new: bool,
    pub(crate) rebalances_capacity: bool,
    /// There is no room for what it launches.
    pub(crate) lacks_room: bool,
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
