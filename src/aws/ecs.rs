//! ECS: clusters, services, tasks, container instances. Lists give ARNs only; describing them is the
//! second step, in chunks as large as each call takes.

mod change;
mod chunks;
mod clusters;
mod definitions;
mod execute;
mod failures;
mod hosts;
mod look;
mod services;
mod tasks;

pub(super) use change::change;
pub(super) use execute::execute;
pub(super) use look::{
    look_at_all_hosts, look_at_definitions, look_at_hosts, look_at_hosts_on, look_at_protections,
    look_at_services, look_at_tasks, look_at_tasks_of, look_at_tasks_on,
};

use super::api::Api;
use super::call::{Desk, Pages};
use super::fan::{self, Piece};
use crate::aws::translate::each;
use crate::gateway::{GatewayError, Reading};
use crate::model::{CapacityProvider, Cluster, ClusterArn, Host, Service, Task, Text};
use aws_sdk_ecs::types::{ClusterField, ContainerInstanceField, DesiredStatus, ServiceField, TaskField};
use chunks::Chunk;
use futures::FutureExt as _;

/// The longest page of every list.
const PAGE: i32 = 100;

/// How many things one call describes, services apart.
const DESCRIBED: usize = 100;

/// How many services one call describes.
const DESCRIBED_SERVICES: usize = 10;

/// Every cluster with its capacity providers.
pub(super) async fn clusters(desk: &Desk, pages: &Pages) -> Result<Vec<Cluster>, GatewayError> {
    let request = |token| desk.ecs().list_clusters().max_results(PAGE).set_next_token(token).send();
    let listed = desk
        .pages(Api::ListClusters, request, |page| (page.cluster_arns.unwrap_or_default(), page.next_token));
    let (arns, unlisted) = fan::apart(listed.await);
    let described =
        fan::each(chunks::of(arns, DESCRIBED), |arns| describe_clusters(desk, arns).boxed(), |_| ());
    let (mut all, mut trouble) = fan::apart(fan::after(unlisted, described.await));
    let names = clusters::provider_names(&all);
    if !names.is_empty() {
        pages.show(|| Reading::Clusters(all.clone()));
        let ask = |names| describe_providers(desk, names).boxed();
        let (providers, unknown) = fan::apart(fan::each(chunks::of(names, DESCRIBED), ask, |_| ()).await);
        clusters::resolve(&mut all, providers);
        trouble = trouble.or(unknown);
    }
    fan::settle(all, trouble).map_err(|broken| broken.partial(Reading::Clusters))
}

async fn describe_clusters(desk: &Desk, arns: Vec<String>) -> Piece<Cluster> {
    let request = || {
        let ask = desk.ecs().describe_clusters().set_clusters(Some(arns.clone()));
        ask.include(ClusterField::Tags).send()
    };
    let answer = desk.call(Api::DescribeClusters, request).await.map_err(fan::nothing)?;
    let clusters = each(answer.clusters, clusters::cluster);
    failures::settle(desk, Api::DescribeClusters, clusters, answer.failures)
}

/// These providers, ten a page. They are always named: asked for all of an account, moto has no answer.
async fn describe_providers(desk: &Desk, names: Vec<Text>) -> Piece<CapacityProvider> {
    let names: Vec<String> = names.into_iter().map(Into::into).collect();
    let request = |token| {
        let ask = desk.ecs().describe_capacity_providers().set_capacity_providers(Some(names.clone()));
        ask.set_next_token(token).send()
    };
    let mut failed = Vec::new();
    let read = desk.pages(Api::DescribeCapacityProviders, request, |page| {
        failed.extend(page.failures.unwrap_or_default());
        let providers = page.capacity_providers.unwrap_or_default();
        (providers.into_iter().map(clusters::provider).collect(), page.next_token)
    });
    let read = read.await?;
    failures::settle(desk, Api::DescribeCapacityProviders, read, Some(failed))
}

/// Every service of these clusters, with deployments and latest events.
pub(super) async fn services(
    desk: &Desk,
    clusters: &[ClusterArn],
    pages: &Pages,
) -> Result<Vec<Service>, GatewayError> {
    let list = |cluster| list_services(desk, cluster).boxed();
    let (listed, unlisted) = fan::apart(fan::each(clusters.to_vec(), list, |_| ()).await);
    let describe = |chunk| describe_services(desk, chunk).boxed();
    let chunks = chunks::by_cluster(listed, DESCRIBED_SERVICES);
    let described = fan::each(chunks, describe, fan::shown(pages, Reading::Services)).await;
    fan::after(unlisted, described).map_err(|broken| broken.partial(Reading::Services))
}

async fn list_services(desk: &Desk, cluster: ClusterArn) -> Piece<(ClusterArn, String)> {
    let request = |token| {
        let ask = desk.ecs().list_services().cluster(cluster.as_str());
        ask.max_results(PAGE).set_next_token(token).send()
    };
    desk.pages(Api::ListServices, request, |page| {
        (chunks::beside(&cluster, page.service_arns), page.next_token)
    })
    .await
}

