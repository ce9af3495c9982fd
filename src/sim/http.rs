//! The wire: one handler that tells the protocols apart, finds the operation and writes what it answers.

mod spoil;

use self::spoil::{nonsense, spoiled};
use super::buckets::Buckets;
use super::fault::Fault;
use super::faults::{Faults, Mischief, Rule, Target, refusal};
use super::identity::{Credential, credential, opted_in};
use super::input::{self, Input};
use super::journal::{Entry, Journal, Outcome, made};
use super::route53;
use super::service::{Answer, Call, Protocol, Run, SERVICES, Service};
use super::shape::{Shape, element};
use super::skew;
use super::time::Moment;
use super::wire::Switch;
use super::world::World;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use tokio_util::sync::CancellationToken;

/// The largest body that is read.
const LARGEST: usize = 4 << 20;

/// What every request sees.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) journal: Journal,
    pub(crate) faults: Faults,
    /// None when calls are not counted.
    pub(crate) buckets: Option<Buckets>,
    /// How far the wire's clock is off the machine's.
    pub(crate) clock_off: jiff::SignedDuration,
    pub(crate) served: AtomicU64,
    /// Cancelled when the simulator ends; what hangs on purpose waits for no longer.
    pub(crate) stop: CancellationToken,
}

/// A request, understood as far as its service, operation and content.
struct Asked {
    service: &'static Service,
    protocol: Protocol,
    /// JSON 1.0 rather than 1.1.
    is_json_10: bool,
    operation: String,
    content: serde_json::Value,
}

/// Answers one request, by the wire's clock.
pub(crate) async fn answer(
    State(site): State<Arc<Site>>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: Request,
) -> Response {
    let mut response = answer_one(&site, switch, request).await;
    if !site.clock_off.is_zero() && !response.headers().contains_key(header::DATE) {
        skew::stamp(&mut response, site.clock_off);
    }
    response
}

async fn answer_one(site: &Site, switch: Switch, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let serial = site.served.fetch_add(1, Ordering::Relaxed);
    let request_id = super::dice::Dice::new(site.world.seed ^ serial, "request").uuid();
    let body = match to_bytes(body, LARGEST).await {
        Ok(body) => body,
        Err(error) => {
            let fault = Fault::new("RequestEntityTooLarge", error.to_string()).with_status(413);
            return write_fault(&fault, Protocol::Query, false, None, &request_id);
        }
    };
    let credential = credential(&parts.headers);
    let named = credential.as_ref().map(|credential| credential.service.as_str()).unwrap_or_default();
    let line = (parts.method.as_str(), parts.uri.path(), parts.uri.query());
    let asked = match understand(line, &parts.headers, &body, named) {
        Ok(asked) => asked,
        Err((fault, protocol)) => return write_fault(&fault, protocol, false, None, &request_id),
    };
    let who = credential.as_ref().ok().and_then(|credential| site.world.caller(&credential.key));
    let region = credential.as_ref().map(|credential| credential.region).unwrap_or_default();
    let account = who.as_ref().map(|caller| Arc::clone(&caller.account)).unwrap_or_else(|| "".into());
    let operation = asked.service.operation(&asked.operation);
    let changes = operation.is_some_and(|known| matches!(known.run, Run::Write(_)));
    let target =
        Target { service: asked.service.name, call: &asked.operation, account: &account, region, changes };
    let rule = site.faults.hit(target, site.world.clock.now());
    let kind = rule.map(|rule| rule.kind);
    let arn = who.map(|caller| caller.arn).unwrap_or_else(|| "".into());
    let refused = kind.and_then(|kind| refusal(kind, target, &arn));
    let is_dropped =
        matches!(kind, Some(Mischief::Reset | Mischief::Hang | Mischief::Html | Mischief::Garbage));
    if is_dropped || refused.is_some() {
        let code = refused.as_ref().map(|fault| fault.code.to_string());
        let outcome = Outcome { answered: !is_dropped, ..Outcome::default() };
        site.note(&asked, (&account, region, &arn), code, kind, (&request_id, outcome));
    }
    if is_dropped && let Some(rule) = rule {
        return nonsense(rule, &site.stop, &switch, &request_id).await;
    }
    let outcome = match refused {
        Some(fault) => Err(fault),
        None => credential.and_then(|credential| {
            skew::check(&parts.headers, asked.service.name, site.clock_off)?;
            perform(site, &asked, credential, rule, &request_id)
        }),
    };
    let response = match outcome {
        Ok(mut shape) => {
            if kind == Some(Mischief::RepeatToken) {
                shape.repeat_token(Input::new(&asked.content));
            }
            write_answer(&shape, &asked, &request_id)
        }
        Err(fault) => write_fault(&fault, asked.protocol, asked.is_json_10, Some(asked.service), &request_id),
    };
    match rule {
        Some(rule) => spoiled(response, rule, &site.stop, &switch).await,
        None => response,
    }
}

