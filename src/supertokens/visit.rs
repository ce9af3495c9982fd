//! One visit of a core: its sign of life, its domains, and what each of them says.
//!
//! A core is heard domain by domain: each has its own database, and one that is down says nothing of the others.

use super::Client;
use crate::clock::monotonic;
use crate::gateway::{AdminError, CoreAdmin, Door, Visit};
use crate::model::admin::{App, AppDay, CoreWord, Domain, DomainWord, Hello, Place, Sign, Traffic, together};
use crate::model::{Imports, Known, Migration, Sealed, Setting, Text, WhyUnknown};
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Domains of one core that are asked at the same time: its server threads are ten, for everybody.
const AT_ONCE: usize = 3;
/// How long counts of users hold: a core counts them anew for each question.
const COUNTED_FOR: Duration = Duration::from_secs(600);
/// Apps of a domain besides the public one whose requests are asked for.
const APPS: usize = 20;
/// Signs of the digest of a database that are kept: so many that no two of ten thousand are taken for one.
const DIGEST: usize = 12;
/// Minutes of a day's line that become one point.
const POINT: usize = 30;

/// What is counted of a domain, or costs its core as much as counting.
#[derive(Clone, Debug, Default)]
struct Uses {
    users: Option<u64>,
    monthly: Option<u64>,
    /// What tells its database from others.
    database: Option<Text>,
    migration: Known<Option<Migration>>,
    imports: Known<Option<Imports>>,
    links_accounts: Known<Option<bool>>,
}

/// What a core counted when it was last asked to.
#[derive(Debug, Default)]
pub(super) struct Counted {
    at: Option<Instant>,
    features: Option<BTreeSet<Text>>,
    licence: Known<bool>,
    /// What was counted of each domain.
    users: HashMap<Text, Uses>,
    threads: Option<u32>,
    is_in_memory: Option<bool>,
}

/// Where the databases of a core stand, by domain, or why it did not tell.
type Steps = Result<BTreeMap<Text, Migration>, AdminError>;

/// What a domain said, and the features that its licence switches on, where it was asked.
type Heard = (DomainWord, Option<BTreeSet<Text>>);

/// Visits a core.
pub(super) async fn visit(
    client: &Client,
    door: &Door,
    at: &Visit,
    before: Option<Arc<Counted>>,
    now: Instant,
) -> (CoreWord, Arc<Counted>) {
    let mut word = CoreWord { core: at.core.clone(), ..CoreWord::default() };
    // To the end of the visit: whoever else wants a way takes that of a core that nobody visits.
    let _way = match client.hold(door).await {
        Ok(way) => way,
        Err(error) => {
            word.sign = sign(Err(error));
            return (word, before.unwrap_or_default());
        }
    };
    // How busy it is comes first: it decides what a hello is worth.
    let traffic = client.traffic(door, &Place::of("")).await;
    let asked = monotonic();
    word.sign = sign(client.hello(door, &Place::of("")).await);
    word.took = Some(monotonic().saturating_duration_since(asked));
    if !word.sign.is_answer() {
        // Whoever cannot be reached is not asked forty times more.
        return (word, before.unwrap_or_default());
    }
    if let Err(error) = &traffic {
        word.fault(error);
    }
    let domains = match client.domains(door).await {
        Ok(domains) => domains,
        Err(error) => {
            word.fault(&error);
            Vec::new()
        }
    };
    let is_old = before.as_ref().is_none_or(|counted| {
        counted.at.is_none_or(|then| now.saturating_duration_since(then) >= COUNTED_FOR)
    });
    let before = before.unwrap_or_default();
    let base = Domain::default();
    let all: Vec<&Domain> = if domains.is_empty() { vec![&base] } else { domains.iter().collect() };
    // The base tells it of everybody.
    let steps = match is_old && word.faults.is_empty() {
        true => Some(client.migrations(door).await),
        false => None,
    };
    let mut asked: Vec<BoxFuture<'_, Heard>> = Vec::with_capacity(all.len());
    for domain in all {
        let known = domain.domain.is_empty().then_some((&word.sign, &traffic));
        let steps = steps.as_ref();
        asked.push(hear(client, door, domain, known, (is_old, steps), &before).boxed());
    }
    let heard: Vec<Heard> = futures::stream::iter(asked).buffered(AT_ONCE).collect().await;
    let mut counted = Counted { at: if is_old { Some(now) } else { before.at }, ..Counted::default() };
    counted.features.clone_from(&before.features);
    for (domain, features) in heard {
        if let Some(features) = features {
            counted.features = Some(features);
        }
        let told = Uses {
            users: domain.users,
            monthly: domain.monthly,
            database: domain.database.clone(),
            migration: domain.migration.clone(),
            imports: domain.imports,
            links_accounts: domain.links_accounts,
        };
        counted.users.insert(domain.domain.clone(), told);
        word.domains.push(Arc::new(domain));
    }
    word.features.clone_from(&counted.features);
    (counted.threads, counted.is_in_memory) = match is_old && word.faults.is_empty() {
        true => base_of(client, door).await,
        false => (before.threads, before.is_in_memory),
    };
    counted.licence = match is_old && word.faults.is_empty() {
        true => told(client.has_licence(door, &Place::of("")).await),
        false => before.licence,
    };
    word.licence = counted.licence;
    (word.threads, word.is_in_memory) = (counted.threads, counted.is_in_memory);
    (word, Arc::new(counted))
}

