//! EC2: instances, their status, launch templates and images.

use super::api::Api;
use super::call::{Desk, Pages, not_read_yet};
use crate::gateway::GatewayError;
use crate::model::{Image, ImageId, Instance, InstanceStatus, Template, TemplateRef};
use std::sync::Arc;

/// Every instance of every reservation.
pub(super) async fn instances(desk: &Desk, _pages: &Pages) -> Result<Vec<Arc<Instance>>, GatewayError> {
    Err(not_read_yet(desk, Api::DescribeInstances))
}

/// Status checks and scheduled events of all instances.
pub(super) async fn statuses(desk: &Desk, _pages: &Pages) -> Result<Vec<InstanceStatus>, GatewayError> {
    Err(not_read_yet(desk, Api::DescribeInstanceStatus))
}

/// All launch templates, with their default and latest versions and those that are named.
pub(super) async fn templates(
    desk: &Desk,
    _used: &[TemplateRef],
    _pages: &Pages,
) -> Result<Vec<Template>, GatewayError> {
    Err(not_read_yet(desk, Api::DescribeLaunchTemplates))
}

/// These images; one that is gone has no state.
pub(super) async fn images(
    desk: &Desk,
    _ids: &[ImageId],
    _pages: &Pages,
) -> Result<Vec<Image>, GatewayError> {
    Err(not_read_yet(desk, Api::DescribeImages))
}
