//! What can be changed in a cloud, as plain data: one variant a call, which a plan can hold and a journal keep.
//!
//! What an operation relies on:
//!
//! - A [`Change`] is one request of one AWS call, no more. [`Change::parts`] cuts a wish over many targets
//!   into as many; [`Change::fault`] says why one could never be sent.
//! - [`Change::again`] says what a lost answer means: whether the same may be sent again, and if not, how
//!   to find out whether AWS acted. Record the change and its [`Token`] before [`FleetWriter::write`] is
//!   called, and decide by `again` after a crash or a [`WriteError::Unknown`].
//! - A writer sends a change once. Only what carries a client token is tried again by itself.
//! - An answer may say that some targets were left out: [`Receipt::missed`] is part of every outcome.

mod again;
mod receipt;
mod writer;

pub use crate::model::Handling;
pub use again::Again;
pub use receipt::{Answered, Miss, Moved, Proof, Receipt, WriteError};
pub use writer::{FleetWriter, Token};

use super::core::{CorePut, Sealing};
use crate::model::{
    ClusterArn, GroupName, HostArn, ImageId, InstanceId, InstanceType, Mix, ServiceArn, Tags, TargetGroupArn,
    TaskArn, TemplateId, TemplateRef, Text, Zone,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One mutating call, with all that it sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Lets container instances take tasks, or empties them of their services' tasks. Standalone tasks stay
    /// on a draining host until somebody stops them. At most 10.
    HostState {
        /// Their cluster.
        cluster: ClusterArn,
        /// Which.
        hosts: Vec<HostArn>,
        /// What they shall be.
        to: HostState,
    },
    /// Stops a task: SIGTERM, and SIGKILL after its stop time-out. A service starts another one.
    StopTask {
        /// Its cluster.
        cluster: ClusterArn,
        /// Which.
        task: TaskArn,
        /// What ECS keeps as the reason; the place for an operation's id.
        reason: String,
    },
    /// Guards tasks against scale-in and deployments, or no longer. At most 10.
    ProtectTasks {
        /// Their cluster.
        cluster: ClusterArn,
        /// Which.
        tasks: Vec<TaskArn>,
        /// For how many minutes from now (1–2880); none takes the protection away.
        minutes: Option<u32>,
    },
    /// Sets how many tasks a service runs.
    ScaleService {
        /// Its cluster.
        cluster: ClusterArn,
        /// Which.
        service: ServiceArn,
        /// How many.
        desired: u32,
    },
    /// Replaces all tasks of a service by new ones of the same definition.
    Redeploy {
        /// Its cluster.
        cluster: ClusterArn,
        /// Which.
        service: ServiceArn,
    },
    /// Takes members out of service and of the load balancer, and keeps them. At most 20.
    EnterStandby {
        /// Their group.
        group: GroupName,
        /// Which.
        instances: Vec<InstanceId>,
        /// Whether the desired capacity goes down with them; otherwise the group launches others.
        is_decremented: bool,
    },
    /// Puts members back into service. The desired capacity always goes up by as many. At most 20.
    ExitStandby {
        /// Their group.
        group: GroupName,
        /// Which.
        instances: Vec<InstanceId>,
    },
    /// Protects members from scale-in, or no longer. At most 50.
    ProtectScaleIn {
        /// Their group.
        group: GroupName,
        /// Which.
        instances: Vec<InstanceId>,
        /// Whether they shall be.
        is_protected: bool,
    },
    /// Ends a member by its group, hooks and load balancer included.
    TerminateInGroup {
        /// Which; AWS finds its group.
        instance: InstanceId,
        /// Whether the desired capacity goes down with it; otherwise the group launches another one.
        is_decremented: bool,
    },
    /// Sets a group's desired capacity, whatever its cooldown. AWS holds it within minimum and maximum.
    SetDesired {
        /// Which.
        group: GroupName,
        /// How many.
        desired: u32,
    },
    /// Sets a group's sizes; what is none stays.
    ResizeGroup {
        /// Which.
        group: GroupName,
        /// Fewest.
        min: Option<u32>,
        /// Most.
        max: Option<u32>,
        /// Wanted.
        desired: Option<u32>,
    },
    /// Sets what a mixed group launches, the whole policy: what it does not say is lost to the group.
    SetMix {
        /// Which.
        group: GroupName,
        /// The launch template.
        template: TemplateRef,
        /// Types and shares.
        mix: Box<Mix>,
    },
    /// Sets how a group treats its members.
    TuneGroup {
        /// Which.
        group: GroupName,
        /// What becomes of each setting.
        tuning: Tuning,
    },
    /// Suspends processes of a group: `Launch`, `Terminate`, `InstanceRefresh`, …
    SuspendProcesses {
        /// Which group.
        group: GroupName,
        /// Which processes; never none, which AWS would take for all.
        processes: Vec<Text>,
    },
    /// Resumes processes of a group.
    ResumeProcesses {
        /// Which group.
        group: GroupName,
        /// Which processes; never none, which AWS would take for all.
        processes: Vec<Text>,
    },
    /// Ends the wait of a lifecycle hook for one instance.
    CompleteHook {
        /// Which group.
        group: GroupName,
        /// Which hook.
        hook: Text,
        /// Which instance waits.
        instance: InstanceId,
        /// `CONTINUE`, or else `ABANDON`.
        is_continued: bool,
    },
    /// Starts a rolling instance refresh. AWS goes on with it when nobody looks.
    StartRefresh {
        /// Which group.
        group: GroupName,
        /// Every preference: AWS's own defaults differ between API and console.
        preferences: Box<Preferences>,
        /// What the new instances are launched with; none means what the group has now, and then AWS can
        /// neither roll it back nor can it be told from one that somebody else started.
        desired: Option<Box<Desired>>,
    },
    /// Stops the refresh, or the rollback, that a group has under way. What was replaced stays so.
    CancelRefresh {
        /// Which group.
        group: GroupName,
        /// Whether launches and terminations under way end first.
        waits: bool,
    },
    /// Takes the refresh that a group has under way back to what the group was saved with.
    RollBackRefresh {
        /// Which group.
        group: GroupName,
    },
    /// Takes targets out of a target group; their open connections may finish for its delay.
    Deregister {
        /// Which group.
        target_group: TargetGroupArn,
        /// Which targets.
        targets: Vec<TargetRef>,
    },
    /// Puts targets into a target group.
    Register {
        /// Which group.
        target_group: TargetGroupArn,
        /// Which targets.
        targets: Vec<TargetRef>,
    },
    /// Stops instances. One bad id fails all.
    StopInstances {
        /// Which.
        instances: Vec<InstanceId>,
    },
    /// Starts instances. One bad id fails all.
    StartInstances {
        /// Which.
        instances: Vec<InstanceId>,
    },
    /// Reboots instances. One bad id fails all.
    RebootInstances {
        /// Which.
        instances: Vec<InstanceId>,
    },
    /// Launches one instance of a template version. Called again with the same token it launches no other one.
    RunInstance {
        /// Which version: by its template's id and a number.
        template: TemplateRef,
        /// Where; none where the template says.
        subnet: Option<Text>,
        /// As which type; none where the template says.
        instance_type: Option<InstanceType>,
        /// Tags that it carries from the start, beside those of the template.
        tags: Tags,
    },
    /// Ends instances past their group's hooks. One bad id fails all; protected ones fail those of their zone.
    TerminateInstances {
        /// Which.
        instances: Vec<InstanceId>,
    },
    /// Makes a template version that is another one with another image.
    CreateTemplateVersion {
        /// Which template.
        template: TemplateId,
        /// The number of the version that everything else is taken from.
        from: u64,
        /// The new image.
        image: ImageId,
        /// What the version is called, at most 255 characters; the place for an operation's id.
        description: String,
    },
    /// Sets the version that `$Default` means.
    SetDefaultVersion {
        /// Which template.
        template: TemplateId,
        /// Which version.
        version: u64,
    },
    /// Deletes versions of a template for good; their numbers never come again. Those that are gone already are
    /// no error.
    DeleteVersions {
        /// Which template.
        template: TemplateId,
        /// Which versions, at most 200; AWS keeps the default one.
        versions: Vec<u64>,
    },
    /// Takes an image away for good: nothing more can be launched from it. One that is gone already is no error.
    DeregisterImage {
        /// Which.
        image: ImageId,
        /// Whether its snapshots go with it, as far as no other image has them.
        with_snapshots: bool,
    },
    /// Tags resources of EC2, overwriting values.
    Tag {
        /// Ids: `i-…`, `lt-…`, `ami-…`.
        resources: Vec<Text>,
        /// What to set.
        tags: Tags,
    },
    /// Takes tags off resources of EC2, whatever their values.
    Untag {
        /// Ids: `i-…`, `lt-…`, `ami-…`.
        resources: Vec<Text>,
        /// Which.
        keys: Vec<Text>,
    },
    /// Runs an SSM document on instances. At most 50.
    SendCommand {
        /// Which document.
        document: Document,
        /// Where.
        instances: Vec<InstanceId>,
        /// Its parameters. No secret: they can be read in the command's history.
        parameters: BTreeMap<Text, Vec<Text>>,
        /// The mark that the command is found again by, at most 100 characters; an operation's and a step's id.
        comment: String,
        /// Seconds that AWS tries to reach an agent (30–2592000); not how long the document may run.
        deliver_within_s: u32,
        /// Instances that may fail before AWS sends it to no more; its own default is none.
        errors: u32,
        /// Instances that run it at the same time, 1–50.
        concurrency: u32,
    },
    /// Asks AWS to stop a command; what runs already may run on.
    CancelCommand {
        /// The command's id.
        command: Text,
    },
    /// Puts a document of ours into an account. One that is there under the name already is an error of AWS,
    /// which the caller tells apart by its hash.
    CreateDocument {
        /// Its name.
        name: Text,
        /// Its content: JSON of schema 2.2.
        content: String,
    },
    /// Writes a parameter of type String. AWS has no condition on the version that is overwritten: who overwrites
    /// looks at it just before, and tells by the value afterwards whose it is.
    PutParameter {
        /// Its whole name, `/coredeck/main/cores/a`.
        name: Text,
        /// Its value, at most 4096 characters. Never a secret: plans and journals hold it.
        value: String,
        /// What its history keeps beside the value, at most 1024 characters; the place for an operation's id.
        description: String,
        /// Whether it may be there already; otherwise AWS refuses where it is.
        overwrites: bool,
    },
    /// Removes a parameter with its history.
    DeleteParameter {
        /// Its whole name.
        name: Text,
    },
    /// Writes a SecureString whose content nobody sees.
    SealSecret {
        /// Which, and from what.
        sealing: Sealing,
    },
    /// Sets settings of a domain, an app or a tenant by a core's own call.
    PutCore {
        /// Of which, and what.
        put: CorePut,
    },
}

