//! Calls on the screen: the page `:calls`, one call in full, throttles in the header, and the bucket and the
//! next try on the page of troubles.

use coredeck::fleet::join;
use coredeck::gateway::{Bucket, CallRecord, Outcome, Source, Spending};
use coredeck::model::{Scope, Text, Trouble, TroubleKind, Usd};
use coredeck::snapshot::{Part, Snapshot};
use coredeck::tui::headless::headless;
use coredeck::world::World;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

const NOW: Timestamp = Timestamp::constant(1_795_296_148, 0);

fn scope() -> Arc<Scope> {
    Arc::new(Scope { account: "prod".into(), region: "us-east-1".into() })
}

fn call(nth: u64, outcome: Outcome) -> Arc<CallRecord> {
    Arc::new(CallRecord {
        id: Text::from(format!("1795296148000-{nth}")),
        at: NOW - Duration::from_secs(100 - nth),
        scope: scope(),
        call: "ec2:DescribeInstances".into(),
        family: "DescribeInstances".into(),
        took: Duration::from_millis(340 * nth),
        attempts: 3,
        throttles: 1,
        outcome,
        request_id: Some("f00d-cafe".into()),
        cost: Usd::from_micros(10),
        login: "profile prod".into(),
        command: format!(
            "aws ec2 describe-instances --next-token {}\u{1b}[2J --region us-east-1",
            "t".repeat(90)
        )
        .into(),
    })
}

/// A fleet in which reading instances is throttled.
fn world() -> Arc<World> {
    let trouble = Trouble {
        kind: TroubleKind::Throttled,
        call: "ec2:DescribeInstances".into(),
        code: Some("RequestLimitExceeded".into()),
        message: "AWS asks us to slow down".into(),
        hint: None,
        request_id: Some("f00d-cafe".into()),
        at: NOW,
    };
    let mut part = Part::new(scope());
    part.failed(Source::Instances, trouble);
    let mut snapshot = Snapshot::empty(NOW);
    snapshot.seq = 1;
    snapshot.parts = vec![Arc::new(part)];
    let mut fleet = join(&snapshot, &[]);
    let throttled = Outcome::Failed(TroubleKind::Throttled, Some("RequestLimitExceeded".into()));
    fleet.calls = [call(2, throttled), call(1, Outcome::Answered)].into();
    let bucket = Bucket {
        scope: scope(),
        family: "DescribeInstances".into(),
        calls: vec!["ec2:DescribeInstances".into()],
        spending: Spending { calls: 6, throttles: 2, ..Spending::default() },
        took: Duration::from_secs(1),
        tokens: -0.5,
        capacity: 50.0,
        per_second: 10.0,
        waiting: 3,
    };
    let retry = ((*scope()).clone(), Source::Instances);
    Arc::new(World {
        snapshot: Arc::new(snapshot),
        fleet: Arc::new(fleet),
        spending: Spending { calls: 6, throttles: 2, failures: 0, dollars: Usd::from_micros(20) },
        buckets: [bucket].into(),
        retries: Arc::new([(retry, NOW + Duration::from_secs(4))].into()),
        timeline: Default::default(),
    })
}

#[test]
fn the_page_lists_calls_newest_first() {
    let shown = headless(world(), ":calls<ret>", (140, 12));
    let (first, second) = (shown.find("throttled  ").unwrap(), shown.find(" ok ").unwrap());
    assert!(first < second, "{shown}");
    for said in ["aws ec2 describe-instances", "RequestLimitExceeded", "680ms", "$0.00001", "us-east-1"] {
        assert!(shown.contains(said), "{said} in\n{shown}");
    }
    let narrowed = headless(world(), ":calls result=ok<ret>", (140, 12));
    assert!(narrowed.contains("340ms") && !narrowed.contains("680ms"), "{narrowed}");
}

#[test]
fn one_call_is_shown_with_its_whole_command_made_harmless() {
    let shown = headless(world(), ":calls<ret>d", (80, 40));
    let flat: String = shown.split_whitespace().collect();
    assert!(flat.contains(&"t".repeat(90)), "{shown}");
    assert!(flat.contains("awsec2describe-instances") && flat.contains("␛[2J"), "{shown}");
    assert!(shown.contains("f00d-cafe") && shown.contains("profile prod"), "{shown}");
}

#[test]
fn a_throttle_names_its_bucket_and_the_moment_of_the_next_try() {
    let shown = headless(world(), "!", (110, 20));
    assert!(shown.contains("2 throttled"), "the header: {shown}");
    let bucket =
        "bucket DescribeInstances: -1 of 50 tokens, 10 a second flow back, 3 calls wait, 2 throttled so far";
    assert_eq!(shown.matches(bucket).count(), 1, "with the trouble: {shown}");
    assert!(
        shown.contains("prod/us-east-1: bucket DescribeInstances: -1 of 50"),
        "with what was spent: {shown}"
    );
    let moment = (NOW + Duration::from_secs(4)).strftime("tried again at %H:%M:%SZ").to_string();
    assert!(shown.contains(&moment), "{moment} in\n{shown}");
}
