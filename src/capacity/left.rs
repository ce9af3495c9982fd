//! How much more fits on one core: by its tier's density, by the connections that its database takes, and by the users
//! that its host bears; and which of the three is the tightest.

use super::connections;
use crate::config::Figures;
use crate::fleet::{Fleet, counted};
use crate::model::{Core, InstanceId, Known, Scarce, Text, TierName, WhyUnknown};
use serde_json::{Value, json};
use std::collections::HashMap;

/// What one core has left.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// Tenants that its tier's density allows; none where no density is set.
    pub density: Known<Option<i64>>,
    /// Tenants whose pools its tier's database has connections for, in every replica; none where nobody said how many it
    /// takes.
    pub connections: Known<Option<i64>>,
    /// Connections that are open at most, beside what the database takes.
    open: Option<(u64, u32)>,
    /// Users of a month that its host bears besides.
    pub monthly: Known<i64>,
    /// Tenants like those that it has, whose users of a month that would be; none where it has none to go by.
    pub monthly_tenants: Option<i64>,
}

/// What a core has left.
pub fn left(fleet: &Fleet, core: &Core, figures: &Figures) -> Left {
    Scale::new(fleet, figures).left(core)
}

/// Says of each core of a fleet how many more tenants fit, and what limits that.
pub fn reckon(fleet: &mut Fleet, figures: &Figures) {
    let scale = Scale::new(fleet, figures);
    let known: Vec<_> = fleet.cores.iter().map(|core| scale.left(core).known()).collect();
    for (core, known) in fleet.cores.iter_mut().zip(known) {
        core.left = known;
    }
}

/// What decides how much each core has left, counted once for all.
struct Scale {
    figures: Figures,
    /// Connections that may be open, by tier.
    used: HashMap<Option<TierName>, Known<u64>>,
    /// Processes that open a pool for each tenant: those of one tier with one base database.
    replicas: HashMap<(Option<TierName>, Text), i64>,
    /// Users of a month that hosts bear besides those of all cores on them; not known unless each of them told.
    monthly: HashMap<InstanceId, Known<i64>>,
}

impl Scale {
    fn new(fleet: &Fleet, figures: &Figures) -> Self {
        let mut by_tier: HashMap<Option<TierName>, Vec<&Core>> = HashMap::new();
        let mut replicas = HashMap::new();
        let mut by_host: HashMap<InstanceId, Vec<&Core>> = HashMap::new();
        for core in &fleet.cores {
            by_tier.entry(core.tier.clone()).or_default().push(core);
            if let Some(base) = base(core) {
                *replicas.entry((core.tier.clone(), base)).or_insert(0) += 1;
            }
            if let Some(host) = core.home.instance_id() {
                by_host.entry(host.clone()).or_default().push(core);
            }
        }
        let most = i64::from(figures.monthly_users_per_host);
        let left = |of: Vec<&Core>| {
            counted(of, |domain| domain.monthly).map(|counted| most.saturating_sub_unsigned(counted.sum))
        };
        let monthly = by_host.into_iter().map(|(host, of)| (host, left(of))).collect();
        let used = by_tier.into_iter().map(|(tier, of)| (tier, connections(Known::Yes(0), &of, figures)));
        Self { figures: *figures, used: used.collect(), replicas, monthly }
    }

    fn left(&self, core: &Core) -> Left {
        let used = self.used.get(&core.tier).copied().unwrap_or(Known::No(WhyUnknown::Pending));
        let (by_connections, open) = match (used, self.figures.max_connections) {
            (Known::No(why), _) => (Known::No(why), None),
            (Known::Yes(_), None) => (Known::Yes(None), None),
            (Known::Yes(used), Some(most)) => {
                let same = base(core).and_then(|base| self.replicas.get(&(core.tier.clone(), base)));
                let each =
                    i64::from(self.figures.connections_per_domain.max(1)) * same.copied().unwrap_or(1).max(1);
                let left = i64::from(most) - i64::try_from(used).unwrap_or(i64::MAX);
                (Known::Yes(Some(left.div_euclid(each))), Some((used, most)))
            }
        };
        let host = core.home.instance_id().and_then(|host| self.monthly.get(host));
        let monthly = host.copied().unwrap_or(Known::No(WhyUnknown::NotAsked));
        let own = monthly_of(core).yes().and_then(|users| i64::try_from(users).ok());
        let tenants = core.tenants.yes().map_or(0, i64::from);
        let monthly_tenants = match (monthly, own) {
            (Known::Yes(left), Some(own)) if own > 0 && tenants > 0 => {
                Some(left.saturating_mul(tenants).div_euclid(own))
            }
            _ => None,
        };
        Left { density: core.room, connections: by_connections, open, monthly, monthly_tenants }
    }
}

