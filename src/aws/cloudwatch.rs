//! CloudWatch: alarms, and the metrics of instances that somebody looks at.

mod alarms;
mod metrics;

use super::api::Api;
use super::call::{Broken, Desk, Pages};
use super::fan::{self, Piece};
use crate::gateway::{GatewayError, Reading};
use crate::model::{Alarm, InstanceId, Metrics, TroubleKind};
use aws_sdk_cloudwatch::types::{AlarmType, ScanBy};
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

/// Metrics of these instances from a moment on, one row for each of them.
pub(super) async fn metrics(
    desk: &Desk,
    of: &[InstanceId],
    since: Timestamp,
    pages: &Pages,
) -> Result<Vec<Metrics>, GatewayError> {
    let window = metrics::window(since, desk.now());
    let ask = |chunk| some_metrics(desk, chunk, window).boxed();
    fan::each(metrics::chunks(of), ask, fan::shown(pages, Reading::Metrics))
        .await
        .map_err(|broken| broken.partial(Reading::Metrics))
}

/// Pages are followed here and not by the desk, because every page is billed for all of its queries.
async fn some_metrics(
    desk: &Desk,
    chunk: Vec<InstanceId>,
    (start, end): (DateTime, DateTime),
) -> Piece<Metrics> {
    let api = Api::GetMetricData;
    let queries = metrics::queries(&chunk);
    let mut results = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..METRICS_PAGES {
        let request = || {
            let ask = desk.cloudwatch().get_metric_data().set_metric_data_queries(Some(queries.clone()));
            let ask = ask.start_time(start).end_time(end).scan_by(ScanBy::TimestampAscending);
            ask.set_next_token(token.clone()).send()
        };
        let page = match desk.call_for(api, queries.len(), request).await {
            Ok(page) => page,
            Err(trouble) => return Err(Broken { read: metrics::read(&chunk, results), trouble }),
        };
        results.extend(page.metric_data_results.unwrap_or_default());
        let next = page.next_token.filter(|next| !next.is_empty());
        if next.is_none() {
            return Ok(metrics::metrics(&chunk, results));
        }
        if next == token {
            break;
        }
        token = next;
    }
    let trouble = desk.trouble(api, TroubleKind::Garbled, "the points have no end: AWS gave page after page");
    Err(Broken { read: metrics::read(&chunk, results), trouble })
}
