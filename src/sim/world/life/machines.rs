//! Instances come, go, register with ECS and are taken back.

use super::Event;
use crate::sim::dice::Dice;
use crate::sim::ssm::LATEST_AGENT;
use crate::sim::world::balancing::Health;
use crate::sim::world::containers::{Host, Task};
use crate::sim::world::load::Load;
use crate::sim::world::machine::{Agent, Flaw, Instance, Kind, State, Tag};
use crate::sim::world::place::Place;
use compact_str::CompactString;
use std::sync::Arc;

/// What is launched.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) kind: &'static Kind,
    pub(crate) zone: usize,
    pub(crate) image: CompactString,
    pub(crate) is_spot: bool,
    pub(crate) busy: f64,
    pub(crate) profile: Option<Arc<str>>,
    pub(crate) security_group: (Arc<str>, Arc<str>),
    pub(crate) tags: Vec<Tag>,
}

impl Place {
    /// Launches an instance; it will be running in half a minute.
    pub(crate) fn start_instance(&mut self, order: Order, reservation: &str, index: u32) -> CompactString {
        let id = CompactString::from(self.dice.id("i"));
        let mut own = Dice::new(0, &id);
        let network = u32::try_from(self.dice.below(0x1_ffff)).unwrap_or(0);
        let zone = u32::try_from(order.zone).unwrap_or(0);
        let instance = Instance {
            id: id.clone(),
            reservation: reservation.into(),
            launch_index: index,
            state: State::Pending,
            state_since: self.now,
            state_reason: None,
            kind: order.kind,
            zone: order.zone,
            image: order.image,
            spot_request: order.is_spot.then(|| CompactString::from(format!("sir-{}", own.hex(8)))),
            launched: self.now,
            private_ip: u32::from_be_bytes([10, 32, 0, 4]) + (zone << 17) + network,
            public_ip: None,
            is_monitored: true,
            is_protected: false,
            profile: order.profile,
            security_group: order.security_group,
            tags: order.tags,
            impaired_since: None,
            events: Vec::new(),
            agent: Some(Agent { version: LATEST_AGENT, silent_since: None }),
            load: Load {
                seed: own.bits(),
                mean: order.busy,
                swing: order.busy * 0.3,
                peak: 15.0 * 3600.0,
                since: self.now,
                credits: if order.kind.name == "t2.micro" { 30.0 } else { 0.0 },
            },
        };
        self.veil_instance(&id);
        self.instances.insert(id.clone(), instance);
        let seconds = self.dice.between(18, 40);
        self.note(seconds, Event::Settles(id.clone()));
        id
    }

