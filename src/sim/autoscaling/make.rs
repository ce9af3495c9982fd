//! Groups are made and deleted.

use super::changes::{absent, check_name, health_check, invalid, nothing, size, template};
use super::{group, hooks, missing_group, policy};
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::world::life::Event;
use crate::sim::world::machine::Tag;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Group, Hook};
use compact_str::CompactString;

/// What CreateAutoScalingGroup understands.
pub(super) const TAKES: &[&str] = &[
    "AutoScalingGroupName",
    "MinSize",
    "MaxSize",
    "DesiredCapacity",
    "LaunchTemplate",
    "MixedInstancesPolicy",
    "AvailabilityZones",
    "VPCZoneIdentifier",
    "TargetGroupARNs",
    "HealthCheckType",
    "HealthCheckGracePeriod",
    "DefaultInstanceWarmup",
    "NewInstancesProtectedFromScaleIn",
    "CapacityRebalance",
    "InstanceMaintenancePolicy",
    "TerminationPolicies",
    "LifecycleHookSpecificationList",
    "Tags",
];

/// CreateAutoScalingGroup.
pub(super) fn create(call: &Call, place: &mut Place) -> Answer {
    let input = call.input;
    let name = input.text("AutoScalingGroupName").ok_or_else(missing_group)?;
    check_name("autoScalingGroupName", name)?;
    if place.groups.has(name) {
        return Err(Fault::new(
            "AlreadyExists",
            "AutoScalingGroup by this name already exists - A group with the name already exists",
        ));
    }
    let required = |size: Option<u32>, what: &str| size.ok_or_else(|| invalid(format!("{what} is required")));
    let min = required(size(input, "MinSize")?, "MinSize")?;
    let max = required(size(input, "MaxSize")?, "MaxSize")?;
    let desired = size(input, "DesiredCapacity")?.unwrap_or(min);
    if min > max {
        return Err(invalid(format!("Max bound, {max}, must be greater than or equal to min bound, {min}")));
    }
    if !(min..=max).contains(&desired) {
        return Err(invalid("Desired capacity must be between the specified min size and max size"));
    }
    let template = template(call, place)?.ok_or_else(|| {
        invalid("Valid requests must contain either LaunchTemplate or MixedInstancesPolicy parameter here")
    })?;
    let mix = input.get("MixedInstancesPolicy").map(|part| policy::mix(place, part)).transpose()?.flatten();
    let zones = zones(call, place)?;
    let target_groups: Vec<CompactString> =
        input.texts("TargetGroupARNs").into_iter().map(CompactString::from).collect();
    if target_groups.iter().any(|arn| !place.target_groups.has(arn)) {
        return Err(invalid(
            "Provided Target Groups may not be valid. Please ensure they exist and try again.",
        ));
    }
    let mut held: Vec<Hook> = Vec::new();
    for part in input.list("LifecycleHookSpecificationList") {
        held.push(hooks::read(part, "LifecycleTransition", &[])?);
    }
    for tag in input.list("Tags") {
        let key = tag.text("Key").filter(|key| !key.is_empty()).ok_or_else(|| absent("tags.member.key"))?;
        if key.chars().count() > 128 || tag.text("Value").is_some_and(|value| value.chars().count() > 256) {
            return Err(invalid("A tag's key has at most 128 characters and its value 256"));
        }
    }
    let tags = input.list("Tags").into_iter().map(|tag| {
        let part = |name| CompactString::from(tag.text(name).unwrap_or_default());
        let tag_pair: Tag = (part("Key"), part("Value"));
        (tag_pair, tag.flag("PropagateAtLaunch"))
    });
    let group = Group {
        name: name.into(),
        uuid: place.dice.uuid().into(),
        template,
        mix,
        min,
        max,
        desired,
        created: call.now,
        zones,
        target_groups,
        checks_balancer: health_check(input)?.unwrap_or(false),
        grace: size(input, "HealthCheckGracePeriod")?.unwrap_or(0),
        warmup: size(input, "DefaultInstanceWarmup")?,
        protects_new: input.flag("NewInstancesProtectedFromScaleIn"),
        rebalances_capacity: input.flag("CapacityRebalance"),
        maintenance: policy::maintenance(input)?.flatten(),
        policies: policy::terminations(input)?.unwrap_or_else(|| vec!["Default"]),
        tags: tags.collect(),
        hooks: held,
        ..Group::default()
    };
    place.groups.insert(name, group);
    place.note(1, Event::Group(name.into()));
    nothing()
}

/// The zones that a call names, by name or by the place's subnets.
fn zones(call: &Call, place: &Place) -> Result<Vec<usize>, Fault> {
    let named = call.input.texts("AvailabilityZones");
    let subnets: Vec<&str> =
        call.input.text("VPCZoneIdentifier").into_iter().flat_map(|text| text.split(',')).collect();
    let mut zones = Vec::new();
    for name in named {
        let at = place.zones.iter().position(|zone| zone.name == name);
        zones.push(at.ok_or_else(|| invalid(format!("Invalid availability zone: {name}")))?);
    }
    for id in subnets {
        let at = place.subnets.iter().position(|subnet| subnet == id.trim());
        zones.push(at.ok_or_else(|| invalid(format!("The subnet ID '{id}' does not exist")))?);
    }
    zones.sort_unstable();
    zones.dedup();
    if zones.is_empty() {
        return Err(invalid("At least one Availability Zone or VPC Subnet is required."));
    }
    Ok(zones)
}

/// DeleteAutoScalingGroup: an empty one, or by force with its instances.
pub(super) fn delete(call: &Call, place: &mut Place) -> Answer {
    let name = call.input.text("AutoScalingGroupName").ok_or_else(missing_group)?;
    let found = group(place, name)?;
    let forced = call.input.flag("ForceDelete");
    if !forced && (!found.members.is_empty() || found.desired > 0) {
        return Err(Fault::new(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.",
        ));
    }
    let ids: Vec<CompactString> = found.members.iter().map(|member| member.instance.clone()).collect();
    if let Some(found) = place.groups.get_mut(name) {
        found.is_deleting = true;
        (found.min, found.desired) = (0, 0);
        // By force nothing is waited for.
        found.hooks.clear();
    }
    for id in ids {
        place.end_member(name, &id, "an AutoScalingGroup was deleted by force by a user.");
    }
    if let Some(found) = place.groups.get(name)
        && found.members.is_empty()
    {
        place.groups.remove(name);
    }
    place.note(1, Event::Group(name.into()));
    nothing()
}
