//! Container instances, tasks, services and definitions by their names, with what decides about placement.

use super::{DESCRIBED, DESCRIBED_SERVICES, PAGE, chunks, definitions, failures, hosts, services, tasks};
use crate::aws::api::Api;
use crate::aws::call::Desk;
use crate::aws::look::all;
use crate::aws::translate::{each, fractional_moment, required};
use crate::model::{
    ClusterArn, Definition, HostArn, HostDetail, InstanceId, Protection, ServiceArn, ServiceDetail, Task,
    TaskArn, Text, Trouble,
};
use aws_sdk_ecs::types::{ContainerInstanceField, DesiredStatus, ServiceField, TaskField};
use futures::FutureExt as _;

/// The most tasks whose protection one call tells.
const PROTECTIONS: usize = 10;

/// The most instances that one filter of container instances names.
const FILTERED: usize = 50;

fn texts<T: ToString>(ids: &[T]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// These container instances.
pub(in crate::aws) async fn look_at_hosts(
    desk: &Desk,
    cluster: &ClusterArn,
    of: &[HostArn],
) -> Result<Vec<HostDetail>, Trouble> {
    described(desk, cluster, texts(of)).await
}

async fn described(desk: &Desk, cluster: &ClusterArn, arns: Vec<String>) -> Result<Vec<HostDetail>, Trouble> {
    let ask = |arns: Vec<String>| {
        async move {
            let api = Api::DescribeContainerInstances;
            let request = || {
                let ask = desk.ecs().describe_container_instances().cluster(cluster.as_str());
                let ask = ask.set_container_instances(Some(arns.clone()));
                ask.include(ContainerInstanceField::Tags).send()
            };
            let answer = desk.call(api, request).await?;
            let read = answer.container_instances.unwrap_or_default();
            let read = read.into_iter().map(|raw| hosts::detail(raw, cluster)).collect();
            Ok(failures::settle(desk, api, read, answer.failures)?)
        }
        .boxed()
    };
    all(chunks::of(arns, DESCRIBED), ask).await
}

/// Every container instance of a cluster.
pub(in crate::aws) async fn look_at_all_hosts(
    desk: &Desk,
    cluster: &ClusterArn,
) -> Result<Vec<HostDetail>, Trouble> {
    let request = |token| {
        let ask = desk.ecs().list_container_instances().cluster(cluster.as_str());
        ask.max_results(PAGE).set_next_token(token).send()
    };
    let split = |page: aws_sdk_ecs::operation::list_container_instances::ListContainerInstancesOutput| {
        (page.container_instance_arns.unwrap_or_default(), page.next_token)
    };
    let arns = desk.pages(Api::ListContainerInstances, request, split).await?;
    described(desk, cluster, arns).await
}

/// The container instances of these instances, as far as they have joined the cluster.
pub(in crate::aws) async fn look_at_hosts_on(
    desk: &Desk,
    cluster: &ClusterArn,
    of: &[InstanceId],
) -> Result<Vec<HostDetail>, Trouble> {
    let filters: Vec<String> = of
        .chunks(FILTERED)
        .map(|ids| {
            let ids: Vec<&str> = ids.iter().map(InstanceId::as_str).collect();
            format!("ec2InstanceId in [{}]", ids.join(", "))
        })
        .collect();
    let ask = |filter: String| {
        async move {
            let request = |token| {
                let ask = desk.ecs().list_container_instances().cluster(cluster.as_str()).filter(&filter);
                ask.max_results(PAGE).set_next_token(token).send()
            };
            let split =
                |page: aws_sdk_ecs::operation::list_container_instances::ListContainerInstancesOutput| {
                    (page.container_instance_arns.unwrap_or_default(), page.next_token)
                };
            Ok(desk.pages(Api::ListContainerInstances, request, split).await?)
        }
        .boxed()
    };
    let arns = all(filters, ask).await?;
    described(desk, cluster, arns).await
}

/// These tasks, whatever became of them.
pub(in crate::aws) async fn look_at_tasks(
    desk: &Desk,
    cluster: &ClusterArn,
    of: &[TaskArn],
) -> Result<Vec<Task>, Trouble> {
    told(desk, cluster, texts(of)).await
}

async fn told(desk: &Desk, cluster: &ClusterArn, arns: Vec<String>) -> Result<Vec<Task>, Trouble> {
    let ask = |arns: Vec<String>| {
        async move {
            let request = || {
                let ask = desk.ecs().describe_tasks().cluster(cluster.as_str());
                ask.set_tasks(Some(arns.clone())).include(TaskField::Tags).send()
            };
            let answer = desk.call(Api::DescribeTasks, request).await?;
            let read = each(answer.tasks, tasks::task);
            Ok(failures::settle(desk, Api::DescribeTasks, read, answer.failures)?)
        }
        .boxed()
    };
    all(chunks::of(arns, DESCRIBED), ask).await
}

/// What a list of tasks is narrowed to.
#[derive(Clone, Copy)]
enum Whose<'a> {
    Host(&'a HostArn),
    Service(&'a Text),
}

/// Tasks that have not stopped. ECS lists by what it wants: those that it wants stopped may still run.
async fn alive(desk: &Desk, cluster: &ClusterArn, whose: Whose<'_>) -> Result<Vec<Task>, Trouble> {
    let mut arns: Vec<String> = Vec::new();
    for wish in [DesiredStatus::Running, DesiredStatus::Stopped] {
        let request = |token| {
            let ask = desk.ecs().list_tasks().cluster(cluster.as_str()).desired_status(wish.clone());
            let ask = match whose {
                Whose::Host(host) => ask.container_instance(host.as_str()),
                Whose::Service(name) => ask.service_name(name.as_str()),
            };
            ask.max_results(PAGE).set_next_token(token).send()
        };
        let split = |page: aws_sdk_ecs::operation::list_tasks::ListTasksOutput| {
            (page.task_arns.unwrap_or_default(), page.next_token)
        };
        for arn in desk.pages(Api::ListTasks, request, split).await? {
            // One that is being stopped between the two lists stands in both.
            if !arns.contains(&arn) {
                arns.push(arn);
            }
        }
    }
    let mut read = told(desk, cluster, arns).await?;
    read.retain(|task| !tasks::has_ended(task));
    Ok(read)
}

/// Tasks on a host that have not stopped.
pub(in crate::aws) async fn look_at_tasks_on(
    desk: &Desk,
    cluster: &ClusterArn,
    host: &HostArn,
) -> Result<Vec<Task>, Trouble> {
    match alive(desk, cluster, Whose::Host(host)).await {
        // A host that is gone has no tasks; ECS takes its name for a mistake.
        Err(trouble)
            if trouble.code.as_deref() == Some("InvalidParameterException")
                && trouble.message.contains("not found") =>
        {
            Ok(Vec::new())
        }
        found => found,
    }
}

/// Tasks of a service that have not stopped.
pub(in crate::aws) async fn look_at_tasks_of(
    desk: &Desk,
    cluster: &ClusterArn,
    service: &Text,
) -> Result<Vec<Task>, Trouble> {
    alive(desk, cluster, Whose::Service(service)).await
}

/// These services.
pub(in crate::aws) async fn look_at_services(
    desk: &Desk,
    cluster: &ClusterArn,
    of: &[ServiceArn],
) -> Result<Vec<ServiceDetail>, Trouble> {
    let ask = |arns: Vec<String>| {
        async move {
            let request = || {
                let ask = desk.ecs().describe_services().cluster(cluster.as_str());
                ask.set_services(Some(arns.clone())).include(ServiceField::Tags).send()
            };
            let answer = desk.call(Api::DescribeServices, request).await?;
            let read = each(answer.services, services::detail);
            Ok(failures::settle(desk, Api::DescribeServices, read, answer.failures)?)
        }
        .boxed()
    };
    all(chunks::of(texts(of), DESCRIBED_SERVICES), ask).await
}

/// These task definitions, each once.
pub(in crate::aws) async fn look_at_definitions(
    desk: &Desk,
    of: &[Text],
) -> Result<Vec<Definition>, Trouble> {
    let mut names = texts(of);
    names.sort();
    names.dedup();
    let ask = |name: String| {
        async move {
            let request = || desk.ecs().describe_task_definition().task_definition(name.as_str()).send();
            let answer = desk.call(Api::DescribeTaskDefinition, request).await?;
            Ok(answer.task_definition.map(definitions::definition).into_iter().collect())
        }
        .boxed()
    };
    all(names, ask).await
}

/// Protection of these tasks.
pub(in crate::aws) async fn look_at_protections(
    desk: &Desk,
    cluster: &ClusterArn,
    of: &[TaskArn],
) -> Result<Vec<Protection>, Trouble> {
    let ask = |arns: Vec<String>| {
        async move {
            let api = Api::GetTaskProtection;
            let request = || {
                let ask = desk.ecs().get_task_protection().cluster(cluster.as_str());
                ask.set_tasks(Some(arns.clone())).send()
            };
            let answer = desk.call(api, request).await?;
            let read = answer.protected_tasks.unwrap_or_default().into_iter().map(|raw| Protection {
                task: TaskArn::new(required(raw.task_arn)),
                is_protected: raw.protection_enabled,
                until: fractional_moment(raw.expiration_date).filter(|_| raw.protection_enabled),
            });
            Ok(failures::settle(desk, api, read.collect(), answer.failures)?)
        }
        .boxed()
    };
    all(chunks::of(texts(of), PROTECTIONS), ask).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};
    use crate::model::TroubleKind;

    fn json(status: u16, body: &str) -> Say {
        Say::Whole(status, "application/x-amz-json-1.1", body.to_owned())
    }

    #[tokio::test]
    async fn what_is_gone_is_left_out_and_what_was_not_told_is_trouble() {
        let fake = Fake::new(|_, nth| match nth {
            0 => json(
                200,
                r#"{"tasks":[{"taskArn":"t-1","lastStatus":"STOPPED"}],"failures":[{"arn":"t-2","reason":"MISSING"}]}"#,
            ),
            1 => json(200, r#"{"tasks":[],"failures":[{"arn":"t-2","reason":"ACCESS_DENIED"}]}"#),
            _ => json(400, r#"{"__type":"ClusterNotFoundException","message":"Cluster not found."}"#),
        })
        .await;
        let (desk, cluster) = (fake.desk().await, ClusterArn::new("c"));
        let both = ["t-1", "t-2"].map(TaskArn::new);
        let read = look_at_tasks(&desk, &cluster, &both).await.unwrap();
        assert_eq!(read.iter().map(|task| task.last_status.as_str()).collect::<Vec<_>>(), ["STOPPED"]);
        look_at_tasks(&desk, &cluster, &both).await.unwrap_err();
        let gone = look_at_tasks(&desk, &cluster, &both).await.unwrap_err();
        assert_eq!(gone.kind, TroubleKind::NotFound, "a cluster that is not there empties no host");
        assert!(look_at_tasks(&desk, &cluster, &[]).await.unwrap().is_empty());
        assert_eq!(fake.heard.lock().unwrap().len(), 3, "nothing named, nothing asked");
    }

    #[tokio::test]
    async fn protection_is_asked_ten_at_a_time_and_ends_with_itself() {
        let fake = Fake::new(|request, _| {
            let all: Vec<String> = (0..12)
                .map(|n| format!("t-{n}x"))
                .filter(|arn| request.contains(&format!("\"{arn}\"")))
                .map(|arn| {
                    let on = arn == "t-11x";
                    format!(r#"{{"taskArn":"{arn}","protectionEnabled":{on},"expirationDate":1700000000}}"#)
                })
                .collect();
            json(200, &format!(r#"{{"protectedTasks":[{}],"failures":[]}}"#, all.join(",")))
        })
        .await;
        let of: Vec<TaskArn> = (0..12).map(|n| TaskArn::from(format!("t-{n}x"))).collect();
        let read = look_at_protections(&fake.desk().await, &ClusterArn::new("c"), &of).await.unwrap();
        assert_eq!(read.len(), 12);
        assert_eq!(fake.heard.lock().unwrap().len(), 2);
        let protected: Vec<_> = read.iter().filter(|one| one.is_protected).collect();
        assert_eq!(protected.len(), 1);
        assert!(protected[0].until.is_some() && read[0].until.is_none());
    }
}
