//! What nobody knows for a while: writes that hang until their deadline, answers that are lost while reads lag,
//! refusals that follow them, and clocks that were wrong.

use super::bench::{Bench, beginning, intent, later, runner, start, who};
use super::together::shared_hosts;
use coredeck::clock::Clock;
use coredeck::config::Regions;
use coredeck::gateway::change::FleetWriter;
use coredeck::model::{InstanceState, Known, Region};
use coredeck::ops::begin::enter;
use coredeck::ops::progress::{Progress, line};
use coredeck::ops::{Aspect, End, Event, OpState, Outcome, Phase, Plan, Timer, Value, Verb};
use coredeck::sim::{Mischief, Options, Rule, serve};
use coredeck::store::journal::{Journal, Ledger};
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;

fn hit(kind: Mischief, call: &str, times: Option<u64>) -> Rule {
    Rule { call: call.to_owned(), times, delay: Duration::from_secs(60), ..Rule::always(kind) }
}

async fn faulty(faults: Vec<Rule>) -> Bench {
    let clock = Clock::Fixed(start());
    Bench::of(serve(Options { clock, speed: 0.0, faults, ..Options::default() }).await.unwrap()).await
}

/// Somebody who changes things and waits two seconds for an answer instead of twelve.
async fn hasty(bench: &Bench) -> Arc<dyn FleetWriter> {
    let options = coredeck::aws::Options {
        environment: Some(bench.running.exports()),
        clock: Clock::Fixed(start()),
        silent: Some(Duration::from_secs(2)),
        ..coredeck::aws::Options::default()
    };
    let aws = Arc::new(coredeck::aws::connect(&bench.config, options).await.unwrap());
    Arc::new(aws.writer().unwrap())
}

/// A member in service that runs no task, of a group that may get smaller.
async fn idle(bench: &Bench) -> String {
    let world = bench.world("drain").await;
    let row = world.fleet.instances.iter().find(|row| {
        row.it.state == InstanceState::Running
            && row.it.tags.get("coredeck:do-not-disrupt").is_none()
            && matches!(&row.member, Known::Yes(Some(member)) if member.state == "InService"
                && !member.is_protected && member.group().desired > member.group().min)
            && !matches!(&row.host, Known::Yes(Some(_)))
    });
    row.expect("an idle member").it.id.to_string()
}

async fn standby(bench: &Bench) -> Plan {
    let mut wanted = intent("standby", &[&idle(bench).await]);
    wanted.options.override_budget = true;
    bench.plan(wanted).await.unwrap()
}

/// How an operation ended, and every line that was recorded of it.
fn told(bench: &Bench, op: &OpState) -> (Option<Outcome>, String) {
    let entries = bench.journal().entries(&op.record.id, 0).unwrap();
    let events = entries.iter().filter_map(|entry| serde_json::from_str::<Event>(&entry.body).ok());
    let lines: Vec<String> = events.map(|event| line(op, &event)).collect();
    (op.ended.map(|(end, _)| end), lines.join("\n"))
}

