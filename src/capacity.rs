//! How much more fits: hosts, cores, tenants, users and connections of each tier, and when it is full.
//!
//! A pure computation over rows, figures of the configuration, and how tenants grew. What was not asked or not
//! read is not known here either: no figure stands in for it.

mod growth;
mod left;
mod measured;
mod pools;
mod step;
mod words;

pub use growth::{Growth, growth};
pub use left::{Left, left, reckon};
pub use measured::{Density, Measured, Memory};
pub use pools::{Pools, pools};
pub use step::next_step;

use crate::config::Figures;
use crate::fleet::{Counted, Fleet, TierRow, counted};
use crate::model::admin::DomainWord;
use crate::model::{Core, Known, Tier, TierName, WhyUnknown};
use crate::snapshot::{Measure, Subject, Trends};
use jiff::Timestamp;

/// How much of something there is, and how much there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Room {
    /// Now.
    pub used: Known<u64>,
    /// At most; none where nothing limits it.
    pub most: Known<Option<u64>>,
}

impl Room {
    /// How many more; negative where there are too many. None where one of the two is not known, or nothing limits it.
    pub fn left(&self) -> Option<i64> {
        let most = i64::try_from(self.most.yes()??).ok()?;
        Some(most - i64::try_from(self.used.yes()?).ok()?)
    }
}

/// A tier's capacity.
#[derive(Clone, Debug, PartialEq)]
pub struct Capacity {
    /// The tier.
    pub tier: TierName,
    /// Its running instances.
    pub hosts: u32,
    /// Cores beside those that its hosts may hold.
    pub cores: Room,
    /// Tenants beside those that its cores may hold, counted as production tenants where the tier tells them apart.
    pub tenants: Room,
    /// Development tenants that fit instead of production ones; none where the tier does not tell them apart.
    pub development: Option<i64>,
    /// Users active within a month beside those that its hosts bear.
    pub monthly: Room,
    /// Requests a second in the last full minute; none where no core told.
    pub rate: Option<f64>,
    /// Requests a second that its hosts bear with ease.
    pub rate_most: f64,
    /// Users, and the MiB of database that so many take.
    pub users: Known<u64>,
    /// What is in its users once although several replicas told it; none where there is no such thing.
    pub once: Option<Counted>,
    /// Database connections that its cores' pools open at most, beside those that the database takes.
    pub connections: Room,
    /// What was measured of its hosts; none where nothing was.
    pub measured: Option<Measured>,
    /// Memory that tasks reserved on its hosts; none where ECS knows none of them.
    pub memory: Option<Memory>,
    /// How densely each of its instance types is filled.
    pub densities: Vec<Density>,
    /// How its tenants grow, and when there is no more room.
    pub growth: Growth,
    /// How its users of a month grow, and when its hosts bear no more.
    pub monthly_growth: Growth,
    /// How its users grow: no host, but their database holds them.
    pub users_growth: Growth,
}

impl Capacity {
    /// MiB of database that its users take.
    pub fn database_mib(&self, figures: &Figures) -> Option<u64> {
        Some(self.users.yes()? * u64::from(figures.database_mib_per_million_users) / 1_000_000)
    }
}

/// The capacity of every tier that is configured.
pub fn capacity(
    fleet: &Fleet,
    tiers: &[Tier],
    figures: &Figures,
    trends: &Trends,
    now: Timestamp,
) -> Vec<Capacity> {
    let rows = fleet.tiers.iter().filter_map(|row| Some((row, row.name.as_ref()?)));
    rows.filter_map(|(row, name)| {
        let tier = tiers.iter().find(|tier| tier.name == *name)?;
        Some(of_tier(fleet, row, tier, figures, trends, now))
    })
    .collect()
}

