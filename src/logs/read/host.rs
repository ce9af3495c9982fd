//! Lines of docker's own: from the host, by a command of Systems Manager each time.

use super::{Part, Reading, Stand, Tell, Way, in_region};
use crate::logs::fold::Fold;
use crate::logs::hostlog::{Span, Told};
use crate::logs::line::Line;
use crate::logs::mask::Mask;
use crate::logs::origin::Place;
use crate::logs::said::{Flow, Said};
use crate::model::{InstanceId, Scope, Text};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Lines that a host is asked for in one command.
const TAIL: u32 = 2_000;
/// From one question to the next, where few containers are asked: each takes a command and two to four looks at it.
const AGAIN: Duration = Duration::from_secs(10);
/// Containers that are asked so often; where there are more, each is asked more seldom.
const AT_ONCE: usize = 3;
/// The longest pause, between containers that are many and after what failed.
const LONGEST: Duration = Duration::from_secs(60);
/// How far each question goes back behind the newest line: docker writes some a little out of their order.
const OVERLAP: SignedDuration = SignedDuration::from_secs(1);

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
        let say = async |flow: Option<Flow>, text: String| {
            let text = if text.is_empty() { text } else { format!("{}: {text}", self.name) };
            tell.say(Said { text, of: vec![self.from], flow }).await;
        };
        let usual = pace(&reading);
        let tail = reading.tail.map_or(TAIL, |tail| tail.clamp(1, TAIL));
        let mut span = Span { since: reading.since, until: reading.until, tail };
        let mut fold = Fold::new(self.from, Arc::clone(&mask));
        let mut taken = Taken::default();
        // Others wait for the past; what comes of it once they do not any more comes late.
        let mut past = Some(send);
        let (mut is_first, mut failed, mut pause) = (true, false, usual);
        loop {
            match reading.asker.ask(&self.scope, &self.instance, &self.container, span).await {
                Err(why) if !reading.follows => return say(Some(Flow::Ended), why).await,
                Err(why) => {
                    past = None;
                    pause = if failed { (pause * 2).min(LONGEST) } else { usual };
                    if !std::mem::replace(&mut failed, true) {
                        say(Some(Flow::Waits), why).await;
                    }
                }
                Ok(Told::CloudWatch { .. }) if !is_first => {
                    return say(Some(Flow::Ended), "docker sends its lines elsewhere now".to_owned()).await;
                }
                Ok(Told::CloudWatch { group, region, stream }) => {
                    let scope = in_region(&self.scope, region.as_ref());
                    let part = Part { scope, group, streams: vec![(stream, self.from)] };
                    let way = past.map_or_else(|| Way::Late(tell.clone()), Way::Past);
                    return Stand::new(&reading, &mask, part, tell.clone()).read(way).await;
                }
                Ok(Told::Lines { lines, is_cut }) => {
                    if is_first && is_cut && reading.tail.is_none_or(|tail| lines.len() < tail as usize) {
                        let first = lines.first().map(|(at, _)| format!(" (from {at:.0})"));
                        let first = first.unwrap_or_default();
                        let text = format!(
                            "only the last {} lines{first}: a host hands out no more at once; --since, --until and --tail narrow it",
                            lines.len()
                        );
                        say(None, text).await;
                    } else if !is_first && is_cut {
                        let text = "lines are missing here: it writes more than its host hands out at once";
                        say(None, text.to_owned()).await;
                    }
                    let mut whole = taken.fresh(&mut fold, lines, reading.until);
                    if !reading.follows {
                        whole.extend(fold.flush());
                    } else if !is_first {
                        whole.extend(fold.flush_old());
                    }
                    // Somebody else writes between what docker wrote out of order.
                    whole.sort_by_key(|line| line.at);
                    let way = match (past.take(), is_first) {
                        (Some(send), _) => Way::Past(send),
                        (None, true) => Way::Late(tell.clone()),
                        (None, false) => Way::Fresh(tell.clone()),
                    };
                    let is_taken = way.hand_on(whole).await;
                    drop(way);
                    if !is_taken {
                        return;
                    }
                    if std::mem::take(&mut is_first) || failed {
                        say(Some(Flow::Comes), String::new()).await;
                    }
                    (failed, pause) = (false, usual);
                }
            }
            if !reading.follows {
                return;
            }
            tokio::time::sleep(pause).await;
            if !is_first {
                span.since = taken.since().unwrap_or(span.since);
                span.tail = TAIL;
            }
        }
    }
}

