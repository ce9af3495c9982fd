//! What the session's requests cost: every attempt counted as it leaves, retries included, the dollars that
//! AWS bills for some of them, and a record of each call.

use super::api::{Api, Family};
use super::command::Sent;
use super::limit::Limiter;
use super::places::Places;
use super::record::Slip;
use crate::clock::Clock;
use crate::gateway::{CallRecord, NoteCall, Spending};
use crate::model::{Scope, Text, TroubleKind, Usd};
use aws_smithy_runtime::client::retries::classifiers::run_classifiers_on_ctx;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, Metadata};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::retries::classifiers::{RetryAction, RetryReason};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::ErrorKind;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Calls that are remembered,
const REMEMBERED: usize = 2_000;
/// and the bytes that their commands may take all together: a question about hundreds of metrics is long.
const REMEMBERED_BYTES: usize = 4 << 20;

/// Counters of one session, shared by all accounts and regions.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    calls: AtomicU64,
    throttles: AtomicU64,
    failures: AtomicU64,
    micros: AtomicI64,
    book: Mutex<Book>,
    /// Who else keeps records.
    witness: Option<Arc<dyn NoteCall>>,
}

/// What the calls that have ended were.
#[derive(Debug, Default)]
struct Book {
    filed: u64,
    latest: VecDeque<Arc<CallRecord>>,
    bytes: usize,
    sums: BTreeMap<(Arc<Scope>, &'static str), Sum>,
}

/// What went through one bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sum {
    /// Requests and dollars.
    pub(super) spending: Spending,
    /// The time that its calls took, all together.
    pub(super) took: Duration,
}

impl Ledger {
    /// An empty ledger that shows each record to somebody else too.
    pub(super) fn with(witness: Option<Arc<dyn NoteCall>>) -> Self {
        Self { witness, ..Self::default() }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Files a call that has ended, and gives it its name.
    pub(super) fn file(&self, api: Api, mut record: CallRecord) -> Arc<CallRecord> {
        let record = {
            let mut book = self.book();
            book.filed += 1;
            record.id = Text::from(format!("{}-{}", record.at.as_millisecond(), book.filed));
            let sum = book.sums.entry((Arc::clone(&record.scope), api.family().name)).or_default();
            sum.spending.calls += u64::from(record.attempts);
            sum.spending.throttles += u64::from(record.throttles);
            sum.spending.failures += u64::from(record.outcome.is_failure());
            sum.spending.dollars += record.cost;
            sum.took = sum.took.saturating_add(record.took);
            let record = Arc::new(record);
            book.bytes += record.command.len();
            book.latest.push_back(Arc::clone(&record));
            while book.latest.len() > REMEMBERED || book.bytes > REMEMBERED_BYTES {
                let Some(oldest) = book.latest.pop_front() else { break };
                book.bytes = book.bytes.saturating_sub(oldest.command.len());
            }
            record
        };
        if let Some(witness) = &self.witness {
            witness.note(&record);
        }
        record
    }

    /// The latest calls, newest first.
    pub(super) fn latest(&self) -> Vec<Arc<CallRecord>> {
        self.book().latest.iter().rev().cloned().collect()
    }

    /// What went through a bucket.
    pub(super) fn sum(&self, scope: &Arc<Scope>, family: Family) -> Sum {
        self.book().sums.get(&(Arc::clone(scope), family.name)).copied().unwrap_or_default()
    }

    /// What has been spent so far.
    pub(super) fn spending(&self) -> Spending {
        Spending {
            calls: self.calls.load(Ordering::Relaxed),
            throttles: self.throttles.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            dollars: Usd::from_micros(self.micros.load(Ordering::Relaxed)),
        }
    }

    /// Books what an answered request costs, and says how much that is.
    pub(super) fn bill(&self, api: Api, pieces: usize) -> Usd {
        let price = api.price() * i64::try_from(pieces).unwrap_or(i64::MAX);
        if price != Usd::ZERO {
            self.micros.fetch_add(price.micros(), Ordering::Relaxed);
        }
        price
    }

    /// Counts a request that failed for good. Throttles are counted where they arrive, attempt by attempt.
    pub(super) fn failed(&self, kind: TroubleKind) {
        if kind != TroubleKind::Throttled {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Sits inside every client: counts attempts and throttles, and makes retries pay their token too.
#[derive(Debug)]
pub(super) struct Counting {
    ledger: Arc<Ledger>,
    limiter: Option<Arc<Limiter>>,
    places: Arc<Places>,
    clock: Clock,
}

impl Counting {
    /// For the clients of a site.
    pub(super) fn new(ledger: Arc<Ledger>, limiter: Arc<Limiter>, places: Arc<Places>, clock: Clock) -> Self {
        Self { ledger, limiter: Some(limiter), places, clock }
    }

    /// For requests that get credentials, which have no bucket of ours.
    pub(super) fn alone(ledger: Arc<Ledger>, places: Arc<Places>, clock: Clock) -> Self {
        Self { ledger, limiter: None, places, clock }
    }
}

fn api_of(cfg: &ConfigBag) -> Option<Api> {
    cfg.load::<Metadata>().and_then(|metadata| Api::named(metadata.name()))
}

impl Intercept for Counting {
    fn name(&self) -> &'static str {
        "coredeck counting"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.ledger.calls.fetch_add(1, Ordering::Relaxed);
        Slip::leaves(|| self.clock.now(), || sent(context.request()));
        let Some(api) = api_of(cfg) else { return Ok(()) };
        self.places.note(api, context.request().uri());
        let is_retry = cfg.load::<RequestAttempts>().is_some_and(|tries| tries.attempts() > 1);
        if let (true, Some(limiter)) = (is_retry, &self.limiter) {
            limiter.owe(api.family());
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_throttled = is_throttled(context, components);
        let headers = context.response().map(|response| response.headers());
        let request_id = headers.and_then(|all| {
            ["x-amzn-requestid", "x-amzn-request-id", "x-amz-request-id"]
                .iter()
                .find_map(|name| all.get(*name))
        });
        Slip::came_back(request_id, is_throttled);
        if is_throttled {
            self.ledger.throttles.fetch_add(1, Ordering::Relaxed);
            if let (Some(limiter), Some(api)) = (&self.limiter, api_of(cfg)) {
                limiter.empty(api.family());
            }
        }
        Ok(())
    }
}

/// The SDK's own classifiers decide what a throttle is, so that we count what it backs off from.
fn is_throttled(context: &FinalizerInterceptorContextRef<'_>, components: &RuntimeComponents) -> bool {
    matches!(context.output_or_error(), Some(Err(_)))
        && matches!(
            run_classifiers_on_ctx(components.retry_classifiers(), context.inner()),
            RetryAction::RetryIndicated(RetryReason::RetryableError { kind: ErrorKind::ThrottlingError, .. })
        )
}

/// What of a request decides the command that repeats it. Its headers hold the signature and stay behind.
pub(super) fn sent(request: &HttpRequest) -> Sent {
    Sent {
        kind: request.headers().get("content-type").unwrap_or_default().to_owned(),
        body: request.body().bytes().unwrap_or_default().to_vec(),
        address: request.uri().to_owned(),
    }
}
