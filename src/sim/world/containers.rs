//! ECS: clusters, capacity providers, services, tasks, container instances, task definitions.

use super::machine::Tag;
use super::table::Table;
use crate::sim::time::Moment;
use compact_str::CompactString;

/// A cluster with all that is in it.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) name: CompactString,
    pub(crate) providers: Vec<CompactString>,
    pub(crate) strategy: Vec<Share>,
    pub(crate) has_insights: bool,
    pub(crate) tags: Vec<Tag>,
    pub(crate) services: Table<Service>,
    /// By id.
    pub(crate) tasks: Table<Task>,
    /// By id.
    pub(crate) hosts: Table<Host>,
}

/// One line of a capacity provider strategy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Share {
    pub(crate) provider: CompactString,
    pub(crate) weight: u32,
    pub(crate) base: u32,
}

/// A capacity provider over an Auto Scaling group.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    pub(crate) name: CompactString,
    pub(crate) id: CompactString,
    pub(crate) group: CompactString,
    pub(crate) target: u32,
    pub(crate) protects: bool,
    pub(crate) drains: bool,
    pub(crate) tags: Vec<Tag>,
}

/// A task definition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Definition {
    pub(crate) family: CompactString,
    pub(crate) revision: u32,
    pub(crate) container: CompactString,
    pub(crate) image: CompactString,
    pub(crate) port: Option<u16>,
    /// CPU units.
    pub(crate) cpu: u32,
    /// MiB.
    pub(crate) memory: u32,
    pub(crate) registered: Moment,
    pub(crate) log_group: CompactString,
    pub(crate) architecture: &'static str,
    /// A port of the host that its tasks take; otherwise any that is free.
    pub(crate) host_port: Option<u16>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) is_inactive: bool,
}

/// Where tasks may be placed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constraint {
    /// Each task of the service on a host of its own.
    Distinct,
    /// An expression of the cluster query language.
    MemberOf(CompactString),
}

/// A service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Service {
    pub(crate) name: CompactString,
    pub(crate) is_daemon: bool,
    pub(crate) desired: u32,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) has_breaker: bool,
    pub(crate) strategy: Vec<Share>,
    /// Target group ARN, container port.
    pub(crate) balancers: Vec<(CompactString, u16)>,
    /// Type and field.
    pub(crate) placement: Vec<(&'static str, &'static str)>,
    pub(crate) grace: u32,
    pub(crate) created: Moment,
    pub(crate) tags: Vec<Tag>,
    /// The primary one first.
    pub(crate) deployments: Vec<Deployment>,
    /// Newest first.
    pub(crate) events: Vec<(CompactString, Moment, String)>,
    pub(crate) constraints: Vec<Constraint>,
    /// The circuit breaker only fails a deployment.
    pub(crate) keeps_failed: bool,
    pub(crate) end: End,
}

/// Whether a service is at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// ACTIVE
    #[default]
    No,
    /// DRAINING: it was deleted and tasks are left.
    Draining,
    /// INACTIVE
    Gone,
}

/// A deployment of a service.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    pub(crate) id: CompactString,
    pub(crate) status: &'static str,
    /// `family:revision`
    pub(crate) definition: CompactString,
    pub(crate) desired: u32,
    pub(crate) failed: u32,
    pub(crate) created: Moment,
    pub(crate) updated: Moment,
    pub(crate) rollout: &'static str,
    pub(crate) reason: CompactString,
}

/// A task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Task {
    pub(crate) id: CompactString,
    /// `family:revision`
    pub(crate) definition: CompactString,
    /// The service it belongs to.
    pub(crate) service: Option<CompactString>,
    /// The deployment that started it, or who did.
    pub(crate) started_by: CompactString,
    /// The container instance's id.
    pub(crate) host: CompactString,
    pub(crate) provider: Option<CompactString>,
    pub(crate) status: &'static str,
    pub(crate) wanted: &'static str,
    pub(crate) health: &'static str,
    pub(crate) zone: usize,
    pub(crate) host_port: Option<u16>,
    pub(crate) created: Moment,
    pub(crate) started: Option<Moment>,
    pub(crate) stopping: Option<Moment>,
    pub(crate) stopped: Option<Moment>,
    /// Stop code, sentence and the container's exit code.
    pub(crate) end: Option<(&'static str, CompactString, Option<i64>)>,
    /// Until when it is protected from scale-in and deployments.
    pub(crate) protected_until: Option<Moment>,
    /// The group of a task without a service.
    pub(crate) group: Option<CompactString>,
    pub(crate) tags: Vec<Tag>,
}

/// A container instance.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) id: CompactString,
    pub(crate) instance: CompactString,
    pub(crate) status: &'static str,
    pub(crate) is_connected: bool,
    pub(crate) agent: &'static str,
    pub(crate) docker: &'static str,
    pub(crate) provider: Option<CompactString>,
    pub(crate) registered: Moment,
    pub(crate) version: u32,
    pub(crate) tags: Vec<Tag>,
}

impl Task {
    /// It has not stopped yet, so it holds what it was given.
    pub(crate) fn is_active(&self) -> bool {
        self.status != "STOPPED"
    }

    /// It is on its way to running.
    pub(crate) fn is_starting(&self) -> bool {
        matches!(self.status, "PROVISIONING" | "PENDING" | "ACTIVATING")
    }
}

impl Cluster {
    /// Running and pending tasks of a service, or of one of its deployments.
    pub(crate) fn counts(&self, service: &str, deployment: Option<&str>) -> (u32, u32) {
        let mut counts = (0, 0);
        for task in self.tasks.rows().filter(|task| task.service.as_deref() == Some(service)) {
            if deployment.is_some_and(|id| task.started_by != id) {
                continue;
            }
            match task.status {
                "RUNNING" => counts.0 += 1,
                "PROVISIONING" | "PENDING" | "ACTIVATING" => counts.1 += 1,
                _ => {}
            }
        }
        counts
    }
}

/// What tasks hold of a host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) running: u32,
    pub(crate) pending: u32,
    pub(crate) cpu: u32,
    pub(crate) memory: u32,
    pub(crate) ports: Vec<u16>,
}
