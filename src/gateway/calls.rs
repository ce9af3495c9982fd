//! What was asked of AWS: a record of each call, and where the token buckets stand.

use super::Spending;
use crate::model::{Scope, Text, TroubleKind, Usd};
use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One call of an AWS API, with its retries.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRecord {
    /// Our own name for it, unlike that of any other call of any run: `1795296148335-17`.
    pub id: Text,
    /// When its first request left.
    pub at: Timestamp,
    /// The account and region that it was for.
    pub scope: Arc<Scope>,
    /// The call in IAM's spelling: `ec2:DescribeInstances`.
    pub call: Text,
    /// The token bucket that it drank from.
    pub family: Text,
    /// From the first request to the end of the last answer, pauses between attempts included.
    pub took: Duration,
    /// Requests sent; more than one when some were tried again.
    pub attempts: u32,
    /// How many of them AWS throttled.
    pub throttles: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// AWS's id of the last request, for a support case.
    pub request_id: Option<Text>,
    /// What AWS bills for it, as far as is known.
    pub cost: Usd,
    /// With whose credentials: `profile prod`, `role arn:…`.
    pub login: Text,
    /// The `aws …` command that asks the same again. Holds no secret; may hold text from AWS.
    pub command: Arc<str>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Answered,
    /// A dry run, to which AWS said that it would do it: what it answers so is an error by form alone.
    WouldDo,
    /// With trouble, and AWS's own code where there was one.
    Failed(TroubleKind, Option<Text>),
    /// Nobody waited for the answer any more.
    Dropped,
}

/// What EC2 says to a dry run of what it would do.
const WOULD_DO: &str = "DryRunOperation";
static WOULD_DO_CODE: Text = Text::const_new(WOULD_DO);

/// Whether a code is AWS's yes to a dry run.
pub fn is_yes_to_a_dry_run(code: Option<&str>) -> bool {
    code == Some(WOULD_DO)
}

impl Outcome {
    /// How a call ended that AWS answered with an error by form.
    pub fn of(kind: TroubleKind, code: Option<Text>) -> Self {
        if is_yes_to_a_dry_run(code.as_deref()) { Self::WouldDo } else { Self::Failed(kind, code) }
    }

    /// The word for it: `ok`, `dropped`, or the sort of trouble.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Answered | Self::WouldDo => "ok",
            Self::Failed(kind, _) => kind.word(),
            Self::Dropped => "dropped",
        }
    }

    /// AWS's own error code.
    pub fn code(&self) -> Option<&Text> {
        match self {
            Self::Failed(_, code) => code.as_ref(),
            Self::WouldDo => Some(&WOULD_DO_CODE),
            Self::Answered | Self::Dropped => None,
        }
    }

    /// Tells whether it counts as a failure. A throttle is counted apart, and what nobody waited for
    /// did not fail.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(kind, _) if *kind != TroubleKind::Throttled)
    }
}

/// One token bucket of one account in one region: what went through it, and how full it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// The account and region.
    pub scope: Arc<Scope>,
    /// What the bucket is called.
    pub family: Text,
    /// The calls that drink from it, in IAM's spelling.
    pub calls: Vec<Text>,
    /// What went through it since the session began.
    pub spending: Spending,
    /// The time that its calls took, all together.
    pub took: Duration,
    /// Tokens in it now; below zero when retries ran into debt.
    pub tokens: f64,
    /// Tokens that it holds when full: half of what AWS publishes.
    pub capacity: f64,
    /// Tokens that flow back in a second: half of what AWS publishes.
    pub per_second: f64,
    /// Calls that wait for a token.
    pub waiting: usize,
}

/// Somebody who keeps records of calls. Called from the road to the network, so it must never wait.
pub trait NoteCall: fmt::Debug + Send + Sync {
    /// Takes a record of a call that has just ended.
    fn note(&self, call: &Arc<CallRecord>);
}
