//! What we ask of a cloud, in domain types: sources, asks, readings, and how a read fails.
//!
//! `aws` answers these; `collect` decides when to ask; nothing else talks to a cloud.
//! `FleetWriter` carries out changes, one value a call; cores' own admin API is `CoreAdmin`.

mod admin;
mod calls;
pub mod change;
pub mod core;
mod look;
mod ours;
mod session;

pub use admin::{AdminError, Answer, CoreAdmin, Door, Seals, Secrets, Visit};
pub use calls::{Bucket, CallRecord, NoteCall, Outcome, is_yes_to_a_dry_run};
pub use change::{Again, Change, FleetWriter, Proof, Receipt, Token, WriteError};
pub use look::{FleetProbe, LogAsk, Look, Seen};
pub use ours::{Ours, Turn, was_quicker};
pub use session::{HostAt, Lead, Opened, Session, Sessions, Ways};

use crate::model::admin::CoreWord;
use crate::model::{
    AccountName, Activity, Agent, Alarm, Cluster, ClusterArn, CoreRecord, Gauges, Group, GroupName, Host,
    HostedZone, Identity, Image, ImageId, Instance, InstanceId, InstanceStatus, InstanceType, Metrics,
    Published, Refresh, Region, Rule, Scope, Service, SpotPrice, Target, TargetGroup, TargetGroupArn, Task,
    Template, TemplateRef, TenantRecord, Text, Trouble,
};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Everything that is read of a scope, one name per section of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Who we are: account number and ARN.
    Identity,
    /// EC2 instances, every reservation and page.
    Instances,
    /// Status checks and scheduled events.
    Statuses,
    /// Launch templates and the versions in use.
    Templates,
    /// AMIs in use.
    Images,
    /// What public parameters name as the newest of the families that images in use belong to.
    Published,
    /// Auto Scaling groups.
    Groups,
    /// Instance refreshes.
    Refreshes,
    /// Scaling activities.
    Activities,
    /// ECS clusters with capacity providers.
    Clusters,
    /// ECS services with deployments and events.
    Services,
    /// ECS tasks.
    Tasks,
    /// ECS container instances.
    Hosts,
    /// Target groups.
    TargetGroups,
    /// Target health.
    Targets,
    /// Listener rules.
    Rules,
    /// Route 53 records of the zones that may hold the fleet's host names.
    Records,
    /// Systems Manager's managed instances.
    Agents,
    /// CloudWatch alarms.
    Alarms,
    /// The Parameter Store registry of cores and tenants.
    Registry,
    /// CloudWatch metrics of named instances; the only source that costs money.
    Metrics,
    /// What the cores say of themselves through their own API.
    Admin,
    /// Spot prices of the types in use.
    Prices,
}

impl Source {
    /// Every source, in the order in which they are first asked.
    pub const ALL: [Self; 23] = [
        Self::Identity,
        Self::Instances,
        Self::Groups,
        Self::Clusters,
        Self::TargetGroups,
        Self::Alarms,
        Self::Services,
        Self::Hosts,
        Self::Targets,
        Self::Statuses,
        Self::Registry,
        Self::Rules,
        Self::Records,
        Self::Tasks,
        Self::Templates,
        Self::Images,
        Self::Published,
        Self::Agents,
        Self::Refreshes,
        Self::Activities,
        Self::Metrics,
        Self::Admin,
        Self::Prices,
    ];

