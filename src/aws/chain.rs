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
use super::places::Places;
use super::record::{self, Open, Origin};
use super::session::Finder;
use super::wire::Wire;
use crate::clock::Clock;
use crate::config::Login;
use crate::gateway::Outcome;
use crate::model::{AccountName, Region, Scope, Text, Trouble, TroubleKind, Usd};
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_types::os_shim_internal::{Env, Fs};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// What went wrong when a code could still be asked for: no terminal, a wrong code. It stays the
    /// answer until the account was entered in some other way.
    at_start: Arc<Mutex<Option<Failure>>>,
}

impl Chain {
    /// A finder for this account.
    pub(super) fn new(account: AccountName, login: Login, region: Option<Region>, gear: Gear) -> Self {
        Self { account, login, region, gear, renewal: Arc::default(), at_start: Arc::default() }
    }

    async fn climb(&self) -> Result<Credentials, Failure> {
        let ladder = self.gear.ladder(&self.login).await?;
        *locked(&self.renewal) = ladder.renewal();
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
            Base::Chain if wire.is_alone() => {
                let none = CredentialsError::not_loaded("nothing of this machine is looked at");
                return Err(login::explain(&none, ladder, &self.gear.env));
            }
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
            Base::Environment => return keys_of(&self.gear.env),
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
        // A role of our own configuration follows the settings of the profile that it stands on.
        let profile = rung.profile.as_deref().or(match &self.login {
            Login::Profile(name) | Login::Role { from: Some(name), .. } => Some(name.as_str()),
            Login::Chain | Login::Role { from: None, .. } => None,
        });
        let config = self.gear.wire.bare_config(profile, region).await;
        let places = Arc::new(Places::default());
        let builder = aws_sdk_sts::config::Builder::from(&config).credentials_provider(from).interceptor(
            Counting::alone(Arc::clone(&self.gear.ledger), Arc::clone(&places), self.gear.clock),
        );
        let client = aws_sdk_sts::Client::from_conf(builder.build());
        let request = client
            .assume_role()
            .role_arn(&rung.arn)
            .role_session_name(rung.session_name.clone().unwrap_or_else(|| session_name(&self.gear.env)))
            .set_external_id(rung.external_id.clone())
            .set_duration_seconds(rung.duration_s)
            .set_serial_number(rung.mfa_serial.clone())
            .set_token_code(code);
        let api = Api::AssumeRole;
        let around = || Circumstances {
            at: self.gear.clock.now(),
            address: places.of(api),
            account: self.account.clone(),
            region: Region::new(self.gear.wire.region_or_any(region)),
            endpoint: config.endpoint_url().map(str::to_owned),
            renewal: ladder.renewal(),
        };
        let region = Region::new(self.gear.wire.region_or_any(region));
        let origin = Origin {
            scope: Arc::new(Scope { account: self.account.clone(), region: region.clone() }),
            login: record::login_of(&self.login),
            // A role of our own configuration is assumed by the profile that it names; the aws command has
            // no name for what stands between two roles of a profile.
            profile: rung.profile.is_none().then(|| profile.map(Text::new)).flatten(),
            endpoint: config.endpoint_url().map(str::to_owned),
        };
        let open = Open::new(api, &origin, &self.gear.ledger, self.gear.clock);
        let sent = Box::pin(open.slip.around(request.send()));
        let trouble = match tokio::time::timeout(STEP_WITHIN, sent).await {
            Ok(Ok(answer)) => {
                open.end(Outcome::Answered, api.price());
                return given(answer.credentials, rung);
            }
            Ok(Err(error)) => errors::trouble(api, &error, &around()),
            Err(_) => errors::timeout(api, STEP_WITHIN, &around()),
        };
        open.end(Outcome::Failed(trouble.kind, trouble.code.clone()), Usd::ZERO);
        Err(self.refused(trouble, rung))
    }

    fn refused(&self, trouble: Trouble, rung: &Rung) -> Failure {
        self.gear.ledger.failed(trouble.kind);
        login::not_assumed(trouble, rung)
    }

