//! Will the tasks of services leave a host that is drained? The scheduler's arithmetic, done before anything is.
//!
//! ECS holds a service between ceil(desired × minimum) tasks that serve and floor(desired × maximum) tasks in
//! all. From a draining host it stops one only while more than the fewest serve, and starts one elsewhere only
//! while there are less than the most and a host has room. Where neither may come first, nothing ever moves.
//!
//! Every way of filling the room that is left is followed, where there are not too many. Elsewhere room is counted
//! twice: as if no other service wanted any, and as if all others took theirs first. Where the ends disagree the
//! verdict is [`Outcome::Unclear`], not a guess; but where some task is lost in all of them, that is said.

mod blocker;
mod daemons;
mod expression;
mod packing;
mod room;

pub use blocker::Blocker;

use crate::model::{
    Definition, HostArn, HostDetail, Leaving, Protection, ServiceArn, ServiceDetail, Task, TaskArn, Text,
};
use packing::Packing;
use room::Room;
use std::collections::HashSet;

/// Seconds that a task must run to count as healthy where nothing checks it: AWS's own figure.
const UNCHECKED_S: u32 = 40;

/// Seconds from SIGTERM to SIGKILL where neither the task nor the agent was told otherwise.
const STOP_S: u32 = 30;

/// A cluster as it was read. What is left out is taken not to be there, so nothing may be.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Every container instance.
    pub hosts: &'a [HostDetail],
    /// Every service that has tasks on a host that leaves, and every other that may want room.
    pub services: &'a [ServiceDetail],
    /// Every task of those services, and every other one on the hosts that leave.
    pub tasks: &'a [Task],
    /// The definitions of those services.
    pub definitions: &'a [Definition],
    /// The protection of the tasks on the hosts that leave.
    pub protections: &'a [Protection],
    /// What their target groups do with targets that leave.
    pub leavings: &'a [Leaving],
}

/// What would become of the tasks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Services that have tasks on the hosts, in the order of the scene.
    pub services: Vec<Moving>,
    /// Tasks that no service keeps: a drain never moves them.
    pub standalone: Vec<TaskArn>,
    /// Tasks that are missing or stay whatever comes first, also where it is open of which service they are.
    pub lost: u32,
}

impl Verdict {
    /// Whether every task of a service would leave and every service be whole again.
    pub fn is_clean(&self) -> bool {
        self.services.iter().all(|one| one.outcome == Outcome::Moves)
    }

    /// Seconds that it takes, from what is known: target groups' delays, stop time-outs, and AWS's 40 seconds for a
    /// task that nothing checks. How long images take to load is not known.
    pub fn expected_s(&self) -> u32 {
        self.services.iter().map(|one| one.expected_s).max().unwrap_or(0)
    }
}

/// What would become of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct Moving {
    /// Which.
    pub service: ServiceArn,
    /// Its name.
    pub name: Text,
    /// Tasks that must leave.
    pub leaving: u32,
    /// How it ends.
    pub outcome: Outcome,
    /// The fewest tasks that serve on the way.
    pub fewest: u32,
    /// What stands in the way, or makes it unclear.
    pub blockers: Vec<Blocker>,
    /// Seconds that it takes, as of [`Verdict::expected_s`].
    pub expected_s: u32,
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All leave, and as many run elsewhere; a daemon's simply leave.
    Moves,
    /// All leave, and so many are missing for want of room.
    Short(u32),
    /// So many stay on hosts that drain.
    Stays(u32),
    /// It depends on what was not read, or on who comes first.
    Unclear,
}

/// Tells what would become of the tasks on these hosts if they were drained. Hosts that drain already count
/// with them.
pub fn will_it_move(scene: &Scene<'_>, leaving: &[HostArn]) -> Verdict {
    let gone = gone(scene, leaving);
    let named: HashSet<&HostArn> = leaving.iter().collect();
    let is_on = |task: &&Task, hosts: &HashSet<&HostArn>| {
        task.desired_status != "STOPPED" && task.host.as_ref().is_some_and(|host| hosts.contains(host))
    };
    let standalone = scene.tasks.iter().filter(|task| task.service().is_none() && is_on(task, &named));
    let moving = scene.services.iter().filter(|one| {
        let mine = tasks_of(scene, one);
        mine.into_iter().any(|task| is_on(&task, &named))
    });
    let packing = Packing::of(scene, &gone);
    let judged = moving.map(|service| judge(scene, service, &gone, packing.as_ref()));
    let mut services: Vec<Moving> = judged.collect();
    daemons::last(scene, &gone, &mut services);
    let lost = packing.map_or(0, |packing| packing.lost);
    Verdict { services, standalone: standalone.map(|task| task.arn.clone()).collect(), lost }
}

/// The services that decide how a drain of these hosts ends: those that have tasks on hosts that leave, and those
/// that may want room elsewhere. Only their definitions, protections and target groups matter.
pub fn concerned<'a>(scene: &Scene<'a>, leaving: &[HostArn]) -> Vec<&'a ServiceDetail> {
    let gone = gone(scene, leaving);
    let is_leaving = |task: &&Task| task.host.as_ref().is_some_and(|host| gone.contains(host));
    let is_concerned = |one: &&ServiceDetail| {
        tasks_of(scene, one).iter().any(is_leaving) || room::may_start(scene, one, &gone) > 0
    };
    scene.services.iter().filter(is_concerned).collect()
}

