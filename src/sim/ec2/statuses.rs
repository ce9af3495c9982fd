//! Status checks and scheduled events.

use super::{bad_filter, dry_run, ids_or_pages, instances};
use crate::sim::filter::filters;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::time::Moment;
use crate::sim::world::machine::{Instance, State};
use crate::sim::world::place::Place;

const FILTERS: &[&str] = &[
    "availability-zone",
    "event.code",
    "event.instance-event-id",
    "instance-state-code",
    "instance-state-name",
    "instance-status.reachability",
    "instance-status.status",
    "system-status.reachability",
    "system-status.status",
];

/// Seconds after which the first checks have passed.
const CHECKED_AFTER: i64 = 150;

/// DescribeInstanceStatus.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    dry_run(call)?;
    ids_or_pages(call, "InstanceId")?;
    let filters = filters(call.input, "Filter", "Value");
    if let Some(filter) = filters.iter().find(|filter| !FILTERS.contains(&filter.name)) {
        return Err(bad_filter(filter));
    }
    let all = call.input.flag("IncludeAllInstances");
    let admits = |instance: &Instance| {
        if !all && instance.state != State::Running {
            return false;
        }
        let (own, reach) = check(instance, call.now);
        let (system, system_reach) = system_check(instance, call.now);
        filters.iter().all(|filter| match filter.name {
            "availability-zone" => filter.admits(place.zone(instance.zone)),
            "event.code" => filter.admits_any(instance.events.iter().map(|event| event.code)),
            "event.instance-event-id" => {
                filter.admits_any(instance.events.iter().map(|event| event.id.as_str()))
            }
            "instance-state-code" => filter.admits(&instance.state.code().to_string()),
            "instance-state-name" => filter.admits(instance.state.word()),
            "instance-status.reachability" => filter.admits(reach),
            "instance-status.status" => filter.admits(own),
            "system-status.reachability" => filter.admits(system_reach),
            "system-status.status" => filter.admits(system),
            _ => false,
        })
    };
    let (rows, token) = instances::chosen(call, place, admits)?;
    let shapes = list(rows, |instance| shape(call, place, instance));
    Ok(Fields::new().with("instanceStatusSet", shapes).maybe("nextToken", token).into())
}

/// The instance's own check: its word and that of its reachability.
fn check(instance: &Instance, now: Moment) -> (&'static str, &'static str) {
    match (instance.state, instance.impaired_since) {
        (State::Running, Some(_)) => ("impaired", "failed"),
        (State::Running, None) if now.since(instance.launched) < CHECKED_AFTER => {
            ("initializing", "initializing")
        }
        (State::Running, None) => ("ok", "passed"),
        (State::Pending, _) => ("initializing", "initializing"),
        _ => ("not-applicable", ""),
    }
}

fn system_check(instance: &Instance, now: Moment) -> (&'static str, &'static str) {
    match check(instance, now) {
        ("impaired", _) => ("ok", "passed"),
        other => other,
    }
}

fn shape(call: &Call, place: &Place, instance: &Instance) -> Shape {
    let summary = |(status, reach): (&'static str, &'static str), since: Option<Moment>| {
        let detail =
            Fields::new().with("name", "reachability").with("status", reach).maybe("impairedSince", since);
        Fields::new()
            .with("status", status)
            .when(!reach.is_empty(), |fields| fields.with("details", Shape::List(vec![detail.into()])))
    };
    let own = check(instance, call.now);
    Fields::new()
        .with("instanceId", &instance.id)
        .with("availabilityZone", place.zone(instance.zone))
        .with("availabilityZoneId", place.zone_id(instance.zone))
        .with(
            "instanceState",
            Fields::new().with("code", instance.state.code()).with("name", instance.state.word()),
        )
        .when(!instance.events.is_empty(), |fields| {
            let events = list(&instance.events, |event| {
                Fields::new()
                    .with("instanceEventId", &event.id)
                    .with("code", event.code)
                    .with("description", &event.description)
                    .with("notBefore", event.not_before)
                    .with("notAfter", event.not_after)
            });
            fields.with("eventsSet", events)
        })
        .with("instanceStatus", summary(own, instance.impaired_since.filter(|_| own.0 == "impaired")))
        .with("systemStatus", summary(system_check(instance, call.now), None))
        .when(instance.kind.hypervisor == "nitro", |fields| {
            fields.with("attachedEbsStatus", summary(system_check(instance, call.now), None))
        })
        .into()
}
