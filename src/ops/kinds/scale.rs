//! `scale`: how many instances a group has, or tasks a service.

use super::super::aspect::{Aspect, Value};
use super::super::condition::Condition;
use super::super::desk::{Desk, Draft};
use super::super::guard::forbids;
use super::super::intent::Intent;
use super::super::losses::{Ending, Turn};
use super::super::plan::{Fact, Lane, Leg, Proof, Step, Undo, leg, wait};
use super::protect::is_guarded_by_ecs;
use crate::error::{Error, Result};
use crate::fleet::{Fleet, GroupRow, ServiceRow};
use crate::gateway::change::Change;
use crate::model::{Group, Member, Scope, TargetGroupArn};
use crate::store::journal::Grip;
use futures::FutureExt;
use futures::future::BoxFuture;

/// How long new instances or tasks may take.
const GROWTH_S: u64 = 1_200;

/// Groups and services get a size.
pub(super) fn draft<'a>(desk: &'a Desk<'a>, intent: &'a Intent) -> BoxFuture<'a, Result<Draft>> {
    async move {
        let options = &intent.options;
        if options.desired.is_none() && options.min.is_none() && options.max.is_none() {
            return Err(Error::usage("no size is given")
                .hint("coredeck scale GROUP --desired 4, or --min 2 --max 6 for groups"));
        }
        let mut draft = Draft::default();
        for target in &intent.targets {
            let is_group = desk.fleet.groups.iter().any(|row| row.it.name.as_str() == target);
            let names = std::slice::from_ref(target);
            if is_group {
                desk.groups(names, &mut draft)
                    .into_iter()
                    .for_each(|row| group(desk, row, intent, &mut draft));
            } else {
                let rows = desk.services(names, &mut draft);
                rows.into_iter().for_each(|row| service(desk, row, intent, &mut draft));
            }
        }
        let sizes = [("desired", options.desired), ("min", options.min), ("max", options.max)];
        let sizes: Vec<String> =
            sizes.iter().filter_map(|(word, size)| Some(format!("{word} {}", (*size)?))).collect();
        let names: Vec<&str> = draft.lanes.iter().map(|lane| lane.name.as_str()).collect();
        draft.title = format!("scale {} to {}", names.join(", "), sizes.join(", "));
        Ok(draft)
    }
    .boxed()
}

fn group(desk: &Desk<'_>, row: &GroupRow, intent: &Intent, draft: &mut Draft) {
    let group: &Group = &row.it;
    let options = &intent.options;
    if let Some(why) = forbids(&group.tags, options, desk.now) {
        draft.refuse(&group.name, why, "ask whoever set it, or say --ignore-do-not-disrupt");
    }
    let (min, max) = (options.min.unwrap_or(group.min), options.max.unwrap_or(group.max));
    // AWS itself moves the desired capacity into new bounds: say so by saying which.
    let desired = options.desired.unwrap_or(group.desired.clamp(min.min(max), max));
    if min > max || desired < min || desired > max {
        let why = format!("{desired} does not lie between minimum {min} and maximum {max}");
        let mend = format!("say --min or --max too, for example --max {}", desired.max(max));
        draft.refuse(&group.name, why, mend);
        return;
    }
    if group.suspended.iter().any(|process| process == "Launch" || process == "Terminate") {
        let mend = format!("coredeck resume {} --process Launch --process Terminate", group.name);
        draft.refuse(&group.name, "Launch or Terminate is suspended, so nothing would happen", mend);
        return;
    }
    if desk
        .fleet
        .clusters
        .iter()
        .flat_map(|cluster| &cluster.it.providers)
        .any(|provider| provider.managed_scaling && provider.group_arn.as_ref() == Some(&group.arn))
    {
        draft.warn(format!("ECS scales {} by itself, and may set another size soon", group.name));
    }
    draft.hold(&row.scope, "group", group.name.as_str(), Grip::Alone);
    let name = || group.name.clone();
    let facts = [
        (Aspect::GroupMin { group: name() }, group.min),
        (Aspect::GroupMax { group: name() }, group.max),
        (Aspect::GroupDesired { group: name() }, group.desired),
    ];
    let resize = |min: u32, max: u32, desired: u32, was: (u32, u32, u32)| -> Leg {
        let change = if (min, max) == (was.0, was.1) {
            Change::SetDesired { group: name(), desired }
        } else {
            Change::ResizeGroup { group: name(), min: Some(min), max: Some(max), desired: Some(desired) }
        };
        let is = |fact, size: u32| Condition::is(fact, Value::Count(size.into()));
        let until = is(Aspect::GroupDesired { group: name() }, desired)
            .and(is(Aspect::GroupMin { group: name() }, min))
            .and(is(Aspect::GroupMax { group: name() }, max));
        leg(change, until, 60, 5)
    };
    let was = (group.min, group.max, group.desired);
    let back = Box::new(resize(group.min, group.max, group.desired, (min, max, desired)));
    let shrinks = desired < group.desired;
    let mut steps = vec![Step {
        title: format!("set {} from {} to {desired} (between {min} and {max})", group.name, group.desired),
        go: resize(min, max, desired, was),
        undo: if desired == group.desired {
            Undo::Exact { leg: back }
        } else {
            let why = if shrinks {
                "instances that were ended are gone; others are launched in their place"
            } else {
                "instances that were launched are ended, and AWS chooses which"
            };
            Undo::BestEffort { leg: back, why: why.to_owned() }
        },
        proof: Proof::Checked,
        expected_s: 2,
        may_be_forced: false,
    }];
    if desired != group.desired {
        draft.cost = Some("the prices of the group's instance types are not read".to_owned());
        // In a weighted group sizes are units, not instances: how many there will be is AWS's choice.
        let in_mix = group.mix.iter().flat_map(|mix| &mix.types).any(|(_, weight)| weight.is_some());
        let is_weighted = in_mix || group.members.iter().any(|member| member.weight.is_some());
        if !is_weighted {
            steps.extend(until_so_many(group, desired));
        }
        if shrinks {
            fewer(desk, row, desired, draft);
        }
    }
    draft.lanes.push(Lane {
        name: group.name.to_string(),
        target: group.name.to_string(),
        scope: (*row.scope).clone(),
        tier: None,
        facts: facts.into_iter().map(|(fact, was)| Fact { fact, was: Value::Count(was.into()) }).collect(),
        steps,
    });
}

