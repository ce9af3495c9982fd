//! A section's value as bytes, and back. The format is only ever read by the same model that wrote it:
//! `fingerprint` changes with the model's source, and the cache forgets what another fingerprint wrote.

use crate::gateway::{Reading, Source};
use crate::model::{CoreRecord, Instance, TenantRecord};
use crate::snapshot::Part;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The source text that decides the shape of what is stored: this file, the sections, and all of the model.
const SHAPES: [(&str, &str); 21] = [
    ("body.rs", include_str!("body.rs")),
    ("snapshot.rs", include_str!("../snapshot.rs")),
    ("admin.rs", include_str!("../model/admin.rs")),
    ("alarm.rs", include_str!("../model/alarm.rs")),
    ("balancer.rs", include_str!("../model/balancer.rs")),
    ("cluster.rs", include_str!("../model/cluster.rs")),
    ("core.rs", include_str!("../model/core.rs")),
    ("definition.rs", include_str!("../model/definition.rs")),
    ("detail.rs", include_str!("../model/detail.rs")),
    ("gauge.rs", include_str!("../model/gauge.rs")),
    ("group.rs", include_str!("../model/group.rs")),
    ("ids.rs", include_str!("../model/ids.rs")),
    ("instance.rs", include_str!("../model/instance.rs")),
    ("money.rs", include_str!("../model/money.rs")),
    ("scope.rs", include_str!("../model/scope.rs")),
    ("sealed.rs", include_str!("../model/sealed.rs")),
    ("tags.rs", include_str!("../model/tags.rs")),
    ("template.rs", include_str!("../model/template.rs")),
    ("text.rs", include_str!("../model/text.rs")),
    ("tier.rs", include_str!("../model/tier.rs")),
    ("trouble.rs", include_str!("../model/trouble.rs")),
];

/// Names the shape of what this build stores. A new version brings new versions of what lies below the
/// model too, so it counts.
pub(super) fn fingerprint() -> String {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    for (_, shape) in SHAPES {
        hash.update(shape);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Makes the bytes of one section's value. It holds that value and nothing else of the snapshot.
pub(super) type Encode = Box<dyn FnOnce() -> Option<Vec<u8>> + Send>;

#[derive(Serialize, Deserialize)]
struct Registered {
    cores: Vec<CoreRecord>,
    tenants: Vec<TenantRecord>,
    faults: Vec<String>,
}

/// How a section's value becomes bytes; none when it has none, or is not worth keeping.
/// Metrics are not kept: they are read for what is looked at, and age within minutes.
pub(super) fn encoder(part: &Part, source: Source) -> Option<Encode> {
    fn of<T: Serialize + Send + Sync + 'static>(value: Option<&Arc<T>>) -> Option<Encode> {
        let value = Arc::clone(value?);
        Some(Box::new(move || postcard::to_stdvec(value.as_ref()).ok()))
    }
    match source {
        Source::Identity => of(part.identity.value.as_ref()),
        Source::Instances => {
            let list = Arc::clone(part.instances.value.as_ref()?);
            Some(Box::new(move || {
                postcard::to_stdvec(&list.iter().map(Arc::as_ref).collect::<Vec<&Instance>>()).ok()
            }))
        }
        Source::Statuses => of(part.statuses.value.as_ref()),
        Source::Templates => of(part.templates.value.as_ref()),
        Source::Images => of(part.images.value.as_ref()),
        Source::Groups => of(part.groups.value.as_ref()),
        Source::Refreshes => of(part.refreshes.value.as_ref()),
        Source::Activities => of(part.activities.value.as_ref()),
        Source::Clusters => of(part.clusters.value.as_ref()),
        Source::Services => of(part.services.value.as_ref()),
        Source::Tasks => of(part.tasks.value.as_ref()),
        Source::Hosts => of(part.hosts.value.as_ref()),
        Source::TargetGroups => of(part.target_groups.value.as_ref()),
        Source::Targets => of(part.targets.value.as_ref()),
        Source::Rules => of(part.rules.value.as_ref()),
        Source::Agents => of(part.agents.value.as_ref()),
        Source::Alarms => of(part.alarms.value.as_ref()),
        Source::Registry => {
            let registry = Arc::clone(part.registry.value.as_ref()?);
            Some(Box::new(move || {
                let (cores, tenants, faults) =
                    (registry.cores.clone(), registry.tenants.clone(), registry.faults.clone());
                postcard::to_stdvec(&Registered { cores, tenants, faults }).ok()
            }))
        }
        Source::Metrics | Source::Admin => None,
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
        Source::Metrics | Source::Admin => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_model_decides_the_shape() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let known: Vec<&str> = SHAPES.iter().skip(2).map(|(name, _)| *name).collect();
        assert_eq!(known, files, "SHAPES must name every file of src/model");
    }
}
