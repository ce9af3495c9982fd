//! Tags, and the attributes of target groups.

use super::{absent, not_found};
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::balancing::TargetGroup;
use crate::sim::world::place::Place;
use compact_str::CompactString;

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

/// The attribute that says how long a target drains.
const DELAY: &str = "deregistration_delay.timeout_seconds";

/// Attributes of groups behind application load balancers that can be set, with what they are before.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("stickiness.enabled", "false"),
    ("stickiness.type", "lb_cookie"),
    ("stickiness.lb_cookie.duration_seconds", "86400"),
    ("load_balancing.algorithm.type", "round_robin"),
    ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration"),
    ("slow_start.duration_seconds", "0"),
    ("target_group_health.dns_failover.minimum_healthy_targets.count", "1"),
];

fn attributes(group: &TargetGroup) -> Shape {
    let drain = CompactString::from(group.drain.to_string());
    let mut all: Vec<(CompactString, CompactString)> = vec![(DELAY.into(), drain)];
    for (key, before) in ATTRIBUTES {
        let set = group.attributes.iter().find(|(known, _)| known == key);
        all.push(((*key).into(), set.map_or((*before).into(), |(_, value)| value.clone())));
    }
    list(all, |(key, value)| Fields::new().with("Key", key).with("Value", value))
}

/// DescribeTargetGroupAttributes.
pub(super) fn describe_attributes(call: &Call, place: &Place) -> Answer {
    let arn = call.input.text("TargetGroupArn").unwrap_or_default();
    let group =
        place.target_groups.get(arn).ok_or_else(|| not_found("TargetGroupNotFound", "Target groups", arn))?;
    Ok(Fields::new().with("Attributes", attributes(group)).into())
}

/// ModifyTargetGroupAttributes: those that are named, the others stay.
pub(super) fn modify_attributes(call: &Call, place: &mut Place) -> Answer {
    let arn = call.input.text("TargetGroupArn").unwrap_or_default();
    let group = place
        .target_groups
        .get_mut(arn)
        .ok_or_else(|| not_found("TargetGroupNotFound", "Target groups", arn))?;
    let invalid = |sentence: String| Fault::new("ValidationError", sentence);
    if call.input.list("Attributes").is_empty() {
        return Err(absent("attributes"));
    }
    let mut new = group.clone();
    for part in call.input.list("Attributes") {
        let (key, value) = (part.text("Key").unwrap_or_default(), part.text("Value").unwrap_or_default());
        if key == DELAY {
            let seconds = value.parse::<u32>().ok().filter(|seconds| *seconds <= 3600);
            new.drain = seconds.ok_or_else(|| {
                invalid(format!("'{value}' must be between 0 and 3600 for the attribute '{key}'"))
            })?;
            continue;
        }
        if !ATTRIBUTES.iter().any(|(known, _)| *known == key) {
            return Err(invalid(format!("Target group attribute key '{key}' is not recognized")));
        }
        if key.ends_with(".enabled") && key.starts_with("stickiness") && !matches!(value, "true" | "false") {
            return Err(invalid(format!("'{value}' must be one of true, false for the attribute '{key}'")));
        }
        match new.attributes.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value.into(),
            None => new.attributes.push((key.into(), value.into())),
        }
    }
    *group = new;
    let shape = attributes(group);
    Ok(Fields::new().with("Attributes", shape).into())
}