/// What tells the base database of a core from others.
fn base(core: &Core) -> Option<Text> {
    match &core.word {
        Known::Yes(Some(word)) => word.base().and_then(|base| base.database.clone()),
        _ => None,
    }
}

/// Users of a month of one core.
fn monthly_of(core: &Core) -> Known<u64> {
    match &core.word {
        Known::Yes(Some(word)) => word.monthly().map_or(Known::No(WhyUnknown::Trouble), Known::Yes),
        Known::Yes(None) => Known::No(WhyUnknown::NotAsked),
        Known::No(why) => Known::No(*why),
    }
}

impl Left {
    /// The tightest in tenants, of those that are known; none where none is.
    pub fn tightest(&self) -> Option<(Scarce, i64)> {
        let flat = |room: Known<Option<i64>>| match room {
            Known::Yes(room) => room,
            Known::No(_) => None,
        };
        let all = [
            (Scarce::Density, flat(self.density)),
            (Scarce::Connections, flat(self.connections)),
            (Scarce::MonthlyUsers, self.monthly_tenants),
        ];
        all.into_iter().filter_map(|(limit, room)| Some((limit, room?))).min_by_key(|(_, room)| *room)
    }

    /// The tightest as a row has it: none where nothing limits the core, not known where that cannot be said.
    fn known(&self) -> Known<Option<(i64, Scarce)>> {
        match (self.tightest(), self.density, self.connections, self.monthly) {
            (Some((limit, room)), ..) => Known::Yes(Some((room, limit))),
            (None, Known::No(why), ..) | (None, _, Known::No(why), _) | (None, _, _, Known::No(why)) => {
                Known::No(why)
            }
            (None, ..) => Known::Yes(None),
        }
    }

    /// Each of the three with what it says, and which is the tightest.
    pub fn said(&self) -> Vec<(&'static str, String)> {
        let density = match self.density {
            Known::Yes(Some(room)) => tenants(room),
            Known::Yes(None) => "no limit: its tier sets no tenants_per_core".to_owned(),
            Known::No(why) => unknown(why),
        };
        let connections = match (self.connections, self.open) {
            (Known::Yes(Some(room)), Some((used, most))) => {
                format!("{}: {used} of {most} may be open", tenants(room))
            }
            (Known::Yes(_), _) => {
                "? how many its database takes nobody said: max_connections under [capacity]".to_owned()
            }
            (Known::No(why), _) => unknown(why),
        };
        let monthly = match (self.monthly, self.monthly_tenants) {
            (Known::Yes(left), _) if left < 0 => {
                format!("{} users of a month too many for its host", left.unsigned_abs())
            }
            (Known::Yes(left), Some(like)) => {
                format!("{left} users more, {} like those it has", tenants(like))
            }
            (Known::Yes(left), None) => format!("{left} users more"),
            (Known::No(why), _) => unknown(why),
        };
        let tightest = match self.tightest() {
            Some((limit, room)) => format!("{}, {}", limit.word(), tenants(room)),
            None => "? none of them is known".to_owned(),
        };
        vec![
            ("by density", density),
            ("by connections", connections),
            ("by monthly users", monthly),
            ("the tightest", tightest),
        ]
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let flat = |room: Known<Option<i64>>| match room {
            Known::Yes(room) => room,
            Known::No(_) => None,
        };
        json!({
            "tenants_by_density": flat(self.density), "tenants_by_connections": flat(self.connections),
            "monthly_users": self.monthly.yes(), "tenants_by_monthly_users": self.monthly_tenants,
            "tightest": self.tightest().map(|(name, room)| json!({ "by": name.word(), "tenants": room })),
        })
    }
}

fn tenants(room: i64) -> String {
    match room {
        1 => "1 tenant more".to_owned(),
        room if room < 0 => format!("{} tenants too many", room.unsigned_abs()),
        room => format!("{room} tenants more"),
    }
}

fn unknown(why: WhyUnknown) -> String {
    match why {
        WhyUnknown::NotAsked => "? the core was not asked ([cores] reach)",
        WhyUnknown::Pending => "? it is being read",
        WhyUnknown::Trouble => "? not every core told",
    }
    .to_owned()
}
