//! ECS: clusters, services, tasks, container instances. Lists give ARNs only; describing them is the
//! second step, in chunks as large as each call takes.

mod chunks;
mod clusters;
mod failures;
mod hosts;
mod services;
mod tasks;

use super::api::Api;
use super::call::{Desk, Pages};
use super::fan::{self, Piece};
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
    let clusters = answer.clusters.unwrap_or_default().into_iter().map(clusters::cluster).collect();
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
    let services = answer.services.unwrap_or_default().into_iter().map(services::service).collect();
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
