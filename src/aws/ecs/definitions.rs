//! Task definitions: what a task needs of a host. Environment, secrets and commands are never kept.

use super::tasks::family_and_revision;
use crate::aws::translate::{count, each, port, required, text, whole, word};
use crate::model::{Constraint, Container, Definition, LogTarget, Port, Protocol, Text};
use aws_sdk_ecs::types::{
    ContainerDefinition, LogConfiguration, LogDriver, PortMapping, ResourceType, TaskDefinition,
    TransportProtocol,
};

/// Returns a task definition.
pub(super) fn definition(raw: TaskDefinition) -> Definition {
    let constraints = raw.placement_constraints.unwrap_or_default().into_iter();
    let attributes = raw.requires_attributes.unwrap_or_default().into_iter();
    Definition {
        name: family_and_revision(raw.task_definition_arn),
        network: word(raw.network_mode),
        cpu: raw.cpu.and_then(|cpu| cpu.parse().ok()),
        memory: raw.memory.and_then(|memory| memory.parse().ok()),
        containers: each(raw.container_definitions, container),
        constraints: constraints.map(|one| constraint(word(one.r#type), one.expression)).collect(),
        architecture: raw.runtime_platform.and_then(|platform| word(platform.cpu_architecture)),
        attributes: attributes.map(|one| (Text::from(one.name), text(one.value))).collect(),
    }
}

/// Returns a constraint of a service or a definition.
pub(super) fn constraint(kind: Option<Text>, expression: Option<String>) -> Constraint {
    match (kind.as_deref(), text(expression)) {
        (Some("distinctInstance"), _) => Constraint::DistinctInstance,
        (Some("memberOf"), Some(expression)) => Constraint::MemberOf(expression),
        (kind, expression) => {
            let words = [kind.unwrap_or_default(), expression.as_deref().unwrap_or_default()];
            Constraint::Other(Text::from(words.join(" ").trim()))
        }
    }
}

fn container(raw: ContainerDefinition) -> Container {
    let needs = raw.resource_requirements.unwrap_or_default();
    let gpus = needs.iter().filter(|need| need.r#type == ResourceType::Gpu);
    Container {
        name: required(raw.name),
        cpu: count(Some(raw.cpu)),
        memory: raw.memory.and_then(whole),
        reservation: raw.memory_reservation.and_then(whole),
        ports: raw.port_mappings.unwrap_or_default().iter().filter_map(mapping).collect(),
        gpus: gpus.filter_map(|need| need.value.parse::<u32>().ok()).sum(),
        stop_timeout_s: raw.stop_timeout.and_then(whole),
        has_health_check: raw.health_check.is_some(),
        logs: raw.log_configuration.and_then(logs),
    }
}

fn logs(raw: LogConfiguration) -> Option<LogTarget> {
    let mut options = raw.options.filter(|_| raw.log_driver == LogDriver::Awslogs)?;
    Some(LogTarget {
        group: text(options.remove("awslogs-group"))?,
        region: text(options.remove("awslogs-region")),
        prefix: text(options.remove("awslogs-stream-prefix")),
    })
}

fn mapping(raw: &PortMapping) -> Option<Port> {
    Some(Port {
        container: port(raw.container_port)?,
        host: port(raw.host_port).unwrap_or(0),
        protocol: match raw.protocol {
            Some(TransportProtocol::Udp) => Protocol::Udp,
            _ => Protocol::Tcp,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::types as sdk;

    #[test]
    fn a_definition_says_what_a_task_needs() {
        let ports = sdk::PortMapping::builder().container_port(3567).host_port(80).build();
        let dynamic = sdk::PortMapping::builder().container_port(53).protocol(TransportProtocol::Udp).build();
        let core = ContainerDefinition::builder()
            .name("core")
            .cpu(256)
            .memory(512)
            .memory_reservation(300)
            .port_mappings(ports)
            .stop_timeout(90)
            .resource_requirements(
                sdk::ResourceRequirement::builder().r#type(ResourceType::Gpu).value("2").build().unwrap(),
            )
            .health_check(sdk::HealthCheck::builder().command("CMD").build().unwrap());
        let side = ContainerDefinition::builder().name("side").cpu(10).memory(64).port_mappings(dynamic);
        let member = sdk::TaskDefinitionPlacementConstraint::builder()
            .r#type(sdk::TaskDefinitionPlacementConstraintType::MemberOf)
            .expression("attribute:tier == shared");
        let raw = TaskDefinition::builder()
            .task_definition_arn("arn:aws:ecs:eu-west-1:1:task-definition/core:7")
            .container_definitions(core.build())
            .container_definitions(side.build())
            .placement_constraints(member.build())
            .requires_attributes(sdk::Attribute::builder().name("ecs.capability.x").build().unwrap())
            .build();
        let got = definition(raw);
        assert_eq!((got.name.as_str(), got.reserved_cpu(), got.reserved_memory()), ("core:7", 266, 364));
        assert_eq!(got.fixed_ports(), [(80, Protocol::Tcp)]);
        assert_eq!((got.gpus(), got.has_health_check()), (2, true));
        assert_eq!(got.constraints, [Constraint::MemberOf("attribute:tier == shared".into())]);
        assert_eq!(got.attributes, [("ecs.capability.x".into(), None)]);
        assert_eq!(got.containers[0].stop_timeout_s, Some(90));
    }

    #[test]
    fn a_host_network_takes_every_port_and_a_task_s_own_size_wins() {
        let ports = sdk::PortMapping::builder().container_port(3567).build();
        let core = ContainerDefinition::builder().name("core").cpu(256).memory(512).port_mappings(ports);
        let raw = |mode| {
            TaskDefinition::builder()
                .cpu("1024")
                .memory("2048")
                .network_mode(mode)
                .container_definitions(core.clone().build())
                .build()
        };
        let host = definition(raw(sdk::NetworkMode::Host));
        assert_eq!((host.reserved_cpu(), host.reserved_memory()), (1024, 2048));
        assert_eq!(host.fixed_ports(), [(3567, Protocol::Tcp)]);
        assert!(definition(raw(sdk::NetworkMode::Awsvpc)).fixed_ports().is_empty());
        assert!(definition(raw(sdk::NetworkMode::Bridge)).fixed_ports().is_empty());
    }
}
