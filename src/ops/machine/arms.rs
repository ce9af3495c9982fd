//! A step that does what fits what is seen: its arms, what shows that AWS took a call, and how far it is.

use super::super::aspect::Aspect;
use super::super::aspect::Value;
use super::super::event::Failure;
use super::super::plan::{Act, Arm};
use super::super::state::{Known, StepState};
use super::One;
use crate::gateway::change::Change;
use crate::model::TaskArn;

impl One<'_> {
    /// The first task that is listed and was not stopped by this operation.
    pub(super) fn next_stop(&self) -> Option<Change> {
        let Act::StopTasks { cluster, listed, .. } = &self.leg.act else { return None };
        let Some(Value::Words(tasks)) = self.eye.value(self.scope(), listed) else { return None };
        let was_stopped = |arn: &str| {
            self.op.calls.values().any(|call| {
                matches!(call.result, Known::Taken)
                    && matches!(&*call.change, Change::StopTask { task, .. } if task.as_str() == arn)
            })
        };
        let task = tasks.iter().find(|arn| !was_stopped(arn))?;
        Some(Change::StopTask {
            cluster: cluster.clone(),
            task: TaskArn::new(task),
            reason: format!("coredeck {}", self.op.record.id),
        })
    }

    /// The arm that fits what is seen. What AWS said no to is not asked of it again: the next arm that fits is gone.
    pub(super) fn arm(&self) -> Option<&Arm> {
        let Act::AsSeen { arms } = &self.leg.act else { return None };
        arms.iter().find(|arm| self.holds(&arm.when) && !self.was_refused(arm))
    }

    fn was_refused(&self, arm: &Arm) -> bool {
        let Some(change) = arm.change.as_deref() else { return false };
        let is_no = |known: &Known| {
            matches!(known, Known::Failed(Failure::Refused | Failure::Full | Failure::Denied, _))
        };
        self.op.calls.values().any(|call| {
            call.way == self.way
                && call.steps.contains(&self.at)
                && *call.change == *change
                && is_no(&call.result)
        })
    }

    /// What is done instead of a call that AWS said no to, where there is such a thing.
    pub(super) fn instead(&self) -> Option<Change> {
        let Act::AsSeen { arms } = &self.leg.act else { return None };
        let is_otherwise = |arm: &&Arm| self.holds(&arm.when) && self.was_refused(arm);
        arms.iter().find(is_otherwise)?;
        self.arm()?.change.as_deref().cloned()
    }

    /// What follows on the call that AWS took last: the change of another arm than that call's.
    pub(super) fn next_arm(&self) -> Option<Change> {
        let change = self.arm()?.change.as_deref()?;
        let mut mine = self.op.calls.values().rev();
        let last = mine.find(|call| call.way == self.way && call.steps.contains(&self.at));
        last.is_none_or(|last| *last.change != *change).then(|| change.clone())
    }

    /// How far it is, in words.
    pub(super) fn told(&self) -> Option<String> {
        let value = |fact: &&Aspect| {
            let value = self.eye.value(self.scope(), fact).filter(|value| **value != Value::Absent);
            value.map(Value::to_string)
        };
        let is_beside = |fact: &&Aspect| matches!(fact, Aspect::GroupRuns { .. });
        let told = self.leg.tells.iter().filter(|fact| !is_beside(fact)).find_map(|fact| value(&fact))?;
        let beside = self.leg.tells.iter().filter(is_beside).find_map(|fact| value(&fact));
        // AWS ends its reasons with a full stop, and none stands in the middle of a line.
        Some(beside.map(|beside| format!("{}; {beside}", told.trim_end_matches('.'))).unwrap_or(told))
    }

    /// How far it is, where that was not recorded yet.
    pub(super) fn news(&self) -> Option<String> {
        let is_begun = !matches!(self.state(), StepState::Fresh | StepState::Refused { .. });
        self.told().filter(|told| is_begun && self.lane().told.as_ref() != Some(told))
    }

    /// What it is judged by, where that was not recorded yet.
    pub(super) fn evidence(&self) -> Option<Vec<(String, Value)>> {
        if self.leg.judges.is_empty() || matches!(self.state(), StepState::Fresh | StepState::Refused { .. })
        {
            return None;
        }
        let seen = self.leg.judges.iter();
        let seen =
            seen.filter_map(|fact| Some((fact.to_string(), self.eye.value(self.scope(), fact)?.clone())));
        let seen: Vec<(String, Value)> = seen.collect();
        let known = self.lane().judged.as_ref();
        known.is_none_or(|known| known.step != self.at.step || known.seen != seen).then_some(seen)
    }
}