fn perform(
    site: &Site,
    asked: &Asked,
    credential: Credential,
    rule: Option<&Rule>,
    request_id: &str,
) -> Answer {
    let world = &site.world;
    let caller = world.caller(&credential.key).ok_or_else(|| {
        Fault::new("InvalidClientTokenId", "The security token included in the request is invalid")
            .with_status(403)
    })?;
    let lag = rule.filter(|rule| rule.kind == Mischief::Stale).map(|rule| rule.delay);
    let lag = lag.map_or(0, |lag| i64::try_from(lag.as_millis()).unwrap_or(i64::MAX / 4));
    let now = world.clock.now();
    let call = Call {
        world,
        seed: world.seed,
        operation: &asked.operation,
        account: &caller.account,
        region: credential.region,
        caller: &caller,
        input: Input::new(&asked.content),
        now: Moment(now.0 - lag),
        request_id,
    };
    let place = (&caller.account, credential.region);
    let counted = site.buckets.as_ref().map_or(Ok(()), |buckets| {
        buckets.take(place, (asked.service.name, &asked.operation), call.input, now)
    });
    let outcome = counted.and_then(|()| run(&call, asked, &credential, now));
    let code = outcome.as_ref().err().map(|fault| fault.code.to_string());
    let kind = rule.map(|rule| rule.kind);
    let spoils = matches!(kind, Some(Mischief::LostAnswer | Mischief::Cut | Mischief::Truncate));
    let came = Outcome {
        acted: outcome.as_ref().map_or_else(|fault| fault.has_acted, |(_, repeats)| !repeats),
        answered: !spoils,
        made: outcome.as_ref().map(|(shape, _)| made(&asked.operation, shape)).unwrap_or_default(),
    };
    site.note(asked, (&caller.account, credential.region, &caller.arn), code, kind, (request_id, came));
    outcome.map(|(shape, _)| shape)
}

