//! The client of the cores' own API against recorded answers, and what it must never be able to say.

use crate::loopback::{Answer, Loopback, Request};
use coredeck::clock::Clock;
use coredeck::gateway::{AdminError, CoreAdmin, Door};
use coredeck::model::admin::{Hello, Place, TenantSetup};
use coredeck::model::{Sealed, Setting};
use coredeck::supertokens::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

const KEY: &str = "an-api-key-of-twenty-letters-or-more";
const URI: &str = "postgresql://cust1_admin:s3cret-pw@db.internal:5432/cust1";

/// A tenant as core 9.2.2 lists it to the holder of its secret.
fn tenant(id: &str) -> Value {
    json!({
        "tenantId": id,
        "thirdParty": { "providers": [{
            "thirdPartyId": "google",
            "clients": [{ "clientId": "web", "clientSecret": "s3cret-google" }],
        }] },
        "firstFactors": ["emailpassword"],
        "coreConfig": { "api_keys": KEY, "postgresql_connection_uri": URI, "access_token_validity": 3600 },
    })
}

/// Answers as the recorded core did: by the Host header, with a key or without one.
fn core(request: &Request) -> Answer {
    let host = request.header("host").unwrap_or_default();
    let is_customer = host == "c1.example.com";
    let full =
        |value: Value| Answer::Full(200, "application/json; charset=UTF-8", value.to_string().into_bytes());
    let text =
        |status: u16, text: &str| Answer::Full(status, "text/html; charset=UTF-8", text.as_bytes().to_vec());
    if request.path == "/hello" {
        return text(200, "Hello\n");
    }
    if request.path == "/.well-known/jwks.json" {
        let kid = if is_customer { "d-customer" } else { "d-base" };
        return full(json!({ "keys": [{ "kid": kid, "kty": "RSA" }, { "kid": "s-1", "kty": "RSA" }] }));
    }
    if request.header("api-key") != Some(KEY) {
        return text(401, "Invalid API key\n");
    }
    if request.header("cdi-version") != Some("5.1") {
        return text(400, "cdi-version 2.7 not supported");
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/requests/stats") => {
            let mut average = vec![json!(-1); 1440];
            let mut peak = vec![json!(-1); 1440];
            (average[1439], peak[1439]) = (json!(0.5), json!(3));
            full(json!({ "status": "OK", "atMinute": 29_921_494, "averageRequestsPerSecond": average,
                "peakRequestsPerSecond": peak }))
        }
        ("GET", "/telemetry") => full(json!({ "exists": true, "telemetryId": "uuid-1" })),
        ("GET", "/users/count") => full(json!({ "status": "OK", "count": if is_customer { 3 } else { 7 } })),
        ("GET", "/users/count?includeAllTenants=true") => full(json!({ "status": "OK", "count": 9 })),
        ("GET", "/users/count/active?since=1700000000000") => full(json!({ "status": "OK", "count": 2 })),
        ("GET", "/ee/featureflag") => full(json!({
            "status": "OK", "features": ["multi_tenancy", "mfa"],
            "usageStats": { "maus": (1..=31).collect::<Vec<_>>(), "multi_tenancy": {
                "connectionUriDomain": "c1.example.com", "appId": "public",
                "tenants": [{ "tenantId": "public", "usersCount": 3, "hasUsersOrSessions": true, "userPoolId": "ab" }],
            } },
        })),
        ("GET", "/recipe/multitenancy/connectionuridomain/list/v2") if is_customer => text(
            403,
            "Only the public tenantId, public appId and default connectionUriDomain is allowed to list all \
             connectionUriDomains and appIds associated with this core",
        ),
        ("GET", "/recipe/multitenancy/connectionuridomain/list/v2") => full(json!({
            "status": "OK", "connectionUriDomains": [
                { "connectionUriDomain": "", "apps": [{ "appId": "public", "tenants": [tenant("public")] }] },
                { "connectionUriDomain": "c1.example.com",
                  "apps": [{ "appId": "public", "tenants": [tenant("public"), tenant("t1")] }] },
            ],
        })),
        ("GET", "/appid-a1/recipe/multitenancy/tenant/list/v2") => {
            full(json!({ "status": "OK", "tenants": [tenant("t1")] }))
        }
        ("GET", "/t1/recipe/dashboard/tenant/core-config") => full(json!({ "status": "OK", "config": [
            { "key": "postgresql_password", "valueType": "string", "value": "s3cret-pw", "defaultValue": null,
              "isDifferentAcrossTenants": true, "isPluginProperty": true },
            { "key": "access_token_validity", "valueType": "number", "value": 3600, "defaultValue": 3600,
              "isDifferentAcrossTenants": false, "isPluginProperty": false },
        ] })),
        ("PUT", "/recipe/multitenancy/connectionuridomain/v2") => text(
            500,
            &format!(
                "java.sql.SQLException: {URI}: Connection is not available, request timed out after 5001ms"
            ),
        ),
        ("PUT", _) => full(json!({ "status": "OK", "createdNew": false })),
        _ => text(404, "Not found"),
    }
}

