//! Tenants: what the registry and the listener rules say, and which core serves them, wherever it is.

use super::health::Verdict;
use super::join::Span;
use super::lack::{Absence, absence};
use super::people::heed_drift;
use super::routing::Names;
use super::rows::RuleRow;
use super::{Fleet, words};
use crate::gateway::Source;
use crate::model::{
    Core, CoreId, Health, Known, Route, Scope, TargetGroupArn, Tenant, TenantId, TenantRecord, Text, TierName,
};
use crate::snapshot::{Part, Snapshot};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Where cores are found: a core that none of these holds is nowhere.
const CORES: [Source; 4] = [Source::Registry, Source::Clusters, Source::Services, Source::Tasks];

/// The tenants of all parts, each with the place of its core in `cores`.
pub(super) fn join(
    snapshot: &Snapshot,
    spans: &[Span],
    fleet: &Fleet,
    cores: &[Core],
) -> Vec<(Tenant, Option<usize>)> {
    let desk = Desk {
        snapshot,
        cores,
        by_id: by_id(cores),
        names: Names::new(snapshot, fleet),
        by_host: spans.iter().map(|span| by_host(&fleet.rules[span.rules()])).collect(),
    };
    let named: HashSet<Text> = snapshot
        .parts
        .iter()
        .flat_map(|part| part.registry.value.iter())
        .flat_map(|registry| &registry.tenants)
        .filter_map(|record| Some(record.domain.as_ref()?.to_lowercase()))
        .collect();
    let mut tenants = Vec::new();
    for (at, (part, span)) in snapshot.parts.iter().zip(spans).enumerate() {
        let records = part.registry.value.iter().flat_map(|registry| &registry.tenants);
        tenants.extend(records.map(|record| desk.registered(at, part, record)));
        desk.strangers(at, part, &served(fleet, span), &named, &mut tenants);
    }
    tenants
}

fn by_id(cores: &[Core]) -> HashMap<&str, Vec<usize>> {
    let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, core) in cores.iter().enumerate() {
        by_id.entry(core.id.as_str()).or_default().push(at);
    }
    by_id
}

/// The rule that says where a host's traffic goes: one that forwards before one that answers or redirects,
/// one for every path before one for some of them, and then the one that is tried first.
fn by_host(rows: &[RuleRow]) -> HashMap<Text, &RuleRow> {
    let mut rules: Vec<&RuleRow> = rows.iter().collect();
    rules.sort_by_key(|row| {
        let has_paths =
            !row.it.paths.is_empty() && !row.it.paths.iter().any(|path| matches!(&**path, "*" | "/*"));
        // The lowest number is tried first; `default` is no number and comes last.
        (row.it.forwards.is_empty(), has_paths, row.it.priority.parse::<u32>().unwrap_or(u32::MAX))
    });
    let mut by_host: HashMap<Text, &RuleRow> = HashMap::new();
    for row in rules {
        for host in &row.it.hosts {
            by_host.entry(host.to_lowercase()).or_insert(row);
        }
    }
    by_host
}

/// The tier of the core service behind each target group. What else stands behind a balancer is no core.
fn served<'a>(fleet: &'a Fleet, span: &Span) -> HashMap<&'a str, &'a TierName> {
    fleet.services[span.services()]
        .iter()
        .filter_map(|row| Some((row, row.tier.as_ref()?)))
        .flat_map(|(row, tier)| row.it.target_groups.iter().map(move |(arn, _, _)| (arn.as_str(), tier)))
        .collect()
}

/// What tenants are judged by.
struct Desk<'a> {
    snapshot: &'a Snapshot,
    cores: &'a [Core],
    by_id: HashMap<&'a str, Vec<usize>>,
    names: Names<'a>,
    by_host: Vec<HashMap<Text, &'a RuleRow>>,
}

/// Where the core of an id is.
enum Place {
    One(usize),
    Several(usize),
    Nowhere,
}

