//! Cells as people and programs read them: ages and sizes in short, JSON with numbers as numbers.

use super::columns::Ctx;
use super::value::{Unit, Value};
use crate::model::text::harmless;
use jiff::Timestamp;
use serde_json::{Number, Value as Json};
use std::borrow::Cow;
use std::time::Duration;

impl<'a> Value<'a> {
    /// Returns the cell as tables show it, in its column's unit, harmless to a terminal: `3d4h`, `80%`,
    /// `1.5MiB/s`, `yes`; `-` for what is absent, `?` for what is not known.
    pub fn show(self, unit: Unit, now: Timestamp) -> Cow<'a, str> {
        match self {
            Self::Absent => Cow::Borrowed("-"),
            Self::Unknown(_) => Cow::Borrowed("?"),
            Self::Text(text) => clean(text),
            Self::Count(n) if unit == Unit::Percent => Cow::Owned(format!("{n}%")),
            #[allow(clippy::cast_precision_loss)] // memory stays far below 2^53
            Self::Count(n) if unit == Unit::Mebibytes => Cow::Owned(bytes(n as f64 * 1_048_576.0)),
            Self::Count(n) => Cow::Owned(n.to_string()),
            Self::Number(n) => Cow::Owned(match unit {
                Unit::Percent => format!("{}%", short(n)),
                Unit::BytesPerSecond => format!("{}/s", bytes(n)),
                Unit::Mebibytes => bytes(n * 1_048_576.0),
                _ => short(n),
            }),
            Self::Moment(at) => Cow::Owned(age(at, now)),
            Self::Span(span) => Cow::Owned(self::span(span)),
            Self::Dollars(usd) => Cow::Owned(usd.to_string()),
            Self::Flag(true) => Cow::Borrowed("yes"),
            Self::Flag(false) => Cow::Borrowed("no"),
            Self::List(words) if words.is_empty() => Cow::Borrowed("-"),
            Self::List(words) => clean(Cow::Owned(words.join(","))),
            Self::Tags(tags) if tags.is_empty() => Cow::Borrowed("-"),
            Self::Tags(tags) => {
                let pairs: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
                clean(Cow::Owned(pairs.join(",")))
            }
            Self::Nested(parts) => {
                let mut shown = String::new();
                write_nested(&parts, &mut shown);
                if shown.is_empty() { Cow::Borrowed("-") } else { clean(Cow::Owned(shown)) }
            }
            Self::Health(health) => Cow::Borrowed(health.word()),
        }
    }

    /// Returns the cell as JSON: numbers as numbers, moments in RFC 3339 (UTC), spans in seconds, tags
    /// as a map, dollars as a decimal text, `null` for what is absent or not known.
    /// The text is as AWS sent it; JSON's own escapes keep control characters from a terminal.
    pub fn json(self) -> Json {
        match self {
            Self::Absent | Self::Unknown(_) => Json::Null,
            Self::Text(text) => Json::String(text.into_owned()),
            Self::Count(n) => Json::from(n),
            Self::Number(n) => Number::from_f64(n).map_or(Json::Null, Json::Number),
            Self::Moment(at) => Json::String(at.to_string()),
            Self::Span(span) if span.subsec_nanos() == 0 => Json::from(span.as_secs()),
            Self::Span(span) => Json::from(span.as_secs_f64()),
            // Neither can fail: a text, and a map whose keys are texts.
            Self::Dollars(usd) => serde_json::to_value(usd).unwrap_or_default(),
            Self::Tags(tags) => serde_json::to_value(tags).unwrap_or_default(),
            Self::Flag(flag) => Json::Bool(flag),
            Self::List(words) => words.into_iter().map(|word| Json::String(word.into_owned())).collect(),
            Self::Nested(parts) => parts,
            Self::Health(health) => Json::String(health.word().to_owned()),
        }
    }
}

impl super::columns::Column {
    /// Returns the cell of row `at` as tables show it.
    pub fn show<'a>(&self, ctx: Ctx<'a>, at: usize) -> Cow<'a, str> {
        (self.get)(ctx, at).show(self.unit, ctx.now)
    }

    /// Returns the cell of row `at` as JSON.
    pub fn json(&self, ctx: Ctx<'_>, at: usize) -> Json {
        (self.get)(ctx, at).json()
    }

    /// Tells whether its cells are numbers, which tables align to the right.
    pub fn is_number(&self) -> bool {
        match self.unit {
            Unit::Count
            | Unit::Number
            | Unit::Percent
            | Unit::Mebibytes
            | Unit::BytesPerSecond
            | Unit::Moment
            | Unit::Span
            | Unit::Dollars => true,
            Unit::Text | Unit::Flag | Unit::List | Unit::Tags | Unit::Nested | Unit::Health => false,
        }
    }
}

fn clean(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => harmless(text),
        Cow::Owned(text) => match harmless(&text) {
            Cow::Owned(shown) => Cow::Owned(shown),
            Cow::Borrowed(_) => Cow::Owned(text),
        },
    }
}

/// A span by its two largest units: `12s`, `4m30s`, `3d4h`, `5w2d`, `2y9w`.
pub fn span(span: Duration) -> String {
    // Days, not weeks: `99d` is what the screen says too, and what one compares with a date.
    const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let seconds = span.as_secs();
    if seconds == 0 && span.subsec_millis() > 0 {
        return format!("{}ms", span.subsec_millis());
    }
    let at = UNITS.iter().position(|(_, unit)| seconds >= *unit).unwrap_or(UNITS.len() - 1);
    let mut rest = seconds;
    let mut shown = String::new();
    for (nth, (word, unit)) in UNITS.iter().skip(at).take(2).enumerate() {
        let count = rest / unit;
        rest %= unit;
        if nth == 0 || count > 0 {
            shown.push_str(&format!("{count}{word}"));
        }
    }
    shown
}

