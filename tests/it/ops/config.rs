//! Changes of cores by their own calls: settings of customers, and their API keys, on a shared core of two processes.

use super::bench::{Bench, intent};
use crate::sim_hosts::ssm;
use coredeck::clock::Clock;
use coredeck::gateway::{AdminError, CoreAdmin, Door};
use coredeck::model::admin::Place;
use coredeck::model::{Sealed, Setting};
use coredeck::ops::intent::{ConfigWish, SettingWish};
use coredeck::ops::{Intent, OpState, Outcome, Plan};
use coredeck::supertokens::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) const ONE: &str = "shared-prod-1";
pub(super) const TWO: &str = "shared-dev-1";
pub(super) const DOMAIN: &str = "c1.example.com";
/// What opens the customer's domain when a test begins, and what it is pointed to.
pub(super) const OLD: &str = "the-old-key-of-one-customer-only";
pub(super) const NEW: &str = "the-new-key-of-one-customer-only";
pub(super) const BASE: &str = "the-key-of-the-shared-core-itself";
pub(super) const SECRET: &str = "the-secret-of-a-shared-core-of-forty-letters-or-more";
pub(super) const URI: &str = "postgresql://cust:s3cret-pw@customers-1.db.internal:5432/";

pub(super) async fn put(bench: &Bench, name: &str, kind: &str, value: &str) {
    let body = json!({ "Name": name, "Type": kind, "Value": value, "Overwrite": true });
    let answer = ssm(&bench.running, "PutParameter", body).await;
    assert!(answer["Version"].is_u64(), "{name}: {answer}");
}

pub(super) async fn value(bench: &Bench, name: &str) -> String {
    let answer = ssm(&bench.running, "GetParameter", json!({ "Name": name, "WithDecryption": true })).await;
    answer["Parameter"]["Value"].as_str().unwrap_or_else(|| panic!("{name}: {answer}")).to_owned()
}

/// Two processes of one shared core with a secret, a domain with a key, an app and two tenants; SecureStrings.
pub(super) async fn rig() -> Bench {
    of(OLD).await
}

/// The same with two keys that are valid.
pub(super) async fn rig_with_two_keys() -> Bench {
    of(&format!("{OLD},{NEW}")).await
}

/// Gives a process its base, its keys, and the secret of a shared core.
pub(super) async fn based(bench: &Bench, id: &str, base: Value) {
    let name = format!("/coredeck/demo/cores/{id}");
    let mut entry: Value = serde_json::from_str(&value(bench, &name).await).unwrap();
    entry["base"] = base;
    entry["api_key_parameter"] = format!("/coredeck/demo/secrets/{id}/saas-secret").into();
    put(bench, &name, "String", &entry.to_string()).await;
    put(bench, &format!("/coredeck/demo/secrets/{id}/saas-secret"), "SecureString", SECRET).await;
    put(bench, &format!("/coredeck/demo/secrets/{id}/api-key"), "SecureString", BASE).await;
}

async fn of(keys: &str) -> Bench {
    let bench = Bench::with_cores().await;
    for id in [ONE, TWO] {
        based(&bench, id, json!({ "database": "shared-base" })).await;
    }
    let (client, door) = (Client::new(Clock::Real).unwrap(), door(&bench, ONE, SECRET));
    let shown = |value: Value| Some(Setting::Shown(value));
    let settings = BTreeMap::from([
        ("postgresql_connection_uri".into(), shown(format!("{URI}cust1").into())),
        ("api_keys".into(), shown(keys.into())),
    ]);
    client.put_domain(&door, DOMAIN, &settings).await.unwrap();
    let own = BTreeMap::from([("totp_max_attempts".into(), shown(9.into()))]);
    for (app, tenant, settings) in
        [("a1", "public", BTreeMap::new()), ("public", "t1", own), ("a1", "t2", BTreeMap::new())]
    {
        let place = Place { app: app.into(), tenant: tenant.into(), ..Place::of(DOMAIN) };
        client.put_settings(&door, &place, &settings).await.unwrap();
    }
    client.domains(&self::door(&bench, TWO, SECRET)).await.unwrap();
    put(&bench, "/keys/old", "SecureString", OLD).await;
    put(&bench, "/keys/new", "SecureString", NEW).await;
    put(&bench, "/keys/plain", "String", NEW).await;
    put(&bench, "/keys/short", "SecureString", "short").await;
    bench
}

pub(super) fn door(bench: &Bench, id: &str, key: &str) -> Door {
    let core = bench.running.cores().into_iter().find(|core| core.id == id).unwrap();
    Door { address: format!("http://{}", core.listens.unwrap()), host: None, key: Some(Sealed::new(key)) }
}

