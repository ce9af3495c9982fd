//! Configuration: defaults, then the file, then the environment, then flags; every value knows where it came from.

mod cadence;
mod fault;
mod figures;
mod load;
mod norm;
mod origin;
mod past;
mod read;
mod regions;
mod settings;
mod shape;
mod surroundings;
mod tiers;

pub use cadence::{at_ease, least_every, parse_span, span};
pub use fault::{Fault, Faults, Place};
pub use figures::Figures;
pub use load::{Flags, Loaded, check, check_text, file, init, load};
pub use norm::parse_norm;
pub use origin::{Origin, Origins};
pub use past::{Keep, parse_moment, size};
pub use settings::{Setting, settings};
pub use surroundings::Surroundings;

use crate::gateway::Source;
use crate::model::{AccountName, FleetName, ProfileName, Region, Text, Tier};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// What `coredeck config init` writes: every key with its default and a word on it.
pub const TEMPLATE: &str = include_str!("config/template.toml");

/// The resolved configuration that the rest of the program works with.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The fleet's name: the `<fleet>` of `/coredeck/<fleet>/…`.
    pub fleet: FleetName,
    /// The accounts, in order; never empty.
    pub accounts: Vec<Account>,
    /// Which regions, unless an account says otherwise.
    pub regions: Regions,
    /// The tiers, in order of precedence.
    pub tiers: Vec<Tier>,
    /// Whether the tiers are the built-in guess, which the program must then say.
    pub tiers_are_guessed: bool,
    /// How often each source is read; a long list less often (`at_ease`).
    pub cadence: Vec<(Source, Duration)>,
    /// The sources whose cadence somebody named: they are read so often however long they are.
    pub insisted: BTreeSet<Source>,
    /// Where AWS is, when it is not AWS: a simulator, moto.
    pub endpoint_url: Option<String>,
    /// Whether nothing may be changed: then nothing that could is made.
    pub read_only: bool,
    /// The screen's theme, by name.
    pub theme: String,
    /// The screen's keymap, by name.
    pub keymap: String,
    /// How much of what is read is kept for a look back.
    pub history: Keep,
    /// How the cores' own API is reached.
    pub cores: Cores,
    /// What is read of host names.
    pub dns: Dns,
    /// Where the lines of docker's containers are.
    pub logs: Logs,
    /// What capacity is computed with.
    pub capacity: Figures,
    /// The file it came from, if there was one.
    pub file: Option<PathBuf>,
}

impl Default for Config {
    /// What holds with no file, no environment and no flags.
    fn default() -> Self {
        Self {
            fleet: FleetName::new("default"),
            accounts: vec![Account { name: AccountName::new("default"), login: Login::Chain, regions: None }],
            regions: Regions::Chain,
            tiers: tiers::guessed(),
            tiers_are_guessed: true,
            cadence: cadence::usual(),
            insisted: BTreeSet::new(),
            endpoint_url: None,
            read_only: false,
            theme: "default".to_owned(),
            keymap: "default".to_owned(),
            history: Keep::default(),
            cores: Cores::default(),
            dns: Dns::default(),
            logs: Logs::default(),
            capacity: Figures::default(),
            file: None,
        }
    }
}

impl Config {
    /// How often a source is read.
    pub fn every(&self, source: Source) -> Duration {
        self.cadence
            .iter()
            .find(|(named, _)| *named == source)
            .map_or_else(|| cadence::usual_for(source), |(_, every)| *every)
    }
}

/// How the cores' own API is reached. Keys are named by the registry, and never stand here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cores {
    /// Whether and how.
    pub reach: CoreReach,
    /// An HTTP proxy on the way to them; none for none.
    pub proxy: Option<String>,
}

/// What is read of host names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// Whether Route 53 is read.
    pub route53: bool,
}

/// Whether cores are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CoreReach {
    /// Nobody asks them.
    #[default]
    Off,
    /// At the private addresses of their hosts, from where this runs.
    Direct,
    /// Through ports that Systems Manager forwards.
    Ssm,
}

impl CoreReach {
    /// The word in a file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Direct => "direct",
            Self::Ssm => "ssm",
        }
    }
}

/// Where the lines of docker's containers are in CloudWatch; where nothing is said, their hosts are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logs {
    /// The log group.
    pub group: Option<Text>,
    /// The stream of a core, with `{core}`, `{container}` and `{instance}` in it; `{core}` where it is not said.
    pub stream: Option<Text>,
}

/// One AWS account.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// What we call it.
    pub name: AccountName,
    /// How we get into it.
    pub login: Login,
    /// Its own regions, where it has some.
    pub regions: Option<Regions>,
}

/// How credentials for an account are found.
#[derive(Clone, Debug, PartialEq)]
pub enum Login {
    /// The SDK's own chain: environment, default profile, SSO, container, instance profile.
    Chain,
    /// A profile of the AWS configuration files.
    Profile(ProfileName),
    /// A role, assumed from a profile or from the chain.
    Role {
        /// The profile to start from; none means the chain.
        from: Option<ProfileName>,
        /// The role's ARN.
        arn: Text,
        /// What the role's trust policy may ask for.
        external_id: Option<Text>,
        /// The MFA device's ARN; a code is then asked for on the terminal.
        mfa_serial: Option<Text>,
        /// The session's name; `coredeck-<user>` by default.
        session_name: Option<Text>,
    },
}

/// Which regions to look at.
#[derive(Clone, Debug, PartialEq)]
pub enum Regions {
    /// The one that the SDK's chain names.
    Chain,
    /// These.
    Named(Vec<Region>),
    /// Every region that is enabled for the account.
    All,
}
