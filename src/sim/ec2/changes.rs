//! What changes instances and tags.

use super::dry_run;
use crate::sim::fault::Fault;
use crate::sim::input::Input;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::Fields;
use crate::sim::world::life::Event;
use crate::sim::world::machine::{State, Tag};
use crate::sim::world::place::Place;
use compact_str::CompactString;

/// The instances that a call names; refuses the whole call for one that is not there.
pub(super) fn named<'a>(call: &Call<'a>, place: &Place) -> Result<Vec<&'a str>, Fault> {
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
        place.veil_instance(id);
        change(place, id);
        let row = Fields::new().with("instanceId", id).with("currentState", state(current(place, id)));
        rows.push(row.with("previousState", state(before)));
    }
    Ok(Fields::new().with("instancesSet", rows).into())
}

/// TerminateInstances. A protected instance keeps its whole zone from being terminated; the others go all the
/// same, although the call is refused.
pub(super) fn terminate(call: &Call, place: &mut Place) -> Answer {
    let ids = named(call, place)?;
    let shielded = |place: &Place, id: &str| {
        place.instances.get(id).is_some_and(|one| one.is_protected && !one.state.is_gone())
    };
    let Some(first) = ids.iter().find(|id| shielded(place, id)).copied() else {
        return each(call, place, end);
    };
    let zone = |place: &Place, id: &str| place.instances.get(id).map(|found| found.zone);
    let kept: Vec<Option<usize>> =
        ids.iter().filter(|id| shielded(place, id)).map(|id| zone(place, id)).collect();
    let is_open = |id: &&str| !call.input.flag("DryRun") && !kept.contains(&zone(place, id));
    let open: Vec<&str> = ids.iter().filter(|id| is_open(id)).copied().collect();
    let is_alive = |id: &&str| place.instances.get(id).is_some_and(|one| !one.state.is_gone());
    let has_acted = open.iter().any(is_alive);
    for id in open {
        place.veil_instance(id);
        end(place, id);
    }
    let sentence = format!(
        "The instance '{first}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again."
    );
    Err(Fault::new("OperationNotPermitted", sentence).having_acted(has_acted))
}

fn end(place: &mut Place, id: &str) {
    place.terminate(id, ("Client.UserInitiatedShutdown", "User initiated shutdown"));
}

/// RebootInstances: those that run.
pub(super) fn reboot(call: &Call, place: &mut Place) -> Answer {
    let ids = named(call, place)?;
    let is_running = |id: &&str| place.instances.get(id).is_some_and(|found| found.state == State::Running);
    if let Some(id) = ids.iter().find(|id| !is_running(id)) {
        let sentence = format!("The instance '{id}' is not in a state from which it can be rebooted.");
        return Err(Fault::new("IncorrectInstanceState", sentence));
    }
    dry_run(call)?;
    for id in ids {
        place.reboot(id);
    }
    Ok(Fields::new().with("return", true).into())
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
pub(super) fn tags(input: Input) -> Vec<Tag> {
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

/// The resources that a call tags.
fn resources<'a>(call: &Call<'a>) -> Result<Vec<&'a str>, Fault> {
    let ids = call.input.texts("ResourceId");
    if ids.is_empty() {
        return Err(Fault::new("MissingParameter", "The request must contain the parameter resourceIdSet"));
    }
    Ok(ids)
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
    let ids = resources(call)?;
    if new.is_empty() {
        return Err(Fault::new("MissingParameter", "The request must contain the parameter tagSet"));
    }
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
        place.veil_instance(id);
        merge(tags_of(place, id)?, &new);
    }
    Ok(Fields::new().with("return", true).into())
}

pub(super) fn merge(all: &mut Vec<Tag>, new: &[Tag]) {
    for (key, value) in new {
        match all.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value.clone(),
            None => all.push((key.clone(), value.clone())),
        }
    }
}

/// DeleteTags: those named, or all but AWS's own; a value that is given must be the present one.
pub(super) fn delete_tags(call: &Call, place: &mut Place) -> Answer {
    let ids = resources(call)?;
    for id in &ids {
        tags_of(place, id)?;
    }
    dry_run(call)?;
    let named = call.input.list("Tag");
    for id in ids {
        place.veil_instance(id);
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
