//! What changes launch templates: they are made and deleted, and so are their versions.

use super::changes::{merge, tags};
use super::{dry_run, templates, version_shape};
use crate::sim::fault::Fault;
use crate::sim::input::Input;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::machine::{Kind, Tag, Template, TemplateVersion};
use crate::sim::world::place::Place;
use crate::sim::world::tokens::Fresh;
use compact_str::CompactString;
use std::sync::Arc;

/// A client token that came again with something else.
pub(super) fn mismatch() -> Fault {
    Fault::new(
        "IdempotentParameterMismatch",
        "The client token has already been used with another set of request parameters",
    )
}

/// What comes to be with an instance or a template, and can be tagged in its making.
const TAGGABLE: [&str; 5] =
    ["instance", "launch-template", "network-interface", "spot-instances-request", "volume"];

/// Reads the tags of a call's TagSpecification for one sort of resource.
pub(super) fn specified(input: Input, resource: &str) -> Result<Vec<Tag>, Fault> {
    let mut all = Vec::new();
    for part in input.list("TagSpecification") {
        let of = part.text("ResourceType").unwrap_or_default();
        if !TAGGABLE.contains(&of) {
            let sentence = format!("'{of}' is not a valid taggable resource type for this operation.");
            return Err(Fault::new("InvalidParameterValue", sentence));
        }
        if of == resource {
            merge(&mut all, &tags(part));
        }
    }
    Ok(all)
}

/// The data of a version: what is sent, over what its base holds.
fn read(
    call: &Call,
    data: Input,
    base: Option<TemplateVersion>,
    number: u32,
    security_group: Arc<str>,
) -> Result<TemplateVersion, Fault> {
    let known = ["ImageId", "InstanceType", "UserData", "IamInstanceProfile", "TagSpecification"];
    if let Some(stranger) = data.names().find(|name| !known.contains(name)) {
        return Err(Fault::new(
            "UnknownParameter",
            format!("LaunchTemplateData.{stranger} is not understood here"),
        ));
    }
    let description = call.input.text("VersionDescription").map(CompactString::from);
    if description.as_ref().is_some_and(|text| text.chars().count() > 255) {
        return Err(Fault::new("InvalidParameterValue", "VersionDescription must be at most 255 characters"));
    }
    let kind = match data.text("InstanceType") {
        None => base.as_ref().and_then(|base| base.kind),
        Some(name) => Some(
            Kind::named(name)
                .ok_or_else(|| {
                    Fault::new("InvalidInstanceType", format!("The type {name} is not known here"))
                })?
                .name,
        ),
    };
    let text = |name: &str| data.text(name).map(CompactString::from);
    let image_named = data.text("ImageId").unwrap_or("ami-");
    if !image_named.starts_with("ami-") && !image_named.starts_with("resolve:ssm:") {
        let sentence = format!("Invalid id: \"{image_named}\" (expecting \"ami-...\")");
        return Err(Fault::new("InvalidAMIID.Malformed", sentence));
    }
    let own = specified(data, "instance")?;
    let (mut image, mut user_data, mut profile, mut tags) =
        (CompactString::default(), None, None, Vec::new());
    if let Some(base) = base {
        (image, user_data, profile, tags) = (base.image, base.user_data, base.profile, base.tags);
    }
    Ok(TemplateVersion {
        number,
        description,
        created: call.now,
        created_by: CompactString::from(call.caller.arn.as_ref()),
        image: text("ImageId").unwrap_or(image),
        kind,
        profile: super::launch::profile(call, data).or(profile),
        security_group,
        user_data: text("UserData").or(user_data),
        tags: if own.is_empty() { tags } else { own },
    })
}

