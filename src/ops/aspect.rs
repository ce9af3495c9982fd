//! What of a thing matters to an operation: one fact with a name and a value, and how it is looked up.
//!
//! The same few facts serve as the pre-state that a plan is bound to, as the conditions that a step waits
//! for, and as what a person reads when a plan is refused as stale.

mod merged;
mod setting;
mod sized;
mod words;

pub use merged::merged;
pub use setting::GroupSetting;

use super::launching::LaunchFact;
use super::ran::RunFact;
use super::refreshing::{RefreshMark, progress};
use super::telling::CoreFact;
use crate::gateway::{Look, Seen};
use crate::model::text::harmless;
use crate::model::{
    ClusterArn, GroupName, HostArn, InstanceId, ServiceArn, Target, TargetGroupArn, TargetState, Task,
    TaskArn, TemplateId, TemplateRef, Text, short_arn,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// One fact about one thing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Aspect {
    /// An instance's state: `running`.
    InstanceState {
        /// Which.
        instance: InstanceId,
    },
    /// The value of an instance's tag.
    InstanceTag {
        /// Which instance.
        instance: InstanceId,
        /// Which tag.
        key: Text,
    },
    /// A member's state in its group: `InService`, `Standby`.
    MemberState {
        /// Its group.
        group: GroupName,
        /// Which.
        instance: InstanceId,
    },
    /// Whether a member is protected from scale-in.
    MemberProtected {
        /// Its group.
        group: GroupName,
        /// Which.
        instance: InstanceId,
    },
    /// A group's smallest size.
    GroupMin {
        /// Which.
        group: GroupName,
    },
    /// A group's largest size.
    GroupMax {
        /// Which.
        group: GroupName,
    },
    /// A group's desired capacity.
    GroupDesired {
        /// Which.
        group: GroupName,
    },
    /// A group's members in service.
    GroupInService {
        /// Which.
        group: GroupName,
    },
    /// A group's members that are not gone yet, whatever their state. No plan asks for it any more: it stands in journals of
    /// operations that did, and are to be read.
    GroupMembers {
        /// Which.
        group: GroupName,
    },
    /// A group's members that its size does not want and that are not gone yet: those that leave, and of those that it
    /// may end as many as are too many. Who is in standby or protected from scale-in stays.
    GroupExcess {
        /// Which.
        group: GroupName,
    },
    /// Whether a process of a group is suspended.
    GroupSuspended {
        /// Which group.
        group: GroupName,
        /// Which process.
        process: Text,
    },
    /// What a group is saved with: template and version, and its mix where it has one.
    GroupLaunches {
        /// Which.
        group: GroupName,
    },
    /// How many members run one of these versions, in words.
    GroupRuns {
        /// Which group.
        group: GroupName,
        /// Which versions.
        versions: Vec<TemplateRef>,
    },
    /// How a group treats its members.
    GroupSetting {
        /// Which group.
        group: GroupName,
        /// Which of its settings.
        setting: GroupSetting,
    },
    /// The id of a group's newest refresh.
    GroupRefresh {
        /// Which group.
        group: GroupName,
    },
    /// The status of a refresh: `InProgress`, `Successful`.
    RefreshStatus {
        /// Which.
        mark: RefreshMark,
    },
    /// How far a refresh is, in words.
    RefreshProgress {
        /// Which.
        mark: RefreshMark,
        /// The instances that it was to replace when it was planned.
        total: u32,
    },
    /// Those of some versions of a launch template that are there.
    Versions {
        /// Which template.
        template: TemplateId,
        /// Which versions.
        numbers: Vec<u64>,
    },
    /// A container instance's status: `ACTIVE`, `DRAINING`.
    HostStatus {
        /// Its cluster.
        cluster: ClusterArn,
        /// Which.
        host: HostArn,
    },
    /// Tasks of services on a container instance that have not stopped; those of daemons do not count.
    HostServiceTasks {
        /// Its cluster.
        cluster: ClusterArn,
        /// Which.
        host: HostArn,
        /// Daemon services of the cluster, by name.
        daemons: Vec<Text>,
    },
    /// Tasks on a container instance that no service keeps and that have not stopped.
    HostStandalone {
        /// Its cluster.
        cluster: ClusterArn,
        /// Which.
        host: HostArn,
    },
    /// The health of a target: `healthy`, `draining`.
    TargetState {
        /// Its target group.
        target_group: TargetGroupArn,
        /// An instance id or an address.
        target: Text,
        /// Its port.
        port: Option<u16>,
    },
    /// Targets of a group that are healthy.
    TargetsHealthy {
        /// Which group.
        target_group: TargetGroupArn,
    },
    /// Tasks that a service wants.
    ServiceDesired {
        /// Its cluster.
        cluster: ClusterArn,
        /// Which.
        service: ServiceArn,
    },
    /// Tasks of a service that run.
    ServiceRunning {
        /// Its cluster.
        cluster: ClusterArn,
        /// Which.
        service: ServiceArn,
    },
    /// The id of a service's primary deployment.
    ServiceDeployment {
        /// Its cluster.
        cluster: ClusterArn,
        /// Which.
        service: ServiceArn,
    },
    /// How far that deployment is: `IN_PROGRESS`, `COMPLETED`, `FAILED`.
    ServiceRollout {
        /// Its cluster.
        cluster: ClusterArn,
        /// Which.
        service: ServiceArn,
    },
    /// A task's last status: `RUNNING`, `STOPPED`.
    TaskStatus {
        /// Its cluster.
        cluster: ClusterArn,
        /// Which.
        task: TaskArn,
    },
    /// What ECS wants a task to be: `RUNNING`, `STOPPED`.
    TaskWanted {
        /// Its cluster.
        cluster: ClusterArn,
        /// Which.
        task: TaskArn,
    },
    /// How a command that carries this mark stands: `InProgress`, `Success`.
    Command {
        /// Its document.
        document: Text,
        /// Its comment.
        mark: String,
        /// It was sent after this moment.
        since: Timestamp,
    },
    /// What became of a command of ours on its host.
    Ran {
        /// Which fact of it.
        fact: RunFact,
    },
    /// The hash of a document's default version.
    DocumentHash {
        /// Its name.
        document: Text,
    },
    /// What is launched, and how it is.
    Launching {
        /// Which fact of it.
        fact: LaunchFact,
    },
    /// Something in a core.
    Core {
        /// Which fact of it.
        fact: Box<CoreFact>,
    },
    /// The version of a parameter: one more with every write, whoever writes.
    ParameterVersion {
        /// Its whole name.
        parameter: Text,
    },
    /// The hash of a parameter's value; a parameter that is no String is only its kind.
    ParameterHash {
        /// Its whole name.
        parameter: Text,
    },
}

