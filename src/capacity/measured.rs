//! What was measured of a tier's hosts, and how densely each instance type of it is filled.

use crate::fleet::{Fleet, InstanceRow};
use crate::model::{Core, Gauge, InstanceState, InstanceType, Known, TierName};
use std::collections::BTreeMap;

/// What CloudWatch said of some hosts, at their latest points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Hosts that were measured.
    pub hosts: u32,
    /// Percent of their processors in use, on average.
    pub cpu: f64,
    /// Percent of the busiest one's.
    pub cpu_most: f64,
    /// CPU credits of the one that has fewest; none where no host is of a type that has credits.
    pub credits: Option<f64>,
}

/// Memory that tasks reserved, and that hosts have, MiB: of hosts that ECS knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Reserved.
    pub used: u64,
    /// Registered.
    pub most: u64,
}

/// How densely one instance type is filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Density {
    /// The type.
    pub kind: InstanceType,
    /// Running hosts of it.
    pub hosts: u32,
    /// Cores on them.
    pub cores: u32,
    /// Cores on the fullest.
    pub cores_most: u32,
    /// Tenants of those cores; none where not all registries were read.
    pub tenants: Option<u32>,
    /// What was measured of them.
    pub measured: Option<Measured>,
}

/// What was measured of hosts; none where nothing was.
pub(super) fn measured<'a>(hosts: impl Iterator<Item = &'a InstanceRow>) -> Option<Measured> {
    let mut cpu: Vec<f64> = Vec::new();
    let mut credits: Option<f64> = None;
    for row in hosts {
        let Known::Yes(Some(metrics)) = &row.metrics else { continue };
        cpu.extend(metrics.series(Gauge::Cpu).last().map(|point| point.value));
        if let Some(point) = metrics.series(Gauge::Credits).last() {
            credits = Some(credits.map_or(point.value, |least| least.min(point.value)));
        }
    }
    let hosts = u32::try_from(cpu.len()).unwrap_or(u32::MAX);
    let most = cpu.iter().copied().fold(0.0, f64::max);
    (hosts > 0).then(|| Measured {
        hosts,
        cpu: cpu.iter().sum::<f64>() / f64::from(hosts),
        cpu_most: most,
        credits,
    })
}

/// Memory of hosts that ECS knows; none where it knows none of them.
pub(super) fn memory<'a>(hosts: impl Iterator<Item = &'a InstanceRow>) -> Option<Memory> {
    let mut sum = Memory::default();
    for row in hosts {
        let Known::Yes(Some(host)) = &row.host else { continue };
        sum.most += u64::from(host.memory_total);
        sum.used += u64::from(host.memory_total.saturating_sub(host.memory_free));
    }
    (sum.most > 0).then_some(sum)
}

/// The running instances of a tier.
pub(super) fn hosts<'a>(fleet: &'a Fleet, tier: &'a TierName) -> impl Iterator<Item = &'a InstanceRow> {
    let runs = |row: &&InstanceRow| row.it.state == InstanceState::Running;
    fleet.instances.iter().filter(move |row| row.tier.as_ref() == Some(tier)).filter(runs)
}

/// How densely each instance type of a tier is filled, by type.
pub(super) fn densities(fleet: &Fleet, tier: &TierName, mine: &[&Core]) -> Vec<Density> {
    let mut on: BTreeMap<&str, (u32, Option<u32>)> = BTreeMap::new();
    for core in mine {
        let Some(host) = core.home.instance_id() else { continue };
        let (cores, tenants) = on.entry(host.as_str()).or_insert((0, Some(0)));
        *cores += 1;
        *tenants = tenants.zip(core.tenants.yes()).map(|(sum, own)| sum + own);
    }
    let mut kinds: BTreeMap<&InstanceType, Vec<&InstanceRow>> = BTreeMap::new();
    for row in hosts(fleet, tier) {
        kinds.entry(&row.it.instance_type).or_default().push(row);
    }
    let density = |(kind, rows): (&InstanceType, Vec<&InstanceRow>)| {
        let held: Vec<(u32, Option<u32>)> =
            rows.iter().map(|row| on.get(row.it.id.as_str()).copied().unwrap_or((0, Some(0)))).collect();
        Density {
            kind: kind.clone(),
            hosts: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            cores: held.iter().map(|(cores, _)| cores).sum(),
            cores_most: held.iter().map(|(cores, _)| *cores).max().unwrap_or(0),
            tenants: held.iter().map(|(_, tenants)| *tenants).sum(),
            measured: measured(rows.into_iter()),
        }
    };
    kinds.into_iter().map(density).collect()
}
