//! Refreshes of groups: to the end and back, over an alarm, held for a week, stopped, adopted, and refused for what
//! would make them stall or hurt.

use super::bench::{Bench, intent, later, runner, start, who};
use super::groups::{all, ask_in, end, taken_back, versions, why};
use super::refusing::{no, refusing};
use crate::sim_groups::{asg, element};
use coredeck::clock::Clock;
use coredeck::config::{Flags, Surroundings, load};
use coredeck::gateway::Change;
use coredeck::model::{Handling, RefreshPreset};
use coredeck::ops::commit::Commit;
use coredeck::ops::intent::RefreshWish;
use coredeck::ops::progress::Progress;
use coredeck::ops::refreshing::counted;
use coredeck::ops::{End, Intent, OpState, Outcome, Phase, Timer, Undo};
use coredeck::sim::{Happening, Mischief, Options, Rule, What, serve};
use coredeck::store::journal::Ledger;
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;

const GROUP: &str = "dev-hosts";

/// A refresh of a group to a version, quick and without waits.
fn refresh(group: &str, version: &str, more: fn(&mut RefreshPreset)) -> Intent {
    let mut preset = RefreshPreset {
        max_healthy: Some(150),
        warmup_s: Some(30),
        checkpoints: Some(Vec::new()),
        bake_s: Some(0),
        ..RefreshPreset::default()
    };
    more(&mut preset);
    let mut intent = intent("refresh", &[group]);
    let version = Some(version.to_owned());
    intent.options.refresh = Some(Box::new(RefreshWish { version, preset, ..RefreshWish::default() }));
    intent
}

