//! Recorded facts of real cores against the pretended ones and against the client, so that none of the three drifts.
//!
//! Each line of the table is one thing that was observed on core 9.2.2 or read in the source of 12.1.1: a request, the
//! status and the text or shape that comes back. It is asked of a pretended core by a bare socket, and where the client
//! has a question for it, by the client too, who must read out of it what stands in it. `docs/core-facts.md` says of each
//! recorded fact which line or which test holds it; a test holds that page to the table.

mod index;
mod rows;
mod stops;
mod stories;
mod sweeps;

use crate::loopback;
use crate::sim::json as call;
use coredeck::clock::Clock;
use coredeck::gateway::{AdminError, CoreAdmin, Door};
use coredeck::model::admin::{App, Place, TenantSetup};
use coredeck::model::{Sealed, Setting};
use coredeck::sim::{CoreAt, Options, Running, parse, serve};
use coredeck::supertokens::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SECRET: &str = "the-secret-of-a-shared-core-of-forty-letters-or-more";
const OWN: &str = "the-key-of-one-customer-only";
const URI: &str = "postgresql://cust:s3cret-pw@customers-1.db.internal:5432/";
const NO_LICENCE: &str = "Cannot use feature: multi_tenancy, because the license key is missing, or doesn't have this feature enabled.";

/// Cores of each sort, all on one host. Names say what they are: `one` and `two` are replicas, `new` is of version 12,
/// `old` the one that was recorded.
const CORES: &str = r#"
seed = 7
regions = ["us-east-1"]

[[fleet]]
name = "facts"

[[fleet.hosts]]
name = "host"
count = 1
type = "t3.large"
tier = "shared"

[[fleet.target-group]]
name = "front"
targets = ["host"]

[[fleet.balancer]]
name = "front"

[[fleet.rule]]
balancer = "front"
hosts = ["acme.example.com"]
target-group = "front"

[[fleet.tenant]]
id = "acme"
core = "one"
domain = "acme.example.com"
mode = "production"

[[fleet.tenant]]
id = "only"
core = "one"
domain = "only.example.com"
mode = "production"

[[fleet.tenant]]
id = "beta"
core = "new"
domain = "beta.example.com"
mode = "production"
"#;

/// Name, tier, version, and how it was started.
fn cores() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let shared = json!({ "database": "shared-base" });
    let all = json!({ "features": ["account_linking", "multi_tenancy", "test", "dashboard_login", "mfa", "security", "oauth", "saml"] });
    let set = |key: &str, value: Value| json!({ "settings": { key: value } });
    let only = json!({ "database": "shared-base", "settings": { "supertokens_saas_load_only_cud": "only.example.com" } });
    let bounded =
        json!({ "settings": { "supertokens_max_cdi_version": "5.0", "supertokens_min_cdi_version": "4.0" } });
    vec![
        ("one", "shared", "11.0.4", shared.clone()),
        ("two", "shared", "11.0.4", shared),
        ("new", "shared", "12.1.1", all),
        ("old", "shared", "9.2.2", json!({})),
        ("lone", "production", "11.0.4", json!({})),
        ("held", "shared", "11.0.4", only),
        ("memory", "production", "11.0.4", json!({ "memory": true })),
        ("plain", "shared", "11.0.4", json!({ "ee": false })),
        ("silent", "production", "11.0.4", set("disable_telemetry", json!(true))),
        ("walled", "production", "11.0.4", set("ip_deny_regex", json!(r"127\..*"))),
        ("bounded", "production", "11.0.4", bounded),
        ("short", "production", "11.0.4", set("supertokens_saas_secret", json!("too-short"))),
    ]
}

/// Pretended cores and the client; the first core is what is asked where nobody says otherwise.
struct Rig {
    running: Running,
    client: Client,
    keys: BTreeMap<String, String>,
    first: &'static str,
}

