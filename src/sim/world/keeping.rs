//! CloudWatch alarms, log groups and the Parameter Store.

use crate::sim::time::Moment;
use compact_str::CompactString;

/// What an alarm watches a metric for.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) namespace: CompactString,
    pub(crate) metric: CompactString,
    pub(crate) statistic: &'static str,
    pub(crate) period: u32,
    pub(crate) evaluations: u32,
    /// How many of them must cross the threshold.
    pub(crate) datapoints: u32,
    pub(crate) threshold: f64,
    pub(crate) comparison: &'static str,
    pub(crate) missing: &'static str,
}

/// A metric alarm.
#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    pub(crate) name: CompactString,
    pub(crate) description: CompactString,
    pub(crate) watch: Watch,
    pub(crate) dimensions: Vec<(&'static str, CompactString)>,
    pub(crate) state: &'static str,
    pub(crate) reason: String,
    pub(crate) since: Moment,
    pub(crate) updated: Moment,
    pub(crate) actions_enabled: bool,
}

/// A parameter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameter {
    pub(crate) name: CompactString,
    /// `String`, `StringList`, `SecureString`
    pub(crate) kind: &'static str,
    pub(crate) value: String,
    pub(crate) version: u32,
    pub(crate) modified: Moment,
    pub(crate) description: Option<CompactString>,
    /// Who wrote this version; none for whoever built the fleet.
    pub(crate) user: Option<CompactString>,
    /// Older versions, oldest first.
    pub(crate) past: Vec<Past>,
}

/// An older version of a parameter.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    pub(crate) kind: &'static str,
    pub(crate) value: String,
    pub(crate) version: u32,
    pub(crate) modified: Moment,
    pub(crate) description: Option<CompactString>,
    pub(crate) user: Option<CompactString>,
}

/// A log group.
#[derive(Clone, Debug)]
pub(crate) struct LogGroup {
    pub(crate) name: CompactString,
    pub(crate) created: Moment,
    /// How many days it keeps what is written; none for ever.
    pub(crate) days: Option<u32>,
    pub(crate) bytes_a_day: i64,
}
