//! Whom a plan takes down: cores on hosts that stop, or whose traffic leaves, tenants whom no other core answers then,
//! and target groups that lose their last healthy target.
//!
//! Pure: rows and lanes in, findings out. Every target of the plan is taken to be gone at the same time: budgets may
//! spread them over time, and in the end all are. Tasks that ECS moves are judged by the drain's own verdict.

mod said;

#[cfg(test)]
mod tests;

pub use said::tell;

use super::plan::{Lane, is_not};
use crate::fleet::{Fleet, TargetRow};
use crate::gateway::change::{Change, HostState};
use crate::model::{Core, Home, Scope, TargetGroupArn, TargetState, Tenant};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Something that answers nobody any more once the plan is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// What.
    pub of: Lost,
    /// Its name.
    pub name: String,
    /// The hosts that it loses.
    pub hosts: Vec<String>,
    /// Its tier; none where that is not known.
    pub tier: Option<String>,
    /// The tenants whom nobody else answers.
    pub tenants: Vec<String>,
    /// Until when.
    pub until: Until,
    /// Whether somebody else answers could not be seen.
    #[serde(default, skip_serializing_if = "is_not")]
    pub is_open: bool,
}

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// A core.
    Core,
    /// The last healthy targets of a target group.
    TargetGroup,
}

/// Until when something is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// Its host has rebooted.
    Rebooted,
    /// The operation is undone.
    Undone,
    /// Somebody starts its container again.
    Started,
    /// For good.
    Ever,
}

/// What a lane does to its host.
struct Cut<'a> {
    scope: &'a Scope,
    tier: Option<&'a String>,
    /// The target groups that it leaves, and by which port; none for every port.
    leaves: Vec<(&'a TargetGroupArn, Option<u16>)>,
    /// What runs on it stops, and until when.
    stops: Option<Until>,
    /// The tasks of services move away before.
    moves: bool,
}

impl<'a> Cut<'a> {
    fn of(fleet: &'a Fleet, lane: &'a Lane) -> Self {
        let (scope, tier) = (&lane.scope, lane.tier.as_ref());
        let mut cut = Self { scope, tier, leaves: Vec::new(), stops: None, moves: false };
        for change in lane.steps.iter().filter_map(|step| step.go.act.change()) {
            match change {
                Change::Deregister { target_group, targets } => {
                    cut.leaves.extend(targets.iter().map(|target| (target_group, target.port)));
                }
                Change::EnterStandby { group, .. } => {
                    let mine =
                        fleet.groups.iter().filter(|row| *row.scope == *scope && row.it.name == *group);
                    cut.leaves.extend(mine.flat_map(|row| &row.it.target_groups).map(|group| (group, None)));
                }
                Change::RebootInstances { .. } => cut.stop(Until::Rebooted),
                Change::StopInstances { .. } => cut.stop(Until::Undone),
                Change::SendCommand { .. } => cut.stop(Until::Started),
                Change::TerminateInstances { .. } | Change::TerminateInGroup { .. } => cut.stop(Until::Ever),
                Change::HostState { to: HostState::Draining, .. } => cut.moves = true,
                _ => {}
            }
        }
        cut
    }

    fn stop(&mut self, until: Until) {
        self.stops = self.stops.max(Some(until));
    }

    fn until(&self) -> Until {
        self.stops.unwrap_or(Until::Undone)
    }

    /// Whether a target of the host leaves. Those of services leave with their tasks.
    fn takes(&self, target: &TargetRow, served: &HashSet<&TargetGroupArn>) -> bool {
        let is_named = self
            .leaves
            .iter()
            .any(|(group, port)| **group == target.it.group && (port.is_none() || *port == target.it.port));
        is_named || self.stops.is_some() && !(self.moves && served.contains(&target.it.group))
    }
}

/// The hosts of a plan, and what stays of the target groups without them.
struct Sight<'a> {
    fleet: &'a Fleet,
    cuts: BTreeMap<&'a str, Cut<'a>>,
    /// The healthy targets of each target group that leave, and how many healthy ones stay.
    groups: HashMap<&'a TargetGroupArn, (Vec<&'a TargetRow>, usize)>,
    /// Target groups of services.
    served: HashSet<&'a TargetGroupArn>,
    /// Places whose targets were not read whole.
    unseen: &'a [Scope],
}

/// Whom the lanes of hosts take down. `unseen` are the places whose targets were not read whole.
fn losses(fleet: &Fleet, lanes: &[Lane], unseen: &[Scope]) -> Vec<Loss> {
    let cuts: BTreeMap<&str, Cut<'_>> =
        lanes.iter().map(|lane| (lane.target.as_str(), Cut::of(fleet, lane))).collect();
    let served = fleet.services.iter().flat_map(|row| &row.it.target_groups).map(|(arn, ..)| arn).collect();
    let mut sight = Sight { fleet, cuts, groups: HashMap::new(), served, unseen };
    for row in fleet.targets.iter().filter(|row| row.it.state == TargetState::Healthy) {
        let takes = sight.cut(row).is_some_and(|cut| cut.takes(row, &sight.served));
        let (leave, stay) = sight.groups.entry(&row.it.group).or_default();
        if takes { leave.push(row) } else { *stay += 1 }
    }
    let mut all = sight.cores();
    all.extend(sight.target_groups(&all));
    all
}

