//! The record of calls: every request made is in it, as the command that repeats it and with what it cost,
//! in this run and for later ones.

pub(crate) mod repeated;
mod shown;

use crate::binary::Home;
use crate::loopback::{Answer, Loopback};
use coredeck::sim::{Options, Running, serve};
use serde_json::Value;
use std::collections::BTreeMap;

async fn simulator() -> Running {
    serve(Options::default()).await.unwrap()
}

/// Rows of `coredeck calls`.
fn calls(home: &Home, more: &[&str]) -> Vec<Value> {
    home.rows(&[&["calls", "-o", "json"], more].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_asked_is_there_for_the_next() {
    let running = simulator().await;
    let (home, url) = (Home::new(), running.url());
    let at = ["--endpoint-url", url.as_str()];
    home.rows(&[&["get", "services", "-o", "json"], &at[..]].concat());
    let heard = running.calls();
    let mut asked: Vec<&str> = heard.iter().map(|call| call["operation"].as_str().unwrap()).collect();
    let rows = calls(&home, &at);
    let mut told: Vec<&str> =
        rows.iter().map(|row| row["call"].as_str().unwrap().split_once(':').unwrap().1).collect();
    asked.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, asked, "each call that the simulator heard, and no other");
    for row in &rows {
        assert_eq!(
            (&row["result"], &row["attempts"], &row["account"]),
            (&"ok".into(), &1.into(), &"default".into())
        );
        assert!(row["request_id"].is_string() && row["id"].is_string(), "{row}");
        let command = row["command"].as_str().unwrap();
        assert!(
            command.starts_with("aws ecs ") && command.ends_with(&format!("--endpoint-url {url}")),
            "{command}"
        );
        assert!(!command.contains("judge"), "no key, no secret: {command}");
    }
    let moments: Vec<&str> = rows.iter().map(|row| row["called_at"].as_str().unwrap()).collect();
    assert!(moments.is_sorted_by(|a, b| a >= b), "the newest first: {moments:?}");
    // By query, by its own id and by AWS's.
    let listed = calls(&home, &[&at[..], &["call:list"]].concat());
    assert!(!listed.is_empty() && listed.len() < rows.len());
    for id in ["id", "request_id"] {
        let shown =
            home.run(&[&["describe", "call", rows[0][id].as_str().unwrap(), "-o", "json"], &at[..]].concat());
        assert_eq!(shown.data()[0]["command"], rows[0]["command"], "{}", shown.err);
    }
    assert_eq!(home.rows(&[&["get", "calls", "-o", "json"], &at[..]].concat()), rows);
    assert_eq!(calls(&home, &[]), Vec::<Value>::new(), "what a stand-in was asked is kept apart from AWS");
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_say_what_went_where_and_what_it_cost() {
    let running = simulator().await;
    let (home, url) = (Home::new(), running.url());
    let at = ["--endpoint-url", url.as_str()];
    let ran = home.run(&[&["get", "instances", "--columns", "id,cpu", "--limit", "2"], &at[..]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for query in [&[][..], &["account:default"]] {
        let sums = calls(&home, &[&["--summary"], query, &at[..]].concat());
        let by_bucket: BTreeMap<&str, &Value> =
            sums.iter().map(|sum| (sum["bucket"].as_str().unwrap(), sum)).collect();
        let metrics = by_bucket["cloudwatch metrics"];
        assert_eq!((&metrics["calls"], &metrics["failures"]), (&1.into(), &0.into()));
        assert!(metrics["dollars"].as_str().unwrap().starts_with("0.0"), "{metrics}");
        assert_eq!(by_bucket["DescribeInstances"]["dollars"], "0.00");
        assert_eq!(by_bucket["DescribeInstances"]["region"], "us-east-1");
    }
    let table = home.run(&[&["calls", "--summary", "--since", "1h"], &at[..]].concat());
    assert!(table.out.starts_with("ACCOUNT") && table.out.contains("cloudwatch metrics"), "{}", table.out);
    let csv = home.run(&[&["calls", "--summary", "-o", "csv"], &at[..]].concat());
    assert!(csv.out.starts_with("account,region,bucket,calls,"), "{}", csv.out);
}

#[test]
fn throttles_and_failures_are_told_with_aws_own_code() {
    let server = Loopback::start(|request| {
        let (status, code) = match request.action().as_str() {
            "DescribeInstances" => (503, "RequestLimitExceeded"),
            _ => (403, "UnauthorizedOperation"),
        };
        Answer::xml(
            status,
            format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>no &#27;[2J</Message></Error></Errors>\
                 <RequestID>r-{code}</RequestID></Response>"
            ),
        )
    });
    let home = Home::new();
    let at = ["--endpoint-url", server.url.as_str()];
    let ran = home.run(&[&["get", "instances"], &at[..]].concat());
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let rows = calls(&home, &[&["call=ec2:DescribeInstances"], &at[..]].concat());
    let asked = server.seen().iter().filter(|request| request.action() == "DescribeInstances").count();
    assert_eq!(rows.len(), 1, "one call with its retries");
    assert_eq!((&rows[0]["result"], &rows[0]["code"]), (&"throttled".into(), &"RequestLimitExceeded".into()));
    assert_eq!((&rows[0]["attempts"], &rows[0]["throttles"]), (&asked.into(), &asked.into()));
    let failed = calls(&home, &[&["result=denied"], &at[..]].concat());
    assert!(
        !failed.is_empty() && failed.iter().all(|row| row["code"] == "UnauthorizedOperation"),
        "{failed:?}"
    );
    let sums = calls(&home, &[&["--summary", "throttles>0"], &at[..]].concat());
    assert_eq!((&sums[0]["throttles"], &sums[0]["failures"]), (&asked.into(), &0.into()));
}

#[test]
fn a_demo_keeps_none_and_says_so() {
    let home = Home::new();
    let ran = home.run(&["--demo", "get", "clusters", "-o", "name"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let ran = home.run(&["--demo", "calls"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{}", ran.err);
    assert!(ran.err.contains("not kept") && ran.err.contains(":calls"), "{}", ran.err);
    assert_eq!(calls(&home, &[]), Vec::<Value>::new());
}

#[test]
fn a_record_that_cannot_be_kept_fails_no_run() {
    let server = Loopback::start(|_| {
        Answer::xml(200, "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>")
    });
    let home = Home::new();
    home.write("cache", "a file where a folder should be");
    let ran = home.run(&[
        "get",
        "instances",
        "--columns",
        "id",
        "-o",
        "json",
        "--endpoint-url",
        &server.url,
        "--allow-partial",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}

#[test]
fn what_is_typed_wrong_is_said() {
    let home = Home::new();
    for (args, said) in [
        (&["calls", "--since", "yesterday"][..], "1h30m"),
        (&["calls", "resutl:ok"], "result"),
        (&["calls", "--summary", "-o", "name"], "csv"),
        (&["calls", "--columns", "comand"], "command"),
        (&["get", "calls", "--watch"], ":calls"),
        (&["describe", "call", "nobody"], "nobody"),
    ] {
        let ran = home.run(args);
        assert!(matches!(ran.code, Some(1 | 64)), "{args:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
}
