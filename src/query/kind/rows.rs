//! The rows of a kind: how many there are, what each is called, where it is and how well.

use super::Kind;
use crate::fleet::Fleet;
use crate::model::{Health, Scope};
use crate::query::columns::{Column, Ctx};
use crate::query::value::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// How far what a cell is taken from lies from its row: a guess, which costs nothing but time where it is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// It lies in the row.
    Row,
    /// In what the row leads to.
    Resource,
    /// In the tags of that.
    Tags,
}

impl Reach {
    /// Of one column.
    pub fn of(column: &Column) -> Self {
        match column.name {
            "health" | "tier" | "tier_by" | "group" | "cores" | "troubles" | "account" | "region" => {
                Self::Row
            }
            "name" | "tags" | "template" | "template_version" => Self::Tags,
            _ => Self::Resource,
        }
    }
}

impl Kind {
    /// How many rows of it there are.
    pub fn len(self, fleet: &Fleet) -> usize {
        with_rows!(self, fleet, rows => rows.len())
    }

    /// Reads a little of what these rows lead to, so that it is on its way from memory while the first of them is looked at:
    /// a hundred thousand lie far apart, and to wait for each alone is most of what a pass over them takes. A few dozen at
    /// a time.
    pub fn fetch(self, fleet: &Fleet, rows: &[u32], reach: Reach) {
        if self != Self::Instances || reach == Reach::Row {
            return;
        }
        let far = |at: &u32| {
            let it = &fleet.instances.get(*at as usize)?.it;
            let own = it.state as u8 ^ it.id.as_str().as_bytes().first().copied().unwrap_or(0);
            Some(if reach == Reach::Tags { own ^ it.tags.fetch() } else { own })
        };
        std::hint::black_box(rows.iter().filter_map(far).fold(0, |sum, byte| sum ^ byte));
    }

    /// What a person types to mean row `at`: the `id` column. Empty when there is no such row.
    pub fn id(self, ctx: Ctx<'_>, at: usize) -> Cow<'_, str> {
        let Some(column) = self.columns().iter().find(|column| column.name == "id") else {
            return Cow::Borrowed("");
        };
        match (column.get)(ctx, at) {
            Value::Text(id) => id,
            _ => Cow::Borrowed(""),
        }
    }

    /// Rows that `text` names exactly: by id, else by name, ARN or, for what runs on one, instance.
    /// Ids differ within a scope, so there may be one row per scope, and names may repeat within one.
    pub fn find(self, ctx: Ctx<'_>, text: &str) -> Vec<usize> {
        for name in ["id", "name", "arn", "instance", "target", "domain", "request_id"] {
            let Some(column) = self.columns().iter().find(|column| column.name == name) else { continue };
            let found: Vec<usize> = (0..self.len(ctx.fleet))
                .filter(|at| matches!((column.get)(ctx, *at), Value::Text(cell) if cell == text))
                .collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// Where row `at` lives; none when there is no such row.
    pub fn scope(self, ctx: Ctx<'_>, at: usize) -> Option<&Arc<Scope>> {
        with_rows!(self, ctx.fleet, rows => rows.get(at).map(|row| &row.scope))
    }

    /// How well row `at` is; none for kinds without health (templates, calls) and rows that do not exist.
    pub fn health(self, ctx: Ctx<'_>, at: usize) -> Option<Health> {
        let fleet = ctx.fleet;
        match self {
            Self::Instances => fleet.instances.get(at).map(|row| row.health),
            Self::Groups => fleet.groups.get(at).map(|row| row.health),
            Self::Templates => None,
            Self::Images => fleet.images.get(at).map(|row| row.health),
            Self::Drift => fleet.drift.get(at).map(|row| row.health),
            Self::Clusters => fleet.clusters.get(at).map(|row| row.health),
            Self::Services => fleet.services.get(at).map(|row| row.health),
            Self::Tasks => fleet.tasks.get(at).map(|row| row.health),
            Self::Hosts => fleet.hosts.get(at).map(|row| row.health),
            Self::Cores => fleet.cores.get(at).map(|row| row.health),
            Self::Tenants => fleet.tenants.get(at).map(|row| row.health),
            Self::TargetGroups => fleet.target_groups.get(at).map(|row| row.health),
            Self::Targets => fleet.targets.get(at).map(|row| row.health),
            Self::Rules => fleet.rules.get(at).map(|row| row.health),
            Self::Alarms => fleet.alarms.get(at).map(|row| row.health),
            Self::Events => fleet.events.get(at).map(|row| row.health),
            Self::Calls => None,
        }
    }

    /// Why row `at` is not well, in short sentences that may hold text from AWS. Empty for kinds that
    /// keep none (templates, targets and alarms say it in their own columns).
    pub fn troubles(self, ctx: Ctx<'_>, at: usize) -> &[String] {
        let fleet = ctx.fleet;
        let troubles = match self {
            Self::Instances => fleet.instances.get(at).map(|row| &row.troubles),
            Self::Groups => fleet.groups.get(at).map(|row| &row.troubles),
            Self::Images => fleet.images.get(at).map(|row| &row.troubles),
            Self::Drift => fleet.drift.get(at).map(|row| &row.troubles),
            Self::Clusters => fleet.clusters.get(at).map(|row| &row.troubles),
            Self::Services => fleet.services.get(at).map(|row| &row.troubles),
            Self::Tasks => fleet.tasks.get(at).map(|row| &row.troubles),
            Self::Hosts => fleet.hosts.get(at).map(|row| &row.troubles),
            Self::Cores => fleet.cores.get(at).map(|row| &row.troubles),
            Self::Tenants => fleet.tenants.get(at).map(|row| &row.troubles),
            Self::TargetGroups => fleet.target_groups.get(at).map(|row| &row.troubles),
            Self::Rules => fleet.rules.get(at).map(|row| &row.troubles),
            Self::Templates | Self::Targets | Self::Alarms | Self::Events | Self::Calls => None,
        };
        troubles.map_or(&[], Vec::as_slice)
    }
}