    /// The word used in JSON, warnings and configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Instances => "instances",
            Self::Statuses => "statuses",
            Self::Templates => "templates",
            Self::Images => "images",
            Self::Published => "published",
            Self::Groups => "groups",
            Self::Refreshes => "refreshes",
            Self::Activities => "activities",
            Self::Clusters => "clusters",
            Self::Services => "services",
            Self::Tasks => "tasks",
            Self::Hosts => "hosts",
            Self::TargetGroups => "target_groups",
            Self::Targets => "targets",
            Self::Rules => "rules",
            Self::Records => "records",
            Self::Agents => "agents",
            Self::Alarms => "alarms",
            Self::Registry => "registry",
            Self::Metrics => "metrics",
            Self::Admin => "admin",
            Self::Prices => "prices",
        }
    }

    /// These sources and all that must be read before them, in the order of first reads.
    pub fn with_needs(sources: &[Self]) -> Vec<Self> {
        let mut wanted: Vec<Self> = Vec::new();
        let mut open = sources.to_vec();
        while let Some(source) = open.pop() {
            if !wanted.contains(&source) {
                wanted.push(source);
                open.extend(source.needs());
            }
        }
        Self::ALL.into_iter().filter(|source| wanted.contains(source)).collect()
    }

    /// The call that a read begins with, in IAM's spelling.
    pub fn call(self) -> &'static str {
        match self {
            Self::Identity => "sts:GetCallerIdentity",
            Self::Instances => "ec2:DescribeInstances",
            Self::Statuses => "ec2:DescribeInstanceStatus",
            Self::Templates => "ec2:DescribeLaunchTemplates",
            Self::Images => "ec2:DescribeImages",
            Self::Published => "ssm:GetParameters",
            Self::Groups => "autoscaling:DescribeAutoScalingGroups",
            Self::Refreshes => "autoscaling:DescribeInstanceRefreshes",
            Self::Activities => "autoscaling:DescribeScalingActivities",
            Self::Clusters => "ecs:ListClusters",
            Self::Services => "ecs:ListServices",
            Self::Tasks => "ecs:ListTasks",
            Self::Hosts => "ecs:ListContainerInstances",
            Self::TargetGroups => "elasticloadbalancing:DescribeTargetGroups",
            Self::Targets => "elasticloadbalancing:DescribeTargetHealth",
            Self::Rules => "elasticloadbalancing:DescribeRules",
            Self::Records => "route53:ListHostedZones",
            Self::Agents => "ssm:DescribeInstanceInformation",
            Self::Alarms => "cloudwatch:DescribeAlarms",
            Self::Registry => "ssm:GetParametersByPath",
            Self::Metrics => "cloudwatch:GetMetricData",
            Self::Prices => "ec2:DescribeSpotPriceHistory",
            // The cores themselves ask for a key, and that is kept there.
            Self::Admin => "ssm:GetParameters",
        }
    }

    /// Sources whose sections must be read first, because the ask names what they found.
    pub fn needs(self) -> &'static [Self] {
        match self {
            Self::Templates => &[Self::Groups, Self::Instances],
            Self::Images => &[Self::Instances, Self::Templates],
            Self::Published => &[Self::Images],
            Self::Refreshes | Self::Activities => &[Self::Groups],
            Self::Services | Self::Tasks | Self::Hosts => &[Self::Clusters],
            Self::Targets => &[Self::TargetGroups],
            Self::Admin => &[Self::Registry, Self::Instances],
            Self::Records => &[Self::Registry, Self::Rules],
            Self::Prices => &[Self::Instances],
            _ => &[],
        }
    }
}

/// How much a read matters when calls must wait for their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// A sweep in the background.
    Sweep,
    /// Rows on the screen.
    Screen,
    /// A person waits for it.
    User,
    /// A running operation depends on it.
    Operation,
}

