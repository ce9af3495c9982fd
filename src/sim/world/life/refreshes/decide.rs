//! What a refresh does next: pure, from how the group stands.

use super::progress::Seen;
use crate::sim::time::Moment;
use crate::sim::world::life::recipes::configuration;
use crate::sim::world::scaling::{Group, Mix, Refresh, Stage, Strategy};
use compact_str::{CompactString, format_compact};

/// What a look at a refresh decides.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing to do but wait.
    Wait,
    /// Launch this many first.
    Launch(usize),
    /// End these.
    End(Vec<CompactString>),
    /// Give these another root volume.
    Renew(Vec<CompactString>),
    /// What is left may not be touched, or what is missing does not come: why.
    Stalled(CompactString),
    /// Everything matches, or as much as was asked for.
    Done,
}

/// The first of these that together count for no more than so many.
fn worth<'s>(open: &[&'s Seen<'s>], most: usize) -> Vec<&'s Seen<'s>> {
    let mut sum = 0;
    let within = |one: &&&Seen| {
        sum += one.member.units();
        sum <= most
    };
    open.iter().take_while(within).copied().collect()
}

fn ids(of: &[&Seen]) -> Vec<CompactString> {
    of.iter().map(|one| one.member.instance.clone()).collect()
}

/// Decides.
pub(super) fn decide(group: &Group, refresh: &Refresh, seen: &[Seen], percent: u32, now: Moment) -> Step {
    let wants = &refresh.preferences;
    let desired = usize::try_from(group.desired).unwrap_or(0);
    let moving = seen.iter().any(|one| match one.stage() {
        Stage::InService => !one.is_outdated && !one.is_warm,
        Stage::Standby => false,
        _ => true,
    });
    let waits_for = |one: &&Seen| {
        one.is_outdated
            && ((one.stage() == Stage::Standby && wants.standby == "Wait")
                || (one.member.is_protected && one.stage() != Stage::Standby && wants.protected == "Wait"))
    };
    let may_end = |one: &&Seen| {
        let is_open = !one.member.is_protected || wants.protected == "Refresh";
        one.is_outdated
            && ((one.stage() == Stage::InService && is_open)
                || (one.stage() == Stage::Standby && wants.standby == "Terminate"))
    };
    let blocked = seen.iter().find(waits_for);
    let mut open: Vec<&Seen> = seen.iter().filter(may_end).collect();
    // The oldest go first.
    open.sort_by_key(|one| one.member.since);
    let units = |wanted: &dyn Fn(&Seen) -> bool| -> usize {
        seen.iter().filter(|one| wanted(one)).map(|one| one.member.units()).sum()
    };
    let warm = units(&|one| one.stage() == Stage::InService && (one.is_outdated || one.is_warm));
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
            Some(one) if one.stage() == Stage::Standby => Step::Stalled(format_compact!(
                "Waiting for remaining instances to be available. For example: {} is in standby",
                one.member.instance
            )),
            Some(one) => Step::Stalled(format_compact!(
                "Waiting for remaining instances to be available. For example: {} is protected from scale in",
                one.member.instance
            )),
            None => Step::Done,
        };
    }
    if warm > desired {
        let spare = worth(&open, warm - desired);
        // Where one is worth more than there is to spare, it goes when the others do without it.
        if !spare.is_empty() {
            return Step::End(ids(&spare));
        }
    }
    if moving || (is_forward && refresh.checkpoint.is_some_and(|(_, until)| until > now)) {
        return Step::Wait;
    }
    let live = group.live();
    if live < desired {
        // What is suspended is not waited for in any number of hours: nothing says that it is missing.
        return match group.suspends("Launch") {
            true => Step::Wait,
            false => Step::Stalled("Waiting for the group to have its desired capacity again.".into()),
        };
    }
    // An instance that is worth the whole group leaves no room for limits: all go at once.
    let weighs_all = |mix: &Mix| {
        let weights = mix.overrides.iter().filter_map(|one| one.weight);
        weights.into_iter().any(|weight| weight > 1 && weight >= group.desired)
    };
    if configuration(group).1.is_some_and(weighs_all) {
        return Step::End(ids(&open));
    }
    // Not beyond the next checkpoint, but up to it or above.
    let next = wants.checkpoints.iter().copied().find(|mark| *mark > percent).filter(|_| is_forward);
    let new = units(&|one| !one.is_outdated);
    let allowed = next.map_or(usize::MAX, |next| {
        (desired * usize::try_from(next).unwrap_or(100)).div_ceil(100).saturating_sub(new).max(1)
    });
    let least = (desired * usize::try_from(wants.min).unwrap_or(90)).div_ceil(100);
    let most = desired * usize::try_from(wants.max.unwrap_or(100)).unwrap_or(100) / 100;
    let spare = warm.saturating_sub(least).max(1).min(allowed);
    let first = |count: usize| match worth(&open, count) {
        // Where the limits leave no room one is replaced anyway, as the service does.
        none if none.is_empty() => ids(open.get(..1).unwrap_or_default()),
        some => ids(&some),
    };
    if refresh.strategy == Strategy::ReplaceRootVolume {
        return Step::Renew(first(spare));
    }
    let to_do: usize = open.iter().map(|one| one.member.units()).sum();
    if most > live {
        return Step::Launch((most - live).min(to_do).min(allowed));
    }
    // With nothing to spare a replacement comes first, one at a time.
    if wants.min >= 100 {
        return Step::Launch(1);
    }
    Step::End(first(spare))
}
