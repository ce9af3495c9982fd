//! The region that an account's own configuration names.

use super::wire::Wire;
use crate::config::Login;
use crate::model::{AccountName, Region, Text, Trouble, TroubleKind};
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use jiff::Timestamp;

/// Looks where the AWS tools look, in their order: the environment, the profile, the machine.
/// With a profile of its own, the profile comes before the environment: it was named on purpose.
pub(super) async fn region(
    account: &AccountName,
    login: &Login,
    wire: &Wire,
    at: Timestamp,
) -> Result<Region, Trouble> {
    let environment = EnvironmentVariableRegionProvider::new();
    let machine =
        ImdsRegionProvider::builder().configure(&wire.providers(None)).imds_client(wire.imds()).build();
    let mut profile = ProfileFileRegionProvider::builder();
    let chain = match login {
        Login::Profile(name) | Login::Role { from: Some(name), .. } => {
            profile = profile.profile_name(name.as_str());
            RegionProviderChain::first_try(profile.build()).or_else(environment)
        }
        Login::Chain | Login::Role { from: None, .. } => {
            RegionProviderChain::first_try(environment).or_else(profile.build())
        }
    };
    match chain.or_else(machine).region().await {
        Some(region) => Ok(Region::new(region.as_ref())),
        None => Err(Trouble {
            kind: TroubleKind::NotFound,
            call: Text::const_new("region"),
            code: None,
            message: format!("nothing names a region for account {account}: not the environment, not its profile, not this machine"),
            hint: Some("name one: `--region us-east-1`, or `--region all`, or `regions = [\"us-east-1\"]` in coredeck.toml, or `export AWS_REGION=us-east-1`".to_owned()),
            request_id: None,
            at,
        }),
    }
}
