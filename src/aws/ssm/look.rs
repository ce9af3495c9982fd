//! Commands, what became of them on each instance, and our own documents.

use crate::aws::api::Api;
use crate::aws::call::Desk;
use crate::aws::translate::{count, each, fractional_moment, required, text, word};
use crate::model::{Command, DocumentDetail, InstanceId, Invocation, Text, Trouble};
use aws_sdk_ssm::types::{
    Command as SdkCommand, CommandFilter, CommandFilterKey, CommandInvocation, DocumentDescription,
};
use jiff::{Timestamp, Unit};

/// The longest page of commands and of invocations.
const PAGE: i32 = 50;

/// Commands that ran a document since a moment, newest first.
pub(in crate::aws) async fn look_at_commands(
    desk: &Desk,
    document: &Text,
    since: Timestamp,
) -> Result<Vec<Command>, Trouble> {
    // AWS takes whole seconds and leaves out what was sent in that very one.
    let since = since.round(Unit::Second).unwrap_or(since).saturating_sub(jiff::SignedDuration::from_secs(2));
    let since = since.unwrap_or(Timestamp::MIN).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let filter = |key, value: String| CommandFilter::builder().key(key).value(value).build();
    let (Ok(after), Ok(named)) = (
        filter(CommandFilterKey::InvokedAfter, since),
        filter(CommandFilterKey::DocumentName, document.to_string()),
    ) else {
        return Ok(Vec::new());
    };
    let request = |token| {
        let ask = desk.ssm().list_commands().filters(after.clone()).filters(named.clone());
        ask.max_results(PAGE).set_next_token(token).send()
    };
    let read = desk.pages(Api::ListCommands, request, |page| (each(page.commands, command), page.next_token));
    let mut read: Vec<Command> = read.await?;
    read.sort_by_key(|command| std::cmp::Reverse(command.sent_at));
    Ok(read)
}

fn command(raw: SdkCommand) -> Command {
    Command {
        id: required(raw.command_id),
        document: required(raw.document_name),
        comment: required(raw.comment),
        status: word(raw.status).unwrap_or_default(),
        targets: count(Some(raw.target_count)),
        completed: count(Some(raw.completed_count)),
        errors: count(Some(raw.error_count)),
        sent_at: fractional_moment(raw.requested_date_time),
    }
}

/// A command on each of its instances.
pub(in crate::aws) async fn look_at_invocations(
    desk: &Desk,
    command: &Text,
) -> Result<Vec<Invocation>, Trouble> {
    let request = |token| {
        let ask = desk.ssm().list_command_invocations().command_id(command.as_str()).details(true);
        ask.max_results(PAGE).set_next_token(token).send()
    };
    let read = desk.pages(Api::ListCommandInvocations, request, |page| {
        let all = page.command_invocations.unwrap_or_default();
        (all.into_iter().map(invocation).collect(), page.next_token)
    });
    Ok(read.await?)
}

fn invocation(raw: CommandInvocation) -> Invocation {
    let last = raw.command_plugins.unwrap_or_default().into_iter().next_back();
    let (code, output) = match last {
        Some(plugin) => (Some(plugin.response_code), plugin.output.unwrap_or_default()),
        None => (None, String::new()),
    };
    Invocation {
        command: required(raw.command_id),
        instance: InstanceId::new(required(raw.instance_id)),
        status: word(raw.status).unwrap_or_default(),
        detail: required(raw.status_details),
        exit_code: code,
        output,
    }
}

/// A command on one instance; none where it is not known.
pub(in crate::aws) async fn look_at_invocation(
    desk: &Desk,
    command: &Text,
    instance: &InstanceId,
) -> Result<Vec<Invocation>, Trouble> {
    let request = || {
        let ask = desk.ssm().get_command_invocation().command_id(command.as_str());
        ask.instance_id(instance.as_str()).send()
    };
    match desk.call(Api::GetCommandInvocation, request).await {
        Ok(answer) => Ok(vec![Invocation {
            command: required(answer.command_id),
            instance: InstanceId::new(required(answer.instance_id)),
            status: word(answer.status).unwrap_or_default(),
            detail: required(answer.status_details),
            exit_code: Some(answer.response_code),
            output: answer.standard_output_content.unwrap_or_default(),
        }]),
        Err(trouble) if trouble.code.as_deref() == Some("InvocationDoesNotExist") => Ok(Vec::new()),
        Err(trouble) => Err(trouble),
    }
}

