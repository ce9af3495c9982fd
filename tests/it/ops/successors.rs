//! Cores that get another version or another host: one replica at a time, with the way back on the host itself, and
//! nobody without a core in between.

use super::bench::{Bench, intent};
use crate::sim_hosts::ssm;
use coredeck::gateway::change::{TargetRef, Token};
use coredeck::gateway::{Change, FleetProbe, Look, Seen};
use coredeck::model::Scope;
use coredeck::ops::intent::CoreWish;
use coredeck::ops::{Desk, Intent, OpState, Outcome, Plan, Timer, Undo};
use coredeck::world::World;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

fn scope() -> Scope {
    Scope { account: "demo".into(), region: "us-east-1".into() }
}

fn wished(verb: &str, cores: &[&str], wish: CoreWish) -> Intent {
    let mut intent = intent(verb, cores);
    intent.options.override_budget = true;
    intent.options.core = Some(Box::new(wish));
    intent
}

fn to(version: &str) -> CoreWish {
    CoreWish { image: Some(version.to_owned()), ..CoreWish::default() }
}

async fn planned(bench: &Bench, world: &World, intent: Intent) -> Result<Plan, String> {
    let writer = bench.writer();
    let desk = Desk {
        snapshot: &world.snapshot,
        fleet: &world.fleet,
        config: &bench.config,
        probe: bench.aws.as_ref(),
        writer: Some(writer.as_ref()),
        now: bench.timer.now(),
    };
    let why = |error: &coredeck::error::Error| {
        let source = error.source.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{error} {source}")
    };
    desk.plan(intent).await.map_err(|error| why(&error))
}

async fn done(bench: &Bench, plan: &Plan) -> OpState {
    bench.run(&bench.enter(plan).id).await
}

fn ended(op: &OpState) -> Option<Outcome> {
    op.ended.map(|(end, _)| end)
}

fn host(world: &World, core: &str) -> String {
    let found = world.fleet.cores.iter().find(|one| one.id.as_str() == core).expect("the core");
    found.home.instance_id().unwrap().to_string()
}

/// What docker on a host says of its containers whose names hold a word: name, image and state.
async fn containers(bench: &Bench, host: &str, word: &str) -> Vec<String> {
    let script =
        format!("docker ps -a --filter name={word} --format '{{{{.Names}}}} {{{{.Image}}}} {{{{.State}}}}'");
    let asked = json!({
        "DocumentName": "AWS-RunShellScript", "InstanceIds": [host], "Parameters": { "commands": [script] },
    });
    let sent = ssm(&bench.running, "SendCommand", asked).await;
    let id = sent["Command"]["CommandId"].as_str().expect("a command").to_owned();
    bench.running.step(Duration::from_secs(60));
    let ended =
        ssm(&bench.running, "GetCommandInvocation", json!({ "CommandId": id, "InstanceId": host })).await;
    let said = ended["StandardOutputContent"].as_str().unwrap_or_default();
    said.lines().map(|line| line.replace("supertokens/supertokens-postgresql:", "")).collect()
}

