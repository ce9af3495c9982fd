//! Values with units as people type them: `80%`, `2h`, `512MiB`, `$0.05`, `2026-01-01`.

use super::natural;
use super::truth::Truth;
use super::value::{Unit, Value};
use crate::error::did_you_mean;
use crate::model::Health;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::cmp::Ordering;

/// A typed value to compare a cell with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    /// A number, in the unit of its column.
    Number(f64),
    /// Seconds; against a moment it is the moment's age.
    Seconds(f64),
    /// A moment.
    Moment(Timestamp),
    /// Millionths of a dollar.
    Micros(f64),
    /// Yes or no.
    Flag(bool),
    /// A health.
    Health(Health),
    /// A text, in natural order.
    Text(String),
}

/// Why a text is no value of a column's type.
#[derive(Debug, PartialEq)]
pub(super) struct BadLiteral {
    /// What is wrong.
    pub(super) message: String,
    /// What would be right.
    pub(super) hint: String,
}

const SPANS: [(&str, f64); 6] =
    [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0), ("w", 604_800.0)];

const SIZES: [(&str, f64); 9] = [
    ("B", 1.0),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
];

const HEALTHS: [Health; 5] = [Health::Ok, Health::Busy, Health::Unknown, Health::Warn, Health::Bad];

impl Literal {
    /// Reads a value of a column's type.
    pub(super) fn parse(text: &str, unit: Unit) -> Result<Self, BadLiteral> {
        match unit {
            Unit::Count | Unit::Number => {
                number(text, "", "this column counts: write a number without a unit")
            }
            Unit::Percent => number(text, "%", "write percent as 80 or 80%"),
            Unit::Mebibytes => {
                size(text).map(|bytes| Self::Number(bytes.unwrap_or_else(|mebi| mebi * MEBI) / MEBI))
            }
            Unit::BytesPerSecond => size(text.strip_suffix("/s").unwrap_or(text))
                .map(|bytes| Self::Number(bytes.unwrap_or_else(|b| b))),
            Unit::Span => seconds(text).map(Self::Seconds),
            Unit::Moment => moment(text),
            Unit::Dollars => {
                match number(text.strip_prefix('$').unwrap_or(text), "", "write dollars as 0.05 or $0.05")? {
                    Self::Number(dollars) => Ok(Self::Micros((dollars * 1e6).round())),
                    other => Ok(other),
                }
            }
            Unit::Flag => match text.to_ascii_lowercase().as_str() {
                "yes" | "true" | "on" | "y" => Ok(Self::Flag(true)),
                "no" | "false" | "off" | "n" => Ok(Self::Flag(false)),
                _ => Err(BadLiteral::new(format!("'{text}' is neither yes nor no"), "write yes or no")),
            },
            Unit::Health => health(text),
            Unit::Text | Unit::List | Unit::Tags | Unit::Nested => Ok(Self::Text(text.to_owned())),
        }
    }

    /// Compares a known cell with it; none where the two have no order, because AWS sent a text where
    /// a number belongs.
    pub(super) fn order(&self, cell: &Value<'_>, now: Timestamp) -> Option<Ordering> {
        match (cell, self) {
            #[allow(clippy::cast_precision_loss)] // counts stay far below 2^53
            (Value::Count(n), Self::Number(other)) => (*n as f64).partial_cmp(other),
            (Value::Number(n), Self::Number(other)) => n.partial_cmp(other),
            (Value::Span(span), Self::Seconds(other)) => span.as_secs_f64().partial_cmp(other),
            (Value::Moment(at), Self::Moment(other)) => Some(at.cmp(other)),
            (Value::Moment(at), Self::Seconds(other)) => {
                now.duration_since(*at).as_secs_f64().partial_cmp(other)
            }
            #[allow(clippy::cast_precision_loss)] // amounts stay far below nine billion dollars
            (Value::Dollars(usd), Self::Micros(other)) => (usd.micros() as f64).partial_cmp(other),
            (Value::Flag(flag), Self::Flag(other)) => Some(flag.cmp(other)),
            (Value::Health(health), Self::Health(other)) => Some(health.cmp(other)),
            (Value::Text(text), Self::Text(other)) => Some(natural::order_without_case(text, other)),
            _ => None,
        }
    }

    /// Tells whether a known cell equals it.
    pub(super) fn equals(&self, cell: &Value<'_>, now: Timestamp) -> Truth {
        self.order(cell, now).map_or(Truth::Unknown, |order| order.is_eq().into())
    }
}

impl BadLiteral {
    fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

const MEBI: f64 = 1_048_576.0;

/// Splits a number from what stands behind it.
fn split(text: &str) -> Option<(f64, &str)> {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let sign = usize::from(text.starts_with('-'));
    let rest = text.get(sign..)?;
    let end = sign + rest.find(|c| !digits(c)).unwrap_or(rest.len());
    let value: f64 = text.get(..end)?.parse().ok()?;
    Some((value, text.get(end..)?))
}

fn number(text: &str, unit: &str, hint: &str) -> Result<Literal, BadLiteral> {
    match split(text) {
        Some((value, rest)) if rest.is_empty() || rest == unit => Ok(Literal::Number(value)),
        Some((_, rest)) => Err(BadLiteral::new(format!("unknown unit '{rest}'"), hint)),
        None => Err(BadLiteral::new(format!("'{text}' is not a number"), hint)),
    }
}

/// Bytes, or a bare number whose unit is the column's own.
fn size(text: &str) -> Result<Result<f64, f64>, BadLiteral> {
    let names = || SIZES.map(|(name, _)| name).join(", ");
    let Some((value, rest)) = split(text) else {
        return Err(BadLiteral::new(
            format!("'{text}' is not a size"),
            format!("write a number with one of {}: 512MiB", names()),
        ));
    };
    if rest.is_empty() {
        return Ok(Err(value));
    }
    match SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(rest)) {
        Some((_, bytes)) => Ok(Ok(value * bytes)),
        None => Err(BadLiteral::new(format!("unknown unit '{rest}'"), format!("units are {}", names()))),
    }
}

