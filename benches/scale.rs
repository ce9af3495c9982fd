//! A large fleet end to end: how long the simulator takes to make it and what it holds, what listing it costs
//! against the same bytes fetched and thrown away, and what a list and the screen hold in memory.
//!
//! `cargo bench --bench scale`, or with another number of instances: `… -- 1000`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench fails by panicking")]
#![allow(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(dead_code, reason = "shares the home and the wire with the tests and uses a part of them")]

#[path = "../tests/it/binary.rs"]
mod binary;
#[path = "../tests/it/loopback.rs"]
mod loopback;
#[path = "../tests/it/residue.rs"]
mod residue;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

/// Turns of what is timed; an odd number has a median.
const TURNS: usize = 3;

/// Columns that come from the list of instances alone, as the bare bytes do.
const COLUMNS: &str = "id,name,type,state,zone,lifecycle,launched_at,private_ip,image_id";

/// Longer than this nothing may take.
const WITHIN: Duration = Duration::from_secs(300);

fn main() {
    let count = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(100_000_usize);
    let began = Instant::now();
    let sim = Sim::start(count);
    println!("{count} instances; load of the machine {}", load());
    println!("{:8.2} s  until the simulator serves them", began.elapsed().as_secs_f64());

    let home = binary::Home::new();
    let mut bytes = 0;
    let wire = median(|| bytes = fetch(&sim.host, &Pace::none()));
    println!(
        "{wire:8.2} s  the bare answer, zones in parallel, fetched and thrown away: {} MB",
        bytes / 1_000_000
    );
    let paced = median(|| bytes = fetch(&sim.host, &Pace::half()));
    println!("{paced:8.2} s  the same, no faster than half of the rate that AWS publishes for the call");
    let mut peak = 0;
    let names = median(|| peak = peak.max(list(&home, &sim.url(), &["-o", "name"], count)));
    println!("{names:8.2} s  coredeck get instances -o name; {peak} MiB at most");
    peak = 0;
    let json = ["-o", "json", "--columns", COLUMNS];
    let rows = median(|| peak = peak.max(list(&home, &sim.url(), &json, 0)));
    println!("{rows:8.2} s  coredeck get instances -o json, columns of the list; {peak} MiB at most");
    println!("get / bare answer at the same pace   {:.2}", names / paced);
    println!("get / bare answer at no pace at all  {:.2}", names / wire);
    println!("{:8} MiB the simulator", memory(sim.child.id(), "VmHWM"));

    let (_, first) = screen(&home, &sim.url(), Duration::from_secs(60));
    println!("{first:8} MiB the screen, after a minute of reading everything");
    for _ in 0..TURNS {
        let (painted, held) = screen(&home, &sim.url(), Duration::from_secs(10));
        let painted = painted.map_or("never".to_owned(), |after| format!("{} ms", after.as_millis()));
        println!("{held:8} MiB the screen, started from its cache; rows painted after {painted}");
    }
}

/// The simulator in a process of its own, so that its memory is its own too.
struct Sim {
    child: Child,
    host: String,
}

