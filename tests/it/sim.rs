//! The simulator's wire and world, asked directly over its socket.

use crate::loopback;
use coredeck::error::ErrorKind;
use coredeck::sim::{Options, Running, Scenario, serve, served};
use std::time::Duration;

/// What a signature must look like to be let in.
pub(crate) fn signed(service: &str, region: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIANOBODYKNOWS/20261121/{region}/{service}/aws4_request, \
         SignedHeaders=host, Signature=00"
    )
}

async fn ask(running: &Running, headers: &[(&str, &str)], body: &str) -> String {
    let host = running.addr().to_string();
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = body.to_owned();
    tokio::task::spawn_blocking(move || {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = loopback::ask(&host, "POST", "/", &headers, body.as_bytes());
        String::from_utf8_lossy(&answer).into_owned()
    })
    .await
    .unwrap()
}

/// The demo fleet with a clock that only steps.
pub(crate) async fn still() -> Running {
    let clock = coredeck::clock::Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
    serve(Options { clock, speed: 0.0, ..Options::default() }).await.unwrap()
}

/// Calls a JSON service and returns what it answers, whether well or not.
pub(crate) async fn json(
    running: &Running,
    service: &str,
    target: &str,
    body: serde_json::Value,
) -> serde_json::Value {
    json_in(running, "us-east-1", service, target, body).await
}

/// The same in another region.
pub(crate) async fn json_in(
    running: &Running,
    region: &str,
    service: &str,
    target: &str,
    body: serde_json::Value,
) -> serde_json::Value {
    let authorization = signed(service, region);
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", target),
    ];
    let answer = ask(running, &headers, &body.to_string()).await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{target}: {error}: {answer}"))
}

/// Calls a query service and returns the whole answer.
pub(crate) async fn query(running: &Running, service: &str, body: &str) -> String {
    let authorization = signed(service, "us-east-1");
    let kind = "application/x-www-form-urlencoded";
    ask(running, &[("Authorization", &authorization), ("Content-Type", kind)], body).await
}

#[tokio::test]
async fn it_refuses_what_it_cannot_be_with_every_fault_at_once() {
    let options = Options {
        listen: "0.0.0.0:0".parse().unwrap(),
        regions: vec!["us-eest-1".to_owned()],
        accounts: 0,
        speed: -1.0,
        ..Options::default()
    };
    let error = serve(options).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    for part in ["loopback only", "did you mean us-east-1", "accounts", "speed"] {
        assert!(error.message.contains(part), "{part} in {}", error.message);
    }
}

