//! RunInstances.

use super::dry_run;
use super::versions::{mismatch, specified};
use super::{changes::merge, instances, templates};
use crate::sim::fault::Fault;
use crate::sim::input::Input;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::life::Order;
use crate::sim::world::machine::{Kind, Tag, TemplateVersion};
use crate::sim::world::place::Place;
use crate::sim::world::tokens::Fresh;
use compact_str::CompactString;
use std::sync::Arc;

/// What RunInstances understands.
pub(super) const TAKES: &[&str] = &[
    "ImageId",
    "InstanceType",
    "MinCount",
    "MaxCount",
    "ClientToken",
    "LaunchTemplate",
    "SubnetId",
    "Placement",
    "SecurityGroupId",
    "IamInstanceProfile",
    "InstanceMarketOptions",
    "TagSpecification",
    "DisableApiTermination",
    "UserData",
    "DryRun",
];

/// What is to be launched, as far as the call and its template say.
struct Wanted {
    kind: &'static Kind,
    image: CompactString,
    profile: Option<Arc<str>>,
    security_group: Arc<str>,
    tags: Vec<Tag>,
}

/// RunInstances: as many as there is room for, once for one client token.
pub(super) fn run(call: &Call, place: &mut Place) -> Answer {
    let input = call.input;
    let count = |name: &str| {
        let missing =
            || Fault::new("MissingParameter", format!("The request must contain the parameter {name}"));
        let number = input.number(name).ok().flatten().ok_or_else(missing)?;
        u32::try_from(number).ok().filter(|number| (1..=1000).contains(number)).ok_or_else(|| {
            Fault::new("InvalidParameterValue", format!("Value ({number}) for parameter {name} is invalid."))
        })
    };
    let (least, most) = (count("MinCount")?, count("MaxCount")?);
    if least > most {
        return Err(Fault::new(
            "InvalidParameterValue",
            format!("MinCount ({least}) must not be greater than MaxCount ({most})"),
        ));
    }
    let token = input.text("ClientToken").filter(|token| !token.is_empty());
    if token.is_some_and(|token| token.len() > 64 || !token.is_ascii()) {
        return Err(Fault::new("InvalidParameterValue", "ClientToken must be at most 64 ASCII characters"));
    }
    let wanted = wanted(call, place)?;
    let zone = zone(call, place)?;
    let tags = !wanted.tags.iter().all(|(key, _)| key.starts_with("aws:"));
    permitted(call, tags, wanted.profile.as_deref())?;
    dry_run(call)?;
    match token.map(|token| place.tokens.fresh(call, token)) {
        Some(Fresh::Mismatch) => return Err(mismatch()),
        Some(Fresh::Done(ids)) => return Ok(reservation(place, &ids)),
        Some(Fresh::New) | None => {}
    }
    // Nothing comes of it: the same token may be tried again.
    if place.full_zones.contains(&zone) {
        return Err(full(place, zone, wanted.kind.name));
    }
    let is_spot = input.get("InstanceMarketOptions").and_then(|part| part.text("MarketType")) == Some("spot");
    let reservation_id = place.dice.id("r");
    let mut ids = Vec::new();
    for index in 0..most {
        let order = Order {
            kind: wanted.kind,
            zone,
            image: wanted.image.clone(),
            is_spot,
            busy: 4.0,
            profile: wanted.profile.clone(),
            security_group: (Arc::clone(&wanted.security_group), "fleet-node".into()),
            tags: wanted.tags.clone(),
        };
        let id = place.start_instance(order, &reservation_id, index);
        if let Some(instance) = place.instances.get_mut(&id) {
            instance.is_protected = input.flag("DisableApiTermination");
        }
        ids.push(id.to_string());
    }
    let ids = ids.join(" ");
    if let Some(token) = token {
        place.tokens.keep(call, token, ids.clone());
    }
    Ok(reservation(place, &ids))
}

/// What EC2 says where a zone has no room for a type: with the status of a broken service.
fn full(place: &Place, zone: usize, kind: &str) -> Fault {
    let others: Vec<&str> =
        (0..place.zones.len()).filter(|at| !place.full_zones.contains(at)).map(|at| place.zone(at)).collect();
    let elsewhere = match others.is_empty() {
        true => String::new(),
        false => format!(
            " You can currently get {kind} capacity by not specifying an Availability Zone in your request or choosing {}.",
            others.join(", ")
        ),
    };
    Fault::new(
        "InsufficientInstanceCapacity",
        format!(
            "We currently do not have sufficient {kind} capacity in the Availability Zone you requested ({}). Our system will be working on provisioning additional capacity.{elsewhere}",
            place.zone(zone)
        ),
    )
    .with_status(500)
}

/// Refuses a launch that the caller may not do for its tags, or for the role that it hands to the instances.
fn permitted(call: &Call, has_tags: bool, profile: Option<&str>) -> Result<(), Fault> {
    match missing(call, has_tags, profile) {
        None => Ok(()),
        Some((action, on)) => Err(Fault::new(
            "UnauthorizedOperation",
            format!(
                "You are not authorized to perform this operation. User: {} is not authorized to perform: {action} on resource: {on} because no identity-based policy allows the {action} action. Encoded authorization failure message: {}",
                call.caller.arn,
                crate::sim::dice::Dice::new(call.seed, call.request_id).hex(96)
            ),
        )
        .with_status(403)),
    }
}

