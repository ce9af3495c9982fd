//! Deployments that fail: tasks that do not come up are counted, and the circuit breaker opens.
//!
//! An image says by the beginning of its tag what becomes of its tasks: `missing` cannot be pulled, `crashes` exits
//! after a few seconds, `unhealthy` fails the load balancer's checks.

use super::containers::{Definition, Deployment};
use super::life::Event;
use super::place::Place;
use compact_str::{CompactString, format_compact};

/// What becomes of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It runs.
    Runs,
    /// Its image cannot be pulled.
    Missing,
    /// It exits after a few seconds.
    Crashes,
    /// It runs and fails the load balancer's checks.
    Unhealthy,
}

impl Definition {
    /// What becomes of its tasks.
    pub(crate) fn fate(&self) -> Fate {
        let tag = self.image.rsplit_once(':').map_or("", |(_, tag)| tag);
        [("missing", Fate::Missing), ("crashes", Fate::Crashes), ("unhealthy", Fate::Unhealthy)]
            .into_iter()
            .find(|(word, _)| tag.starts_with(word))
            .map_or(Fate::Runs, |(_, fate)| fate)
    }
}

impl Place {
    /// The id of a new deployment.
    pub(crate) fn deployment_id(&mut self) -> CompactString {
        let number = self.dice.below(9_000_000_000_000_000_000) + 1_000_000_000_000_000_000;
        format_compact!("ecs-svc/{number}")
    }

    /// Puts a new deployment of a definition before the others of a service.
    pub(crate) fn deploy(&mut self, cluster: &str, name: &str, definition: CompactString) {
        let id = self.deployment_id();
        let reason = format_compact!("ECS deployment {id} in progress.");
        self.deploy_as(cluster, name, definition, id, reason);
    }

    fn deploy_as(
        &mut self,
        cluster: &str,
        name: &str,
        definition: CompactString,
        id: CompactString,
        reason: CompactString,
    ) {
        let now = self.now;
        let found = self.clusters.get_mut(cluster).and_then(|found| found.services.get_mut(name));
        let Some(service) = found else { return };
        for old in &mut service.deployments {
            old.status = "ACTIVE";
        }
        let deployment = Deployment {
            id,
            status: "PRIMARY",
            definition,
            desired: service.desired,
            failed: 0,
            created: now,
            updated: now,
            rollout: "IN_PROGRESS",
            reason,
        };
        service.deployments.insert(0, deployment);
        self.note(1, Event::Service(cluster.into(), name.into()));
    }

    /// Counts a task that did not come up. When half of the tasks that a deployment wants have failed, at least
    /// three and at most two hundred, the breaker opens: the deployment has failed, and the last one that was
    /// completed comes back if the service wants that.
    pub(crate) fn count_failure(&mut self, cluster: &str, name: &str, deployment: &str) {
        let now = self.now;
        let found = self.clusters.get_mut(cluster).and_then(|found| found.services.get_mut(name));
        let Some(service) = found else { return };
        let threshold = service.desired.div_ceil(2).clamp(3, 200);
        let (has_breaker, keeps_failed) = (service.has_breaker, service.keeps_failed);
        let last_good = service.deployments.iter().skip(1).find(|old| old.rollout == "COMPLETED");
        let last_good = last_good.map(|old| (old.id.clone(), old.definition.clone()));
        let Some(primary) = service.deployments.first_mut().filter(|first| first.id == deployment) else {
            return;
        };
        primary.failed += 1;
        primary.updated = now;
        if primary.rollout != "IN_PROGRESS" {
            return;
        }
        if !has_breaker || primary.failed < threshold {
            if primary.failed >= 3 {
                let line = format!(
                    "(service {name}) is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
                );
                self.say(cluster, name, &line, 900);
            }
            return;
        }
        primary.rollout = "FAILED";
        primary.reason = "ECS deployment circuit breaker: tasks failed to start.".into();
        let line =
            format!("(service {name}) (deployment {deployment}) deployment failed: tasks failed to start.");
        self.say(cluster, name, &line, 0);
        if let Some((old, definition)) = last_good.filter(|_| !keeps_failed) {
            self.say(cluster, name, &format!("(service {name}) rolling back to deployment {old}."), 0);
            let id = self.deployment_id();
            let reason =
                format_compact!("ECS deployment circuit breaker: rolling back to deploymentId {old}.");
            self.deploy_as(cluster, name, definition, id, reason);
        }
    }
}