/// What a fact is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// There is no such thing.
    Absent,
    /// Yes or no.
    Flag(bool),
    /// How many.
    Count(u64),
    /// A word of AWS's.
    Word(String),
    /// Several, in order.
    Words(Vec<String>),
}

impl Value {
    /// A word.
    pub fn word(word: impl AsRef<str>) -> Self {
        Self::Word(word.as_ref().to_owned())
    }

    /// How many it is, or how many words it has.
    pub fn count(&self) -> Option<u64> {
        match self {
            Self::Count(count) => Some(*count),
            Self::Words(words) => Some(words.len() as u64),
            Self::Absent => Some(0),
            Self::Flag(_) | Self::Word(_) => None,
        }
    }
}

impl fmt::Display for Value {
    /// Text from AWS is made harmless.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Flag(true) => f.write_str("yes"),
            Self::Flag(false) => f.write_str("no"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Word(word) => f.write_str(&harmless(word)),
            Self::Words(words) if words.is_empty() => f.write_str("none"),
            Self::Words(words) => {
                let short: Vec<_> = words.iter().map(|word| harmless(short_arn(word)).into_owned()).collect();
                f.write_str(&short.join(", "))
            }
        }
    }
}

impl Aspect {
    /// The refresh that it is about, to be changed.
    pub fn mark_mut(&mut self) -> Option<&mut RefreshMark> {
        match self {
            Self::RefreshStatus { mark } | Self::RefreshProgress { mark, .. } => Some(mark),
            _ => None,
        }
    }

