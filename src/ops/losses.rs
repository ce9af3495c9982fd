//! Whom a plan takes down: cores on hosts that stop, or whose traffic leaves, tenants whom no other core answers then,
//! and target groups that lose their last healthy target.
//!
//! Pure: rows and lanes in, findings out. Every target of the plan is taken to be gone at the same time: budgets may
//! spread them over time, and in the end all are. Tasks that ECS moves are judged by the drain's own verdict. Members that
//! a group ends by itself are told where that is known: whom others replace in time nobody misses.

mod ending;
mod said;

#[cfg(test)]
mod tests;

pub use ending::{Ending, Turn};
pub use said::tell;

use super::plan::{Lane, is_not};
use crate::fleet::{Fleet, ServiceRow, TargetRow};
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
    /// Whether it happens depends on which members AWS chooses.
    #[serde(default, skip_serializing_if = "is_not")]
    pub is_chance: bool,
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
    /// Another member of its group answers in its place.
    Replaced,
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
    /// The group ends it by itself.
    ending: Option<&'a Ending>,
    /// Target groups in which whoever replaces it comes to answer.
    renewed: Vec<&'a TargetGroupArn>,
    /// Those of them in which somebody answers at every moment.
    carried: HashSet<&'a TargetGroupArn>,
}

impl<'a> Cut<'a> {
    fn none(scope: &'a Scope) -> Self {
        Self {
            scope,
            tier: None,
            leaves: Vec::new(),
            stops: None,
            moves: false,
            ending: None,
            renewed: Vec::new(),
            carried: HashSet::new(),
        }
    }

    /// What a group does to each of its members that go. ECS starts the tasks of services elsewhere.
    fn by(fleet: &'a Fleet, ending: &'a Ending, lanes: &'a [Lane]) -> Vec<(&'a str, Self)> {
        let renewed = ending.renewed(fleet);
        let carried: HashSet<_> =
            renewed.iter().copied().filter(|group| ending.carries(fleet, group)).collect();
        let mine =
            lanes.iter().find(|lane| lane.scope == ending.scope && lane.target == ending.group.as_str());
        let tier = mine.and_then(|lane| lane.tier.as_ref());
        let cut = || Self {
            tier,
            stops: Some(Until::Ever),
            moves: true,
            ending: Some(ending),
            renewed: renewed.clone(),
            carried: carried.clone(),
            ..Self::none(&ending.scope)
        };
        ending.members.iter().map(|id| (id.as_str(), cut())).collect()
    }

    fn of(fleet: &'a Fleet, lane: &'a Lane) -> Self {
        let (scope, tier) = (&lane.scope, lane.tier.as_ref());
        let mut cut = Self::none(scope);
        cut.tier = tier;
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

    /// Until when nobody answers in any of these target groups.
    fn until<'g>(&self, mut groups: impl Iterator<Item = &'g TargetGroupArn>) -> Until {
        if groups.any(|group| self.renewed.contains(&group)) {
            return Until::Replaced;
        }
        self.stops.unwrap_or(Until::Undone)
    }

    fn is_chance(&self) -> bool {
        self.ending.is_some_and(|ending| ending.some_of_them().is_some())
    }

    /// Whether a target of the host leaves. Those of services leave with their tasks.
    fn takes(&self, target: &TargetRow, served: &HashSet<&TargetGroupArn>) -> bool {
        let is_named = self
            .leaves
            .iter()
            .any(|(group, port)| **group == target.it.group && (port.is_none() || *port == target.it.port));
        let stays =
            self.carried.contains(&target.it.group) || self.moves && served.contains(&target.it.group);
        is_named || self.stops.is_some() && !stays
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
    /// Target groups of services that have no task any more, with their tiers.
    idle: HashMap<&'a TargetGroupArn, Option<String>>,
    /// Places whose targets were not read whole.
    unseen: &'a [Scope],
}

/// Whom the lanes of hosts, and what groups end by themselves, take down. `unseen` are the places whose targets were not
/// read whole.
fn losses(fleet: &Fleet, lanes: &[Lane], endings: &[Ending], unseen: &[Scope]) -> Vec<Loss> {
    let mut cuts: BTreeMap<&str, Cut<'_>> =
        lanes.iter().map(|lane| (lane.target.as_str(), Cut::of(fleet, lane))).collect();
    cuts.extend(endings.iter().flat_map(|ending| Cut::by(fleet, ending, lanes)));
    let served = fleet.services.iter().flat_map(|row| &row.it.target_groups).map(|(arn, ..)| arn).collect();
    let mut sight = Sight { fleet, cuts, groups: HashMap::new(), served, idle: idle(fleet, lanes), unseen };
    for row in fleet.targets.iter().filter(|row| row.it.state == TargetState::Healthy) {
        let takes = sight.idle.contains_key(&row.it.group)
            || sight.cut(row).is_some_and(|cut| cut.takes(row, &sight.served));
        let (leave, stay) = sight.groups.entry(&row.it.group).or_default();
        if takes { leave.push(row) } else { *stay += 1 }
    }
    sight.spare();
    let mut all = sight.cores();
    all.extend(sight.target_groups(&all));
    all
}

/// The target groups of services that get no task any more, and of no other service.
fn idle<'a>(fleet: &'a Fleet, lanes: &[Lane]) -> HashMap<&'a TargetGroupArn, Option<String>> {
    let is_idle = |row: &ServiceRow| {
        let mut changes = lanes.iter().flat_map(|lane| &lane.steps).filter_map(|step| step.go.act.change());
        changes.any(|change| {
            matches!(change, Change::ScaleService { service, desired: 0, .. } if *service == row.it.arn)
        })
    };
    let (idle, busy): (Vec<&ServiceRow>, Vec<&ServiceRow>) =
        fleet.services.iter().partition(|row| is_idle(row));
    let of = |row: &'a ServiceRow| row.it.target_groups.iter().map(|(arn, ..)| arn);
    let busy: HashSet<_> = busy.into_iter().flat_map(of).collect();
    let tier = |row: &ServiceRow| row.tier.as_ref().map(ToString::to_string);
    let all = idle.into_iter().flat_map(|row| of(row).map(move |arn| (arn, tier(row))));
    all.filter(|(arn, _)| !busy.contains(arn)).collect()
}

