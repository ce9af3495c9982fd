//! Listener rules: which hosts and paths go to which target groups.

use crate::aws::translate::{port, required, texts, whole};
use crate::model::{BalancerArn, Rule, RuleArn, TargetGroupArn, Text};
use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, Listener, LoadBalancer, LoadBalancerTypeEnum, Rule as SdkRule, RuleCondition,
};

/// A listener, as its rules need to know it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ear {
    /// Its ARN.
    pub(super) listener: String,
    /// Its port.
    pub(super) port: Option<u16>,
    /// The load balancer it belongs to.
    pub(super) balancer: Balancer,
    /// What it does with requests that no rule takes.
    pub(super) default_actions: Vec<Action>,
}

/// A load balancer, as its rules need to know it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Balancer {
    /// Its ARN.
    pub(super) arn: BalancerArn,
    /// Its name.
    pub(super) name: Text,
    /// Its DNS name.
    pub(super) dns: Option<Text>,
    /// It is an application load balancer: its listeners have rules of their own.
    pub(super) has_rules: bool,
}

/// Returns what rules need to know of a load balancer.
pub(super) fn balancer(raw: LoadBalancer) -> Balancer {
    Balancer {
        arn: raw.load_balancer_arn.map(BalancerArn::from).unwrap_or_default(),
        name: required(raw.load_balancer_name),
        dns: raw.dns_name.map(Text::from),
        has_rules: raw.r#type.is_none_or(|kind| kind == LoadBalancerTypeEnum::Application),
    }
}

/// Returns what rules need to know of a listener.
pub(super) fn ear(raw: Listener, balancer: &Balancer) -> Ear {
    Ear {
        listener: raw.listener_arn.unwrap_or_default(),
        port: port(raw.port),
        balancer: balancer.clone(),
        default_actions: raw.default_actions.unwrap_or_default(),
    }
}

/// Returns a rule of a listener.
pub(super) fn rule(raw: SdkRule, ear: &Ear) -> Rule {
    let conditions = raw.conditions.unwrap_or_default();
    let actions = raw.actions.unwrap_or_default();
    let forwards = forwards(&actions);
    Rule {
        arn: raw.rule_arn.map(RuleArn::from).unwrap_or_default(),
        balancer: ear.balancer.arn.clone(),
        balancer_name: ear.balancer.name.clone(),
        balancer_dns: ear.balancer.dns.clone(),
        port: ear.port,
        priority: required(raw.priority),
        hosts: patterns(&conditions, "host-header"),
        paths: patterns(&conditions, "path-pattern"),
        other_action: if forwards.is_empty() { other(&actions) } else { None },
        forwards,
    }
}

/// Returns the default rule of a listener that has no others: network and gateway load balancers know
/// no rules, only what the listener does. It goes by the listener's own ARN.
pub(super) fn default_rule(ear: &Ear) -> Rule {
    let raw = SdkRule::builder()
        .rule_arn(&ear.listener)
        .priority("default")
        .set_actions(Some(ear.default_actions.clone()));
    rule(raw.build(), ear)
}

/// Returns the glob patterns of a condition. Patterns that are regular expressions are left out: taken
/// for globs they would name hosts that nobody has.
fn patterns(conditions: &[RuleCondition], field: &str) -> Vec<Text> {
    let of_field = conditions.iter().filter(|condition| condition.field() == Some(field));
    let values = of_field.flat_map(|condition| {
        let config = match field {
            "host-header" => condition.host_header_config().map(|config| config.values()),
            _ => condition.path_pattern_config().map(|config| config.values()),
        };
        config.filter(|values| !values.is_empty()).unwrap_or_else(|| condition.values())
    });
    texts(Some(values.cloned().collect()))
}

