//! GetMetricData: series that things here send, and expressions over them.

use super::math::{self, Points, Sheet, Value};
use super::meters::{Meter, unit};
use super::statistics::{Statistic, points};
use crate::sim::fault::Fault;
use crate::sim::input::Input;
use crate::sim::page::Paging;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape, list};
use crate::sim::time::Moment;
use crate::sim::world::place::Place;
use std::collections::HashMap;

/// Queries in one request at most.
const QUERIES: usize = 500;

/// Data points in one answer at most.
const POINTS: i64 = 100_800;

/// Characters of an expression at most.
const LONGEST: usize = 2_048;

fn invalid(sentence: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterValue", sentence)
}

fn missing(name: &str) -> Fault {
    Fault::new("MissingParameter", format!("The parameter {name} is required."))
}

struct Series {
    id: String,
    label: String,
    points: Points,
}

/// GetMetricData. Pages are cut by data points.
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
    check_ids(&queries)?;
    let all = computed(call, place, &queries, (start, end))?;
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

fn check_ids(queries: &[Input]) -> Result<(), Fault> {
    let mut seen = Vec::new();
    for query in queries {
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
        if query.get("MetricStat").is_some() == query.get("Expression").is_some() {
            return Err(Fault::new(
                "ValidationError",
                format!("The query '{id}' needs either a MetricStat or an Expression"),
            ));
        }
        seen.push(id);
    }
    Ok(())
}

/// What every query comes to, in the order in which they were asked; those whose data are not wanted only
/// serve the others.
fn computed(
    call: &Call,
    place: &Place,
    queries: &[Input],
    span: (Moment, Moment),
) -> Result<Vec<Series>, Fault> {
    let mut known: HashMap<String, Value> = HashMap::new();
    let mut metrics: Vec<(String, String, Points)> = Vec::new();
    let mut period = 0;
    for query in queries.iter().filter(|query| query.get("MetricStat").is_some()) {
        let id = query.text("Id").unwrap_or_default();
        let (series, each) = series(call, place, *query, id, span)?;
        period = period.max(each);
        known.insert(series.id.clone(), Value::Series(series.points.clone()));
        metrics.push((series.id, series.label, series.points));
    }
    let mut waiting: Vec<(&str, &str)> = queries
        .iter()
        .filter_map(|query| Some((query.text("Id").unwrap_or_default(), query.text("Expression")?)))
        .collect();
    for query in queries {
        period = period.max(query.number("Period").map_err(invalid)?.unwrap_or(0));
    }
    let faulty =
        |id: &str, why: &str| Fault::new("ValidationError", format!("Error in expression '{id}': {why}"));
    // Expressions may use each other in any order, as long as none needs itself.
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut left = Vec::new();
        let mut last = None;
        for (id, text) in waiting {
            if text.len() > LONGEST {
                return Err(faulty(id, "it is too long"));
            }
            let expr = math::read(text).map_err(|why| faulty(id, &why))?;
            let sheet = Sheet { known: &known, metrics: &metrics, period: period.max(60), span };
            match sheet.value(&expr) {
                Ok(value) => {
                    known.insert(id.to_owned(), value);
                }
                Err(why) => {
                    last = last.or(Some((id, why)));
                    left.push((id, text));
                }
            }
        }
        if left.len() == before
            && let Some((id, why)) = last
        {
            return Err(faulty(id, &why));
        }
        waiting = left;
    }
    let mut all = Vec::new();
    for query in queries {
        if query.get("ReturnData").is_some() && !query.flag("ReturnData") {
            continue;
        }
        let id = query.text("Id").unwrap_or_default();
        let usual = metrics.iter().find(|(known, _, _)| known == id).map(|(_, label, _)| label.as_str());
        let label = query.text("Label").or(usual).unwrap_or(id).to_owned();
        match known.remove(id) {
            Some(Value::Series(points)) => all.push(Series { id: id.to_owned(), label, points }),
            Some(Value::Many(several)) => {
                for (own, points) in several {
                    all.push(Series { id: id.to_owned(), label: format!("{label} {own}"), points });
                }
            }
            Some(Value::Scalar(_)) => {
                return Err(faulty(id, "it is a number; what is returned has to be a series"));
            }
            None => {}
        }
    }
    Ok(all)
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

/// The series of a MetricStat, with its period.
fn series(
    call: &Call,
    place: &Place,
    query: Input,
    id: &str,
    span: (Moment, Moment),
) -> Result<(Series, i64), Fault> {
    let stat = query.get("MetricStat").ok_or_else(|| missing("MetricDataQueries.member.MetricStat"))?;
    let metric = stat.get("Metric").ok_or_else(|| missing("MetricDataQueries.member.MetricStat.Metric"))?;
    let namespace = metric.text("Namespace").unwrap_or_default();
    let name = metric.text("MetricName").unwrap_or_default();
    let word = stat.text("Stat").ok_or_else(|| missing("MetricDataQueries.member.MetricStat.Stat"))?;
    let statistic = Statistic::read(word)
        .ok_or_else(|| invalid(format!("The statistic {word} is not understood here")))?;
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
    let is_meant = stat.text("Unit").is_none_or(|asked| asked == unit(namespace, name));
    let points = Meter::find(place, namespace, &dimensions)
        .filter(|_| is_meant)
        .map(|meter| points(place, &meter, name, statistic, period, span, call.now))
        .unwrap_or_default();
    Ok((Series { id: id.to_owned(), label: name.to_owned(), points }, period))
}
