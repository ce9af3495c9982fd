//! Judged by moto: two accounts in two regions, entered by roles, of which one is denied by a real policy
//! and one sits behind an endpoint that hangs.

use crate::binary::Home;
use crate::loopback::Loopback;
use crate::python::{Moto, Python, judges};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

/// How long the rows may take to come, however slow the machine.
const WITHIN: Duration = Duration::from_secs(60);

/// A moto that holds two accounts in two regions and checks signatures and policies.
struct Accounts {
    moto: Moto,
    made: Value,
}

impl Accounts {
    fn start(python: &Python) -> Self {
        let moto = Moto::start(python, &[]);
        let made = python.run("seed_accounts.py", &[&moto.url]);
        moto.require_iam();
        Self { moto, made }
    }

    /// The keys of the user who may assume the roles.
    fn keys(&self) -> [(&str, &str); 2] {
        let part = |name: &str| self.made[name].as_str().unwrap();
        [("AWS_ACCESS_KEY_ID", part("key")), ("AWS_SECRET_ACCESS_KEY", part("secret"))]
    }

    /// The instances of these scopes, `account/region`.
    fn ids(&self, scopes: &[&str]) -> BTreeSet<String> {
        scopes
            .iter()
            .flat_map(|scope| self.made["instances"][scope].as_array().unwrap())
            .map(|id| id.as_str().unwrap().to_owned())
            .collect()
    }
}

