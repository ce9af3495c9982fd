//! A plan: what will be done, step by step, bound to what was true when it was made. It never changes.
//!
//! Its id is the hash of everything else in it, so that a plan that was edited by hand is not taken. Lanes
//! are targets: each goes through its steps in order, by itself, and lanes go side by side as far as the
//! budget of their tier allows.

mod leg;
mod room;

pub use leg::{Act, Aftermath, Arm, Aside, Ending, Leg, Spoiled, leg, wait};
pub use room::ROOM_FOR_HOST;

use super::aspect::{Aspect, Value};
use super::condition::Eye;
use super::intent::{Intent, OnTimeout};
use super::losses::Loss;
use crate::error::{Error, ErrorKind, Result};
use crate::model::text::harmless;
use crate::model::{AccountId, Scope, Text, Usd};
use crate::store::journal::Grip;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What plans of this shape call themselves.
pub const SCHEMA: &str = "coredeck.plan.v1";
/// Where the id of the operation will stand: a plan is made before there is one.
pub const ROOM_FOR_ID: &str = "{op}";
/// How long a plan may be run after it was made.
pub const GOOD_FOR: SignedDuration = SignedDuration::from_mins(15);

/// A plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: String,
    /// The SHA-256 of everything else, in hexadecimal.
    pub id: String,
    /// The fleet's name.
    pub fleet: String,
    /// What was asked for.
    pub intent: Intent,
    /// What it does, in a line.
    pub title: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it may be begun at the latest.
    pub expires_at: Timestamp,
    /// The accounts it acts in, and as whom it was made.
    pub accounts: Vec<Account>,
    /// The targets, each with its steps.
    pub lanes: Vec<Lane>,
    /// How many of a tier may be unavailable at once.
    pub pools: Vec<Pool>,
    /// What it takes hold of while it runs.
    pub holds: Vec<(String, Grip)>,
    /// What happens when a wait is too long.
    pub on_timeout: OnTimeout,
    /// What a person should know before saying yes.
    pub warnings: Vec<String>,
    /// Figures and remarks that a person may want besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What it changes in cost.
    pub cost: Cost,
    /// Lanes by their numbers, wave after wave: a wave begins when all lanes of those before are done. Empty where
    /// all may go side by side.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waves: Vec<Vec<usize>>,
    /// When one lane fails everything is taken back, lanes that are done too.
    #[serde(default, skip_serializing_if = "is_not")]
    pub is_one_piece: bool,
    /// What answers nobody any more once it is done: cores, and target groups without a healthy target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<Loss>,
}

/// Whether a flag is not set, which plans and records leave out.
pub(super) fn is_not(flag: &bool) -> bool {
    !flag
}

/// An account that a plan acts in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Account and region as the configuration names them.
    pub scope: Scope,
    /// The account's number.
    pub id: AccountId,
    /// As whom the plan was made.
    pub principal: String,
}

/// A tier's budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// The tier.
    pub tier: String,
    /// How many of it may be unavailable at once, whoever makes them so.
    pub most: Most,
}

/// How many may be unavailable at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Most {
    /// So many.
    Count(u32),
    /// So many percent of the tier's instances as they are at that moment, rounded up.
    Percent(u32),
    /// The budget is overridden.
    Unlimited,
}

impl Most {
    /// How many that is of so many.
    pub fn of(self, total: usize) -> usize {
        match self {
            Self::Count(count) => count as usize,
            Self::Percent(percent) => (total * percent as usize).div_ceil(100),
            Self::Unlimited => usize::MAX,
        }
    }
}

impl std::fmt::Display for Most {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent} %"),
            Self::Unlimited => f.write_str("any number (the budget is overridden)"),
        }
    }
}

/// What a plan changes in cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// Nothing.
    None,
    /// It is not known, and why.
    Unknown(String),
    /// So much more, while what it launches runs.
    More(More),
}

/// What something that is launched costs while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct More {
    /// Millionths of a dollar an hour at least.
    pub least: i64,
    /// The same at most.
    pub most: i64,
    /// What, how it is paid for, and where the price is from.
    pub of: String,
}

