//! The API on ECS: a mixed group behind a load balancer, a deployment under way, and one that never ends.

use super::docker::Balancers;
use crate::sim::builder::containers::{
    AGENT, NewService, cluster, definition, deployment_id, host, provider, service, tasks,
};
use crate::sim::builder::{Builder, DAY, HOUR, Images, Launch, NewGroup, kind, tag};
use crate::sim::world::balancing::{Act, Health};
use crate::sim::world::containers::Deployment;
use crate::sim::world::machine::State;
use crate::sim::world::scaling::{Mix, Override};
use compact_str::{CompactString, format_compact};

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
        overrides: ["m5.large", "m5a.large", "m5d.large"].map(Override::of).to_vec(),
        on_demand_base: 1,
        on_demand_percent: 20,
        spot_strategy: "price-capacity-optimized",
        ..Mix::default()
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
    let board_new = definition(
        fleet,
        ("dashboard", 9),
        &format!("{registry}/dashboard:1.5.0"),
        Some(8080),
        (256, 512),
        1,
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
            is_daemon: false,
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
            is_daemon: false,
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
            is_daemon: false,
        },
    );
    let router = definition(fleet, ("log-router", 3), "fluent/fluent-bit:4.0.3", None, (64, 128), 70);
    service(
        fleet,
        NewService {
            cluster: "api-prod",
            name: "log-router",
            definition: &router,
            desired: 8,
            percents: (0, 100),
            provider: None,
            target_group: None,
            tier: "",
            age: 66 * DAY,
            is_daemon: true,
        },
    );
    deploy(fleet, "api-prod", "auth-api", &api_new);
    stuck(fleet, &board_new);
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
    let id = deployment_id(fleet);
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
    let new = tasks(fleet, (cluster, service), definition, &id, &[150, 120, 90, 35]);
    let found = fleet.place.clusters.get_mut(cluster);
    if let Some(task) = found.and_then(|found| found.tasks.get_mut(new.last()?)) {
        task.status = "PENDING";
        task.health = "UNKNOWN";
        task.started = None;
    }
}

/// The service that can never deploy: one task, at least 50 %, at most 150 %.
fn stuck(fleet: &mut Builder, definition: &str) {
    let id = deployment_id(fleet);
    let begun = fleet.ago(18 * HOUR);
    let mut events = Vec::new();
    for age in [20 * 60, 6 * HOUR, 12 * HOUR] {
        let line = crate::sim::world::schedule::stuck_line("dashboard");
        events.push((fleet.uuid(), fleet.ago(age), line));
    }
    let found =
        fleet.place.clusters.get_mut("api-prod").and_then(|found| found.services.get_mut("dashboard"));
    let Some(service) = found else { return };
    service.events.splice(0..0, events);
    service.has_breaker = false;
    for old in &mut service.deployments {
        old.status = "ACTIVE";
    }
    let deployment = Deployment {
        reason: format_compact!("ECS deployment {id} in progress."),
        id,
        status: "PRIMARY",
        definition: definition.into(),
        desired: 1,
        failed: 0,
        created: begun,
        updated: begun,
        rollout: "IN_PROGRESS",
    };
    service.deployments.insert(0, deployment);
}

/// A spot instance that was taken back a few minutes ago.
fn interruption(fleet: &mut Builder, images: &Images) {
    let template =
        fleet.place.groups.get("api-mixed").map(|group| group.template.id.clone()).unwrap_or_default();
    let reservation = fleet.id("r");
    let taken = fleet.launch(Launch {
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
