//! The made fleet with everything around it: traffic, templates and images that lag behind, a timeline,
//! metrics and calls.

use super::fleet::{self, ago, settle, text};
use coredeck::fleet::Fleet;
use coredeck::gateway::{CallRecord, Outcome, Reading};
use coredeck::model::{
    Activity, BalancerArn, Check, Gauges, GroupName, Image, ImageId, InstanceId, InstanceStatus, Metrics,
    Point, Refresh, Rule, RuleArn, ScheduledEvent, Target, TargetGroup, TargetGroupArn, TargetState,
    Template, TemplateId, TemplateVersion, Text, Usd, Zone,
};
use coredeck::world::World;
use std::sync::Arc;
use std::time::Duration;

fn id(n: u32) -> InstanceId {
    InstanceId::new(format!("i-{n:017x}"))
}

fn target_group(name: &str) -> TargetGroup {
    TargetGroup {
        arn: group_arn(name),
        name: Text::new(name),
        protocol: text("HTTP"),
        port: Some(3567),
        target_type: Text::new("instance"),
        vpc_id: text("vpc-1"),
        health_path: text("/hello"),
        balancers: vec![balancer()],
    }
}

fn group_arn(name: &str) -> TargetGroupArn {
    TargetGroupArn::new(format!(
        "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/{name}/0a1b2c3d"
    ))
}

fn balancer() -> BalancerArn {
    BalancerArn::new("arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/cores/50dc6c49")
}

fn target(group: &str, n: u32, state: TargetState) -> Target {
    Target {
        group: group_arn(group),
        id: Text::new(id(n).as_str()),
        port: Some(3567),
        zone: Some(Zone::new("eu-west-1a")),
        state,
        reason: (state == TargetState::Unhealthy).then(|| Text::new("Target.FailedHealthChecks")),
        description: None,
    }
}

fn rule(n: u32, host: &str, group: &str) -> Rule {
    Rule {
        arn: RuleArn::new(format!(
            "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/cores/50dc6c49/f2f7/{n:016x}"
        )),
        balancer: balancer(),
        balancer_name: Text::new("cores"),
        balancer_dns: Some(Text::new("cores-1.eu-west-1.elb.amazonaws.com")),
        port: Some(443),
        priority: Text::new(n.to_string()),
        hosts: vec![Text::new(host)],
        paths: Vec::new(),
        forwards: vec![(group_arn(group), 1)],
        other_action: None,
    }
}

fn image(id: &str, name: &str, days: i64) -> Image {
    Image {
        id: ImageId::new(id),
        name: text(name),
        architecture: text("x86_64"),
        created_at: Some(ago(days * 86_400)),
        state: text("available"),
        platform: text("Linux/UNIX"),
        root_device_type: text("ebs"),
        ..Image::default()
    }
}

fn activity(n: u32, group: &str, status: &str, says: &str, seconds: i64) -> Activity {
    Activity {
        group: GroupName::new(group),
        id: Text::new(format!("activity-{n}")),
        status: Text::new(status),
        description: Text::new(says),
        cause: Text::new(
            "an instance was started in response to a difference between desired and actual capacity",
        ),
        message: (status == "Failed").then(|| Text::new("There is no Spot capacity available")),
        started_at: Some(ago(seconds + 30)),
        ended_at: Some(ago(seconds)),
    }
}

fn call(n: u32, call: &str, command: &str, outcome: Outcome) -> Arc<CallRecord> {
    Arc::new(CallRecord {
        id: Text::new(format!("17-{n}")),
        at: ago(i64::from(n) * 20),
        scope: fleet::scope("prod", "eu-west-1"),
        call: Text::new(call),
        family: Text::new("ec2 describes"),
        took: Duration::from_millis(u64::from(n) * 120 + 40),
        attempts: 1,
        throttles: 0,
        outcome,
        request_id: text("5d1f-aa01"),
        cost: if n == 3 { Usd::from_micros(40) } else { Usd::ZERO },
        login: Text::new("profile prod"),
        command: command.into(),
    })
}

