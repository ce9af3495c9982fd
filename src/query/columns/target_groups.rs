//! Columns of load balancer target groups.

use crate::query::value::Value;

columns!(target_groups, |row, ctx| {
    Always name "NAME" Text [] "its name" => Value::text(&row.it.name);
    Always health "HEALTH" Health [Targets] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always healthy "HEALTHY" Count [Targets] "healthy targets in it" =>
        Value::known_count(row.healthy.map(|(healthy, _)| healthy));
    Always targets "TARGETS" Count [Targets] "all targets in it" =>
        Value::known_count(row.healthy.map(|(_, all)| all));
    Always protocol "PROTOCOL" Text [] "HTTP, HTTPS, TCP, …" => Value::maybe_text(row.it.protocol.as_ref());
    Always port "PORT" Count [] "the default port of its targets" => Value::maybe_count(row.it.port);
    Always target_type "TYPE" Text [] "instance, ip, lambda or alb" => Value::text(&row.it.target_type);
    Always health_path "PATH" Text [] "the path that is probed" => Value::maybe_text(row.it.health_path.as_ref());
    Wide balancers "BALANCERS" List [] "ARNs of the load balancers that use it" => Value::texts(&row.it.balancers);
    Wide vpc_id "VPC" Text [] "its network" => Value::maybe_text(row.it.vpc_id.as_ref());
    Wide id "ID" Text [] "its name" => Value::text(&row.it.name);
    Wide arn "ARN" Text [] "its ARN" => Value::text(&row.it.arn);
    Wide troubles "TROUBLES" List [Targets] "why it is not well" => Value::texts(&row.troubles);
    Wide account "ACCOUNT" Text [] "account it is in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it is in" => Value::text(&row.scope.region);
});
