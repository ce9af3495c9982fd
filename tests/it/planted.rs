//! A planted secret in each place that can hold one is found nowhere after real processes have read, described,
//! changed, failed and logged: not in journal, plans, caches, history or logs, in nothing that was printed, and not in
//! what a panic says. What the other tests leave behind is searched in `residue.rs`.

use crate::binary::{Home, Ran};
use crate::loopback;
use crate::residue::{self, Folder};
use crate::sim::{json as call, query};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coredeck::aws;
use coredeck::clock::Clock;
use coredeck::config::{Account, Config, Login, Regions};
use coredeck::gateway::core::{CoreDoor, CoreLook, CoreSeen, SecretRef};
use coredeck::gateway::{CoreAdmin as _, Door, FleetProbe as _, Look, Secrets as _, Seen};
use coredeck::model::admin::Place;
use coredeck::model::{Scope, Sealed, Setting, Text};
use coredeck::sim::{Options, Running, parse, serve};
use coredeck::supertokens::{Client, Probing};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Small, because each process that asks cores asks all of them: a shared core with customers, cores beside it, and a
/// template.
const FLEET: &str = r#"
regions = ["us-east-1"]
[[fleet]]
name = "demo"
[[fleet.image]]
name = "core-1"
age = "90d"
[[fleet.template]]
name = "core"
type = "t3.small"
images = ["core-1"]
default = 1
[[fleet.log-group]]
name = "/coredeck/core-hosts"
[[fleet.hosts]]
name = "dev-host-{n:03}"
count = 2
type = "t3.small"
tier = "development"
cores = 3
tenants = 1
age = "9d"
[[fleet.hosts]]
name = "shared-host"
type = "t3.large"
age = "9d"
[[fleet.core]]
id = "shared-prod-1"
tier = "shared"
host = "shared-host"
[[fleet.tenant]]
id = "customer-{n:02}"
count = 4
core = "shared-prod-1"
domain = "customer-{n:02}.shared.example.com"
"#;

const CORE: &str = "shared-prod-1";
const DOMAIN: &str = "planted.example.com";
/// What stands in each line that was planted, and is no secret.
const REMARK: &str = "a-remark-of-this-test";

