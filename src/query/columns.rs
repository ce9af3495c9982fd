//! What can be listed, and the columns of each kind.

use super::value::{Unit, Value};
use crate::fleet::Fleet;
use crate::gateway::Source;
use jiff::Timestamp;

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// EC2 instances.
    Instances,
    /// Auto Scaling groups.
    Groups,
    /// Launch templates.
    Templates,
    /// Machine images in use.
    Images,
    /// ECS clusters.
    Clusters,
    /// ECS services.
    Services,
    /// ECS tasks.
    Tasks,
    /// ECS container instances.
    Hosts,
    /// Cores.
    Cores,
    /// Tenants.
    Tenants,
    /// Load balancer targets.
    Targets,
    /// Listener rules.
    Rules,
    /// CloudWatch alarms.
    Alarms,
}

/// What a cell is taken from.
#[derive(Clone, Copy)]
pub struct Ctx<'a> {
    /// All rows.
    pub fleet: &'a Fleet,
    /// The moment ages are counted to.
    pub now: Timestamp,
}

/// One column of a kind.
pub struct Column {
    /// Its name in queries, JSON and `--columns`: snake_case.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// One line for help.
    pub doc: &'static str,
    /// Its type.
    pub unit: Unit,
    /// Whether it shows by default, in wide tables, or only when named.
    pub shown: Shown,
    /// The sources it needs beyond those of its kind.
    pub needs: &'static [Source],
    /// Takes the value of row `at` of its kind.
    pub get: for<'a> fn(Ctx<'a>, usize) -> Value<'a>,
}

/// When a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// In every table.
    Always,
    /// In wide tables and in JSON, YAML and CSV.
    Wide,
    /// Only when it is named, because reading it costs money.
    Named,
}
