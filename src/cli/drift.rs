//! A reader that says of the registry's entries what the last inventory found: read anew with each registry, so that
//! a screen that is open hears of an inventory that was made beside it.

use super::view::view;
use crate::clock::Clock;
use crate::config::{Config, Surroundings};
use crate::gateway::{Ask, Bucket, CallRecord, FleetReader, GatewayError, Reading, Spending, Urgency};
use crate::inventory::{Diff, Difference, Entry, Sort};
use crate::model::{self, AccountName, DriftSort, Region, Scope, Text};
use crate::store::{Drift, Drifted, kept_drift};
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What was found longer ago says nothing any more.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Where it is kept what inventories of this view found; none without a folder for what programs remember.
pub(super) fn file(config: &Config, around: &Surroundings) -> Option<PathBuf> {
    let name = format!("drift-{}.json", view(config, around));
    Some(around.state_folder.as_ref()?.join("coredeck").join(name))
}

/// What is kept of an inventory: of its differences those that are left.
pub(super) fn of(
    diff: &Diff,
    entries: &[Entry],
    at: Timestamp,
    is_left: impl Fn(&Difference) -> bool,
) -> Drift {
    let left = diff.differences.iter().filter(|one| is_left(one)).map(|one| Drifted {
        scope: one.scope.clone(),
        name: one.name.clone(),
        why: one.why.clone(),
        is_new: one.was.is_none() && one.to.is_some(),
        sort: match one.sort {
            Sort::Add | Sort::Change => DriftSort::Change,
            Sort::Gone => DriftSort::Gone,
            Sort::Conflict => DriftSort::Conflict,
        },
    });
    let unjudged = diff.unjudged.iter().map(|one| Drifted {
        scope: one.scope.clone(),
        name: one.name.clone(),
        why: one.why.clone(),
        is_new: false,
        sort: DriftSort::Unjudged,
    });
    // What was written is there from now on.
    let written = diff.differences.iter().filter(|one| !is_left(one)).map(|one| (&one.scope, &one.name));
    let known = entries.iter().map(|entry| (&entry.scope, &entry.name)).chain(written);
    let known = known.map(|(scope, name)| key(scope, name)).collect();
    Drift { at, differences: left.chain(unjudged).collect(), known }
}

/// What tells an entry from those of other places.
fn key(scope: &Scope, name: &str) -> String {
    format!("{scope} {name}")
}

/// Reads a fleet, and minds the last inventory.
pub(super) struct Minding {
    fleet: Arc<dyn FleetReader>,
    file: PathBuf,
    clock: Clock,
}

impl Minding {
    pub(super) fn new(fleet: Arc<dyn FleetReader>, file: PathBuf, clock: Clock) -> Self {
        Self { fleet, file, clock }
    }
}

/// Puts what was found beside the entries that it is about.
fn mind(reading: Reading, scope: &Scope, path: &str, file: &Path, now: Timestamp) -> Reading {
    let Reading::Registry { mut cores, mut tenants, mut faults } = reading else { return reading };
    let drift = match kept_drift(file) {
        Ok(drift) => drift.unwrap_or_default(),
        Err(error) => {
            faults.push(error.to_string());
            return Reading::Registry { cores, tenants, faults };
        }
    };
    let is_old = now.duration_since(drift.at) > GOOD_FOR;
    if is_old {
        return Reading::Registry { cores, tenants, faults };
    }
    let here = drift.differences.iter().filter(|one| one.scope == *scope);
    let mut found: BTreeMap<&str, &Drifted> = here.map(|one| (one.name.as_str(), one)).collect();
    let path = path.trim_end_matches('/');
    let mut of = |part: &str, id: &str| {
        let name = format!("{path}/{part}/{id}");
        match found.remove(name.as_str()) {
            Some(one) => {
                let why = Some(Text::from(one.why.as_str()));
                Some(model::Drift { sort: one.sort, why, at: drift.at })
            }
            None if drift.known.contains(&key(scope, &name)) => {
                Some(model::Drift { sort: DriftSort::Same, why: None, at: drift.at })
            }
            None => None,
        }
    };
    cores.iter_mut().for_each(|core| core.drift = of("cores", core.id.as_str()));
    tenants.iter_mut().for_each(|tenant| tenant.drift = of("tenants", tenant.id.as_str()));
    // What runs and is in no entry has no row that could say so.
    let strangers = found.into_values().filter(|one| one.is_new && one.name.starts_with(path));
    faults.extend(
        strangers.map(|one| format!("{}: the inventory of {:.0} differs: {}", one.name, drift.at, one.why)),
    );
    Reading::Registry { cores, tenants, faults }
}

