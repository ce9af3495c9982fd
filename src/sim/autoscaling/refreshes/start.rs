//! How an instance refresh is started, and everything for which it is refused.

use super::super::changes::{choice, invalid, named, nothing, size};
use super::super::policy;
use crate::sim::ec2::launch::missing;
use crate::sim::fault::Fault;
use crate::sim::input::Input;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::Fields;
use crate::sim::world::machine::Kind;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Group, Mix, Preferences, Refresh, Strategy, TemplateChoice};
use compact_str::CompactString;

/// StartInstanceRefresh: one at a time.
pub(in crate::sim::autoscaling) fn start(call: &Call, place: &mut Place) -> Answer {
    let name = named(call, place)?;
    let strategy = match call.input.text("Strategy") {
        None | Some("Rolling") => Strategy::Rolling,
        Some("ReplaceRootVolume") => Strategy::ReplaceRootVolume,
        Some(other) => return Err(invalid(format!("{other} is no strategy of an instance refresh"))),
    };
    let wish = call.input.get("DesiredConfiguration");
    let policy = wish.and_then(|wish| wish.get("MixedInstancesPolicy"));
    let template = wish.and_then(|wish| {
        let mixed = || policy?.get("LaunchTemplate")?.get("LaunchTemplateSpecification");
        wish.get("LaunchTemplate").or_else(mixed)
    });
    if wish.is_some() && template.is_none() && policy.is_none() {
        return Err(invalid("A desired configuration needs a LaunchTemplate or a MixedInstancesPolicy"));
    }
    let desired = template.map(|part| choice(place, part)).transpose()?;
    let mix = policy.map(|part| policy::mix(place, part)).transpose()?.flatten();
    let Some(group) = place.groups.get(&name) else { return nothing() };
    let preferences = preferences(call, place, group)?;
    let active = group.refreshes.last().filter(|refresh| refresh.is_active());
    if let Some(active) = active {
        return Err(Fault::new(
            "InstanceRefreshInProgress",
            format!(
                "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh: {}",
                active.id
            ),
        ));
    }
    // A policy that names no types keeps those of the group; a template alone takes the place of a policy.
    let mix = policy.and_then(|_| mix.or_else(|| group.mix.clone()));
    let desired = desired.or_else(|| policy.map(|_| group.template.clone()));
    refuse_attributes(group, mix.as_ref(), desired.is_some(), preferences.skips_matching)?;
    if let Some(desired) = &desired {
        check_template(call, place, desired, mix.as_ref())?;
    }
    if preferences.rolls_back
        && let Some(why) = irreversible(place, group, desired.is_some())
    {
        return Err(invalid(format!("AutoRollback cannot be used: {why}")));
    }
    if strategy == Strategy::ReplaceRootVolume {
        can_renew(place, group, mix.as_ref(), policy.is_some())?;
    }
    let id = CompactString::from(place.dice.uuid());
    let refresh = Refresh {
        id: id.clone(),
        status: "Pending",
        strategy,
        preferences,
        desired,
        mix,
        ..Refresh::default()
    };
    super::super::changes::change(place, &name, |group| group.refreshes.push(refresh));
    Ok(Fields::new().with("InstanceRefreshId", id).into())
}

/// Refuses what does not go with types that AWS chooses.
fn refuse_attributes(
    group: &Group,
    mix: Option<&Mix>,
    has_wish: bool,
    skips_matching: bool,
) -> Result<(), Fault> {
    let chooses = |mix: &Mix| mix.overrides.iter().any(|one| one.needs.is_some());
    let is_free = group.mix.as_ref().is_some_and(chooses) || mix.is_some_and(chooses);
    if is_free && (has_wish || skips_matching) {
        let what = if has_wish { "a desired configuration" } else { "skip matching" };
        return Err(invalid(format!(
            "An instance refresh with {what} is not supported for an Auto Scaling group with attribute-based instance type selection."
        )));
    }
    Ok(())
}

/// Checks a template as a launch would, with the caller's own permissions.
fn check_template(
    call: &Call,
    place: &Place,
    wanted: &TemplateChoice,
    mix: Option<&Mix>,
) -> Result<(), Fault> {
    let Some(version) = place.version_of(wanted) else { return Ok(()) };
    if missing(call, !version.tags.is_empty(), version.profile.as_deref()).is_some() {
        let sentence = format!("You are not authorized to use launch template: {}", wanted.id);
        return Err(Fault::new("AccessDenied", sentence).with_status(403));
    }
    let unusable = |fault: Fault| {
        invalid(format!("You must use a valid fully-formed launch template. {}", fault.message))
    };
    let overrides = mix.map(|mix| mix.overrides.as_slice()).unwrap_or_default();
    for one in overrides.iter().filter(|one| one.needs.is_none()) {
        let own = one.template.as_ref().and_then(|own| place.version_of(own)).unwrap_or(version);
        let image = one.image.as_ref().unwrap_or(&own.image);
        let Some(kind) = Kind::named(&one.kind) else { continue };
        place.image_for(image, kind).map_err(unusable)?;
    }
    if let Some(kind) = version.kind.and_then(Kind::named).filter(|_| overrides.is_empty()) {
        place.image_for(&version.image, kind).map_err(unusable)?;
    }
    Ok(())
}

