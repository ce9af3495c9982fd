//! The simulator lives: what happens by itself when its time is stepped.

use crate::sim::{json, query, still};
use coredeck::sim::Running;
use serde_json::{Value, json as value};
use std::time::Duration;

async fn ecs(running: &Running, operation: &str, body: Value) -> Value {
    json(running, "ecs", &format!("AmazonEC2ContainerServiceV20141113.{operation}"), body).await
}

async fn service(running: &Running, cluster: &str, name: &str) -> Value {
    let answer = ecs(running, "DescribeServices", value!({ "cluster": cluster, "services": [name] })).await;
    answer["services"][0].clone()
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_goes_on_within_its_limits_and_completes() {
    let running = still().await;
    let before = service(&running, "api-prod", "auth-api").await;
    assert_eq!(before["deployments"].as_array().unwrap().len(), 2);
    for _ in 0..120 {
        running.step(Duration::from_secs(15));
        let now = service(&running, "api-prod", "auth-api").await;
        let count = now["runningCount"].as_u64().unwrap() + now["pendingCount"].as_u64().unwrap();
        // 75 % and 150 % of 8: at least 6 run; those that drain still run.
        assert!(now["runningCount"].as_u64().unwrap() >= 6, "{now}");
        assert!(count <= 12 + 8, "{now}");
    }
    let after = service(&running, "api-prod", "auth-api").await;
    assert_eq!(after["deployments"].as_array().unwrap().len(), 1, "{after}");
    assert_eq!(after["deployments"][0]["rolloutState"], "COMPLETED");
    assert_eq!(after["runningCount"], 8);
    let said = after["events"].to_string();
    assert!(said.contains("has reached a steady state"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_limits_forbid_every_step_never_deploys() {
    let running = still().await;
    running.step(minutes(24 * 60));
    let after = service(&running, "api-prod", "dashboard").await;
    assert_eq!(after["deployments"].as_array().unwrap().len(), 2, "{after}");
    assert_eq!(after["runningCount"], 1);
    let said = after["events"][0]["message"].as_str().unwrap();
    assert!(said.contains("unable to stop or start tasks during a deployment"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_meets_protected_instances_fails_after_an_hour() {
    let running = still().await;
    let ask = "Action=DescribeInstanceRefreshes&Version=2011-01-01&AutoScalingGroupName=workers-r7g";
    let before = query(&running, "autoscaling", ask).await;
    assert!(before.contains("<Status>InProgress</Status>"), "{before}");
    running.step(minutes(90));
    let after = query(&running, "autoscaling", ask).await;
    assert!(
        after.contains("<Status>Failed</Status>") && after.contains("protected from scale in"),
        "{after}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn spot_instances_are_taken_and_replaced() {
    let running = still().await;
    let ask = "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=state-reason-code&Filter.1.Value.1=Server.SpotInstanceTermination";
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..24 {
        running.step(minutes(30));
        let answer = query(&running, "ec2", ask).await;
        for part in answer.split("<instanceId>").skip(1) {
            seen.insert(part.split('<').next().unwrap().to_owned());
        }
    }
    // One was taken before the start; within twelve hours some more are.
    assert!(seen.len() >= 4, "{seen:?}");
    running.step(minutes(10));
    let group = query(
        &running,
        "autoscaling",
        "Action=DescribeAutoScalingGroups&Version=2011-01-01&AutoScalingGroupNames.member.1=api-mixed",
    )
    .await;
    assert_eq!(group.matches("<LifecycleState>InService</LifecycleState>").count(), 8, "{group}");
    // A host whose agent was away when it went has to be deregistered by somebody.
    let asked = value!({ "cluster": "api-prod", "filter": "agentConnected == true" });
    let hosts = ecs(&running, "ListContainerInstances", asked).await;
    let connected = hosts["containerInstanceArns"].as_array().unwrap().len();
    assert!((7..=8).contains(&connected), "{hosts}");
    for name in ["auth-core", "auth-api"] {
        let service = service(&running, "api-prod", name).await;
        assert_eq!(service["runningCount"], service["desiredCount"], "{service}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_follow_their_metrics() {
    let running = still().await;
    running.step(minutes(5));
    let answer =
        query(&running, "monitoring", "Action=DescribeAlarms&Version=2010-08-01&StateValue=ALARM").await;
    assert!(
        answer.contains("prod-slatepay-credits-low") && answer.contains("prod-redwharf-status-check"),
        "{answer}"
    );
    assert!(!answer.contains("prod-lumenary"), "{answer}");
}