impl Sim {
    fn start(count: usize) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coredeck"));
        command.args(["sim", "--instances", &count.to_string()]).env_clear();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let url =
            lines.find_map(|line| line.strip_prefix("export AWS_ENDPOINT_URL=http://").map(str::to_owned));
        Self { child, host: url.expect("the simulator says where it is") }
    }

    fn url(&self) -> String {
        format!("http://{}", self.host)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // Both fail only when it has already ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Runs a list to its end and returns the most memory that it held, in MiB.
fn list(home: &binary::Home, url: &str, how: &[&str], count: usize) -> u64 {
    let mut command = home.command();
    command.args(["get", "instances", "--allow-partial", "--endpoint-url", url]).args(how);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (mut peak, mut lines) = (0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = out.read_until(b'\n', &mut line).unwrap();
        if read == 0 {
            break;
        }
        if lines % 1_000 == 0 {
            peak = peak.max(memory(child.id(), "VmHWM"));
        }
        lines += 1;
    }
    assert!(child.wait().unwrap().success());
    assert!(count == 0 || lines == count, "{lines} of {count}");
    peak
}

/// Opens the screen for a while: when rows were painted first, and what it holds at the end, in MiB.
fn screen(home: &binary::Home, url: &str, during: Duration) -> (Option<Duration>, u64) {
    let size = PtySize { rows: 50, cols: 180, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_coredeck"));
    command.env_clear();
    home.environment().into_iter().for_each(|(name, value)| command.env(name, value));
    command.args(["--endpoint-url", url]);
    let began = Instant::now();
    let mut child = pair.slave.spawn_command(command).unwrap();
    let mut out = pair.master.try_clone_reader().unwrap();
    let (send, pieces) = sync_channel::<(Instant, Vec<u8>)>(1_024);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while let Ok(read) = out.read(&mut buffer) {
            if read == 0 || send.send((Instant::now(), buffer[..read].to_vec())).is_err() {
                break;
            }
        }
    });
    let (mut seen, mut painted) = (Vec::new(), None);
    while let Ok((at, piece)) = pieces.recv_timeout(during.saturating_sub(began.elapsed())) {
        seen.extend(piece);
        // A row's name; the frame around it has none.
        if painted.is_none() && seen.windows(5).any(|word| word == b"cell-" || word == b"prod-") {
            painted = Some(at.duration_since(began));
        }
    }
    let held = memory(child.process_id().unwrap(), "VmRSS");
    child.kill().unwrap();
    child.wait().unwrap();
    (painted, held)
}

/// How fast requests may follow each other. `get` spends half of what AWS publishes for `DescribeInstances` (a burst
/// of 100, then 20 a second) and no more, whoever answers: the wire it is measured against may do the same.
struct Pace {
    began: Instant,
    sent: AtomicU32,
    burst: u32,
    each: Duration,
}

impl Pace {
    fn none() -> Self {
        Self { began: Instant::now(), sent: AtomicU32::new(0), burst: u32::MAX, each: Duration::ZERO }
    }

    fn half() -> Self {
        Self { burst: 50, each: Duration::from_millis(100), ..Self::none() }
    }

    /// Waits for one's turn.
    fn turn(&self) {
        let before = self.sent.fetch_add(1, Ordering::Relaxed);
        let at = self.began + self.each * before.saturating_sub(self.burst);
        while let Some(left) = at.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            std::thread::park_timeout(left);
        }
    }
}

/// Fetches every page of every zone and throws it away; returns how many bytes there were.
fn fetch(host: &str, pace: &Pace) -> usize {
    let zones = ["a", "b", "c", "d", "e", "f"];
    std::thread::scope(|scope| {
        let streams: Vec<_> =
            zones.iter().map(|zone| scope.spawn(move || fetch_zone(host, zone, pace))).collect();
        streams.into_iter().map(|stream| stream.join().unwrap()).sum()
    })
}

fn fetch_zone(host: &str, zone: &str, pace: &Pace) -> usize {
    let scope = "Credential=bench/20260101/us-east-1/ec2/aws4_request";
    let signed = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0");
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", signed.as_str())];
    let ask = format!(
        "Action=DescribeInstances&Version=2016-11-15&MaxResults=1000&Filter.1.Name=availability-zone&Filter.1.Value.1=us-east-1{zone}"
    );
    let (mut bytes, mut token) = (0, String::new());
    loop {
        pace.turn();
        let answer = loopback::ask(host, "POST", "/", &headers, format!("{ask}{token}").as_bytes());
        assert!(answer.starts_with(b"HTTP/1.1 200"), "a page of zone {zone}");
        bytes += answer.len();
        // The token stands at the end.
        let end = String::from_utf8_lossy(&answer[answer.len().saturating_sub(300)..]).into_owned();
        match end.split_once("<nextToken>") {
            Some((_, rest)) => token = format!("&NextToken={}", rest.split('<').next().unwrap()),
            None => return bytes,
        }
    }
}

fn median(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<Duration> = (0..TURNS)
        .map(|_| {
            let began = Instant::now();
            work();
            let took = began.elapsed();
            assert!(took < WITHIN, "it took {took:?}");
            took
        })
        .collect();
    times.sort();
    times[TURNS / 2].as_secs_f64()
}

/// A line of a process's status in MiB; 0 when it has ended.
fn memory(process: u32, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    let kib = found.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().unwrap_or("unknown").to_owned()
}
