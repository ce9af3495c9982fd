//! Streams of one group of CloudWatch Logs: the span that was asked for, then what is new, each event once.

use super::{Gaze, Part, Reading, Tell, Way, rests};
use crate::clock::Clock;
use crate::gateway::{FleetProbe, LogAsk, Look, Seen};
use crate::logs::fold::Fold;
use crate::logs::hostlog::is_passing;
use crate::logs::line::Line;
use crate::logs::mask::Mask;
use crate::logs::said::{Flow, Said};
use crate::logs::sieve::{Sieve, spans};
use crate::model::{LogEvent, LogPage, Scope, Text, Trouble, TroubleKind};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

/// From one look for new events to the next.
const AGAIN: Duration = Duration::from_secs(2);
/// Each so many looks for new events, streams that were missing are looked for.
const MISSING: u32 = 5;
/// How far each look for new events goes back.
const LOOK_BACK: SignedDuration = SignedDuration::from_secs(20);
/// How far every fifteenth goes back.
const LOOK_FAR_BACK: SignedDuration = SignedDuration::from_secs(180);
/// Events that are looked for at most: where more are found, all is read.
const MOST_FOUND: usize = 20_000;
/// The longest pause after looks that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Streams of one group.
pub(super) struct Stand {
    probe: Arc<dyn FleetProbe>,
    clock: Clock,
    scope: Scope,
    group: Text,
    streams: Vec<(Text, u16)>,
    /// Streams that are not there yet, or not any more.
    missing: Vec<(Text, u16)>,
    /// The last that was asked for could not be read, and that was said.
    failed: bool,
    /// AWS asks for patience, and that was said.
    waits: AtomicBool,
    since: Timestamp,
    until: Option<Timestamp>,
    sieve: Option<Sieve>,
    follows: bool,
    folds: HashMap<Text, Fold>,
    seen: HashMap<Text, Timestamp>,
    newest: Timestamp,
    gaze: watch::Receiver<Gaze>,
    tell: Tell,
}

