//! What changes the Parameter Store.

use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::Fields;
use crate::sim::world::keeping::Parameter;
use crate::sim::world::place::Place;

/// What a standard parameter holds at most, in characters.
const LARGEST: usize = 4096;

/// PutParameter.
pub(super) fn put(call: &Call, place: &mut Place) -> Answer {
    let name = call.input.text("Name").unwrap_or_default();
    let value = call.input.text("Value").unwrap_or_default();
    if name.is_empty() || value.is_empty() {
        return Err(Fault::new(
            "ValidationException",
            "Parameter name and value must have at least one character.",
        ));
    }
    if value.chars().count() > LARGEST {
        return Err(Fault::new(
            "ValidationException",
            "Standard tier parameters support a maximum parameter value of 4096 characters.",
        ));
    }
    let known = place.parameters.get(name);
    if known.is_some() && !call.input.flag("Overwrite") {
        return Err(Fault::new(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        ));
    }
    let kind = match (call.input.text("Type"), known) {
        (Some("String"), _) => "String",
        (Some("StringList"), _) => "StringList",
        (Some("SecureString"), _) => "SecureString",
        (None, Some(known)) => known.kind,
        (None, None) => {
            return Err(Fault::new(
                "ValidationException",
                "A parameter type is required when you create a parameter.",
            ));
        }
        (Some(other), _) => {
            return Err(Fault::new("UnsupportedParameterType", format!("{other} is no type")));
        }
    };
    let version = known.map_or(1, |known| known.version + 1);
    let parameter =
        Parameter { name: name.into(), kind, value: value.to_owned(), version, modified: call.now };
    place.parameters.insert(name.into(), parameter);
    Ok(Fields::new().with("Version", version).with("Tier", "Standard").into())
}

/// DeleteParameter.
pub(super) fn delete(call: &Call, place: &mut Place) -> Answer {
    let name = call.input.text("Name").unwrap_or_default();
    match place.parameters.remove(name) {
        Some(_) => Ok(Fields::new().into()),
        None => Err(Fault::new("ParameterNotFound", "")),
    }
}
