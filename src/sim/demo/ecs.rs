//! The ECS side of the fleet: the API over a mixed group, and arm64 workers.

use super::builder::{Builder, DAY, HOUR, Images, NewGroup, kind, tag};
use super::docker::Balancers;
use crate::sim::world::balancing::{Act, Health};
use crate::sim::world::containers::{Cluster, Definition, Deployment, Host, Provider, Service, Share, Task};
use crate::sim::world::machine::State;
use crate::sim::world::scaling::{Mix, Preferences, Refresh, Stage, TemplateChoice};
use crate::sim::world::table::Table;
use compact_str::{CompactString, format_compact};

const AGENT: &str = "1.98.0";
const OLD_AGENT: &str = "1.89.3";

/// A service to be made.
pub(super) struct NewService<'a> {
    pub(super) cluster: &'a str,
    pub(super) name: &'a str,
    pub(super) definition: &'a str,
    pub(super) desired: u32,
    pub(super) percents: (u32, u32),
    pub(super) provider: Option<&'a str>,
    pub(super) target_group: Option<&'a str>,
    pub(super) tier: &'a str,
    pub(super) age: i64,
}

/// Makes a cluster.
pub(super) fn cluster(fleet: &mut Builder, name: &str, providers: &[&str]) {
    let share = |name: &&str| Share { provider: CompactString::from(*name), weight: 1, base: 0 };
    let cluster = Cluster {
        name: name.into(),
        providers: providers.iter().copied().map(CompactString::from).collect(),
        strategy: providers.iter().take(1).map(share).collect(),
        has_insights: true,
        tags: vec![tag("fleet", "demo")],
        services: Table::default(),
        tasks: Table::default(),
        hosts: Table::default(),
    };
    fleet.place.clusters.insert(name, cluster);
}

/// Makes a capacity provider over a group.
pub(super) fn provider(fleet: &mut Builder, name: &str, group: &str, protects: bool) {
    let id = fleet.uuid();
    let provider = Provider {
        name: name.into(),
        id,
        group: group.into(),
        target: 90,
        protects,
        drains: true,
        tags: vec![tag("fleet", "demo")],
    };
    fleet.place.providers.insert(name, provider);
}

/// Registers an instance with a cluster.
pub(super) fn host(
    fleet: &mut Builder,
    cluster: &str,
    provider: &str,
    instance: &str,
    agent: &'static str,
) -> CompactString {
    let id = CompactString::from(fleet.dice.hex(32));
    let registered = fleet.place.instances.get(instance).map_or(fleet.now, |found| found.launched.plus(71));
    let host = Host {
        id: id.clone(),
        instance: instance.into(),
        status: "ACTIVE",
        is_connected: true,
        agent,
        docker: "25.0.8",
        provider: Some(provider.into()),
        registered,
        version: 12,
        tags: vec![tag("fleet", "demo")],
    };
    if let Some(cluster) = fleet.place.clusters.get_mut(cluster) {
        cluster.hosts.insert(id.clone(), host);
    }
    id
}

/// Registers a task definition and returns `family:revision`.
pub(super) fn definition(
    fleet: &mut Builder,
    name: (&str, u32),
    image: &str,
    port: Option<u16>,
    size: (u32, u32),
    age: i64,
) -> CompactString {
    let (family, revision) = name;
    let key = format_compact!("{family}:{revision}");
    let definition = Definition {
        family: family.into(),
        revision,
        container: family.into(),
        image: image.into(),
        port,
        cpu: size.0,
        memory: size.1,
        registered: fleet.ago(age * DAY),
        log_group: format_compact!("/ecs/{family}"),
        architecture: if family.ends_with("-worker") { "ARM64" } else { "X86_64" },
    };
    fleet.place.definitions.insert(key.clone(), definition);
    key
}