/// A question to one scope, with what it must name.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Who are we.
    Identity,
    /// All instances.
    Instances,
    /// Status of all instances.
    Statuses,
    /// All templates, with these versions besides default and latest.
    Templates(Vec<TemplateRef>),
    /// These images.
    Images(Vec<ImageId>),
    /// These parameters of image makers, with what they named before.
    Published(Vec<Text>),
    /// All groups.
    Groups,
    /// Refreshes of these groups.
    Refreshes(Vec<GroupName>),
    /// Recent activities of these groups.
    Activities(Vec<GroupName>),
    /// All clusters and their capacity providers.
    Clusters,
    /// All services of these clusters.
    Services(Vec<ClusterArn>),
    /// All running and stopping tasks of these clusters.
    Tasks(Vec<ClusterArn>),
    /// All container instances of these clusters.
    Hosts(Vec<ClusterArn>),
    /// All target groups.
    TargetGroups,
    /// Health of the targets of these groups.
    Targets(Vec<TargetGroupArn>),
    /// All rules of all listeners of all load balancers.
    Rules,
    /// The zones that may hold these host names, with their records.
    Records(Vec<Text>),
    /// All managed instances.
    Agents,
    /// All alarms.
    Alarms,
    /// The registry under this path, `/coredeck/<fleet>/`.
    Registry(String),
    /// Metrics of these instances from this moment on.
    Metrics {
        /// Which instances.
        of: Vec<InstanceId>,
        /// Which of the four series; each is paid for.
        gauges: Gauges,
        /// The start of the window.
        since: Timestamp,
    },
    /// What these cores say of themselves.
    Admin(Vec<Visit>),
    /// Spot prices in every zone.
    Prices {
        /// Of these types.
        of: Vec<InstanceType>,
        /// Of these products, as instances name their platform: `Linux/UNIX`.
        products: Vec<Text>,
        /// What began after this, and what was in effect then. A moment just past gives the prices of now.
        since: Timestamp,
    },
}

impl Ask {
    /// The section that the answer belongs to.
    pub fn source(&self) -> Source {
        match self {
            Self::Identity => Source::Identity,
            Self::Instances => Source::Instances,
            Self::Statuses => Source::Statuses,
            Self::Templates(_) => Source::Templates,
            Self::Images(_) => Source::Images,
            Self::Published(_) => Source::Published,
            Self::Groups => Source::Groups,
            Self::Refreshes(_) => Source::Refreshes,
            Self::Activities(_) => Source::Activities,
            Self::Clusters => Source::Clusters,
            Self::Services(_) => Source::Services,
            Self::Tasks(_) => Source::Tasks,
            Self::Hosts(_) => Source::Hosts,
            Self::TargetGroups => Source::TargetGroups,
            Self::Targets(_) => Source::Targets,
            Self::Rules => Source::Rules,
            Self::Records(_) => Source::Records,
            Self::Agents => Source::Agents,
            Self::Alarms => Source::Alarms,
            Self::Registry(_) => Source::Registry,
            Self::Metrics { .. } => Source::Metrics,
            Self::Admin(_) => Source::Admin,
            Self::Prices { .. } => Source::Prices,
        }
    }
}

/// An answer, in the shape of one section.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Who we are.
    Identity(Identity),
    /// Instances.
    Instances(Vec<Arc<Instance>>),
    /// Status checks and events.
    Statuses(Vec<InstanceStatus>),
    /// Templates.
    Templates(Vec<Template>),
    /// Images; those that were asked for and are gone have no state.
    Images(Vec<Image>),
    /// Parameters of image makers; those that do not exist are left out.
    Published(Vec<Published>),
    /// Groups.
    Groups(Vec<Group>),
    /// Refreshes, newest first within a group.
    Refreshes(Vec<Refresh>),
    /// Activities, newest first within a group.
    Activities(Vec<Activity>),
    /// Clusters.
    Clusters(Vec<Cluster>),
    /// Services.
    Services(Vec<Service>),
    /// Tasks.
    Tasks(Vec<Task>),
    /// Container instances.
    Hosts(Vec<Host>),
    /// Target groups.
    TargetGroups(Vec<TargetGroup>),
    /// Targets.
    Targets(Vec<Target>),
    /// Rules.
    Rules(Vec<Rule>),
    /// Hosted zones with their records.
    Records(Vec<HostedZone>),
    /// Managed instances.
    Agents(Vec<Agent>),
    /// Alarms.
    Alarms(Vec<Alarm>),
    /// Cores and tenants of the registry, and one sentence per parameter that could not be understood.
    Registry {
        /// Cores.
        cores: Vec<CoreRecord>,
        /// Tenants.
        tenants: Vec<TenantRecord>,
        /// What could not be understood, and why.
        faults: Vec<String>,
    },
    /// Metrics.
    Metrics(Vec<Metrics>),
    /// What cores said of themselves.
    Admin(Vec<Arc<CoreWord>>),
    /// Spot prices by market, the oldest of each first.
    Prices(Vec<SpotPrice>),
}

