//! Columns of ECS clusters.

use crate::query::value::Value;

columns!(clusters, |row, ctx| {
    Always name "NAME" Text [] "its name" => Value::text(&row.it.name);
    Always status "STATUS" Text [] "ACTIVE, INACTIVE, …" => Value::text(&row.it.status);
    Always health "HEALTH" Health [] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always hosts "HOSTS" Count [] "container instances registered" => Value::count(row.it.host_count);
    Always services "SERVICES" Count [] "services active" => Value::count(row.it.service_count);
    Always running_tasks "RUNNING" Count [] "tasks running" => Value::count(row.it.running_tasks);
    Always pending_tasks "PENDING" Count [] "tasks waiting" => Value::count(row.it.pending_tasks);
    Wide providers "PROVIDERS" Nested [] "its capacity providers" => Value::nested(&row.it.providers);
    Wide managed_draining "ECS DRAINS" Flag [] "ECS drains hosts before their group ends them" =>
        Value::Flag(row.it.managed_draining);
    Wide id "ID" Text [] "its name" => Value::text(&row.it.name);
    Wide arn "ARN" Text [] "its ARN" => Value::text(&row.it.arn);
    Wide tags "TAGS" Tags [] "all tags" => Value::Tags(&row.it.tags);
    Wide troubles "TROUBLES" List [] "why it is not well" => Value::texts(&row.troubles);
    Wide account "ACCOUNT" Text [] "account it is in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it is in" => Value::text(&row.scope.region);
});