/// Makes a service with one finished deployment and its tasks running.
pub(super) fn service(fleet: &mut Builder, new: NewService) {
    let deployment = Deployment {
        id: format_compact!(
            "ecs-svc/{}",
            fleet.dice.below(9_000_000_000_000_000_000) + 1_000_000_000_000_000_000
        ),
        status: "PRIMARY",
        definition: new.definition.into(),
        desired: new.desired,
        failed: 0,
        created: fleet.ago(new.age),
        updated: fleet.ago(new.age - 190),
        rollout: "COMPLETED",
        reason: "ECS deployment completed.".into(),
    };
    let port = fleet.place.definitions.get(new.definition).and_then(|definition| definition.port);
    let steady = format!("(service {}) has reached a steady state.", new.name);
    let events = vec![
        (fleet.uuid(), fleet.ago(new.age.min(5 * HOUR) - 190), steady),
        (
            fleet.uuid(),
            fleet.ago(new.age - 200),
            format!("(service {}) (deployment {}) deployment completed.", new.name, deployment.id),
        ),
    ];
    let started_by = deployment.id.clone();
    let tier = (!new.tier.is_empty()).then(|| tag("tier", new.tier));
    let service = Service {
        name: new.name.into(),
        is_daemon: false,
        desired: new.desired,
        min: new.percents.0,
        max: new.percents.1,
        has_breaker: true,
        strategy: new
            .provider
            .map(|name| Share { provider: name.into(), weight: 1, base: 0 })
            .into_iter()
            .collect(),
        balancers: new.target_group.zip(port).map(|(arn, port)| (arn.into(), port)).into_iter().collect(),
        placement: vec![("spread", "attribute:ecs.availability-zone"), ("binpack", "cpu")],
        grace: 60,
        created: fleet.ago(300 * DAY),
        tags: [tag("fleet", "demo")].into_iter().chain(tier).collect(),
        deployments: vec![deployment],
        events,
    };
    if let Some(cluster) = fleet.place.clusters.get_mut(new.cluster) {
        cluster.services.insert(new.name, service);
    }
    for at in 0..new.desired {
        let age = new.age - 30 - i64::from(at) * 7;
        task(fleet, new.cluster, new.name, new.definition, &started_by, age);
    }
}

/// Starts a task on the host of the right provider that has room and holds the fewest; registers it with
/// the service's target group. Returns its id.
pub(super) fn task(
    fleet: &mut Builder,
    cluster: &str,
    service: &str,
    definition: &str,
    started_by: &str,
    age: i64,
) -> Option<CompactString> {
    let place = &fleet.place;
    let found = place.clusters.get(cluster)?;
    let wanted = place.definitions.get(definition)?;
    let kept = found.services.get(service)?;
    let provider = kept.strategy.first().map(|share| share.provider.clone());
    let mut best: Option<(u32, &Host, usize)> = None;
    for host in found.hosts.rows() {
        let suits =
            host.status == "ACTIVE" && host.is_connected && (provider.is_none() || host.provider == provider);
        let Some(instance) = place.instances.get(&host.instance).filter(|_| suits) else { continue };
        let held = found.held(&host.id, &place.definitions);
        let has_room = held.cpu + wanted.cpu <= instance.kind.vcpus() * 1024
            && held.memory + wanted.memory + 290 <= instance.kind.memory;
        let mine = found
            .tasks
            .rows()
            .filter(|task| task.host == host.id && task.service.as_deref() == Some(service));
        let rank = u32::try_from(mine.count()).unwrap_or(0) * 100 + held.running;
        if has_room && best.as_ref().is_none_or(|(least, _, _)| rank < *least) {
            best = Some((rank, host, instance.zone));
        }
    }
    let (_, host, zone) = best?;
    let (host_id, instance) = (host.id.clone(), host.instance.clone());
    let group = kept.balancers.first().map(|(arn, _)| arn.clone());
    let port = wanted.port;
    let id = CompactString::from(fleet.dice.hex(32));
    let host_port = port.map(|_| 32_768 + u16::try_from(fleet.dice.below(28_000)).unwrap_or(0));
    let created = fleet.ago(age);
    let row = Task {
        id: id.clone(),
        definition: definition.into(),
        service: Some(service.into()),
        started_by: started_by.into(),
        host: host_id,
        provider,
        status: "RUNNING",
        wanted: "RUNNING",
        health: if port.is_some() { "HEALTHY" } else { "UNKNOWN" },
        zone,
        host_port,
        created,
        started: Some(created.plus(11)),
        stopping: None,
        stopped: None,
        end: None,
    };
    fleet.place.clusters.get_mut(cluster)?.tasks.insert(id.clone(), row);
    if let (Some(group), Some(port)) = (group, host_port) {
        fleet.target(&group, &instance, port, Health::Healthy);
    }
    Some(id)
}

