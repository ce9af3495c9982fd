//! Tasks take their steps.

use super::Event;
use crate::sim::world::balancing::{Health, Target};
use crate::sim::world::breaker::Fate;
use crate::sim::world::place::Place;
use compact_str::{CompactString, format_compact};

impl Place {
    /// The next step of a task: on its way up, or on its way down.
    pub(super) fn step_task(&mut self, cluster: &str, id: &str) {
        let now = self.now;
        let Some(found) = self.clusters.get_mut(cluster) else { return };
        let Some(task) = found.tasks.get_mut(id) else { return };
        let again =
            |place: &mut Self, seconds: i64| place.note(seconds, Event::Task(cluster.into(), id.into()));
        let definition = self.definitions.get(&task.definition);
        let fate = definition.map_or(Fate::Runs, |definition| definition.fate());
        let service = task.service.clone();
        if task.wanted == "STOPPED" {
            match task.status {
                "STOPPED" => {
                    // The record is kept for about an hour.
                    if task.stopped.is_some_and(|at| now.since(at) >= 3600) {
                        found.tasks.remove(id);
                    } else {
                        again(self, 3600);
                    }
                }
                "DEACTIVATING" => {
                    task.status = "STOPPING";
                    again(self, 6);
                }
                _ => {
                    task.status = "STOPPED";
                    task.stopped = Some(now);
                    task.stopping = task.stopping.or(Some(now));
                    again(self, 3600);
                    self.wake_service(cluster, service);
                }
            }
            return;
        }
        match task.status {
            "PROVISIONING" => {
                task.status = "PENDING";
                let seconds = self.dice.between(5, 14);
                again(self, seconds);
            }
            "PENDING" | "ACTIVATING" if fate == Fate::Missing => {
                let image = definition.map(|definition| definition.image.clone()).unwrap_or_default();
                let reason = format_compact!(
                    "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: not found"
                );
                self.fail_task(cluster, id, "TaskFailedToStart", &reason, None);
            }
            "PENDING" | "ACTIVATING" => {
                task.status = "RUNNING";
                task.started = Some(now);
                let (host, port) = (task.host.clone(), task.host_port);
                if fate == Fate::Crashes {
                    again(self, 4);
                } else if port.is_some() {
                    again(self, 30);
                }
                let fails = fate == Fate::Unhealthy;
                let target = if fails { Health::Failing("503") } else { Health::Healthy };
                self.register_task(cluster, service.as_deref(), (&host, port), target);
                self.wake_service(cluster, service);
            }
            "RUNNING" if fate == Fate::Crashes => {
                let reason = "Essential container in task exited";
                self.fail_task(cluster, id, "EssentialContainerExited", reason, Some(1));
            }
            "RUNNING" if fate == Fate::Unhealthy => {
                let of = service.as_ref().and_then(|name| found.services.get(name));
                let grace = of.map_or(0, |service| i64::from(service.grace));
                let ran = task.started.map_or(0, |at| now.since(at));
                let group = of.and_then(|service| service.balancers.first()).map(|(arn, _)| arn.clone());
                match group {
                    Some(_) if ran < grace + 30 => again(self, grace + 30 - ran),
                    Some(arn) => {
                        let reason = format_compact!("Task failed ELB health checks in (target-group {arn})");
                        self.fail_task(cluster, id, "ServiceSchedulerInitiated", &reason, Some(143));
                    }
                    None => task.health = "UNHEALTHY",
                }
            }
            "RUNNING" => {
                task.health = "HEALTHY";
                self.wake_service(cluster, service);
            }
            _ => {}
        }
    }

    /// A task has failed: it is over at once, and its deployment counts it.
    fn fail_task(&mut self, cluster: &str, id: &str, code: &'static str, reason: &str, exit: Option<i64>) {
        let now = self.now;
        let Some(found) = self.clusters.get_mut(cluster) else { return };
        let Some(task) = found.tasks.get_mut(id) else { return };
        task.wanted = "STOPPED";
        task.status = "STOPPED";
        task.stopping = Some(now);
        task.stopped = Some(now);
        task.end = Some((code, reason.into(), exit));
        let (service, deployment, port) = (task.service.clone(), task.started_by.clone(), task.host_port);
        let instance = found.hosts.get(&task.host.clone()).map(|host| host.instance.clone());
        if let (Some(instance), Some(port)) = (instance, port) {
            self.drain_targets(&instance, Some(port));
        }
        if let Some(name) = &service {
            self.count_failure(cluster, name, &deployment);
        }
        self.note(3600, Event::Task(cluster.into(), id.into()));
        self.wake_service(cluster, service);
    }

    pub(super) fn wake_service(&mut self, cluster: &str, service: Option<CompactString>) {
        if let Some(service) = service {
            self.note(1, Event::Service(cluster.into(), service));
        }
    }

    fn register_task(
        &mut self,
        cluster: &str,
        service: Option<&str>,
        (host, port): (&str, Option<u16>),
        becomes: Health,
    ) {
        let Some(found) = self.clusters.get(cluster) else { return };
        let Some(service) = service.and_then(|name| found.services.get(name)) else { return };
        let Some((arn, _)) = service.balancers.first() else { return };
        let (Some(host), Some(port)) = (found.hosts.get(host), port) else { return };
        let instance = host.instance.clone();
        let now = self.now;
        if let Some(group) = self.target_groups.get_mut(&arn.clone()) {
            let health = match becomes {
                Health::Healthy => Health::Initial(now.plus(i64::from(group.interval) * 2)),
                other => other,
            };
            group.targets.retain(|target| target.id != instance || target.port != port);
            group.targets.push(Target { id: instance, port, health });
        }
    }

    /// Asks a task to stop; behind a load balancer it drains first.
    pub(crate) fn stop_task(&mut self, cluster: &str, id: &str, code: &'static str, reason: &str) {
        let now = self.now;
        let Some(found) = self.clusters.get_mut(cluster) else { return };
        let Some(task) = found.tasks.get_mut(id).filter(|task| task.wanted != "STOPPED") else { return };
        task.wanted = "STOPPED";
        task.stopping = Some(now);
        task.end = Some((code, reason.into(), Some(0)));
        let was_running = task.status == "RUNNING";
        task.status = if was_running { "DEACTIVATING" } else { "STOPPING" };
        let (host, port) = (task.host.clone(), task.host_port);
        let has_balancer = task
            .service
            .as_deref()
            .and_then(|name| found.services.get(name))
            .and_then(|service| service.balancers.first())
            .map(|(arn, _)| arn.clone());
        let instance = found.hosts.get(&host).map(|host| host.instance.clone());
        let mut seconds = 3;
        if let (Some(arn), Some(instance), Some(port), true) = (has_balancer, instance, port, was_running) {
            seconds = self.target_groups.get(&arn).map_or(3, |group| i64::from(group.drain));
            self.drain_targets(&instance, Some(port));
        }
        self.note(seconds, Event::Task(cluster.into(), id.into()));
    }
}
