//! Cores that get another version or another host: one replica at a time, with the way back on the host itself, and
//! nobody without a core in between.

use super::bench::{Bench, intent, runner};
use super::refusing::refusing;
use crate::sim_hosts::ssm;
use coredeck::gateway::change::{TargetRef, Token};
use coredeck::gateway::{Change, FleetProbe, Look, Seen};
use coredeck::model::Scope;
use coredeck::ops::hosts::Asking;
use coredeck::ops::intent::{Carry, CoreWish};
use coredeck::ops::kinds::look_at_cores;
use coredeck::ops::{Desk, End, Intent, OpState, Outcome, Phase, Plan, Timer, Undo, rollback};
use coredeck::world::World;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn scope() -> Scope {
    Scope { account: "demo".into(), region: "us-east-1".into() }
}

pub(super) fn wished(verb: &str, cores: &[&str], wish: CoreWish) -> Intent {
    let mut intent = intent(verb, cores);
    intent.options.override_budget = true;
    intent.options.core = Some(Box::new(wish));
    intent
}

fn to(version: &str) -> CoreWish {
    CoreWish { image: Some(version.to_owned()), ..CoreWish::default() }
}

/// The same, with what the hosts of its cores say.
pub(super) async fn asked(bench: &Bench, world: &World, mut intent: Intent) -> Intent {
    let writer = bench.writer();
    let asking = Asking {
        probe: bench.aws.as_ref(),
        writer: Some(writer.as_ref()),
        timer: bench.timer.as_ref(),
        mark: format!("coredeck look {}", bench.timer.now().as_microsecond()),
        may_put: true,
    };
    look_at_cores(&asking, &world.fleet, &mut intent).await;
    intent
}

pub(super) async fn planned(bench: &Bench, world: &World, intent: Intent) -> Result<Plan, String> {
    let writer = bench.writer();
    let desk = Desk {
        snapshot: &world.snapshot,
        fleet: &world.fleet,
        config: &bench.config,
        probe: bench.aws.as_ref(),
        writer: Some(writer.as_ref()),
        now: bench.timer.now(),
    };
    let why = |error: &coredeck::error::Error| {
        let source = error.source.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{error} {source}")
    };
    desk.plan(intent).await.map_err(|error| why(&error))
}

pub(super) async fn done(bench: &Bench, plan: &Plan) -> OpState {
    bench.run(&bench.enter(plan).id).await
}

pub(super) fn ended(op: &OpState) -> Option<Outcome> {
    op.ended.map(|(end, _)| end)
}

pub(super) fn host(world: &World, core: &str) -> String {
    let found = world.fleet.cores.iter().find(|one| one.id.as_str() == core).expect("the core");
    found.home.instance_id().unwrap().to_string()
}

/// What docker on a host says of its containers whose names hold a word: name, image and state.
pub(super) async fn containers(bench: &Bench, host: &str, word: &str) -> Vec<String> {
    let script =
        format!("docker ps -a --filter name={word} --format '{{{{.Names}}}} {{{{.Image}}}} {{{{.State}}}}'");
    let asked = json!({
        "DocumentName": "AWS-RunShellScript", "InstanceIds": [host], "Parameters": { "commands": [script] },
    });
    let sent = ssm(&bench.running, "SendCommand", asked).await;
    let id = sent["Command"]["CommandId"].as_str().expect("a command").to_owned();
    bench.running.step(Duration::from_secs(60));
    let ended =
        ssm(&bench.running, "GetCommandInvocation", json!({ "CommandId": id, "InstanceId": host })).await;
    let said = ended["StandardOutputContent"].as_str().unwrap_or_default();
    said.lines().map(|line| line.replace("supertokens/supertokens-postgresql:", "")).collect()
}

/// Runs a script on a host, as somebody with a shell there would.
pub(super) async fn by_hand(bench: &Bench, host: &str, script: &str) -> String {
    let asked = json!({
        "DocumentName": "AWS-RunShellScript", "InstanceIds": [host], "Parameters": { "commands": [script] },
    });
    let sent = ssm(&bench.running, "SendCommand", asked).await;
    let id = sent["Command"]["CommandId"].as_str().expect("a command").to_owned();
    bench.running.step(Duration::from_secs(90));
    let ended =
        ssm(&bench.running, "GetCommandInvocation", json!({ "CommandId": id, "InstanceId": host })).await;
    ended["StandardOutputContent"].as_str().unwrap_or_default().trim().to_owned()
}

