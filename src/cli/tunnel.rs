//! The way to cores that cannot be reached from here: for each host that is asked, a port of this machine that Systems
//! Manager forwards.
//!
//! Ports are opened when a core is first asked, are a bounded number, make room for others when nothing goes through
//! them, are opened again when they break, are closed when nobody asks for them, and end with this process. The plugin that carries one listens on 127.0.0.1
//! without a password, so whoever is on this machine can speak to a core through it as if he stood beside that core, and
//! needs its key like anybody there. The other way about: before a key is sent, it is looked whether the plugin that we
//! started lives and is the one that listens, so that nobody who took the port before gets it. Only Linux shows who
//! listens; elsewhere that it lives must do, for it ends where it cannot have its port.

mod guard;
mod listener;
mod port;

pub(super) use self::guard::{Guard, Signals};
use self::port::Port;
use super::shell::Plugin;
use crate::clock::Clock;
use crate::gateway::{HostAt, Lead, Session, Sessions, Ways};
use crate::model::{Scope, Text, Trouble, TroubleKind};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Mutex as Turn, Notify, OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Ports that are forwarded at once at most.
pub(super) const MOST: usize = 24;
/// A port that nobody asked for so long is closed: longer than from one question to the next of whoever looks at many.
const RESTS: Duration = Duration::from_secs(420);
/// How long sessions whose plugin has ended may take to end, before it is looked whether they did.
const SETTLES: Duration = Duration::from_secs(5);
/// So many are looked after at once without waiting.
const CHECKED: usize = 8;
/// Sessions that are being asked for at once: whoever ends waits for their answers, to end them too.
const OPENING: usize = 4;
/// How long a session may take until its port takes connections.
const OPENS: Duration = Duration::from_secs(20);
/// From one look whether it does to the next.
const AGAIN: Duration = Duration::from_millis(100);
/// How often an end that AWS throttles is tried.
const TRIES: usize = 5;
/// How long the end of all of them may take when we end.
const ENDS: Duration = Duration::from_secs(8);

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whole entries are written: one that a panic left behind is as good as any.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A core's door: its host, and the port there.
type Door = (HostAt, u16);

/// Where the port of a door is, or will be.
#[derive(Default)]
struct Slot {
    open: Turn<Option<Arc<Port>>>,
    /// When it was last asked for, as a number that grows.
    used: AtomicU64,
}

/// All forwarded ports.
pub(super) struct Ports {
    sessions: Arc<dyn Sessions>,
    clock: Clock,
    plugin: OnceCell<Plugin>,
    slots: Mutex<HashMap<Door, Arc<Slot>>>,
    asked: AtomicU64,
    /// Sessions so far.
    opened: AtomicU64,
    /// Sessions that are being opened, are open, or are being ended.
    room: Arc<Semaphore>,
    /// Sessions that are asked for.
    opening: Semaphore,
    /// Rings when nothing goes through a port any more.
    idle: Arc<Notify>,
    /// Sessions on their way to their end.
    ends: Mutex<JoinSet<()>>,
    /// Sessions whose plugin has ended, and said nothing that can be relied on.
    left: Mutex<Vec<(Scope, Text)>>,
    over: CancellationToken,
    /// Whoever closes all.
    closing: Turn<()>,
    /// How long a port stays that nobody asks for.
    rests: Duration,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

/// Ends all ports when it is dropped.
pub(super) struct Tunnels(Arc<Ports>);

impl Tunnels {
    /// Nothing is opened yet, and nothing looked for.
    pub(super) fn new(sessions: Arc<dyn Sessions>, clock: Clock) -> Self {
        Self::of(sessions, clock, MOST, RESTS)
    }

    /// The same with so many at once at most, each for so long.
    fn of(sessions: Arc<dyn Sessions>, clock: Clock, most: usize, rests: Duration) -> Self {
        Self(Arc::new(Ports {
            sessions,
            clock,
            plugin: OnceCell::new(),
            slots: Mutex::default(),
            asked: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            room: Arc::new(Semaphore::new(most)),
            opening: Semaphore::new(OPENING),
            idle: Arc::default(),
            ends: Mutex::default(),
            left: Mutex::default(),
            over: CancellationToken::new(),
            closing: Turn::default(),
            rests,
        }))
    }

