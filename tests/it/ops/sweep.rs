//! The crash sweep: every kind of operation, killed after every record and around every call, and every answer
//! lost once. Whoever resumes it leaves the world as the undisturbed run does, and does nothing twice.

use super::bench::{Bench, Fate, Fated, Mortal, intent, runner};
use super::refusing::Meddled;
use crate::sim_groups::{asg, element};
use coredeck::gateway::change::{Change, Setting, Tuning};
use coredeck::inventory::Write;
use coredeck::model::{InstanceState, Known, RefreshPreset, Scope};
use coredeck::ops::intent::{CleanWish, CoreWish, Looked, RefreshWish, ShareWish};
use coredeck::ops::{Aspect, Event, Intent, OpState, Outcome, Plan, Then, Value};
use coredeck::store::journal::Ledger;
use coredeck::world::World;
use futures::StreamExt;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize};
use tokio_util::sync::CancellationToken;

/// Calls that may be made again, because they set a state.
const HARMLESS: [&str; 16] = [
    "UpdateContainerInstancesState",
    "SetInstanceProtection",
    "SetDesiredCapacity",
    "UpdateAutoScalingGroup",
    "SuspendProcesses",
    "ResumeProcesses",
    "StopInstances",
    "StartInstances",
    "TerminateInstances",
    "StopTask",
    "DeregisterTargets",
    "RegisterTargets",
    "PutParameter",
    "CreateTags",
    "DeleteTags",
    // With the same token it launches no other one: instances are counted.
    "RunInstances",
];

/// A kind of operation to be killed.
struct Case {
    name: &'static str,
    /// What must have been done before, and then what is done.
    intents: fn(&World) -> Vec<Intent>,
}

impl Case {
    /// The world that it is killed in.
    async fn world(&self) -> Bench {
        match self.name {
            "core keys retire" => super::config::rig_with_two_keys().await,
            "core config set" | "core keys rotate" => super::config::rig().await,
            ADOPT => {
                let bench = Bench::new().await;
                begun_elsewhere(&bench).await;
                bench
            }
            _ => Bench::new().await,
        }
    }
}

fn is_free(row: &coredeck::fleet::InstanceRow) -> bool {
    row.it.state == InstanceState::Running && row.it.tags.get("coredeck:do-not-disrupt").is_none()
}

/// A member in service of a group that may get smaller.
fn member(world: &World, protected: bool) -> String {
    let row = world.fleet.instances.iter().find(|row| {
        is_free(row)
            && matches!(&row.member, Known::Yes(Some(member)) if member.state == "InService"
                && member.is_protected == protected && member.group().desired > member.group().min)
    });
    row.expect("a member").it.id.to_string()
}

/// A member that runs no tasks of ECS.
fn idle_member(world: &World) -> String {
    let row = world.fleet.instances.iter().find(|row| {
        is_free(row)
            && matches!(&row.member, Known::Yes(Some(member)) if member.state == "InService"
                && member.group().desired > member.group().min)
            && matches!(&row.host, Known::Yes(None))
    });
    row.expect("an idle member").it.id.to_string()
}

/// An instance on demand that belongs to no group and no cluster.
fn lonely(world: &World) -> String {
    let row = world.fleet.instances.iter().find(|row| {
        is_free(row)
            && row.group.is_none()
            && matches!(&row.host, Known::Yes(None))
            && row.it.lifecycle == coredeck::model::Lifecycle::OnDemand
    });
    row.expect("a lonely instance").it.id.to_string()
}

/// A host of workers whose services may move.
fn host(world: &World) -> String {
    let row = world.fleet.instances.iter().find(|row| {
        is_free(row)
            && matches!(&row.host, Known::Yes(Some(host)) if host.status == "ACTIVE" && host.is_connected
                && host.cluster.as_str().ends_with("workers-prod") && host.running_tasks > 0)
            && matches!(&row.member, Known::Yes(Some(member)) if member.state == "InService"
                && member.group().desired > member.group().min)
    });
    row.expect("a host").it.id.to_string()
}

fn drained(world: &World, then: Then) -> Vec<Intent> {
    let mut intent = intent("drain", &[&host(world)]);
    intent.options.then = then;
    intent.options.override_budget = true;
    vec![intent]
}

fn sized(verb: &str, target: &str, desired: u32) -> Intent {
    let mut intent = intent(verb, &[target]);
    intent.options.desired = Some(desired);
    intent
}

