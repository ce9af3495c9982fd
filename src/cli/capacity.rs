//! `coredeck capacity`: how much more fits into each tier.

use super::Outside;
use super::args::{Global, ShowFormat};
use super::json;
use super::output::Output;
use super::partial::{extent, texts, verdict, warnings};
use super::past::Archive;
use super::reach::{self, Reach};
use super::table::{self, Cell, Heading};
use crate::capacity::{Capacity, Density, Measured, Memory, Room, capacity, next_step};
use crate::config::{CoreReach, Figures};
use crate::error::Result;
use crate::fleet::join;
use crate::gateway::Source;
use crate::model::text::harmless;
use crate::model::{Gauge, InstanceState, Known, Tier};
use crate::query::{Kind, Unit};
use crate::snapshot::{Snapshot, Trends};
use crate::world::{Interest, World};
use clap::Args;
use serde_json::{Value, json};
use std::sync::Arc;

/// Days of history that growth is told from.
const DAYS: i64 = 7;

/// `coredeck capacity`
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Densities stand with the tiers, the other figures under [capacity] in the configuration. Monthly users, requests and
users are known where the cores are asked ([cores] reach); growth is told from the history that the screen keeps.")]
pub(super) struct CapacityArgs {
    /// How to write it
    #[arg(short, long, value_enum, default_value_t = ShowFormat::Table)]
    output: ShowFormat,
    /// Read the hosts' CPU use and credits too: two metrics of each, which cost money
    #[arg(long)]
    metrics: bool,
    /// Ask no core; where `reach` is "ssm" each takes a session of Systems Manager
    #[arg(long)]
    without_cores: bool,
    /// Exit with 0 although something could not be read
    #[arg(long)]
    allow_partial: bool,
}

impl CapacityArgs {
    /// Whether a program reads what is written.
    pub(super) fn is_json(&self) -> bool {
        self.output == ShowFormat::Json
    }
}

/// Runs the command.
pub(super) fn run(args: &CapacityArgs, global: &Global, outside: &Outside, out: &mut Output) -> Result<()> {
    super::block_on(async {
        let reach = reach::open(global, outside, out).await?;
        let mut sources: Vec<Source> = Kind::Cores.sources().to_vec();
        sources.push(Source::Rules);
        let asks = reach.config.cores.reach != CoreReach::Off && !args.without_cores;
        if asks {
            sources.push(Source::Admin);
        }
        let world = match reach.asks_by_ways(&sources) {
            Some(first) => {
                let world = reach.once(&first, Interest::default(), None, out).await;
                reach.ask_every_core(world, out).await?
            }
            None => reach.once(&sources, Interest::default(), None, out).await,
        };
        let world = if args.metrics { metered(&reach, world, out).await } else { world };
        let trends = match global.demo {
            true => Trends::default(),
            false => Archive::open(global, outside, out)?.trends(DAYS)?,
        };
        let now = reach.clock().now();
        let figures = &reach.config.capacity;
        let rows = capacity(&world.fleet, &reach.config.tiers, figures, &trends, now);
        let told = warnings(&world.snapshot, &sources);
        let text = match args.output {
            ShowFormat::Table => table(&rows, figures, out),
            ShowFormat::Json => json::document(&document(&rows, figures, &reach.config.tiers)),
            ShowFormat::Yaml => json::yaml(&document(&rows, figures, &reach.config.tiers)),
        };
        out.data(&text)?;
        if args.output == ShowFormat::Table {
            let once = rows.iter().filter_map(|row| Some(format!("{}: {}", row.tier, row.once?.said()?)));
            once.for_each(|once| out.say(&harmless(&once)));
            rows.iter()
                .flat_map(|row| &row.densities)
                .for_each(|density| out.say(&harmless(&density.said())));
            next_step(&rows, &reach.config.tiers).iter().for_each(|step| out.say(&harmless(step)));
        }
        texts(&told).iter().for_each(|text| out.warn(text));
        verdict(&told, args.allow_partial, extent(&world.snapshot, &sources))
    })
}

