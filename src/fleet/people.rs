//! Cores: what the registry and ECS say, put together, with the tenants that each has.

use super::health::Verdict;
use super::join::Span;
use super::lack::{Absence, absence, everywhere};
use super::rows::{InstanceRow, TargetRow, TaskRow};
use super::traffic::name_in;
use super::{Fleet, routing, tenants, words};
use crate::gateway::Source;
use crate::model::{
    Core, CoreId, CoreRecord, Drift, Gauge, Health, Home, InstanceId, InstanceState, Known, TargetState,
    Tenant, Text, Tier, TierName, WhyUnknown,
};
use crate::snapshot::{Part, Snapshot};
use std::collections::HashMap;
use std::sync::Arc;

/// Adds the cores and tenants of all parts. Reads the rows that the other sections became: a host, and a
/// tenant's core, may be in another part than the registry that names it.
pub(super) fn join(snapshot: &Snapshot, tiers: &[Tier], spans: &[Span], fleet: &mut Fleet) {
    let hosts: HashMap<&str, &InstanceRow> =
        fleet.instances.iter().map(|row| (row.it.id.as_str(), row)).collect();
    let mut cores = Vec::new();
    for (part, span) in snapshot.parts.iter().zip(spans) {
        let mut tasks = tasks_as_cores(part, tiers, span, fleet, &hosts);
        let mut at: HashMap<String, usize> =
            tasks.iter().enumerate().map(|(at, core)| (core.id.to_string(), at)).collect();
        for record in part.registry.value.iter().flat_map(|registry| &registry.cores) {
            // What runs as a task is one core, however many lists name it.
            match at.remove(record.id.as_str()).and_then(|at| tasks.get_mut(at)) {
                Some(core) => {
                    core.port = core.port.or(record.port);
                    core.version = core.version.take().or_else(|| version(record));
                }
                None => cores.push(registered(snapshot, part, tiers, &hosts, record)),
            }
        }
        cores.append(&mut tasks);
    }
    heed_balancers(fleet, &mut cores);
    words::heed(snapshot, &mut cores);
    words::heed_strangers(snapshot, &mut cores);
    routing::heed_versions(fleet, &mut cores);
    let mut tenants = tenants::join(snapshot, spans, fleet, &cores);
    words::heed_one_database(&mut tenants);
    routing::tell(snapshot, fleet, &tenants, &mut cores);
    let is_counted = everywhere(snapshot, &[Source::Registry]);
    count(tiers, &tenants, is_counted, &mut cores);
    fleet.cores = cores.into();
    fleet.tenants = tenants.into_iter().map(|(tenant, _)| tenant).collect();
}

/// A core that a load balancer finds unhealthy is not well, however well its host and its task are.
fn heed_balancers(fleet: &Fleet, cores: &mut [Core]) {
    let mut sick: HashMap<(&str, u16), &TargetRow> = HashMap::new();
    for row in fleet.targets.iter().filter(|row| row.it.state == TargetState::Unhealthy) {
        if let Some(port) = row.it.port {
            sick.insert((row.it.id.as_str(), port), row);
        }
    }
    for core in cores {
        let (Some(id), Some(port)) = (core.home.instance_id(), core.port) else { continue };
        let Some(row) = sick.get(&(id.as_str(), port)) else { continue };
        let group =
            row.group.as_ref().map_or_else(|| name_in(row.it.group.as_str()), |group| group.name.as_str());
        let why = row.it.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        core.health = core.health.max(Health::Bad);
        core.troubles.insert(0, format!("its load balancer finds it unhealthy in {group}{why}"));
    }
}

