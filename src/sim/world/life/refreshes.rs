//! Instance refreshes: replace what does not match, within the health limits, with checkpoints, alarms, stalls
//! and the way back.

use crate::sim::time::Moment;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Group, Member, Refresh, Rollback, Stage};
use compact_str::{CompactString, format_compact};

/// Seconds for which a refresh waits for instances that it may not touch, or that cannot be launched.
const PATIENCE: i64 = 3600;

impl Refresh {
    /// Tells whether it still works.
    pub(crate) fn is_active(&self) -> bool {
        matches!(self.status, "Pending" | "InProgress" | "Baking" | "RollbackInProgress" | "Cancelling")
    }

    /// Launches take its configuration.
    pub(crate) fn goes_forward(&self) -> bool {
        matches!(self.status, "Pending" | "InProgress" | "Baking")
    }
}

impl Group {
    /// The refresh that is under way.
    pub(crate) fn active_refresh(&mut self) -> Option<&mut Refresh> {
        self.refreshes.last_mut().filter(|refresh| refresh.is_active())
    }

    fn warmup(&self, refresh: &Refresh) -> i64 {
        i64::from(refresh.preferences.warmup.or(self.warmup).unwrap_or(self.grace))
    }
}

/// What a look at a refresh decides.
enum Step {
    /// Nothing to do but wait.
    Wait,
    /// Launch this many first.
    Launch(usize),
    /// End these.
    End(Vec<CompactString>),
    /// What is left may not be touched, or what is missing does not come: why.
    Stalled(CompactString),
    /// Everything matches, or as much as was asked for.
    Done,
}

impl Place {
    /// Takes the next step of a group's refresh; tells whether one is under way.
    pub(super) fn step_refresh(&mut self, name: &str) -> bool {
        let now = self.now;
        let Some(group) = self.groups.get_mut(name) else { return false };
        let is_held = group.suspends("InstanceRefresh");
        let present: Vec<CompactString> = group
            .members
            .iter()
            .filter(|member| !member.stage.is_going())
            .map(|member| member.instance.clone())
            .collect();
        let is_moving =
            group.members.iter().any(|member| !matches!(member.stage, Stage::InService | Stage::Standby));
        let Some(refresh) = group.active_refresh() else { return false };
        if refresh.status == "Pending" {
            refresh.status = "InProgress";
            refresh.started = Some(now);
            refresh.before = present;
        }
        if refresh.status == "Cancelling" {
            let is_over = refresh.ends_quietly || !is_moving;
            if is_over {
                refresh.status = "Cancelled";
                refresh.ended = Some(now);
            }
            return !is_over;
        }
        if is_held {
            return true;
        }
        let watched = if refresh.goes_forward() { refresh.preferences.alarms.clone() } else { Vec::new() };
        let ringing =
            watched.iter().find(|alarm| self.alarms.get(alarm).is_some_and(|found| found.state == "ALARM"));
        if let Some(alarm) = ringing {
            let reason = format_compact!("The CloudWatch alarm {alarm} went into ALARM state.");
            self.fail_refresh(name, &reason);
            return self.is_refreshing(name);
        }
        self.reach_checkpoint(name);
        let Some(group) = self.groups.get(name) else { return false };
        let Some(refresh) = group.refreshes.last() else { return false };
        let Some(target) = self.launch_version(group) else {
            let reason = "The launch template version of the refresh does not exist any more.".into();
            self.carry_out(name, Step::Stalled(reason));
            return self.is_refreshing(name);
        };
        let (left, percent) = progress(group, refresh, target, now);
        let step = decide(group, refresh, target, percent, now);
        if let Some(refresh) = self.groups.get_mut(name).and_then(Group::active_refresh) {
            refresh.remaining = left;
            refresh.percent =
                percent.max(if refresh.status == "RollbackInProgress" { 0 } else { refresh.percent });
        }
        self.carry_out(name, step);
        self.is_refreshing(name)
    }

    fn is_refreshing(&mut self, name: &str) -> bool {
        self.groups.get_mut(name).is_some_and(|group| group.active_refresh().is_some())
    }

    /// Notes the highest checkpoint that has been reached; it holds the refresh from then on.
    fn reach_checkpoint(&mut self, name: &str) {
        let now = self.now;
        let Some(group) = self.groups.get(name) else { return };
        let Some(refresh) = group.refreshes.last().filter(|refresh| refresh.status == "InProgress") else {
            return;
        };
        let Some(target) = self.launch_version(group) else { return };
        let (_, percent) = progress(group, refresh, target, now);
        let wants = &refresh.preferences;
        let reached = wants.checkpoints.iter().rev().copied().find(|mark| *mark <= percent);
        let known = refresh.checkpoint.map_or(0, |(mark, _)| mark);
        let Some(mark) = reached.filter(|mark| *mark > known) else { return };
        let until = now.plus(i64::from(wants.checkpoint_delay.unwrap_or(0)));
        if let Some(refresh) = self.groups.get_mut(name).and_then(Group::active_refresh) {
            refresh.checkpoint = Some((mark, until));
        }
    }

