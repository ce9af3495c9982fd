//! A rollout over forty groups of 10,000 instances: in waves, within half of what AWS gives, stopped by the first
//! failure, and taken back as a whole.
//!
//! Requests wait for their tokens in pretended time, so that this counts what would be sent in a real second. The rates
//! are those that AWS publishes; where it publishes none they are what others found to be safe.

use super::bench::{Bench, start};
use super::groups::{end, versions, why};
use super::rollout::rollout;
use coredeck::model::RefreshPreset;
use coredeck::ops::image::Meant;
use coredeck::ops::{Aspect, Intent, Lane, OpState, Outcome, Plan, Value};
use coredeck::sim::{Mutation, serve};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Development, and what is for customers.
const GROUPS: (usize, usize) = (8, 32);

/// Forty groups of so many instances each, on two templates for each kind; the clock stands still.
fn fleet(each: usize, events: &str) -> String {
    let mut text = String::from(
        "start = \"2026-11-21T12:00:00Z\"\nspeed = 0\nregions = [\"us-east-1\"]\n[[fleet]]\nname = \"wide\"\n\
         [[fleet.image]]\nname = \"core-1\"\nage = \"90d\"\n[[fleet.image]]\nname = \"core-2\"\nage = \"5d\"\n\
         [[fleet.alarm]]\nname = \"errors\"\nmetric = \"Errors\"\nthreshold = 10\nmissing = \"ignore\"\n",
    );
    for name in ["dev", "web"] {
        writeln!(text, "[[fleet.balancer]]\nname = \"{name}\"").unwrap();
    }
    let mut add = |name: &str, count: usize, tier: &str| {
        // No load balancer sends anything to the groups of the last kind.
        if name != "api" {
            write!(
                text,
                "[[fleet.rule]]\nbalancer = \"{name}\"\ncount = {count}\nhosts = [\"{name}-{{n}}.example.com\"]\n\
                 target-group = \"{name}-{{n}}\"\n",
            )
            .unwrap();
        }
        write!(
            text,
            "[[fleet.template]]\nname = \"{name}\"\ntype = \"t3.small\"\nimages = [\"core-1\"]\n\
             [[fleet.target-group]]\nname = \"{name}-{{n}}\"\ncount = {count}\ndrain = 30\n\
             [[fleet.group]]\nname = \"{name}-{{n}}\"\ncount = {count}\ntype = \"t3.small\"\ntemplate = \"{name}\"\n\
             template-version = \"1\"\nmin = 1\ndesired = {each}\nmax = {}\ntarget-groups = [\"{name}-{{n}}\"]\n\
             grace = \"30s\"\nwarmup = \"30s\"\ntier = \"{tier}\"\n",
            each * 2,
        )
        .unwrap();
    };
    add("dev", GROUPS.0, "development");
    add("web", GROUPS.1 / 2, "production");
    add("api", GROUPS.1 / 2, "production");
    text.push_str("[[event]]\nat = \"0s\"\ndo = \"alarm\"\nalarm = \"errors\"\nstate = \"OK\"\n");
    text + events
}

async fn bench(each: usize, events: &str) -> Bench {
    let options =
        coredeck::sim::parse(&fleet(each, events), "wide").unwrap_or_else(|error| panic!("{}", why(&error)));
    Bench::of(serve(options).await.unwrap()).await
}

fn wanted() -> Intent {
    let names = |name: &'static str, count: usize| (0..count).map(move |n| format!("{name}-{n}"));
    let groups: Vec<String> =
        names("web", GROUPS.1 / 2).chain(names("dev", GROUPS.0)).chain(names("api", GROUPS.1 / 2)).collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    rollout(&groups, |wish| {
        wish.image = Meant::Named { owner: "self".into(), name: "core-2".into() };
        wish.preset = RefreshPreset {
            max_healthy: Some(200),
            warmup_s: Some(30),
            bake_s: Some(0),
            checkpoint_delay_s: Some(240),
            alarms: Some(vec!["errors".into()]),
            ..RefreshPreset::default()
        };
    })
}

