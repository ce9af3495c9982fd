//! The fleet as it was: where it is kept, and how a script is told that it looks at the past.

use super::Outside;
use super::args::Global;
use super::output::Output;
use super::partial::Warning;
use super::view::view;
use crate::clock::Clock;
use crate::collect::then;
use crate::config::{Config, Keep, Regions, Surroundings, load, parse_moment, span};
use crate::error::{Error, Result};
use crate::gateway::Spending;
use crate::model::Scope;
use crate::snapshot::Trends;
use crate::store::{History, HistoryFacts, Limits, history_facts, kept_at, kept_trends};
use crate::world::{Timeline, World};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where a run keeps what it reads for a look back.
pub(super) struct Past {
    /// None keeps it in memory, for as long as the run lasts.
    file: Option<PathBuf>,
    view: String,
    limits: Limits,
}

/// Where what this configuration shows is kept; none when nothing is.
pub(super) fn of(config: &Config, around: &Surroundings) -> Option<Past> {
    Some(Past { file: file(around), view: view(config, around), limits: limits(config.history)? })
}

/// The file: none without a folder for what programs remember.
pub(super) fn file(around: &Surroundings) -> Option<PathBuf> {
    Some(around.state_folder.as_ref()?.join("coredeck").join("history.db"))
}

fn limits(keep: Keep) -> Option<Limits> {
    (!keep.span.is_zero()).then_some(Limits { keep: keep.span, bytes: keep.bytes })
}

impl Past {
    /// In memory: a demo's fleet is gone with it.
    pub(super) fn in_memory(config: &Config) -> Option<Self> {
        Some(Self { file: None, view: "demo".to_owned(), limits: limits(config.history)? })
    }

    /// Begins to keep.
    pub(super) fn open(&self, now: Timestamp) -> Result<History> {
        History::open(self.file.clone(), &self.view, self.limits, now)
    }
}

/// What was kept by earlier runs, and by one that may be running.
pub(super) struct Archive {
    pub(super) config: Config,
    pub(super) file: PathBuf,
    view: String,
    pub(super) now: Timestamp,
    zone: TimeZone,
}

impl Archive {
    pub(super) fn open(global: &Global, outside: &Outside, out: &mut Output) -> Result<Self> {
        if global.demo {
            return Err(Error::usage("a demo is kept only for as long as it runs")
                .hint("on its screen, `<` and `:at -5m` look back"));
        }
        let loaded = load(&global.flags(), &outside.around)?;
        loaded.warnings.iter().for_each(|warning| out.warn(&warning.to_string()));
        let file = file(&outside.around).ok_or_else(|| {
            Error::failed("there is no folder to keep a history in").hint("set HOME or XDG_STATE_HOME")
        })?;
        let zone = match outside.clock {
            Clock::Real => TimeZone::system(),
            Clock::Fixed(_) | Clock::Led(_) => TimeZone::UTC,
        };
        let view = view(&loaded.config, &outside.around);
        Ok(Self { config: loaded.config, file, view, now: outside.clock.now(), zone })
    }

    /// What is kept; none where there is nothing yet.
    pub(super) fn facts(&self) -> Result<Option<HistoryFacts>> {
        history_facts(&self.file, &self.view)
    }

    /// How figures went in the last so many days.
    pub(super) fn trends(&self, days: i64) -> Result<Trends> {
        let from = self.now.saturating_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN);
        kept_trends(&self.file, &self.view, from)
    }

    /// The fleet as it was at the moment that was typed.
    pub(super) fn world(&self, typed: &str) -> Result<World> {
        let at = parse_moment(typed, self.now, &self.zone)
            .map_err(|why| Error::usage(format!("--at {typed}: {why}")))?;
        let parts = kept_at(&self.file, &self.view, at)?;
        if parts.is_empty() {
            let error = Error::failed(format!("nothing was read in the hour before {at}"));
            let spans = self.facts()?.map(|facts| facts.lists).unwrap_or_default();
            let (since, until) =
                (spans.iter().map(|list| list.since).min(), spans.iter().map(|list| list.until).max());
            return Err(match since.zip(until) {
                Some((since, until)) => {
                    error.hint(format!("what is kept of this fleet lies between {since} and {until}"))
                }
                None => error.hint("nothing is kept of this fleet: another login, endpoint or region may be"),
            });
        }
        let mut scopes: Vec<Scope> = Vec::new();
        for account in &self.config.accounts {
            if let Regions::Named(regions) = account.regions.as_ref().unwrap_or(&self.config.regions) {
                let named = regions.iter();
                scopes.extend(
                    named.map(|region| Scope { account: account.name.clone(), region: region.clone() }),
                );
            }
        }
        let (snapshot, fleet) = then(parts, &scopes, &self.config.tiers, at);
        Ok(World {
            snapshot: Arc::new(snapshot),
            fleet: Arc::new(fleet),
            spending: Spending::default(),
            buckets: Arc::default(),
            retries: Arc::default(),
            timeline: Timeline { past: Some(at), ..Timeline::default() },
        })
    }

    /// Says that this is the past, and how long ago.
    pub(super) fn say(&self, world: &World, out: &mut Output) {
        let at = world.snapshot.taken_at;
        let ago = Duration::try_from(self.now.duration_since(at)).unwrap_or_default();
        out.warn(&format!("this is the past: the fleet as it was {} ago, at {at}", span(ago)));
    }
}

/// Marks a document that shows the past with its moment.
pub(super) fn mark(document: &mut Json, world: &World) {
    if let (Some(at), Json::Object(fields)) = (world.timeline.past, document) {
        fields.insert("at".to_owned(), json!(at.to_string()));
    }
}

/// What nobody had read by then is not known; that is no trouble of today.
pub(super) fn explain(warnings: &mut [Warning], world: &World) {
    if world.timeline.past.is_none() {
        return;
    }
    for warning in warnings.iter_mut().filter(|warning| warning.kind == "unread") {
        warning.message = "not known: nobody had read it in the hour before".to_owned();
    }
}
