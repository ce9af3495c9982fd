//! The only road to the network: a permit, credentials, a deadline, and errors in our own words.
//!
//! A reader gets a [`Desk`] (one scope at one urgency) and asks it for single answers with [`Desk::call`]
//! and for lists with [`Desk::pages`]. Nothing else sends a request with an SDK client.

use super::api::Api;
use super::errors::{self, Doubt};
use super::limit::Limiter;
use super::record::Open;
use super::site::Site;
use crate::clock::monotonic;
use crate::gateway::{CallRecord, GatewayError, Outcome, Reading, Urgency};
use crate::model::{Text, Trouble, TroubleKind, Usd};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::Timestamp;
use std::collections::HashSet;
use std::error::Error as StdError;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::mpsc;

/// No list is this long; one that is longer has no end.
const MOST_PAGES: usize = 5_000;

/// Pages without anything on them, one after the other: AWS may send a few, a list without end sends nothing else.
const MOST_EMPTY_PAGES: usize = 20;

/// What an SDK client answers to one request.
pub(super) type Answer<T, E> = Result<T, SdkError<E, HttpResponse>>;

/// A scope at an urgency: where a reader finds its clients and sends its requests.
#[derive(Clone)]
pub(super) struct Desk {
    site: Arc<Site>,
    urgency: Urgency,
    /// Whether calls that change something leave from here.
    may_change: bool,
}

impl Desk {
    /// A desk in front of a site.
    pub(super) fn new(site: Arc<Site>, urgency: Urgency) -> Self {
        Self { site, urgency, may_change: false }
    }

    /// The desk from which changes are sent, and nowhere else.
    pub(super) fn of_changes(site: Arc<Site>) -> Self {
        Self { site, urgency: Urgency::Operation, may_change: true }
    }

    /// The same at another urgency.
    pub(super) fn at(self, urgency: Urgency) -> Self {
        Self { urgency, ..self }
    }

    /// What the desk stands before.
    pub(super) fn site(&self) -> &Site {
        &self.site
    }

    /// The moment it is.
    pub(super) fn now(&self) -> Timestamp {
        self.site.clock().now()
    }

    /// The client for EC2.
    pub(super) fn ec2(&self) -> &aws_sdk_ec2::Client {
        self.site.ec2()
    }

    /// The client for Auto Scaling.
    pub(super) fn autoscaling(&self) -> &aws_sdk_autoscaling::Client {
        self.site.autoscaling()
    }

    /// The client for ECS.
    pub(super) fn ecs(&self) -> &aws_sdk_ecs::Client {
        self.site.ecs()
    }

    /// The client for Elastic Load Balancing, version 2.
    pub(super) fn elb(&self) -> &aws_sdk_elasticloadbalancingv2::Client {
        self.site.elb()
    }

    /// The client for Systems Manager.
    pub(super) fn ssm(&self) -> &aws_sdk_ssm::Client {
        self.site.ssm()
    }

    /// The client for CloudWatch.
    pub(super) fn cloudwatch(&self) -> &aws_sdk_cloudwatch::Client {
        self.site.cloudwatch()
    }

    /// The client for Route 53.
    pub(super) fn route53(&self) -> &aws_sdk_route53::Client {
        self.site.route53()
    }

    /// The client for CloudWatch Logs.
    pub(super) fn logs(&self) -> &aws_sdk_cloudwatchlogs::Client {
        self.site.logs()
    }

    /// The client for STS.
    pub(super) fn sts(&self) -> &aws_sdk_sts::Client {
        self.site.sts()
    }

    /// Sends one request: waits for its turn, holds its deadline, counts it, and says in our words what
    /// went wrong. `request` runs a second time when credentials were renewed under it.
    pub(super) async fn call<T, E, F, Fut>(&self, api: Api, request: F) -> Result<T, Trouble>
    where
        T: Send,
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Answer<T, E>> + Send,
    {
        self.call_for(api, 1, request).await
    }

    /// Like [`Desk::call`], for a call that AWS bills by the piece: `pieces` is how many it names
    /// (metrics, for `GetMetricData`).
    pub(super) async fn call_for<T, E, F, Fut>(
        &self,
        api: Api,
        pieces: usize,
        request: F,
    ) -> Result<T, Trouble>
    where
        T: Send,
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Answer<T, E>> + Send,
    {
        self.send(api, pieces, request).await.map(|(answer, _)| answer).map_err(|stop| stop.trouble)
    }

