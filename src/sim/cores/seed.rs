//! How a pretended core begins: the base database that its registry entry names, with the tenants that are known, and
//! the configuration that its process starts with.

use super::Key;
use super::answers::new_row;
use super::memory::{Base, Memory, Row, Settings};
use super::pool::Pool;
use crate::sim::dice::Dice;
use crate::sim::world::balancing::TargetGroup;
use crate::sim::world::docker::{Container, core_name};
use crate::sim::world::place::Place;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) use crate::sim::world::docker::boot;

/// Makes sure that the process and its base database are there. Tells the database's name.
pub(super) fn ready(
    place: &Place,
    id: &str,
    key: &Key,
    container: &Container,
    memory: &mut Memory,
    seed: u64,
) -> String {
    let entry = entry(place, id);
    let told = entry.get("base").cloned().unwrap_or_default();
    let named = told.get("database").and_then(Value::as_str).map(str::to_owned);
    let name = memory.base_of.entry(key.clone());
    let name = name.or_insert_with(|| named.unwrap_or_else(|| first_replica(place, id))).clone();
    if !memory.bases.contains_key(&name) {
        let base = fresh(place, &name, id, container, memory, seed);
        memory.bases.insert(name.clone(), base);
    }
    let process = memory.processes.entry(key.clone()).or_default();
    if process.running_since(container.started) {
        memory.databases.open.retain(|(of, _), _| of != key);
        // A process reads its configuration when it starts.
        process.config = settings(place, &name, id, &told, container, seed);
        if let Some(base) = memory.bases.get_mut(&name) {
            base.is_in_memory = told.get("memory").and_then(Value::as_bool).unwrap_or(false);
            base.lacks_ee = told.get("ee").and_then(Value::as_bool) == Some(false);
            let features = told.get("features").and_then(Value::as_array);
            let words = features.map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect());
            base.features = words.unwrap_or_else(|| vec!["multi_tenancy".to_owned()]);
        }
    }
    name
}

/// What the registry says of a core.
fn entry(place: &Place, id: &str) -> Value {
    let suffix = format!("/cores/{id}");
    let mut all = place.parameters.values().filter(|parameter| parameter.name.starts_with("/coredeck/"));
    let found = all.find(|parameter| parameter.name.ends_with(&suffix));
    found.and_then(|parameter| serde_json::from_str(&parameter.value).ok()).unwrap_or_default()
}

/// A secret of a core.
fn secret(place: &Place, id: &str, name: &str) -> Option<String> {
    let suffix = format!("/secrets/{id}/{name}");
    let mut all = place.parameters.values();
    all.find(|parameter| parameter.name.ends_with(&suffix)).map(|parameter| parameter.value.clone())
}