impl Stand {
    pub(super) fn new(
        reading: &Arc<Reading>,
        mask: &Arc<Mask>,
        Part { scope, group, streams }: Part,
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
            failed: false,
            waits: AtomicBool::new(false),
            since: reading.since,
            until: reading.until,
            sieve: reading.sieve.clone(),
            follows: reading.follows,
            seen: HashMap::new(),
            newest: reading.since,
            gaze: reading.gaze.clone(),
            tell,
        }
    }

    async fn say(&self, flow: Flow, text: String) {
        let of = self.streams.iter().map(|(_, from)| *from).collect();
        self.tell.say(Said::turn(of, flow, text)).await;
    }

    /// The span that was asked for, then what is new.
    pub(super) async fn read(mut self, way: Way) {
        let begun = self.clock.now();
        let is_read = match self.found(begun).await {
            Some(spans) => self.around(spans, &way).await,
            None => self.span(self.since, self.until, &way).await,
        };
        drop(way);
        if is_read && !self.failed {
            self.say(Flow::Comes, String::new()).await;
        }
        if is_read && self.follows && !(self.streams.is_empty() && self.missing.is_empty()) {
            self.follow(begun).await;
        }
    }

    /// Where lines that are wanted stand; none where CloudWatch cannot be asked, or so many are that all is read.
    async fn found(&mut self, begun: Timestamp) -> Option<Vec<(Timestamp, Timestamp)>> {
        let pattern = self.sieve.as_ref()?.pattern.clone();
        let until = self.until.unwrap_or(begun).min(begun);
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            // Whatever is wrong, and be it that the pattern is not taken, shows when all is read.
            let span = (self.since, Some(until));
            let page = self.patiently(|| self.page(span, Some(pattern.clone()), token.clone())).await.ok()?;
            found.extend(page.events.iter().map(|event| event.at));
            token = page.next;
            if found.len() > MOST_FOUND {
                return None;
            }
            if token.is_none() {
                self.tell.searched.store(true, Ordering::Relaxed);
                return spans(found, self.since, until);
            }
        }
    }

    /// Reads these spans. Whether somebody still takes what is read.
    async fn around(&mut self, spans: Vec<(Timestamp, Timestamp)>, way: &Way) -> bool {
        for (from, to) in spans {
            if !self.span(from, Some(to), way).await {
                return false;
            }
            // Whatever stands open belongs to nothing in the next span.
            let lines = self.folds.values_mut().filter_map(Fold::flush).collect();
            if !way.hand_on(lines).await {
                return false;
            }
        }
        true
    }

    /// Reads a span. Whether somebody still takes what is read.
    async fn span(&mut self, from: Timestamp, until: Option<Timestamp>, way: &Way) -> bool {
        let (mut token, mut pause) = (None, Duration::from_secs(1));
        // Where no stream is named, AWS means all of the group.
        while !self.streams.is_empty() {
            match self.patiently(|| self.page((from, until), None, token.clone())).await {
                Ok(page) => {
                    token = page.next;
                    let mut lines = self.fold(page.events);
                    if token.is_none() && !self.follows {
                        lines.extend(self.folds.values_mut().filter_map(Fold::flush));
                    }
                    lines.sort_by_key(|line| line.at);
                    if !way.hand_on(lines).await {
                        return false;
                    }
                    if token.is_none() {
                        return true;
                    }
                }
                // The stream of a task that has just begun is made with its first line.
                Err(trouble) if trouble.kind == TroubleKind::NotFound && matches!(way, Way::Fresh(_)) => {
                    if pause >= LONGEST_PAUSE {
                        return self.narrow().await || !self.streams.is_empty();
                    }
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(trouble) if trouble.kind == TroubleKind::NotFound && self.narrow().await => token = None,
                Err(trouble) => {
                    self.failed = true;
                    let flow = if self.follows { Flow::Waits } else { Flow::Ended };
                    self.say(flow, format!("{} in {}: {trouble}", self.group, self.scope)).await;
                    return true;
                }
            }
        }
        true
    }

    async fn follow(mut self, begun: Timestamp) {
        let (mut pause, mut looks) = (AGAIN, 0_u32);
        // What could not be read before is read now, and comes late.
        let mut is_behind = self.failed;
        if !is_behind {
            self.newest = self.newest.max(begun.saturating_sub(LOOK_BACK).unwrap_or(begun)).min(begun);
        }
        loop {
            rests(&mut self.gaze, pause).await;
            looks = looks.wrapping_add(1);
            let back = if looks.is_multiple_of(15) { LOOK_FAR_BACK } else { LOOK_BACK };
            let from = self.newest.saturating_sub(back).unwrap_or(self.newest).max(self.since);
            let forget = self.newest.saturating_sub(LOOK_FAR_BACK * 2).unwrap_or(self.newest);
            self.seen.retain(|_, at| *at >= forget);
            if looks.is_multiple_of(MISSING) {
                self.seek().await;
            }
            let mut token = None;
            while !self.streams.is_empty() {
                match self.page((from, self.until), None, token).await {
                    Ok(page) => {
                        pause = AGAIN;
                        if std::mem::take(&mut self.failed) {
                            self.say(Flow::Comes, String::new()).await;
                        }
                        token = page.next;
                        let mut lines = self.fold(page.events);
                        if token.is_none() {
                            lines.extend(self.folds.values_mut().filter_map(Fold::flush_old));
                        }
                        lines.sort_by_key(|line| line.at);
                        let is_taken = match is_behind {
                            true => Way::Late(self.tell.clone()).hand_on(lines).await,
                            false => self.tell.fresh(lines).await,
                        };
                        if !is_taken {
                            return;
                        }
                        if token.is_none() {
                            is_behind = false;
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
                        if !std::mem::replace(&mut self.failed, true) {
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

    /// Asks, and again after longer and longer pauses where AWS asks for patience or does not answer: what it refused
    /// so was not read, and nothing of it is lost. It is said as long as that lasts.
    async fn patiently<T, F>(&self, ask: impl Fn() -> F + Sync) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Trouble>> + Send,
    {
        let mut pause = Duration::from_secs(1);
        loop {
            let answer = ask().await;
            match answer {
                Err(trouble) if is_passing(&trouble) && pause <= patience(&trouble) => {
                    if !self.waits.swap(true, Ordering::Relaxed) {
                        let text =
                            format!("{} in {} is asked again and again: {trouble}", self.group, self.scope);
                        self.say(Flow::Waits, text).await;
                    }
                    tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
                    pause *= 2;
                }
                answer => {
                    if self.waits.swap(false, Ordering::Relaxed) && answer.is_ok() && !self.failed {
                        self.say(Flow::Comes, String::new()).await;
                    }
                    return answer;
                }
            }
        }
    }

    async fn page(
        &self,
        (from, until): (Timestamp, Option<Timestamp>),
        pattern: Option<String>,
        token: Option<String>,
    ) -> Result<LogPage, Trouble> {
        let ask = LogAsk {
            group: self.group.clone(),
            streams: self.streams.iter().map(|(stream, _)| stream.clone()).collect(),
            from,
            until,
            pattern,
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
        let ask = || self.probe.look(&self.scope, &look);
        // Whoever follows goes on with the streams that are there, and looks for this one again later.
        let seen = if self.follows { ask().await? } else { self.patiently(ask).await? };
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

/// The longest step up to which the pauses grow while it lasts: half a minute in all for an answer that does not come,
/// and some minutes for a service that answers and asks to be asked later.
fn patience(trouble: &Trouble) -> Duration {
    match trouble.kind {
        TroubleKind::Throttled => LONGEST_PAUSE * 16,
        _ => LONGEST_PAUSE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::fake::{Probe, scope};
    use tokio::sync::mpsc;

    #[tokio::test]
    async fn streams_that_are_missing_are_looked_for_again_and_one_that_cannot_be_looked_up_stays() {
        let probe = Probe::new(&[("g", 1)], None);
        let reading = Arc::new(probe.reading(&["g"]));
        let (lines, _lines) = mpsc::channel(8);
        let (say, mut said) = mpsc::channel(8);
        let streams =
            vec![("p/core/t1".into(), 0), ("gone".into(), 1), ("hidden".into(), 2), ("more".into(), 0)];
        let part = Part { scope: scope(), group: "g".into(), streams };
        let mut stand =
            Stand::new(&reading, &Arc::default(), part, Tell { lines, say, searched: Arc::default() });
        let names = |of: &[(Text, u16)]| of.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
        assert!(stand.narrow().await);
        assert_eq!(names(&stand.streams), ["p/core/t1", "hidden"]);
        assert_eq!(names(&stand.missing), ["gone", "more"]);
        let mut flows = Vec::new();
        while let Ok(said) = said.try_recv() {
            assert!(!said.text.is_empty());
            flows.push((said.of, said.flow));
        }
        let waits = (vec![1], Some(Flow::Waits));
        assert_eq!(flows, [(vec![], None), waits, (vec![0], None)], "the first comes by its other stream");
        assert!(!stand.narrow().await, "nothing else to leave out");
        if let Some(streams) = probe.groups.lock().unwrap().get_mut("g") {
            streams.insert("gone".into(), Vec::new());
        }
        stand.seek().await;
        assert_eq!(names(&stand.streams), ["p/core/t1", "hidden", "gone"]);
        assert_eq!(names(&stand.missing), ["more"]);
    }
}
