//! What AWS answered to a change, or what is known when it did not.

use crate::model::{Activity, HostArn, InstanceId, TaskArn, Text, Trouble, TroubleKind};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// AWS took a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// AWS's id of the request, which joins to CloudTrail.
    pub request_id: Option<Text>,
    /// When the answer came.
    pub at: Timestamp,
    /// The `aws …` command that does the same, as it stands in the record of calls.
    pub command: String,
    /// What AWS said.
    pub answered: Answered,
    /// Targets that AWS left as they were although it said yes; empty when it took them all.
    pub missed: Vec<Miss>,
}

/// What AWS said to a change that it took. Most of what it starts is not over yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    /// Yes, and no more.
    Yes,
    /// Container instances with their status now.
    Hosts(Vec<(HostArn, Text)>),
    /// A task with the status that ECS wants for it now.
    Task(TaskArn, Text),
    /// Tasks with the end of their protection; none are unprotected.
    Protected(Vec<(TaskArn, Option<Timestamp>)>),
    /// A service: the id of its newest deployment, and how many tasks it wants.
    Service {
        /// The newest deployment.
        deployment: Option<Text>,
        /// Tasks wanted.
        desired: u32,
    },
    /// Scaling activities that carry it out.
    Activities(Vec<Activity>),
    /// Instances with their state before and now.
    Instances(Vec<Moved>),
    /// The instance that was launched, by this call or by an earlier one with the same token.
    Launched(InstanceId),
    /// The number of the template version, new or new default, or of a parameter's new version.
    Version(u64),
    /// The id of the refresh.
    Refresh(Text),
    /// The id of the command.
    Command(Text),
    /// The document's version and the SHA-256 of its content in hex.
    Document {
        /// Its version.
        version: Text,
        /// The hash.
        sha256: Option<Text>,
    },
}

/// An instance on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Which.
    pub id: InstanceId,
    /// Its state before, in AWS's word.
    pub before: Text,
    /// Its state now, in AWS's word.
    pub now: Text,
}

/// A target that AWS left as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Miss {
    /// Its id or ARN as AWS names it; may be empty.
    pub target: Text,
    /// AWS's reason: `MISSING`, `DEPLOYMENT_BLOCKED`, …
    pub reason: Text,
    /// More about it.
    pub detail: Option<String>,
}

/// What a dry run said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// EC2 would do it: parameters and permissions are right, at this moment.
    Proved {
        /// AWS's id of the request.
        request_id: Option<Text>,
    },
    /// AWS has no dry run for this call. Nothing was sent.
    None,
}

/// A change that AWS did not confirm. Which of the three it is decides what may be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum WriteError {
    /// No request left: it was wrong by itself, there were no credentials, nothing listened. Nothing happened.
    NotSent(Trouble),
    /// AWS said no. Nothing happened.
    Refused(Trouble),
    /// A request left and no answer came that can be relied on: it may have happened. `Change::again` says
    /// how to find out.
    Unknown(Trouble),
}

impl WriteError {
    /// What went wrong.
    pub fn trouble(&self) -> &Trouble {
        match self {
            Self::NotSent(trouble) | Self::Refused(trouble) | Self::Unknown(trouble) => trouble,
        }
    }

    /// AWS's own code: `InstanceRefreshInProgress`.
    pub fn code(&self) -> Option<&str> {
        self.trouble().code.as_deref()
    }

    /// Whether the change may have happened.
    pub fn may_have_acted(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Whether nothing happened and the same may well succeed in a while: throttled, not reached, or AWS
    /// is still busy with something else.
    pub fn is_passing(&self) -> bool {
        let busy =
            ["ResourceContention", "ResourceInUse", "ScalingActivityInProgress", "UpdateInProgressException"];
        match self {
            Self::Unknown(_) => false,
            Self::NotSent(trouble) => {
                matches!(
                    trouble.kind,
                    TroubleKind::Throttled | TroubleKind::Unreachable | TroubleKind::Timeout
                )
            }
            Self::Refused(trouble) => {
                trouble.kind == TroubleKind::Throttled
                    || trouble.code.as_deref().is_some_and(|code| busy.contains(&code))
            }
        }
    }

    /// Whether AWS said no because it has no room where something was to be launched: another zone or subnet may have it.
    pub fn is_full(&self) -> bool {
        let codes = [
            "InsufficientInstanceCapacity",
            "InsufficientHostCapacity",
            "InsufficientFreeAddressesInSubnet",
            "SpotMaxPriceTooLow",
            // The zone does not have the type at all.
            "Unsupported",
        ];
        matches!(self, Self::Refused(_)) && self.code().is_some_and(|code| codes.contains(&code))
    }

    /// What went wrong, with what to do about it where it was refused: nobody tries that again for a person.
    pub fn advice(&self) -> String {
        match self {
            Self::Refused(Trouble { hint: Some(hint), .. }) => format!("{self}; {hint}"),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(trouble) => write!(f, "{trouble}; nothing was sent"),
            Self::Refused(trouble) => write!(f, "{trouble}; nothing happened"),
            Self::Unknown(trouble) => write!(f, "{trouble}; it may have happened"),
        }
    }
}

impl std::error::Error for WriteError {}
