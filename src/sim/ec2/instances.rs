//! Instances, grouped into the reservations they were launched by.

use super::{PAGING, bad_filter, by_tag, dry_run, ids_or_pages, tag_set};
use crate::sim::fault::Fault;
use crate::sim::filter::{Filter, filters};
use crate::sim::page::Page;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::machine::{Instance, State, dotted};
use crate::sim::world::place::Place;
use compact_str::{CompactString, format_compact};

/// DescribeInstances.
pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    dry_run(call)?;
    ids_or_pages(call, "InstanceId")?;
    let filters = filters(call.input, "Filter", "Value");
    check_filters(&filters)?;
    let (rows, token) = chosen(call, place, |instance| admits(&filters, place, instance))?;
    let mut reservations: Vec<(&str, Vec<&Instance>)> = Vec::new();
    for instance in rows {
        match reservations.last_mut() {
            Some((id, members)) if *id == instance.reservation => members.push(instance),
            _ => reservations.push((&instance.reservation, vec![instance])),
        }
    }
    let shapes = list(reservations, |(id, members)| {
        let by = members.first().and_then(|instance| instance.group()).map(|_| "940372691376");
        Fields::new()
            .with("reservationId", id)
            .with("ownerId", &place.account)
            .maybe("requesterId", by)
            .with("groupSet", Shape::List(Vec::new()))
            .with("instancesSet", list(members, |instance| shape(place, instance)))
    });
    Ok(Fields::new().with("reservationSet", shapes).maybe("nextToken", token).into())
}

/// The instances that a call names by id, or the page of those that `admits` lets through.
pub(super) fn chosen<'p>(
    call: &Call,
    place: &'p Place,
    admits: impl Fn(&Instance) -> bool,
) -> Result<(Vec<&'p Instance>, Option<String>), Fault> {
    let ids = call.input.texts("InstanceId");
    if ids.is_empty() {
        let page: Page = PAGING.of(call)?;
        let seen = place.instances.after(page.after);
        let seen = seen.filter_map(|(serial, instance)| Some((serial, place.seen(instance, call.now)?)));
        let rows = seen.filter(|(_, instance)| admits(instance));
        return Ok(page.take(call, rows));
    }
    let malformed =
        |id: &&str| !id.starts_with("i-") || !id.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit());
    if let Some(id) = ids.iter().copied().find(malformed) {
        return Err(Fault::new("InvalidInstanceID.Malformed", format!("Invalid id: \"{id}\"")));
    }
    let is_seen =
        |id: &str| place.instances.get(id).is_some_and(|found| place.seen(found, call.now).is_some());
    let mut serials = Vec::with_capacity(ids.len());
    let missing: Vec<&str> = ids
        .iter()
        .filter(|id| match place.instances.serial(id) {
            Some(serial) if is_seen(id) => {
                serials.push(serial);
                false
            }
            _ => true,
        })
        .copied()
        .collect();
    match missing.as_slice() {
        [] => {}
        [id] => {
            let sentence = format!("The instance ID '{id}' does not exist");
            return Err(Fault::new("InvalidInstanceID.NotFound", sentence));
        }
        several => {
            let sentence = format!("The instance IDs '{}' do not exist", several.join(", "));
            return Err(Fault::new("InvalidInstanceID.NotFound", sentence));
        }
    }
    serials.sort_unstable();
    serials.dedup();
    let row = |serial: u64| place.instances.after(serial - 1).next().map(|(_, instance)| instance);
    let seen = serials.into_iter().filter_map(row).filter_map(|found| place.seen(found, call.now));
    let rows = seen.filter(|instance| admits(instance));
    Ok((rows.collect(), None))
}

/// The filters that are understood, `tag:…` besides.
const FILTERS: &[&str] = &[
    "architecture",
    "availability-zone",
    "availability-zone-id",
    "dns-name",
    "iam-instance-profile.arn",
    "image-id",
    "instance-id",
    "instance-lifecycle",
    "instance-state-code",
    "instance-state-name",
    "instance-type",
    "instance.group-id",
    "instance.group-name",
    "ip-address",
    "key-name",
    "launch-time",
    "monitoring-state",
    "owner-id",
    "private-dns-name",
    "private-ip-address",
    "reservation-id",
    "root-device-type",
    "spot-instance-request-id",
    "state-reason-code",
    "subnet-id",
    "tag-key",
    "tag-value",
    "vpc-id",
];

fn check_filters(filters: &[Filter]) -> Result<(), Fault> {
    let is_known = |filter: &&Filter| filter.name.starts_with("tag:") || FILTERS.contains(&filter.name);
    filters.iter().find(|filter| !is_known(filter)).map_or(Ok(()), |filter| Err(bad_filter(filter)))
}

