//! `DescribeInstances`: every reservation, every instance in it, every page.
//!
//! An instance is read in two ways that have to agree: out of the answer itself, which is quick, and out of
//! what the SDK makes of it, where the first way fails.

use crate::aws::lean::{Extent, Read, Shape};
use crate::aws::seen::Lasting;
use crate::aws::trail::End;
use crate::aws::translate::{moment, required, tags, text, word, written, written_moment};
use crate::aws::xml::{Unreadable, Walk};
use crate::model::{
    AccountId, ImageId, Instance, InstanceId, InstanceState, InstanceType, Lifecycle, Make, Makes,
    Particulars, Tags, Text, Zone,
};
use aws_sdk_ec2::types::{
    Instance as SdkInstance, InstanceLifecycleType, InstanceStateName, MonitoringState, Reservation,
};
use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Returns every instance of a reservation; one reservation may hold a thousand.
pub(super) fn of_reservation(reservation: Reservation) -> impl Iterator<Item = Arc<Instance>> {
    let reservation_id = required(reservation.reservation_id);
    let owner_id = reservation.owner_id.map(AccountId::from).unwrap_or_default();
    let instances = reservation.instances.unwrap_or_default();
    instances.into_iter().map(move |raw| Arc::new(instance(raw, reservation_id.clone(), owner_id.clone())))
}

fn instance(raw: SdkInstance, reservation_id: Text, owner_id: AccountId) -> Instance {
    let mut security_groups: Vec<Text> = raw
        .security_groups
        .unwrap_or_default()
        .into_iter()
        .filter_map(|group| text(group.group_id))
        .collect();
    security_groups.sort();
    let make = Make {
        owner_id,
        instance_type: raw.instance_type.map(|kind| InstanceType::new(kind.as_str())).unwrap_or_default(),
        zone: raw.placement.and_then(|place| place.availability_zone).map(Zone::from).unwrap_or_default(),
        image_id: raw.image_id.map(ImageId::from).unwrap_or_default(),
        architecture: word(raw.architecture),
        lifecycle: lifecycle(raw.instance_lifecycle.as_ref()),
        vpc_id: text(raw.vpc_id),
        subnet_id: text(raw.subnet_id),
        key_name: text(raw.key_name),
        profile_arn: raw.iam_instance_profile.and_then(|profile| text(profile.arn)),
        platform: text(raw.platform_details),
        security_groups: security_groups.into_boxed_slice(),
        root_device: text(raw.root_device_name),
        detailed_monitoring: raw.monitoring.and_then(|it| it.state) == Some(MonitoringState::Enabled),
    };
    let particulars = Particulars {
        reservation_id,
        state_reason: raw.state_reason.and_then(|reason| text(reason.code)),
        spot_request_id: text(raw.spot_instance_request_id),
        public_ip: text(raw.public_ip_address),
        private_dns: text(raw.private_dns_name),
        public_dns: text(raw.public_dns_name),
    };
    Instance {
        id: raw.instance_id.map(InstanceId::from).unwrap_or_default(),
        state: state(raw.state.and_then(|state| state.name)),
        launched_at: moment(raw.launch_time),
        private_ip: text(raw.private_ip_address),
        particulars: particulars.into(),
        tags: tags(raw.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value))),
        make: Arc::new(make),
    }
}

fn state(name: Option<InstanceStateName>) -> InstanceState {
    match name {
        Some(InstanceStateName::Pending) => InstanceState::Pending,
        Some(InstanceStateName::Running) => InstanceState::Running,
        Some(InstanceStateName::Stopping) => InstanceState::Stopping,
        Some(InstanceStateName::Stopped) => InstanceState::Stopped,
        Some(InstanceStateName::ShuttingDown) => InstanceState::ShuttingDown,
        Some(InstanceStateName::Terminated) => InstanceState::Terminated,
        _ => InstanceState::Unknown,
    }
}

