//! Rollouts that are judged by figures of CloudWatch: a share of errors that rises takes all of it back, one that stays
//! lets it go on, and what nobody measures is said before anything is done.

use super::bench::Bench;
use super::groups::{end, versions, why};
use super::rollout::rollout;
use coredeck::config::parse_norm;
use coredeck::model::{Norm, RefreshPreset, Selector, Tier};
use coredeck::ops::image::Meant;
use coredeck::ops::intent::RefreshWish;
use coredeck::ops::progress::line;
use coredeck::ops::{Intent, Outcome, Timer};
use coredeck::sim::{parse, serve};
use coredeck::store::journal::Ledger;
use jiff::SignedDuration;

const ERRORS: &str = "errors: AWS/ApplicationELB HTTPCode_Target_5XX_Count/RequestCount <= 2%";
const NEW: (usize, usize) = (0, 8);
const OLD: (usize, usize) = (8, 0);

/// A group of eight behind a load balancer whose template has a good image; `web-2` passes its checks and answers with
/// errors, `web-3` serves. Another group has no load balancer.
async fn fleet() -> Bench {
    let text = r#"
        start = "2026-11-21T12:00:00Z"
        speed = 0
        regions = ["us-east-1"]
        fleet = [{ name = "judged", image = [
            { name = "web-1", age = "90d" },
            { name = "web-2", age = "5d", flaw = "errors" },
            { name = "web-3", age = "4d" },
        ], template = [{ name = "web", type = "t3.small", images = ["web-1"], default = 1 }],
        target-group = [{ name = "web", drain = 30 }],
        balancer = [{ name = "front" }],
        rule = [{ balancer = "front", hosts = ["web.example.com"], target-group = "web" }],
        group = [
            { name = "web", type = "t3.small", template = "web", template-version = "1", min = 1, desired = 8,
              max = 16, target-groups = ["web"], grace = "60s", warmup = "60s", tier = "production" },
            { name = "jobs", type = "t3.small", template = "web", template-version = "1", min = 1, desired = 2,
              max = 4, grace = "60s", warmup = "60s", tier = "production" },
        ] }]
    "#;
    let mut bench = Bench::of(serve(parse(text, "judged").unwrap()).await.unwrap()).await;
    let metrics = Some(vec![parse_norm(ERRORS).unwrap()]);
    bench.config.tiers = vec![Tier {
        name: "production".into(),
        selectors: vec![Selector::Tag { key: "tier".into(), value: "production".into() }],
        refresh: RefreshPreset { metrics, ..RefreshPreset::default() },
        ..Tier::default()
    }];
    bench.lead().await;
    bench
}

fn of(image: &str, group: &str) -> Intent {
    let mut wanted = rollout(&[group], |wish| wish.canary = Some(25));
    let wish = wanted.options.rollout.as_mut().unwrap();
    wish.image = Meant::Named { owner: "self".into(), name: image.into() };
    wish.watch_s = Some(300);
    wish.preset.checkpoint_delay_s = None;
    wanted.options.override_budget = true;
    wanted
}

/// What is said of it by figures: of the tier, and then these.
fn by(mut intent: Intent, norms: Vec<Norm>) -> Intent {
    intent.options.rollout.as_mut().unwrap().preset.metrics = Some(norms);
    intent
}

