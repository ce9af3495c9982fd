//! Tasks take their steps.

use super::Event;
use crate::sim::world::balancing::{Health, Target};
use crate::sim::world::place::Place;
use compact_str::CompactString;

impl Place {
    /// The next step of a task: on its way up, or on its way down.
    pub(super) fn step_task(&mut self, cluster: &str, id: &str) {
        let now = self.now;
        let Some(found) = self.clusters.get_mut(cluster) else { return };
        let Some(task) = found.tasks.get_mut(id) else { return };
        let again =
            |place: &mut Self, seconds: i64| place.note(seconds, Event::Task(cluster.into(), id.into()));
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
                    let service = task.service.clone();
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
            "PENDING" | "ACTIVATING" => {
                task.status = "RUNNING";
                task.started = Some(now);
                let service = task.service.clone();
                let (host, port) = (task.host.clone(), task.host_port);
                if port.is_some() {
                    again(self, 30);
                }
                self.register_task(cluster, service.as_deref(), &host, port);
                self.wake_service(cluster, service);
            }
            "RUNNING" => {
                task.health = "HEALTHY";
                let service = task.service.clone();
                self.wake_service(cluster, service);
            }
            _ => {}
        }
    }

    pub(super) fn wake_service(&mut self, cluster: &str, service: Option<CompactString>) {
        if let Some(service) = service {
            self.note(1, Event::Service(cluster.into(), service));
        }
    }

    fn register_task(&mut self, cluster: &str, service: Option<&str>, host: &str, port: Option<u16>) {
        let Some(found) = self.clusters.get(cluster) else { return };
        let Some(service) = service.and_then(|name| found.services.get(name)) else { return };
        let Some((arn, _)) = service.balancers.first() else { return };
        let (Some(host), Some(port)) = (found.hosts.get(host), port) else { return };
        let instance = host.instance.clone();
        let now = self.now;
        if let Some(group) = self.target_groups.get_mut(&arn.clone()) {
            let health = Health::Initial(now.plus(i64::from(group.interval) * 2));
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
