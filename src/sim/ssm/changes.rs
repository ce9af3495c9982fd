//! What changes the Parameter Store.

use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, list};
use crate::sim::world::keeping::{Parameter, Past};
use crate::sim::world::place::Place;
use compact_str::CompactString;

/// What a standard and an advanced parameter hold at most, in characters.
const LARGEST: (usize, usize) = (4096, 8192);

/// Characters that a name may have.
const LONGEST: usize = 2048;

/// Versions that are kept; the oldest makes room.
const VERSIONS: usize = 100;

fn invalid(sentence: impl Into<String>) -> Fault {
    Fault::new("ValidationException", sentence)
}

/// Refuses a name that is longer than any can be.
fn check_length(name: &str) -> Result<(), Fault> {
    if name.chars().count() <= LONGEST {
        return Ok(());
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: Member must have length less than or equal to {LONGEST}"
    )))
}

/// What is wrong with a name, if anything is.
fn check_name(name: &str) -> Result<(), Fault> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    let parts = name.trim_start_matches('/').split('/').count();
    let first = name.trim_start_matches('/').to_ascii_lowercase();
    check_length(name)?;
    if name.is_empty() || !name.chars().all(is_good) || name.ends_with('/') || name.contains("//") {
        return Err(invalid(
            "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_",
        ));
    }
    if name.contains('/') && !name.starts_with('/') {
        return Err(invalid("Parameter name must be a fully qualified name."));
    }
    if first.starts_with("aws") || first.starts_with("ssm") {
        return Err(Fault::new(
            "AccessDeniedException",
            format!("No access to reserved parameter name: {name}."),
        ));
    }
    if parts > 15 {
        return Err(Fault::new(
            "HierarchyLevelLimitExceededException",
            "A parameter name hierarchy can have a maximum of fifteen levels.",
        ));
    }
    Ok(())
}

/// PutParameter: a new one, or with Overwrite a new version of one.
pub(super) fn put(call: &Call, place: &mut Place) -> Answer {
    let input = call.input;
    let name = input.text("Name").unwrap_or_default();
    let value = input.text("Value").unwrap_or_default();
    check_name(name)?;
    if value.is_empty() {
        return Err(invalid("Parameter value must have at least one character."));
    }
    let tier = input.text("Tier").unwrap_or("Standard");
    let length = value.chars().count();
    let is_advanced = match tier {
        "Standard" => false,
        "Advanced" => true,
        "Intelligent-Tiering" => length > LARGEST.0,
        other => return Err(invalid(format!("{other} is no tier"))),
    };
    let (largest, word) = if is_advanced { (LARGEST.1, "Advanced") } else { (LARGEST.0, "Standard") };
    if length > largest {
        return Err(invalid(format!(
            "{word} tier parameters support a maximum parameter value of {largest} characters."
        )));
    }
    let overwrites = input.flag("Overwrite");
    if overwrites && !input.list("Tags").is_empty() {
        return Err(invalid("Invalid request: tags and overwrite can't be used together."));
    }
    if let Some(pattern) = input.text("AllowedPattern").filter(|pattern| !pattern.is_empty()) {
        let pattern = regex::Regex::new(&format!("^(?:{pattern})$"))
            .map_err(|_| Fault::new("InvalidAllowedPatternException", "The allowed pattern is not valid."))?;
        if !pattern.is_match(value) {
            return Err(Fault::new(
                "ParameterPatternMismatchException",
                format!("Parameter value, cannot be validated against allowedPattern: {pattern}"),
            ));
        }
    }
    let known = place.parameters.get(name);
    if known.is_some() && !overwrites {
        return Err(Fault::new(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        ));
    }
    let kind = match (input.text("Type"), known) {
        (Some("String"), _) => "String",
        (Some("StringList"), _) => "StringList",
        (Some("SecureString"), _) => "SecureString",
        (None, Some(known)) => known.kind,
        (None, None) => return Err(invalid("A parameter type is required when you create a parameter.")),
        (Some(other), _) => {
            return Err(Fault::new("UnsupportedParameterType", format!("{other} is no type")));
        }
    };
    let text = |name: &str| input.text(name).map(CompactString::from);
    let mut parameter = Parameter {
        name: name.into(),
        kind,
        value: value.to_owned(),
        version: 1,
        modified: call.now,
        description: text("Description"),
        user: Some(call.caller.arn.as_ref().into()),
        past: Vec::new(),
    };
    if let Some(known) = known {
        parameter.version = known.version + 1;
        parameter.description = parameter.description.or_else(|| known.description.clone());
        parameter.past = known.past.clone();
        parameter.past.push(Past {
            kind: known.kind,
            value: known.value.clone(),
            version: known.version,
            modified: known.modified,
            description: known.description.clone(),
            user: known.user.clone(),
        });
        if parameter.past.len() >= VERSIONS {
            parameter.past.remove(0);
        }
    }
    let version = parameter.version;
    place.parameters.insert(name.into(), parameter);
    Ok(Fields::new().with("Version", version).with("Tier", word).into())
}

/// DeleteParameter.
pub(super) fn delete(call: &Call, place: &mut Place) -> Answer {
    let name = call.input.text("Name").unwrap_or_default();
    match place.parameters.remove(name) {
        Some(_) => Ok(Fields::new().into()),
        None => Err(Fault::new("ParameterNotFound", "")),
    }
}

/// DeleteParameters: those that are there; the others are named.
pub(super) fn delete_several(call: &Call, place: &mut Place) -> Answer {
    let names = call.input.texts("Names");
    if names.is_empty() || names.len() > 10 {
        return Err(invalid(
            "1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length less than or equal to 10",
        ));
    }
    names.iter().try_for_each(|name| check_length(name))?;
    let (gone, missing): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|name| place.parameters.remove(*name).is_some());
    Ok(Fields::new()
        .with("DeletedParameters", list(gone, |name| name))
        .with("InvalidParameters", list(missing, |name| name))
        .into())
}
