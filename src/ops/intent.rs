//! What somebody wants to be true: a verb, its targets and its options, before anything is planned.

use super::image::Meant;
use super::plan::Most;
use crate::gateway::change::Tuning;
use crate::inventory::Write;
use crate::model::RefreshPreset;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The word for the kind of operation: `drain`.
    pub verb: String,
    /// Ids or names, as they were resolved.
    pub targets: Vec<String>,
    /// The rest.
    pub options: Options,
}

/// What can be said besides. Each kind takes what it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// What happens when a wait is too long.
    pub on_timeout: OnTimeout,
    /// How long a target may take to become empty, in seconds.
    pub timeout_s: Option<u64>,
    /// What becomes of an instance at the end of a drain.
    pub then: Then,
    /// Stop tasks that no service keeps.
    pub include_standalone: bool,
    /// Stop containers that ECS does not know.
    pub stop_containers: bool,
    /// At most so many of a tier at once, instead of what the configuration says.
    pub max_unavailable: Option<u32>,
    /// Let the budget be.
    pub override_budget: bool,
    /// Drain although tasks of services may not move, or nobody knows whether they would.
    pub override_verdict: bool,
    /// Take no notice of `coredeck:do-not-disrupt`.
    pub ignore_do_not_disrupt: bool,
    /// Whether the group launches another instance for one that leaves.
    pub replace: Option<bool>,
    /// How many, for `scale`.
    pub desired: Option<u32>,
    /// Fewest, for `scale`.
    pub min: Option<u32>,
    /// Most, for `scale`.
    pub max: Option<u32>,
    /// Which processes, for `suspend` and `resume`.
    pub processes: Vec<String>,
    /// Parameters of the registry, for `inventory`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<Write>,
    /// How groups treat their members, for `tune`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuning: Option<Box<Tuning>>,
    /// What of templates is cleaned away, for `clean`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean: Option<Box<CleanWish>>,
    /// What mixed groups launch, for `spot-share`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Box<ShareWish>>,
    /// To what and how a group is refreshed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Box<RefreshWish>>,
    /// Which image groups get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Box<RolloutWish>>,
    /// What of a core is set, and where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub core_config: Option<Box<ConfigWish>>,
    /// How cores are dealt with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub core: Option<Box<CoreWish>>,
}

/// What of a core shall be set, and where. There is no secret in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConfigWish {
    /// The connection URI domain; none means that of the tenant that was named, or the core's own.
    pub domain: Option<String>,
    /// The app, where it is not `public`.
    pub app: Option<String>,
    /// The tenant, where it is not `public`.
    pub tenant: Option<String>,
    /// Settings by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, SettingWish>,
    /// The SecureString with the secret of the shared core, in place of the one that the registry names.
    pub key_parameter: Option<String>,
    /// The SecureString with the new API key.
    pub new_key: Option<String>,
    /// The SecureString that a new API key is made into.
    pub generate: Option<String>,
    /// The SecureString with the API key that stays.
    pub keep_key: Option<String>,
}

/// What a setting shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "snake_case")]
pub enum SettingWish {
    /// What anybody may see.
    Open {
        /// As JSON.
        json: String,
    },
    /// What lies in a SecureString now.
    Secret {
        /// Its whole name.
        parameter: String,
    },
    /// Nothing: what stands above holds.
    Unset,
}

impl SettingWish {
    /// What somebody typed: a whole number, yes or no as such, anything else as a text. `"…"` is always a text.
    pub fn typed(text: &str) -> Self {
        let is_plain = matches!(text, "true" | "false") || text.parse::<i64>().is_ok();
        let is_quoted = text.len() > 1 && text.starts_with('"') && text.ends_with('"');
        let json = match serde_json::from_str::<serde_json::Value>(text) {
            Ok(value) if is_plain || is_quoted => value.to_string(),
            _ => serde_json::Value::String(text.to_owned()).to_string(),
        };
        Self::Open { json }
    }
}

/// How cores are dealt with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CoreWish {
    /// What happens to the traffic of a core that is restarted.
    pub traffic: Traffic,
    /// The tier of new cores; none means that of the one that they are like.
    pub tier: Option<String>,
    /// A core whose image, database and target groups a new one gets.
    pub like: Option<String>,
    /// The image of new cores.
    pub image: Option<String>,
    /// The host, by id or name, or [`NEW_HOST`]; none means that which fits best, or a new one where none has room.
    pub host: Option<String>,
    /// The launch template of a new host, by id or name, perhaps with a version after a colon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The subnet of a new host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// MiB that a new core may use; none means its share of the host.
    pub memory_mib: Option<u32>,
    /// The SecureString that holds the API keys; `{core}` stands for the core's id.
    pub api_key: Option<String>,
    /// The SecureString that holds the database's address; `{core}` stands for the core's id.
    pub database: Option<String>,
    /// Target groups that new cores are put into, by name.
    pub target_groups: Vec<String>,
    /// An older version is taken although the schema may be newer.
    pub allow_downgrade: bool,
    /// What a new container is made with besides.
    #[serde(skip_serializing_if = "Carry::is_empty")]
    pub carry: Carry,
    /// What the containers of the cores that are moved, or that new ones are like, were made with: asked of their hosts
    /// just before the plan is made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub looked: Vec<Looked>,
}

/// What a new container is made with besides its image and its two usual secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Carry {
    /// Variables that hold no secret, with their values.
    pub settings: BTreeMap<String, String>,
    /// Variables that hold a secret, with the names of the SecureStrings that hold it.
    pub secrets: BTreeMap<String, String>,
    /// Variables of the old container, and other things of it, that the new one does without.
    pub without: BTreeSet<String>,
}

