//! The cores' own admin API, over HTTP with rustls.
//!
//! Host picks the customer: a core serves the domain that the Host header names, and its own base domain to
//! every host that it does not know, without an error. So each request names its domain there, and for the
//! base domain nothing but the address, which no core knows as a domain.
//!
//! Nothing here removes an app or a tenant, and a domain only when its database was proved to hold nobody
//! (`remove`): a core deletes the users with it.

mod answers;
mod hands;
mod path;
mod reader;
mod refusal;
mod remove;
mod settings;
mod tally;
mod visit;

pub use hands::{Probing, Writing};
pub use reader::Asking;
pub use remove::Empty;

use crate::clock::{Clock, monotonic};
use crate::gateway::{AdminError, Answer, CoreAdmin, Door};
use crate::model::admin::{App, Domain, Effective, Hello, Licence, Place, Put, TenantSetup, Traffic, worth};
use crate::model::{Imports, Migration, Setting, Text};
use futures::future::BoxFuture;
use reqwest::header::{HOST, HeaderValue};
use reqwest::{Method, Url};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as _;
use std::time::Duration;
use tally::Tally;

/// The version of the interface that is asked for: the first with the calls that end in `v2`, which core
/// 9.2 and everything after it speaks.
const VERSION: &str = "5.1";
/// A core takes five seconds to say that its database is down.
const HELLO_WITHIN: Duration = Duration::from_secs(8);
/// Lists of a full core, and counts over its tables.
const READ_WITHIN: Duration = Duration::from_secs(30);
/// A put opens a pool of database connections first; with a pool of one it hangs up to a minute.
const PUT_WITHIN: Duration = Duration::from_secs(75);
/// The most that is read of an answer: thousands of domains with all of their settings fit in.
const LARGEST: usize = 64 << 20;

/// Asks cores. One value serves every core and holds its connections.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    clock: Clock,
    tally: Tally,
}

impl Client {
    /// A client that follows no redirect and uses no proxy: the key must reach the core and nobody else.
    pub fn new(clock: Clock) -> Result<Self, AdminError> {
        Self::through(clock, None)
    }

    /// The same through this HTTP proxy and no other.
    pub fn through(clock: Clock, proxy: Option<&str>) -> Result<Self, AdminError> {
        let unusable = |error: reqwest::Error| AdminError::Unreachable { why: root(&error) };
        let builder = reqwest::Client::builder().no_proxy();
        let builder = match proxy {
            Some(url) => builder.proxy(reqwest::Proxy::all(url).map_err(unusable)?),
            None => builder,
        };
        let http = builder
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(unusable)?;
        Ok(Self { http, clock, tally: Tally::default() })
    }

