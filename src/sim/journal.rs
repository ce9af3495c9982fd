//! What was asked: a log of calls that tests can ask, kept in memory and, if wanted, in a file.

use super::shape::Shape;
use super::time::Moment;
use super::world::held;
use serde_json::Value;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Calls that only looked, kept at most; calls that changed something are kept for ever.
const LOOKS: usize = 20_000;

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its number; set when it is written.
    pub(crate) serial: u64,
    pub(crate) at: Moment,
    /// Real time since the start: what token buckets of callers run by.
    pub(crate) elapsed: Duration,
    pub(crate) account: Arc<str>,
    pub(crate) region: &'static str,
    pub(crate) service: &'static str,
    pub(crate) operation: String,
    pub(crate) changes: bool,
    pub(crate) caller: Arc<str>,
    pub(crate) input: Value,
    /// The error code, if it was refused.
    pub(crate) code: Option<String>,
    /// What was done to it on purpose.
    pub(crate) mischief: Option<&'static str>,
    pub(crate) request_id: String,
    pub(crate) outcome: Outcome,
}

/// What came of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The world is another one for it.
    pub(crate) acted: bool,
    /// Whole and true, the answer went back to the caller.
    pub(crate) answered: bool,
    /// Ids of what it made.
    pub(crate) made: Vec<String>,
}

/// A call of an operation that changes something, whether it did or was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Mutation {
    /// When, in pretended time.
    pub at: jiff::Timestamp,
    /// The account's number.
    pub account: String,
    /// The region's name.
    pub region: &'static str,
    /// The service as signatures name it: `autoscaling`.
    pub service: &'static str,
    /// The operation: `EnterStandby`.
    pub action: String,
    /// The caller's ARN.
    pub caller: String,
    /// What it named: ids, names and ARNs in the order of the request's members.
    pub targets: Vec<String>,
    /// Everything that was sent.
    pub input: Value,
    /// The client token, if one was sent.
    pub client_token: Option<String>,
    /// The request id that the caller was given, or would have been.
    pub request_id: String,
    /// The code of the refusal.
    pub error: Option<String>,
    /// Something was done: it was no repetition under a known client token, and it was not refused, or only for a
    /// part of its targets.
    pub acted: bool,
    /// The answer went back whole. An operation that acted and did not answer left its caller in doubt.
    pub answered: bool,
    /// Ids of what it made.
    pub made: Vec<String>,
}

/// Members of requests that name what is changed.
const NAMING: &[&str] = &[
    "AutoScalingGroupName",
    "CommandId",
    "DocumentName",
    "InstanceId",
    "InstanceIds",
    "LaunchTemplateId",
    "LaunchTemplateName",
    "LifecycleHookName",
    "ListenerArn",
    "Name",
    "Names",
    "ResourceId",
    "RuleArn",
    "TargetGroupArn",
    "cluster",
    "containerInstance",
    "containerInstances",
    "logGroupName",
    "service",
    "serviceName",
    "task",
    "taskDefinition",
    "tasks",
];

/// Members of answers that name what was made.
const MADE: &[&str] = &[
    "CommandId",
    "InstanceRefreshId",
    "RuleArn",
    "TargetGroupArn",
    "Version",
    "instanceId",
    "launchTemplateId",
    "taskArn",
    "taskDefinitionArn",
    "versionNumber",
];

/// Operations that make something.
const MAKING: &[&str] = &[
    "CreateLaunchTemplate",
    "CreateLaunchTemplateVersion",
    "CreateRule",
    "CreateTargetGroup",
    "PutParameter",
    "RegisterTaskDefinition",
    "RunInstances",
    "RunTask",
    "SendCommand",
    "StartInstanceRefresh",
];

/// Ids of what an operation made, from its answer.
pub(crate) fn made(operation: &str, answer: &Shape) -> Vec<String> {
    let mut found = Vec::new();
    if MAKING.contains(&operation) {
        gather(answer, &mut found);
    }
    found
}

fn gather(shape: &Shape, found: &mut Vec<String>) {
    match shape {
        Shape::Struct(fields) => {
            for (name, value) in fields {
                match value {
                    Shape::Text(text) if MADE.contains(name) => found.push(text.to_string()),
                    Shape::Int(number) if MADE.contains(name) => found.push(number.to_string()),
                    inner => gather(inner, found),
                }
            }
        }
        Shape::List(items) => items.iter().for_each(|item| gather(item, found)),
        _ => {}
    }
}

