//! What a core answers: its admin interface as far as it only looks, with the texts and statuses of a real one.

use super::Talk;
use super::stats::count;
use crate::sim::dice::Dice;
use crate::sim::time::Moment;
use crate::sim::world::load::Load;
use crate::sim::world::machine::Kind;
use compact_str::CompactString;
use serde_json::{Value, json};
use std::time::Duration;

/// A core as it is asked.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) id: CompactString,
    /// `11.0.4`
    pub(super) version: String,
    /// The key of the base app; none where any key will do.
    pub(super) key: Option<String>,
    /// Connection URI domains besides the base one.
    pub(super) domains: Vec<String>,
    pub(super) load: Load,
    pub(super) machine: &'static Kind,
    /// Containers that share the host.
    pub(super) neighbours: usize,
    pub(super) started: Moment,
    pub(super) now: Moment,
    pub(super) seed: u64,
}

/// A request.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) host: String,
    pub(super) key: Option<String>,
    pub(super) version: Option<String>,
    pub(super) body: String,
}

/// An answer.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: String,
    /// In pretended time.
    pub(super) delay: Duration,
}

fn text(status: u16, body: impl Into<String>) -> Said {
    Said { status, kind: "text/html;charset=UTF-8", body: body.into(), delay: Duration::ZERO }
}

fn good(value: &Value) -> Said {
    let kind = "application/json;charset=UTF-8";
    Said { status: 200, kind, body: value.to_string(), delay: Duration::ZERO }
}

/// How long a core waits for a database that is away.
const GIVES_UP: Duration = Duration::from_secs(5);

/// Where a request goes: domain, app and tenant, and the path that is left.
struct Place<'a> {
    domain: &'a str,
    app: &'a str,
    tenant: &'a str,
    path: String,
}

fn place<'a>(core: &'a Core, asked: &'a Asked) -> Place<'a> {
    let host = asked.host.rsplit_once(':').map_or(asked.host.as_str(), |(host, _)| host).to_lowercase();
    // A host that nobody knows is no error: it is the base.
    let domain = core.domains.iter().find(|known| **known == host).map_or("", String::as_str);
    let mut rest = asked.path.trim_matches('/');
    let mut app = "public";
    if let Some(after) = rest.strip_prefix("appid-") {
        (app, rest) = after.split_once('/').unwrap_or((after, ""));
    }
    let known = [
        "recipe",
        "users",
        "hello",
        "requests",
        "apiversion",
        "telemetry",
        "config",
        "ee",
        ".well-known",
        "",
    ];
    let first = rest.split('/').next().unwrap_or_default();
    let mut tenant = "public";
    if !known.contains(&first) {
        (tenant, rest) = rest.split_once('/').unwrap_or((rest, ""));
    }
    Place { domain, app, tenant, path: format!("/{rest}") }
}

/// Interface versions that a core speaks.
fn versions(core: &Core) -> Vec<&'static str> {
    let all = [
        "2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13", "2.14", "2.15", "2.16", "2.17", "2.18", "2.19",
        "2.20", "2.21", "3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4",
    ];
    let major: u32 = core.version.split('.').next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let last = match major {
        0..=9 => "5.1",
        10 => "5.2",
        _ => "5.4",
    };
    let end = all.iter().position(|one| *one == last).unwrap_or(all.len() - 1);
    all.iter().take(end + 1).copied().collect()
}

