//! What a core answers: the order of its checks, with the texts and statuses of a real one.

use super::Key;
use super::list::listed;
use super::look::{hello, looked};
use super::memory::{Base, Databases, Memory, Process, Row, Settings, Triple};
use super::place::Place;
use super::put::{Desk, put};
use super::remove::remove;
use super::stats::count;
use crate::sim::time::Moment;
use crate::sim::world::crowd::{Crowd, THREADS};
use crate::sim::world::load::Load;
use crate::sim::world::machine::Kind;
use crate::sim::world::neighbours::Neighbours;
use compact_str::CompactString;
use serde_json::{Value, json};
use std::time::Duration;

/// A core as it is asked.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) id: CompactString,
    /// Its process.
    pub(super) key: Key,
    /// The base database that it has, by name.
    pub(super) base: String,
    /// `11.0.4`
    pub(super) version: String,
    pub(super) load: Load,
    pub(super) machine: &'static Kind,
    /// Containers that share the host.
    pub(super) neighbours: Neighbours,
    /// Crowds of its tenants.
    pub(super) crowds: Vec<Crowd>,
    /// What whoever comes now waits because of them.
    pub(super) queue: Duration,
    pub(super) started: Moment,
    pub(super) now: Moment,
    pub(super) seed: u64,
}

/// A request.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) host: String,
    pub(super) key: Option<String>,
    pub(super) version: Option<String>,
    pub(super) body: String,
    /// The address that it came from.
    pub(super) from: String,
}

impl Asked {
    /// Whether a parameter of the query says `true`.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.parameter(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// An answer.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: String,
    /// In pretended time.
    pub(super) delay: Duration,
}

/// How a page of the server itself is marked, which no core wrote.
const PAGE: &str = "text/html;charset=utf-8";

pub(super) fn text(status: u16, body: impl Into<String>) -> Said {
    Said { status, kind: "text/html;charset=UTF-8", body: body.into(), delay: Duration::ZERO }
}

pub(super) fn good(value: &Value) -> Said {
    let kind = "application/json;charset=UTF-8";
    Said { status: 200, kind, body: value.to_string(), delay: Duration::ZERO }
}

pub(super) fn late(mut said: Said, by: Duration) -> Said {
    said.delay = by;
    said
}

/// How long a core waits for a database that is away.
pub(super) const GIVES_UP: Duration = Duration::from_secs(5);
/// A version of the interface: `5.1`.
type Version = (u32, u32);

fn version(text: &str) -> Option<Version> {
    let (major, minor) = text.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Interface versions that a core speaks, up to the highest that an app is set to; in no order.
pub(super) fn versions(core: &Core, settings: &Settings) -> Vec<&'static str> {
    let all = [
        "2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13", "2.14", "2.15", "2.16", "2.17", "2.18", "2.19",
        "2.20", "2.21", "3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6",
    ];
    let last = highest(core, settings);
    let mut spoken: Vec<&str> =
        all.into_iter().filter(|one| version(one).is_some_and(|it| it <= last)).collect();
    let middle = spoken.len() / 3;
    spoken.rotate_left(middle);
    spoken
}

/// The highest version that an app is answered in, and the one that it is answered in where nobody names one.
fn highest(core: &Core, settings: &Settings) -> Version {
    let last = match core.major() {
        0..=9 => (5, 1),
        10 => (5, 2),
        11 => (5, 4),
        _ => (5, 6),
    };
    limit(settings, "supertokens_max_cdi_version").unwrap_or(last)
}

fn limit(settings: &Settings, key: &str) -> Option<Version> {
    settings.get(key).and_then(Value::as_str).and_then(version)
}