/// The hours that a month is taken to have.
const MONTH_H: i64 = 730;

impl Cost {
    /// What a plan costs that launches this, and where some of it is not known.
    pub fn of(all: Vec<More>, unknown: Option<String>) -> Self {
        let sum = all.into_iter().reduce(|one, other| More {
            least: one.least.saturating_add(other.least),
            most: one.most.saturating_add(other.most),
            of: format!("{}; {}", one.of, other.of),
        });
        match (sum, unknown) {
            (None, None) => Self::None,
            (Some(sum), None) => Self::More(sum),
            (None, Some(why)) => Self::Unknown(why),
            (Some(sum), Some(why)) => Self::Unknown(format!("{why}; besides, {sum}")),
        }
    }
}

impl More {
    /// The same no longer.
    pub fn ended(&self) -> Self {
        Self { least: -self.most, most: -self.least, of: format!("no longer {}", self.of) }
    }
}

impl std::fmt::Display for More {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let told = |least: Usd, most: Usd| {
            if least == most { least.to_string() } else { format!("{least} to {most}") }
        };
        let (least, most) = (Usd::from_micros(self.least), Usd::from_micros(self.most));
        let month = told((least * MONTH_H).in_cents(), (most * MONTH_H).in_cents());
        write!(f, "about {} an hour, {month} in a month of {MONTH_H} hours: {}", told(least, most), self.of)
    }
}

/// One target and the steps it goes through, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lane {
    /// What a person calls it.
    pub name: String,
    /// The id that AWS knows it by.
    pub target: String,
    /// Where it is.
    pub scope: Scope,
    /// The tier whose budget it takes from; none when it makes nothing unavailable.
    pub tier: Option<String>,
    /// What must still be so when its turn comes.
    pub facts: Vec<Fact>,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// A fact that a plan rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Which.
    pub fact: Aspect,
    /// What it was.
    pub was: Value,
}

/// One change that can be seen, and mostly be undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What it does, in a line.
    pub title: String,
    /// How it is done.
    pub go: Leg,
    /// How it is undone.
    pub undo: Undo,
    /// Whether AWS was asked if it would do it.
    pub proof: Proof,
    /// How long it is expected to take, in seconds.
    pub expected_s: u64,
    /// Whether the operation may go on without it when its time is up and the policy is to force.
    pub may_be_forced: bool,
}

/// Whether and how a step can be undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "snake_case")]
pub enum Undo {
    /// There is nothing to undo.
    Nothing,
    /// Exactly: afterwards it is as it was.
    Exact {
        /// How.
        leg: Box<Leg>,
    },
    /// As well as can be.
    BestEffort {
        /// How.
        leg: Box<Leg>,
        /// What will not be as it was.
        why: String,
    },
    /// Not at all.
    Impossible {
        /// Why.
        why: String,
    },
}

impl Undo {
    /// How it is undone, where it can be.
    pub fn leg(&self) -> Option<&Leg> {
        match self {
            Self::Exact { leg } | Self::BestEffort { leg, .. } => Some(leg),
            Self::Nothing | Self::Impossible { .. } => None,
        }
    }
}

/// What is known of a step before it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// AWS said that it would do it.
    Proved,
    /// AWS has no dry run for it: what it rests on was looked at.
    Checked,
    /// AWS could not be asked, and why.
    Unproved(String),
    /// It changes nothing.
    NotNeeded,
}

impl Plan {
    /// Puts the hash of everything else into the plan.
    pub fn sealed(mut self) -> Self {
        self.id = self.hash();
        self
    }

