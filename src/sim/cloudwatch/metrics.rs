//! GetMetricData: series of instances, computed from their load.

use crate::sim::fault::Fault;
use crate::sim::input::Input;
use crate::sim::page::Paging;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::time::Moment;
use crate::sim::world::machine::{Instance, State};
use crate::sim::world::place::Place;

/// Queries in one request at most.
const QUERIES: usize = 500;

/// Data points in one answer at most.
const POINTS: i64 = 100_800;

fn invalid(sentence: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterValue", sentence)
}

fn missing(name: &str) -> Fault {
    Fault::new("MissingParameter", format!("The parameter {name} is required."))
}

struct Series {
    id: String,
    label: String,
    points: Vec<(Moment, f64)>,
}

/// GetMetricData. Expressions are not understood and refused; pages are cut by data points.
pub(super) fn get_metric_data(call: &Call, place: &Place) -> Answer {
    let start = call.input.time("StartTime").ok_or_else(|| missing("StartTime"))?;
    let end = call.input.time("EndTime").ok_or_else(|| missing("EndTime"))?;
    if end <= start {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    let queries = call.input.list("MetricDataQueries");
    if queries.is_empty() {
        return Err(missing("MetricDataQueries"));
    }
    if queries.len() > QUERIES {
        return Err(invalid(format!(
            "The collection MetricDataQueries must not have a size greater than {QUERIES}."
        )));
    }
    let ascending = match call.input.text("ScanBy") {
        Some("TimestampAscending") => true,
        Some("TimestampDescending") | None => false,
        Some(other) => return Err(invalid(format!("{other} is no order"))),
    };
    let mut seen = Vec::new();
    let mut all = Vec::new();
    for query in &queries {
        let id = query.text("Id").unwrap_or_default();
        let is_named = id.starts_with(|first: char| first.is_ascii_lowercase())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_named {
            return Err(Fault::new(
                "ValidationError",
                format!(
                    "The value '{id}' for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
                ),
            ));
        }
        if seen.contains(&id) {
            return Err(Fault::new("ValidationError", format!("The id '{id}' is used more than once")));
        }
        seen.push(id);
        if query.get("ReturnData").is_some() && !query.flag("ReturnData") {
            continue;
        }
        all.push(series(call, place, *query, id, (start, end))?);
    }
    let paging = Paging {
        size: "MaxDatapoints",
        token: "NextToken",
        default: POINTS,
        min: 1,
        max: POINTS,
        bad_size: "InvalidParameterValue",
        bad_token: "InvalidNextToken",
    };
    let page = paging.of(call)?;
    answer(call, all, ascending, page.after, page.limit)
}

/// Gives each series its share of a page: points are numbered through all series from 1.
fn answer(call: &Call, all: Vec<Series>, ascending: bool, after: u64, limit: usize) -> Answer {
    let mut flat: Vec<(u64, (usize, Moment, f64))> = Vec::new();
    let mut key = 0;
    for (at, series) in all.iter().enumerate() {
        let mut points = series.points.clone();
        if !ascending {
            points.reverse();
        }
        for (moment, value) in points {
            key += 1;
            flat.push((key, (at, moment, value)));
        }
    }
    let page = crate::sim::page::Page { limit, after };
    let (taken, token) = page.take(call, flat.iter().map(|(key, row)| (*key, row)));
    let is_partial = token.is_some();
    let shapes = list(all.iter().enumerate(), |(at, series)| {
        let mine: Vec<_> = taken.iter().filter(|(of, _, _)| *of == at).collect();
        let cut = is_partial && taken.last().is_none_or(|(last, _, _)| *last <= at);
        Fields::new()
            .with("Id", &series.id)
            .with("Label", &series.label)
            .with("Timestamps", list(&mine, |(_, moment, _)| *moment))
            .with("Values", list(&mine, |(_, _, value)| *value))
            .with("StatusCode", if cut { "PartialData" } else { "Complete" })
    });
    Ok(Fields::new()
        .with("MetricDataResults", shapes)
        .maybe("NextToken", token)
        .with("Messages", Shape::List(Vec::new()))
        .into())
}

fn series(
    call: &Call,
    place: &Place,
    query: Input,
    id: &str,
    span: (Moment, Moment),
) -> Result<Series, Fault> {
    let Some(stat) = query.get("MetricStat") else {
        return Err(Fault::new(
            "ValidationError",
            "Expressions are not understood here; ask for a MetricStat",
        ));
    };
    let metric = stat.get("Metric").ok_or_else(|| missing("MetricDataQueries.member.MetricStat.Metric"))?;
    let namespace = metric.text("Namespace").unwrap_or_default();
    let name = metric.text("MetricName").unwrap_or_default();
    let statistic = stat.text("Stat").ok_or_else(|| missing("MetricDataQueries.member.MetricStat.Stat"))?;
    if !matches!(statistic, "Average" | "Sum" | "Minimum" | "Maximum" | "SampleCount") {
        return Err(invalid(format!("The statistic {statistic} is not understood here")));
    }
    let period = stat.number("Period").map_err(invalid)?.unwrap_or(0);
    if period < 60 || period % 60 != 0 {
        return Err(invalid("The parameter Period must be a multiple of 60."));
    }
    let dimensions: Vec<(&str, &str)> = metric
        .list("Dimensions")
        .into_iter()
        .map(|dimension| {
            (dimension.text("Name").unwrap_or_default(), dimension.text("Value").unwrap_or_default())
        })
        .collect();
    let instance = match (namespace, dimensions.as_slice()) {
        ("AWS/EC2", [("InstanceId", id)]) => place.instances.get(id),
        _ => None,
    };
    let points = instance
        .map(|instance| points(instance, name, statistic, period, span, call.now))
        .unwrap_or_default();
    let label = query.text("Label").map_or_else(|| name.to_owned(), ToOwned::to_owned);
    Ok(Series { id: id.to_owned(), label, points })
}

/// The points of one metric, oldest first. Basic monitoring has one sample in five minutes, detailed one a
/// minute; credits come every five; nothing is younger than the last whole sample.
fn points(
    instance: &Instance,
    name: &str,
    statistic: &str,
    period: i64,
    (start, end): (Moment, Moment),
    now: Moment,
) -> Vec<(Moment, f64)> {
    let sample = if instance.is_monitored && !name.starts_with("CPUCredit") { 60 } else { 300 };
    let bucket = period.max(sample) * 1000;
    let until = match instance.state {
        State::Running => now,
        _ => instance.state_since.min(now),
    };
    let first = start.0.max(instance.launched.0).div_euclid(bucket) * bucket;
    let mut points = Vec::new();
    let mut at = first
        .max(start.0.div_euclid(bucket) * bucket + if start.0.rem_euclid(bucket) == 0 { 0 } else { bucket });
    while at < end.0 && at + sample * 1000 <= until.0 && points.len() < 1500 {
        let mut sum = 0.0;
        let (mut least, mut most, mut count) = (f64::MAX, f64::MIN, 0.0);
        let mut moment = at;
        while moment < at + bucket && moment + sample * 1000 <= until.0 {
            let Some(value) = value(instance, name, Moment(moment), sample) else { return Vec::new() };
            sum += value;
            least = least.min(value);
            most = most.max(value);
            count += 1.0;
            moment += sample * 1000;
        }
        if count > 0.0 {
            let figure = match statistic {
                "Average" => sum / count,
                "Sum" => sum,
                "Minimum" => least,
                "Maximum" => most,
                _ => count,
            };
            points.push((Moment(at), figure));
        }
        at += bucket;
    }
    points
}

/// One statistic of one whole period, if the metric has samples in it.
pub(crate) fn sample(
    instance: &Instance,
    name: &str,
    statistic: &str,
    period: i64,
    at: Moment,
    now: Moment,
) -> Option<f64> {
    points(instance, name, statistic, period, (at, at.plus(period)), now).first().map(|(_, value)| *value)
}

/// One sample of a metric; none for metrics that instances do not have.
fn value(instance: &Instance, name: &str, at: Moment, sample: i64) -> Option<f64> {
    let load = &instance.load;
    let minutes = sample as f64 / 60.0;
    let is_impaired = instance.impaired_since.is_some_and(|since| since <= at);
    let figure = match name {
        "CPUUtilization" => load.cpu(instance.kind, at),
        "NetworkIn" => load.network_in(at) * minutes,
        "NetworkOut" => load.network_out(at) * minutes,
        "NetworkPacketsIn" => load.network_in(at) * minutes / 700.0,
        "NetworkPacketsOut" => load.network_out(at) * minutes / 900.0,
        "CPUCreditBalance" => load.credits(instance.kind, at)?,
        "CPUCreditUsage" => {
            instance.kind.credits?;
            load.cpu(instance.kind, at) / 100.0 * f64::from(instance.kind.vcpus()) * minutes
        }
        "StatusCheckFailed" | "StatusCheckFailed_Instance" => f64::from(u8::from(is_impaired)),
        "StatusCheckFailed_System" => 0.0,
        _ => return None,
    };
    Some((figure * 1e6).round() / 1e6)
}
