//! `DescribeAutoScalingGroups`: members, what they launch, the mix, protection, suspended processes.

use crate::aws::translate::{count, each, each_some, ids, moment, required, tags, text, texts, whole, word};
use crate::model::{
    Group, GroupName, InstanceId, InstanceType, Member, Mix, OwnLaunch, Standing, TemplateId, TemplateRef,
    Zone,
};
use aws_sdk_autoscaling::types::{
    AutoScalingGroup, Instance as SdkMember, InstancesDistribution, LaunchTemplateOverrides,
    LaunchTemplateSpecification, MixedInstancesPolicy,
};

/// Returns a group.
pub(super) fn group(raw: AutoScalingGroup) -> Group {
    let (mix, mixed_template) = match raw.mixed_instances_policy {
        Some(policy) => {
            let (mix, template) = mix(policy);
            (Some(mix), template)
        }
        None => (None, None),
    };
    Group {
        name: raw.auto_scaling_group_name.map(GroupName::from).unwrap_or_default(),
        arn: required(raw.auto_scaling_group_arn),
        min: count(raw.min_size),
        max: count(raw.max_size),
        desired: count(raw.desired_capacity),
        members: Member::alike(each(raw.instances, member)),
        template: raw.launch_template.map(reference).or(mixed_template),
        launch_configuration: text(raw.launch_configuration_name),
        mix,
        zones: ids(raw.availability_zones),
        subnets: subnets(raw.vpc_zone_identifier.as_deref()),
        health_check: required(raw.health_check_type),
        grace_s: raw.health_check_grace_period.and_then(whole),
        target_groups: ids(raw.target_group_arns),
        suspended: each_some(raw.suspended_processes.unwrap_or_default(), |it| text(it.process_name)),
        protects_new: raw.new_instances_protected_from_scale_in.unwrap_or(false),
        rebalances: raw.capacity_rebalance,
        termination_policies: texts(raw.termination_policies),
        warmup_s: raw.default_instance_warmup.and_then(whole),
        maintenance: raw.instance_maintenance_policy.and_then(|policy| {
            Some((whole(policy.min_healthy_percentage?)?, whole(policy.max_healthy_percentage?)?))
        }),
        created_at: moment(raw.created_time),
        status: text(raw.status),
        tags: tags(raw.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value))),
    }
}

fn member(raw: SdkMember) -> Member {
    let id = raw.instance_id.map(InstanceId::from).unwrap_or_default();
    let standing = Standing {
        instance_type: raw.instance_type.map(InstanceType::from),
        zone: raw.availability_zone.map(Zone::from).unwrap_or_default(),
        state: word(raw.lifecycle_state).unwrap_or_default(),
        health: required(raw.health_status),
        is_protected: raw.protected_from_scale_in.unwrap_or(false),
        template: raw.launch_template.map(reference),
        weight: raw.weighted_capacity.and_then(|weight| weight.parse().ok()),
    };
    Member::new(id, standing)
}

pub(super) fn reference(raw: LaunchTemplateSpecification) -> TemplateRef {
    TemplateRef {
        id: raw.launch_template_id.map(TemplateId::from).unwrap_or_default(),
        name: required(raw.launch_template_name),
        version: required(raw.version),
    }
}

/// Returns the mix and the template that it launches. What the policy leaves out is what AWS then uses:
/// no on-demand base, and everything above it on-demand.
pub(super) fn mix(policy: MixedInstancesPolicy) -> (Mix, Option<TemplateRef>) {
    let (template, overrides) = match policy.launch_template {
        Some(launch) => (launch.launch_template_specification.map(reference), launch.overrides),
        None => (None, None),
    };
    let spread = policy.instances_distribution.unwrap_or_else(|| InstancesDistribution::builder().build());
    let overrides = overrides.unwrap_or_default();
    let unheld = [
        ("InstanceRequirements", overrides.iter().any(|it| it.instance_type.is_none())),
        ("DistributionSegments", spread.distribution_segments.as_ref().is_some_and(|all| !all.is_empty())),
    ];
    let own = |(at, it): (usize, &LaunchTemplateOverrides)| {
        let template = it.launch_template_specification.clone().map(reference);
        let image = text(it.image_id.clone());
        (template.is_some() || image.is_some()).then_some(OwnLaunch { at, template, image })
    };
    let mix = Mix {
        on_demand_strategy: text(spread.on_demand_allocation_strategy),
        spot_pools: spread.spot_instance_pools.and_then(whole),
        own: overrides.iter().filter(|it| it.instance_type.is_some()).enumerate().filter_map(own).collect(),
        unheld: unheld.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name.into()).collect(),
        on_demand_base: count(spread.on_demand_base_capacity),
        on_demand_percent: spread.on_demand_percentage_above_base_capacity.and_then(whole).unwrap_or(100),
        spot_strategy: text(spread.spot_allocation_strategy),
        spot_max_price: text(spread.spot_max_price).filter(|price| !price.is_empty()),
        types: overrides
            .into_iter()
            .filter_map(|it| Some((InstanceType::from(it.instance_type?), text(it.weighted_capacity))))
            .collect(),
    };
    (mix, template)
}

