//! Cores on docker hosts: restarted, stopped and started through our own documents, their traffic led along, and each
//! trouble of a host said in its own words.

use super::bench::{Bench, intent};
use super::successors::by_hand;
use coredeck::clock::Clock;
use coredeck::gateway::change::{FleetWriter, TargetRef, Token};
use coredeck::gateway::{Change, FleetProbe, Look, Seen};
use coredeck::model::{Home, Scope, TargetState};
use coredeck::ops::intent::{CoreWish, Traffic};
use coredeck::ops::{Desk, Intent, OpState, Outcome, Plan, Timer};
use coredeck::sim::{Happening, Options, What, serve};
use coredeck::world::World;
use std::sync::Arc;
use std::time::Duration;

fn scope() -> Scope {
    Scope { account: "demo".into(), region: "us-east-1".into() }
}

fn free(mut intent: Intent) -> Intent {
    intent.options.override_budget = true;
    intent
}

fn drained(cores: &[&str]) -> Intent {
    let mut intent = free(intent("core restart", cores));
    intent.options.core = Some(Box::new(CoreWish { traffic: Traffic::Drain, ..CoreWish::default() }));
    intent
}

/// A bench with a world that is read once: reading it is most of what a plan costs.
struct Seat {
    bench: Bench,
    world: Arc<World>,
}

impl Seat {
    async fn new() -> Self {
        Self::of(Bench::new().await).await
    }

    async fn of(bench: Bench) -> Self {
        let world = bench.world("core restart").await;
        Self { bench, world }
    }

    fn desk<'a>(&'a self, writer: Option<&'a dyn FleetWriter>) -> Desk<'a> {
        Desk {
            snapshot: &self.world.snapshot,
            fleet: &self.world.fleet,
            config: &self.bench.config,
            probe: self.bench.aws.as_ref(),
            writer,
            now: self.bench.timer.now(),
        }
    }

    async fn plan(&self, intent: Intent) -> Plan {
        let writer = self.bench.writer();
        let planned = self.desk(Some(writer.as_ref())).plan(intent).await;
        planned.unwrap_or_else(|error| panic!("{error}: {:?}", error.source))
    }

