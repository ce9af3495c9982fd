//! Processes of one core that do not say the same, and ways back that a core refuses: each is said, and nothing is lost.

use super::bench::Bench;
use super::config::{
    BASE, DOMAIN, NEW, OLD, ONE, SECRET, TWO, URI, based, configured, door, end, open, own, put, refused,
    rig, secret, wished,
};
use super::refusing::refusing;
use coredeck::clock::Clock;
use coredeck::gateway::{Change, CoreAdmin};
use coredeck::model::Setting;
use coredeck::ops::{Intent, OpState, Outcome, Plan, preview, rollback};
use coredeck::supertokens::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const KEY_OF_ONE: &str = "/coredeck/demo/secrets/shared-prod-1/saas-secret";

/// Two processes with the same customers, whose lists of domains are not the same one: what a customer sets differs, and
/// what they were started with differs too.
async fn mixed() -> Bench {
    let bench = Bench::with_cores().await;
    let client = Client::new(Clock::Real).unwrap();
    for (id, lifetime) in [(ONE, 3_600_000), (TWO, 1_800_000)] {
        let settings = json!({
            "postgresql_connection_uri": format!("{URI}base"), "password_reset_token_lifetime": lifetime,
        });
        based(&bench, id, json!({ "database": format!("{id}-base"), "settings": settings })).await;
    }
    for (id, keys, attempts) in [(ONE, OLD, 5), (TWO, "another-old-key-of-the-customer", 8)] {
        let shown = |value: Value| Some(Setting::Shown(value));
        let settings = BTreeMap::from([
            ("postgresql_connection_uri".into(), shown(format!("{URI}cust1").into())),
            ("api_keys".into(), shown(keys.into())),
            ("totp_max_attempts".into(), shown(attempts.into())),
        ]);
        client.put_domain(&door(&bench, id, SECRET), DOMAIN, &settings).await.unwrap();
    }
    put(&bench, "/keys/new", "SecureString", NEW).await;
    bench
}

async fn planned(bench: &Bench, intent: Intent) -> Plan {
    bench.plan(intent).await.unwrap_or_else(|error| panic!("{error}: {:?}", error.source))
}

async fn done(bench: &Bench, plan: &Plan) -> OpState {
    bench.run(&bench.enter(plan).id).await
}

/// Why an operation ended as it did.
fn why(op: &OpState) -> String {
    op.lanes.iter().flat_map(|lane| lane.why.clone()).collect::<Vec<_>>().join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_differ_already_are_said_put_one_by_one_and_each_gets_its_own_back() {
    let bench = mixed().await;
    let before = own(&bench).await;
    assert_ne!(before[0], before[1]);
    let plan = planned(
        &bench,
        wished("core config set", |wish| {
            wish.set.insert("totp_max_attempts".to_owned(), open("7"));
            wish.set.insert("password_reset_token_lifetime".to_owned(), open("600000"));
            wish.set.insert("api_keys".to_owned(), secret("/keys/new"));
        }),
    )
    .await;
    let text = preview::text(&plan).split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "totp_max_attempts of c1.example.com differs now: 5 at shared-prod-1, 8 at shared-dev-1; each is put by itself",
        "taken back each gets its own again",
        "api_keys of c1.example.com differs now: (hidden) at shared-prod-1, another one at shared-dev-1",
        "password_reset_token_lifetime is set by none of them, and what they were started with differs: 3600000 at \
         shared-prod-1, 1800000 at shared-dev-1",
        "at shared-prod-1 and shared-dev-1",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("another-old-key") && !text.contains(OLD), "{text}");
    let op = done(&bench, &plan).await;
    assert_eq!(end(&op), Some(Outcome::Done), "{}", why(&op));
    for now in own(&bench).await {
        assert_eq!((&now["totp_max_attempts"], &now["api_keys"]), (&json!(7), &json!(NEW)));
    }
    let back = done(&bench, &bench.undo(&op).await.unwrap()).await;
    assert_eq!(end(&back), Some(Outcome::Done), "{}", why(&back));
    assert_eq!(own(&bench).await, before, "each has its own again");
    // Whose keys are to be rotated is not guessed.
    let said = refused(&bench, super::config::rotated()).await;
    assert!(said.contains("its processes do not have the same keys for c1.example.com"), "{said}");
    assert!(
        said.contains(
            "coredeck core config set shared-prod-1 --domain c1.example.com --secret api_keys=PARAMETER"
        ),
        "{said}"
    );
}