fn admits(filters: &[Filter], place: &Place, instance: &Instance) -> bool {
    filters.iter().all(|filter| admits_one(filter, place, instance))
}

fn admits_one(filter: &Filter, place: &Place, instance: &Instance) -> bool {
    if let Some(found) = by_tag(filter, &instance.tags) {
        return found;
    }
    let optional = |text: Option<&str>| text.is_some_and(|text| filter.admits(text));
    match filter.name {
        "architecture" => filter.admits(instance.kind.architecture),
        "availability-zone" => filter.admits(place.zone(instance.zone)),
        "availability-zone-id" => filter.admits(place.zone_id(instance.zone)),
        "dns-name" => optional(public_dns(place, instance).as_deref()),
        "iam-instance-profile.arn" => optional(instance.profile.as_deref()),
        "image-id" => filter.admits(&instance.image),
        "instance-id" => filter.admits(&instance.id),
        "instance-lifecycle" => instance.spot_request.is_some() && filter.admits("spot"),
        "instance-state-code" => filter.admits(&instance.state.code().to_string()),
        "instance-state-name" => filter.admits(instance.state.word()),
        "instance-type" => filter.admits(instance.kind.name),
        "instance.group-id" => filter.admits(&instance.security_group.0),
        "instance.group-name" => filter.admits(&instance.security_group.1),
        "ip-address" => optional(instance.public_ip.map(|ip| dotted(ip, '.')).as_deref()),
        "key-name" => filter.admits(KEY),
        "launch-time" => filter.admits(&instance.launched.rfc3339()),
        "monitoring-state" => filter.admits(if instance.is_monitored { "enabled" } else { "disabled" }),
        "owner-id" => filter.admits(&place.account),
        "private-dns-name" => filter.admits(&private_dns(place, instance)),
        "private-ip-address" => !instance.state.is_gone() && filter.admits(&dotted(instance.private_ip, '.')),
        "reservation-id" => filter.admits(&instance.reservation),
        "root-device-type" => filter.admits("ebs"),
        "spot-instance-request-id" => optional(instance.spot_request.as_deref()),
        "state-reason-code" => optional(instance.state_reason.as_ref().map(|(code, _)| *code)),
        "subnet-id" => !instance.state.is_gone() && filter.admits(place.subnet(instance.zone)),
        "vpc-id" => !instance.state.is_gone() && filter.admits(&place.vpc),
        _ => false,
    }
}

const KEY: &str = "oncall";

fn private_dns(place: &Place, instance: &Instance) -> CompactString {
    if instance.state == State::Terminated {
        return CompactString::default();
    }
    let ip = dotted(instance.private_ip, '-');
    match place.region {
        "us-east-1" => format_compact!("ip-{ip}.ec2.internal"),
        region => format_compact!("ip-{ip}.{region}.compute.internal"),
    }
}

fn public_dns(place: &Place, instance: &Instance) -> Option<CompactString> {
    let ip = dotted(instance.public_ip?, '-');
    Some(match place.region {
        "us-east-1" => format_compact!("ec2-{ip}.compute-1.amazonaws.com"),
        region => format_compact!("ec2-{ip}.{region}.compute.amazonaws.com"),
    })
}

