//! Columns of ECS services.

use crate::model::short_arn;
use crate::query::value::Value;
use serde_json::json;

columns!(services, |row, ctx| {
    Always name "NAME" Text [] "its name" => Value::text(&row.it.name);
    Always cluster "CLUSTER" Text [] "its cluster's name" => Value::text(&row.cluster);
    Always status "STATUS" Text [] "ACTIVE, DRAINING, INACTIVE" => Value::text(&row.it.status);
    Always health "HEALTH" Health [] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always tier "TIER" Text [] "the tier it falls into" => Value::maybe_text(row.tier.as_ref());
    Always desired "DESIRED" Count [] "tasks wanted" => Value::count(row.it.desired);
    Always running "RUNNING" Count [] "tasks running" => Value::count(row.it.running);
    Always pending "PENDING" Count [] "tasks waiting" => Value::count(row.it.pending);
    Always rollout "ROLLOUT" Text [] "its newest deployment: IN_PROGRESS, COMPLETED, FAILED" =>
        Value::maybe_text(row.it.deployments.first().and_then(|deployment| deployment.rollout.as_ref()));
    Always task_definition "TASK DEFINITION" Text [] "family:revision" => Value::text(short_arn(&row.it.task_definition));
    Always created_at "AGE" Moment [] "when it was made" => Value::maybe_moment(row.it.created_at);
    Wide id "ID" Text [] "cluster/name" => Value::joined(&row.cluster, "/", &row.it.name);
    Wide arn "ARN" Text [] "its ARN" => Value::text(&row.it.arn);
    Wide cluster_arn "CLUSTER ARN" Text [] "its cluster's ARN" => Value::text(&row.it.cluster);
    Wide launch_type "LAUNCH" Text [] "EC2 or FARGATE; none with a capacity provider strategy" =>
        Value::maybe_text(row.it.launch_type.as_ref());
    Wide strategy "STRATEGY" Text [] "REPLICA or DAEMON" => Value::maybe_text(row.it.strategy.as_ref());
    Wide min_percent "MIN" Percent [] "lowest healthy percent while deploying" =>
        Value::maybe_count(row.it.min_percent);
    Wide max_percent "MAX" Percent [] "highest percent while deploying" => Value::maybe_count(row.it.max_percent);
    Wide stuck "STUCK" Flag [] "its own limits let ECS replace no task" => Value::Flag(row.it.is_stuck());
    Wide last_event "LAST EVENT" Text [] "the latest line that ECS wrote about it" =>
        Value::maybe_text(row.it.events.first().map(|event| &event.message));
    Wide deployments "DEPLOYMENTS" Nested [] "its deployments, the primary one first" =>
        Value::nested(&row.it.deployments);
    Wide events "EVENTS" Nested [] "the latest lines that ECS wrote about it" => Value::nested(&row.it.events);
    Wide target_groups "TARGET GROUPS" Nested [] "target groups with container and port" =>
        Value::Nested(row.it.target_groups.iter().map(|(group, container, port)| {
            json!({ "target_group": group, "container": container, "port": port })
        }).collect());
    Wide providers "PROVIDERS" List [] "capacity providers of its strategy" => Value::texts(&row.it.providers);
    Wide tags "TAGS" Tags [] "all tags" => Value::Tags(&row.it.tags);
    Wide troubles "TROUBLES" List [] "why it is not well" => Value::texts(&row.troubles);
    Named age "AGE" Span [] "time since it was made" => Value::age(row.it.created_at, ctx.now);
    Wide account "ACCOUNT" Text [] "account it is in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it is in" => Value::text(&row.scope.region);
});
