//! Random clusters, drained here and judged there: what the verdict of `fleet::drain` says before anything is
//! done is what the scheduler then does, over hours of pretended time.

use super::builder::Builder;
use super::demo;
use super::dice::Dice;
use super::time::Moment;
use super::world::containers::{Cluster, Definition, Service, Task};
use super::world::place::Place;
use super::world::placing::KEPT_MEMORY;
use crate::fleet::drain::{Outcome, Scene, Verdict, will_it_move};
use crate::model;
use crate::model::{HostArn, HostDetail, Protocol, ServiceDetail, Tags};
use compact_str::{CompactString, format_compact};
use std::collections::BTreeMap;
use std::sync::Arc;

const CASES: u64 = 1_500;
const CLUSTER: &str = "prop";

/// One of each, to make others of.
struct Samples {
    place: Place,
    cluster: Cluster,
    service: Service,
    task: Task,
    host: super::world::containers::Host,
    instance: super::world::machine::Instance,
    definition: Definition,
}

impl Samples {
    fn new(now: Moment) -> Self {
        let account: Arc<str> = "123456789012".into();
        let mut builder = Builder::new(Place::empty(1, &account, "us-east-1"), now, 1);
        demo::fill(&mut builder);
        let place = builder.place;
        let found = place.clusters.rows().find(|cluster| {
            cluster.tasks.rows().any(|task| task.service.is_some() && task.status == "RUNNING")
        });
        let found = found.unwrap().clone();
        let task =
            found.tasks.rows().find(|task| task.service.is_some() && task.status == "RUNNING").unwrap();
        let host = found.hosts.get(&task.host).unwrap().clone();
        let service = found.services.get(task.service.as_deref().unwrap()).unwrap().clone();
        let instance = place.instances.get(&host.instance).unwrap().clone();
        let definition = place.definitions.get(&task.definition).unwrap().clone();
        Self { cluster: found.clone(), service, task: task.clone(), host, instance, definition, place }
    }
}

/// A number of 0 to `end` − 1.
fn below(dice: &mut Dice, end: u64) -> u32 {
    u32::try_from(dice.below(end)).unwrap()
}

/// A place with one cluster: a few hosts, a few services with their tasks where they fit.
fn made(samples: &Samples, case: u64, now: Moment) -> Place {
    let mut dice = Dice::new(case, "clusters");
    let mut place = Place::empty(case, &samples.place.account, "us-east-1");
    let mut cluster = Cluster {
        name: CLUSTER.into(),
        providers: Vec::new(),
        strategy: Vec::new(),
        services: super::world::table::Table::default(),
        tasks: super::world::table::Table::default(),
        hosts: super::world::table::Table::default(),
        ..samples.cluster.clone()
    };
    let mut free: Vec<(CompactString, u32, u32, usize)> = Vec::new();
    for n in 0..2 + dice.below(4) {
        let (host, id) = (format_compact!("h{n}"), format_compact!("i-{n}"));
        let zone = usize::try_from(dice.below(3)).unwrap();
        let instance = super::world::machine::Instance { id: id.clone(), zone, ..samples.instance.clone() };
        let (cpu, memory) = (instance.kind.vcpus() * 1024, instance.kind.memory - KEPT_MEMORY);
        place.instances.insert(id.clone(), instance);
        let row = super::world::containers::Host {
            id: host.clone(),
            instance: id,
            status: "ACTIVE",
            is_connected: true,
            provider: None,
            ..samples.host.clone()
        };
        cluster.hosts.insert(host.clone(), row);
        free.push((host, cpu, memory, zone));
    }
    for n in 0..1 + dice.below(3) {
        let name = format_compact!("s{n}");
        let is_daemon = dice.below(7) == 0;
        let sizes = [128, 256, 512, 1024, 1536];
        let size = |dice: &mut Dice| if is_daemon { 64 } else { *dice.pick(&sizes).unwrap() };
        let definition = Definition {
            family: name.clone(),
            revision: 1,
            port: (dice.below(2) == 0).then_some(3567),
            cpu: size(&mut dice),
            memory: size(&mut dice),
            ..samples.definition.clone()
        };
        let desired = if is_daemon { u32::try_from(free.len()).unwrap() } else { 1 + below(&mut dice, 5) };
        let mut placed = 0;
        for n in 0..desired {
            let start = if is_daemon { n } else { below(&mut dice, free.len() as u64) };
            let count = free.len();
            let fits = |at: &usize| {
                let (_, cpu, memory, _) = &free[*at];
                *cpu >= definition.cpu && *memory >= definition.memory
            };
            // A daemon has one task a host, and none where the host is full.
            let reach = if is_daemon { 1 } else { count };
            let Some(at) = (0..reach).map(|step| (start as usize + step) % count).find(fits) else {
                continue;
            };
            let (host, cpu, memory, zone) = &mut free[at];
            (*cpu, *memory) = (*cpu - definition.cpu, *memory - definition.memory);
            let id = CompactString::from(dice.hex(32));
            let task = Task {
                id: id.clone(),
                definition: format_compact!("{name}:1"),
                service: Some(name.clone()),
                started_by: format_compact!("ecs-svc/{name}"),
                host: host.clone(),
                provider: None,
                status: "RUNNING",
                wanted: "RUNNING",
                health: if definition.port.is_some() { "HEALTHY" } else { "UNKNOWN" },
                zone: *zone,
                host_port: definition.port.map(|_| 33_000 + u16::try_from(cluster.tasks.len()).unwrap()),
                created: now.minus(7200),
                started: Some(now.minus(7000)),
                ..samples.task.clone()
            };
            cluster.tasks.insert(id, task);
            placed += 1;
        }
        let mut deployments = samples.service.deployments.clone();
        deployments.truncate(1);
        for one in &mut deployments {
            one.id = format_compact!("ecs-svc/{name}");
            one.definition = format_compact!("{name}:1");
            (one.desired, one.status, one.rollout) = (placed, "PRIMARY", "COMPLETED");
        }
        let service = Service {
            name: name.clone(),
            is_daemon,
            desired: placed,
            min: *dice.pick(&[0, 50, 75, 100]).unwrap(),
            max: *dice.pick(&[100, 125, 150, 200]).unwrap(),
            strategy: Vec::new(),
            balancers: Vec::new(),
            deployments,
            events: Vec::new(),
            ..samples.service.clone()
        };
        place.definitions.insert(format_compact!("{name}:1"), definition);
        cluster.services.insert(name, service);
    }
    place.clusters.insert(CLUSTER, cluster);
    place
}

