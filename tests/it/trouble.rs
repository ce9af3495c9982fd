//! Endpoints that answer badly, one way at a time, from a small server of our own: what is said about it,
//! that nothing hangs, and that what could be read is printed.

use crate::binary::{Home, Ran};
use crate::loopback::{Answer, Loopback, Request};
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};

const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15";

/// An instance in EC2's XML, with a Name tag that is already escaped.
fn instance(id: &str, name: &str) -> String {
    format!(
        "<item><reservationId>r-1</reservationId><ownerId>123456789012</ownerId><instancesSet><item>\
         <instanceId>{id}</instanceId><imageId>ami-1</imageId><instanceType>t3.small</instanceType>\
         <instanceState><code>16</code><name>running</name></instanceState>\
         <placement><availabilityZone>us-east-1a</availabilityZone></placement>\
         <tagSet><item><key>Name</key><value>{name}</value></item></tagSet></item></instancesSet></item>"
    )
}

/// A page of instances, with a token when there is more.
fn page(instances: &[String], token: Option<&str>) -> Answer {
    let token = token.map(|token| format!("<nextToken>{token}</nextToken>")).unwrap_or_default();
    Answer::xml(
        200,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeInstancesResponse xmlns=\"{NAMESPACE}\">\
             <requestId>r</requestId><reservationSet>{}</reservationSet>{token}</DescribeInstancesResponse>",
            instances.concat()
        ),
    )
}

/// An error in EC2's form.
fn refused(status: u16, code: &str, message: &str) -> Answer {
    Answer::xml(
        status,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
             <Message>{message}</Message></Error></Errors><RequestID>rid-1</RequestID></Response>"
        ),
    )
}

/// What the other lists behind instances answer: there are no groups, and nothing else may be asked.
fn elsewhere(action: &str) -> Answer {
    match action {
        "DescribeAutoScalingGroups" => Answer::xml(
            200,
            "<DescribeAutoScalingGroupsResponse xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\">\
             <DescribeAutoScalingGroupsResult><AutoScalingGroups/></DescribeAutoScalingGroupsResult>\
             </DescribeAutoScalingGroupsResponse>",
        ),
        other => refused(400, "InvalidAction", &format!("this server knows no {other}")),
    }
}

/// Lists instances from a server that answers `DescribeInstances` in this way.
fn list(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> (Ran, Loopback) {
    let server = Loopback::start(move |request| match request.action().as_str() {
        "DescribeInstances" => answer(request),
        other => elsewhere(other),
    });
    let ran = Home::new().run(&[
        "get",
        "instances",
        "-o",
        "json",
        "--columns",
        "id,name",
        "--endpoint-url",
        &server.url,
    ]);
    (ran, server)
}

/// The only warning of an answer that is not whole.
fn warning(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(1), "{}\n{}", ran.err, ran.out);
    let json = ran.json();
    let warnings = json["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert_eq!(warnings[0]["source"], "instances");
    assert_eq!(warnings[0]["call"], "ec2:DescribeInstances");
    warnings[0].clone()
}

fn asked(server: &Loopback) -> usize {
    server.seen().iter().filter(|request| request.action() == "DescribeInstances").count()
}

#[test]
fn a_whole_answer_is_whole() {
    let (ran, _server) = list(|_| page(&[instance("i-1", "one"), instance("i-2", "two")], None));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.data().len(), 2);
    assert_eq!(ran.json()["warnings"], serde_json::json!([]));
}

#[test]
fn a_page_of_garbage_is_garbled() {
    let (ran, _server) = list(|_| Answer::Full(200, "text/xml", b"\x00\xffnot xml at all \x1b[2J".to_vec()));
    let warning = warning(&ran);
    assert_eq!(warning["kind"], "garbled", "{warning}");
    assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'));
}

#[test]
fn garbage_on_the_second_page_keeps_the_first_as_partial() {
    let (ran, _server) = list(|request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        if body.contains("NextToken=two") {
            Answer::html(200, "<html>surprise</html>")
        } else {
            page(&[instance("i-1", "one")], Some("two"))
        }
    });
    let warning = warning(&ran);
    assert_eq!(warning["kind"], "garbled", "{warning}");
    assert_eq!(ran.data().len(), 1, "what was read before is shown");
}

#[test]
fn a_body_that_is_cut_off_is_a_trouble_and_no_hang() {
    let (ran, _server) = list(|_| Answer::cut("<DescribeInstancesResponse><reservationSet><item>"));
    let kind = warning(&ran)["kind"].clone();
    assert!(["garbled", "unreachable"].contains(&kind.as_str().unwrap()), "{kind}");
}

#[test]
fn a_connection_that_closes_without_a_word_is_a_trouble() {
    let (ran, _server) = list(|_| Answer::Raw(Vec::new()));
    assert_eq!(warning(&ran)["kind"], "unreachable");
}

#[test]
fn a_token_that_repeats_ends_the_list() {
    let (ran, server) = list(|_| page(&[instance("i-1", "one")], Some("again")));
    assert_eq!(warning(&ran)["kind"], "garbled", "an endless list is not whole");
    assert!(asked(&server) <= 3, "asked {} times", asked(&server));
    assert!(ran.data().iter().all(|row| row["id"] == "i-1"), "what was read is shown: {}", ran.out);
}

