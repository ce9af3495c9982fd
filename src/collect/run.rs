//! The edge: spawns reads, takes in answers, publishes worlds. One task owns it all.

mod joined;
mod once;
mod pages;

pub use once::{Patience, further, once};

use self::joined::{Joined, News};
use self::pages::Page;
use super::board::{Begun, Board, Job};
use super::memory::{Chronicle, Memory, Past};
use crate::clock::{Clock, monotonic};
use crate::config::{Account, Config, Regions};
use crate::fleet::Deed;
use crate::gateway::{FleetReader, GatewayError, Reading, Source, Urgency};
use crate::model::{Region, Scope, Trouble, TroubleKind};
use crate::snapshot::Snapshot;
use crate::store::{Cache, History, Kept};
use crate::world::{Wish, World};
use futures::FutureExt;
use jiff::Timestamp;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

/// Pages on their way in; a reader skips a page when this is full.
const PAGES: usize = 64;
/// Wishes on their way in.
const WISHES: usize = 16;
/// At most this often is a world published while answers pour in.
const PUBLISH_PAUSE: Duration = Duration::from_millis(50);
/// And never more than this share of the time is spent on joining rows.
const JOIN_SHARE: u32 = 9;
/// The first reads wait so long for the cache at most: a disk that hangs must not keep the fleet from being read.
const REMEMBER_WITHIN: Duration = Duration::from_secs(2);
/// A running collection.
#[derive(Debug)]
pub struct Collector {
    /// The newest world.
    pub world: watch::Receiver<Arc<World>>,
    /// Where wishes go.
    pub wishes: mpsc::Sender<Wish>,
    /// The task that owns the reads; ends when its token is cancelled.
    pub task: JoinHandle<()>,
}

/// Reads a fleet for as long as `cancel` is not cancelled. What an earlier run left in the cache shows
/// at once, with its age, until it has been read again; what is read goes into the history.
pub fn start(
    reader: Arc<dyn FleetReader>,
    config: Arc<Config>,
    sources: &[Source],
    clock: Clock,
    kept: Keeping,
    cancel: CancellationToken,
) -> Collector {
    let mut run = Run::new(reader, config, Board::new, sources, None, clock);
    run.memory = Memory::new(kept.history, kept.chronicle);
    if let Some(cache) = kept.cache {
        run.remember(cache);
    }
    let (publish, world) = watch::channel(run.world());
    let (wishes, inbox) = mpsc::channel(WISHES);
    let task = tokio::spawn(async move { run.keep(&publish, inbox, cancel).await });
    Collector { world, wishes, task }
}

/// Where a collection keeps what it reads, for later runs.
#[derive(Debug, Default)]
pub struct Keeping {
    /// The last reading of every list.
    pub cache: Option<Cache>,
    /// The readings of the last days.
    pub history: Option<History>,
    /// What coredeck itself did, for moments of the past.
    pub chronicle: Option<Arc<dyn Chronicle>>,
}

/// What ended: a read, the listing of an account's regions, or a look into the past.
enum Ended {
    Read(Arc<Scope>, Source, Result<Reading, GatewayError>),
    Regions(usize, Result<Vec<Region>, GatewayError>),
    Past(Past),
    Kept(Vec<Kept>),
}

struct Run {
    reader: Arc<dyn FleetReader>,
    config: Arc<Config>,
    clock: Clock,
    board: Board,
    jobs: JoinSet<Ended>,
    pages_in: mpsc::Sender<Page>,
    pages: mpsc::Receiver<Page>,
    /// Accounts whose regions are being listed.
    listing: Vec<usize>,
    cache: Option<Cache>,
    memory: Memory,
    joined: Option<Joined>,
    /// Operations that are told among what happened.
    deeds: Arc<[Deed]>,
    /// What an earlier run read of places that are not known yet.
    kept: Vec<Kept>,
    /// Long lists of an earlier run are still being read from the cache: until then at most they have the
    /// processor for themselves.
    remembering: Option<Instant>,
    /// Accounts whose regions could not be listed, and when to try again.
    unlisted: Vec<(usize, Instant)>,
}

