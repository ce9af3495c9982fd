//! Columns of Auto Scaling groups: what they want, what they have, what they launch, what they are doing.

use crate::query::value::Value;

columns!(groups, |row, ctx| {
    Always name "NAME" Text [] "the group's name" => Value::text(&row.it.name);
    Always health "HEALTH" Health [Refreshes, Templates, Images] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always tier "TIER" Text [] "the tier it falls into" => Value::maybe_text(row.tier.as_ref());
    Always desired "DESIRED" Count [] "instances (or weight units) wanted" => Value::count(row.it.desired);
    Always in_service "IN SERVICE" Count [] "members in service" => Value::count(row.in_service);
    Always min "MIN" Count [] "fewest instances" => Value::count(row.it.min);
    Always max "MAX" Count [] "most instances" => Value::count(row.it.max);
    Always template "TEMPLATE" Text [] "launch template it launches from" =>
        match &row.it.template {
            Some(template) if !template.name.is_empty() => Value::text(&template.name),
            Some(template) => Value::text(&template.id),
            None => Value::Absent,
        };
    Always template_version "VERSION" Text [] "launch template version: a number, $Latest or $Default" =>
        Value::maybe_text(row.it.template.as_ref().map(|template| &template.version));
    Always protected "PROTECTED" Count [] "members protected from scale-in" => Value::count(row.protected);
    Always created_at "AGE" Moment [] "when it was made" => Value::maybe_moment(row.it.created_at);
    Wide id "ID" Text [] "the group's name" => Value::text(&row.it.name);
    Wide arn "ARN" Text [] "its ARN" => Value::text(&row.it.arn);
    Wide troubles "TROUBLES" List [Refreshes, Templates, Images] "why it is not well" => Value::texts(&row.troubles);
    Wide refresh "REFRESH" Text [Refreshes] "state of its newest instance refresh" =>
        Value::of(&row.refresh, |refresh| Value::text(&refresh.status));
    Wide refresh_percent "DONE" Percent [Refreshes] "how far its newest refresh is" =>
        Value::of(&row.refresh, |refresh| Value::maybe_count(refresh.percent));
    Wide refresh_remaining "REMAINING" Count [Refreshes] "instances that its newest refresh has still to replace" =>
        Value::of(&row.refresh, |refresh| Value::maybe_count(refresh.remaining));
    Wide refresh_id "REFRESH ID" Text [Refreshes] "id of its newest refresh" =>
        Value::of(&row.refresh, |refresh| Value::text(&refresh.id));
    Wide refresh_reason "REFRESH REASON" Text [Refreshes] "why its newest refresh stands where it does" =>
        Value::of(&row.refresh, |refresh| Value::maybe_text(refresh.reason.as_ref()));
    Wide refresh_started_at "REFRESH AGE" Moment [Refreshes] "when its newest refresh began" =>
        Value::of(&row.refresh, |refresh| Value::maybe_moment(refresh.started_at));
    Wide refresh_ended_at "REFRESH ENDED" Moment [Refreshes] "when its newest refresh ended" =>
        Value::of(&row.refresh, |refresh| Value::maybe_moment(refresh.ended_at));
    Wide versions_behind "BEHIND" Count [Templates] "versions behind its template's latest" =>
        Value::of(&row.versions_behind, |behind| Value::count(*behind));
    Wide image_id "IMAGE" Text [Templates, Images] "AMI that it launches now" =>
        Value::of(&row.image, |image| Value::text(&image.id));
    Wide image_name "IMAGE NAME" Text [Templates, Images] "name of the AMI that it launches now" =>
        Value::of(&row.image, |image| Value::maybe_text(image.name.as_ref()));
    Wide image_created_at "IMAGE AGE" Moment [Templates, Images] "when the AMI that it launches now was made" =>
        Value::of(&row.image, |image| Value::maybe_moment(image.created_at));
    Wide template_id "TEMPLATE ID" Text [] "launch template id" =>
        match &row.it.template {
            Some(template) if !template.id.is_empty() => Value::text(&template.id),
            _ => Value::Absent,
        };
    Wide launch_configuration "LAUNCH CONFIG" Text [] "launch configuration, for groups of the old kind" =>
        Value::maybe_text(row.it.launch_configuration.as_ref());
    Wide members "MEMBERS" Nested [] "its instances as it sees them" => Value::nested(&row.it.members);
    Wide size "SIZE" Count [] "members, in whatever state" => Value::count(row.it.members.len());
    Wide spot "SPOT" Count [Instances] "spot instances among its members" => Value::known_count(row.spot);
    Wide on_demand_base "OD BASE" Count [] "on-demand instances that always come first" =>
        Value::maybe_count(row.it.mix.as_ref().map(|mix| mix.on_demand_base));
    Wide on_demand_percent "OD PERCENT" Percent [] "percent on-demand above the base" =>
        Value::maybe_count(row.it.mix.as_ref().map(|mix| mix.on_demand_percent));
    Wide spot_strategy "SPOT STRATEGY" Text [] "how spot pools are chosen" =>
        Value::maybe_text(row.it.mix.as_ref().and_then(|mix| mix.spot_strategy.as_ref()));
    Wide spot_max_price "SPOT MAX" Text [] "highest spot price, USD an hour; none means the on-demand price" =>
        Value::maybe_text(row.it.mix.as_ref().and_then(|mix| mix.spot_max_price.as_ref()));
    Wide types "TYPES" List [] "instance types of its mixed instances policy" =>
        row.it.mix.as_ref().map_or(Value::Absent, |mix| Value::texts(mix.types.iter().map(|(name, _)| name)));
    Wide mix "MIX" Nested [] "its whole mixed instances policy" =>
        row.it.mix.as_ref().map_or(Value::Absent, Value::nested);
    Wide zones "ZONES" List [] "zones it launches into" => Value::texts(&row.it.zones);
    Wide subnets "SUBNETS" List [] "subnets it launches into" => Value::texts(&row.it.subnets);
    Wide health_check "HEALTH CHECK" Text [] "EC2, ELB, …" => Value::text(&row.it.health_check);
    Wide grace "GRACE" Span [] "time after launch when health checks do not count" =>
        Value::maybe_seconds(row.it.grace_s);
    Wide warmup "WARMUP" Span [] "default warm-up" => Value::maybe_seconds(row.it.warmup_s);
    Wide target_groups "TARGET GROUPS" List [] "ARNs of the target groups it registers with" =>
        Value::texts(&row.it.target_groups);
    Wide suspended "SUSPENDED" List [] "suspended processes" => Value::texts(&row.it.suspended);
    Wide protects_new "PROTECTS NEW" Flag [] "new members are protected from scale-in" =>
        Value::Flag(row.it.protects_new);
    Wide rebalances "REBALANCES" Flag [] "capacity rebalancing is on" =>
        row.it.rebalances.map_or(Value::Absent, Value::Flag);
    Wide termination_policies "TERMINATION" List [] "termination policies in order" =>
        Value::texts(&row.it.termination_policies);
    Wide status "STATUS" Text [] "'Delete in progress' while it is being deleted" =>
        Value::maybe_text(row.it.status.as_ref());
    Wide tags "TAGS" Tags [] "all tags" => Value::Tags(&row.it.tags);
    Named age "AGE" Span [] "time since it was made" => Value::age(row.it.created_at, ctx.now);
    Named image_age "IMAGE AGE" Span [Templates, Images] "time since the AMI that it launches was made" =>
        Value::of(&row.image, |image| Value::age(image.created_at, ctx.now));
    Wide account "ACCOUNT" Text [] "account it is in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it is in" => Value::text(&row.scope.region);
});
