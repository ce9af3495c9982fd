//! What a core tells of itself: signs of life, counts, keys, effective settings.

use super::answers::{Rights, Said, good, late, text, versions};
use super::memory::Triple;
use super::pool::Pool;
use super::put::{Desk, field};
use super::{imports, keys, licence, migration};
use crate::sim::dice::Dice;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Looks at the database that /hello makes at once.
const BUCKET: i64 = 5;
/// Until one more is allowed.
const REFILL_MS: i64 = 200;

/// /hello asks every database of the app, but not more often than five times a second: beyond that it says yes.
pub(super) fn hello(desk: &mut Desk<'_>) -> Said {
    let now = desk.core.now;
    let (left, at) = desk.process.hello.entry(desk.place.app_key()).or_insert((BUCKET, now));
    *left = (*left + (now.0 - at.0).max(0) / REFILL_MS).min(BUCKET);
    if *left == 0 {
        return text(200, "Hello");
    }
    (*left, *at) = (*left - 1, now);
    let all: Vec<Triple> = tenants(desk).cloned().collect();
    let held = all.iter().map(|of| desk.databases.lock(&desk.pool(of))).max().unwrap_or_default();
    let trouble = all.iter().find_map(|of| desk.trouble(of));
    trouble.unwrap_or_else(|| late(text(200, "Hello"), held))
}

/// Users of a tenant: some thousand in a database with customers, and more as time passes; none in a new one.
pub(super) fn users(desk: &Desk<'_>, pool: &Pool, app: &str, tenant: &str) -> u64 {
    let imported = if tenant == "public" { imports::imported(desk, pool, app) } else { 0 };
    let Some(since) = desk.databases.since(pool, app) else { return imported };
    if (app, tenant) != ("public", "public") {
        return imported;
    }
    let mut dice = Dice::new(desk.core.seed, &format!("{}/users", pool.database()));
    let (begun, daily) = (dice.below(18_000) + 40, dice.below(60));
    imported + begun + u64::try_from(desk.core.now.since(since) / 86_400).unwrap_or(0) * daily
}

/// Users who signed up in these ways: most by email and password, some elsewhere.
fn by_recipe(all: u64, recipes: &str) -> Result<u64, Said> {
    let (third, less) = (all / 5, all / 20);
    let mut sum = 0;
    for recipe in recipes.split(',') {
        sum += match recipe {
            "emailpassword" => all - third - less,
            "thirdparty" => third,
            "passwordless" => less,
            "webauthn" => 0,
            other => return Err(text(400, format!("Unknown recipe ID: {other}"))),
        };
    }
    Ok(sum)
}

/// How many users there are. Only who asks for it, in the version that has it, is told how exact that is.
fn counted(desk: &Desk<'_>) -> Result<Said, Said> {
    let (app, tenant) = (desk.place.app(), desk.place.tenant());
    let mut all = if desk.asked.is_set("includeAllTenants") {
        tenants(desk).map(|of| users(desk, &desk.pool(of), app, &of.2)).sum()
    } else {
        users(desk, &desk.pool(&desk.place.triple), app, tenant)
    };
    if let Some(recipes) = desk.asked.parameter("includeRecipeIds") {
        all = by_recipe(all, recipes)?;
    }
    let mut value = json!({ "status": "OK", "count": all });
    if desk.asked.is_set("allowApproximate")
        && desk.version >= (5, 6)
        && let Some(fields) = value.as_object_mut()
    {
        fields.insert("approximate".to_owned(), false.into());
        fields.insert("asOf".to_owned(), desk.core.now.0.into());
    }
    Ok(good(&value))
}

pub(super) fn active(all: u64, days: f64) -> u64 {
    (all as f64 * 0.42 * (1.0 - (-days / 9.0).exp())).round() as u64
}

/// What an app's database is known by: it is the same through whichever core it is asked.
pub(super) fn identity(desk: &Desk<'_>, pool: &Pool, app: &str) -> Dice {
    let wiped = desk.databases.since(pool, app).is_none();
    Dice::new(desk.core.seed, &format!("{}/{app}/{wiped}/identity", pool.database()))
}

pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |mut all, byte| {
        // Writing to a string cannot fail.
        _ = write!(all, "{byte:02x}");
        all
    })
}