/// Answers a request, and remembers that it was made.
pub(super) fn answer(core: &Core, asked: &Asked, talk: &mut Talk) -> Said {
    let place = place(core, asked);
    let app = format!("{}/{}", place.domain, place.app);
    count(talk, &app, core.now);
    let is_hello = matches!(place.path.as_str(), "/hello" | "/");
    if is_hello {
        return hello(core, talk, &app);
    }
    if place.path == "/config" {
        let pid = asked.query.split('&').any(|pair| pair.starts_with("pid="));
        return match (place.domain, pid) {
            ("", true) => good(&json!({ "status": "NOT_ALLOWED" })),
            ("", false) => text(400, "Field name 'pid' is missing in GET request"),
            _ => text(403, "Only the default connectionUriDomain is allowed to call this API"),
        };
    }
    if place.path != "/.well-known/jwks.json"
        && core.key.as_ref().is_some_and(|key| asked.key.as_ref() != Some(key))
        && asked.key.as_deref() != Some(key_of(core, place.domain).as_str())
    {
        return text(401, "Invalid API key");
    }
    if let Some(wanted) = asked.version.as_deref()
        && !versions(core).contains(&wanted)
    {
        return text(400, format!("cdi-version {wanted} not supported"));
    }
    if place.app != "public" || place.tenant != "public" {
        return text(
            400,
            format!(
                "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: ({}, {}, {})",
                place.domain, place.app, place.tenant
            ),
        );
    }
    let paths = [
        "/apiversion",
        "/requests/stats",
        "/telemetry",
        "/users/count",
        "/users/count/active",
        "/ee/featureflag",
        "/ee/license",
        "/.well-known/jwks.json",
        "/recipe/jwt/jwks",
    ];
    let lists = ["connectionuridomain/list", "app/list", "tenant/list", "tenant"];
    let list = place.path.strip_prefix("/recipe/multitenancy/").map(|rest| rest.trim_end_matches("/v2"));
    let list = list.filter(|rest| lists.contains(rest));
    if list.is_none() && !paths.contains(&place.path.as_str()) {
        tracing::warn!(core = %core.id, method = asked.method, path = asked.path, body = asked.body.len(), "not served by pretended cores");
        return text(404, "Not found");
    }
    if asked.method != "GET" {
        return text(405, "Method not supported");
    }
    if talk.is_cut_off && !matches!(place.path.as_str(), "/apiversion" | "/requests/stats") {
        return Said { delay: GIVES_UP, ..text(500, trouble(core, place.domain)) };
    }
    if let Some(list) = list {
        return listed(core, &place, list);
    }
    looked(core, asked, &place, talk, &app)
}

/// /hello asks the database, but not more often than five times a second for one app: beyond that it says yes.
fn hello(core: &Core, talk: &mut Talk, app: &str) -> Said {
    let (left, at) = talk.hello.entry(app.to_owned()).or_insert((5.0, core.now));
    let passed = (core.now.0 - at.0).max(0) as f64 / 200.0;
    *left = (*left + passed).min(5.0);
    *at = core.now;
    let is_asked = *left >= 1.0;
    if is_asked {
        *left -= 1.0;
    }
    match is_asked && talk.is_cut_off {
        true => Said { delay: GIVES_UP, ..text(500, trouble(core, "")) },
        false => text(200, "Hello\n"),
    }
}

fn trouble(core: &Core, domain: &str) -> String {
    let name = database(core, domain);
    format!(
        "java.sql.SQLException: com.zaxxer.hikari.pool.HikariPool$PoolInitializationException: Failed to initialize pool: Connection to {name}.db.internal:5432 refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections."
    )
}

fn database(core: &Core, domain: &str) -> String {
    let mut dice = Dice::new(core.seed, &format!("{}/{domain}/database", core.id));
    format!("customers-{}", dice.below(9) + 1)
}

/// The key of one domain's app: a customer's own, which lists show in clear as a real core does.
fn key_of(core: &Core, domain: &str) -> String {
    Dice::new(core.seed, &format!("{}/{domain}/key", core.id)).hex(32)
}

fn tenant(core: &Core, domain: &str, is_new: bool) -> Value {
    let mut settings = json!({});
    if !domain.is_empty() {
        let user = domain.split('.').next().unwrap_or_default().replace('-', "_");
        settings = json!({
            "api_keys": key_of(core, domain),
            "postgresql_host": format!("{}.db.internal", database(core, domain)),
            "postgresql_database_name": user,
            "postgresql_user": user,
            "postgresql_password": Dice::new(core.seed, &format!("{domain}/password")).hex(24),
            "postgresql_connection_pool_size": 3,
        });
    }
    let mut row = json!({ "tenantId": "public", "thirdParty": { "providers": [] }, "coreConfig": settings });
    if !is_new && let Some(row) = row.as_object_mut() {
        for method in ["emailPassword", "passwordless"] {
            row.insert(method.to_owned(), json!({ "enabled": true }));
        }
    }
    row
}

