//! Marked rows, kind by kind: they stay marked when rows are read again, move or are filtered away.

use super::rowname;
use super::state::RowKey;
use crate::fleet::Fleet;
use crate::query::{Ctx, Kind};
use std::collections::{BTreeMap, HashSet};

/// Every marked row.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    of: BTreeMap<Kind, HashSet<RowKey>>,
    /// The row that was marked last: where a range begins.
    last: Option<(Kind, RowKey)>,
    /// Marked rows that are not there any more.
    gone: BTreeMap<Kind, usize>,
}

impl Marks {
    /// How many rows of a kind are marked.
    pub(super) fn count(&self, kind: Kind) -> usize {
        self.of.get(&kind).map_or(0, HashSet::len)
    }

    /// How many of them are not there any more.
    pub(super) fn gone(&self, kind: Kind) -> usize {
        self.gone.get(&kind).copied().unwrap_or(0)
    }

    /// Tells whether a row is marked.
    pub(super) fn has(&self, kind: Kind, key: &RowKey) -> bool {
        self.of.get(&kind).is_some_and(|marked| marked.contains(key))
    }

    /// Marks a row, or takes its mark away.
    pub(super) fn toggle(&mut self, kind: Kind, key: RowKey) {
        let marked = self.of.entry(kind).or_default();
        if !marked.remove(&key) {
            marked.insert(key.clone());
        }
        self.last = Some((kind, key));
    }

    /// Marks rows; returns how many were not marked before.
    pub(super) fn add(&mut self, kind: Kind, keys: impl IntoIterator<Item = RowKey>) -> usize {
        let marked = self.of.entry(kind).or_default();
        let before = marked.len();
        marked.extend(keys);
        marked.len() - before
    }

    /// Turns the marks of rows round.
    pub(super) fn invert(&mut self, kind: Kind, keys: impl IntoIterator<Item = RowKey>) {
        for key in keys {
            let marked = self.of.entry(kind).or_default();
            if !marked.remove(&key) {
                marked.insert(key);
            }
        }
    }

    /// Takes all marks of a kind away; returns how many there were.
    pub(super) fn clear(&mut self, kind: Kind) -> usize {
        self.gone.remove(&kind);
        self.last = None;
        self.of.remove(&kind).map_or(0, |marked| marked.len())
    }

    /// The rows of a kind that are marked, as they stand in a fleet.
    pub(super) fn rows(&self, kind: Kind, fleet: &Fleet) -> Vec<usize> {
        let Some(marked) = self.of.get(&kind) else { return Vec::new() };
        let ctx = Ctx { fleet, now: fleet.at };
        let names: HashSet<&str> = marked.iter().map(|key| key.id.as_str()).collect();
        let called =
            (0..kind.len(fleet)).filter(|at| names.contains(rowname::identity(kind, ctx, *at).as_ref()));
        called.filter(|at| rowname::key(kind, fleet, *at).is_some_and(|key| marked.contains(&key))).collect()
    }

    /// The row of a kind that was marked last.
    pub(super) fn last(&self, kind: Kind) -> Option<&RowKey> {
        self.last.as_ref().filter(|(of, _)| *of == kind).map(|(_, key)| key)
    }

    /// Counts again what is gone. A mark is kept: what is missing from a list may come back with the next.
    pub(super) fn look(&mut self, fleet: &Fleet) {
        self.gone.clear();
        for (kind, marked) in self.of.iter().filter(|(_, marked)| !marked.is_empty()) {
            let ctx = Ctx { fleet, now: fleet.at };
            // Few rows are marked and many are not: only those that are called like one are looked at closely.
            let names: HashSet<&str> = marked.iter().map(|key| key.id.as_str()).collect();
            let called =
                (0..kind.len(fleet)).filter(|at| names.contains(rowname::identity(*kind, ctx, *at).as_ref()));
            let keys = called.filter_map(|at| rowname::key(*kind, fleet, at));
            let there = keys.filter(|key| marked.contains(key)).count();
            self.gone.insert(*kind, marked.len().saturating_sub(there));
        }
    }
}
