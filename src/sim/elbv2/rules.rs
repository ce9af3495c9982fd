//! What changes listener rules: made, modified, put in another order, deleted.

use super::{not_found, rule_shape};
use crate::sim::fault::Fault;
use crate::sim::input::Input;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape};
use crate::sim::world::balancing::{Act, Rule};
use crate::sim::world::place::Place;
use compact_str::CompactString;

/// Values that the conditions of one rule may have in all.
const MOST_VALUES: usize = 5;

fn invalid(sentence: impl Into<String>) -> Fault {
    Fault::new("ValidationError", sentence)
}

/// Host names and paths that a call's conditions name.
struct Conditions {
    hosts: Vec<CompactString>,
    paths: Vec<CompactString>,
}

fn conditions(input: Input) -> Result<Conditions, Fault> {
    let mut found = Conditions { hosts: Vec::new(), paths: Vec::new() };
    for part in input.list("Conditions") {
        let (config, into) = match part.text("Field") {
            Some("host-header") => ("HostHeaderConfig", &mut found.hosts),
            Some("path-pattern") => ("PathPatternConfig", &mut found.paths),
            other => {
                let field = other.unwrap_or("nothing");
                return Err(invalid(format!(
                    "Only host-header and path-pattern are understood here, not {field}"
                )));
            }
        };
        let mut values = part.get(config).map(|part| part.texts("Values")).unwrap_or_default();
        if values.is_empty() {
            values = part.texts("Values");
        }
        if values.is_empty() || !into.is_empty() {
            return Err(invalid("A condition must have values, and a field comes once"));
        }
        into.extend(values.into_iter().map(CompactString::from));
    }
    if found.hosts.len() + found.paths.len() > MOST_VALUES {
        return Err(Fault::new(
            "TooManyRules",
            format!("The maximum number of condition values per rule is {MOST_VALUES}"),
        ));
    }
    Ok(found)
}

/// Where a call's actions forward.
fn forward(input: Input, place: &Place) -> Result<Act, Fault> {
    let actions = input.list("Actions");
    let action = actions.first().filter(|action| action.text("Type") == Some("forward"));
    let action = action.filter(|_| actions.len() == 1);
    let action = action.ok_or_else(|| invalid("Only one forward action can be set here"))?;
    let listed = action.get("ForwardConfig").map(|config| config.list("TargetGroups")).unwrap_or_default();
    let mut groups: Vec<(CompactString, u32)> = Vec::new();
    for row in listed {
        let weight = row.number("Weight").ok().flatten().unwrap_or(1);
        let weight = u32::try_from(weight).ok().filter(|weight| *weight <= 999);
        let weight = weight.ok_or_else(|| invalid("Weight must be from 0 to 999"))?;
        groups.push((row.text("TargetGroupArn").unwrap_or_default().into(), weight));
    }
    if groups.is_empty() {
        groups.extend(action.text("TargetGroupArn").map(|arn| (arn.into(), 1)));
    }
    if groups.is_empty() || groups.len() > 5 {
        return Err(invalid("A forward action has one to five target groups"));
    }
    if let Some((missing, _)) = groups.iter().find(|(group, _)| !place.target_groups.has(group)) {
        return Err(not_found("TargetGroupNotFound", "Target groups", missing));
    }
    Ok(Act::Forward(groups))
}

fn answer(place: &Place, arns: &[&str]) -> Answer {
    let rows = arns.iter().filter_map(|arn| place.rules.get(arn)).map(|rule| rule_shape(rule).into());
    Ok(Fields::new().with("Rules", Shape::List(rows.collect())).into())
}

/// A priority from 1 to 50000.
fn priority(input: Input) -> Result<u32, Fault> {
    let sent = input.number("Priority").ok().flatten();
    let number = sent.and_then(|number| u32::try_from(number).ok());
    number
        .filter(|number| (1..=50_000).contains(number))
        .ok_or_else(|| invalid("Priority must be from 1 to 50000"))
}

