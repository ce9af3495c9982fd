//! A pretended AWS whose time moves with the runner, and everything that a runner needs beside it.

use super::refusing::{Meddles, Written};
use crate::sim::still;
use coredeck::aws;
use coredeck::clock::Clock;
use coredeck::collect;
use coredeck::config::{Account, Config, Login, Regions};
use coredeck::gateway::change::{FleetWriter, Receipt, WriteError};
use coredeck::gateway::{FleetProbe, FleetReader, Look, Seen};
use coredeck::model::{AccountName, Region, Scope, Text, Trouble, TroubleKind};
use coredeck::ops::begin::{Beginning, enter};
use coredeck::ops::census::Lists;
use coredeck::ops::launching::LaunchFact;
use coredeck::ops::{Aspect, Desk, Edge, Intent, OpState, Plan, Start, Timer, Value};
use coredeck::sim::Running;
use coredeck::store::journal::{
    Bell, Claim, Entry, Grip, Journal, Ledger, LedgerError, OpRecord, Request, Result as Kept, Runner, Who,
};
use coredeck::supertokens::{Client, Probing, Writing};
use coredeck::world::{Interest, World};
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// When the pretended time begins.
pub(super) fn start() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// A pretended AWS with its client.
pub(super) struct Bench {
    pub(super) running: Arc<Running>,
    pub(super) aws: Arc<aws::Aws>,
    pub(super) config: Config,
    pub(super) timer: Arc<Stepper>,
    pub(super) folder: crate::residue::Folder,
    /// What reaches into the pretended cores, where there are any.
    cores: Option<Arc<Probing>>,
}

/// Something that happens at a moment.
type Due = (Timestamp, Box<dyn FnOnce() + Send>);

/// Time that passes when somebody waits for it, in the pretended world too.
pub(super) struct Stepper {
    running: Arc<Running>,
    /// When its readings begin, by a clock that this time does not follow.
    born: Instant,
    /// Moments that somebody waits for a token until.
    sleepers: Mutex<Vec<Timestamp>>,
    /// Requests that have no answer yet.
    under_way: AtomicUsize,
    /// Rung when one of these changes.
    moved: tokio::sync::Notify,
    now: Mutex<Timestamp>,
    /// A clock that goes with this time.
    led: Mutex<Option<&'static AtomicI64>>,
    /// What happens when a moment is reached.
    pub(super) then: Mutex<Vec<Due>>,
}

impl Stepper {
    /// The runner's time, to be set where the world went on without it.
    pub(super) fn clock(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        self.now.lock().unwrap()
    }
}

/// Somebody who waits for a moment.
struct Waits<'a> {
    of: &'a Stepper,
    at: Timestamp,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let mut all = self.of.sleepers.lock().unwrap();
        if let Some(mine) = all.iter().position(|at| *at == self.at) {
            all.swap_remove(mine);
        }
        drop(all);
        self.of.moved.notify_waiters();
    }
}

impl std::fmt::Debug for Stepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stepper at {}", self.clock())
    }
}

/// Buckets that fill by the pretended time: whoever waits for a token lets it pass.
impl coredeck::clock::Pace for Stepper {
    fn now(&self) -> Instant {
        self.born + Duration::try_from(self.clock().duration_since(start())).unwrap()
    }

    fn until(&self, at: Instant) -> BoxFuture<'_, ()> {
        let at = start() + at.saturating_duration_since(self.born);
        async move {
            let waits = Waits { of: self, at };
            self.sleepers.lock().unwrap().push(at);
            // Time stands still while anybody has a request under way, and it goes to the next who waits.
            while *self.clock() < at {
                let moved = self.moved.notified();
                let is_next = self.sleepers.lock().unwrap().iter().min() == Some(&at);
                if is_next && self.under_way.load(Ordering::SeqCst) == 0 {
                    Timer::until(self, at).await;
                } else {
                    moved.await;
                }
            }
            drop(waits);
        }
        .boxed()
    }

    fn begun(&self) {
        self.under_way.fetch_add(1, Ordering::SeqCst);
    }

    fn ended(&self) {
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        self.moved.notify_waiters();
    }
}

impl Timer for Stepper {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    fn until(&self, at: Timestamp) -> BoxFuture<'_, ()> {
        let mut now = self.now.lock().unwrap();
        if at > *now {
            self.running.step(at.duration_since(*now).try_into().unwrap());
            *now = at;
            if let Some(led) = *self.led.lock().unwrap() {
                led.store(at.as_millisecond(), Ordering::SeqCst);
            }
            self.moved.notify_waiters();
        }
        let mut then = self.then.lock().unwrap();
        while let Some(due) = then.iter().position(|(due, _)| *due <= *now) {
            (then.swap_remove(due).1)();
        }
        // Others that wait in the same runtime get their turn.
        tokio::task::yield_now().boxed()
    }
}