/// What a container instance can be told to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    /// Takes tasks.
    Active,
    /// Loses the tasks of services and takes none.
    Draining,
}

impl HostState {
    /// AWS's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
        }
    }
}

/// What becomes of a setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is taken away.
    Clear,
    /// It is set to this.
    To(T),
}

/// How a group treats its members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tuning {
    /// Which members are ended first, in order; none leaves that as it is.
    pub terminations: Option<Vec<Text>>,
    /// Seconds from in service to counted.
    pub warmup: Setting<u32>,
    /// Whether spot instances at risk are replaced before they are taken; none leaves that as it is.
    pub rebalances: Option<bool>,
    /// Least and most percent of the desired capacity while members are replaced.
    pub maintenance: Setting<(u32, u32)>,
}

impl Tuning {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Why AWS would not take it; none when all is well.
    pub fn fault(&self) -> Option<String> {
        match (&self.maintenance, &self.terminations) {
            (Setting::To((min, max)), _) if *min > 100 || !(100..=200).contains(max) || max - min > 100 => {
                Some(format!("{min}-{max} is no maintenance policy: 0-100 to 100-200, and at most 100 apart"))
            }
            (_, Some(policies)) if policies.is_empty() => {
                Some("the list of termination policies is empty".to_owned())
            }
            _ => None,
        }
    }
}

