//! Columns of listener rules.

use crate::model::short_arn;
use crate::query::value::Value;
use serde_json::json;

columns!(rules, |row, ctx| {
    Always id "ID" Text [] "the last part of its ARN" => Value::text(short_arn(row.it.arn.as_str()));
    Always balancer "BALANCER" Text [] "the load balancer's name" => Value::text(&row.it.balancer_name);
    Always port "PORT" Count [] "the listener's port" => Value::maybe_count(row.it.port);
    Always priority "PRIORITY" Text [] "1 to 50000, or default" => Value::text(&row.it.priority);
    Always hosts "HOSTS" List [] "host names it matches" => Value::texts(&row.it.hosts);
    Always paths "PATHS" List [] "path patterns it matches" => Value::texts(&row.it.paths);
    Always forwards "FORWARDS" List [TargetGroups] "target groups it forwards to" => Value::texts(&row.forwards);
    Always health "HEALTH" Health [] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always healthy "HEALTHY" Count [Targets] "healthy targets behind it" =>
        Value::known_count(row.healthy.map(|(healthy, _)| healthy));
    Always targets "TARGETS" Count [Targets] "all targets behind it" =>
        Value::known_count(row.healthy.map(|(_, all)| all));
    Wide weights "WEIGHTS" Nested [] "ARNs of the target groups it forwards to, with weights" =>
        Value::Nested(row.it.forwards.iter().map(|(group, weight)| {
            json!({ "target_group": group, "weight": weight })
        }).collect());
    Wide other_action "ACTION" Text [] "what it does instead of forwarding" =>
        Value::maybe_text(row.it.other_action.as_ref());
    Wide arn "ARN" Text [] "its ARN" => Value::text(&row.it.arn);
    Wide balancer_arn "BALANCER ARN" Text [] "the load balancer's ARN" => Value::text(&row.it.balancer);
    Wide troubles "TROUBLES" List [] "why it is not well" => Value::texts(&row.troubles);
    Wide account "ACCOUNT" Text [] "account it is in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it is in" => Value::text(&row.scope.region);
});
