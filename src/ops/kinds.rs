//! The kinds of operations: a row in a table each, and a file that makes lanes of an intent.

mod clean;
mod config;
mod core;
mod drain;
mod instances;
mod inventory;
mod keys;
mod protect;
mod redeploy;
pub mod refresh;
pub mod rollout;
mod scale;
mod site;
mod spot_share;
mod standby;
mod suspend;
mod terminate;
mod tune;
mod undrain;

pub use self::core::look_at_cores;
pub use config::{Held, held};
pub use keys::ways_to_a_key;

use super::desk::{Desk, Draft};
use super::intent::Intent;
use crate::error::{Error, Result, did_you_mean};
use crate::fleet::Fleet;
use crate::gateway::Source;
use crate::model::{Scope, TargetGroupArn};
use futures::future::BoxFuture;

/// Makes lanes of an intent.
pub type MakeDraft = for<'a> fn(&'a Desk<'a>, &'a Intent) -> BoxFuture<'a, Result<Draft>>;

/// A kind of operation.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The word for it.
    pub word: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What it acts on.
    pub takes: Takes,
    /// What it destroys.
    pub danger: Danger,
    /// What must have been read before it can be planned.
    pub sources: &'static [Source],
    /// How it is planned.
    pub draft: MakeDraft,
}

/// What a kind acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Instances, by id or name.
    Instances,
    /// Instances, or ECS tasks by id.
    InstancesOrTasks,
    /// Auto Scaling groups.
    Groups,
    /// Launch templates, by id or name.
    Templates,
    /// ECS services.
    Services,
    /// Groups or services.
    GroupsOrServices,
    /// The registry of cores and tenants, by its path.
    Registry,
    /// One core, or one tenant of the registry.
    CoreOrTenant,
    /// Cores, by their ids in the registry.
    Cores,
}

/// How much a kind destroys: decides how a person must confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// Nothing: it can be set back exactly, and nobody is served worse.
    Harmless,
    /// Somebody may be served worse for a while.
    Disturbs,
    /// Something is gone for good.
    Destroys,
}

const OF_INSTANCES: &[Source] =
    &[Source::Identity, Source::Instances, Source::Groups, Source::Clusters, Source::Hosts];
const OF_TASKS: &[Source] =
    &[Source::Identity, Source::Instances, Source::Groups, Source::Clusters, Source::Hosts, Source::Tasks];
const OF_DRAINS: &[Source] = &[
    Source::Identity,
    Source::Instances,
    Source::Groups,
    Source::Clusters,
    Source::Hosts,
    Source::Services,
    Source::Tasks,
    Source::TargetGroups,
    Source::Targets,
];
const OF_GROUPS: &[Source] = &[Source::Identity, Source::Instances, Source::Groups, Source::Clusters];
const OF_TEMPLATES: &[Source] = &[Source::Identity, Source::Instances, Source::Groups, Source::Templates];
const OF_REFRESHES: &[Source] = &[
    Source::Identity,
    Source::Instances,
    Source::Groups,
    Source::Clusters,
    Source::Hosts,
    Source::Services,
    Source::Templates,
    Source::Images,
    Source::TargetGroups,
];
const OF_SERVICES: &[Source] = &[Source::Identity, Source::Clusters, Source::Services];
const OF_SIZES: &[Source] =
    &[Source::Identity, Source::Instances, Source::Groups, Source::Clusters, Source::Services];

const OF_CONFIGS: &[Source] = &[Source::Identity, Source::Instances, Source::Registry];
const OF_CORES: &[Source] = &[
    Source::Identity,
    Source::Instances,
    Source::Groups,
    Source::Clusters,
    Source::Services,
    Source::Tasks,
    Source::Hosts,
    Source::TargetGroups,
    Source::Targets,
    Source::Rules,
    Source::Agents,
    Source::Registry,
];

const OF_NEW_CORES: &[Source] = &[
    Source::Identity,
    Source::Instances,
    Source::Groups,
    Source::Clusters,
    Source::Services,
    Source::Tasks,
    Source::Hosts,
    Source::TargetGroups,
    Source::Targets,
    Source::Rules,
    Source::Agents,
    Source::Registry,
    Source::Templates,
];

