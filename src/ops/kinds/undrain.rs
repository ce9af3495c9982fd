//! `undrain`: container instances take tasks again.

use super::super::aspect::{Aspect, Value};
use super::super::condition::Condition;
use super::super::desk::{Desk, Draft};
use super::super::intent::Intent;
use super::super::plan::{Fact, Lane, Leg, Proof, Step, Undo, leg};
use super::protect::count;
use crate::error::Result;
use crate::gateway::change::{Change, HostState};
use crate::model::{ClusterArn, HostArn, Known};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;

/// Hosts are set to ACTIVE.
pub(super) fn draft<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let mut draft = Draft::default();
        for row in desk.instances(&intent.targets, &mut draft) {
            desk.mind_tags(row, intent, &mut draft);
            let Known::Yes(Some(host)) = &row.host else {
                let mend = "only container instances are drained by ECS; `coredeck return` ends a standby";
                draft.refuse(&row.it.id, "it is in no ECS cluster", mend);
                continue;
            };
            if !matches!(host.status.as_str(), "ACTIVE" | "DRAINING") {
                let mend = "wait until ECS has registered it";
                draft.refuse(&row.it.id, format!("its host is {}", host.status), mend);
                continue;
            }
            let id = row.it.id.to_string();
            draft.hold(&row.scope, "instance", &id, Grip::Alone);
            let fact = Aspect::HostStatus { cluster: host.cluster.clone(), host: host.arn.clone() };
            draft.lanes.push(Lane {
                name: row.it.name().map_or(id.clone(), |name| format!("{id} ({name})")),
                target: id,
                scope: (*row.scope).clone(),
                tier: None,
                facts: vec![Fact { fact, was: Value::word(&host.status) }],
                steps: vec![Step {
                    title: format!("set {} to ACTIVE", row.it.id),
                    go: set(&host.cluster, &host.arn, HostState::Active),
                    undo: Undo::Exact { leg: Box::new(set(&host.cluster, &host.arn, HostState::Draining)) },
                    proof: Proof::Checked,
                    expected_s: 2,
                    may_be_forced: false,
                }],
            });
        }
        draft.title = format!("let {} take tasks again", count(draft.lanes.len(), "instance"));
        Ok(draft)
    }
    .boxed()
}

/// Sets the state of one host; several are set by one call when they are due together.
pub(super) fn set(cluster: &ClusterArn, host: &HostArn, to: HostState) -> Leg {
    let fact = Aspect::HostStatus { cluster: cluster.clone(), host: host.clone() };
    let change = Change::HostState { cluster: cluster.clone(), hosts: vec![host.clone()], to };
    leg(change, Condition::is(fact, Value::word(to.word())), 120, 5)
}
