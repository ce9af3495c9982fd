//! Load balancing: target groups, the health of their targets, listener rules.

use super::api::Api;
use super::call::{Desk, Pages, not_read_yet};
use crate::gateway::GatewayError;
use crate::model::{Rule, Target, TargetGroup, TargetGroupArn};

/// Every target group.
pub(super) async fn target_groups(desk: &Desk, _pages: &Pages) -> Result<Vec<TargetGroup>, GatewayError> {
    Err(not_read_yet(desk, Api::DescribeTargetGroups))
}

/// Health of the targets of these groups.
pub(super) async fn targets(
    desk: &Desk,
    _groups: &[TargetGroupArn],
    _pages: &Pages,
) -> Result<Vec<Target>, GatewayError> {
    Err(not_read_yet(desk, Api::DescribeTargetHealth))
}

/// Every rule of every listener of every load balancer.
pub(super) async fn rules(desk: &Desk, _pages: &Pages) -> Result<Vec<Rule>, GatewayError> {
    Err(not_read_yet(desk, Api::DescribeLoadBalancers))
}
