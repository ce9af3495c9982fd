//! How requests travel: one HTTP client for everybody, connect timeouts, retries, and where AWS is.

use super::session::Session;
use crate::error::Error;
use crate::model::Region;
use crate::model::text::harmless;
use aws_config::imds;
#[expect(deprecated, reason = "the loader takes them under no other name that this crate can see")]
use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, ConnectorBuilder, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::os_shim_internal::Env;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long a connection may take to come about.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// More attempts than this only hold up the answer: the deadline of a request ends them anyway.
const MOST_ATTEMPTS: u32 = 10;

/// How a request is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retries {
    /// Attempts, the first included.
    pub(super) attempts: u32,
    /// The longest pause before the second attempt; later ones may be longer.
    pub(super) first_pause: Duration,
    /// Whether a client also slows down by itself once it is throttled: the SDK's adaptive mode.
    pub(super) is_adaptive: bool,
}

impl Default for Retries {
    fn default() -> Self {
        Self { attempts: 3, first_pause: Duration::from_secs(1), is_adaptive: false }
    }
}

impl Retries {
    /// As the SDK's environment variables say, `AWS_MAX_ATTEMPTS` (held to ten) and `AWS_RETRY_MODE`; without
    /// them three attempts in standard mode. `legacy`, which other SDKs know, means standard too.
    ///
    /// # Errors
    ///
    /// A value that means nothing, which the SDK itself would panic about.
    pub(super) fn of(env: &Env) -> Result<Self, Error> {
        let own = |key: &str| env.get(key).ok().map(|value| value.trim().to_owned());
        let own = |key: &str| own(key).filter(|value| !value.is_empty());
        let mut retries = Self::default();
        if let Some(text) = own("AWS_MAX_ATTEMPTS") {
            let attempts = text.parse::<u32>().ok().filter(|attempts| *attempts > 0);
            let attempts = attempts.ok_or_else(|| {
                Error::usage(format!("AWS_MAX_ATTEMPTS is {}, which is no number from 1 on", harmless(&text)))
                    .hint("export AWS_MAX_ATTEMPTS=3, or unset it")
            })?;
            retries.attempts = attempts.min(MOST_ATTEMPTS);
            if attempts > MOST_ATTEMPTS {
                tracing::warn!(attempts, most = MOST_ATTEMPTS, "AWS_MAX_ATTEMPTS is held to its bound");
            }
        }
        if let Some(mode) = own("AWS_RETRY_MODE") {
            retries.is_adaptive = match mode.to_lowercase().as_str() {
                "standard" | "legacy" => false,
                "adaptive" => true,
                _ => {
                    let said = format!("AWS_RETRY_MODE is {}, which is no mode", harmless(&mode));
                    return Err(Error::usage(said).hint("it is standard or adaptive"));
                }
            };
        }
        Ok(retries)
    }

    fn config(self) -> RetryConfig {
        let mode = if self.is_adaptive { RetryConfig::adaptive() } else { RetryConfig::standard() };
        mode.with_max_attempts(self.attempts).with_initial_backoff(self.first_pause)
    }
}

/// How long the metadata service of an EC2 instance may take to connect, and to answer.
const IMDS_WITHIN: Duration = Duration::from_secs(1);

/// The region for requests that belong to none, such as who we are.
const ANY_REGION: &str = "us-east-1";

/// What every client of the session shares.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    http: SharedHttpClient,
    /// Past every proxy: for what this machine alone can see.
    direct: SharedHttpClient,
    endpoint: Option<String>,
    retries: Retries,
    /// Whether no setting of this process or of its user counts.
    is_alone: bool,
}

impl Wire {
    /// A wire to AWS, or to what stands in for all of it at `endpoint`.
    pub(super) fn new(endpoint: Option<String>) -> Self {
        let is_near = endpoint.as_deref().is_some_and(is_loopback);
        let proxy = if is_near { ProxyConfig::disabled() } else { ProxyConfig::from_env() };
        Self {
            http: client(proxy),
            direct: client(ProxyConfig::disabled()),
            endpoint,
            retries: Retries::default(),
            is_alone: false,
        }
    }

