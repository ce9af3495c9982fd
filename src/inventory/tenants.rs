//! Tenants as they are seen: by the lists of the cores themselves, and by the rules that lead their traffic.

use super::gather::{CoreSeen, Found, Observed};
use crate::fleet::Fleet;
use crate::model::{CoreId, Home, Known, Scope, Text};
use crate::snapshot::Snapshot;
use std::collections::{BTreeMap, BTreeSet};

/// A tenant that was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantSeen {
    /// Its connection URI domain, in lower case.
    pub domain: Text,
    /// Where the core that serves it was found.
    pub scope: Scope,
    /// The core that serves it; the first by id of several replicas.
    pub core: CoreId,
    /// The other replicas.
    pub also: Vec<CoreId>,
    /// What said so.
    pub by: &'static str,
}

/// The cores that serve a domain, and where they were found.
type Serving = BTreeSet<(Scope, CoreId)>;

/// A core's own list of domains.
const BY_CORE: &str = "the core's own list";
/// A listener rule.
const BY_RULE: &str = "a listener rule";

/// Adds the tenants that were seen.
pub(super) fn gather(snapshot: &Snapshot, fleet: &Fleet, seen: &mut Observed) {
    let mut found: BTreeMap<Text, (&'static str, Serving)> = BTreeMap::new();
    let mut is_asked = false;
    for core in fleet.cores.iter().filter(|core| matches!(core.home, Home::Container { .. })) {
        let Known::Yes(Some(word)) = &core.word else { continue };
        is_asked = true;
        // A core that would not list its domains proves nothing.
        if word.customers().is_none() {
            continue;
        }
        let domains: BTreeSet<Text> = word
            .domains
            .iter()
            .filter(|domain| !domain.domain.is_empty())
            .map(|domain| Text::from(domain.domain.to_lowercase()))
            .collect();
        for domain in &domains {
            let (_, cores) = found.entry(domain.clone()).or_insert((BY_CORE, BTreeSet::new()));
            cores.insert(((*core.scope).clone(), core.id.clone()));
        }
        seen.told.insert(core.id.clone(), domains);
    }
    if !is_asked {
        let why = "cores were not asked for their tenants (cores.reach is off, or none was reached)";
        seen.notes.push(why.to_owned());
    }
    let is_read = |part: &crate::snapshot::Part| part.rules.is_whole && part.targets.is_whole;
    let is_routed = !snapshot.parts.is_empty() && snapshot.parts.iter().all(|part| is_read(part));
    if !is_routed {
        seen.notes.push("not every listener rule and target could be read".to_owned());
    }
    let mut routed = BTreeSet::new();
    for (domain, cores) in by_rules(fleet, &seen.cores) {
        routed.insert(domain.clone());
        // What the core says of itself is nearer than where its traffic goes.
        if !cores.is_empty() {
            found.entry(domain).or_insert((BY_RULE, cores));
        }
    }
    seen.routed = is_routed.then_some(routed);
    for (domain, (by, cores)) in found {
        let mut cores = cores.into_iter();
        let Some((scope, core)) = cores.next() else { continue };
        let also = cores.map(|(_, id)| id).collect();
        seen.tenants.push(TenantSeen { domain, scope, core, also, by });
    }
}

/// The hosts of rules with the docker cores behind them; none behind a rule where a target is something else.
fn by_rules(fleet: &Fleet, cores: &[CoreSeen]) -> BTreeMap<Text, Serving> {
    let at: BTreeMap<(&str, u16), &CoreSeen> = cores
        .iter()
        .filter(|core| core.found == Found::Docker)
        .filter_map(|core| Some(((core.instance_id.as_ref()?.as_str(), core.port?), core)))
        .collect();
    let mut targets: BTreeMap<&str, Vec<Option<&CoreSeen>>> = BTreeMap::new();
    for row in &fleet.targets {
        let core = row.it.port.and_then(|port| at.get(&(row.it.id.as_str(), port))).copied();
        targets.entry(row.it.group.as_str()).or_default().push(core);
    }
    let mut found: BTreeMap<Text, Serving> = BTreeMap::new();
    for row in &fleet.rules {
        // A rule for some paths only does not say where a customer is.
        let is_whole =
            row.it.paths.is_empty() || row.it.paths.iter().any(|path| matches!(&**path, "*" | "/*"));
        let live = row.it.forwards.iter().filter(|(_, weight)| *weight > 0);
        let behind: Option<Vec<&CoreSeen>> =
            live.flat_map(|(group, _)| targets.get(group.as_str()).into_iter().flatten().copied()).collect();
        for host in row.it.hosts.iter().filter(|host| !host.contains(['*', '?'])) {
            let cores = found.entry(Text::from(host.to_lowercase())).or_default();
            if is_whole && let Some(behind) = &behind {
                cores.extend(behind.iter().map(|core| (core.scope.clone(), core.id.clone())));
            }
        }
    }
    found
}
