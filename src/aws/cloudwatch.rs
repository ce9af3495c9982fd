//! CloudWatch: alarms, the metrics of instances that somebody looks at, and figures that somebody is judged by.

mod alarms;
mod figures;
mod metrics;

use super::api::Api;
use super::call::{Broken, Desk, Pages};
use super::fan::{self, Piece};
use crate::gateway::{GatewayError, Reading};
use crate::model::{Alarm, Gauges, InstanceId, Measured, Metrics, Series, Text, Trouble, TroubleKind};
use aws_sdk_cloudwatch::types::{AlarmType, MetricDataQuery, MetricDataResult, ScanBy};
use aws_smithy_types::DateTime;
use futures::FutureExt as _;
use jiff::Timestamp;

/// The longest page of alarms.
const ALARMS_PAGE: i32 = 100;

/// The most pages that one chunk of metrics may take; its points fit on one.
const METRICS_PAGES: usize = 50;

/// Every metric and composite alarm. AWS leaves composite ones out unless they are named as a type.
pub(super) async fn alarms(desk: &Desk, pages: &Pages) -> Result<Vec<Alarm>, GatewayError> {
    let request = |token| {
        let ask = desk.cloudwatch().describe_alarms();
        let ask = ask.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
        ask.max_records(ALARMS_PAGE).set_next_token(token).send()
    };
    desk.pages_shown(
        Api::DescribeAlarms,
        request,
        |page| {
            let metric = page.metric_alarms.unwrap_or_default().into_iter().map(alarms::metric);
            let composite = page.composite_alarms.unwrap_or_default().into_iter().map(alarms::composite);
            (metric.chain(composite).collect(), page.next_token)
        },
        pages,
        Reading::Alarms,
    )
    .await
    .map_err(|broken| broken.partial(Reading::Alarms))
}

/// These alarms; those that do not exist are left out.
pub(super) async fn look_at_alarms(desk: &Desk, of: &[Text]) -> Result<Vec<Alarm>, Trouble> {
    let chunks: Vec<Vec<String>> = of
        .chunks(ALARMS_PAGE as usize)
        .map(|names| names.iter().map(ToString::to_string).collect())
        .collect();
    let ask = |names: Vec<String>| {
        async move {
            let request = || {
                let ask = desk.cloudwatch().describe_alarms().set_alarm_names(Some(names.clone()));
                let ask = ask.alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
                ask.max_records(ALARMS_PAGE).send()
            };
            let page = desk.call(Api::DescribeAlarms, request).await?;
            let metric = page.metric_alarms.unwrap_or_default().into_iter().map(alarms::metric);
            let composite = page.composite_alarms.unwrap_or_default().into_iter().map(alarms::composite);
            Ok(metric.chain(composite).collect())
        }
        .boxed()
    };
    super::look::all(chunks, ask).await
}

/// Metrics of these instances from a moment on, one row for each of them.
pub(super) async fn metrics(
    desk: &Desk,
    of: &[InstanceId],
    gauges: Gauges,
    since: Timestamp,
    pages: &Pages,
) -> Result<Vec<Metrics>, GatewayError> {
    let window = metrics::window(since, desk.now());
    let ask = |chunk| some_metrics(desk, chunk, gauges, window).boxed();
    fan::each(metrics::chunks(of, gauges), ask, fan::shown(pages, Reading::Metrics))
        .await
        .map_err(|broken| broken.partial(Reading::Metrics))
}

/// Figures over a while up to the last whole minute. Those of one span are asked for in one call.
pub(super) async fn look_at_measures(desk: &Desk, of: &[Series]) -> Result<Vec<Measured>, Trouble> {
    let mut all = Vec::new();
    for chunk in figures::chunks(of) {
        let window = figures::window(chunk.over_s, desk.now());
        let results = points(desk, &figures::queries(&chunk.of), window).await;
        let results = results.map_err(|broken| broken.trouble)?;
        if let Some(said) = metrics::untold(&results) {
            return Err(desk.trouble(Api::GetMetricData, TroubleKind::Other, said));
        }
        all.extend(figures::measured(&chunk.of, results));
    }
    Ok(all)
}

async fn some_metrics(
    desk: &Desk,
    chunk: Vec<InstanceId>,
    gauges: Gauges,
    window: (DateTime, DateTime),
) -> Piece<Metrics> {
    let queries = metrics::queries(&chunk, gauges);
    let part = |results| metrics::read(&chunk, gauges, results);
    match points(desk, &queries, window).await {
        Err(Broken { read, trouble }) => Err(Broken { read: part(read), trouble }),
        Ok(results) => match metrics::untold(&results) {
            None => Ok(metrics::metrics(&chunk, gauges, results)),
            Some(said) => {
                let trouble = desk.trouble(Api::GetMetricData, TroubleKind::Other, said);
                Err(Broken { read: part(results), trouble })
            }
        },
    }
}

