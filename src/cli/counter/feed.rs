//! Reading a log for the screen: a task that ends when nobody looks at it any more.

use crate::cli::logs::{check_hosts, configured};
use crate::cli::reach::Tools;
use crate::error::Result;
use crate::logs::hostlog::Asker;
use crate::logs::{Feed, Fresh, Line, Reading, SOURCES, resolve, start};
use crate::ops::counter::{Answer, LogPart};
use jiff::SignedDuration;
use tokio::sync::mpsc;

/// How far back a log begins.
const BACK: SignedDuration = SignedDuration::from_mins(10);
/// Lines of one answer at most.
const BATCH: usize = 500;

/// Reads, and tells of it until nobody listens.
pub(super) async fn read(
    tools: Tools,
    names: Vec<String>,
    ticket: u64,
    may_put: bool,
    tell: mpsc::Sender<Answer>,
) {
    let answer = |part: LogPart| Answer::Log { ticket, part };
    let feed = match begin(&tools, &names, may_put).await {
        Ok((feed, part, troubles)) => {
            let troubles = troubles.into_iter().map(LogPart::Said);
            for part in std::iter::once(part).chain(troubles) {
                if tell.send(answer(part)).await.is_err() {
                    return;
                }
            }
            feed
        }
        Err(error) => {
            // Nobody is left to tell when the screen is closed.
            let _ = tell.send(answer(LogPart::Declined(error.into()))).await;
            return;
        }
    };
    pump(feed, |part| tell.send(answer(part))).await;
}

/// Hands on what comes, in batches; it is read no faster than it is taken.
async fn pump<F, E>(mut feed: Feed, tell: impl Fn(LogPart) -> F)
where
    F: Future<Output = std::result::Result<(), E>>,
{
    let mut batch: Vec<Line> = Vec::new();
    let (mut in_past, mut is_said) = (true, true);
    loop {
        let part = tokio::select! {
            biased;
            said = feed.said.recv(), if is_said => match said {
                Some(said) => LogPart::Said(said),
                None => { is_said = false; continue }
            },
            line = feed.past.next(), if in_past => match line {
                Some(line) => {
                    batch.push(line);
                    if batch.len() < BATCH { continue }
                    LogPart::Lines(std::mem::take(&mut batch))
                }
                None => {
                    in_past = false;
                    if tell(LogPart::Lines(std::mem::take(&mut batch))).await.is_err() { return }
                    LogPart::CaughtUp
                }
            },
            lines = feed.fresh.recv(), if !in_past => match lines {
                Some(Fresh::Lines(lines)) => LogPart::Lines(lines),
                Some(Fresh::Source(origin)) => LogPart::Joined {
                    source: crate::model::text::harmless(&origin.name).into_owned(),
                    only: origin.only,
                },
                None => {
                    while let Some(said) = feed.said.recv().await {
                        if tell(LogPart::Said(said)).await.is_err() { return }
                    }
                    // Nobody is left to tell when the screen is closed.
                    let _ = tell(LogPart::Over).await;
                    return;
                }
            },
        };
        if tell(part).await.is_err() {
            return;
        }
    }
}

async fn begin(tools: &Tools, names: &[String], may_put: bool) -> Result<(Feed, LogPart, Vec<String>)> {
    let world = tools.once(&SOURCES).await;
    let origins = resolve(&world.fleet, names)?;
    check_hosts(&origins, &tools.config)?;
    let now = tools.clock.now();
    let part = LogPart::Begun {
        sources: origins
            .iter()
            .map(|origin| crate::model::text::harmless(&origin.name).into_owned())
            .collect(),
        only: origins.iter().map(|origin| origin.only.clone()).collect(),
    };
    let asker = Asker {
        probe: tools.hands.probe.clone(),
        writer: tools.hands.writer.clone(),
        mark: format!("coredeck logs {:x}-{:x}", now.as_microsecond(), std::process::id()),
        may_put,
    };
    let reading = Reading {
        origins,
        since: now.saturating_sub(BACK).unwrap_or(now),
        until: None,
        follows: true,
        tail: None,
        sieve: None,
        asker,
        configured: configured(&tools.config),
        clock: tools.clock,
    };
    let (feed, troubles) = start(reading).await;
    Ok((feed, part, troubles))
}