/// The first permission that a launch needs and its caller does not have: RunInstances, CreateTags where there are
/// tags, PassRole where there is a profile; and on what.
pub(crate) fn missing(call: &Call, has_tags: bool, profile: Option<&str>) -> Option<(&'static str, String)> {
    let instance = format!("arn:aws:ec2:{}:{}:instance/*", call.region, call.account);
    if !call.may("ec2", "RunInstances") {
        return Some(("ec2:RunInstances", instance));
    }
    if has_tags && !call.may("ec2", "CreateTags") {
        return Some(("ec2:CreateTags", instance));
    }
    let role = profile.map(|arn| arn.replace(":instance-profile/", ":role/"));
    role.filter(|_| !call.may("iam", "PassRole")).map(|role| ("iam:PassRole", role))
}

/// Puts together what the template holds and what the call says over it.
fn wanted(call: &Call, place: &Place) -> Result<Wanted, Fault> {
    let input = call.input;
    let base = input.get("LaunchTemplate").map(|part| template(place, part)).transpose()?;
    let (base, template_tags) = base.unzip();
    let image = input.text("ImageId").map(CompactString::from);
    let image = image.or_else(|| base.map(|base| base.image.clone()).filter(|image| !image.is_empty()));
    let image = image
        .ok_or_else(|| Fault::new("MissingParameter", "The request must contain the parameter ImageId"))?;
    let name = input.text("InstanceType").or_else(|| base.and_then(|base| base.kind)).unwrap_or("t3.micro");
    let kind = Kind::named(name).ok_or_else(|| {
        Fault::new("InvalidParameterValue", format!("Invalid value '{name}' for InstanceType."))
    })?;
    let image = place.image_for(&image, kind)?.id.clone();
    let mut tags = base.map(|base| base.tags.clone()).unwrap_or_default();
    merge(&mut tags, &template_tags.unwrap_or_default());
    merge(&mut tags, &specified(input, "instance")?);
    let own = input.texts("SecurityGroupId").first().map(|id| Arc::from(*id));
    let group = own.or_else(|| base.map(|base| Arc::clone(&base.security_group)));
    Ok(Wanted {
        kind,
        image,
        profile: profile(call, input).or_else(|| base.and_then(|base| base.profile.clone())),
        security_group: group.unwrap_or_else(|| "sg-0default0000000000".into()),
        tags,
    })
}

/// The ARN of the profile that a part of a call names.
pub(super) fn profile(call: &Call, input: Input) -> Option<Arc<str>> {
    let part = input.get("IamInstanceProfile")?;
    let named = |name| format!("arn:aws:iam::{}:instance-profile/{name}", call.account).into();
    part.text("Arn").map(Arc::from).or_else(|| part.text("Name").map(named))
}

/// The version that a LaunchTemplateSpecification names, and the tags that tell of it.
fn template<'p>(place: &'p Place, part: Input) -> Result<(&'p TemplateVersion, Vec<Tag>), Fault> {
    let template = match (part.text("LaunchTemplateId"), part.text("LaunchTemplateName")) {
        (Some(id), _) => templates::by_id(place, id)?,
        (None, Some(name)) => templates::by_name(place, name)?,
        (None, None) => {
            return Err(Fault::new("MissingParameter", "LaunchTemplate must have an id or a name"));
        }
    };
    let wanted = part.text("Version").unwrap_or("$Default");
    let version = template.version(wanted).ok_or_else(|| {
        Fault::new(
            "InvalidLaunchTemplateId.VersionNotFound",
            format!(
                "Could not find the specified version {wanted} for the launch template with ID {}.",
                template.id
            ),
        )
    })?;
    let tags = vec![
        ("aws:ec2launchtemplate:id".into(), template.id.clone()),
        ("aws:ec2launchtemplate:version".into(), version.number.to_string().into()),
    ];
    Ok((version, tags))
}

/// The zone of the subnet or placement that a call names; the first one if it names none.
fn zone(call: &Call, place: &Place) -> Result<usize, Fault> {
    if let Some(id) = call.input.text("SubnetId") {
        return place.subnets.iter().position(|subnet| subnet == id).ok_or_else(|| {
            Fault::new("InvalidSubnetID.NotFound", format!("The subnet ID '{id}' does not exist"))
        });
    }
    let Some(name) = call.input.get("Placement").and_then(|part| part.text("AvailabilityZone")) else {
        return Ok(0);
    };
    place
        .zones
        .iter()
        .position(|zone| zone.name == name)
        .ok_or_else(|| Fault::new("InvalidParameterValue", format!("Invalid availability zone: [{name}]")))
}

fn reservation(place: &Place, ids: &str) -> Shape {
    let members: Vec<_> = ids.split(' ').filter_map(|id| place.instances.get(id)).collect();
    let id = members.first().map(|instance| instance.reservation.clone()).unwrap_or_default();
    Fields::new()
        .with("reservationId", id)
        .with("ownerId", &place.account)
        .with("groupSet", Shape::List(Vec::new()))
        .with("instancesSet", list(members, |instance| instances::shape(place, instance)))
        .into()
}
