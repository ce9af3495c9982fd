//! Where host names lead, by the records of Route 53, and whether that is where the registry and the rules say.
//!
//! ```text
//! c1.example.com ─CNAME→ cores.example.com ─alias→ balancer ─rule→ target group ─→ core
//!                └──────────── Route ──────────────────────┘
//! ```
//!
//! Only what was read is judged: a name whose zone is in no account here says nothing.

use super::Fleet;
use super::health::Verdict;
use super::lack;
use super::rows::RuleRow;
use super::traffic::name_in;
use crate::gateway::Source;
use crate::model::tier::glob;
use crate::model::{
    BalancerArn, Core, DnsRecord, End, Ending, Health, HostedZone, InstanceId, Known, Route, TargetGroupArn,
    Tenant, Text,
};
use crate::snapshot::Snapshot;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

/// No way that somebody means is longer.
const LONGEST_WAY: usize = 16;
/// Seconds for which AWS's own answers to aliases hold.
const ALIAS_TTL: u32 = 60;
/// A record that is remembered longer than so many seconds holds up every move of its tenant.
const HIGH_TTL: u32 = 300;

/// What names lead to, and by which zones.
pub(super) struct Names<'a> {
    /// Public zones, and private ones, by name. Two of one name are one.
    public: HashMap<&'a str, Vec<&'a HostedZone>>,
    private: HashMap<&'a str, Vec<&'a HostedZone>>,
    records: HashMap<(&'a str, &'a str), Vec<&'a DnsRecord>>,
    /// By name in lower case.
    balancers: HashMap<Text, &'a RuleRow>,
    addresses: HashMap<&'a str, &'a InstanceId>,
    rules: HashMap<&'a BalancerArn, Takes<'a>>,
    /// Whether every list of zones was read.
    is_read: Known<()>,
    /// Whether what is in no list does not exist.
    are_rules_whole: bool,
    are_instances_whole: bool,
}

/// Which host names a balancer takes.
#[derive(Default)]
struct Takes<'a> {
    exactly: HashSet<Text>,
    like: Vec<&'a Text>,
    /// Whatever no rule names is forwarded.
    rest: bool,
}

impl Takes<'_> {
    fn takes(&self, host: &str) -> bool {
        self.rest || self.exactly.contains(host) || self.like.iter().any(|pattern| glob(pattern, host))
    }
}

impl<'a> Names<'a> {
    /// What all parts say. Costs next to nothing where no zone was read.
    pub(super) fn new(snapshot: &'a Snapshot, fleet: &'a Fleet) -> Self {
        let is_whole = |whole: fn(&crate::snapshot::Part) -> bool| {
            !snapshot.parts.is_empty() && snapshot.parts.iter().all(|part| whole(part))
        };
        let mut names = Self {
            public: HashMap::new(),
            private: HashMap::new(),
            records: HashMap::new(),
            balancers: HashMap::new(),
            addresses: HashMap::new(),
            rules: HashMap::new(),
            is_read: lack::everywhere(snapshot, &[Source::Records]),
            are_rules_whole: is_whole(|part| part.rules.is_whole),
            are_instances_whole: is_whole(|part| part.instances.is_whole),
        };
        let zones =
            snapshot.parts.iter().flat_map(|part| part.records.value.iter()).flat_map(|all| all.iter());
        let mut known = HashSet::new();
        // An account that is read in several regions has each of its zones in all of them.
        for zone in zones.filter(|zone| known.insert(&zone.id)) {
            let by_name = if zone.is_private { &mut names.private } else { &mut names.public };
            by_name.entry(zone.name.as_str()).or_default().push(zone);
            for record in &zone.records {
                names.records.entry((zone.id.as_str(), record.name.as_str())).or_default().push(record);
            }
        }
        if known.is_empty() {
            return names;
        }
        for row in &fleet.rules {
            if let Some(dns) = &row.it.balancer_dns {
                names.balancers.entry(Text::from(dns.to_lowercase())).or_insert(row);
            }
            let takes = names.rules.entry(&row.it.balancer).or_default();
            for host in &row.it.hosts {
                if host.contains(['*', '?']) {
                    takes.like.push(host);
                } else {
                    takes.exactly.insert(Text::from(host.to_lowercase()));
                }
            }
            takes.rest |= row.it.hosts.is_empty() && !row.it.forwards.is_empty();
        }
        for row in fleet.instances.iter().filter(|row| !row.it.state.is_gone()) {
            for address in row.it.private_ip.as_deref().into_iter().chain(row.it.public_ip()) {
                names.addresses.insert(address, &row.it.id);
            }
        }
        names
    }

