//! Reading: a task for each place that lines come from, every channel with a bound.
//!
//! First the span that was asked for, in the order of time; then, where somebody follows, again and again what is
//! new. Events come late: each reading looks back over a window, and ids that were seen are not shown twice.

mod host;
mod later;
mod stand;

use super::hostlog::Asker;
use super::line::Line;
use super::mask::Mask;
use super::merge::Merge;
use super::origin::{Origin, Place};
use super::said::{Flow, Said};
use super::sieve::Sieve;
use crate::clock::Clock;
use crate::gateway::{Look, Seen};
use crate::model::{Scope, Text};
use host::{Desk, Host, Source};
use jiff::Timestamp;
use stand::Stand;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Streams that one request names.
const STREAMS: usize = 100;
/// Batches that wait between two tasks.
const WAITING: usize = 4;
/// Lines of a batch at most.
const BATCH: usize = 2_000;

/// How many times as long somebody who does not look waits for what is new.
const AWAY: u32 = 6;

/// How closely whoever follows looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gaze {
    /// At every line.
    #[default]
    Here,
    /// Elsewhere: the window of the terminal has lost the focus.
    Away,
}

impl Gaze {
    /// A gaze that never turns away.
    pub fn steady() -> watch::Receiver<Self> {
        watch::channel(Self::Here).1
    }

    /// From one look to the next, where the usual pause is this.
    fn pause(self, usual: Duration) -> Duration {
        match self {
            Self::Here => usual,
            Self::Away => usual.saturating_mul(AWAY),
        }
    }
}

/// Waits until it is time to look again, much longer while nobody looks. Whoever looks again sees at once what is new.
async fn rests(gaze: &mut watch::Receiver<Gaze>, usual: Duration) {
    rests_by(gaze, |gaze| gaze.pause(usual)).await;
}

/// The same by another measure; how was looked in the end.
async fn rests_by(gaze: &mut watch::Receiver<Gaze>, pause: impl Fn(Gaze) -> Duration) -> Gaze {
    let begun = tokio::time::Instant::from_std(crate::clock::monotonic());
    loop {
        let now = *gaze.borrow_and_update();
        let until = begun + pause(now);
        tokio::select! {
            () = tokio::time::sleep_until(until) => return now,
            turned = gaze.changed() => if turned.is_err() {
                // It stays as it is.
                tokio::time::sleep_until(until).await;
                return now;
            },
        }
    }
}

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
    /// What CloudWatch is asked for, of the span that is over; none for all.
    pub sieve: Option<Sieve>,
    /// Asks hosts, and sees everything else.
    pub asker: Asker,
    /// Where docker's lines are by configuration: group, and stream with `{core}`, `{container}`, `{instance}`.
    pub configured: Option<(Text, Text)>,
    /// The time.
    pub clock: Clock,
    /// How closely is followed.
    pub gaze: watch::Receiver<Gaze>,
}

/// A reading that goes on.
pub struct Feed {
    /// The span that was asked for, by time.
    pub past: Merge,
    /// What comes afterwards; ends at once where nobody follows. While it is not taken, nothing new is read.
    pub fresh: mpsc::Receiver<Fresh>,
    /// What is to be known of what is shown, or not shown; ends when nothing is read any more. To be taken always.
    pub said: mpsc::Receiver<Said>,
    /// Ends it.
    pub stop: CancellationToken,
    /// Whether CloudWatch was asked for some lines only, of any of the sources.
    pub searched: Arc<AtomicBool>,
    later: mpsc::WeakSender<Fresh>,
}

/// Something new.
#[derive(Clone, Debug, PartialEq)]
pub enum Fresh {
    /// Lines, by time.
    Lines(Vec<Line>),
    /// Lines of the past, by time: they could not be read when the others' were, or were not waited for.
    Late(Vec<Line>),
    /// A task that began later. It stands behind all sources so far; its lines come after this.
    Source(Origin),
}