/// An answer, or that it could not be had.
fn told<T>(answer: Result<T, AdminError>) -> Known<T> {
    answer.map_or(Known::No(WhyUnknown::Trouble), Known::Yes)
}

/// Where a domain's tables stand, by what the base told of all.
fn step_of(domain: &Text, steps: &Steps) -> Known<Option<Migration>> {
    match steps {
        Ok(all) => Known::Yes(all.get(domain).cloned()),
        Err(AdminError::UnknownCall) => Known::Yes(None),
        Err(_) => Known::No(WhyUnknown::Trouble),
    }
}

/// Threads of a core, and whether it keeps everything in memory. A database has an id unless nobody may know it: one
/// that may have one, and has none, is no database.
pub(super) async fn base_of(client: &Client, door: &Door) -> (Option<u32>, Option<bool>) {
    let place = Place::of("");
    let Ok(settings) = client.settings(door, &place).await else { return (None, None) };
    let shown = |key: &str| {
        settings.iter().find(|one| one.key == key).and_then(|one| match &one.value {
            Setting::Shown(value) => Some(value.clone()),
            _ => None,
        })
    };
    let threads = shown("max_server_pool_size").and_then(|size| u32::try_from(size.as_u64()?).ok());
    let is_told = shown("disable_telemetry").and_then(|disabled| disabled.as_bool()) == Some(false);
    let is_in_memory = match is_told {
        true => client.telemetry(door, &place).await.ok().map(|id| id.is_none()),
        false => None,
    };
    (threads, is_in_memory)
}

fn sign(answer: Result<Hello, AdminError>) -> Sign {
    match answer {
        Ok(Hello::Well) => Sign::Well,
        Ok(Hello::Unproven) => Sign::Unproven,
        Err(AdminError::Unreachable { why } | AdminError::Broken { why }) if says_closed(&why) => {
            Sign::Silent
        }
        Err(
            error @ (AdminError::Unreachable { .. } | AdminError::NoWay { .. } | AdminError::Broken { .. }),
        ) => Sign::Unreached(Text::new(error.to_string())),
        Err(error) => Sign::Failed(Text::new(error.to_string())),
    }
}

/// A host that answers for a port that is closed, and not one that nobody can reach.
fn says_closed(why: &str) -> bool {
    ["refused", "reset by peer", "closed before message completed"].iter().any(|word| why.contains(word))
}

/// What one domain says. The base's own word is known already.
async fn hear(
    client: &Client,
    door: &Door,
    domain: &Domain,
    known: Option<(&Sign, &Result<Traffic, AdminError>)>,
    (is_old, steps): (bool, Option<&Steps>),
    before: &Counted,
) -> Heard {
    let place = Place::of(&domain.domain);
    let mut word = DomainWord {
        domain: domain.domain.clone(),
        apps: u32::try_from(domain.apps.len()).unwrap_or(u32::MAX),
        tenants: domain.apps.iter().map(|app| u32::try_from(app.tenants.len()).unwrap_or(u32::MAX)).sum(),
        ..DomainWord::default()
    };
    let own = own_settings(domain);
    word.pool = own.and_then(|settings| match settings.get("postgresql_connection_pool_size") {
        Some(Setting::Shown(value)) => value.as_u64().and_then(|size| u32::try_from(size).ok()),
        _ => None,
    });
    word.differs =
        own.into_iter().flatten().map(|(key, value)| (key.clone(), Text::new(value.shown()))).collect();
    // A domain with keys of its own is opened by none but those, and by the secret of a shared core.
    let key = own.and_then(|settings| first_key(settings.get("api_keys")?)).or_else(|| door.key.clone());
    let door = &Door { key, ..door.clone() };
    let traffic;
    let traffic = match known {
        Some((sign, known)) => {
            word.sign = sign.clone();
            known
        }
        None => {
            traffic = client.traffic(door, &place).await;
            word.sign = sign(client.hello(door, &place).await);
            &traffic
        }
    };
    match traffic {
        Ok(traffic) => tell(&mut word, traffic),
        Err(error) => word.fault = Some(Text::new(error.to_string())),
    }
    let uses = before.users.get(&word.domain).cloned().unwrap_or_default();
    (word.users, word.monthly, word.database) = (uses.users, uses.monthly, uses.database);
    (word.migration, word.imports) = (uses.migration, uses.imports);
    word.links_accounts = uses.links_accounts;
    if let Some(steps) = steps {
        word.migration = step_of(&word.domain, steps);
    }
    let mut features = None;
    if is_old && word.fault.is_none() {
        word.imports = told(client.imports(door, &place).await);
        let licence = client.licence(door, &place).await;
        word.links_accounts =
            told(licence.as_ref().map(|licence| licence.links_accounts).map_err(Clone::clone));
        match licence {
            Ok(licence) => {
                let uses = licence.tenants.iter().filter(|told| told.place.domain == word.domain);
                // Tenants may have databases of their own: the one that stands for all is the same at every replica, in
                // whatever order it tells them.
                let pools = uses.clone().filter_map(|told| Some((&told.place, told.pool.as_deref()?)));
                let public = |(at, _): &(&Place, &str)| {
                    (at.app != "public", at.tenant != "public", at.app.clone(), at.tenant.clone())
                };
                let pool = pools.min_by_key(public).map(|(_, pool)| pool);
                word.database = pool.map(|pool| Text::from(pool.chars().take(DIGEST).collect::<String>()));
                let told: Vec<u64> = uses.map(|told| told.users).collect();
                word.users = if told.is_empty() {
                    client.users(door, &place, true).await.ok()
                } else {
                    Some(told.iter().sum())
                };
                word.monthly = licence.monthly();
                if word.domain.is_empty() {
                    features = Some(licence.features);
                }
            }
            Err(error) => word.fault = Some(Text::new(error.to_string())),
        }
    }
    if word.fault.is_none() {
        others(client, door, domain, &mut word).await;
    }
    (word, features)
}

