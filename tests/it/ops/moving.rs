//! Cores that move to hosts that are launched for them, and target groups and hosts that are not as they should be.

use super::bench::Bench;
use super::successors::{asked, by_hand, containers, done, ended, entry, host, keep, planned, wished};
use coredeck::clock::Clock;
use coredeck::gateway::change::{TargetRef, Token};
use coredeck::gateway::{Change, FleetProbe, Look, Seen};
use coredeck::model::{Instance, InstanceState, Scope, Text};
use coredeck::ops::intent::CoreWish;
use coredeck::ops::{OpState, Outcome, Plan, Undo, preview};
use coredeck::world::World;
use std::sync::Arc;
use std::time::Duration;

fn scope() -> Scope {
    Scope { account: "demo".into(), region: "us-east-1".into() }
}

/// The instances that an operation launched, whatever has become of them.
async fn launched(bench: &Bench, op: &OpState) -> Vec<Arc<Instance>> {
    let mut all = Vec::new();
    for lane in 0..op.plan.lanes.len() {
        let value = Text::from(format!("{}/{lane}", op.record.id));
        let look = Look::Tagged { key: "coredeck:operation".into(), value };
        let Seen::Instances(seen) = bench.aws.look(&scope(), &look).await.unwrap() else { panic!() };
        all.extend(seen);
    }
    all
}

/// Enters the database that a core's container has, so that another one may be made with it.
async fn named(bench: &Bench, world: &World, core: &str) {
    let env = format!(
        "docker inspect --format '{{{{range .Config.Env}}}}{{{{println .}}}}{{{{end}}}}' supertokens-{core}"
    );
    let env = by_hand(bench, &host(world, core), &env).await;
    let uri = env.lines().find_map(|line| line.strip_prefix("POSTGRESQL_CONNECTION_URI=")).unwrap();
    keep(bench, &format!("{core}/database-uri"), uri).await;
}

fn to(host: &str, template: Option<&str>) -> CoreWish {
    CoreWish { host: Some(host.to_owned()), template: template.map(str::to_owned), ..CoreWish::default() }
}

