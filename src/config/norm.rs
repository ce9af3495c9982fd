//! What a figure of CloudWatch must be, as a line: `errors: AWS/ApplicationELB HTTPCode_Target_5XX_Count/RequestCount
//! <= 1%`.

use super::parse_span;
use crate::model::{Bound, Figure, NoData, Norm, Series, Statistic, Text};

/// What may stand in braces in the value of a dimension.
pub(super) const HOLES: [&str; 5] = ["{group}", "{target_group}", "{load_balancer}", "{cluster}", "{tier}"];
/// The usual span, in seconds.
pub(super) const OVER_S: u32 = 300;
/// The longest, in seconds: a day.
const LONGEST_S: u64 = 86_400;
/// What such a line looks like.
const SHAPE: &str = "AWS/ApplicationELB HTTPCode_Target_5XX_Count/RequestCount <= 1%";

/// Reads `[NAME:] NAMESPACE METRIC[/METRIC] [STATISTIC] <=|>= NUMBER[%] [over DURATION]`.
///
/// # Errors
///
/// A sentence that says what is wrong, and how it is written.
pub fn parse_norm(line: &str) -> Result<Norm, String> {
    let wrong = |why: &str| format!("{why}: write it like `{SHAPE}`");
    let (name, rest) = match line.split_once(": ") {
        Some((name, rest)) => (Some(name.trim()), rest),
        None => (None, line),
    };
    let (what, bound) = ["<=", ">="]
        .into_iter()
        .find_map(|sign| rest.split_once(sign).map(|(what, bound)| (what, (sign, bound))))
        .ok_or_else(|| wrong("it says neither `<=` nor `>=`"))?;
    let mut words = what.split_whitespace();
    let namespace = words.next().ok_or_else(|| wrong("it names no namespace"))?;
    let metric = words.next().ok_or_else(|| wrong("it names no metric"))?;
    let statistic = match words.next() {
        None => Statistic::Sum,
        Some(word) => statistic(word).map_err(|why| wrong(&why))?,
    };
    if let Some(more) = words.next() {
        return Err(wrong(&format!("`{more}` stands there once too often")));
    }
    let (sign, bound) = bound;
    let (figure, over) = match bound.split_once(" over ") {
        Some((figure, over)) => (figure, Some(over)),
        None => (bound, None),
    };
    let figure = figure.trim();
    let figure = Figure::parse(figure).ok_or_else(|| wrong(&format!("`{figure}` is no number")))?;
    let (metric, per) = match metric.split_once('/') {
        Some((metric, per)) => (metric, Some(per)),
        None => (metric, None),
    };
    let over_s = over.map_or(Ok(OVER_S), |over| minutes(over.trim()))?;
    Ok(Norm {
        name: Text::new(name.filter(|name| !name.is_empty()).unwrap_or(metric)),
        series: Series {
            namespace: namespace.into(),
            metric: metric.into(),
            per: per.map(Text::new),
            statistic,
            dimensions: usual(namespace),
            over_s,
        },
        bound: if sign == "<=" { Bound::AtMost(figure) } else { Bound::AtLeast(figure) },
        no_data: NoData::default(),
    })
}

/// CloudWatch's word for what is made of samples.
pub(super) fn statistic(word: &str) -> Result<Statistic, String> {
    Statistic::parse(word)
        .ok_or_else(|| format!("`{word}` is none of Sum, Average, Minimum, Maximum, SampleCount, p99"))
}

/// A span of whole minutes, in seconds.
pub(super) fn minutes(text: &str) -> Result<u32, String> {
    let seconds = parse_span(text)?.as_secs();
    if seconds == 0 || seconds % 60 != 0 || seconds > LONGEST_S {
        return Err(format!("`{text}` must be whole minutes, from 1m to 24h"));
    }
    u32::try_from(seconds).map_err(|_| format!("`{text}` is too long"))
}

/// The dimensions of a group where nobody says: as AWS publishes the metrics of its namespaces.
pub(super) fn usual(namespace: &str) -> Vec<(Text, Text)> {
    let pairs: &[(&str, &str)] = match namespace {
        "AWS/ApplicationELB" | "AWS/NetworkELB" => {
            &[("LoadBalancer", "{load_balancer}"), ("TargetGroup", "{target_group}")]
        }
        "AWS/EC2" | "AWS/AutoScaling" => &[("AutoScalingGroupName", "{group}")],
        "AWS/ECS" => &[("ClusterName", "{cluster}")],
        _ => &[],
    };
    pairs.iter().map(|(name, value)| (Text::new(name), Text::new(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_which_figure_over_how_long_and_what_it_must_be() {
        let norm =
            parse_norm("errors: AWS/ApplicationELB HTTPCode_Target_5XX_Count/RequestCount <= 1%").unwrap();
        assert_eq!(norm.to_string(), "errors at most 1 % over 5 min");
        assert_eq!(norm.series.per.as_deref(), Some("RequestCount"));
        assert_eq!(norm.series.dimensions[1], ("TargetGroup".into(), "{target_group}".into()));
        let slow = parse_norm("Acme/Cores Latency p99.9 <= 0.25 over 10m").unwrap();
        assert_eq!(
            (slow.name.as_str(), slow.to_string().as_str()),
            ("Latency", "Latency at most 0.25 over 10 min")
        );
        assert_eq!(slow.series.dimensions, []);
        let many = parse_norm("AWS/AutoScaling GroupInServiceInstances Minimum >= 2").unwrap();
        assert_eq!(many.bound, Bound::AtLeast(Figure::of(2.0).unwrap()));
    }

    #[test]
    fn a_line_that_cannot_be_read_says_why() {
        for (line, why) in [
            ("AWS/EC2 CPUUtilization Average 80", "neither"),
            ("<= 5", "no namespace"),
            ("AWS/EC2 <= 5", "no metric"),
            ("AWS/EC2 CPUUtilization Mean <= 5", "none of Sum"),
            ("AWS/EC2 CPUUtilization Average of <= 5", "once too often"),
            ("AWS/EC2 CPUUtilization Average <= five", "no number"),
            ("AWS/EC2 CPUUtilization Average <= 5 over 90s", "whole minutes"),
            ("AWS/EC2 CPUUtilization Average <= 5 over 2d", "whole minutes"),
        ] {
            let said = parse_norm(line).unwrap_err();
            assert!(said.contains(why), "{line}: {said}");
        }
    }
}
