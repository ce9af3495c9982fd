//! UpdateAutoScalingGroup beyond sizes: what a group launches, and how it treats its members.

use super::change::whole;
use super::refresh::policy;
use crate::aws::api::Api;
use crate::aws::call::Stop;
use crate::aws::change::{Done, Pen, inked};
use crate::gateway::change::{Answered, Setting, Tuning};
use crate::model::{GroupName, Mix, TemplateRef};
use aws_sdk_autoscaling::types::InstanceMaintenancePolicy;

/// What takes a number away.
const NONE: i32 = -1;

/// Sets the whole mixed instances policy.
pub(super) async fn mix(
    pen: &Pen<'_>,
    group: &GroupName,
    template: &TemplateRef,
    mix: &Mix,
) -> Result<Done, Stop> {
    let policy = policy(template, mix);
    let request = || {
        let ask =
            pen.desk().autoscaling().update_auto_scaling_group().auto_scaling_group_name(group.as_str());
        inked!(pen, aws_sdk_autoscaling, ask.mixed_instances_policy(policy.clone()))
    };
    pen.put(Api::UpdateAutoScalingGroup, request).await?;
    Ok(Answered::Yes.into())
}

/// Sets what is said, and leaves the rest.
pub(super) async fn tune(pen: &Pen<'_>, group: &GroupName, tuning: &Tuning) -> Result<Done, Stop> {
    let policies = || {
        let policies = tuning.terminations.as_ref();
        policies.map(|policies| policies.iter().map(ToString::to_string).collect::<Vec<String>>())
    };
    let warmup = match tuning.warmup {
        Setting::Keep => None,
        Setting::Clear => Some(NONE),
        Setting::To(seconds) => Some(whole(seconds)),
    };
    let bounds = match tuning.maintenance {
        Setting::Keep => None,
        Setting::Clear => Some((NONE, NONE)),
        Setting::To((min, max)) => Some((whole(min), whole(max))),
    };
    let maintenance = bounds.map(|(min, max)| {
        InstanceMaintenancePolicy::builder().min_healthy_percentage(min).max_healthy_percentage(max).build()
    });
    let request = || {
        let ask =
            pen.desk().autoscaling().update_auto_scaling_group().auto_scaling_group_name(group.as_str());
        let ask = ask.set_termination_policies(policies()).set_default_instance_warmup(warmup);
        let ask = ask.set_capacity_rebalance(tuning.rebalances);
        inked!(pen, aws_sdk_autoscaling, ask.set_instance_maintenance_policy(maintenance.clone()))
    };
    pen.put(Api::UpdateAutoScalingGroup, request).await?;
    Ok(Answered::Yes.into())
}