fn arn(host: &str) -> HostArn {
    HostArn::from(format!("arn:h/{host}"))
}

/// The cluster as reads would tell it.
fn verdict(place: &Place, leaving: &[&str]) -> Verdict {
    let cluster = place.clusters.get(CLUSTER).unwrap();
    let holdings = cluster.holdings(&place.definitions);
    let hosts: Vec<HostDetail> = cluster
        .hosts
        .rows()
        .map(|host| {
            let kind = place.instances.get(&host.instance).unwrap().kind;
            let held = holdings.get(host.id.as_str()).cloned().unwrap_or_default();
            let (cpu, memory) = (kind.vcpus() * 1024, kind.memory - KEPT_MEMORY);
            let registration = model::Registration {
                cluster: CLUSTER.into(),
                status: host.status.into(),
                is_connected: host.is_connected,
                cpu_total: cpu,
                memory_total: memory,
                ..model::Registration::default()
            };
            let instance = Some(host.instance.as_str().into());
            let it = model::Host {
                running_tasks: held.running,
                pending_tasks: held.pending,
                cpu_free: cpu - held.cpu,
                memory_free: memory - held.memory,
                ..model::Host::new(arn(&host.id), instance, registration)
            };
            let ports = held.ports.into_iter().map(|port| (port, Protocol::Tcp)).collect();
            HostDetail { host: it, attributes: Vec::new(), ports, gpus_free: 0 }
        })
        .collect();
    let service = |one: &Service| ServiceDetail {
        service: model::Service {
            arn: format!("arn:s/{}", one.name).into(),
            name: one.name.clone(),
            cluster: CLUSTER.into(),
            status: "ACTIVE".into(),
            desired: one.desired,
            running: one.desired,
            pending: 0,
            task_definition: format_compact!("{}:1", one.name),
            launch_type: Some("EC2".into()),
            strategy: Some(if one.is_daemon { "DAEMON" } else { "REPLICA" }.into()),
            min_percent: Some(one.min),
            max_percent: Some(one.max),
            deployments: Vec::new(),
            events: Vec::new(),
            target_groups: Vec::new(),
            providers: Vec::new(),
            created_at: None,
            tags: Tags::default(),
        },
        constraints: Vec::new(),
        grace_s: None,
        controller: None,
        rebalances: false,
    };
    let task = |one: &Task| model::Task {
        arn: one.id.as_str().into(),
        cluster: CLUSTER.into(),
        task_definition: one.definition.clone(),
        group: one.service.as_ref().map(|name| format_compact!("service:{name}")),
        started_by: Some(one.started_by.clone()),
        last_status: one.status.into(),
        desired_status: one.wanted.into(),
        health: Some(one.health.into()),
        host: Some(arn(&one.host)),
        zone: None,
        launch_type: None,
        cpu: None,
        memory: None,
        created_at: None,
        started_at: None,
        stopped_at: None,
        stopped_reason: None,
        ports: one.host_port.into_iter().collect(),
        images: Vec::new(),
        tags: Tags::default(),
    };
    let definition = |one: &Definition| model::Definition {
        name: format_compact!("{}:{}", one.family, one.revision),
        cpu: Some(one.cpu),
        memory: Some(one.memory),
        ..model::Definition::default()
    };
    let services: Vec<ServiceDetail> = cluster.services.rows().map(service).collect();
    let tasks: Vec<model::Task> = cluster.tasks.rows().map(task).collect();
    let definitions: Vec<model::Definition> = place.definitions.rows().map(definition).collect();
    let scene = Scene {
        hosts: &hosts,
        services: &services,
        tasks: &tasks,
        definitions: &definitions,
        protections: &[],
        leavings: &[],
    };
    let leaving: Vec<HostArn> = leaving.iter().map(|host| arn(host)).collect();
    will_it_move(&scene, &leaving)
}

