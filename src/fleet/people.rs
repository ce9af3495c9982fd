//! Cores and tenants: what the registry, ECS and the listener rules say, put together.

use super::Fleet;
use super::health::Verdict;
use super::join::Marks;
use super::rows::{RuleRow, TaskRow};
use crate::model::{
    Core, CoreId, CoreRecord, Health, Home, InstanceState, Known, Tenant, TenantId, TenantRecord, Text, Tier,
    TierName,
};
use crate::snapshot::Part;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Adds the cores and tenants of one part. Reads the rows that its other sections became.
pub(super) fn join(part: &Part, tiers: &[Tier], from: Marks, fleet: &mut Fleet) {
    let mut cores = registered(part, tiers, from, fleet);
    cores.extend(tasks_as_cores(part, tiers, from, fleet));
    let tenants = tenants(part, from, fleet, &cores);
    count(tiers, &tenants, &mut cores);
    fleet.cores.append(&mut cores);
    fleet.tenants.extend(tenants);
}

/// Cores that the registry names: docker containers on EC2 hosts.
fn registered(part: &Part, tiers: &[Tier], from: Marks, fleet: &Fleet) -> Vec<Core> {
    let Some(registry) = &part.registry.value else { return Vec::new() };
    let hosts: HashMap<&str, usize> = fleet.instances[from.instances..]
        .iter()
        .enumerate()
        .map(|(at, row)| (row.it.id.as_str(), from.instances + at))
        .collect();
    let judge = |record: &CoreRecord, tier: &mut Option<TierName>| {
        let mut verdict = Verdict::default();
        if let Some(name) = tier.as_ref()
            && !tiers.iter().any(|known| known.name == *name)
        {
            verdict
                .find(Health::Warn, format!("the registry puts it in tier {name}, which is not configured"));
        }
        let Some(id) = &record.instance_id else {
            verdict.find(Health::Warn, "the registry names no host for it");
            return verdict.end(Health::Unknown);
        };
        match hosts.get(id.as_str()).map(|at| &fleet.instances[*at]) {
            Some(row) => {
                if tier.is_none() {
                    tier.clone_from(&row.tier);
                }
                if row.it.state != InstanceState::Running {
                    verdict.find(Health::Bad, format!("its host {id} is {}", row.it.state.word()));
                } else if row.health >= Health::Warn {
                    let why = row.troubles.first().map_or("unwell", String::as_str);
                    verdict.find(row.health, format!("its host {id}: {why}"));
                } else {
                    verdict.note(row.health);
                }
            }
            None if part.instances.is_whole => {
                verdict.find(Health::Bad, format!("its host {id} does not exist"));
            }
            None => {}
        }
        verdict.end(Health::Unknown)
    };
    registry
        .cores
        .iter()
        .map(|record| {
            let mut tier = record.tier.clone();
            let (health, troubles) = judge(record, &mut tier);
            Core {
                id: record.id.clone(),
                scope: Arc::clone(&part.scope),
                tier,
                home: Home::Container {
                    instance_id: record.instance_id.clone(),
                    container: record.container.clone(),
                },
                port: record.port,
                version: record.version.clone().or_else(|| version_of(record.image.as_deref()?)),
                tenants: 0,
                room: None,
                health,
                troubles,
            }
        })
        .collect()
}

/// Tasks of services that fall into a tier: each is a core.
fn tasks_as_cores(part: &Part, tiers: &[Tier], from: Marks, fleet: &Fleet) -> Vec<Core> {
    let services: HashMap<(&str, &str), &TierName> = fleet.services[from.services..]
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
        Some(Core {
            id: CoreId::new(row.it.short_id()),
            scope: Arc::clone(&part.scope),
            tier: Some((*tier).clone()),
            home: Home::Task { task: row.it.arn.clone(), service: Text::new(service), instance_id },
            port: row.it.ports.first().copied(),
            version: row.it.images.first().and_then(|image| version_of(image)),
            tenants: 0,
            room: None,
            health,
            troubles,
        })
    };
    fleet.tasks[from.tasks..].iter().filter_map(core).collect()
}

/// The tag of a container image, which is the core's version: `…-postgresql:11.0.4` → `11.0.4`.
fn version_of(image: &str) -> Option<Text> {
    let (_, tag) = image.rsplit('/').next()?.split_once(':')?;
    tag.starts_with(|c: char| c.is_ascii_digit()).then(|| Text::new(tag))
}

