//! What an operation must know of a single thing before it touches it, beyond what lists show.

use super::cluster::Service;
use super::definition::{Constraint, Protocol};
use super::group::{Mix, Refresh, TemplateRef};
use super::host::Host;
use super::ids::{InstanceId, TargetGroupArn, TaskArn};
use super::instance::{Check, InstanceState};
use super::text::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A container instance with what decides whether a task fits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HostDetail {
    /// The host itself.
    pub host: Host,
    /// Its attributes, with values where they have one: `ecs.instance-type`, capabilities, people's own.
    pub attributes: Vec<(Text, Option<Text>)>,
    /// Ports that are taken, by the system or by tasks.
    pub ports: Vec<(u16, Protocol)>,
    /// Graphics processors that are free.
    pub gpus_free: u32,
}

/// A service with what decides where its tasks go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceDetail {
    /// The service itself.
    pub service: Service,
    /// Where its tasks may be placed, beside what their definition says.
    pub constraints: Vec<Constraint>,
    /// Seconds after a task's start during which load balancers' verdicts do not count.
    pub grace_s: Option<u32>,
    /// Who deploys: `ECS`, `CODE_DEPLOY`, `EXTERNAL`.
    pub controller: Option<Text>,
    /// ECS moves its tasks to even out zones.
    pub rebalances: bool,
}

/// A task's protection from scale-in and deployments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// Which task.
    pub task: TaskArn,
    /// It is protected now.
    pub is_protected: bool,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// What a target group does with targets that leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// Which group.
    pub group: TargetGroupArn,
    /// Seconds that open connections may last (0–3600).
    pub delay_s: u32,
    /// Connections that are still open then are cut; only network load balancers say so.
    pub cuts_connections: bool,
}

/// A lifecycle hook of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// Its name.
    pub name: Text,
    /// Whether it holds instances that end; otherwise those that start.
    pub is_on_terminate: bool,
    /// Seconds that an instance waits for somebody to complete it.
    pub heartbeat_s: u32,
    /// `CONTINUE` or `ABANDON` when nobody does.
    pub default_result: Text,
    /// Who is told: the ARN of a queue or topic; none when only EventBridge is.
    pub notifies: Option<Text>,
}

/// A refresh with what tells whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefreshDetail {
    /// The refresh itself.
    pub refresh: Refresh,
    /// The template version that it launches; none when it launches what the group has.
    pub launches: Option<TemplateRef>,
    /// The policy that a mixed group gets; none where it gets none.
    #[serde(default)]
    pub mix: Option<Mix>,
    /// Percentages at which it waits.
    pub checkpoints: Vec<u32>,
    /// It goes back by itself.
    pub rolls_back: bool,
    /// Why it went back, while it does and after.
    pub rollback_reason: Option<Text>,
    /// Instances that were still to be replaced when it turned back.
    pub remaining_on_rollback: Option<u32>,
    /// What it was started with.
    pub wants: RefreshWants,
}

/// The preferences of a refresh as AWS tells them; none where it tells none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshWants {
    /// Percent that must be in service.
    pub min_healthy: Option<u32>,
    /// Percent that may be there.
    pub max_healthy: Option<u32>,
    /// Seconds from in service to counted.
    pub warmup_s: Option<u32>,
    /// Seconds at each checkpoint.
    pub checkpoint_delay_s: Option<u32>,
    /// Whether members that match are left alone.
    pub skips_matching: Option<bool>,
    /// `Refresh`, `Ignore` or `Wait`, for members that are protected.
    pub protected: Option<Text>,
    /// `Terminate`, `Ignore` or `Wait`, for members in standby.
    pub standby: Option<Text>,
    /// Alarms that fail it.
    pub alarms: Vec<Text>,
    /// Seconds that it watches them after the last replacement.
    pub bake_s: Option<u32>,
}

/// An instance that a group launched from one template version, with all that tells whether it serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Newcomer {
    /// Which.
    pub id: InstanceId,
    /// Its state in the group: `InService`, `Pending`, …
    pub state: Text,
    /// The group's verdict: `Healthy` or `Unhealthy`.
    pub health: Text,
    /// The worse of its two status checks; none where AWS says nothing of them yet.
    pub checks: Option<Check>,
    /// Whether its ECS agent is connected; none when it is in no cluster that was asked.
    pub agent: Option<bool>,
    /// What target groups that were asked say of it: `healthy`, `initial`, …; those that do not know it are
    /// missing.
    pub targets: Vec<(TargetGroupArn, Text)>,
}

/// An instance with all that tells whether it can be worked with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Readiness {
    /// Which.
    pub id: InstanceId,
    /// Where in its life it is.
    pub state: InstanceState,
    /// Why it last changed state.
    pub state_reason: Option<Text>,
    /// The worse of its two status checks; none where AWS says nothing of them yet.
    pub checks: Option<Check>,
    /// What Systems Manager says of its agent: `Online`, `ConnectionLost`; none where it never heard of it.
    pub agent: Option<Text>,
}

/// An SSM command as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Its id.
    pub id: Text,
    /// Its document.
    pub document: Text,
    /// What its sender wrote: the mark of an operation.
    pub comment: Text,
    /// `Pending`, `InProgress`, `Success`, `Failed`, `TimedOut`, `Cancelled`, `Cancelling`
    pub status: Text,
    /// Instances that it is for.
    pub targets: u32,
    /// Instances that are done, well or not.
    pub completed: u32,
    /// Instances that failed.
    pub errors: u32,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
}

impl Command {
    /// Whether it is over. Words this version does not know count as going on.
    pub fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "Success" | "Failed" | "TimedOut" | "Cancelled")
    }
}

/// An SSM command on one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation {
    /// The command's id.
    pub command: Text,
    /// Where.
    pub instance: InstanceId,
    /// `Success`, `Failed`, `InProgress`, …
    pub status: Text,
    /// More exactly: `ExecutionTimedOut`, `DeliveryTimedOut`, `Undeliverable`, …
    pub detail: Text,
    /// The exit code of its last step; negative while there is none.
    pub exit_code: Option<i32>,
    /// What it printed, cut by AWS. May hold anything: neutralise before drawing.
    pub output: String,
}

/// A parameter as it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct ParameterDetail {
    /// Its whole name.
    pub name: Text,
    /// `String`, `StringList`, `SecureString`.
    pub kind: Text,
    /// Its version, from 1; one more with every write.
    pub version: u64,
    /// Its value, where it is a String; others are dropped unread.
    pub value: Option<String>,
    /// When it was last written.
    pub modified_at: Option<Timestamp>,
}

impl std::fmt::Debug for ParameterDetail {
    /// Without the value: what people put into the wrong place is often a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ParameterDetail({} v{})", self.name, self.version)
    }
}

/// An SSM document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentDetail {
    /// Its name.
    pub name: Text,
    /// `Active`, `Creating`, …
    pub status: Text,
    /// Its default version.
    pub default_version: Text,
    /// The SHA-256 of that version's content, in hex.
    pub sha256: Option<Text>,
}
