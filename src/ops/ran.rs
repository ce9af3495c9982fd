//! What became of a command of ours on its host: whether it ended well, and what it said, in words.
//!
//! Our documents exit with codes of their own, so that each trouble of a host has a meaning that does not depend on
//! what docker happens to print there.

use super::aspect::Value;
use crate::gateway::change::Change;
use crate::gateway::{Look, Seen};
use crate::logs::Mask;
use crate::model::text::harmless;
use crate::model::{InstanceId, Invocation, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// It ended well.
pub const WELL: &str = "well";
/// It ended otherwise, or never will.
pub const BADLY: &str = "badly";
/// It is on its way.
pub const GOES_ON: &str = "under way";
/// Characters of what a host printed that are told.
const TOLD: usize = 120;
/// The same of the last words of a core, and of what keeps its container from being carried over.
const WORDS: usize = 400;

/// A command of ours on one host, and how it is found again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunMark {
    /// Its document.
    pub document: Text,
    /// Its comment, which holds the operation's id.
    pub comment: String,
    /// It was sent after this moment.
    pub since: Timestamp,
    /// The host.
    pub instance: InstanceId,
}

/// A fact about such a command.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum RunFact {
    /// How it stands: [`GOES_ON`], [`WELL`] or [`BADLY`]; absent where there is no such command.
    Ended {
        /// Which command.
        mark: RunMark,
    },
    /// Why it did not end well, in a sentence; absent otherwise.
    Said {
        /// Which command.
        mark: RunMark,
    },
}

impl RunFact {
    /// The command.
    pub fn mark(&self) -> &RunMark {
        match self {
            Self::Ended { mark } | Self::Said { mark } => mark,
        }
    }

    /// The command, to be changed.
    pub fn mark_mut(&mut self) -> &mut RunMark {
        match self {
            Self::Ended { mark } | Self::Said { mark } => mark,
        }
    }

    /// The look that shows it.
    pub fn look(&self) -> Look {
        let mark = self.mark();
        Look::Outcomes {
            document: mark.document.clone(),
            since: mark.since,
            of: vec![(Text::new(&mark.comment), mark.instance.clone())],
        }
    }

    /// Its value in what was seen; none when that was an answer to another look.
    pub fn value(&self, seen: &Seen) -> Option<Value> {
        let Seen::Outcomes(all) = seen else { return None };
        let mark = self.mark();
        let is_meant = |comment: &Text, one: &Invocation| {
            *comment == mark.comment.as_str() && one.instance == mark.instance
        };
        let Some((_, one)) = all.iter().find(|(comment, one)| is_meant(comment, one)) else {
            return Some(Value::Absent);
        };
        let word = standing(one);
        Some(match self {
            Self::Ended { .. } => Value::word(word),
            Self::Said { .. } if word != BADLY => Value::Absent,
            Self::Said { .. } => Value::Word(said(one)),
        })
    }
}

fn standing(one: &Invocation) -> &'static str {
    match one.status.as_str() {
        "Success" => WELL,
        "Pending" | "InProgress" | "Delayed" | "Cancelling" => GOES_ON,
        _ => BADLY,
    }
}

/// Why it did not end well.
fn said(one: &Invocation) -> String {
    let host = &one.instance;
    let last = one.output.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    let last: String = harmless(last.trim()).chars().take(TOLD).collect();
    match (one.status.as_str(), one.detail.as_str()) {
        (_, "DeliveryTimedOut") => {
            format!("the Systems Manager agent of {host} did not take the command in time: it is offline")
        }
        (_, "ExecutionTimedOut") => {
            format!("docker on {host} did not answer before the time of the command was up")
        }
        (_, "Undeliverable") => format!("{host} does not run any more, or is not managed"),
        ("Cancelled", _) | (_, "Terminated") => format!("somebody cancelled the command on {host}"),
        (status, detail) => {
            let code = one.exit_code.unwrap_or(-1);
            match meaning(code) {
                Some(means) => {
                    format!("{means} on {host} ({code}){}{}", words(&one.output), mend(code, host.as_str()))
                }
                None if status == "Failed" => {
                    format!("the command failed with {code} on {host}: {last}")
                }
                None => format!("the command ended as {status} ({detail}) on {host}"),
            }
        }
    }
}

/// What a document says beside its code: `has: …` what is meant, `log: …` the last words of a core, without secrets.
fn words(output: &str) -> String {
    let mask = Mask::default();
    let of = |prefix: &str| {
        let lines = output.lines().filter_map(|line| line.strip_prefix(prefix));
        let lines: Vec<String> = lines.map(|line| harmless(&mask.masked(line.trim())).into_owned()).collect();
        lines.join(" | ").chars().take(WORDS).collect::<String>()
    };
    let (has, log) = (of("has: "), of("log: "));
    let mut words = String::new();
    if !has.is_empty() {
        words.push_str(&format!(": {has}"));
    }
    if !log.is_empty() {
        words.push_str(&format!("; its last words: {log}"));
    }
    words
}

/// What to do about a host that lacks what it takes; nothing for what is the core's own.
pub(super) fn mend(code: i32, host: &str) -> String {
    match code {
        40 => format!("; install it there (coredeck shell {host}), or name another host"),
        41 => format!("; coredeck shell {host}, and there `systemctl status docker` shows why"),
        42 | 43 => format!("; install it there: coredeck shell {host}"),
        50 => "; let the role have ssm:GetParameter on it, and kms:Decrypt on its key".to_owned(),
        _ => String::new(),
    }
}

/// The codes that a replacement ends with are this much higher where the old container is back.
const BACK: i32 = 20;
/// The same where it is not.
const NOT_BACK: i32 = 40;

