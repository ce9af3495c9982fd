//! Services with their deployments and latest events.

use super::definitions::constraint;
use super::tasks::family_and_revision;
use crate::aws::translate::{count, each, each_some, fractional_moment, required, tags, text, whole, word};
use crate::model::{
    ClusterArn, Deployment, Service, ServiceArn, ServiceDetail, ServiceEvent, TargetGroupArn, Text,
};
use aws_sdk_ecs::types::{
    Deployment as SdkDeployment, LoadBalancer, Service as SdkService, ServiceEvent as SdkEvent,
};
use std::cmp::Reverse;

/// How many of its events a service keeps: the newest. AWS sends a hundred, nearly all "steady state".
const EVENTS: usize = 10;

/// Returns a service.
pub(super) fn service(raw: SdkService) -> Service {
    let limits = raw.deployment_configuration;
    let mut deployments: Vec<_> = each(raw.deployments, deployment);
    deployments.sort_by_key(|deployment| deployment.status != "PRIMARY");
    let mut events: Vec<_> = each(raw.events, event);
    events.sort_by_key(|event| Reverse(event.at));
    events.truncate(EVENTS);
    Service {
        arn: raw.service_arn.map(ServiceArn::from).unwrap_or_default(),
        name: required(raw.service_name),
        cluster: raw.cluster_arn.map(ClusterArn::from).unwrap_or_default(),
        status: required(raw.status),
        desired: count(Some(raw.desired_count)),
        running: count(Some(raw.running_count)),
        pending: count(Some(raw.pending_count)),
        task_definition: family_and_revision(raw.task_definition),
        launch_type: word(raw.launch_type),
        strategy: word(raw.scheduling_strategy),
        min_percent: limits.as_ref().and_then(|it| it.minimum_healthy_percent).and_then(whole),
        max_percent: limits.as_ref().and_then(|it| it.maximum_percent).and_then(whole),
        deployments,
        events,
        target_groups: each_some(raw.load_balancers.unwrap_or_default(), target_group),
        providers: each(raw.capacity_provider_strategy, |item| Text::from(item.capacity_provider)),
        created_at: fractional_moment(raw.created_at),
        tags: tags(raw.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value))),
    }
}

