//! Auto Scaling: groups, members, refreshes, activities.

mod changes;
mod hooks;
mod make;
mod policy;
mod refreshes;

use super::fault::Fault;
use super::filter::filters;
use super::page::Paging;
use super::service::{Answer, Call, Operation, Protocol, Service};
use super::shape::{Fields, Shape, list};
use super::world::place::Place;
use super::world::scaling::{Activity, Group, Member, Mix, Needs, TemplateChoice};
use compact_str::CompactString;

pub(crate) const SERVICE: Service = Service {
    name: "autoscaling",
    model: "autoscaling",
    title: "Auto Scaling",
    protocol: Protocol::Query,
    version: "2011-01-01",
    target: "",
    namespace: "http://autoscaling.amazonaws.com/doc/2011-01-01/",
    bad_parameter: "ValidationError",
    operations: &[
        Operation::read(
            "DescribeAutoScalingGroups",
            &["AutoScalingGroupNames", "Filters", "IncludeInstances", "MaxRecords", "NextToken"],
            describe_groups,
        ),
        Operation::read(
            "DescribeAutoScalingInstances",
            &["InstanceIds", "MaxRecords", "NextToken"],
            describe_instances,
        ),
        Operation::read(
            "DescribeInstanceRefreshes",
            &["AutoScalingGroupName", "InstanceRefreshIds", "MaxRecords", "NextToken"],
            refreshes::describe,
        ),
        Operation::read(
            "DescribeScalingActivities",
            &["ActivityIds", "AutoScalingGroupName", "IncludeDeletedGroups", "MaxRecords", "NextToken"],
            describe_activities,
        ),
        Operation::write(
            "SetDesiredCapacity",
            &["AutoScalingGroupName", "DesiredCapacity", "HonorCooldown"],
            changes::set_desired,
        ),
        Operation::write(
            "UpdateAutoScalingGroup",
            &[
                "AutoScalingGroupName",
                "MinSize",
                "MaxSize",
                "DesiredCapacity",
                "LaunchTemplate",
                "MixedInstancesPolicy",
                "HealthCheckType",
                "HealthCheckGracePeriod",
                "DefaultInstanceWarmup",
                "CapacityRebalance",
                "NewInstancesProtectedFromScaleIn",
                "InstanceMaintenancePolicy",
                "TerminationPolicies",
            ],
            changes::update,
        ),
        Operation::write(
            "SetInstanceProtection",
            &["AutoScalingGroupName", "InstanceIds", "ProtectedFromScaleIn"],
            changes::protect,
        ),
        Operation::write("SuspendProcesses", &["AutoScalingGroupName", "ScalingProcesses"], changes::suspend),
        Operation::write("ResumeProcesses", &["AutoScalingGroupName", "ScalingProcesses"], changes::resume),
        Operation::write(
            "EnterStandby",
            &["AutoScalingGroupName", "InstanceIds", "ShouldDecrementDesiredCapacity"],
            changes::enter_standby,
        ),
        Operation::write("ExitStandby", &["AutoScalingGroupName", "InstanceIds"], changes::exit_standby),
        Operation::write(
            "TerminateInstanceInAutoScalingGroup",
            &["InstanceId", "ShouldDecrementDesiredCapacity"],
            changes::terminate,
        ),
        Operation::write(
            "DetachInstances",
            &["AutoScalingGroupName", "InstanceIds", "ShouldDecrementDesiredCapacity"],
            changes::detach,
        ),
        Operation::write("CreateAutoScalingGroup", make::TAKES, make::create),
        Operation::write("DeleteAutoScalingGroup", &["AutoScalingGroupName", "ForceDelete"], make::delete),
        Operation::read(
            "DescribeLifecycleHooks",
            &["AutoScalingGroupName", "LifecycleHookNames"],
            hooks::describe,
        ),
        Operation::write(
            "PutLifecycleHook",
            &[
                "AutoScalingGroupName",
                "LifecycleHookName",
                "LifecycleTransition",
                "HeartbeatTimeout",
                "DefaultResult",
                "NotificationTargetARN",
                "RoleARN",
                "NotificationMetadata",
            ],
            hooks::put,
        ),
        Operation::write(
            "DeleteLifecycleHook",
            &["AutoScalingGroupName", "LifecycleHookName"],
            hooks::delete,
        ),
        Operation::write(
            "CompleteLifecycleAction",
            &[
                "AutoScalingGroupName",
                "LifecycleHookName",
                "LifecycleActionResult",
                "LifecycleActionToken",
                "InstanceId",
            ],
            hooks::complete,
        ),
        Operation::write(
            "RecordLifecycleActionHeartbeat",
            &["AutoScalingGroupName", "LifecycleHookName", "LifecycleActionToken", "InstanceId"],
            hooks::heartbeat,
        ),
        Operation::write(
            "StartInstanceRefresh",
            &["AutoScalingGroupName", "Strategy", "DesiredConfiguration", "Preferences"],
            refreshes::start,
        ),
        Operation::write(
            "CancelInstanceRefresh",
            &["AutoScalingGroupName", "WaitForTransitioningInstances"],
            refreshes::cancel,
        ),
        Operation::write("RollbackInstanceRefresh", &["AutoScalingGroupName"], refreshes::roll_back),
    ],
};

