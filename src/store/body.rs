//! A section's value as bytes, and back. The format is only ever read by the same model that wrote it:
//! `fingerprint` changes with the model's source, and the cache forgets what another fingerprint wrote.

use crate::gateway::{Reading, Source};
use crate::model::{Instance, Makes, Registrations};
use crate::snapshot::Part;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::any::Any;
use std::sync::{Arc, Weak};

/// The source text that decides the shape of what is stored: this file, the sections, and all of the model.
const SHAPES: [(&str, &str); 32] = [
    ("body.rs", include_str!("body.rs")),
    ("snapshot.rs", include_str!("../snapshot.rs")),
    ("admin.rs", include_str!("../model/admin.rs")),
    ("alarm.rs", include_str!("../model/alarm.rs")),
    ("balancer.rs", include_str!("../model/balancer.rs")),
    ("cluster.rs", include_str!("../model/cluster.rs")),
    ("core.rs", include_str!("../model/core.rs")),
    ("definition.rs", include_str!("../model/definition.rs")),
    ("detail.rs", include_str!("../model/detail.rs")),
    ("dns.rs", include_str!("../model/dns.rs")),
    ("gauge.rs", include_str!("../model/gauge.rs")),
    ("group.rs", include_str!("../model/group.rs")),
    ("host.rs", include_str!("../model/host.rs")),
    ("ids.rs", include_str!("../model/ids.rs")),
    ("instance.rs", include_str!("../model/instance.rs")),
    ("log.rs", include_str!("../model/log.rs")),
    ("market.rs", include_str!("../model/market.rs")),
    ("member.rs", include_str!("../model/member.rs")),
    ("money.rs", include_str!("../model/money.rs")),
    ("norm.rs", include_str!("../model/norm.rs")),
    ("packed.rs", include_str!("../model/packed.rs")),
    ("particulars.rs", include_str!("../model/particulars.rs")),
    ("published.rs", include_str!("../model/published.rs")),
    ("scope.rs", include_str!("../model/scope.rs")),
    ("sealed.rs", include_str!("../model/sealed.rs")),
    ("setting.rs", include_str!("../model/setting.rs")),
    ("tags.rs", include_str!("../model/tags.rs")),
    ("template.rs", include_str!("../model/template.rs")),
    ("text.rs", include_str!("../model/text.rs")),
    ("tier.rs", include_str!("../model/tier.rs")),
    ("trouble.rs", include_str!("../model/trouble.rs")),
    ("upkeep.rs", include_str!("../model/upkeep.rs")),
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

/// Makes the bytes of one piece of a section's value, by its number from nought on; none past the last. It holds
/// that value and nothing else of the snapshot.
pub(super) type Encode = Box<dyn FnMut(usize) -> postcard::Result<Option<Vec<u8>>> + Send>;

/// A section's value on its way into the cache.
pub(super) struct Body {
    pub(super) encode: Encode,
    /// Tells this value from every other, without holding it.
    pub(super) value: Weak<dyn Any + Send + Sync>,
}

/// So many things are one piece of a list: the bytes of a whole list would be as much again as the list. A start reads the
/// first piece of each before it shows anything.
const PIECE: usize = 1_000;

/// Where the pieces of a list end, by how many things each of its rows is. A piece has one row at least, and only an empty list
/// has an empty one.
fn ends<T>(list: &[T], things: impl Fn(&T) -> usize) -> Vec<usize> {
    let (mut ends, mut filled) = (Vec::new(), 0);
    for (at, row) in list.iter().enumerate() {
        let more = things(row).max(1);
        if filled > 0 && filled + more > PIECE {
            ends.push(at);
            filled = 0;
        }
        filled += more;
    }
    ends.push(list.len());
    ends
}

/// The rows of one piece; none past the last.
fn rows_of<'l, T>(list: &'l [T], ends: &[usize], piece: usize) -> Option<&'l [T]> {
    let from = piece.checked_sub(1).map_or(Some(0), |before| ends.get(before).copied())?;
    list.get(from..*ends.get(piece)?)
}

