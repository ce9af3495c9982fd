//! `protect` and `unprotect`: whether a group may scale a member in.

use super::super::aspect::{Aspect, Value};
use super::super::condition::Condition;
use super::super::desk::{Desk, Draft};
use super::super::intent::Intent;
use super::super::losses::Ending;
use super::super::plan::{Fact, Lane, Proof, Step, Undo, leg};
use crate::error::Result;
use crate::fleet::{Fleet, GroupRow};
use crate::gateway::change::Change;
use crate::model::{Group, GroupName, InstanceId, Known, Member, Scope, TargetGroupArn};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Members are protected.
pub(super) fn protect<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move { Ok(draft(desk, intent, true)) }.boxed()
}

/// Members are protected no longer.
pub(super) fn unprotect<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move { Ok(draft(desk, intent, false)) }.boxed()
}

/// Tells whether ECS protects members of a group from scale-in by itself, while they run tasks.
pub(super) fn is_guarded_by_ecs(fleet: &Fleet, group: &Group) -> bool {
    fleet.clusters.iter().flat_map(|cluster| &cluster.it.providers).any(|provider| {
        provider.managed_termination_protection && provider.group_arn.as_ref() == Some(&group.arn)
    })
}

/// Units that a group has too many and cannot end while they are protected.
fn too_many(group: &Group) -> u32 {
    if group.suspended.iter().any(|process| process == "Terminate") {
        return 0;
    }
    let excess = group.excess_over(group.desired);
    let open = group.members.iter().filter(|one| one.counts() && !one.is_protected).map(|one| one.units());
    open.filter(|units| *units <= excess).fold(excess, u32::saturating_sub)
}

/// Whom a group ends as soon as these are protected no longer, because it has more than it wants.
fn end(desk: &Desk<'_>, scope: &Scope, group: &GroupName, freed: &[InstanceId], draft: &mut Draft) {
    let is_it = |row: &&GroupRow| *row.scope == *scope && row.it.name == *group;
    let Some(row) = desk.fleet.groups.iter().find(is_it) else { return };
    let may_go: Vec<&Member> = row.it.members.iter().filter(|one| freed.contains(&one.id)).collect();
    let (all, ending) = (may_go.len(), Ending::of_excess(row, may_go, too_many(&row.it)));
    let whom = match ending.some_of_them() {
        Some(count) => format!("{count} of these {all} are ended, and AWS chooses which"),
        None if all == 1 => format!("{} is ended", freed.first().map_or("it", |id| id.as_str())),
        None => format!("all {all} are ended"),
    };
    draft.warn(format!("{group} has more than the {} that it wants: unprotected, {whom}", row.it.desired));
    draft.endings.push(ending);
}

/// Whom it takes down is told by the targets of all groups, where a group has more members than it wants.
pub(super) fn targets_of(fleet: &Fleet) -> Option<Vec<(Scope, TargetGroupArn)>> {
    let any = fleet.groups.iter().any(|row| too_many(&row.it) > 0);
    if any { None } else { Some(Vec::new()) }
}

fn draft(desk: &Desk<'_>, intent: &Intent, to: bool) -> Draft {
    let mut draft = Draft::default();
    let mut freed: BTreeMap<(Arc<Scope>, GroupName), Vec<InstanceId>> = BTreeMap::new();
    for row in desk.instances(&intent.targets, &mut draft) {
        desk.mind_tags(row, intent, &mut draft);
        let Known::Yes(Some(member)) = &row.member else {
            let mend = "only members of a group are protected from scale-in";
            draft.refuse(&row.it.id, "it belongs to no Auto Scaling group", mend);
            continue;
        };
        let (group, id) = (member.group().name.clone(), row.it.id.clone());
        let is_protected = member.is_protected;
        let ends = !to && is_protected && member.counts() && member.units() <= too_many(member.group());
        if ends {
            freed.entry((Arc::clone(&row.scope), group.clone())).or_default().push(id.clone());
        }
        if is_guarded_by_ecs(desk.fleet, member.group()) {
            draft.warn(format!("ECS itself protects members of {group} that run tasks, and may set it back"));
        }
        draft.hold(&row.scope, "instance", id.as_str(), Grip::Alone);
        draft.hold(&row.scope, "group", group.as_str(), Grip::Shared);
        let state = Aspect::MemberState { group: group.clone(), instance: id.clone() };
        let guarded = Aspect::MemberProtected { group: group.clone(), instance: id.clone() };
        let mut facts = vec![
            Fact { fact: state, was: Value::word(&member.state) },
            Fact { fact: guarded.clone(), was: Value::Flag(is_protected) },
        ];
        // By its size it is decided whether anybody is ended.
        if !to {
            let was = Value::Count(member.group().desired.into());
            facts.push(Fact { fact: Aspect::GroupDesired { group: group.clone() }, was });
        }
        let until = if ends {
            // It may be gone before anybody looks.
            Condition::OneOf { fact: guarded.clone(), values: vec![Value::Flag(to), Value::Absent] }
        } else {
            Condition::is(guarded.clone(), Value::Flag(to))
        };
        draft.lanes.push(Lane {
            name: row.it.name().map_or(id.to_string(), |name| format!("{id} ({name})")),
            target: id.to_string(),
            scope: (*row.scope).clone(),
            tier: None,
            facts,
            steps: vec![Step {
                title: format!(
                    "{} scale-in protection of {id} in {group}",
                    if to { "set" } else { "remove" }
                ),
                go: leg(one(&group, &id, to), until, 60, 5),
                undo: if ends {
                    let why =
                        format!("{group} has more members than it wants, and ends whoever is not protected");
                    Undo::Impossible { why }
                } else {
                    let back = Condition::is(guarded, Value::Flag(!to));
                    Undo::Exact { leg: Box::new(leg(one(&group, &id, !to), back, 60, 5)) }
                },
                proof: Proof::Checked,
                expected_s: 2,
                may_be_forced: false,
            }],
        });
    }
    for ((scope, group), members) in freed {
        end(desk, &scope, &group, &members, &mut draft);
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
