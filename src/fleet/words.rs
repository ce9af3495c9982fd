//! What cores say of themselves, put beside what everybody else says of them.

use super::health::Verdict;
use super::lack;
use crate::model::admin::{CoreWord, DomainWord, Sign};
use crate::model::{Core, Health, Home, Known, Tenant, TenantId, Text, WhyUnknown};
use crate::snapshot::{Part, Snapshot};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Gives each core of a registry its own word, and lets its health heed it. Tasks are not asked.
pub(super) fn heed(snapshot: &Snapshot, cores: &mut [Core]) {
    let words: Vec<(&Part, HashMap<&str, &Arc<CoreWord>>)> = snapshot
        .parts
        .iter()
        .map(|part| {
            let all = part.admin.value.iter().flat_map(|list| list.iter());
            (&**part, all.map(|word| (word.core.as_str(), word)).collect())
        })
        .collect();
    for core in cores.iter_mut().filter(|core| matches!(core.home, Home::Container { .. })) {
        let Some((part, by_id)) = words.iter().find(|(part, _)| part.scope == core.scope) else { continue };
        core.word = match by_id.get(core.id.as_str()) {
            Some(word) if word.sign == Sign::Unasked => Known::No(WhyUnknown::NotAsked),
            Some(word) => Known::Yes(Some(Arc::clone(word))),
            None if part.admin.is_whole => Known::Yes(None),
            None => Known::No(lack::why(part.admin.standing())),
        };
        if let Known::Yes(Some(word)) = &core.word {
            let (health, troubles) = verdict(word);
            // What is worse is said first.
            let at = if health > core.health { 0 } else { core.troubles.len() };
            core.health = core.health.max(health);
            core.troubles.splice(at..at, troubles);
        }
    }
}

/// Says of each core which domains it serves that no registry names: somebody made them by hand, or a tenant's entry
/// is gone.
pub(super) fn heed_strangers(snapshot: &Snapshot, cores: &mut [Core]) {
    if snapshot.parts.iter().any(|part| !part.registry.is_whole) {
        return;
    }
    let registries = snapshot.parts.iter().filter_map(|part| part.registry.value.as_ref());
    let tenants = registries.flat_map(|registry| &registry.tenants);
    let named: HashSet<Text> =
        tenants.filter_map(|tenant| Some(tenant.domain.as_ref()?.to_lowercase())).collect();
    for core in cores {
        let Known::Yes(Some(word)) = &core.word else { continue };
        let is_strange = |domain: &&Arc<DomainWord>| {
            !domain.domain.is_empty() && !named.contains(&domain.domain.to_lowercase())
        };
        let strangers: Vec<_> = word.domains.iter().filter(is_strange).collect();
        if let Some(first) = strangers.first() {
            let sentence = match strangers.len() {
                1 => format!("it serves {}, which no registry names", first.domain),
                many => {
                    format!("it serves {many} domains that no registry names, {} among them", first.domain)
                }
            };
            core.troubles.push(sentence);
            core.health = core.health.max(Health::Warn);
        }
    }
}

/// What a core's own word is worth.
fn verdict(word: &CoreWord) -> (Health, Vec<String>) {
    let mut health = Health::Ok;
    let mut troubles = Vec::new();
    let mut find = |found: Health, trouble: String| {
        health = health.max(found);
        troubles.push(trouble);
    };
    match &word.sign {
        Sign::Well | Sign::Unproven | Sign::Unasked => {}
        Sign::Failed(why) => find(Health::Bad, format!("it answers that {why}")),
        Sign::Silent => find(Health::Bad, "nothing listens at its port".to_owned()),
        Sign::Unreached(why) => find(Health::Unknown, format!("asked from here, {why}")),
    }
    let failing: Vec<_> = word.failing().filter(|(domain, _)| !domain.domain.is_empty()).collect();
    if let Some((first, why)) = failing.first() {
        let (many, all) = (failing.len(), word.domains.len());
        find(Health::Warn, format!("{many} of its {all} domains fail, {} among them: {why}", first.domain));
    }
    if word.is_in_memory == Some(true) {
        find(Health::Bad, "it has no database: what its users do is lost when it stops".to_owned());
    }
    if word.lacks_licence() {
        let lacks = match word.licence {
            Known::Yes(false) => "it has no licence key, so that it lacks multi_tenancy",
            _ => "its licence lacks multi_tenancy",
        };
        find(Health::Warn, format!("{lacks}: it serves the domains that it has, and refuses new ones (402)"));
    }
    if let Known::Yes(Some(imports)) = word.imports()
        && imports.failed > 0
    {
        find(Health::Warn, format!("{} users failed to be imported, and nobody tries again", imports.failed));
    }
    for fault in &word.faults {
        find(Health::Warn, format!("it does not tell everything: {fault}"));
    }
    (health, troubles)
}

