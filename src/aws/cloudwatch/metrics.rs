//! `GetMetricData` for named instances: which queries to send, and whose points come back.
//!
//! AWS bills by the query, so there is one for each gauge that is asked for, and only for instances that
//! somebody names.

use crate::aws::translate::fractional_moment;
use crate::model::{Gauge, Gauges, InstanceId, Metrics, Point};
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, StatusCode,
};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Seconds that one point stands for: what EC2 sends without detailed monitoring.
pub(super) const PERIOD_S: i32 = 300;

/// The most queries that one call may hold.
pub(super) const QUERIES: usize = 500;

/// CloudWatch's name of a gauge.
fn metric(gauge: Gauge) -> &'static str {
    match gauge {
        Gauge::Cpu => "CPUUtilization",
        Gauge::NetworkIn => "NetworkIn",
        Gauge::NetworkOut => "NetworkOut",
        Gauge::Credits => "CPUCreditBalance",
    }
}

fn statistic(gauge: Gauge) -> &'static str {
    match gauge {
        Gauge::Cpu | Gauge::Credits => "Average",
        Gauge::NetworkIn | Gauge::NetworkOut => "Sum",
    }
}

/// What a value is divided by: a sum of bytes over a period becomes bytes per second.
fn divisor(gauge: Gauge) -> f64 {
    match gauge {
        Gauge::Cpu | Gauge::Credits => 1.0,
        Gauge::NetworkIn | Gauge::NetworkOut => f64::from(PERIOD_S),
    }
}

/// Returns the instances in chunks whose queries fit into one call, each instance once.
pub(super) fn chunks(of: &[InstanceId], gauges: Gauges) -> Vec<Vec<InstanceId>> {
    let mut once: Vec<InstanceId> = Vec::with_capacity(of.len());
    let mut seen = std::collections::HashSet::new();
    once.extend(of.iter().filter(|id| !id.is_empty() && seen.insert(*id)).cloned());
    once.chunks(QUERIES / gauges.count().max(1)).map(<[InstanceId]>::to_vec).collect()
}

/// Returns the queries for a chunk. Their ids carry the place of the instance and of the series.
pub(super) fn queries(chunk: &[InstanceId], gauges: Gauges) -> Vec<MetricDataQuery> {
    let mut queries = Vec::with_capacity(chunk.len() * gauges.count());
    for (at, id) in chunk.iter().enumerate() {
        for gauge in gauges.each() {
            let dimension = Dimension::builder().name("InstanceId").value(id.as_str()).build();
            let metric = Metric::builder()
                .namespace("AWS/EC2")
                .metric_name(metric(gauge))
                .dimensions(dimension)
                .build();
            let stat = MetricStat::builder().metric(metric).period(PERIOD_S).stat(statistic(gauge)).build();
            let query = MetricDataQuery::builder()
                .id(format!("m{at}_{}", gauge as usize))
                .metric_stat(stat)
                .return_data(true);
            queries.push(query.build());
        }
    }
    queries
}

/// Returns the start and end of the window, both on whole periods: CloudWatch answers those faster, and
/// points then keep their place from one reading to the next. The period that still runs is left out:
/// a sum over half of it would pass for a rate that nobody measured.
pub(super) fn window(since: Timestamp, now: Timestamp) -> (DateTime, DateTime) {
    let period = i64::from(PERIOD_S);
    let start = since.as_second().div_euclid(period) * period;
    let end = now.as_second().div_euclid(period) * period;
    (DateTime::from_secs(start.min(end - period)), DateTime::from_secs(end))
}

/// Returns the metrics of every instance of the chunk, those without a point included.
/// A series may be spread over several pages.
pub(super) fn metrics(chunk: &[InstanceId], asked: Gauges, results: Vec<MetricDataResult>) -> Vec<Metrics> {
    let mut all: Vec<Metrics> = chunk.iter().map(|id| none(id, asked)).collect();
    let mut points: BTreeMap<(usize, usize), BTreeMap<Timestamp, f64>> = BTreeMap::new();
    for result in results {
        let Some(place) = result.id.as_deref().and_then(place) else { continue };
        let times = result.timestamps.unwrap_or_default();
        let values = result.values.unwrap_or_default();
        let known = times
            .into_iter()
            .zip(values)
            .filter_map(|(at, value)| Some((fractional_moment(Some(at))?, value)));
        points.entry(place).or_default().extend(known);
    }
    for ((at, nth), series_points) in points {
        let (Some(metrics), Some(gauge)) = (all.get_mut(at), Gauge::ALL.get(nth)) else { continue };
        let rising =
            series_points.into_iter().map(|(at, value)| Point { at, value: value / divisor(*gauge) });
        metrics.series_mut(*gauge).extend(rising);
    }
    all
}

/// Returns the metrics of those instances of the chunk that have points: what an answer that broke off
/// is worth. No row is better there than an empty one, which would say that nothing was measured.
pub(super) fn read(chunk: &[InstanceId], asked: Gauges, results: Vec<MetricDataResult>) -> Vec<Metrics> {
    let mut all = metrics(chunk, asked, results);
    all.retain(|one| *one != none(&one.id, asked));
    all
}

/// Metrics of which nothing was measured.
fn none(id: &InstanceId, asked: Gauges) -> Metrics {
    Metrics { id: id.clone(), asked, ..Metrics::default() }
}

