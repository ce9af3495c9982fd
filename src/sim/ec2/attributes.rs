//! Attributes of instances: protection against termination, and the type.

use super::changes::named;
use super::dry_run;
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape};
use crate::sim::world::place::Place;

/// DescribeInstanceAttribute.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    let id = call.input.text("InstanceId").unwrap_or_default();
    let found = place.instances.get(id).and_then(|instance| place.seen(instance, call.now));
    let instance = found.ok_or_else(|| {
        Fault::new("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist"))
    })?;
    dry_run(call)?;
    let value = |value: Shape| Fields::new().with("value", value);
    let fields = Fields::new().with("instanceId", id);
    Ok(match call.input.text("Attribute") {
        Some("disableApiTermination") => {
            fields.with("disableApiTermination", value(instance.is_protected.into())).into()
        }
        Some("instanceType") => fields.with("instanceType", value(instance.kind.name.into())).into(),
        other => {
            let sentence = format!("The attribute {} is not understood here", other.unwrap_or("nothing"));
            return Err(Fault::new("InvalidParameterValue", sentence));
        }
    })
}

/// ModifyInstanceAttribute: protection against termination.
pub(super) fn modify(call: &Call, place: &mut Place) -> Answer {
    let id = match call.input.text("InstanceId") {
        Some(id) if place.instances.has(id) => id,
        Some(id) => {
            let sentence = format!("The instance ID '{id}' does not exist");
            return Err(Fault::new("InvalidInstanceID.NotFound", sentence));
        }
        None => return named(call, place).map(|_| Fields::new().into()),
    };
    let protects = match (call.input.get("DisableApiTermination"), call.input.text("Attribute")) {
        (Some(part), None) => part.flag("Value"),
        (None, Some("disableApiTermination")) => call.input.flag("Value"),
        _ => {
            let sentence = "Only disableApiTermination can be set here, and only once in a call";
            return Err(Fault::new("InvalidParameterCombination", sentence));
        }
    };
    if place.instances.get(id).is_some_and(|instance| instance.state.is_gone()) {
        let sentence = format!("The instance '{id}' is not in a state from which it can be modified.");
        return Err(Fault::new("IncorrectInstanceState", sentence));
    }
    dry_run(call)?;
    place.veil_instance(id);
    if let Some(instance) = place.instances.get_mut(id) {
        instance.is_protected = protects;
    }
    Ok(Fields::new().with("return", true).into())
}
