//! Which tier runs out first, and what makes room: one sentence.

use super::{Capacity, Growth};
use crate::model::Tier;
use jiff::Timestamp;

/// Less than a tenth of its places left is soon, whatever history says.
const SOON: i64 = 10;

/// The best next step; none where no tier is near its end as far as anybody knows.
pub fn next_step(all: &[Capacity], tiers: &[Tier]) -> Option<String> {
    let mut near: Vec<(Rank, &Capacity)> = all.iter().filter_map(|one| Some((rank(one)?, one))).collect();
    near.sort_by_key(|(rank, _)| *rank);
    let (rank, first) = near.first()?;
    let tier = tiers.iter().find(|tier| tier.name == first.tier)?;
    let left = first.tenants.said_left();
    let when = match rank {
        Rank::Full if first.tenants.left().is_some_and(|left| left < 0) => format!("it has {left}"),
        Rank::Full => "it has no room for another tenant".to_owned(),
        Rank::On(at) => format!("at today's growth on {}", at.strftime("%Y-%m-%d")),
        Rank::Near(_) => format!("room for {left} more tenants is left"),
    };
    let kind = match tier.instance_types.as_slice() {
        [kind] => format!("one {kind} more"),
        _ => "one host more".to_owned(),
    };
    let makes = match (tier.cores_per_host, tier.tenants_per_core, tier.development_tenants_per_core) {
        (Some(1), None, _) => format!("{kind} holds one core"),
        (Some(cores), None, _) => format!("{kind} holds {cores} cores"),
        (_, Some(large), Some(small)) => {
            format!("{kind} with a core holds {large} production or {small} development tenants")
        }
        (_, Some(each), None) => format!("{kind} with a core holds {each} tenants"),
        (None, None, _) => format!("{kind} is what makes room"),
    };
    Some(format!("{} runs out first: {when}; {makes}", first.tier))
}

/// How soon a tier runs out: the soonest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Full,
    On(Timestamp),
    /// So many thousandths of its places are left.
    Near(i64),
}

fn rank(one: &Capacity) -> Option<Rank> {
    let left = one.tenants.left()?;
    if left <= 0 && one.tenants.used.yes().is_some_and(|used| used > 0) {
        return Some(Rank::Full);
    }
    if let Growth::Moves { full_at: Some(at), .. } = one.growth {
        return Some(Rank::On(at));
    }
    let most = i64::try_from(one.tenants.most.yes()??).ok().filter(|most| *most > 0)?;
    let share = left.saturating_mul(1000) / most;
    (share < SOON * 10).then_some(Rank::Near(share))
}