impl Rig {
    /// The fleet that everybody knows: two replicas of one shared core with a secret, a dedicated core, and one in
    /// memory.
    async fn new() -> Self {
        let clock = Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
        let running = serve(Options { clock, speed: 0.0, cores: true, ..Options::default() }).await.unwrap();
        let shared = json!({ "database": "shared-base" });
        for id in ["shared-prod-1", "shared-dev-1"] {
            edit(&running, "demo", id, &shared).await;
            put(&running, &format!("/coredeck/demo/secrets/{id}/saas-secret"), "SecureString", SECRET).await;
        }
        edit(&running, "demo", "prod-thistle", &json!({ "memory": true })).await;
        let only = json!({ "database": "shared-base", "settings": { "supertokens_saas_load_only_cud": "only.example.com" } });
        edit(&running, "demo", "prod-lumenary", &only).await;
        let mut keys = BTreeMap::new();
        for id in ["shared-prod-1", "shared-dev-1"] {
            keys.insert(
                id.to_owned(),
                value(&running, &format!("/coredeck/demo/secrets/{id}/api-key")).await,
            );
        }
        Self { running, client: Client::new(Clock::Real).unwrap(), keys, first: "shared-prod-1" }
    }

    /// A core of each sort.
    async fn of_each_sort() -> Self {
        let mut fleet = CORES.to_owned();
        for (port, (id, tier, version, _)) in (3567..).zip(cores()) {
            fleet.push_str(&format!(
                "[[fleet.core]]\nid = \"{id}\"\nhost = \"host\"\nport = {port}\ntier = \"{tier}\"\nversion = \"{version}\"\n"
            ));
        }
        let mut options = parse(&fleet, "facts.toml").unwrap();
        options.clock = Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
        (options.speed, options.cores) = (0.0, true);
        let running = serve(options).await.unwrap();
        let mut keys = BTreeMap::new();
        for (id, _, _, base) in cores() {
            edit(&running, "facts", id, &base).await;
            put(&running, &format!("/coredeck/facts/secrets/{id}/saas-secret"), "SecureString", SECRET).await;
            let key = value(&running, &format!("/coredeck/facts/secrets/{id}/api-key")).await;
            keys.insert(id.to_owned(), key);
        }
        Self { running, client: Client::new(Clock::Real).unwrap(), keys, first: "one" }
    }

    fn core(&self, id: &str) -> CoreAt {
        self.running.cores().into_iter().find(|core| core.id == id).unwrap()
    }

    fn door(&self, id: &str, key: &str) -> Door {
        let at = self.core(id).listens.unwrap();
        Door { address: format!("http://{at}"), host: None, key: Some(Sealed::new(key)) }
    }

    fn key(&self, id: &str, key: Key) -> Option<String> {
        match key {
            Key::None => None,
            Key::Base => Some(self.keys[id].clone()),
            Key::Secret => Some(SECRET.to_owned()),
            Key::Own(key) => Some(key.to_owned()),
        }
    }

    /// Asks a core over a bare socket: status and body; none when nothing listens there.
    async fn heard(&self, id: &str, asked: &Asked<'_>) -> Option<(u16, String)> {
        let host = self.core(id).listens.unwrap().to_string();
        let key = self.key(id, asked.key);
        let (method, path) = (asked.method.to_owned(), asked.path.to_owned());
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let mut header = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
        if let Some(version) = asked.version {
            header("cdi-version", version);
        }
        if !asked.host.is_empty() {
            header("host", asked.host);
        }
        match (&key, asked.bearer) {
            (Some(key), None) => header("api-key", key),
            (Some(key), Some(word)) => header("authorization", &format!("{word}{key}")),
            (None, _) => {}
        }
        asked.headers.iter().for_each(|(name, value)| header(name, value));
        let body = match (asked.raw, &asked.body) {
            (Some(raw), _) => raw.to_owned(),
            (None, Value::Null) => String::new(),
            (None, body) => body.to_string(),
        };
        tokio::task::spawn_blocking(move || {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            let asked = || loopback::ask(&host, &method, &path, &headers, body.as_bytes());
            let answer = std::panic::catch_unwind(asked).ok()?;
            let answer = String::from_utf8_lossy(&answer).into_owned();
            let (head, body) = answer.split_once("\r\n\r\n")?;
            Some((head[9..12].parse().unwrap(), body.to_owned()))
        })
        .await
        .unwrap()
    }

