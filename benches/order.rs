//! Finds out which functions a session of the screen runs, and writes them to `build/order.txt`, by which the linker
//! puts them beside each other (`build.rs`).
//!
//! `cargo bench --bench order`, where valgrind is installed, after larger changes or another version of a crate; it takes
//! some minutes. What a screen runs all the time comes first, what only its start runs behind it, each by name, so that
//! the list changes little.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench fails by panicking")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the figures are what it is for")]
#![allow(dead_code, reason = "shares the home with the tests and uses a part of it")]

#[path = "../tests/it/binary.rs"]
mod binary;
mod pty;
#[path = "../tests/it/residue.rs"]
mod residue;

use pty::{Screen, Simulator};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Small enough to be read under valgrind within a minute; it has one of everything.
const FLEET: usize = 300;

fn main() {
    if !std::env::args().any(|word| word == "--bench") {
        // `cargo test` starts benches too.
        return;
    }
    let home = binary::Home::new();
    let simulator = Simulator::start(&home, FLEET);
    // The first run reads everything, the second begins with what the first one left and tells what goes on later.
    let all = session(&home, &simulator, false);
    let steady = session(&home, &simulator, true);
    let start: BTreeSet<&String> = all.difference(&steady).collect();
    let lines: Vec<&str> = steady.iter().chain(start.iter().copied()).map(String::as_str).collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("build/order.txt");
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    let before: BTreeSet<&str> = before.lines().collect();
    let known = lines.iter().filter(|line| before.contains(**line)).count();
    std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    println!("{} functions run all the time, {} more at the start", steady.len(), start.len());
    println!("{known} of them stood in the list before");
}

/// Uses the screen under callgrind; returns the program's functions that ran: all, or those after the first read.
fn session(home: &binary::Home, simulator: &Simulator, is_late: bool) -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("profile");
    let out = format!("--callgrind-out-file={}", profile.display());
    let watcher =
        ["valgrind", "--quiet", "--tool=callgrind", "--demangle=no", "--compress-strings=no", out.as_str()];
    let mut screen = Screen::under(&watcher, home, simulator, (180, 50));
    screen.wait("the overview", |text| text.contains("TIER"));
    let is_read = |text: &str| !text.contains("reading") && !text.contains("not read yet");
    screen.wait("the fleet", is_read);
    if is_late {
        // Whatever the start still does is over, and what is counted begins anew.
        screen.rest(Duration::from_secs(15));
        let zero = Command::new("callgrind_control").args(["--zero", &screen.id().to_string()]).output();
        assert!(zero.unwrap().status.success(), "callgrind_control --zero");
        screen.rest(Duration::from_secs(90));
    }
    for keys in ["2", "jjjkj", " ", "d", "\u{1b}", "/state:running", "\r", "/", "\u{1b}", ":sort name\r", "1"]
    {
        screen.press(keys);
        screen.rest(Duration::from_secs(5));
    }
    if !is_late {
        for keys in ["3", "4", "5", "6", "7", "8", "9", "?", "\u{1b}"] {
            screen.press(keys);
            screen.rest(Duration::from_secs(5));
        }
    }
    screen.quit();
    ran(&std::fs::read_to_string(&profile).unwrap())
}

/// The functions of the program itself in a profile of callgrind, by their names in the symbol table.
fn ran(profile: &str) -> BTreeSet<String> {
    let mut is_ours = false;
    let mut names = BTreeSet::new();
    for line in profile.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            is_ours = object.ends_with("/coredeck");
        } else if let Some(name) = line.strip_prefix("fn=").filter(|_| is_ours) {
            // Functions that call themselves are told apart by how deep they are.
            let name = name.split('\'').next().unwrap_or(name);
            if !name.starts_with("0x") && !name.starts_with('(') {
                names.insert(name.to_owned());
            }
        }
    }
    names
}