/// The log.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    next: AtomicU64,
    looks: Mutex<VecDeque<Entry>>,
    changes: Mutex<Vec<Entry>>,
    file: Option<Mutex<File>>,
}

impl Journal {
    /// A log that is written to this file too, one JSON object a line.
    pub(crate) fn new(file: Option<File>) -> Self {
        Self { file: file.map(Mutex::new), ..Self::default() }
    }

    /// Adds a call.
    pub(crate) fn write(&self, mut entry: Entry) {
        entry.serial = self.next.fetch_add(1, Ordering::Relaxed);
        if let Some(file) = &self.file {
            let line = entry.json().to_string();
            if let Err(error) = writeln!(held(file), "{line}") {
                tracing::error!(%error, "the record of calls could not be written");
            }
        }
        if entry.changes {
            held(&self.changes).push(entry);
            return;
        }
        let mut looks = held(&self.looks);
        if looks.len() == LOOKS {
            looks.pop_front();
        }
        looks.push_back(entry);
    }

    /// All calls that are kept, in the order in which they came.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let mut all: Vec<Entry> = held(&self.changes).clone();
        all.extend(held(&self.looks).iter().cloned());
        all.sort_by_key(|entry| entry.serial);
        all
    }

    /// The calls that changed something or were to.
    pub(crate) fn mutations(&self) -> Vec<Mutation> {
        held(&self.changes).iter().map(Entry::mutation).collect()
    }
}

impl Entry {
    /// What the call named.
    fn targets(&self) -> Vec<String> {
        let mut found = Vec::new();
        let Value::Object(members) = &self.input else { return found };
        let mut add = |value: &Value| match value {
            Value::String(text) => found.push(text.clone()),
            Value::Array(items) => found.extend(items.iter().filter_map(Value::as_str).map(str::to_owned)),
            _ => {}
        };
        for (name, value) in members {
            if NAMING.contains(&name.as_str()) {
                add(value);
            }
            // Targets of load balancers have ids, targets of commands have values, priorities have rules.
            for item in value.as_array().into_iter().flatten() {
                match name.as_str() {
                    "Targets" => ["Id", "Values"].iter().filter_map(|key| item.get(key)).for_each(&mut add),
                    "RulePriorities" => item.get("RuleArn").into_iter().for_each(&mut add),
                    _ => {}
                }
            }
        }
        found
    }

    fn client_token(&self) -> Option<String> {
        let token = ["ClientToken", "clientToken"].iter().find_map(|name| self.input.get(name));
        token.and_then(Value::as_str).map(str::to_owned)
    }

    fn mutation(&self) -> Mutation {
        Mutation {
            at: jiff::Timestamp::from_millisecond(self.at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH),
            account: self.account.to_string(),
            region: self.region,
            service: self.service,
            action: self.operation.clone(),
            caller: self.caller.to_string(),
            targets: self.targets(),
            input: self.input.clone(),
            client_token: self.client_token(),
            request_id: self.request_id.clone(),
            error: self.code.clone(),
            acted: self.outcome.acted,
            answered: self.outcome.answered,
            made: self.outcome.made.clone(),
        }
    }

    /// The call as a line of the record.
    pub(crate) fn json(&self) -> Value {
        let mut line = serde_json::json!({
            "at": self.at.rfc3339(), "elapsed_ms": u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            "account": self.account.as_ref(), "region": self.region,
            "service": self.service, "operation": self.operation, "changes": self.changes,
            "input": self.input, "error": self.code, "fault": self.mischief, "request_id": self.request_id,
            "caller": self.caller.as_ref(), "answered": self.outcome.answered,
        });
        if self.changes
            && let Value::Object(members) = &mut line
        {
            members.insert("targets".to_owned(), self.targets().into());
            members.insert("client_token".to_owned(), self.client_token().into());
            members.insert("acted".to_owned(), self.outcome.acted.into());
            members.insert("made".to_owned(), self.outcome.made.clone().into());
        }
        line
    }
}
