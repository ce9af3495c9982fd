//! StartInstanceRefresh: every preference said, and what new instances are launched with.

use super::change::whole;
use crate::aws::api::Api;
use crate::aws::call::Stop;
use crate::aws::change::{Done, Pen, inked};
use crate::aws::translate::text;
use crate::gateway::change::{Answered, Desired, Handling, Preferences};
use crate::model::{GroupName, Mix, TemplateRef};
use aws_sdk_autoscaling::types::{
    AlarmSpecification, DesiredConfiguration, InstancesDistribution, LaunchTemplate, LaunchTemplateOverrides,
    LaunchTemplateSpecification, MixedInstancesPolicy, RefreshPreferences, RefreshStrategy,
    ScaleInProtectedInstances, StandbyInstances,
};

/// Starts a rolling refresh.
pub(super) async fn start(
    pen: &Pen<'_>,
    group: &GroupName,
    preferences: &Preferences,
    desired: Option<&Desired>,
) -> Result<Done, Stop> {
    let (preferences, desired) = (said(preferences), desired.map(wanted));
    let request = || {
        let ask = pen.desk().autoscaling().start_instance_refresh().auto_scaling_group_name(group.as_str());
        let ask = ask.strategy(RefreshStrategy::Rolling).preferences(preferences.clone());
        inked!(pen, aws_sdk_autoscaling, ask.set_desired_configuration(desired.clone()))
    };
    let answer = pen.put(Api::StartInstanceRefresh, request).await?;
    Ok(Answered::Refresh(text(answer.instance_refresh_id).unwrap_or_default()).into())
}

fn said(ours: &Preferences) -> RefreshPreferences {
    let mut said = RefreshPreferences::builder()
        .min_healthy_percentage(whole(ours.min_healthy))
        .max_healthy_percentage(whole(ours.max_healthy))
        .instance_warmup(whole(ours.warmup_s))
        .skip_matching(ours.skips_matching)
        .auto_rollback(ours.rolls_back)
        .scale_in_protected_instances(match ours.protected {
            Handling::Replace => ScaleInProtectedInstances::Refresh,
            Handling::Ignore => ScaleInProtectedInstances::Ignore,
            Handling::Wait => ScaleInProtectedInstances::Wait,
        })
        .standby_instances(match ours.standby {
            Handling::Replace => StandbyInstances::Terminate,
            Handling::Ignore => StandbyInstances::Ignore,
            Handling::Wait => StandbyInstances::Wait,
        })
        .bake_time(whole(ours.bake_s));
    if !ours.checkpoints.is_empty() {
        let percentages = ours.checkpoints.iter().map(|percent| whole(*percent)).collect();
        said = said.set_checkpoint_percentages(Some(percentages));
        said = said.checkpoint_delay(whole(ours.checkpoint_delay_s));
    }
    if !ours.alarms.is_empty() {
        let names = ours.alarms.iter().map(ToString::to_string).collect();
        said = said.alarm_specification(AlarmSpecification::builder().set_alarms(Some(names)).build());
    }
    said.build()
}

fn wanted(desired: &Desired) -> DesiredConfiguration {
    let wanted = DesiredConfiguration::builder();
    match desired {
        Desired::Template(template) => wanted.launch_template(specification(template)),
        Desired::Mixed { template, mix } => wanted.mixed_instances_policy(policy(template, mix)),
    }
    .build()
}

/// A template is named by its id or by its name, never by both.
fn specification(template: &TemplateRef) -> LaunchTemplateSpecification {
    let spec = LaunchTemplateSpecification::builder();
    let spec = match template.id.is_empty() {
        true => spec.launch_template_name(template.name.as_str()),
        false => spec.launch_template_id(template.id.as_str()),
    };
    spec.version(template.version.as_str()).build()
}

pub(super) fn policy(template: &TemplateRef, mix: &Mix) -> MixedInstancesPolicy {
    let overrides = mix.types.iter().enumerate().map(|(at, (kind, weight))| {
        let own = mix.own.iter().find(|own| own.at == at);
        let template = own.and_then(|own| own.template.as_ref()).map(specification);
        let image = own.and_then(|own| own.image.as_ref()).map(ToString::to_string);
        LaunchTemplateOverrides::builder()
            .instance_type(kind.as_str())
            .set_weighted_capacity(weight.as_ref().map(ToString::to_string))
            .set_launch_template_specification(template)
            .set_image_id(image)
            .build()
    });
    let launch = LaunchTemplate::builder()
        .launch_template_specification(specification(template))
        .set_overrides(Some(overrides.collect()));
    let spread = InstancesDistribution::builder()
        .set_on_demand_allocation_strategy(mix.on_demand_strategy.as_ref().map(ToString::to_string))
        .set_spot_instance_pools(mix.spot_pools.map(whole))
        .on_demand_base_capacity(whole(mix.on_demand_base))
        .on_demand_percentage_above_base_capacity(whole(mix.on_demand_percent))
        .set_spot_allocation_strategy(mix.spot_strategy.as_ref().map(ToString::to_string))
        .set_spot_max_price(mix.spot_max_price.as_ref().map(ToString::to_string));
    MixedInstancesPolicy::builder()
        .launch_template(launch.build())
        .instances_distribution(spread.build())
        .build()
}
