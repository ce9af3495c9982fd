//! Errors as text for people and as JSON for programs.

use super::choose::Mistyped;
use super::json;
use super::output::{Colour, paint};
use crate::config::{Faults, Place};
use crate::error::Error;
use crate::model::text::harmless;
use serde_json::{Value, json};
use std::error::Error as StdError;

/// What happened, what lies beneath it, and what to do next.
pub(super) fn text(error: &Error, colour: Colour) -> String {
    let mark = |word, style| paint(word, style, colour);
    let mut text = format!("{} {}", mark("error:", "31;1"), lines(&error.message));
    for cause in causes(error) {
        // These neutralise their own text, and have lines.
        if cause.is::<Faults>() || cause.is::<Mistyped>() {
            text.push_str(&format!("\n{cause}"));
        } else {
            text.push_str(&format!("\n  because {}", lines(&cause.to_string())));
        }
    }
    for hint in &error.hints {
        text.push_str(&format!("\n{} {}", mark("hint:", "36"), lines(hint)));
    }
    text
}

/// The same as one line of JSON.
pub(super) fn json(error: &Error) -> String {
    let mut causes_told = Vec::new();
    let mut faults = Vec::new();
    for cause in causes(error) {
        if let Some(list) = cause.downcast_ref::<Faults>() {
            faults.extend(list.0.iter().map(fault));
        } else if let Some(list) = cause.downcast_ref::<Mistyped>() {
            faults.extend(list.json());
        } else {
            causes_told.push(cause.to_string());
        }
    }
    let mut told = json!({
        "kind": error.kind.word(),
        "message": error.message,
        "causes": causes_told,
        "hints": error.hints,
    });
    if !faults.is_empty()
        && let Some(told) = told.as_object_mut()
    {
        told.insert("faults".to_owned(), Value::Array(faults));
    }
    json::line(&json!({"schema": "coredeck.error.v1", "error": told}))
}

fn fault(fault: &crate::config::Fault) -> Value {
    let mut told = match &fault.place {
        Place::File { path, line, column, .. } => {
            json!({"file": path.to_string_lossy(), "line": line, "column": column})
        }
        Place::Env(name) => json!({"env": name}),
        Place::Flag(name) => json!({"flag": name}),
    };
    if let Some(told) = told.as_object_mut() {
        told.insert("message".to_owned(), json!(fault.message));
        told.insert("hint".to_owned(), json!(fault.hint));
    }
    told
}

fn causes(error: &Error) -> Vec<&(dyn StdError + 'static)> {
    let mut causes = Vec::new();
    let mut next = StdError::source(error);
    while let Some(cause) = next {
        causes.push(cause);
        next = cause.source();
    }
    causes
}

/// Text of several lines, each made harmless.
fn lines(raw: &str) -> String {
    raw.lines().map(harmless).collect::<Vec<_>>().join("\n  ")
}
