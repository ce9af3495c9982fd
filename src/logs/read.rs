//! Reading: a task for each place that lines come from, every channel with a bound.
//!
//! First the span that was asked for, in the order of time; then, where somebody follows, again and again what is
//! new. Events come late: each reading looks back over a window, and ids that were seen are not shown twice.

mod host;
mod tell;

use super::fold::Fold;
use super::hostlog::Asker;
use super::line::Line;
use super::mask::Mask;
use super::merge::Merge;
use super::origin::{Origin, Place};
use super::said::{Flow, Said};
use crate::clock::Clock;
use crate::gateway::{FleetProbe, LogAsk, Look, Seen};
use crate::model::{LogEvent, LogPage, Scope, Text, Trouble, TroubleKind};
use host::Host;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tell::{Tell, hand_on};
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
/// Each so many looks for new events, streams that were missing are looked for.
const MISSING: u32 = 5;
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
    /// Lines of the past of those that could not be read in time, in batches by time. To be taken with what is new.
    pub late: mpsc::Receiver<Vec<Line>>,
    /// What is to be known of what is shown, or not shown; ends when nothing is read any more. To be taken always.
    pub said: mpsc::Receiver<Said>,
    /// Ends it.
    pub stop: CancellationToken,
    later: mpsc::WeakSender<Vec<Line>>,
}

impl Feed {
    /// Waits no longer for the past of those that have shown none: it comes late. Which sources these are.
    pub fn leave_behind(&mut self) -> Vec<u16> {
        // Nobody comes late where nobody reads any more.
        let Some(late) = self.later.upgrade() else { return Vec::new() };
        let mut all = Vec::new();
        for (of, mut reading) in self.past.leave_behind() {
            all.extend(of);
            let (late, stop) = (late.clone(), self.stop.clone());
            tokio::spawn(async move {
                let hand_on = async {
                    while let Some(lines) = reading.recv().await {
                        if late.send(lines).await.is_err() {
                            return;
                        }
                    }
                };
                tokio::select! { () = stop.cancelled() => {} () = hand_on => {} }
            });
        }
        all
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Begins to read.
///
/// Beside it a sentence for each origin of which nothing can be read; the others are read all the same.
pub async fn start(reading: Reading) -> (Feed, Vec<Said>) {
    let (lines, fresh) = mpsc::channel(WAITING);
    let (late, lates) = mpsc::channel(WAITING);
    let (say, said) = mpsc::channel(WAITING * 4);
    let later = late.downgrade();
    let tell = Tell { lines, late, say };
    let stop = CancellationToken::new();
    let mut past = Vec::new();
    let (streams, hosts, troubles) = sort(&reading).await;
    let reading = Arc::new(reading);
    let mask = Arc::new(Mask::default());
    for ((scope, group), streams) in streams {
        for part in streams.chunks(STREAMS) {
            let (send, batches) = mpsc::channel(WAITING);
            past.push((part.iter().map(|(_, from)| *from).collect(), batches));
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
        past.push((vec![host.from], batches));
        let (reading, mask, tell, stop) =
            (Arc::clone(&reading), Arc::clone(&mask), tell.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! { () = stop.cancelled() => {} () = host.read(reading, mask, send, tell) => {} }
        });
    }
    (Feed { past: Merge::new(past), fresh, late: lates, said, stop, later }, troubles)
}

type Streams = BTreeMap<(Scope, Text), Vec<(Text, u16)>>;

/// What is read from CloudWatch, and what from hosts.
async fn sort(reading: &Reading) -> (Streams, Vec<Host>, Vec<Said>) {
    let (mut streams, mut hosts, mut troubles) = (Streams::new(), Vec::new(), Vec::new());
    let mut definitions: BTreeMap<(Scope, Text), Result<crate::model::Definition, String>> = BTreeMap::new();
    for (from, origin) in (0_u16..).zip(&reading.origins) {
        let scope = Scope::clone(&origin.scope);
        let never = |why: String| Said::turn(vec![from], Flow::Ended, format!("{}: {why}", origin.name));
        troubles.extend(origin.doubt.clone().map(Said::note));
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
                        troubles.push(never(why.clone()));
                        continue;
                    }
                    None => continue,
                };
                let id = task.as_str().rsplit('/').next().unwrap_or_default();
                let mut without_prefix = false;
                let mut any = false;
                for container in &found.containers {
                    let Some(target) = &container.logs else { continue };
                    let Some(prefix) = &target.prefix else {
                        without_prefix = true;
                        continue;
                    };
                    let scope = in_region(&scope, target.region.as_ref());
                    let stream = format!("{prefix}/{}/{id}", container.name);
                    streams.entry((scope, target.group.clone())).or_default().push((stream.into(), from));
                    any = true;
                }
                let why = match without_prefix {
                    true => format!(
                        "the log options of {definition} name no awslogs-stream-prefix, so no stream can be told"
                    ),
                    false => format!("{definition} does not log to CloudWatch"),
                };
                match any {
                    true if without_prefix => troubles.push(Said::note(format!("{}: {why}", origin.name))),
                    true => {}
                    false => troubles.push(never(why)),
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
    /// Streams that are not there yet, or not any more.
    missing: Vec<(Text, u16)>,
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
            missing: Vec::new(),
            since: reading.since,
            until: reading.until,
            follows: reading.follows,
            seen: HashMap::new(),
            newest: reading.since,
            tell,
        }
    }

