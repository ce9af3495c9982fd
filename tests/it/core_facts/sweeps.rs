//! Facts about every setting, one by one, and about figures that a core keeps by the minute.

use super::{Key, OWN, Rig, URI, domain, get, sent, settings};
use coredeck::gateway::{AdminError, CoreAdmin};
use coredeck::model::admin::Place;
use serde_json::{Value, json};
use std::time::Duration;

const DOMAINS: &str = "/recipe/multitenancy/connectionuridomain/v2";
const TENANT: &str = "/recipe/multitenancy/tenant/v2";
const EFFECTIVE: &str = "/recipe/dashboard/tenant/core-config";
const C1: &str = "c1.example.com";

const OF_THE_BASE: [&str; 20] = [
    "port",
    "host",
    "max_server_pool_size",
    "base_path",
    "log_level",
    "info_log_path",
    "error_log_path",
    "argon2_iterations",
    "argon2_memory_kb",
    "argon2_parallelism",
    "argon2_hashing_pool_size",
    "bcrypt_log_rounds",
    "firebase_password_hashing_pool_size",
    "supertokens_saas_secret",
    "supertokens_saas_load_only_cud",
    "oauth_client_secret_encryption_key",
    "otel_collector_connection_uri",
    "deadlock_logger_enable",
    "recent_token_reuse_behaviour",
    "webserver_https_enabled",
];

const OF_AN_APP: [&str; 23] = [
    "access_token_validity",
    "access_token_blacklisting",
    "refresh_token_validity",
    "refresh_token_rotation_grace_period",
    "access_token_validity_jitter",
    "access_token_signing_key_dynamic",
    "access_token_dynamic_signing_key_update_interval",
    "access_token_signing_key_update_interval",
    "api_keys",
    "disable_telemetry",
    "password_hashing_alg",
    "firebase_password_hashing_signer_key",
    "oauth_provider_public_service_url",
    "oauth_provider_admin_service_url",
    "oauth_provider_consent_login_base_url",
    "oauth_provider_url_configured_in_oauth_provider",
    "supertokens_max_cdi_version",
    "supertokens_min_cdi_version",
    "saml_legacy_acs_url",
    "bulk_migration_parallelism",
    "bulk_migration_batch_size",
    "bulk_migration_sleep_between_rounds_in_batch_ms",
    "webauthn_recover_account_token_lifetime",
];

const OF_A_TENANT: [&str; 11] = [
    "password_reset_token_lifetime",
    "email_verification_token_lifetime",
    "passwordless_max_code_input_attempts",
    "passwordless_code_lifetime",
    "totp_max_attempts",
    "totp_rate_limit_cooldown_sec",
    "ip_allow_regex",
    "ip_deny_regex",
    "saml_sp_entity_id",
    "saml_claims_validity",
    "saml_relay_state_validity",
];

const OF_THE_DATABASE: [&str; 13] = [
    "postgresql_connection_pool_size",
    "postgresql_connection_uri",
    "postgresql_host",
    "postgresql_port",
    "postgresql_user",
    "postgresql_password",
    "postgresql_database_name",
    "postgresql_table_schema",
    "postgresql_idle_connection_timeout",
    "postgresql_minimum_idle_connections",
    "postgresql_connection_attributes",
    "postgresql_connection_scheme",
    "postgresql_table_names_prefix",
];

const PROTECTED: [&str; 7] = [
    "ip_allow_regex",
    "ip_deny_regex",
    "oauth_provider_public_service_url",
    "oauth_provider_admin_service_url",
    "oauth_provider_consent_login_base_url",
    "oauth_provider_url_configured_in_oauth_provider",
    "saml_legacy_acs_url",
];

fn own(database: &str) -> Value {
    json!({ "postgresql_connection_uri": format!("{URI}{database}"), "api_keys": OWN, "postgresql_connection_pool_size": 3 })
}