/// A client whose requests wait for their tokens in pretended time.
async fn paced(config: &Config, running: &Running, timer: &Arc<Stepper>, clock: Clock) -> Arc<aws::Aws> {
    let options = aws::Options {
        environment: Some(running.exports()),
        clock,
        pace: Arc::clone(timer) as Arc<dyn coredeck::clock::Pace>,
        ..aws::Options::default()
    };
    Arc::new(aws::connect(config, options).await.unwrap())
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::of(still().await).await
    }

    /// On a pretended AWS that is there already.
    pub(super) async fn of(running: Running) -> Self {
        let running = Arc::new(running);
        let config = Config {
            fleet: "demo".into(),
            accounts: vec![Account { name: AccountName::new("demo"), login: Login::Chain, regions: None }],
            regions: Regions::Named(vec![Region::new("us-east-1")]),
            endpoint_url: Some(running.url()),
            ..Config::default()
        };
        let timer = Arc::new(Stepper {
            running: Arc::clone(&running),
            born: coredeck::clock::monotonic(),
            sleepers: Mutex::default(),
            under_way: AtomicUsize::new(0),
            moved: tokio::sync::Notify::new(),
            now: Mutex::new(start()),
            led: Mutex::new(None),
            then: Mutex::default(),
        });
        let aws = paced(&config, &running, &timer, Clock::Fixed(start())).await;
        let cores = running.cores_door().map(|door| {
            let clock = Clock::Fixed(start());
            let client = Client::through(clock, Some(&format!("http://{door}"))).unwrap();
            let cloud = Arc::clone(&aws) as Arc<dyn FleetProbe>;
            Arc::new(Probing::new(cloud, Arc::clone(&aws) as _, client, clock))
        });
        Self { running, aws, config, timer, folder: crate::residue::Folder::new(), cores }
    }

    /// On a pretended AWS whose cores can be asked too.
    pub(super) async fn with_cores() -> Self {
        let clock = Clock::Fixed(start());
        let options = coredeck::sim::Options { clock, speed: 0.0, cores: true, ..Default::default() };
        Self::of(coredeck::sim::serve(options).await.unwrap()).await
    }

    /// What sees the fleet, and its cores where they can be asked.
    pub(super) fn probe(&self) -> Arc<dyn FleetProbe> {
        match &self.cores {
            Some(cores) => Arc::clone(cores) as Arc<dyn FleetProbe>,
            None => Arc::clone(&self.aws) as Arc<dyn FleetProbe>,
        }
    }

    /// Another client of the same AWS, with buckets of its own.
    pub(super) async fn another(&self) -> Arc<aws::Aws> {
        paced(&self.config, &self.running, &self.timer, Clock::Fixed(start())).await
    }

    /// From now on what asks for the figures of the last minutes reads the pretended clock.
    pub(super) async fn lead(&mut self) {
        let at: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(start().as_millisecond())));
        *self.timer.led.lock().unwrap() = Some(at);
        at.store(self.timer.clock().as_millisecond(), Ordering::SeqCst);
        self.aws = paced(&self.config, &self.running, &self.timer, Clock::Led(at)).await;
    }

    /// Connects again, after the configuration was changed.
    pub(super) async fn reconnect(&mut self) {
        self.aws = paced(&self.config, &self.running, &self.timer, Clock::Fixed(start())).await;
    }

    pub(super) fn journal(&self) -> Journal {
        Journal::open(&self.folder.path().join("journal.db")).unwrap()
    }

    pub(super) fn writer(&self) -> Arc<dyn FleetWriter> {
        let writer = Arc::new(self.aws.writer().unwrap());
        match &self.cores {
            Some(cores) => Arc::new(Writing::new(Arc::clone(&writer) as _, writer, Arc::clone(cores))),
            None => writer,
        }
    }

    pub(super) async fn world(&self, verb: &str) -> Arc<World> {
        let sources = coredeck::ops::kind(verb).unwrap().reads();
        let reader = Arc::clone(&self.aws) as Arc<dyn FleetReader>;
        let config = Arc::new(self.config.clone());
        let patience = collect::Patience::default();
        collect::once(reader, config, &sources, Interest::default(), Clock::Fixed(start()), patience).await
    }

    pub(super) async fn plan(&self, intent: Intent) -> coredeck::error::Result<Plan> {
        self.at_desk(&intent.verb.clone(), async |desk| desk.plan(intent).await).await
    }

    /// Does something at a desk with a world that was just read.
    async fn at_desk<T>(&self, verb: &str, act: impl AsyncFnOnce(&Desk<'_>) -> T) -> T {
        let world = self.world(verb).await;
        let (writer, probe) = (self.writer(), self.probe());
        let desk = Desk {
            snapshot: &world.snapshot,
            fleet: &world.fleet,
            config: &self.config,
            probe: probe.as_ref(),
            writer: Some(writer.as_ref()),
            now: self.timer.now(),
        };
        act(&desk).await
    }

    pub(super) fn enter(&self, plan: &Plan) -> OpRecord {
        enter(&self.journal(), plan, beginning("anna", self.timer.now())).unwrap()
    }

    pub(super) fn edge(&self, ledger: Arc<dyn Ledger>, writer: Arc<dyn FleetWriter>) -> Edge {
        let scope = Scope { account: "demo".into(), region: "us-east-1".into() };
        let reader = Arc::clone(&self.aws) as Arc<dyn FleetReader>;
        Edge {
            probe: self.probe(),
            writer,
            ledger,
            census: Arc::new(Lists { reader, scopes: vec![scope], tiers: self.config.tiers.clone() }),
            timer: Arc::clone(&self.timer) as Arc<dyn Timer>,
            bell: Bell::silent(),
            stop: CancellationToken::new(),
        }
    }

    /// Runs an operation undisturbed.
    pub(super) async fn run(&self, id: &str) -> OpState {
        let edge = self.edge(Arc::new(self.journal()), self.writer());
        coredeck::ops::run(&edge, id, &runner("anna")).await.unwrap()
    }

    /// Everything that a plan cares about, as it is now. What counts tasks by name is left out: names differ.
    pub(super) async fn facts(&self, plan: &Plan) -> BTreeMap<Aspect, Value> {
        let mut facts = Vec::new();
        // An entry that names an instance that was launched is another one in every world.
        let launches = plan.lanes.iter().flat_map(|lane| &lane.steps).any(|step| step.go.names.is_some());
        for lane in &plan.lanes {
            let legs = lane.steps.iter().flat_map(|step| step.undo.leg().into_iter().chain([&step.go]));
            let of_legs = legs.flat_map(|leg| leg.until.facts());
            let all = of_legs.chain(lane.facts.iter().map(|fact| &fact.fact));
            facts.extend(all.map(|fact| (lane.scope.clone(), fact.clone())));
        }
        facts.sort();
        facts.dedup();
        let seen = coredeck::ops::run::see(self.probe().as_ref(), &facts).await.unwrap();
        seen.into_iter()
            .filter(|((_, fact), _)| !launches || !matches!(fact, Aspect::ParameterHash { .. }))
            .filter(|((_, fact), _)| {
                !matches!(
                    fact,
                    Aspect::ServiceDeployment { .. }
                        | Aspect::GroupRefresh { .. }
                        | Aspect::Launching {
                            fact: LaunchFact::Fit { .. } | LaunchFact::TemplateVersion { .. }
                        }
                )
            })
            .map(|((_, fact), value)| (fact, value))
            .collect()
    }

    /// Instances that operations launched, whatever has become of them.
    pub(super) async fn launched(&self) -> usize {
        let scope = Scope { account: "demo".into(), region: "us-east-1".into() };
        let look = Look::Tagged { key: "coredeck:operation".into(), value: "op-*".into() };
        let Seen::Instances(all) = self.aws.look(&scope, &look).await.unwrap() else { panic!() };
        all.len()
    }

    /// The plan that takes an operation back.
    pub(super) async fn undo(&self, op: &OpState) -> coredeck::error::Result<Plan> {
        self.at_desk("core create", async |desk| coredeck::ops::rollback::plan(desk, op).await).await
    }

    /// What was changed in the pretended AWS, by call, without what names the operation.
    pub(super) fn changes(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in self.running.calls() {
            if call["changes"] == true && call["error"].is_null() {
                *counts.entry(call["operation"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
        counts
    }
}

pub(super) fn who(user: &str) -> Who {
    Who { user: user.to_owned(), host: "bastion".to_owned(), ..Who::default() }
}

pub(super) fn runner(user: &str) -> Start {
    Start { who: who(user), home: "here".to_owned(), force: false }
}

pub(super) fn beginning(user: &str, at: Timestamp) -> Beginning {
    Beginning { who: who(user), reason: Some("a test".to_owned()), reach: Vec::new(), at }
}

pub(super) fn intent(verb: &str, targets: &[&str]) -> Intent {
    Intent {
        verb: verb.to_owned(),
        targets: targets.iter().map(|target| (*target).to_owned()).collect(),
        ..Intent::default()
    }
}

/// A journal whose machine dies after so many records: nothing is written any more.
pub(super) struct Mortal {
    pub(super) inner: Journal,
    pub(super) left: AtomicI64,
    /// Its disk is full then, instead of its machine dead: what was written before is known.
    pub(super) is_full: bool,
}

impl Mortal {
    fn alive(&self) -> Kept<()> {
        match (self.left.load(Ordering::SeqCst) > 0, self.is_full) {
            (true, _) => Ok(()),
            (false, true) => Err(LedgerError::Full(self.inner.file().to_path_buf())),
            (false, false) => Err(LedgerError::Other("dead".to_owned())),
        }
    }
}

impl Ledger for Mortal {
    fn begin(&self, record: &OpRecord, holds: &[(String, Grip)]) -> Kept<()> {
        self.inner.begin(record, holds)
    }
    fn claim(&self, op: &str, who: &Who, at: Timestamp, force: bool) -> Kept<i64> {
        self.inner.claim(op, who, at, force)
    }
    fn beat(&self, op: &str, epoch: i64, at: Timestamp) -> Kept<()> {
        self.alive()?;
        self.inner.beat(op, epoch, at)
    }
    fn release(&self, op: &str, epoch: i64, at: Timestamp, done: bool) -> Kept<()> {
        self.alive()?;
        self.inner.release(op, epoch, at, done)
    }
    fn hold(&self, op: &str, holds: &[(String, Grip)], at: Timestamp) -> Kept<()> {
        self.inner.hold(op, holds, at)
    }
    fn append(&self, op: &str, epoch: i64, at: Timestamp, kind: &str, body: &str) -> Kept<Entry> {
        self.alive()?;
        let entry = self.inner.append(op, epoch, at, kind, body)?;
        self.left.fetch_sub(1, Ordering::SeqCst);
        if !self.is_full {
            self.alive()?;
        }
        Ok(entry)
    }
    fn reserve(&self, op: &str, epoch: i64, claim: &Claim<'_>) -> Kept<Vec<String>> {
        self.alive()?;
        self.inner.reserve(op, epoch, claim)
    }
    fn give_back(&self, op: &str, pool: &str, target: &str, at: Timestamp) -> Kept<()> {
        self.alive()?;
        self.inner.give_back(op, pool, target, at)
    }
    fn ask(&self, op: &str, verb: &str, who: &Who, reason: Option<&str>, at: Timestamp) -> Kept<Request> {
        self.inner.ask(op, verb, who, reason, at)
    }
    fn requests(&self, op: &str, after: i64) -> Kept<Vec<Request>> {
        self.inner.requests(op, after)
    }
    fn ops(&self, most: usize) -> Kept<Vec<OpRecord>> {
        self.inner.ops(most)
    }
    fn op(&self, id: &str) -> Kept<OpRecord> {
        self.inner.op(id)
    }
    fn entries(&self, op: &str, after: i64) -> Kept<Vec<Entry>> {
        self.inner.entries(op, after)
    }
    fn runner(&self, op: &str) -> Kept<Option<(Runner, bool)>> {
        self.inner.runner(op)
    }
}

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The runner dies before it leaves.
    DiesBefore,
    /// The runner dies when it is done and before the answer is known.
    DiesAfter,
    /// It is done, and its answer is lost.
    Unheard,
}

/// A runner that meets its fate at one call.
pub(super) struct Fated {
    pub(super) at: usize,
    pub(super) fate: Fate,
    pub(super) count: AtomicUsize,
    pub(super) dead: CancellationToken,
}

impl Meddles for Fated {
    fn meddle<'a>(&'a self, written: Written<'a>) -> BoxFuture<'a, Result<Receipt, WriteError>> {
        async move {
            if self.count.fetch_add(1, Ordering::SeqCst) != self.at {
                return written.pass().await;
            }
            if self.fate == Fate::DiesBefore {
                self.dead.cancel();
                return std::future::pending().await;
            }
            let done = written.pass().await;
            if self.fate == Fate::DiesAfter {
                self.dead.cancel();
                return std::future::pending().await;
            }
            done.and_then(|_| Err(WriteError::Unknown(lost())))
        }
        .boxed()
    }
}

pub(super) fn lost() -> Trouble {
    Trouble {
        kind: TroubleKind::Unreachable,
        call: Text::new("test:Lost"),
        code: None,
        message: "the connection was reset before the answer came".to_owned(),
        hint: None,
        request_id: None,
        at: start(),
    }
}

/// So much later.
pub(super) fn later(minutes: i64) -> Timestamp {
    start() + SignedDuration::from_mins(minutes)
}