#[test]
fn tokens_that_never_end_are_given_up() {
    let count = AtomicUsize::new(0);
    let (ran, server) = list(move |_| {
        let n = count.fetch_add(1, Ordering::SeqCst);
        page(&[], Some(&format!("token-{n}")))
    });
    assert_eq!(warning(&ran)["kind"], "garbled");
    assert!(asked(&server) < 100, "asked {} times", asked(&server));
}

#[test]
fn an_empty_token_is_the_end() {
    let (ran, server) = list(|_| page(&[instance("i-1", "one")], Some("")));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(asked(&server), 1);
}

#[test]
fn an_html_500_is_shown_as_what_it_is() {
    let (ran, _server) =
        list(|_| Answer::html(500, "<!doctype html><title>500 Internal Server Error</title>"));
    let warning = warning(&ran);
    assert!(["garbled", "server"].contains(&warning["kind"].as_str().unwrap()), "{warning}");
    assert!(warning["message"].as_str().unwrap().contains("500"), "{warning}");
}

#[test]
fn throttling_is_retried_and_then_said() {
    let (ran, server) = list(|_| refused(503, "RequestLimitExceeded", "Request limit exceeded."));
    let warning = warning(&ran);
    assert_eq!(warning["kind"], "throttled", "{warning}");
    let times = asked(&server);
    assert!((2..=6).contains(&times), "asked {times} times");
}

#[test]
fn throttling_that_passes_is_no_trouble() {
    let count = AtomicUsize::new(0);
    let (ran, server) = list(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => refused(503, "RequestLimitExceeded", "Request limit exceeded."),
        _ => page(&[instance("i-1", "one")], None),
    });
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!((ran.data().len(), asked(&server)), (1, 2));
}

#[test]
fn expired_credentials_say_how_to_renew_them() {
    let (ran, _server) = list(|_| refused(400, "RequestExpired", "Request has expired."));
    let warning = warning(&ran);
    assert_eq!(warning["kind"], "expired", "{warning}");
    assert!(warning["hint"].is_string(), "the command that renews them: {warning}");
}

#[test]
fn renewed_credentials_are_found_without_a_restart() {
    let home = Home::new();
    let file = home.path().join("aws-credentials");
    let keys = |key: &str| format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = s\n");
    home.write("aws-credentials", &keys("OLD"));
    let server = Loopback::start(move |request| {
        let signed = request.header("authorization").unwrap_or_default().to_owned();
        match request.action().as_str() {
            "DescribeInstances" if signed.contains("Credential=NEW/") => {
                page(&[instance("i-1", "one")], None)
            }
            "DescribeInstances" => {
                // Somebody logs in again while coredeck runs.
                std::fs::write(&file, keys("NEW")).unwrap();
                refused(400, "ExpiredToken", "The security token included in the request is expired")
            }
            other => elsewhere(other),
        }
    });
    let ran = home.run_with(
        &["get", "instances", "-o", "json", "--columns", "id", "--endpoint-url", &server.url],
        &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")],
    );
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.err, ran.out);
    assert_eq!(ran.data().len(), 1);
}

#[test]
fn a_missing_permission_is_named_in_a_table_too() {
    let server = Loopback::start(|_| {
        refused(
            403,
            "UnauthorizedOperation",
            "You are not authorized to perform this operation. User: arn:aws:iam::1:user/x is not authorized \
             to perform: ec2:DescribeInstances because no identity-based policy allows the action",
        )
    });
    let ran = Home::new().run(&["get", "instances", "--columns", "id", "--endpoint-url", &server.url]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("ec2:DescribeInstances"), "{}", ran.err);
}

/// Escape sequences as character references, which some endpoints send although XML 1.0 forbids them:
/// either they are harmless in every format, or the page is called garbled. Never do they reach a terminal.
#[test]
fn escape_sequences_never_reach_the_output() {
    for name in ["&#27;[2J&#27;]0;x&#7;", "\u{9b}31mred", "a\u{202e}b", "two\nlines", "t&#9;ab&#13;"] {
        for format in ["table", "wide", "json", "yaml", "csv", "name"] {
            let name = name.to_owned();
            let server = Loopback::start(move |request| match request.action().as_str() {
                "DescribeInstances" => page(&[instance("i-1", &name)], None),
                other => elsewhere(other),
            });
            let args = [
                "get",
                "instances",
                "-o",
                format,
                "--columns",
                "id,name,tags",
                "--endpoint-url",
                &server.url,
            ];
            let ran = Home::new().run(&args[..]);
            for text in [&ran.out, &ran.err] {
                let bad = text.chars().find(|c| *c != '\n' && coredeck::model::text::is_unsafe(*c));
                // A line end inside a quoted CSV field and its carriage return are CSV's own.
                let bad = bad.filter(|c| format != "csv" || *c != '\r');
                assert!(bad.is_none(), "{format}: {bad:?} in {text:?}");
            }
        }
    }
}
