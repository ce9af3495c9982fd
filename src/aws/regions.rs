//! Which regions an account is looked at in: the one its chain names, or all that it has switched on.

use super::api::Api;
use super::call::Desk;
use super::chain::Gear;
use super::ladder::Base;
use super::login::Failure;
use crate::config::{Login, Regions};
use crate::gateway::GatewayError;
use crate::model::{Region, TroubleKind};
use aws_config::imds::region::ImdsRegionProvider;
use aws_types::os_shim_internal::Env;

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

/// The first region that the configuration names, if it names any.
pub(super) fn first_named(regions: &Regions) -> Option<Region> {
    match regions {
        Regions::Named(named) => named.first().cloned(),
        Regions::Chain | Regions::All => None,
    }
}

/// The region of the environment.
pub(super) fn of_environment(env: &Env) -> Option<Region> {
    let own = |key: &str| env.get(key).ok().filter(|name| !name.trim().is_empty());
    own("AWS_REGION").or_else(|| own("AWS_DEFAULT_REGION")).map(|name| Region::new(name.trim()))
}

/// The region that the SDK's chain names: environment, profile, and on EC2 the instance itself.
pub(super) async fn of_chain(gear: &Gear, login: &Login) -> Result<Region, Failure> {
    if let Some(region) = of_environment(&gear.env) {
        return Ok(region);
    }
    let ladder = gear.ladder(login).await?;
    if let Some(region) = ladder.region {
        return Ok(Region::from(region));
    }
    if matches!(ladder.base, Base::Chain | Base::Instance) {
        let own = ImdsRegionProvider::builder().imds_client(gear.wire.imds()).build();
        if let Some(region) = own.region().await {
            return Ok(Region::new(region.as_ref()));
        }
    }
    let (whose, name) = match login {
        Login::Profile(name) | Login::Role { from: Some(name), .. } => {
            (format!("profile {name}"), name.to_string())
        }
        _ => ("the default profile".to_owned(), "default".to_owned()),
    };
    Err(Failure::new(
        TroubleKind::Other,
        format!("no region: neither AWS_REGION nor {whose} names one"),
        format!("coredeck --region eu-west-1, or aws configure set region eu-west-1 --profile {name}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::of_environment;
    use crate::model::Region;
    use aws_types::os_shim_internal::Env;

    #[test]
    fn the_environment_names_a_region_in_two_ways_and_blanks_do_not_count() {
        let env = Env::from_slice(&[("AWS_REGION", " "), ("AWS_DEFAULT_REGION", "eu-west-1")]);
        assert_eq!(of_environment(&env), Some(Region::new("eu-west-1")));
        let env = Env::from_slice(&[("AWS_REGION", "us-east-2"), ("AWS_DEFAULT_REGION", "eu-west-1")]);
        assert_eq!(of_environment(&env), Some(Region::new("us-east-2")));
        assert_eq!(of_environment(&Env::from_slice(&[])), None);
    }
}