/// The age of a moment; a moment still to come is shown with a `+`.
pub fn age(at: Timestamp, now: Timestamp) -> String {
    let past = now.duration_since(at);
    match Duration::try_from(past) {
        Ok(past) => span(past),
        Err(_) => format!("+{}", span(past.unsigned_abs())),
    }
}

/// Bytes in the largest unit of 1024 that leaves at least one: `512B`, `1.5MiB`.
pub fn bytes(n: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut n, mut at) = (n, 0);
    // 1023.95 would be shown as 1024.
    while n.abs() >= 1023.95 && at + 1 < UNITS.len() {
        n /= 1024.0;
        at += 1;
    }
    format!("{}{}", short(n), UNITS.get(at).copied().unwrap_or_default())
}

/// A number with one decimal, or none where that is a zero.
fn short(n: f64) -> String {
    let shown = format!("{n:.1}");
    match shown.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => shown,
    }
}

/// `a=1 b=x, a=2 b=y`: fields of an object with blanks between them, items of a list with commas.
fn write_nested(parts: &Json, shown: &mut String) {
    match parts {
        Json::Null => shown.push('-'),
        Json::Bool(flag) => shown.push_str(if *flag { "yes" } else { "no" }),
        Json::Number(n) => shown.push_str(&n.to_string()),
        Json::String(text) => shown.push_str(text),
        Json::Array(items) => {
            let between = if items.iter().any(Json::is_object) { ", " } else { "," };
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    shown.push_str(between);
                }
                write_nested(item, shown);
            }
        }
        Json::Object(fields) => {
            let told = fields.iter().filter(|(_, value)| !value.is_null());
            for (at, (key, value)) in told.enumerate() {
                if at > 0 {
                    shown.push(' ');
                }
                shown.push_str(key);
                shown.push('=');
                write_nested(value, shown);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Unit, Value, age, bytes, span};
    use crate::model::{Health, Tags, Usd, WhyUnknown};
    use jiff::Timestamp;
    use serde_json::json;
    use std::borrow::Cow;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

    fn shown(value: Value<'_>, unit: Unit) -> String {
        value.show(unit, NOW).into_owned()
    }

    #[test]
    fn spans_show_their_two_largest_units() {
        let of = |seconds| span(Duration::from_secs(seconds));
        assert_eq!([of(0), of(12), of(60), of(270)], ["0s", "12s", "1m", "4m30s"]);
        assert_eq!([of(273_600), of(86_400 + 59), of(604_800 * 5 + 172_800)], ["3d4h", "1d", "37d"]);
        assert_eq!(span(Duration::from_millis(80)), "80ms");
        assert_eq!(age(NOW - Duration::from_secs(7_200), NOW), "2h");
        assert_eq!(age(NOW + Duration::from_secs(90), NOW), "+1m30s");
    }

    #[test]
    fn numbers_carry_their_unit() {
        assert_eq!(bytes(1023.97), "1KiB");
        assert_eq!(bytes(0.0), "0B");
        assert_eq!(shown(Value::Count(512), Unit::Mebibytes), "512MiB");
        assert_eq!(shown(Value::Count(1536), Unit::Mebibytes), "1.5GiB");
        assert_eq!(shown(Value::Number(1_572_864.0), Unit::BytesPerSecond), "1.5MiB/s");
        assert_eq!(shown(Value::Number(79.96), Unit::Percent), "80%");
        assert_eq!(shown(Value::Number(-0.01), Unit::Number), "0");
        assert_eq!(shown(Value::Dollars(Usd::from_micros(11_600)), Unit::Dollars), "$0.0116");
    }

    #[test]
    fn unknown_absent_and_dangerous_text() {
        assert_eq!(shown(Value::Unknown(WhyUnknown::Pending), Unit::Count), "?");
        assert_eq!(shown(Value::Absent, Unit::Text), "-");
        assert_eq!(shown(Value::Text(Cow::Borrowed("a\u{1b}[2J")), Unit::Text), "a␛[2J");
        assert_eq!(shown(Value::List(vec!["a".into(), "b\n".into()]), Unit::List), "a,b␊");
        let tags: Tags = [("k", "v\u{7}")].into_iter().collect();
        assert_eq!(shown(Value::Tags(&tags), Unit::Tags), "k=v␇");
        assert_eq!(shown(Value::Health(Health::Warn), Unit::Health), "warn");
        let parts = json!([{ "id": "a", "why": null, "on": true }, { "id": "b\u{1b}" }]);
        assert_eq!(shown(Value::Nested(parts), Unit::Nested), "id=a on=yes, id=b␛");
        assert_eq!(shown(Value::Nested(json!([80, 443])), Unit::Nested), "80,443");
        assert_eq!(shown(Value::Nested(json!([])), Unit::Nested), "-");
    }

    #[test]
    fn json_keeps_types() {
        let tags: Tags = [("Name", "x")].into_iter().collect();
        assert_eq!(Value::Count(3).json(), json!(3));
        assert_eq!(Value::Number(f64::NAN).json(), json!(null));
        assert_eq!(Value::Moment(NOW).json(), json!("2027-01-15T08:00:00Z"));
        assert_eq!(Value::Span(Duration::from_secs(90)).json(), json!(90));
        assert_eq!(Value::Tags(&tags).json(), json!({ "Name": "x" }));
        assert_eq!(Value::Dollars(Usd::from_micros(50_000)).json(), json!("0.05"));
        assert_eq!(Value::Unknown(WhyUnknown::NotAsked).json(), json!(null));
        assert_eq!(Value::Health(Health::Bad).json(), json!("bad"));
    }
}
