//! The rows of a section, one by one: how each is told from the others, written as JSON and read again.
//!
//! JSON and not the cache's bytes: what is kept for days must be readable by the next version too. A row that
//! it cannot read is said to be missing, and takes no other row with it.

use crate::gateway::{Reading, Source};
use crate::model::{
    Activity, Agent, Alarm, Cluster, CoreRecord, Group, Host, HostedZone, Identity, Image, Instance,
    InstanceStatus, Published, Refresh, Rule, Service, Target, TargetGroup, Task, Template, TenantRecord,
};
use crate::snapshot::Part;
use crate::store::body::weak;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Write};
use std::sync::{Arc, Weak};

/// Something that a section lists.
pub(super) trait Row: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What rows are sorted by when they are read again.
    fn id(&self) -> &str;
}

macro_rules! rows {
    ($($type:ty => $id:ident),+ $(,)?) => {$(
        impl Row for $type {
            fn id(&self) -> &str {
                self.$id.as_ref()
            }
        }
    )+};
}

rows! {
    Identity => arn, Instance => id, InstanceStatus => id, Template => id, Image => id, Published => parameter, Group => name,
    Refresh => id, Activity => id, Cluster => arn, Service => arn, Task => arn, Host => arn,
    TargetGroup => arn, Target => id, Rule => arn, HostedZone => id, Agent => id, Alarm => name,
}

/// An entry of the registry.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Core(CoreRecord),
    Tenant(TenantRecord),
    Fault(String),
}

impl Row for Entry {
    fn id(&self) -> &str {
        match self {
            Self::Core(core) => core.id.as_ref(),
            Self::Tenant(tenant) => tenant.id.as_ref(),
            Self::Fault(fault) => fault,
        }
    }
}

/// Tells whether the order of a source's rows means something: the newest first.
pub(super) fn is_ordered(source: Source) -> bool {
    matches!(source, Source::Refreshes | Source::Activities)
}

/// The number that tells row `at` from others; none when it cannot be written.
type Number = Box<dyn Fn(usize, &mut Vec<u8>) -> Option<u64> + Send>;
/// Writes row `at` as JSON.
type WriteRow = Box<dyn Fn(usize, &mut dyn Write) -> io::Result<()> + Send>;

/// The rows of one section, whatever their type. It holds them and nothing else of the snapshot.
pub(super) struct Rows {
    /// Tells the list that they are of from every other.
    pub(super) value: Weak<dyn Any + Send + Sync>,
    pub(super) len: usize,
    pub(super) is_ordered: bool,
    hash: Number,
    json: WriteRow,
}

impl Rows {
    /// Numbers that tell the rows apart; none when a row cannot be written.
    pub(super) fn hashes(&self) -> Option<Vec<u64>> {
        let mut buffer = Vec::new();
        (0..self.len).map(|at| (self.hash)(at, &mut buffer)).collect()
    }

    /// Writes row `at` as JSON, on one line.
    pub(super) fn write(&self, at: usize, out: &mut dyn Write) -> io::Result<()> {
        (self.json)(at, out)
    }

    fn of<L, T>(source: Source, list: Arc<L>, len: usize, get: fn(&L, usize) -> Option<&T>) -> Self
    where
        L: Send + Sync + 'static,
        T: Serialize + 'static,
    {
        let other = Arc::clone(&list);
        Self {
            value: weak(&list),
            len,
            is_ordered: is_ordered(source),
            hash: Box::new(move |at, buffer| hash(get(&list, at)?, buffer)),
            json: Box::new(move |at, out| match get(&other, at) {
                Some(row) => Ok(serde_json::to_writer(out, row)?),
                None => Ok(()),
            }),
        }
    }
}

/// A number that tells rows apart. It is never written: another version may number them differently.
pub(super) fn hash<T: Serialize>(row: &T, buffer: &mut Vec<u8>) -> Option<u64> {
    buffer.clear();
    *buffer = postcard::to_extend(row, std::mem::take(buffer)).ok()?;
    let mut hasher = DefaultHasher::new();
    hasher.write(buffer);
    Some(hasher.finish())
}

