//! Columns of cores.

use crate::model::{Home, InstanceId, Text, short_arn};
use crate::query::value::Value;

columns!(cores, |row, ctx| {
    Always id "ID" Text [] "registry id, or the short id of its task" => Value::text(&row.id);
    Always tier "TIER" Text [] "the tier it falls into" => Value::maybe_text(row.tier.as_ref());
    Always health "HEALTH" Health [Instances, Statuses] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always home "HOME" Text [] "container or task" => Value::text(home_word(&row.home));
    Always instance "INSTANCE" Text [Hosts] "the instance under it" => Value::maybe_text(instance(&row.home));
    Always service "SERVICE" Text [] "its ECS service" => Value::maybe_text(service(&row.home));
    Always port "PORT" Count [] "its port on the host" => Value::maybe_count(row.port);
    Always version "VERSION" Text [] "the core's version" => Value::maybe_text(row.version.as_ref());
    Always tenants "TENANTS" Count [] "tenants that name it" => Value::known_count(row.tenants);
    Always room "ROOM" Count [] "how many more tenants its tier allows" => Value::of(&row.room, |room| Value::count(*room));
    Wide container "CONTAINER" Text [] "its docker container" => Value::maybe_text(container(&row.home));
    Wide task "TASK" Text [] "short id of its ECS task" =>
        Value::maybe_text(task(&row.home).map(short_arn));
    Wide task_arn "TASK ARN" Text [] "ARN of its ECS task" => Value::maybe_text(task(&row.home));
    Wide troubles "TROUBLES" List [] "why it is not well" => Value::texts(&row.troubles);
    Wide account "ACCOUNT" Text [] "account it was found in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it was found in" => Value::text(&row.scope.region);
});

fn home_word(home: &Home) -> &'static str {
    match home {
        Home::Container { .. } => "container",
        Home::Task { .. } => "task",
    }
}

fn instance(home: &Home) -> Option<&InstanceId> {
    match home {
        Home::Container { instance_id, .. } | Home::Task { instance_id, .. } => instance_id.as_ref(),
    }
}

fn container(home: &Home) -> Option<&Text> {
    match home {
        Home::Container { container, .. } => container.as_ref(),
        Home::Task { .. } => None,
    }
}

fn service(home: &Home) -> Option<&Text> {
    match home {
        Home::Container { .. } => None,
        Home::Task { service, .. } => Some(service),
    }
}

fn task(home: &Home) -> Option<&str> {
    match home {
        Home::Container { .. } => None,
        Home::Task { task, .. } => Some(task.as_str()),
    }
}
