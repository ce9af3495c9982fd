//! Columns of tenants.

use super::cores::{links, queued, step};
use crate::model::admin::{DomainWord, line};
use crate::model::{End, Route, short_arn};
use crate::query::value::Value;
use jiff::Timestamp;
use std::borrow::Cow;

columns!(tenants, |row, ctx| {
    Always id "ID" Text [] "registry id, or the host name of its rule" => Value::text(&row.id);
    Always name "NAME" Text [] "what people call it" => Value::maybe_text(row.name.as_ref());
    Always domain "DOMAIN" Text [] "its connection URI domain" => Value::maybe_text(row.domain.as_ref());
    Always mode "MODE" Text [] "development or production" => Value::maybe_text(row.mode.as_ref());
    Always core "CORE" Text [] "the core that the registry says serves it" => Value::maybe_text(row.core.as_ref());
    Always tier "TIER" Text [Services, Tasks, Instances, Groups] "the tier of that core" =>
        Value::maybe_text(row.tier.as_ref());
    Always health "HEALTH" Health [Instances, Statuses] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always drift "DRIFT" Text [] "how its entry stands to the last inventory: same, change, gone, conflict, unjudged" =>
        Value::maybe_text(row.drift.as_ref().map(|drift| drift.sort.word()));
    Wide drift_why "DRIFT WHY" Text [] "what the last inventory found to differ" =>
        Value::maybe_text(row.drift.as_ref().and_then(|drift| drift.why.as_ref()));
    Wide drift_at "DRIFT AGE" Moment [] "when the last inventory looked at its entry" =>
        Value::maybe_moment(row.drift.as_ref().map(|drift| drift.at));
    Wide leads_to "LEADS TO" List [Records] "what its host name leads to by Route 53: a balancer, an instance, an address, a name; with its share" =>
        Value::of(&row.route, |route| Value::List(route.ends.iter().map(|end| Cow::Owned(end.to_string())).collect()));
    Wide way "WAY" List [Records] "host names on that way, its own first" =>
        Value::of(&row.route, |route| Value::texts(&route.way));
    Wide dns_zone "DNS ZONE" Text [Records] "the hosted zone that holds its host name" =>
        Value::of(&row.route, |route| Value::text(&route.zone));
    Wide dns_private "PRIVATE" Flag [Records] "only networks joined to that zone see it" =>
        Value::of(&row.route, |route| Value::Flag(route.is_private));
    Wide ttl "TTL" Count [Records] "seconds until everybody has heard of a change of its records" =>
        Value::of(&row.route, |route| Value::count(route.ttl));
    Wide straight_to "STRAIGHT TO" List [Records] "instances that its host name leads to without a balancer" =>
        Value::of(&row.route, |route| Value::List(straight(route)));
    Wide rate "REQ/S" Number [Admin] "requests a second in the last full minute, without ours" =>
        Value::of(&row.word, |word| word.rate.map_or(Value::Absent, Value::Number));
    Wide answer "ANSWER" Text [Admin] "what its sign of life is worth: well, unproven, failed" =>
        Value::of(&row.word, |word| Value::text(word.sign.word()));
    Wide requested_at "LAST REQUEST" Moment [Admin] "the last minute with a request that was not ours, within a day" =>
        Value::of(&row.word, |word| Value::maybe_moment(minute(word.last_request)));
    Wide day "DAY" Text [Admin] "its requests of a day, an hour a letter" =>
        Value::of(&row.word, |word| owned(line(&word.day)));
    Wide users "USERS" Count [Admin] "its users" => Value::of(&row.word, |word| Value::maybe_count(word.users));
    Wide monthly "MAU" Count [Admin] "users active within 30 days" =>
        Value::of(&row.word, |word| Value::maybe_count(word.monthly));
    Wide apps "APPS" Count [Admin] "its apps" => Value::of(&row.word, |word| Value::count(word.apps));
    Wide inner_tenants "TENANTS" Count [Admin] "tenants of its apps" =>
        Value::of(&row.word, |word| Value::count(word.tenants));
    Wide connections "CONNECTIONS" Count [Admin] "database connections that its pool opens, where it says so itself" =>
        Value::of(&row.word, |word| Value::maybe_count(word.pool));
    Wide database "DATABASE" Text [Admin] "the beginning of a digest that tells its database from others; equal where it is the same" =>
        Value::of(&row.word, |word| Value::maybe_text(word.database.as_ref()));
    Wide migration "MIGRATION" Text [Admin] "which tables it reads and writes, LEGACY to MIGRATED; nothing before version 12 of its core" =>
        Value::of(&row.word, |word| step(word));
    Wide uncopied "UNCOPIED" Count [Admin] "users whose rows are not in the new tables yet" =>
        Value::of(&row.word, |word| Value::of(&word.migration, |step| Value::maybe_count(step.pending)));
    Wide linking "LINKING" Flag [Admin] "accounts of one person are linked; nothing without that feature" =>
        Value::of(&row.word, |word| links(word));
    Wide imports "IMPORTS" Count [Admin] "its users who wait to be imported; nothing where its core imports none" =>
        Value::of(&row.word, |word| queued(word.imports));
    Wide differs "DIFFERS" List [Admin] "settings that it has of its own; secrets read (hidden)" =>
        Value::of(&row.word, |word| settings(word));
    Wide rule "RULE" Text [] "short id of the listener rule that sends its traffic somewhere" =>
        Value::maybe_text(row.rule.as_ref().map(|rule| short_arn(rule.as_str())));
    Wide rule_arn "RULE ARN" Text [] "ARN of that rule" => Value::maybe_text(row.rule.as_ref());
    Wide target_groups "TARGET GROUPS" List [] "ARNs of the target groups it is sent to" =>
        Value::texts(&row.target_groups);
    Wide troubles "TROUBLES" List [] "why it is not well" => Value::texts(&row.troubles);
    Wide account "ACCOUNT" Text [] "account it was found in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it was found in" => Value::text(&row.scope.region);
});

fn straight(route: &Route) -> Vec<Cow<'_, str>> {
    let instance = |end: &'_ crate::model::Ending| match &end.at {
        End::Instance(id) => Some(Cow::Owned(id.to_string())),
        _ => None,
    };
    route.ends.iter().filter_map(instance).collect()
}

fn minute(minute: Option<i64>) -> Option<Timestamp> {
    Timestamp::from_second(minute?.checked_mul(60)?).ok()
}

fn owned(text: String) -> Value<'static> {
    if text.is_empty() { Value::Absent } else { Value::Text(Cow::Owned(text)) }
}

fn settings(word: &DomainWord) -> Value<'static> {
    let pair = |(key, value): &(crate::model::Text, crate::model::Text)| Cow::Owned(format!("{key}={value}"));
    Value::List(word.differs.iter().map(pair).collect())
}
