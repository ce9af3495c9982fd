//! Rows in the order in which they were made, found by id as well.

use compact_str::CompactString;
use std::collections::{BTreeMap, HashMap};

/// A table of one kind of resource. Serial numbers begin at 1 and are never used again, so that a page
/// token survives rows that come and go.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    rows: BTreeMap<u64, T>,
    serials: HashMap<CompactString, u64>,
    next: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), serials: HashMap::new(), next: 1 }
    }
}

impl<T> Table<T> {
    /// Adds a row, or replaces the row of that id in its place.
    pub(crate) fn insert(&mut self, id: impl Into<CompactString>, row: T) -> u64 {
        let next = self.next;
        let serial = *self.serials.entry(id.into()).or_insert(next);
        if serial == next {
            self.next += 1;
        }
        self.rows.insert(serial, row);
        serial
    }

    /// The row of an id.
    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(self.serials.get(id)?)
    }

    /// The row of an id, to change.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(self.serials.get(id)?)
    }

    /// The serial number of an id.
    pub(crate) fn serial(&self, id: &str) -> Option<u64> {
        self.serials.get(id).copied()
    }

    /// Takes a row out.
    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        self.rows.remove(&self.serials.remove(id)?)
    }

    /// Tells whether there is a row of that id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.serials.contains_key(id)
    }

    /// Rows with their serial numbers, from the first after `after` on.
    pub(crate) fn after(&self, after: u64) -> impl Iterator<Item = (u64, &T)> {
        self.rows.range(after + 1..).map(|(serial, row)| (*serial, row))
    }

    /// All rows.
    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// All rows, to change.
    pub(crate) fn rows_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.values_mut()
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}
