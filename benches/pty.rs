//! The program in a pseudo terminal, over a fleet that a simulator in another process serves.

#![allow(dead_code, reason = "each bench uses a part of it")]

use super::binary;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// When nothing has come for so long, a key has had its effect.
const QUIET: Duration = Duration::from_millis(30);
/// Bytes with longer pauses between them are of two frames: there is one in 16 ms at most.
const ONE_FRAME: Duration = Duration::from_millis(8);
/// A key that has had no effect for so long has none.
const LOST: Duration = Duration::from_secs(5);
/// Nothing may take longer.
const WITHIN: Duration = Duration::from_secs(300);

/// `coredeck sim` in a process of its own, in which time stands still.
pub(crate) struct Simulator {
    child: std::process::Child,
    exports: Vec<(String, String)>,
}

impl Simulator {
    pub(crate) fn start(home: &binary::Home, instances: usize) -> Self {
        // AWS does not run on the machine of the person at the keys: what stands for it gives way. Where the kernel shares
        // the processors among sessions first, priorities count within each only: it gets one of its own.
        let in_a_session: &[&str] = if cfg!(target_os = "linux") { &["setsid"] } else { &[] };
        let mut words = in_a_session.iter().chain(&["nice", "-n", "10", env!("CARGO_BIN_EXE_coredeck")]);
        let mut child = Command::new(words.next().unwrap())
            .args(words)
            .args(["sim", "--speed", "0", "--instances", &instances.to_string()])
            .env_clear()
            .envs(home.environment())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut exports = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let Some((name, value)) = line.strip_prefix("export ").and_then(|it| it.split_once('=')) else {
                continue;
            };
            exports.push((name.to_owned(), value.to_owned()));
            if exports.iter().any(|(name, _)| name == "AWS_ENDPOINT_URL")
                && exports.iter().any(|(name, _)| name == "AWS_REGION")
                && exports.iter().any(|(name, _)| name == "AWS_SECRET_ACCESS_KEY")
            {
                break;
            }
        }
        let group = format!("/proc/{}/autogroup", child.id());
        if std::fs::read_to_string(&group).is_ok_and(|told| told.starts_with("/autogroup")) {
            std::fs::write(group, "19").unwrap();
        }
        Self { child, exports }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The screen in a pseudo terminal.
pub(crate) struct Screen {
    _master: Box<dyn MasterPty + Send>,
    keys: Box<dyn std::io::Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    bytes: usize,
}

impl Screen {
    pub(crate) fn start(home: &binary::Home, simulator: &Simulator, size: (u16, u16)) -> Self {
        Self::under(&[], home, simulator, size)
    }

    /// Starts it as the last argument of another program.
    pub(crate) fn under(
        watcher: &[&str],
        home: &binary::Home,
        simulator: &Simulator,
        (cols, rows): (u16, u16),
    ) -> Self {
        let mut words = watcher.iter().chain(&[env!("CARGO_BIN_EXE_coredeck")]);
        let mut command = CommandBuilder::new(words.next().unwrap());
        command.args(words);
        command.env_clear();
        let given = home.environment();
        for (name, value) in given.iter().chain(&simulator.exports) {
            command.env(name, value);
        }
        command.env("LC_ALL", "C.UTF-8");
        command.cwd(home.path());
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = sync_channel(1024);
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        let some = |n| std::num::NonZeroU16::new(n).unwrap();
        let parser = vt100::Parser::new(some(rows), some(cols), 0);
        Self { _master: pair.master, keys, child, output, parser, bytes: 0 }
    }

    pub(crate) fn text(&self) -> String {
        self.parser.screen().contents()
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.parser.process(bytes);
    }

