//! ECS in the simulator: the scheduler's arithmetic, placement, daemons, protection, the circuit breaker.

use crate::sim::{json_in, still};
use coredeck::sim::Running;
use serde_json::{Value, json as value};
use std::collections::HashMap;
use std::time::Duration;

pub(crate) async fn ecs(running: &Running, operation: &str, body: Value) -> Value {
    ecs_in(running, "us-east-1", operation, body).await
}

pub(crate) async fn ecs_in(running: &Running, region: &str, operation: &str, body: Value) -> Value {
    json_in(running, region, "ecs", &format!("AmazonEC2ContainerServiceV20141113.{operation}"), body).await
}

async fn service(running: &Running, cluster: &str, name: &str) -> Value {
    let answer = ecs(running, "DescribeServices", value!({ "cluster": cluster, "services": [name] })).await;
    answer["services"][0].clone()
}

/// Registers a small definition and returns its `family:revision`.
async fn define(running: &Running, family: &str, image: &str, mapping: Value, architecture: &str) -> String {
    let container = value!({
        "name": family, "image": image, "cpu": 16, "memory": 32, "essential": true, "portMappings": mapping,
    });
    let asked = value!({
        "family": family, "containerDefinitions": [container],
        "runtimePlatform": { "cpuArchitecture": architecture, "operatingSystemFamily": "LINUX" },
    });
    let made = ecs(running, "RegisterTaskDefinition", asked).await;
    let revision = made["taskDefinition"]["revision"].as_u64().unwrap_or_else(|| panic!("{made}"));
    format!("{family}:{revision}")
}

