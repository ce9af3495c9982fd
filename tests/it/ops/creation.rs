//! New cores: placed on the hosts that fit best, their secrets read by the hosts alone, entered into the registry, and
//! taken back whole where anything fails.

use super::bench::{Bench, beginning, intent, runner};
use crate::sim_hosts::ssm;
use coredeck::aws::Aws;
use coredeck::clock::Clock;
use coredeck::collect;
use coredeck::gateway::change::{FleetWriter, Proof, Receipt, Token, WriteError};
use coredeck::gateway::{Change, FleetProbe, FleetReader, Look, Seen};
use coredeck::model::{Scope, Trouble};
use coredeck::ops::begin::enter;
use coredeck::ops::intent::CoreWish;
use coredeck::ops::{Desk, Edge, Intent, OpState, Outcome, Plan, Timer};
use coredeck::store::journal::Ledger;
use coredeck::world::{Interest, World};
use futures::future::BoxFuture;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What a secret of these tests says: it must be found nowhere.
const PLANTED: &str = "hunter2-planted-secret-of-a-core";

/// Clients side by side, each with its own share of what AWS lets one ask: for tests of many calls.
struct Fan {
    all: Vec<Arc<Aws>>,
    next: AtomicUsize,
}

impl Fan {
    async fn new(bench: &Bench, count: usize) -> Arc<Self> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(bench.another().await);
        }
        Arc::new(Self { all, next: AtomicUsize::new(0) })
    }

    fn one(&self) -> &Arc<Aws> {
        &self.all[self.next.fetch_add(1, Ordering::SeqCst) % self.all.len()]
    }
}

impl FleetProbe for Fan {
    fn look<'a>(&'a self, scope: &'a Scope, look: &'a Look) -> BoxFuture<'a, Result<Seen, Trouble>> {
        self.one().look(scope, look)
    }
}

impl FleetWriter for Fan {
    fn write<'a>(
        &'a self,
        scope: &'a Scope,
        change: &'a Change,
        token: &'a Token,
    ) -> BoxFuture<'a, Result<Receipt, WriteError>> {
        let writer = self.one().writer().unwrap();
        Box::pin(async move { writer.write(scope, change, token).await })
    }

    fn prove<'a>(&'a self, scope: &'a Scope, change: &'a Change) -> BoxFuture<'a, Result<Proof, WriteError>> {
        let writer = self.one().writer().unwrap();
        Box::pin(async move { writer.prove(scope, change).await })
    }

    fn command<'a>(
        &'a self,
        scope: &'a Scope,
        change: &'a Change,
        token: &'a Token,
    ) -> BoxFuture<'a, Result<String, WriteError>> {
        let writer = self.one().writer().unwrap();
        Box::pin(async move { writer.command(scope, change, token).await })
    }
}

/// A bench with a world read by a client of its own each time.
struct Seat {
    bench: Bench,
    fan: Arc<Fan>,
}

impl Seat {
    async fn of(bench: Bench) -> Self {
        for name in ["new/api-key", "new/database-uri"] {
            let name = format!("/coredeck/demo/secrets/{name}");
            let asked = json!({ "Name": name, "Type": "SecureString", "Value": PLANTED });
            assert_eq!(ssm(&bench.running, "PutParameter", asked).await["Version"], 1);
        }
        let fan = Fan::new(&bench, 24).await;
        Self { bench, fan }
    }

    async fn world(&self) -> Arc<World> {
        let reader = Arc::clone(self.fan.one()) as Arc<dyn FleetReader>;
        let sources = coredeck::ops::kind("core create").unwrap().sources;
        let config = Arc::new(self.bench.config.clone());
        let clock = Clock::Fixed(self.bench.timer.now());
        collect::once(reader, config, sources, Interest::default(), clock, collect::Patience::default()).await
    }

    async fn plan(&self, world: &World, intent: Intent) -> coredeck::error::Result<Plan> {
        let desk = Desk {
            snapshot: &world.snapshot,
            fleet: &world.fleet,
            config: &self.bench.config,
            probe: self.fan.as_ref(),
            writer: Some(self.fan.as_ref()),
            now: self.bench.timer.now(),
        };
        desk.plan(intent).await
    }

    async fn run(&self, plan: &Plan) -> OpState {
        let record = enter(&self.bench.journal(), plan, beginning("anna", self.bench.timer.now())).unwrap();
        let writer = Arc::clone(&self.fan) as Arc<dyn FleetWriter>;
        let probe = Arc::clone(&self.fan) as Arc<dyn FleetProbe>;
        let edge = Edge { probe, ..self.bench.edge(Arc::new(self.bench.journal()), writer) };
        coredeck::ops::run(&edge, &record.id, &runner("anna")).await.unwrap()
    }
}