impl Desk<'_> {
    /// A core of the tenant's own account and region before one that only has the same id.
    fn place(&self, scope: &Scope, id: &CoreId) -> Place {
        let all = self.by_id.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        let own = all.iter().find(|at| self.cores.get(**at).is_some_and(|core| *core.scope == *scope));
        match (own, all) {
            (Some(at), _) | (None, [at]) => Place::One(*at),
            (None, []) => Place::Nowhere,
            (None, several) => Place::Several(several.len()),
        }
    }

    /// The rule for a host: of the tenant's own part, else of another.
    fn rule(&self, at: usize, domain: &str) -> Option<&RuleRow> {
        let domain = domain.to_lowercase();
        let own = self.by_host.get(at).and_then(|rules| rules.get(domain.as_str()));
        own.or_else(|| self.by_host.iter().find_map(|rules| rules.get(domain.as_str()))).copied()
    }

    /// Where a host name leads, and what is wrong with that.
    fn route(
        &self,
        domain: Option<&str>,
        core: Option<&Core>,
        verdict: &mut Verdict,
    ) -> Known<Option<Arc<Route>>> {
        let Some(domain) = domain else { return Known::Yes(None) };
        let route = self.names.lead(domain);
        if let Known::Yes(Some(route)) = &route {
            self.names.judge(domain, route, core, verdict);
        }
        route
    }

    fn registered(&self, at: usize, part: &Part, record: &TenantRecord) -> (Tenant, Option<usize>) {
        let mut verdict = Verdict::default();
        let place = record.core.as_ref().map(|id| (id, self.place(&part.scope, id)));
        let mut found = None;
        match place {
            None => verdict.find(Health::Warn, "the registry names no core for it"),
            Some((id, Place::Nowhere)) => {
                match absence(&self.snapshot.parts, &CORES, part.registry.same_since) {
                    Absence::Proven => {
                        verdict.find(
                            Health::Bad,
                            format!("its core {id} is neither in the registry nor a task"),
                        );
                    }
                    Absence::Older => {
                        verdict.find(
                            Health::Unknown,
                            format!("its core {id} was not there when cores were last listed"),
                        );
                    }
                    Absence::Unread => verdict.note(Health::Unknown),
                }
            }
            Some((id, Place::Several(many))) => {
                verdict.find(
                    Health::Unknown,
                    format!("{many} cores in other places are called {id}: which is its own?"),
                );
            }
            Some((_, Place::One(at))) => found = Some(at),
        }
        let core = found.and_then(|at| self.cores.get(at));
        if let Some(core) = core {
            if core.health >= Health::Warn {
                let why = core.troubles.first().map_or("unwell", String::as_str);
                verdict.find(core.health, format!("its core {}: {why}", core.id));
            } else {
                verdict.note(core.health);
            }
        }
        let word = words::of_domain(core, record.domain.as_deref(), &mut verdict);
        let rule = record.domain.as_ref().and_then(|domain| self.rule(at, domain));
        if let Some(row) = rule {
            hear(&mut verdict, row);
        }
        let route = self.route(record.domain.as_deref(), core, &mut verdict);
        heed_drift(record.drift.as_ref(), &mut verdict);
        let (health, troubles) = verdict.end(Health::Unknown);
        let tenant = Tenant {
            id: record.id.clone(),
            scope: Arc::clone(&part.scope),
            name: record.name.clone(),
            domain: record.domain.clone(),
            mode: record.mode.clone(),
            core: record.core.clone(),
            tier: core.and_then(|core| core.tier.clone()),
            rule: rule.map(|row| row.it.arn.clone()),
            target_groups: rule.map_or_else(Vec::new, forwards),
            route,
            drift: record.drift.clone(),
            word,
            health,
            troubles,
        };
        (tenant, found)
    }

    /// A host name whose rule leads to a core service is a customer, whether or not a registry knows it.
    fn strangers(
        &self,
        at: usize,
        part: &Part,
        served: &HashMap<&str, &TierName>,
        named: &HashSet<Text>,
        tenants: &mut Vec<(Tenant, Option<usize>)>,
    ) {
        let Some(by_host) = self.by_host.get(at) else { return };
        // Only a worry, and true of what was read: it need not wait for a registry as new as the rule.
        let unregistered = absence(&self.snapshot.parts, &[Source::Registry], part.rules.same_since);
        // Sorted, because a map's own order would shuffle the rows from one picture to the next.
        let mut strangers: Vec<(&Text, &&RuleRow)> =
            by_host.iter().filter(|(host, _)| !named.contains(*host)).collect();
        strangers.sort_by_key(|(host, _)| *host);
        for (host, row) in strangers {
            let mut live = row.it.forwards.iter().filter(|(_, weight)| *weight > 0);
            let tier = live.find_map(|(arn, _)| served.get(arn.as_str()));
            let (Some(tier), false) = (tier, host.contains(['*', '?'])) else { continue };
            let mut verdict = Verdict::default();
            if unregistered != Absence::Unread {
                verdict.find(Health::Warn, "has a rule but is not in the registry");
            }
            hear(&mut verdict, row);
            let route = self.route(Some(host), None, &mut verdict);
            let (health, troubles) = verdict.end(Health::Unknown);
            let tenant = Tenant {
                id: TenantId::new(host),
                scope: Arc::clone(&part.scope),
                name: None,
                domain: Some(Text::new(host)),
                mode: None,
                core: None,
                tier: Some((*tier).clone()),
                rule: Some(row.it.arn.clone()),
                target_groups: forwards(row),
                route,
                drift: None,
                word: Known::Yes(None),
                health,
                troubles,
            };
            tenants.push((tenant, None));
        }
    }
}

fn hear(verdict: &mut Verdict, row: &RuleRow) {
    verdict.note(row.health);
    for trouble in &row.troubles {
        verdict.find(row.health, format!("its rule: {trouble}"));
    }
}

fn forwards(row: &RuleRow) -> Vec<TargetGroupArn> {
    row.it.forwards.iter().map(|(arn, _)| arn.clone()).collect()
}
