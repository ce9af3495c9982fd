//! What a person calls each fact.

use super::Aspect;
use crate::model::short_arn;
use crate::model::text::harmless;
use std::fmt;

impl fmt::Display for Aspect {
    /// What a person calls it; text from AWS is made harmless.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let say = |raw: &str| harmless(short_arn(raw)).into_owned();
        match self {
            Self::InstanceState { instance } => write!(f, "state of {}", say(instance.as_str())),
            Self::InstanceTag { instance, key } => {
                write!(f, "tag {} of {}", harmless(key), say(instance.as_str()))
            }
            Self::MemberState { group, instance } => {
                write!(f, "state of {} in {}", say(instance.as_str()), say(group.as_str()))
            }
            Self::MemberProtected { group, instance } => {
                write!(f, "scale-in protection of {} in {}", say(instance.as_str()), say(group.as_str()))
            }
            Self::GroupMin { group } => write!(f, "minimum of {}", say(group.as_str())),
            Self::GroupMax { group } => write!(f, "maximum of {}", say(group.as_str())),
            Self::GroupDesired { group } => write!(f, "desired capacity of {}", say(group.as_str())),
            Self::GroupInService { group } => write!(f, "members in service of {}", say(group.as_str())),
            Self::GroupMembers { group } => write!(f, "members of {}", say(group.as_str())),
            Self::GroupExcess { group } => write!(f, "members too many of {}", say(group.as_str())),
            Self::GroupSuspended { group, process } => {
                write!(f, "suspension of {} in {}", harmless(process), say(group.as_str()))
            }
            Self::GroupSetting { group, setting } => {
                write!(f, "{} of {}", setting.word(), say(group.as_str()))
            }
            Self::GroupLaunches { group } => write!(f, "what {} launches", say(group.as_str())),
            Self::GroupRuns { group, .. } => {
                write!(f, "versions that members of {} run", say(group.as_str()))
            }
            Self::GroupRefresh { group } => write!(f, "the newest refresh of {}", say(group.as_str())),
            Self::RefreshStatus { mark } => write!(f, "{mark}"),
            Self::RefreshProgress { mark, .. } => write!(f, "progress of {mark}"),
            Self::Versions { template, .. } => {
                write!(f, "versions of {} to be deleted", say(template.as_str()))
            }
            Self::HostStatus { host, .. } => write!(f, "status of host {}", say(host.as_str())),
            Self::HostServiceTasks { host, .. } => write!(f, "service tasks on host {}", say(host.as_str())),
            Self::HostStandalone { host, .. } => {
                write!(f, "standalone tasks on host {}", say(host.as_str()))
            }
            Self::TargetState { target_group, target, port } => {
                let name = target_group.as_str().rsplit('/').nth(1).unwrap_or(target_group.as_str());
                write!(f, "health of {}", harmless(target))?;
                port.map_or(Ok(()), |port| write!(f, ":{port}"))?;
                write!(f, " in {}", harmless(name))
            }
            Self::TargetsHealthy { target_group } => {
                let name = target_group.as_str().rsplit('/').nth(1).unwrap_or(target_group.as_str());
                write!(f, "healthy targets of {}", harmless(name))
            }
            Self::ServiceDesired { service, .. } => write!(f, "wanted tasks of {}", say(service.as_str())),
            Self::ServiceRunning { service, .. } => write!(f, "running tasks of {}", say(service.as_str())),
            Self::ServiceDeployment { service, .. } => write!(f, "deployment of {}", say(service.as_str())),
            Self::ServiceRollout { service, .. } => write!(f, "rollout of {}", say(service.as_str())),
            Self::TaskStatus { task, .. } => write!(f, "status of task {}", say(task.as_str())),
            Self::TaskWanted { task, .. } => write!(f, "wanted status of task {}", say(task.as_str())),
            Self::Command { document, mark, .. } => write!(f, "command {} `{mark}`", harmless(document)),
            Self::DocumentHash { document } => write!(f, "content of document {}", harmless(document)),
            Self::ParameterVersion { parameter } => write!(f, "version of {}", harmless(parameter)),
            Self::ParameterHash { parameter } => write!(f, "hash of {}", harmless(parameter)),
            Self::Launching { fact } => write!(f, "{fact}"),
            Self::Core { fact } => write!(f, "{fact}"),
            Self::Ran { fact } => write!(f, "{fact}"),
        }
    }
}
