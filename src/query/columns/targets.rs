//! Columns of load balancer targets.

use crate::fleet::TargetRow;
use crate::model::short_arn;
use crate::query::value::Value;
use std::borrow::Cow;

columns!(targets, |row, ctx| {
    Always group "GROUP" Text [] "its target group's name" => Value::text(group(row));
    Always target "TARGET" Text [] "an instance id, an address or an ARN" => Value::text(&row.it.id);
    Always port "PORT" Count [] "its port" => Value::maybe_count(row.it.port);
    Always state "STATE" Text [] "initial, healthy, unhealthy, unused, draining or unavailable" =>
        Value::text(row.it.state.word());
    Always health "HEALTH" Health [] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always reason "REASON" Text [] "AWS's reason code" => Value::maybe_text(row.it.reason.as_ref());
    Always zone "ZONE" Text [] "availability zone" => Value::maybe_text(row.it.zone.as_ref());
    Wide description "DESCRIPTION" Text [] "AWS's description of the reason" =>
        Value::maybe_text(row.it.description.as_ref());
    Wide id "ID" Text [] "group/target:port" => Value::Text(Cow::Owned(match row.it.port {
        Some(port) => format!("{}/{}:{port}", group(row), row.it.id),
        None => format!("{}/{}", group(row), row.it.id),
    }));
    Wide group_arn "GROUP ARN" Text [] "its target group's ARN" => Value::text(&row.it.group);
    Wide protocol "PROTOCOL" Text [] "its group's protocol" =>
        Value::maybe_text(row.group.as_ref().and_then(|group| group.protocol.as_ref()));
    Wide group_port "GROUP PORT" Count [] "its group's default port" =>
        Value::maybe_count(row.group.as_ref().and_then(|group| group.port));
    Wide target_type "TYPE" Text [] "instance, ip, lambda or alb" =>
        Value::maybe_text(row.group.as_ref().map(|group| &group.target_type));
    Wide vpc_id "VPC" Text [] "its group's network" =>
        Value::maybe_text(row.group.as_ref().and_then(|group| group.vpc_id.as_ref()));
    Wide health_path "PATH" Text [] "the path that is probed" =>
        Value::maybe_text(row.group.as_ref().and_then(|group| group.health_path.as_ref()));
    Wide balancers "BALANCERS" List [] "ARNs of the load balancers that use its group" =>
        row.group.as_ref().map_or(Value::Absent, |group| Value::texts(&group.balancers));
    Wide account "ACCOUNT" Text [] "account it is in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it is in" => Value::text(&row.scope.region);
});

/// The group's name: the group's own, or the middle of `…:targetgroup/NAME/ID`.
fn group(row: &TargetRow) -> &str {
    match &row.group {
        Some(group) => group.name.as_str(),
        None => {
            let arn = row.it.group.as_str();
            arn.rsplit('/').nth(1).unwrap_or_else(|| short_arn(arn))
        }
    }
}
