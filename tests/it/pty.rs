//! A real terminal with a program in it, and the least that the real binary must do there: start, redraw after
//! a resize, and give the terminal back as it was. Every wait is for something on the screen, with one deadline
//! for the whole test.

use crate::binary::Home;
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// No test may wait longer in all, however slow the machine.
const WITHIN: Duration = Duration::from_secs(90);

/// A terminal with a program in it.
pub(crate) struct Terminal {
    home: Option<Home>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn std::io::Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    /// All that the program wrote and that was read.
    bytes: Vec<u8>,
    /// How the line discipline stood before the program began.
    before: String,
    until: Instant,
}

fn some(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    /// Starts `coredeck` with these arguments in a terminal of this size.
    pub(crate) fn start(args: &[&str], rows: u16, cols: u16) -> Self {
        Self::called("xterm-256color", args, rows, cols)
    }

    /// Starts `coredeck` in a terminal that is called so in `TERM`.
    pub(crate) fn called(term: &str, args: &[&str], rows: u16, cols: u16) -> Self {
        let home = Home::new();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_coredeck"));
        command.args(args);
        command.env_clear();
        for (name, value) in home.environment() {
            command.env(name, value);
        }
        command.cwd(home.path());
        Self::of_type(term, command, Some(home), rows, cols)
    }

    /// Starts a shell with job control, which knows `coredeck` by its name.
    pub(crate) fn shell(rows: u16, cols: u16) -> Self {
        let home = Home::new();
        let mut command = CommandBuilder::new("sh");
        command.arg("-i");
        command.env_clear();
        for (name, value) in home.environment() {
            command.env(name, value);
        }
        let folder = Path::new(env!("CARGO_BIN_EXE_coredeck")).parent().unwrap();
        command.env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
        command.env("PS1", "shell> ");
        command.cwd(home.path());
        Self::of(command, Some(home), rows, cols)
    }

    /// Starts any program in a terminal of this size, which speaks UTF-8 and has colours.
    pub(crate) fn of(command: CommandBuilder, home: Option<Home>, rows: u16, cols: u16) -> Self {
        Self::of_type("xterm-256color", command, home, rows, cols)
    }

    fn of_type(term: &str, mut command: CommandBuilder, home: Option<Home>, rows: u16, cols: u16) -> Self {
        for (name, value) in [("TERM", term), ("LC_ALL", "C.UTF-8")] {
            command.env(name, value);
        }
        let pair = native_pty_system().openpty(size(rows, cols)).unwrap();
        let before = format!("{:?}", pair.master.get_termios().unwrap());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = sync_channel(64);
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            // Reading fails, rather than ends, once the other side has closed.
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self {
            home,
            bytes: Vec::new(),
            master: pair.master,
            keys,
            child,
            output,
            parser: vt100::Parser::new(some(rows), some(cols), 0),
            before,
            until: Instant::now() + WITHIN,
        }
    }

    /// What the screen shows.
    pub(crate) fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// Something of what the screen shows.
    pub(crate) fn screen<T>(&self, of: impl Fn(&vt100::Screen) -> T) -> T {
        of(self.parser.screen())
    }

    /// Reads until the screen is as wanted.
    pub(crate) fn wait(&mut self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) {
        while !wanted(self.parser.screen()) {
            match self.output.recv_timeout(self.left()) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("{what}: never came\n{}", self.text()),
                Err(RecvTimeoutError::Disconnected) => panic!("{what}: it ended first\n{}", self.text()),
            }
        }
    }

    /// Waits until the screen holds some text.
    pub(crate) fn wait_for(&mut self, wanted: &str) {
        self.wait(wanted, |screen| screen.contents().contains(wanted));
    }

    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.bytes.extend_from_slice(bytes);
    }

    /// Makes the terminal another size.
    pub(crate) fn resize(&mut self, rows: u16, cols: u16) {
        self.parser.screen_mut().set_size(some(rows), some(cols));
        self.master.resize(size(rows, cols)).unwrap();
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Sends keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// All that the program wrote so far, as far as it was read.
    pub(crate) fn written(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Reads until the program has written this.
    pub(crate) fn wait_written(&mut self, wanted: &str) {
        while !self.written().contains(wanted) {
            match self.output.recv_timeout(self.left()) {
                Ok(bytes) => self.take(&bytes),
                Err(_) => panic!("{wanted:?} was never written\n{}", self.text()),
            }
        }
    }

    /// Sends a signal by its name, without SIG.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Reads until the program has ended; returns how, and what it wrote after it had left its own screen, or all
    /// where it had none. The terminal must be as it was.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        // The reader keeps its own end of the terminal open: the end of the child is what counts.
        let mut killer = self.child.clone_killer();
        let mut child = std::mem::replace(&mut self.child, Box::new(Gone));
        let (sender, status) = sync_channel(1);
        std::thread::spawn(move || sender.send(child.wait()));
        let status = match status.recv_timeout(self.left()) {
            Ok(status) => status.unwrap(),
            Err(_) => {
                killer.kill().ok();
                panic!("it never ended\n{}", self.text());
            }
        };
        let after = format!("{:?}", self.master.get_termios().unwrap());
        // With the child gone nothing holds the other side: what is left to read comes, and then the end.
        while let Ok(bytes) = self.output.recv_timeout(self.left()) {
            self.take(&bytes);
        }
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen was not left");
        assert!(!screen.hide_cursor(), "the cursor stays hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste stays on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse stays on");
        assert_eq!(after, self.before, "the line discipline was not restored");
        let left = b"\x1b[?1049l";
        let after = self.bytes.windows(left.len()).rposition(|bytes| bytes == left);
        let after = after.map_or(0, |at| at + left.len());
        (status, String::from_utf8_lossy(&self.bytes[after..]).into_owned())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails only when it has already ended.
        self.child.kill().ok();
        let shown = self.text();
        let other;
        let keep = match &self.home {
            Some(home) => home,
            None => {
                other = Home::new();
                &other
            }
        };
        keep.keep(&self.bytes);
        keep.keep(shown.as_bytes());
    }
}

