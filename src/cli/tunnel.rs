//! The way to cores that cannot be reached from here: a proxy on loopback, and behind it, for each core that is asked,
//! a port that Systems Manager forwards.
//!
//! Cores are asked as through any HTTP proxy, so that Host still names the domain. Nobody else on this machine gets
//! through: the proxy wants a password that is made for each run. Ports are opened when a core is first asked, are a
//! bounded number, are opened again when they break, and end with this process.

use super::shell::Plugin;
use crate::error::{Error, Result};
use crate::gateway::{
    Ask, Bucket, CallRecord, FleetReader, GatewayError, Reading, Session, Sessions, Spending, Urgency,
};
use crate::model::{AccountName, InstanceId, Region, Scope};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::HashMap;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Child;
use tokio::sync::{Mutex as Turn, Semaphore, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Ports that are forwarded at once at most.
const MOST: usize = 24;
/// The longest head of a request.
const LONGEST: usize = 64 << 10;
/// How long a session may take until its port takes connections.
const OPENS: Duration = Duration::from_secs(20);
/// From one try to the next.
const AGAIN: Duration = Duration::from_millis(150);

/// Where instances are, by their private addresses.
#[derive(Debug, Default)]
struct Hosts(Mutex<HashMap<String, (Scope, InstanceId)>>);

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whole entries are written: one that a panic left behind is as good as any.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hosts {
    fn note(&self, scope: &Scope, reading: &Reading) {
        if let Reading::Instances(all) = reading {
            let mut hosts = held(&self.0);
            hosts.retain(|_, (place, _)| place != scope);
            for one in all {
                if let Some(address) = &one.private_ip {
                    hosts.insert(address.to_string(), (scope.clone(), one.id.clone()));
                }
            }
        }
    }
}

/// A core's door: the address of its host, and the port there.
type Door = (String, u16);

/// A forwarded port.
struct Open {
    child: Child,
    local: u16,
}

/// All forwarded ports.
struct Pool {
    sessions: Arc<dyn Sessions>,
    plugin: Plugin,
    hosts: Arc<Hosts>,
    open: Mutex<HashMap<Door, Arc<Turn<Option<Open>>>>>,
    /// Sessions that are being opened or are open.
    room: Arc<Semaphore>,
    /// Doors in the order in which they were last used.
    used: Mutex<Vec<Door>>,
    /// Processes to be ended with us.
    lives: Mutex<Vec<u32>>,
}

/// The proxy, until it is dropped.
pub(super) struct Tunnels {
    /// `http://coredeck:…@127.0.0.1:40123`
    pub(super) proxy: String,
    hosts: Arc<Hosts>,
    pool: Arc<Pool>,
    _stop: DropGuard,
}

impl Drop for Tunnels {
    fn drop(&mut self) {
        for pid in held(&self.pool.lives).drain(..) {
            end(pid);
        }
    }
}

/// Asks a plugin to end its session. One that has ended by itself needs nothing.
fn end(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::INT);
    }
}

impl Tunnels {
    /// Listens on loopback.
    pub(super) async fn open(sessions: Arc<dyn Sessions>) -> Result<Self> {
        let plugin = Plugin::find().await?;
        let bind = |why: std::io::Error| Error::failed("cannot listen for the way to cores").because(why);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(bind)?;
        let at = listener.local_addr().map_err(bind)?;
        let password = password().map_err(bind)?;
        let hosts = Arc::new(Hosts::default());
        let pool = Arc::new(Pool {
            sessions,
            plugin,
            hosts: Arc::clone(&hosts),
            open: Mutex::default(),
            room: Arc::new(Semaphore::new(MOST)),
            used: Mutex::default(),
            lives: Mutex::default(),
        });
        let stop = CancellationToken::new();
        let word = format!("Basic {}", STANDARD.encode(format!("coredeck:{password}")));
        tokio::spawn(serve(listener, Arc::clone(&pool), word, stop.clone()));
        let proxy = format!("http://coredeck:{password}@{at}");
        Ok(Self { proxy, hosts, pool, _stop: stop.drop_guard() })
    }

    /// The same reader, whose instances are known by their addresses.
    pub(super) fn noting(&self, fleet: Arc<dyn FleetReader>) -> Arc<dyn FleetReader> {
        Arc::new(Noting { fleet, hosts: Arc::clone(&self.hosts) })
    }
}

