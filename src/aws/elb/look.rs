//! Targets of one group, and what groups do with targets that leave.

use super::targets;
use crate::aws::api::Api;
use crate::aws::call::Desk;
use crate::aws::look::all;
use crate::model::{Leaving, Target, TargetGroupArn, Trouble};
use aws_sdk_elasticloadbalancingv2::types::TargetGroupAttribute;
use futures::FutureExt as _;

/// What AWS waits for where a group says nothing of it.
const USUAL_DELAY_S: u32 = 300;

/// Every target of a group, those that leave included.
pub(in crate::aws) async fn look_at_targets(
    desk: &Desk,
    group: &TargetGroupArn,
) -> Result<Vec<Target>, Trouble> {
    let request = || desk.elb().describe_target_health().target_group_arn(group.as_str()).send();
    let answer = desk.call(Api::DescribeTargetHealth, request).await?;
    let all = answer.target_health_descriptions.unwrap_or_default();
    Ok(all.into_iter().map(|raw| targets::target(raw, group)).collect())
}

/// What these groups do with targets that leave.
pub(in crate::aws) async fn look_at_leavings(
    desk: &Desk,
    of: &[TargetGroupArn],
) -> Result<Vec<Leaving>, Trouble> {
    let ask = |group: TargetGroupArn| {
        async move {
            let request =
                || desk.elb().describe_target_group_attributes().target_group_arn(group.as_str()).send();
            let answer = desk.call(Api::DescribeTargetGroupAttributes, request).await?;
            Ok(vec![leaving(answer.attributes.unwrap_or_default(), &group)])
        }
        .boxed()
    };
    all(of.to_vec(), ask).await
}

fn leaving(attributes: Vec<TargetGroupAttribute>, group: &TargetGroupArn) -> Leaving {
    let value = |key: &str| {
        attributes.iter().find(|one| one.key.as_deref() == Some(key)).and_then(|one| one.value.as_deref())
    };
    let delay = value("deregistration_delay.timeout_seconds").and_then(|delay| delay.parse().ok());
    Leaving {
        group: group.clone(),
        delay_s: delay.unwrap_or(USUAL_DELAY_S),
        cuts_connections: value("deregistration_delay.connection_termination.enabled") == Some("true"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_s_own_delay_holds_and_aws_s_where_it_has_none() {
        let attribute =
            |key: &str, value: &str| TargetGroupAttribute::builder().key(key).value(value).build();
        let group = TargetGroupArn::new("arn:t");
        let said = leaving(
            vec![
                attribute("stickiness.enabled", "false"),
                attribute("deregistration_delay.timeout_seconds", "0"),
                attribute("deregistration_delay.connection_termination.enabled", "true"),
            ],
            &group,
        );
        assert_eq!((said.delay_s, said.cuts_connections), (0, true));
        let silent = leaving(Vec::new(), &group);
        assert_eq!((silent.delay_s, silent.cuts_connections), (300, false));
    }
}
