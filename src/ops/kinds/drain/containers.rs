//! Containers that ECS does not know: stopped through Systems Manager, by a fixed document of our own.
//!
//! The document is put into the account when it is not there, and named with the hash of its content: what
//! runs is what stands in this program, or nothing. It takes no text but a number.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::condition::Condition;
use super::super::super::desk::{Desk, Draft};
use super::super::super::intent::Intent;
use super::super::super::plan::{Leg, Proof, ROOM_FOR_ID, Spoiled, Step, Undo, leg};
use super::super::standby::one_of;
use crate::error::{Error, ErrorKind, Result};
use crate::fleet::InstanceRow;
use crate::gateway::change::{Change, Document};
use crate::gateway::{Look, Seen};
use crate::model::{Scope, Text};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What the document is called; a new content gets a new name.
pub(super) const NAME: &str = "coredeck-stop-containers-1";
/// What it says.
pub(super) const CONTENT: &str = include_str!("stop-containers.json");
/// How long containers may take to stop.
const WITHIN_S: u64 = 2_400;

/// The document as it stands in the account.
pub(super) struct Ours {
    /// The places where it is there.
    places: Vec<Scope>,
    /// Commands are looked for from this moment on.
    since: Timestamp,
}

/// The hash that the document must have.
pub(super) fn hash() -> String {
    Sha256::digest(CONTENT.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Looks the document up, where it will be needed.
pub(super) async fn document(desk: &Desk<'_>, rows: &[&InstanceRow], intent: &Intent) -> Result<Ours> {
    // A clock that is a little ahead of AWS's must not hide our own command from us.
    let since = desk.now.saturating_sub(SignedDuration::from_mins(5)).unwrap_or(desk.now);
    let mut scopes: Vec<&Scope> = rows.iter().map(|row| &*row.scope).collect();
    scopes.sort();
    scopes.dedup();
    let mut places = Vec::new();
    for scope in scopes.into_iter().filter(|_| intent.options.stop_containers) {
        let seen = desk.look(scope, Look::Document { name: NAME.into() }).await?;
        let Seen::Document(Some(found)) = seen else { continue };
        if found.sha256.as_deref() != Some(hash().as_str()) {
            let why = format!("the document {NAME} in {scope} is not ours: its content differs");
            return Err(Error::new(ErrorKind::Refused, why).hint(format!(
                "look at it with `aws ssm get-document --name {NAME}`, and remove it if nobody needs it"
            )));
        }
        places.push(scope.clone());
    }
    Ok(Ours { places, since })
}

/// The steps that stop containers.
pub(super) fn steps(
    row: &InstanceRow,
    intent: &Intent,
    document: &Ours,
    lane: usize,
    steps: &mut Vec<Step>,
    draft: &mut Draft,
) {
    if !intent.options.stop_containers {
        return;
    }
    if !document.places.contains(&row.scope) {
        let fact = Aspect::DocumentHash { document: NAME.into() };
        let until = Condition::is(fact, Value::word(hash()));
        let change = Change::CreateDocument { name: NAME.into(), content: CONTENT.to_owned() };
        // Every target would put it there: whichever comes first does, and the others find it.
        steps.push(Step {
            title: format!("put the document {NAME} into the account"),
            go: Leg { taken: Some(until.clone()), ..leg(change, until, 120, 5) },
            undo: Undo::Nothing,
            proof: Proof::Checked,
            expected_s: 5,
            may_be_forced: false,
        });
    }
    let mark = format!("coredeck {ROOM_FOR_ID} {lane} stop containers");
    let fact = Aspect::Command { document: NAME.into(), mark: mark.clone(), since: document.since };
    let change = Change::SendCommand {
        document: Document { name: NAME.into(), version: Some("1".into()), sha256: Some(hash().into()) },
        instances: vec![row.it.id.clone()],
        parameters: BTreeMap::from([(Text::new("StopTimeout"), vec![Text::new("30")])]),
        comment: mark,
        deliver_within_s: 300,
        errors: 0,
        concurrency: 1,
    };
    draft.warn("containers that are stopped are not started again by an undo");
    steps.push(Step {
        title: format!("stop the other containers of {} through Systems Manager", row.it.id),
        go: Leg {
            taken: Some(Condition::IsNot { fact: fact.clone(), value: Value::Absent }),
            spoiled: Some(Spoiled {
                when: one_of(&fact, &["Failed", "TimedOut", "Cancelled"]),
                why: "the command failed: `aws ssm list-command-invocations --details` shows its output"
                    .to_owned(),
            }),
            ..leg(change, Condition::is(fact, Value::word("Success")), WITHIN_S, 10)
        },
        undo: Undo::Impossible { why: "containers that were stopped stay so: start them by hand".to_owned() },
        proof: Proof::Checked,
        expected_s: 60,
        may_be_forced: false,
    });
}
