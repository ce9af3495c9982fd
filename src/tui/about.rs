//! The session that a screen shows: whose fleet, where from, and what may be done.

use crate::config::{Config, Figures, at_ease};
use crate::gateway::Source;
use crate::model::Tier;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the screen says about the session, whatever the world looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// The fleet's name.
    pub fleet: String,
    /// Where AWS is when it is not AWS: `demo`, or an endpoint's URL.
    pub endpoint: Option<String>,
    /// Said on the overview when tiers are the built-in guess.
    pub note: Option<String>,
    /// The zone that times are shown in.
    pub zone: TimeZone,
    /// How often each list is read while its rows show; one that is not named, each minute.
    pub cadence: BTreeMap<Source, Duration>,
    /// The lists that are read so often however long they are.
    pub insisted: BTreeSet<Source>,
    /// What tiers hold, by the configuration.
    pub tiers: Vec<Tier>,
    /// What capacity is computed with.
    pub figures: Figures,
    /// Whether anything may be changed from here.
    pub acting: Acting,
    /// Whether each core that is asked takes a session of its own.
    pub asks_by_ways: bool,
}

/// Whether anything may be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acting {
    /// What is shown and confirmed is done.
    #[default]
    Yes,
    /// Nothing is: the configuration or a flag says so.
    ReadOnly,
}

impl About {
    /// How old a list of so many rows may become before it is overdue: twice its cadence, for reading takes its time
    /// too.
    pub(super) fn fresh_for(&self, source: Source, rows: usize) -> Duration {
        let every = self.cadence.get(&source).copied().unwrap_or(Duration::from_secs(60));
        let every = if self.insisted.contains(&source) { every } else { at_ease(source, every, rows) };
        every.saturating_mul(2)
    }
}

impl Default for About {
    fn default() -> Self {
        Self {
            fleet: "default".into(),
            endpoint: None,
            note: None,
            zone: TimeZone::UTC,
            cadence: BTreeMap::new(),
            insisted: BTreeSet::new(),
            tiers: Config::default().tiers,
            figures: Figures::default(),
            acting: Acting::Yes,
            asks_by_ways: false,
        }
    }
}
