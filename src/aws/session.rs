//! The credentials of one account: found when first needed, kept in memory, renewed before they end,
//! and looked for anew, from the files up, whenever AWS says that they are over.

use super::api::Api;
use super::login::Failure;
use crate::clock::Clock;
use crate::model::{Trouble, TroubleKind};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use jiff::Timestamp;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// How long before their end credentials are renewed.
const RENEW_BEFORE: Duration = Duration::from_secs(5 * 60);

/// How long finding credentials may take, prompts aside.
const FIND_WITHIN: Duration = Duration::from_secs(10);

/// Finds credentials from nothing: files, processes, STS. Keeps nothing between two calls.
pub(super) trait Finder: fmt::Debug + Send + Sync {
    /// Finds them.
    fn find(&self) -> BoxFuture<'static, Result<Credentials, Failure>>;

    /// What a person does when they have expired.
    fn renewal(&self) -> String;
}

type Finding = Shared<BoxFuture<'static, Result<Credentials, Failure>>>;

#[derive(Default)]
struct Held {
    credentials: Option<Credentials>,
    finding: Option<Finding>,
    /// Counts up with each new set of credentials.
    generation: u64,
}

/// The credentials of one account.
pub(super) struct Session {
    finder: Arc<dyn Finder>,
    clock: Clock,
    held: Mutex<Held>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("finder", &self.finder).finish_non_exhaustive()
    }
}

impl Session {
    /// A session in which nothing has been looked for.
    pub(super) fn new(finder: Arc<dyn Finder>, clock: Clock) -> Self {
        Self { finder, clock, held: Mutex::default() }
    }

    /// What a person does when the credentials have expired.
    pub(super) fn renewal(&self) -> String {
        self.finder.renewal()
    }

    /// Makes sure that there are credentials, and returns their generation.
    pub(super) async fn ready(&self, api: Api, at: Timestamp) -> Result<u64, Trouble> {
        self.credentials().await.map_err(|failure| failure.trouble(api, at))?;
        Ok(self.held().generation)
    }

    /// Drops the credentials of that generation, which AWS called expired, and looks for others.
    /// Returns the generation of those, or nothing if there are none but the old ones.
    pub(super) async fn renewed_since(
        &self,
        generation: u64,
        api: Api,
        at: Timestamp,
    ) -> Result<Option<u64>, Trouble> {
        let refused = {
            let mut held = self.held();
            if held.generation == generation { held.credentials.take() } else { None }
        };
        let found = self.credentials().await.map_err(|failure| failure.trouble(api, at))?;
        let is_same = refused.is_some_and(|refused| {
            refused.access_key_id() == found.access_key_id()
                && refused.session_token() == found.session_token()
        });
        if is_same {
            // Keep nothing that AWS refused: the next read looks again.
            self.held().credentials = None;
            return Ok(None);
        }
        Ok(Some(self.held().generation))
    }

    /// The credentials, found or renewed if they must be. Everybody who asks while somebody looks
    /// shares that one search; a failed search is forgotten, so that the next read tries again.
    pub(super) async fn credentials(&self) -> Result<Credentials, Failure> {
        let now = SystemTime::from(self.clock.now());
        let (finding, spare) = {
            let mut held = self.held();
            let left = held.credentials.as_ref().map(|held| time_left(held, now));
            if let (Some(credentials), Some(left)) = (&held.credentials, left)
                && left > RENEW_BEFORE
            {
                return Ok(credentials.clone());
            }
            let spare = held.credentials.clone().filter(|_| left.is_some_and(|left| !left.is_zero()));
            let finding = match &held.finding {
                Some(finding) => finding.clone(),
                None => {
                    let finding = within(self.finder.find(), self.renewal()).boxed().shared();
                    held.finding = Some(finding.clone());
                    finding
                }
            };
            (finding, spare)
        };
        let found = finding.clone().await.and_then(|found| self.unexpired(found, now));
        let mut held = self.held();
        if held.finding.as_ref().is_some_and(|current| current.ptr_eq(&finding)) {
            held.finding = None;
            if let Ok(found) = &found {
                held.credentials = Some(found.clone());
                held.generation += 1;
            }
        }
        match (found, spare) {
            (Ok(found), _) => Ok(found),
            (Err(_), Some(spare)) => Ok(spare),
            (Err(failure), None) => Err(failure),
        }
    }

    fn unexpired(&self, found: Credentials, now: SystemTime) -> Result<Credentials, Failure> {
        if time_left(&found, now).is_zero() {
            let ended = found.expiry().and_then(|end| Timestamp::try_from(end).ok());
            let when = ended.map(|end| format!(" since {end}")).unwrap_or_default();
            let message = format!("the credentials that were found are past their end{when}");
            return Err(Failure::new(TroubleKind::Expired, message, self.renewal()));
        }
        Ok(found)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn within(
    finding: BoxFuture<'static, Result<Credentials, Failure>>,
    renewal: String,
) -> Result<Credentials, Failure> {
    match tokio::time::timeout(FIND_WITHIN, finding).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let message = format!("no credentials within {} s", FIND_WITHIN.as_secs());
            Err(Failure::new(TroubleKind::Timeout, message, renewal))
        }
    }
}

fn time_left(credentials: &Credentials, now: SystemTime) -> Duration {
    match credentials.expiry() {
        Some(end) => end.duration_since(now).unwrap_or_default(),
        None => Duration::MAX,
    }
}

impl ProvideCredentials for Session {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.credentials().await.map_err(CredentialsError::provider_error)
        })
    }
}