/// How a service ended: tasks left on the hosts that drain, and tasks that are missing elsewhere.
fn ended(place: &Place, name: &str, leaving: &[&str]) -> (u32, u32) {
    let cluster = place.clusters.get(CLUSTER).unwrap();
    let service = cluster.services.get(name).unwrap();
    let mine = cluster.tasks.rows().filter(|task| task.service.as_deref() == Some(name) && task.is_active());
    let (mut left, mut good) = (0, 0);
    for task in mine.filter(|task| task.wanted != "STOPPED") {
        if leaving.contains(&task.host.as_str()) { left += 1 } else { good += 1 }
    }
    (left, service.desired.saturating_sub(good))
}

#[test]
fn the_verdict_on_a_drain_is_what_the_scheduler_does() {
    let now = Moment::read("2026-10-01T12:00:00Z").unwrap();
    let samples = Samples::new(now);
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for case in 0..CASES {
        let mut place = made(&samples, case, now);
        let hosts: Vec<CompactString> =
            place.clusters.get(CLUSTER).unwrap().hosts.rows().map(|host| host.id.clone()).collect();
        let count = 1 + usize::from(hosts.len() > 2 && case % 3 == 0);
        let leaving: Vec<&str> = hosts.iter().take(count).map(CompactString::as_str).collect();
        let verdict = verdict(&place, &leaving);
        place.wake(now);
        let cluster = place.clusters.get_mut(CLUSTER).unwrap();
        for host in &leaving {
            cluster.hosts.get_mut(host).unwrap().status = "DRAINING";
        }
        place.wake_services(CLUSTER);
        place.advance(now.plus(3 * 3600));
        for moving in &verdict.services {
            let (left, missing) = ended(&place, &moving.name, &leaving);
            let service = place.clusters.get(CLUSTER).unwrap().services.get(&moving.name).unwrap();
            // A daemon that lacked a place on some host before still does.
            let missing = if service.is_daemon { 0 } else { missing };
            let (word, is_right) = match moving.outcome {
                Outcome::Moves => ("moves", (left, missing) == (0, 0)),
                Outcome::Short(short) => ("short", (left, missing) == (0, short)),
                Outcome::Stays(stays) => ("stays", left == stays && stays > 0),
                Outcome::Unclear => ("unclear", true),
            };
            *seen.entry(word).or_default() += 1;
            assert!(
                is_right,
                "case {case}, {}: {} tasks, {} to {} %: {moving:?}, but {left} are left and {missing} missing: {:?}",
                moving.name,
                service.desired,
                service.min,
                service.max,
                service.events.first()
            );
        }
    }
    // Were one of them never met, nothing would be said of it; were most unclear, the verdict would be idle.
    let of = |word: &str| seen.get(word).copied().unwrap_or(0);
    assert!(of("moves") > 300 && of("stays") > 100 && of("short") > 20, "{seen:?}");
    assert!(of("unclear") * 5 < of("moves") + of("stays") + of("short"), "{seen:?}");
}
