//! Sessions of Systems Manager: opened here, carried on by `session-manager-plugin`.

use crate::model::{ClusterArn, InstanceId, Region, Scope, Sealed, TaskArn, Text, Trouble};
use futures::future::BoxFuture;

/// What a session leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Session {
    /// A shell on an instance.
    Host {
        /// Which.
        instance: InstanceId,
    },
    /// A shell in a container that docker runs on an instance, by a document of ours.
    Container {
        /// The instance.
        instance: InstanceId,
        /// The container's name.
        container: Text,
    },
    /// A command in a container of an ECS task.
    Task {
        /// The task's cluster.
        cluster: ClusterArn,
        /// The task.
        task: TaskArn,
        /// The container; none for the only one.
        container: Option<Text>,
        /// What is run there.
        command: Text,
    },
    /// A port of an instance at a port here.
    Forward {
        /// The instance.
        instance: InstanceId,
        /// Its port.
        port: u16,
        /// The port here.
        local: u16,
    },
}

/// A session that was opened. Whoever has the answer is in it, so that nothing shows or keeps it.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its id.
    pub id: Text,
    /// Id, token and address as JSON, as the plugin takes them.
    pub answer: Sealed,
    /// What was asked for as JSON, which the plugin needs to go on after a break.
    pub asked: String,
    /// Where.
    pub region: Region,
    /// The profile that has the credentials, where one does.
    pub profile: Option<Text>,
    /// The address of Systems Manager.
    pub endpoint: String,
}

/// Opens sessions. There is none in read-only mode.
pub trait Sessions: Send + Sync {
    /// Opens a session; `may_put`: our document may be put into an account that lacks it.
    ///
    /// # Errors
    ///
    /// Why there is none: the agent is offline, ECS exec is not enabled, a permission is missing.
    fn open<'a>(
        &'a self,
        scope: &'a Scope,
        session: &'a Session,
        may_put: bool,
    ) -> BoxFuture<'a, Result<Opened, Trouble>>;

    /// Ends a session that nobody carries on.
    ///
    /// # Errors
    ///
    /// It ends by itself some minutes later.
    fn end<'a>(&'a self, scope: &'a Scope, id: &'a Text) -> BoxFuture<'a, Result<(), Trouble>>;

    /// Every session there, anybody's, that has not ended.
    ///
    /// # Errors
    ///
    /// Nobody knows then whether one goes on.
    fn live<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Vec<Text>, Trouble>>;
}

/// An instance, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostAt {
    /// Its account and region.
    pub scope: Scope,
    /// Which.
    pub instance: InstanceId,
}

/// A way to a port of an instance, which stays open as long as this is held.
pub struct Lead {
    /// The port of this machine, on 127.0.0.1.
    pub port: u16,
    _held: Box<dyn Send + Sync>,
}

impl Lead {
    /// A way by this port, open as long as that is held.
    pub fn new(port: u16, held: impl Send + Sync + 'static) -> Self {
        Self { port, _held: Box::new(held) }
    }
}

/// Leads to instances whose addresses cannot be reached from here.
pub trait Ways: std::fmt::Debug + Send + Sync {
    /// Instances that are led to at the same time at most.
    fn most(&self) -> usize;

    /// Whether there can be a way at all.
    ///
    /// # Errors
    ///
    /// What this machine lacks.
    fn ready(&self) -> BoxFuture<'_, Result<(), Trouble>>;

    /// Leads to a port of an instance. Where as many are in use as there can be, it waits for one.
    ///
    /// # Errors
    ///
    /// Why nobody gets there, in a sentence.
    fn lead<'a>(&'a self, to: &'a HostAt, port: u16) -> BoxFuture<'a, Result<Lead, String>>;
}
