//! EC2 instances, and what other services say about the same machine.

use super::ids::{AccountId, ImageId, InstanceId, InstanceType, Zone};
use super::tags::Tags;
use super::text::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An EC2 instance as `DescribeInstances` tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// `i-…`
    pub id: InstanceId,
    /// The reservation it was launched in; one reservation may hold hundreds.
    pub reservation_id: Text,
    /// The account that owns it.
    pub owner_id: AccountId,
    /// Where in its life it is.
    pub state: InstanceState,
    /// Why it last changed state, `Client.UserInitiatedShutdown`.
    pub state_reason: Option<Text>,
    /// `t3.small`
    pub instance_type: InstanceType,
    /// The availability zone by name.
    pub zone: Zone,
    /// The AMI it was launched from.
    pub image_id: ImageId,
    /// `x86_64`, `arm64`
    pub architecture: Option<Text>,
    /// How it is paid for.
    pub lifecycle: Lifecycle,
    /// The spot request behind it.
    pub spot_request_id: Option<Text>,
    /// When it was last started.
    pub launched_at: Option<Timestamp>,
    /// Its address inside the network.
    pub private_ip: Option<Text>,
    /// Its public address.
    pub public_ip: Option<Text>,
    /// Its DNS name inside the network.
    pub private_dns: Option<Text>,
    /// Its public DNS name.
    pub public_dns: Option<Text>,
    /// `vpc-…`
    pub vpc_id: Option<Text>,
    /// `subnet-…`
    pub subnet_id: Option<Text>,
    /// The SSH key's name.
    pub key_name: Option<Text>,
    /// The instance profile's ARN.
    pub profile_arn: Option<Text>,
    /// `Linux/UNIX`, the platform that is billed.
    pub platform: Option<Text>,
    /// Security group ids, sorted.
    pub security_groups: Box<[Text]>,
    /// `/dev/xvda`
    pub root_device: Option<Text>,
    /// Detailed (one-minute) monitoring is on.
    pub detailed_monitoring: bool,
    /// All tags.
    pub tags: Tags,
}

impl Instance {
    /// The `Name` tag, when it says something.
    pub fn name(&self) -> Option<&str> {
        self.tags.get("Name").filter(|name| !name.is_empty())
    }

    /// The group that the Auto Scaling service says launched it.
    pub fn group_tag(&self) -> Option<&str> {
        self.tags.get("aws:autoscaling:groupName")
    }

    /// The launch template id and version that it was launched from.
    pub fn template_tag(&self) -> Option<(&str, &str)> {
        Some((self.tags.get("aws:ec2launchtemplate:id")?, self.tags.get("aws:ec2launchtemplate:version")?))
    }
}

/// The EC2 state machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Being started.
    Pending,
    /// Up and billed.
    Running,
    /// On its way to `stopped`.
    Stopping,
    /// Down, kept.
    Stopped,
    /// On its way to `terminated`.
    ShuttingDown,
    /// Gone; listed for about an hour more.
    Terminated,
    /// A state this version does not know.
    Unknown,
}

impl InstanceState {
    /// AWS's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Unknown => "unknown",
        }
    }

    /// Tells whether it is gone or going for good.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::ShuttingDown | Self::Terminated)
    }
}

/// How an instance is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifecycle {
    /// By the second, until stopped.
    OnDemand,
    /// Spare capacity that may be taken back with two minutes' notice.
    Spot,
    /// Scheduled or capacity-block instances.
    Other,
}

impl Lifecycle {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Spot => "spot",
            Self::Other => "other",
        }
    }
}

/// The outcome of an EC2 status check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Passed.
    Ok,
    /// Started lately, not decided.
    Initializing,
    /// Not enough reports.
    InsufficientData,
    /// Does not apply (stopped instances).
    NotApplicable,
    /// Failed.
    Impaired,
}

impl Check {
    /// AWS's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Initializing => "initializing",
            Self::InsufficientData => "insufficient-data",
            Self::NotApplicable => "not-applicable",
            Self::Impaired => "impaired",
        }
    }
}

/// Status checks and scheduled events of one instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceStatus {
    /// Whose.
    pub id: InstanceId,
    /// The hardware below it.
    pub system: Check,
    /// The operating system on it.
    pub instance: Check,
    /// Attached volumes, where reported.
    pub ebs: Option<Check>,
    /// What AWS plans to do to it.
    pub events: Vec<ScheduledEvent>,
}

/// Something AWS will do to an instance: `instance-retirement`, `system-reboot`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduledEvent {
    /// AWS's code.
    pub code: Text,
    /// AWS's description; begins with `[Completed]` or `[Canceled]` when it is over.
    pub description: Text,
    /// The earliest start.
    pub not_before: Option<Timestamp>,
}

impl ScheduledEvent {
    /// Tells whether it is still to come.
    pub fn is_open(&self) -> bool {
        !self.description.starts_with("[Completed]") && !self.description.starts_with("[Canceled]")
    }
}

/// What Systems Manager knows of an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Whose.
    pub id: InstanceId,
    /// `Online`, `ConnectionLost`, `Inactive`
    pub ping: Text,
    /// When it was last heard.
    pub last_ping_at: Option<Timestamp>,
    /// The agent's version.
    pub version: Option<Text>,
    /// The operating system's name and version.
    pub platform: Option<Text>,
}
