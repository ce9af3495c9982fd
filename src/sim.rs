//! A pretend AWS on loopback: its wire, its world and its demo fleet, sharing no code with `aws`.
//!
//! Requests come in by the protocols of the real services (`http`), find an operation (`service`), look
//! at or change a place of the world (`world`: what one account has in one region), and leave as data
//! (`shape`) that is written in the protocol they came in. A parameter that an operation does not
//! understand is refused by the service's own code; an answer is never made up.

mod autoscaling;
mod buckets;
mod builder;
mod channel;
mod cloudwatch;
mod cores;
mod demo;
mod described;
mod dice;
mod ec2;
mod ecs;
mod elbv2;
mod fault;
mod faults;
mod filter;
mod http;
mod identity;
mod input;
mod journal;
mod logs;
mod market;
mod meddling;
mod page;
mod pricing;
mod route53;
mod script;
mod service;
mod shape;
mod skew;
mod ssm;
mod sts;
#[cfg(test)]
mod tests;
mod time;
mod wire;
mod world;

pub use self::cores::CoreAt;
pub use self::described::Fleet;
pub use self::dice::SECRET;
pub use self::faults::{Mischief, Rule};
pub use self::journal::Mutation;
pub use self::script::{Happening, What, parse, read};

use self::buckets::Buckets;
use self::builder::Builder;
use self::channel::{Channels, Hall};
use self::cores::Cores;
use self::faults::{Denials, Faults};
use self::http::Site;
use self::journal::Journal;
use self::service::{Run, SERVICES};
use self::time::WorldClock;
use self::wire::{Lines, Switch};
use self::world::geography::Region;
use self::world::past::Past;
use self::world::place::Place;
use self::world::{Account, World};
use crate::clock::Clock;
use crate::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What to pretend.
#[derive(Clone, Debug, PartialEq)]
pub enum Scenario {
    /// The demo fleet that is built in: the founding one, with trouble to find.
    Demo,
    /// Accounts with nothing in them.
    Empty,
}

/// How to run a pretend AWS.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; loopback only. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// What to pretend.
    pub scenario: Scenario,
    /// What all chance comes from; the same seed at the same time makes the same fleet.
    pub seed: u64,
    /// Pretended seconds that pass in a second; 0 stands still until stepped.
    pub speed: f64,
    /// How many instances each place of the demo fleet has at least; none for the fleet as it is.
    pub instances: Option<usize>,
    /// How many accounts there are, from 1.
    pub accounts: usize,
    /// The numbers of the first accounts; those without one get one from the seed.
    pub account_ids: Vec<String>,
    /// Fleets that a scenario describes; they stand in the accounts and regions that they name.
    pub fleets: Vec<Fleet>,
    /// Regions that hold a fleet, by name.
    pub regions: Vec<String>,
    /// A file that receives every call, one JSON object a line.
    pub record: Option<PathBuf>,
    /// Where the pretend time starts.
    pub clock: Clock,
    /// What goes wrong on purpose; the first rule that hits a call counts.
    pub faults: Vec<Rule>,
    /// What happens, and when.
    pub events: Vec<Happening>,
    /// EC2 shows what was before a change for one to four pretended seconds after it.
    pub lags: bool,
    /// Calls take from token buckets, and are throttled when they are empty.
    pub buckets: bool,
    /// Every core has its HTTP interface on loopback.
    pub cores: bool,
    /// How far the wire's clock is off the machine's; signatures more than five minutes off it are refused.
    pub clock_off: jiff::SignedDuration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            scenario: Scenario::Demo,
            seed: 1,
            speed: 1.0,
            instances: None,
            accounts: 1,
            account_ids: Vec::new(),
            fleets: Vec::new(),
            regions: vec!["us-east-1".to_owned()],
            record: None,
            clock: Clock::Real,
            faults: Vec::new(),
            events: Vec::new(),
            lags: false,
            buckets: false,
            cores: false,
            clock_off: jiff::SignedDuration::ZERO,
        }
    }
}

/// A pretend AWS that is being served. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    site: Arc<Site>,
    region: String,
    cores: Option<Arc<Cores>>,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
}

/// One operation that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// The service as people name it.
    pub service: &'static str,
    /// The service as AWS's models name it.
    pub model: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// It changes something.
    pub changes: bool,
}

/// Every operation that is served, by service.
pub fn served() -> Vec<Served> {
    let each = |service: &&'static service::Service| {
        let (title, model) = (service.title, service.model);
        service.operations.iter().map(move |operation| Served {
            service: title,
            model,
            operation: operation.name,
            changes: matches!(operation.run, Run::Write(_)),
        })
    };
    SERVICES.iter().flat_map(each).collect()
}