    /// Sessions that were opened so far.
    pub(super) fn opened(&self) -> usize {
        usize::try_from(self.0.opened.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    /// The ways through them.
    pub(super) fn ways(&self) -> Arc<dyn Ways> {
        Arc::new(Through(Arc::clone(&self.0)))
    }
}

impl Drop for Tunnels {
    fn drop(&mut self) {
        self.0.over.cancel();
        let Ok(runtime) = Handle::try_current() else { return };
        // With a single thread nobody could wait for the plugins: they are killed with the runtime, and Systems Manager
        // ends their sessions when it misses them.
        if runtime.runtime_flavor() == RuntimeFlavor::MultiThread {
            tokio::task::block_in_place(|| runtime.block_on(self.0.close_all()));
        }
    }
}

/// Something goes through a port.
struct InUse {
    port: Option<Arc<Port>>,
    idle: Arc<Notify>,
}

impl Drop for InUse {
    fn drop(&mut self) {
        // First, so that whoever is woken finds it so.
        drop(self.port.take());
        self.idle.notify_waiters();
    }
}

/// Ways through forwarded ports.
#[derive(Debug)]
struct Through(Arc<Ports>);

impl Ways for Through {
    fn most(&self) -> usize {
        MOST
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Trouble>> {
        async move { self.0.plugin().await.map(|_| ()) }.boxed()
    }

    fn lead<'a>(&'a self, to: &'a HostAt, port: u16) -> BoxFuture<'a, Result<Lead, String>> {
        let (ports, door) = (Arc::clone(&self.0), (to.clone(), port));
        async move {
            // By itself, so that a session whose opener stops waiting is not lost half open.
            let led = tokio::spawn(async move { ports.reach(door).await });
            let (port, idle) = led.await.map_err(|why| why.to_string())??;
            Ok(Lead::new(port.local, InUse { port: Some(port), idle }))
        }
        .boxed()
    }
}

impl Ports {
    /// The plugin of this machine, which is looked for until it is found.
    async fn plugin(&self) -> Result<Plugin, Trouble> {
        let found = self.plugin.get_or_try_init(Plugin::find).await;
        found.copied().map_err(|error| Trouble {
            kind: TroubleKind::Other,
            call: Text::new("ssm:StartSession"),
            code: None,
            message: error.to_string(),
            hint: error.hints.into_iter().next(),
            request_id: None,
            at: self.clock.now(),
        })
    }

    /// The port of a door: the one that is open, or a new one.
    async fn reach(self: Arc<Self>, door: Door) -> Result<(Arc<Port>, Arc<Notify>), String> {
        let slot = Arc::clone(held(&self.slots).entry(door.clone()).or_default());
        slot.used.store(self.asked.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        let mut open = slot.open.lock().await;
        if let Some(known) = &*open
            && known.stands()
        {
            return Ok((Arc::clone(known), Arc::clone(&self.idle)));
        }
        if let Some(broken) = open.take() {
            self.close(broken);
        }
        let room = self.room().await?;
        let new = self.start(&door, room).await?;
        *open = Some(Arc::clone(&new));
        self.attend(Arc::clone(&slot), &new);
        Ok((new, Arc::clone(&self.idle)))
    }

    /// Room for one more: where there is none, that of the port that was not asked for longest and is not in use.
    async fn room(self: &Arc<Self>) -> Result<OwnedSemaphorePermit, String> {
        loop {
            let idle = self.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.room.available_permits() == 0 {
                self.evict();
            }
            tokio::select! {
                biased;
                () = self.over.cancelled() => return Err(ENDING.to_owned()),
                room = Arc::clone(&self.room).acquire_owned() => return room.map_err(|why| why.to_string()),
                () = idle => {}
            }
        }
    }

    /// Closes one port through which nothing goes, where there is one.
    fn evict(self: &Arc<Self>) {
        let mut all: Vec<Arc<Slot>> = held(&self.slots).values().cloned().collect();
        all.sort_by_key(|slot| slot.used.load(Ordering::Relaxed));
        for slot in all {
            // Ways are given away under this lock alone: what nobody else holds now, nobody uses.
            if let Ok(mut open) = slot.open.try_lock()
                && open.as_ref().is_some_and(|port| Arc::strong_count(port) == 1)
                && let Some(port) = open.take()
            {
                self.close(port);
                return;
            }
        }
    }

    /// Opens a session, and waits until its port takes connections.
    async fn start(
        self: &Arc<Self>,
        (host, remote): &Door,
        room: OwnedSemaphorePermit,
    ) -> Result<Arc<Port>, String> {
        let plugin = self.plugin().await.map_err(|trouble| trouble.message)?;
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
        let local = free.map_err(|why| format!("no port of this machine is free: {why}"))?.port();
        let session = Session::Forward { instance: host.instance.clone(), port: *remote, local };
        let opening = tokio::select! {
            biased;
            () = self.over.cancelled() => return Err(ENDING.to_owned()),
            opening = self.opening.acquire() => opening.map_err(|why| why.to_string())?,
        };
        let opened = self.sessions.open(&host.scope, &session, false).await;
        drop(opening);
        let opened = opened.map_err(|trouble| trouble.to_string())?;
        self.opened.fetch_add(1, Ordering::Relaxed);
        if self.over.is_cancelled() {
            // Nobody would wait for its plugin.
            self.end(&host.scope, &opened.id).await;
            return Err(ENDING.to_owned());
        }
        let started = Port::start(plugin, &opened, host.scope.clone(), local, room);
        let port = match started {
            Ok(port) => Arc::new(port),
            Err(why) => {
                // It ends by itself, too; what is to be told is why nobody carries it.
                let _ = self.sessions.end(&host.scope, &opened.id).await;
                return Err(format!("the plugin cannot be started: {why}"));
            }
        };
        let takes = tokio::select! {
            () = self.over.cancelled() => Err(ENDING.to_owned()),
            takes = tokio::time::timeout(OPENS, port.takes_connections()) => {
                takes.unwrap_or_else(|_| Err(format!("the plugin opened no port within {} s", OPENS.as_secs())))
            }
        };
        match takes {
            Ok(()) => Ok(port),
            Err(why) => {
                self.close(port);
                Err(why)
            }
        }
    }

    /// Closes a port when nobody has asked for it for long: its core may have moved, or nobody looks at it any more.
    fn attend(self: &Arc<Self>, slot: Arc<Slot>, port: &Arc<Port>) {
        let (ports, over, rests, mine) =
            (Arc::downgrade(self), self.over.clone(), self.rests, port.session());
        tokio::spawn(async move {
            loop {
                let before = slot.used.load(Ordering::Relaxed);
                tokio::select! { () = over.cancelled() => return, () = tokio::time::sleep(rests) => {} }
                let Some(ports) = ports.upgrade() else { return };
                // Whoever has the lock asks for it.
                let Ok(mut open) = slot.open.try_lock() else { continue };
                let Some(port) = open.as_ref().filter(|port| port.session() == mine) else { return };
                if slot.used.load(Ordering::Relaxed) != before || Arc::strong_count(port) > 1 {
                    continue;
                }
                if let Some(port) = open.take() {
                    ports.close(port);
                }
                return;
            }
        });
    }

    /// Ends a session, beside whatever else is done.
    fn close(self: &Arc<Self>, port: Arc<Port>) {
        let ports = Arc::clone(self);
        let mut ends = held(&self.ends);
        while ends.try_join_next().is_some() {}
        ends.spawn(async move {
            let (scope, id) = port.session();
            let has_ended = port.stop().await;
            drop(port);
            if !has_ended {
                ports.end(&scope, &id).await;
                return;
            }
            // A plugin that ends well may leave its session open all the same.
            let count = {
                let mut left = held(&ports.left);
                left.push((scope, id));
                left.len()
            };
            if count < CHECKED {
                tokio::select! {
                    // Whoever closes all looks after them.
                    () = ports.over.cancelled() => return,
                    () = tokio::time::sleep(SETTLES) => {}
                }
            }
            ports.see_to_ends().await;
        });
    }

    /// Ends those of the sessions whose plugins have ended of which AWS does not say that they did: one call tells of
    /// all, and ends are taken one or two in a second.
    async fn see_to_ends(&self) {
        let mut left: BTreeMap<Scope, Vec<Text>> = BTreeMap::new();
        for (scope, id) in std::mem::take(&mut *held(&self.left)) {
            left.entry(scope).or_default().push(id);
        }
        for (scope, mut ids) in left {
            // Where nobody may know, all are ended.
            if let Ok(live) = self.sessions.live(&scope).await {
                ids.retain(|id| live.contains(id));
            }
            futures::future::join_all(ids.iter().map(|id| self.end(&scope, id))).await;
        }
    }

    async fn end(&self, scope: &Scope, id: &Text) {
        for _ in 0..TRIES {
            match self.sessions.end(scope, id).await {
                Err(trouble) if trouble.kind == TroubleKind::Throttled => {
                    tokio::time::sleep(AGAIN * 10).await;
                }
                Err(trouble) => {
                    return tracing::debug!(%trouble, "a session ends by itself some minutes later");
                }
                Ok(()) => return,
            }
        }
    }

    /// Ends all sessions, also those that something goes through. One that AWS is slow to open holds up no other.
    async fn close_all(self: &Arc<Self>) {
        let all = async {
            // Whoever comes second waits until the first has ended them.
            let _mine = self.closing.lock().await;
            let slots: Vec<Arc<Slot>> = held(&self.slots).values().cloned().collect();
            let taken = slots.into_iter().map(|slot| async move {
                if let Ok(mut open) = tokio::time::timeout(ENDS / 2, slot.open.lock()).await
                    && let Some(port) = open.take()
                {
                    self.close(port);
                }
            });
            futures::future::join_all(taken).await;
            let ends = std::mem::take(&mut *held(&self.ends));
            ends.join_all().await;
            self.see_to_ends().await;
        };
        if tokio::time::timeout(ENDS, all).await.is_err() {
            tracing::warn!(
                "not all sessions with hosts ended in time; Systems Manager ends them when it misses us"
            );
        }
    }
}

/// Why no more ports are opened.
const ENDING: &str = "coredeck is about to end";

#[cfg(test)]
mod tests;
