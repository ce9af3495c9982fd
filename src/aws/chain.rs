//! Climbs an account's ladder: finds its first credentials and assumes its roles, from the files up, each
//! time anew. Nothing is kept between two climbs, so that no stale file or token can poison the next.

use super::api::Api;
use super::cached;
use super::errors::{self, Circumstances};
use super::home;
use super::ladder::{Base, Ladder, Rung};
use super::ledger::{Counting, Ledger};
use super::login::{self, Failure};
use super::mfa::{AskCode, Question};
use super::session::Finder;
use super::wire::Wire;
use crate::clock::Clock;
use crate::config::Login;
use crate::model::{AccountName, Region, TroubleKind};
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_types::os_shim_internal::{Env, Fs};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex as Turn;

/// How long one step of the climb may take: the base, or one role.
const STEP_WITHIN: Duration = Duration::from_secs(10);

/// What the climbs of all accounts share.
#[derive(Clone, Debug)]
pub(super) struct Gear {
    /// The network.
    pub(super) wire: Wire,
    /// What has been spent.
    pub(super) ledger: Arc<Ledger>,
    /// The time.
    pub(super) clock: Clock,
    /// Who is asked for codes, one question at a time.
    pub(super) asker: Arc<Turn<Arc<dyn AskCode>>>,
    /// Whether anybody may be asked now: not once a screen is open.
    pub(super) may_ask: Arc<AtomicBool>,
    /// The process environment.
    pub(super) env: Env,
    /// The file system.
    pub(super) fs: Fs,
}

impl Gear {
    /// The AWS configuration files as they stand now.
    pub(super) async fn profiles(&self) -> Result<ProfileSet, Failure> {
        aws_config::profile::load(&self.fs, &self.env, &Default::default(), None).await.map_err(|error| {
            Failure::new(
                TroubleKind::NoCredentials,
                format!("the AWS configuration files cannot be read: {}", errors::all_causes(&error)),
                "mend them, or name others with AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE",
            )
        })
    }

    /// The way into an account, as the files stand now.
    pub(super) async fn ladder(&self, login: &Login) -> Result<Ladder, Failure> {
        let is_set = |key: &str| self.env.get(key).is_ok_and(|value| !value.trim().is_empty());
        Ladder::of(login, &self.profiles().await?, is_set("AWS_ACCESS_KEY_ID"))
    }
}

/// Finds the credentials of one account as its configuration says.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    account: AccountName,
    login: Login,
    /// The region whose STS is asked; any other would answer too.
    region: Option<Region>,
    gear: Gear,
    renewal: Arc<Mutex<String>>,
}

impl Chain {
    /// A finder for this account.
    pub(super) fn new(account: AccountName, login: Login, region: Option<Region>, gear: Gear) -> Self {
        Self { account, login, region, gear, renewal: Arc::default() }
    }

    async fn climb(self) -> Result<Credentials, Failure> {
        let ladder = self.gear.ladder(&self.login).await?;
        *self.renewal.lock().unwrap_or_else(PoisonError::into_inner) = ladder.renewal();
        let region = self
            .region
            .clone()
            .or_else(|| home::of_environment(&self.gear.env))
            .or_else(|| ladder.region.as_deref().map(Region::new));
        // The last role that needs a code may have been entered already, by the aws command.
        let entered = ladder.rungs.iter().rposition(|rung| rung.mfa_serial.is_some()).and_then(|at| {
            let rung = ladder.rungs.get(at)?;
            let found = cached::role(&self.gear.env, &rung.arn, SystemTime::from(self.gear.clock.now()))?;
            Some((found, at + 1))
        });
        let (mut credentials, done) = match entered {
            Some(entered) => entered,
            None => (self.base(&ladder, region.as_ref()).await?, 0),
        };
        for rung in ladder.rungs.iter().skip(done) {
            credentials = self.assume(rung, credentials, region.as_ref(), &ladder).await?;
        }
        Ok(credentials)
    }

    async fn base(&self, ladder: &Ladder, region: Option<&Region>) -> Result<Credentials, Failure> {
        let wire = &self.gear.wire;
        let providers = wire.providers(region);
        let provider: Box<dyn ProvideCredentials> = match &ladder.base {
            Base::Chain => {
                let region = aws_types::region::Region::new(wire.region_or_any(region));
                let chain = DefaultCredentialsChain::builder()
                    .configure(providers)
                    .imds_client(wire.imds())
                    .region(region)
                    .build()
                    .await;
                Box::new(chain)
            }
            Base::Environment => Box::new(EnvironmentVariableCredentialsProvider::new()),
            Base::Instance => Box::new(ImdsCredentialsProvider::builder().imds_client(wire.imds()).build()),
            Base::Container => Box::new(EcsCredentialsProvider::builder().configure(&providers).build()),
            Base::Keys(profile) => return self.keys(profile).await,
            Base::Sso(profile)
            | Base::ConsoleLogin(profile)
            | Base::Process { profile, .. }
            | Base::WebIdentity(profile) => Box::new(
                ProfileFileCredentialsProvider::builder()
                    .configure(&providers)
                    .profile_name(profile.clone())
                    .build(),
            ),
        };
        let found = tokio::time::timeout(STEP_WITHIN, provider.provide_credentials()).await;
        match found {
            Ok(Ok(credentials)) => Ok(credentials),
            Ok(Err(error)) => Err(login::explain(&error, ladder, &self.gear.env)),
            Err(_) => {
                let said =
                    format!("no credentials for account {} within {} s", self.account, STEP_WITHIN.as_secs());
                Err(Failure::new(TroubleKind::Timeout, said, ladder.renewal()))
            }
        }
    }

