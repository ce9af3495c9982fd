//! How much the overview tells of each tier: the lines that there are go to what is wrong, the worst first.

use crate::fleet::TierRow;
use std::cmp::Reverse;

/// As many troubles of one tier as are worth more than how the fleet went.
pub(super) const ENOUGH: usize = 3;

/// How dear a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// There is one for what a tier runs on, and blank ones between the sections.
    Roomy,
    /// Every line is for what is wrong or goes on.
    Tight,
}

/// What is told of the tiers.
#[derive(Clone, Debug)]
pub(super) struct Detail {
    pub(super) space: Space,
    /// How many troubles of each tier show.
    troubles: Vec<usize>,
}

impl Detail {
    /// The least: the worst trouble of each tier.
    pub(super) fn new(tiers: &[TierRow], space: Space) -> Self {
        Self { space, troubles: tiers.iter().map(|tier| tier.troubles.len().min(1)).collect() }
    }

    /// How many troubles of a tier show.
    pub(super) fn of(&self, tier: usize) -> usize {
        self.troubles.get(tier).copied().unwrap_or(0)
    }

    /// Gives lines to the worst troubles that do not show yet, in turn where they are equally bad, up to so many
    /// of one tier. Returns the lines that are left.
    pub(super) fn spend(&mut self, tiers: &[TierRow], lines: usize, most: usize) -> usize {
        for left in (1..=lines).rev() {
            let next = (tiers.iter().zip(&mut self.troubles))
                .filter(|(_, shown)| **shown < most)
                .filter_map(|(tier, shown)| Some((tier.troubles.get(*shown)?.health, tier.health, shown)))
                .min_by_key(|(trouble, tier, shown)| (Reverse(*trouble), Reverse(*tier), **shown));
            match next {
                Some((.., shown)) => *shown += 1,
                None => return left,
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{Bearer, TierTrouble};
    use crate::model::{Health, Known};

    fn tier(troubles: &[Health]) -> TierRow {
        let trouble = |health: &Health| TierTrouble { of: Bearer::Core, health: *health, says: "x".into() };
        TierRow {
            name: None,
            instances: 0,
            by_health: [0; 5],
            spot: 0,
            groups: 0,
            services: 0,
            cores: Known::Yes(0),
            adrift: 0,
            core_room: Known::Yes(None),
            tenants: Known::Yes(0),
            zones: Vec::new(),
            types: Vec::new(),
            health: troubles.first().copied().unwrap_or(Health::Ok),
            troubles: troubles.iter().map(trouble).collect(),
        }
    }

    #[test]
    fn lines_go_to_the_worst_first_and_in_turn() {
        use Health::{Bad, Warn};
        let tiers = [tier(&[Warn, Warn]), tier(&[Bad, Bad, Bad]), tier(&[]), tier(&[Bad, Bad, Warn, Warn])];
        let told = |lines, most| {
            let mut detail = Detail::new(&tiers, Space::Tight);
            let left = detail.spend(&tiers, lines, most);
            (detail.troubles, left)
        };
        assert_eq!(told(0, ENOUGH), (vec![1, 1, 0, 1], 0));
        assert_eq!(told(1, ENOUGH), (vec![1, 2, 0, 1], 0));
        assert_eq!(told(2, ENOUGH), (vec![1, 2, 0, 2], 0));
        assert_eq!(told(3, ENOUGH), (vec![1, 3, 0, 2], 0));
        assert_eq!(told(4, ENOUGH), (vec![1, 3, 0, 3], 0), "the worse tier first");
        assert_eq!(told(9, ENOUGH), (vec![2, 3, 0, 3], 4));
        assert_eq!(told(9, usize::MAX), (vec![2, 3, 0, 4], 3));
    }
}
