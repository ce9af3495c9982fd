//! Reads what cores say of themselves, beside what a cloud says of a fleet.
//!
//! Wraps the reader of the cloud: every ask goes there but the one for the cores' own word. Many cores are visited
//! at once, but a bounded number; what makes a core count its users is asked at most every ten minutes.

use super::Client;
use super::visit::{Counted, visit};
use crate::clock::monotonic;
use crate::gateway::{
    AdminError, Ask, Bucket, CallRecord, Door, FleetReader, GatewayError, HostAt, Reading, Secrets, Spending,
    Urgency, Visit,
};
use crate::model::admin::CoreWord;
use crate::model::{AccountName, CoreId, Region, Scope, Sealed, Text};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc};

/// Cores that are visited at the same time.
const AT_ONCE: usize = 48;
/// How long a key that was read is used before it is read again.
const KEY_KEPT: Duration = Duration::from_secs(900);
/// Words that are shown before all have been heard.
const PAGE: usize = 200;

/// A core in one place.
pub(super) type Where = (Scope, CoreId);

/// Reads a fleet and asks its cores.
pub struct Asking {
    fleet: Arc<dyn FleetReader>,
    secrets: Arc<dyn Secrets>,
    client: Arc<Client>,
    /// Cores that may be visited, of all accounts and regions together.
    turns: Semaphore,
    keys: Mutex<HashMap<(Scope, Text), (Instant, Sealed)>>,
    counted: Mutex<HashMap<Where, Arc<Counted>>>,
}

impl Asking {
    /// A reader of this fleet that asks its cores by this client, with keys from there.
    pub fn new(
        fleet: Arc<dyn FleetReader>,
        secrets: Arc<dyn Secrets>,
        client: impl Into<Arc<Client>>,
    ) -> Self {
        let client = client.into();
        let turns = Semaphore::new(client.most().unwrap_or(Semaphore::MAX_PERMITS));
        Self { fleet, secrets, client, turns, keys: Mutex::default(), counted: Mutex::default() }
    }

    /// The keys of cores by parameter: those that are known, and the others from where they are kept. A key that
    /// cannot be had is missing: its core says so itself.
    async fn keys(&self, scope: &Scope, visits: &[Visit]) -> Result<HashMap<Text, Sealed>, GatewayError> {
        let now = monotonic();
        let mut known = HashMap::new();
        let mut wanted = BTreeSet::new();
        {
            let keys = held(&self.keys);
            for name in visits.iter().filter_map(|visit| visit.key_parameter.as_ref()) {
                match keys.get(&(scope.clone(), name.clone())) {
                    Some((at, key)) if now.saturating_duration_since(*at) < KEY_KEPT => {
                        known.insert(name.clone(), key.clone());
                    }
                    _ => {
                        wanted.insert(name.clone());
                    }
                }
            }
        }
        if !wanted.is_empty() {
            let read = self.secrets.secrets(scope, wanted.into_iter().collect()).await?;
            let mut keys = held(&self.keys);
            for (name, key) in read {
                keys.insert((scope.clone(), name.clone()), (now, key.clone()));
                known.insert(name, key);
            }
        }
        Ok(known)
    }

    /// One core's word.
    async fn heard(&self, scope: &Scope, at: Visit, keys: &HashMap<Text, Sealed>) -> CoreWord {
        // Nobody closes it: without a turn, too, a core may be asked.
        let _turn = self.turns.acquire().await.ok();
        let key = at.key_parameter.as_ref().and_then(|name| keys.get(name)).cloned();
        let lacks_key = at.key_parameter.is_some() && key.is_none();
        let host = HostAt { scope: scope.clone(), instance: at.instance.clone() };
        let door = Door { address: at.address.clone(), host: Some(host), key };
        let place = (scope.clone(), at.core.clone());
        let before = held(&self.counted).get(&place).cloned();
        let (word, counted) = visit(&self.client, &door, &at, before, monotonic()).await;
        if word.faults.contains(&Text::new(AdminError::WrongKey.to_string()))
            && let Some(name) = at.key_parameter
        {
            // Somebody may have rotated it.
            held(&self.keys).remove(&(scope.clone(), name));
        }
        held(&self.counted).insert(place, counted);
        if lacks_key && word.sign.is_answer() { word.without_key() } else { word }
    }

    async fn visit_all(
        &self,
        scope: &Scope,
        visits: Vec<Visit>,
        pages: Option<mpsc::Sender<Reading>>,
    ) -> Result<Reading, GatewayError> {
        if !visits.is_empty() {
            self.client.ready().await?;
        }
        let keys = &self.keys(scope, &visits).await?;
        // A way to a core takes its time: what each says shows at once.
        let page = if self.client.most().is_some() { 1 } else { PAGE };
        let asked: Vec<BoxFuture<'_, CoreWord>> =
            visits.into_iter().map(|at| self.heard(scope, at, keys).boxed()).collect();
        let mut words = futures::stream::iter(asked).buffer_unordered(AT_ONCE);
        let mut all: Vec<Arc<CoreWord>> = Vec::new();
        while let Some(word) = words.next().await {
            all.push(Arc::new(word));
            if all.len().is_multiple_of(page)
                && let Some(pages) = &pages
            {
                // A full channel means that the screen is behind: the next page holds this one too.
                drop(pages.try_send(Reading::Admin(all.clone())));
            }
        }
        all.sort_by(|a, b| a.core.cmp(&b.core));
        Ok(Reading::Admin(all))
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whole entries are written: one that a panic left behind is as good as any.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FleetReader for Asking {
    fn regions(&self, account: &AccountName) -> BoxFuture<'_, Result<Vec<Region>, GatewayError>> {
        self.fleet.regions(account)
    }

    fn home_region(&self, account: &AccountName) -> BoxFuture<'_, Result<Region, GatewayError>> {
        self.fleet.home_region(account)
    }

    fn read(
        &self,
        scope: &Scope,
        ask: Ask,
        urgency: Urgency,
        pages: Option<mpsc::Sender<Reading>>,
    ) -> BoxFuture<'_, Result<Reading, GatewayError>> {
        match ask {
            Ask::Admin(visits) => {
                let scope = scope.clone();
                Box::pin(async move { self.visit_all(&scope, visits, pages).await })
            }
            other => self.fleet.read(scope, other, urgency, pages),
        }
    }

    fn remind(&self, scope: &Scope, reading: &Reading) {
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
