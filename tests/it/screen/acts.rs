//! The real program in a real terminal against a pretended AWS: hosts are marked, drained, watched and taken back,
//! and a terminal that is closed in between ends nothing.

use crate::pty::Terminal;
use coredeck::clock::Clock;
use coredeck::sim::{Options, Running, serve};
use coredeck::store::journal::{Journal, Ledger};
use portable_pty::CommandBuilder;
use std::path::Path;

/// The screen against a pretended AWS, with a journal of its own.
fn screen(running: &Running, folder: &Path, user: &str, (rows, cols): (u16, u16)) -> Terminal {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_coredeck"));
    command.env_clear();
    for (name, value) in running.exports() {
        command.env(name, value);
    }
    command.env("HOME", folder);
    command.env("USER", user);
    command.env("PATH", "/usr/bin:/bin");
    command.env("COREDECK_JOURNAL", folder.join("journal.db"));
    command.cwd(folder);
    let mut terminal = Terminal::of(command, None, rows, cols);
    terminal.wait("the first screen", |screen| {
        screen.alternate_screen() && screen.contents().contains("production")
    });
    terminal
}

/// The dialog of a drain of the first two hosts that run a task.
fn drain_two(seat: &mut Terminal) {
    seat.press("8");
    seat.wait_for("STATUS");
    seat.press("/cluster:workers-prod status:ACTIVE running_tasks:1\r");
    // Rows can only be marked once they are there.
    seat.wait("hosts that run a task", |screen| {
        let rows = screen.contents();
        rows.contains(" of 18  /") && rows.lines().any(|row| row.starts_with("▌ ") && row.contains("ACTIVE"))
    });
    seat.press("  ");
    seat.wait_for("2 marked");
    seat.press("xd");
    seat.wait_for("drain 2 hosts");
    seat.wait_for("Type drain 2 and enter");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_are_marked_drained_watched_and_taken_back() {
    let running = serve(Options { clock: Clock::Real, speed: 20.0, ..Options::default() }).await.unwrap();
    let folder = crate::residue::Folder::new();
    tokio::task::spawn_blocking(move || {
        let mut seat = screen(&running, folder.path(), "anna", (50, 180));
        drain_two(&mut seat);
        let plan = seat.text();
        for told in ["undone exactly", "aws ecs update-container-instances-state", "now: status of host"] {
            assert!(plan.contains(told), "no {told}:\n{plan}");
        }
        // Almost is not enough.
        seat.press("drain 3\r");
        seat.wait_for("that is not `drain 2`; nothing was changed");
        seat.press("drain 2\r");
        seat.wait_for("a process of its own");
        seat.wait_for("4 of 4 steps");
        seat.wait("its end", |screen| screen.contents().contains("ended"));
        assert!(seat.text().contains("AWS took it (request "), "{}", seat.text());
        // The timeline tells of it, and the hosts are what it made of them.
        seat.press("0");
        seat.wait_for("drain 2 instances: done, by anna@");
        seat.press(":hosts cluster:workers-prod status:DRAINING\r");
        seat.wait_for("hosts  3 of");
        // Back.
        seat.press("gx");
        seat.wait_for("done");
        seat.press("Xb");
        seat.wait_for("Press y to do it");
        seat.press("y");
        seat.wait_for("operations › op-");
        seat.wait("its end", |screen| screen.contents().contains("ended"));
        seat.press(":hosts cluster:workers-prod status:DRAINING\r");
        seat.wait_for("hosts  1 of");
        seat.press("q");
        assert!(seat.ended().0.success());
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_terminal_ends_nothing_and_a_new_screen_shows_it_live() {
    let running = serve(Options { clock: Clock::Real, speed: 6.0, ..Options::default() }).await.unwrap();
    let folder = crate::residue::Folder::new();
    tokio::task::spawn_blocking(move || {
        let mut seat = screen(&running, folder.path(), "anna", (24, 80));
        drain_two(&mut seat);
        seat.press("drain 2\r");
        seat.wait_for("2 of 4 steps");
        // What a terminal does when it is closed.
        seat.signal("HUP");
        assert!(!seat.ended().0.success());

        let mut seat = screen(&running, folder.path(), "ben", (24, 80));
        // The header says so wherever one is, and the rows that it holds have a sign.
        seat.wait_for("drain 2/4");
        seat.press(":hosts cluster:workers-prod\r");
        seat.wait("the sign of what is held", |screen| {
            screen.contents().lines().filter(|line| line.chars().nth(1) == Some('»')).count() == 2
        });
        seat.press("gx");
        seat.wait_for("anna@");
        seat.press("\r");
        seat.wait_for("a process of its own");
        seat.wait("its end", |screen| screen.contents().contains("ended"));
        assert!(seat.text().contains("4 of 4 steps"), "{}", seat.text());
        seat.press("q");
        assert!(seat.ended().0.success());
    })
    .await
    .unwrap();
}

/// A drain of two hosts that has begun, shown on its own page, and its id.
fn begun(seat: &mut Terminal, folder: &Path) -> String {
    drain_two(seat);
    seat.press("drain 2\r");
    seat.wait_for("2 of 4 steps");
    let found = std::fs::read_dir(folder.join("logs")).unwrap().next().expect("its log").unwrap();
    found.file_name().to_string_lossy().trim_end_matches(".log").to_owned()
}

/// How nice a process is.
#[cfg(target_os = "linux")]
fn niceness(process: &str) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    after_name.split_whitespace().nth(16).unwrap().to_owned()
}

/// Records of an operation of one sort.
fn records(folder: &Path, id: &str, kind: &str) -> Vec<serde_json::Value> {
    let journal = Journal::open(&folder.join("journal.db")).unwrap();
    let all = journal.entries(id, 0).unwrap().into_iter().filter(|entry| entry.kind == kind);
    all.map(|entry| serde_json::from_str(&entry.body).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_a_resume_and_a_takeover_from_the_screen_take_effect() {
    let running = serve(Options { clock: Clock::Real, speed: 3.0, ..Options::default() }).await.unwrap();
    let folder = crate::residue::Folder::new();
    tokio::task::spawn_blocking(move || {
        let mut seat = screen(&running, folder.path(), "anna", (50, 180));
        let id = begun(&mut seat, folder.path());
        seat.press("Xp");
        seat.wait_for(" paused  ");
        assert_eq!(records(folder.path(), &id, "asked")[0]["verb"], "pause");
        // It stands still: nothing is settled while it is paused, whatever becomes of the tasks.
        let settled = records(folder.path(), &id, "settled").len();
        let first = records(folder.path(), &id, "claimed");
        // The screen's threads that read give way; what they start does not.
        #[cfg(target_os = "linux")]
        assert_eq!(niceness(&first[0]["pid"].to_string()), niceness("self"));
        seat.press("Xt");
        seat.wait_for("Another runner becomes its runner");
        seat.press("y");
        // The runner that had it lets go, and another process has it, paused as it was.
        seat.wait_for("took it over");
        seat.wait("a second runner", |_| records(folder.path(), &id, "claimed").len() == 2);
        let claimed = records(folder.path(), &id, "claimed");
        assert_ne!(claimed[0]["pid"], claimed[1]["pid"]);
        assert_eq!((first.len(), records(folder.path(), &id, "settled").len()), (1, settled));
        seat.wait_for(" paused  ");
        seat.press("Xr");
        seat.wait_for("4 of 4 steps");
        seat.wait("its end", |screen| screen.contents().contains("ended"));
        assert!(records(folder.path(), &id, "settled").len() > settled);
        let drained = running
            .calls()
            .into_iter()
            .filter(|call| call["operation"] == "UpdateContainerInstancesState" && call["error"].is_null());
        assert_eq!(drained.count(), 1, "nothing was done twice");
        seat.press("q");
        assert!(seat.ended().0.success());
    })
    .await
    .unwrap();
}
