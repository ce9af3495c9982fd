//! An hour under fire: the client against a simulator that throttles 30 % of its calls, resets 5 % and answers
//! nonsense to 1 %. The hour passes in pretended time; the client lives in real time, and so do its token buckets.

use crate::binary::Home;
use crate::sim::query;
use coredeck::sim::{Mischief, Options, Rule, Running, serve};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Pretended seconds a second: an hour takes less than half a minute, in which the client reads several times.
const SPEED: f64 = 150.0;

/// No more than this for the hour and what comes after it, on however slow a machine.
const WITHIN: Duration = Duration::from_secs(170);

const HOUR: Duration = Duration::from_secs(3600);

/// What AWS publishes of its token buckets: calls that share one, what it holds, what flows back in a second.
/// Auto Scaling and Systems Manager publish none; theirs are what projects live with.
const BUCKETS: &[(&str, &[&str], f64, f64)] = &[
    ("ecs", &["ListClusters", "DescribeClusters"], 50.0, 20.0),
    (
        "ecs",
        &["DescribeContainerInstances", "DescribeTasks", "ListContainerInstances", "ListTasks"],
        100.0,
        20.0,
    ),
    ("ecs", &["DescribeServices", "ListServices"], 100.0, 20.0),
    ("ecs", &["DescribeCapacityProviders"], 50.0, 20.0),
    (
        "autoscaling",
        &["DescribeAutoScalingGroups", "DescribeInstanceRefreshes", "DescribeScalingActivities"],
        20.0,
        10.0,
    ),
    ("ec2", &["DescribeInstances"], 100.0, 20.0),
    ("ec2", &["DescribeInstanceStatus"], 100.0, 20.0),
    ("ec2", &["DescribeImages"], 100.0, 20.0),
    ("ec2", &["DescribeLaunchTemplates"], 100.0, 20.0),
    ("ec2", &["DescribeLaunchTemplateVersions"], 100.0, 20.0),
    ("monitoring", &["DescribeAlarms"], 18.0, 9.0),
    ("ssm", &["DescribeInstanceInformation"], 20.0, 4.0),
    ("ssm", &["GetParametersByPath"], 80.0, 10.0),
];

fn weather() -> Vec<Rule> {
    let rule = |kind, rate| Rule { rate, until: Some(HOUR), ..Rule::always(kind) };
    vec![rule(Mischief::Throttle, 0.3), rule(Mischief::Reset, 0.05), rule(Mischief::Garbage, 0.01)]
}

/// What the client said while it watched: warnings and ids of each line, with the pretended time of its arrival.
struct Line {
    after: Duration,
    warnings: Vec<Value>,
    ids: BTreeSet<String>,
}