fn processes(verb: &str, world: &World) -> Intent {
    let group = world.fleet.groups.iter().find(|row| row.it.suspended.is_empty()).expect("a group");
    let mut intent = intent(verb, &[group.it.name.as_str()]);
    intent.options.processes = vec!["AZRebalance".to_owned(), "ScheduledActions".to_owned()];
    intent
}

fn out(world: &World, target: &str) -> Intent {
    let _ = world;
    let mut intent = intent("standby", &[target]);
    intent.options.override_budget = true;
    intent
}

/// All of a group at once, without waits.
fn refreshed(to: &str) -> Intent {
    let mut intent = intent("refresh", &["dev-hosts"]);
    let preset = RefreshPreset {
        max_healthy: Some(200),
        warmup_s: Some(0),
        checkpoints: Some(Vec::new()),
        bake_s: Some(0),
        ..RefreshPreset::default()
    };
    let wish = RefreshWish { version: Some(to.to_owned()), preset, ..RefreshWish::default() };
    intent.options.refresh = Some(Box::new(wish));
    intent
}

/// A refresh that somebody else started, taken over.
const ADOPT: &str = "refresh --adopt";

fn adopted() -> Intent {
    let mut intent = intent("refresh", &["dev-hosts"]);
    intent.options.refresh = Some(Box::new(RefreshWish { adopt: true, ..RefreshWish::default() }));
    intent
}