    /// Where a host name leads; none where no zone here holds it.
    pub(super) fn lead(&self, domain: &str) -> Known<Option<Arc<Route>>> {
        let domain = Text::from(domain.to_lowercase());
        let Some((zones, is_private)) = self.zones(&domain, false) else {
            return self.is_read.map(|()| None);
        };
        let zone = zones.first().map(|zone| zone.name.clone()).unwrap_or_default();
        let mut route = Route { zone, is_private, way: vec![domain.clone()], ends: Vec::new(), ttl: 0 };
        self.follow(&domain, None, &mut route);
        Known::Yes(Some(Arc::new(route)))
    }

    /// The zones that answer for a name: the ones with the longest name, public before private ones unless the way
    /// is inside of a network already.
    fn zones(&self, name: &str, is_inside: bool) -> Option<(&[&'a HostedZone], bool)> {
        let of =
            |zones: &'_ HashMap<&str, Vec<&'a HostedZone>>| parents(name).find(|end| zones.contains_key(end));
        let order = if is_inside {
            [(&self.private, true), (&self.public, false)]
        } else {
            [(&self.public, false), (&self.private, true)]
        };
        order
            .into_iter()
            .find_map(|(zones, is_private)| Some((zones.get(of(zones)?)?.as_slice(), is_private)))
    }

    /// The records of a name, or of the wildcard that stands for it.
    fn records(&self, name: &str, zones: &[&'a HostedZone]) -> Vec<&'a DnsRecord> {
        let of = |wanted: &str| -> Vec<&'a DnsRecord> {
            let found = zones.iter().filter_map(|zone| self.records.get(&(zone.id.as_str(), wanted)));
            found.flatten().copied().collect()
        };
        let own = of(name);
        if !own.is_empty() {
            return own;
        }
        let above = parents(name).skip(1).map(|parent| of(&format!("*.{parent}")));
        above.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
    }

    fn follow(&self, name: &str, share: Option<(u32, u32)>, route: &mut Route) {
        let Some((zones, _)) = self.zones(name, route.is_private) else {
            route.ends.push(Ending { at: End::Name(Text::new(name)), share });
            return;
        };
        let all = self.records(name, zones);
        // Both sorts of addresses lead to the same place, and older ones do so everywhere.
        let has_others = all.iter().any(|record| record.kind != "AAAA");
        let mut records: Vec<&DnsRecord> =
            all.into_iter().filter(|record| !has_others || record.kind != "AAAA").collect();
        if records.is_empty() {
            route.ends.push(Ending { at: End::Nothing(Text::new(name)), share });
            return;
        }
        let sum: u32 = records.iter().filter_map(|record| record.weight).fold(0, u32::saturating_add);
        records.retain(|record| sum == 0 || record.weight != Some(0));
        for record in records {
            let own = record.weight.filter(|_| sum > 0).map(|weight| (weight, sum));
            let share = match (share, own) {
                (Some((a, b)), Some((c, d))) => Some((a.saturating_mul(c), b.saturating_mul(d))),
                (outer, own) => own.or(outer),
            };
            route.ttl = route.ttl.max(record.ttl.unwrap_or(ALIAS_TTL));
            for target in &record.targets {
                if record.kind == "CNAME" || record.is_alias {
                    self.name(target, share, route);
                } else {
                    let at = match self.addresses.get(target.as_str()) {
                        Some(id) => End::Instance((*id).clone()),
                        None => End::Address(target.clone()),
                    };
                    end(at, share, route);
                }
            }
        }
    }

    fn name(&self, target: &Text, share: Option<(u32, u32)>, route: &mut Route) {
        let bare = target.strip_prefix("dualstack.").unwrap_or(target);
        if let Some(row) = self.balancers.get(bare) {
            let at = End::Balancer { arn: row.it.balancer.clone(), name: row.it.balancer_name.clone() };
            return end(at, share, route);
        }
        if let Some(id) = address_in(bare).and_then(|address| self.addresses.get(address.as_str())) {
            return end(End::Instance((*id).clone()), share, route);
        }
        if self.zones(target, route.is_private).is_none() {
            return end(End::Name(target.clone()), share, route);
        }
        if route.way.contains(target) || route.way.len() >= LONGEST_WAY {
            return end(End::Circle(target.clone()), share, route);
        }
        route.way.push(target.clone());
        self.follow(target, share, route);
    }

    /// Says where a tenant's name leads elsewhere than the registry and the rules say.
    pub(super) fn judge(&self, domain: &str, route: &Route, core: Option<&Core>, verdict: &mut Verdict) {
        for Ending { at, share } in &route.ends {
            let whose = match share {
                Some((part, of)) => format!("{part} of {of} parts of its traffic lead"),
                None => "its name leads".to_owned(),
            };
            let zone = &route.zone;
            match at {
                End::Balancer { arn, name } => {
                    let is_taken =
                        self.rules.get(arn).is_some_and(|takes| takes.takes(&domain.to_lowercase()));
                    if self.are_rules_whole && !is_taken {
                        let said = format!("{whose} to balancer {name}, which has no rule for it");
                        verdict.find(Health::Warn, said);
                    }
                }
                End::Instance(id) => {
                    let home = core.and_then(|core| Some((core, core.home.instance_id()?)));
                    if let Some((core, host)) = home.filter(|(_, host)| *host != id) {
                        verdict.find(
                            Health::Warn,
                            format!("{whose} to {id}, and its core {} is on {host}", core.id),
                        );
                    }
                }
                End::Address(address) if self.are_instances_whole => {
                    verdict.find(Health::Warn, format!("{whose} to {address}, which no instance here has"));
                }
                End::Name(name) if is_of_aws(name) && self.are_rules_whole && self.are_instances_whole => {
                    verdict.find(Health::Warn, format!("{whose} to {name}, which is nothing of this fleet"));
                }
                End::Address(_) | End::Name(_) => {}
                End::Nothing(name) if self.is_read == Known::Yes(()) => {
                    verdict.find(
                        Health::Warn,
                        format!("{whose} nowhere: {name} has no record in its zone {zone}"),
                    );
                }
                End::Nothing(_) => {}
                End::Circle(name) => {
                    verdict.find(
                        Health::Bad,
                        format!("{whose} nowhere: records lead in a circle by way of {name}"),
                    );
                }
            }
        }
        if route.ttl > HIGH_TTL {
            let said =
                format!("its record is remembered for {} s: a move takes as long to be seen", route.ttl);
            verdict.find(Health::Warn, said);
        }
    }
}

fn end(at: End, share: Option<(u32, u32)>, route: &mut Route) {
    let ending = Ending { at, share };
    if !route.ends.contains(&ending) {
        route.ends.push(ending);
    }
}

/// A name, and what it is below: `a.b.c`, `b.c`, `c`.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, parent)| parent))
}

/// The address that AWS's own name of an instance holds: `ec2-203-0-113-5.…`, `ip-10-0-0-1.…`.
fn address_in(name: &str) -> Option<String> {
    let (first, _) = name.split_once('.')?;
    let digits = first.strip_prefix("ec2-").or_else(|| first.strip_prefix("ip-"))?;
    let address = digits.replace('-', ".");
    address.parse::<IpAddr>().is_ok().then_some(address)
}

/// A name that AWS gives to a load balancer or an instance, and that leads nowhere else.
fn is_of_aws(name: &str) -> bool {
    let is_aws = name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn");
    is_aws && (name.contains(".elb.") || name.contains(".compute") || name.starts_with("ec2-"))
}

/// Where cores listen, and the target groups that send there.
type Doors<'a> = HashMap<(&'a str, u16), Vec<&'a TargetGroupArn>>;