/// Whom a smaller size takes down is told by the targets of all groups; who only gets more takes nobody anything.
pub(super) fn targets_of(fleet: &Fleet, intent: &Intent) -> Option<Vec<(Scope, TargetGroupArn)>> {
    let options = &intent.options;
    let is_named = |name: &str| intent.targets.iter().any(|target| target.rsplit('/').next() == Some(name));
    let groups = fleet.groups.iter().filter(|row| is_named(row.it.name.as_str()));
    let mut wanted = groups.map(|row| (row.it.desired, options.desired.or(options.max).unwrap_or(u32::MAX)));
    let services = fleet.services.iter().any(|row| is_named(row.it.name.as_str()));
    let is_fewer = wanted.any(|(is, wanted)| wanted < is) || services && options.desired == Some(0);
    if is_fewer { None } else { Some(Vec::new()) }
}

/// Waits until a group has its new size; not at all where a smaller one ends nobody.
fn until_so_many(group: &Group, desired: u32) -> Option<Step> {
    let counting = group.members.iter().filter(|one| one.counts()).count();
    let protected = group.members.iter().filter(|one| one.counts() && one.is_protected).count();
    let name = || group.name.clone();
    if desired > group.desired {
        let fact = Aspect::GroupInService { group: name() };
        let until = Condition::AtLeast { fact, count: desired.into() };
        return Some(pure_wait("wait until they are in service", until));
    }
    // Who is protected or in standby by then is looked up then: ECS protects and frees members by itself.
    let until = Condition::AtMost { fact: Aspect::GroupExcess { group: name() }, count: 0 };
    (counting > protected.max(desired as usize)).then(|| pure_wait("wait until the others are gone", until))
}

/// What a smaller size ends: nobody knows which members AWS chooses, and which of them it may is said.
fn fewer(desk: &Desk<'_>, row: &GroupRow, desired: u32, draft: &mut Draft) {
    let group = &*row.it;
    let ending = Ending::fewer(row, desired);
    let counting = || group.members.iter().filter(|one| one.counts());
    let protected: Vec<&Member> = counting().filter(|one| one.is_protected).collect();
    let standby = group.members.iter().filter(|one| one.state.contains("Standby")).count();
    let kept = [(protected.len(), "protected from that"), (standby, "in standby")];
    let kept = kept.map(|(count, why)| match count {
        0 => String::new(),
        1 => format!("; 1 is {why} and stays"),
        many => format!("; {many} are {why} and stay"),
    });
    let kept = kept.concat();
    let (all, names): (_, Vec<&str>) =
        (counting().count() + standby, ending.members.iter().map(|id| id.as_str()).collect());
    let Turn::Fewer { count } = ending.turn else { return };
    draft.warn(match ending.some_of_them() {
        Some(_) => {
            let which = some(&names);
            // In a weighted group the heavier ones may go instead, and then fewer of them.
            let most = if group.members.iter().any(|one| one.weight.is_some()) { "at most " } else { "" };
            format!(
                "{} ends {most}{count} of {all} instances, and AWS chooses which: it may be any of {which}{kept}",
                group.name
            )
        }
        None if names.is_empty() => format!("{} ends nobody now{kept}", group.name),
        None => format!("{} ends {}{kept}", group.name, some(&names)),
    });
    draft.warnings.extend(beyond(desk, group, &protected, desired));
    draft.endings.push(ending);
}

