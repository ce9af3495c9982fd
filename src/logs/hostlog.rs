//! Asking a docker host what its containers wrote: by Run Command and a fixed document of our own.
//!
//! It changes nothing on the host. AWS hands out 24,000 characters of what a command printed, so the document packs the
//! lines and leaves out the first of them until the rest fits, and whoever asks learns that there were more. Several
//! containers of one host are one command, and share those characters.

use crate::gateway::change::{Answered, Change, Document, FleetWriter, Token, WriteError};
use crate::gateway::{FleetProbe, Look, Ours, Seen, Turn, was_quicker};
use crate::model::text::harmless;
use crate::model::{InstanceId, Invocation, Scope, Text, Trouble, TroubleKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// What the document is called; a new content gets a new name.
pub const NAME: &str = "coredeck-read-logs-3";
/// Containers that one command asks for at most.
pub const AT_ONCE: usize = 12;
/// What it says.
pub const CONTENT: &str = include_str!("read-logs.json");
/// Bytes that are unpacked at most: more than the document ever packs.
const MOST: u64 = 1 << 20;
/// Seconds that AWS tries to reach an agent.
const DELIVERY_S: u32 = 30;
/// Milliseconds from one look at the command to the next, and the last as often as it takes.
const LOOKS_MS: [u64; 6] = [700, 1_000, 1_500, 2_000, 3_000, 5_000];
/// Looks after which a host is given up: delivery, and the minute that the document may run.
const PATIENCE: usize = 24;
/// How often the document is looked for that was just put there.
const TRIES: usize = 6;

/// Who asks hosts. Cheap to hand on.
#[derive(Clone)]
pub struct Asker {
    /// Sees commands.
    pub probe: Arc<dyn FleetProbe>,
    /// Sends them; nobody does in read-only mode.
    pub writer: Option<Arc<dyn FleetWriter>>,
    /// What these commands are known by.
    pub mark: String,
    /// Whether our document may be put into an account that lacks it.
    pub may_put: bool,
    /// Where our document was found: it does not change under its name.
    found: Arc<Mutex<BTreeSet<Scope>>>,
    /// Commands so far.
    sent: Arc<AtomicU64>,
}

/// What of the lines of containers is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The containers, no more than [`AT_ONCE`], each with from when; whole seconds are asked for.
    pub of: Vec<(Text, Timestamp)>,
    /// Up to when; none means up to now.
    pub until: Option<Timestamp>,
    /// Lines of each at most.
    pub tail: u32,
}

/// What a host said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Lines, each with docker's moment before it.
    Lines {
        /// The lines.
        lines: Vec<(Timestamp, String)>,
        /// Whether there were more before them.
        is_cut: bool,
    },
    /// Docker sends them to CloudWatch.
    CloudWatch {
        /// The log group.
        group: Text,
        /// Its region, where docker says it.
        region: Option<Text>,
        /// The stream: the one that docker names, or the one that it makes of its tag or of the container's id.
        stream: Text,
    },
}

/// Why nothing is known of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// A sentence about it.
    pub why: String,
    /// AWS was asked too often, or did not answer, and did nothing: later it may.
    pub is_passing: bool,
}

impl From<String> for Silence {
    fn from(why: String) -> Self {
        Self { why, is_passing: false }
    }
}

