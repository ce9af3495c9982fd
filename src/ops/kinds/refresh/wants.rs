//! Every preference of a refresh, said: what was typed, over the preset of the tier, over what is wise for a group
//! of this size.

use crate::gateway::change::Preferences;
use crate::model::{Group, Handling, RefreshPreset};

/// Seconds from in service to counted where neither the group nor anybody says.
const WARMUP_S: u32 = 300;

/// What the group allows and what was found of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowed {
    /// AWS can go back by itself.
    pub(super) rolls_back: bool,
    /// Members that match can be told from those that do not.
    pub(super) skips_matching: bool,
    /// ECS drains hosts before the group ends them.
    pub(super) drains: bool,
}

/// The preferences for a group.
pub(super) fn preferences(said: &RefreshPreset, group: &Group, allowed: Allowed) -> Preferences {
    let checkpoints = said.checkpoints.clone().unwrap_or_else(|| usual_checkpoints(group.desired));
    let is_protected = group.protects_new || group.members.iter().any(|member| member.is_protected);
    let min_healthy = said.min_healthy.unwrap_or(100);
    // Where fewer may serve nobody asks for more than there are.
    let usual_max = if said.min_healthy.is_some_and(|min| min < 100) { 100 } else { 110 };
    Preferences {
        min_healthy,
        max_healthy: said.max_healthy.unwrap_or(usual_max),
        warmup_s: said.warmup_s.or(group.warmup_s).or(group.grace_s).unwrap_or(WARMUP_S),
        checkpoint_delay_s: if checkpoints.is_empty() { 0 } else { said.checkpoint_delay_s.unwrap_or(600) },
        checkpoints,
        skips_matching: said.skips_matching.unwrap_or(true) && allowed.skips_matching,
        rolls_back: said.rolls_back.unwrap_or(true) && allowed.rolls_back,
        // What somebody protects while it runs he wants to keep, unless ECS is that somebody.
        protected: said.protected.unwrap_or(if is_protected && allowed.drains {
            Handling::Replace
        } else {
            Handling::Ignore
        }),
        standby: said.standby.unwrap_or(Handling::Ignore),
        alarms: said.alarms.clone().unwrap_or_default(),
        bake_s: said.bake_s.unwrap_or(900),
    }
}

/// One instance first, then a quarter, a half and all: as far as the group is large enough for them.
pub(super) fn usual_checkpoints(desired: u32) -> Vec<u32> {
    let first = 100u32.div_ceil(desired.max(1));
    std::iter::once(first).chain([25, 50, 100].into_iter().filter(|mark| *mark > first)).collect()
}

/// The preferences of a way back: without checkpoints, and without alarms, which may be ringing because of what
/// is taken back.
pub(super) fn back(forth: &Preferences) -> Preferences {
    Preferences {
        checkpoints: Vec::new(),
        checkpoint_delay_s: 0,
        rolls_back: false,
        skips_matching: true,
        alarms: Vec::new(),
        bake_s: 0,
        ..forth.clone()
    }
}

/// Where a refresh ends that does not replace all: its last checkpoint, in percent.
fn ends_at(wants: &Preferences) -> Option<u32> {
    wants.checkpoints.last().copied().filter(|last| *last < 100)
}

/// How many of so many instances a refresh replaces at least.
pub(super) fn part(of: u32, wants: &Preferences) -> u32 {
    let share = |last| (u64::from(of) * u64::from(last)).div_ceil(100);
    ends_at(wants).map_or(of, |last| u32::try_from(share(last)).unwrap_or(of))
}

/// The same in words: AWS ends at a checkpoint when it has passed it, which may be with more.
pub(super) fn how_many(of: u32, all: usize, wants: &Preferences) -> String {
    match ends_at(wants) {
        None => format!("{of} of {all} instances"),
        Some(last) => {
            let part = part(of, wants);
            format!("at least {part} of {all} instances, as its checkpoints end at {last} %")
        }
    }
}

/// How many instances a refresh replaces at a time.
pub(super) fn at_a_time(desired: u32, wants: &Preferences) -> u32 {
    let more = u64::from(desired) * u64::from(wants.max_healthy.saturating_sub(100)) / 100;
    let fewer = u64::from(unavailable(desired, wants));
    u32::try_from(more.max(fewer).max(1)).unwrap_or(u32::MAX)
}

/// How many instances may be out of service at once because of a refresh.
pub(super) fn unavailable(desired: u32, wants: &Preferences) -> u32 {
    if wants.min_healthy >= 100 {
        return 0;
    }
    let least = (u64::from(desired) * u64::from(wants.min_healthy)).div_ceil(100);
    let spare = desired.saturating_sub(u32::try_from(least).unwrap_or(u32::MAX));
    // Where the percentages leave no room at all AWS ends one before it launches its replacement.
    let has_room = u64::from(desired) * u64::from(wants.max_healthy) / 100 > u64::from(desired);
    spare.max(u32::from(!has_room && desired > 0))
}

