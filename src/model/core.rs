//! SuperTokens cores and their tenants: what the fleet is for.
//!
//! `CoreRecord` and `TenantRecord` are what the registry in the Parameter Store says;
//! `Core` and `Tenant` are what the fleet's sections add up to (`fleet` joins them).

use super::admin::{CoreWord, DomainWord};
use super::dns::Route;
use super::ids::{CoreId, InstanceId, RuleArn, TargetGroupArn, TaskArn, TenantId, TierName};
use super::scope::Scope;
use super::text::Text;
use super::trouble::{Health, Known};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A core as the registry holds it: the JSON value of `/coredeck/<fleet>/cores/<core-id>`.
/// Unknown fields are ignored, so that a newer writer does not blind an older reader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CoreRecord {
    /// The last part of the parameter's name, which wins over what the value may say.
    pub id: CoreId,
    /// The tier's name.
    pub tier: Option<TierName>,
    /// The docker host's instance id.
    pub instance_id: Option<InstanceId>,
    /// The container's name on the host.
    pub container: Option<Text>,
    /// The host port that maps to 3567.
    pub port: Option<u16>,
    /// The path that its calls stand below, `/auth`, where it was started with one.
    pub base_path: Option<Text>,
    /// The core's version, `11.0.4`.
    pub version: Option<Text>,
    /// The container image.
    pub image: Option<Text>,
    /// The name of the SecureString that holds its API key; never the key.
    pub api_key_parameter: Option<Text>,
    /// What the last inventory found of it; none where there was none. The registry does not hold it.
    #[serde(skip)]
    pub drift: Option<Drift>,
}

impl CoreRecord {
    /// The port of a core whose entry names none.
    const USUAL_PORT: u16 = 3567;

    /// Where it is asked, on a host with this address. A path that is none is left out.
    pub fn address(&self, host: &str) -> String {
        let base = self.base_path.as_deref().unwrap_or_default().trim_matches('/');
        let is_path = base.chars().all(|c| c.is_ascii_alphanumeric() || "/_.~-".contains(c));
        let base = if base.is_empty() || !is_path { String::new() } else { format!("/{base}") };
        format!("http://{host}:{}{base}", self.port.unwrap_or(Self::USUAL_PORT))
    }
}

/// A tenant as the registry holds it: the JSON value of `/coredeck/<fleet>/tenants/<tenant-id>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantRecord {
    /// The last part of the parameter's name, which wins over what the value may say.
    pub id: TenantId,
    /// What people call the customer.
    pub name: Option<Text>,
    /// The core that serves it, by registry id.
    pub core: Option<CoreId>,
    /// The connection URI domain: the Host header that selects it on a shared core.
    pub domain: Option<Text>,
    /// `development` or `production`: what the customer uses it for.
    pub mode: Option<Text>,
    /// What the last inventory found of it; none where there was none. The registry does not hold it.
    #[serde(skip)]
    pub drift: Option<Drift>,
}

/// What an inventory found of an entry of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// How the entry stands to what was seen.
    pub sort: DriftSort,
    /// Why, in a sentence; none where they agree.
    pub why: Option<Text>,
    /// When.
    pub at: Timestamp,
}

/// How an entry of the registry stands to what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftSort {
    /// It says what was seen.
    Same,
    /// Nobody could tell.
    Unjudged,
    /// It is behind what was seen.
    Change,
    /// What it names is proved not to be there.
    Gone,
    /// A person wrote something else, or what was seen is ambiguous.
    Conflict,
}

impl DriftSort {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Unjudged => "unjudged",
            Self::Change => "change",
            Self::Gone => "gone",
            Self::Conflict => "conflict",
        }
    }

    /// Whether something has to be done about it.
    pub fn is_drift(self) -> bool {
        matches!(self, Self::Change | Self::Gone | Self::Conflict)
    }
}

/// Where a core runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Home {
    /// A docker container on an EC2 host.
    Container {
        /// The host, when the registry names it.
        instance_id: Option<InstanceId>,
        /// The container's name.
        container: Option<Text>,
    },
    /// An ECS task of a service.
    Task {
        /// The task.
        task: TaskArn,
        /// The service's name.
        service: Text,
        /// The host under it, when it is known.
        instance_id: Option<InstanceId>,
    },
}

impl Home {
    /// The instance under it, when it is known.
    pub fn instance_id(&self) -> Option<&InstanceId> {
        match self {
            Self::Container { instance_id, .. } | Self::Task { instance_id, .. } => instance_id.as_ref(),
        }
    }
}

/// What limits how many more tenants a core takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scarce {
    /// The density of its tier.
    Density,
    /// What its database takes of connections.
    Connections,
    /// Users of a month that its host bears.
    MonthlyUsers,
}

impl Scarce {
    /// `density`, `connections` or `monthly users`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Density => "density",
            Self::Connections => "connections",
            Self::MonthlyUsers => "monthly users",
        }
    }
}

/// A core, joined from the registry, ECS and the instances.
#[derive(Clone, Debug, PartialEq)]
pub struct Core {
    /// Its id.
    pub id: CoreId,
    /// Where it was found.
    pub scope: Arc<Scope>,
    /// Its tier, if it falls into one.
    pub tier: Option<TierName>,
    /// Where it runs.
    pub home: Home,
    /// Its host port.
    pub port: Option<u16>,
    /// Its version, where the registry or the image tag tells it.
    pub version: Option<Text>,
    /// How many tenants name it; not known until every registry was read.
    pub tenants: Known<u32>,
    /// How many more its tier allows; none where the tier sets no density.
    pub room: Known<Option<i64>>,
    /// How many more tenants fit by the tightest of the limits that are known, and which that is; none where nothing
    /// limits it. Not known before capacity was reckoned.
    pub left: Known<Option<(i64, Scarce)>>,
    /// Percent of its host's processors in use, at the latest point; none where CloudWatch has none.
    pub cpu: Known<Option<f64>>,
    /// CPU credits that its host has left; none where its type has none.
    pub credits: Known<Option<f64>>,
    /// Host names that lead to it, by rules or straight to its host, sorted.
    pub names: Known<Vec<Text>>,
    /// What the last inventory found of its entry; none without one.
    pub drift: Option<Drift>,
    /// What it says of itself; none where nobody asks it.
    pub word: Known<Option<Arc<CoreWord>>>,
    /// How well it is, from its host, task, targets and its own word.
    pub health: Health,
    /// Why, in short sentences.
    pub troubles: Vec<String>,
}

/// A tenant, joined from the registry and the listener rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Tenant {
    /// Its id: the registry's, or the host name of its rule.
    pub id: TenantId,
    /// Where it was found.
    pub scope: Arc<Scope>,
    /// What people call it.
    pub name: Option<Text>,
    /// Its connection URI domain.
    pub domain: Option<Text>,
    /// Its mode.
    pub mode: Option<Text>,
    /// The core that the registry says serves it.
    pub core: Option<CoreId>,
    /// The tier of that core.
    pub tier: Option<TierName>,
    /// The listener rule that sends its traffic somewhere.
    pub rule: Option<RuleArn>,
    /// Where that rule sends it.
    pub target_groups: Vec<TargetGroupArn>,
    /// Where its host name leads by Route 53; none where no zone that was read holds it.
    pub route: Known<Option<Arc<Route>>>,
    /// What the last inventory found of its entry; none without one.
    pub drift: Option<Drift>,
    /// What its core says of its domain; none where nobody asks, or it does not know it.
    pub word: Known<Option<Arc<DomainWord>>>,
    /// How well it is served.
    pub health: Health,
    /// Why, in short sentences.
    pub troubles: Vec<String>,
}
