//! What changes groups, members and refreshes.

use super::{group, missing_group, policy};
use crate::sim::fault::Fault;
use crate::sim::input::Input;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, list};
use crate::sim::world::life::Event;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Group, PROCESSES, Stage, TemplateChoice};
use compact_str::{CompactString, format_compact};

pub(super) fn invalid(sentence: impl Into<String>) -> Fault {
    Fault::new("ValidationError", sentence)
}

/// A member that must be there and is not.
pub(super) fn absent(member: &str) -> Fault {
    invalid(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

/// Refuses a name that is longer than Auto Scaling takes.
pub(super) fn check_name<'a>(member: &str, name: &'a str) -> Result<&'a str, Fault> {
    if (1..=255).contains(&name.chars().count()) {
        return Ok(name);
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at '{member}' failed to satisfy constraint: Member must have length from 1 to 255"
    )))
}

/// The name of the group that a call names, which is there.
pub(super) fn named(call: &Call, place: &Place) -> Result<CompactString, Fault> {
    let name = call.input.text("AutoScalingGroupName").ok_or_else(missing_group)?;
    group(place, name).map(|group| group.name.clone())
}

pub(super) fn change(place: &mut Place, name: &str, change: impl FnOnce(&mut Group)) {
    if let Some(group) = place.groups.get_mut(name) {
        change(group);
    }
    place.note(1, Event::Group(name.into()));
}

pub(super) fn size(input: Input, name: &str) -> Result<Option<u32>, Fault> {
    let number = input.number(name).map_err(|sent| invalid(format!("{sent} is no number for {name}")))?;
    number
        .map(|number| u32::try_from(number).map_err(|_| invalid(format!("{name} must be from 0"))))
        .transpose()
}

pub(super) fn nothing() -> Answer {
    Ok(Fields::new().into())
}

/// SetDesiredCapacity, within the group's limits.
pub(super) fn set_desired(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let desired =
        size(call.input, "DesiredCapacity")?.ok_or_else(|| invalid("DesiredCapacity is required"))?;
    let (min, max) = place.groups.get(&name).map_or((0, 0), |group| (group.min, group.max));
    if desired > max {
        return Err(invalid(format!(
            "New SetDesiredCapacity value {desired} is above max value {max} for the AutoScalingGroup."
        )));
    }
    if desired < min {
        return Err(invalid(format!(
            "New SetDesiredCapacity value {desired} is below min value {min} for the AutoScalingGroup."
        )));
    }
    change(place, &name, |group| group.desired = desired);
    nothing()
}

/// Reads a LaunchTemplateSpecification; the version is `$Default` unless it is said.
pub(super) fn choice(place: &Place, input: Input) -> Result<TemplateChoice, Fault> {
    let (id, wanted) = (input.text("LaunchTemplateId"), input.text("LaunchTemplateName"));
    let mut all = place.templates.rows();
    let found = all.find(|template| {
        id == Some(template.id.as_str()) || (id.is_none() && wanted == Some(&template.name))
    });
    let template = found.ok_or_else(|| {
        invalid("You must use a valid fully-formed launch template. The specified launch template does not exist.")
    })?;
    let version = input.text("Version").unwrap_or("$Default");
    if template.version(version).is_none() {
        return Err(invalid(format!(
            "You must use a valid fully-formed launch template. Could not find version {version}."
        )));
    }
    Ok(TemplateChoice { id: template.id.clone(), name: template.name.clone(), version: version.into() })
}

/// The template of a call, alone or in a mixed policy.
pub(super) fn template(call: &Call, place: &Place) -> Result<Option<TemplateChoice>, Fault> {
    let mixed = call.input.get("MixedInstancesPolicy");
    let part = call
        .input
        .get("LaunchTemplate")
        .or_else(|| mixed?.get("LaunchTemplate")?.get("LaunchTemplateSpecification"));
    part.map(|part| choice(place, part)).transpose()
}