impl Run {
    fn new(
        reader: Arc<dyn FleetReader>,
        config: Arc<Config>,
        board: impl FnOnce(&Config, &[Source], Option<Urgency>) -> Board,
        sources: &[Source],
        floor: Option<Urgency>,
        clock: Clock,
    ) -> Self {
        let mut run = Self::closed(reader, config, board, sources, floor, clock);
        run.open();
        run
    }

    /// One that knows no scope yet.
    fn closed(
        reader: Arc<dyn FleetReader>,
        config: Arc<Config>,
        board: impl FnOnce(&Config, &[Source], Option<Urgency>) -> Board,
        sources: &[Source],
        floor: Option<Urgency>,
        clock: Clock,
    ) -> Self {
        let board = board(&config, &Source::with_needs(sources), floor);
        let (pages_in, pages) = mpsc::channel(PAGES);
        Self {
            reader,
            config,
            clock,
            board,
            jobs: JoinSet::new(),
            pages_in,
            pages,
            listing: Vec::new(),
            cache: None,
            memory: Memory::default(),
            joined: None,
            deeds: Arc::default(),
            kept: Vec::new(),
            remembering: None,
            unlisted: Vec::new(),
        }
    }

    /// Adds the scopes that are named, and begins to list those that are not.
    fn open(&mut self) {
        let config = Arc::clone(&self.config);
        for (place, account) in config.accounts.iter().enumerate() {
            match account.regions.as_ref().unwrap_or(&config.regions) {
                Regions::Named(regions) => self.add(place, account, regions),
                Regions::All | Regions::Chain => self.list(place),
            }
        }
    }

    /// Shows what an earlier run read, and keeps what this one reads. What belongs to a place that is not
    /// known yet, because its account's regions are still being found out, shows as soon as it is.
    fn remember(&mut self, mut cache: Cache) {
        self.kept = cache.take();
        if let Some(rest) = cache.rest() {
            self.jobs.spawn_blocking(move || Ended::Kept(rest.load()));
            self.remembering = Some(monotonic() + REMEMBER_WITHIN);
        }
        self.cache = Some(cache);
        let config = Arc::clone(&self.config);
        for (place, account) in config.accounts.iter().enumerate() {
            let regions = account.regions.as_ref().unwrap_or(&config.regions);
            if matches!(regions, Regions::All) {
                let theirs: Vec<Scope> = self.kept.iter().map(|kept| kept.scope.clone()).collect();
                for scope in theirs.into_iter().filter(|scope| scope.account == account.name) {
                    self.board.add((place, 0), scope);
                }
            }
        }
        self.recall();
    }

    /// Puts what was kept into the places that are known by now.
    fn recall(&mut self) {
        let (known, unknown) = std::mem::take(&mut self.kept)
            .into_iter()
            .partition(|kept: &Kept| self.board.part(&kept.scope).is_some());
        self.kept = unknown;
        let known: Vec<Kept> = known;
        for kept in known {
            if kept.is_whole {
                self.reader.remind(&kept.scope, &kept.reading);
            }
            self.board.recall(kept);
        }
    }

    fn add(&mut self, place: usize, account: &Account, regions: &[Region]) {
        let is_named = matches!(account.regions.as_ref().unwrap_or(&self.config.regions), Regions::Named(_));
        for (at, region) in regions.iter().enumerate() {
            let scope = Scope { account: account.name.clone(), region: region.clone() };
            self.board.add((place, if is_named { at } else { 0 }), scope);
        }
        self.recall();
    }

    /// Begins to find out an account's regions.
    fn list(&mut self, place: usize) {
        let Some(account) = self.config.accounts.get(place) else { return };
        self.listing.push(place);
        let reader = Arc::clone(&self.reader);
        let name = account.name.clone();
        let all = matches!(account.regions.as_ref().unwrap_or(&self.config.regions), Regions::All);
        self.jobs.spawn(async move {
            let regions = if all {
                reader.regions(&name).await
            } else {
                reader.home_region(&name).await.map(|region| vec![region])
            };
            Ended::Regions(place, regions)
        });
    }

