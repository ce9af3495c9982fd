//! Load balancing: target groups, the health of their targets, listener rules.

mod change;
mod look;
mod rules;
mod targets;

pub(super) use change::change;
pub(super) use look::{look_at_leavings, look_at_targets};

use super::api::Api;
use super::call::{Desk, Pages};
use super::fan::{self, Piece};
use crate::gateway::{GatewayError, Reading};
use crate::model::{Rule, Target, TargetGroup, TargetGroupArn, TroubleKind};
use futures::FutureExt as _;
use rules::{Balancer, Ear};

/// The longest page that the service gives.
const PAGE: i32 = 400;

/// Every target group.
pub(super) async fn target_groups(desk: &Desk, pages: &Pages) -> Result<Vec<TargetGroup>, GatewayError> {
    let request = |marker| desk.elb().describe_target_groups().page_size(PAGE).set_marker(marker).send();
    desk.pages_shown(
        Api::DescribeTargetGroups,
        request,
        |page| {
            let groups = page.target_groups.unwrap_or_default();
            (groups.into_iter().map(targets::group).collect(), page.next_marker)
        },
        pages,
        Reading::TargetGroups,
    )
    .await
    .map_err(|broken| broken.partial(Reading::TargetGroups))
}

/// Health of the targets of these groups. AWS answers for one group at a time, in one page.
pub(super) async fn targets(
    desk: &Desk,
    groups: &[TargetGroupArn],
    pages: &Pages,
) -> Result<Vec<Target>, GatewayError> {
    let ask = |group| targets_of(desk, group).boxed();
    fan::each(groups.to_vec(), ask, fan::shown(pages, Reading::Targets))
        .await
        .map_err(|broken| broken.partial(Reading::Targets))
}

async fn targets_of(desk: &Desk, group: TargetGroupArn) -> Piece<Target> {
    let request = || desk.elb().describe_target_health().target_group_arn(group.as_str()).send();
    let answer = desk.call(Api::DescribeTargetHealth, request).await.map_err(fan::nothing)?;
    let targets = answer.target_health_descriptions.unwrap_or_default();
    Ok(targets.into_iter().map(|raw| targets::target(raw, &group)).collect())
}

/// Every rule of every listener of every load balancer.
pub(super) async fn rules(desk: &Desk, pages: &Pages) -> Result<Vec<Rule>, GatewayError> {
    let request = |marker| desk.elb().describe_load_balancers().page_size(PAGE).set_marker(marker).send();
    let listed = desk.pages(Api::DescribeLoadBalancers, request, |page| {
        let balancers = page.load_balancers.unwrap_or_default();
        (balancers.into_iter().map(rules::balancer).collect(), page.next_marker)
    });
    let (balancers, unlisted) = fan::apart(listed.await);
    let ears = fan::each(balancers, |balancer| listeners_of(desk, balancer).boxed(), fan::unshown).await;
    let (ears, unheard) = fan::apart(ears);
    let read = fan::each(ears, |ear| rules_of(desk, ear).boxed(), fan::shown(pages, Reading::Rules)).await;
    fan::after(unlisted.or(unheard), read).map_err(|broken| broken.partial(Reading::Rules))
}

async fn listeners_of(desk: &Desk, balancer: Balancer) -> Piece<Ear> {
    let request = |marker| {
        let ask = desk.elb().describe_listeners().load_balancer_arn(balancer.arn.as_str());
        ask.page_size(PAGE).set_marker(marker).send()
    };
    desk.pages(Api::DescribeListeners, request, |page| {
        let listeners = page.listeners.unwrap_or_default();
        (listeners.into_iter().map(|raw| rules::ear(raw, &balancer)).collect(), page.next_marker)
    })
    .await
}

async fn rules_of(desk: &Desk, ear: Ear) -> Piece<Rule> {
    let request = |marker| {
        desk.elb().describe_rules().listener_arn(&ear.listener).page_size(PAGE).set_marker(marker).send()
    };
    let listed = desk.pages(Api::DescribeRules, request, |page| {
        let rules = page.rules.unwrap_or_default();
        (rules.into_iter().map(|raw| rules::rule(raw, &ear)).collect(), page.next_marker)
    });
    match listed.await {
        Ok(read) if read.is_empty() && !ear.balancer.has_rules => Ok(vec![rules::default_rule(&ear)]),
        Err(broken) if broken.trouble.kind == TroubleKind::Refused && !ear.balancer.has_rules => {
            Ok(vec![rules::default_rule(&ear)])
        }
        read => read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};

    fn xml(action: &str, inner: &str) -> Say {
        Say::Whole(
            200,
            "text/xml",
            format!("<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>"),
        )
    }

    #[tokio::test]
    async fn rules_of_an_application_balancer_and_what_a_network_one_does_without_them() {
        let fake = Fake::new(|request, _| match request {
            text if text.contains("Action=DescribeLoadBalancers") => xml(
                "DescribeLoadBalancers",
                "<LoadBalancers><member><LoadBalancerArn>app</LoadBalancerArn><LoadBalancerName>one</LoadBalancerName>\
                 <Type>application</Type></member><member><LoadBalancerArn>net</LoadBalancerArn>\
                 <LoadBalancerName>two</LoadBalancerName><Type>network</Type></member></LoadBalancers>",
            ),
            text if text.contains("Action=DescribeListeners") => {
                let name = if text.contains("LoadBalancerArn=app") { "app" } else { "net" };
                xml(
                    "DescribeListeners",
                    &format!(
                        "<Listeners><member><ListenerArn>ear-{name}</ListenerArn><Port>443</Port><DefaultActions>\
                         <member><Type>forward</Type><TargetGroupArn>tg</TargetGroupArn></member></DefaultActions>\
                         </member></Listeners>"
                    ),
                )
            }
            text if text.contains("ListenerArn=ear-app") => {
                xml("DescribeRules", "<Rules><member><RuleArn>r-1</RuleArn><Priority>7</Priority></member></Rules>")
            }
            _ => Say::Whole(
                400,
                "text/xml",
                "<ErrorResponse><Error><Code>ValidationError</Code><Message>no rules here</Message></Error>\
                 </ErrorResponse>"
                    .to_owned(),
            ),
        })
        .await;
        let read = rules(&fake.desk().await, &Pages::default()).await.unwrap();
        let told: Vec<_> =
            read.iter().map(|rule| (rule.arn.as_str(), rule.priority.as_str(), rule.port)).collect();
        assert_eq!(told, [("r-1", "7", Some(443)), ("ear-net", "default", Some(443))]);
        assert_eq!(read[1].forwards, [(TargetGroupArn::new("tg"), 1)]);
    }

    #[tokio::test]
    async fn a_target_group_that_went_since_is_passed_over() {
        let fake = Fake::new(|request, _| {
            if request.contains("TargetGroupArn=gone") {
                let body = "<ErrorResponse><Error><Code>TargetGroupNotFound</Code><Message>gone</Message></Error></ErrorResponse>";
                return Say::Whole(400, "text/xml", body.to_owned());
            }
            xml(
                "DescribeTargetHealth",
                "<TargetHealthDescriptions><member><Target><Id>i-1</Id><Port>80</Port></Target><TargetHealth>\
                 <State>unhealthy</State></TargetHealth></member></TargetHealthDescriptions>",
            )
        })
        .await;
        let groups = ["gone", "here"].map(TargetGroupArn::new);
        let read = targets(&fake.desk().await, &groups, &Pages::default()).await.unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].group.as_str(), read[0].id.as_str()), ("here", "i-1"));
    }
}
