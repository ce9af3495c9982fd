//! What changes groups, members and refreshes.

use super::{group, missing_group};
use crate::sim::fault::Fault;
use crate::sim::input::Input;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, list};
use crate::sim::world::life::Event;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Group, Preferences, Refresh, Stage, TemplateChoice};
use compact_str::{CompactString, format_compact};

fn invalid(sentence: impl Into<String>) -> Fault {
    Fault::new("ValidationError", sentence)
}

/// The name of the group that a call names, which is there.
fn named(call: &Call, place: &Place) -> Result<CompactString, Fault> {
    let name = call.input.text("AutoScalingGroupName").ok_or_else(missing_group)?;
    group(place, name).map(|group| group.name.clone())
}

fn change(place: &mut Place, name: &str, change: impl FnOnce(&mut Group)) {
    if let Some(group) = place.groups.get_mut(name) {
        change(group);
    }
    place.note(1, Event::Group(name.into()));
}

fn size(input: Input, name: &str) -> Result<Option<u32>, Fault> {
    let number = input.number(name).map_err(|sent| invalid(format!("{sent} is no number for {name}")))?;
    number
        .map(|number| u32::try_from(number).map_err(|_| invalid(format!("{name} must be from 0"))))
        .transpose()
}

fn nothing() -> Answer {
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
fn choice(place: &Place, input: Input) -> Result<TemplateChoice, Fault> {
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

/// UpdateAutoScalingGroup: sizes, template, protection of new instances.
pub(super) fn update(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let input = call.input;
    let template = input.get("LaunchTemplate").map(|part| choice(place, part)).transpose()?;
    let Some(current) = place.groups.get_mut(&name) else { return nothing() };
    let has_wish = current.active_refresh().is_some_and(|refresh| refresh.desired.is_some());
    if template.is_some() && has_wish {
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
        }
        if input.get("NewInstancesProtectedFromScaleIn").is_some() {
            group.protects_new = input.flag("NewInstancesProtectedFromScaleIn");
        }
    });
    nothing()
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
    let protects = call.input.flag("ProtectedFromScaleIn");
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

const PROCESSES: [&str; 9] = [
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
    let decrements = decrement(call)?;
    let group = group(place, &name)?;
    let not_ready = group.members.iter().find(|m| ids.contains(&m.instance) && m.stage != Stage::InService);
    if let Some(member) = not_ready {
        return Err(invalid(format!("The instance {} is not in InService.", member.instance)));
    }
    let count = u32::try_from(ids.len()).unwrap_or(0);
    if decrements && group.desired.saturating_sub(count) < group.min {
        return Err(invalid(format!(
            "AutoScalingGroup {name} has min-size={}, max-size={}, and desired-size={}. To place into standby {count} instance, please update the AutoScalingGroup sizes appropriately.",
            group.min, group.max, group.desired
        )));
    }
    for id in &ids {
        place.drain_targets(id, None);
        place.act(
            &name,
            &format!("Moving EC2 instance to Standby: {id}"),
            "instance was moved to standby in response to a user request.",
        );
    }
    change(place, &name, |group| {
        for member in group.members.iter_mut().filter(|member| ids.contains(&member.instance)) {
            member.stage = Stage::Standby;
            member.is_protected = false;
        }
        group.desired -= if decrements { count } else { 0 };
    });
    activities(place, &name, ids.len())
}

/// ExitStandby.
pub(super) fn exit_standby(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let ids = members(call, place, &name, 20)?;
    let group = group(place, &name)?;
    let not_ready = group.members.iter().find(|m| ids.contains(&m.instance) && m.stage != Stage::Standby);
    if let Some(member) = not_ready {
        return Err(invalid(format!("The instance {} is not in Standby.", member.instance)));
    }
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

fn decrement(call: &Call) -> Result<bool, Fault> {
    call.input
        .get("ShouldDecrementDesiredCapacity")
        .map(|_| call.input.flag("ShouldDecrementDesiredCapacity"))
        .ok_or_else(|| invalid("1 validation error detected: Value null at 'shouldDecrementDesiredCapacity'"))
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

/// StartInstanceRefresh: one at a time.
pub(super) fn start_refresh(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    if !matches!(call.input.text("Strategy"), None | Some("Rolling")) {
        return Err(invalid("Only the strategy Rolling is understood here"));
    }
    let wish = call.input.get("DesiredConfiguration");
    let template = wish.and_then(|wish| {
        wish.get("LaunchTemplate").or_else(|| {
            wish.get("MixedInstancesPolicy")?.get("LaunchTemplate")?.get("LaunchTemplateSpecification")
        })
    });
    let desired = template.map(|part| choice(place, part)).transpose()?;
    let preferences = preferences(call)?;
    let Some(group) = place.groups.get_mut(&name) else { return nothing() };
    if let Some(active) = group.active_refresh() {
        return Err(Fault::new(
            "InstanceRefreshInProgress",
            format!(
                "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh: {}",
                active.id
            ),
        ));
    }
    if preferences.rolls_back {
        let floats = |choice: &TemplateChoice| choice.version.starts_with('$');
        if desired.as_ref().is_none_or(floats) || floats(&group.template) {
            return Err(invalid(
                "An instance refresh with auto rollback needs a desired configuration, and numbered template versions in it and in the group",
            ));
        }
    }
    let id = CompactString::from(place.dice.uuid());
    let refresh = Refresh {
        id: id.clone(),
        status: "Pending",
        reason: None,
        started: None,
        ended: None,
        percent: 0,
        remaining: 0,
        preferences,
        desired,
        stalled: None,
        held_until: None,
    };
    change(place, &name, |group| group.refreshes.push(refresh));
    Ok(Fields::new().with("InstanceRefreshId", id).into())
}

fn preferences(call: &Call) -> Result<Preferences, Fault> {
    let empty = serde_json::Value::Null;
    let input = call.input.get("Preferences").unwrap_or(Input::new(&empty));
    let one_of = |name: &str, of: [&'static str; 3]| match input.text(name) {
        None => Ok("Wait"),
        Some(text) => {
            of.into_iter().find(|known| *known == text).ok_or_else(|| invalid(format!("{text} is no {name}")))
        }
    };
    let min = size(input, "MinHealthyPercentage")?;
    let max = size(input, "MaxHealthyPercentage")?;
    let (low, high) = (min.unwrap_or(90), max.unwrap_or(100));
    if low > 100 || !(100..=200).contains(&high) || high - low > 100 || (max.is_some() && min.is_none()) {
        return Err(invalid(
            "MinHealthyPercentage must be 0 to 100, MaxHealthyPercentage 100 to 200 and at most 100 above it, and the second needs the first",
        ));
    }
    let numbers = input.texts("CheckpointPercentages");
    let checkpoints: Vec<u32> = numbers.iter().filter_map(|text| text.parse().ok()).collect();
    let is_rising = checkpoints.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    if checkpoints.len() != numbers.len()
        || !is_rising
        || checkpoints.iter().any(|percent| !(1..=100).contains(percent))
    {
        return Err(invalid("CheckpointPercentages must rise from 1 to 100"));
    }
    let delay = size(input, "CheckpointDelay")?;
    if delay.is_some() && checkpoints.is_empty() {
        return Err(invalid("CheckpointDelay needs CheckpointPercentages"));
    }
    let alarms = input.get("AlarmSpecification").map(|part| part.texts("Alarms")).unwrap_or_default();
    Ok(Preferences {
        min: low,
        max,
        warmup: size(input, "InstanceWarmup")?,
        checkpoint_delay: if checkpoints.is_empty() { None } else { Some(delay.unwrap_or(3600)) },
        checkpoints,
        skips_matching: input.flag("SkipMatching"),
        rolls_back: input.flag("AutoRollback"),
        protected: one_of("ScaleInProtectedInstances", ["Refresh", "Ignore", "Wait"])?,
        standby: one_of("StandbyInstances", ["Terminate", "Ignore", "Wait"])?,
        alarms: alarms.into_iter().map(CompactString::from).collect(),
        bake: size(input, "BakeTime")?.unwrap_or(0),
    })
}

fn no_refresh(name: &str) -> Fault {
    Fault::new(
        "ActiveInstanceRefreshNotFound",
        format!("No in progress or pending Instance Refresh found for Auto Scaling group {name}"),
    )
}

/// CancelInstanceRefresh.
pub(super) fn cancel_refresh(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let Some(refresh) = place.groups.get_mut(&name).and_then(Group::active_refresh) else {
        return Err(no_refresh(&name));
    };
    refresh.status = "Cancelling";
    refresh.reason = Some("Cancelled due to user request.".into());
    let id = refresh.id.clone();
    place.note(1, Event::Group(name));
    Ok(Fields::new().with("InstanceRefreshId", id).into())
}

/// RollbackInstanceRefresh.
pub(super) fn rollback_refresh(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let Some(group) = place.groups.get_mut(&name) else { return nothing() };
    let floats = group.template.version.starts_with('$');
    let Some(refresh) = group.active_refresh().filter(|refresh| refresh.status != "Cancelling") else {
        return Err(no_refresh(&name));
    };
    if refresh.desired.is_none() || floats {
        return Err(Fault::new(
            "IrreversibleInstanceRefresh",
            "The instance refresh cannot be rolled back: it needs a desired configuration, and a numbered version in the group",
        ));
    }
    refresh.status = "RollbackInProgress";
    refresh.percent = 0;
    refresh.stalled = None;
    let id = refresh.id.clone();
    place.note(1, Event::Group(name));
    Ok(Fields::new().with("InstanceRefreshId", id).into())
}