/// Which bucket a call drinks from, what that holds, and what flows back in a second: half of it is ours.
fn bucket(service: &str, call: &str) -> (String, f64, f64) {
    let own = |holds, refill| (format!("{service} {call}"), holds, refill);
    match (service, call) {
        ("ec2", "CreateLaunchTemplateVersion" | "ModifyLaunchTemplate") => own(100.0, 5.0),
        ("ec2", "RunInstances") => own(5.0, 2.0),
        ("ec2", read) if read.starts_with("Describe") => own(100.0, 20.0),
        ("autoscaling", _) => ("autoscaling".to_owned(), 20.0, 10.0),
        ("elasticloadbalancing", _) => ("elasticloadbalancing".to_owned(), 80.0, 10.0),
        ("ecs", "DescribeClusters" | "ListClusters") => ("ecs cluster read".to_owned(), 50.0, 20.0),
        ("ecs", _) => ("ecs resource read".to_owned(), 100.0, 20.0),
        ("monitoring", "DescribeAlarms") => own(18.0, 9.0),
        ("ssm", _) => ("ssm".to_owned(), 20.0, 4.0),
        ("sts", _) => ("sts".to_owned(), 50.0, 20.0),
        other => panic!("nobody said how often {other:?} may be called"),
    }
}

/// Every bucket with its calls, the lowest that half of it ever stood, and calls a second over all of the time.
fn spent(bench: &Bench) -> BTreeMap<String, (usize, f64, f64)> {
    struct Level {
        calls: usize,
        tokens: f64,
        least: f64,
        at: Timestamp,
    }
    let mut levels: BTreeMap<String, Level> = BTreeMap::new();
    let mut last = start();
    for call in bench.running.calls() {
        let text = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
        let (name, holds, refill) = bucket(&text("service"), &text("operation"));
        let at: Timestamp = text("at").parse().unwrap();
        let full = holds / 2.0;
        let level = levels.entry(name).or_insert(Level { calls: 0, tokens: full, least: full, at });
        let passed = at.duration_since(level.at).as_secs_f64().max(0.0);
        level.tokens = (level.tokens + passed * refill / 2.0).min(full) - 1.0;
        (level.calls, level.least, level.at) = (level.calls + 1, level.least.min(level.tokens), at);
        last = last.max(at);
    }
    let seconds = last.duration_since(start()).as_secs_f64();
    levels
        .into_iter()
        .map(|(name, level)| (name, (level.calls, level.least, level.calls as f64 / seconds)))
        .collect()
}

/// When the refresh of each group was begun, by the group.
fn begun(bench: &Bench) -> BTreeMap<String, Vec<Mutation>> {
    let mut begun: BTreeMap<String, Vec<Mutation>> = BTreeMap::new();
    for one in
        bench.running.mutations().into_iter().filter(|one| one.action == "StartInstanceRefresh" && one.acted)
    {
        begun.entry(one.targets[0].clone()).or_default().push(one);
    }
    begun
}

fn lanes(plan: &Plan, wave: usize) -> Vec<&Lane> {
    plan.waves[wave].iter().map(|at| &plan.lanes[*at]).collect()
}

/// When each lane was over.
fn closed(op: &OpState, bench: &Bench) -> BTreeMap<String, Timestamp> {
    use coredeck::store::journal::Ledger;
    let entries = bench.journal().entries(&op.record.id, 0).unwrap();
    let mut closed = BTreeMap::new();
    for entry in entries {
        if let Ok(coredeck::ops::event::Event::Closed { lane, .. }) = serde_json::from_str(&entry.body) {
            closed.insert(op.plan.lanes[lane].name.clone(), entry.at);
        }
    }
    closed
}

