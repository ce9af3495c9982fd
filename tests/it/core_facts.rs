//! Recorded facts of real cores against the pretended ones and against the client, so that none of the three drifts.
//!
//! Each line of the table is one thing that was observed on core 9.2.2 or read in the source of 12.1.1: a request, the
//! status and the text or shape that comes back. It is asked of a pretended core by a bare socket, and where the client
//! has a question for it, by the client too.

mod stories;

use crate::loopback;
use crate::sim::json as call;
use coredeck::clock::Clock;
use coredeck::gateway::{AdminError, CoreAdmin, Door};
use coredeck::model::admin::{Place, TenantSetup};
use coredeck::model::{Sealed, Setting};
use coredeck::sim::{CoreAt, Options, Running, serve};
use coredeck::supertokens::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SECRET: &str = "the-secret-of-a-shared-core-of-forty-letters-or-more";

/// Two replicas of one shared core with a secret, a dedicated core, and one in memory.
struct Rig {
    running: Running,
    client: Client,
    key: String,
}

impl Rig {
    async fn new() -> Self {
        let clock = Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
        let running = serve(Options { clock, speed: 0.0, cores: true, ..Options::default() }).await.unwrap();
        let shared = json!({ "database": "shared-base" });
        for id in ["shared-prod-1", "shared-dev-1"] {
            edit(&running, id, &shared).await;
            put(&running, &format!("/coredeck/demo/secrets/{id}/saas-secret"), "SecureString", SECRET).await;
        }
        edit(&running, "prod-thistle", &json!({ "memory": true })).await;
        let only = json!({ "database": "shared-base", "settings": { "supertokens_saas_load_only_cud": "only.example.com" } });
        edit(&running, "prod-lumenary", &only).await;
        let key = value(&running, "/coredeck/demo/secrets/shared-prod-1/api-key").await;
        Self { running, client: Client::new(Clock::Real).unwrap(), key }
    }

    fn core(&self, id: &str) -> CoreAt {
        self.running.cores().into_iter().find(|core| core.id == id).unwrap()
    }

    fn door(&self, id: &str, key: &str) -> Door {
        let at = self.core(id).listens.unwrap();
        Door { address: format!("http://{at}"), host: None, key: Some(Sealed::new(key)) }
    }

    /// Asks a core over a bare socket: status and body.
    async fn ask(&self, id: &str, asked: &Asked<'_>) -> (u16, String) {
        let host = self.core(id).listens.unwrap().to_string();
        let key = match asked.key {
            Key::None => None,
            Key::Base => Some(self.key.clone()),
            Key::Secret => Some(SECRET.to_owned()),
            Key::Own(key) => Some(key.to_owned()),
        };
        let (method, path) = (asked.method.to_owned(), asked.path.to_owned());
        let (named, body) = (asked.host.to_owned(), asked.body.to_string());
        let version = asked.version.to_owned();
        tokio::task::spawn_blocking(move || {
            let mut headers = vec![("content-type", "application/json"), ("cdi-version", version.as_str())];
            if !named.is_empty() {
                headers.push(("host", &named));
            }
            headers.extend(key.as_deref().map(|key| ("api-key", key)));
            let body = if body == "null" { String::new() } else { body };
            let answer = loopback::ask(&host, &method, &path, &headers, body.as_bytes());
            let answer = String::from_utf8_lossy(&answer).into_owned();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{path}: {answer}"));
            (head[9..12].parse().unwrap(), body.to_owned())
        })
        .await
        .unwrap()
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
async fn edit(running: &Running, id: &str, base: &Value) {
    let name = format!("/coredeck/demo/cores/{id}");
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

struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    host: &'a str,
    key: Key,
    version: &'a str,
    body: Value,
}

fn get(path: &str) -> Asked<'_> {
    Asked { method: "GET", path, host: "", key: Key::Secret, version: "5.1", body: Value::Null }
}

fn sent<'a>(method: &'a str, path: &'a str, body: Value) -> Asked<'a> {
    Asked { method, body, ..get(path) }
}

impl<'a> Asked<'a> {
    fn host(self, host: &'a str) -> Self {
        Self { host, ..self }
    }