/// Thirty-two hex digits that nobody can guess.
fn password() -> std::io::Result<String> {
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn serve(listener: TcpListener, pool: Arc<Pool>, word: String, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((client, _)) = accepted else { continue };
        let (pool, word, stop) = (Arc::clone(&pool), word.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                done = carry(client, &pool, &word) => {
                    if let Err(why) = done {
                        // Whoever asked sees a connection that was closed: nobody reaches that core.
                        tracing::warn!(why, "a core was not reached through Systems Manager");
                    }
                }
            }
        });
    }
}

/// Carries one request to its core, and the answer back.
async fn carry(mut client: TcpStream, pool: &Pool, word: &str) -> std::result::Result<(), String> {
    let (head, rest) = head(&mut client).await?;
    let (door, head) = match direct(&head, word) {
        Ok(asked) => asked,
        Err(status) => {
            let said = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            // Whoever is refused may have gone already.
            let _ = client.write_all(said.as_bytes()).await;
            return Err(status.to_owned());
        }
    };
    let mut core = pool.reach(&door).await?;
    let lost = |why: std::io::Error| why.to_string();
    core.write_all(head.as_bytes()).await.map_err(lost)?;
    core.write_all(&rest).await.map_err(lost)?;
    // An answer that breaks off is seen by whoever reads it.
    let _ = copy_bidirectional(&mut client, &mut core).await;
    Ok(())
}

/// The head of a request, and what came with it of its body.
async fn head(client: &mut TcpStream) -> std::result::Result<(String, Vec<u8>), String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8(bytes).map_err(|_| "a head that is no text")?, rest));
        }
        if bytes.len() > LONGEST {
            return Err("a head without end".to_owned());
        }
        let read = client.read_buf(&mut bytes).await.map_err(|why| why.to_string())?;
        if read == 0 {
            return Err("nothing was asked".to_owned());
        }
    }
}

/// Which core a head means, and the head as the core gets it: once, and without what is meant for a proxy.
fn direct(head: &str, word: &str) -> std::result::Result<(Door, String), &'static str> {
    let mut lines = head.trim_end().split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, address) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let (mut kept, mut may) = (String::new(), false);
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        match name.to_ascii_lowercase().as_str() {
            "proxy-authorization" => may = value.trim() == word,
            "proxy-connection" | "connection" => {}
            _ => {
                kept.push_str(line);
                kept.push_str("\r\n");
            }
        }
    }
    if !may {
        return Err("407 Proxy Authentication Required");
    }
    let rest = address.strip_prefix("http://").ok_or("400 Bad Request")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    let port = port.parse().map_err(|_| "400 Bad Request")?;
    let head = format!("{method} /{path} HTTP/1.1\r\n{kept}Connection: close\r\n\r\n");
    Ok(((host.to_owned(), port), head))
}

impl Pool {
    /// A connection to a core: through the port that is open, or through a new one.
    async fn reach(&self, door: &Door) -> std::result::Result<TcpStream, String> {
        let slot = {
            let mut used = held(&self.used);
            used.retain(|other| other != door);
            used.push(door.clone());
            Arc::clone(held(&self.open).entry(door.clone()).or_default())
        };
        let mut open = slot.lock().await;
        if let Some(known) = &mut *open {
            let lives = known.child.try_wait().is_ok_and(|ended| ended.is_none());
            if lives && let Ok(core) = TcpStream::connect((Ipv4Addr::LOCALHOST, known.local)).await {
                return Ok(core);
            }
        }
        if let Some(broken) = open.take() {
            self.close(broken);
        }
        self.make_room(door).await;
        let (new, core) = self.start(door).await?;
        *open = Some(new);
        Ok(core)
    }

    fn close(&self, open: Open) {
        if let Some(pid) = open.child.id() {
            end(pid);
            held(&self.lives).retain(|one| *one != pid);
        }
        self.room.add_permits(1);
    }

    /// Closes the port that was not used for longest, until there is room for another.
    async fn make_room(&self, door: &Door) {
        loop {
            if let Ok(permit) = self.room.try_acquire() {
                permit.forget();
                return;
            }
            let oldest: Vec<Door> = held(&self.used).iter().filter(|other| *other != door).cloned().collect();
            let mut closed = false;
            for other in oldest {
                let slot = held(&self.open).get(&other).cloned();
                // One that somebody is about to use stays.
                if let Some(slot) = slot
                    && let Ok(mut open) = slot.try_lock()
                    && let Some(old) = open.take()
                {
                    self.close(old);
                    held(&self.used).retain(|one| *one != other);
                    closed = true;
                    break;
                }
            }
            if !closed {
                tokio::time::sleep(AGAIN).await;
            }
        }
    }

