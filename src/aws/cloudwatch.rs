//! CloudWatch: alarms, and the metrics of instances that somebody looks at.

use super::api::Api;
use super::call::{Desk, Pages, not_read_yet};
use crate::gateway::GatewayError;
use crate::model::{Alarm, InstanceId, Metrics};
use jiff::Timestamp;

/// Every metric and composite alarm.
pub(super) async fn alarms(desk: &Desk, _pages: &Pages) -> Result<Vec<Alarm>, GatewayError> {
    Err(not_read_yet(desk, Api::DescribeAlarms))
}

/// Metrics of these instances from a moment on.
pub(super) async fn metrics(
    desk: &Desk,
    _of: &[InstanceId],
    _since: Timestamp,
    _pages: &Pages,
) -> Result<Vec<Metrics>, GatewayError> {
    Err(not_read_yet(desk, Api::GetMetricData))
}