/// What keeps so many more tasks of a service from finding a place; none where nothing does.
pub fn finds_room(scene: &Scene<'_>, detail: &ServiceDetail, more: u32) -> Option<Blocker> {
    let gone = gone(scene, &[]);
    let wanted = &detail.service.task_definition;
    let Some(definition) = scene.definitions.iter().find(|one| one.name == *wanted) else {
        return Some(Blocker::Unknown(format!("its task definition {wanted} could not be read")));
    };
    let room = Room::of(scene, detail, definition, &gone, &tasks_of(scene, detail));
    // Those that it lacks already come before the new ones.
    let wants = room::may_start(scene, detail, &gone).saturating_add(more);
    if room.alone < wants && room.unknown.is_empty() {
        return Some(Blocker::NoRoom { wants, room: room.alone, why: room.lacks });
    }
    if !room.unknown.is_empty() {
        return Some(Blocker::Unknown(room.unknown.join("; ")));
    }
    (room.last < wants).then_some(Blocker::Contested { others: room.others })
}

/// The hosts that leave, and those that have left or are leaving already.
fn gone<'a>(scene: &Scene<'a>, leaving: &'a [HostArn]) -> HashSet<&'a HostArn> {
    let closed = scene.hosts.iter().filter(|one| one.host.status != "ACTIVE").map(|one| &one.host.arn);
    closed.chain(leaving).collect()
}

/// The tasks of a service that ECS does not want stopped.
fn tasks_of<'a>(scene: &Scene<'a>, detail: &ServiceDetail) -> Vec<&'a Task> {
    let service = &detail.service;
    let is_mine = |task: &&Task| {
        task.cluster == service.cluster
            && task.service() == Some(&service.name)
            && task.desired_status != "STOPPED"
            && task.last_status != "STOPPED"
    };
    scene.tasks.iter().filter(is_mine).collect()
}

/// A service's tasks, counted.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// On hosts that leave, and serving.
    old: u32,
    /// On hosts that leave, and not serving: ECS stops them at once.
    idle: u32,
    /// On hosts that leave, and protected.
    kept: u32,
    /// Elsewhere.
    good: u32,
    /// All that serve.
    ready: u32,
}

/// How a walk through the scheduler's steps ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Walk {
    left: u32,
    missing: u32,
    fewest: u32,
    rounds: u32,
    /// Tasks that were started.
    starts: u32,
}

/// Takes the scheduler's steps until it has none.
fn walk(count: Count, desired: u32, (lower, upper): (u32, u32), room: u32) -> Walk {
    // Tasks that do not serve are stopped before anything is counted.
    let Count { mut old, idle, kept, mut good, mut ready } = count;
    let (mut room, mut fewest, mut rounds, mut starts) = (room, ready, 0, 0);
    loop {
        let start = desired.saturating_sub(good).min(upper.saturating_sub(old + kept + good)).min(room);
        let stop = ready.saturating_sub(lower).min(old);
        if start == 0 && stop == 0 {
            break;
        }
        old -= stop;
        // What is started in a round serves when it is over.
        fewest = fewest.min(ready - stop);
        ready = ready - stop + start;
        good += start;
        room -= start;
        starts += start;
        rounds += 1;
    }
    let rounds = rounds.max(u32::from(idle > 0));
    Walk { left: old + kept, missing: desired.saturating_sub(good + kept), fewest, rounds, starts }
}

/// Counts a service's tasks. Also returns those that are protected on hosts that leave.
fn counted(scene: &Scene<'_>, detail: &ServiceDetail, gone: &HashSet<&HostArn>) -> (Count, Vec<TaskArn>) {
    let is_leaving = |task: &Task| task.host.as_ref().is_some_and(|host| gone.contains(host));
    let is_protected =
        |task: &Task| scene.protections.iter().any(|one| one.task == task.arn && one.is_protected);
    let mut count = Count::default();
    let mut protected = Vec::new();
    for task in tasks_of(scene, detail) {
        // What still starts on a host that stays will serve.
        let starts = task.last_status != "RUNNING" && !is_leaving(task);
        let runs = task.last_status == "RUNNING" || starts;
        let serves = runs && task.health.as_deref() != Some("UNHEALTHY");
        count.ready += u32::from(serves);
        match (is_leaving(task), is_protected(task), serves) {
            (false, ..) => count.good += 1,
            (true, true, _) => {
                count.kept += 1;
                protected.push(task.arn.clone());
            }
            (true, false, true) => count.old += 1,
            (true, false, false) => count.idle += 1,
        }
    }
    (count, protected)
}

