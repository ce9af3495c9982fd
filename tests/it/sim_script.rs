//! Scenarios: what they let happen, and every fault in them at once.

use crate::sim::{json, query};
use coredeck::error::ErrorKind;
use coredeck::sim::{Mischief, parse, read, serve};
use serde_json::json as value;
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
        "bad.toml:1:1: unknown key sede, did you mean seed?",
        "bad.toml:2:9: speed must be a number from 0",
        "bad.toml:3:12: accounts must be from 1",
        "bad.toml:4:12: no region us-eest-1 here, did you mean us-east-1?",
        "bad.toml:5:9: noon is no moment",
        "bad.toml:8:8: no fault is called throttel, did you mean throttle?",
        "bad.toml:12:8: rate is a share from 0 to 1",
        "bad.toml:13:9: until must be a span of time",
        "scale needs desired",
        "an event needs at",
        "nothing is called dance",
    ] {
        assert!(error.message.contains(expected), "{expected}\nin\n{}", error.message);
    }
    let error = parse("seed = ", "torn.toml").unwrap_err();
    assert!(error.message.starts_with("torn.toml:1:"), "{}", error.message);
    let error = read(std::path::Path::new("/nowhere/x.toml")).unwrap_err();
    assert!(error.message.contains("/nowhere/x.toml"), "{}", error.message);
}

/// The example of the documentation: what it describes is there, in the account and region that it names.
#[tokio::test(flavor = "multi_thread")]
async fn the_example_in_the_documentation_stands_as_it_is_described() {
    let text = include_str!("../../docs/scenario.toml");
    let running = serve(parse(text, "docs/scenario.toml").unwrap()).await.unwrap();
    assert_eq!(running.accounts(), ["111122223333", "444455556666"]);
    let count = |answer: &str, word: &str| answer.matches(word).count();
    let instances = query(&running, "ec2", "Action=DescribeInstances&Version=2016-11-15").await;
    assert_eq!(count(&instances, "<instanceId>"), 40 + 1 + 6 + 80, "hosts, groups and cells");
    assert!(count(&instances, "<instanceLifecycle>spot") == 50, "above the base, a fifth on demand");
    assert!(instances.contains("<key>shard</key><value>3</value>"));
    let groups = query(&running, "autoscaling", "Action=DescribeAutoScalingGroups&Version=2011-01-01").await;
    assert_eq!(count(&groups, "<AutoScalingGroupName>"), 11);
    assert_eq!(
        count(&groups, "<Version>1</Version>"),
        2 + 80,
        "two are behind, and the cells have one version"
    );
    let target = "AmazonEC2ContainerServiceV20141113.ListServices";
    let services = json(&running, "ecs", target, value!({ "cluster": "cells-1", "maxResults": 100 })).await;
    assert_eq!(services["serviceArns"].as_array().unwrap().len(), 15);
    let path = value!({ "Path": "/coredeck/default/tenants", "Recursive": true, "MaxResults": 10 });
    let tenants = json(&running, "ssm", "AmazonSSM.GetParametersByPath", path).await;
    assert_eq!(tenants["Parameters"].as_array().unwrap().len(), 10);
    let alarms = "Action=DescribeAlarms&Version=2010-08-01&StateValue=ALARM";
    running.step(Duration::from_secs(180));
    let loud = query(&running, "monitoring", alarms).await;
    assert!(loud.contains("prod-007-credits"), "{loud}");
    assert!(!loud.contains("prod-008-credits"));
    let clusters = json(
        &running,
        "ecs",
        "AmazonEC2ContainerServiceV20141113.DescribeServices",
        value!({ "cluster": "cells-1", "services": ["core-29"] }),
    )
    .await;
    assert_eq!(clusters["services"][0]["deployments"].as_array().unwrap().len(), 2, "{clusters}");
}

#[test]
fn every_fault_of_a_fleet_at_once() {
    let bad = r#"accounts = ["12", "111122223333", "111122223333"]
regions = ["us-east-1"]

[[fleet]]
region = "eu-west-1"
colour = "red"

[[fleet.hosts]]
name = "prod"
count = 3
type = "t2.mikro"

[[fleet.hosts]]
name = "prod-{m}"
type = "t2.micro"
zone = "z"
tags = { "aws:x" = "y" }

[[fleet.group]]
name = "dev-hosts"
type = "t3.small"
desired = 9
max = 4
template = "dev-hosd"
cluster = "cell-1"
suspended = ["Lunch"]

[[fleet.template]]
name = "dev-host"
images = ["core-docker-2026.11.05"]

[[fleet.cluster]]
name = "cells-1"

[[fleet.cluster]]
name = "cells-1"

[[fleet.service]]
name = "core-{n}"
count = 4
cluster = "cells-{n}"

[[fleet.rule]]
balancer = "public"
hosts = []
target-group = "cores"

[[fleet.alarm]]
name = "loud"
metric = "CPUUtilization"
comparison = "more"
period = 61

[[fleet.trouble]]
what = "silnt"
instance = "prod-*"

[[fleet.log-group]]
name = "/x"
days = 33
"#;
    let error = parse(bad, "bad.toml").unwrap_err();
    for expected in [
        "bad.toml:1:13: 12 is no account",
        "bad.toml:1:35: account 111122223333 is named twice",
        "bad.toml:5:10: eu-west-1 is none of the regions",
        "bad.toml:6:1: unknown key colour",
        "bad.toml:9:8: 3 rows need {n} in their name",
        "bad.toml:11:8: no type t2.mikro is pretended, did you mean t2.micro?",
        "bad.toml:14:8: {m} is no number of a row",
        "bad.toml:22:11: desired must be from min 1 to max 4, not 9",
        "bad.toml:24:12: there is no template called dev-hosd, did you mean dev-host?",
        "bad.toml:25:11: there is no cluster called cell-1, did you mean cells-1?",
        "bad.toml:26:14: Auto Scaling has no process Lunch, did you mean Launch?",
        "bad.toml:30:11: there is no image called core-docker-2026.11.05, did you mean core-docker-2026.11.04?",
        "bad.toml:36:8: there are two of cluster called cells-1",
        "bad.toml:41:11: there is no cluster called cells-0, did you mean cells-1?",
        "bad.toml:44:12: there is no balancer called public",
        "bad.toml:46:16: there is no target-group called cores",
        "a rule needs hosts",
        "bad.toml:51:14: comparison must be one of >, >=, <, <=, not more",
        "bad.toml:52:10: period must be a multiple of 60",
        "threshold is missing",
        "did you mean silent?",
        "bad.toml:60:8: CloudWatch Logs keeps for one of 1, 3",
    ] {
        assert!(error.message.contains(expected), "{expected}\nin\n{}", error.message);
    }
    let torn = parse("a = \nb = ]\n[[fleet]\n", "torn.toml").unwrap_err();
    assert!(torn.message.lines().count() >= 2, "every torn line: {}", torn.message);
}