    /// The look that shows it, and no more.
    pub fn look(&self) -> Look {
        match self {
            Self::InstanceState { instance } | Self::InstanceTag { instance, .. } => {
                Look::Instances { of: vec![instance.clone()] }
            }
            Self::MemberState { group, .. }
            | Self::MemberProtected { group, .. }
            | Self::GroupMin { group }
            | Self::GroupMax { group }
            | Self::GroupDesired { group }
            | Self::GroupInService { group }
            | Self::GroupMembers { group }
            | Self::GroupExcess { group }
            | Self::GroupLaunches { group }
            | Self::GroupRuns { group, .. }
            | Self::GroupSetting { group, .. }
            | Self::GroupSuspended { group, .. } => Look::Groups { of: vec![group.clone()] },
            Self::GroupRefresh { group } => Look::Refreshes { group: group.clone() },
            Self::RefreshStatus { mark } | Self::RefreshProgress { mark, .. } => {
                Look::Refreshes { group: mark.group.clone() }
            }
            Self::Versions { template, numbers } => Look::Versions {
                template: template.clone(),
                from: numbers.iter().copied().min().unwrap_or(1),
            },
            Self::HostStatus { cluster, host } => {
                Look::Hosts { cluster: cluster.clone(), of: vec![host.clone()] }
            }
            Self::HostServiceTasks { cluster, host, .. } | Self::HostStandalone { cluster, host } => {
                Look::TasksOn { cluster: cluster.clone(), host: host.clone() }
            }
            Self::TargetState { target_group, .. } | Self::TargetsHealthy { target_group } => {
                Look::Targets { group: target_group.clone() }
            }
            Self::ServiceDesired { cluster, service }
            | Self::ServiceRunning { cluster, service }
            | Self::ServiceDeployment { cluster, service }
            | Self::ServiceRollout { cluster, service } => {
                Look::Services { cluster: cluster.clone(), of: vec![service.clone()] }
            }
            Self::TaskStatus { cluster, task } | Self::TaskWanted { cluster, task } => {
                Look::Tasks { cluster: cluster.clone(), of: vec![task.clone()] }
            }
            Self::Command { document, since, .. } => {
                Look::Commands { document: document.clone(), since: *since }
            }
            Self::DocumentHash { document } => Look::Document { name: document.clone() },
            Self::ParameterVersion { parameter } | Self::ParameterHash { parameter } => {
                Look::Parameters { of: vec![parameter.clone()] }
            }
            Self::Launching { fact } => fact.look(),
            Self::Core { fact } => fact.look(),
            Self::Ran { fact } => fact.look(),
        }
    }

