//! The wire's own clock, and signatures whose date it does not believe.
//!
//! Clients sign with the machine's time, whatever the pretended time is; so the wire compares with the
//! machine's too, off by as much as it was told.

use super::fault::Fault;
use crate::clock::Clock;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};

/// How far a signature's date may be off.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// The time on the wire.
pub(crate) fn wire_time(off: SignedDuration) -> Timestamp {
    let now = Clock::Real.now();
    now.checked_add(off).unwrap_or(now)
}

/// Refuses a signature that is too old or of the future. Requests without a date are let in: only what signs
/// for itself leaves it out.
pub(crate) fn check(headers: &HeaderMap, service: &str, off: SignedDuration) -> Result<(), Fault> {
    let sent = headers.get("x-amz-date").and_then(|value| value.to_str().ok());
    let Some(sent) = sent.and_then(read) else { return Ok(()) };
    let now = wire_time(off);
    let apart = sent.duration_since(now);
    if apart.abs() <= TOLERANCE {
        return Ok(());
    }
    let edge = if apart.is_negative() { now - TOLERANCE } else { now + TOLERANCE };
    let message = if apart.is_negative() {
        format!(
            "Signature expired: {} is now earlier than {} ({} - 5 min.)",
            show(sent),
            show(edge),
            show(now)
        )
    } else {
        format!(
            "Signature not yet current: {} is still later than {} ({} + 5 min.)",
            show(sent),
            show(edge),
            show(now)
        )
    };
    Err(match service {
        "ec2" => Fault::new("RequestExpired", "Request has expired."),
        "ecs" | "ssm" | "logs" | "pricing" => Fault::new("InvalidSignatureException", message),
        _ => Fault::new("SignatureDoesNotMatch", message).with_status(403),
    })
}

fn read(text: &str) -> Option<Timestamp> {
    let at = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", text).ok()?;
    at.to_datetime().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn show(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Writes the wire's time into an answer.
pub(crate) fn stamp(response: &mut Response, off: SignedDuration) {
    let date = wire_time(off).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(value) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, value);
    }
}
