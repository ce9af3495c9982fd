//! Auto Scaling's loop over a group: who is gone, who is missing, who is too many.

use super::{Event, SOON};
use crate::sim::world::balancing::Health;
use crate::sim::world::machine::State;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Group, Member, Stage};
use compact_str::CompactString;

/// Why a member is taken out by itself.
const EC2_CHECK: &str = "an instance was taken out of service in response to an EC2 health check indicating it has been terminated or stopped.";
const STATUS_CHECK: &str =
    "an instance was taken out of service in response to an EC2 instance status checks failure.";
/// Seconds of failing status checks after which Auto Scaling gives an instance up.
const IMPAIRED: i64 = 300;
const ELB_CHECK: &str =
    "an instance was taken out of service in response to an ELB system health check failure.";

impl Group {
    /// Tells whether a process is suspended.
    pub(crate) fn suspends(&self, process: &str) -> bool {
        self.suspended.iter().any(|(name, _)| name == process)
    }

    /// The capacity of the members that count: there, or on their way to be.
    pub(crate) fn live(&self) -> usize {
        let counts = |member: &&Member| member.stage == Stage::InService || member.stage.is_coming();
        self.members.iter().filter(counts).map(Member::units).sum()
    }

    /// A member, to change.
    pub(crate) fn member_mut(&mut self, instance: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.instance == instance)
    }

    fn forget(&mut self, instance: &str) {
        self.members.retain(|member| member.instance != instance);
    }
}

impl Place {
    /// One look at a group.
    pub(super) fn look_at_group(&mut self, name: &str) {
        if !self.groups.has(name) {
            return;
        }
        self.reap(name);
        self.check_balancers(name);
        self.check_statuses(name);
        self.step_holds(name);
        self.proceed(name);
        let refreshing = self.step_refresh(name);
        self.meet_desired(name, refreshing);
        let Some(group) = self.groups.get(name) else { return };
        if group.is_deleting && group.members.is_empty() {
            self.groups.remove(name);
            return;
        }
        let is_checked = group.checks_balancer && !group.target_groups.is_empty();
        let moving =
            group.members.iter().any(|member| !matches!(member.stage, Stage::InService | Stage::Standby));
        if moving || refreshing {
            self.note(SOON, Event::Group(name.into()));
        } else if is_checked {
            self.note(30, Event::Group(name.into()));
        }
    }

    /// Lets go of members whose instances are gone.
    fn reap(&mut self, name: &str) {
        let Some(group) = self.groups.get(name) else { return };
        let is_blind = group.suspends("HealthCheck") || group.suspends("ReplaceUnhealthy");
        let (mut over, mut lost) = (Vec::new(), Vec::new());
        for member in &group.members {
            let state = self.instances.get(&member.instance).map(|instance| instance.state);
            match member.stage {
                Stage::TerminatingWait | Stage::Detaching => {}
                Stage::Terminating | Stage::TerminatingProceed => {
                    if matches!(state, None | Some(State::Terminated)) {
                        over.push(member.instance.clone());
                    }
                }
                // What stands by is not checked.
                Stage::Standby | Stage::EnteringStandby if state == Some(State::Stopped) => {}
                _ if state.is_none_or(|state| state.is_gone() || state == State::Stopped) => {
                    lost.push(member.instance.clone());
                }
                _ => {}
            }
        }
        for instance in over {
            self.succeed_activities(name, &instance);
            if let Some(group) = self.groups.get_mut(name) {
                group.forget(&instance);
            }
        }
        for instance in lost {
            if let Some(member) = self.groups.get_mut(name).and_then(|group| group.member_mut(&instance)) {
                member.is_healthy = false;
            }
            if is_blind {
                continue;
            }
            self.act(name, &format!("Terminating EC2 instance: {instance}"), EC2_CHECK);
            if !self.hold(name, &instance, false) {
                let is_stopped = self.instances.get(&instance).is_some_and(|one| !one.state.is_gone());
                if is_stopped {
                    self.set_stage(name, &instance, Stage::Terminating);
                    self.terminate(
                        &instance,
                        ("Client.InstanceInitiatedShutdown", "Terminated by Auto Scaling"),
                    );
                } else {
                    self.succeed_activities(name, &instance);
                    if let Some(group) = self.groups.get_mut(name) {
                        group.forget(&instance);
                    }
                }
            }
        }
    }