    /// Begins what is due; returns when to look again, and whether a section says something else now.
    fn begin(&mut self) -> (Option<Instant>, bool) {
        let now = monotonic();
        if let Some(until) = self.remembering.filter(|until| now < *until) {
            return (Some(until), false);
        }
        let (again, later): (Vec<_>, Vec<_>) = self.unlisted.drain(..).partition(|(_, at)| *at <= now);
        self.unlisted = later;
        for (place, _) in again {
            self.list(place);
        }
        let Begun { jobs, wake, has_changed, emptied } =
            self.board.begin(&self.config, now, self.clock.now());
        for (scope, source) in emptied {
            self.memory.keep(self.board.part(&scope), source);
        }
        for job in jobs {
            self.spawn(job);
        }
        let listing = self.unlisted.iter().map(|(_, at)| *at).min();
        ([wake, listing].into_iter().flatten().min(), has_changed)
    }

    fn spawn(&mut self, Job { scope, ask, urgency, pages }: Job) {
        let reader = Arc::clone(&self.reader);
        let out = self.pages_in.clone();
        let clock = self.clock;
        self.jobs.spawn(async move {
            let source = ask.source();
            let (sender, mut inbox) = mpsc::channel::<Reading>(1);
            let read = reader.read(&scope, ask, urgency, pages.then_some(sender));
            // A read that panics must end like any other, or its section would be waited for for ever.
            let read = AssertUnwindSafe(read).catch_unwind();
            tokio::pin!(read);
            let mut is_open = true;
            let answer = loop {
                tokio::select! {
                    answer = &mut read => break answer,
                    page = inbox.recv(), if is_open => match page {
                        // A full channel means that the screen is behind: the next page holds this one too.
                        Some(page) => drop(out.try_send((Arc::clone(&scope), page))),
                        None => is_open = false,
                    },
                }
            };
            let answer = answer.unwrap_or_else(|_| Err(broken(source, clock.now())));
            Ended::Read(scope, source, answer)
        });
    }

    fn ended(&mut self, ended: Ended) {
        let at = self.clock.now();
        match ended {
            Ended::Read(scope, source, answer) => {
                // Pages that arrived before the end must not overwrite it afterwards.
                self.take_pages();
                let is_good = answer.is_ok();
                self.board.done(&scope, source, answer, monotonic(), at);
                if is_good {
                    let part = self.board.part(&scope);
                    if let (Some(cache), Some(part)) = (&self.cache, part) {
                        cache.keep(part, source);
                    }
                    self.memory.keep(part, source);
                }
            }
            Ended::Kept(rest) => {
                self.remembering = None;
                self.kept.extend(rest);
                self.recall();
            }
            Ended::Past(past) => {
                self.memory.arrived(past);
                self.look_back();
            }
            Ended::Regions(place, answer) => {
                self.listing.retain(|listed| *listed != place);
                let config = Arc::clone(&self.config);
                let Some(account) = config.accounts.get(place) else { return };
                match answer {
                    Ok(regions) => {
                        self.board.forget(account.name.as_str());
                        self.board.retain(place, &regions);
                        self.add(place, account, &regions);
                    }
                    Err(failure) => {
                        self.board.note(account.name.to_string(), failure.trouble);
                        self.unlisted.push((place, monotonic() + Duration::from_secs(15)));
                    }
                }
            }
        }
    }

    /// Waits for one event and takes it in with everything else that is ready.
    async fn event(&mut self) -> Option<News> {
        let mut news = tokio::select! {
            Some(ended) = self.jobs.join_next() => {
                self.finished(ended);
                News::More
            }
            Some(page) = self.pages.recv() => {
                self.take_pages_after(Some(page));
                News::Pages
            }
            else => return None,
        };
        while let Some(ended) = self.jobs.try_join_next() {
            self.finished(ended);
            news = News::More;
        }
        self.take_pages();
        Some(news)
    }

