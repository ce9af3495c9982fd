//! What a SuperTokens core says of itself through its admin API.
//!
//! The shapes are those of CDI 5.1, observed on core 9.2.2 and read in the source of 12.1.1.

use super::ids::CoreId;
use super::sealed::{Sealed, Setting};
use super::text::Text;
use super::trouble::Known;
use super::upkeep::{Imports, Migration};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

    /// Whether it is the core's own base configuration, which no call changes.
    pub fn is_base(&self) -> bool {
        self.domain.is_empty() && self.app == "public" && self.tenant == "public"
    }

    /// Its app's public tenant.
    pub fn of_app(&self) -> Self {
        Self { tenant: Text::new("public"), ..self.clone() }
    }
}

impl fmt::Display for Place {
    /// `c1.example.com`, `c1.example.com/a1/t2`, and `the base domain` for what has no name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.domain.is_empty() { "the base domain" } else { &self.domain })?;
        if self.app != "public" || self.tenant != "public" {
            write!(f, "/{}", self.app)?;
        }
        if self.tenant != "public" {
            write!(f, "/{}", self.tenant)?;
        }
        Ok(())
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
    /// Whether accounts of one person are linked; none unless that feature is switched on.
    pub links_accounts: Option<bool>,
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

/// What came of asking for a sign of life.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Sign {
    /// It answered after asking its database.
    Well,
    /// It answered, and need not have asked its database for it.
    #[default]
    Unproven,
    /// It answered that it is not well, and this is why.
    Failed(Text),
    /// Nothing listens where it should.
    Silent,
    /// It could not be reached from here, which may be our own fault.
    Unreached(Text),
    /// Nobody asked it: its place in a list of words of which some were asked for.
    Unasked,
}

impl Sign {
    /// Whether something answered.
    pub fn is_answer(&self) -> bool {
        !matches!(self, Self::Unreached(_) | Self::Silent | Self::Unasked)
    }

    /// `well`, `unproven`, `failed`, `silent`, `unreached`, `unasked`
    pub fn word(&self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Unproven => "unproven",
            Self::Failed(_) => "failed",
            Self::Silent => "silent",
            Self::Unreached(_) => "unreached",
            Self::Unasked => "unasked",
        }
    }
}

/// What a core said of itself when it was last asked. There is no secret in it: settings that are or may be one
/// read `(hidden)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CoreWord {
    /// Which core.
    pub core: CoreId,
    /// Its own domain's sign of life.
    pub sign: Sign,
    /// How long that took.
    pub took: Option<Duration>,
    /// Its domains, its own (which is empty) among them.
    pub domains: Vec<Arc<DomainWord>>,
    /// Paid features that are switched on; none where that was not told.
    pub features: Option<BTreeSet<Text>>,
    /// Whether its base app has a licence key.
    pub licence: Known<bool>,
    /// Threads that serve all its domains together; none where it did not tell.
    pub threads: Option<u32>,
    /// Whether it has no database and keeps what its users do in memory; none where that could not be told.
    pub is_in_memory: Option<bool>,
    /// What it would not tell, and why.
    pub faults: Vec<Text>,
}

/// What a core said of one of its domains.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DomainWord {
    /// The connection URI domain; empty for the core's own.
    pub domain: Text,
    /// Its sign of life.
    pub sign: Sign,
    /// Its apps.
    pub apps: u32,
    /// Tenants of all of them.
    pub tenants: u32,
    /// Requests per second in the last full minute, without ours.
    pub rate: Option<f64>,
    /// The most in one second of that minute.
    pub peak: Option<u32>,
    /// Requests per second over a day, oldest first, a point for half an hour; none where nothing was counted.
    pub day: Vec<Option<f64>>,
    /// The same of each app, where it has more than the public one and they are all told.
    pub days: Vec<AppDay>,
    /// The last minute with a request that was not ours, in minutes since 1970.
    pub last_request: Option<i64>,
    /// Users of its public app.
    pub users: Option<u64>,
    /// Users active within the last 30 days.
    pub monthly: Option<u64>,
    /// What tells its database from others: the beginning of a digest, equal where the database is the same.
    pub database: Option<Text>,
    /// Connections of its pool, where it sets that itself.
    pub pool: Option<u32>,
    /// Where its tables stand; nothing where the core has no such thing.
    pub migration: Known<Option<Migration>>,
    /// Users of its public app who wait to be imported; nothing where the core has no such thing.
    pub imports: Known<Option<Imports>>,
    /// Whether accounts of one person are linked; nothing where its app has no such feature.
    pub links_accounts: Known<Option<bool>>,
    /// What it sets itself, as far as it may be seen.
    pub differs: Vec<(Text, Text)>,
    /// What it would not tell, and why.
    pub fault: Option<Text>,
}

