//! The table itself: what was recorded of real cores, line by line.

use super::Recorded::{self, Exact, Holds, Json, Shape, Text};
use super::{Asked, Fact, Key, NO_LICENCE, OWN, SECRET, URI, domain, fact, get, sent};
use coredeck::gateway::AdminError;
use coredeck::model::admin::Place;
use serde_json::{Value, json};

const DOMAINS: &str = "/recipe/multitenancy/connectionuridomain/v2";
const LIST: &str = "/recipe/multitenancy/connectionuridomain/list/v2";
const REMOVE: &str = "/recipe/multitenancy/connectionuridomain/remove";
const APP: &str = "/recipe/multitenancy/app/v2";
const TENANT: &str = "/recipe/multitenancy/tenant/v2";
const PROVIDER: &str = "/recipe/multitenancy/config/thirdparty";
const BULK: &str = "/bulk-import/users/count";
const STEPS: &str = "/migration/backfill/progress";
const C1: &str = "c1.example.com";
const FOR_THE_APP: &str = "Only public tenantId can call this app specific API";
const LIST_AT_BASE: &str = "Only the public tenantId, public appId and default connectionUriDomain is allowed to list all connectionUriDomains and appIds associated with this core";
const NOT_FOUND: &str = "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: ";

fn own(name: &str) -> Value {
    json!({ "postgresql_connection_uri": format!("{URI}{name}"), "api_keys": OWN, "postgresql_connection_pool_size": 3 })
}

fn ok() -> Recorded {
    Json(json!({ "status": "OK" }))
}

fn made(is_new: bool) -> Recorded {
    Json(json!({ "status": "OK", "createdNew": is_new }))
}

fn count(many: u64) -> Recorded {
    Json(json!({ "status": "OK", "count": many }))
}

fn tenant(id: &str) -> Value {
    json!({ "tenantId": id, "thirdParty": { "providers": [] }, "coreConfig": {} })
}

/// A tenant that is asked for by its own call.
fn shown(id: &str, more: Value) -> Recorded {
    let mut all = tenant(id);
    all["status"] = json!("OK");
    for (key, value) in more.as_object().unwrap() {
        all[key] = value.clone();
    }
    Json(all)
}

fn refused(text: &str) -> AdminError {
    AdminError::Refused { text: text.to_owned() }
}

fn put(body: Value) -> Asked<'static> {
    sent("PUT", DOMAINS, body)
}

