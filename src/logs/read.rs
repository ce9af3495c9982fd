//! Reading: a task for each place that lines come from, every channel with a bound.
//!
//! First the span that was asked for, in the order of time; then, where somebody follows, again and again what is
//! new. Events come late: each reading looks back over a window, and ids that were seen are not shown twice.

mod host;

use super::fold::Fold;
use super::line::Line;
use super::mask::Mask;
use super::merge::Merge;
use super::origin::{Origin, Place};
use crate::clock::Clock;
use crate::gateway::{FleetProbe, LogAsk, Look, Seen};
use crate::model::{LogEvent, LogPage, Scope, Text, Trouble, TroubleKind};
use crate::ops::hostlog::Asker;
use host::Host;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Streams that one request names.
const STREAMS: usize = 100;
/// Batches that wait between two tasks.
const WAITING: usize = 4;
/// Lines of a batch at most.
const BATCH: usize = 2_000;
/// From one look for new events to the next.
const AGAIN: Duration = Duration::from_secs(2);
/// How far each look for new events goes back.
const LOOK_BACK: SignedDuration = SignedDuration::from_secs(20);
/// How far every fifteenth goes back.
const LOOK_FAR_BACK: SignedDuration = SignedDuration::from_secs(180);
/// The longest pause after looks that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What is read.
#[derive(Clone)]
pub struct Reading {
    /// Where lines come from.
    pub origins: Vec<Origin>,
    /// From when.
    pub since: Timestamp,
    /// Up to when; none means up to now.
    pub until: Option<Timestamp>,
    /// Whether new lines are waited for.
    pub follows: bool,
    /// Lines of each host at most; none for as many as it gives.
    pub tail: Option<u32>,
    /// Asks hosts, and sees everything else.
    pub asker: Asker,
    /// Where docker's lines are by configuration: group, and stream with `{core}`, `{container}`, `{instance}`.
    pub configured: Option<(Text, Text)>,
    /// The time.
    pub clock: Clock,
}

/// A reading that goes on.
pub struct Feed {
    /// The span that was asked for, by time.
    pub past: Merge,
    /// What comes afterwards, in batches by time; ends at once where nobody follows. While it is not taken, nothing
    /// new is read.
    pub fresh: mpsc::Receiver<Vec<Line>>,
    /// What is to be known of what is shown, or not shown; ends when nothing is read any more. To be taken always.
    pub said: mpsc::Receiver<String>,
    /// Ends it.
    pub stop: CancellationToken,
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Begins to read.
///
/// Beside it a sentence for each origin of which nothing can be read; the others are read all the same.
pub async fn start(reading: Reading) -> (Feed, Vec<String>) {
    let (lines, fresh) = mpsc::channel(WAITING);
    let (say, said) = mpsc::channel(WAITING * 4);
    let tell = Tell { lines, say };
    let stop = CancellationToken::new();
    let mut past = Vec::new();
    let (streams, hosts, troubles) = sort(&reading).await;
    let reading = Arc::new(reading);
    let mask = Arc::new(Mask::default());
    for ((scope, group), streams) in streams {
        for part in streams.chunks(STREAMS) {
            let (send, batches) = mpsc::channel(WAITING);
            past.push(batches);
            let stand =
                Stand::new(&reading, &mask, scope.clone(), group.clone(), part.to_vec(), tell.clone());
            let stop = stop.clone();
            tokio::spawn(async move {
                tokio::select! { () = stop.cancelled() => {} () = stand.read(send) => {} }
            });
        }
    }
    for host in hosts {
        let (send, batches) = mpsc::channel(WAITING);
        past.push(batches);
        let (reading, mask, tell, stop) =
            (Arc::clone(&reading), Arc::clone(&mask), tell.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! { () = stop.cancelled() => {} () = host.read(reading, mask, send, tell) => {} }
        });
    }
    (Feed { past: Merge::new(past), fresh, said, stop }, troubles)
}

/// Where what is read goes.
#[derive(Clone)]
struct Tell {
    lines: mpsc::Sender<Vec<Line>>,
    say: mpsc::Sender<String>,
}

impl Tell {
    async fn say(&self, text: String) {
        // Nobody is left to tell when the reader has gone.
        let _ = self.say.send(text).await;
    }
}

type Streams = BTreeMap<(Scope, Text), Vec<(Text, u16)>>;