    /// The hash of everything but the id, over JSON without spaces in the order of the fields.
    fn hash(&self) -> String {
        let bare = Self { id: String::new(), ..self.clone() };
        let json = serde_json::to_vec(&bare).unwrap_or_default();
        Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The plan as it is kept and handed on.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a plan and holds it to its hash.
    ///
    /// # Errors
    ///
    /// It is no plan, one of another version, or it was changed since it was made.
    pub fn parse(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let wrong = |why: serde_json::Error| {
            Error::usage("this is not a plan")
                .because(why)
                .hint("write one with `--plan-out FILE`, for example `coredeck drain i-… --plan-out FILE`")
        };
        let head: Head = serde_json::from_str(text).map_err(wrong)?;
        if head.schema != SCHEMA {
            let found = harmless(&head.schema).into_owned();
            return Err(Error::usage(format!("this plan says it is `{found}`, not `{SCHEMA}`"))
                .hint("make it again with this version"));
        }
        let plan: Self = serde_json::from_str(text).map_err(wrong)?;
        let hash = plan.hash();
        if plan.id != hash {
            return Err(Error::new(
                ErrorKind::Refused,
                format!(
                    "the plan was changed after it was made: its hash is {}…, not {}…",
                    short(&hash),
                    short(&plan.id)
                ),
            )
            .hint("a plan is never edited: make a new one with the flags that you want"));
        }
        Ok(plan)
    }

    /// The plan with an operation's id in the places that it keeps free for it: comments and reasons, by
    /// which calls are found again.
    ///
    /// # Errors
    ///
    /// The id would break the plan, which no id that we make does.
    pub fn bound(&self, op: &str) -> Result<Self> {
        let lanes = serde_json::to_string(&self.lanes).unwrap_or_default().replace(ROOM_FOR_ID, op);
        let lanes = serde_json::from_str(&lanes)
            .map_err(|why| Error::failed("the operation's id does not fit into its plan").because(why))?;
        Ok(Self { lanes, ..self.clone() })
    }

    /// The seconds that it is expected to take: lanes side by side as far as budgets allow.
    pub fn expected_s(&self) -> u64 {
        let one = |lane: &Lane| lane.steps.iter().map(|step| step.expected_s).sum::<u64>();
        if !self.waves.is_empty() {
            let longest = |wave: &Vec<usize>| {
                wave.iter().filter_map(|at| self.lanes.get(*at)).map(one).max().unwrap_or(0)
            };
            return self.waves.iter().map(longest).sum();
        }
        let mut total = self.lanes.iter().filter(|lane| lane.tier.is_none()).map(one).max().unwrap_or(0);
        for pool in &self.pools {
            let lanes: Vec<u64> =
                self.lanes.iter().filter(|lane| lane.tier.as_deref() == Some(&pool.tier)).map(one).collect();
            // Of a percentage only the live total knows what it is: at least one at a time.
            let at_once = match pool.most {
                Most::Count(count) => count.max(1) as usize,
                Most::Percent(_) => 1,
                Most::Unlimited => lanes.len().max(1),
            };
            let rounds = lanes.len().div_ceil(at_once) as u64;
            total = total.max(rounds * lanes.iter().copied().max().unwrap_or(0));
        }
        total
    }

    /// Everything that a lane rests on, and everything that shows whether its first step is done.
    pub fn facts(&self) -> impl Iterator<Item = (&Scope, &Aspect)> {
        self.lanes.iter().flat_map(|lane| lane.facts.iter().map(|fact| (&lane.scope, &fact.fact)))
    }

    /// The changes that it makes at most, undos left aside.
    pub fn changes(&self) -> usize {
        let acts = self.lanes.iter().flat_map(|lane| &lane.steps);
        acts.filter(|step| !step.go.act.is_idle()).count()
    }

    /// The tiers' budget of a lane.
    pub fn pool(&self, lane: &Lane) -> Option<&Pool> {
        let tier = lane.tier.as_deref()?;
        self.pools.iter().find(|pool| pool.tier == tier)
    }
}

impl Lane {
    /// What is no longer as the plan says, a sentence each; none when something was not looked at.
    pub fn differences(&self, eye: &Eye) -> Option<Vec<String>> {
        let mut found = Vec::new();
        for Fact { fact, was } in &self.facts {
            let now = eye.value(&self.scope, fact)?;
            if now != was {
                found.push(format!("{fact} was {was} and is {now}"));
            }
        }
        Some(found)
    }
}

/// The first twelve digits of a hash, which is what people compare.
pub fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// The value of a text as AWS gave it.
pub fn word(text: &Text) -> Value {
    Value::word(text.as_str())
}
