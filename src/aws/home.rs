//! The region that an account's own configuration names.

use super::chain::Gear;
use super::ladder::Base;
use super::login::Failure;
use crate::config::{Login, Regions};
use crate::model::{AccountName, Region, TroubleKind};
use aws_config::imds::region::ImdsRegionProvider;
use aws_types::os_shim_internal::Env;

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

/// Looks where the AWS tools look, in their order: the environment, the profile, the machine.
/// With a profile of its own, the profile comes before the environment: it was named on purpose.
pub(super) async fn region(account: &AccountName, login: &Login, gear: &Gear) -> Result<Region, Failure> {
    let ladder = gear.ladder(login).await;
    let of_profile = ladder.as_ref().ok().and_then(|ladder| ladder.region.as_deref()).map(Region::new);
    let of_environment = of_environment(&gear.env);
    let named = match login {
        Login::Profile(_) | Login::Role { from: Some(_), .. } => of_profile.or(of_environment),
        Login::Chain | Login::Role { from: None, .. } => of_environment.or(of_profile),
    };
    if let Some(region) = named {
        return Ok(region);
    }
    // A profile that does not exist is the better thing to say.
    let ladder = ladder?;
    if matches!(ladder.base, Base::Chain | Base::Instance) && !gear.wire.is_alone() {
        let machine = ImdsRegionProvider::builder()
            .configure(&gear.wire.providers(None))
            .imds_client(gear.wire.imds())
            .build();
        if let Some(region) = machine.region().await {
            return Ok(Region::new(region.as_ref()));
        }
    }
    Err(Failure::new(
        TroubleKind::NotFound,
        format!(
            "nothing names a region for account {account}: not the environment, not its profile, not this machine"
        ),
        "name one: `--region us-east-1`, or `--region all`, or `regions = [\"us-east-1\"]` in coredeck.toml, \
         or `export AWS_REGION=us-east-1`",
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