async fn describe_services(desk: &Desk, chunk: Chunk) -> Piece<Service> {
    let request = || {
        let ask = desk.ecs().describe_services().cluster(chunk.cluster.as_str());
        ask.set_services(Some(chunk.arns.clone())).include(ServiceField::Tags).send()
    };
    let answer = desk.call(Api::DescribeServices, request).await.map_err(fan::nothing)?;
    let services = each(answer.services, services::service);
    failures::settle(desk, Api::DescribeServices, services, answer.failures)
}

/// Every task of these clusters that runs, waits to run, or is being stopped. ECS lists by what it wants:
/// those it wants stopped include the ones that stopped within the last hour, which are left out.
pub(super) async fn tasks(
    desk: &Desk,
    clusters: &[ClusterArn],
    pages: &Pages,
) -> Result<Vec<Task>, GatewayError> {
    let wishes = [DesiredStatus::Running, DesiredStatus::Stopped];
    let lists = clusters.iter().flat_map(|cluster| wishes.iter().map(|wish| (cluster.clone(), wish.clone())));
    let list = |(cluster, wish)| list_tasks(desk, cluster, wish).boxed();
    let (listed, unlisted) = fan::apart(fan::each(lists.collect(), list, |_| ()).await);
    let describe = |chunk| describe_tasks(desk, chunk).boxed();
    let chunks = chunks::by_cluster(listed, DESCRIBED);
    let described = fan::each(chunks, describe, fan::shown(pages, Reading::Tasks)).await;
    fan::after(unlisted, described).map_err(|broken| broken.partial(Reading::Tasks))
}

async fn list_tasks(desk: &Desk, cluster: ClusterArn, wish: DesiredStatus) -> Piece<(ClusterArn, String)> {
    let request = |token| {
        let ask = desk.ecs().list_tasks().cluster(cluster.as_str()).desired_status(wish.clone());
        ask.max_results(PAGE).set_next_token(token).send()
    };
    desk.pages(Api::ListTasks, request, |page| (chunks::beside(&cluster, page.task_arns), page.next_token))
        .await
}

async fn describe_tasks(desk: &Desk, chunk: Chunk) -> Piece<Task> {
    let request = || {
        let ask = desk.ecs().describe_tasks().cluster(chunk.cluster.as_str());
        ask.set_tasks(Some(chunk.arns.clone())).include(TaskField::Tags).send()
    };
    let answer = desk.call(Api::DescribeTasks, request).await.map_err(fan::nothing)?;
    let tasks = answer.tasks.unwrap_or_default().into_iter().map(tasks::task);
    let tasks = tasks.filter(|task| !tasks::has_ended(task)).collect();
    failures::settle(desk, Api::DescribeTasks, tasks, answer.failures)
}

/// Every container instance of these clusters that is not `INACTIVE`.
pub(super) async fn hosts(
    desk: &Desk,
    clusters: &[ClusterArn],
    pages: &Pages,
) -> Result<Vec<Host>, GatewayError> {
    let list = |cluster| list_hosts(desk, cluster).boxed();
    let (listed, unlisted) = fan::apart(fan::each(clusters.to_vec(), list, |_| ()).await);
    let describe = |chunk| describe_hosts(desk, chunk).boxed();
    let chunks = chunks::by_cluster(listed, DESCRIBED);
    let described = fan::each(chunks, describe, fan::shown(pages, Reading::Hosts)).await;
    fan::after(unlisted, described).map_err(|broken| broken.partial(Reading::Hosts))
}

async fn list_hosts(desk: &Desk, cluster: ClusterArn) -> Piece<(ClusterArn, String)> {
    let request = |token| {
        let ask = desk.ecs().list_container_instances().cluster(cluster.as_str());
        ask.max_results(PAGE).set_next_token(token).send()
    };
    desk.pages(Api::ListContainerInstances, request, |page| {
        (chunks::beside(&cluster, page.container_instance_arns), page.next_token)
    })
    .await
}

