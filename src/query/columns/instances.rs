//! Columns of instances: EC2's own fields, then what its group, ECS, Systems Manager and CloudWatch say.

use crate::model::{Gauge, Metrics, WhyUnknown, short_arn};
use crate::query::value::Value;

columns!(instances, |row, ctx| {
    Always id "ID" Text [] "instance id" => Value::text(&row.it.id);
    Always name "NAME" Text [] "its Name tag" => Value::maybe_text(row.it.name());
    Always type "TYPE" Text [] "instance type" => Value::text(&row.it.instance_type);
    Always state "STATE" Text [] "pending, running, stopping, stopped, shutting-down, terminated" =>
        Value::text(row.it.state.word());
    Always health "HEALTH" Health [Groups, Statuses, Hosts, Agents, Images, Registry] "ok, busy, unknown, warn or bad" => Value::Health(row.health);
    Always tier "TIER" Text [Groups] "the tier it falls into" => Value::maybe_text(row.tier.as_ref());
    Always group "GROUP" Text [Groups] "its Auto Scaling group" => Value::maybe_text(row.group.as_ref());
    Always zone "ZONE" Text [] "availability zone" => Value::text(&row.it.zone);
    Always lifecycle "LIFECYCLE" Text [] "on-demand, spot or other" => Value::text(row.it.lifecycle.word());
    Always launched_at "AGE" Moment [] "when it was last started" => Value::maybe_moment(row.it.launched_at);
    Always private_ip "PRIVATE IP" Text [] "address inside the network" =>
        Value::maybe_text(row.it.private_ip.as_ref());
    Wide public_ip "PUBLIC IP" Text [] "public address" => Value::maybe_text(row.it.public_ip());
    Wide troubles "TROUBLES" List [Groups, Statuses, Hosts, Agents, Images, Registry] "why it is not well" => Value::texts(&row.troubles);

    Wide image_id "IMAGE" Text [] "AMI id" => Value::text(&row.it.image_id);
    Wide image_name "IMAGE NAME" Text [Images] "its AMI's name" =>
        Value::of(&row.image, |image| Value::maybe_text(image.name.as_ref()));
    Wide image_state "IMAGE STATE" Text [Images] "its AMI's state; gone when AWS no longer lists it" =>
        Value::of(&row.image, |image| Value::text(image.state.as_deref().unwrap_or("gone")));
    Wide image_created_at "IMAGE AGE" Moment [Images] "when its AMI was made" =>
        Value::of(&row.image, |image| Value::maybe_moment(image.created_at));
    Wide architecture "ARCH" Text [] "x86_64 or arm64" => Value::maybe_text(row.it.architecture.as_ref());
    Wide template "TEMPLATE" Text [Groups] "launch template id it was launched from" =>
        match row.it.template_tag() {
            Some((id, _)) => Value::text(id),
            None => Value::of(&row.member, |member| match &member.template {
                Some(template) if !template.id.is_empty() => Value::text(&template.id),
                Some(template) => Value::text(&template.name),
                None => Value::Absent,
            }),
        };
    Wide template_version "VERSION" Text [Groups] "launch template version it was launched from" =>
        match row.it.template_tag() {
            Some((_, version)) => Value::text(version),
            None => Value::of(&row.member, |member| {
                Value::maybe_text(member.template.as_ref().map(|template| &template.version))
            }),
        };

    Wide protected "PROTECTED" Flag [Groups] "protected from scale-in" =>
        Value::of(&row.member, |member| Value::Flag(member.is_protected));
    Wide lifecycle_state "IN GROUP" Text [Groups] "how its group sees it: InService, Standby, …" =>
        Value::of(&row.member, |member| Value::text(&member.state));
    Wide group_health "GROUP HEALTH" Text [Groups] "its group's verdict: Healthy or Unhealthy" =>
        Value::of(&row.member, |member| Value::text(&member.health));
    Wide weight "WEIGHT" Count [Groups] "its weight in a weighted group" =>
        Value::of(&row.member, |member| Value::maybe_count(member.weight));
    Wide tier_by "TIER BY" Text [Groups] "the selector that put it into its tier" =>
        Value::maybe_text(row.tier_by.as_ref());

    Wide cluster "CLUSTER" Text [Hosts] "its ECS cluster" =>
        Value::of(&row.host, |host| Value::text(short_arn(host.cluster.as_str())));
    Wide ecs_status "ECS" Text [Hosts] "ACTIVE, DRAINING, …" =>
        Value::of(&row.host, |host| Value::text(&host.status));
    Wide agent_connected "AGENT" Flag [Hosts] "the ECS agent talks to ECS" =>
        Value::of(&row.host, |host| Value::Flag(host.is_connected));
    Wide ecs_agent "AGENT VERSION" Text [Hosts] "the ECS agent's version" =>
        Value::of(&row.host, |host| Value::maybe_text(host.agent_version.as_ref()));
    Wide running_tasks "TASKS" Count [Hosts] "ECS tasks running on it" =>
        Value::of(&row.host, |host| Value::count(host.running_tasks));
    Wide pending_tasks "PENDING" Count [Hosts] "ECS tasks waiting on it" =>
        Value::of(&row.host, |host| Value::count(host.pending_tasks));
    Wide ssm "SSM" Text [Agents] "Systems Manager: Online, ConnectionLost, Inactive" =>
        Value::of(&row.agent, |agent| Value::text(&agent.ping));
    Wide ssm_last_ping_at "SSM PING AGE" Moment [Agents] "when Systems Manager last heard it" =>
        Value::of(&row.agent, |agent| Value::maybe_moment(agent.last_ping_at));
    Wide ssm_version "SSM VERSION" Text [Agents] "the Systems Manager agent's version" =>
        Value::of(&row.agent, |agent| Value::maybe_text(agent.version.as_ref()));
    Wide os "OS" Text [Agents] "operating system as Systems Manager tells it" =>
        Value::of(&row.agent, |agent| Value::maybe_text(agent.platform.as_ref()));
    Wide system_check "SYSTEM" Text [Statuses] "status check of the hardware" =>
        Value::of(&row.status, |status| Value::text(status.system.word()));
    Wide instance_check "INSTANCE" Text [Statuses] "status check of the operating system" =>
        Value::of(&row.status, |status| Value::text(status.instance.word()));
    Wide ebs_check "EBS" Text [Statuses] "status check of attached volumes" =>
        Value::of(&row.status, |status| Value::maybe_text(status.ebs.map(|check| check.word())));
    Wide events "EVENTS" Nested [Statuses] "what AWS plans to do to it" =>
        Value::of(&row.status, |status| Value::nested(&status.events));
    Wide cores "CORES" Count [Registry] "cores on it, by the registry" => Value::known_count(row.cores);

    Named cpu "CPU" Percent [Metrics] "CPU use, latest point" =>
        Value::of(&row.metrics, |metrics| latest(metrics, Gauge::Cpu));
    Named network_in "NET IN" BytesPerSecond [Metrics] "received, latest point" =>
        Value::of(&row.metrics, |metrics| latest(metrics, Gauge::NetworkIn));
    Named network_out "NET OUT" BytesPerSecond [Metrics] "sent, latest point" =>
        Value::of(&row.metrics, |metrics| latest(metrics, Gauge::NetworkOut));
    Named credits "CREDITS" Number [Metrics] "CPU credits left" =>
        Value::of(&row.metrics, |metrics| latest(metrics, Gauge::Credits));
    Named age "AGE" Span [] "time since it was last started" => Value::age(row.it.launched_at, ctx.now);
    Named image_age "IMAGE AGE" Span [Images] "time since its AMI was made" =>
        Value::of(&row.image, |image| Value::age(image.created_at, ctx.now));

    Wide reservation_id "RESERVATION" Text [] "reservation it was launched in" =>
        Value::text(row.it.reservation_id());
    Wide owner_id "OWNER" Text [] "account number that owns it" => Value::text(&row.it.owner_id);
    Wide vpc_id "VPC" Text [] "its network" => Value::maybe_text(row.it.vpc_id.as_ref());
    Wide subnet_id "SUBNET" Text [] "its subnet" => Value::maybe_text(row.it.subnet_id.as_ref());
    Wide key_name "KEY" Text [] "SSH key name" => Value::maybe_text(row.it.key_name.as_ref());
    Wide profile_arn "PROFILE" Text [] "instance profile ARN" => Value::maybe_text(row.it.profile_arn.as_ref());
    Wide platform "PLATFORM" Text [] "platform that is billed" => Value::maybe_text(row.it.platform.as_ref());
    Wide security_groups "SECURITY GROUPS" List [] "security group ids" =>
        Value::texts(&row.it.security_groups);
    Wide root_device "ROOT" Text [] "root device name" => Value::maybe_text(row.it.root_device.as_ref());
    Wide spot_request_id "SPOT REQUEST" Text [] "the spot request behind it" =>
        Value::maybe_text(row.it.spot_request_id());
    Wide detailed_monitoring "DETAILED" Flag [] "one-minute monitoring is on" =>
        Value::Flag(row.it.detailed_monitoring);
    Wide private_dns "PRIVATE DNS" Text [] "DNS name inside the network" =>
        Value::maybe_text(row.it.private_dns());
    Wide public_dns "PUBLIC DNS" Text [] "public DNS name" => Value::maybe_text(row.it.public_dns());
    Wide state_reason "STATE REASON" Text [] "why it last changed state" =>
        Value::maybe_text(row.it.state_reason());
    Wide tags "TAGS" Tags [] "all tags" => Value::Tags(&row.it.tags);
    Wide account "ACCOUNT" Text [] "account it is in" => Value::text(&row.scope.account);
    Wide region "REGION" Text [] "region it is in" => Value::text(&row.scope.region);
});

fn latest(metrics: &Metrics, gauge: Gauge) -> Value<'static> {
    match metrics.series(gauge).last() {
        Some(point) => Value::Number(point.value),
        None if metrics.asked.holds(gauge) => Value::Absent,
        None => Value::Unknown(WhyUnknown::NotAsked),
    }
}
