//! Auto Scaling groups: members, what they launch, and what they are doing.

use super::ids::{GroupName, InstanceId, InstanceType, TargetGroupArn, TemplateId, Zone};
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
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// `Delete in progress` while it is being deleted.
    pub status: Option<Text>,
    /// Its tags.
    pub tags: Tags,
}

/// An instance as its group sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Which instance.
    pub id: InstanceId,
    /// Its type.
    pub instance_type: Option<InstanceType>,
    /// Its zone.
    pub zone: Zone,
    /// `InService`, `Standby`, `Terminating:Wait`, …
    pub state: Text,
    /// The group's verdict: `Healthy` or `Unhealthy`.
    pub health: Text,
    /// Protected from scale-in.
    pub is_protected: bool,
    /// The template and version that the group says it was launched with.
    pub template: Option<TemplateRef>,
    /// Its weight in a weighted group.
    pub weight: Option<u32>,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
