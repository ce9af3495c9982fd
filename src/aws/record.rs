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
}

impl<'a> Open<'a> {
    /// Begins now.
    pub(super) fn new(api: Api, origin: &'a Origin, ledger: &'a Ledger, clock: Clock) -> Self {
        Self { slip: Slip::default(), api, origin, ledger, clock, began: monotonic() }
    }

    /// Ends it so, at this cost, and returns its record; none where no request left.
    pub(super) fn end(self, outcome: Outcome, cost: Usd) -> Option<Arc<CallRecord>> {
        self.file(outcome, cost)
    }

    fn file(&self, outcome: Outcome, cost: Usd) -> Option<Arc<CallRecord>> {
        let mut seen = self.slip.seen();
        // What never left, for want of credentials or of an address, is no call; and one is filed once.
        let sent = seen.sent.take()?;
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
        let record = self.ledger.file(
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
        Some(record)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.file(Outcome::Dropped, Usd::ZERO);
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::Api;
    use super::super::fake::{Fake, Say};
    use super::super::ledger::Ledger;
    use super::super::wire::Retries;
    use super::{Open, Origin, Slip};
    use crate::clock::Clock;
    use crate::gateway::{CallRecord, NoteCall, Outcome};
    use crate::model::{Scope, Text, TroubleKind, Usd};
    use futures::FutureExt;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    fn refused(status: u16, code: &str) -> Say {
        let error = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
        Say::Whole(status, "text/xml", format!("<Response><Errors>{error}</Errors></Response>"))
    }

    fn origin() -> Origin {
        let scope = Scope { account: "main".into(), region: "eu-west-1".into() };
        Origin { scope: Arc::new(scope), login: Text::default(), profile: None, endpoint: None }
    }

    /// Files a call with this command.
    fn file(ledger: &Ledger, command: &str) {
        let record = CallRecord {
            id: Text::default(),
            at: Clock::Real.now(),
            scope: origin().scope,
            call: "ec2:DescribeRegions".into(),
            family: "DescribeRegions".into(),
            took: Duration::from_secs(1),
            attempts: 2,
            throttles: 1,
            outcome: Outcome::Failed(TroubleKind::Server, None),
            request_id: None,
            cost: Usd::from_micros(5),
            login: Text::default(),
            command: command.into(),
        };
        ledger.file(Api::DescribeRegions, record);
    }

    #[tokio::test]
    async fn a_call_is_filed_with_its_retries_its_answer_and_its_command() {
        let fake = Fake::new(|_, nth| match nth {
            0 => refused(503, "RequestLimitExceeded"),
            _ => Say::Whole(200, "text/xml", "<DescribeRegionsResponse/>".to_owned()),
        })
        .await;
        let desk = fake
            .desk_with(Retries { attempts: 3, first_pause: Duration::from_millis(1), is_adaptive: false })
            .await;
        let request = || desk.ec2().describe_regions().all_regions(false).region_names("eu west").send();
        desk.call(Api::DescribeRegions, request).await.unwrap();
        let calls = desk.site().ledger().latest();
        assert_eq!(calls.len(), 1);
        let call = &calls[0];
        assert_eq!((call.attempts, call.throttles, &call.outcome), (2, 1, &Outcome::Answered));
        assert_eq!((call.call.as_str(), call.request_id.as_deref()), ("ec2:DescribeRegions", Some("req-1")));
        assert_eq!(
            &*call.command,
            format!(
                "aws ec2 describe-regions --no-all-regions --region-names 'eu west' --no-paginate \
                 --region eu-west-1 --endpoint-url {}",
                fake.url
            )
        );
        let buckets = desk.site().buckets();
        assert_eq!(buckets.len(), 1);
        assert_eq!(buckets[0].calls, ["ec2:DescribeRegions"]);
        assert_eq!((buckets[0].spending.calls, buckets[0].spending.throttles), (2, 1));
        assert!(buckets[0].tokens < 1.0, "AWS said that it is empty: {}", buckets[0].tokens);
    }

    #[tokio::test]
    async fn a_dry_run_that_aws_would_do_is_no_failure_and_keeps_its_code() {
        let fake = Fake::new(|_, _| refused(412, "DryRunOperation")).await;
        let desk = fake.desk_hasty_with_lists().await;
        desk.call(Api::DescribeRegions, || desk.ec2().describe_regions().send()).await.unwrap_err();
        let calls = desk.site().ledger().latest();
        assert_eq!((calls[0].outcome.word(), calls[0].outcome.is_failure()), ("ok", false));
        assert_eq!(calls[0].outcome.code().map(Text::as_str), Some("DryRunOperation"));
        assert_eq!(desk.site().ledger().spending().failures, 0);
        assert_eq!(desk.site().buckets()[0].spending.failures, 0);
    }

    #[tokio::test]
    async fn each_end_has_its_word() {
        let fake = Fake::new(|request, _| match request {
            hangs if hangs.contains("Action=DescribeImages") => Say::Nothing,
            _ => refused(403, "UnauthorizedOperation"),
        })
        .await;
        let desk = fake.desk_hasty_with_lists().await;
        let denied = || desk.ec2().describe_regions().send();
        desk.call(Api::DescribeRegions, denied).await.unwrap_err();
        let hangs = || desk.ec2().describe_images().send();
        desk.call(Api::DescribeImages, hangs).await.unwrap_err();
        let mut left = Box::pin(desk.call(Api::DescribeImages, hangs));
        while fake.heard.lock().unwrap().len() < 3 {
            assert!(left.as_mut().now_or_never().is_none(), "nobody answers");
            tokio::task::yield_now().await;
        }
        drop(left);
        let calls = desk.site().ledger().latest();
        let ends: Vec<_> = calls.iter().map(|call| (call.outcome.word(), call.outcome.code())).collect();
        let code = Text::from("UnauthorizedOperation");
        assert_eq!(ends, [("dropped", None), ("timeout", None), ("denied", Some(&code))]);
        assert!(calls.iter().all(|call| call.command.starts_with("aws ec2 describe-")));
    }

    #[tokio::test]
    async fn calls_side_by_side_keep_their_own_requests() {
        let fake =
            Fake::new(|_, _| Say::Whole(200, "text/xml", "<DescribeRegionsResponse/>".to_owned())).await;
        let desk = fake.desk().await;
        let ask = |nth: usize| {
            let desk = desk.clone();
            async move {
                let request = || desk.ec2().describe_regions().region_names(format!("r{nth}")).send();
                desk.call(Api::DescribeRegions, request).await.unwrap();
            }
        };
        futures::future::join_all((0..20).map(ask)).await;
        let calls = desk.site().ledger().latest();
        let mut names: Vec<usize> = calls
            .iter()
            .map(|call| {
                let (_, rest) = call.command.split_once("--region-names r").unwrap();
                rest.split(' ').next().unwrap().parse().unwrap()
            })
            .collect();
        names.sort_unstable();
        assert_eq!(names, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn what_never_left_is_no_call() {
        let ledger = Ledger::default();
        let origin = origin();
        drop(Open::new(Api::DescribeRegions, &origin, &ledger, Clock::Real));
        assert!(ledger.latest().is_empty());
        Slip::came_back(Some("of nobody's call"), true);
    }

    #[test]
    fn the_oldest_are_forgotten_by_number_and_by_length() {
        let ledger = Ledger::default();
        for _ in 0..2_100 {
            file(&ledger, "aws");
        }
        let latest = ledger.latest();
        assert_eq!(latest.len(), 2_000);
        assert!(latest[0].id.ends_with("-2100") && latest[1_999].id.ends_with("-101"));
        for _ in 0..5 {
            file(&ledger, &"m".repeat(1 << 20));
        }
        assert_eq!(ledger.latest().len(), 4, "four MiB of commands");
        let sum = ledger.sum(&origin().scope, Api::DescribeRegions.family());
        assert_eq!((sum.spending.calls, sum.spending.failures), (4_210, 2_105), "sums forget nothing");
    }

    #[derive(Debug, Default)]
    struct Notes(Mutex<Vec<Text>>);

    impl NoteCall for Notes {
        fn note(&self, call: &Arc<CallRecord>) {
            self.0.lock().unwrap().push(call.id.clone());
        }
    }

    #[test]
    fn a_witness_sees_every_call_by_its_name() {
        let notes = Arc::new(Notes::default());
        let ledger = Ledger::with(Some(Arc::<Notes>::clone(&notes)));
        file(&ledger, "one");
        file(&ledger, "two");
        let named: Vec<Text> = ledger.latest().iter().rev().map(|call| call.id.clone()).collect();
        assert_eq!(*notes.0.lock().unwrap(), named);
    }
}
