//! Sessions: Systems Manager's own, and those that ECS opens into its tasks. What opens one is sealed at once.

use super::Aws;
use super::api::Api;
use super::call::Desk;
use super::{ecs, ssm};
use crate::gateway::{Opened, Ours, Session, Sessions, Turn, was_quicker};
use crate::model::{Scope, Sealed, Text, Trouble, TroubleKind};
use aws_sdk_ssm::types::{DocumentFormat, DocumentType, SessionState};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::time::Duration;

/// The document that leads into a container; a new content gets a new name.
const NAME: &str = "coredeck-open-shell-1";
const CONTENT: &str = include_str!("open-shell.json");
/// Looks at a document that is on its way.
const LOOKS: u32 = 8;
/// The longest page of sessions.
const SESSIONS_PAGE: i32 = 200;
/// AWS's own, for a port.
const FORWARD: &str = "AWS-StartPortForwardingSession";

fn hash() -> String {
    Sha256::digest(CONTENT.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Sessions for Aws {
    fn open<'a>(
        &'a self,
        scope: &'a Scope,
        session: &'a Session,
        may_put: bool,
    ) -> BoxFuture<'a, Result<Opened, Trouble>> {
        async move {
            let site = self.site(scope).await.map_err(|error| error.trouble)?;
            let desk = if self.read_only {
                Desk::new(site, crate::gateway::Urgency::User)
            } else {
                Desk::of_changes(site)
            };
            let (answer, asked) = match session {
                Session::Host { instance } => start(&desk, instance.as_str(), None, HashMap::new()).await?,
                Session::Container { instance, container } => {
                    document(&desk, may_put).await?;
                    let parameters = HashMap::from([("Container".to_owned(), vec![container.to_string()])]);
                    start(&desk, instance.as_str(), Some(NAME), parameters).await?
                }
                Session::Forward { instance, port, local } => {
                    let one = |name: &str, port: &u16| (name.to_owned(), vec![port.to_string()]);
                    let parameters = HashMap::from([one("portNumber", port), one("localPortNumber", local)]);
                    start(&desk, instance.as_str(), Some(FORWARD), parameters).await?
                }
                Session::Task { cluster, task, container, command } => {
                    ecs::execute(&desk, cluster, task, container.as_deref(), command).await?
                }
            };
            let origin = desk.site().origin();
            let region = scope.region.clone();
            let suffix = if region.as_str().starts_with("cn-") { ".cn" } else { "" };
            let usual = || format!("https://ssm.{region}.amazonaws.com{suffix}");
            Ok(Opened {
                id: answer.id,
                answer: answer.sealed,
                asked: asked.to_string(),
                endpoint: origin.endpoint.clone().unwrap_or_else(usual),
                profile: origin.profile.clone(),
                region,
            })
        }
        .boxed()
    }

    fn end<'a>(&'a self, scope: &'a Scope, id: &'a Text) -> BoxFuture<'a, Result<(), Trouble>> {
        async move {
            let site = self.site(scope).await.map_err(|error| error.trouble)?;
            let desk = Desk::of_changes(site);
            let request = || desk.ssm().terminate_session().session_id(id.as_str()).send();
            desk.call(Api::TerminateSession, request).await.map(|_| ())
        }
        .boxed()
    }

    fn live<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Vec<Text>, Trouble>> {
        async move {
            let site = self.site(scope).await.map_err(|error| error.trouble)?;
            let desk = Desk::new(site, crate::gateway::Urgency::User);
            let request = |token| {
                let ask = desk.ssm().describe_sessions().state(SessionState::Active);
                ask.max_results(SESSIONS_PAGE).set_next_token(token).send()
            };
            let read = desk.pages(Api::DescribeSessions, request, |page| {
                let all = page.sessions.unwrap_or_default().into_iter();
                (all.filter_map(|one| one.session_id).map(Text::from).collect(), page.next_token)
            });
            Ok(read.await?)
        }
        .boxed()
    }
}

/// Id, and all of the answer sealed.
pub(super) struct Answer {
    pub(super) id: Text,
    pub(super) sealed: Sealed,
}

async fn start(
    desk: &Desk,
    target: &str,
    document: Option<&str>,
    parameters: HashMap<String, Vec<String>>,
) -> Result<(Answer, Value), Trouble> {
    let given = (!parameters.is_empty()).then_some(parameters);
    let request = || {
        let ask = desk.ssm().start_session().target(target).reason("coredeck shell");
        ask.set_document_name(document.map(str::to_owned)).set_parameters(given.clone()).send()
    };
    let answer = desk.call(Api::StartSession, request).await.map_err(|trouble| explained(trouble, target))?;
    let (Some(id), Some(token), Some(url)) = (answer.session_id, answer.token_value, answer.stream_url)
    else {
        return Err(desk.trouble(Api::StartSession, TroubleKind::Garbled, "the answer opens no session"));
    };
    let sealed = json!({ "SessionId": id, "TokenValue": token, "StreamUrl": url }).to_string();
    let mut asked = json!({ "Target": target });
    if let (Some(document), Value::Object(fields)) = (document, &mut asked) {
        fields.insert("DocumentName".to_owned(), document.into());
        fields.insert("Parameters".to_owned(), json!(given));
    }
    Ok((Answer { id: id.into(), sealed: Sealed::new(sealed) }, asked))
}