fn tenants(part: &Part, from: Marks, fleet: &Fleet, cores: &[Core]) -> Vec<Tenant> {
    let mut rules: Vec<&RuleRow> = fleet.rules[from.rules..].iter().collect();
    // The lowest number is tried first; `default` is no number and comes last.
    rules.sort_by_key(|row| row.it.priority.parse::<u32>().unwrap_or(u32::MAX));
    let mut by_host: HashMap<Text, &RuleRow> = HashMap::new();
    for row in rules {
        for host in &row.it.hosts {
            by_host.entry(host.to_lowercase()).or_insert(row);
        }
    }
    let by_id: HashMap<&str, &Core> = cores.iter().map(|core| (core.id.as_str(), core)).collect();
    let records = part.registry.value.iter().flat_map(|registry| &registry.tenants);
    let mut tenants: Vec<Tenant> =
        records.map(|record| registered_tenant(part, record, &by_host, &by_id)).collect();
    let named: HashSet<Text> =
        tenants.iter().filter_map(|tenant| Some(tenant.domain.as_ref()?.to_lowercase())).collect();
    let served: HashMap<&str, &TierName> = fleet.services[from.services..]
        .iter()
        .filter_map(|row| Some((row, row.tier.as_ref()?)))
        .flat_map(|(row, tier)| row.it.target_groups.iter().map(move |(arn, _, _)| (arn.as_str(), tier)))
        .collect();
    // A host name whose rule leads to a core service is a customer, whether or not the registry knows it.
    // Sorted, because a map's own order would shuffle the rows from one picture to the next.
    let mut strangers: Vec<(&Text, &&RuleRow)> =
        by_host.iter().filter(|(host, _)| !named.contains(*host)).collect();
    strangers.sort_by_key(|(host, _)| *host);
    for (host, row) in strangers {
        let tier = row.it.forwards.iter().find_map(|(arn, _)| served.get(arn.as_str()));
        let (Some(tier), false) = (tier, host.contains(['*', '?'])) else { continue };
        let mut verdict = Verdict::default();
        verdict.note(row.health);
        if part.registry.is_whole {
            verdict.find(Health::Warn, "has a rule but is not in the registry");
        }
        for trouble in &row.troubles {
            verdict.find(row.health, format!("its rule: {trouble}"));
        }
        let (health, troubles) = verdict.end(Health::Unknown);
        tenants.push(Tenant {
            id: TenantId::new(host),
            scope: Arc::clone(&part.scope),
            name: None,
            domain: Some(Text::new(host)),
            mode: None,
            core: None,
            tier: Some((*tier).clone()),
            rule: Some(row.it.arn.clone()),
            target_groups: row.it.forwards.iter().map(|(arn, _)| arn.clone()).collect(),
            health,
            troubles,
        });
    }
    tenants
}

fn registered_tenant(
    part: &Part,
    record: &TenantRecord,
    by_host: &HashMap<Text, &RuleRow>,
    by_id: &HashMap<&str, &Core>,
) -> Tenant {
    let mut verdict = Verdict::default();
    let core = record.core.as_ref().and_then(|id| by_id.get(id.as_str()));
    match (&record.core, core) {
        (Some(id), None) => verdict.find(Health::Bad, format!("its core {id} is not in the registry")),
        (None, _) => verdict.find(Health::Warn, "the registry names no core for it"),
        (_, Some(core)) if core.health >= Health::Warn => {
            let why = core.troubles.first().map_or("unwell", String::as_str);
            verdict.find(core.health, format!("its core {}: {why}", core.id));
        }
        (_, Some(core)) => verdict.note(core.health),
    }
    let rule = record.domain.as_ref().and_then(|domain| by_host.get(&domain.to_lowercase()));
    if let Some(row) = rule {
        verdict.note(row.health);
        for trouble in &row.troubles {
            verdict.find(row.health, format!("its rule: {trouble}"));
        }
    }
    let (health, troubles) = verdict.end(Health::Unknown);
    Tenant {
        id: record.id.clone(),
        scope: Arc::clone(&part.scope),
        name: record.name.clone(),
        domain: record.domain.clone(),
        mode: record.mode.clone(),
        core: record.core.clone(),
        tier: core.and_then(|core| core.tier.clone()),
        rule: rule.map(|row| row.it.arn.clone()),
        target_groups: rule
            .map_or_else(Vec::new, |row| row.it.forwards.iter().map(|(arn, _)| arn.clone()).collect()),
        health,
        troubles,
    }
}

/// Counts tenants per core, and the room that the tier's density leaves.
fn count(tiers: &[Tier], tenants: &[Tenant], cores: &mut [Core]) {
    let mut by_core: HashMap<&str, Load> = HashMap::new();
    for tenant in tenants {
        if let Some(id) = &tenant.core {
            let load = by_core.entry(id.as_str()).or_default();
            let is_development = tenant.mode.as_deref() == Some("development");
            *(if is_development { &mut load.development } else { &mut load.production }) += 1;
        }
    }
    for core in cores {
        let load = by_core.get(core.id.as_str()).copied().unwrap_or_default();
        core.tenants = load.development + load.production;
        let tier = core.tier.as_ref().and_then(|name| tiers.iter().find(|tier| tier.name == *name));
        core.room = tier.and_then(|tier| load.room(tier));
        if let Some(over) = core.room.filter(|room| *room < 0) {
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
