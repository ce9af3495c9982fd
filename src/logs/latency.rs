//! How long requests took, from the two lines that a core writes of each: `API called` and `API ended`.

use super::line::Line;
use crate::model::Text;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Requests that are open at most; a core has ten threads.
const OPEN: usize = 20_000;
/// Slow requests that are kept.
const SLOWEST: usize = 10;
/// Durations that are kept of a domain: enough for a percentile, and no more memory for a longer span.
const KEPT: usize = 50_000;

/// A slow request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slow {
    /// When it ended.
    pub at: Timestamp,
    /// Milliseconds that it took.
    pub ms: i64,
    /// The source's index.
    pub from: u16,
    /// What was asked.
    pub what: String,
}

/// Durations of one domain.
#[derive(Clone, Debug, Default)]
struct Domain {
    ms: Vec<i64>,
    count: u64,
    slow: Vec<Slow>,
}

/// Pairs the lines of requests.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    open: BTreeMap<(u16, Text), (Timestamp, String)>,
    domains: BTreeMap<Text, Domain>,
}

impl Latency {
    /// Takes a line, in the order of time within its source.
    pub fn take(&mut self, line: &Line) {
        let (Some(head), Some(whom)) = (&line.head, line.whom()) else { return };
        let key = (line.from, head.thread.clone());
        if let Some(what) = line.message.strip_prefix("API called: ") {
            if self.open.len() < OPEN {
                self.open.insert(key, (line.at, request(what)));
            }
        } else if let Some(what) = line.message.strip_prefix("API ended: ")
            && let Some((begun, asked)) = self.open.remove(&key)
            && asked == request(what)
        {
            let ms = line.at.as_millisecond() - begun.as_millisecond();
            let domain = self.domains.entry(whom.domain.clone()).or_default();
            domain.count += 1;
            if domain.ms.len() < KEPT {
                domain.ms.push(ms);
            }
            domain.slow.push(Slow { at: line.at, ms, from: line.from, what: asked });
            domain.slow.sort_by_key(|slow| std::cmp::Reverse(slow.ms));
            domain.slow.truncate(SLOWEST);
        }
    }

    /// By domain: requests, and the 50th, 95th and 100th of a hundred in milliseconds.
    pub fn domains(&self) -> Vec<(Text, u64, [i64; 3])> {
        let of = |(name, domain): (&Text, &Domain)| {
            let mut ms = domain.ms.clone();
            ms.sort_unstable();
            let at = |percent: usize| {
                let last = ms.len().saturating_sub(1);
                ms.get((ms.len() * percent / 100).min(last)).copied().unwrap_or(0)
            };
            let slowest = domain.slow.first().map_or(0, |slow| slow.ms);
            (name.clone(), domain.count, [at(50), at(95), slowest])
        };
        let mut all: Vec<_> = self.domains.iter().map(of).collect();
        all.sort_by(|a, b| b.2[1].cmp(&a.2[1]).then_with(|| a.0.cmp(&b.0)));
        all
    }

    /// The slowest requests of all domains, each with its domain.
    pub fn slowest(&self) -> Vec<(Text, Slow)> {
        let all =
            self.domains.iter().flat_map(|(name, domain)| domain.slow.iter().map(move |slow| (name, slow)));
        let mut all: Vec<_> = all.map(|(name, slow)| (name.clone(), slow.clone())).collect();
        all.sort_by_key(|(_, slow)| std::cmp::Reverse(slow.ms));
        all.truncate(SLOWEST);
        all
    }
}

/// `POST /recipe/signin` of `/recipe/signin. Method: POST. Version: 5.1`
fn request(text: &str) -> String {
    let (path, rest) = text.split_once(". Method: ").unwrap_or((text, ""));
    let method = rest.split(['.', ' ']).next().unwrap_or_default();
    format!("{method} {path}").trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::Fold;
    use std::sync::Arc;

    #[test]
    fn calls_and_ends_of_a_thread_are_pairs() {
        let mut latency = Latency::default();
        let mut fold = Fold::new(0, Arc::default());
        let mut say = |ms: u32, thread: &str, message: &str| {
            let text = format!(
                "21 Nov 2026 19:31:42:{ms:03} +0000 | INFO | pid: x | v9 | [{thread}] thread | a.b | Tenant(c1, public, public) | API {message}. Method: GET. Version: 5.1"
            );
            if let Some(line) = fold.push(Timestamp::UNIX_EPOCH, &text) {
                latency.take(&line);
            }
        };
        say(0, "a", "called: /x");
        say(5, "b", "called: /y");
        say(40, "a", "ended: /x");
        say(105, "b", "ended: /y");
        say(200, "a", "ended: /x");
        say(300, "c", "called: /z");
        assert_eq!(latency.domains(), [("c1".into(), 2, [100, 100, 100])]);
        let slowest = latency.slowest();
        assert_eq!((slowest[0].1.ms, slowest[0].1.what.as_str()), (100, "GET /y"));
        assert_eq!(slowest[1].1.ms, 40);
    }
}
