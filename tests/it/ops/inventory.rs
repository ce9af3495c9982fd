//! The inventory: what pretended hosts answer is what the pretended world holds, the registry is kept in step by an
//! operation, and whoever could not be asked is said, and never taken for gone.

use super::bench::{Bench, intent, start};
use crate::sim_hosts::ssm;
use coredeck::clock::Clock;
use coredeck::collect;
use coredeck::gateway::{FleetReader, FleetWriter};
use coredeck::inventory::{Diff, Policy, Sort};
use coredeck::ops::hosts::{Asking, SOURCES, Survey, survey};
use coredeck::ops::{Outcome, Timer as _};
use coredeck::sim::{Mischief, Options, Rule, parse, serve};
use coredeck::world::Interest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

async fn look(bench: &Bench, writer: Option<Arc<dyn FleetWriter>>, may_put: bool) -> Survey {
    let reader = Arc::clone(&bench.aws) as Arc<dyn FleetReader>;
    let config = Arc::new(bench.config.clone());
    let patience = collect::Patience::default();
    let world =
        collect::once(reader, config, &SOURCES, Interest::default(), Clock::Fixed(start()), patience).await;
    let asking = Asking {
        probe: bench.aws.as_ref(),
        writer: writer.as_deref(),
        timer: bench.timer.as_ref(),
        mark: format!("coredeck inventory {}", bench.timer.now().as_microsecond()),
        may_put,
    };
    survey(&asking, bench.config.fleet.as_str(), &world.snapshot, &world.fleet).await.unwrap()
}

/// Where requests wait for their turn in pretended time too.
async fn paced(options: Options) -> Bench {
    Bench::of(serve(options).await.unwrap()).await
}

async fn asked(bench: &Bench) -> Survey {
    look(bench, Some(bench.writer()), true).await
}

fn sorts(diff: &Diff) -> BTreeMap<Sort, usize> {
    let mut sorts = BTreeMap::new();
    diff.differences.iter().for_each(|one| *sorts.entry(one.sort).or_default() += 1);
    sorts
}

fn of<'d>(diff: &'d Diff, id: &str) -> &'d coredeck::inventory::Difference {
    let found = diff.differences.iter().find(|one| one.name.ends_with(&format!("/{id}")));
    found.unwrap_or_else(|| panic!("{id}: {:#?}", diff.differences))
}

async fn put(bench: &Bench, name: &str, value: &Value) {
    let body = json!({ "Name": name, "Value": value.to_string(), "Type": "String", "Overwrite": true });
    ssm(&bench.running, "PutParameter", body).await;
}

async fn entry(bench: &Bench, name: &str) -> (Value, u64) {
    let answer = ssm(&bench.running, "GetParameter", json!({ "Name": name })).await;
    let found = &answer["Parameter"];
    (serde_json::from_str(found["Value"].as_str().unwrap()).unwrap(), found["Version"].as_u64().unwrap())
}

/// Synchronises, and says how it ended.
async fn sync(bench: &Bench, diff: &Diff, policy: Policy) -> (Option<Outcome>, String) {
    let mut wanted = intent("inventory", &["/coredeck/demo"]);
    wanted.options.writes = diff.writes(policy);
    let record = bench.enter(&bench.plan(wanted).await.unwrap());
    let op = bench.run(&record.id).await;
    (op.ended.map(|(end, _)| end), record.id)
}

