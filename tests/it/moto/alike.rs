//! One fleet, described once and made twice: in moto by boto3 and in the simulator by a scenario. The same
//! lists, read by the same client, say the same of both; ids are told apart by what they name.

use crate::binary::Home;
use crate::python::{Moto, judges, scripts};
use coredeck::sim::{read, serve};
use regex::Regex;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// `(kind, columns that are not compared, why)`. Every other column must be the same.
const APART: &[(&str, &[&str], &str)] = &[
    ("instances", &["architecture", "os", "platform", "spot_request_id"], "moto leaves them out"),
    ("instances", &["detailed_monitoring", "ebs_check", "root_device", "profile_arn"], "moto has its own"),
    ("instances", &["security_groups"], "the simulator gives each machine one, moto none"),
    ("instances", &["ecs_agent"], "moto's agent is always 1.0.0"),
    ("instances", &["ssm", "ssm_version"], "moto has no inventory of agents"),
    ("instances", &["private_dns", "private_ip", "public_dns", "public_ip"], "addresses are given by chance"),
    ("instances", &["reservation_id"], "an id that nothing else names"),
    ("groups", &["termination_policies", "warmup"], "moto loses them"),
    ("templates", &["tags"], "the simulator tags its own"),
    ("templates", &["image_behind"], "the simulator publishes its images, moto publishes others"),
    ("images", &["architecture", "platform", "root_device_type"], "moto leaves them out"),
    ("images", &["owner_id", "newer"], "in moto all are one's own, and made at one moment"),
    ("clusters", &["services", "tags"], "moto counts no services"),
    ("services", &["deployments", "events", "last_event"], "moto's services never come to rest"),
    ("services", &["rollout", "health", "troubles"], "moto's services never come to rest"),
    ("services", &["launch_type", "max_percent", "min_percent", "providers"], "moto leaves them out"),
    ("tasks", &["container_health", "cpu_units", "memory", "tags", "zone"], "moto leaves them out"),
    ("tasks", &["id", "started_by"], "ids that nothing else names"),
    ("hosts", &["agent_version", "docker_version", "provider", "tags"], "moto has its own"),
    ("hosts", &["cpu_free", "cpu_total", "memory_free", "memory_total"], "moto's hosts are all alike"),
    ("hosts", &["id"], "an id that nothing else names"),
    ("cores", &["id", "task"], "of tasks: ids that nothing else names"),
    ("tenants", &["rule"], "an id that nothing else names"),
    ("rules", &["id"], "an id that nothing else names"),
];

const KINDS: [&str; 13] = [
    "images",
    "instances",
    "groups",
    "templates",
    "clusters",
    "services",
    "tasks",
    "hosts",
    "cores",
    "tenants",
    "target-groups",
    "targets",
    "rules",
];

/// Lists that moto cannot answer.
const UNREAD: [&str; 3] = ["agents", "alarms", "refreshes"];

/// Everything that one server answers, by kind, with ids told by name.
struct Listed {
    rows: BTreeMap<&'static str, Vec<Value>>,
    unread: BTreeSet<String>,
}