    /// The same of a core that answers. The line's end is nobody's business here.
    async fn ask(&self, id: &str, asked: &Asked<'_>) -> (u16, String) {
        let (status, body) = self.heard(id, asked).await.unwrap_or_else(|| panic!("{id}: {}", asked.path));
        (status, body.trim_end_matches('\n').to_owned())
    }
}

async fn value(running: &Running, name: &str) -> String {
    let answer =
        call(running, "ssm", "AmazonSSM.GetParameter", json!({ "Name": name, "WithDecryption": true })).await;
    answer["Parameter"]["Value"].as_str().unwrap_or_else(|| panic!("{name}: {answer}")).to_owned()
}

async fn put(running: &Running, name: &str, kind: &str, value: &str) {
    let body = json!({ "Name": name, "Type": kind, "Value": value, "Overwrite": true });
    let answer = call(running, "ssm", "AmazonSSM.PutParameter", body).await;
    assert!(answer["Version"].is_u64(), "{name}: {answer}");
}

/// Says in the registry how a core was started.
async fn edit(running: &Running, fleet: &str, id: &str, base: &Value) {
    let name = format!("/coredeck/{fleet}/cores/{id}");
    let mut entry: Value = serde_json::from_str(&value(running, &name).await).unwrap();
    entry["base"] = base.clone();
    put(running, &name, "String", &entry.to_string()).await;
}

#[derive(Clone, Copy)]
enum Key {
    None,
    Base,
    Secret,
    Own(&'static str),
}

/// A request.
struct Asked<'a> {
    /// Of which core; the first where nobody says.
    core: &'a str,
    method: &'a str,
    path: &'a str,
    host: &'a str,
    key: Key,
    /// What stands before the key in an Authorization header; none where it goes by a header of its own.
    bearer: Option<&'a str>,
    version: Option<&'a str>,
    headers: &'a [(&'a str, &'a str)],
    body: Value,
    /// A body that is no JSON.
    raw: Option<&'a str>,
}

fn get(path: &str) -> Asked<'_> {
    Asked {
        core: "",
        method: "GET",
        path,
        host: "",
        key: Key::Secret,
        bearer: None,
        version: Some("5.1"),
        headers: &[],
        body: Value::Null,
        raw: None,
    }
}

fn sent<'a>(method: &'a str, path: &'a str, body: Value) -> Asked<'a> {
    Asked { method, body, ..get(path) }
}

impl<'a> Asked<'a> {
    fn of(self, core: &'a str) -> Self {
        Self { core, ..self }
    }

    fn host(self, host: &'a str) -> Self {
        Self { host, ..self }
    }

    fn key(self, key: Key) -> Self {
        Self { key, ..self }
    }
}

/// A line of the table.
struct Fact {
    what: &'static str,
    asked: Asked<'static>,
    status: u16,
    recorded: Recorded,
    means: Means,
}

/// What the client makes of it.
enum Means {
    /// What stands in the answer, where it asks for such a thing at all.
    Read,
    /// This error.
    Error(AdminError),
    /// It never sends such a request.
    Unasked,
}

fn fact(what: &'static str, asked: Asked<'static>, status: u16, recorded: Recorded) -> Fact {
    Fact { what, asked, status, recorded, means: Means::Read }
}

impl Fact {
    fn means(self, error: AdminError) -> Self {
        Self { means: Means::Error(error), ..self }
    }

    fn unasked(self) -> Self {
        Self { means: Means::Unasked, ..self }
    }
}

