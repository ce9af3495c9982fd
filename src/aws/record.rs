//! One call from its first request to its end: what the interceptor sees of it, and the record that is
//! filed when it is over, however it ends.

use super::api::Api;
use super::command::{Place, Sent, command};
use super::ledger::Ledger;
use crate::clock::{Clock, monotonic};
use crate::config::Login;
use crate::gateway::{CallRecord, Outcome};
use crate::model::{Scope, Text, Usd};
use jiff::Timestamp;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

tokio::task_local! {
    /// The call that the task which is being polled has under way. The SDK runs its interceptors inside the
    /// request's own future, and gives a caller no other way to tell them whose request it is.
    static UNDER_WAY: Slip;
}

/// Where calls go, and with whose credentials.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// The account and region.
    pub(super) scope: Arc<Scope>,
    /// Whose credentials, for people: `profile prod`.
    pub(super) login: Text,
    /// The AWS profile that the aws command finds them with; none where no profile does.
    pub(super) profile: Option<Text>,
    /// The endpoint, where it is not AWS's own.
    pub(super) endpoint: Option<String>,
}

/// Whose credentials these are, for people.
pub(super) fn login_of(login: &Login) -> Text {
    match login {
        Login::Chain => Text::const_new("default credentials"),
        Login::Profile(name) => Text::from(format!("profile {name}")),
        Login::Role { from: Some(name), arn, .. } => Text::from(format!("role {arn} by profile {name}")),
        Login::Role { from: None, arn, .. } => Text::from(format!("role {arn}")),
    }
}

/// What the interceptor has seen of a call so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Slip(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    at: Option<Timestamp>,
    attempts: u32,
    throttles: u32,
    sent: Option<Sent>,
    request_id: Option<Text>,
}

impl Slip {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a request so that what is seen of it is noted here.
    pub(super) async fn around<T>(&self, request: impl Future<Output = T>) -> T {
        UNDER_WAY.scope(self.clone(), request).await
    }

    /// Tells the call that is under way, if one is, what was seen of it.
    fn tell(what: impl FnOnce(&mut Seen)) {
        // Requests of the SDK's own credential providers belong to no call of ours.
        let _ = UNDER_WAY.try_with(|slip| what(&mut slip.seen()));
    }

    /// A request is about to leave. Its parameters are the same at each attempt.
    pub(super) fn leaves(at: impl FnOnce() -> Timestamp, sent: impl FnOnce() -> Sent) {
        Self::tell(|seen| {
            seen.attempts = seen.attempts.saturating_add(1);
            if seen.sent.is_none() {
                (seen.at, seen.sent) = (Some(at()), Some(sent()));
            }
        });
    }

    /// A request was answered, or not.
    pub(super) fn came_back(request_id: Option<&str>, is_throttled: bool) {
        Self::tell(|seen| {
            seen.throttles = seen.throttles.saturating_add(u32::from(is_throttled));
            if let Some(id) = request_id {
                seen.request_id = Some(Text::new(id));
            }
        });
    }
}

/// A call under way. Dropped without an end, it is filed as dropped: nobody waited any more.
pub(super) struct Open<'a> {
    /// What the interceptor sees of it.
    pub(super) slip: Slip,
    api: Api,
    origin: &'a Origin,
    ledger: &'a Ledger,
    clock: Clock,
    began: Instant,
    end: Option<(Outcome, Usd)>,
}

impl<'a> Open<'a> {
    /// Begins now.
    pub(super) fn new(api: Api, origin: &'a Origin, ledger: &'a Ledger, clock: Clock) -> Self {
        Self { slip: Slip::default(), api, origin, ledger, clock, began: monotonic(), end: None }
    }

    /// Ends it so, at this cost.
    pub(super) fn end(mut self, outcome: Outcome, cost: Usd) {
        self.end = Some((outcome, cost));
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let mut seen = self.slip.seen();
        // What never left, for want of credentials or of an address, is no call.
        let Some(sent) = seen.sent.take() else { return };
        let (outcome, cost) = self.end.take().unwrap_or((Outcome::Dropped, Usd::ZERO));
        let at = seen.at.unwrap_or_else(|| self.clock.now());
        let place = Place {
            region: self.origin.scope.region.as_str(),
            profile: self.origin.profile.as_deref(),
            endpoint: self.origin.endpoint.as_deref(),
        };
        let told = command(self.api, &sent, &place).unwrap_or_else(|| {
            tracing::warn!(call = self.api.action(), kind = sent.kind, "a request could not be read back");
            String::new()
        });
        self.ledger.file(
            self.api,
            CallRecord {
                id: Text::default(),
                at,
                scope: Arc::clone(&self.origin.scope),
                call: Text::const_new(self.api.action()),
                family: Text::const_new(self.api.family().name),
                took: monotonic().saturating_duration_since(self.began),
                attempts: seen.attempts,
                throttles: seen.throttles,
                outcome,
                request_id: seen.request_id.take(),
                cost,
                login: self.origin.login.clone(),
                command: Arc::from(told),
            },
        );
    }
}
