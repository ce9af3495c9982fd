//! What changes instances, tags and launch templates.

use super::{dry_run, templates, version_shape};
use crate::sim::fault::Fault;
use crate::sim::input::Input;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::life::Event;
use crate::sim::world::machine::{Kind, State, Tag, TemplateVersion};
use crate::sim::world::place::Place;
use crate::sim::world::tokens::Fresh;
use compact_str::CompactString;

/// The instances that a call names; refuses the whole call for one that is not there.
fn named<'a>(call: &Call<'a>, place: &Place) -> Result<Vec<&'a str>, Fault> {
    let ids = call.input.texts("InstanceId");
    if ids.is_empty() {
        return Err(Fault::new("MissingParameter", "The request must contain the parameter InstanceId"));
    }
    match ids.iter().find(|id| !place.instances.has(id)) {
        None => Ok(ids),
        Some(id) => {
            Err(Fault::new("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist")))
        }
    }
}

fn state(state: State) -> Fields {
    Fields::new().with("code", state.code()).with("name", state.word())
}

/// Changes each instance that is named, and answers with its states before and after.
fn each(call: &Call, place: &mut Place, change: impl Fn(&mut Place, &str)) -> Answer {
    let ids = named(call, place)?;
    dry_run(call)?;
    let current =
        |place: &Place, id: &str| place.instances.get(id).map_or(State::Terminated, |found| found.state);
    let mut rows = Vec::new();
    for id in ids {
        let before = current(place, id);
        change(place, id);
        let row = Fields::new().with("instanceId", id).with("currentState", state(current(place, id)));
        rows.push(row.with("previousState", state(before)));
    }
    Ok(Fields::new().with("instancesSet", rows).into())
}

/// TerminateInstances.
pub(super) fn terminate(call: &Call, place: &mut Place) -> Answer {
    let protected = call.input.texts("InstanceId").into_iter().find(|id| {
        place.instances.get(id).is_some_and(|instance| instance.is_protected && !instance.state.is_gone())
    });
    if let Some(id) = protected {
        return Err(Fault::new(
            "OperationNotPermitted",
            format!(
                "The instance '{id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again."
            ),
        ));
    }
    each(call, place, |place, id| {
        place.terminate(id, ("Client.UserInitiatedShutdown", "User initiated shutdown"));
    })
}

/// StopInstances.
pub(super) fn stop(call: &Call, place: &mut Place) -> Answer {
    refuse_gone(call, place, "stopped")?;
    if let Some(id) = call
        .input
        .texts("InstanceId")
        .into_iter()
        .find(|id| place.instances.get(id).is_some_and(|instance| instance.spot_request.is_some()))
    {
        let sentence = format!(
            "You can't stop the Spot Instance '{id}' because it is associated with a one-time Spot Instance request. You can only stop Spot Instances associated with persistent Spot Instance requests."
        );
        return Err(Fault::new("UnsupportedOperation", sentence));
    }
    each(call, place, Place::stop_instance)
}

/// StartInstances.
pub(super) fn start(call: &Call, place: &mut Place) -> Answer {
    refuse_gone(call, place, "started")?;
    each(call, place, |place, id| {
        let now = place.now;
        let Some(instance) = place.instances.get_mut(id).filter(|instance| instance.state == State::Stopped)
        else {
            return;
        };
        instance.state = State::Pending;
        instance.state_since = now;
        instance.state_reason = None;
        instance.launched = now;
        place.note(25, Event::Settles(id.into()));
    })
}

fn refuse_gone(call: &Call, place: &Place, verb: &str) -> Result<(), Fault> {
    let ids = call.input.texts("InstanceId");
    let gone = ids.into_iter().find(|id| place.instances.get(id).is_some_and(|found| found.state.is_gone()));
    gone.map_or(Ok(()), |id| {
        let sentence = format!("The instance '{id}' is not in a state from which it can be {verb}.");
        Err(Fault::new("IncorrectInstanceState", sentence))
    })
}

/// Reads tags.
fn tags(input: Input) -> Vec<Tag> {
    input
        .list("Tag")
        .into_iter()
        .map(|tag| {
            let part = |name| CompactString::from(tag.text(name).unwrap_or_default());
            (part("Key"), part("Value"))
        })
        .collect()
}

/// CreateTags and DeleteTags find the tags of a resource here.
fn tags_of<'p>(place: &'p mut Place, id: &str) -> Result<&'p mut Vec<Tag>, Fault> {
    let (code, found) = match id.split('-').next() {
        Some("i") => ("InvalidInstanceID.NotFound", place.instances.get_mut(id).map(|found| &mut found.tags)),
        Some("lt") => {
            ("InvalidLaunchTemplateId.NotFound", place.templates.get_mut(id).map(|found| &mut found.tags))
        }
        Some("ami") => ("InvalidAMIID.NotFound", place.images.get_mut(id).map(|found| &mut found.tags)),
        _ => ("InvalidID", None),
    };
    found.ok_or_else(|| Fault::new(code, format!("The ID '{id}' does not exist")))
}