    /// Forwards a port, and connects to it.
    async fn start(&self, door: &Door) -> std::result::Result<(Open, TcpStream), String> {
        let started = self.try_start(door).await;
        if started.is_err() {
            self.room.add_permits(1);
        }
        started
    }

    async fn try_start(&self, door: &Door) -> std::result::Result<(Open, TcpStream), String> {
        let place = held(&self.hosts.0).get(&door.0).cloned();
        let (scope, instance) = place.ok_or_else(|| format!("no instance is known at {}", door.0))?;
        let free = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let local = free.and_then(|free| free.local_addr()).map_err(|why| why.to_string())?.port();
        let session = Session::Forward { instance, port: door.1, local };
        let opened = self.sessions.open(&scope, &session, false).await;
        let opened = opened.map_err(|trouble| trouble.to_string())?;
        let mut command = self.plugin.command(&opened);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C in the terminal is for us alone, and ends them through us.
        let child = command.process_group(0).kill_on_drop(true).spawn();
        let mut child = child.map_err(|why| format!("the plugin cannot be started: {why}"))?;
        held(&self.lives).extend(child.id());
        let connected = tokio::time::timeout(OPENS, async {
            loop {
                if let Ok(core) = TcpStream::connect((Ipv4Addr::LOCALHOST, local)).await {
                    return Some(core);
                }
                if !child.try_wait().is_ok_and(|ended| ended.is_none()) {
                    return None;
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
        match connected.await {
            Ok(Some(core)) => Ok((Open { child, local }, core)),
            Ok(None) => Err("the plugin ended before its port was open".to_owned()),
            Err(_) => Err(format!("the plugin opened no port within {} s", OPENS.as_secs())),
        }
    }
}

/// A reader that tells where instances are.
struct Noting {
    fleet: Arc<dyn FleetReader>,
    hosts: Arc<Hosts>,
}

impl FleetReader for Noting {
    fn regions(
        &self,
        account: &AccountName,
    ) -> BoxFuture<'_, std::result::Result<Vec<Region>, GatewayError>> {
        self.fleet.regions(account)
    }

    fn home_region(&self, account: &AccountName) -> BoxFuture<'_, std::result::Result<Region, GatewayError>> {
        self.fleet.home_region(account)
    }

    fn read(
        &self,
        scope: &Scope,
        ask: Ask,
        urgency: Urgency,
        pages: Option<mpsc::Sender<Reading>>,
    ) -> BoxFuture<'_, std::result::Result<Reading, GatewayError>> {
        let scope = scope.clone();
        async move {
            let read = self.fleet.read(&scope, ask, urgency, pages).await?;
            self.hosts.note(&scope, &read);
            Ok(read)
        }
        .boxed()
    }

    fn remind(&self, scope: &Scope, reading: &Reading) {
        self.hosts.note(scope, reading);
        self.fleet.remind(scope, reading);
    }

    fn spending(&self) -> Spending {
        self.fleet.spending()
    }

    fn calls(&self) -> Vec<Arc<CallRecord>> {
        self.fleet.calls()
    }

    fn buckets(&self) -> Vec<Bucket> {
        self.fleet.buckets()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reaches_its_core_with_its_own_host_and_without_the_password() {
        let head = "GET http://10.0.0.5:3567/hello?x=1 HTTP/1.1\r\nHost: acme.example.com\r\n\
                    Proxy-Authorization: Basic abc\r\nConnection: keep-alive\r\napi-key: k\r\n\r\n";
        let (door, sent) = direct(head, "Basic abc").unwrap();
        assert_eq!(door, ("10.0.0.5".to_owned(), 3567));
        assert_eq!(
            sent,
            "GET /hello?x=1 HTTP/1.1\r\nHost: acme.example.com\r\napi-key: k\r\nConnection: close\r\n\r\n"
        );
        assert!(direct(head, "Basic abd").unwrap_err().starts_with("407"));
        assert!(
            direct("GET / HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n", "x").unwrap_err().starts_with("400")
        );
    }
}
