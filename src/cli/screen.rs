//! The screen, opened from the command line: reads on and on, and ends when the person leaves.

use super::Outside;
use super::args::Global;
use super::output::{Output, can_open_screen};
use super::reach;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::gateway::Source;
use crate::store::Cache;
use crate::tui::{About, Options, run as show};
use jiff::tz::TimeZone;
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// Opens the screen.
pub(super) async fn run(global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    if let Err(why) = can_open_screen() {
        return Err(Error::usage(format!("the screen cannot be opened: {why}"))
            .hint("in scripts use `coredeck get KIND -o json`; `coredeck --help` lists all commands"));
    }
    if global.verbose > 0 && global.log_file.is_none() {
        return Err(Error::usage("a log on stderr would spoil the screen").hint("add `--log-file FILE`"));
    }
    let reach = reach::open(global, outside, out).await?;
    let around = &outside.around;
    let folder = around.config_folder.as_ref().map(|folder| folder.join("coredeck"));
    let options = Options::load(&reach.config.theme, &reach.config.keymap, folder.as_deref(), |name| {
        if name == "NO_COLOR" && global.no_color {
            Some("1".to_owned())
        } else {
            around.var(name).map(str::to_owned)
        }
    })?;
    let options = Options { clock: outside.clock, ..options };
    let cancel = CancellationToken::new();
    let guard = cancel.clone().drop_guard();
    let cache = if global.demo { None } else { cache(around.cache_folder.as_deref(), &reach.config, out) };
    // Everything but what costs money is read; metrics are for the rows that are looked at.
    let collector = reach.start(Config::clone(&reach.config), &Source::ALL, cache, cancel);
    let shown =
        show(collector.world, collector.wishes, about(&reach.config, global.demo, outside.clock), options)
            .await;
    drop(guard);
    // The reads end with the token; what one of them broke of is in the log.
    let _ = collector.task.await;
    shown
}

/// What earlier runs read, so that the first frame shows it. Without it the start is slower, no more.
fn cache(folder: Option<&Path>, config: &Config, out: &mut Output) -> Option<Cache> {
    let file = folder?.join("coredeck").join("snapshot.db");
    // All that decides whose rows these are.
    let view =
        format!("{} {:?} {:?} {:?}", config.fleet, config.endpoint_url, config.accounts, config.regions);
    match Cache::open(&file, &view) {
        Ok(cache) => Some(cache),
        Err(error) => {
            out.warn(&error.to_string());
            None
        }
    }
}

fn about(config: &Config, is_demo: bool, clock: Clock) -> About {
    let note = config.tiers_are_guessed.then(|| {
        "tiers are guessed by tags and names; `coredeck config init` writes a configuration".to_owned()
    });
    let endpoint = if is_demo { Some("demo".to_owned()) } else { config.endpoint_url.clone() };
    let zone = match clock {
        Clock::Real => TimeZone::system(),
        Clock::Fixed(_) => TimeZone::UTC,
    };
    About { fleet: config.fleet.to_string(), endpoint, note, zone }
}
