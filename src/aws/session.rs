//! The credentials of one account: found when first needed, kept in memory, renewed before they end,
//! and looked for anew, from the files up, whenever AWS says that they are over.

use super::api::Api;
use super::login::Failure;
use crate::clock::{Clock, monotonic};
use crate::model::{Trouble, TroubleKind};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use jiff::Timestamp;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How long before their end credentials are renewed.
const RENEW_BEFORE: Duration = Duration::from_secs(5 * 60);

/// How long credentials that could not be renewed, but still hold, are used before that is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Finds credentials from nothing: files, processes, STS. Keeps nothing between two calls, and ends by
/// itself within its own deadlines.
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
    /// When renewing last failed while the old ones still held.
    failed_at: Option<Instant>,
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
            let left = held.credentials.as_ref().map_or(Duration::ZERO, |held| time_left(held, now));
            let spare = held.credentials.clone().filter(|_| !left.is_zero());
            let is_fresh = left > RENEW_BEFORE
                || held.failed_at.is_some_and(|at| monotonic().duration_since(at) < TRY_AGAIN_AFTER);
            if let (Some(credentials), true) = (&spare, is_fresh) {
                return Ok(credentials.clone());
            }
            let finding = match &held.finding {
                Some(finding) => finding.clone(),
                None => {
                    let finding = self.finder.find().shared();
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
            held.failed_at = match &found {
                Ok(found) => {
                    held.credentials = Some(found.clone());
                    held.generation += 1;
                    None
                }
                Err(_) => Some(monotonic()),
            };
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

#[cfg(test)]
mod tests {
    use super::super::api::Api;
    use super::super::fake::{Fake, Say};
    use super::super::login::Failure;
    use super::super::wire::Retries;
    use super::{Finder, Session};
    use crate::clock::Clock;
    use crate::model::TroubleKind;
    use aws_credential_types::Credentials;
    use futures::FutureExt;
    use futures::future::BoxFuture;
    use jiff::Timestamp;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, SystemTime};

    /// Finds what a test puts in front of it.
    #[derive(Debug, Default)]
    struct Table {
        found: Mutex<Option<(String, Option<SystemTime>)>>,
        searches: AtomicUsize,
    }

    impl Table {
        fn put(&self, key: &str, end: Option<SystemTime>) {
            *self.found.lock().unwrap() = Some((key.to_owned(), end));
        }

        fn searches(&self) -> usize {
            self.searches.load(Ordering::Relaxed)
        }
    }

    impl Finder for Table {
        fn find(&self) -> BoxFuture<'static, Result<Credentials, Failure>> {
            self.searches.fetch_add(1, Ordering::Relaxed);
            let found = self.found.lock().unwrap().clone();
            async move {
                // Gives others the chance to ask in the meantime.
                tokio::task::yield_now().await;
                let (key, end) =
                    found.ok_or_else(|| Failure::new(TroubleKind::NoCredentials, "none", "find some"))?;
                Ok(Credentials::new(key, "secret", Some("token".to_owned()), end, "table"))
            }
            .boxed()
        }

        fn renewal(&self) -> String {
            "aws sso login --profile table".to_owned()
        }
    }

    fn moment() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn after(minutes: u64) -> Option<SystemTime> {
        Some(SystemTime::from(moment()) + Duration::from_secs(60 * minutes))
    }

    fn session() -> (Arc<Table>, Session) {
        let table = Arc::new(Table::default());
        let finder: Arc<dyn Finder> = Arc::<Table>::clone(&table);
        (table, Session::new(finder, Clock::Fixed(moment())))
    }

    #[tokio::test]
    async fn many_who_ask_at_once_share_one_search() {
        let (table, session) = session();
        table.put("A", None);
        let all = futures::future::join_all((0..50).map(|_| session.credentials())).await;
        assert!(all.iter().all(|found| found.as_ref().unwrap().access_key_id() == "A"));
        session.credentials().await.unwrap();
        assert_eq!(table.searches(), 1);
    }

    #[tokio::test]
    async fn a_search_that_failed_is_forgotten() {
        let (table, session) = session();
        assert_eq!(session.credentials().await.unwrap_err().message, "none");
        table.put("A", None);
        assert_eq!(session.credentials().await.unwrap().access_key_id(), "A");
    }

    #[tokio::test]
    async fn credentials_are_renewed_before_their_end_and_used_to_their_end_if_they_cannot_be() {
        let (table, session) = session();
        table.put("A", after(4));
        assert_eq!(session.credentials().await.unwrap().access_key_id(), "A");
        table.put("B", after(60));
        assert_eq!(session.credentials().await.unwrap().access_key_id(), "B", "four minutes are too few");
        let (table, session) = self::session();
        table.put("A", after(4));
        session.credentials().await.unwrap();
        *table.found.lock().unwrap() = None;
        assert_eq!(
            session.credentials().await.unwrap().access_key_id(),
            "A",
            "four minutes are better than none"
        );
    }

    #[tokio::test]
    async fn credentials_that_are_found_past_their_end_are_expired_and_not_kept() {
        let (table, session) = session();
        table.put("OLD", Some(SystemTime::from(moment()) - Duration::from_secs(60)));
        let failure = session.credentials().await.unwrap_err();
        assert_eq!(failure.kind, TroubleKind::Expired);
        assert_eq!(
            failure.message,
            "the credentials that were found are past their end since 2026-03-01T11:59:00Z"
        );
        assert_eq!(failure.hint.unwrap(), "aws sso login --profile table");
        table.put("NEW", after(60));
        assert_eq!(session.credentials().await.unwrap().access_key_id(), "NEW");
    }

    /// An STS that calls the key `OLD` expired.
    async fn strict() -> Fake {
        Fake::new(|request, _| {
            if request.contains("Credential=OLD/") {
                let said = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>over</Message></Error></ErrorResponse>";
                return Say::Whole(403, "text/xml", said.to_owned());
            }
            let said = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/ada</Arn>\
                        <Account>000000000001</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
            Say::Whole(200, "text/xml", said.to_owned())
        })
        .await
    }

    async fn who(desk: &super::super::call::Desk) -> Result<String, crate::model::Trouble> {
        let answer = desk.call(Api::GetCallerIdentity, || desk.sts().get_caller_identity().send()).await?;
        Ok(answer.arn.unwrap())
    }

    #[tokio::test]
    async fn after_a_login_in_another_window_the_same_session_reads_again() {
        let fake = strict().await;
        let (table, session) = session();
        table.put("OLD", None);
        let retries = Retries { attempts: 1, first_pause: Duration::from_millis(1), is_adaptive: false };
        let desk = fake.desk_of(retries, Arc::new(session)).await;
        let trouble = who(&desk).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Expired);
        assert_eq!(trouble.message, "the credentials of account main have expired");
        assert_eq!(trouble.hint.unwrap(), "aws sso login --profile table");
        table.put("NEW", None);
        assert_eq!(who(&desk).await.unwrap(), "arn:aws:iam::1:user/ada");
    }

    #[tokio::test]
    async fn a_read_that_meets_its_end_goes_on_with_what_is_there_by_now() {
        let fake = strict().await;
        let (table, session) = session();
        table.put("OLD", None);
        session.credentials().await.unwrap();
        table.put("NEW", None);
        let retries = Retries { attempts: 1, first_pause: Duration::from_millis(1), is_adaptive: false };
        let desk = fake.desk_of(retries, Arc::new(session)).await;
        assert_eq!(who(&desk).await.unwrap(), "arn:aws:iam::1:user/ada");
        assert_eq!(fake.heard.lock().unwrap().len(), 2, "once with the old key, once with the new");
    }
}
