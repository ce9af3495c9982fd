//! How a figure went: spans of time in which it held a value, and nothing where nobody read it.

use crate::model::{GroupName, InstanceId, Market, Scope, ServiceArn, TierName};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A value is taken to hold for so long after it was last read; later it is not known any more.
const HOLDS: SignedDuration = SignedDuration::from_mins(10);

/// What a figure is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// All that is seen.
    Fleet,
    /// A tier; none is what falls into no tier.
    Tier(Option<TierName>),
    /// An Auto Scaling group.
    Group(Scope, GroupName),
    /// An ECS service.
    Service(Scope, ServiceArn),
    /// An instance.
    Instance(Scope, InstanceId),
    /// A spot market.
    Market(Scope, Market),
}

/// What is measured of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Running instances.
    Instances,
    /// Spot instances among them.
    Spot,
    /// Running instances that are not well: warn or bad.
    Unwell,
    /// Cores.
    Cores,
    /// Tenants.
    Tenants,
    /// Users of all cores.
    Users,
    /// Users who were active within a month.
    MonthlyUsers,
    /// Alarms that ring.
    Alarms,
    /// Members or tasks that are wanted.
    Desired,
    /// Members in service, or tasks running.
    Running,
    /// CPU use in percent.
    Cpu,
    /// Bytes received, per second.
    NetworkIn,
    /// Bytes sent, per second.
    NetworkOut,
    /// CPU credits left.
    Credits,
    /// Dollars for an hour of a spot instance.
    SpotPrice,
}

impl Measure {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Instances => "instances",
            Self::Spot => "spot",
            Self::Unwell => "unwell",
            Self::Cores => "cores",
            Self::Tenants => "tenants",
            Self::Users => "users",
            Self::MonthlyUsers => "monthly_users",
            Self::Alarms => "alarms",
            Self::Desired => "desired",
            Self::Running => "running",
            Self::Cpu => "cpu",
            Self::NetworkIn => "network_in",
            Self::NetworkOut => "network_out",
            Self::Credits => "credits",
            Self::SpotPrice => "spot_price",
        }
    }
}

/// One figure at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What it is about.
    pub subject: Subject,
    /// What was measured.
    pub measure: Measure,
    /// When it was read.
    pub at: Timestamp,
    /// The figure, in the measure's unit.
    pub value: f64,
}

/// A span of time in which a figure was always found to be the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// When it was first read.
    pub from: Timestamp,
    /// When it was last read.
    pub until: Timestamp,
    /// The figure.
    pub value: f64,
}

impl Held {
    /// Takes in that the figure was read again. Returns false where that begins another span: the figure
    /// changed, or nobody looked for too long.
    pub fn goes_on(&mut self, at: Timestamp, value: f64) -> bool {
        let is_same = self.value.to_bits() == value.to_bits();
        let goes_on = is_same && at >= self.until && at.duration_since(self.until) <= HOLDS;
        if goes_on {
            self.until = at;
        }
        goes_on
    }
}

/// The course of one figure, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trend {
    spans: Vec<Held>,
}

impl Trend {
    /// The course that these spans make; each must begin after the one before it.
    pub fn of(spans: Vec<Held>) -> Self {
        Self { spans }
    }

    /// Its spans, oldest first.
    pub fn spans(&self) -> &[Held] {
        &self.spans
    }

    /// Takes in a reading. One that is not newer than the last is passed over.
    pub fn note(&mut self, at: Timestamp, value: f64) {
        let goes_on = self.spans.last_mut().is_some_and(|last| at <= last.until || last.goes_on(at, value));
        if !goes_on {
            self.spans.push(Held { from: at, until: at, value });
        }
    }

    /// The figure at a moment; none where it was not read lately enough before to be known.
    pub fn at(&self, at: Timestamp) -> Option<f64> {
        let after = self.spans.partition_point(|held| held.from <= at);
        let held = self.spans.get(after.checked_sub(1)?)?;
        (at <= held.until || at.duration_since(held.until) <= HOLDS).then_some(held.value)
    }

    /// The latest figure and when it was read.
    pub fn last(&self) -> Option<(Timestamp, f64)> {
        self.spans.last().map(|held| (held.until, held.value))
    }

    /// The figure in each of `count` equal steps from `from` to `to`, for a sparkline: the last that was known
    /// within the step, none where nothing was known in all of it.
    pub fn steps(&self, from: Timestamp, to: Timestamp, count: usize) -> Vec<Option<f64>> {
        let (first, whole) =
            (from.as_microsecond(), to.as_microsecond().saturating_sub(from.as_microsecond()));
        let edge = |nth: usize| {
            let share = i128::from(whole) * nth as i128 / count.max(1) as i128;
            let at = i64::try_from(share).ok().and_then(|share| first.checked_add(share));
            at.and_then(|at| Timestamp::from_microsecond(at).ok()).unwrap_or(to)
        };
        let step = |nth: usize| {
            let (begin, end) = (edge(nth), edge(nth + 1));
            let after = self.spans.partition_point(|held| held.from <= end);
            let held = self.spans.get(after.checked_sub(1)?)?;
            (begin <= held.until || begin.duration_since(held.until) <= HOLDS).then_some(held.value)
        };
        (0..count).map(step).collect()
    }

