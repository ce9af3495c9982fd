//! A section's value as bytes, and back. The format is only ever read by the same model that wrote it:
//! `fingerprint` changes with the model's source, and the cache forgets what another fingerprint wrote.

use crate::gateway::{Reading, Source};
use crate::model::{CoreRecord, Instance, TenantRecord};
use crate::snapshot::Part;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The source text that decides the shape of what is stored.
const SHAPES: [&str; 10] = [
    include_str!("body.rs"),
    include_str!("../model/alarm.rs"),
    include_str!("../model/balancer.rs"),
    include_str!("../model/cluster.rs"),
    include_str!("../model/core.rs"),
    include_str!("../model/group.rs"),
    include_str!("../model/instance.rs"),
    include_str!("../model/scope.rs"),
    include_str!("../model/tags.rs"),
    include_str!("../model/template.rs"),
];

/// Names the shape of what this build stores.
pub(super) fn fingerprint() -> String {
    let mut hash = Sha256::new();
    for shape in SHAPES {
        hash.update(shape.as_bytes());
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Serialize, Deserialize)]
struct Registered {
    cores: Vec<CoreRecord>,
    tenants: Vec<TenantRecord>,
    faults: Vec<String>,
}

/// The bytes of a section's value; none when it has none, or is not worth keeping.
/// Metrics are not kept: they are read for what is looked at, and age within minutes.
pub(super) fn encode(part: &Part, source: Source) -> Option<Vec<u8>> {
    fn bytes<T: Serialize>(value: Option<&Arc<T>>) -> Option<Vec<u8>> {
        postcard::to_stdvec(value?.as_ref()).ok()
    }
    match source {
        Source::Identity => bytes(part.identity.value.as_ref()),
        Source::Instances => {
            let list = part.instances.value.as_ref()?;
            postcard::to_stdvec(&list.iter().map(Arc::as_ref).collect::<Vec<&Instance>>()).ok()
        }
        Source::Statuses => bytes(part.statuses.value.as_ref()),
        Source::Templates => bytes(part.templates.value.as_ref()),
        Source::Images => bytes(part.images.value.as_ref()),
        Source::Groups => bytes(part.groups.value.as_ref()),
        Source::Refreshes => bytes(part.refreshes.value.as_ref()),
        Source::Activities => bytes(part.activities.value.as_ref()),
        Source::Clusters => bytes(part.clusters.value.as_ref()),
        Source::Services => bytes(part.services.value.as_ref()),
        Source::Tasks => bytes(part.tasks.value.as_ref()),
        Source::Hosts => bytes(part.hosts.value.as_ref()),
        Source::TargetGroups => bytes(part.target_groups.value.as_ref()),
        Source::Targets => bytes(part.targets.value.as_ref()),
        Source::Rules => bytes(part.rules.value.as_ref()),
        Source::Agents => bytes(part.agents.value.as_ref()),
        Source::Alarms => bytes(part.alarms.value.as_ref()),
        Source::Registry => {
            let registry = part.registry.value.as_ref()?;
            let (cores, tenants, faults) =
                (registry.cores.clone(), registry.tenants.clone(), registry.faults.clone());
            postcard::to_stdvec(&Registered { cores, tenants, faults }).ok()
        }
        Source::Metrics => None,
    }
}

/// The reading that `encode` made these bytes from; none when they are not what they should be.
pub(super) fn decode(source: Source, bytes: &[u8]) -> Option<Reading> {
    fn value<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
        postcard::from_bytes(bytes).ok()
    }
    Some(match source {
        Source::Identity => Reading::Identity(value(bytes)?),
        Source::Instances => {
            Reading::Instances(value::<Vec<Instance>>(bytes)?.into_iter().map(Arc::new).collect())
        }
        Source::Statuses => Reading::Statuses(value(bytes)?),
        Source::Templates => Reading::Templates(value(bytes)?),
        Source::Images => Reading::Images(value(bytes)?),
        Source::Groups => Reading::Groups(value(bytes)?),
        Source::Refreshes => Reading::Refreshes(value(bytes)?),
        Source::Activities => Reading::Activities(value(bytes)?),
        Source::Clusters => Reading::Clusters(value(bytes)?),
        Source::Services => Reading::Services(value(bytes)?),
        Source::Tasks => Reading::Tasks(value(bytes)?),
        Source::Hosts => Reading::Hosts(value(bytes)?),
        Source::TargetGroups => Reading::TargetGroups(value(bytes)?),
        Source::Targets => Reading::Targets(value(bytes)?),
        Source::Rules => Reading::Rules(value(bytes)?),
        Source::Agents => Reading::Agents(value(bytes)?),
        Source::Alarms => Reading::Alarms(value(bytes)?),
        Source::Registry => {
            let Registered { cores, tenants, faults } = value(bytes)?;
            Reading::Registry { cores, tenants, faults }
        }
        Source::Metrics => return None,
    })
}
