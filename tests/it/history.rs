//! A look back by script: what one run read, another shows as it was, and says that it is the past.

use crate::binary::Home;
use coredeck::clock::Clock;
use coredeck::sim::{Options, Running, serve};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

async fn fleet() -> Running {
    let clock = Clock::Fixed("2026-11-21T12:00:00Z".parse().unwrap());
    serve(Options { clock, speed: 0.0, ..Options::default() }).await.unwrap()
}

/// Watches instances until the first answer is there, and ends.
fn watch(home: &Home, url: &str) {
    let mut child = home
        .command()
        .args(["get", "instances", "-o", "json", "--watch", "--endpoint-url", url])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains("\"data\""), "{}", &first[..first.len().min(300)]);
    drop(lines);
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_run_watched_another_shows_as_it_was() {
    let running = fleet().await;
    let url = running.url();
    tokio::task::spawn_blocking(move || {
        let home = Home::new();
        let none = home.run(&["get", "instances", "--at", "-1m", "--endpoint-url", &url]);
        assert_eq!(none.code, Some(1));
        assert!(none.err.contains("nothing is kept yet"), "{}", none.err);
        let live = home.rows(&[
            "get",
            "instances",
            "-o",
            "json",
            "--columns",
            "id,state,name",
            "--endpoint-url",
            &url,
        ]);
        watch(&home, &url);

        let at = ["--endpoint-url", &url, "--at", "now"];
        let run = |words: &[&str]| home.run(&[words, &at[..]].concat());
        let then = run(&["get", "instances", "-o", "json", "--columns", "id,state,name"]);
        assert_eq!(then.code, Some(0), "{}", then.err);
        assert!(then.err.contains("this is the past: the fleet as it was"), "{}", then.err);
        let (mut ours, mut theirs) = (then.data(), live);
        for rows in [&mut ours, &mut theirs] {
            rows.sort_by_key(|row| row["id"].to_string());
        }
        assert_eq!(ours, theirs);
        assert!(then.json()["at"].is_string() && then.json()["as_of"].is_string());

        // Nobody read rules: they are not known, which is not that there are none.
        let rules = run(&["get", "rules"]);
        assert_eq!(rules.code, Some(1), "{}", rules.err);
        assert!(rules.err.contains("not known: nobody had read it in the hour before"), "{}", rules.err);
        let id = ours[0]["id"].as_str().unwrap();
        let one = run(&["describe", "instance", id, "--allow-partial"]);
        assert_eq!(one.code, Some(0), "{}", one.err);
        assert!(one.out.contains(id) && one.err.contains("this is the past"), "{}\n{}", one.out, one.err);
        let early = home.run(&["get", "instances", "--endpoint-url", &url, "--at", "-2h"]);
        assert!(early.err.contains("nothing was read in the hour before"), "{}", early.err);
        assert!(early.err.contains("lies between"), "{}", early.err);
        let other = home.run(&["get", "instances", "--endpoint-url", "http://127.0.0.1:9", "--at", "now"]);
        assert!(other.err.contains("nothing is kept of this fleet"), "{}", other.err);

        let facts = home.run(&["history", "-o", "json", "--endpoint-url", &url]).json();
        let lists: Vec<&str> =
            facts["data"].as_array().unwrap().iter().map(|list| list["list"].as_str().unwrap()).collect();
        assert!(lists.contains(&"instances") && lists.contains(&"groups"), "{lists:?}");
        assert!(facts["bytes"].as_u64().unwrap() > 0);
        let table = home.run(&["history", "--endpoint-url", &url]);
        assert!(
            table.out.contains("history.db") && table.out.contains("7d and 64MiB are kept"),
            "{}",
            table.out
        );
        let pruned = home.run(&["history", "prune", "--all", "--endpoint-url", &url]);
        assert_eq!(pruned.code, Some(0), "{}", pruned.err);
        let gone = home.run(&["get", "instances", "--at", "now", "--endpoint-url", &url]);
        assert!(gone.err.contains("nothing was read"), "{}", gone.err);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plain_get_read_is_kept_where_the_configuration_says_so() {
    let running = fleet().await;
    let url = running.url();
    tokio::task::spawn_blocking(move || {
        let home = Home::new();
        let get = ["get", "groups", "-o", "json", "--endpoint-url", &url];
        let then = [&get[..], &["--at", "now"]].concat();
        assert_eq!(home.run(&get).code, Some(0));
        assert!(home.run(&then).err.contains("nothing is kept yet"), "a plain get keeps nothing by itself");
        home.write("config/coredeck/coredeck.toml", "[history]\ngets = true\n");
        let live = home.run(&get);
        assert_eq!(live.code, Some(0), "{}", live.err);
        let kept = home.run(&then);
        assert_eq!(kept.code, Some(0), "{}", kept.err);
        let ids = |ran: &crate::binary::Ran| {
            let mut ids: Vec<String> = ran.data().iter().map(|row| row["id"].to_string()).collect();
            ids.sort();
            ids
        };
        assert_eq!(ids(&kept), ids(&live));
        home.write("config/coredeck/coredeck.toml", "[history]\ngets = \"yes\"\n");
        assert!(home.run(&["config", "check"]).err.contains("`gets` must be true or false, not text"));
    })
    .await
    .unwrap();
}

#[test]
fn what_is_typed_wrong_is_said_before_anything_is_looked_for() {
    let home = Home::new();
    let wrong = |args: &[&str]| {
        let ran = home.run(args);
        (ran.code, ran.err)
    };
    let (code, err) = wrong(&["get", "instances", "--at", "soon"]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("`soon` is no moment; write -1h"), "{err}");
    assert!(wrong(&["get", "instances", "--at", "-1h", "--watch"]).1.contains("cannot be used with"));
    assert!(wrong(&["--demo", "get", "instances", "--at", "-1h"]).1.contains("only for as long as it runs"));
    assert_eq!(wrong(&["history", "prune"]).0, Some(2));
    assert!(wrong(&["get", "calls", "--at", "-1h"]).1.contains("coredeck calls --since 2h"));
}

#[test]
fn a_configuration_says_how_much_is_kept() {
    let home = Home::new();
    home.write("config/coredeck/coredeck.toml", "[history]\nkeep = \"1m\"\nsize = \"64\"\nkepe = 1\n");
    let ran = home.run(&["config", "check"]);
    for said in ["`keep` must be between 1h and 90d", "a size is a number and a unit", "did you mean `keep`?"]
    {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
    home.write("config/coredeck/coredeck.toml", "[history]\nkeep = \"off\"\nsize = \"1GiB\"\n");
    let shown = home.run(&["config", "show"]).out;
    assert!(shown.contains("history.keep") && shown.contains("off") && shown.contains("1GiB"), "{shown}");
    assert!(home.run(&["history"]).err.contains("nothing is kept yet"));
}