fn created(ids: &[String], change: impl FnOnce(&mut CoreWish)) -> Intent {
    let mut wish = CoreWish {
        tier: Some("development".to_owned()),
        api_key: Some("/coredeck/demo/secrets/new/api-key".to_owned()),
        database: Some("/coredeck/demo/secrets/new/database-uri".to_owned()),
        ..CoreWish::default()
    };
    change(&mut wish);
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut intent = intent("core create", &ids);
    intent.options.core = Some(Box::new(wish));
    intent
}

fn ended(op: &OpState) -> Option<Outcome> {
    op.ended.map(|(end, _)| end)
}

/// Cores by host.
fn held(world: &World) -> BTreeMap<String, usize> {
    let mut held = BTreeMap::new();
    for host in world.fleet.cores.iter().filter_map(|core| core.home.instance_id()) {
        *held.entry(host.to_string()).or_default() += 1;
    }
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_development_cores_fill_hosts_as_the_bound_says() {
    let seat = Seat::of(Bench::new().await).await;
    let more = Change::ResizeGroup { group: "dev-hosts".into(), min: None, max: Some(60), desired: Some(45) };
    let scope = Scope { account: "demo".into(), region: "us-east-1".into() };
    seat.fan.write(&scope, &more, &Token::of(&["test"])).await.unwrap();
    seat.bench.running.step(Duration::from_secs(900));
    *seat.bench.timer.clock() = super::bench::later(15);
    let first = seat.world().await;
    let before = held(&first);
    for part in 0..4 {
        let world = seat.world().await;
        let ids: Vec<String> = (0..50).map(|n| format!("new-{:03}", part * 50 + n)).collect();
        let plan = seat.plan(&world, created(&ids, |_| {})).await;
        let plan = plan.unwrap_or_else(|error| panic!("{error}: {:?}", error.source));
        let op = seat.run(&plan).await;
        assert_eq!(
            ended(&op),
            Some(Outcome::Done),
            "{:?}",
            op.lanes.iter().find(|lane| !lane.why.is_empty())
        );
    }
    let world = seat.world().await;
    let after = held(&world);
    let is_new = |host: &str| after[host] > before.get(host).copied().unwrap_or(0);
    let hosts = world
        .fleet
        .instances
        .iter()
        .filter(|row| row.tier.as_ref().is_some_and(|it| it == &"development".into()));
    let hosts: Vec<String> = hosts.map(|row| row.it.id.to_string()).collect();
    let more: usize =
        hosts.iter().map(|host| after.get(host).unwrap_or(&0) - before.get(host).unwrap_or(&0)).sum();
    assert_eq!(more, 200);
    // None exceeds the density but the one that did before, which got none.
    for host in hosts.iter().filter(|host| after.contains_key(*host)) {
        assert!(after[host] <= 7 || !is_new(host), "{host}: {}", after[host]);
    }
    let room: usize = before
        .iter()
        .filter(|(host, held)| hosts.contains(host) && **held < 7)
        .map(|(_, held)| 7 - held)
        .sum();
    let begun = hosts.iter().filter(|host| !before.contains_key(*host) && after.contains_key(*host)).count();
    assert_eq!(begun, (200 - room).div_ceil(7), "{room} fitted on hosts that had cores");
    // What the hosts themselves say is the same, and an inventory would find nothing to write for them.
    let core = world.fleet.cores.iter().find(|core| core.id.as_str() == "new-077").unwrap();
    assert_eq!(core.version.as_deref(), Some("11.0.4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_found_nowhere_and_what_fails_is_taken_back_whole() {
    let seat = Seat::of(Bench::new().await).await;
    let world = seat.world().await;
    let one = |id: &str| vec![id.to_owned()];
    let plan = seat.plan(&world, created(&one("fresh-1"), |_| {})).await.unwrap();
    let op = seat.run(&plan).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    // The host has them, and nobody else.
    let host = plan.lanes[0].name.split([' ', ':']).nth(2).unwrap().to_owned();
    let script = "docker inspect --format '{{json .Config.Env}} {{.HostConfig.Memory}}' supertokens-fresh-1";
    let asked = json!({
        "DocumentName": "AWS-RunShellScript", "InstanceIds": [host], "Parameters": { "commands": [script] },
    });
    let sent = ssm(&seat.bench.running, "SendCommand", asked).await;
    let id = sent["Command"]["CommandId"].as_str().expect("a command").to_owned();
    seat.bench.running.step(Duration::from_secs(60));
    let asked = json!({ "CommandId": id, "InstanceId": host });
    let told = ssm(&seat.bench.running, "GetCommandInvocation", asked).await;
    let told = told["StandardOutputContent"].as_str().unwrap();
    assert!(
        told.contains(&format!("API_KEYS={PLANTED}")) && told.contains(&format!("URI={PLANTED}")),
        "{told}"
    );
    assert!(told.trim().ends_with("268435456"), "256 MiB: {told}");
    let mut all = plan.json();
    for record in seat.bench.journal().ops(9).unwrap() {
        for entry in seat.bench.journal().entries(&record.id, 0).unwrap() {
            all.push_str(&entry.body);
        }
    }
    for call in seat.bench.running.calls() {
        // Whoever put it there said it; and this test, that looked into the container, heard it.
        let text = call.to_string();
        let is_ours = text.contains("SecureString") || text.contains("docker inspect") || text.contains(&id);
        assert!(!text.contains(PLANTED) || is_ours, "{text}");
    }
    assert!(!all.contains(PLANTED));
    // A database that fails, a secret that is gone when the host looks, an image that is not there: back to before.
    let cut = |id: &str| seat.bench.running.cut_off(id, true);
    cut("fresh-2");
    for (id, image, words) in [
        ("fresh-2", "supertokens/supertokens-postgresql:11.0.4", "its database fails"),
        ("fresh-3", "supertokens/supertokens-postgresql:latest-x", "the image could not be pulled"),
    ] {
        // As it is now: the port that the last one took is no longer free.
        let world = seat.world().await;
        let wish = created(&one(id), |wish| wish.image = Some(image.to_owned()));
        let plan = seat.plan(&world, wish).await.unwrap();
        let before = seat.bench.facts(&plan).await;
        let op = seat.run(&plan).await;
        assert_eq!(ended(&op), Some(Outcome::RolledBack), "{id}: {:?}", op.lanes);
        assert!(op.lanes[0].why[0].contains(words), "{:?}", op.lanes[0].why);
        let after = seat.bench.facts(&plan).await;
        let entry = |facts: &BTreeMap<_, _>| {
            facts
                .iter()
                .filter(|(fact, _)| matches!(fact, coredeck::ops::Aspect::ParameterVersion { .. }))
                .map(|(fact, value): (&coredeck::ops::Aspect, &coredeck::ops::Value)| {
                    format!("{fact}={value}")
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(entry(&before), entry(&after));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_refused_with_what_would_mend_it() {
    let seat = Seat::of(Bench::new().await).await;
    let world = seat.world().await;
    let says = async |intent: Intent| {
        let error = seat.plan(&world, intent).await.expect_err("a refusal");
        let why = error.source.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{error} {why} {}", error.hints.join(" "))
    };
    let many: Vec<String> = (0..12).map(|n| format!("new-{n}")).collect();
    let full = says(created(&many, |_| {})).await;
    assert!(
        full.contains("1 of 12 find no room") && full.contains("coredeck scale dev-hosts --desired 13"),
        "{full}"
    );
    let one = |id: &str| vec![id.to_owned()];
    let there = says(created(&one("dev-003"), |_| {})).await;
    assert!(there.contains("there is a core of that id already"), "{there}");
    let odd = says(created(&one("a b;rm"), |_| {})).await;
    assert!(odd.contains("it is no id for a core"), "{odd}");
    let lacking = says(created(&one("x"), |wish| wish.database = None)).await;
    assert!(
        lacking.contains("/coredeck/demo/secrets/x/database-uri: there is no such parameter"),
        "{lacking}"
    );
    let plain = "/coredeck/demo/cores/dev-001".to_owned();
    let plain = says(created(&one("x"), |wish| wish.api_key = Some(plain))).await;
    assert!(plain.contains("it is a String"), "{plain}");
    let tier = says(created(&one("x"), |wish| wish.tier = Some("developement".to_owned()))).await;
    assert!(tier.contains("did you mean development?"), "{tier}");
    let image = says(created(&one("x"), |wish| wish.image = Some("nginx".to_owned()))).await;
    assert!(image.contains("no name of an image with a tag"), "{image}");
    let group =
        says(created(&one("x"), |wish| wish.target_groups = vec!["shared-produktion".to_owned()])).await;
    assert!(group.contains("did you mean shared-production?"), "{group}");
}
