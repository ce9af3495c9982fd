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
    /// What it says; where its list of commands is empty, those of its script stand there.
    head: &'static str,
    /// Its commands, if they stand in a file of their own.
    script: &'static str,
    /// Seconds that it may run, as its content says.
    runs_s: u64,
}

/// Stops a core.
pub(super) const STOP: Paper =
    Paper { name: "coredeck-stop-core-1", head: include_str!("stop-core.json"), script: "", runs_s: 180 };
/// Starts a core, and waits until it answers.
pub(super) const START: Paper = Paper {
    name: "coredeck-start-core-2",
    head: include_str!("start-core.json"),
    script: include_str!("scripts/start.sh"),
    runs_s: 420,
};

/// Makes a core's container, and waits until it answers.
pub(super) const RUN: Paper = Paper {
    name: "coredeck-run-core-2",
    head: include_str!("run-core.json"),
    script: include_str!("scripts/run.sh"),
    runs_s: 600,
};
/// Stops and removes a container that an operation made.
pub(super) const REMOVE: Paper =
    Paper { name: "coredeck-remove-core-1", head: include_str!("remove-core.json"), script: "", runs_s: 180 };

/// Replaces a core's container by one of another image.
pub(super) const REPLACE: Paper = Paper {
    name: "coredeck-replace-core-2",
    head: include_str!("replace-core.json"),
    script: include_str!("scripts/replace.sh"),
    runs_s: 900,
};

/// Lists what a core's container was made with.
pub(super) const LOOK: Paper = Paper {
    name: "coredeck-look-at-core-1",
    head: include_str!("look-core.json"),
    script: include_str!("scripts/look.sh"),
    runs_s: 60,
};

/// What several scripts include: a line `# include NAME` stands for it.
const PIECES: [(&str, &str); 5] = [
    ("begin", include_str!("scripts/begin.sh")),
    ("base", include_str!("scripts/base.sh")),
    ("wait", include_str!("scripts/wait.sh")),
    ("same", include_str!("scripts/same.sh")),
    ("words", include_str!("scripts/words.sh")),
];

/// The commands of a script, with what it includes and without remarks.
fn commands(script: &str) -> Vec<String> {
    let mut all = Vec::new();
    for line in script.lines() {
        let text = line.trim_start();
        let included = text.strip_prefix("# include ");
        match included.and_then(|name| PIECES.iter().find(|(known, _)| *known == name)) {
            Some((_, piece)) => {
                let indent = &line[..line.len() - text.len()];
                all.extend(commands(piece).into_iter().map(|line| format!("{indent}{line}")));
            }
            None if text.starts_with('#') || text.is_empty() => {}
            None => all.push(line.to_owned()),
        }
    }
    all
}

impl Paper {
    /// What it says.
    pub(super) fn content(self) -> String {
        let lines: Vec<String> =
            commands(self.script).into_iter().map(|line| serde_json::Value::from(line).to_string()).collect();
        let list = format!("\"runCommand\": [\n          {}\n        ]", lines.join(",\n          "));
        self.head.replace("\"runCommand\": []", &list)
    }

    /// The hash that it must have in the account.
    pub(super) fn hash(self) -> String {
        Sha256::digest(self.content().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
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
            let change = Change::CreateDocument { name: paper.name.into(), content: paper.content() };
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
    fn another_content_has_another_name() {
        let all = [STOP, START, RUN, REMOVE, REPLACE, LOOK].map(|paper| (paper.name, paper.hash()));
        let short = all.each_ref().map(|(name, hash)| (*name, &hash[..16]));
        // An account that has a document under one of these names refuses what differs from it: a new text needs a
        // new number.
        assert_eq!(
            short,
            [
                ("coredeck-stop-core-1", "788cabc5e72cac79"),
                ("coredeck-start-core-2", "1c92f2c3c52a2adc"),
                ("coredeck-run-core-2", "21564e35ce910879"),
                ("coredeck-remove-core-1", "350798d299712586"),
                ("coredeck-replace-core-2", "f9aa1e7d47ad3613"),
                ("coredeck-look-at-core-1", "beb2ac6bbf3f398b"),
            ]
        );
    }

    #[test]
    fn scripts_are_what_a_shell_reads_and_hold_what_they_include() {
        for paper in [START, RUN, REPLACE, LOOK] {
            let script = commands(paper.script).join("\n");
            assert!(!script.contains("# include") && script.contains("begun="), "{}", paper.name);
            let mut shell = std::process::Command::new("sh");
            let ended = shell.args(["-n", "-c", &script]).output().unwrap();
            assert!(ended.status.success(), "{}: {}", paper.name, String::from_utf8_lossy(&ended.stderr));
        }
    }

    #[test]
    fn documents_take_nothing_that_their_patterns_do_not_hold() {
        for paper in [STOP, START, RUN, REMOVE, REPLACE, LOOK] {
            let document: Json = serde_json::from_str(&paper.content()).unwrap();
            assert_eq!(document["schemaVersion"], "2.2");
            let inputs = &document["mainSteps"][0]["inputs"];
            assert_eq!(inputs["timeoutSeconds"], paper.runs_s.to_string(), "{}", paper.name);
            let script: Vec<&str> =
                inputs["runCommand"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
            let script = script.join("\n");
            for (name, declared) in document["parameters"].as_object().unwrap() {
                let pattern = declared["allowedPattern"].as_str().unwrap();
                assert!(pattern.starts_with('^') && pattern.ends_with('$'), "{name}");
                let pattern = regex::Regex::new(pattern).unwrap();
                // What reaches the shell between single quotes can leave them by nothing that a pattern lets in.
                for sign in ["'", "\"", "`", "$", ";", "&", "|", "\\", "\n", " ", "<", "(", "{{x}}"] {
                    for text in
                        [format!("a{sign}a"), format!("/1{sign}1"), format!("11{sign}"), sign.to_owned()]
                    {
                        assert!(!pattern.is_match(&text), "{name}: {text}");
                    }
                }
                let hole = format!("{{{{ {name} }}}}");
                let mut count = 0;
                for line in script.lines() {
                    for (at, _) in line.match_indices(&hole) {
                        assert_eq!(line[..at].matches('\'').count() % 2, 1, "{name} in {line}");
                        count += 1;
                    }
                }
                assert!(count > 0, "{name} is used");
            }
            let holes = script.matches("{{").count();
            let named = document["parameters"].as_object().unwrap().keys();
            let known: usize = named.map(|name| script.matches(&format!("{{{{ {name} }}}}")).count()).sum();
            assert_eq!(holes, known, "two braces in a row would be a parameter");
        }
    }
}
