//! What changes a core's tenants: domains, apps, tenants, providers. Settings are merged, and null takes one away.
//!
//! The row is written before its database is looked at: a put that fails with 500 has left it there.

use super::answers::{Asked, Core, GIVES_UP, Rights, Said, good, late, new_row, text};
use super::keys;
use super::memory::{Base, Databases, Process, Row, Settings, Triple};
use super::place::Place;
use super::pool::Pool;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Everything that an answer needs.
pub(super) struct Desk<'a> {
    pub(super) core: &'a Core,
    pub(super) asked: &'a Asked,
    pub(super) place: &'a Place,
    pub(super) base: &'a mut Base,
    pub(super) process: &'a mut Process,
    pub(super) databases: &'a mut Databases,
    pub(super) rights: Rights,
}

impl Desk<'_> {
    /// The body as JSON, or what is wrong with it.
    pub(super) fn body(&self) -> Result<Value, Said> {
        let value: Option<Value> = serde_json::from_str(&self.asked.body).ok();
        value.filter(Value::is_object).ok_or_else(|| text(400, "Invalid Json Input"))
    }

    /// Looks into the base database now.
    pub(super) fn look_now(&mut self) {
        self.process.look_now(&self.core.key, self.base, self.databases, self.core.now);
    }

    /// The pool of a tenant, as this process knows it.
    pub(super) fn pool(&self, of: &Triple) -> Pool {
        Pool::of(&self.base.resolved(&self.process.known, of))
    }
}

/// A text of the body.
pub(super) fn field<'v>(body: &'v Value, name: &str) -> Result<&'v str, Said> {
    let found = body.get(name).and_then(Value::as_str);
    found.ok_or_else(|| text(400, format!("Field name '{name}' is invalid in JSON input")))
}

/// Whom a put means, or why the one who asks may not.
fn target(desk: &Desk<'_>, call: &str, body: &Value) -> Result<Triple, Said> {
    let place = desk.place;
    let (domain, app, tenant) = place.triple.clone();
    let public = || "public".to_owned();
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    match call {
        "connectionuridomain" => {
            let wanted = field(body, "connectionUriDomain")?.trim().to_lowercase();
            let is_host = wanted.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
            if !is_host {
                return Err(text(400, "connectionUriDomain is invalid"));
            }
            if app != "public" || !place.is_public_tenant() || (!domain.is_empty() && domain != wanted) {
                return Err(text(
                    403,
                    "Only the public tenantId, public appId and default or same connectionUriDomain is allowed to create or update a connectionUriDomain",
                ));
            }
            Ok((wanted, public(), public()))
        }
        "app" => {
            let wanted = field(body, "appId")?.trim().to_lowercase();
            if !is_name(&wanted) || wanted.starts_with("appid-") {
                return Err(text(400, "appId can only contain letters, numbers and hyphens"));
            }
            if !place.is_public_tenant() || (app != "public" && app != wanted) {
                return Err(text(
                    403,
                    "Only the public tenantId and public or same appId is allowed to create or update an app",
                ));
            }
            Ok((domain, wanted, public()))
        }
        _ => {
            let wanted = field(body, "tenantId")?.trim().to_lowercase();
            let is_taken = matches!(wanted.as_str(), "recipe" | "config" | "users" | "hello");
            if is_taken || wanted.starts_with("appid-") {
                return Err(text(400, format!("Cannot use '{wanted}' as a tenantId")));
            }
            if !is_name(&wanted) {
                return Err(text(400, "tenantId can only contain letters, numbers and hyphens"));
            }
            if !place.is_public_tenant() && tenant != wanted {
                return Err(text(
                    403,
                    "Only the public tenantId or the same tenantId is allowed to create or update a tenant",
                ));
            }
            Ok((domain, app, wanted))
        }
    }
}

fn is_base(triple: &Triple) -> bool {
    triple.0.is_empty() && triple.1 == "public" && triple.2 == "public"
}

/// Carries out a put.
pub(super) fn put(desk: &mut Desk<'_>, call: &str) -> Said {
    let body = match desk.body() {
        Ok(body) => body,
        Err(said) => return said,
    };
    if call == "config/thirdparty" {
        return provider(desk, &body).unwrap_or_else(|said| said);
    }
    changed(desk, call, &body).unwrap_or_else(|said| said)
}

