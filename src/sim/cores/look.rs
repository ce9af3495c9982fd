//! What a core tells of itself: signs of life, counts, keys, licence, effective settings.

use super::answers::{Rights, Said, good, text, versions};
use super::keys;
use super::memory::{Process, Triple};
use super::pool::Pool;
use super::put::{Desk, field};
use crate::sim::dice::Dice;
use crate::sim::time::Moment;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// /hello asks the database, but not more often than five times a second for one app: beyond that it says yes.
pub(super) fn hello(process: &mut Process, app: &str, now: Moment, trouble: Option<Said>) -> Said {
    let (left, at) = process.hello.entry(app.to_owned()).or_insert((5.0, now));
    let passed = (now.0 - at.0).max(0) as f64 / 200.0;
    *left = (*left + passed).min(5.0);
    *at = now;
    if *left < 1.0 {
        return text(200, "Hello\n");
    }
    *left -= 1.0;
    trouble.unwrap_or_else(|| text(200, "Hello\n"))
}

/// Users of a tenant: some thousand in a database with customers, and more as time passes; none in a new one.
fn users(desk: &Desk<'_>, pool: &Pool, app: &str, tenant: &str) -> u64 {
    let Some(since) = desk.databases.since(pool, app) else { return 0 };
    if (app, tenant) != ("public", "public") {
        return 0;
    }
    let mut dice = Dice::new(desk.core.seed, &format!("{}/users", pool.database()));
    let (begun, daily) = (dice.below(18_000) + 40, dice.below(60));
    begun + u64::try_from(desk.core.now.since(since) / 86_400).unwrap_or(0) * daily
}

fn active(all: u64, days: f64) -> u64 {
    (all as f64 * 0.42 * (1.0 - (-days / 9.0).exp())).round() as u64
}

/// What an app's database is known by: it is the same through whichever core it is asked.
fn identity(desk: &Desk<'_>, pool: &Pool, app: &str) -> Dice {
    let wiped = desk.databases.since(pool, app).is_none();
    Dice::new(desk.core.seed, &format!("{}/{app}/{wiped}/identity", pool.database()))
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut all, byte| {
        // Writing to a string cannot fail.
        _ = write!(all, "{byte:02x}");
        all
    })
}

