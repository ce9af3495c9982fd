//! `GetMetricData` for figures that somebody is judged by: a metric over a while, or its share of another one.

use crate::aws::translate::fractional_moment;
use crate::model::{Measured, Series};
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat};
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Seconds of a point.
const MINUTE: i32 = 60;

/// Figures over the same while, as many as fit into one call.
pub(super) struct Chunk {
    pub(super) over_s: u32,
    pub(super) of: Vec<Series>,
}

/// The figures by the while that they are over, each of them two queries at most.
pub(super) fn chunks(of: &[Series]) -> Vec<Chunk> {
    let mut by_span: BTreeMap<u32, Vec<Series>> = BTreeMap::new();
    for series in of {
        by_span.entry(series.over_s).or_default().push(series.clone());
    }
    let cut = |(over_s, all): (u32, Vec<Series>)| {
        let pieces = all.chunks(super::metrics::QUERIES / 2).map(<[Series]>::to_vec);
        pieces.map(|of| Chunk { over_s, of }).collect::<Vec<_>>()
    };
    by_span.into_iter().flat_map(cut).collect()
}

/// The queries for some figures. Their ids carry the place of the figure: `m` its own metric, `p` what it is a share of.
pub(super) fn queries(of: &[Series]) -> Vec<MetricDataQuery> {
    let query = |id: String, series: &Series, name: &str| {
        let dimensions = series.dimensions.iter();
        let dimensions = dimensions
            .map(|(name, value)| Dimension::builder().name(name.as_str()).value(value.as_str()).build());
        let metric = Metric::builder()
            .namespace(series.namespace.as_str())
            .metric_name(name)
            .set_dimensions(Some(dimensions.collect()));
        let stat =
            MetricStat::builder().metric(metric.build()).period(MINUTE).stat(series.statistic.word()).build();
        MetricDataQuery::builder().id(id).metric_stat(stat).return_data(true).build()
    };
    let both = of.iter().enumerate().flat_map(|(at, series)| {
        let per = series.per.as_ref().map(|per| query(format!("p{at}"), series, per));
        std::iter::once(query(format!("m{at}"), series, &series.metric)).chain(per)
    });
    both.collect()
}

/// The start and end of the last whole minutes: the one that still runs is left out.
pub(super) fn window(over_s: u32, now: Timestamp) -> (DateTime, DateTime) {
    let end = now.as_second().div_euclid(i64::from(MINUTE)) * i64::from(MINUTE);
    (DateTime::from_secs(end - i64::from(over_s)), DateTime::from_secs(end))
}

/// The figures, those that nobody measured included. A series may be spread over several pages.
pub(super) fn measured(of: &[Series], results: Vec<MetricDataResult>) -> Vec<Measured> {
    let mut points: BTreeMap<String, Vec<(Option<Timestamp>, f64)>> = BTreeMap::new();
    for result in results {
        let Some(id) = result.id else { continue };
        let times = result.timestamps.unwrap_or_default().into_iter().map(|at| fractional_moment(Some(at)));
        points.entry(id).or_default().extend(times.zip(result.values.unwrap_or_default()));
    }
    let values =
        |id: &str| -> Vec<f64> { points.get(id).into_iter().flatten().map(|(_, value)| *value).collect() };
    let latest = |id: &str| points.get(id).into_iter().flatten().filter_map(|(at, _)| *at).max();
    let one = |(at, series): (usize, &Series)| {
        let (own, per) = (format!("m{at}"), format!("p{at}"));
        Measured {
            figure: series.figure(&values(&own), &values(&per)),
            latest: latest(&own).max(latest(&per)),
            series: series.clone(),
        }
    };
    of.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Statistic;

    fn series(metric: &str, per: Option<&str>, over_s: u32) -> Series {
        Series {
            namespace: "AWS/ApplicationELB".into(),
            metric: metric.into(),
            per: per.map(Into::into),
            statistic: Statistic::Sum,
            dimensions: vec![("LoadBalancer".into(), "app/web/1".into())],
            over_s,
        }
    }

    #[test]
    fn a_share_is_two_queries_of_the_same_things_and_a_figure_alone_is_one() {
        let of = [series("Errors", Some("Requests"), 300), series("Depth", None, 300)];
        let queries = queries(&of);
        let said: Vec<_> = queries
            .iter()
            .map(|query| {
                let stat = query.metric_stat().unwrap();
                let metric = stat.metric().unwrap();
                assert_eq!((stat.period(), stat.stat()), (Some(60), Some("Sum")));
                assert_eq!(metric.dimensions()[0].value(), Some("app/web/1"));
                (query.id().unwrap(), metric.metric_name().unwrap())
            })
            .collect();
        assert_eq!(said, [("m0", "Errors"), ("p0", "Requests"), ("m1", "Depth")]);
    }

    #[test]
    fn figures_over_other_spans_are_other_calls_and_none_holds_too_many() {
        let mut of: Vec<Series> = (0..300).map(|at| series(&format!("m{at}"), Some("n"), 300)).collect();
        of.push(series("x", None, 600));
        let told: Vec<_> = chunks(&of).iter().map(|chunk| (chunk.over_s, chunk.of.len())).collect();
        assert_eq!(told, [(300, 250), (300, 50), (600, 1)]);
    }

    #[test]
    fn points_of_several_pages_become_one_figure_and_what_nobody_measured_is_none() {
        let result = |id: &str, points: &[(i64, f64)]| {
            MetricDataResult::builder()
                .id(id)
                .set_timestamps(Some(points.iter().map(|(at, _)| DateTime::from_secs(*at)).collect()))
                .set_values(Some(points.iter().map(|(_, value)| *value).collect()))
                .build()
        };
        let of = [series("Errors", Some("Requests"), 300), series("Depth", None, 300)];
        let results = vec![
            result("p0", &[(60, 50.0)]),
            result("p0", &[(120, 50.0)]),
            result("m0", &[(60, 2.0)]),
            result("m1", &[]),
        ];
        let told = measured(&of, results);
        assert_eq!(told[0].figure.map(|it| it.number()), Some(0.02));
        assert_eq!(told[0].latest.map(|at| at.as_second()), Some(120));
        assert_eq!((told[1].figure, told[1].latest), (None, None));
        let (start, end) = window(300, Timestamp::new(1_019, 0).unwrap());
        assert_eq!((start.secs(), end.secs()), (660, 960));
    }
}
