//! ECS task definitions: what a task needs of a host.

use super::log::LogTarget;
use super::text::Text;
use serde::{Deserialize, Serialize};

/// A task definition, as far as it decides where its tasks may run and how they end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// `family:revision`
    pub name: Text,
    /// `bridge`, `host`, `awsvpc`, `none`; none where it is not said, which means `bridge` on Linux.
    pub network: Option<Text>,
    /// CPU units of the whole task, where it says so.
    pub cpu: Option<u32>,
    /// Memory of the whole task, MiB, where it says so.
    pub memory: Option<u32>,
    /// Its containers.
    pub containers: Vec<Container>,
    /// Where its tasks may be placed: expressions of the cluster query language.
    pub constraints: Vec<Constraint>,
    /// `X86_64`, `ARM64`
    pub architecture: Option<Text>,
    /// Attributes that a host must have: `com.amazonaws.ecs.capability.…`, with a value where it must have it.
    pub attributes: Vec<(Text, Option<Text>)>,
}

impl Definition {
    /// CPU units that a task reserves on its host.
    pub fn reserved_cpu(&self) -> u32 {
        self.cpu.unwrap_or_else(|| self.containers.iter().map(|one| one.cpu).sum())
    }

    /// Memory that a task reserves on its host, MiB.
    pub fn reserved_memory(&self) -> u32 {
        let each = |one: &Container| one.reservation.or(one.memory).unwrap_or(0);
        self.memory.unwrap_or_else(|| self.containers.iter().map(each).sum())
    }

    /// Ports of the host that no other task may have: fixed ones, and every port in host networking.
    pub fn fixed_ports(&self) -> Vec<(u16, Protocol)> {
        let is_host = self.network.as_deref() == Some("host");
        if self.network.as_deref() == Some("awsvpc") {
            return Vec::new();
        }
        let ports = self.containers.iter().flat_map(|one| &one.ports);
        let fixed = ports.filter_map(|port| {
            let number = if is_host && port.host == 0 { port.container } else { port.host };
            (number != 0).then_some((number, port.protocol))
        });
        let mut fixed: Vec<_> = fixed.collect();
        fixed.sort_unstable();
        fixed.dedup();
        fixed
    }

    /// Graphics processors that a task needs.
    pub fn gpus(&self) -> u32 {
        self.containers.iter().map(|one| one.gpus).sum()
    }

    /// Whether any container tells its own health.
    pub fn has_health_check(&self) -> bool {
        self.containers.iter().any(|one| one.has_health_check)
    }
}

/// One container of a task definition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// Its name.
    pub name: Text,
    /// CPU units.
    pub cpu: u32,
    /// Its limit of memory, MiB.
    pub memory: Option<u32>,
    /// The memory that is kept for it, MiB.
    pub reservation: Option<u32>,
    /// Its ports.
    pub ports: Vec<Port>,
    /// Graphics processors.
    pub gpus: u32,
    /// Seconds from SIGTERM to SIGKILL; none means the agent's own, 30 unless it was set.
    pub stop_timeout_s: Option<u32>,
    /// It tells its own health.
    pub has_health_check: bool,
    /// Where its lines go, where CloudWatch gets them.
    #[serde(default)]
    pub logs: Option<LogTarget>,
}

/// A port of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Its number inside.
    pub container: u16,
    /// Its number on the host; 0 is any free one.
    pub host: u16,
    /// Its protocol.
    pub protocol: Protocol,
}

/// What a port speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// Where tasks may be placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Constraint {
    /// No two tasks of the service on one host.
    DistinctInstance,
    /// Only on hosts that an expression of the cluster query language is true for.
    MemberOf(Text),
    /// Something that this version does not know, in AWS's words.
    Other(Text),
}
