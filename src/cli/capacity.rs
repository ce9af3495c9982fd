//! `coredeck capacity`: how much more fits into each tier.

use super::Outside;
use super::args::{Global, ShowFormat};
use super::json;
use super::output::Output;
use super::partial::{extent, texts, verdict, warnings};
use super::past::Archive;
use super::reach;
use super::table::{self, Cell, Heading};
use crate::capacity::{Capacity, Room, capacity};
use crate::config::{CoreReach, Figures};
use crate::error::Result;
use crate::gateway::Source;
use crate::model::Known;
use crate::model::text::harmless;
use crate::query::{Kind, Unit};
use crate::snapshot::Trends;
use crate::world::Interest;
use clap::Args;
use serde_json::{Value, json};

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
        if reach.config.cores.reach != CoreReach::Off {
            sources.push(Source::Admin);
        }
        let world = reach.once(&sources, Interest::default(), None, out).await;
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
            ShowFormat::Json => json::document(&document(&rows, figures)),
            ShowFormat::Yaml => json::yaml(&document(&rows, figures)),
        };
        out.data(&text)?;
        texts(&told).iter().for_each(|text| out.warn(text));
        verdict(&told, args.allow_partial, extent(&world.snapshot, &sources))
    })
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
        ("GROWTH", Unit::Text),
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
                row.growth.to_string(),
            ];
            texts.iter().map(|text| Cell { text: harmless(text).into_owned(), health: None }).collect()
        })
        .collect();
    table::draw(&headings, &rows, true, out.width, out.colour)
}

fn document(rows: &[Capacity], figures: &Figures) -> Value {
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
                "users": row.users.yes(), "database_mib": row.database_mib(figures),
                "connections": room(&row.connections), "growth": row.growth.json(),
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
    })
}
