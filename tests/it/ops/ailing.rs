//! Cores that are not well, as an operation on them meets it: each is refused or taken back with what it says, why, and what
//! to do, and nothing is half done.

use super::bench::Bench;
use super::config::{
    DOMAIN, ONE, SECRET, TWO, URI, configured, door, end, open, put, refused, rig, secret, value, wished,
};
use crate::sim_hosts::ssm;
use coredeck::clock::Clock;
use coredeck::gateway::CoreAdmin;
use coredeck::model::Setting;
use coredeck::model::admin::Place;
use coredeck::ops::{Intent, Undo};
use coredeck::supertokens::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const KEY_OF_ONE: &str = "/coredeck/demo/secrets/shared-prod-1/saas-secret";

/// Changes the entry of a core as somebody with an editor would.
async fn edited(bench: &Bench, id: &str, edit: impl FnOnce(&mut Value)) {
    let name = format!("/coredeck/demo/cores/{id}");
    let mut entry: Value = serde_json::from_str(&value(bench, &name).await).unwrap();
    edit(&mut entry);
    put(bench, &name, "String", &entry.to_string()).await;
}

/// Starts a core's container again, so that its base configuration takes effect.
async fn restarted(bench: &Bench, id: &str) {
    let entry: Value =
        serde_json::from_str(&value(bench, &format!("/coredeck/demo/cores/{id}")).await).unwrap();
    let script = format!("docker restart {}", entry["container"].as_str().unwrap());
    let asked = json!({ "DocumentName": "AWS-RunShellScript", "InstanceIds": [entry["instance_id"]],
        "Parameters": { "commands": [script] } });
    ssm(&bench.running, "SendCommand", asked).await;
    bench.running.step(std::time::Duration::from_secs(90));
}

/// What is said where it is planned, or where it is run: everything of it.
async fn said(bench: &Bench, intent: Intent) -> String {
    match bench.plan(intent).await {
        Err(error) => {
            let source = error.source.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("refused {error}: {source} {}", error.hints.join(" "))
        }
        Ok(plan) => {
            let op = bench.run(&bench.enter(&plan).id).await;
            format!(
                "ran {:?} {} {}",
                end(&op),
                plan.warnings.join(" "),
                op.lanes.iter().flat_map(|lane| lane.why.clone()).collect::<String>()
            )
        }
    }
}

/// Takes the licence of a core's base app away, as whoever holds its secret may.
async fn licence_gone(bench: &Bench, id: &str) {
    let host = door(bench, id, SECRET).address.trim_start_matches("http://").to_owned();
    let asked = move || crate::loopback::ask(&host, "DELETE", "/ee/license", &[("api-key", SECRET)], b"");
    let heard = tokio::task::spawn_blocking(asked).await.unwrap();
    assert!(String::from_utf8_lossy(&heard).contains(" 200 "), "{}", String::from_utf8_lossy(&heard));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_without_a_licence_or_without_a_database_is_said_before_and_where_it_is_run() {
    let bench = rig().await;
    let more = || {
        wished("core config set", |wish| {
            wish.set.insert("totp_max_attempts".to_owned(), open("7"));
        })
    };
    let client = Client::new(Clock::Real).unwrap();
    let held = async || {
        let all = client.domains(&door(&bench, ONE, SECRET)).await.unwrap();
        let one = all.iter().find(|one| one.domain == DOMAIN).unwrap();
        let app = one.apps.iter().find(|app| app.id == "public").unwrap();
        let own = app.tenants.iter().find(|tenant| tenant.id == "public").unwrap();
        own.settings.get("totp_max_attempts").map(Setting::shown)
    };
    // The licence is lost between the plan and the run: the core says 402, and nothing is changed.
    let plan = bench.plan(more()).await.unwrap();
    assert!(!plan.warnings.iter().any(|told| told.contains("licence") || told.contains("no database")));
    licence_gone(&bench, ONE).await;
    let op = bench.run(&bench.enter(&plan).id).await;
    let why = op.lanes[0].why.join(" ");
    assert!(why.contains("the licence of the core's base app lacks multi_tenancy"), "{why}");
    assert_eq!((end(&op), held().await), (Some(coredeck::ops::Outcome::Failed), None), "{why}");
    // It is gone before the plan: whatever is put for a domain is refused, with what to do.
    for intent in [more(), super::config::rotated()] {
        let why = said(&bench, intent).await;
        assert!(why.starts_with("refused") && why.contains("lacks multi_tenancy"), "{why}");
        assert!(why.contains("put a licence key on the core's base app"), "{why}");
    }
    // It has a database, and nothing of the kind is said of it.
    for verb in STOPPING {
        let (text, undo) = stopping(&bench, verb).await;
        assert!(!text.contains("no database") && !text.contains("could not be asked"), "{text}");
        assert!(matches!(undo, Undo::Exact { .. }), "{text}");
    }
    // In memory everything is allowed, and nothing lasts: the preview says so.
    edited(&bench, ONE, |entry| entry["base"]["memory"] = json!(true)).await;
    restarted(&bench, ONE).await;
    let plan = bench.plan(more()).await.unwrap();
    let text = coredeck::ops::preview::text(&plan);
    assert!(text.contains("warning    shared-prod-1 has no database: what is put there is lost"), "{text}");
    assert!(text.contains("POSTGRESQL_CONNECTION_URI"), "{text}");
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(coredeck::ops::Outcome::Done), "{:?}", op.lanes);
    assert_eq!(held().await.as_deref(), Some("7"));
    // What stops it loses everything: that is said before, and no undo of it is called exact.
    for verb in STOPPING {
        let (text, undo) = stopping(&bench, verb).await;
        assert!(
            text.contains("warning    shared-prod-1 has no database and keeps everything in its memory"),
            "{text}"
        );
        assert!(
            text.contains("undone only in part: it has no database: what its users did is gone"),
            "{text}"
        );
        assert!(matches!(undo, Undo::BestEffort { .. }), "{text}");
    }
}