    /// The same, deaf to the environment of this process and to the AWS files of its user: what stands
    /// there may lead to real accounts.
    pub(super) fn alone(self) -> Self {
        Self { http: self.direct.clone(), is_alone: true, ..self }
    }

    /// Tells whether nothing of this process and its user counts.
    pub(super) fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// The same with other retries.
    pub(super) fn retrying(self, retries: Retries) -> Self {
        Self { retries, ..self }
    }

    /// What the clients of one account in one region are made from.
    pub(super) async fn config(
        &self,
        profile: Option<&str>,
        region: &Region,
        session: Arc<Session>,
    ) -> SdkConfig {
        self.loader(profile, region)
            .credentials_provider(SharedCredentialsProvider::new(Shared(session)))
            .load()
            .await
    }

    /// The same without a session: for the requests that get credentials.
    pub(super) async fn bare_config(&self, profile: Option<&str>, region: Option<&Region>) -> SdkConfig {
        let anywhere = Region::new(ANY_REGION);
        self.loader(profile, region.unwrap_or(&anywhere)).no_credentials().load().await
    }

    fn loader(&self, profile: Option<&str>, region: &Region) -> aws_config::ConfigLoader {
        let mut loader = aws_config::defaults(aws_config::BehaviorVersion::latest())
            .region(aws_types::region::Region::new(region.as_str().to_owned()))
            .http_client(self.http.clone())
            .identity_cache(aws_config::identity::IdentityCache::no_cache())
            .retry_config(self.retries.config())
            .timeout_config(timeouts());
        if let Ok(name) = AppName::new("coredeck") {
            loader = loader.app_name(name);
        }
        if self.is_alone {
            loader = loader.empty_test_environment().profile_files(no_files());
        }
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = &self.endpoint {
            // FIPS and dual stack choose among AWS's own addresses; with another address the SDK refuses them.
            loader = loader.endpoint_url(endpoint).use_fips(false).use_dual_stack(false);
        }
        loader
    }

    /// A region for a request that any region would answer.
    pub(super) fn region_or_any(&self, region: Option<&Region>) -> String {
        region.map_or(ANY_REGION, Region::as_str).to_owned()
    }

    /// What the SDK's own providers are made from.
    pub(super) fn providers(&self, region: Option<&Region>) -> ProviderConfig {
        let region = self.region_or_any(region);
        ProviderConfig::without_region()
            .with_region(Some(aws_types::region::Region::new(region)))
            .with_http_client(self.http.clone())
            .with_retry_config(self.retries.config())
            .with_timeout_config(timeouts())
    }

    /// The metadata service of an EC2 instance. One attempt and one second: where there is none, nobody
    /// shall wait for it.
    pub(super) fn imds(&self) -> imds::Client {
        imds::Client::builder()
            .max_attempts(1)
            .connect_timeout(IMDS_WITHIN)
            .read_timeout(IMDS_WITHIN)
            .operation_timeout(IMDS_WITHIN * 2)
            .operation_attempt_timeout(IMDS_WITHIN * 2)
            .configure(&self.providers(None).with_http_client(self.direct.clone()))
            .build()
    }
}

/// AWS files in which nothing stands.
#[expect(deprecated, reason = "the loader takes them under no other name that this crate can see")]
fn no_files() -> ProfileFiles {
    ProfileFiles::builder()
        .with_contents(ProfileFileKind::Config, "")
        .with_contents(ProfileFileKind::Credentials, "")
        .build()
}

/// How long a connection waits for the next request. Pages of a list come one after the other; until the list is read
/// again, half a minute at least, each connection would hold the memory of the largest answer that came through it.
const IDLE_FOR: Duration = Duration::from_secs(5);

/// One pool of connections, made the SDK's own way; the SDK itself would make one for each client.
fn client(proxy: ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = ConnectorBuilder::default()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
            .proxy_config(proxy.clone())
            .pool_idle_timeout(IDLE_FOR);
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    })
}

/// Tells whether an endpoint is on this machine, where no proxy has any business.
fn is_loopback(url: &str) -> bool {
    let Some(host) = host(url) else { return false };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The host of a URL, without port and brackets.
fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next()?,
        None => authority.split(':').next()?,
    };
    Some(host).filter(|host| !host.is_empty())
}

