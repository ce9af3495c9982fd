//! Container instances: the ECS side of EC2 instances.

use crate::aws::translate::{count, fractional_moment, required, tags, text};
use crate::model::{
    ClusterArn, Host, HostArn, HostDetail, InstanceId, InstanceType, Protocol, Registration, Text, Zone,
};
use aws_sdk_ecs::types::{Attribute, ContainerInstance, Resource};

/// Returns a container instance of `cluster`; AWS's answer does not say which cluster it belongs to.
pub(super) fn host(raw: ContainerInstance, cluster: &ClusterArn) -> Host {
    let attributes = raw.attributes.unwrap_or_default();
    let registered = raw.registered_resources.unwrap_or_default();
    let remaining = raw.remaining_resources.unwrap_or_default();
    let versions = raw.version_info;
    let registration = Registration {
        cluster: cluster.clone(),
        status: required(raw.status),
        status_reason: text(raw.status_reason),
        is_connected: raw.agent_connected,
        agent_version: versions.as_ref().and_then(|it| it.agent_version.as_deref()).map(Text::new),
        docker_version: versions.as_ref().and_then(|it| it.docker_version.as_deref()).map(Text::new),
        cpu_total: amount(&registered, "CPU"),
        memory_total: amount(&registered, "MEMORY"),
        provider: text(raw.capacity_provider_name),
        instance_type: attribute(&attributes, "ecs.instance-type").map(InstanceType::new),
        zone: attribute(&attributes, "ecs.availability-zone").map(Zone::new),
        image_id: attribute(&attributes, "ecs.ami-id").map(Text::new),
    };
    let arn = raw.container_instance_arn.map(HostArn::from).unwrap_or_default();
    Host {
        running_tasks: count(Some(raw.running_tasks_count)),
        pending_tasks: count(Some(raw.pending_tasks_count)),
        cpu_free: amount(&remaining, "CPU"),
        memory_free: amount(&remaining, "MEMORY"),
        registered_at: fractional_moment(raw.registered_at),
        tags: tags(raw.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value))),
        ..Host::new(arn, raw.ec2_instance_id.map(InstanceId::from), registration)
    }
}

/// Returns a container instance with what decides whether a task fits.
pub(super) fn detail(raw: ContainerInstance, cluster: &ClusterArn) -> HostDetail {
    let attributes = raw.attributes.iter().flatten();
    let remaining = raw.remaining_resources.clone().unwrap_or_default();
    let taken = |name: &str, protocol: Protocol| -> Vec<(u16, Protocol)> {
        let set = remaining.iter().find(|it| it.name() == Some(name)).map(Resource::string_set_value);
        set.unwrap_or_default().iter().filter_map(|port| Some((port.parse().ok()?, protocol))).collect()
    };
    let gpus = remaining.iter().find(|it| it.name() == Some("GPU")).map(|it| it.string_set_value().len());
    HostDetail {
        attributes: attributes.map(|it| (Text::new(&it.name), text(it.value.clone()))).collect(),
        ports: [taken("PORTS", Protocol::Tcp), taken("PORTS_UDP", Protocol::Udp)].concat(),
        gpus_free: gpus.and_then(|gpus| u32::try_from(gpus).ok()).unwrap_or(0),
        host: host(raw, cluster),
    }
}

fn amount(resources: &[Resource], name: &str) -> u32 {
    count(resources.iter().find(|it| it.name() == Some(name)).map(|it| it.integer_value))
}

fn attribute<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    attributes.iter().find(|attribute| attribute.name == name)?.value.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::types as sdk;
    use aws_smithy_types::DateTime;

    fn resource(name: &str, value: i32) -> Resource {
        Resource::builder().name(name).r#type("INTEGER").integer_value(value).build()
    }

    fn tagged(name: &str, value: &str) -> Attribute {
        Attribute::builder().name(name).value(value).build().unwrap()
    }

    #[test]
    fn a_host_is_carried_over() {
        let raw = ContainerInstance::builder()
            .container_instance_arn("arn:ci")
            .ec2_instance_id("i-1")
            .status("DRAINING")
            .status_reason("spot")
            .agent_connected(true)
            .version_info(
                sdk::VersionInfo::builder()
                    .agent_version("1.99.0")
                    .docker_version("DockerVersion: 25")
                    .build(),
            )
            .running_tasks_count(7)
            .pending_tasks_count(1)
            .registered_resources(resource("CPU", 2048))
            .registered_resources(resource("MEMORY", 1900))
            .remaining_resources(resource("MEMORY", 400))
            .remaining_resources(resource("CPU", 256))
            .capacity_provider_name("cp")
            .attributes(tagged("ecs.instance-type", "t3.small"))
            .attributes(tagged("ecs.availability-zone", "eu-west-1a"))
            .attributes(tagged("ecs.ami-id", "ami-1"))
            .registered_at(DateTime::from_secs(4))
            .tags(sdk::Tag::builder().key("k").value("v").build());
        let got = host(raw.build(), &ClusterArn::new("arn:c"));
        assert_eq!((got.arn.as_str(), got.cluster.as_str()), ("arn:ci", "arn:c"));
        assert_eq!(got.instance_id, Some(InstanceId::new("i-1")));
        assert_eq!((got.status.as_str(), got.status_reason.as_deref()), ("DRAINING", Some("spot")));
        assert!(got.is_connected);
        assert_eq!(got.agent_version.as_deref(), Some("1.99.0"));
        assert_eq!(got.docker_version.as_deref(), Some("DockerVersion: 25"));
        assert_eq!((got.running_tasks, got.pending_tasks), (7, 1));
        assert_eq!((got.cpu_total, got.cpu_free, got.memory_total, got.memory_free), (2048, 256, 1900, 400));
        assert_eq!(got.provider.as_deref(), Some("cp"));
        assert_eq!(got.instance_type, Some(InstanceType::new("t3.small")));
        assert_eq!(got.zone, Some(Zone::new("eu-west-1a")));
        assert_eq!(got.image_id.as_deref(), Some("ami-1"));
        assert_eq!(got.registered_at.map(|at| at.as_second()), Some(4));
        assert_eq!(got.tags.get("k"), Some("v"));
    }

    #[test]
    fn an_empty_host_is_empty() {
        let got = host(ContainerInstance::builder().build(), &ClusterArn::default());
        assert_eq!((&got.instance_id, got.cpu_total, &got.zone, got.is_connected), (&None, 0, &None, false));
    }
}
