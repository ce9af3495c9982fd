//! The load balancer's side of a core: the target groups that lead to it, or would, and who else serves there.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::condition::Condition;
use super::super::super::desk::{Desk, Draft};
use super::super::super::intent::Intent;
use super::super::super::plan::{Fact, Leg, Proof, Step, Undo, leg};
use super::super::standby::one_of;
use super::found::Found;
use super::stands::left_out;
use crate::error::Result;
use crate::gateway::change::{Change, TargetRef};
use crate::gateway::{Look, Seen};
use crate::model::{Known, Target, TargetGroupArn, TargetState, Text};

/// Seconds that a target may take to become healthy.
const HEALTHY_S: u64 = 600;

/// A target group that leads to a core, or would.
#[derive(Clone, Debug)]
pub(super) struct Door {
    /// Which.
    pub(super) group: TargetGroupArn,
    /// The core as a target of it.
    pub(super) id: Text,
    /// The core's port.
    pub(super) port: u16,
    /// How the core stands there; none where it is not registered.
    pub(super) state: Option<TargetState>,
    /// Other targets.
    pub(super) others: usize,
    /// Those of them that are healthy.
    pub(super) healthy: usize,
    /// Targets that are not among the others, because they leave for good by the same command.
    pub(super) along: usize,
    /// No listener uses it, so that nobody in it ever becomes healthy.
    pub(super) is_unused: bool,
    /// Seconds that connections may last after it was taken out.
    pub(super) delay_s: u64,
}

/// The name of a target group in its ARN.
pub(super) fn short(arn: &TargetGroupArn) -> Text {
    Text::new(arn.as_str().rsplit('/').nth(1).unwrap_or(arn.as_str()))
}

/// Notes how many target groups a plan that stops nothing was made without.
pub(super) fn note_left_out(desk: &Desk<'_>, found: &Found<'_>, draft: &mut Draft) {
    let left = left_out(desk.fleet, &found.host.scope, &[found.core]);
    if left > 0 {
        draft.note(format!(
            "{} to tenants of other cores alone, by the rules and the registry, and {} not looked into",
            if left == 1 { "1 target group leads".to_owned() } else { format!("{left} target groups lead") },
            if left == 1 { "was" } else { "were" }
        ));
    }
}

/// The target groups of a core: those that it is registered in, and those to which the rules of its tenants lead.
///
/// # Errors
///
/// What they do with targets that leave could not be seen.
pub(super) async fn doors(desk: &Desk<'_>, found: &Found<'_>, draft: &mut Draft) -> Result<Vec<Door>> {
    let scope = &found.host.scope;
    let here = || desk.fleet.targets.iter().filter(|row| row.scope == *scope).map(|row| &*row.it);
    let is_mine = |target: &&Target| {
        target.id == found.host.it.id.as_str() && target.port.is_none_or(|port| port == found.port)
    };
    let mut groups: Vec<TargetGroupArn> = here().filter(is_mine).map(|target| target.group.clone()).collect();
    for tenant in desk.fleet.tenants.iter().filter(|one| one.core.as_ref() == Some(&found.core.id)) {
        match tenant.target_groups.as_slice() {
            [only] => groups.push(only.clone()),
            [] => {}
            several => {
                let is_in = several.iter().any(|group| groups.contains(group));
                if !is_in {
                    draft.warn(format!(
                        "the traffic of tenant {} is split over {} target groups: which of them is {}'s is not \
                         guessed",
                        tenant.id,
                        several.len(),
                        found.core.id
                    ));
                }
            }
        }
    }
    groups.sort();
    groups.dedup();
    // Only instances are registered by us, and only where the group is known in this place.
    groups.retain(|group| {
        let mut all = desk.fleet.target_groups.iter().filter(|row| row.scope == *scope);
        all.any(|row| row.it.arn == *group && row.it.target_type == "instance")
    });
    let leavings = match desk.look(scope, Look::Leavings { of: groups.clone() }).await? {
        Seen::Leavings(all) => all,
        _ => Vec::new(),
    };
    let door = |group: TargetGroupArn| {
        let in_it = || here().filter(|target| target.group == group);
        let others = || in_it().filter(|target| !is_mine(target) && target.state != TargetState::Draining);
        let state = in_it().find(is_mine).map(|target| target.state);
        Door {
            id: Text::new(found.host.it.id.as_str()),
            port: found.port,
            state,
            along: 0,
            is_unused: state == Some(TargetState::Unused) || leads_nowhere(desk, &group),
            others: others().count(),
            healthy: others().filter(|target| target.state == TargetState::Healthy).count(),
            delay_s: leavings.iter().find(|one| one.group == group).map_or(300, |one| one.delay_s.into()),
            group,
        }
    };
    Ok(groups.into_iter().map(door).collect())
}

