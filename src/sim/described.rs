//! Fleets that a scenario describes: the tables as they were read, every fault already ruled out.

mod build;
mod containers;
mod registry;
mod troubles;

pub(crate) use self::build::fill;

use super::script::pattern::Pattern;
use super::world::keeping::Watch;
use super::world::machine::{Flaw, Kind};
use std::time::Duration;

/// A fleet of a scenario, and where it stands.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The account's number, with `*` and `?`.
    pub(crate) account: String,
    /// The region, with `*` and `?`.
    pub(crate) region: String,
    /// The name under which coredeck's registry keeps its cores and tenants.
    pub(crate) name: String,
    /// It is added to the demo fleet instead of to an empty place.
    pub(crate) has_demo: bool,
    pub(crate) images: Vec<Image>,
    pub(crate) templates: Vec<Template>,
    pub(crate) target_groups: Vec<TargetGroup>,
    pub(crate) balancers: Vec<Balancer>,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) hosts: Vec<Hosts>,
    pub(crate) groups: Vec<Group>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) services: Vec<Service>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) records: Vec<Record>,
    pub(crate) cores: Vec<Core>,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) logs: Vec<LogGroup>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) troubles: Vec<Trouble>,
}

/// An AMI.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) is_own: bool,
    /// The account that it belongs to, when that is neither this one nor Amazon.
    pub(crate) owner: Option<String>,
    /// Only its owner may launch it.
    pub(crate) is_private: bool,
    /// It has been deregistered; templates still name it.
    pub(crate) is_gone: bool,
    /// What is wrong with whatever is launched from it.
    pub(crate) flaw: Option<Flaw>,
    pub(crate) state: &'static str,
    pub(crate) boot: Option<&'static str>,
    pub(crate) is_instance_store: bool,
    pub(crate) has_ena: bool,
    pub(crate) architecture: &'static str,
    pub(crate) age: Duration,
    /// It has passed its end of support.
    pub(crate) is_deprecated: bool,
}

/// A launch template with a version for each of its images.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) name: Pattern,
    pub(crate) count: usize,
    pub(crate) kind: Option<&'static Kind>,
    pub(crate) images: Vec<String>,
    /// The default version.
    pub(crate) default: u32,
}

/// What hosts and members have in common.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) kind: &'static Kind,
    pub(crate) image: Option<String>,
    pub(crate) age: Duration,
    /// Mean processor use in percent.
    pub(crate) cpu: f64,
    pub(crate) tier: String,
    pub(crate) tags: Vec<(String, Pattern)>,
    /// Cores on each, and tenants on each core.
    pub(crate) cores: u16,
    pub(crate) tenants: u32,
    /// The cores' version.
    pub(crate) version: String,
}

/// Instances outside of any group.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    pub(crate) name: Pattern,
    pub(crate) count: usize,
    pub(crate) machine: Machine,
    /// The index of their zone; they are spread over the first three without one.
    pub(crate) zone: Option<usize>,
    pub(crate) is_spot: bool,
    /// How many were launched by one call.
    pub(crate) together: usize,
}

/// Auto Scaling groups.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) name: Pattern,
    pub(crate) count: usize,
    pub(crate) machine: Machine,
    pub(crate) template: Option<Pattern>,
    /// A number, `$Latest` or `$Default`.
    pub(crate) version: String,
    /// How many members still run the version before.
    pub(crate) behind: u32,
    /// Types of a mixed policy; none for a plain group.
    pub(crate) types: Vec<&'static Kind>,
    /// What each of the types counts for; empty where they count alike.
    pub(crate) weights: Vec<u32>,
    /// An AMI for each of the types; empty where they take the template's.
    pub(crate) override_images: Vec<String>,
    /// A template for each of the types, with its version, as in `web:1`; empty where they take the group's.
    pub(crate) override_templates: Vec<String>,
    /// Fewest processors and MiB, where AWS chooses the types.
    pub(crate) needs: Option<(u32, u32)>,
    pub(crate) on_demand_base: u32,
    pub(crate) on_demand_percent: u32,
    pub(crate) min: u32,
    pub(crate) desired: u32,
    pub(crate) max: u32,
    pub(crate) target_groups: Vec<Pattern>,
    pub(crate) is_protected: bool,
    /// ECS protects instances with tasks from scale-in, and drains hosts before they go.
    pub(crate) managed: (bool, bool),
    /// Least and most percent of the capacity while instances are replaced.
    pub(crate) maintenance: Option<(u32, u32)>,
    /// Whether the load balancer's checks count; none for a group that has one.
    pub(crate) checks_balancer: Option<bool>,
    pub(crate) grace: Option<Duration>,
    pub(crate) warmup: Option<Duration>,
    /// The cluster that its members belong to.
    pub(crate) cluster: Option<Pattern>,
    pub(crate) suspended: Vec<String>,
}

/// Lifecycle hooks of groups.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    pub(crate) name: String,
    /// Of every group of that name, with `*` and `?`.
    pub(crate) group: String,
    /// It holds launches; otherwise terminations.
    pub(crate) is_launch: bool,
    pub(crate) heartbeat: u32,
    pub(crate) goes_on: bool,
}

/// ECS clusters.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) name: Pattern,
    pub(crate) count: usize,
}