/// Nothing said means on-demand: AWS leaves the field out for those.
fn lifecycle(kind: Option<&InstanceLifecycleType>) -> Lifecycle {
    match kind {
        None => Lifecycle::OnDemand,
        Some(InstanceLifecycleType::Spot) => Lifecycle::Spot,
        Some(_) => Lifecycle::Other,
    }
}

/// How the list is read out of the answer itself.
pub(super) const SHAPE: Shape<Arc<Instance>> =
    Shape { list: Extent::Element { name: "reservationSet", token: "nextToken" }, parse: Some(answer) };

fn answer(body: &str) -> Result<Read<Arc<Instance>>, Unreadable> {
    let (mut all, mut next, mut ends) = (Vec::new(), None, Vec::new());
    let mut walk = Walk::new(body);
    walk.enter("DescribeInstancesResponse")?;
    walk.each(|walk, name| {
        match name {
            "reservationSet" => walk.items(|walk| {
                written_reservation(walk, &mut all)?;
                ends.push(End { at: walk.position(), rows: all.len() });
                Ok(())
            })?,
            "nextToken" => next = Some(walk.text()?.into_owned()),
            _ => walk.skip()?,
        }
        Ok(())
    })?;
    Ok(Read { page: (all, next), ends })
}

/// What instances share with those that were read before them.
#[derive(Debug, Default)]
pub(in crate::aws) struct Kin {
    makes: Makes,
    /// The instances of an earlier run, until the list has been read once.
    kept: HashSet<Kept>,
}

impl Kin {
    /// Takes in instances of an earlier run: those that are still the same are handed out again, so that there
    /// are not two of each while the list is read.
    pub(super) fn remind(&mut self, rows: Vec<Arc<Instance>>) {
        rows.iter().for_each(|row| self.makes.know(row));
        self.kept = rows.into_iter().map(Kept).collect();
    }
}

/// An instance, found by its id.
#[derive(Debug)]
struct Kept(Arc<Instance>);

impl Borrow<str> for Kept {
    fn borrow(&self) -> &str {
        self.0.id.as_str()
    }
}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.as_str().hash(state);
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Kept {}

impl Lasting for Arc<Instance> {
    type Kin = Kin;

    fn join(&mut self, kin: &mut Kin) {
        match kin.kept.get(self.id.as_str()) {
            Some(Kept(before)) if before == self => *self = Arc::clone(before),
            _ => kin.makes.share(Arc::make_mut(self)),
        }
    }

    fn leave(kin: &mut Kin) {
        kin.kept = HashSet::new();
        kin.makes.prune();
    }
}

/// Adds the instances of one reservation, whose id and owner may stand before or after them.
fn written_reservation(walk: &mut Walk<'_>, all: &mut Vec<Arc<Instance>>) -> Result<(), Unreadable> {
    let (mut id, mut owner, mut read) = (Text::default(), AccountId::default(), Vec::new());
    walk.each(|walk, name| {
        match name {
            "reservationId" => id = Text::from(walk.text()?),
            "ownerId" => owner = AccountId::new(walk.text()?),
            "instancesSet" => walk.items(|walk| {
                read.push(written_instance(walk)?);
                Ok(())
            })?,
            _ => walk.skip()?,
        }
        Ok(())
    })?;
    all.extend(read.into_iter().map(|(one, particulars, make)| {
        let make = Arc::new(Make { owner_id: owner.clone(), ..make });
        let particulars = Particulars { reservation_id: id.clone(), ..particulars }.into();
        Arc::new(Instance { particulars, make, ..one })
    }));
    Ok(())
}

