//! Systems Manager's commands: documents that run on hosts, and what becomes of each.
//!
//! A command is known a second or two after it was sent; its invocations wait for the agent, run the document's
//! script on the pretended host, and end. A host whose agent is silent hears nothing until its time is over.

use super::docker::OnHost;
use super::life::Event;
use super::machine::State;
use super::place::Place;
use super::shell;
use crate::sim::time::Moment;
use compact_str::CompactString;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// A document.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) name: CompactString,
    pub(crate) description: CompactString,
    pub(crate) owner: CompactString,
    pub(crate) created: Moment,
    /// JSON as it was sent; the newest last.
    pub(crate) versions: Vec<String>,
    pub(crate) default: usize,
}

/// A command that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) id: CompactString,
    pub(crate) document: CompactString,
    pub(crate) version: usize,
    pub(crate) comment: CompactString,
    pub(crate) parameters: Value,
    pub(crate) asked: Moment,
    /// From when on it is known.
    pub(crate) known: Moment,
    /// When what was not delivered is given up.
    pub(crate) expires: Moment,
    pub(crate) timeout: i64,
    pub(crate) targets: Value,
    pub(crate) named: Vec<CompactString>,
    /// How many run at once, and how many may fail, as they were said.
    pub(crate) limits: (CompactString, CompactString),
    pub(crate) is_cancelled: bool,
    pub(crate) invocations: Vec<Invocation>,
}

/// A command on one host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Invocation {
    pub(crate) instance: CompactString,
    pub(crate) status: &'static str,
    pub(crate) details: &'static str,
    /// It has its turn.
    pub(crate) is_sent: bool,
    pub(crate) started: Option<Moment>,
    pub(crate) ended: Option<Moment>,
    pub(crate) code: i64,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Invocation {
    /// Tells whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        !matches!(self.status, "Pending" | "InProgress" | "Delayed" | "Cancelling")
    }
}

impl Sent {
    /// The state of the whole: the word for it, and the exact one.
    pub(crate) fn status(&self) -> (&'static str, &'static str) {
        let any = |status: &str| self.invocations.iter().any(|one| one.status == status);
        let all_over = self.invocations.iter().all(Invocation::is_over);
        if !all_over {
            let begun = self.invocations.iter().any(|one| one.status != "Pending");
            return match (self.is_cancelled, begun) {
                (true, _) => ("Cancelling", "Cancelling"),
                (false, true) => ("InProgress", "InProgress"),
                (false, false) => ("Pending", "Pending"),
            };
        }
        if self.is_cancelled && any("Cancelled") {
            ("Cancelled", "Cancelled")
        } else if any("Failed") {
            ("Failed", "Failed")
        } else if any("TimedOut") {
            ("TimedOut", "DeliveryTimedOut")
        } else if self.invocations.is_empty() {
            ("Success", "NoInstancesInTag")
        } else {
            ("Success", "Success")
        }
    }

    /// A limit as a number of hosts.
    fn limit(text: &str, of: usize) -> usize {
        match text.strip_suffix('%') {
            Some(percent) => (of * percent.parse::<usize>().unwrap_or(100)).div_ceil(100),
            None => text.parse().unwrap_or(of),
        }
    }

    /// Hosts whose run failed, as MaxErrors counts them.
    pub(crate) fn errors(&self) -> usize {
        self.invocations.iter().filter(|one| matches!(one.status, "Failed" | "TimedOut")).count()
    }
}

impl Place {
    /// Lets as many invocations have their turn as may run at once; none more once too many have failed.
    pub(crate) fn spread(&mut self, id: &str) {
        let now = self.now;
        let Some(sent) = self.sent.get_mut(id) else { return };
        let count = sent.invocations.len();
        let most = Sent::limit(&sent.limits.0, count).max(1);
        let errors = sent.errors();
        let is_over = errors > Sent::limit(&sent.limits.1, count);
        let running = sent.invocations.iter().filter(|one| one.is_sent && !one.is_over()).count();
        let (mut room, mut turns) = (most.saturating_sub(running), Vec::new());
        for one in sent.invocations.iter_mut().filter(|one| !one.is_sent && !one.is_over()) {
            if is_over {
                (one.status, one.details, one.ended) = ("Cancelled", "Terminated", Some(now));
            } else if room > 0 {
                room -= 1;
                one.is_sent = true;
                turns.push(one.instance.clone());
            }
        }
        for instance in turns {
            let milliseconds = self.dice.between(1, 3);
            self.note(milliseconds, Event::Delivers(id.into(), instance));
        }
    }

    fn invocation(&mut self, id: &str, instance: &str) -> Option<&mut Invocation> {
        self.sent.get_mut(id)?.invocations.iter_mut().find(|one| one.instance == instance)
    }

