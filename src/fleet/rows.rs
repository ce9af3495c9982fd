//! The rows themselves: a resource, where it lives, and what other sections say about it.

use super::belonging::Belonging;
use crate::model::{
    Agent, Alarm, Behind, Cluster, Group, GroupName, Health, Host, Image, Instance, InstanceStatus, Known,
    Member, Metrics, Refresh, Rule, Scope, Service, Target, TargetGroup, Task, Template, Text, TierName,
};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// One element of a shared list, without copying it.
#[derive(Debug)]
pub struct Item<T> {
    list: Arc<Vec<T>>,
    at: u32,
    _room: Room,
}

/// A byte that holds one value of 256: the others say that there is no element, and why. Without it `Known<Option<Item>>`
/// is half as large again, and a row of an instance has six of them.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Room {
    Taken,
}

impl<T> Item<T> {
    /// Every element of a list.
    pub fn all(list: &Arc<Vec<T>>) -> impl Iterator<Item = Self> + use<'_, T> {
        (0..list.len()).map(|at| Self {
            list: Arc::clone(list),
            at: u32::try_from(at).unwrap_or(u32::MAX),
            _room: Room::Taken,
        })
    }
}

impl<T> Clone for Item<T> {
    fn clone(&self) -> Self {
        Self { list: Arc::clone(&self.list), at: self.at, _room: Room::Taken }
    }
}

impl<T> Deref for Item<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.list[self.at as usize]
    }
}

/// One member of a shared group, without copying it.
#[derive(Clone, Debug)]
pub struct MemberItem {
    group: Item<Group>,
    at: u32,
}

impl MemberItem {
    /// Every member of a group.
    pub fn all(group: &Item<Group>) -> impl Iterator<Item = Self> + use<'_> {
        (0..group.members.len())
            .map(|at| Self { group: group.clone(), at: u32::try_from(at).unwrap_or(u32::MAX) })
    }

    /// The group it is a member of.
    pub fn group(&self) -> &Group {
        &self.group
    }
}

impl Deref for MemberItem {
    type Target = Member;
    fn deref(&self) -> &Member {
        &self.group.members[self.at as usize]
    }
}

/// An instance with all that is known of its machine. Where it belongs is read as if it were fields of its own: `row.tier`.
#[derive(Clone, Debug)]
pub struct InstanceRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// The instance.
    pub it: Arc<Instance>,
    /// Its tier and its group.
    pub belongs: Arc<Belonging>,
    /// How its group sees it; none when it has no group.
    pub member: Known<Option<MemberItem>>,
    /// Its ECS side; none when it is in no cluster.
    pub host: Known<Option<Item<Host>>>,
    /// Its Systems Manager side; none when it is not managed.
    pub agent: Known<Option<Item<Agent>>>,
    /// Its status checks; none when AWS reports none.
    pub status: Known<Option<Item<InstanceStatus>>>,
    /// Its metrics; none when CloudWatch has none.
    pub metrics: Known<Option<Item<Metrics>>>,
    /// The name of its image, and whether the image is gone.
    pub image: Known<Option<Item<Image>>>,
    /// Cores on it.
    pub cores: Known<u32>,
    /// How well it is.
    pub health: Health,
    /// Why, in short sentences.
    pub troubles: Vec<String>,
}

impl Deref for InstanceRow {
    type Target = Belonging;
    fn deref(&self) -> &Belonging {
        &self.belongs
    }
}

impl DerefMut for InstanceRow {
    /// To change what is shared makes it this row's own first.
    fn deref_mut(&mut self) -> &mut Belonging {
        Arc::make_mut(&mut self.belongs)
    }
}

/// A group with its refresh and its members' state.
#[derive(Clone, Debug)]
pub struct GroupRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// The group.
    pub it: Item<Group>,
    /// Its tier.
    pub tier: Option<TierName>,
    /// Members in service.
    pub in_service: u32,
    /// Members by lifecycle: spot, on-demand, not known.
    pub spot: Known<u32>,
    /// Members protected from scale-in.
    pub protected: u32,
    /// The newest refresh; none when there was none in six weeks.
    pub refresh: Known<Option<Item<Refresh>>>,
    /// How many versions behind the template's latest it is; none where it follows `$Latest`.
    pub versions_behind: Known<Option<u64>>,
    /// The image that it launches now.
    pub image: Known<Option<Item<Image>>>,
    /// How well it is.
    pub health: Health,
    /// Why, in short sentences.
    pub troubles: Vec<String>,
}

/// A template and the groups that use it.
#[derive(Clone, Debug)]
pub struct TemplateRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// The template.
    pub it: Item<Template>,
    /// Groups that launch from it.
    pub groups: Vec<GroupName>,
    /// Instances launched from it.
    pub instances: u32,
    /// Instances among them that were launched from an older version than the latest.
    pub older: u32,
    /// The most versions that a group of it is behind the latest; none where all follow it.
    pub behind: Option<u64>,
    /// The image of its default version.
    pub image: Option<Text>,
    /// The same as AWS knows it.
    pub made: Known<Option<Item<Image>>>,
    /// How far that is behind what its public parameter names; none where nobody publishes it.
    pub image_behind: Known<Option<Behind>>,
}

