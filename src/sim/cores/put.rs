//! What changes a core's tenants: domains, apps, tenants, providers. Settings are merged, and null takes one away.
//!
//! The row is written before its database is looked at: a put that fails with 500 has left it there.

use super::answers::{Asked, Core, GIVES_UP, Rights, Said, good, late, new_row, text};
use super::licence::lacking;
use super::memory::{Base, Databases, Process, Row, Settings, Triple};
use super::place::{Place, TAKEN, is_name};
use super::pool::Pool;
use super::{keys, migration};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
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
    /// The version of the interface that the answer is in.
    pub(super) version: (u32, u32),
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
        Pool::of(&self.process.resolved(of))
    }
}

/// A text of the body.
pub(super) fn field<'v>(body: &'v Value, name: &str) -> Result<&'v str, Said> {
    let found = body.get(name).and_then(Value::as_str);
    found.ok_or_else(|| text(400, format!("Field name '{name}' is invalid in JSON input")))
}

/// A text of the body that may be left out.
fn maybe<'v>(body: &'v Value, name: &str) -> Result<Option<&'v str>, Said> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(_) => field(body, name).map(Some),
    }
}

/// A domain as a core reads it: in small letters and without a port.
pub(super) fn domain_of(raw: &str) -> Result<String, Said> {
    let wanted = raw.trim().to_lowercase();
    if wanted.is_empty() {
        return Err(text(400, "connectionUriDomain should not be an empty String"));
    }
    let (host, port) =
        wanted.split_once(':').map_or((wanted.as_str(), None), |(host, port)| (host, Some(port)));
    let is_port = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    if !is_port || !host.split('.').all(is_name) {
        return Err(text(400, "connectionUriDomain is invalid"));
    }
    Ok(host.to_owned())
}

/// An app's name, as a core reads it.
pub(super) fn app_of(raw: &str) -> Result<String, Said> {
    let wanted = raw.trim().to_lowercase();
    match wanted.as_str() {
        "" => Err(text(400, "appId should not be an empty String")),
        name if name.starts_with("appid-") => Err(text(400, "appId must not start with 'appid-'")),
        name if !is_name(name) => Err(text(400, "appId can only contain letters, numbers and hyphens")),
        _ => Ok(wanted),
    }
}

/// A tenant's name, as a core reads it.
pub(super) fn tenant_of(raw: &str) -> Result<String, Said> {
    let wanted = raw.trim().to_lowercase();
    match wanted.as_str() {
        "" => Err(text(400, "tenantId should not be an empty String")),
        name if TAKEN.contains(&name) => Err(text(400, format!("Cannot use '{name}' as a tenantId"))),
        name if name.starts_with("appid-") => Err(text(400, "tenantId must not start with 'appid-'")),
        name if !is_name(name) => Err(text(400, "tenantId can only contain letters, numbers and hyphens")),
        _ => Ok(wanted),
    }
}

/// Whom a put means.
fn target(desk: &Desk<'_>, call: &str, body: &Value) -> Result<Triple, Said> {
    let (domain, app, _) = desk.place.triple.clone();
    let public = || "public".to_owned();
    Ok(match call {
        "connectionuridomain" => {
            let wanted = maybe(body, "connectionUriDomain")?.map(domain_of).transpose()?;
            (wanted.unwrap_or_default(), public(), public())
        }
        "app" => {
            let wanted = maybe(body, "appId")?.map(app_of).transpose()?;
            (domain, wanted.unwrap_or_else(public), public())
        }
        _ => {
            let wanted = maybe(body, "tenantId")?.map(tenant_of).transpose()?;
            (domain, app, wanted.unwrap_or_else(public))
        }
    })
}

/// Whether who is asked may put that.
fn permit(from: &Triple, target: &Triple) -> Result<(), Said> {
    let why = if target.2 != "public" {
        let may = from.2 == "public" || from.2 == target.2;
        (!may).then_some("You must use the public or same tenant to add/update a tenant")
    } else if target.1 != "public" {
        let may = from.2 == "public" && (from.1 == "public" || from.1 == target.1);
        (!may).then_some("You must use the public or same app to add/update an app")
    } else {
        let may = target.0.is_empty() || is_base(from) || from.0 == target.0;
        (!may).then_some(
            "You must use the default or same connectionUriDomain to create/update a connectionUriDomain",
        )
    };
    why.map_or(Ok(()), |why| Err(text(403, why)))
}

