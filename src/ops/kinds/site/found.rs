//! The core that was named, the way into it, and every other process with its base database.

use super::super::super::desk::{Desk, Draft};
use super::super::super::intent::ConfigWish;
use super::seen;
use crate::error::Result;
use crate::gateway::AdminError;
use crate::gateway::core::{CoreDoor, CoreLook, CoreSeen};
use crate::model::{CoreRecord, InstanceState, Scope, Text};
use crate::snapshot::Part;
use futures::StreamExt as _;
use std::collections::BTreeSet;

/// Cores that are asked at the same time whether they are replicas.
const AT_ONCE: usize = 16;

/// The domain of a tenant that was named.
pub(super) struct Domain {
    /// In lower case.
    pub(super) name: String,
    /// Its core's tier is for many tenants. Where it is not the core's own list of domains tells: the customer of a core
    /// without any is its base domain.
    pub(super) is_of_many: bool,
}

/// The core of that id, or the one that serves the tenant of that id or domain, with that domain.
pub(super) fn named<'d>(
    desk: &'d Desk<'_>,
    target: &str,
    draft: &mut Draft,
) -> Option<(&'d Part, &'d CoreRecord, Option<Domain>)> {
    let parts =
        || desk.snapshot.parts.iter().filter_map(|part| Some((&**part, part.registry.value.as_ref()?)));
    let cores = |id: &str| {
        let of = parts().flat_map(|(part, registry)| registry.cores.iter().map(move |core| (part, core)));
        of.filter(|(_, core)| core.id.as_str() == id).collect::<Vec<_>>()
    };
    let tenant = parts().flat_map(|(_, registry)| &registry.tenants).find(|tenant| {
        let domain = tenant.domain.as_deref();
        tenant.id.as_str() == target || domain.is_some_and(|domain| domain.eq_ignore_ascii_case(target))
    });
    let (found, domain) = match (cores(target), tenant) {
        (found, None) => (found, None),
        (found, _) if !found.is_empty() => (found, None),
        (_, Some(tenant)) => {
            let Some(core) = &tenant.core else {
                draft.refuse(
                    target,
                    "the registry does not say which core serves it",
                    "name its core and --domain",
                );
                return None;
            };
            let found = cores(core.as_str());
            let tier_is_of_many = |core: &CoreRecord| {
                core.tier.as_ref().is_some_and(|name| {
                    let tier = desk.config.tiers.iter().find(|tier| tier.name == *name);
                    let most = tier.and_then(|tier| tier.tenants_per_core);
                    most.map_or(name.as_str().contains("shared"), |most| most > 1)
                })
            };
            let is_of_many = found.iter().any(|(_, core)| tier_is_of_many(core));
            let name = tenant.domain.as_ref().map(|domain| domain.to_lowercase().to_string());
            (found, name.map(|name| Domain { name, is_of_many }))
        }
    };
    match found.as_slice() {
        [(part, core)] => Some((part, core, domain)),
        [] => {
            let mut names: Vec<&str> = Vec::new();
            for (_, registry) in parts() {
                names.extend(registry.cores.iter().map(|core| core.id.as_str()));
                names.extend(registry.tenants.iter().map(|tenant| tenant.id.as_str()));
            }
            let mend = match crate::error::did_you_mean(target, names) {
                Some(meant) => format!("did you mean {meant}?"),
                None => "`coredeck get cores` and `coredeck get tenants` list them".to_owned(),
            };
            draft.refuse(target, "the registry has no such core or tenant", mend);
            None
        }
        _ => {
            draft.refuse(target, "several places have a core of that name", "say --region or --profile");
            None
        }
    }
}

/// The way into a core, where its host runs.
pub(super) fn door(part: &Part, core: &CoreRecord, wish: &ConfigWish) -> Option<CoreDoor> {
    let id = core.instance_id.as_ref()?;
    let hosts = part.instances.value.as_ref()?;
    let host = hosts.iter().find(|host| host.id == *id && host.state == InstanceState::Running)?;
    let address = host.private_ip.as_deref()?;
    let key = wish.key_parameter.as_ref().map(Text::new).or_else(|| core.api_key_parameter.clone());
    Some(CoreDoor {
        core: core.id.clone(),
        address: core.address(address).into(),
        instance: Some(id.clone()),
        key,
    })
}

/// Every process with the same base database: by what it signs with. Cores of the same tier are asked.
pub(super) async fn replicas(
    desk: &Desk<'_>,
    part: &Part,
    record: &CoreRecord,
    at: CoreDoor,
    wish: &ConfigWish,
    draft: &mut Draft,
) -> Result<Vec<CoreDoor>> {
    let registry = part.registry.value.iter();
    let others = registry
        .flat_map(|registry| &registry.cores)
        .filter(|core| core.id != record.id && core.tier == record.tier);
    let doors: Vec<CoreDoor> = others.filter_map(|core| door(part, core, wish)).collect();
    let mine = keys(desk, &part.scope, at.clone()).await?.unwrap_or_default();
    if mine.is_empty() {
        draft.warn(format!("{} shows no keys that it signs with: nobody knows its replicas", at.core));
        return Ok(vec![at]);
    }
    let asked: Vec<_> = doors
        .into_iter()
        .map(|door| async {
            let keys = keys(desk, &part.scope, door.clone()).await;
            (door, keys)
        })
        .collect();
    let mut all = vec![at];
    let mut silent = Vec::new();
    let mut answers = futures::stream::iter(asked).buffered(AT_ONCE);
    while let Some((door, keys)) = answers.next().await {
        match keys? {
            Ok(keys) if keys.intersection(&mine).next().is_some() => all.push(door),
            Ok(_) => {}
            Err(_) => silent.push(door.core.to_string()),
        }
    }
    if !silent.is_empty() {
        let (first, many) = (silent.iter().take(3).cloned().collect::<Vec<_>>().join(", "), silent.len());
        draft.warn(format!(
            "{many} cores of its tier do not answer ({first}): one that is a replica learns of it within a minute of its own, unwatched"
        ));
    }
    Ok(all)
}

async fn keys(
    desk: &Desk<'_>,
    scope: &Scope,
    at: CoreDoor,
) -> Result<std::result::Result<BTreeSet<Text>, AdminError>> {
    Ok(match seen(desk, scope, CoreLook::Keys { at }).await? {
        CoreSeen::Keys(answer) => answer,
        _ => Ok(BTreeSet::new()),
    })
}