    /// The agent of a host hears of a command, if it is there.
    pub(super) fn deliver(&mut self, id: &str, instance: &str) {
        let now = self.now;
        let Some(sent) = self.sent.get(id).cloned() else { return };
        let Some(one) = sent.invocations.iter().find(|one| one.instance == instance) else { return };
        if one.status != "Pending" {
            return;
        }
        let host = self.instances.get(instance);
        let is_there = host.is_some_and(|host| host.state == State::Running);
        let hears =
            host.is_some_and(|host| host.agent.as_ref().is_some_and(|agent| agent.silent_since.is_none()));
        if !is_there || now >= sent.expires {
            let (status, details) =
                if is_there { ("TimedOut", "DeliveryTimedOut") } else { ("Failed", "Undeliverable") };
            if let Some(one) = self.invocation(id, instance) {
                (one.status, one.details, one.ended, one.code) = (status, details, Some(now), -1);
            }
            self.spread(id);
            return;
        }
        if !hears {
            // Agents ask again and again; the last time is when it expires.
            self.note(
                30_i64.min(sent.expires.since(now).max(1)),
                Event::Delivers(id.into(), instance.into()),
            );
            return;
        }
        let content = self.documents.get(&sent.document).and_then(|found| found.versions.get(sent.version));
        let script = content.map(|content| Script::of(content, &sent.parameters)).unwrap_or_default();
        let mut host = OnHost {
            place: self,
            instance: instance.into(),
            elapsed: 0,
            exported: BTreeMap::new(),
            files: BTreeMap::new(),
        };
        let ended = shell::run(&script.text, script.variables, &mut host);
        let seconds = (ended.seconds + 1).min(script.timeout);
        let is_late = ended.seconds > script.timeout;
        if let Some(one) = self.invocation(id, instance) {
            (one.status, one.details) = ("InProgress", "InProgress");
            one.started = Some(now);
            one.code = if is_late { 137 } else { ended.code };
            (one.out, one.err) = (ended.out, ended.err);
        }
        self.note(seconds, Event::Finishes(id.into(), instance.into()));
    }

    /// What ran on a host has ended.
    pub(super) fn finish(&mut self, id: &str, instance: &str) {
        let now = self.now;
        let is_there = self.instances.get(instance).is_some_and(|host| host.state == State::Running);
        let Some(one) = self.invocation(id, instance).filter(|one| !one.is_over()) else { return };
        (one.status, one.details) = match one.code {
            _ if !is_there => ("Failed", "Undeliverable"),
            0 => ("Success", "Success"),
            137 => ("TimedOut", "ExecutionTimedOut"),
            _ => ("Failed", "Failed"),
        };
        one.ended = Some(now);
        self.spread(id);
    }
}

/// A document's commands, with what its parameters make of them.
#[derive(Debug, Default)]
struct Script {
    text: String,
    variables: HashMap<String, String>,
    /// Seconds that it may run.
    timeout: i64,
}

impl Script {
    /// Parameters take their places between braces, or where the document says so in the environment as `SSM_name`.
    fn of(content: &str, given: &Value) -> Self {
        let document: Value = serde_json::from_str(content).unwrap_or_default();
        let mut script = Self { timeout: 3600, ..Self::default() };
        let mut lines: Vec<String> = Vec::new();
        let none = Vec::new();
        let steps = document.get("mainSteps").and_then(Value::as_array).unwrap_or(&none);
        for step in steps {
            let inputs = step.get("inputs").unwrap_or(&Value::Null);
            match inputs.get("runCommand") {
                Some(Value::Array(commands)) => {
                    lines.extend(commands.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                Some(Value::String(command)) => lines.push(command.clone()),
                _ => {}
            }
            let limit = inputs.get("timeoutSeconds").map(|limit| limit.to_string());
            let limit = limit.and_then(|text| text.trim_matches('"').parse().ok());
            script.timeout = limit.unwrap_or(script.timeout);
        }
        let mut text = lines.join("\n");
        let parameters = document.get("parameters").and_then(Value::as_object);
        for (name, declared) in parameters.into_iter().flatten() {
            let value = given.get(name).or_else(|| declared.get("default")).unwrap_or(&Value::Null);
            let is_list = declared.get("type").and_then(Value::as_str) == Some("StringList");
            let items: Vec<String> = match value {
                Value::Array(items) => items.iter().map(plain).collect(),
                other => vec![plain(other)],
            };
            if declared.get("interpolationType").and_then(Value::as_str) == Some("ENV_VAR") {
                script.variables.insert(format!("SSM_{name}"), items.join(" "));
                continue;
            }
            let whole = [format!("{{{{ {name} }}}}"), format!("{{{{{name}}}}}")];
            for hole in whole {
                // A list alone on its line is as many lines; within one it is words.
                let is_lines = is_list && text.lines().any(|line| line.trim() == hole);
                text = text.replace(&hole, &items.join(if is_lines { "\n" } else { " " }));
            }
        }
        script.text = text;
        script
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parameters_take_their_places() {
        let content = json!({
            "schemaVersion": "2.2",
            "parameters": {
                "ids": { "type": "StringList", "interpolationType": "ENV_VAR" },
                "time": { "type": "String", "default": "30" },
                "commands": { "type": "StringList" },
            },
            "mainSteps": [{ "action": "aws:runShellScript", "name": "stop", "inputs": {
                "timeoutSeconds": "120",
                "runCommand": ["{{ commands }}", "docker stop -t {{time}} $SSM_ids"],
            } }],
        });
        let given = json!({ "ids": ["aa", "bb"], "commands": ["echo a", "echo b"] });
        let script = Script::of(&content.to_string(), &given);
        assert_eq!(script.text, "echo a\necho b\ndocker stop -t 30 $SSM_ids");
        assert_eq!(script.variables.get("SSM_ids").map(String::as_str), Some("aa bb"));
        assert_eq!(script.timeout, 120);
    }
}
