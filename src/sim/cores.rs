//! Pretended cores: the HTTP interface of SuperTokens for every core of the fleet, on loopback.
//!
//! One door leads to all of them: it is an HTTP proxy, so `http://10.16.0.5:3567/hello` asked of it is the core at
//! that port of that host; asked for `/` itself it lists the cores. In fleets that are not too large each core has a
//! port of its own besides. A core whose container or host does not run resets the connection.

mod answers;
mod flight;
mod imports;
mod keys;
mod licence;
mod list;
mod look;
mod memory;
mod migration;
mod place;
mod pool;
mod put;
mod remove;
mod seed;
mod stats;

use self::answers::{Asked, Core, Said, answer};
use self::flight::{Fate, Flight, Flights};
use self::memory::{Memory, Outage};
use self::pool::Pool;
use super::http::Site;
use super::time::Moment;
use super::wire::{Lines, Switch};
use super::world::crowd::THREADS;
use super::world::docker::core_name;
use super::world::held;
use super::world::machine::dotted;
use super::world::place::Place;
use crate::error::Error;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use compact_str::CompactString;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The largest body that is read: ten thousand users to import.
const LARGEST: usize = 16 << 20;
/// Cores that get a port of their own at most.
const MOST: usize = 400;

/// A core of the pretended fleet, and where it can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreAt {
    /// Its id in the registry.
    pub id: String,
    /// The account's number.
    pub account: String,
    /// The region's name.
    pub region: &'static str,
    /// The host.
    pub instance: String,
    /// The host's address in its own network, and the port there: what the proxy is asked for.
    pub address: String,
    /// Its own port on loopback, in fleets that are not too large.
    pub listens: Option<SocketAddr>,
}

/// Which core.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    account: Arc<str>,
    region: &'static str,
    instance: CompactString,
    port: u16,
}

/// All cores of a simulator.
#[derive(Debug)]
pub(crate) struct Cores {
    site: Arc<Site>,
    memory: Mutex<Memory>,
    list: Vec<(Key, CoreAt)>,
    /// Ports of those that came later, or are too many to have one from the start.
    later: tokio::sync::Mutex<HashMap<Key, SocketAddr>>,
    door: SocketAddr,
    flights: Flights,
    /// Answers that take time wait for steps of a clock that stands still.
    holds: AtomicBool,
    /// Told of each step.
    steps: watch::Sender<()>,
}

/// A listener's view: one core, or all of them.
#[derive(Clone, Debug)]
struct Door {
    cores: Arc<Cores>,
    only: Option<Key>,
}