/// A core that the registry names: a docker container on an EC2 host.
fn registered(
    snapshot: &Snapshot,
    part: &Part,
    tiers: &[Tier],
    hosts: &HashMap<&str, &InstanceRow>,
    record: &CoreRecord,
) -> Core {
    let mut verdict = Verdict::default();
    let mut tier = record.tier.clone();
    let host = record.instance_id.as_ref().and_then(|id| hosts.get(id.as_str())).copied();
    let (cpu, credits) = meters(host);
    if let Some(name) = tier.as_ref()
        && !tiers.iter().any(|known| known.name == *name)
    {
        verdict.find(Health::Warn, format!("the registry puts it in tier {name}, which is not configured"));
    }
    match &record.instance_id {
        None => verdict.find(Health::Warn, "the registry names no host for it"),
        Some(id) => match hosts.get(id.as_str()) {
            Some(row) => {
                if tier.is_none() {
                    tier.clone_from(&row.tier);
                }
                on_host(row, &mut verdict);
            }
            None => match absence(&snapshot.parts, &[Source::Instances], part.registry.same_since) {
                Absence::Proven => verdict.find(Health::Bad, format!("its host {id} does not exist")),
                Absence::Older => verdict.find(
                    Health::Unknown,
                    format!("its host {id} was not there when instances were last listed"),
                ),
                Absence::Unread => verdict.note(Health::Unknown),
            },
        },
    }
    heed_drift(record.drift.as_ref(), &mut verdict);
    let (health, troubles) = verdict.end(Health::Unknown);
    Core {
        id: record.id.clone(),
        scope: Arc::clone(&part.scope),
        tier,
        home: Home::Container {
            instance_id: record.instance_id.clone(),
            container: record.container.clone(),
        },
        port: record.port,
        version: version(record),
        tenants: Known::No(WhyUnknown::Pending),
        room: Known::No(WhyUnknown::Pending),
        left: Known::No(WhyUnknown::Pending),
        cpu,
        credits,
        names: Known::No(WhyUnknown::Pending),
        drift: record.drift.clone(),
        word: Known::Yes(None),
        health,
        troubles,
    }
}

/// What was measured of a host: processor use, and credits left.
fn meters(host: Option<&InstanceRow>) -> (Known<Option<f64>>, Known<Option<f64>>) {
    let Some(row) = host else { return (Known::Yes(None), Known::Yes(None)) };
    let of = |gauge: Gauge| match &row.metrics {
        Known::Yes(Some(metrics)) => match metrics.series(gauge).last() {
            Some(point) => Known::Yes(Some(point.value)),
            None if metrics.asked.holds(gauge) => Known::Yes(None),
            None => Known::No(WhyUnknown::NotAsked),
        },
        Known::Yes(None) => Known::Yes(None),
        Known::No(why) => Known::No(*why),
    };
    (of(Gauge::Cpu), of(Gauge::Credits))
}

/// What differs from what an inventory saw is to be looked at; what it could not judge is said where it is listed.
pub(super) fn heed_drift(drift: Option<&Drift>, verdict: &mut Verdict) {
    if let Some(Drift { sort, why: Some(why), at }) = drift
        && sort.is_drift()
    {
        verdict.find(Health::Warn, format!("the inventory of {at:.0} differs: {why}"));
    }
}

/// What a core has from its host.
fn on_host(row: &InstanceRow, verdict: &mut Verdict) {
    let id = &row.it.id;
    match row.it.state {
        InstanceState::Running if row.health >= Health::Warn => {
            let why = row.troubles.first().map_or("unwell", String::as_str);
            verdict.find(row.health, format!("its host {id}: {why}"));
        }
        InstanceState::Running => verdict.note(row.health),
        InstanceState::Pending => verdict.find(Health::Busy, format!("its host {id} is starting")),
        InstanceState::Stopping => verdict.find(Health::Bad, format!("its host {id} is stopping")),
        InstanceState::Stopped => verdict.find(Health::Bad, format!("its host {id} is stopped")),
        InstanceState::ShuttingDown => {
            verdict.find(Health::Bad, format!("its host {id} is being terminated"));
        }
        InstanceState::Terminated => verdict.find(
            Health::Bad,
            format!("its host {id} was terminated, and the registry still names the core"),
        ),
        InstanceState::Unknown => {
            verdict.find(Health::Unknown, format!("its host {id} is in a state that coredeck does not know"));
        }
    }
}

/// A core's version as the registry tells it, or the tag of its image.
fn version(record: &CoreRecord) -> Option<Text> {
    record.version.clone().or_else(|| version_of(record.image.as_deref()?))
}