impl Core {
    pub(super) fn major(&self) -> u32 {
        self.version.split('.').next().and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

/// With whose key a request came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rights {
    /// A key of the app, or nobody asks for one.
    Key,
    /// The secret of a shared core.
    Secret,
}

/// Whether a key opens an app: first the app's own keys, then the secret. Whoever shows the secret may see and change
/// what is protected, whichever of both let it in.
fn rights(process: &Process, settings: &Settings, key: Option<&str>) -> Option<Rights> {
    let keys = settings.get("api_keys").and_then(Value::as_str);
    let secret = process.told("supertokens_saas_secret");
    if secret.is_some() && key == secret {
        return Some(Rights::Secret);
    }
    let Some(keys) = keys else { return secret.is_none().then_some(Rights::Key) };
    let is_among = key.is_some_and(|key| keys.split(',').any(|known| known.trim() == key.trim()));
    is_among.then_some(Rights::Key)
}

/// Answers a request, and remembers that it was made. A process that waits for databases with all of its threads
/// lets everybody else wait too.
pub(super) fn answer(core: &Core, asked: &Asked, memory: &mut Memory) -> Said {
    let Memory { bases, processes, databases, .. } = memory;
    let base = bases.entry(core.base.clone()).or_default();
    let process = processes.entry(core.key.clone()).or_default();
    process.look(&core.key, base, databases, core.now);
    let mut said = checked(core, asked, base, process, databases);
    // Every answer ends its line.
    if !said.body.ends_with('\n') && said.kind != PAGE {
        said.body.push('\n');
    }
    process.waiting.retain(|until| *until > core.now);
    let threads = process.config.get("max_server_pool_size").and_then(Value::as_u64).unwrap_or(THREADS);
    let threads = usize::try_from(threads).unwrap_or(usize::MAX);
    // Whoever comes when all are taken waits for the first that is free, after all who wait already.
    process.waiting.sort();
    let first = process.waiting.len().checked_sub(threads).and_then(|at| process.waiting.get(at));
    let free = first.copied().unwrap_or(core.now);
    let is_long = !said.delay.is_zero();
    said.delay += Duration::from_millis(u64::try_from(free.0 - core.now.0).unwrap_or(0));
    said.delay += core.queue;
    if is_long {
        let until = core.now.0.saturating_add(i64::try_from(said.delay.as_millis()).unwrap_or(i64::MAX));
        process.waiting.push(Moment(until));
    }
    said
}

/// Tells whether the rules of a place about addresses let one in: a whole match of what is allowed, and none of what
/// is denied.
fn lets_in(settings: &Settings, address: &str) -> bool {
    let matches = |key: &str| {
        let pattern = settings.get(key).and_then(Value::as_str)?;
        // A core refuses to be set to what is no pattern.
        Some(regex::Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|pattern| pattern.is_match(address)))
    };
    match (matches("ip_allow_regex"), matches("ip_deny_regex")) {
        (_, Some(true)) => false,
        (Some(allowed), _) => allowed,
        (None, _) => true,
    }
}

/// Why an app or a tenant is not there.
fn not_found((domain, app, tenant): &Triple) -> Said {
    text(
        400,
        format!(
            "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: ({domain}, {app}, {tenant})"
        ),
    )
}

fn checked(
    core: &Core,
    asked: &Asked,
    base: &mut Base,
    process: &mut Process,
    databases: &mut Databases,
) -> Said {
    let place = Place::of(process, asked, core.major());
    if place.is_outside {
        return text(404, "Not found");
    }
    if let Some(only) = process.told("supertokens_saas_load_only_cud")
        && !place.domain().is_empty()
        && place.domain() != only
    {
        return text(400, "Connection URI domain is disallowed");
    }
    let of_app = place.of_app();
    let has_app = process.known.contains_key(&of_app);
    if has_app {
        count(process, &place.app_key(), core.now);
    }
    let settings = process.resolved(&place.triple);
    if has_app && !lets_in(&settings, &asked.from) {
        let page = "<!doctype html><html lang=\"en\"><head><title>HTTP Status 403 – Forbidden</title></head><body><h1>HTTP Status 403 – Forbidden</h1></body></html>";
        return Said { status: 403, kind: PAGE, body: page.to_owned(), delay: Duration::ZERO };
    }
    let is_open =
        matches!(place.path.as_str(), "/hello" | "/config" | "/.well-known/jwks.json") || !place.is_call;
    let rights = rights(process, &settings, asked.key.as_deref());
    if rights.is_none() && !is_open && has_app {
        return text(401, "Invalid API key");
    }
    let rights = rights.unwrap_or(Rights::Key);
    let wanted = match asked.version.as_deref().map(|text| (text, version(text))) {
        None => highest(core, &settings),
        Some((_, None)) => return text(400, "cdi-version header is invalid"),
        Some((text_of, Some(wanted))) => {
            let least = limit(&settings, "supertokens_min_cdi_version");
            if let Some(least) = least.filter(|least| wanted < *least) {
                let (major, minor) = least;
                return text(
                    400,
                    format!(
                        "cdi-version {text_of} is lower than the minimum allowed version {major}.{minor}"
                    ),
                );
            }
            let needs_one = !matches!(place.path.as_str(), "/hello" | "/" | "/apiversion");
            if wanted > highest(core, &settings)
                || (needs_one && !versions(core, &settings).contains(&text_of))
            {
                return text(400, format!("cdi-version {text_of} not supported"));
            }
            wanted
        }
    };
    if wanted < (3, 0) && !place.is_public_tenant() {
        return text(404, "Not found");
    }
    if !has_app {
        return not_found(&of_app);
    }
    let mut desk = Desk { core, asked, place: &place, base, process, databases, rights, version: wanted };
    desk.called().unwrap_or_else(|said| said)
}