/// The hash that the document must have.
pub fn hash() -> String {
    Sha256::digest(CONTENT.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Asker {
    /// Sees and sends by these; `mark` is what its commands are known by.
    pub fn new(
        probe: Arc<dyn FleetProbe>,
        writer: Option<Arc<dyn FleetWriter>>,
        mark: String,
        may_put: bool,
    ) -> Self {
        Self { probe, writer, mark, may_put, found: Arc::default(), sent: Arc::default() }
    }

    /// Asks one host for the lines of some of its containers, in one command. An answer for each, in their order; the
    /// error of one is a sentence about it.
    ///
    /// # Errors
    ///
    /// Why nothing is known of any, in a sentence about the host.
    pub async fn ask(
        &self,
        scope: &Scope,
        instance: &InstanceId,
        span: &Span,
    ) -> Result<Vec<Result<Told, String>>, Silence> {
        let Some(writer) = self.writer.as_deref() else {
            let why = "hosts are not asked in read-only mode: a command would have to be sent";
            return Err(why.to_owned().into());
        };
        if let Some((bad, _)) = span.of.iter().find(|(name, _)| !is_container(name)) {
            return Err(format!("'{}' cannot be the name of a container", harmless(bad)).into());
        }
        {
            // Whoever comes second waits for what the first finds.
            let mut found = self.found.lock().await;
            if !found.contains(scope) {
                self.document(writer, scope).await?;
                found.insert(scope.clone());
            }
        }
        let command = self.send(writer, scope, instance, span).await?;
        let invocation = self.wait(scope, instance, &command).await?;
        Ok(read(&said(&invocation)?, span, instance)?)
    }

    async fn look(&self, scope: &Scope, look: Look) -> Result<Seen, Silence> {
        let silence =
            |trouble: Trouble| Silence { is_passing: is_passing(&trouble), why: trouble.to_string() };
        self.probe.look(scope, &look).await.map_err(silence)
    }

    /// Our document is in the account, and is ours.
    async fn document(&self, writer: &dyn FleetWriter, scope: &Scope) -> Result<(), Silence> {
        let sha256 = hash();
        let ours = Ours { name: NAME, sha256: &sha256, may_put: self.may_put };
        let mut was_put = false;
        for _ in 0..TRIES {
            let seen = self.look(scope, Look::Document { name: NAME.into() }).await;
            let seen = seen.map_err(|silence| Silence {
                why: format!("the document {NAME} could not be looked up: {}", silence.why),
                ..silence
            })?;
            let found = if let Seen::Document(found) = seen { found } else { None };
            match ours.turn(found.as_ref(), was_put) {
                Turn::Use => return Ok(()),
                Turn::Wait => {}
                Turn::Put => {
                    was_put = true;
                    let change = Change::CreateDocument { name: NAME.into(), content: CONTENT.to_owned() };
                    let token = Token::of(&[&self.mark, "document"]);
                    match writer.write(scope, &change, &token).await {
                        // The answer was lost: the next look tells.
                        Ok(_) | Err(WriteError::Unknown(_)) => {}
                        Err(error) if was_quicker(error.code()) => {}
                        Err(error) => {
                            let why = format!("the document {NAME} could not be put there: {error}");
                            return Err(Silence { why, is_passing: error.is_passing() });
                        }
                    }
                }
                turn @ (Turn::Lacking | Turn::Foreign) => return Err(ours.why_not(turn).into()),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Err(ours.why_not(Turn::Wait).into())
    }

    async fn send(
        &self,
        writer: &dyn FleetWriter,
        scope: &Scope,
        instance: &InstanceId,
        span: &Span,
    ) -> Result<Text, Silence> {
        let one = |name: &str, value: String| (Text::new(name), vec![Text::from(value)]);
        let each = |(name, since): &(Text, Timestamp)| format!("{name}:{}", since.as_second().max(0));
        let containers = span.of.iter().map(each).collect::<Vec<_>>().join(",");
        let mut parameters = BTreeMap::from([
            one("Containers", containers.clone()),
            one("Tail", span.tail.min(999_999).to_string()),
        ]);
        if let Some(until) = span.until {
            // Docker leaves out what came after the second; whoever reads cuts more exactly.
            parameters.extend([one("Until", (until.as_second() + 1).max(0).to_string())]);
        }
        let change = Change::SendCommand {
            document: Document { name: NAME.into(), version: Some("1".into()), sha256: Some(hash().into()) },
            instances: vec![instance.clone()],
            parameters,
            comment: self.mark.clone(),
            deliver_within_s: DELIVERY_S,
            errors: 0,
            concurrency: 1,
        };
        // Each is asked for anew: what an earlier one printed may be old by now.
        let attempt = self.sent.fetch_add(1, Ordering::Relaxed).to_string();
        let token = Token::of(&[&self.mark, instance.as_str(), &containers, &attempt]);
        match writer.write(scope, &change, &token).await {
            Ok(receipt) => match receipt.answered {
                Answered::Command(id) if !id.is_empty() => Ok(id),
                _ => Err("AWS took the command and gave it no id".to_owned().into()),
            },
            Err(error) if error.code() == Some("InvalidInstanceId") => {
                let why =
                    format!("Systems Manager cannot reach {instance}: its agent is offline or it has none");
                Err(why.into())
            }
            Err(error) => Err(Silence {
                why: format!("the command to {instance} was not sent: {error}"),
                // It changes nothing: one that may have been sent is sent again.
                is_passing: error.is_passing() || error.may_have_acted(),
            }),
        }
    }

    async fn wait(
        &self,
        scope: &Scope,
        instance: &InstanceId,
        command: &Text,
    ) -> Result<Invocation, Silence> {
        let (mut last, mut silence) = (None, None);
        for look in 0..PATIENCE {
            let pause = LOOKS_MS.get(look).or(LOOKS_MS.last()).copied().unwrap_or(5_000);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let ask = Look::Invocation { command: command.clone(), instance: instance.clone() };
            // A command that AWS does not know yet is no answer.
            match self.look(scope, ask).await {
                Ok(Seen::Invocations(all)) => last = all.into_iter().next().or(last),
                Ok(_) => {}
                // The command runs all the same, and the next look tells.
                Err(why) if why.is_passing => silence = Some(why),
                Err(why) => return Err(why),
            }
            let is_over =
                |one: &Invocation| !matches!(one.status.as_str(), "Pending" | "InProgress" | "Delayed");
            if last.as_ref().is_some_and(is_over) {
                break;
            }
        }
        let unknown = || format!("AWS took the command to {instance} and does not know it").into();
        last.ok_or_else(|| silence.unwrap_or_else(unknown))
    }
}

/// Whether what AWS did not answer may be asked again.
pub(super) fn is_passing(trouble: &Trouble) -> bool {
    matches!(
        trouble.kind,
        TroubleKind::Throttled | TroubleKind::Timeout | TroubleKind::Unreachable | TroubleKind::Server
    )
}

/// What docker takes for a name, and our document for a parameter.
fn is_container(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    name.len() <= 128 && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_good)
}

fn said(one: &Invocation) -> Result<String, String> {
    match (one.status.as_str(), one.detail.as_str()) {
        ("Success", _) => Ok(one.output.clone()),
        (_, "DeliveryTimedOut") => {
            Err(format!("the agent of {} did not take the command within {DELIVERY_S} s", one.instance))
        }
        (_, "ExecutionTimedOut") => Err(format!("docker on {} did not answer within a minute", one.instance)),
        ("Pending" | "InProgress" | "Delayed", _) => {
            Err(format!("{} did not answer within two minutes ({})", one.instance, one.status))
        }
        ("Failed", _) if one.exit_code == Some(70) => {
            Err(format!("docker does not answer on {}: it is installed, and it is down", one.instance))
        }
        ("Failed", _) if one.exit_code == Some(69) => Err(format!("there is no docker on {}", one.instance)),
        (status, detail) => {
            let last = one.output.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            let last: String = harmless(last).chars().take(120).collect();
            Err(format!("the command on {} ended as {status} ({detail}) {last}", one.instance))
        }
    }
}

/// What the document printed: an answer for each that was asked for.
fn read(printed: &str, span: &Span, instance: &InstanceId) -> Result<Vec<Result<Told, String>>, String> {
    let mut lines = printed.lines().map(str::trim_end);
    let count = lines.next().and_then(|head| head.strip_prefix("coredeck-logs 3 "));
    if count.and_then(|count| count.parse().ok()) != Some(span.of.len()) {
        return Err("the host's answer is not one of our document".to_owned());
    }
    let all = span.of.iter().map(|_| match lines.next() {
        Some("gone") => Err(format!("no such container on {instance}")),
        Some(head) => match head.strip_prefix("is ") {
            Some(driver) => one(driver, &mut lines, span.tail),
            None => Err(garbled()),
        },
        None => Err(garbled()),
    });
    Ok(all.collect())
}

fn garbled() -> String {
    "what the host packed could not be unpacked".to_owned()
}

/// What it printed of one container; the lines are taken that belong to it.
fn one<'a>(driver: &str, rest: &mut impl Iterator<Item = &'a str>, tail: u32) -> Result<Told, String> {
    // The tag comes last: it may hold anything.
    let mut parts = driver.splitn(7, '|');
    let mut part = || parts.next().map(str::trim).filter(|part| !part.is_empty());
    let (kind, group, region, stream) = (part(), part(), part(), part());
    let (id, name, tag) = (part(), part(), part());
    if kind == Some("awslogs") {
        let group = group.ok_or("docker sends the lines to CloudWatch and names no log group")?;
        let (id, name) = (id.unwrap_or_default(), name.unwrap_or_default().trim_start_matches('/'));
        let stream = match (stream, tag) {
            (Some(stream), _) => stream.to_owned(),
            (None, Some(tag)) => tagged(tag, id, name)?,
            (None, None) => id.to_owned(),
        };
        return Ok(Told::CloudWatch {
            group: group.into(),
            region: region.map(Text::from),
            stream: stream.into(),
        });
    }
    let (sizes, packed) = (rest.next().ok_or_else(garbled)?, rest.next().ok_or_else(garbled)?);
    let (kept, whole) = sizes.trim().split_once(' ').ok_or_else(garbled)?;
    let (kept, whole): (u64, u64) =
        (kept.parse().map_err(|_| garbled())?, whole.trim().parse().map_err(|_| garbled())?);
    let packed = STANDARD.decode(packed.trim()).map_err(|_| garbled())?;
    let mut bytes = Vec::new();
    GzDecoder::new(packed.as_slice()).take(MOST).read_to_end(&mut bytes).map_err(|_| garbled())?;
    let text = String::from_utf8_lossy(&bytes);
    let mut is_cut = whole > kept;
    let mut lines: Vec<(Timestamp, String)> = Vec::new();
    for (nth, line) in text.lines().enumerate() {
        match line.split_once(' ').map_or((line, ""), |parts| parts) {
            (at, text) if at.parse::<Timestamp>().is_ok() => {
                lines.push((at.parse().unwrap_or_default(), text.to_owned()));
            }
            // What is left of the line that was cut through.
            _ if nth == 0 && is_cut => {}
            _ => match lines.last_mut() {
                Some((_, text)) => text.push_str(line),
                None => return Err(harmless(line).chars().take(160).collect()),
            },
        }
    }
    is_cut |= lines.len() >= usize::try_from(tail).unwrap_or(usize::MAX);
    Ok(Told::Lines { lines, is_cut })
}

/// What docker makes of a tag: `{{.Name}}/{{.ID}}`.
fn tagged(tag: &str, id: &str, name: &str) -> Result<String, String> {
    let short: String = id.chars().take(12).collect();
    let mut made = String::new();
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once("{{") {
        let unknown =
            || format!("docker names the stream by '{}', which cannot be told from here", harmless(tag));
        let (word, after) = after.split_once("}}").ok_or_else(unknown)?;
        made.push_str(before);
        made.push_str(match word.trim() {
            ".ID" => &short,
            ".FullID" => id,
            ".Name" => name,
            _ => return Err(unknown()),
        });
        rest = after;
    }
    made.push_str(rest);
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_document_holds_each_parameter_to_a_pattern_and_only_reads() {
        let document: Value = serde_json::from_str(CONTENT).unwrap();
        for (name, rules) in document["parameters"].as_object().unwrap() {
            let pattern = regex::Regex::new(rules["allowedPattern"].as_str().unwrap()).unwrap();
            for bad in ["", "a b", "a;b", "$(x)", "`x`", "a'b", "a\"b", "a|b", "a\nb", "-x", "..", "{{x}}"] {
                assert!(!pattern.is_match(bad), "{name} takes {bad:?}");
            }
        }
        let script = document["mainSteps"][0]["inputs"]["runCommand"].to_string();
        let verbs: Vec<&str> =
            script.split("docker ").skip(1).filter_map(|rest| rest.split(' ').next()).collect();
        assert_eq!(verbs, [">/dev/null", "on", "version", "does", "inspect", "logs"]);
        let several =
            regex::Regex::new(document["parameters"]["Containers"]["allowedPattern"].as_str().unwrap());
        let several = several.unwrap();
        let named = |count| vec!["core-1_a.b:1790000000"; count].join(",");
        assert!(several.is_match(&named(1)) && several.is_match(&named(AT_ONCE)));
        for bad in
            [named(AT_ONCE + 1), "a".to_owned(), "a:b".to_owned(), "a:1,".to_owned(), "a:1 b:1".to_owned()]
        {
            assert!(!several.is_match(&bad), "{bad}");
        }
        assert!(!script.contains("Env"), "environments hold secrets");
    }

    fn packed(kept: usize, whole: usize, lines: &str) -> String {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut packer, lines.as_bytes()).unwrap();
        let packed = STANDARD.encode(packer.finish().unwrap());
        format!("is json-file||||4f|/acme|\n{kept} {whole}\n{packed}\n")
    }

    fn asked(count: usize, tail: u32) -> Span {
        Span { of: vec![("acme".into(), Timestamp::UNIX_EPOCH); count], until: None, tail }
    }

    /// The answer of the only one.
    fn read_one(printed: &str, tail: u32) -> Result<Told, String> {
        let printed = format!("coredeck-logs 3 1\n{printed}");
        read(&printed, &asked(1, tail), &"i-1".into())?.remove(0)
    }

    #[test]
    fn several_containers_answer_each_for_itself() {
        let lines = "2026-11-21T19:31:42Z a\n";
        let printed = format!(
            "coredeck-logs 3 4\n{}gone\nis awslogs|/cores||s|id|/b|\n{}",
            packed(600, 23, lines),
            packed(600, 23, lines)
        );
        let all = read(&printed, &asked(4, 100), &"i-1".into()).unwrap();
        assert!(matches!(&all[0], Ok(Told::Lines { lines, is_cut: false }) if lines.len() == 1), "{all:?}");
        assert!(all[1].as_ref().is_err_and(|why| why.contains("no such container on i-1")));
        assert!(matches!(&all[2], Ok(Told::CloudWatch { stream, .. }) if stream == "s"));
        assert_eq!(all[3], all[0]);
        assert!(read(&printed, &asked(3, 100), &"i-1".into()).is_err(), "of others");
        // What was cut off is not known, and what came before it is.
        let cut = printed.split_once("is awslogs").unwrap().0;
        let all = read(cut, &asked(4, 100), &"i-1".into()).unwrap();
        assert!(all[0].is_ok() && all[2..].iter().all(Result::is_err), "{all:?}");
    }

    #[test]
    fn what_a_host_prints_is_read() {
        let lines = "2026-11-21T19:31:42.658000000Z a b\n2026-11-21T19:31:43Z \n";
        let told = read_one(&packed(600, 60, lines), 100);
        let Ok(Told::Lines { lines, is_cut }) = told else { panic!("{told:?}") };
        assert_eq!((lines.len(), lines[0].1.as_str(), lines[1].1.as_str(), is_cut), (2, "a b", "", false));
        let id = "0123456789abcdef".repeat(4);
        let stream = |of: &str, tag: &str| {
            let said = format!("is awslogs|/cores|eu-west-1|{of}|{id}|/acme|{tag}\n");
            match read_one(&said, 100)? {
                Told::CloudWatch { group, region, stream } => {
                    assert_eq!((group.as_str(), region.as_deref()), ("/cores", Some("eu-west-1")));
                    Ok(stream.to_string())
                }
                Told::Lines { .. } => Err("lines".to_owned()),
            }
        };
        assert_eq!(stream("prod-acme", "{{.ID}}").unwrap(), "prod-acme", "the stream has the last word");
        assert_eq!(stream("", "").unwrap(), id, "docker's own default");
        assert_eq!(stream("", "a|{{ .Name }}/{{.ID}}").unwrap(), "a|acme/0123456789ab");
        assert_eq!(stream("", "{{.FullID}}").unwrap(), id);
        assert!(stream("", "{{.ImageName}}").unwrap_err().contains("cannot be told from here"));
        assert!(read_one("hello", 1).is_err() && read_one("is awslogs||||||", 1).is_err());
        assert!(read_one(&packed(9, 9, "Error response from daemon"), 1).unwrap_err().contains("daemon"));
        for bad in ["", "x", "1 2", "1 2\n!!", "1 2\nAAAA", "a b\nAAAA"] {
            let told = read_one(&format!("is json-file||||||\n{bad}"), 1);
            assert!(told.is_err_and(|why| why.contains("unpacked")), "{bad:?}");
        }
    }

    #[test]
    fn a_docker_that_is_down_is_not_a_container_that_is_missing() {
        let ended = |code| {
            let one = Invocation {
                command: "c".into(),
                instance: "i-1".into(),
                status: "Failed".into(),
                detail: "Failed".into(),
                exit_code: Some(code),
                output: String::new(),
            };
            said(&one).unwrap_err()
        };
        assert!(ended(69).contains("there is no docker"));
        assert!(ended(70).contains("docker does not answer on i-1"));
    }

    #[test]
    fn what_was_cut_through_is_left_out_and_said() {
        let long = "alf a line\n2026-11-21T19:31:42.658000000Z xxx\n2026-11-21T19:31:43Z y\n";
        let Ok(Told::Lines { lines, is_cut }) = read_one(&packed(70, 71, long), 9_999) else { panic!() };
        assert!(is_cut && lines.len() == 2 && lines[0].1 == "xxx");
    }

    #[test]
    fn names_of_containers_are_held_to_dockers_own() {
        assert!(
            is_container("core-1_a.b") && !is_container("") && !is_container("-a") && !is_container("a b")
        );
    }
}
