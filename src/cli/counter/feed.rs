//! Reading a log for the screen: a task that ends when nobody looks at it any more.

use crate::cli::logs::{check_hosts, configured};
use crate::cli::reach::{Shown, Tools};
use crate::error::Result;
use crate::logs::hostlog::Asker;
use crate::logs::{
    Feed, Flow, Fresh, Gaze, Line, Origin, PLACES, Reading, SOURCES, Said, Sought, called, resolve, start,
};
use crate::model::text::harmless;
use crate::ops::counter::{Answer, LogPart};
use jiff::SignedDuration;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// How far back a log begins.
const BACK: SignedDuration = SignedDuration::from_mins(10);
/// How long the past of one is waited for while others have theirs.
const PATIENCE: Duration = Duration::from_secs(3);
/// Lines of one answer at most.
const BATCH: usize = 500;

/// Reads, and tells of it until nobody listens.
pub(super) async fn read(
    tools: Tools,
    shown: Shown,
    of: Sought,
    ticket: u64,
    may_put: bool,
    gaze: watch::Receiver<Gaze>,
    tell: mpsc::Sender<Answer>,
) {
    let answer = |part: LogPart| Answer::Log { ticket, part };
    let (feed, names) = match begin(&tools, &shown, of, may_put, gaze).await {
        Ok((feed, origins, troubles)) => {
            let names: Vec<String> =
                called(&origins).iter().map(|name| harmless(name).into_owned()).collect();
            let only = origins.into_iter().map(|origin| origin.only).collect();
            let part = LogPart::Begun { sources: names.clone(), only };
            let troubles = troubles.into_iter().map(LogPart::Said);
            for part in std::iter::once(part).chain(troubles) {
                if tell.send(answer(part)).await.is_err() {
                    return;
                }
            }
            (feed, names)
        }
        Err(error) => {
            // Nobody is left to tell when the screen is closed.
            let _ = tell.send(answer(LogPart::Declined(error.into()))).await;
            return;
        }
    };
    pump(feed, &names, PATIENCE, |part| tell.send(answer(part))).await;
}

/// Hands on what comes, in batches; it is read no faster than it is taken.
async fn pump<F, E>(mut feed: Feed, names: &[String], patience: Duration, tell: impl Fn(LogPart) -> F)
where
    F: Future<Output = std::result::Result<(), E>>,
{
    let mut batch: Vec<Line> = Vec::new();
    let (mut in_past, mut is_said) = (true, true);
    // Those whose past nobody waits for, until something of it comes.
    let mut left: Vec<u16> = Vec::new();
    loop {
        let part = tokio::select! {
            biased;
            said = feed.said.recv(), if is_said => match said {
                Some(said) => LogPart::Said(said),
                None => { is_said = false; continue }
            },
            line = timeout(patience, feed.past.next()), if in_past => match line {
                Ok(Some(line)) => {
                    batch.push(line);
                    if batch.len() < BATCH { continue }
                    LogPart::Lines(std::mem::take(&mut batch))
                }
                Ok(None) => {
                    in_past = false;
                    if tell(LogPart::Lines(std::mem::take(&mut batch))).await.is_err() { return }
                    LogPart::CaughtUp
                }
                // One that is slow keeps nobody from what the others wrote.
                Err(_) => match feed.leave_behind() {
                    of if of.is_empty() => continue,
                    of => {
                        left.extend(&of);
                        LogPart::Said(behind(of, names))
                    }
                },
            },
            lines = feed.fresh.recv(), if !in_past => match lines {
                Some(Fresh::Lines(lines)) => LogPart::Lines(lines),
                Some(Fresh::Late(lines)) => {
                    let comes = |of: &u16| lines.iter().any(|line| line.from == *of);
                    let here: Vec<u16> = left.extract_if(.., |of| comes(of)).collect();
                    let said = Said::turn(here, Flow::Comes, "");
                    if !said.of.is_empty() && tell(LogPart::Said(said)).await.is_err() { return }
                    LogPart::Late(lines)
                }
                Some(Fresh::Source(origin)) => LogPart::Joined {
                    source: harmless(&origin.name).into_owned(),
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

/// What is said of those that were not waited for.
fn behind(of: Vec<u16>, names: &[String]) -> Said {
    let called = |from: &u16| names.get(usize::from(*from)).map(String::as_str);
    let mut all: Vec<&str> = of.iter().filter_map(called).collect();
    all.dedup();
    let text = format!("not here yet: {}; what they wrote is put in its place when it comes", all.join(", "));
    Said::turn(of, Flow::Waits, text)
}

async fn begin(
    tools: &Tools,
    shown: &Shown,
    of: Sought,
    may_put: bool,
    gaze: watch::Receiver<Gaze>,
) -> Result<(Feed, Vec<Origin>, Vec<Said>)> {
    // Who serves a tenant is told by load balancers too.
    let sources = if of.name.starts_with("tenant/") { &SOURCES[..] } else { &PLACES[..] };
    let origins = {
        let world = tools.at_hand(Some(shown), sources, of.scope.as_deref()).await;
        resolve(&world.fleet, &[of])?
    };
    check_hosts(&origins, &tools.config)?;
    let now = tools.clock.now();
    let mark = format!("coredeck logs {:x}-{:x}", now.as_microsecond(), std::process::id());
    let reading = Reading {
        origins: origins.clone(),
        since: now.saturating_sub(BACK).unwrap_or(now),
        until: None,
        follows: true,
        tail: None,
        sieve: None,
        asker: Asker::new(tools.hands.probe.clone(), tools.hands.writer.clone(), mark, may_put),
        configured: configured(&tools.config),
        clock: tools.clock,
        gaze,
    };
    let (feed, troubles) = start(reading).await;
    Ok((feed, origins, troubles))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::fake::Probe;

    #[tokio::test]
    async fn one_that_is_slow_keeps_nobody_from_what_the_others_wrote_and_its_lines_come_late() {
        let probe = Probe::new(&[("fast", 3), ("slow", 3)], Some("slow"));
        let (feed, troubles) = start(probe.reading(&["fast", "slow"])).await;
        assert_eq!(troubles, []);
        let (tell, mut told) = mpsc::channel(64);
        let names = ["fast".to_owned(), "slow".to_owned()];
        let pumping = tokio::spawn(async move {
            pump(feed, &names, Duration::from_millis(1), |part| tell.send(part)).await;
        });
        let (mut waits, mut is_caught_up) = (false, false);
        while !is_caught_up {
            match told.recv().await.unwrap() {
                LogPart::Lines(lines) | LogPart::Late(lines) => {
                    assert!(lines.iter().all(|line| line.from == 0), "{lines:?}");
                }
                LogPart::Said(said) if said.flow == Some(Flow::Waits) => {
                    assert!(said.of.contains(&1) && said.text.contains("slow"), "{said:?}");
                    waits = true;
                }
                LogPart::CaughtUp => is_caught_up = true,
                _ => {}
            }
        }
        assert!(waits, "somebody is not there yet, and that is said");
        probe.gate.add_permits(1_000);
        let (mut late, mut comes) = (Vec::new(), false);
        while late.is_empty() || !comes {
            match told.recv().await.unwrap() {
                LogPart::Late(lines) => late.extend(lines.into_iter().filter(|line| line.from == 1)),
                LogPart::Said(said) => comes |= said.flow == Some(Flow::Comes) && said.of == [1],
                _ => {}
            }
        }
        assert_eq!(late.iter().map(|line| line.message.as_str()).collect::<Vec<_>>(), ["slow 0", "slow 1"]);
        pumping.abort();
    }
}
