//! Columns of cores.

use crate::model::admin::{DomainWord, line};
use crate::model::{Home, Imports, InstanceId, Known, Text, WhyUnknown, short_arn};
use crate::query::value::Value;
use std::borrow::Cow;

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
    Wide left "LEFT" Count [Admin] "how many more tenants fit by the tightest known of density, connections and monthly users" =>
        Value::of(&row.left, |(left, _)| Value::count(*left));
    Wide left_by "LEFT BY" Text [Admin] "which of them that is: density, connections or monthly users" =>
        Value::of(&row.left, |(_, by)| Value::text(by.word()));
    Always drift "DRIFT" Text [] "how its entry stands to the last inventory: same, change, gone, conflict, unjudged" =>
        Value::maybe_text(row.drift.as_ref().map(|drift| drift.sort.word()));
    Wide drift_why "DRIFT WHY" Text [] "what the last inventory found to differ" =>
        Value::maybe_text(row.drift.as_ref().and_then(|drift| drift.why.as_ref()));
    Wide drift_at "DRIFT AGE" Moment [] "when the last inventory looked at its entry" =>
        Value::maybe_moment(row.drift.as_ref().map(|drift| drift.at));
    Wide names "NAMES" List [Rules, Targets, Records] "host names that lead to it, by rules or straight to its host" =>
        match &row.names {
            Known::Yes(names) => Value::texts(names),
            Known::No(why) => Value::Unknown(*why),
        };
    Wide rate "REQ/S" Number [Admin] "requests a second in its last full minute, without ours" =>
        Value::of(&row.word, |word| maybe_number(word.rate()));
    Wide answer "ANSWER" Text [Admin] "what its sign of life is worth: well, unproven, failed, silent, unreached" =>
        Value::of(&row.word, |word| Value::text(word.sign.word()));
    Wide latency_ms "LATENCY MS" Number [Admin] "milliseconds until its sign of life" =>
        Value::of(&row.word, |word| maybe_number(word.took.map(|took| took.as_micros() as f64 / 1000.0)));
    Wide day "DAY" Text [Admin] "its requests of a day, an hour a letter" =>
        Value::of(&row.word, |word| owned(line(&word.day())));
    Wide domains "DOMAINS" Count [Admin] "connection URI domains besides its own" =>
        Value::of(&row.word, |word| Value::maybe_count(word.customers()));
    Wide connections "CONNECTIONS" Count [Admin] "database connections that its pools open at most" =>
        Value::of(&row.word, |word| Value::maybe_count(word.connections()));
    Wide threads "THREADS" Count [Admin] "threads that serve all its domains together" =>
        Value::of(&row.word, |word| Value::maybe_count(word.threads));
    Wide users "USERS" Count [Admin] "users of all its domains" =>
        Value::of(&row.word, |word| Value::maybe_count(word.users()));
    Wide monthly "MAU" Count [Admin] "users active within 30 days, of all its domains" =>
        Value::of(&row.word, |word| Value::maybe_count(word.monthly()));
    Wide features "FEATURES" List [Admin] "paid features that its licence switches on" =>
        Value::of(&row.word, |word| word.features.as_ref().map_or(Value::Absent, Value::texts));
    Wide licence "LICENCE" Text [Admin] "whether its base app has a licence key: present or none" =>
        Value::of(&row.word, |word| match word.licence {
            Known::Yes(true) => Value::text("present"),
            Known::Yes(false) => Value::text("none"),
            Known::No(why) => Value::Unknown(why),
        });
    Wide migration "MIGRATION" Text [Admin] "which tables its own domain reads and writes, LEGACY to MIGRATED; nothing before version 12" =>
        Value::of(&row.word, |word| word.base().map_or(Value::Unknown(WhyUnknown::Trouble), step));
    Wide linking "LINKING" Flag [Admin] "accounts of one person are linked on its own domain; nothing without that feature" =>
        Value::of(&row.word, |word| word.base().map_or(Value::Unknown(WhyUnknown::Trouble), links));
    Wide imports "IMPORTS" Count [Admin] "users who wait to be imported, of all its domains; nothing where it imports none" =>
        Value::of(&row.word, |word| queued(word.imports()));
    Named cpu "CPU" Percent [Metrics] "CPU use of its host, latest point" =>
        Value::of(&row.cpu, |cpu| Value::Number(*cpu));
    Named credits "CREDITS" Number [Metrics] "CPU credits that its host has left" =>
        Value::of(&row.credits, |credits| Value::Number(*credits));
    Wide container "CONTAINER" Text [] "its docker container" => Value::maybe_text(container(&row.home));
    Wide task "TASK" Text [] "short id of its ECS task" =>
        Value::maybe_text(task(&row.home).map(short_arn));
    Wide task_arn "TASK ARN" Text [] "ARN of its ECS task" => Value::maybe_text(task(&row.home));
    Wide troubles "TROUBLES" List [] "why it is not well" => Value::texts(&row.troubles);
    Wide account "ACCOUNT" Text [] "account it was found in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it was found in" => Value::text(&row.scope.region);
});

/// Which tables a domain reads and writes.
pub(super) fn step(word: &DomainWord) -> Value<'_> {
    Value::of(&word.migration, |step| Value::text(&step.mode))
}

/// Whether a domain links accounts.
pub(super) fn links(word: &DomainWord) -> Value<'_> {
    match word.links_accounts {
        Known::Yes(links) => links.map_or(Value::Absent, Value::Flag),
        Known::No(why) => Value::Unknown(why),
    }
}

/// How many wait to be imported.
pub(super) fn queued(imports: Known<Option<Imports>>) -> Value<'static> {
    match imports {
        Known::Yes(imports) => Value::maybe_count(imports.map(|imports| imports.waiting)),
        Known::No(why) => Value::Unknown(why),
    }
}

fn maybe_number(number: Option<f64>) -> Value<'static> {
    number.map_or(Value::Absent, Value::Number)
}

fn owned(text: String) -> Value<'static> {
    if text.is_empty() { Value::Absent } else { Value::Text(Cow::Owned(text)) }
}

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