/// CreateTags.
pub(super) fn create_tags(call: &Call, place: &mut Place) -> Answer {
    let new = tags(call.input);
    if let Some((key, _)) = new.iter().find(|(key, _)| key.starts_with("aws:")) {
        return Err(Fault::new(
            "InvalidParameterValue",
            format!("Tag keys starting with 'aws:' are reserved for internal use: {key}"),
        ));
    }
    let ids = call.input.texts("ResourceId");
    for id in &ids {
        let mut all = tags_of(place, id)?.clone();
        merge(&mut all, &new);
        if all.iter().filter(|(key, _)| !key.starts_with("aws:")).count() > 50 {
            return Err(Fault::new(
                "TagLimitExceeded",
                "The maximum number of Tags for a resource has been reached.",
            ));
        }
    }
    dry_run(call)?;
    for id in &ids {
        merge(tags_of(place, id)?, &new);
    }
    Ok(Fields::new().with("return", true).into())
}

fn merge(all: &mut Vec<Tag>, new: &[Tag]) {
    for (key, value) in new {
        match all.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value.clone(),
            None => all.push((key.clone(), value.clone())),
        }
    }
}

/// DeleteTags: those named, or all but AWS's own; a value that is given must be the present one.
pub(super) fn delete_tags(call: &Call, place: &mut Place) -> Answer {
    let ids = call.input.texts("ResourceId");
    for id in &ids {
        tags_of(place, id)?;
    }
    dry_run(call)?;
    let named = call.input.list("Tag");
    for id in ids {
        tags_of(place, id)?.retain(|(key, value)| {
            if key.starts_with("aws:") {
                return true;
            }
            let is_meant = named.iter().any(|tag| {
                tag.text("Key") == Some(key) && tag.text("Value").is_none_or(|wanted| wanted == value)
            });
            !(named.is_empty() || is_meant)
        });
    }
    Ok(Fields::new().with("return", true).into())
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
    let known = ["ImageId", "InstanceType", "UserData"];
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
    let image = data
        .text("ImageId")
        .map(CompactString::from)
        .or_else(|| base.as_ref().map(|base| base.image.clone()));
    let latest = template.versions.last().cloned();
    let version = TemplateVersion {
        number: template.latest() + 1,
        description,
        created: call.now,
        created_by: CompactString::from(call.caller.arn.as_ref()),
        image: image.unwrap_or_default(),
        kind,
        profile: base.as_ref().and_then(|base| base.profile.clone()),
        security_group: latest.map(|latest| latest.security_group).unwrap_or_else(|| "".into()),
        user_data: data
            .text("UserData")
            .map(CompactString::from)
            .or_else(|| base.as_ref().and_then(|b| b.user_data.clone())),
        tags: base.map(|base| base.tags).unwrap_or_default(),
    };
    dry_run(call)?;
    let made = call.input.text("ClientToken").filter(|token| !token.is_empty());
    let number = match made.map(|token| place.tokens.fresh(call, token)) {
        Some(Fresh::Mismatch) => {
            return Err(Fault::new(
                "IdempotentParameterMismatch",
                "The client token was used with other parameters",
            ));
        }
        Some(Fresh::Done(number)) => number.parse().unwrap_or(version.number),
        Some(Fresh::New) | None => {
            if let Some(template) = place.templates.get_mut(&id) {
                template.versions.push(version.clone());
            }
            if let Some(token) = made {
                place.tokens.keep(call, token, version.number.to_string());
            }
            version.number
        }
    };
    let template = templates::by_id(place, &id)?;
    let shape = template.version(&number.to_string()).map(|version| version_shape(template, version));
    Ok(Fields::new().maybe("launchTemplateVersion", shape).into())
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
    if let Some(template) = place.templates.get_mut(&id) {
        template.default = number;
    }
    let template = templates::by_id(place, &id)?;
    Ok(Fields::new().with("launchTemplate", templates::shape(place, template)).into())
}

/// DeleteLaunchTemplateVersions: each by itself, the default one never.
pub(super) fn delete_versions(call: &Call, place: &mut Place) -> Answer {
    let id = template_id(call, place)?;
    dry_run(call)?;
    let Some(template) = place.templates.get_mut(&id) else { return Ok(Fields::new().into()) };
    let (mut gone, mut kept) = (Vec::new(), Vec::new());
    for text in call.input.texts("LaunchTemplateVersion") {
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
