//! The ECS service scheduler: starts and stops tasks within the service's limits.
//!
//! With `desired` tasks the lower limit is ceil(desired × minimum healthy percent), the upper one
//! floor(desired × maximum percent). A task that serves is stopped only above the lower limit, one is started only
//! below the upper one; where neither may be done first nothing ever happens.

use super::balancing::Health;
use super::containers::{Cluster, End, Service, Task};
use super::life::Event;
use super::place::Place;
use super::placing::{candidates, choose, nearest};
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

/// Seconds after which a running task that nothing checks counts as healthy.
const UNCHECKED: i64 = 40;

impl Place {
    /// One look at a service.
    pub(crate) fn look_at_service(&mut self, cluster: &str, name: &str) {
        self.count_daemons(cluster, name);
        let Some(found) = self.clusters.get(cluster) else { return };
        let Some(service) = found.services.get(name).filter(|service| service.end != End::Gone) else {
            return;
        };
        let plan = self.plan(found, service);
        for (id, reason) in &plan.stop {
            self.stop_task(cluster, id, "ServiceSchedulerInitiated", reason);
        }
        let started = self.start_tasks(cluster, name, &plan);
        let short = plan.start > started;
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
        if plan.is_steady && !self.is_ending(cluster, name) {
            self.complete(cluster, name);
            return;
        }
        let seconds = if plan.is_stuck || short { 60 } else { 15 };
        self.note(seconds, Event::Service(cluster.into(), name.into()));
    }

    /// A service that was deleted is gone when its last task is.
    fn is_ending(&mut self, cluster: &str, name: &str) -> bool {
        let Some(found) = self.clusters.get_mut(cluster) else { return false };
        let mut tasks = found.tasks.rows().filter(|task| task.service.as_deref() == Some(name));
        let is_busy = tasks.any(Task::is_active);
        let Some(service) = found.services.get_mut(name).filter(|service| service.end != End::No) else {
            return false;
        };
        if !is_busy {
            service.end = End::Gone;
        }
        true
    }