/// CreateLaunchTemplate: with its first version.
pub(super) fn create_template(call: &Call, place: &mut Place) -> Answer {
    let missing =
        |name: &str| Fault::new("MissingParameter", format!("The request must contain the parameter {name}"));
    let name = call.input.text("LaunchTemplateName").ok_or_else(|| missing("LaunchTemplateName"))?;
    let data = call.input.get("LaunchTemplateData").ok_or_else(|| missing("LaunchTemplateData"))?;
    let is_good = |c: char| c.is_ascii_alphanumeric() || "().-/_".contains(c);
    if !(3..=128).contains(&name.len()) || !name.chars().all(is_good) {
        return Err(Fault::new("InvalidLaunchTemplateName.MalformedException", format!("{name} is no name")));
    }
    let token = call.input.text("ClientToken").filter(|token| !token.is_empty());
    match token.map(|token| place.tokens.fresh(call, token)) {
        Some(Fresh::Mismatch) => return Err(mismatch()),
        Some(Fresh::Done(id)) => {
            let template = templates::by_id(place, &id)?;
            return Ok(Fields::new().with("launchTemplate", templates::shape(place, template)).into());
        }
        Some(Fresh::New) | None => {}
    }
    if place.templates.rows().any(|template| template.name == name) {
        return Err(Fault::new(
            "InvalidLaunchTemplateName.AlreadyExistsException",
            "Launch template name already in use.",
        ));
    }
    let group = place.instances.rows().next().map(|instance| Arc::clone(&instance.security_group.0));
    let version = read(call, data, None, 1, group.unwrap_or_else(|| "sg-0default0000000000".into()))?;
    let tags = specified(call.input, "launch-template")?;
    dry_run(call)?;
    let id = CompactString::from(place.dice.id("lt"));
    let template = Template {
        id: id.clone(),
        name: name.into(),
        created: call.now,
        default: 1,
        highest: 1,
        versions: vec![version],
        tags,
    };
    place.veil_template(&id);
    place.templates.insert(id.clone(), template);
    if let Some(token) = token {
        place.tokens.keep(call, token, id.to_string());
    }
    let template = templates::by_id(place, &id)?;
    Ok(Fields::new().with("launchTemplate", templates::shape(place, template)).into())
}

/// DeleteLaunchTemplate: with all its versions.
pub(super) fn delete_template(call: &Call, place: &mut Place) -> Answer {
    let id = template_id(call, place)?;
    dry_run(call)?;
    let shape = templates::shape(place, templates::by_id(place, &id)?);
    place.veil_template(&id);
    place.templates.remove(&id);
    Ok(Fields::new().with("launchTemplate", shape).into())
}

/// The id of the template that a call names.
fn template_id(call: &Call, place: &Place) -> Result<CompactString, Fault> {
    match (call.input.text("LaunchTemplateId"), call.input.text("LaunchTemplateName")) {
        (Some(id), None) => templates::by_id(place, id).map(|found| found.id.clone()),
        (None, Some(name)) => templates::by_name(place, name).map(|found| found.id.clone()),
        _ => Err(Fault::new(
            "MissingParameter",
            "You must specify either the launch template ID or launch template name in the request, but not both.",
        )),
    }
}

/// CreateLaunchTemplateVersion: what is sent, over what the source version holds.
pub(super) fn create_version(call: &Call, place: &mut Place) -> Answer {
    let id = template_id(call, place)?;
    let data = call.input.get("LaunchTemplateData").ok_or_else(|| {
        Fault::new("MissingParameter", "The request must contain the parameter LaunchTemplateData")
    })?;
    let template = templates::by_id(place, &id)?;
    let base = match call.input.text("SourceVersion") {
        None => None,
        Some(text) => Some(template.version(text).cloned().ok_or_else(|| {
            Fault::new(
                "InvalidLaunchTemplateId.VersionNotFound",
                format!("Could not find launch template version {text}"),
            )
        })?),
    };
    let number = template.highest + 1;
    let security_group = template.versions.last().map(|latest| Arc::clone(&latest.security_group));
    let version = read(call, data, base, number, security_group.unwrap_or_else(|| "".into()))?;
    dry_run(call)?;
    let made = call.input.text("ClientToken").filter(|token| !token.is_empty());
    let number = match made.map(|token| place.tokens.fresh(call, token)) {
        Some(Fresh::Mismatch) => {
            return Err(mismatch());
        }
        Some(Fresh::Done(number)) => number.parse().unwrap_or(version.number),
        Some(Fresh::New) | None => {
            place.veil_template(&id);
            if let Some(template) = place.templates.get_mut(&id) {
                template.highest = version.number;
                template.versions.push(version.clone());
            }
            if let Some(token) = made {
                place.tokens.keep(call, token, version.number.to_string());
            }
            version.number
        }
    };
    let template = templates::by_id(place, &id)?;
    let version = template.version(&number.to_string());
    let shape = version.map(|version| version_shape(template, version, alias(call, place, version)));
    Ok(Fields::new().maybe("launchTemplateVersion", shape).into())
}

