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
use crate::model::{Group, Target, TargetGroupArn, TargetState, Text};

/// The steps that take an instance out of target groups.
pub(super) async fn steps(
    desk: &Desk<'_>,
    row: &InstanceRow,
    group: Option<&Group>,
    intent: &Intent,
    facts: &mut Vec<Fact>,
    steps: &mut Vec<Step>,
    draft: &mut Draft,
) -> Result<()> {
    let is_here = |target: &&Target| target.id == row.it.id.as_str() && target.state != TargetState::Draining;
    let here = desk.fleet.targets.iter().filter(|target| target.scope == row.scope).map(|target| &*target.it);
    for target in here.filter(is_here) {
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
        let delay = match desk.look(&row.scope, Look::Leavings { of: vec![target.group.clone()] }).await? {
            Seen::Leavings(all) => all.first().map_or(300, |leaving| u64::from(leaving.delay_s)),
            _ => 300,
        };
        steps.push(step(target, delay));
        facts.push(Fact { fact: fact(target), was: Value::word(target.state.word()) });
    }
    Ok(())
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
