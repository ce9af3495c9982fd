//! Errors as a service answers them.

use std::borrow::Cow;

/// A refusal or a failure, with the service's own code.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// AWS's code.
    pub(crate) code: Cow<'static, str>,
    /// The sentence that goes with it.
    pub(crate) message: String,
    /// The HTTP status.
    pub(crate) status: u16,
}

impl Fault {
    /// The caller's fault: status 400.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code), message: message.into(), status: 400 }
    }

    /// The same with another status.
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Tells whether the caller is to blame.
    pub(crate) fn is_senders(&self) -> bool {
        self.status < 500
    }
}
