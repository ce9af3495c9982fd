//! Services are made and deleted; what services are told in their making and changing is read here.

use super::{cluster, invalid, services, tail, tasks};
use crate::sim::fault::Fault;
use crate::sim::input::Input;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::Fields;
use crate::sim::world::containers::{Constraint, Definition, End, Service, Share};
use crate::sim::world::expression;
use crate::sim::world::life::Event;
use crate::sim::world::machine::Tag;
use crate::sim::world::place::Place;
use crate::sim::world::tokens::Fresh;
use compact_str::{CompactString, format_compact};

/// What CreateService understands.
pub(super) const TAKES: &[&str] = &[
    "cluster",
    "serviceName",
    "taskDefinition",
    "desiredCount",
    "launchType",
    "capacityProviderStrategy",
    "loadBalancers",
    "deploymentConfiguration",
    "deploymentController",
    "placementConstraints",
    "placementStrategy",
    "healthCheckGracePeriodSeconds",
    "schedulingStrategy",
    "tags",
    "clientToken",
];

/// A whole number from 0 that a part of a call may have.
pub(super) fn number(input: Input, name: &str) -> Result<Option<u32>, Fault> {
    let number = input.number(name).map_err(|sent| invalid(format!("{sent} is no number")))?;
    number
        .map(|number| u32::try_from(number).map_err(|_| invalid(format!("{name} cannot be negative."))))
        .transpose()
}

/// The tags of a call.
pub(super) fn tags(input: Input) -> Vec<Tag> {
    let part = |tag: Input, name| CompactString::from(tag.text(name).unwrap_or_default());
    input.list("tags").into_iter().map(|tag| (part(tag, "key"), part(tag, "value"))).collect()
}

/// The definition that a call names, which is still active.
pub(super) fn definition<'p>(input: Input, place: &'p Place) -> Result<&'p Definition, Fault> {
    let name = input.text("taskDefinition").unwrap_or_default();
    let found = tasks::find_definition(place, name)
        .ok_or_else(|| Fault::new("ClientException", "TaskDefinition not found."))?;
    if found.is_inactive {
        return Err(Fault::new("ClientException", "TaskDefinition is inactive"));
    }
    Ok(found)
}

/// Placement constraints of a call.
pub(super) fn constraints(input: Input) -> Result<Vec<Constraint>, Fault> {
    let read = |part: Input| match (part.text("type"), part.text("expression")) {
        (Some("distinctInstance"), None) => Ok(Constraint::Distinct),
        (Some("memberOf"), Some(text)) => match expression::parse(text) {
            Ok(_) => Ok(Constraint::MemberOf(text.into())),
            Err(why) => Err(invalid(format!("The expression is not understood here: {why}"))),
        },
        _ => Err(invalid("A placement constraint is distinctInstance, or memberOf with an expression.")),
    };
    input.list("placementConstraints").into_iter().map(read).collect()
}

/// The capacity providers of a call, which must be those of the cluster.
pub(super) fn strategy(
    input: Input,
    name: &str,
    place: &Place,
    known: &[CompactString],
) -> Result<Vec<Share>, Fault> {
    let mut shares = Vec::new();
    for part in input.list(name) {
        let provider = part.text("capacityProvider").unwrap_or_default();
        if !place.providers.has(provider) || !known.iter().any(|one| one == provider) {
            return Err(invalid(format!(
                "The specified capacity provider '{provider}' is not associated with the cluster."
            )));
        }
        let (weight, base) = (number(part, "weight")?.unwrap_or(0), number(part, "base")?.unwrap_or(0));
        if weight > 1000 || base > 100_000 {
            return Err(invalid("A weight is from 0 to 1000, and a base from 0 to 100000."));
        }
        shares.push(Share { provider: provider.into(), weight, base });
    }
    Ok(shares)
}

/// Types and fields of placement strategies.
const STRATEGIES: &[(&str, &str)] = &[
    ("spread", "attribute:ecs.availability-zone"),
    ("spread", "instanceId"),
    ("binpack", "cpu"),
    ("binpack", "memory"),
    ("random", ""),
];

fn placement(input: Input) -> Result<Vec<(&'static str, &'static str)>, Fault> {
    let read = |part: Input| {
        let (kind, field) = (part.text("type").unwrap_or_default(), part.text("field").unwrap_or_default());
        let field = if field == "host" { "instanceId" } else { field };
        let known = STRATEGIES.iter().find(|(one, of)| *one == kind && of.eq_ignore_ascii_case(field));
        known
            .copied()
            .ok_or_else(|| invalid(format!("The placement strategy {kind} {field} is not understood here.")))
    };
    input.list("placementStrategy").into_iter().map(read).collect()
}

/// Minimum healthy and maximum percent.
pub(super) fn limits(input: Input, before: (u32, u32)) -> Result<(u32, u32), Fault> {
    let Some(part) = input.get("deploymentConfiguration") else { return Ok(before) };
    let min = number(part, "minimumHealthyPercent")?.unwrap_or(before.0);
    let max = number(part, "maximumPercent")?.unwrap_or(before.1);
    if min == 100 && max == 100 {
        return Err(invalid(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.",
        ));
    }
    if max < 100 || min > max {
        return Err(invalid("maximumPercent must be at least 100 and above minimumHealthyPercent"));
    }
    Ok((min, max))
}

