//! What is said of a change whose answer is bad, late or lost: whether AWS may have acted, and that nothing
//! was sent twice that has no token.

use super::repeated::no;
use super::{reach, scope};
use crate::loopback::{Answer, Loopback, Request};
use coredeck::aws;
use coredeck::config::Config;
use coredeck::gateway::{
    Change, FleetProbe as _, FleetReader as _, FleetWriter as _, Look, Proof, Seen, Token, WriteError,
};
use coredeck::model::TroubleKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn standby() -> Change {
    Change::EnterStandby { group: "web".into(), instances: vec!["i-1".into()], is_decremented: true }
}

fn version() -> Change {
    Change::CreateTemplateVersion {
        template: "lt-1".into(),
        from: 1,
        image: "ami-1".into(),
        description: "op-1".to_owned(),
    }
}

fn stop() -> Change {
    Change::StopInstances { instances: vec!["i-1".into()] }
}

async fn write(server: &Loopback, change: &Change) -> Result<(), WriteError> {
    let aws = reach(&server.url, None).await;
    let writer = aws.writer().unwrap();
    writer.write(&scope(), change, &Token::of(&["op", "step"])).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_acted_is_told_from_what_did_not() {
    type Say = fn(&Request) -> Answer;
    let refused: [(&str, Say); 4] = [
        ("no", |request| no(request, "ValidationError", 400)),
        ("throttled", |request| no(request, "Throttling", 400)),
        ("throttled as a broken service", |request| no(request, "RequestLimitExceeded", 503)),
        ("busy", |request| no(request, "ResourceContention", 500)),
    ];
    for (name, say) in refused {
        let server = Loopback::start(say);
        let error = write(&server, &standby()).await.unwrap_err();
        assert!(matches!(error, WriteError::Refused(_)), "{name}: {error:?}");
        assert_eq!(error.is_passing(), name != "no", "{name}");
        assert_eq!(server.seen().len(), 1, "{name}: sent once");
    }
    let unknown: [(&str, Say); 6] = [
        ("broken", |request| no(request, "InternalFailure", 500)),
        ("a proxy's word", |_| Answer::html(502, "<html>bad gateway</html>")),
        ("a proxy's no", |_| Answer::html(403, "<html>no entry</html>")),
        ("hung up", |_| Answer::Raw(Vec::new())),
        ("cut", |_| Answer::cut("<EnterStandbyResponse>")),
        ("somebody else", |_| Answer::html(200, "<html>welcome to the hotel</html>")),
    ];
    for (name, say) in unknown {
        let server = Loopback::start(say);
        let error = write(&server, &standby()).await.unwrap_err();
        assert!(matches!(error, WriteError::Unknown(_)), "{name}: {error:?}");
        assert!(error.to_string().ends_with("it may have happened"), "{error}");
        assert_eq!(server.seen().len(), 1, "{name}: sent once and never again by itself");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_to_several_instances_may_be_one_to_some() {
    let server = Loopback::start(|request| no(request, "OperationNotPermitted", 400));
    let end =
        |ids: &[&str]| Change::TerminateInstances { instances: ids.iter().map(|id| (*id).into()).collect() };
    let error = write(&server, &end(&["i-1", "i-2"])).await.unwrap_err();
    assert!(matches!(error, WriteError::Unknown(_)), "{error:?}");
    let error = write(&server, &end(&["i-1"])).await.unwrap_err();
    assert!(matches!(error, WriteError::Refused(_)), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_left_did_not_act() {
    // Nothing listens there, and no other test can come to.
    let aws = reach("http://127.0.0.1:1", None).await;
    let token = Token::of(&["op"]);
    let error = aws.writer().unwrap().write(&scope(), &standby(), &token).await.unwrap_err();
    assert!(matches!(error, WriteError::NotSent(_)), "{error:?}");
    assert_eq!(error.trouble().kind, TroubleKind::Unreachable);
    assert!(error.is_passing());

    let server = Loopback::start(|request| no(request, "ValidationError", 400));
    let nobody = reach(&server.url, Some(vec![("AWS_EC2_METADATA_DISABLED", "true".to_owned())])).await;
    let error = nobody.writer().unwrap().write(&scope(), &standby(), &token).await.unwrap_err();
    assert!(
        matches!(&error, WriteError::NotSent(trouble) if trouble.kind == TroubleKind::NoCredentials),
        "{error:?}"
    );

    let nothing = Change::StopInstances { instances: Vec::new() };
    let error = write(&server, &nothing).await.unwrap_err();
    assert!(
        matches!(error, WriteError::NotSent(_)) && error.to_string().contains("names no target"),
        "{error}"
    );
    assert!(server.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_with_a_token_is_sent_again_with_the_same_one() {
    let count = Arc::new(AtomicUsize::new(0));
    let nth = Arc::clone(&count);
    let server = Loopback::start(move |request| match nth.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::html(502, "lost"),
        1 => Answer::xml(
            200,
            "<CreateLaunchTemplateVersionResponse><launchTemplateVersion><versionNumber>8</versionNumber>\
             </launchTemplateVersion></CreateLaunchTemplateVersionResponse>",
        ),
        2 => Answer::Raw(Vec::new()),
        _ => no(request, "IdempotentParameterMismatch", 400),
    });
    write(&server, &version()).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    let token = |request: &Request| {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(&request.body).into_owned().collect();
        pairs.into_iter().find(|(key, _)| key == "ClientToken").unwrap().1
    };
    assert_eq!(token(&seen[0]), token(&seen[1]));
    assert_eq!(token(&seen[0]), Token::of(&["op", "step"]).as_str());
    let error = write(&server, &version()).await.unwrap_err();
    assert!(
        matches!(error, WriteError::Unknown(_)),
        "a no to the second says nothing of the first: {error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_proves_or_refuses_and_is_never_the_real_thing() {
    let count = Arc::new(AtomicUsize::new(0));
    let nth = Arc::clone(&count);
    let server = Loopback::start(move |request| {
        assert!(String::from_utf8_lossy(&request.body).contains("DryRun=true"), "{request:?}");
        match nth.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => no(request, "DryRunOperation", 412),
            _ => no(request, "UnauthorizedOperation", 403),
        }
    });
    let aws = reach(&server.url, None).await;
    let writer = aws.writer().unwrap();
    assert!(matches!(writer.prove(&scope(), &stop()).await.unwrap(), Proof::Proved { .. }));
    let template = coredeck::model::TemplateRef { id: "lt-1".into(), name: "".into(), version: "7".into() };
    let look = Look::Launch { template, subnet: None, instance_type: None };
    assert!(matches!(aws.look(&scope(), &look).await, Ok(Seen::Launch(None))));
    let error = writer.prove(&scope(), &version()).await.unwrap_err();
    assert!(matches!(error, WriteError::Refused(_)), "{error:?}");
    assert_eq!(writer.prove(&scope(), &standby()).await.unwrap(), Proof::None);
    assert_eq!(server.seen().len(), 3, "what has no dry run is not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_only_reads_has_nobody_who_writes() {
    let config = Config { read_only: true, ..Config::default() };
    let aws = Arc::new(aws::connect(&config, aws::Options::default()).await.unwrap());
    assert!(aws.writer().is_none());
    assert!(aws.calls().is_empty());
}