/// The same world with CPU use and credits of the hosts of all tiers.
async fn metered(reach: &Reach, world: Arc<World>, out: &mut Output) -> Arc<World> {
    let runs = world
        .fleet
        .instances
        .iter()
        .filter(|row| row.tier.is_some() && row.it.state == InstanceState::Running);
    let metrics_of: Vec<_> = runs.map(|row| ((*row.scope).clone(), row.it.id.clone())).collect();
    if metrics_of.is_empty() {
        return world;
    }
    let gauges = [Gauge::Cpu, Gauge::Credits].into_iter().collect();
    let interest = Interest { sources: vec![Source::Metrics], metrics_of, gauges, ..Interest::default() };
    let metered = reach.once(&[Source::Metrics], interest, None, out).await;
    let told = texts(&warnings(&metered.snapshot, &[Source::Metrics]));
    told.iter().for_each(|text| out.warn(text));
    let mut snapshot = Snapshot::clone(&world.snapshot);
    for part in &mut snapshot.parts {
        if let Some(metered) = metered.snapshot.parts.iter().find(|metered| metered.scope == part.scope) {
            Arc::make_mut(part).metrics = metered.metrics.clone();
        }
    }
    out.say(&format!("metrics cost about {}", metered.spending.dollars));
    let fleet = Arc::new(join(&snapshot, &reach.config.tiers));
    Arc::new(World { snapshot: Arc::new(snapshot), fleet, ..World::clone(&world) })
}

fn table(rows: &[Capacity], figures: &Figures, out: &Output) -> String {
    let titles = [
        ("TIER", Unit::Text),
        ("HOSTS", Unit::Count),
        ("CORES", Unit::Text),
        ("MORE", Unit::Text),
        ("TENANTS", Unit::Text),
        ("MORE", Unit::Text),
        ("MONTHLY", Unit::Text),
        ("MORE", Unit::Text),
        ("RPS", Unit::Text),
        ("DB", Unit::Text),
        ("CONNECTIONS", Unit::Text),
        ("CPU", Unit::Text),
        ("MEMORY", Unit::Text),
        ("GROWTH", Unit::Text),
        ("MONTHLY GROWTH", Unit::Text),
    ];
    let headings: Vec<Heading> = titles
        .iter()
        .map(|(title, unit)| Heading { title: (*title).to_owned(), unit: *unit, is_id: *title == "TIER" })
        .collect();
    let rows: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| {
            let texts = [
                row.tier.to_string(),
                row.hosts.to_string(),
                row.cores.said(),
                row.cores.said_left(),
                row.tenants.said(),
                row.said_tenants_left(),
                row.monthly.said(),
                row.monthly.said_left(),
                row.said_rate(),
                row.said_database(figures),
                row.connections.said(),
                row.said_measured(),
                row.said_memory(),
                row.growth.to_string(),
                row.monthly_growth.to_string(),
            ];
            texts.iter().map(|text| Cell { text: harmless(text).into_owned(), health: None }).collect()
        })
        .collect();
    table::draw(&headings, &rows, true, out.width, out.colour)
}

fn document(rows: &[Capacity], figures: &Figures, tiers: &[Tier]) -> Value {
    let next_step = next_step(rows, tiers);
    let room = |room: &Room| {
        let most = match room.most {
            Known::Yes(most) => most,
            Known::No(_) => None,
        };
        json!({ "used": room.used.yes(), "most": most, "left": room.left() })
    };
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "tier": row.tier, "hosts": row.hosts, "cores": room(&row.cores), "tenants": room(&row.tenants),
                "development_tenants_left": row.development, "monthly_users": room(&row.monthly),
                "requests_per_second": { "used": row.rate, "most": row.rate_most },
                "users": row.users.yes(),
                "counted_once": row.once.map(|once| json!({ "databases": once.shared, "replicas": once.replicas })),
                "database_mib": row.database_mib(figures),
                "connections": room(&row.connections), "growth": row.growth.json("tenants"),
                "monthly_growth": row.monthly_growth.json("monthly_users"),
                "users_growth": row.users_growth.json("users"),
                "measured": row.measured.as_ref().map(Measured::json),
                "memory_mib": row.memory.map(|Memory { used, most }| json!({ "used": used, "most": most })),
                "densities": row.densities.iter().map(Density::json).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "schema": "coredeck.capacity.v1",
        "figures": {
            "monthly_users_per_host": figures.monthly_users_per_host,
            "requests_per_host": figures.requests_per_host,
            "database_mib_per_million_users": figures.database_mib_per_million_users,
            "connections_per_domain": figures.connections_per_domain,
            "max_connections": figures.max_connections,
        },
        "data": rows,
        "next_step": next_step,
    })
}
