//! Judged by moto: two accounts in two regions, entered by roles, of which one is denied by a real policy
//! and one sits behind an endpoint that hangs.

use crate::binary::Home;
use crate::loopback::Loopback;
use crate::pty::Terminal;
use crate::python::{Moto, Python, judges};
use portable_pty::CommandBuilder;
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

/// The configuration of two accounts in two regions, each entered in Ireland in a way of its own.
fn configuration(main_eu: &str, customers_eu: &str) -> String {
    let account = |name: &str, region: &str, profile: &str| {
        format!("[[accounts]]\nname = \"{name}\"\nregions = [\"{region}\"]\nprofile = \"{profile}\"\n")
    };
    [
        account("main", "us-east-1", "main"),
        account("main-eu", "eu-west-1", main_eu),
        account("customers", "us-east-1", "customers"),
        account("customers-eu", "eu-west-1", customers_eu),
    ]
    .join("\n")
}

/// A home whose profiles lead to moto, each by its own endpoint and role, from the user's keys. The profile
/// `hung` leads to an endpoint that hangs, if there is one.
fn home(accounts: &Accounts, main_eu: &str, customers_eu: &str, hung: Option<&Loopback>) -> Home {
    let home = Home::new();
    home.write("coredeck.toml", &configuration(main_eu, customers_eu));
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
    let home = home(&accounts, "main", "customers", None);
    let rows =
        home.rows(&["--config", "coredeck.toml", "get", "instances", "-o", "json", "--columns", COLUMNS]);
    assert_eq!(rows.len(), 20);
    for row in &rows {
        let owner = if row["account"].as_str().unwrap().starts_with("main") {
            "111111111111"
        } else {
            "222222222222"
        };
        assert_eq!(row["owner_id"], owner, "{row}");
        let scope = format!("{owner}/{}", row["region"].as_str().unwrap());
        assert!(accounts.ids(&[&scope]).contains(row["id"].as_str().unwrap()), "{row} is not in {scope}");
    }
}

#[test]
fn a_denied_account_costs_its_own_quarter_and_names_the_permission() {
    let Some(python) = judges() else { return };
    let accounts = Accounts::start(python);
    let home = home(&accounts, "main", "blind", None);
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
fn one_denied_and_one_hanging_cost_their_own_rows_only_and_are_both_named() {
    let Some(python) = judges() else { return };
    let accounts = Accounts::start(python);
    let hung = Loopback::hanging();
    let home = home(&accounts, "hung", "blind", Some(&hung));
    let rest = accounts.ids(&["111111111111/us-east-1", "222222222222/us-east-1"]);
    let args = ["--config", "coredeck.toml", "get", "instances", "-o", "json", "--columns", COLUMNS];

    // While watching, the rows of the others are out although the hanging one still hangs.
    let mut command = home.command();
    command.args(args).arg("--watch").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
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
    let of = |warnings: &[Value], scope: &str, kind: &str| {
        warnings.iter().any(|warning| warning["scope"] == scope && warning["kind"] == kind)
    };
    let first = loop {
        let left = until.saturating_duration_since(Instant::now());
        let came = documents.recv_timeout(left);
        shown = came.unwrap_or_else(|_| panic!("what is left of the table never came; the last was {shown}"));
        let document: Value = serde_json::from_str(&shown).unwrap();
        let warnings = document["warnings"].as_array().unwrap();
        let is_denied = of(warnings, "customers-eu/eu-west-1", "denied");
        if is_denied && ids(document["data"].as_array().unwrap()) == rest {
            break document;
        }
    };
    // What hangs ends as a timeout: the first document with all the rows was out before that, and says of
    // which place it knows nothing yet.
    let warnings = first["warnings"].as_array().unwrap();
    assert!(of(warnings, "main-eu/eu-west-1", "unread"), "{warnings:#?}");
    assert!(!of(warnings, "main-eu/eu-west-1", "timeout"), "the rows waited for what hangs: {warnings:#?}");
    drop(watching);

    // A run to the end names both troubles, each with its place, and prints the rest.
    let ran = home.run(&args);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_eq!(ids(&ran.data()), rest);
    let json = ran.json();
    let warnings = json["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning["source"] == "instances"), "{warnings:#?}");
    for warning in warnings {
        let said = format!("{} {}", warning["message"], warning["hint"]);
        match warning["scope"].as_str().unwrap() {
            "main-eu/eu-west-1" => assert_eq!(warning["kind"], "timeout", "{warning}"),
            "customers-eu/eu-west-1" => {
                assert_eq!(warning["kind"], "denied", "{warning}");
                assert!(said.contains("ec2:DescribeInstances"), "the missing permission by name: {said}");
            }
            other => panic!("{other} is in no trouble: {warning}"),
        }
    }
    let said: Vec<&str> = ran.err.lines().filter(|line| line.contains("warning:")).collect();
    assert!(
        said.len() >= 2
            && said.iter().any(|line| line.contains("main-eu/eu-west-1"))
            && said.iter().any(|line| line.contains("customers-eu/eu-west-1")),
        "{}",
        ran.err
    );
}

#[test]
fn a_person_is_told_whom_a_run_waits_for_and_a_limit_ends_it() {
    let hung = Loopback::hanging();
    let home = Home::new();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_coredeck"));
    command.args(["--endpoint-url", &hung.url, "--region", "eu-west-1", "get", "instances"]);
    command.env_clear();
    for (name, value) in home.environment() {
        command.env(name, value);
    }
    command.cwd(home.path());
    let mut seat = Terminal::of(command, Some(home), 24, 120);
    seat.wait_for("waiting for default/eu-west-1, which has not answered yet");
    seat.wait_for("--timeout");
    drop(seat);

    let home = Home::new();
    let ran = home.run(&["--endpoint-url", &hung.url, "get", "instances", "-o", "json", "--timeout", "1s"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_eq!(ran.json()["warnings"][0]["kind"], "timeout");
    assert!(ran.err.contains("no answer within 1 s") && !ran.err.contains("waiting for"), "{}", ran.err);
    for wrong in ["0s", "soon", "5"] {
        let ran = home.run(&["get", "instances", "--timeout", wrong]);
        assert!(ran.code == Some(2) && ran.err.contains("--timeout"), "{wrong}: {}", ran.err);
    }
}
