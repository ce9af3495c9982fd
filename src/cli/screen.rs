//! The screen, opened from the command line: reads on and on, and ends when the person leaves.

use super::Outside;
use super::annals::Annals;
use super::args::{Global, ScreenArgs, When};
use super::calls;
use super::footprint;
use super::output::{Output, can_open_screen};
use super::priority::{draw_first, give_way};
use super::reach::{self, Reach};
use super::runtime;
use super::shell;
use super::view::view;
use crate::clock::Clock;
use crate::collect::{Chronicle, Collector, Keeping};
use crate::config::{Config, CoreReach, Surroundings};
use crate::error::{Error, Result};
use crate::gateway::Source;
use crate::model::text::harmless;
use crate::ops::counter::{Aside, Counter};
use crate::store::Cache;
use crate::tui::saved::Views;
use crate::tui::{About, Acting, Lean, Options, drive, run as show, views};
use crate::world::{Wish, World};
use jiff::tz::TimeZone;
use std::sync::Arc;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Opens the screen, on a runtime of this thread alone; what reads the fleet has another, whose threads give way.
pub(super) fn run(global: &Global, args: &ScreenArgs, outside: &Outside, out: &mut Output) -> Result<()> {
    let readers = runtime(Builder::new_multi_thread().enable_all().on_thread_start(give_way()))?;
    let here = runtime(Builder::new_current_thread().enable_all())?;
    let opened = readers.block_on(Box::pin(open(global, args, outside, out)));
    draw_first();
    let done = opened.and_then(|(stage, behind)| {
        let shown = here.block_on(Box::pin(stage.show(args, readers.handle())));
        readers.block_on(behind.end());
        shown.and_then(|text| text.map_or(Ok(()), |text| out.data(&text)))
    });
    // Reads that are still under way have nobody to tell.
    readers.shutdown_background();
    done
}

/// What is shown.
struct Stage {
    world: watch::Receiver<Arc<World>>,
    wishes: mpsc::Sender<Wish>,
    counter: Option<Counter>,
    about: About,
    options: Options,
    aside: Option<Arc<dyn Aside>>,
}

impl Stage {
    /// Shows it until the person leaves. Without a terminal the last screen, as text.
    async fn show(self, args: &ScreenArgs, readers: &Handle) -> Result<Option<String>> {
        let Self { world, wishes, counter, about, options, aside } = self;
        if let Some(keys) = &args.headless {
            let size = args.size.unwrap_or((80, 24));
            return drive(world, wishes, counter, about, options, keys.clone(), size).await.map(Some);
        }
        show(world, wishes, counter, about, options, aside, readers.clone()).await.map(|()| None)
    }
}

/// What works behind it.
struct Behind {
    reach: Reach,
    reads: JoinHandle<()>,
    clerk: Option<JoinHandle<()>>,
    lean_memory: JoinHandle<()>,
    guard: DropGuard,
}

impl Behind {
    /// Ends it, and waits for that.
    async fn end(self) {
        drop(self.guard);
        self.lean_memory.abort();
        // The reads end with the token; what one of them broke of is in the log.
        let _ = self.reads.await;
        if let Some(clerk) = self.clerk {
            // It ends with the token too, and has nothing to say.
            let _ = clerk.await;
        }
        drop(self.reach);
    }
}

/// Begins to read.
async fn open(
    global: &Global,
    args: &ScreenArgs,
    outside: &Outside,
    out: &mut Output,
) -> Result<(Stage, Behind)> {
    let is_headless = args.headless.is_some();
    if let Err(why) = can_open_screen()
        && !is_headless
    {
        return Err(Error::usage(format!("the screen cannot be opened: {why}"))
            .hint("in scripts use `coredeck get KIND -o json`; `coredeck --help` lists all commands")
            .hint("`coredeck --headless KEYS` presses keys without a terminal and writes the last screen"));
    }
    if !is_headless && global.verbose > 0 && global.log_file.is_none() {
        return Err(Error::usage("a log on stderr would spoil the screen").hint("add `--log-file FILE`"));
    }
    // The alternate screen would hide what is said before it opens: the screen says it.
    let mut warnings = Vec::new();
    let reach = match reach::quietly(global, outside, &mut warnings).await {
        Ok(reach) => reach,
        Err(error) => {
            warnings.iter().for_each(|warning| out.warn(warning));
            return Err(error);
        }
    };
    if is_headless {
        // A screen in a terminal listens for itself.
        reach.heeds_signals()?;
    }
    let around = &outside.around;
    let folder = around.config_folder.as_ref().map(|folder| folder.join("coredeck"));
    let options = Options::load(&reach.config.theme, &reach.config.keymap, folder.as_deref(), |name| {
        if name == "NO_COLOR" && global.no_color {
            Some("1".to_owned())
        } else {
            around.var(name).map(str::to_owned)
        }
    })?;
    let saved = around.state_folder.as_ref().map(|folder| folder.join("coredeck").join("views.toml"));
    let kept = saved.as_deref().map_or_else(|| Ok(Views::default()), views);
    let views = kept.map_err(|faults| {
        let mut error = Error::usage("the kept views cannot be read");
        error.hints = faults.iter().map(ToString::to_string).collect();
        error
    })?;
    let lean = match args.lean {
        Some(When::Always) => Some(Lean::Asked),
        Some(When::Never) => Some(Lean::Off),
        Some(When::Auto) | None => options.lean,
    };
    let has_mouse = options.has_mouse && !args.no_mouse;
    let options = Options { clock: outside.clock, lean, has_mouse, saved, views, ..options };
    let cancel = CancellationToken::new();
    let guard = cancel.clone().drop_guard();
    let cache = if global.demo { None } else { cache(&reach.config, around, &mut warnings) };
    // Everything but what costs money is read; metrics are for the rows that are looked at.
    let chronicle = Some(Arc::new(Annals::of_screen(global, outside)) as Arc<dyn Chronicle>);
    let kept = Keeping { cache, history: reach.history()?, chronicle };
    let collector = reach.start(Config::clone(&reach.config), &Source::ALL, kept, cancel.clone());
    let aside = reach.tools().ok().filter(|_| !global.demo);
    let aside = aside.map(|tools| shell::aside(tools, collector.world.clone()));
    let lean_memory = tokio::spawn(footprint::let_go_once_read(collector.world.clone()));
    let (counter, clerk) = match reach.tools() {
        Ok(tools) => {
            let (counter, clerk) =
                super::counter::open(tools, collector.world.clone(), global, outside, cancel);
            (Some(counter), Some(clerk))
        }
        // Who only reads has no operations to show.
        Err(_) => (None, None),
    };
    let about = about(&reach.config, around, global.demo, outside.clock, &warnings);
    let Collector { world, wishes, task: reads } = collector;
    let behind = Behind { reach, reads, clerk, lean_memory, guard };
    Ok((Stage { world, wishes, counter, about, options, aside }, behind))
}

