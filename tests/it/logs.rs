//! `coredeck logs` against pretended cores: every line of CloudWatch once and in order, docker's lines through a
//! document, a tenant's own lines of a shared core, new lines as they come, and no secret among them.

use crate::binary::{Home, Ran};
use crate::sim::json as call;
use coredeck::sim::{Options, Running, serve};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::sync::Arc;

async fn started() -> (Running, Arc<Home>) {
    let running = serve(Options::default()).await.unwrap();
    let home = Home::new();
    home.write("coredeck.toml", "fleet = \"demo\"\n");
    (running, Arc::new(home))
}

fn words(home: &Home, args: &str) -> Vec<String> {
    let config = home.path().join("coredeck.toml");
    let mut words: Vec<String> = args.split(' ').map(str::to_owned).collect();
    words.extend(["--config".to_owned(), config.to_str().unwrap().to_owned()]);
    words
}

async fn run(running: &Running, home: &Arc<Home>, args: &str) -> Ran {
    let (env, home, words) = (running.exports(), Arc::clone(home), words(home, args));
    tokio::task::spawn_blocking(move || {
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        home.run_with(&words.iter().map(String::as_str).collect::<Vec<_>>(), &env)
    })
    .await
    .unwrap()
}

fn lines(ran: &Ran) -> Vec<Value> {
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

fn text<'a>(line: &'a Value, name: &str) -> &'a str {
    line[name].as_str().unwrap_or_default()
}

/// A span that is over: from when and up to when in seconds, and the options that say so. It ends a minute ago, by
/// when every event has come; the latest come four seconds after they happened.
fn span(seconds: i64) -> (i64, i64, String) {
    let until = coredeck::clock::Clock::Real.now().as_second() - 60;
    let since = until - seconds;
    let at = |second: i64| jiff::Timestamp::from_second(second).unwrap();
    (since, until, format!("--since {} --until {} --json", at(since), at(until)))
}