/// UpdateAutoScalingGroup: sizes, template and mix, health checks, protection of new instances.
pub(super) fn update(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let input = call.input;
    let template = template(call, place)?;
    let mixed = input.get("MixedInstancesPolicy");
    let mix = mixed.map(|part| policy::mix(place, part)).transpose()?.flatten();
    let (maintenance, policies) = (policy::maintenance(input)?, policy::terminations(input)?);
    let grace = size(input, "HealthCheckGracePeriod")?;
    // Minus one takes it away.
    let clears_warmup = input.text("DefaultInstanceWarmup") == Some("-1");
    let warmup = if clears_warmup { None } else { size(input, "DefaultInstanceWarmup")? };
    let checks = health_check(input)?;
    let Some(current) = place.groups.get_mut(&name) else { return nothing() };
    let has_wish = current.active_refresh().is_some_and(|refresh| refresh.desired.is_some());
    if (template.is_some() || mixed.is_some()) && has_wish {
        return Err(invalid(
            "An active instance refresh with a desired configuration exists. All configuration options derived from the desired configuration are not available for update while the instance refresh is active.",
        ));
    }
    let (min, max) =
        (size(input, "MinSize")?.unwrap_or(current.min), size(input, "MaxSize")?.unwrap_or(current.max));
    if min > max {
        return Err(invalid(format!("Max bound, {max}, must be greater than or equal to min bound, {min}")));
    }
    let desired = size(input, "DesiredCapacity")?;
    if desired.is_some_and(|desired| !(min..=max).contains(&desired)) {
        return Err(invalid("Desired capacity must be between the specified min size and max size"));
    }
    change(place, &name, |group| {
        group.min = min;
        group.max = max;
        group.desired = desired.unwrap_or(group.desired).clamp(min, max);
        if let Some(template) = template {
            group.template = template;
            // A template alone takes the place of a mixed policy.
            group.mix = if mixed.is_some() { mix.clone().or(group.mix.take()) } else { None };
        } else if mix.is_some() {
            group.mix = mix;
        }
        group.grace = grace.unwrap_or(group.grace);
        group.warmup = if clears_warmup { None } else { warmup.or(group.warmup) };
        group.checks_balancer = checks.unwrap_or(group.checks_balancer);
        group.maintenance = maintenance.unwrap_or(group.maintenance);
        group.policies = policies.unwrap_or_else(|| std::mem::take(&mut group.policies));
        if input.get("CapacityRebalance").is_some() {
            group.rebalances_capacity = input.flag("CapacityRebalance");
        }
        if input.get("NewInstancesProtectedFromScaleIn").is_some() {
            group.protects_new = input.flag("NewInstancesProtectedFromScaleIn");
        }
    });
    nothing()
}

/// Whether the load balancer's checks count, if a call says so.
pub(super) fn health_check(input: Input) -> Result<Option<bool>, Fault> {
    match input.text("HealthCheckType") {
        None => Ok(None),
        Some("EC2") => Ok(Some(false)),
        Some("ELB") => Ok(Some(true)),
        Some(other) => Err(invalid(format!("Invalid Health Check Type {other}"))),
    }
}

/// The members that a call names.
fn members(call: &Call, place: &Place, name: &str, most: usize) -> Result<Vec<CompactString>, Fault> {
    let ids = call.input.texts("InstanceIds");
    if ids.len() > most {
        return Err(invalid(format!("At most {most} instances can be named")));
    }
    let group = group(place, name)?;
    ids.into_iter()
        .map(|id| match group.members.iter().any(|member| member.instance == id) {
            true => Ok(CompactString::from(id)),
            false => Err(invalid(format!("The instance {id} is not part of Auto Scaling group {name}."))),
        })
        .collect()
}

/// SetInstanceProtection.
pub(super) fn protect(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let ids = members(call, place, &name, 50)?;
    if ids.is_empty() {
        return Err(absent("instanceIds"));
    }
    let protects = call.input.get("ProtectedFromScaleIn").ok_or_else(|| absent("protectedFromScaleIn"))?;
    let protects = protects.as_flag();
    change(place, &name, |group| {
        for member in group.members.iter_mut().filter(|member| ids.contains(&member.instance)) {
            member.is_protected = protects;
        }
    });
    nothing()
}

/// SuspendProcesses and ResumeProcesses.
pub(super) fn suspend(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let processes = processes(call)?;
    let reason = format_compact!("User suspended at {}", call.now.rfc3339());
    change(place, &name, |group| {
        for process in processes {
            if !group.suspends(process) {
                group.suspended.push((process.into(), reason.clone()));
            }
        }
    });
    nothing()
}

/// ResumeProcesses.
pub(super) fn resume(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let processes = processes(call)?;
    change(place, &name, |group| {
        group.suspended.retain(|(process, _)| !processes.contains(&process.as_str()));
    });
    nothing()
}

fn processes<'a>(call: &Call<'a>) -> Result<Vec<&'a str>, Fault> {
    let named = call.input.texts("ScalingProcesses");
    if let Some(stranger) = named.iter().find(|process| !PROCESSES.contains(process)) {
        return Err(invalid(format!("1 validation error detected: {stranger} is no scaling process")));
    }
    Ok(if named.is_empty() { PROCESSES.to_vec() } else { named })
}

/// EnterStandby: the group launches a replacement unless the desired capacity goes down with it.
pub(super) fn enter_standby(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let ids = members(call, place, &name, 20)?;
    let group = group(place, &name)?;
    are_at(group, &ids, &[Stage::InService], "InService")?;
    let fewer = fewer(call, group, ids.len(), "place into standby")?;
    for id in &ids {
        let cause = "instance was moved to standby in response to a user request.";
        place.act(&name, &format!("Moving EC2 instance to Standby: {id}"), cause);
        place.leave_targets(&name, id);
        place.set_stage(&name, id, Stage::EnteringStandby);
    }
    change(place, &name, |group| {
        for member in group.members.iter_mut().filter(|member| ids.contains(&member.instance)) {
            member.is_protected = false;
        }
        group.desired -= fewer;
    });
    // Without a load balancer there is nothing to wait for.
    place.proceed(&name);
    activities(place, &name, ids.len())
}

