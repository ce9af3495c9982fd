//! Statistics over periods, and GetMetricStatistics.

use super::meters::{Meter, unit};
use crate::sim::fault::Fault;
use crate::sim::service::{Answer, Call};
use crate::sim::shape::{Fields, Shape};
use crate::sim::time::Moment;
use crate::sim::world::place::Place;
use compact_str::CompactString;

/// Points of one series at most.
const POINTS: usize = 100_800;

/// A figure made of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Statistic {
    Average,
    Sum,
    Minimum,
    Maximum,
    SampleCount,
    /// Of these percent of the samples none is larger.
    Percentile(f64),
}

impl Statistic {
    /// Reads `Average`, `p99`, `p99.9`; none for what is not understood.
    pub(crate) fn read(text: &str) -> Option<Self> {
        Some(match text {
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            "SampleCount" => Self::SampleCount,
            _ => {
                let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
                Self::Percentile(Some(percent).filter(|percent| (0.0..=100.0).contains(percent))?)
            }
        })
    }

    /// The figure; none without samples.
    pub(crate) fn of(self, samples: &mut [f64]) -> Option<f64> {
        let count = samples.len();
        let sum: f64 = samples.iter().sum();
        samples.sort_by(f64::total_cmp);
        let (least, most) = (*samples.first()?, *samples.last()?);
        Some(match self {
            // A mean of equal figures is that figure, whatever was lost in adding them up.
            Self::Average => (sum / count as f64).clamp(least, most),
            Self::Sum => sum,
            Self::Minimum => least,
            Self::Maximum => most,
            Self::SampleCount => count as f64,
            Self::Percentile(percent) => {
                let rank = (percent / 100.0 * count as f64).ceil() as usize;
                *samples.get(rank.saturating_sub(1))?
            }
        })
    }
}

/// The points of one metric, oldest first: one for each whole period from `start` on in which something was
/// sent. Periods begin at multiples of themselves.
pub(crate) fn points(
    place: &Place,
    meter: &Meter,
    metric: &str,
    statistic: Statistic,
    period: i64,
    (start, end): (Moment, Moment),
    now: Moment,
) -> Vec<(Moment, f64)> {
    let sample = meter.sample_seconds(metric);
    let bucket = period.max(sample) * 1000;
    let mut at = start.0.div_euclid(bucket) * bucket;
    if at < start.0 {
        at += bucket;
    }
    let mut points = Vec::new();
    let mut samples = Vec::new();
    while at < end.0 && at < now.0 && points.len() < POINTS {
        samples.clear();
        let mut moment = at;
        while moment < at + bucket && moment < now.0 {
            meter.samples(place, metric, Moment(moment), sample, now, &mut samples);
            moment += sample * 1000;
        }
        points.extend(statistic.of(&mut samples).map(|figure| (Moment(at), figure)));
        at += bucket;
    }
    points
}

fn invalid(sentence: impl Into<String>) -> Fault {
    Fault::new("InvalidParameterValue", sentence)
}

fn missing(name: &str) -> Fault {
    Fault::new("MissingParameter", format!("The parameter {name} is required."))
}

/// A data point with its percentiles.
type Point = (Moment, Fields, Vec<(CompactString, Shape)>);

/// GetMetricStatistics. Points come in no order, as AWS says; here the newest ones come first.
pub(super) fn get_metric_statistics(call: &Call, place: &Place) -> Answer {
    let namespace = call.input.text("Namespace").ok_or_else(|| missing("Namespace"))?;
    let name = call.input.text("MetricName").ok_or_else(|| missing("MetricName"))?;
    let start = call.input.time("StartTime").ok_or_else(|| missing("StartTime"))?;
    let end = call.input.time("EndTime").ok_or_else(|| missing("EndTime"))?;
    let period = call.input.number("Period").map_err(invalid)?.ok_or_else(|| missing("Period"))?;
    if end <= start {
        return Err(Fault::new(
            "InvalidParameterValue",
            "The parameter StartTime must be less than the parameter EndTime.",
        ));
    }
    if period < 60 || period % 60 != 0 {
        return Err(invalid("The parameter Period must be a multiple of 60."));
    }
    let wanted = end.since(start) / period;
    if wanted > 1440 {
        return Err(Fault::new(
            "InvalidParameterCombination",
            format!(
                "You have requested up to {wanted} datapoints, which exceeds the limit of 1,440. You may reduce the datapoints requested by increasing Period, or decreasing the time range."
            ),
        ));
    }
    let (plain, extended) = (call.input.texts("Statistics"), call.input.texts("ExtendedStatistics"));
    if plain.is_empty() == extended.is_empty() {
        return Err(Fault::new(
            "InvalidParameterCombination",
            "Either Statistics or ExtendedStatistics must be given, and not both",
        ));
    }
    let dimensions: Vec<(&str, &str)> = call
        .input
        .list("Dimensions")
        .into_iter()
        .map(|one| (one.text("Name").unwrap_or_default(), one.text("Value").unwrap_or_default()))
        .collect();
    let unit = unit(namespace, name);
    let is_meant = call.input.text("Unit").is_none_or(|asked| asked == unit);
    let meter = Meter::find(place, namespace, &dimensions).filter(|_| is_meant);
    let mut rows: Vec<Point> = Vec::new();
    for word in plain.iter().chain(&extended) {
        let is_plain = plain.contains(word);
        let statistic = Statistic::read(word)
            .filter(|read| matches!(read, Statistic::Percentile(_)) != is_plain)
            .ok_or_else(|| invalid(format!("The statistic {word} is not understood here")))?;
        let Some(meter) = &meter else { continue };
        for (at, figure) in points(place, meter, name, statistic, period, (start, end), call.now) {
            let nth = match rows.iter().position(|(known, _, _)| *known == at) {
                Some(nth) => nth,
                None => {
                    rows.push((at, Fields::new().with("Timestamp", at), Vec::new()));
                    rows.len() - 1
                }
            };
            let Some((_, fields, more)) = rows.get_mut(nth) else { continue };
            match member(statistic) {
                Some(member) => *fields = std::mem::take(fields).with(member, figure),
                None => more.push((CompactString::from(*word), Shape::Float(figure))),
            }
        }
    }
    rows.sort_by_key(|(at, _, _)| std::cmp::Reverse(*at));
    let shapes = crate::sim::shape::list(rows, |(_, fields, more)| {
        let fields = fields.with("Unit", unit);
        if more.is_empty() { fields } else { fields.with("ExtendedStatistics", Shape::Map(more)) }
    });
    Ok(Fields::new().with("Label", name).with("Datapoints", shapes).into())
}

/// The member of a data point that carries a statistic; percentiles are carried elsewhere.
fn member(statistic: Statistic) -> Option<&'static str> {
    Some(match statistic {
        Statistic::Average => "Average",
        Statistic::Sum => "Sum",
        Statistic::Minimum => "Minimum",
        Statistic::Maximum => "Maximum",
        Statistic::SampleCount => "SampleCount",
        Statistic::Percentile(_) => return None,
    })
}
