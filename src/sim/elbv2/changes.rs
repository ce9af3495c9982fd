//! What changes targets and rules.

use super::{not_found, rule_shape};
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape};
use crate::sim::world::balancing::{Act, Health, Target};
use crate::sim::world::machine::State;
use crate::sim::world::place::Place;
use compact_str::CompactString;

/// The targets that a call names, with their ports.
fn targets(call: &Call, place: &Place, arn: &str) -> Result<Vec<(CompactString, u16)>, Fault> {
    let group =
        place.target_groups.get(arn).ok_or_else(|| not_found("TargetGroupNotFound", "Target groups", arn))?;
    let rows = call.input.list("Targets");
    if rows.is_empty() {
        return Err(Fault::new("ValidationError", "At least one target must be named"));
    }
    rows.into_iter()
        .map(|row| {
            let port = row.number("Port").ok().flatten().unwrap_or(i64::from(group.port));
            let port =
                u16::try_from(port).map_err(|_| Fault::new("ValidationError", "Port '0' is out of range"))?;
            Ok((CompactString::from(row.text("Id").unwrap_or_default()), port))
        })
        .collect()
}

/// RegisterTargets: instances that run.
pub(super) fn register(call: &Call, place: &mut Place) -> Answer {
    let arn = call.input.text("TargetGroupArn").unwrap_or_default();
    let targets = targets(call, place, arn)?;
    for (id, _) in &targets {
        match place.instances.get(id).map(|instance| instance.state) {
            Some(State::Running) => {}
            Some(_) => {
                let sentence = format!(
                    "The following targets are not in a running state and cannot be registered: '{id}'"
                );
                return Err(Fault::new("InvalidTarget", sentence));
            }
            None => return Err(Fault::new("InvalidTarget", format!("Instance ID '{id}' is not valid"))),
        }
    }
    for (id, port) in targets {
        let Some(group) = place.target_groups.get_mut(arn) else { continue };
        let health = Health::Initial(call.now.plus(i64::from(group.interval) * 2));
        match group.targets.iter_mut().find(|target| target.id == id && target.port == port) {
            Some(known) if matches!(known.health, Health::Draining(_)) => known.health = health,
            Some(_) => {}
            None => group.targets.push(Target { id, port, health }),
        }
    }
    Ok(Fields::new().into())
}

/// DeregisterTargets: unknown ones are no error.
pub(super) fn deregister(call: &Call, place: &mut Place) -> Answer {
    let arn = call.input.text("TargetGroupArn").unwrap_or_default();
    for (id, port) in targets(call, place, arn)? {
        place.drain_target(arn, &id, port);
    }
    Ok(Fields::new().into())
}

/// ModifyRule: where it forwards.
pub(super) fn modify_rule(call: &Call, place: &mut Place) -> Answer {
    let arn = call.input.text("RuleArn").unwrap_or_default();
    if !place.rules.has(arn) {
        return Err(not_found("RuleNotFound", "Rule", arn));
    }
    let unsupported = || Fault::new("ValidationError", "Only forward actions can be set here");
    let actions = call.input.list("Actions");
    let action =
        actions.first().filter(|action| action.text("Type") == Some("forward")).ok_or_else(unsupported)?;
    let listed = action.get("ForwardConfig").map(|config| config.list("TargetGroups")).unwrap_or_default();
    let mut groups: Vec<(CompactString, u32)> = Vec::new();
    for row in listed {
        let weight = row.number("Weight").ok().flatten().unwrap_or(1);
        let weight = u32::try_from(weight).ok().filter(|weight| *weight <= 999);
        let weight = weight.ok_or_else(|| Fault::new("ValidationError", "Weight must be from 0 to 999"))?;
        groups.push((row.text("TargetGroupArn").unwrap_or_default().into(), weight));
    }
    if groups.is_empty() {
        groups.extend(action.text("TargetGroupArn").map(|arn| (arn.into(), 1)));
    }
    if groups.is_empty() || groups.len() > 5 {
        return Err(Fault::new("ValidationError", "A forward action has one to five target groups"));
    }
    if let Some((missing, _)) = groups.iter().find(|(group, _)| !place.target_groups.has(group)) {
        return Err(not_found("TargetGroupNotFound", "Target groups", missing));
    }
    if let Some(rule) = place.rules.get_mut(arn) {
        rule.act = Act::Forward(groups);
    }
    let rows: Vec<Shape> = place.rules.get(arn).map(|rule| rule_shape(rule).into()).into_iter().collect();
    Ok(Fields::new().with("Rules", Shape::List(rows)).into())
}

/// DeleteRule: not the default one.
pub(super) fn delete_rule(call: &Call, place: &mut Place) -> Answer {
    let arn = call.input.text("RuleArn").unwrap_or_default();
    match place.rules.get(arn) {
        None => Err(not_found("RuleNotFound", "Rule", arn)),
        Some(rule) if rule.priority.is_none() => {
            Err(Fault::new("OperationNotPermitted", "Default rule cannot be deleted"))
        }
        Some(_) => {
            place.rules.remove(arn);
            Ok(Fields::new().into())
        }
    }
}