impl Site {
    /// Writes a call into the journal.
    fn note(
        &self,
        asked: &Asked,
        (account, region, caller): (&Arc<str>, &'static str, &Arc<str>),
        code: Option<String>,
        mischief: Option<Mischief>,
        (request_id, outcome): (&str, Outcome),
    ) {
        let operation = asked.service.operation(&asked.operation);
        let changes = operation.is_some_and(|known| matches!(known.run, Run::Write(_)));
        self.journal.write(Entry {
            serial: 0,
            at: self.world.clock.now(),
            elapsed: self.world.clock.ran(),
            account: Arc::clone(account),
            region,
            service: asked.service.name,
            operation: asked.operation.clone(),
            changes,
            caller: Arc::clone(caller),
            input: asked.content.clone(),
            code,
            mischief: mischief.map(Mischief::word),
            request_id: request_id.to_owned(),
            outcome: Outcome { acted: changes && outcome.acted, ..outcome },
        });
    }
}

/// Runs an operation; the answer, and whether the call repeats one under its client token. A call whose own moment
/// is before `now` is answered from the past.
fn run(call: &Call, asked: &Asked, credential: &Credential, now: Moment) -> Result<(Shape, bool), Fault> {
    let service = asked.service;
    if credential.service != service.name {
        return Err(Fault::new(
            "SignatureDoesNotMatch",
            format!("Credential should be scoped to correct service: '{}'.", service.name),
        )
        .with_status(403));
    }
    opted_in(call.region, service.name)?;
    let operation = service.operation(call.operation).ok_or_else(|| unknown_operation(asked))?;
    if let Some(stranger) = operation.stranger(call.input) {
        return Err(Fault::new(
            service.bad_parameter,
            format!("The parameter {stranger} of {} is not recognized here", call.operation),
        ));
    }
    let place = call.world.place(&call.caller.account, call.region);
    let past = &call.world.past;
    if place.read().unwrap_or_else(PoisonError::into_inner).is_due(now) {
        let mut place = place.write().unwrap_or_else(PoisonError::into_inner);
        place.advance(now);
        past.keep(&place, now);
    }
    match operation.run {
        Run::Read(read) => {
            let answer = match past.at(&call.caller.account, call.region, call.now) {
                Some(then) if call.now < now => read(call, &then),
                _ => read(call, &place.read().unwrap_or_else(PoisonError::into_inner)),
            };
            answer.map(|shape| (shape, false))
        }
        Run::Write(write) => {
            let mut place = place.write().unwrap_or_else(PoisonError::into_inner);
            place.now = place.now.max(now);
            place.tokens.repeats = false;
            let answer = write(call, &mut place);
            past.keep(&place, now);
            answer.map(|shape| (shape, place.tokens.repeats))
        }
    }
}

fn unknown_operation(asked: &Asked) -> Fault {
    match asked.protocol {
        Protocol::Ec2 => Fault::new(
            "InvalidAction",
            format!("The action {} is not valid for this web service.", asked.operation),
        ),
        Protocol::Query | Protocol::RestXml => Fault::new(
            "InvalidAction",
            format!("Could not find operation {} for version {}", asked.operation, asked.service.version),
        ),
        Protocol::Json => Fault::new("UnknownOperationException", ""),
        Protocol::Cbor => Fault::new("UnknownOperationException", "").with_status(404),
    }
}

/// Tells service, protocol and operation of a request, and reads its content.
fn understand(
    (method, path, query): (&str, &str, Option<&str>),
    headers: &HeaderMap,
    body: &Bytes,
    named: &str,
) -> Result<Asked, (Fault, Protocol)> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(rest) = path.strip_prefix("/service/") {
        let unknown = || (Fault::new("UnknownOperationException", "").with_status(404), Protocol::Cbor);
        let (target, operation) = rest.split_once("/operation/").ok_or_else(unknown)?;
        let service = SERVICES.iter().find(|service| service.target == target).ok_or_else(unknown)?;
        if text("smithy-protocol") != Some("rpc-v2-cbor") {
            return Err(unknown());
        }
        let content =
            if body.is_empty() {
                serde_json::json!({})
            } else {
                let parsed: Result<ciborium::Value, _> = ciborium::from_reader(body.as_ref());
                input::from_cbor(parsed.map_err(|error| {
                    (Fault::new("SerializationException", error.to_string()), Protocol::Cbor)
                })?)
            };
        let operation = operation.to_owned();
        return Ok(Asked { service, protocol: Protocol::Cbor, is_json_10: false, operation, content });
    }
    if let Some(target) = text("x-amz-target") {
        let unknown = || (Fault::new("UnknownOperationException", ""), Protocol::Json);
        let (prefix, operation) = target.rsplit_once('.').ok_or_else(unknown)?;
        let service = SERVICES.iter().find(|service| service.target == prefix).ok_or_else(unknown)?;
        let is_json_10 =
            text("content-type").is_some_and(|kind| kind.starts_with("application/x-amz-json-1.0"));
        let bytes: &[u8] = if body.is_empty() { b"{}" } else { body };
        let content: serde_json::Value = serde_json::from_slice(bytes)
            .map_err(|error| (Fault::new("SerializationException", error.to_string()), Protocol::Json))?;
        let operation = operation.to_owned();
        return Ok(Asked { service, protocol: Protocol::Json, is_json_10, operation, content });
    }
    if named == route53::SERVICE.name {
        let found = route53::asked(method, path, query.unwrap_or_default());
        let (operation, content) = found.ok_or_else(|| {
            let sentence = format!("{method} {path} is nothing that is served here");
            (Fault::new("InvalidAction", sentence), Protocol::RestXml)
        })?;
        let (service, operation) = (&route53::SERVICE, operation.to_owned());
        return Ok(Asked { service, protocol: Protocol::RestXml, is_json_10: false, operation, content });
    }
    let form = String::from_utf8_lossy(body);
    let content = input::from_form(if form.is_empty() { query.unwrap_or_default() } else { &form });
    let action = content.get("Action").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    let version = content.get("Version").and_then(serde_json::Value::as_str).unwrap_or_default();
    let service = SERVICES
        .iter()
        .find(|service| service.name == named)
        .or_else(|| SERVICES.iter().find(|service| service.version == version && service.target.is_empty()));
    let Some(service) = service else {
        let fault =
            Fault::new("InvalidAction", format!("Nothing here serves {action} of '{named}' {version}"));
        return Err((fault, Protocol::Query));
    };
    let protocol = if service.protocol == Protocol::Ec2 { Protocol::Ec2 } else { Protocol::Query };
    if action.is_empty() {
        let fault = Fault::new("MissingAction", "The request must contain the parameter Action");
        return Err((fault, protocol));
    }
    if version != service.version {
        let sentence = format!("Could not find operation {action} for version {version}");
        return Err((Fault::new("InvalidAction", sentence), protocol));
    }
    Ok(Asked { service, protocol, is_json_10: false, operation: action, content })
}

