//! Changes: each sent once through `call`, told in domain types, and honest about what is not known.
//!
//! [`Pen`] is what a service's file writes with. In ink it sends; dry it asks EC2 whether it would; in pencil
//! it only makes the request, so that the aws command of a preview is read back from the very request that
//! would be sent.

use super::Aws;
use super::api::Api;
use super::call::{Desk, Stop};
use super::command::{Place, Sent, command};
use super::errors::Doubt;
use super::{autoscaling, ec2, ecs, elb, ssm};
use crate::gateway::change::{Answered, Miss};
use crate::gateway::core::Sealing;
use crate::gateway::{
    Again, CallRecord, Change, FleetWriter, Proof, Receipt, Seals, Token, Urgency, WriteError,
    is_yes_to_a_dry_run,
};
use crate::model::{Scope, Sealed, TemplateRef, Trouble, TroubleKind};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How documents are called whose commands only read, for somebody who looks on.
const READS: &str = "coredeck-read-";

/// What a service made of an answer.
pub(super) struct Done {
    /// What AWS said.
    pub(super) answered: Answered,
    /// Targets that it left out.
    pub(super) missed: Vec<Miss>,
}

impl From<Answered> for Done {
    fn from(answered: Answered) -> Self {
        Self { answered, missed: Vec::new() }
    }
}

/// How a request is treated.
#[derive(Clone, Debug)]
pub(super) enum Hand {
    /// Sent with one attempt.
    Once,
    /// Sent with the session's retries: it carries a token, or changes nothing.
    Again,
    /// Made and not sent.
    Pencil(Drawing),
}

/// What a service's file writes a change with.
pub(super) struct Pen<'a> {
    desk: &'a Desk,
    hand: Hand,
    is_dry: bool,
    record: Mutex<Option<Arc<CallRecord>>>,
}

impl<'a> Pen<'a> {
    fn new(desk: &'a Desk, hand: Hand, is_dry: bool) -> Self {
        Self { desk, hand, is_dry, record: Mutex::default() }
    }

    /// Where the clients are.
    pub(super) fn desk(&self) -> &'a Desk {
        self.desk
    }

    /// How requests are treated.
    pub(super) fn hand(&self) -> Hand {
        self.hand.clone()
    }

    /// What a call of EC2 is given for its `DryRun`: nothing at all unless it is dry.
    pub(super) fn dry(&self) -> Option<bool> {
        self.is_dry.then_some(true)
    }

    /// Whether EC2 is only asked if it would.
    pub(super) fn is_dry(&self) -> bool {
        self.is_dry
    }

    fn held(&self) -> MutexGuard<'_, Option<Arc<CallRecord>>> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the one request of a change, if it is in ink.
    pub(super) async fn put<T, E, F, Fut>(&self, api: Api, request: F) -> Result<T, Stop>
    where
        T: Send,
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        if matches!(self.hand, Hand::Pencil(_)) {
            // It ends where the drawing was made; what it ends with is the interceptor's own word.
            let _ = request().await;
            return Err(Stop::before(self.desk.trouble(api, TroubleKind::Other, "this was a preview")));
        }
        let (answer, record) = self.desk.send(api, 1, request).await?;
        *self.held() = record;
        Ok(answer)
    }

    /// What is known of a change that was sent.
    fn receipt(&self, Done { answered, missed }: Done) -> Receipt {
        let record = self.held().take();
        Receipt {
            request_id: record.as_ref().and_then(|record| record.request_id.clone()),
            at: self.desk.now(),
            command: record.map(|record| record.command.to_string()).unwrap_or_default(),
            answered,
            missed,
        }
    }

    /// A change of another service than the file that was asked for it.
    pub(super) fn elsewhere(&self, change: &Change) -> Stop {
        let api = Api::of_action(change.action()).unwrap_or(Api::GetCallerIdentity);
        let said = format!("{} belongs to another service", change.action());
        Stop::before(self.desk.trouble(api, TroubleKind::Other, said))
    }
}

