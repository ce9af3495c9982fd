//! Judged by moto, an AWS stand-in that somebody else wrote, and by boto3, which reads with AWS's own models.
//! Installs both, pinned, under the target folder; says loudly when it cannot (`python.rs`).

mod accounts;
mod alike;
mod changes;
mod equal;
mod images;
mod logs;
mod names;
mod operations;
mod pages;
mod registry;

use crate::python::{Boto, Moto, judges};
use serde_json::{Value, json};
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

/// A moto with a small fleet to be changed, and boto3 to see what came of it.
pub(crate) struct Changed {
    /// The server.
    pub(crate) moto: Moto,
    /// Who is asked.
    pub(crate) boto: Boto,
    /// What the seed says it made.
    pub(crate) made: Value,
}

impl Changed {
    /// A fleet of one's own; none when the judges are skipped on purpose.
    pub(crate) fn new() -> Option<Self> {
        let python = judges()?;
        let moto = Moto::start(python, &[]);
        let made = python.run("seed_changes.py", &[&moto.url, "us-east-1"]);
        let boto = Boto::start(python, &moto.url);
        Some(Self { moto, boto, made })
    }

    /// What the seed made, by the way to it: `/members/spare/0`.
    pub(crate) fn made(&self, way: &str) -> &str {
        self.made.pointer(way).and_then(Value::as_str).unwrap_or_else(|| panic!("nothing was made at {way}"))
    }

    /// A group as boto3 sees it.
    pub(crate) fn group(&self, name: &str) -> Value {
        let asked = json!({ "AutoScalingGroupNames": [name] });
        self.boto.ask("autoscaling", "describe_auto_scaling_groups", asked)["AutoScalingGroups"][0].take()
    }

    /// A member of a group as boto3 sees it; null when it is none.
    pub(crate) fn member(&self, group: &str, id: &str) -> Value {
        let group = self.group(group);
        let mut members = group["Instances"].as_array().unwrap().iter();
        members.find(|one| one["InstanceId"] == id).cloned().unwrap_or_default()
    }

    /// The processes of a group that stand still.
    pub(crate) fn suspended(&self, group: &str) -> Vec<String> {
        let group = self.group(group);
        let names = group["SuspendedProcesses"].as_array().unwrap().iter();
        let mut names: Vec<_> = names.map(|one| one["ProcessName"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// An instance as boto3 sees it.
    pub(crate) fn instance(&self, id: &str) -> Value {
        let mut said = self.boto.ask("ec2", "describe_instances", json!({ "InstanceIds": [id] }));
        said["Reservations"][0]["Instances"][0].take()
    }

    /// The state of an instance.
    pub(crate) fn state(&self, id: &str) -> String {
        self.instance(id)["State"]["Name"].as_str().unwrap().to_owned()
    }

    /// The status of the container instance on a machine.
    pub(crate) fn host(&self, machine: &str) -> String {
        let asked =
            json!({ "cluster": "cores", "containerInstances": [self.made(&format!("/hosts/{machine}"))] });
        let said = self.boto.ask("ecs", "describe_container_instances", asked);
        said["containerInstances"][0]["status"].as_str().unwrap().to_owned()
    }

    /// A task.
    pub(crate) fn task(&self, arn: &str) -> Value {
        let asked = json!({ "cluster": "cores", "tasks": [arn] });
        self.boto.ask("ecs", "describe_tasks", asked)["tasks"][0].take()
    }

    /// A service.
    pub(crate) fn service(&self, name: &str) -> Value {
        let asked = json!({ "cluster": "cores", "services": [name] });
        self.boto.ask("ecs", "describe_services", asked)["services"][0].take()
    }

    /// The targets of a group, `id:port`.
    pub(crate) fn targets(&self, name: &str) -> Vec<String> {
        let asked = json!({ "TargetGroupArn": self.made(&format!("/targets/{name}")) });
        let said = self.boto.ask("elbv2", "describe_target_health", asked);
        let rows = said["TargetHealthDescriptions"].as_array().unwrap().iter();
        let mut all: Vec<_> = rows
            .map(|row| format!("{}:{}", row["Target"]["Id"].as_str().unwrap(), row["Target"]["Port"]))
            .collect();
        all.sort();
        all
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