const PAGING: Paging = Paging {
    size: "MaxRecords",
    token: "NextToken",
    default: 50,
    min: 1,
    max: 100,
    bad_size: "ValidationError",
    bad_token: "InvalidNextToken",
};

fn missing_group() -> Fault {
    Fault::new("ValidationError", "AutoScalingGroup name not found - null")
}

fn group<'p>(place: &'p Place, name: &str) -> Result<&'p Group, Fault> {
    place.groups.get(name).ok_or_else(|| {
        Fault::new(
            "ValidationError",
            format!("AutoScalingGroup name not found - AutoScalingGroup {name} not found"),
        )
    })
}

fn describe_groups(call: &Call, place: &Place) -> Answer {
    let names = call.input.texts("AutoScalingGroupNames");
    for name in &names {
        changes::check_name("autoScalingGroupNames", name)?;
    }
    let filters = filters(call.input, "Filters", "Values");
    let known = |name: &str| name.starts_with("tag:") || matches!(name, "tag-key" | "tag-value");
    if let Some(filter) = filters.iter().find(|filter| !known(filter.name)) {
        return Err(Fault::new("ValidationError", format!("Filter type {} is not correct.", filter.name)));
    }
    // Unknown names are left out without a word, as the service does.
    let admits = |group: &Group| {
        (names.is_empty() || names.contains(&group.name.as_str()))
            && filters.iter().all(|filter| {
                group.tags.iter().any(|((key, value), _)| match filter.name {
                    "tag-key" => filter.admits(key),
                    "tag-value" => filter.admits(value),
                    name => name.strip_prefix("tag:") == Some(key) && filter.admits(value),
                })
            })
    };
    let page = PAGING.of(call)?;
    let rows = place.groups.after(page.after).filter(|(_, group)| admits(group));
    let (rows, token) = page.take(call, rows);
    let with_members = call.input.get("IncludeInstances").is_none() || call.input.flag("IncludeInstances");
    let shapes = list(rows, |group| group_shape(place, group, with_members));
    Ok(Fields::new().with("AutoScalingGroups", shapes).maybe("NextToken", token).into())
}

fn choice(template: &TemplateChoice) -> Fields {
    Fields::new()
        .with("LaunchTemplateId", &template.id)
        .with("LaunchTemplateName", &template.name)
        .with("Version", &template.version)
}

fn mix_shape(template: &TemplateChoice, mix: &Mix) -> Fields {
    let overrides = list(&mix.overrides, |one| {
        Fields::new()
            .when(one.needs.is_none(), |fields| fields.with("InstanceType", &one.kind))
            .maybe("WeightedCapacity", one.weight.map(|weight| weight.to_string()))
            .maybe("LaunchTemplateSpecification", one.template.as_ref().map(choice))
            .maybe("ImageId", one.image.as_ref())
            .maybe("InstanceRequirements", one.needs.map(needs_shape))
    });
    let chooses = mix.overrides.iter().any(|one| one.needs.is_some());
    let usual = if chooses { "lowest-price" } else { "prioritized" };
    let pools = mix.spot_pools.or((mix.spot_strategy == "lowest-price").then_some(2));
    let distribution = Fields::new()
        .with("OnDemandAllocationStrategy", mix.on_demand_strategy.unwrap_or(usual))
        .with("OnDemandBaseCapacity", mix.on_demand_base)
        .with("OnDemandPercentageAboveBaseCapacity", mix.on_demand_percent)
        .with("SpotAllocationStrategy", mix.spot_strategy)
        .maybe("SpotInstancePools", pools)
        .maybe("SpotMaxPrice", mix.spot_max_price.as_ref());
    Fields::new()
        .with(
            "LaunchTemplate",
            Fields::new().with("LaunchTemplateSpecification", choice(template)).with("Overrides", overrides),
        )
        .with("InstancesDistribution", distribution)
}