/// What earlier runs read, so that the first frame shows it. Without it the start is slower, no more.
fn cache(config: &Config, around: &Surroundings, warnings: &mut Vec<String>) -> Option<Cache> {
    let file = around.cache_folder.as_ref()?.join("coredeck").join("snapshot.db");
    match Cache::open(&file, &view(config, around)) {
        Ok(cache) => Some(cache),
        Err(error) => {
            let hints = error.hints.iter().map(|hint| format!("; {hint}")).collect::<String>();
            warnings.push(format!("{error}{hints}"));
            None
        }
    }
}

/// What the screen says about this run.
fn about(config: &Config, around: &Surroundings, is_demo: bool, clock: Clock, warnings: &[String]) -> About {
    let guessed = "tiers are guessed by tags and names; `coredeck config init` writes a configuration";
    let notes = warnings.iter().map(|warning| one_line(warning));
    let notes: Vec<String> = notes.chain(config.tiers_are_guessed.then(|| guessed.to_owned())).collect();
    let note = (!notes.is_empty()).then(|| notes.join(" · "));
    let endpoint =
        if is_demo { Some("demo".to_owned()) } else { calls::endpoint(config.endpoint_url.clone(), around) };
    let zone = match clock {
        Clock::Real => TimeZone::system(),
        Clock::Fixed(_) | Clock::Led(_) => TimeZone::UTC,
    };
    let cadence = Source::ALL.into_iter().map(|source| (source, config.every(source))).collect();
    let acting = if config.read_only { Acting::ReadOnly } else { Acting::Yes };
    About {
        fleet: config.fleet.to_string(),
        endpoint,
        note,
        zone,
        cadence,
        insisted: config.insisted.clone(),
        tiers: config.tiers.clone(),
        figures: config.capacity,
        acting,
        asks_by_ways: config.cores.reach == CoreReach::Ssm,
    }
}

/// A warning as the screen has room for it: what is wrong and the hint, without the line of the file.
fn one_line(warning: &str) -> String {
    let said = warning.lines().filter_map(|line| match line.split_once(" | ") {
        Some((before, after)) if before.starts_with(' ') => {
            after.trim_start().strip_prefix('^').map(|rest| rest.trim_start_matches('^'))
        }
        _ => Some(line),
    });
    let said: Vec<&str> = said.map(str::trim).filter(|line| !line.is_empty()).collect();
    harmless(&format!("warning: {}", said.join("; "))).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_the_endpoint_of_the_environment() {
        let config = Config::default();
        let vars = [("AWS_ENDPOINT_URL".to_owned(), "http://127.0.0.1:5000".to_owned())].into();
        let around = Surroundings { vars, ..Surroundings::default() };
        let of = |config, is_demo| about(config, &around, is_demo, Clock::default(), &[]).endpoint;
        assert_eq!(of(&config, false).as_deref(), Some("http://127.0.0.1:5000"));
        assert_eq!(of(&config, true).as_deref(), Some("demo"));
        let named = Config { endpoint_url: Some("http://moto".to_owned()), ..Config::default() };
        assert_eq!(of(&named, false).as_deref(), Some("http://moto"));
    }

    #[test]
    fn what_was_warned_of_before_the_screen_opened_stands_on_it() {
        let warnings =
            ["f.toml:3:1: unknown key `x\u{1b}[2J`\n  3 | x = 1\n    | ^^ did you mean `y`?".to_owned()];
        let about = about(&Config::default(), &Surroundings::default(), false, Clock::default(), &warnings);
        let note = about.note.unwrap();
        assert!(
            note.starts_with("warning: f.toml:3:1: unknown key `x␛[2J`; did you mean `y`? · tiers"),
            "{note}"
        );
    }
}