/// Every event of a stream between two moments, as CloudWatch gives them.
async fn events(running: &Running, group: &str, streams: &[&str], from: i64, until: i64) -> Vec<Value> {
    let (mut all, mut token) = (Vec::new(), Value::Null);
    loop {
        let body = json!({
            "logGroupName": group, "logStreamNames": streams, "startTime": from, "endTime": until, "nextToken": token,
        });
        let page = call(running, "logs", "Logs_20140328.FilterLogEvents", body).await;
        all.extend(page["events"].as_array().unwrap_or_else(|| panic!("{page}")).clone());
        token = page["nextToken"].clone();
        if token.is_null() {
            return all;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_cloudwatch_is_shown_once_and_by_time_and_traces_stay_whole() {
    let (running, home) = started().await;
    let (since, until, span) = span(240);
    let ran = run(&running, &home, &format!("logs prod-slatepay shared-prod-1 --yes {span}")).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let shown = lines(&ran);
    let truth = events(
        &running,
        "/coredeck/core-hosts",
        &["prod-slatepay", "shared-prod-1"],
        since * 1000,
        until * 1000,
    )
    .await;
    let heads = truth.iter().filter(|event| text(event, "message").contains(" | pid: ")).count();
    assert_eq!(shown.len(), heads, "a line for each that a core began");
    let more: usize = shown.iter().map(|line| line["more"].as_array().unwrap().len()).sum();
    assert_eq!(shown.len() + more, truth.len(), "and what belongs to it below it");
    assert!(heads > 200 && more > 0, "{heads} lines, {more} below");
    let times: Vec<&str> = shown.iter().map(|line| text(line, "at")).collect();
    assert!(times.is_sorted_by_key(|at| at.parse::<jiff::Timestamp>().unwrap()), "by time");
    let sources: BTreeSet<&str> = shown.iter().map(|line| text(line, "source")).collect();
    assert_eq!(sources, BTreeSet::from(["prod-slatepay", "shared-prod-1"]));
    // What names a database, whoever enters it and from where, is masked.
    assert!(truth.iter().any(|event| text(event, "message").contains(".db.internal:5432")));
    assert!(
        !ran.out.contains(".db.internal") && ran.out.contains("jdbc:postgresql://***"),
        "{}",
        ran.out.len()
    );

    let tail = run(&running, &home, &format!("logs prod-slatepay shared-prod-1 --tail 7 {span}")).await;
    assert_eq!(lines(&tail), shown[shown.len() - 7..], "{}", tail.err);
    let grave =
        lines(&run(&running, &home, &format!("logs prod-slatepay shared-prod-1 --level error {span}")).await);
    let expected: Vec<&Value> = shown.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(grave.iter().collect::<Vec<_>>(), expected);
    assert!(!grave.is_empty() && grave.iter().all(|line| !line["more"].as_array().unwrap().is_empty()));
    // CloudWatch was asked for what may be meant, and gave little more than that.
    let asked = |from: usize| {
        let calls = running.calls();
        let of_logs = calls.iter().skip(from).filter(|call| call["operation"] == "FilterLogEvents");
        of_logs
            .filter_map(|call| call["input"]["filterPattern"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert!(asked(0).iter().any(|pattern| pattern.starts_with("%[eE][rR][rR]")), "{:?}", asked(0));
    let found = lines(
        &run(&running, &home, &format!("logs shared-prod-1 --grep HikariPool --grep-not Goodbye {span}"))
            .await,
    );
    assert!(
        !found.is_empty() && found.iter().all(|line| line["source"] == "shared-prod-1"),
        "what stands in a trace is found"
    );
    assert!(asked(0).contains(&"%HikariPool%".to_owned()), "{:?}", asked(0));
    let meant: Vec<&Value> = shown
        .iter()
        .filter(|line| {
            let parts = std::iter::once(&line["message"]).chain(line["more"].as_array().unwrap());
            let has = |word: &str| parts.clone().any(|part| part.as_str().unwrap().contains(word));
            line["source"] == "shared-prod-1" && has("HikariPool") && !has("Goodbye")
        })
        .collect();
    assert_eq!(found.iter().collect::<Vec<_>>(), meant, "none is lost, and none is made up");
    let slow = run(&running, &home, &format!("logs shared-prod-1 --slow {span}")).await;
    let requests: u64 = lines(&slow).iter().filter_map(|line| line["requests"].as_u64()).sum();
    assert!(requests > 100, "{}", slow.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_of_a_shared_core_is_its_own_lines_there() {
    let (running, home) = started().await;
    let ran = run(&running, &home, "get tenants core:shared-prod-1 -o json").await;
    let tenants = ran.data();
    let tenant = tenants.iter().find(|row| row["domain"].is_string()).unwrap();
    let (id, domain) = (text(tenant, "id"), text(tenant, "domain"));
    // Both look at the same span, and at one that is over: what is of the last seconds is still coming in.
    let (_, _, span) = span(600);
    let ran = run(&running, &home, &format!("logs tenant/{id} --yes {span}")).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let shown = lines(&ran);
    assert!(
        !shown.is_empty() && shown.iter().all(|line| text(line, "domain") == domain),
        "{domain}: {}",
        ran.out
    );
    let by_flag = run(&running, &home, &format!("logs shared-prod-1 --cud {domain} {span}")).await;
    assert_eq!(lines(&by_flag), shown, "{}", by_flag.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_is_asked_by_a_document_that_is_put_there_when_told_and_never_in_read_only_mode() {
    let (running, home) = started().await;
    let ran = run(&running, &home, "logs dev-001 --since 2m").await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("say --yes once"), "{}", ran.err);
    let ran = run(&running, &home, "logs dev-001 --since 2m --yes --read-only").await;
    assert!(ran.code == Some(1) && ran.err.contains("read-only mode"), "{}", ran.err);
    let ran = run(&running, &home, "logs dev-001 --since 2m --yes --json").await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let shown = lines(&ran);
    assert!(shown.len() > 5 && shown.iter().all(|line| line["version"] == "11.0.4"), "{}", ran.out);
    // What does not fit is said, with what narrows it, and the last lines are the ones that are shown.
    let ran = run(&running, &home, "logs dev-001 --since 3h --json").await;
    assert!(
        ran.err.contains("only the last") && ran.err.contains("--since, --until and --tail"),
        "{}",
        ran.err
    );
    let newest = text(lines(&ran).last().unwrap(), "at").parse::<jiff::Timestamp>().unwrap();
    assert!(coredeck::clock::Clock::Real.now().duration_since(newest).as_secs() < 120);
    // The document is looked up once, and not for each container.
    let before = running.calls().len();
    let ran = run(&running, &home, "logs dev-001 dev-002 dev-003 --since 1m --json").await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let calls = running.calls();
    let of = |name: &str| calls[before..].iter().filter(|call| call["operation"] == name).count();
    assert_eq!((of("DescribeDocument"), of("SendCommand")), (1, 3), "{calls:?}");
    // A docker that was told of a group and of no stream names it by the container, or makes it of a tag.
    for core in ["prod-orbitly", "prod-pinecrest"] {
        let ran = run(&running, &home, &format!("logs {core} --since 2m --json")).await;
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let shown = lines(&ran);
        assert!(shown.len() > 5 && shown.iter().all(|line| line["source"] == core), "{}", ran.out);
    }
    // What docker wrote was not searched for by CloudWatch, and that there is none is said.
    let ran = run(&running, &home, "logs dev-001 --since 1m --level error --grep nobody-writes-this").await;
    assert!(ran.err.contains("no line") && !ran.err.contains("CloudWatch"), "{}", ran.err);
    // An inventory that may send nothing does not begin.
    let before = running.calls().len();
    let ran = run(&running, &home, "inventory sync --read-only").await;
    assert!(ran.err.contains("read-only mode") && ran.err.lines().count() < 4, "{}", ran.err);
    assert_eq!(running.calls().len(), before);
    let ran = run(&running, &home, "logs tenant/nobody-at-all").await;
    assert!(
        ran.err.contains("no tenant is called 'nobody-at-all'") && ran.err.contains("get tenants"),
        "{}",
        ran.err
    );
    // A host whose agent is silent is said by name; the other is shown all the same.
    let ran = run(&running, &home, "logs nobody-at-all").await;
    assert!(
        ran.code == Some(1) && ran.err.contains("no core, tenant, service, instance or task"),
        "{}",
        ran.err
    );
}

/// Holds that no line that was seen came more often than it was written. A busy core writes the same line twice within a
/// millisecond now and then: reading the span once, afterwards, gives as many.
async fn none_comes_twice(running: &Running, home: &Arc<Home>, again: &str, seen: &[String]) {
    let at = |line: &String| -> jiff::Timestamp {
        text(&serde_json::from_str(line).unwrap(), "at").parse().unwrap()
    };
    let since = seen.iter().map(at).min().unwrap();
    let until = seen.iter().map(at).max().unwrap() + jiff::SignedDuration::from_millis(1);
    let whole = run(running, home, &format!("{again} --since {since} --until {until}")).await;
    assert_eq!(whole.code, Some(0), "{}", whole.err);
    let mut left: BTreeMap<&str, i64> = BTreeMap::new();
    whole.out.lines().for_each(|line| *left.entry(line).or_default() += 1);
    seen.iter().for_each(|line| *left.entry(line).or_default() -= 1);
    let twice: Vec<_> = left.iter().filter(|(_, left)| **left < 0).collect();
    let more = left.values().filter(|left| **left > 0).count();
    assert!(
        twice.is_empty(),
        "of {} lines from {since} to {until}, where {} were written, {} too many and {more} too few: {:?}",
        seen.len(),
        whole.out.lines().count(),
        twice.len(),
        (twice.first(), twice.last())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_a_service_log_json_and_new_lines_come_once_until_somebody_stops_it() {
    let (running, home) = started().await;
    let ran = run(&running, &home, "logs api-prod/auth-core --since 2m --json").await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let shown = lines(&ran);
    let sources: BTreeSet<&str> = shown.iter().map(|line| text(line, "source")).collect();
    assert!(
        sources.len() > 2 && sources.iter().all(|source| source.starts_with("auth-core/")),
        "{sources:?}"
    );
    assert!(shown.iter().all(|line| line["level"].is_string() && line["thread"].is_string()));

    let mut child = home
        .command()
        .envs(running.exports())
        .args(words(&home, "logs api-prod/auth-core --since 5s --follow --json"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let begun = coredeck::clock::Clock::Real.now();
    let pid = child.id();
    let seen = tokio::task::spawn_blocking(move || {
        let mut seen = Vec::new();
        let mut is_told = false;
        for line in out.lines() {
            let line = line.unwrap();
            let at: jiff::Timestamp =
                serde_json::from_str::<Value>(&line).unwrap()["at"].as_str().unwrap().parse().unwrap();
            seen.push(line);
            if !is_told && at.duration_since(begun).as_secs() >= 4 {
                is_told = true;
                let interrupt = std::process::Command::new("kill").args(["-INT", &pid.to_string()]).status();
                assert!(interrupt.unwrap().success());
            }
        }
        seen
    })
    .await
    .unwrap();
    seen.iter().for_each(|line| home.keep(line.as_bytes()));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("stopped after"), "{said}");
    assert!(seen.len() > 20, "{}", seen.len());
    none_comes_twice(&running, &home, "logs api-prod/auth-core --json", &seen).await;
}

/// What nobody logs: all of a span is searched for it, page by page.
const NOWHERE: &str = "nobody-says-this";

#[tokio::test(flavor = "multi_thread")]
async fn searches_keep_to_half_of_the_bucket_and_go_on_when_somebody_else_has_emptied_it() {
    let running = serve(Options { buckets: true, ..Options::default() }).await.unwrap();
    let home = Home::new();
    home.write("coredeck.toml", "fleet = \"demo\"\n");
    let home = Arc::new(home);
    // Our document is put there, and this core's docker says that it sends its lines to CloudWatch.
    let ran = run(&running, &home, "logs prod-slatepay --since 1m --yes --json").await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let until = coredeck::clock::Clock::Real.now();
    let since = until - jiff::SignedDuration::from_hours(9);
    let args = format!("logs prod-slatepay --grep {NOWHERE} --since {since} --until {until} --json");
    let searches = |running: &Running, from: usize| -> Vec<Value> {
        let calls = running.calls().into_iter().skip(from);
        let ours = |call: &Value| text(&call["input"], "filterPattern").contains(NOWHERE);
        calls.filter(|call| call["operation"] == "FilterLogEvents" && ours(call)).collect()
    };
    let ran = run(&running, &home, &args).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let ours = searches(&running, 0);
    assert!(ours.len() >= 10 && ours.iter().all(|call| call["error"].is_null()), "{ours:?}");
    // Half of what AWS takes in a second, and half of that again where nobody knows the region's figure.
    let at = |call: &Value| text(call, "at").parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let times: Vec<i64> = ours.iter().map(at).collect();
    for (first, from) in times.iter().enumerate() {
        let within = times.iter().skip(first).filter(|time| **time < from + 2_000).count();
        assert!(within <= 5 + 2 * 5, "{within} searches within two seconds: {times:?}");
    }

    // Somebody else takes all that there is until we were refused.
    let before = running.calls().len();
    let reading = run(&running, &home, &args);
    let crowd = async {
        let ask = json!({ "logGroupName": "/coredeck/core-hosts", "limit": 1 });
        let is_refused = |call: &Value| !call["error"].is_null();
        while !searches(&running, before).iter().any(is_refused) {
            let ask = || call(&running, "logs", "Logs_20140328.FilterLogEvents", ask.clone());
            futures::future::join_all((0..8).map(|_| ask())).await;
        }
    };
    let (again, ()) = futures::future::join(reading, crowd).await;
    assert_eq!((again.code, &again.out), (Some(0), &ran.out), "{}", again.err);
    let answered = searches(&running, before).iter().filter(|call| call["error"].is_null()).count();
    assert_eq!(answered, ours.len(), "every page was read in the end, and none twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_of_one_host_are_followed_by_one_command() {
    let (running, home) = started().await;
    let running = Arc::new(running);
    let ran = run(&running, &home, "get cores --columns id,instance -o json").await;
    let cores = ran.data();
    let dev: Vec<&Value> = cores.iter().filter(|core| text(core, "id").starts_with("dev-")).collect();
    let pair = dev.iter().find_map(|one| {
        let is_beside = |other: &&&Value| {
            text(other, "instance") == text(one, "instance") && text(other, "id") > text(one, "id")
        };
        Some((text(one, "id").to_owned(), text(dev.iter().find(is_beside)?, "id").to_owned()))
    });
    let (one, other) = pair.expect("two cores of one host");
    let mut child = home
        .command()
        .envs(running.exports())
        .args(words(&home, &format!("logs {one} {other} --since 5s --follow --yes --json")))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (begun, pid) = (coredeck::clock::Clock::Real.now(), child.id());
    let both = BTreeSet::from([one, other]);
    let wanted = both.clone();
    let asked = |running: &Running| -> Vec<String> {
        let calls = running.calls();
        let sent = calls.iter().filter(|call| call["operation"] == "SendCommand");
        let names = |call: &Value| {
            call["input"]["Parameters"]["Containers"][0].as_str().unwrap_or_default().to_owned()
        };
        sent.map(names).collect()
    };
    let of_both = |asked: &String| asked.split(',').count() == 2;
    let fleet = Arc::clone(&running);
    let seen = tokio::task::spawn_blocking(move || {
        let (mut seen, mut new, mut is_told) = (Vec::new(), BTreeSet::new(), false);
        for line in out.lines() {
            let line = line.unwrap();
            let said: Value = serde_json::from_str(&line).unwrap();
            if text(&said, "at").parse::<jiff::Timestamp>().unwrap()
                > begun + jiff::SignedDuration::from_secs(2)
            {
                new.insert(text(&said, "source").to_owned());
            }
            seen.push(line);
            if !is_told && new == wanted && asked(&fleet).iter().filter(|asked| of_both(asked)).count() > 0 {
                is_told = true;
                let interrupt = std::process::Command::new("kill").args(["-INT", &pid.to_string()]).status();
                assert!(interrupt.unwrap().success());
            }
        }
        seen
    })
    .await
    .unwrap();
    seen.iter().for_each(|line| home.keep(line.as_bytes()));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    let asked = asked(&running);
    let first = asked.iter().position(of_both).unwrap_or_else(|| panic!("{asked:?}"));
    assert!(asked[first..].iter().all(of_both), "one command for both: {asked:?}");
    let again = format!("logs {} --json", both.iter().cloned().collect::<Vec<_>>().join(" "));
    none_comes_twice(&running, &home, &again, &seen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_may_not_be_asked_now_are_asked_later_and_nothing_is_lost_or_doubled() {
    let running = serve(Options { buckets: true, ..Options::default() }).await.unwrap();
    let home = Home::new();
    home.write("coredeck.toml", "fleet = \"demo\"\n");
    let home = Arc::new(home);
    let ran = run(&running, &home, "logs dev-001 --since 1m --yes --json").await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let until = coredeck::clock::Clock::Real.now();
    let since = until - jiff::SignedDuration::from_secs(60);
    let args = format!("logs dev-001 dev-002 --since {since} --until {until} --json");
    let truth = run(&running, &home, &args).await;
    assert_eq!(truth.code, Some(0), "{}", truth.err);
    assert!(lines(&truth).len() > 10, "{}", truth.out);

    // Somebody else sends commands as fast as AWS takes them, until both of ours were refused.
    let before = running.calls().len();
    let refused = || {
        let ours = |call: &&Value| text(&call["input"], "Comment").starts_with("coredeck logs");
        let calls = running.calls();
        let sent = calls[before..].iter().filter(|call| call["operation"] == "SendCommand");
        sent.filter(ours).filter(|call| !call["error"].is_null()).count()
    };
    let crowd = async {
        let ask = json!({ "DocumentName": "AWS-RunShellScript", "InstanceIds": ["i-0"], "Parameters": {} });
        let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while refused() < 2 && std::time::Instant::now() < until {
            let ask = || call(&running, "ssm", "AmazonSSM.SendCommand", ask.clone());
            futures::future::join_all((0..4).map(|_| ask())).await;
        }
    };
    let (again, ()) = futures::future::join(run(&running, &home, &args), crowd).await;
    assert_eq!((again.code, &again.out), (Some(0), &truth.out), "{}", again.err);
    assert!(
        again.err.contains("is asked again and again") && again.err.contains("AWS throttles ssm:SendCommand"),
        "{}",
        again.err
    );
}
