//! Container instances: the ECS side of EC2 instances.

use super::ids::{ClusterArn, HostArn, InstanceId, InstanceType, Zone};
use super::tags::{Keyrings, Tags};
use super::text::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A container instance.
///
/// What many have in common lies in a [`Registration`] that they share, and is read as if it were a field of each:
/// `host.zone`. As JSON, too, it is one object.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Flat<'static>")]
pub struct Host {
    /// Its ARN.
    pub arn: HostArn,
    /// The EC2 instance under it.
    pub instance_id: Option<InstanceId>,
    /// Tasks running.
    pub running_tasks: u32,
    /// Tasks waiting.
    pub pending_tasks: u32,
    /// CPU units free.
    pub cpu_free: u32,
    /// Memory free, MiB.
    pub memory_free: u32,
    /// When it registered.
    pub registered_at: Option<Timestamp>,
    /// Its tags.
    pub tags: Tags,
    /// What it shares with others that were registered alike.
    pub registration: Arc<Registration>,
}

/// What hosts have in common that were registered alike and are in the same state: hundreds of tens of thousands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Registration {
    /// The cluster.
    pub cluster: ClusterArn,
    /// `ACTIVE`, `DRAINING`, …
    pub status: Text,
    /// Why.
    pub status_reason: Option<Text>,
    /// The agent talks to ECS.
    pub is_connected: bool,
    /// The agent's version.
    pub agent_version: Option<Text>,
    /// Docker's version as the agent tells it.
    pub docker_version: Option<Text>,
    /// CPU units registered.
    pub cpu_total: u32,
    /// Memory registered, MiB.
    pub memory_total: u32,
    /// The capacity provider it came by.
    pub provider: Option<Text>,
    /// The type, from the agent's attributes.
    pub instance_type: Option<InstanceType>,
    /// The zone, from the agent's attributes.
    pub zone: Option<Zone>,
    /// The image, from the agent's attributes.
    pub image_id: Option<Text>,
}

impl Host {
    /// One that runs nothing, has no room, and shares its registration with nobody yet.
    pub fn new(arn: HostArn, instance_id: Option<InstanceId>, registration: Registration) -> Self {
        Self {
            arn,
            instance_id,
            running_tasks: 0,
            pending_tasks: 0,
            cpu_free: 0,
            memory_free: 0,
            registered_at: None,
            tags: Tags::default(),
            registration: Arc::new(registration),
        }
    }
}

impl Deref for Host {
    type Target = Registration;
    fn deref(&self) -> &Registration {
        &self.registration
    }
}

impl DerefMut for Host {
    /// To change what is shared makes it this host's own first.
    fn deref_mut(&mut self) -> &mut Registration {
        Arc::make_mut(&mut self.registration)
    }
}

/// Registrations and tags that several hosts share: the first of each kind stands for all that are equal to it.
#[derive(Debug, Default)]
pub struct Registrations {
    known: HashSet<Arc<Registration>>,
    keyrings: Keyrings,
}

impl Registrations {
    /// Lets a host share its registration and what it can of its tags with those before it.
    pub fn share(&mut self, host: &mut Host) {
        match self.known.get(&host.registration) {
            Some(known) => host.registration = Arc::clone(known),
            None => drop(self.known.insert(Arc::clone(&host.registration))),
        }
        self.keyrings.share(&mut host.tags);
    }

    /// Forgets what no host has any more.
    pub fn prune(&mut self) {
        self.known.retain(|known| Arc::strong_count(known) > 1);
        self.keyrings.prune();
    }
}

/// How a host is written and read.
macro_rules! flat {
    (
        own { $($own:ident: $own_type:ty),+ $(,)? }
        registration { $($field:ident: $type:ty),+ $(,)? }
    ) => {
        #[derive(Serialize, Deserialize)]
        struct Flat<'a> {
            $($own: Cow<'a, $own_type>,)+
            $($field: Cow<'a, $type>,)+
        }

        impl From<Flat<'_>> for Host {
            fn from(flat: Flat<'_>) -> Self {
                let registration = Arc::new(Registration { $($field: flat.$field.into_owned()),+ });
                Self { $($own: flat.$own.into_owned(),)+ registration }
            }
        }

        impl Serialize for Host {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let flat = Flat {
                    $($own: Cow::Borrowed(&self.$own),)+
                    $($field: Cow::Borrowed(&self.registration.$field),)+
                };
                flat.serialize(serializer)
            }
        }
    };
}

flat! {
    own {
        arn: HostArn,
        instance_id: Option<InstanceId>,
        running_tasks: u32,
        pending_tasks: u32,
        cpu_free: u32,
        memory_free: u32,
        registered_at: Option<Timestamp>,
        tags: Tags,
    }
    registration {
        cluster: ClusterArn,
        status: Text,
        status_reason: Option<Text>,
        is_connected: bool,
        agent_version: Option<Text>,
        docker_version: Option<Text>,
        cpu_total: u32,
        memory_total: u32,
        provider: Option<Text>,
        instance_type: Option<InstanceType>,
        zone: Option<Zone>,
        image_id: Option<Text>,
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, Registration, Registrations};
    use std::sync::Arc;

    fn one(id: &str, zone: &str) -> Host {
        let registration = Registration {
            cluster: "arn:c".into(),
            status: "ACTIVE".into(),
            zone: Some(zone.into()),
            cpu_total: 2048,
            ..Registration::default()
        };
        let mut host = Host::new(id.into(), Some("i-1".into()), registration);
        host.running_tasks = 3;
        host.tags = [("team", "auth")].into_iter().collect();
        host
    }

    #[test]
    fn what_is_registered_alike_is_shared_and_changed_for_one_alone() {
        let (mut first, mut second, mut other) = (one("h-1", "a"), one("h-2", "a"), one("h-3", "b"));
        let mut known = Registrations::default();
        [&mut first, &mut second, &mut other].into_iter().for_each(|host| known.share(host));
        assert_eq!((&first, &other), (&one("h-1", "a"), &one("h-3", "b")));
        assert!(Arc::ptr_eq(&first.registration, &second.registration));
        assert!(!Arc::ptr_eq(&first.registration, &other.registration));
        second.status = "DRAINING".into();
        assert_eq!((first.status.as_str(), second.status.as_str()), ("ACTIVE", "DRAINING"));
        drop(other);
        known.prune();
        assert_eq!(known.known.len(), 1);
        // Sixty thousand of them are held twice while a newer list comes in.
        assert!(size_of::<Host>() <= 120, "{}", size_of::<Host>());
    }

    #[test]
    fn a_host_is_one_object_and_comes_back_equal() {
        let host = one("h-1", "a");
        let json = serde_json::to_value(&host).unwrap();
        assert_eq!((json["arn"].as_str(), json["zone"].as_str()), (Some("h-1"), Some("a")));
        assert_eq!(serde_json::from_value::<Host>(json).unwrap(), host);
        let written = postcard::to_stdvec(&host).unwrap();
        assert_eq!(postcard::from_bytes::<Host>(&written).unwrap(), host);
    }
}
