//! ECS: what is served of it, and what its operations share.

mod changes;
mod clusters;
mod definitions;
mod hosts;
mod make;
mod run;
mod services;
mod tasks;

use super::fault::Fault;
use super::page::Paging;
use super::service::{Call, Operation, Protocol, Run, Service};
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
        Operation {
            name: "ListClusters",
            takes: &["maxResults", "nextToken"],
            run: Run::Read(clusters::list_clusters),
        },
        Operation {
            name: "DescribeClusters",
            takes: &["clusters", "include"],
            run: Run::Read(clusters::describe),
        },
        Operation {
            name: "DescribeCapacityProviders",
            takes: &["capacityProviders", "cluster", "include", "maxResults", "nextToken"],
            run: Run::Read(clusters::describe_providers),
        },
        Operation {
            name: "ListServices",
            takes: &["cluster", "launchType", "schedulingStrategy", "maxResults", "nextToken"],
            run: Run::Read(services::list_services),
        },
        Operation {
            name: "DescribeServices",
            takes: &["cluster", "services", "include"],
            run: Run::Read(services::describe),
        },
        Operation {
            name: "ListTasks",
            takes: &[
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
            run: Run::Read(tasks::list_tasks),
        },
        Operation {
            name: "DescribeTasks",
            takes: &["cluster", "tasks", "include"],
            run: Run::Read(tasks::describe),
        },
        Operation {
            name: "DescribeTaskDefinition",
            takes: &["taskDefinition", "include"],
            run: Run::Read(definitions::describe),
        },
        Operation {
            name: "ListContainerInstances",
            takes: &["cluster", "status", "filter", "maxResults", "nextToken"],
            run: Run::Read(hosts::list_hosts),
        },
        Operation {
            name: "DescribeContainerInstances",
            takes: &["cluster", "containerInstances", "include"],
            run: Run::Read(hosts::describe),
        },
        Operation {
            name: "UpdateContainerInstancesState",
            takes: &["cluster", "containerInstances", "status"],
            run: Run::Write(changes::update_hosts),
        },
        Operation {
            name: "UpdateService",
            takes: &[
                "cluster",
                "service",
                "desiredCount",
                "taskDefinition",
                "forceNewDeployment",
                "deploymentConfiguration",
                "placementConstraints",
                "healthCheckGracePeriodSeconds",
            ],
            run: Run::Write(changes::update_service),
        },
        Operation { name: "CreateService", takes: make::TAKES, run: Run::Write(make::create) },
        Operation {
            name: "DeleteService",
            takes: &["cluster", "service", "force"],
            run: Run::Write(make::delete),
        },
        Operation {
            name: "RegisterTaskDefinition",
            takes: definitions::TAKES,
            run: Run::Write(definitions::register),
        },
        Operation {
            name: "DeregisterTaskDefinition",
            takes: &["taskDefinition"],
            run: Run::Write(definitions::deregister),
        },
        Operation { name: "RunTask", takes: run::TAKES, run: Run::Write(run::run) },
        Operation {
            name: "UpdateTaskProtection",
            takes: &["cluster", "tasks", "protectionEnabled", "expiresInMinutes"],
            run: Run::Write(run::protect),
        },
        Operation {
            name: "GetTaskProtection",
            takes: &["cluster", "tasks"],
            run: Run::Read(run::protections),
        },
        Operation {
            name: "DeregisterContainerInstance",
            takes: &["cluster", "containerInstance", "force"],
            run: Run::Write(run::deregister),
        },
        Operation {
            name: "PutClusterCapacityProviders",
            takes: &["cluster", "capacityProviders", "defaultCapacityProviderStrategy"],
            run: Run::Write(changes::put_providers),
        },
        Operation {
            name: "UpdateCapacityProvider",
            takes: &["name", "cluster", "autoScalingGroupProvider"],
            run: Run::Write(changes::update_provider),
        },
        Operation {
            name: "StopTask",
            takes: &["cluster", "task", "reason"],
            run: Run::Write(changes::stop_task),
        },
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