// One thread, so that pretended time moves only between requests.
#[tokio::test]
async fn forty_groups_go_in_waves_within_half_of_what_aws_gives() {
    let bench = bench(250, "").await;
    let plan = bench.plan(wanted()).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let sizes: Vec<usize> = plan.waves.iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, GROUPS.0, 1, GROUPS.1 - 1], "templates, development, one of the others, the rest");
    let idle =
        plan.warnings.iter().filter(|warning| warning.contains("no load balancer uses target group api-"));
    assert_eq!(idle.count(), GROUPS.1 / 2, "{:?}", plan.warnings);
    let done = bench.run(&bench.enter(&plan).id).await;
    let spent = spent(&bench);
    assert_eq!(end(&done), Some(Outcome::Done), "{:?}", done.lanes.iter().find(|lane| !lane.why.is_empty()));
    let over: Vec<_> = spent.iter().filter(|(_, (_, least, _))| *least < -0.01).collect();
    assert!(over.is_empty(), "more than half was taken: {over:?}");
    // What nobody publishes a rate for is asked for once on every beat, not once for each group.
    assert!(spent["monitoring DescribeAlarms"].0 < spent["autoscaling"].0 / 4, "{spent:?}");
    // No wave begins before all of the ones before are over.
    let (begun, closed) = (begun(&bench), closed(&done, &bench));
    assert_eq!(
        (begun.len(), begun.values().map(Vec::len).max()),
        (40, Some(1)),
        "one refresh for each group"
    );
    for wave in 2..plan.waves.len() {
        let before = lanes(&plan, wave - 1).iter().map(|lane| closed[&lane.name]).max().unwrap();
        let first = lanes(&plan, wave).iter().map(|lane| begun[&lane.name][0].at).min().unwrap();
        assert!(first >= before, "wave {wave} began at {first}, and the one before was over at {before}");
    }
    for group in ["dev-1", "web-15", "api-7"] {
        let (members, saved) = versions(&bench, group).await;
        assert_eq!((members, saved.as_str()), (BTreeMap::from([("2".to_owned(), 250)]), "2"), "{group}");
    }
}

// One thread, so that pretended time moves only between requests.
#[tokio::test]
async fn the_first_failure_stops_all_waves_and_takes_every_one_back() {
    // Development is done when the alarm rings, and the one group of the others is being tried.
    let calm = bench(4, "").await;
    let plan = calm.plan(wanted()).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let done = calm.run(&calm.enter(&plan).id).await;
    assert_eq!(end(&done), Some(Outcome::Done), "{:?}", done.lanes);
    let tried = begun(&calm)[&lanes(&plan, 2)[0].name][0].at.duration_since(start()).as_secs();
    let rings = tried + 60;
    let event =
        format!("[[event]]\nat = \"{rings}s\"\ndo = \"alarm\"\nalarm = \"errors\"\nstate = \"ALARM\"\n");
    let bench = bench(4, &event).await;
    let plan = bench.plan(wanted()).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let before = saved(&bench, &plan).await;
    let failed = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&failed), Some(Outcome::RolledBack), "{:?}", failed.lanes);
    let begun = begun(&bench);
    let mut first: Vec<&str> =
        begun.iter().filter(|(_, all)| all.len() == 1).map(|(name, _)| name.as_str()).collect();
    let both = begun.values().filter(|all| all.len() == 2).count();
    let canary = lanes(&plan, 2)[0].name.as_str();
    first.retain(|name| *name != canary);
    assert_eq!((first.as_slice(), both), (&[][..], GROUPS.0), "development went there and back: {begun:#?}");
    assert_eq!(begun.len(), GROUPS.0 + 1, "none of the last wave was begun");
    for group in ["dev-0", "dev-7", canary, "web-15"] {
        let (members, saved) = versions(&bench, group).await;
        assert_eq!((members, saved.as_str()), (BTreeMap::from([("1".to_owned(), 4)]), "1"), "{group}");
    }
    assert_eq!(saved(&bench, &plan).await, before);
}

/// What each group is saved with, its sizes, and what of it is suspended.
async fn saved(bench: &Bench, plan: &Plan) -> BTreeMap<Aspect, Value> {
    let mut facts = bench.facts(plan).await;
    facts.retain(|fact, _| {
        use Aspect::{GroupDesired, GroupLaunches, GroupMax, GroupSuspended};
        matches!(fact, GroupLaunches { .. } | GroupDesired { .. } | GroupMax { .. } | GroupSuspended { .. })
    });
    // What it launches and what is suspended; the sizes of the first wave besides.
    assert!(facts.len() >= 40 * 4);
    facts
}
