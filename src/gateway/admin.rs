//! What is asked of a SuperTokens core itself, and how it says no.
//!
//! A core chooses the customer by the Host header of a request, and serves its own base domain to hosts
//! that it does not know, without an error: every question names the domain it is meant for.

use super::change::{Receipt, WriteError};
use super::core::Sealing;
use crate::gateway::GatewayError;
use crate::model::admin::{App, Domain, Effective, Hello, Licence, Place, Put, TenantSetup, Traffic};
use crate::model::{CoreId, Imports, Migration, Scope, Sealed, Setting, Text};
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How to reach a core: where it listens, and with which key.
#[derive(Clone, Debug, PartialEq)]
pub struct Door {
    /// `http://10.0.1.5:3567`, with the core's base path if it has one.
    pub address: String,
    /// The API key, or the secret of a shared core, which goes the same way; none where the core has none.
    pub key: Option<Sealed>,
}

/// A core to be visited.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Visit {
    /// Which.
    pub core: CoreId,
    /// Where it listens: `http://10.0.1.5:3567`.
    pub address: String,
    /// The name of the SecureString that holds its key; none where it has none.
    pub key_parameter: Option<Text>,
}

/// Reads secrets of the Parameter Store by name.
pub trait Secrets: Send + Sync {
    /// The values of these SecureStrings, decrypted; `NAME:VERSION` means that version. One that is not there, or is
    /// no SecureString, is missing.
    fn secrets(
        &self,
        scope: &Scope,
        names: Vec<Text>,
    ) -> BoxFuture<'_, Result<BTreeMap<Text, Sealed>, GatewayError>>;
}

/// Writes secrets into the Parameter Store.
pub trait Seals: Send + Sync {
    /// Writes one version of a SecureString, with the account's own key. One request, whatever happens to it.
    ///
    /// # Errors
    ///
    /// [`WriteError`] says whether nothing left, AWS said no, or nobody knows.
    fn seal<'a>(
        &'a self,
        scope: &'a Scope,
        sealing: &'a Sealing,
        value: &'a Sealed,
    ) -> BoxFuture<'a, Result<Receipt, WriteError>>;
}

/// How a core's answer was not an answer. The texts of a core's database troubles name hosts and users:
/// they are read and never kept.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs)] // Each one's text says what it is.
pub enum AdminError {
    #[error("the core cannot be reached: {why}")]
    Unreachable { why: String },
    #[error("the connection broke off: {why}")]
    Broken { why: String },
    #[error("no answer within {} s", after.as_secs())]
    TimedOut { after: Duration },
    #[error("the answer is not a core's: {what}")]
    Garbled { what: String },
    #[error("the core does not take this API key")]
    WrongKey,
    #[error("the licence of the core's base app lacks {feature}")]
    NoLicence { feature: Text },
    #[error("its rules about addresses (ip_allow_regex, ip_deny_regex) do not let this one in")]
    AddressDenied,
    #[error("not allowed: {text}")]
    Forbidden { text: String },
    #[error("the secret of the core is needed, not an ordinary key: {what} settings are protected")]
    Protected { what: Text },
    #[error("this core has no such call; it may be older than the call")]
    UnknownCall,
    #[error("asked too often")]
    Throttled,
    #[error("{} would share its database with {}", named(domain), named(with))]
    SamePool { domain: Text, with: Text },
    #[error("no setting is called {key}")]
    UnknownSetting { key: Text },
    #[error("{key} can only be set in the core's own base configuration")]
    BaseOnly { key: Text },
    #[error("{key} must be the same for all of one {within}")]
    Conflict { key: Text, within: Text },
    #[error("the base configuration cannot be changed by a call")]
    BaseConfig,
    #[error("the domain is not one")]
    BadDomain,
    #[error("the core does not speak version {version} of the interface")]
    UnknownVersion { version: Text },
    #[error("the core knows no {place}")]
    UnknownTenant { place: Place },
    #[error("the core has no database: it keeps everything in memory")]
    InMemory,
    #[error("the core is held to another domain")]
    OtherDomain,
    #[error("the core refused: {text}")]
    Refused { text: String },
    #[error("{domain} was not proved to be empty: {why}")]
    NotEmpty { domain: Text, why: String },
    #[error("the core cannot reach the database")]
    DatabaseDown,
    #[error("the database takes no more connections")]
    DatabaseFull,
    #[error("the core failed ({status})")]
    Failed { status: u16 },
}