/// What is read from CloudWatch, and what from hosts.
async fn sort(reading: &Reading) -> (Streams, Vec<Host>, Vec<String>) {
    let (mut streams, mut hosts, mut troubles) = (Streams::new(), Vec::new(), Vec::new());
    let mut definitions: BTreeMap<(Scope, Text), Result<crate::model::Definition, String>> = BTreeMap::new();
    for (from, origin) in (0_u16..).zip(&reading.origins) {
        let scope = Scope::clone(&origin.scope);
        match &origin.place {
            Place::Container { instance, container } => match &reading.configured {
                Some((group, stream)) => {
                    let stream = stream
                        .replace("{core}", &origin.name)
                        .replace("{container}", container)
                        .replace("{instance}", instance.as_str());
                    streams.entry((scope, group.clone())).or_default().push((stream.into(), from));
                }
                None => hosts.push(Host {
                    name: origin.name.clone(),
                    scope,
                    instance: instance.clone(),
                    container: container.clone(),
                    from,
                }),
            },
            Place::Task { task, definition, .. } => {
                let key = (scope.clone(), definition.clone());
                if !definitions.contains_key(&key) {
                    definitions.insert(key.clone(), look_up(reading, &scope, definition).await);
                }
                let found = match definitions.get(&key) {
                    Some(Ok(found)) => found,
                    Some(Err(why)) => {
                        troubles.push(format!("{}: {why}", origin.name));
                        continue;
                    }
                    None => continue,
                };
                let id = task.as_str().rsplit('/').next().unwrap_or_default();
                let before = troubles.len();
                let mut any = false;
                for container in &found.containers {
                    let Some(target) = &container.logs else { continue };
                    let Some(prefix) = &target.prefix else {
                        troubles.push(format!(
                            "{}: the log options of {definition} name no awslogs-stream-prefix, so no stream can be told",
                            origin.name
                        ));
                        continue;
                    };
                    let scope = in_region(&scope, target.region.as_ref());
                    let stream = format!("{prefix}/{}/{id}", container.name);
                    streams.entry((scope, target.group.clone())).or_default().push((stream.into(), from));
                    any = true;
                }
                if !any && troubles.len() == before {
                    troubles.push(format!("{}: {definition} does not log to CloudWatch", origin.name));
                }
            }
        }
    }
    (streams, hosts, troubles)
}

fn in_region(scope: &Scope, region: Option<&Text>) -> Scope {
    match region {
        Some(region) => Scope { region: region.as_str().into(), ..scope.clone() },
        None => scope.clone(),
    }
}

async fn look_up(
    reading: &Reading,
    scope: &Scope,
    definition: &Text,
) -> Result<crate::model::Definition, String> {
    let look = Look::Definitions { of: vec![definition.clone()] };
    match reading.asker.probe.look(scope, &look).await {
        Ok(Seen::Definitions(all)) => {
            all.into_iter().next().ok_or_else(|| format!("ECS does not know {definition} any more"))
        }
        Ok(_) => Err(format!("{definition} was not described")),
        Err(trouble) => Err(trouble.to_string()),
    }
}

/// Streams of one group.
struct Stand {
    probe: Arc<dyn FleetProbe>,
    clock: Clock,
    scope: Scope,
    group: Text,
    streams: Vec<(Text, u16)>,
    since: Timestamp,
    until: Option<Timestamp>,
    follows: bool,
    folds: HashMap<Text, Fold>,
    seen: HashMap<Text, Timestamp>,
    newest: Timestamp,
    tell: Tell,
}

impl Stand {
    fn new(
        reading: &Arc<Reading>,
        mask: &Arc<Mask>,
        scope: Scope,
        group: Text,
        streams: Vec<(Text, u16)>,
        tell: Tell,
    ) -> Self {
        let fold = |(stream, from): &(Text, u16)| (stream.clone(), Fold::new(*from, Arc::clone(mask)));
        Self {
            probe: Arc::clone(&reading.asker.probe),
            clock: reading.clock,
            scope,
            group,
            folds: streams.iter().map(fold).collect(),
            streams,
            since: reading.since,
            until: reading.until,
            follows: reading.follows,
            seen: HashMap::new(),
            newest: reading.since,
            tell,
        }
    }

    async fn say(&self, text: String) {
        self.tell.say(text).await;
    }

    /// The span that was asked for, then what is new.
    async fn read(mut self, send: mpsc::Sender<Vec<Line>>) {
        let begun = self.clock.now();
        let (mut token, mut pause) = (None, Duration::from_secs(1));
        loop {
            match self.page(self.since, token.clone()).await {
                Ok(page) => {
                    pause = Duration::from_secs(1);
                    token = page.next;
                    let mut lines = self.fold(page.events);
                    if token.is_none() && !self.follows {
                        lines.extend(self.folds.values_mut().filter_map(Fold::flush));
                    }
                    lines.sort_by_key(|line| line.at);
                    if !hand_on(&send, lines).await {
                        return;
                    }
                    if token.is_none() {
                        break;
                    }
                }
                Err(trouble) if trouble.kind == TroubleKind::NotFound && self.narrow().await => token = None,
                Err(trouble) if is_passing(&trouble) && pause < LONGEST_PAUSE => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(trouble) => {
                    self.say(format!("{} in {}: {trouble}", self.group, self.scope)).await;
                    break;
                }
            }
        }
        drop(send);
        if self.follows && !self.streams.is_empty() {
            self.follow(begun).await;
        }
    }

