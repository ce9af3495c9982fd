//! Who carries changes out, and the token that makes a repeated one the same one.

use super::{Change, Proof, Receipt, WriteError};
use crate::model::{Scope, Text};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// A client token: AWS takes a call that comes twice with it for one. Made of what names a step for good, so
/// that whoever resumes the step sends the same one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(Text);

impl Token {
    /// The token of these words, in this order: an operation, a step, the number of the call in it. Forty
    /// hex digits, which every call takes.
    pub fn of(words: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for word in words {
            // Lengths keep `["a", "bc"]` and `["ab", "c"]` apart.
            hash.update(word.len().to_be_bytes());
            hash.update(word.as_bytes());
        }
        Self(hash.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The text that AWS gets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Changes a fleet. There is none in read-only mode. One value serves every account and region.
pub trait FleetWriter: Send + Sync {
    /// Carries out one change and returns when AWS has taken it, which is mostly long before it is done.
    ///
    /// Sends one request, whatever happens to it; a change with [`super::Again::Token`] is tried again by itself
    /// with the same token. A throttle is an answer: nothing happened, the caller comes again. Dropping the
    /// future is like losing the answer: the request may have left.
    ///
    /// # Errors
    ///
    /// [`WriteError`] says whether nothing left, AWS said no, or nobody knows.
    fn write<'a>(
        &'a self,
        scope: &'a Scope,
        change: &'a Change,
        token: &'a Token,
    ) -> BoxFuture<'a, Result<Receipt, WriteError>>;

    /// Asks EC2 whether it would do it, without doing it. [`Proof::None`] for every other service.
    ///
    /// # Errors
    ///
    /// [`WriteError::Refused`] when it would not; [`WriteError::NotSent`] and [`WriteError::Unknown`] when it
    /// could not be asked, and then nothing is proved either way.
    fn prove<'a>(&'a self, scope: &'a Scope, change: &'a Change) -> BoxFuture<'a, Result<Proof, WriteError>>;

    /// The `aws …` command that does the same, for a preview: read back from the request that would be
    /// sent, and is not.
    ///
    /// # Errors
    ///
    /// [`WriteError::NotSent`] when there could be no such request.
    fn command<'a>(
        &'a self,
        scope: &'a Scope,
        change: &'a Change,
        token: &'a Token,
    ) -> BoxFuture<'a, Result<String, WriteError>>;
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn the_same_step_has_the_same_token_and_no_other_has_it() {
        let token = Token::of(&["op-1", "step-2", "0"]);
        assert_eq!(token, Token::of(&["op-1", "step-2", "0"]));
        assert_ne!(token, Token::of(&["op-1", "step-20", ""]));
        assert_ne!(Token::of(&["a", "bc"]), Token::of(&["ab", "c"]));
        assert_eq!(token.as_str().len(), 40);
        assert!(token.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
