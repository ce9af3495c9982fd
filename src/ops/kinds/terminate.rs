//! `terminate`: instances end, through their group where they have one; tasks stop.

use super::super::aspect::{Aspect, Value};
use super::super::condition::Condition;
use super::super::desk::{Desk, Draft, tier};
use super::super::intent::Intent;
use super::super::plan::{Fact, Lane, Leg, Proof, Step, Undo, leg};
use super::instances::{sorted, task, what};
use super::standby::{may_shrink, name, state_fact};
use crate::error::Result;
use crate::fleet::InstanceRow;
use crate::gateway::change::Change;
use crate::model::{Group, InstanceId, InstanceState, Known};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;

/// How long hooks, load balancers and the machine may take together.
const WITHIN_S: u64 = 3_600;

/// Instances end.
pub(super) fn draft<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let mut draft = Draft::default();
        let mut leaving = Vec::new();
        let (tasks, instances) = sorted(desk, &intent.targets);
        for row in desk.instances(&instances, &mut draft) {
            desk.mind_tags(row, intent, &mut draft);
            if row.it.state.is_gone() {
                draft.refuse(&row.it.id, format!("it is {} already", row.it.state.word()), "nothing to do");
                continue;
            }
            if let Known::Yes(Some(host)) = &row.host
                && host.status == "ACTIVE"
                && host.running_tasks > 0
            {
                let why = format!("{} tasks run on it", host.running_tasks);
                let mend = format!("coredeck drain {} --then terminate", row.it.id);
                draft.refuse(&row.it.id, why, mend);
                continue;
            }
            let is_decremented = !intent.options.replace.unwrap_or(true);
            let group = match &row.member {
                Known::Yes(Some(member)) => Some((member.group(), &**member)),
                _ => None,
            };
            if let Some((group, _)) = group
                && !may_shrink(group, is_decremented, &mut leaving, row, &mut draft)
            {
                continue;
            }
            let mut facts = vec![Fact {
                fact: Aspect::InstanceState { instance: row.it.id.clone() },
                was: Value::word(row.it.state.word()),
            }];
            facts.extend(group.map(|(group, member)| state_fact(group, member)));
            draft.hold(&row.scope, "instance", row.it.id.as_str(), Grip::Alone);
            if let Some((group, _)) = group {
                draft.hold(&row.scope, "group", group.name.as_str(), Grip::Shared);
            }
            let serves = matches!(row.it.state, InstanceState::Running | InstanceState::Pending);
            draft.lanes.push(Lane {
                name: name(row),
                target: row.it.id.to_string(),
                scope: (*row.scope).clone(),
                tier: serves.then(|| tier(row.tier.as_ref())).flatten(),
                facts,
                steps: vec![ending(row, group.map(|(group, _)| group), is_decremented)],
            });
        }
        for row in desk.tasks(&tasks, &mut draft) {
            task(row, &mut draft);
        }
        draft.title = format!("terminate {}", what(&draft));
        draft.cost = Some("the prices of their instance types are not read".to_owned());
        Ok(draft)
    }
    .boxed()
}

/// The step that ends an instance.
pub(super) fn ending(row: &InstanceRow, group: Option<&Group>, is_decremented: bool) -> Step {
    let id = &row.it.id;
    let how = match (group, is_decremented) {
        (Some(group), true) => format!("; {} gets smaller by one", group.name),
        (Some(group), false) => format!("; {} launches another one", group.name),
        (None, _) => String::new(),
    };
    Step {
        title: format!("terminate {id}{how}"),
        go: end(id, group, is_decremented),
        undo: Undo::Impossible { why: "an instance that was ended is gone, with its disks".to_owned() },
        proof: Proof::Checked,
        expected_s: 120,
        may_be_forced: false,
    }
}

fn end(id: &InstanceId, group: Option<&Group>, is_decremented: bool) -> Leg {
    let state = Aspect::InstanceState { instance: id.clone() };
    let gone = |words: &[&str]| {
        let words = words.iter().map(Value::word).chain([Value::Absent]).collect();
        Condition::OneOf { fact: state.clone(), values: words }
    };
    let until = gone(&["terminated"]);
    let Some(group) = group else {
        let change = Change::TerminateInstances { instances: vec![id.clone()] };
        return Leg {
            taken: Some(gone(&["shutting-down", "terminated"])),
            ..leg(change, until, WITHIN_S, 10)
        };
    };
    let member = Aspect::MemberState { group: group.name.clone(), instance: id.clone() };
    let words = ["Terminating", "Terminating:Wait", "Terminating:Proceed", "Terminated"];
    let leaves = words.iter().map(Value::word).chain([Value::Absent]).collect();
    let change = Change::TerminateInGroup { instance: id.clone(), is_decremented };
    Leg {
        taken: Some(Condition::Any {
            of: vec![
                gone(&["shutting-down", "terminated"]),
                Condition::OneOf { fact: member, values: leaves },
            ],
        }),
        ..leg(change, until, WITHIN_S, 15)
    }
}
