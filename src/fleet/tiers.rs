//! Sums per tier: how many, how well, how much room, and how evenly spread.

use super::Fleet;
use super::lack::everywhere;
use super::rows::{Bearer, InstanceRow, TierRow, TierTrouble};
use crate::gateway::Source;
use crate::model::{Health, Home, InstanceState, Known, Lifecycle, Scope, Text, Tier, TierName, WhyUnknown};
use crate::snapshot::Snapshot;
use std::collections::{BTreeMap, HashMap};

/// What cores are counted from; those that no record puts into a tier fall into their host's.
const CORES: [Source; 6] =
    [Source::Registry, Source::Clusters, Source::Services, Source::Tasks, Source::Instances, Source::Groups];

/// What tenants are counted from: they fall into the tier of their core, or of the service behind their rule.
const TENANTS: [Source; 7] = [
    Source::Registry,
    Source::Clusters,
    Source::Services,
    Source::Tasks,
    Source::Instances,
    Source::Groups,
    Source::Rules,
];

/// What must be known of a tier before it is called well. Cores and tenants say themselves whether they are.
const JUDGED: [Source; 4] = [Source::Instances, Source::Groups, Source::Clusters, Source::Services];

/// What to do where the registry names no core.
pub const INVENTORY: &str =
    "`coredeck inventory diff` asks the hosts what runs there, `coredeck inventory sync` enters it";

/// How a core begins to say what it has from its host.
const OF_HOST: &str = "its host ";

/// Which sums are known.
#[derive(Clone, Copy)]
struct Read {
    cores: Known<()>,
    tenants: Known<()>,
    instances: Known<()>,
    is_judged: bool,
    /// The registry names no core at all, so nothing tells what runs on docker hosts.
    is_bare: bool,
}