    async fn code(&self, rung: &Rung, device: &str) -> Result<String, Failure> {
        if !self.gear.may_ask.load(Ordering::Relaxed) {
            let at_start = locked(&self.at_start).clone();
            return Err(at_start.unwrap_or_else(|| login::needs_code(rung, None)));
        }
        let question =
            Question { account: self.account.to_string(), role: rung.arn.clone(), device: device.to_owned() };
        let asker = self.gear.asker.lock().await;
        asker.ask(&question).await.map_err(|error| login::needs_code(rung, Some(&error)))
    }
}

impl Finder for Chain {
    fn find(&self) -> BoxFuture<'static, Result<Credentials, Failure>> {
        let chain = self.clone();
        async move {
            let found = chain.climb().await;
            match &found {
                Ok(_) => *locked(&chain.at_start) = None,
                Err(failure) if chain.gear.may_ask.load(Ordering::Relaxed) => {
                    *locked(&chain.at_start) = Some(failure.clone());
                }
                Err(_) => {}
            }
            found
        }
        .boxed()
    }

    fn renewal(&self) -> String {
        locked(&self.renewal).clone()
    }
}

/// The keys of the environment, under the names that all AWS tools read.
fn keys_of(env: &Env) -> Result<Credentials, Failure> {
    let own =
        |key: &str| env.get(key).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let secret = own("AWS_SECRET_ACCESS_KEY").or_else(|| own("SECRET_ACCESS_KEY"));
    match (own("AWS_ACCESS_KEY_ID"), secret) {
        (Some(id), Some(secret)) => {
            Ok(Credentials::new(id, secret, own("AWS_SESSION_TOKEN"), None, "environment"))
        }
        (id, _) => {
            let missing = if id.is_none() { "AWS_ACCESS_KEY_ID" } else { "AWS_SECRET_ACCESS_KEY" };
            Err(Failure::new(
                TroubleKind::NoCredentials,
                format!("the environment is to give the keys, but {missing} is not set"),
                "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ))
        }
    }
}

/// The credentials of a role, as STS gave them.
fn given(found: Option<aws_sdk_sts::types::Credentials>, rung: &Rung) -> Result<Credentials, Failure> {
    let Some(given) = found else {
        let said = format!("STS gave no credentials for {}", rung.arn);
        return Err(Failure::new(TroubleKind::Garbled, said, "look at what answers for STS"));
    };
    let end = SystemTime::try_from(given.expiration).ok();
    let token = Some(given.session_token);
    Ok(Credentials::new(given.access_key_id, given.secret_access_key, token, end, "assume role"))
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
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
    use super::super::fake::{Fake, Say};
    use super::super::mfa::{AskCode, Nobody, Question};
    use super::super::session::Session;
    use super::super::wire::{Retries, Wire};
    use super::{Chain, Gear, keys_of, session_name};
    use crate::clock::Clock;
    use crate::config::Login;
    use crate::model::{AccountName, ProfileName, TroubleKind};
    use aws_types::os_shim_internal::{Env, Fs};
    use futures::FutureExt;
    use futures::future::BoxFuture;
    use std::io;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    const CONFIG: &str = "
[profile base]
aws_access_key_id = BASE
aws_secret_access_key = secret
[profile jump]
role_arn = arn:aws:iam::111111111111:role/Jump
source_profile = base
external_id = door
[profile prod]
role_arn = arn:aws:iam::222222222222:role/Ops
source_profile = jump
mfa_serial = arn:aws:iam::111111111111:mfa/ada
";

    /// Gives one code and notes what it was asked.
    #[derive(Debug, Default)]
    struct Ada(Mutex<Vec<Question>>);

    impl AskCode for Ada {
        fn ask(&self, question: &Question) -> BoxFuture<'static, io::Result<String>> {
            self.0.lock().unwrap().push(question.clone());
            async { Ok("123456".to_owned()) }.boxed()
        }
    }

    fn write(home: &Path, config: &str) {
        std::fs::create_dir_all(home.join(".aws")).unwrap();
        std::fs::write(home.join(".aws/config"), config).unwrap();
    }

    fn gear(home: &Path, fake: &Fake, ada: &Arc<Ada>) -> Gear {
        let retries = Retries { attempts: 1, first_pause: Duration::from_millis(1), is_adaptive: false };
        let asker: Arc<dyn AskCode> = Arc::<Ada>::clone(ada);
        Gear {
            wire: Wire::new(Some(fake.url.clone())).retrying(retries),
            ledger: Arc::default(),
            clock: Clock::Fixed("2026-03-01T12:00:00Z".parse().unwrap()),
            asker: Arc::new(tokio::sync::Mutex::new(asker)),
            may_ask: Arc::new(AtomicBool::new(true)),
            env: Env::from_slice(&[("HOME", home.to_str().unwrap()), ("USER", "ada")]),
            fs: Fs::real(),
        }
    }

    fn session(profile: &str, gear: &Gear) -> Session {
        let login = Login::Profile(ProfileName::new(profile));
        let chain = Chain::new(AccountName::new("main"), login, None, gear.clone());
        Session::new(Arc::new(chain), gear.clock)
    }

    /// An STS that hands out a key named after the role.
    async fn sts() -> Fake {
        Fake::new(|request, _| {
            if request.contains("Credential=STALE/") {
                let said = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>over</Message></Error></ErrorResponse>";
                return Say::Whole(403, "text/xml", said.to_owned());
            }
            let role = if request.contains("role%2FJump") { "JUMP" } else { "OPS" };
            Say::Whole(
                200,
                "text/xml",
                format!(
                    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{role}</AccessKeyId>\
                     <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
                     <Expiration>2026-03-01T13:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
                ),
            )
        })
        .await
    }

    #[tokio::test]
    async fn climbs_role_by_role_with_external_id_and_code_at_our_own_endpoint() {
        let (home, fake, ada) = (tempfile::tempdir().unwrap(), sts().await, Arc::default());
        write(home.path(), CONFIG);
        let gear = gear(home.path(), &fake, &ada);
        let found = session("prod", &gear).credentials().await.unwrap();
        assert_eq!(found.access_key_id(), "OPS");
        let heard = fake.heard.lock().unwrap().clone();
        assert_eq!(heard.len(), 2);
        assert!(
            heard[0].contains("Credential=BASE/") && heard[0].contains("ExternalId=door"),
            "{}",
            heard[0]
        );
        assert!(heard[0].contains("RoleSessionName=coredeck-ada") && !heard[0].contains("TokenCode"));
        assert!(
            heard[1].contains("Credential=JUMP/") && heard[1].contains("TokenCode=123456"),
            "{}",
            heard[1]
        );
        assert!(heard[1].contains("SerialNumber=arn%3Aaws%3Aiam%3A%3A111111111111%3Amfa%2Fada"));
        assert!(heard[1].to_lowercase().contains("app/coredeck"), "the user agent names us");
        let asked = ada.0.lock().unwrap().clone();
        assert_eq!(asked.len(), 1);
        assert_eq!(
            (asked[0].account.as_str(), asked[0].role.as_str()),
            ("main", "arn:aws:iam::222222222222:role/Ops")
        );
        assert_eq!(gear.ledger.spending().calls, 2);
        // The newest first. Neither the code nor the keys that were given are on record.
        let calls = gear.ledger.latest();
        assert_eq!(calls.len(), 2);
        assert!(
            calls[0].command.contains("--role-arn arn:aws:iam::222222222222:role/Ops"),
            "{}",
            calls[0].command
        );
        assert!(
            calls[1].command.starts_with("aws sts assume-role --external-id REDACTED "),
            "{}",
            calls[1].command
        );
        for secret in ["123456", "door", "JUMP", "OPS"] {
            assert!(calls.iter().all(|call| !format!("{call:?}").contains(secret)), "{secret}: {calls:?}");
        }
    }

    #[tokio::test]
    async fn once_a_screen_is_open_nobody_is_asked_and_the_command_is_named() {
        let (home, fake, ada) = (tempfile::tempdir().unwrap(), sts().await, Arc::default());
        write(home.path(), CONFIG);
        let gear = gear(home.path(), &fake, &ada);
        gear.may_ask.store(false, Ordering::Relaxed);
        let failure = session("prod", &gear).credentials().await.unwrap_err();
        assert_eq!(failure.kind, TroubleKind::Expired);
        let hint = failure.hint.unwrap();
        assert!(hint.contains("aws sts get-caller-identity --profile prod"), "{hint}");
        assert!(ada.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn why_there_was_no_code_stays_the_answer_later() {
        let (home, fake, ada) = (tempfile::tempdir().unwrap(), sts().await, Arc::default());
        write(home.path(), CONFIG);
        let mut gear = gear(home.path(), &fake, &ada);
        let nobody: Arc<dyn AskCode> = Arc::new(Nobody);
        gear.asker = Arc::new(tokio::sync::Mutex::new(nobody));
        let session = session("prod", &gear);
        let first = session.credentials().await.unwrap_err();
        let said = "arn:aws:iam::222222222222:role/Ops needs an MFA code: there is no terminal to ask on";
        assert_eq!((first.kind, first.message.as_str()), (TroubleKind::NoCredentials, said));
        gear.may_ask.store(false, Ordering::Relaxed);
        assert_eq!(session.credentials().await.unwrap_err(), first);
    }

    #[tokio::test]
    async fn a_session_that_the_aws_command_opened_is_used_without_a_code() {
        let (home, fake, ada) = (tempfile::tempdir().unwrap(), sts().await, Arc::default());
        write(home.path(), CONFIG);
        let gear = gear(home.path(), &fake, &ada);
        gear.may_ask.store(false, Ordering::Relaxed);
        let session = session("prod", &gear);
        session.credentials().await.unwrap_err();
        std::fs::create_dir_all(home.path().join(".aws/cli/cache")).unwrap();
        let entry = r#"{"Credentials":{"AccessKeyId":"CLI","SecretAccessKey":"s","SessionToken":"t",
            "Expiration":"2026-03-01T13:00:00Z"},
            "AssumedRoleUser":{"Arn":"arn:aws:sts::222222222222:assumed-role/Ops/botocore"}}"#;
        std::fs::write(home.path().join(".aws/cli/cache/x.json"), entry).unwrap();
        assert_eq!(session.credentials().await.unwrap().access_key_id(), "CLI");
    }

    #[tokio::test]
    async fn keys_that_are_rewritten_in_the_file_are_read_anew() {
        let (home, fake, ada) = (tempfile::tempdir().unwrap(), sts().await, Arc::default());
        write(home.path(), &CONFIG.replace("BASE", "STALE"));
        let session = session("jump", &gear(home.path(), &fake, &ada));
        let failure = session.credentials().await.unwrap_err();
        assert_eq!(failure.kind, TroubleKind::Expired);
        assert!(
            failure.message.starts_with("cannot assume arn:aws:iam::111111111111:role/Jump: "),
            "{failure:?}"
        );
        assert!(failure.hint.unwrap().contains("aws configure --profile base"));
        write(home.path(), CONFIG);
        assert_eq!(session.credentials().await.unwrap().access_key_id(), "JUMP");
    }

    #[test]
    fn keys_of_the_environment_must_be_whole() {
        let keys = |vars: &[(&str, &str)]| keys_of(&Env::from_slice(vars));
        let found = keys(&[
            ("AWS_ACCESS_KEY_ID", " AKID "),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_SESSION_TOKEN", ""),
        ]);
        let found = found.unwrap();
        assert_eq!((found.access_key_id(), found.session_token()), ("AKID", None));
        let failure = keys(&[("AWS_ACCESS_KEY_ID", "AKID")]).unwrap_err();
        assert_eq!(
            failure.message,
            "the environment is to give the keys, but AWS_SECRET_ACCESS_KEY is not set"
        );
    }

    #[test]
    fn sessions_carry_the_users_name_in_the_letters_that_sts_allows() {
        assert_eq!(session_name(&Env::from_slice(&[("USER", "ada lovelace/ö")])), "coredeck-adalovelace");
        assert_eq!(session_name(&Env::from_slice(&[])), "coredeck");
    }
}
