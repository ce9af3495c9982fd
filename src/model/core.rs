//! SuperTokens cores and their tenants: what the fleet is for.
//!
//! `CoreRecord` and `TenantRecord` are what the registry in the Parameter Store says;
//! `Core` and `Tenant` are what the fleet's sections add up to (`fleet` joins them).

use super::admin::{CoreWord, DomainWord};
use super::ids::{CoreId, InstanceId, RuleArn, TargetGroupArn, TaskArn, TenantId, TierName};
use super::scope::Scope;
use super::text::Text;
use super::trouble::{Health, Known};
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
    /// The core's version, `11.0.4`.
    pub version: Option<Text>,
    /// The container image.
    pub image: Option<Text>,
    /// The name of the SecureString that holds its API key; never the key.
    pub api_key_parameter: Option<Text>,
    /// What the last inventory found to differ from it, in a sentence; the registry does not hold it.
    #[serde(skip)]
    pub drift: Option<Text>,
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
    /// What the last inventory found to differ from it, in a sentence; the registry does not hold it.
    #[serde(skip)]
    pub drift: Option<Text>,
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
    /// What its core says of its domain; none where nobody asks, or it does not know it.
    pub word: Known<Option<Arc<DomainWord>>>,
    /// How well it is served.
    pub health: Health,
    /// Why, in short sentences.
    pub troubles: Vec<String>,
}
