//! A cell's value with its type, so that `age<2h` compares spans and JSON gets numbers.

use crate::model::{Health, Known, Tags, Usd, WhyUnknown};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value as Json;
use std::borrow::Cow;
use std::time::Duration;

/// The type of a column: decides comparison, alignment, drawing and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Words.
    Text,
    /// A whole number.
    Count,
    /// A number that may have a fraction, of no unit.
    Number,
    /// A number of percent, 0 to 100 (and above, for what can exceed it).
    Percent,
    /// MiB of memory.
    Mebibytes,
    /// Bytes per second.
    BytesPerSecond,
    /// A moment. Drawn as its age, RFC 3339 in JSON.
    Moment,
    /// A span of time. Seconds in JSON.
    Span,
    /// US dollars.
    Dollars,
    /// Yes or no.
    Flag,
    /// Several words.
    List,
    /// Tags: a map in JSON.
    Tags,
    /// Something with parts: objects in JSON, their texts in tables.
    Nested,
    /// Health: sign and word.
    Health,
}

/// The value of one cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Known to have none. `-` in tables, `null` in JSON.
    Absent,
    /// Not known, and why. `?` in tables, `null` in JSON (and a warning says why).
    Unknown(WhyUnknown),
    /// Words; may hold anything that a user typed into a tag.
    Text(Cow<'a, str>),
    /// A whole number.
    Count(i64),
    /// A number with a fraction: percent, bytes per second.
    Number(f64),
    /// A moment.
    Moment(Timestamp),
    /// A span.
    Span(Duration),
    /// Dollars.
    Dollars(Usd),
    /// Yes or no.
    Flag(bool),
    /// Several words.
    List(Vec<Cow<'a, str>>),
    /// Tags.
    Tags(&'a Tags),
    /// Something with parts, as JSON shows it.
    Nested(Json),
    /// Health.
    Health(Health),
}

impl<'a> Value<'a> {
    /// Words, borrowed.
    pub fn text(raw: &'a (impl AsRef<str> + ?Sized)) -> Self {
        Self::Text(Cow::Borrowed(raw.as_ref()))
    }

    /// Words that may be missing. An empty text says nothing either: some endpoints write one for none.
    pub fn maybe_text(raw: Option<&'a (impl AsRef<str> + ?Sized)>) -> Self {
        raw.filter(|raw| !raw.as_ref().is_empty()).map_or(Self::Absent, Self::text)
    }

    /// A moment that may be missing.
    pub fn maybe_moment(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Absent, Self::Moment)
    }

    /// A count of anything that fits.
    pub fn count(n: impl TryInto<i64>) -> Self {
        Self::Count(n.try_into().unwrap_or(i64::MAX))
    }

    /// A count that may be missing.
    pub fn maybe_count(n: Option<impl TryInto<i64>>) -> Self {
        n.map_or(Self::Absent, Self::count)
    }

    /// A count that a section may not have told.
    pub fn known_count(n: Known<u32>) -> Self {
        match n {
            Known::Yes(n) => Self::count(n),
            Known::No(why) => Self::Unknown(why),
        }
    }

    /// A number that AWS writes as text; the text itself where it is none.
    pub fn maybe_parsed(raw: Option<&'a str>) -> Self {
        raw.map_or(Self::Absent, |raw| raw.trim().parse().map_or_else(|_| Self::text(raw), Self::Count))
    }

    /// Seconds that may be missing, as a span.
    pub fn maybe_seconds(seconds: Option<u32>) -> Self {
        seconds.map_or(Self::Absent, |seconds| Self::Span(Duration::from_secs(u64::from(seconds))))
    }

    /// The time from a moment until now; nothing when the moment is still to come.
    pub fn age(at: Option<Timestamp>, now: Timestamp) -> Self {
        at.map_or(Self::Absent, |at| {
            Self::Span(Duration::try_from(now.duration_since(at)).unwrap_or(Duration::ZERO))
        })
    }

    /// Several words, borrowed.
    pub fn texts(raw: impl IntoIterator<Item = &'a (impl AsRef<str> + ?Sized + 'a)>) -> Self {
        Self::List(raw.into_iter().map(|text| Cow::Borrowed(text.as_ref())).collect())
    }

    /// Two words with something between them.
    pub fn joined(a: impl AsRef<str>, between: &str, b: impl AsRef<str>) -> Self {
        Self::Text(Cow::Owned([a.as_ref(), between, b.as_ref()].concat()))
    }

    /// Something with parts.
    pub fn nested(parts: &impl Serialize) -> Self {
        // Only a map with keys that are no strings cannot become JSON; the model has none.
        Self::Nested(serde_json::to_value(parts).unwrap_or_default())
    }

    /// What another section says of this row: unknown, known to be nothing, or a value taken from it.
    pub fn of<T>(known: &'a Known<Option<T>>, take: impl FnOnce(&'a T) -> Self) -> Self {
        match known {
            Known::Yes(Some(found)) => take(found),
            Known::Yes(None) => Self::Absent,
            Known::No(why) => Self::Unknown(*why),
        }
    }
}