/// Every kind.
pub const KINDS: &[Kind] = &[
    Kind {
        word: "drain",
        about: "Empty instances: of service tasks, traffic and, if asked, other containers",
        takes: Takes::Instances,
        danger: Danger::Disturbs,
        sources: OF_DRAINS,
        draft: drain::draft,
    },
    Kind {
        word: "undrain",
        about: "Let drained container instances take tasks again",
        takes: Takes::Instances,
        danger: Danger::Harmless,
        sources: OF_INSTANCES,
        draft: undrain::draft,
    },
    Kind {
        word: "protect",
        about: "Protect members of groups from scale-in",
        takes: Takes::Instances,
        danger: Danger::Harmless,
        sources: OF_INSTANCES,
        draft: protect::protect,
    },
    Kind {
        word: "unprotect",
        about: "Let groups scale their members in again",
        takes: Takes::Instances,
        danger: Danger::Harmless,
        sources: OF_INSTANCES,
        draft: protect::unprotect,
    },
    Kind {
        word: "standby",
        about: "Take members out of service and of the load balancer, and keep them",
        takes: Takes::Instances,
        danger: Danger::Disturbs,
        sources: OF_INSTANCES,
        draft: standby::standby,
    },
    Kind {
        word: "return",
        about: "Put members back into service from standby",
        takes: Takes::Instances,
        danger: Danger::Harmless,
        sources: OF_INSTANCES,
        draft: standby::back,
    },
    Kind {
        word: "suspend",
        about: "Suspend processes of groups: Launch, Terminate, InstanceRefresh, …",
        takes: Takes::Groups,
        danger: Danger::Disturbs,
        sources: OF_GROUPS,
        draft: suspend::suspend,
    },
    Kind {
        word: "resume",
        about: "Resume processes of groups",
        takes: Takes::Groups,
        danger: Danger::Harmless,
        sources: OF_GROUPS,
        draft: suspend::resume,
    },
    Kind {
        word: "scale",
        about: "Set how many instances a group, or tasks a service, has",
        takes: Takes::GroupsOrServices,
        danger: Danger::Disturbs,
        sources: OF_SIZES,
        draft: scale::draft,
    },
    Kind {
        word: "refresh",
        about: "Replace the instances of groups by ones of a template version, by Auto Scaling's own refresh",
        takes: Takes::Groups,
        danger: Danger::Destroys,
        sources: OF_REFRESHES,
        draft: refresh::draft,
    },
    Kind {
        word: "rollout",
        about: "Give groups another image: a new template version, tried by a few, judged, and then by all, in waves",
        takes: Takes::Groups,
        danger: Danger::Destroys,
        sources: OF_REFRESHES,
        draft: rollout::draft,
    },
    Kind {
        word: "spot-share",
        about: "Set how much of mixed groups is spot, which types they launch, and how spot is chosen",
        takes: Takes::Groups,
        danger: Danger::Disturbs,
        sources: OF_REFRESHES,
        draft: spot_share::draft,
    },
    Kind {
        word: "clean",
        about: "Delete old versions of launch templates, and images that only they launch, with their snapshots",
        takes: Takes::Templates,
        danger: Danger::Destroys,
        sources: OF_TEMPLATES,
        draft: clean::draft,
    },
    Kind {
        word: "tune",
        about: "Set termination policies, warm-up, capacity rebalancing and maintenance policy of groups",
        takes: Takes::Groups,
        danger: Danger::Harmless,
        sources: OF_GROUPS,
        draft: tune::draft,
    },
    Kind {
        word: "redeploy",
        about: "Replace all tasks of services by new ones of the same definition",
        takes: Takes::Services,
        danger: Danger::Disturbs,
        sources: OF_SERVICES,
        draft: redeploy::draft,
    },
    Kind {
        word: "stop",
        about: "Stop instances or tasks",
        takes: Takes::InstancesOrTasks,
        danger: Danger::Disturbs,
        sources: OF_TASKS,
        draft: instances::stop,
    },
    Kind {
        word: "start",
        about: "Start instances that are stopped",
        takes: Takes::Instances,
        danger: Danger::Harmless,
        sources: OF_INSTANCES,
        draft: instances::start,
    },
    Kind {
        word: "reboot",
        about: "Reboot instances",
        takes: Takes::Instances,
        danger: Danger::Disturbs,
        sources: OF_TASKS,
        draft: instances::reboot,
    },
    Kind {
        word: "terminate",
        about: "End instances, through their group where they have one, or tasks",
        takes: Takes::InstancesOrTasks,
        danger: Danger::Destroys,
        sources: OF_TASKS,
        draft: terminate::draft,
    },
    Kind {
        word: "core restart",
        about: "Restart cores: out of their load balancer, stopped, started, answering, and back",
        takes: Takes::Cores,
        danger: Danger::Disturbs,
        sources: OF_CORES,
        draft: core::restart,
    },
    Kind {
        word: "core stop",
        about: "Stop cores, after their traffic has left",
        takes: Takes::Cores,
        danger: Danger::Disturbs,
        sources: OF_CORES,
        draft: core::stop,
    },
    Kind {
        word: "core start",
        about: "Start cores that were stopped, and give them their traffic back",
        takes: Takes::Cores,
        danger: Danger::Harmless,
        sources: OF_CORES,
        draft: core::start,
    },
    Kind {
        word: "core create",
        about: "Make cores on the hosts that fit best or on new ones, enter them into the registry, and lead traffic to them",
        takes: Takes::Cores,
        danger: Danger::Harmless,
        sources: OF_NEW_CORES,
        draft: core::create,
    },
    Kind {
        word: "core upgrade",
        about: "Give cores another version, one replica of a target group after the other",
        takes: Takes::Cores,
        danger: Danger::Disturbs,
        sources: OF_CORES,
        draft: core::upgrade,
    },
    Kind {
        word: "core move",
        about: "Give cores another host: made there, serving there, and only then stopped here",
        takes: Takes::Cores,
        danger: Danger::Disturbs,
        sources: OF_NEW_CORES,
        draft: core::relocate,
    },
    Kind {
        word: "inventory",
        about: "Write what an inventory saw into the registry",
        takes: Takes::Registry,
        danger: Danger::Harmless,
        sources: &[Source::Identity],
        draft: inventory::draft,
    },
    Kind {
        word: "core config set",
        about: "Set settings of a domain, an app or a tenant, by the core's own call",
        takes: Takes::CoreOrTenant,
        danger: Danger::Disturbs,
        sources: OF_CONFIGS,
        draft: config::draft,
    },
    Kind {
        word: "core keys rotate",
        about: "Let a new API key of a customer be valid beside the present one",
        takes: Takes::CoreOrTenant,
        danger: Danger::Harmless,
        sources: OF_CONFIGS,
        draft: keys::rotate,
    },
    Kind {
        word: "core keys retire",
        about: "Let only one API key of a customer stay valid",
        takes: Takes::CoreOrTenant,
        danger: Danger::Destroys,
        sources: OF_CONFIGS,
        draft: keys::retire,
    },
];

