//! Counts that CloudWatch keeps: the sizes of groups and target groups, as they were when they changed.

use super::balancing::Health;
use super::place::Place;
use super::scaling::Stage;
use crate::sim::time::Moment;
use compact_str::CompactString;
use std::collections::HashMap;

/// Changes of one thing that are kept at most.
const KEPT: usize = 2_000;

/// Counts and since when, oldest first.
type Series = Vec<(Moment, [u32; 8])>;

/// The counts of a place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gauges {
    groups: HashMap<CompactString, Series>,
    targets: HashMap<CompactString, Series>,
}

impl Gauges {
    /// The sizes of a group then: least, most, desired, in service, pending, in standby, ending, all. What it
    /// was before anybody looked is not known.
    pub(crate) fn group(&self, name: &str, at: Moment) -> Option<[u32; 8]> {
        then(self.groups.get(name)?, at)
    }

    /// Healthy and unhealthy targets of a target group then.
    pub(crate) fn targets(&self, arn: &str, at: Moment) -> Option<[u32; 8]> {
        then(self.targets.get(arn)?, at)
    }
}

fn then(series: &Series, at: Moment) -> Option<[u32; 8]> {
    series.iter().rev().find(|(since, _)| *since <= at).map(|(_, counts)| *counts)
}

fn keep(series: &mut Series, now: Moment, counts: [u32; 8]) {
    if series.last().is_some_and(|(_, known)| *known == counts) {
        return;
    }
    if series.len() == KEPT {
        series.remove(0);
    }
    series.push((now, counts));
}

impl Place {
    /// Counts everything, as of `since`.
    pub(crate) fn gauge(&mut self, since: Moment) {
        for group in self.groups.rows() {
            let mut counts = [group.min, group.max, group.desired, 0, 0, 0, 0, 0];
            for member in &group.members {
                let nth = match member.stage {
                    Stage::InService => 3,
                    Stage::Standby => 5,
                    stage if stage.is_coming() => 4,
                    _ => 6,
                };
                if let Some(count) = counts.get_mut(nth) {
                    *count += 1;
                }
                counts[7] += 1;
            }
            match self.gauges.groups.get_mut(&group.name) {
                Some(series) => keep(series, since, counts),
                None => _ = self.gauges.groups.insert(group.name.clone(), vec![(since, counts)]),
            }
        }
        for group in self.target_groups.rows() {
            let healthy = group.targets.iter().filter(|target| target.health.is_well(since)).count();
            let failing = |health: Health| matches!(health, Health::Failing(_) | Health::TimesOut);
            let unhealthy = group.targets.iter().filter(|target| failing(target.health)).count();
            let mut counts = [0; 8];
            counts[0] = u32::try_from(healthy).unwrap_or(u32::MAX);
            counts[1] = u32::try_from(unhealthy).unwrap_or(u32::MAX);
            match self.gauges.targets.get_mut(&group.arn) {
                Some(series) => keep(series, since, counts),
                None => _ = self.gauges.targets.insert(group.arn.clone(), vec![(since, counts)]),
            }
        }
    }
}
