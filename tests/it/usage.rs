//! What is typed wrong, and what else a script relies on: errors that say what, where and what was meant;
//! exit codes; JSON errors; completions; a reader that goes away.

use crate::binary::{Home, Ran};
use crate::loopback::{Answer, Loopback};
use serde_json::Value;
use std::process::Stdio;

/// Runs against an endpoint that must not be asked: what is typed wrong is said before anybody is asked.
fn wrong(args: &[&str]) -> Ran {
    let server = Loopback::start(|request| Answer::html(500, &request.path));
    let ran = Home::new().run(&[args, &["--endpoint-url", &server.url]].concat());
    assert_eq!(ran.code, Some(2), "{args:?} is wrong usage\n{}\n{}", ran.out, ran.err);
    assert_eq!(ran.out, "", "stdout is data");
    assert!(server.seen().is_empty(), "{args:?}: AWS was asked {:?}", server.seen());
    ran
}

/// The same with `-o json`: the error as JSON.
fn wrong_in_json(args: &[&str]) -> Value {
    let ran = wrong(&[args, &["-o", "json"]].concat());
    let line = ran.err.lines().last().unwrap_or_default();
    let error: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {}", ran.err));
    assert_eq!(error["error"]["kind"], "usage", "{error}");
    error
}

#[test]
fn an_unknown_column_is_named_with_what_was_meant() {
    let ran = wrong(&["get", "instances", "--columns", "id,lifecycel"]);
    assert!(ran.err.contains("lifecycel") && ran.err.contains("did you mean 'lifecycle'"), "{}", ran.err);
    let ran = wrong(&["get", "instances", "--sort", "launchd_at:desc"]);
    assert!(ran.err.contains("launchd_at") && ran.err.contains("did you mean 'launched_at'"), "{}", ran.err);
    let error = wrong_in_json(&["get", "instances", "--columns", "id,lifecycel"]);
    assert!(error["error"]["message"].as_str().unwrap().contains("lifecycel"), "{error}");
}

#[test]
fn a_rotation_without_a_key_names_the_whole_lines_that_make_one_and_take_it() {
    let ran = wrong(&["core", "keys", "rotate", "acme", "--domain", "c1.example.com"]);
    for says in [
        "no new key was named",
        "coredeck core keys rotate acme --domain c1.example.com --generate /coredeck/default/secrets/acme/key-2",
        "alone, of at least 20 letters, digits, = and -",
        "| aws ssm put-parameter --type SecureString --name /coredeck/default/secrets/acme/key-2 --value file:///dev/stdin",
        "coredeck core keys rotate acme --domain c1.example.com --new /coredeck/default/secrets/acme/key-2",
    ] {
        assert!(ran.err.contains(says), "{says}: {}", ran.err);
    }
    let both = wrong(&["core", "keys", "rotate", "acme", "--new", "/a", "--generate", "/b"]);
    assert!(both.err.contains("cannot be used with"), "{}", both.err);
}

#[test]
fn an_unknown_kind_is_named_with_what_was_meant() {
    let ran = wrong(&["get", "instnaces"]);
    assert!(ran.err.contains("instnaces") && ran.err.contains("instances"), "{}", ran.err);
}

#[test]
fn a_wrong_query_is_pointed_at() {
    for (query, said) in [
        ("stat:running", "state"),
        ("age<2parsecs", "parsecs"),
        ("(state:running", "("),
        ("type:/[/", "["),
        ("state:", "state"),
    ] {
        let ran = wrong(&["get", "instances", query]);
        assert!(ran.err.contains(said), "{query}: {}", ran.err);
        assert!(ran.err.contains('^'), "{query}: nothing points at the place\n{}", ran.err);
    }
}

/// A region that has the shape of one may be new, so it is tried: what was meant is said beside the trouble.
#[test]
fn an_unknown_region_is_named_with_what_was_meant() {
    for typo in ["eu-wst-1a", "eu_west_1", "Ireland"] {
        let ran = wrong(&["get", "instances", "--region", typo]);
        assert!(ran.err.contains(typo), "{}", ran.err);
    }
    let server = Loopback::start(|request| Answer::html(500, &request.path));
    let ran = Home::new().run(&["get", "groups", "--region", "eu-wst-1", "--endpoint-url", &server.url]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("eu-wst-1") && ran.err.contains("did you mean `eu-west-1`"), "{}", ran.err);
}

