//! Clusters and capacity providers.

use super::{PAGING, cluster_arn, failure, includes, invalid, named_cluster, strategy_list, tag_list, tail};
use crate::sim::page::Paging;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::containers::{Cluster, End, Provider};
use crate::sim::world::place::Place;
use compact_str::CompactString;

/// ListClusters.
pub(super) fn list_clusters(call: &Call, place: &Place) -> Answer {
    let page = PAGING.of(call)?;
    let (rows, token) = page.take(call, place.clusters.after(page.after));
    let arns = list(rows, |cluster| cluster_arn(place, cluster));
    Ok(Fields::new().with("clusterArns", arns).maybe("nextToken", token).into())
}

/// DescribeClusters.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    let mut names = call.input.texts("clusters");
    if names.is_empty() {
        names.push("default");
    }
    if names.len() > 100 {
        return Err(invalid("Clusters cannot have more than 100 elements."));
    }
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for name in names {
        match named_cluster(place, name) {
            Some(cluster) => found.push(shape(call, place, cluster)),
            None if name.starts_with("arn:") => failures.push(failure(name)),
            None => failures.push(failure(place.arn("ecs", &format!("cluster/{name}")))),
        }
    }
    Ok(Fields::new().with("clusters", found).with("failures", failures).into())
}

/// A cluster as the wire has it.
pub(super) fn shape(call: &Call, place: &Place, cluster: &Cluster) -> Shape {
    let count = |wanted: fn(&str) -> bool| cluster.tasks.rows().filter(|task| wanted(task.status)).count();
    Fields::new()
        .with("clusterArn", cluster_arn(place, cluster))
        .with("clusterName", &cluster.name)
        .with("status", "ACTIVE")
        .with("registeredContainerInstancesCount", cluster.hosts.len())
        .with("runningTasksCount", count(|status| status == "RUNNING"))
        .with(
            "pendingTasksCount",
            count(|status| matches!(status, "PROVISIONING" | "PENDING" | "ACTIVATING")),
        )
        .with("activeServicesCount", cluster.services.rows().filter(|service| service.end == End::No).count())
        .with("statistics", Shape::List(Vec::new()))
        .with("tags", if includes(call, "TAGS") { tag_list(&cluster.tags) } else { Shape::List(Vec::new()) })
        .with(
            "settings",
            if includes(call, "SETTINGS") {
                let value = if cluster.has_insights { "enabled" } else { "disabled" };
                Shape::List(vec![Fields::new().with("name", "containerInsights").with("value", value).into()])
            } else {
                Shape::List(Vec::new())
            },
        )
        .with("capacityProviders", list(&cluster.providers, Shape::from))
        .with("defaultCapacityProviderStrategy", strategy_list(&cluster.strategy))
        .when(includes(call, "ATTACHMENTS"), |fields| {
            let providers = cluster.providers.iter().filter_map(|name| place.providers.get(name));
            let attachments = list(providers.filter(|provider| provider.drains), |provider| {
                let detail =
                    |name: &'static str, value: &str| Fields::new().with("name", name).with("value", value);
                Fields::new()
                    .with("id", &provider.id)
                    .with("type", "managed_draining")
                    .with("status", "CREATED")
                    .with(
                        "details",
                        vec![
                            detail("capacityProviderName", &provider.name),
                            detail("autoScalingLifecycleHookName", "ecs-managed-draining-termination-hook"),
                        ],
                    )
            });
            fields.with("attachments", attachments).with("attachmentsStatus", "UPDATE_COMPLETE")
        })
        .into()
}

/// DescribeCapacityProviders.
pub(super) fn describe_providers(call: &Call, place: &Place) -> Answer {
    let names = call.input.texts("capacityProviders");
    let paging = Paging { default: 10, max: 10, ..PAGING };
    let page = paging.of(call)?;
    if !names.is_empty() {
        let mut found = Vec::new();
        let mut failures = Vec::new();
        for name in names {
            match (place.providers.get(tail(name)), tail(name)) {
                (Some(provider), _) => found.push(provider_shape(call, place, provider)),
                (None, "FARGATE" | "FARGATE_SPOT") => found.push(fargate(place, tail(name))),
                (None, _) => failures.push(failure(name)),
            }
        }
        return Ok(Fields::new().with("capacityProviders", found).with("failures", failures).into());
    }
    // The two that every account has come first.
    let mut all: Vec<(u64, Shape)> = ["FARGATE", "FARGATE_SPOT"]
        .into_iter()
        .map(|name| fargate(place, name))
        .zip(1..)
        .map(|(s, k)| (k, s))
        .collect();
    all.extend(
        place.providers.after(0).map(|(key, provider)| (key + 2, provider_shape(call, place, provider))),
    );
    let (rows, token) = page.take(call, all.iter().map(|(key, shape)| (*key, shape)));
    let shapes = list(rows, Shape::clone);
    Ok(Fields::new()
        .with("capacityProviders", shapes)
        .with("failures", Shape::List(Vec::new()))
        .maybe("nextToken", token)
        .into())
}

fn provider_arn(place: &Place, name: &str) -> CompactString {
    place.arn("ecs", &format!("capacity-provider/{name}"))
}

fn fargate(place: &Place, name: &str) -> Shape {
    Fields::new()
        .with("capacityProviderArn", provider_arn(place, name))
        .with("name", name)
        .with("status", "ACTIVE")
        .with("tags", Shape::List(Vec::new()))
        .into()
}

/// A capacity provider as the wire has it.
pub(super) fn provider_shape(call: &Call, place: &Place, provider: &Provider) -> Shape {
    let uuid = place.groups.get(&provider.group).map(|group| group.uuid.as_str()).unwrap_or_default();
    let group =
        place.arn("autoscaling", &format!("autoScalingGroup:{uuid}:autoScalingGroupName/{}", provider.group));
    let scaling = Fields::new()
        .with("status", "ENABLED")
        .with("targetCapacity", provider.target)
        .with("minimumScalingStepSize", 1i64)
        .with("maximumScalingStepSize", 10_000i64)
        .with("instanceWarmupPeriod", 300i64);
    let switch = |on: bool| if on { "ENABLED" } else { "DISABLED" };
    Fields::new()
        .with("capacityProviderArn", provider_arn(place, &provider.name))
        .with("name", &provider.name)
        .with("status", "ACTIVE")
        .with(
            "autoScalingGroupProvider",
            Fields::new()
                .with("autoScalingGroupArn", group)
                .with("managedScaling", scaling)
                .with("managedTerminationProtection", switch(provider.protects))
                .with("managedDraining", switch(provider.drains)),
        )
        .with("tags", if includes(call, "TAGS") { tag_list(&provider.tags) } else { Shape::List(Vec::new()) })
        .into()
}
