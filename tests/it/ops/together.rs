//! Operations beside each other and beside people: stale plans, held targets, budgets, pauses, cancels, undos.

use super::bench::{Bench, beginning, intent, later, start, who};
use coredeck::error::ErrorKind;
use coredeck::model::Known;
use coredeck::ops::begin::{check, enter};
use coredeck::ops::{End, Intent, Outcome, Plan, Timer, Value};
use coredeck::store::journal::{Journal, Ledger};

async fn member(bench: &Bench) -> String {
    let world = bench.world("protect").await;
    let row = world.fleet.instances.iter().find(|row| {
        matches!(&row.member, Known::Yes(Some(member)) if member.state == "InService" && !member.is_protected)
    });
    row.unwrap().it.id.to_string()
}

async fn identities(bench: &Bench) -> Vec<(coredeck::model::Scope, coredeck::model::Identity)> {
    let world = bench.world("protect").await;
    let parts = world.snapshot.parts.iter();
    parts.map(|part| ((*part.scope).clone(), (**part.identity.value.as_ref().unwrap()).clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_held_to_its_hash_its_time_its_account_and_its_facts() {
    let bench = Bench::new().await;
    let id = member(&bench).await;
    let plan = bench.plan(intent("protect", &[&id])).await.unwrap();
    assert_eq!(Plan::parse(&plan.json()).unwrap(), plan);
    let edited = plan.json().replace("\"is_protected\":true", "\"is_protected\":false");
    let error = Plan::parse(&edited).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("changed after it was made"), "{}", error.message);

    let mut identities = identities(&bench).await;
    let probe = bench.aws.as_ref();
    check(&plan, "demo", &identities, probe, start()).await.unwrap();
    let late = check(&plan, "demo", &identities, probe, later(16)).await.unwrap_err();
    assert!(late.message.contains("good until"), "{}", late.message);
    let other = check(&plan, "live", &identities, probe, start()).await.unwrap_err();
    assert!(other.message.contains("for the fleet demo"), "{}", other.message);

    let first = bench.enter(&plan);
    bench.run(&first.id).await;
    let stale = check(&plan, "demo", &identities, probe, start()).await.unwrap_err();
    assert_eq!(stale.kind, ErrorKind::Refused);
    let named = stale.source.unwrap().to_string();
    assert!(named.contains("scale-in protection of") && named.contains("was no and is yes"), "{named}");

    identities[0].1.account_id = "111122223333".into();
    let foreign = check(&plan, "demo", &identities, probe, start()).await.unwrap_err();
    assert!(foreign.message.contains("111122223333"), "{}", foreign.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_targets_are_refused_all_at_once_with_what_was_meant() {
    let bench = Bench::new().await;
    let error = bench.plan(intent("drain", &["i-0000", "prod-nobody"])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    let said = error.source.unwrap().to_string();
    assert!(said.contains("i-0000: there is no such instance") && said.contains("prod-nobody"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_engineers_one_acts_and_the_other_is_told_who() {
    let bench = Bench::new().await;
    let id = member(&bench).await;
    let plan = bench.plan(intent("protect", &[&id])).await.unwrap();
    let record = bench.enter(&plan);
    let error = enter(&bench.journal(), &plan, beginning("ben", later(1))).unwrap_err();
    assert_eq!((error.kind, error.kind.exit_code()), (ErrorKind::Held, 4));
    assert!(
        error.message.contains("anna@bastion") && error.message.contains(&record.id),
        "{}",
        error.message
    );
    bench.run(&record.id).await;
    enter(&bench.journal(), &plan, beginning("ben", later(2))).unwrap();
}

pub(super) async fn shared_hosts(bench: &Bench, count: usize) -> Vec<String> {
    let world = bench.world("drain").await;
    let hosts = world.fleet.instances.iter().filter(|row| {
        matches!(&row.host, Known::Yes(Some(host)) if host.status == "ACTIVE" && host.is_connected
            && host.cluster.as_str().ends_with("workers-prod"))
            && row.it.tags.get("coredeck:do-not-disrupt").is_none()
    });
    hosts.take(count).map(|row| row.it.id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_a_cancel_and_a_rollback_are_heard() {
    let bench = Bench::new().await;
    let hosts = shared_hosts(&bench, 2).await;
    let names: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let mut wanted = intent("drain", &names);
    wanted.options.override_budget = true;
    let plan = bench.plan(wanted).await.unwrap();
    let before = bench.facts(&plan).await;
    let record = bench.enter(&plan);
    let journal = bench.journal();
    journal.ask(&record.id, "rollback", &who("ben"), Some("wrong hosts"), later(0)).unwrap();
    // It is asked before anything began: nothing is touched.
    let op = bench.run(&record.id).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Failed));
    assert_eq!(op.count(End::Skipped), 2);
    assert!(bench.changes().is_empty(), "{:?}", bench.changes());

    let record = enter(&journal, &plan, beginning("anna", later(1))).unwrap();
    // After a minute, while tasks move.
    let file = bench.folder.path().join("journal.db");
    let id = record.id.clone();
    let ask = move || {
        let journal = Journal::open(&file).unwrap();
        journal.ask(&id, "rollback", &who("ben"), None, later(1)).unwrap();
    };
    let now = bench.timer.now();
    bench.timer.then.lock().unwrap().push((now + jiff::SignedDuration::from_secs(5), Box::new(ask)));
    let op = bench.run(&record.id).await;
    let ended = op.ended.map(|(end, _)| end);
    assert!(matches!(ended, Some(Outcome::RolledBack)), "{ended:?} {:?}", op.lanes);
    let after = bench.facts(&plan).await;
    let status = |facts: &std::collections::BTreeMap<coredeck::ops::Aspect, Value>| {
        let status =
            facts.iter().filter(|(fact, _)| matches!(fact, coredeck::ops::Aspect::HostStatus { .. }));
        status.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    assert_eq!(status(&after), status(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_took_too_long_is_undone_and_the_rest_is_listed() {
    let bench = Bench::new().await;
    let hosts = shared_hosts(&bench, 1).await;
    let mut wanted: Intent = intent("drain", &[&hosts[0]]);
    wanted.options.override_budget = true;
    wanted.options.timeout_s = Some(1);
    let plan = bench.plan(wanted).await.unwrap();
    let record = bench.enter(&plan);
    let op = bench.run(&record.id).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::RolledBack), "{:?}", op.lanes);
    assert!(op.lanes[0].why[0].contains("after 1 s still not"), "{:?}", op.lanes[0].why);
    let facts = bench.facts(&plan).await;
    let is_active = facts.iter().any(|(fact, value)| {
        matches!(fact, coredeck::ops::Aspect::HostStatus { .. }) && *value == Value::word("ACTIVE")
    });
    assert!(is_active, "{facts:?}");
}
