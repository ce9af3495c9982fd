//! `stop`, `start` and `reboot`: instances by themselves; `stop` takes tasks too.

use super::super::aspect::{Aspect, Value};
use super::super::condition::Condition;
use super::super::desk::{Desk, Draft, tier};
use super::super::intent::Intent;
use super::super::plan::{Fact, Lane, Leg, Proof, ROOM_FOR_ID, Step, Undo, leg};
use super::protect::count;
use super::standby::{name, one_of};
use crate::error::Result;
use crate::fleet::{InstanceRow, TaskRow};
use crate::gateway::change::Change;
use crate::model::{InstanceId, InstanceState, Known, Lifecycle};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;

/// How long an instance may take to start or stop.
const WITHIN_S: u64 = 900;

/// Instances or tasks stop.
pub(super) fn stop<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let mut draft = Draft::default();
        let (tasks, instances) = sorted(desk, &intent.targets);
        for row in desk.instances(&instances, &mut draft) {
            desk.mind_tags(row, intent, &mut draft);
            if row.it.lifecycle == Lifecycle::Spot {
                let mend = "`coredeck terminate` ends it";
                draft.refuse(&row.it.id, "a spot instance is not stopped", mend);
                continue;
            }
            if let Known::Yes(Some(member)) = &row.member
                && member.state != "Standby"
            {
                let why = format!("{} would end it and launch another one", member.group().name);
                draft.refuse(&row.it.id, why, format!("coredeck standby {} first", row.it.id));
                continue;
            }
            if !is_empty(desk, row, &mut draft) {
                continue;
            }
            let id = row.it.id.clone();
            let back = Box::new(starting(&id));
            let why = "its public address and what instance stores held are lost".to_owned();
            push(
                row,
                &mut draft,
                true,
                Step {
                    title: format!("stop {id}"),
                    go: stopping(&id),
                    undo: Undo::BestEffort { leg: back, why },
                    proof: Proof::Checked,
                    expected_s: 60,
                    may_be_forced: false,
                },
            );
        }
        for row in desk.tasks(&tasks, &mut draft) {
            task(row, &mut draft);
        }
        draft.stays_down = true;
        draft.title = format!("stop {}", what(&draft));
        Ok(draft)
    }
    .boxed()
}

/// Instances start.
pub(super) fn start<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let mut draft = Draft::default();
        for row in desk.instances(&intent.targets, &mut draft) {
            desk.mind_tags(row, intent, &mut draft);
            if !matches!(
                row.it.state,
                InstanceState::Stopped | InstanceState::Running | InstanceState::Pending
            ) {
                let why = format!("it is {}", row.it.state.word());
                draft.refuse(&row.it.id, why, "only instances that are stopped can be started");
                continue;
            }
            let id = row.it.id.clone();
            push(
                row,
                &mut draft,
                false,
                Step {
                    title: format!("start {id}"),
                    go: starting(&id),
                    undo: Undo::Exact { leg: Box::new(stopping(&id)) },
                    proof: Proof::Checked,
                    expected_s: 60,
                    may_be_forced: false,
                },
            );
        }
        draft.title = format!("start {}", count(draft.lanes.len(), "instance"));
        draft.cost = Some("the prices of their instance types are not read".to_owned());
        Ok(draft)
    }
    .boxed()
}

/// Instances reboot.
pub(super) fn reboot<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let mut draft = Draft::default();
        for row in desk.instances(&intent.targets, &mut draft) {
            desk.mind_tags(row, intent, &mut draft);
            if row.it.state != InstanceState::Running {
                let why = format!("it is {}", row.it.state.word());
                draft.refuse(&row.it.id, why, "only instances that run can be rebooted");
                continue;
            }
            if !is_empty(desk, row, &mut draft) {
                continue;
            }
            if let Known::Yes(Some(member)) = &row.member
                && member.state == "InService"
            {
                draft.warn(format!("{} may take a reboot for a failure and replace it", member.group().name));
            }
            let id = row.it.id.clone();
            let change = Change::RebootInstances { instances: vec![id.clone()] };
            push(
                row,
                &mut draft,
                true,
                Step {
                    title: format!("reboot {id}"),
                    go: leg(change, Condition::Taken, WITHIN_S, 10),
                    undo: Undo::Impossible { why: "a reboot cannot be taken back".to_owned() },
                    proof: Proof::Checked,
                    expected_s: 60,
                    may_be_forced: false,
                },
            );
        }
        draft.title = format!("reboot {}", count(draft.lanes.len(), "instance"));
        Ok(draft)
    }
    .boxed()
}

