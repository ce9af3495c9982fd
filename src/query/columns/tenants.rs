//! Columns of tenants.

use crate::model::admin::{DomainWord, line};
use crate::model::short_arn;
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