    /// Forgets what ended before a moment.
    pub fn forget_before(&mut self, moment: Timestamp) {
        self.spans.retain(|held| held.until >= moment);
    }
}

/// The courses of all figures that are kept. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trends {
    courses: BTreeMap<(Subject, Measure), Arc<Trend>>,
}

impl Trends {
    /// The course of one figure.
    pub fn get(&self, subject: &Subject, measure: Measure) -> Option<&Trend> {
        self.courses.get(&(subject.clone(), measure)).map(Arc::as_ref)
    }

    /// Every course with what it is about.
    pub fn iter(&self) -> impl Iterator<Item = (&Subject, Measure, &Trend)> {
        self.courses.iter().map(|((subject, measure), trend)| (subject, *measure, trend.as_ref()))
    }

    /// How many courses there are.
    pub fn len(&self) -> usize {
        self.courses.len()
    }

    /// Tells whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.courses.is_empty()
    }

    /// Puts a course in place of another.
    pub fn put(&mut self, subject: Subject, measure: Measure, trend: Trend) {
        self.courses.insert((subject, measure), Arc::new(trend));
    }

    /// Takes in one reading. At most `most` courses are kept: a new one then has no place.
    pub fn note(&mut self, sample: &Sample, most: usize) {
        let key = (sample.subject.clone(), sample.measure);
        if self.courses.len() >= most && !self.courses.contains_key(&key) {
            return;
        }
        Arc::make_mut(self.courses.entry(key).or_default()).note(sample.at, sample.value);
    }

    /// Adds what was read later than all that is kept here. At most `most` courses are kept.
    pub fn extend(&mut self, later: &Self, most: usize) {
        for (subject, measure, trend) in later.iter() {
            for held in trend.spans() {
                for at in [held.from, held.until] {
                    self.note(&Sample { subject: subject.clone(), measure, at, value: held.value }, most);
                }
            }
        }
    }

    /// Forgets what ended before a moment, and courses of which nothing is left.
    pub fn forget_before(&mut self, moment: Timestamp) {
        for trend in self.courses.values_mut() {
            if trend.spans.first().is_some_and(|held| held.until < moment) {
                Arc::make_mut(trend).forget_before(moment);
            }
        }
        self.courses.retain(|_, trend| !trend.spans.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + minutes * 60).unwrap()
    }

    #[test]
    fn a_figure_that_stays_is_one_span_and_one_that_nobody_read_is_a_gap() {
        let mut trend = Trend::default();
        for minute in [0, 1, 2, 5, 40, 41] {
            trend.note(at(minute), if minute == 41 { 8.0 } else { 7.0 });
        }
        let spans: Vec<_> = trend.spans().iter().map(|held| (held.from, held.until, held.value)).collect();
        assert_eq!(spans, [(at(0), at(5), 7.0), (at(40), at(40), 7.0), (at(41), at(41), 8.0)]);
        assert_eq!(trend.at(at(-1)), None, "before it was read");
        assert_eq!(trend.at(at(14)), Some(7.0), "a little after it was read");
        assert_eq!(trend.at(at(20)), None, "nobody knows");
        assert_eq!(
            (trend.at(at(40)), trend.at(at(41)), trend.last()),
            (Some(7.0), Some(8.0), Some((at(41), 8.0)))
        );
    }

    #[test]
    fn an_older_reading_changes_nothing() {
        let mut trend = Trend::default();
        trend.note(at(10), 1.0);
        let before = trend.clone();
        trend.note(at(9), 2.0);
        trend.note(at(10), 2.0);
        assert_eq!(trend, before);
    }

    #[test]
    fn steps_have_the_last_figure_that_is_known_in_each() {
        let mut trend = Trend::default();
        for (minute, value) in [(30, 1.0), (35, 2.0), (38, 3.0), (100, 4.0)] {
            trend.note(at(minute), value);
        }
        let steps = trend.steps(at(0), at(120), 6);
        assert_eq!(steps, [None, Some(3.0), Some(3.0), None, Some(4.0), Some(4.0)]);
        assert_eq!(trend.steps(at(0), at(0), 0), []);
        assert_eq!(Trend::default().steps(at(0), at(9), 3), [None, None, None]);
    }

    #[test]
    fn courses_are_bounded_in_number_and_in_age() {
        let sample = |minute: i64, tier: &str| Sample {
            subject: Subject::Tier(Some(TierName::new(tier))),
            measure: Measure::Cores,
            at: at(minute),
            value: 1.0,
        };
        let mut trends = Trends::default();
        trends.note(&sample(0, "a"), 2);
        trends.note(&sample(30, "b"), 2);
        trends.note(&sample(30, "c"), 2);
        assert_eq!(trends.len(), 2);
        trends.forget_before(at(1));
        assert_eq!(
            trends.iter().map(|(subject, ..)| subject.clone()).collect::<Vec<_>>(),
            [sample(0, "b").subject]
        );
        assert!(trends.get(&sample(0, "a").subject, Measure::Cores).is_none());
    }
}
