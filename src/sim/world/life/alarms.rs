//! Alarms are evaluated every minute on their metrics.

use super::Event;
use crate::sim::cloudwatch::meters::Meter;
use crate::sim::cloudwatch::statistics::{Statistic, points};
use crate::sim::time::Moment;
use crate::sim::world::keeping::Alarm;
use crate::sim::world::place::Place;

impl Place {
    pub(super) fn look_at_alarms(&mut self) {
        let now = self.now;
        let mut changes = Vec::new();
        for alarm in self.alarms.rows() {
            let figures = self.figures(alarm);
            let (state, reason) = judge(alarm, &figures);
            if state != alarm.state {
                changes.push((alarm.name.clone(), state, reason));
            }
        }
        for (name, state, reason) in changes {
            if let Some(alarm) = self.alarms.get_mut(&name) {
                alarm.state = state;
                alarm.reason = reason;
                alarm.since = now;
            }
        }
        self.gauge(now);
        self.note(60, Event::Alarms);
    }

    /// The figures of the last whole periods that an alarm looks at, newest first; none where nothing was sent.
    fn figures(&self, alarm: &Alarm) -> Vec<(Moment, Option<f64>)> {
        let period = i64::from(alarm.watch.period.max(60));
        let end = Moment(self.now.0.div_euclid(period * 1000) * period * 1000);
        let start = end.minus(period * i64::from(alarm.watch.evaluations));
        let dimensions: Vec<(&str, &str)> =
            alarm.dimensions.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let found = Meter::find(self, &alarm.watch.namespace, &dimensions)
            .zip(Statistic::read(alarm.watch.statistic))
            .map(|(meter, statistic)| {
                points(self, &meter, &alarm.watch.metric, statistic, period, (start, end), self.now)
            })
            .unwrap_or_default();
        (1..=i64::from(alarm.watch.evaluations))
            .map(|back| {
                let at = end.minus(period * back);
                (at, found.iter().find(|(then, _)| *then == at).map(|(_, figure)| *figure))
            })
            .collect()
    }
}

/// Whether a figure is on the wrong side, and how one says so.
fn crosses(alarm: &Alarm, figure: f64) -> (bool, &'static str) {
    match alarm.watch.comparison {
        "GreaterThanThreshold" => (figure > alarm.watch.threshold, "greater than"),
        "GreaterThanOrEqualToThreshold" => (figure >= alarm.watch.threshold, "greater than or equal to"),
        "LessThanOrEqualToThreshold" => (figure <= alarm.watch.threshold, "less than or equal to"),
        _ => (figure < alarm.watch.threshold, "less than"),
    }
}

fn judge(alarm: &Alarm, figures: &[(Moment, Option<f64>)]) -> (&'static str, String) {
    let wanted = usize::try_from(alarm.watch.datapoints.max(1)).unwrap_or(1);
    let all = figures.len();
    let missing = figures.iter().filter(|(_, figure)| figure.is_none()).count();
    let known = || figures.iter().filter_map(|(at, figure)| Some((*at, (*figure)?)));
    let mut crossing = known().filter(|(_, figure)| crosses(alarm, *figure).0).count();
    if missing == all {
        let word = if all == 1 { "datapoint was" } else { "datapoints were" };
        let treated = |how: &str| {
            format!(
                "Threshold Crossed: no datapoints were received for {all} periods and {all} missing datapoints were treated as [{how}]."
            )
        };
        return match alarm.watch.missing {
            "notBreaching" => ("OK", treated("NonBreaching")),
            "breaching" => ("ALARM", treated("Breaching")),
            "ignore" => (alarm.state, alarm.reason.clone()),
            _ => ("INSUFFICIENT_DATA", format!("Insufficient Data: {all} {word} unknown.")),
        };
    }
    if alarm.watch.missing == "breaching" {
        crossing += missing;
    }
    let verb = crosses(alarm, alarm.watch.threshold).1;
    let shown: Vec<String> = known()
        .filter(|(_, figure)| crossing < wanted || crosses(alarm, *figure).0)
        .take(5)
        .map(|(at, figure)| format!("{figure:.2} ({})", at.rfc3339()))
        .collect();
    let count = shown.len();
    let is_loud = crossing >= wanted;
    let be = match (is_loud, count) {
        (true, 1) => "was",
        (true, _) => "were",
        (false, 1) => "was not",
        (false, _) => "were not",
    };
    let some =
        if all > 1 { format!("{count} out of the last {all} datapoints") } else { "1 datapoint".to_owned() };
    let reason = format!(
        "Threshold Crossed: {some} [{}] {be} {verb} the threshold ({:.1}).",
        shown.join(", "),
        alarm.watch.threshold
    );
    (if is_loud { "ALARM" } else { "OK" }, reason)
}
