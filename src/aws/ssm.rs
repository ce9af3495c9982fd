//! Systems Manager: managed instances, and the registry of cores and tenants in Parameter Store.

mod agents;
mod registry;

use super::api::Api;
use super::call::{Desk, Pages};
use crate::gateway::{GatewayError, Reading};
use crate::model::Agent;

/// The longest page of managed instances.
const AGENTS_PAGE: i32 = 50;

/// The longest page of parameters.
const PARAMETERS_PAGE: i32 = 10;

/// Every managed instance.
pub(super) async fn agents(desk: &Desk, pages: &Pages) -> Result<Vec<Agent>, GatewayError> {
    let request = |token| {
        desk.ssm().describe_instance_information().max_results(AGENTS_PAGE).set_next_token(token).send()
    };
    desk.pages_shown(
        Api::DescribeInstanceInformation,
        request,
        |page| {
            let agents = page.instance_information_list.unwrap_or_default();
            (agents.into_iter().map(agents::agent).collect(), page.next_token)
        },
        pages,
        Reading::Agents,
    )
    .await
    .map_err(|broken| broken.partial(Reading::Agents))
}

/// Cores and tenants under this path, `/coredeck/<fleet>/`; always a `Reading::Registry`.
/// Nothing is decrypted.
pub(super) async fn registry(desk: &Desk, path: &str, pages: &Pages) -> Result<Reading, GatewayError> {
    let path = registry::path(path);
    let request = |token| {
        let ask = desk.ssm().get_parameters_by_path().path(&path).recursive(true).with_decryption(false);
        ask.max_results(PARAMETERS_PAGE).set_next_token(token).send()
    };
    desk.pages_shown(
        Api::GetParametersByPath,
        request,
        |page| {
            let parameters = page.parameters.unwrap_or_default();
            (parameters.into_iter().map(|raw| registry::entry(raw, &path)).collect(), page.next_token)
        },
        pages,
        registry::reading,
    )
    .await
    .map(registry::reading)
    .map_err(|broken| broken.partial(registry::reading))
}