/// Whether no load balancer uses a target group.
fn leads_nowhere(desk: &Desk<'_>, group: &TargetGroupArn) -> bool {
    let found = desk.fleet.target_groups.iter().find(|row| row.it.arn == *group);
    found.is_some_and(|row| row.it.balancers.is_empty())
}

/// Those of the same command that leave for good are no others any more.
pub(super) fn leave_together(all: &mut [Vec<Door>]) {
    let leaving: Vec<(TargetGroupArn, Text, u16, bool)> = all
        .iter()
        .flatten()
        .filter(|door| door.is_in())
        .map(|door| {
            let is_healthy = door.state == Some(TargetState::Healthy);
            (door.group.clone(), door.id.clone(), door.port, is_healthy)
        })
        .collect();
    for door in all.iter_mut().flatten() {
        let mine = (door.id.clone(), door.port);
        for (group, id, port, is_healthy) in &leaving {
            if *group == door.group && mine != (id.clone(), *port) {
                door.others = door.others.saturating_sub(1);
                door.healthy = door.healthy.saturating_sub(usize::from(*is_healthy));
                door.along += 1;
            }
        }
    }
}

impl Door {
    /// A target group that a core is not in yet.
    pub(super) fn new(desk: &Desk<'_>, group: TargetGroupArn) -> Self {
        let is_unused = leads_nowhere(desk, &group);
        let (id, port, state) = (Text::new(""), 0, None);
        Self { group, id, port, state, others: 0, healthy: 0, along: 0, is_unused, delay_s: 300 }
    }

    /// Whether the core is registered, and is not leaving already.
    pub(super) fn is_in(&self) -> bool {
        self.state.is_some_and(|state| state != TargetState::Draining)
    }

    /// The fact of how the core stands there.
    fn fact(&self) -> Aspect {
        Aspect::TargetState {
            target_group: self.group.clone(),
            target: self.id.clone(),
            port: Some(self.port),
        }
    }

    /// What a plan rests on: how the core stands there now.
    pub(super) fn rests_on(&self) -> Fact {
        let was = self.state.map_or(Value::Absent, |state| Value::word(state.word()));
        Fact { fact: self.fact(), was }
    }

    fn target(&self) -> Vec<TargetRef> {
        vec![TargetRef { id: self.id.clone(), port: Some(self.port), zone: None }]
    }

    fn register(&self) -> Leg {
        let change = Change::Register { target_group: self.group.clone(), targets: self.target() };
        // A group that no listener uses checks nobody.
        let fine: &[&str] = if self.is_unused { &["healthy", "unused"] } else { &["healthy"] };
        let state = self.fact();
        Leg {
            taken: Some(one_of(&state, &["initial", "healthy", "unhealthy", "unused", "unavailable"])),
            ..leg(change, one_of(&state, fine), HEALTHY_S, 10)
        }
    }