/// Why a refresh of a group could not be rolled back, if it could not.
pub(super) fn irreversible(place: &Place, group: &Group, has_wish: bool) -> Option<&'static str> {
    let mix = group.mix.as_ref().map(|mix| mix.overrides.as_slice()).unwrap_or_default();
    let saved = || std::iter::once(&group.template).chain(mix.iter().filter_map(|one| one.template.as_ref()));
    let floats = saved().any(|choice| choice.version.starts_with('$'));
    let named = mix.iter().filter_map(|one| one.image.as_ref());
    let images = saved().filter_map(|choice| place.version_of(choice)).map(|version| &version.image);
    let is_aliased = images.chain(named).any(|image| image.starts_with("resolve:"));
    match (has_wish, floats, is_aliased) {
        (false, ..) => Some("the instance refresh has no desired configuration"),
        (_, true, _) => {
            Some("the Auto Scaling group uses the $Latest or $Default version of its launch template")
        }
        (_, _, true) => Some(
            "the launch template of the Auto Scaling group uses a Systems Manager parameter for its ImageId",
        ),
        _ => None,
    }
}

/// Refuses to replace root volumes where AWS does.
fn can_renew(place: &Place, group: &Group, mix: Option<&Mix>, has_policy: bool) -> Result<(), Fault> {
    let refuse = |why: &str| Err(invalid(format!("The strategy ReplaceRootVolume cannot be used: {why}")));
    let overrides = mix.map(|mix| mix.overrides.as_slice()).unwrap_or_default();
    if !has_policy || overrides.is_empty() || overrides.iter().any(|one| one.image.is_none()) {
        return refuse("it needs a MixedInstancesPolicy with an ImageId in every override");
    }
    if !group.target_groups.is_empty() {
        return refuse("the Auto Scaling group is attached to a load balancer");
    }
    let images = overrides.iter().filter_map(|one| one.image.as_ref());
    let is_kept_elsewhere = |image: &CompactString| {
        place.image_id(image).and_then(|id| place.images.get(&id)).is_some_and(|one| one.is_instance_store)
    };
    if images.into_iter().any(is_kept_elsewhere) {
        return refuse("the AMI must have a single root volume");
    }
    let current = place.version_of(&group.template).map(|version| version.number);
    let strays = |one: &crate::sim::world::scaling::Member| {
        one.template != group.template.id || Some(one.version) != current
    };
    if group.members.iter().any(strays) {
        return refuse("every instance must match the launch template of the Auto Scaling group");
    }
    Ok(())
}

/// Reads the preferences; what is not said is the group's maintenance policy, or AWS's own default.
fn preferences(call: &Call, place: &Place, group: &Group) -> Result<Preferences, Fault> {
    let empty = serde_json::Value::Null;
    let input = call.input.get("Preferences").unwrap_or(Input::new(&empty));
    let one_of = |name: &str, of: [&'static str; 3]| match input.text(name) {
        None => Ok("Wait"),
        Some(text) => {
            of.into_iter().find(|known| *known == text).ok_or_else(|| invalid(format!("{text} is no {name}")))
        }
    };
    let min = size(input, "MinHealthyPercentage")?;
    let max = size(input, "MaxHealthyPercentage")?;
    let usual = group.maintenance.filter(|_| min.is_none() && max.is_none());
    let (low, high) = usual.unwrap_or((min.unwrap_or(90), max.unwrap_or(100)));
    if low > 100 || !(100..=200).contains(&high) || high - low > 100 || (max.is_some() && min.is_none()) {
        return Err(invalid(
            "MinHealthyPercentage must be 0 to 100, MaxHealthyPercentage 100 to 200 and at most 100 above it, and the second needs the first",
        ));
    }
    let numbers = input.texts("CheckpointPercentages");
    let checkpoints: Vec<u32> = numbers.iter().filter_map(|text| text.parse().ok()).collect();
    let is_rising = checkpoints.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
    if checkpoints.len() != numbers.len()
        || !is_rising
        || checkpoints.iter().any(|percent| !(1..=100).contains(percent))
    {
        return Err(invalid("CheckpointPercentages must rise from 1 to 100"));
    }
    let delay = size(input, "CheckpointDelay")?;
    if delay.is_some() && checkpoints.is_empty() {
        return Err(invalid("CheckpointDelay needs CheckpointPercentages"));
    }
    if delay.is_some_and(|delay| delay > 172_800) {
        return Err(invalid("CheckpointDelay must be from 0 to 172800"));
    }
    let bake = size(input, "BakeTime")?.unwrap_or(0);
    if bake > 172_800 {
        return Err(invalid("BakeTime must be from 0 to 172800"));
    }
    let alarms = input.get("AlarmSpecification").map(|part| part.texts("Alarms")).unwrap_or_default();
    if alarms.len() > 10 {
        return Err(invalid("At most ten alarms can watch an instance refresh"));
    }
    if let Some(alarm) = alarms.iter().find(|alarm| !place.alarms.has(alarm)) {
        return Err(invalid(format!("The CloudWatch alarm {alarm} does not exist")));
    }
    Ok(Preferences {
        min: low,
        max: usual.map(|(_, most)| most).or(max),
        warmup: size(input, "InstanceWarmup")?,
        checkpoint_delay: if checkpoints.is_empty() { None } else { Some(delay.unwrap_or(3600)) },
        checkpoints,
        skips_matching: input.flag("SkipMatching"),
        rolls_back: input.flag("AutoRollback"),
        protected: one_of("ScaleInProtectedInstances", ["Refresh", "Ignore", "Wait"])?,
        standby: one_of("StandbyInstances", ["Terminate", "Ignore", "Wait"])?,
        alarms: alarms.into_iter().map(CompactString::from).collect(),
        bake,
    })
}