/// Whether a deployment may be failed, and whether a failed one stays, if a call says so.
pub(super) fn breaker(input: Input) -> Result<Option<(bool, bool)>, Fault> {
    let part = input.get("deploymentConfiguration").and_then(|part| part.get("deploymentCircuitBreaker"));
    let Some(part) = part else { return Ok(None) };
    if part.get("enable").is_none() || part.get("rollback").is_none() {
        return Err(invalid("deploymentCircuitBreaker must have enable and rollback."));
    }
    Ok(Some((part.flag("enable"), !part.flag("rollback"))))
}

/// CreateService.
pub(super) fn create(call: &Call, place: &mut Place) -> Answer {
    let input = call.input;
    let found = cluster(call, place)?;
    let (home, providers) = (found.name.clone(), found.providers.clone());
    let usual = found.strategy.clone();
    let known: Vec<CompactString> = found
        .services
        .rows()
        .filter(|service| service.end != End::Gone)
        .map(|service| service.name.clone())
        .collect();
    let name = CompactString::from(input.text("serviceName").unwrap_or_default());
    let is_good = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() || name.len() > 255 || !name.chars().all(is_good) {
        return Err(invalid("Service name must be 1 to 255 letters, numbers, hyphens and underscores."));
    }
    let token = input.text("clientToken").filter(|token| !token.is_empty());
    match token.map(|token| place.tokens.fresh(call, token)) {
        Some(Fresh::Done(_)) => return answer(call, place, &name),
        Some(Fresh::Mismatch) => return Err(invalid("Creation of service was not idempotent.")),
        Some(Fresh::New) | None => {}
    }
    if known.contains(&name) {
        return Err(invalid("Creation of service was not idempotent."));
    }
    let is_daemon = match input.text("schedulingStrategy") {
        None | Some("REPLICA") => false,
        Some("DAEMON") => true,
        Some(other) => return Err(invalid(format!("{other} is no scheduling strategy."))),
    };
    if let Some(part) = input.get("deploymentController")
        && part.text("type") != Some("ECS")
    {
        return Err(invalid("Only the deployment controller ECS is understood here."));
    }
    let definition = definition(input, place)?;
    let (family, port) = (definition.family.clone(), definition.port);
    let definition = format_compact!("{}:{}", family, definition.revision);
    let strategy = match (input.text("launchType"), input.get("capacityProviderStrategy")) {
        (Some("EC2"), None) => Vec::new(),
        (Some(other), None) => return Err(invalid(format!("{other} is not understood here."))),
        (Some(_), Some(_)) => {
            return Err(invalid(
                "Specifying both a launch type and capacity provider strategy is not supported.",
            ));
        }
        (None, Some(_)) => strategy(input, "capacityProviderStrategy", place, &providers)?,
        (None, None) => usual,
    };
    let mut balancers = Vec::new();
    for part in input.list("loadBalancers") {
        let arn = part.text("targetGroupArn").unwrap_or_default();
        let wanted = number(part, "containerPort")?.and_then(|port| u16::try_from(port).ok());
        if !place.target_groups.has(arn) {
            return Err(invalid(format!("Unable to find the target group {arn}.")));
        }
        let Some(wanted) = wanted.filter(|wanted| Some(*wanted) == port) else {
            return Err(invalid(format!("The container {family} did not have the container port defined.")));
        };
        balancers.push((arn.into(), wanted));
    }
    let (min, max) = limits(input, if is_daemon { (0, 100) } else { (100, 200) })?;
    let (has_breaker, keeps_failed) = breaker(input)?.unwrap_or((false, true));
    let service = Service {
        name: name.clone(),
        is_daemon,
        desired: number(input, "desiredCount")?.unwrap_or(0),
        min,
        max,
        has_breaker,
        keeps_failed,
        strategy,
        balancers,
        placement: placement(input)?,
        grace: number(input, "healthCheckGracePeriodSeconds")?.unwrap_or(0),
        created: call.now,
        tags: tags(input),
        constraints: constraints(input)?,
        ..Service::default()
    };
    if let Some(found) = place.clusters.get_mut(&home) {
        found.services.insert(name.clone(), service);
    }
    place.deploy(&home, &name, definition);
    if let Some(token) = token {
        place.tokens.keep(call, token, name.to_string());
    }
    answer(call, place, &name)
}

fn answer(call: &Call, place: &Place, name: &str) -> Answer {
    let cluster = cluster(call, place)?;
    let shape = cluster.services.get(name).map(|service| services::shape(call, place, cluster, service));
    Ok(Fields::new().maybe("service", shape).into())
}

/// DeleteService: one that is scaled to nothing, or by force.
pub(super) fn delete(call: &Call, place: &mut Place) -> Answer {
    let home = cluster(call, place)?.name.clone();
    let name = CompactString::from(tail(call.input.text("service").unwrap_or_default()));
    let found = place.clusters.get_mut(&home).and_then(|found| found.services.get_mut(&name));
    let service = found.ok_or_else(|| Fault::new("ServiceNotFoundException", "Service not found."))?;
    if service.end == End::Gone {
        return Err(Fault::new("ServiceNotActiveException", "Service was not ACTIVE."));
    }
    if service.desired > 0 && !service.is_daemon && !call.input.flag("force") {
        return Err(invalid("The service cannot be stopped while it is scaled above 0."));
    }
    service.end = End::Draining;
    (service.desired, service.min, service.max) = (0, 0, service.max.max(100));
    for deployment in &mut service.deployments {
        deployment.desired = 0;
    }
    place.note(1, Event::Service(home, name.clone()));
    answer(call, place, &name)
}