fn doors(fleet: &Fleet) -> Doors<'_> {
    let mut doors = Doors::new();
    for row in &fleet.targets {
        if let Some(port) = row.it.port {
            doors.entry((row.it.id.as_str(), port)).or_default().push(&row.it.group);
        }
    }
    doors
}

/// Replicas behind one target group that run different versions: their databases may not be the same any more.
pub(super) fn heed_versions(fleet: &Fleet, cores: &mut [Core]) {
    let doors = doors(fleet);
    let mut versions: HashMap<&TargetGroupArn, BTreeSet<Text>> = HashMap::new();
    for core in cores.iter() {
        if let Some(version) = &core.version {
            for group in groups(&doors, core) {
                versions.entry(group).or_default().insert(version.clone());
            }
        }
    }
    versions.retain(|_, all| all.len() > 1);
    for core in cores.iter_mut() {
        let mixed = groups(&doors, core).into_iter().find_map(|group| Some((group, versions.get(group)?)));
        let Some((group, all)) = mixed else { continue };
        let all: Vec<&str> = all.iter().map(|version| &**version).collect();
        core.troubles.push(format!("replicas behind {} run {}", name_in(group.as_str()), all.join(" and ")));
        core.health = core.health.max(Health::Warn);
    }
}

/// The target groups that a core is in.
fn groups<'v>(doors: &HashMap<(&str, u16), Vec<&'v TargetGroupArn>>, core: &Core) -> Vec<&'v TargetGroupArn> {
    let home = core.home.instance_id().map(InstanceId::as_str).zip(core.port);
    home.and_then(|home| doors.get(&home)).cloned().unwrap_or_default()
}