/// Returns the subnets of AWS's comma-separated list; an empty list is an empty text there.
fn subnets(list: Option<&str>) -> Vec<crate::model::Text> {
    list.unwrap_or_default().split(',').map(str::trim).filter(|id| !id.is_empty()).map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_autoscaling::types as sdk;
    use aws_smithy_types::DateTime;

    fn specification(version: &str) -> LaunchTemplateSpecification {
        LaunchTemplateSpecification::builder()
            .launch_template_id("lt-1")
            .launch_template_name("prod")
            .version(version)
            .build()
    }

    fn full() -> sdk::builders::AutoScalingGroupBuilder {
        let member = SdkMember::builder()
            .instance_id("i-1")
            .instance_type("t3.small")
            .availability_zone("eu-west-1a")
            .lifecycle_state(sdk::LifecycleState::from("Terminating:Ponder"))
            .health_status("Healthy")
            .protected_from_scale_in(true)
            .weighted_capacity("2")
            .launch_template(specification("7"));
        AutoScalingGroup::builder()
            .auto_scaling_group_name("prod-hosts")
            .auto_scaling_group_arn("arn:g")
            .min_size(1)
            .max_size(9)
            .desired_capacity(3)
            .instances(member.build())
            .availability_zones("eu-west-1a")
            .availability_zones("eu-west-1b")
            .vpc_zone_identifier("subnet-1,subnet-2")
            .health_check_type("ELB")
            .health_check_grace_period(300)
            .target_group_arns("arn:tg")
            .suspended_processes(sdk::SuspendedProcess::builder().process_name("AZRebalance").build())
            .new_instances_protected_from_scale_in(true)
            .capacity_rebalance(true)
            .termination_policies("OldestInstance")
            .default_instance_warmup(120)
            .created_time(DateTime::from_secs_and_nanos(1_700_000_000, 123_000_000))
            .status("Delete in progress")
            .tags(sdk::TagDescription::builder().key("tier").value("production").build())
    }

    #[test]
    fn a_group_is_carried_over() {
        let got = group(full().launch_template(specification("$Latest")).build());
        assert_eq!((got.name.as_str(), got.arn.as_str()), ("prod-hosts", "arn:g"));
        assert_eq!((got.min, got.max, got.desired), (1, 9, 3));
        assert_eq!(got.template.as_ref().map(|it| it.version.as_str()), Some("$Latest"));
        assert_eq!(got.mix, None);
        assert_eq!(got.zones, [Zone::new("eu-west-1a"), Zone::new("eu-west-1b")]);
        assert_eq!(got.subnets, ["subnet-1", "subnet-2"]);
        assert_eq!((got.health_check.as_str(), got.grace_s, got.warmup_s), ("ELB", Some(300), Some(120)));
        assert_eq!(got.target_groups.len(), 1);
        assert_eq!(got.suspended, ["AZRebalance"]);
        assert!(got.protects_new);
        assert_eq!(got.rebalances, Some(true));
        assert_eq!(got.termination_policies, ["OldestInstance"]);
        assert_eq!(got.created_at.map(|at| at.subsec_nanosecond()), Some(123_000_000));
        assert_eq!(got.status.as_deref(), Some("Delete in progress"));
        assert_eq!(got.tags.get("tier"), Some("production"));
        let member = &got.members[0];
        assert_eq!((member.id.as_str(), member.zone.as_str()), ("i-1", "eu-west-1a"));
        assert_eq!(member.state, "Terminating:Ponder", "a state that the SDK does not know stays text");
        assert_eq!((member.health.as_str(), member.is_protected, member.weight), ("Healthy", true, Some(2)));
        assert_eq!(member.template.as_ref().map(|it| it.version.as_str()), Some("7"));
    }

    #[test]
    fn a_mix_brings_its_template_and_types() {
        let policy = MixedInstancesPolicy::builder()
            .launch_template(
                sdk::LaunchTemplate::builder()
                    .launch_template_specification(specification("4"))
                    .overrides(
                        sdk::LaunchTemplateOverrides::builder()
                            .instance_type("t3.small")
                            .weighted_capacity("1")
                            .build(),
                    )
                    .overrides(sdk::LaunchTemplateOverrides::builder().instance_type("t3a.small").build())
                    .build(),
            )
            .instances_distribution(
                InstancesDistribution::builder()
                    .on_demand_base_capacity(1)
                    .on_demand_percentage_above_base_capacity(25)
                    .spot_allocation_strategy("price-capacity-optimized")
                    .spot_max_price("")
                    .build(),
            );
        let got = group(full().mixed_instances_policy(policy.build()).build());
        assert_eq!(got.template.map(|it| it.version), Some("4".into()));
        let mix = got.mix.expect("a mix");
        assert_eq!((mix.on_demand_base, mix.on_demand_percent), (1, 25));
        assert_eq!(mix.spot_strategy.as_deref(), Some("price-capacity-optimized"));
        assert_eq!(mix.spot_max_price, None, "an empty price is the on-demand price");
        assert_eq!(mix.types.len(), 2);
        assert_eq!(mix.types[0].1.as_deref(), Some("1"));
    }

    #[test]
    fn an_empty_group_and_an_empty_mix_have_what_aws_would_use() {
        let got = group(AutoScalingGroup::builder().build());
        assert_eq!((got.min, got.max, got.desired), (0, 0, 0));
        assert!(got.members.is_empty() && got.subnets.is_empty() && got.template.is_none());
        let (mix, template) = mix(MixedInstancesPolicy::builder().build());
        assert_eq!((mix.on_demand_base, mix.on_demand_percent, template), (0, 100, None));
    }
}
