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
    /// A part of what was asked was done all the same.
    pub(crate) has_acted: bool,
}

impl Fault {
    /// The caller's fault: status 400.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code), message: message.into(), status: 400, has_acted: false }
    }

    /// The same with another status.
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same, said of a call that did a part of what it was asked.
    pub(crate) fn having_acted(mut self, has_acted: bool) -> Self {
        self.has_acted = has_acted;
        self
    }

    /// Tells whether the caller is to blame.
    pub(crate) fn is_senders(&self) -> bool {
        self.status < 500
    }
}
