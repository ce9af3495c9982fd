//! Where a resource lives: one account seen in one region. Every read and every trouble belongs to one.

use super::ids::{AccountId, AccountName, Region};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One account in one region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The configuration's name for the account.
    pub account: AccountName,
    /// The region.
    pub region: Region,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

/// Who AWS says we are in a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The account's number.
    pub account_id: AccountId,
    /// The caller's ARN.
    pub arn: String,
}
