//! Our documents for cores: put into the account when they are not there, and named with the hash of their content.
//! What runs on a host is what stands in this program, or nothing; they take names and numbers, never a command.

use super::super::super::aspect::{Aspect, Value};
use super::super::super::condition::Condition;
use super::super::super::desk::Desk;
use super::super::super::plan::{Aftermath, Ending, Leg, Proof, ROOM_FOR_ID, Step, Undo, leg};
use super::super::super::ran::{BADLY, RunFact, RunMark, WELL};
use crate::error::{Error, ErrorKind, Result};
use crate::gateway::change::{Change, Document};
use crate::gateway::{Look, Seen};
use crate::model::{InstanceId, Scope, Text};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Seconds in which the agent of a host must take a command.
const DELIVERY_S: u32 = 60;

/// A document. A new content gets a new name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paper {
    /// What it is called.
    pub(super) name: &'static str,
    /// What it says.
    content: &'static str,
    /// Seconds that it may run, as its content says.
    runs_s: u64,
}

/// Stops a core.
pub(super) const STOP: Paper =
    Paper { name: "coredeck-stop-core-1", content: include_str!("stop-core.json"), runs_s: 180 };
/// Starts a core, and waits until it answers.
pub(super) const START: Paper =
    Paper { name: "coredeck-start-core-1", content: include_str!("start-core.json"), runs_s: 420 };

impl Paper {
    /// The hash that it must have in the account.
    fn hash(self) -> String {
        Sha256::digest(self.content.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Documents as they stand in the accounts.
#[derive(Debug)]
pub(super) struct Papers {
    /// The places where one is there.
    places: Vec<(Scope, &'static str)>,
    /// Commands are looked for from this moment on.
    since: Timestamp,
}

/// A command for one host.
pub(super) struct Command<'a> {
    /// Which document.
    pub(super) paper: Paper,
    /// Which host.
    pub(super) host: &'a InstanceId,
    /// What it is known by beside the operation and its lane: unique among the steps of the lane.
    pub(super) word: &'a str,
    /// The number of its lane.
    pub(super) lane: usize,
    /// What the document takes.
    pub(super) parameters: Vec<(&'static str, String)>,
}

impl Papers {
    /// Looks documents up where they will be needed.
    ///
    /// # Errors
    ///
    /// One cannot be seen, or is there under our name with another content.
    pub(super) async fn look(desk: &Desk<'_>, scopes: &[&Scope], papers: &[Paper]) -> Result<Self> {
        // A clock that is a little ahead of AWS's must not hide our own command from us.
        let since = desk.now.saturating_sub(SignedDuration::from_mins(5)).unwrap_or(desk.now);
        let mut places = Vec::new();
        let mut scopes = scopes.to_vec();
        scopes.sort();
        scopes.dedup();
        for scope in scopes {
            for paper in papers {
                let name = paper.name;
                let seen = desk.look(scope, Look::Document { name: name.into() }).await?;
                let Seen::Document(Some(found)) = seen else { continue };
                if found.sha256.as_deref() != Some(paper.hash().as_str()) {
                    let why = format!("the document {name} in {scope} is not ours: its content differs");
                    return Err(Error::new(ErrorKind::Refused, why).hint(format!(
                        "look at it with `aws ssm get-document --name {name}`, and remove it if nobody needs it"
                    )));
                }
                places.push((scope.clone(), name));
            }
        }
        Ok(Self { places, since })
    }

    /// The steps that put documents into an account that lacks them. Every target would put them there: whichever
    /// comes first does, and the others find them.
    pub(super) fn put(&self, scope: &Scope, papers: &[Paper]) -> Vec<Step> {
        let lacking = papers
            .iter()
            .filter(|paper| !self.places.iter().any(|(place, name)| place == scope && *name == paper.name));
        let step = |paper: &Paper| {
            let fact = Aspect::DocumentHash { document: paper.name.into() };
            let until = Condition::is(fact, Value::word(paper.hash()));
            let change =
                Change::CreateDocument { name: paper.name.into(), content: paper.content.to_owned() };
            Step {
                title: format!("put the document {} into the account", paper.name),
                go: Leg { taken: Some(until.clone()), ..leg(change, until, 120, 5) },
                undo: Undo::Nothing,
                proof: Proof::Checked,
                expected_s: 5,
                may_be_forced: false,
            }
        };
        lacking.map(step).collect()
    }

    /// Sends a command, and waits until it ended well on its host.
    pub(super) fn run(&self, command: &Command<'_>) -> Leg {
        let Command { paper, host, word, lane, parameters } = command;
        let comment = format!("coredeck {ROOM_FOR_ID} {lane} {word}");
        let mark = RunMark {
            document: paper.name.into(),
            comment: comment.clone(),
            since: self.since,
            instance: (*host).clone(),
        };
        let ended = Aspect::Ran { fact: RunFact::Ended { mark: mark.clone() } };
        let parameters: BTreeMap<Text, Vec<Text>> =
            parameters.iter().map(|(name, value)| (Text::new(name), vec![Text::new(value)])).collect();
        let change = Change::SendCommand {
            document: Document {
                name: paper.name.into(),
                version: Some("1".into()),
                sha256: Some(paper.hash().into()),
            },
            instances: vec![(*host).clone()],
            parameters,
            comment,
            deliver_within_s: DELIVERY_S,
            errors: 0,
            concurrency: 1,
        };
        let within = u64::from(DELIVERY_S) + paper.runs_s + 60;
        Leg {
            taken: Some(Condition::IsNot { fact: ended.clone(), value: Value::Absent }),
            ends: vec![Ending {
                when: Condition::is(ended.clone(), Value::word(BADLY)),
                why: "its host says no".to_owned(),
                then: Aftermath::Policy,
            }],
            tells: vec![Aspect::Ran { fact: RunFact::Said { mark } }],
            ..leg(change, Condition::is(ended, Value::word(WELL)), within, 5)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value as Json;

    #[test]
    fn documents_take_nothing_that_their_patterns_do_not_hold() {
        for paper in [STOP, START] {
            let document: Json = serde_json::from_str(paper.content).unwrap();
            assert_eq!(document["schemaVersion"], "2.2");
            let inputs = &document["mainSteps"][0]["inputs"];
            assert_eq!(inputs["timeoutSeconds"], paper.runs_s.to_string(), "{}", paper.name);
            let script: Vec<&str> =
                inputs["runCommand"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
            let script = script.join("\n");
            for (name, declared) in document["parameters"].as_object().unwrap() {
                let pattern = declared["allowedPattern"].as_str().unwrap();
                assert!(pattern.starts_with('^') && pattern.ends_with('$'), "{name}");
                // What reaches the shell between single quotes can leave them by nothing that a pattern lets in.
                for sign in ["'", "\"", "`", "$", ";", "&", "|", "\\", "\n", " ", "<", "(", "{"] {
                    assert!(!pattern.trim_end_matches('$').contains(sign) || sign == "{", "{name}: {sign}");
                }
                let hole = format!("{{{{ {name} }}}}");
                let quoted = format!("'{hole}'");
                assert_eq!(script.matches(&hole).count(), script.matches(&quoted).count(), "{name}");
                assert!(script.contains(&hole), "{name} is used");
            }
            let holes = script.matches("{{").count();
            let named = document["parameters"].as_object().unwrap().keys();
            let known: usize = named.map(|name| script.matches(&format!("{{{{ {name} }}}}")).count()).sum();
            assert_eq!(holes, known, "two braces in a row would be a parameter");
        }
    }
}