fn changed(desk: &mut Desk<'_>, call: &str, body: &Value) -> Result<Said, Said> {
    let triple = target(desk, call, body)?;
    if let Some(only) = desk.base.settings.get("supertokens_saas_load_only_cud").and_then(Value::as_str)
        && !triple.0.is_empty()
        && triple.0 != only
    {
        return Err(text(400, "Creation of connection uri domain or app or tenant is disallowed"));
    }
    if !is_base(&triple) && desk.base.licence.is_none() {
        return Err(text(
            402,
            "Cannot use feature: multi_tenancy, because the license key is missing, or doesn't have this feature enabled.",
        ));
    }
    let none = Settings::new();
    let wanted = body.get("coreConfig").and_then(Value::as_object).unwrap_or(&none);
    if is_base(&triple) && !wanted.is_empty() {
        return Err(text(400, "Cannot modify base config"));
    }
    let has_secret = desk.base.settings.contains_key("supertokens_saas_secret");
    if has_secret && desk.rights != Rights::Secret {
        if wanted.keys().any(|key| keys::is_database(key)) {
            return Err(text(403, "Not allowed to modify DB related configs."));
        }
        if wanted.keys().any(|key| keys::is_protected(key)) {
            return Err(text(403, "Not allowed to modify protected configs."));
        }
    }
    // What this process knows decides whether it is new: another one may have made it a moment ago.
    let is_new = !desk.process.known.contains_key(&triple);
    // Written to what the database has, not to what this process knows of it.
    let mut row = desk.base.rows.get(&triple).cloned().unwrap_or_else(|| new_row(&triple.2));
    for (key, value) in wanted {
        if value.is_null() {
            row.settings.remove(key);
        } else {
            row.settings.insert(key.clone(), value.clone());
        }
    }
    for (name, factors) in [("firstFactors", &mut row.first), ("requiredSecondaryFactors", &mut row.second)] {
        match body.get(name) {
            Some(Value::Array(list)) => {
                *factors = Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
            }
            Some(Value::Null) => *factors = None,
            _ => {}
        }
    }
    let mut rows = desk.base.rows.clone();
    rows.insert(triple.clone(), row);
    if let Some(fault) = fault(desk.base, &rows, &triple, wanted) {
        return Err(text(400, format!("Invalid core config: {fault}")));
    }
    let pool = Pool::of(&desk.base.resolved(&rows, &triple));
    desk.base.rows = rows;
    desk.base.version += 1;
    desk.look_now();
    if pool.size == 1 {
        let why = format!(
            "java.sql.SQLTransientConnectionException: {}: Connection is not available, request timed out after 30000ms",
            pool.user_pool()
        );
        return Err(late(text(500, why), Duration::from_secs(30)));
    }
    if desk.process.is_cut_off || !desk.databases.is_up(&pool) {
        return Err(late(text(500, pool.trouble()), GIVES_UP));
    }
    if desk.process.without_pool.contains(&triple) {
        return Err(text(500, "org.postgresql.util.PSQLException: FATAL: sorry, too many clients already"));
    }
    // A new pool of connections takes its time.
    Ok(late(good(&json!({ "status": "OK", "createdNew": is_new })), Duration::from_millis(400)))
}

/// What is wrong with the settings of a tenant, if anything is.
fn fault(base: &Base, rows: &BTreeMap<Triple, Row>, triple: &Triple, wanted: &Settings) -> Option<String> {
    if let Some(fault) = wanted.keys().find_map(|key| keys::fault(key)) {
        return Some(fault);
    }
    let mine = base.resolved(rows, triple);
    if let Some(keys) = wanted.get("api_keys").and_then(Value::as_str) {
        let is_key = |key: &str| {
            key.len() >= 20 && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'=' | b'-'))
        };
        if !keys.split(',').all(|key| is_key(key.trim())) {
            return Some("One of the API keys is too short. Please use at least 20 characters".to_owned());
        }
    }
    if triple.2 != "public" {
        let of_app = base.resolved(rows, &(triple.0.clone(), triple.1.clone(), "public".to_owned()));
        if let Some(key) = keys::OF_AN_APP.iter().find(|key| mine.get(**key) != of_app.get(**key)) {
            return Some(format!("You cannot set different values for {key} for the same appId"));
        }
    }
    let pool = Pool::of(&mine).user_pool();
    for other in rows.keys().filter(|other| *other != triple) {
        let theirs = base.resolved(rows, other);
        if Pool::of(&theirs).user_pool() != pool {
            continue;
        }
        if other.0 != triple.0 {
            return Some(format!(
                "ConnectionUriDomain: {} cannot be mapped to the same user pool as {}",
                triple.0, other.0
            ));
        }
        let is_table =
            |key: &&String| key.ends_with("_table_name") || *key == "postgresql_table_names_prefix";
        let mut tables = mine.keys().chain(theirs.keys()).filter(is_table);
        if let Some(key) = tables.find(|key| mine.get(*key) != theirs.get(*key)) {
            return Some(format!("You cannot set different values for {key} for the same user pool"));
        }
    }
    None
}

/// Keeps a third-party provider of a tenant.
fn provider(desk: &mut Desk<'_>, body: &Value) -> Result<Said, Said> {
    let config = body.get("config").filter(|config| config.is_object());
    let config = config.ok_or_else(|| text(400, "Field name 'config' is invalid in JSON input"))?;
    let id = field(config, "thirdPartyId")?;
    let is_same = |known: &Value| known.get("thirdPartyId").and_then(Value::as_str) == Some(id);
    let triple = desk.place.triple.clone();
    let is_new = !desk.process.known.get(&triple).is_some_and(|row| row.providers.iter().any(is_same));
    let row = desk.base.rows.entry(triple).or_default();
    row.providers.retain(|known| !is_same(known));
    row.providers.push(config.clone());
    desk.base.version += 1;
    desk.look_now();
    Ok(good(&json!({ "status": "OK", "createdNew": is_new })))
}