#[test]
fn an_unknown_flag_and_format_are_wrong_usage() {
    wrong(&["get", "instances", "--colums", "id"]);
    wrong(&["get", "instances", "-o", "xml"]);
    wrong(&["get", "instances", "--limit", "many"]);
}

#[test]
fn an_unknown_profile_is_a_trouble_that_names_it() {
    let server = Loopback::start(|request| Answer::html(500, &request.path));
    let home = Home::new();
    home.write("aws-config", "[profile operations]\nregion = eu-west-1\n");
    let args = ["get", "instances", "--profile", "operatoins", "--endpoint-url", &server.url];
    let ran = home.run_with(&args, &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")]);
    assert!(matches!(ran.code, Some(1 | 2)), "{:?}\n{}", ran.code, ran.err);
    assert!(ran.err.contains("operatoins"), "{}", ran.err);
    assert!(ran.err.contains("operations"), "the profile that was meant: {}", ran.err);
}

#[test]
fn no_credentials_at_all_are_said_with_the_next_command() {
    let server = Loopback::start(|request| Answer::html(500, &request.path));
    let args = ["get", "instances", "--columns", "id", "--endpoint-url", &server.url];
    let ran = Home::new().run_with(&args, &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("aws "), "the command that mends it: {}", ran.err);
}

#[test]
fn an_unknown_id_is_said_with_the_nearest() {
    let home = Home::new();
    let ran = home.run(&["--demo", "describe", "instance", "i-doesnotexist"]);
    assert!(matches!(ran.code, Some(1 | 2)), "{:?} {}", ran.code, ran.err);
    assert!(ran.err.contains("i-doesnotexist"), "{}", ran.err);
    assert_eq!(ran.out, "");
    let ran = home.run(&["--demo", "describe", "instance", "i-doesnotexist", "-o", "json"]);
    let error: Value = serde_json::from_str(ran.err.lines().last().unwrap()).unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("i-doesnotexist"), "{error}");
}

#[test]
fn a_reader_that_goes_away_is_not_worth_a_word() {
    let home = Home::new();
    for format in ["table", "json", "csv", "yaml", "name"] {
        let mut child = home
            .command()
            .args(["--demo", "get", "instances", "-o", format])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The pipe is closed long before there is anything to write.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{format}: {} {said}", output.status);
        assert!(!said.to_lowercase().contains("pipe") && !said.contains("panicked"), "{format}: {said}");
    }
}

#[test]
fn completions_and_the_manual_page_are_written() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let ran = home.run(&["completions", shell]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert!(ran.out.contains("coredeck") && ran.out.contains("instances"), "{shell}");
    }
    let ran = home.run(&["man"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.out.starts_with(".ie") || ran.out.contains(".TH"),
        "{}",
        ran.out.chars().take(200).collect::<String>()
    );
}

#[test]
fn nothing_is_coloured_where_nobody_sees_it() {
    let home = Home::new();
    for (args, env) in [
        (&["--demo", "get", "instances"][..], &[][..]),
        (&["--demo", "get", "instances", "--no-color"], &[]),
        (&["--demo", "get", "instances"], &[("NO_COLOR", "1")]),
        (&["get", "nonsense"], &[]),
    ] {
        let ran = home.run_with(args, env);
        assert!(
            !ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'),
            "{args:?}: {}{}",
            ran.out,
            ran.err
        );
    }
}

#[test]
fn every_fault_of_a_configuration_is_told_at_once() {
    let home = Home::new();
    let file = home.write(
        "coredeck.toml",
        "fleet = \"main\"\nregoins = [\"eu-west-1\"]\n\n[[accounts]]\nname = \"main\"\nprofil = \"x\"\n\n[refresh]\ninstances = \"soon\"\n",
    );
    let ran = home.run(&["config", "check", file.to_str().unwrap()]);
    assert_eq!(ran.code, Some(2), "{}\n{}", ran.out, ran.err);
    let said = format!("{}{}", ran.out, ran.err);
    for place in ["coredeck.toml:2:1", "coredeck.toml:6:1", "coredeck.toml:9:"] {
        assert!(said.contains(place), "{place} in\n{said}");
    }
    assert!(said.contains("`regions`") && said.contains("`profile`"), "did you mean: {said}");
    let shown = home.run_with(&["config", "show"], &[("COREDECK_CONFIG", file.to_str().unwrap())]);
    assert_ne!(shown.code, Some(0), "a bad file is never silently replaced by defaults");
}
