//! Zones without room: a launch is tried in the next subnet, each try with a token of its own, all of it in the journal,
//! and there are never two instances.

use super::bench::{Bench, intent, lost};
use super::refusing::{Meddled, Meddles, Written};
use crate::sim_hosts::ssm;
use coredeck::gateway::change::{Receipt, WriteError};
use coredeck::gateway::{Change, FleetProbe, Look, Seen};
use coredeck::model::{Scope, Text, Trouble, TroubleKind};
use coredeck::ops::event::Failure;
use coredeck::ops::intent::CoreWish;
use coredeck::ops::plan::Act;
use coredeck::ops::state::Known;
use coredeck::ops::{OpState, Outcome, Plan};
use coredeck::store::journal::Ledger;
use coredeck::world::World;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A bench with secrets, and a plan for a production core on a new host with the subnets in their order.
async fn bench() -> (Bench, Plan, Vec<Text>, Arc<World>) {
    let bench = Bench::new().await;
    for name in ["new/api-key", "new/database-uri"] {
        let name = format!("/coredeck/demo/secrets/{name}");
        ssm(&bench.running, "PutParameter", json!({ "Name": name, "Type": "SecureString", "Value": "x" }))
            .await;
    }
    let mut wanted = intent("core create", &["acme"]);
    wanted.options.core = Some(Box::new(CoreWish {
        tier: Some("production".to_owned()),
        host: Some("new".to_owned()),
        api_key: Some("/coredeck/demo/secrets/new/api-key".to_owned()),
        database: Some("/coredeck/demo/secrets/new/database-uri".to_owned()),
        ..CoreWish::default()
    }));
    let plan = bench.plan(wanted).await.unwrap_or_else(|error| panic!("{error}: {:?}", error.source));
    let launch = plan.lanes[0].steps.iter().find(|step| step.go.names.is_some()).unwrap();
    let Act::FirstWithRoom { changes } = &launch.go.act else { panic!("{:?}", launch.go.act) };
    let places: Vec<Text> = changes.iter().map(|change| place(change).clone()).collect();
    assert!(places.len() > 1, "{places:?}");
    assert!(
        launch.title.contains(&format!("in {}, or where AWS has no room there in {}", places[0], places[1]))
    );
    let world = bench.world("core create").await;
    (bench, plan, places, world)
}

fn place(change: &Change) -> &Text {
    let Change::RunInstance { subnet: Some(subnet), .. } = change else { panic!("{change:?}") };
    subnet
}

/// The zone of a subnet.
fn zone(world: &World, subnet: &Text) -> String {
    let row = world.fleet.instances.iter().find(|row| row.it.subnet_id.as_ref() == Some(subnet));
    row.unwrap().it.zone.to_string()
}

/// The launches that were tried: where, under which token, and whether AWS had no room.
fn tries(op: &OpState) -> Vec<(Text, String, bool)> {
    let runs = op.calls.values().filter(|call| matches!(*call.change, Change::RunInstance { .. }));
    runs.map(|call| {
        let is_full = matches!(call.result, Known::Failed(Failure::Full, _));
        (place(&call.change).clone(), call.token.as_str().to_owned(), is_full)
    })
    .collect()
}

async fn launched(bench: &Bench, op: &OpState) -> Vec<Option<Text>> {
    let value = Text::from(format!("{}/0", op.record.id));
    let scope = Scope { account: "demo".into(), region: "us-east-1".into() };
    let look = Look::Tagged { key: "coredeck:operation".into(), value };
    let Seen::Instances(seen) = bench.aws.look(&scope, &look).await.unwrap() else { panic!() };
    seen.iter().map(|one| one.subnet_id.clone()).collect()
}