fn in_use(priority: u32) -> Fault {
    Fault::new("PriorityInUse", format!("Priority '{priority}' is currently in use"))
}

/// CreateRule.
pub(super) fn create(call: &Call, place: &mut Place) -> Answer {
    let listener = call.input.text("ListenerArn").unwrap_or_default();
    if !place.listeners.has(listener) {
        return Err(not_found("ListenerNotFound", "Listener", listener));
    }
    let priority = priority(call.input)?;
    let conditions = conditions(call.input)?;
    if conditions.hosts.is_empty() && conditions.paths.is_empty() {
        return Err(invalid("A rule must have a condition"));
    }
    let act = forward(call.input, place)?;
    if place.rules.rows().any(|rule| rule.listener == listener && rule.priority == Some(priority)) {
        return Err(in_use(priority));
    }
    let suffix = place.dice.hex(16);
    let arn = CompactString::from(format!("{}/{suffix}", listener.replace(":listener/", ":listener-rule/")));
    let rule = Rule {
        arn: arn.clone(),
        listener: listener.into(),
        priority: Some(priority),
        hosts: conditions.hosts,
        paths: conditions.paths,
        act,
    };
    place.rules.insert(arn.clone(), rule);
    answer(place, &[&arn])
}

/// ModifyRule: conditions, or where it forwards, or both.
pub(super) fn modify(call: &Call, place: &mut Place) -> Answer {
    let arn = call.input.text("RuleArn").unwrap_or_default();
    let Some(rule) = place.rules.get(arn) else { return Err(not_found("RuleNotFound", "Rule", arn)) };
    let wants_conditions = !call.input.list("Conditions").is_empty();
    if rule.priority.is_none() {
        return Err(Fault::new("OperationNotPermitted", "Default rules cannot be modified"));
    }
    let conditions = conditions(call.input)?;
    let act = if call.input.list("Actions").is_empty() { None } else { Some(forward(call.input, place)?) };
    if let Some(rule) = place.rules.get_mut(arn) {
        if wants_conditions {
            (rule.hosts, rule.paths) = (conditions.hosts, conditions.paths);
        }
        if let Some(act) = act {
            rule.act = act;
        }
    }
    answer(place, &[arn])
}

/// SetRulePriorities: all of them at once, or none.
pub(super) fn set_priorities(call: &Call, place: &mut Place) -> Answer {
    let mut wanted: Vec<(&str, u32)> = Vec::new();
    for part in call.input.list("RulePriorities") {
        wanted.push((part.text("RuleArn").unwrap_or_default(), priority(part)?));
    }
    if wanted.is_empty() {
        return Err(invalid("At least one rule must be named"));
    }
    for (at, (arn, priority)) in wanted.iter().enumerate() {
        let rule = place.rules.get(arn).ok_or_else(|| not_found("RuleNotFound", "Rule", arn))?;
        if rule.priority.is_none() {
            return Err(Fault::new("OperationNotPermitted", "The priority of a default rule cannot be set"));
        }
        let is_moving = |other: &Rule| wanted.iter().any(|(arn, _)| other.arn == *arn);
        let mut others = place.rules.rows().filter(|other| other.listener == rule.listener);
        let is_taken = others.any(|other| other.priority == Some(*priority) && !is_moving(other));
        let is_twice = wanted.iter().take(at).any(|(_, other)| other == priority);
        if is_taken || is_twice {
            return Err(in_use(*priority));
        }
    }
    for (arn, priority) in &wanted {
        if let Some(rule) = place.rules.get_mut(arn) {
            rule.priority = Some(*priority);
        }
    }
    let arns: Vec<&str> = wanted.iter().map(|(arn, _)| *arn).collect();
    answer(place, &arns)
}

/// DeleteRule: not the default one.
pub(super) fn delete(call: &Call, place: &mut Place) -> Answer {
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
