//! Which regions an account has switched on.

use super::api::Api;
use super::call::Desk;
use crate::gateway::GatewayError;
use crate::model::{Region, TroubleKind};

/// Regions that need no opting in, or were opted into, sorted by name.
pub(super) async fn enabled(desk: &Desk) -> Result<Vec<Region>, GatewayError> {
    let api = Api::DescribeRegions;
    let answer = desk.call(api, || desk.ec2().describe_regions().all_regions(false).send()).await?;
    let mut regions: Vec<Region> = answer
        .regions
        .unwrap_or_default()
        .into_iter()
        // Not every stand-in for AWS honours `AllRegions`.
        .filter(|region| region.opt_in_status.as_deref() != Some("not-opted-in"))
        .filter_map(|region| region.region_name)
        .filter(|name| !name.is_empty())
        .map(Region::from)
        .collect();
    regions.sort();
    regions.dedup();
    if regions.is_empty() {
        return Err(desk.trouble(api, TroubleKind::Garbled, "the answer names no region").into());
    }
    Ok(regions)
}
