//! New cores on instances that are launched for them: exactly one each, by the exact version, spread over subnets, and
//! ended again with nobody else's core on it, whatever goes wrong.

use super::bench::{Bench, intent};
use super::refusing::{no, refusing};
use crate::sim_hosts::ssm;
use coredeck::gateway::{Change, FleetProbe, Look, Seen};
use coredeck::model::{Instance, InstanceState, Scope, Text};
use coredeck::ops::intent::CoreWish;
use coredeck::ops::{Event, Intent, OpState, Outcome, Plan, Undo};
use coredeck::sim::{Mischief, Options, Rule, serve};
use coredeck::store::journal::Ledger;
use serde_json::json;
use std::sync::Arc;

fn scope() -> Scope {
    Scope { account: "demo".into(), region: "us-east-1".into() }
}

async fn bench(faults: Vec<Rule>) -> Bench {
    let clock = coredeck::clock::Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
    let running = serve(Options { clock, speed: 0.0, faults, ..Options::default() }).await.unwrap();
    let bench = Bench::of(running).await;
    // Requests wait for their tokens in pretended time.
    for name in ["new/api-key", "new/database-uri"] {
        let name = format!("/coredeck/demo/secrets/{name}");
        ssm(&bench.running, "PutParameter", json!({ "Name": name, "Type": "SecureString", "Value": "x" }))
            .await;
    }
    bench
}

fn created(tier: &str, ids: &[&str], change: impl FnOnce(&mut CoreWish)) -> Intent {
    let mut wish = CoreWish {
        tier: Some(tier.to_owned()),
        api_key: Some("/coredeck/demo/secrets/new/api-key".to_owned()),
        database: Some("/coredeck/demo/secrets/new/database-uri".to_owned()),
        ..CoreWish::default()
    };
    change(&mut wish);
    let mut intent = intent("core create", ids);
    intent.options.core = Some(Box::new(wish));
    intent
}

fn alone(wish: &mut CoreWish) {
    wish.target_groups = vec!["core-meadowlark".to_owned()];
}

fn ended(op: &OpState) -> Option<Outcome> {
    op.ended.map(|(end, _)| end)
}

async fn planned(bench: &Bench, intent: Intent) -> Plan {
    bench.plan(intent).await.unwrap_or_else(|error| panic!("{error}: {:?}", error.source))
}

async fn refused(bench: &Bench, intent: Intent) -> String {
    let error = bench.plan(intent).await.expect_err("a refusal");
    let why = error.source.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{error} {why} {}", error.hints.join(" "))
}

/// The instances that an operation launched, whatever has become of them.
async fn launched(bench: &Bench, op: &OpState) -> Vec<Arc<Instance>> {
    let look = |lane| Look::Tagged {
        key: "coredeck:operation".into(),
        value: Text::from(format!("{}/{lane}", op.record.id)),
    };
    let mut all = Vec::new();
    for lane in 0..op.plan.lanes.len() {
        let Seen::Instances(seen) = bench.aws.look(&scope(), &look(lane)).await.unwrap() else { panic!() };
        all.extend(seen);
    }
    all
}

