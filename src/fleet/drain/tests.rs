//! The verdict on small hand-made clusters, and the table of limits as it is published.

use super::{Blocker, Outcome, Scene, expression, limits, will_it_move};
use crate::model::{
    Constraint, Container, Definition, Host, HostArn, HostDetail, Port, Protection, Protocol, Registration,
    Service, ServiceDetail, Tags, Task,
};
use proptest::prelude::*;

fn host(id: &str, cpu: u32, memory: u32) -> HostDetail {
    let registration = Registration {
        cluster: "c".into(),
        status: "ACTIVE".into(),
        is_connected: true,
        cpu_total: 2048,
        memory_total: 4096,
        ..Registration::default()
    };
    let host = Host {
        cpu_free: cpu,
        memory_free: memory,
        ..Host::new(id.into(), Some(format!("i-{id}").into()), registration)
    };
    let attributes =
        vec![("tier".into(), Some("shared".into())), ("ecs.os-type".into(), Some("linux".into()))];
    HostDetail { host, attributes, ports: vec![(22, Protocol::Tcp)], gpus_free: 0 }
}

fn service(name: &str, desired: u32, min: u32, max: u32) -> ServiceDetail {
    let service = Service {
        arn: format!("arn:s/{name}").into(),
        name: name.into(),
        cluster: "c".into(),
        status: "ACTIVE".into(),
        desired,
        running: desired,
        pending: 0,
        task_definition: format!("{name}:1").into(),
        launch_type: Some("EC2".into()),
        strategy: Some("REPLICA".into()),
        min_percent: Some(min),
        max_percent: Some(max),
        deployments: Vec::new(),
        events: Vec::new(),
        target_groups: Vec::new(),
        providers: Vec::new(),
        created_at: None,
        tags: Tags::default(),
    };
    ServiceDetail { service, constraints: Vec::new(), grace_s: None, controller: None, rebalances: false }
}

fn definition(name: &str, cpu: u32, memory: u32) -> Definition {
    let core = Container { name: "core".into(), cpu, memory: Some(memory), ..Container::default() };
    Definition { name: format!("{name}:1").into(), containers: vec![core], ..Definition::default() }
}

fn task(id: &str, service: Option<&str>, host: &str) -> Task {
    Task {
        arn: id.into(),
        cluster: "c".into(),
        task_definition: "d:1".into(),
        group: Some(service.map_or("family:x".into(), |name| format!("service:{name}").into())),
        started_by: None,
        last_status: "RUNNING".into(),
        desired_status: "RUNNING".into(),
        health: None,
        host: Some(host.into()),
        zone: None,
        launch_type: None,
        cpu: None,
        memory: None,
        created_at: None,
        started_at: None,
        stopped_at: None,
        stopped_reason: None,
        ports: Vec::new(),
        images: Vec::new(),
        tags: Tags::default(),
    }
}

/// A cluster of which host `a` is drained.
struct Small {
    hosts: Vec<HostDetail>,
    services: Vec<ServiceDetail>,
    tasks: Vec<Task>,
    definitions: Vec<Definition>,
    protections: Vec<Protection>,
}

impl Small {
    /// One service of so many tasks, the first on host `a` and all others on `b`.
    fn new(desired: u32, min: u32, max: u32) -> Self {
        let tasks =
            (0..desired).map(|n| task(&format!("t/{n}"), Some("web"), if n == 0 { "a" } else { "b" }));
        Self {
            hosts: vec![host("a", 0, 0), host("b", 1024, 2048)],
            services: vec![service("web", desired, min, max)],
            tasks: tasks.collect(),
            definitions: vec![definition("web", 256, 512)],
            protections: Vec::new(),
        }
    }

    fn judge(&self) -> super::Verdict {
        let scene = Scene {
            hosts: &self.hosts,
            services: &self.services,
            tasks: &self.tasks,
            definitions: &self.definitions,
            protections: &self.protections,
            leavings: &[],
        };
        will_it_move(&scene, &[HostArn::new("a")])
    }

    fn outcome(&self) -> Outcome {
        self.judge().services[0].outcome
    }
}

#[test]
fn the_published_table_of_limits_holds() {
    for (desired, min, max, wanted, bounds) in [
        (1, 50, 150, Outcome::Stays(1), (1, 1)),
        (1, 100, 200, Outcome::Moves, (1, 2)),
        (1, 0, 100, Outcome::Moves, (0, 1)),
        (4, 100, 100, Outcome::Stays(1), (4, 4)),
        (2, 75, 100, Outcome::Stays(1), (2, 2)),
        (3, 50, 100, Outcome::Moves, (2, 3)),
    ] {
        let small = Small::new(desired, min, max);
        assert_eq!(limits(desired, min, max), bounds, "{desired} {min} {max}");
        assert_eq!(small.outcome(), wanted, "{desired} {min} {max}");
        assert_eq!(small.services[0].service.is_stuck(), wanted != Outcome::Moves);
    }
}