/// A day of an app.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AppDay {
    /// Which app of its domain.
    pub app: Text,
    /// Requests per second, oldest first, a point for half an hour; none where nothing was counted.
    pub day: Vec<Option<f64>>,
}

impl DomainWord {
    /// The day of each app: `c1.example.com`, `c1.example.com/a1`, and requests per second.
    pub fn by_app(&self) -> Vec<(Place, &[Option<f64>])> {
        let whole = || vec![(Place::of(&self.domain), self.day.as_slice())];
        let of = |one: &'_ AppDay| Place { app: one.app.clone(), ..Place::of(&self.domain) };
        if self.days.is_empty() {
            return whole();
        }
        self.days.iter().map(|one| (of(one), one.day.as_slice())).collect()
    }
}

/// Connections of a pool where nobody says otherwise.
const POOL: u32 = 10;

impl CoreWord {
    /// Adds what it would not tell.
    pub fn fault(&mut self, error: &(impl ToString + ?Sized)) {
        let text = Text::new(error.to_string());
        if !self.faults.contains(&text) {
            self.faults.push(text);
        }
    }

    /// The same of a core whose key could not be read.
    #[must_use]
    pub fn without_key(mut self) -> Self {
        self.faults = vec![Text::new("its key could not be read from the Parameter Store")];
        self
    }

    /// Requests per second of all domains that told theirs; none where none did.
    pub fn rate(&self) -> Option<f64> {
        let told: Vec<f64> = self.domains.iter().filter_map(|domain| domain.rate).collect();
        (!told.is_empty()).then(|| told.iter().sum())
    }

    /// Users active within a month, of all domains; none unless every one told.
    pub fn monthly(&self) -> Option<u64> {
        whole(self.domains.iter().map(|domain| domain.monthly))
    }

    /// Users, of all domains; none unless every one told.
    pub fn users(&self) -> Option<u64> {
        whole(self.domains.iter().map(|domain| domain.users))
    }

    /// Domains besides its own; none where it would not list them.
    pub fn customers(&self) -> Option<u32> {
        let all = u32::try_from(self.domains.len()).ok()?;
        self.domains.iter().any(|domain| domain.domain.is_empty() && domain.apps > 0).then(|| all - 1)
    }

    /// Whether it serves customers' domains, and its licence does not have what that takes: it refuses new ones.
    pub fn lacks_licence(&self) -> bool {
        let is_licensed = self.features.as_ref().is_none_or(|all| all.contains("multi_tenancy"));
        !is_licensed && self.customers().is_some_and(|domains| domains > 0)
    }

    /// Users who wait to be imported, of all domains; not known unless every one told.
    pub fn imports(&self) -> Known<Option<Imports>> {
        let mut all: Option<Imports> = None;
        for domain in &self.domains {
            match domain.imports {
                Known::Yes(Some(more)) => {
                    let sum = all.get_or_insert_default();
                    (sum.waiting, sum.failed) = (sum.waiting + more.waiting, sum.failed + more.failed);
                }
                Known::Yes(None) => {}
                Known::No(why) => return Known::No(why),
            }
        }
        if self.domains.is_empty() { Known::default() } else { Known::Yes(all) }
    }

    /// The word of its own domain.
    pub fn base(&self) -> Option<&DomainWord> {
        self.domains.iter().map(|domain| &**domain).find(|domain| domain.domain.is_empty())
    }

