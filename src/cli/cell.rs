//! One cell for a table, for CSV, and the signs and styles of health.

use crate::model::text::harmless;
use crate::model::{Health, Tags};
use crate::query::{Unit, Value};
use jiff::Timestamp;
use serde_json::Value as Json;

/// Text for a table: as everywhere, but health has its sign, and empty text shows as nothing.
pub(super) fn text(value: Value<'_>, unit: Unit, now: Timestamp) -> String {
    match value {
        Value::Health(health) => format!("{} {}", sign(health), health.word()),
        Value::Text(text) if text.is_empty() => "-".to_owned(),
        value => value.show(unit, now).into_owned(),
    }
}

/// Text for CSV: what JSON has, without quotes where it is a scalar; harmless, since it may be shown.
pub(super) fn csv(value: Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => harmless(&text).into_owned(),
        scalar @ (Json::Bool(_) | Json::Number(_)) => scalar.to_string(),
        block => super::json::line(&block),
    }
}

/// Sign and word stand together, so that nobody needs to see colours.
pub(super) fn sign(health: Health) -> &'static str {
    match health {
        Health::Ok => "●",
        Health::Busy => "…",
        Health::Unknown => "?",
        Health::Warn => "▲",
        Health::Bad => "✖",
    }
}

/// The style of a health.
pub(super) fn style(health: Health) -> &'static str {
    match health {
        Health::Ok => "32",
        Health::Busy => "36",
        Health::Unknown => "2",
        Health::Warn => "33",
        Health::Bad => "31;1",
    }
}

/// `key=value`, harmless.
pub(super) fn pairs(tags: &Tags) -> Vec<String> {
    tags.iter().map(|(key, value)| format!("{}={}", harmless(key), harmless(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::csv;
    use serde_json::json;

    #[test]
    fn csv_holds_scalars_bare_and_blocks_as_json() {
        assert_eq!(csv(json!("a\u{1b}[2J")), "a␛[2J");
        assert_eq!(csv(json!(null)), "");
        assert_eq!(csv(json!(1.5)), "1.5");
        assert_eq!(csv(json!(["a", "\u{9b}m"])), r#"["a","\u009bm"]"#);
    }
}
