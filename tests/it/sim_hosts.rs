//! Pretended docker hosts and cores: documents that list and stop containers, hosts that never answer, and the cores'
//! own interface.

use crate::loopback;
use crate::sim::{json, query, still};
use coredeck::clock::Clock;
use coredeck::sim::{CoreAt, Options, Running, serve};
use serde_json::{Value, json as value};
use std::time::Duration;

pub(super) async fn ssm(running: &Running, operation: &str, body: Value) -> Value {
    json(running, "ssm", &format!("AmazonSSM.{operation}"), body).await
}

/// The document that stops containers: fixed, its parameters checked, safe to run twice.
const STOP: &str = r#"{
  "schemaVersion": "2.2", "description": "Stop containers",
  "parameters": {
    "ids": { "type": "StringList", "allowedPattern": "^[0-9a-f]{12,64}$", "interpolationType": "ENV_VAR" },
    "seconds": { "type": "String", "allowedPattern": "^[0-9]{1,3}$", "default": "30", "interpolationType": "ENV_VAR" }
  },
  "mainSteps": [{ "action": "aws:runShellScript", "name": "stop", "inputs": { "timeoutSeconds": "600", "runCommand": [
    "set -u",
    "if [ -z \"${SSM_ids+x}\" ]; then echo 'this agent is too old' >&2; exit 78; fi",
    "for id in $SSM_ids; do docker stop -t \"$SSM_seconds\" \"$id\" || exit 1; done",
    "docker ps --no-trunc --format '{{json .}}'"
  ] } }]
}"#;

const LIST: &str = r#"{
  "schemaVersion": "2.2", "description": "List containers",
  "mainSteps": [{ "action": "aws:runShellScript", "name": "list", "inputs": { "runCommand": [
    "docker ps --no-trunc --format '{{json .}}'"
  ] } }]
}"#;

async fn named(running: &Running, name: &str) -> String {
    let body = format!(
        "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag:Name&Filter.1.Value.1={name}&Filter.2.Name=instance-state-name&Filter.2.Value.1=running"
    );
    let answer = query(running, "ec2", &body).await;
    answer
        .split_once("<instanceId>")
        .unwrap_or_else(|| panic!("{answer}"))
        .1
        .split('<')
        .next()
        .unwrap()
        .to_owned()
}