/// A list of login methods: none where the body does not name it, and no list where it takes it away.
fn factors(body: &Value, name: &str) -> Result<Option<Option<Vec<String>>>, Said> {
    let invalid = || text(400, format!("Field name '{name}' is invalid in JSON input"));
    let all = match body.get(name) {
        None => return Ok(None),
        Some(Value::Null) => return Ok(Some(None)),
        Some(Value::Array(all)) => all,
        Some(_) => return Err(invalid()),
    };
    let words: Option<Vec<String>> = all.iter().map(|one| one.as_str().map(str::to_owned)).collect();
    let words = words.ok_or_else(invalid)?;
    if words.iter().collect::<BTreeSet<_>>().len() != words.len() {
        return Err(text(400, format!("{name} input should not contain duplicate values")));
    }
    if words.is_empty() && name == "requiredSecondaryFactors" {
        return Err(text(
            400,
            "requiredSecondaryFactors cannot be empty. Set null instead to remove all required secondary factors.",
        ));
    }
    Ok(Some(Some(words)))
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
    let none = Settings::new();
    let wanted = match body.get("coreConfig") {
        None | Some(Value::Null) => &none,
        Some(Value::Object(wanted)) => wanted,
        Some(_) => return Err(text(400, "Field name 'coreConfig' is invalid in JSON input")),
    };
    let (first, second) = (factors(body, "firstFactors")?, factors(body, "requiredSecondaryFactors")?);
    if let Some(only) = desk.process.told("supertokens_saas_load_only_cud")
        && !triple.0.is_empty()
        && triple.0 != only
    {
        return Err(text(400, "Creation of connection uri domain or app or tenant is disallowed"));
    }
    if !is_base(&triple) && !desk.base.is_for_many() {
        return Err(lacking("multi_tenancy"));
    }
    permit(&desk.place.triple, &triple)?;
    // What this process knows decides whether it is new: another one may have made it a moment ago.
    let is_new = !desk.process.known.contains_key(&triple);
    // Written to what the database has, not to what this process knows of it.
    let before = desk.base.rows.get(&triple).cloned();
    let mut row = before.clone().unwrap_or_else(|| new_row(&triple.2));
    for (key, value) in wanted {
        if value.is_null() {
            row.settings.remove(key);
        } else {
            row.settings.insert(key.clone(), value.clone());
        }
    }
    row.first = first.unwrap_or(row.first);
    row.second = second.unwrap_or(row.second);
    if is_base(&triple) && !row.settings.is_empty() {
        return Err(text(400, "Cannot modify base config"));
    }
    let major = desk.core.major();
    if let Some(key) = row.settings.keys().find(|key| !keys::is_known(key, major)) {
        return Err(text(400, format!("Invalid core config: Invalid config key: {key}")));
    }
    let was = before.as_ref().map(|row| &row.settings).unwrap_or(&none);
    let has_secret = desk.process.config.contains_key("supertokens_saas_secret");
    if has_secret && desk.rights != Rights::Secret {
        // What is not changed by it may be named; and what is taken away is not looked at.
        let changed = |key: &&String| row.settings.get(*key) != was.get(*key);
        if row.settings.keys().filter(changed).any(|key| keys::is_database(key)) {
            return Err(text(403, "Not allowed to modify DB related configs."));
        }
        if row.settings.keys().filter(changed).any(|key| keys::is_protected(key)) {
            return Err(text(403, "Not allowed to modify protected configs."));
        }
    }
    let mode = row.settings.get("migration_mode");
    let step = match (before.is_some(), mode) {
        // What is new may begin at any step.
        (true, Some(mode)) => {
            migration::fault(migration::step(was.get("migration_mode")), migration::step(Some(mode)))
        }
        _ => None,
    };
    let mut rows = desk.base.rows.clone();
    rows.insert(triple.clone(), row);
    if let Some(fault) = fault(desk.process, &rows, &triple).or(step) {
        return Err(text(400, format!("Invalid core config: {fault}")));
    }
    let pool = Pool::of(&desk.process.resolved_among(&rows, &triple));
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
    if desk.process.is_cut_off(desk.core.now) || !desk.databases.is_up(&pool, desk.core.now) {
        return Err(late(text(500, pool.trouble()), GIVES_UP));
    }
    if desk.process.without_pool.contains(&triple) {
        return Err(text(500, "org.postgresql.util.PSQLException: FATAL: sorry, too many clients already"));
    }
    // A new pool of connections takes its time.
    Ok(late(good(&json!({ "status": "OK", "createdNew": is_new })), Duration::from_millis(400)))
}

/// What is wrong with the settings of a tenant, if anything is.
fn fault(process: &Process, rows: &BTreeMap<Triple, Row>, triple: &Triple) -> Option<String> {
    let mine = process.resolved_among(rows, triple);
    let own = rows.get(triple).map(|row| &row.settings);
    if let Some(key) = own.and_then(|own| own.keys().find(|key| keys::is_of_the_base(key))) {
        return Some(format!("{key} can only be set via the core's base config setting"));
    }
    if let Some(fault) = mine.get("api_keys").and_then(Value::as_str).and_then(keys::fault_of_keys) {
        return Some(fault.to_owned());
    }
    if triple.2 != "public" {
        let of_app = process.resolved_among(rows, &(triple.0.clone(), triple.1.clone(), "public".to_owned()));
        let held = |all: &Settings, key: &str| all.get(key).cloned().unwrap_or_else(|| keys::default(key));
        if let Some(key) = keys::OF_AN_APP.iter().find(|key| held(&mine, key) != held(&of_app, key)) {
            // Of its two names one is the setting's own.
            let key = key.replace("token_signing_key_update", "token_dynamic_signing_key_update");
            return Some(format!("You cannot set different values for {key} for the same appId"));
        }
    }
    let pool = Pool::of(&mine).user_pool();
    for other in rows.keys().filter(|other| *other != triple) {
        let theirs = process.resolved_among(rows, other);
        if Pool::of(&theirs).user_pool() != pool {
            continue;
        }
        if other.0 != triple.0 {
            return Some(format!(
                "ConnectionUriDomain: {} cannot be mapped to the same user pool as {}",
                other.0, triple.0
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
    let id = field(config, "thirdPartyId")?.trim();
    if !is_base(&desk.place.triple) && !desk.base.is_for_many() {
        return Err(lacking("multi_tenancy"));
    }
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
