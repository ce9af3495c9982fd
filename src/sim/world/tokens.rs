//! Client tokens: a call that is repeated with its token is not done twice.

use crate::sim::service::Call;
use std::collections::HashMap;

/// What was done under tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tokens(HashMap<(String, String), (String, String)>);

/// What a token means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fresh {
    /// It was never used.
    New,
    /// It was, for the same; this came of it.
    Done(String),
    /// It was, for something else.
    Mismatch,
}

impl Tokens {
    /// Looks a token up.
    pub(crate) fn fresh(&self, call: &Call, token: &str) -> Fresh {
        match self.0.get(&(call.operation.to_owned(), token.to_owned())) {
            None => Fresh::New,
            Some((asked, result)) if *asked == call.input.to_string() => Fresh::Done(result.clone()),
            Some(_) => Fresh::Mismatch,
        }
    }

    /// Remembers what came of a token.
    pub(crate) fn keep(&mut self, call: &Call, token: &str, result: String) {
        self.0.insert((call.operation.to_owned(), token.to_owned()), (call.input.to_string(), result));
    }
}
