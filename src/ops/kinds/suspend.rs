//! `suspend` and `resume`: which processes of a group AWS runs by itself.

use super::super::aspect::{Aspect, Value};
use super::super::condition::Condition;
use super::super::desk::{Desk, Draft};
use super::super::guard::forbids;
use super::super::intent::Intent;
use super::super::plan::{Fact, Lane, Leg, Proof, Step, Undo, leg};
use super::protect::count;
use crate::error::{Error, Result, did_you_mean};
use crate::gateway::change::Change;
use crate::model::{GroupName, Text};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;

/// Every process that AWS knows.
const PROCESSES: [&str; 9] = [
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
];

/// Processes stand still.
pub(super) fn suspend<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move { draft(desk, intent, true) }.boxed()
}

/// Processes run again.
pub(super) fn resume<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move { draft(desk, intent, false) }.boxed()
}

fn draft(desk: &Desk<'_>, intent: &Intent, to: bool) -> Result<Draft> {
    let processes = named(&intent.options.processes)?;
    let mut draft = Draft::default();
    for row in desk.groups(&intent.targets, &mut draft) {
        if let Some(why) = forbids(&row.it.tags, &intent.options, desk.now) {
            draft.refuse(&row.it.name, why, "ask whoever set it, or say --ignore-do-not-disrupt");
        }
        let group = row.it.name.clone();
        draft.hold(&row.scope, "group", group.as_str(), Grip::Alone);
        let fact = |process: &Text| Aspect::GroupSuspended { group: group.clone(), process: process.clone() };
        let is_suspended = |process: &Text| row.it.suspended.contains(process);
        // Only what is changed is set back.
        let changed: Vec<Text> =
            processes.iter().filter(|process| is_suspended(process) != to).cloned().collect();
        let undo = if changed.is_empty() {
            Undo::Nothing
        } else {
            Undo::Exact { leg: Box::new(one(&group, &changed, !to)) }
        };
        let list = processes.iter().map(Text::as_str).collect::<Vec<_>>().join(", ");
        draft.lanes.push(Lane {
            name: group.to_string(),
            target: group.to_string(),
            scope: (*row.scope).clone(),
            tier: None,
            facts: processes
                .iter()
                .map(|process| Fact { fact: fact(process), was: Value::Flag(is_suspended(process)) })
                .collect(),
            steps: vec![Step {
                title: format!("{} {list} of {group}", if to { "suspend" } else { "resume" }),
                go: one(&group, &processes, to),
                undo,
                proof: Proof::Checked,
                expected_s: 2,
                may_be_forced: false,
            }],
        });
    }
    let verb = if to { "suspend" } else { "resume" };
    let list = processes.iter().map(Text::as_str).collect::<Vec<_>>().join(", ");
    draft.title = format!("{verb} {list} of {}", count(draft.lanes.len(), "group"));
    if to && processes.iter().any(|process| process == "Launch" || process == "Terminate") {
        draft.warn(
            "without Launch or Terminate a group neither heals itself nor finishes a refresh, silently",
        );
    }
    Ok(draft)
}

fn one(group: &GroupName, processes: &[Text], to: bool) -> Leg {
    let (group, processes) = (group.clone(), processes.to_vec());
    let of = processes
        .iter()
        .map(|process| {
            let fact = Aspect::GroupSuspended { group: group.clone(), process: process.clone() };
            Condition::is(fact, Value::Flag(to))
        })
        .collect();
    let change = if to {
        Change::SuspendProcesses { group, processes }
    } else {
        Change::ResumeProcesses { group, processes }
    };
    leg(change, Condition::All { of }, 60, 5)
}

fn named(words: &[String]) -> Result<Vec<Text>> {
    if words.is_empty() {
        return Err(Error::usage("no process is named")
            .hint(format!("name some with --process, which may be repeated: {}", PROCESSES.join(", "))));
    }
    let mut processes: Vec<Text> = Vec::new();
    for word in words {
        let Some(known) = PROCESSES.iter().find(|known| known.eq_ignore_ascii_case(word)) else {
            let error = Error::usage(format!("there is no process `{word}`"));
            return Err(match did_you_mean(word, PROCESSES) {
                Some(meant) => error.hint(format!("did you mean {meant}?")),
                None => error.hint(PROCESSES.join(", ")),
            });
        };
        let known = Text::new(known);
        if !processes.contains(&known) {
            processes.push(known);
        }
    }
    Ok(processes)
}