    /// Takes what comes until the screen is as wanted; returns how long that took.
    pub(crate) fn wait(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> Duration {
        let began = Instant::now();
        while !wanted(&self.text()) {
            match self.output.recv_timeout(WITHIN.saturating_sub(began.elapsed())) {
                Ok(bytes) => self.take(&bytes),
                Err(_) => panic!("{what}: never came\n{}", self.text()),
            }
        }
        began.elapsed()
    }

    /// Takes what comes for so long; returns the bytes.
    pub(crate) fn rest(&mut self, span: Duration) -> usize {
        let (began, before) = (Instant::now(), self.bytes);
        loop {
            match self.output.recv_timeout(span.saturating_sub(began.elapsed())) {
                Ok(bytes) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => return self.bytes - before,
                Err(RecvTimeoutError::Disconnected) => panic!("it ended\n{}", self.text()),
            }
        }
    }

    /// Presses nothing for so long; returns the bytes that changed something that a person sees, an age or a count of
    /// calls, and those that changed nothing.
    pub(crate) fn idle(&mut self, span: Duration) -> (usize, usize) {
        let began = Instant::now();
        let (mut seen, mut vain) = (0, 0);
        loop {
            match self.output.recv_timeout(span.saturating_sub(began.elapsed())) {
                Ok(bytes) => {
                    let before = self.text();
                    self.take(&bytes);
                    *if self.text() == before { &mut vain } else { &mut seen } += bytes.len();
                }
                Err(RecvTimeoutError::Timeout) => return (seen, vain),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended\n{}", self.text()),
            }
        }
    }

    /// Waits until nothing comes any more.
    pub(crate) fn settle(&mut self) {
        while self.rest(Duration::from_millis(400)) > 0 {}
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Presses a key; returns the bytes that it cost and the time until the last of them, with those that come meanwhile
    /// though nobody asked for them.
    pub(crate) fn key(&mut self, key: &str) -> (usize, Duration) {
        let before = self.bytes;
        let began = Instant::now();
        self.press(key);
        let (mut last, mut wait) = (Duration::ZERO, LOST);
        while let Ok(bytes) = self.output.recv_timeout(wait) {
            (last, wait) = (began.elapsed(), QUIET);
            self.take(&bytes);
        }
        assert!(!last.is_zero(), "{key}: no effect\n{}", self.text());
        (self.bytes - before, last)
    }

    /// Presses a key that moves the cursor; returns the bytes that came and the time until the last byte of the frame in
    /// which the cursor is elsewhere. A frame of news before it or after it is none that the key waits for.
    pub(crate) fn moved(&mut self, key: &str) -> (usize, Duration) {
        let (before, from) = (self.bytes, self.cursor());
        let began = Instant::now();
        self.press(key);
        let (mut came, mut wait) = (Duration::ZERO, LOST);
        let mut moved = None;
        while let Ok(bytes) = self.output.recv_timeout(wait) {
            let pause = began.elapsed() - came;
            came += pause;
            self.take(&bytes);
            if moved.is_none() && self.cursor() != from {
                (moved, wait) = (Some(came), QUIET);
            } else if moved.is_some_and(|at| at + pause == came) && pause < ONE_FRAME {
                moved = Some(came);
            }
        }
        (self.bytes - before, moved.unwrap_or_else(|| panic!("{key}: no effect\n{}", self.text())))
    }

    /// The line that the cursor is on, and what it says.
    fn cursor(&self) -> Option<(usize, String)> {
        let text = self.text();
        text.lines().enumerate().find(|(_, line)| line.contains('▌')).map(|(at, line)| (at, line.to_owned()))
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// The processor time that the program has used so far.
    pub(crate) fn processor(&self) -> f64 {
        let pid = self.child.process_id().unwrap();
        let told = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<&str> = told.rsplit_once(") ").unwrap().1.split(' ').collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        let told = Command::new("getconf").arg("CLK_TCK").output().unwrap().stdout;
        ticks / String::from_utf8(told).unwrap().trim().parse::<f64>().unwrap()
    }

    /// The memory that the program holds and the most that it ever held, in MiB.
    pub(crate) fn memory(&self) -> (f64, f64) {
        let pid = self.child.process_id().unwrap();
        let told = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let of = |name: &str| {
            let line = told.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
        };
        (of("VmRSS:"), of("VmHWM:"))
    }

    pub(crate) fn quit(mut self) {
        self.press("q");
        self.child.wait().unwrap();
    }
}
