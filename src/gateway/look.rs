//! Single things, read by their ids: what an operation observes between its steps.
//!
//! Unlike `FleetReader`, whose lists are wide and may be old, a look names what it wants, costs one call
//! for most of what it is asked, and is never answered from a cache. What AWS does not know is left out
//! of the answer: a thing that is asked for and not there is gone, or not yet visible.

use super::core::{CoreLook, CoreSeen};
use crate::model::{
    Alarm, ClusterArn, Command, Definition, DocumentDetail, Group, GroupName, Hook, HostArn, HostDetail,
    Image, ImageId, Instance, InstanceId, InstanceType, Invocation, Leaving, LogPage, Measured, Newcomer,
    ParameterDetail, Protection, Published, Readiness, RefreshDetail, Scope, Series, ServiceArn,
    ServiceDetail, SpotPrice, Target, TargetGroupArn, Task, TaskArn, Template, TemplateId, TemplateRef,
    TemplateVersion, Text, Trouble,
};
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What to look at. Any number of ids may be named; none asks for nothing and costs no call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "look", rename_all = "snake_case")]
pub enum Look {
    /// Instances.
    Instances {
        /// Which.
        of: Vec<InstanceId>,
    },
    /// Instances that carry a tag.
    Tagged {
        /// Its key.
        key: Text,
        /// Its value.
        value: Text,
    },
    /// Instances with all that tells whether they can be worked with.
    Readiness {
        /// Which.
        of: Vec<InstanceId>,
    },
    /// Auto Scaling groups with their members.
    Groups {
        /// Which.
        of: Vec<GroupName>,
    },
    /// Lifecycle hooks of a group.
    Hooks {
        /// Which group.
        group: GroupName,
    },
    /// The latest refreshes of a group, newest first: a hundred at most.
    Refreshes {
        /// Which group.
        group: GroupName,
    },
    /// Container instances.
    Hosts {
        /// Their cluster.
        cluster: ClusterArn,
        /// Which.
        of: Vec<HostArn>,
    },
    /// Every container instance of a cluster.
    HostsOf {
        /// Which cluster.
        cluster: ClusterArn,
    },
    /// Tasks, also ones that have stopped, as long as ECS remembers them.
    Tasks {
        /// Their cluster.
        cluster: ClusterArn,
        /// Which.
        of: Vec<TaskArn>,
    },
    /// Every task on a container instance that has not stopped.
    TasksOn {
        /// Its cluster.
        cluster: ClusterArn,
        /// Which host.
        host: HostArn,
    },
    /// Every task of a service that has not stopped.
    TasksOf {
        /// Its cluster.
        cluster: ClusterArn,
        /// The service's name.
        service: Text,
    },
    /// Services.
    Services {
        /// Their cluster.
        cluster: ClusterArn,
        /// Which.
        of: Vec<ServiceArn>,
    },
    /// Task definitions.
    Definitions {
        /// `family:revision`, or ARNs.
        of: Vec<Text>,
    },
    /// Protection of tasks.
    Protections {
        /// Their cluster.
        cluster: ClusterArn,
        /// Which.
        of: Vec<TaskArn>,
    },
    /// Health of the targets of a group: of all that are registered or leave.
    Targets {
        /// Which group.
        group: TargetGroupArn,
    },
    /// What target groups do with targets that leave.
    Leavings {
        /// Which groups.
        of: Vec<TargetGroupArn>,
    },
    /// Versions of a launch template from this number on.
    Versions {
        /// Which template.
        template: TemplateId,
        /// The first number.
        from: u64,
    },
    /// Launch templates, without their versions.
    Templates {
        /// Which.
        of: Vec<TemplateId>,
    },
    /// Images by their ids; those that are gone have no state.
    Images {
        /// Which.
        of: Vec<ImageId>,
    },
    /// Images that can be launched now, by whose they are and how they are called.
    ImagesNamed {
        /// An account number, `self`, `amazon`, `aws-marketplace`.
        owner: Text,
        /// What they are called, with `*` and `?`.
        name: Text,
    },
    /// What parameters of image makers name now.
    Published {
        /// Their names.
        of: Vec<Text>,
    },
    /// What spot instances of some types cost now, in every zone.
    Prices {
        /// Which types.
        of: Vec<InstanceType>,
        /// Of which products: `Linux/UNIX`.
        products: Vec<Text>,
    },
    /// Alarms by their names.
    Alarms {
        /// Which.
        of: Vec<Text>,
    },
    /// Figures of CloudWatch up to the last whole minute; AWS bills each.
    Measures {
        /// Which.
        of: Vec<Series>,
    },
    /// Members that a group launched from one template version, and how they are.
    Newcomers {
        /// Which group.
        group: GroupName,
        /// Which version: by its template's id and a number.
        template: TemplateRef,
        /// Versions of other templates that types of the group are launched from, which count like it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        others: Vec<TemplateRef>,
        /// The cluster whose agents are asked for.
        cluster: Option<ClusterArn>,
        /// The target groups that are asked.
        target_groups: Vec<TargetGroupArn>,
    },
    /// Whether EC2 would launch an instance of a template version: a dry run, which starts nothing.
    Launch {
        /// Which version.
        template: TemplateRef,
        /// Where.
        subnet: Option<Text>,
        /// As which type, where the template names none.
        instance_type: Option<InstanceType>,
    },
    /// Commands that ran a document since a moment, whoever sent them.
    Commands {
        /// Which document.
        document: Text,
        /// From when.
        since: Timestamp,
    },
    /// A command on each of its instances.
    Invocations {
        /// The command's id.
        command: Text,
    },
    /// A command on one of its instances, with more of what it printed: AWS gives 24,000 characters here, and
    /// 2,500 in the list.
    Invocation {
        /// The command's id.
        command: Text,
        /// Which instance.
        instance: InstanceId,
    },
    /// What became of commands that ran a document on one instance each; nothing of those that are not there yet.
    /// What ended well is not read any further: it has printed nothing then.
    Outcomes {
        /// Their document.
        document: Text,
        /// They were sent after this moment.
        since: Timestamp,
        /// Their comments, and where each runs.
        of: Vec<(Text, InstanceId)>,
    },
    /// A document.
    Document {
        /// Its name.
        name: Text,
    },
    /// Parameters. Nothing is decrypted.
    Parameters {
        /// Which, by their whole names.
        of: Vec<Text>,
    },
    /// Every parameter below a path. Nothing is decrypted.
    ParametersUnder {
        /// Which path: `/coredeck/main`.
        path: Text,
    },
    /// Something in a core.
    Core {
        /// What.
        of: CoreLook,
    },
    /// A page of the events of log streams. A person waits for it, so it is asked for behind operations.
    LogEvents(LogAsk),
    /// The names of the log streams of a group.
    LogStreams {
        /// Which group.
        group: Text,
        /// What their names begin with.
        prefix: Text,
    },
}

