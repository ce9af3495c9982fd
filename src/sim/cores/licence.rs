//! What a licence allows and what is used of it. Each app may have a key; only that of the base decides whether there
//! may be domains, apps and tenants.

use super::answers::{Said, good, text};
use super::look::{active, digest, tenants, users};
use super::memory::Base;
use super::pool::Pool;
use super::put::{Desk, field};
use serde_json::{Map, Value, json};

/// Every paid feature.
const ALL: [&str; 8] =
    ["account_linking", "multi_tenancy", "test", "dashboard_login", "mfa", "security", "oauth", "saml"];
/// Letters of a key below which nobody is asked whether it is one.
const SHORTEST: usize = 20;
/// The base's app in what is counted by app.
const BASE: &str = "/public";

impl Base {
    /// Paid features that an app has.
    fn features(&self, app: &str) -> Vec<&str> {
        match (self.lacks_ee, self.is_in_memory, self.licences.contains_key(app)) {
            (true, ..) => Vec::new(),
            // Who keeps nothing pays nothing.
            (_, true, _) => ALL.to_vec(),
            (.., true) => self.features.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether there may be domains, apps and tenants.
    pub(super) fn is_for_many(&self) -> bool {
        self.features(BASE).contains(&"multi_tenancy")
    }
}

/// The refusal of what the licence does not have.
pub(super) fn lacking(feature: &str) -> Said {
    text(
        402,
        format!(
            "Cannot use feature: {feature}, because the license key is missing, or doesn't have this feature enabled."
        ),
    )
}

/// The features of an app, and how much of each is used.
pub(super) fn features(desk: &Desk<'_>, pool: &Pool) -> Said {
    let features = desk.base.features(&desk.place.app_key());
    let mut stats = Map::new();
    if !desk.base.lacks_ee && !desk.base.is_in_memory {
        let mut told = features.clone();
        // The base's licence is for everybody.
        if desk.base.is_for_many() && !told.contains(&"multi_tenancy") {
            told.push("multi_tenancy");
        }
        for feature in told {
            if let Some(used) = used(desk, pool, feature) {
                stats.insert(feature.to_owned(), used);
            }
        }
        let all = users(desk, pool, desk.place.app(), "public");
        let months: Vec<u64> = (1..=31).map(|days| active(all, f64::from(days))).collect();
        stats.insert("maus".to_owned(), json!(months));
    }
    good(&json!({ "status": "OK", "features": features, "usageStats": stats }))
}

/// What a feature is used for.
fn used(desk: &Desk<'_>, pool: &Pool, feature: &str) -> Option<Value> {
    let (domain, app, _) = &desk.place.triple;
    let all = users(desk, pool, app, "public");
    Some(match feature {
        "multi_tenancy" => {
            json!({ "connectionUriDomain": domain, "appId": app, "tenants": by_tenant(desk, app) })
        }
        "dashboard_login" => json!({ "user_count": all.min(3) }),
        // Whoever has many users has some who signed up twice.
        "account_linking" => json!({ "usesAccountLinking": all > 5_000 }),
        "mfa" => json!({}),
        "security" => json!({}),
        "oauth" => json!({
            "totalNumberOfClients": 0, "numberOfClientCredentialsOnlyClients": 0, "numberOfM2MTokensAlive": 0,
            "numberOfM2MTokensCreated": vec![0; 31],
        }),
        "saml" => json!({ "connectionUriDomain": domain, "appId": app, "tenants": [] }),
        _ => return None,
    })
}

fn by_tenant(desk: &Desk<'_>, app: &str) -> Vec<Value> {
    tenants(desk)
        .map(|triple| {
            let pool = desk.pool(triple);
            let users = users(desk, &pool, app, &triple.2);
            let row = desk.process.known.get(triple).cloned().unwrap_or_default();
            let mut value = json!({
                "tenantId": triple.2, "usersCount": users, "hasUsersOrSessions": users > 0,
                "userPoolId": digest(&pool.user_pool()), "hasEnterpriseLogin": !row.providers.is_empty(),
            });
            if let Some(fields) = value.as_object_mut() {
                let factors = [("firstFactors", row.first), ("requiredSecondaryFactors", row.second)];
                for (name, factors) in factors {
                    fields.extend(factors.map(|all| (name.to_owned(), json!(all))));
                }
            }
            value
        })
        .collect()
}

/// Shows, changes or takes away the key of an app.
pub(super) fn key(desk: &mut Desk<'_>) -> Result<Said, Said> {
    let app = desk.place.app_key();
    let status = |word: &str| good(&json!({ "status": word }));
    Ok(match desk.asked.method.as_str() {
        "GET" => match desk.base.licences.get(&app) {
            Some(key) => good(&json!({ "status": "OK", "licenseKey": key })),
            None => status("NO_LICENSE_KEY_FOUND_ERROR"),
        },
        "DELETE" => {
            desk.base.licences.remove(&app);
            status("OK")
        }
        _ => {
            let body = desk.body()?;
            let is_empty = body.as_object().is_some_and(Map::is_empty);
            // Without a key it only asks anew what the one that it has is good for.
            let key = if is_empty { None } else { Some(field(&body, "licenseKey")?.to_owned()) };
            match key {
                _ if desk.base.lacks_ee => status("MISSING_EE_FOLDER_ERROR"),
                Some(key) if key.len() < SHORTEST => status("INVALID_LICENSE_KEY_ERROR"),
                Some(key) => {
                    desk.base.licences.insert(app, key);
                    status("OK")
                }
                None => status("OK"),
            }
        }
    })
}
