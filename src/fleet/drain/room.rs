//! How many more tasks of a service the hosts that stay can take.

use super::blocker::Lack;
use super::{Scene, expression, tasks_of};
use crate::model::{Constraint, Definition, HostArn, HostDetail, ServiceDetail, Task};
use std::collections::{BTreeMap, HashSet};

/// Room for a service.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    /// Tasks that find a place when no other service wants any.
    pub(super) alone: u32,
    /// Tasks that surely find a place, whoever comes first.
    pub(super) last: u32,
    /// Tasks of other services that may come first.
    pub(super) others: u32,
    /// What hosts without a place lack, and how many do, most first.
    pub(super) lacks: Vec<(Lack, u32)>,
    /// What could not be judged.
    pub(super) unknown: Vec<String>,
}

/// A task's wants.
#[derive(Clone, Copy, Debug)]
struct Wants {
    cpu: u32,
    memory: u32,
}

impl Room {
    pub(super) fn of(
        scene: &Scene<'_>,
        detail: &ServiceDetail,
        definition: &Definition,
        gone: &HashSet<&HostArn>,
        mine: &[&Task],
    ) -> Self {
        let mut room = Self::default();
        if definition.network.as_deref() == Some("awsvpc") {
            room.unknown.push("whether hosts have network interfaces left was not read".to_owned());
        }
        let mut lacks: BTreeMap<Lack, u32> = BTreeMap::new();
        for host in scene.hosts.iter().filter(|one| !gone.contains(&one.host.arn)) {
            match places(host, detail, definition, mine, &mut room.unknown) {
                Ok(places) => room.alone = room.alone.saturating_add(places),
                Err(lack) => *lacks.entry(lack).or_default() += 1,
            }
        }
        room.unknown.sort();
        room.unknown.dedup();
        room.lacks = lacks.into_iter().collect();
        room.lacks.sort_by_key(|(_, hosts)| std::cmp::Reverse(*hosts));
        let wants = Wants { cpu: definition.reserved_cpu(), memory: definition.reserved_memory() };
        let mut taken = 0_u32;
        for other in scene.services.iter().filter(|one| one.service.arn != detail.service.arn) {
            let count = may_start(scene, other, gone);
            room.others += count;
            let theirs = scene.definitions.iter().find(|one| one.name == other.service.task_definition);
            // Not knowing their size, they may take everything.
            let each = theirs.map_or(u32::MAX, |theirs| {
                let theirs = Wants { cpu: theirs.reserved_cpu(), memory: theirs.reserved_memory() };
                spoils(theirs, wants)
            });
            taken = taken.saturating_add(count.saturating_mul(each));
        }
        room.last = room.alone.saturating_sub(taken);
        room
    }
}

/// Tasks that another service may start before ours: those that it lacks, and those that must move.
pub(super) fn may_start(scene: &Scene<'_>, other: &ServiceDetail, gone: &HashSet<&HostArn>) -> u32 {
    let mine = tasks_of(scene, other);
    if other.service.strategy.as_deref() == Some("DAEMON") {
        // One for each host that has none yet.
        let stay = scene.hosts.iter().filter(|one| !gone.contains(&one.host.arn));
        let lack = stay.filter(|one| !mine.iter().any(|task| task.host.as_ref() == Some(&one.host.arn)));
        return u32::try_from(lack.count()).unwrap_or(u32::MAX);
    }
    let stay = mine.iter().filter(|task| task.host.as_ref().is_some_and(|host| !gone.contains(host)));
    other.service.desired.saturating_sub(u32::try_from(stay.count()).unwrap_or(u32::MAX))
}

/// The most places of ours that one task of theirs takes away. Where a task wants none of something, one of
/// theirs may still take the port or the host that ours wanted.
fn spoils(theirs: Wants, ours: Wants) -> u32 {
    let of = |theirs: u32, ours: u32| if ours == 0 { 0 } else { theirs.div_ceil(ours) };
    of(theirs.cpu, ours.cpu).max(of(theirs.memory, ours.memory)).max(1)
}

/// How many more tasks a host can take, or what it lacks for one.
fn places(
    host: &HostDetail,
    detail: &ServiceDetail,
    definition: &Definition,
    mine: &[&Task],
    unknown: &mut Vec<String>,
) -> Result<u32, Lack> {
    let it = &host.host;
    let mut most = admits(host, detail, definition, mine, unknown)?;
    let share = |free: u32, wanted: u32| free.checked_div(wanted).unwrap_or(u32::MAX);
    for (free, wanted, lack) in [
        (it.cpu_free, definition.reserved_cpu(), Lack::Cpu),
        (it.memory_free, definition.reserved_memory(), Lack::Memory),
        (host.gpus_free, definition.gpus(), Lack::Gpus),
    ] {
        match share(free, wanted) {
            0 => return Err(lack),
            places => most = most.min(places),
        }
    }
    Ok(most)
}

/// How many more tasks a host may take whatever its room, or what keeps them all away.
pub(super) fn admits(
    host: &HostDetail,
    detail: &ServiceDetail,
    definition: &Definition,
    mine: &[&Task],
    unknown: &mut Vec<String>,
) -> Result<u32, Lack> {
    let it = &host.host;
    let providers = &detail.service.providers;
    let is_of_provider =
        providers.is_empty() || it.provider.as_ref().is_some_and(|name| providers.contains(name));
    if !it.is_connected || !is_of_provider {
        return Err(Lack::Closed);
    }
    if !has_attributes(host, definition) || !fits_architecture(host, definition) {
        return Err(Lack::Constraint);
    }
    let mut most = u32::MAX;
    if detail.service.strategy.as_deref() == Some("DAEMON") {
        if mine.iter().any(|task| task.host.as_ref() == Some(&it.arn)) {
            return Err(Lack::Constraint);
        }
        most = 1;
    }
    for constraint in detail.constraints.iter().chain(&definition.constraints) {
        match constraint {
            Constraint::DistinctInstance if mine.iter().any(|task| task.host.as_ref() == Some(&it.arn)) => {
                return Err(Lack::Constraint);
            }
            Constraint::DistinctInstance => most = 1,
            Constraint::MemberOf(text) => match expression::holds(text, host) {
                Some(true) => {}
                Some(false) => return Err(Lack::Constraint),
                None => unknown.push(format!("the placement constraint `{text}` is not understood")),
            },
            Constraint::Other(text) => {
                unknown.push(format!("the placement constraint `{text}` is not known"));
            }
        }
    }
    let fixed = definition.fixed_ports();
    if fixed.iter().any(|port| host.ports.contains(port)) {
        return Err(Lack::Ports);
    }
    if !fixed.is_empty() {
        most = 1;
    }
    Ok(most)
}

fn has_attributes(host: &HostDetail, definition: &Definition) -> bool {
    definition.attributes.iter().all(|(name, value)| {
        host.attributes.iter().any(|(known, has)| known == name && (value.is_none() || has == value))
    })
}

fn fits_architecture(host: &HostDetail, definition: &Definition) -> bool {
    let Some(wanted) = definition.architecture.as_deref() else { return true };
    let told = host.attributes.iter().find(|(name, _)| name == "ecs.cpu-architecture");
    let Some(has) = told.and_then(|(_, value)| value.as_deref()) else { return true };
    wanted.eq_ignore_ascii_case(has)
}
