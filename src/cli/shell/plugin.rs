//! `session-manager-plugin`: found, asked for its version, and given the terminal until it ends.
//!
//! It takes the session as the aws command gives it. Since 1.2.498 it reads the token from its environment; older
//! ones take it by an argument, which other users of this machine can see for as long as the session lasts.

use crate::error::{Error, ErrorKind, Result};
use crate::gateway::Opened;
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use std::io::stdin;
use std::process::{ExitStatus, Stdio};
use tokio::process::Command;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What it is called.
const NAME: &str = "session-manager-plugin";
/// Where it comes from.
const FROM: &str = "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html";
/// The last version that reads nothing from its environment.
const LAST_WITHOUT: [u64; 4] = [1, 2, 497, 0];
/// Where later ones look.
const VARIABLE: &str = "AWS_SSM_START_SESSION_RESPONSE";

/// The plugin of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Plugin {
    /// What is started.
    program: &'static str,
    by_environment: bool,
}

impl Plugin {
    /// Finds it, before anything is asked of AWS.
    pub(in crate::cli) async fn find() -> Result<Self> {
        let asked = Command::new(NAME).arg("--version").stdin(Stdio::null()).output().await;
        let asked = asked.map_err(|why| {
            let missing = why.kind() == std::io::ErrorKind::NotFound;
            let error = if missing {
                Error::failed(format!("{NAME} is not installed, or not in PATH"))
            } else {
                Error::failed(format!("{NAME} cannot be run")).because(why)
            };
            error.hint(format!("it is AWS's own and carries every session: {FROM}"))
        })?;
        Ok(Self { program: NAME, by_environment: is_new(&String::from_utf8_lossy(&asked.stdout)) })
    }

    /// A program that stands in for it, and takes sessions as new ones do.
    #[cfg(test)]
    pub(in crate::cli) fn of(program: &'static str) -> Self {
        Self { program, by_environment: true }
    }

    /// The plugin with a session, ready to be started.
    pub(in crate::cli) fn command(self, opened: &Opened) -> Command {
        let mut command = Command::new(self.program);
        if self.by_environment {
            command.env(VARIABLE, opened.answer.open()).arg(VARIABLE);
        } else {
            command.arg(opened.answer.open());
        }
        command.arg(opened.region.as_str()).arg("StartSession");
        command.arg(opened.profile.as_deref().unwrap_or_default()).arg(&opened.asked).arg(&opened.endpoint);
        command
    }

    /// Gives it the terminal until the session ends, and takes the terminal back as it was. The exit code.
    pub(in crate::cli) async fn carry_on(self, opened: &Opened) -> Result<u8> {
        let terminal = Kept::of_terminal();
        // What is typed to stop something is meant for what runs in the session.
        let deaf = Deaf::new()?;
        // What was typed before was typed for somebody else. Without a terminal there is nothing to forget.
        let _ = tcflush(stdin(), QueueSelector::IFlush);
        let started = self.command(opened).spawn();
        let mut child =
            started.map_err(|why| Error::failed(format!("{NAME} cannot be started")).because(why))?;
        let ended = child.wait().await;
        terminal.restore();
        drop(deaf);
        let ended = ended.map_err(|why| Error::failed(format!("{NAME} was lost")).because(why))?;
        Ok(code(ended))
    }
}

/// Whether a version reads its environment. What is no version is an old one.
fn is_new(said: &str) -> bool {
    let mut numbers = [0_u64; 4];
    let parts: Vec<&str> = said.trim().split('.').collect();
    if parts.len() > numbers.len() {
        return false;
    }
    for (place, part) in numbers.iter_mut().zip(&parts) {
        let Ok(number) = part.parse() else { return false };
        *place = number;
    }
    numbers > LAST_WITHOUT
}

/// As a shell tells it: a signal is 128 and its number.
fn code(ended: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let number = ended.code().or_else(|| ended.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(number).unwrap_or(1)
}

/// How the line discipline stood, if there is one.
struct Kept(Option<Termios>);

impl Kept {
    fn of_terminal() -> Self {
        Self(tcgetattr(stdin()).ok())
    }

    /// A plugin that was killed leaves the terminal raw.
    fn restore(self) {
        if let Some(before) = self.0 {
            // A terminal that is gone needs nothing.
            let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
        }
    }
}

/// Takes signals of the keyboard and does nothing about them. A program that is started has its own.
struct Deaf {
    _all: Vec<Signal>,
}

impl Deaf {
    fn new() -> Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::quit(), SignalKind::from_raw(libc::SIGTSTP)];
        let all: std::io::Result<Vec<Signal>> = kinds.into_iter().map(signal).collect();
        let signals = |why| Error::new(ErrorKind::Failed, "signals cannot be listened for").because(why);
        Ok(Self { _all: all.map_err(signals)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Sealed;

    #[test]
    fn only_later_versions_read_the_token_from_their_environment() {
        assert!(is_new("1.2.650.0\n") && is_new("1.2.497.1") && is_new("2"));
        assert!(
            !is_new("1.2.497.0")
                && !is_new("1.2.30.0")
                && !is_new("")
                && !is_new("dev")
                && !is_new("1.2.3.4.5")
        );
    }

    #[test]
    fn the_token_is_an_argument_only_where_nothing_else_is_read() {
        let opened = Opened {
            id: "me-1".into(),
            answer: Sealed::new("{\"TokenValue\":\"secret\"}"),
            asked: "{\"Target\":\"i-1\"}".to_owned(),
            region: "eu-west-1".into(),
            profile: None,
            endpoint: "https://ssm.eu-west-1.amazonaws.com".to_owned(),
        };
        let words = |plugin: Plugin| {
            let command = plugin.command(&opened);
            let words: Vec<String> =
                command.as_std().get_args().map(|word| word.to_string_lossy().into_owned()).collect();
            (words, command.as_std().get_envs().count())
        };
        let rest =
            ["eu-west-1", "StartSession", "", "{\"Target\":\"i-1\"}", "https://ssm.eu-west-1.amazonaws.com"];
        let (new, variables) = words(Plugin { program: NAME, by_environment: true });
        assert_eq!((new[0].as_str(), variables), (VARIABLE, 1));
        assert_eq!(new[1..], rest);
        let (old, variables) = words(Plugin { program: NAME, by_environment: false });
        assert_eq!((old[0].as_str(), variables), ("{\"TokenValue\":\"secret\"}", 0));
        assert_eq!(old[1..], rest);
    }
}