    fn finished(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        match ended {
            Ok(ended) => self.ended(ended),
            Err(error) => tracing::error!(%error, "a read ended abnormally"),
        }
    }

    /// Reads on and on.
    async fn keep(
        &mut self,
        publish: &watch::Sender<Arc<World>>,
        mut inbox: mpsc::Receiver<Wish>,
        cancel: CancellationToken,
    ) {
        let mut news = None;
        let mut quiet_until = monotonic();
        loop {
            let (wake, has_changed) = self.begin();
            news = news.max(has_changed.then_some(News::More));
            let publish_at = news.map(|news| self.publish_at(news, quiet_until));
            let until = [wake, publish_at].into_iter().flatten().min();
            tokio::select! {
                () = cancel.cancelled() => break,
                () = until_then(until) => {}
                wish = inbox.recv() => match wish {
                    Some(wish) => { self.wish(wish); news = Some(News::More); }
                    None => break,
                },
                more = self.event(), if !self.jobs.is_empty() => news = news.max(more),
            }
            if news.is_some_and(|news| monotonic() >= self.publish_at(news, quiet_until)) {
                let began = monotonic();
                let world = tokio::task::block_in_place(|| self.world());
                if publish.send(world).is_err() {
                    break;
                }
                let ended = monotonic();
                quiet_until = ended + PUBLISH_PAUSE.max((ended - began) * JOIN_SHARE);
                news = self.has_only_grown().then_some(News::Pages);
            }
        }
        self.jobs.abort_all();
        while self.jobs.join_next().await.is_some() {}
        let kept = (self.cache.take(), std::mem::take(&mut self.memory));
        // Writes what still waits for the disk.
        tokio::task::block_in_place(|| drop(kept));
    }

    fn wish(&mut self, wish: Wish) {
        // Whoever asks for anything again also wants the accounts whose regions could not be listed.
        if matches!(wish, Wish::Refresh(_) | Wish::Retry(_)) {
            let now = monotonic();
            self.unlisted.iter_mut().for_each(|(_, at)| *at = now);
        }
        match wish {
            Wish::Refresh(sources) => self.board.want(None, &sources),
            Wish::Retry(scope) => {
                let sources = self.board.sources().to_vec();
                self.board.want(Some(&scope), &sources);
            }
            Wish::Look(interest) => self.board.look(interest),
            Wish::Deeds(deeds) => self.deeds = deeds,
            Wish::At(at) => {
                self.memory.show(at);
                self.look_back();
            }
        }
    }

    /// Begins to put the fleet together as it was at the moment that is wanted, one moment at a time.
    fn look_back(&mut self) {
        let scopes = self.board.scopes().cloned().collect();
        if let Some(work) = self.memory.next(scopes, &self.config.tiers) {
            self.jobs.spawn_blocking(move || Ended::Past(work.run()));
        }
    }

    fn world(&mut self) -> Arc<World> {
        let at = self.clock.now();
        let snapshot: Snapshot = self.board.picture(at);
        let mut fleet = self.joined(&snapshot);
        fleet.at = at;
        fleet.calls = Arc::from(self.reader.calls());
        self.memory.sample(&snapshot, &fleet);
        fleet.tell(&self.deeds);
        let (snapshot, fleet) = self.memory.shown().unwrap_or((Arc::new(snapshot), Arc::new(fleet)));
        Arc::new(World {
            snapshot,
            fleet,
            spending: self.reader.spending(),
            buckets: Arc::from(self.reader.buckets()),
            retries: Arc::new(self.board.retries(monotonic(), at)),
            timeline: self.memory.timeline(),
        })
    }
}

/// The end of a read that panicked.
fn broken(source: Source, at: Timestamp) -> GatewayError {
    Trouble {
        kind: TroubleKind::Other,
        call: source.call().into(),
        code: None,
        message: "coredeck failed while it read this".to_owned(),
        hint: Some(
            "run with `-v --log-file FILE` and report what it says; everything else goes on".to_owned(),
        ),
        request_id: None,
        at,
    }
    .into()
}

async fn until_then(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