    /// An instance reaches the state it was on its way to.
    pub(super) fn settle(&mut self, id: &str) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(id) else { return };
        let group = instance.group().map(CompactString::from);
        let next = match instance.state {
            State::Pending => State::Running,
            State::Stopping => State::Stopped,
            State::ShuttingDown => State::Terminated,
            State::Terminated => {
                self.instances.remove(id);
                return;
            }
            State::Running | State::Stopped => return,
        };
        instance.state = next;
        instance.state_since = now;
        if next == State::Running {
            self.note(40, Event::Returns(id.into()));
            if self.flaw(id) == Some(Flaw::Impaired)
                && let Some(instance) = self.instances.get_mut(id)
            {
                instance.impaired_since = Some(now);
            }
        }
        if next == State::Terminated {
            self.note(3600, Event::Settles(id.into()));
        }
        let Some(group) = group else { return };
        if next == State::Running {
            self.arrive(&group, id);
        }
        self.note(0, Event::Group(group));
    }

    /// What is wrong with the image of an instance.
    pub(super) fn flaw(&self, id: &str) -> Option<Flaw> {
        self.images.get(&self.instances.get(id)?.image)?.flaw
    }

    /// Ends an instance: its ECS host and tasks go with it, its targets drain.
    pub(crate) fn terminate(&mut self, id: &str, reason: (&'static str, &str)) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(id) else { return };
        if instance.state.is_gone() {
            return;
        }
        let was_stopped = matches!(instance.state, State::Stopped | State::Stopping);
        instance.state = State::ShuttingDown;
        instance.state_since = now;
        instance.state_reason = Some((reason.0, reason.1.into()));
        let group = instance.group().map(CompactString::from);
        self.drop_host(id);
        self.drain_targets(id, None);
        let seconds = if was_stopped { 2 } else { self.dice.between(30, 60) };
        self.note(seconds, Event::Settles(id.into()));
        if let Some(group) = group {
            self.note(3, Event::Group(group));
        }
    }

    /// Reboots an instance: for a minute its agents are away.
    pub(crate) fn reboot(&mut self, id: &str) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(id) else { return };
        if let Some(agent) = &mut instance.agent
            && agent.silent_since.is_none()
        {
            agent.silent_since = Some(now);
            self.halt_containers(id);
            self.connect_host(id, false);
            self.note(60, Event::Returns(id.into()));
        }
    }

    /// The agents of an instance are back.
    pub(super) fn come_back(&mut self, id: &str) {
        let Some(instance) = self.instances.get_mut(id) else { return };
        if instance.state != State::Running {
            return;
        }
        if let Some(agent) = &mut instance.agent {
            agent.silent_since = None;
        }
        let (launched, now) = (instance.launched, self.now);
        // What ran before a stop does not run any more, which ECS hears only now.
        for cluster in self.clusters.rows_mut() {
            let found = cluster.hosts.rows().find(|host| host.instance == id).map(|host| host.id.clone());
            let Some(host) = found else { continue };
            let old = |task: &&mut Task| task.host == host && task.is_active() && task.created < launched;
            for task in cluster.tasks.rows_mut().filter(old) {
                task.wanted = "STOPPED";
                task.status = "STOPPED";
                task.stopping = task.stopping.or(Some(now));
                task.stopped = Some(now);
                task.end = Some(("TaskFailedToStart", "Host EC2 was restarted.".into(), None));
            }
        }
        self.resume_containers(id);
        self.connect_host(id, true);
    }

    /// The ECS agent of an instance is there, or is not.
    pub(super) fn connect_host(&mut self, id: &str, is_connected: bool) {
        let mut homes = Vec::new();
        for cluster in self.clusters.rows_mut() {
            for host in cluster.hosts.rows_mut().filter(|host| host.instance == id) {
                host.is_connected = is_connected;
                homes.push(cluster.name.clone());
            }
        }
        for cluster in homes {
            self.wake_services(&cluster);
        }
    }

    /// Stops an instance.
    pub(crate) fn stop_instance(&mut self, id: &str) {
        let now = self.now;
        let Some(instance) = self.instances.get_mut(id) else { return };
        if instance.state != State::Running {
            return;
        }
        instance.state = State::Stopping;
        instance.state_since = now;
        instance.state_reason = Some(("Client.UserInitiatedShutdown", "User initiated shutdown".into()));
        self.connect_host(id, false);
        self.halt_containers(id);
        let seconds = self.dice.between(20, 45);
        self.note(seconds, Event::Settles(id.into()));
    }

    /// The ECS agent of an instance registers with the cluster of its group's capacity provider.
    pub(super) fn register_host(&mut self, id: &str) {
        let Some(instance) = self.instances.get(id).filter(|instance| instance.state == State::Running)
        else {
            return;
        };
        if self.flaw(id) == Some(Flaw::NoAgent) {
            return;
        }
        let Some(group) = instance.group() else { return };
        let Some(provider) = self.providers.rows().find(|provider| provider.group == group) else { return };
        let provider = provider.name.clone();
        let host = Host {
            id: CompactString::from(self.dice.hex(32)),
            instance: id.into(),
            status: "ACTIVE",
            is_connected: true,
            agent: "1.98.0",
            docker: "25.0.8",
            provider: Some(provider.clone()),
            registered: self.now,
            version: 1,
            tags: Vec::new(),
        };
        let mut home = None;
        for cluster in self.clusters.rows_mut().filter(|cluster| cluster.providers.contains(&provider)) {
            cluster.hosts.insert(host.id.clone(), host.clone());
            home = Some(cluster.name.clone());
        }
        if let Some(cluster) = home {
            self.wake_services(&cluster);
        }
    }

    /// Takes the ECS side of an instance away.
    fn drop_host(&mut self, instance: &str) {
        let now = self.now;
        let reason = compact_str::format_compact!("Host EC2 (instance {instance}) terminated.");
        let mut homes = Vec::new();
        for cluster in self.clusters.rows_mut() {
            let found =
                cluster.hosts.rows().find(|host| host.instance == instance).map(|host| host.id.clone());
            let Some(host) = found else { continue };
            // Nobody deregisters a host whose agent was not there: somebody has to.
            let is_connected = cluster.hosts.get(&host).is_some_and(|found| found.is_connected);
            if is_connected {
                cluster.hosts.remove(&host);
            }
            for task in cluster.tasks.rows_mut().filter(|task| task.host == host && task.is_active()) {
                task.wanted = "STOPPED";
                task.status = "STOPPED";
                task.stopping = task.stopping.or(Some(now));
                task.stopped = Some(now);
                task.end = Some(("TerminationNotice", reason.clone(), None));
            }
            homes.push(cluster.name.clone());
        }
        for cluster in homes {
            self.wake_services(&cluster);
        }
    }

    /// Has ECS look at every service of a cluster.
    pub(crate) fn wake_services(&mut self, cluster: &str) {
        let names =
            self.clusters.get(cluster).map(|found| found.services.rows().map(|s| s.name.clone()).collect());
        let names: Vec<CompactString> = names.unwrap_or_default();
        for name in names {
            self.note(2, Event::Service(cluster.into(), name));
        }
    }

    /// Begins to deregister an instance (one of its ports, or all) wherever it is a target.
    pub(crate) fn drain_targets(&mut self, instance: &str, port: Option<u16>) {
        let arns: Vec<CompactString> = self.target_groups.rows().map(|group| group.arn.clone()).collect();
        for arn in arns {
            self.drain_in(&arn, instance, port);
        }
    }

    /// The same in one target group.
    pub(crate) fn drain_target(&mut self, group: &str, instance: &str, port: u16) {
        self.drain_in(group, instance, Some(port));
    }

    pub(super) fn drain_in(&mut self, arn: &str, instance: &str, port: Option<u16>) {
        let now = self.now;
        let mut notes = Vec::new();
        if let Some(group) = self.target_groups.get_mut(arn) {
            let until = now.plus(i64::from(group.drain));
            for target in group.targets.iter_mut() {
                let is_meant = target.id == instance && port.is_none_or(|port| port == target.port);
                if is_meant && !matches!(target.health, Health::Draining(_)) {
                    target.health = Health::Draining(until);
                    notes.push((group.drain, group.arn.clone(), target.port));
                }
            }
        }
        for (seconds, group, port) in notes {
            self.note(i64::from(seconds), Event::Drained(group, instance.into(), port));
        }
    }

    pub(super) fn forget_target(&mut self, group: &str, instance: &str, port: u16) {
        let now = self.now;
        if let Some(group) = self.target_groups.get_mut(group) {
            group.targets.retain(|target| {
                let is_over = matches!(target.health, Health::Draining(until) if until <= now);
                !(target.id == instance && target.port == port && is_over)
            });
        }
    }

    /// Gives one spot instance its two minutes. ECS hosts drain at the notice.
    pub(super) fn interrupt(&mut self) {
        let spots: Vec<CompactString> = self
            .instances
            .rows()
            .filter(|instance| instance.spot_request.is_some() && instance.state == State::Running)
            .map(|instance| instance.id.clone())
            .collect();
        if let Some(id) = self.dice.pick(&spots).cloned() {
            self.drain_host(&id);
            self.note(120, Event::Taken(id));
        }
        let seconds = self.dice.between(1800, 7200);
        self.note(seconds, Event::Interruption);
    }

    /// Sets the ECS host on an instance to DRAINING; tells whether tasks still run on it.
    pub(crate) fn drain_host(&mut self, instance: &str) -> bool {
        let mut busy = false;
        let mut homes = Vec::new();
        for cluster in self.clusters.rows_mut() {
            for host in cluster.hosts.rows_mut().filter(|host| host.instance == instance) {
                if host.status == "ACTIVE" {
                    host.status = "DRAINING";
                    homes.push(cluster.name.clone());
                }
            }
            let found = cluster.hosts.rows().find(|host| host.instance == instance);
            let host = found.map(|host| host.id.clone()).unwrap_or_default();
            busy |= cluster.tasks.rows().any(|task| task.host == host && task.is_active());
        }
        for cluster in homes {
            self.wake_services(&cluster);
        }
        busy
    }
}
