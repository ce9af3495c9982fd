//! Where ECS puts tasks: the hosts that may take them, what they hold, and the one that is chosen.

use super::containers::{Cluster, Constraint, Definition, Held, Host, Service, Task};
use super::expression;
use super::life::Event;
use super::machine::State;
use super::place::Place;
use super::table::Table;
use compact_str::{CompactString, format_compact};
use std::collections::HashMap;

/// What an ECS host keeps of its memory for itself, MiB.
pub(crate) const KEPT_MEMORY: u32 = 290;

/// Ports of every host that its own software holds.
pub(crate) const KEPT_PORTS: [u16; 5] = [22, 2375, 2376, 51_678, 51_679];

/// A host that may take tasks.
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
    ports: Vec<u16>,
    architecture: &'static str,
    /// Each task must be alone of its service.
    is_distinct: bool,
}

/// Why a host does not take a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lack {
    Attribute,
    Ports,
    Cpu,
    Memory,
}

impl Lack {
    /// As RunTask's failures say it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Attribute => "ATTRIBUTE",
            Self::Ports => "RESOURCE:PORTS",
            Self::Cpu => "RESOURCE:CPU",
            Self::Memory => "RESOURCE:MEMORY",
        }
    }

    /// As events of services say it.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::Attribute => "is missing an attribute required by your task",
            Self::Ports => "is already using a port required by your task",
            Self::Cpu => "has insufficient CPU units available",
            Self::Memory => "has insufficient memory available",
        }
    }
}

impl Candidate {
    /// What it lacks for a task.
    pub(crate) fn lack(&self, wanted: &Definition) -> Option<Lack> {
        let architecture = if wanted.architecture == "ARM64" { "arm64" } else { "x86_64" };
        if architecture != self.architecture || (self.is_distinct && self.mine > 0) {
            return Some(Lack::Attribute);
        }
        if wanted.host_port.is_some_and(|port| self.ports.contains(&port)) {
            return Some(Lack::Ports);
        }
        if self.cpu < wanted.cpu {
            return Some(Lack::Cpu);
        }
        (self.memory < wanted.memory).then_some(Lack::Memory)
    }

    /// The port of the host that a task gets: its own, or the free one nearest above `wish`.
    pub(crate) fn port(&self, wanted: &Definition, wish: u16) -> Option<u16> {
        wanted.port?;
        let mut dynamic = (wish..=u16::MAX).chain(32_768..wish);
        wanted.host_port.or_else(|| dynamic.find(|port| !self.ports.contains(port)))
    }
}

/// The hosts that may take tasks of a service now, with what is free on them.
pub(crate) fn candidates(place: &Place, cluster: &Cluster, service: &Service) -> Vec<Candidate> {
    let provider = service.strategy.first().map(|share| share.provider.as_str());
    let definition = service.deployments.first().and_then(|first| place.definitions.get(&first.definition));
    let mut constraints = service.constraints.clone();
    constraints.extend(definition.into_iter().flat_map(|definition| definition.constraints.iter().cloned()));
    let mut found = open_hosts(place, cluster, provider, &constraints, Some(&service.name));
    // A daemon has one task on each host.
    found.retain(|one| !service.is_daemon || one.mine == 0);
    found
}

