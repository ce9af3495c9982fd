//! Scenarios: what they let happen, and every fault in them at once.

use crate::sim::query;
use coredeck::error::ErrorKind;
use coredeck::sim::{Mischief, parse, read, serve};
use std::time::Duration;

const GOOD: &str = r#"
seed = 7
speed = 0
accounts = 2
regions = ["us-east-1", "eu-west-1"]
start = "2026-11-21T12:00:00Z"

[[fault]]
kind = "throttle"
service = "ec2"
call = "Describe*"
rate = 0.3
from = "5m"
until = "1h 5m"

[[event]]
at = "10m"
do = "scale"
group = "dev-hosts"
desired = 14
region = "us-east-1"

[[event]]
at = "20m"
do = "impair"
instance = "prod-lumenary"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_happens() {
    let options = parse(GOOD, "good.toml").unwrap();
    assert_eq!((options.seed, options.accounts, options.regions.len()), (7, 2, 2));
    assert_eq!(options.faults[0].kind, Mischief::Throttle);
    assert_eq!(options.faults[0].until, Some(Duration::from_secs(3900)));
    let running = serve(options).await.unwrap();
    let group =
        "Action=DescribeAutoScalingGroups&Version=2011-01-01&AutoScalingGroupNames.member.1=dev-hosts";
    let alarms = "Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1=prod-lumenary-status-check";
    let members = |answer: &str| answer.matches("<InstanceId>").count();
    assert_eq!(members(&query(&running, "autoscaling", group).await), 12);
    running.step(Duration::from_secs(15 * 60));
    assert_eq!(members(&query(&running, "autoscaling", group).await), 14);
    assert!(query(&running, "monitoring", alarms).await.contains("<StateValue>OK</StateValue>"));
    running.step(Duration::from_secs(25 * 60));
    assert!(query(&running, "monitoring", alarms).await.contains("<StateValue>ALARM</StateValue>"));
}

#[test]
fn every_fault_at_once_with_its_line() {
    let bad = r#"sede = 7
speed = -1
accounts = 0
regions = ["us-eest-1"]
start = "noon"

[[fault]]
kind = "throttel"

[[fault]]
kind = "error"
rate = 3
until = "soon"

[[event]]
at = "10m"
do = "scale"
group = "dev-hosts"

[[event]]
do = "dance"
"#;
    let error = parse(bad, "bad.toml").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    for expected in [
        "bad.toml:1: unknown key sede, did you mean seed?",
        "bad.toml:2: speed must be a number from 0",
        "bad.toml:3: accounts must be from 1",
        "bad.toml:4: no region us-eest-1 here, did you mean us-east-1?",
        "bad.toml:5: noon is no moment",
        "bad.toml:8: no fault is called throttel, did you mean throttle?",
        "bad.toml:12: rate is a share from 0 to 1",
        "bad.toml:13: until must be a span of time",
        "scale needs desired",
        "an event needs at",
        "nothing is called dance",
    ] {
        assert!(error.message.contains(expected), "{expected}\nin\n{}", error.message);
    }
    let error = parse("seed = ", "torn.toml").unwrap_err();
    assert!(error.message.starts_with("torn.toml:1: "), "{}", error.message);
    let error = read(std::path::Path::new("/nowhere/x.toml")).unwrap_err();
    assert!(error.message.contains("/nowhere/x.toml"), "{}", error.message);
}
