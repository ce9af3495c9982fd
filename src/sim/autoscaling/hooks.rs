//! Lifecycle hooks and the actions that they hold.

use super::changes::{invalid, named, nothing, size};
use super::group;
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, list};
use crate::sim::world::life::Event;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::Hook;
use compact_str::CompactString;

/// Hooks that a group may have.
const MOST: usize = 50;

/// PutLifecycleHook: makes one, or changes the one of that name.
pub(super) fn put(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let hook = read(call.input, "LifecycleTransition", group(place, &name)?.hooks.as_slice())?;
    if let Some(group) = place.groups.get_mut(&name) {
        let count = group.hooks.len();
        match group.hooks.iter_mut().find(|known| known.name == hook.name) {
            Some(known) => *known = hook,
            None if count >= MOST => {
                return Err(Fault::new(
                    "LimitExceeded",
                    format!("You may only create {MOST} lifecycle hooks for each Auto Scaling group."),
                ));
            }
            None => group.hooks.push(hook),
        }
    }
    nothing()
}

/// Reads a hook; what is not said stays as it is for a hook that is known.
pub(super) fn read(input: crate::sim::input::Input, transition: &str, known: &[Hook]) -> Result<Hook, Fault> {
    let name = input
        .text("LifecycleHookName")
        .filter(|name| !name.is_empty() && name.len() <= 255)
        .ok_or_else(|| invalid("1 validation error detected: Value null at 'lifecycleHookName'"))?;
    let old = known.iter().find(|hook| hook.name == name);
    let is_launch = match (input.text(transition), old) {
        (Some("autoscaling:EC2_INSTANCE_LAUNCHING"), _) => true,
        (Some("autoscaling:EC2_INSTANCE_TERMINATING"), _) => false,
        (None, Some(old)) => old.is_launch,
        (None, None) => {
            return Err(invalid(format!("Lifecycle transition is required for new lifecycle hook {name}")));
        }
        (Some(other), _) => return Err(invalid(format!("{other} is no lifecycle transition"))),
    };
    let heartbeat = size(input, "HeartbeatTimeout")?.or(old.map(|old| old.heartbeat)).unwrap_or(3600);
    if !(30..=7200).contains(&heartbeat) {
        return Err(invalid("Heartbeat timeout must be between 30 and 7200 seconds"));
    }
    let goes_on = match input.text("DefaultResult") {
        Some("CONTINUE") => true,
        Some("ABANDON") => false,
        None => old.is_some_and(|old| old.goes_on),
        Some(_) => return Err(invalid("Default result must be CONTINUE or ABANDON")),
    };
    let text = |name: &str, before: Option<&CompactString>| {
        input.text(name).map(CompactString::from).or_else(|| before.cloned())
    };
    Ok(Hook {
        name: name.into(),
        is_launch,
        heartbeat,
        goes_on,
        target: text("NotificationTargetARN", old.and_then(|old| old.target.as_ref())),
        role: text("RoleARN", old.and_then(|old| old.role.as_ref())),
        metadata: text("NotificationMetadata", old.and_then(|old| old.metadata.as_ref())),
    })
}

/// DeleteLifecycleHook: what it holds goes on.
pub(super) fn delete(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let hook = call.input.text("LifecycleHookName").unwrap_or_default();
    let Some(group) = place.groups.get_mut(&name) else { return nothing() };
    if !group.hooks.iter().any(|known| known.name == hook) {
        return Err(invalid(format!("No lifecycle hook found with name {hook}")));
    }
    group.hooks.retain(|known| known.name != hook);
    let held = |member: &&crate::sim::world::scaling::Member| member.holds.iter().any(|one| one.hook == hook);
    let held: Vec<CompactString> =
        group.members.iter().filter(held).map(|member| member.instance.clone()).collect();
    for instance in held {
        place.complete_hold(&name, &instance, hook, true);
    }
    nothing()
}

/// DescribeLifecycleHooks: the one of managed draining among them.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    let name = named(call, place)?;
    let wanted = call.input.texts("LifecycleHookNames");
    let mut all = place.hooks(&name, true);
    all.extend(place.hooks(&name, false));
    all.retain(|hook| wanted.is_empty() || wanted.contains(&hook.name.as_str()));
    let shapes = list(all, |hook| {
        let transition = if hook.is_launch {
            "autoscaling:EC2_INSTANCE_LAUNCHING"
        } else {
            "autoscaling:EC2_INSTANCE_TERMINATING"
        };
        Fields::new()
            .with("LifecycleHookName", &hook.name)
            .with("AutoScalingGroupName", &name)
            .with("LifecycleTransition", transition)
            .maybe("NotificationTargetARN", hook.target.as_ref())
            .maybe("RoleARN", hook.role.as_ref())
            .maybe("NotificationMetadata", hook.metadata.as_ref())
            .with("HeartbeatTimeout", hook.heartbeat)
            .with("GlobalTimeout", hook.longest())
            .with("DefaultResult", if hook.goes_on { "CONTINUE" } else { "ABANDON" })
    });
    Ok(Fields::new().with("LifecycleHooks", shapes).into())
}

/// The instance whose hold a call means, by its id or by the action's token.
fn held(call: &Call, place: &Place) -> Result<(CompactString, CompactString), Fault> {
    let name = named(call, place)?;
    let hook = call.input.text("LifecycleHookName").unwrap_or_default();
    let (id, token) = (call.input.text("InstanceId"), call.input.text("LifecycleActionToken"));
    let group = group(place, &name)?;
    let found = group.members.iter().find(|member| {
        id.is_none_or(|id| member.instance == id)
            && member
                .holds
                .iter()
                .any(|hold| hold.hook == hook && token.is_none_or(|token| hold.token == token))
    });
    match found {
        Some(member) if id.is_some() || token.is_some() => Ok((name, member.instance.clone())),
        _ => Err(invalid(match (id, token) {
            (Some(id), _) => format!("No active Lifecycle Action found with instance ID {id}"),
            (None, Some(token)) => format!("No active Lifecycle Action found with token {token}"),
            (None, None) => "Either an instance or a lifecycle action token must be given".to_owned(),
        })),
    }
}

/// CompleteLifecycleAction.
pub(super) fn complete(call: &Call, place: &mut Place) -> Answer {
    let goes_on = match call.input.text("LifecycleActionResult") {
        Some("CONTINUE") => true,
        Some("ABANDON") => false,
        _ => return Err(invalid("Lifecycle action result must be CONTINUE or ABANDON")),
    };
    let (name, instance) = held(call, place)?;
    let hook = call.input.text("LifecycleHookName").unwrap_or_default();
    place.complete_hold(&name, &instance, hook, goes_on);
    nothing()
}

/// RecordLifecycleActionHeartbeat: the time-out begins anew, but never lasts beyond the longest.
pub(super) fn heartbeat(call: &Call, place: &mut Place) -> Answer {
    let (name, instance) = held(call, place)?;
    let hook = call.input.text("LifecycleHookName").unwrap_or_default();
    let seconds = place.hooks(&name, true).into_iter().chain(place.hooks(&name, false));
    let seconds = seconds.into_iter().find(|known| known.name == hook).map_or(3600, |known| known.heartbeat);
    let mut next = None;
    let member = place.groups.get_mut(&name).and_then(|group| group.member_mut(&instance));
    if let Some(hold) = member.and_then(|member| member.holds.iter_mut().find(|hold| hold.hook == hook)) {
        hold.until = call.now.plus(i64::from(seconds)).min(hold.end);
        next = Some(hold.until);
    }
    if let Some(next) = next {
        place.note(next.since(call.now) + 1, Event::Group(name));
    }
    nothing()
}
