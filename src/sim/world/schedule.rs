//! The ECS service scheduler: starts and stops tasks within the service's limits.

use super::containers::{Cluster, Service, Task};
use super::life::Event;
use super::place::Place;
use super::placing::{candidates, choose};
use crate::sim::time::Moment;
use compact_str::{CompactString, format_compact};
use std::collections::HashSet;

/// What ECS says of a service whose limits forbid every step.
pub(crate) fn stuck_line(service: &str) -> String {
    format!(
        "(service {service}) was unable to stop or start tasks during a deployment because of the service \
         deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again."
    )
}

/// What a look at a service found, and what it wants.
#[derive(Debug, Default)]
struct Plan {
    definition: CompactString,
    deployment: CompactString,
    start: u32,
    /// Tasks to stop, with the reason.
    stop: Vec<(CompactString, String)>,
    is_steady: bool,
    is_stuck: bool,
}

/// Seconds between two lines that say the same trouble.
const NAGGING: i64 = 6 * 3600;

impl Place {
    /// One look at a service.
    pub(crate) fn look_at_service(&mut self, cluster: &str, name: &str) {
        self.count_daemons(cluster, name);
        let Some(found) = self.clusters.get(cluster) else { return };
        let Some(service) = found.services.get(name) else { return };
        let plan = plan(found, service);
        for (id, reason) in &plan.stop {
            self.stop_task(cluster, id, "ServiceSchedulerInitiated", reason);
        }
        let started = self.start_tasks(cluster, name, &plan);
        let short = plan.start > started;
        if short {
            let line = format!(
                "(service {name}) was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your capacity provider with enough free cpu or memory. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
            );
            self.say(cluster, name, &line, 900);
        }
        if started > 0 {
            self.say(cluster, name, &format!("(service {name}) has started {started} tasks."), 0);
        }
        if !plan.stop.is_empty() {
            let line = format!("(service {name}) has stopped {} running tasks.", plan.stop.len());
            self.say(cluster, name, &line, 0);
        }
        if plan.is_stuck {
            self.say(cluster, name, &stuck_line(name), NAGGING);
        }
        if plan.is_steady {
            self.complete(cluster, name);
            return;
        }
        let seconds = if plan.is_stuck || short { 60 } else { 15 };
        self.note(seconds, Event::Service(cluster.into(), name.into()));
    }

    /// A daemon wants one task on every host that takes tasks.
    fn count_daemons(&mut self, cluster: &str, name: &str) {
        let Some(found) = self.clusters.get_mut(cluster) else { return };
        let open = found.hosts.rows().filter(|host| host.status == "ACTIVE" && host.is_connected).count();
        let Some(service) = found.services.get_mut(name).filter(|service| service.is_daemon) else { return };
        service.desired = u32::try_from(open).unwrap_or(0);
        if let Some(primary) = service.deployments.first_mut() {
            primary.desired = service.desired;
        }
    }

    fn start_tasks(&mut self, cluster: &str, name: &str, plan: &Plan) -> u32 {
        if plan.start == 0 {
            return 0;
        }
        let Some(found) = self.clusters.get(cluster) else { return 0 };
        let Some(service) = found.services.get(name) else { return 0 };
        let Some(wanted) = self.definitions.get(&plan.definition).cloned() else { return 0 };
        let provider = service.strategy.first().map(|share| share.provider.clone());
        let is_daemon = service.is_daemon;
        let mut hosts = candidates(self, found, service);
        let mut started = 0;
        for _ in 0..plan.start {
            let Some(chosen) = choose(&mut hosts, &wanted, is_daemon) else { break };
            let id = CompactString::from(self.dice.hex(32));
            let task = Task {
                id: id.clone(),
                definition: plan.definition.clone(),
                service: Some(name.into()),
                started_by: plan.deployment.clone(),
                host: chosen.host,
                provider: provider.clone(),
                status: "PROVISIONING",
                wanted: "RUNNING",
                health: "UNKNOWN",
                zone: chosen.zone,
                host_port: wanted.port.map(|_| 32_768 + u16::try_from(self.dice.below(28_000)).unwrap_or(0)),
                created: self.now,
                started: None,
                stopping: None,
                stopped: None,
                end: None,
            };
            if let Some(found) = self.clusters.get_mut(cluster) {
                found.tasks.insert(id.clone(), task);
            }
            self.note(2, Event::Task(cluster.into(), id));
            started += 1;
        }
        started
    }