    /// The body of a 200.
    async fn send(
        &self,
        door: &Door,
        place: &Place,
        method: Method,
        path: &str,
        body: Option<Value>,
        within: Duration,
    ) -> Answer<Vec<u8>> {
        let url = Url::parse(&format!("{}{path}", door.address.trim_end_matches('/'))).map_err(|error| {
            AdminError::Unreachable { why: format!("{} is no address: {error}", door.address) }
        })?;
        let mut request = self.http.request(method, url).header("cdi-version", VERSION).timeout(within);
        if !place.domain.is_empty() {
            let host = HeaderValue::from_str(&place.domain).map_err(|_| AdminError::BadDomain)?;
            request = request.header(HOST, host);
        }
        if let Some(key) = &door.key {
            let mut key = HeaderValue::from_str(key.open()).map_err(|_| AdminError::WrongKey)?;
            key.set_sensitive(true);
            request = request.header("api-key", key);
        }
        if let Some(body) = body {
            request =
                request.header("content-type", "application/json; charset=utf-8").body(body.to_string());
        }
        self.tally.count(door, place, self.clock.now());
        let mut answer = request.send().await.map_err(|error| unreached(&error, within))?;
        let status = answer.status().as_u16();
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| unreached(&error, within))? {
            if body.len() + piece.len() > LARGEST {
                return Err(AdminError::Garbled { what: format!("it is longer than {} MiB", LARGEST >> 20) });
            }
            body.extend_from_slice(&piece);
        }
        if status == 200 { Ok(body) } else { Err(refusal::refusal(status, &String::from_utf8_lossy(&body))) }
    }

    async fn get(&self, door: &Door, place: &Place, path: &str) -> Answer<Vec<u8>> {
        let path = path::of(place, path);
        self.send(door, place, Method::GET, &path, None, READ_WITHIN).await
    }

    /// An answer whose status must be `OK`.
    async fn ask(&self, door: &Door, place: &Place, path: &str) -> Answer<Value> {
        answers::ok(&self.get(door, place, path).await?, place)
    }

    async fn put(&self, door: &Door, place: &Place, path: &str, body: Value) -> Answer<Put> {
        let path = path::of(place, path);
        let body = self.send(door, place, Method::PUT, &path, Some(body), PUT_WITHIN).await?;
        answers::ok(&body, place).map(|_| Put)
    }

    /// Login methods are not named: null would mean all of them.
    async fn put_merged(
        &self,
        door: &Door,
        place: &Place,
        settings: &BTreeMap<Text, Option<Setting>>,
    ) -> Answer<Put> {
        let mut body = Map::new();
        let settings = merged(settings.iter().map(|(key, value)| (key, value.as_ref())));
        body.insert("coreConfig".into(), settings);
        let (asked_of, path) = path::put(place, &mut body);
        self.put(door, &asked_of, path, Value::Object(body)).await
    }

    async fn put_setup(&self, door: &Door, place: &Place, setup: &TenantSetup) -> Answer<Put> {
        let mut body = Map::new();
        body.insert(
            "coreConfig".into(),
            merged(setup.settings.iter().map(|(key, value)| (key, Some(value)))),
        );
        body.insert("firstFactors".into(), json!(setup.first_factors));
        body.insert("requiredSecondaryFactors".into(), json!(setup.second_factors));
        let (asked_of, path) = path::put(place, &mut body);
        self.put(door, &asked_of, path, Value::Object(body)).await?;
        for provider in &setup.providers {
            let whole: Value = serde_json::from_str(provider.whole.open())
                .map_err(|_| AdminError::Refused { text: format!("provider {} is not JSON", provider.id) })?;
            // The core would ask the provider's own servers whether the client is right: they may not be
            // reachable from here, and what is replayed was right before.
            let body = json!({ "config": whole, "skipValidation": true });
            self.put(door, place, "/recipe/multitenancy/config/thirdparty", body).await?;
        }
        Ok(Put)
    }
}

impl CoreAdmin for Client {
    fn hello<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Hello>> {
        Box::pin(async move {
            let turn = self.tally.turn(door, place, monotonic());
            tokio::time::sleep_until(turn.into()).await;
            let path = path::of(place, "/hello");
            let body = self.send(door, place, Method::GET, &path, None, HELLO_WITHIN).await?;
            if body.trim_ascii() != b"Hello" {
                return Err(AdminError::Garbled { what: "it does not say Hello".to_owned() });
            }
            Ok(worth(self.tally.busy(door, place, self.clock.now())))
        })
    }

    fn traffic<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Traffic>> {
        Box::pin(async move {
            let place = path::public(place);
            let traffic = answers::traffic(&self.ask(door, &place, "/requests/stats").await?)?;
            self.tally.saw(door, &place, &traffic, self.clock.now());
            Ok(traffic.without(&self.tally.ours(door, &place)))
        })
    }

    fn keys<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<BTreeSet<Text>>> {
        Box::pin(async move {
            let body = self.get(door, &path::public(place), "/.well-known/jwks.json").await?;
            answers::keys(&answers::json(&body)?)
        })
    }

    fn telemetry<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Option<Text>>> {
        Box::pin(async move {
            let body = self.get(door, &path::public(place), "/telemetry").await?;
            answers::telemetry(&answers::json(&body)?)
        })
    }