/// Opens the doors of all cores that the registries know.
///
/// # Errors
/// A port that cannot be had.
pub(crate) async fn open(site: &Arc<Site>, regions: &[&'static str]) -> Result<Arc<Cores>, Error> {
    let bind = |why: std::io::Error| Error::failed("cannot listen for the pretended cores").because(why);
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut list = Vec::new();
    for account in &site.world.accounts {
        for region in regions {
            let place = site.world.place(&account.id, region);
            known(&place.read().unwrap_or_else(PoisonError::into_inner), &mut list);
        }
    }
    let mut listeners = Vec::new();
    if list.len() <= MOST {
        for (key, core) in &mut list {
            let listener = TcpListener::bind(loopback).await.map_err(bind)?;
            core.listens = Some(listener.local_addr()?);
            listeners.push((listener, Some(key.clone())));
        }
    }
    let door = TcpListener::bind(loopback).await.map_err(bind)?;
    let at = door.local_addr()?;
    listeners.push((door, None));
    let cores = Arc::new(Cores {
        site: Arc::clone(site),
        memory: Mutex::default(),
        list,
        later: tokio::sync::Mutex::default(),
        door: at,
        flights: Flights::default(),
        holds: AtomicBool::new(false),
        steps: watch::Sender::default(),
    });
    for (listener, only) in listeners {
        attend(&cores, listener, only);
    }
    Ok(cores)
}

/// Answers whoever comes to a door.
fn attend(cores: &Arc<Cores>, listener: TcpListener, only: Option<Key>) {
    let app = axum::Router::new()
        .fallback(enter)
        .with_state(Door { cores: Arc::clone(cores), only })
        .into_make_service_with_connect_info::<Switch>();
    let stop = cores.site.stop.clone();
    tokio::spawn(async move {
        let served = axum::serve(Lines(listener), app).with_graceful_shutdown(stop.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(%error, "a pretended core broke down");
        }
    });
}

/// The cores of a place's registry.
fn known(place: &Place, list: &mut Vec<(Key, CoreAt)>) {
    for parameter in place.parameters.values() {
        let Some((_, id)) = core_name(&parameter.name) else { continue };
        let Ok(value) = serde_json::from_str::<serde_json::Value>(&parameter.value) else { continue };
        let instance = value.get("instance_id").and_then(serde_json::Value::as_str).unwrap_or_default();
        let port = value.get("port").and_then(serde_json::Value::as_u64);
        let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(3567);
        let Some(host) = place.instances.get(instance) else { continue };
        let key = Key {
            account: Arc::clone(&place.account),
            region: place.region,
            instance: instance.into(),
            port,
        };
        let core = CoreAt {
            id: id.to_owned(),
            account: place.account.to_string(),
            region: place.region,
            instance: instance.to_owned(),
            address: format!("{}:{port}", dotted(host.private_ip, '.')),
            listens: None,
        };
        list.push((key, core));
    }
}

async fn enter(
    State(door): State<Door>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST).await else { return plain(413, "too large") };
    let authority = parts.uri.authority().map(|authority| authority.as_str().to_owned());
    let key = match (&door.only, &authority) {
        (Some(key), _) => Some(key.clone()),
        (None, Some(authority)) => door.cores.resolve(authority),
        (None, None) if parts.uri.path() == "/" => return door.cores.listed(),
        (None, None) => {
            return plain(
                404,
                "Ask this proxy for http://ADDRESS:PORT/…, or for / to see which there are.\n",
            );
        }
    };
    let header =
        |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let asked = Asked {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        host: header("host").or(authority).unwrap_or_default(),
        key: header("api-key").or_else(|| header("authorization").map(|text| bearer(&text).to_owned())),
        version: header("cdi-version"),
        body: String::from_utf8_lossy(&body).into_owned(),
        from: "127.0.0.1".to_owned(),
    };
    let said = key.as_ref().and_then(|key| door.cores.ask(key, &asked));
    let Some((said, flight)) = said else {
        // Nothing listens there.
        if door.only.is_none() {
            return plain(502, "Connection refused");
        }
        switch.throw();
        return Response::new(Body::empty());
    };
    if let Some(key) = &key
        && !door.cores.wait(key, flight).await
    {
        // An empty reply.
        switch.throw();
        return Response::new(Body::empty());
    }
    let mut response = Response::new(Body::from(said.body));
    *response.status_mut() = StatusCode::from_u16(said.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(said.kind));
    response
}

/// The key of an Authorization header, with or without the word before it.
fn bearer(text: &str) -> &str {
    match text.split_at_checked(7) {
        Some((word, key)) if word.eq_ignore_ascii_case("bearer ") => key.trim(),
        _ => text.trim(),
    }
}