/// ExitStandby.
pub(super) fn exit_standby(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let ids = members(call, place, &name, 20)?;
    let group = group(place, &name)?;
    are_at(group, &ids, &[Stage::Standby], "Standby")?;
    let count = u32::try_from(ids.len()).unwrap_or(0);
    if group.desired + count > group.max {
        return Err(invalid(format!("AutoScalingGroup {name} would exceed its max-size={}", group.max)));
    }
    for id in &ids {
        place.enter_service(&name, id);
        place.act(
            &name,
            &format!("Moving EC2 instance out of Standby: {id}"),
            "instance was moved out of standby in response to a user request.",
        );
    }
    change(place, &name, |group| group.desired += count);
    activities(place, &name, ids.len())
}

/// Refuses members that are elsewhere in their lives.
fn are_at(group: &Group, ids: &[CompactString], stages: &[Stage], words: &str) -> Result<(), Fault> {
    let mut members = group.members.iter().filter(|member| ids.contains(&member.instance));
    match members.find(|member| !stages.contains(&member.stage)) {
        None => Ok(()),
        Some(member) => Err(invalid(format!("The instance {} is not in {words}.", member.instance))),
    }
}

/// By how much the desired capacity goes down with so many members, as the call says; never below the minimum.
fn fewer(call: &Call, group: &Group, leaving: usize, verb: &str) -> Result<u32, Fault> {
    let count = u32::try_from(leaving).unwrap_or(u32::MAX);
    if !decrement(call)? {
        return Ok(0);
    }
    if group.desired.checked_sub(count).is_none_or(|left| left < group.min) {
        return Err(invalid(format!(
            "AutoScalingGroup {} has min-size={}, max-size={}, and desired-size={}. To {verb} {count} instance, please update the AutoScalingGroup sizes appropriately.",
            group.name, group.min, group.max, group.desired
        )));
    }
    Ok(count)
}

fn decrement(call: &Call) -> Result<bool, Fault> {
    call.input
        .get("ShouldDecrementDesiredCapacity")
        .map(|_| call.input.flag("ShouldDecrementDesiredCapacity"))
        .ok_or_else(|| absent("shouldDecrementDesiredCapacity"))
}

fn activities(place: &Place, name: &str, newest: usize) -> Answer {
    let group = group(place, name)?;
    let rows = group.activities.iter().rev().take(newest);
    Ok(Fields::new()
        .with("Activities", list(rows, |activity| super::activity_shape(place, group, activity)))
        .into())
}

/// TerminateInstanceInAutoScalingGroup.
pub(super) fn terminate(call: &Call, place: &mut Place) -> Answer {
    let id = call.input.text("InstanceId").unwrap_or_default();
    let decrements = decrement(call)?;
    let found = place.groups.rows().find(|group| group.members.iter().any(|member| member.instance == id));
    let Some(group) = found else {
        return Err(invalid(format!(
            "Instance Id not found - No managed instance found for instance ID: {id}"
        )));
    };
    if decrements && group.desired <= group.min {
        return Err(invalid(format!(
            "Currently, desiredSize equals minSize ({}). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
            group.min
        )));
    }
    let name = group.name.clone();
    if decrements {
        change(place, &name, |group| group.desired -= 1);
    }
    place.end_member(&name, id, "instance was taken out of service in response to a user request.");
    let group = self::group(place, &name)?;
    let last = group.activities.iter().rev().find(|activity| activity.description.contains(id));
    Ok(Fields::new()
        .maybe("Activity", last.map(|activity| super::activity_shape(place, group, activity)))
        .into())
}

/// DetachInstances: they go on without the group, which replaces them unless the desired capacity goes down.
pub(super) fn detach(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let ids = members(call, place, &name, 20)?;
    let group = group(place, &name)?;
    are_at(group, &ids, &[Stage::InService, Stage::Standby], "InService or Standby")?;
    let serving = group.members.iter().filter(|m| ids.contains(&m.instance) && m.stage == Stage::InService);
    let fewer = fewer(call, group, serving.count(), "detach")?;
    for id in &ids {
        let cause = "instance was detached in response to a user request.";
        place.act(&name, &format!("Detaching EC2 instance: {id}"), cause);
        place.leave_targets(&name, id);
        place.set_stage(&name, id, Stage::Detaching);
    }
    change(place, &name, |group| group.desired -= fewer);
    let answer = activities(place, &name, ids.len());
    place.proceed(&name);
    answer
}