    /// Its value in what was seen; none when that was an answer to another look.
    pub fn value(&self, seen: &Seen) -> Option<Value> {
        Some(match (self, seen) {
            (Self::InstanceState { instance }, Seen::Instances(all)) => {
                let found = all.iter().find(|one| one.id == *instance);
                found.map_or(Value::Absent, |one| Value::word(one.state.word()))
            }
            (Self::InstanceTag { instance, key }, Seen::Instances(all)) => {
                let found = all.iter().find(|one| one.id == *instance);
                found.and_then(|one| one.tags.get(key)).map_or(Value::Absent, Value::word)
            }
            (
                Self::MemberState { group, .. }
                | Self::MemberProtected { group, .. }
                | Self::GroupMin { group }
                | Self::GroupMax { group }
                | Self::GroupDesired { group }
                | Self::GroupInService { group }
                | Self::GroupMembers { group }
                | Self::GroupExcess { group }
                | Self::GroupLaunches { group }
                | Self::GroupRuns { group, .. }
                | Self::GroupSetting { group, .. }
                | Self::GroupSuspended { group, .. },
                Seen::Groups(all),
            ) => {
                all.iter().find(|one| one.name == *group).map_or(Value::Absent, |group| self.of_group(group))
            }
            (Self::GroupRefresh { .. }, Seen::Refreshes(all)) => {
                all.first().map_or(Value::Absent, |one| Value::word(&one.refresh.id))
            }
            (Self::RefreshStatus { mark }, Seen::Refreshes(all)) => {
                mark.find(all).map_or(Value::Absent, |one| Value::word(&one.refresh.status))
            }
            (Self::RefreshProgress { mark, total }, Seen::Refreshes(all)) => {
                mark.find(all).map_or(Value::Absent, |one| Value::Word(progress(one, *total)))
            }
            (Self::Versions { numbers, .. }, Seen::Versions(all)) => {
                let there = all.iter().map(|one| one.number).filter(|number| numbers.contains(number));
                Value::Words(there.map(|number| number.to_string()).collect())
            }
            (Self::HostStatus { host, .. }, Seen::Hosts(all)) => {
                let found = all.iter().find(|one| one.host.arn == *host);
                found.map_or(Value::Absent, |one| Value::word(&one.host.status))
            }
            (Self::HostServiceTasks { host, daemons, .. }, Seen::Tasks(all)) => of_host(all, host, |task| {
                task.service().is_some_and(|name| !daemons.iter().any(|daemon| daemon == name))
            }),
            (Self::HostStandalone { host, .. }, Seen::Tasks(all)) => {
                of_host(all, host, |task| task.service().is_none())
            }
            (Self::TargetState { target_group, target, port }, Seen::Targets(all)) => {
                let mut found = all.iter().filter(|one| {
                    one.group == *target_group && one.id == *target && (port.is_none() || one.port == *port)
                });
                found.next().map_or(Value::Absent, |one| Value::word(one.state.word()))
            }
            (Self::TargetsHealthy { target_group }, Seen::Targets(all)) => {
                let is_well = |one: &&Target| one.group == *target_group && one.state == TargetState::Healthy;
                Value::Count(all.iter().filter(is_well).count() as u64)
            }
            (
                Self::ServiceDesired { service, .. }
                | Self::ServiceRunning { service, .. }
                | Self::ServiceDeployment { service, .. }
                | Self::ServiceRollout { service, .. },
                Seen::Services(all),
            ) => {
                let found = all.iter().find(|one| one.service.arn == *service);
                found.map_or(Value::Absent, |one| self.of_service(&one.service))
            }
            (Self::TaskStatus { task, .. }, Seen::Tasks(all)) => {
                let found = all.iter().find(|one| one.arn == *task);
                found.map_or(Value::Absent, |one| Value::word(&one.last_status))
            }
            (Self::TaskWanted { task, .. }, Seen::Tasks(all)) => {
                let found = all.iter().find(|one| one.arn == *task);
                found.map_or(Value::Absent, |one| Value::word(&one.desired_status))
            }
            (Self::Command { document, mark, .. }, Seen::Commands(all)) => {
                let found = all.iter().find(|one| one.document == *document && one.comment == *mark);
                found.map_or(Value::Absent, |one| Value::word(&one.status))
            }
            (Self::DocumentHash { .. }, Seen::Document(found)) => {
                let hash = found.as_ref().and_then(|one| one.sha256.as_ref());
                hash.map_or(Value::Absent, Value::word)
            }
            (Self::ParameterVersion { parameter }, Seen::Parameters(all)) => {
                let found = all.iter().find(|one| one.name == *parameter);
                found.map_or(Value::Absent, |one| Value::Count(one.version))
            }
            (Self::ParameterHash { parameter }, Seen::Parameters(all)) => {
                let found = all.iter().find(|one| one.name == *parameter);
                found.map_or(Value::Absent, |one| match &one.value {
                    Some(value) => hash_of(value),
                    None => Value::word(&one.kind),
                })
            }
            (Self::Launching { fact }, seen) => fact.value(seen)?,
            (Self::Core { fact }, seen) => fact.value(seen)?,
            (Self::Ran { fact }, seen) => fact.value(seen)?,
            _ => return None,
        })
    }
}

/// A parameter's value as a fact: its hash, because nobody knows what people put into one.
pub fn hash_of(value: &str) -> Value {
    Value::Word(Sha256::digest(value.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// The tasks on a host that have not stopped, as far as they are meant.
fn of_host(all: &[Task], host: &HostArn, is_meant: impl Fn(&Task) -> bool) -> Value {
    let here = all
        .iter()
        .filter(|task| task.host.as_ref() == Some(host) && task.last_status != "STOPPED" && is_meant(task));
    let mut tasks: Vec<String> = here.map(|task| task.arn.to_string()).collect();
    tasks.sort();
    Value::Words(tasks)
}
