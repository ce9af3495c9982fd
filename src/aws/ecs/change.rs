//! What changes tasks, services and container instances.

use crate::aws::api::Api;
use crate::aws::call::Stop;
use crate::aws::change::{Done, Pen, inked};
use crate::aws::translate::{count, fractional_moment, required, text};
use crate::gateway::Change;
use crate::gateway::change::{Answered, HostState, Miss};
use crate::model::{HostArn, TaskArn, Text};
use aws_sdk_ecs::types::{ContainerInstanceStatus, Failure};

/// Carries out a change of ECS.
pub(in crate::aws) async fn change(pen: &Pen<'_>, change: &Change) -> Result<Done, Stop> {
    let ecs = pen.desk().ecs();
    Ok(match change {
        Change::HostState { cluster, hosts, to } => {
            let status = match to {
                HostState::Active => ContainerInstanceStatus::Active,
                HostState::Draining => ContainerInstanceStatus::Draining,
            };
            let names: Vec<String> = hosts.iter().map(ToString::to_string).collect();
            let request = || {
                let ask = ecs.update_container_instances_state().cluster(cluster.as_str());
                let ask = ask.set_container_instances(Some(names.clone())).status(status.clone());
                inked!(pen, aws_sdk_ecs, ask)
            };
            let answer = pen.put(Api::UpdateContainerInstancesState, request).await?;
            let changed: Vec<(HostArn, Text)> = answer
                .container_instances
                .unwrap_or_default()
                .into_iter()
                .map(|one| (HostArn::new(required(one.container_instance_arn)), required(one.status)))
                .collect();
            let told: Vec<&str> = changed.iter().map(|(arn, _)| arn.as_str()).collect();
            let missed = missed(answer.failures, hosts.iter().map(HostArn::as_str), &told);
            Done { answered: Answered::Hosts(changed), missed }
        }
        Change::StopTask { cluster, task, reason } => {
            let request = || {
                let ask = ecs.stop_task().cluster(cluster.as_str()).task(task.as_str());
                inked!(pen, aws_sdk_ecs, ask.reason(reason))
            };
            let answer = pen.put(Api::StopTask, request).await?.task;
            let status = answer.and_then(|task| text(task.desired_status)).unwrap_or_default();
            Answered::Task(task.clone(), status).into()
        }
        Change::ProtectTasks { cluster, tasks, minutes } => {
            let names: Vec<String> = tasks.iter().map(ToString::to_string).collect();
            let expires = minutes.and_then(|minutes| i32::try_from(minutes).ok());
            let request = || {
                let ask = ecs.update_task_protection().cluster(cluster.as_str());
                let ask = ask.set_tasks(Some(names.clone())).protection_enabled(minutes.is_some());
                inked!(pen, aws_sdk_ecs, ask.set_expires_in_minutes(expires))
            };
            let answer = pen.put(Api::UpdateTaskProtection, request).await?;
            let protected: Vec<_> = answer
                .protected_tasks
                .unwrap_or_default()
                .into_iter()
                .map(|one| {
                    let until = fractional_moment(one.expiration_date).filter(|_| one.protection_enabled);
                    (TaskArn::new(required(one.task_arn)), until)
                })
                .collect();
            let told: Vec<&str> = protected.iter().map(|(arn, _)| arn.as_str()).collect();
            let missed = missed(answer.failures, tasks.iter().map(TaskArn::as_str), &told);
            Done { answered: Answered::Protected(protected), missed }
        }
        Change::ScaleService { cluster, service, desired } => {
            let wanted = i32::try_from(*desired).unwrap_or(i32::MAX);
            let request = || {
                let ask = ecs.update_service().cluster(cluster.as_str()).service(service.as_str());
                inked!(pen, aws_sdk_ecs, ask.desired_count(wanted))
            };
            service_told(pen.put(Api::UpdateService, request).await?.service)
        }
        Change::Redeploy { cluster, service } => {
            let request = || {
                let ask = ecs.update_service().cluster(cluster.as_str()).service(service.as_str());
                inked!(pen, aws_sdk_ecs, ask.force_new_deployment(true))
            };
            service_told(pen.put(Api::UpdateService, request).await?.service)
        }
        other => return Err(pen.elsewhere(other)),
    })
}

fn service_told(service: Option<aws_sdk_ecs::types::Service>) -> Done {
    let Some(service) = service else { return Answered::Yes.into() };
    let newest = service.deployments.unwrap_or_default().into_iter().next();
    let deployment = newest.and_then(|deployment| text(deployment.id));
    Answered::Service { deployment, desired: count(Some(service.desired_count)) }.into()
}

/// What ECS left out: what it says failed, and what it says nothing of at all.
fn missed<'a>(
    failures: Option<Vec<Failure>>,
    asked: impl Iterator<Item = &'a str>,
    told: &[&str],
) -> Vec<Miss> {
    let mut missed: Vec<Miss> = failures
        .unwrap_or_default()
        .into_iter()
        .map(|failure| Miss {
            target: required(failure.arn),
            reason: required(failure.reason),
            detail: failure.detail,
        })
        .collect();
    // ECS may name by its id alone what was asked for by its ARN.
    let is_named = |name: &str, arn: &str| name == arn || arn.ends_with(&format!("/{name}"));
    for arn in asked {
        let is_told = told.iter().any(|name| is_named(name, arn) || is_named(arn, name));
        if !is_told && !missed.iter().any(|miss| is_named(&miss.target, arn) || is_named(arn, &miss.target)) {
            missed.push(Miss { target: arn.into(), reason: "NOT_ANSWERED".into(), detail: None });
        }
    }
    missed
}

#[cfg(test)]
mod tests {
    use super::missed;
    use aws_sdk_ecs::types::Failure;

    #[test]
    fn what_the_answer_leaves_out_is_missed_too() {
        let failures = vec![Failure::builder().arn("b").reason("MISSING").detail("gone").build()];
        let asked = ["arn:h/a", "arn:h/b", "arn:h/c"];
        let missed = missed(Some(failures), asked.into_iter(), &["arn:h/a"]);
        let told: Vec<_> = missed.iter().map(|miss| (miss.target.as_str(), miss.reason.as_str())).collect();
        assert_eq!(told, [("b", "MISSING"), ("arn:h/c", "NOT_ANSWERED")]);
    }
}