/// Tasks of a service by host.
async fn hosts_of(running: &Running, cluster: &str, name: &str) -> Vec<String> {
    let listed = ecs(running, "ListTasks", value!({ "cluster": cluster, "serviceName": name })).await;
    if listed["taskArns"].as_array().unwrap().is_empty() {
        return Vec::new();
    }
    let tasks =
        ecs(running, "DescribeTasks", value!({ "cluster": cluster, "tasks": listed["taskArns"] })).await;
    let tasks = tasks["tasks"].as_array().unwrap();
    tasks.iter().map(|task| task["containerInstanceArn"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_is_stuck_exactly_when_the_arithmetic_says_so() {
    let running = still().await;
    let definition = define(&running, "small", "small:1", value!([]), "ARM64").await;
    let mut made: Vec<(String, u32, u32, u32)> = Vec::new();
    for desired in 1..=4_u32 {
        for (min, max) in
            [(0, 100), (50, 100), (50, 150), (75, 100), (75, 125), (90, 110), (100, 120), (100, 200)]
        {
            let name = format!("s-{desired}-{min}-{max}");
            let asked = value!({
                "cluster": "workers-prod", "serviceName": name, "taskDefinition": definition,
                "desiredCount": desired, "capacityProviderStrategy": [{ "capacityProvider": "workers-m7g", "weight": 1 }],
                "deploymentConfiguration": { "minimumHealthyPercent": min, "maximumPercent": max },
            });
            let answer = ecs(&running, "CreateService", asked).await;
            assert_eq!(answer["service"]["status"], "ACTIVE", "{answer}");
            made.push((name, desired, min, max));
        }
    }
    running.step(Duration::from_secs(600));
    let mut by_host: HashMap<String, usize> = HashMap::new();
    let mut before: HashMap<String, Vec<String>> = HashMap::new();
    for (name, desired, _, _) in &made {
        let hosts = hosts_of(&running, "workers-prod", name).await;
        assert_eq!(hosts.len(), *desired as usize, "{name}");
        for host in &hosts {
            *by_host.entry(host.clone()).or_default() += 1;
        }
        before.insert(name.clone(), hosts);
    }
    let host = by_host.iter().max_by_key(|(_, count)| **count).unwrap().0.clone();
    let body = value!({ "cluster": "workers-prod", "containerInstances": [host], "status": "DRAINING" });
    ecs(&running, "UpdateContainerInstancesState", body).await;
    running.step(Duration::from_secs(2 * 3600));
    let mut judged = 0;
    for (name, desired, min, max) in &made {
        if !before[name].contains(&host) {
            continue;
        }
        judged += 1;
        let is_blocked = (desired * min).div_ceil(100) >= *desired && desired * max / 100 <= *desired;
        let stays = hosts_of(&running, "workers-prod", name).await.contains(&host);
        assert_eq!(stays, is_blocked, "{name}");
        let now = service(&running, "workers-prod", name).await;
        assert_eq!(now["runningCount"], *desired, "{now}");
        let said = now["events"].to_string().contains("unable to stop or start tasks during a deployment");
        assert_eq!(said, is_blocked, "{now}");
    }
    assert!(judged >= 16, "{judged}");
}

#[tokio::test(flavor = "multi_thread")]
async fn daemons_stop_last_and_standalone_tasks_never() {
    let running = still().await;
    let cluster = "workers-prod";
    let definition = define(&running, "agent", "agent:1", value!([]), "ARM64").await;
    let asked = value!({
        "cluster": cluster, "serviceName": "agent", "taskDefinition": definition, "schedulingStrategy": "DAEMON",
        "launchType": "EC2",
    });
    ecs(&running, "CreateService", asked).await;
    running.step(Duration::from_secs(300));
    let replicas = hosts_of(&running, cluster, "webhook-worker").await;
    let host = replicas[0].clone();
    let daemons = hosts_of(&running, cluster, "agent").await;
    assert!(daemons.contains(&host) && daemons.len() >= 5, "{daemons:?}");
    // A batch of their own is placed by the expression on the one host.
    let instance = ecs(
        &running,
        "DescribeContainerInstances",
        value!({ "cluster": cluster, "containerInstances": [host] }),
    )
    .await;
    let instance = instance["containerInstances"][0]["ec2InstanceId"].as_str().unwrap().to_owned();
    let alone = value!({
        "cluster": cluster, "taskDefinition": definition, "startedBy": "me", "clientToken": "once",
        "placementConstraints": [{ "type": "memberOf", "expression": format!("ec2InstanceId == {instance}") }],
    });
    let first = ecs(&running, "RunTask", alone.clone()).await;
    let again = ecs(&running, "RunTask", alone.clone()).await;
    assert_eq!(first["tasks"][0]["taskArn"], again["tasks"][0]["taskArn"], "once for a token");
    let other = ecs(&running, "RunTask", {
        let mut other = alone;
        other["count"] = 2.into();
        other
    })
    .await;
    assert_eq!(other["__type"], "ConflictException");
    assert_eq!(first["tasks"][0]["containerInstanceArn"], host.as_str());
    let body = value!({ "cluster": cluster, "containerInstances": [host], "status": "DRAINING" });
    ecs(&running, "UpdateContainerInstancesState", body).await;
    let mut order = Vec::new();
    for _ in 0..120 {
        running.step(Duration::from_secs(10));
        for name in ["webhook-worker", "agent"] {
            if !order.contains(&name) && !hosts_of(&running, cluster, name).await.contains(&host) {
                order.push(name);
            }
        }
    }
    assert_eq!(order, ["webhook-worker", "agent"]);
    let left = ecs(
        &running,
        "DescribeTasks",
        value!({ "cluster": cluster, "tasks": [first["tasks"][0]["taskArn"]] }),
    )
    .await;
    assert_eq!(left["tasks"][0]["lastStatus"], "RUNNING", "{left}");
    let mutations = running.mutations();
    let runs: Vec<bool> =
        mutations.iter().filter(|one| one.action == "RunTask").map(|one| one.acted).collect();
    assert_eq!(runs, [true, false, false], "a repetition under a token does nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_breaker_brings_the_last_good_deployment_back() {
    let running = still().await;
    let good =
        service(&running, "api-prod", "auth-core").await["taskDefinition"].as_str().unwrap().to_owned();
    let mapping = value!([{ "containerPort": 3567, "hostPort": 0, "protocol": "tcp" }]);
    let broken =
        define(&running, "auth-core", "supertokens/supertokens-postgresql:missing", mapping, "X86_64").await;
    let asked = value!({ "cluster": "api-prod", "service": "auth-core", "taskDefinition": broken });
    ecs(&running, "UpdateService", asked).await;
    let mut failed = false;
    for _ in 0..60 {
        running.step(Duration::from_secs(20));
        let now = service(&running, "api-prod", "auth-core").await;
        let states: Vec<&Value> =
            now["deployments"].as_array().unwrap().iter().map(|d| &d["rolloutState"]).collect();
        failed |= states.iter().any(|state| *state == "FAILED");
    }
    assert!(failed);
    let now = service(&running, "api-prod", "auth-core").await;
    assert_eq!(now["taskDefinition"], good.as_str(), "{now}");
    assert!(
        now["deployments"][0]["rolloutStateReason"].as_str().unwrap().contains("rolling back")
            || now["deployments"][0]["rolloutState"] == "COMPLETED",
        "{now}"
    );
    let stopped = ecs(
        &running,
        "ListTasks",
        value!({ "cluster": "api-prod", "serviceName": "auth-core", "desiredStatus": "STOPPED" }),
    )
    .await;
    let stopped =
        ecs(&running, "DescribeTasks", value!({ "cluster": "api-prod", "tasks": stopped["taskArns"] })).await;
    assert!(stopped["tasks"].to_string().contains("CannotPullContainerError"), "{stopped}");
    assert!(now["runningCount"].as_u64().unwrap() >= 6, "{now}");
}

#[tokio::test(flavor = "multi_thread")]
async fn protected_tasks_outlive_a_scale_in() {
    let running = still().await;
    let listed =
        ecs(&running, "ListTasks", value!({ "cluster": "workers-prod", "serviceName": "webhook-worker" }))
            .await;
    let tasks = listed["taskArns"].as_array().unwrap().clone();
    let kept: Vec<Value> = tasks[3..5].to_vec();
    let asked = value!({ "cluster": "workers-prod", "tasks": kept, "protectionEnabled": true, "expiresInMinutes": 60 });
    let done = ecs(&running, "UpdateTaskProtection", asked).await;
    assert_eq!(done["protectedTasks"].as_array().unwrap().len(), 2, "{done}");
    let asked = value!({ "cluster": "workers-prod", "service": "webhook-worker", "desiredCount": 0 });
    ecs(&running, "UpdateService", asked).await;
    running.step(Duration::from_secs(1800));
    let left =
        ecs(&running, "ListTasks", value!({ "cluster": "workers-prod", "serviceName": "webhook-worker" }))
            .await;
    let mut left = left["taskArns"].as_array().unwrap().clone();
    left.sort_by_key(ToString::to_string);
    let mut kept = kept;
    kept.sort_by_key(ToString::to_string);
    assert_eq!(left, kept);
    running.step(Duration::from_secs(3600));
    let left =
        ecs(&running, "ListTasks", value!({ "cluster": "workers-prod", "serviceName": "webhook-worker" }))
            .await;
    assert_eq!(left["taskArns"], value!([]), "protection ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_and_distinct_hosts_limit_where_tasks_go() {
    let running = still().await;
    let mapping = value!([{ "containerPort": 80, "hostPort": 8080, "protocol": "tcp" }]);
    let definition = define(&running, "fixed", "fixed:1", mapping, "ARM64").await;
    let asked = value!({
        "cluster": "workers-prod", "serviceName": "fixed", "taskDefinition": definition, "desiredCount": 20,
        "launchType": "EC2",
    });
    ecs(&running, "CreateService", asked).await;
    running.step(Duration::from_secs(300));
    let mut hosts = hosts_of(&running, "workers-prod", "fixed").await;
    let count = hosts.len();
    hosts.sort();
    hosts.dedup();
    assert_eq!(hosts.len(), count, "one port, one host");
    assert!(count < 20, "{count}");
    let said = service(&running, "workers-prod", "fixed").await["events"].to_string();
    assert!(said.contains("already using a port required by your task"), "{said}");
    let none = value!({
        "cluster": "workers-prod", "taskDefinition": definition, "count": 1,
        "placementConstraints": [{ "type": "memberOf", "expression": "attribute:ecs.instance-type == m7g.large" }],
    });
    let answer = ecs(&running, "RunTask", none).await;
    assert_eq!(answer["failures"][0]["reason"], "RESOURCE:PORTS", "{answer}");
    let refused =
        ecs(&running, "DeleteService", value!({ "cluster": "workers-prod", "service": "fixed" })).await;
    assert_eq!(refused["__type"], "InvalidParameterException");
    let gone = ecs(
        &running,
        "DeleteService",
        value!({ "cluster": "workers-prod", "service": "fixed", "force": true }),
    )
    .await;
    assert_eq!(gone["service"]["status"], "DRAINING");
    running.step(Duration::from_secs(300));
    assert_eq!(service(&running, "workers-prod", "fixed").await["status"], "INACTIVE");
}