/// Which page of which log streams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogAsk {
    /// The log group.
    pub group: Text,
    /// Which streams, a hundred at most; none means all of the group.
    pub streams: Vec<Text>,
    /// From when.
    pub from: Timestamp,
    /// Up to when, and without that moment; none means up to now.
    pub until: Option<Timestamp>,
    /// What events must hold, in CloudWatch's own words; none for all.
    pub pattern: Option<String>,
    /// Events of a page at most; none means as many as AWS gives.
    pub limit: Option<u32>,
    /// The token of the page; none is the first.
    pub token: Option<String>,
}

/// What was there, in the shape of what was asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// Instances.
    Instances(Vec<Arc<Instance>>),
    /// Whether instances can be worked with; those that EC2 does not know, or not yet, are left out.
    Readiness(Vec<Readiness>),
    /// Groups.
    Groups(Vec<Group>),
    /// Hooks.
    Hooks(Vec<Hook>),
    /// Refreshes, newest first.
    Refreshes(Vec<RefreshDetail>),
    /// Container instances.
    Hosts(Vec<HostDetail>),
    /// Tasks.
    Tasks(Vec<Task>),
    /// Services.
    Services(Vec<ServiceDetail>),
    /// Task definitions.
    Definitions(Vec<Definition>),
    /// Protections.
    Protections(Vec<Protection>),
    /// Targets.
    Targets(Vec<Target>),
    /// What target groups do with targets that leave.
    Leavings(Vec<Leaving>),
    /// Versions, by rising number.
    Versions(Vec<TemplateVersion>),
    /// Templates.
    Templates(Vec<Template>),
    /// Images.
    Images(Vec<Image>),
    /// Parameters of image makers; what does not exist is left out.
    Published(Vec<Published>),
    /// Alarms.
    Alarms(Vec<Alarm>),
    /// Figures of CloudWatch, each that was asked for.
    Measures(Vec<Measured>),
    /// Members that were launched from the version.
    Newcomers(Vec<Newcomer>),
    /// Why EC2 would launch none; none when it would.
    Launch(Option<Trouble>),
    /// Spot prices, by market.
    Prices(Vec<SpotPrice>),
    /// Commands, newest first.
    Commands(Vec<Command>),
    /// Invocations.
    Invocations(Vec<Invocation>),
    /// What became of commands, by their comments: of several with one comment the newest.
    Outcomes(Vec<(Text, Invocation)>),
    /// The document; none where there is none.
    Document(Option<DocumentDetail>),
    /// Parameters, by name.
    Parameters(Vec<ParameterDetail>),
    /// What a core said.
    Core(CoreSeen),
    /// A page of events.
    LogEvents(LogPage),
    /// Names of log streams.
    LogStreams(Vec<Text>),
}

/// Looks at single things. One value serves every account and region.
pub trait FleetProbe: Send + Sync {
    /// Looks once, before all other calls that wait.
    ///
    /// # Errors
    ///
    /// Whatever kept it from seeing all that it was asked for: half an answer is none, since an operation
    /// would take what is missing for gone.
    fn look<'a>(&'a self, scope: &'a Scope, look: &'a Look) -> BoxFuture<'a, Result<Seen, Trouble>>;
}
