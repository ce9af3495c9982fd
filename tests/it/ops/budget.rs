//! The budget of a tier, shared by two runs at once: their common time goes on only when both wait, and a third
//! party counts all along.

use super::bench::{Bench, Stepper, beginning, intent, runner, start};
use super::together::shared_hosts;
use coredeck::error::ErrorKind;
use coredeck::model::{Limit, Scope, Selector, Tier};
use coredeck::ops::begin::enter;
use coredeck::ops::census::{Census, Lists};
use coredeck::ops::{Outcome, Then, Timer};
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// A time that several wait for together.
struct Lockstep {
    stepper: Arc<Stepper>,
    seats: Mutex<Seats>,
    moved: Notify,
}

#[derive(Default)]
struct Seats {
    taken: usize,
    asleep: BTreeMap<usize, Timestamp>,
}

/// One of those who wait.
struct Seat {
    it: Arc<Lockstep>,
    number: usize,
}

impl Lockstep {
    fn seat(self: &Arc<Self>) -> Seat {
        let mut seats = self.seats.lock().unwrap();
        seats.taken += 1;
        Seat { it: Arc::clone(self), number: seats.taken }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.it.seats.lock().unwrap();
        seats.taken -= 1;
        seats.asleep.remove(&self.number);
        self.it.moved.notify_waiters();
    }
}

impl Timer for Seat {
    fn now(&self) -> Timestamp {
        self.it.stepper.now()
    }

    fn until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        async move {
            loop {
                let moved = self.it.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                {
                    let mut seats = self.it.seats.lock().unwrap();
                    let now = self.it.stepper.now();
                    if now >= at {
                        seats.asleep.remove(&self.number);
                        return;
                    }
                    seats.asleep.insert(self.number, at);
                    let waits = seats.asleep.values().filter(|until| **until > now);
                    if waits.clone().count() == seats.taken {
                        let first = *waits.min().unwrap();
                        // The world has moved when this returns; there is nothing to wait for.
                        drop(self.it.stepper.until(first));
                        self.it.moved.notify_waiters();
                        continue;
                    }
                }
                moved.await;
            }
        }
        .boxed()
    }
}

fn tiers(most: u32) -> Vec<Tier> {
    vec![Tier {
        name: "workers".into(),
        selectors: vec![Selector::Group("workers-m7g".into())],
        max_unavailable: Some(Limit::Count(most)),
        ..Tier::default()
    }]
}

async fn bench(most: u32) -> (Bench, Vec<String>) {
    let mut bench = Bench::new().await;
    bench.config.tiers = tiers(most);
    let world = bench.world("drain").await;
    let hosts: Vec<String> = shared_hosts(&bench, 20)
        .await
        .into_iter()
        .filter(|id| world.fleet.instances.iter().any(|row| row.it.id.as_str() == id && row.tier.is_some()))
        .collect();
    assert_eq!(hosts.len(), 4, "{hosts:?}");
    (bench, hosts)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_drains_at_once_never_exceed_the_budget_of_their_tier() {
    let (bench, hosts) = bench(2).await;
    let plan = |some: &[String]| {
        let mut wanted = intent("drain", &some.iter().map(String::as_str).collect::<Vec<_>>());
        wanted.options.then = Then::Terminate;
        bench.plan(wanted)
    };
    let (one, two) = (plan(&hosts[..2]).await.unwrap(), plan(&hosts[2..]).await.unwrap());
    assert!(one.lanes.iter().all(|lane| lane.tier.as_deref() == Some("workers")), "{one:?}");
    let journal = bench.journal();
    let first = enter(&journal, &one, beginning("anna", start())).unwrap();
    let second = enter(&journal, &two, beginning("ben", start())).unwrap();
    let time = Arc::new(Lockstep {
        stepper: Arc::clone(&bench.timer),
        seats: Mutex::default(),
        moved: Notify::new(),
    });
    let left = AtomicUsize::new(2);
    let run = |user: &'static str, id: String, seat: Seat| {
        let mut edge = bench.edge(Arc::new(bench.journal()), bench.writer());
        edge.timer = Arc::new(seat);
        let left = &left;
        async move {
            let op = coredeck::ops::run(&edge, &id, &runner(user)).await.unwrap();
            left.fetch_sub(1, Ordering::SeqCst);
            op
        }
    };
    // Somebody who counts, with eyes of his own: he waits behind nobody's calls.
    let eyes = bench.another().await;
    let scope = Scope { account: "demo".into(), region: "us-east-1".into() };
    let census = Lists { reader: eyes, scopes: vec![scope], tiers: bench.config.tiers.clone() };
    let counts = |seat: Seat| {
        let (left, census) = (&left, &census);
        async move {
            let mut most = 0;
            while left.load(Ordering::SeqCst) > 0 {
                let standing = census.count(seat.now()).await.unwrap().remove("workers").unwrap();
                // One that ends and the one that starts for it are both down, and one of them was wanted.
                let out = 4_usize.saturating_sub(standing.total - standing.down.len());
                assert!(out <= 2, "at {}: {:?}", seat.now(), standing.down);
                most = most.max(out);
                seat.until(seat.now() + SignedDuration::from_secs(20)).await;
            }
            most
        }
    };
    let seats = [time.seat(), time.seat(), time.seat()];
    let [anna, ben, clerk] = seats;
    let (one, two, most) =
        tokio::join!(run("anna", first.id, anna), run("ben", second.id, ben), counts(clerk));
    for op in [one, two] {
        assert_eq!(op.ended.map(|(end, _)| end), Some(Outcome::Done), "{:?}", op.lanes);
    }
    assert_eq!(most, 2, "the budget was used");
    let changes = bench.changes();
    assert_eq!(changes["TerminateInstanceInAutoScalingGroup"], 4, "{changes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_that_would_wait_for_ever_are_refused_before_anything_is_done() {
    let (bench, hosts) = bench(1).await;
    let names: Vec<&str> = hosts[..2].iter().map(String::as_str).collect();
    let mut wanted = intent("drain", &names);
    let error = bench.plan(wanted.clone()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    let said = error.source.unwrap().to_string();
    assert!(said.contains("2 of its 4 instances would stay unavailable and 1 may be"), "{said}");
    assert!(said.contains("--max-unavailable 2"), "{said}");
    wanted.options.max_unavailable = Some(2);
    bench.plan(wanted.clone()).await.unwrap();
    wanted.options.max_unavailable = None;
    wanted.options.then = Then::Terminate;
    bench.plan(wanted).await.unwrap();
}
