//! What a SuperTokens core says of itself through its admin API.
//!
//! The shapes are those of CDI 5.1, observed on core 9.2.2 and read in the source of 12.1.1.

use super::sealed::{Sealed, Setting};
use super::text::Text;
use std::collections::{BTreeMap, BTreeSet};

/// Minutes that a core remembers of its requests.
pub const MINUTES: usize = 1440;

/// Requests of one app in one process, minute by minute; lost when the process restarts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traffic {
    /// The running minute, in minutes since 1970; the last entry is the full minute before it.
    pub at_minute: i64,
    /// Requests per second on average, oldest first; none where the core was not there or counted nothing.
    pub average: Vec<Option<f64>>,
    /// The most requests in a second of that minute.
    pub peak: Vec<Option<u32>>,
}

impl Traffic {
    /// The same without `ours`, the requests that we made ourselves in each minute: the core counts them
    /// too, `/hello` included, so that without this a drained core never looks drained.
    pub fn without(&self, ours: &BTreeMap<i64, u32>) -> Self {
        let mut rest = self.clone();
        let first = self.at_minute - i64::try_from(self.average.len()).unwrap_or(0);
        for (minute, average) in (first..).zip(&mut rest.average) {
            if let (Some(average), Some(calls)) = (average.as_mut(), ours.get(&minute)) {
                *average = (*average - f64::from(*calls) / 60.0).max(0.0);
                // An average comes rounded to a few digits: what is below one request a minute is none.
                if *average < 1.0 / 120.0 {
                    *average = 0.0;
                }
            }
        }
        rest
    }

    /// The last full minute that was counted, requests per second.
    pub fn latest(&self) -> Option<f64> {
        self.average.iter().rev().flatten().next().copied()
    }

    /// Whether the last `minutes` full minutes were all counted and had no request. A minute without data
    /// proves nothing.
    pub fn is_silent_for(&self, minutes: usize) -> bool {
        let latest = self.average.iter().rev().take(minutes);
        minutes > 0
            && self.average.len() >= minutes
            && latest.into_iter().all(|average| *average == Some(0.0))
    }
}

/// A tenant's address in a core: connection URI domain, app, tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The connection URI domain; empty for the core's own.
    pub domain: Text,
    /// The app, `public` unless there are more.
    pub app: Text,
    /// The tenant, `public` unless there are more.
    pub tenant: Text,
}

impl Place {
    /// The public tenant of the public app of a domain.
    pub fn of(domain: &str) -> Self {
        Self { domain: Text::new(domain), app: Text::new("public"), tenant: Text::new("public") }
    }
}

/// One customer's domain on a core.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Domain {
    /// The connection URI domain; empty for the core's own.
    pub domain: Text,
    /// Its apps.
    pub apps: Vec<App>,
}

/// An app of a domain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct App {
    /// Its id.
    pub id: Text,
    /// Its tenants.
    pub tenants: Vec<TenantSetup>,
}

/// A tenant as a core keeps it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TenantSetup {
    /// Its id.
    pub id: Text,
    /// Login methods; none means every one.
    pub first_factors: Option<Vec<Text>>,
    /// Second factors that are asked for.
    pub second_factors: Option<Vec<Text>>,
    /// Third-party providers.
    pub providers: Vec<Provider>,
    /// What it sets itself; the rest is inherited from its app, its domain and the core's base.
    pub settings: BTreeMap<Text, Setting>,
}

/// A third-party provider of a tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// `google`
    pub id: Text,
    /// How many clients it has.
    pub clients: usize,
    /// All of it as JSON, client secrets included, for a replay on another core.
    pub whole: Sealed,
}

/// A setting as it holds for a tenant, wherever it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective {
    /// Its name.
    pub key: Text,
    /// Its value.
    pub value: Setting,
    /// What holds where nobody sets it.
    pub default: Setting,
    /// Whether tenants of one app may differ in it.
    pub differs_by_tenant: bool,
    /// Whether it belongs to the database plugin.
    pub is_plugin: bool,
}

/// What a licence allows, and what is used of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Licence {
    /// Paid features that are switched on: `multi_tenancy`, `mfa`, …
    pub features: BTreeSet<Text>,
    /// Users active within the last 1, 2, … 31 days; empty where the core does not tell.
    pub active: Vec<u64>,
    /// Use by tenant; empty where the core does not tell.
    pub tenants: Vec<TenantUse>,
}

impl Licence {
    /// Users active within the last 30 days.
    pub fn monthly(&self) -> Option<u64> {
        self.active.get(29).copied()
    }
}

/// What a licence says of one tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantUse {
    /// Which.
    pub place: Place,
    /// Its users.
    pub users: u64,
    /// Whether it has users or sessions.
    pub is_used: bool,
    /// A digest that is equal for tenants with the same database.
    pub pool: Option<Text>,
}

/// What a put did. Whether the core calls it new is not kept: after a 500 it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Put;

/// What `/hello` proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hello {
    /// It answered after asking its database.
    Well,
    /// It answered, but so soon after so many other calls that it need not have asked its database: above
    /// five a second and app it answers without.
    Unproven,
}

/// What a 200 of `/hello` is worth beside the traffic of its app: `busy` is the most requests in a second
/// lately, other people's probes among them. Where that is not known, neither is who asked the database.
pub fn worth(busy: Option<u32>) -> Hello {
    match busy {
        Some(peak) if peak <= HELLO_BUCKET => Hello::Well,
        Some(_) | None => Hello::Unproven,
    }
}

/// Calls of `/hello` that an app answers in a second with a look at its database.
pub const HELLO_BUCKET: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(average: &[Option<f64>]) -> Traffic {
        Traffic { at_minute: 100, average: average.to_vec(), peak: Vec::new() }
    }

    #[test]
    fn our_own_calls_are_taken_off_the_minute_they_were_made_in() {
        let ours = BTreeMap::from([(98, 60), (99, 6)]);
        let rest = traffic(&[Some(1.0), Some(1.0), Some(0.1)]).without(&ours);
        assert_eq!(rest.average, [Some(1.0), Some(0.0), Some(0.0)]);
    }

    #[test]
    fn silence_is_only_proved_by_minutes_that_were_counted() {
        assert!(traffic(&[Some(2.0), Some(0.0), Some(0.0)]).is_silent_for(2));
        assert!(!traffic(&[Some(2.0), Some(0.0), Some(0.0)]).is_silent_for(3));
        assert!(!traffic(&[None, Some(0.0)]).is_silent_for(2), "no data is no silence");
        assert!(!traffic(&[Some(0.0)]).is_silent_for(2), "a core that just started proves nothing");
        assert!(!traffic(&[]).is_silent_for(0));
    }

    #[test]
    fn a_hello_in_a_burst_proves_nothing() {
        assert_eq!(worth(Some(6)), Hello::Unproven);
        assert_eq!(worth(Some(5)), Hello::Well);
        assert_eq!(worth(None), Hello::Unproven);
    }
}