    fn key(self, key: Key) -> Self {
        Self { key, ..self }
    }
}

/// What was recorded.
enum Recorded {
    /// This text.
    Text(&'static str),
    /// A text that holds each of these.
    Holds(&'static [&'static str]),
    /// JSON of this shape: a text, a number, a flag stand for any of their kind, a list for entries like its first.
    Shape(Value),
    /// Exactly this JSON.
    Json(Value),
}
use Recorded::{Holds, Json, Shape, Text};

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

type Means = Option<AdminError>;

fn settings(pairs: &[(&str, Value)]) -> BTreeMap<coredeck::model::Text, Option<Setting>> {
    pairs.iter().map(|(key, value)| ((*key).into(), Some(Setting::Shown(value.clone())))).collect()
}

/// What the client makes of the same question: its error, or none.
async fn by_client(rig: &Rig, asked: &Asked<'_>) -> Option<Means> {
    let key = match asked.key {
        Key::None => None,
        Key::Base => Some(rig.key.as_str()),
        Key::Secret => Some(SECRET),
        Key::Own(key) => Some(key),
    };
    let mut door = rig.door("shared-prod-1", "");
    door.key = key.map(Sealed::new);
    if asked.version != "5.1" {
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
    Some(match (asked.method, path.split('?').next().unwrap()) {
        ("GET", "/hello") => client.hello(&door, &place).await.err(),
        ("GET", "/requests/stats") => client.traffic(&door, &place).await.err(),
        ("GET", "/telemetry") => client.telemetry(&door, &place).await.err(),
        ("GET", "/.well-known/jwks.json") => client.keys(&door, &place).await.err(),
        ("GET", "/users/count") => client.users(&door, &place, path.contains("All")).await.err(),
        ("GET", "/users/count/active") if path.contains("since=") => {
            client.active(&door, &place, 1_700_000_000_000).await.err()
        }
        ("GET", "/ee/featureflag") => client.licence(&door, &place).await.err(),
        ("GET", "/recipe/multitenancy/connectionuridomain/list/v2") if place.domain.is_empty() => {
            client.domains(&door).await.err()
        }
        ("GET", "/recipe/multitenancy/app/list/v2") => client.apps(&door, &place.domain).await.err(),
        ("GET", "/recipe/multitenancy/tenant/list/v2") => client.tenants(&door, &place).await.err(),
        ("GET", "/recipe/dashboard/tenant/core-config") => client.settings(&door, &place).await.err(),
        ("PUT", "/recipe/multitenancy/connectionuridomain/v2") if place.domain.is_empty() => {
            client.put_domain(&door, &body("connectionUriDomain"), &settled("coreConfig")).await.err()
        }
        ("PUT", "/recipe/multitenancy/app/v2") => {
            place.app = body("appId").as_str().into();
            client.put_tenant(&door, &place, &setup()).await.err()
        }
        ("PUT", "/recipe/multitenancy/tenant/v2") => {
            place.tenant = body("tenantId").as_str().into();
            client.put_tenant(&door, &place, &setup()).await.err()
        }
        _ => return None,
    })
}

const URI: &str = "postgresql://cust:s3cret-pw@customers-1.db.internal:5432/";

fn domain(name: &str, more: Value) -> Value {
    json!({ "connectionUriDomain": name, "coreConfig": more })
}

/// The table: what it is, the question, status, what came back, and what the client must make of it.
#[allow(clippy::too_many_lines, reason = "it is a table")]
fn table() -> Vec<(&'static str, Asked<'static>, u16, Recorded, Means)> {
    const DOMAINS: &str = "/recipe/multitenancy/connectionuridomain/v2";
    const LIST: &str = "/recipe/multitenancy/connectionuridomain/list/v2";
    const TENANT: &str = "/recipe/multitenancy/tenant/v2";
    let own = |name: &str| json!({ "postgresql_connection_uri": format!("{URI}{name}"), "api_keys": OWN, "postgresql_connection_pool_size": 3 });
    let tenant = json!({ "tenantId": "public", "thirdParty": { "providers": [] }, "coreConfig": {} });
    let apps = json!([{ "appId": "public", "tenants": [tenant] }]);
    let not_found = "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: (c1.example.com, public, t1)";
    let c1 = |place: &str| Place { tenant: place.into(), ..Place::of("c1.example.com") };
    vec![
        ("hello needs no key", get("/hello").key(Key::None), 200, Text("Hello\n"), None),
        ("hello by any method", sent("DELETE", "/", Value::Null).key(Key::None), 200, Text("Hello\n"), None),
        ("an unknown host is the base", get("/hello").host("nobody.example"), 200, Text("Hello\n"), None),
        ("versions", get("/apiversion"), 200, Shape(json!({ "versions": ["2.14"] })), None),
        ("stats", get("/requests/stats"), 200, Shape(json!({ "atMinute": 1, "averageRequestsPerSecond": [1.5], "peakRequestsPerSecond": [3], "status": "OK" })), None),
        ("telemetry", get("/telemetry"), 200, Shape(json!({ "exists": true, "telemetryId": "uuid" })), None),
        ("keys without a key", get("/.well-known/jwks.json").key(Key::None), 200, Shape(json!({ "keys": [{ "kid": "d-1" }] })), None),
        ("keys with one", get("/recipe/jwt/jwks"), 200, Shape(json!({ "keys": [{ "kid": "d-1" }] })), None),
        ("those only with one", get("/recipe/jwt/jwks").key(Key::None), 401, Text("Invalid API key"), None),
        ("users", get("/users/count"), 200, Shape(json!({ "status": "OK", "count": 1 })), None),
        ("users of all tenants", get("/users/count?includeAllTenants=true"), 200, Shape(json!({ "status": "OK", "count": 1 })), None),
        ("active users", get("/users/count/active?since=1700000000000"), 200, Shape(json!({ "status": "OK", "count": 1 })), None),
        ("features", get("/ee/featureflag"), 200, Shape(json!({ "features": ["multi_tenancy"], "status": "OK", "usageStats": { "maus": [1], "multi_tenancy": { "connectionUriDomain": "", "appId": "public", "tenants": [{ "tenantId": "public", "usersCount": 1, "hasUsersOrSessions": true, "userPoolId": "ab", "hasEnterpriseLogin": false }] } } })), None),
        ("licence", get("/ee/license"), 200, Shape(json!({ "status": "OK", "licenseKey": "k" })), None),
        ("a bad licence", sent("PUT", "/ee/license", json!({ "licenseKey": "short" })), 200, Json(json!({ "status": "INVALID_LICENSE_KEY_ERROR" })), None),
        ("config of another process", get("/config?pid=1").key(Key::None), 200, Json(json!({ "status": "NOT_ALLOWED" })), None),
        ("bulk import", get("/bulk-import/users/count?status=NEW"), 200, Shape(json!({ "status": "OK", "count": 0 })), None),
        ("migration before 12", get("/migration/mode"), 404, Text("Not found"), None),
        ("no key", get("/users/count").key(Key::None), 401, Text("Invalid API key"), Some(AdminError::WrongKey)),
        ("a wrong key", get("/users/count").key(Key::Own("another-key-of-twenty-letters")), 401, Text("Invalid API key"), Some(AdminError::WrongKey)),
        ("a version of tomorrow", Asked { version: "99.0", ..get("/users/count") }, 400, Text("cdi-version 99.0 not supported"), None),
        ("an unknown path", get("/recipe/no/such"), 404, Text("Not found"), None),
        ("a wrong method", sent("POST", "/users/count", Value::Null), 405, Text("Method not supported"), None),
        ("all domains", get(LIST), 200, Shape(json!({ "status": "OK", "connectionUriDomains": [{ "connectionUriDomain": "", "apps": apps }] })), None),
        ("apps", get("/recipe/multitenancy/app/list/v2"), 200, Shape(json!({ "status": "OK", "apps": apps })), None),
        ("tenants", get("/recipe/multitenancy/tenant/list/v2"), 200, Shape(json!({ "status": "OK", "tenants": [tenant] })), None),
        ("effective settings", get("/recipe/dashboard/tenant/core-config"), 200, Shape(json!({ "status": "OK", "config": [{ "key": "k", "valueType": "number", "value": null, "description": "", "isDifferentAcrossTenants": true, "possibleValues": null, "isNullable": true, "defaultValue": null, "isPluginProperty": false, "isPluginPropertyEditable": false }] })), None),
        // What a put is refused for.
        ("the base's database again", sent("PUT", DOMAINS, domain("c1.example.com", json!({ "api_keys": OWN }))), 400, Text("Invalid core config: ConnectionUriDomain: c1.example.com cannot be mapped to the same user pool as "), Some(AdminError::SamePool { domain: "c1.example.com".into(), with: "".into() })),
        ("an unknown setting", sent("PUT", DOMAINS, domain("c1.example.com", json!({ "foo": 1 }))), 400, Text("Invalid core config: Invalid config key: foo"), Some(AdminError::UnknownSetting { key: "foo".into() })),
        ("a setting of the base", sent("PUT", DOMAINS, domain("c1.example.com", json!({ "log_level": "DEBUG" }))), 400, Text("Invalid core config: log_level can only be set via the core's base config setting"), Some(AdminError::BaseOnly { key: "log_level".into() })),
        ("the base itself", sent("PUT", DOMAINS, domain("", json!({ "api_keys": OWN }))), 400, Text("Cannot modify base config"), Some(AdminError::BaseConfig)),
        ("no domain", sent("PUT", DOMAINS, domain("not a domain", json!({}))), 400, Text("connectionUriDomain is invalid"), Some(AdminError::BadDomain)),
        ("the database without the secret", sent("PUT", DOMAINS, domain("c1.example.com", own("cust1"))).key(Key::Base), 403, Text("Not allowed to modify DB related configs."), Some(AdminError::Protected { what: "database".into() })),
        ("a protected setting without it", sent("PUT", DOMAINS, domain("c1.example.com", json!({ "ip_allow_regex": ".*" }))).key(Key::Base), 403, Text("Not allowed to modify protected configs."), Some(AdminError::Protected { what: "core".into() })),
        // A domain, and what hangs below it.
        ("a tenant that is not there", get(TENANT).host("c0.example.com"), 200, Shape(json!({ "status": "OK" })), None),
        ("a new domain", sent("PUT", DOMAINS, domain("c1.example.com", own("cust1"))), 200, Json(json!({ "status": "OK", "createdNew": true })), None),
        ("the same again", sent("PUT", DOMAINS, domain("c1.example.com", own("cust1"))), 200, Json(json!({ "status": "OK", "createdNew": false })), None),
        ("the same database for another", sent("PUT", DOMAINS, domain("c2.example.com", own("cust1"))), 400, Text("Invalid core config: ConnectionUriDomain: c2.example.com cannot be mapped to the same user pool as c1.example.com"), Some(AdminError::SamePool { domain: "c2.example.com".into(), with: "c1.example.com".into() })),
        ("its own key opens it", get("/users/count").host("c1.example.com").key(Key::Own(OWN)), 200, Json(json!({ "status": "OK", "count": 0 })), None),
        ("case and port of the host do not matter", get("/users/count").host("C1.example.com:3567").key(Key::Own(OWN)), 200, Json(json!({ "status": "OK", "count": 0 })), None),
        ("the base's key does not", get("/users/count").host("c1.example.com").key(Key::Base), 401, Text("Invalid API key"), Some(AdminError::WrongKey)),
        ("domains are listed at the base", get(LIST).host("c1.example.com").key(Key::Own(OWN)), 403, Text("Only the public tenantId, public appId and default connectionUriDomain is allowed to list all connectionUriDomains and appIds associated with this core"), None),
        ("config at the base only", get("/config?pid=1").host("c1.example.com"), 403, Holds(&["default connectionUriDomain"]), None),
        ("an unknown tenant", get("/t1/users/count").host("c1.example.com"), 400, Text(not_found), Some(AdminError::UnknownTenant { place: c1("t1") })),
        ("looked for by its own call", get("/t1/recipe/multitenancy/tenant/v2").host("c1.example.com"), 200, Json(json!({ "status": "TENANT_NOT_FOUND_ERROR" })), None),
        ("a new tenant", sent("PUT", TENANT, json!({ "tenantId": "t1" })).host("c1.example.com"), 200, Json(json!({ "status": "OK", "createdNew": true })), None),
        ("it lets nobody in", get("/t1/recipe/multitenancy/tenant/v2").host("c1.example.com"), 200, Json(json!({ "status": "OK", "tenantId": "t1", "thirdParty": { "providers": [] }, "firstFactors": [], "coreConfig": {} })), None),
        ("what must be one for an app", sent("PUT", TENANT, json!({ "tenantId": "t1", "coreConfig": { "access_token_validity": 7200 } })).host("c1.example.com"), 400, Text("Invalid core config: You cannot set different values for access_token_validity for the same appId"), Some(AdminError::Conflict { key: "access_token_validity".into(), within: "app".into() })),
        ("what must be one for a database", sent("PUT", TENANT, json!({ "tenantId": "t1", "coreConfig": { "postgresql_table_names_prefix": "x" } })).host("c1.example.com"), 400, Text("Invalid core config: You cannot set different values for postgresql_table_names_prefix for the same user pool"), Some(AdminError::Conflict { key: "postgresql_table_names_prefix".into(), within: "user pool".into() })),
        ("a new app", sent("PUT", "/recipe/multitenancy/app/v2", json!({ "appId": "a1" })).host("c1.example.com"), 200, Json(json!({ "status": "OK", "createdNew": true })), None),
        ("a tenant of it", sent("PUT", "/appid-a1/recipe/multitenancy/tenant/v2", json!({ "tenantId": "t2", "firstFactors": ["emailpassword"] })).host("c1.example.com"), 200, Json(json!({ "status": "OK", "createdNew": true })), None),
        ("a provider", sent("PUT", "/appid-a1/t2/recipe/multitenancy/config/thirdparty", json!({ "config": { "thirdPartyId": "google", "clients": [{ "clientId": "w", "clientSecret": "s3cret-google" }] }, "skipValidation": true })).host("c1.example.com"), 200, Json(json!({ "status": "OK", "createdNew": true })), None),
        ("all of it", get("/appid-a1/t2/recipe/multitenancy/tenant/v2").host("c1.example.com"), 200, Json(json!({ "status": "OK", "tenantId": "t2", "firstFactors": ["emailpassword"], "coreConfig": {}, "thirdParty": { "providers": [{ "thirdPartyId": "google", "clients": [{ "clientId": "w", "clientSecret": "s3cret-google" }] }] } })), None),
        ("null takes a setting away", sent("PUT", DOMAINS, domain("c1.example.com", json!({ "postgresql_connection_pool_size": null }))), 200, Json(json!({ "status": "OK", "createdNew": false })), None),
        // What is removed.
        ("a domain with apps stays", sent("POST", "/recipe/multitenancy/connectionuridomain/remove", json!({ "connectionUriDomain": "c1.example.com" })), 403, Holds(&["delete all apps"]), None),
        ("the public tenant stays", sent("POST", "/recipe/multitenancy/tenant/remove", json!({ "tenantId": "public" })).host("c1.example.com"), 403, Holds(&["public tenant"]), None),
        ("an unknown domain is none", sent("POST", "/recipe/multitenancy/connectionuridomain/remove", json!({ "connectionUriDomain": "nobody.example" })), 200, Json(json!({ "status": "OK", "didExist": false })), None),
        ("an unknown tenant is none", sent("POST", "/recipe/multitenancy/tenant/remove", json!({ "tenantId": "nobody" })).host("c1.example.com"), 200, Json(json!({ "status": "OK", "didExist": false })), None),
        ("a provider is taken away", sent("POST", "/appid-a1/t2/recipe/multitenancy/config/thirdparty/remove", json!({ "thirdPartyId": "google" })).host("c1.example.com"), 200, Json(json!({ "status": "OK", "didExist": true })), None),
        // Names that are taken, places that may not ask, methods, and the calls before v2.
        ("a tenant that is called like a call", sent("PUT", TENANT, json!({ "tenantId": "recipe" })).host("c1.example.com"), 400, Holds(&["recipe"]), Some(AdminError::Refused { text: "Cannot use 'recipe' as a tenantId".into() })),
        ("an app that is called like a path", sent("PUT", "/recipe/multitenancy/app/v2", json!({ "appId": "appid-x" })).host("c1.example.com"), 400, Holds(&["appId"]), Some(AdminError::Refused { text: "appId can only contain letters, numbers and hyphens".into() })),
        ("apps are listed at the public app", get("/appid-a1/recipe/multitenancy/app/list/v2").host("c1.example.com"), 403, Holds(&["public appId"]), None),
        ("tenants are listed at the public one", get("/t1/recipe/multitenancy/tenant/list/v2").host("c1.example.com"), 403, Holds(&["public tenantId"]), None),
        ("requests are an app's", get("/t1/requests/stats").host("c1.example.com"), 403, Holds(&["public tenantId"]), None),
        ("features are an app's", get("/t1/ee/featureflag").host("c1.example.com"), 403, Holds(&["public tenantId"]), None),
        ("apps before v2", get("/recipe/multitenancy/app/list"), 200, Shape(json!({ "status": "OK", "apps": [{ "appId": "public", "tenants": [{ "tenantId": "public", "emailPassword": { "enabled": true }, "coreConfig": {} }] }] })), None),
        ("tenants before v2", get("/recipe/multitenancy/tenant/list").host("c1.example.com"), 200, Shape(json!({ "status": "OK", "tenants": [{ "tenantId": "t1" }] })), None),
        ("versions only with a key", get("/apiversion").key(Key::None), 401, Text("Invalid API key"), None),
        ("hello posted", sent("POST", "/hello", Value::Null).key(Key::None), 200, Text("Hello\n"), None),
        ("active since when", get("/users/count/active"), 400, Holds(&["since"]), None),
        ("the pid is named", get("/config").key(Key::None), 400, Holds(&["pid"]), None),
        // Without a licence nothing is made besides the base, and what is there stays.
        ("the licence is taken away", sent("DELETE", "/ee/license", Value::Null), 200, Json(json!({ "status": "OK" })), None),
        ("there is none", get("/ee/license"), 200, Json(json!({ "status": "NO_LICENSE_KEY_FOUND_ERROR" })), None),
        ("a domain without a licence", sent("PUT", DOMAINS, domain("c3.example.com", own("cust3"))), 402, Text("Cannot use feature: multi_tenancy, because the license key is missing, or doesn't have this feature enabled."), Some(AdminError::NoLicence { feature: "multi_tenancy".into() })),
        ("what is there stays", get("/users/count").host("c1.example.com").key(Key::Own(OWN)), 200, Json(json!({ "status": "OK", "count": 0 })), None),
        ("a licence again", sent("PUT", "/ee/license", json!({ "licenseKey": "a-licence-key-of-twenty-letters" })), 200, Json(json!({ "status": "OK" })), None),
    ]
}

const OWN: &str = "the-key-of-one-customer-only";

#[tokio::test(flavor = "multi_thread")]
async fn every_recorded_fact_holds_for_the_pretended_core_and_for_the_client() {
    let rig = Rig::new().await;
    let mut asked_by_client = 0;
    for (what, asked, status, recorded, means) in table() {
        // A client that puts first must not make the bare answer say that it is not new any more.
        let is_put = asked.method == "PUT" && status == 200;
        let (said, body) = rig.ask("shared-prod-1", &asked).await;
        assert_eq!(said, status, "{what}: {body}");
        let value = || serde_json::from_str::<Value>(&body).unwrap_or_else(|_| panic!("{what}: {body}"));
        match &recorded {
            Text(text) => assert_eq!(body, *text, "{what}"),
            Holds(parts) => assert!(parts.iter().all(|part| body.contains(part)), "{what}: {body}"),
            Shape(shape) => assert_eq!(misfit(shape, &value(), ""), None, "{what}"),
            Json(json) => assert_eq!(value(), *json, "{what}"),
        }
        if is_put {
            continue;
        }
        if let Some(error) = by_client(&rig, &asked).await {
            asked_by_client += 1;
            assert_eq!(error, means, "{what}");
        } else {
            assert_eq!(means, None, "{what}: the client has no question for it");
        }
    }
    assert!(asked_by_client > 25, "only {asked_by_client}");
}