/// The API: cluster, mixed group of on-demand base 1 then 20/80, services behind a load balancer.
pub(super) fn api(fleet: &mut Builder, images: &Images, balancers: &Balancers) {
    let template = fleet.template(
        "api-node",
        Some("m5.large"),
        4,
        &[
            (&images.ecs_old, "", 51),
            (&images.ecs_old, "spot draining on", 40),
            (&images.ecs_old, "container stop timeout 1m", 33),
            (&images.ecs, "AMI of November", 9),
        ],
    );
    let mix = Mix {
        overrides: vec![("m5.large".into(), None), ("m5a.large".into(), None), ("m5d.large".into(), None)],
        on_demand_base: 1,
        on_demand_percent: 20,
        spot_strategy: "price-capacity-optimized",
    };
    fleet.group(NewGroup {
        name: "api-mixed",
        template: &template,
        version: 4,
        mix: Some(mix),
        sizes: (3, 8, 12),
        age: 610,
        tier: "api",
        target_groups: Vec::new(),
    });
    if let Some(group) = fleet.place.groups.get_mut("api-mixed") {
        group.protects_new = true;
        group.rebalances_capacity = true;
    }
    provider(fleet, "api-mixed", "api-mixed", true);
    cluster(fleet, "api-prod", &["api-mixed"]);
    let members = [
        ("m5.large", 8 * DAY, false),
        ("m5.large", 8 * DAY, false),
        ("m5.large", 8 * DAY, false),
        ("m5a.large", 3 * DAY, true),
        ("m5.large", 31 * HOUR, true),
        ("m5a.large", 31 * HOUR, true),
        ("m5d.large", 5 * HOUR, true),
        ("m5d.large", 26 * 60, true),
    ];
    let mut hosts = Vec::new();
    for (name, age, is_spot) in members {
        let instance = fleet.member("api-mixed", kind(name), 4, age, is_spot, 34.0);
        hosts.push(host(fleet, "api-prod", "api-mixed", &instance, AGENT));
    }
    let core_group = fleet.target_group("auth-core", 3567, "/hello");
    let api_group = fleet.target_group("auth-api", 3000, "/healthz");
    fleet.rule(
        &balancers.api,
        Some(10),
        &["auth.example.com".to_owned()],
        Act::Forward(vec![(core_group.clone(), 1)]),
    );
    fleet.rule(
        &balancers.api,
        Some(20),
        &["api.example.com".to_owned()],
        Act::Forward(vec![(api_group.clone(), 1)]),
    );
    let core = definition(
        fleet,
        ("auth-core", 17),
        "supertokens/supertokens-postgresql:11.0.4",
        Some(3567),
        (256, 768),
        8,
    );
    let registry = format!("{}.dkr.ecr.{}.amazonaws.com", fleet.place.account, fleet.place.region);
    let api_old = definition(
        fleet,
        ("auth-api", 41),
        &format!("{registry}/auth-api:2.18.3"),
        Some(3000),
        (256, 512),
        6,
    );
    let api_new = definition(
        fleet,
        ("auth-api", 42),
        &format!("{registry}/auth-api:2.19.0"),
        Some(3000),
        (256, 512),
        0,
    );
    let board = definition(
        fleet,
        ("dashboard", 8),
        &format!("{registry}/dashboard:1.4.0"),
        Some(8080),
        (256, 512),
        90,
    );
    service(
        fleet,
        NewService {
            cluster: "api-prod",
            name: "auth-core",
            definition: &core,
            desired: 6,
            percents: (100, 200),
            provider: Some("api-mixed"),
            target_group: Some(&core_group),
            tier: "shared",
            age: 7 * DAY,
        },
    );
    service(
        fleet,
        NewService {
            cluster: "api-prod",
            name: "auth-api",
            definition: &api_old,
            desired: 8,
            percents: (75, 150),
            provider: Some("api-mixed"),
            target_group: Some(&api_group),
            tier: "api",
            age: 6 * DAY,
        },
    );
    service(
        fleet,
        NewService {
            cluster: "api-prod",
            name: "dashboard",
            definition: &board,
            desired: 1,
            percents: (50, 150),
            provider: Some("api-mixed"),
            target_group: None,
            tier: "",
            age: 88 * DAY,
        },
    );
    deploy(fleet, "api-prod", "auth-api", &api_new);
    stuck(fleet);
    let agentless = hosts.get(5).cloned().unwrap_or_default();
    if let Some(cluster) = fleet.place.clusters.get_mut("api-prod")
        && let Some(host) = cluster.hosts.get_mut(&agentless)
    {
        host.is_connected = false;
    }
    if let Some(target) =
        fleet.place.target_groups.get_mut(&core_group).and_then(|group| group.targets.get_mut(2))
    {
        target.health = Health::Failing("500");
    }
    interruption(fleet, images);
}

