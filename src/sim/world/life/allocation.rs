//! Which of its types a mixed group launches next, as its allocation strategies say.
//!
//! All pools are equally deep here until the group itself draws from them, so that the one with the most room left is
//! the one that it has fewest members of.

use crate::sim::market;
use crate::sim::world::place::Place;
use crate::sim::world::scaling::{Group, Mix};

/// From how many of the cheapest pools AWS takes, where nobody says.
const CHEAPEST: u32 = 2;

impl Place {
    /// The number of the override that a launch takes.
    pub(super) fn allotted(&self, group: &Group, mix: &Mix, is_spot: bool) -> usize {
        let count = mix.overrides.len();
        if count < 2 {
            return 0;
        }
        let mut taken = vec![0_usize; count];
        for member in group.members.iter().filter(|member| !member.stage.is_going()) {
            let bought = self.instances.get(&member.instance).map(|one| one.spot_request.is_some());
            let by = mix.overrides.iter().position(|one| one.fits(member.kind));
            if let Some(taken) = by.and_then(|by| taken.get_mut(by))
                && bought == Some(is_spot)
            {
                *taken += 1;
            }
        }
        let prices = || self.prices(mix, is_spot);
        let strategy =
            if is_spot { mix.spot_strategy } else { mix.on_demand_strategy.unwrap_or("prioritized") };
        let among = match (strategy, is_spot) {
            // The order is the order of preference.
            ("prioritized" | "capacity-optimized-prioritized", _) => return 0,
            ("lowest-price", false) => cheapest(&prices(), 1),
            ("lowest-price", true) => {
                let pools = mix.spot_pools.unwrap_or(CHEAPEST);
                cheapest(&prices(), usize::try_from(pools).unwrap_or(usize::MAX))
            }
            ("price-capacity-optimized", _) => cheapest(&prices(), count),
            _ => (0..count).collect(),
        };
        // Of pools with as much room the one that comes first.
        among.into_iter().min_by_key(|at| taken.get(*at).copied().unwrap_or_default()).unwrap_or(0)
    }

    /// What a unit of capacity costs in each pool; unknown prices count as the highest.
    fn prices(&self, mix: &Mix, is_spot: bool) -> Vec<f64> {
        let each = mix.overrides.iter().map(|one| {
            let price = market::usual(self.region, &one.kind, is_spot).unwrap_or(f64::MAX);
            price / f64::from(one.weight.unwrap_or(1).max(1))
        });
        each.collect()
    }
}

/// The numbers of so many of the lowest prices, the lowest first.
fn cheapest(prices: &[f64], most: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..prices.len()).collect();
    let price = |at: usize| prices.get(at).copied().unwrap_or(f64::MAX);
    order.sort_by(|one, other| price(*one).total_cmp(&price(*other)));
    order.truncate(most.max(1));
    order
}

#[cfg(test)]
mod tests {
    use super::cheapest;

    #[test]
    fn the_lowest_prices_come_first_and_of_equal_ones_the_first() {
        assert_eq!(cheapest(&[0.3, 0.1, 0.2, 0.1], 3), [1, 3, 2]);
        assert_eq!(cheapest(&[0.3, 0.1], 0), [1], "one at least");
    }
}
