//! Instance refreshes: listed, started, cancelled, rolled back.

mod start;

pub(super) use self::start::start;

use super::changes::{named, nothing};
use super::{KEPT, PAGING, choice, group, missing_group, mix_shape};
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::Shape;
use crate::sim::shape::{Fields, list};
use crate::sim::world::life::Event;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Group, Refresh, Rollback, Strategy};

/// DescribeInstanceRefreshes.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    let group = group(place, call.input.text("AutoScalingGroupName").ok_or_else(missing_group)?)?;
    let ids = call.input.texts("InstanceRefreshIds");
    if let Some(id) = ids.iter().find(|id| !group.refreshes.iter().any(|refresh| refresh.id == **id)) {
        return Err(Fault::new("ValidationError", format!("Instance refresh {id} not found")));
    }
    let admits = |refresh: &Refresh| {
        (ids.is_empty() || ids.contains(&refresh.id.as_str()))
            && refresh.ended.or(refresh.started).is_none_or(|at| call.now.since(at) < KEPT)
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
    let desired = refresh.desired.as_ref().map(|template| match refresh.mix.as_ref() {
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
        .with(
            "Strategy",
            match refresh.strategy {
                Strategy::Rolling => "Rolling",
                Strategy::ReplaceRootVolume => "ReplaceRootVolume",
            },
        )
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
    let Some(group) = place.groups.get(&name) else { return nothing() };
    let has_wish = group.refreshes.last().is_some_and(|refresh| refresh.desired.is_some());
    let why = start::irreversible(place, group, has_wish);
    let Some(group) = place.groups.get_mut(&name) else { return nothing() };
    let Some(refresh) = group.active_refresh().filter(|refresh| refresh.goes_forward()) else {
        return Err(no_refresh(&name));
    };
    if let Some(why) = why {
        let sentence = format!("The instance refresh cannot be rolled back: {why}");
        return Err(Fault::new("IrreversibleInstanceRefresh", sentence));
    }
    if refresh.started.is_none() {
        refresh.started = Some(call.now);
    }
    let id = refresh.id.clone();
    place.begin_rollback(&name, "It was asked for by a user.");
    place.note(1, Event::Group(name));
    Ok(Fields::new().with("InstanceRefreshId", id).into())
}
