//! CloudWatch Logs: a page of events, and which streams of a group there are.

use super::api::Api;
use super::call::Desk;
use crate::gateway::LogAsk;
use crate::model::{LogEvent, LogPage, Text, Trouble};
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use jiff::Timestamp;

/// The longest page of streams.
const STREAMS_PAGE: i32 = 50;
/// Streams that one request may name.
pub(super) const STREAMS_AT_ONCE: usize = 100;

/// A page of the events of streams, in the order of time. An empty page is nothing odd: AWS gives one whenever it
/// has searched for long and found nothing, and a token with it.
pub(super) async fn look_at_events(desk: &Desk, ask: &LogAsk) -> Result<LogPage, Trouble> {
    let streams: Vec<String> = ask.streams.iter().take(STREAMS_AT_ONCE).map(ToString::to_string).collect();
    let request = || {
        let call = desk.logs().filter_log_events().log_group_name(ask.group.as_str());
        let call = call.set_log_stream_names((!streams.is_empty()).then(|| streams.clone()));
        let call = call.start_time(ask.from.as_millisecond());
        // AWS leaves the end out.
        let call = call.set_end_time(ask.until.map(|until| until.as_millisecond()));
        // AWS always does so by now; what stands in for it may not.
        #[expect(deprecated, reason = "nothing else says it")]
        let call = call.interleaved(true);
        call.set_filter_pattern(ask.pattern.clone())
            .set_limit(ask.limit.and_then(|limit| i32::try_from(limit).ok()))
            .set_next_token(ask.token.clone())
            .send()
    };
    let page = desk.call(Api::FilterLogEvents, request).await?;
    Ok(LogPage {
        events: page.events.unwrap_or_default().into_iter().map(event).collect(),
        next: page.next_token.filter(|token| !token.is_empty()),
    })
}

fn event(raw: FilteredLogEvent) -> LogEvent {
    let at = raw.timestamp.and_then(|at| Timestamp::from_millisecond(at).ok());
    let (stream, text) = (raw.log_stream_name.unwrap_or_default(), raw.message.unwrap_or_default());
    LogEvent {
        id: raw.event_id.map(Text::from).unwrap_or_default(),
        stream: stream.into(),
        at: at.unwrap_or(Timestamp::UNIX_EPOCH),
        text,
    }
}

/// The streams of a group whose names begin so.
pub(super) async fn look_at_streams(desk: &Desk, group: &str, prefix: &str) -> Result<Vec<Text>, Trouble> {
    let prefix = (!prefix.is_empty()).then(|| prefix.to_owned());
    let request = |token| {
        let call = desk.logs().describe_log_streams().log_group_name(group);
        call.set_log_stream_name_prefix(prefix.clone()).limit(STREAMS_PAGE).set_next_token(token).send()
    };
    let read = desk.pages(Api::DescribeLogStreams, request, |page| {
        let all = page.log_streams.unwrap_or_default().into_iter();
        (all.filter_map(|one| one.log_stream_name).map(Text::from).collect(), page.next_token)
    });
    Ok(read.await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};
    use crate::model::TroubleKind;

    fn json(status: u16, body: &str) -> Say {
        Say::Whole(status, "application/x-amz-json-1.1", body.to_owned())
    }

    #[tokio::test]
    async fn a_page_without_events_has_a_next_one_all_the_same() {
        let fake = Fake::new(|request, _| {
            assert!(request.contains("\"logGroupName\":\"/cores\"") && request.contains("\"startTime\":1000"));
            assert!(request.contains("\"filterPattern\":\"%boom%\""), "{request}");
            match request {
                text if text.contains("\"nextToken\":\"two\"") => json(
                    200,
                    r#"{"events":[{"eventId":"7","timestamp":1500,"message":"a\u001b[2J","logStreamName":"s"}]}"#,
                ),
                _ => json(200, r#"{"events":[],"nextToken":"two"}"#),
            }
        })
        .await;
        let desk = fake.desk().await;
        let mut ask = LogAsk {
            group: "/cores".into(),
            streams: vec!["s".into()],
            from: Timestamp::from_second(1).unwrap(),
            until: None,
            pattern: Some("%boom%".to_owned()),
            limit: None,
            token: None,
        };
        let first = look_at_events(&desk, &ask).await.unwrap();
        assert_eq!((first.events.len(), first.next.as_deref()), (0, Some("two")));
        ask.token = first.next;
        let second = look_at_events(&desk, &ask).await.unwrap();
        assert_eq!((second.events[0].id.as_str(), second.events[0].at.as_millisecond()), ("7", 1500));
        assert_eq!(second.next, None);
    }

    #[tokio::test]
    async fn a_stream_that_is_not_there_is_told_apart() {
        let fake = Fake::new(|_, _| {
            json(400, r#"{"__type":"ResourceNotFoundException","message":"The specified log stream does not exist."}"#)
        })
        .await;
        let trouble = look_at_streams(&fake.desk().await, "/cores", "").await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::NotFound);
    }
}
