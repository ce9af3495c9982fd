//! Judged by moto: lists that come in many small pages are whole, and tags that try to drive a terminal come
//! through unharmed in JSON and harmless in tables.

use super::seeded;
use crate::binary::Home;
use crate::loopback::{Loopback, Request};
use coredeck::model::text::is_unsafe;
use serde_json::Value;
use std::collections::BTreeSet;

/// Makes a request ask for pages of seven.
fn ask_for_seven(request: &mut Request) {
    let body = String::from_utf8(request.body.clone()).unwrap();
    let name = match request.action().as_str() {
        "DescribeInstances" => "MaxResults",
        "DescribeAutoScalingGroups" => "MaxRecords",
        "DescribeRules" => "PageSize",
        _ => return,
    };
    let mut pairs: Vec<&str> =
        body.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect();
    let seven = format!("{name}=7");
    pairs.push(&seven);
    request.body = pairs.join("&").into_bytes();
}

#[test]
fn many_small_pages_are_one_whole_list() {
    let Some(seeded) = seeded() else { return };
    for (kind, source, action, least) in [
        ("instances", "instances", "DescribeInstances", 8),
        ("groups", "groups", "DescribeAutoScalingGroups", 9),
        ("rules", "rules", "DescribeRules", 3),
    ] {
        let proxy = Loopback::before(seeded.moto.host(), ask_for_seven);
        let columns = if kind == "instances" { "id,tags" } else { "id,account" };
        let args = ["get", kind, "-o", "json", "--columns", columns, "--endpoint-url", &proxy.url];
        let rows = Home::new().rows(&args);
        assert_eq!(rows.len(), seeded.list(source).len(), "{kind}");
        let ids: BTreeSet<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), rows.len(), "{kind}: a row came twice");
        let asked = proxy.seen().iter().filter(|request| request.action() == action).count();
        assert!(asked >= least, "{kind}: {asked} pages: the pages were not small");
    }
}

#[test]
fn tags_that_would_drive_a_terminal_are_true_in_json_and_harmless_in_tables() {
    let Some(seeded) = seeded() else { return };
    let home = Home::new();
    let get =
        |more: &[&'static str]| [&["get", "instances", "--endpoint-url", &seeded.moto.url], more].concat();
    let rows = home.rows(&get(&["-o", "json", "--columns", "id,name,tags"]));
    for (word, made) in seeded.made["hostile"].as_object().unwrap() {
        let row = rows.iter().find(|row| row["id"] == made[0]).unwrap();
        let expected = if made[1] == "" { &Value::Null } else { &made[1] };
        assert_eq!(&row["name"], expected, "{word}");
        assert_eq!(row["tags"]["Name"], made[1], "{word}");
    }
    for format in ["table", "wide", "json", "yaml", "csv", "name"] {
        let ran = home.run(&get(&["-o", format, "--columns", "id,name,tags"]));
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let bad = ran.out.chars().find(|c| *c != '\n' && is_unsafe(*c) && !(format == "csv" && *c == '\r'));
        assert!(bad.is_none(), "{format}: {bad:?}");
        assert!(format == "name" || ran.out.contains("שלום") || ran.out.contains("\\u05e9"), "{format}");
    }
    // One instance, one line: a line end in a tag makes no second row.
    let table = home.run(&get(&["--columns", "id,name"])).out;
    assert_eq!(table.lines().filter(|line| line.starts_with("i-")).count(), rows.len());
    assert_eq!(table.lines().count(), rows.len() + 1, "a heading and a line for each");
}
