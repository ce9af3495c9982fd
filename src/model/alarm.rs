//! CloudWatch alarms.

use super::text::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A metric or composite alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its name.
    pub name: Text,
    /// Its ARN.
    pub arn: Text,
    /// Its state.
    pub state: AlarmState,
    /// Why, in AWS's words.
    pub reason: Option<String>,
    /// When it last changed state.
    pub changed_at: Option<Timestamp>,
    /// The metric's namespace; none for composite alarms and expressions.
    pub namespace: Option<Text>,
    /// The metric's name.
    pub metric: Option<Text>,
    /// Dimensions by name.
    pub dimensions: Vec<(Text, Text)>,
    /// Its description.
    pub description: Option<Text>,
    /// Its actions are on.
    pub actions_enabled: bool,
}

/// The state of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AlarmState {
    /// Within its threshold.
    #[serde(rename = "OK")]
    Ok,
    /// Outside its threshold.
    #[serde(rename = "ALARM")]
    Alarm,
    /// Not enough data.
    #[serde(rename = "INSUFFICIENT_DATA")]
    InsufficientData,
}

impl AlarmState {
    /// AWS's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}
