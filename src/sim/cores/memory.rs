//! What pretended cores remember: their base databases, each process's view of one, and what the databases hold.
//!
//! A base database is shared by the replicas of a core. Only the process that changes it knows so at once; the others
//! look once a minute, or when they are asked for a list.

use super::Key;
use super::pool::Pool;
use crate::sim::time::Moment;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// Connection URI domain, app, tenant.
pub(super) type Triple = (String, String, String);

/// Settings by name.
pub(super) type Settings = Map<String, Value>;

/// How often a process that starts tries to reach its base database, in seconds.
const TRIES: i64 = 10;
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

/// The base database of a core, which all its replicas share.
#[derive(Clone, Debug, Default)]
pub(super) struct Base {
    pub(super) rows: BTreeMap<Triple, Row>,
    /// Counts up with every change of the rows.
    pub(super) version: u64,
    /// Licence keys by app; the base's decides about domains, apps and tenants.
    pub(super) licences: BTreeMap<String, String>,
    /// Paid features that a licence of this core switches on.
    pub(super) features: Vec<String>,
    /// The part of the program that knows of paid features is not there.
    pub(super) lacks_ee: bool,
    /// Nothing is kept anywhere: the core was started without a database.
    pub(super) is_in_memory: bool,
}

/// What a core process keeps in its memory.
#[derive(Debug, Default)]
pub(super) struct Process {
    pub(super) started: Moment,
    /// What it was started with: its file, or its environment.
    pub(super) config: Settings,
    /// It is cut off from its databases, all of them, or was.
    pub(super) cut_off: Option<Outage>,
    /// The rows as it knows them, and which version that is.
    pub(super) known: BTreeMap<Triple, Row>,
    version: Option<u64>,
    looked: Moment,
    /// Tokens of /hello that are left for an app, and when it last took one.
    pub(super) hello: HashMap<String, (i64, Moment)>,
    /// Requests by minute and app.
    pub(super) asked: BTreeMap<(i64, String), u32>,
    /// When its server threads that wait for a database are free again.
    pub(super) waiting: Vec<Moment>,
    /// Its port is open: it had its base database when it started.
    pub(super) is_open: bool,
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
    /// Hosts that are down, or were, by name.
    pub(super) outages: HashMap<String, Outage>,
    /// Hosts where each question waits for a lock so long.
    pub(super) locked: HashMap<String, Duration>,
    /// Users that wait to be imported: when they came, and how many, by database and app.
    pub(super) imports: BTreeMap<(String, String), Vec<(Moment, u64)>>,
    /// Connections that a host takes at most.
    pub(super) limits: HashMap<String, u32>,
    /// Open pools by process and pool: host, connections.
    pub(super) open: HashMap<(Key, String), (String, u32)>,
}

/// When something was away from its clients: from when on, and until when if it is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outage {
    pub(super) from: Moment,
    pub(super) until: Option<Moment>,
}

impl Outage {
    /// Begins, goes on, or ends one.
    pub(super) fn turned(before: Option<Self>, is_away: bool, now: Moment) -> Option<Self> {
        match (before, is_away) {
            (Some(Self { from, until: None }), false) => Some(Self { from, until: Some(now) }),
            (Some(going @ Self { until: None, .. }), true) => Some(going),
            (_, true) => Some(Self { from: now, until: None }),
            (before, false) => before,
        }
    }

    pub(super) fn is_on(&self, at: Moment) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

/// Everything that pretended cores remember.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) bases: HashMap<String, Base>,
    pub(super) processes: HashMap<Key, Process>,
    pub(super) databases: Databases,
    /// Which base each process has: replicas that were found behind one target group share one.
    pub(super) base_of: HashMap<Key, String>,
}

impl Process {
    /// The settings that hold for a tenant as this process knows it.
    pub(super) fn resolved(&self, of: &Triple) -> Settings {
        self.resolved_among(&self.known, of)
    }

    /// The settings that hold for a tenant among these rows: its own, its app's, its domain's, and what the process
    /// started with.
    pub(super) fn resolved_among(&self, rows: &BTreeMap<Triple, Row>, of: &Triple) -> Settings {
        let public = || "public".to_owned();
        let above = [(of.0.clone(), public(), public()), (of.0.clone(), of.1.clone(), public()), of.clone()];
        let mut all = self.config.clone();
        for row in above.iter().filter_map(|triple| rows.get(triple)) {
            // A domain that names its database by one address overrides the parts it would inherit.
            all.extend(row.settings.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        all
    }

    /// A text of what it started with.
    pub(super) fn told(&self, key: &str) -> Option<&str> {
        self.config.get(key).and_then(Value::as_str)
    }

    /// A process that has just started, or the one that runs since then.
    pub(super) fn running_since(&mut self, started: Moment) -> bool {
        let is_new = self.started != started || self.version.is_none();
        if is_new {
            *self = Self { started, looked: started, cut_off: self.cut_off, ..Self::default() };
        }
        is_new
    }

    /// Tells whether it is cut off from its databases.
    pub(super) fn is_cut_off(&self, now: Moment) -> bool {
        self.cut_off.is_some_and(|outage| outage.is_on(now))
    }

    /// Opens its port when it has booted. Without its base database it does not: it tries again every ten seconds.
    pub(super) fn opens(&mut self, boot: i64, base: Option<Outage>, now: Moment) -> bool {
        let mut from = self.started;
        for outage in [self.cut_off, base].into_iter().flatten() {
            if !self.is_open && outage.is_on(self.started) {
                let Some(until) = outage.until else { return false };
                let tries = (until.0 - self.started.0).max(0).div_euclid(TRIES * 1000) + 1;
                from = from.max(self.started.plus(tries * TRIES));
            }
        }
        self.is_open = self.is_open || now >= from.plus(boot);
        self.is_open
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
            wanted.insert(triple.clone(), Pool::of(&self.resolved(triple)));
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
    pub(super) fn is_up(&self, pool: &Pool, now: Moment) -> bool {
        pool.exists() && !self.outages.get(&pool.server()).is_some_and(|outage| outage.is_on(now))
    }

    /// How long a question waits for a lock there.
    pub(super) fn lock(&self, pool: &Pool) -> Duration {
        self.locked.get(&pool.server()).copied().unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_without_its_base_database_opens_ten_seconds_by_ten_seconds_after_it_is_back() {
        let at = |seconds: i64| Moment(seconds * 1000);
        let process = || Process { started: at(100), ..Process::default() };
        let away = |from, until: Option<i64>| Some(Outage { from: at(from), until: until.map(at) });
        assert!(!process().opens(7, None, at(106)) && process().opens(7, None, at(107)));
        assert!(!process().opens(7, away(50, None), at(3600)), "it tries for an hour");
        assert!(!process().opens(7, away(50, Some(123)), at(136)));
        assert!(process().opens(7, away(50, Some(123)), at(137)), "the third time it is there");
        let mut open = process();
        assert!(open.opens(7, None, at(200)) && open.opens(7, away(201, None), at(300)), "it stays open");
    }

    #[test]
    fn an_outage_begins_goes_on_and_ends() {
        let begun = Outage::turned(None, true, Moment(5));
        assert_eq!(Outage::turned(begun, true, Moment(9)), begun);
        let over = Outage::turned(begun, false, Moment(20)).unwrap();
        assert!(over.is_on(Moment(19)) && !over.is_on(Moment(20)));
        assert_eq!(Outage::turned(None, false, Moment(1)), None);
        assert_eq!(
            Outage::turned(Some(over), true, Moment(30)),
            Some(Outage { from: Moment(30), until: None })
        );
    }
}
