//! Streams of one group of CloudWatch Logs: the span that was asked for, then what is new, each event once.

use super::{Part, Reading, Tell, Way};
use crate::clock::Clock;
use crate::gateway::{FleetProbe, LogAsk, Look, Seen};
use crate::logs::fold::Fold;
use crate::logs::line::Line;
use crate::logs::mask::Mask;
use crate::logs::sieve::{Sieve, spans};
use crate::model::{LogEvent, LogPage, Scope, Text, Trouble, TroubleKind};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// From one look for new events to the next.
const AGAIN: Duration = Duration::from_secs(2);
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
    since: Timestamp,
    until: Option<Timestamp>,
    sieve: Option<Sieve>,
    follows: bool,
    folds: HashMap<Text, Fold>,
    seen: HashMap<Text, Timestamp>,
    newest: Timestamp,
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
            since: reading.since,
            until: reading.until,
            sieve: reading.sieve.clone(),
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
    pub(super) async fn read(mut self, way: Way) {
        let begun = self.clock.now();
        let is_read = match self.found(begun).await {
            Some(spans) => self.around(spans, &way).await,
            None => self.span(self.since, self.until, &way).await,
        };
        drop(way);
        if is_read && self.follows && !self.streams.is_empty() {
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
            let page = self.page((self.since, Some(until)), Some(pattern.clone()), token).await.ok()?;
            found.extend(page.events.iter().map(|event| event.at));
            token = page.next;
            if found.len() > MOST_FOUND {
                return None;
            }
            if token.is_none() {
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
        loop {
            match self.page((from, until), None, token.clone()).await {
                Ok(page) => {
                    pause = Duration::from_secs(1);
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
                        return self.narrow().await;
                    }
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(trouble) if trouble.kind == TroubleKind::NotFound && self.narrow().await => token = None,
                Err(trouble) if is_passing(&trouble) && pause < LONGEST_PAUSE => {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(trouble) => {
                    self.say(format!("{} in {}: {trouble}", self.group, self.scope)).await;
                    return true;
                }
            }
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
                match self.page((from, self.until), None, token).await {
                    Ok(page) => {
                        pause = AGAIN;
                        token = page.next;
                        let mut lines = self.fold(page.events);
                        if token.is_none() {
                            lines.extend(self.folds.values_mut().filter_map(Fold::flush_old));
                        }
                        lines.sort_by_key(|line| line.at);
                        if !self.tell.fresh(lines).await {
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