    /// The refresh has failed: it goes back if it was told to, otherwise it ends.
    fn fail_refresh(&mut self, name: &str, reason: &str) {
        let now = self.now;
        let Some(refresh) = self.groups.get_mut(name).and_then(Group::active_refresh) else { return };
        if refresh.goes_forward() && refresh.preferences.rolls_back && refresh.desired.is_some() {
            self.begin_rollback(name, reason);
            return;
        }
        refresh.status = if refresh.status == "RollbackInProgress" { "RollbackFailed" } else { "Failed" };
        refresh.reason = Some(format_compact!("The instance refresh failed. {reason}"));
        refresh.ended = Some(now);
    }

    /// From here on the refresh puts back what the group is configured with.
    pub(crate) fn begin_rollback(&mut self, name: &str, reason: &str) {
        let now = self.now;
        let Some(refresh) = self.groups.get_mut(name).and_then(Group::active_refresh) else { return };
        refresh.rollback = Some(Rollback {
            reason: reason.into(),
            since: now,
            percent: refresh.percent,
            remaining: refresh.remaining,
        });
        refresh.status = "RollbackInProgress";
        refresh.reason = Some(format_compact!("The instance refresh is rolling back. {reason}"));
        refresh.percent = 0;
        refresh.stalled = None;
        refresh.held_until = None;
    }

    fn carry_out(&mut self, name: &str, step: Step) {
        let now = self.now;
        let Some(group) = self.groups.get_mut(name) else { return };
        let (no_launch, no_end) = (group.suspends("Launch"), group.suspends("Terminate"));
        let Some(refresh) = group.active_refresh() else { return };
        match step {
            Step::Wait => {}
            Step::Launch(_) if no_launch => {}
            Step::End(_) if no_end => {}
            Step::Launch(count) => {
                let cause = "an instance was launched in response to an instance refresh.";
                let came = (0..count).filter(|_| self.launch_member(name, cause).is_some()).count();
                if came == 0 {
                    self.stall(name, "Replacement instances could not be launched.");
                } else {
                    self.go_on(name);
                }
            }
            Step::End(victims) => {
                for victim in victims {
                    let cause = "an instance was taken out of service in response to an instance refresh.";
                    self.end_member(name, &victim, cause);
                }
                self.go_on(name);
            }
            Step::Stalled(why) => self.stall(name, &why),
            Step::Done => {
                let bake = i64::from(refresh.preferences.bake);
                if refresh.status == "RollbackInProgress" {
                    refresh.status = "RollbackSuccessful";
                } else if bake > 0 && refresh.status == "InProgress" {
                    refresh.status = "Baking";
                    refresh.reason = None;
                    refresh.percent = 100;
                    refresh.held_until = Some(now.plus(bake));
                    return;
                } else if refresh.status == "Baking" && refresh.held_until.is_some_and(|until| until > now) {
                    return;
                } else {
                    refresh.status = "Successful";
                }
                refresh.reason = None;
                refresh.percent = 100;
                refresh.ended = Some(now);
                if refresh.status != "Successful" {
                    return;
                }
                let (choice, mix) = (refresh.desired.clone(), refresh.mix.clone());
                if let Some(choice) = choice {
                    group.template = choice;
                }
                if mix.is_some() {
                    group.mix = mix;
                }
            }
        }
    }

    fn go_on(&mut self, name: &str) {
        if let Some(refresh) = self.groups.get_mut(name).and_then(Group::active_refresh) {
            refresh.stalled = None;
            if refresh.goes_forward() {
                refresh.reason = None;
            }
        }
    }

    /// Nothing can be done now; after an hour of that the refresh has failed.
    fn stall(&mut self, name: &str, why: &str) {
        let now = self.now;
        let Some(refresh) = self.groups.get_mut(name).and_then(Group::active_refresh) else { return };
        let since = *refresh.stalled.get_or_insert(now);
        refresh.reason = Some(why.into());
        if now.since(since) >= PATIENCE {
            refresh.stalled = None;
            self.fail_refresh(name, &format!("For more than an hour: {why}"));
        }
    }
}

/// Does this member not match yet?
fn is_outdated(refresh: &Refresh, member: &Member, target: u32) -> bool {
    if member.stage.is_going() || member.stage == Stage::EnteringStandby {
        return false;
    }
    let replaces_all = refresh.goes_forward() && !refresh.preferences.skips_matching;
    member.version != target || (replaces_all && refresh.before.contains(&member.instance))
}

