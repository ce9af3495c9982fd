//! Asking docker hosts what runs on them: by Run Command and a fixed document of our own, fifty hosts a call.
//!
//! It changes nothing on a host. What one host cannot be asked is said of that host, and the others are asked all
//! the same.

use super::ran;
use super::run::Timer;
use crate::fleet::Fleet;
use crate::gateway::change::{Change, Document, FleetWriter, WriteError};
use crate::gateway::{FleetProbe, Look, Ours, Seen, Source, Turn, change::Token, was_quicker};
use crate::inventory::{
    self, Diff, Entry, HostAnswer, Observed, Told, candidates, compare, entries, gather, parse,
};
use crate::model::text::harmless;
use crate::model::{Command, InstanceId, Invocation, Scope, Text, Trouble};
use crate::snapshot::Snapshot;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// Hosts that one call may name.
const AT_ONCE: usize = 50;
/// Seconds that AWS tries to reach an agent.
const DELIVERY_S: u32 = 30;
/// Seconds from one look at the commands to the next, and the last as often as it takes.
const LOOKS_S: [i64; 5] = [2, 3, 5, 8, 10];
/// Seconds after which a host that is silent is given up: delivery, and the minute that the document may run.
const PATIENCE_S: i64 = 100;
/// How often a call that AWS throttles is tried.
const TRIES: usize = 5;

/// Who asks, and with what.
pub struct Asking<'a> {
    /// Sees commands.
    pub probe: &'a dyn FleetProbe,
    /// Sends them; nobody does in read-only mode.
    pub writer: Option<&'a dyn FleetWriter>,
    /// Waits.
    pub timer: &'a dyn Timer,
    /// What these commands are known by, that no others have: at most 60 characters.
    pub mark: String,
    /// Whether our document may be put into an account that lacks it.
    pub may_put: bool,
}

/// What a survey rests on, besides the hosts' own answers.
pub const SOURCES: [Source; 11] = [
    Source::Identity,
    Source::Instances,
    Source::Groups,
    Source::Clusters,
    Source::Services,
    Source::Tasks,
    Source::Hosts,
    Source::TargetGroups,
    Source::Targets,
    Source::Rules,
    Source::Agents,
];

/// What a survey found.
#[derive(Clone, Debug)]
pub struct Survey {
    /// What was seen.
    pub seen: Observed,
    /// What the registry says.
    pub entries: Vec<Entry>,
    /// Where the registry is: `/coredeck/main`.
    pub path: String,
}

impl Survey {
    /// Where the registry differs from what was seen.
    pub fn diff(&self) -> Diff {
        compare(&self.path, &self.seen, &self.entries)
    }
}

/// Reads the registry, asks the hosts, and puts together what was seen. Changes nothing but that our document is
/// put into an account, where that is wished.
///
/// # Errors
///
/// The registry of a place could not be read: what is in it would be taken for new.
pub async fn survey(
    asking: &Asking<'_>,
    fleet_name: &str,
    snapshot: &Snapshot,
    fleet: &Fleet,
) -> Result<Survey, (Scope, Trouble)> {
    let path = format!("/coredeck/{fleet_name}");
    // Secrets lie beside them, and are not even listed.
    let places = snapshot.parts.iter().flat_map(|part| [(part, "cores"), (part, "tenants")]);
    let path_of_all = &path;
    let read = places.map(|(part, below)| async move {
        let look = Look::ParametersUnder { path: format!("{path_of_all}/{below}").into() };
        match asking.probe.look(&part.scope, &look).await {
            Ok(Seen::Parameters(found)) => Ok(entries(&part.scope, path_of_all, &found)),
            Ok(_) => Ok(Vec::new()),
            Err(trouble) => Err(((*part.scope).clone(), trouble)),
        }
    });
    let all = futures::future::try_join_all(read).await?.concat();
    let (hosts, _) = candidates(fleet, &all);
    let told = ask(asking, &hosts).await;
    let seen = gather(fleet_name, snapshot, fleet, &all, &told);
    Ok(Survey { seen, entries: all, path })
}

/// What hosts are asked: a fixed document, and what it takes.
pub(super) struct Question {
    /// The document's name.
    pub(super) name: &'static str,
    /// What it says.
    pub(super) content: String,
    /// The hash that it must have in the account.
    pub(super) hash: String,
    /// What it takes.
    pub(super) parameters: BTreeMap<Text, Vec<Text>>,
    /// Whether an answer lacks its end.
    pub(super) is_cut: fn(&str) -> bool,
}

impl Question {
    /// What runs there.
    fn containers() -> Self {
        Self {
            name: inventory::NAME,
            content: inventory::CONTENT.to_owned(),
            hash: inventory::hash(),
            parameters: BTreeMap::new(),
            is_cut,
        }
    }
}

/// What hosts said, each by its place.
pub type Answers = BTreeMap<(Scope, InstanceId), Told>;

/// Asks hosts. Each of them is in the answer.
pub async fn ask(asking: &Asking<'_>, hosts: &[(Scope, InstanceId)]) -> Answers {
    put(asking, &Question::containers(), hosts).await
}