/// An image and how much uses it.
#[derive(Clone, Debug)]
pub struct ImageRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// The image.
    pub it: Item<Image>,
    /// Instances that run it.
    pub instances: u32,
    /// Template versions that name it.
    pub templates: u32,
    /// Younger images in use that are called the same but for the digits, for the same architecture.
    pub newer: u32,
    /// How well it is.
    pub health: Health,
    /// Why, in short sentences.
    pub troubles: Vec<String>,
}

/// A cluster.
#[derive(Clone, Debug)]
pub struct ClusterRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// The cluster.
    pub it: Item<Cluster>,
    /// How well it is.
    pub health: Health,
    /// Why, in short sentences.
    pub troubles: Vec<String>,
}

/// A service.
#[derive(Clone, Debug)]
pub struct ServiceRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// The service.
    pub it: Item<Service>,
    /// Its cluster's name.
    pub cluster: Text,
    /// Its tier.
    pub tier: Option<TierName>,
    /// How well it is.
    pub health: Health,
    /// Why, in short sentences.
    pub troubles: Vec<String>,
}

/// A task.
#[derive(Clone, Debug)]
pub struct TaskRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// The task.
    pub it: Item<Task>,
    /// Its cluster's name.
    pub cluster: Text,
    /// The instance under it.
    pub instance: Known<Option<Text>>,
    /// How well it is.
    pub health: Health,
    /// Why, in short sentences.
    pub troubles: Vec<String>,
}

/// A container instance.
#[derive(Clone, Debug)]
pub struct HostRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// The container instance.
    pub it: Item<Host>,
    /// Its cluster's name.
    pub cluster: Text,
    /// The tier of its instance.
    pub tier: Option<TierName>,
    /// How well it is.
    pub health: Health,
    /// Why, in short sentences.
    pub troubles: Vec<String>,
}

/// A target group.
#[derive(Clone, Debug)]
pub struct TargetGroupRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// The target group.
    pub it: Item<TargetGroup>,
    /// Healthy targets in it, of all; not known until targets were read.
    pub healthy: Known<(u32, u32)>,
    /// How well it is.
    pub health: Health,
    /// Why, in short sentences.
    pub troubles: Vec<String>,
}

/// A target.
#[derive(Clone, Debug)]
pub struct TargetRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// The target.
    pub it: Item<Target>,
    /// Its target group.
    pub group: Option<Item<TargetGroup>>,
    /// How well it is.
    pub health: Health,
}

/// A listener rule.
#[derive(Clone, Debug)]
pub struct RuleRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// The rule.
    pub it: Item<Rule>,
    /// Names of the target groups it forwards to.
    pub forwards: Vec<Text>,
    /// Healthy targets behind it, of all; not known until targets were read.
    pub healthy: Known<(u32, u32)>,
    /// How well it is.
    pub health: Health,
    /// Why, in short sentences.
    pub troubles: Vec<String>,
}

/// An alarm.
#[derive(Clone, Debug)]
pub struct AlarmRow {
    /// Where.
    pub scope: Arc<Scope>,
    /// The alarm.
    pub it: Item<Alarm>,
    /// How well it is.
    pub health: Health,
}

/// A tier's sums.
#[derive(Clone, Debug, PartialEq)]
pub struct TierRow {
    /// The tier; none for what falls into no tier.
    pub name: Option<TierName>,
    /// Running instances.
    pub instances: u32,
    /// Instances by health, worst last: ok, busy, unknown, warn, bad.
    pub by_health: [u32; 5],
    /// Spot instances among them.
    pub spot: u32,
    /// Groups.
    pub groups: u32,
    /// Services.
    pub services: u32,
    /// Cores.
    pub cores: Known<u32>,
    /// Cores of a registry that are on no running instance of the tier.
    pub adrift: u32,
    /// Cores that its hosts may hold by the tier's density.
    pub core_room: Known<Option<u32>>,
    /// Tenants.
    pub tenants: Known<u32>,
    /// Zones its instances spread over, with counts, by name.
    pub zones: Vec<(Text, u32)>,
    /// Types of its instances, with counts, by name.
    pub types: Vec<(Text, u32)>,
    /// The worst health of anything in it.
    pub health: Health,
    /// The most pressing troubles, worst first.
    pub troubles: Vec<TierTrouble>,
}

/// Something that is wrong in a tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierTrouble {
    /// What has it.
    pub of: Bearer,
    /// How bad it is.
    pub health: Health,
    /// Who has it, and what it is.
    pub says: String,
}

/// What can have a trouble that its tier tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// A running instance.
    Instance,
    /// A group.
    Group,
    /// A service.
    Service,
    /// A core.
    Core,
    /// A tenant.
    Tenant,
}

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    use super::{InstanceRow, Item, MemberItem};
    use crate::model::Known;

    #[test]
    fn a_row_is_small_for_there_are_a_hundred_thousand_of_them_and_twice_while_they_are_joined() {
        assert_eq!(size_of::<Known<Option<Item<u8>>>>(), 16);
        assert_eq!(size_of::<Known<Option<MemberItem>>>(), 24);
        assert!(size_of::<InstanceRow>() <= 168, "{}", size_of::<InstanceRow>());
    }
}
