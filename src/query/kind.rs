//! What can be listed: the seventeen kinds of rows, their names, columns and sources.

use super::columns::{self, Column};
use crate::error::{Error, did_you_mean};
use crate::gateway::Source;
use std::fmt;

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
    /// How far groups have drifted from the newest images.
    Drift,
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
    /// Load balancer target groups.
    TargetGroups,
    /// Load balancer targets.
    Targets,
    /// Listener rules.
    Rules,
    /// CloudWatch alarms.
    Alarms,
    /// What happened: one timeline of everything that AWS keeps a record of.
    Events,
    /// Calls of AWS: what we asked, how it went, and the command that asks it again.
    Calls,
}

/// What a kind is called.
struct Names {
    many: &'static str,
    one: &'static str,
    also: &'static [&'static str],
}

/// How many columns a reader has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// The columns that matter most.
    Narrow,
    /// Every column that costs nothing.
    Wide,
}

/// Runs `$body` with `$rows` bound to the rows of a kind, whatever their type.
macro_rules! with_rows {
    ($kind:expr, $fleet:expr, $rows:ident => $body:expr) => {
        match $kind {
            Kind::Instances => {
                let $rows = &$fleet.instances;
                $body
            }
            Kind::Groups => {
                let $rows = &$fleet.groups;
                $body
            }
            Kind::Templates => {
                let $rows = &$fleet.templates;
                $body
            }
            Kind::Images => {
                let $rows = &$fleet.images;
                $body
            }
            Kind::Drift => {
                let $rows = &$fleet.drift;
                $body
            }
            Kind::Clusters => {
                let $rows = &$fleet.clusters;
                $body
            }
            Kind::Services => {
                let $rows = &$fleet.services;
                $body
            }
            Kind::Tasks => {
                let $rows = &$fleet.tasks;
                $body
            }
            Kind::Hosts => {
                let $rows = &$fleet.hosts;
                $body
            }
            Kind::Cores => {
                let $rows = &$fleet.cores;
                $body
            }
            Kind::Tenants => {
                let $rows = &$fleet.tenants;
                $body
            }
            Kind::TargetGroups => {
                let $rows = &$fleet.target_groups;
                $body
            }
            Kind::Targets => {
                let $rows = &$fleet.targets;
                $body
            }
            Kind::Rules => {
                let $rows = &$fleet.rules;
                $body
            }
            Kind::Alarms => {
                let $rows = &$fleet.alarms;
                $body
            }
            Kind::Events => {
                let $rows = &$fleet.events;
                $body
            }
            Kind::Calls => {
                let $rows = $fleet.calls.as_ref();
                $body
            }
        }
    };
}

mod named;
mod rows;

pub use rows::Reach;

impl Kind {
    /// Every kind, in the order in which help lists them.
    pub const ALL: [Self; 17] = [
        Self::Instances,
        Self::Groups,
        Self::Templates,
        Self::Images,
        Self::Drift,
        Self::Clusters,
        Self::Services,
        Self::Tasks,
        Self::Hosts,
        Self::Cores,
        Self::Tenants,
        Self::TargetGroups,
        Self::Targets,
        Self::Rules,
        Self::Alarms,
        Self::Events,
        Self::Calls,
    ];