async fn value(bench: &Bench, plan: &Plan, is_meant: fn(&Aspect) -> bool) -> Value {
    let facts = bench.facts(plan).await;
    facts.into_iter().find(|(fact, _)| is_meant(fact)).expect("the fact").1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_hangs_is_looked_up_and_made_once() {
    // It never arrives; or it arrives, and only the answer never comes.
    for mischief in [Mischief::Hang, Mischief::Slow] {
        let bench = faulty(vec![hit(mischief, "EnterStandby", Some(1))]).await;
        let plan = standby(&bench).await;
        let record = bench.enter(&plan);
        let edge = bench.edge(Arc::new(bench.journal()), hasty(&bench).await);
        let op = coredeck::ops::run(&edge, &record.id, &runner("anna")).await.unwrap();
        let (end, told) = told(&bench, &op);
        assert_eq!(end, Some(Outcome::Done), "{mischief:?}: {told}");
        assert!(told.contains("within 2 s; it may have happened"), "{told}");
        let is_repeated = told.contains("call 1: its answer was lost, and it did not happen for");
        assert_eq!(is_repeated, mischief == Mischief::Hang, "{mischief:?}: {told}");
        let acted = bench.running.calls();
        let acted = acted.iter().filter(|call| call["operation"] == "EnterStandby" && call["acted"] == true);
        assert_eq!(acted.count(), 1, "{mischief:?}");
        let state = value(&bench, &plan, |fact| matches!(fact, Aspect::MemberState { .. })).await;
        assert_eq!(state, Value::word("Standby"), "{mischief:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reboot_that_hangs_ends_in_doubt_with_the_next_command() {
    let bench = faulty(vec![hit(Mischief::Hang, "RebootInstances", None)]).await;
    let mut wanted = intent("reboot", &[&idle(&bench).await]);
    wanted.options.override_budget = true;
    let plan = {
        // The dry run would hang as well.
        let world = bench.world("reboot").await;
        let desk = coredeck::ops::Desk {
            snapshot: &world.snapshot,
            fleet: &world.fleet,
            config: &bench.config,
            probe: bench.aws.as_ref(),
            writer: None,
            now: bench.timer.now(),
        };
        desk.plan(wanted).await.unwrap()
    };
    let record = bench.enter(&plan);
    let edge = bench.edge(Arc::new(bench.journal()), hasty(&bench).await);
    let op = coredeck::ops::run(&edge, &record.id, &runner("anna")).await.unwrap();
    let (end, told) = told(&bench, &op);
    assert_eq!(end, Some(Outcome::PartWay), "{told}");
    assert!(op.lanes[0].why[0].contains("no trace"), "{:?}", op.lanes[0].why);
    let sent = bench.running.calls().iter().filter(|call| call["operation"] == "RebootInstances").count();
    assert_eq!(sent, 1, "never repeated blindly");
    let next = Progress::of(&op, false, bench.timer.now()).hint;
    assert_eq!(next, Some(format!("coredeck op log {}", record.id)), "nothing could be rolled back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_never_gets_an_answer_is_given_up_and_says_what_comes_next() {
    let bench = faulty(vec![hit(Mischief::Error, "SetInstanceProtection", None)]).await;
    let mut wanted = intent("protect", &[&idle(&bench).await]);
    wanted.options.on_timeout = coredeck::ops::intent::OnTimeout::Leave;
    let plan = bench.plan(wanted).await.unwrap();
    let record = bench.enter(&plan);
    let op = bench.run(&record.id).await;
    let (end, told) = told(&bench, &op);
    assert_eq!(end, Some(Outcome::PartWay), "{told}");
    assert_eq!(told.matches("made again not before").count(), 8, "{told}");
    assert_eq!(told.matches("autoscaling:SetInstanceProtection for").count(), 9, "{told}");
    let progress = Progress::of(&op, false, bench.timer.now());
    assert!(progress.lanes[0].now.contains("got no answer that tells whether they happened"), "{progress:?}");
    assert!(progress.hint.is_some_and(|next| next.contains(&record.id)), "the next command");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_after_a_lost_answer_is_undone_and_not_taken_for_untouched() {
    // The first call sets the host to DRAINING and its answer is lost; reads lag, so that it is made again, and that
    // one is refused. A tool that believes the refusal leaves the host draining for ever, and says it was not touched.
    let bench = faulty(vec![
        hit(Mischief::LostAnswer, "UpdateContainerInstancesState", Some(1)),
        hit(Mischief::Denied, "UpdateContainerInstancesState", Some(1)),
        hit(Mischief::Stale, "DescribeContainerInstances", None),
    ])
    .await;
    bench.running.step(Duration::from_secs(120));
    let host = shared_hosts(&bench, 1).await.remove(0);
    let mut wanted = intent("drain", &[&host]);
    wanted.options.override_budget = true;
    let plan = bench.plan(wanted).await.unwrap();
    let record = bench.enter(&plan);
    let op = bench.run(&record.id).await;
    let (end, told) = told(&bench, &op);
    assert!(told.contains("permission is missing"), "{told}");
    assert_eq!(end, Some(Outcome::RolledBack), "{told}");
    bench.running.step(Duration::from_secs(120));
    let status = value(&bench, &plan, |fact| matches!(fact, Aspect::HostStatus { .. })).await;
    assert_eq!(status, Value::word("ACTIVE"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_in_the_middle_of_a_doubt_waits_until_aws_shows_what_happened() {
    let bench = faulty(vec![
        hit(Mischief::LostAnswer, "EnterStandby", Some(1)),
        hit(Mischief::Stale, "DescribeAutoScalingGroups", None),
    ])
    .await;
    bench.running.step(Duration::from_secs(120));
    let plan = standby(&bench).await;
    let record = bench.enter(&plan);
    let (file, id) = (bench.folder.path().join("journal.db"), record.id.clone());
    let at = bench.timer.now() + SignedDuration::from_secs(15);
    let ask = move || {
        Journal::open(&file).unwrap().ask(&id, Verb::Rollback.word(), &who("ben"), None, at).unwrap();
    };
    bench.timer.then.lock().unwrap().push((at, Box::new(ask)));
    let op = bench.run(&record.id).await;
    let (end, told) = told(&bench, &op);
    assert_eq!(end, Some(Outcome::RolledBack), "{told}");
    bench.running.step(Duration::from_secs(120));
    let state = value(&bench, &plan, |fact| matches!(fact, Aspect::MemberState { .. })).await;
    assert_eq!(state, Value::word("InService"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_a_clock_that_was_a_day_ahead_stop_nobody() {
    let bench = Bench::new().await;
    let host = shared_hosts(&bench, 1).await.remove(0);
    let mut wanted = intent("drain", &[&host]);
    wanted.options.override_budget = true;
    let plan = bench.plan(wanted).await.unwrap();
    let record = bench.enter(&plan);
    // A runner on a clock that is a day ahead begins it and dies.
    let tomorrow = start() + SignedDuration::from_hours(24);
    {
        let journal = bench.journal();
        let epoch = journal.claim(&record.id, &who("anna"), tomorrow, false).unwrap();
        let claimed = Event::Claimed { who: who("anna"), pid: 1, home: "session".to_owned() };
        for event in [claimed, Event::Opened { lanes: vec![0] }] {
            let body = serde_json::to_string(&event).unwrap();
            journal.append(&record.id, epoch, tomorrow, event.word(), &body).unwrap();
        }
    }
    let before = bench.timer.now();
    let op = bench.run(&record.id).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Done), "{:?}", op.lanes);
    let took = bench.timer.now().duration_since(before);
    assert!(took < SignedDuration::from_hours(1), "it slept until the clock had caught up: {took:?}");
    // What was recorded keeps its order.
    let entries = bench.journal().entries(&record.id, 0).unwrap();
    assert!(entries.is_sorted_by_key(|entry| entry.at), "{entries:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_takeover_is_heard_whatever_the_clocks_say() {
    let bench = Bench::new().await;
    let host = shared_hosts(&bench, 1).await.remove(0);
    let mut wanted = intent("drain", &[&host]);
    wanted.options.override_budget = true;
    let record = bench.enter(&bench.plan(wanted).await.unwrap());
    let (file, id) = (bench.folder.path().join("journal.db"), record.id.clone());
    // The clock of whoever asks is an hour behind that of the runner.
    let asked_at = start() - SignedDuration::from_hours(1);
    let ask = move || {
        Journal::open(&file).unwrap().ask(&id, Verb::Takeover.word(), &who("ben"), None, asked_at).unwrap();
    };
    bench.timer.then.lock().unwrap().push((start() + SignedDuration::from_secs(5), Box::new(ask)));
    let op = bench.run(&record.id).await;
    assert!(op.ended.is_none() && op.left.as_deref() == Some("ben@bastion took it over"), "{:?}", op.left);
    let op = bench.run(&record.id).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Done), "whoever runs it next keeps it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_missing_in_one_region_stops_nobody_in_another() {
    let regions = ["us-east-1", "us-west-2"];
    let mut text = format!("seed = 3\nspeed = 0\nregions = {regions:?}\nstart = \"2026-11-21T12:00:00Z\"\n");
    for region in regions {
        text.push_str(&format!(
            "[[fleet]]\nregion = {region:?}\n[[fleet.group]]\nname = \"g\"\ntypes = [\"t3.large\"]\nmin = 0\n\
             desired = 2\nmax = 4\ntier = \"shared\"\n"
        ));
    }
    let mut options = coredeck::sim::parse(&text, "two regions").unwrap();
    let mut rule = hit(Mischief::Denied, "SetInstanceProtection", None);
    rule.region = "us-east-1".to_owned();
    options.faults.push(rule);
    let mut bench = Bench::of(serve(options).await.unwrap()).await;
    bench.config.regions = Regions::Named(regions.map(Region::new).to_vec());
    bench.reconnect().await;
    bench.running.step(Duration::from_secs(600));
    let world = bench.world("protect").await;
    let of = |region: &str| {
        let all = world.fleet.instances.iter().filter(|row| {
            row.scope.region.as_str() == region
                && matches!(&row.member, Known::Yes(Some(member)) if member.state == "InService"
                    && !member.is_protected)
        });
        all.map(|row| row.it.id.to_string()).next().expect("a member")
    };
    let targets = regions.map(of);
    let plan = bench.plan(intent("protect", &[&targets[0], &targets[1]])).await.unwrap();
    let record = bench.enter(&plan);
    let op = bench.run(&record.id).await;
    let ends: Vec<(String, Phase)> = op
        .plan
        .lanes
        .iter()
        .zip(&op.lanes)
        .map(|(plan, lane)| (plan.scope.region.to_string(), lane.phase))
        .collect();
    for (region, phase) in &ends {
        let wanted = if region == "us-east-1" { End::Untouched } else { End::Done };
        assert_eq!(*phase, Phase::Over(wanted), "{ends:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_ended_holds_nothing_although_its_runner_died_over_it() {
    let bench = Bench::new().await;
    let host = shared_hosts(&bench, 1).await.remove(0);
    let plan = bench.plan(intent("protect", &[&host])).await.unwrap();
    let record = bench.enter(&plan);
    {
        let journal = bench.journal();
        let epoch = journal.claim(&record.id, &who("anna"), start(), false).unwrap();
        let ended = Event::Ended { end: Outcome::Failed };
        let body = serde_json::to_string(&ended).unwrap();
        journal.append(&record.id, epoch, start(), ended.word(), &body).unwrap();
        // And dies here, before it lets go.
    }
    let again = enter(&bench.journal(), &plan, beginning("ben", later(1))).unwrap();
    assert_eq!(bench.run(&again.id).await.ended.map(|(end, _)| end), Some(Outcome::Done));
}
