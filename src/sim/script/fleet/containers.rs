//! Clusters, services, load balancers, target groups and rules of a described fleet.

use super::super::spans::Table;
use super::Reader;
use crate::sim::described::{Balancer, Cluster, Leads, Record, Rule, Service, TargetGroup};

const RECORD: &[&str] = &[
    "name",
    "count",
    "zone",
    "private",
    "balancer",
    "host",
    "leads-to",
    "addresses",
    "ttl",
    "set",
    "weight",
];

const SERVICE: &[&str] = &[
    "name",
    "count",
    "cluster",
    "group",
    "target-group",
    "family",
    "revision",
    "image",
    "port",
    "cpu",
    "memory",
    "desired",
    "min",
    "max",
    "tier",
    "age",
    "daemon",
];

impl Reader<'_, '_> {
    pub(super) fn cluster(&mut self, table: &Table) -> Option<Cluster> {
        table.only(&["name", "count"], self.faults);
        let (name, count) = self.named(table, "name")?;
        Some(Cluster { name, count })
    }

    pub(super) fn service(&mut self, table: &Table) -> Option<Service> {
        table.only(SERVICE, self.faults);
        let (name, count) = self.named(table, "name")?;
        let cluster = self.needs(table, "cluster", &["cluster"], count)?;
        let port = table.has("port").then(|| self.number(table, "port", 3567_u16));
        let target_group = self.of(table, "target-group", &["target-group"], count);
        if target_group.is_some() && port.is_none() {
            let sentence = "a service behind a target group needs a port".to_owned();
            self.faults.add(table.at("target-group"), sentence);
        }
        let (min, max) = (self.number(table, "min", 100_u32), self.number(table, "max", 200_u32));
        if min >= max && min >= 100 && max <= 100 && table.has("max") {
            let sentence = format!(
                "a service between {min} and {max} percent can never deploy; ECS refuses to make one"
            );
            self.faults.add(table.at("max"), sentence);
        }
        let family = self.text(table, "family", &name.text(0));
        Some(Service {
            family,
            count,
            cluster,
            group: self.of(table, "group", &["group"], count),
            target_group,
            revision: self.number(table, "revision", 1_u32).max(1),
            image: self.text(table, "image", "supertokens/supertokens-postgresql:11.0.4"),
            port,
            cpu: self.number(table, "cpu", 256_u32),
            memory: self.number(table, "memory", 512_u32),
            desired: self.number(table, "desired", 1_u32),
            min,
            max,
            tier: self.text(table, "tier", ""),
            age: self.age(table, 6 * 86_400),
            is_daemon: table.flag("daemon", self.faults),
            name,
        })
    }

    pub(super) fn target_group(&mut self, table: &Table) -> Option<TargetGroup> {
        table.only(&["name", "count", "port", "path", "drain", "targets"], self.faults);
        let (name, count) = self.named(table, "name")?;
        let long = (0..count.min(1)).chain(count.checked_sub(1)).map(|n| name.text(n));
        if let Some(long) = long.into_iter().find(|name| name.len() > 32) {
            let sentence = format!("{long} is longer than the 32 characters of a target group's name");
            self.faults.add(table.at("name"), sentence);
        }
        Some(TargetGroup {
            name,
            count,
            port: self.number(table, "port", 3567_u16),
            path: self.text(table, "path", "/hello"),
            drain: self.number(table, "drain", 300_u32),
            targets: self.all_of(table, "targets", &["hosts", "group"], count),
        })
    }

    pub(super) fn balancer(&mut self, table: &Table) -> Option<Balancer> {
        table.only(&["name", "count"], self.faults);
        let (name, count) = self.named(table, "name")?;
        Some(Balancer { name, count })
    }

    pub(super) fn record(&mut self, table: &Table) -> Option<Record> {
        table.only(RECORD, self.faults);
        let (name, count) = self.named(table, "name")?;
        let zone = self.text(table, "zone", "");
        if zone.is_empty() {
            self.faults.add(table.span(), "a record needs a zone".to_owned());
            return None;
        }
        let addresses = table.texts("addresses", self.faults).unwrap_or_default();
        let leads = if table.has("balancer") {
            Leads::Balancer(self.needs(table, "balancer", &["balancer"], count)?)
        } else if table.has("host") {
            Leads::Host(self.needs(table, "host", &["hosts", "group"], count)?)
        } else if table.has("leads-to") {
            let text = self.text(table, "leads-to", "");
            Leads::Name(self.read_pattern(&text, table.at("leads-to"))?)
        } else if addresses.is_empty() {
            let sentence = "a record needs a balancer, a host, leads-to or addresses".to_owned();
            self.faults.add(table.span(), sentence);
            return None;
        } else {
            Leads::Addresses(addresses.into_iter().map(|(text, _)| text.to_owned()).collect())
        };
        let weight = table.has("weight").then(|| self.number(table, "weight", 0_u32));
        let set = table.has("set").then(|| self.text(table, "set", ""));
        if weight.is_some() != set.is_some() {
            self.faults.add(table.span(), "a weight needs a set, which names it among others".to_owned());
        }
        Some(Record {
            name,
            count,
            zone,
            is_private: table.flag("private", self.faults),
            leads,
            ttl: self.number(table, "ttl", 60_u32),
            set,
            weight,
        })
    }

    pub(super) fn rule(&mut self, table: &Table) -> Option<Rule> {
        table.only(&["balancer", "count", "hosts", "target-group", "priority"], self.faults);
        let count = self.count(table);
        let balancer = self.needs(table, "balancer", &["balancer"], count)?;
        let target_group = self.needs(table, "target-group", &["target-group"], count)?;
        let mut hosts = Vec::new();
        for (text, span) in table.texts("hosts", self.faults).unwrap_or_default() {
            hosts.extend(self.read_pattern(text, span));
        }
        if hosts.is_empty() {
            self.faults.add(table.span(), "a rule needs hosts".to_owned());
        }
        if hosts.len() > 5 {
            self.faults.add(table.at("hosts"), "a rule holds at most five values".to_owned());
        }
        let priority = self.number(table, "priority", 1_u32);
        let last = u32::try_from(count).ok().and_then(|count| priority.checked_add(count));
        if priority == 0 || last.is_none_or(|last| last > 50_001) {
            let sentence = "priorities are from 1 to 50000".to_owned();
            self.faults.add(table.at("priority"), sentence);
        }
        Some(Rule { count, balancer, hosts, target_group, priority })
    }
}
