//! The names that the tables of a fleet give, so that what refers to them can be checked.

use super::super::pattern::Pattern;
use super::super::spans::{Faults, Table};
use std::collections::{HashMap, HashSet};

/// Kinds whose rows others name, with the key that names them.
const NAMING: &[(&str, &str)] = &[
    ("image", "name"),
    ("template", "name"),
    ("target-group", "name"),
    ("balancer", "name"),
    ("cluster", "name"),
    ("hosts", "name"),
    ("group", "name"),
    ("service", "name"),
    ("core", "id"),
    ("tenant", "id"),
    ("alarm", "name"),
    ("log-group", "name"),
    ("parameter", "name"),
];

/// Rows of one table at most: what is beyond is a slip of the hand.
pub(super) const MOST_ROWS: usize = 1_000_000;

/// AMIs that every fleet has.
pub(crate) const STANDARD_IMAGES: [&str; 7] = [
    "core-docker-2026.11.04",
    "core-docker-2026.08.12",
    "al2023-ami-ecs-hvm-2023.0.20261110-kernel-6.1-x86_64",
    "al2023-ami-ecs-hvm-2023.0.20260929-kernel-6.1-x86_64",
    "al2023-ami-ecs-hvm-2023.0.20261110-kernel-6.1-arm64",
    "al2023-ami-ecs-hvm-2023.0.20260929-kernel-6.1-arm64",
    "amzn2-ami-ecs-hvm-2.0.20240131-x86_64-ebs",
];

/// Every name of a fleet, by kind.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_kind: HashMap<&'static str, HashSet<String>>,
    /// The demo fleet has names of its own, which are not known here.
    is_open: bool,
}

impl Names {
    /// Gathers the names of all tables; two rows of one name are faults.
    pub(super) fn gather(fleet: &Table, is_open: bool, faults: &mut Faults) -> Self {
        let mut names = Self { is_open, ..Self::default() };
        let images = STANDARD_IMAGES.map(str::to_owned);
        names.by_kind.entry("image").or_default().extend(images);
        for (kind, key) in NAMING {
            for table in fleet.tables(kind, faults) {
                names.add(kind, key, &table, faults);
            }
        }
        names
    }

    fn add(&mut self, kind: &'static str, key: &str, table: &Table, faults: &mut Faults) {
        let count = table.whole("count", faults).unwrap_or(1);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > MOST_ROWS {
            faults.add(table.at("count"), format!("count must be at most {MOST_ROWS}"));
            return;
        }
        // A pattern that cannot be read is said where the table is.
        let Some(Ok(pattern)) = table.text(key, faults).map(Pattern::read) else { return };
        if count > 1 && !pattern.tells_apart() {
            let sentence = format!("{count} rows need {{n}} in their {key}, or they are all called alike");
            faults.add(table.at(key), sentence);
            return;
        }
        let known = self.by_kind.entry(kind).or_default();
        let mut twice = None;
        for n in 0..count {
            let name = pattern.text(n);
            if name.is_empty() {
                faults.add(table.at(key), format!("{key} is empty"));
                return;
            }
            if !known.insert(name.clone()) {
                twice = twice.or(Some(name));
            }
        }
        if let Some(name) = twice {
            faults.add(table.at(key), format!("there are two of {kind} called {name}"));
        }
    }

    /// Tells whether one of these kinds has a row of that name.
    pub(super) fn has(&self, kinds: &[&str], name: &str) -> bool {
        self.is_open
            || kinds.iter().any(|kind| self.by_kind.get(kind).is_some_and(|names| names.contains(name)))
    }

    /// Tells whether one of these kinds has a row whose name fits a pattern of `*` and `?`.
    pub(super) fn fits(&self, kinds: &[&str], glob: &str) -> bool {
        let fits = |names: &HashSet<String>| names.iter().any(|name| crate::sim::filter::glob(glob, name));
        self.is_open || kinds.iter().any(|kind| self.by_kind.get(kind).is_some_and(fits))
    }

    /// The name of these kinds that is nearest to what was written. Of very many only some are looked at.
    pub(super) fn nearest<'n>(&'n self, kinds: &[&'static str], name: &str) -> Option<&'n str> {
        let all = kinds.iter().filter_map(|kind| self.by_kind.get(*kind)).flatten().map(String::as_str);
        crate::error::did_you_mean(name, all.take(5_000))
    }
}