/// What was recorded.
enum Recorded {
    /// This text, to the last byte.
    Exact(&'static str),
    /// This text, and the line's end.
    Text(&'static str),
    /// The same, put together.
    Made(String),
    /// A text that holds each of these, and none of those after a `!`.
    Holds(&'static [&'static str]),
    /// JSON of this shape: a text, a number, a flag stand for any of their kind, a list for entries like its first,
    /// null for anything.
    Shape(Value),
    /// Exactly this JSON.
    Json(Value),
}

impl Recorded {
    /// How a body differs from it.
    fn misfit(&self, body: &str) -> Option<String> {
        let differs = |wanted: &str| (body != wanted).then(|| format!("wanted {wanted:?}"));
        let json = || serde_json::from_str::<Value>(body).map_err(|error| Some(error.to_string()));
        match self {
            Self::Exact(text) => differs(text),
            Self::Text(text) => differs(&format!("{text}\n")),
            Self::Made(text) => differs(&format!("{text}\n")),
            Self::Holds(parts) => parts
                .iter()
                .find(|part| {
                    part.strip_prefix('!').map_or(!body.contains(**part), |part| body.contains(part))
                })
                .map(|part| format!("wanted {part}")),
            Self::Shape(shape) => json().map_or_else(|error| error, |value| misfit(shape, &value, "")),
            Self::Json(wanted) => json()
                .map_or_else(|error| error, |value| (value != *wanted).then(|| format!("wanted {wanted}"))),
        }
    }
}

/// Where a value is not of a shape.
fn misfit(shape: &Value, value: &Value, at: &str) -> Option<String> {
    match (shape, value) {
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().find_map(|(key, shape)| match found.get(key) {
                Some(value) => misfit(shape, value, &format!("{at}.{key}")),
                None => Some(format!("{at}.{key} is missing")),
            })
        }
        (Value::Array(wanted), Value::Array(found)) => match wanted.first() {
            Some(shape) if found.is_empty() => Some(format!("{at} is empty, wanted {shape}")),
            Some(shape) => {
                found.iter().enumerate().find_map(|(i, v)| misfit(shape, v, &format!("{at}[{i}]")))
            }
            None => None,
        },
        // The status is a word, not any text.
        (Value::String(wanted), Value::String(found)) => {
            (at.ends_with(".status") && wanted != found).then(|| format!("{at} is {found}"))
        }
        (Value::Null, _) | (Value::Number(_), Value::Number(_)) | (Value::Bool(_), Value::Bool(_)) => None,
        _ => Some(format!("{at} is {value}, wanted like {shape}")),
    }
}

fn settings(pairs: &[(&str, Value)]) -> BTreeMap<coredeck::model::Text, Option<Setting>> {
    pairs.iter().map(|(key, value)| ((*key).into(), Some(Setting::Shown(value.clone())))).collect()
}

fn domain(name: &str, more: Value) -> Value {
    json!({ "connectionUriDomain": name, "coreConfig": more })
}