fn of_tier(
    fleet: &Fleet,
    row: &TierRow,
    tier: &Tier,
    figures: &Figures,
    trends: &Trends,
    now: Timestamp,
) -> Capacity {
    let mine: Vec<&Core> = fleet.cores.iter().filter(|core| core.tier.as_ref() == Some(&tier.name)).collect();
    let cores = Room { used: row.cores.map(u64::from), most: row.core_room.map(|most| most.map(u64::from)) };
    let tenants = tenants(row, tier, &mine, &cores);
    let development = match (tier.tenants_per_core, tier.development_tenants_per_core, tenants.left()) {
        (Some(large), Some(small), Some(left)) if large > 0 => {
            Some(left.saturating_mul(i64::from(small)).div_euclid(i64::from(large)))
        }
        _ => None,
    };
    let hosts = u64::from(row.instances);
    let course = |measure| trends.get(&Subject::Tier(Some(tier.name.clone())), measure);
    let monthly = Room {
        used: sum(row.cores, &mine, |domain| domain.monthly).map(|counted| counted.sum),
        most: Known::Yes(Some(hosts * u64::from(figures.monthly_users_per_host))),
    };
    let users = sum(row.cores, &mine, |domain| domain.users);
    Capacity {
        tier: tier.name.clone(),
        hosts: row.instances,
        rate: rate(&mine),
        rate_most: f64::from(row.instances) * f64::from(figures.requests_per_host),
        users: users.map(|counted| counted.sum),
        once: users.yes().filter(|counted| counted.shared > 0),
        connections: Room {
            used: connections(row.cores, &mine, figures),
            most: match figures.max_connections {
                Some(most) => Known::Yes(Some(u64::from(most))),
                None => Known::No(WhyUnknown::NotAsked),
            },
        },
        measured: measured::measured(measured::hosts(fleet, &tier.name)),
        memory: measured::memory(measured::hosts(fleet, &tier.name)),
        // How densely hosts are filled is not known where nobody knows what is on them.
        densities: match row.cores {
            Known::Yes(_) => measured::densities(fleet, &tier.name, &mine),
            Known::No(_) => Vec::new(),
        },
        growth: growth(course(Measure::Tenants), tenants.left(), now),
        monthly_growth: growth(course(Measure::MonthlyUsers), monthly.left(), now),
        users_growth: growth(course(Measure::Users), None, now),
        monthly,
        cores,
        tenants,
        development,
    }
}

/// How many tenants the cores of a tier hold and may hold.
fn tenants(row: &TierRow, tier: &Tier, mine: &[&Core], cores: &Room) -> Room {
    let used = row.tenants.map(u64::from);
    let most = if tier.tenants_per_core.is_some() {
        let each = mine.iter().map(|core| match core.room {
            Known::Yes(room) => Known::Yes(room.unwrap_or(0)),
            Known::No(why) => Known::No(why),
        });
        let left = each.fold(Known::Yes(0_i64), |sum, room| match (sum, room) {
            // A core with too many makes no room on another one.
            (Known::Yes(sum), Known::Yes(room)) => Known::Yes(sum + room.max(0)),
            (Known::No(why), _) | (_, Known::No(why)) => Known::No(why),
        });
        match (left, used) {
            (Known::Yes(left), Known::Yes(used)) => Known::Yes(Some(used + left.unsigned_abs())),
            (Known::No(why), _) | (_, Known::No(why)) => Known::No(why),
        }
    } else {
        // A core that is a customer's own holds one tenant: there is room for as many as for cores.
        match (cores.used, cores.left(), used) {
            // How many more fit is no more known than how many there are.
            (Known::No(why), ..) | (_, Some(_), Known::No(why)) => Known::No(why),
            (_, Some(left), Known::Yes(used)) => Known::Yes(Some(used.saturating_add_signed(left))),
            (_, None, _) => cores.most.map(|_| None),
        }
    };
    Room { used, most }
}

/// A sum over the databases of cores; not known unless all cores are.
fn sum(cores: Known<u32>, mine: &[&Core], of: impl Fn(&DomainWord) -> Option<u64>) -> Known<Counted> {
    match cores {
        Known::Yes(_) => counted(mine.iter().copied(), of),
        Known::No(why) => Known::No(why),
    }
}

/// What pools open at most: by the cores' own word where they gave it, else by the figure for each domain.
fn connections(cores: Known<u32>, mine: &[&Core], figures: &Figures) -> Known<u64> {
    if let Known::No(why) = cores {
        return Known::No(why);
    }
    let mut sum = 0;
    for core in mine {
        let told = match &core.word {
            Known::Yes(Some(word)) => word.connections().map(u64::from),
            _ => None,
        };
        let counted = match core.tenants {
            // Its own domain has a pool too.
            Known::Yes(tenants) => {
                Known::Yes((u64::from(tenants) + 1) * u64::from(figures.connections_per_domain))
            }
            Known::No(why) => Known::No(why),
        };
        match (told, counted) {
            (Some(told), _) => sum += told,
            (None, Known::Yes(counted)) => sum += counted,
            (None, Known::No(why)) => return Known::No(why),
        }
    }
    Known::Yes(sum)
}

fn rate(mine: &[&Core]) -> Option<f64> {
    let told: Vec<f64> = mine
        .iter()
        .filter_map(|core| match &core.word {
            Known::Yes(Some(word)) => word.rate(),
            _ => None,
        })
        .collect();
    (!told.is_empty()).then(|| told.iter().sum())
}

#[cfg(test)]
mod tests;
