//! The share of spot in mixed groups, and how groups treat their members: sent whole, set back exactly, refused in time.

use super::bench::{Bench, intent, who};
use super::groups::{taken_back, why};
use coredeck::error::ErrorKind;
use coredeck::gateway::change::{Change, Desired, Handling, Preferences, Setting, Token, Tuning};
use coredeck::gateway::{FleetProbe, Look, Seen};
use coredeck::model::{Group, ImageId, Lifecycle, Mix, RefreshPreset, Scope};
use coredeck::ops::intent::{CleanWish, RefreshWish, ShareWish};
use coredeck::ops::progress::Progress;
use coredeck::ops::{Intent, OpState, Outcome, Plan, Timer, Undo, preview, rollback};
use coredeck::sim::{read, serve};
use coredeck::store::journal::Ledger;

const MIXED: &str = "api-mixed";

fn scope() -> Scope {
    Scope { account: "demo".into(), region: "us-east-1".into() }
}

async fn group(bench: &Bench, name: &str) -> Group {
    let look = Look::Groups { of: vec![name.into()] };
    match bench.aws.look(&scope(), &look).await.unwrap() {
        Seen::Groups(mut all) => all.remove(0),
        other => panic!("{other:?}"),
    }
}

fn share(wish: ShareWish) -> Intent {
    let mut wanted = intent("spot-share", &[MIXED]);
    wanted.options.share = Some(Box::new(wish));
    wanted
}

async fn done(bench: &Bench, plan: &Plan) -> OpState {
    let op = bench.run(&bench.enter(plan).id).await;
    assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Done), "{:?}", op.lanes);
    op
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_changed_with_its_prices_and_set_back_to_the_recorded_policy() {
    let bench = Bench::new().await;
    let before = group(&bench, MIXED).await;
    let mix = before.mix.clone().unwrap();
    let wish = ShareWish {
        base: Some(2),
        percent: Some(50),
        types: ["m5.large", "m5a.large", "m6i.large"].map(str::to_owned).to_vec(),
        ..ShareWish::default()
    };
    let plan = bench.plan(share(wish)).await.unwrap();
    let step = &plan.lanes[0].steps[0];
    assert!(matches!(step.undo, Undo::Exact { .. }), "{:?}", step.undo);
    assert!(
        step.title.contains("20/80 on demand/spot above 1")
            && step.title.contains("50/50 on demand/spot above 2")
    );
    // Prices are those of AWS at that moment; of what has no source nothing is said but that.
    let text = preview::text(&plan);
    for told in [
        "m6i.large (new), Linux/UNIX, an hour: on demand $0.096; spot us-east-1",
        "interrupted in a month",
        "m5d.large (no longer)",
        "list of 2026-07-20 for us-east-1, interruptions those of its advisor of 2025-07",
        "of 8 in api-mixed: 5 on demand and 3 spot; before: 3 on demand and 5 spot",
        "an hour of api-mixed costs about $",
        "before: not known, for want of a price of m5d.large",
    ] {
        assert!(text.contains(told), "no {told}:\n{text}");
    }
    assert!(text.contains("--refresh replaces all by them"), "{text}");
    assert!(plan.warnings.iter().any(|it| it.contains("`OnDemandBaseCapacity: 2`")), "{:?}", plan.warnings);
    let op = done(&bench, &plan).await;
    let now = group(&bench, MIXED).await.mix.unwrap();
    let types: Vec<&str> = now.types.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!((now.on_demand_base, now.on_demand_percent), (2, 50));
    assert_eq!(types, ["m5.large", "m5a.large", "m6i.large"]);
    assert_eq!(
        Mix { on_demand_base: 1, on_demand_percent: 20, types: mix.types.clone(), ..now },
        mix,
        "the rest stays"
    );
    assert_eq!(group(&bench, MIXED).await.template, before.template);
    let again = taken_back(&bench, &op).await;
    done(&bench, &again).await;
    assert_eq!(group(&bench, MIXED).await.mix, Some(mix));
    assert_eq!(bench.changes()["UpdateAutoScalingGroup"], 2);
}

