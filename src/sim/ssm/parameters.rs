//! Parameters as they are read: newest, by version, by path, and their history.

use super::PAGING;
use crate::sim::dice::Dice;
use crate::sim::fault::Fault;
use crate::sim::page::Paging;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::time::Moment;
use crate::sim::world::keeping::Parameter;
use crate::sim::world::place::Place;
use crate::sim::world::published::PUBLIC;
use compact_str::{CompactString, format_compact};
use std::ops::Bound;

/// One version of a parameter.
struct Version<'p> {
    parameter: &'p Parameter,
    kind: &'static str,
    value: &'p str,
    version: u32,
    modified: Moment,
    description: Option<&'p CompactString>,
    user: Option<&'p CompactString>,
}

/// All versions of a parameter, oldest first.
fn versions(parameter: &Parameter) -> impl Iterator<Item = Version<'_>> {
    let past = parameter.past.iter().map(move |past| Version {
        parameter,
        kind: past.kind,
        value: &past.value,
        version: past.version,
        modified: past.modified,
        description: past.description.as_ref(),
        user: past.user.as_ref(),
    });
    past.chain(std::iter::once(newest(parameter)))
}

fn newest(parameter: &Parameter) -> Version<'_> {
    Version {
        parameter,
        kind: parameter.kind,
        value: &parameter.value,
        version: parameter.version,
        modified: parameter.modified,
        description: parameter.description.as_ref(),
        user: parameter.user.as_ref(),
    }
}

/// What a caller sees of a value: of a secret without decryption the ciphertext, the same for the same version.
fn shown(version: &Version, decrypt: bool) -> String {
    if version.kind == "SecureString" && !decrypt {
        let seed = u64::from(version.version) + 6;
        return format!("AQICAHh{}", Dice::new(seed, &version.parameter.name).hex(96));
    }
    version.value.to_owned()
}

fn parameter_shape(place: &Place, version: &Version, decrypt: bool) -> Fields {
    Fields::new()
        .with("Name", &version.parameter.name)
        .with("Type", version.kind)
        .with("Value", shown(version, decrypt))
        .with("Version", version.version)
        .with("LastModifiedDate", version.modified)
        .with("ARN", arn(place, &version.parameter.name))
        .with("DataType", "text")
}

/// AWS's own parameters are nobody's.
fn arn(place: &Place, name: &str) -> CompactString {
    match name.starts_with(PUBLIC) {
        true => format_compact!("arn:aws:ssm:{}::parameter{name}", place.region),
        false => place.arn("ssm", &format!("parameter{name}")),
    }
}

/// GetParameterHistory.
pub(super) fn history(call: &Call, place: &Place) -> Answer {
    let name = call.input.text("Name").unwrap_or_default();
    let parameter = place.parameter(name).ok_or_else(|| Fault::new("ParameterNotFound", ""))?;
    let decrypt = call.input.flag("WithDecryption");
    let page = Paging { default: 50, min: 1, max: 50, ..PAGING }.of(call)?;
    let all: Vec<Version> = versions(parameter).collect();
    let (rows, token) = page.take(call, (1..).zip(&all));
    let shapes = list(rows, |version| {
        let author = format!("arn:aws:iam::{}:user/terraform", place.account);
        Fields::new()
            .with("Name", &parameter.name)
            .with("Type", version.kind)
            .when(version.kind == "SecureString", |fields| fields.with("KeyId", "alias/aws/ssm"))
            .with("LastModifiedDate", version.modified)
            .with("LastModifiedUser", version.user.map_or(author, ToString::to_string))
            .maybe("Description", version.description)
            .with("Value", shown(version, decrypt))
            .with("Version", version.version)
            .with("Labels", Shape::List(Vec::new()))
            .with("Tier", if version.value.len() > 4096 { "Advanced" } else { "Standard" })
            .with("Policies", Shape::List(Vec::new()))
            .with("DataType", "text")
    });
    Ok(Fields::new().with("Parameters", shapes).maybe("NextToken", token).into())
}

/// GetParameter.
pub(super) fn get(call: &Call, place: &Place) -> Answer {
    let name = call.input.text("Name").unwrap_or_default();
    let version = find(place, name)?;
    let shape = parameter_shape(place, &version, call.input.flag("WithDecryption"));
    Ok(Fields::new().with("Parameter", shape).into())
}

/// A parameter by name, by `name:version`, or by ARN.
fn find<'p>(place: &'p Place, name: &str) -> Result<Version<'p>, Fault> {
    let name = match name.split_once(":parameter") {
        Some((_, rest)) if name.starts_with("arn:") => rest,
        _ => name,
    };
    let (name, version) = match name.rsplit_once(':') {
        Some((name, version)) => (name, Some(version)),
        None => (name, None),
    };
    let parameter = place.parameter(name).ok_or_else(|| Fault::new("ParameterNotFound", ""))?;
    let Some(wanted) = version else { return Ok(newest(parameter)) };
    let found = versions(parameter).find(|version| wanted.parse() == Ok(version.version));
    found.ok_or_else(|| {
        let sentence = format!(
            "Systems Manager could not find version {wanted} of {name}. Verify the version and try again."
        );
        Fault::new("ParameterVersionNotFound", sentence)
    })
}

/// GetParameters: those that are there; the others are named.
pub(super) fn get_several(call: &Call, place: &Place) -> Answer {
    let names = call.input.texts("Names");
    if names.is_empty() || names.len() > 10 {
        return Err(Fault::new(
            "ValidationException",
            "1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length less than or equal to 10",
        ));
    }
    let decrypt = call.input.flag("WithDecryption");
    let found = names.iter().filter_map(|name| find(place, name).ok());
    let shapes = list(found, |version| parameter_shape(place, &version, decrypt));
    let invalid = names.iter().filter(|name| find(place, name).is_err());
    Ok(Fields::new().with("Parameters", shapes).with("InvalidParameters", list(invalid, |name| *name)).into())
}

/// GetParametersByPath.
pub(super) fn get_by_path(call: &Call, place: &Place) -> Answer {
    let path = call.input.text("Path").unwrap_or_default();
    if !path.starts_with('/') {
        return Err(Fault::new(
            "ValidationException",
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\".",
        ));
    }
    let prefix = format!("{}/", path.trim_end_matches('/'));
    let recursive = call.input.flag("Recursive");
    let decrypt = call.input.flag("WithDecryption");
    let page = Paging { min: 1, max: 10, ..PAGING }.of(call)?;
    let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
    let rows = place
        .parameters_of(&prefix)
        .range::<str, _>(from)
        .take_while(|(name, _)| name.starts_with(&prefix))
        .filter(|(name, _)| recursive || !name.get(prefix.len()..).is_some_and(|rest| rest.contains('/')))
        .map(|(_, parameter)| parameter);
    let skip = usize::try_from(page.after).unwrap_or(usize::MAX);
    let (rows, token) = page.take(call, (page.after + 1..).zip(rows.skip(skip)));
    let shapes: Shape = list(rows, |parameter| parameter_shape(place, &newest(parameter), decrypt));
    Ok(Fields::new().with("Parameters", shapes).maybe("NextToken", token).into())
}