impl<'a> Sight<'a> {
    /// What becomes of the host of a target.
    fn cut(&self, row: &TargetRow) -> Option<&Cut<'a>> {
        self.cuts.get(row.it.id.as_str()).filter(|cut| *cut.scope == *row.scope)
    }

    fn cores(&self) -> Vec<Loss> {
        let mut names: HashMap<&str, usize> = HashMap::new();
        for core in &self.fleet.cores {
            *names.entry(core.id.as_str()).or_default() += 1;
        }
        let mut all: Vec<Loss> = Vec::new();
        for core in &self.fleet.cores {
            let Some(id) = core.home.instance_id() else { continue };
            let Some(cut) = self.cuts.get(id.as_str()) else { continue };
            let is_task = matches!(core.home, Home::Task { .. });
            if is_task && (cut.moves || cut.stops.is_none()) {
                continue;
            }
            let is_mine = |tenant: &&Tenant| {
                tenant.core.as_ref() == Some(&core.id)
                    && (tenant.scope == core.scope || names.get(core.id.as_str()) == Some(&1))
            };
            let tenants: Vec<&Tenant> = self.fleet.tenants.iter().filter(is_mine).collect();
            let doors = self.doors(core, id.as_str(), cut, is_task);
            let is_open = self.unseen.contains(cut.scope);
            let is_down = |led: &[TargetGroupArn]| {
                let groups = || -> Vec<&TargetGroupArn> {
                    if led.is_empty() {
                        doors.iter().map(|row| &row.it.group).collect()
                    } else {
                        led.iter().collect()
                    }
                };
                let leaves =
                    |row: &&&TargetRow| groups().contains(&&row.it.group) && cut.takes(row, &self.served);
                // Where its traffic goes elsewhere already it does not end with this host.
                let is_touched = doors.iter().any(|row| leaves(&row))
                    || cut.stops.is_some() && (led.is_empty() || is_open);
                is_touched && groups().iter().all(|group| self.stay(group) == 0)
            };
            let down: Vec<String> = tenants
                .iter()
                .filter(|tenant| is_down(&tenant.target_groups))
                .map(|tenant| tenant.id.to_string())
                .collect();
            // A core of nobody is down too where nothing stands in for it.
            if down.is_empty() && !(tenants.is_empty() && is_down(&[])) {
                continue;
            }
            all.push(Loss {
                of: Lost::Core,
                name: core.id.to_string(),
                hosts: vec![id.to_string()],
                tier: core.tier.as_ref().map(ToString::to_string),
                tenants: down,
                until: cut.until(),
                is_open,
            });
        }
        all
    }

    /// The targets by which traffic comes to a core.
    fn doors(&self, core: &Core, id: &str, cut: &Cut<'_>, is_task: bool) -> Vec<&'a TargetRow> {
        let is_mine = |row: &&TargetRow| {
            *row.scope == *cut.scope
                && row.it.id == *id
                && !matches!(row.it.state, TargetState::Draining | TargetState::Unused)
                && (row.it.port.is_none() || core.port.is_none() || row.it.port == core.port)
                && (is_task || !self.served.contains(&row.it.group))
        };
        self.fleet.targets.iter().filter(is_mine).collect()
    }

    /// Healthy targets of a group that stay.
    fn stay(&self, group: &TargetGroupArn) -> usize {
        self.groups.get(group).map_or(0, |(_, stay)| *stay)
    }

    /// The target groups that have nobody left, with tenants that were not said to be down with their core.
    fn target_groups(&self, cores: &[Loss]) -> Vec<Loss> {
        let said: HashSet<&str> = cores.iter().flat_map(|loss| &loss.tenants).map(String::as_str).collect();
        let mut all = Vec::new();
        for (group, (leave, stay)) in &self.groups {
            if leave.is_empty() || *stay > 0 {
                continue;
            }
            let is_led = |tenant: &&Tenant| {
                tenant.target_groups.contains(*group)
                    && tenant.target_groups.iter().all(|group| self.stay(group) == 0)
                    && !said.contains(tenant.id.as_str())
            };
            let cuts: Vec<&Cut<'_>> = leave.iter().filter_map(|row| self.cut(row)).collect();
            let mut hosts: Vec<String> = leave.iter().map(|row| row.it.id.to_string()).collect();
            hosts.sort();
            hosts.dedup();
            all.push(Loss {
                of: Lost::TargetGroup,
                name: leave[0].group.as_ref().map_or_else(
                    || group.as_str().rsplit('/').nth(1).unwrap_or(group.as_str()).to_owned(),
                    |group| group.name.to_string(),
                ),
                hosts,
                tier: cuts.iter().find_map(|cut| cut.tier.cloned()),
                tenants: self.fleet.tenants.iter().filter(is_led).map(|one| one.id.to_string()).collect(),
                until: cuts.iter().map(|cut| cut.until()).max().unwrap_or(Until::Undone),
                is_open: false,
            });
        }
        all.sort_by(|one: &Loss, other| one.name.cmp(&other.name));
        all
    }
}

/// Whether the steps of some lane take anything away from whoever is served by its host, tasks that move left aside.
fn cuts(fleet: &Fleet, lane: &Lane) -> bool {
    let cut = Cut::of(fleet, lane);
    cut.stops.is_some() || !cut.leaves.is_empty()
}
