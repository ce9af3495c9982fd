//! Target groups, and the health of what stands in them.

use crate::aws::translate::{ids, port, required, text, word};
use crate::model::{BalancerArn, Target, TargetGroup, TargetGroupArn, TargetState, Zone};
use aws_sdk_elasticloadbalancingv2::types::{
    TargetGroup as SdkGroup, TargetHealthDescription, TargetHealthStateEnum,
};

/// Returns a target group. Balancers are listed once each, in order: moto names one for every rule, and
/// as they come.
pub(super) fn group(raw: SdkGroup) -> TargetGroup {
    let mut balancers: Vec<BalancerArn> = ids(raw.load_balancer_arns);
    balancers.sort();
    balancers.dedup();
    TargetGroup {
        arn: raw.target_group_arn.map(TargetGroupArn::from).unwrap_or_default(),
        name: required(raw.target_group_name),
        protocol: word(raw.protocol),
        port: port(raw.port),
        target_type: word(raw.target_type).unwrap_or_default(),
        vpc_id: text(raw.vpc_id),
        health_path: text(raw.health_check_path),
        balancers,
    }
}

/// Returns a target of `group` with its health.
pub(super) fn target(raw: TargetHealthDescription, group: &TargetGroupArn) -> Target {
    let (id, number, zone) = match raw.target {
        Some(target) => (target.id, target.port, target.availability_zone),
        None => (None, None, None),
    };
    let (health, reason, description) = match raw.target_health {
        Some(health) => (health.state, health.reason, health.description),
        None => (None, None, None),
    };
    Target {
        group: group.clone(),
        id: required(id),
        port: port(number),
        zone: zone.map(Zone::from),
        state: state(health),
        reason: word(reason),
        description: text(description),
    }
}

/// A target that is unhealthy and on its way out counts as draining: it gets no new requests either way,
/// and its reason says the rest.
fn state(raw: Option<TargetHealthStateEnum>) -> TargetState {
    match raw {
        Some(TargetHealthStateEnum::Initial) => TargetState::Initial,
        Some(TargetHealthStateEnum::Healthy) => TargetState::Healthy,
        Some(TargetHealthStateEnum::Unhealthy) => TargetState::Unhealthy,
        Some(TargetHealthStateEnum::Unused) => TargetState::Unused,
        Some(TargetHealthStateEnum::Draining | TargetHealthStateEnum::UnhealthyDraining) => {
            TargetState::Draining
        }
        _ => TargetState::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_elasticloadbalancingv2::types as sdk;

    #[test]
    fn a_group_is_carried_over_with_each_balancer_once() {
        let raw = SdkGroup::builder()
            .target_group_arn("arn:tg")
            .target_group_name("cores")
            .protocol(sdk::ProtocolEnum::Http)
            .port(3567)
            .target_type(sdk::TargetTypeEnum::Instance)
            .vpc_id("vpc-1")
            .health_check_path("/hello")
            .load_balancer_arns("arn:lb-2")
            .load_balancer_arns("arn:lb-1")
            .load_balancer_arns("arn:lb-2");
        let got = group(raw.build());
        assert_eq!((got.arn.as_str(), got.name.as_str()), ("arn:tg", "cores"));
        assert_eq!((got.protocol.as_deref(), got.port), (Some("HTTP"), Some(3567)));
        assert_eq!((got.target_type.as_str(), got.vpc_id.as_deref()), ("instance", Some("vpc-1")));
        assert_eq!(got.health_path.as_deref(), Some("/hello"));
        assert_eq!(got.balancers, ["arn:lb-1", "arn:lb-2"].map(BalancerArn::new));
    }

    #[test]
    fn a_target_is_carried_over() {
        let raw = TargetHealthDescription::builder()
            .target(sdk::TargetDescription::builder().id("i-1").port(32_768).availability_zone("all").build())
            .target_health(
                sdk::TargetHealth::builder()
                    .state(TargetHealthStateEnum::Unhealthy)
                    .reason(sdk::TargetHealthReasonEnum::FailedHealthChecks)
                    .description("Health checks failed with these codes: [500]")
                    .build(),
            );
        let got = target(raw.build(), &TargetGroupArn::new("arn:tg"));
        assert_eq!((got.group.as_str(), got.id.as_str(), got.port), ("arn:tg", "i-1", Some(32_768)));
        assert_eq!(got.zone, Some(Zone::new("all")));
        assert_eq!(got.state, TargetState::Unhealthy);
        assert_eq!(got.reason.as_deref(), Some("Target.FailedHealthChecks"));
        assert_eq!(got.description.as_deref(), Some("Health checks failed with these codes: [500]"));
    }

    #[test]
    fn empty_answers_and_new_words_are_never_healthy() {
        let got = target(TargetHealthDescription::builder().build(), &TargetGroupArn::new("arn:tg"));
        assert_eq!((got.state, got.port, got.reason), (TargetState::Unavailable, None, None));
        assert_eq!(state(Some(TargetHealthStateEnum::from("glowing"))), TargetState::Unavailable);
        assert_eq!(state(Some(TargetHealthStateEnum::UnhealthyDraining)), TargetState::Draining);
        assert!(group(SdkGroup::builder().build()).balancers.is_empty());
    }
}
