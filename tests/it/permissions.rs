//! `docs/iam.md` names exactly the actions that the table of AWS calls holds, reading apart from changing: no
//! more to ask an administrator for, and none that is missing on the first day.

use regex::Regex;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Actions of STS: entering an account, which no policy for reading needs to allow.
fn is_login(action: &str) -> bool {
    action.starts_with("sts:")
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The actions that the policy in the page's nth block of JSON allows.
fn allowed(nth: usize) -> BTreeSet<String> {
    let page = read("docs/iam.md");
    let policy = page.split("```json").nth(nth).unwrap();
    let policy: Value = serde_json::from_str(policy.split("```").next().unwrap()).unwrap();
    let mut allowed = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow");
        match &statement["Action"] {
            Value::Array(actions) => {
                allowed.extend(actions.iter().map(|action| action.as_str().unwrap().to_owned()));
            }
            action => _ = allowed.insert(action.as_str().unwrap().to_owned()),
        }
    }
    allowed
}

#[test]
fn the_policies_allow_exactly_what_is_called() {
    let table = read("src/aws/api.rs");
    let row = Regex::new(r#"(?m)^    ([A-Z]\w+): "([a-z0-9]+)","#).unwrap();
    let called: BTreeSet<String> = row
        .captures_iter(&table)
        .map(|found| format!("{}:{}", &found[2], &found[1]))
        .filter(|action| !is_login(action))
        .collect();
    assert!(called.len() > 20, "the table of calls was not understood: {called:?}");

    let (_, changes) = table.split_once("const CHANGES").unwrap();
    let changes = changes.split(';').next().unwrap();
    let is_change = |action: &String| {
        let (_, name) = action.split_once(':').unwrap();
        changes.contains(&format!("Api::{name},"))
    };
    let (changing, reading): (BTreeSet<_>, BTreeSet<_>) = called.into_iter().partition(is_change);
    assert!(changing.len() > 20, "the list of changes was not understood: {changing:?}");
    assert_eq!(allowed(1), reading);
    assert_eq!(allowed(2), changing);
}
