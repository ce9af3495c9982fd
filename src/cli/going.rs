//! How far reading and planning are: the calls that were made since, and those that wait for their turn. Where many are
//! needed it is the rates of AWS that take the time, and whoever waits should know.

use super::output::Output;
use crate::config::span;
use crate::gateway::{Bucket, FleetReader};
use crate::model::Scope;
use crate::model::text::harmless;
use crate::world::World;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// After so long without an answer a person wonders.
const UNEASY: Duration = Duration::from_secs(3);
/// From one word about how far it is to the next.
pub(super) const TELLS: Duration = Duration::from_secs(5);

/// Where something began.
pub(super) struct Since {
    calls: u64,
}

impl Since {
    /// Here.
    pub(super) fn now(reader: &dyn FleetReader) -> Self {
        Self { calls: reader.spending().calls }
    }

    /// How far it is by now.
    pub(super) fn said(&self, reader: &dyn FleetReader) -> String {
        said(reader.spending().calls.saturating_sub(self.calls), &reader.buckets())
    }
}

/// Waits for a read; a person who begins to wonder is told whom it waits for, and then how far it is.
pub(super) async fn attended(
    reading: impl Future<Output = Arc<World>>,
    told: watch::Receiver<Vec<Scope>>,
    limit: Option<Duration>,
    reader: &dyn FleetReader,
    out: &mut Output,
) -> Arc<World> {
    let first = |out: &mut Output| {
        waiting_for(&told.borrow(), limit).iter().for_each(|text| out.say(text));
    };
    patiently(reading, reader, first, out).await
}

/// Waits for something that reads; a person who begins to wonder is told how far it is.
pub(super) async fn patiently<T>(
    reading: impl Future<Output = T>,
    reader: &dyn FleetReader,
    first: impl Fn(&mut Output),
    out: &mut Output,
) -> T {
    if !out.is_attended {
        return reading.await;
    }
    let (since, mut wait) = (Since::now(reader), UNEASY);
    tokio::pin!(reading);
    loop {
        tokio::select! {
            read = &mut reading => return read,
            () = tokio::time::sleep(wait) => {
                if wait == UNEASY {
                    first(out);
                }
                out.say(&since.said(reader));
                wait = TELLS;
            }
        }
    }
}

/// Whom a read still waits for, in a sentence.
fn waiting_for(silent: &[Scope], limit: Option<Duration>) -> Option<String> {
    let (first, more) = silent.split_first()?;
    let more = match more.len() {
        0 => ", which has".to_owned(),
        n => format!(" and {n} more, which have"),
    };
    let limit = match limit {
        Some(limit) => format!("given up after {}, as --timeout says", span(limit)),
        None => "--timeout limits the wait".to_owned(),
    };
    Some(format!("waiting for {}{more} not answered yet ({limit})", harmless(&first.to_string())))
}

/// How far it is, in a sentence: what waits longest is named, and when its line is over.
fn said(made: u64, buckets: &[Bucket]) -> String {
    let calls = if made == 1 { "1 call made".to_owned() } else { format!("{made} calls made") };
    let left = |bucket: &Bucket| {
        let lacking = f64::from(u32::try_from(bucket.waiting).unwrap_or(u32::MAX)) - bucket.tokens;
        (lacking / bucket.per_second.max(0.01)).max(0.0)
    };
    let waiting: usize = buckets.iter().map(|bucket| bucket.waiting).sum();
    let slowest = buckets.iter().filter(|bucket| bucket.waiting > 0);
    let Some(slowest) = slowest.max_by(|one, other| left(one).total_cmp(&left(other))) else { return calls };
    let wait = if waiting == 1 { "1 waits" } else { &format!("{waiting} wait") };
    let about =
        span(Duration::from_secs(Duration::from_secs_f64(left(slowest).min(86_400.0)).as_secs().max(1)));
    format!(
        "{calls}, {wait} for their turn, about {about} ({} a second of {})",
        slowest.per_second, slowest.family
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::Spending;

    fn bucket(family: &str, per_second: f64, waiting: usize) -> Bucket {
        Bucket {
            scope: Arc::new(Scope { account: "a".into(), region: "r".into() }),
            family: family.into(),
            calls: vec![],
            spending: Spending::default(),
            took: Duration::ZERO,
            tokens: 0.0,
            capacity: 40.0,
            per_second,
            waiting,
        }
    }

    #[test]
    fn what_waits_longest_is_named_with_its_rate() {
        assert_eq!(said(1, &[]), "1 call made");
        assert_eq!(said(41, &[bucket("ec2", 10.0, 0)]), "41 calls made");
        let busy = [bucket("ec2", 10.0, 20), bucket("elasticloadbalancing", 5.0, 33)];
        assert_eq!(
            said(41, &busy),
            "41 calls made, 53 wait for their turn, about 6s (5 a second of elasticloadbalancing)"
        );
    }
}
