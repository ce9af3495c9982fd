//! The docker side of the fleet: development, production, shared and legacy hosts.

use super::names::{CUSTOMERS, company};
use crate::sim::builder::{Builder, DAY, HOUR, Images, Launch, NewGroup, kind, tag};
use crate::sim::time::Moment;
use crate::sim::world::balancing::{Act, Balancer, Health};
use crate::sim::world::machine::{Scheduled, State};
use compact_str::CompactString;

/// Listeners that rules are added to.
pub(super) struct Balancers {
    /// Of the cores.
    pub(super) cores: CompactString,
    /// Of the API.
    pub(super) api: CompactString,
}

/// Makes the two load balancers.
pub(super) fn balancers(fleet: &mut Builder) -> Balancers {
    let mut make = |name: &str, age: i64| {
        let suffix = fleet.dice.hex(16);
        let arn = fleet.place.arn("elasticloadbalancing", &format!("loadbalancer/app/{name}/{suffix}"));
        let number = fleet.dice.below(9_000_000_000) + 1_000_000_000;
        let dns = format!("{name}-{number}.{}.elb.amazonaws.com", fleet.place.region);
        let balancer = Balancer {
            arn: arn.clone(),
            name: name.into(),
            dns: dns.into(),
            is_internal: false,
            created: fleet.ago(age * DAY),
            tags: vec![tag("fleet", "demo")],
        };
        fleet.place.balancers.insert(arn.clone(), balancer);
        fleet.listener(&arn, 80, Act::Redirect("HTTPS", "443", "HTTP_301"));
        fleet.listener(&arn, 443, Act::Answer("404", "no such core"))
    };
    Balancers { cores: make("cores-public", 820), api: make("api-public", 610) }
}

/// Development hosts: t3.small with up to seven cores each; one has room, one is overfull and out of
/// credits, one is stopped, one was just launched.
pub(super) fn development(fleet: &mut Builder, images: &Images) {
    let template = fleet.template(
        "dev-host",
        Some("t3.small"),
        3,
        &[
            (&images.docker_old, "docker preinstalled", 99),
            (&images.docker_old, "log rotation", 60),
            (&images.docker, "AMI of November", 16),
        ],
    );
    fleet.group(NewGroup {
        name: "dev-hosts",
        template: &template,
        version: 3,
        mix: None,
        sizes: (4, 12, 20),
        age: 640,
        tier: "development",
        target_groups: Vec::new(),
    });
    let ages = [
        15 * DAY,
        15 * DAY,
        15 * DAY,
        15 * DAY,
        12 * DAY,
        12 * DAY,
        12 * DAY,
        9 * DAY,
        9 * DAY,
        5 * DAY,
        2 * DAY,
        40,
    ];
    let mut number = 0;
    for (at, age) in ages.into_iter().enumerate() {
        let (cores, busy) = match at {
            4 => (3, 6.0),
            9 => (9, 31.0),
            11 => (0, 3.0),
            _ => (7, 11.0 + at as f64 * 0.4),
        };
        let host = fleet.member("dev-hosts", kind("t3.small"), 3, age, false, busy);
        for slot in 0..cores {
            number += 1;
            let id = format!("dev-{number:03}");
            let version = if number % 9 == 0 { "10.1.4" } else { "11.0.4" };
            let name = company(number);
            let age = age - 60 - i64::from(slot) * 20;
            fleet.core(&id, "development", &host, 3567 + slot, version, age);
            fleet.tenant(&format!("{name}-dev"), &name, &id, None, "development", age);
        }
    }
    fleet.activity(
        "dev-hosts",
        40,
        "Successful",
        (
            "Launching a new EC2 instance",
            "a user request update of AutoScalingGroup constraints to min: 4, max: 20, desired: 12 changing the desired capacity from 11 to 12.",
            None,
        ),
    );
    let reservation = fleet.id("r");
    let stopped = fleet.launch(Launch {
        kind: kind("t3.small"),
        zone: 1,
        image: &images.docker_old,
        age: 70 * DAY,
        reservation: &reservation,
        index: 0,
        is_spot: false,
        busy: 2.0,
        has_agent: true,
        tags: vec![
            tag("Name", "dev-host-before-the-group"),
            tag("tier", "development"),
            tag("owner", "joel"),
        ],
    });
    let since = fleet.ago(6 * DAY + 5 * HOUR);
    fleet.alter(&stopped, |instance| {
        instance.state = State::Stopped;
        instance.state_since = since;
        instance.state_reason = Some(("Client.UserInitiatedShutdown", "User initiated shutdown".into()));
    });
}