/// Somebody starts a refresh of a group from the console.
async fn begun_elsewhere(bench: &Bench) {
    let named = "AutoScalingGroupNames.member.1=dev-hosts";
    let group = asg(&bench.running, "DescribeAutoScalingGroups", named).await;
    let template = element(&group, "LaunchTemplateId");
    let begin = format!(
        "AutoScalingGroupName=dev-hosts&DesiredConfiguration.LaunchTemplate.LaunchTemplateId={template}\
         &DesiredConfiguration.LaunchTemplate.Version=2&Preferences.MinHealthyPercentage=100\
         &Preferences.MaxHealthyPercentage=110&Preferences.InstanceWarmup=30&Preferences.SkipMatching=true"
    );
    let answer = asg(&bench.running, "StartInstanceRefresh", &begin).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// A group of two, one of which is tried first, and `$Default`.
fn rolled_out() -> Intent {
    free(super::rollout::rollout(&["shared-hosts"], |wish| {
        wish.move_default = true;
        wish.preset.max_healthy = Some(200);
        wish.preset.warmup_s = Some(0);
        wish.preset.checkpoint_delay_s = Some(90);
    }))
}

fn shared(world: &World) -> Intent {
    let group = world.fleet.groups.iter().find(|row| row.it.mix.is_some()).expect("a mixed group");
    let mut intent = intent("spot-share", &[group.it.name.as_str()]);
    let wish = ShareWish { base: Some(3), percent: Some(35), ..ShareWish::default() };
    intent.options.share = Some(Box::new(wish));
    intent
}

/// Two versions and the image that only they launch.
fn cleaned() -> Intent {
    let mut intent = intent("clean", &["dev-host"]);
    let wish = CleanWish { newest: 0, images: true, recorded: Some(Vec::new()), ..CleanWish::default() };
    intent.options.clean = Some(Box::new(wish));
    intent
}

fn tuned(world: &World) -> Intent {
    let mut intent = intent("tune", &[world.fleet.groups.first().expect("a group").it.name.as_str()]);
    let tuning = Tuning { warmup: Setting::To(77), rebalances: Some(true), ..Tuning::default() };
    intent.options.tuning = Some(Box::new(tuning));
    intent
}

/// A group for trying, another one after it, and a template for each.
fn rolled_out_in_waves() -> Intent {
    free(super::rollout::rollout(&["shared-hosts", "dev-hosts"], |wish| {
        wish.canary = Some(100);
        wish.watch_s = Some(1);
        wish.preset.max_healthy = Some(200);
        wish.preset.warmup_s = Some(0);
    }))
}

fn free(mut intent: Intent) -> Intent {
    intent.options.override_budget = true;
    intent
}

/// A development core, with secrets that are there.
fn made(id: &str) -> Intent {
    let secret = |core: &str| Some(format!("/coredeck/demo/secrets/{core}/api-key"));
    let mut intent = intent("core create", &[id]);
    intent.options.core = Some(Box::new(CoreWish {
        tier: Some("development".to_owned()),
        api_key: secret("dev-001"),
        database: secret("dev-002"),
        ..CoreWish::default()
    }));
    intent
}

/// A production core on an instance of its own that is launched for it.
fn launched(id: &str) -> Intent {
    let mut intent = made(id);
    if let Some(wish) = &mut intent.options.core {
        wish.tier = Some("production".to_owned());
        wish.host = Some("new".to_owned());
        wish.target_groups = vec!["core-meadowlark".to_owned()];
    }
    intent
}

/// An entry that is changed, one that is new and one that is removed.
fn registered() -> Intent {
    let write = |id: &str, was: Option<&str>, to: Option<&str>| Write {
        scope: Scope { account: "demo".into(), region: "us-east-1".into() },
        name: format!("/coredeck/demo/cores/{id}"),
        lane: "i-0".to_owned(),
        why: "a test".to_owned(),
        was: was.map(|was| (1, was.to_owned())),
        to: to.map(str::to_owned),
    };
    let mut intent = intent("inventory", &["/coredeck/demo"]);
    intent.options.writes = vec![
        write("dev-001", Some("{}"), Some(r#"{"port":1}"#)),
        write("new", None, Some(r#"{"port":2}"#)),
        write("dev-002", Some("{}"), None),
    ];
    intent
}

const CASES: &[Case] = &[
    Case { name: "protect", intents: |w| vec![intent("protect", &[&member(w, false)])] },
    Case {
        name: "unprotect",
        intents: |w| {
            let member = member(w, false);
            vec![intent("protect", &[&member]), intent("unprotect", &[&member])]
        },
    },
    Case { name: "standby", intents: |w| vec![out(w, &idle_member(w))] },
    Case {
        name: "return",
        intents: |w| {
            let member = idle_member(w);
            vec![out(w, &member), intent("return", &[&member])]
        },
    },
    Case { name: "suspend", intents: |w| vec![processes("suspend", w)] },
    Case { name: "resume", intents: |w| vec![processes("suspend", w), processes("resume", w)] },
    Case {
        name: "scale-group",
        intents: |w| {
            let row = w.fleet.groups.iter().find(|row| {
                row.it.desired < row.it.max
                    && row.it.suspended.is_empty()
                    && row.it.members.iter().all(|member| member.weight.is_none())
                    && row.it.members.len() == row.it.desired as usize
            });
            let row = row.expect("a group with room");
            vec![sized("scale", row.it.name.as_str(), row.it.desired + 1)]
        },
    },
    Case { name: "scale-service", intents: |_| vec![sized("scale", "workers-prod/email-worker", 6)] },
    Case { name: "redeploy", intents: |_| vec![intent("redeploy", &["workers-prod/email-worker"])] },
    Case { name: "spot-share", intents: |w| vec![shared(w)] },
    Case { name: "clean", intents: |_| vec![cleaned()] },
    Case { name: "tune", intents: |w| vec![tuned(w)] },
    Case { name: "refresh", intents: |_| vec![refreshed("2")] },
    Case { name: ADOPT, intents: |_| vec![adopted()] },
    Case { name: "rollout", intents: |_| vec![rolled_out()] },
    Case { name: "rollout-in-waves", intents: |_| vec![rolled_out_in_waves()] },
    Case { name: "stop", intents: |w| vec![free(intent("stop", &[&lonely(w)]))] },
    Case {
        name: "start",
        intents: |w| {
            let lonely = lonely(w);
            vec![free(intent("stop", &[&lonely])), intent("start", &[&lonely])]
        },
    },
    Case { name: "reboot", intents: |w| vec![free(intent("reboot", &[&lonely(w)]))] },
    Case { name: "terminate", intents: |w| vec![free(intent("terminate", &[&lonely(w)]))] },
    Case { name: "terminate-member", intents: |w| vec![free(intent("terminate", &[&idle_member(w)]))] },
    Case {
        name: "undrain",
        intents: |w| {
            let row = w
                .fleet
                .instances
                .iter()
                .find(|row| matches!(&row.host, Known::Yes(Some(host)) if host.status == "DRAINING"));
            vec![intent("undrain", &[row.expect("a host that drains").it.id.as_str()])]
        },
    },
    Case { name: "inventory", intents: |_| vec![registered()] },
    Case { name: "core config set", intents: |_| vec![super::config::configured()] },
    Case { name: "core keys rotate", intents: |_| vec![super::config::rotated()] },
    Case { name: "core keys retire", intents: |_| vec![super::config::retired("/keys/new")] },
    Case { name: "core restart", intents: |_| vec![free(intent("core restart", &["shared-prod-1"]))] },
    Case { name: "core stop", intents: |_| vec![free(intent("core stop", &["dev-003"]))] },
    Case {
        name: "core start",
        intents: |_| {
            let core = ["prod-slatepay"];
            vec![free(intent("core stop", &core)), intent("core start", &core)]
        },
    },
    Case { name: "core create", intents: |_| vec![made("new-core")] },
    Case { name: "core create on a new instance", intents: |_| vec![launched("prod-new")] },
    Case {
        name: "core upgrade",
        intents: |_| {
            let mut intent = free(intent("core upgrade", &["dev-009"]));
            let wish = CoreWish { image: Some("11.0.4".to_owned()), ..CoreWish::default() };
            intent.options.core = Some(Box::new(wish));
            vec![intent]
        },
    },
    Case {
        name: "core move",
        intents: |_| {
            let mut moved = free(intent("core move", &["dev-005"]));
            let database = Some("/coredeck/demo/secrets/dev-002/api-key".to_owned());
            // Its database is none that its keys are known of: they are not compared.
            moved.options.override_verdict = true;
            let looked = Looked {
                core: "dev-005".to_owned(),
                image: "supertokens/supertokens-postgresql:11.0.4".to_owned(),
                ..Looked::default()
            };
            let looked = vec![looked];
            moved.options.core = Some(Box::new(CoreWish { database, looked, ..CoreWish::default() }));
            vec![moved]
        },
    },
    Case {
        name: "core move to a new instance",
        intents: |_| {
            let mut moved = free(intent("core move", &["dev-005"]));
            moved.options.override_verdict = true;
            let looked = vec![Looked {
                core: "dev-005".to_owned(),
                image: "supertokens/supertokens-postgresql:11.0.4".to_owned(),
                ..Looked::default()
            }];
            moved.options.core = Some(Box::new(CoreWish {
                host: Some("new".to_owned()),
                template: Some("dev-host:2".to_owned()),
                database: Some("/coredeck/demo/secrets/dev-002/api-key".to_owned()),
                looked,
                ..CoreWish::default()
            }));
            vec![moved]
        },
    },
    Case { name: "drain", intents: |w| drained(w, Then::Keep) },
    Case { name: "drain-standby", intents: |w| drained(w, Then::Standby) },
    Case { name: "drain-terminate", intents: |w| drained(w, Then::Terminate) },
];

/// A world in which everything before the last intent was done.
async fn prepared(case: &Case, before: &[Plan]) -> Bench {
    let bench = case.world().await;
    for plan in before {
        let record = bench.enter(plan);
        let done = bench.run(&record.id).await;
        assert_eq!(done.ended.map(|(end, _)| end), Some(Outcome::Done), "{:?}", done.lanes);
    }
    bench
}

/// Plans of a case, each made in the world that the ones before left.
async fn plans(case: &Case) -> Vec<Plan> {
    let bench = case.world().await;
    let world = bench.world("drain").await;
    let mut plans = Vec::new();
    let intents = (case.intents)(&world);
    let last = intents.len() - 1;
    for (number, intent) in intents.into_iter().enumerate() {
        let plan = bench
            .plan(intent)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}: {:?}", case.name, error.source));
        if number < last {
            bench.run(&bench.enter(&plan).id).await;
        }
        plans.push(plan);
    }
    plans
}

/// Runs with one death or one lost answer, resumes, and returns how it ended.
async fn disturbed(bench: &Bench, plan: &Plan, records: Option<i64>, call: Option<(usize, Fate)>) -> OpState {
    let record = bench.enter(plan);
    {
        let left = AtomicI64::new(records.unwrap_or(i64::MAX));
        let ledger = Mortal { inner: bench.journal(), left, is_full: false };
        let dead = CancellationToken::new();
        let writer = match call {
            None => bench.writer(),
            Some((at, fate)) => {
                let by = Fated { at, fate, count: AtomicUsize::new(0), dead: dead.clone() };
                Arc::new(Meddled { inner: bench.writer(), by })
            }
        };
        let edge = bench.edge(Arc::new(ledger), writer);
        let start = runner("anna");
        tokio::select! {
            ran = coredeck::ops::run(&edge, &record.id, &start) => {
                if let Ok(op) = ran {
                    assert!(op.ended.is_some());
                }
            }
            () = dead.cancelled() => {}
        }
    }
    let edge = bench.edge(Arc::new(bench.journal()), bench.writer());
    let op = coredeck::ops::run(&edge, &record.id, &runner("ben")).await.unwrap();
    assert!(bench.journal().verify().unwrap().faults.is_empty());
    op
}

fn matters(changes: &BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    changes
        .iter()
        .filter(|(call, _)| !HARMLESS.contains(&call.as_str()))
        .map(|(k, v)| (k.clone(), *v))
        .collect()
}

/// How the instances stand that lanes launched, without what names them: in every world they have other ids.
async fn housed(bench: &Bench, op: &OpState) -> Vec<String> {
    let names: Vec<&String> = op.lanes.iter().filter_map(|lane| lane.named.as_ref()).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let facts = bench.facts(&op.plan).await;
    let plain = |text: String| {
        let text = text.replace(&op.record.id, "the operation");
        names.iter().fold(text, |text, name| text.replace(name.as_str(), "the instance"))
    };
    let is_same = |(fact, _): &(&Aspect, &Value)| !matches!(fact, Aspect::ParameterHash { .. });
    facts.iter().filter(is_same).map(|(fact, value)| plain(format!("{fact}: {value}"))).collect()
}

/// Where a run is disturbed: after a record of the journal, or around a call.
type Point = (Option<i64>, Option<(usize, Fate)>);

/// What a run leaves: everything that its plan cares about, how often each call was made, and how many instances
/// operations launched.
type Left = (BTreeMap<Aspect, Value>, BTreeMap<String, usize>, (usize, Vec<String>));

async fn sweep(case: &Case) {
    let mut plans = plans(case).await;
    let plan = plans.pop().unwrap();
    let bench = prepared(case, &plans).await;
    let record = bench.enter(&plan);
    let calm = bench.run(&record.id).await;
    assert_eq!(calm.ended.map(|(end, _)| end), Some(Outcome::Done), "{}: {:?}", case.name, calm.lanes);
    let (facts, changes) = (bench.facts(&plan).await, matters(&bench.changes()));
    let hosts = (bench.launched().await, housed(&bench, &calm).await);
    for once in ["CreateLaunchTemplateVersion", "StartInstanceRefresh"] {
        let lanes = plan.lanes.iter().flat_map(|lane| &lane.steps);
        let meant =
            lanes.filter(|step| step.go.act.change().is_some_and(|change| change.action().ends_with(once)));
        let is_theirs = case.name == ADOPT && once == "StartInstanceRefresh";
        let meant = meant.count() + usize::from(is_theirs);
        assert_eq!(changes.get(once).copied().unwrap_or(0), meant, "{}: {changes:?}", case.name);
    }
    let points = if case.name == LONG { few(&bench, &calm) } else { all(&calm) };
    // Each in a world of its own, some side by side.
    let undisturbed = (facts, changes, hosts);
    let (before, plan, undisturbed) = (&plans, &plan, &undisturbed);
    let runs = points.into_iter().map(|point| at(case, before, plan, undisturbed, point));
    futures::stream::iter(runs).buffer_unordered(16).collect::<()>().await;
}

/// After every record, and around every call.
fn all(calm: &OpState) -> Vec<Point> {
    let mut points: Vec<Point> = (1..calm.length as i64 - 1).map(|record| (Some(record), None)).collect();
    for call in 0..calm.calls.len() {
        points.extend(
            [Fate::DiesBefore, Fate::DiesAfter, Fate::Unheard].map(|fate| (None, Some((call, fate)))),
        );
    }
    points
}

/// A case with a launch, a wait of minutes and two hosts. Every step of it but their order is swept by others already.
const LONG: &str = "core move to a new instance";

/// Where something can be lost: around every call but those that put documents, and where the new instance gets its
/// name. A runner whose journal takes nothing more after an intent has called already, and dies with the answer.
fn few(bench: &Bench, calm: &OpState) -> Vec<Point> {
    let is_meant = |change: &Change| !matches!(change, Change::CreateDocument { .. });
    let entries = bench.journal().entries(&calm.record.id, 0).unwrap();
    let mut points: Vec<Point> = Vec::new();
    for (before, entry) in entries.iter().enumerate() {
        let is_one = match serde_json::from_str(&entry.body) {
            Ok(Event::Intended { change, .. }) => is_meant(&change),
            Ok(Event::Named { .. }) => true,
            _ => false,
        };
        if is_one {
            points.push((Some(before as i64 + 1), None));
        }
    }
    let calls = calm.calls.values().enumerate().filter(|(_, call)| is_meant(&call.change));
    for (at, _) in calls {
        points.extend([Fate::DiesBefore, Fate::Unheard].map(|fate| (None, Some((at, fate)))));
    }
    assert!(points.len() > 12, "{}", points.len());
    points
}

/// One run that is disturbed at a point ends as the undisturbed one did.
async fn at(case: &Case, before: &[Plan], plan: &Plan, undisturbed: &Left, (records, call): Point) {
    let bench = prepared(case, before).await;
    let op = disturbed(&bench, plan, records, call).await;
    let what = format!("{} {records:?} {call:?}", case.name);
    let now = matters(&bench.changes());
    if case.name == "reboot" && op.ended.map(|(end, _)| end) != Some(Outcome::Done) {
        // Nothing shows whether a reboot happened: it is never done twice, and said to be in doubt.
        assert!(now.values().all(|count| *count <= 1), "{what}: {now:?}");
        assert!(op.lanes[0].why[0].contains("no trace"), "{what}: {:?}", op.lanes[0].why);
        return;
    }
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Done), "{what}: {:?}", op.lanes);
    assert_eq!(bench.facts(plan).await, undisturbed.0, "{what}");
    assert_eq!(now, undisturbed.1, "{what}");
    assert_eq!((bench.launched().await, housed(&bench, &op).await), undisturbed.2, "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_refresh_is_turned_round_once_whatever_becomes_of_the_call_and_of_its_runner() {
    let case = CASES.iter().find(|case| case.name == ADOPT).unwrap();
    let plan = plans(case).await.pop().unwrap();
    for fate in [Fate::DiesBefore, Fate::DiesAfter, Fate::Unheard] {
        let bench = case.world().await;
        let begin = bench.timer.clock().saturating_add(jiff::SignedDuration::from_mins(5)).unwrap();
        let journal = bench.journal();
        let ask = move || {
            let all = journal.ops(1).unwrap();
            journal.ask(&all[0].id, "rollback", &super::bench::who("ben"), None, begin).unwrap();
        };
        bench.timer.then.lock().unwrap().push((begin, Box::new(ask)));
        let op = disturbed(&bench, &plan, None, Some((0, fate))).await;
        assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::RolledBack), "{fate:?}: {:?}", op.lanes);
        let (members, saved) = super::groups::versions(&bench, "dev-hosts").await;
        assert_eq!((members, saved), super::groups::all("3"), "{fate:?}");
        let changes = bench.changes();
        let counts = ["StartInstanceRefresh", "RollbackInstanceRefresh", "CancelInstanceRefresh"]
            .map(|call| changes.get(call).copied().unwrap_or(0));
        assert_eq!(counts, [1, 1, 0], "{fate:?}: {changes:?}");
    }
}

/// One test for each kind, so that a failure names it and they run side by side.
macro_rules! sweeps {
    ($($name:ident => $word:expr),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            sweep(CASES.iter().find(|case| case.name == $word).unwrap()).await;
        }
    )+

        #[test]
        fn every_case_is_swept() {
            let swept = [$($word),+];
            assert!(CASES.iter().all(|case| swept.contains(&case.name)));
            let kinds = coredeck::ops::KINDS.iter().map(|kind| kind.word);
            for kind in kinds {
                assert!(CASES.iter().any(|case| case.name.starts_with(kind)), "{kind} is not swept");
            }
        }
    };
}

sweeps! {
    protect => "protect",
    unprotect => "unprotect",
    standby => "standby",
    returned => "return",
    suspend => "suspend",
    resume => "resume",
    scale_group => "scale-group",
    scale_service => "scale-service",
    redeploy => "redeploy",
    spot_share => "spot-share",
    tune => "tune",
    clean => "clean",
    refresh => "refresh",
    refresh_adopt => ADOPT,
    rollout => "rollout",
    rollout_in_waves => "rollout-in-waves",
    stop => "stop",
    start => "start",
    reboot => "reboot",
    terminate => "terminate",
    terminate_member => "terminate-member",
    undrain => "undrain",
    inventory => "inventory",
    core_config_set => "core config set",
    core_keys_rotate => "core keys rotate",
    core_keys_retire => "core keys retire",
    core_restart => "core restart",
    core_stop => "core stop",
    core_start => "core start",
    core_create => "core create",
    core_create_on_a_new_instance => "core create on a new instance",
    core_upgrade => "core upgrade",
    core_move => "core move",
    core_move_to_a_new_instance => "core move to a new instance",
    drain => "drain",
    drain_standby => "drain-standby",
    drain_terminate => "drain-terminate",
}
