//! Columns of ECS container instances.

use crate::model::short_arn;
use crate::query::value::Value;

columns!(hosts, |row, ctx| {
    Always id "ID" Text [] "the last part of its ARN" => Value::text(short_arn(row.it.arn.as_str()));
    Always instance "INSTANCE" Text [] "the EC2 instance under it" =>
        Value::maybe_text(row.it.instance_id.as_ref());
    Always cluster "CLUSTER" Text [] "its cluster's name" => Value::text(&row.cluster);
    Always status "STATUS" Text [] "ACTIVE, DRAINING, …" => Value::text(&row.it.status);
    Always health "HEALTH" Health [] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always agent_connected "AGENT" Flag [] "the ECS agent talks to ECS" => Value::Flag(row.it.is_connected);
    Always running_tasks "RUNNING" Count [] "tasks running" => Value::count(row.it.running_tasks);
    Always pending_tasks "PENDING" Count [] "tasks waiting" => Value::count(row.it.pending_tasks);
    Always cpu_free "CPU FREE" Count [] "CPU units free" => Value::count(row.it.cpu_free);
    Always memory_free "MEMORY FREE" Mebibytes [] "memory free" => Value::count(row.it.memory_free);
    Always type "TYPE" Text [] "instance type" => Value::maybe_text(row.it.instance_type.as_ref());
    Always zone "ZONE" Text [] "availability zone" => Value::maybe_text(row.it.zone.as_ref());
    Always registered_at "AGE" Moment [] "when it registered" => Value::maybe_moment(row.it.registered_at);
    Wide tier "TIER" Text [Instances, Groups] "the tier of its instance" => Value::maybe_text(row.tier.as_ref());
    Wide status_reason "REASON" Text [] "why it has that status" => Value::maybe_text(row.it.status_reason.as_ref());
    Wide agent_version "AGENT VERSION" Text [] "the ECS agent's version" =>
        Value::maybe_text(row.it.agent_version.as_ref());
    Wide docker_version "DOCKER" Text [] "docker's version" => Value::maybe_text(row.it.docker_version.as_ref());
    Wide cpu_total "CPU TOTAL" Count [] "CPU units registered" => Value::count(row.it.cpu_total);
    Wide memory_total "MEMORY TOTAL" Mebibytes [] "memory registered" => Value::count(row.it.memory_total);
    Wide provider "PROVIDER" Text [] "capacity provider it came by" => Value::maybe_text(row.it.provider.as_ref());
    Wide image_id "IMAGE" Text [] "AMI id" => Value::maybe_text(row.it.image_id.as_ref());
    Wide arn "ARN" Text [] "its ARN" => Value::text(&row.it.arn);
    Wide cluster_arn "CLUSTER ARN" Text [] "its cluster's ARN" => Value::text(&row.it.cluster);
    Wide tags "TAGS" Tags [] "all tags" => Value::Tags(&row.it.tags);
    Wide troubles "TROUBLES" List [] "why it is not well" => Value::texts(&row.troubles);
    Named age "AGE" Span [] "time since it registered" => Value::age(row.it.registered_at, ctx.now);
    Wide account "ACCOUNT" Text [] "account it is in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it is in" => Value::text(&row.scope.region);
});
