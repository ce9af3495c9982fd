//! EC2 instances, and what other services say about the same machine.

use super::ids::{AccountId, ImageId, InstanceId, InstanceType, Zone};
use super::particulars::{Kept, Particulars, Which};
use super::tags::{Keyrings, Tags};
use super::text::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// An EC2 instance as `DescribeInstances` tells it.
///
/// What many instances have in common lies in a [`Make`] that they share, and is read as if it were a field of
/// each: `instance.zone`. As JSON, too, it is one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Flat<'static>")]
// In this order: what filters and sorts look at lies together in the first lines of memory. A hundred thousand of these lie all
// over it, and each line more is waited for.
#[repr(C)]
pub struct Instance {
    /// What it shares with others that were launched alike.
    pub make: Arc<Make>,
    /// All tags.
    pub tags: Tags,
    /// `i-…`
    pub id: InstanceId,
    /// Its address inside the network.
    pub private_ip: Option<Text>,
    /// When it was last started.
    pub launched_at: Option<Timestamp>,
    /// Where in its life it is.
    pub state: InstanceState,
    /// What is seldom asked of it.
    pub particulars: Kept,
}

/// What instances have in common that were launched alike: thousands of a hundred thousand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Make {
    /// The account that owns it.
    pub owner_id: AccountId,
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
}

impl Deref for Instance {
    type Target = Make;
    fn deref(&self) -> &Make {
        &self.make
    }
}

impl DerefMut for Instance {
    /// To change what is shared makes it this instance's own first.
    fn deref_mut(&mut self) -> &mut Make {
        Arc::make_mut(&mut self.make)
    }
}

/// Makes and tags that several instances share: the first of each kind stands for all that are equal to it.
#[derive(Debug, Default)]
pub struct Makes {
    makes: HashSet<Arc<Make>>,
    keyrings: Keyrings,
}

impl Makes {
    /// Lets an instance share its make and what it can of its tags with those before it.
    pub fn share(&mut self, it: &mut Instance) {
        match self.makes.get(&it.make) {
            Some(make) => it.make = Arc::clone(make),
            None => drop(self.makes.insert(Arc::clone(&it.make))),
        }
        self.keyrings.share(&mut it.tags);
    }

    /// Lets instances share what this one has from now on.
    pub fn know(&mut self, it: &Instance) {
        self.makes.insert(Arc::clone(&it.make));
        self.keyrings.know(&it.tags);
    }

    /// Forgets what no instance has any more.
    pub fn prune(&mut self) {
        self.makes.retain(|make| Arc::strong_count(make) > 1);
        self.keyrings.prune();
    }
}

/// How an instance is written and read: neither its make nor its particulars are things of their own there.
macro_rules! flat {
    (
        own { $($own:ident: $own_type:ty),+ $(,)? }
        particulars { $($seldom:ident: $seldom_type:ty),+ $(,)? }
        make { $($field:ident: $type:ty),+ $(,)? }
    ) => {
        #[derive(Serialize, Deserialize)]
        struct Flat<'a> {
            $($own: Cow<'a, $own_type>,)+
            $($seldom: $seldom_type,)+
            $($field: Cow<'a, $type>,)+
        }

        impl From<Flat<'_>> for Instance {
            fn from(flat: Flat<'_>) -> Self {
                let make = Arc::new(Make { $($field: flat.$field.into_owned()),+ });
                let particulars = Particulars { $($seldom: flat.$seldom),+ }.into();
                Self { $($own: flat.$own.into_owned(),)+ particulars, make }
            }
        }

        impl Serialize for Instance {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let Particulars { $($seldom),+ } = Particulars::from(&self.particulars);
                let flat = Flat {
                    $($own: Cow::Borrowed(&self.$own),)+
                    $($seldom,)+
                    $($field: Cow::Borrowed(&self.make.$field),)+
                };
                flat.serialize(serializer)
            }
        }
    };
}

flat! {
    own {
        id: InstanceId,
        state: InstanceState,
        launched_at: Option<Timestamp>,
        private_ip: Option<Text>,
        tags: Tags,
    }
    particulars {
        reservation_id: Text,
        state_reason: Option<Text>,
        spot_request_id: Option<Text>,
        public_ip: Option<Text>,
        private_dns: Option<Text>,
        public_dns: Option<Text>,
    }
    make {
        owner_id: AccountId,
        instance_type: InstanceType,
        zone: Zone,
        image_id: ImageId,
        architecture: Option<Text>,
        lifecycle: Lifecycle,
        vpc_id: Option<Text>,
        subnet_id: Option<Text>,
        key_name: Option<Text>,
        profile_arn: Option<Text>,
        platform: Option<Text>,
        security_groups: Box<[Text]>,
        root_device: Option<Text>,
        detailed_monitoring: bool,
    }
}

impl Instance {
    /// The reservation it was launched in; one reservation may hold hundreds.
    pub fn reservation_id(&self) -> &str {
        self.particulars.get(Which::ReservationId).unwrap_or_default()
    }

    /// Why it last changed state, `Client.UserInitiatedShutdown`.
    pub fn state_reason(&self) -> Option<&str> {
        self.particulars.get(Which::StateReason)
    }

    /// The spot request behind it.
    pub fn spot_request_id(&self) -> Option<&str> {
        self.particulars.get(Which::SpotRequestId)
    }

    /// Its public address.
    pub fn public_ip(&self) -> Option<&str> {
        self.particulars.get(Which::PublicIp)
    }

    /// Its DNS name inside the network.
    pub fn private_dns(&self) -> Option<&str> {
        self.particulars.get(Which::PrivateDns)
    }

    /// Its public DNS name.
    pub fn public_dns(&self) -> Option<&str> {
        self.particulars.get(Which::PublicDns)
    }

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    #[default]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifecycle {
    /// By the second, until stopped.
    #[default]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn one(id: &str, zone: &str) -> Instance {
        let mut it =
            Instance { id: id.into(), tags: [("Name", id)].into_iter().collect(), ..Instance::default() };
        it.zone = zone.into();
        it.security_groups = Box::new(["sg-1".into()]);
        it
    }

    #[test]
    fn what_is_launched_alike_is_shared_and_changed_for_one_alone() {
        let (mut first, mut second, mut other) = (one("i-1", "a"), one("i-2", "a"), one("i-3", "b"));
        let mut makes = Makes::default();
        [&mut first, &mut second, &mut other].into_iter().for_each(|it| makes.share(it));
        assert!(Arc::ptr_eq(&first.make, &second.make) && !Arc::ptr_eq(&first.make, &other.make));
        second.zone = "c".into();
        assert_eq!((first.zone.as_str(), second.zone.as_str()), ("a", "c"));
        drop(other);
        makes.prune();
        assert_eq!(makes.makes.len(), 1);
    }

    #[test]
    fn it_is_one_object_and_comes_back_equal() {
        let it = one("i-1", "a");
        let json = serde_json::to_value(&it).unwrap();
        assert_eq!(
            (json["id"].as_str(), json["zone"].as_str(), json.get("make")),
            (Some("i-1"), Some("a"), None)
        );
        assert_eq!(serde_json::from_value::<Instance>(json).unwrap(), it);
        assert_eq!(postcard::from_bytes::<Instance>(&postcard::to_stdvec(&it).unwrap()).unwrap(), it);
    }
}
