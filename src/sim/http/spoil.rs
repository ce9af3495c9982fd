//! What faults do to answers: nonsense instead of one, or one that comes late, cut or not at all.

use crate::sim::faults::{Mischief, Rule};
use crate::sim::wire::Switch;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures::StreamExt as _;
use std::io;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Within which the system has sent what was written.
const FLUSHED: Duration = Duration::from_millis(50);

/// What comes instead of an answer when nothing was done.
pub(super) async fn nonsense(
    rule: &Rule,
    stop: &CancellationToken,
    switch: &Switch,
    request_id: &str,
) -> Response {
    match rule.kind {
        Mischief::Hang => {
            stop.cancelled().await;
            switch.throw();
            Response::new(Body::empty())
        }
        Mischief::Html => {
            let page = "<!doctype html><html><head><title>500 Internal Server Error</title></head><body><h1>Internal Server Error</h1></body></html>";
            let mut response = Response::new(Body::from(page));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            response
        }
        Mischief::Garbage => {
            let mut dice = crate::sim::dice::Dice::new(0, request_id);
            let bytes: Vec<u8> = (0..400).flat_map(|_| dice.bits().to_le_bytes()).collect();
            Response::new(Body::from(bytes))
        }
        _ => {
            switch.throw();
            Response::new(Body::empty())
        }
    }
}

/// What a rule does to an answer.
pub(super) async fn spoiled(
    response: Response,
    rule: &Rule,
    stop: &CancellationToken,
    switch: &Switch,
) -> Response {
    match rule.kind {
        Mischief::Slow => {
            tokio::select! {
                () = tokio::time::sleep(rule.delay) => {}
                () = stop.cancelled() => {}
            }
            response
        }
        Mischief::LostAnswer => {
            switch.throw();
            response
        }
        Mischief::Skew => {
            let mut response = response;
            crate::sim::skew::stamp(
                &mut response,
                jiff::SignedDuration::try_from(rule.delay).unwrap_or_default(),
            );
            response
        }
        Mischief::Cut | Mischief::Truncate => {
            let (mut parts, body) = response.into_parts();
            let Ok(bytes) = to_bytes(body, usize::MAX).await else {
                return Response::from_parts(parts, Body::empty());
            };
            let half = bytes.slice(..bytes.len() / 2);
            if rule.kind == Mischief::Truncate {
                return Response::from_parts(parts, Body::from(half));
            }
            parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            // What is written before has to be on the wire when the connection breaks.
            let broken = async {
                tokio::time::sleep(FLUSHED).await;
                Err(io::Error::from(io::ErrorKind::ConnectionReset))
            };
            let stream = futures::stream::iter([Ok(half)]).chain(futures::stream::once(broken));
            Response::from_parts(parts, Body::from_stream(stream))
        }
        _ => response,
    }
}
