//! Services with their deployments and events.

use super::{PAGING, batch, cluster, cluster_arn, failure, includes, strategy_list, tag_list, tail};
use crate::sim::page::Paging;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::containers::{Cluster, Deployment, End, Service};
use crate::sim::world::place::Place;
use compact_str::CompactString;

/// The ARN of a service.
pub(super) fn service_arn(place: &Place, cluster: &Cluster, service: &str) -> CompactString {
    place.arn("ecs", &format!("service/{}/{service}", cluster.name))
}

/// ListServices.
pub(super) fn list_services(call: &Call, place: &Place) -> Answer {
    let cluster = cluster(call, place)?;
    let launch = call.input.text("launchType");
    let strategy = call.input.text("schedulingStrategy");
    let page = Paging { default: 10, ..PAGING }.of(call)?;
    let rows = cluster.services.after(page.after).filter(|(_, service)| {
        // Services that came by a capacity provider strategy have no launch type.
        service.end != End::Gone
            && launch.is_none_or(|launch| launch == "EC2" && service.strategy.is_empty())
            && strategy.is_none_or(|strategy| strategy == scheduling(service))
    });
    let (rows, token) = page.take(call, rows);
    let arns = list(rows, |service| service_arn(place, cluster, &service.name));
    Ok(Fields::new().with("serviceArns", arns).maybe("nextToken", token).into())
}

fn status(service: &Service) -> &'static str {
    match service.end {
        End::No => "ACTIVE",
        End::Draining => "DRAINING",
        End::Gone => "INACTIVE",
    }
}

fn scheduling(service: &Service) -> &'static str {
    if service.is_daemon { "DAEMON" } else { "REPLICA" }
}

/// DescribeServices.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    let names = batch(call, "services", 10, "Services")?;
    let cluster = cluster(call, place)?;
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for name in names {
        match cluster.services.get(tail(name)) {
            Some(service) => found.push(shape(call, place, cluster, service)),
            None if name.starts_with("arn:") => failures.push(failure(name)),
            None => failures.push(failure(service_arn(place, cluster, name))),
        }
    }
    Ok(Fields::new().with("services", found).with("failures", failures).into())
}

/// A service as the wire has it.
pub(super) fn shape(call: &Call, place: &Place, cluster: &Cluster, service: &Service) -> Shape {
    let (running, pending) = cluster.counts(&service.name, None);
    let container = service
        .deployments
        .first()
        .and_then(|deployment| place.definitions.get(&deployment.definition))
        .map(|definition| definition.container.clone())
        .unwrap_or_default();
    let definition = service.deployments.first().map(|first| first.definition.as_str()).unwrap_or_default();
    let configuration = Fields::new()
        .with(
            "deploymentCircuitBreaker",
            Fields::new()
                .with("enable", service.has_breaker)
                .with("rollback", service.has_breaker && !service.keeps_failed),
        )
        .with("maximumPercent", service.max)
        .with("minimumHealthyPercent", service.min)
        .with("strategy", "ROLLING")
        .with("bakeTimeInMinutes", 0i64);
    Fields::new()
        .with("serviceArn", service_arn(place, cluster, &service.name))
        .with("serviceName", &service.name)
        .with("clusterArn", cluster_arn(place, cluster))
        .with(
            "loadBalancers",
            list(&service.balancers, |(arn, port)| {
                Fields::new()
                    .with("targetGroupArn", arn)
                    .with("containerName", &container)
                    .with("containerPort", *port)
            }),
        )
        .with("serviceRegistries", Shape::List(Vec::new()))
        .with("status", status(service))
        .with("desiredCount", service.desired)
        .with("runningCount", running)
        .with("pendingCount", pending)
        .when(service.strategy.is_empty(), |fields| fields.with("launchType", "EC2"))
        .when(!service.strategy.is_empty(), |fields| {
            fields.with("capacityProviderStrategy", strategy_list(&service.strategy))
        })
        .with("taskDefinition", definition_arn(place, definition))
        .with("deploymentConfiguration", configuration)
        .with(
            "deployments",
            list(&service.deployments, |deployment| deployment_shape(place, cluster, service, deployment)),
        )
        .with("roleArn", role(place))
        .with(
            "events",
            list(service.events.iter().take(100), |(id, at, message)| {
                Fields::new().with("id", id).with("createdAt", *at).with("message", message)
            }),
        )
        .with("createdAt", service.created)
        .with("placementConstraints", super::definitions::constraint_list(&service.constraints))
        .with(
            "placementStrategy",
            list(&service.placement, |(kind, field)| {
                let fields = Fields::new().with("type", *kind);
                fields.when(!field.is_empty(), |fields| fields.with("field", *field))
            }),
        )
        .when(!service.balancers.is_empty(), |fields| {
            fields.with("healthCheckGracePeriodSeconds", service.grace)
        })
        .with("schedulingStrategy", scheduling(service))
        .with("deploymentController", Fields::new().with("type", "ECS"))
        .with("createdBy", format!("arn:aws:iam::{}:role/terraform", place.account))
        .with("enableECSManagedTags", true)
        .with("propagateTags", "SERVICE")
        .with("enableExecuteCommand", false)
        .with("availabilityZoneRebalancing", "DISABLED")
        .when(includes(call, "TAGS"), |fields| fields.with("tags", tag_list(&service.tags)))
        .into()
}

fn role(place: &Place) -> String {
    format!("arn:aws:iam::{}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS", place.account)
}

/// The ARN of a task definition, from `family:revision`.
pub(super) fn definition_arn(place: &Place, definition: &str) -> CompactString {
    place.arn("ecs", &format!("task-definition/{definition}"))
}

fn deployment_shape(place: &Place, cluster: &Cluster, service: &Service, deployment: &Deployment) -> Fields {
    let (running, pending) = cluster.counts(&service.name, Some(&deployment.id));
    Fields::new()
        .with("id", &deployment.id)
        .with("status", deployment.status)
        .with("taskDefinition", definition_arn(place, &deployment.definition))
        .with("desiredCount", deployment.desired)
        .with("pendingCount", pending)
        .with("runningCount", running)
        .with("failedTasks", deployment.failed)
        .with("createdAt", deployment.created)
        .with("updatedAt", deployment.updated)
        .when(service.strategy.is_empty(), |fields| fields.with("launchType", "EC2"))
        .when(!service.strategy.is_empty(), |fields| {
            fields.with("capacityProviderStrategy", strategy_list(&service.strategy))
        })
        .with("rolloutState", deployment.rollout)
        .with("rolloutStateReason", &deployment.reason)
}