/// Signs of life, counts, keys, licence: every core has them, and most are of the app that the path names.
pub(super) fn looks() -> Vec<Fact> {
    let features = json!({
        "features": ["multi_tenancy"], "status": "OK", "usageStats": { "maus": [1], "multi_tenancy": {
            "connectionUriDomain": "", "appId": "public", "tenants": [{
                "tenantId": "public", "usersCount": 1, "hasUsersOrSessions": true, "userPoolId": "ab",
                "hasEnterpriseLogin": false,
            }],
        } },
    });
    let all_features = json!({
        "features": ["account_linking"], "status": "OK", "usageStats": {
            "maus": [1], "dashboard_login": { "user_count": 1 }, "account_linking": { "usesAccountLinking": true },
            "oauth": { "totalNumberOfClients": 0 }, "saml": { "tenants": Value::Null }, "security": {}, "mfa": {},
        },
    });
    let stats = json!({ "atMinute": 1, "averageRequestsPerSecond": [1.5], "peakRequestsPerSecond": [3], "status": "OK" });
    vec![
        fact("hello needs no key", get("/hello").key(Key::None), 200, Exact("Hello\n")),
        fact(
            "hello at the root, by any method",
            sent("DELETE", "/", Value::Null).key(Key::None),
            200,
            Text("Hello"),
        ),
        fact("hello posted", sent("POST", "/hello", Value::Null).key(Key::None), 200, Text("Hello")),
        fact("hello put", sent("PUT", "/hello", Value::Null).key(Key::None), 200, Text("Hello")),
        fact("hello is an app's", get("/ghost/hello").key(Key::None), 200, Text("Hello")),
        fact("an unknown host is the base", get("/hello").host("nobody.example"), 200, Text("Hello")),
        fact("versions", get("/apiversion"), 200, Shape(json!({ "versions": ["2.14"] }))),
        fact(
            "versions for a site",
            get("/apiversion?websiteDomain=https://a.example&apiDomain=https://b.example"),
            200,
            Shape(json!({ "versions": ["2.14"] })),
        ),
        fact("versions only with a key", get("/apiversion").key(Key::None), 401, Text("Invalid API key")),
        fact("stats", get("/requests/stats"), 200, Shape(stats)),
        fact("requests are an app's", get("/t1/requests/stats"), 403, Text(FOR_THE_APP)),
        fact("telemetry", get("/telemetry"), 200, Shape(json!({ "exists": true, "telemetryId": "uuid" }))),
        fact("telemetry is an app's", get("/t1/telemetry"), 403, Text(FOR_THE_APP)),
        fact("telemetry in memory", get("/telemetry").of("memory"), 200, Json(json!({ "exists": false }))),
        fact("telemetry switched off", get("/telemetry").of("silent"), 200, Json(json!({ "exists": false }))),
        fact(
            "keys without a key",
            get("/.well-known/jwks.json").key(Key::None),
            200,
            Shape(json!({ "keys": [{ "kid": "d-1" }] })),
        ),
        fact("keys with one", get("/recipe/jwt/jwks"), 200, Shape(json!({ "keys": [{ "kid": "d-1" }] }))),
        fact("those only with one", get("/recipe/jwt/jwks").key(Key::None), 401, Text("Invalid API key")),
        fact("users", get("/users/count"), 200, Shape(json!({ "status": "OK", "count": 1 }))),
        fact(
            "users of all tenants",
            get("/users/count?includeAllTenants=true"),
            200,
            Shape(json!({ "status": "OK", "count": 1 })),
        ),
        fact(
            "all tenants are an app's",
            get("/t1/users/count?includeAllTenants=true"),
            403,
            Text(FOR_THE_APP),
        ),
        fact(
            "users by their way in",
            get("/users/count?includeRecipeIds=emailpassword,thirdparty"),
            200,
            Shape(json!({ "status": "OK", "count": 1 })),
        ),
        fact(
            "a way that is none",
            get("/users/count?includeRecipeIds=letters"),
            400,
            Text("Unknown recipe ID: letters"),
        ),
        fact(
            "about as many users",
            Asked { version: Some("5.6"), ..get("/users/count?allowApproximate=true").of("new") },
            200,
            Shape(json!({ "status": "OK", "count": 1, "approximate": false, "asOf": 1 })),
        ),
        fact(
            "not before that version",
            get("/users/count?allowApproximate=true").of("new"),
            200,
            Holds(&["count", "!asOf", "!approximate"]),
        ),
        fact(
            "active users",
            get("/users/count/active?since=1700000000000"),
            200,
            Shape(json!({ "status": "OK", "count": 1 })),
        ),
        fact(
            "active since when",
            get("/users/count/active"),
            400,
            Text("Field name 'since' is missing in GET request"),
        ),
        fact(
            "active since a moment",
            get("/users/count/active?since=then"),
            400,
            Text("Field name 'since' must be a long in the GET request"),
        ),
        fact("active are an app's", get("/t1/users/count/active?since=1"), 403, Text(FOR_THE_APP)),
        fact("features", get("/ee/featureflag"), 200, Shape(features)),
        fact("every feature", get("/ee/featureflag").of("new"), 200, Shape(all_features)),
        fact("features are an app's", get("/t1/ee/featureflag"), 403, Text(FOR_THE_APP)),
        fact(
            "features without that part",
            get("/ee/featureflag").of("plain"),
            200,
            Json(json!({ "features": [], "usageStats": {}, "status": "OK" })),
        ),
        fact("licence", get("/ee/license"), 200, Shape(json!({ "status": "OK", "licenseKey": "k" }))),
        fact(
            "no licence",
            get("/ee/license").of("lone"),
            200,
            Json(json!({ "status": "NO_LICENSE_KEY_FOUND_ERROR" })),
        ),
        fact("licences are an app's", get("/t1/ee/license"), 403, Text(FOR_THE_APP)),
        fact(
            "a bad licence",
            sent("PUT", "/ee/license", json!({ "licenseKey": "short" })),
            200,
            Json(json!({ "status": "INVALID_LICENSE_KEY_ERROR" })),
        ),
        fact(
            "a licence without that part",
            sent("PUT", "/ee/license", json!({ "licenseKey": "a-licence-key-of-twenty-letters" }))
                .of("plain"),
            200,
            Json(json!({ "status": "MISSING_EE_FOLDER_ERROR" })),
        ),
        fact(
            "config of its own process",
            get("/config?pid=1").key(Key::None),
            200,
            Json(json!({ "status": "OK", "path": "/usr/lib/supertokens/config.yaml" })),
        ),
        fact(
            "config of another process",
            get("/config?pid=7").key(Key::None),
            200,
            Json(json!({ "status": "NOT_ALLOWED" })),
        ),
        fact(
            "the pid is named",
            get("/config").key(Key::None),
            400,
            Text("Field name 'pid' is missing in GET request"),
        ),
        fact(
            "config at the base only",
            get("/config?pid=1").host("acme.example.com"),
            403,
            Text("you can call this only from the base connection uri domain, public app and tenant"),
        ),
        fact("migration before 12", get("/migration/mode"), 404, Text("Not found")),
        fact("progress before 12", get(STEPS), 404, Text("Not found")).means(AdminError::UnknownCall),
        fact(
            "migration at the base",
            get("/migration/mode").of("new"),
            200,
            Shape(json!({ "status": "OK", "cuds": [{ "connectionUriDomain": "", "mode": "LEGACY" }] })),
        ),
        fact(
            "migration of a domain",
            get("/migration/mode").of("new").host("beta.example.com"),
            200,
            Json(json!({ "status": "OK", "mode": "LEGACY" })),
        ),
        fact(
            "progress at the base",
            get(STEPS).of("new"),
            200,
            Shape(
                json!({ "status": "OK", "cuds": [{ "connectionUriDomain": "", "mode": "LEGACY", "pendingUsers": 1 }] }),
            ),
        ),
        fact(
            "progress while it lasts",
            get("/migration/backfill/progress?verify=true").of("new").host("beta.example.com"),
            200,
            Shape(json!({ "status": "OK", "mode": "LEGACY", "pendingUsers": 1, "verifySkipped": "why" })),
        ),
        fact("nobody waits to be imported", get(BULK), 200, count(0)),
        fact("new ones who wait", get("/bulk-import/users/count?status=NEW"), 200, count(0)),
        fact("ones on their way", get("/bulk-import/users/count?status=PROCESSING"), 200, count(0)),
        fact("ones who failed", get("/bulk-import/users/count?status=FAILED"), 200, count(0)),
        fact(
            "no other ones",
            get("/bulk-import/users/count?status=LOST"),
            400,
            Text("Invalid value for status. Pass one of NEW, PROCESSING, or FAILED!"),
        ),
        fact("imports are an app's", get("/t1/bulk-import/users/count"), 403, Text(FOR_THE_APP)),
        fact(
            "none in memory",
            get(BULK).of("memory"),
            400,
            Text("This API is not supported in the in-memory database."),
        ),
        fact("no figures for a monitor", get("/metrics"), 404, Text("Not found")),
    ]
}