/// What stops a core's process.
const STOPPING: [&str; 2] = ["core restart", "core stop"];

/// The preview of an operation that stops a core, and how its stop is undone.
async fn stopping(bench: &Bench, verb: &str) -> (String, Undo) {
    let mut intent = super::bench::intent(verb, &[ONE]);
    intent.options.override_budget = true;
    let plan = bench.plan(intent).await.unwrap_or_else(|error| panic!("{error}: {:?}", error.source));
    let stops = plan.lanes[0].steps.iter().find(|step| step.title.starts_with("stop supertokens-"));
    (coredeck::ops::preview::text(&plan), stops.unwrap().undo.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_trouble_of_a_core_is_said_by_the_operation_on_it() {
    let bench = rig().await;
    let mut faults = Vec::new();
    let mut told = |what: &str, said: &str, words: &[&str]| {
        let lacks: Vec<&&str> = words.iter().filter(|word| !said.contains(**word)).collect();
        if !lacks.is_empty() || said.contains("hunter2") {
            faults.push(format!("{what} lacks {lacks:?}: {said}"));
        }
    };
    // A key that the core does not take, and none at all.
    put(&bench, KEY_OF_ONE, "SecureString", "hunter2-a-key-of-somebody-else").await;
    let why = said(&bench, configured()).await;
    told("wrong key", &why, &["refused", "does not take this API key", "api_key_parameter"]);
    ssm(&bench.running, "DeleteParameter", json!({ "Name": KEY_OF_ONE })).await;
    let why = said(&bench, configured()).await;
    told("no key", &why, &["refused"]);
    put(&bench, KEY_OF_ONE, "SecureString", SECRET).await;
    // Its port is another one in the registry than on the host: half of the replicas.
    let port: Value =
        serde_json::from_str(&value(&bench, "/coredeck/demo/cores/shared-dev-1").await).unwrap();
    edited(&bench, TWO, |entry| entry["port"] = json!(3999)).await;
    let why = said(&bench, configured()).await;
    told("half of the replicas", &why, &[TWO]);
    edited(&bench, TWO, |entry| entry["port"] = port["port"].clone()).await;
    // Two domains on one database.
    put(&bench, "/keys/uri", "SecureString", &format!("{URI}cust1")).await;
    let client = Client::new(Clock::Real).unwrap();
    let other = BTreeMap::from([(
        "postgresql_connection_uri".into(),
        Some(Setting::Shown(format!("{URI}cust2").into())),
    )]);
    client.put_domain(&door(&bench, ONE, SECRET), "c2.example.com", &other).await.unwrap();
    let pool = wished("core config set", |wish| {
        wish.domain = Some("c2.example.com".to_owned());
        wish.set.insert("postgresql_connection_uri".to_owned(), secret("/keys/uri"));
    });
    told("same user pool", &said(&bench, pool).await, &["would share its database with"]);
    let c2 = client.domains(&door(&bench, ONE, SECRET)).await.unwrap();
    let c2 = c2.iter().find(|one| one.domain == "c2.example.com").unwrap();
    assert!(!format!("{:?}", c2.apps[0].tenants[0].settings).contains("cust1"), "nothing of it stayed");
    // Its database is down.
    bench.running.take_down("customers-1.db.internal", true);
    let more = wished("core config set", |wish| {
        wish.set.insert("totp_max_attempts".to_owned(), open("7"));
    });
    told("database down", &said(&bench, more.clone()).await, &["cannot reach the database"]);
    bench.running.take_down("customers-1.db.internal", false);
    assert!(client.users(&door(&bench, ONE, SECRET), &Place::of(DOMAIN), false).await.is_ok());
    // It lets nobody in from here.
    edited(&bench, ONE, |entry| entry["base"]["settings"] = json!({ "ip_deny_regex": "127\\..*" })).await;
    restarted(&bench, ONE).await;
    told(
        "addresses",
        &said(&bench, more.clone()).await,
        &["refused", "rules about addresses", "ask from an address"],
    );
    // Its entry is no entry any more.
    put(&bench, "/coredeck/demo/cores/shared-prod-1", "String", "{ port: hunter2").await;
    told("edited by hand", &refused(&bench, more).await, &["shared-prod-1"]);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