fn count(bench: &Bench, operation: &str) -> usize {
    bench.running.calls().iter().filter(|call| call["operation"] == operation).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hosts_answer_is_what_the_registry_of_their_world_says() {
    let bench = Bench::new().await;
    let survey = asked(&bench).await;
    let diff = survey.diff();
    // The registry of the pretended world was made with its containers: nothing is new, changed or in conflict.
    let found = sorts(&diff);
    assert_eq!(found.get(&Sort::Add).or(found.get(&Sort::Change)), None, "{:#?}", diff.differences);
    assert_eq!(found.get(&Sort::Conflict), None, "{:#?}", diff.differences);
    let docker = survey.seen.cores.iter().filter(|core| core.container.is_some()).count();
    let entries = survey.entries.iter().filter(|entry| entry.name.contains("/cores/")).count();
    let gone = diff.differences.iter().filter(|one| one.name.contains("/cores/")).count();
    let unjudged = diff.unjudged.iter().filter(|one| one.name.contains("/cores/")).count();
    assert_eq!(docker + gone + unjudged, entries, "each entry is found, gone or not judged");
    assert!(docker > 70, "{docker}");
    let one = survey.seen.cores.iter().find(|core| core.id.as_str() == "dev-001").unwrap();
    assert_eq!((one.memory_mib, one.cpu_millis, one.port), (Some(256), Some(500), Some(3567)));
    assert!(one.runs() && one.started_at.is_some());
    // A host whose agent is silent keeps its entry out of all judgement.
    let silent: Vec<_> = survey.seen.hosts.iter().filter(|host| host.containers.is_err()).collect();
    assert!(
        silent.iter().any(|host| host.containers.as_ref().unwrap_err().contains("offline")),
        "{silent:?}"
    );
    for host in &silent {
        assert!(!diff.differences.iter().any(|one| one.lane == host.id.as_str()), "{host:?}");
    }
    let changed: Vec<String> = bench.changes().into_keys().collect();
    assert_eq!(changed, ["CreateDocument", "SendCommand"], "an inventory that only looks writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_is_brought_in_step_once_and_taken_back() {
    let bench = Bench::new().await;
    // One entry was lost, one was edited by hand, one names a container that is not there any more.
    let (lost, _) = entry(&bench, "/coredeck/demo/cores/dev-003").await;
    ssm(&bench.running, "DeleteParameter", json!({ "Name": "/coredeck/demo/cores/dev-003" })).await;
    let (mut edited, _) = entry(&bench, "/coredeck/demo/cores/dev-004").await;
    edited["port"] = json!(4000);
    put(&bench, "/coredeck/demo/cores/dev-004", &edited).await;
    let ghost = json!({ "tier": "development", "instance_id": lost["instance_id"], "container": "ghost" });
    put(&bench, "/coredeck/demo/cores/ghost", &ghost).await;
    let planted =
        json!({ "instance_id": lost["instance_id"], "port": 9, "api_key": "hunter2-planted-secret" });
    put(&bench, "/coredeck/demo/cores/dev-005", &planted).await;

    let survey = asked(&bench).await;
    let diff = survey.diff();
    assert_eq!(of(&diff, "dev-003").sort, Sort::Add);
    let by_hand = of(&diff, "dev-004");
    assert_eq!(by_hand.sort, Sort::Conflict, "{by_hand:?}");
    assert_eq!(by_hand.fields, [("port", Some("4000".to_owned()), "3570".to_owned())]);
    assert_eq!(of(&diff, "ghost").sort, Sort::Gone);
    let closed = of(&diff, "dev-005");
    assert!(!closed.is_open && closed.why.contains("api_key"), "{closed:?}");
    assert!(!format!("{diff:?}").contains("hunter2"), "what nobody may write over is nowhere repeated");

    let careful = Policy::default();
    assert_eq!(diff.writes(careful).len(), 1, "only what nobody has to decide");
    let (end, _) = sync(&bench, &diff, careful).await;
    assert_eq!(end, Some(Outcome::Done));
    let (made, version) = entry(&bench, "/coredeck/demo/cores/dev-003").await;
    assert_eq!((&made["instance_id"], &made["port"], version), (&lost["instance_id"], &lost["port"], 1));
    assert!(made["inventory"].is_string() && made.get("api_key_parameter").is_none());

    // A second inventory finds nothing to write, and an entry with a seal that was edited is noticed.
    let again = asked(&bench).await.diff();
    assert!(again.writes(careful).is_empty(), "{:#?}", again.writes(careful));
    let mut touched = made.clone();
    touched["port"] = json!(5000);
    put(&bench, "/coredeck/demo/cores/dev-003", &touched).await;
    let noticed = asked(&bench).await.diff();
    let one = of(&noticed, "dev-003");
    assert!(one.sort == Sort::Conflict && one.why.contains("edited by hand"), "{one:?}");

    // Told to, it writes over what people wrote and removes what is gone; and takes all of that back.
    let all = Policy { prune: true, overwrite: true };
    let keep = ["ghost", "dev-003", "dev-004"];
    let mut some = noticed.clone();
    some.differences.retain(|one| keep.iter().any(|id| one.name.ends_with(&format!("/{id}"))));
    let (end, id) = sync(&bench, &some, all).await;
    assert_eq!(end, Some(Outcome::Done));
    let (mended, _) = entry(&bench, "/coredeck/demo/cores/dev-004").await;
    assert_eq!((&mended["port"], &mended["api_key_parameter"]), (&json!(3570), &edited["api_key_parameter"]));
    let after = asked(&bench).await.diff();
    assert!(!after.differences.iter().any(|one| keep.iter().any(|id| one.name.ends_with(&format!("/{id}")))));

    let op = coredeck::ops::read(&bench.journal(), &id).unwrap();
    let back = bench.undo(&op).await.unwrap();
    let record = bench.enter(&back);
    assert_eq!(bench.run(&record.id).await.ended.map(|(end, _)| end), Some(Outcome::Done));
    assert_eq!(entry(&bench, "/coredeck/demo/cores/dev-004").await.0, edited);
    assert_eq!(entry(&bench, "/coredeck/demo/cores/dev-003").await.0, touched);
    assert_eq!(entry(&bench, "/coredeck/demo/cores/ghost").await.0, ghost);

    let journal = std::fs::read(bench.folder.path().join("journal.db")).unwrap();
    let journal = String::from_utf8_lossy(&journal);
    assert!(!journal.contains("hunter2") && journal.contains("dev-004"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_writes_between_plan_and_run_keeps_what_he_wrote() {
    let bench = Bench::new().await;
    let (_, version) = entry(&bench, "/coredeck/demo/cores/dev-004").await;
    assert_eq!(version, 1);
    ssm(&bench.running, "DeleteParameter", json!({ "Name": "/coredeck/demo/cores/dev-004" })).await;
    let diff = asked(&bench).await.diff();
    let mut wanted = intent("inventory", &["/coredeck/demo"]);
    wanted.options.writes = diff.writes(Policy::default());
    let record = bench.enter(&bench.plan(wanted).await.unwrap());
    let theirs = json!({ "instance_id": "i-1", "port": 1 });
    put(&bench, "/coredeck/demo/cores/dev-004", &theirs).await;
    let op = bench.run(&record.id).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Failed), "{:?}", op.lanes);
    assert_eq!(entry(&bench, "/coredeck/demo/cores/dev-004").await, (theirs, 1));
    assert_eq!(bench.changes().get("PutParameter"), Some(&1), "only theirs");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_leave_no_host_is_asked_and_nothing_is_gone() {
    let bench = Bench::new().await;
    for (writer, may_put, why) in
        [(None, true, "read-only"), (Some(bench.writer()), false, "say --yes once to put it there")]
    {
        let survey = look(&bench, writer, may_put).await;
        let running = survey.seen.hosts.iter().filter(|host| !host.is_down);
        let told: Vec<&String> = running.map(|host| host.containers.as_ref().unwrap_err()).collect();
        assert!(told.iter().any(|told| told.contains(why)), "{told:?}");
        let diff = survey.diff();
        let gone: Vec<_> = diff.differences.iter().filter(|one| one.sort == Sort::Gone).collect();
        assert!(gone.iter().all(|one| one.why.contains("does not exist")), "{gone:?}");
    }
    assert!(bench.changes().is_empty());

    // A document of that name that somebody else made is not used.
    let other = r#"{"schemaVersion":"2.2","mainSteps":[{"action":"aws:runShellScript","name":"x","inputs":{"runCommand":["echo"]}}]}"#;
    let body = json!({ "Name": coredeck::inventory::NAME, "Content": other, "DocumentType": "Command",
        "DocumentFormat": "JSON" });
    ssm(&bench.running, "CreateDocument", body).await;
    let survey = asked(&bench).await;
    let hosts = survey.seen.hosts.iter().filter(|host| !host.is_down);
    assert!(hosts.clone().any(|host| host.containers.as_ref().unwrap_err().contains("is not ours")));
    assert_eq!(bench.changes().get("SendCommand"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_aws_refuses_or_loses_is_said_of_hosts_and_proves_nothing() {
    let cases = [
        (Mischief::Denied, "SendCommand", None, Some("the command was refused")),
        (Mischief::Denied, "ListCommandInvocations", None, Some("what it printed could not be read")),
        (Mischief::Denied, "ListCommands", None, Some("what became of the command could not be seen")),
        (Mischief::Denied, "CreateDocument", None, Some("could not be put there")),
        // What passes, and what was done although its answer was lost, costs nothing but time.
        (Mischief::Throttle, "SendCommand", Some(1), None),
        (Mischief::LostAnswer, "SendCommand", Some(1), None),
        (Mischief::LostAnswer, "CreateDocument", Some(1), None),
    ];
    for (kind, call, times, why) in cases {
        let rule = Rule { service: "ssm".to_owned(), call: call.to_owned(), times, ..Rule::always(kind) };
        let clock = Clock::Fixed(start());
        let options = Options { clock, speed: 0.0, faults: vec![rule], ..Options::default() };
        let bench = Bench::of(serve(options).await.unwrap()).await;
        let survey = asked(&bench).await;
        let running: Vec<_> = survey.seen.hosts.iter().filter(|host| !host.is_down).collect();
        let silent = running.iter().filter_map(|host| host.containers.as_ref().err());
        let diff = survey.diff();
        let added = diff.differences.iter().filter(|one| one.sort == Sort::Add).count();
        assert_eq!(added, 0, "{kind:?} {call}");
        let gone = diff.differences.iter().filter(|one| one.sort == Sort::Gone);
        assert!(
            gone.clone().all(|one| one.why.contains("does not exist")),
            "{kind:?} {call}: {:?}",
            gone.collect::<Vec<_>>()
        );
        match why {
            Some(why) => assert!(
                silent.clone().any(|told| told.contains(why)),
                "{call}: {:?}",
                silent.collect::<Vec<_>>()
            ),
            // Only the host whose agent is silent has nothing to say.
            None => assert_eq!(silent.count(), 1, "{kind:?} {call}"),
        }
        let sent = bench.changes().get("SendCommand").copied().unwrap_or(0);
        assert!(sent <= 1, "{kind:?} {call}: fifty hosts are asked once");
    }
}

const LARGE: &str = r#"
seed = 7
speed = 0
regions = ["us-east-1"]
start = "2026-11-21T12:00:00Z"

[[fleet]]
name = "demo"

[[fleet.hosts]]
name = "dev-{n:03}"
count = 399
type = "t3.small"
tier = "development"
cores = 5
age = "9d"

[[fleet.hosts]]
name = "full"
type = "t3.small"
tier = "development"
cores = 14
"#;

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_cores_on_four_hundred_hosts_are_found_in_bounded_calls() {
    let bench = paced(parse(LARGE, "large.toml").unwrap()).await;
    let survey = asked(&bench).await;
    assert_eq!((survey.seen.hosts.len(), survey.seen.cores.len()), (400, 2009));
    let diff = survey.diff();
    assert_eq!(
        (diff.same, diff.differences.len(), diff.unjudged.len()),
        (2009, 0, 0),
        "{:?}",
        diff.differences.first()
    );
    assert!(diff.writes(Policy { prune: true, overwrite: true }).is_empty());
    // Fifty hosts a command, one answer for each of them, and one look at all commands at a time.
    let commands = 400 / 50;
    assert_eq!((count(&bench, "SendCommand"), count(&bench, "ListCommandInvocations")), (commands, commands));
    assert!(count(&bench, "ListCommands") <= 12, "{}", count(&bench, "ListCommands"));
    // Fourteen containers do not fit into the list's answer: that host is asked for all of it, and no other.
    assert_eq!(count(&bench, "GetCommandInvocation"), 1);
    // Ten entries a page, and a page that finds no tenants.
    assert!(count(&bench, "GetParametersByPath") <= 202, "{}", count(&bench, "GetParametersByPath"));
}

/// With INVENTORY_HOSTS=399 it is two thousand entries, which take minutes of a debug build.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_sync_of_a_fleet_runs_to_its_end_in_counted_calls() {
    let hosts: usize = std::env::var("INVENTORY_HOSTS").map_or(17, |hosts| hosts.parse().unwrap());
    let fleet = LARGE.replace("count = 399", &format!("count = {hosts}"));
    let all = hosts * 5 + 14;
    let minutes = i64::try_from(all).unwrap() * 2 / 3 / 60;
    first_sync(&fleet, all, minutes.saturating_sub(2)..=minutes * 2 + 4).await;
}

/// A registry that nobody has written yet is written, by as many calls as there must be, at the pace that AWS gives.
async fn first_sync(fleet: &str, all: usize, minutes: std::ops::RangeInclusive<i64>) {
    let bench = paced(parse(fleet, "large.toml").unwrap()).await;
    let names: Vec<String> = asked(&bench).await.entries.into_iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), all);
    for ten in names.chunks(10) {
        ssm(&bench.running, "DeleteParameters", json!({ "Names": ten })).await;
    }
    let before = bench.running.calls().len();
    let began = bench.timer.now();
    let diff = asked(&bench).await.diff();
    assert_eq!(sorts(&diff), BTreeMap::from([(Sort::Add, all)]));
    let (end, _) = sync(&bench, &diff, Policy::default()).await;
    assert_eq!(end, Some(Outcome::Done));
    let calls = bench.running.calls().len() - before;
    let of = |operation: &str| count(&bench, operation);
    assert_eq!(of("PutParameter"), all, "each is written once");
    // A look before each write and one after it, and what the inventory itself takes.
    assert!(calls <= 4 * all + 200, "{calls} calls");
    let took = bench.timer.now().duration_since(began);
    // Three writes a second are the account's, half of them ours.
    assert!(minutes.contains(&took.as_mins()), "{took:?}");
    let again = asked(&bench).await.diff();
    assert_eq!((again.same, again.writes(Policy::default()).len()), (all, 0), "the second writes nothing");
    assert_eq!(of("PutParameter"), all);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_the_hosts_silent_and_answers_that_are_none_prove_nothing() {
    let silent = "\n[[fleet.trouble]]\nwhat = \"silent\"\ninstance = \"dev-*\"\ntimes = 200\n";
    let rule = |kind, times| Rule {
        service: "ssm".to_owned(),
        call: "ListCommandInvocations".to_owned(),
        times,
        ..Rule::always(kind)
    };
    for (kind, times) in [(None, 0), (Some(Mischief::Garbage), 2), (Some(Mischief::Cut), 2)] {
        let mut options = parse(&format!("{LARGE}{silent}"), "large.toml").unwrap();
        options.faults.extend(kind.map(|kind| rule(kind, Some(times))));
        let bench = paced(options).await;
        let survey = asked(&bench).await;
        let diff = survey.diff();
        let unheard = survey.seen.hosts.iter().filter(|host| host.containers.is_err()).count();
        assert!(unheard >= 200, "{kind:?}: {unheard} hosts");
        assert!(diff.differences.is_empty(), "{kind:?}: {:?}", diff.differences.first());
        assert_eq!(diff.same + diff.unjudged.len(), 2009, "{kind:?}");
        assert!(diff.unjudged.len() >= 1000, "{kind:?}: {}", diff.unjudged.len());
        assert!(count(&bench, "SendCommand") <= 4, "only who can hear is asked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_with_a_path_of_its_own_is_found_by_the_inventory_and_asked_there() {
    let bench = Bench::new().await;
    bench.running.plant("dev-001", "BASE_PATH", "/auth/", "note", "");
    bench.running.plant("dev-001", "PLANTED", "x BASE_PATH=/no", "note", "");
    // One that was started without is asked where it is.
    let (mut other, _) = entry(&bench, "/coredeck/demo/cores/dev-002").await;
    other["base_path"] = json!("/old");
    put(&bench, "/coredeck/demo/cores/dev-002", &other).await;
    let diff = asked(&bench).await.diff();
    assert_eq!(of(&diff, "dev-001").fields, [("base_path", None, "/auth".to_owned())]);
    let gone = ("base_path", Some("/old".to_owned()), "nothing".to_owned());
    assert_eq!(of(&diff, "dev-002").fields, [gone]);
    let policy = Policy { prune: false, overwrite: true };
    assert_eq!(sync(&bench, &diff, policy).await.0, Some(Outcome::Done));
    let name = "/coredeck/demo/cores/dev-001";
    let (one, _) = entry(&bench, name).await;
    assert_eq!(one["base_path"], "/auth");
    assert_eq!(entry(&bench, "/coredeck/demo/cores/dev-002").await.0.get("base_path"), None);
    assert!(asked(&bench).await.diff().writes(policy).is_empty());
    // Everybody who asks it goes there.
    let record: coredeck::model::CoreRecord = serde_json::from_value(one).unwrap();
    assert_eq!(record.address("10.0.0.1"), "http://10.0.0.1:3567/auth");
}
