//! What the session's requests cost: every attempt counted as it leaves, retries included, and the
//! dollars that AWS bills for some of them.

use super::api::Api;
use super::limit::Limiter;
use super::places::Places;
use crate::gateway::Spending;
use crate::model::{TroubleKind, Usd};
use aws_smithy_runtime::client::retries::classifiers::run_classifiers_on_ctx;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::retries::classifiers::{RetryAction, RetryReason};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Counters of one session, shared by all accounts and regions.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    calls: AtomicU64,
    throttles: AtomicU64,
    failures: AtomicU64,
    micros: AtomicI64,
}

impl Ledger {
    /// What has been spent so far.
    pub(super) fn spending(&self) -> Spending {
        Spending {
            calls: self.calls.load(Ordering::Relaxed),
            throttles: self.throttles.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            dollars: Usd::from_micros(self.micros.load(Ordering::Relaxed)),
        }
    }

    /// Books what an answered request costs.
    pub(super) fn bill(&self, api: Api, pieces: usize) {
        let price = api.price() * i64::try_from(pieces).unwrap_or(i64::MAX);
        if price != Usd::ZERO {
            self.micros.fetch_add(price.micros(), Ordering::Relaxed);
        }
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
}

impl Counting {
    /// For the clients of a site.
    pub(super) fn new(ledger: Arc<Ledger>, limiter: Arc<Limiter>, places: Arc<Places>) -> Self {
        Self { ledger, limiter: Some(limiter), places }
    }

    /// For requests that get credentials, which have no bucket of ours.
    pub(super) fn alone(ledger: Arc<Ledger>, places: Arc<Places>) -> Self {
        Self { ledger, limiter: None, places }
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
        if !matches!(context.output_or_error(), Some(Err(_))) {
            return Ok(());
        }
        // The SDK's own classifiers decide what a throttle is, so that we count what it backs off from.
        let action = run_classifiers_on_ctx(components.retry_classifiers(), context.inner());
        let RetryAction::RetryIndicated(RetryReason::RetryableError { kind, .. }) = action else {
            return Ok(());
        };
        if kind == ErrorKind::ThrottlingError {
            self.ledger.throttles.fetch_add(1, Ordering::Relaxed);
            if let (Some(limiter), Some(api)) = (&self.limiter, api_of(cfg)) {
                limiter.empty(api.family());
            }
        }
        Ok(())
    }
}