    /// Like [`Desk::call_for`], and tells of an answer its record, and of a failure whether AWS may have acted.
    pub(super) async fn send<T, E, F, Fut>(
        &self,
        api: Api,
        pieces: usize,
        request: F,
    ) -> Result<(T, Option<Arc<CallRecord>>), Stop>
    where
        T: Send,
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Answer<T, E>> + Send,
    {
        if api.is_change() && !self.may_change {
            let said = "this run only reads; nothing was sent";
            return Err(Stop::before(self.trouble(api, TroubleKind::Refused, said)));
        }
        let session = self.site.session();
        let mut seen = session.ready(api, self.now()).await.map_err(Stop::before)?;
        for is_last in [false, true] {
            match self.attempt(api, pieces, &request).await {
                Ok(answer) => return Ok(answer),
                Err(stop) if stop.trouble.kind == TroubleKind::Expired && !is_last => {
                    // What AWS refused for its credentials did nothing, so that it may be sent with others.
                    match session.renewed_since(seen, api, self.now()).await.map_err(Stop::before)? {
                        Some(newer) => seen = newer,
                        None => return Err(stop),
                    }
                }
                Err(stop) => return Err(stop),
            }
        }
        Err(Stop::before(self.trouble(api, TroubleKind::Other, "the request was not sent")))
    }

    async fn attempt<T, E, F, Fut>(
        &self,
        api: Api,
        pieces: usize,
        request: &F,
    ) -> Result<(T, Option<Arc<CallRecord>>), Stop>
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Answer<T, E>> + Send,
    {
        let site = &self.site;
        if site.limiter().turn(api.family(), self.urgency).await.is_err() {
            let said = "too many requests of this kind already wait for their turn";
            return Err(Stop::before(self.trouble(api, TroubleKind::Throttled, said)));
        }
        let _under_way = UnderWay(site.limiter());
        let began = monotonic();
        let patience = site.patience();
        let open = Open::new(api, site.origin(), site.ledger(), site.clock());
        let mut answer = Box::pin(open.slip.around(request()));
        let outcome = match tokio::time::timeout(patience.first(api.weight()), answer.as_mut()).await {
            Ok(outcome) => Some(outcome),
            Err(_) => match patience.left(api.weight(), site.is_alive(monotonic())) {
                Some(left) => tokio::time::timeout(left, answer.as_mut()).await.ok(),
                None => None,
            },
        };
        drop(answer);
        let (trouble, doubt) = match outcome {
            Some(Ok(answer)) => {
                site.hear();
                let record = open.end(Outcome::Answered, site.ledger().bill(api, pieces));
                return Ok((answer, record));
            }
            Some(Err(error)) => {
                let around = site.circumstances(api, self.now());
                (errors::trouble(api, &error, &around), errors::doubt(&error))
            }
            None => {
                let waited = monotonic().saturating_duration_since(began);
                (errors::timeout(api, waited, &site.circumstances(api, self.now())), Doubt::MayHaveActed)
            }
        };
        let outcome = Outcome::of(trouble.kind, trouble.code.clone());
        if outcome.is_failure() {
            site.ledger().failed(trouble.kind);
        }
        let record = open.end(outcome, Usd::ZERO);
        let doubt = match &record {
            None => Doubt::NotSent,
            // A "no" to a later attempt says nothing of an earlier one that nobody answered.
            Some(record) if record.attempts > record.throttles + 1 => Doubt::MayHaveActed,
            Some(_) => doubt,
        };
        Err(Stop { trouble, doubt })
    }

    /// Reads a list page by page until the token is absent or empty.
    ///
    /// `request` sends the request for one token (none for the first page); `split` takes a page apart
    /// into its items and the next token. A token that comes twice, and a list without end, are trouble:
    /// what was read until then, without the page that brought a token again, comes back inside [`Broken`].
    pub(super) async fn pages<P, T, E, F, Fut, S>(
        &self,
        api: Api,
        request: F,
        split: S,
    ) -> Result<Vec<T>, Broken<T>>
    where
        P: Send,
        T: Send,
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
        F: Fn(Option<String>) -> Fut + Send + Sync,
        Fut: Future<Output = Answer<P, E>> + Send,
        S: FnMut(P) -> (Vec<T>, Option<String>) + Send,
    {
        self.follow(api, None, request, split, |_| Shown::Taken).await
    }