#[test]
fn a_service_that_cannot_move_says_why_and_what_would_mend_it() {
    let verdict = Small::new(1, 50, 150).judge();
    let [moving] = verdict.services.as_slice() else { panic!("{verdict:?}") };
    let [blocker @ Blocker::Limits { .. }] = moving.blockers.as_slice() else { panic!("{moving:?}") };
    assert_eq!(
        blocker.reason(),
        "of 1 tasks at least 1 must serve (50 %) and at most 1 may be there (150 %), so ECS may neither stop \
         one first nor start one first"
    );
    assert!(blocker.mend(&moving.name).starts_with("set the maximum percent of web to 200 or more"));
    let mended = Small::new(1, 50, 200).judge();
    assert!(mended.is_clean() && mended.services[0].fewest == 1);
    assert_eq!(Small::new(1, 0, 100).judge().services[0].fewest, 0, "it serves nobody meanwhile");
}

#[test]
fn a_deployment_makes_it_unclear_unless_it_is_stuck_by_the_same_limits() {
    let deployment = |id: &str| crate::model::Deployment {
        id: id.into(),
        status: "ACTIVE".into(),
        rollout: None,
        reason: None,
        task_definition: "web:1".into(),
        desired: 1,
        running: 1,
        pending: 0,
        failed: 0,
        created_at: None,
        updated_at: None,
    };
    let mut small = Small::new(1, 50, 150);
    small.services[0].service.deployments = vec![deployment("new"), deployment("old")];
    assert_eq!(small.outcome(), Outcome::Stays(1));
    small.services[0].service.max_percent = Some(200);
    assert_eq!(small.outcome(), Outcome::Unclear);
}

#[test]
fn room_decides_by_what_a_task_needs() {
    let with = |change: fn(&mut Small)| {
        let mut small = Small::new(2, 100, 200);
        change(&mut small);
        small.outcome()
    };
    assert_eq!(with(|_| ()), Outcome::Moves);
    assert_eq!(with(|small| small.hosts[1].host.cpu_free = 255), Outcome::Stays(1));
    assert_eq!(with(|small| small.hosts[1].host.memory_free = 511), Outcome::Stays(1));
    assert_eq!(with(|small| small.hosts[1].host.status = "DRAINING".into()), Outcome::Stays(2));
    assert_eq!(with(|small| small.hosts[1].host.is_connected = false), Outcome::Stays(1));
    assert_eq!(with(|small| small.services[0].service.providers = vec!["cp".into()]), Outcome::Stays(1));
    assert_eq!(
        with(|small| small.services[0].constraints = vec![Constraint::DistinctInstance]),
        Outcome::Stays(1)
    );
    let member = |text: &str| vec![Constraint::MemberOf(text.into())];
    assert_eq!(with(|small| small.definitions[0].attributes = vec![("gpu".into(), None)]), Outcome::Stays(1));
    let mut small = Small::new(2, 100, 200);
    for (text, wanted) in [
        ("attribute:tier == shared", Outcome::Moves),
        ("attribute:tier in [production, 'development']", Outcome::Stays(1)),
        ("not (attribute:tier == production) and attribute:ecs.os-type exists", Outcome::Moves),
        ("runningTasksCount > 3", Outcome::Unclear),
    ] {
        small.services[0].constraints = member(text);
        assert_eq!(small.outcome(), wanted, "{text}");
    }
    let port = Port { container: 80, host: 80, protocol: Protocol::Tcp };
    let mut small = Small::new(1, 100, 200);
    small.definitions[0].containers[0].ports = vec![port];
    assert_eq!(small.outcome(), Outcome::Moves);
    small.hosts[1].ports.push((80, Protocol::Tcp));
    assert_eq!(small.outcome(), Outcome::Stays(1));
}

#[test]
fn a_service_may_leave_and_be_short_and_two_may_want_the_same_room() {
    let mut small = Small::new(4, 50, 100);
    small.hosts[1].host.cpu_free = 0;
    assert_eq!(small.outcome(), Outcome::Short(1), "ECS stops what the fewest allow, room or not");
    let mut small = Small::new(1, 100, 200);
    small.hosts[1].host.cpu_free = 256;
    small.services.push(service("api", 1, 100, 200));
    small.definitions.push(definition("api", 256, 512));
    small.tasks.push(task("t/api", Some("api"), "a"));
    let verdict = small.judge();
    let outcomes: Vec<_> = verdict.services.iter().map(|one| one.outcome).collect();
    assert_eq!(outcomes, [Outcome::Unclear, Outcome::Unclear]);
    assert!(verdict.services[0].blockers.contains(&Blocker::Contested { others: 1 }));
    small.hosts[1].host.cpu_free = 512;
    assert!(small.judge().is_clean());
}

#[test]
fn protection_daemons_and_tasks_of_nobody() {
    let mut small = Small::new(2, 100, 200);
    small.protections.push(Protection { task: "t/0".into(), is_protected: true, until: None });
    assert_eq!(small.outcome(), Outcome::Stays(1));
    let mut small = Small::new(2, 100, 100);
    small.services[0].service.strategy = Some("DAEMON".into());
    small.tasks.push(task("t/alone", None, "a"));
    small.tasks.push(task("t/elsewhere", None, "b"));
    let verdict = small.judge();
    assert!(verdict.is_clean(), "a daemon leaves with its host");
    assert_eq!(verdict.standalone, ["t/alone".into()]);
    let mut small = Small::new(2, 100, 200);
    small.definitions.clear();
    assert_eq!(small.outcome(), Outcome::Unclear, "what was not read is not guessed");
}

proptest! {
    #[test]
    fn no_expression_makes_the_parser_panic(text in "[ a-z:()\\[\\],'\"=!~.0-9]{0,40}") {
        let _ = expression::holds(&text, &host("a", 1, 1));
    }
}
