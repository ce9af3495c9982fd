//! Instance refreshes: listed, started, cancelled, rolled back.

use super::changes::{invalid, named, nothing, size};
use super::{KEPT, PAGING, choice, group, missing_group, mix_shape};
use crate::sim::fault::Fault;
use crate::sim::input::Input;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::Shape;
use crate::sim::shape::{Fields, list};
use crate::sim::world::life::Event;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Group, Preferences, Refresh, Rollback, TemplateChoice};
use compact_str::CompactString;

/// DescribeInstanceRefreshes.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    let group = group(place, call.input.text("AutoScalingGroupName").ok_or_else(missing_group)?)?;
    let ids = call.input.texts("InstanceRefreshIds");
    if let Some(id) = ids.iter().find(|id| !group.refreshes.iter().any(|refresh| refresh.id == **id)) {
        return Err(Fault::new("ValidationError", format!("Instance refresh {id} not found")));
    }
    let admits = |refresh: &Refresh| {
        (ids.is_empty() || ids.contains(&refresh.id.as_str()))
            && refresh.started.is_none_or(|at| call.now.since(at) < KEPT)
    };
    let page = PAGING.of(call)?;
    // Newest first: keys count down from the newest.
    let rows = (1..).zip(group.refreshes.iter().rev()).filter(|(_, refresh)| admits(refresh));
    let (rows, token) = page.take(call, rows);
    let shapes = list(rows, |refresh| refresh_shape(group, refresh));
    Ok(Fields::new().with("InstanceRefreshes", shapes).maybe("NextToken", token).into())
}

fn refresh_shape(group: &Group, refresh: &Refresh) -> Fields {
    let wants = &refresh.preferences;
    let preferences = Fields::new()
        .with("MinHealthyPercentage", wants.min)
        .maybe("MaxHealthyPercentage", wants.max)
        .maybe("InstanceWarmup", wants.warmup)
        .when(!wants.checkpoints.is_empty(), |fields| {
            fields.with("CheckpointPercentages", list(&wants.checkpoints, |percent| *percent))
        })
        .maybe("CheckpointDelay", wants.checkpoint_delay)
        .with("SkipMatching", wants.skips_matching)
        .with("AutoRollback", wants.rolls_back)
        .with("ScaleInProtectedInstances", wants.protected)
        .with("StandbyInstances", wants.standby)
        .when(!wants.alarms.is_empty(), |fields| {
            fields.with("AlarmSpecification", Fields::new().with("Alarms", list(&wants.alarms, Shape::from)))
        })
        .when(wants.bake > 0, |fields| fields.with("BakeTime", wants.bake));
    let desired =
        refresh.desired.as_ref().map(|template| match refresh.mix.as_ref().or(group.mix.as_ref()) {
            Some(mix) => Fields::new().with("MixedInstancesPolicy", mix_shape(template, mix)),
            None => Fields::new().with("LaunchTemplate", choice(template)),
        });
    Fields::new()
        .with("InstanceRefreshId", &refresh.id)
        .with("AutoScalingGroupName", &group.name)
        .with("Status", refresh.status)
        .maybe("StatusReason", refresh.reason.as_ref())
        .maybe("StartTime", refresh.started)
        .maybe("EndTime", refresh.ended)
        .when(refresh.status != "Pending", |fields| {
            let pool = progress(refresh.percent, refresh.remaining);
            fields
                .with("PercentageComplete", refresh.percent)
                .with("InstancesToUpdate", refresh.remaining)
                .with("ProgressDetails", Fields::new().with("LivePoolProgress", pool))
        })
        .with("Preferences", preferences)
        .maybe("DesiredConfiguration", desired)
        .maybe("RollbackDetails", refresh.rollback.as_ref().map(rollback_shape))
        .with("Strategy", "Rolling")
}

fn progress(percent: u32, remaining: u32) -> Fields {
    Fields::new().with("PercentageComplete", percent).with("InstancesToUpdate", remaining)
}

fn rollback_shape(rollback: &Rollback) -> Fields {
    let pool = progress(rollback.percent, rollback.remaining);
    Fields::new()
        .with("RollbackReason", &rollback.reason)
        .with("RollbackStartTime", rollback.since)
        .with("PercentageCompleteOnRollback", rollback.percent)
        .with("InstancesToUpdateOnRollback", rollback.remaining)
        .with("ProgressDetailsOnRollback", Fields::new().with("LivePoolProgress", pool))
}

/// StartInstanceRefresh: one at a time.
pub(super) fn start(call: &Call, place: &mut Place) -> Answer {
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
    let desired = template.map(|part| super::changes::choice(place, part)).transpose()?;
    let mix = wish.and_then(|wish| wish.get("MixedInstancesPolicy")).map(super::changes::mix).transpose()?;
    let preferences = preferences(call, place)?;
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
        mix: mix.flatten(),
        ..Refresh::default()
    };
    super::changes::change(place, &name, |group| group.refreshes.push(refresh));
    Ok(Fields::new().with("InstanceRefreshId", id).into())
}

fn preferences(call: &Call, place: &Place) -> Result<Preferences, Fault> {
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
    if delay.is_some_and(|delay| delay > 172_800) {
        return Err(invalid("CheckpointDelay must be from 0 to 172800"));
    }
    let bake = size(input, "BakeTime")?.unwrap_or(0);
    if bake > 172_800 {
        return Err(invalid("BakeTime must be from 0 to 172800"));
    }
    let alarms = input.get("AlarmSpecification").map(|part| part.texts("Alarms")).unwrap_or_default();
    if alarms.len() > 10 {
        return Err(invalid("At most ten alarms can watch an instance refresh"));
    }
    if let Some(alarm) = alarms.iter().find(|alarm| !place.alarms.has(alarm)) {
        return Err(invalid(format!("The CloudWatch alarm {alarm} does not exist")));
    }
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
        bake,
    })
}

fn no_refresh(name: &str) -> Fault {
    Fault::new(
        "ActiveInstanceRefreshNotFound",
        format!("No in progress or pending Instance Refresh found for Auto Scaling group {name}"),
    )
}

/// CancelInstanceRefresh.
pub(super) fn cancel(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let Some(refresh) = place.groups.get_mut(&name).and_then(Group::active_refresh) else {
        return Err(no_refresh(&name));
    };
    let waits = call.input.get("WaitForTransitioningInstances");
    refresh.ends_quietly = waits.is_some() && !call.input.flag("WaitForTransitioningInstances");
    refresh.status = "Cancelling";
    refresh.reason = Some("Cancelled due to user request.".into());
    let id = refresh.id.clone();
    place.note(1, Event::Group(name));
    Ok(Fields::new().with("InstanceRefreshId", id).into())
}

/// RollbackInstanceRefresh.
pub(super) fn roll_back(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let Some(group) = place.groups.get_mut(&name) else { return nothing() };
    let floats = group.template.version.starts_with('$');
    let Some(refresh) = group.active_refresh().filter(|refresh| refresh.goes_forward()) else {
        return Err(no_refresh(&name));
    };
    if refresh.desired.is_none() || floats {
        return Err(Fault::new(
            "IrreversibleInstanceRefresh",
            "The instance refresh cannot be rolled back: it needs a desired configuration, and a numbered version in the group",
        ));
    }
    if refresh.started.is_none() {
        refresh.started = Some(call.now);
    }
    let id = refresh.id.clone();
    place.begin_rollback(&name, "It was asked for by a user.");
    place.note(1, Event::Group(name));
    Ok(Fields::new().with("InstanceRefreshId", id).into())
}
