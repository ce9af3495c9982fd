//! Columns of ECS tasks.

use crate::model::short_arn;
use crate::query::value::Value;

columns!(tasks, |row, ctx| {
    Always id "ID" Text [] "the last part of its ARN" => Value::text(row.it.short_id());
    Always service "SERVICE" Text [] "the service that keeps it; none for a standalone task" =>
        Value::maybe_text(row.it.service());
    Always cluster "CLUSTER" Text [] "its cluster's name" => Value::text(&row.cluster);
    Always last_status "STATUS" Text [] "where in its life it is" => Value::text(&row.it.last_status);
    Always desired_status "DESIRED" Text [] "where ECS wants it" => Value::text(&row.it.desired_status);
    Always health "HEALTH" Health [] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always zone "ZONE" Text [] "availability zone" => Value::maybe_text(row.it.zone.as_ref());
    Always task_definition "TASK DEFINITION" Text [] "family:revision" => Value::text(short_arn(&row.it.task_definition));
    Always started_at "AGE" Moment [] "when it began to run" => Value::maybe_moment(row.it.started_at);
    Wide instance "INSTANCE" Text [Hosts] "the instance under it" =>
        Value::of(&row.instance, Value::text);
    Wide container_health "CONTAINER HEALTH" Text [] "HEALTHY, UNHEALTHY or UNKNOWN, by ECS" =>
        Value::maybe_text(row.it.health.as_ref());
    Wide launch_type "LAUNCH" Text [] "EC2 or FARGATE" => Value::maybe_text(row.it.launch_type.as_ref());
    Wide group "GROUP" Text [] "service:NAME, or what the starter chose" => Value::maybe_text(row.it.group.as_ref());
    Wide started_by "STARTED BY" Text [] "who started it" => Value::maybe_text(row.it.started_by.as_ref());
    Wide cpu_units "CPU UNITS" Count [] "CPU units reserved" => Value::maybe_parsed(row.it.cpu.as_deref());
    Wide memory "MEMORY" Mebibytes [] "memory reserved" => Value::maybe_parsed(row.it.memory.as_deref());
    Wide ports "PORTS" Nested [] "host ports of its containers" => Value::nested(&row.it.ports);
    Wide images "IMAGES" List [] "container images" => Value::texts(&row.it.images);
    Wide created_at "CREATED" Moment [] "when it was asked for" => Value::maybe_moment(row.it.created_at);
    Wide stopped_at "STOPPED" Moment [] "when it ended" => Value::maybe_moment(row.it.stopped_at);
    Wide stopped_reason "STOPPED REASON" Text [] "why it ended" =>
        Value::maybe_text(row.it.stopped_reason.as_ref());
    Wide arn "ARN" Text [] "its ARN" => Value::text(&row.it.arn);
    Wide cluster_arn "CLUSTER ARN" Text [] "its cluster's ARN" => Value::text(&row.it.cluster);
    Wide host_arn "HOST ARN" Text [] "container instance it runs on" => Value::maybe_text(row.it.host.as_ref());
    Wide tags "TAGS" Tags [] "all tags" => Value::Tags(&row.it.tags);
    Wide troubles "TROUBLES" List [] "why it is not well" => Value::texts(&row.troubles);
    Named age "AGE" Span [] "time since it began to run, or else was asked for" =>
        Value::age(row.it.started_at.or(row.it.created_at), ctx.now);
    Wide account "ACCOUNT" Text [] "account it is in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it is in" => Value::text(&row.scope.region);
});