    /// A daemon wants one task on every host that takes tasks.
    fn count_daemons(&mut self, cluster: &str, name: &str) {
        let Some(found) = self.clusters.get_mut(cluster) else { return };
        let open = found.hosts.rows().filter(|host| host.status == "ACTIVE" && host.is_connected).count();
        let Some(service) = found.services.get_mut(name).filter(|service| service.is_daemon) else { return };
        service.desired = if service.end == End::No { u32::try_from(open).unwrap_or(0) } else { 0 };
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
            let of = Task {
                service: Some(name.into()),
                started_by: plan.deployment.clone(),
                provider: provider.clone(),
                ..Task::default()
            };
            self.begin_task(cluster, &wanted, chosen, of);
            started += 1;
        }
        if started < plan.start {
            let why = match nearest(&hosts, &wanted) {
                Some((host, lack)) => {
                    format!("The closest matching (container-instance {host}) {}", lack.sentence())
                }
                None if provider.is_some() => {
                    "Reason: No Container Instances were found in your capacity provider".to_owned()
                }
                None => "Reason: No Container Instances were found in your cluster".to_owned(),
            };
            let line = format!(
                "(service {name}) was unable to place a task because no container instance met all of its requirements. {why}. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
            );
            self.say(cluster, name, &line, 900);
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
        let Some(primary) =
            service.deployments.first_mut().filter(|primary| primary.rollout == "IN_PROGRESS")
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

    /// Tells whether a task serves: behind a load balancer when it is healthy there, with a check of its own when
    /// that passes, and otherwise when it has been running for a while.
    pub(crate) fn serves(&self, cluster: &Cluster, service: &Service, task: &Task) -> bool {
        if task.status != "RUNNING" {
            return false;
        }
        match (service.balancers.first(), task.host_port) {
            (Some((arn, _)), Some(port)) => {
                let instance = cluster.hosts.get(&task.host).map(|host| &host.instance);
                let targets = self.target_groups.get(arn).map(|group| group.targets.as_slice());
                let mut targets = targets.unwrap_or_default().iter();
                let target = targets.find(|one| Some(&one.id) == instance && one.port == port);
                match target.map(|target| target.health) {
                    Some(Health::Healthy) => true,
                    Some(Health::Initial(until)) => until <= self.now,
                    _ => false,
                }
            }
            (None, Some(_)) => task.health == "HEALTHY",
            (_, None) => task.started.is_some_and(|at| self.now.since(at) >= UNCHECKED),
        }
    }

    /// Tells whether a task's load balancer has found it unhealthy, after its time of grace.
    fn fails(&self, cluster: &Cluster, service: &Service, task: &Task) -> bool {
        let ran = task.started.map_or(0, |at| self.now.since(at));
        if task.status != "RUNNING" || ran < i64::from(service.grace) + 60 {
            return false;
        }
        let (Some((arn, _)), Some(port)) = (service.balancers.first(), task.host_port) else { return false };
        let instance = cluster.hosts.get(&task.host).map(|host| &host.instance);
        let targets = self.target_groups.get(arn).map(|group| group.targets.as_slice()).unwrap_or_default();
        let target = targets.iter().find(|one| Some(&one.id) == instance && one.port == port);
        target.is_some_and(|one| matches!(one.health, Health::Failing(_) | Health::TimesOut))
    }

    fn plan(&self, cluster: &Cluster, service: &Service) -> Plan {
        let Some(primary) = service.deployments.first() else { return Plan::default() };
        let draining: HashSet<&str> = cluster
            .hosts
            .rows()
            .filter(|host| host.status != "ACTIVE")
            .map(|host| host.id.as_str())
            .collect();
        // On a host that drains, daemons stop when nothing else of a service is left.
        let busy: HashSet<&str> = cluster
            .tasks
            .rows()
            .filter(|task| service.is_daemon && task.is_active())
            .filter(|task| {
                let of = task.service.as_ref().and_then(|name| cluster.services.get(name));
                of.is_some_and(|other| !other.is_daemon)
            })
            .map(|task| task.host.as_str())
            .collect();
        let mine = cluster
            .tasks
            .rows()
            .filter(|task| task.service.as_ref() == Some(&service.name) && task.is_active());
        let (mut good, mut ready, mut total, mut kept) = (0_u32, 0_u32, 0_u32, 0_u32);
        let (mut old, mut surplus) = (Vec::new(), Vec::new());
        for task in mine.filter(|task| task.wanted != "STOPPED") {
            total += 1;
            let serves = self.serves(cluster, service, task);
            ready += u32::from(serves);
            let is_draining = draining.contains(task.host.as_str());
            let is_protected = task.protected_until.is_some_and(|until| until > self.now);
            let is_needed = is_draining && busy.contains(task.host.as_str());
            let reason = format!("Scaling activity initiated by (deployment {})", primary.id);
            if self.fails(cluster, service, task) {
                let arn = service.balancers.first().map(|(arn, _)| arn.as_str()).unwrap_or_default();
                let reason = format!("Task failed ELB health checks in (target-group {arn})");
                old.push((task, reason, false));
            } else if task.started_by != primary.id || is_draining {
                if is_protected || is_needed {
                    kept += 1;
                } else if is_draining {
                    old.push((task, "Container instance is in DRAINING state".to_owned(), serves));
                } else {
                    old.push((task, reason, serves));
                }
            } else {
                good += 1;
                if !is_protected {
                    surplus.push((task, reason, serves));
                }
            }
        }
        let desired = service.desired;
        let lower = (desired * service.min).div_ceil(100);
        let is_moving = !old.is_empty() || kept > 0;
        let upper = (desired * service.max / 100).max(if is_moving { 0 } else { desired });
        let is_failed = primary.rollout == "FAILED";
        let start = desired.saturating_sub(good).min(upper.saturating_sub(total));
        let start = if is_failed { 0 } else { start };
        // Tasks that do not serve yet may go at once; others only above the lower limit.
        let mut spare = ready.saturating_sub(lower);
        let mut stop = Vec::new();
        let too_many = usize::try_from(good.saturating_sub(desired)).unwrap_or(0);
        // Of too many the newest go first.
        surplus.reverse();
        for (task, reason, serves) in old.iter().chain(surplus.iter().take(too_many)) {
            if !serves {
                stop.push((task.id.clone(), reason.clone()));
            } else if spare > 0 {
                spare -= 1;
                stop.push((task.id.clone(), reason.clone()));
            }
        }
        let is_steady = !is_moving && good == desired && ready >= desired;
        let is_stuck = !old.is_empty()
            && start == 0
            && stop.is_empty()
            && good < desired
            && total >= upper
            && !is_failed;
        Plan {
            definition: primary.definition.clone(),
            deployment: primary.id.clone(),
            start,
            stop,
            is_steady,
            is_stuck,
        }
    }
}