/// Puts a question to hosts. Each of them is in the answer.
pub(super) async fn put(asking: &Asking<'_>, question: &Question, hosts: &[(Scope, InstanceId)]) -> Answers {
    let mut scopes: BTreeMap<&Scope, Vec<InstanceId>> = BTreeMap::new();
    for (scope, id) in hosts {
        scopes.entry(scope).or_default().push(id.clone());
    }
    let asked = scopes.into_iter().map(|(scope, ids)| async move {
        let mut one = One { asking, question, scope, told: BTreeMap::new() };
        one.ask(&ids).await;
        one.told
    });
    futures::future::join_all(asked).await.into_iter().flatten().collect()
}

struct One<'a> {
    asking: &'a Asking<'a>,
    question: &'a Question,
    scope: &'a Scope,
    told: Answers,
}

/// A call that may have sent a command, by its comment.
struct Sent {
    comment: String,
    hosts: Vec<InstanceId>,
    /// Its answer was lost.
    is_doubtful: bool,
}

impl One<'_> {
    fn note(&mut self, host: &InstanceId, printed: Result<String, String>) {
        let at = self.asking.timer.now();
        self.told.insert((self.scope.clone(), host.clone()), Told { printed, at });
    }

    fn all(&mut self, hosts: &[InstanceId], why: &str) {
        hosts.iter().for_each(|host| self.note(host, Err(why.to_owned())));
    }

    async fn look(&self, look: Look) -> Result<Seen, Trouble> {
        self.asking.probe.look(self.scope, &look).await
    }

    async fn pause(&self, seconds: i64) {
        let timer = self.asking.timer;
        let until = timer.now().saturating_add(SignedDuration::from_secs(seconds));
        timer.until(until.unwrap_or(timer.now())).await;
    }

    async fn ask(&mut self, hosts: &[InstanceId]) {
        let Some(writer) = self.asking.writer else {
            self.all(hosts, "hosts are not asked in read-only mode: a command would have to be sent");
            return;
        };
        if let Err(why) = self.document(writer).await {
            self.all(hosts, &why);
            return;
        }
        let since = self.asking.timer.now().saturating_sub(SignedDuration::from_mins(5));
        let since = since.unwrap_or(self.asking.timer.now());
        let mut sent = Vec::new();
        for (number, part) in hosts.chunks(AT_ONCE).enumerate() {
            let comment = format!("{} {}", self.asking.mark, number + 1);
            sent.extend(self.send(writer, comment, part.to_vec()).await);
        }
        let commands = self.wait(&sent, since).await;
        for one in sent {
            let command = match &commands {
                Ok(all) => all.iter().find(|command| command.comment == one.comment).cloned(),
                Err(trouble) => {
                    self.all(&one.hosts, &format!("what became of the command could not be seen: {trouble}"));
                    continue;
                }
            };
            match command {
                Some(command) => self.hear(&command, &one.hosts).await,
                None if one.is_doubtful => {
                    self.all(&one.hosts, "the answer to the command was lost, and no command is there");
                }
                None => self.all(&one.hosts, "AWS took the command and does not know it any more"),
            }
        }
    }

    /// Our document is in the account, and is ours.
    async fn document(&self, writer: &dyn FleetWriter) -> Result<(), String> {
        let (name, sha256) = (self.question.name, self.question.hash.as_str());
        let ours = Ours { name, sha256, may_put: self.asking.may_put };
        let mut was_put = false;
        for _ in 0..TRIES {
            let seen = self.look(Look::Document { name: name.into() }).await;
            let seen =
                seen.map_err(|trouble| format!("the document {name} could not be looked up: {trouble}"))?;
            let found = if let Seen::Document(found) = seen { found } else { None };
            match ours.turn(found.as_ref(), was_put) {
                Turn::Use => return Ok(()),
                Turn::Wait => self.pause(2).await,
                Turn::Put => {
                    was_put = true;
                    let change =
                        Change::CreateDocument { name: name.into(), content: self.question.content.clone() };
                    let token = Token::of(&[&self.asking.mark, "document"]);
                    match writer.write(self.scope, &change, &token).await {
                        // The answer was lost: the next look tells.
                        Ok(_) | Err(WriteError::Unknown(_)) => self.pause(1).await,
                        Err(error) if was_quicker(error.code()) => self.pause(1).await,
                        Err(error) => {
                            return Err(format!("the document {name} could not be put there: {error}"));
                        }
                    }
                }
                turn @ (Turn::Lacking | Turn::Foreign) => return Err(ours.why_not(turn)),
            }
        }
        Err(ours.why_not(Turn::Wait))
    }

    async fn send(
        &mut self,
        writer: &dyn FleetWriter,
        comment: String,
        mut hosts: Vec<InstanceId>,
    ) -> Option<Sent> {
        for attempt in 0..TRIES {
            let change = Change::SendCommand {
                document: Document {
                    name: self.question.name.into(),
                    version: Some("1".into()),
                    sha256: Some(self.question.hash.as_str().into()),
                },
                instances: hosts.clone(),
                parameters: self.question.parameters.clone(),
                comment: comment.clone(),
                deliver_within_s: DELIVERY_S,
                // One host that fails keeps no other from being asked.
                errors: u32::try_from(hosts.len()).unwrap_or(u32::MAX),
                concurrency: 50,
            };
            let token = Token::of(&[&comment, &attempt.to_string()]);
            match writer.write(self.scope, &change, &token).await {
                Ok(_) => return Some(Sent { comment, hosts, is_doubtful: false }),
                Err(WriteError::Unknown(_)) => return Some(Sent { comment, hosts, is_doubtful: true }),
                Err(error) if error.is_passing() && attempt + 1 < TRIES => self.pause(2).await,
                Err(error) if error.code() == Some("InvalidInstanceId") => {
                    // One that cannot be reached fails the call for all: it names those.
                    let said = error.trouble().message.clone();
                    let (bad, rest): (Vec<_>, Vec<_>) =
                        hosts.into_iter().partition(|host| said.contains(host.as_str()));
                    self.all(&bad, "Systems Manager cannot reach it");
                    hosts = rest;
                    if bad.is_empty() || hosts.is_empty() {
                        self.all(&hosts, &format!("the command was refused: {error}"));
                        return None;
                    }
                }
                Err(error) => {
                    self.all(&hosts, &format!("the command was refused: {error}"));
                    return None;
                }
            }
        }
        self.all(&hosts, "AWS would not take the command: it was asked too often");
        None
    }

    /// The commands, when all are over or the time is.
    async fn wait(&self, sent: &[Sent], since: jiff::Timestamp) -> Result<Vec<Command>, Trouble> {
        let begun = self.asking.timer.now();
        let mut looks = LOOKS_S.into_iter();
        let mut last = Ok(Vec::new());
        if sent.is_empty() {
            return last;
        }
        loop {
            self.pause(looks.next().unwrap_or(LOOKS_S[LOOKS_S.len() - 1])).await;
            let late = self.asking.timer.now().duration_since(begun) >= SignedDuration::from_secs(PATIENCE_S);
            match self.look(Look::Commands { document: self.question.name.into(), since }).await {
                Ok(Seen::Commands(all)) => {
                    let mine: Vec<Command> = all
                        .into_iter()
                        .filter(|command| sent.iter().any(|one| one.comment == command.comment))
                        .collect();
                    let is_over = mine.len() == sent.len() && mine.iter().all(Command::is_over);
                    last = Ok(mine);
                    if is_over {
                        return last;
                    }
                }
                Ok(_) => {}
                Err(trouble) => last = Err(trouble),
            }
            if late {
                return last;
            }
        }
    }

    async fn hear(&mut self, command: &Command, hosts: &[InstanceId]) {
        let all = match self.look(Look::Invocations { command: command.id.clone() }).await {
            Ok(Seen::Invocations(all)) => all,
            Ok(_) => Vec::new(),
            Err(trouble) => {
                self.all(hosts, &format!("what it printed could not be read: {trouble}"));
                return;
            }
        };
        for host in hosts {
            let Some(one) = all.iter().find(|one| one.instance == *host) else {
                self.note(host, Err("the command does not name it".to_owned()));
                continue;
            };
            let printed = match said(one) {
                Ok(printed) if (self.question.is_cut)(&printed) => self.more(command, host, printed).await,
                other => other,
            };
            self.note(host, printed);
        }
    }

    /// The same from the call that gives more of it.
    async fn more(&self, command: &Command, host: &InstanceId, printed: String) -> Result<String, String> {
        let look = Look::Invocation { command: command.id.clone(), instance: host.clone() };
        match self.look(look).await {
            Ok(Seen::Invocations(all)) => all.first().map_or(Ok(printed), said),
            Ok(_) => Ok(printed),
            Err(trouble) => Err(format!("all of what it printed could not be read: {trouble}")),
        }
    }
}

