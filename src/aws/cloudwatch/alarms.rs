//! `DescribeAlarms`: metric and composite alarms.

use crate::aws::translate::{fractional_moment, required, text};
use crate::model::{Alarm, AlarmState};
use aws_sdk_cloudwatch::types::{CompositeAlarm, MetricAlarm, StateValue};

/// Returns a metric alarm.
pub(super) fn metric(raw: MetricAlarm) -> Alarm {
    Alarm {
        name: required(raw.alarm_name),
        arn: required(raw.alarm_arn),
        state: state(raw.state_value.as_ref()),
        reason: raw.state_reason,
        changed_at: fractional_moment(raw.state_transitioned_timestamp.or(raw.state_updated_timestamp)),
        namespace: text(raw.namespace),
        metric: text(raw.metric_name),
        dimensions: raw
            .dimensions
            .unwrap_or_default()
            .into_iter()
            .map(|dimension| (required(dimension.name), required(dimension.value)))
            .collect(),
        description: text(raw.alarm_description),
        actions_enabled: raw.actions_enabled.unwrap_or(false),
    }
}

/// Returns a composite alarm, which watches other alarms and no metric.
pub(super) fn composite(raw: CompositeAlarm) -> Alarm {
    Alarm {
        name: required(raw.alarm_name),
        arn: required(raw.alarm_arn),
        state: state(raw.state_value.as_ref()),
        reason: raw.state_reason,
        changed_at: fractional_moment(raw.state_transitioned_timestamp.or(raw.state_updated_timestamp)),
        namespace: None,
        metric: None,
        dimensions: Vec::new(),
        description: text(raw.alarm_description),
        actions_enabled: raw.actions_enabled.unwrap_or(false),
    }
}

/// A missing word, or one that this version does not know, is not enough data to say OK or ALARM.
fn state(raw: Option<&StateValue>) -> AlarmState {
    match raw {
        Some(StateValue::Ok) => AlarmState::Ok,
        Some(StateValue::Alarm) => AlarmState::Alarm,
        _ => AlarmState::InsufficientData,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_cloudwatch::types::Dimension;
    use aws_smithy_types::DateTime;

    #[test]
    fn a_metric_alarm_is_carried_over() {
        let raw = MetricAlarm::builder()
            .alarm_name("cpu high")
            .alarm_arn("arn:a")
            .state_value(StateValue::Alarm)
            .state_reason("Threshold Crossed")
            .state_updated_timestamp(DateTime::from_secs(20))
            .state_transitioned_timestamp(DateTime::from_secs(10))
            .namespace("AWS/EC2")
            .metric_name("CPUUtilization")
            .dimensions(Dimension::builder().name("InstanceId").value("i-1").build())
            .alarm_description("wake somebody")
            .actions_enabled(true);
        let got = metric(raw.build());
        assert_eq!(
            (got.name.as_str(), got.arn.as_str(), got.state),
            ("cpu high", "arn:a", AlarmState::Alarm)
        );
        assert_eq!(got.reason.as_deref(), Some("Threshold Crossed"));
        assert_eq!(got.changed_at.map(|at| at.as_second()), Some(10), "a new reason is no new state");
        assert_eq!(
            (got.namespace.as_deref(), got.metric.as_deref()),
            (Some("AWS/EC2"), Some("CPUUtilization"))
        );
        assert_eq!(got.dimensions, [("InstanceId".into(), "i-1".into())]);
        assert_eq!(got.description.as_deref(), Some("wake somebody"));
        assert!(got.actions_enabled);
    }

    #[test]
    fn a_composite_alarm_has_no_metric() {
        let raw = CompositeAlarm::builder()
            .alarm_name("tier down")
            .alarm_arn("arn:c")
            .state_value(StateValue::Ok)
            .state_updated_timestamp(DateTime::from_secs(20));
        let got = composite(raw.build());
        assert_eq!((got.name.as_str(), got.state), ("tier down", AlarmState::Ok));
        assert_eq!((got.namespace, got.metric, got.dimensions.len()), (None, None, 0));
        assert_eq!(got.changed_at.map(|at| at.as_second()), Some(20));
    }

    #[test]
    fn an_empty_alarm_or_a_new_word_is_neither_ok_nor_alarm() {
        assert_eq!(metric(MetricAlarm::builder().build()).state, AlarmState::InsufficientData);
        assert_eq!(composite(CompositeAlarm::builder().build()).state, AlarmState::InsufficientData);
        assert_eq!(state(Some(&StateValue::from("SNOOZED"))), AlarmState::InsufficientData);
    }
}