    /// What stood against a plan.
    async fn refused(&self, intent: Intent) -> String {
        let error = self.desk(None).plan(intent).await.expect_err("a refusal");
        error.source.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    async fn done(&self, plan: &Plan) -> OpState {
        self.bench.run(&self.bench.enter(plan).id).await
    }

    /// The host of a core.
    fn host(&self, core: &str) -> String {
        let found = self.world.fleet.cores.iter().find(|one| one.id.as_str() == core).expect("the core");
        found.home.instance_id().unwrap().to_string()
    }

    /// How a host stands in the target group that it was in when the world was read.
    async fn health(&self, host: &str) -> Option<TargetState> {
        let row = self.world.fleet.targets.iter().find(|row| row.it.id == host).expect("the target");
        let look = Look::Targets { group: row.it.group.clone() };
        let Seen::Targets(all) = self.bench.aws.look(&scope(), &look).await.unwrap() else { panic!() };
        all.iter().find(|one| one.id == host).map(|one| one.state)
    }
}

fn ended(op: &OpState) -> Option<Outcome> {
    op.ended.map(|(end, _)| end)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_leads_traffic_away_stops_starts_and_leads_it_back() {
    let seat = Seat::new().await;
    let plan = seat.plan(drained(&["shared-prod-1"])).await;
    let titles: Vec<&str> = plan.lanes[0].steps.iter().map(|step| step.title.as_str()).collect();
    let order = ["put the document", "put the document", "take i-", "stop ", "start ", "put i-"];
    assert_eq!(titles.len(), order.len(), "{titles:?}");
    assert!(titles.iter().zip(order).all(|(title, begins)| title.starts_with(begins)), "{titles:?}");
    assert!(titles[2].contains("300 s") && titles[3].contains("-t 30"), "{titles:?}");
    let op = seat.done(&plan).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let changes = seat.bench.changes();
    let calls = ["CreateDocument", "DeregisterTargets", "SendCommand", "RegisterTargets"];
    assert_eq!(calls.map(|call| changes[call]), [2, 1, 2, 1], "{changes:?}");
    // Alone in its group it would only be away for longer: it stays, and that is said.
    let plan = seat.plan(free(intent("core restart", &["shared-prod-1"]))).await;
    assert!(!plan.lanes[0].steps.iter().any(|step| step.title.starts_with("take")));
    let warned = |part: &str| plan.warnings.iter().any(|warning| warning.contains(part));
    assert!(warned("would only add 300 s") && warned("requests fail"), "{:?}", plan.warnings);
    // What was stopped is started again by a way back of its own.
    let stop = seat.plan(free(intent("core stop", &["shared-prod-1"]))).await;
    let op = seat.done(&stop).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let host = seat.host("shared-prod-1");
    let state = "docker inspect --format '{{.State.Status}}' supertokens-shared-prod-1";
    assert_eq!(by_hand(&seat.bench, &host, state).await, "exited");
    assert_eq!(seat.health(&host).await, None);
    let back = coredeck::ops::rollback::plan(&seat.desk(None), &op).await.unwrap();
    let op = seat.done(&back).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    assert_eq!(by_hand(&seat.bench, &host, state).await, "running");
    assert_eq!(seat.health(&host).await, Some(TargetState::Healthy));
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_go_one_after_the_other_and_the_last_healthy_one_stays() {
    let mut seat = Seat::new().await;
    let group = seat.world.fleet.target_groups.iter().find(|row| row.it.name == "shared-production").unwrap();
    let group = group.it.arn.clone();
    // The other shared core serves the same group.
    let targets =
        vec![TargetRef { id: seat.host("shared-dev-1").as_str().into(), port: Some(3567), zone: None }];
    let change = Change::Register { target_group: group, targets };
    seat.bench.writer().write(&scope(), &change, &Token::of(&["test"])).await.unwrap();
    let both = free(intent("core restart", &["shared-prod-1", "shared-dev-1"]));
    seat.world = seat.bench.world("core restart").await;
    let why = seat.refused(both.clone()).await;
    assert!(why.contains("none of the 1 other targets of shared-production is healthy"), "{why}");
    seat.bench.running.step(Duration::from_secs(60));
    seat.world = seat.bench.world("core restart").await;
    let plan = seat.plan(both).await;
    assert_eq!(plan.waves, [vec![0], vec![1]]);
    // To stop all that serve is another thing than one after the other.
    let why = seat.refused(free(intent("core stop", &["shared-prod-1", "shared-dev-1"]))).await;
    assert!(why.contains("all 2 targets of shared-production would be stopped"), "{why}");
    assert!(why.contains("--override-verdict"), "{why}");
    // Cores that are stopped stay down, and are counted as cores.
    let mut many = intent("core stop", &["dev-001", "dev-003", "dev-005"]);
    many.options.max_unavailable = Some(2);
    let why = seat.refused(many).await;
    assert!(why.contains("3 of its ") && why.contains(" cores would stay unavailable and 2 may be"), "{why}");
    // Each leaves the group that another one serves too, and stays in the one that it serves alone.
    let out =
        |lane: usize| plan.lanes[lane].steps.iter().filter(|step| step.title.starts_with("take")).count();
    assert_eq!((out(0), out(1)), (1, 1), "{:?}", plan.lanes);
    let op = seat.done(&plan).await;
    assert_eq!(ended(&op), Some(Outcome::Done), "{:?}", op.lanes);
    assert!(op.lanes[1].opened_at > op.lanes[0].opened_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_trouble_has_its_words_core_by_core() {
    let seat = Seat::new().await;
    let task = seat.world.fleet.cores.iter().find(|core| matches!(core.home, Home::Task { .. }));
    let task = task.expect("a core that is a task").id.to_string();
    let why =
        seat.refused(intent("core restart", &["prod-thistle", "prod-meadowlark", "dev-0003", &task])).await;
    let lines: Vec<&str> = why.lines().collect();
    assert_eq!(lines.len(), 4, "{why}");
    let says = |core: &str, part: &str| {
        assert!(lines.iter().any(|line| line.starts_with(core) && line.contains(part)), "{core}: {why}");
    };
    says("prod-thistle", "agent is offline (ConnectionLost, last heard at");
    says("prod-meadowlark", "does not exist");
    says("dev-0003", "did you mean dev-003?");
    says(&task, "coredeck redeploy ");
    // A database that does not answer: the core starts and says so, and that is no end to be content with.
    let plan = seat.plan(free(intent("core restart", &["dev-003"]))).await;
    seat.bench.running.cut_off("dev-003", true);
    let op = seat.done(&plan).await;
    assert_eq!(ended(&op), Some(Outcome::PartWay), "{:?}", op.lanes);
    assert!(op.lanes[0].why[0].contains("its database fails"), "{:?}", op.lanes[0].why);
    seat.bench.running.cut_off("dev-003", false);
    // A container that is not there, and one that is another core.
    for (script, words) in [
        ("docker rm -f supertokens-dev-003", "there is no container of that name"),
        (
            "docker run -d --name supertokens-dev-003 --label coredeck.core=dev-xyz -p 9000:3567 x:1",
            "is another core",
        ),
    ] {
        by_hand(&seat.bench, &seat.host("dev-003"), script).await;
        let plan = seat.plan(free(intent("core restart", &["dev-003"]))).await;
        let op = seat.done(&plan).await;
        assert_ne!(ended(&op), Some(Outcome::Done));
        assert!(op.lanes[0].why[0].contains(words), "{:?}", op.lanes[0].why);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_falls_silent_is_said_and_what_was_done_is_set_back() {
    let event = Happening {
        at: Duration::from_secs(20),
        account: "*".to_owned(),
        region: "*".to_owned(),
        what: What::Silence("prod-slatepay".to_owned()),
    };
    let clock = Clock::Fixed(super::bench::start());
    let options = Options { clock, speed: 0.0, events: vec![event], ..Options::default() };
    let seat = Seat::of(Bench::of(serve(options).await.unwrap()).await).await;
    let plan = seat.plan(drained(&["prod-slatepay"])).await;
    let op = seat.done(&plan).await;
    // Its traffic is back; whether its container runs nobody can say, and nobody could start it.
    assert_eq!(ended(&op), Some(Outcome::PartWay), "{:?}", op.lanes);
    let why = &op.lanes[0].why[0];
    assert!(why.contains("did not take the command in time: it is offline"), "{why}");
    assert_eq!(seat.health(&seat.host("prod-slatepay")).await, Some(TargetState::Healthy));
}