/// Headers: keys, the secret, versions, hosts.
pub(super) fn headers() -> Vec<Fact> {
    let count = || get("/users/count");
    let with = |headers: &'static [(&str, &str)]| Asked { headers, ..count().key(Key::None) };
    vec![
        fact("no key", count().key(Key::None), 401, Text("Invalid API key")).means(AdminError::WrongKey),
        fact(
            "a wrong key",
            count().key(Key::Own("another-key-of-twenty-letters")),
            401,
            Text("Invalid API key"),
        )
        .means(AdminError::WrongKey),
        fact(
            "a key after a word",
            Asked { bearer: Some("Bearer "), ..count().key(Key::Base) },
            200,
            Shape(json!({ "count": 1 })),
        ),
        fact(
            "a key after the word in small letters",
            Asked { bearer: Some("bearer "), ..count().key(Key::Base) },
            200,
            Shape(json!({ "count": 1 })),
        ),
        fact(
            "a key by itself there",
            Asked { bearer: Some(""), ..count().key(Key::Base) },
            200,
            Shape(json!({ "count": 1 })),
        ),
        fact("the secret is a key", count().key(Key::Secret), 200, Shape(json!({ "count": 1 }))),
        fact(
            "the secret has no header of its own",
            with(&[("supertokens-saas-secret", SECRET)]),
            401,
            Text("Invalid API key"),
        ),
        fact(
            "a recipe may be named",
            Asked { headers: &[("rid", "multitenancy")], ..count() },
            200,
            Shape(json!({ "count": 1 })),
        ),
        fact(
            "no version need be named",
            Asked { version: None, ..count() },
            200,
            Shape(json!({ "count": 1 })),
        ),
        fact(
            "a version of tomorrow",
            Asked { version: Some("99.0"), ..count() },
            400,
            Text("cdi-version 99.0 not supported"),
        ),
        fact(
            "a version that never was",
            Asked { version: Some("4.7"), ..count() },
            400,
            Text("cdi-version 4.7 not supported"),
        ),
        fact(
            "no version at all",
            Asked { version: Some("five"), ..count() },
            400,
            Text("cdi-version header is invalid"),
        ),
        fact(
            "more than an app may",
            Asked { version: Some("5.1"), ..count().of("bounded") },
            400,
            Text("cdi-version 5.1 not supported"),
        )
        .means(AdminError::UnknownVersion { version: "5.1".into() }),
        fact(
            "less than an app may",
            Asked { version: Some("3.0"), ..count().of("bounded") },
            400,
            Text("cdi-version 3.0 is lower than the minimum allowed version 4.0"),
        ),
        fact(
            "tenants came with 3.0",
            Asked { version: Some("2.21"), ..get("/t1/users/count") },
            404,
            Text("Not found"),
        ),
        fact(
            "an unknown host has the base's users",
            count().host("nobody.example"),
            200,
            Holds(&["\"count\""]),
        ),
        fact(
            "an address that is not let in",
            get("/hello").of("walled").key(Key::None),
            403,
            Holds(&["403"]),
        )
        .means(AdminError::AddressDenied),
        fact("an unknown path", get("/recipe/no/such"), 404, Text("Not found")),
        fact("an unknown path without a key", get("/recipe/no/such").key(Key::None), 404, Text("Not found")),
        fact("a wrong method", sent("POST", "/users/count", Value::Null), 405, Text("Method not supported")),
        fact(
            "a method that nobody has",
            sent("PATCH", "/hello", Value::Null),
            405,
            Text("Method not supported"),
        ),
        fact("no JSON", Asked { raw: Some("{"), ..put(json!({})) }, 400, Text("Invalid Json Input"))
            .unasked(),
    ]
}