async fn describe_hosts(desk: &Desk, chunk: Chunk) -> Piece<Host> {
    let api = Api::DescribeContainerInstances;
    let request = || {
        let ask = desk.ecs().describe_container_instances().cluster(chunk.cluster.as_str());
        ask.set_container_instances(Some(chunk.arns.clone())).include(ContainerInstanceField::Tags).send()
    };
    let answer = desk.call(api, request).await.map_err(fan::nothing)?;
    let hosts = answer.container_instances.unwrap_or_default();
    let hosts = hosts.into_iter().map(|raw| hosts::host(raw, &chunk.cluster)).collect();
    failures::settle(desk, api, hosts, answer.failures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};
    use crate::model::TroubleKind;

    fn json(body: String) -> Say {
        Say::Whole(200, "application/x-amz-json-1.1", body)
    }

    fn is(request: &str, action: &str) -> bool {
        request.contains(&format!("AmazonEC2ContainerServiceV20141113.{action}"))
    }

    #[tokio::test]
    async fn tasks_of_both_wishes_are_described_once_and_those_that_ended_are_left_out() {
        let fake = Fake::new(|request, _| match request {
            text if is(text, "ListTasks") && text.contains("STOPPED") => {
                json(r#"{"taskArns":["t-2","t-3","t-4"]}"#.to_owned())
            }
            text if is(text, "ListTasks") => json(r#"{"taskArns":["t-1","t-2"],"nextToken":""}"#.to_owned()),
            _ => json(
                r#"{"tasks":[{"taskArn":"t-1","lastStatus":"RUNNING"},{"taskArn":"t-2","lastStatus":"STOPPING"},
                    {"taskArn":"t-3","lastStatus":"STOPPED"}],"failures":[{"arn":"t-4","reason":"MISSING"}]}"#
                    .to_owned(),
            ),
        })
        .await;
        let read = tasks(&fake.desk().await, &[ClusterArn::new("c")], &Pages::default()).await.unwrap();
        assert_eq!(read.iter().map(|task| task.arn.as_str()).collect::<Vec<_>>(), ["t-1", "t-2"]);
        let described = fake.heard.lock().unwrap().iter().filter(|text| is(text, "DescribeTasks")).count();
        assert_eq!(described, 1);
    }

    #[tokio::test]
    async fn one_cluster_that_fails_does_not_blank_the_others() {
        let fake = Fake::new(|request, _| match request {
            text if is(text, "ListServices") && text.contains("\"closed\"") => Say::Whole(
                400,
                "application/x-amz-json-1.1",
                r#"{"__type":"AccessDeniedException","Message":"User: arn:aws:iam::1:user/x is not authorized to perform: ecs:ListServices"}"#.to_owned(),
            ),
            text if is(text, "ListServices") && text.contains("\"gone\"") => Say::Whole(
                400,
                "application/x-amz-json-1.1",
                r#"{"__type":"ClusterNotFoundException","message":"Cluster not found."}"#.to_owned(),
            ),
            text if is(text, "ListServices") => {
                let arns: Vec<_> = (0..12).map(|n| format!("\"s-{n}\"")).collect();
                json(format!(r#"{{"serviceArns":[{}]}}"#, arns.join(",")))
            }
            text => {
                let one = |n: &u32| format!(r#"{{"serviceArn":"s-{n}","clusterArn":"open"}}"#);
                let named = |n: &u32| text.contains(&format!("\"s-{n}\""));
                let all: Vec<_> = (0..12).filter(named).map(|n| one(&n)).collect();
                json(format!(r#"{{"services":[{}],"failures":[]}}"#, all.join(",")))
            }
        })
        .await;
        let clusters = ["closed", "gone", "open"].map(ClusterArn::new);
        let error = services(&fake.desk().await, &clusters, &Pages::default()).await.unwrap_err();
        assert_eq!(error.trouble.kind, TroubleKind::Denied);
        assert!(error.trouble.message.starts_with("ecs:ListServices is denied"), "{}", error.trouble.message);
        let Some(Reading::Services(read)) = error.partial.map(|partial| *partial) else { panic!() };
        assert_eq!(read.len(), 12);
        let described = fake.heard.lock().unwrap().iter().filter(|text| is(text, "DescribeServices")).count();
        assert_eq!(described, 2, "ten a call");
    }

    #[tokio::test]
    async fn clusters_stand_without_their_providers_and_say_so() {
        let fake = Fake::new(|request, _| match request {
            text if is(text, "ListClusters") => json(r#"{"clusterArns":["c-1","c-2"]}"#.to_owned()),
            text if is(text, "DescribeClusters") => json(
                r#"{"clusters":[{"clusterArn":"c-1","capacityProviders":["cp","FARGATE"]},{"clusterArn":"c-2"}],
                    "failures":[{"arn":"c-3","reason":"ACCESS_DENIED"}]}"#
                    .to_owned(),
            ),
            _ => Say::Whole(500, "text/html", "<html>".to_owned()),
        })
        .await;
        let error = clusters(&fake.desk().await, &Pages::default()).await.unwrap_err();
        assert!(error.trouble.message.contains("c-3: ACCESS_DENIED"), "{}", error.trouble.message);
        let Some(Reading::Clusters(read)) = error.partial.map(|partial| *partial) else { panic!() };
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].providers.len(), 2);
        let asked = fake.heard.lock().unwrap();
        let provider = asked.iter().find(|text| is(text, "DescribeCapacityProviders")).unwrap();
        assert!(provider.contains("\"cp\"") && !provider.contains("FARGATE"));
    }
}