    /// Connections that its pools open at most in this process.
    pub fn connections(&self) -> Option<u32> {
        self.customers()?;
        Some(self.domains.iter().map(|domain| domain.pool.unwrap_or(POOL)).sum())
    }

    /// The requests of a day, half an hour a point, of all domains.
    pub fn day(&self) -> Vec<Option<f64>> {
        let days: Vec<&[Option<f64>]> = self.domains.iter().map(|domain| domain.day.as_slice()).collect();
        together(&days)
    }

    /// Domains that answered that they are not well.
    pub fn failing(&self) -> impl Iterator<Item = (&DomainWord, &Text)> {
        self.domains.iter().filter_map(|domain| match &domain.sign {
            Sign::Failed(why) => Some((&**domain, why)),
            _ => None,
        })
    }
}

/// The sum, where every part is known.
fn whole(parts: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    let parts: Option<Vec<u64>> = parts.collect();
    parts.filter(|parts| !parts.is_empty()).map(|parts| parts.iter().sum())
}

/// Days put together, point by point; a point that nobody told is none.
pub fn together(days: &[&[Option<f64>]]) -> Vec<Option<f64>> {
    let points = days.iter().map(|day| day.len()).max().unwrap_or(0);
    let at = |point: usize| {
        let told: Vec<f64> = days.iter().filter_map(|day| *day.get(point)?).collect();
        (!told.is_empty()).then(|| told.iter().sum())
    };
    (0..points).map(at).collect()
}

/// A day's line in eight heights, `·` where nothing was counted; empty where nothing is known at all.
pub fn line(day: &[Option<f64>]) -> String {
    // Two points a letter: a day is twenty-four wide.
    let pair = |pair: &[Option<f64>]| {
        let told: Vec<f64> = pair.iter().flatten().copied().collect();
        (!told.is_empty()).then(|| told.iter().sum::<f64>() / told.len() as f64)
    };
    let most = most(day);
    drawn(day.chunks(2).map(pair), most)
}

/// The same, a letter for each point.
pub fn points(day: &[Option<f64>]) -> String {
    drawn(day.iter().copied(), most(day))
}

fn most(day: &[Option<f64>]) -> f64 {
    day.iter().flatten().fold(0.0_f64, |most, point| most.max(*point))
}

fn drawn(day: impl Iterator<Item = Option<f64>>, most: f64) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let height = |point: f64| {
        let share = if most > 0.0 { point / most } else { 0.0 };
        HEIGHTS.get((share * 7.0).round() as usize).copied().unwrap_or('█')
    };
    let text: String = day.map(|point| point.map_or('·', height)).collect();
    if text.chars().all(|letter| letter == '·') { String::new() } else { text }
}

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
    fn a_sum_is_only_told_when_every_domain_told_its_part() {
        let domain = |name: &str, users, rate| {
            Arc::new(DomainWord { domain: name.into(), apps: 1, users, rate, ..DomainWord::default() })
        };
        let mut word = CoreWord {
            domains: vec![domain("", Some(3), Some(1.0)), domain("c1", Some(4), None)],
            ..CoreWord::default()
        };
        assert_eq!((word.users(), word.rate(), word.customers()), (Some(7), Some(1.0), Some(1)));
        assert_eq!(word.connections(), Some(20), "ten for each where nobody says otherwise");
        word.domains.push(domain("c2", None, None));
        assert_eq!((word.users(), word.monthly()), (None, None));
        assert_eq!(CoreWord::default().customers(), None, "it would not list them");
    }

    #[test]
    fn a_days_line_shows_what_was_not_counted_as_such() {
        let points = [None, None, Some(0.0), Some(0.0), Some(2.0), None, Some(4.0), Some(4.0)];
        assert_eq!(line(&points), "·▁▅█");
        assert_eq!(line(&[None, None]), "");
        assert_eq!(line(&[Some(0.0); 4]), "▁▁");
    }

    #[test]
    fn a_hello_in_a_burst_proves_nothing() {
        assert_eq!(worth(Some(6)), Hello::Unproven);
        assert_eq!(worth(Some(5)), Hello::Well);
        assert_eq!(worth(None), Hello::Unproven);
    }
}
