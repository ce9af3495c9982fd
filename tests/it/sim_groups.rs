//! Auto Scaling groups in the simulator: hooks that hold, standby, detaching, refreshes with checkpoints, alarms and
//! the way back.

use crate::sim::{json, query, still};
use coredeck::sim::{Happening, Options, Running, What, serve};
use serde_json::json as value;
use std::time::Duration;

pub(crate) async fn asg(running: &Running, action: &str, rest: &str) -> String {
    query(running, "autoscaling", &format!("Action={action}&Version=2011-01-01&{rest}")).await
}

/// The same, for a call that must be answered well.
async fn done(running: &Running, action: &str, rest: &str) -> String {
    let answer = asg(running, action, rest).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{action} {rest}: {answer}");
    answer
}

/// What stands in the first element of that name.
pub(crate) fn element<'a>(answer: &'a str, name: &str) -> &'a str {
    let (_, rest) =
        answer.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {answer}"));
    rest.split_once("</").unwrap().0
}

/// Instance ids of a group with their stages.
async fn members(running: &Running, group: &str) -> Vec<(String, String)> {
    let answer =
        done(running, "DescribeAutoScalingGroups", &format!("AutoScalingGroupNames.member.1={group}")).await;
    let (_, instances) = answer.split_once("<Instances>").unwrap();
    let (instances, _) = instances.split_once("</Instances>").unwrap();
    let rows = instances.split("<member>").skip(1);
    rows.map(|row| (element(row, "InstanceId").to_owned(), element(row, "LifecycleState").to_owned()))
        .collect()
}

async fn stage(running: &Running, group: &str, instance: &str) -> Option<String> {
    members(running, group).await.into_iter().find(|(id, _)| id == instance).map(|(_, stage)| stage)
}