/// A deployment that is under way: three new tasks run, one is coming, five old ones are left.
fn deploy(fleet: &mut Builder, cluster: &str, service: &str, definition: &str) {
    let id = format_compact!(
        "ecs-svc/{}",
        fleet.dice.below(9_000_000_000_000_000_000) + 1_000_000_000_000_000_000
    );
    let (begun, updated) = (fleet.ago(170), fleet.ago(35));
    let event =
        (fleet.uuid(), fleet.ago(35), format!("(service {service}) has started 1 tasks: (task starting)."));
    let Some(found) = fleet.place.clusters.get_mut(cluster) else { return };
    let Some(row) = found.services.get_mut(service) else { return };
    let desired = row.desired;
    for old in &mut row.deployments {
        old.status = "ACTIVE";
        old.desired = 5;
    }
    row.deployments.insert(
        0,
        Deployment {
            id: id.clone(),
            status: "PRIMARY",
            definition: definition.into(),
            desired,
            failed: 0,
            created: begun,
            updated,
            rollout: "IN_PROGRESS",
            reason: format_compact!("ECS deployment {id} in progress."),
        },
    );
    row.events.insert(0, event);
    let mut stopped = 0;
    let ids: Vec<CompactString> =
        found.tasks.rows().filter(|t| t.service.as_deref() == Some(service)).map(|t| t.id.clone()).collect();
    let (stopping, ended) = (fleet.now.minus(80), fleet.now.minus(49));
    for old in ids.iter().take(3) {
        if let Some(task) = found.tasks.get_mut(old) {
            stopped += 1;
            task.wanted = "STOPPED";
            task.stopping = Some(stopping.plus(stopped));
            task.status = "STOPPED";
            task.stopped = Some(ended.plus(stopped));
            let reason = format_compact!("Scaling activity initiated by (deployment {id})");
            task.end = Some(("ServiceSchedulerInitiated", reason, Some(0)));
        }
    }
    let gone: Vec<u16> = ids.iter().take(3).filter_map(|id| found.tasks.get(id)?.host_port).collect();
    let group = found.services.get(service).and_then(|row| row.balancers.first()).map(|(arn, _)| arn.clone());
    let until = fleet.now.plus(220);
    if let Some(group) = group.and_then(|arn| fleet.place.target_groups.get_mut(&arn)) {
        for target in group.targets.iter_mut().filter(|target| gone.contains(&target.port)) {
            target.health = Health::Draining(until);
        }
    }
    for age in [150, 120, 90] {
        task(fleet, cluster, service, definition, &id, age);
    }
    if let Some(coming) = task(fleet, cluster, service, definition, &id, 35)
        && let Some(task) =
            fleet.place.clusters.get_mut(cluster).and_then(|found| found.tasks.get_mut(&coming))
    {
        task.status = "PENDING";
        task.health = "UNKNOWN";
        task.started = None;
    }
}

