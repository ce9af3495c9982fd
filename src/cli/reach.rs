//! The way to a fleet: the configuration that holds, and a reader for it.

use super::Outside;
use super::args::Global;
use super::calls;
use super::drift::{self, Minding};
use super::going::{TELLS, attended, patiently};
use super::output::Output;
use super::past::{self, Past};
use super::tunnel::{self, Guard, Signals, Tunnels};
use crate::clock::Clock;
use crate::collect::{self, Collector, Keeping, Patience};
use crate::config::{Config, CoreReach, Loaded, Surroundings, load};
use crate::error::{Error, ErrorKind, Result};
use crate::gateway::{FleetProbe, FleetReader, FleetWriter, NoteCall, Seals, Sessions, Source};
use crate::model::{CoreId, Scope, TargetGroupArn};
use crate::query::Kind;
use crate::query::asked::cores_asked;
use crate::snapshot::Part;
use crate::store::{CallBook, History};
use crate::supertokens;
use crate::world::{Interest, World};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A fleet that can be read.
pub(super) struct Reach {
    /// The configuration.
    pub(super) config: Arc<Config>,
    reader: Arc<dyn FleetReader>,
    /// What operations see and act with.
    hands: Option<Hands>,
    clock: Clock,
    /// Where what is read is kept for a look back.
    past: Option<Past>,
    /// The record of its calls.
    book: Option<Arc<CallBook>>,
    /// What the configuration made us warn of.
    pub(super) warnings: Vec<String>,
    /// The way to cores that cannot be reached from here, which ends with it.
    tunnels: Option<Tunnels>,
    /// Who ends them when a signal comes while nobody else listens.
    guard: Mutex<Option<Guard>>,
    /// The pretended AWS behind it, which ends with it.
    _demo: Option<crate::sim::Running>,
}

/// What operations see and act with.
#[derive(Clone)]
pub struct Hands {
    /// Sees single things.
    pub probe: Arc<dyn FleetProbe>,
    /// Acts; nobody does in read-only mode.
    pub writer: Option<Arc<dyn FleetWriter>>,
    /// Opens sessions, where anybody can.
    pub sessions: Option<Arc<dyn Sessions>>,
}

impl Hands {
    /// The hands of a fleet; they reach into cores where the configuration lets them.
    fn of(aws: &Arc<crate::aws::Aws>, client: Option<Arc<supertokens::Client>>, clock: Clock) -> Self {
        let writer = aws.writer().map(Arc::new);
        let sessions = Some(Arc::clone(aws) as Arc<dyn Sessions>);
        let Some(client) = client else {
            let writer = writer.map(|writer| writer as Arc<dyn FleetWriter>);
            return Self { probe: Arc::clone(aws) as Arc<dyn FleetProbe>, writer, sessions };
        };
        let cloud = Arc::clone(aws) as Arc<dyn FleetProbe>;
        let probe = Arc::new(supertokens::Probing::new(cloud, Arc::clone(aws) as _, client, clock));
        let writer = writer.map(|writer| {
            let seals = Arc::clone(&writer) as Arc<dyn Seals>;
            Arc::new(supertokens::Writing::new(writer, seals, Arc::clone(&probe))) as Arc<dyn FleetWriter>
        });
        Self { probe, writer, sessions }
    }
}

/// What plans and operations need of a fleet, for whoever works beside the screen.
#[derive(Clone)]
pub(super) struct Tools {
    pub(super) config: Arc<Config>,
    pub(super) reader: Arc<dyn FleetReader>,
    pub(super) hands: Hands,
    pub(super) clock: Clock,
}

impl Tools {
    /// Reads sources once.
    pub(super) async fn once(&self, sources: &[Source]) -> Arc<World> {
        let (reader, config) = (Arc::clone(&self.reader), Arc::clone(&self.config));
        collect::once(reader, config, sources, Interest::default(), self.clock, Patience::default()).await
    }

    /// Reads the targets of these groups, of all where none is named, into the world that names them.
    pub(super) async fn read_targets(&self, world: &World, of: Targets) -> Arc<World> {
        let (reader, config) = (Arc::clone(&self.reader), Arc::clone(&self.config));
        targets(reader, config, world, of, self.clock, Patience::default()).await
    }

    /// The world that a screen shows, where these lists were read whole there, in that scope or in all; otherwise they
    /// are read once.
    pub(super) async fn at_hand(
        &self,
        shown: Option<&Shown>,
        sources: &[Source],
        scope: Option<&Scope>,
    ) -> Arc<World> {
        let shown = shown.map(|shown| Arc::clone(&shown.borrow()));
        match shown.filter(|world| has(world, sources, scope)) {
            Some(world) => world,
            None => self.once(sources).await,
        }
    }
}

