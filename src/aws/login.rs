//! Why there are no credentials, and what to do about it.

use super::api::Api;
use crate::model::{Text, Trouble, TroubleKind};
use jiff::Timestamp;
use std::fmt;

/// An account whose credentials could not be found or renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The sort of trouble.
    pub(super) kind: TroubleKind,
    /// AWS's own code, when AWS refused.
    pub(super) code: Option<Text>,
    /// One sentence.
    pub(super) message: String,
    /// What to type next.
    pub(super) hint: Option<String>,
}

impl Failure {
    /// A failure with what to type next.
    pub(super) fn new(kind: TroubleKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into(), hint: Some(hint.into()) }
    }

    /// The trouble of a call that could not be made for lack of credentials.
    pub(super) fn trouble(&self, api: Api, at: Timestamp) -> Trouble {
        Trouble {
            kind: self.kind,
            call: Text::const_new(api.action()),
            code: self.code.clone(),
            message: self.message.clone(),
            hint: self.hint.clone(),
            request_id: None,
            at,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