/// Tasks of services that fall into a tier: each is a core.
fn tasks_as_cores(
    part: &Part,
    tiers: &[Tier],
    span: &Span,
    fleet: &Fleet,
    hosts: &HashMap<&str, &InstanceRow>,
) -> Vec<Core> {
    let services: HashMap<(&str, &str), &TierName> = fleet.services[span.services()]
        .iter()
        .filter_map(|row| Some(((row.cluster.as_str(), row.it.name.as_str()), row.tier.as_ref()?)))
        .filter(|(_, name)| tiers.iter().any(|tier| tier.name == **name))
        .collect();
    let core = |row: &TaskRow| {
        let service = row.it.service()?;
        let tier = services.get(&(row.cluster.as_str(), service))?;
        let mut verdict = Verdict::default();
        verdict.note(row.health);
        for trouble in &row.troubles {
            verdict.find(row.health, trouble.clone());
        }
        let (health, troubles) = verdict.end(Health::Unknown);
        let instance_id = match &row.instance {
            Known::Yes(Some(id)) => Some(id.as_str().into()),
            _ => None,
        };
        let host = instance_id.as_ref().and_then(|id: &InstanceId| hosts.get(id.as_str())).copied();
        let (cpu, credits) = meters(host);
        Some(Core {
            id: CoreId::new(row.it.short_id()),
            scope: Arc::clone(&part.scope),
            tier: Some((*tier).clone()),
            home: Home::Task { task: row.it.arn.clone(), service: Text::new(service), instance_id },
            port: row.it.ports.first().copied(),
            version: row.it.images.first().and_then(|image| version_of(image)),
            tenants: Known::No(WhyUnknown::Pending),
            room: Known::No(WhyUnknown::Pending),
            left: Known::No(WhyUnknown::Pending),
            cpu,
            credits,
            names: Known::No(WhyUnknown::Pending),
            drift: None,
            word: Known::Yes(None),
            health,
            troubles,
        })
    };
    fleet.tasks[span.tasks()].iter().filter_map(core).collect()
}

/// The tag of a container image, which is the core's version: `…-postgresql:11.0.4` → `11.0.4`.
fn version_of(image: &str) -> Option<Text> {
    let (_, tag) = image.rsplit('/').next()?.split_once(':')?;
    tag.starts_with(|c: char| c.is_ascii_digit()).then(|| Text::new(tag))
}

/// Counts tenants per core, and the room that the tier's density leaves. Both are known once every registry
/// is: any may name a tenant of a core. That there are too many is known as soon as they are.
fn count(tiers: &[Tier], tenants: &[(Tenant, Option<usize>)], is_counted: Known<()>, cores: &mut [Core]) {
    let mut loads = vec![Load::default(); cores.len()];
    for (tenant, core) in tenants {
        if let Some(load) = core.and_then(|at| loads.get_mut(at)) {
            let is_development = tenant.mode.as_deref() == Some("development");
            *(if is_development { &mut load.development } else { &mut load.production }) += 1;
        }
    }
    for (core, load) in cores.iter_mut().zip(loads) {
        core.tenants = is_counted.map(|()| load.development + load.production);
        let tier = core.tier.as_ref().and_then(|name| tiers.iter().find(|tier| tier.name == *name));
        let room = tier.and_then(|tier| load.room(tier));
        core.room = match room {
            None => Known::Yes(None),
            room => is_counted.map(|()| room),
        };
        if let Some(over) = room.filter(|room| *room < 0) {
            core.health = core.health.max(Health::Warn);
            core.troubles.push(format!("{} tenants more than its tier allows", -over));
        }
    }
}

/// Tenants of one core, by what they use it for.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    development: u32,
    production: u32,
}

impl Load {
    /// Production tenants that still fit. A development tenant takes a part of a place, as the tier says.
    fn room(self, tier: &Tier) -> Option<i64> {
        let most = i64::from(tier.tenants_per_core?);
        let small = tier.development_tenants_per_core.map_or(most, i64::from).max(1);
        let used = i64::from(self.production) * small + i64::from(self.development) * most;
        Some((most * small - used).div_euclid(small))
    }
}