/// Starts a pretend AWS. Needs a tokio runtime.
///
/// # Errors
/// A listen address that is not loopback, unknown regions, no accounts: usage errors, all at once. A port
/// in use or a record file that cannot be made: failures.
pub async fn serve(options: Options) -> Result<Running, Error> {
    check(&options)?;
    let record = match &options.record {
        None => None,
        Some(path) => Some(std::fs::File::create(path).map_err(|error| {
            Error::failed(format!("cannot write the record of calls to {}", path.display())).because(error)
        })?),
    };
    let listener = TcpListener::bind(options.listen).await.map_err(|error| {
        Error::failed(format!("cannot listen on {}", options.listen))
            .because(error)
            .hint("--listen 127.0.0.1:0 takes a free port")
    })?;
    let addr = listener.local_addr()?;
    let region = options.regions.first().cloned().unwrap_or_default();
    let mut world = build(&options);
    world.channels = Channels::at(addr);
    let faults = Faults::new(options.seed, world.clock.start(), options.faults.clone());
    let stop = CancellationToken::new();
    let journal = Journal::new(record);
    let site = Arc::new(Site {
        world,
        journal,
        faults,
        buckets: options.buckets.then(Buckets::default),
        clock_off: options.clock_off,
        served: AtomicU64::new(0),
        stop: stop.clone(),
    });
    let here: Vec<&'static str> =
        options.regions.iter().filter_map(|name| Region::named(name)).map(|region| region.name).collect();
    let cores = if options.cores { Some(cores::open(&site, &here).await?) } else { None };
    let hall = Hall { site: Arc::clone(&site), cores: cores.clone() };
    let app = axum::Router::new()
        .route("/v1/data-channel/{id}", axum::routing::get(channel::enter).with_state(hall))
        .fallback(http::answer)
        .with_state(Arc::clone(&site))
        .into_make_service_with_connect_info::<Switch>();
    let until = stop.clone();
    let task = tokio::spawn(async move {
        axum::serve(Lines(listener), app).with_graceful_shutdown(until.cancelled_owned()).await
    });
    Ok(Running { addr, site, region, cores, stop, task })
}

fn check(options: &Options) -> Result<(), Error> {
    let mut faults = Vec::new();
    if !options.listen.ip().is_loopback() {
        faults.push(format!("it listens on loopback only, and {} is not loopback", options.listen.ip()));
    }
    for name in &options.regions {
        faults.extend(region_fault(name));
    }
    if options.regions.is_empty() {
        faults.push("it needs at least one region".to_owned());
    }
    if !(1..=MOST_ACCOUNTS).contains(&options.accounts) {
        faults.push(format!("accounts must be from 1 to {MOST_ACCOUNTS}, not {}", options.accounts));
    }
    if options.instances.is_some_and(|instances| instances > MOST_INSTANCES) {
        faults.push(format!("instances must be at most {MOST_INSTANCES}"));
    }
    if !options.speed.is_finite() || options.speed < 0.0 {
        faults.push("speed must be a number from 0".to_owned());
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Error::usage(format!("cannot start the simulator: {}", faults.join("; ")))
        .hint("coredeck sim --listen 127.0.0.1:0 --regions us-east-1"))
}

/// What is wrong with a region's name, if anything is.
fn region_fault(name: &str) -> Option<String> {
    if Region::named(name).is_some_and(|region| !region.is_opt_in) {
        return None;
    }
    let known = world::geography::REGIONS.iter().filter(|region| !region.is_opt_in);
    let nearest = crate::error::did_you_mean(name, known.map(|region| region.name));
    let nearest = nearest.map(|nearest| format!(", did you mean {nearest}?")).unwrap_or_default();
    Some(format!("no region {name} here{nearest}"))
}

const MOST_ACCOUNTS: usize = 100;
const MOST_INSTANCES: usize = 1_000_000;

fn build(options: &Options) -> World {
    let accounts: Vec<Account> = (0..options.accounts)
        .map(|number| Account {
            id: options
                .account_ids
                .get(number)
                .cloned()
                .unwrap_or_else(|| account_id(options.seed, number))
                .into(),
            key: format!("AKIACOREDECKDEMO{number:04}").into(),
        })
        .collect();
    let clock = WorldClock::new(options.clock, options.speed);
    let past = Past::new(Faults::lag(&options.faults));
    let mut world = World::new(options.seed, clock, accounts, past);
    let now = world.clock.start();
    world.denials = Denials::of(&options.faults, now);
    for account in &world.accounts {
        for region in options.regions.iter().filter_map(|name| Region::named(name)) {
            let mut builder =
                Builder::new(Place::empty(world.seed, &account.id, region.name), now, world.seed);
            let here: Vec<&Fleet> = options
                .fleets
                .iter()
                .filter(|fleet| {
                    filter::glob(&fleet.account, &account.id) && filter::glob(&fleet.region, region.name)
                })
                .collect();
            let has_demo = options.scenario == Scenario::Demo || here.iter().any(|fleet| fleet.has_demo);
            if has_demo {
                demo::fill(&mut builder);
            }
            for fleet in here {
                described::fill(&mut builder, fleet);
            }
            if let Some(instances) = options.instances {
                demo::grow(&mut builder, instances);
            }
            let mut place = builder.place;
            place.veils.is_on = options.lags;
            place.wake(now);
            place.raise_containers();
            let is_here = |event: &&Happening| {
                filter::glob(&event.account, &account.id) && filter::glob(&event.region, region.name)
            };
            for event in options.events.iter().filter(is_here) {
                let seconds = i64::try_from(event.at.as_secs()).unwrap_or(i64::MAX / 2000);
                place.tell(seconds, event.what.clone());
            }
            world.settle(place);
        }
    }
    world
}

