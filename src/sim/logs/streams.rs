//! DescribeLogStreams: the streams of a group, by name or by their last event.

use super::{PAGING, group, invalid};
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, list};
use crate::sim::time::Moment;
use crate::sim::world::place::Place;

/// Minutes back in which the last event of a stream is looked for.
const LOOKS_BACK: i64 = 60;

pub(super) fn describe(call: &Call, place: &Place) -> Answer {
    let group = group(call, place)?;
    let prefix = call.input.text("logStreamNamePrefix").unwrap_or_default();
    let by_time = match call.input.text("orderBy") {
        None | Some("LogStreamName") => false,
        Some("LastEventTime") if !prefix.is_empty() => {
            return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
        }
        Some("LastEventTime") => true,
        Some(other) => return Err(invalid(format!("{other} is no order of log streams"))),
    };
    let page = PAGING.of(call)?;
    let this = call.now.0 / 60_000;
    let last = |author: &crate::sim::world::corelog::Author| {
        (0..LOOKS_BACK).find_map(|back| {
            let lines = author.minute(this - back);
            lines.into_iter().rev().map(|line| line.at).find(|at| *at <= call.now)
        })
    };
    let mut rows: Vec<(String, Option<Moment>)> = place
        .authors(&group.name)
        .iter()
        .filter(|author| author.stream.starts_with(prefix))
        .map(|author| (author.stream.to_string(), last(author)))
        .collect();
    if by_time {
        rows.sort_by_key(|(_, at)| *at);
    }
    if call.input.flag("descending") {
        rows.reverse();
    }
    let keyed = (1..).zip(rows.iter());
    let (rows, token) = page.take(call, keyed);
    let shapes = list(rows, |(name, at)| {
        let arn = place.arn("logs", &format!("log-group:{}:log-stream:{name}", group.name));
        Fields::new()
            .with("logStreamName", name.as_str())
            .with("creationTime", group.created.0)
            .maybe("firstEventTimestamp", at.map(|_| group.created.0))
            .maybe("lastEventTimestamp", at.map(|at| at.0))
            .maybe("lastIngestionTime", at.map(|at| at.0 + 900))
            .with("uploadSequenceToken", "49039859")
            .with("arn", arn)
            .with("storedBytes", 0i64)
    });
    Ok(Fields::new().with("logStreams", shapes).maybe("nextToken", token).into())
}