/// Answers everything that is no list and no change.
pub(super) fn looked(desk: &mut Desk<'_>, trouble: Option<Said>) -> Said {
    let path = desk.place.path.as_str();
    let is_new = matches!(path, "/migration/mode" | "/migration/backfill/progress");
    let methods: &[&str] = match path {
        "/ee/license" => &["GET", "PUT", "DELETE"],
        "/apiversion"
        | "/requests/stats"
        | "/telemetry"
        | "/users/count"
        | "/users/count/active"
        | "/ee/featureflag"
        | "/.well-known/jwks.json"
        | "/recipe/jwt/jwks"
        | "/recipe/dashboard/tenant/core-config"
        | "/bulk-import/users/count" => &["GET"],
        _ if is_new && desk.core.major() >= 12 => &["GET"],
        _ => {
            tracing::debug!(core = %desk.core.id, path, "not served by pretended cores");
            return text(404, "Not found");
        }
    };
    if !methods.contains(&desk.asked.method.as_str()) {
        return text(405, "Method not supported");
    }
    let public_only = matches!(path, "/requests/stats" | "/ee/featureflag");
    if public_only && !desk.place.is_public_tenant() {
        return text(403, "Only the public tenantId is allowed to call this API");
    }
    if let Some(trouble) = trouble
        && !matches!(path, "/apiversion" | "/requests/stats")
    {
        return trouble;
    }
    let pool = desk.pool(&desk.place.triple);
    let (domain, app, tenant) = desk.place.triple.clone();
    match path {
        "/apiversion" => good(&json!({ "versions": versions(desk.core) })),
        "/requests/stats" => good(&desk.core.stats(&desk.place.app_key(), desk.process)),
        "/telemetry" if desk.base.is_in_memory => good(&json!({ "exists": false })),
        "/telemetry" => {
            let id = identity(desk, &pool, &app).uuid();
            good(&json!({ "exists": true, "telemetryId": id }))
        }
        "/users/count" if desk.asked.parameter("includeAllTenants") == Some("true") => {
            let all: u64 = tenants(desk).map(|(.., id)| users(desk, &pool, &app, id)).sum();
            good(&json!({ "status": "OK", "count": all }))
        }
        "/users/count" => good(&json!({ "status": "OK", "count": users(desk, &pool, &app, &tenant) })),
        "/users/count/active" => match desk.asked.parameter("since").and_then(|at| at.parse::<i64>().ok()) {
            Some(since) => {
                let days = (desk.core.now.0 - since).max(0) as f64 / 86_400_000.0;
                let count = active(users(desk, &pool, &app, "public"), days);
                good(&json!({ "status": "OK", "count": count }))
            }
            None => text(400, "Field name 'since' is missing in GET request"),
        },
        "/ee/featureflag" => features(desk, &pool),
        "/ee/license" => licence(desk),
        "/recipe/dashboard/tenant/core-config" => effective(desk),
        "/bulk-import/users/count" => good(&json!({ "status": "OK", "count": 0 })),
        "/migration/mode" | "/migration/backfill/progress" => {
            let mode = |of: &Triple| {
                let settings = desk.base.resolved(&desk.process.known, of);
                settings.get("migration_mode").cloned().unwrap_or_else(|| keys::default("migration_mode"))
            };
            if !domain.is_empty() {
                return good(&json!({ "status": "OK", "mode": mode(&desk.place.triple) }));
            }
            let publics =
                desk.process.known.keys().filter(|(_, app, tenant)| app == "public" && tenant == "public");
            let rows: Vec<Value> =
                publics.map(|of| json!({ "connectionUriDomain": of.0, "mode": mode(of) })).collect();
            good(&json!({ "status": "OK", "cuds": rows }))
        }
        _ => {
            let mut dice = identity(desk, &pool, &app);
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

/// The tenants of the app that is asked.
fn tenants<'d>(desk: &'d Desk<'_>) -> impl Iterator<Item = &'d Triple> {
    let (domain, app, _) = &desk.place.triple;
    desk.process.known.keys().filter(move |(of, in_app, _)| of == domain && in_app == app)
}

fn features(desk: &Desk<'_>, pool: &Pool) -> Said {
    let (domain, app, _) = &desk.place.triple;
    let all = users(desk, pool, app, "public");
    let months: Vec<u64> = (1..=31).map(|days| active(all, f64::from(days))).collect();
    let rows: Vec<Value> = tenants(desk)
        .map(|triple| {
            let pool = desk.pool(triple);
            let users = users(desk, &pool, app, &triple.2);
            let row = desk.process.known.get(triple).cloned().unwrap_or_default();
            let mut value = json!({
                "tenantId": triple.2, "usersCount": users, "hasUsersOrSessions": users > 0,
                "userPoolId": digest(&pool.user_pool()), "hasEnterpriseLogin": !row.providers.is_empty(),
            });
            if let (Some(fields), Some(first)) = (value.as_object_mut(), row.first) {
                fields.insert("firstFactors".to_owned(), json!(first));
            }
            value
        })
        .collect();
    let features: &[&str] = if desk.base.licence.is_some() { &["multi_tenancy"] } else { &[] };
    good(&json!({
        "status": "OK", "features": features,
        "usageStats": {
            "maus": months,
            "multi_tenancy": { "connectionUriDomain": domain, "appId": app, "tenants": rows },
        },
    }))
}

fn licence(desk: &mut Desk<'_>) -> Said {
    match desk.asked.method.as_str() {
        "GET" => good(&match &desk.base.licence {
            Some(key) => json!({ "status": "OK", "licenseKey": key }),
            None => json!({ "status": "NO_LICENSE_KEY_FOUND_ERROR" }),
        }),
        "DELETE" => {
            desk.base.licence = None;
            good(&json!({ "status": "OK" }))
        }
        _ => {
            let body = match desk.body() {
                Ok(body) => body,
                Err(said) => return said,
            };
            match field(&body, "licenseKey") {
                Ok(key) if key.len() >= 20 => {
                    desk.base.licence = Some(key.to_owned());
                    good(&json!({ "status": "OK" }))
                }
                Ok(_) => good(&json!({ "status": "INVALID_LICENSE_KEY_ERROR" })),
                Err(said) => said,
            }
        }
    }
}

fn effective(desk: &Desk<'_>) -> Said {
    let settings = desk.base.resolved(&desk.process.known, &desk.place.triple);
    let has_secret = settings.contains_key("supertokens_saas_secret");
    let hides = has_secret && desk.rights != Rights::Secret;
    let rows: Vec<Value> = keys::all()
        .filter(|(key, _)| !(hides && keys::is_protected(key)))
        .map(|(key, differs)| {
            let default = keys::default(key);
            let value = settings.get(key).cloned().unwrap_or_else(|| default.clone());
            let sort = match &default {
                Value::Number(_) => "number",
                Value::Bool(_) => "boolean",
                _ => "string",
            };
            json!({
                "key": key, "valueType": sort, "value": value, "description": "", "possibleValues": null,
                "isDifferentAcrossTenants": differs, "isNullable": default.is_null(), "defaultValue": default,
                "isPluginProperty": key.starts_with("postgresql_"),
                "isPluginPropertyEditable": key.starts_with("postgresql_"),
            })
        })
        .collect();
    good(&json!({ "status": "OK", "config": rows }))
}