/// The image that a version's alias means, when a call wants to know it.
pub(super) fn alias(call: &Call, place: &Place, version: &TemplateVersion) -> Option<CompactString> {
    let wanted = call.input.flag("ResolveAlias") && version.image.starts_with("resolve:");
    wanted.then(|| place.image_id(&version.image)).flatten()
}

/// ModifyLaunchTemplate: sets the default version.
pub(super) fn modify_template(call: &Call, place: &mut Place) -> Answer {
    let id = template_id(call, place)?;
    let wanted = call.input.text("SetDefaultVersion").unwrap_or_default();
    let number =
        templates::by_id(place, &id)?.version(wanted).map(|version| version.number).ok_or_else(|| {
            Fault::new(
                "InvalidLaunchTemplateId.VersionNotFound",
                format!("Could not find launch template version {wanted}"),
            )
        })?;
    dry_run(call)?;
    let token = call.input.text("ClientToken").filter(|token| !token.is_empty());
    match token.map(|token| place.tokens.fresh(call, token)) {
        Some(Fresh::Mismatch) => return Err(mismatch()),
        Some(Fresh::Done(_)) => {}
        Some(Fresh::New) | None => {
            place.veil_template(&id);
            if let Some(template) = place.templates.get_mut(&id) {
                template.default = number;
            }
            if let Some(token) = token {
                place.tokens.keep(call, token, number.to_string());
            }
        }
    }
    let template = templates::by_id(place, &id)?;
    Ok(Fields::new().with("launchTemplate", templates::shape(place, template)).into())
}

/// DeleteLaunchTemplateVersions: each by itself, the default one never.
pub(super) fn delete_versions(call: &Call, place: &mut Place) -> Answer {
    let id = template_id(call, place)?;
    let named = call.input.texts("LaunchTemplateVersion");
    if named.is_empty() {
        let sentence = "The request must contain the parameter LaunchTemplateVersion";
        return Err(Fault::new("MissingParameter", sentence));
    }
    dry_run(call)?;
    place.veil_template(&id);
    let Some(template) = place.templates.get_mut(&id) else { return Ok(Fields::new().into()) };
    let (mut gone, mut kept) = (Vec::new(), Vec::new());
    for text in named {
        let number = text.parse::<u32>().unwrap_or(0);
        let row = Fields::new()
            .with("launchTemplateId", &template.id)
            .with("launchTemplateName", &template.name)
            .with("versionNumber", number);
        let problem = if number == template.default {
            Some(("launchTemplateIdMalformed", "Cannot delete the default version of a launch template"))
        } else if template.versions.iter().all(|version| version.number != number) {
            Some(("launchTemplateVersionDoesNotExist", "The version does not exist"))
        } else {
            None
        };
        match problem {
            Some((code, message)) => {
                let error = Fields::new().with("code", code).with("message", message);
                kept.push(row.with("responseError", error));
            }
            None => {
                template.versions.retain(|version| version.number != number);
                gone.push(row);
            }
        }
    }
    Ok(Fields::new()
        .with("successfullyDeletedLaunchTemplateVersionSet", list(gone, Shape::from))
        .with("unsuccessfullyDeletedLaunchTemplateVersionSet", list(kept, Shape::from))
        .into())
}