fn of_tenant(tenant: &TenantSetup) -> Value {
    let keys: Vec<String> = tenant.settings.keys().map(ToString::to_string).collect();
    let providers: Vec<String> = tenant.providers.iter().map(|one| one.id.to_string()).collect();
    let words = |list: &Option<Vec<coredeck::model::Text>>| {
        list.as_ref().map(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    json!([
        tenant.id.to_string(),
        keys,
        providers,
        words(&tenant.first_factors),
        words(&tenant.second_factors)
    ])
}

fn of_app(app: &App) -> Value {
    json!([app.id.to_string(), app.tenants.iter().map(of_tenant).collect::<Vec<_>>()])
}

/// The same out of an answer's own JSON.
fn from_tenant(tenant: &Value) -> Value {
    let keys: Vec<&String> = tenant["coreConfig"].as_object().unwrap().keys().collect();
    let providers = tenant["thirdParty"]["providers"].as_array().unwrap();
    let providers: Vec<&Value> = providers.iter().map(|one| &one["thirdPartyId"]).collect();
    json!([tenant["tenantId"], keys, providers, tenant["firstFactors"], tenant["requiredSecondaryFactors"]])
}

fn from_app(app: &Value) -> Value {
    let tenants = app["tenants"].as_array().unwrap();
    json!([app["appId"], tenants.iter().map(from_tenant).collect::<Vec<_>>()])
}

fn each(value: &Value, of: impl Fn(&Value) -> Value) -> Value {
    value.as_array().unwrap().iter().map(of).collect()
}

/// What stands in an answer, as far as the client reads it.
fn read(path: &str, body: &str) -> Value {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    let sorted = |value: Value| {
        let mut all: Vec<String> =
            value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect();
        all.sort();
        json!(all)
    };
    match path {
        "/requests/stats" => {
            json!([value["atMinute"], value["averageRequestsPerSecond"].as_array().unwrap().len()])
        }
        "/telemetry" => value["telemetryId"].clone(),
        "/.well-known/jwks.json" => sorted(each(&value["keys"], |key| key["kid"].clone())),
        "/users/count" | "/users/count/active" | "/bulk-import/users/count" => value["count"].clone(),
        "/ee/featureflag" => {
            let stats = &value["usageStats"];
            let maus = stats.get("maus").cloned().unwrap_or_else(|| json!([]));
            json!([sorted(value["features"].clone()), maus, stats["account_linking"]["usesAccountLinking"]])
        }
        "/ee/license" => json!(value["licenseKey"].is_string()),
        "/migration/backfill/progress" => {
            each(&value["cuds"], |row| json!([row["connectionUriDomain"], row["mode"], row["pendingUsers"]]))
        }
        "/recipe/multitenancy/connectionuridomain/list/v2" => {
            each(&value["connectionUriDomains"], |domain| {
                json!([domain["connectionUriDomain"], each(&domain["apps"], from_app)])
            })
        }
        "/recipe/multitenancy/app/list/v2" => each(&value["apps"], from_app),
        "/recipe/multitenancy/tenant/list/v2" => each(&value["tenants"], from_tenant),
        "/recipe/dashboard/tenant/core-config" => each(&value["config"], |row| {
            json!([row["key"], row["isDifferentAcrossTenants"], row["isPluginProperty"]])
        }),
        _ => Value::Null,
    }
}

/// What the client reads when it is asked the same; none where it never asks such a thing.
async fn by_client(rig: &Rig, asked: &Asked<'_>) -> Option<Result<Value, AdminError>> {
    let id = if asked.core.is_empty() { rig.first } else { asked.core };
    let mut door = rig.door(id, "");
    door.key = rig.key(id, asked.key).map(Sealed::new);
    if asked.version != Some("5.1") || !asked.headers.is_empty() {
        return None;
    }
    let client = &rig.client;
    let mut place = Place::of(asked.host);
    let mut path = asked.path;
    if let Some(rest) = path.strip_prefix("/appid-") {
        let (app, rest) = rest.split_once('/').unwrap();
        place.app = app.into();
        path = &path[path.len() - rest.len() - 1..];
    }
    if let Some((tenant, rest)) = path[1..].split_once('/').filter(|(first, _)| first.starts_with('t')) {
        place.tenant = tenant.into();
        path = &path[path.len() - rest.len() - 1..];
    }
    let settled = |name: &str| -> BTreeMap<coredeck::model::Text, Option<Setting>> {
        let given = asked.body.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        given.into_iter().map(|(key, value)| (key.as_str().into(), Some(Setting::Shown(value)))).collect()
    };
    let body = |name: &str| asked.body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let setup = || TenantSetup {
        settings: settled("coreConfig").into_iter().filter_map(|(key, value)| Some((key, value?))).collect(),
        ..TenantSetup::default()
    };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let whole = |list: Vec<Value>| Value::from(list);
    Some(match (asked.method, path) {
        ("GET", "/hello") => client.hello(&door, &place).await.map(|_| Value::Null),
        ("GET", "/requests/stats") => {
            client.traffic(&door, &place).await.map(|all| json!([all.at_minute, all.average.len()]))
        }
        ("GET", "/telemetry") => {
            client.telemetry(&door, &place).await.map(|id| json!(id.map(|id| id.to_string())))
        }
        ("GET", "/.well-known/jwks.json") => client
            .keys(&door, &place)
            .await
            .map(|all| json!(all.iter().map(ToString::to_string).collect::<Vec<_>>())),
        ("GET", "/users/count") if query.is_empty() || query == "includeAllTenants=true" => {
            client.users(&door, &place, !query.is_empty()).await.map(|many| json!(many))
        }
        ("GET", "/users/count/active") if query == "since=1700000000000" => {
            client.active(&door, &place, 1_700_000_000_000).await.map(|many| json!(many))
        }
        ("GET", "/ee/featureflag") => client.licence(&door, &place).await.map(|licence| {
            let features: Vec<String> = licence.features.iter().map(ToString::to_string).collect();
            json!([features, licence.active, licence.links_accounts])
        }),
        ("GET", "/ee/license") => client.has_licence(&door, &place).await.map(|has| json!(has)),
        ("GET", "/migration/backfill/progress") if place.domain.is_empty() && query.is_empty() => {
            client.migrations(&door).await.map(|all| {
                whole(
                    all.iter()
                        .map(|(of, it)| json!([of.to_string(), it.mode.to_string(), it.pending]))
                        .collect(),
                )
            })
        }
        ("GET", "/bulk-import/users/count") if query.is_empty() => {
            client.imports(&door, &place).await.map(|all| json!(all.map(|all| all.waiting)))
        }
        ("GET", "/recipe/multitenancy/connectionuridomain/list/v2") if place.domain.is_empty() => {
            client.domains(&door).await.map(|all| {
                let apps = |apps: &[App]| whole(apps.iter().map(of_app).collect());
                whole(all.iter().map(|one| json!([one.domain.to_string(), apps(&one.apps)])).collect())
            })
        }
        ("GET", "/recipe/multitenancy/app/list/v2") => {
            client.apps(&door, &place.domain).await.map(|all| whole(all.iter().map(of_app).collect()))
        }
        ("GET", "/recipe/multitenancy/tenant/list/v2") => {
            client.tenants(&door, &place).await.map(|all| whole(all.iter().map(of_tenant).collect()))
        }
        ("GET", "/recipe/dashboard/tenant/core-config") => client.settings(&door, &place).await.map(|all| {
            let row = |one: &coredeck::model::admin::Effective| {
                json!([one.key.to_string(), one.differs_by_tenant, one.is_plugin])
            };
            whole(all.iter().map(row).collect())
        }),
        ("PUT", "/recipe/multitenancy/connectionuridomain/v2") if place.domain.is_empty() => client
            .put_domain(&door, &body("connectionUriDomain"), &settled("coreConfig"))
            .await
            .map(|_| Value::Null),
        ("PUT", "/recipe/multitenancy/app/v2") => {
            place.app = body("appId").as_str().into();
            client.put_tenant(&door, &place, &setup()).await.map(|_| Value::Null)
        }
        ("PUT", "/recipe/multitenancy/tenant/v2") => {
            place.tenant = body("tenantId").as_str().into();
            client.put_tenant(&door, &place, &setup()).await.map(|_| Value::Null)
        }
        _ => return None,
    })
}

/// Asks a line of the bare core, and of the client. Tells whether the client asks such a thing, or what differs.
async fn hold(rig: &Rig, fact: &Fact) -> Result<bool, String> {
    let Fact { what, asked, status, recorded, means } = fact;
    let id = if asked.core.is_empty() { rig.first } else { asked.core };
    let (said, body) = rig.heard(id, asked).await.ok_or_else(|| format!("{what}: nothing listens"))?;
    if said != *status {
        return Err(format!("{what}: wanted {status}, it is {said}: {body}"));
    }
    if let Some(misfit) = recorded.misfit(&body) {
        return Err(format!("{what}: {body}: {misfit}"));
    }
    // A put that went well is not sent twice: the bare answer must say by itself whether it was new.
    if (asked.method == "PUT" && *status == 200) || matches!(means, Means::Unasked) {
        return Ok(false);
    }
    match (by_client(rig, asked).await, means) {
        (None, Means::Read) => Ok(false),
        (Some(Ok(value)), Means::Read) => {
            let stands = read(asked.path.split('?').next().unwrap(), &body);
            match *status == 200 && value != Value::Null && value != stands {
                true => Err(format!("{what}: the client reads {value}, there stands {stands}")),
                false => Ok(true),
            }
        }
        (Some(Err(error)), Means::Error(wanted)) if error == *wanted => Ok(true),
        (answer, _) => Err(format!("{what}: the client says {answer:?}")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_fact_holds_for_the_pretended_core_and_for_the_client() {
    let rig = Rig::of_each_sort().await;
    let (mut asked_by_client, mut differing) = (0, Vec::new());
    for fact in rows::table() {
        match hold(&rig, &fact).await {
            Ok(is_asked) => asked_by_client += u32::from(is_asked),
            Err(why) => differing.push(why),
        }
    }
    assert!(differing.is_empty(), "{differing:#?}");
    assert!(asked_by_client > 60, "only {asked_by_client}");
}
