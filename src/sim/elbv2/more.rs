//! Tags and attributes.

use super::not_found;
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, list};
use crate::sim::world::place::Place;

/// DescribeTags: of load balancers and target groups, at most twenty.
pub(super) fn describe_tags(call: &Call, place: &Place) -> Answer {
    let arns = call.input.texts("ResourceArns");
    if arns.is_empty() || arns.len() > 20 {
        return Err(Fault::new("ValidationError", "One to twenty resources can be named"));
    }
    let mut rows = Vec::new();
    for arn in arns {
        let tags = match (place.balancers.get(arn), place.target_groups.get(arn)) {
            (Some(balancer), _) => &balancer.tags,
            (None, Some(group)) => &group.tags,
            (None, None) if arn.contains(":loadbalancer/") => {
                return Err(not_found("LoadBalancerNotFound", "Load balancer", arn));
            }
            (None, None) => return Err(not_found("TargetGroupNotFound", "Target groups", arn)),
        };
        let tags = list(tags, |(key, value)| Fields::new().with("Key", key).with("Value", value));
        rows.push(Fields::new().with("ResourceArn", arn).with("Tags", tags));
    }
    Ok(Fields::new().with("TagDescriptions", rows).into())
}

/// DescribeTargetGroupAttributes.
pub(super) fn describe_attributes(call: &Call, place: &Place) -> Answer {
    let arn = call.input.text("TargetGroupArn").unwrap_or_default();
    let group =
        place.target_groups.get(arn).ok_or_else(|| not_found("TargetGroupNotFound", "Target groups", arn))?;
    let drain = group.drain.to_string();
    let attributes = [
        ("deregistration_delay.timeout_seconds", drain.as_str()),
        ("stickiness.enabled", "false"),
        ("load_balancing.algorithm.type", "round_robin"),
        ("slow_start.duration_seconds", "0"),
    ];
    let rows = list(attributes, |(key, value)| Fields::new().with("Key", key).with("Value", value));
    Ok(Fields::new().with("Attributes", rows).into())
}
