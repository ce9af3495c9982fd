//! Judged by moto: cores and tenants from the Parameter Store, and what is said where moto cannot answer.

use super::{FLEET, seeded};
use crate::binary::Home;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The registry's parameters of one kind as boto3 reads them, by the last part of the name.
fn parameters(seeded: &super::Seeded, kind: &str) -> BTreeMap<String, Value> {
    let path = format!("/coredeck/{FLEET}/{kind}/");
    seeded
        .list("parameters")
        .iter()
        .filter_map(|raw| {
            let id = raw["Name"].as_str().unwrap().strip_prefix(&path)?;
            Some((id.to_owned(), serde_json::from_str(raw["Value"].as_str().unwrap()).ok()?))
        })
        .collect()
}

#[test]
fn cores_and_tenants_of_the_registry_equal_the_parameters() {
    let Some(seeded) = seeded() else { return };
    let home = Home::new();
    let get = |kind| {
        let ran =
            home.run(&["get", kind, "-o", "json", "--allow-partial", "--endpoint-url", &seeded.moto.url]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran
    };

    let cores = get("cores");
    let rows = cores.data();
    let expected = parameters(seeded, "cores");
    assert_eq!(expected.len() as u64, seeded.made["registry_cores"].as_u64().unwrap());
    for (id, record) in &expected {
        let row = rows.iter().find(|row| row["id"] == **id).unwrap_or_else(|| panic!("{id} is missing"));
        for (column, field) in [("port", "port"), ("version", "version"), ("tier", "tier")] {
            assert_eq!(row[column], record[field], "{id} {column}");
        }
        assert_eq!(row["instance"], record["instance_id"], "{id}");
        let tenants = parameters(seeded, "tenants").values().filter(|tenant| tenant["core"] == **id).count();
        assert_eq!(row["tenants"], json!(tenants), "{id}");
    }
    let faults = cores.json()["warnings"].to_string();
    assert!(faults.contains("broken"), "the parameter that is no JSON is named: {faults}");
    assert!(!cores.out.contains("the-secret-api-key"), "no secret is ever read");

    let tenants = get("tenants").data();
    let expected = parameters(seeded, "tenants");
    assert_eq!(expected.len() as u64, seeded.made["registry_tenants"].as_u64().unwrap());
    for (id, record) in &expected {
        let row = tenants.iter().find(|row| row["id"] == **id).unwrap_or_else(|| panic!("{id} is missing"));
        for column in ["name", "core", "domain", "mode"] {
            assert_eq!(row[column], record[column], "{id} {column}");
        }
    }
}

/// The SDK's CloudWatch client speaks only CBOR and moto takes none: the list is unknown, not empty.
#[test]
fn alarms_that_cannot_be_read_are_a_trouble_and_not_an_empty_list() {
    let Some(seeded) = seeded() else { return };
    let ran = Home::new().run(&["get", "alarms", "-o", "json", "--endpoint-url", &seeded.moto.url]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    let warnings = ran.json()["warnings"].clone();
    assert_eq!(warnings[0]["source"], "alarms", "{warnings}");
    assert_eq!(warnings[0]["call"], "cloudwatch:DescribeAlarms", "{warnings}");
}

#[test]
fn describe_shows_one_of_each() {
    let Some(seeded) = seeded() else { return };
    let home = Home::new();
    let first = |kind: &str, field: &str| seeded.list(kind)[0][field].as_str().unwrap().to_owned();
    for (kind, id) in [
        ("instance", first("instances", "InstanceId")),
        ("group", "cores-shared".to_owned()),
        ("template", first("templates", "LaunchTemplateId")),
        ("image", "ami-0123456789abcdef0".to_owned()),
        ("cluster", "cores-a".to_owned()),
        ("service", "cores-a/core-00".to_owned()),
        ("task", first("tasks", "taskArn")),
        ("host", first("hosts", "containerInstanceArn")),
        ("core", "core-03".to_owned()),
        ("tenant", "tenant-07".to_owned()),
        ("rule", first("rules", "RuleArn")),
    ] {
        let ran = home.run(&["describe", kind, &id, "--allow-partial", "--endpoint-url", &seeded.moto.url]);
        let is_stopped = kind == "task" && seeded.list("tasks")[0]["lastStatus"] == "STOPPED";
        if !is_stopped {
            assert_eq!(ran.code, Some(0), "{kind} {id}: {}", ran.err);
            assert!(ran.out.contains(&id) || id.contains('/'), "{kind} {id}: {}", ran.out);
        }
        assert!(!ran.out.contains('\u{1b}'), "{kind} {id}");
    }
}