/// Returns a service with what decides where its tasks go.
pub(super) fn detail(raw: SdkService) -> ServiceDetail {
    let constraints = raw.placement_constraints.iter().flatten();
    let rebalancing = word(raw.availability_zone_rebalancing.as_ref().map(AsRef::as_ref));
    ServiceDetail {
        constraints: constraints
            .map(|one| constraint(word(one.r#type.as_ref().map(AsRef::as_ref)), one.expression.clone()))
            .collect(),
        grace_s: raw.health_check_grace_period_seconds.and_then(whole),
        controller: raw.deployment_controller.as_ref().and_then(|it| word(Some(it.r#type.as_str()))),
        rebalances: rebalancing.as_deref() == Some("ENABLED"),
        service: service(raw),
    }
}

fn deployment(raw: SdkDeployment) -> Deployment {
    Deployment {
        id: required(raw.id),
        status: required(raw.status),
        rollout: word(raw.rollout_state),
        reason: text(raw.rollout_state_reason),
        task_definition: family_and_revision(raw.task_definition),
        desired: count(Some(raw.desired_count)),
        running: count(Some(raw.running_count)),
        pending: count(Some(raw.pending_count)),
        failed: count(Some(raw.failed_tasks)),
        created_at: fractional_moment(raw.created_at),
        updated_at: fractional_moment(raw.updated_at),
    }
}

fn event(raw: SdkEvent) -> ServiceEvent {
    ServiceEvent {
        id: required(raw.id),
        at: fractional_moment(raw.created_at),
        message: raw.message.unwrap_or_default(),
    }
}

/// A classic load balancer has a name and no target group.
fn target_group(raw: LoadBalancer) -> Option<(TargetGroupArn, Text, u32)> {
    let group = TargetGroupArn::from(raw.target_group_arn?);
    Some((group, required(raw.container_name), count(raw.container_port)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::types as sdk;
    use aws_smithy_types::DateTime;

    #[test]
    fn a_service_is_carried_over() {
        let raw = SdkService::builder()
            .service_arn("arn:s")
            .service_name("auth")
            .cluster_arn("arn:c")
            .status("ACTIVE")
            .desired_count(3)
            .running_count(2)
            .pending_count(1)
            .task_definition("arn:aws:ecs:eu-west-1:1:task-definition/core:7")
            .launch_type(sdk::LaunchType::from(""))
            .scheduling_strategy(sdk::SchedulingStrategy::Daemon)
            .deployment_configuration(
                sdk::DeploymentConfiguration::builder()
                    .minimum_healthy_percent(50)
                    .maximum_percent(200)
                    .build(),
            )
            .load_balancers(
                LoadBalancer::builder()
                    .target_group_arn("arn:tg")
                    .container_name("core")
                    .container_port(3567)
                    .build(),
            )
            .load_balancers(LoadBalancer::builder().load_balancer_name("classic").build())
            .capacity_provider_strategy(
                sdk::CapacityProviderStrategyItem::builder().capacity_provider("cp").build().unwrap(),
            )
            .created_at(DateTime::from_secs(9))
            .tags(sdk::Tag::builder().key("tier").value("shared").build());
        let got = service(raw.build());
        assert_eq!((got.arn.as_str(), got.name.as_str(), got.cluster.as_str()), ("arn:s", "auth", "arn:c"));
        assert_eq!((got.desired, got.running, got.pending), (3, 2, 1));
        assert_eq!(got.task_definition, "core:7");
        assert_eq!(got.launch_type, None, "moto writes an empty one");
        assert_eq!(got.strategy.as_deref(), Some("DAEMON"));
        assert_eq!((got.min_percent, got.max_percent), (Some(50), Some(200)));
        assert_eq!(got.target_groups, [(TargetGroupArn::new("arn:tg"), "core".into(), 3567)]);
        assert_eq!(got.providers, ["cp"]);
        assert_eq!(got.created_at.map(|at| at.as_second()), Some(9));
        assert_eq!(got.tags.get("tier"), Some("shared"));
    }

    #[test]
    fn the_primary_deployment_stands_first() {
        let one = |status: &str| {
            SdkDeployment::builder()
                .id(format!("d-{status}"))
                .status(status)
                .rollout_state(sdk::DeploymentRolloutState::InProgress)
                .rollout_state_reason("why")
                .failed_tasks(2)
                .updated_at(DateTime::from_secs(5))
                .build()
        };
        let got =
            service(SdkService::builder().deployments(one("ACTIVE")).deployments(one("PRIMARY")).build());
        assert_eq!(got.deployments[0].id, "d-PRIMARY");
        assert_eq!(got.deployments[0].rollout.as_deref(), Some("IN_PROGRESS"));
        assert_eq!((got.deployments[1].failed, got.deployments[1].reason.as_deref()), (2, Some("why")));
    }

    #[test]
    fn only_the_newest_events_are_kept() {
        let events = (0..25).map(|n| {
            SdkEvent::builder().id(format!("e-{n}")).created_at(DateTime::from_secs(n)).message("m").build()
        });
        let got = service(SdkService::builder().set_events(Some(events.collect())).build());
        assert_eq!(got.events.len(), EVENTS);
        assert_eq!(got.events[0].id, "e-24");
        assert_eq!(got.events[9].id, "e-15");
    }

    #[test]
    fn an_empty_service_is_empty() {
        let got = service(SdkService::builder().build());
        assert_eq!((got.desired, got.min_percent, got.launch_type), (0, None, None));
        assert!(got.deployments.is_empty() && got.events.is_empty() && got.target_groups.is_empty());
    }
}
