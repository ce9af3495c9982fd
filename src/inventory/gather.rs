//! What was seen: hosts with their answers, cores with where they were found, and tenants.

use super::answer::{Container, HostAnswer, parse};
use super::entry::{Entry, Part};
use super::tenants::{self, TenantSeen};
use crate::fleet::{Fleet, InstanceRow};
use crate::model::{CoreId, Home, InstanceId, InstanceState, Known, Scope, Text, TierName};
use crate::snapshot::Snapshot;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What a host said when it was asked, or why it said nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// What it printed, or what kept it from that.
    pub printed: Result<String, String>,
    /// When that was known.
    pub at: Timestamp,
}

/// A host and what came of asking it.
#[derive(Clone, Debug, PartialEq)]
pub struct HostSeen {
    /// Where.
    pub scope: Scope,
    /// Which.
    pub id: InstanceId,
    /// What people call it.
    pub name: Option<Text>,
    /// Its tier.
    pub tier: Option<TierName>,
    /// Containers that it named, whatever they are; or why nobody knows.
    pub containers: Result<usize, String>,
    /// It answered, and not with all that it has.
    pub is_cut: bool,
    /// It does not run, so that there is nobody to ask.
    pub is_down: bool,
}

/// Where a core was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Docker on its host said so.
    Docker,
    /// It is a task of an ECS service.
    Ecs,
}

impl Found {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Ecs => "ecs",
        }
    }
}

/// A core that was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct CoreSeen {
    /// Its id: its label's, its entry's, or its container's name.
    pub id: CoreId,
    /// Where.
    pub scope: Scope,
    /// Its host.
    pub instance_id: Option<InstanceId>,
    /// Its container's name.
    pub container: Option<Text>,
    /// Its image.
    pub image: Option<Text>,
    /// Its version, as the image's tag says.
    pub version: Option<Text>,
    /// Its port on the host.
    pub port: Option<u16>,
    /// The path that its calls stand below, where it was started with one.
    pub base_path: Option<Text>,
    /// Its tier, as a label or its host says.
    pub tier: Option<TierName>,
    /// `running`, `exited`, …
    pub state: Text,
    /// When it was last started.
    pub started_at: Option<Timestamp>,
    /// MiB that it may use.
    pub memory_mib: Option<u64>,
    /// Thousandths of a processor that it may use.
    pub cpu_millis: Option<u64>,
    /// What said so.
    pub found: Found,
    /// When.
    pub at: Timestamp,
}

impl CoreSeen {
    /// Whether it runs.
    pub fn runs(&self) -> bool {
        self.state.eq_ignore_ascii_case("running")
    }
}

/// Everything that was seen.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Docker hosts.
    pub hosts: Vec<HostSeen>,
    /// Cores.
    pub cores: Vec<CoreSeen>,
    /// Tenants.
    pub tenants: Vec<TenantSeen>,
    /// What was not looked at, and why.
    pub notes: Vec<String>,
    /// Cores whose whole list of domains is known, with those domains in lower case.
    pub told: BTreeMap<CoreId, BTreeSet<Text>>,
    /// Instances that exist; none where not all were read.
    pub instances: Option<BTreeSet<InstanceId>>,
    /// Domains that a rule leads somewhere; none where not all rules were read.
    pub routed: Option<BTreeSet<Text>>,
}

/// The docker hosts of a fleet: those that run and can be asked, and those that cannot, with the reason. A host is
/// one that falls into a tier and is in no ECS cluster, or one that the registry names.
pub fn candidates(fleet: &Fleet, entries: &[Entry]) -> (Vec<(Scope, InstanceId)>, Vec<HostSeen>) {
    let named: BTreeSet<&str> = entries
        .iter()
        .filter(|entry| entry.part == Part::Cores)
        .filter_map(|entry| entry.text("instance_id"))
        .collect();
    let (mut asked, mut others) = (Vec::new(), Vec::new());
    for row in &fleet.instances {
        let is_of_ecs = matches!(&row.host, Known::Yes(Some(_)));
        let is_meant = named.contains(row.it.id.as_str()) || (row.tier.is_some() && !is_of_ecs);
        if !is_meant || row.it.state.is_gone() {
            continue;
        }
        match silence(row) {
            None => asked.push(((*row.scope).clone(), row.it.id.clone())),
            Some(why) => others.push(HostSeen { containers: Err(why), ..host(row) }),
        }
    }
    (asked, others)
}

/// Why a host cannot be asked; none when it can.
fn silence(row: &InstanceRow) -> Option<String> {
    if row.it.state != InstanceState::Running {
        return Some(format!("it is {}", row.it.state.word()));
    }
    match &row.agent {
        Known::Yes(Some(agent)) if agent.ping == "Online" => None,
        Known::Yes(Some(agent)) => {
            let since = agent.last_ping_at.map(|at| format!(", last heard at {at:.0}")).unwrap_or_default();
            Some(format!("its Systems Manager agent is offline ({}{since})", agent.ping))
        }
        Known::Yes(None) => Some("Systems Manager does not manage it".to_owned()),
        Known::No(_) => Some("whether Systems Manager manages it could not be read".to_owned()),
    }
}