fn counts(by_version: &std::collections::BTreeMap<String, usize>) -> (usize, usize) {
    let count = |version: &str| by_version.get(version).copied().unwrap_or(0);
    (count("1"), count("2"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_answers_with_errors_is_taken_back_and_one_that_serves_goes_on() {
    let bench = fleet().await;
    let plan = bench.plan(of("web-2", "web")).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let notes = plan.notes.join("\n");
    for part in
        ["web is judged by errors at most 2 % over 5 min: 0 % now", "CloudWatch bills about $0.0024 an hour"]
    {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    let code = coredeck::ops::run::verdict(&op).map(coredeck::error::ErrorKind::exit_code);
    assert_eq!(code, Some(6));
    assert_eq!(counts(&versions(&bench, "web").await.0), OLD);
    let log: Vec<String> = (bench.journal().entries(&op.record.id, 0).unwrap().iter())
        .filter_map(|entry| Some(line(&op, &serde_json::from_str(&entry.body).ok()?)))
        .collect();
    let told = |part: &str| log.iter().any(|line| line.contains(part));
    assert!(told("CloudWatch is against it: wanted is errors at most 2 % over 5 min"), "{log:#?}");
    assert!(told("figure within its bound: errors 0 %"), "what was good before is in it: {log:#?}");
    assert!(told("figure beyond its bound: errors "), "and so is the evidence: {log:#?}");
    assert_eq!(bench.changes().get("RollbackInstanceRefresh"), Some(&1), "AWS itself knew of nothing");

    let plan = bench.plan(of("web-3", "web")).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let titles: Vec<&str> = plan.lanes[1].steps.iter().map(|step| step.title.as_str()).collect();
    assert!(
        titles[1].ends_with("alarms, figures") && titles[2].starts_with("hear what CloudWatch"),
        "{titles:?}"
    );
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let (by_version, saved) = versions(&bench, "web").await;
    assert_eq!((by_version.get("3"), saved.as_str()), (Some(&8), "3"), "version 2 stays unused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_refresh_is_judged_by_the_figures_of_its_tier_too() {
    let bench = fleet().await;
    // Somebody made a version with the faulty image by hand.
    let mut wanted = of("web-2", "web");
    wanted.options.rollout.as_mut().unwrap().preset.metrics = Some(Vec::new());
    let plan = bench.plan(wanted).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    assert!(plan.notes.iter().all(|note| !note.contains("judged")), "{:?}", plan.notes);
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(
        (end(&op), counts(&versions(&bench, "web").await.0)),
        (Some(Outcome::Done), NEW),
        "nobody looked"
    );
    let refused = why(&bench.plan(of("web-3", "web")).await.unwrap_err());
    assert!(
        refused.contains("already, and must be at most 2 %") && refused.contains("--override-verdict"),
        "{refused}"
    );
    // The mend is not held up by what it mends.
    let mut wanted = of("web-3", "web");
    wanted.options.override_verdict = true;
    let plan = bench.plan(wanted).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    assert!(
        plan.warnings.iter().any(|warning| warning.contains("it is not judged by that")),
        "{:?}",
        plan.warnings
    );
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::Done), "{:?}", op.lanes);

    // What version 2 answered is forgotten.
    bench.timer.until(bench.timer.now() + SignedDuration::from_mins(6)).await;
    let preset = RefreshPreset {
        max_healthy: Some(150),
        warmup_s: Some(60),
        checkpoints: Some(Vec::new()),
        bake_s: Some(900),
        ..RefreshPreset::default()
    };
    let mut wanted = super::bench::intent("refresh", &["web"]);
    let version = Some("2".to_owned());
    wanted.options.refresh = Some(Box::new(RefreshWish { version, preset, ..RefreshWish::default() }));
    wanted.options.override_budget = true;
    let plan = bench.plan(wanted).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    let (by_version, saved) = versions(&bench, "web").await;
    assert_eq!((by_version.get("3"), saved.as_str()), (Some(&8), "3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_measures_is_said_before_anything_is_done() {
    let bench = fleet().await;
    let says = |line: &str| by(of("web-3", "web"), vec![parse_norm(line).unwrap()]);
    let unknown = why(&bench.plan(says("Acme/Cores SignInFailures <= 5")).await.unwrap_err());
    for part in
        ["CloudWatch knows nothing of SignInFailures (Acme/Cores SignInFailures of no dimension)", "no_data"]
    {
        assert!(unknown.contains(part), "{part}: {unknown}");
    }
    let nowhere = why(&bench.plan(of("web-3", "jobs")).await.unwrap_err());
    assert!(
        nowhere.contains("errors is measured at the load balancer, and it has no target group"),
        "{nowhere}"
    );
    let cluster = why(&bench.plan(says("AWS/ECS CPUUtilization Average <= 90")).await.unwrap_err());
    assert!(cluster.contains("no member of it is in one"), "{cluster}");
    assert!(bench.changes().is_empty());

    // Errors alone are counted only when there are any: their absence is well where somebody said so.
    let quiet = |line: &str| Norm { no_data: coredeck::model::NoData::Well, ..parse_norm(line).unwrap() };
    let wanted = by(of("web-3", "web"), vec![quiet("Acme/Cores SignInFailures <= 5")]);
    let plan = bench.plan(wanted).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    assert!(
        plan.notes.join("\n").contains("nothing was measured, which is taken as well"),
        "{:?}",
        plan.notes
    );
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::Done), "{:?}", op.lanes);
}

/// Each old member is measured by itself, and some of them are gone at the canary: nobody knows any more how those do.
#[tokio::test(flavor = "multi_thread")]
async fn figures_that_fall_silent_at_the_canary_are_waited_for_and_then_it_goes_back() {
    let bench = fleet().await;
    let world = bench.world("rollout").await;
    let of_web =
        |row: &&coredeck::fleet::InstanceRow| row.group.as_ref().is_some_and(|it| it.as_str() == "web");
    let norms = world.fleet.instances.iter().filter(of_web).map(|row| {
        let mut norm = parse_norm("AWS/EC2 CPUUtilization Average <= 100").unwrap();
        norm.name = row.it.id.as_str().into();
        norm.series.dimensions = vec![("InstanceId".into(), row.it.id.as_str().into())];
        norm
    });
    let plan = bench.plan(by(of("web-3", "web"), norms.collect())).await;
    let plan = plan.unwrap_or_else(|error| panic!("{}", why(&error)));
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    assert!(
        op.lanes[1].why.iter().any(|why| why.contains("no figure without data")),
        "{:?}",
        op.lanes[1].why
    );
    assert_eq!(counts(&versions(&bench, "web").await.0), OLD);
}
