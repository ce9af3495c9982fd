//! The way to a fleet: the configuration that holds, and a reader for it.

use super::Outside;
use super::args::Global;
use super::output::Output;
use crate::clock::Clock;
use crate::collect::{self, Collector};
use crate::config::{Config, Loaded, Surroundings, load};
use crate::error::Result;
use crate::gateway::{FleetReader, Source};
use crate::store::Cache;
use crate::world::{Interest, World};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A fleet that can be read.
pub(super) struct Reach {
    /// The configuration.
    pub(super) config: Arc<Config>,
    reader: Arc<dyn FleetReader>,
    clock: Clock,
    /// The pretended AWS behind it, which ends with it.
    _demo: Option<crate::sim::Running>,
}

/// Resolves the configuration and makes its accounts ready.
pub(super) async fn open(global: &Global, outside: &Outside, out: &mut Output) -> Result<Reach> {
    let flags = global.flags();
    // The demo shows the same everywhere: nothing of a person's own configuration but what was typed.
    let around = if global.demo { &Surroundings::default() } else { &outside.around };
    let Loaded { config, warnings, .. } = load(&flags, around)?;
    warnings.iter().for_each(|warning| out.warn(&warning.to_string()));
    let clock = outside.clock;
    if let Some(reader) = &outside.reader {
        return Ok(Reach::new(config, Arc::clone(reader), clock));
    }
    if global.demo {
        let (running, config, options) = super::sim::demo(config, clock).await?;
        let reader = Arc::new(crate::aws::connect(&config, options).await?);
        return Ok(Reach { _demo: Some(running), ..Reach::new(config, reader, clock) });
    }
    let options = crate::aws::Options { clock, asker: Arc::new(crate::aws::Terminal), ..Default::default() };
    let reader = Arc::new(crate::aws::connect(&config, options).await?);
    Ok(Reach::new(config, reader, clock))
}

impl Reach {
    /// A fleet that is read by this reader.
    fn new(config: Config, reader: Arc<dyn FleetReader>, clock: Clock) -> Self {
        Self { config: Arc::new(config), reader, clock, _demo: None }
    }

    /// Reads sources once.
    pub(super) async fn once(&self, sources: &[Source], interest: Interest) -> Arc<World> {
        let config = Arc::clone(&self.config);
        collect::once(Arc::clone(&self.reader), config, sources, interest, self.clock).await
    }

    /// Reads sources until the token is cancelled.
    pub(super) fn start(
        &self,
        config: Config,
        sources: &[Source],
        cache: Option<Cache>,
        cancel: CancellationToken,
    ) -> Collector {
        collect::start(Arc::clone(&self.reader), Arc::new(config), sources, self.clock, cache, cancel)
    }
}
