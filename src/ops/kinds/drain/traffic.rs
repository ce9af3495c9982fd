//! The load balancer's side of a drain: target groups that name the instance itself.
//!
//! Groups that an Auto Scaling group is attached to are left to it: going into standby, or being ended by the
//! group, takes a member out of them, and taking it out behind the group's back may make it replace the member.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::condition::Condition;
use super::super::super::desk::{Desk, Draft};
use super::super::super::intent::{Intent, Then};
use super::super::super::plan::{Fact, Proof, Step, Undo, leg};
use super::super::standby::one_of;
use crate::error::Result;
use crate::fleet::InstanceRow;
use crate::gateway::change::{Change, TargetRef};
use crate::gateway::{Look, Seen};
use crate::model::{Group, Known, Scope, Target, TargetGroupArn, TargetState, Text};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds that connections may last where AWS says nothing of a target group.
const USUAL_S: u64 = 300;

/// Seconds that connections to targets that leave may last, by target group.
pub(super) type Delays = BTreeMap<TargetGroupArn, u64>;

/// The steps that take an instance out of target groups.
#[expect(clippy::too_many_arguments, reason = "a lane is made of all of these, and of nothing else")]
pub(super) fn steps(
    desk: &Desk<'_>,
    row: &InstanceRow,
    group: Option<&Group>,
    intent: &Intent,
    delays: &Delays,
    facts: &mut Vec<Fact>,
    steps: &mut Vec<Step>,
    draft: &mut Draft,
) {
    for target in here(desk, row) {
        if group.is_some_and(|group| group.target_groups.contains(&target.group)) {
            if intent.options.then == Then::Keep {
                let name = short(&target.group);
                draft.warn(format!(
                    "{} stays in {name}, which its Auto Scaling group registers it with: --then standby takes it out",
                    row.it.id
                ));
            }
            continue;
        }
        // ECS itself takes the targets of its services out while their tasks stop.
        if is_of_service(desk, &target.group) {
            continue;
        }
        steps.push(step(target, delays.get(&target.group).copied().unwrap_or(USUAL_S)));
        facts.push(Fact { fact: fact(target), was: Value::word(target.state.word()) });
    }
}

/// How long connections to targets that leave may last, by target group, asked for of all at once.
pub(super) async fn delays(desk: &Desk<'_>, rows: &[&InstanceRow]) -> Result<Delays> {
    let mut of: BTreeMap<&Scope, BTreeSet<TargetGroupArn>> = BTreeMap::new();
    for row in rows {
        let group = match &row.member {
            Known::Yes(Some(member)) => Some(member.group()),
            _ => None,
        };
        let leaves = here(desk, row).filter(|target| {
            !group.is_some_and(|group| group.target_groups.contains(&target.group))
                && !is_of_service(desk, &target.group)
        });
        of.entry(&row.scope).or_default().extend(leaves.map(|target| target.group.clone()));
    }
    let asks = of.into_iter().filter(|(_, groups)| !groups.is_empty());
    let asks =
        asks.map(|(scope, groups)| desk.look(scope, Look::Leavings { of: groups.into_iter().collect() }));
    let mut delays = Delays::new();
    for seen in futures::future::try_join_all(asks).await? {
        if let Seen::Leavings(all) = seen {
            delays.extend(all.into_iter().map(|leaving| (leaving.group, u64::from(leaving.delay_s))));
        }
    }
    Ok(delays)
}

/// Targets of an instance that have not left.
fn here<'a>(desk: &'a Desk<'_>, row: &'a InstanceRow) -> impl Iterator<Item = &'a Target> {
    let is_here = |target: &&Target| target.id == row.it.id.as_str() && target.state != TargetState::Draining;
    let all = desk.fleet.targets.iter().filter(|target| target.scope == row.scope).map(|target| &*target.it);
    all.filter(is_here)
}

fn fact(target: &Target) -> Aspect {
    Aspect::TargetState { target_group: target.group.clone(), target: target.id.clone(), port: target.port }
}

fn step(target: &Target, delay: u64) -> Step {
    let targets = || vec![TargetRef { id: target.id.clone(), port: target.port, zone: None }];
    let state = fact(target);
    let out = Change::Deregister { target_group: target.group.clone(), targets: targets() };
    let gone = Condition::OneOf { fact: state.clone(), values: vec![Value::Absent, Value::word("unused")] };
    let back = Change::Register { target_group: target.group.clone(), targets: targets() };
    let is_in = one_of(&state, &["healthy"]);
    let port = target.port.map(|port| format!(":{port}")).unwrap_or_default();
    Step {
        title: format!(
            "take {}{port} out of {}, whose connections may last {delay} s",
            target.id,
            short(&target.group)
        ),
        go: super::super::super::plan::Leg {
            taken: Some(Condition::OneOf {
                fact: state.clone(),
                values: vec![Value::word("draining"), Value::word("unused"), Value::Absent],
            }),
            ..leg(out, gone, delay + 120, 10)
        },
        undo: Undo::Exact { leg: Box::new(leg(back, is_in, 600, 10)) },
        proof: Proof::Checked,
        expected_s: delay + 5,
        may_be_forced: false,
    }
}

fn is_of_service(desk: &Desk<'_>, group: &TargetGroupArn) -> bool {
    desk.fleet.services.iter().any(|row| row.it.target_groups.iter().any(|(arn, _, _)| arn == group))
}

/// The name of a target group in its ARN.
fn short(arn: &TargetGroupArn) -> Text {
    Text::new(arn.as_str().rsplit('/').nth(1).unwrap_or(arn.as_str()))
}
