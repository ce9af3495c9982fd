//! Session Manager: sessions are opened and ended; `channel` carries them.

use super::documents::find;
use crate::sim::channel::{Leads, Target};
use crate::sim::fault::Fault;
use crate::sim::page::Paging;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, list};
use crate::sim::world::machine::State;
use crate::sim::world::place::Place;
use serde_json::Value;
use std::sync::Arc;

/// Documents of AWS's that open sessions.
const AWS: [&str; 3] =
    ["SSM-SessionManagerRunShell", "AWS-StartPortForwardingSession", "AWS-StartInteractiveCommand"];

/// StartSession: on an instance whose agent can be heard.
pub(super) fn start(call: &Call, place: &mut Place) -> Answer {
    let target = call.input.text("Target").unwrap_or_default();
    let hears = place.instances.get(target).filter(|one| one.state == State::Running);
    let agent = hears.and_then(|one| one.agent.as_ref()).filter(|agent| agent.silent_since.is_none());
    let Some(agent) = agent.map(|agent| agent.version) else {
        return Err(Fault::new("TargetNotConnected", format!("{target} is not connected.")));
    };
    if let Some(name) = call.input.text("DocumentName").filter(|name| !AWS.contains(name)) {
        let found = find(place, name)?;
        let content = found.versions.get(found.default).cloned().unwrap_or_default();
        let document: Value = serde_json::from_str(&content).unwrap_or_default();
        if document.get("sessionType").is_none() {
            return Err(Fault::new(
                "InvalidDocument",
                format!("Document type Command of {name} is not supported."),
            ));
        }
        let rules = document.get("parameters").and_then(Value::as_object);
        for (name, rules) in rules.into_iter().flatten() {
            let given = call.input.get("Parameters").map(|all| all.texts(name)).unwrap_or_default();
            let pattern = rules.get("allowedPattern").and_then(Value::as_str).unwrap_or(".*");
            let is_good =
                regex::Regex::new(pattern).is_ok_and(|it| given.iter().all(|text| it.is_match(text)));
            if given.len() != 1 || !is_good {
                return Err(Fault::new("InvalidParameters", format!("Parameter \"{name}\" is not allowed.")));
            }
        }
    }
    let leads = match call.input.text("DocumentName") {
        Some("AWS-StartPortForwardingSession") => {
            Leads::Port { remote: port(call, "portNumber", 80)?, local: port(call, "localPortNumber", 0)? }
        }
        // A shell of the host's own user; everything else that is served runs one command.
        name => Leads::Shell { inside: !matches!(name, None | Some("SSM-SessionManagerRunShell")) },
    };
    let id = format!("oncall-{}", place.dice.hex(17));
    let token = format!("AAEAA{}", place.dice.secret(120));
    let (account, region) = (Arc::clone(&place.account), place.region);
    let target = Target { account, region, instance: target.to_owned(), agent };
    let url = call.world.channels.open(&id, &token, target, leads);
    Ok(Fields::new().with("SessionId", id.as_str()).with("TokenValue", token).with("StreamUrl", url).into())
}

/// A port among the parameters of AWS's own document, which has a number for it where none is given.
fn port(call: &Call, name: &str, usual: u16) -> Result<u16, Fault> {
    let given = call.input.get("Parameters").map(|all| all.texts(name)).unwrap_or_default();
    let bad = || Fault::new("InvalidParameters", format!("Parameter \"{name}\" is not allowed."));
    match given.as_slice() {
        [] => Ok(usual),
        [one] => one.parse().map_err(|_| bad()),
        _ => Err(bad()),
    }
}

/// DescribeSessions: those that go on. Of those that ended nothing is kept.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    let state = call.input.text("State").unwrap_or_default();
    if !["Active", "History"].contains(&state) {
        let said = format!(
            "1 validation error detected: Value '{state}' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [Active, History]"
        );
        return Err(Fault::new("ValidationException", said));
    }
    let page = PAGING.of(call)?;
    let all = call.world.channels.of(&place.account, place.region);
    let rows = (1..).zip(all.iter().filter(|_| state == "Active"));
    let (rows, token) = page.take(call, rows);
    let shapes = list(rows, |(id, target)| {
        Fields::new()
            .with("SessionId", id.as_str())
            .with("Target", target.as_str())
            .with("Status", "Connected")
    });
    Ok(Fields::new().with("Sessions", shapes).maybe("NextToken", token).into())
}

const PAGING: Paging = Paging {
    size: "MaxResults",
    token: "NextToken",
    default: 200,
    min: 1,
    max: 200,
    bad_size: "ValidationException",
    bad_token: "InvalidNextToken",
};

/// TerminateSession: whatever the id names, it is over.
pub(super) fn end(call: &Call, _: &mut Place) -> Answer {
    let id = call.input.text("SessionId").filter(|id| !id.is_empty() && id.len() <= 96);
    let id = id.ok_or_else(|| {
        let said = "1 validation error detected: Value at 'sessionId' failed to satisfy constraint: Member must not be null";
        Fault::new("ValidationException", said)
    })?;
    call.world.channels.end(id);
    Ok(Fields::new().with("SessionId", id).into())
}