    /// Replaces members whose status checks fail, after their time of grace.
    fn check_statuses(&mut self, name: &str) {
        let now = self.now;
        let Some(group) = self.groups.get(name) else { return };
        if group.suspends("HealthCheck") || group.suspends("ReplaceUnhealthy") {
            return;
        }
        let fails = |member: &&Member| {
            let since = self.instances.get(&member.instance).and_then(|one| one.impaired_since);
            member.stage == Stage::InService
                && now.since(member.since) >= i64::from(group.grace)
                && since.is_some_and(|since| now.since(since) >= IMPAIRED)
        };
        let failing: Vec<CompactString> =
            group.members.iter().filter(fails).map(|member| member.instance.clone()).collect();
        for instance in failing {
            self.end_member(name, &instance, STATUS_CHECK);
        }
    }

    /// Replaces members that their load balancer finds unhealthy, or knows no more.
    fn check_balancers(&mut self, name: &str) {
        let now = self.now;
        let Some(group) = self.groups.get(name) else { return };
        let is_blind = group.suspends("HealthCheck") || group.suspends("ReplaceUnhealthy");
        if !group.checks_balancer || is_blind {
            return;
        }
        let fails = |member: &&Member| {
            member.stage == Stage::InService
                && now.since(member.since) >= i64::from(group.grace)
                && group.target_groups.iter().filter_map(|arn| self.target_groups.get(arn)).any(|targets| {
                    let mine = targets.targets.iter().find(|target| target.id == member.instance);
                    !mine.is_some_and(|one| matches!(one.health, Health::Healthy | Health::Initial(_)))
                })
        };
        let failing: Vec<CompactString> =
            group.members.iter().filter(fails).map(|member| member.instance.clone()).collect();
        for instance in failing {
            if let Some(member) = self.groups.get_mut(name).and_then(|group| group.member_mut(&instance)) {
                member.is_healthy = false;
            }
            self.end_member(name, &instance, ELB_CHECK);
        }
    }

    /// Tells whether an instance is still being deregistered from the target groups of its group.
    fn is_draining_targets(&self, name: &str, instance: &str) -> bool {
        let Some(group) = self.groups.get(name) else { return false };
        group.target_groups.iter().filter_map(|arn| self.target_groups.get(arn)).any(|targets| {
            targets.targets.iter().any(|one| one.id == instance && matches!(one.health, Health::Draining(_)))
        })
    }

    /// Takes every member that is on its way one step on.
    pub(crate) fn proceed(&mut self, name: &str) {
        let Some(group) = self.groups.get(name) else { return };
        let moving: Vec<(CompactString, Stage)> = group
            .members
            .iter()
            .filter(|member| !matches!(member.stage, Stage::InService | Stage::Standby))
            .map(|member| (member.instance.clone(), member.stage))
            .collect();
        for (instance, stage) in moving {
            let state = self.instances.get(&instance).map(|found| found.state);
            match stage {
                Stage::PendingProceed => self.enter_service(name, &instance),
                Stage::EnteringStandby if !self.is_draining_targets(name, &instance) => {
                    self.set_stage(name, &instance, Stage::Standby);
                    self.succeed_activities(name, &instance);
                }
                Stage::Detaching if !self.is_draining_targets(name, &instance) => {
                    self.succeed_activities(name, &instance);
                    if let Some(group) = self.groups.get_mut(name) {
                        group.forget(&instance);
                    }
                    if let Some(found) = self.instances.get_mut(&instance) {
                        found.tags.retain(|(key, _)| key != "aws:autoscaling:groupName");
                    }
                }
                Stage::ReplacingRoot | Stage::RootReplaced => self.renew_root(name, &instance, stage),
                // The hooks come after the load balancer.
                Stage::Terminating
                    if state.is_some_and(|state| !state.is_gone())
                        && !self.is_draining_targets(name, &instance)
                        && !self.hold(name, &instance, false) =>
                {
                    self.terminate(
                        &instance,
                        ("Client.InstanceInitiatedShutdown", "Terminated by Auto Scaling"),
                    );
                }
                _ => {}
            }
        }
    }