    /// Like [`Desk::pages`], and hands what has been read so far to `pages` after each page but the last.
    pub(super) async fn pages_shown<P, T, E, F, Fut, S, W>(
        &self,
        api: Api,
        request: F,
        split: S,
        pages: &Pages,
        wrap: W,
    ) -> Result<Vec<T>, Broken<T>>
    where
        P: Send,
        T: Clone + Send + Sync,
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
        F: Fn(Option<String>) -> Fut + Send + Sync,
        Fut: Future<Output = Answer<P, E>> + Send,
        S: FnMut(P) -> (Vec<T>, Option<String>) + Send,
        W: Fn(Vec<T>) -> Reading + Send + Sync,
    {
        self.follow(api, None, request, split, |so_far: &[T]| pages.show(|| wrap(so_far.to_vec()))).await
    }

    /// Like [`Desk::pages`], from the page of that token on, and tells `after_page` what has been read so far, each
    /// time that it has grown by a quarter, but not after the last page.
    pub(super) async fn follow<P, T, E, F, Fut, S, A>(
        &self,
        api: Api,
        start: Option<String>,
        request: F,
        mut split: S,
        mut after_page: A,
    ) -> Result<Vec<T>, Broken<T>>
    where
        P: Send,
        T: Send,
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
        F: Fn(Option<String>) -> Fut + Send + Sync,
        Fut: Future<Output = Answer<P, E>> + Send,
        S: FnMut(P) -> (Vec<T>, Option<String>) + Send,
        A: FnMut(&[T]) -> Shown + Send,
    {
        let mut read = Vec::new();
        let mut shown = 0;
        let mut tokens: HashSet<String> = start.iter().cloned().collect();
        let mut token = start;
        let mut empty = 0;
        for _ in 0..MOST_PAGES {
            let page = match self.call(api, || request(token.clone())).await {
                Ok(page) => page,
                Err(trouble) => return Err(Broken { read, trouble }),
            };
            let (items, next) = split(page);
            empty = if items.is_empty() { empty + 1 } else { 0 };
            let next = next.filter(|next| !next.is_empty());
            let is_repeated = next.as_ref().is_some_and(|next| !tokens.insert(next.clone()));
            if !is_repeated {
                read.extend(items);
            }
            let Some(next) = next else {
                // The list is kept for long; the room it grew into is not.
                read.shrink_to_fit();
                return Ok(read);
            };
            if is_repeated {
                // What came with it may be a page that was read already: nothing is shown twice.
                let said = format!(
                    "the list has no end: AWS gave the same page token twice after {} items",
                    read.len()
                );
                return Err(Broken { read, trouble: self.trouble(api, TroubleKind::Garbled, said) });
            }
            if empty == MOST_EMPTY_PAGES {
                let said =
                    format!("the list has no end: {empty} pages with nothing on them, one after the other");
                return Err(Broken { read, trouble: self.trouble(api, TroubleKind::Garbled, said) });
            }
            // What is shown is copied and joined: two thousand pages of fifty agents would be a hundred million rows.
            if read.len() > shown + shown / 4 && after_page(&read) == Shown::Taken {
                shown = read.len();
            }
            token = Some(next);
        }
        let said = format!("the list has no end: stopped after {MOST_PAGES} pages");
        Err(Broken { read, trouble: self.trouble(api, TroubleKind::Garbled, said) })
    }

    /// Trouble that a reader itself found in an answer.
    pub(super) fn trouble(&self, api: Api, kind: TroubleKind, message: impl Into<String>) -> Trouble {
        Trouble {
            kind,
            call: Text::const_new(api.action()),
            code: None,
            message: message.into(),
            hint: None,
            request_id: None,
            at: self.now(),
        }
    }
}

/// A request that got nowhere: why, and whether AWS may have acted on it all the same.
#[derive(Debug)]
pub(super) struct Stop {
    /// What went wrong.
    pub(super) trouble: Trouble,
    /// What it leaves open.
    pub(super) doubt: Doubt,
}

impl Stop {
    /// Before anything was sent.
    pub(super) fn before(trouble: Trouble) -> Self {
        Self { trouble, doubt: Doubt::NotSent }
    }
}

/// A list whose reading broke off: what was read, and why there is no more.
#[derive(Debug)]
pub(super) struct Broken<T> {
    /// What was read before.
    pub(super) read: Vec<T>,
    /// What went wrong.
    pub(super) trouble: Trouble,
}