/// Says of tenants whose cores name one database for them that they have the same users. Cores refuse that of two
/// domains of their own, and know nothing of each other. The same domain at two places is one tenant on its way.
pub(super) fn heed_one_database(tenants: &mut [(Tenant, Option<usize>)]) {
    let mut by_database: HashMap<Text, Vec<usize>> = HashMap::new();
    for (at, (tenant, _)) in tenants.iter().enumerate() {
        if let Known::Yes(Some(word)) = &tenant.word
            && let Some(database) = &word.database
        {
            by_database.entry(database.clone()).or_default().push(at);
        }
    }
    for all in by_database.into_values().filter(|all| all.len() > 1) {
        let who = |at: &usize| {
            let (tenant, _) = tenants.get(*at)?;
            Some((*at, tenant.id.clone(), tenant.domain.as_ref().map(|domain| domain.to_lowercase())))
        };
        let all: Vec<_> = all.iter().filter_map(who).collect();
        for (at, _, domain) in &all {
            let is_other = |(other, _, its): &&(usize, TenantId, Option<Text>)| {
                other != at && (its.is_none() || its != domain)
            };
            let mut others = all.iter().filter(is_other).map(|(_, id, _)| id);
            let Some(first) = others.next() else { continue };
            let more = match others.count() {
                0 => String::new(),
                more => format!(" and of {more} more"),
            };
            let Some((tenant, _)) = tenants.get_mut(*at) else { continue };
            let place = if tenant.health < Health::Warn { 0 } else { tenant.troubles.len() };
            tenant.health = tenant.health.max(Health::Warn);
            let said = format!("its database is that of {first}{more}, too: they have the same users");
            tenant.troubles.insert(place, said);
        }
    }
}

/// What a tenant's core says of its domain. A core that is well and does not know a domain would serve it from its own
/// users, without an error: that is said.
pub(super) fn of_domain(
    core: Option<&Core>,
    domain: Option<&str>,
    tells: &mut Verdict,
) -> Known<Option<Arc<DomainWord>>> {
    let Some(core) = core else { return Known::Yes(None) };
    let word = match &core.word {
        Known::Yes(Some(word)) => word,
        Known::Yes(None) => return Known::Yes(None),
        Known::No(why) => return Known::No(*why),
    };
    let named = |wanted: &str| {
        let mut all = word.domains.iter();
        all.find(|known| known.domain.eq_ignore_ascii_case(wanted)).map(Arc::clone)
    };
    // A dedicated core has one customer, and that is its own domain.
    let is_dedicated = word.customers() == Some(0);
    let found = match domain {
        Some(domain) if !is_dedicated => named(domain),
        _ => named(""),
    };
    match (&found, domain, word.customers()) {
        (None, Some(domain), Some(_)) => {
            let trouble = format!("its core does not know {domain}, and would serve it from its own users");
            tells.find(Health::Bad, trouble);
        }
        (Some(word), ..) => {
            if let Sign::Failed(why) = &word.sign {
                tells.find(Health::Bad, format!("its core answers that {why}"));
            }
        }
        _ => {}
    }
    Known::Yes(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Scope;

    fn tenant(id: &str, domain: Option<&str>, database: Option<&str>) -> (Tenant, Option<usize>) {
        let word = DomainWord { database: database.map(Text::new), ..DomainWord::default() };
        let tenant = Tenant {
            id: id.into(),
            scope: Arc::new(Scope { account: "a".into(), region: "r".into() }),
            name: None,
            domain: domain.map(Text::new),
            mode: None,
            core: None,
            tier: None,
            rule: None,
            target_groups: Vec::new(),
            route: Known::Yes(None),
            drift: None,
            word: Known::Yes(Some(Arc::new(word))),
            health: Health::Ok,
            troubles: vec!["before".to_owned()],
        };
        (tenant, None)
    }

    #[test]
    fn tenants_with_one_database_are_told_that_they_have_the_same_users() {
        let said = |mut tenants: Vec<(Tenant, Option<usize>)>| {
            heed_one_database(&mut tenants);
            tenants
                .into_iter()
                .map(|(tenant, _)| (tenant.health, tenant.troubles.first().cloned().unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        let warned =
            |of: &str| (Health::Warn, format!("its database is that of {of}, too: they have the same users"));
        let well = || (Health::Ok, "before".to_owned());
        let (one, two) = (Some("one.example.com"), Some("two.example.com"));
        let two_of_three =
            vec![tenant("a", one, Some("d")), tenant("b", two, Some("d")), tenant("c", None, Some("e"))];
        assert_eq!(said(two_of_three), [warned("b"), warned("a"), well()]);
        let three =
            vec![tenant("a", one, Some("d")), tenant("b", two, Some("d")), tenant("c", None, Some("d"))];
        assert_eq!(said(three)[2], warned("a and of 1 more"));
        // One that is on its way from one core to another has its domain at both, and what nobody tells is not guessed.
        let moves = vec![tenant("a", one, Some("d")), tenant("a-too", Some("ONE.example.com"), Some("d"))];
        assert_eq!(said(moves), [well(), well()]);
        assert_eq!(said(vec![tenant("a", one, None), tenant("b", two, None)]), [well(), well()]);
    }
}
