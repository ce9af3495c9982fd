//! What a core answers: the order of its checks, with the texts and statuses of a real one.

use super::Key;
use super::list::listed;
use super::look::{hello, looked};
use super::memory::{Base, Databases, Memory, Process, Row, Settings};
use super::place::Place;
use super::pool::Pool;
use super::put::{Desk, put};
use super::remove::remove;
use super::stats::count;
use crate::sim::time::Moment;
use crate::sim::world::load::Load;
use crate::sim::world::machine::Kind;
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
    pub(super) neighbours: usize,
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
}

impl Asked {
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
/// Server threads of a core, where its configuration does not say.
const THREADS: u64 = 10;

/// Interface versions that a core speaks, in no order.
pub(super) fn versions(core: &Core) -> Vec<&'static str> {
    let all = [
        "2.7", "2.8", "2.9", "2.10", "2.11", "2.12", "2.13", "2.14", "2.15", "2.16", "2.17", "2.18", "2.19",
        "2.20", "2.21", "3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6",
    ];
    let last = match core.major() {
        0..=9 => "5.1",
        10 => "5.2",
        11 => "5.4",
        _ => "5.6",
    };
    let end = all.iter().position(|one| *one == last).unwrap_or(all.len() - 1);
    let mut spoken: Vec<&str> = all.iter().take(end + 1).copied().collect();
    spoken.rotate_left(7);
    spoken
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

/// Whether a key opens an app: first the app's own keys, then the secret.
fn rights(base: &Base, settings: &Settings, key: Option<&str>) -> Option<Rights> {
    let keys = settings.get("api_keys").and_then(Value::as_str);
    let secret = base.settings.get("supertokens_saas_secret").and_then(Value::as_str);
    let is_among = |keys: &str| key.is_some_and(|key| keys.split(',').any(|known| known.trim() == key));
    match keys {
        _ if secret.is_some() && key == secret => Some(Rights::Secret),
        None => Some(Rights::Key),
        Some(keys) => is_among(keys).then_some(Rights::Key),
    }
}

/// Answers a request, and remembers that it was made. A process that waits for databases with all of its threads
/// lets everybody else wait too.
pub(super) fn answer(core: &Core, asked: &Asked, memory: &mut Memory) -> Said {
    let Memory { bases, processes, databases } = memory;
    let base = bases.entry(core.base.clone()).or_default();
    let process = processes.entry(core.key.clone()).or_default();
    process.look(&core.key, base, databases, core.now);
    let mut said = checked(core, asked, base, process, databases);
    process.waiting.retain(|until| *until > core.now);
    let threads = base.settings.get("max_server_pool_size").and_then(Value::as_u64).unwrap_or(THREADS);
    let threads = usize::try_from(threads).unwrap_or(usize::MAX);
    if process.waiting.len() >= threads
        && let Some(first) = process.waiting.iter().min().copied()
    {
        let wait = u64::try_from(first.0 - core.now.0).unwrap_or(0);
        said.delay += Duration::from_millis(wait);
    }
    if !said.delay.is_zero() {
        let until = core.now.0.saturating_add(i64::try_from(said.delay.as_millis()).unwrap_or(i64::MAX));
        process.waiting.push(Moment(until));
    }
    said
}

fn checked(
    core: &Core,
    asked: &Asked,
    base: &mut Base,
    process: &mut Process,
    databases: &mut Databases,
) -> Said {
    let place = Place::of(process, asked);
    count(process, &place.app_key(), core.now);
    if let Some(only) = base.settings.get("supertokens_saas_load_only_cud").and_then(Value::as_str)
        && !place.domain().is_empty()
        && place.domain() != only
    {
        return text(400, "Connection URI domain is disallowed");
    }
    let settings = base.resolved(&process.known, &place.triple);
    let pool = Pool::of(&settings);
    let is_up = !process.is_cut_off && databases.is_up(&pool);
    let trouble = || match process.without_pool.contains(&place.triple) {
        true => Some(late(
            text(500, "org.postgresql.util.PSQLException: FATAL: sorry, too many clients already"),
            Duration::from_secs(1),
        )),
        false if is_up || base.is_in_memory => None,
        false => Some(late(text(500, pool.trouble()), GIVES_UP)),
    };
    if matches!(place.path.as_str(), "/hello" | "/") {
        if !matches!(asked.method.as_str(), "GET" | "POST" | "PUT" | "DELETE") {
            return text(405, "Method not supported");
        }
        let trouble = trouble();
        return hello(process, &place.app_key(), core.now, trouble);
    }
    if place.path == "/config" {
        return match (place.domain(), asked.parameter("pid")) {
            ("", Some(_)) => good(&json!({ "status": "NOT_ALLOWED" })),
            ("", None) => text(400, "Field name 'pid' is missing in GET request"),
            _ => text(403, "Only the default connectionUriDomain is allowed to call this API"),
        };
    }
    let is_open = place.path == "/.well-known/jwks.json";
    let Some(rights) = rights(base, &settings, asked.key.as_deref()).or(is_open.then_some(Rights::Key))
    else {
        return text(401, "Invalid API key");
    };
    if let Some(wanted) = asked.version.as_deref()
        && !versions(core).contains(&wanted)
    {
        return text(400, format!("cdi-version {wanted} not supported"));
    }
    let call = place.path.strip_prefix("/recipe/multitenancy/").map(|rest| rest.trim_end_matches("/v2"));
    if !process.known.contains_key(&place.triple) {
        if call == Some("tenant") && asked.method == "GET" {
            return good(&json!({ "status": "TENANT_NOT_FOUND_ERROR" }));
        }
        let (domain, app, tenant) = &place.triple;
        return text(
            400,
            format!(
                "AppId or tenantId not found => Tenant with the following connectionURIDomain, appId and tenantId combination not found: ({domain}, {app}, {tenant})"
            ),
        );
    }
    let trouble = trouble();
    let mut desk = Desk { core, asked, place: &place, base, process, databases, rights };
    let wrong = |right: &str| (asked.method != right).then(|| text(405, "Method not supported"));
    match call {
        Some("connectionuridomain" | "app" | "config/thirdparty") => {
            wrong("PUT").unwrap_or_else(|| put(&mut desk, call.unwrap_or_default()))
        }
        Some("tenant") if asked.method == "PUT" => put(&mut desk, "tenant"),
        Some("connectionuridomain/remove" | "app/remove" | "tenant/remove" | "config/thirdparty/remove") => {
            wrong("POST").unwrap_or_else(|| remove(&mut desk, call.unwrap_or_default()))
        }
        Some(list @ ("connectionuridomain/list" | "app/list" | "tenant/list" | "tenant")) => {
            wrong("GET").or(trouble).unwrap_or_else(|| listed(&mut desk, list))
        }
        _ => looked(&mut desk, trouble),
    }
}

/// A tenant that a put makes: the public one may use every login method, any other none unless it is told.
pub(super) fn new_row(tenant: &str) -> Row {
    Row { first: (tenant != "public").then(Vec::new), ..Row::default() }
}