impl Reading {
    /// The section that it belongs to.
    pub fn source(&self) -> Source {
        match self {
            Self::Identity(_) => Source::Identity,
            Self::Instances(_) => Source::Instances,
            Self::Statuses(_) => Source::Statuses,
            Self::Templates(_) => Source::Templates,
            Self::Images(_) => Source::Images,
            Self::Published(_) => Source::Published,
            Self::Groups(_) => Source::Groups,
            Self::Refreshes(_) => Source::Refreshes,
            Self::Activities(_) => Source::Activities,
            Self::Clusters(_) => Source::Clusters,
            Self::Services(_) => Source::Services,
            Self::Tasks(_) => Source::Tasks,
            Self::Hosts(_) => Source::Hosts,
            Self::TargetGroups(_) => Source::TargetGroups,
            Self::Targets(_) => Source::Targets,
            Self::Rules(_) => Source::Rules,
            Self::Records(_) => Source::Records,
            Self::Agents(_) => Source::Agents,
            Self::Alarms(_) => Source::Alarms,
            Self::Registry { .. } => Source::Registry,
            Self::Metrics(_) => Source::Metrics,
            Self::Prices(_) => Source::Prices,
            Self::Admin(_) => Source::Admin,
        }
    }
}

/// A read that failed, whole or in part.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayError {
    /// What went wrong.
    pub trouble: Trouble,
    /// What was read before it did; shown as partial, never as complete.
    pub partial: Option<Box<Reading>>,
}

impl std::fmt::Display for GatewayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.trouble)
    }
}

impl std::error::Error for GatewayError {}

impl From<Trouble> for GatewayError {
    fn from(trouble: Trouble) -> Self {
        Self { trouble, partial: None }
    }
}

/// What the calls of a session cost, since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spending {
    /// Requests sent, retries included.
    pub calls: u64,
    /// Requests that AWS throttled.
    pub throttles: u64,
    /// Requests that failed otherwise.
    pub failures: u64,
    /// Estimated dollars for what AWS bills by the request.
    pub dollars: crate::model::Usd,
}

/// Reads a fleet. One value serves every account and region.
pub trait FleetReader: Send + Sync {
    /// Regions that are enabled for an account.
    fn regions(&self, account: &AccountName) -> BoxFuture<'_, Result<Vec<Region>, GatewayError>>;

    /// The region that an account's own configuration names: profile, environment, instance.
    fn home_region(&self, account: &AccountName) -> BoxFuture<'_, Result<Region, GatewayError>>;

    /// Answers one ask. `pages` receives what has been read so far, after each page but the last,
    /// so that a long list shows as it arrives; a full or closed channel is simply skipped.
    fn read(
        &self,
        scope: &Scope,
        ask: Ask,
        urgency: Urgency,
        pages: Option<mpsc::Sender<Reading>>,
    ) -> BoxFuture<'_, Result<Reading, GatewayError>>;

    /// Says what an earlier run read: where the same is read again, the same memory may be handed out. Nothing
    /// else comes of it. A reader that stands before another one passes it on, which is why this has no body here.
    fn remind(&self, scope: &Scope, reading: &Reading);

    /// What has been spent so far.
    fn spending(&self) -> Spending;

    /// The latest calls, newest first; those long past are forgotten.
    fn calls(&self) -> Vec<Arc<CallRecord>> {
        Vec::new()
    }

    /// The token buckets that were used, by account, region and name.
    fn buckets(&self) -> Vec<Bucket> {
        Vec::new()
    }
}