fn ended(op: &OpState) -> Option<Outcome> {
    op.ended.map(|(end, _)| end)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_subnet_is_tried_with_another_token_and_one_instance_comes_of_it() {
    let (bench, plan, places, world) = bench().await;
    bench.running.fill_zone(&zone(&world, &places[0]), true);
    let record = bench.enter(&plan);
    let op = bench.run(&record.id).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let tried = tries(&op);
    let where_and_how: Vec<(&Text, bool)> = tried.iter().map(|(at, _, is_full)| (at, *is_full)).collect();
    assert_eq!(where_and_how, [(&places[0], true), (&places[1], false)]);
    assert_ne!(tried[0].1, tried[1].1, "each try has a token of its own");
    assert_eq!(launched(&bench, &op).await, [Some(places[1].clone())]);
    // The journal tells it.
    let entries = bench.journal().entries(&record.id, 0).unwrap();
    let said: Vec<&str> = entries.iter().map(|entry| entry.body.as_str()).collect();
    let failed = said.iter().find(|body| body.contains("InsufficientInstanceCapacity")).expect("the failure");
    assert!(
        failed.contains("\"how\":\"full\"") && failed.contains("do not have sufficient t2.micro"),
        "{failed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_zone_has_room_all_are_named_and_nothing_is_left() {
    let (bench, plan, places, world) = bench().await;
    for subnet in &places {
        bench.running.fill_zone(&zone(&world, subnet), true);
    }
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(ended(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    let why = &op.lanes[0].why[0];
    let all: Vec<&str> = places.iter().map(|place| place.as_str()).collect();
    assert!(why.contains(&format!("tried, in this order: {}", all.join(", "))), "{why}");
    assert!(why.contains("InsufficientInstanceCapacity") || why.contains("do not have sufficient"), "{why}");
    assert!(why.contains("Try again later, or make a new plan with --subnet"), "{why}");
    assert_eq!(tries(&op).len(), places.len());
    assert!(launched(&bench, &op).await.is_empty() && !bench.changes().contains_key("TerminateInstances"));
}

/// A writer whose first launch is lost on the way there or back, and to whom EC2 then says under the same token that it has
/// no room.
struct Contrary {
    /// Whether the first launch happens.
    happens: bool,
    launches: AtomicUsize,
}

impl Meddles for Contrary {
    fn meddle<'a>(&'a self, written: Written<'a>) -> BoxFuture<'a, Result<Receipt, WriteError>> {
        async move {
            if !matches!(written.change, Change::RunInstance { .. }) {
                return written.pass().await;
            }
            match self.launches.fetch_add(1, Ordering::SeqCst) {
                0 => {
                    if self.happens {
                        written.pass().await?;
                    }
                    Err(WriteError::Unknown(lost()))
                }
                1 => Err(WriteError::Refused(Trouble {
                    kind: TroubleKind::Refused,
                    code: Some("InsufficientInstanceCapacity".into()),
                    ..lost()
                })),
                _ => written.pass().await,
            }
        }
        .boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_zone_is_tried_while_a_launch_whose_answer_was_lost_may_show_up() {
    for happens in [true, false] {
        let (bench, plan, places, _) = bench().await;
        let by = Contrary { happens, launches: AtomicUsize::new(0) };
        let writer = Meddled { inner: bench.writer(), by };
        let edge = bench.edge(Arc::new(bench.journal()), Arc::new(writer));
        let op =
            coredeck::ops::run(&edge, &bench.enter(&plan).id, &super::bench::runner("anna")).await.unwrap();
        assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
        let all = launched(&bench, &op).await;
        let calls: Vec<_> =
            op.calls.values().filter(|call| matches!(*call.change, Change::RunInstance { .. })).collect();
        if happens {
            assert_eq!(
                all,
                [Some(places[0].clone())],
                "the one that was launched is taken, whatever was said later"
            );
            continue;
        }
        assert_eq!(all, [Some(places[1].clone())]);
        assert_eq!(calls.len(), 3);
        assert_eq!(calls[0].token, calls[1].token, "the same is asked again first");
        assert_ne!(calls[1].token, calls[2].token);
        let waited = calls[2].at.duration_since(calls[0].at).as_secs();
        assert!(waited >= 90, "only {waited} s were given to EC2 to show it");
    }
}
