//! Writers that meddle with what is written, and pass on everything else: among them one that says no to what it is told
//! to say no to.

use coredeck::gateway::Change;
use coredeck::gateway::change::{FleetWriter, Proof, Receipt, Token, WriteError};
use coredeck::model::{Scope, Text, Trouble, TroubleKind};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;

/// What is to be written.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) to: &'a Arc<dyn FleetWriter>,
    pub(super) scope: &'a Scope,
    pub(super) change: &'a Change,
    pub(super) token: &'a Token,
}

impl Written<'_> {
    /// Writes it as it is.
    pub(super) async fn pass(self) -> Result<Receipt, WriteError> {
        self.to.write(self.scope, self.change, self.token).await
    }
}

/// Somebody who meddles with what is written.
pub(super) trait Meddles: Send + Sync {
    fn meddle<'a>(&'a self, written: Written<'a>) -> BoxFuture<'a, Result<Receipt, WriteError>>;
}

/// A writer with somebody who meddles.
pub(super) struct Meddled<M> {
    pub(super) inner: Arc<dyn FleetWriter>,
    pub(super) by: M,
}

impl<M: Meddles> FleetWriter for Meddled<M> {
    fn write<'a>(
        &'a self,
        scope: &'a Scope,
        change: &'a Change,
        token: &'a Token,
    ) -> BoxFuture<'a, Result<Receipt, WriteError>> {
        self.by.meddle(Written { to: &self.inner, scope, change, token })
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

/// What AWS says no to by this, if so.
type Answers = Box<dyn Fn(&Change) -> Option<Trouble> + Send + Sync>;

/// Somebody who says no.
pub(super) struct Refusing(Answers);

/// A writer that asks first whether a change is refused.
pub(super) fn refusing(
    inner: Arc<dyn FleetWriter>,
    answers: impl Fn(&Change) -> Option<Trouble> + Send + Sync + 'static,
) -> Arc<Meddled<Refusing>> {
    Arc::new(Meddled { inner, by: Refusing(Box::new(answers)) })
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

impl Meddles for Refusing {
    fn meddle<'a>(&'a self, written: Written<'a>) -> BoxFuture<'a, Result<Receipt, WriteError>> {
        match (self.0)(written.change) {
            Some(trouble) => std::future::ready(Err(WriteError::Refused(trouble))).boxed(),
            None => written.pass().boxed(),
        }
    }
}
