//! Faults on demand: each kind as a caller meets it, and the journal that tells of it.

use crate::loopback;
use crate::sim::{json, query, signed};
use coredeck::sim::{Mischief, Options, Rule, Running, serve};
use serde_json::json as value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const ASK: &str = "Action=DescribeInstances&Version=2016-11-15&MaxResults=5";

async fn with(rules: Vec<Rule>) -> Running {
    serve(Options { faults: rules, ..Options::default() }).await.unwrap()
}

async fn ec2(running: &Running) -> String {
    query(running, "ec2", ASK).await
}

/// The bytes that come over the wire, and how the connection ended.
async fn raw(running: &Running) -> (Vec<u8>, std::io::Result<usize>) {
    let host = running.addr().to_string();
    let authorization = signed("ec2", "us-east-1");
    tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(&host).unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nhost: {host}\r\nauthorization: {authorization}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{ASK}",
            ASK.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        let end = stream.read_to_end(&mut bytes);
        (bytes, end)
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_carry_the_codes_of_their_services() {
    for (kind, ec2_says, ecs_says) in [
        (Mischief::Throttle, "503 RequestLimitExceeded", "ThrottlingException"),
        (Mischief::Error, "500 InternalError", "ServerException"),
        (Mischief::Expired, "400 RequestExpired", "ExpiredTokenException"),
        (Mischief::Denied, "403 UnauthorizedOperation", "AccessDeniedException"),
    ] {
        let running = with(vec![Rule::always(kind)]).await;
        let answer = ec2(&running).await;
        let (status, code) = ec2_says.split_once(' ').unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{kind:?}: {answer}");
        assert!(answer.contains(&format!("<Code>{code}</Code>")), "{kind:?}: {answer}");
        let answer =
            json(&running, "ecs", "AmazonEC2ContainerServiceV20141113.ListClusters", value!({})).await;
        assert_eq!(answer["__type"], ecs_says);
        let calls = running.calls();
        assert_eq!(calls[0]["fault"], kind.word(), "{calls:?}");
        assert_eq!(calls[0]["error"], code, "{calls:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_hit_whom_they_name_as_often_as_they_say() {
    let rule = Rule {
        service: "ec2".into(),
        call: "Describe*".into(),
        times: Some(2),
        ..Rule::always(Mischief::Throttle)
    };
    let running = with(vec![rule]).await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        let groups =
            query(&running, "autoscaling", "Action=DescribeAutoScalingGroups&Version=2011-01-01").await;
        assert!(groups.starts_with("HTTP/1.1 200"), "{groups}");
        codes.push(ec2(&running).await[9..12].to_owned());
    }
    assert_eq!(codes, ["503", "503", "200"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_hits_about_that_share_and_the_same_ones_again() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let running = with(vec![Rule { rate: 0.3, ..Rule::always(Mischief::Throttle) }]).await;
        let mut hits = Vec::new();
        for at in 0..200 {
            if ec2(&running).await.starts_with("HTTP/1.1 503") {
                hits.push(at);
            }
        }
        runs.push(hits);
    }
    assert_eq!(runs[0], runs[1]);
    assert!((40..=80).contains(&runs[0].len()), "{} of 200", runs[0].len());
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_have_their_time() {
    let rule = Rule {
        from: Duration::from_secs(600),
        until: Some(Duration::from_secs(1200)),
        ..Rule::always(Mischief::Error)
    };
    let clock = coredeck::clock::Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
    let running =
        serve(Options { faults: vec![rule], clock, speed: 0.0, ..Options::default() }).await.unwrap();
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(ec2(&running).await[9..12].to_owned());
        running.step(Duration::from_secs(660));
    }
    assert_eq!(codes, ["200", "500", "200"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_wires() {
    let running = with(vec![Rule::always(Mischief::Reset)]).await;
    let (bytes, end) = raw(&running).await;
    assert!(bytes.is_empty() && end.is_err(), "{end:?}");

    let running = with(vec![Rule::always(Mischief::Cut)]).await;
    let (bytes, _) = raw(&running).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.unwrap_or_else(|| panic!("{head}"));
    assert!(!body.is_empty() && body.len() < length.parse().unwrap(), "{} of {length}", body.len());

    let running = with(vec![Rule::always(Mischief::Truncate)]).await;
    let answer = ec2(&running).await;
    assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("</DescribeInstancesResponse>"));

    let running = with(vec![Rule::always(Mischief::Html)]).await;
    let answer = ec2(&running).await;
    assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("<!doctype html>"), "{answer}");

    let running = with(vec![Rule::always(Mischief::Garbage)]).await;
    let (bytes, _) = raw(&running).await;
    assert!(bytes.starts_with(b"HTTP/1.1 200") && String::from_utf8(bytes).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_acts_and_does_not_answer() {
    let rule = Rule { call: "PutParameter".into(), times: Some(1), ..Rule::always(Mischief::LostAnswer) };
    let running = with(vec![rule]).await;
    let host = running.addr().to_string();
    let authorization = signed("ssm", "us-east-1");
    let put = value!({ "Name": "/x", "Value": "1", "Type": "String" });
    let target = "AmazonSSM.PutParameter";
    let body = put.to_string();
    let lost = tokio::task::spawn_blocking(move || {
        std::panic::catch_unwind(|| {
            let headers = [("Authorization", authorization.as_str()), ("X-Amz-Target", target)];
            loopback::ask(&host, "POST", "/", &headers, body.as_bytes())
        })
    })
    .await
    .unwrap();
    assert!(lost.is_err(), "no answer came");
    let again = json(&running, "ssm", target, put).await;
    assert_eq!(again["__type"], "ParameterAlreadyExists", "it was done: {again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_repeats_itself() {
    let running = with(vec![Rule::always(Mischief::RepeatToken)]).await;
    let token = |answer: &str| {
        let (_, rest) = answer.split_once("<nextToken>").unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    let first = token(&ec2(&running).await);
    let second = token(&query(&running, "ec2", &format!("{ASK}&NextToken={first}")).await);
    assert_eq!(first, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_ends_with_the_simulator() {
    let running = with(vec![Rule::always(Mischief::Hang)]).await;
    let stop = running.stop_handle();
    let (answered, ()) = tokio::join!(raw(&running), async {
        // The call is in the journal before it begins to hang.
        while running.calls().is_empty() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    });
    assert!(answered.0.is_empty(), "{answered:?}");
    tokio::time::timeout(Duration::from_secs(60), running.stopped()).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_read_tells_what_was_and_a_write_does_what_is_asked() {
    let rule = Rule {
        call: "DescribeInstances".into(),
        delay: Duration::from_secs(30),
        ..Rule::always(Mischief::Stale)
    };
    let clock = coredeck::clock::Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
    let running =
        serve(Options { faults: vec![rule], clock, speed: 0.0, ..Options::default() }).await.unwrap();
    let bastion =
        "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag:Name&Filter.1.Value.1=bastion";
    let answer = query(&running, "ec2", bastion).await;
    let id = answer.split_once("<instanceId>").unwrap().1.split('<').next().unwrap().to_owned();
    running.step(Duration::from_secs(100));
    let tag =
        format!("Action=CreateTags&Version=2016-11-15&ResourceId.1={id}&Tag.1.Key=seen&Tag.1.Value=yes");
    assert!(query(&running, "ec2", &tag).await.starts_with("HTTP/1.1 200"));
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(query(&running, "ec2", bastion).await.contains("<key>seen</key>"));
        running.step(Duration::from_secs(20));
    }
    assert_eq!(seen, [false, false, true]);
    assert_eq!(running.calls().last().unwrap()["fault"], "stale");
}