async fn entry(bench: &Bench, core: &str) -> serde_json::Value {
    let of = vec![format!("/coredeck/demo/cores/{core}").into()];
    let Seen::Parameters(all) = bench.aws.look(&scope(), &Look::Parameters { of }).await.unwrap() else {
        panic!()
    };
    serde_json::from_str(all[0].value.as_deref().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_keeps_what_the_container_had_and_comes_back_by_itself_where_it_fails() {
    let bench = Bench::new().await;
    let world: Arc<World> = bench.world("core upgrade").await;
    let home = host(&world, "dev-009");
    let plan = planned(&bench, &world, wished("core upgrade", &["dev-009"], to("11.0.4"))).await.unwrap();
    let undo =
        plan.lanes[0].steps.iter().find(|step| step.title.starts_with("replace")).map(|step| &step.undo);
    assert!(matches!(undo, Some(Undo::BestEffort { why, .. }) if why.contains("schema")), "{undo:?}");
    assert!(plan.warnings.iter().any(|warning| warning.contains("changes its database's schema")));
    // A database that fails after the start: the old one is back before anybody asks.
    bench.running.cut_off("dev-009", true);
    let op = done(&bench, &plan).await;
    assert!(op.lanes[0].why[0].contains("its database fails"), "{:?}", op.lanes[0].why);
    bench.running.cut_off("dev-009", false);
    assert_eq!(containers(&bench, &home, "dev-009").await, ["supertokens-dev-009 10.1.4 running"]);
    assert_eq!(entry(&bench, "dev-009").await["version"], "10.1.4");
    let plan = planned(&bench, &world, wished("core upgrade", &["dev-009"], to("11.0.4"))).await.unwrap();
    let op = done(&bench, &plan).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    assert_eq!(containers(&bench, &home, "dev-009").await, ["supertokens-dev-009 11.0.4 running"]);
    let entry = entry(&bench, "dev-009").await;
    assert_eq!(
        (&entry["version"], &entry["api_key_parameter"]),
        (&json!("11.0.4"), &json!("/coredeck/demo/secrets/dev-009/api-key"))
    );
    // Older ones are refused where their schema is another one.
    let why = planned(&bench, &world, wished("core upgrade", &["dev-003"], to("10.1.4"))).await.unwrap_err();
    assert!(why.contains("whose schema its database has; say --allow-downgrade"), "{why}");
    let patch = planned(&bench, &world, wished("core upgrade", &["dev-003"], to("11.0.3"))).await.unwrap();
    assert!(patch.warnings.iter().any(|warning| warning.contains("is older than")));
    let same = planned(&bench, &world, wished("core upgrade", &["dev-003"], to("11.0.4"))).await.unwrap_err();
    assert!(same.contains("already"), "{same}");
}

/// What was done to targets and containers since so many calls, a letter each: out, replaced, in.
fn turns(bench: &Bench, since: usize) -> String {
    let calls = bench.running.calls();
    let letter = |call: &serde_json::Value| match call["operation"].as_str() {
        Some("DeregisterTargets") => Some('o'),
        Some("SendCommand") => Some('r'),
        Some("RegisterTargets") => Some('i'),
        _ => None,
    };
    calls[since..].iter().filter_map(letter).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_upgraded_one_after_the_other_and_all_go_back_when_one_fails() {
    let bench = Bench::new().await;
    let world = bench.world("core upgrade").await;
    let group = world.fleet.target_groups.iter().find(|row| row.it.name == "shared-production").unwrap();
    let other = host(&world, "shared-dev-1");
    let targets = vec![TargetRef { id: other.as_str().into(), port: Some(3567), zone: None }];
    let change = Change::Register { target_group: group.it.arn.clone(), targets };
    bench.writer().write(&scope(), &change, &Token::of(&["test"])).await.unwrap();
    bench.running.step(Duration::from_secs(60));
    let world = bench.world("core upgrade").await;
    let alone =
        planned(&bench, &world, wished("core upgrade", &["shared-prod-1"], to("11.0.5"))).await.unwrap_err();
    assert!(alone.contains("shared-dev-1 serves shared-production beside it"), "{alone}");
    let both = wished("core upgrade", &["shared-prod-1", "shared-dev-1"], to("11.0.5"));
    let plan = planned(&bench, &world, both).await.unwrap();
    assert_eq!((plan.waves.len(), plan.is_one_piece), (2, true));
    assert!(
        plan.warnings.iter().any(|warning| warning.contains("beside each other for about")),
        "{:?}",
        plan.warnings
    );
    // The one whose turn comes second fails: the first is taken back then, out of traffic like on its way there.
    let second = plan.lanes[plan.waves[1][0]].target.clone();
    bench.running.cut_off(&second, true);
    let before = bench.running.calls().len();
    let op = done(&bench, &plan).await;
    assert_ne!(ended(&op), Some(Outcome::Done));
    assert_eq!(turns(&bench, before), "oriorriori", "{:?}", op.lanes);
    bench.running.cut_off(&second, false);
    for core in ["shared-prod-1", "shared-dev-1"] {
        let now = containers(&bench, &host(&world, core), core).await;
        assert_eq!(now, [format!("supertokens-{core} 11.0.4 running")], "{:?}", op.lanes);
    }
    // What went well is taken back one after the other too, the last first.
    let world = bench.world("core upgrade").await;
    let both = wished("core upgrade", &["shared-prod-1", "shared-dev-1"], to("11.0.5"));
    let plan = planned(&bench, &world, both).await.unwrap();
    let op = done(&bench, &plan).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let world = bench.world("core upgrade").await;
    let writer = bench.writer();
    let desk = Desk {
        snapshot: &world.snapshot,
        fleet: &world.fleet,
        config: &bench.config,
        probe: bench.aws.as_ref(),
        writer: Some(writer.as_ref()),
        now: bench.timer.now(),
    };
    let back = coredeck::ops::rollback::plan(&desk, &op).await.unwrap();
    let order = |plan: &Plan| -> Vec<String> {
        plan.waves.iter().flatten().map(|lane| plan.lanes[*lane].target.clone()).collect()
    };
    let reversed: Vec<String> = order(&plan).into_iter().rev().collect();
    assert_eq!(order(&back), reversed);
    let before = bench.running.calls().len();
    let op = done(&bench, &back).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    assert_eq!(turns(&bench, before), "oriori");
    for core in ["shared-prod-1", "shared-dev-1"] {
        let now = containers(&bench, &host(&world, core), core).await;
        assert_eq!(now, [format!("supertokens-{core} 11.0.4 running")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_that_moves_serves_there_before_it_stops_here() {
    let bench = Bench::new().await;
    let world = bench.world("core move").await;
    let home = host(&world, "dev-005");
    // The registry does not name its database, so that has to be said.
    let why =
        planned(&bench, &world, wished("core move", &["dev-005"], CoreWish::default())).await.unwrap_err();
    assert!(why.contains("/coredeck/demo/secrets/dev-005/database-uri: there is no such parameter"), "{why}");
    let database = Some("/coredeck/demo/secrets/dev-002/api-key".to_owned());
    let wish = CoreWish { database, ..CoreWish::default() };
    let plan = planned(&bench, &world, wished("core move", &["dev-005"], wish)).await.unwrap();
    let op = done(&bench, &plan).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let entry = entry(&bench, "dev-005").await;
    let there = entry["instance_id"].as_str().unwrap().to_owned();
    assert_ne!(there, home);
    assert_eq!(containers(&bench, &home, "dev-005").await, ["supertokens-dev-005 11.0.4 exited"]);
    assert_eq!(containers(&bench, &there, "dev-005").await, ["supertokens-dev-005 11.0.4 running"]);
    // One with a host of its own finds none that is free.
    let wish = CoreWish {
        database: Some("/coredeck/demo/secrets/dev-002/api-key".to_owned()),
        ..CoreWish::default()
    };
    let full = planned(&bench, &world, wished("core move", &["prod-slatepay"], wish)).await.unwrap_err();
    assert!(full.contains("find no room") && full.contains("launch 1 more instances"), "{full}");
}