/// What is told of ids that only their own server knows.
struct Teller {
    names: BTreeMap<String, String>,
    patterns: Vec<(Regex, &'static str)>,
}

/// Lists every kind of one server.
fn listed(url: &str) -> Listed {
    let home = Home::new();
    let mut rows = BTreeMap::new();
    let mut unread = BTreeSet::new();
    for kind in KINDS {
        let ran = home.run(&["get", kind, "-o", "json", "--allow-partial", "--endpoint-url", url]);
        assert_eq!(ran.code, Some(0), "{kind}: {}", ran.err);
        for warning in ran.json()["warnings"].as_array().unwrap() {
            unread.insert(warning["source"].as_str().unwrap().to_owned());
        }
        rows.insert(kind, ran.data());
    }
    let mut names = BTreeMap::new();
    for kind in ["instances", "images", "templates"] {
        for row in &rows[kind] {
            let name = format!("<{kind} {}>", row["name"].as_str().unwrap_or_default());
            names.insert(row["id"].as_str().unwrap().to_owned(), name);
        }
    }
    let patterns = [
        (r"\b(subnet|vpc|sg)-[0-9a-f]{8,17}\b", "<$1>"),
        (r"(targetgroup/[^/]+|loadbalancer/app/[^/]+)/[0-9a-f]{16}", "$1"),
        (r"(listener-rule/app/[^/]+)/.*", "$1"),
        (r"autoScalingGroup:[0-9a-f-]{36}:", "autoScalingGroup:"),
        (r"((?:task|container-instance)/[^/]+)/[0-9a-f-]{32,36}", "$1"),
        (r"\.\d+Z$", "Z"),
    ];
    let patterns = patterns.map(|(pattern, name)| (Regex::new(pattern).unwrap(), name)).into();
    let teller = Teller { names, patterns };
    let plain = |kind: &str, row: &Value| {
        let mut row = told(row, &teller);
        // Moto puts all members of a group into its first subnet.
        if !row["group"].is_null() || kind == "hosts" {
            row["zone"] = Value::Null;
        }
        for (_, columns, _) in APART.iter().filter(|(of, _, _)| *of == kind) {
            for column in *columns {
                let is_task = row["home"] == "task";
                // A core that is a host's has an id of its own.
                if kind != "cores" || is_task {
                    assert!(row.as_object_mut().unwrap().remove(*column).is_some(), "{kind} has no {column}");
                }
            }
        }
        row
    };
    let rows = rows
        .iter()
        .map(|(kind, rows)| {
            let mut plain: Vec<Value> = rows.iter().map(|row| plain(kind, row)).collect();
            plain.sort_by_key(Value::to_string);
            (*kind, plain)
        })
        .collect();
    Listed { rows, unread }
}

/// A value with names in place of ids, without moments, and with lists in one order.
fn told(value: &Value, teller: &Teller) -> Value {
    match value {
        Value::String(text) => Value::String(text_told(text, teller)),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| told(item, teller)).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(fields) => {
            let is_kept = |key: &str| {
                // Moments of making; the member's zone is moto's first, and draining is no part of moto.
                let is_moment = key.ends_with("_at") || key == "created_by";
                !is_moment
                    && key != "managed_draining"
                    && !(key == "zone"
                        && fields.contains_key("weight")
                        && fields.contains_key("is_protected"))
            };
            fields
                .iter()
                .filter(|(key, _)| is_kept(key))
                .map(|(key, value)| (key.clone(), told(value, teller)))
                .collect()
        }
        other => other.clone(),
    }
}

fn text_told(text: &str, teller: &Teller) -> String {
    let mut text = text.to_owned();
    for (id, name) in &teller.names {
        if text.contains(id) {
            text = text.replace(id, name);
        }
    }
    for (pattern, name) in &teller.patterns {
        text = pattern.replace_all(&text, *name).into_owned();
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn moto_and_the_simulator_seeded_alike_are_the_same_fleet() {
    let Some(python) = judges() else { return };
    let scenario = scripts().join("alike.toml");
    let running = serve(read(&scenario).unwrap()).await.unwrap();
    let url = running.url();
    let (theirs, ours) = tokio::task::spawn_blocking(move || {
        let moto = Moto::start(python, &[]);
        let made = python.run("seed_alike.py", &[&moto.url, "us-east-1", scenario.to_str().unwrap()]);
        assert_eq!(made["instances"], 34, "the seed is as large as it says");
        (listed(&moto.url), listed(&url))
    })
    .await
    .unwrap();
    assert_eq!(theirs.unread, UNREAD.map(str::to_owned).into(), "what moto cannot answer is named");
    assert!(ours.unread.is_empty(), "the simulator answers everything: {:?}", ours.unread);
    for kind in KINDS {
        let (theirs, ours) = (&theirs.rows[kind], &ours.rows[kind]);
        assert!(!ours.is_empty(), "no {kind}");
        assert_eq!(theirs.len(), ours.len(), "{kind}: as many rows");
        for (nth, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
            let keys: BTreeSet<&String> =
                theirs.as_object().unwrap().keys().chain(ours.as_object().unwrap().keys()).collect();
            let apart: Vec<String> = keys
                .into_iter()
                .filter(|key| theirs[key.as_str()] != ours[key.as_str()])
                .map(|key| format!("{key}: moto {} · simulator {}", theirs[key.as_str()], ours[key.as_str()]))
                .collect();
            assert!(apart.is_empty(), "{kind} {nth}:\n{}", apart.join("\n"));
        }
    }
}
