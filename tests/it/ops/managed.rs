//! Hosts whose capacity provider drains by itself: who drains is said, and never do both.

use super::bench::{Bench, intent};
use crate::sim::query;
use crate::sim_services::ecs;
use coredeck::error::ErrorKind;
use coredeck::model::Known;
use coredeck::ops::{Intent, Outcome, Then, Timer};
use serde_json::json as value;
use std::time::Duration;

/// A host of the workers, its ARN, and whether ECS is told to drain hosts of its provider.
async fn worker(bench: &Bench) -> (String, String) {
    let world = bench.world("drain").await;
    let found = world.fleet.instances.iter().find_map(|row| match (&row.host, &row.member) {
        (Known::Yes(Some(host)), Known::Yes(Some(member)))
            if host.status == "ACTIVE"
                && host.provider.as_deref() == Some("workers-m7g")
                && member.state == "InService"
                && row.it.tags.get("coredeck:do-not-disrupt").is_none() =>
        {
            Some((row.it.id.to_string(), host.arn.to_string()))
        }
        _ => None,
    });
    found.expect("a worker")
}

fn drain(host: &str, then: Then) -> Intent {
    let mut wanted = intent("drain", &[host]);
    wanted.options.then = then;
    wanted.options.override_budget = true;
    wanted
}

async fn stage(bench: &Bench, id: &str) -> String {
    let body = format!("Action=DescribeAutoScalingInstances&Version=2011-01-01&InstanceIds.member.1={id}");
    let told = query(&bench.running, "autoscaling", &body).await;
    let state =
        told.split_once("<LifecycleState>").map(|(_, rest)| rest.split_once('<').unwrap().0.to_owned());
    state.unwrap_or_else(|| "gone".to_owned())
}

/// Tasks of the service that run, at this moment.
async fn serving(bench: &Bench) -> u64 {
    let body = value!({ "cluster": "workers-prod", "services": ["webhook-worker"] });
    let told = ecs(&bench.running, "DescribeServices", body).await;
    told["services"][0]["runningCount"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_we_emptied_meets_a_hook_that_finds_nothing_to_wait_for() {
    let bench = Bench::new().await;
    let (host, _) = worker(&bench).await;
    let plan = bench.plan(drain(&host, Then::Terminate)).await.unwrap();
    let said = plan.warnings.iter().find(|one| one.contains("managed draining")).expect("it is said");
    assert!(said.contains("workers-m7g") && said.contains("its hook holds it for a moment"), "{said}");
    let wanted = serving(&bench).await;
    let record = bench.enter(&plan);
    let op = bench.run(&record.id).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Done), "{:?}", op.lanes);
    assert_eq!(stage(&bench, &host).await, "gone");
    assert!(serving(&bench).await >= wanted);
    let changes = bench.changes();
    // We drained, and then the group ended it; ECS's own hook made nobody wait for its hour.
    assert_eq!(
        (changes["UpdateContainerInstancesState"], changes["TerminateInstanceInAutoScalingGroup"]),
        (1, 1),
        "{changes:?}"
    );
    let took = bench.timer.now().duration_since(super::bench::start());
    assert!(took < jiff::SignedDuration::from_mins(20), "{took:?}");
    // What stays in its group is no affair of ECS's hook: nothing is said.
    let (other, _) = worker(&bench).await;
    let kept = bench.plan(drain(&other, Then::Keep)).await.unwrap();
    assert!(!kept.warnings.iter().any(|one| one.contains("managed draining")), "{:?}", kept.warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ecs_drains_already_is_left_to_it() {
    let bench = Bench::new().await;
    let (host, arn) = worker(&bench).await;
    let plan = bench.plan(drain(&host, Then::Terminate)).await.unwrap();
    let end = format!(
        "Action=TerminateInstanceInAutoScalingGroup&Version=2011-01-01&InstanceId={host}\
         &ShouldDecrementDesiredCapacity=false"
    );
    query(&bench.running, "autoscaling", &end).await;
    bench.running.step(Duration::from_secs(1));
    assert_eq!(stage(&bench, &host).await, "Terminating:Wait");
    let body = value!({ "cluster": "workers-prod", "containerInstances": [arn] });
    let told = ecs(&bench.running, "DescribeContainerInstances", body).await;
    assert_eq!(told["containerInstances"][0]["status"], "DRAINING", "ECS does");
    let before = bench.changes();
    // A plan that was made before is stale, and nothing is done for it.
    let record = bench.enter(&plan);
    let op = bench.run(&record.id).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Failed), "{:?}", op.lanes);
    assert!(op.lanes[0].why.iter().any(|why| why.contains("Terminating:Wait")), "{:?}", op.lanes[0].why);
    let refused = bench.plan(drain(&host, Then::Keep)).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Refused);
    let why = refused.source.unwrap().to_string();
    assert!(
        why.contains("workers-m7g is ending it already: it is Terminating:Wait, and ECS drains it")
            && why.contains("leave it to them"),
        "{why}"
    );
    assert_eq!(bench.changes(), before);
}