impl<T> Broken<T> {
    /// The error to hand out, with what was read as its partial answer; nothing read is no answer.
    pub(super) fn partial(self, wrap: impl FnOnce(Vec<T>) -> Reading) -> GatewayError {
        let partial = (!self.read.is_empty()).then(|| Box::new(wrap(self.read)));
        GatewayError { trouble: self.trouble, partial }
    }
}

impl<T> From<Broken<T>> for GatewayError {
    /// Drops what was read: for lists that are only a step on the way.
    fn from(broken: Broken<T>) -> Self {
        broken.trouble.into()
    }
}

/// What became of a part-way reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// It is on its way, or nobody wants any.
    Taken,
    /// There was no room for it.
    Skipped,
}

/// Where part-way readings go, if anybody wants them.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages(Option<mpsc::Sender<Reading>>);

impl Pages {
    /// Sends them there.
    pub(super) fn new(sender: Option<mpsc::Sender<Reading>>) -> Self {
        Self(sender)
    }

    /// Hands out what has been read so far. Builds it only if there is somebody who has room for it:
    /// a slow screen skips pages, it never slows the reading. Tells whether it was skipped for want of room, so that
    /// the next page may be shown instead.
    pub(super) fn show(&self, reading: impl FnOnce() -> Reading) -> Shown {
        let Some(sender) = &self.0 else { return Shown::Taken };
        let Ok(place) = sender.try_reserve() else { return Shown::Skipped };
        place.send(reading());
        Shown::Taken
    }
}