/// The only target groups whose targets are read; none for all.
pub(super) type Targets = Option<Vec<(Scope, TargetGroupArn)>>;

async fn targets(
    reader: Arc<dyn FleetReader>,
    config: Arc<Config>,
    world: &World,
    targets_of: Targets,
    clock: Clock,
    patience: Patience,
) -> Arc<World> {
    let interest = Interest { targets_of, ..Interest::default() };
    collect::further(reader, config, world, &[Source::Targets], interest, clock, patience).await
}

/// What a screen shows, as it changes.
pub(super) type Shown = watch::Receiver<Arc<World>>;

/// Whether these lists were read whole once, and are no past. That the last read failed is no reason to wait for another.
fn has(world: &World, sources: &[Source], scope: Option<&Scope>) -> bool {
    let parts = &world.snapshot.parts;
    let mut mine = parts.iter().filter(|part| scope.is_none_or(|wanted| *wanted == *part.scope)).peekable();
    let is_read = |part: &Arc<Part>| {
        sources.iter().map(|source| part.standing(*source)).all(|it| it.is_whole && it.as_of.is_some())
    };
    world.timeline.past.is_none() && mine.peek().is_some() && mine.all(is_read)
}

/// Resolves the configuration, says its warnings, and makes its accounts ready. From then on a signal that ends programs
/// first ends the sessions that there may be, until somebody else listens for it.
pub(super) async fn open(global: &Global, outside: &Outside, out: &mut Output) -> Result<Reach> {
    let reach = open_unguarded(global, outside, out).await?;
    reach.heeds_signals()?;
    Ok(reach)
}

/// The same for those who listen for signals themselves, or hand them on, from their beginning to their end.
pub(super) async fn open_unguarded(global: &Global, outside: &Outside, out: &mut Output) -> Result<Reach> {
    let mut warnings = Vec::new();
    let reach = quietly(global, outside, &mut warnings).await;
    warnings.iter().for_each(|warning| out.warn(warning));
    let mut reach = reach?;
    reach.warnings = warnings;
    Ok(reach)
}

/// Resolves the configuration and makes its accounts ready. The warnings are the caller's to say, also
/// where it fails.
pub(super) async fn quietly(global: &Global, outside: &Outside, warnings: &mut Vec<String>) -> Result<Reach> {
    let flags = global.flags();
    // The demo shows the same everywhere: nothing of a person's own configuration but what was typed.
    let around = if global.demo { &Surroundings::default() } else { &outside.around };
    let Loaded { config, warnings: found, .. } = load(&flags, around)?;
    warnings.extend(found.iter().map(ToString::to_string));
    let clock = outside.clock;
    if let Some(reader) = &outside.reader {
        let mut reach = Reach::new(config, Arc::clone(reader), clock);
        reach.hands = outside.hands.clone();
        return Ok(reach);
    }
    if global.demo {
        let (running, config, options) = super::sim::demo(config, clock).await?;
        let reader = Arc::new(crate::aws::connect(&config, options).await?);
        let client = client(&config, None, clock)?;
        let hands = Hands::of(&reader, client.clone(), clock);
        let past = Past::in_memory(&config);
        let reader = asking(reader, client);
        let mut reach = Reach::new(config, reader, clock);
        reach.hands = Some(hands);
        reach.past = past;
        reach._demo = Some(running);
        return Ok(reach);
    }
    let book = book(&config, &outside.around);
    let witness = book.clone().map(|book| book as Arc<dyn NoteCall>);
    let asker = Arc::new(crate::aws::Terminal);
    let options = crate::aws::Options { clock, asker, witness, ..Default::default() };
    let reader = Arc::new(crate::aws::connect(&config, options).await?);
    let tunnels = (config.cores.reach == CoreReach::Ssm)
        .then(|| Tunnels::new(Arc::clone(&reader) as Arc<dyn Sessions>, clock));
    let client = client(&config, tunnels.as_ref(), clock)?;
    let hands = Hands::of(&reader, client.clone(), clock);
    let past = past::of(&config, &outside.around);
    let reader = asking(reader, client);
    let reader = match drift::file(&config, &outside.around) {
        Some(file) => Arc::new(Minding::new(reader, file, clock)) as Arc<dyn FleetReader>,
        None => reader,
    };
    let mut reach = Reach::new(config, reader, clock);
    reach.hands = Some(hands);
    reach.past = past;
    reach.book = book;
    reach.tunnels = tunnels;
    Ok(reach)
}