pub(super) fn wished(verb: &str, change: impl FnOnce(&mut ConfigWish)) -> Intent {
    let mut wish = ConfigWish { domain: Some(DOMAIN.to_owned()), ..ConfigWish::default() };
    change(&mut wish);
    let mut intent = intent(verb, &[ONE]);
    intent.options.core_config = Some(Box::new(wish));
    intent
}

pub(super) fn open(json: &str) -> SettingWish {
    SettingWish::Open { json: json.to_owned() }
}

pub(super) fn secret(parameter: &str) -> SettingWish {
    SettingWish::Secret { parameter: parameter.to_owned() }
}

/// Two settings, one of them a secret.
pub(super) fn configured() -> Intent {
    wished("core config set", |wish| {
        wish.set.insert("access_token_validity".to_owned(), open("7200"));
        wish.set.insert("api_keys".to_owned(), secret("/keys/new"));
    })
}

pub(super) fn rotated() -> Intent {
    wished("core keys rotate", |wish| wish.generate = Some("/keys/made".to_owned()))
}

pub(super) fn retired(keep: &str) -> Intent {
    wished("core keys retire", |wish| wish.keep_key = Some(keep.to_owned()))
}

pub(super) async fn refused(bench: &Bench, intent: Intent) -> String {
    let error = bench.plan(intent).await.unwrap_err();
    format!("{error}: {}", error.source.as_ref().map(|source| source.to_string()).unwrap_or_default())
}

async fn run(bench: &Bench, intent: Intent) -> (Plan, OpState) {
    let plan = bench.plan(intent).await.unwrap_or_else(|error| panic!("{error}: {:?}", error.source));
    let op = bench.run(&bench.enter(&plan).id).await;
    (plan, op)
}

pub(super) fn end(op: &OpState) -> Option<Outcome> {
    op.ended.map(|(end, _)| end)
}

async fn back(bench: &Bench, op: &OpState) -> OpState {
    bench.run(&bench.enter(&bench.undo(op).await.unwrap()).id).await
}

/// What both processes list for the domain itself.
pub(super) async fn own(bench: &Bench) -> Vec<BTreeMap<String, Value>> {
    let client = Client::new(Clock::Real).unwrap();
    let mut all = Vec::new();
    for id in [ONE, TWO] {
        let domains = client.domains(&door(bench, id, SECRET)).await.unwrap();
        let mine = domains.into_iter().find(|domain| domain.domain == DOMAIN).unwrap();
        let tenant = mine.apps.iter().find(|app| app.id == "public").unwrap().tenants.clone();
        let tenant = tenant.into_iter().find(|tenant| tenant.id == "public").unwrap();
        let open = |setting: &Setting| match setting {
            Setting::Shown(value) => value.clone(),
            Setting::Hidden(sealed) => serde_json::from_str(sealed.open()).unwrap(),
        };
        all.push(tenant.settings.iter().map(|(key, value)| (key.to_string(), open(value))).collect());
    }
    all
}