/// Tells each core which host names lead to it: by rules to its port, or by a record to its host.
pub(super) fn tell(
    snapshot: &Snapshot,
    fleet: &Fleet,
    tenants: &[(Tenant, Option<usize>)],
    cores: &mut [Core],
) {
    let is_read = lack::everywhere(snapshot, &[Source::Rules, Source::Targets]);
    let Known::Yes(()) = is_read else {
        cores.iter_mut().for_each(|core| core.names = is_read.map(|()| Vec::new()));
        return;
    };
    let mut hosts: HashMap<&TargetGroupArn, BTreeSet<&Text>> = HashMap::new();
    for row in &fleet.rules {
        for (group, _) in row.it.forwards.iter().filter(|(_, weight)| *weight > 0) {
            hosts.entry(group).or_default().extend(&row.it.hosts);
        }
    }
    let doors = doors(fleet);
    let mut straight: HashMap<usize, BTreeSet<&Text>> = HashMap::new();
    for (tenant, core) in tenants {
        let (Some(core), Some(domain), Known::Yes(Some(route))) = (core, &tenant.domain, &tenant.route)
        else {
            continue;
        };
        let home = cores.get(*core).and_then(|core| core.home.instance_id());
        if route.ends.iter().any(|end| matches!(&end.at, End::Instance(id) if Some(id) == home)) {
            straight.entry(*core).or_default().insert(domain);
        }
    }
    for (number, core) in cores.iter_mut().enumerate() {
        let mut names = straight.remove(&number).unwrap_or_default();
        for group in groups(&doors, core) {
            names.extend(hosts.get(group).into_iter().flatten());
        }
        core.names = Known::Yes(names.into_iter().cloned().collect());
    }
}