async fn entry(bench: &Bench, core: &str) -> Option<serde_json::Value> {
    let of = vec![Text::from(format!("/coredeck/demo/cores/{core}"))];
    let Seen::Parameters(all) = bench.aws.look(&scope(), &Look::Parameters { of }).await.unwrap() else {
        panic!()
    };
    all.first().map(|one| serde_json::from_str(one.value.as_deref().unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_production_core_gets_an_instance_of_its_own_and_gives_it_back() {
    let bench = bench(Vec::new()).await;
    let plan = planned(&bench, created("production", &["acme"], alone)).await;
    let titles: Vec<&str> = plan.lanes[0].steps.iter().map(|step| step.title.as_str()).collect();
    assert!(plan.title.contains("1 new instance of production-host:2 (t2.micro)"), "{}", plan.title);
    assert!(
        titles.iter().any(|title| title.contains("launch one instance of production-host:2")),
        "{titles:?}"
    );
    let launch = plan.lanes[0].steps.iter().find(|step| step.go.names.is_some()).unwrap();
    assert_eq!(launch.proof, coredeck::ops::plan::Proof::Proved, "EC2 was asked whether it would");
    assert!(plan.lanes[0].steps.iter().all(|step| !matches!(step.undo, Undo::Impossible { .. })));
    let world = bench.world("core create").await;
    assert!(!bench.changes().contains_key("RunInstances"), "a plan launches nothing");

    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let all = launched(&bench, &op).await;
    let [host] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((host.state, host.instance_type.as_str()), (InstanceState::Running, "t2.micro"));
    let tag = |key: &str| host.tags.get(key);
    assert_eq!((tag("Name"), tag("coredeck:fleet")), (Some("acme"), Some("demo")));
    assert_eq!((tag("coredeck:tier"), tag("coredeck:do-not-disrupt")), (Some("production"), None));
    // It went to the subnet that had fewest hosts of the tier.
    let mut held = std::collections::BTreeMap::<Option<Text>, usize>::new();
    for row in world.fleet.instances.iter().filter(|row| {
        !row.it.state.is_gone() && row.tier.as_ref().is_some_and(|tier| tier.as_str() == "production")
    }) {
        *held.entry(row.it.subnet_id.clone()).or_default() += 1;
    }
    assert_eq!(held.get(&host.subnet_id), held.values().min(), "{held:?} {:?}", host.subnet_id);
    let written = entry(&bench, "acme").await.expect("its entry");
    assert_eq!((written["instance_id"].as_str(), &written["port"]), (Some(host.id.as_str()), &json!(3567)));
    // The fleet knows it as a core of its tier, its entry is sealed, and it takes traffic.
    let world = bench.world("core create").await;
    let core = world.fleet.cores.iter().find(|core| core.id.as_str() == "acme").unwrap();
    assert_eq!(core.tier.as_ref().map(|tier| tier.as_str()), Some("production"));
    let target = world.fleet.targets.iter().find(|row| row.it.id.as_str() == host.id.as_str()).unwrap();
    assert_eq!(target.it.state.word(), "healthy");
    let of = vec![Text::new("/coredeck/demo/cores/acme")];
    let Seen::Parameters(seen) = bench.aws.look(&scope(), &Look::Parameters { of }).await.unwrap() else {
        panic!()
    };
    let sealed = coredeck::inventory::entries(&scope(), "/coredeck/demo", &seen);
    assert_eq!(sealed[0].seal, coredeck::inventory::Seal::Intact);

    // Taken back later: everything in reverse, and the instance ends.
    let desk_plan = bench.undo(&op).await.unwrap();
    let back = bench.run(&bench.enter(&desk_plan).id).await;
    assert_eq!(ended(&back), Some(Outcome::Done), "{:?}", back.lanes);
    assert_eq!(launched(&bench, &op).await[0].state, InstanceState::Terminated);
    assert_eq!(entry(&bench, "acme").await, None);
    assert_eq!(bench.changes()["RunInstances"], 1);
    assert!(desk_plan.lanes[0].steps.iter().any(|step| matches!(step.undo, Undo::Impossible { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn cores_without_room_share_new_hosts_as_their_tier_says() {
    let mut bench = bench(Vec::new()).await;
    for tier in &mut bench.config.tiers {
        if tier.name.as_str() == "development" {
            tier.launch.template = Some("dev-host".into());
            tier.launch.version = Some("2".into());
        }
    }
    // Old images are gone: an exact version with one is refused before anything is done.
    let ids: Vec<String> = (0..20).map(|n| format!("new-{n:02}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let plan = bench.plan(created("development", &ids, |_| {})).await;
    let plan = plan.unwrap_or_else(|error| panic!("{error}: {:?}", error.source));
    let news: Vec<_> = plan.lanes.iter().filter(|lane| lane.name.contains("{new instance}")).collect();
    assert_eq!(news.len(), 2, "eleven find room, nine do not: two hosts");
    assert!(plan.title.contains("2 new instances of dev-host:2"), "{}", plan.title);
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes.iter().find(|lane| !lane.why.is_empty()));
    let hosts = launched(&bench, &op).await;
    assert_eq!(hosts.len(), 2);
    assert_ne!(hosts[0].subnet_id, hosts[1].subnet_id);
    let world = bench.world("core create").await;
    let on = |host: &Arc<Instance>| {
        world.fleet.cores.iter().filter(|core| core.home.instance_id() == Some(&host.id)).count()
    };
    let mut both = [on(&hosts[0]), on(&hosts[1])];
    both.sort_unstable();
    assert_eq!(both, [2, 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launch_that_aws_refuses_leaves_nothing() {
    let bench = bench(Vec::new()).await;
    let plan = planned(&bench, created("production", &["acme"], alone)).await;
    let limit = "You have requested more vCPU capacity than your current vCPU limit of 32 allows";
    let says = no("ec2:RunInstances", "VcpuLimitExceeded", limit);
    let writer = refusing(bench.writer(), move |change| {
        matches!(change, Change::RunInstance { .. }).then(|| says.clone())
    });
    let edge = bench.edge(Arc::new(bench.journal()), writer);
    let record = bench.enter(&plan);
    let op = coredeck::ops::run(&edge, &record.id, &super::bench::runner("anna")).await.unwrap();
    assert!(matches!(ended(&op), Some(Outcome::RolledBack | Outcome::Failed)), "{:?}", op.ended);
    assert!(op.lanes[0].why[0].contains("vCPU limit"), "{:?}", op.lanes[0].why);
    assert!(launched(&bench, &op).await.is_empty() && entry(&bench, "acme").await.is_none());
    assert!(!bench.changes().contains_key("TerminateInstances"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launch_that_gets_no_answer_is_asked_for_again_after_longer_and_longer_pauses_and_not_for_ever() {
    let from = std::time::Duration::from_secs(60);
    let rule = Rule { call: "RunInstances".into(), from, ..Rule::always(Mischief::Error) };
    let bench = bench(vec![rule]).await;
    let plan = planned(&bench, created("production", &["acme"], alone)).await;
    bench.running.step(2 * from);
    let op = bench.run(&bench.enter(&plan).id).await;
    let mut tries = Vec::new();
    let mut pauses = Vec::new();
    for entry in bench.journal().entries(&op.record.id, 0).unwrap() {
        match serde_json::from_str(&entry.body) {
            Ok(Event::Intended { change, token, .. }) if matches!(*change, Change::RunInstance { .. }) => {
                tries.push(token);
            }
            Ok(Event::Failed { again_at, .. }) => {
                pauses.push(again_at.map(|at| at.duration_since(entry.at).as_secs()));
            }
            _ => {}
        }
    }
    assert_eq!(pauses[..8], [2, 5, 10, 20, 40, 60, 60, 60].map(Some), "written down before each");
    assert_eq!((tries.len(), pauses.len(), pauses[8]), (9, 9, None));
    assert!(tries.iter().all(|token| *token == tries[0]), "all with the same token");
    let at: Vec<_> = op.calls.values().filter(|call| call.token == tries[0]).map(|call| call.at).collect();
    let waited = at.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs());
    assert!(waited.zip([2, 5, 10, 20, 40, 60, 60, 60]).all(|(waited, least)| waited >= least), "{at:?}");
    // AWS had time to show an instance, and shows none: what was made before is taken back.
    assert_eq!(ended(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    assert!(op.lanes[0].why[0].contains("9 calls in a row got no answer"), "{:?}", op.lanes[0].why);
    assert!(launched(&bench, &op).await.is_empty() && entry(&bench, "acme").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_launched_is_refused_before_with_the_mend() {
    let told = bench(vec![Rule {
        service: "ec2".into(),
        call: "RunInstances".into(),
        ..Rule::always(Mischief::Denied)
    }])
    .await;
    let denied = refused(&told, created("production", &["acme"], alone)).await;
    assert!(denied.contains("ec2:RunInstances") && denied.contains("allow"), "{denied}");
    let bench = bench(Vec::new()).await;
    let says =
        async |change: fn(&mut CoreWish)| refused(&bench, created("production", &["acme"], change)).await;
    let version = says(|wish| wish.template = Some("production-host:9".to_owned())).await;
    assert!(version.contains("production-host:9: there is no such version"), "{version}");
    let word = says(|wish| wish.template = Some("production-host:newest".to_owned())).await;
    assert!(word.contains("write a number, default or latest"), "{word}");
    let name = says(|wish| wish.template = Some("produktion-host".to_owned())).await;
    assert!(name.contains("did you mean production-host?"), "{name}");
    let subnet = says(|wish| wish.subnet = Some("subnet-0nowhere".to_owned())).await;
    assert!(subnet.contains("subnet-0nowhere"), "{subnet}");
    // Without a template it is said that it is the template that is missing, and the command that names one.
    let none = refused(&bench, created("shared", &["acme"], |wish| wish.host = Some("new".to_owned()))).await;
    assert!(none.contains("nothing says what a new host of it is launched from"), "{none}");
    assert!(
        none.contains(
            "coredeck core create acme --tier shared --api-key /coredeck/demo/secrets/new/api-key --database \
             /coredeck/demo/secrets/new/database-uri --host new --template shared-host (what shared-hosts launches from)"
        ) && none.contains("[tiers.shared.launch] template"),
        "{none}"
    );
    assert!(!none.contains("hold 0 of 0") && !none.contains("coredeck scale"), "{none}");
    assert!(!bench.changes().contains_key("RunInstances"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_on_the_new_instance_ends_it_and_no_other() {
    let bench = bench(Vec::new()).await;
    let before = bench.world("core create").await.fleet.instances.len();
    let plan = planned(
        &bench,
        created("production", &["acme"], |wish| {
            alone(wish);
            wish.image = Some("supertokens/supertokens-postgresql:latest-x".to_owned());
        }),
    )
    .await;
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(ended(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    assert!(op.lanes[0].why[0].contains("the image could not be pulled"), "{:?}", op.lanes[0].why);
    let all = launched(&bench, &op).await;
    assert_eq!(all.iter().map(|one| one.state).collect::<Vec<_>>(), [InstanceState::Terminated]);
    let ended: Vec<_> =
        bench.running.calls().into_iter().filter(|call| call["operation"] == "TerminateInstances").collect();
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(bench.world("core create").await.fleet.instances.len(), before + 1);
    assert_eq!(entry(&bench, "acme").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_houses_another_core_by_now_is_not_ended() {
    let bench = bench(Vec::new()).await;
    let plan = planned(&bench, created("production", &["acme"], |_| {})).await;
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let host = launched(&bench, &op).await[0].id.clone();
    let other =
        json!({ "tier": "production", "instance_id": host.as_str(), "container": "other", "port": 4000 });
    let asked = json!({ "Name": "/coredeck/demo/cores/other", "Type": "String", "Value": other.to_string() });
    ssm(&bench.running, "PutParameter", asked).await;
    let back = bench.undo(&op).await.unwrap();
    let back = bench.run(&bench.enter(&back).id).await;
    assert_ne!(ended(&back), Some(Outcome::Done));
    assert!(
        back.lanes[0].why.iter().any(|why| why.contains("houses another core")),
        "{:?}",
        back.lanes[0].why
    );
    assert_eq!(launched(&bench, &op).await[0].state, InstanceState::Running);
}

/// A core that a service of ECS keeps, and its service.
fn kept(world: &coredeck::world::World) -> String {
    let is_task = |core: &&coredeck::model::Core| matches!(core.home, coredeck::model::Home::Task { .. });
    world.fleet.cores.iter().find(is_task).expect("a core on ECS").id.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_more_of_a_service_is_a_task_more_until_it_is_healthy() {
    let bench = bench(Vec::new()).await;
    let world = bench.world("core create").await;
    let like = kept(&world);
    let intent = created("shared", &["one-more"], |wish| wish.like = Some(like.clone()));
    let plan = planned(&bench, intent.clone()).await;
    assert_eq!(plan.title, "create 1 replica of api-prod/auth-core: from 6 to 7 tasks");
    assert!(plan.notes.iter().any(|note| note.contains("connections to the database")), "{:?}", plan.notes);
    assert!(plan.warnings.iter().any(|told| told.contains("max_connections")), "{:?}", plan.warnings);
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let after = bench.world("core create").await;
    let service = |world: &coredeck::world::World| {
        let row = world.fleet.services.iter().find(|row| row.it.name == "auth-core").unwrap();
        (row.it.desired, row.it.running)
    };
    assert_eq!((service(&world), service(&after)), ((6, 6), (7, 7)));
    let back = bench.undo(&op).await.unwrap();
    assert_eq!(ended(&bench.run(&bench.enter(&back).id).await), Some(Outcome::Done));
    let world = bench.world("core create").await;
    assert_eq!(service(&world).0, 6);
    // More than its hosts hold, which its capacity provider must mend; and more than its database takes.
    let many: Vec<String> = (0..400).map(|n| format!("r{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let plan = planned(&bench, created("shared", &many, |wish| wish.like = Some(like.clone()))).await;
    assert!(plan.warnings.iter().any(|told| told.contains("must launch one first")), "{:?}", plan.warnings);
    assert!(
        !planned(&bench, intent.clone()).await.warnings.iter().any(|told| told.contains("launch one first"))
    );
    let mut bench = bench;
    bench.config.capacity.max_connections = Some(60);
    let few = refused(&bench, intent).await;
    assert!(few.contains("and the database takes 60"), "{few}");
}
