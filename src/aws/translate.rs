//! Small translations that every service needs: moments, counts, texts and tags out of SDK values.
//!
//! They lose nothing that the domain can hold: no trimming, no change of case, nanoseconds kept. Only an
//! empty text counts as none where none is allowed.

use crate::model::{Tags, Text};
use aws_smithy_types::DateTime;
use jiff::{Timestamp, Unit};

/// Returns the moment, or none where AWS gave none or one outside jiff's years (−9999 to 9999).
pub(super) fn moment(at: Option<DateTime>) -> Option<Timestamp> {
    let at = at?;
    Timestamp::new(at.secs(), i32::try_from(at.subsec_nanos()).ok()?).ok()
}

/// Returns the moment that came as a fraction of seconds in JSON or CBOR, where `.336` arrives as
/// `.335999965`: a double near now holds no more than a quarter of a microsecond. Whole microseconds are
/// what was meant.
pub(super) fn fractional_moment(at: Option<DateTime>) -> Option<Timestamp> {
    moment(at)?.round(Unit::Microsecond).ok()
}

/// Returns the moment written in ISO 8601, as `DescribeImages` gives its dates.
pub(super) fn written_moment(at: Option<&str>) -> Option<Timestamp> {
    at?.parse().ok()
}

/// Returns a count; a missing or negative one is zero (moto counts pending tasks below zero).
pub(super) fn count(of: Option<i32>) -> u32 {
    of.and_then(whole).unwrap_or(0)
}

/// Returns a number that cannot be negative, or none where it is missing or negative.
pub(super) fn whole(of: i32) -> Option<u32> {
    u32::try_from(of).ok()
}

/// Returns a TCP port, or none where the number cannot be one.
pub(super) fn port(of: Option<i32>) -> Option<u16> {
    of.and_then(|port| u16::try_from(port).ok())
}

/// Returns the text as it came. An empty one is none: that is how AWS writes an address, a DNS name or a
/// reason that is not there.
pub(super) fn text(raw: Option<String>) -> Option<Text> {
    raw.filter(|raw| !raw.is_empty()).map(Text::from)
}

/// The same of a text that lies in an answer.
pub(super) fn written(raw: &str) -> Option<Text> {
    (!raw.is_empty()).then(|| Text::new(raw))
}

/// Returns the text as it came, or an empty one.
pub(super) fn required(raw: Option<String>) -> Text {
    raw.map(Text::from).unwrap_or_default()
}

/// Returns AWS's word of an SDK enumeration, also one that this version of the SDK does not know; an
/// empty one is none.
pub(super) fn word<W: AsRef<str>>(word: Option<W>) -> Option<Text> {
    word.map(|word| Text::new(word)).filter(|word| !word.is_empty())
}

/// Returns all of a list's texts.
pub(super) fn texts(raw: Option<Vec<String>>) -> Vec<Text> {
    raw.unwrap_or_default().into_iter().map(Text::from).collect()
}

/// Returns all of a list's names or ids.
pub(super) fn ids<I: From<String>>(raw: Option<Vec<String>>) -> Vec<I> {
    raw.unwrap_or_default().into_iter().map(I::from).collect()
}

/// Returns what becomes of each of a list, in memory of its own: `collect` would keep the SDK's, whose values
/// are several times as large, for as long as the list lives.
pub(super) fn each<T, U>(raw: Option<Vec<T>>, of: impl FnMut(T) -> U) -> Vec<U> {
    let raw = raw.unwrap_or_default();
    let mut all = Vec::with_capacity(raw.len());
    all.extend(raw.into_iter().map(of));
    all
}

/// Returns what becomes of those of a list that become anything, likewise.
pub(super) fn each_some<T, U>(raw: Vec<T>, of: impl FnMut(T) -> Option<U>) -> Vec<U> {
    let mut all = Vec::new();
    all.extend(raw.into_iter().filter_map(of));
    all.shrink_to_fit();
    all
}

/// Returns tags out of an SDK's key and value pairs.
pub(super) fn tags(pairs: impl IntoIterator<Item = (Option<String>, Option<String>)>) -> Tags {
    pairs.into_iter().map(|(key, value)| (required(key), required(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_keeps_its_nanoseconds() {
        let at = moment(Some(DateTime::from_secs_and_nanos(1_700_000_000, 123_456_789)));
        assert_eq!(at, Timestamp::new(1_700_000_000, 123_456_789).ok());
        assert_eq!(at.map(|at| at.subsec_nanosecond()), Some(123_456_789));
    }

    #[test]
    fn a_moment_before_the_epoch_is_kept_and_one_beyond_all_years_is_none() {
        let before = moment(Some(DateTime::from_secs_and_nanos(-1, 500_000_000)));
        assert_eq!(before.map(|at| at.to_string()).as_deref(), Some("1969-12-31T23:59:59.5Z"));
        assert_eq!(moment(Some(DateTime::from_secs(i64::MAX))), None);
        assert_eq!(moment(None), None);
    }

    #[test]
    fn a_moment_that_came_as_a_double_is_the_one_that_was_written() {
        let at = fractional_moment(Some(DateTime::from_secs_and_nanos(1_795_296_148, 335_999_965)));
        assert_eq!(at, Timestamp::new(1_795_296_148, 336_000_000).ok());
        assert_eq!(fractional_moment(None), None);
    }

    #[test]
    fn written_moments_are_read_with_and_without_fractions() {
        let at = written_moment(Some("2024-09-17T03:04:05.000Z")).map(|at| at.to_string());
        assert_eq!(at.as_deref(), Some("2024-09-17T03:04:05Z"));
        assert_eq!(written_moment(Some("yesterday")), None);
    }

    #[test]
    fn counts_below_zero_are_zero_and_impossible_ports_are_none() {
        assert_eq!(count(Some(-3)), 0);
        assert_eq!(count(None), 0);
        assert_eq!(count(Some(7)), 7);
        assert_eq!(port(Some(70_000)), None);
        assert_eq!(port(Some(3567)), Some(3567));
    }

    #[test]
    fn an_empty_text_or_word_is_none_and_all_else_stays_as_it_is() {
        assert_eq!((text(Some(String::new())), word(Some(""))), (None, None));
        assert_eq!(text(Some(" x ".to_owned())).as_deref(), Some(" x "));
        assert_eq!(word(Some("Levitating")).as_deref(), Some("Levitating"));
        assert_eq!(required(None), "");
    }

    #[test]
    fn tags_keep_every_character() {
        let tags = tags([(Some(" Name ".to_owned()), Some("\u{1b}[2J\u{202e}x".to_owned())), (None, None)]);
        assert_eq!(tags.get(" Name "), Some("\u{1b}[2J\u{202e}x"));
        assert_eq!(tags.get(""), Some(""));
    }
}