fn is_cut(printed: &str) -> bool {
    matches!(parse(printed), Ok(HostAnswer::Containers { is_whole: false, .. }))
}

/// What an invocation printed, or how it failed.
fn said(one: &Invocation) -> Result<String, String> {
    match (one.status.as_str(), one.detail.as_str()) {
        ("Success", _) => Ok(one.output.clone()),
        (_, "DeliveryTimedOut") => Err(format!("its agent did not take the command within {DELIVERY_S} s")),
        (_, "ExecutionTimedOut") => Err("docker on it did not answer within a minute".to_owned()),
        (_, "Undeliverable") => Err("the command could not be delivered".to_owned()),
        ("Pending" | "InProgress" | "Delayed", _) => {
            Err(format!("it did not answer within {PATIENCE_S} s ({})", one.status))
        }
        ("Failed", _) => {
            let last = one.output.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            let last: String = harmless(last).chars().take(120).collect();
            let code = match one.exit_code {
                // The list of containers says so by a code of its own.
                Some(70) => 41,
                code => code.unwrap_or(-1),
            };
            let host = one.instance.as_str();
            Err(match ran::meaning(code) {
                Some(means) => format!("{means} on {host} ({code}){}", ran::mend(code, host)),
                None => format!("the command failed with {code}: {last}"),
            })
        }
        (status, detail) => Err(format!("the command ended as {status} ({detail})")),
    }
}