/// Answers everything that is no list and no change of tenants.
pub(super) fn looked(desk: &mut Desk<'_>) -> Result<Said, Said> {
    let path = desk.place.path.as_str();
    match path {
        "/apiversion" => {
            let settings = desk.process.resolved(&desk.place.of_app());
            return Ok(good(&json!({ "versions": versions(desk.core, &settings) })));
        }
        "/requests/stats" => {
            return Ok(good(&desk.core.stats(&desk.place.app_key(), desk.process, desk.databases)));
        }
        "/config" => return config(desk),
        _ => {}
    }
    if let Some(trouble) = desk.trouble(&desk.place.triple) {
        return Err(trouble);
    }
    let held = desk.databases.lock(&desk.pool(&desk.place.triple));
    told(desk).map(|said| late(said, held))
}

/// Where its configuration lies, for whoever knows the number of its process: its own start script.
fn config(desk: &Desk<'_>) -> Result<Said, Said> {
    let missing = || text(400, "Field name 'pid' is missing in GET request");
    let pid = desk.asked.parameter("pid").ok_or_else(missing)?;
    if !desk.place.is_base() {
        return Err(text(
            403,
            "you can call this only from the base connection uri domain, public app and tenant",
        ));
    }
    Ok(good(&match pid {
        // The first process of its container, as its log says too.
        "1" => json!({ "status": "OK", "path": "/usr/lib/supertokens/config.yaml" }),
        _ => json!({ "status": "NOT_ALLOWED" }),
    }))
}

/// What its database knows.
fn told(desk: &mut Desk<'_>) -> Result<Said, Said> {
    let path = desk.place.path.as_str();
    let pool = desk.pool(&desk.place.triple);
    let app = desk.place.app().to_owned();
    Ok(match path {
        "/telemetry" => {
            let settings = desk.process.resolved(&desk.place.of_app());
            let is_off = settings.get("disable_telemetry").and_then(Value::as_bool) == Some(true);
            match is_off || desk.base.is_in_memory {
                true => good(&json!({ "exists": false })),
                false => {
                    let id = identity(desk, &pool, &app).uuid();
                    good(&json!({ "exists": true, "telemetryId": id }))
                }
            }
        }
        "/users/count" => counted(desk)?,
        "/users/count/active" => {
            let since = desk.asked.parameter("since");
            let since = since.ok_or_else(|| text(400, "Field name 'since' is missing in GET request"))?;
            let since: i64 = since
                .parse()
                .map_err(|_| text(400, "Field name 'since' must be a long in the GET request"))?;
            if since < 0 {
                return Err(text(400, "'since' query parameter must be >= 0"));
            }
            let days = (desk.core.now.0 - since).max(0) as f64 / 86_400_000.0;
            let count = active(users(desk, &pool, &app, "public"), days);
            good(&json!({ "status": "OK", "count": count }))
        }
        "/ee/featureflag" => licence::features(desk, &pool),
        "/ee/license" => licence::key(desk)?,
        "/recipe/dashboard/tenant/core-config" => effective(desk),
        "/bulk-import/users/count" => imports::queued(desk, &pool)?,
        "/bulk-import/users" => imports::added(desk, &pool)?,
        "/migration/mode" => migration::modes(desk),
        "/migration/backfill/progress" => migration::progress(desk),
        "/recipe/multitenancy/tenant/user" | "/recipe/multitenancy/tenant/user/remove" => {
            // Pretended users have no ids that anybody could name.
            let body = desk.body()?;
            if field(&body, "recipeUserId")?.trim().is_empty() {
                return Err(text(400, "Field name 'userId' cannot be an empty String"));
            }
            good(&json!({ "status": "UNKNOWN_USER_ID_ERROR" }))
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
    })
}

/// The tenants of the app that is asked.
pub(super) fn tenants<'d>(desk: &'d Desk<'_>) -> impl Iterator<Item = &'d Triple> {
    let (domain, app, _) = &desk.place.triple;
    desk.process.known.keys().filter(move |(of, in_app, _)| of == domain && in_app == app)
}

fn effective(desk: &Desk<'_>) -> Said {
    let settings = desk.process.resolved(&desk.place.triple);
    let has_secret = settings.contains_key("supertokens_saas_secret");
    let hides = has_secret && desk.rights != Rights::Secret;
    let rows: Vec<Value> = keys::all(desk.core.major())
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
