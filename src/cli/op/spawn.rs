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
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long a runner may take to take an operation on.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How often is looked whether it has ended instead.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Where a runner lives that systemd does not keep.
const SESSION: &str = "in a session of its own, which a closed terminal does not end";

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
    let exe = std::env::current_exe().map_err(failed)?;
    let starter = &outside.starter;
    let session = async || starter.start(by_session(&exe, record, is_forced, place, open(&log)?)?).await;
    let mut warning = None;
    let mut is_unit = false;
    let (mut child, mut home) = match objection(look_around(&outside.around)) {
        Some(why) => (session().await.map_err(failed)?, format!("{SESSION}; not by systemd: {why}")),
        None => {
            let arguments = arguments(record, "systemd", is_forced);
            let systemd = by_systemd(id, &exe, &arguments, place, &outside.around, &log);
            match starter.start(systemd).await {
                Ok(child) => {
                    is_unit = true;
                    (child, "in a unit of your systemd, which outlives your logins".to_owned())
                }
                Err(why) => {
                    warning = Some(format!("systemd-run could not be started: {why}"));
                    (session().await.map_err(failed)?, SESSION.to_owned())
                }
            }
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
        if is_over && is_unit {
            is_unit = false;
            warning = Some("systemd-run did not take it".to_owned());
            (child, home) = (session().await.map_err(failed)?, SESSION.to_owned());
            continue;
        }
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

/// What there is on this machine that decides where a runner lives.
#[derive(Clone, Copy, Debug)]
struct Found {
    /// The user has a runtime folder.
    has_folder: bool,
    /// A systemd of the user's listens there.
    runs: bool,
    /// `systemd-run` is on the path.
    has_tool: bool,
    /// That systemd outlives the user's logins.
    lingers: bool,
}

/// Why systemd cannot keep a runner; nothing when it can.
fn objection(found: Found) -> Option<&'static str> {
    match found {
        Found { has_folder: false, .. } => Some("there is no XDG_RUNTIME_DIR"),
        Found { runs: false, .. } => Some("no systemd of yours runs"),
        Found { has_tool: false, .. } => Some("there is no systemd-run"),
        // It would take the runner along with the last login.
        Found { lingers: false, .. } => {
            Some("it would end with your last login (`loginctl enable-linger` changes that)")
        }
        Found { has_folder: true, runs: true, has_tool: true, lingers: true } => None,
    }
}

fn look_around(around: &Surroundings) -> Found {
    let folder = around.var("XDG_RUNTIME_DIR");
    let mut path = around.var("PATH").unwrap_or_default().split(':');
    let user = around.var("USER").unwrap_or_default();
    let mut found = Found {
        has_folder: folder.is_some(),
        runs: folder.is_some_and(|folder| Path::new(folder).join("systemd/private").exists()),
        has_tool: path.any(|folder| Path::new(folder).join("systemd-run").exists()),
        // Without a name the folder of all of them would be taken for one.
        lingers: !user.is_empty() && Path::new("/var/lib/systemd/linger").join(user).exists(),
    };
    // Where nothing else stands against it, logind has the last word: it may keep its marks elsewhere.
    if found.has_folder && found.runs && found.has_tool && !found.lingers && !user.is_empty() {
        found.lingers = lingers(user);
    }
    found
}

/// Whether logind says that a user's systemd outlives the logins. No logind and no answer mean no.
fn lingers(user: &str) -> bool {
    let mut ask = Command::new("loginctl");
    ask.args(["show-user", user, "--property=Linger", "--value"]).stdin(Stdio::null()).stderr(Stdio::null());
    ask.output().is_ok_and(|said| said.status.success() && said.stdout.trim_ascii() == b"yes")
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
) -> Command {
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
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// The runner makes a session of its own as the first thing that it does.
fn by_session(
    exe: &Path,
    record: &OpRecord,
    is_forced: bool,
    place: &Place,
    log: std::fs::File,
) -> std::io::Result<Command> {
    let mut command = Command::new(exe);
    command
        .args(arguments(record, "session", is_forced))
        .env("COREDECK_JOURNAL", &place.file)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(command)
}

/// Opens a log that only its owner may read.
fn open(path: &Path) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_keeps_a_runner_only_where_it_outlives_the_logins() {
        let all = Found { has_folder: true, runs: true, has_tool: true, lingers: true };
        assert_eq!(objection(all), None);
        for (found, why) in [
            (Found { has_folder: false, ..all }, "XDG_RUNTIME_DIR"),
            (Found { runs: false, ..all }, "no systemd of yours"),
            (Found { has_tool: false, ..all }, "no systemd-run"),
            (Found { lingers: false, ..all }, "enable-linger"),
        ] {
            assert!(objection(found).unwrap().contains(why), "{found:?}");
        }
    }

    #[test]
    fn what_there_is_is_looked_up_where_the_surroundings_say() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        let mut around = Surroundings::default();
        let found = look_around(&around);
        assert!(!found.has_folder && !found.runs && !found.has_tool && !found.lingers, "{found:?}");
        let path = folder.path().display().to_string();
        around.vars.insert("XDG_RUNTIME_DIR".to_owned(), path.clone());
        around.vars.insert("PATH".to_owned(), format!("/nowhere:{path}/bin"));
        let found = look_around(&around);
        assert!(found.has_folder && !found.runs && !found.has_tool, "{found:?}");
        make("systemd/private");
        make("bin/systemd-run");
        let found = look_around(&around);
        assert!(found.runs && found.has_tool && !found.lingers, "{found:?}");
    }
}