fn listed(core: &Core, place: &Place, list: &str) -> Said {
    let is_new = place.path.ends_with("/v2");
    let app = |domain: &str| json!({ "appId": "public", "tenants": [tenant(core, domain, is_new)] });
    match list {
        "connectionuridomain/list" if !place.domain.is_empty() => text(
            403,
            "Only the public tenantId, public appId and default connectionUriDomain is allowed to list all connectionUriDomains and appIds associated with this core",
        ),
        "connectionuridomain/list" => {
            let all = std::iter::once("").chain(core.domains.iter().map(String::as_str));
            let rows: Vec<Value> =
                all.map(|domain| json!({ "connectionUriDomain": domain, "apps": [app(domain)] })).collect();
            good(&json!({ "status": "OK", "connectionUriDomains": rows }))
        }
        "app/list" => good(&json!({ "status": "OK", "apps": [app(place.domain)] })),
        "tenant/list" => good(&json!({ "status": "OK", "tenants": [tenant(core, place.domain, is_new)] })),
        _ => {
            let mut row = tenant(core, place.domain, is_new);
            if let Some(row) = row.as_object_mut() {
                row.insert("status".to_owned(), "OK".into());
            }
            good(&row)
        }
    }
}

/// Users of a domain: some thousand, and more as time passes.
fn users(core: &Core, domain: &str) -> u64 {
    let mut dice = Dice::new(core.seed, &format!("{}/{domain}/users", core.id));
    let (begun, daily) = (dice.below(18_000) + 40, dice.below(60));
    let days = u64::try_from(core.now.since(core.started) / 86_400).unwrap_or(0);
    begun + days * daily
}

fn looked(core: &Core, asked: &Asked, place: &Place, talk: &Talk, app: &str) -> Said {
    let parameter = |name: &str| {
        let mut pairs = asked.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let active = |days: f64| {
        let all = users(core, place.domain) as f64;
        (all * 0.42 * (1.0 - (-days / 9.0).exp())).round() as u64
    };
    let mut dice = Dice::new(core.seed, &format!("{}/{}/identity", core.id, place.domain));
    match place.path.as_str() {
        "/apiversion" => good(&json!({ "versions": versions(core) })),
        "/requests/stats" => good(&core.stats(app, talk)),
        "/telemetry" => good(&json!({ "exists": true, "telemetryId": dice.uuid() })),
        "/users/count" => good(&json!({ "status": "OK", "count": users(core, place.domain) })),
        "/users/count/active" => match parameter("since").and_then(|since| since.parse::<i64>().ok()) {
            Some(since) => {
                let days = (core.now.0 - since).max(0) as f64 / 86_400_000.0;
                good(&json!({ "status": "OK", "count": active(days) }))
            }
            None => text(400, "Field name 'since' is missing in GET request"),
        },
        "/ee/featureflag" => {
            let months: Vec<u64> = (1..=31).map(|days| active(f64::from(days))).collect();
            good(&json!({
                "status": "OK", "features": ["multi_tenancy"], "usageStats": { "maus": months },
            }))
        }
        "/ee/license" => good(&json!({ "status": "OK", "licenseKey": dice.uuid() })),
        _ => {
            let keys: Vec<Value> = ["d", "s"]
                .iter()
                .map(|sort| {
                    json!({
                        "kty": "RSA", "kid": format!("{sort}-{}", dice.uuid()), "n": dice.hex(64), "e": "AQAB",
                        "alg": "RS256", "use": "sig",
                    })
                })
                .collect();
            good(&json!({ "keys": keys }))
        }
    }
}