/// Takes the licence of a core's base app away, or gives it back, as whoever holds its secret may.
fn licence(address: &str, key: Option<&str>) {
    let body = key.map(|key| json!({ "licenseKey": key }).to_string()).unwrap_or_default();
    let method = if key.is_some() { "PUT" } else { "DELETE" };
    let headers = [("api-key", SECRET), ("content-type", "application/json")];
    let heard = crate::loopback::ask(address, method, "/ee/license", &headers, body.as_bytes());
    let heard = String::from_utf8_lossy(&heard);
    assert!(heard.contains(" 200 ") && !heard.contains("INVALID"), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_that_a_core_refuses_ends_with_the_reason_and_the_command_and_can_be_gone_again() {
    let bench = rig().await;
    let before = own(&bench).await;
    let address = door(&bench, ONE, SECRET).address.trim_start_matches("http://").to_owned();
    let given = async |key: Option<&'static str>| {
        let address = address.clone();
        tokio::task::spawn_blocking(move || licence(&address, key)).await.unwrap();
    };

    // The other process never learns of it, so that it is taken back; and by then the licence is gone.
    let plan = planned(&bench, configured()).await;
    let puts = AtomicUsize::new(0);
    let (running, at) = (Arc::clone(&bench.running), address.clone());
    let writer = refusing(bench.writer(), move |change| {
        if matches!(change, Change::PutCore { .. }) {
            match puts.fetch_add(1, Ordering::SeqCst) {
                0 => assert!(running.cut_off(TWO, true)),
                _ => tokio::task::block_in_place(|| licence(&at, None)),
            }
        }
        None
    });
    let edge = bench.edge(Arc::new(bench.journal()), writer);
    let record = bench.enter(&plan);
    let op = coredeck::ops::run(&edge, &record.id, &super::bench::runner("anna")).await.unwrap();
    assert_eq!(end(&op), Some(Outcome::PartWay), "{}", why(&op));
    assert!(why(&op).contains("lacks multi_tenancy"), "{}", why(&op));
    assert!(why(&op).contains("put a licence key on the core's base app"), "{}", why(&op));
    assert_eq!(rollback::command(&op), Some(format!("coredeck op rollback {}", record.id)));
    bench.running.cut_off(TWO, false);
    // So does an undo of its own: nothing is lost, and the same command does it when the licence is there again.
    let undo = done(&bench, &bench.undo(&op).await.unwrap()).await;
    assert_eq!(end(&undo), Some(Outcome::Failed), "{}", why(&undo));
    assert!(why(&undo).contains("lacks multi_tenancy"), "{}", why(&undo));
    assert_eq!(rollback::retry(&undo), Some(format!("coredeck op rollback {}", record.id)));
    given(Some("a-licence-key-with-many-tenants")).await;
    let undo = done(&bench, &bench.undo(&op).await.unwrap()).await;
    assert_eq!(end(&undo), Some(Outcome::Done), "{}", why(&undo));
    assert_eq!(own(&bench).await, before, "nothing was lost");

    // 401: its key is another one by then. 403: it is an ordinary one, which shows and changes nothing protected.
    let pool = |size: &str| {
        wished("core config set", |wish| {
            wish.set.insert("postgresql_connection_pool_size".to_owned(), open(size));
        })
    };
    let op = done(&bench, &planned(&bench, pool("3")).await).await;
    assert_eq!(end(&op), Some(Outcome::Done), "{}", why(&op));
    let before = own(&bench).await;
    for (intent, key, says) in [
        (configured(), "a-key-of-somebody-else-entirely", "does not take this API key"),
        (pool("4"), BASE, "protected"),
    ] {
        let op = done(&bench, &planned(&bench, intent).await).await;
        assert_eq!(end(&op), Some(Outcome::Done), "{}", why(&op));
        put(&bench, KEY_OF_ONE, "SecureString", key).await;
        let undo = done(&bench, &bench.undo(&op).await.unwrap()).await;
        assert_eq!(end(&undo), Some(Outcome::Failed), "{says}: {}", why(&undo));
        assert!(why(&undo).contains(says), "{}", why(&undo));
        assert_eq!(rollback::retry(&undo), Some(format!("coredeck op rollback {}", op.record.id)));
        put(&bench, KEY_OF_ONE, "SecureString", SECRET).await;
        let undo = done(&bench, &bench.undo(&op).await.unwrap()).await;
        assert_eq!(end(&undo), Some(Outcome::Done), "{}", why(&undo));
        assert_eq!(own(&bench).await, before, "{says}: nothing was lost");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_opened_with_an_ordinary_key_is_not_taken_for_one_that_differs() {
    let bench = super::config::rig().await;
    let name = format!("/coredeck/demo/cores/{TWO}");
    let mut entry: Value = serde_json::from_str(&super::config::value(&bench, &name).await).unwrap();
    entry["api_key_parameter"] = format!("/coredeck/demo/secrets/{TWO}/api-key").into();
    put(&bench, &name, "String", &entry.to_string()).await;
    let pool = || {
        wished("core config set", |wish| {
            wish.set.insert("postgresql_connection_pool_size".to_owned(), open("12"));
        })
    };
    let said = refused(&bench, pool()).await;
    assert!(
        said.contains("shared-dev-1")
            && said.contains("does not tell postgresql_connection_pool_size")
            && said.contains("--key-parameter"),
        "{said}"
    );
    // What is not protected is told with any key.
    let plan = planned(
        &bench,
        wished("core config set", |wish| {
            wish.set.insert("totp_max_attempts".to_owned(), open("7"));
        }),
    )
    .await;
    assert!(!preview::text(&plan).contains("differs now"), "{}", preview::text(&plan));
}