/// The service that can never deploy: one task, at least 50 %, at most 150 %.
fn stuck(fleet: &mut Builder) {
    let mut events = Vec::new();
    for age in [20 * 60, 6 * HOUR, 12 * HOUR] {
        events.push((fleet.uuid(), fleet.ago(age),
            "(service dashboard) was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.".to_owned()));
    }
    let Some(service) =
        fleet.place.clusters.get_mut("api-prod").and_then(|c| c.services.get_mut("dashboard"))
    else {
        return;
    };
    service.events.splice(0..0, events);
    service.has_breaker = false;
}

/// A spot instance that was taken back a few minutes ago.
fn interruption(fleet: &mut Builder, images: &Images) {
    let template =
        fleet.place.groups.get("api-mixed").map(|group| group.template.id.clone()).unwrap_or_default();
    let reservation = fleet.id("r");
    let taken = fleet.launch(super::builder::Launch {
        kind: kind("m5a.large"),
        zone: 2,
        image: &images.ecs,
        age: 4 * DAY,
        reservation: &reservation,
        index: 0,
        is_spot: true,
        busy: 30.0,
        has_agent: true,
        tags: vec![
            tag("Name", "api-mixed"),
            tag("tier", "api"),
            tag("fleet", "demo"),
            tag("aws:autoscaling:groupName", "api-mixed"),
            tag("aws:ec2launchtemplate:id", &template),
            tag("aws:ec2launchtemplate:version", "4"),
        ],
    });
    let since = fleet.ago(29 * 60);
    fleet.alter(&taken, |instance| {
        instance.state = State::Terminated;
        instance.state_since = since;
        instance.state_reason = Some(("Server.SpotInstanceTermination", "Spot instance termination".into()));
    });
    fleet.activity("api-mixed", 30 * 60, "Successful", (
        &format!("Terminating EC2 instance: {taken}"),
        "an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped.",
        None,
    ));
    fleet.activity(
        "api-mixed",
        26 * 60,
        "Successful",
        (
            "Launching a new EC2 instance",
            "an instance was launched in response to an unhealthy instance needing to be replaced.",
            None,
        ),
    );
    fleet.activity("api-mixed", 27 * 60, "Failed", (
        "Launching a new EC2 instance.  Status Reason: Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity available that matches your request. Launching EC2 instance failed.",
        "an instance was launched in response to an unhealthy instance needing to be replaced.",
        Some("Could not launch Spot Instances. InsufficientInstanceCapacity - There is no Spot capacity available that matches your request. Launching EC2 instance failed."),
    ));
}

