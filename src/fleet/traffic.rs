//! Where traffic goes: targets, rules and alarms.

use super::Fleet;
use super::health::{self, Verdict};
use super::lack;
use super::rows::{AlarmRow, Item, RuleRow, TargetGroupRow, TargetRow};
use crate::model::{Health, Known, Rule, TargetGroup, TargetState, Text};
use crate::snapshot::Part;
use std::collections::HashMap;
use std::sync::Arc;

/// Healthy targets of a target group, and all.
type Standing<'a> = HashMap<&'a str, (u32, u32)>;

/// Adds the targets, rules and alarms of one part.
pub(super) fn join(part: &Part, from: usize, fleet: &mut Fleet) {
    let scope = || Arc::clone(&part.scope);
    let groups: HashMap<Text, Item<TargetGroup>> = part
        .target_groups
        .value
        .iter()
        .flat_map(Item::all)
        .map(|group| (Text::new(group.arn.as_str()), group))
        .collect();
    for it in part.targets.value.iter().flat_map(Item::all) {
        let group = groups.get(it.group.as_str()).cloned();
        fleet.targets.push(TargetRow { scope: scope(), health: health::target(&it), group, it });
    }
    let mut standing = Standing::new();
    for row in &fleet.targets[from..] {
        let (healthy, all) = standing.entry(row.it.group.as_str()).or_default();
        *healthy += u32::from(row.it.state == TargetState::Healthy);
        *all += 1;
    }
    let mut target_groups = Vec::new();
    for it in part.target_groups.value.iter().flat_map(Item::all) {
        let healthy = within(part, &it, &standing);
        let (health, troubles) = judge_group(&it, healthy);
        target_groups.push(TargetGroupRow { scope: scope(), healthy, health, troubles, it });
    }
    let mut rules = Vec::new();
    for it in part.rules.value.iter().flat_map(Item::all) {
        let healthy = behind(part, &it, &standing);
        let (health, troubles) = judge(part, &it, &groups, &healthy);
        let forwards = it
            .forwards
            .iter()
            .map(|(arn, _)| match groups.get(arn.as_str()) {
                Some(group) => group.name.clone(),
                None => Text::new(name_in(arn.as_str())),
            })
            .collect();
        rules.push(RuleRow { scope: scope(), forwards, healthy, health, troubles, it });
    }
    fleet.target_groups.extend(target_groups);
    fleet.rules.extend(rules);
    for it in part.alarms.value.iter().flat_map(Item::all) {
        fleet.alarms.push(AlarmRow { scope: scope(), health: health::alarm(&it), it });
    }
}

/// Healthy targets behind a rule, and all. Half a list of targets says nothing about a rule whose targets may
/// be in the other half, and an older one nothing about a target group that it holds nothing of.
fn behind(part: &Part, rule: &Rule, standing: &Standing<'_>) -> Known<(u32, u32)> {
    if !part.targets.is_whole {
        return Known::No(lack::why(part.targets.standing()));
    }
    let mut sum = (0, 0);
    for (arn, _) in &rule.forwards {
        match standing.get(arn.as_str()) {
            Some((healthy, all)) => sum = (sum.0 + healthy, sum.1 + all),
            None => match lack::absent::<_, ()>(&part.targets, part.rules.same_since) {
                Known::Yes(_) => {}
                Known::No(why) => return Known::No(why),
            },
        }
    }
    Known::Yes(sum)
}

/// Healthy targets of a target group, and all. That none is listed says nothing while the list is not whole,
/// or older than the group.
fn within(part: &Part, group: &TargetGroup, standing: &Standing<'_>) -> Known<(u32, u32)> {
    if !part.targets.is_whole {
        return Known::No(lack::why(part.targets.standing()));
    }
    match standing.get(group.arn.as_str()) {
        Some(known) => Known::Yes(*known),
        None => lack::absent::<_, ()>(&part.targets, part.target_groups.same_since).map(|_| (0, 0)),
    }
}

fn judge_group(group: &TargetGroup, healthy: Known<(u32, u32)>) -> (Health, Vec<String>) {
    let mut verdict = Verdict::default();
    match healthy {
        Known::Yes((_, 0)) if group.balancers.is_empty() => verdict.note(Health::Ok),
        Known::Yes((_, 0)) => verdict.find(Health::Warn, "no target is registered in it"),
        Known::Yes((0, all)) => verdict.find(Health::Bad, format!("none of {all} targets is healthy")),
        Known::Yes((healthy, all)) if healthy < all => {
            verdict.find(Health::Warn, format!("{healthy} of {all} targets are healthy"));
        }
        Known::Yes(_) => verdict.note(Health::Ok),
        Known::No(_) => verdict.note(Health::Unknown),
    }
    verdict.end(Health::Unknown)
}

fn judge(
    part: &Part,
    rule: &Rule,
    groups: &HashMap<Text, Item<TargetGroup>>,
    healthy: &Known<(u32, u32)>,
) -> (Health, Vec<String>) {
    let mut verdict = Verdict::default();
    for (arn, _) in rule.forwards.iter().filter(|(arn, _)| !groups.contains_key(arn.as_str())) {
        match lack::absent::<_, ()>(&part.target_groups, part.rules.same_since) {
            Known::Yes(_) => {
                let name = name_in(arn.as_str());
                verdict.find(Health::Bad, format!("points nowhere: target group {name} does not exist"));
            }
            Known::No(_) => verdict.note(Health::Unknown),
        }
    }
    match healthy {
        Known::Yes(_) if rule.forwards.is_empty() => verdict.note(Health::Ok),
        Known::Yes((_, 0)) => verdict.find(Health::Bad, "no target is registered behind it"),
        Known::Yes((0, all)) => verdict.find(Health::Bad, format!("none of {all} targets is healthy")),
        Known::Yes((healthy, all)) if healthy < all => {
            verdict.find(Health::Warn, format!("{healthy} of {all} targets are healthy"));
        }
        Known::Yes(_) => verdict.note(Health::Ok),
        Known::No(_) => verdict.note(Health::Unknown),
    }
    verdict.end(Health::Unknown)
}

/// The name that a target group's ARN holds.
pub(super) fn name_in(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or(arn)
}
