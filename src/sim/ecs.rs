//! ECS: what is served of it, and what its operations share.

mod changes;
mod clusters;
mod definitions;
mod execute;
mod hosts;
mod make;
mod run;
mod services;
mod tasks;

use super::fault::Fault;
use super::page::Paging;
use super::service::{Call, Operation, Protocol, Service};
use super::shape::{Fields, Shape, list};
use super::world::containers::{Cluster, Share};
use super::world::machine::Tag;
use super::world::place::Place;
use compact_str::CompactString;

pub(crate) const SERVICE: Service = Service {
    name: "ecs",
    model: "ecs",
    title: "ECS",
    protocol: Protocol::Json,
    version: "2014-11-13",
    target: "AmazonEC2ContainerServiceV20141113",
    namespace: "",
    bad_parameter: "InvalidParameterException",
    operations: &[
        Operation::read("ListClusters", &["maxResults", "nextToken"], clusters::list_clusters),
        Operation::read("DescribeClusters", &["clusters", "include"], clusters::describe),
        Operation::read(
            "DescribeCapacityProviders",
            &["capacityProviders", "cluster", "include", "maxResults", "nextToken"],
            clusters::describe_providers,
        ),
        Operation::read(
            "ListServices",
            &["cluster", "launchType", "schedulingStrategy", "maxResults", "nextToken"],
            services::list_services,
        ),
        Operation::read("DescribeServices", &["cluster", "services", "include"], services::describe),
        Operation::read(
            "ListTasks",
            &[
                "cluster",
                "containerInstance",
                "family",
                "serviceName",
                "startedBy",
                "desiredStatus",
                "launchType",
                "maxResults",
                "nextToken",
            ],
            tasks::list_tasks,
        ),
        Operation::read("DescribeTasks", &["cluster", "tasks", "include"], tasks::describe),
        Operation::read("DescribeTaskDefinition", &["taskDefinition", "include"], definitions::describe),
        Operation::read(
            "ListContainerInstances",
            &["cluster", "status", "filter", "maxResults", "nextToken"],
            hosts::list_hosts,
        ),
        Operation::read(
            "DescribeContainerInstances",
            &["cluster", "containerInstances", "include"],
            hosts::describe,
        ),
        Operation::write(
            "UpdateContainerInstancesState",
            &["cluster", "containerInstances", "status"],
            changes::update_hosts,
        ),
        Operation::write(
            "UpdateService",
            &[
                "cluster",
                "service",
                "desiredCount",
                "taskDefinition",
                "forceNewDeployment",
                "deploymentConfiguration",
                "placementConstraints",
                "healthCheckGracePeriodSeconds",
            ],
            changes::update_service,
        ),
        Operation::write("CreateService", make::TAKES, make::create),
        Operation::write("DeleteService", &["cluster", "service", "force"], make::delete),
        Operation::write("RegisterTaskDefinition", definitions::TAKES, definitions::register),
        Operation::write("DeregisterTaskDefinition", &["taskDefinition"], definitions::deregister),
        Operation::write("RunTask", run::TAKES, run::run),
        Operation::write(
            "UpdateTaskProtection",
            &["cluster", "tasks", "protectionEnabled", "expiresInMinutes"],
            run::protect,
        ),
        Operation::read("GetTaskProtection", &["cluster", "tasks"], run::protections),
        Operation::write(
            "DeregisterContainerInstance",
            &["cluster", "containerInstance", "force"],
            run::deregister,
        ),
        Operation::write(
            "PutClusterCapacityProviders",
            &["cluster", "capacityProviders", "defaultCapacityProviderStrategy"],
            changes::put_providers,
        ),
        Operation::write(
            "UpdateCapacityProvider",
            &["name", "cluster", "autoScalingGroupProvider"],
            changes::update_provider,
        ),
        Operation::write(
            "ExecuteCommand",
            &["cluster", "container", "command", "interactive", "task"],
            execute::execute,
        ),
        Operation::write("StopTask", &["cluster", "task", "reason"], changes::stop_task),
    ],
};

const PAGING: Paging = Paging {
    size: "maxResults",
    token: "nextToken",
    default: 100,
    min: 1,
    max: 100,
    bad_size: "InvalidParameterException",
    bad_token: "InvalidParameterException",
};

fn invalid(sentence: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterException", sentence)
}

/// What an ARN or a name ends in.
fn tail(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}

/// The cluster that a call names, `default` if it names none.
fn cluster<'p>(call: &Call, place: &'p Place) -> Result<&'p Cluster, Fault> {
    let name = call.input.text("cluster").unwrap_or("default");
    named_cluster(place, name).ok_or_else(|| Fault::new("ClusterNotFoundException", "Cluster not found."))
}

/// A cluster by name or by an ARN of this place.
fn named_cluster<'p>(place: &'p Place, name: &str) -> Option<&'p Cluster> {
    let cluster = place.clusters.get(tail(name))?;
    (!name.starts_with("arn:") || name == cluster_arn(place, cluster)).then_some(cluster)
}

fn cluster_arn(place: &Place, cluster: &Cluster) -> CompactString {
    place.arn("ecs", &format!("cluster/{}", cluster.name))
}

/// Tells whether the call asks for more of this.
fn includes(call: &Call, what: &str) -> bool {
    call.input.texts("include").contains(&what)
}

/// Refuses a list that is empty or longer than `most`.
fn batch<'a>(call: &Call<'a>, name: &str, most: usize, noun: &str) -> Result<Vec<&'a str>, Fault> {
    let items = call.input.texts(name);
    if items.is_empty() {
        return Err(invalid(format!("{noun} cannot be empty.")));
    }
    if items.len() > most {
        return Err(invalid(format!("{noun} cannot have more than {most} elements.")));
    }
    Ok(items)
}

fn failure(arn: impl Into<Shape>) -> Fields {
    Fields::new().with("arn", arn).with("reason", "MISSING")
}

fn tag_list(tags: &[Tag]) -> Shape {
    list(tags, |(key, value)| Fields::new().with("key", key).with("value", value))
}

fn strategy_list(strategy: &[Share]) -> Shape {
    list(strategy, |share| {
        Fields::new()
            .with("capacityProvider", &share.provider)
            .with("weight", share.weight)
            .with("base", share.base)
    })
}
