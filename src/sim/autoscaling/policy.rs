//! The policies of a group: what a mixed one launches, how it is kept up, whom scale-in takes.

use super::changes::{choice, invalid, size};
use crate::sim::fault::Fault;
use crate::sim::input::Input;
use crate::sim::world::machine::Kind;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Mix, Needs, Override};
use compact_str::CompactString;

/// Reads what a MixedInstancesPolicy launches and how it is shared out; none when it says neither.
pub(super) fn mix(place: &Place, input: Input) -> Result<Option<Mix>, Fault> {
    let overrides = input.get("LaunchTemplate").map(|part| part.list("Overrides")).unwrap_or_default();
    let shares = input.get("InstancesDistribution");
    if overrides.is_empty() && shares.is_none() {
        return Ok(None);
    }
    let overrides: Vec<Override> =
        overrides.into_iter().map(|part| read_override(place, part)).collect::<Result<_, _>>()?;
    if overrides.iter().any(|one| one.needs.is_some()) && overrides.len() > 1 {
        return Err(invalid("Only one override can be specified with instance requirements"));
    }
    if overrides.iter().any(|one| one.weight.is_some()) && overrides.iter().any(|one| one.weight.is_none()) {
        return Err(invalid(
            "If you specify a weight for one override, you must specify one for all of them",
        ));
    }
    let number = |name: &str| shares.map(|part| size(part, name)).transpose().map(Option::flatten);
    let spot_strategy = match shares.and_then(|part| part.text("SpotAllocationStrategy")) {
        None | Some("lowest-price") => "lowest-price",
        Some("capacity-optimized") => "capacity-optimized",
        Some("capacity-optimized-prioritized") => "capacity-optimized-prioritized",
        Some("price-capacity-optimized") => "price-capacity-optimized",
        Some(other) => return Err(invalid(format!("{other} is no spot allocation strategy"))),
    };
    let on_demand_strategy = match shares.and_then(|part| part.text("OnDemandAllocationStrategy")) {
        None => None,
        Some("prioritized") => Some("prioritized"),
        Some("lowest-price") => Some("lowest-price"),
        Some(other) => return Err(invalid(format!("{other} is no on-demand allocation strategy"))),
    };
    let spot_pools = number("SpotInstancePools")?;
    if spot_pools.is_some_and(|pools| !(1..=20).contains(&pools)) {
        return Err(invalid("SpotInstancePools must be from 1 to 20"));
    }
    let percent = number("OnDemandPercentageAboveBaseCapacity")?.unwrap_or(100);
    if percent > 100 {
        return Err(invalid("OnDemandPercentageAboveBaseCapacity must be from 0 to 100"));
    }
    Ok(Some(Mix {
        overrides,
        on_demand_base: number("OnDemandBaseCapacity")?.unwrap_or(0),
        on_demand_percent: percent,
        spot_strategy,
        on_demand_strategy,
        spot_pools,
        spot_max_price: shares.and_then(|part| part.text("SpotMaxPrice")).map(CompactString::from),
    }))
}

fn read_override(place: &Place, part: Input) -> Result<Override, Fault> {
    let needs = part.get("InstanceRequirements").map(needs).transpose()?;
    let kind = match (part.text("InstanceType"), &needs) {
        (Some(name), None) => {
            Kind::named(name).ok_or_else(|| invalid(format!("Invalid instance type '{name}'")))?.name.into()
        }
        (None, Some(_)) => CompactString::default(),
        _ => return Err(invalid("An override needs either an InstanceType or InstanceRequirements")),
    };
    let weight = size(part, "WeightedCapacity")?;
    if weight.is_some_and(|weight| !(1..=999).contains(&weight)) {
        return Err(invalid("WeightedCapacity must be from 1 to 999"));
    }
    let own = part.get("LaunchTemplateSpecification");
    Ok(Override {
        kind,
        weight,
        template: own.map(|own| choice(place, own)).transpose()?,
        image: part.text("ImageId").map(CompactString::from),
        needs,
    })
}

fn needs(part: Input) -> Result<Needs, Fault> {
    let range = |name: &str| {
        let said = part.get(name).ok_or_else(|| invalid(format!("InstanceRequirements needs {name}")))?;
        Ok((size(said, "Min")?.unwrap_or(0), size(said, "Max")?))
    };
    Ok(Needs { cpus: range("VCpuCount")?, memory: range("MemoryMiB")? })
}

/// Reads an InstanceMaintenancePolicy, if a call says one; -1 for both takes it away.
pub(super) fn maintenance(input: Input) -> Result<Option<Option<(u32, u32)>>, Fault> {
    let Some(part) = input.get("InstanceMaintenancePolicy") else { return Ok(None) };
    let number = |name: &str| {
        let number = part.number(name).map_err(|sent| invalid(format!("{sent} is no number for {name}")))?;
        number.ok_or_else(|| {
            invalid("You must specify both MinHealthyPercentage and MaxHealthyPercentage for an instance maintenance policy")
        })
    };
    let (least, most) = (number("MinHealthyPercentage")?, number("MaxHealthyPercentage")?);
    if (least, most) == (-1, -1) {
        return Ok(Some(None));
    }
    let is_good = (0..=100).contains(&least) && (100..=200).contains(&most) && most - least <= 100;
    match (u32::try_from(least), u32::try_from(most)) {
        (Ok(least), Ok(most)) if is_good => Ok(Some(Some((least, most)))),
        _ => Err(invalid(
            "MinHealthyPercentage must be 0 to 100, MaxHealthyPercentage 100 to 200 and at most 100 above it",
        )),
    }
}

/// Whom scale-in can be told to take first.
const TERMINATIONS: [&str; 7] = [
    "Default",
    "OldestInstance",
    "NewestInstance",
    "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
    "ClosestToNextInstanceHour",
    "AllocationStrategy",
];

/// Reads TerminationPolicies, if a call says them.
pub(super) fn terminations(input: Input) -> Result<Option<Vec<&'static str>>, Fault> {
    let named = input.texts("TerminationPolicies");
    let known = |name: &&str| {
        let found = TERMINATIONS.iter().find(|known| *known == name);
        found.copied().ok_or_else(|| invalid(format!("Invalid termination policy {name}")))
    };
    if named.is_empty() {
        return Ok(None);
    }
    named.iter().map(known).collect::<Result<_, _>>().map(Some)
}
