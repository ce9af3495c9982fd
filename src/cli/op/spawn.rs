//! A runner as a process of its own, which does not end with the terminal that started it.
//!
//! Where the user's systemd goes on after a logout, it is asked to keep the runner; elsewhere the runner gets
//! a session of its own. Either way it says which.

use super::Place;
use crate::cli::Outside;
use crate::cli::output::Output;
use crate::config::Surroundings;
use crate::error::{Error, Result};
use crate::store::journal::{Journal, Ledger, OpRecord};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a runner may take to take an operation on.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How often is looked whether it has ended instead.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What the runner needs of this process's environment, by the beginning of the names.
const ENVIRONMENT: [&str; 11] = [
    "AWS_",
    "COREDECK_",
    "HOME",
    "PATH",
    "XDG_",
    "LANG",
    "SSL_CERT_",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "USER",
];

/// A runner that has its operation.
pub(in crate::cli) struct Started {
    /// What it lives in, in a sentence.
    pub(in crate::cli) says: String,
    /// What did not go as it should.
    pub(in crate::cli) warning: Option<String>,
}

impl Started {
    /// Tells a person at a command line.
    pub(in crate::cli) fn said(&self, out: &mut Output) {
        self.warning.iter().for_each(|warning| out.warn(warning));
        out.say(&self.says);
    }
}

/// Starts a runner for an operation, and waits until it has it.
pub(crate) async fn start(
    record: &OpRecord,
    place: &Place,
    journal: &Journal,
    outside: &Outside,
) -> Result<Started> {
    launch(record, place, journal, outside, false).await
}

/// Starts a runner that takes an operation from another one, which may still live.
pub(super) async fn take_over(
    record: &OpRecord,
    place: &Place,
    journal: &Journal,
    outside: &Outside,
) -> Result<Started> {
    launch(record, place, journal, outside, true).await
}

async fn launch(
    record: &OpRecord,
    place: &Place,
    journal: &Journal,
    outside: &Outside,
    is_forced: bool,
) -> Result<Started> {
    let id = &record.id;
    let bell = journal.watch();
    let before = journal.runner(id)?.map_or(0, |(runner, _)| runner.epoch);
    let log = place.log(id);
    let failed = |why: std::io::Error| {
        Error::failed(format!("operation {id} is entered, and its runner could not be started"))
            .because(why)
            .hint(format!("coredeck op resume {id} tries again"))
    };
    let file = open(&log).map_err(failed)?;
    let exe = std::env::current_exe().map_err(failed)?;
    let mut warning = None;
    let (mut child, home) = match systemd(&outside.around) {
        Ok(()) => {
            let arguments = arguments(record, "systemd", is_forced);
            match by_systemd(id, &exe, &arguments, place, &outside.around, &log) {
                Ok(child) => (child, "in a unit of your systemd, which outlives your logins".to_owned()),
                Err(why) => {
                    warning = Some(format!("systemd-run could not be started: {why}"));
                    (by_session(&exe, record, is_forced, place, file).map_err(failed)?, session())
                }
            }
        }
        Err(why) => {
            let child = by_session(&exe, record, is_forced, place, file).map_err(failed)?;
            (child, format!("{}; not by systemd: {why}", session()))
        }
    };
    let deadline = tokio::time::sleep(READY_WITHIN);
    tokio::pin!(deadline);
    loop {
        if journal.runner(id)?.is_some_and(|(runner, _)| runner.epoch > before) {
            // A screen may live longer than the runner, whose end somebody must take in.
            drop(tokio::task::spawn_blocking(move || child.wait()));
            return Ok(Started { says: format!("it runs {home}"), warning });
        }
        let is_over = child.try_wait().map_err(failed)?.is_some_and(|status| !status.success());
        if is_over {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(5).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            return Err(Error::failed(format!("operation {id} is entered, and its runner ended at once"))
                .because(last.join("\n"))
                .hint(format!("{} has all that it said", log.display()))
                .hint(format!("coredeck op resume {id} tries again")));
        }
        tokio::select! {
            () = bell.rings() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = &mut deadline => {
                return Err(Error::failed(format!("the runner of operation {id} has not begun within 30 s"))
                    .hint(format!("{} has what it said", log.display()))
                    .hint(format!("coredeck op show {id} says whether it began later")));
            }
        }
    }
}

fn session() -> String {
    "in a session of its own, which a closed terminal does not end".to_owned()
}

/// Why systemd cannot keep a runner; nothing when it can.
fn systemd(around: &Surroundings) -> std::result::Result<(), String> {
    let folder = around.var("XDG_RUNTIME_DIR").ok_or("there is no XDG_RUNTIME_DIR")?;
    if !Path::new(folder).join("systemd").join("private").exists() {
        return Err("no systemd of yours runs".to_owned());
    }
    let is_there = around
        .var("PATH")
        .unwrap_or_default()
        .split(':')
        .any(|folder| Path::new(folder).join("systemd-run").exists());
    if !is_there {
        return Err("there is no systemd-run".to_owned());
    }
    // Without lingering the user's systemd ends with the last login, and would take the runner along.
    let user = around.var("USER").unwrap_or_default();
    if !Path::new("/var/lib/systemd/linger").join(user).exists() {
        return Err("it would end with your last login (`loginctl enable-linger` changes that)".to_owned());
    }
    Ok(())
}

fn arguments(record: &OpRecord, home: &str, is_forced: bool) -> Vec<String> {
    let mut arguments: Vec<String> = ["op", "run", &record.id, "--home", home].map(str::to_owned).to_vec();
    if is_forced {
        arguments.push("--force".to_owned());
    }
    arguments.extend(record.reach.iter().cloned());
    arguments
}

fn by_systemd(
    id: &str,
    exe: &Path,
    arguments: &[String],
    place: &Place,
    around: &Surroundings,
    log: &Path,
) -> std::io::Result<Child> {
    let mut command = Command::new("systemd-run");
    command.args([
        "--user",
        "--quiet",
        "--collect",
        "--no-block",
        &format!("--unit=coredeck-{id}-{}", std::process::id()),
    ]);
    for stream in ["StandardOutput", "StandardError"] {
        command.arg(format!("--property={stream}=append:{}", log.display()));
    }
    for name in around.vars.keys().filter(|name| ENVIRONMENT.iter().any(|known| name.starts_with(known))) {
        // The name alone: its value is taken from this process, and never stands in a list of arguments.
        command.arg(format!("--setenv={name}"));
    }
    command.env("COREDECK_JOURNAL", &place.file).arg("--setenv=COREDECK_JOURNAL");
    command.arg("--").arg(exe).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

/// The runner makes a session of its own as the first thing that it does.
fn by_session(
    exe: &Path,
    record: &OpRecord,
    is_forced: bool,
    place: &Place,
    log: std::fs::File,
) -> std::io::Result<Child> {
    Command::new(exe)
        .args(arguments(record, "session", is_forced))
        .env("COREDECK_JOURNAL", &place.file)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

/// Opens a log that only its owner may read.
fn open(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}