async fn opens(bench: &Bench, id: &str, key: &str) -> bool {
    let client = Client::new(Clock::Real).unwrap();
    match client.users(&door(bench, id, key), &Place::of(DOMAIN), false).await {
        Ok(_) => true,
        Err(AdminError::WrongKey) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Everything that a plan and the journal of its operation hold.
fn written(bench: &Bench, plan: &Plan, op: &OpState) -> String {
    use coredeck::store::journal::Ledger as _;
    let entries = bench.journal().entries(&op.record.id, 0).unwrap();
    let said: String = entries.iter().map(|entry| entry.body.clone()).collect();
    format!("{}{}{said}", plan.json(), coredeck::ops::preview::text(plan))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_of_a_core_with_several_is_its_domain_whatever_the_tier_is_called() {
    let bench = rig().await;
    let name = format!("/coredeck/demo/cores/{ONE}");
    let found = ssm(&bench.running, "GetParameter", json!({ "Name": name })).await;
    let mut entry: Value = serde_json::from_str(found["Parameter"]["Value"].as_str().unwrap()).unwrap();
    entry["tier"] = json!("pool");
    let body = json!({ "Name": name, "Type": "String", "Value": entry.to_string(), "Overwrite": true });
    ssm(&bench.running, "PutParameter", body).await;
    let tenant = json!({ "core": ONE, "domain": DOMAIN });
    put(&bench, "/coredeck/demo/tenants/c1", "String", &tenant.to_string()).await;
    let mut intent = wished("core config set", |wish| {
        wish.domain = None;
        wish.set.insert("access_token_validity".to_owned(), open("7200"));
    });
    intent.targets = vec!["c1".to_owned()];
    let plan = bench.plan(intent).await.unwrap_or_else(|error| panic!("{error}: {:?}", error.source));
    let text = coredeck::ops::preview::text(&plan);
    // The base domain would be every other customer's too.
    assert!(text.contains("will hold for c1.example.com, "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_merged_known_everywhere_and_set_back_to_what_they_were() {
    let bench = rig().await;
    let before = own(&bench).await;
    let (plan, op) = run(&bench, configured()).await;
    assert_eq!(end(&op), Some(Outcome::Done), "{:?}", op.lanes);
    let text = coredeck::ops::preview::text(&plan);
    for part in [
        "access_token_validity: not set here (3600 holds) → 7200",
        "keep the present api_keys of c1.example.com as /coredeck/demo/kept/shared-prod-1/c1.example.com/public/public/api_keys version 1",
        "(hidden: what lies in /keys/new version 1)",
        "access_token_validity will hold for c1.example.com, c1.example.com/public/t1, c1.example.com/a1",
        "shared-dev-1 know it too",
        "every key that is not among the new ones gets 401 at once",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for now in own(&bench).await {
        assert_eq!((&now["access_token_validity"], &now["api_keys"]), (&json!(7200), &json!(NEW)));
        assert_eq!(now["postgresql_connection_uri"], before[0]["postgresql_connection_uri"], "merged");
    }
    let said = written(&bench, &plan, &op);
    for planted in [OLD, NEW, SECRET, "s3cret-pw"] {
        assert!(!said.contains(planted), "{planted}");
    }
    assert_eq!(end(&back(&bench, &op).await), Some(Outcome::Done));
    assert_eq!(own(&bench).await, before, "exactly as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_core_would_refuse_is_refused_before_with_its_reason() {
    let bench = rig().await;
    let set = |pairs: &[(&str, SettingWish)], more: fn(&mut ConfigWish)| {
        let pairs: BTreeMap<String, SettingWish> =
            pairs.iter().map(|(key, wish)| ((*key).to_owned(), wish.clone())).collect();
        wished("core config set", |wish| {
            wish.set = pairs;
            more(wish);
        })
    };
    let same: fn(&mut ConfigWish) = |_| ();
    let base: fn(&mut ConfigWish) = |wish| wish.domain = None;
    let tenant: fn(&mut ConfigWish) = |wish| wish.tenant = Some("t1".to_owned());
    let nobody: fn(&mut ConfigWish) = |wish| wish.domain = Some("nobody.example".to_owned());
    let ordinary: fn(&mut ConfigWish) =
        |wish| wish.key_parameter = Some("/coredeck/demo/secrets/shared-prod-1/api-key".to_owned());
    for (pairs, more, says) in [
        (
            ("log_level", open("\"DEBUG\"")),
            same,
            "log_level can only be set in the core's own base configuration",
        ),
        (("access_token_validty", open("1")), same, "did you mean access_token_validity?"),
        (("access_token_validity", open("1")), base, "the base configuration cannot be changed by a call"),
        (
            ("access_token_validity", open("1")),
            tenant,
            "access_token_validity must be the same for all of one app",
        ),
        (("access_token_validity", open("1")), nobody, "knows no nobody.example, and a put would make it"),
        (("api_keys", open("\"x\"")), same, "it is or may hold a secret"),
        (("api_keys", secret("/keys/plain")), same, "it is a String: its value lies open"),
        (("api_keys", secret("/keys/short")), same, "each API key has at least 20 characters"),
        (("api_keys", secret("/keys/none")), same, "has no such parameter"),
        (("postgresql_connection_pool_size", open("1")), same, "a pool of one connection hangs"),
        (("migration_mode", open("\"MIGRATED\"")), same, "it goes one step at a time, and is LEGACY"),
        (("ip_allow_regex", open("\".*\"")), ordinary, "core settings are protected"),
        (("postgresql_port", open("5433")), ordinary, "database settings are protected"),
        (("api_keys", secret("/keys/old")), same, "all of it is so already"),
        (
            ("supertokens_saas_secret", secret("/keys/new")),
            same,
            "supertokens_saas_secret can only be set in",
        ),
    ] {
        let said = refused(&bench, set(std::slice::from_ref(&pairs), more)).await;
        assert!(said.contains(says), "{pairs:?}: {said}");
    }
    let keys = |verb: &str, change: fn(&mut ConfigWish)| wished(verb, change);
    for (intent, says) in [
        (keys("core keys rotate", |wish| wish.domain = None), "container's environment"),
        (
            keys("core keys rotate", |wish| wish.tenant = Some("t1".into())),
            "must be the same for all of one app",
        ),
        (
            keys("core keys rotate", |wish| wish.new_key = Some("/keys/old".into())),
            "opens c1.example.com already",
        ),
        (keys("core keys rotate", |wish| wish.generate = Some("/keys/new".into())), "it is there already"),
        (
            keys("core keys rotate", |_| ()),
            "put-parameter --type SecureString --name /coredeck/demo/secrets/",
        ),
        (
            keys("core keys rotate", |_| ()),
            "--domain c1.example.com --generate /coredeck/demo/secrets/shared-prod-1/key-2",
        ),
        (
            keys("core keys rotate", |wish| {
                wish.new_key = Some("/coredeck/demo/secrets/shared-prod-1/api-key".into());
            }),
            "it opens shared-prod-1's own domain, too: who has it would open both",
        ),
        (
            keys("core keys rotate", |wish| {
                wish.new_key = Some("/coredeck/demo/secrets/shared-prod-1/saas-secret".into());
            }),
            "it opens shared-prod-1's own domain, too: who has it would open both",
        ),
        (
            keys("core keys retire", |wish| wish.keep_key = Some("/keys/new".into())),
            "everybody would be locked out",
        ),
        (keys("core keys retire", |wish| wish.keep_key = Some("/keys/old".into())), "it is the only key"),
    ] {
        let said = refused(&bench, intent).await;
        assert!(said.contains(says), "{says}: {said}");
    }
    assert!(bench.changes().keys().all(|call| call == "PutParameter"), "nothing was changed but by the rig");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_somebody_else_edits_between_plan_and_run_makes_the_plan_stale() {
    for intent in [configured(), rotated()] {
        let bench = rig().await;
        let plan = bench.plan(intent).await.unwrap();
        let client = Client::new(Clock::Real).unwrap();
        let theirs = "the-key-that-a-colleague-put-there-meanwhile";
        let edited = BTreeMap::from([("api_keys".into(), Some(Setting::secret(theirs)))]);
        client.put_settings(&door(&bench, ONE, SECRET), &Place::of(DOMAIN), &edited).await.unwrap();
        client.domains(&door(&bench, TWO, SECRET)).await.unwrap();
        let before = own(&bench).await;
        let op = bench.run(&bench.enter(&plan).id).await;
        assert_eq!(end(&op), Some(Outcome::Failed), "{:?}", op.lanes);
        assert_eq!(own(&bench).await, before, "what the colleague did stays");
        let said = written(&bench, &plan, &op);
        assert!(said.contains("another secret, told apart as "), "{said}");
        for secret in [OLD, theirs] {
            assert!(!said.contains(secret), "{secret}");
        }
        let changes = bench.changes();
        assert!(changes.keys().all(|call| call == "PutParameter"), "{changes:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_are_valid_and_then_one_and_every_stage_is_taken_back() {
    let bench = rig().await;
    let before = own(&bench).await;
    let (plan, op) = run(&bench, rotated()).await;
    assert_eq!(end(&op), Some(Outcome::Done), "{:?}", op.lanes);
    assert!(
        plan.warnings.iter().any(|said| said
            .contains("coredeck core keys retire shared-prod-1 --domain c1.example.com --keep /keys/made")),
        "{:?}",
        plan.warnings
    );
    let made = value(&bench, "/keys/made").await;
    for id in [ONE, TWO] {
        assert!(opens(&bench, id, OLD).await && opens(&bench, id, &made).await, "{id}");
    }
    let (plan_2, op_2) = run(&bench, retired("/keys/made")).await;
    assert_eq!(end(&op_2), Some(Outcome::Done), "{:?}", op_2.lanes);
    assert!(plan_2.warnings.iter().any(|said| said.contains("requests a second")), "{:?}", plan_2.warnings);
    for id in [ONE, TWO] {
        assert!(!opens(&bench, id, OLD).await && opens(&bench, id, &made).await, "{id}");
    }
    let said = written(&bench, &plan, &op) + &written(&bench, &plan_2, &op_2);
    for planted in [OLD, made.as_str(), SECRET] {
        assert!(!said.contains(planted), "{planted}");
    }
    assert_eq!(end(&back(&bench, &op_2).await), Some(Outcome::Done));
    assert!(opens(&bench, TWO, OLD).await && opens(&bench, TWO, &made).await);
    assert_eq!(end(&back(&bench, &op).await), Some(Outcome::Done));
    assert!(opens(&bench, TWO, OLD).await && !opens(&bench, TWO, &made).await);
    assert_eq!(own(&bench).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_fails_and_is_kept_all_the_same_is_seen_and_taken_back() {
    let bench = rig().await;
    let before = own(&bench).await;
    put(&bench, "/uri/nowhere", "SecureString", "postgresql://u:s3cret-pw@nowhere.example:5432/x").await;
    let nowhere = wished("core config set", |wish| {
        wish.set.insert("postgresql_connection_uri".to_owned(), secret("/uri/nowhere"));
    });
    let (plan, op) = run(&bench, nowhere).await;
    assert!(plan.warnings.iter().any(|said| said.contains("decides which database")), "{:?}", plan.warnings);
    assert_eq!(end(&op), Some(Outcome::RolledBack), "{:?}", op.lanes);
    let said = written(&bench, &plan, &op);
    assert!(said.contains("it may have happened") && said.contains("adopted"), "the row was found: {said}");
    assert!(!said.contains("nowhere.example") && !said.contains("s3cret-pw"), "{said}");
    assert_eq!(own(&bench).await, before);
    // One of the processes goes away after the plan was made: nothing is begun.
    let intent = wished("core config set", |wish| {
        wish.set.insert("access_token_validity".to_owned(), open("7200"));
    });
    let plan = bench.plan(intent.clone()).await.unwrap();
    bench.running.cut_off(TWO, true);
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::Failed), "{:?}", op.lanes);
    assert!(op.lanes[0].why[0].contains("cannot reach the database"), "{:?}", op.lanes[0].why);
    // Planned while it is away, that is said.
    let plan = bench.plan(intent).await.unwrap();
    assert!(plan.warnings.iter().any(|said| said.contains("do not answer")), "{:?}", plan.warnings);
    bench.running.cut_off(TWO, false);
    assert_eq!(own(&bench).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_takes_the_bases_keys_gets_its_own_and_both_stay_valid() {
    let bench = rig().await;
    let client = Client::new(Clock::Real).unwrap();
    let door = door(&bench, ONE, SECRET);
    client.put_domain(&door, DOMAIN, &BTreeMap::from([("api_keys".into(), None)])).await.unwrap();
    assert!(opens(&bench, ONE, BASE).await && !opens(&bench, ONE, OLD).await, "it inherits");
    let (plan, op) =
        run(&bench, wished("core keys rotate", |wish| wish.new_key = Some("/keys/new".into()))).await;
    assert_eq!(end(&op), Some(Outcome::Done), "{:?}", op.lanes);
    assert!(plan.warnings.iter().any(|said| said.contains("sets no keys itself")), "{:?}", plan.warnings);
    assert!(opens(&bench, TWO, BASE).await && opens(&bench, TWO, NEW).await);
    assert_eq!(end(&back(&bench, &op).await), Some(Outcome::Done));
    assert!(own(&bench).await.iter().all(|own| !own.contains_key("api_keys")), "it inherits again");
    let unset = wished("core config set", |wish| {
        wish.set.insert("postgresql_connection_pool_size".to_owned(), open("4"));
    });
    let (plan, _) = run(&bench, unset).await;
    assert!(plan.warnings.iter().any(|said| said.contains("another pool")), "{:?}", plan.warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_came_meanwhile_is_not_taken_away_with_those_that_were_shown() {
    let bench = rig_with_two_keys().await;
    let plan = bench.plan(retired("/keys/new")).await.unwrap();
    let third = format!("{OLD},{NEW},a-third-key-of-the-same-customer");
    let keys = BTreeMap::from([("api_keys".into(), Some(Setting::Shown(third.into())))]);
    let client = Client::new(Clock::Real).unwrap();
    client.put_domain(&door(&bench, ONE, SECRET), DOMAIN, &keys).await.unwrap();
    let before = own(&bench).await;
    let op = bench.run(&bench.enter(&plan).id).await;
    assert_eq!(end(&op), Some(Outcome::Failed), "{:?}", op.lanes);
    let why = op.lanes[0].why.join(" ");
    assert_eq!(
        why.matches("another secret, told apart as").count(),
        4,
        "both processes, before and after: {why}"
    );
    assert_eq!(own(&bench).await, before, "nothing was taken away");
    let said = written(&bench, &plan, &op);
    for planted in [OLD, NEW, "a-third-key", SECRET] {
        assert!(!said.contains(planted), "{planted}");
    }
    let (_, op) = run(&bench, retired("/keys/new")).await;
    assert_eq!(end(&op), Some(Outcome::Done), "planned anew it goes: {:?}", op.lanes);
}