impl Feed {
    /// Waits no longer for the past of those that have none to show now: it comes late. Which sources these are.
    pub fn leave_behind(&mut self) -> Vec<u16> {
        // Nobody comes late where nobody reads any more.
        let Some(later) = self.later.upgrade() else { return Vec::new() };
        let mut all = Vec::new();
        for (of, mut reading) in self.past.leave_behind() {
            all.extend(of);
            let (later, stop) = (later.clone(), self.stop.clone());
            let hand_on = async move {
                while let Some(lines) = reading.recv().await {
                    if later.send(Fresh::Late(lines)).await.is_err() {
                        return;
                    }
                }
            };
            tokio::spawn(async move {
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
    let (say, said) = mpsc::channel(WAITING * 4);
    let later = lines.downgrade();
    let searched = Arc::<AtomicBool>::default();
    let tell = Tell { lines, say, searched: Arc::clone(&searched) };
    let stop = CancellationToken::new();
    let mut past = Vec::new();
    let sorted = sort(&reading, (0..).zip(&reading.origins)).await;
    let reading = Arc::new(reading);
    let mask = Arc::new(Mask::default());
    for part in sorted.parts() {
        let (send, batches) = mpsc::channel(WAITING);
        past.push((part.streams.iter().map(|(_, from)| *from).collect(), batches));
        let stand = Stand::new(&reading, &mask, part, tell.clone());
        let stop = stop.clone();
        tokio::spawn(async move {
            tokio::select! { () = stop.cancelled() => {} () = stand.read(Way::Past(send)) => {} }
        });
    }
    for host in sorted.hosts {
        let mut sends = Vec::new();
        for source in &host.sources {
            let (send, batches) = mpsc::channel(WAITING);
            past.push((vec![source.from], batches));
            sends.push(send);
        }
        let (reading, mask, tell) = (Arc::clone(&reading), Arc::clone(&mask), tell.clone());
        let (desk, stop) = (Desk { reading, mask, tell, stop: stop.clone() }, stop.clone());
        tokio::spawn(async move {
            tokio::select! { () = stop.cancelled() => {} () = host.read(desk, sends) => {} }
        });
    }
    if reading.follows {
        later::watch(&reading, &mask, &tell, &stop);
    }
    (Feed { past: Merge::new(past), fresh, said, stop, searched, later }, sorted.troubles)
}

/// Where what is read goes.
#[derive(Clone)]
struct Tell {
    /// CloudWatch was asked to search.
    searched: Arc<AtomicBool>,
    lines: mpsc::Sender<Fresh>,
    say: mpsc::Sender<Said>,
}

impl Tell {
    async fn say(&self, said: Said) {
        // Nobody is left to tell when the reader has gone.
        let _ = self.say.send(said).await;
    }

    /// Hands new lines on. Whether there is still somebody who takes them.
    async fn fresh(&self, lines: Vec<Line>) -> bool {
        lines.is_empty() || self.lines.send(Fresh::Lines(lines)).await.is_ok()
    }
}

/// Which way the lines of a span go.
enum Way {
    /// To be put together with others by time.
    Past(mpsc::Sender<Vec<Line>>),
    /// As something new.
    Fresh(Tell),
    /// As something old that others do not wait for.
    Late(Tell),
}

impl Way {
    /// Hands lines on in batches. Whether there is still somebody who takes them.
    async fn hand_on(&self, lines: Vec<Line>) -> bool {
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            let batch = lines.by_ref().take(BATCH).collect();
            let is_taken = match self {
                Self::Past(send) => send.send(batch).await.is_ok(),
                Self::Fresh(tell) => tell.fresh(batch).await,
                Self::Late(tell) => tell.lines.send(Fresh::Late(batch)).await.is_ok(),
            };
            if !is_taken {
                return false;
            }
        }
        true
    }
}

/// Streams of one group, each with the source that it belongs to.
struct Part {
    scope: Scope,
    group: Text,
    streams: Vec<(Text, u16)>,
}

/// Where lines of some origins are.
#[derive(Default)]
struct Sorted {
    streams: BTreeMap<(Scope, Text), Vec<(Text, u16)>>,
    hosts: Vec<Host>,
    troubles: Vec<Said>,
}

impl Sorted {
    /// Streams that one request can name.
    fn parts(&self) -> impl Iterator<Item = Part> {
        self.streams.iter().flat_map(|((scope, group), streams)| {
            streams.chunks(STREAMS).map(|part| Part {
                scope: scope.clone(),
                group: group.clone(),
                streams: part.to_vec(),
            })
        })
    }
}

/// What is read from CloudWatch, and what from hosts.
async fn sort(reading: &Reading, origins: impl Iterator<Item = (u16, &Origin)>) -> Sorted {
    let Sorted { mut streams, mut hosts, mut troubles } = Sorted::default();
    let mut definitions: BTreeMap<(Scope, Text), Result<crate::model::Definition, String>> = BTreeMap::new();
    for (from, origin) in origins {
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
                None => {
                    let source = Source { name: origin.name.clone(), container: container.clone(), from };
                    let same = |host: &&mut Host| host.scope == scope && host.instance == *instance;
                    match hosts.iter_mut().find(same) {
                        Some(host) => host.sources.push(source),
                        None => {
                            hosts.push(Host { scope, instance: instance.clone(), sources: vec![source] });
                        }
                    }
                }
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
                let (mut has_bare, mut any) = (false, false);
                for container in &found.containers {
                    let Some(target) = &container.logs else { continue };
                    let Some(prefix) = &target.prefix else {
                        has_bare = true;
                        continue;
                    };
                    let scope = in_region(&scope, target.region.as_ref());
                    let stream = format!("{prefix}/{}/{id}", container.name);
                    streams.entry((scope, target.group.clone())).or_default().push((stream.into(), from));
                    any = true;
                }
                let bare = format!(
                    "the log options of {definition} name no awslogs-stream-prefix, so no stream can be told"
                );
                match (any, has_bare) {
                    (true, true) => troubles.push(Said::note(format!("{}: {bare}", origin.name))),
                    (true, false) => {}
                    (false, true) => troubles.push(never(bare)),
                    (false, false) => {
                        troubles.push(never(format!("{definition} does not log to CloudWatch")));
                    }
                }
            }
        }
    }
    Sorted { streams, hosts, troubles }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_looks_away_waits_longer() {
        let usual = Duration::from_secs(10);
        assert_eq!(Gaze::Here.pause(usual), usual);
        assert_eq!(Gaze::Away.pause(usual), Duration::from_secs(60));
    }

    #[tokio::test]
    async fn who_looks_again_waits_no_longer_than_if_he_had_looked_all_the_time() {
        let (turn, mut gaze) = watch::channel(Gaze::Away);
        // An hour and more as long as nobody looks, and nothing once somebody does.
        let usual = |gaze: Gaze| if gaze == Gaze::Away { Duration::from_secs(3_600) } else { Duration::ZERO };
        let back = async { turn.send_replace(Gaze::Here) };
        let (over, _) = tokio::join!(rests_by(&mut gaze, usual), back);
        assert_eq!(over, Gaze::Here);
    }
}