/// How often each container is asked: so that all together take no more than an account can spare.
fn pace(reading: &Reading) -> Duration {
    let is_host = |place: &Place| matches!(place, Place::Container { .. });
    let hosts = reading.origins.iter().filter(|origin| is_host(&origin.place)).count();
    let times = u32::try_from(hosts.div_ceil(AT_ONCE).max(1)).unwrap_or(u32::MAX);
    AGAIN.saturating_mul(times).min(LONGEST)
}

/// Lines that were taken and may come again: docker is asked for whole seconds, and for some that are over.
#[derive(Debug, Default)]
struct Taken {
    newest: Option<Timestamp>,
    /// How often each of the last seconds' lines was there.
    near: HashMap<(Timestamp, String), usize>,
}

impl Taken {
    /// From when on is asked next; none before there was any line.
    fn since(&self) -> Option<Timestamp> {
        let since = self.newest?.saturating_sub(OVERLAP).ok()?;
        Timestamp::from_second(since.as_second()).ok()
    }

    /// Folds the lines of an answer that were not taken yet. Two that are alike in one answer are two.
    fn fresh(
        &mut self,
        fold: &mut Fold,
        lines: Vec<(Timestamp, String)>,
        until: Option<Timestamp>,
    ) -> Vec<Line> {
        let mut whole = Vec::new();
        let mut again: HashMap<(Timestamp, String), usize> = HashMap::new();
        for (at, text) in lines {
            if until.is_some_and(|until| at >= until) {
                continue;
            }
            let key = (at, text);
            let known = self.near.get(&key).copied().unwrap_or(0);
            let times = again.get(&key).copied().unwrap_or(0) + 1;
            if times > known {
                self.newest = self.newest.max(Some(at));
                whole.extend(fold.push(at, &key.1));
            }
            again.insert(key, times);
        }
        let since = self.since();
        for (key, times) in again {
            let known = self.near.entry(key).or_default();
            *known = times.max(*known);
        }
        self.near.retain(|(at, _), _| since.is_some_and(|since| *at >= since));
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(ms: i64, text: &str) -> (Timestamp, String) {
        (Timestamp::from_millisecond(1_790_000_000_000 + ms).unwrap(), text.to_owned())
    }

    #[test]
    fn lines_out_of_their_order_and_lines_that_are_alike_are_all_taken_and_none_twice() {
        let mut fold = Fold::new(0, Arc::default());
        let mut taken = Taken::default();
        let mut said = |lines: Vec<(Timestamp, String)>| {
            let mut whole = taken.fresh(&mut fold, lines, None);
            whole.extend(fold.flush());
            (whole.into_iter().map(|line| line.message).collect::<Vec<_>>(), taken.since())
        };
        let (first, since) =
            said(vec![line(1_500, "b"), line(1_200, "a"), line(1_500, "b"), line(2_900, "c")]);
        assert_eq!(first, ["b", "a", "b", "c"]);
        assert_eq!(since, Some(line(1_000, "").0), "whole seconds, and one that is over");
        // All of it again, one that was written late, and one like another.
        let again = vec![
            line(1_500, "b"),
            line(1_200, "a"),
            line(1_500, "b"),
            line(1_700, "late"),
            line(2_900, "c"),
            line(2_900, "c"),
            line(9_000, "d"),
        ];
        assert_eq!(said(again).0, ["late", "c", "d"]);
        assert!(taken.near.len() < 2, "{:?}", taken.near);
    }
}
