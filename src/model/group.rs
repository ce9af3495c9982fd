//! Auto Scaling groups: members, what they launch, and what they are doing.

use super::ids::{GroupName, InstanceType, TargetGroupArn, TemplateId, Zone};
use super::member::{Member, read_alike};
use super::norm::Norm;
use super::tags::Tags;
use super::text::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An Auto Scaling group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: GroupName,
    /// Its ARN.
    pub arn: Text,
    /// Fewest instances.
    pub min: u32,
    /// Most instances.
    pub max: u32,
    /// Wanted instances (or weight units).
    pub desired: u32,
    /// Who is in it.
    #[serde(deserialize_with = "read_alike")]
    pub members: Vec<Member>,
    /// The launch template, from the group or its mixed instances policy.
    pub template: Option<TemplateRef>,
    /// A launch configuration's name, for groups of the old kind.
    pub launch_configuration: Option<Text>,
    /// On-demand and spot mix.
    pub mix: Option<Mix>,
    /// Zones it launches into.
    pub zones: Vec<Zone>,
    /// Subnets it launches into.
    pub subnets: Vec<Text>,
    /// `EC2`, `ELB`, …
    pub health_check: Text,
    /// Seconds after launch during which health checks do not count.
    pub grace_s: Option<u32>,
    /// Target groups it registers with.
    pub target_groups: Vec<TargetGroupArn>,
    /// Suspended processes, `Launch`, `InstanceRefresh`, …
    pub suspended: Vec<Text>,
    /// New members are protected from scale-in.
    pub protects_new: bool,
    /// Capacity rebalancing is on.
    pub rebalances: Option<bool>,
    /// Termination policies in order.
    pub termination_policies: Vec<Text>,
    /// Default warm-up in seconds.
    pub warmup_s: Option<u32>,
    /// Least and most percent of the desired capacity while members are replaced.
    #[serde(default)]
    pub maintenance: Option<(u32, u32)>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// `Delete in progress` while it is being deleted.
    pub status: Option<Text>,
    /// Its tags.
    pub tags: Tags,
}

impl Group {
    /// By how many units the members that count exceed a size.
    pub fn excess_over(&self, size: u32) -> u32 {
        let units = self.members.iter().filter(|one| one.counts()).map(|one| one.units());
        units.fold(0_u32, u32::saturating_add).saturating_sub(size)
    }

    /// Members that are not gone yet and will be, until it has its size or nobody is left that nothing protects. For a group
    /// without weights. Those that are kept when they have left its service (`Terminating:Retained`) are gone.
    pub fn excess(&self) -> usize {
        let is_there = |one: &&Member| one.counts() || one.is_leaving() && !one.state.ends_with("Retained");
        let protected = self.members.iter().filter(|one| one.counts() && one.is_protected).count();
        let there = self.members.iter().filter(is_there).count();
        there.saturating_sub(protected.max(self.desired as usize))
    }
}

/// A launch template and version, as written by whoever refers to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TemplateRef {
    /// `lt-…`, when the reference carries it.
    pub id: TemplateId,
    /// The template's name, when the reference carries it.
    pub name: Text,
    /// A number, `$Latest` or `$Default`.
    pub version: Text,
}

/// A mixed instances policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mix {
    /// On-demand instances that always come first.
    pub on_demand_base: u32,
    /// Percent on-demand above the base.
    pub on_demand_percent: u32,
    /// How spot pools are chosen.
    pub spot_strategy: Option<Text>,
    /// The highest spot price it will pay, USD an hour; none means the on-demand price.
    pub spot_max_price: Option<Text>,
    /// Types it may launch, with weights where given.
    pub types: Vec<(InstanceType, Option<Text>)>,
    /// How on-demand types are chosen: `prioritized`, `lowest-price`.
    #[serde(default)]
    pub on_demand_strategy: Option<Text>,
    /// Over how many pools `lowest-price` spreads spot instances.
    #[serde(default)]
    pub spot_pools: Option<u32>,
    /// What single types are launched with instead of the group's own.
    #[serde(default)]
    pub own: Vec<OwnLaunch>,
    /// Parts of the policy that are not held here, so that it cannot be sent back whole: `InstanceRequirements`.
    #[serde(default)]
    pub unheld: Vec<Text>,
}

