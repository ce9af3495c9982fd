//! Runs the release binary in a pseudo terminal over a fleet of a simulator in another process, and measures what the
//! person at the keys pays: bytes, processor, memory and time for each key.
//!
//! `cargo bench --bench screen` measures 1,040 instances, `… -- 1040 100000` both sizes of the README's table. Each
//! fleet is measured at 80×24 and 180×50. It takes a minute for the small fleet and several for the large one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench fails by panicking")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the figures are what it is for")]
#![allow(dead_code, reason = "shares the home with the tests and uses a part of it")]

#[path = "../tests/it/binary.rs"]
mod binary;
mod pty;
#[path = "../tests/it/residue.rs"]
mod residue;

use pty::{Screen, Simulator};
use std::time::{Duration, Instant};

/// Keys of one sort that are measured.
const KEYS: usize = 40;
/// How long nothing is pressed, to measure what an idle screen costs. Lists are read again meanwhile:
/// some every quarter of a minute and some every minute, so that in less it would be chance how many of them fall into it.
const IDLE: Duration = Duration::from_secs(60);

fn main() {
    let fleets: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let fleets = if fleets.is_empty() { vec![1_040] } else { fleets };
    let mut rows: Vec<Row> = Vec::new();
    for fleet in fleets {
        let home = binary::Home::new();
        let simulator = Simulator::start(&home, fleet);
        for (cols, lines) in [(80, 24), (180, 50)] {
            measure(&home, &simulator, fleet, (cols, lines), &mut rows);
        }
    }
    println!("\n| fleet | screen | what | measured | budget | |");
    println!("|---:|---|---|---:|---:|---|");
    for Row { fleet, size, what, measured, budget } in rows {
        let (shown, unit, met) = match budget {
            Some((most, unit)) => {
                (format!("{most} {unit}"), unit, if measured <= most { "met" } else { "**missed**" })
            }
            // What is not in milliseconds says so itself.
            None => {
                let is_told = [", s", "MiB", "bytes"].iter().any(|unit| what.ends_with(unit));
                (String::new(), if is_told { "" } else { "ms" }, "")
            }
        };
        println!("| {fleet} | {}×{} | {what} | {measured:.2} {unit} | {shown} | {met} |", size.0, size.1);
    }
}

struct Row {
    fleet: usize,
    size: (u16, u16),
    what: &'static str,
    measured: f64,
    /// The most that it may be, and its unit.
    budget: Option<(f64, &'static str)>,
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The share-th of sorted values.
fn at(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    values[((values.len() - 1) as f64 * share).round() as usize]
}

fn measure(home: &binary::Home, simulator: &Simulator, fleet: usize, size: (u16, u16), rows: &mut Vec<Row>) {
    let mut put = |what, measured, budget| {
        eprintln!("{fleet} {}×{} {what}: {measured:.2}", size.0, size.1);
        rows.push(Row { fleet, size, what, measured, budget });
    };
    // A run that leaves something for the next one to begin with.
    let is_read = |text: &str| !text.contains("reading") && !text.contains("not read yet");
    let mut screen = Screen::start(home, simulator, size);
    screen.wait("the overview", |text| text.contains("TIER"));
    let is_there = |text: &str| {
        let is_list = text.lines().take(2).any(|line| line.starts_with("instances  "));
        is_list && text.contains("▌") && text.contains("i-0") && !text.contains("sorting")
    };
    screen.press("2");
    let first = screen.wait("the first read", |text| is_there(text) && is_read(text));
    put("first read of everything, s", first.as_secs_f64(), None);
    screen.settle();
    screen.quit();

    let began = Instant::now();
    let mut screen = Screen::start(home, simulator, size);
    screen.wait("the overview from the cache", |text| text.contains("TIER") && text.contains(" old"));
    let start = began.elapsed();
    put("list shown after start, from the cache", millis(start), Some((100.0, "ms")));
    screen.press("2");
    screen.wait("the list", |text| is_there(text) && is_read(text));
    screen.settle();

    let cursor = |screen: &mut Screen, key: &str, count: usize| {
        let (mut bytes, mut times) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (cost, time) = screen.moved(key);
            #[allow(clippy::cast_precision_loss)]
            bytes.push(cost as f64);
            times.push(millis(time));
        }
        (at(&mut bytes, 0.5), at(&mut times, 0.5), at(&mut times, 0.95))
    };
    // The first lines do not scroll: as many keys as fit.
    let (bytes, median, late) = cursor(&mut screen, "j", KEYS);
    put("bytes for one cursor move (median)", bytes, Some((150.0, "bytes")));
    put("key to last byte, median", median, Some((3.0, "ms")));
    put("key to last byte, p95", late, Some((3.0, "ms")));
    // As many pages as there are.
    let (_, _, late) = cursor(&mut screen, " ", KEYS.min(fleet / usize::from(size.1) - 1));
    put("a page down, key to last byte, p95", late, None);
    screen.press("\u{1b}[H");
    screen.settle();

    let mut filters = Vec::new();
    for filter in ["state:running", "zone:1a", "no such thing"] {
        screen.press("/");
        screen.settle();
        for letter in filter.chars() {
            filters.push(millis(screen.key(&letter.to_string()).1));
        }
        screen.press("\u{1b}");
        screen.settle();
    }
    put("a letter of a filter, key to the new rows, p95", at(&mut filters, 0.95), None);
    let mut sorts = Vec::new();
    for column in ["name", "launched_at", "zone"] {
        screen.press(&format!(":sort {column}"));
        screen.settle();
        sorts.push(millis(screen.key("\r").1));
    }
    put("a sort, key to the new rows, most of 3", at(&mut sorts, 1.0), None);
    screen.press(":sort\r");
    screen.settle();

    let before = screen.processor();
    let (seen, vain) = screen.idle(IDLE);
    let share = 10.0 / IDLE.as_secs_f64();
    #[allow(clippy::cast_precision_loss)]
    let (seen, vain) = (seen as f64 * share, vain as f64 * share);
    put("bytes in 10 s in which nothing changes", vain, Some((0.0, "bytes")));
    put("ages and counts that changed in 10 s without a key, bytes", seen, None);
    put("processor in 10 s without a key", (screen.processor() - before) * share, Some((0.02, "s")));
    let (held, most) = screen.memory();
    let budget = if fleet > 10_000 { 250.0 } else { 30.0 };
    put("memory", held, Some((budget, "MiB")));
    put("memory, the most ever held, MiB", most, None);
    screen.quit();
}