/// A request that has left, until its answer is there or nobody waits for it any more.
struct UnderWay<'a>(&'a Limiter);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.answered();
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::Api;
    use super::super::fake::{Fake, Say};
    use super::super::wire::Retries;
    use super::{Broken, Desk, Pages};
    use crate::gateway::Reading;
    use crate::model::{Check, InstanceStatus, TroubleKind};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;
    use tokio::sync::mpsc;

    fn page(id: &str, token: Option<&str>) -> String {
        let token = token.map(|token| format!("<nextToken>{token}</nextToken>")).unwrap_or_default();
        format!(
            "<DescribeInstanceStatusResponse><instanceStatusSet><item><instanceId>{id}</instanceId></item>\
             </instanceStatusSet>{token}</DescribeInstanceStatusResponse>"
        )
    }

    fn xml(text: String) -> Say {
        Say::Whole(200, "text/xml", text)
    }

    async fn list(desk: &Desk, pages: &Pages) -> Result<Vec<InstanceStatus>, Broken<InstanceStatus>> {
        desk.pages_shown(
            Api::DescribeInstanceStatus,
            |token| desk.ec2().describe_instance_status().set_next_token(token).send(),
            |page| {
                let status = |id: String| InstanceStatus {
                    id: id.into(),
                    system: Check::Ok,
                    instance: Check::Ok,
                    ebs: None,
                    events: Vec::new(),
                };
                let all = page.instance_statuses.unwrap_or_default();
                (all.into_iter().filter_map(|one| one.instance_id).map(status).collect(), page.next_token)
            },
            pages,
            Reading::Statuses,
        )
        .await
    }

    fn ids(list: &[InstanceStatus]) -> Vec<&str> {
        list.iter().map(|status| status.id.as_str()).collect()
    }

    #[tokio::test]
    async fn follows_tokens_until_one_is_empty_and_shows_what_it_has() {
        let fake = Fake::new(|request, _| {
            xml(match request {
                text if text.contains("NextToken=two") => page("i-2", Some("three")),
                text if text.contains("NextToken=three") => page("i-3", Some("")),
                _ => page("i-1", Some("two")),
            })
        })
        .await;
        let (sender, mut shown) = mpsc::channel(1);
        let desk = fake.desk().await;
        let all = list(&desk, &Pages::new(Some(sender))).await.unwrap();
        assert_eq!(ids(&all), ["i-1", "i-2", "i-3"]);
        let Some(Reading::Statuses(first)) = shown.recv().await else { panic!("nothing was shown") };
        assert_eq!(ids(&first), ["i-1"]);
        assert!(
            shown.recv().await.is_none(),
            "a full channel is skipped, and the whole list is not shown twice"
        );
    }

    #[tokio::test]
    async fn a_page_that_finds_no_room_shows_with_the_next_one() {
        let (sender, shown) = mpsc::channel(1);
        let shown = Arc::new(Mutex::new((shown, Vec::new())));
        let looks = Arc::clone(&shown);
        let fake = Fake::new(move |_, before| {
            // Before the fourth page nobody looks, so that the third still lies there when the fourth comes.
            if before != 3 {
                let (shown, seen) = &mut *looks.lock().unwrap();
                while let Ok(Reading::Statuses(read)) = shown.try_recv() {
                    seen.push(read.len());
                }
            }
            let next = before + 1;
            xml(page(&format!("i-{before}"), (next < 6).then(|| next.to_string()).as_deref()))
        })
        .await;
        let desk = fake.desk().await;
        assert_eq!(list(&desk, &Pages::new(Some(sender))).await.unwrap().len(), 6);
        // The fifth is no quarter more than the fourth.
        assert_eq!(shown.lock().unwrap().1, [1, 2, 3, 5]);
    }

    #[tokio::test]
    async fn a_token_that_comes_twice_ends_the_list_and_nothing_is_read_twice() {
        let fake = Fake::new(|_, before| {
            xml(if before == 0 { page("i-0", Some("two")) } else { page("i-1", Some("again")) })
        })
        .await;
        let desk = fake.desk().await;
        let broken = list(&desk, &Pages::default()).await.unwrap_err();
        assert_eq!(ids(&broken.read), ["i-0", "i-1"], "the page that came again is not read again");
        assert!(broken.trouble.message.ends_with("after 2 items"), "{}", broken.trouble.message);
        assert_eq!(broken.trouble.kind, TroubleKind::Garbled);
        let error = broken.partial(Reading::Statuses);
        assert!(matches!(error.partial.as_deref(), Some(Reading::Statuses(read)) if read.len() == 2));
    }

    #[tokio::test]
    async fn a_page_that_fails_leaves_the_pages_before_it() {
        let fake = Fake::new(|_, before| match before {
            0 => xml(page("i-1", Some("two"))),
            _ => Say::Whole(500, "text/html", "<html>".to_owned()),
        })
        .await;
        let desk = fake.desk().await;
        let broken = list(&desk, &Pages::default()).await.unwrap_err();
        assert_eq!(ids(&broken.read), ["i-1"]);
        assert_eq!(broken.trouble.kind, TroubleKind::Garbled);
    }

    #[tokio::test]
    async fn a_place_that_answered_lately_is_slow_and_not_dead_although_nobody_else_asks() {
        let fake = Fake::new(|_, _| Say::Nothing).await;
        let desk = fake.hasty_desk().await;
        let patience = desk.site().patience();
        let wait = async || {
            list(&desk, &Pages::default()).await.unwrap_err();
            desk.site().ledger().latest().first().unwrap().took
        };
        assert!(wait().await >= patience.silent);
        desk.site().hear();
        assert!(wait().await >= patience.slow, "the page before was an answer too");
    }

    #[tokio::test]
    async fn counts_every_attempt_and_every_throttle() {
        let fake = Fake::new(|_, before| match before {
            0 | 1 => {
                let said = "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow</Message>\
                            </Error></Errors></Response>";
                Say::Whole(503, "text/xml", said.to_owned())
            }
            _ => xml(page("i-1", None)),
        })
        .await;
        let desk = fake
            .desk_with(Retries { attempts: 3, first_pause: Duration::from_millis(1), is_adaptive: false })
            .await;
        assert_eq!(list(&desk, &Pages::default()).await.unwrap().len(), 1);
        let spent = desk.site.ledger().spending();
        assert_eq!((spent.calls, spent.throttles, spent.failures), (3, 2, 0));
    }

    #[tokio::test]
    async fn bills_by_the_piece_and_only_what_was_answered() {
        let fake = Fake::new(|_, before| match before {
            0 => Say::Whole(200, "application/cbor", "\u{0}".to_owned()),
            _ => xml(page("i-1", None)),
        })
        .await;
        let desk = fake.desk().await;
        let metrics = || desk.cloudwatch().get_metric_data().send();
        desk.call_for(Api::GetMetricData, 500, metrics).await.unwrap_err();
        assert_eq!(desk.site.ledger().spending().dollars.micros(), 0);
        let status = || desk.ec2().describe_instance_status().send();
        desk.call_for(Api::GetMetricData, 500, status).await.unwrap();
        assert_eq!(desk.site.ledger().spending().dollars.to_string(), "$0.005");
        assert_eq!(desk.site.ledger().spending().failures, 1);
    }
}
