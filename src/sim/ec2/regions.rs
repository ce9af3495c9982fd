//! Regions and availability zones.

use super::{bad_filter, dry_run};
use crate::sim::fault::Fault;
use crate::sim::filter::filters;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, list};
use crate::sim::world::geography::{REGIONS, Region, Zone};
use crate::sim::world::place::Place;

fn endpoint(region: &Region) -> String {
    format!("ec2.{}.amazonaws.com", region.name)
}

fn opt_in(region: &Region) -> &'static str {
    if region.is_opt_in { "not-opted-in" } else { "opt-in-not-required" }
}

/// DescribeRegions.
pub(super) fn describe(call: &Call, _: &Place) -> Answer {
    dry_run(call)?;
    let names = call.input.texts("RegionName");
    if let Some(name) = names.iter().find(|name| Region::named(name).is_none()) {
        return Err(Fault::new("InvalidParameterValue", format!("Invalid region provided: '{name}'")));
    }
    let filters = filters(call.input, "Filter", "Value");
    if let Some(filter) =
        filters.iter().find(|f| !matches!(f.name, "endpoint" | "opt-in-status" | "region-name"))
    {
        return Err(bad_filter(filter));
    }
    let all = call.input.flag("AllRegions");
    let rows = REGIONS.iter().filter(|region| {
        (names.is_empty() && (all || !region.is_opt_in) || names.contains(&region.name))
            && filters.iter().all(|filter| match filter.name {
                "endpoint" => filter.admits(&endpoint(region)),
                "opt-in-status" => filter.admits(opt_in(region)),
                _ => filter.admits(region.name),
            })
    });
    let shapes = list(rows, |region| {
        Fields::new()
            .with("regionName", region.name)
            .with("regionEndpoint", endpoint(region))
            .with("optInStatus", opt_in(region))
    });
    Ok(Fields::new().with("regionInfo", shapes).into())
}

/// DescribeAvailabilityZones.
pub(super) fn describe_zones(call: &Call, place: &Place) -> Answer {
    dry_run(call)?;
    let names = call.input.texts("ZoneName");
    let ids = call.input.texts("ZoneId");
    if let Some(name) = names.iter().find(|name| !place.zones.iter().any(|zone| zone.name == **name)) {
        return Err(Fault::new("InvalidParameterValue", format!("Invalid availability zone: [{name}]")));
    }
    if let Some(id) = ids.iter().find(|id| !place.zones.iter().any(|zone| zone.id == **id)) {
        return Err(Fault::new("InvalidParameterValue", format!("Invalid availability zone-id: [{id}]")));
    }
    let filters = filters(call.input, "Filter", "Value");
    let known = ["opt-in-status", "region-name", "state", "zone-id", "zone-name", "zone-type"];
    if let Some(filter) = filters.iter().find(|filter| !known.contains(&filter.name)) {
        return Err(bad_filter(filter));
    }
    let rows = place.zones.iter().filter(|zone: &&Zone| {
        (names.is_empty() || names.contains(&zone.name.as_str()))
            && (ids.is_empty() || ids.contains(&zone.id.as_str()))
            && filters.iter().all(|filter| match filter.name {
                "opt-in-status" => filter.admits("opt-in-not-required"),
                "region-name" => filter.admits(place.region),
                "state" => filter.admits("available"),
                "zone-id" => filter.admits(&zone.id),
                "zone-name" => filter.admits(&zone.name),
                _ => filter.admits("availability-zone"),
            })
    });
    let shapes = list(rows, |zone| {
        Fields::new()
            .with("zoneName", &zone.name)
            .with("zoneState", "available")
            .with("regionName", place.region)
            .with("messageSet", crate::sim::shape::Shape::List(Vec::new()))
            .with("zoneId", &zone.id)
            .with("groupName", format!("{}-zg-1", place.region))
            .with("networkBorderGroup", place.region)
            .with("zoneType", "availability-zone")
            .with("optInStatus", "opt-in-not-required")
    });
    Ok(Fields::new().with("availabilityZoneInfo", shapes).into())
}
