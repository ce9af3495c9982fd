//! Tasks: those that run and those on their way out.

use crate::aws::translate::{each_some, fractional_moment, port, required, tags, text, word};
use crate::model::{ClusterArn, HostArn, Task, TaskArn, Text, Zone};
use aws_sdk_ecs::types::{Container, Task as SdkTask};

/// Returns a task.
pub(super) fn task(raw: SdkTask) -> Task {
    let containers = raw.containers.unwrap_or_default();
    let ports = host_ports(&containers);
    Task {
        arn: raw.task_arn.map(TaskArn::from).unwrap_or_default(),
        cluster: raw.cluster_arn.map(ClusterArn::from).unwrap_or_default(),
        task_definition: family_and_revision(raw.task_definition_arn),
        group: text(raw.group),
        started_by: text(raw.started_by),
        last_status: required(raw.last_status),
        desired_status: required(raw.desired_status),
        health: word(raw.health_status),
        host: raw.container_instance_arn.map(HostArn::from),
        zone: raw.availability_zone.map(Zone::from),
        launch_type: word(raw.launch_type),
        cpu: text(raw.cpu),
        memory: text(raw.memory),
        created_at: fractional_moment(raw.created_at),
        started_at: fractional_moment(raw.started_at),
        stopped_at: fractional_moment(raw.stopped_at),
        stopped_reason: text(raw.stopped_reason),
        ports,
        images: each_some(containers, |container| text(container.image)),
        tags: tags(raw.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value))),
    }
}

/// Returns `family:revision` of a task definition's ARN, or the text as it came when it is no such ARN:
/// the family is what people say, and the rest is the account and region that they look at.
pub(super) fn family_and_revision(raw: Option<String>) -> Text {
    let raw = required(raw);
    match raw.split_once(":task-definition/") {
        Some((_, short)) => short.into(),
        None => raw,
    }
}

/// Tells whether a task has ended. ECS lists those for an hour more; a task that is being stopped is
/// kept, because its host is not empty before it ends.
pub(super) fn has_ended(task: &Task) -> bool {
    matches!(task.last_status.as_str(), "STOPPED" | "DELETED")
}

/// Returns the host ports, each once: AWS lists a port again for every address family.
fn host_ports(containers: &[Container]) -> Vec<u16> {
    let bindings = containers.iter().flat_map(|container| container.network_bindings());
    let mut ports = Vec::new();
    for port in bindings.filter_map(|binding| port(binding.host_port)) {
        if port != 0 && !ports.contains(&port) {
            ports.push(port);
        }
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::types as sdk;
    use aws_smithy_types::DateTime;

    fn bound(host_port: i32, address: &str) -> sdk::NetworkBinding {
        sdk::NetworkBinding::builder().bind_ip(address).container_port(3567).host_port(host_port).build()
    }

    #[test]
    fn a_task_is_carried_over() {
        let container = Container::builder()
            .image("supertokens/core:11.0.4")
            .network_bindings(bound(32_768, "0.0.0.0"))
            .network_bindings(bound(32_768, "::"))
            .network_bindings(bound(0, "0.0.0.0"));
        let raw = SdkTask::builder()
            .task_arn("arn:aws:ecs:eu-west-1:1:task/main/abc")
            .cluster_arn("arn:c")
            .task_definition_arn("arn:aws:ecs:eu-west-1:1:task-definition/core:7")
            .group("service:auth")
            .started_by("ecs-svc/1")
            .last_status("RUNNING")
            .desired_status("STOPPED")
            .health_status(sdk::HealthStatus::Unhealthy)
            .container_instance_arn("arn:ci")
            .availability_zone("eu-west-1a")
            .launch_type(sdk::LaunchType::Ec2)
            .cpu("256")
            .memory("512")
            .created_at(DateTime::from_secs(1))
            .started_at(DateTime::from_secs(2))
            .stopped_at(DateTime::from_secs(3))
            .stopped_reason("")
            .containers(container.build())
            .tags(sdk::Tag::builder().key("k").value("v").build());
        let got = task(raw.build());
        assert_eq!((got.short_id(), got.service()), ("abc", Some("auth")));
        assert_eq!((got.last_status.as_str(), got.desired_status.as_str()), ("RUNNING", "STOPPED"));
        assert!(!has_ended(&got), "a task that is being stopped still runs");
        assert_eq!(got.task_definition, "core:7");
        assert_eq!(got.health.as_deref(), Some("UNHEALTHY"));
        assert_eq!(got.host, Some(HostArn::new("arn:ci")));
        assert_eq!(got.zone, Some(Zone::new("eu-west-1a")));
        assert_eq!((got.cpu.as_deref(), got.memory.as_deref()), (Some("256"), Some("512")));
        let times = [got.created_at, got.started_at, got.stopped_at].map(|at| at.map(|at| at.as_second()));
        assert_eq!(times, [Some(1), Some(2), Some(3)]);
        assert_eq!(got.stopped_reason, None);
        assert_eq!(got.ports, [32_768]);
        assert_eq!(got.images, ["supertokens/core:11.0.4"]);
        assert_eq!(got.tags.get("k"), Some("v"));
    }

    #[test]
    fn what_is_no_task_definition_s_arn_stays_as_it_came() {
        assert_eq!(family_and_revision(Some("core:7".to_owned())), "core:7");
        assert_eq!(family_and_revision(Some("arn:other/core:7".to_owned())), "arn:other/core:7");
        assert_eq!(family_and_revision(None), "");
    }

    #[test]
    fn an_empty_task_is_empty_and_has_not_ended() {
        let got = task(SdkTask::builder().build());
        assert_eq!((got.group.as_deref(), got.host.as_ref(), got.created_at), (None, None, None));
        assert!(got.ports.is_empty() && !has_ended(&got));
        assert!(has_ended(&task(SdkTask::builder().last_status("STOPPED").build())));
    }
}
