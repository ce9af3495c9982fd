//! How requests travel: one HTTP client for everybody, connect timeouts, retries, and where AWS is.

use super::session::Session;
use crate::error::Error;
use crate::model::Region;
use aws_config::imds;
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
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long a connection may take to come about.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// How a request is tried again: the SDK's standard mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retries {
    /// Attempts, the first included.
    pub(super) attempts: u32,
    /// The longest pause before the second attempt; later ones may be longer.
    pub(super) first_pause: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { attempts: 3, first_pause: Duration::from_secs(1) }
    }
}

impl Retries {
    fn config(self) -> RetryConfig {
        RetryConfig::standard().with_max_attempts(self.attempts).with_initial_backoff(self.first_pause)
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
        }
    }

    /// The same with other retries.
    #[cfg(test)]
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

/// One pool of connections, made the SDK's own way; the SDK itself would make one for each client.
fn client(proxy: ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = ConnectorBuilder::default()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
            .proxy_config(proxy.clone());
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
        let shown = crate::model::text::harmless(url);
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
    use super::{check, is_loopback};

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
