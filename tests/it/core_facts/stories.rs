//! What happens between requests: replicas that do not know yet, lies after a failure, full and dead databases, a
//! removal that takes a customer's users with it.

use super::{Asked, Key, OWN, Rig, SECRET, URI, domain, get, sent, settings};
use coredeck::gateway::{AdminError, CoreAdmin};
use coredeck::model::admin::Place;
use serde_json::{Value, json};
use std::time::Duration;

const DOMAINS: &str = "/recipe/multitenancy/connectionuridomain/v2";
const LIST: &str = "/recipe/multitenancy/connectionuridomain/list/v2";
const ONE: &str = "shared-prod-1";
const TWO: &str = "shared-dev-1";

fn own(database: &str) -> Value {
    json!({ "postgresql_connection_uri": format!("{URI}{database}"), "api_keys": OWN, "postgresql_connection_pool_size": 3 })
}

fn count<'a>(host: &'a str, key: Key) -> Asked<'a> {
    get("/users/count").host(host).key(key)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_replica_serves_the_base_until_its_minute_has_come() {
    let rig = Rig::new().await;
    // Both have looked once, at the same base.
    let (_, base) = rig.ask(TWO, &get("/users/count")).await;
    assert_eq!(rig.ask(ONE, &get("/users/count")).await.1, base, "replicas of one core");
    let made = rig.ask(ONE, &sent("PUT", DOMAINS, domain("new.example.com", own("new")))).await;
    assert_eq!(made.0, 200, "{}", made.1);
    assert_eq!(rig.ask(ONE, &count("new.example.com", Key::Secret)).await.1, r#"{"count":0,"status":"OK"}"#);
    assert_eq!(
        rig.ask(TWO, &count("new.example.com", Key::Secret)).await.1,
        base,
        "it does not know the host"
    );
    assert_eq!(rig.ask(TWO, &count("new.example.com", Key::Own(OWN))).await.0, 401, "and not its key");
    // The other one calls it new once more.
    let again = rig.ask(TWO, &sent("PUT", DOMAINS, domain("late.example.com", own("late")))).await;
    assert_eq!(again.1, r#"{"createdNew":true,"status":"OK"}"#);
    let lie = rig.ask(ONE, &sent("PUT", DOMAINS, domain("late.example.com", own("late")))).await;
    assert_eq!(lie.1, r#"{"createdNew":true,"status":"OK"}"#, "it was made a moment ago, elsewhere");
    let third = rig.ask(ONE, &sent("PUT", DOMAINS, domain("third.example.com", own("third")))).await;
    assert_eq!(third.0, 200);
    assert_eq!(rig.ask(TWO, &count("third.example.com", Key::Secret)).await.1, base);
    rig.running.step(Duration::from_secs(61));
    assert_eq!(
        rig.ask(TWO, &count("third.example.com", Key::Secret)).await.1,
        r#"{"count":0,"status":"OK"}"#
    );
    // A list makes a replica look at once.
    rig.ask(ONE, &sent("PUT", DOMAINS, domain("fourth.example.com", own("fourth")))).await;
    assert!(rig.ask(TWO, &get(LIST)).await.1.contains("fourth.example.com"));
    assert_eq!(rig.ask(TWO, &count("fourth.example.com", Key::Own(OWN))).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_failed_has_left_its_domain_behind() {
    let rig = Rig::new().await;
    let door = rig.door(ONE, SECRET);
    let nowhere = "postgresql://cust_admin:s3cret-pw@nowhere.example:5432/cust9";
    let asked = settings(&[("postgresql_connection_uri", nowhere.into()), ("api_keys", OWN.into())]);
    let error = rig.client.put_domain(&door, "c9.example.com", &asked).await.unwrap_err();
    assert_eq!(error, AdminError::DatabaseDown);
    let (status, body) = rig.ask(ONE, &sent("PUT", DOMAINS, domain("c9.example.com", json!({})))).await;
    assert_eq!(status, 500);
    for part in ["nowhere.example", "5432", "cust9", "public", "cust_admin", "password=****"] {
        assert!(body.contains(part), "a real core says {part}: {body}");
    }
    let said = format!("{error} {error:?} {:?}", error.hint());
    for secret in ["nowhere", "cust9", "cust_admin", "s3cret"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
    let domains = rig.client.domains(&door).await.unwrap();
    assert!(domains.iter().any(|domain| domain.domain == "c9.example.com"), "the row is there");
    let remove = sent(
        "POST",
        "/recipe/multitenancy/connectionuridomain/remove",
        json!({ "connectionUriDomain": "c9.example.com" }),
    );
    assert_eq!(rig.ask(ONE, &remove).await.0, 500, "and cannot even be removed");
    // Pointed to a database that is there it is well, and said to be old.
    let (_, body) = rig.ask(ONE, &sent("PUT", DOMAINS, domain("c9.example.com", own("cust9")))).await;
    assert_eq!(body, r#"{"createdNew":false,"status":"OK"}"#);
    assert_eq!(rig.ask(ONE, &count("c9.example.com", Key::Own(OWN))).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_run_out_and_nobody_tries_again_before_something_changes() {
    let rig = Rig::new().await;
    let door = rig.door(ONE, SECRET);
    assert_eq!(rig.client.domains(&door).await.unwrap().len(), 136, "the base, 47 and 88 domains");
    rig.running.limit_connections("scarce.db.internal", 25);
    let at = |name: &str| {
        let uri = format!("postgresql://u:p@scarce.db.internal/{name}");
        settings(&[("postgresql_connection_uri", uri.into()), ("api_keys", OWN.into())])
    };
    for (name, means) in [("s1", None), ("s2", None), ("s3", Some(AdminError::DatabaseFull))] {
        let answer = rig.client.put_domain(&door, &format!("{name}.example.com"), &at(name)).await;
        assert_eq!(answer.err(), means, "{name}: ten connections each");
    }
    let full = Place::of("s3.example.com");
    assert_eq!(rig.client.users(&door, &full, false).await, Err(AdminError::DatabaseFull));
    rig.running.limit_connections("scarce.db.internal", 250);
    rig.running.step(Duration::from_secs(120));
    assert_eq!(rig.client.users(&door, &full, false).await, Err(AdminError::DatabaseFull), "not retried");
    rig.client.put_domain(&door, "s1.example.com", &at("s1")).await.unwrap();
    assert_eq!(rig.client.users(&door, &full, false).await, Ok(0));
    // A pool of one hangs.
    let mut one = at("s4");
    one.extend(settings(&[("postgresql_connection_pool_size", 1.into())]));
    let error = rig.client.put_domain(&door, "s4.example.com", &one).await.unwrap_err();
    assert_eq!(error, AdminError::DatabaseDown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_database_hurts_its_own_domain_and_then_everybody() {
    let rig = Rig::new().await;
    rig.ask(ONE, &sent("PUT", DOMAINS, domain("c1.example.com", json!({ "postgresql_connection_uri": "postgresql://u:p@lone.db.internal/c1", "api_keys": OWN })))).await;
    rig.running.take_down("lone.db.internal", true);
    let hello = get("/hello").host("c1.example.com").key(Key::None);
    let mut said = Vec::new();
    for _ in 0..8 {
        said.push(rig.ask(ONE, &hello).await.0);
    }
    assert_eq!(said, [500, 500, 500, 500, 500, 200, 200, 200], "beyond its bucket it does not look");
    assert_eq!(rig.ask(ONE, &get("/hello").key(Key::None)).await.0, 200, "the base has its own");
    assert_eq!(rig.ask(ONE, &count("c1.example.com", Key::Own(OWN))).await.0, 500);
    rig.running.take_down("lone.db.internal", false);
    assert_eq!(rig.ask(ONE, &count("c1.example.com", Key::Own(OWN))).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_without_keys_of_its_own_opens_to_the_bases() {
    let rig = Rig::new().await;
    let open = json!({ "postgresql_connection_uri": format!("{URI}open") });
    assert_eq!(rig.ask(ONE, &sent("PUT", DOMAINS, domain("open.example.com", open))).await.0, 200);
    assert_eq!(
        rig.ask(ONE, &count("open.example.com", Key::Base)).await.0,
        200,
        "the base's key is inherited"
    );
    assert_eq!(
        rig.ask(ONE, &count("open.example.com", Key::Own(OWN))).await.0,
        401,
        "the customer is locked out"
    );
    // Without the secret what is protected is left out of lists.
    let (_, shown) = rig.ask(ONE, &get(LIST)).await;
    let (_, hidden) = rig.ask(ONE, &get(LIST).key(Key::Base)).await;
    assert!(shown.contains("postgresql_connection_uri") && !hidden.contains("postgresql_"), "{hidden}");
    assert!(hidden.contains("api_keys"), "keys of customers are not protected");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_without_a_licence_or_held_to_one_domain_says_so() {
    let rig = Rig::new().await;
    let key = super::value(&rig.running, "/coredeck/demo/secrets/prod-slatepay/api-key").await;
    let lone = rig.door("prod-slatepay", &key);
    let asked = settings(&[("postgresql_connection_uri", format!("{URI}x").into())]);
    let error = rig.client.put_domain(&lone, "x.example.com", &asked).await.unwrap_err();
    assert_eq!(error, AdminError::NoLicence { feature: "multi_tenancy".into() });
    let host = rig.core("prod-slatepay").listens.unwrap().to_string();
    let heard = tokio::task::spawn_blocking(move || {
        crate::loopback::ask(&host, "GET", "/ee/license", &[("api-key", &key)], b"")
    });
    assert!(String::from_utf8_lossy(&heard.await.unwrap()).contains("NO_LICENSE_KEY_FOUND_ERROR"));
    let held = rig.door("prod-lumenary", &rig.keys["shared-prod-1"]);
    let mut held_secret = held.clone();
    held_secret.key = Some(coredeck::model::Sealed::new(
        super::value(&rig.running, "/coredeck/demo/secrets/prod-lumenary/api-key").await,
    ));
    let domains = rig.client.domains(&held_secret).await.unwrap();
    let other = domains.iter().find(|domain| !domain.domain.is_empty()).unwrap().domain.clone();
    let error = rig.client.users(&held_secret, &Place::of(&other), false).await.unwrap_err();
    assert_eq!(error, AdminError::OtherDomain);
    let error = rig.client.put_domain(&held_secret, "more.example.com", &asked).await.unwrap_err();
    assert_eq!(error, AdminError::OtherDomain);
    let (_, told) = rig.ask("prod-thistle", &get("/telemetry").key(Key::Own("?"))).await;
    assert_eq!(told, "Invalid API key");
    let key = super::value(&rig.running, "/coredeck/demo/secrets/prod-thistle/api-key").await;
    let memory = rig.door("prod-thistle", &key);
    assert_eq!(rig.client.telemetry(&memory, &Place::of("")).await, Ok(None), "nothing is kept anywhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_takes_the_users_with_it_and_only_an_empty_domain_can_be_proved() {
    let rig = Rig::new().await;
    let door = rig.door(ONE, SECRET);
    let key = super::value(&rig.running, "/coredeck/demo/secrets/prod-slatepay/api-key").await;
    let lone = rig.door("prod-slatepay", &key);
    let users = rig.client.users(&lone, &Place::of(""), false).await.unwrap();
    assert!(users > 0);
    // Where its users are, by the shared core's own word of its settings; through another name of the host.
    let (_, settings_text) = {
        let host = rig.core("prod-slatepay").listens.unwrap().to_string();
        let key = key.clone();
        tokio::task::spawn_blocking(move || {
            let answer = crate::loopback::ask(
                &host,
                "GET",
                "/recipe/dashboard/tenant/core-config",
                &[("api-key", &key)],
                b"",
            );
            let answer = String::from_utf8_lossy(&answer).into_owned();
            (0, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
        })
        .await
        .unwrap()
    };
    let config: Value = serde_json::from_str(&settings_text).unwrap();
    let setting = |name: &str| {
        let mut rows = config["config"].as_array().unwrap().iter();
        rows.find(|row| row["key"] == name).unwrap()["value"].as_str().unwrap().to_owned()
    };
    let host = setting("postgresql_host").replace(".db.", ".proxy.");
    let uri = format!("postgresql://u:p@{host}/{}", setting("postgresql_database_name"));
    let moved = settings(&[("postgresql_connection_uri", uri.into()), ("api_keys", OWN.into())]);
    rig.client.put_domain(&door, "slate.example.com", &moved).await.unwrap();
    let place = Place::of("slate.example.com");
    assert_eq!(rig.client.users(&door, &place, false).await, Ok(users), "the same rows");
    assert_eq!(rig.client.keys(&door, &place).await, rig.client.keys(&lone, &Place::of("")).await);
    let error = rig.client.prove_empty(&door, "slate.example.com").await.unwrap_err();
    assert!(matches!(error, AdminError::NotEmpty { .. }), "{error:?}");
    assert!(matches!(rig.client.prove_empty(&door, "").await, Err(AdminError::NotEmpty { .. })));
    assert!(matches!(
        rig.client.prove_empty(&door, "nobody.example").await,
        Err(AdminError::NotEmpty { .. })
    ));
    // Pointed to an empty database it can be proved and removed, and the customer keeps everything.
    let scratch = settings(&[("postgresql_connection_uri", format!("{URI}scratch").into())]);
    rig.client.put_domain(&door, "slate.example.com", &scratch).await.unwrap();
    let proof = rig.client.prove_empty(&door, "slate.example.com").await.unwrap();
    // Between proof and removal somebody points it back: it is looked at once more.
    rig.client.put_domain(&door, "slate.example.com", &moved).await.unwrap();
    let error = rig.client.remove_empty(&door, proof).await.unwrap_err();
    assert!(matches!(error, AdminError::NotEmpty { .. }), "{error:?}");
    assert_eq!(rig.client.users(&lone, &Place::of(""), false).await, Ok(users));
    rig.client.put_domain(&door, "slate.example.com", &scratch).await.unwrap();
    let proof = rig.client.prove_empty(&door, "slate.example.com").await.unwrap();
    rig.client.remove_empty(&door, proof).await.unwrap();
    let domains = rig.client.domains(&door).await.unwrap();
    assert!(domains.iter().all(|domain| domain.domain != "slate.example.com"));
    assert_eq!(rig.client.users(&lone, &Place::of(""), false).await, Ok(users));
    // What it is that must never happen: removed where its users are.
    rig.client.put_domain(&door, "slate.example.com", &moved).await.unwrap();
    let remove = sent(
        "POST",
        "/recipe/multitenancy/connectionuridomain/remove",
        json!({ "connectionUriDomain": "slate.example.com" }),
    );
    assert_eq!(rig.ask(ONE, &remove).await.1, r#"{"didExist":true,"status":"OK"}"#);
    assert_eq!(rig.client.users(&lone, &Place::of(""), false).await, Ok(0), "all gone");
    let (status, _) = rig.ask("prod-slatepay", &get("/hello").key(Key::None)).await;
    assert_eq!(status, 200, "and it still says hello");
}
