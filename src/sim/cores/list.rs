//! Lists of domains, apps and tenants. Whoever asks for one makes the process look into its base database.

use super::answers::{Rights, Said, good, text};
use super::keys;
use super::memory::Row;
use super::put::Desk;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A tenant as lists have it. Without the secret of a shared core, what is protected is left out.
fn tenant(desk: &Desk<'_>, id: &str, row: &Row) -> Value {
    let is_old = !desk.place.path.ends_with("/v2");
    let has_secret = desk.process.config.contains_key("supertokens_saas_secret");
    let hides = has_secret && desk.rights != Rights::Secret;
    let settings: Map<String, Value> = row
        .settings
        .iter()
        .filter(|(key, _)| !(hides && keys::is_protected(key)))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut all = Map::new();
    all.insert("tenantId".to_owned(), id.into());
    all.insert("thirdParty".to_owned(), json!({ "providers": row.providers }));
    all.insert("coreConfig".to_owned(), settings.into());
    if is_old {
        for (name, factor) in [("emailPassword", "emailpassword"), ("passwordless", "otp-email")] {
            let has = row.first.as_ref().is_none_or(|list| list.iter().any(|one| one == factor));
            all.insert(name.to_owned(), json!({ "enabled": has }));
        }
    } else {
        for (name, factors) in [("firstFactors", &row.first), ("requiredSecondaryFactors", &row.second)] {
            if let Some(factors) = factors {
                all.insert(name.to_owned(), json!(factors));
            }
        }
    }
    all.into()
}

/// The apps of a domain.
fn apps(desk: &Desk<'_>, domain: &str) -> Vec<Value> {
    let mut apps: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for ((of, app, id), row) in desk.process.known.iter().filter(|((of, ..), _)| of == domain) {
        debug_assert_eq!(of, domain);
        apps.entry(app).or_default().push(tenant(desk, id, row));
    }
    apps.into_iter().map(|(app, tenants)| json!({ "appId": app, "tenants": tenants })).collect()
}

/// Answers a list.
pub(super) fn listed(desk: &mut Desk<'_>, list: &str) -> Said {
    if list == "connectionuridomain/list" && !desk.place.is_base() {
        return text(
            403,
            "Only the public tenantId, public appId and default connectionUriDomain is allowed to list all connectionUriDomains and appIds associated with this core",
        );
    }
    if list == "app/list" && (desk.place.app() != "public" || !desk.place.is_public_tenant()) {
        return text(
            403,
            "Only the public tenantId and public appId is allowed to list all apps associated with this connection uri domain",
        );
    }
    if list == "tenant/list" && !desk.place.is_public_tenant() {
        return text(403, "Only the public tenantId is allowed to list all tenants associated with this app");
    }
    desk.look_now();
    let (domain, app, _) = &desk.place.triple;
    match list {
        "connectionuridomain/list" => {
            let mut domains: Vec<&str> =
                desk.process.known.keys().map(|(domain, ..)| domain.as_str()).collect();
            domains.dedup();
            let rows: Vec<Value> = domains
                .into_iter()
                .map(|domain| json!({ "connectionUriDomain": domain, "apps": apps(desk, domain) }))
                .collect();
            good(&json!({ "status": "OK", "connectionUriDomains": rows }))
        }
        "app/list" => good(&json!({ "status": "OK", "apps": apps(desk, domain) })),
        "tenant/list" => {
            let mine = desk.process.known.iter().filter(|((of, in_app, _), _)| of == domain && in_app == app);
            let rows: Vec<Value> = mine.map(|((.., id), row)| tenant(desk, id, row)).collect();
            good(&json!({ "status": "OK", "tenants": rows }))
        }
        _ => {
            let row = desk.process.known.get(&desk.place.triple).cloned().unwrap_or_default();
            let mut value = tenant(desk, desk.place.tenant(), &row);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("status".to_owned(), "OK".into());
            }
            good(&value)
        }
    }
}
