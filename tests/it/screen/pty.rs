//! The real program in a real terminal: keys, resizing, leaving, signals and panics, and the terminal given back.

use super::fleet;
use coredeck::clock::Clock;
use coredeck::tui::keymap::Keymap;
use coredeck::tui::signs::Signs;
use coredeck::tui::theme::Theme;
use coredeck::tui::{About, Options};
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// When a program says nothing for so long, it hangs; nothing is measured by it.
const HANGS: Duration = Duration::from_secs(60);
/// Set for the program under test where it must panic.
const PANIC: &str = "COREDECK_TEST_SCREEN_PANIC";

/// A program in a terminal.
struct Seat {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    coming: Receiver<Vec<u8>>,
    terminal: vt100::Parser,
    bytes: Vec<u8>,
}

impl Seat {
    fn new(mut command: CommandBuilder) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, ..PtySize::default() }).unwrap();
        for (name, value) in [("TERM", "xterm-256color"), ("LC_ALL", "C.UTF-8")] {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, coming) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let terminal = vt100::Parser::new(NonZero::new(24).unwrap(), NonZero::new(80).unwrap(), 0);
        let writer = pair.master.take_writer().unwrap();
        Self { master: pair.master, writer, child, coming, terminal, bytes: Vec::new() }
    }

    /// The program with its embedded demo fleet, in an empty home.
    fn demo(home: &tempfile::TempDir) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_coredeck"));
        command.arg("--demo");
        command.env("HOME", home.path());
        Self::new(command)
    }

    fn text(&self) -> String {
        self.terminal.screen().contents()
    }

    /// Waits until the screen holds some text.
    fn wait_for(&mut self, wanted: &str) {
        while !self.text().contains(wanted) {
            match self.coming.recv_timeout(HANGS) {
                Ok(bytes) => {
                    self.terminal.process(&bytes);
                    self.bytes.extend(bytes);
                }
                Err(_) => panic!("`{wanted}` never showed:\n{}", self.text()),
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    fn resize(&mut self, cols: u16, rows: u16) {
        self.terminal.screen_mut().set_size(NonZero::new(rows).unwrap(), NonZero::new(cols).unwrap());
        self.master.resize(PtySize { rows, cols, ..PtySize::default() }).unwrap();
    }

    fn signal(&self, name: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// The process's state as `ps` tells it; `T` is stopped.
    fn state(&self) -> String {
        let pid = self.child.process_id().unwrap().to_string();
        let told = std::process::Command::new("ps").args(["-o", "state=", "-p", &pid]).output().unwrap();
        String::from_utf8_lossy(&told.stdout).trim().to_string()
    }

    /// Waits for the end; the terminal must be as it was found.
    fn end(mut self) -> (ExitStatus, String) {
        while let Ok(bytes) = self.coming.recv_timeout(HANGS) {
            self.terminal.process(&bytes);
            self.bytes.extend(bytes);
        }
        let status = self.child.wait().unwrap();
        let screen = self.terminal.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
        let after = self.bytes.windows(8).rposition(|bytes| bytes == b"\x1b[?1049l").unwrap() + 8;
        (status, String::from_utf8_lossy(&self.bytes[after..]).into_owned())
    }
}

#[test]
fn one_can_walk_filter_resize_and_leave() {
    let home = tempfile::tempdir().unwrap();
    let mut seat = Seat::demo(&home);
    seat.wait_for("production");
    for (keys, wanted) in [
        ("2", "instances  74"),
        ("/tier:prod", "/tier:prod"),
        ("\r", "of 74  /tier:prod"),
        ("d", "private_ip"),
        ("\u{1b}", "of 74  /tier:prod"),
        ("3", "groups  6"),
        ("\r", "› group"),
        (":services\r", "services  5"),
        ("?", "Leave coredeck"),
    ] {
        seat.press(keys);
        seat.wait_for(wanted);
    }
    seat.resize(180, 50);
    // Drawn at the new size before the next key: the terminal library may hold back a key that comes in
    // the same instant as a resize until the one after it.
    seat.wait_for("1-47 of");
    seat.press("2");
    seat.wait_for("PRIVATE IP");
    seat.press("q");
    let (status, after) = seat.end();
    assert!(status.success() && after.is_empty(), "{status:?} {after:?}");
}

#[test]
fn signals_end_it_and_give_the_terminal_back() {
    for name in ["TERM", "HUP", "INT"] {
        let home = tempfile::tempdir().unwrap();
        let mut seat = Seat::demo(&home);
        seat.wait_for("production");
        seat.signal(name);
        let (status, after) = seat.end();
        assert!(!status.success() && after.contains(&format!("ended by SIG{name}")), "{status:?} {after:?}");
    }
}

#[test]
fn stopped_and_continued_it_draws_again() {
    let home = tempfile::tempdir().unwrap();
    let mut seat = Seat::demo(&home);
    seat.wait_for("production");
    seat.press("\u{1a}");
    // The terminal is given back before the program stops.
    while seat.terminal.screen().alternate_screen() {
        let bytes = seat.coming.recv_timeout(HANGS).unwrap();
        seat.terminal.process(&bytes);
    }
    while !seat.state().starts_with('T') {
        std::thread::yield_now();
    }
    seat.signal("CONT");
    seat.wait_for("production");
    assert!(seat.terminal.screen().alternate_screen());
    seat.press("q");
    assert!(seat.end().0.success());
}

#[test]
fn a_panic_anywhere_gives_the_terminal_back_and_is_read() {
    if std::env::var_os(PANIC).is_some() {
        panic_with_a_screen();
        return;
    }
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "screen::pty::a_panic_anywhere_gives_the_terminal_back_and_is_read",
        "--nocapture",
    ]);
    command.env(PANIC, "1");
    let (status, after) = Seat::new(command).end();
    assert!(!status.success(), "{after}");
    assert!(
        after.contains("the collector fell over") && after.contains("a part of coredeck failed"),
        "{after}"
    );
}

/// What the program under test does: a screen, and a task beside it that panics once the screen looks.
fn panic_with_a_screen() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let shown = runtime.block_on(async {
        let (world, seen) = watch::channel(fleet::full());
        let (wishes, mut wished) = mpsc::channel(8);
        let collector = tokio::spawn(async move {
            wished.recv().await;
            let _world = world;
            panic!("the collector fell over");
        });
        let options = Options {
            theme: Theme::plain(),
            keymap: Keymap::shipped("default").unwrap(),
            signs: Signs::Unicode,
            clock: Clock::Fixed(fleet::now()),
        };
        let shown = coredeck::tui::run(seen, wishes, About::default(), options).await;
        assert!(collector.await.is_err());
        shown
    });
    panic!("{}", shown.unwrap_err());
}
