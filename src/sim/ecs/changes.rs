//! What changes services, tasks and container instances.

use super::{batch, cluster, failure, hosts, invalid, services, tail, tasks};
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::Fields;
use crate::sim::world::containers::Deployment;
use crate::sim::world::life::Event;
use crate::sim::world::place::Place;
use compact_str::{CompactString, format_compact};

/// UpdateContainerInstancesState: ACTIVE and DRAINING, at most ten.
pub(super) fn update_hosts(call: &Call, place: &mut Place) -> Answer {
    let name = cluster(call, place)?.name.clone();
    let ids = batch(call, "containerInstances", 10, "Container instances")?;
    let status = match call.input.text("status") {
        Some("ACTIVE") => "ACTIVE",
        Some("DRAINING") => "DRAINING",
        _ => return Err(invalid("Container instance status should be one of [ACTIVE,DRAINING]")),
    };
    let mut failures = Vec::new();
    let mut changed = Vec::new();
    for id in ids {
        let host = place.clusters.get_mut(&name).and_then(|found| found.hosts.get_mut(tail(id)));
        match host {
            None => failures.push(failure(id)),
            Some(host) => {
                host.status = status;
                host.version += 1;
                changed.push(tail(id));
            }
        }
    }
    place.wake_services(&name);
    let cluster = cluster(call, place)?;
    let holdings = cluster.holdings(&place.definitions);
    let rows = changed.into_iter().filter_map(|id| cluster.hosts.get(id));
    let shapes: Vec<_> =
        rows.map(|host| hosts::shape(call, place, cluster, host, holdings.get(host.id.as_str()))).collect();
    Ok(Fields::new().with("containerInstances", shapes).with("failures", failures).into())
}

/// UpdateService: count, definition, limits, a new deployment by force.
pub(super) fn update_service(call: &Call, place: &mut Place) -> Answer {
    let home = cluster(call, place)?.name.clone();
    let name = CompactString::from(tail(call.input.text("service").unwrap_or_default()));
    let not_found = || Fault::new("ServiceNotFoundException", "Service not found.");
    let service = cluster(call, place)?.services.get(&name).ok_or_else(not_found)?;
    let current = service.deployments.first().map(|first| first.definition.clone()).unwrap_or_default();
    let definition = match call.input.text("taskDefinition") {
        None => current.clone(),
        Some(text) => tasks::find_definition(place, text)
            .map(|found| format_compact!("{}:{}", found.family, found.revision))
            .ok_or_else(|| Fault::new("ClientException", "TaskDefinition not found."))?,
    };
    let number = |name: &str, input: crate::sim::input::Input| {
        let number = input.number(name).map_err(|sent| invalid(format!("{sent} is no number")))?;
        number
            .map(|number| u32::try_from(number).map_err(|_| invalid(format!("{name} cannot be negative."))))
            .transpose()
    };
    let desired = number("desiredCount", call.input)?;
    let limits = call.input.get("deploymentConfiguration");
    let max = limits.map(|part| number("maximumPercent", part)).transpose()?.flatten();
    let min = limits.map(|part| number("minimumHealthyPercent", part)).transpose()?.flatten();
    let (new_max, new_min) = (max.unwrap_or(service.max), min.unwrap_or(service.min));
    if new_max < 100 || new_min >= new_max {
        return Err(invalid("maximumPercent must be at least 100 and above minimumHealthyPercent"));
    }
    let is_new = definition != current || call.input.flag("forceNewDeployment");
    let id = format_compact!(
        "ecs-svc/{}",
        place.dice.below(9_000_000_000_000_000_000) + 1_000_000_000_000_000_000
    );
    let now = call.now;
    if let Some(service) = place.clusters.get_mut(&home).and_then(|found| found.services.get_mut(&name)) {
        service.desired = desired.unwrap_or(service.desired);
        (service.max, service.min) = (new_max, new_min);
        let wanted = service.desired;
        if is_new {
            for old in &mut service.deployments {
                old.status = "ACTIVE";
            }
            let deployment = Deployment {
                reason: format_compact!("ECS deployment {id} in progress."),
                id,
                status: "PRIMARY",
                definition,
                desired: wanted,
                failed: 0,
                created: now,
                updated: now,
                rollout: "IN_PROGRESS",
            };
            service.deployments.insert(0, deployment);
        } else if let Some(primary) = service.deployments.first_mut() {
            primary.desired = wanted;
            primary.updated = now;
        }
    }
    place.note(1, Event::Service(home, name.clone()));
    let cluster = cluster(call, place)?;
    let service = cluster.services.get(&name).ok_or_else(not_found)?;
    Ok(Fields::new().with("service", services::shape(call, place, cluster, service)).into())
}

/// StopTask.
pub(super) fn stop_task(call: &Call, place: &mut Place) -> Answer {
    let home = cluster(call, place)?.name.clone();
    let id = tail(call.input.text("task").unwrap_or_default());
    if !cluster(call, place)?.tasks.has(id) {
        return Err(invalid("The referenced task was not found."));
    }
    let reason = call.input.text("reason").unwrap_or("Task stopped by user");
    place.stop_task(&home, id, "UserInitiated", reason);
    let service = cluster(call, place)?.tasks.get(id).and_then(|task| task.service.clone());
    if let Some(service) = service {
        place.note(2, Event::Service(home, service));
    }
    let cluster = cluster(call, place)?;
    let shape = cluster.tasks.get(id).map(|task| tasks::shape(call, place, cluster, task));
    Ok(Fields::new().maybe("task", shape).into())
}
