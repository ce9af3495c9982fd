//! The demo fleet's host names: two wildcards that lead to the cores' load balancer, and what somebody set by hand.

use crate::sim::builder::Builder;
use crate::sim::world::hosted::Record;
use compact_str::CompactString;
use std::net::Ipv4Addr;

/// The zone of the customers' names, and a private one beside it.
pub(super) fn zones(fleet: &mut Builder) {
    let dns = |fleet: &Builder, name: &str| {
        fleet
            .place
            .balancers
            .rows()
            .find(|balancer| balancer.name == name)
            .map(|balancer| balancer.dns.clone())
    };
    let (cores, api) = (dns(fleet, "cores-public"), dns(fleet, "api-public"));
    let record = |name: &str, kind, ttl, values: &[String], alias: Option<CompactString>| Record {
        name: format!("{name}.").into(),
        kind,
        ttl,
        values: values.iter().map(CompactString::from).collect(),
        alias,
        set: None,
        weight: None,
    };
    let zone = "cores.example.com";
    for kind in ["A", "AAAA"] {
        fleet.record(zone, false, record("*.cores.example.com", kind, None, &[], cores.clone()));
    }
    fleet.record(zone, false, record("*.dev.cores.example.com", "A", None, &[], cores.clone()));
    // Half of the traffic of a customer who was moved by hand still goes where it went before.
    for (set, to) in [("balancer", cores.clone()), ("old", api)] {
        let shared = Record {
            set: Some(set.into()),
            weight: Some(50),
            ..record("kitewire.cores.example.com", "A", None, &[], to)
        };
        fleet.record(zone, false, shared);
    }
    // One name still leads straight to its host, and is remembered for an hour.
    let host = fleet
        .place
        .instances
        .rows()
        .find(|host| host.tags.iter().any(|tag| tag.0 == "Name" && tag.1 == "prod-slatepay"));
    if let Some(address) = host.map(|host| Ipv4Addr::from(host.private_ip).to_string()) {
        let straight = record("slatepay.cores.example.com", "A", Some(3600), &[address], None);
        fleet.record(zone, false, straight);
    }
    let inside = cores.map(|cores| format!("{cores}."));
    fleet.record(
        "internal.example.com",
        true,
        record("cores.internal.example.com", "CNAME", Some(60), inside.as_slice(), None),
    );
}
