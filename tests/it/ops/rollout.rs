//! Rollouts of images: to the end and back, over an alarm, in waves that stop at the first failure, and refused for
//! what could not run.

use super::bench::{Bench, Fate, Fated, intent, runner, start, who};
use super::groups::{all, end, taken_back, versions, why};
use super::refusing::{Meddled, Meddles, Written, no, refusing};
use crate::sim_groups::{asg, element};
use coredeck::clock::Clock;
use coredeck::error::Error;
use coredeck::gateway::change::{FleetWriter, Receipt, Token, WriteError};
use coredeck::gateway::{Change, FleetProbe, Look, Seen};
use coredeck::model::{RefreshPreset, Scope, TemplateId};
use coredeck::ops::commit::Commit;
use coredeck::ops::image::Meant;
use coredeck::ops::intent::RolloutWish;
use coredeck::ops::progress::Progress;
use coredeck::ops::{End, Intent, OpState, Outcome, Phase, Timer, preview, rollback};
use coredeck::sim::{Happening, Options, What, serve};
use coredeck::store::journal::Ledger;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const GROUP: &str = "dev-hosts";
/// Whose image is strange.
const STRANGER: &str = "999988887777";

/// A rollout of the older of the images that the fleet has for docker hosts, quick.
pub(super) fn rollout(groups: &[&str], more: fn(&mut RolloutWish)) -> Intent {
    let mut wish = RolloutWish {
        image: Meant::Named { owner: "self".into(), name: "core-docker-2026.08.*".into() },
        allow_older: true,
        watch_s: Some(60),
        preset: RefreshPreset {
            max_healthy: Some(150),
            warmup_s: Some(30),
            bake_s: Some(0),
            checkpoint_delay_s: Some(300),
            ..RefreshPreset::default()
        },
        ..RolloutWish::default()
    };
    more(&mut wish);
    let mut intent = intent("rollout", groups);
    intent.options.rollout = Some(Box::new(wish));
    intent
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_image_goes_to_all_and_back_to_the_exact_version() {
    let bench = Bench::new().await;
    let wanted = rollout(&[GROUP], |wish| {
        wish.move_default = true;
        wish.notes = vec!["docker 25".to_owned()];
    });
    let plan = bench.plan(wanted).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    assert_eq!(plan.waves, [vec![0], vec![1], vec![2]], "the template, the group, $Default");
    assert!(plan.warnings.iter().any(|warning| warning.contains("docker 25")), "{:?}", plan.warnings);
    assert!(plan.warnings.iter().any(|warning| warning.contains("commit")), "{:?}", plan.warnings);
    let done = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&done), Some(Outcome::Done), "{:?}", done.lanes);
    assert_eq!(versions(&bench, GROUP).await, all("4"));
    let changes = bench.changes();
    for call in ["CreateLaunchTemplateVersion", "StartInstanceRefresh", "ModifyLaunchTemplate"] {
        assert_eq!(changes.get(call), Some(&1), "{call}: {changes:?}");
    }
    let plan = taken_back(&bench, &done).await;
    let back = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&back), Some(Outcome::Done), "{:?}", back.lanes);
    assert_eq!(versions(&bench, GROUP).await, all("3"));
    assert_eq!(bench.changes().get("ModifyLaunchTemplate"), Some(&2), "$Default means what it meant");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_whose_alarm_rings_is_stopped_and_taken_back() {
    let rings = Happening {
        at: Duration::from_secs(260),
        account: "*".to_owned(),
        region: "*".to_owned(),
        what: What::Alarm("auth-api-5xx".to_owned(), "ALARM".to_owned()),
    };
    let options =
        Options { clock: Clock::Fixed(start()), speed: 0.0, events: vec![rings], ..Options::default() };
    let bench = Bench::of(serve(options).await.unwrap()).await;
    let wanted = rollout(&[GROUP], |wish| {
        wish.preset.alarms = Some(vec!["auth-api-5xx".into()]);
        wish.move_default = true;
    });
    let plan = bench.plan(wanted).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    let code = coredeck::ops::run::verdict(&op).map(coredeck::error::ErrorKind::exit_code);
    assert_eq!(code, Some(6));
    assert_eq!(versions(&bench, GROUP).await, all("3"));
    assert_eq!(op.lanes[2].phase, Phase::Over(End::Skipped), "$Default was not moved");
    assert_eq!(bench.changes().get("ModifyLaunchTemplate"), None);
    assert_eq!(bench.changes().get("StartInstanceRefresh"), Some(&1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_cannot_run_there_is_refused_before_anything_is_made() {
    let bench = Bench::new().await;
    let of = |image: &'static str| {
        let mut intent = rollout(&[GROUP], |_| ());
        if let Some(wish) = &mut intent.options.rollout {
            **wish = RolloutWish { image: Meant::parse(image).unwrap(), ..RolloutWish::default() };
        }
        intent
    };
    let says = |error: Error| why(&error);
    let arm = says(bench.plan(of("al2023-arm64")).await.unwrap_err());
    assert!(arm.contains("is for arm64, and the group launches"), "{arm}");
    let gone = says(bench.plan(of("ami-00000000000000000")).await.unwrap_err());
    assert!(gone.contains("there is no image ami-00000000000000000"), "{gone}");
    let none = says(bench.plan(of("newest")).await.unwrap_err());
    assert!(none.contains("nobody publishes newer images"), "{none}");
    let nothing = says(bench.plan(of("/aws/service/nothing")).await.unwrap_err());
    assert!(nothing.contains("there is no parameter /aws/service/nothing"), "{nothing}");
    let older = says(bench.plan(of("self:core-docker-2026.08.12")).await.unwrap_err());
    assert!(older.contains("before what it would replace") && older.contains("--allow-older"), "{older}");
    let same = says(bench.plan(of("self:core-docker-*")).await.unwrap_err());
    assert!(same.contains("there is nothing to roll out"), "{same}");
    assert!(bench.changes().is_empty(), "{:?}", bench.changes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_somebody_edits_meanwhile_makes_the_plan_stale() {
    let bench = Bench::new().await;
    let plan = bench.plan(rollout(&[GROUP], |_| ())).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let other = bench.plan(rollout(&[GROUP], |_| ())).await.unwrap();
    let first = bench.run(&bench.enter(&other).id).await;
    assert_eq!(end(&first), Some(Outcome::Done), "{:?}", first.lanes);
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::Failed), "{:?}", op.lanes);
    assert!(op.lanes[0].why[0].contains("latest version of"), "{:?}", op.lanes[0].why);
    assert_eq!(bench.changes().get("StartInstanceRefresh"), Some(&1), "the second began nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_was_once_given_is_not_given_again_and_the_next_plan_knows() {
    let bench = Bench::new().await;
    let ec2 = async |action: &str, rest: &str| {
        let body = format!("Action={action}&Version=2016-11-15&LaunchTemplateName=dev-host&{rest}");
        let answer = crate::sim::query(&bench.running, "ec2", &body).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    };
    let image = "SourceVersion=3&LaunchTemplateData.InstanceType=t3.small";
    ec2("CreateLaunchTemplateVersion", image).await;
    ec2("DeleteLaunchTemplateVersions", "LaunchTemplateVersion.1=4").await;
    let before = bench.changes();
    let plan = bench.plan(rollout(&[GROUP], |_| ())).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    assert!(plan.lanes[0].steps[0].title.contains("make version 4"), "{}", plan.lanes[0].steps[0].title);
    let begun = Timer::now(bench.timer.as_ref());
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    let said = op.lanes[0].why.join("; ");
    assert!(said.contains("a higher number than 4") && said.contains("plans again"), "{said}");
    let took = Timer::now(bench.timer.as_ref()).duration_since(begun);
    assert!(took < SignedDuration::from_secs(60), "it is said at once: {took}");
    assert_eq!(bench.changes().get("StartInstanceRefresh"), None);

    let plan = bench.plan(rollout(&[GROUP], |_| ())).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    assert!(plan.lanes[0].steps[0].title.contains("make version 6"), "{}", plan.lanes[0].steps[0].title);
    let done = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&done), Some(Outcome::Done), "{:?}", done.lanes);
    assert_eq!(versions(&bench, GROUP).await, all("6"));
    let call = "CreateLaunchTemplateVersion";
    assert_eq!(bench.changes()[call], before[call] + 2, "one by each");
}

/// Somebody else who makes a version at the same moment, and just before.
struct Racing(Arc<dyn FleetWriter>);

impl Meddles for Racing {
    fn meddle<'a>(&'a self, written: Written<'a>) -> BoxFuture<'a, Result<Receipt, WriteError>> {
        async move {
            if let Change::CreateTemplateVersion { .. } = written.change {
                let mut other = written.change.clone();
                if let Change::CreateTemplateVersion { description, .. } = &mut other {
                    *description = "by hand".to_owned();
                }
                self.0.write(written.scope, &other, &Token::of(&["somebody"])).await.unwrap();
            }
            written.pass().await
        }
        .boxed()
    }
}

/// Runs an operation whose every version comes second, and whose first call meets a fate.
async fn raced(bench: &Bench, id: &str, fate: Option<Fate>) {
    let (dead, anna, count) = (CancellationToken::new(), runner("anna"), AtomicUsize::new(0));
    let ours: Arc<dyn FleetWriter> = match fate {
        None => bench.writer(),
        Some(fate) => {
            Arc::new(Meddled { inner: bench.writer(), by: Fated { at: 0, fate, count, dead: dead.clone() } })
        }
    };
    let edge =
        bench.edge(Arc::new(bench.journal()), Arc::new(Meddled { inner: ours, by: Racing(bench.writer()) }));
    tokio::select! {
        ran = coredeck::ops::run(&edge, id, &anna) => drop(ran.unwrap()),
        () = dead.cancelled() => {}
    }
}

/// The numbers of the versions of a template that operations made.
async fn ours(bench: &Bench, template: &TemplateId) -> Vec<u64> {
    let scope = Scope { account: "demo".into(), region: "us-east-1".into() };
    let look = Look::Versions { template: template.clone(), from: 1 };
    let Seen::Versions(all) = bench.aws.look(&scope, &look).await.unwrap() else { panic!() };
    let is_ours = |text: &str| text.starts_with("coredeck op=op-");
    all.iter().filter(|one| one.description.as_deref().is_some_and(is_ours)).map(|one| one.number).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_somebody_makes_at_the_same_moment_leaves_ours_named_and_made_once() {
    for fate in [None, Some(Fate::Unheard), Some(Fate::DiesAfter), Some(Fate::DiesBefore)] {
        let bench = Bench::new().await;
        let plan =
            bench.plan(rollout(&[GROUP], |_| ())).await.unwrap_or_else(|error| panic!("{}", why(&error)));
        let template = TemplateId::new(&plan.lanes[0].target);
        let id = bench.enter(&plan).id;
        raced(&bench, &id, fate).await;
        // Whoever resumes it meets nobody any more.
        let op = bench.run(&id).await;
        assert!(matches!(end(&op), Some(Outcome::RolledBack | Outcome::Failed)), "{fate:?}: {:?}", op.lanes);
        let said = op.lanes[0].why.join("; ");
        assert!(said.contains("somebody else made version 4 of dev-host meanwhile"), "{fate:?}: {said}");
        assert!(said.contains("plans again"), "{fate:?}: {said}");
        let made = ours(&bench, &template).await;
        if fate == Some(Fate::DiesBefore) {
            assert_eq!(made, [0; 0], "it is not made only to be thrown away");
            assert!(!said.contains("ours became"), "{said}");
        } else {
            assert_eq!(made, [5], "{fate:?}: one, and once");
            let named = "ours became version 5, which nothing launches; coredeck clean dev-host deletes it";
            assert!(said.contains(named), "{fate:?}: {said}");
        }
        assert_eq!(bench.changes().get("StartInstanceRefresh"), None);
        let again =
            bench.plan(rollout(&[GROUP], |_| ())).await.unwrap_or_else(|error| panic!("{}", why(&error)));
        let next = format!("make version {}", 5 + made.len());
        assert!(again.lanes[0].steps[0].title.contains(&next), "{}", again.lanes[0].steps[0].title);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_past_its_end_of_support_is_said_to_be_so_in_the_plan() {
    let bench = Bench::new().await;
    let wanted = rollout(&[GROUP], |wish| wish.image = Meant::parse("al2").unwrap());
    let plan = bench.plan(wanted).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let text = preview::text(&plan).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("is Amazon Linux 2, whose support ended on 2026-06-30: plan to leave it"),
        "{text}"
    );
    assert!(text.contains("is of another family"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_outlives_its_terminal_and_a_week_and_then_all_waves_go_on() {
    let bench = Bench::new().await;
    let mut wanted = rollout(&["shared-hosts", GROUP], |wish| wish.preset.max_healthy = Some(110));
    wanted.options.override_budget = true;
    let plan = bench.plan(wanted).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    assert_eq!(plan.waves.len(), 3, "templates, development, the other");
    let id = bench.enter(&plan).id;
    // Held while development is under way, and then the terminal is closed.
    let (held_at, gone) = (start() + SignedDuration::from_mins(9), start() + SignedDuration::from_mins(12));
    let (journal, held_id) = (bench.journal(), id.clone());
    let hold = move || drop(journal.ask(&held_id, "pause", &who("ben"), None, held_at).unwrap());
    let edge = bench.edge(Arc::new(bench.journal()), bench.writer());
    let stop = edge.stop.clone();
    bench.timer.then.lock().unwrap().push((held_at, Box::new(hold)));
    bench.timer.then.lock().unwrap().push((gone, Box::new(move || stop.cancel())));
    let held = coredeck::ops::run(&edge, &id, &runner("anna")).await.unwrap();
    let first = plan.waves[1][0];
    assert!(held.ended.is_none() && held.lanes[first].is_held(), "{:?}", held.lanes);
    bench.running.step(Duration::from_secs(600));
    let before = versions(&bench, GROUP).await;
    assert!(before.0.len() == 2, "some are replaced and some are not: {before:?}");
    bench.running.step(Duration::from_secs(7 * 86_400));
    assert_eq!(versions(&bench, GROUP).await, before, "nothing is replaced while it is held");
    assert_eq!(bench.changes().get("StartInstanceRefresh"), Some(&1), "the next wave has not begun");

    let back = gone + SignedDuration::from_hours(7 * 24);
    bench.journal().ask(&id, "resume", &who("ben"), None, back).unwrap();
    *bench.timer.clock() = back;
    let done = bench.run(&id).await;
    assert_eq!(end(&done), Some(Outcome::Done), "{:?}", done.lanes);
    let changes = bench.changes();
    let counts =
        ["SuspendProcesses", "ResumeProcesses", "CreateLaunchTemplateVersion", "StartInstanceRefresh"];
    assert_eq!(counts.map(|call| changes[call]), [1, 1, 2, 2], "{changes:?}");
    assert_eq!(versions(&bench, GROUP).await, all("4"));
}

/// A rollout of the image `web-2` to the group of a trap.
fn of_trap(more: fn(&mut RolloutWish)) -> Intent {
    let mut wanted = rollout(&["web"], more);
    let wish = wanted.options.rollout.as_mut().unwrap();
    if matches!(&wish.image, Meant::Named { name, .. } if name.starts_with("core")) {
        wish.image = Meant::Named { owner: "self".into(), name: "web-2".into() };
    }
    wish.preset.alarms = Some(vec!["web-errors".into()]);
    wanted.options.override_verdict = true;
    wanted
}

/// What is to be committed after an operation, a sentence each.
fn to_commit(bench: &Bench, op: &OpState) -> Vec<String> {
    Progress::of(op, false, bench.timer.now()).commit.iter().map(Commit::said).collect()
}

/// The images of the types of a group's policy, and those of its members by how many have which.
async fn images(bench: &Bench, group: &str) -> (Vec<String>, BTreeMap<String, usize>) {
    let named = format!("AutoScalingGroupNames.member.1={group}");
    let answer = asg(&bench.running, "DescribeAutoScalingGroups", &named).await;
    let own: Vec<String> =
        answer.split("<ImageId>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect();
    let world = bench.world("rollout").await;
    let mut counts = BTreeMap::new();
    for row in
        world.fleet.instances.iter().filter(|row| row.group.as_ref().is_some_and(|it| it.as_str() == group))
    {
        if row.it.state == coredeck::model::InstanceState::Running {
            *counts.entry(row.it.image_id.to_string()).or_default() += 1;
        }
    }
    (own, counts)
}

#[tokio::test(flavor = "multi_thread")]
async fn types_with_an_image_of_their_own_get_the_new_one_and_the_old_one_back() {
    let bench = Bench::of(crate::traps::trap("per-override-images").await).await;
    let before = images(&bench, "web").await;
    let plan = bench.plan(of_trap(|_| ())).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let told = plan.warnings.iter().filter(|warning| warning.contains("has an image of its own"));
    assert_eq!(told.count(), 2, "{:?}", plan.warnings);
    let done = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&done), Some(Outcome::Done), "{:?}", done.lanes);
    let after = images(&bench, "web").await;
    assert_eq!((after.0.len(), after.1.values().sum::<usize>()), (2, 4), "{after:?}");
    assert!(after.1.len() == 1 && after.0.iter().all(|own| after.1.contains_key(own)), "{after:?}");
    assert_ne!(after.0, before.0);
    // What single types have of their own is to be committed too: by its place, since no template holds it.
    let image = after.1.keys().next().unwrap();
    let value = format!(
        "`image_id = \"{image}\"` (Terraform, its override, where the provider knows that) or `ImageId: {image}` \
         (CloudFormation, Overrides)"
    );
    let said = to_commit(&bench, &done);
    let of_types = said.iter().find(|line| line.contains("ImageId")).unwrap_or_else(|| panic!("{said:?}"));
    assert!(of_types.contains(&value) && of_types.contains(" as m5"), "{of_types}");
    assert!(plan.warnings.iter().any(|warning| warning.contains(&value)), "{:?}", plan.warnings);
    let plan = taken_back(&bench, &done).await;
    let back = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&back), Some(Outcome::Done), "{:?}", back.lanes);
    assert_eq!(images(&bench, "web").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_scaled_meanwhile_makes_the_plan_stale() {
    let bench = Bench::new().await;
    let plan = bench.plan(rollout(&[GROUP], |_| ())).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    asg(&bench.running, "SetDesiredCapacity", &format!("AutoScalingGroupName={GROUP}&DesiredCapacity=13"))
        .await;
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    assert!(op.lanes[1].why[0].contains("desired capacity"), "{:?}", op.lanes[1].why);
    assert_eq!(bench.changes().get("StartInstanceRefresh"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_a_strange_account_is_refused_until_that_is_trusted() {
    // Shared with everybody: it could be launched.
    let trap = include_str!("../../samples/traps/foreign-image.toml").replace("private = true", "");
    let bench = Bench::of(serve(coredeck::sim::parse(&trap, "foreign-image").unwrap()).await.unwrap()).await;
    let strange = |wish: &mut RolloutWish| {
        wish.image = Meant::Named { owner: STRANGER.into(), name: "web-2".into() };
    };
    let refused = why(&bench.plan(of_trap(strange)).await.unwrap_err());
    assert!(refused.contains(&format!("belongs to account {STRANGER}")), "{refused}");
    assert!(refused.contains("--allow-owner"), "{refused}");
    let trusted = of_trap(|wish| {
        wish.image = Meant::Named { owner: STRANGER.into(), name: "web-2".into() };
        wish.allow_owners = vec![STRANGER.to_owned()];
    });
    bench.plan(trusted).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    assert!(bench.changes().is_empty());
}

/// Four members of two architectures, each type weighing two, the arm one with a template of its own.
const BOTH: &str = r#"
    start = "2026-11-21T12:00:00Z"
    speed = 0
    regions = ["us-east-1"]
    fleet = [{ name = "both", image = [
        { name = "web-1", age = "90d" }, { name = "web-2", age = "5d" },
        { name = "arm-1", age = "90d", architecture = "arm64" }, { name = "arm-2", age = "5d", architecture = "arm64" },
    ], template = [
        { name = "web", type = "m5.large", images = ["web-1"], default = 1 },
        { name = "arm", type = "m7g.large", images = ["arm-1"], default = 1 },
    ], target-group = [{ name = "web", drain = 30 }],
    group = [{
        name = "web", types = ["m5.large", "m7g.large"], weights = [2, 2], override-templates = ["", "arm:1"],
        on-demand-percent = 0, template = "web", template-version = "1", min = 2, desired = 8, max = 16,
        target-groups = ["web"], grace = "60s", warmup = "60s",
    }] }]
"#;

async fn both(from: &str, to: &str) -> Bench {
    Bench::of(serve(coredeck::sim::parse(&BOTH.replace(from, to), "both").unwrap()).await.unwrap()).await
}

fn of_both(more: fn(&mut RolloutWish)) -> Intent {
    let mut wanted = rollout(&["web"], more);
    let wish = wanted.options.rollout.as_mut().unwrap();
    if matches!(&wish.image, Meant::Named { name, .. } if name.starts_with("core")) {
        wish.image = Meant::parse("self:web-2,self:arm-2").unwrap();
    }
    wanted.options.override_verdict = true;
    wanted
}

#[tokio::test(flavor = "multi_thread")]
async fn types_with_a_template_of_their_own_get_a_version_of_that_for_their_processors_and_the_old_one_back()
{
    let bench = both("", "").await;
    let before = images(&bench, "web").await.1;
    let saved = |answer: &str| {
        let own = answer.split("<Overrides>").nth(1).unwrap().split("</Overrides>").next().unwrap();
        (
            element(answer, "Version").to_owned(),
            element(own, "Version").to_owned(),
            own.matches("<WeightedCapacity>2<").count(),
        )
    };
    let named = "AutoScalingGroupNames.member.1=web";
    let plan = bench.plan(of_both(|_| ())).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    assert_eq!(plan.waves, [vec![0, 1], vec![2]], "both templates, and then the group");
    assert!(
        plan.warnings.iter().any(|it| it.contains("version 2 of arm instead of 1")),
        "{:?}",
        plan.warnings
    );
    let done = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&done), Some(Outcome::Done), "{:?}", done.lanes);
    let after = images(&bench, "web").await.1;
    assert_eq!(before.len(), 2, "members of both architectures: {before:?}");
    assert_eq!(
        (after.len(), after.values().sum::<usize>()),
        (2, 4),
        "both are replaced: {before:?} {after:?}"
    );
    assert!(after.keys().all(|image| !before.contains_key(image)), "{before:?} {after:?}");
    let answer = asg(&bench.running, "DescribeAutoScalingGroups", named).await;
    assert_eq!(saved(&answer), ("2".to_owned(), "2".to_owned(), 2), "both moved, weights as they were");
    let values = |web: &str, arm: &str| {
        let said = |what: &str, number: &str, terraform: &str, formation: &str| {
            format!(
                "{what}: commit `version = \"{number}\"` (Terraform, launch_template_specification of {terraform}) or \
                 `Version: '{number}'` (CloudFormation, LaunchTemplateSpecification {formation}), or the next apply \
                 takes it back"
            )
        };
        let (policy, own) =
            (("mixed_instances_policy", "of MixedInstancesPolicy"), ("its override", "in Overrides"));
        [
            said(&format!("web launches version {web} of web now"), web, policy.0, policy.1),
            said(&format!("web launches version {arm} of arm as m7g.large now"), arm, own.0, own.1),
        ]
    };
    assert_eq!(to_commit(&bench, &done), values("2", "2"));
    for value in values("2", "2") {
        let planned = value.replace("web launches", "afterwards web launches").replace(" now:", ":");
        assert!(plan.warnings.contains(&planned), "{planned}: {:?}", plan.warnings);
    }

    let plan = taken_back(&bench, &done).await;
    let back = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&back), Some(Outcome::Done), "{:?}", back.lanes);
    let again = images(&bench, "web").await.1;
    assert_eq!(
        again.keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>(),
        "both are back: {again:?}"
    );
    let answer = asg(&bench.running, "DescribeAutoScalingGroups", named).await;
    assert_eq!(saved(&answer), ("1".to_owned(), "1".to_owned(), 2));
    assert_eq!(to_commit(&bench, &back), values("1", "1"), "what was committed meanwhile is set back too");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_for_one_architecture_alone_is_refused_for_types_of_another_and_words_become_numbers() {
    let bench = both("", "").await;
    let one = |wish: &mut RolloutWish| wish.image = Meant::parse("self:web-2").unwrap();
    let refused = why(&bench.plan(of_both(one)).await.unwrap_err());
    assert!(
        refused.contains("for its type m7g.large: of 1 images of self called web-2 none is for arm64"),
        "{refused}"
    );
    assert!(bench.changes().is_empty());

    // A type that follows the latest version would launch the new one before anybody has judged it.
    let bench = both("arm:1", "arm:$Latest").await;
    let refused = why(&bench.plan(of_both(|_| ())).await.unwrap_err());
    assert!(
        refused.contains("follows $Latest of arm") && refused.contains("give m7g.large version 1"),
        "{refused}"
    );

    // One that follows the default is set to its number, there and back; AWS itself could not go back.
    let bench = both("arm:1", "arm:$Default").await;
    let plan = bench.plan(of_both(|_| ())).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let id = bench.enter(&plan).id;
    super::groups::ask_in(&bench, &id, 8, "rollback");
    let op = bench.run(&id).await;
    assert_eq!(end(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    let answer = asg(&bench.running, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=web").await;
    let own = answer.split("<Overrides>").nth(1).unwrap();
    assert_eq!((element(&answer, "Version"), element(own, "Version")), ("1", "1"));
    assert_eq!(bench.changes().get("RollbackInstanceRefresh"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_stuck_on_its_way_back_is_said_and_all_others_come_back() {
    let bench = Bench::new().await;
    let mut wanted = rollout(&["shared-hosts", GROUP], |_| ());
    wanted.options.override_budget = true;
    let plan = bench.plan(wanted).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let (first, last) = (plan.waves[1][0], plan.waves[2][0]);
    assert_eq!((plan.lanes[first].name.as_str(), plan.lanes[last].name.as_str()), (GROUP, "shared-hosts"));
    let old = versions(&bench, "shared-hosts").await.1;
    let id = bench.enter(&plan).id;
    // It is turned round when the refresh of the last one is started, and that one cannot be set back.
    let (journal, timer, asked) = (bench.journal(), Arc::clone(&bench.timer), id.clone());
    let starts = AtomicUsize::new(0);
    let writer = refusing(bench.writer(), move |change| {
        let is_back = match change {
            Change::StartRefresh { group, .. } if group.as_str() == "shared-hosts" => {
                let is_first = starts.fetch_add(1, Ordering::SeqCst) == 0;
                if is_first {
                    journal.ask(&asked, "rollback", &who("ben"), None, Timer::now(timer.as_ref())).unwrap();
                }
                !is_first
            }
            Change::RollBackRefresh { group } | Change::CancelRefresh { group, .. } => {
                group.as_str() == "shared-hosts"
            }
            _ => false,
        };
        let says = || {
            no("autoscaling:RollbackInstanceRefresh", "IrreversibleInstanceRefresh", "it cannot be set back")
        };
        is_back.then(says)
    });
    let edge = bench.edge(Arc::new(bench.journal()), writer);
    let op = coredeck::ops::run(&edge, &id, &runner("anna")).await.unwrap();
    // The one is stuck, the other one is back, and nobody calls that rolled back.
    assert_eq!(op.lanes[last].phase, Phase::Over(End::Stuck), "{:?}", op.lanes);
    assert_eq!(op.lanes[first].phase, Phase::Over(End::Undone), "{:?}", op.lanes);
    assert_eq!(end(&op), Some(Outcome::PartWay));
    let code = coredeck::ops::run::verdict(&op).map(coredeck::error::ErrorKind::exit_code);
    assert_eq!(code, Some(5));
    assert_eq!(versions(&bench, GROUP).await, all("3"));
    assert_eq!(rollback::command(&op), Some(format!("coredeck op rollback {id}")));
    let why = coredeck::ops::progress::ended(&op, last).join("; ");
    assert!(why.contains("it cannot be set back"), "{why}");
    // Once it can be, only that one is taken back.
    bench.timer.until(bench.timer.now() + SignedDuration::from_hours(3)).await;
    let plan = taken_back(&bench, &op).await;
    assert_eq!(plan.lanes.iter().map(|lane| lane.name.as_str()).collect::<Vec<_>>(), ["shared-hosts"]);
    let back = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&back), Some(Outcome::Done), "{:?}", back.lanes);
    let (members, saved) = versions(&bench, "shared-hosts").await;
    assert_eq!((members.len(), members.contains_key(&old), saved), (1, true, old));
}