/// Refuses an endpoint that no request could go to, before the SDK refuses each request for it.
pub(super) fn check(url: &str) -> Result<(), Error> {
    if host(url).is_none() || url.contains(char::is_whitespace) {
        let shown = harmless(url);
        return Err(Error::usage(format!("{shown} is not the URL of an endpoint"))
            .hint("write it as http://127.0.0.1:5000"));
    }
    Ok(())
}

/// The deadline of a whole request is `call`'s; the SDK only guards the connection.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_WITHIN).build()
}

/// A session as the SDK wants to hold it.
#[derive(Debug)]
struct Shared(Arc<Session>);

impl aws_credential_types::provider::ProvideCredentials for Shared {
    fn provide_credentials<'a>(&'a self) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.0.provide_credentials()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::fixed;
    use super::{Retries, Wire, check, is_loopback};
    use crate::model::Region;
    use aws_config::retry::RetryMode;
    use aws_types::SdkConfig;
    use aws_types::os_shim_internal::Env;
    use aws_types::service_config::ServiceConfigKey;

    async fn config(wire: Wire) -> SdkConfig {
        wire.config(None, &Region::new("eu-west-1"), fixed()).await
    }

    #[tokio::test]
    async fn a_wire_that_is_alone_hears_nothing_of_the_process_s_environment() {
        // A variable that every test run has, in the place of those that name endpoints.
        let key = ServiceConfigKey::builder().service_id("any").env("PATH").profile("any").build().unwrap();
        let found = |config: &SdkConfig| config.service_config().unwrap().load_config(key.clone());
        let url = || Some("http://127.0.0.1:1".to_owned());
        assert!(found(&config(Wire::new(url())).await).is_some(), "otherwise this test proves nothing");
        let alone = config(Wire::new(url()).alone()).await;
        assert_eq!(found(&alone), None);
        assert_eq!(alone.endpoint_url(), Some("http://127.0.0.1:1"));
    }

    #[tokio::test]
    async fn the_variables_for_retries_hold_within_bounds() {
        let of = |pairs: &[(&str, &str)]| Retries::of(&Env::from_slice(pairs));
        let made = async |pairs: &[(&str, &str)]| {
            let made = config(Wire::new(None).alone().retrying(of(pairs).unwrap())).await;
            let retries = made.retry_config().unwrap();
            (retries.max_attempts(), retries.mode())
        };
        assert_eq!(made(&[]).await, (3, RetryMode::Standard));
        assert_eq!(made(&[("AWS_MAX_ATTEMPTS", "1")]).await, (1, RetryMode::Standard));
        assert_eq!(made(&[("AWS_MAX_ATTEMPTS", " 900 ")]).await, (10, RetryMode::Standard));
        let asked = [("AWS_MAX_ATTEMPTS", "5"), ("AWS_RETRY_MODE", "Adaptive")];
        assert_eq!(made(&asked).await, (5, RetryMode::Adaptive));
        assert_eq!(made(&[("AWS_RETRY_MODE", "legacy")]).await, (3, RetryMode::Standard));
        for bad in [("AWS_MAX_ATTEMPTS", "0"), ("AWS_MAX_ATTEMPTS", "many"), ("AWS_RETRY_MODE", "bold")] {
            let error = of(&[bad]).unwrap_err();
            assert!(error.to_string().contains(bad.0) && !error.hints.is_empty(), "{error}");
        }
    }

    #[test]
    fn an_endpoint_is_a_url_with_a_host() {
        for good in ["http://127.0.0.1:5000", "https://ec2.example.com/path", "http://[::1]:1"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["127.0.0.1:5000", "http://", "ftp://host", "http://a b", ""] {
            let error = check(bad).unwrap_err();
            assert_eq!(error.hints, ["write it as http://127.0.0.1:5000"], "{bad}");
        }
    }

    #[test]
    fn this_machine_is_known_by_every_name() {
        for near in ["http://127.0.0.1:1", "http://localhost", "https://[::1]:8443/x", "http://127.8.9.1"] {
            assert!(is_loopback(near), "{near}");
        }
        for far in ["http://10.0.0.1:1", "https://localhost.example.com", "nonsense"] {
            assert!(!is_loopback(far), "{far}");
        }
    }
}
