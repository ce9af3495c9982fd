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
use super::lean::{Extent, Lean, Shape};
use super::seen::Lasting;
use crate::aws::translate::each;
use crate::gateway::{GatewayError, Reading};
use crate::model::{CapacityProvider, Cluster, ClusterArn, Host, Service, Task, Text};
use aws_sdk_ecs::operation::describe_container_instances::{
    DescribeContainerInstances, DescribeContainerInstancesOutput,
};
use aws_sdk_ecs::operation::describe_services::{DescribeServices, DescribeServicesOutput};
use aws_sdk_ecs::operation::describe_tasks::{DescribeTasks, DescribeTasksOutput};
use aws_sdk_ecs::types::{
    ClusterField, ContainerInstanceField, DesiredStatus, Failure, ServiceField, TaskField,
};
use aws_smithy_runtime_api::client::interceptors::context::Output;
use chunks::Chunk;
use futures::FutureExt as _;
use std::sync::Arc;

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
        fan::each(chunks::of(arns, DESCRIBED), |arns| describe_clusters(desk, arns).boxed(), fan::unshown);
    let (mut all, mut trouble) = fan::apart(fan::after(unlisted, described.await));
    let names = clusters::provider_names(&all);
    if !names.is_empty() {
        pages.show(|| Reading::Clusters(all.clone()));
        let ask = |names| describe_providers(desk, names).boxed();
        let (providers, unknown) =
            fan::apart(fan::each(chunks::of(names, DESCRIBED), ask, fan::unshown).await);
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
    let (listed, unlisted) = fan::apart(fan::each(clusters.to_vec(), list, fan::unshown).await);
    let describe = |chunk| describe_services(desk, chunk).boxed();
    let chunks = chunks::by_cluster(listed, DESCRIBED_SERVICES);
    let seen = &desk.site().seen().services;
    seen.begin();
    let described = fan::each(chunks, describe, fan::shown(pages, Reading::Services)).await;
    seen.end();
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
        let ask = ask.set_services(Some(chunk.arns.clone())).include(ServiceField::Tags).customize();
        let seen = Arc::clone(&desk.site().seen().services);
        let empty = || Output::erase(DescribeServicesOutput::builder().build());
        let lean = Lean::new(&DescribeServices::new(), chunk.cluster.as_str(), empty, whole(), seen);
        async move {
            let answer = ask.interceptor(lean.clone()).send().await?;
            Ok(told(&lean, answer.failures, || each(answer.services, services::service)))
        }
    };
    let (services, failures) = desk.call(Api::DescribeServices, request).await.map_err(fan::nothing)?;
    failures::settle(desk, Api::DescribeServices, services, failures)
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
    let (listed, unlisted) = fan::apart(fan::each(lists.collect(), list, fan::unshown).await);
    let describe = |chunk| describe_tasks(desk, chunk).boxed();
    let chunks = chunks::by_cluster(listed, DESCRIBED);
    let seen = &desk.site().seen().tasks;
    seen.begin();
    let described = fan::each(chunks, describe, fan::shown(pages, Reading::Tasks)).await;
    seen.end();
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
        let ask = ask.set_tasks(Some(chunk.arns.clone())).include(TaskField::Tags).customize();
        let seen = Arc::clone(&desk.site().seen().tasks);
        let empty = || Output::erase(DescribeTasksOutput::builder().build());
        let lean = Lean::new(&DescribeTasks::new(), chunk.cluster.as_str(), empty, whole(), seen);
        async move {
            let answer = ask.interceptor(lean.clone()).send().await?;
            let tasks = || answer.tasks.unwrap_or_default().into_iter().map(tasks::task);
            Ok(told(&lean, answer.failures, || tasks().filter(|task| !tasks::has_ended(task)).collect()))
        }
    };
    let (tasks, failures) = desk.call(Api::DescribeTasks, request).await.map_err(fan::nothing)?;
    failures::settle(desk, Api::DescribeTasks, tasks, failures)
}