/// How long a refresh of so many instances is expected to take, in seconds. What hooks hold is added to each round.
pub(super) fn expected_s(of: u32, desired: u32, wants: &Preferences, held_s: u64) -> u64 {
    /// What a launch and an end take together.
    const ROUND_S: u64 = 180;
    let rounds = u64::from(of.div_ceil(at_a_time(desired, wants)));
    let waits = wants.checkpoints.iter().filter(|mark| **mark < 100).count() as u64;
    rounds * (ROUND_S + u64::from(wants.warmup_s) + held_s)
        + waits * u64::from(wants.checkpoint_delay_s)
        + u64::from(wants.bake_s)
}

/// The preferences as a person reads them.
pub(super) fn words(wants: &Preferences) -> String {
    let span = |seconds: u32| match seconds {
        0 => "0 s".to_owned(),
        seconds => crate::config::span(std::time::Duration::from_secs(seconds.into())),
    };
    let checkpoints = if wants.checkpoints.is_empty() {
        "no checkpoints".to_owned()
    } else {
        let marks: Vec<String> = wants.checkpoints.iter().map(ToString::to_string).collect();
        format!("checkpoints {} % with {} each", marks.join(", "), span(wants.checkpoint_delay_s))
    };
    let alarms = if wants.alarms.is_empty() {
        "no alarms".to_owned()
    } else {
        format!("alarms {}", wants.alarms.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", "))
    };
    format!(
        "healthy {} to {} %, warm-up {}, {checkpoints}, bake {}, matching members {}, auto-rollback {}, protected \
         {}, standby {}, {alarms}",
        wants.min_healthy,
        wants.max_healthy,
        span(wants.warmup_s),
        span(wants.bake_s),
        if wants.skips_matching { "skipped" } else { "replaced too" },
        if wants.rolls_back { "on" } else { "off" },
        wants.protected.word(),
        wants.standby.word(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_checkpoint_is_one_instance_and_small_groups_have_fewer() {
        let marks = |desired| usual_checkpoints(desired);
        assert_eq!(marks(1), [100]);
        assert_eq!(marks(2), [50, 100]);
        assert_eq!(marks(12), [9, 25, 50, 100]);
        assert_eq!(marks(400), [1, 25, 50, 100]);
        assert_eq!(marks(0), [100]);
    }

    #[test]
    fn a_last_checkpoint_below_all_is_counted_as_what_it_is() {
        let wants = |marks: &[u32]| {
            let said = RefreshPreset { checkpoints: Some(marks.to_vec()), ..Default::default() };
            let group = serde_json::from_value(serde_json::json!({
                "name": "web", "arn": "arn", "min": 1, "max": 20, "desired": 12, "members": [], "zones": [],
                "subnets": [], "health_check": "ELB", "target_groups": [], "suspended": [], "protects_new": false,
                "termination_policies": [], "tags": {}
            }));
            preferences(&said, &group.unwrap(), Allowed::default())
        };
        assert_eq!(how_many(12, 12, &wants(&[25, 100])), "12 of 12 instances");
        assert_eq!(how_many(12, 12, &wants(&[])), "12 of 12 instances");
        let part = "at least 4 of 12 instances, as its checkpoints end at 30 %";
        assert_eq!((how_many(12, 12, &wants(&[10, 30])).as_str(), super::part(11, &wants(&[30]))), (part, 4));
    }

    #[test]
    fn what_was_said_comes_first_and_nothing_is_left_to_aws() {
        let group: Group = serde_json::from_value(serde_json::json!({
            "name": "web", "arn": "arn", "min": 1, "max": 20, "desired": 12, "members": [], "zones": [],
            "subnets": [], "health_check": "ELB", "target_groups": [], "suspended": [], "protects_new": false,
            "termination_policies": [], "warmup_s": 120, "tags": {}
        }))
        .unwrap();
        let all = Allowed { rolls_back: true, skips_matching: true, drains: true };
        let usual = preferences(&RefreshPreset::default(), &group, all);
        assert_eq!((usual.min_healthy, usual.max_healthy, usual.warmup_s), (100, 110, 120));
        assert_eq!(
            (usual.checkpoints.as_slice(), usual.checkpoint_delay_s),
            ([9, 25, 50, 100].as_slice(), 600)
        );
        assert_eq!((usual.bake_s, usual.rolls_back, usual.skips_matching), (900, true, true));
        let said = RefreshPreset { min_healthy: Some(90), checkpoints: Some(vec![]), ..Default::default() };
        let tier = RefreshPreset { min_healthy: Some(50), bake_s: Some(60), ..Default::default() };
        let got = preferences(&said.or(&tier), &group, Allowed::default());
        assert_eq!((got.min_healthy, got.max_healthy, got.bake_s), (90, 100, 60));
        assert_eq!((got.checkpoint_delay_s, got.rolls_back, got.skips_matching), (0, false, false));
        assert_eq!((at_a_time(12, &usual), unavailable(12, &usual)), (1, 0));
        assert_eq!((at_a_time(12, &got), unavailable(12, &got)), (1, 1), "90 % of 12 is 11");
        assert!(words(&usual).contains("checkpoints 9, 25, 50, 100 % with 10m each"));
    }
}
