//! Which target groups a plan for cores must look into: each costs a call of its own, and most of them lead to the core
//! of one customer, and to no other.

use super::super::super::intent::Intent;
use crate::fleet::{Fleet, TargetGroupRow};
use crate::model::{Core, DriftSort, Home, Known, Scope, TargetGroupArn};
use std::collections::{HashMap, HashSet};

/// The target groups that a plan for cores must look into; none for all of them. It is read before the targets are.
///
/// Left out is what certainly has no part in it: groups whose targets are no instances, and those whose every rule leads
/// host names of the registry's tenants to other cores. Where the registry lacks a core, or drifts, nothing is left out.
/// Nor is it where a core stops or leaves its port: whoever registered it by hand in a group of another customer would
/// go on being served from that port, by whatever comes there next.
pub(in crate::ops::kinds) fn targets_of(
    fleet: &Fleet,
    intent: &Intent,
) -> Option<Vec<(Scope, TargetGroupArn)>> {
    if !matches!(intent.verb.as_str(), "core create" | "core start") {
        return None;
    }
    let wish = intent.options.core.as_deref();
    let named: Vec<&str> = match intent.verb.as_str() {
        "core create" => wish.and_then(|wish| wish.like.as_deref()).into_iter().collect(),
        _ => intent.targets.iter().map(String::as_str).collect(),
    };
    let mut cores: Vec<&Core> = Vec::new();
    for name in named {
        let core = fleet.cores.iter().find(|core| core.id.as_str() == name)?;
        if matches!(core.home, Home::Task { .. }) || drifts(core) {
            return None;
        }
        cores.push(core);
    }
    let wished: HashSet<&str> =
        wish.iter().flat_map(|wish| &wish.target_groups).map(String::as_str).collect();
    let is_alone = cores.is_empty();
    let others = Others::of(fleet, &cores);
    let is_wanted = |row: &&TargetGroupRow| {
        wished.contains(row.it.name.as_str())
            || !is_alone && row.it.target_type == "instance" && !others.have(row)
    };
    let all = fleet.target_groups.iter().filter(is_wanted);
    Some(all.map(|row| ((*row.scope).clone(), row.it.arn.clone())).collect())
}

/// How many target groups of a place were left out for some cores, because they lead to others alone.
pub(super) fn left_out(fleet: &Fleet, scope: &Scope, cores: &[&Core]) -> usize {
    let others = Others::of(fleet, cores);
    let is_read = |row: &TargetGroupRow| fleet.targets.iter().any(|target| target.it.group == row.it.arn);
    let here = fleet.target_groups.iter().filter(|row| *row.scope == *scope);
    here.filter(|row| row.it.target_type == "instance" && others.have(row) && !is_read(row)).count()
}

/// Tells whether the last inventory found a core other than its entry says.
fn drifts(core: &Core) -> bool {
    core.drift.as_ref().is_some_and(|drift| drift.sort != DriftSort::Same)
}

/// What leads to other cores.
struct Others<'a> {
    /// For each target group, whether all that leads there are tenants of other cores.
    led: HashMap<&'a TargetGroupArn, bool>,
    /// Groups that Auto Scaling registers the hosts of these cores in.
    attached: HashSet<&'a TargetGroupArn>,
}

impl<'a> Others<'a> {
    fn of(fleet: &'a Fleet, cores: &[&Core]) -> Self {
        let is_other = |host: &str| {
            let mut tenants = fleet.tenants.iter().filter(|tenant| {
                tenant.domain.as_deref().is_some_and(|domain| domain.eq_ignore_ascii_case(host))
            });
            let is_elsewhere = |core: &Core| {
                let home = core.home.instance_id();
                // Where the registry has another core's host wrong it may have ours.
                let is_ours = |mine: &&Core| {
                    mine.id == core.id || mine.home.instance_id() == home && mine.port == core.port
                };
                home.is_some() && !drifts(core) && !cores.iter().any(is_ours)
            };
            let Some(tenant) = tenants.next() else { return false };
            let core = tenant.core.as_ref().and_then(|id| fleet.cores.iter().find(|core| core.id == *id));
            tenants.next().is_none() && tenant.drift.is_none() && core.is_some_and(is_elsewhere)
        };
        let mut known: HashMap<&str, bool> = HashMap::new();
        let mut led: HashMap<&TargetGroupArn, bool> = HashMap::new();
        for rule in &fleet.rules {
            let hosts = &rule.it.hosts;
            // Traffic that is split is on its way from one core to another.
            let is_theirs = !hosts.is_empty()
                && rule.it.forwards.len() == 1
                && hosts.iter().all(|host| *known.entry(host.as_str()).or_insert_with(|| is_other(host)));
            for (group, _) in &rule.it.forwards {
                let all = led.entry(group).or_insert(true);
                *all = *all && is_theirs;
            }
        }
        let hosts: HashSet<&str> =
            cores.iter().filter_map(|core| core.home.instance_id()).map(|id| id.as_str()).collect();
        let rows = fleet.instances.iter().filter(|row| hosts.contains(row.it.id.as_str()));
        let members = rows.filter_map(|row| match &row.member {
            Known::Yes(Some(member)) => Some(member),
            _ => None,
        });
        let attached = members.flat_map(|member| &member.group().target_groups).collect();
        Self { led, attached }
    }

    fn have(&self, row: &TargetGroupRow) -> bool {
        self.led.get(&row.it.arn) == Some(&true) && !self.attached.contains(&row.it.arn)
    }
}