/// Members of a group that are spot, and all.
async fn spot(bench: &Bench, of: &Group) -> (usize, usize) {
    let of = of.members.iter().map(|member| member.id.clone()).collect();
    let Seen::Instances(all) = bench.aws.look(&scope(), &Look::Instances { of }).await.unwrap() else {
        panic!()
    };
    (all.iter().filter(|one| one.lifecycle == Lifecycle::Spot).count(), all.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_is_followed_by_a_refresh_is_what_all_members_are_and_goes_back_as_a_whole() {
    let bench = worn().await;
    let before = group(&bench, "mixed").await;
    let wanted = |base, percent| {
        let mut wanted = intent("spot-share", &["mixed"]);
        wanted.options.share =
            Some(Box::new(ShareWish { base, percent: Some(percent), ..ShareWish::default() }));
        let preset = RefreshPreset {
            max_healthy: Some(200),
            warmup_s: Some(0),
            checkpoints: Some(Vec::new()),
            bake_s: Some(0),
            ..RefreshPreset::default()
        };
        wanted.options.refresh = Some(Box::new(RefreshWish { preset, ..RefreshWish::default() }));
        wanted
    };
    let plan = bench.plan(wanted(Some(1), 0)).await.unwrap_or_else(|error| panic!("{}", why(&error)));
    let [step] = &plan.lanes[0].steps[..] else { panic!("one refresh, which brings the policy along") };
    for told in
        ["50/50 on demand/spot above 0", "0/100 on demand/spot above 1", "matching members replaced too"]
    {
        assert!(step.title.contains(told), "no {told}: {}", step.title);
    }
    assert!(matches!(step.undo, Undo::Exact { .. }), "{:?}", step.undo);
    let op = done(&bench, &plan).await;
    let now = group(&bench, "mixed").await;
    let mix = now.mix.clone().unwrap();
    assert_eq!((mix.on_demand_base, mix.on_demand_percent), (1, 0));
    assert_eq!(now.template, before.template, "the same version");
    let are_others = |one: &Group, other: &Group| {
        one.members.iter().all(|member| other.members.iter().all(|old| old.id != member.id))
    };
    assert!(are_others(&now, &before), "all were replaced");
    // Those that are replaced count for the base while they are there, so that it may be filled only later.
    let (spot, all) = spot(&bench, &now).await;
    assert!(spot >= 3 && all == 4, "{spot} of {all}");

    done(&bench, &taken_back(&bench, &op).await).await;
    let back = group(&bench, "mixed").await;
    assert_eq!((&back.mix, &back.template), (&before.mix, &before.template));
    assert!(are_others(&back, &now), "replaced again");
    let changes = bench.changes();
    assert_eq!(
        (changes["StartInstanceRefresh"], changes.get("UpdateAutoScalingGroup")),
        (2, None),
        "{changes:?}"
    );
    let same = why(&bench.plan(wanted(None, 50)).await.unwrap_err());
    assert!(same.contains("it is so already") && same.contains("--skip-matching no"), "{same}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_refused_or_lost_is_refused_before() {
    let bench = Bench::new().await;
    let refused = |wish| {
        let bench = &bench;
        async move { why(&bench.plan(share(wish)).await.unwrap_err()) }
    };
    let none = refused(ShareWish::default()).await;
    assert!(none.contains("no share is given") && none.contains("--preset 20/80"), "{none}");
    let strategy = ShareWish { strategy: Some("price-capacity".to_owned()), ..ShareWish::default() };
    assert!(refused(strategy).await.contains("did you mean price-capacity-optimized?"));
    let arm =
        ShareWish { types: vec!["m5.large".to_owned(), "m7g.large".to_owned()], ..ShareWish::default() };
    let said = refused(arm).await;
    assert!(said.contains("m7g.large is of another architecture"), "{said}");
    let mut plain = share(ShareWish { percent: Some(20), ..ShareWish::default() });
    plain.targets = vec!["dev-hosts".to_owned()];
    let said = why(&bench.plan(plain).await.unwrap_err());
    assert!(said.contains("it has no mixed instances policy"), "{said}");

    // While a refresh with a desired configuration is active AWS takes no other policy.
    let one = group(&bench, MIXED).await;
    let preferences = Preferences {
        min_healthy: 90,
        max_healthy: 100,
        // Longer than it takes to read the fleet again.
        warmup_s: 3_600,
        checkpoints: Vec::new(),
        checkpoint_delay_s: 0,
        skips_matching: false,
        rolls_back: false,
        protected: Handling::Replace,
        standby: Handling::Ignore,
        alarms: Vec::new(),
        bake_s: 0,
    };
    let desired = Desired::Mixed { template: one.template.clone().unwrap(), mix: one.mix.clone().unwrap() };
    let start = Change::StartRefresh {
        group: MIXED.into(),
        preferences: Box::new(preferences),
        desired: Some(Box::new(desired)),
    };
    bench.writer().write(&scope(), &start, &Token::of(&["somebody"])).await.unwrap();
    let error = bench.plan(share(ShareWish { percent: Some(50), ..ShareWish::default() })).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    let said = why(&error);
    assert!(said.contains("with a desired configuration is") && said.contains("wait for its end"), "{said}");
    assert_eq!(bench.changes().get("UpdateAutoScalingGroup"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_changed_by_name_and_set_back_exactly() {
    let bench = Bench::new().await;
    let before = group(&bench, MIXED).await;
    let mut wanted = intent("tune", &[MIXED]);
    wanted.options.tuning = Some(Box::new(Tuning {
        terminations: None,
        warmup: Setting::To(123),
        rebalances: Some(!before.rebalances.unwrap_or(false)),
        maintenance: Setting::Keep,
    }));
    let plan = bench.plan(wanted.clone()).await.unwrap();
    assert!(
        plan.lanes[0].steps[0].title.contains("→ 2m3s, capacity rebalancing "),
        "{}",
        plan.lanes[0].steps[0].title
    );
    let op = done(&bench, &plan).await;
    let now = group(&bench, MIXED).await;
    assert_eq!((now.warmup_s, now.rebalances), (Some(123), Some(!before.rebalances.unwrap_or(false))));
    assert_eq!((&now.mix, now.desired, now.max), (&before.mix, before.desired, before.max));
    done(&bench, &taken_back(&bench, &op).await).await;
    let now = group(&bench, MIXED).await;
    assert_eq!(
        (now.warmup_s, now.rebalances.unwrap_or(false)),
        (before.warmup_s, before.rebalances.unwrap_or(false))
    );

    wanted.options.tuning = Some(Box::new(Tuning {
        terminations: Some(vec!["OldestLaunchTemplat".into()]),
        ..Tuning::default()
    }));
    let said = why(&bench.plan(wanted.clone()).await.unwrap_err());
    assert!(said.contains("did you mean OldestLaunchTemplate?"), "{said}");
    wanted.options.tuning =
        Some(Box::new(Tuning { maintenance: Setting::To((50, 160)), ..Tuning::default() }));
    let said = why(&bench.plan(wanted).await.unwrap_err());
    assert!(said.contains("at most 100 apart"), "{said}");
}

/// The elements of a group that its settings are in, as AWS tells them.
async fn told(bench: &Bench, name: &str) -> Vec<String> {
    let named = format!("AutoScalingGroupNames.member.1={name}");
    let answer = crate::sim_groups::asg(&bench.running, "DescribeAutoScalingGroups", &named).await;
    let names =
        ["TerminationPolicies", "DefaultInstanceWarmup", "CapacityRebalance", "InstanceMaintenancePolicy"];
    let part = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>"))?;
        Some(format!("{name} {}", rest.split(&format!("</{name}>")).next()?))
    };
    names.into_iter().filter_map(part).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_setting_is_set_cleared_and_taken_back_to_what_was_recorded_absent_where_it_was_absent() {
    let bench = worn().await;
    let tuned = async |tuning: Tuning| {
        let mut wanted = intent("tune", &["web"]);
        wanted.options.tuning = Some(Box::new(tuning));
        let plan = bench.plan(wanted).await.unwrap_or_else(|error| panic!("{}", why(&error)));
        assert!(
            matches!(plan.lanes[0].steps[0].undo, Undo::Exact { .. }),
            "{:?}",
            plan.lanes[0].steps[0].undo
        );
        done(&bench, &plan).await
    };
    let never = "AutoScalingGroupName=web&DefaultInstanceWarmup=-1";
    crate::sim_groups::asg(&bench.running, "UpdateAutoScalingGroup", never).await;
    let bare = (group(&bench, "web").await, told(&bench, "web").await);
    assert_eq!((bare.0.warmup_s, bare.0.maintenance), (None, None), "neither is set");
    assert!(!bare.1.iter().any(|it| it.contains("Warmup") || it.contains("Maintenance")), "{:?}", bare.1);
    let all = Tuning {
        terminations: Some(vec!["oldestlaunchtemplate".into(), "ClosestToNextInstanceHour".into()]),
        warmup: Setting::To(0),
        rebalances: Some(true),
        maintenance: Setting::To((90, 120)),
    };
    let op = tuned(all.clone()).await;
    let full = (group(&bench, "web").await, told(&bench, "web").await);
    let policies: Vec<&str> = full.0.termination_policies.iter().map(AsRef::as_ref).collect();
    assert_eq!(policies, ["OldestLaunchTemplate", "ClosestToNextInstanceHour"], "in order, by AWS's names");
    assert_eq!(
        (full.0.warmup_s, full.0.rebalances, full.0.maintenance),
        (Some(0), Some(true), Some((90, 120))),
        "no warm-up is something else than none set"
    );
    done(&bench, &taken_back(&bench, &op).await).await;
    assert_eq!((group(&bench, "web").await, told(&bench, "web").await), bare, "absent is absent again");

    // From what is set to nothing, and back to the very values.
    tuned(all).await;
    let none = Tuning {
        terminations: Some(bare.0.termination_policies.clone()),
        warmup: Setting::Clear,
        rebalances: Some(false),
        maintenance: Setting::Clear,
    };
    let op = tuned(none).await;
    assert_eq!((group(&bench, "web").await, told(&bench, "web").await), bare);
    done(&bench, &taken_back(&bench, &op).await).await;
    assert_eq!((group(&bench, "web").await, told(&bench, "web").await), full, "each as it was recorded");

    // What is not named is not sent: somebody changes it meanwhile, and it stays.
    let op = tuned(Tuning { warmup: Setting::To(300), ..Tuning::default() }).await;
    tuned(Tuning { maintenance: Setting::To((50, 100)), ..Tuning::default() }).await;
    done(&bench, &taken_back(&bench, &op).await).await;
    let now = group(&bench, "web").await;
    assert_eq!((now.warmup_s, now.maintenance), (Some(0), Some((50, 100))));
}

/// A group on the newest of three versions, each with an image of its own.
const WORN: &str = r#"
start = "2026-11-21T12:00:00Z"
speed = 0
regions = ["us-east-1"]

[[fleet]]
name = "worn"

[[fleet.image]]
name = "web-1"
age = "90d"

[[fleet.image]]
name = "web-2"
age = "60d"

[[fleet.image]]
name = "web-3"
age = "5d"

[[fleet.template]]
name = "web"
type = "t3.small"
images = ["web-1", "web-2", "web-3"]
default = 3

[[fleet.group]]
name = "web"
type = "t3.small"
template = "web"
template-version = "3"
min = 1
desired = 2
max = 4

[[fleet.group]]
name = "mixed"
types = ["m5.large", "m5a.large"]
on-demand-percent = 50
template = "web"
template-version = "3"
min = 1
desired = 4
max = 8
grace = "30s"
warmup = "30s"
"#;

async fn worn() -> Bench {
    let folder = crate::residue::Folder::new();
    let file = folder.path().join("worn.toml");
    std::fs::write(&file, WORN).unwrap();
    Bench::of(serve(read(&file).unwrap()).await.unwrap()).await
}

fn clean(template: &str, recorded: &[&str]) -> Intent {
    let mut wanted = intent("clean", &[template]);
    let recorded = Some(recorded.iter().map(|one| (*one).to_owned()).collect());
    let wish = CleanWish { newest: 0, images: true, recorded, ..CleanWish::default() };
    wanted.options.clean = Some(Box::new(wish));
    wanted
}

fn titles(plan: &Plan) -> Vec<&str> {
    plan.lanes[0].steps.iter().map(|step| step.title.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn old_versions_and_the_images_that_only_they_launch_go_and_what_is_recorded_stays() {
    let bench = worn().await;
    let template = group(&bench, "web").await.template.unwrap();
    let look = Look::Versions { template: template.id.clone(), from: 1 };
    let versions = || async {
        match bench.aws.look(&scope(), &look).await.unwrap() {
            Seen::Versions(all) => all,
            other => panic!("{other:?}"),
        }
    };
    let before = versions().await;
    let images: Vec<String> = before.iter().map(|one| one.image.clone().unwrap().to_string()).collect();
    // Not known is not empty.
    let mut unasked = clean("web", &[]);
    unasked.options.clean.as_mut().unwrap().recorded = None;
    assert!(why(&bench.plan(unasked).await.unwrap_err()).contains("the journal was not asked"));
    // What an operation might go back to stays: the version with its image, or the image alone.
    let plan = bench.plan(clean("web", &[&format!("{}:1", template.id)])).await.unwrap();
    let [versions_go, image_goes] = titles(&plan)[..] else { panic!("{:?}", titles(&plan)) };
    assert_eq!(versions_go, "delete 1 version of web: 2");
    assert!(image_goes.starts_with(&format!("deregister {} (web-2)", images[1])), "{image_goes}");
    assert!(
        plan.notes.iter().any(|note| note.contains("version 1: an operation recorded it")),
        "{:?}",
        plan.notes
    );
    let plan = bench.plan(clean("web", &[&images[0]])).await.unwrap();
    assert_eq!(titles(&plan).len(), 2, "{:?}", titles(&plan));
    assert!(plan.notes.iter().any(|note| note.contains(&format!("{} stays: an operation", images[0]))));
    // Of our own images by their name, those that something launches stay, and it is said what.
    let mut named = clean("web", &[]);
    named.options.clean.as_mut().unwrap().named = vec!["web-*".to_owned()];
    let plan = bench.plan(named).await.unwrap();
    assert_eq!(titles(&plan).len(), 3, "{:?}", titles(&plan));
    let stays = format!("{} stays: version 3 of web launches it", images[2]);
    assert!(plan.notes.contains(&stays), "{:?}", plan.notes);

    let plan = bench.plan(clean("web", &[])).await.unwrap();
    let text = preview::text(&plan);
    for told in ["NOT REVERSIBLE", "3 proved by a dry run", "keeps version 3: it is the", "other accounts"] {
        assert!(text.contains(told), "no {told}:\n{text}");
    }
    done(&bench, &plan).await;
    assert_eq!(versions().await.iter().map(|one| one.number).collect::<Vec<_>>(), [3]);
    let left: Vec<ImageId> = images.iter().map(ImageId::new).collect();
    let Seen::Images(left) = bench.aws.look(&scope(), &Look::Images { of: left }).await.unwrap() else {
        panic!()
    };
    let left: Vec<&str> = left.iter().filter(|one| !one.is_gone()).map(|one| one.id.as_str()).collect();
    assert_eq!(left, [images[2].as_str()]);
    let again = why(&bench.plan(clean("web", &[])).await.unwrap_err());
    assert!(again.contains("nothing of its 1 version is unused"), "{again}");
    // A plan that was made before a group took an old version is stale.
    assert!(plan.lanes[0].facts.iter().any(|fact| format!("{:?}", fact.fact).contains("GroupLaunches")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_a_machine_was_launched_from_stays() {
    let bench = Bench::new().await;
    let plan = bench.plan(clean("dev-host", &[])).await.unwrap();
    assert_eq!(titles(&plan), ["delete 2 versions of dev-host: 1, 2"]);
    assert!(plan.notes.iter().any(|note| note.contains(" was launched from it")), "{:?}", plan.notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_back_what_another_operation_took_back_or_is_at() {
    let bench = Bench::new().await;
    let mut wanted = intent("spot-share", &[MIXED]);
    wanted.options.share = Some(Box::new(ShareWish { percent: Some(50), ..ShareWish::default() }));
    let op = done(&bench, &bench.plan(wanted).await.unwrap()).await;
    let id = &op.record.id;
    let said = || match rollback::allowed(&bench.journal(), &op) {
        Ok(unread) => {
            assert!(unread.is_empty(), "{unread:?}");
            String::new()
        }
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::Refused);
            why(&error)
        }
    };
    assert_eq!(said(), "");
    // One that is entered and has no runner is to be gone on with, and one that has a runner to be watched.
    let first = bench.enter(&taken_back(&bench, &op).await).id;
    let text = said();
    assert!(
        text.contains(&format!("operation {first} was to roll {id} back, and no runner has it now")),
        "{text}"
    );
    assert!(text.contains(&format!("coredeck op resume {first}")), "{text}");
    let held = bench.journal();
    held.claim(&first, &who("ben"), bench.timer.now(), false).unwrap();
    let text = said();
    assert!(text.contains(&format!("operation {first} is rolling {id} back")), "{text}");
    assert!(text.contains(&format!("coredeck op watch {first}")), "{text}");
    drop(held);
    let first = bench.run(&first).await;
    let by = &first.record.id;
    let text = said();
    assert!(text.contains(&format!("operation {by} has rolled {id} back already")), "{text}");
    assert!(text.contains(&format!("coredeck op rollback {by} does once more what {id} did")), "{text}");
    // Nobody is told any more to commit what is so no longer, but what is so instead.
    let commits = |op: &OpState, all: &[&OpState]| Progress::among(op, false, bench.timer.now(), all).commit;
    assert!(!commits(&op, &[&op]).is_empty());
    assert!(commits(&op, &[&first, &op]).is_empty());
    assert!(!commits(&first, &[&first, &op]).is_empty());
    // Once that was taken back there is something to take back again.
    done(&bench, &taken_back(&bench, &first).await).await;
    assert_eq!(said(), "");
}
