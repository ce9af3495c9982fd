//! Lines of docker's own: from the host, by a command of Systems Manager each time.

use super::{Part, Reading, Stand, Tell, Way, in_region};
use crate::logs::fold::Fold;
use crate::logs::hostlog::{Span, Told};
use crate::logs::line::Line;
use crate::logs::mask::Mask;
use crate::model::{InstanceId, Scope, Text};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Lines that a host is asked for in one command.
const TAIL: u32 = 2_000;
/// The same of a host, which takes a command each time.
const AGAIN_HOST: Duration = Duration::from_secs(10);
/// A container on a docker host.
pub(super) struct Host {
    pub(super) name: Text,
    pub(super) scope: Scope,
    pub(super) instance: InstanceId,
    pub(super) container: Text,
    pub(super) from: u16,
}

impl Host {
    pub(super) async fn read(
        self,
        reading: Arc<Reading>,
        mask: Arc<Mask>,
        send: mpsc::Sender<Vec<Line>>,
        tell: Tell,
    ) {
        let say = async |text: String| {
            tell.say(format!("{}: {text}", self.name)).await;
        };
        let tail = reading.tail.map_or(TAIL, |tail| tail.clamp(1, TAIL));
        let mut span = Span { since: reading.since, until: reading.until, tail };
        let ask = async |span| reading.asker.ask(&self.scope, &self.instance, &self.container, span).await;
        let mut fold = Fold::new(self.from, Arc::clone(&mask));
        let mut last: Option<(Timestamp, Vec<String>)> = None;
        match ask(span).await {
            Err(why) => return say(why).await,
            Ok(Told::CloudWatch { group, region, stream }) => {
                let scope = in_region(&self.scope, region.as_ref());
                let Some(stream) = stream else {
                    return say(format!("docker sends its lines to {group} and names no stream")).await;
                };
                let streams = vec![(stream, self.from)];
                let part = Part { scope, group, streams };
                return Stand::new(&reading, &mask, part, tell.clone()).read(Way::Past(send)).await;
            }
            Ok(Told::Lines { lines, is_cut }) => {
                let is_wanted = reading.tail.is_some_and(|tail| lines.len() >= tail as usize);
                if is_cut && !is_wanted {
                    let first = lines.first().map(|(at, _)| format!(" (from {at:.0})")).unwrap_or_default();
                    say(format!(
                        "only the last {} lines{first}: a host hands out no more at once; --since, --until and --tail narrow it",
                        lines.len()
                    ))
                    .await;
                }
                let mut whole = fresh(&mut fold, lines, reading.until, &mut last);
                if !reading.follows {
                    whole.extend(fold.flush());
                }
                if !Way::Past(send).hand_on(whole).await {
                    return;
                }
            }
        }
        let mut failed = false;
        if !reading.follows {
            return;
        }
        loop {
            tokio::time::sleep(AGAIN_HOST).await;
            span.since = last.as_ref().map_or(span.since, |(at, _)| *at);
            span.tail = TAIL;
            match ask(span).await {
                Ok(Told::Lines { lines, is_cut }) => {
                    failed = false;
                    if is_cut {
                        say("lines are missing here: it writes more than its host hands out at once"
                            .to_owned())
                        .await;
                    }
                    let mut whole = fresh(&mut fold, lines, reading.until, &mut last);
                    whole.extend(fold.flush_old());
                    if !tell.fresh(whole).await {
                        return;
                    }
                }
                Ok(Told::CloudWatch { .. }) => {
                    return say("docker sends its lines elsewhere now".to_owned()).await;
                }
                Err(why) if !failed => {
                    failed = true;
                    say(why).await;
                }
                Err(_) => {}
            }
        }
    }
}

/// Lines of a host that were not seen yet: docker is asked for whole seconds, so that some come twice.
fn fresh(
    fold: &mut Fold,
    lines: Vec<(Timestamp, String)>,
    until: Option<Timestamp>,
    last: &mut Option<(Timestamp, Vec<String>)>,
) -> Vec<Line> {
    let mut whole = Vec::new();
    for (at, text) in lines {
        if until.is_some_and(|until| at >= until) {
            continue;
        }
        match last {
            Some((before, _)) if at < *before => continue,
            Some((before, texts)) if at == *before => {
                if texts.contains(&text) {
                    continue;
                }
                texts.push(text.clone());
            }
            _ => *last = Some((at, vec![text.clone()])),
        }
        whole.extend(fold.push(at, &text));
    }
    whole
}