fn needs_shape(needs: Needs) -> Fields {
    let range = |(least, most): (u32, Option<u32>)| Fields::new().with("Min", least).maybe("Max", most);
    Fields::new().with("VCpuCount", range(needs.cpus)).with("MemoryMiB", range(needs.memory))
}

fn group_shape(place: &Place, group: &Group, with_members: bool) -> Fields {
    let arn = group_arn(place, group);
    let subnets: Vec<&str> = group.zones.iter().map(|zone| place.subnet(*zone)).collect();
    Fields::new()
        .with("AutoScalingGroupName", &group.name)
        .with("AutoScalingGroupARN", arn)
        .maybe("Status", group.is_deleting.then_some("Delete in progress"))
        .when(group.mix.is_none(), |fields| fields.with("LaunchTemplate", choice(&group.template)))
        .maybe("MixedInstancesPolicy", group.mix.as_ref().map(|mix| mix_shape(&group.template, mix)))
        .with("MinSize", group.min)
        .with("MaxSize", group.max)
        .with("DesiredCapacity", group.desired)
        .with("DefaultCooldown", 300i64)
        .with("AvailabilityZones", list(&group.zones, |zone| place.zone(*zone)))
        .with("LoadBalancerNames", Shape::List(Vec::new()))
        .with("TargetGroupARNs", list(&group.target_groups, Shape::from))
        .with("HealthCheckType", if group.checks_balancer { "ELB" } else { "EC2" })
        .with("HealthCheckGracePeriod", group.grace)
        .when(with_members, |fields| {
            fields.with("Instances", list(&group.members, |member| member_shape(place, group, member)))
        })
        .with("CreatedTime", group.created)
        .with(
            "SuspendedProcesses",
            list(&group.suspended, |(process, reason)| {
                Fields::new().with("ProcessName", process).with("SuspensionReason", reason)
            }),
        )
        .with("VPCZoneIdentifier", subnets.join(","))
        .with(
            "EnabledMetrics",
            list(super::cloudwatch::meters::GROUP, |(name, _)| {
                Fields::new().with("Metric", *name).with("Granularity", "1Minute")
            }),
        )
        .with(
            "Tags",
            list(&group.tags, |((key, value), propagates)| {
                Fields::new()
                    .with("ResourceId", &group.name)
                    .with("ResourceType", "auto-scaling-group")
                    .with("Key", key)
                    .with("Value", value)
                    .with("PropagateAtLaunch", *propagates)
            }),
        )
        .with("TerminationPolicies", list(&group.policies, |policy| *policy))
        .with("NewInstancesProtectedFromScaleIn", group.protects_new)
        .with("ServiceLinkedRoleARN", service_role(place))
        .with("CapacityRebalance", group.rebalances_capacity)
        .maybe("DefaultInstanceWarmup", group.warmup)
        .maybe(
            "InstanceMaintenancePolicy",
            group.maintenance.map(|(least, most)| {
                Fields::new().with("MinHealthyPercentage", least).with("MaxHealthyPercentage", most)
            }),
        )
        .with(
            "TrafficSources",
            list(&group.target_groups, |arn| Fields::new().with("Identifier", arn).with("Type", "elbv2")),
        )
}

fn service_role(place: &Place) -> String {
    format!(
        "arn:aws:iam::{}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
        place.account
    )
}

fn group_arn(place: &Place, group: &Group) -> CompactString {
    place.arn("autoscaling", &format!("autoScalingGroup:{}:autoScalingGroupName/{}", group.uuid, group.name))
}

