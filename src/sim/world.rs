//! The pretend world: accounts, each with its places, and one clock for all of them.

pub(crate) mod balancing;
pub(crate) mod breaker;
pub(crate) mod commands;
pub(crate) mod containers;
pub(crate) mod corelog;
pub(crate) mod crowd;
pub(crate) mod docker;
pub(crate) mod expression;
pub(crate) mod gauges;
pub(crate) mod geography;
pub(crate) mod hosted;
pub(crate) mod keeping;
pub(crate) mod life;
pub(crate) mod load;
pub(crate) mod machine;
pub(crate) mod neighbours;
pub(crate) mod past;
pub(crate) mod place;
pub(crate) mod placing;
pub(crate) mod published;
pub(crate) mod scaling;
pub(crate) mod schedule;
pub(crate) mod shell;
pub(crate) mod table;
pub(crate) mod tokens;
pub(crate) mod veils;

use self::hosted::HostedZone;
use self::place::Place;
use super::channel::Channels;
use super::faults::Denials;
use super::time::WorldClock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Whom a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: Arc<str>,
    pub(crate) arn: Arc<str>,
    pub(crate) user_id: Arc<str>,
}

/// An account of the pretend world.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: Arc<str>,
    pub(crate) key: Arc<str>,
}

/// Places by account and region.
type Places = HashMap<(Arc<str>, &'static str), Arc<RwLock<Place>>>;

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) clock: WorldClock,
    pub(crate) accounts: Vec<Account>,
    pub(crate) past: past::Past,
    pub(crate) denials: Denials,
    places: Mutex<Places>,
    /// Hosted zones by account.
    hosted: Mutex<HashMap<Arc<str>, Vec<HostedZone>>>,
    sessions: Mutex<HashMap<String, Caller>>,
    /// Sessions of Systems Manager.
    pub(crate) channels: Channels,
}

impl World {
    /// A world without places.
    pub(crate) fn new(seed: u64, clock: WorldClock, accounts: Vec<Account>, past: past::Past) -> Self {
        let denials = Denials::default();
        Self {
            seed,
            clock,
            accounts,
            past,
            denials,
            places: Mutex::default(),
            hosted: Mutex::default(),
            sessions: Mutex::default(),
            channels: Channels::default(),
        }
    }

    /// The place of an account in a region; an account that has nothing there has an empty one.
    pub(crate) fn place(&self, account: &Arc<str>, region: &'static str) -> Arc<RwLock<Place>> {
        let mut places = held(&self.places);
        let place = places
            .entry((Arc::clone(account), region))
            .or_insert_with(|| Arc::new(RwLock::new(Place::empty(self.seed, account, region))));
        Arc::clone(place)
    }

    /// Puts a place into the world.
    pub(crate) fn settle(&self, mut place: Place) {
        let mut hosted = held(&self.hosted);
        let zones = hosted.entry(Arc::clone(&place.account)).or_default();
        for zone in std::mem::take(&mut place.hosted) {
            let is_same =
                |known: &&mut HostedZone| known.name == zone.name && known.is_private == zone.is_private;
            match zones.iter_mut().find(is_same) {
                Some(known) => {
                    let more = zone.records.into_iter().filter(|record| !matches!(record.kind, "NS" | "SOA"));
                    more.for_each(|record| known.add(record));
                }
                None => zones.push(zone),
            }
        }
        drop(hosted);
        let key = (Arc::clone(&place.account), place.region);
        self.past.keep(&place, place.now);
        held(&self.places).insert(key, Arc::new(RwLock::new(place)));
    }

    /// The hosted zones of an account.
    pub(crate) fn hosted(&self, account: &Arc<str>) -> Vec<HostedZone> {
        held(&self.hosted).get(account).cloned().unwrap_or_default()
    }

    /// Every place that there is by now.
    pub(crate) fn settled(&self) -> Vec<Arc<RwLock<Place>>> {
        held(&self.places).values().cloned().collect()
    }

    /// Whom an access key belongs to: a role session, the user of an account, or for a key that nobody
    /// made the user of the first account.
    pub(crate) fn caller(&self, key: &str) -> Option<Caller> {
        if let Some(caller) = held(&self.sessions).get(key) {
            return Some(caller.clone());
        }
        let account = self.accounts.iter().find(|account| account.key.as_ref() == key);
        let account = account.or_else(|| self.accounts.first())?;
        Some(Caller {
            account: Arc::clone(&account.id),
            arn: format!("arn:aws:iam::{}:user/oncall", account.id).into(),
            user_id: "AIDACOREDECKONCALL001".into(),
        })
    }

    /// Remembers the session that a key was made for.
    pub(crate) fn remember(&self, key: String, caller: Caller) {
        held(&self.sessions).insert(key, caller);
    }
}

/// Takes a lock. Whoever panicked while holding it has been answered as an internal failure already;
/// the data is whole between statements, so the rest of the world goes on.
pub(crate) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