/// The rows of a section as they stand; none when it has no value, or is kept as courses: metrics, prices.
pub(super) fn rows(part: &Part, source: Source) -> Option<Rows> {
    fn of<T: Row>(source: Source, list: Option<&Arc<Vec<T>>>) -> Option<Rows> {
        let list = list?;
        Some(Rows::of(source, Arc::clone(list), list.len(), |list, at| list.get(at)))
    }
    match source {
        Source::Identity => {
            let list = Arc::new(vec![Identity::clone(part.identity.value.as_ref()?)]);
            of(source, Some(&list))
        }
        Source::Instances => {
            let list = part.instances.value.as_ref()?;
            Some(Rows::of(source, Arc::clone(list), list.len(), |list, at| list.get(at).map(Arc::as_ref)))
        }
        Source::Statuses => of(source, part.statuses.value.as_ref()),
        Source::Templates => of(source, part.templates.value.as_ref()),
        Source::Images => of(source, part.images.value.as_ref()),
        Source::Published => of(source, part.published.value.as_ref()),
        Source::Groups => of(source, part.groups.value.as_ref()),
        Source::Refreshes => of(source, part.refreshes.value.as_ref()),
        Source::Activities => of(source, part.activities.value.as_ref()),
        Source::Clusters => of(source, part.clusters.value.as_ref()),
        Source::Services => of(source, part.services.value.as_ref()),
        Source::Tasks => of(source, part.tasks.value.as_ref()),
        Source::Hosts => of(source, part.hosts.value.as_ref()),
        Source::TargetGroups => of(source, part.target_groups.value.as_ref()),
        Source::Targets => of(source, part.targets.value.as_ref()),
        Source::Rules => of(source, part.rules.value.as_ref()),
        Source::Records => of(source, part.records.value.as_ref()),
        Source::Agents => of(source, part.agents.value.as_ref()),
        Source::Alarms => of(source, part.alarms.value.as_ref()),
        Source::Registry => {
            let registry = part.registry.value.as_ref()?;
            let cores = registry.cores.iter().cloned().map(Entry::Core);
            let tenants = registry.tenants.iter().cloned().map(Entry::Tenant);
            let faults = registry.faults.iter().cloned().map(Entry::Fault);
            let rows = of(source, Some(&Arc::new(cores.chain(tenants).chain(faults).collect())))?;
            Some(Rows { value: weak(registry), ..rows })
        }
        Source::Metrics | Source::Admin | Source::Prices => None,
    }
}

/// Rows that were read again, and how many could not be.
pub(super) struct Again {
    pub(super) reading: Reading,
    pub(super) lost: usize,
}

/// Does something with the rows of a source by their type.
pub(super) trait Typed {
    type Out;
    fn of<T: Row>(self, reading: fn(Vec<T>) -> Option<Reading>) -> Self::Out;
}

/// Finds the type of a source's rows; none for metrics and prices, which are kept as courses.
pub(super) fn typed<D: Typed>(source: Source, with: D) -> Option<D::Out> {
    Some(match source {
        Source::Identity => with.of::<Identity>(|rows| rows.into_iter().next().map(Reading::Identity)),
        Source::Instances => {
            with.of::<Instance>(|rows| Some(Reading::Instances(rows.into_iter().map(Arc::new).collect())))
        }
        Source::Statuses => with.of(|rows| Some(Reading::Statuses(rows))),
        Source::Templates => with.of(|rows| Some(Reading::Templates(rows))),
        Source::Images => with.of(|rows| Some(Reading::Images(rows))),
        Source::Published => with.of(|rows| Some(Reading::Published(rows))),
        Source::Groups => with.of(|rows| Some(Reading::Groups(rows))),
        Source::Refreshes => with.of(|rows| Some(Reading::Refreshes(rows))),
        Source::Activities => with.of(|rows| Some(Reading::Activities(rows))),
        Source::Clusters => with.of(|rows| Some(Reading::Clusters(rows))),
        Source::Services => with.of(|rows| Some(Reading::Services(rows))),
        Source::Tasks => with.of(|rows| Some(Reading::Tasks(rows))),
        Source::Hosts => with.of(|rows| Some(Reading::Hosts(rows))),
        Source::TargetGroups => with.of(|rows| Some(Reading::TargetGroups(rows))),
        Source::Targets => with.of(|rows| Some(Reading::Targets(rows))),
        Source::Rules => with.of(|rows| Some(Reading::Rules(rows))),
        Source::Records => with.of(|rows| Some(Reading::Records(rows))),
        Source::Agents => with.of(|rows| Some(Reading::Agents(rows))),
        Source::Alarms => with.of(|rows| Some(Reading::Alarms(rows))),
        Source::Registry => with.of(|rows: Vec<Entry>| {
            let (mut cores, mut tenants, mut faults) = (Vec::new(), Vec::new(), Vec::new());
            for row in rows {
                match row {
                    Entry::Core(core) => cores.push(core),
                    Entry::Tenant(tenant) => tenants.push(tenant),
                    Entry::Fault(fault) => faults.push(fault),
                }
            }
            Some(Reading::Registry { cores, tenants, faults })
        }),
        Source::Metrics | Source::Admin | Source::Prices => return None,
    })
}