async fn plan_of(bench: &Bench, world: &World, cores: &[&str], wish: CoreWish) -> Plan {
    let intent = asked(bench, world, wished("core move", cores, wish)).await;
    planned(bench, world, intent).await.unwrap_or_else(|why| panic!("{why}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_moves_to_a_host_that_is_launched_for_it_and_back() {
    let bench = Bench::new().await;
    let world = bench.world("core move").await;
    let (core, home) = ("prod-slatepay", host(&world, "prod-slatepay"));
    named(&bench, &world, core).await;
    let before = entry(&bench, core).await;
    // Without a word about a host: none of its tier has room, so that one is launched, and the preview says so.
    let plan = plan_of(&bench, &world, &[core], CoreWish::default()).await;
    let text = preview::text(&plan);
    assert!(text.starts_with("move 1 core with 1 new instance of production-host:2 (t2.micro)\n"), "{text}");
    assert!(text.contains(&format!("{core} from {home} to {{new instance}}")), "{text}");
    assert!(text.contains("1 instance more is paid until somebody ends it"), "{text}");
    let titles: Vec<&str> = plan.lanes[0].steps.iter().map(|step| step.title.as_str()).collect();
    let at =
        |part: &str| titles.iter().position(|title| title.contains(part)).unwrap_or_else(|| panic!("{part}"));
    let order = [
        "launch one instance",
        "has passed its checks",
        "make supertokens-prod-slatepay on {new",
        "put {new",
        "write /coredeck",
        &format!("take {home}"),
        "stop supertokens-prod-slatepay",
        "take coredeck:do-not-disrupt",
    ];
    let order: Vec<usize> = order.iter().map(|part| at(part)).collect();
    assert!(order.is_sorted(), "{titles:?}");
    assert!(plan.lanes[0].steps.iter().all(|step| !matches!(step.undo, Undo::Impossible { .. })));
    assert!(!bench.changes().contains_key("RunInstances"), "a plan launches nothing");

    let op = done(&bench, &plan).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let all = launched(&bench, &op).await;
    let [there] = all.as_slice() else { panic!("{all:?}") };
    let now = entry(&bench, core).await;
    assert_eq!(now["instance_id"].as_str(), Some(there.id.as_str()));
    assert_eq!(containers(&bench, &home, core).await, [format!("supertokens-{core} 9.2.2 exited")]);
    assert_eq!(
        containers(&bench, there.id.as_str(), core).await,
        [format!("supertokens-{core} 9.2.2 running")]
    );
    let after = bench.world("core move").await;
    let states: Vec<(&str, &str)> = after
        .fleet
        .targets
        .iter()
        .filter(|row| [there.id.as_str(), &home].contains(&row.it.id.as_str()))
        .map(|row| (row.it.id.as_str(), row.it.state.word()))
        .collect();
    assert_eq!(states, [(there.id.as_str(), "healthy")], "traffic went along");

    let back = bench.undo(&op).await.unwrap();
    let back = done(&bench, &back).await;
    assert_eq!(ended(&back), Some(Outcome::Done), "{:?}", back.lanes);
    assert_eq!(launched(&bench, &op).await[0].state, InstanceState::Terminated);
    assert_eq!(entry(&bench, core).await, before);
    assert_eq!(containers(&bench, &home, core).await, [format!("supertokens-{core} 9.2.2 running")]);
    assert_eq!(bench.changes()["RunInstances"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn cores_share_a_new_host_and_all_go_back_where_one_fails_there() {
    let bench = Bench::new().await;
    let world = bench.world("core move").await;
    let cores = ["dev-005", "dev-003"];
    for core in cores {
        named(&bench, &world, core).await;
    }
    let plan = plan_of(&bench, &world, &cores, to("new", Some("dev-host:2"))).await;
    assert_eq!(plan.lanes.len(), 1, "as few hosts as the tier allows");
    assert!(plan.title.contains("move 2 cores with 1 new instance of dev-host:2"), "{}", plan.title);
    assert!(plan.warnings.iter().any(|told| told.contains("share a new host")), "{:?}", plan.warnings);
    // The second one's database fails while it is made there.
    bench.running.cut_off("dev-003", true);
    let op = done(&bench, &plan).await;
    assert_eq!(ended(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    assert!(op.lanes[0].why[0].contains("its database fails"), "{:?}", op.lanes[0].why);
    assert_eq!(launched(&bench, &op).await[0].state, InstanceState::Terminated);
    bench.running.cut_off("dev-003", false);
    for core in cores {
        let home = host(&world, core);
        assert_eq!(containers(&bench, &home, core).await, [format!("supertokens-{core} 11.0.4 running")]);
        assert_eq!(entry(&bench, core).await["instance_id"].as_str(), Some(home.as_str()));
    }
    let world = bench.world("core move").await;
    let plan = plan_of(&bench, &world, &cores, to("new", Some("dev-host:2"))).await;
    let op = done(&bench, &plan).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let there = launched(&bench, &op).await[0].id.to_string();
    let mut ports = Vec::new();
    for core in cores {
        let entry = entry(&bench, core).await;
        assert_eq!(entry["instance_id"].as_str(), Some(there.as_str()));
        ports.push(entry["port"].as_u64().unwrap());
    }
    ports.dedup();
    assert_eq!(ports.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_moves_with_a_target_group_that_no_listener_uses() {
    let fleet = "[[fleet]]\nbase = \"demo\"\n[[fleet.target-group]]\nname = \"spare\"\nport = 3567\n";
    let options = coredeck::sim::parse(fleet, "spare.toml").unwrap();
    let clock = Clock::Fixed(super::bench::start());
    let running =
        coredeck::sim::serve(coredeck::sim::Options { clock, speed: 0.0, ..options }).await.unwrap();
    let bench = Bench::of(running).await;
    let world = bench.world("core move").await;
    let home = host(&world, "dev-005");
    let port = world.fleet.cores.iter().find(|core| core.id.as_str() == "dev-005").unwrap().port.unwrap();
    let group = world.fleet.target_groups.iter().find(|row| row.it.name == "spare").unwrap().it.arn.clone();
    let targets = vec![TargetRef { id: home.as_str().into(), port: Some(port), zone: None }];
    let change = Change::Register { target_group: group.clone(), targets };
    bench.writer().write(&scope(), &change, &Token::of(&["test"])).await.unwrap();
    bench.running.step(Duration::from_secs(60));
    named(&bench, &world, "dev-005").await;
    let world = bench.world("core move").await;
    let plan = plan_of(&bench, &world, &["dev-005"], CoreWish::default()).await;
    let text = preview::text(&plan);
    assert!(text.contains("into spare, which no listener uses"), "{text}");
    let op = done(&bench, &plan).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let there = entry(&bench, "dev-005").await["instance_id"].as_str().unwrap().to_owned();
    let after = bench.world("core move").await;
    let mine = after.fleet.targets.iter().filter(|row| row.it.group == group);
    let mine: Vec<(&str, &str)> = mine.map(|row| (row.it.id.as_str(), row.it.state.word())).collect();
    assert_eq!(mine, [(there.as_str(), "unused")]);
    let back = bench.undo(&op).await.unwrap();
    assert_eq!(ended(&done(&bench, &back).await), Some(Outcome::Done));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_docker_is_down_is_said_with_what_to_do_and_left_as_it_was() {
    let bench = Bench::new().await;
    let world = bench.world("core move").await;
    let home = host(&world, "dev-005");
    named(&bench, &world, "dev-005").await;
    bench.running.halt_docker(&home, true);
    assert_eq!(by_hand(&bench, &home, "docker ps || echo no").await, "no");
    // Stopping and starting: the host says why not, and what to look at.
    for verb in ["core restart", "core stop"] {
        let plan = planned(&bench, &world, wished(verb, &["dev-005"], CoreWish::default())).await.unwrap();
        let op = done(&bench, &plan).await;
        assert!(matches!(ended(&op), Some(Outcome::RolledBack | Outcome::PartWay)), "{verb}: {:?}", op.ended);
        let why = &op.lanes[0].why[0];
        assert!(why.contains("docker does not answer") && why.contains("(41)"), "{verb}: {why}");
        assert!(
            why.contains(&format!("coredeck shell {home}, and there `systemctl status docker`")),
            "{why}"
        );
    }
    // Moving away: what its container was made with cannot be asked, so that nothing is planned.
    let intent = asked(&bench, &world, wished("core move", &["dev-005"], CoreWish::default())).await;
    let why = planned(&bench, &world, intent).await.unwrap_err();
    assert!(why.contains("could not be asked") && why.contains("docker does not answer"), "{why}");
    assert!(why.contains(&format!("coredeck shell {home}")), "{why}");
    // The inventory says it of that host alone.
    let writer = bench.writer();
    let asking = coredeck::ops::hosts::Asking {
        probe: bench.aws.as_ref(),
        writer: Some(writer.as_ref()),
        timer: bench.timer.as_ref(),
        mark: "coredeck look at two".to_owned(),
        may_put: true,
    };
    let other = host(&world, "dev-009");
    let hosts = [home.as_str(), other.as_str()].map(|id| (scope(), coredeck::model::InstanceId::new(id)));
    let told = coredeck::ops::hosts::ask(&asking, &hosts).await;
    let why = told[&hosts[0]].printed.as_ref().unwrap_err();
    assert!(why.contains("docker does not answer") && why.contains("systemctl status docker"), "{why}");
    assert!(told[&hosts[1]].printed.as_ref().unwrap().contains("supertokens-dev-009"));
    bench.running.halt_docker(&home, false);
    // Moving there: the old one is never touched.
    let plan = plan_of(&bench, &world, &["dev-005"], CoreWish::default()).await;
    let there = plan.lanes[0].name.split([' ', ':']).nth(4).unwrap().to_owned();
    bench.running.halt_docker(&there, true);
    let op = done(&bench, &plan).await;
    let why = op.lanes[0].why.join(" ");
    assert!(why.contains(&format!("is down, on {there} (41)")), "{why}");
    assert_eq!(containers(&bench, &home, "dev-005").await, ["supertokens-dev-005 11.0.4 running"]);
    assert_eq!(entry(&bench, "dev-005").await["instance_id"].as_str(), Some(home.as_str()));
    // The rest is alive: another host is worked with meanwhile.
    let plan =
        planned(&bench, &world, wished("core restart", &["dev-009"], CoreWish::default())).await.unwrap();
    assert_eq!(ended(&done(&bench, &plan).await), Some(Outcome::Done));
}