fn adopt(group: &str) -> Intent {
    let mut intent = intent("refresh", &[group]);
    intent.options.refresh = Some(Box::new(RefreshWish { adopt: true, ..RefreshWish::default() }));
    intent
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_succeeded_is_taken_back_to_the_exact_version_and_that_again() {
    let bench = Bench::new().await;
    let plan = bench.plan(refresh(GROUP, "2", |_| ())).await.unwrap();
    assert!(matches!(plan.lanes[0].steps[0].undo, Undo::Exact { .. }), "{:?}", plan.lanes[0].steps[0].undo);
    let said = &plan.title;
    assert!(said.contains("dev-hosts from version 3 to version 2 of dev-host: 12 of 12 instances"), "{said}");
    assert!(plan.warnings.iter().any(|w| w.contains("commit `version = \"2\"`")), "{:?}", plan.warnings);
    let done = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&done), Some(Outcome::Done), "{:?}", done.lanes);
    assert_eq!(versions(&bench, GROUP).await, all("2"));
    assert_eq!(done.lanes[0].told.as_deref(), Some("replaced 12 of 12 (100 %)"));
    let commit = |op: &OpState| Progress::of(op, false, bench.timer.now()).commit;
    let said: Vec<String> = commit(&done).iter().map(Commit::said).collect();
    let value = "dev-hosts launches version 2 of dev-host now: commit `version = \"2\"` (Terraform, launch_template) \
                 or `Version: '2'` (CloudFormation), or the next apply takes it back";
    assert_eq!(said, [value]);

    let plan = taken_back(&bench, &done).await;
    let back = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&back), Some(Outcome::Done), "{:?}", back.lanes);
    assert_eq!(versions(&bench, GROUP).await, all("3"));
    let said: Vec<String> = commit(&back).iter().map(Commit::said).collect();
    assert_eq!(said, [value.replace('2', "3")], "what was committed meanwhile is set back too");
    assert_eq!(back.lanes[0].told.as_deref(), Some("replaced 12 of 12 (100 %); 12 of 12 run version 3"));

    let plan = taken_back(&bench, &back).await;
    let again = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&again), Some(Outcome::Done), "{:?}", again.lanes);
    assert_eq!(versions(&bench, GROUP).await, all("2"));
    assert_eq!(bench.changes()["StartInstanceRefresh"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_checkpoint_below_everything_is_a_part_that_says_so_and_comes_back() {
    let bench = Bench::new().await;
    let some = |preset: &mut RefreshPreset| {
        preset.checkpoints = Some(vec![25]);
        preset.checkpoint_delay_s = Some(60);
        preset.alarms = Some(vec!["auth-api-5xx".into()]);
    };
    let plan = bench.plan(refresh(GROUP, "2", some)).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let part = "the checkpoints of dev-hosts end at 25 %: the refresh succeeds with that part";
    assert!(plan.warnings.iter().any(|warning| warning.contains(part)), "{:?}", plan.warnings);
    // Neither the plan nor the operation claims more than that part.
    assert!(
        plan.title.contains("at least 3 of 12 instances, as its checkpoints end at 25 %"),
        "{}",
        plan.title
    );
    let shown = coredeck::ops::preview::text(&plan);
    assert!(!shown.contains("12 of 12"), "{shown}");
    let done = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&done), Some(Outcome::Done), "{:?}", done.lanes);
    let (counts, _) = versions(&bench, GROUP).await;
    let count = |version: &str| counts.get(version).copied().unwrap_or(0);
    let (old, new) = (count("3"), count("2"));
    assert!(new >= 3 && old > 0 && old + new == 12, "{counts:?}");
    let told = done.lanes[0].told.clone().unwrap_or_default();
    assert!(told.starts_with(&format!("replaced {new} of 12 ")), "{told}");
    assert!(told.contains("a part, as its checkpoints end at 25 %; the others stay as they were"), "{told}");
    let progress = Progress::of(&done, false, bench.timer.now());
    assert!(!serde_json::to_string(&progress).unwrap().contains("12 of 12"), "{progress:?}");
    // Every preference was sent, none was left to AWS: their defaults differ from the console's.
    let calls = bench.journal().entries(&done.record.id, 0).unwrap();
    let sent = calls.iter().find(|entry| entry.body.contains("aws autoscaling start-instance-refresh"));
    let sent = &sent.expect("the call").body;
    for name in [
        "MinHealthyPercentage",
        "MaxHealthyPercentage",
        "InstanceWarmup",
        "CheckpointPercentages",
        "CheckpointDelay",
        "SkipMatching",
        "AutoRollback",
        "ScaleInProtectedInstances",
        "StandbyInstances",
        "AlarmSpecification",
        "BakeTime",
        "Rolling",
    ] {
        assert!(sent.contains(name), "{name} is not in {sent}");
    }
    let plan = taken_back(&bench, &done).await;
    let back = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&back), Some(Outcome::Done), "{:?}", back.lanes);
    assert_eq!(versions(&bench, GROUP).await, all("3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_met_by_the_way_back_and_all_hosts_are_on_the_old_version() {
    let rings = Happening {
        at: Duration::from_secs(200),
        account: "*".to_owned(),
        region: "*".to_owned(),
        what: What::Alarm("auth-api-5xx".to_owned(), "ALARM".to_owned()),
    };
    let options =
        Options { clock: Clock::Fixed(start()), speed: 0.0, events: vec![rings], ..Options::default() };
    let bench = Bench::of(serve(options).await.unwrap()).await;
    let wanted = refresh(GROUP, "2", |preset| preset.alarms = Some(vec!["auth-api-5xx".into()]));
    let plan = bench.plan(wanted).await.unwrap();
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    assert!(op.lanes[0].why[0].contains("auth-api-5xx"), "{:?}", op.lanes[0].why);
    assert_eq!(versions(&bench, GROUP).await, all("3"));
    let changes = bench.changes();
    assert_eq!(changes.get("StartInstanceRefresh"), Some(&1));
    assert_eq!(changes.get("RollbackInstanceRefresh"), None, "AWS did it by itself");
    // AWS's percentage falls to 0 on the way back: how many are back is counted among the members.
    let entries = bench.journal().entries(&op.record.id, 0).unwrap();
    let told = entries.iter().filter_map(|entry| match serde_json::from_str(&entry.body) {
        Ok(coredeck::ops::Event::Told { what, .. }) => counted(&what).back.map(|(done, _)| done),
        _ => None,
    });
    let told: Vec<u32> = told.collect();
    assert!(told.len() > 2 && told.is_sorted() && told[0] < 12 && told.last() == Some(&12), "{told:?}");
    let said = op.lanes[0].told.clone().unwrap_or_default();
    assert!(said.starts_with("went back; ") && said.ends_with("; 12 of 12 run version 3"), "{said}");
    assert!(!said.contains(".;"), "{said}");
}

/// A group whose tier says in the configuration how it is refreshed.
const TIER: &str = r#"
[[tiers]]
name = "trying"
groups = "dev-hosts"

[tiers.refresh]
min_healthy = 75
max_healthy = 125
warmup = "45s"
checkpoints = [20, 60, 100]
checkpoint_delay = "90s"
bake = "2m"
auto_rollback = false
standby = "wait"
alarms = ["auth-api-5xx"]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_configuration_says_of_a_tier_is_what_aws_is_sent() {
    let mut bench = Bench::new().await;
    let file = bench.folder.path().join("coredeck.toml");
    std::fs::write(&file, TIER).unwrap();
    let flags = Flags { config: Some(file), ..Flags::default() };
    let loaded = load(&flags, &Surroundings::default()).unwrap_or_else(|error| panic!("{}", why(&error)));
    bench.config.tiers = loaded.config.tiers;
    let mut wanted = intent("refresh", &[GROUP]);
    // One thing is typed: it comes before what the tier says.
    let preset = RefreshPreset { warmup_s: Some(30), ..RefreshPreset::default() };
    let wish = RefreshWish { version: Some("2".to_owned()), preset, ..RefreshWish::default() };
    wanted.options.refresh = Some(Box::new(wish));
    wanted.options.override_budget = true;
    let plan = bench.plan(wanted).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let done = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&done), Some(Outcome::Done), "{:?}", done.lanes);
    let all = asg(&bench.running, "DescribeInstanceRefreshes", "AutoScalingGroupName=dev-hosts").await;
    let sent = all.split("<Preferences>").nth(1).unwrap().split("</Preferences>").next().unwrap();
    let says = |name: &str| element(sent, name).to_owned();
    let numbers =
        ["MinHealthyPercentage", "MaxHealthyPercentage", "InstanceWarmup", "CheckpointDelay", "BakeTime"];
    assert_eq!(numbers.map(says), ["75", "125", "30", "90", "120"], "{sent}");
    let words = ["SkipMatching", "AutoRollback", "ScaleInProtectedInstances", "StandbyInstances"];
    assert_eq!(words.map(says), ["true", "false", "Ignore", "Wait"], "{sent}");
    let marks: String = sent.split("<CheckpointPercentages>").nth(1).unwrap().chars().take(90).collect();
    assert!(
        marks.starts_with("<member>20</member><member>60</member><member>100</member></Checkpoint"),
        "{marks}"
    );
    assert!(sent.contains("<member>auth-api-5xx</member>"), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launch_that_is_denied_when_its_turn_comes_says_which_permission_is_missing() {
    let traps = [
        ("ec2:RunInstances", include_str!("../../samples/traps/no-run-instances.toml")),
        ("ec2:CreateTags", include_str!("../../samples/traps/no-create-tags.toml")),
        ("iam:PassRole", include_str!("../../samples/traps/no-pass-role.toml")),
    ];
    for (action, trap) in traps {
        // It was allowed when the plan was made.
        let trap = trap.replace("kind = \"denied\"", "kind = \"denied\"\nfrom = \"60s\"");
        let bench = Bench::of(serve(coredeck::sim::parse(&trap, action).unwrap()).await.unwrap()).await;
        let plan =
            bench.plan(refresh("web", "2", |_| ())).await.unwrap_or_else(|error| panic!("{}", why(&error)));
        bench.timer.until(later(2)).await;
        let op = bench.run(&bench.enter(&plan).id).await;
        assert_eq!(end(&op), Some(Outcome::Failed), "{action}: {:?}", op.lanes);
        let said = op.lanes[0].why.join("; ");
        let named = format!("a dry run of version 2 by EC2 says: {action} is missing");
        assert!(said.contains("launching from the template is denied") && said.contains(&named), "{said}");
        let others = traps.iter().filter(|(other, _)| *other != action);
        assert!(others.clone().all(|(other, _)| !said.contains(other)), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_outlives_its_terminal_and_a_week_and_then_it_goes_on() {
    let bench = Bench::new().await;
    let plan = bench.plan(refresh(GROUP, "2", |preset| preset.max_healthy = Some(110))).await.unwrap();
    let id = bench.enter(&plan).id;
    ask_in(&bench, &id, 8, "pause");
    let edge = bench.edge(Arc::new(bench.journal()), bench.writer());
    let stop = edge.stop.clone();
    let gone = later(12);
    bench.timer.then.lock().unwrap().push((gone, Box::new(move || stop.cancel())));
    let held = coredeck::ops::run(&edge, &id, &runner("anna")).await.unwrap();
    assert!(held.ended.is_none() && held.lanes[0].is_held(), "{:?}", held.lanes);
    bench.running.step(Duration::from_secs(600));
    let before = versions(&bench, GROUP).await;
    assert!(before.0.contains_key("2") && before.0.contains_key("3"), "{before:?}");
    bench.running.step(Duration::from_secs(7 * 86_400));
    assert_eq!(versions(&bench, GROUP).await, before, "nothing is replaced while it is held");

    bench.journal().ask(&id, "resume", &who("ben"), None, gone + SignedDuration::from_hours(7 * 24)).unwrap();
    *bench.timer.clock() = gone + SignedDuration::from_hours(7 * 24);
    let done = bench.run(&id).await;
    assert_eq!(end(&done), Some(Outcome::Done), "{:?}", done.lanes);
    assert_eq!(versions(&bench, GROUP).await, all("2"));
    let changes = bench.changes();
    let once = ["StartInstanceRefresh", "SuspendProcesses", "ResumeProcesses"];
    assert!(once.iter().all(|call| changes.get(*call) == Some(&1)), "{changes:?}");
    let log: Vec<String> =
        (bench.journal().entries(&id, 0).unwrap().iter()).map(|one| one.body.clone()).collect();
    assert!(log.iter().any(|body| body.contains("\"way\":\"hold\"")), "the hold stands in the journal");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_cancelled_or_turned_round_while_it_is_under_way() {
    let bench = Bench::new().await;
    let slow = |preset: &mut RefreshPreset| preset.max_healthy = Some(110);
    let plan = bench.plan(refresh(GROUP, "2", slow)).await.unwrap();
    let id = bench.enter(&plan).id;
    ask_in(&bench, &id, 8, "cancel");
    let op = bench.run(&id).await;
    assert_eq!(end(&op), Some(Outcome::PartWay), "{:?}", op.lanes);
    assert!(op.lanes[0].why[0].contains("cancelled"), "{:?}", op.lanes[0].why);
    assert_eq!(bench.changes().get("CancelInstanceRefresh"), Some(&1));
    let mixed = versions(&bench, GROUP).await;
    assert!(mixed.0.contains_key("2") && mixed.1 == "3", "{mixed:?}");

    // What it left is taken back by a refresh of its own.
    let plan = taken_back(&bench, &op).await;
    let back = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&back), Some(Outcome::Done), "{:?}", back.lanes);
    assert_eq!(versions(&bench, GROUP).await, all("3"));

    // Asked while it runs, AWS itself turns it round.
    let plan = bench.plan(refresh(GROUP, "2", slow)).await.unwrap();
    let id = bench.enter(&plan).id;
    ask_in(&bench, &id, 8, "rollback");
    let op = bench.run(&id).await;
    assert_eq!(end(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    assert_eq!(versions(&bench, GROUP).await, all("3"));
    assert_eq!(bench.changes().get("RollbackInstanceRefresh"), Some(&1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_follows_latest_is_sent_numbers_and_taken_back_by_them() {
    let bench = Bench::new().await;
    let named = "AutoScalingGroupNames.member.1=dev-hosts";
    let group = asg(&bench.running, "DescribeAutoScalingGroups", named).await;
    let template = element(&group, "LaunchTemplateId").to_owned();
    let follow = format!(
        "AutoScalingGroupName={GROUP}&LaunchTemplate.LaunchTemplateId={template}&LaunchTemplate.Version=$Latest"
    );
    let answer = asg(&bench.running, "UpdateAutoScalingGroup", &follow.replace('$', "%24")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let plan = bench.plan(refresh(GROUP, "2", |preset| preset.max_healthy = Some(110))).await.unwrap();
    assert!(
        plan.json().contains("follows $Latest") && !plan.json().contains("\"version\":\"$"),
        "{}",
        plan.json()
    );
    assert!(matches!(plan.lanes[0].steps[0].undo, Undo::BestEffort { .. }));
    let id = bench.enter(&plan).id;
    ask_in(&bench, &id, 8, "rollback");
    let op = bench.run(&id).await;
    assert_eq!(end(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    assert_eq!(versions(&bench, GROUP).await, all("3"));
    let changes = bench.changes();
    let counts = ["StartInstanceRefresh", "CancelInstanceRefresh", "RollbackInstanceRefresh"]
        .map(|call| changes.get(call).copied().unwrap_or(0));
    assert_eq!(counts, [2, 1, 0], "{changes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_refresh_is_refused_adopted_and_never_joined_by_a_second_one() {
    let bench = Bench::new().await;
    let mine = bench.plan(refresh(GROUP, "2", |_| ())).await.unwrap();
    let named = "AutoScalingGroupNames.member.1=dev-hosts";
    let group = asg(&bench.running, "DescribeAutoScalingGroups", named).await;
    let template = element(&group, "LaunchTemplateId");
    let begin = format!(
        "AutoScalingGroupName={GROUP}&DesiredConfiguration.LaunchTemplate.LaunchTemplateId={template}\
         &DesiredConfiguration.LaunchTemplate.Version=2&Preferences.MinHealthyPercentage=100\
         &Preferences.MaxHealthyPercentage=150&Preferences.InstanceWarmup=30&Preferences.SkipMatching=true"
    );
    let answer = asg(&bench.running, "StartInstanceRefresh", &begin).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let refused = bench.plan(refresh(GROUP, "2", |_| ())).await.unwrap_err();
    assert!(why(&refused).contains("under way already"), "{}", why(&refused));
    assert!(why(&refused).contains("coredeck refresh dev-hosts --adopt"), "{}", why(&refused));

    // A plan that was made before finds it when its turn comes.
    let op = bench.run(&bench.enter(&mine).id).await;
    assert_eq!(end(&op), Some(Outcome::Failed), "{:?}", op.lanes);
    assert!(
        op.lanes[0].why[0].contains("the newest refresh of dev-hosts was absent"),
        "{:?}",
        op.lanes[0].why
    );

    let plan = bench.plan(adopt(GROUP)).await.unwrap();
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::Done), "{:?}", op.lanes);
    assert_eq!(bench.changes()["StartInstanceRefresh"], 1, "only theirs");
    // Whoever started it: Terraform and CloudFormation know nothing of it.
    let value = "commit `version = \"2\"` (Terraform, launch_template) or `Version: '2'` (CloudFormation)";
    assert!(plan.warnings.iter().any(|warning| warning.contains(value)), "{:?}", plan.warnings);
    let said: Vec<String> =
        Progress::of(&op, false, bench.timer.now()).commit.iter().map(Commit::said).collect();
    assert!(said.len() == 1 && said[0].contains(value), "{said:?}");
    let plan = taken_back(&bench, &op).await;
    let back = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&back), Some(Outcome::Done), "{:?}", back.lanes);
    assert_eq!(versions(&bench, GROUP).await, all("3"));
    let none = bench.plan(adopt(GROUP)).await.unwrap_err();
    assert!(why(&none).contains("no refresh is under way; the last one was Successful"), "{}", why(&none));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_stall_or_hurt_is_refused_before_anything_is_changed() {
    let bench = Bench::new().await;
    let suspend = format!("AutoScalingGroupName={GROUP}&ScalingProcesses.member.1=Launch");
    asg(&bench.running, "SuspendProcesses", &suspend).await;
    let before = bench.changes();
    let refused = bench.plan(refresh(GROUP, "2", |_| ())).await.unwrap_err();
    assert!(why(&refused).contains("coredeck resume dev-hosts --process Launch"), "{}", why(&refused));
    asg(&bench.running, "ResumeProcesses", &suspend).await;

    // The planted one: ECS protects its hosts, one stands by, and one refresh hangs already.
    let stuck = bench.plan(refresh("workers-r7g", "2", |preset| preset.standby = Some(Handling::Wait))).await;
    let said = why(&stuck.unwrap_err());
    for word in ["under way already", "in standby"] {
        assert!(said.contains(word), "{word} in {said}");
    }
    let world = bench.world("refresh").await;
    let row = world
        .fleet
        .instances
        .iter()
        .find(|row| row.group.as_ref().is_some_and(|name| name.as_str() == GROUP));
    let guarded = row.expect("a member").it.id.to_string();
    let guard = format!("AutoScalingGroupName={GROUP}&InstanceIds.member.1={guarded}&ProtectedFromScaleIn");
    asg(&bench.running, "SetInstanceProtection", &format!("{guard}=true")).await;
    let said = why(&bench.plan(refresh(GROUP, "2", |_| ())).await.unwrap_err());
    assert!(said.contains(&guarded) && said.contains("--protected replace"), "{said}");
    let left =
        bench.plan(refresh(GROUP, "2", |preset| preset.protected = Some(Handling::Ignore))).await.unwrap();
    assert!(left.title.contains("11 of 12 instances"), "{}", left.title);
    asg(&bench.running, "SetInstanceProtection", &format!("{guard}=false")).await;
    let none = why(&bench.plan(refresh(GROUP, "99", |_| ())).await.unwrap_err());
    assert!(none.contains("dev-host has no version 99"), "{none}");
    let loud = bench.plan(refresh(GROUP, "2", |preset| preset.alarms = Some(vec!["no-such".into()]))).await;
    assert!(why(&loud.unwrap_err()).contains("there is no alarm no-such"));
    let same = why(&bench.plan(refresh(GROUP, "3", |_| ())).await.unwrap_err());
    assert!(same.contains("every member matches already"), "{same}");
    let again = bench.plan(refresh(GROUP, "3", |preset| preset.skips_matching = Some(false))).await.unwrap();
    assert!(
        matches!(&again.lanes[0].steps[0].undo, Undo::Impossible { why } if why.contains("the same version"))
    );
    let ended = before.get("ResumeProcesses").copied().unwrap_or(0) + 1;
    assert_eq!(bench.changes().get("ResumeProcesses"), Some(&ended));
    assert!(!bench.changes().contains_key("StartInstanceRefresh"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_back_is_stopped_and_said_to_be_half_done() {
    let bench = Bench::new().await;
    let wanted = refresh(GROUP, "3", |preset| {
        preset.skips_matching = Some(false);
        preset.max_healthy = Some(110);
    });
    let plan = bench.plan(wanted).await.unwrap();
    let id = bench.enter(&plan).id;
    ask_in(&bench, &id, 8, "rollback");
    let op = bench.run(&id).await;
    assert_eq!(end(&op), Some(Outcome::PartWay), "{:?}", op.lanes);
    assert_eq!(op.lanes[0].phase, Phase::Over(End::Stuck));
    assert_eq!(bench.changes().get("CancelInstanceRefresh"), Some(&1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_aws_will_not_roll_back_is_stopped_and_refreshed_to_the_recorded_version() {
    for code in ["IrreversibleInstanceRefresh", "AccessDenied"] {
        let bench = Bench::new().await;
        let plan = bench.plan(refresh(GROUP, "2", |preset| preset.max_healthy = Some(110))).await.unwrap();
        let id = bench.enter(&plan).id;
        ask_in(&bench, &id, 8, "rollback");
        let writer = refusing(bench.writer(), move |change| {
            let says = || {
                no("autoscaling:RollbackInstanceRefresh", code, "The instance refresh cannot be rolled back")
            };
            matches!(change, Change::RollBackRefresh { .. }).then(says)
        });
        let op =
            coredeck::ops::run(&bench.edge(Arc::new(bench.journal()), writer), &id, &runner("anna")).await;
        let op = op.unwrap();
        assert_eq!(end(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
        assert_eq!(versions(&bench, GROUP).await, all("3"));
        let changes = bench.changes();
        let counts = ["StartInstanceRefresh", "CancelInstanceRefresh", "RollbackInstanceRefresh"]
            .map(|call| changes.get(call).copied().unwrap_or(0));
        assert_eq!(counts, [2, 1, 0], "{changes:?}");
        let asked = op.calls.values().filter(|call| matches!(*call.change, Change::RollBackRefresh { .. }));
        assert_eq!(asked.count(), 1, "what AWS said no to is not asked again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_may_take_back_says_so_and_is_taken_back_once_somebody_may() {
    let may_not = |call: &str| Rule {
        service: "autoscaling".to_owned(),
        call: call.to_owned(),
        from: Duration::from_secs(300),
        until: Some(Duration::from_secs(3_600)),
        ..Rule::always(Mischief::Denied)
    };
    let faults = ["RollbackInstanceRefresh", "CancelInstanceRefresh", "StartInstanceRefresh"].map(may_not);
    let options =
        Options { clock: Clock::Fixed(start()), speed: 0.0, faults: faults.to_vec(), ..Options::default() };
    let bench = Bench::of(serve(options).await.unwrap()).await;
    let plan = bench.plan(refresh(GROUP, "2", |preset| preset.max_healthy = Some(110))).await.unwrap();
    let id = bench.enter(&plan).id;
    ask_in(&bench, &id, 8, "rollback");
    let op = bench.run(&id).await;
    assert_eq!(end(&op), Some(Outcome::PartWay), "{:?}", op.lanes);
    let why = op.lanes[0].why.join("; ");
    for part in ["permission is missing", "autoscaling:CancelInstanceRefresh"] {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert!(coredeck::ops::rollback::is_possible(&op), "which the command line says how to type");
    bench.timer.until(start() + SignedDuration::from_mins(90)).await;
    let plan = taken_back(&bench, &op).await;
    let back = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&back), Some(Outcome::Done), "{:?}", back.lanes);
    assert_eq!(versions(&bench, GROUP).await, all("3"));
}