    /// Writes a line into a service's events, unless it said the same within so many seconds.
    pub(crate) fn say(&mut self, cluster: &str, name: &str, line: &str, unless_within: i64) {
        let now = self.now;
        let id = CompactString::from(self.dice.uuid());
        let Some(service) = self.clusters.get_mut(cluster).and_then(|found| found.services.get_mut(name))
        else {
            return;
        };
        let said =
            |(_, at, text): &(CompactString, Moment, String)| text == line && now.since(*at) < unless_within;
        if service.events.iter().any(said) {
            return;
        }
        service.events.insert(0, (id, now, line.to_owned()));
        service.events.truncate(100);
    }

    /// Everything is as it should be: the deployment is complete.
    fn complete(&mut self, cluster: &str, name: &str) {
        let now = self.now;
        let Some(service) = self.clusters.get_mut(cluster).and_then(|found| found.services.get_mut(name))
        else {
            return;
        };
        let Some(primary) = service.deployments.first_mut().filter(|primary| primary.rollout != "COMPLETED")
        else {
            return;
        };
        primary.rollout = "COMPLETED";
        primary.reason = format_compact!("ECS deployment {} completed.", primary.id);
        primary.updated = now;
        let line = format!("(service {name}) (deployment {}) deployment completed.", primary.id);
        service.deployments.truncate(1);
        self.say(cluster, name, &line, 0);
        self.say(cluster, name, &format!("(service {name}) has reached a steady state."), 0);
    }
}

fn plan(cluster: &Cluster, service: &Service) -> Plan {
    let Some(primary) = service.deployments.first() else { return Plan::default() };
    let draining: HashSet<&str> =
        cluster.hosts.rows().filter(|host| host.status != "ACTIVE").map(|host| host.id.as_str()).collect();
    let mine =
        cluster.tasks.rows().filter(|task| task.service.as_ref() == Some(&service.name) && task.is_active());
    let (mut good, mut ready, mut total, mut old) = (0_u32, 0_u32, 0_u32, Vec::new());
    let mut surplus = Vec::new();
    for task in mine.filter(|task| task.wanted != "STOPPED") {
        total += 1;
        let is_ready = task.status == "RUNNING" && (task.host_port.is_none() || task.health == "HEALTHY");
        ready += u32::from(is_ready);
        if task.started_by != primary.id {
            old.push((task, format!("Scaling activity initiated by (deployment {})", primary.id)));
        } else if draining.contains(task.host.as_str()) {
            old.push((task, "Container instance is in DRAINING state".to_owned()));
        } else {
            good += 1;
            surplus.push((task, format!("Scaling activity initiated by (deployment {})", primary.id)));
        }
    }
    let desired = service.desired;
    let lower = (desired * service.min).div_ceil(100);
    let upper = (desired * service.max / 100).max(if old.is_empty() { desired } else { 0 });
    let start = desired.saturating_sub(good).min(upper.saturating_sub(total));
    // Tasks that do not serve yet may go at once; others only above the lower limit.
    let mut spare = ready.saturating_sub(lower);
    let mut stop = Vec::new();
    let too_many = usize::try_from(good.saturating_sub(desired)).unwrap_or(0);
    for (task, reason) in old.iter().chain(surplus.iter().take(too_many)) {
        let is_ready = task.status == "RUNNING" && (task.host_port.is_none() || task.health == "HEALTHY");
        if !is_ready {
            stop.push((task.id.clone(), reason.clone()));
        } else if spare > 0 {
            spare -= 1;
            stop.push((task.id.clone(), reason.clone()));
        }
    }
    let is_steady = old.is_empty() && good == desired && ready >= desired;
    Plan {
        definition: primary.definition.clone(),
        deployment: primary.id.clone(),
        start,
        is_stuck: !old.is_empty() && start == 0 && stop.is_empty() && good < desired && total >= upper,
        stop,
        is_steady,
    }
}