    async fn keys(&self, name: &str) -> Result<Credentials, Failure> {
        let profiles = self.gear.profiles().await?;
        let own = |key: &str| profiles.get_profile(name).and_then(|profile| profile.get(key));
        let (Some(id), Some(secret)) = (own("aws_access_key_id"), own("aws_secret_access_key")) else {
            let said = format!("profile {name} has lost its keys");
            return Err(Failure::new(
                TroubleKind::NoCredentials,
                said,
                format!("aws configure --profile {name}"),
            ));
        };
        let token = own("aws_session_token").map(str::to_owned);
        Ok(Credentials::new(id, secret, token, None, "profile"))
    }

    async fn assume(
        &self,
        rung: &Rung,
        from: Credentials,
        region: Option<&Region>,
        ladder: &Ladder,
    ) -> Result<Credentials, Failure> {
        let code = match &rung.mfa_serial {
            Some(device) => Some(self.code(rung, device).await?),
            None => None,
        };
        let config = self.gear.wire.bare_config(None, region).await;
        let builder = aws_sdk_sts::config::Builder::from(&config)
            .credentials_provider(from)
            .interceptor(Counting::alone(Arc::clone(&self.gear.ledger)));
        let client = aws_sdk_sts::Client::from_conf(builder.build());
        let request = client
            .assume_role()
            .role_arn(&rung.arn)
            .role_session_name(rung.session_name.clone().unwrap_or_else(|| session_name(&self.gear.env)))
            .set_external_id(rung.external_id.clone())
            .set_duration_seconds(rung.duration_s)
            .set_serial_number(rung.mfa_serial.clone())
            .set_token_code(code);
        let around = Circumstances {
            at: self.gear.clock.now(),
            account: self.account.clone(),
            region: Region::new(self.gear.wire.region_or_any(region)),
            endpoint: config.endpoint_url().map(str::to_owned),
            renewal: ladder.renewal(),
        };
        let api = Api::AssumeRole;
        let answer = match tokio::time::timeout(STEP_WITHIN, Box::pin(request.send())).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(login::not_assumed(errors::trouble(api, &error, &around), rung)),
            Err(_) => return Err(login::not_assumed(errors::timeout(api, STEP_WITHIN, &around), rung)),
        };
        let Some(given) = answer.credentials else {
            let said = format!("STS gave no credentials for {}", rung.arn);
            return Err(Failure::new(TroubleKind::Garbled, said, "look at what answers for STS"));
        };
        let end = SystemTime::try_from(given.expiration).ok();
        Ok(Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            end,
            "assume role",
        ))
    }

    async fn code(&self, rung: &Rung, device: &str) -> Result<String, Failure> {
        if !self.gear.may_ask.load(Ordering::Relaxed) {
            return Err(login::needs_code(rung, None));
        }
        let question =
            Question { account: self.account.to_string(), role: rung.arn.clone(), device: device.to_owned() };
        let asker = self.gear.asker.lock().await;
        asker.ask(&question).await.map_err(|error| login::needs_code(rung, Some(&error)))
    }
}

impl Finder for Chain {
    fn find(&self) -> BoxFuture<'static, Result<Credentials, Failure>> {
        self.clone().climb().boxed()
    }

    fn renewal(&self) -> String {
        self.renewal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// `coredeck-<user>`, in the letters that STS allows.
fn session_name(env: &Env) -> String {
    let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|key| env.get(key).ok()).unwrap_or_default();
    let user: String =
        user.chars().filter(|c| c.is_ascii_alphanumeric() || "_=,.@-".contains(*c)).take(48).collect();
    if user.is_empty() { "coredeck".to_owned() } else { format!("coredeck-{user}") }
}

#[cfg(test)]
mod tests {
    use super::session_name;
    use aws_types::os_shim_internal::Env;

    #[test]
    fn sessions_carry_the_users_name_in_the_letters_that_sts_allows() {
        assert_eq!(session_name(&Env::from_slice(&[("USER", "ada lovelace/ö")])), "coredeck-adalovelace");
        assert_eq!(session_name(&Env::from_slice(&[])), "coredeck");
    }
}
