//! A core's JSON as domain types. What is not of the shape that a core has is said, never guessed.

use super::settings::{setting, settings};
use crate::gateway::{AdminError, Answer};
use crate::model::admin::{
    App, Domain, Effective, Licence, MINUTES, Place, Provider, TenantSetup, TenantUse, Traffic,
};
use crate::model::{Migration, Sealed, Text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The body of a 200 as JSON whose status is `OK`.
pub(super) fn ok(body: &[u8], place: &Place) -> Answer<Value> {
    let value = json(body)?;
    match value.get("status").and_then(Value::as_str) {
        Some("OK") => Ok(value),
        Some("TENANT_NOT_FOUND_ERROR") => Err(AdminError::UnknownTenant { place: place.clone() }),
        Some(status) => Err(AdminError::Refused { text: status.chars().take(80).collect() }),
        None => Err(garbled("it has no status")),
    }
}

/// The body as JSON, whatever is in it: some answers have no status.
pub(super) fn json(body: &[u8]) -> Answer<Value> {
    serde_json::from_slice(body).map_err(|_| garbled("it is not JSON"))
}

pub(super) fn traffic(value: &Value) -> Answer<Traffic> {
    let at_minute = value.get("atMinute").and_then(Value::as_i64).ok_or_else(|| garbled("no atMinute"))?;
    let average = list(value, "averageRequestsPerSecond")?;
    let peak = list(value, "peakRequestsPerSecond")?;
    if average.len() != MINUTES || peak.len() != MINUTES {
        return Err(garbled("its minutes are not 1440"));
    }
    Ok(Traffic {
        at_minute,
        // Less than nothing is the core's word for a minute that it did not count.
        average: average.iter().map(|entry| entry.as_f64().filter(|rate| *rate >= 0.0)).collect(),
        peak: peak.iter().map(|entry| entry.as_u64().and_then(|peak| u32::try_from(peak).ok())).collect(),
    })
}

pub(super) fn keys(value: &Value) -> Answer<BTreeSet<Text>> {
    list(value, "keys")?.iter().map(|key| text(key, "kid")).collect()
}

pub(super) fn telemetry(value: &Value) -> Answer<Option<Text>> {
    match value.get("exists").and_then(Value::as_bool) {
        Some(true) => text(value, "telemetryId").map(Some),
        Some(false) => Ok(None),
        None => Err(garbled("it does not say whether there is an id")),
    }
}

pub(super) fn count(value: &Value) -> Answer<u64> {
    value.get("count").and_then(Value::as_u64).ok_or_else(|| garbled("no count"))
}

pub(super) fn licence(value: &Value) -> Answer<Licence> {
    let features = list(value, "features")?;
    let stats = value.get("usageStats");
    let active = stats.and_then(|stats| stats.get("maus")).and_then(Value::as_array);
    // One entry for each tenant, or a single one: the field has been both.
    let uses = match stats.and_then(|stats| stats.get("multi_tenancy")) {
        Some(Value::Array(uses)) => uses.iter().map(tenant_uses).collect::<Answer<Vec<_>>>()?.concat(),
        Some(one @ Value::Object(_)) => tenant_uses(one)?,
        _ => Vec::new(),
    };
    Ok(Licence {
        features: features.iter().filter_map(Value::as_str).map(Text::new).collect(),
        active: active.into_iter().flatten().map_while(Value::as_u64).collect(),
        tenants: uses,
        links_accounts: stats
            .and_then(|stats| stats.get("account_linking")?.get("usesAccountLinking"))
            .and_then(Value::as_bool),
    })
}

/// Whether there is a licence key. It is in the answer, and nothing of it leaves this.
pub(super) fn has_licence(body: &[u8]) -> Answer<bool> {
    let value = json(body)?;
    match value.get("status").and_then(Value::as_str) {
        Some("OK") if value.get("licenseKey").is_some_and(Value::is_string) => Ok(true),
        Some("NO_LICENSE_KEY_FOUND_ERROR") => Ok(false),
        Some("OK") => Err(garbled("no licenseKey")),
        _ => Err(garbled("it does not say whether there is a licence key")),
    }
}

pub(super) fn migrations(value: &Value) -> Answer<BTreeMap<Text, Migration>> {
    let mut all = BTreeMap::new();
    for row in list(value, "cuds")? {
        // A database that is not PostgreSQL has no such tables, and says so by a status of its own.
        if row.get("status").is_some() {
            continue;
        }
        let pending = row.get("pendingUsers").and_then(Value::as_u64);
        all.insert(text(row, "connectionUriDomain")?, Migration { mode: text(row, "mode")?, pending });
    }
    Ok(all)
}

fn tenant_uses(value: &Value) -> Answer<Vec<TenantUse>> {
    let (domain, app) = (text(value, "connectionUriDomain")?, text(value, "appId")?);
    let one = |tenant: &Value| -> Answer<TenantUse> {
        let users =
            tenant.get("usersCount").and_then(Value::as_u64).ok_or_else(|| garbled("no usersCount"))?;
        Ok(TenantUse {
            place: Place { domain: domain.clone(), app: app.clone(), tenant: text(tenant, "tenantId")? },
            users,
            is_used: tenant.get("hasUsersOrSessions").and_then(Value::as_bool).unwrap_or(users > 0),
            pool: text(tenant, "userPoolId").ok(),
        })
    };
    list(value, "tenants")?.iter().map(one).collect()
}

pub(super) fn domains(mut value: Value) -> Answer<Vec<Domain>> {
    taken(&mut value, "connectionUriDomains")?
        .into_iter()
        .map(|mut domain| {
            Ok(Domain { domain: text(&domain, "connectionUriDomain")?, apps: apps_of(&mut domain)? })
        })
        .collect()
}

pub(super) fn apps(mut value: Value) -> Answer<Vec<App>> {
    apps_of(&mut value)
}

fn apps_of(value: &mut Value) -> Answer<Vec<App>> {
    taken(value, "apps")?
        .into_iter()
        .map(|mut app| Ok(App { id: text(&app, "appId")?, tenants: tenants_of(&mut app)? }))
        .collect()
}

pub(super) fn tenants(mut value: Value) -> Answer<Vec<TenantSetup>> {
    tenants_of(&mut value)
}

fn tenants_of(value: &mut Value) -> Answer<Vec<TenantSetup>> {
    taken(value, "tenants")?.into_iter().map(tenant).collect()
}

fn tenant(mut value: Value) -> Answer<TenantSetup> {
    let providers =
        value.get("thirdParty").and_then(|third| third.get("providers")).and_then(Value::as_array);
    let providers = providers.into_iter().flatten().map(provider).collect::<Answer<_>>()?;
    Ok(TenantSetup {
        id: text(&value, "tenantId")?,
        first_factors: words(&value, "firstFactors"),
        second_factors: words(&value, "requiredSecondaryFactors"),
        providers,
        settings: settings(value.get_mut("coreConfig")),
    })
}

fn provider(value: &Value) -> Answer<Provider> {
    let clients = value.get("clients").and_then(Value::as_array).map_or(0, Vec::len);
    Ok(Provider { id: text(value, "thirdPartyId")?, clients, whole: Sealed::new(value.to_string()) })
}

pub(super) fn effective(mut value: Value) -> Answer<Vec<Effective>> {
    taken(&mut value, "config")?
        .into_iter()
        .map(|mut entry| {
            let key = text(&entry, "key")?;
            let mut part = |name: &str| entry.get_mut(name).map(Value::take).unwrap_or_default();
            let (value, default) = (part("value"), part("defaultValue"));
            let is = |name: &str| entry.get(name).and_then(Value::as_bool).unwrap_or(false);
            Ok(Effective {
                value: setting(&key, value),
                default: setting(&key, default),
                differs_by_tenant: is("isDifferentAcrossTenants"),
                is_plugin: is("isPluginProperty"),
                key,
            })
        })
        .collect()
}

fn list<'a>(value: &'a Value, name: &str) -> Answer<&'a Vec<Value>> {
    value.get(name).and_then(Value::as_array).ok_or_else(|| garbled(&format!("no {name}")))
}

fn taken(value: &mut Value, name: &str) -> Answer<Vec<Value>> {
    match value.get_mut(name).map(Value::take) {
        Some(Value::Array(entries)) => Ok(entries),
        _ => Err(garbled(&format!("no {name}"))),
    }
}

fn text(value: &Value, name: &str) -> Answer<Text> {
    value.get(name).and_then(Value::as_str).map(Text::new).ok_or_else(|| garbled(&format!("no {name}")))
}

fn words(value: &Value, name: &str) -> Option<Vec<Text>> {
    let words = value.get(name)?.as_array()?;
    Some(words.iter().filter_map(Value::as_str).map(Text::new).collect())
}

fn garbled(what: &str) -> AdminError {
    AdminError::Garbled { what: what.to_owned() }
}