/// Lists, and what a put is refused for.
pub(super) fn refusals() -> Vec<Fact> {
    let apps = json!([{ "appId": "public", "tenants": [tenant("public")] }]);
    let setting = json!({
        "key": "k", "valueType": "number", "value": Value::Null, "description": "", "isDifferentAcrossTenants": true,
        "possibleValues": Value::Null, "isNullable": true, "defaultValue": Value::Null, "isPluginProperty": false,
        "isPluginPropertyEditable": false,
    });
    let alone = |body: Value| put(domain(C1, body));
    vec![
        fact("all domains", get(LIST), 200, Shape(json!({ "status": "OK", "connectionUriDomains": [{ "connectionUriDomain": "", "apps": apps }] }))),
        fact("apps", get("/recipe/multitenancy/app/list/v2"), 200, Shape(json!({ "status": "OK", "apps": apps }))),
        fact("tenants", get("/recipe/multitenancy/tenant/list/v2"), 200, Shape(json!({ "status": "OK", "tenants": [tenant("public")] }))),
        fact("effective settings", get("/recipe/dashboard/tenant/core-config"), 200, Shape(json!({ "status": "OK", "config": [setting] }))),
        fact("the base's database again", alone(json!({ "api_keys": OWN })), 400, Text("Invalid core config: ConnectionUriDomain:  cannot be mapped to the same user pool as c1.example.com")).means(AdminError::SamePool { domain: "".into(), with: C1.into() }),
        fact("an unknown setting", alone(json!({ "foo": 1 })), 400, Text("Invalid core config: Invalid config key: foo")).means(AdminError::UnknownSetting { key: "foo".into() }),
        fact("a setting of the base", alone(json!({ "log_level": "DEBUG" })), 400, Text("Invalid core config: log_level can only be set via the core's base config setting")).means(AdminError::BaseOnly { key: "log_level".into() }),
        fact("the base itself", put(json!({ "connectionUriDomain": Value::Null, "coreConfig": { "api_keys": OWN } })), 400, Text("Cannot modify base config")).means(AdminError::BaseConfig),
        fact("an empty domain", put(domain("", json!({ "api_keys": OWN }))), 400, Text("connectionUriDomain should not be an empty String")).unasked(),
        fact("no domain", put(domain("not a domain", json!({}))), 400, Text("connectionUriDomain is invalid")).means(AdminError::BadDomain),
        fact("settings that are none", put(json!({ "connectionUriDomain": C1, "coreConfig": 7 })), 400, Text("Field name 'coreConfig' is invalid in JSON input")).unasked(),
        fact("a short key", alone(json!({ "postgresql_connection_uri": format!("{URI}x"), "api_keys": "short" })), 400, Text("Invalid core config: One of the API keys is too short. Please use at least 20 characters")).means(refused("One of the API keys is too short. Please use at least 20 characters")),
        fact("a key with a strange letter", alone(json!({ "postgresql_connection_uri": format!("{URI}x"), "api_keys": "a_key_of_more_than_twenty_letters" })), 400, Holds(&["Invalid characters in API key. Please only use '=', '-' and alpha-numeric (including capitals)"])).unasked(),
        fact("the database without the secret", put(domain(C1, own("cust1"))).key(Key::Base), 403, Text("Not allowed to modify DB related configs.")).means(AdminError::Protected { what: "database".into() }),
        fact("a protected setting without it", alone(json!({ "ip_allow_regex": ".*" })).key(Key::Base), 403, Text("Not allowed to modify protected configs.")).means(AdminError::Protected { what: "core".into() }),
        fact("a step before 12", alone(json!({ "migration_mode": "LEGACY" })), 400, Text("Invalid core config: Invalid config key: migration_mode")).means(AdminError::UnknownSetting { key: "migration_mode".into() }),
        fact("login methods twice", put(json!({ "connectionUriDomain": C1, "coreConfig": own("cust1"), "firstFactors": ["totp", "totp"] })), 400, Text("firstFactors input should not contain duplicate values")).unasked(),
        fact("no second factor", put(json!({ "connectionUriDomain": C1, "coreConfig": own("cust1"), "requiredSecondaryFactors": [] })), 400, Text("requiredSecondaryFactors cannot be empty. Set null instead to remove all required secondary factors.")).unasked(),
        fact("a core that is held to one domain", get("/users/count").of("held").host("acme.example.com"), 400, Text("Connection URI domain is disallowed")).means(AdminError::OtherDomain),
        fact("it serves that one", get("/hello").of("held").host("only.example.com"), 200, Text("Hello")),
        fact("and its base", get("/users/count").of("held"), 200, Shape(json!({ "count": 1 }))),
        fact("and makes no other", put(domain("more.example.com", own("more"))).of("held"), 400, Text("Creation of connection uri domain or app or tenant is disallowed")).means(AdminError::OtherDomain),
        fact("a domain without a licence", put(domain("x.example.com", own("x"))).of("lone"), 402, Text(NO_LICENCE)).means(AdminError::NoLicence { feature: "multi_tenancy".into() }),
        fact("a tenant without one", sent("PUT", TENANT, json!({ "tenantId": "t1" })).of("lone"), 402, Text(NO_LICENCE)).means(AdminError::NoLicence { feature: "multi_tenancy".into() }),
        fact("its base needs none", get(LIST).of("lone"), 200, Shape(json!({ "connectionUriDomains": [{ "connectionUriDomain": "" }] }))),
    ]
}

