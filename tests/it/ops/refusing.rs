//! A writer that says no to what it is told to say no to, and passes on everything else.

use coredeck::gateway::Change;
use coredeck::gateway::change::{FleetWriter, Proof, Receipt, Token, WriteError};
use coredeck::model::{Scope, Text, Trouble, TroubleKind};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;

/// What AWS says no to by this, if so.
type Answers = Box<dyn Fn(&Change) -> Option<Trouble> + Send + Sync>;

/// The writer.
pub(super) struct Refusing {
    inner: Arc<dyn FleetWriter>,
    answers: Answers,
}

/// A writer that asks first whether a change is refused.
pub(super) fn refusing(
    inner: Arc<dyn FleetWriter>,
    answers: impl Fn(&Change) -> Option<Trouble> + Send + Sync + 'static,
) -> Arc<Refusing> {
    Arc::new(Refusing { inner, answers: Box::new(answers) })
}

/// What AWS says when it refuses or denies a call.
pub(super) fn no(call: &str, code: &str, message: &str) -> Trouble {
    Trouble {
        kind: if code == "AccessDenied" { TroubleKind::Denied } else { TroubleKind::Refused },
        call: Text::new(call),
        code: Some(Text::new(code)),
        message: message.to_owned(),
        ..super::bench::lost()
    }
}

impl FleetWriter for Refusing {
    fn write<'a>(
        &'a self,
        scope: &'a Scope,
        change: &'a Change,
        token: &'a Token,
    ) -> BoxFuture<'a, Result<Receipt, WriteError>> {
        match (self.answers)(change) {
            Some(trouble) => std::future::ready(Err(WriteError::Refused(trouble))).boxed(),
            None => self.inner.write(scope, change, token),
        }
    }

    fn prove<'a>(&'a self, scope: &'a Scope, change: &'a Change) -> BoxFuture<'a, Result<Proof, WriteError>> {
        self.inner.prove(scope, change)
    }

    fn command<'a>(
        &'a self,
        scope: &'a Scope,
        change: &'a Change,
        token: &'a Token,
    ) -> BoxFuture<'a, Result<String, WriteError>> {
        self.inner.command(scope, change, token)
    }
}
