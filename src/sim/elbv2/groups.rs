//! Target groups are made and deleted.

use super::{group_shape, users};
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape};
use crate::sim::world::balancing::TargetGroup;
use crate::sim::world::place::Place;
use compact_str::CompactString;

/// What CreateTargetGroup understands.
pub(super) const TAKES: &[&str] = &[
    "Name",
    "Protocol",
    "ProtocolVersion",
    "Port",
    "VpcId",
    "TargetType",
    "IpAddressType",
    "HealthCheckProtocol",
    "HealthCheckPort",
    "HealthCheckEnabled",
    "HealthCheckPath",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
    "Tags",
];

/// Members that may only have the value that groups have here.
const FIXED: &[(&str, &str)] = &[
    ("Protocol", "HTTP"),
    ("ProtocolVersion", "HTTP1"),
    ("TargetType", "instance"),
    ("IpAddressType", "ipv4"),
    ("HealthCheckProtocol", "HTTP"),
    ("HealthCheckPort", "traffic-port"),
];

fn invalid(sentence: impl Into<String>) -> Fault {
    Fault::new("ValidationError", sentence)
}

/// CreateTargetGroup: one of the same name and settings is answered as it is.
pub(super) fn create(call: &Call, place: &mut Place) -> Answer {
    let input = call.input;
    let name = input.text("Name").unwrap_or_default();
    let is_good = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if name.is_empty() || name.len() > 32 || !name.chars().all(is_good) || name.starts_with('-') {
        return Err(invalid(format!(
            "Target group name '{name}' must be 1 to 32 letters, digits and hyphens"
        )));
    }
    for (member, value) in FIXED {
        if input.text(member).is_some_and(|sent| sent != *value) {
            return Err(invalid(format!("Only {value} is understood here for {member}")));
        }
    }
    if input.text("VpcId").is_some_and(|vpc| vpc != place.vpc) {
        return Err(invalid(format!(
            "The VPC ID '{}' is not found",
            input.text("VpcId").unwrap_or_default()
        )));
    }
    let number = |name: &str, low: i64, high: i64, usual: u32| {
        let sent = input.number(name).map_err(|sent| invalid(format!("{sent} is no number for {name}")))?;
        let Some(sent) = sent else { return Ok(usual) };
        u32::try_from(sent)
            .ok()
            .filter(|_| (low..=high).contains(&sent))
            .ok_or_else(|| invalid(format!("{name} must be from {low} to {high}")))
    };
    let port = number("Port", 1, 65_535, 0)?;
    let port =
        u16::try_from(port).ok().filter(|port| *port > 0).ok_or_else(|| invalid("Port is required"))?;
    let interval = number("HealthCheckIntervalSeconds", 5, 300, 30)?;
    let timeout = number("HealthCheckTimeoutSeconds", 2, 120, 5)?;
    if timeout >= interval {
        return Err(invalid("Health check timeout must be smaller than the interval"));
    }
    let healthy = number("HealthyThresholdCount", 2, 10, 5)?;
    let unhealthy = number("UnhealthyThresholdCount", 2, 10, 2)?;
    let path = CompactString::from(input.text("HealthCheckPath").unwrap_or("/"));
    if !path.starts_with('/') || path.chars().count() > 1024 {
        return Err(invalid("Health check path must begin with a '/' and have at most 1024 characters"));
    }
    let suffix = place.dice.hex(16);
    let arn = place.arn("elasticloadbalancing", &format!("targetgroup/{name}/{suffix}"));
    let tags = input.list("Tags").into_iter().map(|tag| {
        let part = |name| CompactString::from(tag.text(name).unwrap_or_default());
        (part("Key"), part("Value"))
    });
    let group = TargetGroup {
        arn: arn.clone(),
        name: name.into(),
        port,
        path,
        interval,
        drain: 300,
        tags: tags.collect(),
        thresholds: Some((healthy, unhealthy, timeout)),
        ..TargetGroup::default()
    };
    let known = place.target_groups.rows().find(|known| known.name == name);
    let arn = match known {
        None => {
            place.target_groups.insert(arn.clone(), group);
            arn
        }
        Some(known) => {
            let same = known.port == group.port
                && known.path == group.path
                && known.interval == group.interval
                && known.thresholds == group.thresholds;
            if !same {
                return Err(Fault::new(
                    "DuplicateTargetGroupName",
                    format!("A target group with the same name '{name}' exists, but with different settings"),
                ));
            }
            known.arn.clone()
        }
    };
    let rows = place.target_groups.get(&arn).map(|group| group_shape(place, group).into());
    Ok(Fields::new().with("TargetGroups", Shape::List(rows.into_iter().collect())).into())
}

/// DeleteTargetGroup: one that no rule forwards to; one that is not there is no error.
pub(super) fn delete(call: &Call, place: &mut Place) -> Answer {
    let arn = call.input.text("TargetGroupArn").unwrap_or_default();
    if !arn.contains(":targetgroup/") {
        return Err(invalid(format!("'{arn}' is not a valid target group ARN")));
    }
    if !users(place, arn).is_empty() {
        return Err(Fault::new(
            "ResourceInUse",
            format!("Target group '{arn}' is currently in use by a listener or a rule"),
        ));
    }
    place.target_groups.remove(arn);
    Ok(Fields::new().into())
}
