//! Columns of launch templates.

use crate::query::value::Value;

columns!(templates, |row, ctx| {
    Always id "ID" Text [] "launch template id" => Value::text(&row.it.id);
    Always name "NAME" Text [] "its name" => Value::text(&row.it.name);
    Always default_version "DEFAULT" Count [] "the version that $Default means" =>
        Value::count(row.it.default_version);
    Always latest_version "LATEST" Count [] "the version that $Latest means" =>
        Value::count(row.it.latest_version);
    Always image "IMAGE" Text [] "AMI of its default version, or where it is looked up" =>
        Value::maybe_text(row.image.as_ref());
    Always groups "GROUPS" List [Groups] "groups that launch from it" => Value::texts(&row.groups);
    Always instances "INSTANCES" Count [Instances] "instances launched from it, without terminated ones" => Value::count(row.instances);
    Always older "OLDER" Count [Instances] "those of them that were launched from an older version than the latest" =>
        Value::count(row.older);
    Always behind "BEHIND" Count [Groups] "most versions that a group of it is behind; none where all follow it" =>
        Value::maybe_count(row.behind);
    Always created_at "AGE" Moment [] "when it was made" => Value::maybe_moment(row.it.created_at);
    Wide image_name "IMAGE NAME" Text [Images] "name of the AMI of its default version" =>
        Value::of(&row.made, |image| Value::maybe_text(image.name.as_ref()));
    Wide image_created_at "IMAGE AGE" Moment [Images] "when the AMI of its default version was made" =>
        Value::of(&row.made, |image| Value::maybe_moment(image.created_at));
    Wide image_behind "IMAGE BEHIND" Count [Images, Published] "versions that the AMI of its default version is behind its public parameter" =>
        Value::of(&row.image_behind, |behind| Value::count(behind.count()));
    Wide created_by "CREATED BY" Text [] "who made it" => Value::maybe_text(row.it.created_by.as_ref());
    Wide versions "VERSIONS" Nested [] "its default and latest versions, and every one in use" =>
        Value::nested(&row.it.versions);
    Wide tags "TAGS" Tags [] "all tags" => Value::Tags(&row.it.tags);
    Named age "AGE" Span [] "time since it was made" => Value::age(row.it.created_at, ctx.now);
    Wide account "ACCOUNT" Text [] "account it is in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it is in" => Value::text(&row.scope.region);
});