/// What is to be known where more members are protected than are wanted, and what lets one go.
///
/// AWS takes such a size, ends nobody of them, and ends some as soon as they are protected no longer (EC2 Auto Scaling
/// user guide, "Use instance scale-in protection to control instance termination").
fn beyond(desk: &Desk<'_>, group: &Group, protected: &[&Member], desired: u32) -> Option<String> {
    let units = protected.iter().fold(0_u32, |sum, one| sum.saturating_add(one.units()));
    let first = protected.first().filter(|_| units > desired)?;
    let lets_go = if is_guarded_by_ecs(desk.fleet, group) {
        format!("ECS protects whoever runs tasks, and frees who runs none: `coredeck drain {}`", first.id)
    } else {
        format!("`coredeck unprotect {}` lets one go", first.id)
    };
    Some(format!(
        "{} stays at {units} instead of {desired} as long as they are protected from scale-in; {lets_go}",
        group.name
    ))
}

/// Some names, and how many more there are.
fn some(names: &[&str]) -> String {
    const NAMES: usize = 5;
    match names.len().saturating_sub(NAMES) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMES].join(", ")),
    }
}

fn service(desk: &Desk<'_>, row: &ServiceRow, intent: &Intent, draft: &mut Draft) {
    let service = &*row.it;
    let label = format!("{}/{}", row.cluster, service.name);
    let Some(desired) =
        intent.options.desired.filter(|_| intent.options.min.is_none() && intent.options.max.is_none())
    else {
        draft.refuse(&label, "a service has no minimum and no maximum", "say --desired alone");
        return;
    };
    if let Some(why) = forbids(&service.tags, &intent.options, desk.now) {
        draft.refuse(&label, why, "ask whoever set it, or say --ignore-do-not-disrupt");
    }
    if service.strategy.as_deref() == Some("DAEMON") {
        draft.refuse(&label, "a daemon runs once on every host", "change the number of hosts instead");
        return;
    }
    draft.hold(&row.scope, "service", service.arn.as_str(), Grip::Alone);
    draft.lanes.push(of_service(row, desired));
}

/// The lane in which a service gets as many tasks, and is waited for until they run.
pub(super) fn of_service(row: &ServiceRow, desired: u32) -> Lane {
    let service = &*row.it;
    let label = format!("{}/{}", row.cluster, service.name);
    let (cluster, arn) = (service.cluster.clone(), service.arn.clone());
    let wanted = Aspect::ServiceDesired { cluster: cluster.clone(), service: arn.clone() };
    let runs = Aspect::ServiceRunning { cluster: cluster.clone(), service: arn.clone() };
    let to = |desired: u32| {
        let change = Change::ScaleService { cluster: cluster.clone(), service: arn.clone(), desired };
        leg(change, Condition::is(wanted.clone(), Value::Count(desired.into())), 60, 5)
    };
    let size = u64::from(desired);
    let until = if desired < service.desired {
        Condition::AtMost { fact: runs, count: size }
    } else {
        Condition::AtLeast { fact: runs, count: size }
    };
    Lane {
        name: label.clone(),
        target: service.arn.to_string(),
        scope: (*row.scope).clone(),
        tier: None,
        facts: vec![Fact { fact: wanted.clone(), was: Value::Count(service.desired.into()) }],
        steps: vec![
            Step {
                title: format!("set {label} from {} to {desired} tasks", service.desired),
                go: to(desired),
                undo: Undo::Exact { leg: Box::new(to(service.desired)) },
                proof: Proof::Checked,
                expected_s: 2,
                may_be_forced: false,
            },
            pure_wait("wait until as many run", until),
        ],
    }
}

fn pure_wait(title: &str, until: Condition) -> Step {
    Step {
        title: title.to_owned(),
        go: wait(until, GROWTH_S, 10),
        undo: Undo::Nothing,
        proof: Proof::NotNeeded,
        expected_s: 180,
        may_be_forced: true,
    }
}