    async fn follow(mut self, begun: Timestamp) {
        let (mut pause, mut looks) = (AGAIN, 0_u32);
        self.newest = self.newest.max(begun.saturating_sub(LOOK_BACK).unwrap_or(begun)).min(begun);
        loop {
            tokio::time::sleep(pause).await;
            looks = looks.wrapping_add(1);
            let back = if looks.is_multiple_of(15) { LOOK_FAR_BACK } else { LOOK_BACK };
            let from = self.newest.saturating_sub(back).unwrap_or(self.newest).max(self.since);
            let forget = self.newest.saturating_sub(LOOK_FAR_BACK * 2).unwrap_or(self.newest);
            self.seen.retain(|_, at| *at >= forget);
            let mut token = None;
            loop {
                match self.page(from, token).await {
                    Ok(page) => {
                        pause = AGAIN;
                        token = page.next;
                        let mut lines = self.fold(page.events);
                        if token.is_none() {
                            lines.extend(self.folds.values_mut().filter_map(Fold::flush_old));
                        }
                        lines.sort_by_key(|line| line.at);
                        if !lines.is_empty() && self.tell.lines.send(lines).await.is_err() {
                            return;
                        }
                        if token.is_none() {
                            break;
                        }
                    }
                    Err(trouble) => {
                        if !is_passing(&trouble) {
                            self.say(format!("{} in {} is not followed: {trouble}", self.group, self.scope))
                                .await;
                            return;
                        }
                        if pause == AGAIN {
                            self.say(format!("{} in {} waits: {trouble}", self.group, self.scope)).await;
                        }
                        pause = (pause * 2).min(LONGEST_PAUSE);
                        break;
                    }
                }
            }
        }
    }

    async fn page(&self, from: Timestamp, token: Option<String>) -> Result<LogPage, Trouble> {
        let ask = LogAsk {
            group: self.group.clone(),
            streams: self.streams.iter().map(|(stream, _)| stream.clone()).collect(),
            from,
            until: self.until,
            limit: None,
            token,
        };
        match self.probe.look(&self.scope, &Look::LogEvents(ask)).await? {
            Seen::LogEvents(page) => Ok(page),
            _ => Ok(LogPage::default()),
        }
    }

    /// One stream that is not there fails the request for all: those that are there are asked for alone.
    /// Whether anything is left.
    async fn narrow(&mut self) -> bool {
        let mut there = Vec::new();
        for (stream, from) in &self.streams {
            let look = Look::LogStreams { group: self.group.clone(), prefix: stream.clone() };
            match self.probe.look(&self.scope, &look).await {
                Ok(Seen::LogStreams(found)) if found.contains(stream) => there.push((stream.clone(), *from)),
                Ok(_) => self.say(format!("the log stream {stream} of {} is not there", self.group)).await,
                Err(trouble) => self.say(format!("{} in {}: {trouble}", self.group, self.scope)).await,
            }
        }
        let is_fewer = there.len() < self.streams.len();
        self.streams = there;
        is_fewer && !self.streams.is_empty()
    }

    /// Folds events that were not seen yet.
    fn fold(&mut self, mut events: Vec<LogEvent>) -> Vec<Line> {
        events.sort_by_key(|event| event.at);
        let mut lines = Vec::new();
        for event in events {
            self.newest = self.newest.max(event.at);
            if self.follows && self.seen.insert(event.id, event.at).is_some() {
                continue;
            }
            if let Some(fold) = self.folds.get_mut(&event.stream) {
                lines.extend(fold.push(event.at, &event.text));
            }
        }
        // Only what may come again has to be remembered.
        if self.seen.len() > 50_000 {
            let forget = self.newest.saturating_sub(LOOK_FAR_BACK * 2).unwrap_or(self.newest);
            self.seen.retain(|_, at| *at >= forget);
        }
        lines
    }
}

fn is_passing(trouble: &Trouble) -> bool {
    matches!(
        trouble.kind,
        TroubleKind::Throttled | TroubleKind::Timeout | TroubleKind::Unreachable | TroubleKind::Server
    )
}

/// Hands lines on in batches. Whether there is still somebody who takes them.
async fn hand_on(send: &mpsc::Sender<Vec<Line>>, lines: Vec<Line>) -> bool {
    let mut lines = lines.into_iter().peekable();
    while lines.peek().is_some() {
        if send.send(lines.by_ref().take(BATCH).collect()).await.is_err() {
            return false;
        }
    }
    true
}
