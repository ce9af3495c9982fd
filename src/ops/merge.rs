//! One call for several targets: AWS takes up to ten hosts, twenty members or fifty instances at once.

use super::plan::{Act, Leg};
use crate::gateway::change::Change;

/// One change that does both, where one call can.
pub(super) fn with(one: &Change, more: &Change) -> Option<Change> {
    let mut both = one.clone();
    match (&mut both, more) {
        (
            Change::HostState { cluster, hosts, to },
            Change::HostState { cluster: same, hosts: others, to: alike },
        ) if cluster == same && to == alike => hosts.extend(others.iter().cloned()),
        (
            Change::ProtectScaleIn { group, instances, is_protected },
            Change::ProtectScaleIn { group: same, instances: others, is_protected: alike },
        ) if group == same && is_protected == alike => instances.extend(others.iter().cloned()),
        // The same version for two groups is one version.
        (Change::CreateTemplateVersion { .. }, more) if one == more => return Some(both),
        _ => return None,
    }
    let targets = both.targets();
    let is_repeated = targets.iter().enumerate().any(|(at, target)| targets[..at].contains(target));
    (!is_repeated && targets.len() <= both.most()).then_some(both)
}

/// What a leg alone wants of a call that served several.
pub(super) fn part_of(made: &Change, leg: &Leg) -> Change {
    match &leg.act {
        Act::Once { change } => (**change).clone(),
        Act::Wait
        | Act::Adopt { .. }
        | Act::AsSeen { .. }
        | Act::FirstWithRoom { .. }
        | Act::StopTasks { .. } => made.clone(),
    }
}