async fn state(running: &Running, instance: &str) -> String {
    let body = format!("Action=DescribeInstances&Version=2016-11-15&InstanceId.1={instance}");
    let answer = query(running, "ec2", &body).await;
    let (_, state) = answer.split_once("<instanceState>").unwrap();
    element(state, "name").to_owned()
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_termination_is_held_until_somebody_says_so_and_no_longer_than_its_time() {
    let running = still().await;
    let group = "AutoScalingGroupName=dev-hosts";
    let hook =
        "LifecycleHookName=bye&LifecycleTransition=autoscaling:EC2_INSTANCE_TERMINATING&HeartbeatTimeout=600";
    done(&running, "PutLifecycleHook", &format!("{group}&{hook}")).await;
    let ids: Vec<String> =
        members(&running, "dev-hosts").await.into_iter().map(|(id, _)| id).take(2).collect();
    for id in &ids {
        let rest = format!("InstanceId={id}&ShouldDecrementDesiredCapacity=true");
        done(&running, "TerminateInstanceInAutoScalingGroup", &rest).await;
    }
    running.step(seconds(300));
    for id in &ids {
        assert_eq!(stage(&running, "dev-hosts", id).await.as_deref(), Some("Terminating:Wait"));
        assert_eq!(state(&running, id).await, "running");
    }
    let action = format!("{group}&LifecycleHookName=bye&InstanceId={}", ids[0]);
    done(&running, "CompleteLifecycleAction", &format!("{action}&LifecycleActionResult=CONTINUE")).await;
    assert_eq!(stage(&running, "dev-hosts", &ids[0]).await.as_deref(), Some("Terminating:Proceed"));
    let again =
        asg(&running, "CompleteLifecycleAction", &format!("{action}&LifecycleActionResult=CONTINUE")).await;
    assert!(again.contains("No active Lifecycle Action found"), "{again}");
    // A heartbeat begins the time anew; without one it is over.
    let beat = format!("{group}&LifecycleHookName=bye&InstanceId={}", ids[1]);
    done(&running, "RecordLifecycleActionHeartbeat", &beat).await;
    running.step(seconds(500));
    assert_eq!(stage(&running, "dev-hosts", &ids[1]).await.as_deref(), Some("Terminating:Wait"));
    assert_eq!(stage(&running, "dev-hosts", &ids[0]).await, None);
    running.step(seconds(300));
    assert_eq!(stage(&running, "dev-hosts", &ids[1]).await, None);
    assert_eq!(state(&running, &ids[1]).await, "terminated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_launch_that_nobody_lets_in_is_abandoned_and_tried_again() {
    let running = still().await;
    let group = "AutoScalingGroupName=dev-hosts";
    let hook =
        "LifecycleHookName=hello&LifecycleTransition=autoscaling:EC2_INSTANCE_LAUNCHING&HeartbeatTimeout=120";
    done(&running, "PutLifecycleHook", &format!("{group}&{hook}")).await;
    done(&running, "SetDesiredCapacity", &format!("{group}&DesiredCapacity=13")).await;
    running.step(seconds(60));
    let held = |members: Vec<(String, String)>| {
        members.into_iter().find(|(_, stage)| stage == "Pending:Wait").map(|(id, _)| id)
    };
    let first = held(members(&running, "dev-hosts").await).unwrap();
    // ABANDON is what comes by itself.
    running.step(seconds(300));
    assert_eq!(stage(&running, "dev-hosts", &first).await, None);
    assert_eq!(state(&running, &first).await, "terminated");
    let second = loop {
        match held(members(&running, "dev-hosts").await) {
            Some(id) => break id,
            None => running.step(seconds(10)),
        }
    };
    let action =
        format!("{group}&LifecycleHookName=hello&InstanceId={second}&LifecycleActionResult=CONTINUE");
    done(&running, "CompleteLifecycleAction", &action).await;
    running.step(seconds(20));
    assert_eq!(stage(&running, "dev-hosts", &second).await.as_deref(), Some("InService"));
}

#[tokio::test(flavor = "multi_thread")]
async fn managed_draining_holds_a_host_until_its_tasks_are_elsewhere() {
    let running = still().await;
    let hooks = done(&running, "DescribeLifecycleHooks", "AutoScalingGroupName=workers-m7g").await;
    assert!(hooks.contains("ecs-managed-draining-termination-hook"), "{hooks}");
    let (id, _) = members(&running, "workers-m7g").await.remove(0);
    let rest = format!("InstanceId={id}&ShouldDecrementDesiredCapacity=false");
    done(&running, "TerminateInstanceInAutoScalingGroup", &rest).await;
    assert_eq!(stage(&running, "workers-m7g", &id).await.as_deref(), Some("Terminating:Wait"));
    let mut least = u64::MAX;
    while stage(&running, "workers-m7g", &id).await.is_some() {
        running.step(seconds(20));
        let body = value!({ "cluster": "workers-prod", "services": ["webhook-worker"] });
        let target = "AmazonEC2ContainerServiceV20141113.DescribeServices";
        let answer = json(&running, "ecs", target, body).await;
        least = least.min(answer["services"][0]["runningCount"].as_u64().unwrap());
    }
    // 100 % of six stay; tasks that stop still run.
    assert!(least >= 6, "{least}");
    assert_eq!(state(&running, &id).await, "terminated");
}

#[tokio::test(flavor = "multi_thread")]
async fn standby_waits_for_the_load_balancer() {
    let running = still().await;
    let created = query(
        &running,
        "elasticloadbalancing",
        "Action=CreateTargetGroup&Version=2015-12-01&Name=web&Port=80&HealthCheckIntervalSeconds=10",
    )
    .await;
    let arn = element(&created, "TargetGroupArn").to_owned();
    let listeners =
        query(&running, "elasticloadbalancing", "Action=DescribeLoadBalancers&Version=2015-12-01").await;
    let balancer = element(&listeners, "LoadBalancerArn");
    let body = format!("Action=DescribeListeners&Version=2015-12-01&LoadBalancerArn={balancer}");
    let listeners = query(&running, "elasticloadbalancing", &body).await;
    let listener = element(&listeners, "ListenerArn");
    let rule = format!(
        "Action=CreateRule&Version=2015-12-01&ListenerArn={listener}&Priority=7&Conditions.member.1.Field=host-header&Conditions.member.1.HostHeaderConfig.Values.member.1=web.example.com&Actions.member.1.Type=forward&Actions.member.1.TargetGroupArn={arn}"
    );
    assert!(query(&running, "elasticloadbalancing", &rule).await.starts_with("HTTP/1.1 200"));
    let template =
        done(&running, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=dev-hosts").await;
    let template = element(&template, "LaunchTemplateId");
    let zone = "AvailabilityZones.member.1=us-east-1a";
    let group = format!(
        "AutoScalingGroupName=web&MinSize=0&MaxSize=4&DesiredCapacity=2&{zone}&LaunchTemplate.LaunchTemplateId={template}&TargetGroupARNs.member.1={arn}&HealthCheckType=ELB&HealthCheckGracePeriod=60"
    );
    done(&running, "CreateAutoScalingGroup", &group).await;
    running.step(seconds(200));
    let (first, second) = match members(&running, "web").await.as_slice() {
        [(a, x), (b, y)] if x == "InService" && y == "InService" => (a.clone(), b.clone()),
        other => panic!("{other:?}"),
    };
    let standby =
        format!("AutoScalingGroupName=web&InstanceIds.member.1={first}&ShouldDecrementDesiredCapacity=true");
    done(&running, "EnterStandby", &standby).await;
    assert_eq!(stage(&running, "web", &first).await.as_deref(), Some("EnteringStandby"));
    running.step(seconds(200));
    assert_eq!(stage(&running, "web", &first).await.as_deref(), Some("EnteringStandby"));
    running.step(seconds(120));
    assert_eq!(stage(&running, "web", &first).await.as_deref(), Some("Standby"));
    // Taken from the load balancer behind the group's back, the other one is replaced.
    let out = format!(
        "Action=DeregisterTargets&Version=2015-12-01&TargetGroupArn={arn}&Targets.member.1.Id={second}"
    );
    assert!(query(&running, "elasticloadbalancing", &out).await.starts_with("HTTP/1.1 200"));
    running.step(seconds(500));
    assert_eq!(stage(&running, "web", &second).await, None);
    assert_eq!(members(&running, "web").await.len(), 2);
    // Detached, the first one goes on by itself.
    let detach =
        format!("AutoScalingGroupName=web&InstanceIds.member.1={first}&ShouldDecrementDesiredCapacity=false");
    done(&running, "DetachInstances", &detach).await;
    running.step(seconds(60));
    assert_eq!(stage(&running, "web", &first).await, None);
    assert_eq!(state(&running, &first).await, "running");
    let refused = asg(&running, "DeleteAutoScalingGroup", "AutoScalingGroupName=web").await;
    assert!(refused.contains("<Code>ResourceInUse</Code>"), "{refused}");
    done(&running, "DeleteAutoScalingGroup", "AutoScalingGroupName=web&ForceDelete=true").await;
    running.step(seconds(600));
    let gone = done(&running, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=web").await;
    assert!(!gone.contains("<AutoScalingGroupName>web"), "{gone}");
}

const NUMBERED: &str = "AutoScalingGroupName=dev-hosts&DesiredConfiguration.LaunchTemplate.Version=2";
const WIDE: &str = "Preferences.MinHealthyPercentage=100&Preferences.MaxHealthyPercentage=150&Preferences.InstanceWarmup=30&Preferences.SkipMatching=true";

async fn start_refresh(running: &Running, more: &str) {
    let group = done(running, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=dev-hosts").await;
    let template = element(&group, "LaunchTemplateId");
    let rest =
        format!("{NUMBERED}&DesiredConfiguration.LaunchTemplate.LaunchTemplateId={template}&{WIDE}&{more}");
    done(running, "StartInstanceRefresh", &rest).await;
}

async fn refresh(running: &Running) -> String {
    done(running, "DescribeInstanceRefreshes", "AutoScalingGroupName=dev-hosts").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_stops_at_its_checkpoints_and_bakes() {
    let running = still().await;
    let marks =
        "Preferences.CheckpointPercentages.member.1=25&Preferences.CheckpointPercentages.member.2=100";
    start_refresh(&running, &format!("{marks}&Preferences.CheckpointDelay=1800&Preferences.BakeTime=900"))
        .await;
    running.step(seconds(900));
    let held = refresh(&running).await;
    let percent: u32 = element(&held, "PercentageComplete").parse().unwrap();
    assert!((25..60).contains(&percent), "at the first checkpoint: {held}");
    running.step(seconds(600));
    assert_eq!(
        element(&refresh(&running).await, "PercentageComplete"),
        percent.to_string(),
        "and held there"
    );
    let mut seen = Vec::new();
    for _ in 0..400 {
        running.step(seconds(30));
        let now = element(&refresh(&running).await, "Status").to_owned();
        if seen.last() != Some(&now) {
            seen.push(now);
        }
        if seen.last().is_some_and(|last| last == "Successful") {
            break;
        }
    }
    assert_eq!(seen, ["InProgress", "Baking", "Successful"]);
    let group = done(&running, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=dev-hosts").await;
    assert!(!group.contains("<Version>3</Version>"), "{group}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_checkpoint_below_everything_ends_well_with_a_part_of_the_group() {
    let running = still().await;
    let mark = "Preferences.CheckpointPercentages.member.1=50&Preferences.CheckpointDelay=60";
    start_refresh(&running, mark).await;
    running.step(seconds(2 * 3600));
    let ended = refresh(&running).await;
    assert_eq!(element(&ended, "Status"), "Successful", "{ended}");
    let group = done(&running, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=dev-hosts").await;
    let (_, instances) = group.split_once("<Instances>").unwrap();
    let (old, new) = (
        instances.matches("<Version>3</Version>").count(),
        instances.matches("<Version>2</Version>").count(),
    );
    assert!(old > 0 && new >= 6, "{old} old, {new} new");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_turns_a_refresh_round() {
    let rings = Happening {
        at: seconds(150),
        account: "*".to_owned(),
        region: "*".to_owned(),
        what: What::Alarm("auth-api-5xx".to_owned(), "ALARM".to_owned()),
    };
    let clock = coredeck::clock::Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
    let options = Options { clock, speed: 0.0, events: vec![rings], ..Options::default() };
    let running = serve(options).await.unwrap();
    let watched = "Preferences.AlarmSpecification.Alarms.member.1=auth-api-5xx&Preferences.AutoRollback=true";
    start_refresh(&running, watched).await;
    running.step(seconds(140));
    assert_eq!(element(&refresh(&running).await, "Status"), "InProgress");
    running.step(seconds(30));
    let now = refresh(&running).await;
    assert_eq!(element(&now, "Status"), "RollbackInProgress", "{now}");
    assert!(element(&now, "RollbackReason").contains("auth-api-5xx"), "{now}");
    running.step(seconds(3600));
    assert_eq!(element(&refresh(&running).await, "Status"), "RollbackSuccessful");
    let group = done(&running, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=dev-hosts").await;
    let (_, instances) = group.split_once("<Instances>").unwrap();
    assert!(!instances.contains("<Version>2</Version>"), "{group}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_below_a_hundred_percent_of_one() {
    let running = still().await;
    done(&running, "UpdateAutoScalingGroup", "AutoScalingGroupName=legacy-cron&MinSize=1&DesiredCapacity=1")
        .await;
    running.step(seconds(300));
    let rest = "AutoScalingGroupName=legacy-cron&Preferences.MinHealthyPercentage=100&Preferences.MaxHealthyPercentage=100&Preferences.InstanceWarmup=30";
    done(&running, "StartInstanceRefresh", rest).await;
    for _ in 0..100 {
        running.step(seconds(15));
        let serving = members(&running, "legacy-cron")
            .await
            .into_iter()
            .filter(|(_, stage)| stage == "InService")
            .count();
        assert!(serving >= 1);
    }
    let answer = done(&running, "DescribeInstanceRefreshes", "AutoScalingGroupName=legacy-cron").await;
    assert_eq!(element(&answer, "Status"), "Successful", "{answer}");
}

/// How many members of each of three types, cheapest last, a new group of eight has by such a distribution.
async fn spread(running: &Running, distribution: &str) -> Vec<usize> {
    let types = ["m5.large", "t3.large", "m7g.large"];
    let template = "LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web&\
                    MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version=1";
    let mut call = format!(
        "AutoScalingGroupName=spread&MinSize=0&MaxSize=8&DesiredCapacity=8&AvailabilityZones.member.1=us-east-1a&\
         MixedInstancesPolicy.{template}"
    );
    for (at, kind) in (1..).zip(types) {
        let one = format!("MixedInstancesPolicy.LaunchTemplate.Overrides.member.{at}");
        call.push_str(&format!("&{one}.InstanceType={kind}"));
        if kind == "m7g.large" {
            call.push_str(&format!(
                "&{one}.LaunchTemplateSpecification.LaunchTemplateName=arm&{one}.LaunchTemplateSpecification.Version=1"
            ));
        }
    }
    for part in distribution.split('&') {
        call.push_str(&format!("&MixedInstancesPolicy.InstancesDistribution.{part}"));
    }
    done(running, "CreateAutoScalingGroup", &call).await;
    running.step(seconds(300));
    let answer = done(running, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=spread").await;
    let of = |kind: &&str| {
        let (_, members) = answer.split_once("<Instances>").unwrap();
        members.split("</Instances>").next().unwrap().matches(&format!("<InstanceType>{kind}<")).count()
    };
    let counts = types.iter().map(of).collect();
    done(running, "DeleteAutoScalingGroup", "AutoScalingGroupName=spread&ForceDelete=true").await;
    running.step(seconds(900));
    counts
}

#[tokio::test]
async fn types_are_launched_as_the_allocation_strategies_say() {
    let scenario = r#"
        start = "2026-11-21T12:00:00Z"
        speed = 0
        regions = ["us-east-1"]
        fleet = [{ name = "mixed", image = [
            { name = "web-1", age = "90d" }, { name = "arm-1", age = "90d", architecture = "arm64" },
        ], template = [
            { name = "web", type = "m5.large", images = ["web-1"], default = 1 },
            { name = "arm", type = "m7g.large", images = ["arm-1"], default = 1 },
        ] }]
    "#;
    let running = serve(coredeck::sim::parse(scenario, "mixed").unwrap()).await.unwrap();
    let spot = "OnDemandPercentageAboveBaseCapacity=0&SpotAllocationStrategy";
    let on_demand = "OnDemandPercentageAboveBaseCapacity=100&OnDemandAllocationStrategy";
    for (distribution, wanted) in [
        (format!("{spot}=capacity-optimized"), [3, 3, 2]),
        (format!("{spot}=price-capacity-optimized"), [2, 3, 3]),
        (format!("{spot}=capacity-optimized-prioritized"), [8, 0, 0]),
        (format!("{spot}=lowest-price&SpotInstancePools=2"), [0, 4, 4]),
        (format!("{spot}=lowest-price&SpotInstancePools=1"), [0, 0, 8]),
        (format!("{on_demand}=prioritized"), [8, 0, 0]),
        (format!("{on_demand}=lowest-price"), [0, 0, 8]),
        // The base by the order of preference, what is above from all pools.
        (
            "OnDemandBaseCapacity=2&OnDemandPercentageAboveBaseCapacity=0&SpotAllocationStrategy=capacity-optimized"
                .to_owned(),
            [4, 2, 2],
        ),
    ] {
        assert_eq!(spread(&running, &distribution).await, wanted, "{distribution}");
    }
}