fn member_shape(place: &Place, group: &Group, member: &Member) -> Fields {
    let instance = place.instances.get(&member.instance);
    let name = place.templates.get(&member.template).map(|template| template.name.clone());
    let template = TemplateChoice {
        id: member.template.clone(),
        name: name.unwrap_or_else(|| group.template.name.clone()),
        version: CompactString::from(member.version.to_string()),
    };
    Fields::new()
        .with("InstanceId", &member.instance)
        .maybe("InstanceType", instance.map(|instance| instance.kind.name))
        .with("AvailabilityZone", instance.map(|instance| place.zone(instance.zone)).unwrap_or_default())
        .with("LifecycleState", member.stage.word())
        .with("HealthStatus", if member.is_healthy { "Healthy" } else { "Unhealthy" })
        .with("LaunchTemplate", choice(&template))
        .with("ProtectedFromScaleIn", member.is_protected)
        .maybe("WeightedCapacity", (member.weight > 1).then(|| member.weight.to_string()))
}

fn describe_instances(call: &Call, place: &Place) -> Answer {
    let ids = call.input.texts("InstanceIds");
    if ids.len() > 50 {
        return Err(Fault::new("ValidationError", "The number of instance ids must be at most 50"));
    }
    let page = Paging { max: 50, ..PAGING }.of(call)?;
    // Members have no serial numbers of their own: a member's key is its instance's.
    let mut rows: Vec<(u64, (&Group, &Member))> = Vec::new();
    if ids.is_empty() {
        for group in place.groups.rows() {
            let keyed = |member| Some((place.instances.serial(instance_of(member))?, (group, member)));
            rows.extend(group.members.iter().filter_map(keyed));
        }
    } else {
        for id in &ids {
            let Some(instance) = place.instances.get(id) else { continue };
            let group = instance.group().and_then(|name| place.groups.get(name));
            let member = group.and_then(|g| Some((g, g.members.iter().find(|m| m.instance == *id)?)));
            rows.extend(member.and_then(|pair| Some((place.instances.serial(id)?, pair))));
        }
    }
    rows.sort_by_key(|(key, _)| *key);
    rows.dedup_by_key(|(key, _)| *key);
    let (rows, token) = page.take(call, rows.iter().map(|(key, row)| (*key, row)));
    let shapes = list(rows, |(group, member)| {
        let word = if member.is_healthy { "HEALTHY" } else { "UNHEALTHY" };
        member_shape(place, group, member)
            .with("AutoScalingGroupName", &group.name)
            .replacing("HealthStatus", word)
    });
    Ok(Fields::new().with("AutoScalingInstances", shapes).maybe("NextToken", token).into())
}

fn instance_of(member: &Member) -> &str {
    &member.instance
}

/// What has ended is kept for six weeks.
const KEPT: i64 = 42 * 86_400;

/// Activities are kept for six weeks.
fn describe_activities(call: &Call, place: &Place) -> Answer {
    let ids = call.input.texts("ActivityIds");
    let groups: Vec<&Group> = match call.input.text("AutoScalingGroupName") {
        Some(name) => vec![group(place, name)?],
        None => place.groups.rows().collect(),
    };
    let mut rows: Vec<(&Group, &Activity)> = groups
        .into_iter()
        .flat_map(|group| group.activities.iter().map(move |activity| (group, activity)))
        .filter(|(_, activity)| ids.is_empty() || ids.contains(&activity.id.as_str()))
        .filter(|(_, activity)| call.now.since(activity.started) < KEPT)
        .collect();
    rows.sort_by_key(|(_, activity)| std::cmp::Reverse(activity.started));
    let page = Paging { default: 100, ..PAGING }.of(call)?;
    let (rows, token) = page.take(call, (1..).zip(&rows));
    let shapes = list(rows, |(group, activity)| activity_shape(place, group, activity));
    Ok(Fields::new().with("Activities", shapes).maybe("NextToken", token).into())
}

fn activity_shape(place: &Place, group: &Group, activity: &Activity) -> Fields {
    Fields::new()
        .with("ActivityId", &activity.id)
        .with("AutoScalingGroupName", &group.name)
        .with("Description", &activity.description)
        .with("Cause", &activity.cause)
        .with("StartTime", activity.started)
        .maybe("EndTime", activity.ended)
        .with("StatusCode", activity.status)
        .maybe("StatusMessage", activity.message.as_ref())
        .with("Progress", activity.progress)
        .with("Details", &activity.details)
        .with("AutoScalingGroupARN", group_arn(place, group))
}
