//! Instance refreshes: replace what does not match, within the health limits, with checkpoints, alarms, stalls
//! and the way back.

mod decide;
mod progress;

use self::decide::{Step, decide};
use self::progress::{hopes, progress, seen};
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Group, Refresh, Rollback, Stage};
use compact_str::{CompactString, format_compact};

/// Seconds for which a refresh waits for instances that it may not touch, that cannot be launched, or that do not
/// become healthy.
const PATIENCE: i64 = 3600;

/// Milliseconds that a refresh may work: 14 days.
const LONGEST: i64 = 14 * 86_400_000;

impl Group {
    /// The refresh that is under way.
    pub(crate) fn active_refresh(&mut self) -> Option<&mut Refresh> {
        self.refreshes.last_mut().filter(|refresh| refresh.is_active())
    }
}

impl Place {
    /// Takes the next step of a group's refresh; tells whether one is under way.
    pub(super) fn step_refresh(&mut self, name: &str) -> bool {
        let now = self.now;
        let Some(group) = self.groups.get_mut(name) else { return false };
        let is_held = group.suspends("InstanceRefresh");
        let present = group.members.iter().filter(|member| !member.stage.is_going());
        let present = present.map(|member| member.instance.clone()).collect();
        let is_moving =
            group.members.iter().any(|member| !matches!(member.stage, Stage::InService | Stage::Standby));
        let size = group.desired;
        let Some(refresh) = group.active_refresh() else { return false };
        if refresh.status == "Pending" {
            refresh.status = "InProgress";
            refresh.started = Some(now);
            refresh.before = present;
            refresh.size = size;
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
            // Time does not count while somebody holds it.
            (refresh.stalled, refresh.failing, refresh.counted) = (None, None, None);
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
        if let Some(reason) = self.take_stock(name) {
            self.fail_refresh(name, &reason);
            return self.is_refreshing(name);
        }
        let Some(group) = self.groups.get(name) else { return false };
        let Some(refresh) = group.refreshes.last() else { return false };
        let step = if self.launch_version(group).is_none() {
            Step::Stalled("The launch template version of the refresh does not exist any more.".into())
        } else {
            decide(group, refresh, &seen(self, group, refresh), refresh.percent, now)
        };
        self.carry_out(name, step);
        self.is_refreshing(name)
    }

    fn is_refreshing(&mut self, name: &str) -> bool {
        self.groups.get_mut(name).is_some_and(|group| group.active_refresh().is_some())
    }

    /// Counts what is done and what came to nothing, and notes the checkpoint that has been reached; returns why it
    /// cannot go on like this, if it cannot.
    fn take_stock(&mut self, name: &str) -> Option<CompactString> {
        let now = self.now;
        let group = self.groups.get(name)?;
        let refresh = group.refreshes.last()?;
        let all = seen(self, group, refresh);
        let (left, percent) = progress(group, refresh, &all);
        let hopes = hopes(refresh, &all);
        let find = |id: &CompactString| all.iter().find(|one| one.member.instance == *id);
        let is_lost = |id: &CompactString| find(id).is_none_or(|one| one.member.stage.is_going());
        let has_come = |id: &CompactString| find(id).is_some_and(|one| one.is_warm);
        let (lost, came) = (refresh.hopes.iter().any(is_lost), refresh.hopes.iter().any(has_come));
        let size = group.desired;
        let refresh = self.groups.get_mut(name).and_then(Group::active_refresh)?;
        if refresh.status != "RollbackInProgress" {
            refresh.remaining = left;
        }
        refresh.percent = percent;
        refresh.hopes = hopes;
        if came {
            refresh.failing = None;
        } else if lost {
            refresh.failing.get_or_insert(now);
        }
        // A group that has grown is not as far as it was, and comes by its checkpoints again.
        if size > refresh.size && refresh.checkpoint.is_some_and(|(mark, _)| mark > percent) {
            let mut marks = refresh.preferences.checkpoints.iter().copied();
            refresh.checkpoint = marks.rfind(|mark| *mark <= percent).map(|mark| (mark, now));
        }
        refresh.size = size;
        // The highest one counts: it holds the refresh from then on.
        let wants = &refresh.preferences;
        let reached = wants.checkpoints.iter().rev().copied().find(|mark| *mark <= percent);
        let known = refresh.checkpoint.map_or(0, |(mark, _)| mark);
        if let Some(mark) = reached.filter(|mark| *mark > known && refresh.status == "InProgress") {
            let until = now.plus(i64::from(wants.checkpoint_delay.unwrap_or(0)));
            refresh.checkpoint = Some((mark, until));
        }
        let is_waiting =
            refresh.checkpoint.is_some_and(|(_, until)| until > now) || refresh.status == "Baking";
        if let Some(before) = refresh.counted.filter(|_| !is_waiting) {
            refresh.worked += now.0 - before.0;
        }
        refresh.counted = Some(now);
        if refresh.worked > LONGEST {
            return Some("It has been replacing instances for 14 days.".into());
        }
        let failed = refresh.failing.is_some_and(|since| now.since(since) >= PATIENCE);
        failed.then(|| "Replacement instances have not become healthy for more than an hour.".into())
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
        (refresh.stalled, refresh.failing, refresh.counted, refresh.held_until) = (None, None, None, None);
        (refresh.worked, refresh.checkpoint) = (0, None);
        refresh.hopes.clear();
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
            Step::Launch(units) => {
                let cause = "an instance was launched in response to an instance refresh.";
                let goal = group.live() + units;
                let mut came = false;
                while self.groups.get(name).is_some_and(|group| group.live() < goal)
                    && self.launch_member(name, cause).is_some()
                {
                    came = true;
                }
                if came {
                    self.go_on(name);
                } else {
                    self.stall(name, "Replacement instances could not be launched.");
                }
            }
            Step::End(victims) => {
                for victim in victims {
                    let cause = "an instance was taken out of service in response to an instance refresh.";
                    self.end_member(name, &victim, cause);
                }
                self.go_on(name);
            }
            Step::Renew(members) => {
                for member in members {
                    self.set_stage(name, &member, Stage::ReplacingRoot);
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
                    refresh.held_until = Some(now.plus(bake));
                    return;
                } else if refresh.status == "Baking" && refresh.held_until.is_some_and(|until| until > now) {
                    return;
                } else {
                    refresh.status = "Successful";
                }
                refresh.reason = None;
                refresh.ended = Some(now);
                if refresh.status != "Successful" {
                    return;
                }
                let (choice, mix) = (refresh.desired.clone(), refresh.mix.clone());
                if let Some(choice) = choice {
                    group.template = choice;
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
