//! Columns of the timeline.

use crate::query::value::Value;
use jiff::Timestamp;

columns!(events, |row, ctx| {
    Always happened_at "AGE" Moment [] "when it last moved; to come for what AWS has announced" => Value::maybe_moment(row.at);
    Always health "HEALTH" Health [] "how much it should worry: ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always kind "KIND" Text [] "scaling, interruption, refresh, service, deployment, alarm, planned, termination, version or operation" =>
        Value::text(row.sort.word());
    Always subject "SUBJECT" Text [] "the group, service, alarm, instance, template or operation that it is about" =>
        Value::text(row.subject().name);
    Always what "WHAT" Text [] "what happened" => Value::Text(row.what());
    Wide state "STATE" Text [] "AWS's own word for how it stands" => Value::maybe_text(row.state());
    Wide why "WHY" Text [] "why, in AWS's words" => Value::maybe_text(row.why());
    Wide about "ABOUT" Text [] "group, service, alarm, instance, template or operation" => Value::text(row.subject().sort);
    Wide subject_id "SUBJECT ID" Text [] "name, id or ARN that tells the subject apart" => Value::text(row.subject().id);
    Wide instances "INSTANCES" List [] "instances that it names" => Value::List(row.instances().into_iter().map(Into::into).collect());
    Wide began_at "BEGAN" Moment [] "when it began" => Value::maybe_moment(row.began_at());
    Wide id "ID" Text [] "AWS's id of it, or one made of its subject's" => Value::Text(row.id());
    Named age "AGE" Span [] "time since it last moved; none for what is to come" => age(row.at, ctx.now);
    Wide account "ACCOUNT" Text [] "account it happened in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it happened in" => Value::text(&row.scope.region);
});

/// What is still to come did not happen in the last hour.
fn age(at: Option<Timestamp>, now: Timestamp) -> Value<'static> {
    Value::age(at.filter(|at| *at <= now), now)
}
