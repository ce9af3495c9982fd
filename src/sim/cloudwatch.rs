//! CloudWatch: alarms, and metrics that follow what instances, groups, services and targets do.

mod list;
mod math;
pub(crate) mod meters;
mod metrics;
pub(crate) mod statistics;

use super::fault::Fault;
use super::page::Paging;
use super::service::{Answer, Call, Operation, Protocol, Service};
use super::shape::{self, Fields, Shape};
use super::world::keeping::Alarm;
use super::world::place::Place;

pub(crate) const SERVICE: Service = Service {
    name: "monitoring",
    model: "cloudwatch",
    title: "CloudWatch",
    protocol: Protocol::Query,
    version: "2010-08-01",
    target: "GraniteServiceVersion20100801",
    namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
    bad_parameter: "InvalidParameterValue",
    operations: &[
        Operation::read(
            "DescribeAlarms",
            &[
                "ActionPrefix",
                "AlarmNamePrefix",
                "AlarmNames",
                "AlarmTypes",
                "MaxRecords",
                "NextToken",
                "StateValue",
            ],
            describe_alarms,
        ),
        Operation::read(
            "GetMetricData",
            &[
                "MetricDataQueries",
                "StartTime",
                "EndTime",
                "ScanBy",
                "MaxDatapoints",
                "NextToken",
                "LabelOptions",
            ],
            metrics::get_metric_data,
        ),
        Operation::read(
            "GetMetricStatistics",
            &[
                "Namespace",
                "MetricName",
                "Dimensions",
                "StartTime",
                "EndTime",
                "Period",
                "Statistics",
                "ExtendedStatistics",
                "Unit",
            ],
            statistics::get_metric_statistics,
        ),
        Operation::read(
            "ListMetrics",
            &["Namespace", "MetricName", "Dimensions", "NextToken", "RecentlyActive"],
            list::list_metrics,
        ),
    ],
};

const PAGING: Paging = Paging {
    size: "MaxRecords",
    token: "NextToken",
    default: 50,
    min: 1,
    max: 100,
    bad_size: "InvalidParameterValue",
    bad_token: "InvalidNextToken",
};

fn describe_alarms(call: &Call, place: &Place) -> Answer {
    let names = call.input.texts("AlarmNames");
    let prefix = call.input.text("AlarmNamePrefix");
    if !names.is_empty() && prefix.is_some() {
        return Err(Fault::new(
            "InvalidParameterCombination",
            "AlarmNames and AlarmNamePrefix cannot be specified together",
        ));
    }
    if names.len() > 100 {
        return Err(Fault::new("InvalidParameterValue", "At most 100 alarms can be named"));
    }
    let state = call.input.text("StateValue");
    let kinds = call.input.texts("AlarmTypes");
    let action = call.input.text("ActionPrefix");
    let page = PAGING.of(call)?;
    let topic = topic(place);
    let rows = place.alarms.after(page.after).filter(|(_, alarm)| {
        (kinds.is_empty() || kinds.contains(&"MetricAlarm"))
            && (names.is_empty() || names.contains(&alarm.name.as_str()))
            && prefix.is_none_or(|prefix| alarm.name.starts_with(prefix))
            && state.is_none_or(|state| alarm.state == state)
            && action.is_none_or(|action| topic.starts_with(action))
    });
    let (rows, token) = page.take(call, rows);
    let shapes = shape::list(rows, |alarm| alarm_shape(place, alarm, &topic));
    Ok(Fields::new()
        .with("MetricAlarms", shapes)
        .with("CompositeAlarms", Shape::List(Vec::new()))
        .maybe("NextToken", token)
        .into())
}

fn topic(place: &Place) -> String {
    place.arn("sns", "oncall").to_string()
}

fn alarm_shape(place: &Place, alarm: &Alarm, topic: &str) -> Fields {
    Fields::new()
        .with("AlarmName", &alarm.name)
        .with("AlarmArn", place.arn("cloudwatch", &format!("alarm:{}", alarm.name)))
        .with("AlarmDescription", &alarm.description)
        .with("AlarmConfigurationUpdatedTimestamp", alarm.updated)
        .with("ActionsEnabled", alarm.actions_enabled)
        .with("OKActions", Shape::List(Vec::new()))
        .with("AlarmActions", vec![topic])
        .with("InsufficientDataActions", Shape::List(Vec::new()))
        .with("StateValue", alarm.state)
        .with("StateReason", &alarm.reason)
        .with("StateUpdatedTimestamp", alarm.since)
        .with("StateTransitionedTimestamp", alarm.since)
        .with("MetricName", &alarm.watch.metric)
        .with("Namespace", &alarm.watch.namespace)
        .with("Statistic", alarm.watch.statistic)
        .with(
            "Dimensions",
            shape::list(&alarm.dimensions, |(name, value)| {
                Fields::new().with("Name", *name).with("Value", value)
            }),
        )
        .with("Period", alarm.watch.period)
        .with("EvaluationPeriods", alarm.watch.evaluations)
        .with("DatapointsToAlarm", alarm.watch.datapoints)
        .with("Threshold", alarm.watch.threshold)
        .with("ComparisonOperator", alarm.watch.comparison)
        .with("TreatMissingData", alarm.watch.missing)
}
