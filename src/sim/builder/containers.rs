//! What the ECS side of the demo fleet is made with.

use super::{Builder, DAY, HOUR, tag};
use crate::sim::world::balancing::Health;
use crate::sim::world::containers::{Cluster, Definition, Deployment, Host, Provider, Service, Share, Task};
use crate::sim::world::placing::{candidates, choose};
use crate::sim::world::table::Table;
use compact_str::{CompactString, format_compact};

/// An agent of this year.
pub(in crate::sim) const AGENT: &str = "1.98.0";
/// An agent of last year.
pub(in crate::sim) const OLD_AGENT: &str = "1.89.3";

/// A service to be made.
pub(in crate::sim) struct NewService<'a> {
    pub(in crate::sim) cluster: &'a str,
    pub(in crate::sim) name: &'a str,
    pub(in crate::sim) definition: &'a str,
    pub(in crate::sim) desired: u32,
    pub(in crate::sim) percents: (u32, u32),
    pub(in crate::sim) provider: Option<&'a str>,
    pub(in crate::sim) target_group: Option<&'a str>,
    pub(in crate::sim) tier: &'a str,
    pub(in crate::sim) age: i64,
    /// One task on every host instead of a number of them.
    pub(in crate::sim) is_daemon: bool,
}

/// Makes a cluster.
pub(in crate::sim) fn cluster(fleet: &mut Builder, name: &str, providers: &[&str]) {
    let share = |name: &&str| Share { provider: CompactString::from(*name), weight: 1, base: 0 };
    let cluster = Cluster {
        name: name.into(),
        providers: providers.iter().copied().map(CompactString::from).collect(),
        strategy: providers.iter().take(1).map(share).collect(),
        has_insights: true,
        tags: vec![tag("fleet", &fleet.fleet)],
        services: Table::default(),
        tasks: Table::default(),
        hosts: Table::default(),
    };
    fleet.place.clusters.insert(name, cluster);
}

/// Makes a capacity provider over a group.
pub(in crate::sim) fn provider(fleet: &mut Builder, name: &str, group: &str, protects: bool) {
    let id = fleet.uuid();
    let provider = Provider {
        name: name.into(),
        id,
        group: group.into(),
        target: 90,
        protects,
        drains: true,
        tags: vec![tag("fleet", &fleet.fleet)],
    };
    fleet.place.providers.insert(name, provider);
}

/// Registers an instance with a cluster.
pub(in crate::sim) fn host(
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
        tags: vec![tag("fleet", &fleet.fleet)],
    };
    if let Some(cluster) = fleet.place.clusters.get_mut(cluster) {
        cluster.hosts.insert(id.clone(), host);
    }
    id
}

/// Registers a task definition and returns `family:revision`.
pub(in crate::sim) fn definition(
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
pub(in crate::sim) fn service(fleet: &mut Builder, new: NewService) {
    let deployment = Deployment {
        id: deployment_id(fleet),
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
        is_daemon: new.is_daemon,
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
        placement: if new.is_daemon {
            Vec::new()
        } else {
            vec![("spread", "attribute:ecs.availability-zone"), ("binpack", "cpu")]
        },
        grace: 60,
        created: fleet.ago(300 * DAY),
        tags: [tag("fleet", &fleet.fleet)].into_iter().chain(tier).collect(),
        deployments: vec![deployment],
        events,
    };
    if let Some(cluster) = fleet.place.clusters.get_mut(new.cluster) {
        cluster.services.insert(new.name, service);
    }
    let ages: Vec<i64> = (0..new.desired).map(|at| new.age - 30 - i64::from(at) * 7).collect();
    tasks(fleet, (new.cluster, new.name), new.definition, &started_by, &ages);
}

/// Starts tasks of a service (named with its cluster), one for each age, where ECS would put them;
/// registers them with the service's target group. Returns their ids.
pub(in crate::sim) fn tasks(
    fleet: &mut Builder,
    (cluster, service): (&str, &str),
    definition: &str,
    started_by: &str,
    ages: &[i64],
) -> Vec<CompactString> {
    let place = &fleet.place;
    let Some(found) = place.clusters.get(cluster) else { return Vec::new() };
    let Some(wanted) = place.definitions.get(definition).cloned() else { return Vec::new() };
    let Some(kept) = found.services.get(service) else { return Vec::new() };
    let provider = kept.strategy.first().map(|share| share.provider.clone());
    let group = kept.balancers.first().map(|(arn, _)| arn.clone());
    let is_daemon = kept.is_daemon;
    let mut hosts = candidates(place, found, kept);
    let mut started = Vec::new();
    for age in ages {
        let Some(chosen) = choose(&mut hosts, &wanted, is_daemon) else { break };
        let id = CompactString::from(fleet.dice.hex(32));
        let host_port = wanted.port.map(|_| 32_768 + u16::try_from(fleet.dice.below(28_000)).unwrap_or(0));
        let created = fleet.ago(*age);
        let row = Task {
            id: id.clone(),
            definition: definition.into(),
            service: Some(service.into()),
            started_by: started_by.into(),
            host: chosen.host,
            provider: provider.clone(),
            status: "RUNNING",
            wanted: "RUNNING",
            health: if wanted.port.is_some() { "HEALTHY" } else { "UNKNOWN" },
            zone: chosen.zone,
            host_port,
            created,
            started: Some(created.plus(11)),
            stopping: None,
            stopped: None,
            end: None,
        };
        if let Some(found) = fleet.place.clusters.get_mut(cluster) {
            found.tasks.insert(id.clone(), row);
        }
        if let (Some(group), Some(port)) = (&group, host_port) {
            fleet.target(group, &chosen.instance, port, Health::Healthy);
        }
        started.push(id);
    }
    started
}

/// A new deployment's id.
pub(in crate::sim) fn deployment_id(fleet: &mut Builder) -> CompactString {
    let number = fleet.dice.below(9_000_000_000_000_000_000) + 1_000_000_000_000_000_000;
    format_compact!("ecs-svc/{number}")
}
