//! The fleet as rows: a snapshot's sections joined into what a person asks for.
//!
//! `join` is pure: snapshot and tiers in, rows out. Screens and scripts both work on a `Fleet`, so a
//! script can never lag behind the screen.

mod belonging;
mod deeds;
pub mod drain;
mod drift;
mod events;
pub mod gist;
mod health;
mod join;
mod lack;
#[cfg(test)]
pub(crate) mod made;
mod people;
mod ranks;
mod routing;
mod rows;
mod samples;
mod shared;
mod spread;
mod tenants;
mod tiers;
mod traffic;
mod users;
mod words;

pub use belonging::Belonging;
pub use deeds::Deed;
pub use drift::{Drift, DriftRow};
pub use events::{EventRow, Sort as EventSort, Subject};
pub use join::join;
pub use ranks::{ABSENT, Ranks};
pub use rows::{
    AlarmRow, Bearer, ClusterRow, GroupRow, HostRow, ImageRow, InstanceRow, Item, MemberItem, RuleRow,
    ServiceRow, TargetGroupRow, TargetRow, TaskRow, TemplateRow, TierRow, TierTrouble,
};
pub use samples::{metric_samples, samples};
pub use shared::Rows;
pub use spread::Spread;
pub use tiers::INVENTORY;
pub use users::{Counted, counted};

use crate::gateway::CallRecord;
use crate::model::{Core, Tenant};
use jiff::Timestamp;
use std::sync::Arc;

/// All rows of all kinds.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The moment of the snapshot; ages are counted to it.
    pub at: Timestamp,
    /// One row per tier, and one for what falls into none.
    pub tiers: Rows<TierRow>,
    /// Instances.
    pub instances: Rows<InstanceRow>,
    /// Groups.
    pub groups: Rows<GroupRow>,
    /// Templates.
    pub templates: Rows<TemplateRow>,
    /// Images.
    pub images: Rows<ImageRow>,
    /// How far groups have drifted from the newest images, one row a group.
    pub drift: Rows<DriftRow>,
    /// Clusters.
    pub clusters: Rows<ClusterRow>,
    /// Services.
    pub services: Rows<ServiceRow>,
    /// Tasks.
    pub tasks: Rows<TaskRow>,
    /// Container instances.
    pub hosts: Rows<HostRow>,
    /// Cores.
    pub cores: Rows<Core>,
    /// Tenants.
    pub tenants: Rows<Tenant>,
    /// Target groups.
    pub target_groups: Rows<TargetGroupRow>,
    /// Targets.
    pub targets: Rows<TargetRow>,
    /// Rules.
    pub rules: Rows<RuleRow>,
    /// Alarms.
    pub alarms: Rows<AlarmRow>,
    /// What happened and what AWS has announced: what is still to come first, then the newest.
    pub events: Rows<EventRow>,
    /// Calls of AWS, newest first: rows like all others, though nothing in AWS. `join` leaves them empty.
    pub calls: Arc<[Arc<CallRecord>]>,
}

impl Fleet {
    /// Tells whether these are the very rows of the other, events and calls aside: nothing but ages is new.
    pub fn shares_rows_with(&self, other: &Self) -> bool {
        self.tiers.are(&other.tiers)
            && self.instances.are(&other.instances)
            && self.groups.are(&other.groups)
            && self.templates.are(&other.templates)
            && self.images.are(&other.images)
            && self.drift.are(&other.drift)
            && self.clusters.are(&other.clusters)
            && self.services.are(&other.services)
            && self.tasks.are(&other.tasks)
            && self.hosts.are(&other.hosts)
            && self.cores.are(&other.cores)
            && self.tenants.are(&other.tenants)
            && self.target_groups.are(&other.target_groups)
            && self.targets.are(&other.targets)
            && self.rules.are(&other.rules)
            && self.alarms.are(&other.alarms)
    }

    /// A fleet of which nothing is known.
    pub fn empty(at: Timestamp) -> Self {
        Self {
            at,
            tiers: Rows::default(),
            instances: Rows::default(),
            groups: Rows::default(),
            templates: Rows::default(),
            images: Rows::default(),
            drift: Rows::default(),
            clusters: Rows::default(),
            services: Rows::default(),
            tasks: Rows::default(),
            hosts: Rows::default(),
            cores: Rows::default(),
            tenants: Rows::default(),
            target_groups: Rows::default(),
            targets: Rows::default(),
            rules: Rows::default(),
            alarms: Rows::default(),
            events: Rows::default(),
            calls: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests;