/// Task ids, and everything else, which are instances.
pub(super) fn sorted(desk: &Desk<'_>, targets: &[String]) -> (Vec<String>, Vec<String>) {
    let is_task = |target: &&String| {
        desk.fleet.tasks.iter().any(|row| row.it.short_id() == *target || row.it.arn.as_str() == *target)
    };
    targets.iter().cloned().partition(|target| is_task(&target))
}

/// Whether an instance serves nobody by ECS; one that does is refused.
fn is_empty(desk: &Desk<'_>, row: &InstanceRow, draft: &mut Draft) -> bool {
    let Known::Yes(Some(host)) = &row.host else { return true };
    let tasks = desk
        .fleet
        .tasks
        .iter()
        .filter(|task| task.it.host.as_ref() == Some(&host.arn) && task.it.last_status != "STOPPED");
    let tasks = tasks.count();
    if tasks == 0 || host.status == "DRAINING" {
        return true;
    }
    let why = format!("{} run on it", count(tasks, "task"));
    draft.refuse(&row.it.id, why, format!("coredeck drain {} first", row.it.id));
    false
}

fn push(row: &InstanceRow, draft: &mut Draft, takes_down: bool, step: Step) {
    let id = row.it.id.clone();
    draft.hold(&row.scope, "instance", id.as_str(), Grip::Alone);
    let state = Aspect::InstanceState { instance: id.clone() };
    draft.lanes.push(Lane {
        name: name(row),
        target: id.to_string(),
        scope: (*row.scope).clone(),
        tier: takes_down.then(|| tier(row.tier.as_ref())).flatten(),
        facts: vec![Fact { fact: state, was: Value::word(row.it.state.word()) }],
        steps: vec![step],
    });
}

fn stopping(id: &InstanceId) -> Leg {
    let state = Aspect::InstanceState { instance: id.clone() };
    let change = Change::StopInstances { instances: vec![id.clone()] };
    Leg {
        taken: Some(one_of(&state, &["stopping", "stopped"])),
        ..leg(change, one_of(&state, &["stopped"]), WITHIN_S, 10)
    }
}

fn starting(id: &InstanceId) -> Leg {
    let state = Aspect::InstanceState { instance: id.clone() };
    let change = Change::StartInstances { instances: vec![id.clone()] };
    Leg {
        taken: Some(one_of(&state, &["pending", "running"])),
        ..leg(change, one_of(&state, &["running"]), WITHIN_S, 10)
    }
}

/// A task that is stopped.
pub(super) fn task(row: &TaskRow, draft: &mut Draft) {
    let task = &*row.it;
    let keeper = task.service().map(str::to_owned);
    let status = Aspect::TaskStatus { cluster: task.cluster.clone(), task: task.arn.clone() };
    let change = Change::StopTask {
        cluster: task.cluster.clone(),
        task: task.arn.clone(),
        reason: format!("coredeck {ROOM_FOR_ID}"),
    };
    let until =
        Condition::OneOf { fact: status.clone(), values: vec![Value::word("STOPPED"), Value::Absent] };
    let why = match &keeper {
        Some(service) => format!("it is gone; {service} starts another one"),
        None => "it is gone, and no service starts another one".to_owned(),
    };
    draft.hold(&row.scope, "task", task.arn.as_str(), Grip::Alone);
    draft.lanes.push(Lane {
        name: format!("{}/{}", row.cluster, task.short_id()),
        target: task.arn.to_string(),
        scope: (*row.scope).clone(),
        tier: None,
        facts: vec![Fact { fact: status, was: Value::word(&task.last_status) }],
        steps: vec![Step {
            title: format!("stop task {} of {}", task.short_id(), keeper.as_deref().unwrap_or("nobody")),
            go: leg(change, until, 300, 5),
            undo: Undo::Impossible { why },
            proof: Proof::Checked,
            expected_s: 30,
            may_be_forced: false,
        }],
    });
}

/// How many instances and tasks a draft has.
pub(super) fn what(draft: &Draft) -> String {
    let tasks = draft.lanes.iter().filter(|lane| lane.target.contains(":task/")).count();
    let parts = [(draft.lanes.len() - tasks, "instance"), (tasks, "task")];
    let parts: Vec<String> =
        parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, word)| count(n, word)).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(" and ") }
}