/// Stands where a child was that somebody else waits for.
#[derive(Debug)]
struct Gone;

impl portable_pty::ChildKiller for Gone {
    fn kill(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn clone_killer(&self) -> Box<dyn portable_pty::ChildKiller + Send + Sync> {
        Box::new(Self)
    }
}

impl Child for Gone {
    fn try_wait(&mut self) -> std::io::Result<Option<ExitStatus>> {
        Ok(None)
    }

    fn wait(&mut self) -> std::io::Result<ExitStatus> {
        Err(std::io::ErrorKind::NotFound.into())
    }

    fn process_id(&self) -> Option<u32> {
        None
    }
}

/// The demo with instances on the screen.
pub(crate) fn demo(rows: u16, cols: u16) -> Terminal {
    let mut terminal = Terminal::start(&["--demo"], rows, cols);
    terminal.wait("the first screen", |screen| {
        screen.alternate_screen() && screen.contents().contains("production")
    });
    terminal.press("2");
    terminal.wait("the instances", |screen| screen.contents().contains("STATE"));
    terminal
}

#[test]
fn starts_and_quits_leaving_the_terminal_as_it_was() {
    let mut terminal = demo(24, 80);
    terminal.press("q");
    assert!(terminal.ended().0.success());
}

#[test]
fn ctrl_c_quits() {
    let mut terminal = demo(24, 80);
    terminal.press("\x03");
    assert!(terminal.ended().0.success());
}

#[test]
fn a_resize_is_drawn_at_the_new_size() {
    let mut terminal = demo(24, 80);
    let is_filled = |screen: &vt100::Screen| {
        let (rows, cols) = screen.size();
        let is_wide = screen.rows(0, cols.get()).any(|row| row.trim_end().chars().count() > 100);
        let is_tall = screen.rows(0, cols.get()).skip(30).any(|row| !row.trim().is_empty());
        (rows.get(), cols.get()) == (50, 180) && is_wide && is_tall
    };
    terminal.resize(50, 180);
    terminal.wait("a screen of 180×50", is_filled);

    terminal.resize(24, 80);
    terminal.press("1");
    terminal.wait("a screen of 80×24 again", |screen| {
        screen.contents().contains("production") && screen.contents().contains("GROUPS")
    });
    terminal.press("q");
    assert!(terminal.ended().0.success());
}

#[test]
fn a_tiny_terminal_is_survived() {
    let mut terminal = demo(24, 80);
    for (rows, cols) in [(1, 1), (2, 5), (3, 20), (24, 80)] {
        terminal.resize(rows, cols);
    }
    // In the same instant.
    terminal.press("1");
    terminal.wait("the overview after all that", |screen| screen.contents().contains("production"));
    terminal.press("q");
    assert!(terminal.ended().0.success());
}