/// A domain, what hangs below it, and what takes it away.
#[allow(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn domains() -> Vec<Fact> {
    let c1 = |asked: Asked<'static>| asked.host(C1);
    let below = |body: Value| c1(sent("PUT", TENANT, body));
    let mine = || c1(get("/users/count")).key(Key::Own(OWN));
    let unknown = |place: Place| AdminError::UnknownTenant { place };
    let t1 = Place { tenant: "t1".into(), ..Place::of(C1) };
    let a0 = Place { app: "a0".into(), ..Place::of(C1) };
    let google = json!({ "thirdPartyId": "google", "clients": [{ "clientId": "w", "clientSecret": "s3cret-google" }] });
    let gone = |did: bool| Json(json!({ "status": "OK", "didExist": did }));
    vec![
        fact("a tenant that is not there", get(TENANT).host("c0.example.com"), 200, Shape(json!({ "status": "OK" }))),
        fact("a new domain", put(domain(C1, own("cust1"))), 200, made(true)),
        fact("the same again", put(domain(C1, own("cust1"))), 200, made(false)),
        fact("it may change itself", c1(put(domain(C1, json!({ "access_token_validity": 7200 })))), 200, made(false)),
        fact("what it had is still there", c1(get(TENANT)), 200, shown("public", json!({ "coreConfig": {
            "access_token_validity": 7200, "api_keys": OWN, "postgresql_connection_pool_size": 3,
            "postgresql_connection_uri": format!("{URI}cust1"),
        } }))),
        fact("but no other", c1(put(domain("c2.example.com", own("cust2")))), 403, Text("You must use the default or same connectionUriDomain to create/update a connectionUriDomain")).unasked(),
        fact("the same database for another", put(domain("c2.example.com", own("cust1"))), 400, Text("Invalid core config: ConnectionUriDomain: c1.example.com cannot be mapped to the same user pool as c2.example.com")).means(AdminError::SamePool { domain: C1.into(), with: "c2.example.com".into() }),
        fact("by another name nobody sees it", put(domain("alias.example.com", json!({ "postgresql_connection_uri": "postgresql://cust:s3cret-pw@customers-1.proxy.internal:5432/cust1", "api_keys": OWN }))), 200, made(true)),
        fact("another schema is another database", put(domain("schema.example.com", json!({ "postgresql_connection_uri": format!("{URI}cust1?currentSchema=second"), "api_keys": OWN }))), 200, made(true)),
        fact("and is made, and empty", get("/users/count").host("schema.example.com").key(Key::Own(OWN)), 200, count(0)),
        fact("its own key opens it", mine(), 200, count(0)),
        fact("case and port of the host do not matter", get("/users/count").host("C1.example.com:3567").key(Key::Own(OWN)), 200, count(0)),
        fact("the base's key does not", c1(get("/users/count")).key(Key::Base), 401, Text("Invalid API key")).means(AdminError::WrongKey),
        fact("domains are listed at the base", c1(get(LIST)).key(Key::Own(OWN)), 403, Text(LIST_AT_BASE)),
        fact("an unknown tenant", c1(get("/t1/users/count")), 400, Recorded::Made(format!("{NOT_FOUND}({C1}, public, t1)"))).means(unknown(t1)),
        fact("an unknown tenant without a key", c1(get("/t1/users/count")).key(Key::None), 401, Text("Invalid API key")).means(AdminError::WrongKey),
        fact("an unknown app", c1(get("/appid-a0/users/count")), 400, Recorded::Made(format!("{NOT_FOUND}({C1}, a0, public)"))).means(unknown(a0)),
        fact("looked for by its own call", c1(get("/t1/recipe/multitenancy/tenant/v2")), 200, Json(json!({ "status": "TENANT_NOT_FOUND_ERROR" }))),
        fact("a new tenant", below(json!({ "tenantId": "t1" })), 200, made(true)),
        fact("it lets nobody in", c1(get("/t1/recipe/multitenancy/tenant/v2")), 200, shown("t1", json!({ "firstFactors": [] }))),
        fact("it may change itself too", c1(sent("PUT", "/t1/recipe/multitenancy/tenant/v2", json!({ "tenantId": "t1", "firstFactors": ["otp-email", "link-phone"], "requiredSecondaryFactors": ["totp"] }))), 200, made(false)),
        fact("and has both kinds of factors", c1(get("/t1/recipe/multitenancy/tenant/v2")), 200, shown("t1", json!({ "firstFactors": ["otp-email", "link-phone"], "requiredSecondaryFactors": ["totp"] }))),
        fact("null is every login method", below(json!({ "tenantId": "t1", "firstFactors": Value::Null, "requiredSecondaryFactors": Value::Null })), 200, made(false)),
        fact("and no list", c1(get("/t1/recipe/multitenancy/tenant/v2")), 200, shown("t1", json!({}))),
        fact("a tenant makes no other", c1(sent("PUT", "/t1/recipe/multitenancy/tenant/v2", json!({ "tenantId": "t9" }))), 403, Text("You must use the public or same tenant to add/update a tenant")).unasked(),
        fact("what must be one for an app", below(json!({ "tenantId": "t1", "coreConfig": { "access_token_validity": 3600 } })), 400, Text("Invalid core config: You cannot set different values for access_token_validity for the same appId")).means(AdminError::Conflict { key: "access_token_validity".into(), within: "app".into() }),
        fact("what must be one for a database", below(json!({ "tenantId": "t1", "coreConfig": { "postgresql_table_names_prefix": "x" } })), 400, Text("Invalid core config: You cannot set different values for postgresql_table_names_prefix for the same user pool")).means(AdminError::Conflict { key: "postgresql_table_names_prefix".into(), within: "user pool".into() }),
        fact("tables too", below(json!({ "tenantId": "t1", "coreConfig": { "postgresql_session_info_table_name": "s" } })), 400, Holds(&["postgresql_session_info_table_name for the same user pool"])).means(AdminError::Conflict { key: "postgresql_session_info_table_name".into(), within: "user pool".into() }),
        fact("a new app", c1(sent("PUT", APP, json!({ "appId": "a1" }))), 200, made(true)),
        fact("it may change itself as well", c1(sent("PUT", "/appid-a1/recipe/multitenancy/app/v2", json!({ "appId": "a1" }))), 200, made(false)),
        fact("an app makes no other", c1(sent("PUT", "/appid-a1/recipe/multitenancy/app/v2", json!({ "appId": "a9" }))), 403, Text("You must use the public or same app to add/update an app")).unasked(),
        fact("nor does a tenant", c1(sent("PUT", "/t1/recipe/multitenancy/app/v2", json!({ "appId": "a9" }))), 403, Text("You must use the public or same app to add/update an app")).unasked(),
        fact("a tenant of it", c1(sent("PUT", "/appid-a1/recipe/multitenancy/tenant/v2", json!({ "tenantId": "t2", "firstFactors": ["emailpassword"] }))), 200, made(true)),
        fact("a provider", c1(sent("PUT", "/appid-a1/t2/recipe/multitenancy/config/thirdparty", json!({ "config": google, "skipValidation": true }))), 200, made(true)),
        fact("all of it", c1(get("/appid-a1/t2/recipe/multitenancy/tenant/v2")), 200, shown("t2", json!({ "firstFactors": ["emailpassword"], "thirdParty": { "providers": [google] } }))),
        fact("a provider of nobody", c1(sent("PUT", PROVIDER, json!({ "config": {} }))), 400, Text("Field name 'thirdPartyId' is invalid in JSON input")),
        fact("a provider without its config", c1(sent("PUT", PROVIDER, json!({}))), 400, Text("Field name 'config' is invalid in JSON input")),
        fact("nobody joins a tenant", c1(sent("POST", "/t1/recipe/multitenancy/tenant/user", json!({ "recipeUserId": "u" }))), 200, Json(json!({ "status": "UNKNOWN_USER_ID_ERROR" }))),
        fact("nor leaves it", c1(sent("POST", "/t1/recipe/multitenancy/tenant/user/remove", json!({ "recipeUserId": "u" }))), 200, Json(json!({ "status": "UNKNOWN_USER_ID_ERROR" }))),
        fact("a user has an id", c1(sent("POST", "/t1/recipe/multitenancy/tenant/user", json!({}))), 400, Text("Field name 'recipeUserId' is invalid in JSON input")),
        fact("null takes a setting away", put(domain(C1, json!({ "postgresql_connection_pool_size": Value::Null }))), 200, made(false)),
        fact("and it is gone", c1(get(TENANT)), 200, Holds(&["!postgresql_connection_pool_size"])),
        fact("the secret is nobody's but the base's", put(domain(C1, json!({ "supertokens_saas_secret": SECRET }))), 400, Text("Invalid core config: supertokens_saas_secret can only be set via the core's base config setting")).means(AdminError::BaseOnly { key: "supertokens_saas_secret".into() }),
        fact("a domain has no licence of its own", c1(get("/ee/license")), 200, Json(json!({ "status": "NO_LICENSE_KEY_FOUND_ERROR" }))),
        fact("what it uses is told there", c1(get("/ee/featureflag")), 200, Shape(json!({ "features": Value::Null, "usageStats": { "multi_tenancy": { "connectionUriDomain": C1, "appId": "public", "tenants": [{ "tenantId": "t", "usersCount": 0 }] } } }))),
        // Names that are taken.
        fact("a tenant that is called like a call", below(json!({ "tenantId": "recipe" })), 400, Text("Cannot use 'recipe' as a tenantId")).means(refused("Cannot use 'recipe' as a tenantId")),
        fact("like another", below(json!({ "tenantId": "config" })), 400, Text("Cannot use 'config' as a tenantId")).means(refused("Cannot use 'config' as a tenantId")),
        fact("like a list", below(json!({ "tenantId": "users" })), 400, Text("Cannot use 'users' as a tenantId")).means(refused("Cannot use 'users' as a tenantId")),
        fact("like a sign of life", below(json!({ "tenantId": "hello" })), 400, Text("Cannot use 'hello' as a tenantId")).means(refused("Cannot use 'hello' as a tenantId")),
        fact("a tenant that is called like an app", below(json!({ "tenantId": "appid-x" })), 400, Text("tenantId must not start with 'appid-'")).means(refused("tenantId must not start with 'appid-'")),
        fact("a tenant with a strange letter", below(json!({ "tenantId": "t_1" })), 400, Text("tenantId can only contain letters, numbers and hyphens")).means(refused("tenantId can only contain letters, numbers and hyphens")),
        fact("an app that is called like a path", c1(sent("PUT", APP, json!({ "appId": "appid-x" }))), 400, Text("appId must not start with 'appid-'")).means(refused("appId must not start with 'appid-'")),
        fact("an app with a strange letter", c1(sent("PUT", APP, json!({ "appId": "a_1" }))), 400, Text("appId can only contain letters, numbers and hyphens")).means(refused("appId can only contain letters, numbers and hyphens")),
        // Places that may not ask.
        fact("apps are listed at the public app", c1(get("/appid-a1/recipe/multitenancy/app/list/v2")), 403, Text("Only the public tenantId and public appId is allowed to list all apps associated with this connection uri domain")),
        fact("tenants are listed at the public one", c1(get("/t1/recipe/multitenancy/tenant/list/v2")), 403, Text("Only the public tenantId is allowed to list all tenants associated with this app")).unasked(),
        // The calls before v2.
        fact("domains before v2", get("/recipe/multitenancy/connectionuridomain/list"), 200, Shape(json!({ "connectionUriDomains": [{ "apps": [{ "appId": "public" }] }] }))),
        fact("apps before v2", get("/recipe/multitenancy/app/list"), 200, Shape(json!({ "status": "OK", "apps": [{ "appId": "public", "tenants": [{ "tenantId": "public", "emailPassword": { "enabled": true }, "coreConfig": {} }] }] }))),
        fact("tenants before v2", c1(get("/recipe/multitenancy/tenant/list")), 200, Shape(json!({ "status": "OK", "tenants": [{ "tenantId": "t1" }] }))),
        fact("a domain before v2", sent("PUT", "/recipe/multitenancy/connectionuridomain", domain("early.example.com", own("early"))), 200, made(true)),
        fact("an app before v2", sent("PUT", "/recipe/multitenancy/app", json!({ "appId": "e1" })).host("early.example.com"), 200, made(true)),
        fact("a tenant before v2", sent("PUT", "/recipe/multitenancy/tenant", json!({ "tenantId": "e2" })).host("early.example.com"), 200, made(true)),
        fact("shown before v2", get("/e2/recipe/multitenancy/tenant").host("early.example.com"), 200, Shape(json!({ "status": "OK", "tenantId": "e2", "emailPassword": { "enabled": false } }))),
        // What is removed.
        fact("a domain with apps stays", sent("POST", REMOVE, json!({ "connectionUriDomain": C1 })), 403, Text("Please delete all apps except the public appID for this connectionUriDomain before calling the delete API.")),
        fact("domains are removed at the base", c1(sent("POST", REMOVE, json!({ "connectionUriDomain": C1 }))), 403, Text("Only the public tenantId, public appId and default connectionUriDomain is allowed to delete a connectionUriDomain")),
        fact("the base stays", sent("POST", REMOVE, json!({ "connectionUriDomain": "" })), 400, Text("connectionUriDomain should not be an empty String")),
        fact("an app with tenants stays", c1(sent("POST", "/recipe/multitenancy/app/remove", json!({ "appId": "a1" }))), 403, Text("Please delete all tenants except the public tenant for this app before calling the delete API")),
        fact("the public app stays", c1(sent("POST", "/recipe/multitenancy/app/remove", json!({ "appId": "public" }))), 403, Text("Cannot delete the public app, use remove connection uri domain API instead")),
        fact("the public tenant stays", c1(sent("POST", "/recipe/multitenancy/tenant/remove", json!({ "tenantId": "public" }))), 403, Text("Cannot delete public tenant, use remove app API instead")),
        fact("tenants are removed at the public one", c1(sent("POST", "/t1/recipe/multitenancy/tenant/remove", json!({ "tenantId": "t1" }))), 403, Text("Only the public tenantId is allowed to delete a tenant")),
        fact("an unknown domain is none", sent("POST", REMOVE, json!({ "connectionUriDomain": "nobody.example" })), 200, gone(false)),
        fact("an unknown app is none", c1(sent("POST", "/recipe/multitenancy/app/remove", json!({ "appId": "nobody" }))), 200, gone(false)),
        fact("an unknown tenant is none", c1(sent("POST", "/recipe/multitenancy/tenant/remove", json!({ "tenantId": "nobody" }))), 200, gone(false)),
        fact("a provider is taken away", c1(sent("POST", "/appid-a1/t2/recipe/multitenancy/config/thirdparty/remove", json!({ "thirdPartyId": "google" }))), 200, Json(json!({ "status": "OK", "didConfigExist": true }))),
        fact("and is gone then", c1(sent("POST", "/appid-a1/t2/recipe/multitenancy/config/thirdparty/remove", json!({ "thirdPartyId": "google" }))), 200, Json(json!({ "status": "OK", "didConfigExist": false }))),
        fact("a tenant goes", c1(sent("POST", "/appid-a1/recipe/multitenancy/tenant/remove", json!({ "tenantId": "t2" }))), 200, gone(true)),
        fact("an app goes", c1(sent("POST", "/recipe/multitenancy/app/remove", json!({ "appId": "a1" }))), 200, gone(true)),
        fact("a domain with an app does not", sent("POST", REMOVE, json!({ "connectionUriDomain": "early.example.com" })), 403, Holds(&["delete all apps"])),
        // Without a licence nothing is made besides the base, and what is there stays.
        fact("the licence is taken away", sent("DELETE", "/ee/license", Value::Null), 200, ok()),
        fact("there is none", get("/ee/license"), 200, Json(json!({ "status": "NO_LICENSE_KEY_FOUND_ERROR" }))),
        fact("a domain then", put(domain("c3.example.com", own("cust3"))), 402, Text(NO_LICENCE)).means(AdminError::NoLicence { feature: "multi_tenancy".into() }),
        fact("a provider of a domain then", c1(sent("PUT", PROVIDER, json!({ "config": google }))), 402, Text(NO_LICENCE)),
        fact("what is there stays", mine(), 200, count(0)),
        fact("a licence again", sent("PUT", "/ee/license", json!({ "licenseKey": "a-licence-key-of-twenty-letters" })), 200, ok()),
        fact("looked at anew", sent("PUT", "/ee/license", json!({})), 200, ok()),
    ]
}