/// The whole of it.
pub(super) fn rich() -> Arc<World> {
    let mut parts = fleet::parts();
    let first = &mut parts[0];
    settle(
        first,
        Reading::TargetGroups(vec![target_group("core-7"), target_group("shared"), target_group("old")]),
    );
    let targets = vec![
        target("core-7", 10, TargetState::Healthy),
        target("shared", 1, TargetState::Healthy),
        target("shared", 2, TargetState::Unhealthy),
    ];
    settle(first, Reading::Targets(targets));
    let rules = vec![rule(10, "acme.auth.example.com", "core-7"), rule(20, "pay.auth.example.com", "shared")];
    settle(first, Reading::Rules(rules));
    let version = |number: u64, image: &str, days: i64| TemplateVersion {
        number,
        description: text("weekly image"),
        created_at: Some(ago(days * 86_400)),
        image: text(image),
        instance_type: None,
        is_spot: false,
        key_name: None,
        by_attributes: false,
    };
    let template = Template {
        id: TemplateId::new("lt-1"),
        name: Text::new("core"),
        default_version: 2,
        latest_version: 3,
        created_at: Some(ago(200 * 86_400)),
        created_by: None,
        tags: Default::default(),
        versions: vec![version(2, "ami-0aa11bb22cc33dd44", 40), version(3, "ami-0ee55ff66aa77bb88", 0)],
    };
    settle(first, Reading::Templates(vec![template]));
    let images = vec![
        image("ami-0aa11bb22cc33dd44", "core-docker-2026.10.12", 40),
        image("ami-0ee55ff66aa77bb88", "core-docker-2026.11.21", 1),
    ];
    settle(first, Reading::Images(images));
    let refresh = Refresh {
        group: GroupName::new("shared-hosts"),
        id: Text::new("refresh-1"),
        status: Text::new("InProgress"),
        reason: None,
        percent: Some(40),
        remaining: Some(3),
        started_at: Some(ago(2_400)),
        ended_at: None,
    };
    settle(first, Reading::Refreshes(vec![refresh]));
    let launched = "Launching a new EC2 instance: i-00000000000000002";
    let activities = vec![
        activity(1, "shared-hosts", "Successful", launched, 600),
        activity(2, "prod-api", "Failed", "Launching a new EC2 instance", 5_400),
    ];
    settle(first, Reading::Activities(activities));
    let planned = ScheduledEvent {
        code: Text::new("instance-retirement"),
        description: Text::new("The instance is running on degraded hardware"),
        not_before: Some(ago(-4 * 86_400)),
    };
    let status = |n: u32, instance: Check, events: Vec<ScheduledEvent>| InstanceStatus {
        id: id(n),
        system: Check::Ok,
        instance,
        ebs: None,
        events,
    };
    let mut statuses: Vec<InstanceStatus> =
        (1..=6).chain(10..=25).map(|n| status(n, Check::Ok, Vec::new())).collect();
    statuses[1] = status(2, Check::Impaired, vec![planned]);
    settle(first, Reading::Statuses(statuses));
    let series = |values: &[f64]| {
        let points = values.iter().zip(0_i64..);
        points.map(|(value, nth)| Point { at: ago(3_600 - nth * 300), value: *value }).collect::<Vec<_>>()
    };
    let metrics = Metrics {
        id: id(2),
        asked: Gauges::ALL,
        cpu: series(&[12.0, 18.0, 35.0, 60.0, 88.0, 93.0, 97.0, 91.0]),
        network_in: series(&[2e6, 2.5e6, 3e6, 8e6, 9e6, 9.5e6, 1e7, 9e6]),
        network_out: series(&[1e6, 1e6, 2e6, 3e6, 3e6, 3e6, 4e6, 3e6]),
        credits: series(&[80.0, 60.0, 40.0, 20.0, 10.0, 5.0, 2.0, 1.5]),
    };
    settle(first, Reading::Metrics(vec![metrics]));
    let mut world = World::clone(&fleet::world(parts));
    let mut rows = Fleet::clone(&world.fleet);
    rows.calls = [
        call(
            1,
            "ec2:DescribeInstances",
            "aws ec2 describe-instances --region eu-west-1 --profile prod",
            Outcome::Answered,
        ),
        call(
            2,
            "ecs:ListClusters",
            "aws ecs list-clusters --region eu-west-1 --profile prod",
            Outcome::Failed(coredeck::model::TroubleKind::Denied, text("AccessDeniedException")),
        ),
        call(
            3,
            "cloudwatch:GetMetricData",
            "aws cloudwatch get-metric-data --cli-input-json '{\"MetricDataQueries\":[]}' --region eu-west-1",
            Outcome::Answered,
        ),
    ]
    .into();
    world.fleet = Arc::new(rows);
    Arc::new(world)
}