/// A rig with one more domain and a tenant in it.
async fn rig() -> Rig {
    let rig = Rig::of_each_sort().await;
    assert_eq!(rig.ask("one", &sent("PUT", DOMAINS, domain(C1, own("cust1")))).await.0, 200);
    let tenant = sent("PUT", TENANT, json!({ "tenantId": "t1" })).host(C1);
    assert_eq!(rig.ask("one", &tenant).await.0, 200);
    rig
}

/// Something that a setting may be, and is not by itself.
fn other(key: &str) -> Value {
    match key {
        "api_keys" => json!("another-key-of-twenty-letters"),
        "access_token_signing_key_dynamic" => json!(false),
        "access_token_blacklisting" | "disable_telemetry" => json!(true),
        "supertokens_max_cdi_version" | "supertokens_min_cdi_version" => json!("5.1"),
        "password_hashing_alg" => json!("ARGON2"),
        key if key.contains("regex") => json!("10\\..*"),
        key if key.contains("url") || key.contains("_id") || key.contains("signer") => json!("x"),
        _ => json!(77),
    }
}

/// What holds for a place.
async fn effective(rig: &Rig, core: &str, host: &str, path: &str, key: &str) -> Value {
    let path = format!("{path}{EFFECTIVE}");
    let (status, body) = rig.ask(core, &get(&path).host(host)).await;
    assert_eq!(status, 200, "{body}");
    let value: Value = serde_json::from_str(&body).unwrap();
    value["config"].as_array().unwrap().iter().find(|row| row["key"] == key).cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_setting_may_be_set_where_it_may_and_nowhere_else() {
    let rig = rig().await;
    let door = rig.door("one", super::SECRET);
    for key in OF_THE_BASE {
        let body = domain("x.example.com", json!({ key: 1, "postgresql_connection_uri": format!("{URI}x") }));
        let (status, text) = rig.ask("one", &sent("PUT", DOMAINS, body)).await;
        let wanted = format!("Invalid core config: {key} can only be set via the core's base config setting");
        assert_eq!((status, text.as_str()), (400, wanted.as_str()));
        let error = rig.client.put_domain(&door, "x.example.com", &settings(&[(key, json!(1))])).await;
        assert_eq!(error, Err(AdminError::BaseOnly { key: key.into() }));
    }
    for key in OF_AN_APP {
        let body = json!({ "tenantId": "t1", "coreConfig": { key: other(key) } });
        let (status, text) = rig.ask("one", &sent("PUT", TENANT, body).host(C1)).await;
        // One of them has two names, and one of these is its own.
        let own = key.replace("access_token_signing_key_update", "access_token_dynamic_signing_key_update");
        let wanted =
            format!("Invalid core config: You cannot set different values for {own} for the same appId");
        assert_eq!((status, text.as_str()), (400, wanted.as_str()), "{key}");
        // The app itself may.
        let app = sent("PUT", DOMAINS, domain(C1, json!({ key: other(key) })));
        assert_eq!(rig.ask("one", &app).await.0, 200, "{key}");
        let back = sent("PUT", DOMAINS, domain(C1, json!({ key: Value::Null })));
        assert_eq!(rig.ask("one", &back).await.0, 200, "{key}");
        rig.ask("one", &sent("PUT", DOMAINS, domain(C1, json!({ "api_keys": OWN })))).await;
    }
    for key in OF_A_TENANT {
        let body = json!({ "tenantId": "t1", "coreConfig": { key: other(key) } });
        let (status, text) = rig.ask("one", &sent("PUT", TENANT, body).host(C1)).await;
        assert_eq!(status, 200, "{key}: {text}");
        // Rules about addresses would keep us out of the very next question.
        if !key.contains("regex") {
            assert_eq!(effective(&rig, "one", C1, "/t1", key).await["value"], other(key), "{key}");
        }
        let back = json!({ "tenantId": "t1", "coreConfig": { key: Value::Null } });
        assert_eq!(rig.ask("one", &sent("PUT", TENANT, back).host(C1)).await.0, 200, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_protected_is_changed_and_shown_with_the_secret_only() {
    let rig = rig().await;
    let kept = json!({ "tenantId": "t1", "coreConfig": { "totp_max_attempts": 7 } });
    assert_eq!(rig.ask("one", &sent("PUT", TENANT, kept).host(C1).key(Key::Own(OWN))).await.0, 200);
    for (keys, text) in [
        (&OF_THE_DATABASE[..], "Not allowed to modify DB related configs."),
        (&PROTECTED[..], "Not allowed to modify protected configs."),
    ] {
        for key in keys {
            let body = domain(C1, json!({ *key: other(key) }));
            let asked = sent("PUT", DOMAINS, body).host(C1).key(Key::Own(OWN));
            assert_eq!(rig.ask("one", &asked).await, (403, text.to_owned()), "{key}");
        }
    }
    // What it is already may be said once more.
    let same = sent("PUT", DOMAINS, domain(C1, own("cust1"))).host(C1).key(Key::Own(OWN));
    assert_eq!(rig.ask("one", &same).await.0, 200);
    for path in [TENANT, EFFECTIVE] {
        let (_, shown) = rig.ask("one", &get(path).host(C1)).await;
        let (_, hidden) = rig.ask("one", &get(path).host(C1).key(Key::Own(OWN))).await;
        assert!(shown.contains("postgresql_connection_uri") && shown.contains(OWN), "{shown}");
        assert!(!hidden.contains("postgresql_connection_") && hidden.contains(OWN), "{hidden}");
        assert!(PROTECTED.iter().all(|key| !hidden.contains(key)), "{hidden}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_comes_from_the_nearest_that_has_it() {
    let rig = rig().await;
    let key = "totp_max_attempts";
    for app in ["a1", "a2"] {
        assert_eq!(
            rig.ask("one", &sent("PUT", "/recipe/multitenancy/app/v2", json!({ "appId": app })).host(C1))
                .await
                .0,
            200
        );
    }
    let t2 = sent("PUT", "/appid-a1/recipe/multitenancy/tenant/v2", json!({ "tenantId": "t2" })).host(C1);
    assert_eq!(rig.ask("one", &t2).await.0, 200);
    let all = [("", "/"), (C1, ""), (C1, "/appid-a1"), (C1, "/appid-a1/t2"), (C1, "/appid-a2")];
    let held = || async {
        let mut held = Vec::new();
        for (host, path) in all {
            let path = path.trim_end_matches('/');
            held.push(effective(&rig, "one", host, path, key).await["value"].clone());
        }
        held
    };
    let none = Value::Null;
    assert_eq!(held().await, vec![Value::Null; 5]);
    let set = |value: u64| json!({ key: value });
    rig.ask("one", &sent("PUT", DOMAINS, domain(C1, set(2)))).await;
    assert_eq!(held().await, [none.clone(), json!(2), json!(2), json!(2), json!(2)]);
    let app = json!({ "appId": "a1", "coreConfig": set(3) });
    rig.ask("one", &sent("PUT", "/recipe/multitenancy/app/v2", app).host(C1)).await;
    assert_eq!(held().await, [none.clone(), json!(2), json!(3), json!(3), json!(2)]);
    let tenant = json!({ "tenantId": "t2", "coreConfig": set(4) });
    rig.ask("one", &sent("PUT", "/appid-a1/recipe/multitenancy/tenant/v2", tenant).host(C1)).await;
    assert_eq!(held().await, [none, json!(2), json!(3), json!(4), json!(2)]);
    // What the base was started with holds for everybody who says nothing.
    assert_eq!(effective(&rig, "silent", "", "", "disable_telemetry").await["value"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_are_those_of_a_real_core() {
    let rig = Rig::of_each_sort().await;
    for (key, wanted) in [
        ("port", json!(3567)),
        ("host", json!("localhost")),
        ("access_token_validity", json!(3600)),
        ("refresh_token_validity", json!(144_000)),
        ("max_server_pool_size", json!(10)),
        ("postgresql_connection_pool_size", json!(10)),
        ("postgresql_idle_connection_timeout", json!(60_000)),
        ("postgresql_minimum_idle_connections", Value::Null),
        ("bcrypt_log_rounds", json!(11)),
        ("argon2_memory_kb", json!(87_795)),
        ("argon2_hashing_pool_size", json!(1)),
    ] {
        assert_eq!(effective(&rig, "new", "", "", key).await["defaultValue"], wanted, "{key}");
    }
    assert_eq!(effective(&rig, "new", "", "", "migration_mode").await["value"], "LEGACY");
    assert_eq!(
        effective(&rig, "one", "", "", "migration_mode").await,
        Value::Null,
        "before 12 there is none"
    );
    assert_eq!(
        effective(&rig, "new", "", "", "supertokens_saas_secret").await,
        Value::Null,
        "nobody is told"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_told_in_no_order_and_up_to_the_highest() {
    let rig = Rig::of_each_sort().await;
    for (core, many, highest) in [("old", 20, "5.1"), ("new", 25, "5.6")] {
        let (_, body) = rig.ask(core, &get("/apiversion")).await;
        let value: Value = serde_json::from_str(&body).unwrap();
        let all: Vec<&str> =
            value["versions"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        assert_eq!(all.len(), many, "{core}: {all:?}");
        assert!(all.contains(&highest) && all.contains(&"2.7") && all.contains(&"2.14"), "{core}: {all:?}");
        assert!(all.last() != Some(&highest), "{core}: not the highest last: {all:?}");
    }
    let bounded = super::Asked { version: Some("5.0"), ..get("/apiversion").of("bounded") };
    let (_, body) = rig.ask("bounded", &bounded).await;
    assert!(body.contains("\"5.0\"") && !body.contains("\"5.1\""), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_that_was_started_with_a_short_secret_never_opens_its_port() {
    let rig = Rig::of_each_sort().await;
    assert!(rig.heard("short", &get("/hello").key(Key::None)).await.is_none());
    let error = rig.client.hello(&rig.door("short", super::SECRET), &Place::of("")).await.unwrap_err();
    assert!(matches!(error, AdminError::Unreachable { .. } | AdminError::Broken { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_app_process_and_minute_and_hello_is_one() {
    let rig = rig().await;
    let minute = |rig: Value, at: usize| {
        (rig["averageRequestsPerSecond"][at].clone(), rig["peakRequestsPerSecond"][at].clone())
    };
    let stats = |core: &'static str, host: &'static str| {
        let rig = &rig;
        async move {
            let (status, body) = rig.ask(core, &get("/requests/stats").host(host)).await;
            assert_eq!(status, 200, "{body}");
            serde_json::from_str::<Value>(&body).unwrap()
        }
    };
    // Nobody is its customer yet: only we ask. Three in the minute that begins now.
    rig.running.step(Duration::from_secs(60));
    for path in ["/hello", "/users/count", "/recipe/no/such"] {
        rig.ask("one", &get(path).host(C1)).await;
    }
    rig.running.step(Duration::from_secs(60));
    let told = stats("one", C1).await;
    let now = 1_795_262_520_i64; // 2026-11-21T12:02:00Z
    assert_eq!(told["atMinute"], now / 60);
    assert_eq!(minute(told.clone(), 1439), (json!(3.0 / 60.0), json!(3)), "the last full minute is the last");
    assert_eq!(minute(told.clone(), 1438).0, json!(1.0 / 60.0), "the tenant that the rig made");
    assert!(told["averageRequestsPerSecond"].as_array().unwrap()[0].is_number());
    // Each process counts by itself.
    assert!(rig.ask("two", &get("/recipe/multitenancy/connectionuridomain/list/v2")).await.1.contains(C1));
    assert_eq!(minute(stats("two", C1).await, 1439), (json!(0.0), json!(0)));
    // And the base is another app, with customers of its own.
    assert!(minute(stats("one", "").await, 1439).0.as_f64().unwrap() > 0.1);
}
