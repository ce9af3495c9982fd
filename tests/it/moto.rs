//! Judged by moto, an AWS stand-in that somebody else wrote, and by boto3, which reads with AWS's own models.
//! Installs both, pinned, under the target folder; says loudly when it cannot (`python.rs`).

mod accounts;
mod alike;
mod changes;
mod equal;
mod pages;
mod registry;

use crate::python::{Moto, judges};
use serde_json::Value;
use std::sync::LazyLock;

/// The fleet's name in the seed and in every run.
pub(crate) const FLEET: &str = "default";

/// A moto with the seeded fleet in `us-east-1`, and what boto3 lists there.
pub(crate) struct Seeded {
    /// The server.
    pub(crate) moto: Moto,
    /// What the seed says it made.
    pub(crate) made: Value,
    /// boto3's lists by kind, with AWS's own field names.
    pub(crate) truth: Value,
}

/// Returns the seeded server that all comparisons share; none when the judges are skipped on purpose.
/// Nobody may change what it holds.
pub(crate) fn seeded() -> Option<&'static Seeded> {
    static SEEDED: LazyLock<Option<Seeded>> = LazyLock::new(|| {
        let python = judges()?;
        let moto = Moto::start(python, &[]);
        let made = python.run("seed_fleet.py", &[&moto.url, "us-east-1", FLEET]);
        let truth = python.run("dump.py", &[&moto.url, "us-east-1"]);
        Some(Seeded { moto, made, truth })
    });
    SEEDED.as_ref()
}

impl Seeded {
    /// boto3's list of a kind.
    pub(crate) fn list(&self, kind: &str) -> &[Value] {
        self.truth[kind].as_array().unwrap()
    }
}

/// The seed is what the comparisons think it is: were it empty, they would all agree.
#[test]
fn the_seed_is_large_and_awkward() {
    let Some(seeded) = seeded() else { return };
    let instances = seeded.list("instances");
    assert!(instances.len() >= 300, "{} instances", instances.len());
    let in_state = |state: &str| instances.iter().filter(|i| i["State"]["Name"] == state).count();
    assert!(in_state("stopped") >= 6 && in_state("terminated") >= 8, "states");
    let mut by_reservation = std::collections::BTreeMap::<&str, usize>::new();
    for instance in instances {
        *by_reservation.entry(instance["ReservationId"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(by_reservation.values().filter(|size| **size == 100).count(), 2);
    assert!(by_reservation.values().filter(|size| **size == 1).count() > 40);
    assert!(instances.iter().any(|i| i["InstanceLifecycle"] == "spot"));
    assert!(seeded.list("templates").len() > 15, "moto's silent cut is not exercised");
    assert!(seeded.list("groups").len() > 50, "one page of groups is not enough");
    assert!(seeded.list("parameters").len() > 20);
    for kind in ["clusters", "services", "tasks", "hosts", "targets", "rules", "images", "providers"] {
        assert!(!seeded.list(kind).is_empty(), "no {kind}");
    }
}
