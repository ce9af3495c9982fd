//! DescribeInstanceTypes and DescribeInstanceTypeOfferings, of the types that fleets here are made of.

use super::{bad_filter, dry_run};
use crate::sim::fault::Fault;
use crate::sim::filter::{Filter, filters};
use crate::sim::page::Paging;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::world::machine::{KINDS, Kind};
use crate::sim::world::place::Place;

const PAGING: Paging = Paging {
    size: "MaxResults",
    token: "NextToken",
    default: 100,
    min: 5,
    max: 100,
    bad_size: "InvalidParameterValue",
    bad_token: "InvalidParameterValue",
};
const OFFERINGS: Paging = Paging { default: 1000, max: 1000, ..PAGING };

pub(super) fn describe(call: &Call, _: &Place) -> Answer {
    dry_run(call)?;
    let named = call.input.texts("InstanceType");
    if let Some(name) = named.iter().find(|name| Kind::named(name).is_none()) {
        return Err(Fault::new(
            "InvalidInstanceType",
            format!("The following supplied instance types do not exist: [{name}]"),
        ));
    }
    if !named.is_empty() && call.input.get("MaxResults").is_some() {
        return Err(Fault::new(
            "InvalidParameterCombination",
            "The parameter InstanceTypes cannot be used with the parameter MaxResults",
        ));
    }
    let filters = filters(call.input, "Filter", "Value");
    for filter in &filters {
        admits(filter, &KINDS[0]).ok_or_else(|| bad_filter(filter))?;
    }
    let page = PAGING.of(call)?;
    let rows = (1..).zip(KINDS).filter(|(_, kind)| {
        (named.is_empty() || named.contains(&kind.name))
            && filters.iter().all(|filter| admits(filter, kind) == Some(true))
    });
    let (rows, token) = page.take(call, rows);
    Ok(Fields::new().with("instanceTypeSet", list(rows, shape)).maybe("nextToken", token).into())
}

/// Whether a filter lets a type through; none for filters that are not understood.
fn admits(filter: &Filter, kind: &Kind) -> Option<bool> {
    let truth = |yes: bool| filter.admits(if yes { "true" } else { "false" });
    Some(match filter.name {
        "instance-type" => filter.admits(kind.name),
        "current-generation" => truth(is_current(kind)),
        "burstable-performance-supported" => truth(kind.credits.is_some()),
        "bare-metal" => truth(false),
        "hypervisor" => filter.admits(kind.hypervisor),
        "processor-info.supported-architecture" => filter.admits(kind.architecture),
        "supported-usage-class" => filter.admits_any(["on-demand", "spot"]),
        "vcpu-info.default-vcpus" => filter.admits(&kind.vcpus().to_string()),
        "vcpu-info.default-cores" => filter.admits(&kind.cpus.to_string()),
        "memory-info.size-in-mib" => filter.admits(&kind.memory.to_string()),
        _ => return None,
    })
}

/// AWS calls the families before the fifth generation, and t2, previous ones.
fn is_current(kind: &Kind) -> bool {
    !kind.name.starts_with("m3") && !kind.name.starts_with("r3")
}

fn shape(kind: &Kind) -> Shape {
    let cpus = Fields::new()
        .with("defaultVCpus", kind.vcpus())
        .with("defaultCores", kind.cpus)
        .with("defaultThreadsPerCore", kind.threads);
    Fields::new()
        .with("instanceType", kind.name)
        .with("currentGeneration", is_current(kind))
        .with("freeTierEligible", kind.name == "t2.micro" || kind.name == "t3.micro")
        .with("supportedUsageClasses", vec!["on-demand", "spot"])
        .with("supportedRootDeviceTypes", vec!["ebs"])
        .with("supportedVirtualizationTypes", vec!["hvm"])
        .with("bareMetal", false)
        .with("hypervisor", kind.hypervisor)
        .with("processorInfo", Fields::new().with("supportedArchitectures", vec![kind.architecture]))
        .with("vCpuInfo", cpus)
        .with("memoryInfo", Fields::new().with("sizeInMiB", kind.memory))
        .with("instanceStorageSupported", kind.name.starts_with("m5d"))
        .with("hibernationSupported", false)
        .with("burstablePerformanceSupported", kind.credits.is_some())
        .with("dedicatedHostsSupported", kind.credits.is_none())
        .with("autoRecoverySupported", true)
        .into()
}

pub(super) fn offerings(call: &Call, place: &Place) -> Answer {
    dry_run(call)?;
    let places: Vec<&str> = match call.input.text("LocationType").unwrap_or("region") {
        "region" => vec![place.region],
        "availability-zone" => place.zones.iter().map(|zone| zone.name.as_str()).collect(),
        "availability-zone-id" => place.zones.iter().map(|zone| zone.id.as_str()).collect(),
        other => {
            let sentence = format!("Value ({other}) for parameter LocationType is invalid.");
            return Err(Fault::new("InvalidParameterValue", sentence));
        }
    };
    let sort = call.input.text("LocationType").unwrap_or("region");
    let filters = filters(call.input, "Filter", "Value");
    if let Some(filter) = filters.iter().find(|one| one.name != "location" && one.name != "instance-type") {
        return Err(bad_filter(filter));
    }
    let mut rows: Vec<(&str, &str)> = Vec::new();
    for kind in KINDS {
        rows.extend(places.iter().map(|location| (kind.name, *location)));
    }
    rows.retain(|(kind, location)| {
        let text = |filter: &Filter| if filter.name == "location" { *location } else { *kind };
        filters.iter().all(|filter| filter.admits(text(filter)))
    });
    let page = OFFERINGS.of(call)?;
    let (rows, token) = page.take(call, (1..).zip(&rows));
    let shapes = list(rows, |(kind, location)| {
        Fields::new().with("instanceType", *kind).with("locationType", sort).with("location", *location)
    });
    Ok(Fields::new().with("instanceTypeOfferingSet", shapes).maybe("nextToken", token).into())
}