fn rig() -> (Loopback, Client, Door, tokio::runtime::Runtime) {
    let server = Loopback::start(core);
    let door = Door { address: server.url.clone(), host: None, key: Some(Sealed::new(KEY)) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    (server, Client::new(Clock::Real).unwrap(), door, runtime)
}

#[test]
fn every_recorded_answer_is_read_as_what_it_says() {
    let (_server, client, door, runtime) = rig();
    runtime.block_on(async {
        let customer = Place::of("c1.example.com");
        let (base, all) = (Place::of(""), true);
        assert_eq!(client.users(&door, &customer, !all).await, Ok(3));
        assert_eq!(client.users(&door, &base, !all).await, Ok(7), "the base domain goes by the address");
        assert_eq!(client.users(&door, &customer, all).await, Ok(9));
        assert_eq!(client.active(&door, &customer, 1_700_000_000_000).await, Ok(2));
        assert_eq!(client.telemetry(&door, &customer).await, Ok(Some("uuid-1".into())));
        let keys = client.keys(&door, &customer).await.unwrap();
        assert!(keys.contains("d-customer") && keys.len() == 2, "{keys:?}");
        let licence = client.licence(&door, &customer).await.unwrap();
        assert_eq!((licence.monthly(), licence.features.len()), (Some(30), 2));
        assert_eq!((licence.tenants[0].users, licence.tenants[0].is_used), (3, true));
        let domains = client.domains(&door).await.unwrap();
        assert_eq!(domains[1].domain, "c1.example.com");
        assert_eq!(domains[1].apps[0].tenants[1].id, "t1");
        let app = Place { app: "a1".into(), ..customer.clone() };
        assert_eq!(client.tenants(&door, &app).await.unwrap()[0].providers[0].id, "google");
        let tenant = Place { tenant: "t1".into(), ..customer };
        let settings = client.settings(&door, &tenant).await.unwrap();
        assert_eq!(settings[1].value, Setting::Shown(3600.into()));
        assert!(matches!(settings[0].value, Setting::Hidden(_)));
    });
}

#[test]
fn a_quick_hello_is_only_proof_when_few_others_ask() {
    let (_server, client, door, runtime) = rig();
    runtime.block_on(async {
        let place = Place::of("c1.example.com");
        assert_eq!(client.hello(&door, &place).await, Ok(Hello::Unproven), "nobody knows yet how busy it is");
        let traffic = client.traffic(&door, &place).await.unwrap();
        assert_eq!(traffic.average.iter().flatten().count(), 1, "-1 is no data");
        assert_eq!(client.hello(&door, &place).await, Ok(Hello::Well));
    });
}

#[test]
fn a_refusal_says_what_it_means_and_no_secret() {
    let (server, client, mut door, runtime) = rig();
    runtime.block_on(async {
        let settings = BTreeMap::from([("postgresql_connection_uri".into(), Some(Setting::secret(URI)))]);
        let error = client.put_domain(&door, "c1.example.com", &settings).await.unwrap_err();
        assert_eq!(error, AdminError::DatabaseDown);
        let domains = client.domains(&door).await.unwrap();
        for said in [format!("{error} {error:?}"), format!("{domains:?} {door:?} {settings:?} {client:?}")] {
            for secret in [KEY, "s3cret-pw", "s3cret-google", "db.internal", "cust1_admin"] {
                assert!(!said.contains(secret), "{secret} in {said}");
            }
        }
        door.key = None;
        assert_eq!(client.users(&door, &Place::of(""), false).await, Err(AdminError::WrongKey));
        door.address = "http://127.0.0.1:1".into();
        let error = client.users(&door, &Place::of(""), false).await.unwrap_err();
        assert!(matches!(error, AdminError::Unreachable { .. }), "{error:?}");
    });
    let sent = server.seen().into_iter().find(|request| request.method == "PUT").unwrap();
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(
        body["coreConfig"]["postgresql_connection_uri"], URI,
        "what is hidden from people reaches the core"
    );
}

#[test]
fn a_tenant_is_replayed_with_its_providers_and_nothing_made_up() {
    let (server, client, door, runtime) = rig();
    runtime.block_on(async {
        let app = Place { app: "a1".into(), ..Place::of("c1.example.com") };
        let setup: TenantSetup = client.tenants(&door, &app).await.unwrap().remove(0);
        let tenant = Place { tenant: "t1".into(), ..app };
        client.put_tenant(&door, &tenant, &setup).await.unwrap();
    });
    let puts: Vec<_> = server.seen().into_iter().filter(|request| request.method == "PUT").collect();
    let paths: Vec<_> = puts.iter().map(|put| put.path.as_str()).collect();
    assert_eq!(
        paths,
        ["/appid-a1/recipe/multitenancy/tenant/v2", "/appid-a1/t1/recipe/multitenancy/config/thirdparty"]
    );
    assert!(puts.iter().all(|put| put.header("host") == Some("c1.example.com")));
    let body: Value = serde_json::from_slice(&puts[0].body).unwrap();
    assert_eq!(body["firstFactors"], json!(["emailpassword"]));
    assert_eq!(body["coreConfig"]["postgresql_connection_uri"], URI);
    let body: Value = serde_json::from_slice(&puts[1].body).unwrap();
    assert_eq!(body["config"]["clients"][0]["clientSecret"], "s3cret-google");
}

/// A core deletes the users of what it removes, and says OK. Nothing that ships can ask for it, but one function that
/// takes a proof, which nothing else can make.
#[test]
fn only_what_takes_a_proof_names_a_remove_call() {
    fn look(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("src/sim") {
                continue;
            }
            if path.is_dir() {
                look(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let names = |line: &&str| line.contains("/remove") && !line.trim_start().starts_with("//");
                found.extend(text.lines().filter(names).map(|line| format!("{}: {line}", path.display())));
            }
        }
    }
    let mut found = Vec::new();
    look(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let elsewhere: Vec<_> = found.iter().filter(|line| !line.contains("supertokens/remove.rs")).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:#?}");
    assert_eq!(found.len(), 1, "one call, of a domain: {found:#?}");
    assert!(found[0].contains("connectionuridomain/remove"), "{found:#?}");
    let proof = include_str!("../../src/supertokens/remove.rs");
    let body = proof.split_once("pub struct Empty {").unwrap().1.split_once('}').unwrap().0;
    assert!(!body.contains("pub"), "nobody else can fill a proof in: {body}");
    assert!(!proof.contains("derive(Clone") && !proof.contains("Default"), "and it is used once");
    assert_eq!(proof.matches("Ok(Empty {").count(), 1, "one place makes it");
    let removes = proof.split_once("fn remove_empty").unwrap().1;
    let (again, call) = (removes.find("prove_empty").unwrap(), removes.find("/remove").unwrap());
    assert!(again < call, "it is proved once more before it is sent");
}
