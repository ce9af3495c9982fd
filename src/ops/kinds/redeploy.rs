//! `redeploy`: all tasks of a service are replaced by new ones of the same definition.

use super::super::aspect::{Aspect, Value};
use super::super::condition::Condition;
use super::super::desk::{Desk, Draft};
use super::super::guard::forbids;
use super::super::intent::Intent;
use super::super::plan::{Fact, Lane, Leg, Proof, Spoiled, Step, Undo, leg};
use super::protect::count;
use crate::error::Result;
use crate::gateway::change::Change;
use crate::gateway::{Look, Seen};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;

/// Services are deployed anew.
pub(super) fn draft<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let mut draft = Draft::default();
        for row in desk.services(&intent.targets, &mut draft) {
            let service = &*row.it;
            let label = format!("{}/{}", row.cluster, service.name);
            if let Some(why) = forbids(&service.tags, &intent.options, desk.now) {
                draft.refuse(&label, why, "ask whoever set it, or say --ignore-do-not-disrupt");
                continue;
            }
            if service.is_stuck() {
                let why = format!(
                    "with {} tasks, {} % minimum and {} % maximum ECS may neither stop nor start one",
                    service.desired,
                    service.min_percent.unwrap_or(100),
                    service.max_percent.unwrap_or(200)
                );
                let mend = format!(
                    "raise the maximum to 200 %, or coredeck scale {label} --desired {} first",
                    service.desired + 1
                );
                draft.refuse(&label, why, mend);
                continue;
            }
            if service.deployments.len() > 1 {
                let mend = "wait until it is over: `coredeck describe service` shows how far it is";
                draft.refuse(&label, "a deployment is under way already", mend);
                continue;
            }
            let of = vec![service.arn.clone()];
            let seen = desk.look(&row.scope, Look::Services { cluster: service.cluster.clone(), of }).await?;
            let Seen::Services(details) = seen else { continue };
            let controller = details.first().and_then(|detail| detail.controller.clone());
            if let Some(other) = controller.filter(|controller| controller != "ECS") {
                draft.refuse(&label, format!("{other} deploys it, not ECS"), "deploy it there");
                continue;
            }
            let (cluster, arn) = (service.cluster.clone(), service.arn.clone());
            let deployment = Aspect::ServiceDeployment { cluster: cluster.clone(), service: arn.clone() };
            let rollout = Aspect::ServiceRollout { cluster: cluster.clone(), service: arn.clone() };
            let before = service.deployments.iter().find(|one| one.status == "PRIMARY");
            let before = before.map_or(Value::Absent, |one| Value::word(&one.id));
            let is_new = || Condition::IsNot { fact: deployment.clone(), value: before.clone() };
            let is_at = |word: &str| Condition::is(rollout.clone(), Value::word(word));
            let within = intent.options.timeout_s.unwrap_or(3_600);
            draft.hold(&row.scope, "service", service.arn.as_str(), Grip::Alone);
            draft.lanes.push(Lane {
                name: label.clone(),
                target: service.arn.to_string(),
                scope: (*row.scope).clone(),
                tier: None,
                facts: vec![Fact { fact: deployment.clone(), was: before.clone() }],
                steps: vec![Step {
                    title: format!("replace the {} of {label}", count(service.desired as usize, "task")),
                    go: Leg {
                        taken: Some(is_new()),
                        spoiled: Some(Spoiled {
                            when: is_new().and(is_at("FAILED")),
                            why: "ECS gave the deployment up: its events say why".to_owned(),
                        }),
                        ..leg(
                            Change::Redeploy { cluster, service: arn },
                            is_new().and(is_at("COMPLETED")),
                            within,
                            15,
                        )
                    },
                    undo: Undo::Impossible {
                        why: "tasks that were replaced are gone; the new ones have the same definition"
                            .to_owned(),
                    },
                    proof: Proof::Checked,
                    expected_s: 300,
                    may_be_forced: false,
                }],
            });
        }
        draft.title = format!("redeploy {}", count(draft.lanes.len(), "service"));
        Ok(draft)
    }
    .boxed()
}