/// What one type of a mixed instances policy is launched with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnLaunch {
    /// The type's place in the list.
    pub at: usize,
    /// Its own template.
    pub template: Option<TemplateRef>,
    /// Its own image.
    pub image: Option<Text>,
}

/// An instance refresh.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refresh {
    /// Which group.
    pub group: GroupName,
    /// Its id.
    pub id: Text,
    /// `InProgress`, `Successful`, `RollbackInProgress`, …
    pub status: Text,
    /// Why it stands where it does.
    pub reason: Option<Text>,
    /// Percent done; falls back to 0 in a rollback.
    pub percent: Option<u32>,
    /// Instances still to replace.
    pub remaining: Option<u32>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

impl Refresh {
    /// Tells whether it still works. Words this version does not know count as working.
    pub fn is_active(&self) -> bool {
        !matches!(
            self.status.as_str(),
            "Successful" | "Failed" | "Cancelled" | "RollbackSuccessful" | "RollbackFailed"
        )
    }
}

/// What a refresh does with members that it must not simply replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handling {
    /// They are replaced all the same.
    Replace,
    /// They are left as they are.
    Ignore,
    /// It waits an hour for somebody to let go of them, and then fails.
    Wait,
}

impl Handling {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Replace, Self::Ignore, Self::Wait];

    /// The word for it in flags and files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Ignore => "ignore",
            Self::Wait => "wait",
        }
    }

    /// The one of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// What is said of how a group shall be refreshed; what is not said is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefreshPreset {
    /// Percent of the desired capacity that must be in service, 0–100.
    pub min_healthy: Option<u32>,
    /// Percent of the desired capacity that may be there, 100–200.
    pub max_healthy: Option<u32>,
    /// Seconds from in service to counted.
    pub warmup_s: Option<u32>,
    /// Percentages at which it waits, ascending; none of them for no wait.
    pub checkpoints: Option<Vec<u32>>,
    /// Seconds that it waits at each of them.
    pub checkpoint_delay_s: Option<u32>,
    /// Seconds that alarms are watched after the last replacement.
    pub bake_s: Option<u32>,
    /// Whether members that match already are left alone.
    pub skips_matching: Option<bool>,
    /// Whether AWS goes back by itself on failure or alarm.
    pub rolls_back: Option<bool>,
    /// What happens to members that are protected from scale-in.
    pub protected: Option<Handling>,
    /// What happens to members in standby.
    pub standby: Option<Handling>,
    /// Alarms that fail it.
    pub alarms: Option<Vec<Text>>,
    /// What figures of CloudWatch must be meanwhile; none of them for no such judge.
    pub metrics: Option<Vec<Norm>>,
}

impl RefreshPreset {
    /// This one, and another where this one says nothing.
    pub fn or(&self, other: &Self) -> Self {
        Self {
            min_healthy: self.min_healthy.or(other.min_healthy),
            max_healthy: self.max_healthy.or(other.max_healthy),
            warmup_s: self.warmup_s.or(other.warmup_s),
            checkpoints: self.checkpoints.clone().or_else(|| other.checkpoints.clone()),
            checkpoint_delay_s: self.checkpoint_delay_s.or(other.checkpoint_delay_s),
            bake_s: self.bake_s.or(other.bake_s),
            skips_matching: self.skips_matching.or(other.skips_matching),
            rolls_back: self.rolls_back.or(other.rolls_back),
            protected: self.protected.or(other.protected),
            standby: self.standby.or(other.standby),
            alarms: self.alarms.clone().or_else(|| other.alarms.clone()),
            metrics: self.metrics.clone().or_else(|| other.metrics.clone()),
        }
    }
}

/// A scaling activity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Which group.
    pub group: GroupName,
    /// Its id.
    pub id: Text,
    /// `Successful`, `Failed`, `InProgress`, …
    pub status: Text,
    /// What it did.
    pub description: Text,
    /// Why.
    pub cause: Text,
    /// What went wrong.
    pub message: Option<Text>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}
