//! One cell, as text for a table, as JSON, and as text for CSV.

use crate::model::text::harmless;
use crate::model::{Health, Tags};
use crate::query::{Unit, Value};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::time::Duration;

/// Text for a table: harmless, on one line; `-` for nothing, `?` for what is not known.
pub(super) fn text(value: &Value<'_>, unit: Unit, now: Timestamp) -> String {
    match value {
        Value::Absent => "-".to_owned(),
        Value::Unknown(_) => "?".to_owned(),
        Value::Text(text) if text.is_empty() => "-".to_owned(),
        Value::Text(text) => harmless(text).into_owned(),
        Value::Count(n) if unit == Unit::Mebibytes => mebibytes(*n),
        Value::Count(n) => n.to_string(),
        Value::Number(n) => number(*n, unit),
        Value::Moment(at) => age(*at, now),
        Value::Span(span) => self::span(*span),
        Value::Dollars(usd) => usd.to_string(),
        Value::Flag(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::List(items) if items.is_empty() => "-".to_owned(),
        Value::List(items) => items.iter().map(|item| harmless(item)).collect::<Vec<_>>().join(","),
        Value::Tags(tags) if tags.is_empty() => "-".to_owned(),
        Value::Tags(tags) => pairs(tags).join(","),
        Value::Nested(json) => {
            let text = parts(json);
            if text.is_empty() { "-".to_owned() } else { harmless(&text).into_owned() }
        }
        Value::Health(health) => format!("{} {}", sign(*health), health.word()),
    }
}

/// JSON, typed. What is not known is null, like what is absent; warnings say what is not known.
pub(super) fn json(value: &Value<'_>) -> Json {
    match value {
        Value::Absent | Value::Unknown(_) => Json::Null,
        Value::Text(text) => json!(text),
        Value::Count(n) => json!(n),
        Value::Number(n) => json!(n),
        Value::Moment(at) => json!(at.to_string()),
        Value::Span(span) => json!(span.as_secs()),
        Value::Dollars(usd) => json!(usd),
        Value::Flag(yes) => json!(yes),
        Value::List(items) => json!(items),
        Value::Tags(tags) => json!(tags),
        Value::Nested(json) => json.clone(),
        Value::Health(health) => json!(health.word()),
    }
}

/// Text for CSV: what JSON has, without quotes where it is a scalar; harmless, since it may be shown.
pub(super) fn csv(value: &Value<'_>) -> String {
    match json(value) {
        Json::Null => String::new(),
        Json::String(text) => harmless(&text).into_owned(),
        scalar @ (Json::Bool(_) | Json::Number(_)) => scalar.to_string(),
        block => super::json::line(&block),
    }
}

/// Sign and word together, so that nobody needs to see colours.
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

/// The texts of something with parts, on one line.
fn parts(json: &Json) -> String {
    let of = |texts: Vec<String>, between: &str| {
        texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(between)
    };
    match json {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Array(items) => of(items.iter().map(parts).collect(), ", "),
        Json::Object(fields) => of(fields.values().map(parts).collect(), " "),
        scalar => scalar.to_string(),
    }
}

/// A moment as its distance from now: `3d4h`, `in 5m`.
pub(super) fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(at.as_second());
    let distance = span(Duration::from_secs(seconds.unsigned_abs()));
    if seconds < 0 { format!("in {distance}") } else { distance }
}

/// A span by its two largest units.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let Some(first) = units.iter().position(|(_, each)| seconds >= *each) else { return "0s".to_owned() };
    let mut rest = seconds;
    let mut text = String::new();
    // Beyond ten days hours do not matter, beyond ten hours minutes do not.
    for (unit, each) in units.iter().skip(first).take(2) {
        let count = rest / each;
        rest %= each;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
        if count >= 10 && text.len() > 2 {
            break;
        }
    }
    text
}

fn number(n: f64, unit: Unit) -> String {
    match unit {
        Unit::Percent => format!("{n:.1}%"),
        Unit::BytesPerSecond => bytes(n),
        _ if n.fract() == 0.0 => format!("{n:.0}"),
        _ => format!("{n:.1}"),
    }
}

fn bytes(n: f64) -> String {
    let mut left = n;
    for unit in ["B/s", "kB/s", "MB/s", "GB/s"] {
        if left < 1000.0 {
            return if unit == "B/s" { format!("{left:.0}{unit}") } else { format!("{left:.1}{unit}") };
        }
        left /= 1000.0;
    }
    format!("{left:.1}TB/s")
}

fn mebibytes(n: i64) -> String {
    if n >= 1024 && n % 1024 == 0 { format!("{}Gi", n / 1024) } else { format!("{n}Mi") }
}

#[cfg(test)]
mod tests {
    use super::{age, bytes, csv, json, mebibytes, span, text};
    use crate::query::{Unit, Value};
    use jiff::Timestamp;
    use serde_json::json;
    use std::time::Duration;

    #[test]
    fn spans_keep_what_matters() {
        let told = |seconds| span(Duration::from_secs(seconds));
        assert_eq!(told(0), "0s");
        assert_eq!(told(59), "59s");
        assert_eq!(told(61), "1m1s");
        assert_eq!(told(3 * 3600), "3h");
        assert_eq!(told(3 * 86_400 + 4 * 3600 + 59), "3d4h");
        assert_eq!(told(400 * 86_400 + 3600), "400d");
        assert_eq!(told(86_400 + 59), "1d");
        let at = Timestamp::UNIX_EPOCH + Duration::from_secs(3600);
        assert_eq!(age(at, Timestamp::UNIX_EPOCH), "in 1h");
    }

    #[test]
    fn numbers_by_unit() {
        assert_eq!((bytes(999.0).as_str(), bytes(1_500_000.0).as_str()), ("999B/s", "1.5MB/s"));
        assert_eq!((mebibytes(2048).as_str(), mebibytes(1500).as_str()), ("2Gi", "1500Mi"));
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(text(&Value::Number(81.25), Unit::Percent, now), "81.2%");
        assert_eq!(json(&Value::Number(f64::NAN)), json!(null));
    }

    #[test]
    fn nested_values_are_texts_in_tables_and_json_in_csv() {
        let value = Value::Nested(json!([{"code": "reboot", "at": null}, {"code": "\u{1b}[2J", "at": 3}]));
        assert_eq!(text(&value, Unit::Nested, Timestamp::UNIX_EPOCH), "reboot, 3 ␛[2J");
        assert_eq!(csv(&value), r#"[{"at":null,"code":"reboot"},{"at":3,"code":"\u001b[2J"}]"#);
    }
}
