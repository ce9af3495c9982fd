//! Over how many accounts and regions a fleet spreads: its tables say where each row is only where that differs.

use super::Fleet;
use crate::model::Scope;
use std::sync::Arc;

/// Over what rows spread.
#[derive(Clone, Debug, Default)]
pub struct Spread {
    /// Where the first of them is; none where there are none.
    first: Option<Arc<Scope>>,
    /// More than one account.
    pub accounts: bool,
    /// More than one region.
    pub regions: bool,
}

impl Spread {
    pub(super) fn of<'a>(scopes: impl Iterator<Item = &'a Arc<Scope>>) -> Self {
        let mut spread = Self::default();
        for scope in scopes {
            spread.add(scope);
            if spread.accounts && spread.regions {
                break;
            }
        }
        spread
    }

    fn add(&mut self, scope: &Arc<Scope>) {
        let first = self.first.get_or_insert_with(|| Arc::clone(scope));
        if !Arc::ptr_eq(first, scope) {
            self.accounts |= first.account != scope.account;
            self.regions |= first.region != scope.region;
        }
    }

    /// This and what others spread over.
    fn with(mut self, other: &Self) -> Self {
        if let Some(scope) = &other.first {
            self.add(scope);
        }
        self.accounts |= other.accounts;
        self.regions |= other.regions;
        self
    }
}

impl Fleet {
    /// Over how many accounts and regions its rows spread. Calls do not count: they say where we asked, not where something
    /// is, and one for a list of regions goes anywhere. Each list of rows is looked at once, however often this is asked.
    pub fn spread(&self) -> Spread {
        let Self { instances, groups, templates, images, drift, clusters, services, tasks, hosts, .. } = self;
        let Self { cores, tenants, target_groups, targets, rules, alarms, events, .. } = self;
        let all = [
            instances.spread(|row| &row.scope),
            groups.spread(|row| &row.scope),
            templates.spread(|row| &row.scope),
            images.spread(|row| &row.scope),
            drift.spread(|row| &row.scope),
            clusters.spread(|row| &row.scope),
            services.spread(|row| &row.scope),
            tasks.spread(|row| &row.scope),
            hosts.spread(|row| &row.scope),
            cores.spread(|row| &row.scope),
            tenants.spread(|row| &row.scope),
            target_groups.spread(|row| &row.scope),
            targets.spread(|row| &row.scope),
            rules.spread(|row| &row.scope),
            alarms.spread(|row| &row.scope),
            events.spread(|row| &row.scope),
        ];
        all.into_iter().fold(Spread::default(), Spread::with)
    }
}
