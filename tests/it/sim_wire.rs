//! The simulator's wire where it is as unkind as AWS: reads that lag, empty buckets, wrong clocks; and the log of what
//! was changed.

use crate::loopback;
use crate::sim::{json, query, signed, still};
use coredeck::clock::Clock;
use coredeck::sim::{Mischief, Options, Rule, Running, serve};
use serde_json::json as value;
use std::time::Duration;

async fn with(options: Options) -> Running {
    let clock = Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
    serve(Options { clock, speed: 0.0, ..options }).await.unwrap()
}

async fn ec2(running: &Running, rest: &str) -> String {
    query(running, "ec2", &format!("Version=2016-11-15&{rest}")).await
}

fn first<'a>(answer: &'a str, name: &str) -> &'a str {
    answer.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{answer}")).1.split('<').next().unwrap()
}

async fn an_image(running: &Running) -> String {
    first(&ec2(running, "Action=DescribeImages&Owner.1=self").await, "imageId").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn ec2_shows_for_a_while_what_was_before() {
    let running = with(Options { lags: true, ..Options::default() }).await;
    let image = an_image(&running).await;
    let ask = format!("Action=RunInstances&ImageId={image}&MinCount=1&MaxCount=1&ClientToken=t1");
    let made = ec2(&running, &ask).await;
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    let id = first(&made, "instanceId").to_owned();
    let look = format!("Action=DescribeInstances&InstanceId.1={id}");
    assert!(ec2(&running, &look).await.contains("InvalidInstanceID.NotFound"));
    running.step(Duration::from_secs(5));
    assert!(ec2(&running, &look).await.starts_with("HTTP/1.1 200"));
    running.step(Duration::from_secs(60));
    ec2(&running, &format!("Action=CreateTags&ResourceId.1={id}&Tag.1.Key=a&Tag.1.Value=b")).await;
    let stale = ec2(&running, &look).await;
    assert!(stale.contains("<name>running</name>") && !stale.contains("<key>a</key>"), "{stale}");
    running.step(Duration::from_secs(5));
    assert!(ec2(&running, &look).await.contains("<key>a</key>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_launches_once() {
    let running = still().await;
    let image = an_image(&running).await;
    let ask = |count: u32| {
        format!(
            "Action=RunInstances&ImageId={image}&MinCount=1&MaxCount={count}&ClientToken=t1&InstanceType=t3.micro"
        )
    };
    let dry = ec2(&running, &format!("{}&DryRun=true", ask(2))).await;
    assert!(dry.starts_with("HTTP/1.1 412") && dry.contains("DryRunOperation"), "{dry}");
    let once = ec2(&running, &ask(2)).await;
    assert_eq!(once.matches("<instanceId>").count(), 2, "{once}");
    running.step(Duration::from_secs(60));
    let twice = ec2(&running, &ask(2)).await;
    assert_eq!(first(&once, "instanceId"), first(&twice, "instanceId"));
    let other = ec2(&running, &ask(3)).await;
    assert!(other.contains("<Code>IdempotentParameterMismatch</Code>"), "{other}");
    let log = running.mutations();
    let log: Vec<_> = log.iter().filter(|one| one.action == "RunInstances").collect();
    let acted: Vec<bool> = log.iter().map(|one| one.acted).collect();
    assert_eq!(acted, [false, true, false, false]);
    assert_eq!(log[1].made.len(), 2, "{log:?}");
    assert_eq!(log[1].client_token.as_deref(), Some("t1"));
    assert_eq!(log[3].error.as_deref(), Some("IdempotentParameterMismatch"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_instance_keeps_its_zone_alive() {
    let running = still().await;
    let image = an_image(&running).await;
    let mut ids = Vec::new();
    for zone in ["us-east-1a", "us-east-1a", "us-east-1b"] {
        let ask = format!(
            "Action=RunInstances&ImageId={image}&MinCount=1&MaxCount=1&Placement.AvailabilityZone={zone}"
        );
        ids.push(first(&ec2(&running, &ask).await, "instanceId").to_owned());
    }
    let protect =
        format!("Action=ModifyInstanceAttribute&InstanceId={}&DisableApiTermination.Value=true", ids[0]);
    assert!(ec2(&running, &protect).await.contains("<return>true</return>"));
    running.step(Duration::from_secs(60));
    let named: String =
        ids.iter().enumerate().map(|(at, id)| format!("&InstanceId.{}={id}", at + 1)).collect();
    let refused = ec2(&running, &format!("Action=TerminateInstances{named}")).await;
    assert!(refused.contains("<Code>OperationNotPermitted</Code>"), "{refused}");
    running.step(Duration::from_secs(120));
    let mut states = Vec::new();
    for id in &ids {
        let answer = ec2(&running, &format!("Action=DescribeInstances&InstanceId.1={id}")).await;
        let (_, state) = answer.split_once("<instanceState>").unwrap();
        states.push(first(state, "name").to_owned());
    }
    assert_eq!(states, ["running", "running", "terminated"]);
    // The same again ends nothing more, and a dry run ends nothing at all.
    ec2(&running, &format!("Action=TerminateInstances{named}")).await;
    ec2(&running, &format!("Action=TerminateInstances{named}&DryRun=true")).await;
    let log = running.mutations();
    let ends: Vec<_> = log.iter().filter(|one| one.action == "TerminateInstances").collect();
    assert!(ends.iter().all(|one| one.error.as_deref() == Some("OperationNotPermitted") && one.answered));
    assert_eq!(ends.iter().map(|one| one.acted).collect::<Vec<_>>(), [true, false, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_empty_and_fill_by_family() {
    let running = with(Options { buckets: true, ..Options::default() }).await;
    let mut ok = 0;
    while ec2(&running, "Action=DescribeInstances").await.starts_with("HTTP/1.1 200") {
        ok += 1;
    }
    assert_eq!(ok, 50, "nothing narrows it");
    let full = ec2(&running, "Action=DescribeInstances").await;
    assert!(full.starts_with("HTTP/1.1 503") && full.contains("<Code>RequestLimitExceeded</Code>"), "{full}");
    running.step(Duration::from_secs(1));
    assert!(ec2(&running, "Action=DescribeInstances").await.starts_with("HTTP/1.1 200"));
    let target = "AmazonEC2ContainerServiceV20141113.UpdateCapacityProvider";
    let asked = value!({ "name": "workers-m7g", "autoScalingGroupProvider": {} });
    let mut last = value!({});
    for _ in 0..11 {
        last = json(&running, "ecs", target, asked.clone()).await;
    }
    assert_eq!(last["__type"], "ThrottlingException", "{last}");
    let log = running.mutations();
    assert!(!log.last().unwrap().acted && log.last().unwrap().answered);
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_of_another_time_are_refused() {
    let off = jiff::SignedDuration::from_mins(20);
    let running = with(Options { clock_off: off, ..Options::default() }).await;
    let ask = |service: &'static str, body: &'static str, later: i64| {
        let host = running.addr().to_string();
        let authorization = signed(service, "us-east-1");
        let at = Clock::Real.now() + jiff::SignedDuration::from_mins(later);
        let date = at.strftime("%Y%m%dT%H%M%SZ").to_string();
        tokio::task::spawn_blocking(move || {
            let target = ("X-Amz-Target", "AmazonSSM.GetParameter");
            let mut headers = vec![("Authorization", authorization.as_str()), ("X-Amz-Date", date.as_str())];
            if service == "ssm" {
                headers.push(target);
            }
            String::from_utf8_lossy(&loopback::ask(&host, "POST", "/", &headers, body.as_bytes()))
                .into_owned()
        })
    };
    let ec2_body = "Action=DescribeRegions&Version=2016-11-15";
    let answer = ask("ec2", ec2_body, 0).await.unwrap();
    assert!(answer.contains("<Code>RequestExpired</Code>"), "{answer}");
    let head = answer.to_lowercase();
    assert!(head.contains("\r\ndate: "), "the answer tells its own time: {head}");
    let groups = "Action=DescribeAutoScalingGroups&Version=2011-01-01";
    let answer = ask("autoscaling", groups, 0).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("SignatureDoesNotMatch"), "{answer}");
    let answer = ask("ssm", r#"{"Name":"/x"}"#, 40).await.unwrap();
    assert!(answer.contains("InvalidSignatureException") && answer.contains("not yet current"), "{answer}");
    let answer = ask("ec2", ec2_body, 18).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_what_was_done_and_not_answered() {
    let rule = Rule { call: "EnterStandby".into(), times: Some(1), ..Rule::always(Mischief::LostAnswer) };
    let running = with(Options { faults: vec![rule], ..Options::default() }).await;
    let group = query(
        &running,
        "autoscaling",
        "Action=DescribeAutoScalingGroups&Version=2011-01-01&AutoScalingGroupNames.member.1=dev-hosts",
    )
    .await;
    let id = first(&group, "InstanceId").to_owned();
    let body = format!(
        "Action=EnterStandby&Version=2011-01-01&AutoScalingGroupName=dev-hosts&InstanceIds.member.1={id}&ShouldDecrementDesiredCapacity=true"
    );
    let host = running.addr().to_string();
    let authorization = signed("autoscaling", "us-east-1");
    let sent = body.clone();
    let lost = tokio::task::spawn_blocking(move || {
        std::panic::catch_unwind(|| {
            let headers = [("Authorization", authorization.as_str())];
            loopback::ask(&host, "POST", "/", &headers, sent.as_bytes())
        })
    });
    assert!(lost.await.unwrap().is_err(), "no answer came");
    let again = query(&running, "autoscaling", &body).await;
    assert!(again.contains("is not in InService"), "{again}");
    let log = running.mutations();
    let [did, refused] = log.as_slice() else { panic!("{log:?}") };
    assert!(did.acted && !did.answered, "{did:?}");
    assert!(!refused.acted && refused.answered, "{refused:?}");
    assert_eq!(did.targets, ["dev-hosts", id.as_str()]);
    assert!(did.caller.ends_with(":user/oncall"), "{did:?}");
    assert_eq!((did.action.as_str(), did.region, did.account.len()), ("EnterStandby", "us-east-1", 12));
    assert!(did.request_id.len() == 36 && did.request_id != refused.request_id);
}
