//! `protect` and `unprotect`: whether a group may scale a member in.

use super::super::aspect::{Aspect, Value};
use super::super::condition::Condition;
use super::super::desk::{Desk, Draft};
use super::super::intent::Intent;
use super::super::plan::{Fact, Lane, Proof, Step, Undo, leg};
use crate::error::Result;
use crate::gateway::change::Change;
use crate::model::{GroupName, InstanceId, Known};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;

/// Members are protected.
pub(super) fn protect<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move { Ok(draft(desk, intent, true)) }.boxed()
}

/// Members are protected no longer.
pub(super) fn unprotect<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move { Ok(draft(desk, intent, false)) }.boxed()
}

fn draft(desk: &Desk<'_>, intent: &Intent, to: bool) -> Draft {
    let mut draft = Draft::default();
    for row in desk.instances(&intent.targets, &mut draft) {
        desk.mind_tags(row, intent, &mut draft);
        let Known::Yes(Some(member)) = &row.member else {
            let mend = "only members of a group are protected from scale-in";
            draft.refuse(&row.it.id, "it belongs to no Auto Scaling group", mend);
            continue;
        };
        let (group, id) = (member.group().name.clone(), row.it.id.clone());
        let is_protected = member.is_protected;
        let manages = desk.fleet.clusters.iter().flat_map(|cluster| &cluster.it.providers).any(|provider| {
            provider.managed_termination_protection
                && provider.group_arn.as_ref() == Some(&member.group().arn)
        });
        if manages {
            draft.warn(format!("ECS itself protects members of {group} that run tasks, and may set it back"));
        }
        draft.hold(&row.scope, "instance", id.as_str(), Grip::Alone);
        draft.hold(&row.scope, "group", group.as_str(), Grip::Shared);
        let state = Aspect::MemberState { group: group.clone(), instance: id.clone() };
        let guarded = Aspect::MemberProtected { group: group.clone(), instance: id.clone() };
        draft.lanes.push(Lane {
            name: row.it.name().map_or(id.to_string(), |name| format!("{id} ({name})")),
            target: id.to_string(),
            scope: (*row.scope).clone(),
            tier: None,
            facts: vec![
                Fact { fact: state, was: Value::word(&member.state) },
                Fact { fact: guarded.clone(), was: Value::Flag(is_protected) },
            ],
            steps: vec![Step {
                title: format!(
                    "{} scale-in protection of {id} in {group}",
                    if to { "set" } else { "remove" }
                ),
                go: leg(one(&group, &id, to), Condition::is(guarded.clone(), Value::Flag(to)), 60, 5),
                undo: Undo::Exact {
                    leg: Box::new(leg(
                        one(&group, &id, !to),
                        Condition::is(guarded, Value::Flag(!to)),
                        60,
                        5,
                    )),
                },
                proof: Proof::Checked,
                expected_s: 2,
                may_be_forced: false,
            }],
        });
    }
    let verb = if to { "protect" } else { "unprotect" };
    draft.title = format!("{verb} {} from scale-in", count(draft.lanes.len(), "instance"));
    draft
}

fn one(group: &GroupName, id: &InstanceId, is_protected: bool) -> Change {
    Change::ProtectScaleIn { group: group.clone(), instances: vec![id.clone()], is_protected }
}

/// `1 instance`, `2 instances`.
pub(super) fn count(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