/// Every container instance of these clusters that is not `INACTIVE`.
pub(super) async fn hosts(
    desk: &Desk,
    clusters: &[ClusterArn],
    pages: &Pages,
) -> Result<Vec<Host>, GatewayError> {
    let list = |cluster| list_hosts(desk, cluster).boxed();
    let (listed, unlisted) = fan::apart(fan::each(clusters.to_vec(), list, fan::unshown).await);
    let describe = |chunk| describe_hosts(desk, chunk).boxed();
    let chunks = chunks::by_cluster(listed, DESCRIBED);
    let seen = &desk.site().seen().hosts;
    seen.begin();
    let described = fan::each(chunks, describe, fan::shown(pages, Reading::Hosts)).await;
    seen.end();
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
        let ask = ask.set_container_instances(Some(chunk.arns.clone()));
        let ask = ask.include(ContainerInstanceField::Tags).customize();
        let (seen, cluster) = (Arc::clone(&desk.site().seen().hosts), &chunk.cluster);
        let empty = || Output::erase(DescribeContainerInstancesOutput::builder().build());
        // Its answer does not say which cluster it is of.
        let lean = Lean::new(&DescribeContainerInstances::new(), cluster.as_str(), empty, whole(), seen);
        async move {
            let answer = ask.interceptor(lean.clone()).send().await?;
            let hosts = answer.container_instances.unwrap_or_default();
            let hosts = || hosts.into_iter().map(|raw| hosts::host(raw, cluster)).collect();
            Ok(told(&lean, answer.failures, hosts))
        }
    };
    let (hosts, failures) = desk.call(api, request).await.map_err(fan::nothing)?;
    failures::settle(desk, api, hosts, failures)
}

/// What one call describes holds no token: its lists are asked for elsewhere.
const fn whole<T>() -> Shape<T> {
    Shape { list: Extent::Whole, parse: None }
}

/// What one call told, and what it could not. Rows are remembered where it told of all.
fn told<T: Lasting>(
    lean: &Lean<T>,
    failures: Option<Vec<Failure>>,
    rows: impl FnOnce() -> Vec<T>,
) -> (Vec<T>, Option<Vec<Failure>>) {
    let is_all = failures.as_ref().is_none_or(Vec::is_empty);
    let (rows, _) = lean.page_or(|| ((rows(), None), is_all));
    (rows, failures)
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
    async fn an_answer_that_is_the_same_is_handed_out_again_for_the_same_cluster_only() {
        let fake = Fake::new(|request, before| match request {
            text if is(text, "ListContainerInstances") => {
                let host = if text.contains(r#""a""#) { "h-1" } else { "h-2" };
                json(format!(r#"{{"containerInstanceArns":["{host}"]}}"#))
            }
            _ => {
                let status = if before < 8 { "ACTIVE" } else { "DRAINING" };
                let failures = if before < 4 { "" } else { r#","failures":[]"# };
                json(format!(
                    r#"{{"containerInstances":[{{"containerInstanceArn":"h-1","status":"{status}"}}]{failures}}}"#
                ))
            }
        })
        .await;
        let desk = fake.desk().await;
        let clusters = ["a", "b"].map(ClusterArn::new);
        for status in ["ACTIVE", "ACTIVE", "DRAINING", "DRAINING"] {
            let read = hosts(&desk, &clusters, &Pages::default()).await.unwrap();
            let told: Vec<_> = read.iter().map(|it| (it.cluster.as_str(), it.status.as_str())).collect();
            assert_eq!(told, [("a", status), ("b", status)]);
        }
    }

    #[tokio::test]
    async fn what_ecs_could_not_tell_is_said_each_time() {
        let fake = Fake::new(|request, _| match request {
            text if is(text, "ListContainerInstances") => {
                json(r#"{"containerInstanceArns":["h-1"]}"#.to_owned())
            }
            _ => json(
                r#"{"containerInstances":[{"containerInstanceArn":"h-1"}],
                    "failures":[{"arn":"h-2","reason":"ACCESS_DENIED"}]}"#
                    .to_owned(),
            ),
        })
        .await;
        let desk = fake.desk().await;
        for _ in 0..2 {
            let error = hosts(&desk, &[ClusterArn::new("a")], &Pages::default()).await.unwrap_err();
            assert!(error.trouble.message.contains("h-2: ACCESS_DENIED"), "{}", error.trouble.message);
        }
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