/// Sends an operation of the SDK as the pen's hand says.
macro_rules! inked {
    ($pen:expr, $sdk:ident, $operation:expr) => {{
        let operation = $operation.customize();
        let operation = match $pen.hand() {
            $crate::aws::change::Hand::Pencil(drawing) => operation.interceptor(drawing),
            $crate::aws::change::Hand::Once => operation.config_override(
                $sdk::config::Builder::new().retry_config(aws_smithy_types::retry::RetryConfig::disabled()),
            ),
            $crate::aws::change::Hand::Again => operation,
        };
        operation.send()
    }};
}
pub(super) use inked;

/// A request that was made and held back.
#[derive(Clone, Debug, Default)]
pub(super) struct Drawing(Arc<Mutex<Option<Sent>>>);

impl Intercept for Drawing {
    fn name(&self) -> &'static str {
        "coredeck drawing"
    }

    fn read_after_serialization(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let sent = super::ledger::sent(context.request());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
        Err("held back".into())
    }
}

async fn put(pen: &Pen<'_>, change: &Change, token: &Token) -> Result<Done, Stop> {
    match change.action().split(':').next() {
        Some("ecs") => ecs::change(pen, change).await,
        Some("autoscaling") => autoscaling::change(pen, change).await,
        Some("elasticloadbalancing") => elb::change(pen, change).await,
        Some("ssm") => ssm::change(pen, change).await,
        _ => ec2::change(pen, change, token).await,
    }
}

/// Carries out changes in the accounts of a fleet.
pub struct Writer(Arc<Aws>);

impl Aws {
    /// Who carries out changes; nobody in read-only mode.
    pub fn writer(self: &Arc<Self>) -> Option<Writer> {
        (!self.read_only).then(|| Writer(Arc::clone(self)))
    }
}

impl Writer {
    async fn desk(&self, scope: &Scope) -> Result<Desk, WriteError> {
        let site = self.0.site(scope).await.map_err(|error| WriteError::NotSent(error.trouble))?;
        Ok(Desk::of_changes(site))
    }

    async fn checked(&self, scope: &Scope, change: &Change) -> Result<Desk, WriteError> {
        let mut desk = self.desk(scope).await?;
        // A command that only reads for somebody who looks on must not keep an operation waiting.
        if matches!(change, Change::SendCommand { document, .. } if document.name.starts_with(READS)) {
            desk = desk.at(Urgency::Screen);
        }
        match (change.fault(), Api::of_action(change.action())) {
            (Some(fault), Some(api)) => {
                Err(WriteError::NotSent(desk.trouble(api, TroubleKind::Refused, fault)))
            }
            _ => Ok(desk),
        }
    }

    async fn commit(&self, scope: &Scope, change: &Change, token: &Token) -> Result<Receipt, WriteError> {
        let desk = self.checked(scope, change).await?;
        // "No room" comes with the status of a broken service: sent again and again it would be in doubt, where it is a plain
        // no. A launch whose answer is lost is asked again by whoever made it, with the same token.
        let is_launch = matches!(change, Change::RunInstance { .. });
        let hand = if change.again() == Again::Token && !is_launch { Hand::Again } else { Hand::Once };
        let pen = Pen::new(&desk, hand, false);
        let done = put(&pen, change, token).await.map_err(|stop| told(in_part(change, stop)))?;
        Ok(pen.receipt(done))
    }

    async fn shut(&self, scope: &Scope, sealing: &Sealing, value: &Sealed) -> Result<Receipt, WriteError> {
        let change = Change::SealSecret { sealing: sealing.clone() };
        let desk = self.checked(scope, &change).await?;
        let pen = Pen::new(&desk, Hand::Once, false);
        let done = ssm::seal(&pen, sealing, value).await.map_err(told)?;
        Ok(pen.receipt(done))
    }

    async fn ask(&self, scope: &Scope, change: &Change) -> Result<Proof, WriteError> {
        let desk = self.checked(scope, change).await?;
        if !change.can_be_proved() {
            return Ok(Proof::None);
        }
        let pen = Pen::new(&desk, Hand::Again, true);
        // A dry run keeps no token: the real call may use the same one.
        proof(put(&pen, change, &Token::of(&["dry run"])).await.map(|_| ()), &desk)
    }
}

