//! Workers on arm64: one group well, one in the middle of a refresh.

use crate::sim::builder::containers::{
    AGENT, NewService, OLD_AGENT, cluster, definition, host, provider, service,
};
use crate::sim::builder::{Builder, DAY, HOUR, Images, NewGroup, kind};
use crate::sim::world::scaling::{Preferences, Refresh, Stage, TemplateChoice};
use compact_str::format_compact;

/// Workers on arm64: m7g.large, and r7g.xlarge in the middle of a refresh that protected instances hold up.
pub(super) fn workers(fleet: &mut Builder, images: &Images) {
    let light = fleet.template("worker-light", Some("m7g.large"), 1, &[(&images.ecs_arm, "", 10)]);
    let heavy = fleet.template(
        "worker-heavy",
        Some("r7g.xlarge"),
        1,
        &[(&images.ecs_arm_old, "", 50), (&images.ecs_arm, "AMI of November", 1)],
    );
    cluster(fleet, "workers-prod", &["workers-m7g", "workers-r7g"]);
    for (name, template, version, sizes) in
        [("workers-m7g", &light, 1, (2, 4, 8)), ("workers-r7g", &heavy, 1, (4, 5, 12))]
    {
        fleet.group(NewGroup {
            name,
            template,
            version,
            mix: None,
            sizes,
            age: 220,
            tier: "workers",
            target_groups: Vec::new(),
        });
        if let Some(group) = fleet.place.groups.get_mut(name) {
            group.protects_new = name == "workers-r7g";
        }
        provider(fleet, name, name, name == "workers-r7g");
    }
    for age in [9 * DAY, 9 * DAY, 9 * DAY, 4 * DAY] {
        let instance = fleet.member("workers-m7g", kind("m7g.large"), 1, age, false, 41.0);
        host(fleet, "workers-prod", "workers-m7g", &instance, AGENT);
    }
    let ages = [44 * DAY, 44 * DAY, 44 * DAY, 44 * DAY, 52 * 60, 33 * 60];
    for (at, age) in ages.into_iter().enumerate() {
        let (version, agent) = if at < 4 { (1, OLD_AGENT) } else { (2, AGENT) };
        let instance = fleet.member("workers-r7g", kind("r7g.xlarge"), version, age, false, 57.0);
        let host = host(fleet, "workers-prod", "workers-r7g", &instance, agent);
        if at == 3
            && let Some(cluster) = fleet.place.clusters.get_mut("workers-prod")
            && let Some(host) = cluster.hosts.get_mut(&host)
        {
            host.status = "DRAINING";
        }
    }
    refresh(fleet, &heavy);
    let image = format!("{}.dkr.ecr.{}.amazonaws.com", fleet.place.account, fleet.place.region);
    let webhook = definition(
        fleet,
        ("webhook-worker", 23),
        &format!("{image}/webhook-worker:3.2.1"),
        None,
        (512, 1024),
        12,
    );
    let email = definition(
        fleet,
        ("email-worker", 9),
        &format!("{image}/email-worker:1.9.0"),
        None,
        (1024, 12288),
        30,
    );
    service(
        fleet,
        NewService {
            cluster: "workers-prod",
            name: "webhook-worker",
            definition: &webhook,
            desired: 6,
            percents: (100, 200),
            provider: Some("workers-m7g"),
            target_group: None,
            tier: "workers",
            age: 8 * DAY,
            is_daemon: false,
        },
    );
    service(
        fleet,
        NewService {
            cluster: "workers-prod",
            name: "email-worker",
            definition: &email,
            desired: 5,
            percents: (50, 100),
            provider: Some("workers-r7g"),
            target_group: None,
            tier: "workers",
            age: 11 * HOUR,
            is_daemon: false,
        },
    );
}

fn refresh(fleet: &mut Builder, template: &str) {
    let (finished, begun) = (fleet.ago(31 * DAY), fleet.ago(61 * 60));
    let (older, newer) = (fleet.uuid(), fleet.uuid());
    let Some(group) = fleet.place.groups.get_mut("workers-r7g") else { return };
    let preferences = Preferences {
        min: 90,
        max: Some(110),
        warmup: Some(120),
        checkpoints: vec![20, 50, 100],
        checkpoint_delay: Some(600),
        skips_matching: true,
        rolls_back: true,
        protected: "Wait",
        standby: "Ignore",
        alarms: vec!["auth-api-5xx".into()],
        bake: 0,
    };
    let choice =
        TemplateChoice { id: template.into(), name: group.template.name.clone(), version: "2".into() };
    // What could have been refreshed before it met protected instances and stands by.
    if let Some(member) = group.members.get_mut(2) {
        member.stage = Stage::Standby;
        member.is_protected = false;
    }
    group.refreshes.push(Refresh {
        id: older,
        status: "Successful",
        reason: None,
        started: Some(finished),
        ended: Some(finished.plus(1500)),
        percent: 100,
        remaining: 0,
        preferences: Preferences { checkpoints: Vec::new(), checkpoint_delay: None, ..preferences.clone() },
        desired: None,
        stalled: None,
        held_until: None,
    });
    let held: Vec<&str> = group
        .members
        .iter()
        .filter(|member| member.is_protected && member.version == 1)
        .map(|member| member.instance.as_str())
        .collect();
    let reason = format_compact!(
        "Waiting for instances to not be protected from scale in before continuing. For example: {} is protected.",
        held.first().copied().unwrap_or_default()
    );
    group.refreshes.push(Refresh {
        id: newer,
        status: "InProgress",
        reason: Some(reason),
        started: Some(begun),
        ended: None,
        percent: 40,
        remaining: 3,
        preferences,
        desired: Some(choice),
        stalled: Some(begun.plus(30 * 60)),
        held_until: None,
    });
}