/// How a section's value becomes bytes; none when it has none, or is not worth keeping.
/// Metrics are not kept: they are read for what is looked at, and age within minutes. Prices are kept as courses.
pub(super) fn encoder(part: &Part, source: Source) -> Option<Body> {
    fn of<T: Serialize + Send + Sync + 'static>(list: Option<&Arc<Vec<T>>>) -> Option<Body> {
        weighed(list, |_| 1)
    }
    fn weighed<T: Serialize + Send + Sync + 'static>(
        list: Option<&Arc<Vec<T>>>,
        things: impl Fn(&T) -> usize,
    ) -> Option<Body> {
        let list = Arc::clone(list?);
        let ends = ends(&list, things);
        Some(Body {
            value: weak(&list),
            encode: Box::new(move |piece| rows_of(&list, &ends, piece).map(postcard::to_stdvec).transpose()),
        })
    }
    match source {
        Source::Identity => {
            let identity = Arc::clone(part.identity.value.as_ref()?);
            let value = weak(&identity);
            let encode: Encode =
                Box::new(move |piece| (piece == 0).then(|| postcard::to_stdvec(&*identity)).transpose());
            Some(Body { encode, value })
        }
        Source::Instances => {
            let list = Arc::clone(part.instances.value.as_ref()?);
            let ends = ends(&list, |_| 1);
            Some(Body {
                value: weak(&list),
                encode: Box::new(move |piece| {
                    let rows =
                        rows_of(&list, &ends, piece).map(|rows| rows.iter().map(Arc::as_ref).collect());
                    rows.map(|rows: Vec<&Instance>| postcard::to_stdvec(&rows)).transpose()
                }),
            })
        }
        Source::Statuses => of(part.statuses.value.as_ref()),
        Source::Templates => of(part.templates.value.as_ref()),
        Source::Images => of(part.images.value.as_ref()),
        Source::Published => of(part.published.value.as_ref()),
        // Thousands of groups may have dozens of members each.
        Source::Groups => weighed(part.groups.value.as_ref(), |group| group.members.len()),
        Source::Refreshes => of(part.refreshes.value.as_ref()),
        Source::Activities => of(part.activities.value.as_ref()),
        Source::Clusters => of(part.clusters.value.as_ref()),
        Source::Services => of(part.services.value.as_ref()),
        Source::Tasks => of(part.tasks.value.as_ref()),
        Source::Hosts => of(part.hosts.value.as_ref()),
        Source::TargetGroups => of(part.target_groups.value.as_ref()),
        Source::Targets => of(part.targets.value.as_ref()),
        Source::Rules => of(part.rules.value.as_ref()),
        Source::Records => of(part.records.value.as_ref()),
        Source::Agents => of(part.agents.value.as_ref()),
        Source::Alarms => of(part.alarms.value.as_ref()),
        Source::Registry => {
            let registry = Arc::clone(part.registry.value.as_ref()?);
            let value = weak(&registry);
            let encode: Encode = Box::new(move |piece| {
                let all = (&registry.cores, &registry.tenants, &registry.faults);
                (piece == 0).then(|| postcard::to_stdvec(&all)).transpose()
            });
            Some(Body { encode, value })
        }
        Source::Metrics | Source::Admin | Source::Prices => None,
    }
}

/// What tells a value from every other for as long as this is kept: its place is not given to another meanwhile.
pub(super) fn weak<T: Send + Sync + 'static>(value: &Arc<T>) -> Weak<dyn Any + Send + Sync> {
    let value: Arc<dyn Any + Send + Sync> = Arc::<T>::clone(value);
    Arc::downgrade(&value)
}

/// Tells whether both are of the very same value.
pub(super) fn is_same(one: &Weak<dyn Any + Send + Sync>, other: &Weak<dyn Any + Send + Sync>) -> bool {
    std::ptr::addr_eq(one.as_ptr(), other.as_ptr())
}

/// Adds one more piece to a reading; fails where the piece belongs to another source or has no place to go.
pub(super) fn extend(all: &mut Reading, piece: Reading) -> bool {
    macro_rules! lists {
        ($($name:ident),+ $(,)?) => {
            match (all, piece) {
                $((Reading::$name(all), Reading::$name(more)) => all.extend(more),)+
                _ => return false,
            }
        };
    }
    lists!(
        Instances,
        Statuses,
        Templates,
        Images,
        Published,
        Groups,
        Refreshes,
        Activities,
        Clusters,
        Services,
        Tasks,
        Hosts,
        TargetGroups,
        Targets,
        Rules,
        Records,
        Agents,
        Alarms,
    );
    true
}

/// What rows of readings have in common with those before them.
#[derive(Debug, Default)]
pub(super) struct Alike {
    makes: Makes,
    registrations: Registrations,
}

impl Alike {
    /// Lets the rows of a reading share it.
    pub(super) fn share(&mut self, reading: &mut Reading) {
        match reading {
            Reading::Instances(rows) => {
                rows.iter_mut().for_each(|row| self.makes.share(Arc::make_mut(row)));
            }
            Reading::Hosts(rows) => rows.iter_mut().for_each(|row| self.registrations.share(row)),
            _ => {}
        }
    }
}

/// The reading that these bytes were made from, a whole one or a piece; none when they are not what they should be.
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
        Source::Published => Reading::Published(value(bytes)?),
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
        Source::Records => Reading::Records(value(bytes)?),
        Source::Agents => Reading::Agents(value(bytes)?),
        Source::Alarms => Reading::Alarms(value(bytes)?),
        Source::Registry => {
            let (cores, tenants, faults) = value(bytes)?;
            Reading::Registry { cores, tenants, faults }
        }
        Source::Metrics | Source::Admin | Source::Prices => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_are_all_of_a_list_in_its_order_and_none_is_too_large(list in prop::collection::vec(0_usize..1_500, 0..60)) {
            let ends = ends(&list, |things| *things);
            let pieces: Vec<&[usize]> = (0..).map_while(|piece| rows_of(&list, &ends, piece)).collect();
            prop_assert_eq!(pieces.concat(), list.clone());
            prop_assert_eq!(pieces.len(), ends.len());
            prop_assert!(pieces.iter().all(|piece| !piece.is_empty()) || (list.is_empty() && pieces.len() == 1));
            let weight = |piece: &[usize]| piece.iter().map(|things| (*things).max(1)).sum::<usize>();
            prop_assert!(pieces.iter().all(|piece| piece.len() == 1 || weight(piece) <= PIECE));
            // No two that would be one.
            prop_assert!(pieces.windows(2).all(|pair| weight(pair[0]) + pair[1][0].max(1) > PIECE));
        }
    }

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
