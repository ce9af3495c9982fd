//! `standby` and `return`: members out of service, kept in their group, and back again.

use super::super::aspect::{Aspect, Value};
use super::super::condition::Condition;
use super::super::desk::{Desk, Draft, tier};
use super::super::intent::Intent;
use super::super::plan::{Fact, Lane, Leg, Proof, Step, Undo, leg};
use super::protect::count;
use crate::error::Result;
use crate::fleet::InstanceRow;
use crate::gateway::change::Change;
use crate::gateway::{Look, Seen};
use crate::model::{Group, GroupName, InstanceId, Known, Member};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;

/// What AWS makes of a member that is not there any more.
const GONE: [&str; 4] = ["Terminating", "Terminating:Wait", "Terminating:Proceed", "Terminated"];

/// Members leave service.
pub(super) fn standby<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let mut draft = Draft::default();
        let mut leaving: Vec<(GroupName, u32)> = Vec::new();
        for row in desk.instances(&intent.targets, &mut draft) {
            desk.mind_tags(row, intent, &mut draft);
            let Some((group, member)) = member(row, &mut draft) else { continue };
            if member.state != "InService" && member.state != "Standby" {
                let why = format!("it is {} in {}", member.state, group.name);
                draft.refuse(&row.it.id, why, "only members in service can go into standby");
                continue;
            }
            let is_decremented = !intent.options.replace.unwrap_or(false);
            if member.state == "InService"
                && !may_shrink(group, is_decremented, &mut leaving, row, &mut draft)
            {
                continue;
            }
            let step = enter(desk, row, group, is_decremented).await?;
            let id = row.it.id.to_string();
            draft.hold(&row.scope, "instance", &id, Grip::Alone);
            draft.hold(&row.scope, "group", group.name.as_str(), Grip::Shared);
            draft.lanes.push(Lane {
                name: name(row),
                target: id,
                scope: (*row.scope).clone(),
                tier: tier(row.tier.as_ref()),
                facts: vec![state_fact(group, member)],
                steps: vec![step],
            });
        }
        let replaces = intent.options.replace.unwrap_or(false);
        draft.stays_down = true;
        draft.title = format!("take {} out of service", count(draft.lanes.len(), "instance"));
        draft.cost =
            replaces.then(|| "the groups launch others for them, whose prices are not read".to_owned());
        Ok(draft)
    }
    .boxed()
}

/// Members return into service.
pub(super) fn back<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let mut draft = Draft::default();
        for row in desk.instances(&intent.targets, &mut draft) {
            desk.mind_tags(row, intent, &mut draft);
            let Some((group, member)) = member(row, &mut draft) else { continue };
            if member.state != "Standby" && member.state != "InService" {
                let why = format!("it is {} in {}", member.state, group.name);
                draft.refuse(&row.it.id, why, "only members in standby can return");
                continue;
            }
            if member.state == "Standby" && group.desired >= group.max {
                let why = format!("{} has its maximum of {} already", group.name, group.max);
                let mend = format!("coredeck scale {} --max {}", group.name, group.max + 1);
                draft.refuse(&row.it.id, why, mend);
                continue;
            }
            let id = row.it.id.to_string();
            draft.hold(&row.scope, "instance", &id, Grip::Alone);
            draft.hold(&row.scope, "group", group.name.as_str(), Grip::Shared);
            draft.lanes.push(Lane {
                name: name(row),
                target: id.clone(),
                scope: (*row.scope).clone(),
                tier: None,
                facts: vec![state_fact(group, member)],
                steps: vec![Step {
                    title: format!("return {id} into service in {}", group.name),
                    go: exit(&group.name, &row.it.id),
                    undo: Undo::Exact { leg: Box::new(entering(&group.name, &row.it.id, true, 3_900)) },
                    proof: Proof::Checked,
                    expected_s: 60,
                    may_be_forced: false,
                }],
            });
        }
        draft.title = format!("put {} back into service", count(draft.lanes.len(), "instance"));
        Ok(draft)
    }
    .boxed()
}