/// What the codes mean that our documents exit with.
pub fn meaning(code: i32) -> Option<String> {
    let ends = |code: i32| matches!(code, 46..=49 | 53 | 58).then(|| plain(code)).flatten();
    if let Some(means) = plain(code) {
        return Some(means.to_owned());
    }
    if let Some(means) = ends(code - BACK) {
        return Some(format!("{means}; the old container is back and answers"));
    }
    ends(code - NOT_BACK).map(|means| {
        format!(
            "{means}; THE OLD CONTAINER IS NOT BACK: look for it by `docker ps -a`, as NAME or NAME-before,"
        )
    })
}

fn plain(code: i32) -> Option<&'static str> {
    Some(match code {
        40 => "there is no docker",
        41 => "docker does not answer: it is installed, and its daemon is down,",
        42 => "there is no curl, with which its core is asked whether it answers,",
        43 => "there is no aws command, with which secrets are read,",
        44 => "there is no container of that name",
        45 => "the container of that name is another core",
        46 => "docker refused to start, stop or rename the container",
        47 => "the core does not stay up",
        48 => "the core answers that its database fails",
        49 => "the core did not answer in time",
        50 => "a secret could not be read: the host's role may not, or the parameter is not there,",
        51 => "the image could not be pulled",
        52 => "the port is taken by another container",
        53 => "docker refused to make the container",
        54 => "the container's version is not the one that was planned with",
        55 => "there is a container of that name already",
        56 => "as many cores run as its tier allows",
        57 => {
            "the image took so long that the old container could not be brought back in time: nothing was stopped"
        }
        58 => {
            "the core signs with other keys than before: it has another database, schema or table prefix, and its \
             customers would find none of their users there"
        }
        60 => "nothing was stopped: something is mounted into the container, which a new one would lack,",
        61 => {
            "nothing was stopped: the container has another network than docker's own, which a new one would lack,"
        }
        62 => "nothing was stopped: the container has other ports than its entry in the registry says",
        63 => {
            "nothing was stopped: the container has an entrypoint, a command or a user that its image does not say"
        }
        64 => {
            "nothing was stopped: no variable of the container names a database, and without one it keeps users in memory"
        }
        65 => {
            "nothing was stopped: a variable of the container has several lines, which docker takes from no list"
        }
        _ => return None,
    })
}

impl fmt::Display for RunFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = self.mark();
        let (document, comment) = (harmless(&mark.document), harmless(&mark.comment));
        match self {
            Self::Ended { .. } => write!(f, "{document} `{comment}`"),
            Self::Said { .. } => write!(f, "what {document} `{comment}` said"),
        }
    }
}

/// Gives a command of an operation the mark of another one, which takes it back: it is sent anew.
pub fn renew(change: &mut Change, old: &str, new: &str) {
    if let Change::SendCommand { comment, .. } = change {
        *comment = comment.replace(old, new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(status: &str, detail: &str, code: i32, output: &str) -> Invocation {
        Invocation {
            command: "c".into(),
            instance: "i-1".into(),
            status: status.into(),
            detail: detail.into(),
            exit_code: Some(code),
            output: output.to_owned(),
        }
    }

    fn mark() -> RunMark {
        RunMark {
            document: "d".into(),
            comment: "coredeck op 0 stop".to_owned(),
            since: Timestamp::UNIX_EPOCH,
            instance: "i-1".into(),
        }
    }

    #[test]
    fn each_end_has_its_words_and_nothing_drives_the_terminal() {
        let says = |status, detail, code, output| {
            let comment = Text::new("coredeck op 0 stop");
            let seen = Seen::Outcomes(vec![(comment, one(status, detail, code, output))]);
            let (ended, said) = (RunFact::Ended { mark: mark() }, RunFact::Said { mark: mark() });
            (ended.value(&seen).unwrap().to_string(), said.value(&seen).unwrap().to_string())
        };
        let both = |word: &str, said: &str| (word.to_owned(), said.to_owned());
        assert_eq!(says("Success", "Success", 0, "a\nit answers\n\n"), both(WELL, "absent"));
        assert_eq!(says("InProgress", "InProgress", -1, ""), both(GOES_ON, "absent"));
        assert_eq!(
            says("Failed", "Failed", 44, "x"),
            both(BADLY, "there is no container of that name on i-1 (44)")
        );
        let printed = "log: x postgresql://me:hunter2@db/x\nlog: \u{1b}[2J gone\nthe old one is back";
        let (_, back) = says("Failed", "Failed", 67, printed);
        assert!(back.contains("does not stay up; the old container is back"), "{back}");
        assert!(back.contains("its last words: x postgresql://*** | "), "{back}");
        assert!(!back.contains("hunter2") && !back.contains('\u{1b}'), "{back}");
        assert!(says("Failed", "Failed", 88, "").1.contains("THE OLD CONTAINER IS NOT BACK"));
        assert!(says("Failed", "Failed", 60, "has: /etc/x").1.ends_with("on i-1 (60): /etc/x"));
        let (word, said) = says("Failed", "Failed", 127, "sh: \u{1b}[2Jx: not found");
        assert!(word == BADLY && said.contains("127") && !said.contains('\u{1b}'), "{said}");
        assert!(says("TimedOut", "DeliveryTimedOut", -1, "").1.contains("offline"));
        assert!(says("TimedOut", "ExecutionTimedOut", 137, "").1.contains("did not answer"));
        assert!(says("Failed", "Undeliverable", -1, "").1.contains("does not run"));
        assert!(says("Cancelled", "Cancelled", -1, "").1.contains("cancelled"));
        assert_eq!(RunFact::Ended { mark: mark() }.value(&Seen::Outcomes(Vec::new())), Some(Value::Absent));
    }
}