/// Production hosts: each customer's core alone on a t2.micro, launched in batches by hand. One is out of
/// credits, one has fallen silent, one will be retired, one fails its checks, and one is gone while its
/// rule still points to it.
pub(super) fn production(fleet: &mut Builder, images: &Images, balancers: &Balancers) {
    let batches = [8_usize, 6, 1, 5, 1, 1, 7, 4, 2, 1];
    let mut customers = CUSTOMERS.iter();
    let mut priority = 100;
    for (batch, size) in batches.into_iter().enumerate() {
        let age = (260 - i64::try_from(batch).unwrap_or(0) * 27) * DAY;
        let image = if batch < 7 { &images.docker_old } else { &images.docker };
        let age = if batch < 7 {
            age.min(100 * DAY - i64::try_from(batch).unwrap_or(0) * HOUR)
        } else {
            age.min(14 * DAY)
        };
        let reservation = fleet.id("r");
        for (index, customer) in customers.by_ref().take(size).enumerate() {
            let busy = match *customer {
                "slatepay" => 14.5,
                _ => 2.0 + fleet.dice.fraction() * 4.0,
            };
            let host = fleet.launch(Launch {
                kind: kind("t2.micro"),
                zone: index % 3,
                image,
                age,
                reservation: &reservation,
                index: u32::try_from(index).unwrap_or(0),
                is_spot: false,
                busy,
                has_agent: true,
                tags: vec![
                    tag("Name", &format!("prod-{customer}")),
                    tag("tier", "production"),
                    tag("tenant", customer),
                    tag("fleet", "demo"),
                ],
            });
            let core = format!("prod-{customer}");
            let version = if batch < 2 {
                "9.2.2"
            } else if batch < 7 {
                "10.1.4"
            } else {
                "11.0.4"
            };
            let domain = format!("{customer}.cores.example.com");
            fleet.core(&core, "production", &host, 3567, version, age - 240);
            fleet.tenant(customer, customer, &core, Some(&domain), "production", age - 240);
            let group = fleet.target_group(&format!("core-{customer}"), 3567, "/hello");
            priority += 1;
            fleet.rule(&balancers.cores, Some(priority), &[domain], Act::Forward(vec![(group.clone(), 1)]));
            afflict(fleet, customer, &host, &group);
        }
    }
}

/// What the next production host is launched from. Added last, so that everything else keeps its ids.
pub(super) fn production_template(fleet: &mut Builder, images: &Images) {
    let versions = [(&images.docker_old, "as the first hosts", 100), (&images.docker, "AMI of November", 15)];
    let id = fleet.template("production-host", Some("t2.micro"), 2, &versions);
    if let Some(template) = fleet.place.templates.get_mut(&id) {
        template.tags.push(tag("tier", "production"));
    }
}

/// What has happened to this customer's host.
fn afflict(fleet: &mut Builder, customer: &str, host: &str, group: &str) {
    let now = fleet.now;
    let health = match customer {
        "thistle" => {
            let silent = now.minus(3 * HOUR + 17 * 60);
            fleet.alter(host, |instance| {
                if let Some(agent) = &mut instance.agent {
                    agent.silent_since = Some(silent);
                }
            });
            Health::Healthy
        }
        "orbitly" => {
            fleet.alter(host, |instance| instance.events.push(retirement(now)));
            Health::Healthy
        }
        "redwharf" => {
            fleet.alter(host, |instance| instance.impaired_since = Some(now.minus(22 * 60)));
            Health::TimesOut
        }
        "meadowlark" => {
            let since = now.minus(37 * 60);
            fleet.alter(host, |instance| {
                instance.state = State::Terminated;
                instance.state_since = since;
                instance.state_reason =
                    Some(("Client.UserInitiatedShutdown", "User initiated shutdown".into()));
            });
            return;
        }
        _ => Health::Healthy,
    };
    fleet.target(group, host, 3567, health);
}

