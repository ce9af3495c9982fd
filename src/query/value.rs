//! A cell's value with its type, so that `age<2h` compares spans and JSON gets numbers.

use crate::model::{Health, Tags, Usd, WhyUnknown};
use jiff::Timestamp;
use std::borrow::Cow;
use std::time::Duration;

/// The type of a column: decides comparison, alignment, drawing and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Words.
    Text,
    /// A whole number.
    Count,
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
    /// Health.
    Health(Health),
}

impl<'a> Value<'a> {
    /// Words, borrowed.
    pub fn text(raw: &'a (impl AsRef<str> + ?Sized)) -> Self {
        Self::Text(Cow::Borrowed(raw.as_ref()))
    }

    /// Words that may be missing.
    pub fn maybe_text(raw: Option<&'a (impl AsRef<str> + ?Sized)>) -> Self {
        raw.map_or(Self::Absent, Self::text)
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
}
