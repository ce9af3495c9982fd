//! Columns of drift: what groups launch and have launched, beside the newest image of its family.

use crate::model::Known;
use crate::query::value::Value;

columns!(drift, |row, ctx| {
    Always name "GROUP" Text [] "the group's name" => Value::text(&row.name);
    Always drift "DRIFT" Text [] "current, behind, mixed, gone or unknown" => Value::text(row.drift.word());
    Always tier "TIER" Text [] "the tier it falls into" => Value::maybe_text(row.tier.as_ref());
    Always behind "BEHIND" Count [] "versions behind what the image's public parameter names; absent where nobody publishes it" =>
        Value::of(&row.behind, |behind| Value::count(behind.count()));
    Always image_id "AMI" Text [] "AMI that it launches now" =>
        Value::of(&row.image, |image| Value::text(&image.id));
    Always image_created_at "AMI AGE" Moment [] "when the AMI that it launches was made" =>
        Value::of(&row.image, |image| Value::maybe_moment(image.created_at));
    Always hosts "HOSTS" Count [] "members that are not gone" => Value::count(row.hosts);
    Always stale "STALE" Count [] "members that run another AMI than it launches" => Value::known_count(row.stale);
    Always version "VERSION" Text [] "launch template version that it launches: a number, $Latest or $Default" =>
        Value::text(&row.version);
    Always latest "LATEST" Count [] "the version that $Latest means" => Value::maybe_count(row.latest);
    Always default "DEFAULT" Count [] "the version that $Default means" => Value::maybe_count(row.default);
    Always versions "HOSTS BY VERSION" List [] "members by the version that they were launched from: version×members" =>
        counted(&row.versions);
    Always agents "ECS AGENTS" List [] "members by the version of their ECS agent: version×members" =>
        match &row.agents {
            Known::Yes(agents) => counted(agents),
            Known::No(why) => Value::Unknown(*why),
        };
    Wide health "HEALTH" Health [] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Wide id "ID" Text [] "the group's name" => Value::text(&row.name);
    Wide image_name "AMI NAME" Text [] "name of the AMI that it launches" =>
        Value::of(&row.image, |image| Value::maybe_text(image.name.as_ref()));
    Wide parameter "PARAMETER" Text [] "public parameter that names the newest AMI of its family" =>
        Value::maybe_text(row.parameter.as_ref());
    Wide newest_id "NEWEST" Text [] "AMI that the parameter names now" =>
        Value::of(&row.newest, |newest| Value::text(&newest.now.image));
    Wide newest_at "NEWEST AGE" Moment [] "when the parameter was set to it" =>
        Value::of(&row.newest, |newest| Value::maybe_moment(newest.changed_at));
    Wide younger "YOUNGER" Count [] "younger AMIs of the family that are in use, where nobody publishes it" =>
        Value::count(row.younger);
    Wide mixed "MIXED" Flag [] "its members run more than one AMI, or another than it launches" =>
        match row.stale {
            Known::Yes(stale) => Value::Flag(stale > 0),
            Known::No(why) => Value::Unknown(why),
        };
    Wide template "TEMPLATE" Text [] "launch template that it launches from" => Value::text(&row.template);
    Wide number "NUMBER" Count [] "the version that it launches, as a number" => Value::maybe_count(row.number);
    Wide troubles "TROUBLES" List [] "why it is not well" => Value::texts(&row.troubles);
    Named image_age "AMI AGE" Span [] "time since the AMI that it launches was made" =>
        Value::of(&row.image, |image| Value::age(image.created_at, ctx.now));
    Wide account "ACCOUNT" Text [] "account it is in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it is in" => Value::text(&row.scope.region);
});

/// `7×12`, as many as there are.
fn counted(all: &[(crate::model::Text, u32)]) -> Value<'_> {
    Value::List(all.iter().map(|(what, count)| format!("{what}×{count}").into()).collect())
}