/// Returns one sentence about series that CloudWatch could not tell, or not to the end. What counts is a
/// series' last word: every page of a long one but the last says `PartialData`.
pub(super) fn untold(results: &[MetricDataResult]) -> Option<String> {
    let last: BTreeMap<&str, &MetricDataResult> =
        results.iter().filter_map(|result| Some((result.id()?, result))).collect();
    let failed: Vec<_> = last
        .values()
        .filter(|result| !matches!(result.status_code(), None | Some(StatusCode::Complete)))
        .collect();
    let first = failed.first()?;
    let word = first.status_code().map_or("unknown", StatusCode::as_str);
    let said = first.messages().iter().find_map(|message| message.value());
    let why = said.map(|said| format!(": {said}")).unwrap_or_default();
    Some(format!("CloudWatch could not tell {} of {} series, {word}{why}", failed.len(), last.len()))
}

/// Returns the place of the instance and of the series in a query's id.
fn place(id: &str) -> Option<(usize, usize)> {
    let (at, nth) = id.strip_prefix('m')?.split_once('_')?;
    Some((at.parse().ok()?, nth.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(n: usize) -> Vec<InstanceId> {
        (0..n).map(|n| InstanceId::from(format!("i-{n}"))).collect()
    }

    fn result(id: &str, points: &[(i64, f64)]) -> MetricDataResult {
        MetricDataResult::builder()
            .id(id)
            .set_timestamps(Some(points.iter().map(|(at, _)| DateTime::from_secs(*at)).collect()))
            .set_values(Some(points.iter().map(|(_, value)| *value).collect()))
            .build()
    }

    #[test]
    fn a_call_never_holds_more_than_five_hundred_queries() {
        let mut many = ids(260);
        many.extend(ids(3));
        let chunks = chunks(&many, Gauges::ALL);
        assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [125, 125, 10]);
        assert_eq!(queries(&chunks[0], Gauges::ALL).len(), QUERIES);
        assert!(super::chunks(&[], Gauges::ALL).is_empty());
    }

    #[test]
    fn a_query_asks_for_one_metric_of_one_instance() {
        let queries = queries(&ids(2), Gauges::ALL);
        let said: Vec<_> = queries
            .iter()
            .map(|query| {
                let stat = query.metric_stat().unwrap();
                let metric = stat.metric().unwrap();
                let on = metric.dimensions()[0].value().unwrap();
                assert_eq!((metric.namespace(), stat.period()), (Some("AWS/EC2"), Some(300)));
                (query.id().unwrap(), metric.metric_name().unwrap(), stat.stat().unwrap(), on)
            })
            .collect();
        assert_eq!(said[0], ("m0_0", "CPUUtilization", "Average", "i-0"));
        assert_eq!(said[1], ("m0_1", "NetworkIn", "Sum", "i-0"));
        assert_eq!(said[2], ("m0_2", "NetworkOut", "Sum", "i-0"));
        assert_eq!(said[7], ("m1_3", "CPUCreditBalance", "Average", "i-1"));
    }

    #[test]
    fn one_gauge_is_one_query_for_each_instance_and_the_others_are_not_known() {
        let cpu: Gauges = [Gauge::Cpu].into_iter().collect();
        assert_eq!(queries(&ids(2), cpu).len(), 2);
        assert_eq!(chunks(&ids(501), cpu).iter().map(Vec::len).collect::<Vec<_>>(), [500, 1]);
        let got = metrics(&ids(1), cpu, vec![result("m0_0", &[(300, 9.0)])]);
        assert_eq!((got[0].cpu[0].value, got[0].asked), (9.0, cpu));
    }

    #[test]
    fn points_find_their_series_oldest_first_over_several_pages_and_bytes_become_a_rate() {
        let results = vec![
            result("m1_0", &[(600, 12.5), (900, 50.0)]),
            result("m1_0", &[(300, 1.0), (600, 12.5)]),
            result("m0_1", &[(300, 600_000.0)]),
            result("m0_3", &[(300, 144.0)]),
            result("m9_0", &[(300, 1.0)]),
            result("other", &[(300, 1.0)]),
        ];
        let got = metrics(&ids(3), Gauges::ALL, results);
        assert_eq!(got.len(), 3);
        let cpu: Vec<_> = got[1].cpu.iter().map(|point| (point.at.as_second(), point.value)).collect();
        assert_eq!(cpu, [(300, 1.0), (600, 12.5), (900, 50.0)]);
        assert_eq!(got[0].network_in[0].value, 2_000.0);
        assert_eq!(got[0].credits[0].value, 144.0);
        assert_eq!(got[2], Metrics { id: InstanceId::new("i-2"), ..Metrics::default() });
    }

    #[test]
    fn a_series_that_could_not_be_told_is_said_and_a_later_page_makes_it_good() {
        let with = |id: &str, status: StatusCode| {
            let message =
                aws_sdk_cloudwatch::types::MessageData::builder().code("X").value("not yours").build();
            MetricDataResult::builder().id(id).status_code(status).messages(message).build()
        };
        let good = [with("m0_0", StatusCode::PartialData), with("m0_0", StatusCode::Complete)];
        assert_eq!(untold(&good), None);
        let bad = [with("m0_0", StatusCode::Complete), with("m0_1", StatusCode::Forbidden)];
        let said = untold(&bad);
        assert_eq!(said.as_deref(), Some("CloudWatch could not tell 1 of 2 series, Forbidden: not yours"));
    }

    #[test]
    fn an_answer_that_broke_off_has_rows_only_for_what_it_brought() {
        let got = read(&ids(3), Gauges::ALL, vec![result("m1_2", &[(300, 300.0)])]);
        assert_eq!(got.len(), 1);
        assert_eq!((got[0].id.as_str(), got[0].network_out[0].value), ("i-1", 1.0));
    }

    #[test]
    fn the_window_stands_on_whole_periods_and_is_never_empty() {
        let at = |second| Timestamp::new(second, 0).unwrap();
        let (start, end) = window(at(1_001), at(2_001));
        assert_eq!((start.secs(), end.secs()), (900, 1_800));
        let (start, end) = window(at(9_000), at(2_001));
        assert!(start.secs() < end.secs());
    }
}