/// The points of some queries. Pages are followed here and not by the desk, because every page is billed for all of its
/// queries.
async fn points(
    desk: &Desk,
    queries: &[MetricDataQuery],
    (start, end): (DateTime, DateTime),
) -> Piece<MetricDataResult> {
    let api = Api::GetMetricData;
    let mut results = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..METRICS_PAGES {
        let request = || {
            let ask = desk.cloudwatch().get_metric_data().set_metric_data_queries(Some(queries.to_vec()));
            let ask = ask.start_time(start).end_time(end).scan_by(ScanBy::TimestampAscending);
            ask.set_next_token(token.clone()).send()
        };
        let page = match desk.call_for(api, queries.len(), request).await {
            Ok(page) => page,
            Err(trouble) => return Err(Broken { read: results, trouble }),
        };
        results.extend(page.metric_data_results.unwrap_or_default());
        let next = page.next_token.filter(|next| !next.is_empty());
        if next.is_none() {
            return Ok(results);
        }
        if next == token {
            break;
        }
        token = next;
    }
    let trouble = desk.trouble(api, TroubleKind::Garbled, "the points have no end: AWS gave page after page");
    Err(Broken { read: results, trouble })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::fake::{Fake, Say};
    use crate::model::AlarmState;
    use ciborium::Value;

    fn map(fields: Vec<(&str, Value)>) -> Value {
        Value::Map(fields.into_iter().map(|(key, value)| (Value::from(key), value)).collect())
    }

    fn at(second: f64) -> Value {
        Value::Tag(1, Box::new(Value::Float(second)))
    }

    fn cbor(value: &Value) -> Say {
        let mut bytes = Vec::new();
        ciborium::into_writer(value, &mut bytes).unwrap();
        Say::Bytes(200, "application/cbor", bytes)
    }

    fn points(id: &str, points: &[(f64, f64)], token: Option<&str>) -> Say {
        let result = map(vec![
            ("Id", Value::from(id)),
            ("StatusCode", Value::from("Complete")),
            ("Timestamps", Value::Array(points.iter().map(|(second, _)| at(*second)).collect())),
            ("Values", Value::Array(points.iter().map(|(_, value)| Value::Float(*value)).collect())),
        ]);
        let mut fields = vec![("MetricDataResults", Value::Array(vec![result]))];
        fields.extend(token.map(|token| ("NextToken", Value::from(token))));
        cbor(&map(fields))
    }

    #[tokio::test]
    async fn alarms_of_both_sorts_come_over_the_wire() {
        let fake = Fake::new(|_, _| {
            let metric = map(vec![
                ("AlarmName", Value::from("cpu")),
                ("StateValue", Value::from("ALARM")),
                ("StateUpdatedTimestamp", at(1_700_000_000.5)),
                ("ActionsEnabled", Value::Bool(true)),
            ]);
            let composite = map(vec![("AlarmName", Value::from("tier")), ("StateValue", Value::from("OK"))]);
            cbor(&map(vec![
                ("MetricAlarms", Value::Array(vec![metric])),
                ("CompositeAlarms", Value::Array(vec![composite])),
            ]))
        })
        .await;
        let read = alarms(&fake.desk().await, &Pages::default()).await.unwrap();
        let told: Vec<_> = read.iter().map(|alarm| (alarm.name.as_str(), alarm.state)).collect();
        assert_eq!(told, [("cpu", AlarmState::Alarm), ("tier", AlarmState::Ok)]);
        assert_eq!(read[0].changed_at.map(|at| at.subsec_millisecond()), Some(500));
        assert!(fake.heard.lock().unwrap()[0].contains("CompositeAlarm"), "left out unless asked for");
    }

    #[tokio::test]
    async fn points_of_all_pages_are_put_together_oldest_first() {
        let fake = Fake::new(|_, before| match before {
            0 => points("m0_0", &[(600.0, 20.0)], Some("more")),
            _ => points("m0_0", &[(300.0, 10.0)], None),
        })
        .await;
        let of = [InstanceId::new("i-1"), InstanceId::new("i-2")];
        let read = metrics(&fake.desk().await, &of, Gauges::ALL, Timestamp::UNIX_EPOCH, &Pages::default())
            .await
            .unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].cpu.iter().map(|point| point.value).collect::<Vec<_>>(), [10.0, 20.0]);
        assert!(read[1].cpu.is_empty());
        assert_eq!(fake.heard.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn points_without_end_are_trouble_and_keep_what_came() {
        let fake = Fake::new(|_, _| points("m0_0", &[(300.0, 10.0)], Some("again"))).await;
        let of = [InstanceId::new("i-1")];
        let error = metrics(&fake.desk().await, &of, Gauges::ALL, Timestamp::UNIX_EPOCH, &Pages::default())
            .await
            .unwrap_err();
        assert_eq!(error.trouble.kind, TroubleKind::Garbled);
        assert!(matches!(error.partial.as_deref(), Some(Reading::Metrics(read)) if read[0].cpu.len() == 1));
    }

    #[tokio::test]
    async fn no_instance_named_is_no_call_and_no_cent() {
        let fake = Fake::new(|_, _| Say::Nothing).await;
        let read =
            metrics(&fake.desk().await, &[], Gauges::ALL, Timestamp::UNIX_EPOCH, &Pages::default()).await;
        assert_eq!(read, Ok(Vec::new()));
        assert_eq!(fake.heard.lock().unwrap().len(), 0);
    }
}