impl Desk<'_> {
    /// What the call answers.
    fn called(&mut self) -> Result<Said, Said> {
        let path = self.place.path.as_str();
        let method = self.asked.method.as_str();
        let has_tenant = self.process.known.contains_key(&self.place.triple);
        if path == "/hello" || (path == "/" && has_tenant) {
            return match method {
                "GET" | "POST" | "PUT" | "DELETE" => Ok(hello(self)),
                _ => Err(text(405, "Method not supported")),
            };
        }
        if !self.place.is_call {
            tracing::debug!(core = %self.core.id, path, "not served by pretended cores");
            return Err(text(404, "Not found"));
        }
        let call = path.strip_prefix("/recipe/multitenancy/").map(|rest| rest.trim_end_matches("/v2"));
        let methods = methods(path, call);
        if !methods.contains(&method) {
            return Err(text(405, "Method not supported"));
        }
        if is_of_the_app(self) && !self.place.is_public_tenant() {
            return Err(text(403, "Only public tenantId can call this app specific API"));
        }
        if call == Some("tenant") && method == "GET" && !has_tenant {
            return Ok(good(&json!({ "status": "TENANT_NOT_FOUND_ERROR" })));
        }
        if !has_tenant {
            return Err(not_found(&self.place.triple));
        }
        match call {
            Some("connectionuridomain" | "app" | "config/thirdparty") => {
                Ok(put(self, call.unwrap_or_default()))
            }
            Some("tenant") if method == "PUT" => Ok(put(self, "tenant")),
            Some(call) if call.ends_with("/remove") && call != "tenant/user/remove" => Ok(remove(self, call)),
            Some(list @ ("connectionuridomain/list" | "app/list" | "tenant/list" | "tenant")) => {
                let place = self.place.triple.clone();
                self.trouble(&place).map_or_else(|| Ok(listed(self, list)), Err)
            }
            _ => looked(self),
        }
    }

    /// What a core says when the database of a place does not answer, or takes no more connections.
    pub(super) fn trouble(&self, of: &Triple) -> Option<Said> {
        if self.base.is_in_memory {
            return None;
        }
        let pool = self.pool(of);
        if self.process.without_pool.contains(of) {
            let full = "org.postgresql.util.PSQLException: FATAL: sorry, too many clients already";
            return Some(late(text(500, full), Duration::from_secs(1)));
        }
        let is_up = !self.process.is_cut_off(self.core.now) && self.databases.is_up(&pool, self.core.now);
        (!is_up).then(|| late(text(500, pool.trouble()), GIVES_UP))
    }
}

/// The methods that a call takes.
fn methods(path: &str, call: Option<&str>) -> &'static [&'static str] {
    match (path, call) {
        (_, Some("connectionuridomain" | "app" | "config/thirdparty")) => &["PUT"],
        (_, Some("tenant")) => &["PUT", "GET"],
        (_, Some("tenant/user")) => &["POST"],
        (_, Some(call)) if call.ends_with("/remove") => &["POST"],
        ("/ee/license", _) => &["GET", "PUT", "DELETE"],
        ("/bulk-import/users", _) => &["POST"],
        _ => &["GET"],
    }
}

/// Calls that mean an app, and refuse a tenant of it.
fn is_of_the_app(desk: &Desk<'_>) -> bool {
    match desk.place.path.as_str() {
        "/users/count" => desk.asked.is_set("includeAllTenants"),
        "/apiversion"
        | "/requests/stats"
        | "/telemetry"
        | "/users/count/active"
        | "/ee/featureflag"
        | "/ee/license"
        | "/bulk-import/users"
        | "/bulk-import/users/count" => true,
        _ => false,
    }
}

/// A tenant that a put makes: the public one may use every login method, any other none unless it is told.
pub(super) fn new_row(tenant: &str) -> Row {
    Row { first: (tenant != "public").then(Vec::new), ..Row::default() }
}