/// Asks whether one instance of a template version would be launched: why not, or none when it would.
pub(super) async fn would_launch(
    desk: &Desk,
    template: &TemplateRef,
    subnet: Option<&str>,
    kind: Option<&str>,
) -> Result<Option<Trouble>, Trouble> {
    let pen = Pen::new(desk, Hand::Again, true);
    match proof(ec2::launch(&pen, template, subnet, kind).await, desk) {
        Ok(_) => Ok(None),
        Err(WriteError::Refused(trouble)) if trouble.kind != TroubleKind::Throttled => Ok(Some(trouble)),
        Err(error) => Err(error.trouble().clone()),
    }
}

/// What a dry run's end says.
fn proof(end: Result<(), Stop>, desk: &Desk) -> Result<Proof, WriteError> {
    match end {
        Err(stop) if is_yes_to_a_dry_run(stop.trouble.code.as_deref()) => {
            Ok(Proof::Proved { request_id: stop.trouble.request_id })
        }
        Err(stop) => Err(told(stop)),
        Ok(()) => {
            let said = "EC2 took a dry run for the real thing: it may have happened";
            let trouble = desk.trouble(Api::RunInstances, TroubleKind::Garbled, said);
            Err(WriteError::Unknown(trouble))
        }
    }
}

/// A no that is one for a part of the targets only: of several instances EC2 keeps those whose zone has a protected
/// one, says no to the whole call, and ends the others all the same.
fn in_part(change: &Change, stop: Stop) -> Stop {
    let is_several = matches!(change, Change::TerminateInstances { instances } if instances.len() > 1);
    match stop.trouble.code.as_deref() {
        Some("OperationNotPermitted") if is_several => Stop { doubt: Doubt::MayHaveActed, ..stop },
        _ => stop,
    }
}

fn told(Stop { trouble, doubt }: Stop) -> WriteError {
    match doubt {
        Doubt::NotSent => WriteError::NotSent(trouble),
        Doubt::No => WriteError::Refused(trouble),
        Doubt::MayHaveActed => WriteError::Unknown(with_doubt(trouble)),
    }
}

/// A hint for those who read the error alone: the same again may be too much.
fn with_doubt(trouble: Trouble) -> Trouble {
    let hint = trouble.hint.or_else(|| Some("look at what it was for before it is done again".to_owned()));
    Trouble { hint, ..trouble }
}

impl Seals for Writer {
    fn seal<'a>(
        &'a self,
        scope: &'a Scope,
        sealing: &'a Sealing,
        value: &'a Sealed,
    ) -> BoxFuture<'a, Result<Receipt, WriteError>> {
        self.shut(scope, sealing, value).boxed()
    }
}

impl FleetWriter for Writer {
    fn write<'a>(
        &'a self,
        scope: &'a Scope,
        change: &'a Change,
        token: &'a Token,
    ) -> BoxFuture<'a, Result<Receipt, WriteError>> {
        self.commit(scope, change, token).boxed()
    }

    fn prove<'a>(&'a self, scope: &'a Scope, change: &'a Change) -> BoxFuture<'a, Result<Proof, WriteError>> {
        self.ask(scope, change).boxed()
    }

    fn command<'a>(
        &'a self,
        scope: &'a Scope,
        change: &'a Change,
        token: &'a Token,
    ) -> BoxFuture<'a, Result<String, WriteError>> {
        async move {
            let desk = self.checked(scope, change).await?;
            let drawing = Drawing::default();
            let pen = Pen::new(&desk, Hand::Pencil(drawing.clone()), false);
            let end = put(&pen, change, token).await;
            let sent = drawing.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            let origin = desk.site().origin();
            let place = Place {
                region: scope.region.as_str(),
                profile: origin.profile.as_deref(),
                endpoint: origin.endpoint.as_deref(),
            };
            let told_back =
                Api::of_action(change.action()).zip(sent).and_then(|(api, sent)| command(api, &sent, &place));
            match (told_back, end) {
                (Some(command), _) => Ok(command),
                (None, Err(stop)) => Err(told(stop)),
                (None, Ok(_)) => Ok(String::new()),
            }
        }
        .boxed()
    }
}
