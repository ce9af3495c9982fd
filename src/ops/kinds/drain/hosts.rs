//! The ECS side of a drain: no new tasks, and the wait until those of services have moved.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::condition::Condition;
use super::super::super::desk::{Desk, Draft};
use super::super::super::intent::{Intent, OnTimeout, Then};
use super::super::super::plan::{Act, Fact, Leg, Proof, Spoiled, Step, Undo, wait};
use super::super::protect::count;
use super::super::undrain::set;
use super::verdict::{self, Expected};
use crate::fleet::InstanceRow;
use crate::gateway::change::HostState;
use crate::model::{Host, Known, Scope, Task, Text};

/// How long the tasks of services may take to move, unless it is said otherwise.
const MOVE_S: u64 = 1_800;
/// How long a task may take to stop.
const STOP_S: u64 = 300;

/// Refuses what would never end, and what ECS does by itself already.
pub(super) async fn judge(
    desk: &Desk<'_>,
    rows: &[&InstanceRow],
    intent: &Intent,
    draft: &mut Draft,
) -> Expected {
    let hosts: Vec<(&Scope, &Host)> = rows.iter().filter_map(|row| Some((&*row.scope, host(row)?))).collect();
    for row in rows {
        let (Some(host), Known::Yes(Some(member))) = (host(row), &row.member) else { continue };
        let is_managed = is_managed(desk, host);
        let name = &member.group().name;
        if member.state.starts_with("Terminating") {
            let by = if is_managed { ", and ECS drains it (managed draining)" } else { "" };
            let why = format!("{name} is ending it already: it is {}{by}", member.state);
            draft.refuse(&row.it.id, why, "leave it to them");
        } else if is_managed && intent.options.then == Then::Terminate {
            draft.warn(format!(
                "ECS drains hosts that {name} ends by itself (managed draining): it finds this one empty, and \
                 its hook holds it for a moment"
            ));
        }
    }
    let expected = verdict::judge(desk, &hosts, intent, draft).await;
    if intent.options.on_timeout == OnTimeout::Force {
        draft.warn("--on-timeout force stops tasks that have not moved in time: their service may lack them");
    }
    expected
}

/// Whether ECS drains a host by itself before its group ends it: its own capacity provider decides.
fn is_managed(desk: &Desk<'_>, host: &Host) -> bool {
    let cluster = desk.fleet.clusters.iter().find(|one| one.it.arn == host.cluster);
    let mut providers = cluster.into_iter().flat_map(|one| &one.it.providers);
    providers.any(|one| one.managed_draining && host.provider.as_ref() == Some(&one.name))
}

/// The steps of a host, if the instance is one.
pub(super) fn steps(
    desk: &Desk<'_>,
    row: &InstanceRow,
    intent: &Intent,
    expected: &Expected,
    facts: &mut Vec<Fact>,
    steps: &mut Vec<Step>,
    draft: &mut Draft,
) {
    let Some(host) = host(row) else { return };
    let status = Aspect::HostStatus { cluster: host.cluster.clone(), host: host.arn.clone() };
    if !host.is_connected {
        draft.warn(format!("the agent of {} is not connected: its tasks cannot stop in order", row.it.id));
    }
    facts.push(Fact { fact: status.clone(), was: Value::word(&host.status) });
    steps.push(Step {
        title: format!("set {} to DRAINING", row.it.id),
        go: set(&host.cluster, &host.arn, HostState::Draining),
        undo: Undo::Exact { leg: Box::new(set(&host.cluster, &host.arn, HostState::Active)) },
        proof: Proof::Checked,
        expected_s: 2,
        may_be_forced: false,
    });
    let left = Aspect::HostServiceTasks {
        cluster: host.cluster.clone(),
        host: host.arn.clone(),
        daemons: daemons(desk, host),
    };
    let empty = Condition::AtMost { fact: left.clone(), count: 0 };
    let spoiled = Spoiled {
        when: Condition::is(status, Value::word("ACTIVE")),
        why: "somebody set it back to ACTIVE".to_owned(),
    };
    let moving = tasks_on(desk, host).filter(|task| task.service().is_some()).count();
    let within = intent.options.timeout_s.unwrap_or(MOVE_S);
    steps.push(Step {
        title: format!("wait until {} of services moved away", count(moving, "task")),
        go: Leg { spoiled: Some(spoiled), ..wait(empty.clone(), within, 10) },
        undo: Undo::Nothing,
        proof: Proof::NotNeeded,
        expected_s: if moving == 0 { 5 } else { expected.get(&host.cluster).copied().unwrap_or(120).max(5) },
        may_be_forced: true,
    });
    if intent.options.on_timeout == OnTimeout::Force {
        let why = "tasks that were stopped are gone; their service starts others elsewhere";
        steps.push(stop(host, left, format!("stop what has not moved from {}", row.it.id), why));
    }
    let standalone: Vec<&Task> = tasks_on(desk, host).filter(|task| task.service().is_none()).collect();
    let alone = Aspect::HostStandalone { cluster: host.cluster.clone(), host: host.arn.clone() };
    if intent.options.include_standalone {
        let why = "standalone tasks that were stopped are gone, and nothing starts them again";
        let title = format!("stop {} that no service keeps", count(standalone.len(), "task"));
        steps.push(stop(host, alone, title, why));
    } else if let Some(task) = standalone.first() {
        let more =
            if standalone.len() > 1 { format!(" and {} more", standalone.len() - 1) } else { String::new() };
        let why = format!(
            "task {}{more} belongs to no service, so nothing would start it elsewhere",
            task.short_id()
        );
        draft.refuse(&row.it.id, why, "wait for its end, or say --include-standalone to stop it for good");
    } else {
        facts.push(Fact { fact: alone, was: Value::Words(Vec::new()) });
    }
}

fn stop(host: &Host, listed: Aspect, title: String, why: &str) -> Step {
    Step {
        title,
        go: Leg {
            act: Act::StopTasks {
                cluster: host.cluster.clone(),
                host: host.arn.clone(),
                listed: listed.clone(),
            },
            ..wait(Condition::AtMost { fact: listed, count: 0 }, STOP_S, 5)
        },
        undo: Undo::Impossible { why: why.to_owned() },
        proof: Proof::Checked,
        expected_s: 30,
        may_be_forced: false,
    }
}

/// The ECS side of an instance.
fn host(row: &InstanceRow) -> Option<&Host> {
    match &row.host {
        Known::Yes(Some(host)) if matches!(host.status.as_str(), "ACTIVE" | "DRAINING") => Some(host),
        _ => None,
    }
}

fn tasks_on<'a>(desk: &'a Desk<'_>, host: &'a Host) -> impl Iterator<Item = &'a Task> {
    let all = desk.fleet.tasks.iter().map(|row| &*row.it);
    all.filter(|task| task.host.as_ref() == Some(&host.arn) && task.last_status != "STOPPED")
}

/// The daemons of a host's cluster: they stay until it is gone.
fn daemons(desk: &Desk<'_>, host: &Host) -> Vec<Text> {
    let all = desk.fleet.services.iter().map(|row| &*row.it);
    let daemons = all.filter(|one| one.cluster == host.cluster && one.strategy.as_deref() == Some("DAEMON"));
    let mut names: Vec<Text> = daemons.map(|one| one.name.clone()).collect();
    names.sort();
    names
}
