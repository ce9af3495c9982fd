//! A planted secret in each place that can hold one is found nowhere after real processes have read, described,
//! changed, failed and logged: not in journal, plans, caches, history or logs, and in nothing that was printed.

use crate::binary::{Home, Ran};
use crate::loopback;
use crate::sim::{json as call, query};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use coredeck::clock::Clock;
use coredeck::sim::{Options, Running, serve};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const CORE: &str = "shared-prod-1";
const DOMAIN: &str = "planted.example.com";

/// Where it was planted, and what.
const PLANTED: [(&str, &str); 15] = [
    ("the core's own API key", "PLANTED-key-of-the-core-itself-01"),
    ("the secret of the shared core", "PLANTED-saas-secret-of-forty-letters-or-more-02"),
    ("a customer's API key", "PLANTED-key-of-one-customer-03"),
    ("a customer's next API key", "PLANTED-next-key-of-one-customer-04"),
    ("a provider's client secret", "PLANTED/client+secret=05"),
    ("a database password", "PLANTED-pw-06"),
    ("a database user", "planted_user_07"),
    ("a database host", "planted-host-08.db.internal"),
    ("a host in the text of a 500", "planted-nowhere-09.example"),
    ("a password in an address that fails", "PLANTED-pw-10"),
    ("a container's environment", "PLANTED-environment-11"),
    ("a container's label", "PLANTED-label-12"),
    ("a template's user data", "PLANTED user data 13"),
    ("a registry entry", "PLANTED-registry-entry-14"),
    ("a parameter that is a plain text", "PLANTED-plain-parameter-15"),
];

fn planted(at: usize) -> &'static str {
    PLANTED[at - 1].1
}

async fn parameter(running: &Running, name: &str) -> String {
    let body = json!({ "Name": name, "WithDecryption": true });
    let answer = call(running, "ssm", "AmazonSSM.GetParameter", body).await;
    answer["Parameter"]["Value"].as_str().unwrap_or_else(|| panic!("{name}: {answer}")).to_owned()
}

async fn put(running: &Running, name: &str, kind: &str, value: &str) {
    let body = json!({ "Name": name, "Type": kind, "Value": value, "Overwrite": true });
    let answer = call(running, "ssm", "AmazonSSM.PutParameter", body).await;
    assert!(answer["Version"].is_u64(), "{name}: {answer}");
}

/// Asks the core as its operator would.
async fn ask(running: &Running, host: &'static str, method: &'static str, path: &'static str, body: Value) {
    let at = running.cores().into_iter().find(|core| core.id == CORE).unwrap().listens.unwrap().to_string();
    let heard = tokio::task::spawn_blocking(move || {
        let headers = [("api-key", planted(2)), ("host", host), ("content-type", "application/json")];
        let headers = if host.is_empty() { vec![headers[0], headers[2]] } else { headers.to_vec() };
        loopback::ask(&at, method, path, &headers, body.to_string().as_bytes())
    });
    let heard = String::from_utf8_lossy(&heard.await.unwrap()).into_owned();
    assert!(heard.contains("\"status\":\"OK\""), "{path}: {heard}");
}

async fn plant() -> (Running, Arc<Home>) {
    let clock = Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
    let running = serve(Options { clock, speed: 0.0, cores: true, ..Options::default() }).await.unwrap();
    let secret = format!("/coredeck/demo/secrets/{CORE}/saas-secret");
    put(&running, &format!("/coredeck/demo/secrets/{CORE}/api-key"), "SecureString", planted(1)).await;
    put(&running, &secret, "SecureString", planted(2)).await;
    put(&running, "/coredeck/demo/secrets/next", "SecureString", planted(4)).await;
    let nowhere = format!("postgresql://u:{}@{}:5432/x", planted(10), planted(9));
    put(&running, "/coredeck/demo/secrets/nowhere", "SecureString", &nowhere).await;
    put(&running, "/planted/plain", "String", planted(15)).await;
    let name = format!("/coredeck/demo/cores/{CORE}");
    let mut entry: Value = serde_json::from_str(&parameter(&running, &name).await).unwrap();
    entry["api_key_parameter"] = secret.into();
    entry["api_key"] = planted(14).into();
    put(&running, &name, "String", &entry.to_string()).await;
    let uri = format!("postgresql://{}:{}@{}:5432/x", planted(7), planted(6), planted(8));
    let settings = json!({ "postgresql_connection_uri": uri, "api_keys": planted(3) });
    let domain = json!({ "connectionUriDomain": DOMAIN, "coreConfig": settings });
    ask(&running, "", "PUT", "/recipe/multitenancy/connectionuridomain/v2", domain).await;
    let provider =
        json!({ "thirdPartyId": "google", "clients": [{ "clientId": "w", "clientSecret": planted(5) }] });
    let provider = json!({ "config": provider, "skipValidation": true });
    ask(&running, DOMAIN, "PUT", "/recipe/multitenancy/config/thirdparty", provider).await;
    let template = query(&running, "ec2", "Action=DescribeLaunchTemplates&Version=2016-11-15").await;
    let template = template.split_once("<launchTemplateId>").unwrap().1.split_once('<').unwrap().0.to_owned();
    let data: String = form_urlencoded::byte_serialize(STANDARD.encode(planted(13)).as_bytes()).collect();
    let version = format!(
        "Action=CreateLaunchTemplateVersion&Version=2016-11-15&LaunchTemplateId={template}&SourceVersion=1&\
         LaunchTemplateData.UserData={data}"
    );
    let made = query(&running, "ec2", &version).await;
    assert!(made.contains("<versionNumber>"), "{made}");
    running.plant(CORE, "SUPERTOKENS_SAAS_SECRET", planted(11), "customer-note", planted(12));
    let home = Home::new();
    let door = running.cores_door().unwrap();
    home.write(
        "coredeck.toml",
        &format!("fleet = \"demo\"\nregions = [\"us-east-1\"]\n[cores]\nreach = \"direct\"\nproxy = \"http://{door}\"\n"),
    );
    (running, Arc::new(home))
}

