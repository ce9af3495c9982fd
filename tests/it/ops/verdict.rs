//! What a drain is refused for, and that the plan's verdict is what the pretended scheduler then does.

use super::bench::{Bench, intent};
use crate::sim_services::ecs;
use coredeck::config::Regions;
use coredeck::error::{Error, ErrorKind};
use coredeck::gateway::{FleetProbe, Look, Seen};
use coredeck::model::{Known, Region, Scope, Trouble};
use coredeck::ops::{Desk, Intent, Plan};
use coredeck::world::World;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json as value};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

fn said(error: &Error) -> String {
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    error.source.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// The instance under the first task of a service, and that task.
fn under(world: &World, service: &str) -> (String, coredeck::model::Task) {
    let row = world
        .fleet
        .tasks
        .iter()
        .find(|row| row.it.service() == Some(service) && row.it.last_status == "RUNNING")
        .expect("a task");
    let host =
        world.fleet.instances.iter().find(
            |one| matches!(&one.host, Known::Yes(Some(host)) if Some(&host.arn) == row.it.host.as_ref()),
        );
    (host.expect("its instance").it.id.to_string(), (*row.it).clone())
}

fn drain(targets: &[&str]) -> Intent {
    let mut wanted = intent("drain", targets);
    wanted.options.override_budget = true;
    wanted.options.ignore_do_not_disrupt = true;
    wanted
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_of_one_task_between_50_and_150_percent_is_refused_with_its_mend() {
    let bench = Bench::new().await;
    let world = bench.world("drain").await;
    let stuck =
        world.fleet.services.iter().find(|row| {
            row.it.desired == 1 && (row.it.min_percent, row.it.max_percent) == (Some(50), Some(150))
        });
    let stuck = stuck.expect("the planted one");
    let label = format!("{}/{}", stuck.cluster, stuck.it.name);
    let (host, _) = under(&world, &stuck.it.name);
    let refused = said(&bench.plan(drain(&[&host])).await.unwrap_err());
    let line = refused.lines().find(|line| line.starts_with(&label)).unwrap_or_else(|| panic!("{refused}"));
    assert!(line.contains("1 task would never move: of 1 tasks at least 1 must serve (50 %)"), "{line}");
    assert!(line.contains(&format!("coredeck scale {label} --desired 2 first")), "{line}");
    assert!(line.contains("maximum percent") && line.ends_with("or say --override-verdict"), "{line}");
    let mut wanted = drain(&[&host]);
    wanted.options.override_verdict = true;
    let plan = bench.plan(wanted).await.unwrap();
    assert!(plan.warnings.iter().any(|warning| warning.contains("would never move")), "{:?}", plan.warnings);
    assert!(bench.changes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn protection_is_asked_of_aws_and_said_with_its_end() {
    let bench = Bench::new().await;
    let world = bench.world("drain").await;
    let (host, task) = under(&world, "webhook-worker");
    bench.plan(drain(&[&host])).await.unwrap();
    let asked = value!({
        "cluster": "workers-prod", "tasks": [task.arn.as_str()], "protectionEnabled": true, "expiresInMinutes": 90,
    });
    ecs(&bench.running, "UpdateTaskProtection", asked).await;
    let refused = said(&bench.plan(drain(&[&host])).await.unwrap_err());
    assert!(refused.contains("1 task is protected from being stopped"), "{refused}");
    assert!(refused.contains("the last protection ends at 2026-11-21T13:30:"), "{refused}");
}

/// What nobody can see.
type Hidden = fn(&Look) -> bool;

/// Sees everything but one kind of thing.
struct Blind<'a> {
    inner: &'a dyn FleetProbe,
    to: Hidden,
}

impl FleetProbe for Blind<'_> {
    fn look<'a>(&'a self, scope: &'a Scope, look: &'a Look) -> BoxFuture<'a, Result<Seen, Trouble>> {
        if (self.to)(look) {
            return async { Err(super::bench::lost()) }.boxed();
        }
        self.inner.look(scope, look)
    }
}