/// What AWS's codes mean to somebody who wants in.
fn explained(mut trouble: Trouble, target: &str) -> Trouble {
    if trouble.code.as_deref() == Some("TargetNotConnected") {
        trouble.message =
            format!("Systems Manager cannot reach {target}: its agent is offline, or it has none");
        trouble.hint = Some(format!("coredeck describe instance {target}"));
    }
    trouble
}

/// Our document is in the account, and is ours.
async fn document(desk: &Desk, may_put: bool) -> Result<(), Trouble> {
    let refused = |said: String| desk.trouble(Api::StartSession, TroubleKind::Refused, said);
    let sha256 = hash();
    let ours = Ours { name: NAME, sha256: &sha256, may_put };
    let mut was_put = false;
    for _ in 0..LOOKS {
        let found = ssm::look_at_document(desk, &NAME.into()).await?;
        match ours.turn(found.as_ref(), was_put) {
            Turn::Use => return Ok(()),
            Turn::Wait => tokio::time::sleep(Duration::from_secs(1)).await,
            Turn::Put => {
                was_put = true;
                let request = || {
                    let ask = desk.ssm().create_document().name(NAME).content(CONTENT);
                    ask.document_type(DocumentType::Session).document_format(DocumentFormat::Json).send()
                };
                match desk.call(Api::CreateDocument, request).await {
                    Ok(_) => {}
                    Err(trouble) if was_quicker(trouble.code.as_deref()) => {}
                    Err(trouble) => return Err(trouble),
                }
            }
            Turn::Lacking => {
                let why = format!("the document {NAME}, which leads into containers, is not in the account");
                let mut trouble = refused(why);
                trouble.hint =
                    Some("say --yes once to put it there, or open a shell on the instance".to_owned());
                return Err(trouble);
            }
            Turn::Foreign => return Err(refused(ours.why_not(Turn::Foreign))),
        }
    }
    Err(refused(ours.why_not(Turn::Wait)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};

    fn json(status: u16, body: &str) -> Say {
        Say::Whole(status, "application/x-amz-json-1.1", body.to_owned())
    }

    #[tokio::test]
    async fn a_session_is_opened_and_its_token_is_sealed() {
        let fake = Fake::new(|request, _| {
            assert!(request.contains("\"Target\":\"i-1\""), "{request}");
            json(200, r#"{"SessionId":"me-1","TokenValue":"AAEAAT-secret","StreamUrl":"wss://x"}"#)
        })
        .await;
        let desk = fake.desk_of_changes().await;
        let (answer, asked) = start(&desk, "i-1", None, HashMap::new()).await.unwrap();
        assert_eq!(answer.id, "me-1");
        assert!(answer.sealed.open().contains("AAEAAT-secret"));
        assert!(!format!("{:?}{asked}", answer.sealed).contains("secret"));
    }

    #[tokio::test]
    async fn an_agent_that_is_offline_is_said() {
        let fake = Fake::new(|_, _| {
            json(400, r#"{"__type":"TargetNotConnected","message":"i-1 is not connected."}"#)
        })
        .await;
        let desk = fake.desk_of_changes().await;
        let trouble = start(&desk, "i-1", None, HashMap::new()).await.err().unwrap();
        assert!(trouble.message.contains("agent is offline"), "{trouble}");
    }

    #[tokio::test]
    async fn a_document_that_somebody_else_puts_there_in_the_same_moment_is_looked_at_again() {
        let fake = Fake::new(|request, nth| match (nth, request.contains("\"Content\"")) {
            (0, false) => json(400, r#"{"__type":"InvalidDocument","message":"none"}"#),
            (1, true) => json(400, r#"{"__type":"DocumentAlreadyExists","message":"it is there"}"#),
            (2, false) => {
                let hash = hash();
                let found = format!(
                    r#"{{"Document":{{"Name":"{NAME}","Status":"Active","DefaultVersion":"1","Hash":"{hash}"}}}}"#
                );
                json(200, &found)
            }
            _ => panic!("{nth}: {request}"),
        })
        .await;
        document(&fake.desk_of_changes().await, true).await.unwrap();
    }

    #[test]
    fn the_document_takes_names_of_containers_and_nothing_else() {
        let document: Value = serde_json::from_str(CONTENT).unwrap();
        let pattern = document["parameters"]["Container"]["allowedPattern"].as_str().unwrap();
        let pattern = regex::Regex::new(pattern).unwrap();
        for bad in ["", "a b", "a;b", "$(x)", "`x`", "a'b", "a|b", "a\nb", "-x", "--privileged"] {
            assert!(!pattern.is_match(bad), "{bad:?}");
        }
    }
}
