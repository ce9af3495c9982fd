//! Columns of tenants.

use crate::model::short_arn;
use crate::query::value::Value;

columns!(tenants, |row, ctx| {
    Always id "ID" Text [] "registry id, or the host name of its rule" => Value::text(&row.id);
    Always name "NAME" Text [] "what people call it" => Value::maybe_text(row.name.as_ref());
    Always domain "DOMAIN" Text [] "its connection URI domain" => Value::maybe_text(row.domain.as_ref());
    Always mode "MODE" Text [] "development or production" => Value::maybe_text(row.mode.as_ref());
    Always core "CORE" Text [] "the core that the registry says serves it" => Value::maybe_text(row.core.as_ref());
    Always tier "TIER" Text [Services, Tasks, Instances, Groups] "the tier of that core" =>
        Value::maybe_text(row.tier.as_ref());
    Always health "HEALTH" Health [Instances, Statuses] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Wide rule "RULE" Text [] "short id of the listener rule that sends its traffic somewhere" =>
        Value::maybe_text(row.rule.as_ref().map(|rule| short_arn(rule.as_str())));
    Wide rule_arn "RULE ARN" Text [] "ARN of that rule" => Value::maybe_text(row.rule.as_ref());
    Wide target_groups "TARGET GROUPS" List [] "ARNs of the target groups it is sent to" =>
        Value::texts(&row.target_groups);
    Wide troubles "TROUBLES" List [] "why it is not well" => Value::texts(&row.troubles);
    Wide account "ACCOUNT" Text [] "account it was found in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it was found in" => Value::text(&row.scope.region);
});
