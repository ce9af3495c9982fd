//! The traps of refreshes, walked up to by the operation itself: each is refused before anything is done, with the
//! reason and what mends it, or it is handled, and then the group is left as it is said here.

use super::bench::{Bench, intent};
use super::groups::{versions, why};
use crate::sim_groups::asg;
use crate::traps::{ALL, trap};
use coredeck::model::{Handling, RefreshPreset};
use coredeck::ops::intent::RefreshWish;
use coredeck::ops::{Intent, Outcome, Timer};
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// What the operation makes of a trap.
enum Met {
    /// It is refused; these words are in the reason and in what mends it.
    Refused(&'static [&'static str]),
    /// It is done, with these words in its warnings, and ends so with so many members of version 1 and 2.
    Handled(&'static [&'static str], Outcome, (usize, usize)),
}

use Met::{Handled, Refused};

/// A trap, how many seconds it has been open, what is wished beside the usual, and what becomes of it.
type Row = (&'static str, i64, fn(&mut RefreshPreset), Met);

fn usual(_: &mut RefreshPreset) {}

fn alarmed(preset: &mut RefreshPreset) {
    preset.alarms = Some(vec!["web-errors".into()]);
    preset.bake_s = Some(1800);
}

fn waiting(preset: &mut RefreshPreset) {
    preset.standby = Some(Handling::Wait);
    preset.protected = Some(Handling::Wait);
}

fn replacing(preset: &mut RefreshPreset) {
    preset.standby = Some(Handling::Replace);
    preset.protected = Some(Handling::Replace);
}

const OLD: (usize, usize) = (4, 0);
const NEW: (usize, usize) = (0, 4);

const ROWS: &[Row] = &[
    ("plain", 0, usual, Handled(&["commit `version"], Outcome::Done, NEW)),
    ("update-restricted", 30, usual, Refused(&["under way already", "--adopt"])),
    ("other-refresh", 30, usual, Refused(&["under way already", "--adopt"])),
    ("standby-waits", 0, waiting, Refused(&["in standby", "coredeck return"])),
    ("standby-waits", 0, usual, Handled(&["in standby"], Outcome::Done, (1, 4))),
    ("standby-waits", 0, replacing, Handled(&["in standby"], Outcome::Done, NEW)),
    ("protected-waits", 0, waiting, Refused(&["would wait an hour", "--protected replace"])),
    ("protected-waits", 0, usual, Refused(&["nobody said what becomes of them", "--protected replace"])),
    ("protected-waits", 0, replacing, Handled(&["are replaced all the same"], Outcome::Done, NEW)),
    ("unhealthy-replacements", 0, usual, Handled(&[], Outcome::RolledBack, OLD)),
    ("ec2-checks-only", 0, usual, Refused(&["checks only whether machines run", "--alarm"])),
    ("managed-protection", 0, waiting, Refused(&["protected by ECS", "--protected replace"])),
    ("managed-protection", 0, usual, Handled(&["ECS drains them"], Outcome::Done, NEW)),
    ("no-draining", 0, usual, Refused(&["protected by ECS", "managed draining"])),
    (
        "draining-stuck",
        0,
        usual,
        Refused(&["can move no task of prod/auth", "coredeck scale prod/auth --desired 2"]),
    ),
    ("launch-hook", 0, usual, Handled(&["warm-caches", "gets nowhere"], Outcome::RolledBack, OLD)),
    ("terminate-hook", 0, usual, Handled(&["ship-logs"], Outcome::Done, NEW)),
    ("heavy-weights", 0, usual, Refused(&["AWS may replace every instance at once", "lower the weights"])),
    ("attribute-based", 0, usual, Handled(&["chooses types by attributes"], Outcome::Done, OLD)),
    ("same-version", 0, usual, Refused(&["every member matches already", "--skip-matching no"])),
    ("no-run-instances", 0, usual, Refused(&["ec2:RunInstances"])),
    ("no-create-tags", 0, usual, Refused(&["ec2:CreateTags"])),
    ("no-pass-role", 0, usual, Refused(&["iam:PassRole"])),
    ("autoscaler-fights", 0, usual, Handled(&[], Outcome::Done, (0, 3))),
    ("cancelled", 900, usual, Handled(&[], Outcome::Done, NEW)),
    ("floating-version", 0, usual, Handled(&["follows $Latest"], Outcome::Done, NEW)),
    ("default-version", 0, usual, Handled(&["follows $Default"], Outcome::Done, NEW)),
    ("aliased-image", 0, usual, Handled(&["looks its image up"], Outcome::Done, NEW)),
    ("old-image-gone", 0, usual, Handled(&["Impossible", "gone"], Outcome::Done, NEW)),
    ("old-image-goes", 0, usual, Handled(&[], Outcome::Done, NEW)),
    (
        "held",
        0,
        usual,
        Refused(&["InstanceRefresh is suspended", "coredeck resume web --process InstanceRefresh"]),
    ),
    ("launch-suspended", 0, usual, Refused(&["Launch is suspended", "coredeck resume web --process Launch"])),
    (
        "terminate-suspended",
        0,
        usual,
        Refused(&["Terminate is suspended", "coredeck resume web --process Terminate"]),
    ),
    (
        "one-instance",
        0,
        |preset| preset.min_healthy = Some(90),
        Refused(&["out of service at once", "--min-healthy 100"]),
    ),
    ("one-instance", 0, usual, Handled(&["has its maximum of 1"], Outcome::Done, (0, 1))),
    ("no-room", 0, usual, Handled(&[], Outcome::RolledBack, OLD)),
    ("no-room-comes-back", 0, usual, Handled(&[], Outcome::Done, NEW)),
    ("at-its-maximum", 0, usual, Handled(&["has its maximum of 4"], Outcome::Done, NEW)),
    ("wrong-architecture", 0, usual, Refused(&["arm64"])),
    ("foreign-image", 0, usual, Refused(&["image"])),
    ("new-image-gone", 0, usual, Refused(&["is gone", "--to-version"])),
    ("deprecated-image", 0, usual, Handled(&[], Outcome::Done, NEW)),
    ("no-agent", 0, usual, Handled(&[], Outcome::Done, NEW)),
    ("impaired", 0, usual, Refused(&["checks only whether machines run", "--alarm"])),
    ("alarm-fires", 0, alarmed, Handled(&[], Outcome::RolledBack, OLD)),
    ("alarm-already", 120, alarmed, Refused(&["rings already"])),
    ("template-edited", 0, usual, Handled(&[], Outcome::Done, NEW)),
    ("contention", 0, usual, Handled(&[], Outcome::Done, NEW)),
    ("limit", 0, usual, Handled(&[], Outcome::Failed, OLD)),
    ("lost-start", 0, usual, Handled(&[], Outcome::Done, NEW)),
    ("lost-start-unbegun", 0, usual, Handled(&[], Outcome::Done, NEW)),
    ("per-override-images", 0, usual, Refused(&["is launched with one of its own", "coredeck rollout web"])),
];

fn wish(name: &str, more: fn(&mut RefreshPreset)) -> Intent {
    let mut preset = RefreshPreset {
        warmup_s: Some(60),
        checkpoints: Some(Vec::new()),
        bake_s: Some(0),
        ..RefreshPreset::default()
    };
    more(&mut preset);
    let mut intent = intent("refresh", &["web"]);
    let version = (name != "attribute-based").then(|| "2".to_owned());
    intent.options.refresh = Some(Box::new(RefreshWish { version, preset, ..RefreshWish::default() }));
    intent
}

/// What of a trap is not as its row says.
async fn walked(row: &'static Row) -> Vec<String> {
    let (name, seconds, more, met) = row;
    let mut wrong = Vec::new();
    let bench = Bench::of(trap(name).await).await;
    let at = bench.timer.now() + SignedDuration::from_secs(*seconds);
    bench.timer.until(at).await;
    let planned = bench.plan(wish(name, *more)).await;
    match (planned, met) {
        (Err(error), Refused(words)) => {
            let said = why(&error);
            for word in words.iter().filter(|word| !said.contains(**word)) {
                wrong.push(format!("{name}: `{word}` is not in {said}"));
            }
            if !bench.changes().is_empty() {
                wrong.push(format!("{name}: changed something: {:?}", bench.changes()));
            }
        }
        (Ok(plan), Refused(_)) => wrong.push(format!("{name}: not refused; {:?}", plan.warnings)),
        (Err(error), Handled(..)) => wrong.push(format!("{name}: refused: {}", why(&error))),
        (Ok(plan), Handled(words, outcome, left)) => {
            let said = format!("{} {:?}", plan.warnings.join("\n"), plan.lanes[0].steps[0].undo);
            for word in words.iter().filter(|word| !said.contains(**word)) {
                wrong.push(format!("{name}: `{word}` is not in {said}"));
            }
            let op = bench.run(&bench.enter(&plan).id).await;
            let then = bench.timer.now() + SignedDuration::from_mins(5);
            bench.timer.until(then).await;
            let (counts, _) = versions(&bench, "web").await;
            let count = |version| counts.get(version).copied().unwrap_or(0);
            let came = (count("1"), count("2"));
            if op.ended.map(|(end, _)| end) != Some(*outcome) || came != *left {
                let told: Vec<_> = op.lanes.iter().map(|lane| (lane.phase, &lane.why, &lane.told)).collect();
                wrong.push(format!("{name}: {:?} {came:?} {told:?}", op.ended));
            }
            let all = asg(&bench.running, "DescribeInstanceRefreshes", "AutoScalingGroupName=web").await;
            let begun = all.matches("<InstanceRefreshId>").count();
            if begun > 1 + usize::from(name.starts_with("cancelled")) {
                wrong.push(format!("{name}: {begun} refreshes"));
            }
        }
    }
    wrong
}

async fn walk(rows: impl Iterator<Item = &'static Row>) {
    let walks: Vec<_> = rows.map(|row| tokio::spawn(walked(row))).collect();
    let mut wrong = Vec::new();
    for walk in walks {
        wrong.extend(walk.await.unwrap());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_trap_that_would_hurt_is_refused_with_its_mend() {
    walk(ROWS.iter().filter(|(.., met)| matches!(met, Refused(_)))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_trap_is_handled_and_ends_as_it_was_said() {
    walk(ROWS.iter().filter(|(.., met)| matches!(met, Handled(..)))).await;
}

#[test]
fn no_trap_is_left_out() {
    let met: BTreeSet<&str> = ROWS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(met, BTreeSet::from(ALL));
}
