//! ECS: clusters, services and tasks. The container instances they run on are hosts.

use super::ids::{ClusterArn, HostArn, ServiceArn, TargetGroupArn, TaskArn, Zone, short_arn};
use super::tags::Tags;
use super::text::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An ECS cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its ARN.
    pub arn: ClusterArn,
    /// Its name.
    pub name: Text,
    /// `ACTIVE`, `INACTIVE`, …
    pub status: Text,
    /// Container instances registered.
    pub host_count: u32,
    /// Tasks running.
    pub running_tasks: u32,
    /// Tasks waiting.
    pub pending_tasks: u32,
    /// Services active.
    pub service_count: u32,
    /// Its capacity providers, resolved where they are Auto Scaling groups.
    pub providers: Vec<CapacityProvider>,
    /// Who drains hosts: the name of ECS's own lifecycle hook, when managed draining is on.
    pub managed_draining: bool,
    /// Its tags.
    pub tags: Tags,
}

/// A capacity provider of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapacityProvider {
    /// Its name.
    pub name: Text,
    /// The group behind it; none for Fargate.
    pub group_arn: Option<Text>,
    /// ECS scales the group.
    pub managed_scaling: bool,
    /// Percent of the group that ECS aims to fill.
    pub target_percent: Option<u32>,
    /// ECS protects instances that run tasks from scale-in.
    pub managed_termination_protection: bool,
    /// ECS drains instances before the group ends them.
    pub managed_draining: bool,
}

/// An ECS service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Its ARN.
    pub arn: ServiceArn,
    /// Its name.
    pub name: Text,
    /// Its cluster.
    pub cluster: ClusterArn,
    /// `ACTIVE`, `DRAINING`, `INACTIVE`
    pub status: Text,
    /// Tasks wanted.
    pub desired: u32,
    /// Tasks running.
    pub running: u32,
    /// Tasks waiting.
    pub pending: u32,
    /// `family:revision`, or the ARN it came as.
    pub task_definition: Text,
    /// `EC2`, `FARGATE`, or empty with a capacity provider strategy.
    pub launch_type: Option<Text>,
    /// `REPLICA` or `DAEMON`
    pub strategy: Option<Text>,
    /// Lowest healthy percent while deploying.
    pub min_percent: Option<u32>,
    /// Highest percent while deploying.
    pub max_percent: Option<u32>,
    /// Deployments, the primary one first.
    pub deployments: Vec<Deployment>,
    /// Latest events, newest first.
    pub events: Vec<ServiceEvent>,
    /// Target groups with container name and port.
    pub target_groups: Vec<(TargetGroupArn, Text, u32)>,
    /// Capacity provider names of its strategy.
    pub providers: Vec<Text>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Its tags.
    pub tags: Tags,
}

impl Service {
    /// Tells whether ECS can replace its tasks at all without breaking its own limits:
    /// blocked iff ceil(desired × min) ≥ desired and floor(desired × max) ≤ desired.
    pub fn is_stuck(&self) -> bool {
        let (Some(min), Some(max)) = (self.min_percent, self.max_percent) else { return false };
        if self.desired == 0 || self.strategy.as_deref() == Some("DAEMON") {
            return false;
        }
        let desired = u64::from(self.desired);
        let lower = (desired * u64::from(min)).div_ceil(100);
        let upper = desired * u64::from(max) / 100;
        lower >= desired && upper <= desired
    }
}

/// One deployment of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its id.
    pub id: Text,
    /// `PRIMARY`, `ACTIVE`
    pub status: Text,
    /// `IN_PROGRESS`, `COMPLETED`, `FAILED`
    pub rollout: Option<Text>,
    /// Why.
    pub reason: Option<Text>,
    /// Its task definition.
    pub task_definition: Text,
    /// Tasks wanted.
    pub desired: u32,
    /// Tasks running.
    pub running: u32,
    /// Tasks waiting.
    pub pending: u32,
    /// Tasks that failed to start.
    pub failed: u32,
    /// When it began.
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

/// A line that ECS wrote about a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceEvent {
    /// Its id.
    pub id: Text,
    /// When.
    pub at: Option<Timestamp>,
    /// What.
    pub message: String,
}

/// An ECS task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its ARN.
    pub arn: TaskArn,
    /// Its cluster.
    pub cluster: ClusterArn,
    /// `family:revision`, or the ARN it came as.
    pub task_definition: Text,
    /// `service:NAME`, or what the starter chose.
    pub group: Option<Text>,
    /// Who started it; `ecs-svc/…` for services.
    pub started_by: Option<Text>,
    /// Where in its life it is.
    pub last_status: Text,
    /// Where ECS wants it.
    pub desired_status: Text,
    /// `HEALTHY`, `UNHEALTHY`, `UNKNOWN`
    pub health: Option<Text>,
    /// The container instance it runs on.
    pub host: Option<HostArn>,
    /// Its zone.
    pub zone: Option<Zone>,
    /// `EC2` or `FARGATE`
    pub launch_type: Option<Text>,
    /// CPU units reserved.
    pub cpu: Option<Text>,
    /// Memory reserved, MiB.
    pub memory: Option<Text>,
    /// When it was asked for.
    pub created_at: Option<Timestamp>,
    /// When it began to run.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub stopped_at: Option<Timestamp>,
    /// Why it ended.
    pub stopped_reason: Option<Text>,
    /// Host ports by container.
    pub ports: Vec<u16>,
    /// Container images.
    pub images: Vec<Text>,
    /// Its tags.
    pub tags: Tags,
}

impl Task {
    /// The id that people say.
    pub fn short_id(&self) -> &str {
        short_arn(self.arn.as_str())
    }

    /// The service that keeps it, if one does; anything else is a standalone task.
    pub fn service(&self) -> Option<&str> {
        self.group.as_deref()?.strip_prefix("service:")
    }
}
