//! `coredeck sim`: a pretended AWS on this machine, until somebody ends it; and the one behind `--demo`.

use super::output::Output;
use super::table::{self, Cell, Heading};
use crate::aws;
use crate::clock::Clock;
use crate::config::{Account, Config, CoreReach, Cores, Dns, Login, Regions};
use crate::error::{Error, Result};
use crate::model::{AccountName, FleetName, Region};
use crate::query::Unit;
use crate::sim::{Options, Running, Scenario, serve, served};
use clap::Args;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

/// `coredeck sim`
#[derive(Args, Clone, Debug)]
pub(super) struct SimArgs {
    /// Where to listen; loopback only, port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// A scenario in TOML: fleet, faults, events; flags beside it win
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    scenario: Option<PathBuf>,
    /// How many accounts it has [default: 1]
    #[arg(long, value_name = "N")]
    accounts: Option<usize>,
    /// A region that holds a fleet; may be repeated [default: us-east-1]
    #[arg(
        id = "fleet_regions",
        long = "regions",
        alias = "fleet-region",
        value_name = "REGION",
        value_delimiter = ','
    )]
    regions: Vec<String>,
    /// At least so many instances in each region
    #[arg(long, value_name = "N")]
    instances: Option<usize>,
    /// What all chance comes from [default: 1]
    #[arg(long)]
    seed: Option<u64>,
    /// Pretended seconds that pass in a second; 0 stands still [default: 1]
    #[arg(long, value_name = "FACTOR")]
    speed: Option<f64>,
    /// Begin with nothing instead of with the demo fleet
    #[arg(long)]
    empty: bool,
    /// Write every call to this file, one JSON object a line
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    record: Option<PathBuf>,
}

impl SimArgs {
    /// The scenario's options, or the usual ones, with what the flags say over them.
    fn options(self, clock: Clock) -> Result<Options> {
        let told = match &self.scenario {
            Some(file) => crate::sim::read(file)?,
            None => Options { clock, ..Options::default() },
        };
        Ok(Options {
            listen: self.listen,
            scenario: if self.empty { Scenario::Empty } else { told.scenario },
            seed: self.seed.unwrap_or(told.seed),
            speed: self.speed.unwrap_or(told.speed),
            instances: self.instances.or(told.instances),
            accounts: self.accounts.unwrap_or(told.accounts),
            fleets: if self.empty { Vec::new() } else { told.fleets },
            regions: if self.regions.is_empty() { told.regions } else { self.regions },
            record: self.record,
            ..told
        })
    }
}

/// Serves until SIGINT or SIGTERM: variables to export on stdout, the rest on stderr.
pub(super) async fn run(args: SimArgs, clock: Clock, out: &mut Output) -> Result<()> {
    let signals = |why: std::io::Error| Error::failed("cannot listen for signals").because(why);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(signals)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(signals)?;
    let options = Options { cores: true, ..args.options(clock)? };
    let accounts = options.accounts;
    let running = serve(options).await?;
    out.say(&format!("a pretended AWS on {}, until Ctrl-C; it serves:", running.url()));
    out.say(&services());
    if let Some(door) = running.cores_door() {
        let count = running.cores().len();
        out.say(&format!(
            "and {count} pretended cores: http://{door} lists them with their ports, and is a proxy to each"
        ));
    }
    out.say("point any AWS client at it by exporting these, for example in another shell:");
    let mut exports = String::new();
    for account in 0..accounts {
        if accounts > 1 {
            let id = running.accounts().get(account).cloned().unwrap_or_default();
            exports.push_str(&format!("# account {id}\n"));
        }
        for (name, value) in running.exports_of(account) {
            exports.push_str(&format!("export {name}={value}\n"));
        }
    }
    out.data(&exports)?;
    let stop = running.stop_handle();
    let stopped = running.stopped();
    tokio::pin!(stopped);
    tokio::select! {
        ended = &mut stopped => return ended,
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    stop.cancel();
    stopped.await?;
    out.say("ended");
    Ok(())
}

/// What is served, a line for each service.
fn services() -> String {
    let mut by_service: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for operation in served() {
        by_service.entry(operation.service).or_default().push(operation.operation);
    }
    let heading = |title: &str| Heading { title: title.to_owned(), unit: Unit::Text, is_id: true };
    let cell = |text: String| Cell { text, health: None };
    let rows: Vec<Vec<Cell>> = by_service
        .into_iter()
        .flat_map(|(service, operations)| {
            let lines: Vec<String> = operations.chunks(3).map(|some| some.join(", ")).collect();
            lines.into_iter().enumerate().map(move |(nth, line)| {
                vec![cell(if nth == 0 { service.to_owned() } else { String::new() }), cell(line)]
            })
        })
        .collect();
    table::draw(&[heading("SERVICE"), heading("OPERATIONS")], &rows, true, None, super::output::Colour::No)
}

/// Regions of the pretended fleet behind `--demo`: one, so that the first look is not twice the same.
const DEMO_REGIONS: [&str; 1] = ["us-east-1"];

/// Serves the demo fleet, and says how it is reached: only over loopback, with keys that open nothing else.
pub(super) async fn demo(config: Config, clock: Clock) -> Result<(Running, Config, aws::Options)> {
    let regions = DEMO_REGIONS.map(str::to_owned).to_vec();
    let running = serve(Options { regions, clock, cores: true, ..Options::default() }).await?;
    let named = DEMO_REGIONS.iter().map(Region::new).collect();
    let account = Account { name: AccountName::new("demo"), login: Login::Chain, regions: None };
    let config = Config {
        // The name under which the pretended registry keeps its cores and tenants.
        fleet: FleetName::new("demo"),
        accounts: vec![account],
        // Regions from a flag hold, so that a demo can show what a region without a fleet looks like.
        regions: if config.regions == Regions::Chain {
            Regions::Named(named)
        } else {
            config.regions.clone()
        },
        endpoint_url: Some(running.url()),
        dns: Dns { route53: true },
        cores: Cores {
            reach: CoreReach::Direct,
            proxy: running.cores_door().map(|door| format!("http://{door}")),
        },
        ..config
    };
    let options = aws::Options { environment: Some(running.exports()), clock, ..aws::Options::default() };
    Ok((running, config, options))
}
