//! Lists 5,000 instances of one moto server with coredeck and with boto3 in one run, turn by turn, and
//! prints the medians and their ratio. The bare answer, fetched and thrown away, shows the server's share.
//!
//! `cargo bench --bench listing`, or with another number of instances: `… -- 1000`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench fails by panicking")]
#![allow(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(dead_code, reason = "shares the judges with the tests and uses a part of them")]

#[path = "../tests/it/binary.rs"]
mod binary;
#[path = "../tests/it/loopback.rs"]
mod loopback;
#[path = "../tests/it/python.rs"]
mod python;
#[path = "../tests/it/residue.rs"]
mod residue;

use std::time::{Duration, Instant};

/// Turns of each; an odd number has a median.
const TURNS: usize = 5;

/// Columns that come from the list of instances alone, so that both sides read the same.
const COLUMNS: &str = "id,name,type,state,zone,lifecycle,launched_at,private_ip,public_ip,image_id,tags";

fn main() {
    let count = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(5_000_usize);
    let Some(python) = python::judges() else { return };
    let moto = python::Moto::start(python, &[]);
    python.run("seed_bulk.py", &[&moto.url, "us-east-1", &count.to_string()]);

    let home = binary::Home::new();
    let same = ["get", "instances", "-o", "json", "--columns", COLUMNS, "--endpoint-url", &moto.url];
    let all = ["get", "instances", "-o", "json", "--allow-partial", "--endpoint-url", &moto.url];
    let listed = |args: &[&str]| {
        let ran = home.run(args);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert_eq!(ran.data().len(), count);
    };
    let mut bare = Vec::new();
    let mut ours = Vec::new();
    let mut joined = Vec::new();
    let mut theirs = Vec::new();
    let mut theirs_inside = Vec::new();
    // The first turn fills the server's caches and is not counted.
    for turn in 0..=TURNS {
        let times = [
            timed(|| fetch(moto.host())),
            timed(|| listed(&same)),
            timed(|| {
                let told = python.run("list_instances.py", &[&moto.url, "us-east-1"]);
                assert_eq!(told["count"], count);
                theirs_inside.push(Duration::from_secs_f64(told["seconds"].as_f64().unwrap()));
            }),
            timed(|| listed(&all)),
        ];
        if turn > 0 {
            for (all, time) in [&mut bare, &mut ours, &mut theirs, &mut joined].into_iter().zip(times) {
                all.push(time);
            }
        }
    }
    theirs_inside.remove(0);

    println!("{count} instances, {TURNS} turns, medians");
    let ours = show("coredeck get instances, columns of the list alone", ours);
    let theirs = show("boto3, the same list, with the interpreter's start", theirs);
    let theirs_inside = show("boto3, the same list, without the interpreter's start", theirs_inside);
    let bare = show("the bare answer, fetched and thrown away", bare);
    show("coredeck get instances, every column and list behind it", joined);
    println!("coredeck / boto3                    {:.2}", ours / theirs);
    println!("coredeck / boto3 without its start  {:.2}", ours / theirs_inside);
    println!("coredeck / bare answer              {:.2}", ours / bare);
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

/// Prints a median in seconds and returns it.
fn show(what: &str, mut times: Vec<Duration>) -> f64 {
    times.sort();
    let median = times[times.len() / 2].as_secs_f64();
    println!("{median:8.3} s  {what}");
    median
}

/// The same list without reading it: what the server and the wire take.
fn fetch(host: &str) {
    let scope = "Credential=judge/20260101/us-east-1/ec2/aws4_request";
    let signed = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0");
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", signed.as_str())];
    let body = b"Action=DescribeInstances&Version=2016-11-15&MaxResults=1000";
    let answer = loopback::ask(host, "POST", "/", &headers, body);
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer[..answer.len().min(500)])
    );
}
