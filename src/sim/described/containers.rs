//! Clusters, services, load balancers, target groups and rules of a described fleet.

use super::build::{Built, seconds};
use super::{Fleet, Leads};
use crate::sim::builder::containers::{NewService, cluster, definition, service};
use crate::sim::builder::{Builder, DAY};
use crate::sim::world::balancing::{Act, Balancer, Health};
use crate::sim::world::hosted::Record;
use compact_str::CompactString;
use std::net::Ipv4Addr;

pub(super) fn clusters(place: &mut Builder, fleet: &Fleet) {
    for clusters in &fleet.clusters {
        for n in 0..clusters.count {
            cluster(place, &clusters.name.text(n), &[]);
        }
    }
}

pub(super) fn target_groups(place: &mut Builder, built: &mut Built, fleet: &Fleet) {
    for groups in &fleet.target_groups {
        for n in 0..groups.count {
            let name = groups.name.text(n);
            let arn = place.target_group(&name, groups.port, &groups.path);
            if let Some(made) = place.place.target_groups.get_mut(&arn) {
                made.drain = groups.drain;
            }
            built.target_groups.insert(name, arn);
        }
    }
}

/// Registers what target groups name, and the members of groups that name target groups.
pub(super) fn register(place: &mut Builder, built: &Built, fleet: &Fleet) {
    for groups in &fleet.target_groups {
        for n in 0..groups.count {
            let Some(arn) = built.target_groups.get(&groups.name.text(n)) else { continue };
            for named in &groups.targets {
                for id in built.machines.get(&named.text(n)).into_iter().flatten() {
                    place.target(arn, id, groups.port, Health::Healthy);
                }
            }
        }
    }
    for groups in &fleet.groups {
        for n in 0..groups.count {
            let members = built.machines.get(&groups.name.text(n)).map(Vec::as_slice).unwrap_or_default();
            for named in &groups.target_groups {
                let Some(arn) = built.target_groups.get(&named.text(n)) else { continue };
                let port = place.place.target_groups.get(arn).map_or(80, |group| group.port);
                for id in members {
                    place.target(arn, id, port, Health::Healthy);
                }
            }
        }
    }
}

pub(super) fn balancers(place: &mut Builder, built: &mut Built, fleet: &Fleet) {
    for balancers in &fleet.balancers {
        for n in 0..balancers.count {
            let name = balancers.name.text(n);
            let suffix = place.dice.hex(16);
            let arn = place.place.arn("elasticloadbalancing", &format!("loadbalancer/app/{name}/{suffix}"));
            let number = place.dice.below(9_000_000_000) + 1_000_000_000;
            let dns = format!("{name}-{number}.{}.elb.amazonaws.com", place.place.region);
            let balancer = Balancer {
                arn: arn.clone(),
                name: name.as_str().into(),
                dns: dns.into(),
                is_internal: false,
                created: place.ago(300 * DAY),
                tags: Vec::new(),
            };
            place.place.balancers.insert(arn.clone(), balancer);
            place.listener(&arn, 80, Act::Redirect("HTTPS", "443", "HTTP_301"));
            let listener = place.listener(&arn, 443, Act::Answer("404", "no such core"));
            built.balancers.insert(name, (arn, listener));
        }
    }
}

pub(super) fn rules(place: &mut Builder, built: &Built, fleet: &Fleet) {
    for rules in &fleet.rules {
        for n in 0..rules.count {
            let Some((_, listener)) = built.balancers.get(&rules.balancer.text(n)) else { continue };
            let Some(target) = built.target_groups.get(&rules.target_group.text(n)) else { continue };
            let hosts: Vec<String> = rules.hosts.iter().map(|host| host.text(n)).collect();
            let priority = rules.priority.saturating_add(u32::try_from(n).unwrap_or(0));
            place.rule(listener, Some(priority), &hosts, Act::Forward(vec![(target.clone(), 1)]));
        }
    }
}

pub(super) fn records(place: &mut Builder, built: &Built, fleet: &Fleet) {
    for records in &fleet.records {
        for n in 0..records.count {
            let (mut values, mut alias, mut kind) = (Vec::new(), None, "A");
            match &records.leads {
                Leads::Balancer(name) => {
                    let arn = built.balancers.get(&name.text(n)).map(|(arn, _)| arn);
                    alias = arn.and_then(|arn| place.place.balancers.get(arn)).map(|it| it.dns.clone());
                }
                Leads::Host(name) => {
                    let hosts = built.machines.get(&name.text(n)).into_iter().flatten();
                    let hosts = hosts.filter_map(|id| place.place.instances.get(id));
                    values = hosts.map(|host| Ipv4Addr::from(host.private_ip).to_string().into()).collect();
                }
                Leads::Name(name) => (kind, values) = ("CNAME", vec![format!("{}.", name.text(n)).into()]),
                Leads::Addresses(all) => values = all.iter().map(CompactString::from).collect(),
            }
            let record = Record {
                name: format!("{}.", records.name.text(n)).into(),
                kind,
                ttl: alias.is_none().then_some(records.ttl),
                values,
                alias,
                set: records.set.as_deref().map(CompactString::from),
                weight: records.weight,
            };
            place.record(&records.zone, records.is_private, record);
        }
    }
}

pub(super) fn services(place: &mut Builder, built: &Built, fleet: &Fleet) {
    for services in &fleet.services {
        let task: CompactString = definition(
            place,
            (&services.family, services.revision),
            &services.image,
            services.port,
            (services.cpu, services.memory),
            seconds(services.age) / DAY + 1,
        );
        // What a definition is for follows the hosts that take it.
        let is_arm = services
            .group
            .as_ref()
            .and_then(|named| built.machines.get(&named.text(0))?.first())
            .and_then(|id| place.place.instances.get(id))
            .is_some_and(|instance| instance.kind.architecture == "arm64");
        if let Some(made) = place.place.definitions.get_mut(&task) {
            made.architecture = if is_arm { "ARM64" } else { "X86_64" };
        }
        for n in 0..services.count {
            let (name, home) = (services.name.text(n), services.cluster.text(n));
            let group = services.group.as_ref().map(|named| named.text(n));
            let target = services.target_group.as_ref();
            let target = target.and_then(|named| built.target_groups.get(&named.text(n)));
            let open = place.place.clusters.get(&home).map_or(0, |found| found.hosts.len());
            let desired =
                if services.is_daemon { u32::try_from(open).unwrap_or(0) } else { services.desired };
            service(
                place,
                NewService {
                    cluster: &home,
                    name: &name,
                    definition: &task,
                    desired,
                    percents: (services.min, services.max),
                    provider: group.as_deref(),
                    target_group: target.map(CompactString::as_str),
                    tier: &services.tier,
                    age: seconds(services.age),
                    is_daemon: services.is_daemon,
                },
            );
        }
    }
}
