//! Session Manager: sessions are opened and ended. What would be carried over the web socket is not pretended.

use super::documents::find;
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::Fields;
use crate::sim::world::machine::State;
use crate::sim::world::place::Place;
use serde_json::Value;

/// Documents of AWS's that open sessions.
const AWS: [&str; 3] =
    ["SSM-SessionManagerRunShell", "AWS-StartPortForwardingSession", "AWS-StartInteractiveCommand"];

/// StartSession: on an instance whose agent can be heard.
pub(super) fn start(call: &Call, place: &mut Place) -> Answer {
    let target = call.input.text("Target").unwrap_or_default();
    let hears = place.instances.get(target).is_some_and(|one| {
        one.state == State::Running && one.agent.as_ref().is_some_and(|agent| agent.silent_since.is_none())
    });
    if !hears {
        return Err(Fault::new("TargetNotConnected", format!("{target} is not connected.")));
    }
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
    let id = format!("oncall-{}", place.dice.hex(17));
    let url = format!(
        "wss://ssmmessages.{}.amazonaws.com/v1/data-channel/{id}?role=publish_subscribe",
        place.region
    );
    Ok(Fields::new()
        .with("SessionId", id.as_str())
        .with("TokenValue", format!("AAEAA{}", place.dice.secret(120)))
        .with("StreamUrl", url)
        .into())
}

/// TerminateSession: whatever the id names, it is over.
pub(super) fn end(call: &Call, _: &mut Place) -> Answer {
    let id = call.input.text("SessionId").filter(|id| !id.is_empty() && id.len() <= 96);
    let id = id.ok_or_else(|| {
        let said = "1 validation error detected: Value at 'sessionId' failed to satisfy constraint: Member must not be null";
        Fault::new("ValidationException", said)
    })?;
    Ok(Fields::new().with("SessionId", id).into())
}
