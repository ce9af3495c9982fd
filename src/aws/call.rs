//! The only road to the network: a permit, credentials, a deadline, and errors in our own words.
//!
//! A reader gets a [`Desk`] (one scope at one urgency) and asks it for single answers with [`Desk::call`]
//! and for lists with [`Desk::pages`]. Nothing else sends a request with an SDK client.

use super::api::Api;
use super::errors;
use super::site::Site;
use crate::clock::monotonic;
use crate::gateway::{GatewayError, Reading, Urgency};
use crate::model::{Scope, Text, Trouble, TroubleKind};
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

/// What an SDK client answers to one request.
type Answer<T, E> = Result<T, SdkError<E, HttpResponse>>;

/// A scope at an urgency: where a reader finds its clients and sends its requests.
#[derive(Clone)]
pub(super) struct Desk {
    site: Arc<Site>,
    urgency: Urgency,
}

impl Desk {
    /// A desk in front of a site.
    pub(super) fn new(site: Arc<Site>, urgency: Urgency) -> Self {
        Self { site, urgency }
    }

    /// Which account and region this is.
    pub(super) fn scope(&self) -> &Scope {
        self.site.scope()
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
        let session = self.site.session();
        let mut seen = session.ready(api, self.now()).await?;
        for is_last in [false, true] {
            match self.attempt(api, &request).await {
                Ok(answer) => {
                    self.site.ledger().bill(api, pieces);
                    return Ok(answer);
                }
                Err(trouble) if trouble.kind == TroubleKind::Expired && !is_last => {
                    match session.renewed_since(seen, api, self.now()).await? {
                        Some(newer) => seen = newer,
                        None => return Err(trouble),
                    }
                }
                Err(trouble) => return Err(trouble),
            }
        }
        Err(self.trouble(api, TroubleKind::Other, "the request was not sent"))
    }

    async fn attempt<T, E, F, Fut>(&self, api: Api, request: &F) -> Result<T, Trouble>
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Answer<T, E>> + Send,
    {
        let site = &self.site;
        if site.limiter().turn(api.family(), self.urgency).await.is_err() {
            let said = "too many requests of this kind already wait for their turn";
            return Err(self.trouble(api, TroubleKind::Throttled, said));
        }
        let began = monotonic();
        let weight = api.weight();
        let mut answer = Box::pin(request());
        let silent = tokio::time::timeout(weight.silent_for(), answer.as_mut()).await;
        let outcome = match silent {
            Ok(outcome) => Some(outcome),
            Err(_) if site.heard_since(began) && weight.slow_for() > weight.silent_for() => {
                let rest = weight.slow_for().saturating_sub(weight.silent_for());
                tokio::time::timeout(rest, answer).await.ok()
            }
            Err(_) => None,
        };
        match outcome {
            Some(Ok(answer)) => {
                site.hear();
                Ok(answer)
            }
            Some(Err(error)) => {
                let trouble = errors::trouble(api, &error, &site.circumstances(self.now()));
                site.ledger().failed(trouble.kind);
                Err(trouble)
            }
            None => {
                site.ledger().failed(TroubleKind::Timeout);
                let waited = monotonic().saturating_duration_since(began);
                Err(errors::timeout(api, waited, &site.circumstances(self.now())))
            }
        }
    }

    /// Reads a list page by page until the token is absent or empty.
    ///
    /// `request` sends the request for one token (none for the first page); `split` takes a page apart
    /// into its items and the next token. A token that comes twice, and a list without end, are trouble:
    /// what was read until then comes back inside [`Broken`].
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
        self.follow(api, request, split, |_| ()).await
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
        self.follow(api, request, split, |so_far: &[T]| pages.show(|| wrap(so_far.to_vec()))).await
    }

    async fn follow<P, T, E, F, Fut, S, A>(
        &self,
        api: Api,
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
        A: FnMut(&[T]) + Send,
    {
        let mut read = Vec::new();
        let mut tokens = HashSet::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let page = match self.call(api, || request(token.clone())).await {
                Ok(page) => page,
                Err(trouble) => return Err(Broken { read, trouble }),
            };
            let (items, next) = split(page);
            read.extend(items);
            let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(read) };
            if !tokens.insert(next.clone()) {
                let said = format!(
                    "the list has no end: AWS gave the same page token twice after {} items",
                    read.len()
                );
                return Err(Broken { read, trouble: self.trouble(api, TroubleKind::Garbled, said) });
            }
            after_page(&read);
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

impl From<Trouble> for GatewayError {
    fn from(trouble: Trouble) -> Self {
        Self { trouble, partial: None }
    }
}

impl<T> From<Broken<T>> for GatewayError {
    /// Drops what was read: for lists that are only a step on the way.
    fn from(broken: Broken<T>) -> Self {
        broken.trouble.into()
    }
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
    /// a slow screen skips pages, it never slows the reading.
    pub(super) fn show(&self, reading: impl FnOnce() -> Reading) {
        let Some(sender) = &self.0 else { return };
        if let Ok(place) = sender.try_reserve() {
            place.send(reading());
        }
    }
}

/// What stands in for a reader that has no body yet.
pub(super) fn not_read_yet(desk: &Desk, api: Api) -> GatewayError {
    desk.trouble(api, TroubleKind::Other, "not read yet").into()
}
