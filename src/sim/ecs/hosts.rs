//! Container instances: the ECS side of EC2 instances.

use super::{PAGING, batch, cluster, failure, includes, invalid, tag_list, tail};
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::containers::{Cluster, Held, Host};
use crate::sim::world::expression;
use crate::sim::world::place::Place;
use crate::sim::world::placing::{KEPT_MEMORY, KEPT_PORTS};
use compact_str::CompactString;

/// The ARN of a container instance.
pub(super) fn host_arn(place: &Place, cluster: &Cluster, host: &str) -> CompactString {
    place.arn("ecs", &format!("container-instance/{}/{host}", cluster.name))
}

/// ListContainerInstances.
pub(super) fn list_hosts(call: &Call, place: &Place) -> Answer {
    let cluster = cluster(call, place)?;
    let filter = call.input.text("filter").filter(|filter| !filter.is_empty());
    let filter = filter.map(expression::parse).transpose();
    let filter = filter.map_err(|why| invalid(format!("The filter is not understood here: {why}")))?;
    let status = call.input.text("status").unwrap_or("ACTIVE");
    let known = ["ACTIVE", "DRAINING", "REGISTERING", "DEREGISTERING", "REGISTRATION_FAILED"];
    if !known.contains(&status) {
        return Err(invalid(format!("{status} is not a valid container instance status")));
    }
    // Without a status the service lists every one but those that are not registered yet or no more.
    let is_listed = |host: &Host| {
        let is_meant = match call.input.text("status") {
            Some(status) => host.status == status,
            None => matches!(host.status, "ACTIVE" | "DRAINING"),
        };
        let subject = |name: &str| place.host_subject(cluster, host, name);
        is_meant && filter.as_ref().is_none_or(|filter| filter.holds(&subject))
    };
    let page = PAGING.of(call)?;
    let (rows, token) = page.take(call, cluster.hosts.after(page.after).filter(|(_, host)| is_listed(host)));
    let arns = list(rows, |host| host_arn(place, cluster, &host.id));
    Ok(Fields::new().with("containerInstanceArns", arns).maybe("nextToken", token).into())
}

/// DescribeContainerInstances.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    let names = batch(call, "containerInstances", 100, "Container instances")?;
    let cluster = cluster(call, place)?;
    let holdings = cluster.holdings(&place.definitions);
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for name in names {
        match cluster.hosts.get(tail(name)) {
            Some(host) => found.push(shape(call, place, cluster, host, holdings.get(host.id.as_str()))),
            None => failures.push(failure(host_arn(place, cluster, tail(name)))),
        }
    }
    Ok(Fields::new().with("containerInstances", found).with("failures", failures).into())
}

/// CPU units and MiB that a host registers.
pub(super) fn size(place: &Place, host: &Host) -> (u32, u32) {
    let kind = place.instances.get(&host.instance).map(|instance| instance.kind);
    kind.map_or((0, 0), |kind| (kind.vcpus() * 1024, kind.memory.saturating_sub(KEPT_MEMORY)))
}

/// A container instance as the wire has it.
pub(super) fn shape(
    call: &Call,
    place: &Place,
    cluster: &Cluster,
    host: &Host,
    held: Option<&Held>,
) -> Shape {
    let (cpu, memory) = size(place, host);
    let held = held.cloned().unwrap_or_default();
    let resource = |name: &'static str, value: u32| {
        Fields::new()
            .with("name", name)
            .with("type", "INTEGER")
            .with("doubleValue", 0.0)
            .with("longValue", 0i64)
            .with("integerValue", value)
    };
    let ports = |held: &[u16]| {
        let fixed = KEPT_PORTS.map(|port| CompactString::from(port.to_string()));
        let taken = held.iter().map(|port| CompactString::from(port.to_string()));
        Fields::new()
            .with("name", "PORTS")
            .with("type", "STRINGSET")
            .with("doubleValue", 0.0)
            .with("longValue", 0i64)
            .with("integerValue", 0i64)
            .with("stringSetValue", list(fixed.into_iter().chain(taken), Shape::from))
    };
    let attributes = list(place.host_attributes(host), |(name, value)| {
        Fields::new().with("name", name).with("value", value)
    });
    Fields::new()
        .with("containerInstanceArn", host_arn(place, cluster, &host.id))
        .with("ec2InstanceId", &host.instance)
        .maybe("capacityProviderName", host.provider.as_ref())
        .with("version", host.version)
        .with(
            "versionInfo",
            Fields::new()
                .with("agentVersion", host.agent)
                .with("agentHash", crate::sim::dice::Dice::new(2, host.agent).hex(8))
                .with("dockerVersion", format!("DockerVersion: {}", host.docker)),
        )
        .with(
            "remainingResources",
            vec![
                resource("CPU", cpu.saturating_sub(held.cpu)),
                resource("MEMORY", memory.saturating_sub(held.memory)),
                ports(&held.ports),
            ],
        )
        .with("registeredResources", vec![resource("CPU", cpu), resource("MEMORY", memory), ports(&[])])
        .with("status", host.status)
        .with("agentConnected", host.is_connected)
        .with("runningTasksCount", held.running)
        .with("pendingTasksCount", held.pending)
        .with("attributes", attributes)
        .with("registeredAt", host.registered)
        .with("attachments", Shape::List(Vec::new()))
        .with("tags", if includes(call, "TAGS") { tag_list(&host.tags) } else { Shape::List(Vec::new()) })
        .into()
}
