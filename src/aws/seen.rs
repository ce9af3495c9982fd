//! Pages that were read before, by what their bytes come to: one that comes again is not read again.

use super::trail::Trail;
use crate::model::{Group, Host, InstanceStatus, Registrations, Service, Task};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the bytes of a page come to, and of what they answer. Nobody who answers gains by making two that
/// are alike: it is chosen for its speed.
pub(super) type Key = u128;

/// The pages of the list as it is read now and as it was read before.
#[derive(Debug)]
pub(super) struct Seen<T: Lasting> {
    all: Mutex<Generations<T>>,
    /// The most rows that are remembered.
    most: usize,
}

#[derive(Debug)]
struct Generations<T: Lasting> {
    now: HashMap<Key, Arc<Trail<T>>>,
    before: HashMap<Key, Arc<Trail<T>>>,
    /// Rows in the pages of now.
    rows: usize,
    /// Rows that the last whole list held.
    length: Option<usize>,
    kin: T::Kin,
}

impl<T: Lasting> Generations<T> {
    fn insert(&mut self, key: Key, page: Arc<Trail<T>>) {
        self.rows += page.rows().len();
        if let Some(other) = self.now.insert(key, page) {
            self.rows -= other.rows().len();
        }
    }
}

/// A row that may share its memory with rows that were read before it.
pub(super) trait Lasting: Clone + fmt::Debug + Send + Sync + 'static {
    /// What is known of those.
    type Kin: Default + fmt::Debug + Send;

    /// Takes what it can from them.
    fn join(&mut self, kin: &mut Self::Kin);

    /// The list has been read: forgets what no row needs any more.
    fn leave(kin: &mut Self::Kin);
}

/// Rows that share nothing.
macro_rules! alone {
    ($($row:ty),+ $(,)?) => {$(
        impl Lasting for $row {
            type Kin = ();
            fn join(&mut self, (): &mut ()) {}
            fn leave((): &mut ()) {}
        }
    )+};
}

alone!(InstanceStatus, Group, Service, Task);

impl Lasting for Host {
    type Kin = Registrations;

    fn join(&mut self, kin: &mut Registrations) {
        kin.share(self);
    }

    fn leave(kin: &mut Registrations) {
        kin.prune();
    }
}

impl<T: Lasting> Default for Seen<T> {
    fn default() -> Self {
        Self::of_at_most(usize::MAX)
    }
}

impl<T: Lasting> Seen<T> {
    /// Remembers so many rows at most. Rows that are handed out again are copies, and those of a large fleet
    /// would take more room than reading them anew is worth.
    pub(super) fn of_at_most(most: usize) -> Self {
        let none = Generations {
            now: HashMap::new(),
            before: HashMap::new(),
            rows: 0,
            length: None,
            kin: T::Kin::default(),
        };
        Self { all: Mutex::new(none), most }
    }

    /// The list is about to be read from its beginning: what the reading before this one did not meet is
    /// forgotten.
    pub(super) fn begin(&self) {
        let mut all = self.all();
        all.before = std::mem::take(&mut all.now);
        all.rows = 0;
    }

    /// The list has been read: what it did not bring again is gone.
    pub(super) fn end(&self) {
        let mut all = self.all();
        all.before = HashMap::new();
        T::leave(&mut all.kin);
    }

    /// How many rows the list had when it was last read.
    pub(super) fn length(&self) -> Option<usize> {
        self.all().length
    }

    /// Notes how many rows the list has.
    pub(super) fn measured(&self, length: usize) {
        self.all().length = Some(length);
    }

    /// Does something with what is known of rows that were read before.
    pub(super) fn with_kin<R>(&self, work: impl FnOnce(&mut T::Kin) -> R) -> R {
        work(&mut self.all().kin)
    }

    /// A page that came before, as it was then.
    pub(super) fn peek(&self, key: Key) -> Option<Arc<Trail<T>>> {
        let all = self.all();
        all.now.get(&key).or_else(|| all.before.get(&key)).map(Arc::clone)
    }

    /// A page that came before and came again.
    pub(super) fn find(&self, key: Key) -> Option<Arc<Trail<T>>> {
        let mut all = self.all();
        if let Some(page) = all.now.get(&key) {
            return Some(Arc::clone(page));
        }
        let page = all.before.remove(&key)?;
        all.insert(key, Arc::clone(&page));
        Some(page)
    }

    /// Lets rows that were read share what they can.
    pub(super) fn join(&self, rows: &mut [T]) {
        let mut all = self.all();
        rows.iter_mut().for_each(|row| row.join(&mut all.kin));
    }

    /// Remembers a page of so many rows, where there is something to remember of it.
    pub(super) fn keep(&self, key: Key, rows: usize, page: impl FnOnce() -> Option<Trail<T>>) {
        let mut all = self.all();
        if all.rows.saturating_add(rows) <= self.most
            && let Some(page) = page()
        {
            all.insert(key, Arc::new(page));
        }
    }

    fn all(&self) -> MutexGuard<'_, Generations<T>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
