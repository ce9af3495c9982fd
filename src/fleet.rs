//! The fleet as rows: a snapshot's sections joined into what a person asks for.
//!
//! `join` is pure: snapshot and tiers in, rows out. Screens and scripts both work on a `Fleet`, so a
//! script can never lag behind the screen.

mod deeds;
pub mod drain;
mod events;
mod health;
mod join;
mod lack;
#[cfg(test)]
pub(crate) mod made;
mod people;
mod rows;
mod samples;
mod tenants;
mod tiers;
mod traffic;
mod words;

pub use deeds::Deed;
pub use events::{EventRow, Sort as EventSort, Subject};
pub use join::join;
pub use rows::{
    AlarmRow, ClusterRow, GroupRow, HostRow, ImageRow, InstanceRow, Item, MemberItem, RuleRow, ServiceRow,
    TargetGroupRow, TargetRow, TaskRow, TemplateRow, TierRow,
};
pub use samples::{metric_samples, samples};

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
    pub tiers: Vec<TierRow>,
    /// Instances.
    pub instances: Vec<InstanceRow>,
    /// Groups.
    pub groups: Vec<GroupRow>,
    /// Templates.
    pub templates: Vec<TemplateRow>,
    /// Images.
    pub images: Vec<ImageRow>,
    /// Clusters.
    pub clusters: Vec<ClusterRow>,
    /// Services.
    pub services: Vec<ServiceRow>,
    /// Tasks.
    pub tasks: Vec<TaskRow>,
    /// Container instances.
    pub hosts: Vec<HostRow>,
    /// Cores.
    pub cores: Vec<Core>,
    /// Tenants.
    pub tenants: Vec<Tenant>,
    /// Target groups.
    pub target_groups: Vec<TargetGroupRow>,
    /// Targets.
    pub targets: Vec<TargetRow>,
    /// Rules.
    pub rules: Vec<RuleRow>,
    /// Alarms.
    pub alarms: Vec<AlarmRow>,
    /// What happened and what AWS has announced: what is still to come first, then the newest.
    pub events: Vec<EventRow>,
    /// Calls of AWS, newest first: rows like all others, though nothing in AWS. `join` leaves them empty.
    pub calls: Arc<[Arc<CallRecord>]>,
}

impl Fleet {
    /// A fleet of which nothing is known.
    pub fn empty(at: Timestamp) -> Self {
        Self {
            at,
            tiers: Vec::new(),
            instances: Vec::new(),
            groups: Vec::new(),
            templates: Vec::new(),
            images: Vec::new(),
            clusters: Vec::new(),
            services: Vec::new(),
            tasks: Vec::new(),
            hosts: Vec::new(),
            cores: Vec::new(),
            tenants: Vec::new(),
            target_groups: Vec::new(),
            targets: Vec::new(),
            rules: Vec::new(),
            alarms: Vec::new(),
            events: Vec::new(),
            calls: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests;