fn plain(status: u16, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

impl Cores {
    /// Where the proxy listens.
    pub(crate) fn door(&self) -> SocketAddr {
        self.door
    }

    /// A connection to a port of a host, as a program on that host makes it; none where nothing listens.
    pub(crate) async fn connect(
        self: &Arc<Self>,
        account: &Arc<str>,
        region: &'static str,
        instance: &str,
        port: u16,
    ) -> Option<TcpStream> {
        let key = Key { account: Arc::clone(account), region, instance: instance.into(), port };
        let now = self.site.world.clock.now();
        {
            let place = self.site.world.place(account, region);
            place.write().unwrap_or_else(PoisonError::into_inner).advance(now);
            let place = place.read().unwrap_or_else(PoisonError::into_inner);
            place.core_at(&key.instance, port, now)?;
        }
        let known = self.list.iter().find(|(known, _)| *known == key).and_then(|(_, core)| core.listens);
        let at = match known {
            Some(at) => at,
            None => {
                let mut later = self.later.lock().await;
                match later.get(&key) {
                    Some(at) => *at,
                    None => {
                        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.ok()?;
                        let at = listener.local_addr().ok()?;
                        later.insert(key.clone(), at);
                        attend(self, listener, Some(key));
                        at
                    }
                }
            }
        };
        TcpStream::connect(at).await.ok()
    }

    /// Every core.
    pub(crate) fn all(&self) -> Vec<CoreAt> {
        self.list.iter().map(|(_, core)| core.clone()).collect()
    }

    /// Cuts a core off from its database, or brings that back.
    pub(crate) fn cut_off(&self, id: &str, is_cut_off: bool) -> bool {
        let found = self.list.iter().find(|(_, core)| core.id == id);
        if let Some((key, _)) = found {
            let now = self.site.world.clock.now();
            let mut memory = held(&self.memory);
            let process = memory.processes.entry(key.clone()).or_default();
            process.cut_off = Outage::turned(process.cut_off, is_cut_off, now);
        }
        found.is_some()
    }

    /// Takes a database host down, or brings it back.
    pub(crate) fn take_down(&self, host: &str, is_down: bool) {
        let now = self.site.world.clock.now();
        let outages = &mut held(&self.memory).databases.outages;
        if let Some(outage) = Outage::turned(outages.get(host).copied(), is_down, now) {
            outages.insert(host.to_owned(), outage);
        }
    }

    /// Lets each question to a database host wait for a lock so long.
    pub(crate) fn lock(&self, host: &str, held_for: Duration) {
        held(&self.memory).databases.locked.insert(host.to_owned(), held_for);
    }

    /// Lets a database host take so many connections at most.
    pub(crate) fn limit(&self, host: &str, connections: u32) {
        held(&self.memory).databases.limits.insert(host.to_owned(), connections);
    }

    fn listed(&self) -> Response {
        let rows: Vec<serde_json::Value> = self
            .list
            .iter()
            .map(|(_, core)| {
                serde_json::json!({
                    "id": core.id, "account": core.account, "region": core.region, "instance": core.instance,
                    "address": core.address, "listens": core.listens.map(|at| format!("http://{at}")),
                })
            })
            .collect();
        let mut response = Response::new(Body::from(serde_json::Value::from(rows).to_string()));
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }

    /// The core at an address of the pretended network.
    fn resolve(&self, authority: &str) -> Option<Key> {
        let (ip, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
        let port = port.parse().ok()?;
        for place in self.site.world.settled() {
            let place = place.read().unwrap_or_else(PoisonError::into_inner);
            let mut all = place.instances.rows();
            if let Some(found) = all.find(|one| !one.state.is_gone() && dotted(one.private_ip, '.') == ip) {
                let (account, instance) = (Arc::clone(&place.account), found.id.clone());
                return Some(Key { account, region: place.region, instance, port });
            }
        }
        None
    }

    /// Lets answers that take time wait for steps of a clock that stands still.
    pub(crate) fn hold(&self) {
        self.holds.store(true, Ordering::Relaxed);
    }

    /// The clock was stepped.
    pub(crate) fn stepped(&self) {
        self.steps.send_replace(());
    }

    /// Requests that a core, by its id in the registry, is at work on.
    pub(crate) fn serving(&self, id: &str) -> usize {
        let Some((key, _)) = self.list.iter().find(|(_, core)| core.id == id) else { return 0 };
        let now = self.site.world.clock.now();
        let waits = |flight: &Flight| flight.fate(self.told_to_stop(key), now) == Fate::Waits;
        self.flights.of(key).iter().filter(|flight| waits(flight)).count()
    }

    /// Asks a core: what it says, and until when it is at work on that; none when nothing listens there.
    fn ask(&self, key: &Key, asked: &Asked) -> Option<(Said, Flight)> {
        let now = self.site.world.clock.now();
        let place = self.site.world.place(&key.account, key.region);
        if place.read().unwrap_or_else(PoisonError::into_inner).is_due(now) {
            place.write().unwrap_or_else(PoisonError::into_inner).advance(now);
        }
        let place = place.read().unwrap_or_else(PoisonError::into_inner);
        let container = place.core_at(&key.instance, key.port, now)?;
        let host = place.instances.get(&key.instance)?;
        let id = container.core.clone().unwrap_or_else(|| container.name.clone());
        let mut memory = held(&self.memory);
        let base = seed::ready(&place, &id, key, &container, &mut memory, self.site.world.seed);
        let domains = memory.bases.get(&base).map_or(0, |base| base.rows.len().saturating_sub(1));
        let Memory { bases, processes, databases, .. } = &mut *memory;
        let is_in_memory = bases.get(&base).is_some_and(|base| base.is_in_memory);
        let process = processes.entry(key.clone()).or_default();
        let pool = Pool::of(&process.config);
        let (keys, secret) = (process.told("api_keys"), process.told("supertokens_saas_secret"));
        let fault = keys.and_then(keys::fault_of_keys);
        if fault.or(secret.and_then(|secret| keys::fault_of_secret(secret, keys))).is_some() {
            // Such a process ends at once.
            return None;
        }
        let outage = databases.outages.get(&pool.server()).copied().filter(|_| !is_in_memory);
        if !process.opens(seed::boot(domains), outage, now) {
            // The port is not open before every pool of connections is.
            return None;
        }
        let threads = process.config.get("max_server_pool_size").and_then(serde_json::Value::as_u64);
        let queue = place.queue(&key.instance, key.port, threads.unwrap_or(THREADS), now);
        let core = Core {
            id,
            key: key.clone(),
            base,
            version: container.image.rsplit_once(':').map_or("", |(_, tag)| tag).to_owned(),
            load: host.load,
            machine: host.kind,
            neighbours: place.neighbours(&key.instance),
            crowds: place.crowds(&key.instance, key.port).cloned().collect(),
            queue: Duration::from_secs_f64(queue),
            started: container.started,
            now,
            seed: self.site.world.seed,
        };
        let said = answer(&core, asked, &mut memory);
        let takes = i64::try_from(said.delay.as_millis()).unwrap_or(i64::MAX);
        let flight = Flight { begun: now, until: Moment(now.0.saturating_add(takes)) };
        if takes > 0 {
            place.serving.until(&key.instance, key.port, flight.until);
        }
        Some((said, flight))
    }

    /// When a core was last told to stop.
    fn told_to_stop(&self, key: &Key) -> Option<Moment> {
        let now = self.site.world.clock.now();
        let place = self.site.world.place(&key.account, key.region);
        if place.read().unwrap_or_else(PoisonError::into_inner).is_due(now) {
            place.write().unwrap_or_else(PoisonError::into_inner).advance(now);
        }
        let place = place.read().unwrap_or_else(PoisonError::into_inner);
        let all = place.docker.get(&key.instance)?;
        let mine = all.iter().find(|one| one.ports.iter().any(|(port, _)| *port == key.port))?;
        mine.closing.filter(|at| *at <= now)
    }

    /// Waits as long as an answer takes in pretended time. False when the core was told to stop meanwhile, and cut it
    /// off.
    async fn wait(&self, key: &Key, flight: Flight) -> bool {
        let speed = self.site.world.clock.speed();
        // Pretended time passes faster than real time, or not at all.
        let stands_still = speed <= 0.0;
        if flight.until <= flight.begun || (stands_still && !self.holds.load(Ordering::Relaxed)) {
            return true;
        }
        let mut steps = self.steps.subscribe();
        let _boarded = self.flights.board(key, flight);
        loop {
            let now = self.site.world.clock.now();
            match flight.fate(self.told_to_stop(key), now) {
                Fate::Waits => {}
                fate => return fate == Fate::Answered,
            }
            let slice = match stands_still {
                true => Duration::from_secs(3600),
                false => {
                    let left = u64::try_from(flight.until.0 - now.0).unwrap_or(0);
                    Duration::from_millis(left).div_f64(speed).clamp(
                        Duration::from_millis(1),
                        Duration::from_millis(250).div_f64(speed.max(1.0)).max(Duration::from_millis(5)),
                    )
                }
            };
            tokio::select! {
                () = tokio::time::sleep(slice) => {}
                _ = steps.changed() => {}
                () = self.site.stop.cancelled() => return true,
            }
        }
    }
}
