//! Tasks and task definitions.

use super::services::definition_arn;
use super::{PAGING, batch, cluster, cluster_arn, failure, includes, invalid, tag_list, tail};
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::containers::{Cluster, Definition, Task};
use crate::sim::world::machine::dotted;
use crate::sim::world::place::Place;
use compact_str::CompactString;

fn task_arn(place: &Place, cluster: &Cluster, task: &str) -> CompactString {
    place.arn("ecs", &format!("task/{}/{task}", cluster.name))
}

/// ListTasks.
pub(super) fn list_tasks(call: &Call, place: &Place) -> Answer {
    let cluster = cluster(call, place)?;
    let host = call.input.text("containerInstance").map(tail);
    if let Some(host) = host
        && !cluster.hosts.has(host)
    {
        return Err(invalid(format!("Container instance {host} not found")));
    }
    let service = call.input.text("serviceName").map(tail);
    if let Some(service) = service
        && !cluster.services.has(service)
    {
        return Err(Fault::new("ServiceNotFoundException", "Service not found."));
    }
    let wanted = call.input.text("desiredStatus").unwrap_or("RUNNING");
    if !matches!(wanted, "RUNNING" | "PENDING" | "STOPPED") {
        return Err(invalid(format!("{wanted} is not a valid desiredStatus")));
    }
    let (family, starter) = (call.input.text("family"), call.input.text("startedBy"));
    let launch = call.input.text("launchType");
    let page = PAGING.of(call)?;
    let rows = cluster.tasks.after(page.after).filter(|(_, task)| {
        task.wanted == wanted
            && host.is_none_or(|host| task.host == host)
            && service.is_none_or(|service| task.service.as_deref() == Some(service))
            && family.is_none_or(|family| task.definition.split(':').next() == Some(family))
            && starter.is_none_or(|starter| task.started_by == starter)
            && launch.is_none_or(|launch| launch == "EC2" && task.provider.is_none())
    });
    let (rows, token) = page.take(call, rows);
    let arns = list(rows, |task| task_arn(place, cluster, &task.id));
    Ok(Fields::new().with("taskArns", arns).maybe("nextToken", token).into())
}

/// DescribeTasks.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    let names = batch(call, "tasks", 100, "Tasks")?;
    let cluster = cluster(call, place)?;
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for name in names {
        match cluster.tasks.get(tail(name)) {
            Some(task) => found.push(shape(call, place, cluster, task)),
            None => failures.push(failure(task_arn(place, cluster, tail(name)))),
        }
    }
    Ok(Fields::new().with("tasks", found).with("failures", failures).into())
}

