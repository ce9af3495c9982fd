//! Judged by a stranger: the aws command, given the commands that we recorded, sends what we sent.

use crate::loopback::{Answer, Loopback, Request, ask};
use crate::python::{Python, judges};
use coredeck::aws;
use coredeck::clock::Clock;
use coredeck::collect::{Patience, once};
use coredeck::config::{Account, Config, Login, Regions};
use coredeck::gateway::{CallRecord, FleetReader, Source};
use coredeck::model::{AccountName, Region};
use coredeck::sim::{Options, serve};
use coredeck::world::Interest;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

/// Requests by the request id that they were answered with.
type Heard = Arc<Mutex<BTreeMap<String, Request>>>;

/// Passes everything on to `host`, and notes what was asked under which request id.
fn recorder(host: String) -> (Loopback, Heard) {
    let heard: Heard = Arc::default();
    let notes = Arc::clone(&heard);
    let server = Loopback::start(move |request| {
        let headers: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = ask(&host, &request.method, &request.path, &headers, &request.body);
        let text = String::from_utf8_lossy(&answer);
        let id = text.lines().take_while(|line| !line.is_empty()).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("x-amzn-requestid").then(|| value.trim().to_owned())
        });
        notes.lock().unwrap().insert(id.expect("every answer has an id"), request.clone());
        Answer::Raw(answer)
    });
    (server, heard)
}

/// What a request asks, whatever the protocol.
pub(crate) fn asked(request: &Request) -> (String, Value) {
    let kind = request.header("content-type").unwrap_or_default();
    let mut asks = if kind.starts_with("application/x-www-form-urlencoded") {
        let pairs = form_urlencoded::parse(&request.body).into_owned();
        Value::Object(pairs.map(|(key, value)| (key, Value::String(value))).collect::<Map<_, _>>())
    } else if kind.starts_with("application/cbor") {
        let value: ciborium::Value = ciborium::from_reader(request.body.as_slice()).unwrap();
        plain(value)
    } else {
        serde_json::from_slice(&request.body).unwrap_or_else(|why| panic!("{why}: {request:?}"))
    };
    // The moments of a question about metrics or prices, as CBOR, JSON and forms write them.
    for name in ["StartTime", "EndTime"] {
        if let Some(moment) = asks.get_mut(name) {
            *moment = match moment.as_str() {
                Some(written) => json!(written.parse::<jiff::Timestamp>().unwrap().as_second()),
                None => json!(moment.as_f64().unwrap().round()),
            };
        }
    }
    (request.action(), asks)
}

fn plain(value: ciborium::Value) -> Value {
    use ciborium::Value as Cbor;
    match value {
        Cbor::Tag(_, inner) => plain(*inner),
        Cbor::Integer(n) => Value::from(i64::try_from(n).unwrap()),
        Cbor::Float(n) => json!(n),
        Cbor::Text(text) => Value::String(text),
        Cbor::Bool(flag) => Value::Bool(flag),
        Cbor::Array(items) => items.into_iter().map(plain).collect(),
        Cbor::Map(fields) => Value::Object(
            fields.into_iter().map(|(name, value)| (name.into_text().unwrap(), plain(value))).collect(),
        ),
        other => panic!("{other:?}"),
    }
}

/// Everything that coredeck ever asks, asked once.
async fn read_everything(reader: &Arc<aws::Aws>, config: &Arc<Config>) {
    let read = |sources: &'static [Source], interest| {
        let reader: Arc<dyn FleetReader> = Arc::clone(reader) as _;
        once(reader, Arc::clone(config), sources, interest, Clock::Real, Patience::default())
    };
    let world = read(&Source::ALL, Interest::default()).await;
    assert!(world.snapshot.troubled().next().is_none(), "{:?}", world.snapshot.troubled().next());
    let rows = world.fleet.instances.iter().take(3);
    let metrics_of = rows.map(|row| (row.scope.as_ref().clone(), row.it.id.clone())).collect();
    let interest = Interest { sources: vec![Source::Metrics], metrics_of, ..Interest::default() };
    read(&[Source::Metrics], interest).await;
    reader.regions(&AccountName::new("main")).await.unwrap();
}

/// One call of each sort: its name, and the names of what it asks.
fn one_of_each(calls: Vec<Arc<CallRecord>>) -> Vec<Arc<CallRecord>> {
    let mut seen = BTreeSet::new();
    let sort = |call: &CallRecord| -> Vec<String> {
        call.command.split(' ').filter(|word| word.starts_with("--")).map(str::to_owned).collect()
    };
    calls.into_iter().filter(|call| seen.insert((call.call.clone(), sort(call)))).collect()
}

pub(crate) fn repeat(
    python: &Python,
    commands: &[&str],
    exports: Vec<(&'static str, String)>,
) -> Vec<(i64, String)> {
    let mut child = python
        .command("repeat_commands.py")
        .envs(exports)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(json!(commands).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_command_sends_what_we_sent() {
    let Some(python) = judges() else { return };
    // More than one page of instances and of most else that has pages.
    let running = serve(Options { instances: Some(1_100), ..Options::default() }).await.unwrap();
    let (server, heard) = recorder(running.url().trim_start_matches("http://").to_owned());
    let config = Config {
        accounts: vec![Account { name: AccountName::new("main"), login: Login::Chain, regions: None }],
        regions: Regions::Named(vec![Region::new("us-east-1")]),
        endpoint_url: Some(server.url.clone()),
        ..Config::default()
    };
    let options = aws::Options { environment: Some(running.exports()), ..aws::Options::default() };
    let reader = Arc::new(aws::connect(&config, options).await.unwrap());
    read_everything(&reader, &Arc::new(config)).await;

    let all = reader.calls();
    let sent = heard.lock().unwrap().clone();
    assert_eq!(all.len(), sent.len(), "each request is on record");
    let calls = one_of_each(all);
    let names: BTreeSet<&str> = calls.iter().map(|call| call.call.as_str()).collect();
    assert!(names.len() >= 26, "only {names:?}");
    for token in ["--next-token", "--page-size", "--max-records"] {
        assert!(calls.iter().any(|call| call.command.contains(token)), "no {token}");
    }

    let commands: Vec<&str> = calls.iter().map(|call| &*call.command).collect();
    let exports = running.exports();
    let results = tokio::task::block_in_place(|| repeat(python, &commands, exports));
    let mut wrong = Vec::new();
    for (nth, (call, (code, said))) in calls.iter().zip(results).enumerate() {
        if code != 0 {
            wrong.push(format!("{}\n  exit {code}: {said}", call.command));
            continue;
        }
        let mark = format!("app/nth-{nth}");
        let repeated: Vec<Request> = server
            .seen()
            .into_iter()
            .filter(|request| {
                request.header("user-agent").is_some_and(|agent| agent.split(' ').any(|part| part == mark))
            })
            .collect();
        let [repeated] = repeated.as_slice() else {
            wrong.push(format!("{}\n  {} requests", call.command, repeated.len()));
            continue;
        };
        let ours = &sent[call.request_id.as_deref().unwrap()];
        if asked(ours) != asked(repeated) {
            wrong.push(format!("{}\n  {:?}\n  {:?}", call.command, asked(ours), asked(repeated)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