/// What asks cores; none where the configuration asks nobody.
fn client(
    config: &Config,
    tunnels: Option<&Tunnels>,
    clock: Clock,
) -> Result<Option<Arc<supertokens::Client>>> {
    if config.cores.reach == CoreReach::Off {
        return Ok(None);
    }
    let made = match tunnels {
        Some(tunnels) => supertokens::Client::by(tunnels.ways(), clock),
        None => supertokens::Client::through(clock, config.cores.proxy.as_deref()),
    };
    made.map(|client| Some(Arc::new(client)))
        .map_err(|error| Error::failed("cannot make ready to ask cores").because(error))
}

/// A reader that asks the cores too, where anybody can.
fn asking(aws: Arc<crate::aws::Aws>, client: Option<Arc<supertokens::Client>>) -> Arc<dyn FleetReader> {
    let Some(client) = client else { return aws };
    let fleet = Arc::clone(&aws) as Arc<dyn FleetReader>;
    Arc::new(supertokens::Asking::new(fleet, aws, client))
}

/// Where the run's calls are kept for `coredeck calls`. Without it nothing but that look back is lost.
fn book(config: &Config, around: &Surroundings) -> Option<Arc<CallBook>> {
    let file = calls::file(around.cache_folder.as_deref())?;
    let endpoint = calls::endpoint(config.endpoint_url.clone(), around);
    match CallBook::open(file, endpoint.as_deref()) {
        Ok(book) => Some(Arc::new(book)),
        Err(error) => {
            tracing::warn!(%error, "calls are not kept");
            None
        }
    }
}

impl Drop for Reach {
    /// Reads that are still under way hold the book too, and do not end before the process does.
    fn drop(&mut self) {
        let guard = self.taken_guard();
        if let (Some(guard), true, Ok(runtime)) = (guard, self.is_ending(), Handle::try_current())
            && runtime.runtime_flavor() == RuntimeFlavor::MultiThread
        {
            // The signal decides how the process ends, and not who is faster.
            tokio::task::block_in_place(|| runtime.block_on(guard.let_go()));
        }
        // First: the calls that end sessions are recorded too.
        drop(self.tunnels.take());
        if let Some(book) = &self.book {
            book.close();
        }
    }
}

/// So few sessions are not worth a word.
const FEW: usize = 4;

/// What it takes to ask so many cores by ways of their own.
fn ways_take(count: usize, most: usize) -> String {
    format!(
        "asking {count} cores, each through a session of Systems Manager of its own: about one is opened in a second, {most} at once at most, and all are ended; they cost nothing, and Ctrl-C stops it"
    )
}

fn stopped(opened: usize, count: usize) -> Error {
    let said = format!("stopped: of {count} cores, sessions with {opened} had been opened, and are ended");
    Error::new(ErrorKind::Interrupted, said)
}

impl Reach {
    /// A fleet that is read by this reader.
    pub(super) fn new(config: Config, reader: Arc<dyn FleetReader>, clock: Clock) -> Self {
        Self {
            config: Arc::new(config),
            reader,
            hands: None,
            clock,
            past: None,
            book: None,
            warnings: Vec::new(),
            tunnels: None,
            guard: Mutex::default(),
            _demo: None,
        }
    }

    /// What operations see and act with.
    pub(super) fn hands(&self) -> Result<&Hands> {
        self.hands.as_ref().ok_or_else(|| Error::failed("this fleet can only be read"))
    }

    /// What plans and operations need of it.
    pub(super) fn tools(&self) -> Result<Tools> {
        Ok(Tools {
            config: Arc::clone(&self.config),
            reader: Arc::clone(&self.reader),
            hands: self.hands()?.clone(),
            clock: self.clock,
        })
    }

    /// The time.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// The history of what is read; none where nothing is to be kept.
    pub(super) fn history(&self) -> Result<Option<History>> {
        self.past.as_ref().map(|past| past.open(self.clock.now())).transpose()
    }

    /// Reads sources once, for so long at most when there is a limit. A person is told whom it waits for.
    pub(super) async fn once(
        &self,
        sources: &[Source],
        interest: Interest,
        limit: Option<Duration>,
        out: &mut Output,
    ) -> Arc<World> {
        let (config, reader) = (Arc::clone(&self.config), Arc::clone(&self.reader));
        let (silent, told) = watch::channel(Vec::new());
        let patience = Patience { limit, silent: Some(silent) };
        let reading = collect::once(reader, config, sources, interest, self.clock, patience);
        attended(reading, told, limit, self.reader.as_ref(), out).await
    }

    /// What to read first where each core is asked by a way of its own, and some are: everything but their word, so that
    /// it is known whom to ask.
    pub(super) fn asks_by_ways(&self, sources: &[Source]) -> Option<Vec<Source>> {
        let is_asked = sources.contains(&Source::Admin) && self.config.cores.reach == CoreReach::Ssm;
        is_asked.then(|| sources.iter().copied().filter(|source| *source != Source::Admin).collect())
    }