/// Where it was planted, and what.
const PLANTED: [(&str, &str); 20] = [
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
    ("a key in the history of its parameter", "PLANTED-key-of-yesterday-of-the-core-16"),
    ("an entry in the history of the registry", "PLANTED-entry-of-yesterday-17"),
    ("a password in a line of a log", "PLANTED-password-in-a-line-18"),
    ("an API key in a line of a log", "PLANTED-key-in-a-line-of-a-log-19"),
    ("a database host in a line of a log", "planted-host-in-a-line-20.example"),
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

/// What the core itself says to whoever has its secret.
async fn ask_for(running: &Running, method: &'static str, path: &'static str) -> String {
    let at = running.cores().into_iter().find(|core| core.id == CORE).unwrap().listens.unwrap().to_string();
    let headers = [("api-key", planted(2)), ("host", "")];
    let heard = tokio::task::spawn_blocking(move || loopback::ask(&at, method, path, &headers[..1], b""));
    String::from_utf8_lossy(&heard.await.unwrap()).into_owned()
}

async fn plant() -> (Running, Arc<Home>) {
    let options = parse(FLEET, "planted.toml").unwrap();
    // Time goes by as on the clock of whoever asks: what a host answers is looked for from the moment that it was asked.
    let running = serve(Options { clock: Clock::Real, cores: true, ..options }).await.unwrap();
    let secret = format!("/coredeck/demo/secrets/{CORE}/saas-secret");
    put(&running, &format!("/coredeck/demo/secrets/{CORE}/api-key"), "SecureString", planted(16)).await;
    put(&running, &format!("/coredeck/demo/secrets/{CORE}/api-key"), "SecureString", planted(1)).await;
    put(&running, &secret, "SecureString", planted(2)).await;
    put(&running, "/coredeck/demo/secrets/next", "SecureString", planted(4)).await;
    let nowhere = format!("postgresql://u:{}@{}:5432/x", planted(10), planted(9));
    put(&running, "/coredeck/demo/secrets/nowhere", "SecureString", &nowhere).await;
    put(&running, "/planted/plain", "String", planted(15)).await;
    let name = format!("/coredeck/demo/cores/{CORE}");
    let mut entry: Value = serde_json::from_str(&parameter(&running, &name).await).unwrap();
    entry["api_key_parameter"] = secret.into();
    entry["api_key"] = planted(17).into();
    put(&running, &name, "String", &entry.to_string()).await;
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
    for (at, message) in [
        (50, format!("FATAL: password authentication failed: password={}", planted(18))),
        (45, format!("Connection to {}:5432 refused", planted(20))),
        (40, format!("jdbc:postgresql://{}:5432/x?user=u&password={}", planted(20), planted(18))),
        (35, format!("{{\"api_keys\":\"{}\"}}", planted(19))),
        (30, format!("api-key: {}", planted(19))),
    ] {
        let then = Clock::Real.now() - jiff::SignedDuration::from_secs(at);
        let stamp = then.strftime("%d %b %Y %H:%M:%S:000 +0000");
        let line = format!(
            "{stamp} | ERROR | pid: p | v11.0.4 | [t] t | a.b | Tenant(, public, public) | {REMARK} {message}"
        );
        running.remark(CORE, std::time::Duration::from_secs(at.unsigned_abs()), &line);
    }
    running.plant(CORE, "SUPERTOKENS_SAAS_SECRET", planted(11), "customer-note", planted(12));
    let home = Home::new();
    let door = running.cores_door().unwrap();
    home.write(
        "coredeck.toml",
        &format!("fleet = \"demo\"\nregions = [\"us-east-1\"]\n[cores]\nreach = \"direct\"\nproxy = \"http://{door}\"\n[logs]\ngroup = \"/coredeck/core-hosts\"\n"),
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

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, all) } else { all.push(path) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_found_nowhere_after_everything_was_done_to_what_holds_it() {
    let since = Clock::Real.now() - jiff::SignedDuration::from_secs(120);
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
        ("inventory show -o json --yes".to_owned(), &[0]),
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
        (format!("logs {CORE} --since {since} --grep {REMARK} --json"), &[0]),
        (format!("logs {CORE} --since {since}"), &[0]),
        ("capacity -o json --allow-partial".to_owned(), &[0]),
        ("--headless 5<ret> --size 200x50".to_owned(), &[0]),
        ("op list -o json".to_owned(), &[0]),
        ("op export".to_owned(), &[0]),
        ("calls -o json".to_owned(), &[0]),
    ] {
        let ran = run(&running, &home, &args).await;
        went(&args, ran, wanted);
    }
    // A key that nobody has ever seen: made, put to the core beside the other, and then alone.
    let place = format!("{CORE} --domain {DOMAIN}");
    for args in [
        format!("core keys rotate {place} --generate {keys}/made --yes"),
        format!("core keys retire {place} --keep {keys}/made --yes -o json"),
        "op list -o json".to_owned(),
        "op export".to_owned(),
    ] {
        let ran = run(&running, &home, &args).await;
        went(&args, ran, &[0]);
    }
    let made = parameter(&running, &format!("{keys}/made")).await;
    let holds_it = ask_for(&running, "GET", "/recipe/multitenancy/connectionuridomain/list/v2").await;
    assert!(made.len() >= 40 && holds_it.contains(&made), "the core has it: {holds_it}");
    let mut all = Vec::new();
    files(home.path(), &mut all);
    for wanted in ["journal.db", "plan.json", "log"] {
        assert!(
            all.iter().any(|file| file.file_name().is_some_and(|name| name == wanted)),
            "{wanted}: {all:?}"
        );
    }
    let outputs = Folder::new();
    for (at, (args, ran)) in said.iter().enumerate() {
        let text = format!("{args}\n{}\n{}", ran.out, ran.err);
        // What was typed by mistake stands in the arguments, and nowhere else.
        let text = if args.contains(planted(4)) { format!("{}\n{}", ran.out, ran.err) } else { text };
        std::fs::write(outputs.path().join(at.to_string()), text).unwrap();
    }
    // The lines with secrets in them were shown, without these.
    let shown = said.iter().find(|(args, _)| args.contains(REMARK)).map(|(_, ran)| ran.out.clone()).unwrap();
    assert_eq!(
        shown.lines().filter(|line| line.contains(REMARK) && line.contains("***")).count(),
        5,
        "{shown}"
    );
    let secrets: Vec<String> = PLANTED.iter().map(|(_, secret)| (*secret).to_owned()).chain([made]).collect();
    let found = residue::search(&[home.path(), outputs.path()], &secrets);
    assert!(found.is_empty(), "{found:#?}");
    // The search itself finds: what is no secret and was printed and kept.
    let found = residue::search(&[home.path(), outputs.path()], &[DOMAIN.to_owned()]);
    for folder in [home.path(), outputs.path()] {
        let start = folder.to_str().unwrap();
        assert!(found.iter().any(|line| line.starts_with(start)), "{start}: {found:#?}");
    }
}

/// What the test below says to its own program when that is to panic.
const PANIC: &str = "COREDECK_TEST_PANICS_IN_HAND";

/// Panics with everything in hand that reading, describing and changing hold while they go on, all of it printed: the
/// worst line that somebody could write.
async fn panic_in_hand() {
    let (running, _home) = plant().await;
    let config = Config {
        fleet: "demo".into(),
        accounts: vec![Account { name: "demo".into(), login: Login::Chain, regions: None }],
        regions: Regions::Named(vec!["us-east-1".into()]),
        endpoint_url: Some(running.url()),
        ..Config::default()
    };
    let options = aws::Options { environment: Some(running.exports()), ..aws::Options::default() };
    let cloud = Arc::new(aws::connect(&config, options).await.unwrap());
    let scope = Scope { account: "demo".into(), region: "us-east-1".into() };
    let keys = "/coredeck/demo/secrets";
    let names = [format!("{keys}/{CORE}/saas-secret"), format!("{keys}/next"), format!("{keys}/nowhere")];
    let secrets = cloud.secrets(&scope, names.iter().map(Text::from).collect()).await.unwrap();
    assert_eq!(secrets.values().filter(|one| one.open() == planted(2)).count(), 1);
    let at = running.cores().into_iter().find(|core| core.id == CORE).unwrap().listens.unwrap();
    let door = Door { address: format!("http://{at}"), host: None, key: Some(Sealed::new(planted(2))) };
    let client = Client::new(Clock::Real).unwrap();
    let domains = client.domains(&door).await.unwrap();
    let place = Place::of(DOMAIN);
    let settings = client.settings(&door, &place).await.unwrap();
    let nowhere = Setting::secret(format!("postgresql://u:{}@{}:5432/x", planted(10), planted(9)));
    let wanted = BTreeMap::from([("postgresql_connection_uri".into(), Some(nowhere))]);
    let refused = client.put_settings(&door, &place, &wanted).await.unwrap_err();
    let core = CoreDoor {
        core: CORE.into(),
        instance: None,
        address: door.address.as_str().into(),
        key: Some(Text::from(&names[0])),
    };
    let look = CoreLook::Domains {
        at: core,
        secrets: [SecretRef { parameter: Text::from(&names[1]), version: 1 }].into(),
    };
    let hands = Probing::new(Arc::clone(&cloud) as _, cloud, client, Clock::Real);
    let seen = hands.look(&scope, &Look::Core { of: look }).await.unwrap();
    assert!(
        matches!(&seen, Seen::Core(CoreSeen::Domains { secrets, key: Some(_), .. }) if secrets.len() == 1)
    );
    let text = format!("{seen:#?}");
    assert!(text.contains("api_keys") && text.contains(DOMAIN), "{text}");
    panic!(
        "in hand: {secrets:?} {door:?} {domains:#?} {settings:#?} {wanted:?} {refused:?} {refused} {text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_with_every_secret_in_hand_tells_none_and_leaves_no_core_dump() {
    if std::env::var_os(PANIC).is_some() {
        return panic_in_hand().await;
    }
    let name = "planted::a_panic_with_every_secret_in_hand_tells_none_and_leaves_no_core_dump";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads", "1"])
        .env(PANIC, "1")
        .env("RUST_BACKTRACE", "full")
        .stdin(std::process::Stdio::null())
        .output();
    let ended = child.unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned() + &String::from_utf8_lossy(&ended.stdout);
    assert!(!ended.status.success() && said.contains("in hand: {") && said.contains(DOMAIN), "{said}");
    assert!(said.contains("stack backtrace"), "{said}");
    let folder = Folder::new();
    std::fs::write(folder.path().join("said"), &said).unwrap();
    let secrets: Vec<String> = PLANTED.iter().map(|(_, secret)| (*secret).to_owned()).collect();
    let found = residue::search(&[folder.path()], &secrets);
    assert!(found.is_empty(), "{found:#?}");

    // The real binary, while it runs: nothing of its memory would be written if it were killed.
    let home = Home::new();
    let mut child = home
        .command()
        .args(["sim", "--empty"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut first = [0];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
    if let Ok(limits) = limits {
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    }
}
