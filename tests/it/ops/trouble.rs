//! Trouble in the middle of a run: time that is up, credentials that end, a disk that is full.

use super::bench::{Bench, Mortal, intent, runner};
use super::together::shared_hosts;
use coredeck::clock::Clock;
use coredeck::ops::{Aspect, End, OnTimeout, OpState, Outcome, Phase, Plan, Value};
use coredeck::sim::{Mischief, Options, Rule, serve};
use coredeck::store::journal::Ledger;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

async fn plan(bench: &Bench, patience: Option<u64>, late: OnTimeout) -> Plan {
    let host = shared_hosts(bench, 1).await.remove(0);
    let mut wanted = intent("drain", &[&host]);
    wanted.options.override_budget = true;
    wanted.options.timeout_s = patience;
    wanted.options.on_timeout = late;
    bench.plan(wanted).await.unwrap()
}

async fn status(bench: &Bench, plan: &Plan) -> Value {
    let facts = bench.facts(plan).await;
    let found = facts.into_iter().find(|(fact, _)| matches!(fact, Aspect::HostStatus { .. }));
    found.expect("its status").1
}

async fn ran(late: OnTimeout) -> (Bench, Plan, OpState) {
    let bench = Bench::new().await;
    let plan = plan(&bench, Some(1), late).await;
    let record = bench.enter(&plan);
    let op = bench.run(&record.id).await;
    (bench, plan, op)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_that_takes_too_long_is_left_where_that_was_said() {
    let (bench, plan, op) = ran(OnTimeout::Leave).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::PartWay), "{:?}", op.lanes);
    assert_eq!(op.lanes[0].phase, Phase::Over(End::Left));
    assert!(op.lanes[0].why[0].contains("after 1 s still not"), "{:?}", op.lanes[0].why);
    assert_eq!(status(&bench, &plan).await, Value::word("DRAINING"));
    assert_eq!(bench.changes().get("StopTask"), None, "{:?}", bench.changes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_that_takes_too_long_stops_what_is_left_where_that_was_said() {
    let (bench, plan, op) = ran(OnTimeout::Force).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Done), "{:?}", op.lanes);
    assert!(
        plan.warnings.iter().any(|warning| warning.contains("--on-timeout force")),
        "{:?}",
        plan.warnings
    );
    assert_eq!(status(&bench, &plan).await, Value::word("DRAINING"));
    assert!(bench.changes()["StopTask"] >= 1, "{:?}", bench.changes());
    let left = bench.facts(&plan).await.into_iter();
    let left: Vec<_> = left
        .filter(|(fact, _)| matches!(fact, Aspect::HostServiceTasks { .. }))
        .map(|(_, v)| v.count())
        .collect();
    assert!(left.iter().all(|count| *count == Some(0)), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_end_in_the_middle_are_said_and_waited_for() {
    let (from, until) = (Duration::from_secs(20), Some(Duration::from_secs(400)));
    let faults = vec![Rule { from, until, ..Rule::always(Mischief::Expired) }];
    let clock = Clock::Fixed(super::bench::start());
    let bench =
        Bench::of(serve(Options { clock, speed: 0.0, faults, ..Options::default() }).await.unwrap()).await;
    let plan = plan(&bench, None, OnTimeout::Undo).await;
    let record = bench.enter(&plan);
    let op = bench.run(&record.id).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Done), "{:?}", op.lanes);
    let entries = bench.journal().entries(&record.id, 0).unwrap();
    let blind: Vec<&str> =
        entries.iter().filter(|entry| entry.kind == "blind").map(|entry| entry.body.as_str()).collect();
    // Said once for as long as it lasts, with what to do.
    assert_eq!(blind.len(), 1, "{blind:?}");
    assert!(blind[0].contains("xpired") && blind[0].contains("\"hint\":\""), "{blind:?}");
    assert!(blind[0].contains(&format!("coredeck op takeover {}", record.id)), "{blind:?}");
    assert_eq!(bench.changes()["UpdateContainerInstancesState"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_called_whose_intent_found_no_room_on_the_disk() {
    // Before it is claimed, opened, intended, answered, and while it waits.
    for records in 0..5 {
        let bench = Bench::new().await;
        let plan = plan(&bench, None, OnTimeout::Undo).await;
        let record = bench.enter(&plan);
        let full = Mortal { inner: bench.journal(), left: AtomicI64::new(records), is_full: true };
        let edge = bench.edge(Arc::new(full), bench.writer());
        let error = coredeck::ops::run(&edge, &record.id, &runner("anna")).await.unwrap_err();
        drop(edge);
        assert!(error.message.contains("is full"), "{records}: {error}");
        assert!(error.hints.iter().any(|hint| hint.contains("op resume")), "{:?}", error.hints);
        let entries = bench.journal().entries(&record.id, 0).unwrap();
        let intended = entries.iter().filter(|entry| entry.kind == "intended").count();
        let called: usize = bench.changes().values().sum();
        assert_eq!(called, intended, "after {records} records");
        // Room again.
        let op = bench.run(&record.id).await;
        assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Done), "{records}: {:?}", op.lanes);
        assert!(bench.journal().verify().unwrap().faults.is_empty());
    }
}
