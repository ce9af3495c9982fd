//! Judged by a stranger: the aws command, given the commands of our changes, sends what we sent.

use super::{one_of_each, reach, scope};
use crate::calls::repeated::{asked, repeat};
use crate::loopback::{Answer, Loopback, Request};
use crate::python::judges;
use coredeck::gateway::{FleetReader as _, FleetWriter as _, Token, WriteError};
use std::collections::BTreeSet;

/// AWS's "no" in the protocol of a request.
pub(super) fn no(request: &Request, code: &str, status: u16) -> Answer {
    if request.header("x-amz-target").is_some() {
        let body = format!(r#"{{"__type":"{code}","message":"not today"}}"#);
        return Answer::Full(status, "application/x-amz-json-1.1", body.into_bytes());
    }
    let error = format!("<Error><Code>{code}</Code><Message>not today</Message></Error>");
    let is_ec2 = String::from_utf8_lossy(&request.body).contains("Version=2016-11-15");
    Answer::xml(
        status,
        match is_ec2 {
            true => format!("<Response><Errors>{error}</Errors><RequestID>r</RequestID></Response>"),
            false => format!("<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>"),
        },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_command_sends_what_our_changes_send() {
    let server = Loopback::start(|request| no(request, "AccessDenied", 403));
    let aws = reach(&server.url, None).await;
    let writer = aws.writer().unwrap();
    let (scope, changes) = (scope(), one_of_each());
    let sorts: BTreeSet<_> =
        changes.iter().map(std::mem::discriminant).map(|sort| format!("{sort:?}")).collect();
    assert_eq!(sorts.len(), 37, "one of each sort");

    let mut previews = Vec::new();
    for (nth, change) in changes.iter().enumerate() {
        let token = Token::of(&["op", &nth.to_string()]);
        previews.push(writer.command(&scope, change, &token).await.unwrap());
    }
    assert!(server.seen().is_empty() && aws.calls().is_empty(), "a preview sends nothing and is no call");
    assert_eq!(aws.spending().calls, 0);

    for (nth, change) in changes.iter().enumerate() {
        let token = Token::of(&["op", &nth.to_string()]);
        let error = writer.write(&scope, change, &token).await.unwrap_err();
        assert!(matches!(error, WriteError::Refused(_)), "{error:?}");
        assert_eq!(
            format!("{}:{}", change.action().split(':').next().unwrap(), server.seen()[nth].action()),
            change.action()
        );
    }
    let ours = server.seen();
    assert_eq!(ours.len(), changes.len(), "one request each");
    let mut records = aws.calls();
    records.reverse();
    let commands: Vec<&str> = records.iter().map(|call| &*call.command).collect();
    assert_eq!(previews, commands, "the preview is what was done");

    let Some(python) = judges() else { return };
    let results = tokio::task::block_in_place(|| repeat(python, &commands, super::keys()));
    let mut wrong = Vec::new();
    for (nth, (command, (_, said))) in commands.iter().zip(results).enumerate() {
        let mark = format!("app/nth-{nth}");
        let is_marked = |request: &Request| {
            request.header("user-agent").is_some_and(|agent| agent.split(' ').any(|part| part == mark))
        };
        let repeated: Vec<Request> = server.seen().into_iter().filter(is_marked).collect();
        let [repeated] = repeated.as_slice() else {
            wrong.push(format!("{command}\n  {} requests: {said}", repeated.len()));
            continue;
        };
        if asked(&ours[nth]) != asked(repeated) {
            wrong.push(format!("{command}\n  {:?}\n  {:?}", asked(&ours[nth]), asked(repeated)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