/// Twelve digits, the same for the same seed and number.
fn account_id(seed: u64, number: usize) -> String {
    let mut dice = dice::Dice::new(seed, &format!("account {number}"));
    format!("{}", 100_000_000_000 + dice.below(900_000_000_000))
}

impl Running {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL that clients are pointed to.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Environment variables that point every AWS client here, by name.
    pub fn exports(&self) -> Vec<(&'static str, String)> {
        self.exports_of(0)
    }

    /// The same for the account of that number, from 0.
    pub fn exports_of(&self, account: usize) -> Vec<(&'static str, String)> {
        let key = self.site.world.accounts.get(account).map(|account| account.key.to_string());
        vec![
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_ACCESS_KEY_ID", key.unwrap_or_default()),
            ("AWS_SECRET_ACCESS_KEY", "coredeck-demo-no-secret".to_owned()),
            ("AWS_REGION", self.region.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// The account numbers, in order.
    pub fn accounts(&self) -> Vec<String> {
        self.site.world.accounts.iter().map(|account| account.id.to_string()).collect()
    }

    /// Every call that was answered and is still kept, as the record file would hold it.
    pub fn calls(&self) -> Vec<serde_json::Value> {
        self.site.journal.entries().iter().map(journal::Entry::json).collect()
    }

    /// Every call of an operation that changes something, in the order in which they came.
    pub fn mutations(&self) -> Vec<Mutation> {
        self.site.journal.mutations()
    }

    /// Gives every agent of Systems Manager this version. Those up to 3.0.196.0 forward one connection at a time.
    pub fn set_agents(&self, version: &'static str) {
        for place in self.site.world.settled() {
            let mut place = place.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            place
                .instances
                .rows_mut()
                .filter_map(|one| one.agent.as_mut())
                .for_each(|it| it.version = version);
        }
    }

    /// Sessions of Systems Manager that were opened and not ended, by their ids.
    pub fn sessions(&self) -> Vec<String> {
        self.site.world.channels.ids()
    }

    /// The cores of the fleet and where they can be asked; none unless that was asked for.
    pub fn cores(&self) -> Vec<CoreAt> {
        self.cores.as_ref().map(|cores| cores.all()).unwrap_or_default()
    }

    /// The proxy that leads to every core by its address in the pretended network, and lists them at `/`.
    pub fn cores_door(&self) -> Option<SocketAddr> {
        self.cores.as_ref().map(|cores| cores.door())
    }

    /// Takes a database host of the pretended cores down, or brings it back. Databases stand at hosts that end in
    /// `.db.internal`; the same name in `.proxy.internal` leads to the same host.
    pub fn take_down(&self, host: &str, is_down: bool) {
        if let Some(cores) = &self.cores {
            cores.take_down(host, is_down);
        }
    }

    /// Lets answers of pretended cores that take time wait for steps of a clock that stands still. They come at once
    /// otherwise.
    pub fn hold_answers(&self) {
        if let Some(cores) = &self.cores {
            cores.hold();
        }
    }

    /// How many requests a core, by its id in the registry, is at work on.
    pub fn serving(&self, core: &str) -> usize {
        self.cores.as_ref().map_or(0, |cores| cores.serving(core))
    }

    /// Lets every question of pretended cores to a database host wait for a lock so long, in pretended time.
    pub fn lock(&self, host: &str, held: Duration) {
        if let Some(cores) = &self.cores {
            cores.lock(host, held);
        }
    }

    /// Lets a database host take so many connections of pretended cores at most.
    pub fn limit_connections(&self, host: &str, connections: u32) {
        if let Some(cores) = &self.cores {
            cores.limit(host, connections);
        }
    }

    /// Moves its time forward.
    pub fn step(&self, by: Duration) {
        self.site.world.clock.step(by);
        if let Some(cores) = &self.cores {
            cores.stepped();
        }
    }

    /// What stops it when cancelled.
    pub fn stop_handle(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits until it has stopped: after the stop handle was cancelled, or when its listener failed.
    ///
    /// # Errors
    /// What the listener failed of.
    pub async fn stopped(mut self) -> Result<(), Error> {
        match (&mut self.task).await {
            Ok(outcome) => outcome.map_err(Error::from),
            Err(error) => Err(Error::failed("the simulator broke down").because(error)),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        self.task.abort();
    }
}
