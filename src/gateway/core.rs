//! What operations look at and change in a core itself, as plain data that a plan can hold: never a secret, only
//! the names and versions of the SecureStrings that secrets lie in.

use super::admin::Answer;
use crate::model::admin::{Domain, Effective, Place, Traffic};
use crate::model::{CoreId, InstanceId, Sealed, Text};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A core, where it listens, and the name of what opens it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreDoor {
    /// Which.
    pub core: CoreId,
    /// `http://10.0.1.5:3567`
    pub address: Text,
    /// The instance that it is on; none in plans of before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The SecureString with its API key, or with the secret of a shared core; none where it has no key.
    pub key: Option<Text>,
}

/// One version of a SecureString.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretRef {
    /// Its whole name.
    pub parameter: Text,
    /// Which version; they count from 1 and never change.
    pub version: u64,
}

impl SecretRef {
    /// What AWS takes for the name of one version: `/a/b:3`.
    pub fn name(&self) -> Text {
        Text::new(format!("{}:{}", self.parameter, self.version))
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.parameter, self.version)
    }
}

/// What a setting shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "worth", rename_all = "snake_case")]
pub enum Worth {
    /// It is not set here, and what stands above holds.
    Inherited,
    /// What anybody may see.
    Open {
        /// As JSON.
        json: String,
    },
    /// The texts of these SecureStrings, with commas between.
    Sealed {
        /// Which.
        of: Vec<SecretRef>,
    },
}

/// One put of a domain, an app or a tenant that is there: what it names is set, the rest stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorePut {
    /// The core that is asked; its replicas learn of it.
    pub at: CoreDoor,
    /// What it is about.
    pub place: Place,
    /// The settings.
    pub settings: BTreeMap<Text, Worth>,
}

/// A new version of a SecureString whose content nobody sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealing {
    /// Its whole name.
    pub parameter: Text,
    /// What is put into it.
    pub from: SealedFrom,
    /// What its history keeps beside it; the place for an operation's id.
    pub description: String,
    /// Whether it may be there already; otherwise AWS refuses where it is.
    pub overwrites: bool,
}

/// Where a sealed text comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum SealedFrom {
    /// 192 random bits, in hexadecimal.
    Random,
    /// What holds for a place of a core, wherever it comes from.
    Setting {
        /// The core.
        at: CoreDoor,
        /// The place.
        place: Place,
        /// The setting.
        key: Text,
    },
}

/// What to look at in a core.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "core_look", rename_all = "snake_case")]
pub enum CoreLook {
    /// Every domain with what it sets itself. The replica that is asked reads its base database for it.
    Domains {
        /// The core.
        at: CoreDoor,
        /// Secrets that are wanted besides, to be compared with.
        secrets: BTreeSet<SecretRef>,
    },
    /// The ids of the keys that its base domain signs with: cores that have one in common have one base database.
    Keys {
        /// The core.
        at: CoreDoor,
    },
    /// What holds for a place, wherever it comes from.
    Settings {
        /// The core.
        at: CoreDoor,
        /// The place.
        place: Place,
    },
    /// Whether it counts the users of a place, which takes a key and the place's database.
    Serves {
        /// The core.
        at: CoreDoor,
        /// The place.
        place: Place,
        /// The key that is shown, by what it lies in; none means one that is known to open it.
        with: Option<SecretRef>,
    },
    /// Whether it has a database, and what its licence switches on.
    Nature {
        /// The core.
        at: CoreDoor,
    },
    /// The requests of a place's app.
    Traffic {
        /// The core.
        at: CoreDoor,
        /// The place.
        place: Place,
    },
}

impl CoreLook {
    /// The core that is asked.
    pub fn at(&self) -> &CoreDoor {
        match self {
            Self::Domains { at, .. }
            | Self::Keys { at }
            | Self::Nature { at }
            | Self::Settings { at, .. }
            | Self::Serves { at, .. }
            | Self::Traffic { at, .. } => at,
        }
    }
}

/// What a core said. That it could not be asked, or said no, is something that was seen, too.
#[derive(Clone, Debug, PartialEq)]
pub enum CoreSeen {
    /// Domains.
    Domains {
        /// What it lists.
        domains: Answer<Vec<Domain>>,
        /// The secrets that were wanted. What is no SecureString, or not there, is missing.
        secrets: BTreeMap<SecretRef, Sealed>,
        /// The key that it was asked with; none where it has none.
        key: Option<Sealed>,
    },
    /// Key ids.
    Keys(Answer<BTreeSet<Text>>),
    /// Settings.
    Settings(Answer<Vec<Effective>>),
    /// It did, or why not.
    Serves(Answer<()>),
    /// What it is.
    Nature {
        /// Whether it keeps everything in memory; none where that could not be told.
        is_in_memory: Option<bool>,
        /// Paid features that the licence of its base app switches on.
        features: Answer<BTreeSet<Text>>,
    },
    /// Requests.
    Traffic(Answer<Traffic>),
}
