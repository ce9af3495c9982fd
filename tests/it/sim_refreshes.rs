//! Instance refreshes in the simulator, trap by trap: what AWS refuses, where it stalls, how it ends and what is left.

use crate::sim::query;
use crate::sim_groups::{asg, element};
use crate::traps::trap;
use coredeck::sim::Running;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A refresh that keeps three of four, with a minute of warm-up, and leaves alone what matches.
const USUAL: &str =
    "InstanceWarmup=60&Preferences.MinHealthyPercentage=75&Preferences.SkipMatching=true&Preferences.";

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// What one call is asked, and must answer well.
async fn done(running: &Running, action: &str, rest: &str) -> String {
    let answer = asg(running, action, &format!("AutoScalingGroupName=web&{rest}")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{action} {rest}: {answer}");
    answer
}

/// The code and the sentence of a refusal.
fn refused(answer: &str) -> (String, String) {
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    (element(answer, "Code").to_owned(), element(answer, "Message").to_owned())
}

async fn start(running: &Running, preferences: &str) -> String {
    let wish = "DesiredConfiguration.LaunchTemplate.LaunchTemplateName=web&DesiredConfiguration.LaunchTemplate.Version=2";
    let rest = format!("AutoScalingGroupName=web&{wish}&Preferences.{preferences}");
    asg(running, "StartInstanceRefresh", rest.trim_end_matches("&Preferences.")).await
}

async fn begin(running: &Running, preferences: &str) {
    let answer = start(running, preferences).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{preferences}: {answer}");
}

/// The newest refresh of the group, as it was answered.
async fn refresh(running: &Running) -> String {
    let all = done(running, "DescribeInstanceRefreshes", "MaxRecords=1").await;
    all.split_once("</InstanceRefreshes>").map(|(first, _)| first.to_owned()).unwrap_or(all)
}

async fn status(running: &Running) -> String {
    element(&refresh(running).await, "Status").to_owned()
}

fn number(answer: &str, name: &str) -> u32 {
    element(answer, name).parse().unwrap()
}

/// Steps until the refresh is over, and returns the states that it went through and how many minutes it took.
async fn end(running: &Running, by: u64, most: u64) -> (Vec<String>, u64) {
    let mut seen: Vec<String> = Vec::new();
    for minute in (by..=most).step_by(usize::try_from(by).unwrap()) {
        running.step(minutes(by));
        let now = status(running).await;
        if seen.last() != Some(&now) {
            seen.push(now.clone());
        }
        if ["Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed"]
            .contains(&now.as_str())
        {
            return (seen, minute);
        }
    }
    panic!("not over after {most} minutes: {seen:?} {}", refresh(running).await);
}

/// Members by version: how many there are of each, and their ids.
async fn members(running: &Running) -> BTreeMap<String, BTreeSet<String>> {
    let answer = asg(running, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=web").await;
    let (_, rest) = answer.split_once("<Instances>").unwrap_or(("", ""));
    let rows = rest.split_once("</Instances>").map_or("", |(rows, _)| rows);
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows.split("<member>").skip(1) {
        let version = element(row, "Version").to_owned();
        all.entry(version).or_default().insert(element(row, "InstanceId").to_owned());
    }
    all
}

/// How many members are of version 1 and of version 2.
async fn versions(running: &Running) -> (usize, usize) {
    let all = members(running).await;
    let count = |version: &str| all.get(version).map_or(0, BTreeSet::len);
    (count("1"), count("2"))
}

/// A trap walked into: its scenario, preferences beside the usual ones, the state that it ends in, within how many
/// minutes at least and at most, what the reason says, and how many members of version 1 and 2 there are then.
type Row = (&'static str, &'static str, &'static str, (u64, u64), &'static str, (usize, usize));

const ROWS: &[Row] = &[
    ("plain", "", "Successful", (3, 60), "", (0, 4)),
    ("standby-waits", "", "Failed", (60, 90), "is in standby", (1, 4)),
    ("standby-waits", "StandbyInstances=Ignore", "Successful", (3, 60), "", (1, 4)),
    ("standby-waits", "StandbyInstances=Terminate", "Successful", (3, 60), "", (0, 4)),
    ("protected-waits", "", "Failed", (60, 90), "protected from scale in", (1, 3)),
    ("protected-waits", "ScaleInProtectedInstances=Ignore", "Successful", (3, 60), "", (1, 3)),
    ("protected-waits", "ScaleInProtectedInstances=Refresh", "Successful", (3, 60), "", (0, 4)),
    ("unhealthy-replacements", "", "Failed", (60, 120), "have not become healthy", (4, 0)),
    ("unhealthy-replacements", "AutoRollback=true", "RollbackSuccessful", (60, 130), "", (4, 0)),
    ("ec2-checks-only", "", "Successful", (3, 60), "", (0, 4)),
    // Counted before anybody noticed; with a longer warm-up it is not.
    ("impaired", "", "Successful", (3, 60), "", (0, 4)),
    ("impaired", "InstanceWarmup=600", "Failed", (60, 150), "have not become healthy", (3, 1)),
    ("no-agent", "", "Successful", (3, 90), "", (0, 4)),
    ("managed-protection", "", "Failed", (60, 90), "protected from scale in", (4, 0)),
    ("managed-protection", "ScaleInProtectedInstances=Ignore", "Successful", (1, 10), "", (4, 0)),
    ("managed-protection", "ScaleInProtectedInstances=Refresh", "Successful", (3, 200), "", (0, 4)),
    ("launch-hook", "", "Failed", (60, 120), "have not become healthy", (3, 1)),
    ("terminate-hook", "", "Successful", (480, 600), "", (0, 4)),
    ("heavy-weights", "", "Successful", (2, 60), "", (0, 4)),
    ("autoscaler-fights", "", "Successful", (3, 90), "", (0, 4)),
    ("old-image-gone", "", "Successful", (3, 60), "", (0, 4)),
    ("no-room", "", "Failed", (60, 90), "desired capacity", (3, 0)),
    ("no-room", "MaxHealthyPercentage=150", "Failed", (60, 90), "could not be launched", (4, 0)),
    ("no-room-comes-back", "", "Successful", (33, 90), "", (0, 4)),
    ("deprecated-image", "", "Successful", (3, 60), "", (0, 4)),
    (
        "alarm-already",
        "AlarmSpecification.Alarms.member.1=web-errors",
        "Failed",
        (1, 2),
        "web-errors",
        (4, 0),
    ),
    (
        "alarm-fires",
        "AlarmSpecification.Alarms.member.1=web-errors&Preferences.AutoRollback=true&Preferences.BakeTime=3600",
        "RollbackSuccessful",
        (12, 60),
        "",
        (4, 0),
    ),
    ("floating-version", "", "Successful", (3, 60), "", (0, 4)),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_trap_ends_as_it_does_on_aws() {
    let mut wrong = Vec::new();
    for (name, preferences, state, (least, most), reason, left) in ROWS {
        let running = trap(name).await;
        running.step(Duration::from_secs(5));
        let usual = match preferences.contains("InstanceWarmup") {
            true => USUAL.replace("InstanceWarmup=60&Preferences.", ""),
            false => USUAL.to_owned(),
        };
        begin(&running, &format!("{usual}{preferences}")).await;
        let by = if *most > 300 { 20 } else { 1 };
        let (seen, took) = end(&running, by, *most).await;
        // What is on its way out or in settles.
        running.step(minutes(3));
        let said = refresh(&running).await;
        let came = versions(&running).await;
        let is_as_said = seen.last().is_some_and(|last| last == state)
            && (*least..=*most).contains(&took)
            && (reason.is_empty() || element(&said, "StatusReason").contains(reason))
            && (came == *left || *name == "autoscaler-fights" && came.0 == 0);
        if !is_as_said {
            wrong.push(format!("{name} {preferences}: {seen:?} after {took} minutes, {came:?}\n  {said}"));
        }
        let group = asg(&running, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=web").await;
        let (_, own) = group.split_once("<LaunchTemplateName>web</LaunchTemplateName>").unwrap();
        let version = element(own, "Version");
        let expected = match *state {
            "Successful" => "2",
            _ => "1",
        };
        // The group's own settings change with success, and only then. Members come after them in the answer.
        let (before, _) = group.split_once("<Instances>").unwrap_or((&group, ""));
        if before.contains("<Version>") && element(before, "Version") != expected {
            wrong.push(format!("{name} {preferences}: the group is left on {version}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_launched_is_refused_at_the_start_and_by_a_dry_run() {
    let rows = [
        ("wrong-architecture", "ValidationError", "InvalidParameterValue", "architecture 'arm64'"),
        ("foreign-image", "ValidationError", "AuthFailure", "Not authorized for images"),
        ("new-image-gone", "ValidationError", "InvalidAMIID.NotFound", "does not exist"),
        ("no-run-instances", "AccessDenied", "UnauthorizedOperation", "ec2:RunInstances"),
        ("no-create-tags", "AccessDenied", "UnauthorizedOperation", "ec2:CreateTags"),
        ("no-pass-role", "AccessDenied", "UnauthorizedOperation", "iam:PassRole"),
        ("plain", "", "DryRunOperation", "would have succeeded"),
        ("deprecated-image", "", "DryRunOperation", "would have succeeded"),
    ];
    for (name, code, dry, sentence) in rows {
        let running = trap(name).await;
        let body = "Action=RunInstances&Version=2016-11-15&MinCount=1&MaxCount=1&DryRun=true&LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=2";
        let (said, why) = refused(&query(&running, "ec2", body).await);
        assert_eq!(said, dry, "{name}: {why}");
        assert!(why.replace("&apos;", "'").contains(sentence), "{name}: {why}");
        let answer = start(&running, USUAL).await;
        if code.is_empty() {
            assert!(answer.starts_with("HTTP/1.1 200"), "{name}: {answer}");
            continue;
        }
        let (said, why) = refused(&answer);
        let misleading = "You are not authorized to use launch template";
        let begins = if code == "AccessDenied" {
            misleading
        } else {
            "You must use a valid fully-formed launch template."
        };
        assert_eq!(said, code, "{name}: {why}");
        assert!(why.starts_with(begins), "{name}: {why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_way_back_where_aws_has_none() {
    for name in ["floating-version", "default-version", "aliased-image"] {
        let running = trap(name).await;
        let (code, why) = refused(&start(&running, &format!("{USUAL}AutoRollback=true")).await);
        assert!(code == "ValidationError" && why.contains("AutoRollback"), "{name}: {code} {why}");
        begin(&running, USUAL.replace("=true", "=false").as_str()).await;
        running.step(Duration::from_secs(60));
        let (code, why) =
            refused(&asg(&running, "RollbackInstanceRefresh", "AutoScalingGroupName=web").await);
        assert_eq!(code, "IrreversibleInstanceRefresh", "{name}: {why}");
    }
    // Without a desired configuration neither.
    let running = trap("plain").await;
    let auto = "AutoScalingGroupName=web&Preferences.AutoRollback=true";
    assert_eq!(refused(&asg(&running, "StartInstanceRefresh", auto).await).0, "ValidationError");
    done(&running, "StartInstanceRefresh", "").await;
    let (code, _) = refused(&asg(&running, "RollbackInstanceRefresh", "AutoScalingGroupName=web").await);
    assert_eq!(code, "IrreversibleInstanceRefresh");
    // Where AWS chooses the types it takes neither a configuration nor SkipMatching.
    let running = trap("attribute-based").await;
    assert_eq!(refused(&start(&running, "MinHealthyPercentage=75").await).0, "ValidationError");
    let skips = "AutoScalingGroupName=web&Preferences.SkipMatching=true";
    assert_eq!(refused(&asg(&running, "StartInstanceRefresh", skips).await).0, "ValidationError");
    let before = members(&running).await;
    done(
        &running,
        "StartInstanceRefresh",
        "Preferences.MinHealthyPercentage=50&Preferences.InstanceWarmup=30",
    )
    .await;
    let (seen, _) = end(&running, 1, 90).await;
    assert_eq!(seen, ["InProgress", "Successful"]);
    assert!(before["1"].is_disjoint(&members(&running).await["1"]), "all of them were replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_to_an_image_that_is_gone_fails_and_leaves_the_group_short() {
    for name in ["old-image-gone", "old-image-goes"] {
        let running = trap(name).await;
        begin(&running, USUAL).await;
        running.step(Duration::from_secs(240));
        done(&running, "RollbackInstanceRefresh", "").await;
        let (seen, took) = end(&running, 1, 120).await;
        assert_eq!(seen, ["RollbackInProgress", "RollbackFailed"], "{name}");
        assert!(took >= 60, "{name}: {took}");
        let all: usize = members(&running).await.values().map(BTreeSet::len).sum();
        assert!(all < 4, "{name}: {all}");
        let activities = done(&running, "DescribeScalingActivities", "").await;
        assert!(activities.contains("does not exist. Launching EC2 instance failed."), "{activities}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_falls_to_nothing_and_remembers_how_far_it_was() {
    let running = trap("plain").await;
    begin(&running, USUAL).await;
    let before = loop {
        running.step(Duration::from_secs(20));
        let now = refresh(&running).await;
        if now.contains("<PercentageComplete>") && number(&now, "PercentageComplete") >= 50 {
            break now;
        }
    };
    done(&running, "RollbackInstanceRefresh", "").await;
    let (mut last, mut fell) = (100, BTreeSet::new());
    let after = loop {
        let now = refresh(&running).await;
        let percent = number(&now, "PercentageComplete");
        assert!(percent <= last, "it only falls: {now}");
        last = percent;
        fell.insert(percent);
        if element(&now, "Status") != "RollbackInProgress" {
            break now;
        }
        running.step(Duration::from_secs(20));
    };
    assert_eq!((element(&after, "Status"), last), ("RollbackSuccessful", 0));
    assert!(fell.len() >= 3, "little by little: {fell:?}");
    for (kept, was) in [
        ("PercentageCompleteOnRollback", "PercentageComplete"),
        ("InstancesToUpdateOnRollback", "InstancesToUpdate"),
    ] {
        assert_eq!(element(&after, kept), element(&before, was), "{after}");
    }
    assert_eq!(
        element(&after, "InstancesToUpdate"),
        element(&before, "InstancesToUpdate"),
        "not updated, so left"
    );
    assert_eq!(versions(&running).await, (4, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_refresh_waits_for_a_week_and_goes_on() {
    for (name, process) in
        [("held", "InstanceRefresh"), ("launch-suspended", "Launch"), ("terminate-suspended", "Terminate")]
    {
        let running = trap(name).await;
        begin(&running, USUAL).await;
        running.step(minutes(7 * 24 * 60));
        let now = refresh(&running).await;
        assert_eq!(element(&now, "Status"), "InProgress", "{name}: {now}");
        assert!(!now.contains("<StatusReason>"), "nothing says why: {name}: {now}");
        done(&running, "ResumeProcesses", &format!("ScalingProcesses.member.1={process}")).await;
        let (seen, _) = end(&running, 1, 60).await;
        assert_eq!(seen, ["InProgress", "Successful"], "{name}");
        assert_eq!(versions(&running).await, (0, 4), "{name}");
    }
    // Replacing for 14 days is too long; being held is not replacing.
    let running = trap("launch-suspended").await;
    begin(&running, USUAL).await;
    running.step(minutes(14 * 24 * 60 + 30));
    assert!(element(&refresh(&running).await, "StatusReason").contains("14 days"));
    let running = trap("held").await;
    begin(&running, USUAL).await;
    running.step(minutes(20 * 24 * 60));
    assert_eq!(status(&running).await, "InProgress");
}

#[tokio::test(flavor = "multi_thread")]
async fn how_few_serve_is_what_the_limits_and_the_weights_make_of_it() {
    let rows = [
        ("one-instance", "MinHealthyPercentage=90", 0),
        ("one-instance", "MinHealthyPercentage=100", 1),
        ("plain", "MinHealthyPercentage=90", 3),
        ("plain", "MinHealthyPercentage=50", 2),
        ("plain", "MinHealthyPercentage=0", 0),
        ("plain", "MinHealthyPercentage=100&Preferences.MaxHealthyPercentage=125", 4),
        // One that weighs as much as the group leaves nothing of the limits.
        ("heavy-weights", "MinHealthyPercentage=90", 0),
    ];
    for (name, preferences, least) in rows {
        let running = trap(name).await;
        begin(&running, preferences).await;
        let mut fewest = usize::MAX;
        for _ in 0..80 {
            running.step(Duration::from_secs(10));
            let group =
                asg(&running, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=web").await;
            fewest = fewest.min(group.matches("<LifecycleState>InService<").count());
        }
        assert_eq!(fewest, least, "{name} {preferences}");
        assert_eq!(versions(&running).await.0, 0, "{name} {preferences}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn small_groups_skip_checkpoints_and_grown_ones_come_by_them_again() {
    let marks = |of: &[u32]| -> String {
        let each =
            (1..).zip(of).map(|(n, mark)| format!("CheckpointPercentages.member.{n}={mark}&Preferences."));
        each.collect::<String>() + "CheckpointDelay=3600"
    };
    // [10, 40, 100] with two of them: the first one that is done is at 50.
    let running = trap("plain").await;
    done(&running, "UpdateAutoScalingGroup", "DesiredCapacity=2").await;
    running.step(minutes(5));
    begin(&running, &format!("{}{}", USUAL.replace("75", "50"), marks(&[10, 40, 100]))).await;
    let (mut at, mut lagged) = (0, false);
    for _ in 0..20 {
        running.step(Duration::from_secs(30));
        let now = refresh(&running).await;
        let percent = number(&now, "PercentageComplete");
        lagged |= percent == 0 && versions(&running).await.1 > 0;
        assert!(percent == 0 || percent == 50, "{now}");
        at = at.max(percent);
    }
    assert!(at == 50 && lagged, "what warms up does not count yet");
    running.step(minutes(40));
    assert_eq!(number(&refresh(&running).await, "PercentageComplete"), 50, "held for an hour");
    // Two of eight are a quarter: it grows, falls below, and is held there again.
    done(&running, "UpdateAutoScalingGroup", "DesiredCapacity=8").await;
    running.step(Duration::from_secs(20));
    assert!(number(&refresh(&running).await, "PercentageComplete") < 40);
    running.step(minutes(15));
    let now = refresh(&running).await;
    assert_eq!(versions(&running).await, (1, 7), "scale-outs launch the new version: {now}");
    running.step(minutes(30));
    assert_eq!(status(&running).await, "InProgress", "its delay began anew");
    let (seen, _) = end(&running, 5, 120).await;
    assert_eq!((seen.last().map(String::as_str), versions(&running).await), (Some("Successful"), (0, 8)));
    // A last one below 100 is all that was asked for.
    let running = trap("plain").await;
    begin(&running, &format!("{USUAL}{}", marks(&[50]))).await;
    let (_, took) = end(&running, 1, 120).await;
    let said = refresh(&running).await;
    assert_eq!((element(&said, "Status"), number(&said, "PercentageComplete")), ("Successful", 50), "{said}");
    assert!(took > 60 && versions(&running).await == (2, 2), "{took}");
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_that_cannot_end_holds_a_host_for_two_days() {
    let running = trap("draining-stuck").await;
    begin(&running, &format!("{USUAL}ScaleInProtectedInstances=Refresh")).await;
    running.step(minutes(40 * 60));
    let held = async || {
        let group = asg(&running, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=web").await;
        let rows: Vec<&str> =
            group.split("<member>").filter(|row| row.contains("Terminating:Wait")).collect();
        rows.first().map(|row| element(row, "InstanceId").to_owned())
    };
    let first = held().await.expect("a host that waits");
    assert_eq!(status(&running).await, "InProgress");
    running.step(minutes(10 * 60));
    assert_ne!(held().await, Some(first), "after 48 hours it is terminated");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_skip_matching_goes_on_where_a_cancelled_one_stopped() {
    for (skips, kept) in [("true", true), ("false", false)] {
        let running = trap("cancelled").await;
        running.step(minutes(15));
        assert_eq!(status(&running).await, "Cancelled");
        let half = members(&running).await;
        assert!(half["1"].len() + half["2"].len() == 4, "{half:?}");
        begin(&running, &USUAL.replace("SkipMatching=true", &format!("SkipMatching={skips}"))).await;
        end(&running, 1, 60).await;
        let after = members(&running).await;
        assert_eq!(half["2"].is_subset(&after["2"]), kept, "{half:?} {after:?}");
        assert_eq!(after["2"].len(), 4);
    }
    // The same version with what it pulls changed: nothing is replaced, and all is well.
    let running = trap("same-version").await;
    let before = members(&running).await;
    begin(&running, USUAL).await;
    assert_eq!(end(&running, 1, 10).await.0.last().map(String::as_str), Some("Successful"));
    assert_eq!(members(&running).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_a_time_and_the_group_is_not_to_be_changed_meanwhile() {
    let running = trap("update-restricted").await;
    running.step(Duration::from_secs(20));
    let (code, why) = refused(&start(&running, USUAL).await);
    assert_eq!(code, "InstanceRefreshInProgress", "{why}");
    let update = "AutoScalingGroupName=web&LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=1";
    let (code, why) = refused(&asg(&running, "UpdateAutoScalingGroup", update).await);
    assert!(
        code == "ValidationError"
            && why.starts_with("An active instance refresh with a desired configuration exists."),
        "{why}"
    );
    // Sizes may change.
    done(&running, "UpdateAutoScalingGroup", "MaxSize=9").await;
    // Another change is under way twice; then it begins.
    let running = trap("contention").await;
    for _ in 0..2 {
        let answer = start(&running, USUAL).await;
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
        assert_eq!(refused(&answer).0, "ResourceContention");
    }
    begin(&running, USUAL).await;
    assert_eq!(refused(&start(&trap("limit").await, USUAL).await).0, "LimitExceeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn root_volumes_are_replaced_only_where_aws_can() {
    let strategy = "Strategy=ReplaceRootVolume&AutoScalingGroupName=web";
    let wish = "DesiredConfiguration.MixedInstancesPolicy.LaunchTemplate";
    let template = format!(
        "{wish}.LaunchTemplateSpecification.LaunchTemplateName=web&{wish}.LaunchTemplateSpecification.Version=2"
    );
    let running = trap("per-override-images").await;
    let images = query(
        &running,
        "ec2",
        "Action=DescribeImages&Version=2016-11-15&Filter.1.Name=name&Filter.1.Value.1=web-2",
    )
    .await;
    let image = element(&images, "imageId");
    let kinds = format!(
        "{template}&{wish}.Overrides.member.1.InstanceType=m5.large&{wish}.Overrides.member.2.InstanceType=m5a.large"
    );
    let images = format!(
        "{kinds}&{wish}.Overrides.member.1.ImageId={image}&{wish}.Overrides.member.2.ImageId={image}"
    );
    for (rest, why) in [
        ("", "needs a MixedInstancesPolicy"),
        (kinds.as_str(), "ImageId in every override"),
        (images.as_str(), "load balancer"),
    ] {
        let (code, said) =
            refused(&asg(&running, "StartInstanceRefresh", &format!("{strategy}&{rest}")).await);
        assert!(code == "ValidationError" && said.contains(why), "{said}");
    }
    // Without a load balancer they keep their places.
    let zone = "AvailabilityZones.member.1=us-east-1a&MinSize=0&MaxSize=4&DesiredCapacity=2";
    let own = images
        .replace("DesiredConfiguration.", "")
        .replace("Specification.Version=2", "Specification.Version=1");
    let made =
        asg(&running, "CreateAutoScalingGroup", &format!("AutoScalingGroupName=plain&{zone}&{own}")).await;
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    running.step(minutes(5));
    let instances = async || {
        let group = asg(&running, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=plain").await;
        let (_, rest) = group.split_once("<Instances>").unwrap();
        let (rows, _) = rest.split_once("</Instances>").unwrap();
        let one = |row: &str| (element(row, "InstanceId").to_owned(), element(row, "Version").to_owned());
        rows.split("<member>").skip(1).map(one).collect::<BTreeMap<_, _>>()
    };
    let before = instances().await;
    let rest = format!(
        "Strategy=ReplaceRootVolume&AutoScalingGroupName=plain&{images}&Preferences.MinHealthyPercentage=50&Preferences.InstanceWarmup=30"
    );
    let began = asg(&running, "StartInstanceRefresh", &rest).await;
    assert!(began.starts_with("HTTP/1.1 200"), "{began}");
    running.step(minutes(20));
    let after = instances().await;
    assert!(
        before.keys().eq(after.keys()) && after.values().all(|version| version == "2"),
        "{before:?} {after:?}"
    );
    let said = asg(&running, "DescribeInstanceRefreshes", "AutoScalingGroupName=plain").await;
    assert_eq!((element(&said, "Status"), element(&said, "Strategy")), ("Successful", "ReplaceRootVolume"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refreshes_are_kept_for_six_weeks_and_come_in_pages() {
    let running = trap("held").await;
    for _ in 0..60 {
        begin(&running, USUAL).await;
        done(&running, "CancelInstanceRefresh", "WaitForTransitioningInstances=false").await;
        running.step(Duration::from_secs(5));
    }
    let first = done(&running, "DescribeInstanceRefreshes", "").await;
    assert_eq!(first.matches("<InstanceRefreshId>").count(), 50);
    let rest = format!("NextToken={}", element(&first, "NextToken"));
    let second = done(&running, "DescribeInstanceRefreshes", &rest).await;
    assert_eq!(second.matches("<InstanceRefreshId>").count(), 10);
    assert!(!second.contains("<NextToken>"), "{second}");
    let (code, _) =
        refused(&asg(&running, "DescribeInstanceRefreshes", "AutoScalingGroupName=web&MaxRecords=101").await);
    assert_eq!(code, "ValidationError");
    running.step(minutes(43 * 24 * 60));
    let later = done(&running, "DescribeInstanceRefreshes", "").await;
    assert_eq!(later.matches("<InstanceRefreshId>").count(), 0, "{later}");
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_publishes_images_with_versions_and_names() {
    let running = trap("aliased-image").await;
    let ask = async |operation: &str, asked: serde_json::Value| {
        crate::sim::json(&running, "ssm", &format!("AmazonSSM.{operation}"), asked).await
    };
    let name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended";
    let newest = ask("GetParameter", serde_json::json!({ "Name": name })).await["Parameter"].take();
    let value: serde_json::Value = serde_json::from_str(newest["Value"].as_str().unwrap()).unwrap();
    assert_eq!(value["os"], "Amazon Linux 2023");
    assert_eq!(newest["ARN"], format!("arn:aws:ssm:us-east-1::parameter{name}"));
    let version = newest["Version"].as_u64().unwrap();
    let older = ask("GetParameter", serde_json::json!({ "Name": format!("{name}:{}", version - 2) })).await;
    assert_ne!(older["Parameter"]["Value"], newest["Value"]);
    let id = ask("GetParameter", serde_json::json!({ "Name": format!("{name}/image_id") })).await;
    assert_eq!(
        (&id["Parameter"]["Value"], &id["Parameter"]["Version"]),
        (&value["image_id"], &newest["Version"])
    );
    let exact = name.replace("recommended", value["image_name"].as_str().unwrap());
    let exact = ask("GetParameter", serde_json::json!({ "Name": exact })).await;
    assert_eq!(exact["Parameter"]["Value"], newest["Value"]);
    let below = ask(
        "GetParametersByPath",
        serde_json::json!({ "Path": "/aws/service/bottlerocket/aws-ecs-2", "Recursive": true, "MaxResults": 10 }),
    )
    .await;
    assert!(below["Parameters"].as_array().unwrap().len() >= 8, "{below}");
    // Nobody finds them among one's own.
    let own = ask("GetParametersByPath", serde_json::json!({ "Path": "/", "Recursive": true })).await;
    assert!(!own.to_string().contains("/aws/service"), "{own}");
    // A template that names one shows the alias, or what it means now.
    let versions = |more: &str| {
        format!(
            "Action=DescribeLaunchTemplateVersions&Version=2016-11-15&LaunchTemplateName=web&LaunchTemplateVersion.1=1{more}"
        )
    };
    let shown = query(&running, "ec2", &versions("")).await;
    assert!(element(&shown, "imageId").starts_with("resolve:ssm:/aws/service/"), "{shown}");
    let meant = query(&running, "ec2", &versions("&ResolveAlias=true")).await;
    assert!(element(&meant, "imageId").starts_with("ami-"), "{meant}");
}