    /// Asks these cores and no others, and puts their words into the world that names them. Where they are many, what
    /// that takes is said before, and how far it is while it lasts.
    ///
    /// # Errors
    ///
    /// Somebody stopped it.
    pub(super) async fn ask_cores(
        &self,
        world: &World,
        cores: Vec<(Scope, CoreId)>,
        limit: Option<Duration>,
        out: &mut Output,
    ) -> Result<Arc<World>> {
        let (config, reader) = (Arc::clone(&self.config), Arc::clone(&self.reader));
        let (silent, told) = watch::channel(Vec::new());
        let patience = Patience { limit, silent: Some(silent) };
        let count = cores.len();
        let interest = Interest { cores_of: Some(cores), ..Interest::default() };
        let sources = [Source::Admin];
        let reading = collect::further(reader, config, world, &sources, interest, self.clock, patience);
        let Some(tunnels) = &self.tunnels else {
            return Ok(attended(reading, told, limit, self.reader.as_ref(), out).await);
        };
        if count > FEW {
            out.say(&ways_take(count, tunnel::MOST));
        }
        let mut signals = Signals::new()?;
        if self.lets_go_of_signals().await {
            return Err(stopped(0, count));
        }
        let begun = tunnels.opened();
        let mut tells = tokio::time::interval(TELLS);
        tells.tick().await;
        tokio::pin!(reading);
        let world = loop {
            let opened = || tunnels.opened().saturating_sub(begun);
            tokio::select! {
                biased;
                // The ports end with this reach, and their sessions with them.
                _ = signals.next() => return Err(stopped(opened(), count)),
                world = &mut reading => break world,
                _ = tells.tick() => if out.is_attended && count > FEW {
                    out.say(&format!("{} of {count} sessions opened", opened()));
                },
            }
        };
        self.hold_signals(tunnels.guard(signals, self.book.as_ref()));
        Ok(world)
    }

    /// From now on a signal that ends programs first ends the sessions, where there can be any.
    ///
    /// # Errors
    ///
    /// The system does not let us listen.
    pub(super) fn heeds_signals(&self) -> Result<()> {
        if let Some(tunnels) = &self.tunnels {
            self.hold_signals(tunnels.guard(Signals::new()?, self.book.as_ref()));
        }
        Ok(())
    }

    /// Leaves signals to whoever listens from now on, and means something else by them. Whether one came before, and
    /// ended the sessions and not the process: then nothing is to be begun any more.
    pub(super) async fn lets_go_of_signals(&self) -> bool {
        match self.taken_guard() {
            Some(guard) => guard.let_go().await,
            None => false,
        }
    }

    /// Whether a signal has come that ends the sessions, and then the process.
    pub(super) fn is_ending(&self) -> bool {
        self.tunnels.as_ref().is_some_and(Tunnels::are_ending)
    }

    fn taken_guard(&self) -> Option<Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn hold_signals(&self, guard: Guard) {
        *self.guard.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
    }

    /// Asks every core that is known by now, each by a way of its own.
    ///
    /// # Errors
    ///
    /// Somebody stopped it.
    pub(super) async fn ask_every_core(&self, world: Arc<World>, out: &mut Output) -> Result<Arc<World>> {
        let cores = cores_asked(Kind::Cores, &world.fleet, 0..world.fleet.cores.len());
        self.ask_cores(&world, cores, None, out).await
    }

    /// Reads the targets of these groups, of all where none is named, into the world that names them.
    pub(super) async fn read_targets(&self, world: &World, of: Targets, out: &mut Output) -> Arc<World> {
        let (config, reader) = (Arc::clone(&self.config), Arc::clone(&self.reader));
        let (silent, told) = watch::channel(Vec::new());
        let patience = Patience { limit: None, silent: Some(silent) };
        let reading = targets(reader, config, world, of, self.clock, patience);
        attended(reading, told, None, self.reader.as_ref(), out).await
    }

    /// Waits for something that reads; a person who begins to wonder is told how far it is.
    pub(super) async fn patiently<T>(&self, reading: impl Future<Output = T>, out: &mut Output) -> T {
        patiently(reading, self.reader.as_ref(), |_| (), out).await
    }

    /// Reads sources until the token is cancelled.
    pub(super) fn start(
        &self,
        config: Config,
        sources: &[Source],
        kept: Keeping,
        cancel: CancellationToken,
    ) -> Collector {
        collect::start(Arc::clone(&self.reader), Arc::new(config), sources, self.clock, kept, cancel)
    }
}
