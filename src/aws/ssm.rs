//! Systems Manager: managed instances, and the registry of cores and tenants in Parameter Store.

use super::api::Api;
use super::call::{Desk, Pages, not_read_yet};
use crate::gateway::{GatewayError, Reading};
use crate::model::Agent;

/// Every managed instance.
pub(super) async fn agents(desk: &Desk, _pages: &Pages) -> Result<Vec<Agent>, GatewayError> {
    Err(not_read_yet(desk, Api::DescribeInstanceInformation))
}

/// Cores and tenants under this path, `/coredeck/<fleet>/`; always a `Reading::Registry`.
pub(super) async fn registry(desk: &Desk, _path: &str, _pages: &Pages) -> Result<Reading, GatewayError> {
    Err(not_read_yet(desk, Api::GetParametersByPath))
}