    async fn say(&self, flow: Flow, text: String) {
        let of = self.streams.iter().map(|(_, from)| *from).collect();
        self.tell.say(Said::turn(of, flow, text)).await;
    }

    /// The span that was asked for, then what is new.
    async fn read(mut self, send: mpsc::Sender<Vec<Line>>) {
        let begun = self.clock.now();
        let (mut token, mut pause) = (None, Duration::from_secs(1));
        let mut failed = false;
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
                Err(trouble) if trouble.kind == TroubleKind::NotFound && self.narrow().await => {
                    token = None;
                    if self.streams.is_empty() {
                        break;
                    }
                }
                Err(trouble) if is_passing(&trouble) && pause < LONGEST_PAUSE => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(trouble) => {
                    failed = true;
                    let flow = if self.follows { Flow::Waits } else { Flow::Ended };
                    self.say(flow, format!("{} in {}: {trouble}", self.group, self.scope)).await;
                    break;
                }
            }
        }
        drop(send);
        if !failed {
            self.say(Flow::Comes, String::new()).await;
        }
        if self.follows && !(self.streams.is_empty() && self.missing.is_empty()) {
            self.follow(begun, failed).await;
        }
    }

    async fn follow(mut self, begun: Timestamp, mut failed: bool) {
        let (mut pause, mut looks) = (AGAIN, 0_u32);
        self.newest = self.newest.max(begun.saturating_sub(LOOK_BACK).unwrap_or(begun)).min(begun);
        loop {
            tokio::time::sleep(pause).await;
            looks = looks.wrapping_add(1);
            let back = if looks.is_multiple_of(15) { LOOK_FAR_BACK } else { LOOK_BACK };
            let from = self.newest.saturating_sub(back).unwrap_or(self.newest).max(self.since);
            let forget = self.newest.saturating_sub(LOOK_FAR_BACK * 2).unwrap_or(self.newest);
            self.seen.retain(|_, at| *at >= forget);
            if looks.is_multiple_of(MISSING) {
                self.seek().await;
            }
            if self.streams.is_empty() {
                continue;
            }
            let mut token = None;
            loop {
                match self.page(from, token).await {
                    Ok(page) => {
                        pause = AGAIN;
                        if std::mem::take(&mut failed) {
                            self.say(Flow::Comes, String::new()).await;
                        }
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
                    Err(trouble) if trouble.kind == TroubleKind::NotFound && self.narrow().await => break,
                    Err(trouble) => {
                        if !is_passing(&trouble) {
                            let why = format!("{} in {} is not followed: {trouble}", self.group, self.scope);
                            self.say(Flow::Ended, why).await;
                            return;
                        }
                        if !std::mem::replace(&mut failed, true) {
                            let why = format!("{} in {} waits: {trouble}", self.group, self.scope);
                            self.say(Flow::Waits, why).await;
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

    /// One stream that is not there fails the request for all: those that are there are asked for alone, and the
    /// others again and again where somebody follows. Whether any was taken out.
    async fn narrow(&mut self) -> bool {
        let before = self.streams.len();
        let mut gone = Vec::new();
        for (stream, from) in std::mem::take(&mut self.streams) {
            match self.is_there(&stream).await {
                Ok(true) => self.streams.push((stream, from)),
                Ok(false) => gone.push((stream, from)),
                // It may well be there.
                Err(trouble) => {
                    self.tell.say(Said::note(format!("{} in {}: {trouble}", self.group, self.scope))).await;
                    self.streams.push((stream, from));
                }
            }
        }
        for (stream, from) in gone {
            let (flow, yet) = if self.follows { (Flow::Waits, " yet") } else { (Flow::Ended, "") };
            let text = format!("the log stream {stream} of {} is not there{yet}", self.group);
            // A task may have several, and come by one of them.
            let comes = self.streams.iter().any(|(_, other)| *other == from);
            let flow = (!comes).then_some(flow);
            self.tell.say(Said { text, of: vec![from], flow }).await;
            self.missing.push((stream, from));
        }
        self.streams.len() < before
    }

    /// Takes in what was missing and is there now.
    async fn seek(&mut self) {
        for (stream, from) in std::mem::take(&mut self.missing) {
            // What cannot be looked up now is looked up again.
            if matches!(self.is_there(&stream).await, Ok(true)) {
                self.tell.say(Said::turn(vec![from], Flow::Comes, "")).await;
                self.streams.push((stream, from));
            } else {
                self.missing.push((stream, from));
            }
        }
    }

    async fn is_there(&self, stream: &Text) -> Result<bool, Trouble> {
        let look = Look::LogStreams { group: self.group.clone(), prefix: stream.clone() };
        let seen = self.probe.look(&self.scope, &look).await?;
        Ok(matches!(seen, Seen::LogStreams(found) if found.contains(stream)))
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