fn retirement(now: Moment) -> Scheduled {
    Scheduled {
        id: "instance-event-0d59937288b749b32".into(),
        code: "instance-retirement",
        description: "The instance is running on degraded hardware".into(),
        not_before: now.plus(5 * DAY),
        not_after: now.plus(7 * DAY),
    }
}

/// Two shared hosts: one with production tenants, one with development tenants.
pub(super) fn shared(fleet: &mut Builder, images: &Images, balancers: &Balancers) {
    let template = fleet.template("shared-host", Some("t3.large"), 1, &[(&images.docker, "", 16)]);
    let production = fleet.target_group("shared-production", 3567, "/hello");
    let development = fleet.target_group("shared-development", 3567, "/hello");
    fleet.group(NewGroup {
        name: "shared-hosts",
        template: &template,
        version: 1,
        mix: None,
        sizes: (2, 2, 4),
        age: 400,
        tier: "shared",
        target_groups: Vec::new(),
    });
    let mut priority = 1000;
    for (core, mode, group, tenants, busy) in [
        ("shared-prod-1", "production", &production, 47, 21.0),
        ("shared-dev-1", "development", &development, 88, 13.0),
    ] {
        let host = fleet.member("shared-hosts", kind("t3.large"), 1, 15 * DAY, false, busy);
        fleet.core(core, "shared", &host, 3567, "11.0.4", 15 * DAY - 300);
        fleet.target(group, &host, 3567, Health::Healthy);
        let first = if mode == "production" { 100 } else { 150 };
        let mut hosts = Vec::new();
        for number in first..first + tenants {
            let name = company(number);
            let domain = match mode {
                "production" => format!("{name}.cores.example.com"),
                _ => format!("{name}.dev.cores.example.com"),
            };
            let age = i64::try_from(number).unwrap_or(0) % 12 * DAY + HOUR;
            fleet.tenant(&name, &name, core, Some(&domain), mode, age);
            hosts.push(domain);
        }
        // A rule holds at most five values.
        for five in hosts.chunks(5) {
            priority += 1;
            fleet.rule(&balancers.cores, Some(priority), five, Act::Forward(vec![(group.clone(), 1)]));
        }
    }
}

/// A group that nobody has looked after: Amazon Linux 2 of early 2024, processes suspended.
pub(super) fn legacy(fleet: &mut Builder, images: &Images) {
    let template =
        fleet.template("legacy-cron", Some("t3.small"), 1, &[(&images.ancient, "do not touch", 1000)]);
    fleet.group(NewGroup {
        name: "legacy-cron",
        template: &template,
        version: 1,
        mix: None,
        sizes: (1, 3, 3),
        age: 1000,
        tier: "",
        target_groups: Vec::new(),
    });
    for age in [411 * DAY, 411 * DAY, 230 * DAY] {
        let id = fleet.member("legacy-cron", kind("t3.small"), 1, age, false, 9.0);
        fleet.alter(&id, |instance| {
            instance.is_monitored = false;
            if let Some(agent) = &mut instance.agent {
                agent.version = "3.1.1927.0";
            }
        });
    }
    let since = fleet.ago(411 * DAY).rfc3339();
    if let Some(group) = fleet.place.groups.get_mut("legacy-cron") {
        for process in ["AZRebalance", "ReplaceUnhealthy"] {
            group.suspended.push((process.into(), format!("User suspended at {since}").into()));
        }
    }
    fleet.activity(
        "legacy-cron",
        3 * DAY,
        "Failed",
        (
            "Launching a new EC2 instance.  Status Reason: The requested configuration is currently not supported. Please check the documentation for supported configurations. Launching EC2 instance failed.",
            "an instance was started in response to a difference between desired and actual capacity, increasing the capacity from 2 to 3.",
            Some("The requested configuration is currently not supported. Please check the documentation for supported configurations. Launching EC2 instance failed."),
        ),
    );
    let reservation = fleet.id("r");
    let bastion = fleet.launch(Launch {
        kind: kind("t3.micro"),
        zone: 0,
        image: &images.docker,
        age: 13 * DAY,
        reservation: &reservation,
        index: 0,
        is_spot: false,
        busy: 1.5,
        has_agent: true,
        tags: vec![tag("Name", "bastion"), tag("owner", "oncall")],
    });
    fleet.alter(&bastion, |instance| instance.public_ip = Some(u32::from_be_bytes([203, 0, 113, 24])));
}
