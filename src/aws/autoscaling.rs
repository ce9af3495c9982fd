//! Auto Scaling: groups, instance refreshes, scaling activities.

use super::api::Api;
use super::call::{Desk, Pages, not_read_yet};
use crate::gateway::GatewayError;
use crate::model::{Activity, Group, GroupName, Refresh};

/// Every group with its members.
pub(super) async fn groups(desk: &Desk, _pages: &Pages) -> Result<Vec<Group>, GatewayError> {
    Err(not_read_yet(desk, Api::DescribeAutoScalingGroups))
}

/// Refreshes of these groups, newest first within a group.
pub(super) async fn refreshes(
    desk: &Desk,
    _groups: &[GroupName],
    _pages: &Pages,
) -> Result<Vec<Refresh>, GatewayError> {
    Err(not_read_yet(desk, Api::DescribeInstanceRefreshes))
}

/// Recent activities of these groups, newest first within a group.
pub(super) async fn activities(
    desk: &Desk,
    _groups: &[GroupName],
    _pages: &Pages,
) -> Result<Vec<Activity>, GatewayError> {
    Err(not_read_yet(desk, Api::DescribeScalingActivities))
}