/// A domain as people call it: the core's own has no name.
fn named(domain: &Text) -> &str {
    if domain.is_empty() { "the core's own domain" } else { domain }
}

impl AdminError {
    /// What to do about it; nothing where the sentence says all.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable { .. } | Self::Broken { .. } => {
                "check the port and the security group, or reach the host through Systems Manager"
            }
            Self::TimedOut { .. } => {
                "a core whose database is down takes five seconds to say so; look at the database"
            }
            Self::WrongKey => "the parameter named by api_key_parameter holds another key than the core's",
            Self::NoLicence { .. } => {
                "put a licence key on the core's base app; it is what is checked for every domain"
            }
            Self::AddressDenied => {
                "ask from an address that they let in; a balancer in between shows its own"
            }
            Self::Protected { .. } => {
                "use the secret of the shared core (supertokens_saas_secret) as the key"
            }
            Self::UnknownVersion { .. } | Self::UnknownCall => "upgrade the core to 9.2 or newer",
            Self::SamePool { .. } => {
                "two domains on one database would lose its data together; give each its own"
            }
            Self::DatabaseFull => {
                "lower postgresql_connection_pool_size of its domains, or raise max_connections"
            }
            Self::DatabaseDown => "other domains of the core may be well: each has its own database",
            _ => return None,
        })
    }
}

/// The result of a question to a core.
pub type Answer<T> = Result<T, AdminError>;

/// Asks a core, one value for all cores. It cannot remove a domain, an app or a tenant: that deletes users.
pub trait CoreAdmin: Send + Sync {
    /// Asks a domain's app for a sign of life, at most once in a second however often it is called.
    fn hello<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Hello>>;

    /// The requests of an app in one process, without ours.
    fn traffic<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Traffic>>;

    /// The ids of the keys that sign an app's tokens: equal sets prove one database.
    fn keys<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<BTreeSet<Text>>>;

    /// The id that an app's database has; none where telemetry is off or there is no database.
    fn telemetry<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Option<Text>>>;

    /// Users of a tenant; of all tenants of its app with `all`.
    fn users<'a>(&'a self, door: &'a Door, place: &'a Place, all: bool) -> BoxFuture<'a, Answer<u64>>;

    /// Users of an app that were active since this moment, in milliseconds since 1970.
    fn active<'a>(&'a self, door: &'a Door, place: &'a Place, since_ms: i64) -> BoxFuture<'a, Answer<u64>>;

    /// The licence of an app. It counts users to answer: a question for minutes, not for seconds.
    fn licence<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Licence>>;

    /// Whether an app has a licence key. The key itself is read and dropped.
    fn has_licence<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<bool>>;

    /// Where the databases of a core stand between old tables and new ones, by domain; `UnknownCall` before version 12.
    fn migrations<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Answer<BTreeMap<Text, Migration>>>;

    /// Users of an app who wait to be imported; nothing where the core imports none: it is too old, or in memory.
    fn imports<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Option<Imports>>>;

    /// Every domain of a core. The replica that is asked reads its list anew for it.
    fn domains<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Answer<Vec<Domain>>>;

    /// The apps of a domain.
    fn apps<'a>(&'a self, door: &'a Door, domain: &'a str) -> BoxFuture<'a, Answer<Vec<App>>>;

    /// The tenants of an app.
    fn tenants<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Vec<TenantSetup>>>;

    /// The settings that hold for a tenant, wherever they come from.
    fn settings<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Vec<Effective>>>;

    /// Makes or changes a domain: settings are merged, an empty one is taken away. After a failure of the
    /// core's side the domain may exist all the same.
    fn put_domain<'a>(
        &'a self,
        door: &'a Door,
        domain: &'a str,
        settings: &'a BTreeMap<Text, Option<Setting>>,
    ) -> BoxFuture<'a, Answer<Put>>;

    /// Changes settings of a domain, an app or a tenant, and nothing else of it: they are merged, an empty one is
    /// taken away. What is not there is made. After a failure of the core's side they may be set all the same.
    fn put_settings<'a>(
        &'a self,
        door: &'a Door,
        place: &'a Place,
        settings: &'a BTreeMap<Text, Option<Setting>>,
    ) -> BoxFuture<'a, Answer<Put>>;

    /// Makes or changes a tenant, and its app when the tenant is the public one.
    fn put_tenant<'a>(
        &'a self,
        door: &'a Door,
        place: &'a Place,
        setup: &'a TenantSetup,
    ) -> BoxFuture<'a, Answer<Put>>;
}
