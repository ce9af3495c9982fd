//! Plants what has gone wrong in a described fleet before anybody looks.

use super::build::seconds;
use super::{Ill, Trouble};
use crate::sim::builder::containers::deployment_id;
use crate::sim::builder::{Builder, DAY};
use crate::sim::filter::glob;
use crate::sim::world::balancing::Health;
use crate::sim::world::containers::Deployment;
use crate::sim::world::machine::{Scheduled, State};
use crate::sim::world::scaling::{Member, Stage};
use compact_str::{CompactString, format_compact};

/// Plants a trouble wherever its name fits.
pub(super) fn plant(place: &mut Builder, trouble: &Trouble) {
    match trouble.what {
        Ill::Stuck => stick(place, trouble),
        Ill::NoCapacity => refuse(place, trouble),
        Ill::NoRoom => {
            let fits = place.place.groups.rows_mut().filter(|group| glob(&trouble.of, &group.name));
            fits.take(trouble.times).for_each(|group| group.lacks_room = true);
        }
        _ => {
            let fits = |name: Option<&str>| name.is_some_and(|name| glob(&trouble.of, name));
            let rows = place.place.instances.rows().filter(|instance| fits(instance.tag("Name")));
            let ids: Vec<CompactString> =
                rows.take(trouble.times).map(|instance| instance.id.clone()).collect();
            for id in ids {
                befall(place, &id, trouble);
            }
        }
    }
}

fn befall(place: &mut Builder, id: &str, trouble: &Trouble) {
    let now = place.now;
    let since = place.ago(seconds(trouble.age));
    let by_user = || Some(("Client.UserInitiatedShutdown", CompactString::from("User initiated shutdown")));
    match trouble.what {
        Ill::NoCredits => place.alter(id, |instance| {
            if let Some((_, _, baseline)) = instance.kind.credits {
                instance.load.mean = instance.load.mean.max(baseline * 1.45);
                instance.load.swing = instance.load.mean * 0.1;
                instance.load.credits = 0.0;
            }
        }),
        Ill::Silent => place.alter(id, |instance| {
            if let Some(agent) = &mut instance.agent {
                agent.silent_since = Some(since);
            }
        }),
        Ill::Impaired => place.alter(id, |instance| instance.impaired_since = Some(since)),
        Ill::Retirement => place.alter(id, |instance| {
            instance.events.push(Scheduled {
                id: format_compact!("instance-event-{}", id.trim_start_matches("i-")),
                code: "instance-retirement",
                description: "The instance is running on degraded hardware".into(),
                not_before: now.plus(5 * DAY),
                not_after: now.plus(7 * DAY),
            });
        }),
        Ill::Stopped | Ill::Gone => {
            let is_gone = trouble.what == Ill::Gone;
            place.alter(id, |instance| {
                instance.state = if is_gone { State::Terminated } else { State::Stopped };
                instance.state_since = since;
                instance.state_reason = by_user();
            });
            if is_gone {
                for group in place.place.target_groups.rows_mut() {
                    group.targets.retain(|target| target.id != id);
                }
            }
        }
        Ill::Failing => fail(place, id, Health::Failing("500")),
        Ill::TimingOut => fail(place, id, Health::TimesOut),
        Ill::Protected => member(place, id, |member| member.is_protected = true),
        Ill::Standby => member(place, id, |member| member.stage = Stage::Standby),
        Ill::AgentGone => {
            for cluster in place.place.clusters.rows_mut() {
                for host in cluster.hosts.rows_mut().filter(|host| host.instance == id) {
                    host.is_connected = false;
                }
            }
        }
        Ill::Stuck | Ill::NoCapacity | Ill::NoRoom => {}
    }
}

fn fail(place: &mut Builder, id: &str, health: Health) {
    for group in place.place.target_groups.rows_mut() {
        for target in group.targets.iter_mut().filter(|target| target.id == id) {
            target.health = health;
        }
    }
}

fn member(place: &mut Builder, id: &str, change: impl Fn(&mut Member)) {
    let Some(group) = place.place.instances.get(id).and_then(|instance| instance.group()) else { return };
    let group = CompactString::from(group);
    let Some(found) = place.place.groups.get_mut(&group) else { return };
    found.members.iter_mut().filter(|member| member.instance == id).for_each(change);
}

/// Services that can never deploy: one task, at least 50 %, at most 150 %, and a deployment begun.
fn stick(place: &mut Builder, trouble: &Trouble) {
    let begun = place.ago(seconds(trouble.age));
    let mut named = Vec::new();
    for cluster in place.place.clusters.rows() {
        let fits = cluster.services.rows().filter(|service| glob(&trouble.of, &service.name));
        named.extend(fits.map(|service| (cluster.name.clone(), service.name.clone())));
    }
    for (cluster, name) in named.into_iter().take(trouble.times) {
        let id = deployment_id(place);
        let event = (place.uuid(), begun, crate::sim::world::schedule::stuck_line(&name));
        let found = place.place.clusters.get_mut(&cluster);
        let Some(service) = found.and_then(|found| found.services.get_mut(&name)) else { continue };
        (service.desired, service.min, service.max, service.has_breaker) = (1, 50, 150, false);
        let Some(first) = service.deployments.first() else { continue };
        let definition = first.definition.clone();
        for old in &mut service.deployments {
            old.status = "ACTIVE";
            old.desired = 1;
        }
        service.deployments.insert(
            0,
            Deployment {
                reason: format_compact!("ECS deployment {id} in progress."),
                id,
                status: "PRIMARY",
                definition,
                desired: 1,
                failed: 0,
                created: begun,
                updated: begun,
                rollout: "IN_PROGRESS",
            },
        );
        service.events.insert(0, event);
        let Some(found) = place.place.clusters.get_mut(&cluster) else { continue };
        let mine = found.tasks.rows().filter(|task| task.service.as_ref() == Some(&name));
        let surplus: Vec<CompactString> = mine.skip(1).map(|task| task.id.clone()).collect();
        for id in surplus {
            found.tasks.remove(&id);
        }
    }
}

/// Groups whose last launch found no capacity.
fn refuse(place: &mut Builder, trouble: &Trouble) {
    let fits = place.place.groups.rows().filter(|group| glob(&trouble.of, &group.name));
    let names: Vec<CompactString> = fits.take(trouble.times).map(|group| group.name.clone()).collect();
    for name in names {
        let message =
            "There is no Spot capacity available that matches your request. Launching EC2 instance failed.";
        let description = format!(
            "Launching a new EC2 instance.  Status Reason: Could not launch Spot Instances. InsufficientInstanceCapacity - {message}"
        );
        let cause =
            "an instance was started in response to a difference between desired and actual capacity.";
        place.activity(&name, seconds(trouble.age), "Failed", (&description, cause, Some(message)));
    }
}