async fn planned(
    bench: &Bench,
    world: &World,
    probe: &dyn FleetProbe,
    wanted: Intent,
) -> Result<Plan, Error> {
    let writer = bench.writer();
    let desk = Desk {
        snapshot: &world.snapshot,
        fleet: &world.fleet,
        config: &bench.config,
        probe,
        writer: Some(writer.as_ref()),
        now: super::bench::start(),
    };
    desk.plan(wanted).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_looked_at_is_refused_and_not_guessed() {
    let bench = Bench::new().await;
    let world = bench.world("drain").await;
    let (host, _) = under(&world, "webhook-worker");
    let kinds: [(&str, Hidden); 7] = [
        ("hosts", |look| matches!(look, Look::HostsOf { .. })),
        ("services", |look| matches!(look, Look::Services { .. })),
        ("tasks on", |look| matches!(look, Look::TasksOn { .. })),
        ("tasks of", |look| matches!(look, Look::TasksOf { .. })),
        ("definitions", |look| matches!(look, Look::Definitions { .. })),
        ("protections", |look| matches!(look, Look::Protections { .. })),
        ("nothing", |_| false),
    ];
    for (what, to) in kinds {
        let blind = Blind { inner: bench.aws.as_ref(), to };
        let made = planned(&bench, &world, &blind, drain(&[&host])).await;
        if what == "nothing" {
            made.unwrap();
            continue;
        }
        let refused = said(&made.expect_err(what));
        assert!(
            refused.contains("is not known") && refused.contains("the connection was reset"),
            "{refused}"
        );
        let mut wanted = drain(&[&host]);
        wanted.options.override_verdict = true;
        let plan = planned(&bench, &world, &blind, wanted).await.expect(what);
        assert!(plan.warnings.iter().any(|one| one.contains("is not known")), "{what}: {:?}", plan.warnings);
    }
}

/// A sequence of numbers that is the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

const REGIONS: [&str; 4] = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1"];
const CLUSTERS: usize = 7;

/// Many small clusters, in several regions since each has its own limits of calls.
fn clusters(dice: &mut Dice) -> String {
    let mut text = format!("seed = 3\nspeed = 0\nregions = {REGIONS:?}\nstart = \"2026-11-21T12:00:00Z\"\n");
    for region in REGIONS {
        writeln!(text, "[[fleet]]\nregion = {region:?}").unwrap();
        for n in 0..CLUSTERS {
            let hosts = 2 + dice.below(3);
            writeln!(text, "[[fleet.cluster]]\nname = \"c{n}\"").unwrap();
            writeln!(
                text,
                "[[fleet.group]]\nname = \"g{n}\"\ntypes = [\"m5.large\"]\nmin = 0\ndesired = {hosts}\nmax = 9\n\
                 tier = \"shared\"\ncluster = \"c{n}\""
            )
            .unwrap();
            for s in 0..1 + dice.below(3) {
                let (min, max) =
                    dice.of(&[(0, 100), (50, 100), (75, 100), (50, 150), (75, 125), (100, 150), (100, 200)]);
                let (cpu, memory) = (dice.of(&[128, 256, 512, 900]), dice.of(&[128, 256, 512, 3000]));
                let desired = 1 + dice.below(5);
                writeln!(
                    text,
                    "[[fleet.service]]\nname = \"c{n}-s{s}\"\ncluster = \"c{n}\"\ngroup = \"g{n}\"\ncpu = {cpu}\n\
                     memory = {memory}\ndesired = {desired}\nmin = {min}\nmax = {max}"
                )
                .unwrap();
            }
        }
    }
    text
}

async fn tasks_of(running: &coredeck::sim::Running, region: &str, cluster: &str) -> Vec<Value> {
    let call =
        |operation: &'static str, body: Value| crate::sim_services::ecs_in(running, region, operation, body);
    let listed = call("ListTasks", value!({ "cluster": cluster })).await["taskArns"].clone();
    if listed.as_array().is_none_or(Vec::is_empty) {
        return Vec::new();
    }
    let told = call("DescribeTasks", value!({ "cluster": cluster, "tasks": listed })).await;
    told["tasks"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verdict_of_plans_is_what_the_scheduler_then_does() {
    // More clusters than a suite has time for are judged where somebody asks for them.
    let rounds = std::env::var("COREDECK_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    let mut dice = Dice(0x5eed_c0de);
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..rounds {
        judged(&mut dice, &mut seen).await;
    }
    // Were one of them never met, nothing would be said of it; were many unclear, the verdict would be idle.
    let of = |word: &str| seen.get(word).copied().unwrap_or(0);
    assert!(
        of("moves") >= 5 && of("refused") >= 5 && of("unclear") * 10 < of("moves") + of("refused"),
        "{seen:?}"
    );
    if rounds > 1 {
        std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{seen:?}\n")).unwrap();
    }
}

/// Plans drains in a world of random clusters, drains them, and holds what came of it to the verdicts.
async fn judged(dice: &mut Dice, seen: &mut BTreeMap<&'static str, u32>) {
    let options = coredeck::sim::parse(&clusters(dice), "random clusters").unwrap();
    let mut bench = Bench::of(coredeck::sim::serve(options).await.unwrap()).await;
    bench.config.regions = Regions::Named(REGIONS.iter().map(Region::new).collect());
    bench.reconnect().await;
    bench.running.step(Duration::from_secs(1_200));
    let world = bench.world("drain").await;
    // All are planned in the same still world, and then all are drained in it.
    let mut verdicts = Vec::new();
    for region in REGIONS {
        for n in 0..CLUSTERS {
            let cluster = format!("c{n}");
            let mut hosts: Vec<(String, String)> = world
                .fleet
                .hosts
                .iter()
                .filter(|row| row.scope.region.as_str() == region && row.cluster == cluster)
                .filter_map(|row| Some((row.it.instance_id.as_ref()?.to_string(), row.it.arn.to_string())))
                .collect();
            assert!(hosts.len() >= 2, "{region} {cluster}: {hosts:?}");
            hosts.truncate(1 + usize::from(hosts.len() > 2 && n % 3 == 0));
            let targets: Vec<&str> = hosts.iter().map(|(id, _)| id.as_str()).collect();
            let made = planned(&bench, &world, bench.aws.as_ref(), drain(&targets)).await;
            let word = match &made {
                Ok(_) => "moves",
                // What is certain of one service is certain of the drain, whatever is open of another.
                Err(error)
                    if ["would never move", "would be missing"].iter().any(|it| said(error).contains(it)) =>
                {
                    "refused"
                }
                Err(error) => {
                    assert!(said(error).contains("is not clear"), "{}", said(error));
                    "unclear"
                }
            };
            *seen.entry(word).or_default() += 1;
            verdicts.push((region, cluster, hosts, word, made.map(|_| ()).map_err(|error| said(&error))));
        }
    }
    let mut before = BTreeMap::new();
    for (region, cluster, hosts, ..) in &verdicts {
        let arns: Vec<&str> = hosts.iter().map(|(_, arn)| arn.as_str()).collect();
        before.insert((*region, cluster.clone()), tasks_of(&bench.running, region, cluster).await);
        let body = value!({ "cluster": cluster, "containerInstances": arns, "status": "DRAINING" });
        crate::sim_services::ecs_in(&bench.running, region, "UpdateContainerInstancesState", body).await;
    }
    bench.running.step(Duration::from_secs(3 * 3600));
    for (region, cluster, hosts, word, made) in verdicts {
        let is_on = |task: &&Value| hosts.iter().any(|(_, arn)| task["containerInstanceArn"] == arn.as_str());
        let of = |tasks: &[Value]| {
            let mut groups: Vec<Value> =
                tasks.iter().filter(is_on).map(|task| task["group"].clone()).collect();
            groups.sort_by_key(Value::to_string);
            groups.dedup();
            groups
        };
        let now = tasks_of(&bench.running, region, &cluster).await;
        let mut is_whole = of(&now).is_empty();
        for group in of(&before[&(region, cluster.clone())]) {
            let name = group.as_str().unwrap().trim_start_matches("service:").to_owned();
            let wanted = world.fleet.services.iter().find(|row| {
                row.scope.region.as_str() == region && row.cluster == cluster && row.it.name == name
            });
            let elsewhere = now.iter().filter(|task| task["group"] == group && !is_on(task)).count();
            is_whole &= elsewhere >= wanted.unwrap().it.desired as usize;
        }
        let is_right = match word {
            "moves" => is_whole,
            "refused" => !is_whole,
            _ => true,
        };
        assert!(is_right, "{region} {cluster} {hosts:?}: {word} ({made:?}), whole afterwards: {is_whole}");
    }
}