    /// A minute without its root volume, half a one to start from the new one.
    fn renew_root(&mut self, name: &str, instance: &str, stage: Stage) {
        let now = self.now;
        let Some(group) = self.groups.get(name) else { return };
        let Some(member) = group.members.iter().find(|member| member.instance == instance) else { return };
        let passed = now.since(member.since);
        if stage == Stage::ReplacingRoot && passed >= 60 {
            let Some((choice, image)) = self.renewal(group, member) else { return };
            if let Some(member) = self.groups.get_mut(name).and_then(|group| group.member_mut(instance)) {
                (member.template, member.version) = choice;
                member.image = image.clone();
            }
            if let Some(found) = self.instances.get_mut(instance) {
                found.image = image;
            }
            // From here on it counts as new, and warms up.
            if let Some(refresh) = self.groups.get_mut(name).and_then(|group| group.active_refresh()) {
                refresh.before.remove(instance);
            }
            self.set_stage(name, instance, Stage::RootReplaced);
            self.reboot(instance);
        } else if stage == Stage::RootReplaced && passed >= 30 {
            self.enter_service(name, instance);
        }
    }

    pub(crate) fn set_stage(&mut self, group: &str, instance: &str, stage: Stage) {
        let now = self.now;
        if let Some(member) = self.groups.get_mut(group).and_then(|found| found.member_mut(instance)) {
            member.stage = stage;
            member.since = now;
        }
    }

    /// Launches what is missing, ends what is too many.
    fn meet_desired(&mut self, name: &str, refreshing: bool) {
        let Some(group) = self.groups.get(name) else { return };
        let desired = usize::try_from(group.desired).unwrap_or(0);
        let can_launch = !group.suspends("Launch");
        let mut live = group.live();
        while live < desired && can_launch {
            let cause = format!(
                "an instance was started in response to a difference between desired and actual capacity, increasing the capacity from {live} to {}.",
                live + 1
            );
            if self.launch_member(name, &cause).is_none() {
                break;
            }
            live = self.groups.get(name).map_or(desired, Group::live);
        }
        while live > desired && !refreshing {
            let victim = self.groups.get(name).and_then(|group| self.victim(group));
            let Some((victim, units)) = victim.filter(|(_, units)| live - units >= desired) else { break };
            let cause = format!(
                "an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from {live} to {}.",
                live - units
            );
            self.end_member(name, &victim, &cause);
            live -= units;
        }
    }

    /// Whom scale-in takes: not the protected; the oldest template first, then the oldest.
    fn victim(&self, group: &Group) -> Option<(CompactString, usize)> {
        if group.suspends("Terminate") {
            return None;
        }
        let open = group.members.iter().filter(|member| {
            !member.is_protected && (member.stage == Stage::InService || member.stage.is_coming())
        });
        let first = open.min_by_key(|member| (member.version, member.since))?;
        Some((first.instance.clone(), first.units()))
    }

    /// Ends a member: it leaves its load balancers first, then its hooks hold it, then it is terminated.
    pub(crate) fn end_member(&mut self, name: &str, instance: &str, cause: &str) {
        self.act(name, &format!("Terminating EC2 instance: {instance}"), cause);
        self.leave_targets(name, instance);
        self.set_stage(name, instance, Stage::Terminating);
        if let Some(member) = self.groups.get_mut(name).and_then(|group| group.member_mut(instance)) {
            member.holds.clear();
        }
        self.proceed(name);
        self.note(SOON, Event::Group(name.into()));
    }

    /// Deregisters an instance from the target groups of its group.
    pub(crate) fn leave_targets(&mut self, name: &str, instance: &str) {
        let arns = self.groups.get(name).map(|group| group.target_groups.clone()).unwrap_or_default();
        for arn in arns {
            self.drain_in(&arn, instance, None);
        }
    }
}