fn write_answer(shape: &Shape, asked: &Asked, request_id: &str) -> Response {
    let written = match asked.protocol {
        Protocol::Json => Ok(shape.json().to_string().into_bytes()),
        Protocol::Cbor => cbor_bytes(&shape.cbor()),
        Protocol::Ec2 => Ok(xml(&asked.operation, asked.service.namespace, |out| {
            element(out, "requestId", &Shape::from(request_id), "item");
            shape.write_xml(out, "item");
        })),
        Protocol::RestXml => {
            Ok(xml(&asked.operation, asked.service.namespace, |out| shape.write_xml(out, "member")))
        }
        Protocol::Query => Ok(xml(&asked.operation, asked.service.namespace, |out| {
            element(out, &format!("{}Result", asked.operation), shape, "member");
            let meta = super::shape::Fields::new().with("RequestId", request_id);
            element(out, "ResponseMetadata", &meta.into(), "member");
        })),
    };
    match written {
        Ok(bytes) => respond(200, asked.protocol, asked.is_json_10, request_id, bytes),
        Err(error) => {
            let fault = Fault::new("InternalFailure", error.to_string()).with_status(500);
            write_fault(&fault, asked.protocol, asked.is_json_10, Some(asked.service), request_id)
        }
    }
}

fn cbor_bytes(value: &ciborium::Value) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

fn xml(operation: &str, namespace: &str, content: impl FnOnce(&mut String)) -> Vec<u8> {
    let mut out = String::with_capacity(4096);
    out.push_str(r#"<?xml version="1.0" encoding="UTF-8"?>"#);
    out.push_str(&format!(r#"<{operation}Response xmlns="{namespace}">"#));
    content(&mut out);
    out.push_str(&format!("</{operation}Response>"));
    out.into_bytes()
}

fn write_fault(
    fault: &Fault,
    protocol: Protocol,
    is_json_10: bool,
    service: Option<&Service>,
    request_id: &str,
) -> Response {
    use super::shape::Fields;
    let written = match protocol {
        Protocol::Json => {
            let body = serde_json::json!({ "__type": fault.code, "message": fault.message });
            Ok(body.to_string().into_bytes())
        }
        Protocol::Cbor => {
            let code = format!("com.amazonaws.cloudwatch#{}", fault.code);
            let body = Fields::new().with("__type", code).with("message", &fault.message);
            cbor_bytes(&Shape::from(body).cbor())
        }
        Protocol::Ec2 => {
            let error = Fields::new().with("Code", fault.code.as_ref()).with("Message", &fault.message);
            let errors = Fields::new().with("Errors", Fields::new().with("Error", error));
            let body: Shape = errors.with("RequestID", request_id).into();
            let mut out = String::new();
            element(&mut out, "Response", &body, "item");
            Ok(out.into_bytes())
        }
        Protocol::Query | Protocol::RestXml => {
            let error = Fields::new()
                .with("Type", if fault.is_senders() { "Sender" } else { "Receiver" })
                .with("Code", fault.code.as_ref())
                .with("Message", &fault.message);
            let body: Shape = Fields::new().with("Error", error).with("RequestId", request_id).into();
            let namespace = service.map_or("", |service| service.namespace);
            let mut out = format!(r#"<ErrorResponse xmlns="{namespace}">"#);
            body.write_xml(&mut out, "member");
            out.push_str("</ErrorResponse>");
            Ok(out.into_bytes())
        }
    };
    let mut response = respond(fault.status, protocol, is_json_10, request_id, written.unwrap_or_default());
    if matches!(protocol, Protocol::Json | Protocol::Cbor) && service.is_some_and(|s| s.name == "monitoring")
    {
        let side = if fault.is_senders() { "Sender" } else { "Receiver" };
        if let Ok(value) = HeaderValue::from_str(&format!("{};{side}", fault.code)) {
            response.headers_mut().insert("x-amzn-query-error", value);
        }
    }
    response
}

fn respond(status: u16, protocol: Protocol, is_json_10: bool, request_id: &str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = match protocol {
        Protocol::Ec2 | Protocol::Query | Protocol::RestXml => "text/xml;charset=UTF-8",
        Protocol::Json if is_json_10 => "application/x-amz-json-1.0",
        Protocol::Json => "application/x-amz-json-1.1",
        Protocol::Cbor => "application/cbor",
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if protocol == Protocol::Cbor {
        headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", value);
    }
    response
}