/// Whom a host serves: read where it can be. What could not be read of it is said, and keeps nobody from a drain.
const OF_LOSSES: &[Source] =
    &[Source::Services, Source::TargetGroups, Source::Targets, Source::Rules, Source::Registry];

impl Kind {
    /// Whether it takes hosts, or all tasks of a service, from whoever is served by them.
    pub fn takes_from_hosts(&self) -> bool {
        let is_of_hosts = matches!(self.takes, Takes::Instances | Takes::InstancesOrTasks);
        // What groups end by themselves.
        let ends = ["refresh", "rollout", "scale", "spot-share", "unprotect"].contains(&self.word);
        ends || self.danger > Danger::Harmless && is_of_hosts
    }

    /// Everything that is read for it: what a plan rests on, and what is read besides where it can be.
    pub fn reads(&self) -> Vec<Source> {
        let besides = if self.takes_from_hosts() { OF_LOSSES } else { &[] };
        let is_new = |source: &&Source| !self.sources.contains(source);
        self.sources.iter().chain(besides.iter().filter(is_new)).copied().collect()
    }

    /// What is read first, and whether the targets of load balancers are read then, of those groups alone that
    /// [`targets_of`] names.
    pub fn first(&self) -> (Vec<Source>, bool) {
        let is_of_cores = self.takes == Takes::Cores && self.sources.contains(&Source::Targets);
        let is_later = is_of_cores || ["scale", "spot-share", "unprotect"].contains(&self.word);
        let first = self.reads().into_iter().filter(|source| !is_later || *source != Source::Targets);
        (first.collect(), is_later)
    }
}

/// The kind of that word.
///
/// # Errors
///
/// There is none.
pub fn kind(word: &str) -> Result<&'static Kind> {
    KINDS.iter().find(|kind| kind.word == word).ok_or_else(|| {
        let error = Error::usage(format!("there is no operation `{word}`"));
        match did_you_mean(word, KINDS.iter().map(|kind| kind.word)) {
            Some(meant) => error.hint(format!("did you mean `{meant}`?")),
            None => error,
        }
    })
}

/// The target groups whose targets are read for an intent; none for all of them.
pub fn targets_of(fleet: &Fleet, intent: &Intent) -> Option<Vec<(Scope, TargetGroupArn)>> {
    match intent.verb.as_str() {
        "scale" => scale::targets_of(fleet, intent),
        "unprotect" => protect::targets_of(fleet),
        // Whose members stay what they are takes nobody anything.
        "spot-share" if intent.options.refresh.is_none() => Some(Vec::new()),
        "spot-share" => None,
        _ => self::core::targets_of(fleet, intent),
    }
}