/// An instance, but for what its reservation says of it.
fn written_instance(walk: &mut Walk<'_>) -> Result<(Instance, Particulars, Make), Unreadable> {
    let (mut one, mut aside, mut make) = (Instance::default(), Particulars::default(), Make::default());
    let mut groups: Vec<Text> = Vec::new();
    let mut tags: Vec<(Text, Text)> = Vec::new();
    walk.each(|walk, name| {
        match name {
            "instanceId" => one.id = InstanceId::new(walk.text()?),
            "imageId" => make.image_id = ImageId::new(walk.text()?),
            "instanceState" => {
                one.state = state(Some(InstanceStateName::from(&*walk.text_of("name")?)));
            }
            "stateReason" => aside.state_reason = written(&walk.text_of("code")?),
            "instanceType" => make.instance_type = InstanceType::new(walk.text()?),
            "placement" => make.zone = Zone::new(walk.text_of("availabilityZone")?),
            "architecture" => make.architecture = written(&walk.text()?),
            "instanceLifecycle" => {
                make.lifecycle = lifecycle(Some(&InstanceLifecycleType::from(&*walk.text()?)));
            }
            "spotInstanceRequestId" => aside.spot_request_id = written(&walk.text()?),
            "launchTime" => one.launched_at = written_moment(Some(&walk.text()?)),
            "privateIpAddress" => one.private_ip = written(&walk.text()?),
            "ipAddress" => aside.public_ip = written(&walk.text()?),
            "privateDnsName" => aside.private_dns = written(&walk.text()?),
            "dnsName" => aside.public_dns = written(&walk.text()?),
            "vpcId" => make.vpc_id = written(&walk.text()?),
            "subnetId" => make.subnet_id = written(&walk.text()?),
            "keyName" => make.key_name = written(&walk.text()?),
            "iamInstanceProfile" => make.profile_arn = written(&walk.text_of("arn")?),
            "platformDetails" => make.platform = written(&walk.text()?),
            "groupSet" => walk.items(|walk| {
                groups.extend(written(&walk.text_of("groupId")?));
                Ok(())
            })?,
            "rootDeviceName" => make.root_device = written(&walk.text()?),
            "monitoring" => make.detailed_monitoring = walk.text_of("state")? == "enabled",
            "tagSet" => walk.items(|walk| {
                tags.push(written_tag(walk)?);
                Ok(())
            })?,
            _ => walk.skip()?,
        }
        Ok(())
    })?;
    groups.sort();
    make.security_groups = groups.into_boxed_slice();
    one.tags = Tags::new(tags);
    Ok((one, aside, make))
}