fn ids(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

const COLUMNS: &str = "id,account,region,owner_id,state";

const THREE_QUARTERS: [&str; 3] =
    ["111111111111/us-east-1", "111111111111/eu-west-1", "222222222222/us-east-1"];

/// The configuration of four scopes, in which the last quarter, the second account in Ireland, is entered
/// in a way of its own.
fn configuration(last_quarter: &str) -> String {
    format!(
        r#"
regions = ["us-east-1", "eu-west-1"]

[[accounts]]
name = "main"
profile = "main"

[[accounts]]
name = "customers"
regions = ["us-east-1"]
profile = "customers"

[[accounts]]
name = "customers-eu"
regions = ["eu-west-1"]
profile = "{last_quarter}"
"#
    )
}

/// A home whose profiles lead to moto, each by its own endpoint and role, from the user's keys. The profile
/// `hung` leads to an endpoint that hangs, if there is one.
fn home(accounts: &Accounts, last_quarter: &str, hung: Option<&Loopback>) -> Home {
    let home = Home::new();
    home.write("coredeck.toml", &configuration(last_quarter));
    let keys =
        |key: &str, secret: &str| format!("aws_access_key_id = {key}\naws_secret_access_key = {secret}");
    let [(_, key), (_, secret)] = accounts.keys();
    let url = &accounts.moto.url;
    let role = |account: &str, role: &str| {
        format!("role_arn = arn:aws:iam::{account}:role/{role}\nsource_profile = base\nendpoint_url = {url}")
    };
    let hung = hung.map(|hung| format!("{}\nendpoint_url = {}", keys("judge", "judge"), hung.url));
    let profiles = [
        ("base", keys(key, secret)),
        ("main", role("111111111111", "reader")),
        ("customers", role("222222222222", "reader")),
        ("blind", role("222222222222", "blind")),
        ("hung", hung.unwrap_or_default()),
    ];
    let text: String = profiles
        .iter()
        .map(|(name, body)| format!("[profile {name}]\nregion = us-east-1\n{body}\n\n"))
        .collect();
    home.write("aws-config", &text);
    home
}

#[test]
fn four_scopes_are_kept_apart() {
    let Some(python) = judges() else { return };
    let accounts = Accounts::start(python);
    let home = home(&accounts, "customers", None);
    let rows =
        home.rows(&["--config", "coredeck.toml", "get", "instances", "-o", "json", "--columns", COLUMNS]);
    assert_eq!(rows.len(), 20);
    for row in &rows {
        let owner = if row["account"] == "main" { "111111111111" } else { "222222222222" };
        assert_eq!(row["owner_id"], owner, "{row}");
        let scope = format!("{owner}/{}", row["region"].as_str().unwrap());
        assert!(accounts.ids(&[&scope]).contains(row["id"].as_str().unwrap()), "{row} is not in {scope}");
    }
}

#[test]
fn a_denied_account_costs_its_own_quarter_and_names_the_permission() {
    let Some(python) = judges() else { return };
    let accounts = Accounts::start(python);
    let home = home(&accounts, "blind", None);
    let args = ["--config", "coredeck.toml", "get", "instances", "-o", "json", "--columns", COLUMNS];
    let ran = home.run(&args);
    assert_eq!(ran.code, Some(1), "a partial answer exits 1\n{}", ran.err);
    assert_eq!(ids(&ran.data()), accounts.ids(&THREE_QUARTERS));
    let warnings = ran.json()["warnings"].as_array().unwrap().clone();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    let warning = &warnings[0];
    assert_eq!(warning["scope"], "customers-eu/eu-west-1");
    assert_eq!((&warning["source"], &warning["kind"]), (&Value::from("instances"), &Value::from("denied")));
    assert_eq!(warning["call"], "ec2:DescribeInstances");
    let said = format!("{} {}", warning["message"], warning["hint"]);
    assert!(said.contains("ec2:DescribeInstances"), "the missing permission by name: {said}");

    let allowed = home.run(&[&args[..], &["--allow-partial"]].concat());
    assert_eq!(allowed.code, Some(0), "{}", allowed.err);
    let table = home.run(&["--config", "coredeck.toml", "get", "instances", "--columns", "id"]);
    assert_eq!(table.out.lines().filter(|line| line.starts_with("i-")).count(), 15, "{}", table.out);
    assert!(
        table.err.contains("ec2:DescribeInstances") && table.err.contains("customers-eu"),
        "{}",
        table.err
    );
    assert!(!table.out.contains("DescribeInstances"), "stdout is data:\n{}", table.out);
}

/// A process that is ended with the test.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        // Both fail only when it has already ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn an_endpoint_that_hangs_delays_nobody_and_is_named() {
    let Some(python) = judges() else { return };
    let accounts = Accounts::start(python);
    let hung = Loopback::hanging();
    let home = home(&accounts, "hung", Some(&hung));

    // While watching, the rows of the others are out although the hanging one still hangs.
    let mut command = home.command();
    command
        .args([
            "--config",
            "coredeck.toml",
            "get",
            "instances",
            "-o",
            "json",
            "--watch",
            "--columns",
            COLUMNS,
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut watching = Watching(command.spawn().unwrap());
    let lines = BufReader::new(watching.0.stdout.take().unwrap()).lines();
    let (sender, documents) = sync_channel(16);
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    hung.wait_for(|_| true);
    let until = Instant::now() + WITHIN;
    let mut shown = String::new();
    let first = loop {
        let left = until.saturating_duration_since(Instant::now());
        let came = documents.recv_timeout(left);
        shown =
            came.unwrap_or_else(|_| panic!("three quarters of the table never came; the last was {shown}"));
        let document: Value = serde_json::from_str(&shown).unwrap();
        if ids(document["data"].as_array().unwrap()) == accounts.ids(&THREE_QUARTERS) {
            break document;
        }
    };
    // What hangs ends as a timeout: the first document with all the rows was out before that.
    let warnings = first["warnings"].as_array().unwrap();
    assert!(
        !warnings
            .iter()
            .any(|warning| warning["scope"] == "customers-eu/eu-west-1" && warning["kind"] == "timeout"),
        "the rows waited until the hanging request was given up: {warnings:#?}"
    );
    drop(watching);

    // A run to the end names the trouble and prints the rest.
    let args = ["--config", "coredeck.toml", "get", "instances", "-o", "json", "--columns", COLUMNS];
    let ran = home.run(&args);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_eq!(ids(&ran.data()), accounts.ids(&THREE_QUARTERS));
    let json = ran.json();
    let warnings = json["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning["source"] == "instances"), "{warnings:#?}");
    for warning in warnings {
        assert_eq!(
            (&warning["scope"], &warning["kind"]),
            (&"customers-eu/eu-west-1".into(), &"timeout".into())
        );
    }
}