/// Runs the binary with everything logged, into one log.
async fn run(running: &Running, home: &Arc<Home>, args: &str) -> Ran {
    let env = running.exports();
    let (home, typed) = (Arc::clone(home), args.to_owned());
    let ran = tokio::task::spawn_blocking(move || {
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let config = home.path().join("coredeck.toml");
        let mut args: Vec<&str> = typed.split(' ').collect();
        args.extend(["--config", config.to_str().unwrap(), "--log-file", "log", "-vvv"]);
        home.run_with(&args, &env)
    });
    ran.await.unwrap()
}

/// Every form in which a secret could stand somewhere.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let percent: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let quoted = Value::from(secret).to_string();
    let mut forms = vec![
        secret.to_owned(),
        secret.to_lowercase(),
        STANDARD.encode(secret).trim_end_matches('=').to_owned(),
        URL_SAFE_NO_PAD.encode(secret),
        percent,
        quoted.trim_matches('"').to_owned(),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ];
    forms.sort();
    forms.dedup();
    forms.into_iter().map(String::into_bytes).collect()
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, all) } else { all.push(path) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_found_nowhere_after_everything_was_done_to_what_holds_it() {
    let (running, home) = plant().await;
    let place = format!("{CORE} --domain {DOMAIN}");
    let keys = "/coredeck/demo/secrets";
    let mut said = Vec::new();
    let mut went = |args: &str, ran: Ran, wanted: &[i32]| {
        assert!(
            ran.code.is_some_and(|code| wanted.contains(&code)),
            "{args}: {:?} {} {}",
            ran.code,
            ran.out,
            ran.err
        );
        said.push((args.to_owned(), ran));
    };
    // A put that fails with host, user and database in its text, is kept all the same, and is taken back.
    let fails = format!(
        "core config set {place} --secret postgresql_connection_uri={keys}/nowhere --yes --detach -o json"
    );
    let ran = run(&running, &home, &fails).await;
    let id = ran.out.split_once("\"op-").map(|(_, rest)| format!("op-{}", rest.split('"').next().unwrap()));
    let id = id.unwrap_or_else(|| panic!("{} {}", ran.out, ran.err));
    went(&fails, ran, &[7]);
    for (args, wanted) in [
        (format!("op watch {id} --timeout 4s"), &[7][..]),
        (format!("op rollback {id} --yes"), &[0, 6, 7]),
        (format!("op watch {id} --timeout 60s"), &[0, 6]),
        (format!("op log {id}"), &[0]),
    ] {
        let ran = run(&running, &home, &args).await;
        went(&args, ran, wanted);
    }
    for (args, wanted) in [
        ("get cores -o json".to_owned(), &[0][..]),
        ("get cores -o wide".to_owned(), &[0]),
        ("get tenants -o yaml".to_owned(), &[0]),
        ("get templates -o csv".to_owned(), &[0]),
        (format!("describe core {CORE} -o json"), &[0]),
        (format!("core config show {place}"), &[0]),
        (format!("core config show {place} -o json --changed"), &[0]),
        ("inventory show -o json --yes".to_owned(), &[0, 1]),
        (
            format!(
                "core config set {place} access_token_validity=7200 --secret api_keys={keys}/next --dry-run -o json"
            ),
            &[0],
        ),
        (format!("core config set {place} access_token_validity=7200 --plan-out plan.json"), &[0]),
        (format!("core keys rotate {place} --new {keys}/next --yes -o json"), &[0]),
        (format!("core keys retire {place} --keep {keys}/next --yes"), &[0]),
        // What was typed is not repeated.
        (format!("core config set {place} api_keys={}", planted(4)), &[2]),
        (format!("core config set {place} --secret api_keys={}", planted(4)), &[2]),
        ("--headless 5<ret> --size 200x50".to_owned(), &[0]),
        ("op list -o json".to_owned(), &[0]),
        ("op export".to_owned(), &[0]),
        ("calls -o json".to_owned(), &[0]),
    ] {
        let ran = run(&running, &home, &args).await;
        went(&args, ran, wanted);
    }
    let mut found = Vec::new();
    let mut all = Vec::new();
    files(home.path(), &mut all);
    for wanted in ["journal.db", "plan.json", "log"] {
        assert!(
            all.iter().any(|file| file.file_name().is_some_and(|name| name == wanted)),
            "{wanted}: {all:?}"
        );
    }
    for (what, secret) in PLANTED {
        for form in forms(secret) {
            let read = |file: &&PathBuf| holds(&std::fs::read(file).unwrap_or_default(), &form);
            for file in all.iter().filter(read) {
                found.push(format!("{what} in {}", file.display()));
            }
            for (args, ran) in &said {
                if holds(ran.out.as_bytes(), &form) || holds(ran.err.as_bytes(), &form) {
                    found.push(format!("{what} was printed by {args}"));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{found:#?}");
    // The search itself finds: what is no secret and was printed and kept.
    assert!(said.iter().any(|(_, ran)| holds(ran.out.as_bytes(), DOMAIN.as_bytes())));
    assert!(all.iter().any(|file| holds(&std::fs::read(file).unwrap(), DOMAIN.as_bytes())));
}
