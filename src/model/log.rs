//! Lines of logs as CloudWatch holds them, and where containers' lines go.

use super::text::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One event of a log stream: mostly one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// Its id, which no other event has.
    pub id: Text,
    /// Its stream.
    pub stream: Text,
    /// When it happened, as its writer says.
    pub at: Timestamp,
    /// What it says. May hold anything, secrets too: mask and neutralise before drawing.
    pub text: String,
}

/// A page of events. One without events may have a next one all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    /// Events, mostly in the order of time.
    pub events: Vec<LogEvent>,
    /// The token of the next page; none on the last.
    pub next: Option<String>,
}

/// Where docker's `awslogs` driver sends what a container writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogTarget {
    /// The log group.
    pub group: Text,
    /// Its region, where it is another one.
    pub region: Option<Text>,
    /// `prefix`: the stream of a task is `prefix/container/task`.
    pub prefix: Option<Text>,
}
