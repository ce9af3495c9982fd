//! What changes groups, their members and their processes.

use super::{history, refresh, tune};
use crate::aws::api::Api;
use crate::aws::call::Stop;
use crate::aws::change::{Done, Pen, inked};
use crate::aws::translate::text;
use crate::gateway::Change;
use crate::gateway::change::Answered;
use crate::model::{GroupName, InstanceId, Text};
use aws_sdk_autoscaling::types::Activity;

/// Carries out a change of Auto Scaling.
pub(in crate::aws) async fn change(pen: &Pen<'_>, change: &Change) -> Result<Done, Stop> {
    let client = pen.desk().autoscaling();
    let ids =
        |instances: &[InstanceId]| -> Vec<String> { instances.iter().map(ToString::to_string).collect() };
    let names = |processes: &[Text]| -> Vec<String> { processes.iter().map(ToString::to_string).collect() };
    Ok(match change {
        Change::EnterStandby { group, instances, is_decremented } => {
            let ids = ids(instances);
            let request = || {
                let ask = client.enter_standby().auto_scaling_group_name(group.as_str());
                let ask = ask.set_instance_ids(Some(ids.clone()));
                inked!(pen, aws_sdk_autoscaling, ask.should_decrement_desired_capacity(*is_decremented))
            };
            activities(pen.put(Api::EnterStandby, request).await?.activities, group)
        }
        Change::ExitStandby { group, instances } => {
            let ids = ids(instances);
            let request = || {
                let ask = client.exit_standby().auto_scaling_group_name(group.as_str());
                inked!(pen, aws_sdk_autoscaling, ask.set_instance_ids(Some(ids.clone())))
            };
            activities(pen.put(Api::ExitStandby, request).await?.activities, group)
        }
        Change::ProtectScaleIn { group, instances, is_protected } => {
            let ids = ids(instances);
            let request = || {
                let ask = client.set_instance_protection().auto_scaling_group_name(group.as_str());
                let ask = ask.set_instance_ids(Some(ids.clone())).protected_from_scale_in(*is_protected);
                inked!(pen, aws_sdk_autoscaling, ask)
            };
            pen.put(Api::SetInstanceProtection, request).await?;
            Answered::Yes.into()
        }
        Change::TerminateInGroup { instance, is_decremented } => {
            let request = || {
                let ask = client.terminate_instance_in_auto_scaling_group().instance_id(instance.as_str());
                inked!(pen, aws_sdk_autoscaling, ask.should_decrement_desired_capacity(*is_decremented))
            };
            let answer = pen.put(Api::TerminateInstanceInAutoScalingGroup, request).await?;
            activities(answer.activity.map(|activity| vec![activity]), &GroupName::default())
        }
        Change::SetDesired { group, desired } => {
            let request = || {
                let ask = client.set_desired_capacity().auto_scaling_group_name(group.as_str());
                let ask = ask.desired_capacity(whole(*desired)).honor_cooldown(false);
                inked!(pen, aws_sdk_autoscaling, ask)
            };
            pen.put(Api::SetDesiredCapacity, request).await?;
            Answered::Yes.into()
        }
        Change::ResizeGroup { group, min, max, desired } => {
            let request = || {
                let ask = client.update_auto_scaling_group().auto_scaling_group_name(group.as_str());
                let ask = ask.set_min_size(min.map(whole)).set_max_size(max.map(whole));
                inked!(pen, aws_sdk_autoscaling, ask.set_desired_capacity(desired.map(whole)))
            };
            pen.put(Api::UpdateAutoScalingGroup, request).await?;
            Answered::Yes.into()
        }
        Change::SetMix { group, template, mix } => tune::mix(pen, group, template, mix).await?,
        Change::TuneGroup { group, tuning } => tune::tune(pen, group, tuning).await?,
        Change::SuspendProcesses { group, processes } => {
            let names = names(processes);
            let request = || {
                let ask = client.suspend_processes().auto_scaling_group_name(group.as_str());
                inked!(pen, aws_sdk_autoscaling, ask.set_scaling_processes(Some(names.clone())))
            };
            pen.put(Api::SuspendProcesses, request).await?;
            Answered::Yes.into()
        }
        Change::ResumeProcesses { group, processes } => {
            let names = names(processes);
            let request = || {
                let ask = client.resume_processes().auto_scaling_group_name(group.as_str());
                inked!(pen, aws_sdk_autoscaling, ask.set_scaling_processes(Some(names.clone())))
            };
            pen.put(Api::ResumeProcesses, request).await?;
            Answered::Yes.into()
        }
        Change::CompleteHook { group, hook, instance, is_continued } => {
            let request = || {
                let ask = client.complete_lifecycle_action().auto_scaling_group_name(group.as_str());
                let ask = ask.lifecycle_hook_name(hook.as_str()).instance_id(instance.as_str());
                let result = if *is_continued { "CONTINUE" } else { "ABANDON" };
                inked!(pen, aws_sdk_autoscaling, ask.lifecycle_action_result(result))
            };
            pen.put(Api::CompleteLifecycleAction, request).await?;
            Answered::Yes.into()
        }
        Change::StartRefresh { group, preferences, desired } => {
            refresh::start(pen, group, preferences, desired.as_deref()).await?
        }
        Change::CancelRefresh { group, waits } => {
            let request = || {
                let ask = client.cancel_instance_refresh().auto_scaling_group_name(group.as_str());
                inked!(pen, aws_sdk_autoscaling, ask.wait_for_transitioning_instances(*waits))
            };
            let answer = pen.put(Api::CancelInstanceRefresh, request).await?;
            Answered::Refresh(text(answer.instance_refresh_id).unwrap_or_default()).into()
        }
        Change::RollBackRefresh { group } => {
            let request = || {
                let ask = client.rollback_instance_refresh().auto_scaling_group_name(group.as_str());
                inked!(pen, aws_sdk_autoscaling, ask)
            };
            let answer = pen.put(Api::RollbackInstanceRefresh, request).await?;
            Answered::Refresh(text(answer.instance_refresh_id).unwrap_or_default()).into()
        }
        other => return Err(pen.elsewhere(other)),
    })
}

fn activities(all: Option<Vec<Activity>>, group: &GroupName) -> Done {
    let told = all.unwrap_or_default().into_iter().map(|raw| history::activity(raw, group));
    Answered::Activities(told.collect()).into()
}

/// A number as Auto Scaling takes it; none of ours is near its bound.
pub(super) fn whole(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