async fn send(running: &Running, document: &str, host: &str, more: Value) -> String {
    let mut body =
        value!({ "DocumentName": document, "InstanceIds": [host], "TimeoutSeconds": 60, "Comment": "op 1" });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let answer = ssm(running, "SendCommand", body).await;
    answer["Command"]["CommandId"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

async fn invocation(running: &Running, command: &str, host: &str) -> Value {
    ssm(running, "GetCommandInvocation", value!({ "CommandId": command, "InstanceId": host })).await
}

/// Rows of `docker ps` in what an invocation wrote.
fn rows(invocation: &Value) -> Vec<Value> {
    let out = invocation["StandardOutputContent"].as_str().unwrap_or_else(|| panic!("{invocation}"));
    out.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_are_listed_and_stopped_by_documents() {
    let running = still().await;
    for (name, content) in [("coredeck-list", LIST), ("coredeck-stop", STOP)] {
        let made = ssm(
            &running,
            "CreateDocument",
            value!({ "Name": name, "Content": content, "DocumentType": "Command" }),
        )
        .await;
        assert_eq!(made["DocumentDescription"]["Status"], "Active", "{made}");
    }
    let group = query(
        &running,
        "autoscaling",
        "Action=DescribeAutoScalingGroups&Version=2011-01-01&AutoScalingGroupNames.member.1=dev-hosts",
    )
    .await;
    let host = group.split_once("<InstanceId>").unwrap().1.split('<').next().unwrap().to_owned();
    let command = send(&running, "coredeck-list", &host, value!({})).await;
    assert_eq!(invocation(&running, &command, &host).await["__type"], "InvocationDoesNotExist");
    running.step(Duration::from_secs(2));
    let early = invocation(&running, &command, &host).await;
    assert!(early["__type"].is_null(), "{early}");
    running.step(Duration::from_secs(8));
    let listed = invocation(&running, &command, &host).await;
    assert_eq!(listed["Status"], "Success", "{listed}");
    let before = rows(&listed);
    assert_eq!(before.len(), 7, "{listed}");
    assert!(before[0]["Ports"].as_str().unwrap().contains("->3567/tcp"), "{listed}");
    assert!(before[0]["Labels"].as_str().unwrap().contains("coredeck.core=dev-"), "{listed}");
    let ids: Vec<&str> = before.iter().take(2).map(|row| row["ID"].as_str().unwrap()).collect();
    let command =
        send(&running, "coredeck-stop", &host, value!({ "Parameters": { "ids": ids, "seconds": ["30"] } }))
            .await;
    running.step(Duration::from_secs(60));
    let stopped = invocation(&running, &command, &host).await;
    assert_eq!(
        (stopped["Status"].as_str(), stopped["ResponseCode"].as_i64()),
        (Some("Success"), Some(0)),
        "{stopped}"
    );
    assert_eq!(rows(&stopped).len(), 5);
    // Once more is no harm.
    let command = send(&running, "coredeck-stop", &host, value!({ "Parameters": { "ids": ids } })).await;
    running.step(Duration::from_secs(60));
    assert_eq!(invocation(&running, &command, &host).await["Status"], "Success");
    let known = ssm(
        &running,
        "ListCommands",
        value!({ "Filters": [{ "key": "DocumentName", "value": "coredeck-stop" }] }),
    )
    .await;
    assert_eq!(known["Commands"].as_array().unwrap().len(), 2);
    assert_eq!(known["Commands"][0]["Comment"], "op 1");
    for bad in [value!({ "ids": ["x; rm -rf /"] }), value!({ "ids": ids, "other": ["1"] }), value!({})] {
        let body = value!({ "DocumentName": "coredeck-stop", "InstanceIds": [host], "Parameters": bad });
        let answer = ssm(&running, "SendCommand", body).await;
        assert_eq!(answer["__type"], "InvalidParameters", "{answer}");
    }
    let hashed = value!({ "DocumentName": "coredeck-list", "InstanceIds": [host], "DocumentHash": "00", "DocumentHashType": "Sha256" });
    assert_eq!(ssm(&running, "SendCommand", hashed).await["__type"], "InvalidDocument");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_an_agent_never_answers() {
    let running = still().await;
    let (silent, gone) = (named(&running, "prod-thistle").await, named(&running, "prod-lumenary").await);
    ssm(
        &running,
        "CreateDocument",
        value!({ "Name": "coredeck-list", "Content": LIST, "DocumentType": "Command" }),
    )
    .await;
    let first = send(&running, "coredeck-list", &silent, value!({})).await;
    let second = send(&running, "coredeck-list", &gone, value!({})).await;
    query(&running, "ec2", &format!("Action=TerminateInstances&Version=2016-11-15&InstanceId.1={gone}"))
        .await;
    running.step(Duration::from_secs(30));
    assert_eq!(invocation(&running, &first, &silent).await["Status"], "Pending");
    let lost = invocation(&running, &second, &gone).await;
    assert_eq!(
        (lost["Status"].as_str(), lost["StatusDetails"].as_str()),
        (Some("Failed"), Some("Undeliverable"))
    );
    running.step(Duration::from_secs(60));
    let late = invocation(&running, &first, &silent).await;
    assert_eq!(
        (late["Status"].as_str(), late["StatusDetails"].as_str()),
        (Some("TimedOut"), Some("DeliveryTimedOut"))
    );
    let body = value!({ "DocumentName": "coredeck-list", "InstanceIds": [gone] });
    assert_eq!(ssm(&running, "SendCommand", body).await["__type"], "InvalidInstanceId");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_errors_end_a_command_and_a_cancelled_one_begins_no_more() {
    let running = still().await;
    let bad = LIST.replace("docker ps --no-trunc --format '{{json .}}'", "exit 3");
    ssm(&running, "CreateDocument", value!({ "Name": "bad", "Content": bad, "DocumentType": "Command" }))
        .await;
    let body = value!({
        "DocumentName": "bad", "Targets": [{ "Key": "tag:tier", "Values": ["development"] }],
        "MaxConcurrency": "2", "MaxErrors": "1",
    });
    let sent = ssm(&running, "SendCommand", body).await;
    let id = sent["Command"]["CommandId"].clone();
    assert!(sent["Command"]["TargetCount"].as_u64().unwrap() >= 12, "{sent}");
    running.step(Duration::from_secs(120));
    let all = ssm(&running, "ListCommandInvocations", value!({ "CommandId": id, "Details": true })).await;
    let all = all["CommandInvocations"].as_array().unwrap();
    let count = |details: &str| all.iter().filter(|one| one["StatusDetails"] == details).count();
    // Whoever had begun when the second one failed runs to its end.
    let failed = count("Failed");
    assert!((2..=3).contains(&failed), "{all:?}");
    assert_eq!(count("Terminated"), all.len() - failed, "{all:?}");
    let host = named(&running, "prod-thistle").await;
    let slow = send(&running, "bad", &host, value!({ "TimeoutSeconds": 3600 })).await;
    running.step(Duration::from_secs(5));
    ssm(&running, "CancelCommand", value!({ "CommandId": slow })).await;
    let known = ssm(&running, "ListCommands", value!({ "CommandId": slow })).await;
    assert_eq!(known["Commands"][0]["Status"], "Cancelled", "{known}");
}

/// Asks a core at its own port; nothing came when nothing listens there.
async fn core(at: &CoreAt, path: &str, headers: &[(&str, &str)]) -> Option<(u16, String)> {
    let host = at.listens.unwrap().to_string();
    let path = path.to_owned();
    let headers: Vec<(String, String)> =
        headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let asked = tokio::task::spawn_blocking(move || {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        std::panic::catch_unwind(|| loopback::ask(&host, "GET", &path, &headers, b"")).ok()
    });
    let answer = asked.await.unwrap()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head[9..12].parse().unwrap(), body.to_owned()))
}

async fn with_cores() -> Running {
    let clock = Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
    serve(Options { clock, speed: 0.0, cores: true, ..Options::default() }).await.unwrap()
}

async fn key(running: &Running, id: &str) -> String {
    let name = format!("/coredeck/demo/secrets/{id}/api-key");
    let answer = ssm(running, "GetParameter", value!({ "Name": name, "WithDecryption": true })).await;
    answer["Parameter"]["Value"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_core_tells_its_tenants_to_whoever_has_the_key() {
    let running = with_cores().await;
    let cores = running.cores();
    let shared = cores.iter().find(|core| core.id == "shared-prod-1").unwrap();
    let secret = key(&running, "shared-prod-1").await;
    let list = "/recipe/multitenancy/connectionuridomain/list/v2";
    assert_eq!(core(shared, list, &[]).await, Some((401, "Invalid API key\n".to_owned())));
    let (status, body) = core(shared, list, &[("api-key", &secret), ("cdi-version", "5.1")]).await.unwrap();
    let all: Value = serde_json::from_str(&body).unwrap();
    let domains = all["connectionUriDomains"].as_array().unwrap();
    assert_eq!((status, domains.len()), (200, 48), "the base and 47 tenants");
    let one = domains[1]["connectionUriDomain"].as_str().unwrap();
    let own = domains[1]["apps"][0]["tenants"][0]["coreConfig"]["api_keys"].as_str().unwrap();
    let (status, body) = core(shared, list, &[("api-key", own), ("host", one)]).await.unwrap();
    assert_eq!(status, 403, "{body}");
    let (status, _) = core(shared, list, &[("api-key", &secret), ("host", one)]).await.unwrap();
    assert_eq!(status, 401, "a customer with keys of its own is not opened by the base's");
    let (_, base) = core(shared, "/users/count", &[("api-key", &secret)]).await.unwrap();
    let (_, of_one) = core(shared, "/users/count", &[("api-key", own), ("host", one)]).await.unwrap();
    let (_, of_nobody) =
        core(shared, "/users/count", &[("api-key", &secret), ("host", "nobody.example")]).await.unwrap();
    assert!(base != of_one && base == of_nobody, "an unknown host is the base: {base} {of_one} {of_nobody}");
    for path in [
        "/recipe/multitenancy/app/list/v2",
        "/recipe/multitenancy/tenant/list/v2",
        "/users/count/active?since=0",
        "/ee/featureflag",
        "/apiversion",
        "/telemetry",
    ] {
        let (status, body) = core(shared, path, &[("api-key", &secret)]).await.unwrap();
        assert!(status == 200 && serde_json::from_str::<Value>(&body).is_ok(), "{path}: {status} {body}");
    }
    let (status, body) =
        core(shared, "/users/count", &[("api-key", &secret), ("cdi-version", "99.0")]).await.unwrap();
    assert_eq!((status, body.as_str()), (400, "cdi-version 99.0 not supported\n"));
    assert_eq!(
        core(shared, "/no/users/count", &[("api-key", &secret)]).await.unwrap().0,
        400,
        "a tenant that is not there"
    );
    assert_eq!(
        core(shared, "/recipe/no/such", &[("api-key", &secret)]).await,
        Some((404, "Not found\n".to_owned()))
    );
    let (_, body) = core(shared, "/requests/stats", &[("api-key", &secret)]).await.unwrap();
    let stats: Value = serde_json::from_str(&body).unwrap();
    let averages = stats["averageRequestsPerSecond"].as_array().unwrap();
    assert_eq!((averages.len(), stats["peakRequestsPerSecond"].as_array().unwrap().len()), (1440, 1440));
    assert!(averages.iter().all(|one| one.as_f64().unwrap() > 0.0), "it has been up for days");
}

#[tokio::test(flavor = "multi_thread")]
async fn hello_says_yes_too_often_and_a_stopped_core_says_nothing() {
    let running = with_cores().await;
    let cores = running.cores();
    let lone = cores.iter().find(|core| core.id == "prod-lumenary").unwrap();
    assert_eq!(core(lone, "/hello", &[]).await, Some((200, "Hello\n".to_owned())));
    assert!(running.cut_off("prod-lumenary", true));
    let mut said = Vec::new();
    for _ in 0..7 {
        said.push(core(lone, "/hello", &[]).await.unwrap().0);
    }
    // Four tokens are left; beyond them nobody asks the database.
    assert_eq!(said, [500, 500, 500, 500, 200, 200, 200]);
    running.step(Duration::from_millis(400));
    assert_eq!(core(lone, "/hello", &[]).await.unwrap().0, 500);
    running.cut_off("prod-lumenary", false);
    // Through the proxy by the address of the pretended network.
    let door = running.cores_door().unwrap().to_string();
    let path = format!("http://{}/hello", lone.address);
    let answer =
        tokio::task::spawn_blocking(move || loopback::ask(&door, "GET", &path, &[], b"")).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("Hello\n"), "{answer}");
    query(
        &running,
        "ec2",
        &format!("Action=StopInstances&Version=2016-11-15&InstanceId.1={}", lone.instance),
    )
    .await;
    running.step(Duration::from_secs(60));
    assert_eq!(core(lone, "/hello", &[]).await, None);
    query(
        &running,
        "ec2",
        &format!("Action=StartInstances&Version=2016-11-15&InstanceId.1={}", lone.instance),
    )
    .await;
    running.step(Duration::from_secs(120));
    assert_eq!(core(lone, "/hello", &[]).await.unwrap().0, 200, "docker starts it again");
}

/// What somebody at a shell of a host reads.
async fn typed(running: &Running, host: &str, script: &str) -> String {
    let more = value!({ "Parameters": { "commands": [script] } });
    let command = send(running, "AWS-RunShellScript", host, more).await;
    running.step(Duration::from_secs(60));
    let ended = invocation(running, &command, host).await;
    assert_eq!(ended["Status"], "Success", "{ended}");
    ended["StandardOutputContent"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_containers_wrote_stays_as_it_was_whoever_starts_and_stops_beside_them() {
    let running = with_cores().await;
    let noon: jiff::Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let at = |seconds: i64| noon + jiff::SignedDuration::from_secs(seconds);
    let cores = running.cores();
    let one = cores.iter().find(|core| core.id == "dev-001").unwrap();
    let other = cores.iter().find(|core| core.instance == one.instance && core.id != one.id).unwrap();
    let span = format!("--since {} --until {}", at(-30), at(-20));
    let logs = format!("docker logs --timestamps {span} supertokens-{}", one.id);
    let before = typed(&running, &one.instance, &logs).await;
    assert!(before.lines().count() > 5, "{before}");
    // Somebody beside it stops, and then it is started anew itself.
    typed(&running, &one.instance, &format!("docker stop supertokens-{}", other.id)).await;
    assert_eq!(typed(&running, &one.instance, &logs).await, before);
    typed(&running, &one.instance, &format!("docker restart supertokens-{}", one.id)).await;
    assert_eq!(typed(&running, &one.instance, &logs).await, before);
    let span = format!("--since {} --until {}", at(178), at(215));
    let life = typed(&running, &one.instance, &format!("docker logs {span} supertokens-{}", one.id)).await;
    assert!(life.contains("Goodbye") && life.contains("Started SuperTokens"), "{life}");
    // A task that stops leaves its stream, and changes nothing in those of others on its host.
    let told = async || {
        let ask = value!({
            "logGroupName": "/ecs/auth-core", "startTime": at(-3).as_millisecond(), "endTime": at(-1).as_millisecond(),
        });
        let said = json(&running, "logs", "Logs_20140328.FilterLogEvents", ask).await;
        assert!(said["nextToken"].is_null() && said["events"].as_array().unwrap().len() > 5, "{said}");
        said["events"].to_string()
    };
    let before = told().await;
    let ecs = async |operation: &str, body: Value| {
        json(&running, "ecs", &format!("AmazonEC2ContainerServiceV20141113.{operation}"), body).await
    };
    let tasks = ecs("ListTasks", value!({ "cluster": "api-prod", "serviceName": "auth-core" })).await;
    let task = tasks["taskArns"][0].as_str().unwrap_or_else(|| panic!("{tasks}")).to_owned();
    let stopped = ecs("StopTask", value!({ "cluster": "api-prod", "task": task })).await;
    assert_eq!(stopped["task"]["desiredStatus"], "STOPPED", "{stopped}");
    running.step(Duration::from_secs(120));
    assert_eq!(told().await, before);
}