/// The step that takes a member out of service. It lasts as long as its load balancer lets connections.
pub(super) async fn enter(
    desk: &Desk<'_>,
    row: &InstanceRow,
    group: &Group,
    is_decremented: bool,
) -> Result<Step> {
    let of = group.target_groups.clone();
    let longest = match desk.look(&row.scope, Look::Leavings { of }).await? {
        Seen::Leavings(all) => all.iter().map(|leaving| u64::from(leaving.delay_s)).max().unwrap_or(0),
        _ => 0,
    };
    let undo = Box::new(exit(&group.name, &row.it.id));
    let why = "its group launches another one for it, and keeps that one: it will be one larger";
    Ok(Step {
        title: format!("put {} into standby in {}", row.it.id, group.name),
        go: entering(&group.name, &row.it.id, is_decremented, longest + 600),
        undo: if is_decremented {
            Undo::Exact { leg: undo }
        } else {
            Undo::BestEffort { leg: undo, why: why.to_owned() }
        },
        proof: Proof::Checked,
        expected_s: longest + 30,
        may_be_forced: false,
    })
}

fn entering(group: &GroupName, id: &InstanceId, is_decremented: bool, within_s: u64) -> Leg {
    let state = Aspect::MemberState { group: group.clone(), instance: id.clone() };
    let change = Change::EnterStandby { group: group.clone(), instances: vec![id.clone()], is_decremented };
    Leg {
        taken: Some(one_of(&state, &["EnteringStandby", "Standby"])),
        spoiled: Some(super::super::plan::Spoiled {
            when: Condition::Any {
                of: vec![one_of(&state, &GONE), Condition::is(state.clone(), Value::Absent)],
            },
            why: format!("{id} left {group}"),
        }),
        ..leg(change, Condition::is(state, Value::word("Standby")), within_s, 10)
    }
}

fn exit(group: &GroupName, id: &InstanceId) -> Leg {
    let state = Aspect::MemberState { group: group.clone(), instance: id.clone() };
    let change = Change::ExitStandby { group: group.clone(), instances: vec![id.clone()] };
    Leg {
        taken: Some(one_of(&state, &["Pending", "Pending:Wait", "Pending:Proceed", "InService"])),
        spoiled: Some(super::super::plan::Spoiled {
            when: Condition::Any {
                of: vec![one_of(&state, &GONE), Condition::is(state.clone(), Value::Absent)],
            },
            why: format!("{id} left {group}"),
        }),
        ..leg(change, Condition::is(state, Value::word("InService")), 900, 10)
    }
}

/// A word that is one of these.
pub(super) fn one_of(fact: &Aspect, words: &[&str]) -> Condition {
    Condition::OneOf { fact: fact.clone(), values: words.iter().map(Value::word).collect() }
}

/// An instance as its group sees it; one without a group is refused.
fn member<'a>(row: &'a InstanceRow, draft: &mut Draft) -> Option<(&'a Group, &'a Member)> {
    match &row.member {
        Known::Yes(Some(member)) => Some((member.group(), member)),
        _ => {
            let mend = "`coredeck drain` empties it, `coredeck stop` stops it";
            draft.refuse(&row.it.id, "it belongs to no Auto Scaling group", mend);
            None
        }
    }
}

/// Whether a group may get smaller by one more; refuses otherwise, which AWS would do too, but later.
pub(super) fn may_shrink(
    group: &Group,
    is_decremented: bool,
    leaving: &mut Vec<(GroupName, u32)>,
    row: &InstanceRow,
    draft: &mut Draft,
) -> bool {
    if !is_decremented {
        return true;
    }
    let at = leaving.iter().position(|(name, _)| *name == group.name).unwrap_or_else(|| {
        leaving.push((group.name.clone(), 0));
        leaving.len() - 1
    });
    leaving[at].1 += 1;
    let left = group.desired.saturating_sub(leaving[at].1);
    if left >= group.min && group.desired >= leaving[at].1 {
        return true;
    }
    let why = format!("{} would have {left} and its minimum is {}", group.name, group.min);
    let mend =
        format!("say --replace to let it launch another one, or coredeck scale {} --min {left}", group.name);
    draft.refuse(&row.it.id, why, mend);
    false
}

/// The fact that a member is in the state that it is in.
pub(super) fn state_fact(group: &Group, member: &Member) -> Fact {
    let fact = Aspect::MemberState { group: group.name.clone(), instance: member.id.clone() };
    Fact { fact, was: Value::word(&member.state) }
}

/// What a person calls an instance.
pub(super) fn name(row: &InstanceRow) -> String {
    match row.it.name() {
        Some(name) => format!("{} ({name})", row.it.id),
        None => row.it.id.to_string(),
    }
}