/// The configuration that a core starts with.
fn settings(place: &Place, base: &str, id: &str, told: &Value, container: &Container, seed: u64) -> Settings {
    let mut dice = Dice::new(seed, &format!("{base}/database"));
    let mut all = Settings::new();
    let mut put = |key: &str, value: Value| all.insert(key.to_owned(), value);
    put("postgresql_host", format!("customers-{}.db.internal", dice.below(9) + 1).into());
    put("postgresql_database_name", base.replace('-', "_").into());
    put("postgresql_user", base.replace('-', "_").into());
    put("postgresql_password", dice.secret(24).into());
    for (key, name) in [("api_keys", "api-key"), ("supertokens_saas_secret", "saas-secret")] {
        if let Some(secret) = secret(place, id, name) {
            put(key, secret.into());
        }
    }
    if let Some(more) = told.get("settings").and_then(Value::as_object) {
        all.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    // A file of the host that is mounted there is all that it reads; else each setting may be a variable.
    let is_filed = container.setup.mounts.iter().any(|at| at.starts_with("/usr/lib/supertokens"));
    for (name, value) in container.env.iter().filter(|_| !is_filed) {
        let key = name.to_lowercase().to_string();
        // Where its database is and who may ask it are said above, by what the registry names.
        if super::keys::is_known(&key, u32::MAX) && !key.starts_with("postgresql_") && !all.contains_key(&key)
        {
            let is_bare = value.parse::<i64>().is_ok() || value == "true" || value == "false";
            let bare = is_bare.then(|| serde_json::from_str(value).ok()).flatten();
            all.insert(key, bare.unwrap_or_else(|| value.as_str().into()));
        }
    }
    all
}

/// A base database with the tenants that the registry knows of all cores on it.
fn fresh(place: &Place, name: &str, id: &str, container: &Container, memory: &mut Memory, seed: u64) -> Base {
    let told = entry(place, id).get("base").cloned().unwrap_or_default();
    let config = settings(place, name, id, &told, container, seed);
    let mut base = Base::default();
    let public = |domain: &str| (domain.to_owned(), "public".to_owned(), "public".to_owned());
    base.rows.insert(public(""), new_row("public"));
    memory.databases.full.insert(Pool::of(&config).database(), container.started);
    for domain in domains(place, name, id) {
        let user = domain.split('.').next().unwrap_or_default().replace('-', "_");
        let mut dice = Dice::new(seed, &format!("{name}/{domain}/database"));
        let row = json!({
            "api_keys": Dice::new(seed, &format!("{name}/{domain}/key")).secret(32),
            "postgresql_host": format!("customers-{}.db.internal", dice.below(9) + 1),
            "postgresql_database_name": user, "postgresql_user": user,
            "postgresql_password": dice.secret(24),
            "postgresql_connection_pool_size": 3,
        });
        let settings = row.as_object().cloned().unwrap_or_default();
        let mut all = config.clone();
        all.extend(settings.clone());
        memory.databases.full.insert(Pool::of(&all).database(), container.started);
        base.rows.insert(public(&domain), Row { settings, ..Row::default() });
    }
    if base.rows.len() > 1 || is_shared(place, id) {
        let key = Dice::new(seed, &format!("{name}/licence")).uuid();
        base.licences.insert("/public".to_owned(), key);
    }
    base
}

/// The domains of the tenants of a core, and of all others with its base database. A dedicated core has none: its
/// customer is its base domain.
fn domains(place: &Place, base: &str, id: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut bases: BTreeMap<String, String> = BTreeMap::new();
    for parameter in place.parameters.values() {
        let is_tenant = parameter.name.starts_with("/coredeck/") && parameter.name.contains("/tenants/");
        if !is_tenant {
            continue;
        }
        let Ok(value) = serde_json::from_str::<Value>(&parameter.value) else { continue };
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let Some(core) = text("core") else { continue };
        let is_mine = core == id || {
            let known = bases.entry(core.to_owned()).or_insert_with(|| base_of(place, core));
            known == base
        };
        if let Some(domain) = text("domain").filter(|_| is_mine && is_shared(place, core)) {
            found.push(domain.to_lowercase());
        }
    }
    found
}

fn is_shared(place: &Place, id: &str) -> bool {
    entry(place, id).get("tier").and_then(Value::as_str) == Some("shared")
}

/// The name of a core's base database.
fn base_of(place: &Place, id: &str) -> String {
    let entry = entry(place, id);
    let told = entry.get("base").and_then(|base| base.get("database")).and_then(Value::as_str);
    told.map_or_else(|| first_replica(place, id), str::to_owned)
}

/// The first by name of the shared cores behind one target group with this one: replicas share its base database.
fn first_replica(place: &Place, id: &str) -> String {
    let at = |id: &str| {
        let entry = entry(place, id);
        let port = entry.get("port").and_then(Value::as_u64).unwrap_or(3567);
        let instance = entry.get("instance_id").and_then(Value::as_str).unwrap_or_default().to_owned();
        (entry.get("tier").and_then(Value::as_str) == Some("shared")).then_some((instance, port))
    };
    let Some(mine) = at(id) else { return id.to_owned() };
    let is_in = |group: &TargetGroup, (instance, port): &(String, u64)| {
        group.targets.iter().any(|target| target.id == *instance && u64::from(target.port) == *port)
    };
    let groups: Vec<&TargetGroup> = place.target_groups.rows().filter(|group| is_in(group, &mine)).collect();
    let stands_there = |value: &str| {
        groups.iter().flat_map(|group| &group.targets).any(|target| value.contains(&*target.id))
    };
    let near = place.parameters.values().filter(|parameter| stands_there(&parameter.value));
    let cores = near.filter_map(|parameter| Some(core_name(&parameter.name)?.1));
    let beside =
        cores.filter(|other| at(other).is_some_and(|at| groups.iter().any(|group| is_in(group, &at))));
    beside.chain([id]).min().unwrap_or(id).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_with_fifty_domains_boots_eight_seconds_longer() {
        assert_eq!((boot(0), boot(50)), (7, 15));
    }
}
