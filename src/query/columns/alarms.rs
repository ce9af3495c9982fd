//! Columns of CloudWatch alarms.

use crate::query::value::Value;
use serde_json::Value as Json;

columns!(alarms, |row, ctx| {
    Always name "NAME" Text [] "its name" => Value::text(&row.it.name);
    Always state "STATE" Text [] "OK, ALARM or INSUFFICIENT_DATA" => Value::text(row.it.state.word());
    Always health "HEALTH" Health [] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always metric "METRIC" Text [] "the metric's name" => Value::maybe_text(row.it.metric.as_ref());
    Always changed_at "AGE" Moment [] "when it last changed state" => Value::maybe_moment(row.it.changed_at);
    Always reason "REASON" Text [] "why, in AWS's words" => Value::maybe_text(row.it.reason.as_ref());
    Wide namespace "NAMESPACE" Text [] "the metric's namespace" => Value::maybe_text(row.it.namespace.as_ref());
    Wide dimensions "DIMENSIONS" Nested [] "the metric's dimensions" =>
        Value::Nested(Json::Object(row.it.dimensions.iter().map(|(name, value)| {
            (name.to_string(), Json::from(value.as_str()))
        }).collect()));
    Wide description "DESCRIPTION" Text [] "its description" => Value::maybe_text(row.it.description.as_ref());
    Wide actions_enabled "ACTIONS" Flag [] "its actions are on" => Value::Flag(row.it.actions_enabled);
    Wide id "ID" Text [] "its name" => Value::text(&row.it.name);
    Wide arn "ARN" Text [] "its ARN" => Value::text(&row.it.arn);
    Named age "AGE" Span [] "time since it last changed state" => Value::age(row.it.changed_at, ctx.now);
    Wide account "ACCOUNT" Text [] "account it is in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it is in" => Value::text(&row.scope.region);
});
