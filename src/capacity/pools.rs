//! How many connections stand open to each database: over all cores and replicas that have pools to it, beside what
//! its server takes.
//!
//! A core opens a pool for each of its domains, and so does every replica of it: the database feels the sum.

use crate::config::Figures;
use crate::fleet::Fleet;
use crate::model::admin::DomainWord;
use crate::model::text::harmless;
use crate::model::{CoreId, Known, Text};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Cores that are named in a sentence.
const NAMED: usize = 4;

/// The pools to one database.
#[derive(Clone, Debug, PartialEq)]
pub struct Pools {
    /// What tells the database from others: the beginning of a digest.
    pub database: Text,
    /// What each core's pools open at most, those with the most first.
    pub by: Vec<(CoreId, u32)>,
    /// Domains whose core did not say which database is theirs: they may have pools to it, too.
    pub untold: usize,
    /// Connections that its server takes, by configuration.
    pub most: Option<u32>,
}

impl Pools {
    /// What all of them open at most.
    pub fn used(&self) -> u32 {
        self.by.iter().map(|(_, count)| count).sum()
    }

    /// `30 of 100: shared-prod-1 20, shared-prod-2 10; of 3 domains nobody knows whether they add to it`
    pub fn said(&self) -> String {
        let mut said = match self.most {
            Some(most) => format!("{} of {most}", self.used()),
            None => format!("{}, and what its server takes is not configured", self.used()),
        };
        let some =
            self.by.iter().take(NAMED).map(|(core, count)| format!("{} {count}", harmless(core.as_str())));
        said.push_str(&format!(": {}", some.collect::<Vec<_>>().join(", ")));
        if let more @ 1.. = self.by.len().saturating_sub(NAMED) {
            said.push_str(&format!(" and {more} more cores"));
        }
        if self.untold > 0 {
            said.push_str(&format!("; of {} domains nobody knows whether they add to it", self.untold));
        }
        said
    }

    /// Whether there may be too many.
    pub fn is_too_many(&self) -> bool {
        self.most.is_some_and(|most| self.used() > most)
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let by: BTreeMap<&str, u32> = self.by.iter().map(|(core, count)| (core.as_str(), *count)).collect();
        json!({
            "database": self.database, "connections": self.used(), "allowed": self.most, "by_core": by,
            "domains_untold": self.untold,
        })
    }
}

/// The pools to the databases of these domains, those with the most connections first; none where nothing is known of
/// them.
pub fn pools(fleet: &Fleet, domains: &[Arc<DomainWord>], figures: &Figures) -> Vec<Pools> {
    let mine = domains.iter().filter_map(|domain| domain.database.clone());
    let mut found: BTreeMap<Text, BTreeMap<&CoreId, u32>> =
        mine.map(|database| (database, BTreeMap::new())).collect();
    if found.is_empty() {
        return Vec::new();
    }
    let opens = |domain: &DomainWord| domain.pool.unwrap_or(figures.connections_per_domain);
    let mut untold = 0;
    for core in &fleet.cores {
        let Known::Yes(Some(word)) = &core.word else {
            // Its own domain at least.
            untold += 1;
            continue;
        };
        for domain in &word.domains {
            match &domain.database {
                Some(database) => {
                    if let Some(by) = found.get_mut(database) {
                        *by.entry(&core.id).or_default() += opens(domain);
                    }
                }
                None => untold += 1,
            }
        }
    }
    let mut all: Vec<Pools> = found
        .into_iter()
        .map(|(database, by)| {
            let mut by: Vec<(CoreId, u32)> =
                by.into_iter().map(|(core, count)| (core.clone(), count)).collect();
            by.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
            Pools { database, by, untold, most: figures.max_connections }
        })
        .collect();
    all.sort_by_key(|pools| std::cmp::Reverse(pools.used()));
    all
}
