//! The facts of groups and services: members, sizes, what they launch and how far they are.

use super::super::refreshing::{back, launches};
use super::{Aspect, Value};
use crate::model::InstanceId;

impl Aspect {
    pub(super) fn of_group(&self, group: &crate::model::Group) -> Value {
        let member = |id: &InstanceId| group.members.iter().find(|member| member.id == *id);
        match self {
            Self::MemberState { instance, .. } => {
                member(instance).map_or(Value::Absent, |member| Value::word(&member.state))
            }
            Self::MemberProtected { instance, .. } => {
                member(instance).map_or(Value::Absent, |member| Value::Flag(member.is_protected))
            }
            Self::GroupMin { .. } => Value::Count(group.min.into()),
            Self::GroupMax { .. } => Value::Count(group.max.into()),
            Self::GroupDesired { .. } => Value::Count(group.desired.into()),
            Self::GroupInService { .. } => {
                let well = |member: &&crate::model::Member| {
                    member.state == "InService" && member.health.eq_ignore_ascii_case("healthy")
                };
                Value::Count(group.members.iter().filter(well).count() as u64)
            }
            Self::GroupExcess { .. } => Value::Count(group.excess() as u64),
            Self::GroupMembers { .. } => Value::Count(group.members.len() as u64),
            Self::GroupLaunches { .. } => Value::Words(launches(group)),
            Self::GroupRuns { versions, .. } => back(group, versions).map_or(Value::Absent, Value::Word),
            Self::GroupSetting { setting, .. } => setting.of(group),
            Self::GroupSuspended { process, .. } => {
                Value::Flag(group.suspended.iter().any(|suspended| suspended == process))
            }
            _ => Value::Absent,
        }
    }

    pub(super) fn of_service(&self, service: &crate::model::Service) -> Value {
        let primary = || service.deployments.iter().find(|deployment| deployment.status == "PRIMARY");
        match self {
            Self::ServiceDesired { .. } => Value::Count(service.desired.into()),
            Self::ServiceRunning { .. } => Value::Count(service.running.into()),
            Self::ServiceDeployment { .. } => primary().map_or(Value::Absent, |one| Value::word(&one.id)),
            Self::ServiceRollout { .. } => match primary() {
                None => Value::Absent,
                Some(one) => match &one.rollout {
                    Some(word) => Value::word(word),
                    // Services of other controllers say nothing: alone and complete is done.
                    None if service.deployments.len() == 1 && one.running == one.desired => {
                        Value::word("COMPLETED")
                    }
                    None => Value::word("IN_PROGRESS"),
                },
            },
            _ => Value::Absent,
        }
    }
}