/// Returns where a rule forwards. AWS leaves the weight out where there is only one group; one is what
/// it then means.
fn forwards(actions: &[Action]) -> Vec<(TargetGroupArn, u32)> {
    let forwarding = actions.iter().filter(|action| action.r#type() == Some(&ActionTypeEnum::Forward));
    forwarding
        .flat_map(|action| {
            let groups = action.forward_config().map(|config| config.target_groups()).unwrap_or_default();
            let weighted: Vec<_> = groups
                .iter()
                .filter_map(|group| {
                    let weight = group.weight().map_or(1, |weight| whole(weight).unwrap_or_default());
                    Some((TargetGroupArn::new(group.target_group_arn()?), weight))
                })
                .collect();
            if weighted.is_empty() {
                action.target_group_arn().map(|arn| (TargetGroupArn::new(arn), 1)).into_iter().collect()
            } else {
                weighted
            }
        })
        .collect()
}

/// Returns what a rule does instead of forwarding: its last action, which is the one that answers.
fn other(actions: &[Action]) -> Option<Text> {
    let action = actions.last()?;
    let word = action.r#type().map(ActionTypeEnum::as_str).unwrap_or("unknown");
    let status = action.fixed_response_config().and_then(|fixed| fixed.status_code());
    Some(status.map_or_else(|| word.into(), |status| format!("{word} {status}").into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_elasticloadbalancingv2::types as sdk;

    fn listening() -> Ear {
        let balancer = balancer(
            LoadBalancer::builder().load_balancer_arn("arn:lb").load_balancer_name("shared").build(),
        );
        let raw =
            Listener::builder().listener_arn("arn:listener").port(443).default_actions(forward("arn:tg-0"));
        ear(raw.build(), &balancer)
    }

    fn forward(to: &str) -> Action {
        Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(to).build()
    }

    #[test]
    fn a_rule_is_carried_over_with_its_weights() {
        let weighted = |arn: &str, weight: Option<i32>| {
            sdk::TargetGroupTuple::builder().target_group_arn(arn).set_weight(weight).build()
        };
        let action = Action::builder().r#type(ActionTypeEnum::Forward).forward_config(
            sdk::ForwardActionConfig::builder()
                .target_groups(weighted("arn:a", Some(90)))
                .target_groups(weighted("arn:b", Some(0)))
                .target_groups(weighted("arn:c", None))
                .build(),
        );
        let host = RuleCondition::builder()
            .field("host-header")
            .host_header_config(sdk::HostHeaderConditionConfig::builder().values("*.Acme.example").build())
            .values("ignored beside the config");
        let path = RuleCondition::builder().field("path-pattern").values("/auth/*");
        let raw = SdkRule::builder()
            .rule_arn("arn:r")
            .priority("10")
            .conditions(host.build())
            .conditions(path.build())
            .actions(action.build());
        let got = rule(raw.build(), &listening());
        assert_eq!(
            (got.arn.as_str(), got.balancer.as_str(), got.balancer_name.as_str()),
            ("arn:r", "arn:lb", "shared")
        );
        assert_eq!((got.port, got.priority.as_str()), (Some(443), "10"));
        assert_eq!(got.hosts, ["*.Acme.example"]);
        assert_eq!(got.paths, ["/auth/*"]);
        let forwards: Vec<_> = got.forwards.iter().map(|(arn, weight)| (arn.as_str(), *weight)).collect();
        assert_eq!(forwards, [("arn:a", 90), ("arn:b", 0), ("arn:c", 1)]);
        assert_eq!(got.other_action, None);
    }

    #[test]
    fn what_does_not_forward_says_what_it_does() {
        let fixed = Action::builder()
            .r#type(ActionTypeEnum::FixedResponse)
            .fixed_response_config(sdk::FixedResponseActionConfig::builder().status_code("503").build());
        let got = rule(SdkRule::builder().actions(fixed.build()).build(), &listening());
        assert_eq!(got.other_action.as_deref(), Some("fixed-response 503"));
        let redirect = Action::builder().r#type(ActionTypeEnum::Redirect);
        let got = rule(SdkRule::builder().actions(redirect.build()).build(), &listening());
        assert_eq!(got.other_action.as_deref(), Some("redirect"));
        let novel = Action::builder().r#type(ActionTypeEnum::from("teleport"));
        let got = rule(SdkRule::builder().actions(novel.build()).build(), &listening());
        assert_eq!(got.other_action.as_deref(), Some("teleport"));
    }

    #[test]
    fn a_login_before_the_forward_is_still_a_forward() {
        let login = Action::builder().r#type(ActionTypeEnum::AuthenticateOidc);
        let raw = SdkRule::builder().actions(login.build()).actions(forward("arn:tg"));
        let got = rule(raw.build(), &listening());
        assert_eq!(got.forwards, [(TargetGroupArn::new("arn:tg"), 1)]);
        assert_eq!(got.other_action, None);
    }

    #[test]
    fn a_listener_without_rules_still_says_where_it_sends() {
        let got = default_rule(&listening());
        assert_eq!((got.arn.as_str(), got.priority.as_str()), ("arn:listener", "default"));
        assert!(listening().balancer.has_rules);
        let network = LoadBalancer::builder().r#type(LoadBalancerTypeEnum::Network).build();
        assert!(!balancer(network).has_rules);
        assert_eq!(got.forwards, [(TargetGroupArn::new("arn:tg-0"), 1)]);
    }

    #[test]
    fn a_regular_expression_names_no_host_and_an_empty_rule_nothing() {
        let regex = RuleCondition::builder()
            .field("host-header")
            .host_header_config(sdk::HostHeaderConditionConfig::builder().regex_values("^a.*$").build());
        let got = rule(SdkRule::builder().conditions(regex.build()).build(), &listening());
        assert!(got.hosts.is_empty() && got.paths.is_empty() && got.forwards.is_empty());
        assert_eq!(got.other_action, None);
    }
}