impl<'a> Sight<'a> {
    /// What becomes of the host of a target.
    fn cut(&self, row: &TargetRow) -> Option<&Cut<'a>> {
        self.cuts.get(row.it.id.as_str()).filter(|cut| *cut.scope == *row.scope)
    }

    /// Where fewer members go than there are in a target group, one of them stays, whichever that is.
    fn spare(&mut self) {
        for (leave, stay) in self.groups.values_mut() {
            let mut going: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
            let mut may_go = BTreeMap::new();
            for row in leave.iter() {
                let cut = self.cuts.get(row.it.id.as_str()).filter(|cut| *cut.scope == *row.scope);
                let Some(ending) = cut.and_then(|cut| cut.ending) else { continue };
                let Some(count) = ending.some_of_them() else { continue };
                going.entry(ending.group.as_str()).or_default().insert(row.it.id.as_str());
                may_go.insert(ending.group.as_str(), count as usize);
            }
            *stay += going
                .iter()
                .filter(|(group, hosts)| may_go.get(*group).is_some_and(|most| hosts.len() > *most))
                .count();
        }
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
            let is_mine_down = |tenant: &&&Tenant| down.iter().any(|name| *name == tenant.id.to_string());
            let mut led: Vec<&TargetGroupArn> =
                tenants.iter().filter(is_mine_down).flat_map(|tenant| &tenant.target_groups).collect();
            if led.is_empty() {
                led = doors.iter().map(|row| &row.it.group).collect();
            }
            all.push(Loss {
                of: Lost::Core,
                name: core.id.to_string(),
                hosts: vec![id.to_string()],
                tier: core.tier.as_ref().map(ToString::to_string),
                tenants: down,
                until: cut.until(led.iter().copied()),
                is_open,
                is_chance: cut.is_chance(),
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
                tier: cuts
                    .iter()
                    .find_map(|cut| cut.tier.cloned())
                    .or_else(|| self.idle.get(group).cloned().flatten()),
                tenants: self.fleet.tenants.iter().filter(is_led).map(|one| one.id.to_string()).collect(),
                until: cuts
                    .iter()
                    .map(|cut| cut.until(std::iter::once(*group)))
                    .max()
                    .unwrap_or(Until::Undone),
                is_open: false,
                is_chance: cuts.iter().any(|cut| cut.is_chance()),
            });
        }
        all.sort_by(|one: &Loss, other| one.name.cmp(&other.name));
        all
    }
}

/// The places where the plan takes anything away from whoever is served there, tasks that move left aside.
fn places<'a>(fleet: &Fleet, lanes: &'a [Lane], endings: &'a [Ending]) -> Vec<&'a Scope> {
    let cuts = |lane: &&Lane| {
        let cut = Cut::of(fleet, lane);
        cut.stops.is_some()
            || !cut.leaves.is_empty()
            || lane
                .steps
                .iter()
                .any(|step| matches!(step.go.act.change(), Some(Change::ScaleService { desired: 0, .. })))
    };
    let ended = endings.iter().filter(|ending| !ending.members.is_empty()).map(|ending| &ending.scope);
    lanes.iter().filter(cuts).map(|lane| &lane.scope).chain(ended).collect()
}
