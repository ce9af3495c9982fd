//! What pretended cores remember: their base databases, each process's view of one, and what the databases hold.
//!
//! A base database is shared by the replicas of a core. Only the process that changes it knows so at once; the others
//! look once a minute, or when they are asked for a list.

use super::Key;
use super::pool::Pool;
use crate::sim::time::Moment;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Connection URI domain, app, tenant.
pub(super) type Triple = (String, String, String);

/// Settings by name.
pub(super) type Settings = Map<String, Value>;

/// How often a process looks into its base database, in seconds.
const LOOKS: i64 = 60;

/// What the base database holds of a tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) settings: Settings,
    pub(super) first: Option<Vec<String>>,
    pub(super) second: Option<Vec<String>>,
    pub(super) providers: Vec<Value>,
}

/// The base database of a core, and the configuration that its processes start with.
#[derive(Clone, Debug, Default)]
pub(super) struct Base {
    pub(super) rows: BTreeMap<Triple, Row>,
    /// Counts up with every change of the rows.
    pub(super) version: u64,
    pub(super) settings: Settings,
    pub(super) licence: Option<String>,
    /// Nothing is kept anywhere: the core was started without a database.
    pub(super) is_in_memory: bool,
}

/// What a core process keeps in its memory.
#[derive(Debug, Default)]
pub(super) struct Process {
    pub(super) started: Moment,
    /// Its database is cut off, all of them.
    pub(super) is_cut_off: bool,
    /// The rows as it knows them, and which version that is.
    pub(super) known: BTreeMap<Triple, Row>,
    version: Option<u64>,
    looked: Moment,
    /// Tokens of /hello that are left for an app, and since when.
    pub(super) hello: HashMap<String, (f64, Moment)>,
    /// Requests by minute and app.
    pub(super) asked: BTreeMap<(i64, String), u32>,
    /// When its server threads that wait for a database are free again.
    pub(super) waiting: Vec<Moment>,
    /// Tenants whose pool of connections could not be opened.
    pub(super) without_pool: BTreeSet<Triple>,
}

/// What stands in databases, by host and by name.
#[derive(Debug, Default)]
pub(super) struct Databases {
    /// Databases with customers in them, and since when.
    pub(super) full: HashMap<String, Moment>,
    /// Apps whose rows were deleted, by database.
    pub(super) wiped: BTreeSet<(String, String)>,
    /// Hosts that are down.
    pub(super) down: BTreeSet<String>,
    /// Connections that a host takes at most.
    pub(super) limits: HashMap<String, u32>,
    /// Open pools by process and pool: host, connections.
    pub(super) open: HashMap<(Key, String), (String, u32)>,
}

/// Everything that pretended cores remember.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) bases: HashMap<String, Base>,
    pub(super) processes: HashMap<Key, Process>,
    pub(super) databases: Databases,
}

impl Base {
    /// The settings that hold for a tenant: its own, its app's, its domain's, the base's.
    pub(super) fn resolved(&self, known: &BTreeMap<Triple, Row>, of: &Triple) -> Settings {
        let public = || "public".to_owned();
        let above = [(of.0.clone(), public(), public()), (of.0.clone(), of.1.clone(), public()), of.clone()];
        let mut all = self.settings.clone();
        for row in above.iter().filter_map(|triple| known.get(triple)) {
            // A domain that names its database by one address overrides the parts it would inherit.
            all.extend(row.settings.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        all
    }
}

impl Process {
    /// A process that has just started, or the one that runs since then.
    pub(super) fn running_since(&mut self, started: Moment) -> bool {
        let is_new = self.started != started || self.version.is_none();
        if is_new {
            *self = Self { started, looked: started, is_cut_off: self.is_cut_off, ..Self::default() };
        }
        is_new
    }

    /// Looks into the base database when its minute has come.
    pub(super) fn look(&mut self, key: &Key, base: &Base, databases: &mut Databases, now: Moment) {
        let ticks = |at: Moment| at.since(self.started).div_euclid(LOOKS);
        if self.version.is_none() || ticks(now) > ticks(self.looked) {
            self.look_now(key, base, databases, now);
        }
    }

    /// Looks into the base database: what is new gets a pool. Where one cannot be opened the look ends, and nobody
    /// tries again before something changes.
    pub(super) fn look_now(&mut self, key: &Key, base: &Base, databases: &mut Databases, now: Moment) {
        self.looked = now;
        if self.version == Some(base.version) {
            return;
        }
        self.version = Some(base.version);
        self.known = base.rows.clone();
        self.without_pool.clear();
        let mut wanted = BTreeMap::new();
        for triple in self.known.keys() {
            wanted.insert(triple.clone(), Pool::of(&base.resolved(&self.known, triple)));
        }
        let used: BTreeSet<String> = wanted.values().map(Pool::id).collect();
        databases.open.retain(|(of, pool), _| of != key || used.contains(pool));
        let mut is_full = false;
        for (triple, pool) in wanted {
            let id = (key.clone(), pool.id());
            if databases.open.contains_key(&id) {
                continue;
            }
            is_full = is_full || !databases.has_room(&pool);
            if is_full {
                self.without_pool.insert(triple);
            } else {
                databases.open.insert(id, (pool.server(), pool.size));
            }
        }
    }
}

impl Databases {
    /// Whether a pool's connections fit into what its host takes.
    fn has_room(&self, pool: &Pool) -> bool {
        let server = pool.server();
        let Some(limit) = self.limits.get(&server) else { return true };
        let used: u32 = self.open.values().filter(|(host, _)| *host == server).map(|(_, size)| size).sum();
        used + pool.size <= *limit
    }

    /// Whether a pool's host answers.
    pub(super) fn is_up(&self, pool: &Pool) -> bool {
        pool.exists() && !self.down.contains(&pool.server())
    }

    /// Deletes all that a database has of an app.
    pub(super) fn wipe(&mut self, pool: &Pool, app: &str) {
        self.wiped.insert((pool.database(), app.to_owned()));
    }

    /// Whether a database has an app's customers in it, and since when.
    pub(super) fn since(&self, pool: &Pool, app: &str) -> Option<Moment> {
        let database = pool.database();
        let is_wiped = self.wiped.contains(&(database.clone(), app.to_owned()));
        self.full.get(&database).copied().filter(|_| !is_wiped)
    }
}