/// A task as the wire has it.
pub(super) fn shape(call: &Call, place: &Place, cluster: &Cluster, task: &Task) -> Shape {
    let definition = place.definitions.get(&task.definition);
    let group = match &task.service {
        Some(service) => compact_str::format_compact!("service:{service}"),
        None => task.group.clone().unwrap_or_else(|| {
            compact_str::format_compact!("family:{}", task.definition.split(':').next().unwrap_or_default())
        }),
    };
    let tags = task.service.as_ref().and_then(|name| cluster.services.get(name)).map(|service| &service.tags);
    let tags = Some(tags.unwrap_or(&task.tags));
    let number = |value: Option<u32>| value.unwrap_or_default().to_string();
    Fields::new()
        .with("taskArn", task_arn(place, cluster, &task.id))
        .with("clusterArn", cluster_arn(place, cluster))
        .with("taskDefinitionArn", definition_arn(place, &task.definition))
        .with("containerInstanceArn", super::hosts::host_arn(place, cluster, &task.host))
        .with("lastStatus", task.status)
        .with("desiredStatus", task.wanted)
        .with("healthStatus", task.health)
        .with("cpu", number(definition.map(|definition| definition.cpu)))
        .with("memory", number(definition.map(|definition| definition.memory)))
        .with("group", group)
        .when(!task.started_by.is_empty(), |fields| fields.with("startedBy", &task.started_by))
        .with("version", if task.started.is_some() { 4i64 } else { 2i64 })
        .with("availabilityZone", place.zone(task.zone))
        .when(task.provider.is_none(), |fields| fields.with("launchType", "EC2"))
        .maybe("capacityProviderName", task.provider.as_ref())
        .with("connectivity", if task.started.is_some() { "CONNECTED" } else { "DISCONNECTED" })
        .maybe("connectivityAt", task.started.map(|at| at.minus(4)))
        .with("createdAt", task.created)
        .maybe("pullStartedAt", task.started.map(|at| at.minus(3)))
        .maybe("pullStoppedAt", task.started.map(|at| at.minus(1)))
        .maybe("startedAt", task.started)
        .maybe("stoppingAt", task.stopping)
        .maybe("executionStoppedAt", task.stopped.map(|at| at.minus(1)))
        .maybe("stoppedAt", task.stopped)
        .maybe("stopCode", task.end.as_ref().map(|(code, _, _)| *code))
        .maybe("stoppedReason", task.end.as_ref().map(|(_, reason, _)| reason))
        .with("attachments", Shape::List(Vec::new()))
        .with("attributes", Shape::List(Vec::new()))
        .with(
            "containers",
            Shape::List(definition.map(|d| container(place, cluster, task, d)).into_iter().collect()),
        )
        .with("enableExecuteCommand", super::execute::is_enabled(place, task))
        .with("overrides", Fields::new().with("containerOverrides", Shape::List(Vec::new())))
        .with(
            "tags",
            match tags {
                Some(tags) if includes(call, "TAGS") => tag_list(tags),
                _ => Shape::List(Vec::new()),
            },
        )
        .into()
}

fn container(place: &Place, cluster: &Cluster, task: &Task, definition: &Definition) -> Shape {
    let mut dice = crate::sim::dice::Dice::new(0, &task.id);
    let host = cluster.hosts.get(&task.host).and_then(|host| place.instances.get(&host.instance));
    let binding = definition.port.zip(task.host_port).map(|(port, host_port)| {
        Fields::new()
            .with("bindIP", "0.0.0.0")
            .with("containerPort", port)
            .with("hostPort", host_port)
            .with("protocol", "tcp")
    });
    Fields::new()
        .with(
            "containerArn",
            place.arn("ecs", &format!("container/{}/{}/{}", cluster.name, task.id, dice.uuid())),
        )
        .with("taskArn", task_arn(place, cluster, &task.id))
        .with("name", &definition.container)
        .with("image", &definition.image)
        .with("imageDigest", format!("sha256:{}", crate::sim::dice::Dice::new(1, &definition.image).hex(64)))
        .with("runtimeId", dice.hex(64))
        .with("lastStatus", if task.status == "STOPPED" { "STOPPED" } else { task.status })
        .maybe("exitCode", task.end.as_ref().and_then(|(_, _, code)| *code))
        .with("healthStatus", task.health)
        .with("cpu", definition.cpu.to_string())
        .with("memory", definition.memory.to_string())
        .with("networkBindings", Shape::List(binding.map(Shape::from).into_iter().collect()))
        .with("networkInterfaces", Shape::List(Vec::new()))
        .maybe(
            "reason",
            host.filter(|host| host.state.is_gone())
                .map(|host| format!("Host {} terminated", dotted(host.private_ip, '.'))),
        )
        .into()
}

/// A definition by `family`, `family:revision` or ARN; a family means its newest revision.
pub(super) fn find_definition<'p>(place: &'p Place, text: &str) -> Option<&'p Definition> {
    let name = tail(text);
    let newest = || {
        let of_family = place.definitions.rows().filter(|definition| definition.family == name);
        of_family.max_by_key(|definition| definition.revision)
    };
    place.definitions.get(name).or_else(newest)
}