    fn users<'a>(&'a self, door: &'a Door, place: &'a Place, all: bool) -> BoxFuture<'a, Answer<u64>> {
        Box::pin(async move {
            // All of them are the app's, and it refuses to tell a tenant of them.
            let answer = match all {
                true => self.ask(door, &path::public(place), "/users/count?includeAllTenants=true").await?,
                false => self.ask(door, place, "/users/count").await?,
            };
            answers::count(&answer)
        })
    }

    fn active<'a>(&'a self, door: &'a Door, place: &'a Place, since_ms: i64) -> BoxFuture<'a, Answer<u64>> {
        Box::pin(async move {
            let path = format!("/users/count/active?since={since_ms}");
            answers::count(&self.ask(door, &path::public(place), &path).await?)
        })
    }

    fn licence<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Licence>> {
        Box::pin(
            async move { answers::licence(&self.ask(door, &path::public(place), "/ee/featureflag").await?) },
        )
    }

    fn has_licence<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<bool>> {
        Box::pin(
            async move { answers::has_licence(&self.get(door, &path::public(place), "/ee/license").await?) },
        )
    }

    fn migrations<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Answer<BTreeMap<Text, Migration>>> {
        Box::pin(async move {
            let path = "/migration/backfill/progress";
            answers::migrations(&self.ask(door, &Place::of(""), path).await?)
        })
    }

    fn imports<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Option<Imports>>> {
        Box::pin(async move {
            let place = path::public(place);
            let all = "/bulk-import/users/count";
            let waiting = match self.ask(door, &place, all).await {
                Ok(answer) => answers::count(&answer)?,
                Err(AdminError::UnknownCall | AdminError::InMemory) => return Ok(None),
                Err(error) => return Err(error),
            };
            let failed = match waiting {
                0 => 0,
                _ => answers::count(&self.ask(door, &place, &format!("{all}?status=FAILED")).await?)?,
            };
            Ok(Some(Imports { waiting, failed }))
        })
    }

    fn domains<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Answer<Vec<Domain>>> {
        Box::pin(async move {
            let path = "/recipe/multitenancy/connectionuridomain/list/v2";
            answers::domains(self.ask(door, &Place::of(""), path).await?)
        })
    }

    fn apps<'a>(&'a self, door: &'a Door, domain: &'a str) -> BoxFuture<'a, Answer<Vec<App>>> {
        Box::pin(async move {
            let place = Place::of(domain);
            answers::apps(self.ask(door, &place, "/recipe/multitenancy/app/list/v2").await?)
        })
    }

    fn tenants<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Vec<TenantSetup>>> {
        Box::pin(async move {
            let place = path::public(place);
            answers::tenants(self.ask(door, &place, "/recipe/multitenancy/tenant/list/v2").await?)
        })
    }

    fn settings<'a>(&'a self, door: &'a Door, place: &'a Place) -> BoxFuture<'a, Answer<Vec<Effective>>> {
        Box::pin(async move {
            answers::effective(self.ask(door, place, "/recipe/dashboard/tenant/core-config").await?)
        })
    }

    fn put_domain<'a>(
        &'a self,
        door: &'a Door,
        domain: &'a str,
        settings: &'a BTreeMap<Text, Option<Setting>>,
    ) -> BoxFuture<'a, Answer<Put>> {
        Box::pin(async move { self.put_merged(door, &Place::of(domain), settings).await })
    }

    fn put_settings<'a>(
        &'a self,
        door: &'a Door,
        place: &'a Place,
        settings: &'a BTreeMap<Text, Option<Setting>>,
    ) -> BoxFuture<'a, Answer<Put>> {
        Box::pin(self.put_merged(door, place, settings))
    }

    fn put_tenant<'a>(
        &'a self,
        door: &'a Door,
        place: &'a Place,
        setup: &'a TenantSetup,
    ) -> BoxFuture<'a, Answer<Put>> {
        Box::pin(self.put_setup(door, place, setup))
    }
}

/// Settings as they are sent: a core merges them, and null takes one away.
fn merged<'a>(settings: impl Iterator<Item = (&'a Text, Option<&'a Setting>)>) -> Value {
    let entry = |(key, value): (&Text, Option<&Setting>)| {
        (key.to_string(), value.map_or(Value::Null, settings::json))
    };
    Value::Object(settings.map(entry).collect())
}

fn unreached(error: &reqwest::Error, within: Duration) -> AdminError {
    if error.is_timeout() && !error.is_connect() {
        AdminError::TimedOut { after: within }
    } else if error.is_body() || error.is_decode() {
        AdminError::Garbled { what: format!("it broke off: {}", root(error)) }
    } else if error.is_connect() {
        AdminError::Unreachable { why: root(error) }
    } else {
        // The request may have been heard.
        AdminError::Broken { why: root(error) }
    }
}

/// The deepest cause: the outer ones only repeat the address.
fn root(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = error.to_string();
    while let Some(deeper) = cause {
        text = deeper.to_string();
        cause = deeper.source();
    }
    text
}
