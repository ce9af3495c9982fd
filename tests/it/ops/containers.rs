//! Containers that ECS does not know: a drain that is to stop them does, by our own document and nothing else.

use super::bench::{Bench, intent};
use crate::sim_hosts::ssm;
use coredeck::ops::Outcome;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_stops_the_other_containers_by_our_own_document() {
    let bench = Bench::new().await;
    let world = bench.world("drain").await;
    let row = world
        .fleet
        .instances
        .iter()
        .find(|row| row.group.as_ref().is_some_and(|it| it.as_str() == "dev-hosts"));
    let host = row.expect("a development host").it.id.to_string();
    let mut wanted = intent("drain", &[&host]);
    wanted.options.override_budget = true;
    wanted.options.stop_containers = true;
    let plan = bench.plan(wanted).await.unwrap();
    assert!(
        plan.warnings.iter().any(|warning| warning.contains("not started again by an undo")),
        "{:?}",
        plan.warnings
    );
    let record = bench.enter(&plan);
    let op = bench.run(&record.id).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Done), "{:?}", op.lanes);
    let changes = bench.changes();
    assert_eq!((changes["CreateDocument"], changes["SendCommand"]), (1, 1), "{changes:?}");
    let commands = ssm(&bench.running, "ListCommands", json!({})).await;
    let command = commands["Commands"][0]["CommandId"].as_str().unwrap().to_owned();
    let asked = json!({ "CommandId": command, "InstanceId": host });
    let ended = ssm(&bench.running, "GetCommandInvocation", asked).await;
    let stopped = ended["StandardOutputContent"].as_str().unwrap().lines().count();
    assert_eq!((ended["Status"].as_str(), stopped), (Some("Success"), 7), "{ended}");

    // Another one finds the document there, and nothing left to stop.
    let again = bench.world("drain").await;
    let other = again.fleet.instances.iter().find(|row| {
        row.it.id.as_str() != host && row.group.as_ref().is_some_and(|it| it.as_str() == "dev-hosts")
    });
    let mut wanted = intent("drain", &[other.expect("another host").it.id.as_str()]);
    wanted.options.override_budget = true;
    wanted.options.stop_containers = true;
    let record = bench.enter(&bench.plan(wanted).await.unwrap());
    let op = bench.run(&record.id).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Done), "{:?}", op.lanes);
    let changes = bench.changes();
    assert_eq!((changes["CreateDocument"], changes["SendCommand"]), (1, 2), "{changes:?}");
}
