//! Lifecycle hooks: launches and terminations that are held until somebody says how they go on.

use super::{Event, SOON};
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Hold, Hook, Stage};
use compact_str::CompactString;

/// The hook by which ECS drains hosts before Auto Scaling ends them.
pub(crate) const MANAGED_DRAINING: &str = "ecs-managed-draining-termination-hook";

/// No hold lasts longer, whatever the heartbeats: 48 hours, or a hundred time-outs.
const LONGEST: i64 = 48 * 3600;

impl Hook {
    /// The longest that it holds anything, in seconds.
    pub(crate) fn longest(&self) -> i64 {
        LONGEST.min(i64::from(self.heartbeat) * 100)
    }
}

impl Place {
    /// The hooks of a group that hold its launches or its terminations; among the second the one of ECS when
    /// a capacity provider that drains lies over the group.
    pub(crate) fn hooks(&self, group: &str, is_launch: bool) -> Vec<Hook> {
        let Some(found) = self.groups.get(group) else { return Vec::new() };
        let own = found.hooks.iter().filter(|hook| hook.is_launch == is_launch).cloned();
        let managed = self.managed_hook(group).filter(|_| !is_launch);
        managed.into_iter().chain(own).collect()
    }

    /// The hook that managed draining puts on a group.
    pub(crate) fn managed_hook(&self, group: &str) -> Option<Hook> {
        let provider = self.providers.rows().find(|provider| provider.group == group && provider.drains)?;
        let is_used = self.clusters.rows().any(|cluster| cluster.providers.contains(&provider.name));
        is_used.then(|| Hook {
            name: MANAGED_DRAINING.into(),
            is_launch: false,
            heartbeat: 3600,
            goes_on: true,
            target: None,
            role: None,
            metadata: None,
        })
    }

    /// Holds a member by the hooks of its group; tells whether there are any.
    pub(super) fn hold(&mut self, group: &str, instance: &str, is_launch: bool) -> bool {
        let hooks = self.hooks(group, is_launch);
        let now = self.now;
        let mut holds = Vec::new();
        for hook in hooks {
            let is_draining = hook.name == MANAGED_DRAINING;
            if is_draining && !self.drain_host(instance) && !self.has_ghost(instance) {
                continue;
            }
            // ECS sends heartbeats for as long as its host drains; nobody does for a host without an agent.
            let beats = is_draining && !self.has_ghost(instance);
            let end = now.plus(hook.longest());
            let token = CompactString::from(self.dice.uuid());
            let until = if beats { end } else { now.plus(i64::from(hook.heartbeat)) };
            let goes_on = hook.goes_on;
            holds.push(Hold { hook: hook.name, token, until, end, goes_on, is_draining: beats });
        }
        if holds.is_empty() {
            return false;
        }
        for hold in &holds {
            self.note(hold.until.since(now) + 1, Event::Group(group.into()));
        }
        self.set_stage(group, instance, if is_launch { Stage::PendingWait } else { Stage::TerminatingWait });
        if let Some(member) = self.groups.get_mut(group).and_then(|found| found.member_mut(instance)) {
            member.holds = holds;
        }
        true
    }

    /// An ECS host whose instance is gone: its agent was not there to deregister it.
    fn has_ghost(&self, instance: &str) -> bool {
        let is_gone = self.instances.get(instance).is_none_or(|found| found.state.is_gone());
        is_gone && self.clusters.rows().any(|cluster| cluster.hosts.rows().any(|h| h.instance == instance))
    }

    /// Ends what has been drained or has waited for too long, and lets go on what nothing holds any more.
    pub(super) fn step_holds(&mut self, name: &str) {
        let now = self.now;
        let Some(group) = self.groups.get(name) else { return };
        let held: Vec<CompactString> = group
            .members
            .iter()
            .filter(|member| matches!(member.stage, Stage::PendingWait | Stage::TerminatingWait))
            .map(|member| member.instance.clone())
            .collect();
        for instance in held {
            let Some(group) = self.groups.get(name) else { return };
            let Some(member) = group.members.iter().find(|member| member.instance == instance) else {
                continue;
            };
            let drains = member.holds.iter().any(|hold| hold.is_draining);
            let is_busy = drains && self.drain_host(&instance);
            let Some(member) = self.groups.get_mut(name).and_then(|found| found.member_mut(&instance)) else {
                continue;
            };
            let is_over = |hold: &Hold| (hold.is_draining && !is_busy) || hold.until <= now;
            let over: Vec<(CompactString, bool)> = member
                .holds
                .iter()
                .filter(|hold| is_over(hold))
                .map(|hold| (hold.hook.clone(), hold.goes_on))
                .collect();
            for (hook, goes_on) in over {
                self.complete_hold(name, &instance, &hook, goes_on);
            }
        }
    }

    /// Ends one hold of a member. A launch that is abandoned is ended; a termination goes on either way, an
    /// abandoned one without the hooks that are left.
    pub(crate) fn complete_hold(&mut self, name: &str, instance: &str, hook: &str, goes_on: bool) {
        let Some(member) = self.groups.get_mut(name).and_then(|found| found.member_mut(instance)) else {
            return;
        };
        member.holds.retain(|hold| hold.hook != hook);
        if !goes_on {
            member.holds.clear();
        }
        if !member.holds.is_empty() {
            return;
        }
        match member.stage {
            Stage::PendingWait if goes_on => self.set_stage(name, instance, Stage::PendingProceed),
            Stage::PendingWait => {
                self.set_stage(name, instance, Stage::TerminatingProceed);
                self.fail_activity(name, instance, "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: Client.InstanceInitiatedShutdown: Lifecycle action was abandoned");
                self.terminate(
                    instance,
                    ("Client.InstanceInitiatedShutdown", "Lifecycle action was abandoned"),
                );
            }
            Stage::TerminatingWait => {
                self.set_stage(name, instance, Stage::TerminatingProceed);
                self.terminate(instance, ("Client.InstanceInitiatedShutdown", "Terminated by Auto Scaling"));
            }
            _ => {}
        }
        self.note(if goes_on { 2 } else { SOON }, Event::Group(name.into()));
    }
}
