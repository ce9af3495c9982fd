//! Alarms are evaluated every minute on the metrics of instances.

use super::Event;
use crate::sim::cloudwatch::metrics::sample;
use crate::sim::world::keeping::Alarm;
use crate::sim::world::place::Place;

impl Place {
    pub(super) fn look_at_alarms(&mut self) {
        let now = self.now;
        let mut changes = Vec::new();
        for alarm in self.alarms.rows().filter(|alarm| alarm.namespace == "AWS/EC2") {
            let instance = alarm.dimensions.first().and_then(|(_, id)| self.instances.get(id));
            let period = i64::from(alarm.period);
            // The last whole period.
            let at = crate::sim::time::Moment((now.0 / 1000 / period * period - period) * 1000);
            let figure = instance
                .and_then(|instance| sample(instance, &alarm.metric, alarm.statistic, period, at, now));
            let (state, reason) = judge(alarm, figure, &at.rfc3339());
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
        self.note(60, Event::Alarms);
    }
}

fn judge(alarm: &Alarm, figure: Option<f64>, at: &str) -> (&'static str, String) {
    let Some(figure) = figure else {
        let state = match alarm.missing {
            "notBreaching" => "OK",
            "breaching" => "ALARM",
            "ignore" => alarm.state,
            _ => "INSUFFICIENT_DATA",
        };
        return (state, "Insufficient Data: 1 datapoint was unknown.".to_owned());
    };
    let (crosses, verb) = match alarm.comparison {
        "GreaterThanThreshold" => (figure > alarm.threshold, "greater than"),
        "GreaterThanOrEqualToThreshold" => (figure >= alarm.threshold, "greater than or equal to"),
        "LessThanOrEqualToThreshold" => (figure <= alarm.threshold, "less than or equal to"),
        _ => (figure < alarm.threshold, "less than"),
    };
    let (state, word) = if crosses { ("ALARM", "was") } else { ("OK", "was not") };
    let reason = format!(
        "Threshold Crossed: 1 datapoint [{figure:.2} ({at})] {word} {verb} the threshold ({:.1}).",
        alarm.threshold
    );
    (state, reason)
}