/// What became on one instance of the newest command with a comment; nothing where none is known.
pub(in crate::aws) async fn look_at_outcome(
    desk: &Desk,
    document: &Text,
    comment: &Text,
    since: Timestamp,
    instance: &InstanceId,
) -> Result<Vec<Invocation>, Trouble> {
    let all = look_at_commands(desk, document, since).await?;
    let Some(command) = all.into_iter().find(|command| command.comment == *comment) else {
        return Ok(Vec::new());
    };
    let mut found = look_at_invocation(desk, &command.id, instance).await?;
    // The command is known some moments before its invocations are.
    if found.is_empty() {
        found.push(Invocation {
            command: command.id,
            instance: instance.clone(),
            status: "Pending".into(),
            detail: "Pending".into(),
            exit_code: None,
            output: String::new(),
        });
    }
    Ok(found)
}

/// A document, if there is one of that name.
pub(in crate::aws) async fn look_at_document(
    desk: &Desk,
    name: &Text,
) -> Result<Option<DocumentDetail>, Trouble> {
    let request = || desk.ssm().describe_document().name(name.as_str()).send();
    match desk.call(Api::DescribeDocument, request).await {
        Ok(answer) => Ok(answer.document.map(document)),
        Err(trouble) if trouble.code.as_deref() == Some("InvalidDocument") => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

fn document(raw: DocumentDescription) -> DocumentDetail {
    DocumentDetail {
        name: required(raw.name),
        status: word(raw.status).unwrap_or_default(),
        default_version: required(raw.default_version),
        sha256: text(raw.hash),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};

    fn json(status: u16, body: &str) -> Say {
        Say::Whole(status, "application/x-amz-json-1.1", body.to_owned())
    }

    #[tokio::test]
    async fn commands_are_found_by_their_comment_over_all_pages_newest_first() {
        let fake = Fake::new(|request, _| match request {
            text if text.contains("\"NextToken\":\"two\"") => json(
                200,
                r#"{"Commands":[{"CommandId":"c-2","DocumentName":"d","Comment":"op-1/2","Status":"Success",
                    "TargetCount":3,"CompletedCount":3,"ErrorCount":1,"RequestedDateTime":1700000100.5}]}"#,
            ),
            _ => json(
                200,
                r#"{"Commands":[{"CommandId":"c-1","DocumentName":"d","Comment":"op-1/1","Status":"InProgress",
                    "RequestedDateTime":1700000000}],"NextToken":"two"}"#,
            ),
        })
        .await;
        let since = Timestamp::from_second(1_700_000_000).unwrap();
        let read = look_at_commands(&fake.desk().await, &"d".into(), since).await.unwrap();
        assert_eq!(read.iter().map(|one| one.comment.as_str()).collect::<Vec<_>>(), ["op-1/2", "op-1/1"]);
        assert_eq!((read[0].targets, read[0].completed, read[0].errors), (3, 3, 1));
        assert!(read[0].is_over() && !read[1].is_over());
        let asked = fake.heard.lock().unwrap()[0].clone();
        assert!(asked.contains("2023-11-14T22:13:18Z"), "two seconds earlier: {asked}");
    }

    #[tokio::test]
    async fn an_invocation_says_how_its_last_step_ended() {
        let fake = Fake::new(|_, _| {
            json(
                200,
                r#"{"CommandInvocations":[{"CommandId":"c","InstanceId":"i-1","Status":"Failed",
                    "StatusDetails":"ExecutionTimedOut","CommandPlugins":[{"Name":"a","ResponseCode":0},
                    {"Name":"b","ResponseCode":137,"Output":"killed\u001b[2J"}]},
                    {"CommandId":"c","InstanceId":"i-2","Status":"Pending"}]}"#,
            )
        })
        .await;
        let read = look_at_invocations(&fake.desk().await, &"c".into()).await.unwrap();
        assert_eq!((read[0].exit_code, read[0].detail.as_str()), (Some(137), "ExecutionTimedOut"));
        assert_eq!((read[1].exit_code, read[1].status.as_str()), (None, "Pending"));
    }

    #[tokio::test]
    async fn a_document_that_is_not_there_is_none_and_any_other_no_is_trouble() {
        let fake = Fake::new(|_, nth| match nth {
            0 => json(400, r#"{"__type":"InvalidDocument","Message":"no such document"}"#),
            1 => json(200, r#"{"Document":{"Name":"d","Status":"Active","DefaultVersion":"2","Hash":"ab"}}"#),
            _ => json(400, r#"{"__type":"AccessDeniedException","Message":"no"}"#),
        })
        .await;
        let desk = fake.desk().await;
        assert_eq!(look_at_document(&desk, &"d".into()).await.unwrap(), None);
        let there = look_at_document(&desk, &"d".into()).await.unwrap().unwrap();
        assert_eq!((there.default_version.as_str(), there.sha256.as_deref()), ("2", Some("ab")));
        look_at_document(&desk, &"d".into()).await.unwrap_err();
    }
}
