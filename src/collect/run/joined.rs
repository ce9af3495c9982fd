//! Rows, and when they are joined anew: what is dear where there are many.

use super::Run;
use crate::capacity::reckon;
use crate::clock::monotonic;
use crate::fleet::{Fleet, join};
use crate::snapshot::Snapshot;
use std::time::{Duration, Instant};

/// No more than this share of the time is spent on joining rows where all that is new is that lists have grown which still
/// come in: long ones do so for minutes, and each page would have all rows joined that are there already.
const GROWTH_SHARE: u32 = 49;
/// Rows are joined anew after so long although nothing has changed.
const JOINED_FOR: Duration = Duration::from_secs(60);
/// And not before so many times what joining them took have gone by.
const REJOIN_SHARE: u32 = 1_000;
/// But after so long they are.
const JOINED_FOR_AT_MOST: Duration = Duration::from_secs(600);

/// Rows, and what they were joined from.
pub(super) struct Joined {
    at: Instant,
    took: Duration,
    snapshot: Snapshot,
    fleet: Fleet,
}

impl Joined {
    /// When they are joined anew if nothing is new but that lists have grown which still come in.
    fn grows_at(&self) -> Instant {
        self.at + self.took * (1 + GROWTH_SHARE)
    }
}

/// What has come since the last world was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum News {
    /// More of lists that are not whole yet.
    Pages,
    /// Anything else: then a world is due, though its rows may be those of the last.
    More,
}

impl Run {
    /// The rows of a snapshot: those of the last one, where nothing but ages has changed since, or a list that comes in has
    /// grown and it is too soon to join them for that. They are joined anew once in some minutes all the same, for what
    /// they say of days and hours.
    pub(super) fn joined(&mut self, snapshot: &Snapshot) -> Fleet {
        let now = monotonic();
        if let Some(last) = &self.joined
            && now.saturating_duration_since(last.at) < joined_for(last.took)
            && (snapshot.says_the_same(&last.snapshot)
                || (self.board.has_only_grown_from(&last.snapshot) && now < last.grows_at()))
        {
            return last.fleet.clone();
        }
        let mut fleet = join(snapshot, &self.config.tiers);
        reckon(&mut fleet, &self.config.capacity);
        let took = monotonic().saturating_duration_since(now);
        let news = || self.joined.as_ref().map(|last| snapshot.news(&last.snapshot)).unwrap_or_default();
        tracing::debug!(milliseconds = took.as_millis(), news = ?news(), "rows were joined");
        self.joined = Some(Joined { at: now, took, snapshot: snapshot.clone(), fleet: fleet.clone() });
        fleet
    }

    /// Nothing is new since rows were joined but that lists which come in have grown.
    pub(super) fn has_only_grown(&self) -> bool {
        self.joined.as_ref().is_some_and(|last| self.board.has_only_grown_from(&last.snapshot))
    }

    /// When the next world is published.
    pub(super) fn publish_at(&self, news: News, quiet_until: Instant) -> Instant {
        match &self.joined {
            Some(last) if news == News::Pages && self.has_only_grown() => quiet_until.max(last.grows_at()),
            _ => quiet_until,
        }
    }
}

/// How long rows that took so long to join are what they are, while nothing else is known.
fn joined_for(took: Duration) -> Duration {
    (took * REJOIN_SHARE).clamp(JOINED_FOR, JOINED_FOR_AT_MOST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::board::{Board, silence};
    use crate::config::Config;
    use crate::gateway::{Reading, Source};
    use crate::model::{Agent, Scope};
    use jiff::Timestamp;

    #[test]
    fn rows_are_joined_anew_the_more_rarely_the_longer_it_takes() {
        assert_eq!(joined_for(Duration::from_millis(3)), Duration::from_secs(60));
        assert_eq!(joined_for(Duration::from_millis(300)), Duration::from_secs(300));
        assert_eq!(joined_for(Duration::from_secs(5)), Duration::from_secs(600));
        let at = monotonic();
        let took = Duration::from_millis(100);
        let last = Joined {
            at,
            took,
            snapshot: Snapshot::empty(Timestamp::UNIX_EPOCH),
            fleet: Fleet::empty(Timestamp::UNIX_EPOCH),
        };
        assert_eq!(last.grows_at() - at, Duration::from_secs(5), "a fiftieth of the time");
    }

    #[test]
    fn a_list_that_comes_in_has_grown_and_anything_else_is_news() {
        let at = Timestamp::UNIX_EPOCH;
        let scope = Scope { account: "a".into(), region: "r".into() };
        let agents = |count: usize| {
            let agent = |at| Agent {
                id: format!("i-{at}").into(),
                ping: "Online".into(),
                last_ping_at: None,
                version: None,
                platform: None,
            };
            Reading::Agents((0..count).map(agent).collect())
        };
        let mut board = Board::new(&Config::default(), &[Source::Agents, Source::Hosts], None);
        board.add((0, 0), scope.clone());
        let empty = board.picture(at);
        assert!(!board.has_only_grown_from(&empty), "nothing is new");
        board.page(&scope, agents(50), monotonic(), at);
        assert!(!board.has_only_grown_from(&empty), "the first page of a list is news");
        let first = board.picture(at);
        board.page(&scope, agents(100), monotonic(), at);
        assert!(board.has_only_grown_from(&first));
        let second = board.picture(at);
        board.done(&scope, Source::Hosts, Ok(Reading::Hosts(Vec::new())), monotonic(), at);
        board.page(&scope, agents(150), monotonic(), at);
        assert!(!board.has_only_grown_from(&second), "another list is there");
        let third = board.picture(at);
        let broken = silence("DescribeInstanceInformation", Duration::from_secs(9), at).into();
        board.done(&scope, Source::Agents, Err(broken), monotonic(), at);
        assert!(!board.has_only_grown_from(&third), "it broke off");
        board.done(&scope, Source::Agents, Ok(agents(150)), monotonic(), at);
        assert!(!board.has_only_grown_from(&third), "it is whole");
    }
}