    /// The word for many of it: `instances`.
    pub fn word(self) -> &'static str {
        self.names().many
    }

    /// The word for one of it: `instance`.
    pub fn singular(self) -> &'static str {
        self.names().one
    }

    /// What else AWS and its tools call it.
    pub fn aliases(self) -> &'static [&'static str] {
        self.names().also
    }

    fn names(self) -> Names {
        let (many, one, also): (_, _, &'static [&'static str]) = match self {
            Self::Instances => ("instances", "instance", &["ec2", "i", "vm", "vms"]),
            Self::Groups => ("groups", "group", &["asg", "asgs", "auto-scaling-groups"]),
            Self::Templates => {
                ("templates", "template", &["lt", "lts", "launch-templates", "launch-template"])
            }
            Self::Images => ("images", "image", &["ami", "amis"]),
            Self::Drift => ("drift", "drifted-group", &["drifts"]),
            Self::Clusters => ("clusters", "cluster", &["ecs"]),
            Self::Services => ("services", "service", &["svc", "svcs"]),
            Self::Tasks => ("tasks", "task", &[]),
            Self::Hosts => ("hosts", "host", &["container-instances", "container-instance"]),
            Self::Cores => ("cores", "core", &[]),
            Self::Tenants => ("tenants", "tenant", &["cud", "cuds"]),
            Self::TargetGroups => ("target-groups", "target-group", &["tg", "tgs"]),
            Self::Targets => ("targets", "target", &[]),
            Self::Rules => ("rules", "rule", &["listener-rules", "listener-rule"]),
            Self::Alarms => ("alarms", "alarm", &[]),
            Self::Events => ("events", "event", &["timeline", "history"]),
            Self::Calls => ("calls", "call", &["api-calls", "api-call"]),
        };
        Names { many, one, also }
    }

    /// Reads a kind from one of its names, whatever its case; `_` and `-` are the same.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let typed = text.trim().to_lowercase().replace('_', "-");
        if let Some(kind) = Self::ALL.into_iter().find(|kind| kind.is_called(&typed)) {
            return Ok(kind);
        }
        let error = Error::usage(format!("unknown kind '{}'", crate::model::text::harmless(text)));
        // Aliases are left out of the guess: everything is near to `i`.
        let words = Self::ALL.into_iter().flat_map(|kind| [kind.word(), kind.singular()]);
        let error = match did_you_mean(&typed, words) {
            Some(near) => error.hint(format!("did you mean '{near}'?")),
            None => error,
        };
        Err(error.hint(format!("kinds are {}", Self::ALL.map(Self::word).join(", "))))
    }

    fn is_called(self, typed: &str) -> bool {
        let Names { many, one, also } = self.names();
        typed == many || typed == one || also.contains(&typed)
    }

    /// Its columns, in the order in which tables show them.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Instances => columns::instances::COLUMNS,
            Self::Groups => columns::groups::COLUMNS,
            Self::Templates => columns::templates::COLUMNS,
            Self::Images => columns::images::COLUMNS,
            Self::Drift => columns::drift::COLUMNS,
            Self::Clusters => columns::clusters::COLUMNS,
            Self::Services => columns::services::COLUMNS,
            Self::Tasks => columns::tasks::COLUMNS,
            Self::Hosts => columns::hosts::COLUMNS,
            Self::Cores => columns::cores::COLUMNS,
            Self::Tenants => columns::tenants::COLUMNS,
            Self::TargetGroups => columns::target_groups::COLUMNS,
            Self::Targets => columns::targets::COLUMNS,
            Self::Rules => columns::rules::COLUMNS,
            Self::Alarms => columns::alarms::COLUMNS,
            Self::Events => columns::events::COLUMNS,
            Self::Calls => columns::calls::COLUMNS,
        }
    }

    /// The sources that its rows and its `Always` columns but health come from, without those that
    /// `Source::needs` adds. Health, named and wide columns say in `Column::needs` what more they need.
    pub fn sources(self) -> &'static [Source] {
        match self {
            Self::Instances => &[Source::Instances, Source::Groups],
            Self::Groups => &[Source::Groups],
            Self::Templates => &[Source::Templates, Source::Groups, Source::Instances],
            Self::Images => &[Source::Images, Source::Instances, Source::Templates],
            Self::Drift => &[
                Source::Groups,
                Source::Instances,
                Source::Templates,
                Source::Images,
                Source::Published,
                Source::Clusters,
                Source::Hosts,
            ],
            Self::Clusters => &[Source::Clusters],
            Self::Services => &[Source::Clusters, Source::Services],
            Self::Tasks => &[Source::Clusters, Source::Tasks],
            Self::Hosts => &[Source::Clusters, Source::Hosts],
            Self::Cores => &[
                Source::Registry,
                Source::Clusters,
                Source::Services,
                Source::Tasks,
                Source::Hosts,
                Source::Instances,
                Source::Groups,
                Source::Statuses,
                Source::TargetGroups,
                Source::Targets,
            ],
            Self::Tenants => &[
                Source::Registry,
                Source::Rules,
                Source::TargetGroups,
                Source::Targets,
                Source::Clusters,
                Source::Services,
                Source::Tasks,
                Source::Instances,
                Source::Groups,
                Source::Statuses,
            ],
            Self::TargetGroups => &[Source::TargetGroups, Source::Targets],
            Self::Targets => &[Source::TargetGroups, Source::Targets],
            Self::Rules => &[Source::Rules, Source::TargetGroups, Source::Targets],
            Self::Alarms => &[Source::Alarms],
            Self::Events => &[
                Source::Activities,
                Source::Refreshes,
                Source::Services,
                Source::Alarms,
                Source::Statuses,
                Source::Templates,
                Source::Instances,
            ],
            // They come with every reading, whatever it reads.
            Self::Calls => &[],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Width};
    use crate::fleet::Fleet;
    use crate::gateway::Source;
    use crate::query::columns::{Ctx, Shown};
    use crate::query::value::{Unit, Value};
    use jiff::Timestamp;
    use std::collections::BTreeSet;

    fn closure(sources: &[Source]) -> BTreeSet<Source> {
        let mut all: BTreeSet<Source> = BTreeSet::new();
        let mut open = sources.to_vec();
        while let Some(source) = open.pop() {
            if all.insert(source) {
                open.extend(source.needs());
            }
        }
        all
    }

    #[test]
    fn every_name_leads_back_to_its_kind_and_to_no_other() {
        let mut seen = BTreeSet::new();
        for kind in Kind::ALL {
            for name in [kind.word(), kind.singular()].into_iter().chain(kind.aliases().iter().copied()) {
                assert_eq!(Kind::parse(name).unwrap(), kind, "{name}");
                assert!(seen.insert(name), "{name} is taken twice");
            }
        }
        assert_eq!(Kind::parse(" Container_Instances ").unwrap(), Kind::Hosts);
    }

    #[test]
    fn an_unknown_kind_gets_a_suggestion() {
        let error = Kind::parse("instnaces").unwrap_err();
        assert_eq!(error.message, "unknown kind 'instnaces'");
        assert_eq!(error.hints[0], "did you mean 'instances'?");
    }

    #[test]
    fn names_are_snake_case_and_stand_once() {
        for kind in Kind::ALL {
            let mut names = BTreeSet::new();
            for column in kind.columns() {
                assert!(names.insert(column.name), "{kind}.{} stands twice", column.name);
                assert!(
                    column.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
                );
                assert_eq!(
                    column.unit == Unit::Moment,
                    column.name.ends_with("_at"),
                    "{kind}.{}",
                    column.name
                );
                assert!(!column.doc.ends_with('.') && !column.doc.is_empty(), "{kind}.{}", column.name);
            }
            for needed in ["id", "account", "region"] {
                assert!(names.contains(needed), "{kind} has no {needed}");
            }
        }
    }

    #[test]
    fn default_columns_need_nothing_beyond_their_kind() {
        for kind in Kind::ALL {
            let have = closure(kind.sources());
            for column in kind.columns().iter().filter(|column| column.shown == Shown::Always) {
                // Health rests on status checks too, which lists without it need not pay for.
                let needs = column.needs.iter().filter(|_| column.name != "health");
                for need in needs {
                    assert!(have.contains(need), "{kind}.{} needs {need:?}", column.name);
                }
            }
        }
        assert_eq!(Kind::Instances.sources(), [Source::Instances, Source::Groups]);
    }

    #[test]
    fn what_costs_money_shows_only_when_named() {
        for kind in Kind::ALL {
            for column in kind.columns() {
                if column.needs.contains(&Source::Metrics) {
                    assert_eq!(column.shown, Shown::Named, "{kind}.{}", column.name);
                }
            }
        }
    }

    #[test]
    fn a_row_that_does_not_exist_has_no_values() {
        let fleet = Fleet::empty(Timestamp::UNIX_EPOCH);
        let ctx = Ctx { fleet: &fleet, now: fleet.at };
        for kind in Kind::ALL {
            assert_eq!(kind.len(&fleet), 0);
            assert_eq!(kind.id(ctx, 0), "");
            assert!(kind.scope(ctx, 0).is_none() && kind.health(ctx, 0).is_none());
            assert!(kind.columns().iter().all(|column| (column.get)(ctx, 7) == Value::Absent));
            assert!(kind.visible(&fleet, Width::Narrow).iter().all(|column| column.shown == Shown::Always));
        }
    }

    #[test]
    fn columns_are_found_by_what_aws_calls_them() {
        let name = |kind: Kind, typed: &str| kind.column(typed).unwrap().name;
        assert_eq!(name(Kind::Instances, "Launched-At"), "launched_at");
        assert_eq!(name(Kind::Instances, "az"), "zone");
        assert_eq!(name(Kind::Instances, "instance_id"), "id");
        assert_eq!(name(Kind::Hosts, "instance_id"), "instance");
        assert_eq!(name(Kind::Groups, "desired_capacity"), "desired");
        let error = Kind::Instances.column("lifecylce").unwrap_err();
        assert_eq!(error.hints[0], "did you mean 'lifecycle'?");
    }
}