/// ECS services with their tasks.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) name: Pattern,
    pub(crate) count: usize,
    pub(crate) cluster: Pattern,
    /// The group whose hosts take its tasks.
    pub(crate) group: Option<Pattern>,
    pub(crate) target_group: Option<Pattern>,
    pub(crate) family: String,
    pub(crate) revision: u32,
    pub(crate) image: String,
    pub(crate) port: Option<u16>,
    pub(crate) cpu: u32,
    pub(crate) memory: u32,
    pub(crate) desired: u32,
    pub(crate) min: u32,
    pub(crate) max: u32,
    pub(crate) tier: String,
    pub(crate) age: Duration,
    pub(crate) is_daemon: bool,
}

/// Target groups; what they name is registered with them.
#[derive(Clone, Debug)]
pub(crate) struct TargetGroup {
    pub(crate) name: Pattern,
    pub(crate) count: usize,
    pub(crate) port: u16,
    pub(crate) path: String,
    pub(crate) drain: u32,
    /// Hosts or groups whose instances are its targets.
    pub(crate) targets: Vec<Pattern>,
}

/// Load balancers: HTTP redirects, HTTPS answers 404 where no rule is met.
#[derive(Clone, Debug)]
pub(crate) struct Balancer {
    pub(crate) name: Pattern,
    pub(crate) count: usize,
}

/// Rules of the HTTPS listener of a load balancer.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) count: usize,
    pub(crate) balancer: Pattern,
    pub(crate) hosts: Vec<Pattern>,
    pub(crate) target_group: Pattern,
    /// Of the first.
    pub(crate) priority: u32,
}

/// Records of hosted zones.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) name: Pattern,
    pub(crate) count: usize,
    pub(crate) zone: String,
    pub(crate) is_private: bool,
    pub(crate) leads: Leads,
    pub(crate) ttl: u32,
    pub(crate) set: Option<String>,
    pub(crate) weight: Option<u32>,
}

/// Where a record leads.
#[derive(Clone, Debug)]
pub(crate) enum Leads {
    /// An alias of a load balancer.
    Balancer(Pattern),
    /// The private addresses of hosts.
    Host(Pattern),
    /// Another name.
    Name(Pattern),
    /// Addresses.
    Addresses(Vec<String>),
}

/// Cores in the registry.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    pub(crate) id: Pattern,
    pub(crate) count: usize,
    pub(crate) tier: String,
    /// The name of the host that it runs on.
    pub(crate) host: Pattern,
    pub(crate) port: u16,
    pub(crate) version: String,
    pub(crate) age: Duration,
}

/// Tenants in the registry.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) id: Pattern,
    pub(crate) count: usize,
    pub(crate) name: Pattern,
    pub(crate) core: Pattern,
    pub(crate) domain: Option<Pattern>,
    pub(crate) mode: String,
    pub(crate) age: Duration,
}

/// What an alarm watches.
#[derive(Clone, Debug)]
pub(crate) enum Watched {
    Instance(Pattern),
    Group(Pattern),
    /// Cluster, service.
    Service(Pattern, Pattern),
    Balancer(Pattern),
    /// Nothing here: a metric that nobody sends.
    Nothing,
}

/// Metric alarms.
#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    pub(crate) name: Pattern,
    pub(crate) count: usize,
    pub(crate) watched: Watched,
    pub(crate) watch: Watch,
}

/// Log groups.
#[derive(Clone, Debug)]
pub(crate) struct LogGroup {
    pub(crate) name: Pattern,
    pub(crate) count: usize,
    /// How many days it keeps what is written; none for ever.
    pub(crate) days: Option<u32>,
}

/// Parameters beside those of cores and tenants.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Pattern,
    pub(crate) count: usize,
    pub(crate) value: Pattern,
    pub(crate) is_secret: bool,
}

/// What has gone wrong already, and with what.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) what: Ill,
    /// A name with `*` and `?`.
    pub(crate) of: String,
    /// At most so many of them.
    pub(crate) times: usize,
    /// Since when.
    pub(crate) age: Duration,
}

/// Troubles that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ill {
    /// An instance is out of CPU credits.
    NoCredits,
    /// The Systems Manager agent on it is silent.
    Silent,
    /// Its status check fails.
    Impaired,
    /// AWS will retire it.
    Retirement,
    Stopped,
    /// Somebody terminated it.
    Gone,
    /// It fails the checks of its target groups.
    Failing,
    /// It does not answer them in time.
    TimingOut,
    /// Auto Scaling may not end it.
    Protected,
    Standby,
    /// Its ECS agent is gone.
    AgentGone,
    /// A service whose limits forbid every step of its deployment.
    Stuck,
    /// A group whose last launch found no capacity.
    NoCapacity,
    /// A group that finds none from now on.
    NoRoom,
}

impl Ill {
    /// Every one, with the word for it and what it befalls: `instance`, `service` or `group`.
    pub(crate) const ALL: [(&'static str, &'static str, Self); 14] = [
        ("no-credits", "instance", Self::NoCredits),
        ("silent", "instance", Self::Silent),
        ("impaired", "instance", Self::Impaired),
        ("retirement", "instance", Self::Retirement),
        ("stopped", "instance", Self::Stopped),
        ("terminated", "instance", Self::Gone),
        ("failing", "instance", Self::Failing),
        ("timing-out", "instance", Self::TimingOut),
        ("protected", "instance", Self::Protected),
        ("standby", "instance", Self::Standby),
        ("agent-gone", "instance", Self::AgentGone),
        ("stuck", "service", Self::Stuck),
        ("no-capacity", "group", Self::NoCapacity),
        ("no-room", "group", Self::NoRoom),
    ];
}
