//! What removes a domain, an app or a tenant: the rows of the app in its own database go with it, and so do its users.

use super::answers::{GIVES_UP, Said, good, late, text};
use super::memory::Triple;
use super::put::{Desk, app_of, domain_of, field, tenant_of};
use serde_json::{Value, json};

/// Carries out a removal.
pub(super) fn remove(desk: &mut Desk<'_>, call: &str) -> Said {
    removed(desk, call).unwrap_or_else(|said| said)
}

fn removed(desk: &mut Desk<'_>, call: &str) -> Result<Said, Said> {
    let body = desk.body()?;
    let (domain, app, _) = desk.place.triple.clone();
    let public = || "public".to_owned();
    if call == "config/thirdparty/remove" {
        return provider(desk, &body);
    }
    let triple: Triple = match call {
        "connectionuridomain/remove" => {
            let wanted = domain_of(field(&body, "connectionUriDomain")?)?;
            if !desk.place.is_base() {
                return Err(text(
                    403,
                    "Only the public tenantId, public appId and default connectionUriDomain is allowed to delete a connectionUriDomain",
                ));
            }
            let has_apps = desk.base.rows.keys().any(|(domain, app, _)| *domain == wanted && app != "public");
            if has_apps {
                return Err(text(
                    403,
                    "Please delete all apps except the public appID for this connectionUriDomain before calling the delete API.",
                ));
            }
            (wanted, public(), public())
        }
        "app/remove" => {
            let wanted = app_of(field(&body, "appId")?)?;
            if wanted == "public" {
                return Err(text(
                    403,
                    "Cannot delete the public app, use remove connection uri domain API instead",
                ));
            }
            if app != "public" || !desk.place.is_public_tenant() {
                return Err(text(
                    403,
                    "Only the public tenantId and public appId is allowed to delete an app",
                ));
            }
            let has_tenants =
                |(of, in_app, tenant): &Triple| *of == domain && *in_app == wanted && tenant != "public";
            if desk.base.rows.keys().any(has_tenants) {
                return Err(text(
                    403,
                    "Please delete all tenants except the public tenant for this app before calling the delete API",
                ));
            }
            (domain, wanted, public())
        }
        _ => {
            let wanted = tenant_of(field(&body, "tenantId")?)?;
            if wanted == "public" {
                return Err(text(403, "Cannot delete public tenant, use remove app API instead"));
            }
            if !desk.place.is_public_tenant() {
                return Err(text(403, "Only the public tenantId is allowed to delete a tenant"));
            }
            (domain, app, wanted)
        }
    };
    if !desk.base.rows.contains_key(&triple) {
        return Ok(good(&json!({ "status": "OK", "didExist": false })));
    }
    let pool = desk.pool(&triple);
    if desk.process.is_cut_off(desk.core.now) || !desk.databases.is_up(&pool, desk.core.now) {
        return Err(late(text(500, pool.trouble()), GIVES_UP));
    }
    // A domain on the core's own database is left alone there. Tenants of it stay behind, without anything above them.
    if triple.2 == "public" && pool.database() != super::pool::Pool::of(&desk.process.config).database() {
        desk.databases.wipe(&pool, &triple.1);
    }
    desk.base.rows.remove(&triple);
    desk.base.version += 1;
    desk.look_now();
    Ok(good(&json!({ "status": "OK", "didExist": true })))
}

fn provider(desk: &mut Desk<'_>, body: &Value) -> Result<Said, Said> {
    let id = field(body, "thirdPartyId")?;
    let row = desk.base.rows.entry(desk.place.triple.clone()).or_default();
    let before = row.providers.len();
    row.providers.retain(|known| known.get("thirdPartyId").and_then(Value::as_str) != Some(id));
    let did_exist = row.providers.len() < before;
    desk.base.version += 1;
    desk.look_now();
    Ok(good(&json!({ "status": "OK", "didConfigExist": did_exist })))
}
