//! `docs/iam.md` names exactly the actions that the table of AWS calls holds: no more to ask an administrator
//! for, and none that is missing on the first day.

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

#[test]
fn the_policy_allows_exactly_what_is_called() {
    let table = read("src/aws/api.rs");
    let row = Regex::new(r#"(?m)^    ([A-Z]\w+): "([a-z0-9]+)","#).unwrap();
    let called: BTreeSet<String> = row
        .captures_iter(&table)
        .map(|found| format!("{}:{}", &found[2], &found[1]))
        .filter(|action| !is_login(action))
        .collect();
    assert!(called.len() > 20, "the table of calls was not understood: {called:?}");

    let page = read("docs/iam.md");
    let (_, policy) = page.split_once("```json").unwrap();
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
    assert_eq!(allowed, called);
}