/// An instance as the wire has it. Terminated ones have lost their network.
pub(super) fn shape(place: &Place, instance: &Instance) -> Shape {
    let is_there = !instance.state.is_gone();
    let reason = match (instance.state, &instance.state_reason) {
        (State::Pending | State::Running, _) | (_, None) => String::new(),
        (_, Some((code, _))) if code.starts_with("Client.User") => {
            format!("User initiated ({})", instance.state_since.gmt())
        }
        (_, Some((code, _))) => format!("{code} ({})", instance.state_since.gmt()),
    };
    let private_ip = dotted(instance.private_ip, '.');
    Fields::new()
        .with("instanceId", &instance.id)
        .with("imageId", &instance.image)
        .with(
            "instanceState",
            Fields::new().with("code", instance.state.code()).with("name", instance.state.word()),
        )
        .with("privateDnsName", private_dns(place, instance))
        .with("dnsName", public_dns(place, instance).unwrap_or_default())
        .with("reason", reason)
        .with("keyName", KEY)
        .with("amiLaunchIndex", instance.launch_index)
        .with("productCodes", Shape::List(Vec::new()))
        .with("instanceType", instance.kind.name)
        .with("launchTime", instance.launched)
        .with(
            "placement",
            Fields::new()
                .with("availabilityZone", place.zone(instance.zone))
                .with("availabilityZoneId", place.zone_id(instance.zone))
                .with("groupName", "")
                .with("tenancy", "default"),
        )
        .with(
            "monitoring",
            Fields::new().with("state", if instance.is_monitored { "enabled" } else { "disabled" }),
        )
        .when(is_there, |fields| {
            fields
                .with("subnetId", place.subnet(instance.zone))
                .with("vpcId", &place.vpc)
                .with("privateIpAddress", private_ip)
                .maybe("ipAddress", instance.public_ip.map(|ip| dotted(ip, '.')))
                .with("sourceDestCheck", true)
                .with("groupSet", Shape::List(vec![group(instance)]))
                .with("networkInterfaceSet", Shape::List(vec![interface(place, instance)]))
                .with("blockDeviceMapping", Shape::List(vec![root_device(instance)]))
        })
        .maybe(
            "stateReason",
            instance.state_reason.as_ref().map(|(code, sentence)| {
                Fields::new().with("code", *code).with("message", format!("{code}: {sentence}"))
            }),
        )
        .with("architecture", instance.kind.architecture)
        .with("rootDeviceType", "ebs")
        .with("rootDeviceName", "/dev/xvda")
        .with("virtualizationType", "hvm")
        // EC2 says xen for Nitro instances too.
        .with("hypervisor", "xen")
        .maybe("instanceLifecycle", instance.spot_request.as_ref().map(|_| "spot"))
        .maybe("spotInstanceRequestId", instance.spot_request.as_ref())
        .with("clientToken", "")
        .with("ebsOptimized", instance.kind.hypervisor == "nitro")
        .with("enaSupport", instance.kind.hypervisor == "nitro")
        .maybe(
            "iamInstanceProfile",
            instance.profile.as_ref().map(|arn| Fields::new().with("arn", arn).with("id", profile_id(arn))),
        )
        .with("tagSet", tag_set(&instance.tags))
        .with(
            "cpuOptions",
            Fields::new().with("coreCount", instance.kind.cpus).with("threadsPerCore", instance.kind.threads),
        )
        .with("capacityReservationSpecification", Fields::new().with("capacityReservationPreference", "open"))
        .with("hibernationOptions", Fields::new().with("configured", false))
        .with(
            "metadataOptions",
            super::metadata_options()
                .with("httpProtocolIpv6", "disabled")
                .with("instanceMetadataTags", "disabled"),
        )
        .with("enclaveOptions", Fields::new().with("enabled", false))
        .with("platformDetails", "Linux/UNIX")
        .with("usageOperation", "RunInstances")
        .with("usageOperationUpdateTime", instance.launched)
        .with("maintenanceOptions", Fields::new().with("autoRecovery", "default"))
        .with(
            "currentInstanceBootMode",
            if instance.kind.architecture == "arm64" { "uefi" } else { "legacy-bios" },
        )
        .into()
}

fn profile_id(arn: &str) -> String {
    format!("AIPA{}", crate::sim::dice::Dice::new(0, arn).hex(17).to_uppercase())
}

fn group(instance: &Instance) -> Shape {
    Fields::new()
        .with("groupId", &instance.security_group.0)
        .with("groupName", &instance.security_group.1)
        .into()
}

/// Ids of things that belong to an instance are made of its own.
fn kin(instance: &Instance, prefix: &str) -> String {
    crate::sim::dice::Dice::new(0, &instance.id).id(prefix)
}

fn root_device(instance: &Instance) -> Shape {
    let ebs = Fields::new()
        .with("volumeId", kin(instance, "vol"))
        .with("status", "attached")
        .with("attachTime", instance.launched.plus(1))
        .with("deleteOnTermination", true);
    Fields::new().with("deviceName", "/dev/xvda").with("ebs", ebs).into()
}

fn interface(place: &Place, instance: &Instance) -> Shape {
    let attachment = Fields::new()
        .with("attachmentId", kin(instance, "eni-attach"))
        .with("deviceIndex", 0i64)
        .with("status", "attached")
        .with("attachTime", instance.launched)
        .with("deleteOnTermination", true)
        .with("networkCardIndex", 0i64);
    let association = instance.public_ip.map(|ip| {
        Fields::new()
            .with("publicIp", dotted(ip, '.'))
            .with("publicDnsName", public_dns(place, instance).unwrap_or_default())
            .with("ipOwnerId", "amazon")
    });
    Fields::new()
        .with("networkInterfaceId", kin(instance, "eni"))
        .with("subnetId", place.subnet(instance.zone))
        .with("vpcId", &place.vpc)
        .with("ownerId", &place.account)
        .with("status", "in-use")
        .with("privateIpAddress", dotted(instance.private_ip, '.'))
        .with("sourceDestCheck", true)
        .with("interfaceType", "interface")
        .with("groupSet", Shape::List(vec![group(instance)]))
        .with("attachment", attachment)
        .maybe("association", association)
        .into()
}
