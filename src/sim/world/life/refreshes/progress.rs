//! How far a refresh is: who matches, who has warmed up, what percent of the group that is.

use crate::sim::time::Moment;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Group, Member, Refresh, Stage};
use compact_str::CompactString;

/// A member as a refresh sees it.
pub(super) struct Seen<'g> {
    pub(super) member: &'g Member,
    /// It does not match yet.
    pub(super) is_outdated: bool,
    /// It serves, is healthy, and has done so for as long as it warms up.
    pub(super) is_warm: bool,
    /// It will be left as it is, although it does not match.
    pub(super) is_passed_over: bool,
}

impl Seen<'_> {
    pub(super) fn stage(&self) -> Stage {
        self.member.stage
    }

    /// Still to be replaced.
    pub(super) fn is_left(&self) -> bool {
        self.is_outdated && !self.is_passed_over
    }
}

/// Sees every member of a group as its refresh does.
pub(super) fn seen<'g>(place: &Place, group: &'g Group, refresh: &Refresh) -> Vec<Seen<'g>> {
    let wants = &refresh.preferences;
    let replaces_all = refresh.goes_forward() && !wants.skips_matching;
    let now = place.now;
    let each = |member: &'g Member| {
        let is_away = member.stage.is_going() || member.stage == Stage::EnteringStandby;
        let is_old = refresh.before.contains(&member.instance);
        let is_outdated = !is_away && ((replaces_all && is_old) || !place.is_current(group, member));
        let is_passed_over = (member.stage == Stage::Standby && wants.standby == "Ignore")
            || (member.is_protected && member.stage != Stage::Standby && wants.protected == "Ignore");
        Seen { member, is_outdated, is_warm: is_warm(group, refresh, member, is_old, now), is_passed_over }
    };
    group.members.iter().map(each).collect()
}

fn is_warm(group: &Group, refresh: &Refresh, member: &Member, is_old: bool, now: Moment) -> bool {
    let has_warmed = is_old || now.since(member.since) >= warmup(group, refresh);
    member.stage == Stage::InService && member.is_healthy && has_warmed
}

/// Seconds from being in service to being counted.
fn warmup(group: &Group, refresh: &Refresh) -> i64 {
    i64::from(refresh.preferences.warmup.or(group.warmup).unwrap_or(group.grace))
}

/// How many instances are left, and what percent of the group is done: new and warm. On the way back the percent is
/// of what is still to be put back, so that it falls to nothing.
pub(super) fn progress(group: &Group, refresh: &Refresh, seen: &[Seen]) -> (u32, u32) {
    let units = |wanted: &dyn Fn(&Seen) -> bool| -> usize {
        seen.iter().filter(|one| wanted(one)).map(|one| one.member.units()).sum()
    };
    let left = seen.iter().filter(|one| one.is_left()).count();
    let ignored = units(&|one| one.is_outdated && one.is_passed_over && one.stage() == Stage::InService);
    let total = usize::try_from(group.desired).unwrap_or(0).saturating_sub(ignored);
    let share = if refresh.goes_forward() {
        units(&|one| !one.is_outdated && one.is_warm)
    } else {
        units(&|one| one.is_left())
    };
    let percent = match (total, refresh.goes_forward()) {
        (0, true) => 100,
        (0, false) => 0,
        _ => (share * 100 / total).min(100),
    };
    let percent = u32::try_from(percent).unwrap_or(0);
    let percent = if refresh.goes_forward() { percent } else { percent.min(refresh.percent) };
    (u32::try_from(left).unwrap_or(0), percent)
}

/// Replacements that are there but do not count yet.
pub(super) fn hopes(refresh: &Refresh, seen: &[Seen]) -> Vec<CompactString> {
    let is_new = |one: &&Seen| {
        !one.is_outdated
            && !one.is_warm
            && !one.member.stage.is_going()
            && one.stage() != Stage::Standby
            && !refresh.before.contains(&one.member.instance)
    };
    seen.iter().filter(is_new).map(|one| one.member.instance.clone()).collect()
}