/// The steps of a migration, on a core that has them.
pub(super) fn steps() -> Vec<Fact> {
    let to = |mode: &str| put(domain("beta.example.com", json!({ "migration_mode": mode }))).of("new");
    let beta = |path: &'static str| get(path).of("new").host("beta.example.com");
    let verify = "/migration/backfill/progress?verify=true";
    vec![
        fact("two steps at once", to("MIGRATED"), 400, Text("Invalid core config: migration_mode transitions must progress one step at a time. Refusing LEGACY → MIGRATED. Allowed neighbours of LEGACY: DUAL_WRITE_READ_OLD.")).unasked(),
        fact("the first step", to("DUAL_WRITE_READ_OLD"), 200, made(false)),
        fact("all rows are copied", beta(verify), 200, Json(json!({ "status": "OK", "mode": "DUAL_WRITE_READ_OLD", "pendingUsers": 0, "inconsistentUsersCount": 0 }))),
        fact("and back", to("LEGACY"), 200, made(false)),
        fact("the first step again", to("DUAL_WRITE_READ_OLD"), 200, made(false)),
        fact("the second step", to("DUAL_WRITE_READ_NEW"), 200, made(false)),
        fact("the last step", to("MIGRATED"), 200, made(false)),
        fact("nothing is left to compare", beta(verify), 200, Json(json!({ "status": "OK", "mode": "MIGRATED", "pendingUsers": 0, "verifySkipped": "migrated" }))),
        fact("no way back", to("DUAL_WRITE_READ_NEW"), 400, Holds(&["Invalid core config: migration_mode is currently MIGRATED, which is terminal."])).unasked(),
        fact("what is new begins where it says", put(domain("late.example.com", json!({ "migration_mode": "MIGRATED", "postgresql_connection_uri": format!("{URI}late"), "api_keys": OWN }))).of("new"), 200, made(true)),
    ]
}

/// Everything, in the order that it is asked in.
pub(super) fn table() -> Vec<Fact> {
    [looks(), headers(), refusals(), domains(), steps()].into_iter().flatten().collect()
}