/// Workers on arm64: m7g.large, and r7g.xlarge in the middle of a refresh that protected instances hold up.
pub(super) fn workers(fleet: &mut Builder, images: &Images) {
    let light = fleet.template("worker-light", Some("m7g.large"), 1, &[(&images.ecs_arm, "", 10)]);
    let heavy = fleet.template(
        "worker-heavy",
        Some("r7g.xlarge"),
        1,
        &[(&images.ecs_arm_old, "", 50), (&images.ecs_arm, "AMI of November", 1)],
    );
    cluster(fleet, "workers-prod", &["workers-m7g", "workers-r7g"]);
    for (name, template, version, sizes) in
        [("workers-m7g", &light, 1, (2, 4, 8)), ("workers-r7g", &heavy, 1, (4, 6, 12))]
    {
        fleet.group(NewGroup {
            name,
            template,
            version,
            mix: None,
            sizes,
            age: 220,
            tier: "workers",
            target_groups: Vec::new(),
        });
        if let Some(group) = fleet.place.groups.get_mut(name) {
            group.protects_new = name == "workers-r7g";
        }
        provider(fleet, name, name, name == "workers-r7g");
    }
    for age in [9 * DAY, 9 * DAY, 9 * DAY, 4 * DAY] {
        let instance = fleet.member("workers-m7g", kind("m7g.large"), 1, age, false, 41.0);
        host(fleet, "workers-prod", "workers-m7g", &instance, AGENT);
    }
    let ages = [44 * DAY, 44 * DAY, 44 * DAY, 44 * DAY, 52 * 60, 33 * 60];
    for (at, age) in ages.into_iter().enumerate() {
        let (version, agent) = if at < 4 { (1, OLD_AGENT) } else { (2, AGENT) };
        let instance = fleet.member("workers-r7g", kind("r7g.xlarge"), version, age, false, 57.0);
        let host = host(fleet, "workers-prod", "workers-r7g", &instance, agent);
        if at == 3
            && let Some(cluster) = fleet.place.clusters.get_mut("workers-prod")
            && let Some(host) = cluster.hosts.get_mut(&host)
        {
            host.status = "DRAINING";
        }
    }
    refresh(fleet, &heavy);
    let image = format!("{}.dkr.ecr.{}.amazonaws.com", fleet.place.account, fleet.place.region);
    let webhook = definition(
        fleet,
        ("webhook-worker", 23),
        &format!("{image}/webhook-worker:3.2.1"),
        None,
        (512, 1024),
        12,
    );
    let email = definition(
        fleet,
        ("email-worker", 9),
        &format!("{image}/email-worker:1.9.0"),
        None,
        (1024, 12288),
        30,
    );
    service(
        fleet,
        NewService {
            cluster: "workers-prod",
            name: "webhook-worker",
            definition: &webhook,
            desired: 6,
            percents: (100, 200),
            provider: Some("workers-m7g"),
            target_group: None,
            tier: "workers",
            age: 8 * DAY,
        },
    );
    service(
        fleet,
        NewService {
            cluster: "workers-prod",
            name: "email-worker",
            definition: &email,
            desired: 5,
            percents: (50, 100),
            provider: Some("workers-r7g"),
            target_group: None,
            tier: "workers",
            age: 11 * HOUR,
        },
    );
}

fn refresh(fleet: &mut Builder, template: &str) {
    let (finished, begun) = (fleet.ago(50 * DAY), fleet.ago(61 * 60));
    let (older, newer) = (fleet.uuid(), fleet.uuid());
    let Some(group) = fleet.place.groups.get_mut("workers-r7g") else { return };
    let preferences = Preferences {
        min: 90,
        max: Some(110),
        warmup: Some(120),
        checkpoints: vec![20, 50, 100],
        checkpoint_delay: Some(600),
        skips_matching: true,
        rolls_back: true,
        protected: "Wait",
        standby: "Ignore",
        alarms: vec!["auth-api-5xx".into()],
        bake: 0,
    };
    let choice =
        TemplateChoice { id: template.into(), name: group.template.name.clone(), version: "2".into() };
    // What could have been refreshed before it met protected instances and stands by.
    if let Some(member) = group.members.get_mut(2) {
        member.stage = Stage::Standby;
        member.is_protected = false;
    }
    group.refreshes.push(Refresh {
        id: older,
        status: "Successful",
        reason: None,
        started: Some(finished),
        ended: Some(finished.plus(1500)),
        percent: 100,
        remaining: 0,
        preferences: Preferences { checkpoints: Vec::new(), checkpoint_delay: None, ..preferences.clone() },
        desired: None,
    });
    let held: Vec<&str> = group
        .members
        .iter()
        .filter(|member| member.is_protected && member.version == 1)
        .map(|member| member.instance.as_str())
        .collect();
    let reason = format_compact!(
        "Waiting for instances to not be protected from scale in before continuing. For example: {} is protected.",
        held.first().copied().unwrap_or_default()
    );
    group.refreshes.push(Refresh {
        id: newer,
        status: "InProgress",
        reason: Some(reason),
        started: Some(begun),
        ended: None,
        percent: 33,
        remaining: 4,
        preferences,
        desired: Some(choice),
    });
}
