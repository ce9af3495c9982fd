//! ECS: clusters, services, tasks, container instances.

use super::api::Api;
use super::call::{Desk, Pages, not_read_yet};
use crate::gateway::GatewayError;
use crate::model::{Cluster, ClusterArn, Host, Service, Task};

/// Every cluster with its capacity providers.
pub(super) async fn clusters(desk: &Desk, _pages: &Pages) -> Result<Vec<Cluster>, GatewayError> {
    Err(not_read_yet(desk, Api::ListClusters))
}

/// Every service of these clusters, with deployments and events.
pub(super) async fn services(
    desk: &Desk,
    _clusters: &[ClusterArn],
    _pages: &Pages,
) -> Result<Vec<Service>, GatewayError> {
    Err(not_read_yet(desk, Api::ListServices))
}

/// Every running and stopping task of these clusters.
pub(super) async fn tasks(
    desk: &Desk,
    _clusters: &[ClusterArn],
    _pages: &Pages,
) -> Result<Vec<Task>, GatewayError> {
    Err(not_read_yet(desk, Api::ListTasks))
}

/// Every container instance of these clusters.
pub(super) async fn hosts(
    desk: &Desk,
    _clusters: &[ClusterArn],
    _pages: &Pages,
) -> Result<Vec<Host>, GatewayError> {
    Err(not_read_yet(desk, Api::ListContainerInstances))
}