fn written_tag(walk: &mut Walk<'_>) -> Result<(Text, Text), Unreadable> {
    let (mut key, mut value) = (Text::default(), Text::default());
    walk.each(|walk, name| {
        match name {
            "key" => key = Text::from(walk.text()?),
            "value" => value = Text::from(walk.text()?),
            _ => walk.skip()?,
        }
        Ok(())
    })?;
    Ok((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types as sdk;
    use aws_smithy_types::DateTime;

    fn full() -> SdkInstance {
        SdkInstance::builder()
            .instance_id("i-0abc")
            .state(sdk::InstanceState::builder().code(80).name(InstanceStateName::Stopped).build())
            .state_reason(
                sdk::StateReason::builder().code("Client.UserInitiatedShutdown").message("said so").build(),
            )
            .instance_type(sdk::InstanceType::from("z9.future"))
            .placement(sdk::Placement::builder().availability_zone("eu-west-1b").build())
            .image_id("ami-1")
            .architecture(sdk::ArchitectureValues::Arm64)
            .instance_lifecycle(InstanceLifecycleType::Spot)
            .spot_instance_request_id("sir-1")
            .launch_time(DateTime::from_secs_and_nanos(1_700_000_000, 5))
            .private_ip_address("10.0.0.7")
            .public_ip_address("52.1.1.1")
            .private_dns_name("ip-10-0-0-7")
            .public_dns_name("")
            .vpc_id("vpc-1")
            .subnet_id("subnet-1")
            .key_name("ops")
            .iam_instance_profile(
                sdk::IamInstanceProfile::builder().arn("arn:aws:iam::1:instance-profile/x").build(),
            )
            .platform_details("Linux/UNIX")
            .security_groups(sdk::GroupIdentifier::builder().group_id("sg-2").group_name("b").build())
            .security_groups(sdk::GroupIdentifier::builder().group_id("sg-1").group_name("a").build())
            .root_device_name("/dev/xvda")
            .monitoring(sdk::Monitoring::builder().state(MonitoringState::Enabled).build())
            .tags(sdk::Tag::builder().key("Name").value("prod-1").build())
            .build()
    }

    #[test]
    fn every_field_is_carried_over_as_it_came() {
        let reservation =
            Reservation::builder().reservation_id("r-1").owner_id("111122223333").instances(full()).build();
        let all: Vec<_> = of_reservation(reservation).collect();
        assert_eq!(all.len(), 1);
        let one = &all[0];
        assert_eq!(one.id.as_str(), "i-0abc");
        assert_eq!(one.reservation_id(), "r-1");
        assert_eq!(one.owner_id.as_str(), "111122223333");
        assert_eq!(one.state, InstanceState::Stopped);
        assert_eq!(one.state_reason(), Some("Client.UserInitiatedShutdown"));
        assert_eq!(one.instance_type.as_str(), "z9.future", "a type that the SDK does not know stays text");
        assert_eq!(one.zone.as_str(), "eu-west-1b");
        assert_eq!(one.image_id.as_str(), "ami-1");
        assert_eq!(one.architecture.as_deref(), Some("arm64"));
        assert_eq!(one.lifecycle, Lifecycle::Spot);
        assert_eq!(one.spot_request_id(), Some("sir-1"));
        assert_eq!(one.launched_at.map(|at| at.subsec_nanosecond()), Some(5));
        assert_eq!(one.private_ip.as_deref(), Some("10.0.0.7"));
        assert_eq!(one.public_ip(), Some("52.1.1.1"));
        assert_eq!(one.private_dns(), Some("ip-10-0-0-7"));
        assert_eq!(one.public_dns(), None, "AWS writes an empty name where there is none");
        assert_eq!(one.vpc_id.as_deref(), Some("vpc-1"));
        assert_eq!(one.subnet_id.as_deref(), Some("subnet-1"));
        assert_eq!(one.key_name.as_deref(), Some("ops"));
        assert_eq!(one.profile_arn.as_deref(), Some("arn:aws:iam::1:instance-profile/x"));
        assert_eq!(one.platform.as_deref(), Some("Linux/UNIX"));
        assert_eq!(one.security_groups.as_ref(), ["sg-1", "sg-2"]);
        assert_eq!(one.root_device.as_deref(), Some("/dev/xvda"));
        assert!(one.detailed_monitoring);
        assert_eq!(one.name(), Some("prod-1"));
    }

    #[test]
    fn an_empty_instance_is_still_an_instance() {
        let one = instance(SdkInstance::builder().build(), Text::default(), AccountId::default());
        assert_eq!(one.state, InstanceState::Unknown);
        assert_eq!(one.lifecycle, Lifecycle::OnDemand);
        assert_eq!((one.launched_at, &one.private_ip, &one.platform), (None, &None, &None));
        assert!(!one.detailed_monitoring && one.tags.is_empty() && one.security_groups.is_empty());
    }

    #[test]
    fn words_of_the_future_do_not_fail_the_list() {
        assert_eq!(state(Some(InstanceStateName::from("hibernating"))), InstanceState::Unknown);
        assert_eq!(lifecycle(Some(&InstanceLifecycleType::from("leased"))), Lifecycle::Other);
    }

    #[test]
    fn a_reservation_of_a_hundred_gives_a_hundred() {
        let hundred =
            (0..100).map(|n| SdkInstance::builder().instance_id(format!("i-{n}")).build()).collect();
        let reservation = Reservation::builder().set_instances(Some(hundred)).build();
        let ids: Vec<_> = of_reservation(reservation).map(|one| one.id.to_string()).collect();
        assert_eq!(ids.len(), 100);
        assert_eq!(ids.last().map(String::as_str), Some("i-99"));
    }
}