impl FleetReader for Minding {
    fn regions(&self, account: &AccountName) -> BoxFuture<'_, Result<Vec<Region>, GatewayError>> {
        self.fleet.regions(account)
    }

    fn home_region(&self, account: &AccountName) -> BoxFuture<'_, Result<Region, GatewayError>> {
        self.fleet.home_region(account)
    }

    fn read(
        &self,
        scope: &Scope,
        ask: Ask,
        urgency: Urgency,
        pages: Option<mpsc::Sender<Reading>>,
    ) -> BoxFuture<'_, Result<Reading, GatewayError>> {
        let Ask::Registry(path) = &ask else { return self.fleet.read(scope, ask, urgency, pages) };
        let (path, scope) = (path.clone(), scope.clone());
        async move {
            let read = self.fleet.read(&scope, ask, urgency, pages).await?;
            Ok(mind(read, &scope, &path, &self.file, self.clock.now()))
        }
        .boxed()
    }

    fn remind(&self, scope: &Scope, reading: &Reading) {
        self.fleet.remind(scope, reading);
    }

    fn spending(&self) -> Spending {
        self.fleet.spending()
    }

    fn calls(&self) -> Vec<Arc<CallRecord>> {
        self.fleet.calls()
    }

    fn buckets(&self) -> Vec<Bucket> {
        self.fleet.buckets()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CoreRecord, TenantRecord};
    use crate::store::keep_drift;

    #[test]
    fn entries_say_what_the_last_inventory_found_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("drift.json");
        let scope = Scope { account: "a".into(), region: "r".into() };
        let other = Scope { account: "b".into(), region: "r".into() };
        let one = |scope: &Scope, name: &str, is_new| Drifted {
            scope: scope.clone(),
            name: format!("/coredeck/main/{name}"),
            why: "it moved".to_owned(),
            is_new,
            sort: DriftSort::Change,
        };
        let differences = vec![
            one(&scope, "cores/x", false),
            one(&other, "cores/y", false),
            one(&scope, "cores/z", true),
            one(&scope, "tenants/t", false),
            one(&scope, "cores/gone", false),
        ];
        let known = [key(&scope, "/coredeck/main/cores/y")].into();
        keep_drift(&file, &Drift { at: Timestamp::UNIX_EPOCH, differences, known }).unwrap();
        let minded = |now: Timestamp| {
            let core = |id: &str| CoreRecord { id: id.into(), ..CoreRecord::default() };
            let reading = Reading::Registry {
                cores: vec![core("x"), core("y"), core("younger")],
                tenants: vec![TenantRecord { id: "t".into(), ..TenantRecord::default() }],
                faults: Vec::new(),
            };
            let Reading::Registry { cores, tenants, faults } =
                mind(reading, &scope, "/coredeck/main/", &file, now)
            else {
                panic!("a registry")
            };
            let sort = |core: &CoreRecord| core.drift.as_ref().map(|drift| drift.sort);
            let told: Vec<_> = cores.iter().map(sort).collect();
            (told, tenants[0].drift.is_some(), faults)
        };
        let (cores, tenant, faults) = minded(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1));
        assert_eq!((cores, tenant), (vec![Some(DriftSort::Change), Some(DriftSort::Same), None], true));
        assert!(
            faults.len() == 1 && faults[0].starts_with("/coredeck/main/cores/z: the inventory of"),
            "{faults:?}"
        );
        let (cores, ..) = minded(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 8));
        assert_eq!(cores, [None, None, None], "after a week it says nothing any more");
    }
}
