//! Groups by name, their hooks, and their refreshes with what tells whose they are.

use super::{PAGE, groups, history};
use crate::aws::api::Api;
use crate::aws::call::Desk;
use crate::aws::look::all;
use crate::aws::translate::{count, each, required, text, texts, whole, word};
use crate::model::{Group, GroupName, Hook, RefreshDetail, RefreshWants, Trouble};
use aws_sdk_autoscaling::types::{InstanceRefresh, LifecycleHook, RefreshPreferences};
use futures::FutureExt as _;

/// How many groups one call names.
const NAMED: usize = 50;

/// These groups.
pub(in crate::aws) async fn look_at_groups(desk: &Desk, of: &[GroupName]) -> Result<Vec<Group>, Trouble> {
    let chunks: Vec<Vec<String>> =
        of.chunks(NAMED).map(|names| names.iter().map(ToString::to_string).collect()).collect();
    let ask = |names: Vec<String>| {
        async move {
            let request = |token| {
                let ask = desk.autoscaling().describe_auto_scaling_groups();
                let ask = ask.set_auto_scaling_group_names(Some(names.clone()));
                ask.max_records(PAGE).set_next_token(token).send()
            };
            let read = desk.pages(Api::DescribeAutoScalingGroups, request, |page| {
                let all = page.auto_scaling_groups.unwrap_or_default();
                (all.into_iter().map(groups::group).collect(), page.next_token)
            });
            Ok(read.await?)
        }
        .boxed()
    };
    all(chunks, ask).await
}

/// Hooks of a group.
pub(in crate::aws) async fn look_at_hooks(desk: &Desk, group: &GroupName) -> Result<Vec<Hook>, Trouble> {
    let request =
        || desk.autoscaling().describe_lifecycle_hooks().auto_scaling_group_name(group.as_str()).send();
    let answer = desk.call(Api::DescribeLifecycleHooks, request).await?;
    Ok(each(answer.lifecycle_hooks, hook))
}

fn hook(raw: LifecycleHook) -> Hook {
    Hook {
        name: required(raw.lifecycle_hook_name),
        is_on_terminate: raw.lifecycle_transition.as_deref() == Some("autoscaling:EC2_INSTANCE_TERMINATING"),
        heartbeat_s: count(raw.heartbeat_timeout),
        default_result: required(raw.default_result),
        notifies: text(raw.notification_target_arn),
    }
}

/// The latest refreshes of a group, newest first.
pub(in crate::aws) async fn look_at_refreshes(
    desk: &Desk,
    group: &GroupName,
) -> Result<Vec<RefreshDetail>, Trouble> {
    let request = || {
        let ask = desk.autoscaling().describe_instance_refreshes().auto_scaling_group_name(group.as_str());
        ask.max_records(PAGE).send()
    };
    let answer = desk.call(Api::DescribeInstanceRefreshes, request).await?;
    let all = answer.instance_refreshes.unwrap_or_default();
    let all = all.into_iter().map(|raw| refresh(raw, group)).collect();
    Ok(history::newest_first(all, |one: &RefreshDetail| one.refresh.started_at))
}

fn wanted(raw: RefreshPreferences) -> RefreshWants {
    RefreshWants {
        min_healthy: raw.min_healthy_percentage.and_then(whole),
        max_healthy: raw.max_healthy_percentage.and_then(whole),
        warmup_s: raw.instance_warmup.and_then(whole),
        checkpoint_delay_s: raw.checkpoint_delay.and_then(whole),
        skips_matching: raw.skip_matching,
        protected: word(raw.scale_in_protected_instances),
        standby: word(raw.standby_instances),
        alarms: texts(raw.alarm_specification.and_then(|it| it.alarms)),
        bake_s: raw.bake_time.and_then(whole),
    }
}

fn refresh(raw: InstanceRefresh, group: &GroupName) -> RefreshDetail {
    let wanted_now = raw.desired_configuration.clone();
    let (template, policy) =
        wanted_now.map(|it| (it.launch_template, it.mixed_instances_policy)).unwrap_or_default();
    let (mix, of_mix) = policy.map(groups::mix).map_or((None, None), |(mix, template)| (Some(mix), template));
    let wants = raw.preferences.clone();
    let percentages = wants.as_ref().and_then(|it| it.checkpoint_percentages.clone());
    let back = raw.rollback_details.clone();
    RefreshDetail {
        launches: template.map(groups::reference).or(of_mix),
        mix,
        checkpoints: percentages.unwrap_or_default().into_iter().filter_map(whole).collect(),
        rolls_back: wants.as_ref().and_then(|it| it.auto_rollback).unwrap_or(false),
        remaining_on_rollback: back.as_ref().and_then(|it| whole(it.instances_to_update_on_rollback?)),
        rollback_reason: back.and_then(|it| text(it.rollback_reason)),
        wants: wants.map(wanted).unwrap_or_default(),
        refresh: history::refresh(raw, group),
    }
}