impl Carry {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a core's container was made with, as its host told it. It holds no value of a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Looked {
    /// The core.
    pub core: String,
    /// Why its host did not tell; then nothing else is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The image that it runs, with its tag.
    pub image: String,
    /// Variables that are known to be plain settings, with their values.
    pub settings: BTreeMap<String, String>,
    /// The names of all its other variables.
    pub names: Vec<String>,
    /// Those of them whose SecureStrings are known.
    pub secrets: BTreeMap<String, String>,
    /// Labels that are not coredeck's.
    pub labels: BTreeMap<String, String>,
    /// Billionths of a processor that it may use; none for no limit.
    pub nano_cpus: Option<u64>,
    /// The driver of its log.
    pub log: String,
    /// Options of that driver that hold no secret.
    pub log_options: BTreeMap<String, String>,
    /// What a new container on another host would lack, by a word: `mounts`, `network`, `ports`, `entrypoint`, `lines`, `log`.
    pub lacks: BTreeMap<String, String>,
    /// The ids of the keys that it signs with.
    pub keys: Vec<String>,
}

/// What stands for a host that is launched for the core.
pub const NEW_HOST: &str = "new";

impl CoreWish {
    /// Whether a new host is wanted, although others may have room.
    pub fn wants_new_host(&self) -> bool {
        self.host.as_deref() == Some(NEW_HOST)
    }

    /// Whether a new host may be launched: where no certain one was named.
    pub fn may_launch(&self) -> bool {
        self.host.is_none() || self.wants_new_host()
    }
}

/// What happens to the traffic of a core that is away for a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Traffic {
    /// It is led away first where another one serves; where none does that would only make the time without
    /// any longer.
    #[default]
    WhereServed,
    /// It is led away first in any case.
    Drain,
    /// It stays.
    Keep,
}

/// Which image groups shall get, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolloutWish {
    /// Which image.
    pub image: Meant,
    /// Percent of each group that are tried first.
    pub canary: Option<u32>,
    /// Seconds that they are watched before the rest follows.
    pub watch_s: Option<u64>,
    /// `$Default` of the templates is moved when everything has succeeded.
    pub move_default: bool,
    /// Groups that are done stay so when a later one fails.
    pub keep_finished: bool,
    /// What the image must have, in the words of whoever plans it.
    pub notes: Vec<String>,
    /// An image that its maker calls deprecated is taken.
    pub allow_deprecated: bool,
    /// An image that is older than what it replaces is taken.
    pub allow_older: bool,
    /// Images of these accounts are taken.
    pub allow_owners: Vec<String>,
    /// What differs from the preset of each group's tier.
    pub preset: RefreshPreset,
}

/// To what and how a group shall be refreshed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefreshWish {
    /// The version of the launch template: a number, `latest` or `default`; none means what the group has.
    pub version: Option<String>,
    /// Another launch template, by id or name.
    pub template: Option<String>,
    /// What differs from the preset of the group's tier.
    pub preset: RefreshPreset,
    /// The refresh that is under way is taken over instead.
    pub adopt: bool,
}

/// What of launch templates shall be cleaned away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CleanWish {
    /// So many of the newest versions stay, whatever uses them.
    pub newest: u32,
    /// Images that only deleted versions launch go too, with their snapshots.
    pub images: bool,
    /// Our own images whose names are like these go too, where nothing here launches them: `core-docker-*`.
    pub named: Vec<String>,
    /// What operations began longer ago than so many seconds recorded is given up; none where nothing is.
    pub forget_s: Option<u64>,
    /// What operations recorded, and might go back to: `lt-…:7`, `ami-…`. None when the journal was not asked.
    pub recorded: Option<Vec<String>>,
}

impl Default for CleanWish {
    fn default() -> Self {
        Self { newest: 3, images: false, named: Vec::new(), forget_s: None, recorded: None }
    }
}

/// What mixed groups shall launch. What is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShareWish {
    /// On-demand instances that always come first.
    pub base: Option<u32>,
    /// Percent on demand above the base.
    pub percent: Option<u32>,
    /// How spot pools are chosen: `price-capacity-optimized`.
    pub strategy: Option<String>,
    /// The types, in order of preference, each perhaps with its weight: `m5.large`, `m5.xlarge=2`.
    pub types: Vec<String>,
}

/// What happens when a target takes too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnTimeout {
    /// What was done to it is undone.
    #[default]
    Undo,
    /// It is left as it is.
    Leave,
    /// It goes on without waiting, where the step allows that.
    Force,
}

impl OnTimeout {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Undo => "undo",
            Self::Leave => "leave",
            Self::Force => "force",
        }
    }
}

/// What becomes of an instance that is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It stays as it is, empty.
    #[default]
    Keep,
    /// It leaves service and stays in its group.
    Standby,
    /// It is ended.
    Terminate,
}

impl Then {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Standby => "standby",
            Self::Terminate => "terminate",
        }
    }
}

impl Options {
    /// The budget of a tier that this much is configured for.
    pub fn most(&self, configured: Most) -> Most {
        match (self.override_budget, self.max_unavailable) {
            (true, _) => Most::Unlimited,
            (false, Some(count)) => Most::Count(count),
            (false, None) => configured,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SettingWish;

    #[test]
    fn numbers_and_flags_are_such_and_the_rest_is_text() {
        let read = |text: &str| match SettingWish::typed(text) {
            SettingWish::Open { json } => json,
            other => panic!("{other:?}"),
        };
        assert_eq!([read("7200"), read("true"), read("5.1")], ["7200", "true", "\"5.1\""]);
        assert_eq!([read("\"123\""), read("a b")], ["\"123\"", "\"a b\""]);
        assert_eq!([read("[1]"), read("null")], ["\"[1]\"", "\"null\""]);
    }
}
