//! Where ECS puts tasks: the hosts of the right provider, what they hold, and the one that is chosen.

use super::containers::{Cluster, Definition, Held, Service};
use super::machine::State;
use super::place::Place;
use super::table::Table;
use compact_str::CompactString;
use std::collections::HashMap;

/// What an ECS host keeps of its memory for itself, MiB.
pub(crate) const KEPT_MEMORY: u32 = 290;

/// A host that may take tasks of a service.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) host: CompactString,
    pub(crate) instance: CompactString,
    pub(crate) zone: usize,
    /// Tasks of the same service on it.
    mine: u32,
    tasks: u32,
    cpu: u32,
    memory: u32,
}

/// The hosts that may take tasks of a service now, with what is free on them.
pub(crate) fn candidates(place: &Place, cluster: &Cluster, service: &Service) -> Vec<Candidate> {
    let provider = service.strategy.first().map(|share| &share.provider);
    let holdings = cluster.holdings(&place.definitions);
    let mut mine: HashMap<&str, u32> = HashMap::new();
    for task in
        cluster.tasks.rows().filter(|task| task.is_active() && task.service.as_ref() == Some(&service.name))
    {
        *mine.entry(&task.host).or_default() += 1;
    }
    let nothing = Held::default();
    let open = |host: &&super::containers::Host| {
        host.status == "ACTIVE"
            && host.is_connected
            && provider.is_none_or(|name| host.provider.as_ref() == Some(name))
    };
    // A daemon has one task on each host.
    let has_place =
        |host: &&super::containers::Host| !service.is_daemon || !mine.contains_key(host.id.as_str());
    cluster
        .hosts
        .rows()
        .filter(open)
        .filter(has_place)
        .filter_map(|host| {
            let instance =
                place.instances.get(&host.instance).filter(|found| found.state == State::Running)?;
            let held = holdings.get(host.id.as_str()).unwrap_or(&nothing);
            Some(Candidate {
                host: host.id.clone(),
                instance: host.instance.clone(),
                zone: instance.zone,
                mine: mine.get(host.id.as_str()).copied().unwrap_or(0),
                tasks: held.running + held.pending,
                cpu: (instance.kind.vcpus() * 1024).saturating_sub(held.cpu),
                memory: instance.kind.memory.saturating_sub(KEPT_MEMORY + held.memory),
            })
        })
        .collect()
}

/// Chooses a host for one more task and takes what it needs from it: spread over zones and hosts first,
/// then where most is running already. None when nothing has room.
pub(crate) fn choose(
    candidates: &mut [Candidate],
    wanted: &Definition,
    is_daemon: bool,
) -> Option<Candidate> {
    let mut zones: Vec<u32> = Vec::new();
    for one in candidates.iter() {
        if zones.len() <= one.zone {
            zones.resize(one.zone + 1, 0);
        }
        if let Some(sum) = zones.get_mut(one.zone) {
            *sum += one.mine;
        }
    }
    let mut best: Option<((u32, u32, u32), usize)> = None;
    for (at, one) in candidates.iter().enumerate() {
        let rank = (zones.get(one.zone).copied().unwrap_or(0), one.mine, u32::MAX - one.tasks);
        let is_free = !is_daemon || one.mine == 0;
        let fits = is_free && one.cpu >= wanted.cpu && one.memory >= wanted.memory;
        if fits && best.is_none_or(|(least, _)| rank < least) {
            best = Some((rank, at));
        }
    }
    let (_, best) = best?;
    let chosen = candidates.get_mut(best)?;
    chosen.mine += 1;
    chosen.tasks += 1;
    chosen.cpu -= wanted.cpu;
    chosen.memory -= wanted.memory;
    Some(chosen.clone())
}

impl Cluster {
    /// What the tasks of this cluster hold, by host.
    pub(crate) fn holdings(&self, definitions: &Table<Definition>) -> HashMap<&str, Held> {
        let mut all: HashMap<&str, Held> = HashMap::new();
        for task in self.tasks.rows().filter(|task| task.is_active()) {
            let held = all.entry(task.host.as_str()).or_default();
            match task.status {
                "RUNNING" => held.running += 1,
                "PROVISIONING" | "PENDING" | "ACTIVATING" => held.pending += 1,
                _ => {}
            }
            if let Some(definition) = definitions.get(&task.definition) {
                held.cpu += definition.cpu;
                held.memory += definition.memory;
            }
            held.ports.extend(task.host_port);
        }
        all
    }
}