fn is_warm(group: &Group, refresh: &Refresh, member: &Member, now: Moment) -> bool {
    let is_old = refresh.before.contains(&member.instance);
    let is_warm = is_old || now.since(member.since) >= group.warmup(refresh);
    member.stage == Stage::InService && member.is_healthy && is_warm
}

/// How many are left, and what percent of the group is new and warm.
fn progress(group: &Group, refresh: &Refresh, target: u32, now: Moment) -> (u32, u32) {
    let wants = &refresh.preferences;
    let is_left = |member: &&Member| {
        let is_passed_over = (member.stage == Stage::Standby && wants.standby == "Ignore")
            || (member.is_protected && wants.protected == "Ignore");
        is_outdated(refresh, member, target) && !is_passed_over
    };
    let left = group.members.iter().filter(is_left).count();
    let fresh =
        |member: &&Member| !is_outdated(refresh, member, target) && is_warm(group, refresh, member, now);
    let done = group.members.iter().filter(fresh).count();
    let total = usize::try_from(group.desired).unwrap_or(0).max(1);
    (u32::try_from(left).unwrap_or(0), u32::try_from((done * 100 / total).min(100)).unwrap_or(0))
}

fn decide(group: &Group, refresh: &Refresh, target: u32, percent: u32, now: Moment) -> Step {
    let wants = &refresh.preferences;
    let desired = usize::try_from(group.desired).unwrap_or(0);
    let moving = group.members.iter().any(|member| match member.stage {
        Stage::InService => !is_outdated(refresh, member, target) && !is_warm(group, refresh, member, now),
        Stage::Standby => false,
        _ => true,
    });
    let outdated: Vec<&Member> =
        group.members.iter().filter(|member| is_outdated(refresh, member, target)).collect();
    let waits_for = |member: &&&Member| {
        (member.stage == Stage::Standby && wants.standby == "Wait")
            || (member.is_protected && member.stage != Stage::Standby && wants.protected == "Wait")
    };
    let may_end = |member: &&&Member| {
        let is_open = !member.is_protected || wants.protected == "Refresh";
        (member.stage == Stage::InService && is_open)
            || (member.stage == Stage::Standby && wants.standby == "Terminate")
    };
    let blocked = outdated.iter().find(waits_for);
    let open: Vec<CompactString> =
        outdated.iter().filter(may_end).map(|member| member.instance.clone()).collect();
    let ready = |member: &&Member| {
        member.stage == Stage::InService
            && (is_outdated(refresh, member, target) || is_warm(group, refresh, member, now))
    };
    let warm = group.members.iter().filter(ready).count();
    // The last checkpoint may be less than everything: then that is all that was asked for.
    let is_forward = refresh.status == "InProgress";
    let (mark, until) = refresh.checkpoint.unwrap_or_default();
    let is_last = wants.checkpoints.last().is_some_and(|last| *last <= mark);
    if is_forward && is_last && !moving && warm <= desired {
        return if until > now && mark < 100 { Step::Wait } else { Step::Done };
    }
    if open.is_empty() {
        return match blocked {
            _ if moving => Step::Wait,
            Some(member) if member.stage == Stage::Standby => Step::Stalled(format_compact!(
                "Waiting for remaining instances to be available. For example: {} is in standby",
                member.instance
            )),
            Some(member) => Step::Stalled(format_compact!(
                "Waiting for remaining instances to be available. For example: {} is protected from scale in",
                member.instance
            )),
            None => Step::Done,
        };
    }
    if warm > desired {
        return Step::End(open.into_iter().take(warm - desired).collect());
    }
    if moving || (is_forward && refresh.checkpoint.is_some_and(|(_, until)| until > now)) {
        return Step::Wait;
    }
    let live = group.live();
    if live < desired {
        return Step::Stalled("Waiting for the group to have its desired capacity again.".into());
    }
    // Not beyond the next checkpoint, but up to it or above.
    let next = wants.checkpoints.iter().copied().find(|mark| *mark > percent).filter(|_| is_forward);
    let new = group.members.iter().filter(|member| !is_outdated(refresh, member, target)).count();
    let allowed = next.map_or(open.len(), |next| {
        (desired * usize::try_from(next).unwrap_or(100)).div_ceil(100).saturating_sub(new).max(1)
    });
    let least = (desired * usize::try_from(wants.min).unwrap_or(90)).div_ceil(100);
    let most = desired * usize::try_from(wants.max.unwrap_or(100)).unwrap_or(100) / 100;
    if most > live {
        return Step::Launch((most - live).min(open.len()).min(allowed));
    }
    // With nothing to spare a replacement comes first, one at a time.
    if wants.min >= 100 {
        return Step::Launch(1);
    }
    // Where the limits leave no room one is replaced anyway, as the service does.
    let count = warm.saturating_sub(least).max(1).min(allowed);
    Step::End(open.into_iter().take(count).collect())
}
