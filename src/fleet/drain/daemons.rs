//! Daemons leave a host last: when no other task of a service is left on it.

use super::{Blocker, Moving, Outcome, Scene, tasks_of};
use crate::model::{HostArn, ServiceDetail, Text};
use std::collections::{HashMap, HashSet};

/// Whether something stays on a host, and of which services.
#[derive(Default)]
struct Stuck {
    is_certain: bool,
    services: Vec<Text>,
}

/// Mends the verdicts of daemons by what the other services leave behind on the hosts that drain.
pub(super) fn last(scene: &Scene<'_>, gone: &HashSet<&HostArn>, verdicts: &mut [Moving]) {
    let mut stuck: HashMap<&HostArn, Stuck> = HashMap::new();
    for (moving, detail) in pairs(scene, verdicts).filter(|(_, is)| !is.0) {
        let hosts = hosts(scene, detail.1, gone);
        let tasks = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
        let is_certain = match moving.outcome {
            Outcome::Moves | Outcome::Short(_) => continue,
            Outcome::Stays(left) => left == tasks,
            Outcome::Unclear => false,
        };
        for host in hosts {
            let host = stuck.entry(host).or_default();
            host.is_certain |= is_certain;
            host.services.push(moving.name.clone());
        }
    }
    let daemons: Vec<(usize, Vec<&HostArn>)> = pairs(scene, verdicts)
        .enumerate()
        .filter(|(_, (moving, is))| is.0 && moving.outcome != Outcome::Unclear)
        .map(|(at, (_, is))| (at, hosts(scene, is.1, gone)))
        .collect();
    for (at, hosts) in daemons {
        let held: Vec<&Stuck> = hosts.iter().filter_map(|host| stuck.get(*host)).collect();
        let Some(moving) = verdicts.get_mut(at).filter(|_| !held.is_empty()) else { continue };
        let is_certain = held.iter().all(|host| host.is_certain);
        let left = u32::try_from(held.len()).unwrap_or(u32::MAX);
        // Which of its tasks its own limits would keep is not known beforehand.
        let is_all = held.len() == hosts.len() || moving.outcome == Outcome::Moves;
        moving.outcome = if is_certain && is_all { Outcome::Stays(left) } else { Outcome::Unclear };
        let mut services: Vec<Text> = held.iter().flat_map(|host| host.services.iter().cloned()).collect();
        services.sort();
        services.dedup();
        moving.blockers.push(Blocker::After { services });
    }
}

/// Each verdict with its service, and whether that is a daemon.
fn pairs<'a, 'v>(
    scene: &Scene<'a>,
    verdicts: &'v [Moving],
) -> impl Iterator<Item = (&'v Moving, (bool, &'a ServiceDetail))> {
    let services = scene.services;
    verdicts.iter().filter_map(move |moving| {
        let detail = services.iter().find(|detail| detail.service.arn == moving.service)?;
        Some((moving, (detail.service.strategy.as_deref() == Some("DAEMON"), detail)))
    })
}

/// Where a service's tasks are that must leave, one entry a task.
fn hosts<'a>(scene: &Scene<'a>, detail: &ServiceDetail, gone: &HashSet<&HostArn>) -> Vec<&'a HostArn> {
    let of = tasks_of(scene, detail).into_iter().filter_map(|task| task.host.as_ref());
    of.filter(|host| gone.contains(host)).collect()
}