/// The requests of a domain's other apps, which count for the domain as those of its public one do. A domain with more
/// than are asked shows its public app's alone; so does one with an app that does not tell, and says so.
async fn others(client: &Client, door: &Door, domain: &Domain, word: &mut DomainWord) {
    let apps: Vec<&App> = domain.apps.iter().filter(|app| app.id != "public").collect();
    if apps.is_empty() || apps.len() > APPS {
        return;
    }
    let mut days = vec![AppDay { app: "public".into(), day: word.day.clone() }];
    let (mut rate, mut peak, mut last_request) = (word.rate, word.peak, word.last_request);
    for app in apps {
        let public = app.tenants.iter().find(|tenant| tenant.id == "public");
        let own = public.and_then(|tenant| first_key(tenant.settings.get("api_keys")?));
        let door = Door { key: own.or_else(|| door.key.clone()), ..door.clone() };
        let place = Place { app: app.id.clone(), ..Place::of(&domain.domain) };
        let traffic = match client.traffic(&door, &place).await {
            Ok(traffic) => traffic,
            Err(error) => {
                word.fault = Some(Text::new(format!("requests of its app {}: {error}", app.id)));
                return;
            }
        };
        let mut told = DomainWord::default();
        tell(&mut told, &traffic);
        days.push(AppDay { app: app.id.clone(), day: told.day });
        (rate, peak) = (sum(rate, told.rate), peak.max(told.peak));
        last_request = last_request.max(told.last_request);
    }
    (word.rate, word.peak, word.last_request) = (rate, peak, last_request);
    word.day = together(&days.iter().map(|one| one.day.as_slice()).collect::<Vec<_>>());
    word.days = days;
}

/// Both together, or the one that is known.
fn sum(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.zip(other).map(|(one, other)| one + other).or(one).or(other)
}

/// What a domain sets itself: the settings of its public tenant.
pub(super) fn own_settings(domain: &Domain) -> Option<&BTreeMap<Text, Setting>> {
    let app = domain.apps.iter().find(|app| app.id == "public")?;
    let tenant = app.tenants.iter().find(|tenant| tenant.id == "public")?;
    Some(&tenant.settings)
}

/// The first key of a list of them.
pub(super) fn first_key(keys: &Setting) -> Option<Sealed> {
    let Setting::Hidden(json) = keys else { return None };
    let text: String = serde_json::from_str(json.open()).ok()?;
    let first = text.split(',').next()?.trim();
    (!first.is_empty()).then(|| Sealed::new(first))
}

/// Takes from a day of minutes what is kept of it.
fn tell(word: &mut DomainWord, traffic: &Traffic) {
    word.rate = traffic.latest();
    word.peak = traffic.peak.iter().rev().flatten().next().copied();
    let minutes = i64::try_from(traffic.average.len()).unwrap_or(0);
    let last = traffic.average.iter().rposition(|rate| rate.is_some_and(|rate| rate > 0.0));
    let first = traffic.at_minute - minutes;
    word.last_request = last.and_then(|at| i64::try_from(at).ok()).map(|at| first + at);
    let point = |minutes: &[Option<f64>]| {
        let told: Vec<f64> = minutes.iter().flatten().copied().collect();
        (!told.is_empty()).then(|| told.iter().sum::<f64>() / told.len() as f64)
    };
    word.day = traffic.average.chunks(POINT).map(point).collect();
}