/// Seconds of `1d12h`, `90s`, `1.5h`.
fn seconds(text: &str) -> Result<f64, BadLiteral> {
    let hint = "units are ms, s, m, h, d, w: 90s, 2h, 1d12h";
    let (mut rest, mut sum) = (text, 0.0);
    loop {
        let Some((value, behind)) = split(rest).filter(|(value, _)| *value >= 0.0) else {
            return Err(BadLiteral::new(format!("'{text}' is not a span of time"), hint));
        };
        let end = behind.find(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-')).unwrap_or(behind.len());
        let (name, next) = behind.split_at(end);
        if name.is_empty() {
            return Err(BadLiteral::new(format!("'{text}' has no unit"), hint));
        }
        let Some((_, unit)) = SPANS.iter().find(|(word, _)| word.eq_ignore_ascii_case(name)) else {
            return Err(BadLiteral::new(format!("unknown unit '{name}'"), hint));
        };
        sum += value * unit;
        if next.is_empty() {
            return Ok(sum);
        }
        rest = next;
    }
}

fn moment(text: &str) -> Result<Literal, BadLiteral> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Literal::Moment(at));
    }
    let civil = text.parse::<DateTime>().or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0)));
    if let Some(at) = civil.ok().and_then(|civil| civil.to_zoned(TimeZone::UTC).ok()) {
        return Ok(Literal::Moment(at.timestamp()));
    }
    seconds(text).map(Literal::Seconds).map_err(|_| {
        BadLiteral::new(
            format!("'{text}' is neither a moment nor an age"),
            "write 2026-01-31, 2026-01-31T09:30, 2026-01-31T09:30:00Z (UTC), or an age such as 2h",
        )
    })
}

fn health(text: &str) -> Result<Literal, BadLiteral> {
    let typed = text.to_ascii_lowercase();
    if let Some(health) = HEALTHS.into_iter().find(|health| health.word() == typed) {
        return Ok(Literal::Health(health));
    }
    let hint = match did_you_mean(&typed, HEALTHS.map(Health::word)) {
        Some(near) => format!("did you mean '{near}'?"),
        None => "from best to worst: ok, busy, unknown, warn, bad".to_owned(),
    };
    Err(BadLiteral::new(format!("'{text}' is no health"), hint))
}

#[cfg(test)]
mod tests {
    use super::{Literal, Unit};

    fn parse(text: &str, unit: Unit) -> Result<Literal, String> {
        Literal::parse(text, unit).map_err(|bad| bad.message)
    }

    #[test]
    fn units_are_read() {
        assert_eq!(parse("1d12h", Unit::Span), Ok(Literal::Seconds(129_600.0)));
        assert_eq!(parse("1.5h", Unit::Span), Ok(Literal::Seconds(5_400.0)));
        assert_eq!(parse("512MiB", Unit::Mebibytes), Ok(Literal::Number(512.0)));
        assert_eq!(parse("2gib", Unit::Mebibytes), Ok(Literal::Number(2048.0)));
        assert_eq!(parse("512", Unit::Mebibytes), Ok(Literal::Number(512.0)));
        assert_eq!(parse("1MB/s", Unit::BytesPerSecond), Ok(Literal::Number(1e6)));
        assert_eq!(parse("80%", Unit::Percent), Ok(Literal::Number(80.0)));
        assert_eq!(parse("$0.05", Unit::Dollars), Ok(Literal::Micros(50_000.0)));
        assert_eq!(parse("-3", Unit::Count), Ok(Literal::Number(-3.0)));
        assert_eq!(parse("YES", Unit::Flag), Ok(Literal::Flag(true)));
    }

    #[test]
    fn moments_are_utc_and_a_span_is_an_age() {
        let at = |text| match parse(text, Unit::Moment) {
            Ok(Literal::Moment(at)) => at.to_string(),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(at("2026-01-31"), "2026-01-31T00:00:00Z");
        assert_eq!(at("2026-01-31T09:30"), "2026-01-31T09:30:00Z");
        assert_eq!(at("2026-01-31T09:30:00+01:00"), "2026-01-31T08:30:00Z");
        assert_eq!(parse("2h", Unit::Moment), Ok(Literal::Seconds(7200.0)));
        assert!(parse("2026-13-01", Unit::Moment).is_err());
    }

    #[test]
    fn faults_name_what_would_be_right() {
        let bad = Literal::parse("2y", Unit::Span).unwrap_err();
        assert_eq!(
            (bad.message.as_str(), bad.hint.as_str()),
            ("unknown unit 'y'", "units are ms, s, m, h, d, w: 90s, 2h, 1d12h")
        );
        assert_eq!(parse("20", Unit::Span), Err("'20' has no unit".into()));
        assert_eq!(parse("5X", Unit::Mebibytes), Err("unknown unit 'X'".into()));
        assert_eq!(Literal::parse("wran", Unit::Health).unwrap_err().hint, "did you mean 'warn'?");
        for text in ["", "-", ".", "1.2.3", "h", "--1s", "1s-", "é"] {
            assert!(parse(text, Unit::Span).is_err(), "{text}");
        }
    }
}