/// Makes the container of dev-009 anew, as somebody at a shell would.
fn anew(options: &str, image: &str) -> String {
    format!(
        "docker rm -f supertokens-dev-009; docker run -d --name supertokens-dev-009 --label \
         coredeck.core=dev-009 {options} supertokens/supertokens-{image}"
    )
}

pub(super) async fn entry(bench: &Bench, core: &str) -> serde_json::Value {
    let of = vec![format!("/coredeck/demo/cores/{core}").into()];
    let Seen::Parameters(all) = bench.aws.look(&scope(), &Look::Parameters { of }).await.unwrap() else {
        panic!()
    };
    serde_json::from_str(all[0].value.as_deref().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_keeps_what_the_container_had_and_comes_back_by_itself_where_it_fails() {
    let bench = Bench::new().await;
    let world: Arc<World> = bench.world("core upgrade").await;
    let home = host(&world, "dev-009");
    let plan = planned(&bench, &world, wished("core upgrade", &["dev-009"], to("11.0.4"))).await.unwrap();
    let undo =
        plan.lanes[0].steps.iter().find(|step| step.title.starts_with("replace")).map(|step| &step.undo);
    assert!(matches!(undo, Some(Undo::BestEffort { why, .. }) if why.contains("schema")), "{undo:?}");
    assert!(plan.warnings.iter().any(|warning| warning.contains("changes its database's schema")));
    // A database that fails after the start: the old one is back before anybody asks.
    bench.running.cut_off("dev-009", true);
    let op = done(&bench, &plan).await;
    let why = &op.lanes[0].why[0];
    assert!(why.contains("its database fails; the old container is back and answers"), "{why}");
    assert!(why.contains("(68)") && why.contains("its last words: "), "{why}");
    bench.running.cut_off("dev-009", false);
    assert_eq!(containers(&bench, &home, "dev-009").await, ["supertokens-dev-009 10.1.4 running"]);
    assert_eq!(entry(&bench, "dev-009").await["version"], "10.1.4");
    let plan = planned(&bench, &world, wished("core upgrade", &["dev-009"], to("11.0.4"))).await.unwrap();
    let op = done(&bench, &plan).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    assert_eq!(containers(&bench, &home, "dev-009").await, ["supertokens-dev-009 11.0.4 running"]);
    let entry = entry(&bench, "dev-009").await;
    assert_eq!(
        (&entry["version"], &entry["api_key_parameter"]),
        (&json!("11.0.4"), &json!("/coredeck/demo/secrets/dev-009/api-key"))
    );
    // Older ones are refused where their schema is another one.
    let why = planned(&bench, &world, wished("core upgrade", &["dev-003"], to("10.1.4"))).await.unwrap_err();
    assert!(why.contains("whose schema its database has; say --allow-downgrade"), "{why}");
    let patch = planned(&bench, &world, wished("core upgrade", &["dev-003"], to("11.0.3"))).await.unwrap();
    assert!(patch.warnings.iter().any(|warning| warning.contains("is older than")));
    let same = planned(&bench, &world, wished("core upgrade", &["dev-003"], to("11.0.4"))).await.unwrap_err();
    assert!(same.contains("already"), "{same}");
}

/// What was done to targets and containers since so many calls, a letter each: out, replaced, in.
fn turns(bench: &Bench, since: usize) -> String {
    let calls = bench.running.calls();
    let letter = |call: &serde_json::Value| match call["operation"].as_str() {
        Some("DeregisterTargets") => Some('o'),
        Some("SendCommand") => Some('r'),
        Some("RegisterTargets") => Some('i'),
        _ => None,
    };
    calls[since..].iter().filter_map(letter).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_new_container_would_lack_is_refused_before_the_old_one_stops() {
    let bench = Bench::new().await;
    let world = bench.world("core upgrade").await;
    let home = host(&world, "dev-009");
    let port = world.fleet.cores.iter().find(|core| core.id.as_str() == "dev-009").unwrap().port.unwrap();
    let database = "-e POSTGRESQL_CONNECTION_URI=postgresql://u:hunter2@db/acme";
    let publish = format!("-p {port}:3567");
    let state = "docker inspect --format '{{.Config.Image}} {{.State.StartedAt}}' supertokens-dev-009";
    for (options, code, words) in [
        (format!("{publish} {database} -v /etc/st:/usr/lib/supertokens/config.yaml"), 60, "config.yaml"),
        (format!("{publish} {database} --network host"), 61, "(61): host"),
        (format!("{publish} -p 9999:3567 {database}"), 62, "9999"),
        (format!("{publish} {database} --user root"), 63, "a user that its image does not say"),
        (format!("{publish} -e API_KEYS=hunter2"), 64, "names a database"),
    ] {
        by_hand(&bench, &home, &anew(&options, "postgresql:10.1.4")).await;
        let before = by_hand(&bench, &home, state).await;
        let plan = planned(&bench, &world, wished("core upgrade", &["dev-009"], to("11.0.4"))).await.unwrap();
        let op = done(&bench, &plan).await;
        assert_ne!(ended(&op), Some(Outcome::Done));
        let why = &op.lanes[0].why[0];
        let has = |part: &str| why.contains(part);
        assert!(has("nothing was stopped") && has(&format!("({code})")) && has(words), "{why}");
        assert!(!why.contains("hunter2"), "{why}");
        assert_eq!(by_hand(&bench, &home, state).await, before, "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_labels_last_and_other_keys_bring_the_old_one_back() {
    let bench = Bench::new().await;
    let world = bench.world("core upgrade").await;
    let home = host(&world, "dev-009");
    let port = world.fleet.cores.iter().find(|core| core.id.as_str() == "dev-009").unwrap().port.unwrap();
    let made = format!(
        "-p {port}:3567 -e POSTGRESQL_CONNECTION_URI=postgresql://u:hunter2@db/acme -e BASE_PATH=/auth --label team=a \
         --label mode=production --cpu-quota 50000 --cpu-period 100000 --memory 300m --restart always"
    );
    by_hand(&bench, &home, &anew(&made, "postgresql:10.1.4")).await;
    let shape = "docker inspect --format '{{.Config.Image}} {{.HostConfig.CpuQuota}} {{.HostConfig.CpuPeriod}} \
                 {{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}} \
                 {{index .Config.Labels \"team\"}} {{index .Config.Labels \"mode\"}} {{len .Config.Env}}' \
                 supertokens-dev-009";
    // Twice: what the first carries over the second must find again.
    for version in ["11.0.4", "11.0.5"] {
        let world = bench.world("core upgrade").await;
        let plan = planned(&bench, &world, wished("core upgrade", &["dev-009"], to(version))).await.unwrap();
        let op = done(&bench, &plan).await;
        assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
        assert_eq!(
            by_hand(&bench, &home, shape).await,
            format!(
                "supertokens/supertokens-postgresql:{version} 50000 100000 0 314572800 always a production 4"
            )
        );
    }
    // An image that reads other variables starts without a database, and answers.
    let world = bench.world("core upgrade").await;
    let other = to("supertokens/supertokens-mysql:11.0.6");
    let plan = planned(&bench, &world, wished("core upgrade", &["dev-009"], other)).await.unwrap();
    let op = done(&bench, &plan).await;
    let why = &op.lanes[0].why[0];
    assert!(why.contains("signs with other keys than before") && why.contains("(78)"), "{why}");
    let now = by_hand(&bench, &home, shape).await;
    assert!(now.starts_with("supertokens/supertokens-postgresql:11.0.5 50000"), "{now}");
}

/// Two replicas of one target group, and the plan that upgrades both.
async fn both_replicas(bench: &Bench) -> Plan {
    let world = bench.world("core upgrade").await;
    let group = world.fleet.target_groups.iter().find(|row| row.it.name == "shared-production").unwrap();
    let other = host(&world, "shared-dev-1");
    let targets = vec![TargetRef { id: other.as_str().into(), port: Some(3567), zone: None }];
    let change = Change::Register { target_group: group.it.arn.clone(), targets };
    bench.writer().write(&scope(), &change, &Token::of(&["test"])).await.unwrap();
    bench.running.step(Duration::from_secs(60));
    let world = bench.world("core upgrade").await;
    let alone =
        planned(bench, &world, wished("core upgrade", &["shared-prod-1"], to("11.0.5"))).await.unwrap_err();
    assert!(alone.contains("shared-dev-1 serves shared-production beside it"), "{alone}");
    let both = wished("core upgrade", &["shared-prod-1", "shared-dev-1"], to("11.0.5"));
    let plan = planned(bench, &world, both).await.unwrap();
    assert_eq!((plan.waves.len(), plan.is_one_piece), (2, true));
    assert!(
        plan.warnings.iter().any(|warning| warning.contains("beside each other for about")),
        "{:?}",
        plan.warnings
    );
    plan
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_upgraded_one_after_the_other_and_all_go_back_when_one_fails() {
    let bench = Bench::new().await;
    let plan = both_replicas(&bench).await;
    // The one whose turn comes second fails, and is well again with its old container: then the first is taken back,
    // out of traffic like on its way there.
    let second = plan.lanes[plan.waves[1][0]].target.clone();
    bench.running.cut_off(&second, true);
    let before = bench.running.calls().len();
    let (running, commands) = (Arc::clone(&bench.running), AtomicUsize::new(0));
    let writer = refusing(bench.writer(), move |change| {
        let is_command = matches!(change, Change::SendCommand { .. });
        if is_command && commands.fetch_add(1, Ordering::SeqCst) == 2 {
            running.cut_off(&second, false);
        }
        None
    });
    let edge = bench.edge(Arc::new(bench.journal()), writer);
    let op = coredeck::ops::run(&edge, &bench.enter(&plan).id, &runner("anna")).await.unwrap();
    assert_eq!(ended(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    assert_eq!(turns(&bench, before), "oriorriori", "{:?}", op.lanes);
    let world = bench.world("core upgrade").await;
    for core in ["shared-prod-1", "shared-dev-1"] {
        let now = containers(&bench, &host(&world, core), core).await;
        assert_eq!(now, [format!("supertokens-{core} 11.0.4 running")], "{:?}", op.lanes);
    }
    // What went well is taken back one after the other too, the last first.
    let both = wished("core upgrade", &["shared-prod-1", "shared-dev-1"], to("11.0.5"));
    let plan = planned(&bench, &world, both).await.unwrap();
    let op = done(&bench, &plan).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let back = bench.undo(&op).await.unwrap();
    let order = |plan: &Plan| -> Vec<String> {
        plan.waves.iter().flatten().map(|lane| plan.lanes[*lane].target.clone()).collect()
    };
    let reversed: Vec<String> = order(&plan).into_iter().rev().collect();
    assert_eq!(order(&back), reversed);
    let before = bench.running.calls().len();
    let op = done(&bench, &back).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    assert_eq!(turns(&bench, before), "oriori");
    for core in ["shared-prod-1", "shared-dev-1"] {
        let now = containers(&bench, &host(&world, core), core).await;
        assert_eq!(now, [format!("supertokens-{core} 11.0.4 running")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_stuck_on_its_way_back_keeps_the_others_in_traffic() {
    let bench = Bench::new().await;
    let plan = both_replicas(&bench).await;
    let second = plan.lanes[plan.waves[1][0]].target.clone();
    bench.running.cut_off(&second, true);
    let before = bench.running.calls().len();
    let op = done(&bench, &plan).await;
    let id = op.record.id.clone();
    let (first, second) = (plan.waves[0][0], plan.waves[1][0]);
    assert_eq!(op.lanes[second].phase, Phase::Over(End::Stuck), "{:?}", op.lanes);
    assert_eq!(op.lanes[first].phase, Phase::Over(End::Left), "{:?}", op.lanes);
    assert!(
        op.lanes[first].why[0].contains("serves the same target group and is stuck"),
        "{:?}",
        op.lanes[first].why
    );
    assert_eq!(ended(&op), Some(Outcome::PartWay));
    assert_eq!(turns(&bench, before), "oriorri", "the first goes on serving, and never leaves again");
    assert_eq!(rollback::command(&op), Some(format!("coredeck op rollback {id}")));

    // Once it is mended both come back, the last first.
    bench.running.cut_off(&plan.lanes[second].target, false);
    let back = bench.undo(&op).await.unwrap();
    let before = bench.running.calls().len();
    let op = done(&bench, &back).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    assert!(turns(&bench, before).ends_with("ori"), "{}", turns(&bench, before));
    for core in ["shared-prod-1", "shared-dev-1"] {
        let world = bench.world("core upgrade").await;
        let now = containers(&bench, &host(&world, core), core).await;
        assert_eq!(now, [format!("supertokens-{core} 11.0.4 running")]);
    }
}

pub(super) async fn keep(bench: &Bench, name: &str, value: &str) {
    let name = format!("/coredeck/demo/secrets/{name}");
    let asked = json!({ "Name": name, "Type": "SecureString", "Value": value, "Overwrite": true });
    assert!(ssm(&bench.running, "PutParameter", asked).await["Version"].is_u64());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_that_moves_serves_there_before_it_stops_here() {
    let bench = Bench::new().await;
    let world = bench.world("core move").await;
    let home = host(&world, "dev-005");
    // Nobody is moved whose host was not asked what it has.
    let blind = wished("core move", &["dev-005"], CoreWish::default());
    let why = planned(&bench, &world, blind.clone()).await.unwrap_err();
    assert!(why.contains("its host was not asked"), "{why}");
    let intent = asked(&bench, &world, blind.clone()).await;
    // The registry does not name its database, so that has to be said.
    let why = planned(&bench, &world, intent.clone()).await.unwrap_err();
    assert!(why.contains("/coredeck/demo/secrets/dev-005/database-uri: there is no such parameter"), "{why}");
    // Another database: it answers well there, and signs with other keys.
    keep(&bench, "dev-005/database-uri", "postgresql://u:hunter2@other/acme").await;
    let plan = planned(&bench, &world, intent.clone()).await.unwrap();
    let op = done(&bench, &plan).await;
    assert_eq!(ended(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    let why = &op.lanes[0].why[0];
    assert!(why.contains("signs with other keys than before") && why.contains("(58)"), "{why}");
    assert_eq!(containers(&bench, &home, "dev-005").await, ["supertokens-dev-005 11.0.4 running"]);
    let env = "docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' supertokens-dev-005";
    let of = |env: &str| {
        let line = env.lines().find_map(|line| line.strip_prefix("POSTGRESQL_CONNECTION_URI="));
        line.unwrap().to_owned()
    };
    let database = of(&by_hand(&bench, &home, env).await);
    keep(&bench, "dev-005/database-uri", &database).await;
    let plan = planned(&bench, &world, asked(&bench, &world, blind).await).await.unwrap();
    let op = done(&bench, &plan).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let entry = entry(&bench, "dev-005").await;
    let there = entry["instance_id"].as_str().unwrap().to_owned();
    assert_ne!(there, home);
    assert_eq!(containers(&bench, &home, "dev-005").await, ["supertokens-dev-005 11.0.4 exited"]);
    assert_eq!(containers(&bench, &there, "dev-005").await, ["supertokens-dev-005 11.0.4 running"]);
    // One with a host of its own finds no room on another one's.
    keep(&bench, "prod-slatepay/database-uri", "x").await;
    let other = world.fleet.cores.iter().find(|core| {
        let is_its = core.tier.as_ref().is_some_and(|tier| tier.as_str() == "production");
        let row = |id| world.fleet.instances.iter().find(|row| Some(&row.it.id) == id);
        let is_near = row(core.home.instance_id()).is_some_and(
            |row| matches!(&row.agent, coredeck::model::Known::Yes(Some(agent)) if agent.ping == "Online"),
        );
        is_its && is_near && core.id.as_str() != "prod-slatepay"
    });
    let taken = other.map(|core| host(&world, core.id.as_str()));
    let full = wished("core move", &["prod-slatepay"], CoreWish { host: taken, ..CoreWish::default() });
    let full = planned(&bench, &world, asked(&bench, &world, full).await).await.unwrap_err();
    assert!(full.contains("find no room"), "{full}");
    // A tier that says no launch template: what is missing is said, and the whole command.
    keep(&bench, "shared-prod-1/database-uri", "x").await;
    let new = CoreWish { host: Some("new".to_owned()), ..CoreWish::default() };
    let none = asked(&bench, &world, wished("core move", &["shared-prod-1"], new)).await;
    let none = planned(&bench, &world, none).await.unwrap_err();
    assert!(none.contains("nothing says what a new host of it is launched from"), "{none}");
    assert!(none.contains("coredeck core move shared-prod-1 --host new --template shared-host"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_that_moves_keeps_its_settings_and_its_secrets_are_named() {
    let bench = Bench::new().await;
    let world = bench.world("core move").await;
    let home = host(&world, "dev-009");
    let port = world.fleet.cores.iter().find(|core| core.id.as_str() == "dev-009").unwrap().port.unwrap();
    let database = "postgresql://u:hunter2@db/acme";
    let options = format!(
        "-p {port}:3567 -e API_KEYS=hunter2-keys -e POSTGRESQL_CONNECTION_URI={database} -e SUPERTOKENS_SAAS_SECRET=hunter2-saas \
         -e POSTGRESQL_TABLE_NAMES_PREFIX=acme -e BASE_PATH=/auth -e MAX_SERVER_POOL_SIZE=20 --label team=a --cpus 0.5"
    );
    // Another version than the registry says: it is not changed on the way.
    by_hand(&bench, &home, &anew(&options, "postgresql:10.1.3")).await;
    keep(&bench, "dev-009/database-uri", database).await;
    let wish = |carry: Carry| wished("core move", &["dev-009"], CoreWish { carry, ..CoreWish::default() });
    let intent = asked(&bench, &world, wish(Carry::default())).await;
    let why = planned(&bench, &world, intent).await.unwrap_err();
    assert!(
        why.contains("do not leave its host: SUPERTOKENS_SAAS_SECRET. A new one would lack them"),
        "{why}"
    );
    assert!(why.contains("--secret SUPERTOKENS_SAAS_SECRET=/coredeck/"), "{why}");
    keep(&bench, "saas", "hunter2-saas").await;
    let name = "SUPERTOKENS_SAAS_SECRET".to_owned();
    let secrets = [(name, "/coredeck/demo/secrets/saas".to_owned())];
    let carry = Carry { secrets: secrets.into(), ..Carry::default() };
    let intent = asked(&bench, &world, wish(carry)).await;
    // Without its prefix it has other tables, answers well all the same, and is taken away again.
    let mut bare = intent.clone();
    let without = &mut bare.options.core.as_mut().unwrap().carry.without;
    without.insert("POSTGRESQL_TABLE_NAMES_PREFIX".to_owned());
    let op = done(&bench, &planned(&bench, &world, bare).await.unwrap()).await;
    assert!(op.lanes[0].why[0].contains("database, schema or table prefix"), "{:?}", op.lanes[0].why);
    let plan = planned(&bench, &world, intent).await.unwrap();
    assert!(
        plan.warnings
            .iter()
            .any(|warning| warning.contains("it runs supertokens/supertokens-postgresql:10.1.3"))
    );
    let text = serde_json::to_string(&plan).unwrap();
    assert!(text.contains("POSTGRESQL_TABLE_NAMES_PREFIX=acme") && !text.contains("hunter2"), "{text}");
    let op = done(&bench, &plan).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let entry = entry(&bench, "dev-009").await;
    assert_eq!(
        (&entry["version"], entry["image"].as_str().unwrap().ends_with(":10.1.3")),
        (&json!("10.1.3"), true)
    );
    let shape = "docker inspect --format '{{.HostConfig.NanoCpus}} {{index .Config.Labels \"team\"}} \
                 {{index .Config.Labels \"coredeck.secrets\"}} {{range .Config.Env}}{{println .}}{{end}}' supertokens-dev-009";
    let there = by_hand(&bench, entry["instance_id"].as_str().unwrap(), shape).await;
    assert!(there.starts_with("500000000 a SUPERTOKENS_SAAS_SECRET=/coredeck/demo/secrets/saas "), "{there}");
    for pair in
        ["SUPERTOKENS_SAAS_SECRET=hunter2-saas", "POSTGRESQL_TABLE_NAMES_PREFIX=acme", "BASE_PATH=/auth"]
    {
        assert!(there.lines().any(|line| line.ends_with(pair)), "{there}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_stands_on_a_host_of_its_own_where_its_port_is_free() {
    let bench = Bench::new().await;
    let world = bench.world("core create").await;
    let first = world.fleet.cores.iter().find(|core| core.id.as_str() == "dev-009").unwrap();
    let (home, port) = (host(&world, "dev-009"), first.port.unwrap());
    let group = world.fleet.target_groups.iter().find(|row| row.it.name == "shared-production").unwrap();
    let targets = vec![TargetRef { id: home.as_str().into(), port: Some(port), zone: None }];
    let change = Change::Register { target_group: group.it.arn.clone(), targets };
    bench.writer().write(&scope(), &change, &Token::of(&["test"])).await.unwrap();
    bench.running.step(Duration::from_secs(60));
    let world = bench.world("core create").await;
    keep(&bench, "dev-009/database-uri", "x").await;
    let wish = CoreWish {
        like: Some("dev-009".to_owned()),
        database: Some("/coredeck/demo/secrets/dev-009/database-uri".to_owned()),
        ..CoreWish::default()
    };
    let intent = asked(&bench, &world, wished("core create", &["dev-009-b"], wish)).await;
    let plan = planned(&bench, &world, intent).await.unwrap();
    let (_, at) = plan.lanes[0].name.split_once(" on ").unwrap();
    let (host, its_port) = at.split_once(':').unwrap();
    assert!(host != home && its_port == port.to_string(), "{at}");
    let taken =
        world.fleet.cores.iter().any(|core| {
            core.port == Some(port) && core.home.instance_id().is_some_and(|id| id.as_str() == host)
        });
    assert!(!taken, "{at}");
}
