//! What changes services, tasks, container instances and capacity providers.

use super::{batch, cluster, clusters, failure, hosts, invalid, make, services, tail, tasks};
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::Fields;
use crate::sim::world::containers::End;
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

/// UpdateService: count, definition, limits, constraints, breaker, a new deployment by force.
pub(super) fn update_service(call: &Call, place: &mut Place) -> Answer {
    let home = cluster(call, place)?.name.clone();
    let name = CompactString::from(tail(call.input.text("service").unwrap_or_default()));
    let not_found = || Fault::new("ServiceNotFoundException", "Service not found.");
    let input = call.input;
    let service = cluster(call, place)?.services.get(&name).ok_or_else(not_found)?;
    if service.end != End::No {
        return Err(Fault::new("ServiceNotActiveException", "Service was not ACTIVE."));
    }
    let current = service.deployments.first().map(|first| first.definition.clone()).unwrap_or_default();
    let definition = match input.text("taskDefinition") {
        None => current.clone(),
        Some(_) => {
            let found = make::definition(input, place)?;
            format_compact!("{}:{}", found.family, found.revision)
        }
    };
    let desired = make::number(input, "desiredCount")?;
    if desired.is_some() && service.is_daemon {
        return Err(invalid("The daemon scheduling strategy does not support a desired count for services."));
    }
    let (min, max) = make::limits(input, (service.min, service.max))?;
    let grace = make::number(input, "healthCheckGracePeriodSeconds")?;
    let constraints = make::constraints(input)?;
    let breaker = make::breaker(input)?;
    let is_new = definition != current || input.flag("forceNewDeployment");
    let now = call.now;
    if let Some(service) = place.clusters.get_mut(&home).and_then(|found| found.services.get_mut(&name)) {
        service.desired = desired.unwrap_or(service.desired);
        (service.min, service.max) = (min, max);
        service.grace = grace.unwrap_or(service.grace);
        if let Some((has_breaker, keeps_failed)) = breaker {
            (service.has_breaker, service.keeps_failed) = (has_breaker, keeps_failed);
        }
        if input.get("placementConstraints").is_some() {
            service.constraints = constraints;
        }
        let wanted = service.desired;
        if let Some(primary) = service.deployments.first_mut().filter(|_| !is_new) {
            primary.desired = wanted;
            primary.updated = now;
        }
    }
    if is_new {
        place.deploy(&home, &name, definition);
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

/// PutClusterCapacityProviders: those that a cluster has from now on.
pub(super) fn put_providers(call: &Call, place: &mut Place) -> Answer {
    let home = cluster(call, place)?.name.clone();
    let names = call.input.texts("capacityProviders");
    if call.input.get("capacityProviders").is_none()
        || call.input.get("defaultCapacityProviderStrategy").is_none()
    {
        return Err(invalid("capacityProviders and defaultCapacityProviderStrategy are required."));
    }
    let names: Vec<CompactString> = names.into_iter().map(|name| CompactString::from(tail(name))).collect();
    if let Some(name) = names.iter().find(|name| !place.providers.has(name)) {
        return Err(invalid(format!("The specified capacity provider '{name}' was not found.")));
    }
    let found = cluster(call, place)?;
    let is_needed = |name: &&CompactString| {
        let mut hosts = found.hosts.rows();
        !names.contains(name) && hosts.any(|host| host.provider.as_ref() == Some(*name))
    };
    if let Some(name) = found.providers.iter().find(is_needed) {
        return Err(Fault::new(
            "ResourceInUseException",
            format!("The capacity provider {name} cannot be removed while container instances use it."),
        ));
    }
    let strategy = make::strategy(call.input, "defaultCapacityProviderStrategy", place, &names)?;
    if let Some(found) = place.clusters.get_mut(&home) {
        found.providers = names;
        found.strategy = strategy;
    }
    place.wake_services(&home);
    let cluster = cluster(call, place)?;
    Ok(Fields::new().with("cluster", clusters::shape(call, place, cluster)).into())
}

/// UpdateCapacityProvider: managed draining, managed termination protection, target capacity.
pub(super) fn update_provider(call: &Call, place: &mut Place) -> Answer {
    let name = CompactString::from(tail(call.input.text("name").unwrap_or_default()));
    let part = call.input.get("autoScalingGroupProvider");
    let part = part.ok_or_else(|| invalid("autoScalingGroupProvider is required."))?;
    let switch = |name: &str| match part.text(name) {
        None => Ok(None),
        Some("ENABLED") => Ok(Some(true)),
        Some("DISABLED") => Ok(Some(false)),
        Some(other) => Err(invalid(format!("{name} must be ENABLED or DISABLED, not {other}"))),
    };
    let (drains, protects) = (switch("managedDraining")?, switch("managedTerminationProtection")?);
    let target = part.get("managedScaling").map(|part| make::number(part, "targetCapacity")).transpose()?;
    let provider = place.providers.get_mut(&name).ok_or_else(|| {
        invalid("The specified capacity provider does not exist. Specify a valid name or ARN and try again.")
    })?;
    provider.drains = drains.unwrap_or(provider.drains);
    provider.protects = protects.unwrap_or(provider.protects);
    provider.target = target.flatten().unwrap_or(provider.target);
    let shape = place.providers.get(&name).map(|provider| clusters::provider_shape(call, place, provider));
    Ok(Fields::new().maybe("capacityProvider", shape).into())
}