fn judge(
    scene: &Scene<'_>,
    detail: &ServiceDetail,
    gone: &HashSet<&HostArn>,
    packing: Option<&Packing>,
) -> Moving {
    let service = &detail.service;
    let mine = tasks_of(scene, detail);
    let (count, protected) = counted(scene, detail, gone);
    let leaving = count.old + count.idle + count.kept;
    let mut moving = Moving {
        service: service.arn.clone(),
        name: service.name.clone(),
        leaving,
        outcome: Outcome::Moves,
        fewest: count.ready,
        blockers: Vec::new(),
        expected_s: 0,
    };
    if !protected.is_empty() {
        moving.blockers.push(Blocker::Protected { tasks: protected });
    }
    let definition = scene.definitions.iter().find(|one| one.name == service.task_definition);
    let stop_s = stop_s(scene, detail, definition);
    let (Some(min), Some(max)) = (service.min_percent, service.max_percent) else {
        return unclear(moving, Blocker::Unknown("its deployment limits were not told".to_owned()));
    };
    if service.deployments.len() > 1 {
        let (desired, serving) = (service.desired, count.ready);
        let (lower, upper) = limits(desired, min, max);
        let is_full = u32::try_from(mine.len()).unwrap_or(u32::MAX) >= upper;
        // A deployment within the same limits is as stuck as a drain: it will not end by itself either.
        if service.is_stuck() && serving <= lower && is_full {
            moving.outcome = Outcome::Stays(leaving);
            moving.blockers.push(Blocker::Limits { desired, serving, min, max, lower, upper });
            return moving;
        }
        return unclear(moving, Blocker::Deploying);
    }
    let Some(definition) = definition else {
        return unclear(moving, Blocker::Unknown("its task definition was not read".to_owned()));
    };
    // A daemon is wanted once on each host that takes tasks: on one that drains no longer.
    let is_daemon = service.strategy.as_deref() == Some("DAEMON");
    let open = scene.hosts.iter().filter(|one| one.host.is_connected && !gone.contains(&one.host.arn));
    let open = u32::try_from(open.count()).unwrap_or(u32::MAX);
    let desired = if is_daemon { open } else { service.desired };
    let limits = limits(desired, min, max);
    let mut room = Room::of(scene, detail, definition, gone, &mine);
    if let Some((fewest, most)) = packing.and_then(|packing| packing.starts(&service.arn)) {
        (room.last, room.alone) = (fewest, most);
    }
    moving.blockers.extend(room.unknown.iter().cloned().map(Blocker::Unknown));
    let best = walk(count, desired, limits, room.alone);
    let worst = walk(count, desired, limits, room.last);
    let outcome = |walk: Walk| match (walk.left, walk.missing) {
        // What a daemon lacks on the hosts that stay it lacked before.
        (0, missing) if missing > 0 && !is_daemon => Outcome::Short(missing),
        (0, _) => Outcome::Moves,
        (left, _) => Outcome::Stays(left),
    };
    moving.outcome = match (outcome(best), outcome(worst)) {
        _ if !room.unknown.is_empty() && outcome(best) == Outcome::Moves => Outcome::Unclear,
        (best, worst) if best == worst => best,
        _ => Outcome::Unclear,
    };
    moving.fewest = worst.fewest;
    let free = walk(count, desired, limits, u32::MAX);
    if free.left > count.kept {
        let (lower, upper) = limits;
        moving.blockers.push(Blocker::Limits { desired, serving: count.ready, min, max, lower, upper });
    } else if best.left > count.kept || (best.missing > 0 && !is_daemon) {
        moving.blockers.push(Blocker::NoRoom {
            wants: desired.saturating_sub(count.good + count.kept),
            room: room.alone,
            why: room.lacks,
        });
    } else if moving.outcome == Outcome::Unclear && room.last < room.alone {
        moving.blockers.push(Blocker::Contested { others: room.others });
    }
    let is_checked = !service.target_groups.is_empty() || definition.has_health_check();
    let start_s = if is_checked { 0 } else { UNCHECKED_S };
    moving.expected_s = worst.rounds * (start_s + stop_s);
    moving
}

fn unclear(mut moving: Moving, why: Blocker) -> Moving {
    moving.outcome = Outcome::Unclear;
    moving.blockers.push(why);
    moving
}

/// The fewest tasks that must serve, and the most that there may be.
pub fn limits(desired: u32, min_percent: u32, max_percent: u32) -> (u32, u32) {
    let desired = u64::from(desired);
    let lower = (desired * u64::from(min_percent)).div_ceil(100);
    let upper = desired * u64::from(max_percent) / 100;
    (u32::try_from(lower).unwrap_or(u32::MAX), u32::try_from(upper).unwrap_or(u32::MAX))
}

/// Seconds that a task takes to leave: out of its target groups, and from SIGTERM to its end.
fn stop_s(scene: &Scene<'_>, detail: &ServiceDetail, definition: Option<&Definition>) -> u32 {
    let groups = &detail.service.target_groups;
    let mine = scene.leavings.iter().filter(|one| groups.iter().any(|(arn, ..)| *arn == one.group));
    let delay = mine.map(|one| one.delay_s).max().unwrap_or(0);
    let containers = definition.into_iter().flat_map(|one| &one.containers);
    let stop = containers.map(|one| one.stop_timeout_s.unwrap_or(STOP_S)).max().unwrap_or(STOP_S);
    delay + stop
}

#[cfg(test)]
mod tests;