/// The hosts of a provider (or all) that meet constraints, with what is free on them.
pub(crate) fn open_hosts(
    place: &Place,
    cluster: &Cluster,
    provider: Option<&str>,
    constraints: &[Constraint],
    service: Option<&CompactString>,
) -> Vec<Candidate> {
    let holdings = cluster.holdings(&place.definitions);
    let mut mine: HashMap<&str, u32> = HashMap::new();
    if service.is_some() {
        for task in cluster.tasks.rows().filter(|task| task.is_active() && task.service.as_ref() == service) {
            *mine.entry(&task.host).or_default() += 1;
        }
    }
    let expressions: Vec<expression::Expression> = constraints
        .iter()
        .filter_map(|constraint| match constraint {
            Constraint::MemberOf(text) => expression::parse(text).ok(),
            Constraint::Distinct => None,
        })
        .collect();
    let is_distinct = constraints.contains(&Constraint::Distinct);
    let nothing = Held::default();
    let open = |host: &&Host| {
        host.status == "ACTIVE"
            && host.is_connected
            && provider.is_none_or(|name| host.provider.as_deref() == Some(name))
            && expressions.iter().all(|one| one.holds(&|subject| place.host_subject(cluster, host, subject)))
    };
    cluster
        .hosts
        .rows()
        .filter(open)
        .filter_map(|host| {
            let instance =
                place.instances.get(&host.instance).filter(|found| found.state == State::Running)?;
            let held = holdings.get(host.id.as_str()).unwrap_or(&nothing);
            let mut ports = held.ports.clone();
            ports.extend(KEPT_PORTS);
            Some(Candidate {
                host: host.id.clone(),
                instance: host.instance.clone(),
                zone: instance.zone,
                mine: mine.get(host.id.as_str()).copied().unwrap_or(0),
                tasks: held.running + held.pending,
                cpu: (instance.kind.vcpus() * 1024).saturating_sub(held.cpu),
                memory: instance.kind.memory.saturating_sub(KEPT_MEMORY + held.memory),
                ports,
                architecture: instance.kind.architecture,
                is_distinct,
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
        let fits = is_free && one.lack(wanted).is_none();
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
    chosen.ports.extend(wanted.host_port);
    Some(chosen.clone())
}

/// The host that comes nearest to taking a task, and what it lacks.
pub(crate) fn nearest<'c>(candidates: &'c [Candidate], wanted: &Definition) -> Option<(&'c str, Lack)> {
    let lacking = candidates.iter().filter_map(|one| Some((one.host.as_str(), one.lack(wanted)?)));
    lacking.max_by_key(|(_, lack)| *lack)
}

impl Place {
    /// Begins a task of a definition where a host was chosen, and returns its id; `of` says whose it is.
    pub(crate) fn begin_task(
        &mut self,
        cluster: &str,
        wanted: &Definition,
        chosen: Candidate,
        of: Task,
    ) -> CompactString {
        let id = CompactString::from(self.dice.hex(32));
        let wish = 32_768 + u16::try_from(self.dice.below(28_000)).unwrap_or(0);
        let task = Task {
            id: id.clone(),
            definition: format_compact!("{}:{}", wanted.family, wanted.revision),
            host_port: chosen.port(wanted, wish),
            host: chosen.host,
            status: "PROVISIONING",
            wanted: "RUNNING",
            health: "UNKNOWN",
            zone: chosen.zone,
            created: self.now,
            ..of
        };
        if let Some(found) = self.clusters.get_mut(cluster) {
            found.tasks.insert(id.clone(), task);
        }
        self.note(2, Event::Task(cluster.into(), id.clone()));
        id
    }

    /// Attributes of a container instance.
    pub(crate) fn host_attributes(&self, host: &Host) -> Vec<(&'static str, CompactString)> {
        let mut all = vec![
            ("ecs.os-type", CompactString::from("linux")),
            ("ecs.capability.docker-remote-api.1.44", "".into()),
            ("ecs.vpc-id", self.vpc.clone()),
        ];
        if let Some(instance) = self.instances.get(&host.instance) {
            all.extend([
                ("ecs.availability-zone", self.zone(instance.zone).into()),
                ("ecs.availability-zone-id", self.zone_id(instance.zone).into()),
                ("ecs.subnet-id", self.subnet(instance.zone).into()),
                ("ecs.instance-type", instance.kind.name.into()),
                ("ecs.ami-id", instance.image.clone()),
                ("ecs.cpu-architecture", instance.kind.architecture.into()),
            ]);
        }
        all
    }

    /// What an expression's subject is for a host.
    pub(crate) fn host_subject(&self, cluster: &Cluster, host: &Host, subject: &str) -> Option<String> {
        match subject {
            "ec2InstanceId" => Some(host.instance.to_string()),
            "agentConnected" => Some(host.is_connected.to_string()),
            "agentVersion" => Some(host.agent.to_owned()),
            "runningTasksCount" => {
                let running =
                    cluster.tasks.rows().filter(|task| task.host == host.id && task.status == "RUNNING");
                Some(running.count().to_string())
            }
            name => {
                let all = self.host_attributes(host);
                all.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            }
        }
    }
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