fn host(row: &InstanceRow) -> HostSeen {
    HostSeen {
        scope: (*row.scope).clone(),
        id: row.it.id.clone(),
        name: row.it.name().map(Text::new),
        tier: row.tier.clone(),
        containers: Ok(0),
        is_cut: false,
        is_down: row.it.state != InstanceState::Running,
    }
}

/// Puts together what was seen. `told` holds every host that was asked.
pub fn gather(
    fleet_name: &str,
    snapshot: &Snapshot,
    fleet: &Fleet,
    entries: &[Entry],
    told: &BTreeMap<(Scope, InstanceId), Told>,
) -> Observed {
    let (_, mut hosts) = candidates(fleet, entries);
    let mut seen = Observed::default();
    let rows: BTreeMap<(&Scope, &str), &InstanceRow> =
        fleet.instances.iter().map(|row| ((&*row.scope, row.it.id.as_str()), row)).collect();
    for ((scope, id), told) in told {
        let mut one = match rows.get(&(scope, id.as_str())) {
            Some(row) => host(row),
            None => continue,
        };
        match told.printed.as_deref().map_err(Clone::clone).and_then(parse) {
            Ok(HostAnswer::NoDocker) => {}
            Ok(HostAnswer::Containers { all, is_whole }) => {
                (one.containers, one.is_cut) = (Ok(all.len()), !is_whole);
                for container in all.iter().filter(|container| container.is_core && !container.is_of_ecs) {
                    // What says that it belongs to another fleet is not ours to write down.
                    if container.fleet.as_ref().is_some_and(|fleet| fleet != fleet_name) {
                        continue;
                    }
                    seen.cores.push(core(&one, container, entries, told.at));
                }
            }
            Err(why) => one.containers = Err(why),
        }
        hosts.push(one);
    }
    hosts.sort_by(|one, other| (&one.scope, &one.id).cmp(&(&other.scope, &other.id)));
    seen.hosts = hosts;
    seen.cores.extend(fleet.cores.iter().filter_map(|core| {
        let Home::Task { instance_id, .. } = &core.home else { return None };
        Some(CoreSeen {
            id: core.id.clone(),
            scope: (*core.scope).clone(),
            instance_id: instance_id.clone(),
            container: None,
            image: None,
            version: core.version.clone(),
            port: core.port,
            base_path: None,
            tier: core.tier.clone(),
            state: Text::new("running"),
            started_at: None,
            memory_mib: None,
            cpu_millis: None,
            found: Found::Ecs,
            at: snapshot.taken_at,
        })
    }));
    distinguish(&mut seen.cores);
    seen.cores.sort_by(|one, other| (&one.scope, &one.id).cmp(&(&other.scope, &other.id)));
    let all_read = snapshot.parts.iter().all(|part| part.instances.is_whole);
    seen.instances = (all_read && !snapshot.parts.is_empty()).then(|| {
        let lives = fleet.instances.iter().filter(|row| !row.it.state.is_gone());
        lives.map(|row| row.it.id.clone()).collect()
    });
    tenants::gather(snapshot, fleet, &mut seen);
    seen
}

fn core(host: &HostSeen, it: &Container, entries: &[Entry], at: Timestamp) -> CoreSeen {
    CoreSeen {
        id: it.core.clone().unwrap_or_else(|| by_entry(host, it, entries)),
        scope: host.scope.clone(),
        instance_id: Some(host.id.clone()),
        container: Some(it.name.clone()),
        image: Some(it.image.clone()),
        version: it.version(),
        port: it.core_port(),
        base_path: it.base_path.clone(),
        tier: it.tier.clone().or_else(|| host.tier.clone()),
        state: it.state.clone(),
        started_at: it.started_at,
        memory_mib: it.memory_mib,
        cpu_millis: it.cpu_millis,
        found: Found::Docker,
        at,
    }
}

/// What a container without a label is called: as the entry that names it on its host, or else as itself.
fn by_entry(host: &HostSeen, it: &Container, entries: &[Entry]) -> CoreId {
    let here = entries
        .iter()
        .filter(|entry| entry.part == Part::Cores && entry.text("instance_id") == Some(host.id.as_str()));
    let found = here.clone().find(|entry| entry.text("container") == Some(&it.name)).or_else(|| {
        let port = it.core_port()?;
        here.clone().find(|entry| entry.text("container").is_none() && entry.number("port") == Some(port))
    });
    CoreId::new(found.map_or(it.name.as_str(), |entry| &entry.id))
}

/// Containers of different hosts may be called the same: those that only have their names get their hosts' ids too.
fn distinguish(cores: &mut [CoreSeen]) {
    let mut hosts: BTreeMap<CoreId, BTreeSet<Option<InstanceId>>> = BTreeMap::new();
    for core in cores.iter().filter(|core| core.found == Found::Docker) {
        hosts.entry(core.id.clone()).or_default().insert(core.instance_id.clone());
    }
    for core in cores.iter_mut().filter(|core| core.found == Found::Docker) {
        let is_shared = hosts.get(&core.id).is_some_and(|hosts| hosts.len() > 1);
        let is_by_name = core.container.as_ref().is_some_and(|name| core.id.as_str() == name);
        if let (true, true, Some(host)) = (is_shared, is_by_name, &core.instance_id) {
            core.id = CoreId::from(format!("{}-{}", core.id, host.as_str().trim_start_matches("i-")));
        }
    }
}
