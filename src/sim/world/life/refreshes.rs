//! Instance refreshes: replace what does not match, within the health limits, with checkpoints and stalls.

use crate::sim::time::Moment;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Group, Member, Refresh, Stage};
use compact_str::{CompactString, format_compact};

/// Seconds for which a refresh waits for instances that it may not touch.
const PATIENCE: i64 = 3600;

impl Refresh {
    /// Tells whether it still works.
    pub(crate) fn is_active(&self) -> bool {
        matches!(self.status, "Pending" | "InProgress" | "Baking" | "RollbackInProgress" | "Cancelling")
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
    /// What is left may not be touched: one of them, and why.
    Stalled(CompactString, &'static str),
    /// Everything matches.
    Done,
}

impl Place {
    /// Takes the next step of a group's refresh; tells whether one is under way.
    pub(super) fn step_refresh(&mut self, name: &str) -> bool {
        let now = self.now;
        let Some(group) = self.groups.get_mut(name) else { return false };
        let is_held = group.suspends("InstanceRefresh");
        let Some(refresh) = group.active_refresh() else { return false };
        if refresh.status == "Pending" {
            refresh.status = "InProgress";
            refresh.started = Some(now);
        }
        if is_held {
            return true;
        }
        if refresh.status == "Cancelling" {
            let is_settled =
                !group.members.iter().any(|m| !matches!(m.stage, Stage::InService | Stage::Standby));
            if let Some(refresh) = group.active_refresh().filter(|_| is_settled) {
                refresh.status = "Cancelled";
                refresh.ended = Some(now);
            }
            return !is_settled;
        }
        let Some(group) = self.groups.get(name) else { return false };
        let Some(target) = self.launch_version(group) else { return true };
        let Some(refresh) = group.refreshes.last() else { return false };
        let (left, percent) = progress(group, refresh, target, now);
        let step = decide(group, refresh, target, percent, now);
        if let Some(refresh) = self.groups.get_mut(name).and_then(Group::active_refresh) {
            refresh.remaining = left;
            refresh.percent =
                percent.max(if refresh.status == "RollbackInProgress" { 0 } else { refresh.percent });
        }
        self.carry_out(name, step);
        self.groups.get_mut(name).is_some_and(|group| group.active_refresh().is_some())
    }

    fn carry_out(&mut self, name: &str, step: Step) {
        let now = self.now;
        let Some(refresh) = self.groups.get_mut(name).and_then(Group::active_refresh) else { return };
        match step {
            Step::Wait => {}
            Step::Launch(count) => {
                refresh.stalled = None;
                refresh.reason = None;
                for _ in 0..count {
                    self.launch_member(name, "an instance was launched in response to an instance refresh.");
                }
            }
            Step::End(victims) => {
                refresh.stalled = None;
                refresh.reason = None;
                for victim in victims {
                    let cause = "an instance was taken out of service in response to an instance refresh.";
                    self.end_member(name, &victim, cause);
                }
            }
            Step::Stalled(instance, why) => {
                let since = *refresh.stalled.get_or_insert(now);
                refresh.reason = Some(format_compact!(
                    "Waiting for remaining instances to be available. For example: {instance} {why}"
                ));
                if now.since(since) >= PATIENCE {
                    refresh.reason = Some(format_compact!(
                        "The instance refresh failed because {instance} {why} for more than an hour."
                    ));
                    refresh.ended = Some(now);
                    refresh.status =
                        if refresh.status == "RollbackInProgress" { "RollbackFailed" } else { "Failed" };
                }
            }
            Step::Done => {
                let bake = i64::from(refresh.preferences.bake);
                if refresh.status == "RollbackInProgress" {
                    refresh.status = "RollbackSuccessful";
                } else if bake > 0 && refresh.status == "InProgress" {
                    refresh.status = "Baking";
                    refresh.held_until = Some(now.plus(bake));
                    return;
                } else if refresh.status == "Baking" && refresh.held_until.is_some_and(|until| until > now) {
                    return;
                } else {
                    refresh.status = "Successful";
                }
                refresh.reason = None;
                refresh.percent = 100;
                refresh.remaining = 0;
                refresh.ended = Some(now);
                let settled = refresh.desired.clone().filter(|_| refresh.status == "Successful");
                if let (Some(choice), Some(group)) = (settled, self.groups.get_mut(name)) {
                    group.template = choice;
                }
            }
        }
    }
}

/// Does this member not match yet?
fn is_outdated(refresh: &Refresh, member: &Member, target: u32) -> bool {
    let is_here = matches!(member.stage, Stage::InService | Stage::Standby | Stage::Pending);
    let is_old = refresh.started.is_some_and(|started| member.since < started);
    is_here
        && (member.version != target
            || (!refresh.preferences.skips_matching && refresh.desired.is_none() && is_old))
}

fn is_warm(group: &Group, refresh: &Refresh, member: &Member, now: Moment) -> bool {
    member.stage == Stage::InService && now.since(member.since) >= group.warmup(refresh)
}

/// How many are left, and what percent of the group is new and warm.
fn progress(group: &Group, refresh: &Refresh, target: u32, now: Moment) -> (u32, u32) {
    let is_left = |member: &&Member| {
        let is_passed_over = member.stage == Stage::Standby && refresh.preferences.standby == "Ignore";
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
        Stage::Pending | Stage::Terminating | Stage::TerminatingWait => true,
        Stage::InService => !is_outdated(refresh, member, target) && !is_warm(group, refresh, member, now),
        Stage::Standby => false,
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
    if open.is_empty() {
        return match blocked {
            _ if moving => Step::Wait,
            Some(member) if member.stage == Stage::Standby => {
                Step::Stalled(member.instance.clone(), "is in standby")
            }
            Some(member) => Step::Stalled(member.instance.clone(), "is protected from scale in"),
            None => Step::Done,
        };
    }
    // A checkpoint holds from the moment at which its percentage is reached.
    let passed =
        wants.checkpoints.iter().rev().find(|checkpoint| **checkpoint <= percent && **checkpoint < 100);
    if let (Some(_), Some(delay)) = (passed, wants.checkpoint_delay) {
        let last = group
            .members
            .iter()
            .filter(|member| !is_outdated(refresh, member, target))
            .map(|m| m.since)
            .max();
        let is_next = wants.checkpoints.contains(&percent);
        if is_next && last.is_some_and(|at| now.since(at) < group.warmup(refresh) + i64::from(delay)) {
            return Step::Wait;
        }
    }
    let least = (desired * usize::try_from(wants.min).unwrap_or(90)).div_ceil(100);
    let most = desired * usize::try_from(wants.max.unwrap_or(100)).unwrap_or(100) / 100;
    let live = group.live();
    let warm = group
        .members
        .iter()
        .filter(|m| {
            m.stage == Stage::InService
                && (is_outdated(refresh, m, target) || is_warm(group, refresh, m, now))
        })
        .count();
    if warm > desired {
        return Step::End(open.into_iter().take(warm - desired).collect());
    }
    if moving {
        return Step::Wait;
    }
    if most > live {
        return Step::Launch((most - live).min(open.len()));
    }
    // Where the limits leave no room one is replaced anyway, as the service does.
    let count = warm.saturating_sub(least).max(1);
    Step::End(open.into_iter().take(count).collect())
}