/// A target as a target group knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetRef {
    /// An instance id, an address, or an ARN.
    pub id: Text,
    /// Its port; none means the group's own, or all of its ports when it is taken out.
    pub port: Option<u16>,
    /// Its zone, `all` for addresses outside of the VPC; none otherwise.
    pub zone: Option<Zone>,
}

/// A document by name, held to one version and one content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its name.
    pub name: Text,
    /// Its version, a number; none means its default one.
    pub version: Option<Text>,
    /// The SHA-256 that its content must have, in hex; AWS refuses another.
    pub sha256: Option<Text>,
}

/// Every preference of a rolling instance refresh.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Preferences {
    /// Percent of the desired capacity that must be in service, 0–100.
    pub min_healthy: u32,
    /// Percent of the desired capacity that may be there, 100–200 and at most 100 above the fewest.
    pub max_healthy: u32,
    /// Seconds from in service to counted.
    pub warmup_s: u32,
    /// Percentages at which it waits, ascending; one that does not end with 100 replaces only a part.
    pub checkpoints: Vec<u32>,
    /// Seconds that it waits at each of them, up to 172800; only sent with checkpoints.
    pub checkpoint_delay_s: u32,
    /// Whether members that match already are left alone.
    pub skips_matching: bool,
    /// Whether AWS goes back by itself on failure or alarm. Needs a desired configuration.
    pub rolls_back: bool,
    /// What happens to members that are protected from scale-in.
    pub protected: Handling,
    /// What happens to members in standby.
    pub standby: Handling,
    /// Alarms that fail it, at most 10.
    pub alarms: Vec<Text>,
    /// Seconds that it watches the alarms after the last replacement, up to 172800.
    pub bake_s: u32,
}

/// How the trouble begins by which Auto Scaling refuses a refresh whose caller may not launch from its template: one of
/// three permissions is missing, and it does not say which.
pub const LAUNCH_DENIED: &str = "launching from the template is denied";

/// What a refresh launches new instances with, and what the group keeps when it succeeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Desired {
    /// A launch template.
    Template(TemplateRef),
    /// A mixed instances policy, sent whole: what it does not say is lost to the group.
    Mixed {
        /// The launch template.
        template: TemplateRef,
        /// Types and shares.
        mix: Mix,
    },
}

impl Desired {
    /// The launch template in it.
    pub fn template(&self) -> &TemplateRef {
        match self {
            Self::Template(template) | Self::Mixed { template, .. } => template,
        }
    }

    /// Every launch template in it: that of the group, and those of types that have one of their own.
    pub fn templates(&self) -> Vec<TemplateRef> {
        let own = match self {
            Self::Template(_) => &[][..],
            Self::Mixed { mix, .. } => mix.own.as_slice(),
        };
        let mut all = vec![self.template().clone()];
        for template in own.iter().filter_map(|own| own.template.as_ref()) {
            if !all.contains(template) {
                all.push(template.clone());
            }
        }
        all
    }
}