    fn deregister(&self) -> Leg {
        let state = self.fact();
        let change = Change::Deregister { target_group: self.group.clone(), targets: self.target() };
        let values = vec![Value::Absent, Value::word("unused")];
        let out = if self.is_unused { vec![Value::Absent] } else { values };
        let gone = Condition::OneOf { fact: state.clone(), values: out.clone() };
        let mut leaves = out;
        leaves.push(Value::word("draining"));
        Leg {
            taken: Some(Condition::OneOf { fact: state, values: leaves }),
            ..leg(change, gone, self.delay_s + 120, 10)
        }
    }

    /// Takes the core out, and waits until its connections have ended.
    pub(super) fn out(&self) -> Step {
        let (id, port, name, delay) = (&self.id, self.port, short(&self.group), self.delay_s);
        Step {
            title: format!("take {id}:{port} out of {name}, whose connections may last {delay} s"),
            go: self.deregister(),
            undo: Undo::Exact { leg: Box::new(self.register()) },
            proof: Proof::Checked,
            expected_s: delay + 5,
            may_be_forced: false,
        }
    }

    /// Puts the core in, and waits until it is healthy.
    pub(super) fn back(&self, undo: Undo) -> Step {
        Step {
            title: format!(
                "put {}:{} into {}, {}",
                self.id,
                self.port,
                short(&self.group),
                if self.is_unused { "which no listener uses" } else { "until it is healthy there" }
            ),
            go: self.register(),
            undo,
            proof: Proof::Checked,
            expected_s: 30,
            may_be_forced: false,
        }
    }

    /// How putting the core in is undone.
    pub(super) fn leave(&self) -> Undo {
        Undo::Exact { leg: Box::new(self.deregister()) }
    }
}

/// Refuses what would leave nobody where several should serve, and says what else it means for traffic.
pub(super) fn mind(found: &Found<'_>, doors: &[Door], intent: &Intent, draft: &mut Draft) {
    for door in doors.iter().filter(|door| door.is_in()) {
        let (id, name) = (&found.core.id, short(&door.group));
        if door.others == 0 && door.along > 0 {
            let why =
                format!("all {} targets of {name} would be stopped, and nobody serves it", door.along + 1);
            if intent.options.override_verdict {
                draft.warn(format!("{id}: {why}"));
            } else {
                draft.refuse(id, why, "leave one of them out, or say --override-verdict");
            }
        } else if door.others == 0 {
            draft.warn(format!("nothing but {id} serves {name}: requests fail while it is away"));
        } else if door.healthy == 0 {
            let why = format!("none of the {} other targets of {name} is healthy", door.others);
            if intent.options.override_verdict {
                draft.warn(format!("{id}: {why}"));
            } else {
                let mend = "mend those first, or say --override-verdict";
                draft.refuse(id, why, mend);
            }
        } else if door.healthy * 2 < door.others {
            draft.warn(format!(
                "only {} of the {} other targets of {name} are healthy: they serve what {id} serves now",
                door.healthy, door.others
            ));
        }
    }
}

/// Refuses where an Auto Scaling group registers its members itself and would take a target that is away for a
/// failure.
pub(super) fn mind_group(found: &Found<'_>, doors: &[Door], intent: &Intent, draft: &mut Draft) {
    let Known::Yes(Some(member)) = &found.host.member else { return };
    let group = member.group();
    let is_attached = doors.iter().any(|door| door.is_in() && group.target_groups.contains(&door.group));
    let is_suspended =
        group.suspended.iter().any(|process| matches!(process.as_str(), "HealthCheck" | "ReplaceUnhealthy"));
    if !is_attached || group.health_check != "ELB" || is_suspended || member.state != "InService" {
        return;
    }
    let why = format!(
        "{} heeds the load balancer's health checks and would replace its host {} while the core is away",
        group.name, found.host.it.id
    );
    if intent.options.override_verdict {
        draft.warn(format!("{}: {why}", found.core.id));
    } else {
        let mend = format!(
            "coredeck suspend {} --process ReplaceUnhealthy first and resume it afterwards, or say \
             --override-verdict",
            group.name
        );
        draft.refuse(&found.core.id, why, mend);
    }
}
