//! CloudWatch Logs: log groups, how long they are kept, and what their streams hold.

mod events;
mod matching;
mod streams;

use super::fault::Fault;
use super::page::Paging;
use super::service::{Answer, Call, Operation, Protocol, Service};
use super::shape::{Fields, list};
use super::world::keeping::LogGroup;
use super::world::place::Place;

pub(crate) const SERVICE: Service = Service {
    name: "logs",
    model: "logs",
    title: "CloudWatch Logs",
    protocol: Protocol::Json,
    version: "2014-03-28",
    target: "Logs_20140328",
    namespace: "",
    bad_parameter: "InvalidParameterException",
    operations: &[
        Operation::read(
            "DescribeLogGroups",
            &["logGroupNamePrefix", "logGroupNamePattern", "limit", "nextToken"],
            describe,
        ),
        Operation::read(
            "DescribeLogStreams",
            &[
                "logGroupName",
                "logGroupIdentifier",
                "logStreamNamePrefix",
                "orderBy",
                "descending",
                "limit",
                "nextToken",
            ],
            streams::describe,
        ),
        Operation::read(
            "FilterLogEvents",
            &[
                "logGroupName",
                "logGroupIdentifier",
                "logStreamNames",
                "logStreamNamePrefix",
                "startTime",
                "endTime",
                "filterPattern",
                "nextToken",
                "limit",
                "interleaved",
                "unmask",
            ],
            events::filter,
        ),
        Operation::read(
            "GetLogEvents",
            &[
                "logGroupName",
                "logGroupIdentifier",
                "logStreamName",
                "startTime",
                "endTime",
                "nextToken",
                "limit",
                "startFromHead",
                "unmask",
            ],
            events::get,
        ),
        Operation::write("PutRetentionPolicy", &["logGroupName", "retentionInDays"], put_retention),
        Operation::write("DeleteRetentionPolicy", &["logGroupName"], delete_retention),
    ],
};

/// Pages of groups and of streams.
const PAGING: Paging = Paging {
    size: "limit",
    token: "nextToken",
    default: 50,
    min: 1,
    max: 50,
    bad_size: "InvalidParameterException",
    bad_token: "InvalidParameterException",
};

/// The days that the service accepts.
const DAYS: &[i64] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

fn describe(call: &Call, place: &Place) -> Answer {
    let (prefix, pattern) = (call.input.text("logGroupNamePrefix"), call.input.text("logGroupNamePattern"));
    if prefix.is_some() && pattern.is_some() {
        let sentence = "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.";
        return Err(Fault::new("InvalidParameterException", sentence));
    }
    let pattern = pattern.map(str::to_lowercase);
    let page = PAGING.of(call)?;
    let rows = place.logs.after(page.after).filter(|(_, group)| {
        prefix.is_none_or(|prefix| group.name.starts_with(prefix))
            && pattern.as_ref().is_none_or(|pattern| group.name.to_lowercase().contains(pattern.as_str()))
    });
    let (rows, token) = page.take(call, rows);
    let shapes = list(rows, |group| {
        let arn = place.arn("logs", &format!("log-group:{}", group.name));
        Fields::new()
            .with("logGroupName", &group.name)
            .with("creationTime", group.created.0)
            .maybe("retentionInDays", group.days)
            .with("metricFilterCount", 0i64)
            .with("arn", format!("{arn}:*"))
            .with("storedBytes", stored(group, call))
            .with("logGroupClass", "STANDARD")
            .with("logGroupArn", arn)
    });
    Ok(Fields::new().with("logGroups", shapes).maybe("nextToken", token).into())
}

/// Bytes that are kept: so many a day, since the creation or for as long as the retention says.
fn stored(group: &LogGroup, call: &Call) -> i64 {
    let days = call.now.since(group.created) / 86_400;
    days.min(group.days.map_or(i64::MAX, i64::from)) * group.bytes_a_day
}

/// The group of a call, by its name or by its ARN.
fn group<'p>(call: &Call, place: &'p Place) -> Result<&'p LogGroup, Fault> {
    let identifier = call.input.text("logGroupIdentifier");
    let by_arn = identifier.map(|it| it.split_once(":log-group:").map_or(it, |(_, name)| name));
    let name = call.input.text("logGroupName").or(by_arn).unwrap_or_default();
    let missing = || Fault::new("ResourceNotFoundException", "The specified log group does not exist.");
    place.logs.get(name.trim_end_matches(":*")).ok_or_else(missing)
}

/// A parameter that is refused.
fn invalid(sentence: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterException", sentence)
}

fn named<'p>(call: &Call, place: &'p mut Place) -> Result<&'p mut LogGroup, Fault> {
    let name = call.input.text("logGroupName").unwrap_or_default();
    let missing = || Fault::new("ResourceNotFoundException", "The specified log group does not exist.");
    place.logs.get_mut(name).ok_or_else(missing)
}

fn put_retention(call: &Call, place: &mut Place) -> Answer {
    let days = call.input.number("retentionInDays").ok().flatten().filter(|days| DAYS.contains(days));
    let days = days.and_then(|days| u32::try_from(days).ok());
    let refused = || {
        Fault::new(
            "InvalidParameterException",
            format!(
                "1 validation error detected: Value at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: {DAYS:?}"
            ),
        )
    };
    let days = days.ok_or_else(refused)?;
    named(call, place)?.days = Some(days);
    Ok(Fields::new().into())
}

fn delete_retention(call: &Call, place: &mut Place) -> Answer {
    named(call, place)?.days = None;
    Ok(Fields::new().into())
}