/// Watches instances until the hour is over and an answer came that is whole.
fn watched(running: &Running) -> Vec<Line> {
    let home = Home::new();
    let mut command = home.command();
    command.args(["get", "instances", "-o", "json", "--watch=5s", "--endpoint-url", &running.url()]);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (send, lines) = sync_channel(1_000);
    let out = BufReader::new(child.stdout.take().unwrap());
    std::thread::spawn(move || {
        for line in out.lines().map_while(Result::ok) {
            if send.send((Instant::now(), line)).is_err() {
                break;
            }
        }
    });
    let begun = Instant::now();
    let mut seen = Vec::new();
    loop {
        let left = WITHIN.saturating_sub(begun.elapsed());
        let (at, line) = match lines.recv_timeout(left) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        };
        let answer: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let ids = answer["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned());
        let after = at.duration_since(begun).mul_f64(SPEED);
        let warnings = answer["warnings"].as_array().unwrap().clone();
        let is_over = after > HOUR && warnings.is_empty();
        seen.push(Line { after, warnings, ids: ids.collect() });
        if is_over {
            break;
        }
    }
    child.kill().ok();
    child.wait().unwrap();
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_of_throttling_resets_and_garbage() {
    let options = Options { speed: SPEED, faults: weather(), seed: 5, ..Options::default() };
    let running = serve(options).await.unwrap();
    let (running, seen) = tokio::task::spawn_blocking(move || {
        let seen = watched(&running);
        (running, seen)
    })
    .await
    .unwrap();
    let calls = running.calls();

    // It was as bad as it should be.
    let hit: BTreeMap<&str, usize> = calls.iter().fold(BTreeMap::new(), |mut sums, call| {
        if let Some(fault) = call["fault"].as_str() {
            *sums.entry(fault).or_default() += 1;
        }
        sums
    });
    let told: Vec<String> = seen
        .iter()
        .map(|line| format!("{:?}: {} rows, {} warnings", line.after, line.ids.len(), line.warnings.len()))
        .collect();
    // On a slow machine more calls come after the hour than in it.
    let pretended = |call: &&Value| call["elapsed_ms"].as_f64().unwrap() / 1000.0 * SPEED;
    let within = calls.iter().filter(|call| pretended(call) < HOUR.as_secs_f64()).count();
    assert!(within > 20, "{within} calls in an hour are too few to judge by");
    assert!(hit.get("throttle").is_some_and(|count| *count * 5 > within), "{hit:?} of {within}");
    assert!(hit.contains_key("reset"), "{hit:?}");

    // Trouble was shown, and it is gone again.
    let troubled = seen.iter().filter(|line| !line.warnings.is_empty()).count();
    let last = seen.last().expect("the client said something");
    assert!(troubled > 0, "nothing was said of {hit:?}:\n{}", told.join("\n"));
    assert!(last.after > HOUR && last.warnings.is_empty(), "{:?}: {:?}", last.after, last.warnings);

    // The data are whole in every answer that says so.
    let answer = query(&running, "ec2", "Action=DescribeInstances&Version=2016-11-15").await;
    let truth = answer.matches("<instanceId>").count();
    assert!(last.ids.len().abs_diff(truth) <= 3, "{} of {truth}: some come and go", last.ids.len());
    let whole: Vec<&Line> = seen.iter().filter(|line| line.warnings.is_empty()).collect();
    assert!(whole.iter().all(|line| line.ids.len() >= 70), "an answer without a warning lacks instances");

    keeps_half_of_every_budget(&calls);
}

/// However one chooses a span of time, no more than half of the bucket and half of what flowed back was taken.
fn keeps_half_of_every_budget(calls: &[Value]) {
    let known: BTreeSet<&str> = BUCKETS.iter().flat_map(|(_, calls, _, _)| calls.iter().copied()).collect();
    for (service, operations, burst, refill) in BUCKETS {
        let mut times: Vec<f64> = calls
            .iter()
            .filter(|call| {
                call["service"] == *service && operations.contains(&call["operation"].as_str().unwrap())
            })
            .map(|call| call["elapsed_ms"].as_f64().unwrap() / 1000.0)
            .collect();
        times.sort_by(f64::total_cmp);
        for (first, from) in times.iter().enumerate() {
            for (last, to) in times.iter().enumerate().skip(first) {
                let taken = (last - first + 1) as f64;
                // A call may be late on its way; a tenth of a second of refill forgives it.
                let allowed = burst / 2.0 + refill / 2.0 * (to - from + 0.1);
                assert!(taken <= allowed, "{service} {operations:?}: {taken} calls in {:.1} s", to - from);
            }
        }
    }
    let others: BTreeSet<&str> = calls
        .iter()
        .map(|call| call["operation"].as_str().unwrap())
        .filter(|name| !known.contains(name))
        .collect();
    let judged_by_nobody: Vec<&str> = others
        .into_iter()
        .filter(|name| *name != "DescribeRegions" && *name != "GetCallerIdentity")
        .collect();
    assert!(judged_by_nobody.is_empty(), "calls without a budget here: {judged_by_nobody:?}");
}