#[tokio::test]
async fn a_port_in_use_is_said() {
    let first = serve(Options { scenario: Scenario::Empty, ..Options::default() }).await.unwrap();
    let error = serve(Options { listen: first.addr(), ..Options::default() }).await.unwrap_err();
    assert!(error.message.contains(&first.addr().to_string()), "{}", error.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_without_a_signature() {
    let running = serve(Options { scenario: Scenario::Empty, ..Options::default() }).await.unwrap();
    let body = "Action=DescribeInstances&Version=2016-11-15";
    let answer = ask(&running, &[], body).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("MissingAuthenticationToken"), "{answer}");
    let elsewhere = signed("ec2", "moon-north-1");
    let answer = ask(&running, &[("Authorization", &elsewhere)], body).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("SignatureDoesNotMatch"), "{answer}");
    let answer = query(&running, "ec2", body).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_refused_and_noted() {
    let running = serve(Options { scenario: Scenario::Empty, ..Options::default() }).await.unwrap();
    let answer = query(&running, "ec2", "Action=DescribeInstances&Version=2016-11-15&Colour=red").await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("UnknownParameter"), "{answer}");
    let answer = query(&running, "autoscaling", "Action=MakeCoffee&Version=2011-01-01").await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("InvalidAction"), "{answer}");
    let calls = running.calls();
    let said: Vec<_> = calls.iter().map(|call| (&call["operation"], &call["error"])).collect();
    assert_eq!(said.len(), 2, "{calls:?}");
    assert_eq!((said[1].0.as_str(), said[1].1.as_str()), (Some("MakeCoffee"), Some("InvalidAction")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_and_time_make_the_same_fleet() {
    let clock = coredeck::clock::Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
    let options = Options { clock, speed: 0.0, seed: 7, ..Options::default() };
    let body = "Action=DescribeInstances&Version=2016-11-15";
    let mut answers = Vec::new();
    for seed in [7, 7, 8] {
        let running = serve(Options { seed, ..options.clone() }).await.unwrap();
        let answer = query(&running, "ec2", body).await;
        answers.push(answer.split_once("<reservationSet>").unwrap().1.to_owned());
    }
    assert!(answers[0] == answers[1], "the same seed");
    assert!(answers[0] != answers[2], "another seed");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_when_told() {
    let running = serve(Options { scenario: Scenario::Empty, ..Options::default() }).await.unwrap();
    running.stop_handle().cancel();
    tokio::time::timeout(Duration::from_secs(60), running.stopped()).await.unwrap().unwrap();
}

#[test]
fn every_operation_is_listed_once() {
    let mut names: Vec<_> = served().into_iter().map(|one| (one.service, one.operation)).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grown_fleet_is_served_to_the_last_instance() {
    let options = Options { instances: Some(10_000), speed: 0.0, ..Options::default() };
    let running = serve(options).await.unwrap();
    let mut token = String::new();
    let (mut instances, mut pages) = (0, 0);
    loop {
        let body = format!("Action=DescribeInstances&Version=2016-11-15{token}");
        let answer = query(&running, "ec2", &body).await;
        instances += answer.matches("<instanceId>").count();
        pages += 1;
        let Some((_, rest)) = answer.split_once("<nextToken>") else { break };
        token = format!("&NextToken={}", rest.split('<').next().unwrap());
    }
    assert_eq!((instances, pages), (10_000, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_expire_and_belong_to_their_call() {
    let running = still().await;
    let ask = "Action=DescribeInstances&Version=2016-11-15&MaxResults=5";
    let answer = query(&running, "ec2", ask).await;
    let token = answer.split_once("<nextToken>").unwrap().1.split('<').next().unwrap().to_owned();
    let next = format!("{ask}&NextToken={token}");
    assert!(query(&running, "ec2", &next).await.starts_with("HTTP/1.1 200"));
    let other = format!("Action=DescribeInstanceStatus&Version=2016-11-15&NextToken={token}");
    let answer = query(&running, "ec2", &other).await;
    assert!(answer.contains("<Code>InvalidParameterValue</Code>"), "{answer}");
    running.step(Duration::from_secs(2 * 3600));
    let answer = query(&running, "ec2", &next).await;
    assert!(answer.contains("<Code>InvalidParameterValue</Code>"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_follow_the_key() {
    let running = serve(Options { accounts: 2, ..Options::default() }).await.unwrap();
    let mut answers = Vec::new();
    for (number, account) in running.accounts().iter().enumerate() {
        let exports = running.exports_of(number);
        let key = &exports.iter().find(|(name, _)| *name == "AWS_ACCESS_KEY_ID").unwrap().1;
        let header = signed("ec2", "us-east-1").replace("AKIANOBODYKNOWS", key);
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        let body = "Action=DescribeInstances&Version=2016-11-15";
        let answer = ask(&running, &[("Authorization", &header), kind], body).await;
        assert!(answer.contains(&format!("<ownerId>{account}</ownerId>")), "{account}");
        answers.push(answer.split_once("<reservationSet>").unwrap().1.to_owned());
    }
    assert!(answers[0] != answers[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn cloudwatch_says_the_same_in_cbor_as_in_json() {
    let running = still().await;
    let target = "GraniteServiceVersion20100801.DescribeAlarms";
    let said = json(&running, "monitoring", target, serde_json::json!({ "MaxRecords": 3 })).await;

    let host = running.addr().to_string();
    let authorization = signed("monitoring", "us-east-1");
    let mut body = Vec::new();
    let asked = vec![(ciborium::Value::Text("MaxRecords".into()), ciborium::Value::Integer(3.into()))];
    ciborium::into_writer(&ciborium::Value::Map(asked), &mut body).unwrap();
    let answer = tokio::task::spawn_blocking(move || {
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/cbor"),
            ("smithy-protocol", "rpc-v2-cbor"),
        ];
        let path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms";
        loopback::ask(&host, "POST", path, &headers, &body)
    })
    .await
    .unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    assert!(head.starts_with("http/1.1 200") && head.contains("smithy-protocol: rpc-v2-cbor"), "{head}");
    let cbor: ciborium::Value = ciborium::from_reader(&answer[end + 4..]).unwrap();
    assert_eq!(plain(&cbor), said);
}

/// CBOR as JSON; a time is a number under tag 1, and nothing else carries a tag.
fn plain(value: &ciborium::Value) -> serde_json::Value {
    use ciborium::Value as Cbor;
    match value {
        Cbor::Text(text) => text.as_str().into(),
        Cbor::Integer(number) => i64::try_from(*number).unwrap().into(),
        Cbor::Float(number) => (*number).into(),
        Cbor::Bool(yes) => (*yes).into(),
        Cbor::Tag(1, inner) => plain(inner),
        Cbor::Array(items) => items.iter().map(plain).collect(),
        Cbor::Map(entries) => {
            entries.iter().map(|(key, value)| (key.as_text().unwrap().to_owned(), plain(value))).collect()
        }
        other => panic!("{other:?}"),
    }
}