/// One row per configured tier, and a last one for what falls into none (left out when nothing does).
pub(super) fn sum(snapshot: &Snapshot, tiers: &[Tier], fleet: &Fleet) -> Vec<TierRow> {
    let known = Read {
        cores: everywhere(snapshot, &CORES),
        tenants: everywhere(snapshot, &TENANTS),
        instances: everywhere(snapshot, &[Source::Instances]),
        is_judged: everywhere(snapshot, &JUDGED).yes().is_some(),
        is_bare: snapshot.names_no_core(),
    };
    let mut sums: Vec<Sum> = tiers.iter().map(|tier| Sum::new(Some(tier.name.clone()))).collect();
    sums.push(Sum::new(None));
    let at: HashMap<&str, usize> =
        tiers.iter().enumerate().map(|(at, tier)| (tier.name.as_str(), at)).collect();
    let find = |name: &Option<TierName>| {
        name.as_ref().and_then(|name| at.get(name.as_str()).copied()).unwrap_or(tiers.len())
    };
    // Names repeat over accounts and regions: with more than one, each sentence says where.
    let many = snapshot.parts.len() > 1;
    let at_home = |scope: &Scope| if many { format!("{scope} ") } else { String::new() };
    for row in &fleet.instances {
        let sum = &mut sums[find(&row.tier)];
        if row.it.state != InstanceState::Running {
            continue;
        }
        sum.instances += 1;
        sum.docker_hosts += u32::from(!matches!(row.host, Known::Yes(Some(_))));
        sum.spot += u32::from(row.it.lifecycle == Lifecycle::Spot);
        sum.by_health[place(row.health)] += 1;
        *sum.zones.entry(Text::new(row.it.zone.as_str())).or_default() += 1;
        *sum.types.entry(Text::new(row.it.instance_type.as_str())).or_default() += 1;
        sum.hear(
            Bearer::Instance,
            row.health,
            || format!("{}{}", at_home(&row.scope), row.it.id),
            &row.troubles,
        );
    }
    for row in &fleet.groups {
        let sum = &mut sums[find(&row.tier)];
        sum.groups += 1;
        sum.hear(
            Bearer::Group,
            row.health,
            || format!("{}group {}", at_home(&row.scope), row.it.name),
            &row.troubles,
        );
    }
    for row in &fleet.services {
        let sum = &mut sums[find(&row.tier)];
        sum.services += 1;
        sum.hear(
            Bearer::Service,
            row.health,
            || format!("{}service {}", at_home(&row.scope), row.it.name),
            &row.troubles,
        );
    }
    // What a core has from its host, and a tenant from its core, is said once, by the one that is the cause.
    let hosts: HashMap<&str, &InstanceRow> =
        fleet.instances.iter().map(|row| (row.it.id.as_str(), row)).collect();
    let mut cores: HashMap<&str, Health> = HashMap::new();
    for core in &fleet.cores {
        let tier = find(&core.tier);
        let sum = &mut sums[tier];
        sum.cores += 1;
        let host = core.home.instance_id().and_then(|id| hosts.get(id.as_str()));
        let runs = |host: &&&InstanceRow| host.it.state == InstanceState::Running && find(&host.tier) == tier;
        let is_adrift = matches!(core.home, Home::Container { .. }) && host.filter(runs).is_none();
        sum.adrift += u32::from(is_adrift);
        // A host that does not run is not heard above, so what a core says of it is said nowhere else.
        let is_said = host.is_some_and(|host| {
            host.it.state == InstanceState::Running
                && host.health >= core.health
                && core.troubles.first().is_none_or(|first| first.starts_with(OF_HOST))
        });
        let troubles = if is_said { &[] } else { &core.troubles[..] };
        sum.hear(Bearer::Core, core.health, || format!("{}core {}", at_home(&core.scope), core.id), troubles);
        // Ids repeat over accounts and regions: a core that is well hides no trouble.
        let least = cores.entry(core.id.as_str()).or_insert(core.health);
        *least = core.health.min(*least);
    }
    for tenant in &fleet.tenants {
        let sum = &mut sums[find(&tenant.tier)];
        sum.tenants += 1;
        let core = tenant.core.as_ref().and_then(|id| cores.get(id.as_str()));
        let troubles =
            if core.is_some_and(|core| *core >= tenant.health) { &[] } else { &tenant.troubles[..] };
        sum.hear(
            Bearer::Tenant,
            tenant.health,
            || format!("{}tenant {}", at_home(&tenant.scope), tenant.id),
            troubles,
        );
    }
    let mut rows: Vec<TierRow> = sums
        .into_iter()
        .map(|sum| {
            let tier = sum.name.as_ref().and_then(|name| tiers.iter().find(|tier| tier.name == *name));
            sum.end(known, tier)
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
            && self.troubles.is_empty()
    }
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
    /// Those among them that ECS does not know of.
    docker_hosts: u32,
    by_health: [u32; 5],
    spot: u32,
    groups: u32,
    services: u32,
    cores: u32,
    adrift: u32,
    tenants: u32,
    zones: BTreeMap<Text, u32>,
    types: BTreeMap<Text, u32>,
    health: Option<Health>,
    troubles: Vec<TierTrouble>,
}

impl Sum {
    fn new(name: Option<TierName>) -> Self {
        Self {
            name,
            instances: 0,
            docker_hosts: 0,
            by_health: [0; 5],
            spot: 0,
            groups: 0,
            services: 0,
            cores: 0,
            adrift: 0,
            tenants: 0,
            zones: BTreeMap::new(),
            types: BTreeMap::new(),
            health: None,
            troubles: Vec::new(),
        }
    }

    /// Notes how one thing fares. Its own first trouble stands for it; a tier is no place for a list.
    fn hear(&mut self, of: Bearer, health: Health, who: impl FnOnce() -> String, troubles: &[String]) {
        self.health = Some(self.health.map_or(health, |worst| worst.max(health)));
        if health >= Health::Warn
            && let Some(first) = troubles.first()
        {
            self.troubles.push(TierTrouble { of, health, says: format!("{}: {first}", who()) });
        }
    }

    fn end(mut self, known: Read, tier: Option<&Tier>) -> TierRow {
        // A customer who is out comes before a machine that is not well.
        let is_out =
            |it: &TierTrouble| it.health == Health::Bad && matches!(it.of, Bearer::Core | Bearer::Tenant);
        self.troubles.sort_by_key(|it| std::cmp::Reverse((it.health, is_out(it))));
        let core_room = match tier.and_then(|tier| tier.cores_per_host) {
            Some(each) => known.instances.map(|()| Some(self.instances.saturating_mul(each))),
            None => Known::Yes(None),
        };
        let health = self.health.unwrap_or(Health::Ok);
        // Docker hosts of a tier are there for cores. Where no entry names any, that there are none was not counted:
        // nobody has asked the hosts.
        let is_uncounted = known.is_bare && self.name.is_some() && self.docker_hosts > 0;
        let counted = |sum: Known<()>, count: u32| match sum {
            Known::Yes(()) if is_uncounted => Known::No(WhyUnknown::NotAsked),
            sum => sum.map(|()| count),
        };
        TierRow {
            name: self.name,
            instances: self.instances,
            by_health: self.by_health,
            spot: self.spot,
            groups: self.groups,
            services: self.services,
            cores: counted(known.cores, self.cores),
            adrift: if known.instances.yes().is_some() { self.adrift } else { 0 },
            core_room,
            tenants: counted(known.tenants, self.tenants),
            zones: self.zones.into_iter().collect(),
            types: self.types.into_iter().collect(),
            // What is broken is broken, but a tier that was read in part is not well.
            health: if known.is_judged { health } else { health.max(Health::Unknown) },
            troubles: self.troubles,
        }
    }
}
