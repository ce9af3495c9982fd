//! What happens by itself: events at their times, and the loops of Auto Scaling and ECS.
//!
//! A place keeps a queue of what is due when. Whoever looks at it first lets pass what is due, so nothing
//! runs while nobody looks, and a day is lived through as fast as it can be computed.

mod alarms;
mod allocation;
mod groups;
pub(crate) mod holds;
mod launches;
mod machines;
pub(crate) mod recipes;
mod refreshes;
mod tasks;
mod told;

pub(crate) use self::machines::Order;
use super::place::Place;
use crate::sim::time::Moment;
use compact_str::CompactString;
use std::collections::{BTreeMap, HashMap};

/// Something that will happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// An instance reaches the state it is on its way to; a terminated one is forgotten.
    Settles(CompactString),
    /// The ECS agent of an instance registers.
    Registers(CompactString),
    /// The agents of an instance that rebooted or started are back.
    Returns(CompactString),
    /// A spot instance is taken.
    Taken(CompactString),
    /// Auto Scaling looks at a group.
    Group(CompactString),
    /// ECS looks at a service: cluster, name.
    Service(CompactString, CompactString),
    /// A task takes its next step: cluster, id.
    Task(CompactString, CompactString),
    /// A target has been drained: group, instance, port.
    Drained(CompactString, CompactString, u16),
    /// A command reaches a host, or would: command, instance.
    Delivers(CompactString, CompactString),
    /// A command ends on a host.
    Finishes(CompactString, CompactString),
    /// A spot instance somewhere gets its notice.
    Interruption,
    /// CloudWatch counts what it keeps counts of, and looks at the alarms.
    Alarms,
    /// What a scenario lets happen, by number.
    Told(usize),
}

/// The queue of a place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agenda {
    due: BTreeMap<(Moment, u64), Event>,
    /// When the next look of each loop is; others of the same loop are void.
    looks: HashMap<Event, Moment>,
    tickets: u64,
}

/// Seconds between looks while something is under way.
const SOON: i64 = 10;

impl Event {
    /// Loops have one next look; everything else happens as often as it was noted.
    fn is_look(&self) -> bool {
        matches!(self, Self::Group(_) | Self::Service(..) | Self::Interruption | Self::Alarms)
    }
}

impl Place {
    /// Tells whether something is due.
    pub(crate) fn is_due(&self, now: Moment) -> bool {
        self.agenda.due.first_key_value().is_some_and(|((at, _), _)| *at <= now)
    }

    /// Notes something for so many seconds from now. A look that is nearer already stays.
    pub(crate) fn note(&mut self, seconds: i64, event: Event) {
        let at = self.now.plus(seconds.max(0));
        if event.is_look() {
            if self.agenda.looks.get(&event).is_some_and(|next| *next <= at) {
                return;
            }
            self.agenda.looks.insert(event.clone(), at);
        }
        self.agenda.tickets += 1;
        self.agenda.due.insert((at, self.agenda.tickets), event);
    }

    /// Lets everything happen that is due by then.
    pub(crate) fn advance(&mut self, now: Moment) {
        while let Some(first) = self.agenda.due.first_entry() {
            let (at, _) = *first.key();
            if at > now {
                break;
            }
            let event = first.remove();
            if event.is_look() {
                if self.agenda.looks.get(&event) != Some(&at) {
                    continue;
                }
                self.agenda.looks.remove(&event);
            }
            self.now = self.now.max(at);
            self.happen(event);
        }
        self.now = self.now.max(now);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Settles(id) => self.settle(&id),
            Event::Registers(id) => self.register_host(&id),
            Event::Returns(id) => self.come_back(&id),
            Event::Taken(id) => {
                self.terminate(&id, ("Server.SpotInstanceTermination", "Spot instance termination"));
            }
            Event::Group(name) => self.look_at_group(&name),
            Event::Service(cluster, name) => self.look_at_service(&cluster, &name),
            Event::Task(cluster, id) => self.step_task(&cluster, &id),
            Event::Drained(group, id, port) => self.forget_target(&group, &id, port),
            Event::Delivers(id, instance) => self.deliver(&id, &instance),
            Event::Finishes(id, instance) => self.finish(&id, &instance),
            Event::Interruption => self.interrupt(),
            Event::Alarms => self.look_at_alarms(),
            Event::Told(number) => self.do_as_told(number),
        }
    }

    /// Sets everything going that a new place should have going.
    pub(crate) fn wake(&mut self, now: Moment) {
        self.now = now;
        let groups: Vec<CompactString> = self.groups.rows().map(|group| group.name.clone()).collect();
        for name in groups {
            self.note(5, Event::Group(name));
        }
        let mut services = Vec::new();
        let mut tasks = Vec::new();
        for cluster in self.clusters.rows() {
            let unsteady = cluster.services.rows().filter(|service| service.deployments.len() > 1);
            services.extend(unsteady.map(|service| (cluster.name.clone(), service.name.clone())));
            let moving = cluster.tasks.rows().filter(|task| task.is_starting());
            tasks.extend(moving.map(|task| (cluster.name.clone(), task.id.clone())));
        }
        for (cluster, name) in services {
            self.note(8, Event::Service(cluster, name));
        }
        for (cluster, id) in tasks {
            self.note(6, Event::Task(cluster, id));
        }
        let unsettled: Vec<(i64, CompactString)> = self
            .instances
            .rows()
            .filter(|instance| instance.state.is_gone())
            .map(|instance| (3600 - now.since(instance.state_since), instance.id.clone()))
            .collect();
        for (seconds, id) in unsettled {
            self.note(seconds, Event::Settles(id));
        }
        let mut draining = Vec::new();
        for group in self.target_groups.rows() {
            for target in &group.targets {
                if let super::balancing::Health::Draining(until) = target.health {
                    draining.push((until.since(now), group.arn.clone(), target.id.clone(), target.port));
                }
            }
        }
        for (seconds, group, id, port) in draining {
            self.note(seconds, Event::Drained(group, id, port));
        }
        if self.instances.rows().any(|instance| instance.spot_request.is_some()) {
            self.note(1500, Event::Interruption);
        }
        // What stands here at the start has stood so for the two weeks that CloudWatch can be asked about.
        self.gauge(now.minus(15 * 86_400));
        self.note(60, Event::Alarms);
    }
}
