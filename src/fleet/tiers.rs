//! Sums per tier: how many, how well, how much room, and how evenly spread.

use super::Fleet;
use super::rows::TierRow;
use crate::gateway::Source;
use crate::model::{Health, InstanceState, Known, Lifecycle, Text, Tier, TierName, WhyUnknown};
use crate::snapshot::Snapshot;
use std::collections::{BTreeMap, HashMap};

/// One row per configured tier, and a last one for what falls into none (left out when nothing does).
pub(super) fn sum(snapshot: &Snapshot, tiers: &[Tier], fleet: &Fleet) -> Vec<TierRow> {
    let registry = reading(snapshot, Source::Registry);
    // A tier that nothing was found in is well only when somebody looked.
    let empty =
        if reading(snapshot, Source::Instances).yes().is_some() { Health::Ok } else { Health::Unknown };
    let mut sums: Vec<Sum> = tiers.iter().map(|tier| Sum::new(Some(tier.name.clone()))).collect();
    sums.push(Sum::new(None));
    let at: HashMap<&str, usize> =
        tiers.iter().enumerate().map(|(at, tier)| (tier.name.as_str(), at)).collect();
    let find = |name: &Option<TierName>| {
        name.as_ref().and_then(|name| at.get(name.as_str()).copied()).unwrap_or(tiers.len())
    };
    for row in &fleet.instances {
        let sum = &mut sums[find(&row.tier)];
        if row.it.state != InstanceState::Running {
            continue;
        }
        sum.instances += 1;
        sum.spot += u32::from(row.it.lifecycle == Lifecycle::Spot);
        sum.by_health[place(row.health)] += 1;
        *sum.zones.entry(Text::new(row.it.zone.as_str())).or_default() += 1;
        sum.hear(row.health, || row.it.id.to_string(), &row.troubles);
    }
    for row in &fleet.groups {
        let sum = &mut sums[find(&row.tier)];
        sum.groups += 1;
        sum.hear(row.health, || format!("group {}", row.it.name), &row.troubles);
    }
    for row in &fleet.services {
        let sum = &mut sums[find(&row.tier)];
        sum.services += 1;
        sum.hear(row.health, || format!("service {}", row.it.name), &row.troubles);
    }
    // What a core has from its host, and a tenant from its core, is said once, by the one that is the cause.
    let hosts: HashMap<&str, Health> =
        fleet.instances.iter().map(|row| (row.it.id.as_str(), row.health)).collect();
    let mut cores: HashMap<&str, Health> = HashMap::new();
    for core in &fleet.cores {
        let sum = &mut sums[find(&core.tier)];
        sum.cores += 1;
        let host = core.home.instance_id().and_then(|id| hosts.get(id.as_str()));
        let troubles = if host.is_some_and(|host| *host >= core.health) { &[] } else { &core.troubles[..] };
        sum.hear(core.health, || format!("core {}", core.id), troubles);
        cores.insert(core.id.as_str(), core.health);
    }
    for tenant in &fleet.tenants {
        let sum = &mut sums[find(&tenant.tier)];
        sum.tenants += 1;
        let core = tenant.core.as_ref().and_then(|id| cores.get(id.as_str()));
        let troubles =
            if core.is_some_and(|core| *core >= tenant.health) { &[] } else { &tenant.troubles[..] };
        sum.hear(tenant.health, || format!("tenant {}", tenant.id), troubles);
    }
    let mut rows: Vec<TierRow> = sums
        .into_iter()
        .map(|sum| {
            let tier = sum.name.as_ref().and_then(|name| tiers.iter().find(|tier| tier.name == *name));
            sum.end(registry, empty, tier)
        })
        .collect();
    if rows.last().is_some_and(|row| row.name.is_none() && row.is_empty()) {
        rows.pop();
    }
    rows
}

impl TierRow {
    /// Tells whether nothing at all falls into it.
    pub fn is_empty(&self) -> bool {
        self.instances == 0
            && self.groups == 0
            && self.services == 0
            && self.cores.yes().unwrap_or(0) == 0
            && self.tenants.yes().unwrap_or(0) == 0
    }
}

/// Whether a source was read in every part; a sum over parts that are partly unknown is unknown.
fn reading(snapshot: &Snapshot, source: Source) -> Known<()> {
    let mut worst = if snapshot.parts.is_empty() { Known::No(WhyUnknown::Pending) } else { Known::Yes(()) };
    for part in &snapshot.parts {
        let standing = part.standing(source);
        if standing.as_of.is_none() {
            worst = Known::No(match (standing.trouble, standing.is_asked) {
                (Some(_), _) => WhyUnknown::Trouble,
                (None, true) => WhyUnknown::Pending,
                (None, false) => WhyUnknown::NotAsked,
            });
        }
    }
    worst
}

fn place(health: Health) -> usize {
    match health {
        Health::Ok => 0,
        Health::Busy => 1,
        Health::Unknown => 2,
        Health::Warn => 3,
        Health::Bad => 4,
    }
}

struct Sum {
    name: Option<TierName>,
    instances: u32,
    by_health: [u32; 5],
    spot: u32,
    groups: u32,
    services: u32,
    cores: u32,
    tenants: u32,
    zones: BTreeMap<Text, u32>,
    health: Option<Health>,
    troubles: Vec<(Health, String)>,
}

impl Sum {
    fn new(name: Option<TierName>) -> Self {
        Self {
            name,
            instances: 0,
            by_health: [0; 5],
            spot: 0,
            groups: 0,
            services: 0,
            cores: 0,
            tenants: 0,
            zones: BTreeMap::new(),
            health: None,
            troubles: Vec::new(),
        }
    }

    /// Notes how one thing fares. Its own first trouble stands for it; a tier is no place for a list.
    fn hear(&mut self, health: Health, who: impl FnOnce() -> String, troubles: &[String]) {
        self.health = Some(self.health.map_or(health, |worst| worst.max(health)));
        if health >= Health::Warn
            && let Some(first) = troubles.first()
        {
            self.troubles.push((health, format!("{}: {first}", who())));
        }
    }

    fn end(mut self, registry: Known<()>, empty: Health, tier: Option<&Tier>) -> TierRow {
        self.troubles.sort_by_key(|(health, _)| std::cmp::Reverse(*health));
        let core_room = Known::Yes(
            tier.and_then(|tier| tier.cores_per_host).map(|each| self.instances.saturating_mul(each)),
        );
        TierRow {
            name: self.name,
            instances: self.instances,
            by_health: self.by_health,
            spot: self.spot,
            groups: self.groups,
            services: self.services,
            cores: registry.map(|()| self.cores),
            core_room,
            tenants: registry.map(|()| self.tenants),
            zones: self.zones.into_iter().collect(),
            health: self.health.unwrap_or(empty),
            troubles: self.troubles.into_iter().map(|(_, sentence)| sentence).collect(),
        }
    }
}
