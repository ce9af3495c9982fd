//! Columns of the machine images that something uses.

use crate::query::value::Value;

columns!(images, |row, ctx| {
    Always id "ID" Text [] "AMI id" => Value::text(&row.it.id);
    Always name "NAME" Text [] "its name" => Value::maybe_text(row.it.name.as_ref());
    Always state "STATE" Text [] "available, pending, …; gone when AWS no longer lists it" =>
        Value::text(row.it.state.as_deref().unwrap_or("gone"));
    Always health "HEALTH" Health [] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always architecture "ARCH" Text [] "x86_64 or arm64" => Value::maybe_text(row.it.architecture.as_ref());
    Always instances "INSTANCES" Count [Instances] "instances made from it, without terminated ones" => Value::count(row.instances);
    Always templates "TEMPLATES" Count [Templates] "template versions that name it" => Value::count(row.templates);
    Always newer "BEHIND" Count [] "younger images in use, called the same but for the digits" =>
        Value::count(row.newer);
    Always created_at "AGE" Moment [] "when it was made" => Value::maybe_moment(row.it.created_at);
    Wide deprecated_at "DEPRECATED" Moment [] "when its owner deprecates it" =>
        Value::maybe_moment(row.it.deprecated_at);
    Wide gone "GONE" Flag [] "used, and no longer listed by AWS" => Value::Flag(row.it.is_gone());
    Wide owner_id "OWNER" Text [] "account number it belongs to" => Value::maybe_text(row.it.owner_id.as_ref());
    Wide platform "PLATFORM" Text [] "its platform" => Value::maybe_text(row.it.platform.as_ref());
    Wide root_device_type "ROOT" Text [] "ebs or instance-store" =>
        Value::maybe_text(row.it.root_device_type.as_ref());
    Wide troubles "TROUBLES" List [] "why it is not well" => Value::texts(&row.troubles);
    Named age "AGE" Span [] "time since it was made" => Value::age(row.it.created_at, ctx.now);
    Wide account "ACCOUNT" Text [] "account that uses it" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it is in" => Value::text(&row.scope.region);
});
